#include "router_sim.h"

#include <sqlite3.h>
#include <unistd.h>

#include <pthread.h>

static struct sim sim;

#define HOOK(name) "{name: " name ", webhook_configs: [{url: 'http://" name "'}]}"
#define SIMPLE                                                                                        \
    "route: {receiver: a, group_by: [n], group_wait: 5s, group_interval: 30s, repeat_interval: 1h}\n" \
    "receivers: [" HOOK("a") "]\n"

enum { MINUTE_MS = 60000, FOUR_MINUTES_MS = 4 * MINUTE_MS };

static int64_t now_ms(void)
{
    return (sim.world.now_ns - SIM_START_NS) / NS_PER_MS;
}

/* The process ends without a word and another begins. */
static void kill_and_start(int64_t at_ms)
{
    router_close(sim.router);
    sim.world.now_ns = sim_at(at_ms);
    sim.held_count = 0;
    sim.hold = false;
    sim_start(&sim, SIMPLE);
}

/* As Prometheus posts it: it is taken as ended if it is not posted again within four minutes. */
static void refresh(const char *labels)
{
    sim_post_alert(
        &sim, (struct sim_alert){.labels = labels, .starts_ms = 0, .ends_ms = now_ms() + FOUR_MINUTES_MS});
}

static void print_row(void *context, const struct posted_row *row)
{
    struct buf *out = context;
    labels_print(out, row->event->labels);
    buf_format(out, " %lld %lld\n", (long long)((row->event->ends_ns - SIM_START_NS) / NS_PER_MS),
               (long long)((row->event->updated_ns - SIM_START_NS) / NS_PER_MS));
}

/* Labels, end and time of the last news of each alert in the file. */
static void expect_rows(const char *lines)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    assert_int_equal(state_posted_each(sim.state, print_row, &out, NULL), 0);
    assert_string_equal(buf_text(&out), lines);
    buf_release(&out);
}

static void count_row(void *context, const struct posted_row *row)
{
    (void)row;
    ++*(size_t *)context;
}

static size_t count_rows(void)
{
    size_t count = 0;
    assert_int_equal(state_posted_each(sim.state, count_row, &count, NULL), 0);
    return count;
}

static void print_tick(void *context, const struct tick_row *row)
{
    buf_format(context, "%.*s %.*s %lld\n", STR_ARG(row->key), STR_ARG(row->receiver),
               (long long)((row->next_ns - SIM_START_NS) / NS_PER_MS));
}

static void expect_ticks(const char *lines)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    assert_int_equal(state_ticks_each(sim.state, print_tick, &out, NULL), 0);
    assert_string_equal(buf_text(&out), lines);
    buf_release(&out);
}

static void what_was_posted_is_known_after_a_restart(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    struct sim_alert alert = {
        .labels = "n=x", .annotations = "why=it", .starts_ms = -90, .ends_ms = 900000, .zone_s = 3600};
    sim_post_alert(&sim, alert);
    kill_and_start(1000);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct router_alert *alerts;
    size_t count;
    struct router_filter all = {.active = true, .silenced = true, .inhibited = true};
    assert_int_equal(router_alerts(sim.router, &all, &arena, &alerts, &count), 0);
    assert_int_equal(count, 1);
    const struct alert_event *e = alerts[0].event;
    assert_true(str_is(labels_get(e->labels, STR("n")), "x"));
    assert_true(str_is(labels_get(e->annotations, STR("why")), "it"));
    assert_true(str_is(e->generator_url, "http://p/g?a=1&b=2"));
    assert_int_equal(e->starts_ns, sim_at(-90));
    assert_int_equal(e->ends_ns, sim_at(900000));
    assert_int_equal(e->updated_ns, sim_at(0));
    assert_int_equal(e->starts_zone_s, 3600);
    assert_int_equal(e->ends_zone_s, 3600);
    assert_false(e->ends_is_timeout);
    arena_release(&arena);
    sim_close(&sim);
}

