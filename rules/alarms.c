#include "ruler_priv.h"

#include "tocsin/mem.h"

/* Binary heaps. A group knows its places, so that it can be taken out. */

struct group_alarm *alarm_of(struct live_group *g, enum turn_kind kind)
{
    return kind == TURN_SLOT ? &g->slot_alarm : kind == TURN_LOOK ? &g->look_alarm : &g->arrears_alarm;
}

static bool has_turns(const struct live_group *g, enum turn_kind kind)
{
    return kind == TURN_SLOT || (kind == TURN_LOOK ? g->looks : g->arrears.count > 0);
}

/* ---- one heap ---- */

static int64_t key_of(const struct alarm_heap *h, struct live_group *g)
{
    const struct group_alarm *a = alarm_of(g, h->kind);
    return h->queue == ALARM_DUE ? a->due_ns : h->queue == ALARM_FRESH ? a->rest_ns : 0;
}

static bool goes_before(const struct alarm_heap *h, struct live_group *a, struct live_group *b)
{
    int64_t x = key_of(h, a), y = key_of(h, b);
    return x < y || (x == y && a->order < b->order);
}

static void place(struct alarm_heap *h, struct live_group *g, size_t at)
{
    h->items[at] = g;
    g->places[h->kind][h->queue] = at + 1;
}

static size_t rise(struct alarm_heap *h, struct live_group *g, size_t at)
{
    while (at > 0 && goes_before(h, g, h->items[(at - 1) / 2])) {
        place(h, h->items[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    return at;
}

static size_t sink(struct alarm_heap *h, struct live_group *g, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < h->count; at = child) {
        if (child + 1 < h->count && goes_before(h, h->items[child + 1], h->items[child]))
            child++;
        if (!goes_before(h, h->items[child], g))
            break;
        place(h, h->items[child], at);
    }
    return at;
}

static void put(struct alarm_heap *h, struct live_group *g)
{
    MEM_GROW(h->items, h->count, h->capacity);
    place(h, g, rise(h, g, h->count++));
}

static void take_out(struct alarm_heap *h, struct live_group *g)
{
    size_t *own = &g->places[h->kind][h->queue], at = *own - 1;
    if (*own == 0)
        return;
    *own = 0;
    struct live_group *last = h->items[--h->count];
    if (last != g)
        place(h, last, sink(h, last, rise(h, last, at)));
}

/* ---- all of them ---- */

void alarms_open(struct alarms *alarms)
{
    for (enum turn_kind kind = 0; kind < TURN_KINDS; kind++)
        for (enum alarm_queue queue = 0; queue < ALARM_QUEUES; queue++)
            alarms->heaps[kind][queue] = (struct alarm_heap){.kind = kind, .queue = queue};
}

void alarms_close(struct alarms *alarms)
{
    for (enum turn_kind kind = 0; kind < TURN_KINDS; kind++)
        for (enum alarm_queue queue = 0; queue < ALARM_QUEUES; queue++)
            mem_free(alarms->heaps[kind][queue].items);
}

void alarms_add(struct ruler *ruler, struct live_group *g)
{
    for (enum turn_kind kind = 0; kind < TURN_KINDS; kind++) {
        struct alarm_heap *heaps = ruler->alarms.heaps[kind];
        const struct group_alarm *a = alarm_of(g, kind);
        if (!has_turns(g, kind))
            continue;
        if (a->due_ns != INT64_MAX)
            put(&heaps[ALARM_DUE], g);
        if (a->tried)
            put(&heaps[a->pushes == ruler->alarms.pushes ? ALARM_TRIED : ALARM_FRESH], g);
    }
}

void alarms_remove(struct ruler *ruler, struct live_group *g)
{
    for (enum turn_kind kind = 0; kind < TURN_KINDS; kind++)
        for (enum alarm_queue queue = 0; queue < ALARM_QUEUES; queue++)
            take_out(&ruler->alarms.heaps[kind][queue], g);
}

void alarms_rebuild(struct ruler *ruler)
{
    for (enum turn_kind kind = 0; kind < TURN_KINDS; kind++)
        for (enum alarm_queue queue = 0; queue < ALARM_QUEUES; queue++)
            ruler->alarms.heaps[kind][queue].count = 0;
    for (size_t i = 0; i < ruler->count; i++) {
        struct live_group *g = ruler->groups[i];
        g->order = i;
        memset(g->places, 0, sizeof g->places);
        if (!g->busy && !g->stopping)
            alarms_add(ruler, g);
    }
}

/* Each was tried once since it was put there, so that this costs no more than the trying. */
void alarms_freshen(struct ruler *ruler)
{
    uint64_t pushes = atomic_load(&ruler->pushes);
    if (pushes == ruler->alarms.pushes)
        return;
    ruler->alarms.pushes = pushes;
    for (enum turn_kind kind = 0; kind < TURN_KINDS; kind++) {
        struct alarm_heap *heaps = ruler->alarms.heaps[kind];
        while (heaps[ALARM_TRIED].count > 0) {
            struct live_group *g = heaps[ALARM_TRIED].items[heaps[ALARM_TRIED].count - 1];
            take_out(&heaps[ALARM_TRIED], g);
            put(&heaps[ALARM_FRESH], g);
        }
    }
}

struct live_group *alarms_first(struct ruler *ruler, enum turn_kind kind, enum alarm_queue queue)
{
    const struct alarm_heap *h = &ruler->alarms.heaps[kind][queue];
    return h->count > 0 ? h->items[0] : NULL;
}
