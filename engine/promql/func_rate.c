#include "call_priv.h"

#include <math.h>

/* A start time after the last sample (or at it, when that one has a start time too) says that the counter
 * began anew. */
static bool started_between(const struct sample *before, const struct sample *now)
{
    if (now->start_ms == 0 || now->start_ms >= now->t_ms || now->start_ms < before->t_ms)
        return false;
    if (now->start_ms > before->t_ms)
        return true;
    return before->start_ms != 0 && before->start_ms < before->t_ms;
}

bool reset_by_start(const struct call *c, const struct sample *before, const struct sample *now)
{
    return c->ev->q->options.features.start_timestamps && started_between(before, now);
}

static bool any_overlap(const struct sample_span *s)
{
    for (size_t i = 1; i < s->count; i++) {
        const struct sample *now = &s->samples[i], *before = now - 1;
        if (now->start_ms != 0 && now->start_ms < before->t_ms && now->start_ms != before->start_ms)
            return true;
    }
    return false;
}

static int warn_overlap(struct call *c, const struct sample_span *s)
{
    if (!c->ev->q->options.features.start_timestamps || !any_overlap(s))
        return 0;
    return note_count(c->ev, ANNOTATION_WARNING, call_arg(c, 0)->start,
                      "sample has start time that overlaps with previous sample timestamp for metric %s",
                      note_quote(c->ev, labels_metric(c->labels)));
}

static double reset_correction(const struct call *c, const struct window *w)
{
    const struct sample_span *s = &w->floats;
    double correction = 0;
    if (w->rising && !c->ev->q->options.features.start_timestamps)
        return correction;
    for (size_t i = 1; i < s->count; i++) {
        const struct sample *now = &s->samples[i], *before = now - 1;
        if (now->value < before->value || reset_by_start(c, before, now))
            correction += before->value;
    }
    return correction;
}

/* How much the line through the samples is drawn out to the edges of the window. */
struct stretch {
    double to_start, to_end, sampled; /* seconds */
};

/* Where a falling line would hit zero, a counter began; it is not drawn out further. */
static double limit_at_zero(const struct stretch *s, double result, double first)
{
    double zero = s->to_start;
    if (result > 0 && first >= 0)
        zero = s->sampled * (first / result);
    return zero < s->to_start ? zero : s->to_start;
}

static double stretched(const struct stretch *s)
{
    return s->sampled != 0 ? (s->sampled + s->to_start + s->to_end) / s->sampled : 1;
}

static bool begins_inside(const struct call *c, const struct window *w, const struct sample *first)
{
    return c->ev->q->options.features.start_timestamps && first->start_ms != 0 &&
           w->start_ms < first->start_ms && first->start_ms < first->t_ms;
}

/* As Prometheus 3.14 extrapolates, in its order of operations. */
bool extrapolate_between(const struct call *c, const struct window *w, const struct sample *first,
                         const struct sample *last, size_t count, struct extrapolation *x)
{
    bool counter = call_id(c) != FUNC_delta;
    struct stretch k = {
        .to_start = (double)(first->t_ms - w->start_ms) / 1000,
        .to_end = (double)(w->end_ms - last->t_ms) / 1000,
        .sampled = (double)(last->t_ms - first->t_ms) / 1000,
    };
    double average = count > 1 ? k.sampled / (double)(count - 1) : 0;
    double threshold = average * 1.1;
    x->from_start = counter && begins_inside(c, w, first);
    if (x->from_start) {
        k.to_start = 0;
        k.sampled = (double)(last->t_ms - first->start_ms) / 1000;
    } else if (count == 1) {
        return false;
    } else {
        if (k.to_start >= threshold)
            k.to_start = average / 2;
        if (counter)
            k.to_start = limit_at_zero(&k, x->increase, x->first);
    }
    if (k.to_end >= threshold)
        k.to_end = average / 2;
    x->factor = stretched(&k);
    if (call_id(c) == FUNC_rate)
        x->factor /= (double)w->range_ms / 1000;
    return true;
}

bool extrapolate(const struct call *c, const struct window *w, const struct sample_span *s,
                 struct extrapolation *x)
{
    return extrapolate_between(c, w, &s->samples[0], &s->samples[s->count - 1], s->count, x);
}

static void rate_floats(struct call *c, const struct window *w, struct cell *out)
{
    const struct sample_span *s = &w->floats;
    double first = s->samples[0].value;
    double result = s->samples[s->count - 1].value - first;
    if (call_id(c) != FUNC_delta)
        result += reset_correction(c, w);
    struct extrapolation x = {.first = first, .increase = result};
    if (!extrapolate(c, w, s, &x))
        return;
    if (x.from_start)
        result += first;
    *out = (struct cell){.kind = CELL_FLOAT, .value = result * x.factor};
}

int window_rate(struct call *c, const struct window *w, struct cell *out)
{
    if (w->modifier != RANGE_PLAIN)
        return window_extended_rate(c, w, out);
    if (w->floats.count > 0 && w->histograms.count > 0)
        return call_warn_mixed(c);
    if (call_id(c) != FUNC_delta)
        TRY(warn_overlap(c, &w->all));
    if (w->histograms.count > 0)
        return window_rate_histograms(c, w, out);
    rate_floats(c, w, out);
    return 0;
}

int window_instant_rate(struct call *c, const struct window *w, struct cell *out)
{
    if (w->all.count < 2)
        return 0;
    const struct sample *now = &w->all.samples[w->all.count - 1], *before = now - 1;
    if ((now->histogram != NULL) != (before->histogram != NULL))
        return call_warn_mixed(c);
    int64_t apart_ms = now->t_ms - before->t_ms;
    bool rate = call_id(c) == FUNC_irate;
    struct sample_span two = {before, 2};
    if (apart_ms == 0)
        return 0;
    if (now->histogram != NULL)
        return window_step_histograms(c, &two, rate ? (double)apart_ms / 1000 : 1, out);
    bool reset = rate && (now->value < before->value || reset_by_start(c, before, now));
    out->kind = CELL_FLOAT;
    out->value = reset ? now->value : now->value - before->value;
    if (rate)
        out->value /= (double)apart_ms / 1000;
    return 0;
}
