/* What an Alertmanager and the API see of four kinds of rules, evaluation by evaluation: rules every 30 s, samples every 15 s, resend
 * delay 1m; the cases of the alert generator compliance tests. */
#include "ruler_help.h"

enum { SAMPLE_S = 15, SLOT_S = 30 };

#define SLOT_NS (SLOT_S * NS_PER_S)

static struct bench bench;

/* Value of the one series of a group, by seconds since the start; NaN: there is none. */
typedef double series_value(int64_t at_s);

/* To the next slot, with a sample at each 15 s on the way. */
static int64_t next_slot(struct bench *b, const char *const *names, series_value *const *values, size_t count)
{
    int64_t slot_ns = ruler_next_ns(b->ruler);
    for (int64_t next_ns = b->sim.now_ns; next_ns < slot_ns; next_ns += SAMPLE_S * NS_PER_S) {
        b->sim.now_ns = next_ns;
        for (size_t i = 0; i < count; i++)
            PUSH(b, values[i]((next_ns - START_NS) / NS_PER_S), names[i], "rulegroup", "g");
    }
    int64_t sampled_ns = b->sim.now_ns;
    bench_run_until(b, slot_ns);
    b->sim.now_ns = sampled_ns + SAMPLE_S * NS_PER_S > slot_ns ? sampled_ns + SAMPLE_S * NS_PER_S : slot_ns;
    return slot_ns;
}

static double climbs(int64_t at_s)
{
    return at_s < 5 * 60 || at_s >= 20 * 60 ? 5 : 11 + (double)(at_s / 60);
}

static void expect_event(const struct alert_event *e, const char *labels, int64_t starts_ns, int64_t ends_ns)
{
    expect_labels(e->labels, labels);
    assert_int_equal(e->starts_ns, starts_ns);
    assert_int_equal(e->ends_ns, ends_ns);
}

/* What the API shows of a rule right after an evaluation. */
static void expect_state(size_t rule, enum alert_state state, int64_t active_ns, double value)
{
    const struct ruler_rule *r = bench_rule(&bench, rule);
    assert_int_equal(r->state, state);
    assert_int_equal(r->alert_count, state != ALERT_INACTIVE);
    if (state == ALERT_INACTIVE)
        return;
    assert_int_equal(r->alerts[0].active_ns, active_ns);
    assert_true(r->alerts[0].value == value);
}

static void inactive_pending_firing_resolved(void **state)
{
    (void)state;
    static const char *const names[] = {"m"};
    static series_value *const values[] = {climbs};
    struct bench *b = &bench;
    int64_t active_ns = 0, fired_ns = 0, told_ns = 0, resolved_ns = 0;
    bench_open(b);
    bench_load(b, "groups:\n- name: g\n  interval: 30s\n  rules:\n"
                  "  - alert: A\n    expr: m > 10\n    for: 6m\n    labels: {foo: bar, rulegroup: own}\n"
                  "    annotations: {description: 'The value is {{$value}} {{.Value}}'}\n");
    for (int i = 0; i < 80; i++) {
        int64_t ts = next_slot(b, names, values, 1);
        double value = bench_value(b, "last_over_time(m[1m])");
        size_t expected = 0;
        if (value > 10) {
            active_ns = active_ns == 0 ? ts : active_ns;
            bool firing = ts - active_ns >= 6 * MINUTE_NS;
            fired_ns = firing && fired_ns == 0 ? ts : fired_ns;
            expected = firing && (told_ns == 0 || told_ns + MINUTE_NS < ts);
            expect_state(0, firing ? ALERT_FIRING : ALERT_PENDING, active_ns, value);
        } else {
            resolved_ns = fired_ns != 0 && resolved_ns == 0 ? ts : resolved_ns;
            bool over = resolved_ns != 0 && ts - resolved_ns > 15 * MINUTE_NS;
            expected = resolved_ns == ts || (resolved_ns != 0 && !over && told_ns + MINUTE_NS < ts);
            expect_state(0, ALERT_INACTIVE, 0, 0);
        }
        assert_int_equal(b->event_count, expected);
        if (expected == 1) {
            told_ns = ts;
            expect_event(b->events[0], "{alertname=\"A\", foo=\"bar\", rulegroup=\"own\"}", fired_ns,
                         resolved_ns != 0 ? resolved_ns : ts + 4 * MINUTE_NS);
        }
        if (expected == 1 && resolved_ns == 0) {
            struct buf text;
            buf_init(&text, 256);
            buf_format(&text, "{description=\"The value is %d %d\"}", (int)value, (int)value);
            expect_labels(b->events[0]->annotations, buf_text(&text));
            buf_release(&text);
        }
        bench_forget_events(b);
    }
    assert_int_equal(fired_ns - active_ns, 6 * MINUTE_NS);
    assert_in_range(resolved_ns - START_NS, 20 * MINUTE_NS, 20 * MINUTE_NS + 2 * SLOT_NS);
    assert_in_range(told_ns - resolved_ns, 13 * MINUTE_NS, 15 * MINUTE_NS); /* the last time */
    bench_close(b);
}

static double short_burst(int64_t at_s)
{
    return at_s >= 120 && at_s < 240 ? 15 : 5;
}

