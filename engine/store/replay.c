#include "replay_priv.h"

#include "tocsin/err.h"
#include "tocsin/mem.h"

#include <stdlib.h>

enum { ITEM_BYTES_MAX = 1 << 30 /* one item unpacked: a histogram of 64 MiB */ };

void replay_begin(struct replay *r, struct store *s)
{
    *r = (struct replay){.store = s};
    arena_init(&r->arena, ITEM_BYTES_MAX);
    arena_alloc(&r->arena, 0); /* its first block stays */
}

void replay_release(struct replay *r)
{
    if (r->holds)
        sealed_free(&r->store->account, &r->held);
    mem_free(r->soiled);
    arena_release(&r->arena);
}

static struct ring *ring_of(const struct replay *r, series_ref ref)
{
    return &series_at(&r->store->series, ref)->ring;
}

/* ---- samples ---- */

static int put(struct replay *r, series_ref ref, const struct sample *s)
{
    struct ring *ring = ring_of(r, ref);
    struct account *account = &r->store->account;
    if (s->t_ms == INT64_MIN)
        return 0; /* no reader can ask for it: windows are open at their beginning */
    switch (r->as_it_was ? ring_restore(ring, s, account) : ring_append(ring, s, account)) {
    case RING_TAKEN:
        r->samples++;
        return 0;
    case RING_CONFLICT:
        r->conflicts++;
        return 0;
    case RING_FULL:
        return ERR_FULL;
    case RING_SAME:
        break;
    }
    return 0;
}

static int put_points(struct replay *r, series_ref ref, const struct sealed *s)
{
    struct point *points = MEM_ARRAY(struct point, s->count);
    int64_t *starts = MEM_ARRAY(int64_t, s->count);
    int rc = 0;
    sealed_unpack(s, points, starts);
    for (size_t i = 0; rc == 0 && i < s->count; i++)
        rc = put(r, ref, &(struct sample){points[i].t_ms, starts[i], points[i].value, NULL});
    mem_free(points);
    mem_free(starts);
    return rc;
}

/* Nothing comes behind the stretch that is held: its own last samples have to be the open ones. */
static int settle(struct replay *r)
{
    if (!r->holds)
        return 0;
    r->holds = false;
    int rc = put_points(r, r->held_ref, &r->held);
    sealed_free(&r->store->account, &r->held);
    return rc;
}

/* Something newer comes. */
static int lay_down(struct replay *r)
{
    if (ring_restore_sealed(ring_of(r, r->held_ref), &r->held, &r->store->account) == RING_FULL)
        return ERR_FULL;
    r->holds = false;
    r->samples += r->held.count;
    return 0;
}

/* Before something is done with a series at t_ms and later. */
static int make_way(struct replay *r, series_ref ref, int64_t t_ms)
{
    if (!r->holds)
        return 0;
    return r->held_ref == ref && t_ms > r->held.newest_ms ? lay_down(r) : settle(r);
}

/* Does the id mean a series that is there? If not, its samples are orphans, unless it was an earlier one of this number,
 * which had died. */
static bool is_living(struct replay *r, struct series_id id, uint64_t samples)
{
    const struct series_table *t = &r->store->series;
    const struct series *series = id.ref < t->next ? series_at(t, id.ref) : NULL;
    r->seen_samples += samples;
    if (series != NULL && series->state == SERIES_LIVING && series->turn == id.turn)
        return true;
    r->orphans += series == NULL || series->turn <= id.turn ? samples : 0;
    return false;
}

static int on_sample(void *context, struct series_id id, const struct sample *s)
{
    struct replay *r = context;
    if (!is_living(r, id, 1))
        return 0;
    int rc = make_way(r, id.ref, s->t_ms);
    return rc == 0 ? put(r, id.ref, s) : rc;
}

static int put_stretch(struct replay *r, series_ref ref, struct sealed *s)
{
    int rc = make_way(r, ref, s->oldest_ms);
    if (rc == 0 && s->oldest_ms != INT64_MIN && ring_ends_before(ring_of(r, ref), s->oldest_ms)) {
        r->held = *s;
        r->held_ref = ref;
        r->holds = true;
        return 0;
    }
    if (rc == 0)
        rc = put_points(r, ref, s);
    sealed_free(&r->store->account, s);
    return rc;
}

static int on_sealed(void *context, struct series_id id, struct str saved)
{
    struct replay *r = context;
    struct sealed s;
    int rc = sealed_load(&r->store->account, saved, &s);
    if (rc == ERR_CORRUPT)
        r->spoilt++;
    if (rc != 0)
        return rc == ERR_FULL ? ERR_FULL : 0;
    if (is_living(r, id, s.count))
        return put_stretch(r, id.ref, &s);
    sealed_free(&r->store->account, &s);
    return 0;
}

/* ---- series ---- */

static void soil(struct replay *r, pair_id id)
{
    struct pair *pair = pair_at(&r->store->pairs, id);
    if (pair->dirty)
        return;
    pair->dirty = true;
    MEM_GROW(r->soiled, r->soiled_count, r->soiled_capacity);
    r->soiled[r->soiled_count++] = id;
}

