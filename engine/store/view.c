#include "view_priv.h"

#include "store_priv.h"
#include "tocsin/check.h"
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
    mem_free(v);
}

void view_remember(struct view *v)
{
    v->remembers = true;
}

void view_forget(struct view *v)
{
    if (v->memo != NULL)
        memo_forget(v->memo);
}

int view_select(struct view *v, const struct matcher *matchers, size_t count, struct arena *arena,
                struct series_set *out)
{
    rwlock_read(&v->store->index);
    int rc = select_series(v->store, matchers, count, arena, out);
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

static bool tell_window(struct view *v, const struct memo_key *asked, struct window_summary *out)
{
    const struct ring *ring = &series_at(&v->store->series, asked->series)->ring;
    lock_take(shard_of(v->store, asked->series));
    bool told = ring_window(ring, asked->after_ms, asked->upto_ms, asked->wish, out);
    lock_drop(shard_of(v->store, asked->series));
    return told;
}

bool view_window(struct view *v, series_ref ref, int64_t after_ms, int64_t upto_ms, enum window_wish wish,
                 struct window_summary *out)
{
    const struct memo_key asked = {after_ms, upto_ms, ref, wish};
    const struct window_summary *known = v->memo != NULL ? memo_find(v->memo, &asked) : NULL;
    if (known != NULL) {
        *out = *known;
        return true;
    }
    if (!tell_window(v, &asked, out))
        return false;
    if (!v->remembers)
        return true;
    if (v->memo == NULL)
        v->memo = memo_open();
    memo_put(v->memo, &asked, out);
    return true;
}

/* ---- touching ---- */

/* Some series, shard by shard: one lock for those that share it, and no other in between, because taking one waits for all that has
 * been touched. */
struct touched {
    series_ref refs[VIEW_TOUCH_MAX];
    uint8_t end[SHARDS + 1];
};
_Static_assert(VIEW_TOUCH_MAX <= UINT8_MAX, "counted in 8 bits");

/* Those whose windows are not remembered. Returns how many. */
static size_t choose_unknown(const struct view *v, const series_ref *refs, size_t count,
                             struct memo_key asked, series_ref *chosen)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        asked.series = refs[i];
        if (v->memo == NULL || memo_find(v->memo, &asked) == NULL)
            chosen[n++] = refs[i];
    }
    return n;
}

static void sort_by_shard(struct touched *t, const series_ref *refs, size_t count)
{
    memset(t->end, 0, sizeof t->end);
    for (size_t i = 0; i < count; i++)
        t->end[shard_number(refs[i]) + 1]++;
    for (size_t k = 1; k <= SHARDS; k++)
        t->end[k] = (uint8_t)(t->end[k] + t->end[k - 1]);
    for (size_t i = 0; i < count; i++)
        t->refs[t->end[shard_number(refs[i])]++] = refs[i];
}

/* The series themselves, and their labels. No lock guards `shown`. */
static void touch_series(const struct store *s, const series_ref *refs, size_t count)
{
    const struct labels *shown[VIEW_TOUCH_MAX];
    for (size_t i = 0; i < count; i++)
        shown[i] = atomic_load_explicit(&series_at(&s->series, refs[i])->shown, memory_order_acquire);
    for (size_t i = 0; i < count; i++)
        if (shown[i] != NULL)
            mem_touch(shown[i]);
    for (size_t i = 0; i < count; i++)
        if (shown[i] != NULL)
            mem_touch_all(shown[i], view_labels_bytes(shown[i]->count));
}

void view_touch_windows(struct view *v, const series_ref *refs, size_t count, int64_t after_ms,
                        int64_t upto_ms, enum window_wish wish)
{
    struct store *s = v->store;
    struct touched t;
    series_ref unknown[VIEW_TOUCH_MAX];
    must(count <= VIEW_TOUCH_MAX);
    count = choose_unknown(v, refs, count, (struct memo_key){after_ms, upto_ms, 0, wish}, unknown);
    sort_by_shard(&t, unknown, count);
    touch_series(s, t.refs, count);
    for (size_t k = 0, i = 0; k < SHARDS; i = t.end[k++]) {
        if (t.end[k] == i)
            continue;
        lock_take(&s->shards[k]);
        for (int step = RING_HEADS; step < RING_STEPS; step++)
            for (size_t j = i; j < t.end[k]; j++)
                ring_touch_window(&series_at(&s->series, t.refs[j])->ring, (enum ring_step)step, after_ms,
                                  upto_ms, wish);
        lock_drop(&s->shards[k]);
    }
}
