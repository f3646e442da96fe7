#include "ruler_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"

static int memory_error(struct err *err)
{
    return err_set(err, ERR_LIMIT, "the alerts take more memory than query_arena_bytes allows");
}

/* Texts expanded into label pairs; `room` more are left free at the end. */
static struct label *expand_texts(struct evaluation *e, const struct rule_text *texts, size_t count,
                                  size_t room, struct rule_expansion *with)
{
    struct label *items = ARENA_ARRAY(&e->arena, struct label, count + room);
    for (size_t i = 0; i < count && items != NULL; i++) {
        items[i].name = texts[i].name;
        items[i].value = rule_text_expand(&texts[i], e->state->rule->template_name, with, &e->arena);
    }
    return items;
}

/* The result's labels without the name, then the rule's, then alertname. What expands to nothing takes away. */
static const struct labels *alert_labels(struct evaluation *e, const struct labels *result,
                                         struct rule_expansion *with)
{
    const struct rule *rule = e->state->rule;
    struct label *own = expand_texts(e, rule->labels, rule->label_count, 1, with);
    const struct labels *ls = labels_drop_name(&e->arena, result);
    for (size_t i = 0; i < rule->label_count && own != NULL && ls != NULL; i++)
        if (own[i].value.n == 0)
            ls = labels_with(&e->arena, ls, own[i].name, (struct str){0});
    if (own == NULL || ls == NULL)
        return NULL;
    own[rule->label_count] = (struct label){STR("alertname"), rule->name};
    const struct labels *over = labels_make(&e->arena, own, rule->label_count + 1);
    return over != NULL ? labels_merge(&e->arena, ls, over) : NULL;
}

static const struct labels *alert_annotations(struct evaluation *e, struct rule_expansion *with)
{
    const struct rule *rule = e->state->rule;
    struct label *own = expand_texts(e, rule->annotations, rule->annotation_count, 0, with);
    return own != NULL ? labels_make_texts(&e->arena, own, rule->annotation_count) : NULL;
}

static int find_alerts(struct evaluation *e, const struct promql_result *result, struct map *claimed,
                       struct finding *findings)
{
    struct rule_expansion with = {
        .promql = &e->globals->options.promql,
        .view = e->view,
        .t_ms = e->slot_ns / NS_PER_MS,
        .external_labels = e->globals->external_labels,
        .external_url = e->globals->options.external_url,
    };
    for (size_t i = 0; i < result->count; i++) {
        const struct promql_series *series = &result->series[i];
        const struct promql_point *point = &series->points[0];
        rule_expansion_sample(&with, &e->arena, series->labels, point->value, point->histogram);
        struct finding *f = &findings[i];
        f->labels = alert_labels(e, series->labels, &with);
        f->annotations = alert_annotations(e, &with);
        f->value = point->histogram == NULL ? point->value : 0;
        if (f->labels == NULL || f->annotations == NULL || arena_exhausted(&e->arena))
            return memory_error(e->err);
        if (!labels_claim(claimed, f->labels))
            return err_set(e->err, ERR_EXEC,
                           "vector contains metrics with the same labelset after applying alert labels");
    }
    return 0;
}

/* The rule's labels as written, which ALERTS and ALERTS_FOR_STATE begin with: a label whose template expands to
 * nothing shows its template there, as it does in Prometheus. */
static const struct labels *written_labels(struct arena *arena, const struct rule *rule)
{
    struct label *items = ARENA_ARRAY(arena, struct label, rule->label_count);
    for (size_t i = 0; i < rule->label_count && items != NULL; i++)
        items[i] = (struct label){rule->labels[i].name, rule->labels[i].text};
    return items != NULL ? labels_make(arena, items, rule->label_count) : NULL;
}

static const struct labels *series_labels(struct arena *arena, const struct labels *base,
                                          const struct labels *alert, const char *name, const char *state)
{
    struct labels *own = state != NULL ? labels_of(arena, LABEL_METRIC_NAME, name, "alertstate", state, NULL)
                                       : labels_of(arena, LABEL_METRIC_NAME, name, NULL);
    struct labels *under = labels_merge(arena, base, alert);
    return own != NULL && under != NULL ? labels_merge(arena, under, own) : NULL;
}

static int add_alert_series(struct evaluation *e, const struct labels *base, const struct live_alert *a,
                            struct outputs *out)
{
    const struct labels *state =
        series_labels(&e->arena, base, a->labels, "ALERTS", alert_state_text(a->state));
    const struct labels *since = series_labels(&e->arena, base, a->labels, "ALERTS_FOR_STATE", NULL);
    if (state == NULL || since == NULL)
        return memory_error(e->err);
    out->items[out->count++] = (struct output){.labels = state, .value = 1};
    out->items[out->count++] = (struct output){.labels = since, .value = (double)(a->active_ns / NS_PER_S)};
    return 0;
}

