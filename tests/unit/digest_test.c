/* Storms: pages beyond so many a minute are told in one, and nobody who is in it is lost. */
#include "router_sim.h"

#include "tocsin/limits.h"

static struct sim sim;

#define ROUTES                                                                                        \
    "route: {receiver: a, group_by: [n], group_wait: 1s, group_interval: 10s, repeat_interval: 1h}\n" \
    "receivers: [{name: a, webhook_configs: [{url: 'http://a'}]}]\n"
#define STORM "\"alertname\":\"AlertStorm\""

static const struct str never[] = {{"severity=page", 13}};

static void open_router(const char *config, int64_t pages)
{
    struct err err = {0};
    struct router_options options = {.world = &sim.world.world,
                                     .state = sim.state,
                                     .external_url = STR("http://am"),
                                     .paged = sim_paged,
                                     .context = &sim,
                                     .storm = {pages, never, 1},
                                     .contracts = {.opened_is_closed = true, .no_lost_page = true}};
    if (router_open(&options, sim_config(&sim, config), &sim.router, &err) != 0)
        fail_msg("%s", err.text);
}

static void start(const char *config, int64_t pages)
{
    sim_open(&sim, NULL);
    open_router(config, pages);
}

static void start_again(int64_t pages)
{
    router_close(sim.router);
    sim.held_count = 0;
    open_router(ROUTES, pages);
}

static void fire(size_t from, size_t to, const char *more)
{
    for (size_t i = from; i < to; i++) {
        char labels[64];
        snprintf(labels, sizeof labels, "alertname=A n=%zu%s", i, more);
        sim_fire(&sim, labels);
    }
}

static void end(size_t from, size_t to, const char *more)
{
    for (size_t i = from; i < to; i++) {
        char labels[64];
        snprintf(labels, sizeof labels, "alertname=A n=%zu%s", i, more);
        sim_resolve(&sim, labels, 0);
    }
}

static const char *last_body(void)
{
    assert_true(sim.sent_count > 0);
    return sim.sent[sim.sent_count - 1].body;
}

static size_t digests(void)
{
    size_t count = 0;
    for (size_t i = 0; i < sim.sent_count; i++)
        count += strstr(sim.sent[i].body, STORM) != NULL;
    return count;
}

static void expect_last(const char *status, const char *words)
{
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\"status\":\"%s\",\"alerts\":[", status);
    if (strstr(last_body(), STORM) == NULL || strstr(last_body(), wanted) == NULL ||
        strstr(last_body(), words) == NULL)
        fail_msg("no %s digest with \"%s\": %s", status, words, last_body());
}

struct logged {
    size_t groups, alerts;
};

static void count_logged(void *context, const struct nflog_entry *entry)
{
    struct logged *logged = context;
    if (str_starts(entry->key, STR("{}/storm:")))
        return;
    logged->groups += entry->firing_count > 0;
    logged->alerts += entry->firing_count;
}

/* What the log of groups on disk calls told. */
static struct logged logged(void)
{
    struct logged logged = {0};
    assert_int_equal(state_nflog_each(sim.state, count_logged, &logged, NULL), 0);
    return logged;
}

/* ---- the storm itself ---- */

enum { MANY = 5000, PAGES = 100, STEPS = 100 };

static void five_thousand_alerts_in_ten_seconds_are_some_pages_and_one_digest(void **state)
{
    (void)state;
    start(ROUTES, PAGES);
    for (int i = 0; i < STEPS; i++) {
        sim_until(&sim, i * 100);
        fire((size_t)i * MANY / STEPS, (size_t)(i + 1) * MANY / STEPS, "");
    }
    sim_until(&sim, 60000);
    assert_int_equal(sim.sent_count, PAGES + 1);
    assert_int_equal(digests(), 1);
    expect_last("firing", "Storm: 4900 alerts fire and 0 ended, in 4900 groups; 4900 in all still fire");
    assert_non_null(strstr(last_body(), "By name: A 4900"));
    assert_non_null(strstr(last_body(), "- and 4850 more: http://am/#/alerts?receiver=a"));
    assert_int_equal(logged().groups, MANY);
    sim_forget(&sim);

    sim_until(&sim, 120000);
    end(0, MANY, "");
    sim_until(&sim, 180000);
    assert_int_equal(digests(), 1);
    assert_int_equal(sim.sent_count, PAGES + 1); /* who was paged by itself hears so by itself */
    expect_last("resolved", "Storm: 0 alerts fire and 4900 ended, in 4900 groups; 0 in all still fire");
    assert_int_equal(logged().alerts, 0);
    sim_until(&sim, 2 * 3600 * 1000);
    assert_int_equal(sim.sent_count, PAGES + 1);
    sim_close(&sim);
}

