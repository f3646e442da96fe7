/*
 * The store as its own files see it.
 *
 * Locks, in order: keeper (one housekeeper or re-arrangement of selectors at a time), index (tables of
 * series, pairs, selectors, options), shard (rings of a share of the series), views (who reads, what waits to
 * be freed), exemplars, metadata.
 */
#ifndef TOCSIN_STORE_PRIV_H
#define TOCSIN_STORE_PRIV_H

#include "account_priv.h"
#include "exemplars_priv.h"
#include "identity_priv.h"
#include "metadata_priv.h"
#include "refused_priv.h"
#include "selector_priv.h"
#include "series_priv.h"
#include "slab_priv.h"
#include "tocsin/limits.h"
#include "tocsin/lock.h"
#include "tocsin/store.h"
#include "tocsin/view.h"

enum { SHARDS = 16, SHARD_RUN = 64 /* neighbours share a lock, so that a walk takes few */ };

/* What may be freed once no view is left that was open when it was put here. */
struct limbo_item {
    uint64_t epoch;
    series_ref series;    /* a dead series, or 0 */
    struct labels *shown; /* labels no longer cached, or NULL */
};

struct limbo {
    struct limbo_item *items; /* by epoch */
    size_t count, capacity;
};

struct log;

struct store {
    struct world *world;
    struct account account;
    struct slab slab;
    struct lock keeper;

    struct rwlock index;
    struct store_options options;
    struct pairs pairs;
    struct series_table series;
    struct selectors selectors;
    struct identities identities;
    struct refused refused;

    struct lock shards[SHARDS];

    struct lock views;
    struct view *open_views;
    uint64_t epoch;
    struct limbo limbo;

    struct exemplars exemplars;
    struct families families;

    struct log *log; /* NULL: memory only */

    _Atomic int64_t edge_bytes; /* of edges (view.h) */
    _Atomic uint64_t samples;
    _Atomic int64_t oldest_ms, newest_ms; /* INT64_MAX and INT64_MIN: no sample */
};

static inline size_t shard_number(series_ref ref)
{
    return ref / SHARD_RUN % SHARDS;
}

static inline struct lock *shard_of(struct store *s, series_ref ref)
{
    return &s->shards[shard_number(ref)];
}

/* How long this series' samples are kept. Index lock held. */
int64_t store_keep_ms(const struct store *s, int64_t reach_ms);

/* a - b without leaving the range. */
static inline int64_t minus_ms(int64_t a, int64_t b)
{
    int64_t result;
    if (!__builtin_sub_overflow(a, b, &result))
        return result;
    return b > 0 ? INT64_MIN : INT64_MAX;
}

/* The labels of a series as pairs of slices into the pairs; `out` has pair_count places. Index lock held. */
void store_series_labels(const struct store *s, const struct series *series, struct label *out);

/* select: which series pass. Index lock held. */
int select_series(const struct store *s, const struct matcher *matchers, size_t count, struct arena *arena,
                  struct series_set *out);

/* standing: a series and the selectors. Index lock held for writing, but for standing_reach. */
int64_t standing_reach(const struct store *s, const struct series_key *key); /* 0: nobody asks for it */
void standing_introduce(struct store *s, series_ref ref, const struct series_key *key);
void standing_introduce_all(struct store *s); /* when nobody has been introduced yet */
void standing_forget(struct store *s, const series_ref *dead,
                     size_t count); /* they are marked dead already */

/* limbo: keeper lock held; the views and index locks are taken inside where needed. */
void limbo_put(struct store *s, uint64_t epoch, series_ref series, struct labels *shown);
uint64_t limbo_epoch(struct store *s); /* a new epoch: every view open now is older */
void limbo_reclaim(struct store *s);

#endif
