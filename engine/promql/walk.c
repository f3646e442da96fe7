#include "tocsin/promql_parse.h"

static void walk_list(struct expr_list list, void (*visit)(void *context, struct expr *e), void *context)
{
    for (size_t i = 0; i < list.count; i++)
        promql_walk(list.items[i], visit, context);
}

void promql_walk(struct expr *e, void (*visit)(void *context, struct expr *e), void *context)
{
    if (e == NULL)
        return;
    visit(context, e);
    switch (e->kind) {
    case EXPR_PAREN:
        promql_walk(e->paren.inner, visit, context);
        break;
    case EXPR_UNARY:
        promql_walk(e->unary.inner, visit, context);
        break;
    case EXPR_BINARY:
        promql_walk(e->binary.left, visit, context);
        promql_walk(e->binary.right, visit, context);
        break;
    case EXPR_AGGREGATE:
        promql_walk(e->aggregate.param, visit, context);
        promql_walk(e->aggregate.inner, visit, context);
        break;
    case EXPR_CALL:
        walk_list(e->call.args, visit, context);
        break;
    case EXPR_SUBQUERY:
        promql_walk(e->subquery.inner, visit, context);
        break;
    case EXPR_NUMBER:
    case EXPR_STRING:
    case EXPR_SELECTOR:
        break;
    }
}

static void release_matchers(void *context, struct expr *e)
{
    (void)context;
    if (e->kind != EXPR_SELECTOR)
        return;
    for (size_t i = 0; i < e->selector.matcher_count; i++)
        matcher_release(&e->selector.matchers[i]);
}

void promql_free(struct expr *e)
{
    promql_walk(e, release_matchers, NULL);
}

const char *promql_type_name(enum promql_type type)
{
    static const char *const name[] = {"none", "scalar", "string", "instant vector", "range vector"};
    return name[type];
}

const char *promql_op_text(enum promql_op op)
{
    static const char *const text[] = {"+", "-",  "*", "/",  "%",  "^",  "atan2", "==", "!=",
                                       "<", "<=", ">", ">=", "</", ">/", "and",   "or", "unless"};
    return text[op];
}

const char *promql_aggregate_name(enum promql_aggregate op)
{
    static const char *const name[] = {"sum",      "avg",          "min",    "max",        "group",
                                       "count",    "stddev",       "stdvar", "topk",       "bottomk",
                                       "quantile", "count_values", "limitk", "limit_ratio"};
    return name[op];
}
