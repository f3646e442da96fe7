#include "router_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"

#include <stdlib.h>

/* By one label; sets without it come last. */
static int order_by_value(struct str x, struct str y)
{
    if ((x.n > 0) != (y.n > 0))
        return x.n > 0 ? -1 : 1;
    return str_cmp(x, y);
}

/* Fewer labels first; then the first difference over both sets' names decides: the set without that name comes
 * first, else the smaller value. */
static int order_sets(const struct labels *a, const struct labels *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (size_t i = 0; i < a->count; i++) {
        int order = str_cmp(a->item[i].name, b->item[i].name);
        if (order != 0)
            return order < 0 ? 1 : -1;
        order = str_cmp(a->item[i].value, b->item[i].value);
        if (order != 0)
            return order;
    }
    return 0;
}

struct item_place item_place_of(const struct labels *ls)
{
    return (struct item_place){labels_get(ls, STR("job")), labels_get(ls, STR("instance")), ls};
}

int item_place_order(const struct item_place *a, const struct item_place *b)
{
    int order = order_by_value(a->job, b->job);
    if (order == 0)
        order = order_by_value(a->instance, b->instance);
    return order != 0 ? order : order_sets(a->labels, b->labels);
}

int router_item_order(const struct labels *a, const struct labels *b)
{
    struct item_place x = item_place_of(a), y = item_place_of(b);
    return item_place_order(&x, &y);
}

void router_match(const struct am_route *route, const struct labels *ls, route_visit *visit, void *context)
{
    bool found = false;
    for (size_t i = 0; i < route->route_count; i++) {
        const struct am_route *child = &route->routes[i];
        if (!matchers_match(child->matchers, child->matcher_count, ls))
            continue;
        found = true;
        router_match(child, ls, visit, context);
        if (!child->go_on)
            break;
    }
    if (!found)
        visit(context, route);
}

static bool groups_by(const struct am_route *route, struct str name)
{
    bool named = route->group_by_all;
    for (size_t i = 0; i < route->group_by_count && !named; i++)
        named = str_eq(route->group_by[i], name);
    return named;
}

static uint64_t group_hash(const struct am_route *route, const struct labels *ls)
{
    uint64_t hash = hash_mix(0, route->index);
    for (size_t i = 0; i < ls->count; i++) {
        const struct label *l = &ls->item[i];
        if (groups_by(route, l->name))
            hash = hash_mix(hash_mix(hash, hash_bytes(l->name.p, l->name.n)),
                            hash_bytes(l->value.p, l->value.n));
    }
    return hash;
}

struct group_place {
    const struct am_route *route;
    const struct labels *labels; /* of the alert */
};

static bool is_group(const void *item, const void *key)
{
    const struct group *group = item;
    const struct group_place *place = key;
    size_t matched = 0;
    if (group->route != place->route)
        return false;
    for (size_t i = 0; i < place->labels->count; i++) {
        const struct label *l = &place->labels->item[i];
        if (!groups_by(place->route, l->name))
            continue;
        if (!str_eq(labels_get(group->labels, l->name), l->value))
            return false;
        matched++;
    }
    return matched == group->labels->count;
}

static struct labels *group_labels(const struct am_route *route, const struct labels *ls)
{
    struct arena scratch;
    arena_init(&scratch, (size_t)limits.flush_arena_bytes);
    const struct labels *kept =
        route->group_by_all ? ls : labels_keep(&scratch, ls, route->group_by, route->group_by_count);
    struct labels *copy = kept != NULL ? labels_copy_heap(kept) : NULL;
    arena_release(&scratch);
    return copy;
}

/* {}/{team="db"}:{alertname="A"}; label names are never quoted here. */
static struct str group_key(const struct am_route *route, const struct labels *ls)
{
    struct buf key;
    buf_init(&key, (size_t)limits.flush_arena_bytes);
    buf_str(&key, route->key);
    buf_puts(&key, ":{");
    for (size_t i = 0; i < ls->count; i++) {
        buf_puts(&key, i > 0 ? ", " : "");
        buf_str(&key, ls->item[i].name);
        buf_char(&key, '=');
        go_quote(&key, ls->item[i].value);
    }
    buf_char(&key, '}');
    struct str copy = {mem_copy_text(buf_text(&key), key.used), key.used};
    buf_release(&key);
    return copy;
}

/* An alert that has waited long enough already does not wait for company. */
static int64_t first_flush(const struct router *router, const struct am_route *route,
                           const struct alert_event *event, int64_t since_ns)
{
    int64_t wait_ns = route->group_wait_ms * NS_PER_MS;
    int64_t at_ns = event->starts_ns + wait_ns < since_ns ? since_ns : since_ns + wait_ns;
    return at_ns > router->start_ns ? at_ns : router->start_ns;
}