static void a_group_that_waited_does_not_wait_anew(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim_fire(&sim, "n=x");
    for (int64_t at_ms = 1000; at_ms < 5000; at_ms += 1000) {
        sim_until(&sim, at_ms - 500);
        kill_and_start(at_ms);
    }
    sim_until(&sim, 60000);
    sim_expect(&sim, "5000 a first notification: +x\n");
    sim_close(&sim);
}

static void a_page_that_was_due_meanwhile_goes_at_once(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim_fire(&sim, "n=x");
    kill_and_start(20000);
    sim_until(&sim, 20000);
    sim_expect(&sim, "20000 a first notification: +x\n");
    sim_fire(&sim, "n=x i=2");
    sim_until(&sim, 21000);
    kill_and_start(70000);
    sim_until(&sim, 70000);
    sim_expect(&sim, "20000 a first notification: +x\n70000 a new alerts added: +x +2,x\n");
    sim_close(&sim);
}

static void a_group_that_had_flushed_keeps_its_tick(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim_fire(&sim, "n=x");
    sim_until(&sim, 6000);
    expect_ticks("{}:{n=\"x\"} a 35000\n");
    sim_fire(&sim, "n=x i=2");
    kill_and_start(8000);
    sim_until(&sim, 60000);
    sim_expect(&sim, "5000 a first notification: +x\n35000 a new alerts added: +x +2,x\n");
    expect_ticks("{}:{n=\"x\"} a 65000\n");
    sim_close(&sim);
}

static void a_group_that_is_gone_leaves_nothing_behind(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim_fire(&sim, "n=x");
    sim_until(&sim, 6000);
    sim_resolve(&sim, "n=x", 0);
    expect_rows("{n=\"x\"} 6000 6000\n");
    sim_until(&sim, 35000);
    expect_rows("");
    expect_ticks("");
    kill_and_start(36000);
    sim_until(&sim, 90000);
    sim_expect(&sim, "5000 a first notification: +x\n35000 a all alerts resolved: -x\n");
    sim_close(&sim);
}

static void ticks_of_groups_that_do_not_come_back_go(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    struct arena arena;
    struct buf errors;
    arena_init(&arena, 1 << 20);
    buf_init(&errors, 4096);
    struct alert_event rule = {.labels = sim_labels(&arena, "n=x"),
                               .annotations = sim_labels(&arena, ""),
                               .starts_ns = sim_at(0),
                               .ends_ns = sim_at(90000)};
    assert_int_equal(router_tell(sim.router, &rule, &errors), 0);
    sim_until(&sim, 6000);
    expect_rows(""); /* its rule keeps it */
    expect_ticks("{}:{n=\"x\"} a 35000\n");
    kill_and_start(7000);
    sim_until(&sim, 20 * MINUTE_MS);
    expect_ticks("{}:{n=\"x\"} a 35000\n");
    sim_until(&sim, 31 * MINUTE_MS);
    sim.world.now_ns += NS_PER_S;
    router_run(sim.router, sim.world.now_ns);
    expect_ticks("");
    buf_release(&errors);
    arena_release(&arena);
    sim_close(&sim);
}

static void an_end_that_was_posted_before_a_kill_is_told(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim_fire(&sim, "n=x");
    sim_until(&sim, 6000);
    sim_resolve(&sim, "n=x", 0);
    kill_and_start(7000);
    sim_until(&sim, 90000);
    sim_expect(&sim, "5000 a first notification: +x\n35000 a all alerts resolved: -x\n");
    expect_rows("");
    sim_close(&sim);
}

static void an_alert_that_is_merely_posted_again_is_not_written_again(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    refresh("n=x");
    expect_rows("{n=\"x\"} 240000 0\n");
    for (int64_t at_ms = MINUTE_MS; at_ms <= 40 * MINUTE_MS; at_ms += MINUTE_MS) {
        sim_until(&sim, at_ms);
        refresh("n=x");
    }
    expect_rows("{n=\"x\"} 240000 0\n");
    sim_forget(&sim);
    kill_and_start(41 * MINUTE_MS);
    sim_until(&sim, 42 * MINUTE_MS);
    refresh("n=x");
    sim_until(&sim, 45 * MINUTE_MS);
    sim_expect(&sim, "");
    sim_close(&sim);
}

