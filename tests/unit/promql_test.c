#include "tocsin/promql.h"

#include "../../engine/store/store_priv.h"
#include "tocsin/check.h"
#include "tocsin/histogram.h"
#include "tocsin/promqltest.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MINUTE_MS = 60 * 1000 };

struct bench {
    struct world_sim sim;
    struct store *store;
    struct view *view;
    struct arena arena;
    struct promql_options options;
    struct err err;
};

static void load(struct bench *b, const char *metric, const char *values)
{
    struct labels *labels;
    struct sample *samples;
    struct batch_series series = {0};
    struct batch batch = {.series = &series, .count = 1};
    struct admit_result result = {0};
    must(promqltest_series(&b->arena, str_of(metric), str_of(values), 0, MINUTE_MS, &labels, &samples,
                           &series.sample_count, NULL) == 0);
    series.labels = labels->item;
    series.label_count = labels->count;
    series.samples = samples;
    store_admit(b->store, &batch, &result);
    assert_int_equal(result.first, ADMIT_OK);
}

static int set_up(void **state)
{
    static struct bench bench;
    struct bench *b = &bench;
    struct store_options options = {.retention_ms = INT64_C(1000) * 3600 * 1000};
    memset(b, 0, sizeof *b);
    world_sim_init(&b->sim, INT64_C(100) * 3600 * NS_PER_S, 1);
    b->store = store_open(&options, &b->sim.world);
    arena_init(&b->arena, 64 << 20);
    b->options = (struct promql_options){.features = promql_features_all};
    load(b, "up{job=\"web\"}", "1 1 0 1");
    load(b, "up{job=\"db\"}", "1 1 1 1");
    load(b, "n_total", "0+60x10");
    b->view = view_open(b->store);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    view_close(b->view);
    store_close(b->store);
    arena_release(&b->arena);
    return 0;
}

static struct promql *open_text(struct bench *b, const char *text, struct store *store)
{
    struct promql *q = NULL;
    int code = promql_open(str_of(text), &b->options, store, &q, &b->err);
    if (code != 0)
        fail_msg("%s: %s", text, b->err.text);
    return q;
}

static int instant(struct bench *b, const char *text, int64_t t_ms, struct promql_result *result)
{
    struct promql *q = open_text(b, text, NULL);
    int code = promql_instant(q, b->view, t_ms, &b->arena, result, &b->err);
    promql_close(q);
    return code;
}

static void an_instant_query_gives_one_point_a_series_at_the_time_asked(void **state)
{
    struct bench *b = *state;
    struct promql_result r;
    assert_int_equal(instant(b, "up", 2 * MINUTE_MS, &r), 0);
    assert_int_equal(r.type, PROMQL_VECTOR);
    assert_int_equal(r.count, 2);
    assert_int_equal(r.series[0].count, 1);
    assert_int_equal(r.series[0].points[0].t_ms, 2 * MINUTE_MS);
    assert_true(r.series[0].points[0].value == 0);
    assert_true(str_is(labels_get(r.series[1].labels, STR("job")), "db"));
}

static void scalars_and_strings_come_back_as_such(void **state)
{
    struct bench *b = *state;
    struct promql_result r;
    assert_int_equal(instant(b, "1 + time()", 90000, &r), 0);
    assert_int_equal(r.type, PROMQL_SCALAR);
    assert_true(r.scalar == 91);
    assert_int_equal(instant(b, "('a\\'b')", 0, &r), 0);
    assert_int_equal(r.type, PROMQL_STRING);
    assert_int_equal(r.string.n, 3);
}

