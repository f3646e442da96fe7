#include "held_priv.h"
#include "tally_priv.h"

static struct tally *tally_new(struct evaluation *ev, const struct grid *g)
{
    struct tally *t = ARENA_NEW(ev->arena, struct tally);
    if (t == NULL)
        return NULL;
    t->steps = g->count;
    t->total = ARENA_ARRAY(ev->arena, int64_t, g->count);
    t->read = ARENA_ARRAY(ev->arena, int64_t, g->count);
    return t->total != NULL && t->read != NULL ? t : NULL;
}

int tally_open(struct evaluation *ev, const struct grid *g)
{
    if (!ev->q->options.stats)
        return 0;
    ev->tally = tally_new(ev, g);
    return ev->tally != NULL ? held_open(ev) : eval_no_memory(ev);
}

int tally_close(struct evaluation *ev, const struct grid *g, struct promql_result *out)
{
    const struct tally *t = ev->tally;
    if (t == NULL)
        return 0;
    struct promql_stats *stats = ARENA_NEW(ev->arena, struct promql_stats);
    if (stats == NULL)
        return eval_no_memory(ev);
    *stats = (struct promql_stats){.samples_peak = ev->held->most,
                                   .samples_at = t->total,
                                   .read_at = t->read,
                                   .steps = t->steps,
                                   .start_ms = g->start_ms,
                                   .step_ms = g->step_ms,
                                   .sort_ns = t->sort_ns};
    for (size_t step = 0; step < t->steps; step++) {
        stats->samples += t->total[step];
        stats->samples_read += t->read[step];
    }
    out->stats = stats;
    return 0;
}

int tally_begin(struct evaluation *ev, const struct grid *g, struct tally **outer)
{
    *outer = ev->tally;
    if (ev->tally == NULL)
        return 0;
    ev->tally = tally_new(ev, g);
    return ev->tally != NULL ? 0 : eval_no_memory(ev);
}

/* Every step would look at the same, which is read once. */
void tally_end_invariant(struct evaluation *ev, struct tally *outer)
{
    const struct tally *own = ev->tally;
    ev->tally = outer;
    if (outer == NULL)
        return;
    for (size_t step = 0; step < outer->steps; step++)
        outer->total[step] += own->total[0];
    outer->read[0] += own->read[0];
}

/* The first step around it whose range reaches what a subquery has at t_ms; SIZE_MAX: none does. */
static size_t step_that_sees(const struct matrix *m, int64_t t_ms)
{
    const struct grid *g = m->grid;
    if (g->count == 1 || m->shift.fixed)
        return 0;
    int64_t behind = t_ms + m->shift.offset_ms - g->start_ms;
    size_t step = behind > 0 ? (size_t)((behind + g->step_ms - 1) / g->step_ms) : 0;
    if (step >= g->count)
        step = g->count - 1;
    bool seen = t_ms > shift_time(&m->shift, grid_at(g, step)) - m->range_ms;
    return seen ? step : SIZE_MAX;
}

void tally_end_subquery(struct evaluation *ev, struct tally *outer, struct matrix *m)
{
    const struct tally *own = ev->tally;
    ev->tally = outer;
    for (size_t i = 0; outer != NULL && i < own->steps; i++) {
        size_t step = step_that_sees(m, grid_at(&m->inner_grid, i));
        m->inner_samples += own->total[i];
        if (step != SIZE_MAX)
            outer->read[step] += own->read[i];
    }
}

void tally_columns(struct evaluation *ev, const struct vector *v, size_t from, const struct grid *g)
{
    if (ev->tally == NULL)
        return;
    for (size_t i = from; i < v->count; i++)
        for (size_t step = 0; step < g->count; step++) {
            struct cell cell = column_get(v->items[i], step);
            struct sample s = {.histogram = cell.histogram};
            int64_t weight = cell.kind != CELL_NONE ? sample_weight(&s) : 0;
            ev->tally->total[step] += weight;
            ev->tally->read[step] += weight;
            held_add(ev, weight);
        }
}

static int64_t weight_after(const struct sample_span *s, int64_t after_ms)
{
    int64_t weight = 0;
    for (size_t i = s->count; i > 0 && s->samples[i - 1].t_ms > after_ms; i--)
        weight += sample_weight(&s->samples[i - 1]);
    return weight;
}

void tally_window(struct matrix *m, size_t step, const struct window *w)
{
    struct tally *t = m->ev->tally;
    if (t == NULL)
        return;
    int64_t all = weight_after(&w->all, INT64_MIN);
    t->total[step] += all;
    held_window(m->ev, all);
    if (m->expr->kind == EXPR_SUBQUERY)
        return; /* counted where it was read */
    if (step == 0)
        t->read[step] += all;
    else if (!m->shift.fixed)
        t->read[step] += weight_after(&w->all, w->end_ms + m->after_ms - m->grid->step_ms);
}

void tally_summary(struct evaluation *ev, int64_t samples)
{
    if (ev->tally == NULL)
        return;
    ev->tally->total[0] += samples;
    ev->tally->read[0] += samples;
    held_window(ev, samples);
}

void tally_answer(struct evaluation *ev, const struct sample_span *span)
{
    if (ev->tally == NULL)
        return;
    int64_t weight = weight_after(span, INT64_MIN);
    ev->tally->total[0] += weight;
    ev->tally->read[0] += weight;
    held_add(ev, weight);
}

void tally_answer_subquery(struct evaluation *ev, const struct matrix *m)
{
    if (ev->tally != NULL)
        ev->tally->total[0] += m->inner_samples;
}

int64_t tally_sorting(struct evaluation *ev, int64_t since_ns)
{
    struct world *world = ev->q->options.world;
    if (ev->tally == NULL || world == NULL)
        return 0;
    int64_t now_ns = world->mono_ns(world);
    if (since_ns != 0)
        ev->tally->sort_ns = now_ns - since_ns;
    return now_ns;
}
