/*
 * Range functions at one step are answered from what the store knows of a window, at several steps from its samples:
 * both must say the same.
 */
#include "store_help.h"

#include "tocsin/histogram.h"
#include "tocsin/promql.h"

#include <math.h>
#include <string.h>

enum { SAMPLES = 4000, STEP_MS = 15000 };

static const int64_t FAR_MS = INT64_C(1000) * HOUR_MS;

static uint64_t any(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random >> 11;
}

static double counter(uint64_t *random, double v)
{
    return any(random) % 700 == 0 ? 0 : v + (double)(any(random) % 100);
}

static double float_counter(uint64_t *random, double v)
{
    return any(random) % 300 == 0 ? 0 : v + (double)any(random) * 0x1p-53;
}

static double gauge(uint64_t *random, double v)
{
    uint64_t r = any(random);
    if (r % 200 == 0)
        return r % 400 == 0 ? stale_nan() : v;
    return (double)(r % 1000) / 8 - 50;
}

static double with_nan(uint64_t *random, double v)
{
    uint64_t r = any(random) % 500;
    return r == 0 ? NAN : r == 1 ? INFINITY : isfinite(v) ? v + 1 : 1;
}

static void fill(struct bench *b, const char *name, double (*next)(uint64_t *, double))
{
    uint64_t random = 88172645463325252u;
    double v = 0;
    for (int i = 0; i < SAMPLES; i++) {
        v = next(&random, v);
        assert_int_equal(bench_push(b, labels_of(&b->arena, "__name__", name, "n", name, NULL),
                                    START_MS + (int64_t)i * STEP_MS + (i % 19 == 0), v),
                         ADMIT_OK);
        if (is_stale_nan(v))
            v = 7;
    }
}

/* A counter that sometimes begins anew without falling, as only its start times tell. */
static void fill_started(struct bench *b)
{
    const struct labels *ls = labels_of(&b->arena, "__name__", "f_total", "n", "f", NULL);
    uint64_t random = 12345;
    struct sample s = {.t_ms = START_MS, .start_ms = START_MS - HOUR_MS};
    for (int i = 0; i < SAMPLES; i++, s.t_ms += STEP_MS) {
        s.value += (double)(any(&random) % 100);
        if (i % 700 == 699)
            s.start_ms = s.t_ms - STEP_MS / 2;
        assert_int_equal(bench_push_all(b, ls, &s, 1, NULL).appended, 1);
    }
}

static void open_filled(struct bench *b)
{
    bench_open(b, (struct store_options){.retention_ms = 100 * HOUR_MS});
    bench_at(b, START_MS + (int64_t)SAMPLES * STEP_MS);
    fill(b, "a_total", counter);
    fill(b, "b_total", float_counter);
    fill(b, "c", gauge);
    fill(b, "d", with_nan);
    fill_started(b);
    struct histogram h = {.schema = 1, .count = 3, .sum = 4};
    struct sample mixed = {.t_ms = START_MS + (int64_t)SAMPLES * STEP_MS, .histogram = &h};
    fill(b, "e", gauge);
    assert_int_equal(
        bench_push_all(b, labels_of(&b->arena, "__name__", "e", "n", "e", NULL), &mixed, 1, NULL).appended,
        1);
}

static bool near(double a, double b)
{
    return double_bits(a) == double_bits(b) || fabs(a - b) <= 1e-12 * fabs(b);
}

static const struct promql_series *series_like(const struct promql_result *r, const struct labels *ls)
{
    for (size_t i = 0; i < r->count; i++)
        if (labels_equal(r->series[i].labels, ls))
            return &r->series[i];
    fail_msg("a series is missing");
    return NULL;
}

/* A range query of two steps, the second long after all samples, so that only the first has values. */
static void compare(struct bench *b, struct view *v, struct promql *q, const char *text, int64_t t_ms)
{
    struct promql_result once, along;
    bool sum = strncmp(text, "sum", 3) == 0 || strncmp(text, "avg", 3) == 0;
    assert_int_equal(promql_instant(q, v, t_ms, &b->arena, &once, NULL), 0);
    assert_int_equal(promql_range(q, v, t_ms, t_ms + FAR_MS, FAR_MS, &b->arena, &along, NULL), 0);
    assert_int_equal(once.count, along.count);
    assert_int_equal(once.annotation_count, along.annotation_count);
    for (size_t i = 0; i < once.count; i++) {
        const struct promql_series *other = series_like(&along, once.series[i].labels);
        double got = once.series[i].points[0].value, want = other->points[0].value;
        bool same = (isnan(got) && isnan(want)) || double_bits(got) == double_bits(want);
        assert_int_equal(other->count, 1);
        if (!same && !(sum && near(got, want)))
            fail_msg("%s at %lld: %.17g, not %.17g", text, (long long)t_ms, got, want);
    }
}

static void try_expression(struct bench *b, struct view *v, const char *function, const char *range,
                           bool start_timestamps)
{
    struct arena texts;
    struct promql *q;
    struct promql_options options = {.features = promql_features_all};
    options.features.start_timestamps = start_timestamps;
    arena_init(&texts, 1 << 16);
    const char *text = arena_format(&texts, "%s({__name__=~\".+\"}[%s])", function, range);
    assert_int_equal(promql_open(str_of(text), &options, NULL, &q, NULL), 0);
    for (int i = 0; i < 12; i++) {
        struct arena_mark mark = arena_mark(&b->arena);
        compare(b, v, q, text, START_MS + i * (int64_t)SAMPLES * STEP_MS / 11 + i * 1111);
        arena_rewind(&b->arena, mark);
    }
    promql_close(q);
    arena_release(&texts);
}