static void below_the_bound_nothing_waits(void **state)
{
    (void)state;
    start(ROUTES, 3);
    fire(0, 3, "");
    sim_until(&sim, 1000);
    assert_int_equal(sim.sent_count, 3);
    sim_until(&sim, 61000);
    fire(3, 6, ""); /* in the next minute */
    sim_until(&sim, 62000);
    assert_int_equal(sim.sent_count, 6);
    assert_int_equal(digests(), 0);
    sim_close(&sim);
}

static void one_page_too_many_is_late_and_no_digest(void **state)
{
    (void)state;
    start(ROUTES, 1);
    fire(0, 2, "");
    sim_until(&sim, 30000);
    sim_expect(&sim, "1000 a first notification: +A,0\n16000 a first notification: +A,1\n");
    sim_forget(&sim);
    end(0, 2, "");
    sim_until(&sim, 60000);
    assert_int_equal(sim.sent_count, 2);
    assert_int_equal(digests(), 0);
    sim_close(&sim);
}

static void without_a_bound_there_are_no_digests(void **state)
{
    (void)state;
    start(ROUTES, 0);
    fire(0, 400, "");
    sim_until(&sim, 1000);
    assert_int_equal(sim.sent_count, 400);
    assert_int_equal(digests(), 0);
    sim_close(&sim);
}

static void a_page_for_somebody_s_bed_never_waits(void **state)
{
    (void)state;
    start(ROUTES, 2);
    fire(0, 4, "");
    fire(10, 20, " severity=page");
    sim_until(&sim, 1000);
    assert_int_equal(sim.sent_count, 12);
    sim_until(&sim, 16000);
    expect_last("firing", "Storm: 2 alerts fire and 0 ended, in 2 groups");
    sim_until(&sim, 30000);
    sim_forget(&sim);
    end(10, 20, " severity=page");
    sim_until(&sim, 41000);
    assert_int_equal(sim.sent_count, 10);
    assert_int_equal(digests(), 0);
    sim_close(&sim);
}

/* ---- groups of a digest ---- */

static void a_group_of_a_digest_is_told_of_in_digests_until_it_has_ended(void **state)
{
    (void)state;
    start(ROUTES, 1);
    fire(0, 3, "");
    sim_until(&sim, 20000);
    assert_int_equal(sim.sent_count, 2);
    sim_until(&sim, 100000);
    fire(2, 3, " i=2"); /* the storm is long over, but its incident has this group */
    sim_until(&sim, 130000);
    assert_int_equal(sim.sent_count, 3);
    expect_last("firing", "; 3 in all still fire");
    end(1, 3, "");
    sim_until(&sim, 160000);
    assert_int_equal(sim.sent_count, 4);
    expect_last("firing", "ended, in 2 groups; 1 in all still fire");
    end(2, 3, " i=2");
    sim_until(&sim, 190000);
    assert_int_equal(sim.sent_count, 5);
    expect_last("resolved", "; 0 in all still fire");
    sim_forget(&sim);
    fire(2, 3, "");
    sim_until(&sim, 192000);
    sim_expect(&sim, "191000 a first notification: +A,2\n");
    sim_close(&sim);
}

static void the_end_of_what_was_paged_by_itself_never_waits(void **state)
{
    (void)state;
    start(ROUTES, 1);
    fire(0, 1, "");
    sim_until(&sim, 70000);
    fire(1, 4, "");
    sim_until(&sim, 90000);
    assert_int_equal(sim.sent_count, 3);
    assert_int_equal(digests(), 1);
    sim_forget(&sim);
    end(0, 1, "");
    sim_until(&sim, 101000);
    sim_expect(&sim, "91000 a all alerts resolved: -A,0\n");
    sim_close(&sim);
}

static void repeats_of_a_storm_are_one_digest(void **state)
{
    (void)state;
    start(ROUTES, 1);
    fire(0, 50, "");
    sim_until(&sim, 3500 * 1000);
    assert_int_equal(sim.sent_count, 2);
    sim_until(&sim, 3700 * 1000);
    assert_int_equal(sim.sent_count, 4);
    assert_int_equal(digests(), 2);
    expect_last("firing", "Storm: 49 alerts fire and 0 ended, in 49 groups; 49 in all still fire");
    sim_close(&sim);
}

static void what_is_told_in_a_digest_counts_as_a_page_of_each_group(void **state)
{
    (void)state;
    start(ROUTES, 1);
    fire(0, 3, "");
    sim_until(&sim, 20000);
    assert_string_equal(buf_text(&sim.pages),
                        "1000 delivered a 1 200 f1 r0 first notification\n"
                        "16000 delivered a 1 200 f1 r0 first notification: in a digest\n"
                        "16000 delivered a 1 200 f1 r0 first notification: in a digest\n");
    sim_close(&sim);
}

/* ---- what can go wrong ---- */

