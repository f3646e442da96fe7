/* Windows of many series: those that share a lock are looked at side by side, so that their cache misses overlap. */
#include "view_priv.h"

#include "edge_priv.h"
#include "store_priv.h"
#include "tocsin/check.h"
#include "tocsin/mem.h"

/* What is asked for at once, shard by shard: one lock for those that share it, and no other in between, because taking one waits for
 * all that has been touched. */
struct view_round {
    size_t count;
    uint8_t wanted[VIEW_TOGETHER_MAX]; /* which of the series are looked at; shard by shard: `asked` */
    uint8_t asked[VIEW_TOGETHER_MAX];
    uint8_t end[SHARDS + 1]; /* of each shard's, in `asked` */
    const struct ring *ring[VIEW_TOGETHER_MAX];
    struct edge *edge[VIEW_TOGETHER_MAX]; /* NULL: none */
    bool holds[VIEW_TOGETHER_MAX];        /* that edge */
    struct ring_place place[VIEW_TOGETHER_MAX];
    struct told_window told[VIEW_TOGETHER_MAX];
};
_Static_assert(VIEW_TOGETHER_MAX <= UINT8_MAX, "counted in 8 bits");

void view_remember(struct view *v)
{
    v->remembers = true;
}

void view_forget(struct view *v)
{
    if (v->memo != NULL)
        memo_forget(v->memo);
}

static struct view_round *round_of(struct view *v)
{
    if (v->round == NULL)
        v->round = mem_resize(NULL, 1, sizeof *v->round);
    return v->round;
}

/* ---- shard by shard ---- */

static void sort_by_shard(struct view_round *round, const series_ref *refs, size_t count)
{
    const uint8_t *wanted = round->wanted;
    uint8_t *end = round->end;
    memset(end, 0, sizeof round->end);
    for (size_t i = 0; i < count; i++)
        end[shard_number(refs[wanted[i]]) + 1]++;
    for (size_t k = 1; k <= SHARDS; k++)
        end[k] = (uint8_t)(end[k] + end[k - 1]);
    for (size_t i = 0; i < count; i++)
        round->asked[end[shard_number(refs[wanted[i]])]++] = wanted[i];
}

/* Whose windows or last values are asked for; the series themselves, which hold their rings, are waited for here. */
static void gather_rings(struct view *v, struct view_round *round, const series_ref *refs, size_t count)
{
    sort_by_shard(round, refs, count);
    for (size_t i = 0; i < count; i++)
        round->ring[i] = &series_at(&v->store->series, refs[round->asked[i]])->ring;
    for (size_t i = 0; count > 1 && i < count; i++)
        series_touch(series_at(&v->store->series, refs[round->asked[i]]));
}

/* Those whose edge holds need no more than their open block. */
static void touch_rings(struct view_round *round, size_t from, size_t end, const struct ring_query *q)
{
    size_t others[VIEW_TOGETHER_MAX], n = 0;
    for (size_t j = from; j < end; j++)
        ring_touch(round->ring[j]);
    for (size_t j = from; j < end; j++) {
        const struct ring *r = round->ring[j];
        round->holds[j] = round->edge[j] != NULL && edge_holds(round->edge[j], r, q);
        if (round->holds[j])
            ring_touch_end(r);
        else
            others[n++] = j;
    }
    for (size_t k = 0; k < n; k++)
        ring_touch_spine(round->ring[others[k]]);
    for (size_t k = 0; k < n; k++)
        ring_touch_ends(round->ring[others[k]], q);
    for (size_t k = 0; k < n; k++)
        ring_touch_edges(round->ring[others[k]], q);
    for (size_t k = 0; k < n; k++)
        round->place[others[k]] = ring_touch_packed(round->ring[others[k]], q);
}

/* Of those that are asked for. */
static void gather_edges(struct view_round *round, const series_ref *refs, struct edge *edges, size_t count)
{
    for (size_t j = 0; j < count; j++) {
        size_t i = round->asked[j];
        round->edge[j] = edges != NULL ? &edges[i] : NULL;
        if (edges != NULL)
            edge_claim(&edges[i], refs[i]);
    }
}

/* ---- windows ---- */

