#include "call_priv.h"

/* anchored and smoothed ranges (spec prometheus 10.2): the values at the edges of the range are real or
 * interpolated, and nothing is drawn out beyond them. */

static size_t first_index(const struct window *w)
{
    const struct sample *s = w->floats.samples;
    size_t first = 0;
    for (size_t i = 0; i + 1 < w->floats.count && s[i].t_ms <= w->start_ms; i++)
        first = i;
    return first;
}

static size_t last_index(const struct window *w)
{
    size_t last = w->floats.count - 1;
    if (w->modifier == RANGE_ANCHORED)
        return last;
    for (size_t i = 0; i < last; i++)
        if (w->floats.samples[i].t_ms >= w->end_ms)
            return i;
    return last;
}

static double on_line(const struct sample *a, const struct sample *b, int64_t t_ms, bool counter)
{
    double from = counter && b->value < a->value ? 0 : a->value;
    return from + (b->value - from) * (double)(t_ms - a->t_ms) / (double)(b->t_ms - a->t_ms);
}

static bool is_counter(const struct call *c)
{
    return call_id(c) == FUNC_rate || call_id(c) == FUNC_increase;
}

bool extended_edges(const struct window *w, bool counter, struct extended_edges *out)
{
    const struct sample *s = w->floats.samples;
    bool smoothed = w->modifier == RANGE_SMOOTHED;
    if (w->floats.count == 0)
        return false;
    size_t first = first_index(w), last = last_index(w);
    if (s[last].t_ms <= w->start_ms || (smoothed && s[first].t_ms > w->end_ms))
        return false;
    out->left = s[first];
    out->right = s[last];
    if (smoothed && s[first].t_ms < w->start_ms && first + 1 < w->floats.count)
        out->left.value = on_line(&s[first], &s[first + 1], w->start_ms, counter);
    if (smoothed && s[last].t_ms > w->end_ms && last > 0)
        out->right.value = on_line(&s[last - 1], &s[last], w->end_ms, counter);
    size_t from = first, to = last + 1;
    while (from < to && s[from].t_ms <= w->start_ms)
        from++;
    while (to > from && s[to - 1].t_ms >= w->end_ms)
        to--;
    out->inside = (struct sample_span){s + from, to - from};
    return true;
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

int window_extended_rate(struct call *c, const struct window *w, struct cell *out)
{
    struct extended_edges e;
    if (w->floats.count > 0 && w->histograms.count > 0)
        return call_warn_mixed(c);
    if (w->histograms.count > 0)
        return call_no_histograms(c);
    if (!extended_edges(w, is_counter(c), &e))
        return 0;
    out->kind = CELL_FLOAT;
    out->value = e.right.value - e.left.value;
    if (is_counter(c))
        out->value += corrections(c, &e.left, &e.right, &e.inside);
    if (call_id(c) == FUNC_rate)
        out->value /= (double)w->range_ms / 1000;
    return 0;
}
