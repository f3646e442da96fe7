#include "timetable_help.h"

enum { SCRAPE_MS = 15000 };

static const struct rule_policy by_data = {.by_data = true};

static const char sum_rule[] = "groups: [{name: g, interval: 30s, rules: [{record: s, expr: sum(m)}]}]";

/* How long after the slot of its last evaluation the group was evaluated. */
static int64_t lag_ns(struct bench *b)
{
    const struct ruler_group *g = bench_groups(b, 1);
    return g->last_ns - g->slot_ns;
}

/* Both hosts are scraped at the same times, until the clock gets there; `gone` of them no more. */
static void scrape_until(struct bench *b, int64_t until_ns, int gone)
{
    while (b->sim.now_ns + SCRAPE_MS * NS_PER_MS <= until_ns) {
        bench_drive(b, b->sim.now_ns + SCRAPE_MS * NS_PER_MS);
        ARRIVE(b, bench_now_ms(b), 1, "m", "host", "a");
        if (gone == 0)
            ARRIVE(b, bench_now_ms(b), 1, "m", "host", "b");
    }
}

/* ---- slots ---- */

static void a_slot_waits_for_the_sample_behind_it_and_no_longer(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_int_equal(bench_load_with(&b, sum_rule, by_data), 0);
    int64_t slot_ns = ruler_next_ns(b.ruler), slot_ms = slot_ns / NS_PER_MS;
    ARRIVE(&b, slot_ms - 25000, 1, "m");
    ARRIVE(&b, slot_ms - 15000, 2, "m");
    bench_drive(&b, slot_ns + 7 * SECOND_NS); /* one is due at the slot */
    assert_int_equal(bench_groups(&b, 1)->iterations, 0);
    ARRIVE(&b, slot_ms - 5000, 3, "m");
    bench_drive(&b, b.sim.now_ns); /* now the next is due 5 s after it */
    assert_int_equal(bench_groups(&b, 1)->iterations, 1);
    assert_int_equal(lag_ns(&b), 7 * SECOND_NS);
    struct sample_run run = SAMPLES(&b, "s");
    assert_int_equal(run.count, 1);
    assert_int_equal(run.samples[0].t_ms, slot_ms);
    assert_true(run.samples[0].value == 3);
    bench_close(&b);
}

static void nothing_is_waited_for_longer_than_data_wait(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_int_equal(bench_load_with(&b, sum_rule, (struct rule_policy){true, 45000, 0, false}), 0);
    int64_t slot_ns = ruler_next_ns(b.ruler), slot_ms = slot_ns / NS_PER_MS;
    ARRIVE(&b, slot_ms - 10000, 1, "m");
    ARRIVE(&b, slot_ms - 1, 2, "m", "host", "new"); /* nobody knows when it comes again */
    bench_drive(&b, slot_ns + 45 * SECOND_NS - 2 * NS_PER_MS);
    assert_int_equal(bench_groups(&b, 1)->iterations, 0);
    bench_drive(&b, slot_ns + 45 * SECOND_NS);
    assert_int_equal(bench_groups(&b, 1)->iterations,
                     2); /* both are overdue by as much: the next slot need not wait either */
    assert_int_equal(SAMPLES(&b, "s").samples[0].t_ms, slot_ms);
    assert_true(SAMPLES(&b, "s").samples[0].value == 3);
    assert_int_equal(bench_groups(&b, 1)->missed, 0);
    bench_close(&b);
}

static void a_series_that_died_holds_slots_up_until_it_is_overdue_and_never_again(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_int_equal(bench_load_with(&b, sum_rule, by_data), 0);
    scrape_until(&b, START_NS + 10 * MINUTE_NS, 0);
    assert_in_range(lag_ns(&b), 0, 15 * SECOND_NS);
    int64_t died_ns = b.sim.now_ns;
    uint64_t before = bench_groups(&b, 1)->iterations;
    scrape_until(&b, died_ns + 70 * SECOND_NS, 1); /* 15 s until it is due, 60 s of data_wait */
    assert_in_range(bench_groups(&b, 1)->iterations - before, 0, 1);
    scrape_until(&b, died_ns + 5 * MINUTE_NS, 1);
    for (int i = 0; i < 20; i++) {
        scrape_until(&b, b.sim.now_ns + 15 * SECOND_NS, 1);
        assert_in_range(lag_ns(&b), 0, 15 * SECOND_NS);
    }
    assert_int_equal(bench_groups(&b, 1)->missed, 0);
    assert_int_equal(bench_groups(&b, 1)->iterations, (b.sim.now_ns - START_NS) / (30 * SECOND_NS));
    bench_close(&b);
}

