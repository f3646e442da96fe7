#include "histogram_stat_priv.h"

#include "tocsin/kahan.h"

#include <stdint.h>

enum shape { SHAPE_LINEAR, SHAPE_POSITIVE, SHAPE_NEGATIVE };

/* One populated bucket, by rising bounds. */
struct slice {
    double lower, upper, count;
    enum shape shape;
    bool has_zero; /* 0 lies in it */
};

struct slices {
    struct slice *items;
    size_t n;
};

static void add_positive(const struct histogram *h, struct slices *s)
{
    bool custom = histogram_is_custom(h);
    for (struct histogram_walk w = {.side = &h->positive}; histogram_next(&w);) {
        double lower = histogram_lower_bound(h, w.index), upper = histogram_upper_bound(h, w.index);
        if (w.count == 0)
            continue;
        if (!custom && lower < h->zero_threshold)
            lower = fmin(h->zero_threshold, upper);
        s->items[s->n++] = (struct slice){lower, upper, w.count, custom ? SHAPE_LINEAR : SHAPE_POSITIVE,
                                          custom && lower <= 0 && upper >= 0};
    }
}

/* From the largest index, which lies farthest below zero. */
static void add_negative(const struct histogram *h, struct slices *s)
{
    size_t first = s->n;
    for (struct histogram_walk w = {.side = &h->negative}; histogram_next(&w);) {
        double near = -histogram_lower_bound(h, w.index), far = -histogram_upper_bound(h, w.index);
        if (w.count == 0)
            continue;
        if (-near < h->zero_threshold)
            near = fmax(-h->zero_threshold, far);
        s->items[s->n++] = (struct slice){far, near, w.count, SHAPE_NEGATIVE, false};
    }
    for (size_t i = first, j = s->n; i + 1 < j; i++) {
        struct slice swapped = s->items[i];
        s->items[i] = s->items[--j];
        s->items[j] = swapped;
    }
}

static bool has_counts(const struct histogram_side *side)
{
    for (size_t i = 0; i < side->bucket_count; i++)
        if (side->buckets[i] != 0)
            return true;
    return false;
}

/* The zero bucket reaches only to the side on which there are observations. */
static void add_zero(const struct histogram *h, struct slices *s)
{
    double lower = -h->zero_threshold, upper = h->zero_threshold;
    bool negative = has_counts(&h->negative), positive = has_counts(&h->positive);
    if (h->zero_count == 0)
        return;
    if (positive && !negative)
        lower = 0;
    else if (negative && !positive)
        upper = 0;
    s->items[s->n++] = (struct slice){lower, upper, h->zero_count, SHAPE_LINEAR, true};
}

static bool slice_up(struct arena *arena, const struct histogram *h, struct slices *s)
{
    *s = (struct slices){0};
    s->items = ARENA_ARRAY(arena, struct slice, h->positive.bucket_count + h->negative.bucket_count + 1);
    if (s->items == NULL)
        return false;
    add_negative(h, s);
    add_zero(h, s);
    add_positive(h, s);
    return true;
}

/* ---- quantile ---- */

static double within(const struct slice *s, double fraction)
{
    double low = log2(fabs(s->lower)), high = log2(fabs(s->upper));
    if (s->shape == SHAPE_LINEAR)
        return s->lower + (s->upper - s->lower) * fraction;
    if (s->shape == SHAPE_POSITIVE)
        return exp2(low + (high - low) * fraction);
    return -exp2(high + (low - high) * (1 - fraction));
}

static double quantile_in(const struct histogram *h, struct slice b, double rank, bool ascending,
                          double count)
{
    if (histogram_is_custom(h) && isinf(b.lower) && b.lower < 0) {
        if (b.upper <= 0)
            return b.upper;
        b.lower = 0;
    } else if (histogram_is_custom(h) && isinf(b.upper)) {
        return b.lower;
    }
    rank = ascending ? rank - (count - b.count) : count - rank;
    return within(&b, rank / b.count);
}

