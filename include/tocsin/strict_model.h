/*
 * strict_model: readers of strict.h for durations and labels.
 *
 * A duration that does not parse stops the reading with duration.h's words, as Go's decoder does when a value's own
 * reader refuses it.
 */
#ifndef TOCSIN_STRICT_MODEL_H
#define TOCSIN_STRICT_MODEL_H

#include "tocsin/labels.h"
#include "tocsin/strict.h"

/* For those who inherit what is not given. */
struct strict_duration {
    int64_t ms;
    bool given; /* and not null */
};

/* A map of texts as written: in file order, names unique, values possibly empty. */
struct strict_pairs {
    struct label *items;
    size_t count;
};

strict_read strict_duration;    /* struct strict_duration; Prometheus' form */
strict_read strict_duration_ms; /* int64_t */
strict_read strict_pairs;       /* struct strict_pairs */
strict_read strict_labels;      /* const struct labels *: the pairs as a set, in the arena */

/* int64_t: Go's form, or a whole number of nanoseconds; more than nothing is at least 1 ms. Ill-typed text is a
 * problem, not a stop: "cannot unmarshal !!str `x` into time.Duration". */
strict_read strict_go_duration_ms;

#endif
