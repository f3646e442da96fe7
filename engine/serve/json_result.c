#include "json_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/histogram.h"
#include "tocsin/tree.h"

#include <inttypes.h>

/* How Prometheus' JSON tells which ends belong to a bucket. */
enum bounds { OPEN_LEFT = 0, OPEN_RIGHT = 1, CLOSED = 3 };

static void quoted_float(struct buf *out, double v)
{
    buf_char(out, '"');
    go_float_json(out, v);
    buf_char(out, '"');
}

static void bucket(struct buf *out, bool *first, enum bounds bounds, double lower, double upper, double count)
{
    if (count == 0)
        return;
    buf_format(out, "%s[%d,", *first ? ",\"buckets\":[" : ",", (int)bounds);
    *first = false;
    quoted_float(out, lower);
    buf_char(out, ',');
    quoted_float(out, upper);
    buf_char(out, ',');
    quoted_float(out, count);
    buf_char(out, ']');
}

/* From the last to the first, because the values of negative buckets ascend that way. */
static void negative_buckets(struct buf *out, bool *first, const struct histogram *h)
{
    const struct histogram_side *side = &h->negative;
    int32_t index = 0;
    for (size_t s = 0; s < side->span_count; s++)
        index += side->spans[s].offset + (int32_t)side->spans[s].length;
    size_t at = side->bucket_count;
    for (size_t s = side->span_count; s-- > 0; index -= side->spans[s].offset)
        for (uint32_t i = 0; i < side->spans[s].length && at > 0; i++) {
            index--;
            at--;
            bucket(out, first, OPEN_RIGHT, -histogram_upper_bound(h, index), -histogram_lower_bound(h, index),
                   side->buckets[at]);
        }
}

static void positive_buckets(struct buf *out, bool *first, const struct histogram *h)
{
    for (struct histogram_walk walk = {.side = &h->positive}; histogram_next(&walk);) {
        bool lowest_custom = h->schema == HISTOGRAM_CUSTOM && walk.index == 0;
        bucket(out, first, lowest_custom ? CLOSED : OPEN_LEFT, histogram_lower_bound(h, walk.index),
               histogram_upper_bound(h, walk.index), walk.count);
    }
}

static void histogram_value(struct buf *out, const struct histogram *h)
{
    buf_puts(out, "{\"count\":");
    quoted_float(out, h->count);
    buf_puts(out, ",\"sum\":");
    quoted_float(out, h->sum);
    bool first = true;
    negative_buckets(out, &first, h);
    bucket(out, &first, CLOSED, -h->zero_threshold, h->zero_threshold, h->zero_count);
    positive_buckets(out, &first, h);
    buf_puts(out, first ? "}" : "]}");
}

static void point(struct buf *out, const struct promql_point *p)
{
    buf_char(out, '[');
    json_seconds(out, p->t_ms);
    buf_char(out, ',');
    if (p->histogram != NULL)
        histogram_value(out, p->histogram);
    else
        quoted_float(out, p->value);
    buf_char(out, ']');
}

/* All points of one kind: floats and histograms are listed apart. */
static void points(struct buf *out, const char *key, const struct promql_series *series, bool histograms)
{
    bool any = false;
    for (size_t i = 0; i < series->count; i++) {
        if ((series->points[i].histogram != NULL) != histograms)
            continue;
        if (any)
            buf_char(out, ',');
        else
            buf_format(out, ",\"%s\":[", key);
        any = true;
        point(out, &series->points[i]);
    }
    if (any)
        buf_char(out, ']');
}

static void series_value(struct buf *out, const struct promql_series *series, enum promql_type type)
{
    buf_puts(out, "{\"metric\":");
    json_labels(out, series->labels);
    if (type == PROMQL_VECTOR && series->count > 0) {
        buf_puts(out, series->points[0].histogram != NULL ? ",\"histogram\":" : ",\"value\":");
        point(out, &series->points[0]);
    } else {
        points(out, "values", series, false);
        points(out, "histograms", series, true);
    }
    buf_char(out, '}');
}

/* Unlike those of points, the time of a scalar or string is an ordinary JSON number, and the value of a scalar has no
 * exponent however long it gets. */
static void single(struct buf *out, const struct promql_result *result)
{
    buf_char(out, '[');
    go_float_json(out, (double)result->t_ms / 1000);
    buf_char(out, ',');
    if (result->type == PROMQL_SCALAR) {
        buf_char(out, '"');
        go_float(out, result->scalar, 'f', -1);
        buf_char(out, '"');
    } else {
        json_string(out, result->string);
    }
    buf_char(out, ']');
}

static const char *type_name(enum promql_type type)
{
    switch (type) {
    case PROMQL_SCALAR:
        return "scalar";
    case PROMQL_STRING:
        return "string";
    case PROMQL_VECTOR:
        return "vector";
    default:
        return "matrix";
    }
}

void json_result(struct buf *out, const struct promql_result *result, size_t series)
{
    buf_format(out, "{\"resultType\":\"%s\",\"result\":", type_name(result->type));
    if (result->type == PROMQL_SCALAR || result->type == PROMQL_STRING) {
        single(out, result);
    } else {
        buf_char(out, '[');
        for (size_t i = 0; i < series; i++) {
            if (i > 0)
                buf_char(out, ',');
            series_value(out, &result->series[i], result->type);
        }
        buf_char(out, ']');
    }
}

static void seconds_member(struct buf *out, const char *name, int64_t ns)
{
    buf_format(out, "\"%s\":", name);
    go_float_json(out, (double)ns / 1e9);
}

static void times_member(struct buf *out, const struct promql_stats *stats, const struct query_times *times)
{
    int64_t evaluated_ns = times->done_ns - times->began_ns;
    buf_puts(out, "\"timings\":{");
    seconds_member(out, "evalTotalTime", evaluated_ns);
    buf_char(out, ',');
    seconds_member(out, "resultSortTime", stats->sort_ns);
    buf_char(out, ',');
    seconds_member(out, "queryPreparationTime", times->prepared_ns - times->began_ns);
    buf_char(out, ',');
    seconds_member(out, "innerEvalTime", times->done_ns - times->prepared_ns - stats->sort_ns);
    buf_char(out, ',');
    seconds_member(out, "execQueueTime", times->queue_ns);
    buf_char(out, ',');
    seconds_member(out, "execTotalTime", times->queue_ns + evaluated_ns);
    buf_char(out, '}');
}

static void steps_member(struct buf *out, const char *name, const struct promql_stats *stats,
                         const int64_t *counts)
{
    buf_format(out, "\"%s\":[", name);
    for (size_t i = 0; i < stats->steps; i++) {
        buf_puts(out, i > 0 ? ",[" : "[");
        go_float_json(out, (double)(stats->start_ms + (int64_t)i * stats->step_ms) / 1000);
        buf_format(out, ",%" PRId64 "]", counts[i]);
    }
    buf_puts(out, "],");
}

void json_stats(struct buf *out, const struct promql_stats *stats, const struct query_times *times,
                bool steps)
{
    buf_puts(out, ",\"stats\":{");
    times_member(out, stats, times);
    buf_puts(out, ",\"samples\":{");
    if (steps)
        steps_member(out, "totalQueryableSamplesPerStep", stats, stats->samples_at);
    buf_format(out, "\"totalQueryableSamples\":%" PRId64 ",", stats->samples);
    if (steps)
        steps_member(out, "samplesReadPerStep", stats, stats->read_at);
    buf_format(out, "\"samplesRead\":%" PRId64 ",\"peakSamples\":%" PRId64 "}}", stats->samples_read,
               stats->samples_peak);
}
