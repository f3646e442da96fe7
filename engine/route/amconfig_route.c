#include "amconfig_priv.h"

/*
 * Routes are read in two steps: first each node alone (so that its own mistakes are told in file order), then,
 * once receivers and intervals are known, the tree again with what each node inherits.
 */

struct route_draft {
    struct str receiver;
    struct am_texts group_by;
    bool group_by_given, go_on;
    struct am_matchers matchers;
    int64_t group_wait_ms, group_interval_ms, repeat_interval_ms;
    bool wait_given, interval_given, repeat_given;
    struct am_texts mute, active;
    const struct labels *labels;
    struct route_draft *routes;
    size_t route_count;
    struct am_route *route; /* what is being made of it */
};

static void read_group_by(struct am_reader *r, const struct tree *node, void *target)
{
    struct route_draft *d = target;
    am_text_list(r, node, &d->group_by);
    d->group_by_given = !tree_is_null(node);
}

static void read_wait(struct am_reader *r, const struct tree *node, void *target)
{
    struct route_draft *d = target;
    am_duration_ms(r, node, &d->group_wait_ms);
    d->wait_given = !tree_is_null(node);
}

static void read_interval(struct am_reader *r, const struct tree *node, void *target)
{
    struct route_draft *d = target;
    am_duration_ms(r, node, &d->group_interval_ms);
    d->interval_given = !tree_is_null(node);
}

static void read_repeat(struct am_reader *r, const struct tree *node, void *target)
{
    struct route_draft *d = target;
    am_duration_ms(r, node, &d->repeat_interval_ms);
    d->repeat_given = !tree_is_null(node);
}

static void read_labels(struct am_reader *r, const struct tree *node, void *target)
{
    const struct labels *ls = am_labels(r, node);
    *(const struct labels **)target = ls;
    for (size_t i = 0; ls != NULL && i < ls->count; i++) {
        struct label l = ls->item[i];
        if (!label_name_is_valid(l.name))
            am_fail(r, node, "invalid label name \"%.*s\" in route labels", STR_ARG(l.name));
        for (size_t k = 0; k + 1 < l.value.n; k++) {
            if (l.value.p[k] == '{' && l.value.p[k + 1] == '{')
                am_unsupported(r, node, "route labels: templates are not supported yet");
        }
    }
}

static am_read read_route;

static void read_routes(struct am_reader *r, const struct tree *node, void *target)
{
    struct route_draft *d = target;
    d->routes = am_list(r, node, read_route, sizeof(struct route_draft), &d->route_count, "[]*config.Route");
}

static bool listed_before(const struct am_texts *texts, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (str_eq(texts->items[i], texts->items[at]))
            return true;
    }
    return false;
}

static void check_group_by(struct am_reader *r, const struct tree *node, const struct am_texts *names)
{
    bool all = false;
    for (size_t i = 0; i < names->count; i++) {
        struct str name = names->items[i];
        all = all || str_is(name, "...");
        if (!label_name_is_valid(name))
            am_fail(r, node, "invalid label name \"%.*s\" in group_by list", STR_ARG(name));
    }
    if (all && names->count > 1)
        am_fail(r, node, "cannot have wildcard group_by (`...`) and other labels at the same time");
    for (size_t i = 0; i < names->count; i++) {
        if (listed_before(names, i))
            am_fail(r, node, "duplicated label \"%.*s\" in group_by", STR_ARG(names->items[i]));
    }
}

static void read_route(struct am_reader *r, const struct tree *node, void *target)
{
    static const struct am_key keys[] = {
        {"receiver", am_text, offsetof(struct route_draft, receiver)},
        {"group_by", read_group_by, 0},
        {"match", am_match_map, offsetof(struct route_draft, matchers)},
        {"match_re", am_match_re_map, offsetof(struct route_draft, matchers)},
        {"matchers", am_matcher_list, offsetof(struct route_draft, matchers)},
        {"mute_time_intervals", am_text_list, offsetof(struct route_draft, mute)},
        {"active_time_intervals", am_text_list, offsetof(struct route_draft, active)},
        {"continue", am_bool, offsetof(struct route_draft, go_on)},
        {"labels", read_labels, offsetof(struct route_draft, labels)},
        {"routes", read_routes, 0},
        {"group_wait", read_wait, 0},
        {"group_interval", read_interval, 0},
        {"repeat_interval", read_repeat, 0},
        {NULL, NULL, 0},
    };
    struct route_draft *d = target;
    if (tree_is_null(node) && node->key == NULL)
        am_fail(r, node, "missing route in routes");
    bool sound = am_object(r, node, keys, d, "config.plain");
    am_matchers_sort(&d->matchers);
    if (!sound)
        return;
    check_group_by(r, node, &d->group_by);
    if (d->interval_given && d->group_interval_ms == 0)
        am_fail(r, node, "group_interval cannot be zero");
    if (d->repeat_given && d->repeat_interval_ms == 0)
        am_fail(r, node, "repeat_interval cannot be zero");
}

