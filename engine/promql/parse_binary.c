#include "promql_parse_priv.h"

static bool parse_fill_value(struct parser *p, double *out)
{
    bool negative = false;
    parse_take(p);
    if (!parse_expect(p, TOKEN_LEFT_PAREN))
        return false;
    struct token sign = parse_peek(p);
    if (sign.kind == TOKEN_OP && (sign.value == OP_ADD || sign.value == OP_SUB)) {
        parse_take(p);
        negative = sign.value == OP_SUB;
    }
    struct token t = parse_peek(p);
    if (t.kind != TOKEN_NUMBER && t.kind != TOKEN_DURATION)
        return parse_unexpected(p);
    parse_take(p);
    if (!parse_number(p, t, out))
        return false;
    *out = negative ? -*out : *out;
    return parse_expect(p, TOKEN_RIGHT_PAREN);
}

static bool parse_fill(struct parser *p, struct vector_matching *m)
{
    if (parse_peek(p).kind == TOKEN_FILL) {
        m->fill_left_given = m->fill_right_given = true;
        if (!parse_fill_value(p, &m->fill_left))
            return false;
        m->fill_right = m->fill_left;
        return true;
    }
    for (;;) {
        enum token_kind kind = parse_peek(p).kind;
        bool left = kind == TOKEN_FILL_LEFT && !m->fill_left_given;
        if (!left && !(kind == TOKEN_FILL_RIGHT && !m->fill_right_given))
            return p->code == 0;
        *(left ? &m->fill_left_given : &m->fill_right_given) = true;
        if (!parse_fill_value(p, left ? &m->fill_left : &m->fill_right))
            return false;
    }
}

static bool parse_group(struct parser *p, struct vector_matching *m)
{
    enum token_kind kind = parse_peek(p).kind;
    if (kind != TOKEN_GROUP_LEFT && kind != TOKEN_GROUP_RIGHT)
        return p->code == 0;
    parse_take(p);
    m->card = kind == TOKEN_GROUP_LEFT ? CARD_MANY_TO_ONE : CARD_ONE_TO_MANY;
    struct token next = parse_peek(p);
    bool bare = next.kind != TOKEN_LEFT_PAREN && parse_starts_expr(next);
    return bare || parse_grouping(p, &m->include);
}

static bool parse_on(struct parser *p, struct vector_matching *m)
{
    enum token_kind kind = parse_peek(p).kind;
    if (kind != TOKEN_ON && kind != TOKEN_IGNORING)
        return p->code == 0;
    parse_take(p);
    m->on = kind == TOKEN_ON;
    return parse_grouping(p, &m->labels) && parse_group(p, m);
}

bool parse_binary_modifiers(struct parser *p, struct expr *e)
{
    struct vector_matching *m = parse_node(p, sizeof *m);
    if (m == NULL)
        return false;
    e->binary.matching = m;
    e->binary.return_bool = parse_accept(p, TOKEN_BOOL);
    return parse_on(p, m) && parse_fill(p, m);
}
