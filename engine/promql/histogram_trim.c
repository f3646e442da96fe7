#include "histogram_trim_priv.h"

#include <math.h>

/* h </ v and h >/ v: what lies below (above) v is kept; a bucket that v falls into is split. */
struct trim {
    double at;
    bool upper; /* trim what is above */
    bool changed;
    double count, sum;
};

enum scale { SCALE_LINEAR, SCALE_LOG };

struct interval {
    double lower, upper, count;
    enum scale scale;
};

static double middle(const struct interval *b)
{
    if (isinf(b->lower))
        return b->upper > 0 ? b->upper / 2 : b->upper;
    if (isinf(b->upper))
        return b->lower;
    if (b->scale == SCALE_LINEAR)
        return (b->lower + b->upper) / 2;
    double mean = sqrt(b->lower * b->upper);
    return b->upper < 0 || b->lower < 0 ? -mean : mean;
}

/* The part of the bucket below v, which lies inside. */
static double part_below(const struct interval *b, double v)
{
    double low = log2(fabs(b->lower)), high = log2(fabs(b->upper)), at = log2(fabs(v));
    if (b->scale == SCALE_LINEAR)
        return (v - b->lower) / (b->upper - b->lower);
    return (at - low) / (high - low);
}

static double keep(struct trim *t, const struct interval *b, double kept, double centre)
{
    t->changed |= kept != b->count;
    t->count += kept;
    if (kept != 0)
        t->sum += kept * centre;
    return kept;
}

/* The last bucket has no end, so nothing can be said of where in it the observations lie. */
static double trim_endless(struct trim *t, const struct interval *b)
{
    if (t->upper || t->at == (double)INFINITY || (isinf(b->lower) && !isinf(t->at)))
        return keep(t, b, 0, 0);
    return keep(t, b, b->count, t->at >= b->lower ? t->at : b->lower);
}

static double trim_split(struct trim *t, const struct interval *b)
{
    double below = part_below(b, t->at);
    struct interval rest = *b;
    if (t->upper)
        rest.upper = t->at;
    else
        rest.lower = t->at;
    return keep(t, b, b->count * (t->upper ? below : 1 - below), middle(&rest));
}

static double trim_bottomless(struct trim *t, const struct interval *b)
{
    struct interval from_zero = *b;
    from_zero.lower = 0;
    if (b->upper > 0 && t->at >= 0)
        return trim_split(t, &from_zero);
    if (b->upper <= 0 && t->upper)
        return keep(t, b, b->count, t->at);
    return keep(t, b, 0, 0);
}

static double trim_bucket(struct trim *t, struct interval b)
{
    if (b.count == 0)
        return 0;
    if (isnan(t->at))
        return keep(t, &b, 0, 0);
    if (t->upper ? b.upper <= t->at : b.lower >= t->at && !isinf(b.upper))
        return keep(t, &b, b.count, middle(&b));
    if (isinf(b.upper))
        return trim_endless(t, &b);
    if (t->upper ? b.lower >= t->at : b.upper <= t->at)
        return keep(t, &b, 0, 0);
    return isinf(b.lower) ? trim_bottomless(t, &b) : trim_split(t, &b);
}

static bool has_counts(const struct histogram_side *side)
{
    for (size_t i = 0; i < side->bucket_count; i++)
        if (side->buckets[i] != 0)
            return true;
    return false;
}

static void trim_zero(struct trim *t, const struct histogram *h, struct histogram *out)
{
    struct interval b = {-h->zero_threshold, h->zero_threshold, h->zero_count, SCALE_LINEAR};
    bool negative = has_counts(&h->negative), positive = has_counts(&h->positive);
    if (positive && !negative)
        b.lower = 0;
    else if (negative && !positive)
        b.upper = 0;
    /* Prometheus divides the zero bucket, and only that one, at NaN: its count and the totals become NaN. */
    out->zero_count = isnan(t->at) && b.count > 0 ? trim_split(t, &b) : trim_bucket(t, b);
}

static void trim_positive(struct trim *t, const struct histogram *h, struct histogram *out)
{
    bool custom = histogram_is_custom(h);
    for (struct histogram_walk w = {.side = &h->positive}; histogram_next(&w);) {
        struct interval b = {histogram_lower_bound(h, w.index), histogram_upper_bound(h, w.index), w.count,
                             custom ? SCALE_LINEAR : SCALE_LOG};
        out->positive.buckets[w.bucket] = trim_bucket(t, b);
    }
}

static void trim_negative(struct trim *t, const struct histogram *h, struct histogram *out)
{
    for (struct histogram_walk w = {.side = &h->negative}; histogram_next(&w);) {
        struct interval b = {-histogram_upper_bound(h, w.index), -histogram_lower_bound(h, w.index), w.count,
                             SCALE_LOG};
        out->negative.buckets[w.bucket] = trim_bucket(t, b);
    }
}

const struct histogram *histogram_trim(struct arena *arena, const struct histogram *h, double at, bool upper)
{
    struct trim t = {.at = at, .upper = upper};
    struct histogram *out = histogram_copy(arena, h);
    if (out == NULL)
        return NULL;
    trim_negative(&t, h, out);
    trim_zero(&t, h, out);
    trim_positive(&t, h, out);
    if (!t.changed)
        return h;
    out->count = t.count;
    out->sum = t.sum;
    return histogram_compact(arena, out);
}
