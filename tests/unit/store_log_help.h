/* Words that the tests of the store's log share: a store on a simulated disk, random pushes, and all that was ever put. */
#ifndef TOCSIN_TESTS_STORE_LOG_HELP_H
#define TOCSIN_TESTS_STORE_LOG_HELP_H

#include "../../engine/store/box_priv.h"
#include "../../engine/store/log_priv.h"
#include "../../engine/store/record_priv.h"
#include "../../engine/store/store_priv.h"
#include "../sim/sim_disk.h"
#include "store_help.h"
#include "tocsin/histogram.h"
#include "tocsin/mem.h"

#include <stdio.h>

enum { SETS = 24, KEEP_MS = 10 * MINUTE_MS, WINDOW_MS = MINUTE_MS, PUTS_MAX = 40000 };
#define FOLDER "data"

/* A sample that was put, and up to where the log has to be durable so that it is safe; 0: not logged, or of a log that has
 * ended. */
struct put {
    int set;
    struct sample sample;
    uint64_t position;
    bool safe; /* it was said to be: it has to be there from now on */
};

struct play {
    struct sim_disk *disk;
    struct world_sim sim;
    struct store *store;
    struct arena arena; /* labels and histograms for as long as the play lasts */
    struct labels *labels[SETS];
    uint64_t random;
    struct put *puts;
    size_t put_count;
};

static inline uint64_t pick(struct play *p, uint64_t below)
{
    p->random = p->random * 6364136223846793005u + 1442695040888963407u;
    return (p->random >> 33) % below;
}

static inline int64_t now_of(const struct play *p)
{
    return p->sim.now_ns / NS_PER_MS;
}

static inline struct store *play_store(struct play *p)
{
    const struct store_options options = {.retention_ms = KEEP_MS, .out_of_order_ms = WINDOW_MS};
    return store_open(&options, &p->sim.world);
}

static inline void play_begin(struct play *p, uint64_t seed)
{
    *p = (struct play){.disk = sim_disk_open(), .random = seed};
    world_sim_init(&p->sim, START_MS * NS_PER_MS, seed);
    sim_disk_install(p->disk, &p->sim.world);
    arena_init(&p->arena, 256 << 20);
    p->puts = MEM_ARRAY(struct put, PUTS_MAX);
    for (int i = 0; i < SETS; i++)
        p->labels[i] =
            labels_of(&p->arena, "__name__", i % 2 == 0 ? "up" : "requests", "job",
                      arena_format(&p->arena, "job%d", i % 5), "n", arena_format(&p->arena, "%d", i), NULL);
    p->store = play_store(p);
}

/* The process ends in good order. */
static inline void play_stop(struct play *p)
{
    store_close(p->store);
    p->store = NULL;
}

static inline void play_end(struct play *p)
{
    if (p->store != NULL)
        play_stop(p);
    mem_free(p->puts);
    arena_release(&p->arena);
    sim_disk_close(p->disk);
}

static inline int play_recover(struct play *p, struct store_recovery *out, struct err *err)
{
    if (p->store == NULL)
        p->store = play_store(p);
    return store_recover(p->store, FOLDER, STORE_SYNC_GROUP, out, err);
}

/* Starts on what the folder holds; nothing of it may be hurt. */
static inline struct store_recovery play_start(struct play *p)
{
    struct store_recovery recovery;
    struct err err = {0};
    int rc = play_recover(p, &recovery, &err);
    if (rc != 0)
        fail_msg("%s", err.text);
    assert_int_equal(recovery.damaged, 0);
    return recovery;
}

/* One round of the log's thread, without waiting for company. */
static inline int play_commit(struct play *p)
{
    return store_log_run(p->store, 0, NULL);
}

static inline series_ref play_find(const struct play *p, int set)
{
    const struct labels *ls = p->labels[set];
    uint64_t hashes[8];
    struct series_key key = series_key_make(ls->item, ls->count, NULL, hashes);
    return series_find(&p->store->series, &p->store->pairs, &key);
}