static void summaries_say_what_samples_say(void **state)
{
    (void)state;
    static const char *const functions[] = {"rate",           "increase",          "delta",
                                            "sum_over_time",  "avg_over_time",     "min_over_time",
                                            "max_over_time",  "count_over_time",   "first_over_time",
                                            "last_over_time", "present_over_time", "changes",
                                            "resets"};
    static const char *const ranges[] = {"20s", "5m", "1h", "7h", "3d"};
    struct bench b;
    open_filled(&b);
    struct view *v = view_open(b.store);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        for (size_t k = 0; k < sizeof ranges / sizeof *ranges; k++)
            for (int starts = 0; starts < 2; starts++)
                try_expression(&b, v, functions[i], ranges[k], starts > 0);
    view_close(v);
    bench_close(&b);
}

/* More series than are asked for at once; with `some_need_samples`, among them some of which the store does not tell. */
static void fill_many(struct bench *b, bool some_need_samples)
{
    enum { MANY = 3 * VIEW_TOGETHER_MAX + 7, EACH = 150 };
    static struct sample samples[EACH + 1];
    struct histogram h = {.schema = 1, .count = 3, .sum = 4};
    bench_open(b, (struct store_options){.retention_ms = 100 * HOUR_MS});
    bench_at(b, START_MS + (EACH + 1) * STEP_MS);
    for (int k = 0; k < MANY; k++) {
        size_t count = k % 9 == 0 ? 1 : EACH;
        for (int i = 0; i < EACH; i++)
            samples[i] = (struct sample){.t_ms = START_MS + i * STEP_MS + k, .value = i * (k + 1)};
        if (some_need_samples && k % 50 == 49)
            samples[count++] = (struct sample){.t_ms = START_MS + EACH * STEP_MS, .histogram = &h};
        const struct labels *ls =
            labels_of(&b->arena, "__name__", "m_total", "k", arena_format(&b->arena, "%d", k), NULL);
        assert_int_equal(bench_push_all(b, ls, samples, count, NULL).appended, count);
    }
}

static void ask_many(struct bench *b, const char *text)
{
    struct promql_options options = {.features = promql_features_all};
    struct promql *q;
    struct view *v = view_open(b->store);
    assert_int_equal(promql_open(str_of(text), &options, NULL, &q, NULL), 0);
    for (int k = 0; k < 5; k++)
        compare(b, v, q, text, START_MS + k * 40 * STEP_MS);
    promql_close(q);
    view_close(v);
}

static void many_series_say_what_their_samples_say(void **state)
{
    (void)state;
    static const char *const texts[] = {"rate(m_total[5m])",
                                        "max_over_time(m_total[30m])",
                                        "sum_over_time(m_total[30m])",
                                        "m_total",
                                        "m_total offset 20m",
                                        "sum((rate(m_total[20m])))",
                                        "avg(increase(m_total[20m]))",
                                        "min(delta(m_total[20m]))",
                                        "max by () (rate(m_total[20m]))",
                                        "stddev(rate(m_total[20m]))",
                                        "count(rate(m_total[20m]))",
                                        "group(rate(m_total[20m]))",
                                        "quantile(0.3, rate(m_total[20m]))",
                                        "sum(rate(m_total[20m])) / count(rate(m_total[20m] offset 5m))",
                                        "sum(rate(m_total[1s]))"};
    for (int need_samples = 0; need_samples < 2; need_samples++) {
        struct bench b;
        fill_many(&b, need_samples > 0);
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            ask_many(&b, texts[i]);
        bench_close(&b);
    }
}

/* What goes with the name tells two series apart as long as it is there, also where nobody sees labels. */
static void series_that_differ_in_type_alone_are_not_added_up(void **state)
{
    (void)state;
    struct bench b;
    struct promql *q;
    struct promql_result out;
    struct promql_options options = {0};
    bench_open(&b, (struct store_options){0});
    assert_int_equal(promql_open(str_of("sum(rate(x_total[5m]))"), &options, NULL, &q, NULL), 0);
    bench_push(&b, labels_of(&b.arena, "__name__", "x_total", "__type__", "counter", NULL), START_MS, 1);
    bench_push(&b, labels_of(&b.arena, "__name__", "x_total", "__type__", "counter", NULL), START_MS + 1000,
               2);
    struct view *v = view_open(b.store);
    assert_int_equal(promql_instant(q, v, START_MS + 2000, &b.arena, &out, NULL), 0);
    assert_int_equal(out.count, 1);
    bench_push(&b, labels_of(&b.arena, "__name__", "x_total", NULL), START_MS, 1);
    bench_push(&b, labels_of(&b.arena, "__name__", "x_total", NULL), START_MS + 1000, 2);
    struct err err = {0};
    assert_int_equal(promql_instant(q, v, START_MS + 2000, &b.arena, &out, &err), ERR_EXEC);
    assert_string_equal(err.text, "vector cannot contain metrics with the same labelset");
    view_close(v);
    promql_close(q);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(summaries_say_what_samples_say),
                                       cmocka_unit_test(many_series_say_what_their_samples_say),
                                       cmocka_unit_test(series_that_differ_in_type_alone_are_not_added_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
