#include "call_priv.h"
#include "held_priv.h"

#include <math.h>

static void fill(struct call *c, double *out, double value)
{
    for (size_t i = 0; i < c->grid->count; i++)
        out[i] = value;
}

void scalar_pi(struct call *c, double *out)
{
    fill(c, out, 3.14159265358979323846);
}

void scalar_start(struct call *c, double *out)
{
    fill(c, out, (double)c->ev->start_ms / 1000);
}

void scalar_end(struct call *c, double *out)
{
    fill(c, out, (double)c->ev->end_ms / 1000);
}

void scalar_range(struct call *c, double *out)
{
    fill(c, out, (double)(c->ev->end_ms - c->ev->start_ms) / 1000);
}

void scalar_step(struct call *c, double *out)
{
    fill(c, out, (double)c->ev->step_ms / 1000);
}

void scalar_time(struct call *c, double *out)
{
    for (size_t i = 0; i < c->grid->count; i++)
        out[i] = (double)grid_at(c->grid, i) / 1000;
}

void scalar_max_of(struct call *c, double *out)
{
    for (size_t i = 0; i < c->grid->count; i++)
        out[i] = go_max(c->params[0][i], c->params[1][i]);
}

void scalar_min_of(struct call *c, double *out)
{
    for (size_t i = 0; i < c->grid->count; i++)
        out[i] = go_min(c->params[0][i], c->params[1][i]);
}

int scalar_of_vector(struct call *c, double *out)
{
    struct vector v;
    TRY(eval_vector(c->ev, call_arg(c, 0), c->grid, &v));
    for (size_t step = 0; step < c->grid->count; step++) {
        size_t found = 0;
        out[step] = NAN;
        for (size_t i = 0; i < v.count && found < 2; i++)
            if (v.items[i]->kinds[step] == CELL_FLOAT) {
                out[step] = v.items[i]->values[step];
                found++;
            }
        if (found != 1)
            out[step] = NAN;
    }
    return 0;
}

/* vector(s); without an argument, vector(time()). */
int call_vector(struct call *c, struct vector *out)
{
    struct column *column;
    TRY(vector_add(c->ev, out, c->grid, labels_empty(c->ev->arena), false, &column));
    for (size_t step = 0; step < c->grid->count; step++)
        column_set_float(column, step,
                         c->param_count > 0 ? c->params[0][step] : (double)grid_at(c->grid, step) / 1000);
    return 0;
}

static void write_step_times(struct call *c, struct vector *v)
{
    for (size_t i = 0; i < v->count; i++)
        for (size_t step = 0; step < c->grid->count; step++)
            if (v->items[i]->kinds[step] != CELL_NONE)
                column_set_float(v->items[i], step, (double)grid_at(c->grid, step) / 1000);
}

/* A bare selector tells the time of its samples; anything else is as old as the step. */
int call_timestamp(struct call *c, struct vector *out)
{
    const struct expr *arg = expr_unwrap(call_arg(c, 0));
    if (arg->kind == EXPR_SELECTOR) {
        TRY(eval_selector(c->ev, arg, c->grid, SELECT_TIME, out));
        vector_trim(out, c->grid);
        TRY(held_as_input(c->ev, out, c->grid, true));
    } else {
        TRY(eval_vector(c->ev, arg, c->grid, out));
        write_step_times(c, out);
    }
    return eval_drop_names(c->ev, out, c->grid);
}

int call_start_timestamp(struct call *c, struct vector *out)
{
    const struct expr *arg = expr_unwrap(call_arg(c, 0));
    if (arg->kind != EXPR_SELECTOR || !c->ev->q->options.features.start_timestamps)
        return 0;
    TRY(eval_selector(c->ev, arg, c->grid, SELECT_START_TIME, out));
    vector_trim(out, c->grid);
    TRY(held_as_input(c->ev, out, c->grid, true));
    return eval_drop_names(c->ev, out, c->grid);
}
