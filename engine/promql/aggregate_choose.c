#include "aggregate_priv.h"

#include <math.h>
#include <stdlib.h>

/* A member that stands for election at one step. */
struct candidate {
    struct column *column;
    size_t rank_of_origin; /* place among the members */
    double value;
};

struct choice {
    struct aggregation *a;
    struct candidate *candidates;
    size_t candidate_count;
    struct column **chosen; /* result series, parallel to the group's members; NULL: none yet */
    struct vector *out;
};

static int compare_values(double x, double y)
{
    if (isnan(x) || isnan(y))
        return (isnan(x) != 0) - (isnan(y) != 0); /* NaN ranks last */
    return (x > y) - (x < y);
}

static int compare_origin(const struct candidate *a, const struct candidate *b)
{
    return (a->rank_of_origin > b->rank_of_origin) - (a->rank_of_origin < b->rank_of_origin);
}

static int by_value_descending(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int order = isnan(x->value) || isnan(y->value) ? compare_values(x->value, y->value)
                                                   : compare_values(y->value, x->value);
    return order != 0 ? order : compare_origin(x, y);
}

static int by_value_ascending(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int order = compare_values(x->value, y->value);
    return order != 0 ? order : compare_origin(x, y);
}

static int gather_floats(struct choice *c, const struct group *group, size_t step)
{
    const struct expr *e = c->a->expr;
    c->candidate_count = 0;
    for (size_t i = 0; i < group->member_count; i++) {
        struct column *member = group->members[i];
        if (member->kinds[step] == CELL_HISTOGRAM)
            TRY(note_add(c->a->ev, ANNOTATION_INFO, e->start, "ignored histogram in %s aggregation",
                         promql_aggregate_name(e->aggregate.op)));
        if (member->kinds[step] == CELL_FLOAT)
            c->candidates[c->candidate_count++] = (struct candidate){member, i, member->values[step]};
    }
    return 0;
}

static void gather_all(struct choice *c, const struct group *group, size_t step)
{
    c->candidate_count = 0;
    for (size_t i = 0; i < group->member_count; i++)
        if (group->members[i]->kinds[step] != CELL_NONE)
            c->candidates[c->candidate_count++] = (struct candidate){group->members[i], i, 0};
}

static int keep_candidate(struct choice *c, const struct candidate *from, size_t step)
{
    struct aggregation *a = c->a;
    struct column *member = from->column, **chosen = &c->chosen[from->rank_of_origin];
    struct cell cell = column_get(member, step);
    if (*chosen == NULL)
        TRY(vector_add(a->ev, c->out, a->grid, member->labels, member->drop_name, chosen));
    return column_set(a->ev, *chosen, a->grid, step, &cell);
}

static int choose_extreme(struct choice *c, const struct group *group, size_t step, size_t k)
{
    bool top = c->a->expr->aggregate.op == AGG_TOPK;
    TRY(gather_floats(c, group, step));
    qsort(c->candidates, c->candidate_count, sizeof *c->candidates,
          top ? by_value_descending : by_value_ascending);
    for (size_t i = 0; i < c->candidate_count && i < k; i++)
        TRY(keep_candidate(c, &c->candidates[i], step));
    return 0;
}

static int choose_first(struct choice *c, const struct group *group, size_t step, size_t k)
{
    gather_all(c, group, step);
    for (size_t i = 0; i < c->candidate_count && i < k; i++)
        TRY(keep_candidate(c, &c->candidates[i], step));
    return 0;
}

/* A series is in or out by its label hash, so a ratio and its complement never overlap. */
static bool within_ratio(const struct labels *ls, double ratio)
{
    double offset = (double)ls->hash / 18446744073709551616.0;
    return ratio > 0 ? offset < ratio : ratio < 0 && offset >= 1 + ratio;
}

static int choose_ratio(struct choice *c, const struct group *group, size_t step, double ratio)
{
    gather_all(c, group, step);
    for (size_t i = 0; i < c->candidate_count; i++)
        if (within_ratio(c->candidates[i].column->labels, ratio))
            TRY(keep_candidate(c, &c->candidates[i], step));
    return 0;
}

static int choose_at(struct choice *c, const struct group *group, size_t step)
{
    enum promql_aggregate op = c->a->expr->aggregate.op;
    double param = c->a->params[step];
    if (op == AGG_LIMIT_RATIO)
        return choose_ratio(c, group, step, fmax(-1, fmin(1, param)));
    if (!(param >= 1))
        return 0;
    size_t k = param < (double)group->member_count ? (size_t)param : group->member_count;
    return op == AGG_LIMITK ? choose_first(c, group, step, k) : choose_extreme(c, group, step, k);
}

static int check_ratio(struct aggregation *a, double ratio)
{
    if (isnan(ratio))
        return eval_fail(a->ev, ERR_EXEC, "Ratio value is NaN");
    if (ratio >= -1 && ratio <= 1)
        return 0;
    return note_add(a->ev, ANNOTATION_WARNING, a->expr->aggregate.param->start,
                    "ratio value should be between -1 and 1, got %s, capping to %s", note_float(a->ev, ratio),
                    note_float(a->ev, ratio > 0 ? 1 : -1));
}

static int check_count(struct aggregation *a, double k)
{
    if (isnan(k))
        return eval_fail(a->ev, ERR_EXEC, "Parameter value is NaN");
    if (k >= 9223372036854775807.0)
        return eval_fail(a->ev, ERR_EXEC, "Scalar value %s overflows int64", note_float(a->ev, k));
    if (k <= -9223372036854775808.0)
        return eval_fail(a->ev, ERR_EXEC, "Scalar value %s underflows int64", note_float(a->ev, k));
    return 0;
}

static bool all_below_one(const struct aggregation *a)
{
    for (size_t step = 0; step < a->grid->count; step++)
        if (!(a->params[step] < 1))
            return false;
    return true;
}

/* *nothing: no step asks for a series; checked first, as Prometheus does. */
static int check_params(struct aggregation *a, bool *nothing)
{
    bool ratio = a->expr->aggregate.op == AGG_LIMIT_RATIO;
    *nothing = !ratio && all_below_one(a);
    for (size_t step = 0; step < a->grid->count && !*nothing; step++)
        TRY(ratio ? check_ratio(a, a->params[step]) : check_count(a, a->params[step]));
    return 0;
}

int aggregate_choose(struct aggregation *a, struct vector *out)
{
    struct choice c = {.a = a, .out = out};
    bool nothing;
    TRY(check_params(a, &nothing));
    if (nothing)
        return 0;
    c.candidates = ARENA_ARRAY(a->ev->arena, struct candidate, a->input.count);
    if (c.candidates == NULL)
        return eval_no_memory(a->ev);
    for (size_t i = 0; i < a->group_count; i++) {
        TRY(eval_poll(a->ev));
        c.chosen = ARENA_ARRAY(a->ev->arena, struct column *, a->groups[i].member_count);
        if (c.chosen == NULL)
            return eval_no_memory(a->ev);
        for (size_t step = 0; step < a->grid->count; step++)
            TRY(choose_at(&c, &a->groups[i], step));
    }
    return 0;
}
