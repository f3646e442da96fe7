#include "tally_priv.h"

static int open_selector(struct matrix *m)
{
    struct evaluation *ev = m->ev;
    const struct expr *e = m->expr;
    m->modifier = e->selector.modifier;
    m->before_ms = m->modifier != RANGE_PLAIN ? ev->lookback_ms : 0;
    m->after_ms = m->modifier == RANGE_SMOOTHED ? ev->lookback_ms : 0;
    TRY(shift_resolve(ev, &e->selector.shift, &m->shift));
    TRY(duration_value_positive(e->selector.range, &ev->durations, &m->range_ms, ev->err));
    return eval_series(ev, e, &m->set);
}

/* Inner steps sit at multiples of the step, whatever the outer times are; the first lies after the start. */
static int lay_inner_grid(struct matrix *m, int64_t step_ms)
{
    const struct grid *g = m->grid;
    int64_t after = shift_time(&m->shift, g->start_ms) - m->range_ms;
    int64_t end = shift_time(&m->shift, grid_at(g, g->count - 1));
    int64_t first = after / step_ms * step_ms;
    if (first <= after)
        first += step_ms;
    m->inner_grid = (struct grid){.start_ms = first, .step_ms = step_ms};
    if (first > end)
        return 0;
    m->inner_grid.count = (size_t)((end - first) / step_ms) + 1;
    if ((int64_t)m->inner_grid.count > m->ev->samples_max)
        return eval_hold(m->ev, (int64_t)m->inner_grid.count);
    return 0;
}

static int open_subquery(struct matrix *m)
{
    struct evaluation *ev = m->ev;
    const struct expr *e = m->expr;
    int64_t step_ms = ev->q->options.subquery_step_ms;
    TRY(shift_resolve(ev, &e->subquery.shift, &m->shift));
    TRY(duration_value_positive(e->subquery.range, &ev->durations, &m->range_ms, ev->err));
    if (e->subquery.step != NULL)
        TRY(duration_value_positive(e->subquery.step, &ev->durations, &step_ms, ev->err));
    TRY(lay_inner_grid(m, step_ms));
    if (m->inner_grid.count == 0)
        return 0;
    struct tally *outer;
    TRY(tally_begin(ev, &m->inner_grid, &outer));
    TRY(eval_vector(ev, e->subquery.inner, &m->inner_grid, &m->inner));
    tally_end_subquery(ev, outer, m);
    return 0;
}

int matrix_open(struct evaluation *ev, const struct expr *e, const struct grid *g, struct matrix *m)
{
    e = expr_unwrap(e);
    *m = (struct matrix){.ev = ev, .expr = e, .grid = g};
    if (g->count == 0)
        return 0;
    return e->kind == EXPR_SUBQUERY ? open_subquery(m) : open_selector(m);
}

static int no_room(struct matrix *m)
{
    return eval_no_memory(m->ev);
}

static int drop_stale(struct matrix *m, const struct sample_run *run)
{
    size_t kept = 0, stale = 0;
    for (size_t i = 0; i < run->count; i++)
        stale += sample_is_stale(&run->samples[i]);
    m->all.series = (struct sample_span){run->samples, run->count};
    if (stale == 0)
        return 0;
    struct sample *live = ARENA_ARRAY(&m->ev->scratch, struct sample, run->count - stale);
    if (live == NULL)
        return no_room(m);
    for (size_t i = 0; i < run->count; i++)
        if (!sample_is_stale(&run->samples[i]))
            live[kept++] = run->samples[i];
    m->all.series = (struct sample_span){live, kept};
    return 0;
}

static int load_selected(struct matrix *m)
{
    struct evaluation *ev = m->ev;
    const struct grid *g = m->grid;
    series_ref ref = m->set.refs[m->next++];
    struct sample_run run;
    int64_t first = shift_time(&m->shift, g->start_ms) - m->range_ms - m->before_ms;
    int64_t last = shift_time(&m->shift, grid_at(g, g->count - 1)) + m->after_ms;
    m->labels = view_labels(ev->view, ref);
    m->drop_name = false;
    if (view_read(ev->view, ref, first, last, &ev->scratch, &run) != 0)
        return no_room(m);
    if (plan_node(ev->q, m->expr)->detect_resets)
        TRY(eval_detect_resets(ev, &run));
    return drop_stale(m, &run);
}

/* A step may repeat a sample or leave it out, so what it knew of its predecessor is no longer true. */
static bool forget_reset(struct matrix *m, struct cell *cell)
{
    if (cell->histogram->hint == HINT_RESET || cell->histogram->hint == HINT_NOT_RESET)
        cell->histogram = histogram_with_hint(&m->ev->scratch, cell->histogram, HINT_UNKNOWN);
    return cell->histogram != NULL;
}

