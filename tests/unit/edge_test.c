/*
 * Windows that move on and remember where they began, against the same windows without that, to the bit: over series of which samples
 * come late, twice, after gaps, as histograms, and go again. EDGE_TEST_SEED in the environment makes other histories.
 */
#include "../../engine/store/edge_priv.h"
#include "random_help.h"
#include "store_help.h"

#include "tocsin/histogram.h"
#include "tocsin/limits.h"

#include <math.h>
#include <stdlib.h>

#ifdef TOCSIN_COSTLY
enum { HISTORIES = 6 };
#else
enum { HISTORIES = 40 };
#endif
enum { SERIES = 6, WINDOWS = 7, ROUNDS = 1500, STEP_MS = 15000, LATE_MS = HOUR_MS };

/* One that moves on. */
struct moving {
    struct edges *edges;
    int64_t length_ms;
    enum window_wish wish;
};

struct history {
    struct bench b;
    uint64_t random;
    const struct labels *labels[SERIES];
    double value[SERIES];
    unsigned shape[SERIES];
    struct moving window[WINDOWS];
    int64_t now_ms;
    size_t held, told; /* windows that an edge held for, and all */
};

static uint64_t below(struct history *h, uint64_t n)
{
    return random_below(&h->random, n);
}

static bool once_in(struct history *h, uint64_t n)
{
    return below(h, n) == 0;
}

/* ---- what comes ---- */

static double next_value(struct history *h, size_t i)
{
    double *v = &h->value[i];
    switch (h->shape[i]) {
    case 0: /* a counter of whole numbers; of others; with many resets */
        *v = once_in(h, 400) ? 0 : *v + (double)below(h, 30);
        break;
    case 1:
        *v = once_in(h, 200) ? 0.3 : *v + (double)below(h, 1000) / 7;
        break;
    case 2:
        *v = once_in(h, 5) ? (double)below(h, 4) / 3 : *v + 1;
        break;
    case 3:
        *v += (double)below(h, 9) - 4;
        break;
    case 4:
        *v = once_in(h, 30) ? -0.0 : once_in(h, 30) ? INFINITY : *v == 0 ? 0.0 : 7;
        break;
    default:
        *v += 0x1p51 * (double)below(h, 3);
    }
    return *v;
}

static double strange(struct history *h)
{
    static const uint64_t nans[] = {STALE_NAN_BITS, STALE_NAN_BITS, NORMAL_NAN_BITS, 0xfff8000000000042};
    return double_from_bits(nans[below(h, 4)]);
}

static void push(struct history *h, size_t i, int64_t t_ms)
{
    static const struct histogram histogram = {.schema = 1, .count = 3, .sum = 4};
    struct sample s = {.t_ms = t_ms, .value = once_in(h, 150) ? strange(h) : next_value(h, i)};
    if (once_in(h, 3000))
        s.histogram = &histogram;
    if (once_in(h, 300))
        s.start_ms = t_ms - 1;
    bench_push_all(&h->b, h->labels[i], &s, 1, NULL);
}

/* Now and then what lies behind the window's beginning is changed, or a sample is refused. */
static void push_round(struct history *h)
{
    for (size_t i = 0; i < SERIES; i++) {
        if (once_in(h, 500) || (h->now_ms / (6 * HOUR_MS) + (int64_t)i) % 7 == 0)
            continue; /* for six hours there is nothing of each in turn */
        push(h, i, h->now_ms - (int64_t)below(h, 20));
        if (once_in(h, 200))
            push(h, i, h->now_ms - (int64_t)below(h, LATE_MS));
    }
}

static void retire(struct history *h)
{
    struct store_options options = {.retention_ms = (int64_t)(1 + below(h, 30)) * HOUR_MS,
                                    .out_of_order_ms = LATE_MS};
    store_configure(h->b.store, &options);
    store_retire(h->b.store);
}

/* ---- what is asked ---- */

static bool same(double a, double b)
{
    return double_bits(a) == double_bits(b);
}

/* Sums are compensated: in whichever order, they agree to nearly all digits. */
static bool same_sums(const struct window_summary *got, const struct window_summary *want)
{
    if (got->has_nan != want->has_nan || got->has_inf != want->has_inf || got->has_huge != want->has_huge)
        return false;
    double a = got->sum + got->rest, b = want->sum + want->rest;
    return want->has_nan || want->has_inf || want->has_huge || fabs(a - b) <= 1e-12 * fabs(b) + 1e-9;
}

