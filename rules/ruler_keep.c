#include "ruler_priv.h"

#include "tocsin/log.h"
#include "tocsin/mem.h"

/* ---- which rule is which ---- */

static void add_text(struct buf *out, struct str s)
{
    buf_format(out, "%zu:", s.n);
    buf_str(out, s);
}

static uint64_t hash_of(const struct rule *rule)
{
    struct buf text;
    size_t bytes = rule->name.n + 32;
    for (size_t i = 0; i < rule->label_count; i++)
        bytes += rule->labels[i].name.n + rule->labels[i].text.n + 64;
    buf_init(&text, bytes);
    add_text(&text, rule->name);
    for (size_t i = 0; i < rule->label_count; i++) {
        add_text(&text, rule->labels[i].name);
        add_text(&text, rule->labels[i].text);
    }
    uint64_t hash = hash_stable(buf_text(&text), text.used);
    buf_release(&text);
    return hash;
}

void rules_identify(struct live_group *group)
{
    uint64_t *hashes = MEM_ARRAY(uint64_t, group->count + 1);
    for (size_t i = 0; i < group->count; i++) {
        uint64_t before = 0;
        if (group->rules[i].rule->kind != RULE_ALERTING)
            continue;
        hashes[i] = hash_of(group->rules[i].rule);
        for (size_t k = 0; k < i; k++)
            before += hashes[k] == hashes[i];
        group->rules[i].identity = hash_mix(hashes[i], before);
    }
    mem_free(hashes);
}

/* ---- what has changed ---- */

static struct alert_mark mark_of(const struct live_alert *a)
{
    return (struct alert_mark){a->state, a->active_ns, a->fired_ns, a->resolved_ns, a->keep_firing_since_ns};
}

static bool has_changed(const struct live_alert *a)
{
    const struct alert_mark *k = &a->kept;
    return !a->has_row || a->state != k->state || a->active_ns != k->active_ns ||
           a->fired_ns != k->fired_ns || a->resolved_ns != k->resolved_ns ||
           a->keep_firing_since_ns != k->keep_firing_since_ns;
}

static size_t count_changed(const struct rule_state *state)
{
    const struct live_alert *a;
    size_t count = 0;
    for (size_t at = 0; (a = map_next(&state->alerts, &at)) != NULL;)
        count += has_changed(a);
    return count;
}

/* What is recalled is not to be forgotten before it is used. */
static bool has_news(const struct rule_state *state)
{
    return state->rule->kind == RULE_ALERTING && state->recalled.count == 0 &&
           (!state->known || state->gone_count > 0 || count_changed(state) > 0);
}

struct alert_row alert_row_of(const struct live_alert *a)
{
    return (struct alert_row){
        .labels = a->labels,
        .annotations = a->annotations,
        .state = a->state,
        .value = a->value,
        .active_ns = a->active_ns,
        .fired_ns = a->fired_ns,
        .resolved_ns = a->resolved_ns,
        .last_sent_ns = a->last_sent_ns,
        .keep_firing_since_ns = a->keep_firing_since_ns,
    };
}

static void draft_rule(const struct live_group *group, const struct rule_state *state, bool forget,
                       struct alert_rule_news *news)
{
    struct alert_row *rows = MEM_ARRAY(struct alert_row, state->gone_count + count_changed(state) + 1);
    struct live_alert *a;
    *news = (struct alert_rule_news){
        .key = {group->definition->file, group->definition->name, state->identity},
        .rows = rows,
        .gone = MEM_ARRAY(const struct labels *, state->gone_count + 1),
        .forget = forget,
    };
    for (size_t i = 0; i < state->gone_count; i++) {
        if (state->gone[i]->resolved_ns != NEVER)
            rows[news->row_count++] = alert_row_of(state->gone[i]);
        else
            news->gone[news->gone_count++] = state->gone[i]->labels;
    }
    for (size_t at = 0; (a = map_next(&state->alerts, &at)) != NULL;)
        if (has_changed(a))
            rows[news->row_count++] = alert_row_of(a);
}

