#include "tocsin/arrival.h"

#include "spine_priv.h"
#include "store_priv.h"
#include "tocsin/mem.h"

enum {
    RUN = 1024,             /* series under one hold of the index, so that writers get in between */
    GAP_MAX_MS = 5 * 60000, /* further apart, and no look-back would bridge them */
    EARLY = 8               /* a sample may come by this share of its distance early */
};

/* What the end of a ring says of what comes next. */
struct prospect {
    int64_t newest_ms, gap_ms; /* 0: it has one sample, and nothing is known */
    bool ended;
};

static int64_t before_newest_ms(const struct ring *r)
{
    if (r->open->count > 1)
        return block_time(r->open, (size_t)r->open->count - 2);
    return r->spine != NULL ? r->spine->item[r->spine->count - 1].newest_ms : ring_newest_ms(r);
}

static struct prospect prospect_of(const struct ring *r)
{
    struct sample newest = block_get(r->open, (size_t)r->open->count - 1);
    int64_t gap_ms = minus_ms(newest.t_ms, before_newest_ms(r));
    return (struct prospect){
        .newest_ms = newest.t_ms,
        .gap_ms = gap_ms < GAP_MAX_MS ? gap_ms : GAP_MAX_MS,
        .ended = newest.histogram == NULL && is_stale_nan(newest.value),
    };
}

static bool has_arrived(const struct prospect *p, int64_t t_ms)
{
    return p->ended || p->newest_ms >= t_ms || minus_ms(t_ms, p->newest_ms) < p->gap_ms - p->gap_ms / EARLY;
}

/* Locks of neighbours are taken once. */
struct walk {
    struct store *store;
    struct lock *shard;
};

static const struct ring *walk_to(struct walk *w, series_ref ref)
{
    struct lock *shard = shard_of(w->store, ref);
    if (shard != w->shard) {
        if (w->shard != NULL)
            lock_drop(w->shard);
        lock_take(shard);
        w->shard = shard;
    }
    return &series_at(&w->store->series, ref)->ring;
}

static void walk_end(struct walk *w)
{
    if (w->shard != NULL)
        lock_drop(w->shard);
}

/* Index lock held. When the series at hand is given up; INT64_MIN if it is not waited for. */
static int64_t missing_until(struct walk *w, series_ref ref, int64_t t_ms, int64_t now_ms, int64_t wait_ms)
{
    const struct ring *r = walk_to(w, ref);
    if (ring_empty(r))
        return INT64_MIN;
    struct prospect p = prospect_of(r);
    int64_t until_ms;
    if (has_arrived(&p, t_ms))
        return INT64_MIN;
    if (__builtin_add_overflow(p.newest_ms + p.gap_ms, wait_ms, &until_ms))
        return INT64_MAX;
    return until_ms > now_ms ? until_ms : INT64_MIN;
}

/* Some steps further. True if it goes on from here; *until_ms is set where a series is missing. */
static bool advance(struct store *s, const struct selector *selector, int64_t t_ms, int64_t now_ms,
                    int64_t wait_ms, struct arrival_wait *wait, int64_t *until_ms)
{
    struct walk walk = {.store = s};
    size_t end = selector->ref_count;
    *until_ms = INT64_MIN;
    if (wait->purges != selector->purges) /* the list has moved up */
        *wait = (struct arrival_wait){.purges = selector->purges};
    if (end > wait->at + RUN)
        end = wait->at + RUN;
    for (; wait->at < end; wait->at++) {
        *until_ms = missing_until(&walk, selector->refs[wait->at], t_ms, now_ms, wait_ms);
        if (*until_ms != INT64_MIN)
            break;
    }
    walk_end(&walk);
    return *until_ms == INT64_MIN && wait->at < selector->ref_count;
}

bool standing_arrived(struct store *s, const struct standing *standing, int64_t t_ms, int64_t now_ms,
                      int64_t wait_ms, struct arrival_wait *wait, int64_t *until_ms)
{
    bool more = true;
    while (more) {
        rwlock_read(&s->index);
        more = advance(s, standing->selector, t_ms, now_ms, wait_ms, wait, until_ms);
        rwlock_drop(&s->index);
    }
    return *until_ms == INT64_MIN;
}

/* ---- what is new ---- */

void arrival_forget(struct arrival_seen *seen)
{
    mem_free(seen->upto_ms);
    mem_free(seen->fresh);
    *seen = (struct arrival_seen){0};
}

static void note(struct arrival_seen *seen, size_t at, series_ref ref, int64_t newest_ms, int64_t now_ms)
{
    if (at == seen->count) {
        MEM_GROW(seen->upto_ms, seen->count, seen->capacity);
        seen->upto_ms[seen->count++] = INT64_MIN;
    }
    if (newest_ms <= seen->upto_ms[at])
        return;
    seen->upto_ms[at] = newest_ms < now_ms ? newest_ms : now_ms;
    MEM_GROW(seen->fresh, seen->fresh_count, seen->fresh_capacity);
    seen->fresh[seen->fresh_count++] = ref;
}

/* Some steps further. True if it goes on from *at. */
static bool note_some(struct store *s, const struct selector *selector, int64_t now_ms,
                      struct arrival_seen *seen, size_t *at, int64_t *newest_ms)
{
    struct walk walk = {.store = s};
    if (seen->purges != selector->purges) { /* the list has moved up */
        arrival_forget(seen);
        seen->purges = selector->purges;
        *at = 0;
    }
    size_t end = selector->ref_count < *at + RUN ? selector->ref_count : *at + RUN;
    for (; *at < end; ++*at) {
        const struct ring *r = walk_to(&walk, selector->refs[*at]);
        int64_t t_ms = ring_empty(r) ? INT64_MIN : ring_newest_ms(r);
        note(seen, *at, selector->refs[*at], t_ms, now_ms);
        *newest_ms = t_ms > *newest_ms ? t_ms : *newest_ms;
    }
    walk_end(&walk);
    return *at < selector->ref_count;
}

struct series_set standing_fresh(struct store *s, const struct standing *standing, int64_t now_ms,
                                 struct arrival_seen *seen, int64_t *newest_ms)
{
    bool more = true;
    *newest_ms = INT64_MIN;
    seen->fresh_count = 0;
    for (size_t at = 0; more;) {
        rwlock_read(&s->index);
        more = note_some(s, standing->selector, now_ms, seen, &at, newest_ms);
        rwlock_drop(&s->index);
    }
    return (struct series_set){.refs = seen->fresh, .count = seen->fresh_count};
}

const void *standing_list(const struct standing *standing)
{
    return standing->selector;
}