static struct group *group_make(struct router *router, const struct am_route *route,
                                const struct alert_event *event, uint64_t hash, int64_t since_ns)
{
    if (router->groups.count >= (size_t)limits.alert_groups) {
        limit_hit(LIMIT_alert_groups);
        return NULL;
    }
    struct labels *ls = group_labels(route, event->labels);
    if (ls == NULL)
        return NULL;
    struct group *group = MEM_NEW(struct group);
    group->timer.kind = TIMER_GROUP;
    group->route = route;
    group->labels = ls;
    group->key = group_key(route, ls);
    group->hash = hash;
    map_init(&group->members);
    map_add(&router->groups, hash, group);
    timer_set(&router->timers, &group->timer, first_flush(router, route, event, since_ns));
    return group;
}

static bool is_member(const void *item, const void *key)
{
    return item == key;
}

/* False: it was there. */
static bool group_add(struct group *group, struct alert *alert)
{
    uint64_t fingerprint = alert->fact->fingerprint;
    if (map_find(&group->members, fingerprint, is_member, alert) != NULL)
        return false;
    map_add(&group->members, fingerprint, alert);
    alert->groups++;
    return true;
}

void group_remove(struct group *group, struct alert *alert)
{
    if (map_remove(&group->members, alert->fact->fingerprint, alert))
        alert->groups--;
}

void group_free(struct group *group)
{
    map_release(&group->members);
    mem_free((void *)(uintptr_t)group->key.p);
    mem_free(group->labels);
    mem_free(group->route_labels);
    group_forget_mutes(group);
    trail_group_freed(group);
    if (group->closing != NULL)
        generation_drop(group->closing);
    mem_free(group);
}

void group_destroy(struct router *router, struct group *group)
{
    struct alert *alert;
    timer_clear(&router->timers, &group->timer);
    map_remove(&router->groups, group->hash, group);
    keep_forget_tick(router, group);
    for (size_t at = 0; (alert = map_next(&group->members, &at)) != NULL;)
        alert->groups--;
    map_clear(&group->members);
    trail_group_ended(router, group);
    group->dead = true;
    if (group->flush == NULL)
        group_free(group);
}

struct placing {
    struct router *router;
    struct alert *alert;
    int64_t since_ns, now_ns;
    int64_t ended_ns; /* only groups that have not told this end; 0: all */
};

static bool has_told_end(const struct placing *p, const struct am_route *route)
{
    const struct fact *fact = p->alert->fact;
    struct labels *ls = group_labels(route, fact->event->labels);
    if (ls == NULL)
        return false;
    struct str key = group_key(route, ls);
    bool told = route_has_told_end(p->router, route, key, fact->hash, p->ended_ns, p->now_ns);
    mem_free((void *)(uintptr_t)key.p);
    mem_free(ls);
    return told;
}

static void place_alert(void *context, const struct am_route *route)
{
    struct placing *p = context;
    const struct alert_event *event = p->alert->fact->event;
    if (p->ended_ns != 0 && has_told_end(p, route))
        return;
    struct group_place place = {route, event->labels};
    uint64_t hash = group_hash(route, event->labels);
    struct group *group = map_find(&p->router->groups, hash, is_group, &place);
    if (group == NULL) {
        group = group_make(p->router, route, event, hash, p->since_ns);
        if (group != NULL)
            keep_recall_tick(p->router, group, p->now_ns);
    }
    if (group != NULL && group_add(group, p->alert))
        trail_joined(p->router, group, p->alert, p->now_ns);
    if (group == NULL)
        p->router->ungrouped = true;
}

void router_route_alert(struct router *router, struct alert *alert, int64_t since_ns, int64_t now_ns)
{
    struct placing placing = {router, alert, since_ns, now_ns, 0};
    router_match(&router->generation->config->root, alert->fact->event->labels, place_alert, &placing);
}

void router_route_ended(struct router *router, struct alert *alert, int64_t since_ns, int64_t now_ns)
{
    struct placing placing = {router, alert, since_ns, now_ns, alert->fact->event->updated_ns};
    router_match(&router->generation->config->root, alert->fact->event->labels, place_alert, &placing);
}

/* Reload. Every group of the new tree that an old one matches in key, labels and receiver inherits its timer, its flush
 * under way and whether it has flushed. */

