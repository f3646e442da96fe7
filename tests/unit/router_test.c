#include "router_sim.h"

#include "tocsin/limits.h"

#include <pthread.h>
#include <stdatomic.h>

static struct sim sim;

#define HOOK(name) "{name: " name ", webhook_configs: [{url: 'http://" name "'}]}"
#define SIMPLE                                                                                        \
    "route: {receiver: a, group_by: [n], group_wait: 5s, group_interval: 30s, repeat_interval: 1h}\n" \
    "receivers: [" HOOK("a") "]\n"

static void a_group_waits_then_ticks(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim_fire(&sim, "n=x i=1");
    assert_int_equal(router_run(sim.router, sim.world.now_ns), sim_at(5000));
    sim_until(&sim, 4999);
    sim_expect(&sim, "");
    sim_fire(&sim, "n=x i=2");
    sim_until(&sim, 6000);
    sim_fire(&sim, "n=x i=3");
    sim_until(&sim, 34999);
    sim_expect(&sim, "5000 a first notification: +1,x +2,x\n");
    sim_until(&sim, 95000);
    sim_expect(&sim, "5000 a first notification: +1,x +2,x\n"
                     "35000 a new alerts added: +1,x +2,x +3,x\n");
    sim_close(&sim);
}

static void an_old_alert_does_not_wait_for_company(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim_post_alert(&sim, (struct sim_alert){.labels = "n=x", .starts_ms = -5001, .ends_ms = 1000000});
    sim_post_alert(&sim, (struct sim_alert){.labels = "n=y", .starts_ms = -5000, .ends_ms = 1000000});
    sim_until(&sim, 0);
    sim_expect(&sim, "0 a first notification: +x\n");
    sim_until(&sim, 5000);
    sim_expect(&sim, "0 a first notification: +x\n5000 a first notification: +y\n");
    sim_close(&sim);
}

static void a_repeat_comes_one_tick_after_its_interval(void **state)
{
    (void)state;
    sim_open(&sim, "route: {receiver: a, group_wait: 0s, group_interval: 10s, repeat_interval: 30s}\n"
                   "receivers: [" HOOK("a") "]\n");
    sim_fire(&sim, "n=x");
    sim_until(&sim, 85000);
    sim_expect(&sim, "0 a first notification: +x\n"
                     "40000 a repeat interval elapsed: +x\n"
                     "80000 a repeat interval elapsed: +x\n");
    sim_close(&sim);
}

static void an_end_is_told_once_and_the_group_goes(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim_fire(&sim, "n=x");
    sim_until(&sim, 6000);
    sim_resolve(&sim, "n=x", 0);
    sim_until(&sim, 35000);
    sim_resolve(&sim, "n=x", 0);
    sim_until(&sim, 300000);
    sim_expect(&sim, "5000 a first notification: +x\n"
                     "35000 a all alerts resolved: -x\n");
    assert_int_equal(router_run(sim.router, sim.world.now_ns), INT64_MAX);
    sim_close(&sim);
}

static void an_alert_that_ends_before_the_first_flush_is_never_told(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim_fire(&sim, "n=x");
    sim_until(&sim, 2000);
    sim_resolve(&sim, "n=x", 0);
    sim_until(&sim, 100000);
    sim_expect(&sim, "");
    sim_close(&sim);
}

static void silence_of_the_sender_ends_an_alert_at_its_end(void **state)
{
    (void)state;
    sim_open(&sim, "global: {resolve_timeout: 20s}\n" SIMPLE);
    sim_post_alert(&sim, (struct sim_alert){.labels = "n=x", .starts_ms = 0});
    sim_until(&sim, 34000);
    sim_expect(&sim, "5000 a first notification: +x\n");
    sim_until(&sim, 35000);
    sim_expect(&sim, "5000 a first notification: +x\n35000 a all alerts resolved: -x\n");
    assert_non_null(strstr(sim.sent[1].body, "\"endsAt\":\"2026-11-22T06:00:20Z\""));
    sim_close(&sim);
}

