#include "router_sim.h"

#include "tocsin/limits.h"
#include "tocsin/log.h"
#include "tocsin/trail.h"

static struct sim sim;
static struct arena arena;
static struct buf text;

#define TEAM(more)                                                                                    \
    "route: {receiver: team, group_by: [alertname], group_wait: 10s, group_interval: 30s, "           \
    "repeat_interval: 1h" more "}\n"                                                                  \
    "receivers: [{name: team, webhook_configs: [{url: 'http://hook/SECRET', send_resolved: true}]}, " \
    "{name: twice, webhook_configs: [{url: 'http://one/'}, {url: 'http://two/'}]}, "                  \
    "{name: curt, webhook_configs: [{url: 'http://curt/', send_resolved: false}]}]\n"                 \
    "inhibit_rules: [{source_matchers: [alertname=Net], target_matchers: [alertname=Disk], equal: []}]\n"

static int set_up(void **state)
{
    (void)state;
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, -1); /* attempts that fail are told as warnings */
    arena_init(&arena, 64 << 20);
    buf_init(&text, 1 << 20);
    limits.trail_bytes = limits_default.trail_bytes;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_release(&arena);
    buf_release(&text);
    limits.trail_bytes = limits_default.trail_bytes;
    return 0;
}

static struct trail_answer ask_all(size_t limit)
{
    struct trail_answer answer;
    arena_clear(&arena);
    const struct trail_query query = {.limit = limit};
    assert_int_equal(router_trail(sim.router, &query, &arena, &answer), 0);
    return answer;
}

static struct trail_alert ask(const char *labels)
{
    struct trail_answer answer;
    arena_clear(&arena);
    const struct trail_query query = {
        .by_fingerprint = true, .fingerprint = labels_fingerprint(sim_labels(&arena, labels)), .limit = 1};
    assert_int_equal(router_trail(sim.router, &query, &arena, &answer), 0);
    assert_int_equal(answer.count, 1);
    return answer.alerts[0];
}

static const char *told(const char *labels)
{
    const struct trail_alert alert = ask(labels);
    int64_t now_ns = sim.world.now_ns;
    buf_clear(&text);
    for (size_t i = 0; i < alert.verdict_count; i++)
        buf_format(&text, "%.*s\n", STR_ARG(alert.verdicts[i].text));
    for (size_t i = 0; i < alert.line_count; i++) {
        buf_format(&text, "%lld %s ", (long long)((alert.lines[i].at_ns - SIM_START_NS) / NS_PER_MS),
                   alert.lines[i].what);
        trail_line_print(&text, &alert.lines[i], now_ns);
        buf_char(&text, '\n');
    }
    for (size_t i = 0; i < alert.next_count; i++)
        buf_format(&text, "%lld next %.*s\n", (long long)((alert.next[i].at_ns - SIM_START_NS) / NS_PER_MS),
                   STR_ARG(alert.next[i].text));
    return buf_text(&text);
}

static void expect(const char *labels, const char *lines)
{
    assert_string_equal(told(labels), lines);
}

static void expect_in(const char *labels, const char *words)
{
    if (strstr(told(labels), words) == NULL)
        fail_msg("expected: %s\nin:\n%s", words, buf_text(&text));
}

static void expect_not_in(const char *labels, const char *words)
{
    if (strstr(told(labels), words) != NULL)
        fail_msg("not expected: %s\nin:\n%s", words, buf_text(&text));
}

static void silence_for(const char *name, const char *value, int64_t length_ms)
{
    struct arena scratch;
    char id[SILENCE_ID_BYTES + 1];
    arena_init(&scratch, 1 << 12);
    const struct matcher matcher = {.op = MATCH_EQUAL, .name = str_of(name), .value = str_of(value)};
    const struct silence wanted = {.matchers = &matcher,
                                   .matcher_count = 1,
                                   .ends_ns = sim.world.now_ns + length_ms * NS_PER_MS,
                                   .created_by = STR("bob"),
                                   .comment = STR("deploy"),
                                   .annotations = labels_empty(&scratch)};
    assert_int_equal(silences_put(router_silences(sim.router), &wanted, id, NULL), 0);
    arena_release(&scratch);
}

