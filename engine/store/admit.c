/* The way in: each sample is appended, or refused for one stated reason. */
#include "frame_priv.h"
#include "log_priv.h"
#include "record_priv.h"
#include "store_priv.h"
#include "tocsin/buf.h"
#include "tocsin/histogram.h"
#include "tocsin/mem.h"
#include "tocsin/stat.h"

struct admission {
    struct store *store;
    struct admit_result *result;
    const struct batch_series *all;    /* those of the batch */
    const struct batch_series *series; /* the one at hand */
    const struct series *known;        /* found by its spelling: has its labels, the batch need not */
    struct lock *shard;                /* held, or NULL: neighbours mostly share one */
    uint16_t identity;                 /* whose the batch is */
    int64_t late_ms;                   /* how late its samples may be */
    uint64_t late;                     /* appended before the newest of their series */
    struct record record;              /* of what is new, for the log */
    bool repeated; /* a sample was there already: it may still be on its way to the disk */
    int64_t now_ms;
    int64_t oldest_ms, newest_ms; /* of what was appended */
    bool told;                    /* the series at hand has its line in result->detail */
};

const struct histogram store_stale_histogram;

const char *admit_reason_text(enum admit_reason reason)
{
    static const char *const text[ADMIT_REASON_COUNT] = {
        [ADMIT_OK] = "",
        [ADMIT_OUT_OF_ORDER] = "out of order sample",
        [ADMIT_DUPLICATE] = "duplicate sample for timestamp",
        [ADMIT_TOO_OLD] = "too old sample",
        [ADMIT_FUTURE] = "out of bounds",
        [ADMIT_SERIES_LIMIT] = "limit of series reached",
        [ADMIT_IDENTITY_LIMIT] = "limit of series of this sender reached",
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
    enum admit_reason *reasons = a->result->reasons;
    if (reasons != NULL && reasons[a->series - a->all] == ADMIT_OK)
        reasons[a->series - a->all] = reason;
    if (reason == ADMIT_UNREFERENCED) {
        stat_add(STAT_unreferenced, 1);
        return;
    }
    for (size_t i = from; i < from + count; i++)
        a->result->refused_histograms += a->series->samples[i].histogram != NULL;
    if (reason == ADMIT_SERIES_LIMIT)
        limit_hit(LIMIT_series);
    if (reason == ADMIT_IDENTITY_LIMIT)
        limit_hit(LIMIT_series_per_identity);
    if (reason == ADMIT_MEMORY_LIMIT)
        limit_hit(LIMIT_store_bytes);
    if (a->result->first == ADMIT_OK)
        a->result->first = reason;
    tell(a, reason);
}

/* ---- the log ---- */

/* Under the lock of the index, so that nobody can refer to a series before it is written down; after the append, so that a
 * snapshot holds whatever the log before it says. */
static void write_down(struct admission *a)
{
    struct admit_result *result = a->result;
    struct log *log = a->store->log;
    if (log == NULL || (record_is_empty(&a->record) && !a->repeated))
        return;
    if (record_is_empty(&a->record)) {
        result->logged = wal_position(log->wal);
    } else {
        result->logged = log_put(log, buf_slice(&a->record.bytes));
        result->unlogged |= result->logged == 0;
    }
    record_clear(&a->record);
    a->repeated = false;
}

static struct series_id id_of(const struct store *s, series_ref ref)
{
    return (struct series_id){ref, series_at(&s->series, ref)->turn};
}

static void note_series(struct admission *a, series_ref ref, const struct series_key *key)
{
    if (a->store->log != NULL)
        record_series(&a->record, id_of(a->store, ref), key->labels, key->count);
}

static void note_sample(struct admission *a, series_ref ref, const struct sample *sample)
{
    enum { LONG_BYTES = 1 << 20 };
    if (a->store->log == NULL)
        return;
    record_sample(&a->record, id_of(a->store, ref), sample);
    if (a->record.bytes.used > LONG_BYTES)
        write_down(a);
}

/* ---- samples ---- */

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
static enum admit_reason judge_order(const struct admission *a, int64_t t_ms, int64_t newest_ms)
{
    int64_t window_ms = a->store->options.out_of_order_ms;
    if (window_ms < a->late_ms)
        window_ms = a->late_ms;
    if (window_ms == 0)
        return ADMIT_OUT_OF_ORDER;
    return minus_ms(newest_ms, t_ms) > window_ms ? ADMIT_TOO_OLD : ADMIT_OK;
}

static enum admit_reason append(struct admission *a, series_ref ref, const struct sample *sample)
{
    switch (ring_append(&series_at(&a->store->series, ref)->ring, sample, &a->store->account)) {
    case RING_SAME:
        a->repeated = true;
        return ADMIT_OK;
    case RING_CONFLICT:
        return ADMIT_DUPLICATE;
    case RING_FULL:
        return ADMIT_MEMORY_LIMIT;
    case RING_TAKEN:
        break;
    }
    note_sample(a, ref, sample);
    a->result->appended++;
    a->oldest_ms = sample->t_ms < a->oldest_ms ? sample->t_ms : a->oldest_ms;
    a->newest_ms = sample->t_ms > a->newest_ms ? sample->t_ms : a->newest_ms;
    return ADMIT_OK;
}

static enum admit_reason append_late(struct admission *a, series_ref ref, const struct sample *sample)
{
    uint64_t before = a->result->appended;
    enum admit_reason reason = append(a, ref, sample);
    a->late += a->result->appended - before;
    return reason;
}

static enum admit_reason admit_sample(struct admission *a, series_ref ref, const struct sample *sample,
                                      int64_t keep_ms)
{
    const struct ring *ring = &series_at(&a->store->series, ref)->ring;
    enum admit_reason reason = judge_time(a, sample->t_ms, keep_ms);
    if (reason != ADMIT_OK)
        return reason;
    if (ring_empty(ring) || sample->t_ms >= ring_newest_ms(ring))
        return append(a, ref, sample);
    reason = judge_order(a, sample->t_ms, ring_newest_ms(ring));
    if (reason == ADMIT_OK)
        return append_late(a, ref, sample);
    /* A push that is sent again because its answer was lost, or was no answer, is no mistake. */
    if (!ring_has(ring, sample))
        return reason;
    a->repeated = true;
    return ADMIT_OK;
}

/* A stale marker is stored as a float, and counted as what it came as. */
static enum admit_reason admit_histogram(struct admission *a, series_ref ref, const struct sample *sample,
                                         int64_t keep_ms)
{
    struct sample marker = {.t_ms = sample->t_ms, .start_ms = sample->start_ms, .value = stale_nan()};
    bool stale = sample->histogram == &store_stale_histogram;
    uint64_t before = a->result->appended;
    enum admit_reason reason = admit_sample(a, ref, stale ? &marker : sample, keep_ms);
    a->result->appended_histograms += a->result->appended - before;
    return reason;
}

static void hold(struct admission *a, struct lock *shard)
{
    if (a->shard == shard)
        return;
    if (a->shard != NULL)
        lock_drop(a->shard);
    if (shard != NULL)
        lock_take(shard);
    a->shard = shard;
}

/* A series that came back from the log is of the first who pushes it. */
static void adopt(struct admission *a, struct series *series)
{
    if (series->identity != IDENTITY_NONE || a->identity == IDENTITY_NONE)
        return;
    series->identity = a->identity;
    atomic_fetch_add_explicit(&a->store->identities.item[a->identity].series, 1, memory_order_relaxed);
}

/* Index lock held; before it is dropped the shard has to be let go of. */
static void admit_samples(struct admission *a, const struct batch_series *from, series_ref ref)
{
    struct store *s = a->store;
    int64_t keep_ms = store_keep_ms(s, series_at(&s->series, ref)->reach_ms);
    a->series = from;
    a->told = false;
    hold(a, shard_of(s, ref));
    adopt(a, series_at(&s->series, ref));
    for (size_t i = 0; i < from->sample_count; i++) {
        const struct sample *sample = &from->samples[i];
        enum admit_reason reason = sample->histogram == NULL ? admit_sample(a, ref, sample, keep_ms)
                                                             : admit_histogram(a, ref, sample, keep_ms);
        if (reason != ADMIT_OK)
            refuse(a, reason, i, 1);
    }
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

static bool has_its_share(const struct admission *a)
{
    const struct identity *identity = &a->store->identities.item[a->identity];
    return a->identity != IDENTITY_NONE &&
           atomic_load(&identity->series) >= (uint64_t)limits.series_per_identity;
}

/* Index lock held for writing. */
static void note_no_room(const struct admission *a, const struct series_key *key)
{
    struct str metric = {0};
    for (size_t i = 0; i < key->count; i++)
        if (str_is(key->labels[i].name, LABEL_METRIC_NAME))
            metric = key->labels[i].value;
    refused_note(&a->store->refused, metric, a->now_ms);
    atomic_fetch_add(&a->store->identities.item[a->identity].refused, 1);
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
    else if (has_its_share(a))
        reason = ADMIT_IDENTITY_LIMIT;
    else if (key->count > UINT8_MAX || !account_has_room(&s->account, series_bytes_max(key)))
        reason = ADMIT_MEMORY_LIMIT;
    if (reason == ADMIT_OK)
        return true;
    if (reason != ADMIT_UNREFERENCED)
        note_no_room(a, key);
    refuse(a, reason, 0, a->series->sample_count);
    return false;
}

/* ---- series that are found by their labels, or made ---- */

enum {
    KEYS = 64,         /* series under one lock */
    KEY_LABELS = 1024, /* of all of them: up to so many need no heap for their hashes */
};

/* Some series of a batch, in order. */
struct group_of_keys {
    struct series_key key[KEYS];
    series_ref ref[KEYS]; /* 0: not found yet */
    size_t from, count;   /* which of the batch */
    uint64_t few[KEY_LABELS];
    uint64_t *hashes; /* of the pairs of all of them */
};

static void make_keys(struct group_of_keys *g, const struct batch *batch)
{
    size_t labels = 0;
    for (size_t i = 0; i < g->count; i++)
        labels += batch->series[g->from + i].label_count;
    g->hashes = labels <= KEY_LABELS ? g->few : MEM_ARRAY(uint64_t, labels);
    uint64_t *hashes = g->hashes;
    for (size_t i = 0; i < g->count; i++) {
        const struct batch_series *series = &batch->series[g->from + i];
        g->key[i] =
            series_key_make(series->labels, series->label_count, i > 0 ? &g->key[i - 1] : NULL, hashes);
        g->ref[i] = 0;
        hashes += series->label_count;
    }
}

/* Index lock held for writing. 0: refused. */
static series_ref create(struct admission *a, const struct batch_series *from, const struct series_key *key,
                         series_ref like)
{
    struct store *s = a->store;
    int64_t reach_ms = standing_reach(s, key);
    a->series = from;
    a->told = false;
    if (!may_create(a, key, reach_ms))
        return 0;
    series_ref ref = series_add(&s->series, &s->pairs, key, like);
    series_at(&s->series, ref)->reach_ms = reach_ms;
    standing_introduce(s, ref, key);
    note_series(a, ref, key);
    stat_add(STAT_series_created, 1);
    return ref;
}

/* Those that exist. True if these were all. */
static bool admit_found(struct admission *a, const struct batch *batch, struct group_of_keys *g)
{
    struct store *s = a->store;
    size_t found = 0;
    rwlock_read(&s->index);
    for (size_t i = 0; i < g->count; i++) {
        g->ref[i] = series_find(&s->series, &s->pairs, &g->key[i]);
        if (g->ref[i] != 0)
            admit_samples(a, &batch->series[g->from + i], g->ref[i]);
        found += g->ref[i] != 0;
    }
    hold(a, NULL);
    write_down(a);
    rwlock_drop(&s->index);
    return found == g->count;
}

static void admit_rest(struct admission *a, const struct batch *batch, struct group_of_keys *g)
{
    struct store *s = a->store;
    rwlock_write(&s->index);
    for (size_t i = 0; i < g->count; i++)
        slots_touch(&s->series.by_labels, (uint32_t)g->key[i].hash);
    series_ref like = 0;
    for (size_t i = 0; i < g->count; i++) {
        const struct batch_series *from = &batch->series[g->from + i];
        if (g->ref[i] != 0 || from->sample_count == 0)
            continue;
        series_ref ref =
            series_find(&s->series, &s->pairs, &g->key[i]); /* another writer may have been first */
        if (ref == 0)
            ref = create(a, from, &g->key[i], like);
        if (ref == 0)
            continue;
        if (batch->spellings != NULL && spelling_given(&batch->spellings[g->from + i]))
            series_spell(&s->series, ref, &batch->spellings[g->from + i]);
        admit_samples(a, from, ref);
        like = ref;
    }
    hold(a, NULL);
    write_down(a);
    rwlock_drop(&s->index);
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

/* What has changed since `before`. */
static void finish(struct admission *a, const struct admit_result *before)
{
    const struct admit_result *r = a->result;
    atomic_fetch_add_explicit(&a->store->samples, r->appended - before->appended, memory_order_relaxed);
    lower(&a->store->oldest_ms, a->oldest_ms);
    lift(&a->store->newest_ms, a->newest_ms);
    uint64_t histograms = r->appended_histograms - before->appended_histograms;
    stat_add(STAT_histograms_appended, histograms);
    stat_add(STAT_floats_appended, r->appended - before->appended - histograms);
    stat_add(STAT_late_appended, a->late);
    if (r->refused[ADMIT_FUTURE] > before->refused[ADMIT_FUTURE])
        limit_hit(LIMIT_future_ms);
    static const enum stat_id stats[ADMIT_REASON_COUNT] = {
        [ADMIT_OUT_OF_ORDER] = STAT_out_of_order,
        [ADMIT_DUPLICATE] = STAT_duplicates,
        [ADMIT_TOO_OLD] = STAT_too_old,
        [ADMIT_FUTURE] = STAT_out_of_bound,
    };
    for (int i = 0; i < ADMIT_REASON_COUNT; i++)
        if (stats[i] != 0)
            stat_add(stats[i], r->refused[i] - before->refused[i]);
    record_release(&a->record);
}

static struct admission begin(struct store *s, const struct batch *batch, struct admit_result *result)
{
    struct admission a = {.store = s,
                          .result = result,
                          .all = batch->series,
                          .identity = batch->identity,
                          .late_ms = batch->late_ms,
                          .now_ms = world_now_ms(s->world),
                          .oldest_ms = INT64_MAX,
                          .newest_ms = INT64_MIN};
    record_init(&a.record, FRAME_RECORD_BYTES_MAX);
    return a;
}

void store_admit(struct store *s, const struct batch *batch, struct admit_result *result)
{
    struct admission a = begin(s, batch, result);
    struct admit_result before = *result;
    struct group_of_keys g __attribute__((uninitialized)); /* 11 KB, of which one recorded sample uses 100 bytes */
    for (g.from = 0; g.from < batch->count; g.from += g.count) {
        g.count = batch->count - g.from < KEYS ? batch->count - g.from : KEYS;
        make_keys(&g, batch);
        /* What comes with a spelling was not known by it, so it is new or has to be spelt anew: both take the write lock. */
        if (batch->spellings != NULL || !admit_found(&a, batch, &g))
            admit_rest(&a, batch, &g);
        if (g.hashes != g.few)
            mem_free(g.hashes);
    }
    finish(&a, &before);
}

/* ---- series that are known ---- */

enum { KNOWN = 32 /* looked up side by side, so that they wait for memory together */ };

/* Into refs, with all that an append will need brought near, step by step. */
static void look_up(const struct store *s, const struct spelling *spellings, size_t count, series_ref *refs)
{
    const struct series_table *t = &s->series;
    for (size_t i = 0; i < count; i++)
        slots_touch(&t->by_spelling, spelling_tag(&spellings[i]));
    for (size_t i = 0; i < count; i++)
        refs[i] = series_spelt(t, &spellings[i]);
    for (size_t i = 0; i < count; i++)
        if (refs[i] != 0)
            ring_touch(&series_at(t, refs[i])->ring);
    for (size_t i = 0; i < count; i++)
        if (refs[i] != 0)
            ring_touch_end(&series_at(t, refs[i])->ring);
}

/* Some neighbours of a batch, and which series they are. */
struct found {
    size_t from, count;
    series_ref refs[KNOWN];
};

static void find_next(const struct store *s, const struct batch *batch, size_t from, struct found *f)
{
    f->from = from;
    f->count = batch->count - from < KNOWN ? batch->count - from : KNOWN;
    look_up(s, batch->spellings + from, f->count, f->refs);
}

size_t store_admit_known(struct store *s, const struct batch *batch, struct admit_result *result,
                         size_t *unknown)
{
    struct admission a = begin(s, batch, result);
    struct admit_result before = *result;
    size_t unknown_count = 0;
    struct found now, next;
    rwlock_read(&s->index);
    find_next(s, batch, 0, &now);
    for (; now.count > 0; now = next) {
        find_next(s, batch, now.from + now.count, &next);
        for (size_t i = 0; i < now.count; i++) {
            if (now.refs[i] == 0) {
                unknown[unknown_count++] = now.from + i;
                continue;
            }
            a.known = series_at(&s->series, now.refs[i]);
            admit_samples(&a, &batch->series[now.from + i], now.refs[i]);
        }
    }
    hold(&a, NULL);
    write_down(&a);
    rwlock_drop(&s->index);
    finish(&a, &before);
    return unknown_count;
}
