/*
 * series: the table of all series: a slot each, found by number (series_ref) or by labels.
 *
 * Slots sit in segments that never move, so a number that a view has shown may be followed without the index
 * lock. Life of a slot: free -> living -> dead (out of the table of labels, kept for the views that may show
 * it) -> free. Number 0 is no series.
 */
#ifndef TOCSIN_STORE_SERIES_PRIV_H
#define TOCSIN_STORE_SERIES_PRIV_H

#include "pairs_priv.h"
#include "ring_priv.h"
#include "spelling_priv.h"
#include "tocsin/view.h"

enum { SEGMENT_SERIES = 1024 };

enum series_state { SERIES_FREE, SERIES_LIVING, SERIES_DEAD };

struct series {
    struct ring ring;               /* guarded by the shard lock */
    _Atomic(struct labels *) shown; /* made when a view first asks */
    union {
        pair_id *pairs;       /* sorted by name, as the labels are */
        series_ref next_free; /* of a free slot */
    };
    uint64_t hash;
    uint64_t spelling; /* hash of the one remembered, if spelt */
    int64_t reach_ms;  /* how far back standing selectors look; 0: nobody does. Guarded by the index lock */
    uint16_t pair_count;
    uint16_t turn; /* how often its number had been given out before */
    uint8_t state;
    bool spelt; /* stands in the table of spellings */
};

struct series_slot {
    uint32_t tag; /* upper half of the hash, so that most misses need not touch the series */
    series_ref ref;
};

struct series_table {
    struct series **segments;
    size_t segments_max;
    series_ref next; /* first number never given out */
    series_ref free; /* head of the list of free slots */
    uint32_t held;   /* living and dead */
    uint32_t living;
    struct series_slot *slots;  /* open addressing by hash; holds the living */
    uint32_t capacity;          /* a power of two, or 0 */
    struct spellings spellings; /* of the living */
    struct account *account;
};

/* A label set with the hashes that the tables need, computed once. */
struct series_key {
    const struct label *labels;
    size_t count;
    const uint64_t *pair_hashes; /* one per label */
    uint64_t hash;
};

void series_table_init(struct series_table *t, size_t series_max, struct account *account);
void series_table_release(struct series_table *t, struct pairs *pairs);

static inline struct series *series_at(const struct series_table *t, series_ref ref)
{
    return &t->segments[ref / SEGMENT_SERIES][ref % SEGMENT_SERIES];
}

/* Computes the hashes into `hashes` (count of them). */
struct series_key series_key_make(const struct label *labels, size_t count, uint64_t *hashes);

/* The living series of these labels, or 0. */
series_ref series_find(const struct series_table *t, const struct pairs *pairs, const struct series_key *key);

/* Remembers how the series has been spelt; one remembered before is forgotten. */
void series_spell(struct series_table *t, series_ref ref, const struct spelling *spelling);

/* Makes one and posts it under its pairs; the caller has asked series_room. */
series_ref series_add(struct series_table *t, struct pairs *pairs, const struct series_key *key);

/* True if there is a slot left for another. */
bool series_room(const struct series_table *t);

/* Bytes that making it may take. */
size_t series_bytes_max(const struct series_key *key);

/* Dead: no longer found by labels. Its slot and pairs stay until series_free. */
void series_kill(struct series_table *t, series_ref ref);
void series_free(struct series_table *t, struct pairs *pairs, series_ref ref);

/* Makes one at this very number, whose slot is free, in this turn. False if the table does not reach that far. Once all
 * are there, and before any is made otherwise, series_restored puts the numbers left out among them to use. */
bool series_restore(struct series_table *t, struct pairs *pairs, const struct series_key *key, series_ref ref,
                    uint16_t turn);
void series_restored(struct series_table *t);

#endif