static void a_digest_that_is_refused_is_taken_apart(void **state)
{
    (void)state;
    start(ROUTES, 1);
    fire(0, 5, "");
    sim_until(&sim, 15000);
    assert_int_equal(sim.sent_count, 1);
    sim.status = 400;
    sim.hold = true;
    sim_until(&sim, 16000);
    assert_int_equal(sim.sent_count, 2);
    sim_release(&sim);
    sim.status = 200;
    sim.hold = false;
    sim_until(&sim, 17000);
    assert_int_equal(sim.sent_count, 6);
    assert_int_equal(digests(), 1);
    assert_int_equal(logged().groups, 5);
    sim_forget(&sim);
    end(0, 5, "");
    sim_until(&sim, 40000);
    assert_int_equal(sim.sent_count, 5);
    assert_int_equal(digests(), 0);
    sim_close(&sim);
}

static void an_outage_delays_a_digest_and_loses_nobody(void **state)
{
    (void)state;
    start(ROUTES, 1);
    sim.status = 503;
    fire(0, 40, "");
    sim_until(&sim, 10 * 60000);
    assert_int_equal(logged().groups, 0);
    sim.status = 200;
    sim_until(&sim, 12 * 60000);
    assert_int_equal(logged().groups, 40);
    sim_forget(&sim);
    end(0, 40, "");
    sim_until(&sim, 15 * 60000);
    assert_int_equal(logged().alerts, 0);
    sim_close(&sim);
}

static void a_digest_waits_for_the_one_before(void **state)
{
    (void)state;
    start(ROUTES, 1);
    fire(0, 5, "");
    sim_until(&sim, 15000);
    sim.hold = true;
    sim_until(&sim, 16000);
    fire(5, 10, "");
    sim_until(&sim, 45000);
    assert_int_equal(digests(), 1);
    sim.hold = false;
    sim_release(&sim);
    sim_until(&sim, 47000);
    assert_int_equal(digests(), 2);
    expect_last("firing", "Storm: 5 alerts fire and 0 ended, in 5 groups; 9 in all still fire");
    sim_close(&sim);
}

static void what_fired_and_ended_while_nobody_listened_is_told_late(void **state)
{
    (void)state;
    start(ROUTES, 1);
    sim.status = 503;
    fire(0, 40, "");
    sim_until(&sim, 100000);
    end(0, 40, "");
    sim_until(&sim, 200000);
    sim_forget(&sim);
    sim.status = 200;
    sim_until(&sim, 400000);
    assert_true(sim.sent_count <= 8);
    size_t told = 0;
    for (size_t i = 0; i < sim.sent_count; i++) {
        const char *words = strstr(sim.sent[i].body, "Storm: 0 alerts fire and ");
        told += words != NULL ? strtoul(words + strlen("Storm: 0 alerts fire and "), NULL, 10) : 1;
    }
    assert_int_equal(told, 40);
    sim_until(&sim, 3600000);
    assert_true(sim.sent_count <= 8);
    sim_close(&sim);
}

static void those_that_wait_are_told_after_a_restart(void **state)
{
    (void)state;
    start(ROUTES, 1);
    fire(0, 10, "");
    sim_until(&sim, 5000);
    assert_int_equal(sim.sent_count, 1);
    start_again(100);
    sim_until(&sim, 6000);
    assert_int_equal(sim.sent_count, 10);
    assert_int_equal(digests(), 0);
    sim_close(&sim);
}

static void a_restart_while_the_digest_is_under_way_loses_no_end(void **state)
{
    (void)state;
    start(ROUTES, 1);
    fire(0, 10, "");
    sim_until(&sim, 15000);
    sim.hold = true;
    sim_until(&sim, 16000);
    assert_int_equal(digests(), 1);
    end(0, 10, "");
    sim.hold = false;
    start_again(100);
    sim_forget(&sim);
    sim_until(&sim, 40000);
    assert_int_equal(sim.sent_count, 10);
    sim_close(&sim);
}

static void the_storm_is_closed_after_a_restart(void **state)
{
    (void)state;
    start(ROUTES, 1);
    fire(0, 10, "");
    sim_until(&sim, 20000);
    assert_int_equal(digests(), 1);
    start_again(1);
    sim_forget(&sim);
    end(0, 10, "");
    sim_until(&sim, 60000);
    assert_int_equal(sim.sent_count, 2);
    expect_last("resolved", "; 0 in all still fire");
    sim_close(&sim);
}

