#include "promql_parse_priv.h"

#include <math.h>

#define A_DURATION "number, duration, step(), or range()"

static const struct context range_context = {"subquery or range selector", A_DURATION};
static const struct context after_range_context = {"subquery or range", "\":\" or \"]\""};
static const struct context step_context = {"subquery selector",
                                            "number, duration, step(), range(), or \"]\""};
static const struct context after_step_context = {"subquery selector", "\"]\""};
static const struct context offset_context = {"offset", A_DURATION};
static const struct context at_context = {"@", "timestamp"};

static struct duration_expr *duration_in(struct parser *p, struct context context,
                                         struct duration_expr *(*parse)(struct parser *p))
{
    struct context outer = p->context;
    p->context = context;
    struct duration_expr *d = parse(p);
    p->context = outer;
    return d;
}

static bool parse_range(struct parser *p, struct expr *e, size_t bracket, struct duration_expr *range)
{
    if (e->kind != EXPR_SELECTOR || e->selector.is_range)
        return parse_fail(p, bracket, "ranges only allowed for vector selectors");
    const struct duration_expr *offset = e->selector.shift.offset;
    if (offset != NULL && offset->kind == DUR_LITERAL)
        return parse_fail(p, bracket, "no offset modifiers allowed before range");
    if (e->selector.shift.at == AT_TIME)
        return parse_fail(p, bracket, "no @ modifiers allowed before range");
    e->selector.is_range = true;
    e->selector.range = range;
    e->end = p->end;
    return true;
}

/* e holds d now. */
static bool raise_over(struct parser *p, struct expr *e, const struct duration_expr *d)
{
    if (e->height <= d->height)
        e->height = d->height + 1;
    return parse_height(p, e->height);
}

/* After the colon. */
static struct expr *parse_subquery(struct parser *p, struct expr *inner, struct duration_expr *range)
{
    struct duration_expr *step = NULL;
    if (parse_peek(p).kind != TOKEN_RIGHT_BRACKET) {
        step = duration_in(p, step_context, parse_duration);
        if (step == NULL || !parse_positive(p, step))
            return NULL;
        if (parse_peek(p).kind != TOKEN_RIGHT_BRACKET) {
            parse_unexpected_in(p, after_step_context);
            return NULL;
        }
    }
    parse_take(p);
    struct expr *e = parse_expr_node(p, EXPR_SUBQUERY, inner->start);
    if (e == NULL)
        return NULL;
    e->subquery.inner = inner;
    e->subquery.range = range;
    e->subquery.step = step;
    e->height = inner->height + 1;
    return raise_over(p, e, range) && (step == NULL || raise_over(p, e, step)) ? e : NULL;
}

static struct expr *parse_brackets(struct parser *p, struct expr *e)
{
    size_t bracket = parse_take(p).start;
    struct duration_expr *range = duration_in(p, range_context, parse_duration);
    if (range == NULL)
        return NULL;
    enum token_kind next = parse_peek(p).kind;
    if (!parse_positive(p, range))
        return NULL;
    if (next != TOKEN_COLON && next != TOKEN_RIGHT_BRACKET) {
        parse_unexpected_in(p, after_range_context);
        return NULL;
    }
    parse_take(p);
    if (next == TOKEN_COLON)
        return parse_subquery(p, e, range);
    return parse_range(p, e, bracket, range) && raise_over(p, e, range) ? e : NULL;
}

/* Where the offset and @ of e are kept; NULL (and the error set) if it cannot have any. */
static struct time_shift *shift_of(struct parser *p, struct expr *e, const char *modifier)
{
    if (e->kind == EXPR_SELECTOR)
        return &e->selector.shift;
    if (e->kind == EXPR_SUBQUERY)
        return &e->subquery.shift;
    parse_fail(
        p, e->start,
        "%s modifier must be preceded by an instant vector selector or range vector selector or a subquery",
        modifier);
    return NULL;
}

static bool parse_offset(struct parser *p, struct expr *e)
{
    parse_take(p);
    struct duration_expr *d = duration_in(p, offset_context, parse_offset_duration);
    struct time_shift *shift = d != NULL ? shift_of(p, e, "offset") : NULL;
    if (shift == NULL)
        return false;
    if (shift->offset != NULL)
        return parse_fail(p, e->start, "offset may not be set multiple times");
    bool none = d->kind == DUR_LITERAL && d->seconds == 0;
    shift->offset = none ? NULL : d;
    e->end = p->end;
    return raise_over(p, e, d);
}

