#include "router_priv.h"

#include <stdlib.h>

/* What one question gathers; an arena that runs dry ends it with ERR_LIMIT. */
struct view {
    struct router *router;
    const struct router_filter *filter;
    struct arena *arena;
    int64_t now_ns;
    bool in_groups; /* only receivers that are asked for are named */
    bool full;
    bool wanted;           /* one of the alert's receivers is asked for */
    struct str *receivers; /* of the alert at hand */
    size_t receiver_count, receiver_capacity;
    uint64_t *inhibited_by;
    size_t inhibited_count, inhibited_capacity;
    struct str *silenced_by;
    size_t silenced_count, silenced_capacity;
};

static struct view view_begin(struct router *router, const struct router_filter *filter, struct arena *arena)
{
    struct world *world = router->options.world;
    return (struct view){.router = router, .filter = filter, .arena = arena, .now_ns = world->wall_ns(world)};
}

static bool wants_receiver(const struct view *v, const struct am_receiver *receiver)
{
    return (v->filter->receiver == NULL || regex_match(v->filter->receiver, receiver->name)) &&
           matchers_match(v->filter->receiver_matchers, v->filter->receiver_matcher_count, receiver->labels);
}

static void add_receiver(void *context, const struct am_route *route)
{
    struct view *v = context;
    bool wanted = wants_receiver(v, route->receiver);
    v->wanted = v->wanted || wanted;
    if (!wanted && v->in_groups)
        return;
    ARENA_GROW(v->arena, v->receivers, v->receiver_count, v->receiver_capacity);
    struct str name = str_copy(v->arena, route->receiver->name);
    v->full = v->full || v->receivers == NULL || name.p == NULL;
    if (!v->full)
        v->receivers[v->receiver_count++] = name;
}

static bool add_inhibitor(void *context, const struct alert *source)
{
    struct view *v = context;
    ARENA_GROW(v->arena, v->inhibited_by, v->inhibited_count, v->inhibited_capacity);
    v->full = v->full || v->inhibited_by == NULL;
    if (!v->full)
        v->inhibited_by[v->inhibited_count++] = source->fact->fingerprint;
    return !v->full;
}

static void add_silence(void *context, struct str id)
{
    struct view *v = context;
    ARENA_GROW(v->arena, v->silenced_by, v->silenced_count, v->silenced_capacity);
    struct str copy = str_copy(v->arena, id);
    v->full = v->full || v->silenced_by == NULL || copy.p == NULL;
    if (!v->full)
        v->silenced_by[v->silenced_count++] = copy;
}

