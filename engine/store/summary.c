#include "summary_priv.h"

#include "tocsin/kahan.h"
#include "tocsin/sample.h"

/* 2^32 values below it have a sum in range. */
#define HUGE_VALUE_FROM 0x1p990

static bool is_whole(double v)
{
    return v >= 0 && v <= 0x1p53 && (double)(int64_t)v == v;
}

/* Another one follows `last`. */
static void step(struct window_summary *s, double v)
{
    if (v < s->last) {
        s->resets++;
        s->correction += s->last;
        s->whole_resets = s->whole_resets && is_whole(s->last) && s->correction <= 0x1p53;
    }
    s->changes += v != s->last && !(isnan(v) && isnan(s->last));
}

/* NaN gives way to everything. */
static void widen(struct window_summary *s, double min, double max)
{
    if (min < s->min || isnan(s->min))
        s->min = min;
    if (max > s->max || isnan(s->max))
        s->max = max;
}

static void begin(struct window_summary *s, const struct point *p)
{
    *s = (struct window_summary){
        .first_ms = p->t_ms, .first = p->value, .min = p->value, .max = p->value, .whole_resets = true};
}

static void add(struct window_summary *s, const struct point *p)
{
    double v = p->value;
    if (s->count == 0) {
        begin(s, p);
    } else {
        step(s, v);
        widen(s, v, v);
    }
    s->count++;
    s->last_ms = p->t_ms;
    s->last = v;
    if (fabs(v) < HUGE_VALUE_FROM)
        return;
    s->has_nan |= isnan(v) != 0;
    s->has_inf |= isinf(v) != 0;
    s->has_huge |= isfinite(v) != 0;
}

void summary_add(struct window_summary *s, const struct point *points, size_t count)
{
    struct window_summary now = *s;
    struct kahan k = {s->sum, s->rest};
    for (size_t i = 0; i < count; i++) {
        if (is_stale_nan(points[i].value))
            continue;
        add(&now, &points[i]);
        kahan_add(&k, points[i].value);
    }
    *s = now;
    s->sum = k.sum;
    s->rest = k.rest;
}

static bool joins_exactly(const struct window_summary *s, const struct window_summary *later)
{
    if (later->resets <= 1)
        return true;
    double before = s->correction + (later->first < s->last ? s->last : 0);
    return later->whole_resets && is_whole(before) && is_whole(before + later->correction);
}

static void join_sums(struct window_summary *s, const struct window_summary *later)
{
    struct kahan k = {s->sum, s->rest};
    kahan_add(&k, later->sum);
    s->sum = k.sum;
    s->rest = k.rest + later->rest;
}

bool summary_join(struct window_summary *s, const struct window_summary *later, enum window_wish wish)
{
    if (later->count == 0)
        return true;
    if (s->count == 0) {
        *s = *later;
        return true;
    }
    if (!joins_exactly(s, later))
        return false;
    step(s, later->first);
    widen(s, later->min, later->max);
    if (wish == WINDOW_WHOLE)
        join_sums(s, later);
    s->correction += later->correction;
    s->whole_resets = s->whole_resets && later->whole_resets && s->correction <= 0x1p53;
    s->count += later->count;
    s->resets += later->resets;
    s->changes += later->changes;
    s->last_ms = later->last_ms;
    s->last = later->last;
    s->has_nan |= later->has_nan;
    s->has_inf |= later->has_inf;
    s->has_huge |= later->has_huge;
    return true;
}
