#include "stats_priv.h"

#include "tocsin/kahan.h"

#include <stdlib.h>

double stats_sum(const double *values, size_t count)
{
    struct kahan k = {0, 0};
    for (size_t i = 0; i < count; i++)
        kahan_add(&k, values[i]);
    return kahan_sum(&k);
}

/* The mean of all values, given the sum of the first `done` of them, without ever forming the whole sum. */
static double incremental_avg(const double *values, size_t count, size_t done, struct kahan sum)
{
    double n = (double)done;
    struct kahan mean = {sum.sum / n, sum.rest / n};
    for (size_t i = done; i < count; i++) {
        n = (double)(i + 1);
        double q = (n - 1) / n;
        mean = (struct kahan){q * mean.sum, q * mean.rest};
        kahan_add(&mean, values[i] / n);
    }
    return mean.sum + mean.rest;
}

double stats_avg(const double *values, size_t count)
{
    struct kahan k = {0, 0};
    for (size_t i = 0; i < count; i++) {
        struct kahan next = k;
        kahan_add(&next, values[i]);
        if (isinf(next.sum) && i > 0)
            return incremental_avg(values, count, i, k);
        k = next;
    }
    return k.sum / (double)count + k.rest / (double)count;
}

double stats_min(const double *values, size_t count)
{
    double best = values[0];
    for (size_t i = 1; i < count; i++)
        best = stats_less(values[i], best) ? values[i] : best;
    return best;
}

double stats_max(const double *values, size_t count)
{
    double best = values[0];
    for (size_t i = 1; i < count; i++)
        best = stats_greater(values[i], best) ? values[i] : best;
    return best;
}

/* NaN sorts first. */
static int compare_values(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    if (isnan(x) || isnan(y))
        return (isnan(y) != 0) - (isnan(x) != 0);
    return (x > y) - (x < y);
}

double stats_quantile(double phi, double *values, size_t count)
{
    if (isnan(phi))
        return NAN;
    if (phi < 0)
        return -INFINITY;
    if (phi > 1)
        return INFINITY;
    qsort(values, count, sizeof *values, compare_values);
    double rank = phi * (double)(count - 1);
    size_t low = (size_t)floor(rank);
    size_t high = low + 1 < count ? low + 1 : count - 1;
    double weight = rank - floor(rank);
    return values[low] * (1 - weight) + values[high] * weight;
}
