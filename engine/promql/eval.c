#include "held_priv.h"
#include "shared_priv.h"
#include "tally_priv.h"

#include "tocsin/limits.h"

#include <math.h>
#include <stdarg.h>

int eval_fail(struct evaluation *ev, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err_vset(ev->err, code, format, args);
    va_end(args);
    return code;
}

int eval_no_memory(struct evaluation *ev)
{
    limit_hit(LIMIT_query_arena_bytes);
    return eval_fail(ev, ERR_LIMIT, "query processing needs more memory than query_arena_bytes allows");
}

int eval_poll(struct evaluation *ev)
{
    const struct promql_options *o = &ev->q->options;
    if (o->cancelled != NULL && atomic_load(o->cancelled))
        return eval_fail(ev, ERR_CANCEL, "query was canceled in expression evaluation");
    if (ev->deadline_ns == 0 || ev->polls++ % 64 != 0)
        return 0;
    if (o->world->mono_ns(o->world) > ev->deadline_ns)
        return eval_fail(ev, ERR_TIMEOUT, "query timed out in expression evaluation");
    return 0;
}

int eval_hold(struct evaluation *ev, int64_t samples)
{
    ev->samples += samples;
    if (ev->samples > ev->samples_most)
        ev->samples_most = ev->samples;
    if (ev->samples <= ev->samples_max)
        return 0;
    limit_hit(LIMIT_query_samples);
    return eval_fail(ev, ERR_LIMIT,
                     "query processing would load too many samples into memory in query execution");
}

struct str eval_string(const struct expr *e)
{
    return expr_unwrap(e)->string.text;
}

static int repeat_column(struct evaluation *ev, struct vector *out, const struct grid *g,
                         const struct column *one)
{
    struct column *c;
    struct cell cell = column_get(one, 0);
    TRY(vector_add(ev, out, g, one->labels, one->drop_name, &c));
    for (size_t step = 0; step < g->count; step++)
        TRY(column_set(ev, c, g, step, &cell));
    return 0;
}

/* What is the same at every step is computed at the first and repeated. */
static int eval_invariant(struct evaluation *ev, const struct expr *e, const struct grid *g,
                          struct vector *out)
{
    struct grid first = {.start_ms = g->start_ms, .step_ms = g->step_ms, .count = 1};
    struct vector once = {0};
    struct tally *outer;
    struct held_node node;
    TRY(tally_begin(ev, &first, &outer));
    held_enter_repeated(ev, &node);
    TRY(eval_vector(ev, e, &first, &once));
    tally_end_invariant(ev, outer);
    for (size_t i = 0; i < once.count; i++)
        TRY(repeat_column(ev, out, g, once.items[i]));
    return held_leave_repeated(ev, g, &node, out);
}

static int eval_unary(struct evaluation *ev, const struct expr *e, const struct grid *g, struct vector *out)
{
    TRY(eval_vector(ev, e->unary.inner, g, out));
    if (!e->unary.negate)
        return 0;
    for (size_t i = 0; i < out->count; i++) {
        struct column *c = out->items[i];
        for (size_t step = 0; step < g->count; step++) {
            c->values[step] = -c->values[step];
            if (c->kinds[step] != CELL_HISTOGRAM)
                continue;
            c->histograms[step] = histogram_multiply(ev->arena, c->histograms[step], -1);
            if (c->histograms[step] == NULL)
                return eval_no_memory(ev);
        }
    }
    return eval_drop_names(ev, out, g);
}

static int eval_node(struct evaluation *ev, const struct expr *e, const struct grid *g, struct vector *out)
{
    switch (e->kind) {
    case EXPR_PAREN:
        return eval_vector(ev, e->paren.inner, g, out);
    case EXPR_UNARY:
        return eval_unary(ev, e, g, out);
    case EXPR_BINARY:
        return eval_binary(ev, e, g, out);
    case EXPR_AGGREGATE:
        return eval_aggregate(ev, e, g, out);
    case EXPR_CALL:
        return eval_call(ev, e, g, out);
    case EXPR_SELECTOR:
        return eval_selector(ev, e, g, SELECT_VALUE, out);
    case EXPR_NUMBER:
    case EXPR_STRING:
    case EXPR_SUBQUERY:
        break;
    }
    return eval_fail(ev, ERR_ARG, "%s is not an instant vector", promql_type_name(e->type));
}

int eval_afresh(struct evaluation *ev, const struct expr *e, const struct grid *g, struct vector *out)
{
    int64_t before = ev->samples;
    struct held_node node;
    TRY(held_enter(ev, e, g, &node));
    TRY(eval_node(ev, e, g, out));
    vector_trim(out, g);
    TRY(held_leave(ev, e, g, &node, out));
    /* What the parts held is let go; what came out is held. */
    ev->samples = before;
    return eval_hold(ev, vector_weight(out, 0, g));
}

int eval_vector(struct evaluation *ev, const struct expr *e, const struct grid *g, struct vector *out)
{
    *out = (struct vector){0};
    TRY(eval_poll(ev));
    if (g->count > 1 && plan_node(ev->q, e)->invariant)
        return eval_invariant(ev, e, g, out);
    if (ev->shared != NULL && plan_node(ev->q, e)->part != 0)
        return shared_vector(ev, e, g, out);
    return eval_afresh(ev, e, g, out);
}

