#include "held_priv.h"

/* How Prometheus holds what a part gives. */
enum holding {
    KEEPS, /* as what is below it */
    TOTAL, /* all of it, instead of what is below */
    STEPS, /* the same, made step by step */
    BESIDE /* made step by step, beside what is below */
};

static bool has_range(const struct expr *call)
{
    for (size_t i = 0; i < call->call.args.count; i++)
        if (call->call.args.items[i]->type == PROMQL_MATRIX)
            return true;
    return false;
}

static enum holding holding_of(const struct expr *e)
{
    switch (e->kind) {
    case EXPR_NUMBER:
    case EXPR_BINARY:
        return STEPS;
    case EXPR_AGGREGATE:
        return e->aggregate.op == AGG_COUNT_VALUES ? STEPS : TOTAL;
    case EXPR_CALL:
        if (e->call.function->id == FUNC_info)
            return BESIDE;
        if (e->call.function->id == FUNC_label_replace || e->call.function->id == FUNC_label_join)
            return KEEPS;
        return has_range(e) ? KEEPS : STEPS;
    default:
        return KEEPS;
    }
}

/* A number is never taken out of the steps. */
static bool is_literal(const struct expr *e)
{
    e = expr_unwrap(e);
    return e->kind == EXPR_NUMBER || (e->kind == EXPR_UNARY && is_literal(e->unary.inner));
}

int held_open(struct evaluation *ev)
{
    ev->held = ARENA_NEW(ev->arena, struct held);
    return ev->held != NULL ? 0 : eval_no_memory(ev);
}

void held_add(struct evaluation *ev, int64_t samples)
{
    struct held *h = ev->held;
    if (h == NULL)
        return;
    h->now += samples;
    if (h->now > h->most)
        h->most = h->now;
}

/* ---- what a vector holds --------------------------------------------------------------------------------- */

/* Elements, and their weights by Prometheus' two measures, which differ for histograms of odd sizes. */
struct measure {
    int64_t *cells, *weights; /* step by step */
    int64_t total;
};

static void measure_cell(struct measure *m, const struct column *c, size_t step)
{
    struct cell cell = column_get(c, step);
    struct sample s = {.histogram = cell.histogram};
    if (cell.kind == CELL_NONE)
        return;
    m->cells[step]++;
    m->weights[step] += cell.histogram != NULL ? 1 + histogram_bytes(cell.histogram) / 16 : 1;
    m->total += sample_weight(&s);
}

/* out NULL: a scalar, which has one element at each step. */
static int measure(struct evaluation *ev, const struct vector *out, size_t steps, struct measure *m)
{
    *m = (struct measure){.cells = ARENA_ARRAY(ev->arena, int64_t, steps),
                          .weights = ARENA_ARRAY(ev->arena, int64_t, steps)};
    if (m->cells == NULL || m->weights == NULL)
        return eval_no_memory(ev);
    for (size_t step = 0; out == NULL && step < steps; step++)
        m->total += m->cells[step] = m->weights[step] = 1;
    for (size_t i = 0; out != NULL && i < out->count; i++)
        for (size_t step = 0; step < steps; step++)
            measure_cell(m, out->items[i], step);
    return 0;
}

static int64_t column_total(const struct column *c, const struct grid *g)
{
    int64_t total = 0;
    for (size_t step = 0; step < g->count; step++) {
        struct cell cell = column_get(c, step);
        struct sample s = {.histogram = cell.histogram};
        total += cell.kind != CELL_NONE ? sample_weight(&s) : 0;
    }
    return total;
}

/* ---- parts ----------------------------------------------------------------------------------------------- */

int held_enter(struct evaluation *ev, const struct expr *e, const struct grid *g, struct held_node *node)
{
    struct held *h = ev->held;
    if (h == NULL)
        return 0;
    *node = (struct held_node){.parent = h->node, .before = h->now, .steps = h->once ? 1 : g->count};
    node->repeats =
        e->type == PROMQL_SCALAR && node->steps > 1 && plan_node(ev->q, e)->invariant && !is_literal(e);
    if (node->repeats) {
        h->once = true;
        node->steps = 1;
    }
    h->node = node;
    enum holding holding = holding_of(e);
    if (holding != STEPS && holding != BESIDE)
        return 0;
    node->input = ARENA_ARRAY(ev->arena, int64_t, node->steps);
    return node->input != NULL ? 0 : eval_no_memory(ev);
}

static void hold_steps(struct evaluation *ev, const struct held_node *node, const struct measure *m)
{
    struct held *h = ev->held;
    int64_t below = h->now;
    for (size_t step = 0; step < node->steps; step++) {
        held_add(ev, node->input[step] + m->weights[step]);
        h->now = below += m->weights[step];
    }
}

/* For whoever it is an operand of. */
static void report(const struct held_node *parent, const struct measure *m, bool repeats)
{
    for (size_t step = 0; parent != NULL && parent->input != NULL && step < parent->steps; step++)
        parent->input[step] += m->cells[repeats ? 0 : step];
}

int held_leave(struct evaluation *ev, const struct expr *e, const struct grid *g, struct held_node *node,
               const struct vector *out)
{
    struct held *h = ev->held;
    struct measure m;
    if (h == NULL)
        return 0;
    enum holding holding = holding_of(e);
    int64_t before = holding == BESIDE ? h->now : node->before;
    TRY(measure(ev, out, node->steps, &m));
    if (node->input != NULL)
        hold_steps(ev, node, &m);
    if (holding != KEEPS) {
        h->now = before;
        held_add(ev, m.total);
    }
    if (node->repeats) {
        h->once = false;
        held_add(ev, (int64_t)g->count - 1);
    }
    h->node = node->parent;
    report(node->parent, &m, node->repeats);
    return 0;
}

void held_enter_repeated(struct evaluation *ev, struct held_node *node)
{
    if (ev->held == NULL)
        return;
    *node = (struct held_node){.parent = ev->held->node, .steps = 1};
    ev->held->node = node;
}

int held_leave_repeated(struct evaluation *ev, const struct grid *g, struct held_node *node,
                        const struct vector *out)
{
    struct held *h = ev->held;
    struct measure m;
    if (h == NULL)
        return 0;
    h->node = node->parent;
    TRY(measure(ev, out, 1, &m));
    if (!h->once)
        held_add(ev, m.total * ((int64_t)g->count - 1));
    report(node->parent, &m, true);
    return 0;
}

int held_as_input(struct evaluation *ev, const struct vector *v, const struct grid *g, bool held)
{
    struct held *h = ev->held;
    struct measure m;
    if (h == NULL)
        return 0;
    TRY(measure(ev, v, g->count, &m));
    report(h->node, &m, false);
    if (held)
        h->now -= m.total;
    return 0;
}

/* ---- functions of ranges --------------------------------------------------------------------------------- */

void held_window(struct evaluation *ev, int64_t samples)
{
    struct held *h = ev->held;
    if (h == NULL)
        return;
    int64_t more = samples - h->window;
    h->window = samples;
    held_add(ev, more);
}

void held_column(struct evaluation *ev, const struct column *c, const struct grid *g)
{
    if (ev->held != NULL)
        held_add(ev, column_total(c, g));
}

void held_end_windows(struct evaluation *ev, const struct matrix *m)
{
    if (ev->held == NULL)
        return;
    held_window(ev, 0);
    for (size_t i = 0; i < m->inner.count; i++)
        ev->held->now -= column_total(m->inner.items[i], &m->inner_grid);
}
