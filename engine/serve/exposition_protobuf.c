/* Delimited protobuf: io.prometheus.client.MetricFamily (client_model 0.6), each behind its length. */
#include "exposition_priv.h"

enum wire { VARINT = 0, FIXED_64 = 1, BYTES = 2 };

/* Numbers of fields and values, named after their messages. */
enum {
    FAMILY_NAME = 1,
    FAMILY_TYPE = 3,
    FAMILY_METRIC = 4,
    TYPE_UNTYPED = 3,
    TYPE_HISTOGRAM = 4,
    TYPE_GAUGE_HISTOGRAM = 5,
    METRIC_LABEL = 1,
    METRIC_UNTYPED = 5,
    METRIC_TIMESTAMP = 6,
    METRIC_HISTOGRAM = 7,
    LABEL_NAME = 1,
    LABEL_VALUE = 2,
    UNTYPED_VALUE = 1,
    HISTOGRAM_SUM = 2,
    HISTOGRAM_BUCKET = 3,
    HISTOGRAM_COUNT = 4,
    HISTOGRAM_SCHEMA = 5,
    HISTOGRAM_ZERO_THRESHOLD = 6,
    HISTOGRAM_ZERO_COUNT = 8,
    HISTOGRAM_NEGATIVE_SPAN = 9,
    HISTOGRAM_NEGATIVE_COUNT = 11,
    HISTOGRAM_POSITIVE_SPAN = 12,
    HISTOGRAM_POSITIVE_COUNT = 14,
    BUCKET_BOUND = 2,
    BUCKET_COUNT = 4,
    SPAN_OFFSET = 1,
    SPAN_LENGTH = 2
};

static void put_varint(struct buf *out, uint64_t v)
{
    for (; v > 0x7f; v >>= 7)
        buf_char(out, (char)(v | 0x80));
    buf_char(out, (char)v);
}

static void put_tag(struct buf *out, unsigned field, enum wire type)
{
    put_varint(out, field << 3 | type);
}

static void put_whole(struct buf *out, unsigned field, uint64_t v)
{
    put_tag(out, field, VARINT);
    put_varint(out, v);
}

static void put_signed(struct buf *out, unsigned field, int32_t v)
{
    put_whole(out, field, (uint32_t)v << 1 ^ (uint32_t) - (v < 0));
}

static void put_double(struct buf *out, unsigned field, double v)
{
    put_tag(out, field, FIXED_64);
    buf_add(out, &v, sizeof v);
}

static void put_bytes(struct buf *out, unsigned field, struct str bytes)
{
    put_tag(out, field, BYTES);
    put_varint(out, bytes.n);
    buf_str(out, bytes);
}

/* A message inside another; what does not fit it does not fit that one either. */
static void put_message(struct buf *out, unsigned field, struct buf *message)
{
    put_bytes(out, field, buf_slice(message));
    out->overflow |= buf_overflow(message);
    buf_release(message);
}

static void begin(struct buf *message, const struct buf *out)
{
    buf_init(message, out->max_bytes);
}

struct metric {
    const struct exposition *x;
    struct buf *out;
};

static void put_label(void *context, struct str name, struct str value)
{
    struct metric *m = context;
    struct buf label, escaped;
    begin(&label, m->out);
    begin(&escaped, m->out);
    exposition_escape(m->x, &escaped, name, false);
    put_bytes(&label, LABEL_NAME, buf_slice(&escaped));
    put_bytes(&label, LABEL_VALUE, value);
    put_message(m->out, METRIC_LABEL, &label);
    buf_release(&escaped);
}

static void put_bucket(void *context, double upper_bound, double count)
{
    struct buf *out = context, bucket;
    begin(&bucket, out);
    put_double(&bucket, BUCKET_BOUND, upper_bound);
    put_double(&bucket, BUCKET_COUNT, count);
    put_message(out, HISTOGRAM_BUCKET, &bucket);
}

static void put_side(struct buf *out, const struct histogram_side *side, unsigned span_field,
                     unsigned count_field)
{
    for (size_t i = 0; i < side->span_count; i++) {
        struct buf span;
        begin(&span, out);
        put_signed(&span, SPAN_OFFSET, side->spans[i].offset);
        put_whole(&span, SPAN_LENGTH, side->spans[i].length);
        put_message(out, span_field, &span);
    }
    for (size_t i = 0; i < side->bucket_count; i++)
        put_double(out, count_field, side->buckets[i]);
}

static void put_histogram(struct buf *out, const struct histogram *h)
{
    put_double(out, HISTOGRAM_SUM, h->sum);
    put_double(out, HISTOGRAM_COUNT, h->count);
    if (histogram_is_custom(h)) {
        exposition_classic(h, put_bucket, out);
        return;
    }
    put_signed(out, HISTOGRAM_SCHEMA, h->schema);
    put_double(out, HISTOGRAM_ZERO_THRESHOLD, h->zero_threshold);
    put_double(out, HISTOGRAM_ZERO_COUNT, h->zero_count);
    put_side(out, &h->negative, HISTOGRAM_NEGATIVE_SPAN, HISTOGRAM_NEGATIVE_COUNT);
    put_side(out, &h->positive, HISTOGRAM_POSITIVE_SPAN, HISTOGRAM_POSITIVE_COUNT);
}

static void put_metric(const struct exposition *x, struct buf *out, const struct exposed_family *f,
                       const struct exposed *e)
{
    struct buf message, value;
    struct metric m = {x, &message};
    begin(&message, out);
    begin(&value, out);
    exposition_labels(f, e, put_label, &m);
    if (e->histogram != NULL) {
        put_histogram(&value, e->histogram);
        put_message(&message, METRIC_HISTOGRAM, &value);
    } else {
        put_double(&value, UNTYPED_VALUE, e->value);
        put_message(&message, METRIC_UNTYPED, &value);
    }
    put_whole(&message, METRIC_TIMESTAMP, (uint64_t)e->t_ms);
    put_message(out, FAMILY_METRIC, &message);
}

static unsigned type_of(const struct exposed *e)
{
    if (e->histogram == NULL)
        return TYPE_UNTYPED;
    return e->histogram->hint == HINT_GAUGE ? TYPE_GAUGE_HISTOGRAM : TYPE_HISTOGRAM;
}

void exposition_protobuf(const struct exposition *x, struct buf *out, const struct exposed_family *f)
{
    struct buf family, name;
    begin(&family, out);
    begin(&name, out);
    exposition_escape(x, &name, exposed_metric(&f->items[0]), true);
    put_bytes(&family, FAMILY_NAME, buf_slice(&name));
    put_whole(&family, FAMILY_TYPE, type_of(&f->items[0]));
    for (size_t i = 0; i < f->count; i++)
        put_metric(x, &family, f, &f->items[i]);
    put_varint(out, family.used);
    buf_str(out, buf_slice(&family));
    out->overflow |= buf_overflow(&family);
    buf_release(&name);
    buf_release(&family);
}