/* A later definition says that this series had died. */
static void displace(struct replay *r, series_ref ref)
{
    struct store *s = r->store;
    struct series *series = series_at(&s->series, ref);
    for (size_t i = 0; i < series->pair_count; i++)
        soil(r, series->pairs[i]);
    r->samples -= ring_clear(&series->ring, &s->account);
    r->like = r->like == ref ? 0 : r->like;
    series_kill(&s->series, ref);
    series_free(&s->series, &s->pairs, ref);
}

static int make(struct replay *r, struct series_id id, const struct series_key *key)
{
    struct store *s = r->store;
    if (!account_has_room(&s->account, series_bytes_max(key)))
        return ERR_FULL;
    if (!series_restore(&s->series, &s->pairs, key, r->like, id.ref, id.turn))
        return ERR_LIMIT;
    r->like = id.ref;
    return 0;
}

static int on_series(void *context, struct series_id id, const struct label *labels, size_t count)
{
    struct replay *r = context;
    struct series_table *t = &r->store->series;
    uint64_t hashes[UINT8_MAX];
    struct series_key key = series_key_make(labels, count, NULL, hashes);
    series_ref same = series_find(t, &r->store->pairs, &key);
    const struct series *there = id.ref < t->next ? series_at(t, id.ref) : NULL;
    int rc = settle(r);
    r->seen_series++;
    if (rc != 0 || (there != NULL && there->turn > id.turn))
        return rc; /* an earlier one of this number */
    if (same == id.ref && there->turn == id.turn)
        return 0; /* it is known */
    if (same != 0)
        displace(r, same);
    if (there != NULL && there->state == SERIES_LIVING)
        displace(r, id.ref);
    return make(r, id, &key);
}

static int on_end(void *context, uint64_t series, uint64_t samples, int64_t begun_ms)
{
    struct replay *r = context;
    r->ended = true;
    r->end_series = series;
    r->end_samples = samples;
    r->begun_ms = begun_ms;
    return 0;
}

void replay_begin_file(struct replay *r, bool snapshot)
{
    r->as_it_was = snapshot;
    r->seen_series = r->seen_samples = 0;
    r->ended = false;
}

int replay_record(struct replay *r, struct str record)
{
    const struct record_sink sink = {r, on_series, on_sample, on_sealed, on_end, &r->bytes};
    struct store *s = r->store;
    rwlock_write(&s->index);
    int rc = record_walk(record, &sink, &r->arena);
    rwlock_drop(&s->index);
    if (!arena_exhausted(&r->arena))
        return rc;
    arena_clear(&r->arena); /* nothing that was ever in a store is so large */
    return ERR_PARSE;
}

/* ---- the end ---- */

static int upward(const void *a, const void *b)
{
    series_ref x = *(const series_ref *)a, y = *(const series_ref *)b;
    return x < y ? -1 : x > y;
}

struct owner {
    const struct store *store;
    pair_id pair;
    series_ref before;
};

/* True for a series that does not carry the pair, and for the second mention of one that does. */
static bool is_foreign(void *context, uint32_t ref)
{
    struct owner *o = context;
    const struct series *series = series_at(&o->store->series, ref);
    bool again = ref == o->before;
    o->before = ref;
    for (size_t i = 0; series->state == SERIES_LIVING && i < series->pair_count; i++)
        if (series->pairs[i] == o->pair)
            return again;
    return true;
}

static void purge_pairs(struct replay *r)
{
    struct store *s = r->store;
    for (size_t i = 0; i < r->soiled_count; i++) {
        struct pair *pair = pair_at(&s->pairs, r->soiled[i]);
        if (pair == NULL || !pair->dirty)
            continue;
        if (pair->posted > 1)
            qsort(pair->postings, pair->posted, sizeof *pair->postings, upward);
        struct owner owner = {s, pair->id, 0};
        pair_purge(pair, is_foreign, &owner);
    }
}

static void find_ends(struct store *s)
{
    int64_t oldest_ms = INT64_MAX, newest_ms = INT64_MIN;
    for (series_ref ref = 1; ref < s->series.next; ref++) {
        const struct series *series = series_at(&s->series, ref);
        if (series->state != SERIES_LIVING || ring_empty(&series->ring))
            continue;
        int64_t first_ms = ring_oldest_ms(&series->ring), last_ms = ring_newest_ms(&series->ring);
        oldest_ms = first_ms < oldest_ms ? first_ms : oldest_ms;
        newest_ms = last_ms > newest_ms ? last_ms : newest_ms;
    }
    atomic_store_explicit(&s->oldest_ms, oldest_ms, memory_order_relaxed);
    atomic_store_explicit(&s->newest_ms, newest_ms, memory_order_relaxed);
}

int replay_end(struct replay *r)
{
    struct store *s = r->store;
    rwlock_write(&s->index);
    int rc = settle(r);
    if (rc == 0) {
        series_restored(&s->series);
        purge_pairs(r);
        standing_introduce_all(s);
        find_ends(s);
        atomic_store_explicit(&s->samples, r->samples, memory_order_relaxed);
    }
    rwlock_drop(&s->index);
    return rc;
}
