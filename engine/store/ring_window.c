/* What a window comes to: summaries inside, samples at its edges. */
#include "spine_priv.h"
#include "tocsin/check.h"

#include <math.h>

struct query {
    int64_t after_ms, upto_ms;
    enum window_wish wish;
};

static void add_within(struct window_summary *out, const struct query *q, const struct point *points,
                       size_t count)
{
    size_t from = 0, to = count;
    while (from < count && points[from].t_ms <= q->after_ms)
        from++;
    while (to > from && points[to - 1].t_ms > q->upto_ms)
        to--;
    summary_add(out, points + from, to - from);
}

static void add_samples(struct window_summary *out, const struct query *q, const struct sealed *s)
{
    struct point points[GROUP_SAMPLES];
    struct sealed_walk w = sealed_walk(s, q->after_ms);
    for (size_t n; (n = sealed_next(&w, points)) > 0 && points[0].t_ms <= q->upto_ms;)
        add_within(out, q, points, n);
}

struct place {
    struct point point;
    size_t index;
};

/* The first sample after after_ms; there is one. */
static struct place find_first(const struct sealed *s, int64_t after_ms)
{
    struct point points[GROUP_SAMPLES];
    struct sealed_walk w = sealed_walk(s, after_ms);
    for (size_t index = w.index;; index = w.index) {
        size_t n = sealed_next(&w, points), i = 0;
        must(n > 0);
        while (i < n && points[i].t_ms <= after_ms)
            i++;
        if (i < n)
            return (struct place){points[i], index + i};
    }
}

/* The last sample at or before upto_ms; there is one. */
static struct place find_last(const struct sealed *s, int64_t upto_ms)
{
    struct point points[GROUP_SAMPLES];
    if (s->newest_ms <= upto_ms)
        return (struct place){{s->in.last_ms, s->in.last}, s->count - 1};
    struct sealed_walk w = sealed_walk(s, upto_ms);
    size_t index = w.index, i = sealed_next(&w, points) - 1;
    while (points[i].t_ms > upto_ms)
        i--;
    return (struct place){points[i], index + i};
}

static bool never_falls(const struct sealed *s)
{
    return s->in.count == s->count && s->in.resets == 0 && !s->in.has_nan;
}

/*
 * What never falls is known from its ends. False if these do not tell: it reaches zero, and there are two zeros.
 */
static bool add_ends(struct window_summary *out, const struct query *q, const struct sealed *s)
{
    struct place first = find_first(s, q->after_ms), last = find_last(s, q->upto_ms);
    double low = first.point.value, high = last.point.value;
    if (first.index > last.index)
        return true;
    if (high == 0 && low != 0)
        return false;
    struct window_summary rising = {
        .first_ms = first.point.t_ms,
        .first = low,
        .last_ms = last.point.t_ms,
        .last = high,
        .min = low,
        .max = high == low ? low : high,
        .count = (uint32_t)(last.index - first.index + 1),
        .has_inf = isinf(low) || isinf(high),
        .whole_resets = true,
    };
    return summary_join(out, &rising, q->wish);
}

static void add_sealed(struct window_summary *out, const struct query *q, const struct sealed *s)
{
    bool inside = s->oldest_ms > q->after_ms && s->newest_ms <= q->upto_ms;
    if (inside && summary_join(out, &s->in, q->wish))
        return;
    if (inside || q->wish != WINDOW_QUICK || !never_falls(s) || !add_ends(out, q, s))
        add_samples(out, q, s);
}

/* False if it is wide and holds something of the window. */
static bool add_open(struct window_summary *out, const struct query *q, const struct block *b)
{
    size_t from = block_upto(b, q->after_ms);
    size_t to = block_upto(b, q->upto_ms);
    if (b->wide)
        return from == to;
    summary_add(out, block_points(b) + from, to - from);
    return true;
}

bool ring_window(const struct ring *r, int64_t after_ms, int64_t upto_ms, enum window_wish wish,
                 struct window_summary *out)
{
    struct query q = {after_ms, upto_ms, wish};
    size_t end;
    *out = (struct window_summary){0};
    if (after_ms >= upto_ms)
        return true;
    for (size_t i = spine_within(r, after_ms, upto_ms, &end); i < end; i++) {
        if (sealed_is_wide(&r->spine->item[i]))
            return false;
        add_sealed(out, &q, &r->spine->item[i]);
    }
    return r->open == NULL || add_open(out, &q, r->open);
}