static void continue_puts_an_alert_into_several_groups(void **state)
{
    (void)state;
    sim_open(&sim, "route:\n"
                   "  receiver: a\n"
                   "  group_wait: 1s\n"
                   "  routes:\n"
                   "  - {receiver: b, matchers: [n=~x.*], continue: true, group_by: ['...']}\n"
                   "  - {receiver: c, matchers: [n=xy], group_by: [m]}\n"
                   "  - {receiver: d, matchers: [n=xy]}\n"
                   "receivers: [" HOOK("a") "," HOOK("b") "," HOOK("c") "," HOOK("d") "]\n");
    sim_fire(&sim, "n=xy m=1");
    sim_fire(&sim, "n=z");
    sim_until(&sim, 1000);
    sim_expect(&sim, "1000 b first notification: +1,xy\n"
                     "1000 c first notification: +1,xy\n"
                     "1000 a first notification: +z\n");
    assert_non_null(
        strstr(sim.sent[0].body, "\"groupKey\":\"{}/{n=~\\\"x.*\\\"}:{m=\\\"1\\\", n=\\\"xy\\\"}\""));
    assert_non_null(strstr(sim.sent[1].body, "\"groupKey\":\"{}/{n=\\\"xy\\\"}:{m=\\\"1\\\"}\""));
    sim_close(&sim);
}

static void alerts_are_listed_by_job_then_instance_then_the_rest(void **state)
{
    (void)state;
    sim_open(&sim, "route: {receiver: a, group_wait: 1s}\nreceivers: [" HOOK("a") "]\n");
    sim_fire(&sim, "z=1");
    sim_fire(&sim, "a=1 b=1");
    sim_fire(&sim, "instance=2");
    sim_fire(&sim, "job=j2 instance=1");
    sim_fire(&sim, "job=j1");
    sim_fire(&sim, "job=j1 instance=2");
    sim_fire(&sim, "job=j1 instance=1 a=1");
    sim_fire(&sim, "job=j1 instance=1 b=1");
    sim_fire(&sim, "a=2");
    sim_until(&sim, 1000);
    sim_expect(&sim, "1000 a first notification: +1,1,j1 +1,1,j1 +2,j1 +j1 +1,j2 +2 +1 +2 +1,1\n");
    sim_close(&sim);
}

static void a_refusal_that_may_pass_is_tried_again_with_growing_pauses(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim.status = 503;
    sim.answer = "busy";
    sim_fire(&sim, "n=x");
    sim_until(&sim, 34999);
    assert_true(sim.sent_count > 5);
    assert_int_equal(sim.sent[0].at_ms, 5000);
    int64_t low = 250, high = 750;
    for (size_t i = 1; i < sim.sent_count; i++) {
        int64_t pause = sim.sent[i].at_ms - sim.sent[i - 1].at_ms;
        assert_in_range(pause, low - 1, high + 1);
        low = low * 3 / 2 - 1;
        high = high * 3 / 2 + 1;
    }
    assert_non_null(
        strstr(buf_text(&sim.pages),
               "5000 retrying a 1 503 f1 r0 first notification: unexpected status code 503: busy\n"));
    assert_non_null(strstr(buf_text(&sim.pages), " failed a "));
    sim.status = 200;
    sim_forget(&sim);
    sim_until(&sim, 65000);
    sim_expect(&sim, "35000 a first notification: +x\n");
    assert_string_equal(buf_text(&sim.pages), "35000 delivered a 1 200 f1 r0 first notification\n");
    sim_close(&sim);
}

static void a_refusal_that_stays_is_not_tried_before_the_next_tick(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim.status = 404;
    sim_fire(&sim, "n=x");
    sim_until(&sim, 40000);
    sim_expect(&sim, "5000 a first notification: +x\n35000 a first notification: +x\n");
    assert_string_equal(buf_text(&sim.pages),
                        "5000 failed a 1 404 f1 r0 first notification: unexpected status code 404: \n"
                        "35000 failed a 1 404 f1 r0 first notification: unexpected status code 404: \n");
    sim_close(&sim);
}

static void too_many_requests_is_tried_again_when_the_receiver_says(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim.status = 429;
    sim.retry_after_ms = 7000;
    sim_fire(&sim, "n=x");
    sim_until(&sim, 5000);
    sim.status = 200;
    sim_until(&sim, 30000);
    sim_expect(&sim, "5000 a first notification: +x\n12000 a first notification: +x\n");
    sim_close(&sim);
}

static void one_dead_integration_does_not_disturb_the_other(void **state)
{
    (void)state;
    sim_open(
        &sim,
        "route: {receiver: a, group_wait: 1s, group_interval: 10s}\n"
        "receivers: [{name: a, webhook_configs: [{url: 'http://bad/{{ .Nope }}'}, {url: http://good}]}]\n");
    sim_fire(&sim, "n=x");
    sim_until(&sim, 31000);
    sim_expect(&sim, "1000 good first notification: +x\n");
    sim_resolve(&sim, "n=x", 0);
    sim_until(&sim, 61000);
    sim_expect(&sim, "1000 good first notification: +x\n41000 good all alerts resolved: -x\n");
    sim_close(&sim);
}