static int make_series(struct evaluation *e, struct outputs *out)
{
    const struct labels *base = written_labels(&e->arena, e->state->rule);
    struct live_alert *a;
    int code = 0;
    out->items = ARENA_ARRAY(&e->arena, struct output, 2 * e->state->alerts.count);
    if (base == NULL || out->items == NULL)
        return memory_error(e->err);
    for (size_t at = 0; code == 0 && (a = map_next(&e->state->alerts, &at)) != NULL;)
        if (a->state != ALERT_INACTIVE && a->active_ns <= e->slot_ns)
            code = add_alert_series(e, base, a, out);
    return code;
}

struct str alert_url(const struct globals *globals, struct str query, struct arena *arena)
{
    struct buf text;
    buf_init(&text, (size_t)limits.template_output_bytes);
    graph_link(&text, globals->options.external_url, query, 1);
    struct str url = str_copy(arena, buf_slice(&text));
    buf_release(&text);
    return url;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t alert_timeout_ns(const struct globals *globals, const struct live_group *group)
{
    int64_t timeout_ns = 4 * larger(group->interval_ns, globals->options.resend_delay_ms * NS_PER_MS);
    if (group->policy.by_data) /* the next evaluation may come that much later */
        timeout_ns += group->data_wait_ns;
    return timeout_ns;
}

struct alert_event *alert_news(const struct globals *globals, struct str url, const struct live_alert *a,
                               int64_t ends_ns)
{
    struct world *world = globals->options.world;
    const struct alert_event event = {
        .labels = a->labels,
        .annotations = a->annotations,
        .generator_url = url,
        .starts_ns = a->fired_ns,
        .ends_ns = ends_ns,
        .updated_ns = world->wall_ns(world),
        .of_rule = true,
    };
    return alert_event_copy(&event);
}

/* It is told when it is written down. */
static void send_alert(struct evaluation *e, const struct live_alert *a, struct str url)
{
    int64_t ends_ns =
        a->resolved_ns != NEVER ? a->resolved_ns : e->slot_ns + alert_timeout_ns(e->globals, e->group);
    MEM_GROW(e->events, e->event_count, e->event_capacity);
    e->events[e->event_count++] = alert_news(e->globals, url, a, ends_ns);
}

/* A look tells what it began alone: it may be ahead of the next slot, and what ends there would count as told already. */
static bool is_due(const struct evaluation *e, const struct live_alert *a)
{
    if (e->occasion == OCCASION_LOOK && a->round != e->state->alert_round)
        return false;
    return live_alert_needs_sending(a, e->slot_ns, e->globals->options.resend_delay_ms * NS_PER_MS);
}

/* Notes which alerts are due, under the lock; telling them happens without it. */
static size_t take_due(struct evaluation *e, struct live_alert **due)
{
    struct live_alert *a;
    size_t count = 0;
    lock_take(&e->group->lock);
    for (size_t at = 0; (a = map_next(&e->state->alerts, &at)) != NULL;) {
        if (!is_due(e, a))
            continue;
        a->last_sent_ns = e->slot_ns;
        due[count++] = a;
    }
    lock_drop(&e->group->lock);
    return count;
}

/* Only this thread changes them. */
static bool any_due(const struct evaluation *e)
{
    const struct live_alert *a;
    for (size_t at = 0; (a = map_next(&e->state->alerts, &at)) != NULL;)
        if (is_due(e, a))
            return true;
    return false;
}

static int send_due(struct evaluation *e)
{
    if (!any_due(e))
        return 0;
    struct live_alert **due = ARENA_ARRAY(&e->arena, struct live_alert *, e->state->alerts.count);
    struct str url = alert_url(e->globals, e->state->rule->query, &e->arena);
    if (due == NULL || url.p == NULL)
        return memory_error(e->err);
    size_t count = take_due(e, due);
    for (size_t i = 0; i < count && e->globals->options.emit != NULL; i++)
        send_alert(e, due[i], url);
    return 0;
}

int alert_rule(struct evaluation *e, struct outputs *out)
{
    struct promql_result result;
    struct map claimed;
    int code = rule_query(e, &result);
    if (code != 0)
        return code;
    struct finding *findings = ARENA_ARRAY(&e->arena, struct finding, result.count);
    if (findings == NULL)
        return memory_error(e->err);
    map_init(&claimed);
    code = find_alerts(e, &result, &claimed, findings);
    map_release(&claimed);
    if (code == 0)
        code = live_alerts_step(e, findings, result.count);
    if (code == 0)
        code = send_due(e);
    return code != 0 || e->occasion == OCCASION_LOOK ? code : make_series(e, out);
}
