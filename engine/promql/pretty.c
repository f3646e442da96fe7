/* Long expressions over several lines, laid out as Prometheus lays them out (3.14). */
#include "tocsin/promql_func.h"
#include "tocsin/promql_parse.h"

#include "print_priv.h"

/* What is not longer than this stays on its line, however far that is indented. */
enum { LINE_BYTES_MAX = 100, INDENT = 2 };

struct pretty {
    struct buf *out;
    bool attach; /* a sign stands in front: what comes next is not indented */
};

static void lay_out(struct pretty *p, const struct expr *e, size_t level);

static bool needs_split(const struct expr *e)
{
    struct buf line;
    buf_init(&line, LINE_BYTES_MAX);
    promql_print(&line, e);
    bool split = buf_overflow(&line);
    buf_release(&line);
    return split;
}

static void indent(struct pretty *p, size_t level)
{
    if (!p->attach)
        buf_repeat(p->out, ' ', level * INDENT);
    p->attach = false;
}

static void close_paren(struct pretty *p, size_t level)
{
    buf_char(p->out, '\n');
    indent(p, level);
    buf_char(p->out, ')');
}

static void split_aggregate(struct pretty *p, const struct expr *e, size_t level)
{
    indent(p, level);
    print_aggregate_head(p->out, e);
    buf_puts(p->out, "(\n");
    if (e->aggregate.param != NULL) {
        lay_out(p, e->aggregate.param, level + 1);
        buf_puts(p->out, ",\n");
    }
    lay_out(p, e->aggregate.inner, level + 1);
    close_paren(p, level);
}

static void split_call(struct pretty *p, const struct expr *e, size_t level)
{
    indent(p, level);
    buf_puts(p->out, e->call.function->name);
    buf_puts(p->out, "(\n");
    for (size_t i = 0; i < e->call.args.count; i++) {
        if (i > 0)
            buf_puts(p->out, ",\n");
        lay_out(p, e->call.args.items[i], level + 1);
    }
    close_paren(p, level);
}

static void split_binary(struct pretty *p, const struct expr *e, size_t level)
{
    if (print_loses_sign(e)) {
        indent(p, level + 1);
        buf_puts(p->out, "Inf");
    } else {
        lay_out(p, e->binary.left, level + 1);
    }
    buf_char(p->out, '\n');
    indent(p, level);
    print_operator(p->out, e);
    buf_char(p->out, '\n');
    lay_out(p, e->binary.right, level + 1);
}

static void split_paren(struct pretty *p, const struct expr *e, size_t level)
{
    indent(p, level);
    buf_puts(p->out, "(\n");
    lay_out(p, e->paren.inner, level + 1);
    close_paren(p, level);
}

/* The sign belongs to what it stands before, which goes on at the same level. */
static void lay_out_unary(struct pretty *p, const struct expr *e, size_t level)
{
    indent(p, level);
    buf_char(p->out, e->unary.negate ? '-' : '+');
    p->attach = true;
    lay_out(p, e->unary.inner, level);
    p->attach = false;
}

/* One that fits its line is not indented: so does Prometheus. */
static void lay_out_subquery(struct pretty *p, const struct expr *e, size_t level)
{
    if (!needs_split(e)) {
        promql_print(p->out, e);
        return;
    }
    lay_out(p, e->subquery.inner, level);
    print_subquery_range(p->out, e);
}

static void lay_out_line(struct pretty *p, const struct expr *e, size_t level)
{
    indent(p, level);
    promql_print(p->out, e);
}

static void split(struct pretty *p, const struct expr *e, size_t level)
{
    switch (e->kind) {
    case EXPR_AGGREGATE:
        split_aggregate(p, e, level);
        break;
    case EXPR_BINARY:
        split_binary(p, e, level);
        break;
    case EXPR_CALL:
        split_call(p, e, level);
        break;
    case EXPR_PAREN:
        split_paren(p, e, level);
        break;
    default:
        lay_out_line(p, e, level);
        break;
    }
}

static void lay_out(struct pretty *p, const struct expr *e, size_t level)
{
    if (buf_overflow(p->out))
        return;
    if (e->kind == EXPR_UNARY)
        lay_out_unary(p, e, level);
    else if (e->kind == EXPR_SUBQUERY)
        lay_out_subquery(p, e, level);
    else if (needs_split(e))
        split(p, e, level);
    else
        lay_out_line(p, e, level);
}

void promql_pretty(struct buf *out, const struct expr *e)
{
    struct pretty p = {.out = out};
    lay_out(&p, e, 0);
}
