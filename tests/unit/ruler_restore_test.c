/* Alerts and recorded series across the end of the process. */
#include "ruler_help.h"

#include "tocsin/log.h"

static struct bench b;

static int begin(void **unused)
{
    (void)unused;
    struct err err = {0};
    bench_open(&b);
    must(state_open(":memory:", &b.options.state, &err) == 0);
    ruler_configure(b.ruler, &b.options);
    return 0;
}

static int end(void **unused)
{
    (void)unused;
    bench_close(&b);
    state_close(b.options.state);
    return 0;
}

static struct ruler_alert *only_alert(void)
{
    struct ruler_rule *rule = bench_rule(&b, 0);
    assert_int_equal(rule->alert_count, 1);
    return &rule->alerts[0];
}

static void expect_event(size_t at, int64_t starts_ns, int64_t ends_ns)
{
    assert_true(at < b.event_count);
    assert_int_equal(b.events[at]->starts_ns, starts_ns);
    assert_int_equal(b.events[at]->ends_ns, ends_ns);
}

/* ---- the state that was written down ---- */

static void a_pending_alert_goes_on_and_fires_in_time(void **unused)
{
    (void)unused;
    static const char rules[] = "groups: [{name: g, rules: [{alert: A, expr: m, for: 3m, annotations: {v: "
                                "'{{ $value }}'}}]}]";
    bench_load(&b, rules);
    PUSH(&b, 4, "m", "i", "1");
    int64_t first_ns = bench_step(&b);
    bench_step(&b);
    bench_restart(&b, rules);
    assert_int_equal(b.event_count, 0);
    struct ruler_alert *alert = only_alert();
    assert_int_equal(alert->state, ALERT_PENDING);
    assert_int_equal(alert->active_ns, first_ns);
    assert_true(alert->value == 4);
    expect_labels(alert->labels, "{alertname=\"A\", i=\"1\"}");
    expect_labels(alert->annotations, "{v=\"4\"}");
    bench_step(&b);
    assert_int_equal(only_alert()->state, ALERT_PENDING);
    int64_t fired_ns = bench_step(&b);
    assert_int_equal(fired_ns, first_ns + 3 * MINUTE_NS);
    assert_int_equal(only_alert()->state, ALERT_FIRING);
    expect_event(0, fired_ns, fired_ns + 4 * MINUTE_NS);
}

static void a_firing_alert_is_told_at_once_with_the_times_it_had(void **unused)
{
    (void)unused;
    static const char rules[] = "groups: [{name: g, rules: [{alert: A, expr: m > 0, annotations: {a: b}}]}]";
    bench_load(&b, rules);
    PUSH(&b, 1, "m");
    int64_t fired_ns = bench_step(&b);
    b.sim.now_ns += 17 * NS_PER_S;
    bench_restart(&b, rules);
    assert_int_equal(b.event_count, 1);
    expect_event(0, fired_ns, b.sim.now_ns + 4 * MINUTE_NS);
    expect_labels(b.events[0]->annotations, "{a=\"b\"}");
    expect_str(b.events[0]->generator_url, "http://tocsin.example/graph?g0.expr=m+%3E+0&g0.tab=1");
    PUSH(&b, 0, "m");
    int64_t over_ns = bench_step(&b);
    assert_int_equal(b.event_count, 2);
    expect_event(1, fired_ns, over_ns);
}

static void an_empty_annotation_does_not_lose_its_alert(void **unused)
{
    (void)unused;
    static const char rules[] =
        "groups: [{name: g, rules: [{alert: A, expr: m > 0, annotations: {a: '', b: c}}]}]";
    bench_load(&b, rules);
    PUSH(&b, 1, "m");
    int64_t fired_ns = bench_step(&b);
    bench_restart(&b, rules);
    assert_int_equal(b.event_count, 1);
    expect_event(0, fired_ns, b.sim.now_ns + 4 * MINUTE_NS);
    expect_labels(b.events[0]->annotations, "{a=\"\", b=\"c\"}");
}

