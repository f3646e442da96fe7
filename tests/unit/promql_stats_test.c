/* How many samples a query looks at: as Prometheus 3.14 counts them, whether the store sums windows up or not. */
#include "store_help.h"

#include "tocsin/histogram.h"
#include "tocsin/promql.h"

#include <stdio.h>
#include <string.h>

enum { SAMPLES = 101, EVERY_MS = 10000 };

/* A histogram of that weight: four buckets in one span. */
static void fill_histograms(struct bench *b)
{
    const struct labels *ls = labels_of(&b->arena, "__name__", "hist", NULL);
    struct histogram_span span = {0, 4};
    double buckets[] = {1, 2, 1, 1};
    struct histogram h = {.schema = 1, .count = 5, .sum = 20, .positive = {&span, 1, buckets, 4}};
    for (int i = 0; i < SAMPLES; i++, h.count += 1, buckets[0] += 1) {
        struct sample s = {.t_ms = START_MS + (int64_t)i * EVERY_MS, .histogram = &h};
        assert_int_equal(bench_push_all(b, ls, &s, 1, NULL).appended, 1);
    }
}

static void fill(struct bench *b, const struct labels *ls)
{
    for (int i = 0; i < SAMPLES; i++)
        assert_int_equal(bench_push(b, ls, START_MS + (int64_t)i * EVERY_MS, i), ADMIT_OK);
}

static int open_filled(void **state)
{
    static struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = 100 * HOUR_MS});
    bench_at(&b, START_MS + HOUR_MS);
    fill(&b, labels_of(&b.arena, "__name__", "one", NULL));
    fill(&b, labels_of(&b.arena, "__name__", "three", "a", "1", NULL));
    fill(&b, labels_of(&b.arena, "__name__", "three", "a", "2", NULL));
    fill(&b, labels_of(&b.arena, "__name__", "three", "a", "3", NULL));
    fill(&b, labels_of(&b.arena, "__name__", "x_info", "instance", "i", "job", "j", NULL));
    fill(&b, labels_of(&b.arena, "__name__", "x_info", "instance", "i", "job", "k", NULL));
    fill(&b, labels_of(&b.arena, "__name__", "x_info", "job", "j", NULL));
    fill(&b, labels_of(&b.arena, "__name__", "up", "instance", "i", "job", "j", NULL));
    fill(&b, labels_of(&b.arena, "__name__", "up", "instance", "i", "job", "k", NULL));
    fill(&b, labels_of(&b.arena, "__name__", "up", "job", "j", NULL));
    fill(&b, labels_of(&b.arena, "__name__", "up", "instance", "other", "job", "other", NULL));
    fill_histograms(&b);
    *state = &b;
    return 0;
}

static int close_filled(void **state)
{
    bench_close(*state);
    return 0;
}

struct question {
    const char *text;
    int64_t start_s, end_s, step_s; /* behind START_MS; step 0: an instant query at start */
    const char *total, *read;       /* step by step */
};

/* The result lives in the arena. */
static struct promql_result evaluate(struct bench *b, const struct question *q, bool stats)
{
    struct err err = {0};
    struct promql *promql;
    struct promql_result result;
    const struct promql_options options = {.features = promql_features_all, .stats = stats};
    if (promql_open(str_of(q->text), &options, NULL, &promql, &err) != 0)
        fail_msg("%s: %s", q->text, err.text);
    int64_t start_ms = START_MS + q->start_s * 1000, end_ms = START_MS + q->end_s * 1000;
    struct view *view = view_open(b->store);
    int code = q->step_s == 0
                   ? promql_instant(promql, view, start_ms, &b->arena, &result, &err)
                   : promql_range(promql, view, start_ms, end_ms, q->step_s * 1000, &b->arena, &result, &err);
    view_close(view);
    if (code != 0)
        fail_msg("%s: %s", q->text, err.text);
    promql_close(promql);
    return result;
}

static int64_t expect_steps(const struct question *q, const char *what, const char *wanted,
                            const int64_t *counts, size_t steps)
{
    char text[256] = "";
    size_t used = 0;
    int64_t sum = 0;
    for (size_t i = 0; i < steps; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%lld", i > 0 ? " " : "",
                                 (long long)counts[i]);
        sum += counts[i];
    }
    if (strcmp(text, wanted) != 0)
        fail_msg("%s: %s is %s, not %s", q->text, what, text, wanted);
    return sum;
}

static void expect(struct bench *b, const struct question *q)
{
    const struct promql_stats *s = evaluate(b, q, true).stats;
    assert_non_null(s);
    assert_int_equal(s->samples, expect_steps(q, "total", q->total, s->samples_at, s->steps));
    assert_int_equal(s->samples_read, expect_steps(q, "read", q->read, s->read_at, s->steps));
    assert_int_equal(s->start_ms, START_MS + q->start_s * 1000);
    assert_int_equal(s->step_ms, q->step_s == 0 ? 1 : q->step_s * 1000);
}