bool histogram_stat_quantile(struct arena *arena, const struct histogram *h, double phi, double *out,
                             enum nan_effect *effect)
{
    struct slices s;
    double count = 0;
    size_t i = 0;
    *effect = NAN_NONE;
    *out = isnan(phi) ? (double)NAN : phi < 0 ? -(double)INFINITY : phi > 1 ? (double)INFINITY : (double)NAN;
    if (isnan(phi) || phi < 0 || phi > 1 || h->count == 0 || isnan(h->count))
        return true;
    if (!slice_up(arena, h, &s))
        return false;
    bool nan_sum = isnan(h->sum), ascending = phi < 0.5 || nan_sum;
    double rank = (ascending ? phi : 1 - phi) * h->count;
    struct slice b = {0};
    for (; i < s.n; i++) {
        b = s.items[ascending ? i : s.n - 1 - i];
        count += b.count;
        if (count >= rank)
            break;
    }
    if (s.n == 0) {
        *effect = nan_sum ? NAN_RESULT : NAN_NONE;
        return true;
    }
    if (count < rank || i == s.n) { /* the rest of the observations is NaN */
        *effect = nan_sum ? NAN_RESULT : NAN_NONE;
        *out = nan_sum ? (double)NAN : b.upper;
        return true;
    }
    *out = quantile_in(h, b, rank, ascending, count);
    double total = 0;
    for (size_t k = 0; k < s.n; k++)
        total += s.items[k].count;
    if (nan_sum && total < h->count)
        *effect = NAN_SKEWED;
    return true;
}

/* ---- fraction ---- */

static double part_below(const struct slice *s, double v)
{
    double low = log2(fabs(s->lower)), high = log2(fabs(s->upper)), at = log2(fabs(v));
    if (s->shape == SHAPE_LINEAR)
        return (v - s->lower) / (s->upper - s->lower);
    if (s->shape == SHAPE_POSITIVE)
        return (at - low) / (high - low);
    return 1 - (at - high) / (low - high);
}

static double rank_of(const struct slices *s, double v)
{
    double below = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct slice *b = &s->items[i];
        if (v <= b->lower)
            return below;
        if (v < b->upper && isinf(b->lower))
            return below + b->count;
        if (v < b->upper && isinf(b->upper))
            return below;
        if (v < b->upper)
            return below + b->count * part_below(b, v);
        below += b->count;
    }
    return below;
}

static void cut_at_zero(struct slices *s)
{
    bool negative = false, positive = false;
    for (size_t i = 0; i < s->n; i++) {
        negative |= !s->items[i].has_zero && s->items[i].upper <= 0;
        positive |= !s->items[i].has_zero && s->items[i].lower >= 0;
    }
    for (size_t i = 0; i < s->n; i++) {
        if (!s->items[i].has_zero)
            continue;
        if (!negative && (positive || s->n == 1) && s->items[i].upper > 0)
            s->items[i].lower = 0;
        else if (negative && !positive && s->items[i].lower < 0)
            s->items[i].upper = 0;
    }
}

bool histogram_stat_fraction(struct arena *arena, const struct histogram *h, double lower, double upper,
                             double *out, bool *has_nan)
{
    struct slices s;
    double total = 0;
    *has_nan = false;
    *out = NAN;
    if (h->count == 0 || isnan(lower) || isnan(upper) || isnan(h->count))
        return true;
    *out = 0;
    if (lower >= upper)
        return true;
    if (!slice_up(arena, h, &s))
        return false;
    for (size_t i = 0; i < s.n; i++)
        total += s.items[i].count;
    *has_nan = isnan(h->sum) && total < h->count;
    if (histogram_is_custom(h))
        cut_at_zero(&s);
    *out = (fmin(rank_of(&s, upper), total) - fmin(rank_of(&s, lower), total)) / h->count;
    return true;
}

/* ---- spread ---- */

static double centre(const struct histogram *h, const struct slice *s)
{
    if (isinf(s->lower))
        return s->upper > 0 ? s->upper / 2 : s->upper;
    if (histogram_is_custom(h))
        return (s->lower + s->upper) / 2;
    if (s->lower <= 0 && s->upper >= 0)
        return 0;
    double mean = sqrt(s->lower * s->upper);
    return s->upper < 0 ? -mean : mean;
}

bool histogram_stat_variance(struct arena *arena, const struct histogram *h, double *out)
{
    struct slices s;
    struct kahan sum = {0, 0};
    double mean = h->sum / h->count;
    if (!slice_up(arena, h, &s))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        double delta = centre(h, &s.items[i]) - mean;
        kahan_add(&sum, s.items[i].count * delta * delta);
    }
    *out = (sum.sum + sum.rest) / h->count;
    return true;
}
