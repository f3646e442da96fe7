#include "ruletest_priv.h"

#include "tocsin/duration.h"
#include "tocsin/gotext.h"
#include "tocsin/histogram.h"
#include "tocsin/limits.h"
#include "tocsin/promqltest.h"

#include <math.h>
#include <stdlib.h>

struct shown_sample {
    const struct labels *labels;
    double value;
    const struct histogram *histogram;
    bool partial; /* other labels are allowed */
};

struct shown_samples {
    struct shown_sample *items;
    size_t count;
};

static int by_metric(const void *a, const void *b)
{
    return labels_compare(((const struct shown_sample *)a)->labels, ((const struct shown_sample *)b)->labels);
}

static int result_samples(struct arena *arena, const struct promql_result *result, struct shown_samples *out,
                          struct err *err)
{
    bool scalar = result->type == PROMQL_SCALAR;
    if (!scalar && result->type != PROMQL_VECTOR)
        return err_set(err, ERR_EXEC, "rule result is not a vector or scalar");
    out->count = scalar ? 1 : result->count;
    out->items = ARENA_ARRAY(arena, struct shown_sample, out->count);
    if (out->items == NULL)
        return err_set(err, ERR_LIMIT, "the result takes too much memory");
    if (scalar)
        out->items[0] = (struct shown_sample){.labels = labels_empty(arena), .value = result->scalar};
    for (size_t i = 0; i < result->count && !scalar; i++) {
        const struct promql_point *point = &result->series[i].points[0];
        out->items[i] =
            (struct shown_sample){labels_copy(arena, result->series[i].labels), point->value, NULL, false};
        if (point->histogram != NULL)
            out->items[i].histogram = histogram_copy(arena, point->histogram);
    }
    qsort(out->items, out->count, sizeof *out->items, by_metric);
    return arena_exhausted(arena) ? err_set(err, ERR_LIMIT, "the result takes too much memory") : 0;
}

static int query_samples(struct test_run *run, const struct test_expr *test, struct shown_samples *out,
                         struct err *err)
{
    struct promql *query;
    struct promql_result result;
    int64_t t_ms = run->start_ns / NS_PER_MS + test->eval_time.ms;
    int code = promql_open(test->expr, &run->ruler->globals->options.promql, NULL, &query, err);
    if (code != 0)
        return code;
    struct view *view = view_open(run->store);
    code = promql_instant(query, view, t_ms, &run->arena, &result, err);
    if (code == 0)
        code = result_samples(&run->arena, &result, out, err);
    view_close(view);
    promql_close(query);
    return code;
}

static int expected_histogram(struct test_run *run, const struct test_sample *sample,
                              struct shown_sample *out, struct err *err)
{
    struct labels *none;
    struct sample *samples;
    size_t count;
    int code =
        promqltest_series(&run->arena, STR("{}"), sample->histogram, 0, 1, &none, &samples, &count, err);
    if (code != 0)
        return code;
    if (count != 1)
        return err_set(err, ERR_PARSE, "expected 1 value, got %zu", count);
    if (samples[0].histogram == NULL)
        return err_set(err, ERR_PARSE, "expected histogram, got %.*s", STR_ARG(sample->histogram));
    out->histogram = samples[0].histogram;
    return 0;
}

static int expected_sample(struct test_run *run, const struct test_sample *sample, struct shown_sample *out,
                           struct err *err)
{
    struct labels *labels;
    size_t used;
    int code = promql_parse_metric(&run->arena, sample->labels, &labels, &used, err);
    if (code == 0) {
        *out = (struct shown_sample){.labels = labels, .value = sample->value, .partial = sample->partial};
        if (sample->histogram.n > 0)
            code = expected_histogram(run, sample, out, err);
    }
    if (code != 0) {
        struct buf name;
        buf_init(&name, ERR_TEXT_MAX);
        go_quote(&name, sample->labels);
        err_prefix(err, "labels %s: ", buf_text(&name));
        buf_release(&name);
    }
    return code;
}

static int expected_samples(struct test_run *run, const struct test_expr *test, struct shown_samples *out,
                            struct err *err)
{
    const struct test_sample *samples = test->expected.items;
    out->items = ARENA_ARRAY(&run->arena, struct shown_sample, test->expected.count);
    if (out->items == NULL)
        return err_set(err, ERR_LIMIT, "the test takes too much memory");
    for (; out->count < test->expected.count; out->count++) {
        int code = expected_sample(run, &samples[out->count], &out->items[out->count], err);
        if (code != 0)
            return code;
    }
    qsort(out->items, out->count, sizeof *out->items, by_metric);
    return 0;
}

static void print_histogram(struct buf *out, const struct histogram *h)
{
    buf_init(out, 1 << 20);
    histogram_print_test(out, h);
}

/* As text, the counter reset hint included. */
static bool histograms_equal(const struct histogram *a, const struct histogram *b)
{
    struct buf x, y;
    if (a == NULL || b == NULL)
        return a == b;
    print_histogram(&x, a);
    print_histogram(&y, b);
    bool equal = str_eq(buf_slice(&x), buf_slice(&y));
    buf_release(&x);
    buf_release(&y);
    return equal;
}

/* Equal, or (fuzzy) one representable number apart. NaN equals nothing. */
static bool values_equal(double a, double b, bool fuzzy)
{
    return a == b || (fuzzy && (nextafter(a, b) == b || nextafter(b, a) == a));
}

static bool results_equal(const struct shown_sample *x, const struct shown_sample *y, bool fuzzy)
{
    return histograms_equal(x->histogram, y->histogram) &&
           (x->histogram != NULL || values_equal(x->value, y->value, fuzzy));
}

