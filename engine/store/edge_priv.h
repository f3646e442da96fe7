/*
 * edge: where windows of a series begin that are asked for again and again, a little later each time.
 *
 * To find a window's first sample means to search the spine and to unpack some bits, in memory that nobody has looked at since the
 * last time. So an edge keeps the first sample and the few behind it, together with what everything sealed from the last of these on
 * comes to: the window that follows, and begins with one of them, needs nothing else but the open block.
 *
 * It holds as long as nothing changes in what is sealed (block.sealed), for windows of which one thing is asked.
 *
 * Two cache lines, so that those of many series, one behind the other, come fast.
 */
#ifndef TOCSIN_STORE_EDGE_PRIV_H
#define TOCSIN_STORE_EDGE_PRIV_H

#include "ring_priv.h"
#include "sealed_priv.h"

enum { EDGE_POINTS = 6 };

struct edge {
    series_ref series;              /* whose; 0: nobody's */
    uint32_t sealed;                /* block.sealed */
    int64_t after_ms;               /* where the window began */
    uint32_t later_ms[EDGE_POINTS]; /* the samples, each after the one before it */
    uint8_t wish, points;           /* 0 points: it never holds */
    bool has_starts : 1, whole_resets : 1, has_nan : 1, has_inf : 1, has_huge : 1;
    uint32_t count; /* from the last of them to the end of what is sealed, here and below */
    int64_t last_ms;
    double last;
    union { /* by wish */
        struct {
            double correction;
            uint32_t resets; /* none between the points */
        };
        struct {
            double min, max;
        };
        struct {
            double sum, rest;
        };
        uint32_t changes;
    };
    double value[EDGE_POINTS];
};

_Static_assert(sizeof(struct edge) == 2 * MEM_LINE_BYTES, "two cache lines");

/* It is about this series from now on. */
static inline void edge_claim(struct edge *e, series_ref series)
{
    if (e->series != series)
        *e = (struct edge){.series = series};
}

/* How much later: b is not before a, and they may be far apart. */
static inline uint64_t edge_later_ms(int64_t a_ms, int64_t b_ms)
{
    return (uint64_t)b_ms - (uint64_t)a_ms;
}

/* The open block has been brought near. */
static inline bool edge_holds(const struct edge *e, const struct ring *r, const struct ring_query *q)
{
    return e->points > 0 && r->open != NULL && e->sealed == r->open->sealed && e->wish == q->wish &&
           q->after_ms >= e->after_ms &&
           edge_later_ms(e->after_ms, q->after_ms) < e->later_ms[e->points - 1] &&
           q->upto_ms >= block_time(r->open, 0);
}

/* What is sealed of a window of which it holds. */
void edge_tell(const struct edge *e, int64_t after_ms, struct window_summary *sealed);

/* Takes over what is sealed of a window: it begins in item `first`. */
void edge_remember(struct edge *e, const struct ring *r, const struct ring_query *q,
                   const struct sealed *first, const struct window_summary *sealed);

#endif
