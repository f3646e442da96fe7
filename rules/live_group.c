#include "ruler_priv.h"
#include "stage_priv.h"

#include "tocsin/limits.h"
#include "tocsin/log.h"
#include "tocsin/mem.h"

#include <inttypes.h>

int64_t live_group_slot_after(const struct live_group *group, int64_t now_ns)
{
    int64_t interval_ns = group->interval_ns;
    int64_t slot_ns = (int64_t)(group->key % (uint64_t)interval_ns);
    int64_t into_ns = (now_ns - slot_ns) % interval_ns;
    if (into_ns < 0)
        into_ns += interval_ns;
    return now_ns - into_ns + interval_ns;
}

/* Also where in its interval a group is due: Prometheus' label hash of {file, name}. */
static uint64_t group_key(const struct rule_group *definition)
{
    const struct label items[] = {{STR("file"), definition->file}, {STR("name"), definition->name}};
    return labels_hash(items, 2);
}

static int open_rules(struct ruler *ruler, struct live_group *group, struct err *err)
{
    const struct rule_group *definition = group->definition;
    group->rules = MEM_ARRAY(struct rule_state, definition->count);
    for (size_t i = 0; i < definition->count; i++) {
        struct rule_state *state = &group->rules[i];
        state->rule = &definition->rules[i];
        map_init(&state->written);
        map_init(&state->past);
        map_init(&state->alerts);
        map_init(&state->recalled);
        group->count++;
        int code = promql_open(state->rule->query, &group->promql, ruler->store, &state->query, err);
        if (code != 0) {
            err_prefix(err, "%.*s: group \"%.*s\", rule %zu, \"%.*s\": ", STR_ARG(definition->file),
                       STR_ARG(definition->name), i + 1, STR_ARG(state->rule->name));
            return code;
        }
    }
    return 0;
}

/* How long after its slot an evaluation may come. */
static int64_t lateness_ms(const struct live_group *group)
{
    int64_t wait_ms = group->policy.by_data ? group->data_wait_ns / NS_PER_MS : 0;
    return wait_ms > group->policy.catch_up_ms ? wait_ms : group->policy.catch_up_ms;
}

/* What data mean for its timetable. A query offset asks for patience, which a look would not have. */
static void prepare_for_data(struct live_group *group)
{
    if (group->policy.by_data || group->policy.catch_up_ms > 0)
        group_inputs_find(group);
    for (size_t i = 0; i < group->count; i++) {
        struct rule_state *state = &group->rules[i];
        state->looks = group->policy.by_data && group->query_offset_ns == 0 &&
                       state->rule->kind == RULE_ALERTING && state->rule->for_ms == 0 &&
                       promql_decided_by_sample(state->query);
        group->looks |= state->looks;
    }
}

struct live_group *live_group_open(struct ruler *ruler, const struct globals *globals, struct loaded_set *set,
                                   const struct rule_group *definition, struct err *err)
{
    const struct ruler_options *options = &globals->options;
    struct live_group *group = MEM_NEW(struct live_group);
    int64_t interval_ms = definition->interval_ms > 0 ? definition->interval_ms : options->interval_ms;
    group->definition = definition;
    group->set = set;
    group->interval_ns = interval_ms * NS_PER_MS;
    group->query_offset_ns =
        (definition->query_offset_given ? definition->query_offset_ms : options->query_offset_ms) * NS_PER_MS;
    group->key = group_key(definition);
    group->policy = definition->policy;
    group->data_wait_ns =
        group->policy.data_wait_ms > 0 ? group->policy.data_wait_ms * NS_PER_MS : 2 * group->interval_ns;
    group->slot_ns = group->wait.slot_ns = group->arrears_wait.slot_ns = NEVER;
    group->promql = options->promql;
    group->promql.late_ms = group->query_offset_ns / NS_PER_MS + lateness_ms(group);
    group->refs = 1;
    lock_init(&group->lock, LOCK_group);
    map_init(&group->orphans);
    if (open_rules(ruler, group, err) != 0) {
        live_group_free(group);
        return NULL;
    }
    rules_identify(group);
    prepare_for_data(group);
    group_shared_find(group);
    if (options->promql.features.concurrent_rule_eval)
        group_stages_find(group);
    set->refs++;
    return group;
}

void live_group_free(struct live_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        struct rule_state *state = &group->rules[i];
        if (state->query != NULL)
            promql_close(state->query);
        written_free(&state->written);
        written_free(&state->past);
        arrival_forget(&state->looked);
        live_alerts_free(&state->alerts);
        while (state->gone_count > 0)
            live_alert_free(state->gone[--state->gone_count]);
        mem_free(state->gone);
        recalled_free(state);
        mem_free(state->last_error);
        rule_history_free(&state->history);
    }
    mem_free(group->inputs);
    written_free(&group->orphans);
    lock_release(&group->lock);
    mem_free(group->rules);
    mem_free(group);
}

int64_t evaluation_t_ms(const struct evaluation *e)
{
    return (e->slot_ns - e->group->query_offset_ns) / NS_PER_MS;
}

static double seconds_since(struct world *world, int64_t start_ns)
{
    return (double)(world->mono_ns(world) - start_ns) / (double)NS_PER_S;
}

static void log_failure(const struct evaluation *e)
{
    static struct log_rate rate;
    struct world *world = e->ruler->world;
    if (!e->ruler->quiet && log_allowed(&rate, world->mono_ns(world)))
        log_warn("rule evaluation failed", LOG_STR("file", e->group->definition->file),
                 LOG_STR("group", e->group->definition->name), LOG_STR("rule", e->state->rule->name),
                 LOG_ERR(e->err));
}

