/* What is told of an alert, evaluation by evaluation, beside the state that rules/alert_table_test.yml has line by line; and what a
 * reload does to it. As Prometheus 3.14. */
#include "ruler_help.h"

/* A step is one minute, one evaluation.
 *   condition  1: it holds  0: it does not  e: the rule fails
 *   state      I: inactive  P: pending  F: firing  K: firing, kept by keep_firing_for
 *   active     the step from whose evaluation on it is active, as a letter from a on; -: it is not
 *   told       f: told that it fires  r: that it is resolved  .: nothing */
struct row {
    const char *name;
    int for_min, keep_min;
    const char *condition, *state, *active, *told;
};

static const struct row rows[] = {
    {"without for a new alert fires at once, and is told again once the delay is passed", 0, 0,
     /**/ "011111", /**/ "IFFFFF", /**/ "-bbbbb", /**/ ".f.f.f"},
    {"a new alert is pending until it has been active for as long as for", 3, 0,
     /**/ "11111", /**/ "PPPFF", /**/ "aaaaa", /**/ "...f."},
    {"a pending alert that is absent is gone at once and untold", 2, 0,
     /**/ "1010111", /**/ "PIPIPPF", /**/ "a-c-eee", /**/ "......f"},
    {"a firing alert that is absent is resolved and told at once", 0, 0,
     /**/ "10", /**/ "FI", /**/ "a-", /**/ "fr"},
    {"a resolved alert that comes back is a new one and told at once", 0, 0,
     /**/ "1011", /**/ "FIFF", /**/ "a-cc", /**/ "frf."},
    {"a resolved alert that comes back is pending first", 1, 0,
     /**/ "11011", /**/ "PFIPF", /**/ "aa-dd", /**/ ".fr.f"},
    {"a resolved alert is told again until fifteen minutes are over", 0, 0,
     /**/ "100000000000000000", /**/ "FIIIIIIIIIIIIIIIII", /**/ "a-----------------",
     /**/ "fr.r.r.r.r.r.r.r.."},
    {"a firing alert is kept from its first absence on, for less than keep_firing_for", 0, 2,
     /**/ "10001", /**/ "FKKIF", /**/ "aaa-e", /**/ "f.frf"},
    {"a kept alert whose condition comes back is kept anew afterwards", 0, 2,
     /**/ "1001000", /**/ "FKKFKKI", /**/ "aaaaaa-", /**/ "f.f.f.r"},
    {"a pending alert is never kept", 2, 5,
     /**/ "110", /**/ "PPI", /**/ "aa-", /**/ "..."},
    {"a failing rule leaves its alerts as they are and tells nothing", 1, 0,
     /**/ "1e1eee0", /**/ "PPFFFFI", /**/ "aaaaaa-", /**/ "..f...r"},
    {"a failing rule does not end what is kept", 0, 3,
     /**/ "10e00", /**/ "FKKKI", /**/ "aaaa-", /**/ "f..fr"},
};

static struct bench bench;

static void load(struct bench *b, int for_min, int keep_min)
{
    struct buf text;
    buf_init(&text, 4096);
    buf_format(&text,
               "groups: [{name: g, rules: [{alert: A, expr: 'label_replace(m, \"i\", \"\", \"\", \"\") > 0', "
               "for: %dm, keep_firing_for: %dm}]}]",
               for_min, keep_min);
    bench_load(b, buf_text(&text));
    buf_release(&text);
}

/* Two series that the rule makes one of are its failure. */
static void set_condition(struct bench *b, char condition)
{
    PUSH(b, condition == '0' ? 0 : 1, "m", "i", "1");
    PUSH(b, condition == 'e' ? 1 : stale_nan(), "m", "i", "2");
}

static char state_of(const struct ruler_rule *rule)
{
    if (rule->alert_count == 0)
        return 'I';
    if (rule->alerts[0].state == ALERT_PENDING)
        return 'P';
    return rule->alerts[0].keep_firing_since_ns != 0 ? 'K' : 'F';
}

static char told(struct bench *b)
{
    char what = '.';
    assert_in_range(b->event_count, 0, 1);
    if (b->event_count == 1)
        what = alert_is_resolved(b->events[0], b->sim.now_ns) ? 'r' : 'f';
    bench_forget_events(b);
    return what;
}

static void expect_series(struct bench *b, char state)
{
    assert_int_equal(bench_count(b, "ALERTS{alertstate=\"pending\"}"), state == 'P');
    assert_int_equal(bench_count(b, "ALERTS{alertstate=\"firing\"}"), state == 'F' || state == 'K');
    assert_int_equal(bench_count(b, "ALERTS_FOR_STATE"), state != 'I');
}

static void expect_step(struct bench *b, const struct row *row, size_t i, int64_t first_ns)
{
    const struct ruler_rule *rule = bench_rule(b, 0);
    char state = state_of(rule), active = '-', what = told(b);
    if (rule->alert_count > 0)
        active = (char)('a' + (rule->alerts[0].active_ns - first_ns) / MINUTE_NS);
    if (state != row->state[i] || active != row->active[i] || what != row->told[i])
        fail_msg("%s: step %zu: %c %c %c, expected %c %c %c", row->name, i, state, active, what,
                 row->state[i], row->active[i], row->told[i]);
    assert_int_equal(rule->health, row->condition[i] == 'e' ? HEALTH_ERROR : HEALTH_OK);
    expect_series(b, state);
}

static void every_line_of_the_table_holds(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        const struct row *row = &rows[r];
        int64_t first_ns = 0;
        bench_open(&bench);
        load(&bench, row->for_min, row->keep_min);
        assert_int_equal(strlen(row->condition), strlen(row->state));
        for (size_t i = 0; i < strlen(row->condition); i++) {
            set_condition(&bench, row->condition[i]);
            int64_t slot_ns = bench_step(&bench);
            first_ns = i == 0 ? slot_ns : first_ns;
            expect_step(&bench, row, i, first_ns);
        }
        bench_close(&bench);
    }
}

/* Raising `for` takes a firing alert back, also while keep_firing_for holds it; pending, it is not kept any more. */
static void a_raised_for_takes_back_what_is_kept(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_open(b);
    load(b, 0, 10);
    set_condition(b, '1');
    bench_step(b);
    set_condition(b, '0');
    bench_step(b);
    assert_int_equal(state_of(bench_rule(b, 0)), 'K');
    load(b, 5, 10);
    bench_step(b);
    assert_int_equal(state_of(bench_rule(b, 0)), 'P');
    assert_int_equal(bench_rule(b, 0)->alerts[0].keep_firing_since_ns, 0);
    set_condition(b, '0');
    bench_step(b);
    assert_int_equal(state_of(bench_rule(b, 0)), 'I');
    bench_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_of_the_table_holds),
        cmocka_unit_test(a_raised_for_takes_back_what_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