static bool parse_timestamp(struct parser *p, double *seconds)
{
    struct token sign = parse_peek(p);
    bool is_signed = sign.kind == TOKEN_OP && (sign.value == OP_ADD || sign.value == OP_SUB);
    if (is_signed)
        parse_take(p);
    struct token t = parse_peek(p);
    if (t.kind != TOKEN_NUMBER && t.kind != TOKEN_DURATION)
        return parse_unexpected_in(p, at_context);
    parse_take(p);
    if (!parse_number(p, t, seconds))
        return false;
    if (is_signed && sign.value == OP_SUB)
        *seconds = -*seconds;
    return true;
}

static bool set_timestamp(struct parser *p, const struct expr *e, struct time_shift *at, double seconds)
{
    double ms = round(seconds * 1000);
    if (isnan(ms) || isinf(ms))
        return parse_fail(p, e->start, "timestamp out of bounds for @ modifier: %s",
                          isnan(ms) ? "NaN"
                          : ms > 0  ? "+Inf"
                                    : "-Inf");
    if (fabs(ms) >= (double)INT64_MAX)
        return parse_fail(p, e->start, "timestamp out of bounds for @ modifier: %f", seconds);
    at->at = AT_TIME;
    at->at_ms = (int64_t)ms;
    return true;
}

static bool parse_edge(struct parser *p, struct time_shift *at)
{
    at->at = parse_take(p).kind == TOKEN_START ? AT_START : AT_END;
    struct context outer = p->context;
    p->context = at_context;
    bool parsed = parse_expect(p, TOKEN_LEFT_PAREN) && parse_expect(p, TOKEN_RIGHT_PAREN);
    p->context = outer;
    return parsed;
}

static bool parse_at(struct parser *p, struct expr *e)
{
    parse_take(p);
    struct time_shift at = {0};
    double seconds;
    enum token_kind kind = parse_peek(p).kind;
    if (kind == TOKEN_START || kind == TOKEN_FINISH) {
        if (!parse_edge(p, &at))
            return false;
    } else if (!parse_timestamp(p, &seconds) || !set_timestamp(p, e, &at, seconds)) {
        return false;
    }
    struct time_shift *shift = shift_of(p, e, "@");
    if (shift == NULL)
        return false;
    if (shift->at != AT_NONE)
        return parse_fail(p, e->start, "@ <timestamp> may not be set multiple times");
    shift->at = at.at;
    shift->at_ms = at.at_ms;
    e->end = p->end;
    return true;
}

static bool parse_range_modifier(struct parser *p, struct expr *e)
{
    bool anchored = parse_take(p).kind == TOKEN_ANCHORED;
    const char *name = anchored ? "anchored" : "smoothed";
    enum range_modifier modifier = anchored ? RANGE_ANCHORED : RANGE_SMOOTHED;
    if (!p->features->extended_range_selectors)
        return parse_fail(p, e->start, "%s modifier is experimental and not enabled", name);
    if (e->kind == EXPR_SUBQUERY)
        return parse_fail(p, e->start, "%s modifier is not supported for subqueries", name);
    if (e->kind != EXPR_SELECTOR)
        return parse_fail(p, e->start, "%s modifier not implemented", name);
    if (e->selector.modifier != RANGE_PLAIN && e->selector.modifier != modifier)
        return parse_fail(p, e->start, "anchored and smoothed modifiers cannot be used together");
    e->selector.modifier = modifier;
    return true;
}

struct expr *parse_postfix(struct parser *p, struct expr *e)
{
    bool sound = true;
    while (sound && e != NULL) {
        switch (parse_peek(p).kind) {
        case TOKEN_LEFT_BRACKET:
            e = parse_brackets(p, e);
            break;
        case TOKEN_OFFSET:
            sound = parse_offset(p, e);
            break;
        case TOKEN_AT:
            sound = parse_at(p, e);
            break;
        case TOKEN_ANCHORED:
        case TOKEN_SMOOTHED:
            sound = parse_range_modifier(p, e);
            break;
        default:
            return p->code == 0 ? e : NULL;
        }
    }
    return NULL;
}
