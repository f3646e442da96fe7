#include "promql_parse_priv.h"

#include <stdio.h>

/* The order of the checks is Prometheus', since only the first failure is reported: parts first, then the whole. */

static bool check_call(struct parser *p, struct expr *e);

static bool is_comparison(enum promql_op op)
{
    return op >= OP_EQ && op <= OP_GE;
}

static bool is_set_op(enum promql_op op)
{
    return op == OP_AND || op == OP_OR || op == OP_UNLESS;
}

static bool expect_type(struct parser *p, const struct expr *e, enum promql_type wanted, const char *where)
{
    if (e->type == wanted)
        return true;
    return parse_fail(p, e->start, "expected type %s in %s, got %s", promql_type_name(wanted), where,
                      promql_type_name(e->type));
}

static bool check_unary(struct parser *p, struct expr *e)
{
    struct expr *inner = e->unary.inner;
    if (!check_expr(p, inner))
        return false;
    e->type = inner->type;
    if (e->type == PROMQL_SCALAR || e->type == PROMQL_VECTOR)
        return true;
    return parse_fail(
        p, e->start,
        "unary expression only allowed on expressions of type scalar or instant vector, got \"%s\"",
        promql_type_name(e->type));
}

static bool check_on_and_group(struct parser *p, const struct expr *e)
{
    const struct vector_matching *m = e->binary.matching;
    for (size_t i = 0; m->on && i < m->labels.count; i++)
        for (size_t k = 0; k < m->include.count; k++)
            if (str_eq(m->labels.items[i], m->include.items[k]))
                return parse_fail(p, e->binary.op_start,
                                  "label %s must not occur in ON and GROUP clause at once",
                                  parse_quote(p, m->labels.items[i]));
    return true;
}

static bool check_operator(struct parser *p, const struct expr *e)
{
    enum promql_op op = e->binary.op;
    if (e->binary.return_bool && !is_comparison(op))
        return parse_fail(p, e->binary.op_start, "bool modifier can only be used on comparison operators");
    if (is_comparison(op) && !e->binary.return_bool && e->binary.left->type == PROMQL_SCALAR &&
        e->binary.right->type == PROMQL_SCALAR)
        return parse_fail(p, e->binary.op_start, "comparisons between scalars must use BOOL modifier");
    return check_on_and_group(p, e);
}

static bool check_operand(struct parser *p, const struct expr *e)
{
    if (e->type == PROMQL_SCALAR || e->type == PROMQL_VECTOR)
        return true;
    return parse_fail(p, e->start, "binary expression must contain only scalar and instant vector types");
}

/* Matching means nothing unless both sides are vectors; then it is forgotten, if it names no labels. */
static bool check_no_matching(struct parser *p, struct expr *e)
{
    const struct vector_matching *m = e->binary.matching;
    if (m->labels.count > 0)
        return parse_fail(p, e->start, "vector matching only allowed between instant vectors");
    if (m->fill_left_given || m->fill_right_given)
        return parse_fail(p, e->start, "filling in missing series only allowed between instant vectors");
    if (is_set_op(e->binary.op))
        return parse_fail(p, e->start, "set operator \"%s\" not allowed in binary scalar expression",
                          promql_op_text(e->binary.op));
    e->binary.matching = NULL;
    return true;
}

static bool check_set_matching(struct parser *p, const struct expr *e)
{
    struct vector_matching *m = e->binary.matching;
    if (m->card == CARD_ONE_TO_MANY || m->card == CARD_MANY_TO_ONE)
        return parse_fail(p, e->start, "no grouping allowed for \"%s\" operation",
                          promql_op_text(e->binary.op));
    if (m->fill_left_given || m->fill_right_given)
        return parse_fail(p, e->start, "filling in missing series not allowed for set operators");
    m->card = CARD_MANY_TO_MANY;
    return true;
}

static bool check_binary(struct parser *p, struct expr *e)
{
    struct expr *left = e->binary.left, *right = e->binary.right;
    if (!check_expr(p, left) || !check_expr(p, right) || !check_operator(p, e) || !check_operand(p, left) ||
        !check_operand(p, right))
        return false;
    bool vectors = left->type == PROMQL_VECTOR && right->type == PROMQL_VECTOR;
    bool scalars = left->type == PROMQL_SCALAR && right->type == PROMQL_SCALAR;
    e->type = scalars ? PROMQL_SCALAR : PROMQL_VECTOR;
    if (!vectors)
        return check_no_matching(p, e);
    return !is_set_op(e->binary.op) || check_set_matching(p, e);
}

static bool check_aggregate(struct parser *p, struct expr *e)
{
    struct expr *inner = e->aggregate.inner, *param = e->aggregate.param;
    e->type = PROMQL_VECTOR;
    if (!check_expr(p, inner) || !expect_type(p, inner, PROMQL_VECTOR, "aggregation expression"))
        return false;
    if (param == NULL)
        return true;
    enum promql_type wanted = e->aggregate.op == AGG_COUNT_VALUES ? PROMQL_STRING : PROMQL_SCALAR;
    return check_expr(p, param) && expect_type(p, param, wanted, "aggregation parameter");
}

