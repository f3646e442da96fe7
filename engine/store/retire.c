/* Housekeeping: old samples go, series without samples die, and the dead are freed when no view can show
 * them. */
#include "store_priv.h"
#include "tocsin/mem.h"
#include "tocsin/stat.h"

enum { KILL_SLICE = 512 /* series that die while the index is locked once */ };

struct refs {
    series_ref *items;
    size_t count, capacity;
};

struct round {
    struct store *store;
    int64_t now_ms, oldest_ms;
    uint64_t dropped; /* samples */
    struct refs empty, dead;
    struct refs soiled; /* numbers of pairs that list a dead series */
    struct labels **shown;
    size_t shown_count, shown_capacity;
};

static void add(struct refs *r, uint32_t number)
{
    MEM_GROW(r->items, r->count, r->capacity);
    r->items[r->count++] = number;
}

/* Labels that only an ad-hoc query asked for are not kept for ever. */
static void drop_shown(struct round *round, struct series *series)
{
    struct labels *shown = atomic_exchange_explicit(&series->shown, NULL, memory_order_acq_rel);
    if (shown == NULL)
        return;
    MEM_GROW(round->shown, round->shown_count, round->shown_capacity);
    round->shown[round->shown_count++] = shown;
}

static void drop_old(struct round *round, series_ref ref)
{
    struct store *s = round->store;
    struct series *series = series_at(&s->series, ref);
    if (series->state != SERIES_LIVING)
        return;
    int64_t keep_ms = store_keep_ms(s, series->reach_ms);
    round->dropped += ring_drop_before(&series->ring, minus_ms(round->now_ms, keep_ms), &s->account);
    if (ring_empty(&series->ring))
        add(&round->empty, ref);
    else if (ring_oldest_ms(&series->ring) < round->oldest_ms)
        round->oldest_ms = ring_oldest_ms(&series->ring);
    if (series->reach_ms == 0)
        drop_shown(round, series);
}

/* One run of neighbours under their lock; false behind the last. */
static bool drop_old_run(struct round *round, series_ref from)
{
    struct store *s = round->store;
    rwlock_read(&s->index);
    series_ref end = s->series.next;
    lock_take(shard_of(s, from));
    for (series_ref ref = from > 0 ? from : 1; ref < from + SHARD_RUN && ref < end; ref++)
        drop_old(round, ref);
    lock_drop(shard_of(s, from));
    rwlock_drop(&s->index);
    return from + SHARD_RUN < end;
}

static void soil_pairs(struct round *round, const struct series *series)
{
    for (size_t i = 0; i < series->pair_count; i++) {
        struct pair *pair = pair_at(&round->store->pairs, series->pairs[i]);
        if (!pair->dirty)
            add(&round->soiled, pair->id);
        pair->dirty = true;
    }
}

static void kill_slice(struct round *round, const series_ref *refs, size_t count)
{
    struct store *s = round->store;
    size_t first = round->dead.count;
    rwlock_write(&s->index);
    for (size_t i = 0; i < count; i++) {
        struct series *series = series_at(&s->series, refs[i]);
        if (!ring_empty(&series->ring))
            continue; /* a sample has come meanwhile */
        series_kill(&s->series, refs[i]);
        exemplars_forget(&s->exemplars, refs[i]);
        soil_pairs(round, series);
        add(&round->dead, refs[i]);
    }
    standing_forget(s, round->dead.items + first, round->dead.count - first);
    rwlock_drop(&s->index);
}

static bool is_dead(void *context, uint32_t ref)
{
    return series_at(&((struct store *)context)->series, ref)->state == SERIES_DEAD;
}

static void purge_pairs(struct round *round)
{
    struct store *s = round->store;
    for (size_t i = 0; i < round->soiled.count; i++) {
        rwlock_write(&s->index);
        pair_purge(pair_at(&s->pairs, round->soiled.items[i]), is_dead, s);
        rwlock_drop(&s->index);
    }
}

static void to_limbo(struct round *round)
{
    if (round->dead.count == 0 && round->shown_count == 0)
        return;
    uint64_t epoch = limbo_epoch(round->store);
    for (size_t i = 0; i < round->dead.count; i++)
        limbo_put(round->store, epoch, round->dead.items[i], NULL);
    for (size_t i = 0; i < round->shown_count; i++)
        limbo_put(round->store, epoch, 0, round->shown[i]);
}

static void round_release(struct round *round)
{
    mem_free(round->empty.items);
    mem_free(round->dead.items);
    mem_free(round->soiled.items);
    mem_free(round->shown);
}

void store_retire(struct store *s)
{
    struct round round = {.store = s, .now_ms = world_now_ms(s->world), .oldest_ms = INT64_MAX};
    lock_take(&s->keeper);
    for (series_ref from = 0; drop_old_run(&round, from); from += SHARD_RUN)
        ;
    for (size_t i = 0; i < round.empty.count; i += KILL_SLICE) {
        size_t left = round.empty.count - i;
        kill_slice(&round, round.empty.items + i, left < KILL_SLICE ? left : KILL_SLICE);
    }
    purge_pairs(&round);
    to_limbo(&round);
    limbo_reclaim(s);
    lock_drop(&s->keeper);
    atomic_fetch_sub_explicit(&s->samples, round.dropped, memory_order_relaxed);
    atomic_store_explicit(&s->oldest_ms, round.oldest_ms, memory_order_relaxed);
    stat_add(STAT_series_removed, round.dead.count);
    round_release(&round);
}