static void a_series_that_ended_holds_nobody_up(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_int_equal(bench_load_with(&b, sum_rule, by_data), 0);
    scrape_until(&b, START_NS + 10 * MINUTE_NS, 0);
    ARRIVE(&b, bench_now_ms(&b) + 1, stale_nan(), "m", "host", "b");
    for (int i = 0; i < 20; i++) {
        scrape_until(&b, b.sim.now_ns + 15 * SECOND_NS, 1);
        assert_in_range(lag_ns(&b), 0, 15 * SECOND_NS);
    }
    bench_close(&b);
}

static void what_looks_back_waits_for_what_it_sees_only(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_int_equal(
        bench_load_with(
            &b,
            "groups: [{name: g, interval: 30s, rules: [{record: s, expr: 'max_over_time((m offset "
            "1m)[1m:15s] offset 1m) + last_over_time(m[1m] offset 2m)'}]}]",
            (struct rule_policy){.by_data = true, .data_wait_ms = 5 * MINUTE_MS}),
        0);
    int64_t slot_ns = ruler_next_ns(b.ruler), slot_ms = slot_ns / NS_PER_MS;
    ARRIVE(&b, slot_ms - 130000, 1, "m");
    bench_drive(&b, slot_ns);
    assert_int_equal(bench_groups(&b, 1)->iterations, 0);
    ARRIVE(&b, slot_ms - 120000, 1, "m");
    bench_drive(&b, slot_ns);
    assert_int_equal(bench_groups(&b, 1)->iterations, 1);
    assert_int_equal(lag_ns(&b), 0);
    bench_close(&b);
}

static void a_group_does_not_wait_for_what_it_writes(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    static const char text[] = "groups:\n- name: g\n  interval: 30s\n  rules:\n"
                               "  - {record: r, expr: m}\n"
                               "  - {record: x, expr: \"sum({__name__=~'r|s'}) + on () sum(r)\"}\n"
                               "  - {alert: A, expr: x > 0}\n"
                               "  - {record: n, expr: \"count(ALERTS{alertname='A'})\"}\n";
    assert_int_equal(bench_load_with(&b, text, by_data), 0);
    scrape_until(&b, START_NS + 10 * MINUTE_NS, 0);
    assert_in_range(lag_ns(&b), 0, 15 * SECOND_NS);
    assert_int_equal(bench_count(&b, "n"), 1);
    bench_close(&b);
}

static void a_slot_that_comes_too_late_is_missed_and_counted(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_int_equal(bench_load_with(&b, sum_rule, by_data), 0);
    int64_t slot_ns = ruler_next_ns(b.ruler);
    b.sim.now_ns = slot_ns + 5 * MINUTE_NS; /* the process stood still; data_wait is one minute */
    ARRIVE(&b, slot_ns / NS_PER_MS, 1, "m");
    bench_drive(&b, b.sim.now_ns);
    struct ruler_group *g = bench_groups(&b, 1);
    assert_int_equal(g->missed, 8);
    assert_int_equal(g->iterations, 11);
    assert_int_equal(g->slot_ns, b.sim.now_ns);
    assert_int_equal(SAMPLES(&b, "s").count, 3);
    bench_close(&b);
}

static void slots_that_wait_survive_a_change_of_their_rules(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_int_equal(bench_load_with(&b, sum_rule, by_data), 0);
    int64_t slot_ns = ruler_next_ns(b.ruler), slot_ms = slot_ns / NS_PER_MS;
    ARRIVE(&b, slot_ms - 1, 2, "m");
    bench_drive(&b, slot_ns + 40 * SECOND_NS);
    assert_int_equal(
        bench_load_with(&b, "groups: [{name: g, interval: 30s, rules: [{record: s, expr: 2 * sum(m)}]}]",
                        by_data),
        0);
    ARRIVE(&b, slot_ms + 31000, 5, "m");
    bench_drive(&b, b.sim.now_ns);
    struct sample_run run = SAMPLES(&b, "s");
    assert_int_equal(run.count, 2);
    assert_int_equal(run.samples[0].t_ms, slot_ms);
    assert_true(run.samples[0].value == 4);
    assert_true(run.samples[1].value == 4);
    bench_close(&b);
}