static void a_network_that_is_full_is_tried_again(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim.refuse = ERR_FULL;
    sim_fire(&sim, "n=x");
    sim_until(&sim, 5000);
    sim.refuse = 0;
    sim_until(&sim, 6000);
    assert_int_equal(sim.sent_count, 1);
    assert_non_null(
        strstr(buf_text(&sim.pages), "retrying a 1 0 f1 r0 first notification: too many requests"));
    sim_close(&sim);
}

static void a_flush_that_outlasts_its_tick_is_followed_by_the_next_at_once(void **state)
{
    (void)state;
    sim_open(&sim, "route: {receiver: a, group_wait: 0s, group_interval: 2s}\nreceivers: [" HOOK("a") "]\n");
    sim.hold = true;
    sim_fire(&sim, "n=x");
    sim_until(&sim, 1000);
    assert_false(router_idle(sim.router));
    sim_fire(&sim, "n=y");
    sim_until(&sim, 5000);
    assert_int_equal(sim.sent_count, 1);
    sim.hold = false;
    sim_release(&sim);
    sim_until(&sim, 5000);
    sim_expect(&sim, "0 a first notification: +x\n5000 a new alerts added: +x +y\n");
    assert_true(router_idle(sim.router));
    sim_fire(&sim, "n=z");
    sim_until(&sim, 7000);
    assert_int_equal(sim.sent_count, 3);
    assert_int_equal(sim.sent[2].at_ms, 7000);
    sim_close(&sim);
}

static void news_during_a_send_is_not_lost_with_the_resolved(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim_fire(&sim, "n=x");
    sim_until(&sim, 6000);
    sim_resolve(&sim, "n=x", 0);
    sim.hold = true;
    sim_until(&sim, 36000);
    sim_fire(&sim, "n=x");
    sim.hold = false;
    sim_release(&sim);
    sim_until(&sim, 70000);
    sim_expect(&sim, "5000 a first notification: +x\n"
                     "35000 a all alerts resolved: -x\n"
                     "65000 a first notification: +x\n");
    sim_close(&sim);
}

static void after_a_restart_nobody_is_paged_twice(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim_fire(&sim, "n=x");
    sim_until(&sim, 6000);
    router_close(sim.router);
    sim_start(&sim, SIMPLE);
    sim_post_alert(&sim, (struct sim_alert){.labels = "n=x", .starts_ms = 0, .ends_ms = 10000000});
    sim_until(&sim, 60000);
    sim_expect(&sim, "5000 a first notification: +x\n");
    sim_resolve(&sim, "n=x", 0);
    sim_until(&sim, 120000);
    sim_expect(&sim, "5000 a first notification: +x\n65000 a all alerts resolved: -x\n");
    sim_close(&sim);
}

/* The process ends while the receiver has the page and the log does not know. */
static void killed_with_a_first_page_under_way(void)
{
    sim_open(&sim, SIMPLE);
    sim.hold = true;
    sim_fire(&sim, "n=x");
    sim_until(&sim, 6000);
    router_close(sim.router);
    sim.held_count = 0;
    sim.hold = false;
    sim_start(&sim, SIMPLE);
}

static void a_first_page_that_may_have_been_told_is_told_again(void **state)
{
    (void)state;
    killed_with_a_first_page_under_way();
    sim_post_alert(&sim, (struct sim_alert){.labels = "n=x", .starts_ms = 0, .ends_ms = 10000000});
    sim_until(&sim, 60000);
    sim_expect(&sim, "5000 a first notification: +x\n6000 a first notification: +x\n");
    sim_close(&sim);
}

static void the_end_of_what_may_have_been_told_is_told(void **state)
{
    (void)state;
    struct arena arena;
    killed_with_a_first_page_under_way();
    arena_init(&arena, 1 << 16);
    const struct labels *x = sim_labels(&arena, "n=x"), *y = sim_labels(&arena, "n=y");
    assert_true(router_owes_end(sim.router, x));
    assert_false(router_owes_end(sim.router, y));
    sim_resolve(&sim, "n=x", 0);
    sim_resolve(&sim, "n=y", 0);
    sim_until(&sim, 60000);
    sim_expect(&sim, "5000 a first notification: +x\n6000 a all alerts resolved: -x\n");
    assert_false(router_owes_end(sim.router, x));
    arena_release(&arena);
    sim_close(&sim);
}