static inline struct series_id play_id(const struct play *p, series_ref ref)
{
    return (struct series_id){ref, series_at(&p->store->series, ref)->turn};
}

/* True if it was new to the store. */
static inline bool play_put(struct play *p, int set, const struct sample *s)
{
    const struct labels *ls = p->labels[set];
    struct batch_series series = {ls->item, ls->count, s, 1};
    struct batch batch = {.series = &series, .count = 1};
    struct admit_result result = {0};
    store_admit(p->store, &batch, &result);
    if (result.appended == 0)
        return false;
    must(p->put_count < PUTS_MAX);
    p->puts[p->put_count++] = (struct put){set, *s, result.logged, false};
    return true;
}

/* What the log says now is safe. */
static inline void play_acknowledge(struct play *p)
{
    uint64_t durable = p->store->log != NULL ? store_durable(p->store) : 0;
    for (size_t i = 0; i < p->put_count; i++)
        p->puts[i].safe = p->puts[i].safe || (p->puts[i].position != 0 && p->puts[i].position <= durable);
}

/* The process ends at once: what it has not written is gone, and its positions mean nothing any more. */
static inline void play_kill(struct play *p)
{
    sim_disk_cut(p->disk, 0);
    play_stop(p);
    for (size_t i = 0; i < p->put_count; i++)
        p->puts[i].position = 0;
}

/* ---- random samples ---- */

static inline double play_value(struct play *p)
{
    switch (pick(p, 8)) {
    case 0:
        return stale_nan();
    case 1:
        return double_from_bits(UINT64_C(0x7ff8000000000000) + pick(p, 1000));
    case 2:
        return (double)pick(p, 1000) / 7;
    default:
        return (double)pick(p, 100);
    }
}

static inline const struct histogram *play_histogram(struct play *p)
{
    struct histogram *h = ARENA_NEW(&p->arena, struct histogram);
    size_t buckets = 1 + pick(p, 5);
    h->schema = pick(p, 4) == 0 ? HISTOGRAM_CUSTOM : (int32_t)pick(p, 9) - 2;
    h->hint = (enum histogram_hint)pick(p, 4);
    h->sum = play_value(p);
    h->positive.span_count = 1;
    h->positive.spans = ARENA_ARRAY(&p->arena, struct histogram_span, 1);
    h->positive.spans[0] = (struct histogram_span){(int32_t)pick(p, 3), (uint32_t)buckets};
    h->positive.bucket_count = buckets;
    h->positive.buckets = ARENA_ARRAY(&p->arena, double, buckets);
    for (size_t i = 0; i < buckets; i++)
        h->count += h->positive.buckets[i] =
            (double)(p->put_count + pick(p, 3)) + (pick(p, 20) == 0 ? 0.5 : 0);
    if (h->schema == HISTOGRAM_CUSTOM) {
        h->custom_count = 8;
        h->custom_bounds = ARENA_ARRAY(&p->arena, double, 8);
        for (size_t i = 0; i < 8; i++)
            h->custom_bounds[i] = (double)i / 10;
    }
    return h;
}

static inline struct sample play_sample(struct play *p, int set, int64_t t_ms)
{
    struct sample s = {.t_ms = t_ms};
    if (set % 6 == 5 && pick(p, 10) > 0)
        s.histogram = play_histogram(p);
    else
        s.value = play_value(p);
    if (set % 6 == 4 && pick(p, 3) == 0)
        s.start_ms = t_ms - (int64_t)pick(p, 5000) - 1;
    return s;
}

/* One somewhere, mostly about now; or a run of them in one of a few series, so that stretches are sealed. */
static inline void play_push(struct play *p)
{
    static const int busy[] = {0, 1, 4, 5};
    bool run = pick(p, 8) == 0;
    int set = run ? busy[pick(p, 4)] : (int)pick(p, SETS);
    int64_t t_ms = now_of(p) - (int64_t)pick(p, pick(p, 5) == 0 ? 50000 : 100);
    for (uint64_t n = run ? pick(p, 60) : 1; n > 0; n--, t_ms += 10) {
        struct sample s = play_sample(p, set, t_ms);
        play_put(p, set, &s);
    }
}

