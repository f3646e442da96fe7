#include "promql_parse_priv.h"

static const struct context open_context = {"grouping opts", "\"(\""};
static const struct context label_context = {"grouping opts", "label"};
static const struct context comma_context = {"grouping opts", "\",\" or \")\""};
static const struct context aggregate_context = {"aggregation", NULL};

static bool is_label(struct token t)
{
    if (t.kind >= TOKEN_ON && t.kind <= TOKEN_BOOL)
        return true;
    if (t.kind == TOKEN_OP)
        return t.value == OP_ATAN2 || parse_is_metric_name(t);
    return t.kind == TOKEN_STRING || (t.kind != TOKEN_WITHOUT && parse_is_metric_name(t));
}

static bool read_label(struct parser *p, struct token t, struct str *out)
{
    *out = t.text;
    if (t.kind == TOKEN_STRING && !parse_string(p, t, out))
        return false;
    return label_name_is_valid(*out) ||
           parse_fail(p, t.start, "invalid label name for grouping: %s", parse_quote(p, *out));
}

bool parse_grouping(struct parser *p, struct name_list *out)
{
    if (parse_peek(p).kind != TOKEN_LEFT_PAREN)
        return parse_unexpected_in(p, open_context);
    parse_take(p);
    size_t capacity = 0;
    while (!parse_accept(p, TOKEN_RIGHT_PAREN)) {
        struct str name;
        if (!is_label(parse_peek(p)))
            return parse_unexpected_in(p, label_context);
        if (!read_label(p, parse_take(p), &name) || parse_node(p, 0) == NULL)
            return false;
        ARENA_GROW(p->arena, out->items, out->count, capacity);
        if (out->items == NULL)
            return parse_limit(p, "expression needs more memory than allowed");
        out->items[out->count++] = name;
        if (parse_peek(p).kind != TOKEN_RIGHT_PAREN && !parse_accept(p, TOKEN_COMMA))
            return parse_unexpected_in(p, comma_context);
    }
    return p->code == 0;
}

bool parse_starts_expr(struct token t)
{
    switch (t.kind) {
    case TOKEN_NUMBER:
    case TOKEN_DURATION:
    case TOKEN_STRING:
    case TOKEN_LEFT_PAREN:
    case TOKEN_LEFT_BRACE:
        return true;
    default:
        return parse_is_metric_name(t) || (t.kind == TOKEN_OP && (t.value == OP_ADD || t.value == OP_SUB));
    }
}

static bool parse_comma(struct parser *p)
{
    struct token comma = parse_peek(p);
    if (!parse_accept(p, TOKEN_COMMA))
        return parse_unexpected(p);
    if (!parse_starts_expr(parse_peek(p)))
        return parse_fail(p, comma.start, "trailing commas not allowed in function call args");
    return true;
}

bool parse_arguments(struct parser *p, struct expr_list *out)
{
    size_t capacity = 0;
    if (!parse_expect(p, TOKEN_LEFT_PAREN))
        return false;
    while (!parse_accept(p, TOKEN_RIGHT_PAREN)) {
        if (out->count > 0 && !parse_comma(p))
            return false;
        struct expr *argument = parse_expr(p);
        if (argument == NULL)
            return false;
        ARENA_GROW(p->arena, out->items, out->count, capacity);
        if (out->items == NULL)
            return parse_limit(p, "expression needs more memory than allowed");
        out->items[out->count++] = argument;
    }
    return p->code == 0;
}

static unsigned height_over(struct expr_list list)
{
    unsigned height = 0;
    for (size_t i = 0; i < list.count; i++)
        if (list.items[i]->height > height)
            height = list.items[i]->height;
    return height + 1;
}

struct expr *parse_call(struct parser *p, struct token name)
{
    struct expr_list args = {0};
    if (!parse_arguments(p, &args))
        return NULL;
    const struct promql_function *function = promql_function_find(name.text);
    if (function == NULL) {
        parse_fail(p, name.start, "unknown function with name %s", parse_quote(p, name.text));
        return NULL;
    }
    if (function->experimental && !p->features->experimental_functions) {
        parse_fail(p, name.start, "function %s is not enabled", parse_quote(p, name.text));
        return NULL;
    }
    struct expr *e = parse_expr_node(p, EXPR_CALL, name.start);
    if (e == NULL || !parse_height(p, height_over(args)))
        return NULL;
    e->call.function = function;
    e->call.args = args;
    e->height = height_over(args);
    return e;
}

static bool takes_param(enum promql_aggregate op)
{
    return op == AGG_TOPK || op == AGG_BOTTOMK || op == AGG_QUANTILE || op == AGG_COUNT_VALUES ||
           op == AGG_LIMITK || op == AGG_LIMIT_RATIO;
}

static bool set_aggregate_args(struct parser *p, struct expr *e, struct expr_list args)
{
    enum promql_aggregate op = e->aggregate.op;
    size_t wanted = takes_param(op) ? 2 : 1;
    if (args.count == 0)
        return parse_fail(p, e->start, "no arguments for aggregate expression provided");
    if ((op == AGG_LIMITK || op == AGG_LIMIT_RATIO) && !p->features->experimental_functions)
        return parse_fail(p, e->start,
                          "%s() is experimental and must be enabled with "
                          "--enable-feature=promql-experimental-functions",
                          promql_aggregate_name(op));
    if (args.count != wanted)
        return parse_fail(
            p, e->start, "wrong number of arguments for aggregate expression provided, expected %zu, got %zu",
            wanted, args.count);
    e->aggregate.param = wanted == 2 ? args.items[0] : NULL;
    e->aggregate.inner = args.items[wanted - 1];
    e->height = height_over(args);
    return parse_height(p, e->height);
}

static bool parse_by(struct parser *p, struct expr *e)
{
    enum token_kind kind = parse_peek(p).kind;
    if (kind != TOKEN_BY && kind != TOKEN_WITHOUT)
        return p->code == 0;
    parse_take(p);
    e->aggregate.grouped = true;
    e->aggregate.without = kind == TOKEN_WITHOUT;
    return parse_grouping(p, &e->aggregate.labels);
}

struct expr *parse_aggregate(struct parser *p, struct token op)
{
    struct expr *e = parse_expr_node(p, EXPR_AGGREGATE, op.start);
    if (e == NULL)
        return NULL;
    e->aggregate.op = (enum promql_aggregate)op.value;
    struct context outer = p->context;
    p->context = aggregate_context;
    struct expr_list args = {0};
    bool parsed = parse_by(p, e) && parse_arguments(p, &args) && (e->aggregate.grouped || parse_by(p, e));
    p->context = outer;
    e->end = p->end;
    return parsed && set_aggregate_args(p, e, args) ? e : NULL;
}
