#include "tocsin/encode.h"

#include "remote.pb-c.h"
#include "tocsin/err.h"
#include "tocsin/histogram.h"

#include <snappy-c.h>

static ProtobufCBinaryData bytes_of(struct str s)
{
    return (ProtobufCBinaryData){.len = s.n, .data = (uint8_t *)s.p};
}

/* An array of pointers to `count` zeroed messages of `size` bytes; NULL past the arena's cap. */
static void *message_array(struct arena *arena, size_t count, size_t size)
{
    void **pointers = ARENA_ARRAY(arena, void *, count);
    char *messages = arena_array(arena, count, size);
    if (pointers == NULL || messages == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        pointers[i] = messages + i * size;
    return pointers;
}

static int encode_labels(struct arena *arena, const struct batch_series *from, Prometheus__TimeSeries *to)
{
    to->n_labels = from->label_count;
    to->labels = message_array(arena, to->n_labels, sizeof **to->labels);
    if (to->labels == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; i < to->n_labels; i++) {
        prometheus__label__init(to->labels[i]);
        to->labels[i]->name = bytes_of(from->labels[i].name);
        to->labels[i]->value = bytes_of(from->labels[i].value);
    }
    return 0;
}

static Prometheus__BucketSpan **encode_spans(struct arena *arena, const struct histogram_side *from)
{
    Prometheus__BucketSpan **to = message_array(arena, from->span_count, sizeof **to);
    for (size_t i = 0; to != NULL && i < from->span_count; i++) {
        prometheus__bucket_span__init(to[i]);
        to[i]->offset = from->spans[i].offset;
        to[i]->length = from->spans[i].length;
    }
    return to;
}

static int encode_histogram(struct arena *arena, const struct sample *from, Prometheus__Histogram *to)
{
    const struct histogram *h = from->histogram;
    prometheus__histogram__init(to);
    to->timestamp = from->t_ms;
    to->schema = h->schema;
    to->reset_hint = (int32_t)h->hint;
    to->sum = h->sum;
    to->count_case = PROMETHEUS__HISTOGRAM__COUNT_COUNT_FLOAT;
    to->count_float = h->count;
    to->zero_threshold = h->zero_threshold;
    to->zero_count_case = PROMETHEUS__HISTOGRAM__ZERO_COUNT_ZERO_COUNT_FLOAT;
    to->zero_count_float = h->zero_count;
    to->n_positive_spans = h->positive.span_count;
    to->n_positive_counts = h->positive.bucket_count;
    to->positive_counts = h->positive.buckets;
    to->n_negative_spans = h->negative.span_count;
    to->n_negative_counts = h->negative.bucket_count;
    to->negative_counts = h->negative.buckets;
    to->n_custom_values = h->custom_count;
    to->custom_values = h->custom_bounds;
    to->positive_spans = encode_spans(arena, &h->positive);
    to->negative_spans = encode_spans(arena, &h->negative);
    return to->positive_spans != NULL && to->negative_spans != NULL ? 0 : ERR_LIMIT;
}

static size_t count_histograms(const struct batch_series *series)
{
    size_t n = 0;
    for (size_t i = 0; i < series->sample_count; i++)
        n += series->samples[i].histogram != NULL;
    return n;
}

static int encode_samples(struct arena *arena, const struct batch_series *from, Prometheus__TimeSeries *to)
{
    size_t histograms = count_histograms(from);
    to->samples = message_array(arena, from->sample_count - histograms, sizeof **to->samples);
    to->histograms = message_array(arena, histograms, sizeof **to->histograms);
    if (to->samples == NULL || to->histograms == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; i < from->sample_count; i++) {
        const struct sample *s = &from->samples[i];
        if (s->histogram != NULL) {
            if (encode_histogram(arena, s, to->histograms[to->n_histograms++]) != 0)
                return ERR_LIMIT;
            continue;
        }
        Prometheus__Sample *sample = to->samples[to->n_samples++];
        prometheus__sample__init(sample);
        sample->timestamp = s->t_ms;
        sample->value = s->value;
    }
    return 0;
}

static int encode_series(struct arena *arena, const struct batch_series *from, Prometheus__TimeSeries *to)
{
    prometheus__time_series__init(to);
    int rc = encode_labels(arena, from, to);
    return rc == 0 ? encode_samples(arena, from, to) : rc;
}

static int compress(struct arena *arena, const uint8_t *raw, size_t raw_bytes, struct str *body)
{
    size_t bytes = snappy_max_compressed_length(raw_bytes);
    char *to = arena_alloc(arena, bytes);
    if (to == NULL || snappy_compress((const char *)raw, raw_bytes, to, &bytes) != SNAPPY_OK)
        return ERR_LIMIT;
    *body = (struct str){to, bytes};
    return 0;
}

int encode_push(struct arena *arena, const struct batch *batch, struct str *body)
{
    Prometheus__WriteRequest request = PROMETHEUS__WRITE_REQUEST__INIT;
    request.n_timeseries = batch->count;
    request.timeseries = message_array(arena, batch->count, sizeof **request.timeseries);
    if (request.timeseries == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; i < batch->count; i++)
        if (encode_series(arena, &batch->series[i], request.timeseries[i]) != 0)
            return ERR_LIMIT;
    size_t raw_bytes = prometheus__write_request__get_packed_size(&request);
    uint8_t *raw = arena_alloc(arena, raw_bytes);
    if (raw == NULL)
        return ERR_LIMIT;
    prometheus__write_request__pack(&request, raw);
    return compress(arena, raw, raw_bytes, body);
}
