#include "view_priv.h"

#include "store_priv.h"
#include "tocsin/err.h"
#include "tocsin/mem.h"

struct view *view_open(struct store *s)
{
    struct view *v = MEM_NEW(struct view);
    v->store = s;
    lock_take(&s->views);
    v->epoch = s->epoch;
    v->next = s->open_views;
    if (v->next != NULL)
        v->next->previous = v;
    s->open_views = v;
    lock_drop(&s->views);
    return v;
}

void view_close(struct view *v)
{
    struct store *s = v->store;
    lock_take(&s->views);
    *(v->previous != NULL ? &v->previous->next : &s->open_views) = v->next;
    if (v->next != NULL)
        v->next->previous = v->previous;
    lock_drop(&s->views);
    memo_close(v->memo);
    mem_free(v->round);
    mem_free(v);
}

int view_select(struct view *v, const struct matcher *matchers, size_t count, struct arena *arena,
                struct series_set *out)
{
    rwlock_read(&v->store->index);
    int rc = select_series(v->store, matchers, count, arena, out);
    out->untyped = !v->store->series.any_typed;
    rwlock_drop(&v->store->index);
    return rc;
}

void view_narrow(struct view *v, const struct standing *standing, struct series_set to)
{
    v->narrowed = standing;
    v->narrow = to;
}

int view_standing(struct view *v, const struct standing *standing, struct arena *arena,
                  struct series_set *out)
{
    if (standing == v->narrowed) {
        *out = v->narrow;
        return 0;
    }
    rwlock_read(&v->store->index);
    const struct selector *selector = standing->selector;
    out->count = selector->ref_count;
    out->refs = arena_copy(arena, selector->refs, selector->ref_count, sizeof *selector->refs);
    out->untyped = !v->store->series.any_typed;
    rwlock_drop(&v->store->index);
    return out->refs != NULL ? 0 : ERR_LIMIT;
}

static struct labels *make_labels(struct store *s, const struct series *series)
{
    struct labels *ls = account_take(&s->account, view_labels_bytes(series->pair_count));
    ls->count = series->pair_count;
    rwlock_read(&s->index);
    store_series_labels(s, series, ls->item);
    rwlock_drop(&s->index);
    ls->hash = labels_hash(ls->item, ls->count);
    return ls;
}

/* Readers race to put theirs in place; one wins, all use it. */
const struct labels *view_labels(struct view *v, series_ref ref)
{
    struct series *series = series_at(&v->store->series, ref);
    struct labels *shown = atomic_load_explicit(&series->shown, memory_order_acquire);
    if (shown != NULL)
        return shown;
    struct labels *made = make_labels(v->store, series);
    if (atomic_compare_exchange_strong_explicit(&series->shown, &shown, made, memory_order_acq_rel,
                                                memory_order_acquire))
        return made;
    account_give(&v->store->account, made, view_labels_bytes(made->count));
    return shown;
}

int view_read(struct view *v, series_ref ref, int64_t after_ms, int64_t upto_ms, struct arena *arena,
              struct sample_run *out)
{
    struct sample *samples;
    lock_take(shard_of(v->store, ref));
    int rc =
        ring_read(&series_at(&v->store->series, ref)->ring, after_ms, upto_ms, arena, &samples, &out->count);
    lock_drop(shard_of(v->store, ref));
    out->samples = samples;
    return rc;
}

bool view_last(struct view *v, series_ref ref, int64_t after_ms, int64_t upto_ms, struct arena *arena,
               struct sample *out)
{
    lock_take(shard_of(v->store, ref));
    int found = ring_last(&series_at(&v->store->series, ref)->ring, after_ms, upto_ms, arena, out);
    lock_drop(shard_of(v->store, ref));
    return found == 1;
}

bool view_lives(struct view *v, series_ref ref, int64_t from_ms, int64_t upto_ms)
{
    lock_take(shard_of(v->store, ref));
    bool lives = ring_lives(&series_at(&v->store->series, ref)->ring, from_ms, upto_ms);
    lock_drop(shard_of(v->store, ref));
    return lives;
}