static void a_log_older_than_twice_the_repeat_and_a_quarter_of_an_hour_is_forgotten(void **state)
{
    (void)state;
    sim_open(&sim, "route: {receiver: a, group_wait: 0s, repeat_interval: 1m}\nreceivers: [" HOOK("a") "]\n");
    sim_fire(&sim, "n=x");
    sim_until(&sim, 1000);
    router_close(sim.router);
    sim.world.now_ns = sim_at(1021000);
    sim_start(&sim,
              "route: {receiver: a, group_wait: 0s, repeat_interval: 1h}\nreceivers: [" HOOK("a") "]\n");
    sim_fire(&sim, "n=x");
    sim_until(&sim, 1021000);
    sim_expect(&sim, "0 a first notification: +x\n1021000 a first notification: +x\n");
    sim_close(&sim);
}

static void a_reload_keeps_the_timers_of_groups_it_does_not_change(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim_fire(&sim, "n=x");
    sim_fire(&sim, "n=y");
    sim_until(&sim, 20000);
    sim_fire(&sim, "n=x i=2");
    router_reload(sim.router, sim_config(&sim, "route:\n"
                                               "  receiver: a\n"
                                               "  group_by: [n]\n"
                                               "  group_wait: 5s\n"
                                               "  group_interval: 30s\n"
                                               "  repeat_interval: 1h\n"
                                               "  routes: [{matchers: [n=y], receiver: b, group_wait: 7s}]\n"
                                               "receivers: [" HOOK("a") "," HOOK("b") "]\n"));
    sim_until(&sim, 40000);
    sim_expect(&sim, "5000 a first notification: +x\n"
                     "5000 a first notification: +y\n"
                     "20000 b first notification: +y\n"
                     "35000 a new alerts added: +x +2,x\n");
    sim_close(&sim);
}

static void a_reload_lets_a_request_finish_and_logs_it(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim.hold = true;
    sim_fire(&sim, "n=x");
    sim_fire(&sim, "n=y");
    sim_until(&sim, 5000);
    router_reload(sim.router, sim_config(&sim, "route: {receiver: b, group_by: [n], group_wait: 5s}\n"
                                               "receivers: [" HOOK("b") "]\n"));
    sim.hold = false;
    sim_release(&sim);
    sim_until(&sim, 11000);
    router_reload(sim.router, sim_config(&sim, SIMPLE));
    sim_until(&sim, 50000);
    assert_int_equal(sim.sent_count, 4);
    assert_string_equal(sim.sent[2].url, "http://b");
    assert_string_equal(sim.sent[3].url, "http://b");
    sim_close(&sim);
}

static const char *const ELSEWHERE =
    "route: {receiver: b, group_wait: 1s, group_interval: 30s}\nreceivers: [" HOOK("b") "]\n";

static void a_page_under_way_during_a_reload_is_followed_by_its_end(void **state)
{
    (void)state;
    sim_open(&sim, "route: {receiver: a, group_wait: 1s, group_interval: 30s}\nreceivers: [" HOOK("a") "]\n");
    sim_fire(&sim, "n=x");
    sim.hold = true;
    sim_until(&sim, 2000);
    router_reload(sim.router, sim_config(&sim, ELSEWHERE));
    sim.hold = false;
    sim_release(&sim);
    sim_until(&sim, 10000);
    sim_resolve(&sim, "n=x", 0);
    sim_until(&sim, 120000);
    sim_expect(&sim, "1000 a first notification: +x\n"
                     "2000 b first notification: +x\n"
                     "31000 a all alerts resolved: -x\n"
                     "32000 b all alerts resolved: -x\n");
    sim_close(&sim);
}

static void a_page_that_fails_during_a_reload_is_not_tried_again(void **state)
{
    (void)state;
    sim_open(&sim, "route: {receiver: a, group_wait: 1s, group_interval: 30s}\nreceivers: [" HOOK("a") "]\n");
    sim_fire(&sim, "n=x");
    sim.hold = true;
    sim_until(&sim, 2000);
    router_reload(sim.router, sim_config(&sim, ELSEWHERE));
    sim.hold = false;
    sim.status = 503;
    sim_release(&sim);
    sim.status = 200;
    sim_until(&sim, 10000);
    sim_resolve(&sim, "n=x", 0);
    sim_until(&sim, 120000);
    sim_expect(&sim, "1000 a first notification: +x\n"
                     "2000 b first notification: +x\n"
                     "32000 b all alerts resolved: -x\n");
    sim_close(&sim);
}