static bool check_empty_matchers(struct parser *p, const struct expr *e)
{
    for (size_t i = 0; i < e->selector.matcher_count; i++)
        if (!matcher_matches_empty(&e->selector.matchers[i]))
            return true;
    return parse_fail(p, e->start, "vector selector must contain at least one non-empty matcher");
}

static bool check_selector(struct parser *p, struct expr *e)
{
    e->type = e->selector.is_range ? PROMQL_MATRIX : PROMQL_VECTOR;
    if (e->selector.name.n == 0)
        return check_empty_matchers(p, e);
    for (size_t i = 1; i < e->selector.matcher_count; i++) {
        const struct matcher *m = &e->selector.matchers[i];
        if (str_is(m->name, LABEL_METRIC_NAME))
            return parse_fail(p, e->start, "metric name must not be set twice: %s or %s",
                              parse_quote(p, e->selector.name), parse_quote(p, m->value));
    }
    return true;
}

static bool check_subquery(struct parser *p, struct expr *e)
{
    static const char *const short_name[] = {"none", "scalar", "string", "vector", "matrix"};
    struct expr *inner = e->subquery.inner;
    e->type = PROMQL_MATRIX;
    if (!check_expr(p, inner))
        return false;
    return inner->type == PROMQL_VECTOR ||
           parse_fail(p, e->start, "subquery is only allowed on instant vector, got %s instead",
                      short_name[inner->type]);
}

bool check_expr(struct parser *p, struct expr *e)
{
    switch (e->kind) {
    case EXPR_NUMBER:
        e->type = PROMQL_SCALAR;
        return true;
    case EXPR_STRING:
        e->type = PROMQL_STRING;
        return true;
    case EXPR_PAREN:
        if (!check_expr(p, e->paren.inner))
            return false;
        e->type = e->paren.inner->type;
        return true;
    case EXPR_UNARY:
        return check_unary(p, e);
    case EXPR_BINARY:
        return check_binary(p, e);
    case EXPR_AGGREGATE:
        return check_aggregate(p, e);
    case EXPR_CALL:
        return check_call(p, e);
    case EXPR_SELECTOR:
        return check_selector(p, e);
    case EXPR_SUBQUERY:
        return check_subquery(p, e);
    }
    return false;
}

static bool check_arg_count(struct parser *p, const struct expr *e)
{
    const struct promql_function *f = e->call.function;
    int got = (int)e->call.args.count;
    int least = f->variadic < 0 ? f->arg_count - 1 : f->arg_count - f->variadic;
    const char *how = f->variadic == 0 ? "" : got < least ? "at least " : "at most ";
    int wanted = got < least ? least : f->arg_count;
    if (got >= least && (f->variadic < 0 || got <= f->arg_count))
        return true;
    return parse_fail(p, e->start, "expected %s%d argument(s) in call to \"%s\", got %d", how, wanted,
                      f->name, got);
}

/* What e is, before it is checked. */
static enum promql_type type_of(const struct expr *e)
{
    switch (e->kind) {
    case EXPR_NUMBER:
        return PROMQL_SCALAR;
    case EXPR_STRING:
        return PROMQL_STRING;
    case EXPR_PAREN:
        return type_of(e->paren.inner);
    case EXPR_UNARY:
        return type_of(e->unary.inner);
    case EXPR_BINARY:
        return type_of(e->binary.left) == PROMQL_SCALAR && type_of(e->binary.right) == PROMQL_SCALAR
                   ? PROMQL_SCALAR
                   : PROMQL_VECTOR;
    case EXPR_AGGREGATE:
        return PROMQL_VECTOR;
    case EXPR_CALL:
        return e->call.function->returns;
    case EXPR_SELECTOR:
        return e->selector.is_range ? PROMQL_MATRIX : PROMQL_VECTOR;
    case EXPR_SUBQUERY:
        return PROMQL_MATRIX;
    }
    return PROMQL_NONE;
}

/* The second argument of info() is not a vector but a set of matchers written as one; it may even be {}. */
static bool check_info_matchers(struct parser *p, const struct expr *e, struct expr *argument)
{
    argument->type = type_of(argument);
    if (argument->type != PROMQL_VECTOR)
        return parse_fail(p, e->start, "expected type instant vector in call to function \"info\", got %s",
                          promql_type_name(argument->type));
    if (argument->kind != EXPR_SELECTOR)
        return parse_fail(p, argument->start, "expected label selectors only");
    return argument->selector.name.n == 0 ||
           parse_fail(p, argument->start, "expected label selectors only, got vector selector instead");
}

static bool check_call(struct parser *p, struct expr *e)
{
    const struct promql_function *f = e->call.function;
    char where[64];
    snprintf(where, sizeof where, "call to function \"%s\"", f->name);
    e->type = f->returns;
    if (!check_arg_count(p, e))
        return false;
    if (f->id == FUNC_info && e->call.args.count == 2 && !check_info_matchers(p, e, e->call.args.items[1]))
        return false;
    for (size_t i = 0; i < e->call.args.count; i++) {
        struct expr *argument = e->call.args.items[i];
        bool is_matchers = f->id == FUNC_info && i == 1;
        enum promql_type wanted = f->args[(int)i < f->arg_count ? (int)i : f->arg_count - 1];
        if (!is_matchers && (!check_expr(p, argument) || !expect_type(p, argument, wanted, where)))
            return false;
    }
    return true;
}
