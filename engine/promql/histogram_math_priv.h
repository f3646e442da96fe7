/*
 * histogram_math: sums, differences, multiples and resets of native histograms (spec prometheus 1.5).
 *
 * Results are new, compact histograms in the arena; NULL in *out never comes with 0. Histograms with
 * exponential and with custom buckets do not mix: HISTOGRAMS_INCOMPATIBLE.
 */
#ifndef TOCSIN_PROMQL_HISTOGRAM_MATH_PRIV_H
#define TOCSIN_PROMQL_HISTOGRAM_MATH_PRIV_H

#include "tocsin/arena.h"
#include "tocsin/err.h"
#include "tocsin/histogram.h"

enum { HISTOGRAMS_INCOMPATIBLE = 1 };

/* What is worth an annotation. */
struct histogram_remarks {
    bool reconciled; /* custom bounds differed: only common ones are left */
    bool conflict;   /* one hint said reset, the other not_reset */
};

/* a + sign * b. 0, HISTOGRAMS_INCOMPATIBLE or ERR_LIMIT. remarks are only ever set, never cleared. */
int histogram_add(struct arena *arena, const struct histogram *a, const struct histogram *b, double sign,
                  const struct histogram **out, struct histogram_remarks *remarks);

/* A sum of many, with compensation for rounding. Begin with *total NULL. Codes as histogram_add. */
struct histogram_total;
int histogram_total_add(struct arena *arena, struct histogram_total **total, const struct histogram *h,
                        struct histogram_remarks *remarks);
const struct histogram *histogram_total_finish(struct arena *arena, const struct histogram_total *total);

/* All counts and the sum times (or divided by) a factor. A negative factor makes a gauge. */
const struct histogram *histogram_multiply(struct arena *arena, const struct histogram *h, double factor);
const struct histogram *histogram_divide(struct arena *arena, const struct histogram *h, double divisor);

const struct histogram *histogram_with_hint(struct arena *arena, const struct histogram *h,
                                            enum histogram_hint hint);

/* What lies below (upper: above is trimmed) or above `at`; the sum is estimated anew if anything went. h
 * itself if nothing did. at is not NaN. histogram_trim.c */
const struct histogram *histogram_trim(struct arena *arena, const struct histogram *h, double at, bool upper);

/* Does `now` say that the counter began anew since `before`? false past the arena's cap. */
bool histogram_is_reset(struct arena *arena, const struct histogram *before, const struct histogram *now);

bool histogram_is_custom(const struct histogram *h);

/* One step of a series in the test language: base plus (or minus) the increment, at the base's resolution. */
int histogram_step(struct arena *arena, const struct histogram *base, const struct histogram *step,
                   bool minus, const struct histogram **out, struct err *err);

#endif
