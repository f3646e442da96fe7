#include "aggregate_priv.h"

#include "stats_priv.h"

#include <math.h>

/* ---- groups ---- */

static const struct labels *group_labels(struct evaluation *ev, const struct expr *e, const struct labels *ls)
{
    const struct name_list *names = &e->aggregate.labels;
    if (!e->aggregate.without)
        return labels_keep(ev->arena, ls, names->items, names->count);
    const struct labels *rest = labels_drop(ev->arena, ls, names->items, names->count);
    return rest != NULL ? labels_drop_name(ev->arena, rest) : NULL;
}

static int join_group(struct aggregation *a, struct group *group, struct column *member)
{
    ARENA_GROW(a->ev->arena, group->members, group->member_count, group->capacity);
    if (group->members == NULL)
        return eval_no_memory(a->ev);
    group->members[group->member_count++] = member;
    group->drop_name |= member->drop_name;
    return 0;
}

static int add_group(struct aggregation *a, const struct labels *ls)
{
    ARENA_GROW(a->ev->arena, a->groups, a->group_count, a->group_capacity);
    if (a->groups == NULL || ls == NULL)
        return eval_no_memory(a->ev);
    a->groups[a->group_count++] = (struct group){.labels = ls};
    return 0;
}

/* sum(...): nothing tells members apart. */
static int form_one_group(struct aggregation *a)
{
    if (a->input.count == 0)
        return 0;
    TRY(add_group(a, labels_empty(a->ev->arena)));
    struct group *all = &a->groups[0];
    all->members = a->input.items;
    all->member_count = all->capacity = a->input.count;
    for (size_t i = 0; i < a->input.count; i++)
        all->drop_name |= a->input.items[i]->drop_name;
    return 0;
}

static int form_groups(struct aggregation *a)
{
    if (!a->expr->aggregate.without && a->expr->aggregate.labels.count == 0)
        return form_one_group(a);
    struct evaluation *ev = a->ev;
    struct label_index index = {0};
    for (size_t i = 0; i < a->input.count; i++) {
        size_t number;
        TRY(label_index_add(ev, &index, group_labels(ev, a->expr, a->input.items[i]->labels), &number));
        if (number == a->group_count)
            TRY(add_group(a, index.items[number]));
        TRY(join_group(a, &a->groups[number], a->input.items[i]));
    }
    return 0;
}

/* ---- one value out of many ---- */

/* The members of one group at one step. */
struct values {
    double *floats;
    size_t count;
    size_t histograms;
};

static void gather(const struct group *group, size_t step, struct values *v)
{
    v->count = v->histograms = 0;
    for (size_t i = 0; i < group->member_count; i++) {
        const struct column *c = group->members[i];
        if (c->kinds[step] == CELL_FLOAT)
            v->floats[v->count++] = c->values[step];
        else if (c->kinds[step] == CELL_HISTOGRAM)
            v->histograms++;
    }
}

/* Welford's variance of the whole population. */
static double variance(const double *values, size_t count)
{
    double mean = values[0], squares = 0;
    if (isnan(mean) || isinf(mean))
        return NAN;
    for (size_t i = 1; i < count; i++) {
        double delta = values[i] - mean;
        mean += delta / (double)(i + 1);
        squares += delta * (values[i] - mean);
    }
    return squares / (double)count;
}

static double reduce(enum promql_aggregate op, double param, struct values *v)
{
    switch (op) {
    case AGG_SUM:
        return stats_sum(v->floats, v->count);
    case AGG_AVG:
        return stats_avg(v->floats, v->count);
    case AGG_MIN:
        return stats_min(v->floats, v->count);
    case AGG_MAX:
        return stats_max(v->floats, v->count);
    case AGG_STDVAR:
        return variance(v->floats, v->count);
    case AGG_STDDEV:
        return sqrt(variance(v->floats, v->count));
    case AGG_QUANTILE:
        return stats_quantile(param, v->floats, v->count);
    case AGG_COUNT:
        return (double)(v->count + v->histograms);
    default:
        return 1; /* group */
    }
}

size_t annotation_position(const struct expr *e)
{
    return e->aggregate.inner->start;
}

