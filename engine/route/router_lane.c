#include "router_priv.h"

#include "tocsin/mem.h"

/* How many requests an integration gets at once, and how long it may take to answer one before it gets as many again. */
enum { LANE_WIDTH = 64 };
#define LANE_PATIENCE_NS (100 * NS_PER_MS)

static bool is_of(const void *item, const void *key)
{
    return ((const struct lane *)item)->integration == key;
}

static uint64_t lane_hash(const struct integration *integration)
{
    return hash_mix(0, (uint64_t)(uintptr_t)integration);
}

static struct lane *find(const struct router *router, const struct integration *integration)
{
    return map_find(&router->lanes, lane_hash(integration), is_of, integration);
}

static struct lane *open_lane(struct router *router, const struct integration *integration)
{
    struct lane *lane = MEM_NEW(struct lane);
    lane->timer.kind = TIMER_LANE;
    lane->integration = integration;
    lane->width = LANE_WIDTH;
    lane->last = &lane->first;
    map_add(&router->lanes, lane_hash(integration), lane);
    return lane;
}

static void close_lane(struct router *router, struct lane *lane)
{
    timer_clear(&router->timers, &lane->timer);
    map_remove(&router->lanes, lane_hash(lane->integration), lane);
    mem_free(lane);
}

static struct delivery *take_first(struct lane *lane)
{
    struct delivery *d = lane->first;
    lane->first = d->next_in_lane;
    if (lane->first == NULL)
        lane->last = &lane->first;
    return d;
}

/* Whoever waits longest has a place from here on. */
static void admit(struct router *router, struct lane *lane, int64_t now_ns)
{
    struct delivery *d = take_first(lane);
    d->in_lane = true;
    lane->out++;
    timer_set(&router->timers, &d->timer, now_ns);
}

bool lane_enter(struct router *router, struct delivery *d, int64_t now_ns)
{
    if (d->in_lane)
        return true;
    struct lane *lane = find(router, d->integration);
    if (lane == NULL)
        lane = open_lane(router, d->integration);
    if (lane->out < lane->width) {
        d->in_lane = true;
        lane->out++;
        return true;
    }
    d->next_in_lane = NULL;
    *lane->last = d;
    lane->last = &d->next_in_lane;
    if (!timer_is_set(&lane->timer))
        timer_set(&router->timers, &lane->timer, now_ns + LANE_PATIENCE_NS);
    return false;
}

void lane_leave(struct router *router, struct delivery *d, int64_t now_ns)
{
    struct lane *lane = find(router, d->integration);
    d->in_lane = false;
    lane->out--;
    lane->answered_ns = now_ns;
    if (lane->first != NULL && lane->out < lane->width)
        admit(router, lane, now_ns);
    else if (lane->first == NULL && lane->out == 0)
        close_lane(router, lane);
}

void lane_widen(struct router *router, struct lane *lane, int64_t now_ns)
{
    timer_clear(&router->timers, &lane->timer);
    if (lane->first == NULL)
        return;
    if (now_ns - lane->answered_ns >= LANE_PATIENCE_NS)
        lane->width += LANE_WIDTH;
    while (lane->first != NULL && lane->out < lane->width)
        admit(router, lane, now_ns);
    timer_set(&router->timers, &lane->timer, now_ns + LANE_PATIENCE_NS);
}

struct delivery *lanes_take(struct router *router)
{
    struct lane *lane;
    for (size_t at = 0; (lane = map_next(&router->lanes, &at)) != NULL;)
        if (lane->first != NULL)
            return take_first(lane);
    return NULL;
}

void lanes_release(struct router *router)
{
    struct lane *lane;
    for (size_t at = 0; (lane = map_next(&router->lanes, &at)) != NULL;) {
        timer_clear(&router->timers, &lane->timer);
        mem_free(lane);
    }
    map_release(&router->lanes);
}
