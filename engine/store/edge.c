#include "edge_priv.h"

#include "store_priv.h"
#include "tocsin/check.h"
#include "tocsin/sample.h"

/* Of one window, and of what the store may hold all of them together. */
enum { EDGES_MAX = 4096, SHARE_OF_STORE = 64 };

struct edges {
    struct store *store;
    struct edge *item;
    size_t count;
};

/* ---- one edge: telling ---- */

/* Nothing that is asked for depends on which of the points is the first, as there are no resets between them. */
static bool is_indifferent(enum window_wish wish)
{
    return (wish & ~(unsigned)WINDOW_RESETS) == 0;
}

/* From the last of the points on. */
static struct window_summary behind(const struct edge *e)
{
    size_t last = e->points - (size_t)1;
    struct window_summary s = {.first_ms = e->after_ms + e->later_ms[last],
                               .last_ms = e->last_ms,
                               .first = e->value[last],
                               .last = e->last,
                               .count = e->count,
                               .has_starts = e->has_starts};
    if (e->wish == WINDOW_BOUNDS) {
        s.min = e->min;
        s.max = e->max;
    } else if (e->wish == WINDOW_SUM) {
        s.sum = e->sum;
        s.rest = e->rest;
        s.has_nan = e->has_nan;
        s.has_inf = e->has_inf;
        s.has_huge = e->has_huge;
    } else if (e->wish == WINDOW_CHANGES) {
        s.changes = e->changes;
    } else {
        s.correction = e->correction;
        s.resets = e->resets;
        s.whole_resets = e->whole_resets;
    }
    return s;
}

/* Those from i on but the last one. */
static struct window_summary in_front(const struct edge *e, size_t i)
{
    struct point points[EDGE_POINTS];
    struct window_summary s = {0};
    size_t n = 0;
    for (; i + 1 < e->points; i++)
        points[n++] = (struct point){e->after_ms + e->later_ms[i], e->value[i]};
    summary_add_wished(&s, points, n, (enum window_wish)e->wish);
    return s;
}

void edge_tell(const struct edge *e, int64_t after_ms, struct window_summary *sealed)
{
    size_t i = 0;
    while (edge_later_ms(e->after_ms, after_ms) >= e->later_ms[i])
        i++;
    struct window_summary s = behind(e);
    if (is_indifferent((enum window_wish)e->wish)) {
        s.first_ms = e->after_ms + e->later_ms[i];
        s.first = e->value[i];
        s.count += e->points - 1 - (uint32_t)i;
        *sealed = s;
        return;
    }
    *sealed = in_front(e, i);
    must(summary_join(sealed, &s, (enum window_wish)e->wish));
}

/* ---- one edge: remembering ---- */

/* How many of these may be the first. */
static size_t run_of(const struct point *points, size_t count, const struct ring_query *q)
{
    bool may_fall = !is_indifferent(q->wish);
    size_t n = 0;
    while (n < count && n < EDGE_POINTS && !is_stale_nan(points[n].value) &&
           edge_later_ms(q->after_ms, points[n].t_ms) <= UINT32_MAX &&
           (n == 0 || may_fall || !(points[n].value < points[n - 1].value)))
        n++;
    return n;
}

/* False: it would not hold for any window, or not tell all that is asked for. */
static bool is_worthwhile(const struct ring *r, const struct ring_query *q, const struct sealed *first)
{
    bool is_one_wish = (q->wish & (q->wish - 1)) == 0;
    return is_one_wish && r->open != NULL && !sealed_is_wide(first) && q->upto_ms >= block_time(r->open, 0);
}

