/* The way in: each sample is appended, or refused for one stated reason. */
#include "store_priv.h"
#include "tocsin/buf.h"
#include "tocsin/mem.h"
#include "tocsin/stat.h"

enum { KEY_LABELS = 64 /* label sets up to this size need no heap for their hashes */ };

struct admission {
    struct store *store;
    struct admit_result *result;
    const struct batch_series *series; /* the one at hand */
    const struct spelling *spelling;   /* to be remembered, or NULL */
    const struct series *known;        /* found by its spelling: has its labels, the batch need not */
    int64_t now_ms;
    int64_t oldest_ms, newest_ms; /* of what was appended */
    bool told;                    /* the series at hand has its line in result->detail */
};

const char *admit_reason_text(enum admit_reason reason)
{
    static const char *const text[ADMIT_REASON_COUNT] = {
        [ADMIT_OK] = "",
        [ADMIT_OUT_OF_ORDER] = "out of order sample",
        [ADMIT_DUPLICATE] = "duplicate sample for timestamp",
        [ADMIT_TOO_OLD] = "too old sample",
        [ADMIT_FUTURE] = "out of bounds",
        [ADMIT_SERIES_LIMIT] = "limit of series reached",
        [ADMIT_MEMORY_LIMIT] = "limit of memory for series and samples reached",
        [ADMIT_UNREFERENCED] = "no rule asks for this series",
    };
    return text[reason];
}

static void print_labels(struct buf *out, const struct admission *a)
{
    size_t count = a->known != NULL ? a->known->pair_count : a->series->label_count;
    struct labels *ls = mem_new(1, sizeof *ls + count * sizeof *ls->item);
    ls->count = count;
    if (a->known != NULL)
        store_series_labels(a->store, a->known, ls->item);
    else
        for (size_t i = 0; i < count; i++)
            ls->item[i] = a->series->labels[i];
    labels_print(out, ls);
    mem_free(ls);
}

static void tell(struct admission *a, enum admit_reason reason)
{
    struct buf *detail = a->result->detail;
    if (detail == NULL || a->told || buf_overflow(detail))
        return;
    a->told = true;
    buf_puts(detail, admit_reason_text(reason));
    buf_puts(detail, " for series ");
    print_labels(detail, a);
    buf_char(detail, '\n');
}

/* Refuses `count` samples of the series at hand, from the given one on. */
static void refuse(struct admission *a, enum admit_reason reason, size_t from, size_t count)
{
    a->result->refused[reason] += count;
    if (reason == ADMIT_UNREFERENCED) {
        stat_add(STAT_unreferenced, 1);
        return;
    }
    for (size_t i = from; i < from + count; i++)
        a->result->refused_histograms += a->series->samples[i].histogram != NULL;
    if (reason == ADMIT_SERIES_LIMIT)
        limit_hit(LIMIT_series);
    if (reason == ADMIT_MEMORY_LIMIT)
        limit_hit(LIMIT_store_bytes);
    if (a->result->first == ADMIT_OK)
        a->result->first = reason;
    tell(a, reason);
}

/* What can be said of a time alone. */
static enum admit_reason judge_time(const struct admission *a, int64_t t_ms, int64_t keep_ms)
{
    if (minus_ms(t_ms, a->now_ms) > limits.future_ms)
        return ADMIT_FUTURE;
    if (minus_ms(a->now_ms, t_ms) > keep_ms)
        return ADMIT_TOO_OLD;
    return ADMIT_OK;
}

/* What can be said of a sample that is older than the newest of its series. */
static enum admit_reason judge_order(const struct store *s, int64_t t_ms, int64_t newest_ms)
{
    int64_t window_ms = s->options.out_of_order_ms;
    if (window_ms == 0)
        return ADMIT_OUT_OF_ORDER;
    return minus_ms(newest_ms, t_ms) > window_ms ? ADMIT_TOO_OLD : ADMIT_OK;
}

static enum admit_reason append(struct admission *a, struct ring *ring, const struct sample *sample)
{
    switch (ring_append(ring, sample, &a->store->account)) {
    case RING_SAME:
        return ADMIT_OK;
    case RING_CONFLICT:
        return ADMIT_DUPLICATE;
    case RING_FULL:
        return ADMIT_MEMORY_LIMIT;
    case RING_TAKEN:
        break;
    }
    a->result->appended++;
    a->oldest_ms = sample->t_ms < a->oldest_ms ? sample->t_ms : a->oldest_ms;
    a->newest_ms = sample->t_ms > a->newest_ms ? sample->t_ms : a->newest_ms;
    return ADMIT_OK;
}

