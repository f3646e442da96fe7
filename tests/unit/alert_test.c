#include "tocsin/alert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include "tocsin/mem.h"
#include <cmocka.h>

static void fingerprints_are_alertmanagers(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 16);
    struct labels *ls = labels_of(&a, "severity", "critical", "alertname", "A", "instance", "i1", NULL);
    assert_true(labels_fingerprint(ls) == UINT64_C(0x498074676852febe));
    assert_true(labels_fingerprint(labels_empty(&a)) == UINT64_C(0xcbf29ce484222325));
    arena_release(&a);
}

static void a_copy_outlives_what_it_was_made_from(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 16);
    char url[] = "http://h/graph";
    struct alert_event event = {.labels = labels_of(&a, "alertname", "A", NULL),
                                .annotations = labels_of(&a, "summary", "s", NULL),
                                .generator_url = str_of(url),
                                .starts_ns = 1,
                                .ends_ns = 2,
                                .ends_is_timeout = true};
    struct alert_event *copy = alert_event_copy(&event);
    uint64_t hash = event.labels->hash;
    url[0] = '?';
    arena_release(&a);
    assert_true(copy->labels->hash == hash);
    assert_true(str_is(labels_get(copy->labels, STR("alertname")), "A"));
    assert_true(str_is(labels_get(copy->annotations, STR("summary")), "s"));
    assert_true(str_is(copy->generator_url, "http://h/graph"));
    assert_true(copy->ends_is_timeout);
    mem_free(copy);
}

static void parts_may_be_absent(void **state)
{
    (void)state;
    struct alert_event *copy = alert_event_copy(&(struct alert_event){.starts_ns = 5});
    assert_null(copy->labels);
    assert_null(copy->annotations);
    assert_int_equal(copy->generator_url.n, 0);
    mem_free(copy);
}

static void an_alert_is_resolved_once_its_end_has_come(void **state)
{
    (void)state;
    struct alert_event a = {.ends_ns = 100};
    assert_false(alert_is_resolved(&a, 99));
    assert_true(alert_is_resolved(&a, 100));
    a.ends_ns = 0;
    assert_false(alert_is_resolved(&a, 100));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fingerprints_are_alertmanagers),
        cmocka_unit_test(a_copy_outlives_what_it_was_made_from),
        cmocka_unit_test(parts_may_be_absent),
        cmocka_unit_test(an_alert_is_resolved_once_its_end_has_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
