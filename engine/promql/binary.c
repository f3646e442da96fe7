#include "eval_priv.h"
#include "histogram_trim_priv.h"

#include <math.h>

bool op_is_comparison(enum promql_op op)
{
    return op >= OP_EQ && op <= OP_GE;
}

bool op_is_set(enum promql_op op)
{
    return op == OP_AND || op == OP_OR || op == OP_UNLESS;
}

static bool op_is_trim(enum promql_op op)
{
    return op == OP_TRIM_UPPER || op == OP_TRIM_LOWER;
}

double promql_arithmetic(enum promql_op op, double a, double b)
{
    switch (op) {
    case OP_ADD:
        return a + b;
    case OP_SUB:
        return a - b;
    case OP_MUL:
        return a * b;
    case OP_DIV:
        return a / b;
    case OP_MOD:
        return fmod(a, b);
    case OP_POW:
        return pow(a, b);
    default:
        return atan2(a, b);
    }
}

static bool compare(enum promql_op op, double a, double b)
{
    switch (op) {
    case OP_EQ:
        return a == b;
    case OP_NE:
        return a != b;
    case OP_LT:
        return a < b;
    case OP_LE:
        return a <= b;
    case OP_GT:
        return a > b;
    default:
        return a >= b;
    }
}

static const char *kind_name(const struct cell *c)
{
    return c->kind == CELL_HISTOGRAM ? "histogram" : "float";
}

static int incompatible(struct evaluation *ev, const struct operands *o, struct cell *out,
                        struct operation_note *note)
{
    const char *op = promql_op_text(o->op);
    const char *text =
        arena_format(ev->arena, "incompatible sample types encountered for binary operator \"%s\": %s %s %s",
                     op, kind_name(&o->left), op, kind_name(&o->right));
    if (text == NULL)
        return eval_no_memory(ev);
    *note = (struct operation_note){ANNOTATION_INFO, str_of(text), false};
    out->kind = CELL_NONE;
    return 0;
}

/* Which of the operators that have a meaning for histograms are meant. */
static bool histogram_operator(const struct operands *o)
{
    bool both = o->left.kind == o->right.kind;
    bool left = o->left.kind == CELL_HISTOGRAM;
    if (both)
        return o->op == OP_ADD || o->op == OP_SUB;
    return o->op == OP_MUL || (left && (o->op == OP_DIV || op_is_trim(o->op)));
}

static struct operation_note told(enum annotation_kind kind, const char *text, bool remains)
{
    return (struct operation_note){kind, str_of(text), remains};
}

static int add_histograms(struct evaluation *ev, const struct operands *o, struct cell *out,
                          struct operation_note *note)
{
    struct histogram_remarks remarks = {0};
    bool minus = o->op == OP_SUB;
    *out = (struct cell){.kind = CELL_HISTOGRAM};
    int code = histogram_add(ev->arena, o->left.histogram, o->right.histogram, minus ? -1 : 1,
                             &out->histogram, &remarks);
    if (code == HISTOGRAMS_INCOMPATIBLE) {
        *note = told(ANNOTATION_WARNING,
                     minus ? "incompatible bucket layout encountered for binary operator -"
                           : "incompatible bucket layout encountered for binary operator +",
                     false);
        return 0;
    }
    if (code == 0 && minus)
        out->histogram = histogram_with_hint(ev->arena, out->histogram, HINT_GAUGE);
    if (code != 0 || out->histogram == NULL)
        return eval_no_memory(ev);
    if (remarks.conflict)
        *note = told(ANNOTATION_WARNING,
                     minus ? "conflicting counter resets during histogram subtraction"
                           : "conflicting counter resets during histogram addition",
                     false);
    else if (remarks.reconciled)
        *note = told(ANNOTATION_INFO,
                     minus ? "mismatched custom buckets were reconciled during subtraction"
                           : "mismatched custom buckets were reconciled during addition",
                     true);
    return 0;
}

static int scale_histogram(struct evaluation *ev, const struct operands *o, struct cell *out)
{
    bool left = o->left.kind == CELL_HISTOGRAM;
    const struct histogram *h = left ? o->left.histogram : o->right.histogram;
    double factor = left ? o->right.value : o->left.value;
    *out = (struct cell){.kind = CELL_HISTOGRAM};
    out->histogram =
        o->op == OP_MUL ? histogram_multiply(ev->arena, h, factor) : histogram_divide(ev->arena, h, factor);
    return out->histogram != NULL ? 0 : eval_no_memory(ev);
}

static int trim_histogram(struct evaluation *ev, const struct operands *o, struct cell *out)
{
    *out = (struct cell){.kind = CELL_HISTOGRAM};
    out->histogram = histogram_trim(ev->arena, o->left.histogram, o->right.value, o->op == OP_TRIM_UPPER);
    return out->histogram != NULL ? 0 : eval_no_memory(ev);
}

