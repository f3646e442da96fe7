/* The tree of an expression, as /api/v1/parse_query tells it: Prometheus' nodes (3.14), their members in the order of their
 * names. */
#include "json_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/promql_func.h"
#include "tocsin/tree.h"

#include <inttypes.h>
#include <math.h>

static const char *yes_no(bool yes)
{
    return yes ? "true" : "false";
}

static void text_value(struct buf *out, const char *key, const char *text)
{
    buf_format(out, "\"%s\":", key);
    json_string(out, str_of(text));
}

static void number_text(struct buf *out, double v)
{
    buf_char(out, '"');
    go_float(out, v, 'f', -1);
    buf_char(out, '"');
}

/* ---- durations ---- */

static const char *duration_op(const struct duration_expr *d)
{
    switch (d->kind) {
    case DUR_STEP:
        return "step";
    case DUR_RANGE:
        return "range";
    case DUR_MIN_OF:
        return "min_of";
    case DUR_MAX_OF:
        return "max_of";
    default:
        return promql_op_text(d->op);
    }
}

static void duration_literal(struct buf *out, const struct duration_expr *d)
{
    buf_format(out, "{\"duration\":%s,\"type\":\"numberLiteral\",\"val\":", yes_no(d->written_as_duration));
    number_text(out, d->seconds);
    buf_char(out, '}');
}

/* NULL: null. A sign's operand is its right side. */
static void duration_node(struct buf *out, const struct duration_expr *d)
{
    bool wrapped = d != NULL && d->kind == DUR_PAREN;
    if (wrapped)
        d = d->left;
    if (d == NULL) {
        buf_puts(out, "null");
        return;
    }
    if (d->kind == DUR_LITERAL) {
        duration_literal(out, d);
        return;
    }
    bool sign = d->kind == DUR_UNARY;
    buf_puts(out, "{\"lhs\":");
    duration_node(out, sign ? NULL : d->left);
    buf_char(out, ',');
    text_value(out, "op", duration_op(d));
    buf_puts(out, ",\"rhs\":");
    duration_node(out, sign ? d->left : d->right);
    buf_format(out, ",\"type\":\"durationExpr\",\"wrapped\":%s}", yes_no(wrapped));
}

static bool is_literal(const struct duration_expr *d)
{
    return d != NULL && d->kind == DUR_LITERAL;
}

/* A duration that is only known with a query counts as 0 and is told as an expression. */
static void duration_members(struct buf *out, const char *key, const struct duration_expr *d)
{
    int64_t ms = is_literal(d) ? llround(d->seconds * 1e9) / 1000000 : 0;
    buf_format(out, "\"%s\":%" PRId64 ",\"%sExpr\":", key, ms, key);
    duration_node(out, is_literal(d) ? NULL : d);
}

/* ---- selectors ---- */

static void one_matcher(struct buf *out, bool *first, const struct matcher *m)
{
    buf_puts(out, *first ? "{\"name\":" : ",{\"name\":");
    *first = false;
    json_string(out, m->name);
    buf_format(out, ",\"type\":\"%s\",\"value\":", match_op_text(m->op));
    json_string(out, m->value);
    buf_char(out, '}');
}

/* The name in front of the braces comes last. */
static void matchers_member(struct buf *out, const struct expr *e)
{
    size_t named = e->selector.name.n > 0;
    bool first = true;
    buf_puts(out, "\"matchers\":[");
    for (size_t i = named; i < e->selector.matcher_count; i++)
        one_matcher(out, &first, &e->selector.matchers[i]);
    if (named)
        one_matcher(out, &first, &e->selector.matchers[0]);
    buf_char(out, ']');
}

static void edge_member(struct buf *out, const struct time_shift *shift)
{
    buf_puts(out, "\"startOrEnd\":");
    buf_puts(out, shift->at == AT_START ? "\"start\"" : shift->at == AT_END ? "\"end\"" : "null");
}

static void timestamp_member(struct buf *out, const struct time_shift *shift)
{
    buf_puts(out, "\"timestamp\":");
    if (shift->at == AT_TIME)
        buf_i64(out, shift->at_ms);
    else
        buf_puts(out, "null");
}

static void selector(struct buf *out, const struct expr *e)
{
    enum range_modifier modifier = e->selector.modifier;
    buf_format(out, "{\"anchored\":%s,", yes_no(modifier == RANGE_ANCHORED));
    matchers_member(out, e);
    buf_puts(out, ",\"name\":");
    json_string(out, e->selector.name);
    buf_char(out, ',');
    duration_members(out, "offset", e->selector.shift.offset);
    buf_char(out, ',');
    if (e->selector.is_range) {
        duration_members(out, "range", e->selector.range);
        buf_char(out, ',');
    }
    buf_format(out, "\"smoothed\":%s,", yes_no(modifier == RANGE_SMOOTHED));
    edge_member(out, &e->selector.shift);
    buf_char(out, ',');
    timestamp_member(out, &e->selector.shift);
    buf_format(out, ",\"type\":\"%s\"}", e->selector.is_range ? "matrixSelector" : "vectorSelector");
}