static void keeping_on_firing_is_not_begun_anew(void **unused)
{
    (void)unused;
    static const char rules[] = "groups: [{name: g, rules: [{alert: A, expr: m > 0, keep_firing_for: 3m}]}]";
    bench_load(&b, rules);
    PUSH(&b, 1, "m");
    int64_t fired_ns = bench_step(&b);
    PUSH(&b, 0, "m");
    int64_t since_ns = bench_step(&b);
    bench_restart(&b, rules);
    assert_int_equal(only_alert()->keep_firing_since_ns, since_ns);
    bench_step(&b);
    bench_step(&b);
    bench_restart(&b, rules);
    assert_int_equal(only_alert()->state, ALERT_FIRING);
    bench_step(&b);
    assert_int_equal(bench_rule(&b, 0)->alert_count, 0);
    expect_event(b.event_count - 1, fired_ns, since_ns + 3 * MINUTE_NS);
}

/* Whoever was told that it fires would take it as ended long before the clock is there again. */
static void a_clock_that_was_put_back_keeps_no_alert_from_being_told_and_ended(void **unused)
{
    (void)unused;
    static const char rules[] = "groups: [{name: g, rules: [{alert: A, expr: vector(1) > 0}]}]";
    bench_load(&b, rules);
    bench_step(&b);
    b.sim.now_ns -= 60 * MINUTE_NS;
    bench_restart(&b, rules);
    assert_int_equal(b.event_count, 1);
    bench_step(&b);
    bench_step(&b);
    assert_int_equal(only_alert()->state, ALERT_FIRING);
    assert_int_equal(b.event_count, 2);
    bench_restart(&b, "groups: [{name: g, rules: [{alert: A, expr: vector(1) > 1}]}]");
    bench_step(&b);
    assert_int_equal(bench_rule(&b, 0)->alert_count, 0);
}

static bool somebody_waits;

static bool owes_end(void *context, const struct labels *labels)
{
    (void)context;
    expect_labels(labels, "{alertname=\"A\"}");
    return somebody_waits;
}

static void an_end_is_told_again_after_a_long_time_only_if_somebody_waits_for_it(void **unused)
{
    (void)unused;
    b.options.owes_end = owes_end;
    somebody_waits = true;
    ruler_configure(b.ruler, &b.options);
    static const char rules[] = "groups: [{name: g, rules: [{alert: A, expr: m > 0}]}]";
    bench_load(&b, rules);
    PUSH(&b, 1, "m");
    int64_t fired_ns = bench_step(&b);
    PUSH(&b, 0, "m");
    int64_t over_ns = bench_step(&b);
    bench_restart(&b, rules);
    assert_int_equal(b.event_count, 1);
    expect_event(0, fired_ns, over_ns);
    bench_run_until(&b, over_ns + 60 * MINUTE_NS);
    bench_restart(&b, rules);
    assert_int_equal(b.event_count, 1);
    expect_event(0, fired_ns, over_ns);
    bench_step(&b);
    assert_int_equal(b.event_count, 1);
    somebody_waits = false;
    bench_restart(&b, rules);
    assert_int_equal(b.event_count, 0);
    somebody_waits = true;
    bench_restart(&b, rules);
    assert_int_equal(b.event_count, 1);
    assert_int_equal(state_alerts_expire(b.options.state, over_ns + 1, NULL), 0);
    bench_restart(&b, rules);
    assert_int_equal(b.event_count, 0);
}

