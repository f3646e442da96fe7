/* What rules record, as it is told to whoever asks. */
#include "ruler_help.h"

#include <stdio.h>

static struct bench b;
static struct buf told; /* a line a sample: labels value */

static void take(void *context, const struct batch *batch)
{
    assert_ptr_equal(context, &b);
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_series *series = &batch->series[i];
        assert_int_equal(series->sample_count, 1);
        for (size_t k = 0; k < series->label_count; k++)
            buf_format(&told, "%s%.*s=%.*s", k > 0 ? "," : "", STR_ARG(series->labels[k].name),
                       STR_ARG(series->labels[k].value));
        if (is_stale_nan(series->samples->value))
            buf_puts(&told, " end\n");
        else
            buf_format(&told, " %g\n", series->samples->value);
    }
}

static int open_with(enum store_keep keep)
{
    bench_open(&b);
    buf_init(&told, 1 << 20);
    b.options.recorded = take;
    b.options.context = &b;
    ruler_close(b.ruler);
    store_configure(b.store, &(struct store_options){.retention_ms = INT64_MAX, .keep = keep});
    b.ruler = ruler_open(&b.options);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    return open_with(STORE_KEEP_ALL);
}

static int tear_down(void **state)
{
    (void)state;
    bench_close(&b);
    buf_release(&told);
    return 0;
}

/* These lines, in any order. */
static void expect_told(const char *lines)
{
    struct str rest = str_of(lines);
    for (struct str line = str_cut(&rest, '\n'); rest.p != NULL; line = str_cut(&rest, '\n')) {
        char text[256];
        snprintf(text, sizeof text, "%.*s\n", STR_ARG(line));
        if (strstr(buf_text(&told), text) == NULL)
            fail_msg("expected %s in\n%s", text, buf_text(&told));
    }
    assert_int_equal(told.used, strlen(lines));
    buf_clear(&told);
}

static void results_alerts_and_ends_are_told(void **state)
{
    (void)state;
    bench_load(&b,
               "groups: [{name: g, interval: 1m, rules: [{record: twice, expr: 2 * x}, {alert: A, expr: x > "
               "0, for: 1m}]}]");
    PUSH(&b, 1, "x", "i", "1");
    bench_step(&b);
    expect_told("__name__=twice,i=1 2\n"
                "__name__=ALERTS,alertname=A,alertstate=pending,i=1 1\n"
                "__name__=ALERTS_FOR_STATE,alertname=A,i=1 1.7e+09\n");
    PUSH(&b, stale_nan(), "x", "i", "1");
    bench_step(&b);
    expect_told("__name__=twice,i=1 end\n"
                "__name__=ALERTS,alertname=A,alertstate=pending,i=1 end\n"
                "__name__=ALERTS_FOR_STATE,alertname=A,i=1 end\n");
}

/* Whoever took both would have to refuse one of them, and perhaps all that came with it. */
static void what_contradicts_what_was_there_is_not_told(void **state)
{
    (void)state;
    bench_load(&b, "groups: [{name: g, interval: 1m, rules: [{record: r, expr: vector(1)}, {record: r, expr: "
                   "vector(2)}, {record: s, expr: vector(3)}]}]");
    bench_step(&b);
    expect_told("__name__=r 1\n"
                "__name__=s 3\n");
}

static void some_of_a_rule_may_be_refused(void **state)
{
    (void)state;
    bench_load(&b, "groups: [{name: g, interval: 1m, rules: [{record: r, expr: x}]}]");
    int64_t slot_ns = ruler_next_ns(b.ruler);
    PUSH(&b, 1, "x", "i", "1");
    PUSH(&b, 1, "x", "i", "2");
    PUSH(&b, 1, "x", "i", "3");
    b.sim.now_ns = slot_ns;
    PUSH(&b, 7, "r", "i", "2"); /* somebody else has been there at that very time */
    assert_true(ruler_run(b.ruler, slot_ns));
    assert_null(strstr(buf_text(&told), "i=2"));
    assert_non_null(strstr(buf_text(&told), "__name__=r,i=1 1\n"));
    assert_non_null(strstr(buf_text(&told), "__name__=r,i=3 1\n"));
}

static void what_nobody_here_asks_for_is_told_all_the_same(void **state)
{
    (void)state;
    tear_down(NULL);
    open_with(STORE_KEEP_REFERENCED);
    bench_load(&b, "groups: [{name: g, interval: 1m, rules: [{record: r, expr: vector(1)}]}]");
    bench_step(&b);
    assert_int_equal(bench_count(&b, "r"), 0);
    expect_told("__name__=r 1\n");
}

static void rules_that_go_end_their_series(void **state)
{
    (void)state;
    bench_load(&b, "groups: [{name: g, interval: 1m, rules: [{record: r, expr: vector(1)}]}]");
    bench_step(&b);
    expect_told("__name__=r 1\n");
    bench_run_until(&b, b.sim.now_ns + NS_PER_S);
    bench_load(&b, "groups: []");
    bench_run_until(&b, b.sim.now_ns + 5 * MINUTE_NS);
    expect_told("__name__=r end\n");
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FRESH(results_alerts_and_ends_are_told), FRESH(what_contradicts_what_was_there_is_not_told),
        FRESH(some_of_a_rule_may_be_refused),    FRESH(what_nobody_here_asks_for_is_told_all_the_same),
        FRESH(rules_that_go_end_their_series),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
