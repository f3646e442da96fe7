#include "promql_parse_priv.h"

static const struct context name_context = {"label matching", "identifier or \"}\""};
static const struct context op_context = {"label matching", "label matching operator"};
static const struct context value_context = {"label matching", "string"};
static const struct context comma_context = {"label matching", "\",\" or \"}\""};

struct matcher_list {
    struct matcher *items;
    size_t count, capacity;
};

static bool keep_regex(struct parser *p, struct regex *regex)
{
    struct regex **grown = p->regexes;
    ARENA_GROW(p->arena, grown, p->regex_count, p->regex_capacity);
    if (grown == NULL) {
        regex_free(regex);
        return parse_limit(p, "expression needs more memory than allowed");
    }
    p->regexes = grown;
    p->regexes[p->regex_count++] = regex;
    return true;
}

static bool add_matcher(struct parser *p, struct matcher_list *list, enum match_op op, struct str name,
                        struct str value, size_t start)
{
    struct err why = {0};
    struct matcher m;
    if (matcher_init(&m, op, name, value, REGEX_PROMQL, &why) != 0)
        return parse_fail(p, start, "%s", why.text);
    if (m.regex != NULL && !keep_regex(p, m.regex))
        return false;
    if (parse_node(p, 0) == NULL)
        return false;
    ARENA_GROW(p->arena, list->items, list->count, list->capacity);
    if (list->items == NULL)
        return parse_limit(p, "expression needs more memory than allowed");
    list->items[list->count++] = m;
    return true;
}

static bool match_op_of(struct token t, enum match_op *op)
{
    switch (t.kind) {
    case TOKEN_ASSIGN:
        *op = MATCH_EQUAL;
        return true;
    case TOKEN_OP:
        *op = MATCH_NOT_EQUAL; /* the only operator the lexer makes inside braces */
        return true;
    case TOKEN_REGEX:
        *op = MATCH_REGEX;
        return true;
    case TOKEN_NOT_REGEX:
        *op = MATCH_NOT_REGEX;
        return true;
    default:
        return false;
    }
}

/* a="b", "a"="b", or "a" alone: the metric's name. */
static bool parse_matcher(struct parser *p, struct matcher_list *list)
{
    struct token name_token = parse_take(p);
    struct str name = name_token.text, value;
    enum match_op op;
    if (name_token.kind == TOKEN_STRING) {
        if (!parse_string(p, name_token, &name))
            return false;
        if (!match_op_of(parse_peek(p), &op))
            return add_matcher(p, list, MATCH_EQUAL, STR(LABEL_METRIC_NAME), name, name_token.start);
    }
    if (!match_op_of(parse_peek(p), &op))
        return parse_unexpected_in(p, op_context);
    parse_take(p);
    if (parse_peek(p).kind != TOKEN_STRING)
        return parse_unexpected_in(p, value_context);
    return parse_string(p, parse_take(p), &value) && add_matcher(p, list, op, name, value, name_token.start);
}

static bool parse_braces(struct parser *p, struct matcher_list *list)
{
    parse_take(p);
    while (!parse_accept(p, TOKEN_RIGHT_BRACE)) {
        enum token_kind kind = parse_peek(p).kind;
        if (kind != TOKEN_IDENTIFIER && kind != TOKEN_STRING)
            return parse_unexpected_in(p, name_context);
        if (!parse_matcher(p, list))
            return false;
        kind = parse_peek(p).kind;
        if (kind != TOKEN_RIGHT_BRACE && !parse_accept(p, TOKEN_COMMA))
            return parse_unexpected_in(p, comma_context);
    }
    return p->code == 0;
}

struct expr *parse_selector(struct parser *p, struct str name, size_t start)
{
    struct matcher_list list = {0};
    if (name.n > 0 && !add_matcher(p, &list, MATCH_EQUAL, STR(LABEL_METRIC_NAME), name, start))
        return NULL;
    if (parse_peek(p).kind == TOKEN_LEFT_BRACE && !parse_braces(p, &list))
        return NULL;
    struct expr *e = parse_expr_node(p, EXPR_SELECTOR, start);
    if (e == NULL)
        return NULL;
    e->selector.name = name;
    e->selector.matchers = list.items;
    e->selector.matcher_count = list.count;
    return e;
}

bool parse_is_metric_name(struct token t)
{
    switch (t.kind) {
    case TOKEN_OP:
        return t.value == OP_AND || t.value == OP_OR || t.value == OP_UNLESS;
    case TOKEN_IDENTIFIER:
    case TOKEN_METRIC:
    case TOKEN_AGGREGATE:
    case TOKEN_OFFSET:
    case TOKEN_ANCHORED:
    case TOKEN_SMOOTHED:
    case TOKEN_BY:
    case TOKEN_WITHOUT:
    case TOKEN_FILL:
    case TOKEN_FILL_LEFT:
    case TOKEN_FILL_RIGHT:
    case TOKEN_START:
    case TOKEN_FINISH:
    case TOKEN_STEP:
    case TOKEN_RANGE:
    case TOKEN_MIN_OF:
    case TOKEN_MAX_OF:
        return true;
    default:
        return false;
    }
}
