/*
 * Windows that the store can sum up: at a single step the functions of plain ranges need no samples.
 *
 * The answers are those of the functions they stand in for (func_rate.c, func_over_time.c, func_changes.c): to the
 * bit, but for sums and averages of long windows, which agree to 1e-12.
 */
#include "call_priv.h"
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

/* Whether a query may run must not depend on how the store can answer it. */
static int count_against_limit(struct evaluation *ev, int64_t samples)
{
    TRY(eval_hold(ev, samples));
    return eval_hold(ev, -samples);
}

/* The next series are waited for together; one alone gains nothing. */
static void touch_next(struct call *c, const struct matrix *m, const struct window *w)
{
    size_t left = m->set.count - m->next;
    size_t count = left < VIEW_TOUCH_MAX ? left : VIEW_TOUCH_MAX;
    if (m->next < c->near || count < 2)
        return;
    view_touch_windows(c->ev->view, m->set.refs + m->next, count, w->start_ms, w->end_ms,
                       wish_of(call_id(c)));
    c->near = m->next + count;
}

int call_summary(struct call *c, struct matrix *m, struct cell *out, bool *answered)
{
    struct window_summary s;
    struct window w = only_window(m);
    bool any;
    *answered = false;
    *out = (struct cell){.kind = CELL_NONE};
    if (m->next == m->set.count)
        return 0;
    TRY(eval_poll(c->ev));
    touch_next(c, m, &w);
    series_ref ref = m->set.refs[m->next];
    if (!view_window(c->ev->view, ref, w.start_ms, w.end_ms, wish_of(call_id(c)), &s) || !is_answered(c, &s))
        return 0;
    tally_summary(c->ev, s.count);
    m->next++;
    m->labels = view_labels(c->ev->view, ref);
    m->drop_name = false;
    *answered = true;
    if (s.count == 0)
        return 0;
    out->value = value_of(c, &w, &s, &any);
    out->kind = any ? CELL_FLOAT : CELL_NONE;
    /* A window is held together with what it comes to. */
    return count_against_limit(c->ev, s.count + any);
}
