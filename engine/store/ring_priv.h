/*
 * ring: the samples of one series: sealed stretches, oldest to newest, and one open block behind them.
 *
 * Invariants: times rise strictly from sample to sample; nothing is empty; a ring with samples has an open block.
 * Nobody outside keeps a pointer into a ring: readers get copies, so what is dropped is freed at once. The hint of a
 * histogram says how it stands to the sample before it (histogram_stored_hint), whatever the sender wrote.
 *
 * Appending writes into the open block; a full one is packed. What comes late for the open block is put into its
 * sealed stretch: that is unpacked and packed again, some microseconds.
 *
 * Not thread-safe: whoever calls holds the lock of the series' shard.
 */
#ifndef TOCSIN_STORE_RING_PRIV_H
#define TOCSIN_STORE_RING_PRIV_H

#include "block_priv.h"
#include "tocsin/arena.h"
#include "tocsin/histogram.h"
#include "tocsin/sample.h"
#include "tocsin/view.h"

struct edge;
struct sealed;
struct spine;

struct ring {
    struct spine *spine; /* NULL: nothing sealed */
    struct block *open;  /* NULL: no sample */
};

enum ring_verdict {
    RING_TAKEN,
    RING_SAME,     /* a sample of this time with the same bits is there: nothing to do */
    RING_CONFLICT, /* one with other bits is there: it stays */
    RING_FULL      /* the account has no room */
};

/* Puts a sample in its place. Copies the histogram. */
enum ring_verdict ring_append(struct ring *r, const struct sample *s, struct account *account);

/* True if it is there already, bit for bit. */
bool ring_has(const struct ring *r, const struct sample *s);

/* Bringing a ring back. A sample is taken as it was, its hint included. A packed stretch is taken over if the ring ends before it
 * begins; then the ring has no open block until a sample newer than all is put behind it, which has to be the next that is done
 * with it. */
bool ring_ends_before(const struct ring *r, int64_t t_ms);
enum ring_verdict ring_restore(struct ring *r, const struct sample *s, struct account *account);
enum ring_verdict ring_restore_sealed(struct ring *r, const struct sealed *s, struct account *account);

/* ring_hint.c: what the hint of a histogram must say at its place; and what to do for the one right after t_ms, which has got
 * another predecessor: what was known of the old one is no longer true. */
enum histogram_hint ring_hint(const struct ring *r, const struct sample *s);
void ring_forget_hint_after(struct ring *r, int64_t t_ms, struct account *account);

/* Copies of the samples with after_ms < t <= upto_ms. 0, or ERR_LIMIT (arena). */
int ring_read(const struct ring *r, int64_t after_ms, int64_t upto_ms, struct arena *arena,
              struct sample **samples, size_t *count);

/* The newest one in that window. 1 if there is one, 0 if not, or ERR_LIMIT (arena). */
int ring_last(const struct ring *r, int64_t after_ms, int64_t upto_ms, struct arena *arena,
              struct sample *out);

/* Is there any with from_ms <= t <= upto_ms? */
bool ring_lives(const struct ring *r, int64_t from_ms, int64_t upto_ms);

/* A window after_ms < t <= upto_ms, and the sealed stretches that reach into it: from one on, before another. */
struct ring_query {
    int64_t after_ms, upto_ms;
    enum window_wish wish;
};
struct ring_place {
    uint32_t from, end;
};

struct ring_place ring_place(const struct ring *r, const struct ring_query *q);

/* What the floats in that window come to. False if histograms may be among them. edge: what is to be remembered of it (NULL: nothing);
 * of a window that it holds for (edge_priv.h), ring_window_from tells the same. */
bool ring_window(const struct ring *r, const struct ring_query *q, struct ring_place place, struct edge *edge,
                 struct window_summary *out);
/* The same of what is sealed alone. */
bool ring_window_sealed(const struct ring *r, const struct ring_query *q, struct ring_place place,
                        struct window_summary *out);
bool ring_window_from(const struct ring *r, const struct ring_query *q, const struct edge *edge,
                      struct window_summary *out);

/* Bring near what ring_window will read, or ring_last if the window is empty, once ring_touch has; each follows what the one before it
 * brought. The last is ring_place, too. */
void ring_touch_spine(const struct ring *r);
void ring_touch_ends(const struct ring *r, const struct ring_query *q);
void ring_touch_edges(const struct ring *r, const struct ring_query *q);
struct ring_place ring_touch_packed(const struct ring *r, const struct ring_query *q);

/* Frees stretches whose samples are all older than before_ms. Returns how many samples went. */
size_t ring_drop_before(struct ring *r, int64_t before_ms, struct account *account);

/* Frees everything. Returns how many samples went. */
size_t ring_clear(struct ring *r, struct account *account);

static inline bool ring_empty(const struct ring *r)
{
    return r->open == NULL;
}

/* Brings near what an append needs: first the head of the open block, then its end. */
static inline void ring_touch(const struct ring *r)
{
    if (r->open != NULL)
        mem_touch(r->open);
}

static inline void ring_touch_end(const struct ring *r)
{
    if (r->open != NULL)
        block_touch_end(r->open);
}

/* Times of the ends; the ring is not empty. */
int64_t ring_oldest_ms(const struct ring *r);

static inline int64_t ring_newest_ms(const struct ring *r)
{
    return block_time(r->open, (size_t)r->open->count - 1);
}

#endif