/* *failed: it came to no result (as against: the store refused a part of it). */
static int write_results(struct evaluation *e, const struct rule_outcome *o, bool *failed)
{
    int code = o->code;
    *failed = code != 0;
    if (code == 0 && e->occasion != OCCASION_LOOK && e->state->recalled.count == 0)
        code = output_write(e, &o->outputs);
    if (code == 0 && e->over_limit > 0) {
        code = alert_limit_error(e, e->over_limit);
        *failed = true;
    }
    if (*failed)
        log_failure(e);
    return code;
}

/* The group's lock held. */
static void note_past(struct evaluation *e, const char *error, double duration_s, size_t series)
{
    const struct rule_past past = {
        .t_ms = evaluation_t_ms(e),
        .duration_s = duration_s,
        .series = (uint32_t)series,
        .results = (uint32_t)e->results,
        .error = error != NULL ? mem_copy_text(error, strlen(error)) : NULL,
        .occasion = e->occasion,
    };
    rule_history_note(&e->state->history, &past);
}

static void publish_rule(struct evaluation *e, int code, bool failed, double duration_s, int64_t began_ns)
{
    struct rule_state *state = e->state;
    struct live_group *group = e->group;
    char *error = code != 0 ? mem_copy_text(e->err->text, strlen(e->err->text)) : NULL;
    size_t series = promql_series_read(state->query, e->ruler->store);
    lock_take(&group->lock);
    note_past(e, error, duration_s, series);
    char *before = state->last_error;
    state->last_error = error;
    state->health = code == 0 ? HEALTH_OK : HEALTH_ERROR;
    state->duration_s = duration_s;
    state->last_ns = began_ns;
    group->figures.evaluations++;
    group->figures.failures += failed;
    group->figures.rules_duration_s += duration_s;
    lock_drop(&group->lock);
    mem_free(before);
}

static void count_duration(struct ruler *ruler, struct durations *d, double seconds)
{
    lock_take(&ruler->lock);
    d->recent[d->count++ % DURATIONS_KEPT] = seconds;
    d->sum += seconds;
    lock_drop(&ruler->lock);
}

void rule_compute(struct evaluation *e, struct rule_state *state, struct rule_outcome *o)
{
    struct world *world = e->ruler->world;
    int64_t start_ns = world->mono_ns(world);
    *o = (struct rule_outcome){.began_ns = world->wall_ns(world)};
    e->state = state;
    e->err = &o->err;
    e->results = e->over_limit = 0;
    o->code = state->rule->kind == RULE_ALERTING ? alert_rule(e, &o->outputs) : record_rule(e, &o->outputs);
    o->duration_s = seconds_since(world, start_ns);
}

void rule_write(struct evaluation *e, struct rule_outcome *o)
{
    struct world *world = e->ruler->world;
    int64_t start_ns = world->mono_ns(world);
    bool failed;
    int code = write_results(e, o, &failed);
    arena_clear(&e->arena);
    o->duration_s += seconds_since(world, start_ns);
    publish_rule(e, code, failed, o->duration_s, o->began_ns);
    count_duration(e->ruler, &e->ruler->rule_durations, o->duration_s);
}

void rule_evaluate(struct evaluation *e, struct rule_state *state)
{
    struct rule_outcome outcome;
    rule_compute(e, state, &outcome);
    rule_write(e, &outcome);
}

/* Rules are read once a round, so that nothing of them is near: while one is evaluated, those that follow come nearer. */
static void bring_nearer(const struct live_group *group, size_t i)
{
    for (int step = 0; step < PROMQL_STEPS_NEARER; step++) {
        size_t next = i + PROMQL_STEPS_NEARER - 1 - (size_t)step;
        if (next < group->count)
            promql_bring_nearer(group->rules[next].query, step);
    }
}

static void evaluate_rules(struct evaluation *e)
{
    struct live_group *group = e->group;
    for (size_t stage = 0; stage < group->stage_count; stage++)
        stage_evaluate(e, stage);
    for (size_t i = 0; i < group->count && group->stage_count == 0; i++) {
        bring_nearer(group, i);
        rule_evaluate(e, &group->rules[i]);
    }
}

/* A slot before the last one: the clock was put back. */
static void bring_alerts_back(struct live_group *group, int64_t slot_ns)
{
    struct live_alert *a;
    lock_take(&group->lock);
    for (size_t i = 0; i < group->count; i++)
        for (size_t at = 0; (a = map_next(&group->rules[i].alerts, &at)) != NULL;)
            live_alert_bring_back(a, slot_ns);
    lock_drop(&group->lock);
}

void live_group_evaluate(struct ruler *ruler, const struct globals *globals, struct live_group *group,
                         int64_t slot_ns)
{
    struct world *world = ruler->world;
    struct evaluation e = {.ruler = ruler, .globals = globals, .group = group, .slot_ns = slot_ns};
    int64_t start_ns = world->mono_ns(world), began_ns = world->wall_ns(world);
    arena_init(&e.arena, (size_t)limits.query_arena_bytes);
    lock_take(&group->lock);
    group->figures.rules_duration_s = 0;
    group->figures.iterations++;
    lock_drop(&group->lock);
    if (slot_ns < group->slot_ns)
        bring_alerts_back(group, slot_ns);
    evaluation_open_view(&e);
    evaluate_rules(&e);
    evaluation_close_view(&e);
    output_end_orphans(&e);
    evaluation_conclude(&e);
    arena_release(&e.arena);
    double duration_s = seconds_since(world, start_ns);
    lock_take(&group->lock);
    group->slot_ns = slot_ns;
    group->figures.duration_s = duration_s;
    group->figures.last_ns = began_ns;
    group->figures.samples = e.samples;
    lock_drop(&group->lock);
    count_duration(ruler, &ruler->group_durations, duration_s);
}