static void put_behind(struct edge *e, const struct window_summary *s)
{
    e->count = s->count;
    e->last_ms = s->last_ms;
    e->last = s->last;
    e->has_starts = s->has_starts;
    if (e->wish == WINDOW_BOUNDS) {
        e->min = s->min;
        e->max = s->max;
    } else if (e->wish == WINDOW_SUM) {
        e->sum = s->sum;
        e->rest = s->rest;
        e->has_nan = s->has_nan;
        e->has_inf = s->has_inf;
        e->has_huge = s->has_huge;
    } else if (e->wish == WINDOW_CHANGES) {
        e->changes = s->changes;
    } else {
        e->correction = s->correction;
        e->resets = s->resets;
        e->whole_resets = s->whole_resets;
    }
}

/* What is sealed from the last of n points on. */
static bool ask_behind(const struct ring *r, const struct ring_query *q, const struct point *points, size_t n,
                       const struct window_summary *sealed, struct window_summary *s)
{
    *s = *sealed;
    if (n == 1)
        return true;
    if (is_indifferent(q->wish)) {
        s->count -= (uint32_t)n - 1;
        return true;
    }
    const struct ring_query later = {points[n - 2].t_ms, q->upto_ms, q->wish};
    return ring_window_sealed(r, &later, ring_place(r, &later), s);
}

void edge_remember(struct edge *e, const struct ring *r, const struct ring_query *q,
                   const struct sealed *first, const struct window_summary *sealed)
{
    struct point points[GROUP_SAMPLES];
    struct window_summary s;
    e->points = 0;
    if (!is_worthwhile(r, q, first))
        return;
    struct sealed_walk w = sealed_walk(first, q->after_ms);
    size_t count, from;
    do {
        from = 0;
        count = sealed_next(&w, points, NULL);
        while (from < count && points[from].t_ms <= q->after_ms)
            from++;
    } while (from == count && count > 0);
    if (from == count || points[from].t_ms != sealed->first_ms)
        return;
    size_t n = run_of(points + from, count - from, q);
    if (n == 0 || !ask_behind(r, q, points + from, n, sealed, &s))
        return;
    e->sealed = r->open->sealed;
    e->after_ms = q->after_ms;
    e->wish = (uint8_t)q->wish;
    e->points = (uint8_t)n;
    for (size_t i = 0; i < n; i++) {
        e->later_ms[i] = (uint32_t)(points[from + i].t_ms - q->after_ms);
        e->value[i] = points[from + i].value;
    }
    put_behind(e, &s);
}

/* ---- those of a window ---- */

struct edges *edges_open(struct store *store)
{
    struct edges *edges = MEM_NEW(struct edges);
    edges->store = store;
    return edges;
}

static size_t bytes_of(size_t count)
{
    return count * sizeof(struct edge);
}

static void let_go(struct edges *edges)
{
    struct store *s = edges->store;
    atomic_fetch_sub_explicit(&s->edge_bytes, (int64_t)bytes_of(edges->count), memory_order_relaxed);
    account_give(&s->account, edges->item, bytes_of(edges->count));
    edges->item = NULL;
    edges->count = 0;
}

void edges_close(struct edges *edges)
{
    if (edges == NULL)
        return;
    let_go(edges);
    mem_free(edges);
}

/* For so many series. What was remembered is forgotten. */
static void make_room(struct edges *edges, size_t count)
{
    struct store *s = edges->store;
    int64_t bytes = (int64_t)bytes_of(count), share = limits.store_bytes / SHARE_OF_STORE;
    let_go(edges);
    if (!account_has_room(&s->account, bytes_of(count)))
        return;
    if (atomic_fetch_add_explicit(&s->edge_bytes, bytes, memory_order_relaxed) + bytes > share) {
        atomic_fetch_sub_explicit(&s->edge_bytes, bytes, memory_order_relaxed);
        return;
    }
    edges->item = account_take_lines(&s->account, bytes_of(count));
    edges->count = count;
}

struct edge *edges_at(struct edges *edges, size_t from, size_t count, size_t all)
{
    if (all > EDGES_MAX)
        return NULL;
    if (all > edges->count || all < edges->count / 2)
        make_room(edges, all + all / 8);
    return from + count <= edges->count ? edges->item + from : NULL;
}