static void an_end_that_lies_far_ahead_is_written_as_it_moves(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    for (int64_t at_ms = 0; at_ms <= 30 * MINUTE_MS; at_ms += MINUTE_MS) {
        sim_until(&sim, at_ms);
        sim_post_alert(
            &sim, (struct sim_alert){.labels = "n=x", .starts_ms = 0, .ends_ms = at_ms + 60 * MINUTE_MS});
    }
    expect_rows("{n=\"x\"} 5040000 1440000\n"); /* of 30 minutes past, that of 24: once in eight */
    sim_post_alert(&sim, (struct sim_alert){.labels = "n=x", .starts_ms = 0, .ends_ms = 2400000});
    expect_rows("{n=\"x\"} 5040000 1440000\n"); /* Alertmanager keeps the later end of two that both fire */
    sim_post_alert(&sim, (struct sim_alert){.labels = "n=x", .starts_ms = 0, .ends_ms = 1800000});
    expect_rows("{n=\"x\"} 1800000 1800000\n");
    sim_close(&sim);
}

static void an_alert_that_was_not_heard_of_while_nobody_listened_has_not_ended(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    refresh("n=x");
    sim_until(&sim, 10000);
    kill_and_start(30 * MINUTE_MS);
    sim_until(&sim, 30 * MINUTE_MS + FOUR_MINUTES_MS - 1);
    sim_expect(&sim, "5000 a first notification: +x\n");
    sim_until(&sim, 30 * MINUTE_MS + FOUR_MINUTES_MS + 30000);
    sim_expect(&sim, "5000 a first notification: +x\n2040000 a all alerts resolved: -x\n");
    sim_close(&sim);
}

static void an_end_of_which_silence_told_is_no_news_after_a_restart(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    refresh("n=x");
    sim_until(&sim, 10000);
    sim.hold = true; /* the end is under way and then lost */
    sim_until(&sim, 5 * MINUTE_MS);
    expect_rows("{n=\"x\"} 240000 240000\n");
    kill_and_start(6 * MINUTE_MS);
    sim_until(&sim, 20 * MINUTE_MS);
    sim_expect(&sim, "5000 a first notification: +x\n245000 a all alerts resolved: -x\n"
                     "360000 a all alerts resolved: -x\n");
    expect_rows("");
    kill_and_start(21 * MINUTE_MS);
    sim_until(&sim, 30 * MINUTE_MS);
    assert_int_equal(sim.sent_count, 3);
    sim_close(&sim);
}

/* One receiver hears of it in vain for a while, the other of something else meanwhile. */
static void an_end_that_one_of_two_groups_has_told_is_not_told_again(void **state)
{
    (void)state;
    static const char two[] =
        "route: {receiver: a, group_by: [n], group_wait: 5s, group_interval: 30s, repeat_interval: 1h, "
        "routes: "
        "[{receiver: b, matchers: ['i=1'], continue: true, group_interval: 10m}, {receiver: a}]}\n"
        "receivers: [" HOOK("a") "," HOOK("b") "]\n";
    sim_open(&sim, two);
    sim_fire(&sim, "n=x i=1");
    sim_fire(&sim, "n=x i=2");
    sim_until(&sim, 6000);
    sim_resolve(&sim, "n=x i=1", 0);
    sim_until(&sim, 36000);
    sim_fire(&sim, "n=x i=3");
    sim_until(&sim, 66000);
    sim_expect(&sim, "5000 b first notification: +1,x\n5000 a first notification: +1,x +2,x\n"
                     "35000 a some alerts resolved: -1,x +2,x\n65000 a new alerts added: +2,x +3,x\n");
    sim_forget(&sim);
    router_close(sim.router);
    sim_start(&sim, two);
    sim_until(&sim, 700000);
    sim_expect(&sim, "605000 b all alerts resolved: -1,x\n");
    sim_close(&sim);
}

