#include "between_priv.h"
#include "tally_priv.h"

#include <stdlib.h>

bool sample_is_stale(const struct sample *s)
{
    return is_stale_nan(s->histogram != NULL ? s->histogram->sum : s->value);
}

int shift_resolve(struct evaluation *ev, const struct time_shift *from, struct shift *out)
{
    *out = (struct shift){.fixed = from->at != AT_NONE};
    if (from->at == AT_TIME)
        out->at_ms = from->at_ms;
    else if (from->at == AT_START)
        out->at_ms = ev->start_ms;
    else if (from->at == AT_END)
        out->at_ms = ev->end_ms;
    return duration_value(from->offset, &ev->durations, &out->offset_ms, ev->err);
}

/* What is not known stays so for the first one read. */
int eval_detect_resets(struct evaluation *ev, struct sample_run *run)
{
    struct sample *samples = arena_copy(&ev->scratch, run->samples, run->count, sizeof *samples);
    const struct histogram *before = NULL;
    for (size_t i = 0; samples != NULL && i < run->count; i++) {
        const struct histogram *h = samples[i].histogram;
        if (h == NULL || sample_is_stale(&samples[i]))
            continue;
        if (h->hint == HINT_UNKNOWN && before != NULL)
            samples[i].histogram = histogram_with_hint(
                &ev->scratch, h, histogram_is_reset(before, h) ? HINT_RESET : HINT_NOT_RESET);
        if (samples[i].histogram == NULL)
            return eval_no_memory(ev);
        before = h;
    }
    run->samples = samples;
    return samples != NULL ? 0 : eval_no_memory(ev);
}

