/* Words that the tests of the store share. */
#ifndef TOCSIN_TESTS_STORE_HELP_H
#define TOCSIN_TESTS_STORE_HELP_H

#include "tocsin/check.h"
#include "tocsin/store.h"
#include "tocsin/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, START_MS = 100 * HOUR_MS };

struct bench {
    struct world_sim sim;
    struct store *store;
    struct arena arena; /* cleared by nobody but bench_close */
};

static inline void bench_open(struct bench *b, struct store_options options)
{
    world_sim_init(&b->sim, START_MS * NS_PER_MS, 1);
    b->store = store_open(&options, &b->sim.world);
    arena_init(&b->arena, 64 << 20);
}

static inline void bench_close(struct bench *b)
{
    store_close(b->store);
    arena_release(&b->arena);
}

static inline void bench_at(struct bench *b, int64_t now_ms)
{
    b->sim.now_ns = now_ms * NS_PER_MS;
}

/* Pushes samples of one series. */
static inline struct admit_result bench_push_all(struct bench *b, const struct labels *ls,
                                                 const struct sample *samples, size_t count,
                                                 struct buf *detail)
{
    struct batch_series series = {ls->item, ls->count, samples, count};
    struct batch batch = {.series = &series, .count = 1};
    struct admit_result result = {.detail = detail};
    store_admit(b->store, &batch, &result);
    return result;
}

static inline enum admit_reason bench_push(struct bench *b, const struct labels *ls, int64_t t_ms,
                                           double value)
{
    struct sample s = {.t_ms = t_ms, .value = value};
    return bench_push_all(b, ls, &s, 1, NULL).first;
}

static inline struct matcher bench_matcher(const char *name, enum match_op op, const char *value)
{
    struct matcher m;
    int rc = matcher_init(&m, op, str_of(name), str_of(value), REGEX_PROMQL, NULL);
    must(rc == 0);
    return m;
}

static inline struct series_set bench_select(struct bench *b, struct view *v, const struct matcher *ms,
                                             size_t n)
{
    struct series_set set;
    int rc = view_select(v, ms, n, &b->arena, &set);
    must(rc == 0);
    return set;
}

/* How many series a view opened now finds. */
static inline size_t bench_count(struct bench *b, const struct matcher *ms, size_t n)
{
    struct view *v = view_open(b->store);
    size_t count = bench_select(b, v, ms, n).count;
    view_close(v);
    return count;
}

static inline struct sample_run bench_read(struct bench *b, struct view *v, series_ref ref, int64_t after_ms,
                                           int64_t upto_ms)
{
    struct sample_run run;
    int rc = view_read(v, ref, after_ms, upto_ms, &b->arena, &run);
    must(rc == 0);
    return run;
}

static inline struct store_figures bench_figures(struct bench *b)
{
    struct store_figures f;
    store_figures(b->store, &f);
    return f;
}

#endif
