#include "lint_priv.h"

#include "tocsin/promql.h"
#include "tocsin/promql_func.h"

#include <math.h>

/* Which values the elements of a result can have; NaN apart, which no comparison but != lets through. */
struct span {
    double low, high;
    bool over, under; /* low, high themselves are not among them */
    bool known;       /* anything is known at all */
    bool existence;   /* such as count(x): to compare it is a way of asking whether x is there */
};

enum { CHAIN_MAX = 16 };

static struct span any(void)
{
    return (struct span){.low = -INFINITY, .high = INFINITY};
}

static struct span between(double low, double high)
{
    return (struct span){.low = low, .high = high, .known = true};
}

static struct span at_least(double low, bool existence)
{
    return (struct span){.low = low, .high = INFINITY, .known = true, .existence = existence};
}

static bool is_empty(struct span s)
{
    return s.low > s.high || (s.low == s.high && (s.over || s.under));
}

static bool is_point(struct span s)
{
    return s.known && s.low == s.high && !is_empty(s);
}

static void cap(struct span *s, double high, bool under)
{
    if (high < s->high || (high == s->high && under))
        s->under = under, s->high = high;
}

static void floor_at(struct span *s, double low, bool over)
{
    if (low > s->low || (low == s->low && over))
        s->over = over, s->low = low;
}

/* The values of a that are `op` some value of b. */
static struct span narrow(struct span a, enum promql_op op, struct span b)
{
    bool strict = op == OP_LT || op == OP_GT;
    a.known = a.known || b.known;
    if (op == OP_NE) {
        if (is_point(a) && is_point(b) && a.low == b.low)
            a.over = true;
        return a;
    }
    if (op != OP_GT && op != OP_GE)
        cap(&a, b.high, b.under || strict);
    if (op != OP_LT && op != OP_LE)
        floor_at(&a, b.low, b.over || strict);
    a.existence = false;
    return a;
}

static enum promql_op turned(enum promql_op op)
{
    switch (op) {
    case OP_LT:
        return OP_GT;
    case OP_LE:
        return OP_GE;
    case OP_GT:
        return OP_LT;
    case OP_GE:
        return OP_LE;
    default:
        return op;
    }
}

static enum promql_op opposite(enum promql_op op)
{
    static const enum promql_op others[] = {OP_NE, OP_EQ, OP_GE, OP_GT, OP_LE, OP_LT};
    return others[op - OP_EQ];
}

static struct span span_of(const struct expr *e);

/* ---- arithmetic ---- */

static struct span negated(struct span s)
{
    return (struct span){-s.high, -s.low, s.under, s.over, s.known, false};
}

/* Only with a number on the right, and signs that keep the order. */
static struct span arithmetic(enum promql_op op, struct span a, struct span b)
{
    bool both = is_point(a) && is_point(b);
    bool moves = op == OP_ADD || op == OP_SUB, scales = (op == OP_MUL || op == OP_DIV) && b.low > 0;
    if (!a.known || !is_point(b) || isinf(b.low) || !(both || moves || scales))
        return any();
    struct span s = a;
    s.low = promql_arithmetic(op, a.low, b.low);
    s.high = promql_arithmetic(op, a.high, b.low);
    s.existence = false;
    return isnan(s.low) || isnan(s.high) ? any() : s;
}

/* ---- functions ---- */

static struct span span_call(const struct expr *e)
{
    switch (e->call.function->id) { /* flat: */
    case FUNC_absent:
    case FUNC_absent_over_time:
    case FUNC_present_over_time:
        return (struct span){.low = 1, .high = 1, .known = true, .existence = true};
    case FUNC_count_over_time:
        return at_least(1, true);
    case FUNC_abs:
    case FUNC_sqrt:
    case FUNC_exp:
    case FUNC_rate:
    case FUNC_irate:
    case FUNC_increase:
    case FUNC_changes:
    case FUNC_resets:
    case FUNC_stddev_over_time:
    case FUNC_stdvar_over_time:
    case FUNC_histogram_count:
        return at_least(0, false);
    case FUNC_sgn:
        return between(-1, 1);
    case FUNC_histogram_fraction:
        return between(0, 1);
    case FUNC_minute:
        return between(0, 59);
    case FUNC_hour:
        return between(0, 23);
    case FUNC_day_of_week:
        return between(0, 6);
    case FUNC_day_of_month:
        return between(1, 31);
    case FUNC_days_in_month:
        return between(28, 31);
    case FUNC_day_of_year:
        return between(1, 366);
    case FUNC_month:
        return between(1, 12);
    case FUNC_vector:
    case FUNC_sort:
    case FUNC_sort_desc:
    case FUNC_label_replace:
    case FUNC_label_join:
        return span_of(e->call.args.items[0]);
    default:
        return any();
    }
}