static int compare_refs(const void *a, const void *b)
{
    const series_ref *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static bool is_sorted(const struct series_set *set)
{
    for (size_t i = 1; i < set->count; i++)
        if (set->refs[i - 1] > set->refs[i])
            return false;
    return true;
}

/* The order of creation makes results repeatable, at the price of a comparison of integers. Standing selectors mostly have it. */
static int sort_refs(struct evaluation *ev, struct series_set *set)
{
    if (is_sorted(set))
        return 0;
    series_ref *refs = arena_copy(ev->arena, set->refs, set->count, sizeof *refs);
    if (refs == NULL)
        return eval_no_memory(ev);
    qsort(refs, set->count, sizeof *refs, compare_refs);
    set->refs = refs;
    return 0;
}

int eval_series(struct evaluation *ev, const struct expr *e, struct series_set *set)
{
    const struct standing *standing = plan_node(ev->q, e)->standing;
    int code;
    if (standing != NULL)
        code = view_standing(ev->view, standing, ev->arena, set);
    else
        code = view_select(ev->view, e->selector.matchers, e->selector.matcher_count, ev->arena, set);
    if (code != 0)
        return eval_no_memory(ev);
    return sort_refs(ev, set);
}

/* One instant selector over its grid. */
struct lookup {
    struct evaluation *ev;
    const struct expr *expr;
    const struct grid *grid;
    struct shift shift;
    enum selector_value what;
    bool smoothed;
    bool detect_resets;
    const struct labels *labels; /* of the series at hand */
};

static int copy_histogram(struct lookup *l, const struct sample *s, struct cell *cell)
{
    cell->kind = CELL_HISTOGRAM;
    cell->histogram = histogram_copy(l->ev->arena, s->histogram);
    return cell->histogram != NULL ? 0 : eval_no_memory(l->ev);
}

static int cell_of(struct lookup *l, const struct sample *s, struct cell *cell)
{
    *cell = (struct cell){.kind = CELL_FLOAT, .value = s->value};
    if (l->what == SELECT_TIME)
        cell->value = (double)s->t_ms / 1000;
    else if (l->what == SELECT_START_TIME)
        cell->value = (double)s->start_ms / 1000;
    else if (s->histogram != NULL)
        return copy_histogram(l, s, cell);
    return 0;
}

/* Series are waited for together; one alone gains nothing. */
static void touch_next(const struct lookup *l, const series_ref *refs, size_t left)
{
    size_t count = left < VIEW_TOGETHER_MAX ? left : VIEW_TOGETHER_MAX;
    if (count < 2)
        return;
    view_touch_last(l->ev->view, refs, count, shift_time(&l->shift, l->grid->start_ms));
    view_touch_labels(l->ev->view, refs, count);
}

static int look_once(struct lookup *l, series_ref ref, struct vector *out)
{
    struct evaluation *ev = l->ev;
    struct sample s;
    struct cell cell;
    struct column *c;
    int64_t t = shift_time(&l->shift, l->grid->start_ms);
    if (!view_last(ev->view, ref, t - ev->lookback_ms, t, &ev->scratch, &s) || sample_is_stale(&s))
        return arena_exhausted(&ev->scratch) ? eval_no_memory(ev) : 0;
    TRY(vector_add(ev, out, l->grid, view_labels(ev->view, ref), false, &c));
    TRY(cell_of(l, &s, &cell));
    return column_set(ev, c, l->grid, 0, &cell);
}

static int fill_column(struct lookup *l, const struct sample_run *run, struct column *c)
{
    const struct grid *g = l->grid;
    struct cell cell = {0};
    size_t upto = 0, made = 0; /* samples not after the step; which of them the cell was made of */
    for (size_t step = 0; step < g->count; step++) {
        int64_t t = shift_time(&l->shift, grid_at(g, step));
        while (upto < run->count && run->samples[upto].t_ms <= t)
            upto++;
        if (upto == 0)
            continue;
        const struct sample *s = &run->samples[upto - 1];
        if (s->t_ms <= t - l->ev->lookback_ms || sample_is_stale(s))
            continue;
        if (made != upto)
            TRY(cell_of(l, s, &cell));
        made = upto;
        TRY(column_set(l->ev, c, g, step, &cell));
    }
    return 0;
}

static const struct sample *skip_stale(const struct sample *from, const struct sample *end)
{
    while (from < end && sample_is_stale(from))
        from++;
    return from;
}

/* What a smoothed selector sees at one step. */
struct vicinity {
    const struct sample *before, *after; /* the newest not after t, the oldest after it; NULL: none */
    bool floats, histograms;
};

static struct vicinity look_around(const struct lookup *l, const struct sample_run *run, int64_t t)
{
    struct vicinity v = {0};
    const struct sample *end = run->samples + run->count;
    for (const struct sample *s = skip_stale(run->samples, end); s < end; s = skip_stale(s + 1, end)) {
        if (s->t_ms > t + l->ev->lookback_ms)
            break;
        if (s->t_ms <= t - l->ev->lookback_ms)
            continue;
        if (s->t_ms <= t)
            v.before = s;
        else if (v.after == NULL)
            v.after = s;
        *(s->histogram != NULL ? &v.histograms : &v.floats) = true;
    }
    return v;
}

/* Carried on, it is no longer known how it stands to the sample before it. */
static int carry_on(struct lookup *l, const struct sample *s, struct cell *cell)
{
    struct sample carried = *s;
    if (s->histogram != NULL)
        carried.histogram = histogram_with_hint(&l->ev->scratch, s->histogram, HINT_UNKNOWN);
    if (s->histogram != NULL && carried.histogram == NULL)
        return eval_no_memory(l->ev);
    return cell_of(l, &carried, cell);
}

static int smooth_histogram(struct lookup *l, const struct vicinity *v, int64_t t, struct cell *cell)
{
    struct arena *scratch = &l->ev->scratch;
    struct arena_mark mark = arena_mark(scratch);
    struct histogram_remarks remarks = {0};
    struct sample made = {.t_ms = t};
    bool counter = v->before->histogram->hint != HINT_GAUGE && v->after->histogram->hint != HINT_GAUGE;
    int code = between_histograms(scratch, v->before, v->after, t, counter, &made.histogram, &remarks);
    if (code == 0)
        code = cell_of(l, &made, cell);
    else if (code == HISTOGRAMS_INCOMPATIBLE)
        code = note_mixed_schemas(l->ev, l->expr->start, l->labels);
    else
        code = eval_no_memory(l->ev);
    arena_rewind(scratch, mark);
    return code;
}

/* The value at t on the line between its neighbours; the last value carried on if there is no later one. */
static int smooth_cell(struct lookup *l, const struct sample_run *run, int64_t t, struct cell *cell)
{
    struct vicinity v = look_around(l, run, t);
    if (v.before == NULL)
        return 0;
    if (v.floats && v.histograms)
        return note_mixed_kinds(l->ev, l->expr->start, l->labels);
    if (v.before->t_ms == t)
        return cell_of(l, v.before, cell);
    if (v.after == NULL)
        return carry_on(l, v.before, cell);
    if (v.histograms)
        return smooth_histogram(l, &v, t, cell);
    *cell = (struct cell){.kind = CELL_FLOAT, .value = between_floats(v.before, v.after, t, false)};
    return 0;
}

static int fill_smoothed(struct lookup *l, const struct sample_run *run, struct column *c)
{
    for (size_t step = 0; step < l->grid->count; step++) {
        struct cell cell = {0};
        TRY(smooth_cell(l, run, shift_time(&l->shift, grid_at(l->grid, step)), &cell));
        TRY(column_set(l->ev, c, l->grid, step, &cell));
    }
    return 0;
}

static int look_along(struct lookup *l, series_ref ref, struct vector *out)
{
    struct evaluation *ev = l->ev;
    struct sample_run run;
    struct column *c;
    int64_t first = shift_time(&l->shift, l->grid->start_ms);
    int64_t last = shift_time(&l->shift, grid_at(l->grid, l->grid->count - 1));
    int64_t after = l->smoothed ? ev->lookback_ms : 0;
    if (view_read(ev->view, ref, first - ev->lookback_ms, last + after, &ev->scratch, &run) != 0)
        return eval_no_memory(ev);
    if (run.count == 0)
        return 0;
    if (l->detect_resets)
        TRY(eval_detect_resets(ev, &run));
    l->labels = view_labels(ev->view, ref);
    TRY(vector_add(ev, out, l->grid, l->labels, false, &c));
    return l->smoothed ? fill_smoothed(l, &run, c) : fill_column(l, &run, c);
}

int eval_selector(struct evaluation *ev, const struct expr *e, const struct grid *g, enum selector_value what,
                  struct vector *out)
{
    struct series_set set;
    TRY(eval_series(ev, e, &set));
    return eval_selected(ev, e, g, what, &set, out);
}

int eval_selected(struct evaluation *ev, const struct expr *e, const struct grid *g, enum selector_value what,
                  const struct series_set *set, struct vector *out)
{
    struct lookup l = {.ev = ev, .expr = e, .grid = g, .what = what};
    l.smoothed = e->selector.modifier == RANGE_SMOOTHED;
    l.detect_resets = plan_node(ev->q, e)->detect_resets;
    TRY(shift_resolve(ev, &e->selector.shift, &l.shift));
    size_t held = 0;
    bool once = g->count == 1 && !l.smoothed && !l.detect_resets;
    for (size_t i = 0; i < set->count && g->count > 0; i++) {
        TRY(eval_poll(ev));
        arena_clear(&ev->scratch);
        if (once && i % VIEW_TOGETHER_MAX == 0)
            touch_next(&l, set->refs + i, set->count - i);
        if (once)
            TRY(look_once(&l, set->refs[i], out));
        else
            TRY(look_along(&l, set->refs[i], out));
        TRY(eval_hold(ev, vector_weight(out, held, g)));
        if (!l.smoothed)
            tally_columns(ev, out, held, g);
        held = out->count;
    }
    return 0;
}
