#include "amconfig_priv.h"

#include "tocsin/route_labels.h"

/*
 * Routes are read in two steps: first each node alone (so that its own mistakes are told in file order), then,
 * once receivers and intervals are known, the tree again with what each node inherits.
 */

struct route_draft {
    struct str receiver;
    struct strict_texts group_by;
    bool group_by_given, go_on;
    struct am_matchers matchers;
    struct strict_duration group_wait, group_interval, repeat_interval;
    struct strict_texts mute, active;
    const struct labels *labels;
    struct route_draft *routes;
    size_t route_count;
    struct am_route *route; /* what is being made of it */
};

static void read_group_by(struct strict *s, const struct tree *node, void *target)
{
    struct route_draft *d = target;
    strict_texts(s, node, &d->group_by);
    d->group_by_given = !tree_is_null(node);
}

static void read_labels(struct strict *s, const struct tree *node, void *target)
{
    const struct labels *ls = NULL;
    strict_labels(s, node, &ls);
    *(const struct labels **)target = ls;
    for (size_t i = 0; ls != NULL && i < ls->count; i++) {
        struct label l = ls->item[i];
        if (!label_name_is_valid(l.name))
            strict_fail(s, node, "invalid label name \"%.*s\" in route labels", STR_ARG(l.name));
        route_labels_check(s, node, l.value);
    }
}

static strict_read read_route;

static void read_routes(struct strict *s, const struct tree *node, void *target)
{
    struct route_draft *d = target;
    struct strict_list routes = {0};
    strict_list(s, node, "[]*config.Route", sizeof(struct route_draft), read_route, &routes);
    d->routes = routes.items;
    d->route_count = routes.count;
}

static bool listed_before(const struct strict_texts *texts, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (str_eq(texts->items[i], texts->items[at]))
            return true;
    }
    return false;
}

static void check_group_by(struct strict *s, const struct tree *node, const struct strict_texts *names)
{
    size_t wildcards = 0;
    for (size_t i = 0; i < names->count; i++) {
        struct str name = names->items[i];
        wildcards += str_is(name, "...");
        if (!label_name_is_valid(name))
            strict_fail(s, node, "invalid label name \"%.*s\" in group_by list", STR_ARG(name));
    }
    if (wildcards > 0 && wildcards < names->count)
        strict_fail(s, node, "cannot have wildcard group_by (`...`) and other labels at the same time");
    for (size_t i = 0; i < names->count && wildcards == 0; i++) {
        if (listed_before(names, i))
            strict_fail(s, node, "duplicated label \"%.*s\" in group_by", STR_ARG(names->items[i]));
    }
}

static void read_route(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field keys[] = {
        {"receiver", strict_text, offsetof(struct route_draft, receiver)},
        {"group_by", read_group_by, 0},
        {"match", am_match_map, offsetof(struct route_draft, matchers)},
        {"match_re", am_match_re_map, offsetof(struct route_draft, matchers)},
        {"matchers", am_matcher_list, offsetof(struct route_draft, matchers)},
        {"mute_time_intervals", strict_texts, offsetof(struct route_draft, mute)},
        {"active_time_intervals", strict_texts, offsetof(struct route_draft, active)},
        {"continue", strict_bool, offsetof(struct route_draft, go_on)},
        {"labels", read_labels, offsetof(struct route_draft, labels)},
        {"routes", read_routes, 0},
        {"group_wait", strict_duration, offsetof(struct route_draft, group_wait)},
        {"group_interval", strict_duration, offsetof(struct route_draft, group_interval)},
        {"repeat_interval", strict_duration, offsetof(struct route_draft, repeat_interval)},
        {NULL, NULL, 0},
    };
    struct route_draft *d = target;
    if (tree_is_null(node) && node->key == NULL)
        strict_fail(s, node, "missing route in routes");
    bool sound = strict_struct(s, node, "config.plain", keys, d);
    am_matchers_sort(&d->matchers);
    if (!sound)
        return;
    check_group_by(s, node, &d->group_by);
    if (d->group_interval.given && d->group_interval.ms == 0)
        strict_fail(s, node, "group_interval cannot be zero");
    if (d->repeat_interval.given && d->repeat_interval.ms == 0)
        strict_fail(s, node, "repeat_interval cannot be zero");
}

static void release_draft(struct route_draft *d)
{
    am_matchers_release(d->matchers.items, d->matchers.count);
    for (size_t i = 0; i < d->route_count; i++)
        release_draft(&d->routes[i]);
}

/* Matchers hold compiled expressions: they belong to the configuration as soon as they exist, whatever fails later. */
static void adopt(struct strict *s, struct route_draft *d, struct am_route *route)
{
    d->route = route;
    route->routes = ARENA_ARRAY(s->arena, struct am_route, d->route_count);
    if (route->routes == NULL) {
        release_draft(d);
        return;
    }
    route->matchers = d->matchers.items;
    route->matcher_count = d->matchers.count;
    route->route_count = d->route_count;
    for (size_t i = 0; i < d->route_count; i++)
        adopt(s, &d->routes[i], &route->routes[i]);
}

void am_read_route(struct strict *s, const struct tree *node, void *target)
{
    struct am_reader *r = target;
    struct route_draft *d = tree_is_null(node) ? NULL : ARENA_NEW(s->arena, struct route_draft);
    if (d == NULL)
        return;
    r->route = node;
    read_route(s, node, d);
    adopt(s, d, &r->config->root);
    r->root_draft = d;
}

