/*
 * Any text as an expression over a small world of series: it must neither crash nor hang, and an instant query must agree
 * with the same step of a range query.
 */
#include "tocsin/check.h"
#include "tocsin/histogram.h"
#include "tocsin/promql.h"
#include "tocsin/promqltest.h"

#include <math.h>
#include <stdlib.h>

enum { MINUTE_MS = 60000, ARENA_BYTES = 32 << 20, SAMPLES_MAX = 20000 };

static struct store *store;
static struct world_sim sim;

static void load(const char *metric, const char *values)
{
    struct arena arena;
    struct labels *labels;
    struct sample *samples;
    struct batch_series series = {0};
    struct batch batch = {.series = &series, .count = 1};
    struct admit_result result = {0};
    arena_init(&arena, ARENA_BYTES);
    must(promqltest_series(&arena, str_of(metric), str_of(values), 0, MINUTE_MS, &labels, &samples,
                           &series.sample_count, NULL) == 0);
    series.labels = labels->item;
    series.label_count = labels->count;
    series.samples = samples;
    store_admit(store, &batch, &result);
    arena_release(&arena);
}

/* What stands in the store's own pages is no place where a search for leaks looks. */
static void close_store(void)
{
    store_close(store);
}

static void fill_store(void)
{
    struct store_options options = {.retention_ms = INT64_C(1) << 50};
    world_sim_init(&sim, INT64_C(1) << 60, 1);
    store = store_open(&options, &sim.world);
    must(atexit(close_store) == 0);
    load("a{x=\"1\",y=\"1\"}", "1+1x20");
    load("a{x=\"1\",y=\"2\"}", "3 NaN 1 _x3 5 stale 7 Inf -Inf 0 -0");
    load("a{x=\"2\",y=\"1\"}", "9-1x20");
    load("b_total{x=\"1\"}", "0+5x8 0+5x8");
    load("h_bucket{le=\"1\"}", "1+1x9");
    load("h_bucket{le=\"+Inf\"}", "3+1x9");
    load("n", "{{schema:0 sum:5 count:4 buckets:[1 2 1]}}x5 {{schema:1 sum:5 count:4 buckets:[1 2 1]}}x5");
    load("c", "{{schema:-53 sum:5 count:4 custom_values:[1 2] buckets:[1 2 1]}}x5 7");
    load("target_info{x=\"1\",z=\"q\"}", "1x20");
}

static const struct promql_point *point_at(const struct promql_result *r, const struct labels *labels,
                                           int64_t t_ms)
{
    for (size_t i = 0; i < r->count; i++)
        for (size_t k = 0; k < r->series[i].count; k++)
            if (r->series[i].points[k].t_ms == t_ms && labels_equal(r->series[i].labels, labels))
                return &r->series[i].points[k];
    return NULL;
}

/* Expressions that depend on the query's own bounds differ rightly; so do names whose removal is delayed, because a mark
 * belongs to a whole series. */
static bool mentions_bounds(struct str text)
{
    struct regex *re = regex_open(STR("(?i)start|end|range|step|sort"), REGEX_SEARCH, NULL);
    bool found = regex_match(re, text);
    regex_free(re);
    return found;
}

static void compare(const struct promql_result *instant, const struct promql_result *range, int64_t t_ms)
{
    for (size_t i = 0; i < instant->count; i++) {
        const struct promql_point *p = &instant->series[i].points[0];
        const struct promql_point *q = point_at(range, instant->series[i].labels, t_ms);
        must(q != NULL);
        must((p->histogram != NULL) == (q->histogram != NULL));
        must(p->histogram != NULL || p->value == q->value || (isnan(p->value) && isnan(q->value)));
    }
}

static void evaluate(struct promql *q, struct str text, bool comparable)
{
    struct view *view = view_open(store);
    struct arena arena;
    struct promql_result instant, range;
    int64_t t = 10 * MINUTE_MS;
    arena_init(&arena, ARENA_BYTES);
    int code = promql_instant(q, view, t, &arena, &instant, NULL);
    int range_code = ERR_ARG;
    if (promql_expr(q)->type == PROMQL_VECTOR)
        range_code = promql_range(q, view, t - MINUTE_MS, t + MINUTE_MS, MINUTE_MS, &arena, &range, NULL);
    if (comparable && code == 0 && range_code == 0 && !mentions_bounds(text))
        compare(&instant, &range, t);
    arena_release(&arena);
    view_close(view);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct promql *q;
    if (store == NULL)
        fill_store();
    if (size == 0)
        return 0;
    struct promql_options options = {.features = promql_features_all, .samples_max = SAMPLES_MAX};
    options.features.delayed_name_removal = data[0] % 2 == 0;
    options.features.start_timestamps = true;
    options.features.type_and_unit_labels = data[0] % 5 == 0;
    options.stats = data[0] % 2 == 0;
    if (promql_open(text, &options, data[0] % 3 == 0 ? store : NULL, &q, NULL) != 0)
        return 0;
    evaluate(q, text, !options.features.delayed_name_removal);
    promql_close(q);
    return 0;
}
