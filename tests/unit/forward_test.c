#include "router_sim.h"

#include "tocsin/forward.h"

static struct sim sim;
static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    sim_open(&sim, NULL);
    arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sim_close(&sim);
    arena_release(&arena);
    return 0;
}

static struct forward *open_to(const char *const *urls, size_t count, size_t queue_max, size_t batch_max)
{
    struct str list[4];
    for (size_t i = 0; i < count; i++)
        list[i] = str_of(urls[i]);
    return forward_open(&(struct forward_options){
        .world = &sim.world.world,
        .urls = list,
        .url_count = count,
        .external_labels = labels_of(&arena, "a", "external", "zone", "eu", NULL),
        .queue_max = queue_max,
        .batch_max = batch_max,
    });
}

static void tell(struct forward *f, const char *name)
{
    struct alert_event event = {
        .labels = labels_of(&arena, "alertname", name, "a", "own", NULL),
        .annotations = labels_of(&arena, "summary", "s", NULL),
        .generator_url = STR("http://h:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1"),
        .starts_ns = SIM_START_NS + 123 * NS_PER_MS,
        .ends_ns = SIM_START_NS + 240 * NS_PER_S,
    };
    forward_alert(f, &event);
}

static const char *const one[] = {"http://am/api/v2/alerts"};

static void the_body_is_prometheus_to_the_byte(void **state)
{
    (void)state;
    struct forward *f = open_to(one, 1, 0, 0);
    tell(f, "X");
    tell(f, "Y");
    assert_false(forward_run(f));
    assert_int_equal(sim.sent_count, 1);
    assert_string_equal(sim.sent[0].url, one[0]);
    assert_string_equal(sim.sent[0].headers, "Content-Type: application/json\n");
#define ALERT(name)                                                                 \
    "{\"annotations\":{\"summary\":\"s\"},\"endsAt\":\"2026-11-22T06:04:00.000Z\"," \
    "\"startsAt\":\"2026-11-22T06:00:00.123Z\","                                    \
    "\"generatorURL\":\"http://h:9090/graph?g0.expr=up+%3D%3D+0\\u0026g0.tab=1\","  \
    "\"labels\":{\"a\":\"own\",\"alertname\":\"" name "\",\"zone\":\"eu\"}}"
    assert_string_equal(sim.sent[0].body, "[" ALERT("X") "," ALERT("Y") "]");
    assert_int_equal(sim.sent[0].timeout_ms, 10000);
    forward_close(f);
}

static void batches_go_one_after_another(void **state)
{
    (void)state;
    struct forward *f = open_to(one, 1, 0, 2);
    for (int i = 0; i < 5; i++)
        tell(f, "X");
    sim.hold = true;
    assert_true(forward_run(f));
    assert_int_equal(sim.sent_count, 1);
    assert_true(forward_run(f));
    assert_int_equal(sim.sent_count, 1);
    sim.hold = false;
    sim_release(&sim);
    assert_false(forward_run(f));
    assert_int_equal(sim.sent_count, 3);
    forward_close(f);
}

static bool has_line(struct forward *f, const char *line)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    forward_write_metrics(f, &out);
    bool found = strstr(buf_text(&out), line) != NULL;
    buf_release(&out);
    return found;
}

static void a_full_queue_drops_the_oldest_and_says_so(void **state)
{
    (void)state;
    struct forward *f = open_to(one, 1, 2, 0);
    tell(f, "first");
    tell(f, "second");
    tell(f, "third");
    assert_false(forward_run(f));
    assert_null(strstr(sim.sent[0].body, "first"));
    assert_non_null(strstr(sim.sent[0].body, "third"));
    assert_true(
        has_line(f, "prometheus_notifications_dropped_total{alertmanager=\"http://am/api/v2/alerts\"} 1\n"));
    assert_true(
        has_line(f, "prometheus_notifications_sent_total{alertmanager=\"http://am/api/v2/alerts\"} 2\n"));
    assert_true(has_line(f, "prometheus_notifications_queue_capacity 2\n"));
    forward_close(f);
}

static void a_target_that_is_down_does_not_delay_the_other(void **state)
{
    (void)state;
    static const char *const two[] = {"http://a/api/v2/alerts", "http://b/api/v2/alerts"};
    struct forward *f = open_to(two, 2, 0, 0);
    sim.status = 0;
    tell(f, "X");
    assert_false(forward_run(f));
    assert_int_equal(sim.sent_count, 2);
    assert_true(
        has_line(f, "prometheus_notifications_errors_total{alertmanager=\"http://a/api/v2/alerts\"} 1\n"));
    assert_true(
        has_line(f, "prometheus_notifications_errors_total{alertmanager=\"http://b/api/v2/alerts\"} 1\n"));
    assert_true(has_line(f, "prometheus_notifications_alertmanagers_discovered 2\n"));
    sim.refuse = ERR_FULL;
    tell(f, "Y");
    assert_false(forward_run(f));
    assert_true(
        has_line(f, "prometheus_notifications_errors_total{alertmanager=\"http://a/api/v2/alerts\"} 2\n"));
    forward_close(f);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FRESH(the_body_is_prometheus_to_the_byte),
        FRESH(batches_go_one_after_another),
        FRESH(a_full_queue_drops_the_oldest_and_says_so),
        FRESH(a_target_that_is_down_does_not_delay_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
