#include "tocsin/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include "tocsin/mem.h"
#include <cmocka.h>

static void a_copy_stands_on_its_own(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 16);
    char key[] = "{}:{alertname=\"A\"}";
    struct page_event event = {
        .group_key = str_of(key),
        .receiver = STR("pager"),
        .integration = STR("webhook"),
        .reason = STR("first notification"),
        .group_labels = labels_of(&a, "alertname", "A", NULL),
        .common_labels = labels_of(&a, "alertname", "A", "host", "h", NULL),
        .firing = true,
        .firing_count = 2,
        .at_ns = 7,
        .attempt = 1,
        .status = 200,
        .outcome = PAGE_DELIVERED,
    };
    struct page_event *copy = page_event_copy(&event);
    key[0] = 'x';
    arena_release(&a);
    assert_true(str_is(copy->group_key, "{}:{alertname=\"A\"}"));
    assert_true(str_is(copy->receiver, "pager"));
    assert_true(str_is(copy->reason, "first notification"));
    assert_int_equal(copy->detail.n, 0);
    assert_true(str_is(labels_get(copy->common_labels, STR("host")), "h"));
    assert_true(str_is(labels_get(copy->group_labels, STR("alertname")), "A"));
    assert_null(copy->common_annotations);
    assert_int_equal(copy->firing_count, 2);
    assert_int_equal(copy->outcome, PAGE_DELIVERED);
    mem_free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_copy_stands_on_its_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
