/*
 * sealed: a stretch of samples that is no longer written at its end: groups of floats with what they come to, or a
 * wide one, with histograms (wide_priv.h).
 *
 * Packed ones grow group by group as far as sealed_has_room allows, so that summary and slack weigh little, and a window
 * unpacks at most the two at its edges. All groups but the last are full: a short one is packed again together with
 * what follows.
 *
 * A counter or a constant is told by one cache line: where no value is below the one before it, the first is the
 * least and the last the greatest. What others need besides stands behind their groups (`aside`).
 */
#ifndef TOCSIN_STORE_SEALED_PRIV_H
#define TOCSIN_STORE_SEALED_PRIV_H

#include "block_priv.h"
#include "summary_priv.h"
#include "tocsin/str.h"
#include "wide_priv.h"

enum { SEALED_SAMPLES_MAX = 32 * GROUP_SAMPLES, SEALED_FEW_BYTES = 512, SEALED_SKIP = 8, SEALED_SKIPS = 3 };
enum { SEALED_CHANGES_BITS = 11, SEALED_CHANGES_MASK = (1 << SEALED_CHANGES_BITS) - 1 };

_Static_assert(SEALED_SAMPLES_MAX / GROUP_SAMPLES * GROUP_BYTES_MAX <= UINT16_MAX,
               "struct sealed counts in 16 bits");

struct sealed {
    int64_t oldest_ms, newest_ms;
    double first, last; /* of the floats of a packed one, stale markers left out */
    double sum;         /* of them */
    uint8_t *packed;
    union {
        uint32_t step_ms;    /* of the pace of a packed one */
        uint32_t wide_bytes; /* of a wide one */
    };
    uint16_t bytes; /* of the groups, without slack; 0: this one is wide */
    uint16_t count;
    uint16_t skip[SEALED_SKIPS]; /* where every eighth group begins; 0: there is none */
    uint16_t changes : SEALED_CHANGES_BITS;
    uint16_t aside : 4; /* enum sealed_aside: what of the summary stands behind groups and slack */
    bool has_starts : 1;
};

_Static_assert(sizeof(struct sealed) == 64,
               "a cache line: every series has some, and a long window reads many");

static inline bool sealed_is_wide(const struct sealed *s)
{
    return s->bytes == 0;
}

/* True if a packed one may grow by so many samples. One of few bytes becomes twice as long: else its item would weigh as much, and
 * what little it holds is quickly unpacked. */
static inline bool sealed_has_room(const struct sealed *s, size_t count)
{
    size_t most = s->bytes < SEALED_FEW_BYTES ? SEALED_SAMPLES_MAX : SEALED_SAMPLES_MAX / 2;
    return !sealed_is_wide(s) && s->count + count <= most;
}

/* A wide one of 1 to WIDE_SAMPLES_MAX samples. */
struct sealed sealed_wide(struct account *account, const struct sample *samples, size_t count);

/* Packs points, and their start times in ms (NULL: none has one), behind what is there; count <= SEALED_SAMPLES_MAX in
 * all. Into a zeroed one: begins it. */
void sealed_append(struct account *account, struct sealed *s, const struct point *points,
                   const int64_t *starts, size_t count);

/* Drops the groups from that of sample `index` on; `points` are all samples before it. Returns how many stay. */
size_t sealed_cut(struct account *account, struct sealed *s, size_t index, const struct point *points);

/* Remembers where the group of sample `index` begins. */
static inline void sealed_mark(struct sealed *s, size_t index, size_t at)
{
    size_t group = index / GROUP_SAMPLES;
    if (group > 0 && group % SEALED_SKIP == 0)
        s->skip[group / SEALED_SKIP - 1] = (uint16_t)at;
}

/* Bytes that packing so many samples may take. */
size_t sealed_bytes_max(size_t count);

void sealed_free(struct account *account, struct sealed *s);

/* sealed_summary.c: what stands aside, and in this order. */
enum sealed_aside {
    SEALED_LOSS = 1,  /* the rest of a sum that was rounded */
    SEALED_FALLS = 2, /* least and greatest value (struct sealed_bounds), resets; what is no plain number */
    SEALED_STALE = 4, /* first and last time, and count: without the stale markers */
    SEALED_PREFIX = 8 /* what parts of it come to (sealed_prefix_priv.h); not of the summary */
};
enum { SEALED_LOSS_BYTES = 8, SEALED_FALLS_BYTES = 32, SEALED_STALE_BYTES = 24 };
enum { SEALED_ASIDE_MAX = SEALED_LOSS_BYTES + SEALED_FALLS_BYTES + SEALED_STALE_BYTES };

/* Of the summary. */
static inline size_t sealed_aside_bytes(const struct sealed *s)
{
    return (size_t)(((s->aside & SEALED_LOSS) != 0 ? SEALED_LOSS_BYTES : 0) +
                    ((s->aside & SEALED_FALLS) != 0 ? SEALED_FALLS_BYTES : 0) +
                    ((s->aside & SEALED_STALE) != 0 ? SEALED_STALE_BYTES : 0));
}