static inline void play_turn(struct play *p, int64_t ms)
{
    p->sim.now_ns += ms * NS_PER_MS;
}

/* ---- what a store holds ---- */

static inline struct sample_run play_read(const struct play *p, const struct store *s, series_ref ref,
                                          int64_t after_ms, struct arena *arena)
{
    struct sample_run run;
    struct sample *samples;
    (void)p;
    int rc = ring_read(&series_at(&s->series, ref)->ring, after_ms, INT64_MAX, arena, &samples, &run.count);
    assert_int_equal(rc, 0);
    run.samples = samples;
    return run;
}

static inline bool same_bits(const struct sample *a, const struct sample *b)
{
    if (a->t_ms != b->t_ms || a->start_ms != b->start_ms || (a->histogram == NULL) != (b->histogram == NULL))
        return false;
    if (a->histogram == NULL)
        return double_bits(a->value) == double_bits(b->value);
    return box_equal(a->histogram, b->histogram);
}

static inline int play_set_of(const struct play *p, const struct store *s, series_ref ref)
{
    struct label items[UINT8_MAX];
    const struct series *series = series_at(&s->series, ref);
    store_series_labels(s, series, items);
    for (int i = 0; i < SETS; i++) {
        bool same = p->labels[i]->count == series->pair_count;
        for (size_t k = 0; same && k < series->pair_count; k++)
            same = str_eq(items[k].name, p->labels[i]->item[k].name) &&
                   str_eq(items[k].value, p->labels[i]->item[k].value);
        if (same)
            return i;
    }
    fail_msg("a series came back that was never put");
    return -1;
}

static inline bool was_put(const struct play *p, int set, const struct sample *s)
{
    for (size_t i = p->put_count; i-- > 0;)
        if (p->puts[i].set == set && same_bits(&p->puts[i].sample, s))
            return true;
    return false;
}

/* Everything it shows was put, in this series, each set of labels is there once, and the counters agree. */
static inline void assert_is_honest(const struct play *p)
{
    const struct store *s = p->store;
    struct arena arena;
    struct store_figures figures;
    uint64_t samples = 0;
    series_ref of_set[SETS] = {0};
    arena_init(&arena, 64 << 20);
    for (series_ref ref = 1; ref < s->series.next; ref++) {
        const struct series *series = series_at(&s->series, ref);
        if (series->state != SERIES_LIVING)
            continue;
        int set = play_set_of(p, s, ref);
        assert_int_equal(of_set[set], 0);
        of_set[set] = ref;
        assert_int_equal(play_find(p, set), ref);
        struct sample_run run = play_read(p, s, ref, INT64_MIN, &arena);
        for (size_t i = 0; i < run.count; i++) {
            assert_true(was_put(p, set, &run.samples[i]));
            assert_true(i == 0 || run.samples[i].t_ms > run.samples[i - 1].t_ms);
        }
        samples += run.count;
        arena_clear(&arena);
    }
    store_figures(p->store, &figures);
    assert_int_equal(figures.samples, samples);
    arena_release(&arena);
}

/* How many of the samples that are safe are not there, but for those that housekeeping may have dropped. */
static inline size_t play_lost(const struct play *p)
{
    struct arena arena;
    size_t lost = 0;
    arena_init(&arena, 64 << 20);
    for (int set = 0; set < SETS; set++) {
        series_ref ref = play_find(p, set);
        struct sample_run run = {0};
        if (ref != 0)
            run = play_read(p, p->store, ref, INT64_MIN, &arena);
        for (size_t i = 0; i < p->put_count; i++) {
            const struct put *put = &p->puts[i];
            if (put->set != set || !put->safe || put->sample.t_ms < now_of(p) - KEEP_MS)
                continue;
            size_t k = 0;
            while (k < run.count && !same_bits(&run.samples[k], &put->sample))
                k++;
            lost += k == run.count;
        }
        arena_clear(&arena);
    }
    arena_release(&arena);
    return lost;
}

#endif