static enum admit_reason admit_sample(struct admission *a, struct ring *ring, const struct sample *sample,
                                      int64_t keep_ms)
{
    enum admit_reason reason = judge_time(a, sample->t_ms, keep_ms);
    if (reason == ADMIT_OK && !ring_empty(ring) && sample->t_ms < ring_newest_ms(ring))
        reason = judge_order(a->store, sample->t_ms, ring_newest_ms(ring));
    return reason == ADMIT_OK ? append(a, ring, sample) : reason;
}

/* Index lock held. */
static void admit_samples(struct admission *a, series_ref ref)
{
    struct store *s = a->store;
    struct series *series = series_at(&s->series, ref);
    int64_t keep_ms = store_keep_ms(s, series->reach_ms);
    lock_take(shard_of(s, ref));
    for (size_t i = 0; i < a->series->sample_count; i++) {
        enum admit_reason reason = admit_sample(a, &series->ring, &a->series->samples[i], keep_ms);
        if (reason != ADMIT_OK)
            refuse(a, reason, i, 1);
    }
    lock_drop(shard_of(s, ref));
}

/* True if at least one sample may be stored; else all are refused, each for its time. */
static bool any_timely(struct admission *a, int64_t keep_ms)
{
    for (size_t i = 0; i < a->series->sample_count; i++)
        if (judge_time(a, a->series->samples[i].t_ms, keep_ms) == ADMIT_OK)
            return true;
    for (size_t i = 0; i < a->series->sample_count; i++)
        refuse(a, judge_time(a, a->series->samples[i].t_ms, keep_ms), i, 1);
    return false;
}

static bool may_create(struct admission *a, const struct series_key *key, int64_t reach_ms)
{
    const struct store *s = a->store;
    enum admit_reason reason = ADMIT_OK;
    if (reach_ms == 0 && s->options.keep == STORE_KEEP_REFERENCED)
        reason = ADMIT_UNREFERENCED;
    else if (!any_timely(a, store_keep_ms(s, reach_ms)))
        return false;
    else if (s->series.held >= (uint64_t)limits.series || !series_room(&s->series))
        reason = ADMIT_SERIES_LIMIT;
    else if (key->count > UINT16_MAX || !account_has_room(&s->account, series_bytes_max(key)))
        reason = ADMIT_MEMORY_LIMIT;
    if (reason != ADMIT_OK)
        refuse(a, reason, 0, a->series->sample_count);
    return reason == ADMIT_OK;
}

/* Index lock held for writing. 0: refused. */
static series_ref create(struct admission *a, const struct series_key *key)
{
    struct store *s = a->store;
    int64_t reach_ms = standing_reach(s, key);
    if (!may_create(a, key, reach_ms))
        return 0;
    series_ref ref = series_add(&s->series, &s->pairs, key);
    series_at(&s->series, ref)->reach_ms = reach_ms;
    standing_introduce(s, ref, key);
    stat_add(STAT_series_created, 1);
    return ref;
}

/* False if the series is not known. */
static bool admit_known(struct admission *a, const struct series_key *key)
{
    struct store *s = a->store;
    rwlock_read(&s->index);
    series_ref ref = series_find(&s->series, &s->pairs, key);
    if (ref != 0)
        admit_samples(a, ref);
    rwlock_drop(&s->index);
    return ref != 0;
}

static void admit_new(struct admission *a, const struct series_key *key)
{
    struct store *s = a->store;
    rwlock_write(&s->index);
    series_ref ref = series_find(&s->series, &s->pairs, key); /* another writer may have been first */
    if (ref == 0)
        ref = create(a, key);
    if (ref != 0 && a->spelling != NULL)
        series_spell(&s->series, ref, a->spelling);
    if (ref != 0)
        admit_samples(a, ref);
    rwlock_drop(&s->index);
}