static void a_range_query_is_sorted_and_leaves_out_steps_without_a_value(void **state)
{
    struct bench *b = *state;
    struct promql_result r;
    struct promql *q = open_text(b, "up == 0 or up{job=\"db\"}", NULL);
    assert_int_equal(promql_range(q, b->view, 0, 3 * MINUTE_MS, MINUTE_MS, &b->arena, &r, &b->err), 0);
    assert_int_equal(r.type, PROMQL_MATRIX);
    assert_int_equal(r.count, 2);
    assert_true(labels_compare(r.series[0].labels, r.series[1].labels) < 0);
    assert_int_equal(r.series[0].count, 4);
    assert_int_equal(r.series[1].count, 1);
    assert_int_equal(r.series[1].points[0].t_ms, 2 * MINUTE_MS);
    promql_close(q);
}

static void a_range_vector_has_no_range_query(void **state)
{
    struct bench *b = *state;
    struct promql_result r;
    struct promql *q = open_text(b, "up[5m]", NULL);
    assert_int_equal(promql_range(q, b->view, 0, MINUTE_MS, MINUTE_MS, &b->arena, &r, &b->err), ERR_ARG);
    assert_string_equal(
        b->err.text,
        "invalid expression type \"range vector\" for range query, must be Scalar or instant Vector");
    promql_close(q);
}

static void a_step_of_nothing_and_an_end_before_the_start_are_refused(void **state)
{
    struct bench *b = *state;
    struct promql_result r;
    struct promql *q = open_text(b, "up", NULL);
    assert_int_equal(promql_range(q, b->view, 0, MINUTE_MS, 0, &b->arena, &r, &b->err), ERR_ARG);
    assert_int_equal(promql_range(q, b->view, MINUTE_MS, 0, 1, &b->arena, &r, &b->err), ERR_ARG);
    promql_close(q);
}

/* Of all series, as the store knows it: so long their samples are kept. */
static int64_t longest_reach_ms(const struct store *store)
{
    int64_t longest_ms = 0;
    for (series_ref ref = 1; ref < store->series.next; ref++) {
        int64_t reach_ms = series_at(&store->series, ref)->reach_ms;
        longest_ms = reach_ms > longest_ms ? reach_ms : longest_ms;
    }
    return longest_ms;
}

static void the_reach_adds_up_ranges_offsets_and_subqueries(void **state)
{
    static const struct {
        const char *text;
        int64_t reach_ms;
    } cases[] = {
        {"1", 0},
        {"up", 5 * MINUTE_MS},
        {"up offset 10m", 15 * MINUTE_MS},
        {"rate(n_total[7m])", 7 * MINUTE_MS},
        {"up + rate(n_total[7m] offset 1m)", 8 * MINUTE_MS},
        {"max_over_time(rate(n_total[7m])[30m:1m] offset 3m)", 40 * MINUTE_MS},
        {"increase(n_total[7m] anchored)", 12 * MINUTE_MS},
        {"up offset -10m", 1}, /* somebody looks, if not back */
    };
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct promql *q = open_text(b, cases[i].text, b->store);
        int64_t reach_ms = longest_reach_ms(b->store);
        if (reach_ms != cases[i].reach_ms)
            fail_msg("%s reaches %lld ms", cases[i].text, (long long)reach_ms);
        promql_close(q);
        assert_int_equal(longest_reach_ms(b->store), 0);
    }
}

static void series_matched_is_that_of_the_poorest_selector(void **state)
{
    struct bench *b = *state;
    for (int stands = 0; stands < 2; stands++) {
        struct promql *q = open_text(b, "up and on() n_total", stands ? b->store : NULL);
        assert_int_equal(promql_series_matched(q, b->store), 1);
        promql_close(q);
        q = open_text(b, "sum(up) / sum(upp)", stands ? b->store : NULL);
        assert_int_equal(promql_series_matched(q, b->store), 0);
        promql_close(q);
    }
}

