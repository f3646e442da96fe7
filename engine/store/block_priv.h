/*
 * block: a run of samples of one series, each as it came.
 *
 * A block is as narrow as what it holds allows (enum block_kind). It owns the boxes of its histograms.
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
    return more + 1 < BLOCK_SAMPLES_MAX ? more : BLOCK_SAMPLES_MAX;
}

enum block_kind {
    BLOCK_POINTS,  /* 16 bytes a sample: floats without start times */
    BLOCK_STARTED, /* the same, with one start time that all have in common */
    BLOCK_STARTS,  /* 32 bytes a sample: floats */
    BLOCK_MIXED    /* as many: histograms, and floats that came right behind them */
};

struct block {
    _Alignas(8) uint16_t count; /* the common start time and the samples follow */
    uint16_t capacity;
    uint8_t kind;
};

size_t block_bytes(size_t capacity, enum block_kind kind);
struct block *block_make(struct account *account, size_t capacity, enum block_kind kind);
void block_free(struct account *account, struct block *b);

static inline bool block_is_wide(const struct block *b)
{
    return b->kind >= BLOCK_STARTS;
}

/* The common start time of a BLOCK_STARTED. */
static inline int64_t *block_start(const struct block *b)
{
    return (int64_t *)(b + 1);
}

/* The samples of a narrow block, and of a wide one. */
static inline struct point *block_points(const struct block *b)
{
    return (struct point *)(block_start(b) + (b->kind == BLOCK_STARTED));
}

static inline struct sample *block_samples(const struct block *b)
{
    return (struct sample *)(b + 1);
}

/* i < count. */
static inline int64_t block_time(const struct block *b, size_t i)
{
    return block_is_wide(b) ? block_samples(b)[i].t_ms : block_points(b)[i].t_ms;
}

struct sample block_get(const struct block *b, size_t i); /* the histogram stays the block's */

/* How many samples are at or before t_ms: also the index of the first one after it. */
size_t block_upto(const struct block *b, int64_t t_ms);

/* Reads where the next sample will go, so that whoever does this for many blocks waits for them side by side. */
static inline void block_touch_end(const struct block *b)
{
    if (b->count > 0)
        mem_touch(block_is_wide(b) ? (const void *)&block_samples(b)[b->count - 1]
                                   : &block_points(b)[b->count - 1]);
}

/* Inserts before index i; the block has room and the kind for it. The histogram becomes the block's. */
void block_insert(struct block *b, size_t i, const struct sample *s);

/* Moves the samples from index i on to the end of `to`, which has room and the kind for them. */
void block_move(struct block *to, struct block *from, size_t i);

static inline int64_t block_common_start(const struct block *b)
{
    return b->kind == BLOCK_STARTED ? *block_start(b) : 0;
}

/* The narrowest kind that holds the sample and what is in the block (NULL: nothing). */
static inline enum block_kind block_kind_for(const struct block *b, const struct sample *s)
{
    if (s->histogram != NULL)
        return BLOCK_MIXED;
    if (b == NULL || b->count == 0)
        return s->start_ms != 0 ? BLOCK_STARTED : BLOCK_POINTS;
    bool fits = block_is_wide(b) || s->start_ms == block_common_start(b);
    return fits ? (enum block_kind)b->kind : BLOCK_STARTS;
}

/* The samples of a block that is not BLOCK_MIXED, as they are packed. */
struct block_floats {
    struct point points[BLOCK_SAMPLES_MAX];
    int64_t starts[BLOCK_SAMPLES_MAX];
};
void block_lay_out(const struct block *b, struct block_floats *out);

/* True if a sample is more than time and value. */
static inline bool sample_is_wide(const struct sample *s)
{
    return s->histogram != NULL || s->start_ms != 0;
}

#endif