static void a_router_may_be_closed_with_requests_under_way(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim.hold = true;
    sim_fire(&sim, "n=x");
    sim_fire(&sim, "n=y");
    sim_until(&sim, 5000);
    router_reload(sim.router,
                  sim_config(&sim, "route: {receiver: b, group_wait: 0s}\nreceivers: [" HOOK("b") "]\n"));
    sim_until(&sim, 5000);
    assert_int_equal(sim.held_count, 3);
    sim_close(&sim);
}

static int64_t real_mono_ns;

static int64_t steady(struct world *w)
{
    (void)w;
    return real_mono_ns;
}

static void setting_the_clock_neither_hurries_nor_delays_a_flush(void **state)
{
    (void)state;
    sim_open(&sim, NULL);
    sim.world.world.mono_ns = steady;
    real_mono_ns = 0;
    sim_start(&sim, SIMPLE);
    sim_fire(&sim, "n=x");
    router_run(sim.router, sim.world.now_ns);
    sim.world.now_ns -= 3600 * NS_PER_S;
    real_mono_ns += 1 * NS_PER_S;
    assert_int_equal(router_run(sim.router, sim.world.now_ns), sim.world.now_ns + 4 * NS_PER_S);
    sim.world.now_ns += 7200 * NS_PER_S;
    real_mono_ns += 1 * NS_PER_S;
    assert_int_equal(router_run(sim.router, sim.world.now_ns), sim.world.now_ns + 3 * NS_PER_S);
    assert_int_equal(sim.sent_count, 0);
    sim_close(&sim);
}

static void without_a_start_an_alert_begins_now_or_with_its_end(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim.world.now_ns = sim_at(10);
    struct arena arena;
    struct router_alert *alerts;
    size_t count;
    struct buf errors;
    arena_init(&arena, 1 << 20);
    buf_init(&errors, 256);
    struct alert_event events[] = {{.labels = labels_of(&arena, "n", "1", NULL)},
                                   {.labels = labels_of(&arena, "n", "2", NULL), .ends_ns = sim_at(20)}};
    assert_int_equal(router_post(sim.router, events, 2, &errors), 0);
    assert_int_equal(
        router_alerts(sim.router, &(struct router_filter){.active = true}, &arena, &alerts, &count), 0);
    assert_int_equal(count, 2);
    for (size_t i = 0; i < 2; i++) {
        bool first = str_is(labels_get(alerts[i].event->labels, STR("n")), "1");
        assert_int_equal(alerts[i].event->starts_ns, first ? sim_at(10) : sim_at(20));
        assert_int_equal(alerts[i].event->ends_ns, first ? sim_at(10 + 300000) : sim_at(20));
        assert_int_equal(alerts[i].event->updated_ns, sim_at(10));
    }
    arena_release(&arena);
    sim_close(&sim);
}

/* How two posts of one alert become one: times are seconds; the second post is made at second 100. */
static void posts_of_one_alert_are_merged_by_the_rules(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t old_start, old_end, new_start, new_end, start, end;
    } cases[] = {
        {"a refresh replaces", 10, 200, 10, 300, 10, 300},
        {"an earlier end inside is kept only if given", 10, 300, 10, 200, 10, 300},
        {"a resolve inside ends it", 10, 300, 10, 90, 10, 90},
        {"the later of two ends wins", 10, 95, 10, 90, 10, 95},
        {"an overlap keeps the earliest start", 10, 200, 50, 300, 10, 300},
        {"what does not overlap is another occurrence", 10, 40, 60, 300, 60, 300},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sim_open(&sim, SIMPLE);
        sim.world.now_ns = sim_at(20000);
        sim_post_alert(&sim, (struct sim_alert){.labels = "n=x",
                                                .starts_ms = cases[i].old_start * 1000,
                                                .ends_ms = cases[i].old_end * 1000});
        sim.world.now_ns = sim_at(100000);
        sim_post_alert(&sim, (struct sim_alert){.labels = "n=x",
                                                .starts_ms = cases[i].new_start * 1000,
                                                .ends_ms = cases[i].new_end * 1000});
        sim.world.now_ns = sim_at(0);
        struct arena arena;
        struct router_alert *alerts;
        size_t count;
        arena_init(&arena, 1 << 20);
        assert_int_equal(
            router_alerts(sim.router, &(struct router_filter){.active = true}, &arena, &alerts, &count), 0);
        assert_int_equal(count, 1);
        if (alerts[0].event->starts_ns != sim_at(cases[i].start * 1000) ||
            alerts[0].event->ends_ns != sim_at(cases[i].end * 1000))
            fail_msg("%s: %lld..%lld", cases[i].name,
                     (long long)(alerts[0].event->starts_ns - sim_at(0)) / NS_PER_S,
                     (long long)(alerts[0].event->ends_ns - sim_at(0)) / NS_PER_S);
        arena_release(&arena);
        sim_close(&sim);
    }
}

