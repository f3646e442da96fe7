#include "promql_parse_priv.h"

static const struct context name_context = {"label set", "identifier or \"}\""};
static const struct context equal_context = {"label set", "\"=\""};
static const struct context value_context = {"label set", "string"};
static const struct context comma_context = {"label set", "\",\" or \"}\""};

struct pair_list {
    struct label *items;
    size_t count, capacity;
};

static bool add_pair(struct parser *p, struct pair_list *list, struct str name, struct str value)
{
    if (parse_node(p, 0) == NULL)
        return false;
    ARENA_GROW(p->arena, list->items, list->count, list->capacity);
    if (list->items == NULL)
        return parse_limit(p, "expression needs more memory than allowed");
    list->items[list->count++] = (struct label){name, value};
    return true;
}

/* a="b", "a"="b", or "a" alone: the metric's name. */
static bool parse_pair(struct parser *p, struct pair_list *list)
{
    struct token name_token = parse_take(p);
    struct str name = name_token.text, value;
    if (name_token.kind == TOKEN_STRING) {
        if (!parse_string(p, name_token, &name))
            return false;
        if (parse_peek(p).kind != TOKEN_ASSIGN)
            return add_pair(p, list, STR(LABEL_METRIC_NAME), name);
    }
    if (!parse_accept(p, TOKEN_ASSIGN))
        return parse_unexpected_in(p, equal_context);
    if (parse_peek(p).kind != TOKEN_STRING)
        return parse_unexpected_in(p, value_context);
    return parse_string(p, parse_take(p), &value) && add_pair(p, list, name, value);
}

static bool parse_pairs(struct parser *p, struct pair_list *list)
{
    parse_take(p);
    while (!parse_accept(p, TOKEN_RIGHT_BRACE)) {
        enum token_kind kind = parse_peek(p).kind;
        if (kind != TOKEN_IDENTIFIER && kind != TOKEN_STRING)
            return parse_unexpected_in(p, name_context);
        if (!parse_pair(p, list))
            return false;
        kind = parse_peek(p).kind;
        if (kind != TOKEN_RIGHT_BRACE && !parse_accept(p, TOKEN_COMMA))
            return parse_unexpected_in(p, comma_context);
    }
    return p->code == 0;
}

/* What follows a metric need not be PromQL, so it is looked at, never lexed. {{ opens a histogram. */
static bool braces_follow(const struct parser *p)
{
    struct lexer l = p->lexer;
    lex_skip_space(&l);
    return lex_peek(&l, 0) == '{' && lex_peek(&l, 1) != '{';
}

static bool parse_name_and_pairs(struct parser *p, struct pair_list *list)
{
    struct str name = {0};
    struct token first = parse_peek(p);
    if (first.kind == TOKEN_END)
        return true;
    if (parse_is_metric_name(first))
        name = parse_take(p).text;
    else if (first.kind != TOKEN_LEFT_BRACE)
        return parse_unexpected(p);
    if ((name.n == 0 || braces_follow(p)) &&
        (parse_peek(p).kind != TOKEN_LEFT_BRACE || !parse_pairs(p, list)))
        return p->code == 0;
    return name.n == 0 || add_pair(p, list, STR(LABEL_METRIC_NAME), name);
}

int promql_parse_metric(struct arena *arena, struct str text, struct labels **labels, size_t *used,
                        struct err *err)
{
    struct parser p;
    struct pair_list list = {0};
    parser_init(&p, arena, text, err);
    *labels = NULL;
    *used = 0;
    if (parse_name_and_pairs(&p, &list)) {
        *labels = labels_make(arena, list.items, list.count);
        *used = p.end;
        if (*labels == NULL)
            parse_limit(&p, "expression needs more memory than allowed");
    }
    return parser_finish(&p);
}