static void a_standing_expression_sees_series_that_come_later(void **state)
{
    struct bench *b = *state;
    struct promql_result r;
    struct store_figures before, after;
    store_figures(b->store, &before);
    struct promql *q = open_text(b, "count(up)", b->store);
    load(b, "up{job=\"mail\"}", "1 1 1 1");
    assert_int_equal(promql_instant(q, b->view, MINUTE_MS, &b->arena, &r, &b->err), 0);
    assert_true(r.series[0].points[0].value == 3);
    store_figures(b->store, &after);
    assert_int_equal(after.standing, before.standing + 1);
    promql_close(q);
    store_figures(b->store, &after);
    assert_int_equal(after.standing, before.standing);
}

static void too_many_samples_fail_the_query_and_nothing_else(void **state)
{
    struct bench *b = *state;
    struct promql_result r;
    b->options.samples_max = 5;
    assert_int_equal(instant(b, "sum_over_time(n_total[10m])", 10 * MINUTE_MS, &r), ERR_LIMIT);
    assert_string_equal(b->err.text,
                        "query processing would load too many samples into memory in query execution");
    assert_int_equal(instant(b, "sum_over_time(n_total[2m])", 10 * MINUTE_MS, &r), 0);
    assert_int_equal(instant(b, "count_over_time(vector(1)[100y:1ms])", 0, &r), ERR_LIMIT);
}

static void a_full_arena_fails_the_query(void **state)
{
    struct bench *b = *state;
    struct promql_result r;
    struct arena small;
    struct promql *q = open_text(b, "up + on(job) group_left up", NULL);
    int failed = 0, passed = 0;
    for (size_t cap = 1024; cap < 65536; cap += 1024) {
        arena_init(&small, cap);
        int code = promql_range(q, b->view, 0, 50 * MINUTE_MS, MINUTE_MS, &small, &r, &b->err);
        assert_true(code == 0 || code == ERR_LIMIT);
        failed += code != 0;
        passed += code == 0;
        arena_release(&small);
    }
    assert_true(failed > 0);
    assert_true(passed > 0);
    promql_close(q);
}

static void a_cancelled_query_says_so(void **state)
{
    struct bench *b = *state;
    struct promql_result r;
    atomic_bool cancelled = true;
    b->options.cancelled = &cancelled;
    assert_int_equal(instant(b, "up", 0, &r), ERR_CANCEL);
    atomic_store(&cancelled, false);
    assert_int_equal(instant(b, "up", 0, &r), 0);
}

/* A clock that runs a second further each time somebody looks. */
static int64_t hurrying_mono(struct world *w)
{
    struct world_sim *sim = (struct world_sim *)w;
    sim->now_ns += NS_PER_S;
    return sim->now_ns;
}

static void a_query_past_its_deadline_says_so(void **state)
{
    struct bench *b = *state;
    struct promql_result r;
    struct world_sim hurried;
    world_sim_init(&hurried, 0, 1);
    hurried.world.mono_ns = hurrying_mono;
    b->options.world = &hurried.world;
    b->options.timeout_ms = 500;
    assert_int_equal(instant(b, "up", 0, &r), ERR_TIMEOUT);
    b->options.timeout_ms = 500000;
    assert_int_equal(instant(b, "up", 0, &r), 0);
}

/* One series, and a window of all its samples at each of many steps: looking at the clock once a series is too seldom. */
static void many_windows_of_one_series_do_not_outlast_the_deadline(void **state)
{
    struct bench *b = *state;
    struct promql_result r;
    struct world_sim hurried;
    world_sim_init(&hurried, 0, 1);
    hurried.world.mono_ns = hurrying_mono;
    b->options.world = &hurried.world;
    b->options.timeout_ms = 20000;
    struct promql *q = open_text(b, "sum_over_time(n_total[1000h])", NULL);
    assert_int_equal(promql_range(q, b->view, 0, 100 * MINUTE_MS, MINUTE_MS, &b->arena, &r, &b->err), 0);
    assert_int_equal(promql_range(q, b->view, 0, 10000 * MINUTE_MS, MINUTE_MS, &b->arena, &r, &b->err),
                     ERR_TIMEOUT);
    assert_string_equal(b->err.text, "query timed out in expression evaluation");
    promql_close(q);
}

