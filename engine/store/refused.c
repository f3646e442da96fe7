#include "refused_priv.h"

#include "store_priv.h"
#include "tocsin/err.h"
#include "tocsin/hash.h"

#include <stdlib.h>

static const int64_t HOUR_MS = 3600000;

/* Brings the two hours up to now_ms; a clock that was set back leaves them. */
static void turn(struct refused *r, int64_t now_ms)
{
    int64_t hour = now_ms / HOUR_MS;
    if (hour <= r->now.hour)
        return;
    if (hour == r->now.hour + 1)
        r->before = r->now;
    else
        r->before = (struct refused_hour){.hour = hour - 1};
    r->now = (struct refused_hour){.hour = hour};
}

static struct refused_place *find(struct refused_hour *h, uint64_t hash)
{
    for (size_t i = 0; i < h->count; i++)
        if (h->places[i].hash == hash)
            return &h->places[i];
    return NULL;
}

static struct refused_place *least(struct refused_hour *h)
{
    struct refused_place *place = &h->places[0];
    for (size_t i = 1; i < h->count; i++)
        if (h->places[i].count < place->count)
            place = &h->places[i];
    return place;
}

static struct refused_place *take(struct refused_hour *h, struct str metric, uint64_t hash)
{
    struct refused_place *place = h->count < REFUSED_PLACES ? &h->places[h->count++] : least(h);
    place->over = place->count;
    place->hash = hash;
    place->name_bytes = (uint16_t)(metric.n < REFUSED_NAME_BYTES ? metric.n : REFUSED_NAME_BYTES);
    if (place->name_bytes > 0)
        memcpy(place->name, metric.p, place->name_bytes);
    return place;
}

void refused_note(struct refused *r, struct str metric, int64_t now_ms)
{
    turn(r, now_ms);
    uint64_t hash = hash_bytes(metric.p, metric.n);
    struct refused_place *place = find(&r->now, hash);
    if (place == NULL)
        place = take(&r->now, metric, hash);
    place->count++;
}

static int by_count(const void *a, const void *b)
{
    const struct store_refused *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count) - (x->count > y->count)
                                : str_cmp(x->metric, y->metric);
}

/* Adds an hour to the list, which has room for the places of two. */
static void gather(const struct refused_hour *h, struct arena *arena, struct store_refused *list,
                   size_t *count)
{
    for (size_t i = 0; i < h->count; i++) {
        const struct refused_place *place = &h->places[i];
        struct str metric = {place->name, place->name_bytes};
        size_t k = 0;
        while (k < *count && !str_eq(list[k].metric, metric))
            k++;
        if (k == *count)
            list[(*count)++] = (struct store_refused){.metric = str_copy(arena, metric)};
        list[k].count += place->count;
        list[k].over += place->over;
    }
}

int store_refusals(struct store *s, struct arena *arena, struct store_refused **out, size_t *count)
{
    struct store_refused *list = *out = ARENA_ARRAY(arena, struct store_refused, 2 * (size_t)REFUSED_PLACES);
    *count = 0;
    if (list == NULL)
        return ERR_LIMIT;
    rwlock_write(&s->index);
    turn(&s->refused, world_now_ms(s->world));
    gather(&s->refused.now, arena, list, count);
    gather(&s->refused.before, arena, list, count);
    rwlock_drop(&s->index);
    if (arena_exhausted(arena))
        return ERR_LIMIT;
    qsort(list, *count, sizeof *list, by_count);
    return 0;
}