static void a_clock_that_is_put_back_leaves_no_group_waiting_for_it(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b,
               "groups: [{name: g, rules: [{alert: A, expr: vector(1) > 0}, {alert: B, expr: vector(1) > 0, "
               "for: 2m}]}]");
    int64_t before_ns = bench_step(&b);
    b.sim.now_ns = before_ns - 60 * MINUTE_NS;
    assert_false(ruler_run(b.ruler, b.sim.now_ns));
    ruler_wait(b.ruler, 0);
    for (int i = 1; i <= 3; i++)
        assert_int_equal(bench_step(&b), before_ns + (i - 60) * MINUTE_NS);
    assert_int_equal(bench_groups(&b, 1)->missed, 0);
    assert_int_equal(b.event_count, 3); /* A is told again, and B fires */
    assert_int_equal(b.events[2]->starts_ns, b.sim.now_ns);
    bench_close(&b);
}

/* By so little no slot is evaluated twice. */
static void a_clock_that_is_put_back_a_little_repeats_no_slot(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, "groups: [{name: g, rules: [{record: r, expr: vector(1)}]}]");
    int64_t before_ns = bench_step(&b);
    b.sim.now_ns = before_ns - 10 * SECOND_NS;
    assert_false(ruler_run(b.ruler, b.sim.now_ns));
    ruler_wait(b.ruler, 0);
    assert_int_equal(bench_step(&b), before_ns + MINUTE_NS);
    assert_int_equal(SAMPLES(&b, "r").count, 2);
    bench_close(&b);
}

/* Half of them by data, all with intervals of their own; in the middle some change and some go. */
static void of_many_groups_each_has_its_turn(void **state)
{
    (void)state;
    enum { GROUPS = 200 };
    struct bench b;
    struct buf text;
    bench_open(&b);
    buf_init(&text, 1 << 16);
    for (int load = 0; load < 2; load++) {
        buf_clear(&text);
        buf_puts(&text, "groups:\n");
        for (int i = 0; i < GROUPS; i++)
            if (load == 0 || i % 3 != 0)
                buf_format(&text, "- {name: g%03d, interval: %ds, rules: [{alert: A, expr: m > %d}]}\n", i,
                           5 + i % 40, load == 1 && i % 5 == 0 ? 7 : 8);
        struct rule_set *set = bench_rules("r.yml", buf_text(&text));
        for (size_t i = 0; i < set->count; i += 2)
            set->groups[i].policy.by_data = true;
        size_t count = set->count;
        assert_int_equal(ruler_load(b.ruler, set, NULL), 0);
        for (int s = 0; s < 120; s++) {
            ARRIVE(&b, bench_now_ms(&b), 1, "m");
            bench_drive(&b, b.sim.now_ns + SECOND_NS);
        }
        const struct ruler_group *groups = bench_groups(&b, count);
        for (size_t i = 0; i < count; i++) {
            int64_t behind_ns = b.sim.now_ns - groups[i].slot_ns;
            assert_true(behind_ns >= 0 && behind_ns <= (groups[i].interval_ms + 1000) * NS_PER_MS);
            assert_int_equal(groups[i].missed, 0);
            assert_true(groups[i].iterations >= (uint64_t)(119000 / groups[i].interval_ms));
        }
    }
    buf_release(&text);
    bench_close(&b);
}

/* ---- looks ---- */

/* The last evaluation of the only rule. */
static struct ruler_past *bench_past(struct bench *b)
{
    struct ruler_group *group;
    size_t count;
    assert_int_equal(ruler_snapshot_past(b->ruler, &b->arena, &group, &count), 0);
    must(count == 1 && group->count == 1 && group->rules[0].past_count > 0);
    return &group->rules[0].past[0];
}

static const char bad_rule[] = "groups: [{name: g, rules: [{alert: Bad, expr: bad > 0}]}]";

