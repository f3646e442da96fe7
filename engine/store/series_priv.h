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
#include "slots_priv.h"
#include "tocsin/mem.h"

enum { SEGMENT_SERIES = 1024 };

enum series_state { SERIES_FREE, SERIES_LIVING, SERIES_DEAD };

/* One cache line: a known series that gets a sample costs one miss here. */
struct series {
    struct ring ring;               /* guarded by the shard lock */
    _Atomic(struct labels *) shown; /* made when a view first asks */
    union {
        pair_id *pairs;       /* sorted by name, as the labels are */
        series_ref next_free; /* of a free slot */
    };
    uint64_t spelling; /* half of the fingerprint it is remembered by; 0: none */
    int64_t reach_ms;  /* how far back standing selectors look; 0: nobody does. Guarded by the index lock */
    uint32_t spelling_tag, hash_tag;
    uint16_t turn;     /* how often this number had been given out before */
    uint16_t identity; /* who made it. Guarded by the shard lock */
    uint8_t pair_count;
    uint8_t state;
};
_Static_assert(sizeof(struct series) <= MEM_LINE_BYTES, "a series fits one cache line");

/* mem_touch for who holds no lock: by the one field that needs none. */
static inline void series_touch(const struct series *s)
{
    (void)atomic_load_explicit(&s->shown, memory_order_relaxed);
}

struct series_table {
    struct series **segments;
    size_t segments_max;
    series_ref next; /* first number never given out */
    series_ref free; /* head of the list of free slots */
    uint32_t held;   /* living and dead */
    uint32_t living;
    bool any_typed;           /* one with __type__ or __unit__ has been made */
    struct slots by_labels;   /* the living */
    struct slots by_spelling; /* of them, those with a spelling */
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

/* Computes the hashes into `hashes` (count of them). What it shares with `like` (NULL: nothing), whose labels often are half the
 * same, is taken from there. */
struct series_key series_key_make(const struct label *labels, size_t count, const struct series_key *like,
                                  uint64_t *hashes);

/* The living series of these labels, or 0. */
series_ref series_find(const struct series_table *t, const struct pairs *pairs, const struct series_key *key);

static inline bool spelling_given(const struct spelling *spelling)
{
    return spelling->a != 0;
}

static inline uint32_t spelling_tag(const struct spelling *spelling)
{
    return (uint32_t)spelling->b;
}

/* The living series that is spelt so, or 0: 96 bits tell two spellings apart. */
static inline series_ref series_spelt(const struct series_table *t, const struct spelling *spelling)
{
    uint32_t tag = spelling_tag(spelling);
    uint32_t at = slots_home(&t->by_spelling, tag);
    series_ref ref = 0;
    while (spelling_given(spelling) && (ref = slots_next(&t->by_spelling, tag, &at)) != 0)
        if (series_at(t, ref)->spelling == spelling->a)
            break;
    return ref;
}

/* Remembers how the series has been spelt; one remembered before is forgotten. */
void series_spell(struct series_table *t, series_ref ref, const struct spelling *spelling);

/* Makes one and posts it under its pairs; the caller has asked series_room. What it shares with the living series `like`
 * (0: none) is found without a look-up. */
series_ref series_add(struct series_table *t, struct pairs *pairs, const struct series_key *key,
                      series_ref like);

/* True if there is a slot left for another. */
bool series_room(const struct series_table *t);

/* Bytes that making it may take. */
size_t series_bytes_max(const struct series_key *key);

/* Dead: no longer found by labels. Its slot and pairs stay until series_free. */
void series_kill(struct series_table *t, series_ref ref);
void series_free(struct series_table *t, struct pairs *pairs, series_ref ref);

/* Makes one at this very number, whose slot is free, in this turn. False if the table does not reach that far. Once all
 * are there, and before any is made otherwise, series_restored puts the numbers left out among them to use. */
bool series_restore(struct series_table *t, struct pairs *pairs, const struct series_key *key,
                    series_ref like, series_ref ref, uint16_t turn);
void series_restored(struct series_table *t);

#endif