static void names_go_at_once_without_delayed_removal(void **state)
{
    struct bench *b = *state;
    struct promql_result r;
    const char *text = "label_replace(rate(n_total[5m]), \"was\", \"$1\", \"__name__\", \"(.+)\")";
    assert_int_equal(instant(b, text, 10 * MINUTE_MS, &r), 0);
    assert_int_equal(r.series[0].labels->count, 0);
    b->options.features.delayed_name_removal = true;
    assert_int_equal(instant(b, text, 10 * MINUTE_MS, &r), 0);
    assert_int_equal(r.series[0].labels->count, 1);
    assert_true(str_is(labels_get(r.series[0].labels, STR("was")), "n_total"));
}

/* The only series of an answer, as text. */
static void expect_one(struct bench *b, const char *text, const char *wanted)
{
    struct promql_result r;
    struct buf got;
    buf_init(&got, 1 << 10);
    if (instant(b, text, 2 * MINUTE_MS, &r) != 0)
        fail_msg("%s: %s", text, b->err.text);
    if (r.count != 1)
        fail_msg("%s: %zu series", text, r.count);
    labels_print(&got, r.series[0].labels);
    if (strcmp(buf_text(&got), wanted) != 0)
        fail_msg("%s: %s", text, buf_text(&got));
    buf_release(&got);
}

static void load_typed(struct bench *b)
{
    load(b, "typed{__type__=\"gauge\",__unit__=\"s\",job=\"web\"}", "1 1 1 1");
    load(b, "hist{__type__=\"histogram\"}", "{{schema:0 sum:1 count:1 buckets:[1]}}x4");
}

static void type_and_unit_go_with_the_name(void **state)
{
    struct bench *b = *state;
    load_typed(b);
    for (int delayed = 0; delayed < 2; delayed++) {
        b->options.features.delayed_name_removal = delayed > 0;
        expect_one(b, "-typed", "{job=\"web\"}");
        expect_one(b, "typed * on(job) up", "{job=\"web\"}");
        expect_one(b, "typed == bool 1", "{job=\"web\"}");
        expect_one(b, "typed == bool on(job) group_left() up", "{job=\"web\"}");
        expect_one(b, "rate(typed[3m])", "{job=\"web\"}");
        expect_one(b, "typed + 0 > 0", "{job=\"web\"}");
        expect_one(b, "+typed", "{__name__=\"typed\", __type__=\"gauge\", __unit__=\"s\", job=\"web\"}");
        expect_one(b, "typed > 0", "{__name__=\"typed\", __type__=\"gauge\", __unit__=\"s\", job=\"web\"}");
        expect_one(b, "sum without(job) (typed)", "{__type__=\"gauge\", __unit__=\"s\"}");
    }
}

/* An aggregation that sees no names takes series of one name for told apart without it. */
static void series_that_differ_in_type_alone_collide_where_names_go_at_once(void **state)
{
    struct bench *b = *state;
    struct promql_result r;
    load(b, "twice_total{__type__=\"counter\"}", "1 1 1 1");
    load(b, "twice_total{__type__=\"gauge\"}", "1 1 1 1");
    const char *const texts[] = {"rate(twice_total[3m])", "sum(rate(twice_total[3m]))",
                                 "sum by (job) (max_over_time(twice_total[3m]))"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(instant(b, texts[i], 2 * MINUTE_MS, &r), ERR_EXEC);
        assert_string_equal(b->err.text, "vector cannot contain metrics with the same labelset");
    }
    expect_one(b, "sum(rate(twice_total{__type__=\"gauge\"}[3m]))", "{}");
    b->options.features.delayed_name_removal = true;
    expect_one(b, "sum(rate(twice_total[3m]))", "{}");
}