static void admit_series(struct admission *a, const struct batch_series *series)
{
    uint64_t few[KEY_LABELS];
    uint64_t *hashes = series->label_count <= KEY_LABELS ? few : MEM_ARRAY(uint64_t, series->label_count);
    struct series_key key = series_key_make(series->labels, series->label_count, hashes);
    a->series = series;
    a->told = false;
    if (series->sample_count > 0 && (a->spelling != NULL || !admit_known(a, &key)))
        admit_new(a, &key);
    if (hashes != few)
        mem_free(hashes);
}

static void lower(_Atomic int64_t *to, int64_t value)
{
    int64_t seen = atomic_load_explicit(to, memory_order_relaxed);
    while (value < seen && !atomic_compare_exchange_weak_explicit(to, &seen, value, memory_order_relaxed,
                                                                  memory_order_relaxed))
        ;
}

static void lift(_Atomic int64_t *to, int64_t value)
{
    int64_t seen = atomic_load_explicit(to, memory_order_relaxed);
    while (value > seen && !atomic_compare_exchange_weak_explicit(to, &seen, value, memory_order_relaxed,
                                                                  memory_order_relaxed))
        ;
}

static void count(struct admission *a, const struct admit_result *before)
{
    const struct admit_result *r = a->result;
    atomic_fetch_add_explicit(&a->store->samples, r->appended - before->appended, memory_order_relaxed);
    lower(&a->store->oldest_ms, a->oldest_ms);
    lift(&a->store->newest_ms, a->newest_ms);
    stat_add(STAT_samples_appended, r->appended - before->appended);
    static const enum stat_id stats[ADMIT_REASON_COUNT] = {
        [ADMIT_OUT_OF_ORDER] = STAT_out_of_order,
        [ADMIT_DUPLICATE] = STAT_duplicates,
        [ADMIT_TOO_OLD] = STAT_too_old,
        [ADMIT_FUTURE] = STAT_out_of_bound,
    };
    for (int i = 0; i < ADMIT_REASON_COUNT; i++)
        if (stats[i] != 0)
            stat_add(stats[i], r->refused[i] - before->refused[i]);
}

static struct admission begin(struct store *s, struct admit_result *result)
{
    return (struct admission){.store = s,
                              .result = result,
                              .now_ms = world_now_ms(s->world),
                              .oldest_ms = INT64_MAX,
                              .newest_ms = INT64_MIN};
}

void store_admit(struct store *s, const struct batch *batch, struct admit_result *result)
{
    struct admission a = begin(s, result);
    struct admit_result before = *result;
    for (size_t i = 0; i < batch->count; i++)
        admit_series(&a, &batch->series[i]);
    count(&a, &before);
}

void store_admit_spelt(struct store *s, const struct batch_series *series, const struct spelling *spelling,
                       struct admit_result *result)
{
    struct admission a = begin(s, result);
    struct admit_result before = *result;
    a.spelling = spelling_given(spelling) ? spelling : NULL;
    admit_series(&a, series);
    count(&a, &before);
}

/* Asks for the memory that the series some places further on will need: first its slot, then the series itself. */
static void look_ahead(const struct store *s, const struct spelling *spellings, size_t count)
{
    enum { SLOT_AHEAD = 12, SERIES_AHEAD = 6 };
    if (count > SLOT_AHEAD)
        spellings_prefetch(&s->series.spellings, &spellings[SLOT_AHEAD]);
    series_ref ref =
        count > SERIES_AHEAD ? spellings_find(&s->series.spellings, &spellings[SERIES_AHEAD]) : 0;
    if (ref != 0)
        __builtin_prefetch(series_at(&s->series, ref));
}

size_t store_admit_known(struct store *s, const struct batch *batch, const struct spelling *spellings,
                         struct admit_result *result)
{
    struct admission a = begin(s, result);
    struct admit_result before = *result;
    size_t done = 0;
    rwlock_read(&s->index);
    for (; done < batch->count; done++) {
        look_ahead(s, spellings + done, batch->count - done);
        series_ref ref = spellings_find(&s->series.spellings, &spellings[done]);
        if (ref == 0)
            break;
        a.series = &batch->series[done];
        a.known = series_at(&s->series, ref);
        a.told = false;
        admit_samples(&a, ref);
    }
    rwlock_drop(&s->index);
    count(&a, &before);
    return done;
}
