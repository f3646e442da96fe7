#include "promql_parse_priv.h"

#include <math.h>

/* Go counts durations in nanoseconds, in 63 bits. */
static const double SECONDS_MAX = 9223372036.854775807;

static struct duration_expr *parse_sum(struct parser *p, int least);

static struct duration_expr *duration_node(struct parser *p, enum duration_kind kind, size_t start)
{
    struct duration_expr *d = parse_node(p, sizeof *d);
    if (d == NULL)
        return NULL;
    d->kind = kind;
    d->start = start;
    d->end = p->end;
    d->height = 1;
    return d;
}

/* Anything but a literal is a part of the language that can be switched off. */
static struct duration_expr *if_enabled(struct parser *p, struct duration_expr *d)
{
    if (p->features->duration_expressions)
        return d;
    parse_fail(p, d->start, "experimental duration expression is not enabled");
    return NULL;
}

/* Gives d its parts; right may be NULL. Parentheses are not counted in positions. */
static struct duration_expr *adopt(struct parser *p, struct duration_expr *d, struct duration_expr *left,
                                   struct duration_expr *right)
{
    if (d == NULL)
        return NULL;
    d->left = left;
    d->right = right;
    if (d->kind != DUR_UNARY)
        d->start = left->start;
    d->end = right != NULL ? right->end : left->end;
    d->height = 1 + (right != NULL && right->height > left->height ? right->height : left->height);
    return parse_height(p, d->height) ? if_enabled(p, d) : NULL;
}

static struct duration_expr *duration_literal(struct parser *p)
{
    struct token t = parse_take(p);
    struct duration_expr *d = duration_node(p, DUR_LITERAL, t.start);
    if (d == NULL || !parse_number(p, t, &d->seconds))
        return NULL;
    d->written_as_duration = t.kind == TOKEN_DURATION;
    if (fabs(d->seconds) < SECONDS_MAX)
        return d;
    parse_fail(p, t.start, "duration out of range");
    return NULL;
}

static struct duration_expr *duration_call(struct parser *p, enum duration_kind kind)
{
    struct token name = parse_take(p);
    bool two = kind == DUR_MIN_OF || kind == DUR_MAX_OF;
    struct duration_expr *left = NULL, *right = NULL;
    if (!parse_expect(p, TOKEN_LEFT_PAREN))
        return NULL;
    if (two && ((left = parse_duration(p)) == NULL || !parse_expect(p, TOKEN_COMMA) ||
                (right = parse_duration(p)) == NULL))
        return NULL;
    if (!parse_expect(p, TOKEN_RIGHT_PAREN))
        return NULL;
    struct duration_expr *d = duration_node(p, kind, name.start);
    if (d == NULL)
        return NULL;
    return two ? adopt(p, d, left, right) : if_enabled(p, d);
}

/* Parentheses around a literal or around parentheses say nothing and are not kept, as in Prometheus. */
static struct duration_expr *duration_paren(struct parser *p)
{
    size_t start = parse_take(p).start;
    struct duration_expr *inner = parse_duration(p);
    if (inner == NULL || !parse_expect(p, TOKEN_RIGHT_PAREN))
        return NULL;
    if (inner->kind == DUR_LITERAL || inner->kind == DUR_PAREN)
        return if_enabled(p, inner);
    return adopt(p, duration_node(p, DUR_PAREN, start), inner, NULL);
}

static struct duration_expr *duration_operand(struct parser *p)
{
    switch (parse_peek(p).kind) {
    case TOKEN_NUMBER:
    case TOKEN_DURATION:
        return duration_literal(p);
    case TOKEN_LEFT_PAREN:
        return duration_paren(p);
    case TOKEN_STEP:
        return duration_call(p, DUR_STEP);
    case TOKEN_RANGE:
        return duration_call(p, DUR_RANGE);
    case TOKEN_MIN_OF:
        return duration_call(p, DUR_MIN_OF);
    case TOKEN_MAX_OF:
        return duration_call(p, DUR_MAX_OF);
    default:
        parse_unexpected(p);
        return NULL;
    }
}

static struct duration_expr *unary(struct parser *p, struct token sign, struct duration_expr *inner)
{
    struct duration_expr *d = duration_node(p, DUR_UNARY, sign.start);
    if (d != NULL)
        d->op = (enum promql_op)sign.value;
    return adopt(p, d, inner, NULL);
}

