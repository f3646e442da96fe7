/*
 * histogram: a native histogram in its float form, and its text forms.
 *
 * Schemas -4..8 are exponential, HISTOGRAM_CUSTOM (-53) has explicit upper bounds. Buckets are absolute counts
 * laid out by spans, as in Prometheus. Immutable once built; lives in the arena it was built in.
 *
 * Also its algebra (Prometheus 3.14): sums, multiples and counter resets, which the store and the evaluator
 * must understand alike. Quantiles and trimming belong to the evaluator.
 */
#ifndef TOCSIN_HISTOGRAM_H
#define TOCSIN_HISTOGRAM_H

#include "tocsin/arena.h"
#include "tocsin/buf.h"
#include "tocsin/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { HISTOGRAM_CUSTOM = -53 };

enum histogram_hint { HINT_UNKNOWN, HINT_RESET, HINT_NOT_RESET, HINT_GAUGE };

struct histogram_span {
    int32_t offset; /* gap to the previous span; for the first one the index of its first bucket */
    uint32_t length;
};

struct histogram_side {
    struct histogram_span *spans;
    size_t span_count;
    double *buckets; /* absolute counts, as many as the spans' lengths add up to */
    size_t bucket_count;
};

struct histogram {
    int32_t schema;
    enum histogram_hint hint;
    double count, sum;
    double zero_threshold, zero_count;
    struct histogram_side positive, negative;
    double *custom_bounds; /* upper bounds of HISTOGRAM_CUSTOM, without +Inf */
    size_t custom_count;
};

/* Walks the buckets of one side by rising index, gaps left out:
 *     for (struct histogram_walk w = {.side = &h->positive}; histogram_next(&w);)
 *         use(w.index, w.count);
 * Ends early where spans and buckets contradict each other. */
struct histogram_walk {
    const struct histogram_side *side;
    int32_t index; /* of the bucket reached, valid after histogram_next was true */
    double count;
    size_t bucket; /* its place in side->buckets */
    size_t span;   /* private from here on */
    uint32_t in_span;
    bool started;
};
bool histogram_next(struct histogram_walk *w);

/* A deep copy in the arena; NULL past its cap. */
struct histogram *histogram_copy(struct arena *arena, const struct histogram *h);

/* A copy without empty buckets and with as few spans as possible (Prometheus' Compact(0)). */
struct histogram *histogram_compact(struct arena *arena, const struct histogram *h);

/* A copy of an exponential one at a schema that is not above its own, which may be finer than 8: neighbours become one. */
struct histogram *histogram_coarsen(struct arena *arena, const struct histogram *h, int32_t schema);

/* The test language's form `{{schema:1 count:3 ...}}` (Prometheus 3.14): reads from the first '{', *used is how
 * many bytes it took; *hint_given tells whether counter_reset_hint was written. */
int histogram_parse(struct arena *arena, struct str text, size_t *used, struct histogram **h,
                    bool *hint_given, struct err *err);

/* `{count:10, sum:5.5, (0.5,1]:3}` (Prometheus 3.14). */
void histogram_print(struct buf *out, const struct histogram *h);

/* `{{schema:1 count:3 ...}}`, fields that are zero left out. */
void histogram_print_test(struct buf *out, const struct histogram *h);

/* The bounds of bucket `index` of the positive side, bit for bit Prometheus'; the negative side mirrors
 * them. Custom: an index into the bounds, below them -Inf, above them +Inf. */
double histogram_upper_bound(const struct histogram *h, int32_t index);
double histogram_lower_bound(const struct histogram *h, int32_t index);

/* The same custom bounds, by their bits. */
bool histogram_same_bounds(const struct histogram *a, const struct histogram *b);

/* Equal schema, bounds and bits of all counts; the hint is ignored (PromQL's ==). */
bool histogram_equal(const struct histogram *a, const struct histogram *b);

bool histogram_is_custom(const struct histogram *h);

/* -4..8, or HISTOGRAM_CUSTOM: what everything but the text forms asks for. */
bool histogram_schema_is_valid(int32_t schema);

/* ---- sums and multiples: new histograms in the arena --------------------------------------------------- */

/* Histograms with exponential and with custom buckets do not mix. */
enum { HISTOGRAMS_INCOMPATIBLE = 1 };

/* What is worth an annotation. Only ever set, never cleared. */
struct histogram_remarks {
    bool reconciled; /* custom bounds differed: only common ones are left */
    bool conflict;   /* one hint said reset, the other not_reset */
};

/* a + sign * b, compact, at the resolution both have. 0, HISTOGRAMS_INCOMPATIBLE or ERR_LIMIT. */
int histogram_add(struct arena *arena, const struct histogram *a, const struct histogram *b, double sign,
                  const struct histogram **out, struct histogram_remarks *remarks);

/* A sum of many, with compensation for rounding; hints are in conflict whatever came between them. Begin with *total
 * NULL. Codes as histogram_add. */
struct histogram_total;
int histogram_total_add(struct arena *arena, struct histogram_total **total, const struct histogram *h,
                        struct histogram_remarks *remarks);

/* NULL past the arena's cap, here and below. */
const struct histogram *histogram_total_finish(struct arena *arena, const struct histogram_total *total);

/* All counts and the sum times (or divided by) a factor. A negative factor makes a gauge. */
const struct histogram *histogram_multiply(struct arena *arena, const struct histogram *h, double factor);
const struct histogram *histogram_divide(struct arena *arena, const struct histogram *h, double divisor);

/* Shares all but the hint with h. */
const struct histogram *histogram_with_hint(struct arena *arena, const struct histogram *h,
                                            enum histogram_hint hint);

/* ---- counter resets ------------------------------------------------------------------------------------ */

/* Does `now` say that the counter began anew since `before`? Its hint decides if it knows; else any count that fell,
 * or a layout that could not have come from the old one. */
bool histogram_is_reset(const struct histogram *before, const struct histogram *now);

/* What a store may say of `now` behind the stored histogram `before` (NULL: there is none, or a float). A gauge stays
 * one; not_reset if the counter went on in the same layout; else unknown: whoever compares must look. */
enum histogram_hint histogram_stored_hint(const struct histogram *before, const struct histogram *now);

#endif
