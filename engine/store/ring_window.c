/* What a window comes to: summaries inside, samples at its edges. */
#include "edge_priv.h"
#include "sealed_prefix_priv.h"
#include "spine_priv.h"

static bool asks(const struct ring_query *q, unsigned wish)
{
    return (q->wish & wish) != 0;
}

/* ---- samples ---- */

static void add_within(struct window_summary *out, const struct ring_query *q, const struct point *points,
                       size_t count)
{
    size_t from = 0, to = count;
    while (from < count && points[from].t_ms <= q->after_ms)
        from++;
    while (to > from && points[to - 1].t_ms > q->upto_ms)
        to--;
    summary_add_wished(out, points + from, to - from, q->wish);
}

static void add_samples(struct window_summary *out, const struct ring_query *q, const struct sealed *s)
{
    struct point points[GROUP_SAMPLES];
    struct sealed_walk w = sealed_walk(s, q->after_ms);
    for (size_t n; (n = sealed_next(&w, points, NULL)) > 0 && points[0].t_ms <= q->upto_ms;)
        add_within(out, q, points, n);
}

/* ---- ends ---- */

/* The first sample after after_ms, the last one at or before upto_ms; there is one, and no stale marker. */
static void find_first(const struct sealed *s, const struct ring_query *q, struct sealed_place *p)
{
    if (s->oldest_ms <= q->after_ms) {
        sealed_after(s, q->after_ms, q->wish, p);
        return;
    }
    p->found.point = (struct point){s->oldest_ms, s->first};
    p->index = 0;
    p->found.values.in = NULL;
    p->found.summed = false;
}

static void find_last(const struct sealed *s, const struct ring_query *q, struct sealed_place *p)
{
    if (s->newest_ms > q->upto_ms) {
        sealed_upto(s, q->upto_ms, q->wish, p);
        return;
    }
    p->found.point = (struct point){s->newest_ms, s->last};
    p->index = s->count - (size_t)1;
    p->found.values.in = NULL;
    p->found.summed = false;
}

/* True if the ends of any part of it tell all that is asked for, but for sums and changes. */
static bool ends_tell(const struct ring_query *q, const struct sealed *s)
{
    if ((s->aside & SEALED_STALE) != 0 || (asks(q, WINDOW_CHANGES) && (s->aside & SEALED_PREFIX) == 0))
        return false;
    return (s->aside & SEALED_FALLS) == 0 || !asks(q, WINDOW_BOUNDS | WINDOW_RESETS);
}

/* What never falls reaches from its first value to its last. False if these do not tell: it reaches zero, and there
 * are two zeros. */
static bool add_ends(struct window_summary *out, const struct ring_query *q, const struct sealed *s)
{
    struct sealed_place first, last;
    find_first(s, q, &first);
    find_last(s, q, &last);
    double low = first.found.point.value, high = last.found.point.value;
    if (first.index > last.index)
        return true;
    if (asks(q, WINDOW_BOUNDS) && high == 0 && low != 0)
        return false;
    struct window_summary part = {0};
    if (asks(q, WINDOW_SUM))
        sealed_sum(s, &first, &last, &part);
    if (asks(q, WINDOW_CHANGES))
        part.changes = sealed_prefix_changes(s, &first, &last);
    part.first_ms = first.found.point.t_ms;
    part.first = low;
    part.last_ms = last.found.point.t_ms;
    part.last = high;
    part.min = low;
    part.max = high == low ? low : high;
    part.count = (uint32_t)(last.index - first.index + 1);
    part.whole_resets = true;
    return summary_join(out, &part, q->wish);
}

/* ---- windows ---- */

static bool is_inside(const struct ring_query *q, const struct sealed *s)
{
    return s->oldest_ms > q->after_ms && s->newest_ms <= q->upto_ms;
}

/* False if it is wide. */
static bool add_sealed(struct window_summary *out, const struct ring_query *q, const struct sealed *s)
{
    if (sealed_is_wide(s))
        return false;
    out->has_starts |= s->has_starts;
    bool inside = is_inside(q, s);
    if (inside && sealed_join(out, s, q->wish))
        return true;
    if (inside || !ends_tell(q, s) || !add_ends(out, q, s))
        add_samples(out, q, s);
    return true;
}

static bool wholes_fall(const struct block *b, size_t from, size_t to)
{
    const struct block_whole *whole = block_wholes(b);
    bool falls = false;
    for (size_t i = from + 1; b->falls && i < to; i++)
        falls |= whole[i].value < whole[i - 1].value;
    return falls;
}

static uint32_t count_changes(const struct block *b, size_t from, size_t to)
{
    const struct block_whole *whole = block_wholes(b);
    uint32_t changes = 0;
    for (size_t i = from + 1; i < to; i++)
        changes += whole[i].value != whole[i - 1].value;
    return changes;
}

static int64_t sum_wholes(const struct block *b, size_t from, size_t to)
{
    int64_t sum = (int64_t)(to - from) * block_base(b)->value;
    for (size_t i = from; i < to; i++)
        sum += block_wholes(b)[i].value;
    return sum;
}