/* Its end may not have been told to everybody when it comes back. */
static void a_pending_alert_tells_the_end_of_its_last_time(void **unused)
{
    (void)unused;
    static const char rules[] = "groups: [{name: g, rules: [{alert: A, expr: m > 0, for: 1m}]}]";
    bench_load(&b, rules);
    PUSH(&b, 1, "m");
    bench_step(&b);
    int64_t fired_ns = bench_step(&b);
    PUSH(&b, 0, "m");
    int64_t over_ns = bench_step(&b);
    PUSH(&b, 1, "m");
    bench_step(&b);
    bench_restart(&b, rules);
    assert_int_equal(only_alert()->state, ALERT_PENDING);
    assert_int_equal(b.event_count, 1);
    expect_event(0, fired_ns, over_ns);
    PUSH(&b, 0, "m");
    bench_step(&b);
    assert_int_equal(bench_rule(&b, 0)->alert_count, 0);
    bench_restart(&b, rules);
    assert_int_equal(b.event_count, 1);
    expect_event(0, fired_ns, over_ns);
}

static void firing_again_it_forgets_its_last_time(void **unused)
{
    (void)unused;
    static const char rules[] = "groups: [{name: g, rules: [{alert: A, expr: m > 0}]}]";
    bench_load(&b, rules);
    PUSH(&b, 1, "m");
    bench_step(&b);
    PUSH(&b, 0, "m");
    bench_step(&b);
    PUSH(&b, 1, "m");
    int64_t again_ns = bench_step(&b);
    expect_event(2, again_ns, again_ns + 4 * MINUTE_NS);
    bench_restart(&b, rules);
    assert_int_equal(b.event_count, 1);
    expect_event(0, again_ns, again_ns + 4 * MINUTE_NS);
}

static void rules_of_one_name_and_labels_keep_their_own(void **unused)
{
    (void)unused;
    static const char rules[] =
        "groups: [{name: g, rules: [{alert: A, expr: m > 1}, {alert: A, expr: n > 1}, "
        "{alert: A, expr: o > 1, labels: {l: x}}]}]";
    bench_load(&b, rules);
    PUSH(&b, 5, "n");
    bench_step(&b);
    bench_restart(&b, rules);
    assert_int_equal(bench_rule(&b, 0)->alert_count, 0);
    assert_int_equal(bench_rule(&b, 1)->alert_count, 1);
    assert_int_equal(bench_rule(&b, 2)->alert_count, 0);
}

static void a_changed_expression_keeps_the_alerts(void **unused)
{
    (void)unused;
    bench_load(&b, "groups: [{name: g, rules: [{alert: A, expr: m, for: 5m}]}]");
    PUSH(&b, 1, "m");
    int64_t first_ns = bench_step(&b);
    bench_restart(&b, "groups: [{name: g, rules: [{alert: B, expr: m}, {alert: A, expr: m > 0, for: 5m}]}]");
    bench_step(&b);
    assert_int_equal(bench_rule(&b, 1)->alerts[0].active_ns, first_ns);
}

/* ---- rules that go ---- */

static void what_fired_and_has_no_rule_any_more_has_ended(void **unused)
{
    (void)unused;
    bench_load(&b, "groups: [{name: g, rules: [{alert: A, expr: m}, {alert: P, expr: m, for: 1h}]}]");
    PUSH(&b, 1, "m");
    int64_t fired_ns = bench_step(&b);
    b.sim.now_ns += 10 * NS_PER_S;
    int64_t start_ns = b.sim.now_ns;
    for (int i = 0; i < 2; i++) {
        bench_restart(&b, "groups: [{name: g, rules: [{alert: B, expr: m}]}]");
        assert_int_equal(b.event_count, 1);
        expect_event(0, fired_ns, start_ns);
        b.sim.now_ns += 10 * NS_PER_S;
    }
}

