#include "tocsin/duration.h"
#include "tocsin/gotext.h"
#include "tocsin/mem.h"
#include "tocsin/promql_func.h"
#include "tocsin/promql_parse.h"

#include "print_priv.h"

#include <math.h>
#include <stdlib.h>

static void print_seconds(struct buf *out, double seconds)
{
    duration_print(out, llround(seconds * 1000));
}

/* A literal that stands alone prints as a duration. One that is finer than a duration can say stays a number, so
 * that no text loses what was written. */
static void print_literal(struct buf *out, const struct duration_expr *d, bool alone)
{
    bool whole_ms = round(d->seconds * 1000) / 1000 == d->seconds;
    if (d->written_as_duration || (alone && whole_ms))
        print_seconds(out, d->seconds);
    else
        go_float(out, d->seconds, 'f', -1);
}

static void print_duration(struct buf *out, const struct duration_expr *d, bool alone);

/* A literal that was in parentheses lost them; in front of ^ a negative one needs them. */
static void print_left(struct buf *out, const struct duration_expr *d)
{
    bool parens = d->op == OP_POW && d->left->kind == DUR_LITERAL && signbit(d->left->seconds);
    buf_puts(out, parens ? "(" : "");
    print_duration(out, d->left, false);
    buf_puts(out, parens ? ")" : "");
}

static void print_two(struct buf *out, const char *name, const struct duration_expr *d)
{
    buf_puts(out, name);
    buf_char(out, '(');
    print_duration(out, d->left, false);
    buf_puts(out, ", ");
    print_duration(out, d->right, false);
    buf_char(out, ')');
}

static void print_duration(struct buf *out, const struct duration_expr *d, bool alone)
{
    switch (d->kind) {
    case DUR_LITERAL:
        print_literal(out, d, alone);
        break;
    case DUR_UNARY:
        buf_char(out, d->op == OP_SUB ? '-' : '+');
        print_duration(out, d->left, false);
        break;
    case DUR_BINARY:
        print_left(out, d);
        buf_format(out, " %s ", promql_op_text(d->op));
        print_duration(out, d->right, false);
        break;
    case DUR_PAREN:
        buf_char(out, '(');
        print_duration(out, d->left, false);
        buf_char(out, ')');
        break;
    case DUR_STEP:
        buf_puts(out, "step()");
        break;
    case DUR_RANGE:
        buf_puts(out, "range()");
        break;
    case DUR_MIN_OF:
        print_two(out, "min_of", d);
        break;
    case DUR_MAX_OF:
        print_two(out, "max_of", d);
        break;
    }
}

static void print_at(struct buf *out, const struct time_shift *shift)
{
    if (shift->at == AT_TIME)
        buf_format(out, " @ %.3f", (double)shift->at_ms / 1000);
    else if (shift->at != AT_NONE)
        buf_puts(out, shift->at == AT_START ? " @ start()" : " @ end()");
}

/* An operation stands in parentheses, or the operators behind it would not be the offset's any more. */
static void print_offset(struct buf *out, const struct time_shift *shift)
{
    const struct duration_expr *d = shift->offset;
    if (d == NULL)
        return;
    bool parens = d->kind == DUR_BINARY;
    buf_puts(out, parens ? " offset (" : " offset ");
    print_duration(out, d, !parens);
    buf_puts(out, parens ? ")" : "");
}

static void print_modifier(struct buf *out, enum range_modifier modifier)
{
    if (modifier != RANGE_PLAIN)
        buf_puts(out, modifier == RANGE_ANCHORED ? " anchored" : " smoothed");
}

/* True for an offset that would take operators behind it for its own. */
static bool offset_is_greedy(const struct duration_expr *d)
{
    return d != NULL && (d->kind == DUR_PAREN || d->kind == DUR_BINARY ||
                         (d->kind == DUR_UNARY && d->left->kind == DUR_UNARY));
}

static void print_names(struct buf *out, struct name_list names)
{
    buf_char(out, '(');
    for (size_t i = 0; i < names.count; i++) {
        buf_puts(out, i > 0 ? ", " : "");
        if (label_name_is_classic(names.items[i]))
            buf_str(out, names.items[i]);
        else
            go_quote(out, names.items[i]);
    }
    buf_char(out, ')');
}

static int compare_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Matchers are printed one behind another, then put in the order of their texts. */
static void print_sorted(struct buf *out, const struct matcher *matchers, size_t count)
{
    struct buf text;
    buf_init(&text, out->max_bytes);
    size_t *ends = MEM_ARRAY(size_t, count);
    struct str *items = MEM_ARRAY(struct str, count);
    for (size_t i = 0; i < count; i++) {
        matcher_print(&text, &matchers[i]);
        ends[i] = text.used;
    }
    for (size_t i = 0; i < count; i++) {
        size_t start = i > 0 ? ends[i - 1] : 0;
        items[i] = (struct str){buf_text(&text) + start, ends[i] - start};
    }
    qsort(items, count, sizeof *items, compare_text);
    for (size_t i = 0; i < count; i++) {
        buf_puts(out, i > 0 ? "," : "");
        buf_str(out, items[i]);
    }
    out->overflow = out->overflow || buf_overflow(&text);
    mem_free(items);
    mem_free(ends);
    buf_release(&text);
}

