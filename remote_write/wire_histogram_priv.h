/* wire_histogram: a native histogram's message (1.0 and 2.0) as it was sent, unchecked but for its form. */
#ifndef TOCSIN_WIRE_HISTOGRAM_PRIV_H
#define TOCSIN_WIRE_HISTOGRAM_PRIV_H

#include "tocsin/arena.h"
#include "tocsin/histogram.h"
#include "tocsin/str.h"

enum wire_count { WIRE_COUNT_NONE, WIRE_COUNT_INT, WIRE_COUNT_FLOAT };

/* Deltas for integer histograms, counts for float ones. */
struct wire_side {
    struct histogram_span *spans;
    size_t span_count;
    int64_t *deltas;
    size_t delta_count;
    double *counts;
    size_t count_count;
};

struct wire_histogram {
    enum wire_count count_kind, zero_kind; /* which of the two was sent last */
    uint64_t count_int, zero_int;
    double count_float, zero_float;
    double sum, zero_threshold;
    int32_t schema, reset_hint;
    int64_t t_ms, start_ms;
    struct wire_side negative, positive;
    double *bounds;
    size_t bound_count;
};

/* Its lists are in the arena. 0, ERR_PARSE, or ERR_LIMIT (arena). 1.0 has no start timestamp. */
int wire_histogram_read(struct arena *arena, struct str message, bool v2, struct wire_histogram *out);

#endif