/* The router takes it as ended when it is told no more; the next process' router has to know when. */
static void a_rule_that_a_reload_removes_leaves_the_end_of_its_alerts(void **unused)
{
    (void)unused;
    static const char without[] = "groups: [{name: g, rules: [{record: r, expr: m}]}]";
    for (int whole_group = 0; whole_group < 2; whole_group++) {
        bench_restart(&b, "groups: [{name: g, rules: [{alert: A, expr: m}, {alert: P, expr: m, for: 1h}]}]");
        PUSH(&b, 1, "m");
        int64_t fired_ns = bench_step(&b);
        bench_load(&b, whole_group ? "groups: []" : without);
        bench_restart(&b, without);
        assert_int_equal(b.event_count, 1);
        expect_event(0, fired_ns, fired_ns + 4 * MINUTE_NS);
        must(state_alerts_expire(b.options.state, INT64_MAX, NULL) == 0);
        b.sim.now_ns += MINUTE_NS;
    }
}

static void past_its_limit_a_rule_leaves_the_end_of_its_alerts(void **unused)
{
    (void)unused;
    static const char rules[] = "groups: [{name: g, limit: 1, rules: [{alert: A, expr: m}]}]";
    bench_load(&b, rules);
    PUSH(&b, 1, "m", "i", "1");
    int64_t fired_ns = bench_step(&b);
    PUSH(&b, 1, "m", "i", "2");
    bench_step(&b);
    bench_restart(&b, rules);
    assert_int_equal(bench_rule(&b, 0)->alert_count, 0);
    assert_int_equal(b.event_count, 1);
    expect_event(0, fired_ns, fired_ns + 4 * MINUTE_NS);
}

static void a_raised_for_leaves_the_end_of_what_fired(void **unused)
{
    (void)unused;
    static const char raised[] = "groups: [{name: g, rules: [{alert: A, expr: m, for: 1h}]}]";
    bench_load(&b, "groups: [{name: g, rules: [{alert: A, expr: m}]}]");
    PUSH(&b, 1, "m");
    int64_t fired_ns = bench_step(&b);
    bench_load(&b, raised);
    bench_step(&b);
    bench_restart(&b, raised);
    assert_int_equal(only_alert()->state, ALERT_PENDING);
    assert_int_equal(b.event_count, 1);
    expect_event(0, fired_ns, fired_ns + 4 * MINUTE_NS);
}

/* ---- when it is written down ---- */

struct looker {
    struct state *state;
    int64_t states[8];
    size_t count;
    int64_t found;
};

static void look_at(void *context, const struct alert_rule_key *key, const struct alert_row *row)
{
    (void)key;
    ((struct looker *)context)->found = row->state;
}

static void look(void *context, struct alert_event *event)
{
    struct looker *l = context;
    l->found = -1;
    must(state_alerts_each(l->state, look_at, l, NULL) == 0 && l->count < 8);
    l->states[l->count++] = l->found;
    mem_free(event);
}

static void what_is_told_is_written_down_by_then(void **unused)
{
    (void)unused;
    struct looker l = {.state = b.options.state};
    b.options.emit = look;
    b.options.context = &l;
    ruler_configure(b.ruler, &b.options);
    bench_load(&b, "groups: [{name: g, rules: [{alert: A, expr: m > 0, for: 1m}]}]");
    PUSH(&b, 1, "m");
    bench_step(&b);
    bench_step(&b);
    PUSH(&b, 0, "m");
    bench_step(&b);
    assert_int_equal(l.count, 2);
    assert_int_equal(l.states[0], ALERT_FIRING);
    assert_int_equal(l.states[1], ALERT_INACTIVE);
}

static void count_rows(void *context, const struct alert_rule_key *key, const struct alert_row *row)
{
    (void)key;
    (void)row;
    ++*(int *)context;
}

static int rows(void)
{
    int count = 0;
    must(state_alerts_each(b.options.state, count_rows, &count, NULL) == 0);
    return count;
}

static void take_identity(void *context, const struct alert_rule_key *key)
{
    *(uint64_t *)context = key->rule;
}

