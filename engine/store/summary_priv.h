/*
 * summary: what the floats of a stretch of samples come to (struct window_summary), sample by sample or stretch by
 * stretch, always in time order. A zeroed one is that of no samples.
 */
#ifndef TOCSIN_STORE_SUMMARY_PRIV_H
#define TOCSIN_STORE_SUMMARY_PRIV_H

#include "group_priv.h"
#include "tocsin/view.h"

/* Stale markers are passed over. What is not wished for may be left as it was. */
void summary_add(struct window_summary *s, const struct point *points, size_t count);
void summary_add_wished(struct window_summary *s, const struct point *points, size_t count,
                        enum window_wish wish);

/* The bounds alone, by those of what comes later. NaN gives way to everything. */
void summary_widen(struct window_summary *s, double min, double max);

/* Adds to the sum alone, without rounding. */
void summary_add_whole(struct window_summary *s, int64_t sum);

/*
 * Appends a later stretch. False, and nothing is changed, if resets are asked for and that might round the counter
 * correction differently from sample by sample: additions to it must keep their order unless they are exact, and of
 * several resets inside `later` only the total is known. Its samples have to be added then.
 */
bool summary_join(struct window_summary *s, const struct window_summary *later, enum window_wish wish);

#endif
