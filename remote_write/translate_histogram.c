/* Native histograms: from deltas or counts on the wire to absolute counts, with Prometheus' checks. */
#include "push_priv.h"

#include <math.h>

enum {
    SCHEMA_MIN = -4,
    SCHEMA_MAX = 8,
    SCHEMA_WIRE_MAX = 52, /* finer ones are legal on the wire and reduced to SCHEMA_MAX */
    BUCKET_INDEX_MAX = 1 << 30
};

/* One side as it comes: deltas for integer histograms, counts for float ones. */
struct wire_side {
    Prometheus__BucketSpan *const *spans;
    size_t span_count;
    const int64_t *deltas;
    const double *counts;
    size_t bucket_count;
};

static bool is_float(const Prometheus__Histogram *h)
{
    return h->count_case == PROMETHEUS__HISTOGRAM__COUNT_COUNT_FLOAT;
}

static uint64_t wire_zero_int(const Prometheus__Histogram *h)
{
    return h->zero_count_case == PROMETHEUS__HISTOGRAM__ZERO_COUNT_ZERO_COUNT_INT ? h->zero_count_int : 0;
}

static double wire_zero(const Prometheus__Histogram *h)
{
    bool floats = h->zero_count_case == PROMETHEUS__HISTOGRAM__ZERO_COUNT_ZERO_COUNT_FLOAT;
    return floats ? h->zero_count_float : (double)wire_zero_int(h);
}

static struct wire_side positive_side(const Prometheus__Histogram *h)
{
    return (struct wire_side){h->positive_spans, h->n_positive_spans, h->positive_deltas, h->positive_counts,
                              is_float(h) ? h->n_positive_counts : h->n_positive_deltas};
}

static struct wire_side negative_side(const Prometheus__Histogram *h)
{
    return (struct wire_side){h->negative_spans, h->n_negative_spans, h->negative_deltas, h->negative_counts,
                              is_float(h) ? h->n_negative_counts : h->n_negative_deltas};
}

/* Spans may not run backwards, nor promise other buckets than there are. *end: the index behind the last bucket. */
static int check_spans(const struct wire_side *from, const char *side, int64_t *end, struct err *err)
{
    uint64_t promised = 0;
    *end = 0;
    for (size_t i = 0; i < from->span_count; i++) {
        const Prometheus__BucketSpan *span = from->spans[i];
        if (i > 0 && span->offset < 0)
            return err_set(err, ERR_PARSE,
                           "%s side: span number %zu with offset %d: histogram has a span whose "
                           "offset is negative",
                           side, i + 1, span->offset);
        promised += span->length;
        *end += (int64_t)span->offset + span->length;
        if (promised > from->bucket_count || *end > BUCKET_INDEX_MAX || *end < -BUCKET_INDEX_MAX)
            break;
    }
    if (*end > BUCKET_INDEX_MAX || *end < -BUCKET_INDEX_MAX)
        return err_set(err, ERR_PARSE, "%s side: bucket index out of range", side);
    if (promised != from->bucket_count)
        return err_set(err, ERR_PARSE,
                       "%s side: spans need %llu buckets, have %zu buckets: histogram spans "
                       "specify different number of buckets than provided",
                       side, (unsigned long long)promised, from->bucket_count);
    return 0;
}

static int negative_count(const char *side, size_t i, struct err *err)
{
    return err_set(err, ERR_PARSE,
                   "%s side: bucket number %zu has observation count below 0: histogram has a "
                   "bucket whose observation count is negative",
                   side, i + 1);
}

/* Running sums of the deltas; *total grows by all counts. */
static int take_deltas(const struct wire_side *from, const char *side, double *to, uint64_t *total,
                       struct err *err)
{
    int64_t count = 0;
    for (size_t i = 0; i < from->bucket_count; i++) {
        if (__builtin_add_overflow(count, from->deltas[i], &count) || count < 0)
            return negative_count(side, i, err);
        if (__builtin_add_overflow(*total, (uint64_t)count, total))
            return err_set(err, ERR_PARSE, "%s side: more observations than can be counted", side);
        to[i] = (double)count;
    }
    return 0;
}

static int take_counts(const struct wire_side *from, const char *side, double *to, struct err *err)
{
    for (size_t i = 0; i < from->bucket_count; i++) {
        if (from->counts[i] < 0)
            return negative_count(side, i, err);
        to[i] = from->counts[i];
    }
    return 0;
}

static int take_side(struct arena *arena, const struct wire_side *from, const char *side, bool floats,
                     struct histogram_side *to, uint64_t *total, struct err *err)
{
    int64_t end;
    int rc = check_spans(from, side, &end, err);
    if (rc != 0)
        return rc;
    to->span_count = from->span_count;
    to->bucket_count = from->bucket_count;
    to->spans = ARENA_ARRAY(arena, struct histogram_span, to->span_count);
    to->buckets = ARENA_ARRAY(arena, double, to->bucket_count);
    if (to->spans == NULL || to->buckets == NULL)
        return err_set(err, ERR_LIMIT, "no memory");
    for (size_t i = 0; i < to->span_count; i++)
        to->spans[i] = (struct histogram_span){from->spans[i]->offset, from->spans[i]->length};
    return floats ? take_counts(from, side, to->buckets, err)
                  : take_deltas(from, side, to->buckets, total, err);
}

