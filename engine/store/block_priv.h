/*
 * block: a run of samples of one series, each as it came.
 *
 * A block is *narrow* (time and value, 16 bytes a sample) as long as it holds plain floats; one that must
 * hold a histogram or a start timestamp is *wide*. It owns the boxes of its histograms.
 */
#ifndef TOCSIN_STORE_BLOCK_PRIV_H
#define TOCSIN_STORE_BLOCK_PRIV_H

#include "account_priv.h"
#include "group_priv.h"
#include "tocsin/mem.h"
#include "tocsin/sample.h"

/* Blocks grow from small (one cache line with what malloc adds) to large by halves, because many series hold few samples. Two
 * full narrow ones make a group. */
enum { BLOCK_SAMPLES_MIN = 3, BLOCK_SAMPLES_MAX = GROUP_SAMPLES / 2 };

static inline size_t block_capacity_after(size_t capacity)
{
    size_t more = capacity + capacity / 2 + 1;
    return more < BLOCK_SAMPLES_MAX ? more : BLOCK_SAMPLES_MAX;
}

struct block {
    _Alignas(8) uint16_t count; /* the samples follow */
    uint16_t capacity;
    bool wide;
};

size_t block_bytes(size_t capacity, bool wide);
struct block *block_make(struct account *account, size_t capacity, bool wide);
void block_free(struct account *account, struct block *b);

/* The samples of a narrow block, and of a wide one. */
static inline struct point *block_points(const struct block *b)
{
    return (struct point *)(b + 1);
}

static inline struct sample *block_samples(const struct block *b)
{
    return (struct sample *)(b + 1);
}

/* i < count. */
static inline int64_t block_time(const struct block *b, size_t i)
{
    return b->wide ? block_samples(b)[i].t_ms : block_points(b)[i].t_ms;
}

struct sample block_get(const struct block *b, size_t i); /* the histogram stays the block's */

/* How many samples are at or before t_ms: also the index of the first one after it. */
size_t block_upto(const struct block *b, int64_t t_ms);

/* Reads where the next sample will go, so that whoever does this for many blocks waits for them side by side. */
static inline void block_touch_end(const struct block *b)
{
    if (b->count > 0)
        mem_touch(b->wide ? (const void *)&block_samples(b)[b->count - 1] : &block_points(b)[b->count - 1]);
}

/* Inserts before index i; the block has room and is wide enough. The histogram becomes the block's. */
void block_insert(struct block *b, size_t i, const struct sample *s);

/* Moves the samples from index i on to the end of `to`, which has room and is as wide. */
void block_move(struct block *to, struct block *from, size_t i);

/* True if a sample must go into a wide block. */
static inline bool sample_is_wide(const struct sample *s)
{
    return s->histogram != NULL || s->start_ms != 0;
}

#endif
