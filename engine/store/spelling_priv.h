/*
 * spelling: series found by the fingerprint of their labels as a sender wrote them.
 *
 * Each series remembers its last spelling, so the table is bounded by the living series; a spelling that comes
 * anew takes the place of the one before. Guarded by the index lock.
 */
#ifndef TOCSIN_STORE_SPELLING_PRIV_H
#define TOCSIN_STORE_SPELLING_PRIV_H

#include "account_priv.h"
#include "tocsin/store.h"
#include "tocsin/view.h"

struct spelling_slot {
    uint64_t hash;  /* a spelling's `a` */
    uint32_t check; /* half of its `b`: 96 bits tell two spellings apart */
    series_ref ref; /* 0: free */
};

struct spellings {
    struct spelling_slot *slots; /* open addressing */
    uint32_t capacity;           /* a power of two, or 0 */
    uint32_t count;
    struct account *account;
};

void spellings_init(struct spellings *s, struct account *account);
void spellings_release(struct spellings *s);

/* The series spelt so, or 0. */
series_ref spellings_find(const struct spellings *s, const struct spelling *spelling);

/* Bytes that adding one may take. */
size_t spellings_bytes_max(void);

/* Adds one that is not there; takes one out that is. */
void spellings_add(struct spellings *s, const struct spelling *spelling, series_ref ref);
void spellings_remove(struct spellings *s, uint64_t hash, series_ref ref);

static inline bool spelling_given(const struct spelling *spelling)
{
    return (spelling->a | spelling->b) != 0;
}

/* Brings the slot near, so that a look-up soon after does not wait for memory. */
static inline void spellings_prefetch(const struct spellings *s, const struct spelling *spelling)
{
    if (s->capacity > 0)
        __builtin_prefetch(&s->slots[(uint32_t)spelling->a & (s->capacity - 1)]);
}

#endif