/* Buckets of an integer histogram add up to its count; observations of NaN are in no bucket. */
static int check_total(const Prometheus__Histogram *from, uint64_t total, struct err *err)
{
    uint64_t count = from->count_case == PROMETHEUS__HISTOGRAM__COUNT_COUNT_INT ? from->count_int : 0;
    if (isnan(from->sum) ? total <= count : total == count)
        return 0;
    return err_set(err, ERR_PARSE,
                   "%llu observations found in buckets, but the Count field is %llu: histogram's "
                   "observation count should %s the number of observations found in the buckets",
                   (unsigned long long)total, (unsigned long long)count,
                   isnan(from->sum) ? "be at least" : "equal");
}

static int check_bounds(const Prometheus__Histogram *from, struct err *err)
{
    for (size_t i = 0; i < from->n_custom_values; i++) {
        if (i > 0 && from->custom_values[i] <= from->custom_values[i - 1])
            return err_set(err, ERR_PARSE, "histogram custom bounds must be in strictly increasing order");
        if (!isfinite(from->custom_values[i]))
            return err_set(err, ERR_PARSE, "histogram custom bounds must be finite");
    }
    return 0;
}

static int check_custom(const Prometheus__Histogram *from, struct err *err)
{
    struct wire_side positive = positive_side(from);
    int64_t end;
    int rc = check_bounds(from, err);
    if (rc == 0)
        rc = check_spans(&positive, "positive", &end, err);
    if (rc != 0)
        return rc;
    if (positive.span_count > 0 && positive.spans[0]->offset < 0)
        return err_set(err, ERR_PARSE, "custom buckets: histogram has a span whose offset is negative");
    if (end > (int64_t)from->n_custom_values + 1)
        return err_set(err, ERR_PARSE,
                       "custom buckets: only %zu custom bounds defined which is insufficient to "
                       "cover total span length of %lld",
                       from->n_custom_values, (long long)end);
    if (from->zero_threshold != 0 || wire_zero(from) != 0)
        return err_set(err, ERR_PARSE, "custom buckets: must have zero count of 0 and zero threshold of 0");
    if (from->n_negative_spans > 0 || from->n_negative_deltas > 0 || from->n_negative_counts > 0)
        return err_set(err, ERR_PARSE, "custom buckets: must not have negative spans or buckets");
    return 0;
}

static int check_schema(const Prometheus__Histogram *from, struct err *err)
{
    if (from->schema == HISTOGRAM_CUSTOM)
        return check_custom(from, err);
    if (from->schema < SCHEMA_MIN || from->schema > SCHEMA_WIRE_MAX)
        return err_set(err, ERR_PARSE, "histogram has an invalid schema, got %d", from->schema);
    if (from->n_custom_values > 0)
        return err_set(err, ERR_PARSE, "histogram with exponential schema must not have custom bounds");
    return 0;
}

static struct histogram *take_scalars(struct arena *arena, const Prometheus__Histogram *from)
{
    struct histogram *h = ARENA_NEW(arena, struct histogram);
    if (h == NULL)
        return NULL;
    h->schema = from->schema;
    h->hint = from->reset_hint >= 0 && from->reset_hint <= HINT_GAUGE ? (enum histogram_hint)from->reset_hint
                                                                      : HINT_UNKNOWN;
    h->sum = from->sum;
    h->count = is_float(from) ? from->count_float : (double)from->count_int;
    h->zero_threshold = from->zero_threshold;
    h->zero_count = wire_zero(from);
    h->custom_count = from->n_custom_values;
    h->custom_bounds = arena_copy(arena, from->custom_values, from->n_custom_values, sizeof(double));
    return h->custom_bounds != NULL ? h : NULL;
}

static int check_counts(const struct histogram *h, struct err *err)
{
    if (h->zero_count < 0)
        return err_set(err, ERR_PARSE,
                       "zero bucket has observation count of %g: histogram has a bucket whose "
                       "observation count is negative",
                       h->zero_count);
    if (h->count < 0)
        return err_set(err, ERR_PARSE,
                       "observation count field is %g: histogram's observation count is negative", h->count);
    return 0;
}

static int take_sides(struct arena *arena, const Prometheus__Histogram *from, struct histogram *h,
                      struct err *err)
{
    bool floats = is_float(from);
    struct wire_side positive = positive_side(from);
    struct wire_side negative = negative_side(from);
    uint64_t total = wire_zero_int(from);
    int rc = take_side(arena, &negative, "negative", floats, &h->negative, &total, err);
    if (rc == 0)
        rc = take_side(arena, &positive, "positive", floats, &h->positive, &total, err);
    if (rc == 0 && !floats)
        rc = check_total(from, total, err);
    return rc;
}

int translate_histogram(struct arena *arena, const Prometheus__Histogram *from, struct sample *to,
                        struct err *err)
{
    *to = (struct sample){.t_ms = from->timestamp, .value = stale_nan()};
    if (is_stale_nan(from->sum))
        return 0;
    int rc = check_schema(from, err);
    if (rc != 0)
        return rc;
    struct histogram *h = take_scalars(arena, from);
    if (h == NULL)
        return err_set(err, ERR_LIMIT, "no memory");
    rc = check_counts(h, err);
    if (rc == 0)
        rc = take_sides(arena, from, h, err);
    if (rc == 0 && h->schema > SCHEMA_MAX)
        rc = histogram_coarsen(arena, h, h->schema - SCHEMA_MAX);
    to->value = 0;
    to->histogram = h;
    return rc;
}