/* A sign in front of inner: part of a literal; a plus is dropped. */
static struct duration_expr *with_sign(struct parser *p, struct token sign, struct duration_expr *inner)
{
    if (inner == NULL)
        return NULL;
    bool negative = sign.value == OP_SUB;
    if (inner->kind != DUR_LITERAL)
        return negative ? unary(p, sign, inner) : inner;
    inner->seconds = negative ? -inner->seconds : inner->seconds;
    inner->start = sign.start;
    return inner;
}

/* After offset, a plus keeps parentheses from taking the operators behind them, so it must not get lost. */
static struct duration_expr *with_offset_sign(struct parser *p, struct token sign,
                                              struct duration_expr *inner)
{
    bool telling = inner != NULL && inner->kind == DUR_PAREN && sign.value == OP_ADD;
    return telling ? unary(p, sign, inner) : with_sign(p, sign, inner);
}

static bool is_sign(struct token t)
{
    return t.kind == TOKEN_OP && (t.value == OP_ADD || t.value == OP_SUB);
}

enum { POWER_ADD = 1, POWER_MUL, POWER_POW };

static int power_of(struct token t)
{
    if (t.kind != TOKEN_OP)
        return 0;
    switch (t.value) {
    case OP_ADD:
    case OP_SUB:
        return POWER_ADD;
    case OP_MUL:
    case OP_DIV:
    case OP_MOD:
        return POWER_MUL;
    case OP_POW:
        return POWER_POW;
    default:
        return 0;
    }
}

static struct duration_expr *parse_signed(struct parser *p)
{
    struct token sign = parse_peek(p);
    if (!is_sign(sign))
        return duration_operand(p);
    parse_take(p);
    return with_sign(p, sign, parse_sum(p, POWER_POW));
}

static bool check_divisor(struct parser *p, struct token op, const struct duration_expr *right)
{
    bool divides = op.value == OP_DIV || op.value == OP_MOD;
    if (!divides || right->kind != DUR_LITERAL || right->seconds != 0)
        return true;
    return parse_fail(p, op.start, op.value == OP_DIV ? "division by zero" : "modulo by zero");
}

static struct duration_expr *parse_operation(struct parser *p, struct duration_expr *left)
{
    struct token op = parse_take(p);
    int power = power_of(op);
    struct duration_expr *right = parse_sum(p, power == POWER_POW ? power : power + 1);
    if (right == NULL || !check_divisor(p, op, right))
        return NULL;
    struct duration_expr *d = duration_node(p, DUR_BINARY, left->start);
    if (d != NULL)
        d->op = (enum promql_op)op.value;
    return adopt(p, d, left, right);
}

/* first and what follows it, as far as operators bind at least this much. */
static struct duration_expr *parse_operations(struct parser *p, struct duration_expr *first, int least)
{
    struct duration_expr *d = first;
    for (int power = 0; d != NULL && (power = power_of(parse_peek(p))) > 0 && power >= least;)
        d = parse_operation(p, d);
    return p->code == 0 ? d : NULL;
}

static struct duration_expr *parse_sum(struct parser *p, int least)
{
    if (!parse_enter(p))
        return NULL;
    struct duration_expr *d = parse_operations(p, parse_signed(p), least);
    parse_leave(p);
    return d;
}

struct duration_expr *parse_duration(struct parser *p)
{
    return parse_sum(p, POWER_ADD);
}

struct duration_expr *parse_offset_duration(struct parser *p)
{
    struct token sign = parse_peek(p);
    if (sign.kind == TOKEN_LEFT_PAREN)
        return parse_duration(p);
    if (!is_sign(sign))
        return duration_operand(p);
    parse_take(p);
    if (!is_sign(parse_peek(p)))
        return with_offset_sign(p, sign, duration_operand(p));
    return parse_operations(p, with_sign(p, sign, parse_sum(p, POWER_POW)), POWER_ADD);
}

bool parse_positive(struct parser *p, const struct duration_expr *d)
{
    if (d->kind != DUR_LITERAL || d->seconds > 0)
        return true;
    return parse_fail(p, d->start, "duration must be greater than 0");
}
