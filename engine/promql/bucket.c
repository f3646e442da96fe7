#include "bucket_priv.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static int by_bound(const void *a, const void *b)
{
    const struct bucket *x = a, *y = b;
    return (x->upper > y->upper) - (x->upper < y->upper);
}

/* Sorts, and adds up buckets that say the same bound in other words (le="1", le="1.0"). */
static size_t tidy(struct bucket *buckets, size_t count)
{
    size_t kept = 0;
    qsort(buckets, count, sizeof *buckets, by_bound);
    for (size_t i = 1; i < count; i++)
        if (buckets[i].upper == buckets[kept].upper)
            buckets[kept].count += buckets[i].count;
        else
            buckets[++kept] = buckets[i];
    return kept + 1;
}

/* Equal but for what rounding leaves. */
static bool almost_equal(double a, double b)
{
    double sum = fabs(a) + fabs(b), diff = fabs(a - b);
    if (a == b)
        return true;
    if (a == 0 || b == 0 || sum < DBL_MIN)
        return diff < 1e-12 * DBL_MIN;
    return diff / fmin(sum, DBL_MAX) < 1e-12;
}

static void note_repair(struct bucket_repair *r, const struct bucket *b, double diff)
{
    r->from = r->forced ? fmin(r->from, b->upper) : b->upper;
    r->to = r->forced ? fmax(r->to, b->upper) : b->upper;
    r->max_diff = r->forced ? fmax(r->max_diff, diff) : diff;
    r->forced = true;
}

static void make_monotonic(struct bucket *buckets, size_t count, struct bucket_repair *repair)
{
    double before = buckets[0].count;
    for (size_t i = 1; i < count; i++) {
        double now = buckets[i].count;
        bool less = now < before, rounding = almost_equal(before, now);
        if (less && !rounding)
            note_repair(repair, &buckets[i], before - now);
        if (less || rounding)
            buckets[i].count = before;
        else
            before = now; /* NaN too */
    }
}

static double within(const struct bucket *buckets, size_t at, double rank)
{
    double start = 0, end = buckets[at].upper, count = buckets[at].count;
    if (at == 0 && end <= 0)
        return end;
    if (at > 0) {
        start = buckets[at - 1].upper;
        count -= buckets[at - 1].count;
        rank -= buckets[at - 1].count;
    }
    return start + (end - start) * (rank / count);
}

/* Halving as Prometheus does matters where a NaN is among the counts. */
static size_t first_to_reach(double rank, const struct bucket *buckets, size_t count)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (buckets[middle].count >= rank)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

double bucket_quantile(double phi, struct bucket *buckets, size_t count, struct bucket_repair *repair)
{
    *repair = (struct bucket_repair){0};
    if (isnan(phi))
        return NAN;
    if (phi < 0)
        return -INFINITY;
    if (phi > 1)
        return INFINITY;
    count = tidy(buckets, count);
    if (!isinf(buckets[count - 1].upper) || buckets[count - 1].upper < 0)
        return NAN;
    make_monotonic(buckets, count, repair);
    double total = buckets[count - 1].count;
    if (count < 2 || total == 0)
        return NAN;
    double rank = phi * total;
    size_t at = first_to_reach(rank, buckets, count - 1);
    return at == count - 1 ? buckets[count - 2].upper : within(buckets, at, rank);
}

/* How many observations lie below v. */
static double rank_of(double v, const struct bucket *buckets, size_t count)
{
    double lower = buckets[0].upper > 0 ? 0 : -INFINITY, below = 0;
    for (size_t i = 0; i < count; i++) {
        double upper = buckets[i].upper, inside = buckets[i].count - below;
        if (v <= lower)
            return below;
        if (v < upper && isinf(lower))
            return buckets[i].count;
        if (v < upper)
            return isinf(upper) ? below : below + inside * ((v - lower) / (upper - lower));
        lower = upper;
        below = buckets[i].count;
    }
    return below;
}

double bucket_fraction(double lower, double upper, struct bucket *buckets, size_t count)
{
    count = tidy(buckets, count);
    double total = buckets[count - 1].count;
    if (!isinf(buckets[count - 1].upper) || buckets[count - 1].upper < 0)
        return NAN;
    if (total == 0 || isnan(lower) || isnan(upper))
        return NAN;
    if (lower >= upper)
        return 0;
    double above = fmin(rank_of(upper, buckets, count), total);
    double below = fmin(rank_of(lower, buckets, count), total);
    return (above - below) / total;
}