static bool same_place(const struct group *a, const struct group *b)
{
    return str_eq(a->key, b->key) && str_eq(a->route->receiver->name, b->route->receiver->name) &&
           labels_equal(a->labels, b->labels);
}

/* A shorter interval of the new configuration holds from now on. */
static int64_t inherited_time(const struct group *new, const struct group *old, int64_t now_ns)
{
    int64_t wait_ms = old->flushed ? new->route->group_interval_ms : new->route->group_wait_ms;
    int64_t latest = now_ns + wait_ms * NS_PER_MS;
    return old->timer.at_ns < latest ? old->timer.at_ns : latest;
}

static void inherit_group(struct router *router, struct group *new, struct group *old, int64_t now_ns)
{
    int64_t at = old->tick_waits ? now_ns : inherited_time(new, old, now_ns);
    old->kept = true;
    new->flushed = old->flushed;
    new->tick_waits = old->tick_waits;
    new->flush = old->flush;
    new->tick_id = old->tick_id;
    old->tick_id = 0;
    group_inherit_mutes(new, old);
    trail_inherit(new, old);
    if (new->flush != NULL)
        new->flush->group = new;
    old->flush = NULL;
    if (new->tick_waits)
        timer_clear(&router->timers, &new->timer);
    else
        timer_set(&router->timers, &new->timer, at);
}

static uint64_t place_hash(const struct group *group)
{
    struct str receiver = group->route->receiver->name;
    return hash_mix(hash_bytes(group->key.p, group->key.n), hash_bytes(receiver.p, receiver.n));
}

static bool is_heir(const void *item, const void *key)
{
    const struct group *old = item;
    return !old->kept && same_place(old, key);
}

static int by_order(const void *a, const void *b)
{
    const struct group *const *x = a, *const *y = b;
    return ((*x)->timer.order > (*y)->timer.order) - ((*x)->timer.order < (*y)->timer.order);
}

static struct group **list_groups(const struct map *groups, size_t *count)
{
    struct group *group, **list = MEM_ARRAY(struct group *, groups->count + 1);
    *count = 0;
    for (size_t at = 0; (group = map_next(groups, &at)) != NULL;)
        list[(*count)++] = group;
    qsort(list, *count, sizeof *list, by_order);
    return list;
}

/* A resolved alert that no group holds has been told: it must not come back. */
static void place_all(struct router *router, int64_t now_ns)
{
    struct alert *alert;
    for (size_t at = 0; (alert = map_next(&router->alerts, &at)) != NULL;) {
        bool held = alert->groups > 0;
        if (held || !alert_is_resolved(alert->fact->event, now_ns))
            router_route_alert(router, alert, now_ns, now_ns);
    }
}

/* Nobody takes over from it: it stays for the ends that it owes, in the words of the configuration that it comes from. */
static bool close_later(struct router *router, struct group *group, struct generation *from, int64_t now_ns)
{
    bool owes = group->flush != NULL || group_owes_end(router, group, now_ns);
    if (group->kept || !router->options.contracts.opened_is_closed || !owes)
        return false;
    if (router->groups.count >= (size_t)limits.alert_groups) {
        limit_hit(LIMIT_alert_groups);
        return false;
    }
    if (group->closing == NULL) {
        group->closing = from;
        from->refs++;
    }
    map_add(&router->groups, group->hash, group);
    if (!group->tick_waits)
        timer_set(&router->timers, &group->timer, group->timer.at_ns);
    return true;
}

void router_regroup(struct router *router, struct generation *from, int64_t now_ns)
{
    struct map old = router->groups, by_place;
    size_t old_count, new_count;
    struct group **olds = list_groups(&old, &old_count);
    map_init(&router->groups);
    map_init(&by_place);
    for (size_t i = 0; i < old_count; i++) {
        timer_clear(&router->timers, &olds[i]->timer);
        map_add(&by_place, place_hash(olds[i]), olds[i]);
    }
    trail_regroup(router, true, now_ns);
    place_all(router, now_ns);
    struct group **news = list_groups(&router->groups, &new_count);
    for (size_t i = 0; i < new_count; i++) {
        struct group *heir = map_find(&by_place, place_hash(news[i]), is_heir, news[i]);
        if (heir != NULL)
            inherit_group(router, news[i], heir, now_ns);
    }
    for (size_t i = 0; i < old_count; i++) {
        if (!close_later(router, olds[i], from, now_ns))
            group_destroy(router, olds[i]);
    }
    trail_regroup(router, false, now_ns);
    map_release(&old);
    map_release(&by_place);
    mem_free(olds);
    mem_free(news);
}
