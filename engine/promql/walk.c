#include "tocsin/promql_parse.h"

struct expr *promql_child(const struct expr *e, size_t i)
{
    switch (e->kind) {
    case EXPR_NUMBER:
    case EXPR_STRING:
    case EXPR_SELECTOR:
        return NULL;
    case EXPR_PAREN:
        return i == 0 ? e->paren.inner : NULL;
    case EXPR_UNARY:
        return i == 0 ? e->unary.inner : NULL;
    case EXPR_BINARY:
        return i == 0 ? e->binary.left : i == 1 ? e->binary.right : NULL;
    case EXPR_AGGREGATE:
        return i == 0 ? e->aggregate.inner : i == 1 ? e->aggregate.param : NULL;
    case EXPR_CALL:
        return i < e->call.args.count ? e->call.args.items[i] : NULL;
    case EXPR_SUBQUERY:
        return i == 0 ? e->subquery.inner : NULL;
    }
    return NULL;
}

void promql_walk(struct expr *e, void (*visit)(void *context, struct expr *e), void *context)
{
    if (e == NULL)
        return;
    visit(context, e);
    struct expr *child;
    for (size_t i = 0; (child = promql_child(e, i)) != NULL; i++)
        promql_walk(child, visit, context);
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