static const struct alert_event *copy_event(struct view *v, const struct alert_event *event)
{
    struct alert_event *copy = arena_copy(v->arena, event, 1, sizeof *event);
    if (copy == NULL)
        return NULL;
    copy->labels = labels_copy(v->arena, event->labels);
    copy->annotations =
        event->annotations != NULL ? labels_copy(v->arena, event->annotations) : labels_empty(v->arena);
    copy->generator_url = str_copy(v->arena, event->generator_url);
    return copy->labels != NULL && copy->annotations != NULL && copy->generator_url.p != NULL ? copy : NULL;
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void sort_unique_receivers(struct view *v)
{
    size_t kept = 0;
    if (v->receiver_count > 1)
        qsort(v->receivers, v->receiver_count, sizeof *v->receivers, by_text);
    for (size_t i = 0; i < v->receiver_count; i++) {
        if (i == 0 || !str_eq(v->receivers[i], v->receivers[kept - 1]))
            v->receivers[kept++] = v->receivers[i];
    }
    v->receiver_count = kept;
}

static bool wants_state(const struct view *v)
{
    bool inhibited = v->inhibited_count > 0, silenced = v->silenced_count > 0;
    return (v->filter->active || inhibited || silenced) && (v->filter->silenced || !silenced) &&
           (v->filter->inhibited || !inhibited);
}

/* Fills *out, or answers false if the alert is not asked for. */
static bool show(struct view *v, struct alert *alert, struct router_alert *out)
{
    const struct alert_event *event = alert->fact->event;
    if (alert_is_resolved(event, v->now_ns) ||
        !matchers_match(v->filter->matchers, v->filter->matcher_count, event->labels))
        return false;
    v->receivers = NULL;
    v->inhibited_by = NULL;
    v->silenced_by = NULL;
    v->wanted = false;
    v->receiver_count = v->receiver_capacity = v->inhibited_count = v->inhibited_capacity = 0;
    v->silenced_count = v->silenced_capacity = 0;
    router_match(&v->router->generation->config->root, event->labels, add_receiver, v);
    inhibitor_each(&v->router->inhibitor, event->labels, v->now_ns, add_inhibitor, v);
    silences_each(v->router->silences, &alert->silenced, event->labels, v->now_ns, add_silence, v);
    if (v->full || !v->wanted || !wants_state(v))
        return false;
    if (v->inhibited_count > 1)
        qsort(v->inhibited_by, v->inhibited_count, sizeof *v->inhibited_by, by_number);
    if (v->silenced_count > 1)
        qsort(v->silenced_by, v->silenced_count, sizeof *v->silenced_by, by_text);
    *out = (struct router_alert){
        .event = copy_event(v, event),
        .fingerprint = alert->fact->fingerprint,
        .receivers = v->receivers,
        .receiver_count = v->receiver_count,
        .suppressed = v->inhibited_count > 0 || v->silenced_count > 0,
        .inhibited_by = v->inhibited_by,
        .inhibited_count = v->inhibited_count,
        .silenced_by = v->silenced_by,
        .silenced_count = v->silenced_count,
    };
    v->full = v->full || out->event == NULL;
    return !v->full;
}

static int by_fingerprint(const void *a, const void *b)
{
    const struct router_alert *x = a, *y = b;
    return (x->fingerprint > y->fingerprint) - (x->fingerprint < y->fingerprint);
}

static int list_alerts(struct view *v, struct router_alert **alerts, size_t *count)
{
    struct alert *alert;
    struct router_alert *list = ARENA_ARRAY(v->arena, struct router_alert, v->router->alerts.count);
    size_t n = 0;
    if (list == NULL)
        return ERR_LIMIT;
    for (size_t at = 0; !v->full && (alert = map_next(&v->router->alerts, &at)) != NULL;)
        n += show(v, alert, &list[n]);
    qsort(list, n, sizeof *list, by_fingerprint);
    *alerts = list;
    *count = n;
    return v->full ? ERR_LIMIT : 0;
}

int router_alerts(struct router *router, const struct router_filter *filter, struct arena *arena,
                  struct router_alert **alerts, size_t *count)
{
    lock_take(&router->lock);
    struct view v = view_begin(router, filter, arena);
    int rc = list_alerts(&v, alerts, count);
    lock_drop(&router->lock);
    return rc;
}

static int by_item(const void *a, const void *b)
{
    const struct router_alert *x = a, *y = b;
    return router_item_order(x->event->labels, y->event->labels);
}

static const struct str *copy_mutes(struct view *v, const struct group *group)
{
    struct str *names = ARENA_ARRAY(v->arena, struct str, group->muted_count);
    for (size_t i = 0; names != NULL && i < group->muted_count; i++) {
        names[i] = str_copy(v->arena, group->muted_by[i]);
        v->full = v->full || names[i].p == NULL;
    }
    v->full = v->full || names == NULL;
    return names;
}

static bool wants_group(const struct view *v, const struct group *group)
{
    return group->closing == NULL && wants_receiver(v, group->route->receiver) &&
           (v->filter->muted || group->muted_count == 0);
}

/* False if the group has nothing to show. */
static bool show_group(struct view *v, struct group *group, struct router_group *out)
{
    struct alert *alert;
    if (!wants_group(v, group))
        return false;
    struct router_alert *list = ARENA_ARRAY(v->arena, struct router_alert, group->members.count);
    size_t n = 0;
    v->full = v->full || list == NULL;
    for (size_t at = 0; !v->full && (alert = map_next(&group->members, &at)) != NULL;) {
        if (!show(v, alert, &list[n]))
            continue;
        list[n].suppressed = list[n].suppressed || group->muted_count > 0;
        sort_unique_receivers(v);
        list[n++].receiver_count = v->receiver_count;
    }
    if (n == 0 || v->full)
        return false;
    qsort(list, n, sizeof *list, by_item);
    *out = (struct router_group){
        .labels = labels_copy(v->arena, group->labels),
        .route_labels = labels_copy(v->arena, group_route_labels(v->router, group)),
        .receiver = str_copy(v->arena, group->route->receiver->name),
        .key = str_copy(v->arena, group->key),
        .alerts = list,
        .count = n,
        .muted_by = copy_mutes(v, group),
        .muted_count = group->muted_count,
        .next_flush_ns = group->timer.at_ns,
    };
    v->full = v->full || out->labels == NULL || out->route_labels == NULL || out->receiver.p == NULL ||
              out->key.p == NULL;
    return !v->full;
}

static int by_group(const void *a, const void *b)
{
    const struct router_group *x = a, *y = b;
    int order = router_item_order(x->labels, y->labels);
    if (x->labels->count != y->labels->count)
        return x->labels->count < y->labels->count ? -1 : 1;
    return order != 0 ? order : str_cmp(x->receiver, y->receiver);
}

static int list_groups(struct view *v, struct router_group **groups, size_t *count)
{
    struct group *group;
    struct router_group *list = ARENA_ARRAY(v->arena, struct router_group, v->router->groups.count);
    size_t n = 0;
    if (list == NULL)
        return ERR_LIMIT;
    for (size_t at = 0; !v->full && (group = map_next(&v->router->groups, &at)) != NULL;)
        n += show_group(v, group, &list[n]);
    qsort(list, n, sizeof *list, by_group);
    *groups = list;
    *count = n;
    return v->full ? ERR_LIMIT : 0;
}

int router_groups(struct router *router, const struct router_filter *filter, struct arena *arena,
                  struct router_group **groups, size_t *count)
{
    lock_take(&router->lock);
    struct view v = view_begin(router, filter, arena);
    v.in_groups = true;
    int rc = list_groups(&v, groups, count);
    lock_drop(&router->lock);
    return rc;
}

static int list_receivers(const struct amconfig *config, const struct matcher *matchers, size_t matcher_count,
                          struct arena *arena, struct router_receiver **out, size_t *count)
{
    struct router_receiver *list = ARENA_ARRAY(arena, struct router_receiver, config->receiver_count);
    *out = list;
    *count = 0;
    for (size_t i = 0; list != NULL && i < config->receiver_count; i++) {
        const struct am_receiver *r = &config->receivers[i];
        if (matchers_match(matchers, matcher_count, r->labels))
            list[(*count)++] =
                (struct router_receiver){str_copy(arena, r->name), labels_copy(arena, r->labels)};
    }
    return arena_exhausted(arena) ? ERR_LIMIT : 0;
}

int router_receivers(struct router *router, const struct matcher *matchers, size_t matcher_count,
                     struct arena *arena, struct router_receiver **receivers, size_t *count)
{
    lock_take(&router->lock);
    int rc = list_receivers(router->generation->config, matchers, matcher_count, arena, receivers, count);
    lock_drop(&router->lock);
    return rc;
}

struct str router_config_text(struct router *router, struct arena *arena)
{
    lock_take(&router->lock);
    struct str text = str_copy(arena, router->generation->config->original);
    lock_drop(&router->lock);
    return text;
}