static void the_whole_life_of_a_page(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(""));
    sim_fire(&sim, "alertname=A x=1");
    expect("alertname=A x=1",
           "not paged: team: waits for group_wait until 06:00:10Z\n"
           "0 came came in, posted to the API\n"
           "0 matched matched route {} of team; waits for group_wait until 06:00:10Z; group "
           "{}:{alertname=\"A\"}\n"
           "10000 next it is told\n");
    sim_until(&sim, 95000);
    sim_resolve(&sim, "alertname=A x=1", 0);
    sim_until(&sim, 200000);
    expect(
        "alertname=A x=1",
        "paged: team via webhook at 06:00:10Z (answered 200); its end told via webhook at 06:01:40Z "
        "(answered 200)\n"
        "0 came came in, posted to the API\n"
        "0 matched matched route {} of team; waits for group_wait until 06:00:10Z; group "
        "{}:{alertname=\"A\"}\n"
        "10000 sent team via webhook: sent (answered 200): firing: first notification\n"
        "40000 quiet team via webhook: nothing new since what it was told at 06:00:10Z; a repeat is due at "
        "07:00:10Z\n"
        "100000 ended team: it has ended\n"
        "100000 sent team via webhook: sent (answered 200): resolved: all alerts resolved\n"
        "100000 left team: it leaves its group: nothing is left to tell\n");
    assert_string_equal(ask("alertname=A x=1").state, "resolved");
    sim_close(&sim);
}

static void a_line_says_when_it_was_said_last(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(""));
    sim_fire(&sim, "alertname=A");
    sim_until(&sim, 101000);
    const struct trail_alert alert = ask("alertname=A");
    const struct trail_line *quiet = &alert.lines[alert.line_count - 1];
    assert_string_equal(quiet->what, "quiet");
    assert_int_equal(quiet->at_ns, sim_at(40000));
    assert_int_equal(quiet->last_ns, sim_at(100000));
    assert_int_equal(quiet->until_ns, sim_at(3610000));
    assert_int_equal(quiet->flushes, 3);
    sim_close(&sim);
}

static void who_joins_later_was_not_told_before(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(""));
    sim_fire(&sim, "alertname=A x=1");
    sim_until(&sim, 15000);
    sim_fire(&sim, "alertname=A x=2");
    expect_in("alertname=A x=2", "not paged: team: waits for group_interval until 06:00:40Z\n");
    expect_not_in("alertname=A x=2", "sent");
    sim_until(&sim, 45000);
    expect_in("alertname=A x=2", "paged: team via webhook at 06:00:40Z (answered 200)\n");
    expect_not_in("alertname=A x=2", "first notification");
    expect_in("alertname=A x=1", "10000 sent");
    expect_in("alertname=A x=1", "40000 sent");
    sim_close(&sim);
}

static void what_is_held_was_not_sent_with_its_group(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(""));
    silence_for("x", "2", 60000);
    sim_fire(&sim, "alertname=A x=1");
    sim_fire(&sim, "alertname=A x=2");
    sim_until(&sim, 20000);
    expect_in("alertname=A x=1", "paged: team via webhook at 06:00:10Z (answered 200)\n");
    expect_in("alertname=A x=2", "not paged: team: silenced by ");
    expect_in("alertname=A x=2", " until 06:01:00Z (created by bob: 'deploy')\n");
    expect_not_in("alertname=A x=2", "sent");
    const struct trail_alert alert = ask("alertname=A x=2");
    const struct trail_line *held = &alert.lines[2];
    assert_string_equal(held->what, "held");
    assert_string_equal(held->by, "silence");
    assert_int_equal(held->cause_count, 1);
    assert_int_equal(held->until_ns, sim_at(60000));
    assert_int_equal(held->causes[0].n, SILENCE_ID_BYTES);
    sim_until(&sim, 75000);
    expect_in("alertname=A x=2", "70000 free team: nothing keeps it quiet any more\n");
    expect_in("alertname=A x=2", "paged: team via webhook at 06:01:10Z (answered 200)\n");
    sim_close(&sim);
}