/* Those that are remembered are told. Returns how many are not. */
static size_t recall(struct view *v, struct view_round *round, const series_ref *refs, size_t count,
                     struct memo_key key)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        key.series = refs[i];
        const struct window_summary *known = v->memo != NULL ? memo_find(v->memo, &key) : NULL;
        if (known != NULL)
            round->told[i] = (struct told_window){*known, true};
        else
            round->wanted[n++] = (uint8_t)i;
    }
    return n;
}

static void tell_shard(struct view_round *round, size_t from, size_t end, const struct ring_query *q)
{
    touch_rings(round, from, end, q);
    for (size_t j = from; j < end; j++) {
        struct told_window *told = &round->told[round->asked[j]];
        const struct ring *r = round->ring[j];
        struct edge *edge = round->edge[j];
        told->is_told = round->holds[j] ? ring_window_from(r, q, edge, &told->summary)
                                        : ring_window(r, q, round->place[j], edge, &told->summary);
    }
}

static void remember(struct view *v, const struct view_round *round, const series_ref *refs, size_t count,
                     struct memo_key key)
{
    if (v->memo == NULL)
        v->memo = memo_open();
    for (size_t j = 0; j < count; j++) {
        const struct told_window *told = &round->told[round->asked[j]];
        key.series = refs[round->asked[j]];
        if (told->is_told)
            memo_put(v->memo, &key, &told->summary);
    }
}

const struct told_window *view_windows(struct view *v, const series_ref *refs, struct edge *edges,
                                       size_t count, int64_t after_ms, int64_t upto_ms, enum window_wish wish)
{
    const struct memo_key key = {after_ms, upto_ms, 0, wish};
    const struct ring_query query = {after_ms, upto_ms, wish};
    struct view_round *round = round_of(v);
    must(count <= VIEW_TOGETHER_MAX);
    size_t unknown = recall(v, round, refs, count, key);
    gather_rings(v, round, refs, unknown);
    gather_edges(round, refs, edges, unknown);
    for (size_t k = 0, from = 0; k < SHARDS; from = round->end[k++]) {
        if (round->end[k] == from)
            continue;
        lock_take(&v->store->shards[k]);
        tell_shard(round, from, round->end[k], &query);
        lock_drop(&v->store->shards[k]);
    }
    if (v->remembers && unknown > 0)
        remember(v, round, refs, unknown, key);
    return round->told;
}

bool view_window(struct view *v, series_ref ref, int64_t after_ms, int64_t upto_ms, enum window_wish wish,
                 struct window_summary *out)
{
    const struct told_window *told = view_windows(v, &ref, NULL, 1, after_ms, upto_ms, wish);
    if (told->is_told)
        *out = told->summary;
    return told->is_told;
}

/* ---- touching ---- */

void view_touch_last(struct view *v, const series_ref *refs, size_t count, int64_t upto_ms)
{
    const struct ring_query query = {upto_ms, upto_ms, (enum window_wish)0};
    struct view_round *round = round_of(v);
    must(count <= VIEW_TOGETHER_MAX);
    for (size_t i = 0; i < count; i++)
        round->wanted[i] = (uint8_t)i;
    gather_rings(v, round, refs, count);
    gather_edges(round, refs, NULL, count);
    for (size_t k = 0, from = 0; k < SHARDS; from = round->end[k++]) {
        if (round->end[k] == from)
            continue;
        lock_take(&v->store->shards[k]);
        touch_rings(round, from, round->end[k], &query);
        lock_drop(&v->store->shards[k]);
    }
}

/* No lock guards `shown`. */
void view_touch_labels(struct view *v, const series_ref *refs, size_t count)
{
    const struct labels *shown[VIEW_TOGETHER_MAX];
    must(count <= VIEW_TOGETHER_MAX);
    for (size_t i = 0; i < count; i++)
        shown[i] = atomic_load_explicit(&series_at(&v->store->series, refs[i])->shown, memory_order_acquire);
    for (size_t i = 0; i < count; i++)
        if (shown[i] != NULL)
            mem_touch(shown[i]);
    for (size_t i = 0; i < count; i++)
        if (shown[i] != NULL)
            mem_touch_all(shown[i], view_labels_bytes(shown[i]->count));
}