static void print_selector(struct buf *out, const struct expr *e)
{
    bool named = e->selector.name.n > 0;
    size_t skip = named ? 1 : 0;
    buf_str(out, e->selector.name);
    if (!named || e->selector.matcher_count > skip) {
        buf_char(out, '{');
        print_sorted(out, e->selector.matchers + skip, e->selector.matcher_count - skip);
        buf_char(out, '}');
    }
    if (e->selector.is_range) {
        buf_char(out, '[');
        print_duration(out, e->selector.range, true);
        buf_char(out, ']');
        print_modifier(out, e->selector.modifier);
    }
    const struct time_shift *shift = &e->selector.shift;
    bool ends_in_offset = !offset_is_greedy(shift->offset);
    if (!ends_in_offset)
        print_offset(out, shift);
    print_at(out, shift);
    if (!e->selector.is_range)
        print_modifier(out, e->selector.modifier);
    if (ends_in_offset)
        print_offset(out, shift);
}

void print_subquery_range(struct buf *out, const struct expr *e)
{
    buf_char(out, '[');
    print_duration(out, e->subquery.range, true);
    buf_char(out, ':');
    if (e->subquery.step != NULL)
        print_duration(out, e->subquery.step, true);
    buf_char(out, ']');
    print_at(out, &e->subquery.shift);
    print_offset(out, &e->subquery.shift);
}

static void print_number(struct buf *out, const struct expr *e)
{
    if (e->number.is_duration)
        print_seconds(out, e->number.value);
    else
        go_float(out, e->number.value, 'f', -1);
}

static void print_fill_value(struct buf *out, const char *word, double value)
{
    buf_format(out, " %s (", word);
    go_float(out, value, 'g', -1);
    buf_char(out, ')');
}

static void print_fill(struct buf *out, const struct vector_matching *m)
{
    if (m->fill_left_given && m->fill_right_given && m->fill_left == m->fill_right) {
        print_fill_value(out, "fill", m->fill_left);
        return;
    }
    if (m->fill_left_given)
        print_fill_value(out, "fill_left", m->fill_left);
    if (m->fill_right_given)
        print_fill_value(out, "fill_right", m->fill_right);
}

static void print_matching(struct buf *out, const struct vector_matching *m)
{
    bool grouped = m->card == CARD_MANY_TO_ONE || m->card == CARD_ONE_TO_MANY;
    if (m->on || grouped || m->labels.count > 0) {
        buf_puts(out, m->on ? " on " : " ignoring ");
        print_names(out, m->labels);
    }
    if (grouped) {
        buf_puts(out, m->card == CARD_MANY_TO_ONE ? " group_left " : " group_right ");
        print_names(out, m->include);
    }
    print_fill(out, m);
}

void print_operator(struct buf *out, const struct expr *e)
{
    buf_format(out, "%s%s", promql_op_text(e->binary.op), e->binary.return_bool ? " bool" : "");
    if (e->binary.matching != NULL)
        print_matching(out, e->binary.matching);
}

/* In front of ^ a sign would be taken for one of the whole power. */
bool print_loses_sign(const struct expr *e)
{
    const struct expr *left = e->binary.left;
    return e->binary.op == OP_POW && left->kind == EXPR_NUMBER && isinf(left->number.value);
}

static void print_binary(struct buf *out, const struct expr *e)
{
    if (print_loses_sign(e))
        buf_puts(out, "Inf");
    else
        promql_print(out, e->binary.left);
    buf_char(out, ' ');
    print_operator(out, e);
    buf_char(out, ' ');
    promql_print(out, e->binary.right);
}

void print_aggregate_head(struct buf *out, const struct expr *e)
{
    buf_puts(out, promql_aggregate_name(e->aggregate.op));
    bool grouped = e->aggregate.without || e->aggregate.labels.count > 0;
    if (grouped) {
        buf_puts(out, e->aggregate.without ? " without " : " by ");
        print_names(out, e->aggregate.labels);
        buf_char(out, ' ');
    }
}

static void print_aggregate(struct buf *out, const struct expr *e)
{
    print_aggregate_head(out, e);
    buf_char(out, '(');
    if (e->aggregate.param != NULL) {
        promql_print(out, e->aggregate.param);
        buf_puts(out, ", ");
    }
    promql_print(out, e->aggregate.inner);
    buf_char(out, ')');
}

static void print_call(struct buf *out, const struct expr *e)
{
    buf_puts(out, e->call.function->name);
    buf_char(out, '(');
    for (size_t i = 0; i < e->call.args.count; i++) {
        buf_puts(out, i > 0 ? ", " : "");
        promql_print(out, e->call.args.items[i]);
    }
    buf_char(out, ')');
}

void promql_print(struct buf *out, const struct expr *e)
{
    if (buf_overflow(out))
        return; /* who asks whether it is longer than some bytes need not wait for all of it */
    switch (e->kind) {
    case EXPR_NUMBER:
        print_number(out, e);
        break;
    case EXPR_STRING:
        go_quote(out, e->string.text);
        break;
    case EXPR_PAREN:
        buf_char(out, '(');
        promql_print(out, e->paren.inner);
        buf_char(out, ')');
        break;
    case EXPR_UNARY:
        buf_char(out, e->unary.negate ? '-' : '+');
        promql_print(out, e->unary.inner);
        break;
    case EXPR_BINARY:
        print_binary(out, e);
        break;
    case EXPR_AGGREGATE:
        print_aggregate(out, e);
        break;
    case EXPR_CALL:
        print_call(out, e);
        break;
    case EXPR_SELECTOR:
        print_selector(out, e);
        break;
    case EXPR_SUBQUERY:
        promql_print(out, e->subquery.inner);
        print_subquery_range(out, e);
        break;
    }
}
