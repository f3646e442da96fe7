/* histogram_math: sums and differences of native histograms. */
#ifndef TOCSIN_PROMQL_HISTOGRAM_MATH_PRIV_H
#define TOCSIN_PROMQL_HISTOGRAM_MATH_PRIV_H

#include "tocsin/arena.h"
#include "tocsin/err.h"
#include "tocsin/histogram.h"

/* One step of a series in the test language: base plus (or minus) the increment, at the base's resolution. */
int histogram_step(struct arena *arena, const struct histogram *base, const struct histogram *step,
                   bool minus, const struct histogram **out, struct err *err);

#endif