static bool agree(const struct told_window *a, const struct told_window *b, enum window_wish wish)
{
    const struct window_summary *got = &a->summary, *want = &b->summary;
    if (a->is_told != b->is_told || !a->is_told || got->count != want->count || want->count == 0)
        return a->is_told == b->is_told && (!a->is_told || got->count == want->count);
    if ((wish & WINDOW_RESETS) != 0 &&
        !(got->resets == want->resets && same(got->correction, want->correction)))
        return false;
    if ((wish & WINDOW_BOUNDS) != 0 && !(same(got->min, want->min) && same(got->max, want->max)))
        return false;
    if ((wish & WINDOW_SUM) != 0 && !same_sums(got, want))
        return false;
    if ((wish & WINDOW_CHANGES) != 0 && got->changes != want->changes)
        return false;
    return got->first_ms == want->first_ms && got->last_ms == want->last_ms &&
           same(got->first, want->first) && same(got->last, want->last) &&
           got->has_starts == want->has_starts;
}

/* How many of those that hold something may hold for this window, whatever has become of the series since. */
static size_t count_holding(const struct edge *edge, const struct series_set *set, int64_t after_ms)
{
    size_t n = 0;
    for (size_t i = 0; i < set->count; i++)
        n += edge[i].series == set->refs[i] && edge[i].points > 0 && after_ms >= edge[i].after_ms &&
             after_ms - edge[i].after_ms < edge[i].later_ms[edge[i].points - 1];
    return n;
}

static void ask(struct history *h, struct view *v, const struct series_set *set, const struct moving *m,
                int64_t upto_ms)
{
    struct told_window want[SERIES];
    int64_t after_ms = upto_ms - m->length_ms;
    struct edge *edge = edges_at(m->edges, 0, set->count, set->count);
    assert_non_null(edge);
    memcpy(want, view_windows(v, set->refs, NULL, set->count, after_ms, upto_ms, m->wish),
           set->count * sizeof *want);
    h->held += count_holding(edge, set, after_ms);
    h->told += set->count;
    const struct told_window *got = view_windows(v, set->refs, edge, set->count, after_ms, upto_ms, m->wish);
    for (size_t i = 0; i < set->count; i++)
        if (!agree(&got[i], &want[i], m->wish))
            fail_msg("series %u, wish %u: the window (%lld, %lld] differs", set->refs[i], m->wish,
                     (long long)after_ms, (long long)upto_ms);
}

/* Mostly now; sometimes a time that has been or is to come, as when a rule makes up for what it missed. */
static int64_t time_of(struct history *h)
{
    if (once_in(h, 40))
        return h->now_ms - (int64_t)below(h, 8 * HOUR_MS);
    return once_in(h, 60) ? h->now_ms + (int64_t)below(h, HOUR_MS) : h->now_ms;
}

static void ask_round(struct history *h)
{
    struct view *v = view_open(h->b.store);
    struct series_set set = bench_select(&h->b, v, NULL, 0);
    int64_t upto_ms = time_of(h);
    for (size_t k = 0; k < WINDOWS && set.count > 0; k++)
        ask(h, v, &set, &h->window[k], upto_ms);
    view_close(v);
}

/* ---- histories ---- */

static void open_history(struct history *h)
{
    static const enum window_wish wishes[WINDOWS] = {WINDOW_RESETS,
                                                     WINDOW_RESETS,
                                                     WINDOW_CHANGES,
                                                     WINDOW_SUM,
                                                     (enum window_wish)0,
                                                     WINDOW_BOUNDS,
                                                     WINDOW_RESETS | WINDOW_BOUNDS};
    bench_open(&h->b,
               (struct store_options){.retention_ms = 1000 * (int64_t)HOUR_MS, .out_of_order_ms = LATE_MS});
    for (size_t i = 0; i < SERIES; i++) {
        h->labels[i] = labels_of(&h->b.arena, "a", arena_format(&h->b.arena, "%zu", i), NULL);
        h->shape[i] = (unsigned)below(h, 6);
        h->value[i] = 0;
    }
    for (size_t k = 0; k < WINDOWS; k++)
        h->window[k] =
            (struct moving){edges_open(h->b.store),
                            (int64_t)(k == 0 ? MINUTE_MS : (1 + below(h, 240)) * 5 * MINUTE_MS), wishes[k]};
    h->now_ms = START_MS;
}

static void run_history(struct history *h)
{
    open_history(h);
    for (size_t round = 0; round < ROUNDS; round++) {
        h->now_ms += once_in(h, 200) ? (int64_t)below(h, HOUR_MS) : STEP_MS;
        bench_at(&h->b, h->now_ms);
        if (!once_in(h, 50))
            push_round(h);
        if (once_in(h, 150))
            retire(h);
        ask_round(h);
    }
    for (size_t k = 0; k < WINDOWS; k++)
        edges_close(h->window[k].edges);
    bench_close(&h->b);
}

