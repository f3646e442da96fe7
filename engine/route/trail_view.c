#include "trail_view_priv.h"

#include <inttypes.h>
#include <stdlib.h>

bool trail_fingerprint_parse(struct str text, uint64_t *fingerprint)
{
    *fingerprint = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool digit = c >= '0' && c <= '9';
        if (!digit && !(c >= 'a' && c <= 'f'))
            return false;
        *fingerprint = *fingerprint << 4 | (uint64_t)(digit ? c - '0' : c - 'a' + 10);
    }
    return text.n == 16;
}

static bool alert_has_fingerprint(const void *item, const void *key)
{
    return ((const struct alert *)item)->fact->fingerprint == *(const uint64_t *)key;
}

static bool trail_has_fingerprint(const void *item, const void *key)
{
    return ((const struct trail *)item)->fingerprint == *(const uint64_t *)key;
}

const struct labels *trail_find_labels(const struct router *router, uint64_t fingerprint)
{
    const struct alert *alert = map_find(&router->alerts, fingerprint, alert_has_fingerprint, &fingerprint);
    const struct trail *gone =
        map_find(&router->trails.gone, fingerprint, trail_has_fingerprint, &fingerprint);
    if (alert != NULL)
        return alert->fact->event->labels;
    return gone != NULL ? gone->labels : NULL;
}

static bool is_member(const void *item, const void *key)
{
    return item == key;
}

const struct group *trail_group_now(const struct trail *trail, const struct trail_member *member)
{
    const struct group *group = member->group->group;
    if (group == NULL || trail->alert == NULL || member->left != 0 ||
        map_find(&group->members, trail->fingerprint, is_member, trail->alert) == NULL)
        return NULL;
    return group;
}

/* ---- which alerts ---- */

static bool wants_receiver(const struct trail_query *query, struct str name)
{
    return query->receiver == NULL || regex_match(query->receiver, name);
}

static bool wants(const struct trail_query *query, const struct labels *ls, const struct trail *trail)
{
    if (!matchers_match(query->matchers, query->matcher_count, ls))
        return false;
    bool found = query->receiver == NULL;
    for (size_t i = 0; !found && trail != NULL && i < trail->member_count; i++)
        found = wants_receiver(query, trail->members[i].group->receiver);
    return found;
}

/* An alert that is asked about: with its trail, or without, when that has made room. */
struct found {
    uint64_t fingerprint;
    bool firing;
    const struct alert *alert;
    const struct trail *trail;
};

static int by_urgency(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->firing != y->firing)
        return x->firing ? -1 : 1;
    return (x->fingerprint > y->fingerprint) - (x->fingerprint < y->fingerprint);
}

struct found_list {
    struct found *items;
    size_t count, capacity;
};

static void add_found(struct trail_asking *a, struct found_list *list, const struct alert *alert,
                      const struct trail *trail)
{
    const struct alert_event *event = alert != NULL ? alert->fact->event : NULL;
    uint64_t fingerprint = alert != NULL ? alert->fact->fingerprint : trail->fingerprint;
    if (!wants(a->query, event != NULL ? event->labels : trail->labels, trail))
        return;
    ARENA_GROW(a->arena, list->items, list->count, list->capacity);
    a->full = a->full || list->items == NULL;
    if (!a->full)
        list->items[list->count++] =
            (struct found){fingerprint, event != NULL && !alert_is_resolved(event, a->now_ns), alert, trail};
}

static void find_one(struct trail_asking *a, struct found_list *list)
{
    const struct router *router = a->router;
    uint64_t fingerprint = a->query->fingerprint;
    const struct alert *alert = map_find(&router->alerts, fingerprint, alert_has_fingerprint, &fingerprint);
    const struct trail *gone =
        map_find(&router->trails.gone, fingerprint, trail_has_fingerprint, &fingerprint);
    if (alert != NULL || gone != NULL)
        add_found(a, list, alert, alert != NULL ? alert->trail : gone);
}