void am_check_root(struct am_reader *r)
{
    const struct route_draft *d = r->root_draft;
    struct strict *s = &r->strict;
    if (d == NULL) {
        strict_fail(s, r->route, "%s", r->top != NULL ? "no routes provided" : "no route provided in config");
        return;
    }
    if (d->receiver.n == 0)
        strict_fail(s, r->route, "root route must specify a default receiver");
    if (d->matchers.count > 0)
        strict_fail(s, r->route, "root route must not have any matchers");
    if (d->mute.count > 0)
        strict_fail(s, r->route, "root route must not have any mute time intervals");
    if (d->active.count > 0)
        strict_fail(s, r->route, "root route must not have any active time intervals");
}

static const struct am_receiver *find_receiver(const struct amconfig *config, struct str name)
{
    for (size_t i = 0; i < config->receiver_count; i++) {
        if (str_eq(config->receivers[i].name, name))
            return &config->receivers[i];
    }
    return NULL;
}

static void check_receivers_used(struct am_reader *r, const struct route_draft *d)
{
    for (size_t i = 0; i < d->route_count; i++)
        check_receivers_used(r, &d->routes[i]);
    if (d->receiver.n > 0 && find_receiver(r->config, d->receiver) == NULL)
        strict_fail(&r->strict, NULL, "undefined receiver \"%.*s\" used in route", STR_ARG(d->receiver));
}

static void find_intervals(struct am_reader *r, const struct strict_texts *names, struct am_intervals *out)
{
    out->items = ARENA_ARRAY(&r->config->arena, const struct am_interval *, names->count);
    for (size_t i = 0; out->items != NULL && i < names->count; i++) {
        const struct am_interval *interval = am_interval_find(r, names->items[i]);
        if (interval == NULL)
            strict_fail(&r->strict, NULL, "undefined time interval \"%.*s\" used in route",
                        STR_ARG(names->items[i]));
        else
            out->items[out->count++] = interval;
    }
}

static void find_intervals_used(struct am_reader *r, const struct route_draft *d)
{
    for (size_t i = 0; i < d->route_count; i++)
        find_intervals_used(r, &d->routes[i]);
    find_intervals(r, &d->active, &d->route->active);
    find_intervals(r, &d->mute, &d->route->mute);
}

static struct str route_key(struct am_reader *r, const struct am_route *parent, const struct am_route *route)
{
    struct buf key;
    buf_init(&key, 1 << 20);
    if (parent != NULL) {
        buf_str(&key, parent->key);
        buf_char(&key, '/');
    }
    buf_char(&key, '{');
    for (size_t i = 0; i < route->matcher_count; i++) {
        if (i > 0)
            buf_char(&key, ',');
        am_matcher_print(&key, &route->matchers[i]);
    }
    buf_char(&key, '}');
    if (buf_overflow(&key))
        am_too_large(r, "key of a route");
    struct str copy = str_copy(&r->config->arena, buf_slice(&key));
    buf_release(&key);
    return copy;
}

static void inherit_grouping(const struct route_draft *d, struct am_route *route,
                             const struct am_route *parent)
{
    if (d->group_by_given) {
        route->group_by = d->group_by.items;
        route->group_by_count = d->group_by.count;
        route->group_by_all = d->group_by.count > 0 && str_is(d->group_by.items[0], "...");
        return;
    }
    route->group_by = parent->group_by;
    route->group_by_count = parent->group_by_count;
    route->group_by_all = parent->group_by_all;
}

static void inherit(struct am_reader *r, const struct route_draft *d, const struct am_route *parent)
{
    static const struct am_route defaults = {
        .group_wait_ms = 30000, .group_interval_ms = 300000, .repeat_interval_ms = 4 * 3600000};
    const struct am_route *from = parent != NULL ? parent : &defaults;
    struct am_route *route = d->route;
    route->receiver = d->receiver.n > 0 ? find_receiver(r->config, d->receiver) : from->receiver;
    route->go_on = d->go_on;
    route->group_wait_ms = d->group_wait.given ? d->group_wait.ms : from->group_wait_ms;
    route->group_interval_ms = d->group_interval.given ? d->group_interval.ms : from->group_interval_ms;
    route->repeat_interval_ms = d->repeat_interval.given ? d->repeat_interval.ms : from->repeat_interval_ms;
    inherit_grouping(d, route, from);
    route->labels = from->labels != NULL ? from->labels : labels_empty(&r->config->arena);
    if (d->labels != NULL && route->labels != NULL)
        route->labels = labels_merge(&r->config->arena, route->labels, d->labels);
    route->key = route_key(r, parent, route);
    route->index = r->routes_seen++;
    for (size_t i = 0; i < d->route_count && !strict_stopped(&r->strict); i++)
        inherit(r, &d->routes[i], route);
}

void am_resolve_routes(struct am_reader *r)
{
    check_receivers_used(r, r->root_draft);
    am_check_intervals(r);
    find_intervals_used(r, r->root_draft);
    if (r->root_draft->go_on)
        strict_fail(&r->strict, r->route, "cannot have continue in root route");
    if (strict_sound(&r->strict))
        inherit(r, r->root_draft, NULL);
}
