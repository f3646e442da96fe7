/* histogram_stat: quantiles, fractions and spread of one native histogram (Prometheus 3.14). */
#ifndef TOCSIN_PROMQL_HISTOGRAM_STAT_PRIV_H
#define TOCSIN_PROMQL_HISTOGRAM_STAT_PRIV_H

#include "tocsin/arena.h"
#include "tocsin/histogram.h"

/* What NaN observations did to a quantile. */
enum nan_effect { NAN_NONE, NAN_RESULT, NAN_SKEWED };

/* False past the arena's cap. */
bool histogram_stat_quantile(struct arena *arena, const struct histogram *h, double phi, double *out,
                             enum nan_effect *effect);
bool histogram_stat_fraction(struct arena *arena, const struct histogram *h, double lower, double upper,
                             double *out, bool *has_nan);
bool histogram_stat_variance(struct arena *arena, const struct histogram *h, double *out);

#endif
