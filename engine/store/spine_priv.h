/*
 * spine: the sealed stretches of a ring in one array, so that a long window walks over memory in order.
 *
 * Behind the items of a long one stand nodes, each the summary of up to SPINE_NODE items or of SPINE_NODE times
 * SPINE_NODE, and for each item a tally of all before it, so that a window passes over most items unseen. The first item
 * belongs to no node, because windows as long as the retention begin in it; nor does the last one, because it still
 * grows.
 */
#ifndef TOCSIN_STORE_SPINE_PRIV_H
#define TOCSIN_STORE_SPINE_PRIV_H

#include "ring_priv.h"
#include "sealed_priv.h"

enum { SPINE_NODE = 8 };

struct spine {
    uint32_t count, capacity;
    struct sealed item[];
};

static inline size_t spine_count(const struct ring *r)
{
    return r->spine != NULL ? r->spine->count : 0;
}

/* Bytes that one more item may take. */
size_t spine_bytes_more(const struct ring *r);

/* Puts an item before index i. */
void spine_insert(struct ring *r, size_t i, const struct sealed *item, struct account *account);

/* Must follow a change of item i. */
void spine_changed(struct ring *r, size_t i, struct account *account);

/* Must follow when samples have been put behind those of the last item. */
void spine_grew(struct ring *r, struct account *account);

/* Takes out the first n, which the caller has freed. */
void spine_drop(struct ring *r, size_t n, struct account *account);

/* spine_search.c: how many items begin at or before t_ms. */
size_t spine_upto(const struct ring *r, int64_t t_ms);

/* The items that reach into after_ms < t <= upto_ms: from the one returned on, before *end. */
size_t spine_within(const struct ring *r, int64_t after_ms, int64_t upto_ms, size_t *end);

/* An item may begin anywhere in a line. */
static inline void spine_touch_item(const struct spine *s, size_t i)
{
    mem_touch(&s->item[i].oldest_ms);
    mem_touch(&s->item[i].count);
}

/* Brings near, in this order: the last item; where spine_upto will look for t_ms; what spine_join will read. */
void spine_touch_last(const struct spine *s);
void spine_touch_guess(const struct spine *s, int64_t t_ms);
void spine_touch_joined(const struct spine *s, size_t i, size_t end, enum window_wish wish);

/* Joins items from i on, before `end`, as many as it can at once. Returns how many; 0: look at item i. */
size_t spine_join(const struct spine *s, size_t i, size_t end, enum window_wish wish,
                  struct window_summary *out);

#endif
