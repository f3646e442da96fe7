#include "ruletest_priv.h"

#include "tocsin/duration.h"
#include "tocsin/gotext.h"
#include "tocsin/histogram.h"
#include "tocsin/limits.h"
#include "tocsin/promqltest.h"

#include <math.h>
#include <stdlib.h>

/* ---- alerts ---- */

struct shown_alert {
    const struct labels *labels, *annotations;
};

struct shown_alerts {
    struct shown_alert *items;
    size_t count, capacity;
};

static int by_labels(const void *a, const void *b)
{
    const struct shown_alert *x = a, *y = b;
    int order = labels_compare(x->labels, y->labels);
    return order != 0 ? order : labels_compare(x->annotations, y->annotations);
}

static void add_alert(struct test_run *run, struct shown_alerts *list, const struct labels *labels,
                      const struct labels *annotations)
{
    ARENA_GROW(&run->arena, list->items, list->count, list->capacity);
    if (list->items == NULL || labels == NULL || annotations == NULL)
        list->count = 0;
    else
        list->items[list->count++] = (struct shown_alert){labels, annotations};
}

static void sort_alerts(struct shown_alerts *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, by_labels);
}

/* All alerts of that name that fire, over all groups. */
static void firing_alerts(struct test_run *run, struct str name, struct shown_alerts *out)
{
    struct live_alert *a;
    for (size_t i = 0; i < run->group_count; i++) {
        struct live_group *group = run->groups[i];
        for (size_t j = 0; j < group->count; j++) {
            struct rule_state *state = &group->rules[j];
            if (state->rule->kind != RULE_ALERTING || !str_eq(state->rule->name, name))
                continue;
            for (size_t at = 0; (a = map_next(&state->alerts, &at)) != NULL;)
                if (a->state == ALERT_FIRING)
                    add_alert(run, out, a->labels, a->annotations);
        }
    }
    sort_alerts(out);
}

static const struct labels *pairs_as_labels(struct arena *arena, const struct strict_pairs *pairs,
                                            struct str alertname)
{
    struct label *items = ARENA_ARRAY(arena, struct label, pairs->count + 1);
    if (items == NULL)
        return NULL;
    if (pairs->count > 0)
        memcpy(items, pairs->items, pairs->count * sizeof *items);
    items[pairs->count] = (struct label){STR("alertname"), alertname};
    return labels_make(arena, items, pairs->count + (alertname.n > 0));
}

static void expected_alerts(struct test_run *run, const struct test_alert *test, struct shown_alerts *out)
{
    const struct test_expected_alert *expected = test->expected.items;
    for (size_t i = 0; i < test->expected.count; i++)
        add_alert(run, out, pairs_as_labels(&run->arena, &expected[i].labels, test->alertname),
                  pairs_as_labels(&run->arena, &expected[i].annotations, (struct str){0}));
    sort_alerts(out);
}

static bool alerts_equal(const struct shown_alerts *a, const struct shown_alerts *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (by_labels(&a->items[i], &b->items[i]) != 0)
            return false;
    return true;
}

static void print_alerts(struct buf *out, const struct shown_alerts *list)
{
    buf_char(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        buf_format(out, "\n            %zu:\n              Labels:", i);
        labels_print(out, list->items[i].labels);
        buf_puts(out, "\n              Annotations:");
        labels_print(out, list->items[i].annotations);
        if (i + 1 < list->count)
            buf_char(out, ',');
    }
    buf_puts(out, list->count > 0 ? "\n            ]" : "]");
}

static void verify_alert(struct test_run *run, const struct test_alert *test)
{
    struct shown_alerts expected = {0}, got = {0};
    struct buf text;
    expected_alerts(run, test, &expected);
    firing_alerts(run, test->alertname, &got);
    if (alerts_equal(&expected, &got))
        return;
    buf_init(&text, (size_t)limits.response_bytes);
    if (run->test->name.n > 0)
        buf_format(&text, "    name: %.*s,\n", STR_ARG(run->test->name));
    buf_format(&text, "    alertname: %.*s, time: ", STR_ARG(test->alertname));
    duration_print(&text, test->eval_time.ms);
    buf_puts(&text, ", \n        exp:");
    print_alerts(&text, &expected);
    buf_puts(&text, ", \n        got:");
    print_alerts(&text, &got);
    test_failure(run, "%s", buf_text(&text));
    buf_release(&text);
}

void test_alerts_at(struct test_run *run, int64_t now_ns)
{
    const struct test_alert *tests = run->test->alerts.items;
    for (size_t i = 0; i < run->test->alerts.count; i++) {
        int64_t at_ns = run->start_ns + tests[i].eval_time.ms * NS_PER_MS;
        if (at_ns >= now_ns && at_ns < now_ns + run->step_ns)
            verify_alert(run, &tests[i]);
    }
}

/* ---- expressions ---- */

struct shown_sample {
    const struct labels *labels;
    double value;
    const struct histogram *histogram;
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
            (struct shown_sample){labels_copy(arena, result->series[i].labels), point->value, NULL};
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
        *out = (struct shown_sample){.labels = labels, .value = sample->value};
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

static bool samples_equal(const struct shown_samples *a, const struct shown_samples *b, bool fuzzy)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct shown_sample *x = &a->items[i], *y = &b->items[i];
        if (!labels_equal(x->labels, y->labels) || !histograms_equal(x->histogram, y->histogram))
            return false;
        if (x->histogram == NULL && !values_equal(x->value, y->value, fuzzy))
            return false;
    }
    return true;
}

static void print_samples(struct buf *out, const struct shown_samples *list)
{
    if (list->count == 0)
        buf_puts(out, "nil");
    for (size_t i = 0; i < list->count; i++) {
        const struct shown_sample *s = &list->items[i];
        if (i > 0)
            buf_puts(out, ", ");
        labels_print(out, s->labels);
        buf_char(out, ' ');
        if (s->histogram != NULL)
            histogram_print_test(out, s->histogram);
        else
            go_float(out, s->value, 'E', -1);
    }
}

static void verify_expr(struct test_run *run, const struct test_expr *test)
{
    struct shown_samples expected = {0}, got = {0};
    struct err err = {0};
    struct buf text;
    int code = query_samples(run, test, &got, &err);
    if (code == 0)
        code = expected_samples(run, test, &expected, &err);
    if (code == 0 && samples_equal(&expected, &got, run->file->fuzzy_compare))
        return;
    buf_init(&text, (size_t)limits.response_bytes);
    buf_puts(&text, "    expr: ");
    go_quote(&text, test->expr);
    buf_puts(&text, ", time: ");
    duration_print(&text, test->eval_time.ms);
    if (code != 0) {
        buf_format(&text, ", err: %s", err.text);
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