static void a_timeout_end_gives_way_and_a_resolve_wipes_annotations(void **state)
{
    (void)state;
    sim_open(&sim, "global: {resolve_timeout: 5m}\n" SIMPLE);
    sim_post_alert(&sim, (struct sim_alert){.labels = "n=x", .annotations = "s=1", .starts_ms = 1});
    sim_until(&sim, 10000);
    sim_post_alert(&sim, (struct sim_alert){.labels = "n=x", .starts_ms = 1, .ends_ms = 60000});
    struct arena arena;
    struct router_alert *alerts;
    size_t count;
    arena_init(&arena, 1 << 20);
    assert_int_equal(
        router_alerts(sim.router, &(struct router_filter){.active = true}, &arena, &alerts, &count), 0);
    assert_int_equal(alerts[0].event->ends_ns, sim_at(60000));
    assert_int_equal(alerts[0].event->annotations->count, 0);
    arena_release(&arena);
    sim_close(&sim);
}

static void an_end_kept_from_before_gives_way_to_the_second_post_without_one(void **state)
{
    (void)state;
    sim_open(&sim, "global: {resolve_timeout: 5s}\n" SIMPLE);
    sim_post_alert(&sim, (struct sim_alert){.labels = "n=x", .starts_ms = 1, .ends_ms = 60000});
    for (int64_t at_ms = 1000; at_ms <= 2000; at_ms += 1000) {
        sim_until(&sim, at_ms);
        sim_post_alert(&sim, (struct sim_alert){.labels = "n=x", .starts_ms = at_ms});
        struct arena arena;
        struct router_alert *alerts;
        size_t count;
        arena_init(&arena, 1 << 20);
        assert_int_equal(
            router_alerts(sim.router, &(struct router_filter){.active = true}, &arena, &alerts, &count), 0);
        assert_int_equal(count, 1);
        assert_int_equal(alerts[0].event->starts_ns, sim_at(1));
        assert_int_equal(alerts[0].event->ends_ns, sim_at(at_ms == 1000 ? 60000 : 7000));
        arena_release(&arena);
    }
    sim_close(&sim);
}

static void a_bad_alert_does_not_keep_the_good_ones_out(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    struct arena arena;
    struct buf errors;
    arena_init(&arena, 1 << 20);
    buf_init(&errors, 4096);
    struct labels *none = labels_empty(&arena);
    struct alert_event events[] = {
        {.labels = none, .annotations = none},
        {.labels = sim_labels(&arena, "n=good"), .annotations = none},
        {.labels = sim_labels(&arena, "n=x"), .annotations = none, .starts_ns = 20, .ends_ns = 10},
        {.labels = labels_of(&arena, "n", "\xff", NULL), .annotations = none},
        {.labels = labels_of(&arena, "n", "x", NULL), .annotations = labels_of(&arena, "\xff", "x", NULL)},
    };
    assert_int_equal(router_post(sim.router, events, 5, &errors), ERR_PARSE);
    assert_string_equal(buf_text(&errors), "at least one label pair required\n"
                                           "start time must be before end time\n"
                                           "invalid label set: invalid value \"\xff\"\n"
                                           "invalid annotations: invalid name \"\xff\"");
    sim_until(&sim, 5000);
    sim_expect(&sim, "5000 a first notification: +good\n");
    buf_release(&errors);
    arena_release(&arena);
    sim_close(&sim);
}