static void subquery(struct buf *out, const struct expr *e)
{
    buf_puts(out, "{\"expr\":");
    json_expr(out, e->subquery.inner);
    buf_char(out, ',');
    duration_members(out, "offset", e->subquery.shift.offset);
    buf_char(out, ',');
    duration_members(out, "range", e->subquery.range);
    buf_char(out, ',');
    edge_member(out, &e->subquery.shift);
    buf_char(out, ',');
    duration_members(out, "step", e->subquery.step);
    buf_char(out, ',');
    timestamp_member(out, &e->subquery.shift);
    buf_puts(out, ",\"type\":\"subquery\"}");
}

/* ---- operators, functions ---- */

static const char *card_text(enum match_card card)
{
    static const char *const text[] = {[CARD_ONE_TO_ONE] = "one-to-one",
                                       [CARD_MANY_TO_ONE] = "many-to-one",
                                       [CARD_ONE_TO_MANY] = "one-to-many",
                                       [CARD_MANY_TO_MANY] = "many-to-many"};
    return text[card];
}

/* JSON has no NaN and no infinity; Prometheus cannot tell these either. */
static void fill_value(struct buf *out, bool given, double value)
{
    if (given && isfinite(value))
        go_float_json(out, value);
    else
        buf_puts(out, "null");
}

static void matching(struct buf *out, const struct vector_matching *m)
{
    if (m == NULL) {
        buf_puts(out, "null");
        return;
    }
    buf_format(out, "{\"card\":\"%s\",\"fillValues\":{\"lhs\":", card_text(m->card));
    fill_value(out, m->fill_left_given, m->fill_left);
    buf_puts(out, ",\"rhs\":");
    fill_value(out, m->fill_right_given, m->fill_right);
    buf_puts(out, "},\"include\":");
    json_strings(out, m->include.items, m->include.count);
    buf_puts(out, ",\"labels\":");
    json_strings(out, m->labels.items, m->labels.count);
    buf_format(out, ",\"on\":%s}", yes_no(m->on));
}

static void binary(struct buf *out, const struct expr *e)
{
    buf_format(out, "{\"bool\":%s,\"lhs\":", yes_no(e->binary.return_bool));
    json_expr(out, e->binary.left);
    buf_puts(out, ",\"matching\":");
    matching(out, e->binary.matching);
    buf_char(out, ',');
    text_value(out, "op", promql_op_text(e->binary.op));
    buf_puts(out, ",\"rhs\":");
    json_expr(out, e->binary.right);
    buf_puts(out, ",\"type\":\"binaryExpr\"}");
}

static void aggregation(struct buf *out, const struct expr *e)
{
    buf_puts(out, "{\"expr\":");
    json_expr(out, e->aggregate.inner);
    buf_puts(out, ",\"grouping\":");
    json_strings(out, e->aggregate.labels.items, e->aggregate.labels.count);
    buf_char(out, ',');
    text_value(out, "op", promql_aggregate_name(e->aggregate.op));
    buf_puts(out, ",\"param\":");
    if (e->aggregate.param != NULL)
        json_expr(out, e->aggregate.param);
    else
        buf_puts(out, "null");
    buf_format(out, ",\"type\":\"aggregation\",\"without\":%s}", yes_no(e->aggregate.without));
}

static const char *type_text(enum promql_type type)
{
    static const char *const text[] = {"none", "scalar", "string", "vector", "matrix"};
    return text[type];
}

static void call(struct buf *out, const struct expr *e)
{
    const struct promql_function *f = e->call.function;
    buf_puts(out, "{\"args\":[");
    for (size_t i = 0; i < e->call.args.count; i++) {
        if (i > 0)
            buf_char(out, ',');
        json_expr(out, e->call.args.items[i]);
    }
    buf_puts(out, "],\"func\":{\"argTypes\":[");
    for (int i = 0; i < f->arg_count; i++)
        buf_format(out, "%s\"%s\"", i > 0 ? "," : "", type_text(f->args[i]));
    buf_format(out, "],\"name\":\"%s\",\"returnType\":\"%s\",\"variadic\":%d},\"type\":\"call\"}", f->name,
               type_text(f->returns), f->variadic);
}

static void number(struct buf *out, const struct expr *e)
{
    buf_puts(out, "{\"type\":\"numberLiteral\",\"val\":");
    number_text(out, e->number.value);
    buf_char(out, '}');
}

static void string(struct buf *out, const struct expr *e)
{
    buf_puts(out, "{\"type\":\"stringLiteral\",\"val\":");
    json_string(out, e->string.text);
    buf_char(out, '}');
}

static void paren(struct buf *out, const struct expr *e)
{
    buf_puts(out, "{\"expr\":");
    json_expr(out, e->paren.inner);
    buf_puts(out, ",\"type\":\"parenExpr\"}");
}

static void unary(struct buf *out, const struct expr *e)
{
    buf_puts(out, "{\"expr\":");
    json_expr(out, e->unary.inner);
    buf_format(out, ",\"op\":\"%s\",\"type\":\"unaryExpr\"}", e->unary.negate ? "-" : "+");
}

void json_expr(struct buf *out, const struct expr *e)
{
    static void (*const writers[])(struct buf *, const struct expr *) = {
        [EXPR_NUMBER] = number, [EXPR_STRING] = string,     [EXPR_PAREN] = paren,
        [EXPR_UNARY] = unary,   [EXPR_BINARY] = binary,     [EXPR_AGGREGATE] = aggregation,
        [EXPR_CALL] = call,     [EXPR_SELECTOR] = selector, [EXPR_SUBQUERY] = subquery,
    };
    if (!buf_overflow(out))
        writers[e->kind](out, e);
}
