/* histogram_trim: the operators </ and >/ (Prometheus 3.14). */
#ifndef TOCSIN_PROMQL_HISTOGRAM_TRIM_PRIV_H
#define TOCSIN_PROMQL_HISTOGRAM_TRIM_PRIV_H

#include "tocsin/arena.h"
#include "tocsin/histogram.h"

/* What lies below (upper: above is trimmed) or above `at`; the sum is estimated anew if anything went. h
 * itself if nothing did. At NaN all goes but the zero bucket, which
 * becomes NaN. NULL past the arena's cap. */
const struct histogram *histogram_trim(struct arena *arena, const struct histogram *h, double at, bool upper);

#endif