static void what_is_said_again_is_said_of_the_same_alerts(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(""));
    sim_fire(&sim, "alertname=A x=1");
    sim_fire(&sim, "alertname=A x=2");
    sim_until(&sim, 50000);
    silence_for("x", "2", 600000);
    sim_until(&sim, 110000);
    expect_in("alertname=A x=1", "70000 quiet team via webhook: nothing new");
    expect_in("alertname=A x=2", "40000 quiet team via webhook: nothing new");
    expect_not_in("alertname=A x=2", "70000 quiet");
    const struct trail_alert alert = ask("alertname=A x=2");
    const struct trail_line *quiet = &alert.lines[alert.line_count - 2];
    assert_string_equal(quiet->what, "quiet");
    assert_int_equal(quiet->flushes, 1);
    sim_close(&sim);
}

static void the_end_of_what_is_held_is_told_and_so_is_that(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(""));
    sim_fire(&sim, "alertname=Disk");
    sim_until(&sim, 15000);
    sim_fire(&sim, "alertname=Net");
    sim_until(&sim, 45000);
    expect_in("alertname=Disk",
              "paged: team via webhook at 06:00:10Z (answered 200); quiet now: inhibited by "
              "{alertname=\"Net\"}\n");
    sim_resolve(&sim, "alertname=Disk", 0);
    sim_until(&sim, 75000);
    expect_in("alertname=Disk", "; its end told via webhook at 06:01:10Z (answered 200)");
    expect_in("alertname=Disk", "70000 sent team via webhook: sent (answered 200): resolved: all alerts");
    sim_close(&sim);
}

static void attempts_are_told_until_one_is_taken(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(""));
    sim.status = 503;
    sim_fire(&sim, "alertname=A");
    sim_until(&sim, 10000);
    expect_in("alertname=A",
              "not paged: team: webhook fails since 06:00:10Z (1 attempt, answered 503: unexpected "
              "status code 503), next attempt at 06:00:10Z\n");
    expect_in("alertname=A", "next another attempt via webhook\n");
    sim_until(&sim, 12000);
    const struct trail_alert alert = ask("alertname=A");
    const struct trail_line *line = &alert.lines[2];
    assert_string_equal(line->what, "retrying");
    assert_int_equal(line->at_ns, sim_at(10000));
    assert_int_equal(line->status, 503);
    assert_true(line->attempt > 1);
    assert_true(line->until_ns > sim.world.now_ns);
    sim.status = 200;
    sim_until(&sim, 39000);
    expect_in("alertname=A", "paged: team via webhook at 06:00:1");
    expect_in("alertname=A", "(answered 200) at attempt ");
    expect_not_in("alertname=A", "SECRET");
    sim_close(&sim);
}

static void a_receiver_that_is_away_for_long_takes_one_line(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(""));
    sim.status = 503;
    sim_fire(&sim, "alertname=A");
    sim_until(&sim, 10000 + 10 * 30000 - 1);
    const struct trail_alert alert = ask("alertname=A");
    size_t failed = 0;
    for (size_t i = 0; i < alert.line_count; i++) {
        if (strcmp(alert.lines[i].what, "failed") == 0) {
            assert_int_equal(alert.lines[i].flushes, 10);
            failed++;
        }
    }
    assert_int_equal(failed, 1);
    expect_in("alertname=A", "missed team via webhook: told in vain so far");
    /* another answer is another line */
    sim.status = 400;
    sim_until(&sim, 10000 + 10 * 30000 + 5000);
    expect_in("alertname=A",
              "failed team via webhook: given up for this flush after 1 attempt, answered 400");
    sim_close(&sim);
}

static void each_integration_that_is_away_takes_one_line(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(", routes: [{receiver: twice, matchers: [alertname=A]}]"));
    sim.status = 503;
    sim_fire(&sim, "alertname=A");
    for (int i = 0; i < 9; i++) {
        sim_until(&sim, 10000 + i * 30000 + 29999);
        sim_forget(&sim);
    }
    const struct trail_alert alert = ask("alertname=A");
    size_t failed = 0;
    for (size_t i = 0; i < alert.line_count; i++) {
        if (strcmp(alert.lines[i].what, "failed") == 0) {
            assert_int_equal(alert.lines[i].flushes, 9);
            assert_int_equal(alert.lines[i].number, failed);
            failed++;
        }
    }
    assert_int_equal(failed, 2);
    sim_close(&sim);
}

