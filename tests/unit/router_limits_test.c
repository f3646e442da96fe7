/* Storms: how much the router holds, how many pages are under way at once, and what a storm leaves in the log. */
#include "router_sim.h"

#include "tocsin/limits.h"

static struct sim sim;

#define ROUTES                                                                                        \
    "route: {receiver: a, group_by: [n], group_wait: 1s, group_interval: 30s, repeat_interval: 1h}\n" \
    "receivers: [{name: a, webhook_configs: [{url: 'http://a'}]}]\n"

static void open_router(struct router_options options)
{
    struct err err = {0};
    options.world = &sim.world.world;
    options.state = sim.state;
    options.external_url = STR("http://am");
    if (router_open(&options, sim_config(&sim, ROUTES), &sim.router, &err) != 0)
        fail_msg("%s", err.text);
}

static void start_with(struct router_options options)
{
    sim_open(&sim, NULL);
    open_router(options);
}

static void start_again_with(struct router_options options)
{
    router_close(sim.router);
    sim.held_count = 0;
    open_router(options);
}

static void fire_groups(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char labels[32];
        snprintf(labels, sizeof labels, "n=%zu", i);
        sim_fire(&sim, labels);
    }
}

static bool metric_is(const char *line)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    router_write_metrics(sim.router, &out);
    bool found = strstr(buf_text(&out), line) != NULL;
    buf_release(&out);
    return found;
}

/* ---- pages under way ---- */

static void an_integration_gets_some_pages_at_a_time_and_more_when_it_is_slow(void **state)
{
    (void)state;
    sim_open(&sim, ROUTES);
    sim.hold = true;
    fire_groups(200);
    sim_until(&sim, 1099);
    assert_int_equal(sim.sent_count, 64);
    sim_until(&sim, 1100);
    assert_int_equal(sim.sent_count, 128);
    sim_until(&sim, 1200);
    assert_int_equal(sim.sent_count, 192);
    sim.hold = false;
    sim_release(&sim);
    sim_until(&sim, 1201);
    assert_int_equal(sim.sent_count, 200);
    assert_true(router_idle(sim.router));
    sim_until(&sim, 40000); /* nobody is told twice */
    assert_int_equal(sim.sent_count, 200);
    sim_close(&sim);
}

static void an_answer_makes_room_for_one_more_page_and_not_for_sixty_four(void **state)
{
    (void)state;
    sim_open(&sim, ROUTES);
    sim.hold = true;
    fire_groups(200);
    sim_until(&sim, 1050);
    sim.held_count = 10; /* ten answers, the others never come */
    sim_release(&sim);
    sim_until(&sim, 1149);
    assert_int_equal(sim.sent_count, 74);
    sim_close(&sim);
}

static void one_slow_integration_keeps_no_other_waiting(void **state)
{
    (void)state;
    sim_open(&sim, "route: {receiver: a, group_by: [n], group_wait: 1s, group_interval: 30s}\n"
                   "receivers: [{name: a, webhook_configs: [{url: 'http://a'}, {url: 'http://b'}]}]\n");
    sim.hold = true;
    fire_groups(100);
    sim_until(&sim, 1000);
    size_t first = 0;
    for (size_t i = 0; i < sim.sent_count; i++)
        first += strcmp(sim.sent[i].url, "http://a") == 0;
    assert_int_equal(first, 64);
    assert_int_equal(sim.sent_count, 128);
    sim_close(&sim);
}

static void what_fails_makes_room_too(void **state)
{
    (void)state;
    sim_open(&sim, ROUTES);
    sim.status = 400;
    fire_groups(150);
    sim_until(&sim, 1000);
    assert_int_equal(sim.sent_count, 150);
    assert_true(metric_is(
        "alertmanager_notifications_failed_total{integration=\"webhook\",reason=\"clientError\"} 150\n"));
    sim_close(&sim);
}

static void a_storm_is_in_the_log_afterwards(void **state)
{
    (void)state;
    sim_open(&sim, ROUTES);
    fire_groups(300);
    sim_until(&sim, 1000);
    assert_int_equal(sim.sent_count, 300);
    router_close(sim.router);
    sim_start(&sim, ROUTES);
    sim_forget(&sim);
    fire_groups(301);
    sim_until(&sim, 3000);
    sim_expect(&sim, "2000 a first notification: +300\n");
    sim_close(&sim);
}

/* ---- alerts ---- */

