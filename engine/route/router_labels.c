#include "router_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/route_labels.h"

#include <stdlib.h>

struct target {
    const struct router *router;
    const struct am_receiver *receiver;
};

static void log_failed(void *context, struct str name, const struct err *why)
{
    const struct target *t = context;
    static struct log_rate rate;
    if (log_allowed(&rate, t->router->options.world->mono_ns(t->router->options.world)))
        log_error("a label of a route cannot be rendered: left out", LOG_STR("label", name),
                  LOG_STR("receiver", t->receiver->name), LOG_ERR(why));
}

static struct notification group_notification(const struct router *router, const struct am_route *route,
                                              const struct notification_alert *alerts, size_t count)
{
    struct world *world = router->options.world;
    return (struct notification){.receiver = route->receiver->name,
                                 .alerts = alerts,
                                 .count = count,
                                 .external_url = router->options.external_url,
                                 .now_ns = world->wall_ns(world)};
}

static struct labels *render(const struct router *router, const struct generation *generation,
                             const struct am_route *route, const struct notification *n)
{
    struct arena arena;
    struct target target = {router, route->receiver};
    arena_init(&arena, (size_t)limits.flush_arena_bytes);
    struct labels *made = route_labels_render(router->options.world, generation->config->templates,
                                              route->labels, n, &arena, log_failed, &target);
    struct labels *copy = labels_copy_heap(made != NULL ? made : labels_empty(&arena));
    arena_release(&arena);
    return copy;
}

const struct labels *flush_route_labels(struct router *router, struct flush *flush)
{
    const struct am_route *route = flush->route;
    if (flush->route_labels != NULL || !route_labels_have_templates(route->labels))
        return flush->route_labels != NULL ? flush->route_labels : route->labels;
    struct notification_alert *alerts = MEM_ARRAY(struct notification_alert, flush->count + 1);
    for (size_t i = 0; i < flush->count; i++) {
        const struct flush_item *item = &flush->items[i];
        alerts[i] = (struct notification_alert){item->fact->event, item->fact->fingerprint, item->resolved};
    }
    struct notification n = group_notification(router, route, alerts, flush->count);
    n.group_labels = flush->labels;
    n.group_key = flush->key;
    flush->route_labels = render(router, flush->generation, route, &n);
    mem_free(alerts);
    return flush->route_labels;
}

static int by_item(const void *a, const void *b)
{
    const struct notification_alert *x = a, *y = b;
    return router_item_order(x->event->labels, y->event->labels);
}

/* As its members are now. */
static struct labels *render_group(const struct router *router, const struct group *group, int64_t now_ns)
{
    struct alert *alert;
    struct notification_alert *alerts = MEM_ARRAY(struct notification_alert, group->members.count + 1);
    size_t count = 0;
    for (size_t at = 0; (alert = map_next(&group->members, &at)) != NULL;)
        alerts[count++] = (struct notification_alert){alert->fact->event, alert->fact->fingerprint,
                                                      alert_is_resolved(alert->fact->event, now_ns)};
    qsort(alerts, count, sizeof *alerts, by_item);
    struct notification n = group_notification(router, group->route, alerts, count);
    n.group_labels = group->labels;
    n.group_key = group->key;
    struct labels *made =
        render(router, group->closing != NULL ? group->closing : router->generation, group->route, &n);
    mem_free(alerts);
    return made;
}

const struct labels *group_route_labels(struct router *router, struct group *group)
{
    if (!route_labels_have_templates(group->route->labels))
        return group->route->labels;
    if (group->route_labels == NULL || group->route_labels_news != router->news) {
        struct world *world = router->options.world;
        mem_free(group->route_labels);
        group->route_labels = render_group(router, group, world->wall_ns(world));
        group->route_labels_news = router->news;
    }
    return group->route_labels;
}