static void windows_with_an_edge_come_to_the_same(void **state)
{
    (void)state;
    static struct history h;
    const char *text = getenv("EDGE_TEST_SEED");
    h.random = (text != NULL ? strtoull(text, NULL, 10) : 1) * 0x9E3779B97F4A7C15 + 1;
    for (int i = 0; i < HISTORIES; i++)
        run_history(&h);
    assert_true(h.held > h.told / 4); /* else this says nothing */
}

static const struct told_window *ask_one(struct view *v, series_ref ref, struct edges *edges,
                                         int64_t after_ms)
{
    return view_windows(v, &ref, edges_at(edges, 0, 1, 1), 1, after_ms, INT64_MAX, WINDOW_RESETS);
}

/* What stands in front of the next window's beginning is not looked at again. */
static void a_window_that_moves_on_begins_where_it_is_remembered(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS, .out_of_order_ms = HOUR_MS});
    const struct labels *ls = labels_of(&b.arena, "a", "1", NULL);
    for (int i = 0; i < 300; i++)
        bench_push(&b, ls, START_MS + i * 10, i);
    struct edges *edges = edges_open(b.store);
    struct edge *edge = edges_at(edges, 0, 1, 1);
    struct view *v = view_open(b.store);
    series_ref ref = bench_select(&b, v, NULL, 0).refs[0];
    assert_int_equal(ask_one(v, ref, edges, START_MS + 500)->summary.count, 249);
    assert_int_equal(edge->points, EDGE_POINTS);
    edge->value[1] += 1000; /* only an edge tells this */
    assert_true(ask_one(v, ref, edges, START_MS + 500)->summary.first == 51);
    assert_true(ask_one(v, ref, edges, START_MS + 510)->summary.first == 1052);
    assert_int_equal(ask_one(v, ref, edges, START_MS + 519)->summary.count, 248);
    assert_true(ask_one(v, ref, edges, START_MS + 499)->summary.first == 50); /* backward: anew */
    assert_true(ask_one(v, ref, edges, START_MS + 510)->summary.first == 52);
    view_close(v);
    edges_close(edges);
    bench_close(&b);
}

static void a_late_sample_is_seen(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS, .out_of_order_ms = HOUR_MS});
    const struct labels *ls = labels_of(&b.arena, "a", "1", NULL);
    for (int i = 0; i < 300; i++)
        bench_push(&b, ls, START_MS + i * 10, i);
    struct edges *edges = edges_open(b.store);
    struct view *v = view_open(b.store);
    series_ref ref = bench_select(&b, v, NULL, 0).refs[0];
    assert_int_equal(ask_one(v, ref, edges, START_MS + 500)->summary.count, 249);
    bench_push(&b, ls, START_MS + 505, 50.5);
    assert_int_equal(ask_one(v, ref, edges, START_MS + 500)->summary.count, 250);
    assert_true(ask_one(v, ref, edges, START_MS + 501)->summary.first == 50.5);
    view_close(v);
    edges_close(edges);
    bench_close(&b);
}

/* Edges count as memory of the store, are made anew for a longer list, and not made for a very long one. */
static void edges_have_a_share_of_the_store(void **state)
{
    (void)state;
    struct bench b;
    int64_t whole = limits.store_bytes;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    struct edges *edges = edges_open(b.store), *others = edges_open(b.store);
    uint64_t before = bench_figures(&b).bytes;
    assert_non_null(edges_at(edges, 0, 100, 1000));
    assert_non_null(edges_at(edges, 900, 100, 1000));
    assert_true(bench_figures(&b).bytes >= before + 1000 * sizeof(struct edge));
    assert_null(edges_at(edges, 0, 100, 1000000));
    limits.store_bytes = 64 * 1200 * (int64_t)sizeof(struct edge);
    assert_null(edges_at(others, 0, 100, 100));
    edges_close(edges);
    assert_non_null(edges_at(others, 0, 100, 100));
    edges_close(others);
    assert_true(bench_figures(&b).bytes == before);
    limits.store_bytes = whole;
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_with_an_edge_come_to_the_same),
        cmocka_unit_test(a_window_that_moves_on_begins_where_it_is_remembered),
        cmocka_unit_test(a_late_sample_is_seen),
        cmocka_unit_test(edges_have_a_share_of_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