/* Others of the group were told of before, and what is muted reminds of nothing. */
static void an_alert_that_may_have_been_told_is_closed_though_it_is_muted_to_its_end(void **state)
{
    (void)state;
    struct err err = {0};
    char id[SILENCE_ID_BYTES + 1];
    struct matcher second = {.op = MATCH_EQUAL, .name = STR("i"), .value = STR("2")};
    const struct silence mute = {.matchers = &second,
                                 .matcher_count = 1,
                                 .ends_ns = sim_at(1000000),
                                 .created_by = STR("me"),
                                 .comment = STR("x"),
                                 .annotations = &(struct labels){0}};
    sim_open(&sim, SIMPLE);
    sim_fire(&sim, "n=x i=1");
    sim_until(&sim, 6000);
    sim_fire(&sim, "n=x i=2");
    sim.hold = true; /* the receiver has the page, and nobody knows */
    sim_until(&sim, 36000);
    sim_forget(&sim);
    kill_and_start(37000);
    assert_int_equal(silences_put(router_silences(sim.router), &mute, id, &err), 0);
    sim_until(&sim, 40000);
    sim_resolve(&sim, "n=x i=2", 6000);
    sim_until(&sim, 100000);
    sim_expect(&sim, "67000 a some alerts resolved: +1,x -2,x\n");
    sim_close(&sim);
}

/* The log said beforehand that the page had told the end, too. */
static void an_end_that_is_owed_outlives_a_page_that_was_lost_on_its_way(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim_fire(&sim, "n=x i=1");
    sim_until(&sim, 6000);
    sim_resolve(&sim, "n=x i=1", 0);
    sim.status = 400;
    sim_until(&sim, 36000);
    sim_fire(&sim, "n=x i=2");
    sim_until(&sim, 96000); /* refused likewise, twice */
    sim.status = 200;
    sim_forget(&sim);
    kill_and_start(97000);
    sim_until(&sim, 97000);
    sim_expect(&sim, "97000 a first notification: -1,x +2,x\n");
    sim_close(&sim);
}

static void a_page_that_a_receiver_refused_goes_at_once(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    sim_fire(&sim, "n=x");
    sim_until(&sim, 6000);
    sim_fire(&sim, "n=x i=2");
    sim.status = 400;
    sim_until(&sim, 36000);
    sim.status = 200;
    kill_and_start(37000);
    sim_until(&sim, 37000);
    sim_expect(&sim, "5000 a first notification: +x\n35000 a new alerts added: +x +2,x\n"
                     "37000 a new alerts added: +x +2,x\n");
    sim_close(&sim);
}

static void an_alert_that_fires_again_begins_a_life_of_its_own(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    refresh("n=x");
    sim_until(&sim, 10 * MINUTE_MS);
    expect_rows("");
    refresh("n=x");
    expect_rows("{n=\"x\"} 840000 600000\n");
    sim_forget(&sim);
    kill_and_start(10 * MINUTE_MS + 3000);
    sim_until(&sim, 11 * MINUTE_MS);
    sim_expect(&sim, "603000 a first notification: +x\n");
    sim_close(&sim);
}

static void what_rules_tell_is_left_to_them_unless_it_was_posted(void **state)
{
    (void)state;
    sim_open(&sim, SIMPLE);
    struct arena arena;
    struct buf errors;
    arena_init(&arena, 1 << 20);
    buf_init(&errors, 4096);
    struct alert_event rule = {.labels = sim_labels(&arena, "n=x"),
                               .annotations = sim_labels(&arena, ""),
                               .starts_ns = sim_at(0),
                               .ends_ns = sim_at(90000)};
    assert_int_equal(router_tell(sim.router, &rule, &errors), 0);
    sim_until(&sim, 1000);
    expect_rows("");
    refresh("n=x");
    expect_rows("{n=\"x\"} 241000 1000\n");
    rule.ends_ns = sim_at(2000);
    sim_until(&sim, 2000);
    assert_int_equal(router_tell(sim.router, &rule, &errors), 0);
    router_run(sim.router, sim.world.now_ns);
    expect_rows("{n=\"x\"} 2000 2000\n");
    buf_release(&errors);
    arena_release(&arena);
    sim_close(&sim);
}

