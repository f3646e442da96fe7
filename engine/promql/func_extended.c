#include "between_priv.h"
#include "call_priv.h"

/* anchored and smoothed ranges (Prometheus 3.14): the values at the edges of the range are real or
 * interpolated, and nothing is drawn out beyond them. */

static size_t first_index(const struct window *w, const struct sample_span *s)
{
    size_t first = 0;
    for (size_t i = 0; i + 1 < s->count && s->samples[i].t_ms <= w->start_ms; i++)
        first = i;
    return first;
}

static size_t last_index(const struct window *w, const struct sample_span *s)
{
    size_t last = s->count - 1;
    if (w->modifier == RANGE_ANCHORED)
        return last;
    for (size_t i = 0; i < last; i++)
        if (s->samples[i].t_ms >= w->end_ms)
            return i;
    return last;
}

bool extended_range(const struct window *w, const struct sample_span *samples, struct extended_range *out)
{
    const struct sample *s = samples->samples;
    bool smoothed = w->modifier == RANGE_SMOOTHED;
    if (samples->count == 0)
        return false;
    size_t first = first_index(w, samples), last = last_index(w, samples);
    if (s[last].t_ms <= w->start_ms || (smoothed && s[first].t_ms > w->end_ms))
        return false;
    *out = (struct extended_range){.first = &s[first], .last = &s[last]};
    out->left_between = smoothed && s[first].t_ms < w->start_ms && first + 1 < samples->count;
    out->right_between = smoothed && s[last].t_ms > w->end_ms && last > 0;
    size_t from = first, to = last + 1;
    while (from < to && s[from].t_ms <= w->start_ms)
        from++;
    while (to > from && s[to - 1].t_ms >= w->end_ms)
        to--;
    out->inside = (struct sample_span){s + from, to - from};
    return true;
}

struct extended_edges extended_edges(const struct window *w, const struct extended_range *x, bool counter)
{
    struct extended_edges e = {.left = *x->first, .right = *x->last};
    if (x->left_between)
        e.left.value = between_floats(x->first, x->first + 1, w->start_ms, counter);
    if (x->right_between)
        e.right.value = between_floats(x->last - 1, x->last, w->end_ms, counter);
    return e;
}

static bool is_counter(const struct call *c)
{
    return call_id(c) == FUNC_rate || call_id(c) == FUNC_increase;
}

static double corrections(const struct call *c, const struct sample *left, const struct sample *right,
                          const struct sample_span *inside)
{
    double sum = 0;
    const struct sample *before = left;
    for (size_t i = 0; i <= inside->count; i++) {
        const struct sample *now = i < inside->count ? &inside->samples[i] : right;
        if (now->value < before->value || (now != right && before != left && reset_by_start(c, before, now)))
            sum += before->value;
        before = now;
    }
    return sum;
}

static void extended_floats(struct call *c, const struct window *w, const struct extended_range *x,
                            struct cell *out)
{
    struct extended_edges e = extended_edges(w, x, is_counter(c));
    out->kind = CELL_FLOAT;
    out->value = e.right.value - e.left.value;
    if (is_counter(c))
        out->value += corrections(c, &e.left, &e.right, &x->inside);
    if (call_id(c) == FUNC_rate)
        out->value /= (double)w->range_ms / 1000;
}

int window_extended_rate(struct call *c, const struct window *w, struct cell *out)
{
    struct extended_range x;
    bool histograms = w->histograms.count > 0;
    if (w->floats.count > 0 && histograms)
        return call_warn_mixed(c);
    if (!extended_range(w, histograms ? &w->histograms : &w->floats, &x))
        return 0;
    if (histograms)
        return window_extended_histograms(c, w, &x, out);
    extended_floats(c, w, &x, out);
    return 0;
}
