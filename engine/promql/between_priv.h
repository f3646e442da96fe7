/* between: the value of a series between two of its samples, on the line through them (anchored, smoothed; spec
 * prometheus 10.2). A counter that began anew in between rises from zero to the second one. */
#ifndef TOCSIN_PROMQL_BETWEEN_PRIV_H
#define TOCSIN_PROMQL_BETWEEN_PRIV_H

#include "tocsin/histogram.h"
#include "tocsin/sample.h"

double between_floats(const struct sample *a, const struct sample *b, int64_t t_ms, bool counter);

/* In the arena. 0, HISTOGRAMS_INCOMPATIBLE or ERR_LIMIT. */
int between_histograms(struct arena *arena, const struct sample *a, const struct sample *b, int64_t t_ms,
                       bool counter, const struct histogram **out, struct histogram_remarks *remarks);

#endif
