#include "call_priv.h"
#include "stats_priv.h"

#include "tocsin/kahan.h"

static void put(struct cell *out, double value)
{
    *out = (struct cell){.kind = CELL_FLOAT, .value = value};
}

static int put_sample(struct call *c, const struct sample *s, struct cell *out)
{
    put(out, s->value);
    if (s->histogram == NULL)
        return 0;
    out->kind = CELL_HISTOGRAM;
    out->histogram = histogram_copy(c->ev->arena, s->histogram);
    return out->histogram != NULL ? 0 : eval_no_memory(c->ev);
}

/* The values of the floats, to be changed at will; NULL past the cap. */
static double *copy_values(struct call *c, const struct window *w)
{
    double *values = ARENA_ARRAY(&c->ev->scratch, double, w->floats.count);
    for (size_t i = 0; values != NULL && i < w->floats.count; i++)
        values[i] = w->floats.samples[i].value;
    return values;
}

/* For functions of floats that say so when they pass over histograms. False: nothing to compute. */
static int floats_alone(struct call *c, const struct window *w, bool *any)
{
    *any = w->floats.count > 0;
    return *any && w->histograms.count > 0 ? call_info_ignored(c) : 0;
}

/* sum and avg: one kind only. *any: there are floats; histograms are dealt with here. */
static int one_kind(struct call *c, const struct window *w, struct cell *out, bool *any)
{
    *any = false;
    if (w->floats.count > 0 && w->histograms.count > 0)
        return call_warn_mixed(c);
    *any = w->floats.count > 0;
    return w->histograms.count > 0 ? window_sum_histograms(c, w, out) : 0;
}

typedef double reduce_fn(struct call *c, double *values, size_t count);

/* Copies the floats, reduces them, forgets the copy. */
static int reduce(struct call *c, const struct window *w, reduce_fn *fn, struct cell *out)
{
    struct arena_mark mark = arena_mark(&c->ev->scratch);
    double *values = copy_values(c, w);
    if (values == NULL)
        return eval_no_memory(c->ev);
    put(out, fn(c, values, w->floats.count));
    arena_rewind(&c->ev->scratch, mark);
    return 0;
}

static double reduce_sum(struct call *c, double *values, size_t count)
{
    (void)c;
    return stats_sum(values, count);
}

static double reduce_avg(struct call *c, double *values, size_t count)
{
    (void)c;
    return stats_avg(values, count);
}

static double reduce_quantile(struct call *c, double *values, size_t count)
{
    return stats_quantile(call_param(c, 0), values, count);
}

/* The median of the distances from the median. */
static double reduce_mad(struct call *c, double *values, size_t count)
{
    (void)c;
    for (size_t i = 0; i < count; i++)
        if (isnan(values[i]))
            return NAN;
    double median = stats_quantile(0.5, values, count);
    for (size_t i = 0; i < count; i++)
        values[i] = fabs(values[i] - median);
    return stats_quantile(0.5, values, count);
}

int window_sum(struct call *c, const struct window *w, struct cell *out)
{
    bool any;
    TRY(one_kind(c, w, out, &any));
    return any ? reduce(c, w, reduce_sum, out) : 0;
}

int window_avg(struct call *c, const struct window *w, struct cell *out)
{
    bool any;
    TRY(one_kind(c, w, out, &any));
    return any ? reduce(c, w, reduce_avg, out) : 0;
}

int window_mad(struct call *c, const struct window *w, struct cell *out)
{
    bool any;
    TRY(floats_alone(c, w, &any));
    return any ? reduce(c, w, reduce_mad, out) : 0;
}

int window_quantile(struct call *c, const struct window *w, struct cell *out)
{
    double phi = call_param(c, 0);
    bool any;
    TRY(floats_alone(c, w, &any));
    if (any && (isnan(phi) || phi < 0 || phi > 1))
        TRY(note_add(c->ev, ANNOTATION_WARNING, call_arg(c, 0)->start,
                     "quantile value should be between 0 and 1, got %s", note_float(c->ev, phi)));
    return any ? reduce(c, w, reduce_quantile, out) : 0;
}

int window_count(struct call *c, const struct window *w, struct cell *out)
{
    (void)c;
    put(out, (double)w->all.count);
    return 0;
}

int window_present(struct call *c, const struct window *w, struct cell *out)
{
    (void)c;
    (void)w;
    put(out, 1);
    return 0;
}

int window_first(struct call *c, const struct window *w, struct cell *out)
{
    return put_sample(c, &w->all.samples[0], out);
}

int window_last(struct call *c, const struct window *w, struct cell *out)
{
    return put_sample(c, &w->all.samples[w->all.count - 1], out);
}

static bool is_max(const struct call *c)
{
    return call_id(c) == FUNC_max_over_time || call_id(c) == FUNC_ts_of_max_over_time;
}

int window_extreme(struct call *c, const struct window *w, struct cell *out)
{
    bool any;
    TRY(floats_alone(c, w, &any));
    if (!any)
        return 0;
    double best = w->floats.samples[0].value;
    for (size_t i = 1; i < w->floats.count; i++) {
        double v = w->floats.samples[i].value;
        if (is_max(c) ? stats_greater(v, best) : stats_less(v, best))
            best = v;
    }
    put(out, best);
    return 0;
}

/* The last of equals counts. */
static const struct sample *extreme_sample(struct call *c, const struct sample_span *s)
{
    const struct sample *best = &s->samples[0];
    for (size_t i = 1; i < s->count; i++) {
        double v = s->samples[i].value;
        if (v == best->value || (is_max(c) ? stats_greater(v, best->value) : stats_less(v, best->value)))
            best = &s->samples[i];
    }
    return best;
}

int window_time_of(struct call *c, const struct window *w, struct cell *out)
{
    const struct sample *s = &w->all.samples[w->all.count - 1];
    bool extreme = call_id(c) == FUNC_ts_of_min_over_time || call_id(c) == FUNC_ts_of_max_over_time;
    bool any = true;
    if (extreme)
        TRY(floats_alone(c, w, &any));
    if (!any)
        return 0;
    if (extreme)
        s = extreme_sample(c, &w->floats);
    else if (call_id(c) == FUNC_ts_of_first_over_time)
        s = &w->all.samples[0];
    put(out, (double)s->t_ms / 1000);
    return 0;
}

/* Welford's variance with compensated sums. */
static double variance(const struct sample_span *s)
{
    struct kahan mean = {0, 0}, squares = {0, 0};
    double n = 0;
    for (size_t i = 0; i < s->count; i++) {
        n++;
        double delta = s->samples[i].value - (mean.sum + mean.rest);
        kahan_add(&mean, delta / n);
        kahan_add(&squares, delta * (s->samples[i].value - (mean.sum + mean.rest)));
    }
    return (squares.sum + squares.rest) / n;
}

int window_variance(struct call *c, const struct window *w, struct cell *out)
{
    bool any;
    TRY(floats_alone(c, w, &any));
    if (!any)
        return 0;
    double v = variance(&w->floats);
    put(out, call_id(c) == FUNC_stddev_over_time ? sqrt(v) : v);
    return 0;
}