/* Seen by taking the row away: it does not come back before something changes. */
static void an_evaluation_that_changes_nothing_writes_nothing(void **unused)
{
    (void)unused;
    bench_load(&b, "groups: [{name: g, rules: [{alert: A, expr: m, annotations: {v: '{{ $value }}'}}]}]");
    PUSH(&b, 1, "m");
    bench_step(&b);
    assert_int_equal(rows(), 1);
    const struct labels *gone = labels_of(&b.arena, "alertname", "A", NULL);
    struct alert_rule_news news = {.key = {STR("r.yml"), STR("g"), 0}, .gone = &gone, .gone_count = 1};
    must(state_alert_rules_each(b.options.state, take_identity, &news.key.rule, NULL) == 0);
    must(state_alerts_put(b.options.state, &news, 1, NULL) == 0);
    assert_int_equal(rows(), 0);
    for (int i = 0; i < 3; i++) {
        PUSH(&b, 2 + i, "m");
        bench_step(&b);
    }
    assert_int_equal(b.event_count, 2);
    assert_int_equal(rows(), 0);
    PUSH(&b, stale_nan(), "m");
    bench_step(&b);
    assert_int_equal(rows(), 1);
}

static void a_pending_alert_that_passed_leaves_nothing(void **unused)
{
    (void)unused;
    bench_load(&b, "groups: [{name: g, rules: [{alert: A, expr: m > 0, for: 5m}]}]");
    PUSH(&b, 1, "m");
    bench_step(&b);
    assert_int_equal(rows(), 1);
    PUSH(&b, 0, "m");
    bench_step(&b);
    assert_int_equal(rows(), 0);
}

/* ---- what the samples tell ---- */

static void a_recorded_series_that_comes_no_more_is_marked(void **unused)
{
    (void)unused;
    static const char rules[] =
        "groups: [{name: g, rules: [{record: r, expr: m > 0, labels: {l: x, gone: ''}}]}]";
    bench_load(&b, rules);
    PUSH(&b, 1, "m", "i", "1", "gone", "y");
    PUSH(&b, 1, "m", "i", "2");
    bench_step(&b);
    bench_restart(&b, rules);
    PUSH(&b, 0, "m", "i", "1", "gone", "y");
    int64_t slot_ns = bench_step(&b);
    struct sample_run run = SAMPLES(&b, "r", "i", "1", "l", "x");
    assert_int_equal(run.count, 2);
    assert_int_equal(run.samples[1].t_ms, slot_ns / NS_PER_MS);
    assert_true(is_stale_nan(run.samples[1].value));
    assert_int_equal(bench_count(&b, "r"), 1);
    assert_int_equal(SAMPLES(&b, "r", "i", "2", "l", "x").count, 2);
}

static void the_state_that_an_alert_left_is_marked(void **unused)
{
    (void)unused;
    static const char rules[] =
        "groups: [{name: g, query_offset: 7s, rules: [{alert: A, expr: m, for: 1m, labels: {l: "
        "'{{ $labels.i }}', gone: ''}}]}]";
    bench_load(&b, rules);
    PUSH(&b, 1, "m", "i", "1");
    bench_step(&b);
    bench_step(&b);
    bench_restart(&b, rules);
    bench_step(&b);
    assert_int_equal(bench_count(&b, "ALERTS"), 1);
    assert_true(bench_value(&b, "ALERTS{alertstate=\"firing\"}") == 1);
    bench_restart(&b, rules);
    PUSH(&b, stale_nan(), "m", "i", "1");
    bench_step(&b);
    bench_run_until(&b, b.sim.now_ns + MINUTE_NS);
    assert_int_equal(bench_count(&b, "ALERTS"), 0);
    assert_int_equal(bench_count(&b, "ALERTS_FOR_STATE"), 0);
}

