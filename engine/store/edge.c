#include "edge_priv.h"

#include "store_priv.h"
#include "tocsin/sample.h"

/* Of one window, and of what the store may hold all of them together. */
enum { EDGES_MAX = 4096, SHARE_OF_STORE = 64 };

struct edges {
    struct store *store;
    struct edge *item;
    size_t count;
};

/* ---- one edge ---- */

void edge_tell(const struct edge *e, int64_t after_ms, struct window_summary *sealed)
{
    size_t i = 0;
    while (edge_later_ms(e->after_ms, after_ms) >= e->later_ms[i])
        i++;
    *sealed = (struct window_summary){.first_ms = e->after_ms + e->later_ms[i],
                                      .last_ms = e->last_ms,
                                      .first = e->value[i],
                                      .last = e->last,
                                      .correction = e->correction,
                                      .count = e->count - (uint32_t)i,
                                      .resets = e->resets,
                                      .has_starts = e->has_starts,
                                      .whole_resets = e->whole_resets};
}

/* How many of these follow each other so that whichever is the first makes no difference to what comes later. */
static size_t run_of(const struct point *points, size_t count, int64_t after_ms)
{
    size_t n = 0;
    while (n < count && n < EDGE_POINTS && !is_stale_nan(points[n].value) &&
           edge_later_ms(after_ms, points[n].t_ms) <= UINT32_MAX &&
           !(n > 0 && points[n].value < points[n - 1].value))
        n++;
    return n;
}

static void put_points(struct edge *e, const struct point *points, size_t count)
{
    e->points = (uint8_t)run_of(points, count, e->after_ms);
    for (size_t i = 0; i < e->points; i++) {
        e->later_ms[i] = (uint32_t)(points[i].t_ms - e->after_ms);
        e->value[i] = points[i].value;
    }
}

/* False: it would not hold for any window, or not tell all that is asked for. */
static bool is_worthwhile(const struct ring *r, const struct ring_query *q, const struct sealed *first)
{
    return (q->wish & ~(unsigned)WINDOW_RESETS) == 0 && r->open != NULL && !sealed_is_wide(first) &&
           q->upto_ms >= block_time(r->open, 0);
}

void edge_remember(struct edge *e, const struct ring *r, const struct ring_query *q,
                   const struct sealed *first, const struct window_summary *sealed)
{
    struct point points[GROUP_SAMPLES];
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
    e->sealed = r->open->sealed;
    e->after_ms = q->after_ms;
    e->wish = (uint8_t)q->wish;
    e->has_starts = sealed->has_starts;
    e->whole_resets = sealed->whole_resets;
    e->count = sealed->count;
    e->resets = sealed->resets;
    e->last_ms = sealed->last_ms;
    e->last = sealed->last;
    e->correction = sealed->correction;
    put_points(e, points + from, count - from);
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
