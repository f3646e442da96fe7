#include "ruler_priv.h"

static int memory_error(struct err *err)
{
    return err_set(err, ERR_LIMIT, "the results take more memory than query_arena_bytes allows");
}

static int scalar_as_vector(struct evaluation *e, struct promql_result *result)
{
    struct promql_series *series = ARENA_NEW(&e->arena, struct promql_series);
    struct promql_point *point = ARENA_NEW(&e->arena, struct promql_point);
    struct labels *none = labels_empty(&e->arena);
    if (series == NULL || point == NULL || none == NULL)
        return memory_error(e->err);
    *point = (struct promql_point){.t_ms = result->t_ms, .value = result->scalar};
    *series = (struct promql_series){.labels = none, .points = point, .count = 1};
    result->type = PROMQL_VECTOR;
    result->series = series;
    result->count = 1;
    return 0;
}

int rule_query(struct evaluation *e, struct promql_result *out)
{
    int code = promql_instant_shared(e->state->query, e->view, evaluation_t_ms(e), e->shared, &e->arena, out,
                                     e->err);
    if (code != 0)
        return code;
    if (out->type == PROMQL_SCALAR) {
        e->results = 1;
        return scalar_as_vector(e, out);
    }
    if (out->type != PROMQL_VECTOR)
        return err_set(e->err, ERR_EXEC, "rule result is not a vector or scalar");
    e->results = out->count;
    return 0;
}

static bool is_label_set(const void *item, const void *key)
{
    return labels_equal(item, key);
}

bool labels_claim(struct map *claimed, const struct labels *ls)
{
    if (map_find(claimed, ls->hash, is_label_set, ls) != NULL)
        return false;
    map_add(claimed, ls->hash, (void *)(uintptr_t)ls);
    return true;
}

/* The rule's labels and its name, as they are laid over each result. */
static struct labels *recorded_labels(struct arena *arena, const struct rule *rule)
{
    struct label *items = ARENA_ARRAY(arena, struct label, rule->label_count + 1);
    if (items == NULL)
        return NULL;
    for (size_t i = 0; i < rule->label_count; i++)
        items[i] = (struct label){rule->labels[i].name, rule->labels[i].text};
    items[rule->label_count] = (struct label){STR(LABEL_METRIC_NAME), rule->name};
    return labels_make(arena, items, rule->label_count + 1);
}

/* A rule label without value takes the label away. */
static const struct labels *without_emptied(struct arena *arena, const struct rule *rule,
                                            const struct labels *ls)
{
    for (size_t i = 0; i < rule->label_count && ls != NULL; i++)
        if (rule->labels[i].text.n == 0)
            ls = labels_with(arena, ls, rule->labels[i].name, (struct str){0});
    return ls;
}

static int lay_labels(struct evaluation *e, const struct promql_result *result, struct map *claimed,
                      struct outputs *out)
{
    const struct rule *rule = e->state->rule;
    const struct labels *over = recorded_labels(&e->arena, rule);
    out->items = ARENA_ARRAY(&e->arena, struct output, result->count);
    if (over == NULL || out->items == NULL)
        return memory_error(e->err);
    for (size_t i = 0; i < result->count; i++) {
        const struct promql_point *point = &result->series[i].points[0];
        const struct labels *ls = labels_merge(&e->arena, result->series[i].labels, over);
        ls = without_emptied(&e->arena, rule, ls);
        if (ls == NULL)
            return memory_error(e->err);
        if (!labels_claim(claimed, ls))
            return err_set(e->err, ERR_EXEC,
                           "vector contains metrics with the same labelset after applying rule labels");
        out->items[out->count++] = (struct output){ls, point->value, point->histogram};
    }
    return 0;
}

int record_rule(struct evaluation *e, struct outputs *out)
{
    struct promql_result result;
    struct map claimed;
    int64_t limit = e->group->definition->limit;
    int code = rule_query(e, &result);
    if (code != 0)
        return code;
    map_init(&claimed);
    code = lay_labels(e, &result, &claimed, out);
    map_release(&claimed);
    if (code == 0 && limit > 0 && out->count > (size_t)limit)
        code = err_set(e->err, ERR_LIMIT, "exceeded limit of %lld with %zu series", (long long)limit,
                       out->count);
    return code;
}