static void a_rule_that_fails_first_marks_nothing(void **unused)
{
    (void)unused;
    static const char rules[] = "groups: [{name: g, rules: [{record: r, expr: m * on (i) n}]}]";
    bench_load(&b, rules);
    PUSH(&b, 1, "m", "i", "1");
    PUSH(&b, 1, "n", "i", "1");
    bench_step(&b);
    bench_restart(&b, rules);
    PUSH(&b, 1, "n", "i", "1", "j", "2");
    bench_step(&b);
    assert_int_equal(bench_rule(&b, 0)->health, HEALTH_ERROR);
    assert_int_equal(SAMPLES(&b, "r", "i", "1").count, 1);
    PUSH(&b, stale_nan(), "n", "i", "1", "j", "2");
    PUSH(&b, stale_nan(), "n", "i", "1");
    bench_step(&b);
    assert_int_equal(SAMPLES(&b, "r", "i", "1").count, 2);
}

/* Two rules of a group record r, each its own series, and so does another group, at its own times; and somebody pushes it. */
static void what_others_write_is_not_marked(void **unused)
{
    (void)unused;
    static const char rules[] = "groups:\n- {name: g, rules: [{record: r, expr: m}, {record: r, expr: n}]}\n"
                                "- {name: h, rules: [{record: r, expr: o}]}\n";
    bench_load(&b, rules);
    PUSH(&b, 1, "m", "i", "1");
    PUSH(&b, 1, "n", "i", "2");
    PUSH(&b, 1, "o", "i", "3");
    PUSH(&b, 1, "r", "i", "4");
    bench_run_until(&b, START_NS + 2 * MINUTE_NS);
    bench_restart(&b, rules);
    bench_run_until(&b, START_NS + 4 * MINUTE_NS);
    assert_int_equal(bench_count(&b, "r"), 4);
    struct ruler_group *groups = bench_groups(&b, 2);
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < groups[i].count; k++)
            assert_int_equal(groups[i].rules[k].health, HEALTH_OK);
    static const char *const series[] = {"1", "2", "3"};
    for (size_t i = 0; i < 3; i++) {
        struct sample_run run = SAMPLES(&b, "r", "i", series[i]);
        assert_int_equal(run.count, 4);
        assert_false(is_stale_nan(run.samples[2].value));
    }
}

static void what_somebody_pushes_is_not_marked(void **unused)
{
    (void)unused;
    static const char rules[] = "groups: [{name: g, rules: [{record: r, expr: m}]}]";
    bench_load(&b, rules);
    PUSH(&b, 1, "m", "i", "1");
    PUSH(&b, 1, "r", "i", "2");
    bench_step(&b);
    bench_restart(&b, rules);
    bench_step(&b);
    assert_int_equal(bench_count(&b, "r"), 2);
}

/* At an interval of a millisecond every time is one of both groups. */
static void where_two_groups_could_have_written_it_nobody_marks_it(void **unused)
{
    (void)unused;
    static const char rules[] =
        "groups:\n- {name: g, interval: 1ms, rules: [{record: r, expr: m > 0}, {record: s, "
        "expr: m > 0}]}\n- {name: h, interval: 1ms, rules: [{record: r, expr: n > 0}]}\n";
    bench_load(&b, rules);
    PUSH(&b, 1, "m");
    bench_run_until(&b, START_NS + 2 * NS_PER_MS);
    bench_restart(&b, rules);
    PUSH(&b, 0, "m");
    bench_run_until(&b, START_NS + 4 * NS_PER_MS);
    assert_int_equal(bench_count(&b, "r"), 1);
    assert_int_equal(bench_count(&b, "s"), 0);
}

/* ---- rules that are not known ---- */

static const char for_an_hour[] =
    "groups: [{name: g, rules: [{alert: A, expr: m, for: 1h, labels: {l: x}}]}]";

static void push_since(int64_t at_ns, int64_t active_ns, const char *i)
{
    int64_t now_ns = b.sim.now_ns;
    b.sim.now_ns = at_ns;
    PUSH(&b, (double)(active_ns / NS_PER_S), "ALERTS_FOR_STATE", "alertname", "A", "l", "x", "i", i);
    b.sim.now_ns = now_ns;
}

