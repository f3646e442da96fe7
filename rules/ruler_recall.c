#include "ruler_priv.h"

#include "tocsin/limits.h"
#include "tocsin/log.h"
#include "tocsin/mem.h"
#include "tocsin/view.h"

/*
 * A rule's series is one that bears its name and labels and whose newest sample, no stale marker, is at a time at which the group
 * is evaluated. Where rules of several groups could have written it, nobody is taken for its author: it then ends by itself,
 * as all do in Prometheus after a restart.
 */

/* As nanoseconds it is still a whole number of 64 bits. */
static const double SECONDS_MAX = 9e9;

/* Rules that write series of one name: what a recording rule records, or an alert. */
struct family {
    enum rule_kind kind;
    struct str name;
    struct author {
        struct live_group *group;
        struct rule_state *state;
    } * authors;
    size_t count, capacity;
};

struct recall {
    const struct globals *globals;
    struct view *view;
    struct arena arena; /* cleared from family to family */
    struct map families;
    int64_t oldest_ms; /* of what tells since when an alert was active */
};

static bool is_family(const void *item, const void *key)
{
    const struct family *a = item, *b = key;
    return a->kind == b->kind && str_eq(a->name, b->name);
}

static void add_author(struct recall *r, struct live_group *group, struct rule_state *state)
{
    const struct rule *rule = state->rule;
    struct family wanted = {.kind = rule->kind, .name = rule->name};
    uint64_t hash = hash_mix(hash_bytes(rule->name.p, rule->name.n), rule->kind);
    struct family *f = map_find(&r->families, hash, is_family, &wanted);
    if (f == NULL) {
        f = MEM_NEW(struct family);
        *f = wanted;
        map_add(&r->families, hash, f);
    }
    MEM_GROW(f->authors, f->count, f->capacity);
    f->authors[f->count++] = (struct author){group, state};
}

/* ---- whose series it is ---- */

/* A label from a template may have come to anything. */
static bool bears_labels(const struct labels *ls, const struct rule *rule)
{
    for (size_t i = 0; i < rule->label_count; i++)
        if (rule->labels[i].code == NULL &&
            !str_eq(labels_get(ls, rule->labels[i].name), rule->labels[i].plain))
            return false;
    return true;
}

static bool is_evaluated_at(const struct live_group *group, int64_t t_ms)
{
    int64_t at_ns = t_ms * NS_PER_MS + group->query_offset_ns;
    return live_group_slot_after(group, at_ns - 1) < at_ns + NS_PER_MS;
}

/* Of several rules in a group the last: what an earlier one writes again, it cannot end at the same time. */
static struct rule_state *author_of(const struct family *f, const struct labels *ls, int64_t t_ms)
{
    const struct author *found = NULL;
    for (size_t i = 0; i < f->count; i++) {
        const struct author *a = &f->authors[i];
        if (!bears_labels(ls, a->state->rule) || !is_evaluated_at(a->group, t_ms))
            continue;
        if (found != NULL && found->group != a->group)
            return NULL;
        found = a;
    }
    return found != NULL ? found->state : NULL;
}

/* ---- since when alerts were active ---- */

static bool is_recalled(const void *item, const void *key)
{
    return labels_equal(((const struct recalled *)item)->labels, key);
}

static void recalled_forget(struct recalled *one)
{
    mem_free(one->labels);
    mem_free(one);
}

void recalled_free(struct rule_state *state)
{
    struct recalled *one;
    for (size_t at = 0; (one = map_next(&state->recalled, &at)) != NULL;)
        recalled_forget(one);
    map_release(&state->recalled);
    map_init(&state->recalled);
}

/* Anybody may push such a series: what is no time at all is left out. */
static bool is_time(const struct sample *s)
{
    return s->histogram == NULL && s->value >= 0 && s->value < SECONDS_MAX;
}

/* Without `for` there is nothing to go on with: it fires at once, and so must be written down at once. */
static void recall_alert(struct recall *r, struct author *a, const struct labels *ls,
                         const struct sample *newest)
{
    struct rule_state *state = a->state;
    int64_t for_ms = state->rule->for_ms;
    if (state->known || !is_time(newest) || for_ms == 0 || for_ms < r->globals->options.for_grace_ms ||
        newest->t_ms <= r->oldest_ms || !bears_labels(ls, state->rule))
        return;
    const struct labels *own = labels_drop_name(&r->arena, ls);
    if (own == NULL || map_find(&state->recalled, own->hash, is_recalled, own) != NULL)
        return;
    struct recalled *one = MEM_NEW(struct recalled);
    *one = (struct recalled){labels_copy_heap(own), newest->t_ms, (int64_t)newest->value};
    map_add(&state->recalled, own->hash, one);
    a->group->recalls_in = 2;
}

/* ---- the series of a family ---- */