static struct found_list find_all(struct trail_asking *a)
{
    const struct router *router = a->router;
    const struct alert *alert;
    const struct trail *gone;
    struct found_list list = {0};
    if (a->query->by_fingerprint) {
        find_one(a, &list);
        return list;
    }
    for (size_t at = 0; !a->full && (alert = map_next(&router->alerts, &at)) != NULL;)
        add_found(a, &list, alert, alert->trail);
    for (size_t at = 0; !a->full && (gone = map_next(&router->trails.gone, &at)) != NULL;)
        add_found(a, &list, NULL, gone);
    if (!a->full && list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, by_urgency);
    return list;
}

/* ---- one of them ---- */

/* A later one is the same receiver and group again: of the earlier nothing is to come. */
static bool is_newest(const struct trail *trail, size_t at)
{
    const struct trail_group *group = trail->members[at].group;
    for (size_t i = at + 1; i < trail->member_count; i++) {
        const struct trail_group *later = trail->members[i].group;
        if (str_eq(group->receiver, later->receiver) && str_eq(group->key, later->key))
            return false;
    }
    return true;
}

static void tell_came(struct trail_asking *a, const struct trail *trail)
{
    struct trail_line line = {.at_ns = trail->came_ns, .what = "came"};
    line.detail = trail->of_rule ? STR("came in from a rule") : STR("came in, posted to the API");
    if (trail->resumed)
        line.detail = STR("had come in before; what was decided until now is not kept");
    trail_add_line(a, line);
}

static void fill(struct trail_asking *a, const struct found *found)
{
    struct trail_alert *out = a->alert;
    const struct trail *trail = found->trail;
    const struct labels *ls = found->alert != NULL ? found->alert->fact->event->labels : trail->labels;
    *out = (struct trail_alert){
        .fingerprint = found->fingerprint,
        .labels = labels_copy(a->arena, ls),
        .state = found->firing ? "firing" : "resolved",
        .starts_ns = found->alert != NULL ? found->alert->fact->event->starts_ns : trail->starts_ns,
        .ends_ns = found->alert != NULL ? found->alert->fact->event->ends_ns : trail->ends_ns,
        .since_ns = trail != NULL ? trail->came_ns : a->now_ns};
    a->line_capacity = a->verdict_capacity = a->next_capacity = 0;
    a->full = a->full || out->labels == NULL;
    if (found->alert == NULL)
        out->state = "gone";
    if (trail == NULL || a->full)
        return;
    tell_came(a, trail);
    for (size_t i = 0; i < trail->member_count && !a->full; i++) {
        const struct trail_member *member = &trail->members[i];
        if (!wants_receiver(a->query, member->group->receiver))
            continue;
        trail_tell_member(a, trail, member);
        if (is_newest(trail, i) && !a->full)
            trail_judge_member(a, trail, member);
    }
}

static int answer(struct trail_asking *a, struct trail_answer *out)
{
    struct found_list list = find_all(a);
    size_t shown = list.count < a->query->limit ? list.count : a->query->limit;
    *out = (struct trail_answer){.since_ns = a->router->trails.since_ns,
                                 .now_ns = a->now_ns,
                                 .alerts = ARENA_ARRAY(a->arena, struct trail_alert, shown),
                                 .truncated = shown < list.count};
    a->full = a->full || out->alerts == NULL;
    for (size_t i = 0; i < shown && !a->full; i++) {
        a->alert = &out->alerts[out->count++];
        fill(a, &list.items[i]);
    }
    return a->full ? ERR_LIMIT : 0;
}

int router_trail(struct router *router, const struct trail_query *query, struct arena *arena,
                 struct trail_answer *out)
{
    struct world *world = router->options.world;
    lock_take(&router->lock);
    struct trail_asking a = {
        .router = router, .query = query, .arena = arena, .now_ns = world->wall_ns(world)};
    int rc = answer(&a, out);
    lock_drop(&router->lock);
    return rc;
}
