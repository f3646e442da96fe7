/* The messages of an alert's life, field by field: rules every 30 s, samples every 15 s, resend delay 1m; the first case of
 * rules/alert_generator_test.yml. */
#include "ruler_help.h"

enum { SAMPLE_S = 15, SLOT_S = 30 };

#define SLOT_NS (SLOT_S * NS_PER_S)

static struct bench bench;

static double climbs(int64_t at_s)
{
    return at_s < 5 * 60 || at_s >= 20 * 60 ? 5 : 11 + (double)(at_s / 60);
}

/* To the next slot, with a sample at each 15 s on the way. */
static int64_t next_slot(struct bench *b)
{
    int64_t slot_ns = ruler_next_ns(b->ruler);
    for (int64_t next_ns = b->sim.now_ns; next_ns < slot_ns; next_ns += SAMPLE_S * NS_PER_S) {
        b->sim.now_ns = next_ns;
        PUSH(b, climbs((next_ns - START_NS) / NS_PER_S), "m", "rulegroup", "g");
    }
    int64_t sampled_ns = b->sim.now_ns;
    bench_run_until(b, slot_ns);
    b->sim.now_ns = sampled_ns + SAMPLE_S * NS_PER_S > slot_ns ? sampled_ns + SAMPLE_S * NS_PER_S : slot_ns;
    return slot_ns;
}

static void expect_event(const struct alert_event *e, const char *labels, int64_t starts_ns, int64_t ends_ns)
{
    expect_labels(e->labels, labels);
    assert_int_equal(e->starts_ns, starts_ns);
    assert_int_equal(e->ends_ns, ends_ns);
}

/* What the API shows of a rule right after an evaluation. */
static void expect_state(enum alert_state state, int64_t active_ns, double value)
{
    const struct ruler_rule *r = bench_rule(&bench, 0);
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
    struct bench *b = &bench;
    int64_t active_ns = 0, fired_ns = 0, told_ns = 0, resolved_ns = 0;
    bench_open(b);
    bench_load(b, "groups:\n- name: g\n  interval: 30s\n  rules:\n"
                  "  - alert: A\n    expr: m > 10\n    for: 6m\n    labels: {foo: bar, rulegroup: own}\n"
                  "    annotations: {description: 'The value is {{$value}} {{.Value}}'}\n");
    for (int i = 0; i < 80; i++) {
        int64_t ts = next_slot(b);
        double value = bench_value(b, "last_over_time(m[1m])");
        size_t expected = 0;
        if (value > 10) {
            active_ns = active_ns == 0 ? ts : active_ns;
            bool firing = ts - active_ns >= 6 * MINUTE_NS;
            fired_ns = firing && fired_ns == 0 ? ts : fired_ns;
            expected = firing && (told_ns == 0 || told_ns + MINUTE_NS < ts);
            expect_state(firing ? ALERT_FIRING : ALERT_PENDING, active_ns, value);
        } else {
            resolved_ns = fired_ns != 0 && resolved_ns == 0 ? ts : resolved_ns;
            bool over = resolved_ns != 0 && ts - resolved_ns > 15 * MINUTE_NS;
            expected = resolved_ns == ts || (resolved_ns != 0 && !over && told_ns + MINUTE_NS < ts);
            expect_state(ALERT_INACTIVE, 0, 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inactive_pending_firing_resolved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