static struct span span_aggregate(const struct expr *e)
{
    struct span inner = span_of(e->aggregate.inner);
    switch (e->aggregate.op) {
    case AGG_COUNT:
    case AGG_COUNT_VALUES:
        return at_least(1, true);
    case AGG_GROUP:
        return (struct span){.low = 1, .high = 1, .known = true, .existence = true};
    case AGG_STDDEV:
    case AGG_STDVAR:
        return at_least(0, false);
    case AGG_SUM:
        return inner.known && inner.low >= 0 ? at_least(inner.low, inner.existence) : any();
    case AGG_QUANTILE:
        return any();
    default:
        return inner;
    }
}

/* ---- comparisons ---- */

static bool one_side_is_scalar(const struct expr *e)
{
    return (e->binary.left->type == PROMQL_SCALAR) != (e->binary.right->type == PROMQL_SCALAR);
}

/* What a filter lets through: of the vector's side, or the left one. */
static struct span span_filter(const struct expr *e)
{
    struct span left = span_of(e->binary.left), right = span_of(e->binary.right);
    if (e->binary.left->type == PROMQL_SCALAR && e->binary.right->type != PROMQL_SCALAR)
        return narrow(right, turned(e->binary.op), left);
    return narrow(left, e->binary.op, right);
}

static struct span span_binary(const struct expr *e)
{
    if (lint_is_comparison(e->binary.op))
        return e->binary.return_bool ? between(0, 1) : span_filter(e);
    if (e->binary.op == OP_AND || e->binary.op == OP_UNLESS)
        return span_of(e->binary.left);
    return e->binary.op < OP_EQ ? arithmetic(e->binary.op, span_of(e->binary.left), span_of(e->binary.right))
                                : any();
}

/* An impossible part is told once, where it stands; above it nothing is known. */
static struct span span_of(const struct expr *e)
{
    struct span s = any();
    switch (e->kind) {
    case EXPR_NUMBER:
        s = isnan(e->number.value) ? any() : between(e->number.value, e->number.value);
        break;
    case EXPR_PAREN:
        return span_of(e->paren.inner);
    case EXPR_UNARY:
        s = span_of(e->unary.inner);
        s = e->unary.negate ? negated(s) : s;
        break;
    case EXPR_BINARY:
        s = span_binary(e);
        break;
    case EXPR_AGGREGATE:
        s = span_aggregate(e);
        break;
    case EXPR_CALL:
        s = span_call(e);
        break;
    default:
        break;
    }
    return is_empty(s) ? any() : s;
}

static void check_comparison(struct lint_run *run, const struct expr *e)
{
    struct span left = span_of(e->binary.left), right = span_of(e->binary.right);
    if (!left.known || !right.known)
        return;
    if (is_empty(narrow(left, e->binary.op, right)))
        lint_note(run, LINT_NEVER_TRUE, "%s is never true%s", lint_text(run, e),
                  left.existence || right.existence ? ": where nothing is counted there is no result" : "");
    else if (!left.existence && !right.existence && is_empty(narrow(left, opposite(e->binary.op), right)))
        lint_note(run, LINT_ALWAYS_TRUE, "%s is always true", lint_text(run, e));
}

/* ---- and, unless ---- */

/* Elements of both sides meet exactly if all their labels are equal. */
static bool matches_whole(const struct expr *e)
{
    const struct vector_matching *m = e->binary.matching;
    return m != NULL && !m->on && m->labels.count == 0;
}