static void a_bad_sample_fires_at_once_with_its_own_time(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_int_equal(bench_load_with(&b, bad_rule, by_data), 0);
    int64_t slot_ns = ruler_next_ns(b.ruler);
    bench_drive(&b, slot_ns + 10 * SECOND_NS);
    int64_t t_ms = bench_now_ms(&b) - 3;
    ARRIVE(&b, t_ms, 1, "bad", "host", "a");
    bench_drive(&b, b.sim.now_ns);
    assert_int_equal(b.event_count, 1);
    expect_labels(b.events[0]->labels, "{alertname=\"Bad\", host=\"a\"}");
    assert_int_equal(b.events[0]->starts_ns, t_ms * NS_PER_MS);
    ARRIVE(&b, t_ms - 1, 7, "bad", "host", "b"); /* another sender, whose clock is behind */
    ARRIVE(&b, t_ms + 1, 1, "bad", "host", "a");
    bench_drive(&b, b.sim.now_ns);
    assert_int_equal(b.event_count, 2);
    expect_labels(b.events[1]->labels, "{alertname=\"Bad\", host=\"b\"}");
    assert_int_equal(bench_count(&b, "ALERTS"), 0); /* that is left to the slot */
    assert_int_equal(bench_groups(&b, 1)->iterations, 1);
    bench_close(&b);
}

static void a_look_ends_nothing_the_next_slot_does(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_int_equal(bench_load_with(&b, bad_rule, by_data), 0);
    int64_t slot_ns = ruler_next_ns(b.ruler), t_ms = slot_ns / NS_PER_MS;
    bench_drive(&b, slot_ns - 20 * SECOND_NS);
    ARRIVE(&b, bench_now_ms(&b), 1, "bad");
    bench_drive(&b, slot_ns - 10 * SECOND_NS);
    ARRIVE(&b, bench_now_ms(&b), 0, "bad");
    bench_drive(&b, slot_ns - SECOND_NS);
    assert_int_equal(b.event_count, 1);
    assert_int_equal(bench_rule(&b, 0)->alert_count, 1);
    ARRIVE(&b, t_ms, 0, "bad");
    bench_drive(&b, slot_ns);
    assert_int_equal(b.event_count, 2);
    assert_int_equal(b.events[1]->ends_ns, slot_ns);
    assert_int_equal(bench_rule(&b, 0)->alert_count, 0);
    bench_close(&b);
}

static void a_look_is_at_what_is_new(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_int_equal(bench_load_with(&b, bad_rule, by_data), 0);
    ARRIVE(&b, bench_now_ms(&b), 0, "bad", "host", "a");
    ARRIVE(&b, bench_now_ms(&b), 0, "bad", "host", "b");
    bench_drive(&b, b.sim.now_ns + SECOND_NS);
    struct ruler_past *past = bench_past(&b);
    assert_int_equal(past->occasion, OCCASION_LOOK);
    ARRIVE(&b, bench_now_ms(&b) + 500, 1, "bad", "host", "a"); /* not seen yet */
    bench_drive(&b, b.sim.now_ns + SECOND_NS);
    assert_int_equal(b.event_count, 0);
    ARRIVE(&b, bench_now_ms(&b), 1, "bad", "host", "b");
    bench_drive(&b, b.sim.now_ns + SECOND_NS);
    assert_int_equal(b.event_count, 2);
    ARRIVE(&b, bench_now_ms(&b), 2, "bad", "host", "b");
    bench_drive(&b, b.sim.now_ns + SECOND_NS);
    assert_int_equal(bench_past(&b)->results, 1);
    bench_close(&b);
}

/* The labels that make the two different are taken away. */
static void after_an_error_a_look_is_at_everything(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    static const char text[] =
        "groups: [{name: g, rules: [{alert: Bad, expr: bad > 0, labels: {host: ''}}]}]";
    assert_int_equal(bench_load_with(&b, text, by_data), 0);
    ARRIVE(&b, bench_now_ms(&b), 1, "bad", "host", "a");
    ARRIVE(&b, bench_now_ms(&b), 1, "bad", "host", "b");
    bench_drive(&b, b.sim.now_ns + SECOND_NS);
    assert_int_equal(bench_rule(&b, 0)->health, HEALTH_ERROR);
    assert_int_equal(b.event_count, 0);
    ARRIVE(&b, bench_now_ms(&b), 0, "bad", "host", "b");
    bench_drive(&b, b.sim.now_ns + SECOND_NS);
    assert_int_equal(bench_rule(&b, 0)->health, HEALTH_OK);
    assert_int_equal(b.event_count, 1);
    bench_close(&b);
}