static void allow_outages(void)
{
    b.options.outage_tolerance_ms = 60 * MINUTE_MS;
    b.options.for_grace_ms = 10 * MINUTE_MS;
    ruler_configure(b.ruler, &b.options);
}

static int64_t active_of(const char *i)
{
    struct ruler_rule *rule = bench_rule(&b, 0);
    for (size_t k = 0; k < rule->alert_count; k++)
        if (str_is(labels_get(rule->alerts[k].labels, STR("i")), i))
            return rule->alerts[k].active_ns;
    return 0;
}

static void another_process_series_tell_since_when_an_alert_is_active(void **unused)
{
    (void)unused;
    allow_outages();
    int64_t down_ns = START_NS - 20 * MINUTE_NS;
    push_since(down_ns, down_ns - 30 * MINUTE_NS, "waits");
    push_since(down_ns, down_ns - 55 * MINUTE_NS, "nearly");
    push_since(down_ns, down_ns - 90 * MINUTE_NS, "over");
    push_since(START_NS - 61 * MINUTE_NS, down_ns, "long ago");
    push_since(down_ns, down_ns - 30 * MINUTE_NS, "ended");
    b.sim.now_ns = down_ns + NS_PER_MS;
    PUSH(&b, stale_nan(), "ALERTS_FOR_STATE", "alertname", "A", "l", "x", "i", "ended");
    b.sim.now_ns = START_NS;
    static const char *const names[] = {"waits", "nearly", "over", "long ago", "ended"};
    for (size_t i = 0; i < 5; i++)
        PUSH(&b, 1, "m", "i", names[i]);
    bench_restart(&b, for_an_hour);
    int64_t first_ns = bench_step(&b);
    assert_int_equal(active_of("waits"), first_ns);
    assert_int_equal(
        SAMPLES(&b, "ALERTS", "alertname", "A", "alertstate", "pending", "l", "x", "i", "waits").count, 0);
    int64_t now_ns = bench_step(&b);
    assert_int_equal(active_of("waits"), down_ns - 30 * MINUTE_NS + (now_ns - down_ns));
    assert_int_equal(active_of("nearly"), now_ns + 10 * MINUTE_NS - 60 * MINUTE_NS);
    assert_int_equal(active_of("over"), down_ns - 90 * MINUTE_NS);
    assert_int_equal(active_of("long ago"), first_ns);
    assert_int_equal(active_of("ended"), first_ns);
    bench_step(&b);
    assert_int_equal(bench_count(&b, "ALERTS{alertstate=\"firing\"}"), 1);
    assert_int_equal(bench_count(&b, "ALERTS{alertstate=\"pending\"}"), 4);
    bench_restart(&b, for_an_hour);
    assert_int_equal(active_of("nearly"), now_ns + 10 * MINUTE_NS - 60 * MINUTE_NS);
    assert_int_equal(active_of("long ago"), first_ns);
}

static void what_is_no_time_is_not_recalled(void **unused)
{
    (void)unused;
    allow_outages();
    static const double values[] = {-1, 1e10, 1e300, INFINITY};
    static const char *const names[] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < 4; i++) {
        PUSH(&b, values[i], "ALERTS_FOR_STATE", "alertname", "A", "l", "x", "i", names[i]);
        PUSH(&b, 1, "m", "i", names[i]);
    }
    bench_restart(&b, for_an_hour);
    int64_t first_ns = bench_step(&b);
    bench_step(&b);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(active_of(names[i]), first_ns);
}

/* It would be neither told nor ended before that time has come. */
static void what_is_said_to_be_active_later_than_it_was_seen_begins_now(void **unused)
{
    (void)unused;
    allow_outages();
    push_since(START_NS - MINUTE_NS, START_NS + 500 * MINUTE_NS, "1");
    PUSH(&b, 1, "m", "i", "1");
    bench_restart(&b, for_an_hour);
    bench_step(&b);
    bench_step(&b);
    assert_true(active_of("1") <= b.sim.now_ns);
    PUSH(&b, stale_nan(), "m", "i", "1");
    bench_step(&b);
    assert_int_equal(bench_rule(&b, 0)->alert_count, 0);
}