static void release_draft(struct route_draft *d)
{
    am_matchers_release(d->matchers.items, d->matchers.count);
    for (size_t i = 0; i < d->route_count; i++)
        release_draft(&d->routes[i]);
}

/* Matchers hold compiled expressions: they belong to the configuration as soon as they exist, whatever fails later. */
static void adopt(struct am_reader *r, struct route_draft *d, struct am_route *route)
{
    d->route = route;
    route->routes = ARENA_ARRAY(r->arena, struct am_route, d->route_count);
    if (route->routes == NULL) {
        am_memory(r);
        release_draft(d);
        return;
    }
    route->matchers = d->matchers.items;
    route->matcher_count = d->matchers.count;
    route->route_count = d->route_count;
    for (size_t i = 0; i < d->route_count; i++)
        adopt(r, &d->routes[i], &route->routes[i]);
}

void am_read_route(struct am_reader *r, const struct tree *node)
{
    r->route = node;
    struct route_draft *d = ARENA_NEW(r->arena, struct route_draft);
    if (d == NULL) {
        am_memory(r);
        return;
    }
    read_route(r, node, d);
    adopt(r, d, &r->config->root);
    r->root_draft = d;
}

void am_check_root(struct am_reader *r)
{
    const struct route_draft *d = r->root_draft;
    if (am_stopped(r))
        return;
    if (d == NULL || tree_is_null(r->route)) {
        am_fail(r, r->route, "%s", r->top != NULL ? "no routes provided" : "no route provided in config");
        return;
    }
    if (d->receiver.n == 0)
        am_fail(r, r->route, "root route must specify a default receiver");
    if (d->matchers.count > 0)
        am_fail(r, r->route, "root route must not have any matchers");
    if (d->mute.count > 0)
        am_fail(r, r->route, "root route must not have any mute time intervals");
    if (d->active.count > 0)
        am_fail(r, r->route, "root route must not have any active time intervals");
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
        am_fail(r, NULL, "undefined receiver \"%.*s\" used in route", STR_ARG(d->receiver));
}

static void check_names(struct am_reader *r, const struct am_texts *names)
{
    for (size_t i = 0; i < names->count; i++) {
        if (!am_interval_known(r, names->items[i]))
            am_fail(r, NULL, "undefined time interval \"%.*s\" used in route", STR_ARG(names->items[i]));
    }
}

static void check_intervals_used(struct am_reader *r, const struct route_draft *d)
{
    for (size_t i = 0; i < d->route_count; i++)
        check_intervals_used(r, &d->routes[i]);
    check_names(r, &d->active);
    check_names(r, &d->mute);
    if (d->active.count > 0 || d->mute.count > 0)
        am_unsupported(r, NULL,
                       "%s of a route are not supported yet; remove them or keep Alertmanager for them",
                       d->mute.count > 0 ? "mute_time_intervals" : "active_time_intervals");
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
    struct str copy = buf_overflow(&key) ? (struct str){NULL, 0} : str_copy(r->arena, buf_slice(&key));
    if (copy.p == NULL)
        am_memory(r);
    buf_release(&key);
    return copy;
}

static void inherit_grouping(const struct route_draft *d, struct am_route *route,
                             const struct am_route *parent)
{
    if (d->group_by_given) {
        route->group_by = d->group_by.items;
        route->group_by_count = d->group_by.count;
        route->group_by_all = d->group_by.count == 1 && str_is(d->group_by.items[0], "...");
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
    route->group_wait_ms = d->wait_given ? d->group_wait_ms : from->group_wait_ms;
    route->group_interval_ms = d->interval_given ? d->group_interval_ms : from->group_interval_ms;
    route->repeat_interval_ms = d->repeat_given ? d->repeat_interval_ms : from->repeat_interval_ms;
    inherit_grouping(d, route, from);
    route->labels = from->labels != NULL ? from->labels : labels_empty(r->arena);
    if (d->labels != NULL && route->labels != NULL)
        route->labels = labels_merge(r->arena, route->labels, d->labels);
    if (route->labels == NULL)
        am_memory(r);
    route->key = route_key(r, parent, route);
    route->index = r->routes_seen++;
    for (size_t i = 0; i < d->route_count && !am_stopped(r); i++)
        inherit(r, &d->routes[i], route);
}

void am_resolve_routes(struct am_reader *r)
{
    if (!am_stopped(r))
        check_receivers_used(r, r->root_draft);
    if (!am_stopped(r))
        am_check_intervals(r);
    if (!am_stopped(r))
        check_intervals_used(r, r->root_draft);
    if (!am_stopped(r) && r->root_draft->go_on)
        am_fail(r, r->route, "cannot have continue in root route");
    r->routes_seen = 0;
    if (!am_stopped(r))
        inherit(r, r->root_draft, NULL);
}
