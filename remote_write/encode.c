/* Written from the end to the front, so that a message is there when its length is due in front of it. */
#include "tocsin/encode.h"

#include "tocsin/err.h"
#include "tocsin/histogram.h"
#include "wire_priv.h"

#include <snappy-c.h>

struct sink {
    uint8_t *end; /* bytes go in front of what is there; NULL: they are only counted */
    size_t bytes;
};

static void put(struct sink *s, const void *bytes, size_t n)
{
    s->bytes += n;
    if (s->end != NULL && n > 0)
        memcpy(s->end - s->bytes, bytes, n);
}

static void put_varint(struct sink *s, uint64_t v)
{
    uint8_t bytes[WIRE_VARINT_BYTES];
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        bytes[n++] = (uint8_t)(v | 0x80);
    bytes[n++] = (uint8_t)v;
    put(s, bytes, n);
}

static void put_tag(struct sink *s, uint32_t number, enum wire_type type)
{
    put_varint(s, (uint64_t)number << 3 | type);
}

static void put_integer(struct sink *s, uint32_t number, uint64_t v)
{
    put_varint(s, v);
    put_tag(s, number, WIRE_VARINT);
}

static void put_zigzag(struct sink *s, uint32_t number, int32_t v)
{
    put_integer(s, number, (uint32_t)v << 1 ^ (uint32_t)(v >> 31));
}

static void put_double(struct sink *s, uint32_t number, double v)
{
    put(s, &v, sizeof v);
    put_tag(s, number, WIRE_64);
}

static void put_bytes(struct sink *s, uint32_t number, const void *bytes, size_t n)
{
    put(s, bytes, n);
    put_varint(s, n);
    put_tag(s, number, WIRE_BYTES);
}

typedef void put_message(struct sink *s, const void *from);

static void put_nested(struct sink *s, uint32_t number, put_message *message, const void *from)
{
    size_t behind = s->bytes;
    message(s, from);
    put_varint(s, s->bytes - behind);
    put_tag(s, number, WIRE_BYTES);
}

static void put_label(struct sink *s, const void *from)
{
    const struct label *label = from;
    put_bytes(s, 2, label->value.p, label->value.n);
    put_bytes(s, 1, label->name.p, label->name.n);
}

static void put_float(struct sink *s, const void *from)
{
    const struct sample *sample = from;
    put_integer(s, 2, (uint64_t)sample->t_ms);
    put_double(s, 1, sample->value);
}

static void put_span(struct sink *s, const void *from)
{
    const struct histogram_span *span = from;
    put_integer(s, 2, span->length);
    put_zigzag(s, 1, span->offset);
}

static void put_side(struct sink *s, uint32_t spans, uint32_t counts, const struct histogram_side *side)
{
    put_bytes(s, counts, side->buckets, side->bucket_count * sizeof *side->buckets);
    for (size_t i = side->span_count; i-- > 0;)
        put_nested(s, spans, put_span, &side->spans[i]);
}

static void put_histogram(struct sink *s, const void *from)
{
    enum {
        COUNT_FLOAT = 2,
        SUM,
        SCHEMA,
        ZERO_THRESHOLD,
        ZERO_FLOAT = 7,
        NEGATIVE_SPANS,
        NEGATIVE_COUNTS = 10,
        POSITIVE_SPANS,
        POSITIVE_COUNTS = 13,
        RESET_HINT,
        TIME,
        BOUNDS
    };
    const struct sample *sample = from;
    const struct histogram *h = sample->histogram;
    put_bytes(s, BOUNDS, h->custom_bounds, h->custom_count * sizeof *h->custom_bounds);
    put_integer(s, TIME, (uint64_t)sample->t_ms);
    put_integer(s, RESET_HINT, (uint64_t)h->hint);
    put_side(s, POSITIVE_SPANS, POSITIVE_COUNTS, &h->positive);
    put_side(s, NEGATIVE_SPANS, NEGATIVE_COUNTS, &h->negative);
    put_double(s, ZERO_FLOAT, h->zero_count);
    put_double(s, ZERO_THRESHOLD, h->zero_threshold);
    put_zigzag(s, SCHEMA, h->schema);
    put_double(s, SUM, h->sum);
    put_double(s, COUNT_FLOAT, h->count);
}

static void put_series(struct sink *s, const void *from)
{
    enum { LABELS = 1, SAMPLES = 2, HISTOGRAMS = 4 };
    const struct batch_series *series = from;
    for (size_t i = series->sample_count; i-- > 0;) {
        const struct sample *sample = &series->samples[i];
        if (sample->histogram != NULL)
            put_nested(s, HISTOGRAMS, put_histogram, sample);
        else
            put_nested(s, SAMPLES, put_float, sample);
    }
    for (size_t i = series->label_count; i-- > 0;)
        put_nested(s, LABELS, put_label, &series->labels[i]);
}

static void put_batch(struct sink *s, const struct batch *batch)
{
    enum { SERIES = 1 };
    for (size_t i = batch->count; i-- > 0;)
        put_nested(s, SERIES, put_series, &batch->series[i]);
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
    struct sink measured = {0};
    put_batch(&measured, batch);
    uint8_t *raw = arena_alloc(arena, measured.bytes);
    if (raw == NULL)
        return ERR_LIMIT;
    struct sink written = {.end = raw + measured.bytes};
    put_batch(&written, batch);
    return compress(arena, raw, measured.bytes, body);
}
