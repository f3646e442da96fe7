/* stats: what aggregations and *_over_time functions compute alike. All lists have at least one value. */
#ifndef TOCSIN_PROMQL_STATS_PRIV_H
#define TOCSIN_PROMQL_STATS_PRIV_H

#include <stddef.h>

double stats_sum(const double *values, size_t count);
double stats_avg(const double *values, size_t count);
double stats_min(const double *values, size_t count);
double stats_max(const double *values, size_t count);

/* Linear interpolation on rank phi * (count - 1); sorts the values. */
double stats_quantile(double phi, double *values, size_t count);

/* Does `a` take the place of `b` as the smallest (largest)? NaN gives way to everything. */
static inline int stats_less(double a, double b)
{
    return a < b || b != b;
}
static inline int stats_greater(double a, double b)
{
    return a > b || b != b;
}

#endif