/* The digest's incident is another than those of its groups: all that is opened is closed, under the same key. */
static void incidents_are_opened_and_closed_under_one_key(void **state)
{
    (void)state;
    start("route: {receiver: a, group_by: [n], group_wait: 1s, group_interval: 10s, repeat_interval: 1h}\n"
          "receivers: [{name: a, pagerduty_configs: [{routing_key: k, url: 'http://p'}]}]\n",
          2);
    fire(0, 6, "");
    sim_until(&sim, 20000);
    assert_int_equal(sim.sent_count, 3);
    char keys[3][80];
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(strstr(sim.sent[i].body, "\"event_action\":\"trigger\""));
        snprintf(keys[i], sizeof keys[i], "%.64s", strstr(sim.sent[i].body, "\"dedup_key\":\"") + 13);
    }
    sim_forget(&sim);
    end(0, 6, "");
    sim_until(&sim, 60000);
    assert_int_equal(sim.sent_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(strstr(sim.sent[i].body, "\"event_action\":\"resolve\""));
        size_t k = 0;
        while (k < 3 && strstr(sim.sent[i].body, keys[k]) == NULL)
            k++;
        assert_true(k < 3);
        keys[k][0] = '-'; /* each once */
    }
    sim_close(&sim);
}

static void a_storm_whose_alerts_go_elsewhere_is_closed_all_the_same(void **state)
{
    (void)state;
    start(ROUTES, 1);
    fire(0, 5, "");
    sim_until(&sim, 20000);
    router_reload(sim.router,
                  sim_config(&sim,
                             "route: {receiver: b, group_wait: 1s, group_interval: 10s, routes: "
                             "[{receiver: a, matchers: [x=y]}]}\n"
                             "receivers: [{name: a, webhook_configs: [{url: 'http://a'}]}, {name: b}]\n"));
    sim_until(&sim, 40000);
    sim_forget(&sim);
    end(0, 5, "");
    sim_until(&sim, 600000);
    assert_int_equal(digests() >= 1, 1);
    bool closed = false;
    for (size_t i = 0; i < sim.sent_count; i++)
        closed = closed || (strstr(sim.sent[i].body, STORM) != NULL &&
                            strstr(sim.sent[i].body, "\"status\":\"resolved\",\"alerts\":[") != NULL);
    assert_true(closed);
    assert_int_equal(logged().alerts, 0);
    sim_close(&sim);
}

static void what_waits_and_what_is_under_way_goes_with_the_router(void **state)
{
    (void)state;
    start(ROUTES, 1);
    fire(0, 5, "");
    sim_until(&sim, 15000);
    sim.hold = true;
    sim_until(&sim, 16000);
    fire(5, 9, "");
    sim_until(&sim, 18000);
    router_reload(sim.router, sim_config(&sim, "route: {receiver: b}\nreceivers: [{name: b}]\n"));
    sim_close(&sim);
    start(ROUTES, 1);
    fire(0, 5, "");
    sim_until(&sim, 5000);
    sim_close(&sim);
}

static void matchers_that_do_not_parse_are_refused(void **state)
{
    (void)state;
    struct err err = {0};
    static const struct str bad[] = {{"=", 1}};
    start(ROUTES, 1);
    assert_int_equal(router_set_storm(sim.router, &(struct router_storm){1, bad, 1}, &err), ERR_PARSE);
    assert_int_equal(router_set_storm(sim.router, &(struct router_storm){.pages_per_minute = 0}, &err), 0);
    fire(0, 5, " severity=x");
    sim_until(&sim, 1000);
    assert_int_equal(sim.sent_count, 5);
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_thousand_alerts_in_ten_seconds_are_some_pages_and_one_digest),
        cmocka_unit_test(below_the_bound_nothing_waits),
        cmocka_unit_test(one_page_too_many_is_late_and_no_digest),
        cmocka_unit_test(without_a_bound_there_are_no_digests),
        cmocka_unit_test(a_page_for_somebody_s_bed_never_waits),
        cmocka_unit_test(a_group_of_a_digest_is_told_of_in_digests_until_it_has_ended),
        cmocka_unit_test(the_end_of_what_was_paged_by_itself_never_waits),
        cmocka_unit_test(repeats_of_a_storm_are_one_digest),
        cmocka_unit_test(what_is_told_in_a_digest_counts_as_a_page_of_each_group),
        cmocka_unit_test(a_digest_that_is_refused_is_taken_apart),
        cmocka_unit_test(an_outage_delays_a_digest_and_loses_nobody),
        cmocka_unit_test(a_digest_waits_for_the_one_before),
        cmocka_unit_test(what_fired_and_ended_while_nobody_listened_is_told_late),
        cmocka_unit_test(those_that_wait_are_told_after_a_restart),
        cmocka_unit_test(a_restart_while_the_digest_is_under_way_loses_no_end),
        cmocka_unit_test(the_storm_is_closed_after_a_restart),
        cmocka_unit_test(incidents_are_opened_and_closed_under_one_key),
        cmocka_unit_test(a_storm_whose_alerts_go_elsewhere_is_closed_all_the_same),
        cmocka_unit_test(what_waits_and_what_is_under_way_goes_with_the_router),
        cmocka_unit_test(matchers_that_do_not_parse_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
