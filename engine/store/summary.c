#include "summary_priv.h"

#include "tocsin/kahan.h"
#include "tocsin/sample.h"

/* 2^32 values below it have a sum in range. */
#define HUGE_VALUE_FROM 0x1p990

static bool is_whole(double v)
{
    return v >= 0 && v <= 0x1p53 && (double)(int64_t)v == v;
}

/* A value below `before` follows it. */
static void fall(struct window_summary *s, double before)
{
    s->resets++;
    s->correction += before;
    s->whole_resets = s->whole_resets && is_whole(before) && s->correction <= 0x1p53;
}

/* Another one follows `last`. */
static void step(struct window_summary *s, double v)
{
    if (v < s->last)
        fall(s, s->last);
    s->changes += v != s->last && !(isnan(v) && isnan(s->last));
}

void summary_widen(struct window_summary *s, double min, double max)
{
    if (min < s->min || isnan(s->min))
        s->min = min;
    if (max > s->max || isnan(s->max))
        s->max = max;
}

static void begin(struct window_summary *s, const struct point *p)
{
    *s = (struct window_summary){.first_ms = p->t_ms,
                                 .first = p->value,
                                 .last = p->value,
                                 .min = p->value,
                                 .max = p->value,
                                 .has_starts = s->has_starts,
                                 .whole_resets = true};
}

/* ---- any values ---- */

static void add(struct window_summary *s, const struct point *p)
{
    double v = p->value;
    if (s->count == 0)
        begin(s, p);
    step(s, v);
    summary_widen(s, v, v);
    s->count++;
    s->last_ms = p->t_ms;
    s->last = v;
    if (fabs(v) < HUGE_VALUE_FROM)
        return;
    s->has_nan |= isnan(v) != 0;
    s->has_inf |= isinf(v) != 0;
    s->has_huge |= isfinite(v) != 0;
}

static void add_each(struct window_summary *s, const struct point *points, size_t count)
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

/* ---- plain values: finite and not huge, so that each part of the summary may go its own way ---- */

static bool are_plain(const struct point *points, size_t count)
{
    bool plain = true;
    for (size_t i = 0; i < count; i++)
        plain &= fabs(points[i].value) < HUGE_VALUE_FROM;
    return plain;
}

static void add_falls(struct window_summary *s, const struct point *points, size_t count)
{
    uint64_t falls = 0; /* a bit for each value before one */
    for (size_t i = 1; i < count; i++)
        falls |= (uint64_t)(points[i].value < points[i - 1].value) << (i - 1);
    if (points[0].value < s->last)
        fall(s, s->last);
    for (; falls != 0; falls &= falls - 1)
        fall(s, points[__builtin_ctzll(falls)].value);
}

static void add_changes(struct window_summary *s, const struct point *points, size_t count)
{
    uint32_t changes = points[0].value != s->last;
    for (size_t i = 1; i < count; i++)
        changes += points[i].value != points[i - 1].value;
    s->changes += changes;
}

static void add_bounds(struct window_summary *s, const struct point *points, size_t count)
{
    double min = points[0].value, max = min;
    for (size_t i = 1; i < count; i++) {
        min = points[i].value < min ? points[i].value : min;
        max = points[i].value > max ? points[i].value : max;
    }
    summary_widen(s, min, max);
}

/* Knuth's sum of two without a branch: kahan_add for what does not overflow. */
static void add_plain(struct kahan *k, double x)
{
    double sum = k->sum + x, back = sum - k->sum;
    k->rest += (k->sum - (sum - back)) + (x - back);
    k->sum = sum;
}

/* Few are summed up in their order, as whoever reads them would; many in four sums, which do not wait for each
 * other. */
static void add_sum(struct window_summary *s, const struct point *points, size_t count)
{
    enum { LANES = 4, FEW = 32 };
    struct kahan lane[LANES] = {{s->sum, s->rest}};
    size_t i = 0;
    for (; count >= FEW && i + LANES <= count; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            add_plain(&lane[k], points[i + k].value);
    for (; i < count; i++)
        add_plain(&lane[0], points[i].value);
    for (size_t k = 1; k < LANES && count >= FEW; k++) {
        add_plain(&lane[0], lane[k].sum);
        lane[0].rest += lane[k].rest;
    }
    s->sum = lane[0].sum;
    s->rest = lane[0].rest;
}

static void add_run(struct window_summary *s, const struct point *points, size_t count, enum window_wish wish)
{
    if (!are_plain(points, count)) {
        add_each(s, points, count);
        return;
    }
    if (s->count == 0)
        begin(s, points);
    if ((wish & WINDOW_RESETS) != 0)
        add_falls(s, points, count);
    if ((wish & WINDOW_CHANGES) != 0)
        add_changes(s, points, count);
    if ((wish & WINDOW_BOUNDS) != 0)
        add_bounds(s, points, count);
    if ((wish & WINDOW_SUM) != 0)
        add_sum(s, points, count);
    s->count += (uint32_t)count;
    s->last_ms = points[count - 1].t_ms;
    s->last = points[count - 1].value;
}

void summary_add_wished(struct window_summary *s, const struct point *points, size_t count,
                        enum window_wish wish)
{
    enum { RUN = 64 }; /* bits of a word */
    for (size_t i = 0; i < count; i += RUN)
        add_run(s, points + i, count - i < RUN ? count - i : RUN, wish);
}

void summary_add(struct window_summary *s, const struct point *points, size_t count)
{
    summary_add_wished(s, points, count, WINDOW_ALL);
}

void summary_add_whole(struct window_summary *s, int64_t sum)
{
    struct kahan k = {s->sum, s->rest};
    double high = (double)sum;
    kahan_add(&k, high);
    if ((int64_t)high != sum)
        kahan_add(&k, (double)(sum - (int64_t)high));
    s->sum = k.sum;
    s->rest = k.rest;
}

/* ---- stretches ---- */

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
    s->has_nan |= later->has_nan;
    s->has_inf |= later->has_inf;
    s->has_huge |= later->has_huge;
}

bool summary_join(struct window_summary *s, const struct window_summary *later, enum window_wish wish)
{
    if (later->count == 0)
        return true;
    if (s->count == 0) {
        bool has_starts = s->has_starts;
        *s = *later;
        s->has_starts |= has_starts;
        return true;
    }
    if ((wish & WINDOW_RESETS) != 0 && !joins_exactly(s, later))
        return false;
    step(s, later->first);
    if (later->resets > 0) {
        s->resets += later->resets;
        s->correction += later->correction;
        s->whole_resets = s->whole_resets && later->whole_resets && s->correction <= 0x1p53;
    }
    if ((wish & WINDOW_BOUNDS) != 0)
        summary_widen(s, later->min, later->max);
    if ((wish & WINDOW_SUM) != 0)
        join_sums(s, later);
    s->has_starts |= later->has_starts;
    s->changes += later->changes;
    s->count += later->count;
    s->last_ms = later->last_ms;
    s->last = later->last;
    return true;
}