static void only_what_one_sample_decides_is_looked_at(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    static const char text[] = "groups:\n- name: g\n  rules:\n"
                               "  - {alert: WithFor, expr: bad > 0, for: 1m}\n"
                               "  - {alert: Sum, expr: sum(bad) > 0}\n"
                               "  - {alert: Range, expr: 'rate(bad[5m]) >= 0'}\n"
                               "  - {alert: Two, expr: bad > 0 and bad < 5}\n"
                               "  - {alert: Offset, expr: bad offset 1s > 0}\n"
                               "  - {alert: Absent, expr: absent(nothing)}\n"
                               "  - {record: r, expr: bad > 0}\n"
                               "  - {alert: One, expr: (-bad + 3) * 2 < 5}\n";
    assert_int_equal(bench_load_with(&b, text, by_data), 0);
    ARRIVE(&b, bench_now_ms(&b), 1, "bad");
    bench_drive(&b, b.sim.now_ns);
    assert_int_equal(b.event_count, 1);
    expect_labels(b.events[0]->labels, "{alertname=\"One\"}");
    assert_int_equal(bench_groups(&b, 1)->looks, 1);
    bench_close(&b);
}

static void a_slot_that_comes_after_a_look_leaves_what_is_newer(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_int_equal(bench_load_with(&b, bad_rule, by_data), 0);
    int64_t slot_ns = ruler_next_ns(b.ruler), slot_ms = slot_ns / NS_PER_MS;
    ARRIVE(&b, slot_ms - 20000, 0, "bad", "host", "late");
    ARRIVE(&b, slot_ms - 10000, 0, "bad", "host", "late");
    bench_drive(&b, slot_ns + 20 * SECOND_NS); /* waits for the late one */
    ARRIVE(&b, slot_ms + 20000, 1, "bad", "host", "a");
    bench_drive(&b, b.sim.now_ns);
    assert_int_equal(b.event_count, 1);
    assert_int_equal(bench_groups(&b, 1)->iterations, 0);
    bench_drive(&b, slot_ns + 2 * MINUTE_NS);
    assert_in_range(bench_groups(&b, 1)->iterations, 1, 2);
    assert_int_equal(bench_rule(&b, 0)->alert_count, 1);
    for (size_t i = 0; i < b.event_count; i++) /* told again, never as resolved */
        assert_true(b.events[i]->ends_ns > b.sim.now_ns);
    struct sample_run run = SAMPLES(&b, "ALERTS", "alertname", "Bad", "alertstate", "firing", "host", "a");
    assert_true(run.count == 0 || run.samples[0].t_ms > slot_ms);
    bench_close(&b);
}

static void by_the_clock_nothing_is_looked_at(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, bad_rule);
    int64_t next_ns = ruler_next_ns(b.ruler);
    ARRIVE(&b, bench_now_ms(&b), 1, "bad");
    assert_int_equal(ruler_next_ns(b.ruler), next_ns);
    assert_false(ruler_run(b.ruler, b.sim.now_ns));
    bench_close(&b);
}

/* ---- catching up ---- */

static const struct rule_policy catches_up = {.catch_up_ms = 60 * MINUTE_MS};

static const char chain[] = "groups:\n- name: g\n  rules:\n"
                            "  - {record: s, expr: sum(m)}\n"
                            "  - {record: twice, expr: 2 * s}\n"
                            "  - {alert: Past, expr: 's == 7'}\n";