/* Whole numbers that never fall are told by their ends, as what is sealed of them is. There is something of the window. */
static bool add_open_ends(struct window_summary *out, const struct ring_query *q, const struct block *b,
                          size_t from, size_t to)
{
    if (b->kind != BLOCK_WHOLE)
        return false;
    if (asks(q, WINDOW_RESETS | WINDOW_BOUNDS) && wholes_fall(b, from, to))
        return false;
    struct point first = block_whole_point(b, from), last = block_whole_point(b, to - 1);
    struct window_summary part = {.first_ms = first.t_ms,
                                  .last_ms = last.t_ms,
                                  .first = first.value,
                                  .last = last.value,
                                  .min = first.value,
                                  .max = last.value,
                                  .count = (uint32_t)(to - from),
                                  .has_starts = b->start_ms != 0,
                                  .whole_resets = true};
    if (asks(q, WINDOW_SUM))
        summary_add_whole(&part, sum_wholes(b, from, to));
    if (asks(q, WINDOW_CHANGES))
        part.changes = count_changes(b, from, to);
    return summary_join(out, &part, q->wish);
}

/* False if it holds histograms and something of the window. */
static bool add_open(struct window_summary *out, const struct ring_query *q, const struct block *b)
{
    size_t from = block_upto(b, q->after_ms);
    size_t to = block_upto(b, q->upto_ms);
    if (b->kind == BLOCK_MIXED || from == to)
        return from == to;
    if (add_open_ends(out, q, b, from, to))
        return true;
    struct point points[BLOCK_SAMPLES_MAX];
    out->has_starts |= block_lay_out(b, from, to, points, NULL);
    summary_add_wished(out, points, to - from, q->wish);
    return true;
}

static bool add_spine(struct window_summary *out, const struct ring_query *q, const struct spine *s,
                      struct ring_place place)
{
    size_t i = place.from, end = place.end;
    size_t inside = end > i && !is_inside(q, &s->item[end - 1]) ? end - 1 : end;
    while (i < end) {
        bool whole = i < inside && s->item[i].oldest_ms > q->after_ms;
        size_t joined = whole ? spine_join(s, i, inside, q->wish, out) : 0;
        if (joined == 0 && !add_sealed(out, q, &s->item[i]))
            return false;
        i += joined > 0 ? joined : 1;
    }
    return true;
}

/* The open block alone holds most short windows: then nothing else is read. */
static bool reaches_sealed(const struct ring *r, const struct ring_query *q)
{
    return r->spine != NULL && (r->open == NULL || block_time(r->open, 0) > q->after_ms);
}

struct ring_place ring_place(const struct ring *r, const struct ring_query *q)
{
    size_t end, from;
    if (q->after_ms > q->upto_ms || !reaches_sealed(r, q))
        return (struct ring_place){0, 0};
    from = spine_within(r, q->after_ms, q->upto_ms, &end);
    return (struct ring_place){(uint32_t)from, (uint32_t)end};
}

bool ring_window_sealed(const struct ring *r, const struct ring_query *q, struct ring_place place,
                        struct window_summary *out)
{
    *out = (struct window_summary){0};
    return place.from == place.end || add_spine(out, q, r->spine, place);
}

bool ring_window(const struct ring *r, const struct ring_query *q, struct ring_place place, struct edge *edge,
                 struct window_summary *out)
{
    if (q->after_ms >= q->upto_ms) {
        *out = (struct window_summary){0};
        return true;
    }
    if (!ring_window_sealed(r, q, place, out))
        return false;
    if (edge != NULL && place.from != place.end)
        edge_remember(edge, r, q, &r->spine->item[place.from], out);
    return r->open == NULL || add_open(out, q, r->open);
}

bool ring_window_from(const struct ring *r, const struct ring_query *q, const struct edge *edge,
                      struct window_summary *out)
{
    edge_tell(edge, q->after_ms, out);
    return add_open(out, q, r->open);
}

/* ---- touching ---- */

void ring_touch_spine(const struct ring *r)
{
    if (r->spine != NULL)
        mem_touch(r->spine);
}

void ring_touch_ends(const struct ring *r, const struct ring_query *q)
{
    if (r->open != NULL && q->after_ms < q->upto_ms)
        block_touch(r->open);
    else if (r->open != NULL)
        block_touch_end(r->open);
    if (reaches_sealed(r, q))
        spine_touch_last(r->spine);
}

void ring_touch_edges(const struct ring *r, const struct ring_query *q)
{
    if (!reaches_sealed(r, q))
        return;
    spine_touch_guess(r->spine, q->after_ms);
    spine_touch_guess(r->spine, q->upto_ms);
}

struct ring_place ring_touch_packed(const struct ring *r, const struct ring_query *q)
{
    const struct spine *s = r->spine;
    struct ring_place place = ring_place(r, q);
    if (place.from >= place.end)
        return place;
    bool cut = s->item[place.from].oldest_ms <= q->after_ms;
    if (cut)
        sealed_touch_at(&s->item[place.from], q->after_ms, q->wish);
    if (s->item[place.end - 1].newest_ms > q->upto_ms)
        sealed_touch_at(&s->item[place.end - 1], q->upto_ms, q->wish);
    spine_touch_joined(s, place.from + cut, place.end, q->wish);
    return place;
}