/* As in Prometheus, where only the delayed removal takes them away. */
static void fields_of_histograms_keep_their_type_where_names_go_at_once(void **state)
{
    struct bench *b = *state;
    load_typed(b);
    expect_one(b, "histogram_count(hist)", "{__type__=\"histogram\"}");
    expect_one(b, "histogram_stddev(hist)", "{__type__=\"histogram\"}");
    b->options.features.delayed_name_removal = true;
    expect_one(b, "histogram_count(hist)", "{}");
}

static void a_name_taken_over_from_the_one_side_stays_where_names_go_at_once(void **state)
{
    struct bench *b = *state;
    const char *text = "up{job=\"web\"} == bool on(job) group_left(__name__) typed";
    load_typed(b);
    expect_one(b, text, "{__name__=\"typed\", job=\"web\"}");
    b->options.features.delayed_name_removal = true;
    expect_one(b, text, "{job=\"web\"}");
}

static void buckets_of_two_metrics_were_one_histogram_where_names_go_at_once(void **state)
{
    struct bench *b = *state;
    struct promql_result r;
    const char *const metrics[] = {"a_bucket", "b_bucket"};
    for (size_t i = 0; i < 2; i++)
        for (int full = 0; full < 2; full++) {
            const char *le = full > 0 ? "+Inf" : "1";
            load(b, arena_format(&b->arena, "%s{le=\"%s\"}", metrics[i], le), "1 1 1");
        }
    for (int delayed = 0; delayed < 2; delayed++) {
        const char *const texts[] = {"histogram_quantile(0.5, {__name__=~\"._bucket\"})",
                                     "histogram_fraction(0, 1, {__name__=~\"._bucket\"})",
                                     "histogram_quantiles({__name__=~\"._bucket\"}, \"q\", 0.5)"};
        b->options.features.delayed_name_removal = delayed > 0;
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            assert_int_equal(instant(b, texts[i], MINUTE_MS, &r), ERR_EXEC);
            assert_string_equal(b->err.text, "vector cannot contain metrics with the same labelset");
        }
        expect_one(b, "histogram_quantile(0.5, a_bucket)", "{}");
    }
}

static void annotations_of_histograms_tell_names_only_where_these_go_late(void **state)
{
    struct bench *b = *state;
    struct promql_result r;
    const char *text = "histogram_quantile(0.5, bad_bucket)";
    load(b, "bad_bucket{le=\"x\"}", "1 1 1");
    assert_int_equal(instant(b, text, MINUTE_MS, &r), 0);
    assert_true(
        str_is(r.annotations[0].text,
               "PromQL warning: bucket label \"le\" is missing or has a malformed value of \"x\" (1:25)"));
    b->options.features.delayed_name_removal = true;
    assert_int_equal(instant(b, text, MINUTE_MS, &r), 0);
    assert_true(str_is(r.annotations[0].text,
                       "PromQL warning: bucket label \"le\" is missing or has a malformed "
                       "value of \"x\" for metric name \"bad_bucket\" (1:25)"));
}

static void annotations_with_equal_texts_are_told_once_at_the_last_place(void **state)
{
    struct bench *b = *state;
    struct promql_result r;
    assert_int_equal(instant(b, "rate(up[5m])\n+ rate(up[5m])", 3 * MINUTE_MS, &r), 0);
    assert_int_equal(r.annotation_count, 1);
    assert_int_equal(r.annotations[0].kind, ANNOTATION_INFO);
    assert_true(str_is(r.annotations[0].text,
                       "PromQL info: metric might not be a counter, name does not end in "
                       "_total/_sum/_count/_bucket: \"up\" (2:8)"));
}

static void text_that_does_not_parse_is_an_error_with_a_place(void **state)
{
    struct bench *b = *state;
    struct promql *q = NULL;
    assert_int_equal(promql_open(STR("sum(up"), &b->options, b->store, &q, &b->err), ERR_PARSE);
    assert_null(q);
    assert_int_equal(b->err.line, 1);
}