static void each_integration_is_told_of_by_itself(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(", routes: [{matchers: [alertname=~.+], receiver: twice, continue: true}, "
                        "{matchers: [alertname=A], receiver: curt}]"));
    sim_fire(&sim, "alertname=A");
    sim_until(&sim, 15000);
    expect_in("alertname=A", "paged: twice via webhook at 06:00:10Z (answered 200), webhook[1] at 06:00:10Z "
                             "(answered 200)\n");
    expect_in("alertname=A", "paged: curt via webhook at 06:00:10Z (answered 200)\n");
    expect_in("alertname=A", "matched route {}/{alertname=\"A\"} of curt; waits");
    expect_not_in("alertname=A", "team");
    sim_resolve(&sim, "alertname=A", 0);
    sim_until(&sim, 45000);
    expect_in("alertname=A", "unsent curt via webhook: its end is not told: send_resolved is false\n");
    expect_in("alertname=A",
              "40000 sent twice via webhook[1]: sent (answered 200): resolved: all alerts resolved\n");
    sim_close(&sim);
}

static void an_answer_that_is_waited_for_is_what_comes_next(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(""));
    sim.hold = true;
    sim_fire(&sim, "alertname=A");
    sim_until(&sim, 10000);
    expect_in("alertname=A", "not paged: team: it is being sent\n");
    expect_in("alertname=A", "next the answer of webhook is waited for\n");
    sim_until(&sim, 11000);
    sim_release(&sim);
    sim_until(&sim, 11000);
    expect_in("alertname=A", "paged: team via webhook at 06:00:11Z (answered 200)\n");
    sim_close(&sim);
}

static void a_reload_keeps_the_trail_and_tells_what_it_moves(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(""));
    sim_fire(&sim, "alertname=A");
    sim_fire(&sim, "alertname=B");
    sim_until(&sim, 15000);
    router_reload(sim.router,
                  sim_config(&sim, TEAM(", routes: [{matchers: [alertname=B], receiver: curt}]")));
    sim_until(&sim, 20000);
    expect("alertname=A",
           "paged: team via webhook at 06:00:10Z (answered 200)\n"
           "0 came came in, posted to the API\n"
           "0 matched matched route {} of team; waits for group_wait until 06:00:10Z; group "
           "{}:{alertname=\"A\"}\n"
           "10000 sent team via webhook: sent (answered 200): firing: first notification\n"
           "40000 next the group is flushed; this alert is no news until its repeat at 07:00:10Z\n");
    expect_in("alertname=B", "15000 matched matched route {}/{alertname=\"B\"} of curt; flushed at once");
    expect_in("alertname=B", "paged: curt via webhook at 06:00:15Z (answered 200)\n");
    expect_in("alertname=B", "paged: team via webhook at 06:00:10Z (answered 200)");
    /* the old group stays for the end that it owes */
    sim_until(&sim, 41000);
    expect_in("alertname=B", "40000 held team: others are told since a reload\n");
    sim_resolve(&sim, "alertname=B", 0);
    sim_until(&sim, 80000);
    expect_in("alertname=B",
              "70000 sent team via webhook: sent (answered 200): resolved: all alerts resolved\n");
    sim_close(&sim);
}

static void a_group_that_a_reload_drops_is_over(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(""));
    sim_fire(&sim, "alertname=B");
    sim_until(&sim, 5000);
    router_reload(sim.router,
                  sim_config(&sim, TEAM(", routes: [{matchers: [alertname=B], receiver: curt}]")));
    sim_until(&sim, 6000);
    expect_in("alertname=B", "5000 left team: its group is over: a reload routes it elsewhere\n");
    expect_in("alertname=B", "not paged: team: nothing was sent\n");
    sim_close(&sim);
}