/* What becomes of histograms: *use tells whether the floats are to be reduced. */
static int judge_histograms(struct aggregation *a, const struct values *v, bool *use)
{
    enum promql_aggregate op = a->expr->aggregate.op;
    *use = v->count > 0;
    if (op == AGG_COUNT || op == AGG_GROUP) {
        *use = v->count + v->histograms > 0;
        return 0;
    }
    if (v->histograms == 0)
        return 0;
    if (op != AGG_SUM && op != AGG_AVG)
        return note_add(a->ev, ANNOTATION_INFO, annotation_position(a->expr),
                        "ignored histogram in %s aggregation", promql_aggregate_name(op));
    if (v->count == 0)
        return 0;
    *use = false;
    return note_add(a->ev, ANNOTATION_WARNING, annotation_position(a->expr),
                    "encountered a mix of histograms and floats for aggregation");
}

static int reduce_group(struct aggregation *a, const struct group *group, struct values *v,
                        struct vector *out)
{
    struct column *c;
    TRY(eval_poll(a->ev));
    TRY(vector_add(a->ev, out, a->grid, group->labels, group->drop_name, &c));
    for (size_t step = 0; step < a->grid->count; step++) {
        bool use;
        gather(group, step, v);
        TRY(judge_histograms(a, v, &use));
        struct cell sum = {.kind = CELL_NONE};
        if (!use && v->histograms > 0 && v->count == 0)
            TRY(aggregate_histograms(a, group, step, &sum));
        if (sum.kind != CELL_NONE)
            TRY(column_set(a->ev, c, a->grid, step, &sum));
        if (use)
            column_set_float(c, step,
                             reduce(a->expr->aggregate.op, a->params != NULL ? a->params[step] : 0, v));
    }
    return 0;
}

static int aggregate_reduce(struct aggregation *a, struct vector *out)
{
    struct values v = {.floats = ARENA_ARRAY(a->ev->arena, double, a->input.count)};
    if (v.floats == NULL)
        return eval_no_memory(a->ev);
    for (size_t i = 0; i < a->group_count; i++)
        TRY(reduce_group(a, &a->groups[i], &v, out));
    return 0;
}

/* ---- all of them ---- */

static int warn_quantile(struct aggregation *a)
{
    for (size_t step = 0; step < a->grid->count; step++) {
        double phi = a->params[step];
        if (isnan(phi) || phi < 0 || phi > 1)
            TRY(note_add(a->ev, ANNOTATION_WARNING, a->expr->aggregate.param->start,
                         "quantile value should be between 0 and 1, got %s", note_float(a->ev, phi)));
    }
    return 0;
}

static int read_param(struct aggregation *a)
{
    const struct expr *param = a->expr->aggregate.param;
    double *values;
    if (param == NULL || a->expr->aggregate.op == AGG_COUNT_VALUES)
        return 0;
    TRY(eval_scalar(a->ev, param, a->grid, &values));
    a->params = values;
    return a->expr->aggregate.op == AGG_QUANTILE ? warn_quantile(a) : 0;
}

/* What is needed of the members is their values at one step: no vector. */
static int aggregate_floats(struct aggregation *a, struct vector *out, bool *done)
{
    struct evaluation *ev = a->ev;
    const struct expr *inner = expr_unwrap(a->expr->aggregate.inner);
    struct floats floats = {0};
    struct column *c;
    int64_t before = ev->samples;
    *done = false;
    if (a->grid->count != 1 || !plan_node(ev->q, inner)->labels_unseen)
        return 0;
    TRY(eval_call_floats(ev, inner, a->grid, &floats));
    ev->samples = before;
    *done = floats.values != NULL;
    if (floats.count == 0)
        return 0;
    struct values v = {.floats = floats.values, .count = floats.count};
    TRY(vector_add(ev, out, a->grid, labels_empty(ev->arena), false, &c));
    column_set_float(c, 0, reduce(a->expr->aggregate.op, a->params != NULL ? a->params[0] : 0, &v));
    return 0;
}

int eval_aggregate(struct evaluation *ev, const struct expr *e, const struct grid *g, struct vector *out)
{
    struct aggregation a = {.ev = ev, .expr = e, .grid = g};
    bool done;
    TRY(read_param(&a));
    TRY(aggregate_floats(&a, out, &done));
    if (done)
        return 0;
    TRY(eval_vector(ev, e->aggregate.inner, g, &a.input));
    if (e->aggregate.op == AGG_COUNT_VALUES)
        return aggregate_count_values(&a, out);
    TRY(form_groups(&a));
    switch (e->aggregate.op) {
    case AGG_TOPK:
    case AGG_BOTTOMK:
    case AGG_LIMITK:
    case AGG_LIMIT_RATIO:
        return aggregate_choose(&a, out);
    default:
        return aggregate_reduce(&a, out);
    }
}