static void pending_and_inactive_again_is_never_told(void **state)
{
    (void)state;
    static const char *const names[] = {"m"};
    static series_value *const values[] = {short_burst};
    bool pending = false;
    bench_open(&bench);
    bench_load(&bench,
               "groups: [{name: g, interval: 30s, rules: [{alert: Never, expr: m > 10, for: 3m}, {alert: "
               "Always, expr: m > 20}]}]");
    for (int i = 0; i < 20; i++) {
        next_slot(&bench, names, values, 1);
        const struct ruler_rule *never = bench_rule(&bench, 0);
        assert_int_not_equal(never->state, ALERT_FIRING);
        assert_int_equal(bench_count(&bench, "ALERTS{alertname='Never',alertstate='pending'}"),
                         never->state == ALERT_PENDING);
        pending |= never->state == ALERT_PENDING;
        assert_int_equal(bench_rule(&bench, 1)->state, ALERT_INACTIVE);
        assert_false(bench_rule(&bench, 1)->state_unknown);
    }
    assert_true(pending);
    assert_int_equal(bench.event_count, 0);
    bench_close(&bench);
}

static void for_zero_fires_at_once_and_less_than_an_interval_with_the_next(void **state)
{
    (void)state;
    static const char *const names[] = {"m"};
    static series_value *const values[] = {short_burst};
    int64_t zero_ns = 0, small_ns = 0;
    bench_open(&bench);
    bench_load(
        &bench,
        "groups: [{name: g, interval: 30s, rules: [{alert: Zero, expr: m > 10}, {alert: Small, expr: m "
        "> 10, for: 15s}]}]");
    for (int i = 0; i < 6; i++) {
        int64_t ts = next_slot(&bench, names, values, 1);
        bool active = bench_value(&bench, "last_over_time(m[1m])") > 10;
        zero_ns = active && zero_ns == 0 ? ts : zero_ns;
        expect_state(0, active ? ALERT_FIRING : ALERT_INACTIVE, zero_ns, 15);
        expect_state(1, !active ? ALERT_INACTIVE : ts == zero_ns ? ALERT_PENDING : ALERT_FIRING, zero_ns, 15);
        small_ns = active && ts != zero_ns && small_ns == 0 ? ts : small_ns;
    }
    assert_int_equal(small_ns - zero_ns, SLOT_NS);
    assert_in_range(bench.event_count, 2, 4);
    expect_event(bench.events[0], "{alertname=\"Zero\", rulegroup=\"g\"}", zero_ns, zero_ns + 4 * MINUTE_NS);
    expect_event(bench.events[1], "{alertname=\"Small\", rulegroup=\"g\"}", small_ns,
                 small_ns + 4 * MINUTE_NS);
    bench_close(&bench);
}

static double first_series(int64_t at_s)
{
    return at_s >= 60 ? 15 : 5;
}

static double second_series(int64_t at_s)
{
    return at_s >= 5 * 60 ? 15 : 5;
}

/* The second rule counts alerts of the first: it has to see them in the evaluation that makes them. */
static void alerts_of_a_rule_are_there_for_the_next_rule_of_the_same_evaluation(void **state)
{
    (void)state;
    static const char *const names[] = {"first", "second"};
    static series_value *const values[] = {first_series, second_series};
    int64_t both_ns = 0;
    struct bench *b = &bench;
    bench_open(b);
    /* The two series lose their names, so each needs a label of its own to be told apart. */
    bench_load(b, "groups:\n- name: g\n  interval: 30s\n  rules:\n"
                  "  - {alert: Rule1, expr: 'label_replace({__name__=~\"first|second\"}, \"which\", \"$1\", "
                  "\"__name__\", \"(.*)\") > 10', for: 3m, labels: {ba_dum: tss, rulegroup: own}}\n"
                  "  - {alert: Rule2, expr: 'sum(ALERTS{alertname=\"Rule1\",alertstate=\"firing\"})'}\n");
    for (int i = 0; i < 22; i++) {
        int64_t ts = next_slot(b, names, values, 2);
        const struct ruler_rule *one = bench_rule(b, 0), *two = bench_rule(b, 1);
        size_t firing = 0;
        for (size_t k = 0; k < one->alert_count; k++)
            firing += one->alerts[k].state == ALERT_FIRING;
        assert_int_equal(two->alert_count, firing > 0);
        if (firing > 0)
            assert_true(two->alerts[0].value == (double)firing);
        assert_int_equal(
            bench_count(b, "ALERTS{alertname='Rule1',ba_dum='tss',rulegroup='own',alertstate='firing'}"),
            firing);
        both_ns = firing == 2 && both_ns == 0 ? ts : both_ns;
    }
    assert_int_not_equal(both_ns, 0);
    assert_true(b->event_count >= 3);
    expect_labels(b->events[0]->labels,
                  "{alertname=\"Rule1\", ba_dum=\"tss\", rulegroup=\"own\", which=\"first\"}");
    expect_labels(b->events[1]->labels, "{alertname=\"Rule2\"}");
    assert_int_equal(b->events[0]->starts_ns, b->events[1]->starts_ns);
    size_t at = 2;
    while (!str_is(labels_get(b->events[at]->labels, STR("which")), "second"))
        at++;
    assert_int_equal(b->events[at]->starts_ns, both_ns);
    bench_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inactive_pending_firing_resolved),
        cmocka_unit_test(pending_and_inactive_again_is_never_told),
        cmocka_unit_test(for_zero_fires_at_once_and_less_than_an_interval_with_the_next),
        cmocka_unit_test(alerts_of_a_rule_are_there_for_the_next_rule_of_the_same_evaluation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