struct comparison {
    const struct shown_samples *expected, *got;
    bool fuzzy;
};

static bool sample_fits(void *context, size_t expected, size_t got)
{
    const struct comparison *c = context;
    const struct shown_sample *e = &c->expected->items[expected], *g = &c->got->items[got];
    bool labels = e->partial ? test_includes(g->labels, e->labels->item, e->labels->count)
                             : labels_equal(e->labels, g->labels);
    return labels && results_equal(e, g, c->fuzzy);
}

static bool samples_equal(struct test_run *run, const struct shown_samples *expected,
                          const struct shown_samples *got)
{
    struct comparison c = {expected, got, run->file->fuzzy_compare};
    bool partial = false;
    if (expected->count != got->count)
        return false;
    for (size_t i = 0; i < expected->count; i++)
        partial |= expected->items[i].partial;
    if (partial)
        return test_pair_up(&run->arena, expected->count, got->count, sample_fits, &c);
    for (size_t i = 0; i < expected->count; i++)
        if (!sample_fits(&c, i, i))
            return false;
    return true;
}

static void print_sample(struct buf *out, const struct shown_sample *s)
{
    labels_print(out, s->labels);
    buf_char(out, ' ');
    if (s->histogram != NULL)
        histogram_print_test(out, s->histogram);
    else
        go_float(out, s->value, 'E', -1);
}

static void print_samples(struct buf *out, const struct shown_samples *list)
{
    if (list->count == 0)
        buf_puts(out, "nil");
    for (size_t i = 0; i < list->count; i++) {
        buf_puts(out, i > 0 ? ", " : "");
        print_sample(out, &list->items[i]);
    }
}

static void print_lines(struct buf *out, const struct shown_samples *list)
{
    for (size_t i = 0; i < list->count; i++) {
        print_sample(out, &list->items[i]);
        buf_char(out, '\n');
    }
}

static void print_samples_diff(struct buf *out, const struct shown_samples *expected,
                               const struct shown_samples *got)
{
    struct buf x, y;
    buf_init(&x, (size_t)limits.response_bytes);
    buf_init(&y, (size_t)limits.response_bytes);
    print_lines(&x, expected);
    print_lines(&y, got);
    test_print_diff(out, buf_slice(&x), buf_slice(&y), "            ");
    buf_release(&x);
    buf_release(&y);
}

static void verify_expr(struct test_run *run, const struct test_expr *test)
{
    struct shown_samples expected = {0}, got = {0};
    struct err err = {0};
    struct buf text;
    int code = query_samples(run, test, &got, &err);
    if (code == 0)
        code = expected_samples(run, test, &expected, &err);
    if (code == 0 && samples_equal(run, &expected, &got))
        return;
    buf_init(&text, (size_t)limits.response_bytes);
    buf_puts(&text, "    expr: ");
    go_quote(&text, test->expr);
    buf_puts(&text, ", time: ");
    duration_print(&text, test->eval_time.ms);
    if (code != 0) {
        buf_format(&text, ", err: %s", err.text);
    } else if (run->options->diff) {
        buf_puts(&text, ",\n        diff:");
        print_samples_diff(&text, &expected, &got);
    } else {
        buf_puts(&text, ",\n        exp: ");
        print_samples(&text, &expected);
        buf_puts(&text, "\n        got: ");
        print_samples(&text, &got);
    }
    test_failure(run, "%s", buf_text(&text));
    buf_release(&text);
}

void test_exprs(struct test_run *run)
{
    const struct test_expr *tests = run->test->exprs.items;
    for (size_t i = 0; i < run->test->exprs.count; i++)
        verify_expr(run, &tests[i]);
}

/* ---- --debug ---- */

static void print_point(struct buf *out, const struct promql_point *point)
{
    if (point->histogram != NULL)
        histogram_print(out, point->histogram);
    else
        go_float(out, point->value, 'f', -1);
    buf_format(out, " @[%lld]\n", (long long)point->t_ms);
}

static void print_all(struct test_run *run, const struct promql_result *all, int64_t length_ms)
{
    struct buf text;
    buf_init(&text, (size_t)limits.response_bytes);
    buf_puts(&text, "DEBUG: Dump of all data (input_series and rules) at ");
    go_duration_print(&text, length_ms * NS_PER_MS);
    buf_puts(&text, ":\n");
    for (size_t i = 0; i < all->count; i++) {
        labels_print(&text, all->series[i].labels);
        buf_puts(&text, " =>\n");
        for (size_t j = 0; j < all->series[i].count; j++)
            print_point(&text, &all->series[i].points[j]);
    }
    fputs(buf_text(&text), run->print->errors);
    buf_release(&text);
}

void test_dump(struct test_run *run)
{
    struct promql_result all;
    struct promql *query;
    struct err err = {0};
    char expr[64];
    /* at the next whole second, as promtool does, and back to before the first sample, as it means to */
    int64_t length_ms = (run->end_ns - run->start_ns) / NS_PER_S * 1000 + 1000;
    snprintf(expr, sizeof expr, "{__name__=~\".+\"}[%llds]", (long long)(length_ms / 1000 + 1));
    int code = promql_open(str_of(expr), &run->ruler->globals->options.promql, NULL, &query, &err);
    if (code == 0) {
        struct view *view = view_open(run->store);
        code = promql_instant(query, view, run->start_ns / NS_PER_MS + length_ms, &run->arena, &all, &err);
        if (code == 0)
            print_all(run, &all, length_ms);
        view_close(view);
        promql_close(query);
    }
    if (code != 0)
        fprintf(run->print->errors, "DEBUG: Failed querying, expr: %s, err: %s\n", expr, err.text);
}
