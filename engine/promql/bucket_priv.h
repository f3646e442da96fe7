/* bucket: quantiles and fractions of classic histograms, given as cumulative counts per upper bound (spec
 * prometheus 10.4). */
#ifndef TOCSIN_PROMQL_BUCKET_PRIV_H
#define TOCSIN_PROMQL_BUCKET_PRIV_H

#include <stdbool.h>
#include <stddef.h>

struct bucket {
    double upper, count;
};

/* What had to be repaired to make counts rise with their bounds. */
struct bucket_repair {
    bool forced;
    double from, to, max_diff;
};

/* Both reorder and change the buckets. */
double bucket_quantile(double phi, struct bucket *buckets, size_t count, struct bucket_repair *repair);
double bucket_fraction(double lower, double upper, struct bucket *buckets, size_t count);

#endif