static void of_one_alertname_only_so_many_fire(void **state)
{
    (void)state;
    start_with((struct router_options){.alerts_per_name = 2});
    sim_fire(&sim, "alertname=x i=1");
    sim_post_alert(&sim, (struct sim_alert){.labels = "alertname=x i=2", .ends_ms = 60000});
    sim_fire(&sim, "alertname=x i=3");
    sim_fire(&sim, "alertname=y i=3");
    assert_true(metric_is("alertmanager_alerts{state=\"active\"} 3\n"));
    assert_true(metric_is("alertmanager_alerts_limited_total 1\n"));
    sim_fire(&sim, "alertname=x i=1"); /* those that are known are told of as ever */
    assert_true(metric_is("alertmanager_alerts_limited_total 1\n"));
    sim_until(&sim, 60000);
    sim_fire(&sim, "alertname=x i=3"); /* the second has ended */
    assert_true(metric_is("alertmanager_alerts_limited_total 1\n"));
    assert_true(metric_is("alertmanager_alerts{state=\"active\"} 3\n"));
    sim_close(&sim);
}

static void an_end_that_is_posted_makes_room_for_its_namesakes(void **state)
{
    (void)state;
    start_with((struct router_options){.alerts_per_name = 1});
    sim_fire(&sim, "alertname=x i=1");
    sim_until(&sim, 500);
    sim_resolve(&sim, "alertname=x i=2", 0); /* of an alert that was never let in: no harm */
    sim_fire(&sim, "alertname=x i=2");
    assert_true(metric_is("alertmanager_alerts_limited_total 1\n"));
    sim_resolve(&sim, "alertname=x i=1", 0);
    sim_fire(&sim, "alertname=x i=2");
    assert_true(metric_is("alertmanager_alerts_limited_total 1\n"));
    sim_until(&sim, 2 * 3600 * 1000); /* what has ended is forgotten, what fires still counts */
    sim_fire(&sim, "alertname=x i=3");
    assert_true(metric_is("alertmanager_alerts_limited_total 2\n"));
    sim_close(&sim);
}

static void alerts_have_so_many_bytes_and_may_end_all_the_same(void **state)
{
    (void)state;
    int64_t before = limits.alert_bytes;
    uint64_t hits = limit_hits(LIMIT_alert_bytes);
    struct buf errors;
    buf_init(&errors, 4096);
    limits.alert_bytes = 600;
    sim_open(&sim, ROUTES);
    sim_fire(&sim, "n=x");
    struct sim_alert more = {.labels = "n=y", .annotations = "long=text", .ends_ms = 900000};
    while (sim_post_errors(&sim, more, &errors) == 0)
        more.labels = str_is(str_of(more.labels), "n=y") ? "n=z" : "n=w";
    assert_string_equal(buf_text(&errors), "the alerts take too much memory: limits.alert_bytes");
    assert_int_equal(limit_hits(LIMIT_alert_bytes), hits + 1);
    buf_clear(&errors);
    struct sim_alert longer = {.labels = "n=x",
                               .annotations = "what=grows-beyond-what-there-is-room-for-"
                                              "because-it-is-long-enough-to-pass-the-"
                                              "limit-by-itself-and-no-doubt-about-it-"
                                              "for-it-takes-a-good-deal-of-text-to-do-"
                                              "so-where-six-hundred-bytes-are-allowed-"
                                              "in-all-and-one-alert-has-three-hundred"};
    assert_int_equal(sim_post_errors(&sim, longer, &errors), ERR_LIMIT);
    sim_until(&sim, 1000);
    sim_resolve(&sim, "n=x", 0);
    sim_until(&sim, 2 * 3600 * 1000); /* by then the ended ones have been collected */
    assert_true(metric_is("alertmanager_alerts{state=\"active\"} 0\n"));
    sim_fire(&sim, "n=new");
    buf_release(&errors);
    sim_close(&sim);
    limits.alert_bytes = before;
}

static void what_an_earlier_process_let_in_counts_among_its_namesakes(void **state)
{
    (void)state;
    start_with((struct router_options){.alerts_per_name = 2});
    sim_post_alert(&sim, (struct sim_alert){.labels = "alertname=x i=1", .ends_ms = 60000});
    sim_fire(&sim, "alertname=x i=2");
    start_again_with((struct router_options){.alerts_per_name = 2});
    sim_fire(&sim, "alertname=x i=3");
    assert_true(metric_is("alertmanager_alerts_limited_total 1\n"));
    sim_until(&sim, 60000);
    sim_fire(&sim, "alertname=x i=3"); /* the first has ended */
    assert_true(metric_is("alertmanager_alerts_limited_total 1\n"));
    sim_close(&sim);
}