static void an_alert_that_has_gone_keeps_its_trail_and_goes_on_with_it(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(""));
    sim_fire(&sim, "alertname=A");
    sim_until(&sim, 15000);
    sim_resolve(&sim, "alertname=A", 0);
    sim_until(&sim, 2 * 3600 * 1000);
    assert_string_equal(ask("alertname=A").state, "gone");
    expect_in("alertname=A", "paged: team via webhook at 06:00:10Z (answered 200); its end told");
    sim_fire(&sim, "alertname=A");
    assert_string_equal(ask("alertname=A").state, "firing");
    expect_in("alertname=A", "10000 sent");
    expect_in("alertname=A", "not paged: team: waits for group_wait until 08:00:10Z\n");
    expect_not_in("alertname=A", "paged: team via");
    sim_close(&sim);
}

static void ends_that_are_owed_are_told(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(""));
    sim_fire(&sim, "alertname=A");
    sim_until(&sim, 15000);
    sim.status = 400;
    sim_resolve(&sim, "alertname=A", 0);
    sim_until(&sim, 41000);
    expect_in("alertname=A",
              "owed team via webhook: its end is still to be told (contract opened_is_closed)\n");
    sim_close(&sim);
}

static void a_restart_begins_anew_with_the_notification_log(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(""));
    sim_fire(&sim, "alertname=A");
    sim_until(&sim, 15000);
    router_close(sim.router);
    sim_until((sim_start(&sim, TEAM("")), &sim), 16000);
    assert_int_equal(ask_all(10).since_ns, sim_at(15000));
    assert_int_equal(ask_all(10).count, 1); /* it was posted, so it is known */
    expect_in("alertname=A", "paged: team via webhook at 06:00:10Z (says the notification log)\n10000 sent");
    sim_until(&sim, 41000);
    expect_in("alertname=A", "40000 quiet team via webhook: nothing new since what it was told at 06:00:10Z");
    sim_close(&sim);
}

static void fire_many(int from, int to)
{
    for (int i = from; i < to; i++) {
        char labels[64];
        snprintf(labels, sizeof labels, "alertname=Many%d x=%d", i % 7, i);
        sim_fire(&sim, labels);
    }
}

static size_t count_known(const struct trail_answer *answer)
{
    size_t known = 0;
    for (size_t i = 0; i < answer->count; i++)
        known += answer->alerts[i].line_count > 0;
    return known;
}

static void the_oldest_make_room(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(""));
    limits.trail_bytes = 32 << 10;
    uint64_t hits = limit_hits(LIMIT_trail_bytes);
    fire_many(0, 1000);
    sim_until(&sim, 20000);
    const struct trail_answer answer = ask_all(SIZE_MAX);
    size_t known = count_known(&answer);
    assert_int_equal(answer.count, 1000);
    assert_true(known > 50 && known < 500);
    assert_int_equal(limit_hits(LIMIT_trail_bytes) - hits, 1000 - known);
    expect_in("alertname=Many5 x=999", "paged: team via webhook");
    expect("alertname=Many0 x=0", "");
    /* it is known again from the next decision about it on */
    sim_fire(&sim, "alertname=Many0 x=0");
    expect("alertname=Many0 x=0", "20000 came had come in before; what was decided until now is not kept\n");
    sim_close(&sim);
}

static void without_any_room_all_goes_on(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(""));
    limits.trail_bytes = 1;
    fire_many(0, 20);
    silence_for("x", "3", 600000);
    sim_until(&sim, 100000);
    sim_resolve(&sim, "alertname=Many1 x=1", 0);
    router_reload(sim.router, sim_config(&sim, TEAM("")));
    sim_until(&sim, 4 * 3600 * 1000);
    const struct trail_answer answer = ask_all(SIZE_MAX);
    assert_int_equal(count_known(&answer), 0);
    assert_true(sim.sent_count > 7);
    sim_close(&sim);
}

static void a_flapping_alert_takes_no_more_than_its_share(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(""));
    sim_fire(&sim, "alertname=A x=0");
    int64_t at_ms = 0;
    for (int i = 0; i < 60; i++) {
        sim_fire(&sim, "alertname=A x=1");
        sim_until(&sim, at_ms += 35000);
        sim_resolve(&sim, "alertname=A x=1", at_ms - 35000);
        sim_until(&sim, at_ms += 35000);
        sim_forget(&sim);
    }
    const struct trail_alert alert = ask("alertname=A x=1");
    assert_true(alert.line_count > 20);
    assert_true(alert.line_count < 16 * (16 + 40 + 2));
    assert_int_equal(alert.verdict_count, 1);
    expect_in("alertname=A x=1", "paged: team via webhook at ");
    sim_close(&sim);
}