static int operate_histograms(struct evaluation *ev, const struct operands *o, struct cell *out, bool *keep,
                              struct operation_note *note)
{
    bool both = o->left.kind == o->right.kind;
    *keep = false;
    if (both && (o->op == OP_EQ || o->op == OP_NE)) {
        *keep = histogram_equal(o->left.histogram, o->right.histogram) == (o->op == OP_EQ);
        *out = o->left;
        return 0;
    }
    if (!histogram_operator(o))
        return incompatible(ev, o, out, note);
    *keep = true;
    if (op_is_trim(o->op))
        return trim_histogram(ev, o, out);
    return both ? add_histograms(ev, o, out, note) : scale_histogram(ev, o, out);
}

int operate(struct evaluation *ev, const struct operands *o, struct cell *out, bool *keep,
            struct operation_note *note)
{
    if (o->left.kind == CELL_HISTOGRAM || o->right.kind == CELL_HISTOGRAM)
        return operate_histograms(ev, o, out, keep, note);
    *keep = true;
    *out = o->left;
    if (op_is_trim(o->op)) {
        *keep = false;
        return incompatible(ev, o, out, note);
    }
    if (op_is_comparison(o->op))
        *keep = compare(o->op, o->left.value, o->right.value);
    else
        out->value = promql_arithmetic(o->op, o->left.value, o->right.value);
    return 0;
}

int eval_binary_scalar(struct evaluation *ev, const struct expr *e, const struct grid *g, double **out)
{
    double *right;
    enum promql_op op = e->binary.op;
    TRY(eval_scalar(ev, e->binary.left, g, out));
    TRY(eval_scalar(ev, e->binary.right, g, &right));
    for (size_t i = 0; i < g->count; i++) {
        double a = (*out)[i], b = right[i];
        (*out)[i] = op_is_comparison(op) ? compare(op, a, b) : promql_arithmetic(op, a, b);
    }
    return 0;
}

/* A vector with a scalar; the scalar may stand on the left. */
struct with_scalar {
    struct evaluation *ev;
    const struct expr *expr;
    const struct grid *grid;
    const double *scalars;
    bool scalar_left;
};

static int with_scalar_cell(struct with_scalar *w, struct column *c, size_t step)
{
    bool comparison = op_is_comparison(w->expr->binary.op);
    struct operation_note note = {0};
    struct cell element = column_get(c, step), result = {0};
    struct cell scalar = {.kind = CELL_FLOAT, .value = w->scalars[step]};
    struct operands o = {.op = w->expr->binary.op};
    bool keep;
    o.left = w->scalar_left ? scalar : element;
    o.right = w->scalar_left ? element : scalar;
    TRY(operate(w->ev, &o, &result, &keep, &note));
    if (note.text.n > 0)
        TRY(note_add(w->ev, note.kind, w->expr->start, "%.*s", STR_ARG(note.text)));
    if (note.text.n > 0 && !note.remains)
        result.kind = CELL_NONE;
    else if (comparison && w->expr->binary.return_bool)
        result = (struct cell){.kind = CELL_FLOAT, .value = keep};
    else if (comparison)
        result = element;
    if (!keep && !w->expr->binary.return_bool)
        result.kind = CELL_NONE;
    return column_set(w->ev, c, w->grid, step, &result);
}

static int with_scalar_column(struct with_scalar *w, struct column *c)
{
    for (size_t step = 0; step < w->grid->count; step++)
        if (c->kinds[step] != CELL_NONE)
            TRY(with_scalar_cell(w, c, step));
    return 0;
}

static int eval_with_scalar(struct evaluation *ev, const struct expr *e, const struct grid *g,
                            struct vector *out)
{
    bool scalar_left = e->binary.left->type == PROMQL_SCALAR;
    double *scalars;
    if (scalar_left)
        TRY(eval_scalar(ev, e->binary.left, g, &scalars));
    TRY(eval_vector(ev, scalar_left ? e->binary.right : e->binary.left, g, out));
    if (!scalar_left)
        TRY(eval_scalar(ev, e->binary.right, g, &scalars));
    struct with_scalar w = {ev, e, g, scalars, scalar_left};
    for (size_t i = 0; i < out->count; i++)
        TRY(with_scalar_column(&w, out->items[i]));
    vector_trim(out, g);
    bool keeps_name = op_is_trim(e->binary.op) || (op_is_comparison(e->binary.op) && !e->binary.return_bool);
    return keeps_name ? 0 : eval_drop_names(ev, out, g);
}

int eval_binary(struct evaluation *ev, const struct expr *e, const struct grid *g, struct vector *out)
{
    bool vectors = e->binary.left->type == PROMQL_VECTOR && e->binary.right->type == PROMQL_VECTOR;
    return vectors ? eval_match(ev, e, g, out) : eval_with_scalar(ev, e, g, out);
}