static void native_histograms_pass_through_whole(void **state)
{
    struct bench *b = *state;
    struct promql_result r;
    load(b, "h", "{{schema:0 sum:1 count:1 buckets:[1]}} {{schema:0 sum:1 count:1 buckets:[1]}}");
    assert_int_equal(instant(b, "h", MINUTE_MS, &r), 0);
    assert_non_null(r.series[0].points[0].histogram);
    assert_true(r.series[0].points[0].histogram->count == 1);
}

/* One span and one bucket: 168 + 16 + 8 bytes, where a float and its time take 16. */
static void a_histogram_counts_as_the_floats_its_bytes_would_hold(void **state)
{
    struct bench *b = *state;
    struct promql_result r;
    load(b, "h", "{{schema:0 sum:1 count:1 buckets:[1]}}x5");
    b->options.samples_max = 11;
    assert_int_equal(instant(b, "h", 3 * MINUTE_MS, &r), ERR_LIMIT);
    assert_int_equal(instant(b, "up", 3 * MINUTE_MS, &r), 0);
    b->options.samples_max = 12;
    assert_int_equal(instant(b, "h", 3 * MINUTE_MS, &r), 0);
    b->options.samples_max = 24;
    assert_int_equal(instant(b, "count_over_time(h[2m])", 3 * MINUTE_MS, &r), ERR_LIMIT);
    b->options.samples_max = 25;
    assert_int_equal(instant(b, "count_over_time(h[2m])", 3 * MINUTE_MS, &r), 0);
}

static void a_bad_regex_of_label_replace_fails_the_evaluation_alone(void **state)
{
    struct bench *b = *state;
    struct promql_result r;
    struct promql *q = open_text(b, "label_replace(up, \"a\", \"$1\", \"job\", \"(\")", b->store);
    for (int i = 0; i < 2; i++)
        assert_int_equal(promql_instant(q, b->view, MINUTE_MS, &b->arena, &r, &b->err), ERR_EXEC);
    assert_string_equal(b->err.text, "invalid regular expression in label_replace(): (");
    promql_close(q);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_instant_query_gives_one_point_a_series_at_the_time_asked),
        TEST(scalars_and_strings_come_back_as_such),
        TEST(a_range_query_is_sorted_and_leaves_out_steps_without_a_value),
        TEST(a_range_vector_has_no_range_query),
        TEST(a_step_of_nothing_and_an_end_before_the_start_are_refused),
        TEST(the_reach_adds_up_ranges_offsets_and_subqueries),
        TEST(series_matched_is_that_of_the_poorest_selector),
        TEST(a_standing_expression_sees_series_that_come_later),
        TEST(too_many_samples_fail_the_query_and_nothing_else),
        TEST(a_full_arena_fails_the_query),
        TEST(a_cancelled_query_says_so),
        TEST(a_query_past_its_deadline_says_so),
        TEST(many_windows_of_one_series_do_not_outlast_the_deadline),
        TEST(names_go_at_once_without_delayed_removal),
        TEST(type_and_unit_go_with_the_name),
        TEST(series_that_differ_in_type_alone_collide_where_names_go_at_once),
        TEST(fields_of_histograms_keep_their_type_where_names_go_at_once),
        TEST(a_name_taken_over_from_the_one_side_stays_where_names_go_at_once),
        TEST(buckets_of_two_metrics_were_one_histogram_where_names_go_at_once),
        TEST(annotations_of_histograms_tell_names_only_where_these_go_late),
        TEST(annotations_with_equal_texts_are_told_once_at_the_last_place),
        TEST(text_that_does_not_parse_is_an_error_with_a_place),
        TEST(native_histograms_pass_through_whole),
        TEST(a_histogram_counts_as_the_floats_its_bytes_would_hold),
        TEST(a_bad_regex_of_label_replace_fails_the_evaluation_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