static void an_alert_may_be_in_many_groups(void **state)
{
    (void)state;
    struct buf config;
    buf_init(&config, 1 << 16);
    buf_puts(&config, "route: {receiver: r0, group_wait: 1s, group_interval: 10s, routes: [");
    for (int i = 0; i < 20; i++)
        buf_format(&config, "%s{receiver: r%d, continue: true, matchers: [alertname=A]}", i > 0 ? ", " : "",
                   i);
    buf_puts(&config, "]}\nreceivers: [");
    for (int i = 0; i < 20; i++)
        buf_format(&config, "%s{name: r%d, webhook_configs: [{url: 'http://r/'}]}", i > 0 ? ", " : "", i);
    buf_puts(&config, "]\n");
    sim_open(&sim, buf_text(&config));
    silence_for("alertname", "A", 15000);
    sim_fire(&sim, "alertname=A");
    sim_until(&sim, 5000);
    assert_int_equal(ask("alertname=A").verdict_count, 16);
    sim_until(&sim, 25000);
    assert_int_equal(sim.sent_count, 20);
    assert_int_equal(ask("alertname=A").verdict_count, 16);
    buf_release(&config);
    sim_close(&sim);
}

static void firing_ones_come_first_and_no_more_than_asked_for(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(""));
    sim_fire(&sim, "alertname=A");
    sim_fire(&sim, "alertname=B");
    sim_fire(&sim, "alertname=C");
    sim_until(&sim, 15000);
    sim_resolve(&sim, "alertname=A", 0);
    sim_resolve(&sim, "alertname=C", 0);
    struct trail_answer answer = ask_all(2);
    assert_true(answer.truncated);
    assert_int_equal(answer.count, 2);
    assert_string_equal(answer.alerts[0].state, "firing");
    assert_string_equal(answer.alerts[1].state, "resolved");
    answer = ask_all(3);
    assert_false(answer.truncated);
    assert_int_equal(answer.count, 3);
    sim_close(&sim);
}

static void an_arena_that_is_too_small_is_an_error(void **state)
{
    (void)state;
    sim_open(&sim, TEAM(""));
    fire_many(0, 50);
    sim_until(&sim, 15000);
    const struct trail_query query = {.limit = 50};
    for (size_t cap = 64; cap < 64 << 10; cap *= 2) {
        struct arena small;
        struct trail_answer answer;
        arena_init(&small, cap);
        int rc = router_trail(sim.router, &query, &small, &answer);
        assert_true(rc == ERR_LIMIT || (rc == 0 && answer.count == 50));
        assert_true(rc == ERR_LIMIT || cap >= 8 << 10);
        arena_release(&small);
    }
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(the_whole_life_of_a_page),
        TEST(a_line_says_when_it_was_said_last),
        TEST(who_joins_later_was_not_told_before),
        TEST(what_is_held_was_not_sent_with_its_group),
        TEST(what_is_said_again_is_said_of_the_same_alerts),
        TEST(the_end_of_what_is_held_is_told_and_so_is_that),
        TEST(attempts_are_told_until_one_is_taken),
        TEST(a_receiver_that_is_away_for_long_takes_one_line),
        TEST(each_integration_that_is_away_takes_one_line),
        TEST(each_integration_is_told_of_by_itself),
        TEST(an_answer_that_is_waited_for_is_what_comes_next),
        TEST(a_reload_keeps_the_trail_and_tells_what_it_moves),
        TEST(a_group_that_a_reload_drops_is_over),
        TEST(an_alert_that_has_gone_keeps_its_trail_and_goes_on_with_it),
        TEST(ends_that_are_owed_are_told),
        TEST(a_restart_begins_anew_with_the_notification_log),
        TEST(the_oldest_make_room),
        TEST(without_any_room_all_goes_on),
        TEST(a_flapping_alert_takes_no_more_than_its_share),
        TEST(an_alert_may_be_in_many_groups),
        TEST(firing_ones_come_first_and_no_more_than_asked_for),
        TEST(an_arena_that_is_too_small_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