static void expect_all(struct bench *b, const struct question *questions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect(b, &questions[i]);
}

#define EXPECT_ALL(b, questions) expect_all((b), (questions), sizeof(questions) / sizeof *(questions))

static void selectors_count_what_they_find(void **state)
{
    static const struct question questions[] = {
        {"\"text\"", 21, 0, 0, "0", "0"},
        {"1 + time()", 21, 0, 0, "0", "0"},
        {"one", 21, 0, 0, "1", "1"},
        {"one offset 10s", 22, 0, 0, "1", "1"},
        {"one", 1300, 0, 0, "0", "0"},
        {"three", 21, 0, 0, "3", "3"},
        {"three + on(a) three", 21, 0, 0, "6", "6"},
        {"sum(three{a=~\"1|2\"})", 21, 0, 0, "2", "2"},
        {"hist", 21, 0, 0, "13", "13"},
        {"timestamp(hist)", 21, 0, 0, "1", "1"},
        {"timestamp(one)", 201, 216, 5, "1 1 1 1", "1 1 1 1"},
        {"three", 201, 220, 5, "3 3 3 3", "3 3 3 3"},
        {"hist", 204, 223, 5, "13 13 13 13", "13 13 13 13"},
        {"one", 1290, 1310, 10, "1 0 0", "1 0 0"},
        {"one smoothed", 25, 0, 0, "0", "0"},
    };
    EXPECT_ALL(*state, questions);
}

static void windows_count_at_every_step_and_are_read_once(void **state)
{
    static const struct question questions[] = {
        {"one[60s]", 201, 0, 0, "6", "6"},
        {"three[60s] offset 10s", 201, 0, 0, "18", "18"},
        {"hist[60s]", 201, 0, 0, "78", "78"},
        {"max_over_time(three[60s])", 201, 0, 0, "18", "18"},
        {"quantile_over_time(0.5, three[60s])", 201, 0, 0, "18", "18"},
        {"absent_over_time(one[60s])", 201, 0, 0, "6", "6"},
        {"sum_over_time(hist[60s])", 201, 0, 0, "78", "78"},
        {"rate(three[60s])", 201, 220, 5, "18 18 18 18", "18 0 3 0"},
        {"absent_over_time(three[60s])", 201, 220, 5, "18 18 18 18", "18 0 3 0"},
        {"max_over_time(three{a=\"1\"}[10s])", 991, 1021, 10, "1 1 0 0", "1 1 0 0"},
        {"max_over_time(one[10s])", 991, 1021, 30, "1 0", "1 0"},
        {"rate(one[30s] anchored)", 500, 0, 0, "33", "33"},
    };
    EXPECT_ALL(*state, questions);
}

static void what_is_the_same_at_every_step_is_read_once(void **state)
{
    static const struct question questions[] = {
        {"one @ 360015", 21, 0, 0, "1", "1"},
        {"one @ 360015", 21, 41, 10, "1 1 1", "1 0 0"},
        {"max_over_time(three[60s] @ 360030)", 201, 220, 5, "12 12 12 12", "12 0 0 0"},
        {"predict_linear(one[60s] @ 360100, 60)", 100, 300, 100, "6 6 6", "6 0 0"},
        {"scalar(one @ 360015) + one", 21, 41, 10, "2 2 2", "2 1 1"},
    };
    EXPECT_ALL(*state, questions);
}

static void subqueries_count_what_they_give_and_read_what_they_look_at(void **state)
{
    static const struct question questions[] = {
        {"one[60s:5s]", 201, 0, 0, "12", "12"},
        {"one[60s:5s] offset 10s", 201, 0, 0, "12", "12"},
        {"max_over_time(one[60s])[20s:5s]", 201, 0, 0, "24", "8"},
        {"max_over_time(three[60s:5s])", 201, 0, 0, "36", "36"},
        {"max_over_time(three[60s:5s])", 201, 220, 5, "36 36 36 36", "36 3 3 3"},
        {"max_over_time(one[20s:10s])", 201, 261, 10, "2 2 2 2 2 2 2", "2 1 1 1 1 1 1"},
        {"max_over_time(one[20s:10s] offset 1m)", 201, 221, 10, "2 2 2", "2 1 1"},
        {"max_over_time(one[30s:10s])", 201, 261, 60, "3 3", "3 3"},
        {"avg_over_time(hist[2m:1m])", 120, 240, 60, "26 26 26", "26 13 13"},
        {"sum_over_time(three[20s:10s] @ 360200)", 250, 0, 0, "6", "6"},
        {"rate(sum_over_time(one[30s])[1m:30s])", 240, 0, 0, "2", "6"},
        {"sum_over_time(max_over_time(three[60s] @ 360300)[5m:1m] @ 360600)[10m:2m]", 800, 0, 0, "75", "18"},
    };
    EXPECT_ALL(*state, questions);
}