static void many_alerts_of_one_post_are_written_all_of_them(void **state)
{
    (void)state;
    enum { MANY = 10000 };
    sim_open(&sim, SIMPLE);
    struct arena arena;
    struct buf errors;
    arena_init(&arena, 64 << 20);
    buf_init(&errors, 4096);
    struct alert_event *events = ARENA_ARRAY(&arena, struct alert_event, MANY);
    for (int i = 0; i < MANY; i++) {
        char labels[32];
        snprintf(labels, sizeof labels, "n=x i=%d", i);
        events[i].labels = labels_copy(&arena, sim_labels(&arena, labels));
        events[i].annotations = sim_labels(&arena, "");
    }
    assert_int_equal(router_post(sim.router, events, MANY, &errors), 0);
    assert_int_equal(count_rows(), MANY);
    kill_and_start(1000);
    assert_int_equal(router_post(sim.router, events, MANY, &errors), 0);
    assert_int_equal(count_rows(), MANY);
    buf_release(&errors);
    arena_release(&arena);
    sim_close(&sim);
}

/* ---- with a file that can fail ---- */

static char folder[64], path[96];

static void open_on_disk(void)
{
    sim_open(&sim, NULL);
    state_close(sim.state);
    snprintf(folder, sizeof folder, "/tmp/tocsin-keep-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/state.db", folder);
    assert_int_equal(state_open(path, &sim.state, NULL), 0);
    sim_start(&sim, SIMPLE);
}

static void close_on_disk(void)
{
    sim_close(&sim);
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
    assert_int_equal(rmdir(folder), 0);
}

