#include "call_priv.h"

#include "tocsin/kahan.h"

struct line {
    double slope, intercept;
};

static bool is_constant(const struct sample_span *s)
{
    for (size_t i = 1; i < s->count; i++)
        if (s->samples[i].value != s->samples[0].value)
            return false;
    return true;
}

/* Least squares through the floats; x is seconds since origin. */
static struct line fit(const struct sample_span *s, int64_t origin_ms)
{
    struct kahan x = {0, 0}, y = {0, 0}, xy = {0, 0}, xx = {0, 0};
    double n = (double)s->count;
    if (is_constant(s)) {
        double level = s->samples[0].value;
        return isinf(level) ? (struct line){NAN, NAN} : (struct line){0, level};
    }
    for (size_t i = 0; i < s->count; i++) {
        double at = (double)(s->samples[i].t_ms - origin_ms) / 1000, value = s->samples[i].value;
        kahan_add(&x, at);
        kahan_add(&y, value);
        kahan_add(&xy, at * value);
        kahan_add(&xx, at * at);
    }
    double sx = x.sum + x.rest, sy = y.sum + y.rest;
    double cov = xy.sum + xy.rest - sx * sy / n;
    double var = xx.sum + xx.rest - sx * sx / n;
    struct line l = {.slope = cov / var};
    l.intercept = sy / n - l.slope * sx / n;
    return l;
}

/* Two floats at least; histograms beside them are passed over, and said so. */
static int usable(struct call *c, const struct window *w, bool *ok)
{
    *ok = w->floats.count >= 2;
    return w->floats.count > 0 && w->histograms.count > 0 ? call_info_ignored(c) : 0;
}

int window_deriv(struct call *c, const struct window *w, struct cell *out)
{
    bool ok;
    TRY(usable(c, w, &ok));
    if (ok)
        *out = (struct cell){CELL_FLOAT, fit(&w->floats, w->floats.samples[0].t_ms).slope, NULL};
    return 0;
}

int window_predict_linear(struct call *c, const struct window *w, struct cell *out)
{
    bool ok;
    TRY(usable(c, w, &ok));
    if (!ok)
        return 0;
    struct line l = fit(&w->floats, w->t_ms);
    *out = (struct cell){CELL_FLOAT, l.slope * call_param(c, 0) + l.intercept, NULL};
    return 0;
}

static double smooth(const struct sample_span *s, double smoothing, double trend_factor)
{
    double before = 0, level = s->samples[0].value;
    double trend = s->samples[1].value - s->samples[0].value;
    for (size_t i = 1; i < s->count; i++) {
        if (i > 1)
            trend = trend_factor * (level - before) + (1 - trend_factor) * trend;
        double carried = (1 - smoothing) * (level + trend);
        before = level;
        level = smoothing * s->samples[i].value + carried;
    }
    return level;
}

static int check_factor(struct call *c, const char *name, double v)
{
    if (v > 0 && v < 1)
        return 0;
    return eval_fail(c->ev, ERR_EXEC, "invalid %s factor. Expected: 0 < %s < 1, got: %f", name,
                     name[0] == 's' ? "sf" : "tf", v);
}

int window_smoothing(struct call *c, const struct window *w, struct cell *out)
{
    bool ok;
    TRY(check_factor(c, "smoothing", call_param(c, 0)));
    TRY(check_factor(c, "trend", call_param(c, 1)));
    TRY(usable(c, w, &ok));
    if (ok)
        *out = (struct cell){CELL_FLOAT, smooth(&w->floats, call_param(c, 0), call_param(c, 1)), NULL};
    return 0;
}
