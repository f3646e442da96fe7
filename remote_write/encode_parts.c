#include "encode_priv.h"

#include "tocsin/err.h"
#include "tocsin/histogram.h"
#include "tocsin/wire.h"

#include <snappy-c.h>

static void put(struct sink *s, const void *bytes, size_t n)
{
    s->bytes += n;
    if (s->end != NULL && n > 0)
        memcpy(s->end - s->bytes, bytes, n);
}

void put_varint(struct sink *s, uint64_t v)
{
    uint8_t bytes[WIRE_VARINT_BYTES];
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        bytes[n++] = (uint8_t)(v | 0x80);
    bytes[n++] = (uint8_t)v;
    put(s, bytes, n);
}

void put_tag(struct sink *s, uint32_t number, uint32_t type)
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

void put_bytes(struct sink *s, uint32_t number, const void *bytes, size_t n)
{
    put(s, bytes, n);
    put_varint(s, n);
    put_tag(s, number, WIRE_BYTES);
}

void put_nested(struct sink *s, uint32_t number, put_message *message, const void *from)
{
    size_t behind = s->bytes;
    message(s, from);
    put_varint(s, s->bytes - behind);
    put_tag(s, number, WIRE_BYTES);
}

void put_float_v1(struct sink *s, const void *from)
{
    const struct sample *sample = from;
    put_integer(s, 2, (uint64_t)sample->t_ms);
    put_double(s, 1, sample->value);
}

static void put_start(struct sink *s, uint32_t number, const struct sample *sample)
{
    if (sample->start_ms != 0)
        put_integer(s, number, (uint64_t)sample->start_ms);
}

void put_float_v2(struct sink *s, const void *from)
{
    put_start(s, 3, from);
    put_float_v1(s, from);
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

void put_histogram_v1(struct sink *s, const void *from)
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

void put_histogram_v2(struct sink *s, const void *from)
{
    put_start(s, 17, from);
    put_histogram_v1(s, from);
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

int encode_message(struct arena *arena, put_message *message, const void *from, struct str *body)
{
    struct sink measured = {0};
    message(&measured, from);
    uint8_t *raw = arena_alloc(arena, measured.bytes);
    if (raw == NULL)
        return ERR_LIMIT;
    struct sink written = {.end = raw + measured.bytes};
    message(&written, from);
    return compress(arena, raw, measured.bytes, body);
}