static void settle(struct rule_state *state, bool forget)
{
    struct live_alert *a;
    for (size_t at = 0; (a = map_next(&state->alerts, &at)) != NULL;) {
        a->kept = mark_of(a);
        a->has_row = true;
    }
    while (state->gone_count > 0)
        live_alert_free(state->gone[--state->gone_count]);
    state->known = !forget;
}

/* ---- writing it down: some rules of a group, in one go ---- */

static void complain(struct world *world, const struct live_group *group, const struct err *err)
{
    static struct log_rate rate;
    if (log_allowed(&rate, world->mono_ns(world)))
        log_error("alert states not written; a restart may lose or repeat what has changed since",
                  LOG_STR("file", group->definition->file), LOG_STR("group", group->definition->name),
                  LOG_ERR(err));
}

/* What could not be written is news the next time, too: pages go out meanwhile. */
static void write_down(const struct ruler_options *options, struct live_group *group,
                       struct rule_state **rules, size_t count, bool forget)
{
    struct alert_rule_news *news = MEM_ARRAY(struct alert_rule_news, count);
    struct err err = {0};
    for (size_t i = 0; i < count; i++)
        draft_rule(group, rules[i], forget, &news[i]);
    if (state_alerts_put(options->state, news, count, &err) != 0)
        complain(options->world, group, &err);
    else
        for (size_t i = 0; i < count; i++)
            settle(rules[i], forget);
    for (size_t i = 0; i < count; i++) {
        mem_free((void *)(uintptr_t)news[i].rows);
        mem_free(news[i].gone);
    }
    mem_free(news);
}

static void keep_alerts(const struct ruler_options *options, struct live_group *group)
{
    size_t count = 0, at = 0;
    for (size_t i = 0; i < group->count; i++)
        count += has_news(&group->rules[i]);
    if (count == 0)
        return;
    struct rule_state **rules = MEM_ARRAY(struct rule_state *, count);
    for (size_t i = 0; i < group->count; i++)
        if (has_news(&group->rules[i]))
            rules[at++] = &group->rules[i];
    write_down(options, group, rules, count, false);
    mem_free(rules);
}

static void tell_events(struct evaluation *e)
{
    const struct ruler_options *options = &e->globals->options;
    for (size_t i = 0; i < e->event_count; i++) {
        if (options->emit != NULL)
            options->emit(options->context, e->events[i]);
        else
            mem_free(e->events[i]);
    }
    mem_free(e->events);
}

void evaluation_conclude(struct evaluation *e)
{
    if (e->occasion == OCCASION_SLOT)
        recalled_use(e);
    if (e->samples > 0)
        store_log_write(e->ruler->store);
    if (e->globals->options.state != NULL)
        keep_alerts(&e->globals->options, e->group);
    tell_events(e);
}

/* ---- rules that are gone ---- */

static void leave_all(struct live_group *group, struct rule_state *state, int64_t timeout_ns)
{
    struct live_alert *a;
    lock_take(&group->lock); /* a snapshot may be reading the alerts */
    for (size_t at = 0; (a = map_next(&state->alerts, &at)) != NULL;)
        live_alert_leave(state, a, timeout_ns);
    map_clear(&state->alerts);
    lock_drop(&group->lock);
}

void rules_end(const struct globals *globals, struct live_group *group, const bool *stays)
{
    int64_t timeout_ns = alert_timeout_ns(globals, group);
    size_t count = 0;
    if (globals->options.state == NULL)
        return;
    struct rule_state **rules = MEM_ARRAY(struct rule_state *, group->count + 1);
    for (size_t i = 0; i < group->count; i++) {
        if (group->rules[i].rule->kind != RULE_ALERTING || (stays != NULL && stays[i]))
            continue;
        leave_all(group, &group->rules[i], timeout_ns);
        rules[count++] = &group->rules[i];
    }
    if (count > 0)
        write_down(&globals->options, group, rules, count, true);
    mem_free(rules);
}
