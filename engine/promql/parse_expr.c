#include "promql_parse_priv.h"

/* Binding powers, low to high. A unary sign binds like * but only a ^ may claim its operand first. */
enum { POWER_OR = 1, POWER_AND, POWER_COMPARE, POWER_ADD, POWER_MUL, POWER_POW };

static int power_of(struct token t)
{
    if (t.kind != TOKEN_OP)
        return 0;
    switch ((enum promql_op)t.value) {
    case OP_OR:
        return POWER_OR;
    case OP_AND:
    case OP_UNLESS:
        return POWER_AND;
    case OP_ADD:
    case OP_SUB:
        return POWER_ADD;
    case OP_MUL:
    case OP_DIV:
    case OP_MOD:
    case OP_ATAN2:
        return POWER_MUL;
    case OP_POW:
        return POWER_POW;
    default:
        return POWER_COMPARE;
    }
}

static struct expr *parse_power(struct parser *p, int least);

static struct expr *number_expr(struct parser *p)
{
    struct token t = parse_take(p);
    struct expr *e = parse_expr_node(p, EXPR_NUMBER, t.start);
    if (e == NULL || !parse_number(p, t, &e->number.value))
        return NULL;
    e->number.is_duration = t.kind == TOKEN_DURATION;
    return e;
}

static struct expr *string_expr(struct parser *p)
{
    struct token t = parse_take(p);
    struct expr *e = parse_expr_node(p, EXPR_STRING, t.start);
    return e != NULL && parse_string(p, t, &e->string.text) ? e : NULL;
}

static struct expr *paren_expr(struct parser *p)
{
    size_t start = parse_take(p).start;
    struct expr *inner = parse_expr(p);
    if (inner == NULL || !parse_expect(p, TOKEN_RIGHT_PAREN) || !parse_height(p, inner->height + 1U))
        return NULL;
    struct expr *e = parse_expr_node(p, EXPR_PAREN, start);
    if (e == NULL)
        return NULL;
    e->paren.inner = inner;
    e->height = inner->height + 1;
    return e;
}

static bool is_function_name(enum token_kind kind)
{
    return kind == TOKEN_IDENTIFIER || (kind >= TOKEN_START && kind <= TOKEN_MAX_OF);
}

/* An identifier or keyword at the start of an operand: aggregation, call or selector, as the next token tells. */
static struct expr *name_expr(struct parser *p)
{
    struct token t = parse_take(p);
    enum token_kind next = parse_peek(p).kind;
    if (t.kind == TOKEN_AGGREGATE && (next == TOKEN_LEFT_PAREN || next == TOKEN_BY || next == TOKEN_WITHOUT))
        return parse_aggregate(p, t);
    if (is_function_name(t.kind) && next == TOKEN_LEFT_PAREN)
        return parse_call(p, t);
    return parse_selector(p, t.text, t.start);
}

static struct expr *parse_operand(struct parser *p)
{
    struct token t = parse_peek(p);
    switch (t.kind) {
    case TOKEN_NUMBER:
    case TOKEN_DURATION:
        return number_expr(p);
    case TOKEN_STRING:
        return string_expr(p);
    case TOKEN_LEFT_PAREN:
        return paren_expr(p);
    case TOKEN_LEFT_BRACE:
        return parse_selector(p, (struct str){0}, t.start);
    default:
        if (parse_is_metric_name(t))
            return name_expr(p);
        parse_unexpected(p);
        return NULL;
    }
}

/* The sign of a literal is part of the literal. */
static struct expr *signed_number(struct expr *e, struct token sign)
{
    e->start = sign.start;
    if (sign.value == OP_SUB)
        e->number.value = -e->number.value;
    return e;
}

static struct expr *parse_sign(struct parser *p)
{
    struct token sign = parse_take(p);
    struct expr *inner = parse_power(p, POWER_POW);
    if (inner == NULL)
        return NULL;
    if (inner->kind == EXPR_NUMBER)
        return signed_number(inner, sign);
    struct expr *e = parse_expr_node(p, EXPR_UNARY, sign.start);
    if (e == NULL || !parse_height(p, inner->height + 1U))
        return NULL;
    e->unary.negate = sign.value == OP_SUB;
    e->unary.inner = inner;
    e->end = inner->end;
    e->height = inner->height + 1;
    return e;
}

static bool is_sign(struct token t)
{
    return t.kind == TOKEN_OP && (t.value == OP_ADD || t.value == OP_SUB);
}

static struct expr *parse_unary(struct parser *p)
{
    if (is_sign(parse_peek(p)))
        return parse_sign(p);
    struct expr *e = parse_operand(p);
    return e != NULL ? parse_postfix(p, e) : NULL;
}

static bool check_fill_enabled(struct parser *p, const struct expr *e)
{
    const struct vector_matching *m = e->binary.matching;
    if (p->features->binop_fill_modifiers || !(m->fill_left_given || m->fill_right_given))
        return true;
    return parse_fail(p, e->start, "binop fill modifiers are experimental and not enabled");
}

static struct expr *parse_binary(struct parser *p, struct expr *left)
{
    struct token op = parse_take(p);
    struct expr *e = parse_expr_node(p, EXPR_BINARY, left->start);
    if (e == NULL)
        return NULL;
    e->binary.op = (enum promql_op)op.value;
    e->binary.op_start = op.start;
    e->binary.left = left;
    if (!parse_binary_modifiers(p, e))
        return NULL;
    int power = power_of(op);
    struct expr *right = parse_power(p, power == POWER_POW ? power : power + 1);
    if (right == NULL)
        return NULL;
    e->binary.right = right;
    e->end = right->end;
    e->height = 1 + (left->height > right->height ? left->height : right->height);
    return check_fill_enabled(p, e) && parse_height(p, e->height) ? e : NULL;
}

/* An expression whose operators all have at least this binding power. */
static struct expr *parse_power(struct parser *p, int least)
{
    if (!parse_enter(p))
        return NULL;
    struct expr *e = parse_unary(p);
    for (int power = 0; e != NULL && (power = power_of(parse_peek(p))) > 0 && power >= least;)
        e = parse_binary(p, e);
    parse_leave(p);
    return p->code == 0 ? e : NULL;
}

struct expr *parse_expr(struct parser *p)
{
    return parse_power(p, POWER_OR);
}
