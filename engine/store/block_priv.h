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

/* Many series hold few samples, so the first block of one is small (a cache line with what malloc adds) and doubles; later ones begin
 * larger and grow in few steps: each step leaves a hole in the heap that another size does not fill. */
enum {
    BLOCK_SAMPLES_MIN = 3,
    BLOCK_SAMPLES_NEXT = 16,
    BLOCK_SAMPLES_STEP = 16,
    BLOCK_SAMPLES_MAX = GROUP_SAMPLES
};

static inline size_t block_capacity_after(size_t capacity)
{
    size_t more = capacity < BLOCK_SAMPLES_STEP ? capacity * 2 : capacity + BLOCK_SAMPLES_STEP;
    return more < BLOCK_SAMPLES_MAX ? more : BLOCK_SAMPLES_MAX;
}

enum block_kind {
    BLOCK_WHOLE,  /* 8 bytes a sample: whole numbers, all within 2^31 of the first, and so their times */
    BLOCK_POINTS, /* 16 bytes: floats. Like those above they have their start time in common */
    BLOCK_STARTS, /* 32 bytes: floats with start times of their own */
    BLOCK_MIXED   /* as many: histograms, and floats that came right behind them */
};

struct block {
    _Alignas(8) uint8_t count;
    uint8_t capacity;
    uint8_t kind;
    bool falls;       /* of a BLOCK_WHOLE: some value may be below the one before it */
    uint32_t sealed;  /* the ring's: tells what is sealed before it from what once was */
    int64_t start_ms; /* in common */
    /* The samples follow, those of a BLOCK_WHOLE behind what they are relative to. */
};

struct block_base {
    int64_t t_ms, value;
};

struct block_whole {
    int32_t t_ms, value; /* more than the base */
};

size_t block_bytes(size_t capacity, enum block_kind kind);
struct block *block_make(struct account *account, size_t capacity, enum block_kind kind);
void block_free(struct account *account, struct block *b);

static inline bool block_is_wide(const struct block *b)
{
    return b->kind >= BLOCK_STARTS;
}

/* Time to pack it: whole numbers make a group at once; of others, two blocks make one, because they take so much. */
static inline bool block_is_full(const struct block *b)
{
    return b->count >= (b->kind == BLOCK_WHOLE ? BLOCK_SAMPLES_MAX : BLOCK_SAMPLES_MAX / 2);
}

/* What follows the head, by kind. */
static inline struct block_base *block_base(const struct block *b)
{
    return (struct block_base *)(b + 1);
}

static inline struct block_whole *block_wholes(const struct block *b)
{
    return (struct block_whole *)(block_base(b) + 1);
}

static inline struct point *block_points(const struct block *b)
{
    return (struct point *)(b + 1);
}

static inline struct sample *block_samples(const struct block *b)
{
    return (struct sample *)(b + 1);
}

static inline struct point block_whole_point(const struct block *b, size_t i)
{
    const struct block_base *base = block_base(b);
    struct block_whole w = block_wholes(b)[i];
    return (struct point){base->t_ms + w.t_ms, (double)(base->value + w.value)};
}

/* i < count. */
static inline int64_t block_time(const struct block *b, size_t i)
{
    if (b->kind == BLOCK_WHOLE)
        return block_base(b)->t_ms + block_wholes(b)[i].t_ms;
    return block_is_wide(b) ? block_samples(b)[i].t_ms : block_points(b)[i].t_ms;
}

struct sample block_get(const struct block *b, size_t i); /* the histogram stays the block's */

/* How many samples are at or before t_ms: also the index of the first one after it. */
size_t block_upto(const struct block *b, int64_t t_ms);

static inline size_t block_sample_bytes(const struct block *b)
{
    static const uint8_t each[] = {sizeof(struct block_whole), sizeof(struct point), sizeof(struct sample),
                                   sizeof(struct sample)};
    return each[b->kind];
}

/* Where samples begin, of whichever kind. */
static inline const char *block_items(const struct block *b)
{
    return b->kind == BLOCK_WHOLE ? (const char *)block_wholes(b) : (const char *)(b + 1);
}

/* Reads, so that whoever does this for many blocks waits for them side by side: the head and the first sample, without
 * following anything; where the next sample will go; all samples. */
static inline void block_touch_begin(const struct block *b)
{
    mem_touch_all(b, sizeof *b + sizeof(struct block_base) + sizeof(struct block_whole));
}

static inline void block_touch_end(const struct block *b)
{
    if (b->count > 0)
        mem_touch(block_items(b) + (size_t)(b->count - 1) * block_sample_bytes(b));
}

static inline void block_touch(const struct block *b)
{
    mem_touch_all(block_items(b), b->count * block_sample_bytes(b));
}

/* The narrowest kind that holds the sample and what is in the block (NULL: nothing). */
enum block_kind block_kind_for(const struct block *b, const struct sample *s);

/* Puts it behind all others, where it belongs. False, and nothing is changed, if it is a histogram, or room or kind do not do. */
bool block_append(struct block *b, const struct sample *s);

/* Inserts before index i; the block has room and the kind for it. The histogram becomes the block's. */
void block_insert(struct block *b, size_t i, const struct sample *s);

/* Moves the samples from index i on to an empty one, which has room and the kind for them. */
void block_move(struct block *to, struct block *from, size_t i);

/* The floats from <= i < to, laid out as they are packed; `starts`: NULL, or room for as many. Returns whether any has a start
 * time. */
bool block_lay_out(const struct block *b, size_t from, size_t to, struct point *points, int64_t *starts);

/* True if a sample is more than time and value. */
static inline bool sample_is_wide(const struct sample *s)
{
    return s->histogram != NULL || s->start_ms != 0;
}

#endif