/* Bytes that `packed` of a packed one has. */
size_t sealed_held(const struct sealed *s);

/* Puts what its samples come to in place of what is kept of them; gives `packed` the room that this takes. */
void sealed_remember(struct account *account, struct sealed *s, const struct window_summary *in);

void sealed_take_aside(const struct sealed *s, struct window_summary *in);
void sealed_touch_aside(const struct sealed *s);

/* True if that tells something that is wished for. */
static inline bool sealed_needs_aside(const struct sealed *s, enum window_wish wish)
{
    unsigned wanted = SEALED_STALE | ((wish & WINDOW_SUM) != 0 ? SEALED_LOSS : 0) |
                      ((wish & (WINDOW_RESETS | WINDOW_BOUNDS | WINDOW_SUM)) != 0 ? SEALED_FALLS : 0);
    return (s->aside & wanted) != 0;
}

/* What the floats of a packed one come to, to the bit as it was remembered. What stands aside is in other cache
 * lines, and is not read if it is not wished for. */
static inline void sealed_summary(const struct sealed *s, enum window_wish wish, struct window_summary *in)
{
    *in = (struct window_summary){
        .first_ms = s->oldest_ms,
        .last_ms = s->newest_ms,
        .first = s->first,
        .last = s->last,
        .min = s->first,
        .max = s->last,
        .sum = s->sum,
        .count = s->count,
        .changes = s->changes,
        .has_starts = s->has_starts,
        .whole_resets = true,
    };
    if (sealed_needs_aside(s, wish))
        sealed_take_aside(s, in);
}

/* Its least and its greatest value alone. */
struct sealed_bounds {
    double min, max;
};
static inline struct sealed_bounds sealed_bounds(const struct sealed *s)
{
    struct sealed_bounds b = {s->first, s->last};
    if ((s->aside & SEALED_FALLS) != 0)
        memcpy(&b,
               s->packed + s->bytes + BITS_SLACK + ((s->aside & SEALED_LOSS) != 0 ? SEALED_LOSS_BYTES : 0),
               sizeof b);
    return b;
}

/* Its last value that is no stale marker; there is one. */
static inline void sealed_end(const struct sealed *s, int64_t *t_ms, double *value)
{
    struct window_summary in = {.last_ms = s->newest_ms};
    if ((s->aside & SEALED_STALE) != 0)
        sealed_take_aside(s, &in);
    *t_ms = in.last_ms;
    *value = s->last;
}

/* summary_join of its summary. */
static inline bool sealed_join(struct window_summary *out, const struct sealed *s, enum window_wish wish)
{
    struct window_summary in;
    sealed_summary(s, wish, &in);
    return summary_join(out, &in, wish);
}

/* sealed_save.c: a packed one as bytes, for sealed_load; at most sealed_save_bytes_max of them. Returns how many. */
size_t sealed_save_bytes_max(const struct sealed *s);
size_t sealed_save(const struct sealed *s, char *to);

/* From bytes that anybody may have written. 0; ERR_CORRUPT: they are no stretch that could have been saved; ERR_FULL: the
 * account has no room. */
int sealed_load(struct account *account, struct str saved, struct sealed *out);

/* The groups of a packed one, oldest first. */
struct sealed_walk {
    const struct sealed *sealed;
    size_t at, index; /* byte and sample that come next */
};

/* To the group of sample `index`, or to the end if that is the next one to come. */
struct sealed_walk sealed_walk_to(const struct sealed *s, size_t index);

void sealed_open(const struct sealed_walk *w, struct group_at *g);

/* Begins at the group in which the first sample after after_ms may be. */
struct sealed_walk sealed_walk(const struct sealed *s, int64_t after_ms);

/* Unpacks the next one as group_unpack does. 0: that was all. */
size_t sealed_next(struct sealed_walk *w, struct point *points, int64_t *starts);

/* Brings near what sealed_after and sealed_upto of a time inside will read. */
void sealed_touch_at(const struct sealed *s, int64_t t_ms, enum window_wish wish);

struct sealed_place {
    size_t index;
    struct group_found found;
};

/* The first sample after t_ms, which is before the newest one; the last one at or before it, which is not before the
 * oldest one. */
void sealed_after(const struct sealed *s, int64_t t_ms, enum window_wish wish, struct sealed_place *p);
void sealed_upto(const struct sealed *s, int64_t t_ms, enum window_wish wish, struct sealed_place *p);

/* The start time of sample `index`. */
int64_t sealed_start(const struct sealed *s, size_t index);

/* What the samples from one up to another add up to; there are no stale markers. Sets sum, rest, has_nan, has_inf and
 * has_huge. */
void sealed_sum(const struct sealed *s, const struct sealed_place *first, const struct sealed_place *last,
                struct window_summary *out);

/* At least as many as there are samples with after_ms < t <= upto_ms; too many by less than two groups. */
size_t sealed_count_about(const struct sealed *s, int64_t after_ms, int64_t upto_ms);

/* All of a packed one; `points` and `starts` (NULL: not wanted) have room for `count`. */
void sealed_unpack(const struct sealed *s, struct point *points, int64_t *starts);

#endif