/* x of `x > 5`: what a condition compares. */
static const struct expr *subject_of(const struct expr *e)
{
    for (e = lint_bare(e); e->kind == EXPR_BINARY && lint_is_comparison(e->binary.op) &&
                           !e->binary.return_bool && one_side_is_scalar(e);
         e = lint_bare(e))
        e = e->binary.left->type == PROMQL_SCALAR ? e->binary.right : e->binary.left;
    return e;
}

static bool same_text(struct lint_run *run, const struct expr *a, const struct expr *b)
{
    return a->kind == b->kind && strcmp(lint_text(run, a), lint_text(run, b)) == 0;
}

static bool excludes(struct lint_run *run, const struct expr *a, const struct expr *b)
{
    struct span x = span_of(a), y = span_of(b);
    return x.known && y.known && is_empty(narrow(x, OP_EQ, y)) &&
           same_text(run, subject_of(a), subject_of(b));
}

static void check_and(struct lint_run *run, const struct expr *e)
{
    const struct expr *last = e->binary.right, *at = e;
    for (int i = 0; i < CHAIN_MAX && at->kind == EXPR_BINARY && at->binary.op == OP_AND && matches_whole(at);
         i++) {
        at = lint_bare(at->binary.left);
        bool chained = at->kind == EXPR_BINARY && at->binary.op == OP_AND;
        const struct expr *other = chained ? at->binary.right : at;
        if (excludes(run, other, last))
            lint_note(run, LINT_NEVER_TRUE, "%s and %s is never true", lint_text(run, other),
                      lint_text(run, last));
    }
}

static void check_unless(struct lint_run *run, const struct expr *e)
{
    if (same_text(run, lint_bare(e->binary.left), lint_bare(e->binary.right)))
        lint_note(run, LINT_NEVER_TRUE, "%s is never true: unless takes all of it away", lint_text(run, e));
}

/* ---- bool where a filter was meant ---- */

static bool is_bool_comparison(const struct expr *e)
{
    return e->kind == EXPR_BINARY && e->binary.return_bool;
}

static void check_absent(struct lint_run *run, const struct expr *e)
{
    enum promql_func_id id = e->call.function->id;
    if (id != FUNC_absent && id != FUNC_absent_over_time)
        return;
    const struct expr *arg = lint_bare(e->call.args.items[0]);
    if (arg->kind == EXPR_SUBQUERY)
        arg = lint_bare(arg->subquery.inner);
    if (is_bool_comparison(arg))
        lint_note(run, LINT_ABSENT_OF_BOOL,
                  "%s: with bool every series stays, so only its being there is asked", lint_text(run, e));
}

struct condition {
    bool has_bool, filters;
};

static void note_condition(void *context, struct expr *e)
{
    struct condition *c = context;
    if (is_bool_comparison(e))
        c->has_bool = true;
    else if (e->kind == EXPR_BINARY && e->binary.op >= OP_EQ && e->binary.op != OP_OR &&
             e->binary.op != OP_TRIM_LOWER && e->binary.op != OP_TRIM_UPPER)
        c->filters = true;
    else if (e->kind == EXPR_CALL &&
             (e->call.function->id == FUNC_absent || e->call.function->id == FUNC_absent_over_time))
        c->filters = true;
}

/* 0 is a result like any other: an alert whose only comparisons are bool fires for whatever there is. */
static void check_alert(struct lint_run *run)
{
    struct condition c = {0};
    if (run->at.rule->kind != RULE_ALERTING || run->at.expr->type != PROMQL_VECTOR)
        return;
    promql_walk(run->at.expr, note_condition, &c);
    if (c.has_bool && !c.filters)
        lint_note(run, LINT_ALWAYS_TRUE, "%s: with bool the result is 0 or 1, and the alert fires for both",
                  lint_text(run, run->at.expr));
}

static void check_node(void *context, struct expr *e)
{
    struct lint_run *run = context;
    if (e->kind == EXPR_CALL)
        check_absent(run, e);
    if (e->kind != EXPR_BINARY)
        return;
    if (lint_is_comparison(e->binary.op))
        check_comparison(run, e);
    else if (e->binary.op == OP_AND)
        check_and(run, e);
    else if (e->binary.op == OP_UNLESS && matches_whole(e))
        check_unless(run, e);
}

void lint_values(struct lint_run *run)
{
    check_alert(run);
    promql_walk(run->at.expr, check_node, run);
}
