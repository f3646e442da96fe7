#include "tocsin/incident.h"

#include "tocsin/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct world_sim world;
static struct state *store;
static struct incidents *all;
static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    world_sim_init(&world, 0, 1);
    arena_init(&arena, 1 << 20);
    assert_int_equal(state_open(":memory:", &store, NULL), 0);
    return incidents_open(store, &world.world, &all, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    incidents_close(all);
    state_close(store);
    arena_release(&arena);
    return 0;
}

static void page(int64_t at_s, const char *key, const char *receiver, bool firing, enum page_outcome outcome)
{
    struct page_event event = {
        .group_key = str_of(key),
        .receiver = str_of(receiver),
        .integration = STR("webhook"),
        .reason = firing ? STR("first notification") : STR("all alerts resolved"),
        .detail = outcome == PAGE_RETRYING ? STR("unexpected status code 503: \"no\"") : STR(""),
        .group_labels = labels_of(&arena, "alertname", "A", NULL),
        .common_labels = labels_of(&arena, "alertname", "A", "b", "<c>", NULL),
        .common_annotations = labels_empty(&arena),
        .firing = firing,
        .firing_count = firing,
        .resolved_count = !firing,
        .at_ns = at_s * NS_PER_S,
        .attempt = 1,
        .status = outcome == PAGE_DELIVERED ? 200 : 503,
        .outcome = outcome,
    };
    assert_int_equal(incidents_page(all, &event, NULL), 0);
}

static void expect_json(size_t limit, const char *json)
{
    struct buf out;
    struct tree *root = NULL;
    buf_init(&out, 1 << 20);
    assert_int_equal(incidents_write_json(all, limit, &out, NULL), 0);
    assert_string_equal(buf_text(&out), json);
    assert_int_equal(json_parse(&arena, buf_slice(&out), &root, NULL), 0);
    buf_release(&out);
}

static void a_page_opens_an_incident_and_its_end_closes_it(void **state)
{
    (void)state;
    expect_json(10, "[]");
    page(1, "k", "ops", true, PAGE_RETRYING);
    page(2, "k", "ops", true, PAGE_DELIVERED);
    assert_int_equal(incidents_open_count(all), 1);
    page(9, "k", "ops", false, PAGE_DELIVERED);
    assert_int_equal(incidents_open_count(all), 0);
    expect_json(10,
                "[{\"id\":1,\"key\":\"k\",\"state\":\"closed\",\"openedAt\":\"1970-01-01T00:00:01.000Z\","
                "\"closedAt\":\"1970-01-01T00:00:09.000Z\",\"receivers\":[\"ops\"],"
                "\"groupLabels\":{\"alertname\":\"A\"},"
                "\"commonLabels\":{\"alertname\":\"A\",\"b\":\"\\u003cc\\u003e\"},\"commonAnnotations\":{},"
                "\"timeline\":["
                "{\"at\":\"1970-01-01T00:00:01.000Z\",\"event\":\"retrying\",\"receiver\":\"ops\","
                "\"integration\":\"webhook\",\"status\":503,\"attempt\":1,\"firing\":1,\"resolved\":0,"
                "\"reason\":\"first notification\",\"detail\":\"unexpected status code 503: \\\"no\\\"\"},"
                "{\"at\":\"1970-01-01T00:00:02.000Z\",\"event\":\"delivered\",\"receiver\":\"ops\","
                "\"integration\":\"webhook\",\"status\":200,\"attempt\":1,\"firing\":1,\"resolved\":0,"
                "\"reason\":\"first notification\"},"
                "{\"at\":\"1970-01-01T00:00:09.000Z\",\"event\":\"delivered\",\"receiver\":\"ops\","
                "\"integration\":\"webhook\",\"status\":200,\"attempt\":1,\"firing\":0,\"resolved\":1,"
                "\"reason\":\"all alerts resolved\"}]}]");
}

static size_t count(const char *text, const char *word)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        n++;
    return n;
}

static void expect_counts(size_t incidents, size_t open, size_t notes)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    assert_int_equal(incidents_write_json(all, 100, &out, NULL), 0);
    assert_int_equal(count(buf_text(&out), "\"openedAt\""), incidents);
    assert_int_equal(count(buf_text(&out), "\"state\":\"open\""), open);
    assert_int_equal(count(buf_text(&out), "\"at\":"), notes);
    assert_int_equal(incidents_open_count(all), open);
    buf_release(&out);
}

static void a_late_word_of_the_end_belongs_to_the_incident_just_closed(void **state)
{
    (void)state;
    page(1, "k", "a", true, PAGE_DELIVERED);
    page(2, "k", "a", false, PAGE_DELIVERED);
    page(3, "k", "b", false, PAGE_DELIVERED);
    expect_counts(1, 0, 3);
}

static void the_same_group_firing_again_is_a_new_incident(void **state)
{
    (void)state;
    page(1, "k", "a", true, PAGE_DELIVERED);
    page(2, "k", "a", false, PAGE_DELIVERED);
    page(3, "k", "a", true, PAGE_DELIVERED);
    page(4, "other", "a", true, PAGE_FAILED);
    expect_counts(3, 2, 4);
}

static void a_resolve_that_could_not_be_told_leaves_it_open(void **state)
{
    (void)state;
    page(1, "k", "a", true, PAGE_DELIVERED);
    page(2, "k", "a", false, PAGE_RETRYING);
    expect_counts(1, 1, 2);
    page(3, "k", "a", false, PAGE_UNSENT);
    expect_counts(1, 0, 3);
}

static void a_resolve_without_an_incident_is_nothing(void **state)
{
    (void)state;
    page(1, "k", "a", false, PAGE_DELIVERED);
    expect_counts(0, 0, 0);
}

static void what_is_open_survives_a_restart(void **state)
{
    (void)state;
    page(1, "k", "a", true, PAGE_DELIVERED);
    page(1, "closed", "a", true, PAGE_DELIVERED);
    page(2, "closed", "a", false, PAGE_DELIVERED);
    incidents_close(all);
    assert_int_equal(incidents_open(store, &world.world, &all, NULL), 0);
    expect_counts(2, 1, 3);
    page(3, "k", "b", true, PAGE_DELIVERED);
    page(4, "k", "a", false, PAGE_DELIVERED);
    expect_counts(2, 0, 5);
    struct buf out;
    buf_init(&out, 1 << 20);
    assert_int_equal(incidents_write_json(all, 100, &out, NULL), 0);
    assert_non_null(strstr(buf_text(&out), "\"receivers\":[\"a\",\"b\"]"));
    buf_release(&out);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FRESH(a_page_opens_an_incident_and_its_end_closes_it),
        FRESH(a_late_word_of_the_end_belongs_to_the_incident_just_closed),
        FRESH(the_same_group_firing_again_is_a_new_incident),
        FRESH(a_resolve_that_could_not_be_told_leaves_it_open),
        FRESH(a_resolve_without_an_incident_is_nothing),
        FRESH(what_is_open_survives_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