static void missed_slots_are_made_up_for_when_asked_once_their_samples_have_come(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_int_equal(bench_load_with(&b, chain, catches_up), 0);
    int64_t first_ns = ruler_next_ns(b.ruler), t_ms = first_ns / NS_PER_MS;
    ARRIVE(&b, t_ms - 30000, 1, "m");
    ARRIVE(&b, t_ms, 1, "m");
    bench_drive(&b, first_ns);
    b.sim.now_ns = first_ns + 4 * MINUTE_NS; /* the process stood still */
    bench_drive(&b, b.sim.now_ns);
    assert_int_equal(SAMPLES(&b, "s").count, 2);
    assert_int_equal(bench_groups(&b, 1)->missed, 3);
    for (int i = 1; i <= 8; i++) /* what the sender had kept */
        ARRIVE(&b, t_ms + i * 30000, i == 4 ? 7 : i, "m");
    bench_drive(&b, b.sim.now_ns);
    struct sample_run run = SAMPLES(&b, "twice");
    static const double values[] = {2, 4, 14, 12, 2};
    assert_int_equal(run.count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(run.samples[i].t_ms, t_ms + (int64_t)i * MINUTE_MS);
        assert_true(run.samples[i].value == values[i]);
    }
    assert_int_equal(b.event_count, 0); /* what was is no page */
    assert_int_equal(bench_groups(&b, 1)->caught_up, 3);
    assert_int_equal(bench_groups(&b, 1)->missed, 3);
    bench_close(&b);
}

static void what_was_missed_while_the_process_was_down_is_made_up_for(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_int_equal(bench_load_with(&b, chain, catches_up), 0);
    int64_t first_ns = ruler_next_ns(b.ruler), t_ms = first_ns / NS_PER_MS;
    for (int i = -2; i <= 0; i++)
        ARRIVE(&b, t_ms + i * 30000, 1, "m");
    bench_drive(&b, first_ns);
    ruler_close(b.ruler);
    b.sim.now_ns = first_ns + 10 * MINUTE_NS + 20 * SECOND_NS;
    b.ruler = ruler_open(&b.options);
    assert_int_equal(bench_load_with(&b, chain, catches_up), 0);
    bench_drive(&b, b.sim.now_ns + 5 * SECOND_NS);
    assert_int_equal(SAMPLES(&b, "s").count, 1);
    for (int i = 1; i <= 20; i++) {
        ARRIVE(&b, t_ms + i * 30000, 2, "m");
        if (i == 10)
            bench_drive(&b, b.sim.now_ns + SECOND_NS);
    }
    bench_drive(&b, first_ns + 12 * MINUTE_NS);
    struct sample_run run = SAMPLES(&b, "s");
    assert_int_equal(run.count, 13);
    for (size_t i = 0; i < run.count; i++) {
        assert_int_equal(run.samples[i].t_ms, t_ms + (int64_t)i * MINUTE_MS);
        assert_true(run.samples[i].value == (i == 0 ? 1 : 2));
    }
    assert_int_equal(bench_groups(&b, 1)->caught_up, 10);
    bench_close(&b);
}

/* For each series at which of the slots 0 to 6 it has a value; `.`: nothing, `e`: it ends there. */
static void expect_slots(struct bench *b, const char *i, int64_t first_ms, const char *text)
{
    struct sample_run run = SAMPLES(b, "r", "i", i);
    char got[8] = ".......";
    for (size_t k = 0; k < run.count; k++) {
        int64_t slot = (run.samples[k].t_ms - first_ms) / MINUTE_MS;
        must(slot >= 0 && slot < 7);
        got[slot] = is_stale_nan(run.samples[k].value) ? 'e' : '1';
    }
    if (strcmp(got, text) != 0)
        fail_msg("series %s: %s instead of %s", i, got, text);
}

/* What arrives of each series, before slots 0 to 6, and what is to be recorded: 1 to 4 were missed. Slot 5, which does not know of them, ends
 * what slot 0 had. */
static const struct {
    const char *i, *arrives, *recorded;
} missed_series[] = {
    {"all", "1111111", "1111111"},   {"gone", "1000000", "1e...e."},  {"back", "1001111", "1e.1111"},
    {"new", "0001111", "...1111"},   {"short", "0011000", "..11e.."}, {"last", "1111100", "11111e."},
    {"later", "0000010", ".....1e"},
};

static void bring_missed(struct bench *b, int64_t first_ms, int from, int to)
{
    for (int slot = from; slot <= to; slot++)
        for (size_t i = 0; i < sizeof missed_series / sizeof *missed_series; i++) {
            const char *arrives = missed_series[i].arrives;
            bool ends = slot > 0 && arrives[slot - 1] == '1' && arrives[slot] == '0';
            if (arrives[slot] == '1' || ends)
                ARRIVE(b, first_ms + slot * MINUTE_MS - 1000, ends ? stale_nan() : 1, "m", "i",
                       missed_series[i].i);
        }
}

