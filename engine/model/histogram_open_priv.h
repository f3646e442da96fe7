/*
 * histogram_open: a histogram laid open for calculation: its buckets as plain lists, each count with what
 * rounding has left over.
 */
#ifndef TOCSIN_MODEL_HISTOGRAM_OPEN_PRIV_H
#define TOCSIN_MODEL_HISTOGRAM_OPEN_PRIV_H

#include "tocsin/histogram.h"
#include "tocsin/kahan.h"

/* The buckets of one side, by rising index. */
struct bucket_list {
    int32_t *index;
    struct kahan *count;
    size_t n;
};

struct open_histogram {
    struct histogram head; /* schema, bounds, hint; its counts and buckets stand below */
    struct kahan count, sum, zero;
    struct bucket_list positive, negative;
};

/* False past the arena's cap. */
bool histogram_open(struct arena *arena, const struct histogram *h, struct open_histogram *o);

/* Compact: without empty buckets, with as few spans as possible. NULL past the arena's cap. */
const struct histogram *histogram_close(struct arena *arena, const struct open_histogram *o);

/* Brings both to the same schema, zero threshold and bounds, at the cost of resolution. They are of the same
 * kind, exponential or custom. False past the arena's cap. histogram_reconcile.c */
bool histogram_reconcile(struct arena *arena, struct open_histogram *a, struct open_histogram *b,
                         struct histogram_remarks *remarks);

/* Where a bucket falls when 2^by neighbours become one. */
static inline int32_t histogram_coarser_index(int32_t index, int32_t by)
{
    return (int32_t)((((int64_t)index - 1) >> by) + 1);
}

/* Lays out one side bucket by bucket, by rising index. It has room for n buckets and n + 1 spans. */
struct side_layout {
    struct histogram_side *side;
    int64_t end; /* the index after the last bucket */
};
bool histogram_side_begin(struct side_layout *l, struct arena *arena, struct histogram_side *side, size_t n);
void histogram_side_put(struct side_layout *l, int32_t index, double count);

#endif
