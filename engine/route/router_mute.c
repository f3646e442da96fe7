#include "router_priv.h"

#include "tocsin/mem.h"

void group_forget_mutes(struct group *group)
{
    mem_free(group->muted_by);
    group->muted_by = NULL;
    group->muted_count = 0;
}

void group_inherit_mutes(struct group *new, struct group *old)
{
    group_forget_mutes(new);
    new->muted_by = old->muted_by;
    new->muted_count = old->muted_count;
    old->muted_by = NULL;
    old->muted_count = 0;
}

/* Names of intervals, with repeats. */
struct names {
    struct str *items;
    size_t count, capacity;
};

static void add_name(struct names *names, struct str name, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        MEM_GROW(names->items, names->count, names->capacity);
        names->items[names->count++] = name;
    }
}

/* Each as often as its specs hold. */
static void add_holding(struct names *names, const struct am_intervals *intervals, int64_t unix_s)
{
    for (size_t i = 0; i < intervals->count; i++)
        add_name(names, intervals->items[i]->name, am_interval_holds(intervals->items[i], unix_s));
}

static bool any_holds(const struct am_intervals *intervals, int64_t unix_s)
{
    for (size_t i = 0; i < intervals->count; i++) {
        if (am_interval_holds(intervals->items[i], unix_s) > 0)
            return true;
    }
    return false;
}

/* The configuration they come from may go before the group. */
static void note_mutes(struct group *group, const struct names *names)
{
    size_t bytes = names->count * sizeof *names->items, at = bytes;
    group_forget_mutes(group);
    if (names->count == 0)
        return;
    for (size_t i = 0; i < names->count; i++)
        bytes += names->items[i].n;
    char *block = mem_new(bytes, 1);
    group->muted_by = (struct str *)(void *)block;
    group->muted_count = names->count;
    for (size_t i = 0; i < names->count; i++) {
        memcpy(block + at, names->items[i].p, names->items[i].n);
        group->muted_by[i] = (struct str){block + at, names->items[i].n};
        at += names->items[i].n;
    }
}

/* What of the route's times keeps everything quiet. */
static enum mute time_mutes(struct group *group, int64_t unix_s)
{
    const struct am_route *route = group->route;
    struct names names = {0};
    enum mute mute = MUTE_none;
    if (route->active.count > 0 && !any_holds(&route->active, unix_s)) {
        mute = MUTE_active_time_interval;
        for (size_t i = 0; i < route->active.count; i++)
            add_name(&names, route->active.items[i]->name, 1);
    } else {
        add_holding(&names, &route->mute, unix_s);
        mute = names.count > 0 ? MUTE_mute_time_interval : MUTE_none;
    }
    note_mutes(group, &names);
    mem_free(names.items);
    return mute;
}

static size_t count_unmuted(const struct flush *flush)
{
    size_t count = 0;
    for (size_t i = 0; i < flush->count; i++)
        count += flush->items[i].muted == MUTE_none;
    return count;
}

static void mute_rest(struct flush *flush, enum mute mute)
{
    for (size_t i = 0; i < flush->count; i++) {
        if (flush->items[i].muted == MUTE_none)
            flush->items[i].muted = mute;
    }
}

static bool holds_fact(const void *item, const void *key)
{
    return ((const struct alert *)item)->fact == key;
}

static void silence_rest(struct router *router, const struct group *group, struct flush *flush)
{
    for (size_t i = 0; i < flush->count; i++) {
        struct flush_item *item = &flush->items[i];
        struct alert *alert = map_find(&group->members, item->fact->fingerprint, holds_fact, item->fact);
        if (item->muted == MUTE_none &&
            silences_mute(router->silences, &alert->silenced, item->fact->event->labels, flush->tick_ns))
            item->muted = MUTE_silence;
    }
}

/* Where a step leaves nothing, those after it are not asked. */
void flush_mute(struct router *router, struct group *group, struct flush *flush)
{
    if (group->closing != NULL)
        mute_rest(flush, MUTE_moved);
    for (size_t i = 0; i < flush->count; i++) {
        if (flush->items[i].muted == MUTE_none &&
            inhibitor_mutes(&router->inhibitor, flush->items[i].fact->event->labels, flush->tick_ns))
            flush->items[i].muted = MUTE_inhibition;
    }
    if (count_unmuted(flush) > 0) {
        int64_t unix_s = flush->tick_ns / NS_PER_S - (flush->tick_ns % NS_PER_S < 0);
        mute_rest(flush, time_mutes(group, unix_s));
        silence_rest(router, group, flush);
    }
    for (size_t i = 0; i < flush->count; i++)
        router->counts.suppressed[flush->items[i].muted]++;
}