static void take_series(struct recall *r, const struct family *f, series_ref ref, bool tells_since)
{
    struct sample newest;
    if (!view_last(r->view, ref, INT64_MIN, INT64_MAX, &r->arena, &newest) ||
        (newest.histogram == NULL && is_stale_nan(newest.value)))
        return;
    const struct labels *ls = view_labels(r->view, ref);
    struct rule_state *author = author_of(f, ls, newest.t_ms);
    if (author != NULL)
        note_written(author, ls);
    for (size_t i = 0; tells_since && i < f->count; i++)
        recall_alert(r, &f->authors[i], ls, &newest);
}

static int take_metric(struct recall *r, const struct family *f, struct str metric, struct str alertname,
                       bool tells_since)
{
    struct matcher matchers[2];
    size_t count = alertname.n > 0 ? 2 : 1;
    struct series_set set;
    struct err err;
    int rc = matcher_init(&matchers[0], MATCH_EQUAL, STR(LABEL_METRIC_NAME), metric, REGEX_PROMQL, &err);
    if (rc == 0 && count == 2)
        rc = matcher_init(&matchers[1], MATCH_EQUAL, STR("alertname"), alertname, REGEX_PROMQL, &err);
    if (rc == 0)
        rc = view_select(r->view, matchers, count, &r->arena, &set);
    for (size_t i = 0; rc == 0 && i < set.count; i++)
        take_series(r, f, set.refs[i], tells_since);
    return rc;
}

static int take_family(struct recall *r, const struct family *f)
{
    if (f->kind == RULE_RECORDING)
        return take_metric(r, f, f->name, (struct str){0}, false);
    int rc = take_metric(r, f, STR("ALERTS"), f->name, false);
    return rc == 0 ? take_metric(r, f, STR("ALERTS_FOR_STATE"), f->name, true) : rc;
}

void ruler_recall(struct ruler *ruler, const struct globals *globals, struct live_group **groups,
                  size_t count, int64_t now_ns)
{
    struct recall r = {.globals = globals, .view = view_open(ruler->store)};
    struct family *f;
    r.oldest_ms = now_ns / NS_PER_MS - globals->options.outage_tolerance_ms;
    arena_init(&r.arena, (size_t)limits.query_arena_bytes);
    map_init(&r.families);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < groups[i]->count; k++)
            add_author(&r, groups[i], &groups[i]->rules[k]);
    for (size_t at = 0; (f = map_next(&r.families, &at)) != NULL;) {
        if (take_family(&r, f) != 0)
            log_warn("too many series to find out which a rule wrote: they end by themselves",
                     LOG_STR("rule", f->name));
        arena_clear(&r.arena);
        mem_free(f->authors);
        mem_free(f);
    }
    map_release(&r.families);
    arena_release(&r.arena);
    view_close(r.view);
}

/* ---- using it: as Prometheus does after the second evaluation ---- */

/* How long an alert had to wait yet when it was seen last, it still has to wait; but at least the grace period, so that who
 * sends the samples has time to come back. What became active after it was seen, by a clock that was wrong, waits for all of `for`. */
static int64_t active_since(const struct rule_state *state, const struct recalled *one, int64_t now_ns,
                            int64_t grace_ns)
{
    int64_t active_ns = one->active_s * NS_PER_S, seen_ns = one->seen_ms * NS_PER_MS;
    if (active_ns > seen_ns)
        return now_ns;
    int64_t for_ns = state->rule->for_ms * NS_PER_MS;
    int64_t remaining_ns = for_ns - (seen_ns - active_ns);
    if (remaining_ns <= 0)
        return active_ns;
    if (remaining_ns < grace_ns)
        return now_ns + grace_ns - for_ns;
    return active_ns + (now_ns - seen_ns);
}

static void use_rule(struct evaluation *e, struct rule_state *state)
{
    struct world *world = e->ruler->world;
    int64_t now_ns = world->wall_ns(world), grace_ns = e->globals->options.for_grace_ms * NS_PER_MS;
    struct live_alert *a;
    lock_take(&e->group->lock);
    for (size_t at = 0; (a = map_next(&state->alerts, &at)) != NULL;) {
        const struct recalled *one = map_find(&state->recalled, a->labels->hash, is_recalled, a->labels);
        if (one != NULL && a->state != ALERT_INACTIVE)
            a->active_ns = active_since(state, one, now_ns, grace_ns);
    }
    lock_drop(&e->group->lock);
    recalled_free(state);
}

void recalled_use(struct evaluation *e)
{
    struct live_group *group = e->group;
    if (group->recalls_in == 0 || --group->recalls_in > 0)
        return;
    for (size_t i = 0; i < group->count; i++)
        if (group->rules[i].recalled.count > 0)
            use_rule(e, &group->rules[i]);
}