static int scalar_node(struct evaluation *ev, const struct expr *e, const struct grid *g, double **out)
{
    if (e->kind == EXPR_BINARY)
        return eval_binary_scalar(ev, e, g, out);
    if (e->kind == EXPR_CALL)
        return eval_call_scalar(ev, e, g, out);
    if (e->kind == EXPR_UNARY) {
        TRY(eval_scalar(ev, e->unary.inner, g, out));
        for (size_t i = 0; i < g->count && e->unary.negate; i++)
            (*out)[i] = -(*out)[i];
        return 0;
    }
    *out = ARENA_ARRAY(ev->arena, double, g->count);
    if (*out == NULL)
        return eval_no_memory(ev);
    for (size_t i = 0; i < g->count; i++)
        (*out)[i] = e->number.value;
    return 0;
}

int eval_scalar(struct evaluation *ev, const struct expr *e, const struct grid *g, double **out)
{
    struct held_node node;
    e = expr_unwrap(e);
    TRY(held_enter(ev, e, g, &node));
    TRY(scalar_node(ev, e, g, out));
    return held_leave(ev, e, g, &node, NULL);
}

static void begin(struct evaluation *ev, const struct promql *q, struct view *view, struct arena *arena,
                  struct err *err)
{
    const struct promql_options *o = &q->options;
    *ev = (struct evaluation){.q = q, .view = view, .arena = arena, .err = err};
    ev->lookback_ms = o->lookback_ms;
    ev->samples_max = o->samples_max;
    if (o->world != NULL)
        ev->deadline_ns = o->world->mono_ns(o->world) + o->timeout_ms * NS_PER_MS;
    arena_init(&ev->scratch, (size_t)limits.query_arena_bytes);
}

static int instant_value(struct evaluation *ev, const struct expr *e, const struct grid *g,
                         struct promql_result *out)
{
    struct vector v;
    double *value;
    switch (e->type) {
    case PROMQL_SCALAR:
        TRY(eval_scalar(ev, e, g, &value));
        out->scalar = value[0];
        return 0;
    case PROMQL_STRING:
        out->string = str_copy(ev->arena, eval_string(e));
        return out->string.p != NULL ? 0 : eval_no_memory(ev);
    case PROMQL_MATRIX:
        return result_windows(ev, expr_unwrap(e), g, out);
    case PROMQL_VECTOR:
        TRY(eval_vector(ev, e, g, &v));
        return result_vector(ev, &v, g, out);
    case PROMQL_NONE:
        break;
    }
    return eval_fail(ev, ERR_ARG, "expression has no type");
}

int promql_instant_shared(const struct promql *q, struct view *view, int64_t t_ms,
                          struct promql_shared *shared, struct arena *arena, struct promql_result *out,
                          struct err *err)
{
    struct evaluation ev;
    struct grid g = {.start_ms = t_ms, .step_ms = 1, .count = 1};
    begin(&ev, q, view, arena, err);
    ev.start_ms = ev.end_ms = t_ms;
    ev.shared = shared_begin(q, shared, t_ms);
    *out = (struct promql_result){.type = q->root->type, .t_ms = t_ms};
    int code = tally_open(&ev, &g);
    if (code == 0)
        code = instant_value(&ev, q->root, &g, out);
    if (code == 0)
        code = notes_finish(&ev, out);
    if (code == 0)
        code = tally_close(&ev, &g, out);
    arena_release(&ev.scratch);
    return code;
}

int promql_instant(const struct promql *q, struct view *view, int64_t t_ms, struct arena *arena,
                   struct promql_result *out, struct err *err)
{
    return promql_instant_shared(q, view, t_ms, NULL, arena, out, err);
}

/* A scalar over a range is a series without labels. */
static int scalar_column(struct evaluation *ev, const struct expr *e, const struct grid *g,
                         struct vector *out)
{
    double *values;
    struct column *c;
    TRY(eval_scalar(ev, e, g, &values));
    *out = (struct vector){0};
    TRY(vector_add(ev, out, g, labels_empty(ev->arena), false, &c));
    for (size_t i = 0; i < g->count; i++)
        column_set_float(c, i, values[i]);
    return 0;
}

static int range_value(struct evaluation *ev, const struct grid *g, struct promql_result *out)
{
    struct vector v;
    const struct expr *root = ev->q->root;
    if (root->type == PROMQL_SCALAR)
        TRY(scalar_column(ev, root, g, &v));
    else
        TRY(eval_vector(ev, root, g, &v));
    return result_matrix(ev, &v, g, out);
}

int promql_range(const struct promql *q, struct view *view, int64_t start_ms, int64_t end_ms, int64_t step_ms,
                 struct arena *arena, struct promql_result *out, struct err *err)
{
    struct evaluation ev;
    if (q->root->type != PROMQL_SCALAR && q->root->type != PROMQL_VECTOR)
        return err_set(err, ERR_ARG,
                       "invalid expression type \"%s\" for range query, must be Scalar or instant Vector",
                       promql_type_name(q->root->type));
    if (step_ms <= 0 || end_ms < start_ms)
        return err_set(err, ERR_ARG, "a range query needs a step above 0 and an end not before its start");
    struct grid g = {.start_ms = start_ms, .step_ms = step_ms};
    g.count = (size_t)((uint64_t)(end_ms - start_ms) / (uint64_t)step_ms) + 1;
    begin(&ev, q, view, arena, err);
    ev.start_ms = start_ms;
    ev.end_ms = end_ms;
    ev.step_ms = step_ms;
    ev.durations = (struct duration_context){.step_ms = step_ms, .range_ms = end_ms - start_ms};
    *out = (struct promql_result){.type = PROMQL_MATRIX};
    int code = tally_open(&ev, &g);
    if (code == 0)
        code = range_value(&ev, &g, out);
    if (code == 0)
        code = notes_finish(&ev, out);
    if (code == 0)
        code = tally_close(&ev, &g, out);
    arena_release(&ev.scratch);
    return code;
}