/* Not lost when the process ends again before it was used. */
static void what_was_recalled_waits_for_its_use(void **unused)
{
    (void)unused;
    allow_outages();
    int64_t down_ns = START_NS - 20 * MINUTE_NS;
    push_since(down_ns, down_ns - 90 * MINUTE_NS, "1");
    PUSH(&b, 1, "m", "i", "1");
    bench_restart(&b, for_an_hour);
    bench_step(&b);
    bench_restart(&b, for_an_hour);
    bench_step(&b);
    bench_step(&b);
    assert_int_equal(active_of("1"), down_ns - 90 * MINUTE_NS);
}

static void a_short_for_and_a_known_rule_do_not_ask_the_series(void **unused)
{
    (void)unused;
    allow_outages();
    push_since(START_NS - MINUTE_NS, START_NS - 90 * MINUTE_NS, "1");
    PUSH(&b, 1, "m", "i", "1");
    static const char short_for[] =
        "groups: [{name: g, rules: [{alert: A, expr: m, for: 9m, labels: {l: x}}]}]";
    bench_restart(&b, short_for);
    int64_t first_ns = bench_step(&b);
    bench_step(&b);
    assert_int_equal(active_of("1"), first_ns);
    assert_int_equal(bench_count(&b, "ALERTS"), 1);
    PUSH(&b, stale_nan(), "m", "i", "1");
    bench_step(&b);
    push_since(b.sim.now_ns + NS_PER_MS, START_NS - 90 * MINUTE_NS, "1");
    bench_restart(&b, for_an_hour);
    PUSH(&b, 1, "m", "i", "1");
    int64_t again_ns = bench_step(&b);
    bench_step(&b);
    bench_step(&b);
    assert_int_equal(active_of("1"), again_ns);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_pending_alert_goes_on_and_fires_in_time),
        TEST(a_firing_alert_is_told_at_once_with_the_times_it_had),
        TEST(an_empty_annotation_does_not_lose_its_alert),
        TEST(keeping_on_firing_is_not_begun_anew),
        TEST(a_clock_that_was_put_back_keeps_no_alert_from_being_told_and_ended),
        TEST(an_end_is_told_again_after_a_long_time_only_if_somebody_waits_for_it),
        TEST(a_pending_alert_tells_the_end_of_its_last_time),
        TEST(firing_again_it_forgets_its_last_time),
        TEST(rules_of_one_name_and_labels_keep_their_own),
        TEST(a_changed_expression_keeps_the_alerts),
        TEST(what_fired_and_has_no_rule_any_more_has_ended),
        TEST(a_rule_that_a_reload_removes_leaves_the_end_of_its_alerts),
        TEST(past_its_limit_a_rule_leaves_the_end_of_its_alerts),
        TEST(a_raised_for_leaves_the_end_of_what_fired),
        TEST(what_is_told_is_written_down_by_then),
        TEST(an_evaluation_that_changes_nothing_writes_nothing),
        TEST(a_pending_alert_that_passed_leaves_nothing),
        TEST(a_recorded_series_that_comes_no_more_is_marked),
        TEST(the_state_that_an_alert_left_is_marked),
        TEST(a_rule_that_fails_first_marks_nothing),
        TEST(what_others_write_is_not_marked),
        TEST(what_somebody_pushes_is_not_marked),
        TEST(where_two_groups_could_have_written_it_nobody_marks_it),
        TEST(another_process_series_tell_since_when_an_alert_is_active),
        TEST(what_is_no_time_is_not_recalled),
        TEST(what_is_said_to_be_active_later_than_it_was_seen_begins_now),
        TEST(what_was_recalled_waits_for_its_use),
        TEST(a_short_for_and_a_known_rule_do_not_ask_the_series),
    };
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, -1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