static void expect_missed(struct bench *b, int64_t first_ms)
{
    for (size_t i = 0; i < sizeof missed_series / sizeof *missed_series; i++)
        expect_slots(b, missed_series[i].i, first_ms, missed_series[i].recorded);
}

static void what_comes_no_more_ends_at_the_slot_where_it_does_though_that_was_missed(void **state)
{
    (void)state;
    static const char text[] = "groups: [{name: g, rules: [{record: r, expr: m}]}]";
    for (int restarts = 0; restarts < 2; restarts++) {
        struct bench b;
        bench_open(&b);
        assert_int_equal(bench_load_with(&b, text, catches_up), 0);
        int64_t first_ns = ruler_next_ns(b.ruler), first_ms = first_ns / NS_PER_MS;
        bring_missed(&b, first_ms, 0, 0);
        bench_drive(&b, first_ns);
        if (restarts)
            ruler_close(b.ruler);
        b.sim.now_ns = first_ns + (restarts ? 4 * MINUTE_NS + 20 * SECOND_NS : 5 * MINUTE_NS);
        if (restarts) {
            b.ruler = ruler_open(&b.options);
            assert_int_equal(bench_load_with(&b, text, catches_up), 0);
            bring_missed(&b, first_ms, 1, 4);
            bench_drive(&b, b.sim.now_ns);
            assert_int_equal(bench_groups(&b, 1)->caught_up, 4);
            bring_missed(&b, first_ms, 5, 5);
        } else {
            bring_missed(&b, first_ms, 1, 5);
        }
        bench_drive(&b, first_ns + 5 * MINUTE_NS);
        assert_int_equal(bench_groups(&b, 1)->caught_up, 4);
        bring_missed(&b, first_ms, 6, 6);
        bench_drive(&b, first_ns + 6 * MINUTE_NS);
        expect_missed(&b, first_ms);
        bench_close(&b);
    }
}

static void what_was_missed_longer_ago_than_catch_up_says_stays_missed(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_int_equal(bench_load_with(&b, chain, (struct rule_policy){.catch_up_ms = 5 * MINUTE_MS}), 0);
    int64_t first_ns = ruler_next_ns(b.ruler), t_ms = first_ns / NS_PER_MS;
    ARRIVE(&b, t_ms - 60000, 1, "m");
    ARRIVE(&b, t_ms, 1, "m");
    bench_drive(&b, first_ns);
    b.sim.now_ns = first_ns + 20 * MINUTE_NS;
    for (int i = 1; i <= 20; i++)
        ARRIVE(&b, t_ms + i * MINUTE_MS, 2, "m");
    bench_drive(&b, b.sim.now_ns);
    struct sample_run run = SAMPLES(&b, "s");
    assert_int_equal(run.count, 7);
    assert_int_equal(run.samples[1].t_ms, t_ms + 15 * MINUTE_MS);
    assert_int_equal(bench_groups(&b, 1)->missed, 19);
    bench_close(&b);
}

/* ---- the limit ---- */

static void past_its_limit_a_rule_keeps_its_alerts_when_asked_and_says_so(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    static const char text[] = "groups: [{name: g, limit: 2, rules: [{alert: A, expr: m}]}]";
    assert_int_equal(bench_load_with(&b, text, (struct rule_policy){.keep_over_limit = true}), 0);
    PUSH(&b, 1, "m", "i", "2");
    bench_step(&b);
    for (int i = 0; i < 5; i++) {
        char name[2] = {(char)('0' + i), '\0'};
        PUSH(&b, 1, "m", "i", name);
    }
    bench_step(&b);
    expect_str(bench_rule(&b, 0)->last_error,
               "exceeded limit of 2 with 5 alerts; those that came first are kept");
    assert_int_equal(bench_rule(&b, 0)->health, HEALTH_ERROR);
    assert_int_equal(bench_rule(&b, 0)->alert_count, 2);
    assert_int_equal(bench_count(&b, "ALERTS{i='2'}"), 1);
    assert_int_equal(bench_count(&b, "ALERTS"), 2);
    assert_int_equal(b.event_count, 2); /* one that was, one that came */
    PUSH(&b, stale_nan(), "m", "i", "2");
    for (int i = 0; i < 5; i++) {
        char name[2] = {(char)('0' + i), '\0'};
        if (i != 2)
            PUSH(&b, 1, "m", "i", name);
    }
    bench_step(&b);
    assert_int_equal(bench_rule(&b, 0)->alert_count, 1); /* its place is free with the next evaluation */
    bench_step(&b);
    assert_int_equal(bench_rule(&b, 0)->alert_count, 2);
    bench_close(&b);
}