static void info_series_of_others_were_counted(void **state)
{
    static const struct question questions[] = {
        {"info(one, {__name__=\"x_info\"})", 21, 31, 10, "1 1", "1 1"}, /* has neither instance nor job */
        {"info(up{job=\"j\"}, {__name__=\"x_info\"})", 21, 31, 10, "3 3", "3 3"},
        {"info(up{job=\"k\"}, {__name__=\"x_info\"})", 21, 0, 0, "2", "2"},
        {"info(up, {__name__=\"x_info\"})", 21, 0, 0, "6", "6"}, /* each label by itself */
        {"info(up{instance=\"\"}, {__name__=\"x_info\"})", 21, 0, 0, "3", "3"},
        {"info(x_info, {__name__=\"x_info\"})", 21, 0, 0, "3", "3"},
    };
    EXPECT_ALL(*state, questions);
}

static void the_peak_is_what_was_held_at_once(void **state)
{
    static const struct question few = {"three", 21, 0, 0, "", ""};
    static const struct question many = {"sum(quantile_over_time(0.5, three[60s]))", 201, 0, 0, "", ""};
    static const struct question summed = {"sum(max_over_time(three[60s]))", 201, 0, 0, "", ""};
    assert_int_equal(evaluate(*state, &few, true).stats->samples_peak, 3);
    /* One window, the results of the two series before it, its own, and 0.5. */
    assert_int_equal(evaluate(*state, &many, true).stats->samples_peak, 10);
    assert_int_equal(evaluate(*state, &summed, true).stats->samples_peak, 9);
}

/* Reckoned by hand as Prometheus 3.14 reckons; most shapes are compared with a real one (tests/e2e/peak_test.py). */
static void the_peak_of_a_range_query_was_that_of_whole_series(void **state)
{
    static const struct {
        struct question asked;
        int64_t peak;
    } cases[] = {
        {{"one", 21, 41, 10, "", ""}, 3},
        {{"hist", 21, 31, 10, "", ""}, 26},
        {{"max_over_time(one[60s])", 100, 1000, 10, "", ""}, 97},
        {{"max_over_time(one[60s])", 100, 1000, 300, "", ""}, 10},
        {{"max_over_time(hist[20s])", 100, 120, 10, "", ""}, 26},
        {{"sum(three)", 21, 41, 10, "", ""}, 9},
        {{"sum(max_over_time(three[60s]))", 100, 120, 10, "", ""}, 15},
        {{"sum(three) + 1", 21, 41, 10, "", ""}, 11},
        {{"topk(1, three)", 21, 41, 10, "", ""}, 12},
        {{"label_replace(three, \"b\", \"c\", \"\", \"\")", 21, 41, 10, "", ""}, 9},
        {{"absent_over_time(three[60s])", 100, 120, 10, "", ""}, 15},
        {{"info(up{job=\"k\"}, {__name__=\"x_info\"})", 21, 41, 10, "", ""}, 11},
        {{"max_over_time(one[60s:10s])", 100, 120, 10, "", ""}, 17},
        {{"one @ 360030", 21, 41, 10, "", ""}, 3},
        {{"hist - hist", 21, 0, 0, "", ""}, 39}, /* nothing is left of it */
        {{"hist * 2", 21, 0, 0, "", ""}, 30},
        {{"max_over_time(one[60s]) + max_over_time(one[60s])", 100, 0, 0, "", ""}, 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t peak = evaluate(*state, &cases[i].asked, true).stats->samples_peak;
        if (peak != cases[i].peak)
            fail_msg("%s: %lld, not %lld", cases[i].asked.text, (long long)peak, (long long)cases[i].peak);
    }
}

static void nothing_is_counted_unless_asked(void **state)
{
    static const struct question q = {"three", 21, 0, 0, "", ""};
    assert_null(evaluate(*state, &q, false).stats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selectors_count_what_they_find),
        cmocka_unit_test(windows_count_at_every_step_and_are_read_once),
        cmocka_unit_test(what_is_the_same_at_every_step_is_read_once),
        cmocka_unit_test(subqueries_count_what_they_give_and_read_what_they_look_at),
        cmocka_unit_test(info_series_of_others_were_counted),
        cmocka_unit_test(the_peak_is_what_was_held_at_once),
        cmocka_unit_test(the_peak_of_a_range_query_was_that_of_whole_series),
        cmocka_unit_test(nothing_is_counted_unless_asked),
    };
    return cmocka_run_group_tests(tests, open_filled, close_filled);
}