static void run_sql(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void an_alert_that_cannot_be_written_is_told_and_its_sender_hears_of_it(void **state)
{
    (void)state;
    struct buf errors;
    buf_init(&errors, 4096);
    open_on_disk();
    run_sql("CREATE TRIGGER t BEFORE INSERT ON posted BEGIN SELECT RAISE(ABORT,'no'); END");
    struct sim_alert x = {.labels = "n=x", .ends_ms = 1000000}, y = {.labels = "n=y", .ends_ms = 1000000};
    assert_int_equal(sim_post_errors(&sim, x, &errors), ERR_IO);
    assert_string_equal(buf_text(&errors),
                        "the alerts may be lost in a restart: cannot write the state file: no");
    sim_until(&sim, 6000);
    sim_expect(&sim, "5000 a first notification: +x\n");
    expect_rows("");
    run_sql("DROP TRIGGER t");
    assert_int_equal(sim_post_errors(&sim, y, &errors), 0);
    assert_int_equal(count_rows(), 2);
    buf_release(&errors);
    close_on_disk();
}

static void what_was_posted_is_synced_a_quarter_of_a_second_later(void **state)
{
    (void)state;
    open_on_disk();
    sim_fire(&sim, "n=x");
    assert_true(state_unsynced(sim.state));
    assert_int_equal(router_run(sim.router, sim.world.now_ns), sim_at(250));
    assert_true(state_unsynced(sim.state));
    sim_until(&sim, 250);
    assert_false(state_unsynced(sim.state));
    assert_int_equal(router_run(sim.router, sim.world.now_ns), sim_at(5000));
    close_on_disk();
}

static void what_is_under_way_costs_no_sync_and_what_was_told_syncs_all(void **state)
{
    (void)state;
    open_on_disk();
    sim_fire(&sim, "n=x");
    struct nflog_entry entries[] = {{.key = STR("a"), .expires_ns = sim_at(MINUTE_MS), .relaxed = true},
                                    {.key = STR("b"), .expires_ns = sim_at(MINUTE_MS), .relaxed = true}};
    assert_int_equal(state_nflog_put_all(sim.state, entries, 2, NULL), 0);
    assert_true(state_unsynced(sim.state));
    entries[0].relaxed = false;
    assert_int_equal(state_nflog_put_all(sim.state, entries, 2, NULL), 0);
    assert_false(state_unsynced(sim.state));
    close_on_disk();
}

static void a_page_that_goes_out_waits_for_no_sync(void **state)
{
    (void)state;
    open_on_disk();
    sim_fire(&sim, "n=x");
    sim_until(&sim, 4900);
    sim_fire(&sim, "n=y");
    sim.hold = true;
    sim_until(&sim, 5000);
    assert_int_equal(sim.sent_count, 1);
    assert_true(state_unsynced(sim.state));
    sim_release(&sim);
    sim_until(&sim, 5001);
    assert_false(state_unsynced(sim.state));
    close_on_disk();
}

static void count_firing(void *context, const struct nflog_entry *entry)
{
    *(size_t *)context += entry->firing_count;
}

static void that_an_alert_has_ended_is_written_before_the_log_says_so(void **state)
{
    (void)state;
    size_t firing = 0;
    open_on_disk();
    refresh("n=x");
    sim_until(&sim, 10000);
    run_sql(
        "CREATE TRIGGER t BEFORE INSERT ON nflog WHEN EXISTS(SELECT 1 FROM posted WHERE updated_ns<ends_ns) "
        "BEGIN SELECT RAISE(ABORT,'the log is ahead'); END");
    sim_until(&sim, 245000);
    sim_expect(&sim, "5000 a first notification: +x\n245000 a all alerts resolved: -x\n");
    assert_int_equal(state_nflog_each(sim.state, count_firing, &firing, NULL), 0);
    assert_int_equal(firing, 0);
    close_on_disk();
}

enum { POSTERS = 4, POSTS = 50 };

static void *post_many(void *context)
{
    for (int i = 0; i < POSTS; i++) {
        char labels[32];
        snprintf(labels, sizeof labels, "n=x i=%d-%d", *(int *)context, i);
        sim_post_alert(&sim, (struct sim_alert){.labels = labels, .ends_ms = 1000000});
    }
    return NULL;
}

static void posts_that_come_at_once_are_all_written(void **state)
{
    (void)state;
    pthread_t threads[POSTERS];
    int names[POSTERS];
    open_on_disk();
    for (int i = 0; i < POSTERS; i++) {
        names[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, &names[i]), 0);
    }
    for (int i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(count_rows(), POSTERS * POSTS);
    kill_and_start(1000);
    router_run(sim.router, sim.world.now_ns);
    assert_int_equal(count_rows(), POSTERS * POSTS);
    close_on_disk();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_posted_is_known_after_a_restart),
        cmocka_unit_test(a_group_that_waited_does_not_wait_anew),
        cmocka_unit_test(a_page_that_was_due_meanwhile_goes_at_once),
        cmocka_unit_test(a_group_that_had_flushed_keeps_its_tick),
        cmocka_unit_test(a_group_that_is_gone_leaves_nothing_behind),
        cmocka_unit_test(ticks_of_groups_that_do_not_come_back_go),
        cmocka_unit_test(an_end_that_was_posted_before_a_kill_is_told),
        cmocka_unit_test(an_alert_that_is_merely_posted_again_is_not_written_again),
        cmocka_unit_test(an_end_that_lies_far_ahead_is_written_as_it_moves),
        cmocka_unit_test(an_alert_that_was_not_heard_of_while_nobody_listened_has_not_ended),
        cmocka_unit_test(an_end_of_which_silence_told_is_no_news_after_a_restart),
        cmocka_unit_test(an_end_that_one_of_two_groups_has_told_is_not_told_again),
        cmocka_unit_test(an_alert_that_may_have_been_told_is_closed_though_it_is_muted_to_its_end),
        cmocka_unit_test(an_end_that_is_owed_outlives_a_page_that_was_lost_on_its_way),
        cmocka_unit_test(a_page_that_a_receiver_refused_goes_at_once),
        cmocka_unit_test(an_alert_that_fires_again_begins_a_life_of_its_own),
        cmocka_unit_test(what_rules_tell_is_left_to_them_unless_it_was_posted),
        cmocka_unit_test(many_alerts_of_one_post_are_written_all_of_them),
        cmocka_unit_test(an_alert_that_cannot_be_written_is_told_and_its_sender_hears_of_it),
        cmocka_unit_test(what_was_posted_is_synced_a_quarter_of_a_second_later),
        cmocka_unit_test(what_is_under_way_costs_no_sync_and_what_was_told_syncs_all),
        cmocka_unit_test(a_page_that_goes_out_waits_for_no_sync),
        cmocka_unit_test(that_an_alert_has_ended_is_written_before_the_log_says_so),
        cmocka_unit_test(posts_that_come_at_once_are_all_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
