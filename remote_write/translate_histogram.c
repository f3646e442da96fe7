/* Native histograms: from deltas or counts on the wire to absolute counts, with Prometheus' checks. */
#include "push_priv.h"
#include "wire_histogram_priv.h"

#include <math.h>

enum {
    SCHEMA_MIN = -4,
    SCHEMA_MAX = 8,
    SCHEMA_WIRE_MAX = 52, /* finer ones are legal on the wire and reduced to SCHEMA_MAX */
    BUCKET_INDEX_MAX = 1 << 30
};

static bool is_float(const struct wire_histogram *h)
{
    return h->count_kind == WIRE_COUNT_FLOAT;
}

static uint64_t wire_zero_int(const struct wire_histogram *h)
{
    return h->zero_kind == WIRE_COUNT_INT ? h->zero_int : 0;
}

static double wire_zero(const struct wire_histogram *h)
{
    return h->zero_kind == WIRE_COUNT_FLOAT ? h->zero_float : (double)wire_zero_int(h);
}

/* Spans may not run backwards, nor promise other buckets than there are. *end: the index behind the last bucket. */
static int check_spans(const struct wire_side *from, const char *side, bool floats, int64_t *end,
                       struct err *err)
{
    size_t buckets = floats ? from->count_count : from->delta_count;
    uint64_t promised = 0;
    *end = 0;
    for (size_t i = 0; i < from->span_count; i++) {
        const struct histogram_span *span = &from->spans[i];
        if (i > 0 && span->offset < 0)
            return err_set(err, ERR_PARSE,
                           "%s side: span number %zu with offset %d: histogram has a span whose "
                           "offset is negative",
                           side, i + 1, span->offset);
        promised += span->length;
        *end += (int64_t)span->offset + span->length;
        if (promised > buckets || *end > BUCKET_INDEX_MAX || *end < -BUCKET_INDEX_MAX)
            break;
    }
    if (*end > BUCKET_INDEX_MAX || *end < -BUCKET_INDEX_MAX)
        return err_set(err, ERR_PARSE, "%s side: bucket index out of range", side);
    if (promised != buckets)
        return err_set(err, ERR_PARSE,
                       "%s side: spans need %llu buckets, have %zu buckets: histogram spans "
                       "specify different number of buckets than provided",
                       side, (unsigned long long)promised, buckets);
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
    for (size_t i = 0; i < from->delta_count; i++) {
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
    for (size_t i = 0; i < from->count_count; i++) {
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
    int rc = check_spans(from, side, floats, &end, err);
    if (rc != 0)
        return rc;
    to->span_count = from->span_count;
    to->bucket_count = floats ? from->count_count : from->delta_count;
    to->spans = from->spans;
    to->buckets = ARENA_ARRAY(arena, double, to->bucket_count);
    if (to->buckets == NULL)
        return err_set(err, ERR_LIMIT, "no memory");
    return floats ? take_counts(from, side, to->buckets, err)
                  : take_deltas(from, side, to->buckets, total, err);
}

/* Buckets of an integer histogram add up to its count; observations of NaN are in no bucket. */
static int check_total(const struct wire_histogram *from, uint64_t total, struct err *err)
{
    uint64_t count = from->count_kind == WIRE_COUNT_INT ? from->count_int : 0;
    if (isnan(from->sum) ? total <= count : total == count)
        return 0;
    return err_set(err, ERR_PARSE,
                   "%llu observations found in buckets, but the Count field is %llu: histogram's "
                   "observation count should %s the number of observations found in the buckets",
                   (unsigned long long)total, (unsigned long long)count,
                   isnan(from->sum) ? "be at least" : "equal");
}

static int check_bounds(const struct wire_histogram *from, struct err *err)
{
    for (size_t i = 0; i < from->bound_count; i++) {
        if (i > 0 && from->bounds[i] <= from->bounds[i - 1])
            return err_set(err, ERR_PARSE, "histogram custom bounds must be in strictly increasing order");
        if (!isfinite(from->bounds[i]))
            return err_set(err, ERR_PARSE, "histogram custom bounds must be finite");
    }
    return 0;
}

static int check_custom(const struct wire_histogram *from, struct err *err)
{
    const struct wire_side *positive = &from->positive;
    int64_t end;
    int rc = check_bounds(from, err);
    if (rc == 0)
        rc = check_spans(positive, "positive", is_float(from), &end, err);
    if (rc != 0)
        return rc;
    if (positive->span_count > 0 && positive->spans[0].offset < 0)
        return err_set(err, ERR_PARSE, "custom buckets: histogram has a span whose offset is negative");
    if (end > (int64_t)from->bound_count + 1)
        return err_set(err, ERR_PARSE,
                       "custom buckets: only %zu custom bounds defined which is insufficient to "
                       "cover total span length of %lld",
                       from->bound_count, (long long)end);
    if (from->zero_threshold != 0 || wire_zero(from) != 0)
        return err_set(err, ERR_PARSE, "custom buckets: must have zero count of 0 and zero threshold of 0");
    if (from->negative.span_count > 0 || from->negative.delta_count > 0 || from->negative.count_count > 0)
        return err_set(err, ERR_PARSE, "custom buckets: must not have negative spans or buckets");
    return 0;
}

static int check_schema(const struct wire_histogram *from, struct err *err)
{
    if (from->schema == HISTOGRAM_CUSTOM)
        return check_custom(from, err);
    if (from->schema < SCHEMA_MIN || from->schema > SCHEMA_WIRE_MAX)
        return err_set(err, ERR_PARSE, "histogram has an invalid schema, got %d", from->schema);
    if (from->bound_count > 0)
        return err_set(err, ERR_PARSE, "histogram with exponential schema must not have custom bounds");
    return 0;
}

static struct histogram *take_scalars(struct arena *arena, const struct wire_histogram *from)
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
    h->custom_count = from->bound_count;
    h->custom_bounds = from->bounds;
    return h;
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

static int take_sides(struct arena *arena, const struct wire_histogram *from, struct histogram *h,
                      struct err *err)
{
    bool floats = is_float(from);
    uint64_t total = wire_zero_int(from);
    int rc = take_side(arena, &from->negative, "negative", floats, &h->negative, &total, err);
    if (rc == 0)
        rc = take_side(arena, &from->positive, "positive", floats, &h->positive, &total, err);
    if (rc == 0 && !floats)
        rc = check_total(from, total, err);
    return rc;
}

static int convert(struct arena *arena, const struct wire_histogram *from, struct histogram **to,
                   struct err *err)
{
    int rc = check_schema(from, err);
    if (rc != 0)
        return rc;
    struct histogram *h = *to = take_scalars(arena, from);
    if (h == NULL)
        return err_set(err, ERR_LIMIT, "no memory");
    rc = check_counts(h, err);
    if (rc == 0)
        rc = take_sides(arena, from, h, err);
    if (rc == 0 && h->schema > SCHEMA_MAX)
        *to = histogram_coarsen(arena, h, SCHEMA_MAX);
    return *to != NULL ? rc : err_set(err, ERR_LIMIT, "no memory");
}

int translate_histogram(struct arena *arena, struct str message, bool v2, struct sample *to, struct err *err)
{
    struct wire_histogram from;
    struct histogram *h = NULL;
    int rc = wire_histogram_read(arena, message, v2, &from);
    if (rc != 0)
        return err_set(err, ERR_LIMIT, "no memory");
    *to = (struct sample){.t_ms = from.t_ms, .start_ms = from.start_ms < from.t_ms ? from.start_ms : 0};
    if (is_stale_nan(from.sum)) {
        to->histogram = &store_stale_histogram;
        return 0;
    }
    rc = convert(arena, &from, &h, err);
    to->histogram = h;
    return rc;
}