static int load_column(struct matrix *m)
{
    const struct column *c = m->inner.items[m->next++];
    const struct grid *g = &m->inner_grid;
    size_t count = 0;
    struct sample *samples = ARENA_ARRAY(&m->ev->scratch, struct sample, g->count);
    if (samples == NULL)
        return no_room(m);
    for (size_t step = 0; step < g->count; step++) {
        struct cell cell = column_get(c, step);
        if (cell.kind == CELL_NONE)
            continue;
        if (cell.kind == CELL_HISTOGRAM && !forget_reset(m, &cell))
            return no_room(m);
        samples[count++] =
            (struct sample){.t_ms = grid_at(g, step), .value = cell.value, .histogram = cell.histogram};
    }
    m->labels = c->labels;
    m->drop_name = c->drop_name;
    m->all.series = (struct sample_span){samples, count};
    return 0;
}

/* Most series are all floats: then both kinds need no copy. */
static int split_kinds(struct matrix *m)
{
    const struct sample_span *all = &m->all.series;
    size_t histograms = 0, floats = 0, found = 0;
    for (size_t i = 0; i < all->count; i++)
        histograms += all->samples[i].histogram != NULL;
    m->floats.series = *all;
    m->histograms.series = (struct sample_span){NULL, 0};
    if (histograms == 0)
        return 0;
    struct sample *parted = ARENA_ARRAY(&m->ev->scratch, struct sample, all->count);
    if (parted == NULL)
        return no_room(m);
    for (size_t i = 0; i < all->count; i++)
        if (all->samples[i].histogram != NULL)
            parted[found++] = all->samples[i];
        else
            parted[histograms + floats++] = all->samples[i];
    m->histograms.series = (struct sample_span){parted, histograms};
    m->floats.series = (struct sample_span){parted + histograms, floats};
    return 0;
}

/* Asked once for a series, so that its windows need not look for resets one by one. */
static bool is_rising(const struct sample_span *floats)
{
    bool rising = true;
    for (size_t i = 1; i < floats->count; i++)
        rising &= !(floats->samples[i].value < floats->samples[i - 1].value);
    return rising;
}

static void rewind_cursors(struct matrix *m)
{
    m->all.from = m->all.to = 0;
    m->floats.from = m->floats.to = 0;
    m->histograms.from = m->histograms.to = 0;
}

static int64_t span_weight(const struct sample_span *s)
{
    int64_t weight = 0;
    for (size_t i = 0; i < s->count; i++)
        weight += sample_weight(&s->samples[i]);
    return weight;
}

int matrix_next(struct matrix *m, bool *more)
{
    struct evaluation *ev = m->ev;
    size_t count = m->expr->kind == EXPR_SUBQUERY ? m->inner.count : m->set.count;
    TRY(eval_hold(ev, -m->held));
    m->held = 0;
    *more = m->next < count;
    if (!*more)
        return 0;
    TRY(eval_poll(ev));
    arena_clear(&ev->scratch);
    TRY(m->expr->kind == EXPR_SUBQUERY ? load_column(m) : load_selected(m));
    TRY(split_kinds(m));
    m->rising = is_rising(&m->floats.series);
    rewind_cursors(m);
    m->held = span_weight(&m->all.series);
    return eval_hold(ev, m->held);
}

/* Moves a cursor forward to the samples with after < t <= upto. */
static struct sample_span cursor_move(struct matrix_cursor *c, int64_t after_ms, int64_t upto_ms)
{
    const struct sample_span *s = &c->series;
    while (c->from < s->count && s->samples[c->from].t_ms <= after_ms)
        c->from++;
    if (c->to < c->from)
        c->to = c->from;
    while (c->to < s->count && s->samples[c->to].t_ms <= upto_ms)
        c->to++;
    return (struct sample_span){s->samples + c->from, c->to - c->from};
}

void matrix_window(struct matrix *m, size_t step, struct window *w)
{
    int64_t t = grid_at(m->grid, step);
    int64_t end = shift_time(&m->shift, t);
    int64_t after = end - m->range_ms - m->before_ms;
    int64_t upto = end + m->after_ms;
    w->t_ms = t;
    w->end_ms = end;
    w->start_ms = end - m->range_ms;
    w->range_ms = m->range_ms;
    w->modifier = m->modifier;
    w->rising = m->rising;
    w->all = cursor_move(&m->all, after, upto);
    w->floats = cursor_move(&m->floats, after, upto);
    w->histograms = cursor_move(&m->histograms, after, upto);
}
