/*
 * ring: the samples of one series, oldest to newest, as a list of blocks.
 *
 * Invariants: times rise strictly from sample to sample; no block is empty. Nobody outside keeps a pointer
 * into a ring: readers get copies, so blocks are freed as soon as they are dropped. The hint of a histogram says
 * how it stands to the sample before it (histogram_stored_hint), whatever the sender wrote.
 *
 * Not thread-safe: whoever calls holds the lock of the series' shard.
 */
#ifndef TOCSIN_STORE_RING_PRIV_H
#define TOCSIN_STORE_RING_PRIV_H

#include "account_priv.h"
#include "tocsin/arena.h"
#include "tocsin/sample.h"

struct block;

struct ring {
    struct block *first, *last; /* NULL: no sample */
};

enum ring_verdict {
    RING_TAKEN,
    RING_SAME,     /* a sample of this time with the same bits is there: nothing to do */
    RING_CONFLICT, /* one with other bits is there: it stays */
    RING_FULL      /* the account has no room */
};

/* Puts a sample in its place; one behind the newest is cheap. Copies the histogram. */
enum ring_verdict ring_append(struct ring *r, const struct sample *s, struct account *account);

/* Copies of the samples with after_ms < t <= upto_ms. 0, or ERR_LIMIT (arena). */
int ring_read(const struct ring *r, int64_t after_ms, int64_t upto_ms, struct arena *arena,
              struct sample **samples, size_t *count);

/* The newest one in that window. 1 if there is one, 0 if not, or ERR_LIMIT (arena). */
int ring_last(const struct ring *r, int64_t after_ms, int64_t upto_ms, struct arena *arena,
              struct sample *out);

/* Frees blocks whose samples are all older than before_ms. Returns how many samples went. */
size_t ring_drop_before(struct ring *r, int64_t before_ms, struct account *account);

/* Frees everything. Returns how many samples went. */
size_t ring_clear(struct ring *r, struct account *account);

static inline bool ring_empty(const struct ring *r)
{
    return r->last == NULL;
}

/* Times of the ends; the ring is not empty. */
int64_t ring_oldest_ms(const struct ring *r);
int64_t ring_newest_ms(const struct ring *r);

#endif
