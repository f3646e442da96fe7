#include "aggregate_priv.h"

#include <math.h>
#include <stdlib.h>

/* A member that stands for election at one step. */
struct candidate {
    struct column *column;
    size_t member; /* its index in the group */
    size_t place;  /* among the elected, before they are sorted */
    double value;
};

struct choice {
    struct aggregation *a;
    struct candidate *candidates;
    size_t candidate_count;
    struct column **chosen; /* result series, parallel to the group's members; NULL: none yet */
    struct vector *out;
};

/* The heap of an election keeps on top who leaves first. It is Prometheus', swap for swap: which of several equals
 * is taken, and in what order, follows from it. */
struct heap {
    struct candidate *at;
    size_t count;
    bool top; /* topk: the least leaves first */
};

static bool leaves_before(const struct heap *h, size_t i, size_t j)
{
    double x = h->at[i].value, y = h->at[j].value;
    return isnan(x) || (h->top ? x < y : x > y);
}

static void heap_swap(struct heap *h, size_t i, size_t j)
{
    struct candidate kept = h->at[i];
    h->at[i] = h->at[j];
    h->at[j] = kept;
}

static void heap_push(struct heap *h, struct candidate next)
{
    size_t i = h->count++;
    h->at[i] = next;
    while (i > 0 && leaves_before(h, i, (i - 1) / 2)) {
        heap_swap(h, i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
}

static void heap_replace(struct heap *h, struct candidate next)
{
    h->at[0] = next;
    for (size_t i = 0, child; (child = 2 * i + 1) < h->count; i = child) {
        if (child + 1 < h->count && leaves_before(h, child + 1, child))
            child++;
        if (!leaves_before(h, child, i))
            return;
        heap_swap(h, i, child);
    }
}

static bool beats(const struct heap *h, double value, double leaving)
{
    return (h->top ? value > leaving : value < leaving) || (isnan(leaving) && !isnan(value));
}

static int by_place(const struct candidate *a, const struct candidate *b)
{
    return (a->place > b->place) - (a->place < b->place);
}

/* NaN ranks last, and several of them in the opposite of their order, as Prometheus' sort leaves them. */
static int compare_values(const struct candidate *a, const struct candidate *b)
{
    bool x_nan = isnan(a->value), y_nan = isnan(b->value);
    if (x_nan && y_nan)
        return by_place(b, a);
    if (x_nan || y_nan)
        return x_nan - y_nan;
    return (a->value > b->value) - (a->value < b->value);
}

static int by_value_descending(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    bool nan = isnan(x->value) || isnan(y->value);
    int order = nan ? compare_values(x, y) : compare_values(y, x);
    return order != 0 ? order : by_place(x, y);
}

static int by_value_ascending(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int order = compare_values(x, y);
    return order != 0 ? order : by_place(x, y);
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
            c->candidates[c->candidate_count++] = (struct candidate){member, i, 0, member->values[step]};
    }
    return 0;
}

static void gather_all(struct choice *c, const struct group *group, size_t step)
{
    c->candidate_count = 0;
    for (size_t i = 0; i < group->member_count; i++)
        if (group->members[i]->kinds[step] != CELL_NONE)
            c->candidates[c->candidate_count++] = (struct candidate){group->members[i], i, 0, 0};
}

static int keep_candidate(struct choice *c, const struct candidate *from, size_t step)
{
    struct aggregation *a = c->a;
    struct column *member = from->column, **chosen = &c->chosen[from->member];
    struct cell cell = column_get(member, step);
    if (*chosen == NULL)
        TRY(vector_add(a->ev, c->out, a->grid, member->labels, member->drop_name, chosen));
    return column_set(a->ev, *chosen, a->grid, step, &cell);
}

/* The elected move to the front of the candidates. */
static size_t elect(struct choice *c, size_t k, bool top)
{
    struct heap heap = {.at = c->candidates, .top = top};
    for (size_t i = 0; i < c->candidate_count; i++) {
        if (heap.count < k)
            heap_push(&heap, c->candidates[i]);
        else if (beats(&heap, c->candidates[i].value, heap.at[0].value))
            heap_replace(&heap, c->candidates[i]);
    }
    for (size_t i = 0; i < heap.count; i++)
        heap.at[i].place = i;
    qsort(heap.at, heap.count, sizeof *heap.at, top ? by_value_descending : by_value_ascending);
    return heap.count;
}

static int choose_extreme(struct choice *c, const struct group *group, size_t step, size_t k)
{
    TRY(gather_floats(c, group, step));
    size_t elected = elect(c, k, c->a->expr->aggregate.op == AGG_TOPK);
    for (size_t i = 0; i < elected; i++)
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