/* ---- what was ---- */

static void the_last_evaluations_of_a_rule_are_shown(void **state)
{
    (void)state;
    struct bench b;
    struct ruler_group *groups;
    size_t count;
    bench_open(&b);
    bench_load(&b,
               "groups: [{name: g, query_offset: 5s, rules: [{record: r, expr: m + on () group_left n}]}]");
    int64_t slot_ns = 0;
    for (int i = 0; i < 20; i++) {
        PUSH(&b, i, "m", "host", "a");
        PUSH(&b, i, "m", "host", "b");
        PUSH(&b, 1, "n", "host", i < 19 ? "a" : "b");
        slot_ns = bench_step(&b);
    }
    assert_int_equal(ruler_snapshot(b.ruler, &b.arena, &groups, &count), 0);
    assert_null(groups[0].rules[0].past);
    assert_int_equal(ruler_snapshot_past(b.ruler, &b.arena, &groups, &count), 0);
    const struct ruler_rule *rule = &groups[0].rules[0];
    assert_int_equal(rule->past_count, 16);
    for (size_t i = 0; i < 16; i++) {
        const struct ruler_past *p = &rule->past[i];
        assert_int_equal(p->t_ms, (slot_ns - (int64_t)i * MINUTE_NS) / NS_PER_MS - 5000);
        assert_int_equal(p->series, i == 0 ? 4 : 3);
        assert_int_equal(p->results, i == 0 ? 0 : 2);
        assert_int_equal(p->occasion, OCCASION_SLOT);
        assert_int_equal(p->error.n > 0, i == 0);
    }
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slot_waits_for_the_sample_behind_it_and_no_longer),
        cmocka_unit_test(nothing_is_waited_for_longer_than_data_wait),
        cmocka_unit_test(a_series_that_died_holds_slots_up_until_it_is_overdue_and_never_again),
        cmocka_unit_test(a_series_that_ended_holds_nobody_up),
        cmocka_unit_test(what_looks_back_waits_for_what_it_sees_only),
        cmocka_unit_test(a_group_does_not_wait_for_what_it_writes),
        cmocka_unit_test(a_slot_that_comes_too_late_is_missed_and_counted),
        cmocka_unit_test(slots_that_wait_survive_a_change_of_their_rules),
        cmocka_unit_test(a_clock_that_is_put_back_leaves_no_group_waiting_for_it),
        cmocka_unit_test(a_clock_that_is_put_back_a_little_repeats_no_slot),
        cmocka_unit_test(a_bad_sample_fires_at_once_with_its_own_time),
        cmocka_unit_test(a_look_ends_nothing_the_next_slot_does),
        cmocka_unit_test(of_many_groups_each_has_its_turn),
        cmocka_unit_test(a_look_is_at_what_is_new),
        cmocka_unit_test(after_an_error_a_look_is_at_everything),
        cmocka_unit_test(only_what_one_sample_decides_is_looked_at),
        cmocka_unit_test(a_slot_that_comes_after_a_look_leaves_what_is_newer),
        cmocka_unit_test(by_the_clock_nothing_is_looked_at),
        cmocka_unit_test(missed_slots_are_made_up_for_when_asked_once_their_samples_have_come),
        cmocka_unit_test(what_was_missed_while_the_process_was_down_is_made_up_for),
        cmocka_unit_test(what_comes_no_more_ends_at_the_slot_where_it_does_though_that_was_missed),
        cmocka_unit_test(what_was_missed_longer_ago_than_catch_up_says_stays_missed),
        cmocka_unit_test(past_its_limit_a_rule_keeps_its_alerts_when_asked_and_says_so),
        cmocka_unit_test(the_last_evaluations_of_a_rule_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