static void a_full_store_refuses_new_alerts_and_keeps_the_old(void **state)
{
    (void)state;
    int64_t before = limits.alerts;
    limits.alerts = 1;
    sim_open(&sim, SIMPLE);
    struct buf errors;
    buf_init(&errors, 4096);
    sim_fire(&sim, "n=x");
    assert_int_equal(sim_post_errors(&sim, (struct sim_alert){.labels = "n=y"}, &errors), ERR_LIMIT);
    assert_string_equal(buf_text(&errors), "too many alerts");
    sim_fire(&sim, "n=x");
    sim_until(&sim, 5000);
    sim_expect(&sim, "5000 a first notification: +x\n");
    limits.alerts = before;
    buf_release(&errors);
    sim_close(&sim);
}

static void groups_are_listed_by_size_then_labels_then_receiver(void **state)
{
    (void)state;
    sim_open(&sim, "route:\n"
                   "  receiver: a\n"
                   "  group_by: [n, m]\n"
                   "  labels: {team: t}\n"
                   "  routes: [{receiver: b, matchers: [n=~.+], continue: true}, {receiver: a}]\n"
                   "receivers: [" HOOK("a") "," HOOK("b") "]\n");
    sim.world.now_ns = sim_at(1);
    sim_fire(&sim, "n=2 i=2");
    sim_fire(&sim, "n=2 i=1");
    sim_fire(&sim, "n=1 m=1");
    sim_resolve(&sim, "n=gone", -1000);
    struct arena arena;
    struct buf out;
    struct router_group *groups;
    size_t count;
    arena_init(&arena, 1 << 20);
    buf_init(&out, 4096);
    struct router_filter filter = {.active = true};
    assert_int_equal(router_groups(sim.router, &filter, &arena, &groups, &count), 0);
    for (size_t i = 0; i < count; i++) {
        labels_print(&out, groups[i].labels);
        buf_format(&out, " %.*s %zu/%zu;", STR_ARG(groups[i].receiver), groups[i].count,
                   groups[i].alerts[0].receiver_count);
        assert_true(str_is(labels_get(groups[i].route_labels, STR("team")), "t"));
        assert_int_equal(groups[i].next_flush_ns, sim_at(30001));
    }
    assert_string_equal(buf_text(&out), "{n=\"2\"} a 2/2;{n=\"2\"} b 2/2;"
                                        "{m=\"1\", n=\"1\"} a 1/2;{m=\"1\", n=\"1\"} b 1/2;");
    filter.receiver = regex_open(STR("b"), REGEX_ANCHORED, NULL);
    assert_int_equal(router_groups(sim.router, &filter, &arena, &groups, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(groups[0].alerts[0].receiver_count, 1);
    regex_free((struct regex *)(uintptr_t)filter.receiver);
    struct arena small;
    arena_init(&small, 64);
    filter.receiver = NULL;
    assert_int_equal(router_groups(sim.router, &filter, &small, &groups, &count), ERR_LIMIT);
    arena_release(&small);
    buf_release(&out);
    arena_release(&arena);
    sim_close(&sim);
}

enum { THREAD_POSTS = 200, THREAD_RELOADS = 20 };

static atomic_int threads_done;

static void *post_many(void *context)
{
    (void)context;
    for (int i = 0; i < THREAD_POSTS; i++) {
        char labels[32];
        snprintf(labels, sizeof labels, "n=%d", i);
        sim_fire(&sim, labels);
    }
    atomic_fetch_add(&threads_done, 1);
    return NULL;
}

static void *reload_and_look(void *context)
{
    (void)context;
    for (int i = 0; i < THREAD_RELOADS; i++) {
        struct arena arena;
        struct router_group *groups;
        size_t count;
        arena_init(&arena, 16 << 20);
        router_reload(sim.router, sim_config(&sim, "route: {receiver: a, group_by: [n], group_wait: 0s}\n"
                                                   "receivers: [" HOOK("a") "]\n"));
        assert_int_equal(
            router_groups(sim.router, &(struct router_filter){.active = true}, &arena, &groups, &count), 0);
        arena_release(&arena);
    }
    atomic_fetch_add(&threads_done, 1);
    return NULL;
}

static void posts_and_reloads_from_other_threads_lose_nothing(void **state)
{
    (void)state;
    pthread_t poster, reloader;
    atomic_store(&threads_done, 0);
    sim_open(&sim, "route: {receiver: a, group_by: [n], group_wait: 0s}\nreceivers: [" HOOK("a") "]\n");
    assert_int_equal(pthread_create(&poster, NULL, post_many, NULL), 0);
    assert_int_equal(pthread_create(&reloader, NULL, reload_and_look, NULL), 0);
    while (atomic_load(&threads_done) < 2)
        router_run(sim.router, sim.world.now_ns);
    pthread_join(poster, NULL);
    pthread_join(reloader, NULL);
    router_run(sim.router, sim.world.now_ns);
    assert_int_equal(sim.sent_count, THREAD_POSTS);
    sim_close(&sim);
}

static void the_metrics_have_alertmanagers_names(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim_fire(&sim, "n=x");
    sim.status = 403;
    sim_until(&sim, 5000);
    struct buf out;
    buf_init(&out, 1 << 20);
    router_write_metrics(sim.router, &out);
    static const char *const lines[] = {
        "alertmanager_alerts{state=\"active\"} 1\n",
        "alertmanager_alerts_received_total{status=\"firing\",version=\"v2\"} 1\n",
        "alertmanager_notifications_total{integration=\"webhook\"} 1\n",
        "alertmanager_notifications_failed_total{integration=\"webhook\",reason=\"authError\"} 1\n",
        "alertmanager_notifications_failed_total{integration=\"webhook\",reason=\"other\"} 0\n",
        "alertmanager_notification_requests_failed_total{integration=\"webhook\"} 1\n",
        "alertmanager_notification_latency_seconds_count{integration=\"webhook\"} 1\n",
        "alertmanager_dispatcher_aggregation_groups 1\n",
        "alertmanager_receivers 1\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (strstr(buf_text(&out), lines[i]) == NULL)
            fail_msg("%s not in\n%s", lines[i], buf_text(&out));
    }
    buf_release(&out);
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_waits_then_ticks),
        cmocka_unit_test(an_old_alert_does_not_wait_for_company),
        cmocka_unit_test(a_repeat_comes_one_tick_after_its_interval),
        cmocka_unit_test(an_end_is_told_once_and_the_group_goes),
        cmocka_unit_test(an_alert_that_ends_before_the_first_flush_is_never_told),
        cmocka_unit_test(silence_of_the_sender_ends_an_alert_at_its_end),
        cmocka_unit_test(continue_puts_an_alert_into_several_groups),
        cmocka_unit_test(alerts_are_listed_by_job_then_instance_then_the_rest),
        cmocka_unit_test(a_refusal_that_may_pass_is_tried_again_with_growing_pauses),
        cmocka_unit_test(a_refusal_that_stays_is_not_tried_before_the_next_tick),
        cmocka_unit_test(too_many_requests_is_tried_again_when_the_receiver_says),
        cmocka_unit_test(one_dead_integration_does_not_disturb_the_other),
        cmocka_unit_test(a_network_that_is_full_is_tried_again),
        cmocka_unit_test(a_flush_that_outlasts_its_tick_is_followed_by_the_next_at_once),
        cmocka_unit_test(news_during_a_send_is_not_lost_with_the_resolved),
        cmocka_unit_test(after_a_restart_nobody_is_paged_twice),
        cmocka_unit_test(a_first_page_that_may_have_been_told_is_told_again),
        cmocka_unit_test(the_end_of_what_may_have_been_told_is_told),
        cmocka_unit_test(a_log_older_than_twice_the_repeat_and_a_quarter_of_an_hour_is_forgotten),
        cmocka_unit_test(a_reload_keeps_the_timers_of_groups_it_does_not_change),
        cmocka_unit_test(a_reload_lets_a_request_finish_and_logs_it),
        cmocka_unit_test(a_page_under_way_during_a_reload_is_followed_by_its_end),
        cmocka_unit_test(a_page_that_fails_during_a_reload_is_not_tried_again),
        cmocka_unit_test(a_router_may_be_closed_with_requests_under_way),
        cmocka_unit_test(setting_the_clock_neither_hurries_nor_delays_a_flush),
        cmocka_unit_test(without_a_start_an_alert_begins_now_or_with_its_end),
        cmocka_unit_test(posts_of_one_alert_are_merged_by_the_rules),
        cmocka_unit_test(a_timeout_end_gives_way_and_a_resolve_wipes_annotations),
        cmocka_unit_test(an_end_kept_from_before_gives_way_to_the_second_post_without_one),
        cmocka_unit_test(a_bad_alert_does_not_keep_the_good_ones_out),
        cmocka_unit_test(a_full_store_refuses_new_alerts_and_keeps_the_old),
        cmocka_unit_test(groups_are_listed_by_size_then_labels_then_receiver),
        cmocka_unit_test(posts_and_reloads_from_other_threads_lose_nothing),
        cmocka_unit_test(the_metrics_have_alertmanagers_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
