/*
 * Windows that the store can sum up: at a single step the functions of plain ranges need no samples.
 *
 * The answers are those of the functions they stand in for (func_rate.c, func_over_time.c, func_changes.c): to the
 * bit, but for sums and averages of long windows, which agree to 1e-12.
 */
#include "call_priv.h"
#include "held_priv.h"
#include "tally_priv.h"
#include "tocsin/kahan.h"

static bool is_summable(enum promql_func_id id)
{
    switch (id) {
    case FUNC_rate:
    case FUNC_increase:
    case FUNC_delta:
    case FUNC_sum_over_time:
    case FUNC_avg_over_time:
    case FUNC_min_over_time:
    case FUNC_max_over_time:
    case FUNC_count_over_time:
    case FUNC_first_over_time:
    case FUNC_last_over_time:
    case FUNC_present_over_time:
    case FUNC_changes:
    case FUNC_resets:
        return true;
    default:
        return false;
    }
}

bool call_summable(const struct call *c, const struct matrix *m)
{
    return c->grid->count == 1 && m->expr->kind == EXPR_SELECTOR && m->modifier == RANGE_PLAIN &&
           is_summable(call_id(c));
}

static enum window_wish wish_of(enum promql_func_id id)
{
    switch (id) {
    case FUNC_rate:
    case FUNC_increase:
    case FUNC_resets:
        return WINDOW_RESETS;
    case FUNC_min_over_time:
    case FUNC_max_over_time:
        return WINDOW_BOUNDS;
    case FUNC_sum_over_time:
    case FUNC_avg_over_time:
        return WINDOW_SUM;
    case FUNC_changes:
        return WINDOW_CHANGES;
    default:
        return (enum window_wish)0;
    }
}

/* Sums that leave the range or never were in it depend on the order of their parts; what start timestamps say of resets is
 * not in the summary. */
static bool is_answered(const struct call *c, const struct window_summary *s)
{
    switch (wish_of(call_id(c))) {
    case WINDOW_SUM:
        return !(s->has_inf || s->has_nan || s->has_huge);
    case WINDOW_RESETS:
        return !(s->has_starts && c->ev->q->options.features.start_timestamps);
    default:
        return true;
    }
}

static double rate_of(const struct call *c, const struct window *w, const struct window_summary *s, bool *any)
{
    struct sample first = {.t_ms = s->first_ms, .value = s->first};
    struct sample last = {.t_ms = s->last_ms, .value = s->last};
    double result = s->last - s->first;
    if (call_id(c) != FUNC_delta)
        result += s->correction;
    struct extrapolation x = {.first = s->first, .increase = result};
    *any = extrapolate_between(c, w, &first, &last, s->count, &x);
    return *any ? result * x.factor : 0;
}

static double value_of(const struct call *c, const struct window *w, const struct window_summary *s,
                       bool *any)
{
    struct kahan k = {s->sum, s->rest};
    *any = true;
    switch (call_id(c)) {
    case FUNC_sum_over_time:
        return kahan_sum(&k);
    case FUNC_avg_over_time:
        return k.sum / (double)s->count + k.rest / (double)s->count;
    case FUNC_min_over_time:
        return s->min;
    case FUNC_max_over_time:
        return s->max;
    case FUNC_count_over_time:
        return (double)s->count;
    case FUNC_first_over_time:
        return s->first;
    case FUNC_last_over_time:
        return s->last;
    case FUNC_present_over_time:
        return 1;
    case FUNC_changes:
        return (double)s->changes;
    case FUNC_resets:
        return (double)s->resets;
    default:
        return rate_of(c, w, s, any);
    }
}

/* The window of the only step. */
static struct window only_window(const struct matrix *m)
{
    int64_t end = shift_time(&m->shift, m->grid->start_ms);
    return (struct window){.t_ms = m->grid->start_ms,
                           .end_ms = end,
                           .start_ms = end - m->range_ms,
                           .range_ms = m->range_ms,
                           .modifier = m->modifier};
}

/* Of the next series, if the windows of a rule are asked for. */
static struct edge *next_edges(const struct call *c, const struct matrix *m, size_t count)
{
    struct edges *edges = plan_node(c->ev->q, m->expr)->edges;
    return edges != NULL ? edges_at(edges, m->next, count, m->set.count) : NULL;
}

/* The next series are waited for together. */
static int ask_next(struct call *c, const struct matrix *m, const struct window *w, struct vector *out)
{
    struct view *view = c->ev->view;
    const series_ref *refs = m->set.refs + m->next;
    size_t left = m->set.count - m->next, count = left < VIEW_TOGETHER_MAX ? left : VIEW_TOGETHER_MAX;
    TRY(eval_poll(c->ev));
    if (out != NULL)
        TRY(vector_reserve(c->ev, out, c->grid, count));
    if (c->blank == NULL && count > 1)
        view_touch_labels(view, refs, count);
    c->told =
        view_windows(view, refs, next_edges(c, m, count), count, w->start_ms, w->end_ms, wish_of(call_id(c)));
    c->told_from = m->next;
    c->told_end = m->next + count;
    return 0;
}

static int add_column(struct call *c, const struct matrix *m, double value, struct vector *out)
{
    struct column *column;
    const struct labels *ls = c->blank;
    if (ls == NULL)
        ls = view_labels(c->ev->view, m->set.refs[m->next]);
    TRY(vector_add(c->ev, out, c->grid, ls, false, &column));
    column_set_float(column, 0, value);
    held_column(c->ev, column, c->grid);
    return c->doubts ? call_doubt_counter(c, column) : 0;
}

/* Whether a query may run must not depend on how the store can answer it: a window is held together with what it comes to. */
static int count_against_limit(struct evaluation *ev, int64_t most, int64_t kept)
{
    TRY(eval_hold(ev, most));
    return eval_hold(ev, kept - most);
}

/* Up to the first that is not answered. */
static int take_told(struct call *c, struct matrix *m, const struct window *w, struct vector *out)
{
    int64_t kept = 0, most = 0;
    for (; m->next < c->told_end; m->next++) {
        const struct told_window *told = &c->told[m->next - c->told_from];
        const struct window_summary *s = &told->summary;
        bool any;
        if (!told->is_told || !is_answered(c, s))
            break;
        if (c->ev->tally != NULL)
            tally_summary(c->ev, s->count);
        if (s->count == 0)
            continue;
        double value = value_of(c, w, s, &any);
        if (kept + s->count + any > most)
            most = kept + s->count + any;
        if (any && out != NULL)
            TRY(add_column(c, m, value, out));
        else if (any)
            c->floats[c->float_count++] = value;
        kept += any;
    }
    return count_against_limit(c->ev, most, kept);
}

int call_summaries(struct call *c, struct matrix *m, struct vector *out)
{
    struct window w = only_window(m);
    while (m->next < m->set.count) {
        if (m->next >= c->told_end)
            TRY(ask_next(c, m, &w, out));
        TRY(take_told(c, m, &w, out));
        if (m->next < c->told_end)
            return 0;
    }
    return 0;
}