static void what_an_earlier_process_let_in_takes_its_room(void **state)
{
    (void)state;
    int64_t before = limits.alert_bytes;
    struct buf errors;
    buf_init(&errors, 4096);
    limits.alert_bytes = 600;
    sim_open(&sim, ROUTES);
    sim_fire(&sim, "n=x");
    struct sim_alert more = {.labels = "n=y", .annotations = "long=text", .ends_ms = 900000};
    while (sim_post_errors(&sim, more, &errors) == 0)
        more.labels = str_is(str_of(more.labels), "n=y") ? "n=z" : "n=w";
    start_again_with((struct router_options){0});
    assert_int_equal(sim_post_errors(&sim, more, &errors), ERR_LIMIT);
    assert_int_equal(sim_post_errors(&sim, (struct sim_alert){.labels = "n=x", .ends_ms = 1}, &errors), 0);
    buf_release(&errors);
    sim_close(&sim);
    limits.alert_bytes = before;
}

/* ---- beginnings and ends ---- */

static void after_a_start_with_a_delay_nothing_is_told_before_its_time(void **state)
{
    (void)state;
    start_with((struct router_options){.start_delay_ms = 5000});
    sim_post_alert(&sim, (struct sim_alert){.labels = "n=old", .starts_ms = -60000, .ends_ms = 900000});
    sim_until(&sim, 4900);
    sim_fire(&sim, "n=new");
    sim_until(&sim, 6000);
    sim_expect(&sim, "5000 a first notification: +old\n5900 a first notification: +new\n");
    sim_close(&sim);
}

static void a_delay_holds_for_groups_of_an_earlier_process_too(void **state)
{
    (void)state;
    start_with((struct router_options){0});
    sim_fire(&sim, "n=x");
    sim_until(&sim, 2000);
    sim_fire(&sim, "n=x i=2");
    sim_fire(&sim, "n=y");
    sim.world.now_ns = sim_at(32000);
    start_again_with((struct router_options){.start_delay_ms = 5000});
    sim_until(&sim, 36999);
    sim_expect(&sim, "1000 a first notification: +x\n");
    sim_until(&sim, 37000);
    assert_int_equal(sim.sent_count, 3);
    sim_close(&sim);
}

static void count_owed(void *context, const struct nflog_entry *entry)
{
    *(size_t *)context += entry->owed_count;
}

static size_t owed_while_under_way(struct router_contracts contracts)
{
    size_t owed = 0;
    start_with((struct router_options){.contracts = contracts});
    sim.hold = true;
    sim_fire(&sim, "n=x i=1");
    sim_fire(&sim, "n=x i=2");
    sim_fire(&sim, "n=y");
    sim_until(&sim, 1000);
    assert_int_equal(sim.sent_count, 2);
    assert_int_equal(state_nflog_each(sim.state, count_owed, &owed, NULL), 0);
    sim_close(&sim);
    return owed;
}

static void what_may_have_been_told_is_noted_where_its_end_is_promised(void **state)
{
    (void)state;
    assert_int_equal(owed_while_under_way((struct router_contracts){.opened_is_closed = true}), 3);
    assert_int_equal(owed_while_under_way((struct router_contracts){.no_lost_page = true}), 0);
}

static void the_log_remembers_for_as_long_as_it_was_told(void **state)
{
    (void)state;
    start_with((struct router_options){.retention_ms = 60000});
    sim_fire(&sim, "n=x");
    sim_until(&sim, 62000); /* repeat_interval is an hour, but by then nothing is known of the first */
    sim_expect(&sim, "1000 a first notification: +x\n61000 a first notification: +x\n");
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_integration_gets_some_pages_at_a_time_and_more_when_it_is_slow),
        cmocka_unit_test(an_answer_makes_room_for_one_more_page_and_not_for_sixty_four),
        cmocka_unit_test(one_slow_integration_keeps_no_other_waiting),
        cmocka_unit_test(what_fails_makes_room_too),
        cmocka_unit_test(a_storm_is_in_the_log_afterwards),
        cmocka_unit_test(of_one_alertname_only_so_many_fire),
        cmocka_unit_test(an_end_that_is_posted_makes_room_for_its_namesakes),
        cmocka_unit_test(alerts_have_so_many_bytes_and_may_end_all_the_same),
        cmocka_unit_test(what_an_earlier_process_let_in_counts_among_its_namesakes),
        cmocka_unit_test(what_an_earlier_process_let_in_takes_its_room),
        cmocka_unit_test(after_a_start_with_a_delay_nothing_is_told_before_its_time),
        cmocka_unit_test(a_delay_holds_for_groups_of_an_earlier_process_too),
        cmocka_unit_test(what_may_have_been_told_is_noted_where_its_end_is_promised),
        cmocka_unit_test(the_log_remembers_for_as_long_as_it_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
