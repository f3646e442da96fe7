#include "ruler_priv.h"

#include "tocsin/mem.h"

#include <stdlib.h>

static const struct rule_text *copy_texts(struct arena *arena, const struct rule_text *texts, size_t count)
{
    struct rule_text *copy = ARENA_ARRAY(arena, struct rule_text, count);
    for (size_t i = 0; i < count && copy != NULL; i++)
        copy[i] = (struct rule_text){
            .name = str_copy(arena, texts[i].name),
            .text = str_copy(arena, texts[i].text),
            .plain = str_copy(arena, texts[i].plain),
        };
    return copy;
}

static int by_labels(const void *a, const void *b)
{
    return labels_compare(((const struct ruler_alert *)a)->labels, ((const struct ruler_alert *)b)->labels);
}

static bool copy_alert(struct arena *arena, const struct live_alert *a, struct ruler_alert *out)
{
    *out = (struct ruler_alert){
        .labels = labels_copy(arena, a->labels),
        .annotations = labels_copy(arena, a->annotations),
        .state = a->state,
        .active_ns = a->active_ns,
        .keep_firing_since_ns = a->keep_firing_since_ns == NEVER ? 0 : a->keep_firing_since_ns,
        .value = a->value,
    };
    return out->labels != NULL && out->annotations != NULL;
}

static void copy_alerts(struct arena *arena, const struct map *alerts, struct ruler_rule *out)
{
    struct live_alert *a;
    out->alerts = ARENA_ARRAY(arena, struct ruler_alert, alerts->count);
    for (size_t at = 0; out->alerts != NULL && (a = map_next(alerts, &at)) != NULL;) {
        if (a->state == ALERT_INACTIVE)
            continue;
        if (!copy_alert(arena, a, &out->alerts[out->alert_count]))
            return;
        out->alert_count++;
        if (a->state > out->state)
            out->state = a->state;
    }
    if (out->alert_count > 1)
        qsort(out->alerts, out->alert_count, sizeof *out->alerts, by_labels);
}

/* Newest first. */
static void copy_past(struct arena *arena, const struct rule_history *h, struct ruler_rule *out)
{
    size_t count = h->count < RULE_PAST_MAX ? h->count : RULE_PAST_MAX;
    out->past = ARENA_ARRAY(arena, struct ruler_past, count);
    for (size_t i = 0; i < count && out->past != NULL; i++) {
        const struct rule_past *p = &h->items[(h->count - 1 - i) % RULE_PAST_MAX];
        out->past[out->past_count++] = (struct ruler_past){
            .t_ms = p->t_ms,
            .duration_s = p->duration_s,
            .series = p->series,
            .results = p->results,
            .error = p->error != NULL ? str_copy(arena, str_of(p->error)) : (struct str){0},
            .occasion = p->occasion,
        };
    }
}

/* What an evaluation changes; under the group's lock. */
static void copy_state(struct arena *arena, const struct rule_state *state, struct ruler_rule *out)
{
    out->state_unknown = state->last_ns == 0;
    out->health = state->health;
    out->last_error =
        state->last_error != NULL ? str_copy(arena, str_of(state->last_error)) : (struct str){0};
    out->duration_s = state->duration_s;
    out->last_ns = state->last_ns;
    copy_alerts(arena, &state->alerts, out);
}

/* What stays as it was loaded. */
static void copy_rule(struct ruler *ruler, struct arena *arena, const struct rule_state *state,
                      struct ruler_rule *out)
{
    const struct rule *rule = state->rule;
    *out = (struct ruler_rule){
        .kind = rule->kind,
        .name = str_copy(arena, rule->name),
        .query = str_copy(arena, rule->query),
        .for_ms = rule->for_ms,
        .keep_firing_for_ms = rule->keep_firing_for_ms,
        .labels = copy_texts(arena, rule->labels, rule->label_count),
        .label_count = rule->label_count,
        .annotations = copy_texts(arena, rule->annotations, rule->annotation_count),
        .annotation_count = rule->annotation_count,
        .series_matched = promql_series_matched(state->query, ruler->store),
    };
}

static void copy_figures(const struct live_group *group, struct ruler_group *out)
{
    out->duration_s = group->figures.duration_s;
    out->last_ns = group->figures.last_ns;
    out->iterations = group->figures.iterations;
    out->missed = group->figures.missed;
    out->looks = group->figures.looks;
    out->caught_up = group->figures.caught_up;
    out->slot_ns = group->slot_ns == NEVER ? 0 : group->slot_ns;
}

static bool copy_group(struct ruler *ruler, struct arena *arena, struct live_group *group, bool past,
                       struct ruler_group *out)
{
    *out = (struct ruler_group){
        .file = str_copy(arena, group->definition->file),
        .name = str_copy(arena, group->definition->name),
        .interval_ms = group->interval_ns / NS_PER_MS,
        .limit = group->definition->limit,
        .policy = group->policy,
        .data_wait_ms = group->policy.by_data ? group->data_wait_ns / NS_PER_MS : 0,
        .rules = ARENA_ARRAY(arena, struct ruler_rule, group->count),
        .count = group->count,
    };
    if (out->rules == NULL)
        return false;
    for (size_t i = 0; i < group->count; i++)
        copy_rule(ruler, arena, &group->rules[i], &out->rules[i]);
    lock_take(&group->lock);
    copy_figures(group, out);
    for (size_t i = 0; i < group->count; i++) {
        copy_state(arena, &group->rules[i], &out->rules[i]);
        if (past)
            copy_past(arena, &group->rules[i].history, &out->rules[i]);
    }
    lock_drop(&group->lock);
    return !arena_exhausted(arena);
}

static int by_file_and_name(const void *a, const void *b)
{
    const struct ruler_group *x = a, *y = b;
    int order = str_cmp(x->file, y->file);
    return order != 0 ? order : str_cmp(x->name, y->name);
}

static int snapshot(struct ruler *ruler, struct arena *arena, bool past, struct ruler_group **groups,
                    size_t *count)
{
    struct live_group **kept;
    size_t kept_count;
    live_groups_keep(ruler, &kept, &kept_count);
    struct ruler_group *out = ARENA_ARRAY(arena, struct ruler_group, kept_count);
    bool whole = out != NULL;
    for (size_t i = 0; i < kept_count && whole; i++)
        whole = copy_group(ruler, arena, kept[i], past, &out[i]);
    live_groups_drop(ruler, kept, kept_count);
    if (!whole)
        return ERR_LIMIT;
    qsort(out, kept_count, sizeof *out, by_file_and_name);
    *groups = out;
    *count = kept_count;
    return 0;
}

int ruler_snapshot(struct ruler *ruler, struct arena *arena, struct ruler_group **groups, size_t *count)
{
    return snapshot(ruler, arena, false, groups, count);
}

int ruler_snapshot_past(struct ruler *ruler, struct arena *arena, struct ruler_group **groups, size_t *count)
{
    return snapshot(ruler, arena, true, groups, count);
}
