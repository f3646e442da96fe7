/* Walked twice: once to see that it is sound and how long its lists are, once to fill them. */
#include "wire_histogram_priv.h"

#include "push_priv.h"
#include "tocsin/wire.h"

enum field {
    COUNT_INT = 1,
    COUNT_FLOAT = 2,
    SUM = 3,
    SCHEMA = 4,
    ZERO_THRESHOLD = 5,
    ZERO_INT = 6,
    ZERO_FLOAT = 7,
    NEGATIVE_SPANS = 8,
    NEGATIVE_DELTAS = 9,
    NEGATIVE_COUNTS = 10,
    POSITIVE_SPANS = 11,
    POSITIVE_DELTAS = 12,
    POSITIVE_COUNTS = 13,
    RESET_HINT = 14,
    TIME = 15,
    BOUNDS = 16,
    START = 17
};

static bool take_span(struct wire_side *side, const struct wire_field *f)
{
    enum { OFFSET = 1, LENGTH = 2 };
    struct wire w = wire_of(f->bytes);
    struct wire_field inner;
    struct histogram_span span = {0};
    enum wire_step step = WIRE_CORRUPT;
    while (f->type == WIRE_BYTES && (step = wire_next(&w, &inner)) == WIRE_FIELD) {
        if (inner.number != OFFSET && inner.number != LENGTH)
            continue;
        if (inner.type != WIRE_VARINT)
            return false;
        if (inner.number == OFFSET)
            span.offset = wire_zigzag32(inner.value);
        else
            span.length = (uint32_t)inner.value;
    }
    if (side->spans != NULL)
        side->spans[side->span_count] = span;
    side->span_count++;
    return step == WIRE_END;
}

static void take_delta(struct wire_side *side, uint64_t value)
{
    if (side->deltas != NULL)
        side->deltas[side->delta_count] = wire_zigzag(value);
    side->delta_count++;
}

static bool take_deltas(struct wire_side *side, const struct wire_field *f)
{
    uint64_t value;
    if (f->type == WIRE_VARINT) {
        take_delta(side, f->value);
        return true;
    }
    struct wire w = wire_of(f->bytes);
    while (f->type == WIRE_BYTES && w.at < w.end) {
        if (!wire_varint(&w, &value))
            return false;
        take_delta(side, value);
    }
    return f->type == WIRE_BYTES;
}

static bool take_doubles(double *to, size_t *count, const struct wire_field *f)
{
    struct str packed = {(const char *)&f->value, sizeof f->value};
    if (f->type == WIRE_BYTES)
        packed = f->bytes;
    else if (f->type != WIRE_64)
        return false;
    if (packed.n % sizeof(double) != 0)
        return false;
    if (to != NULL && packed.n > 0)
        memcpy(to + *count, packed.p, packed.n);
    *count += packed.n / sizeof(double);
    return true;
}

static bool take_list(struct wire_histogram *h, const struct wire_field *f)
{
    switch ((enum field)f->number) {
    case NEGATIVE_SPANS:
        return take_span(&h->negative, f);
    case NEGATIVE_DELTAS:
        return take_deltas(&h->negative, f);
    case NEGATIVE_COUNTS:
        return take_doubles(h->negative.counts, &h->negative.count_count, f);
    case POSITIVE_SPANS:
        return take_span(&h->positive, f);
    case POSITIVE_DELTAS:
        return take_deltas(&h->positive, f);
    case POSITIVE_COUNTS:
        return take_doubles(h->positive.counts, &h->positive.count_count, f);
    case BOUNDS:
        return take_doubles(h->bounds, &h->bound_count, f);
    default:
        return true;
    }
}

static bool take_double(struct wire_histogram *h, const struct wire_field *f)
{
    double value = double_from_bits(f->value);
    switch ((enum field)f->number) {
    case COUNT_FLOAT:
        h->count_kind = WIRE_COUNT_FLOAT;
        h->count_float = value;
        break;
    case ZERO_FLOAT:
        h->zero_kind = WIRE_COUNT_FLOAT;
        h->zero_float = value;
        break;
    case SUM:
        h->sum = value;
        break;
    default:
        h->zero_threshold = value;
        break;
    }
    return f->type == WIRE_64;
}

static bool take_integer(struct wire_histogram *h, const struct wire_field *f)
{
    switch ((enum field)f->number) {
    case COUNT_INT:
        h->count_kind = WIRE_COUNT_INT;
        h->count_int = f->value;
        break;
    case ZERO_INT:
        h->zero_kind = WIRE_COUNT_INT;
        h->zero_int = f->value;
        break;
    case SCHEMA:
        h->schema = wire_zigzag32(f->value);
        break;
    case RESET_HINT:
        h->reset_hint = (int32_t)f->value;
        break;
    case START:
        h->start_ms = (int64_t)f->value;
        break;
    default:
        h->t_ms = (int64_t)f->value;
        break;
    }
    return f->type == WIRE_VARINT;
}

static bool take_field(struct wire_histogram *h, const struct wire_field *f, bool v2)
{
    switch (f->number) {
    case COUNT_FLOAT:
    case ZERO_FLOAT:
    case SUM:
    case ZERO_THRESHOLD:
        return take_double(h, f);
    case START:
        return !v2 || take_integer(h, f);
    case COUNT_INT:
    case ZERO_INT:
    case SCHEMA:
    case RESET_HINT:
    case TIME:
        return take_integer(h, f);
    default:
        return take_list(h, f);
    }
}

/* Lists that are NULL are only counted. */
static bool walk(struct str message, bool v2, struct wire_histogram *h)
{
    struct wire w = wire_of(message);
    struct wire_field f;
    enum wire_step step;
    while ((step = wire_next(&w, &f)) == WIRE_FIELD)
        if (!take_field(h, &f, v2))
            return false;
    return step == WIRE_END;
}

bool wire_histogram_is_sound(struct str message, bool v2)
{
    struct wire_histogram h = {0};
    return walk(message, v2, &h);
}

static bool make_side(struct arena *arena, const struct wire_side *counted, struct wire_side *side)
{
    side->spans = ARENA_ARRAY(arena, struct histogram_span, counted->span_count);
    side->deltas = ARENA_ARRAY(arena, int64_t, counted->delta_count);
    side->counts = ARENA_ARRAY(arena, double, counted->count_count);
    return side->spans != NULL && side->deltas != NULL && side->counts != NULL;
}

int wire_histogram_read(struct arena *arena, struct str message, bool v2, struct wire_histogram *out)
{
    struct wire_histogram counted = {0};
    *out = counted;
    if (!walk(message, v2, &counted))
        return ERR_PARSE;
    out->bounds = ARENA_ARRAY(arena, double, counted.bound_count);
    if (out->bounds == NULL || !make_side(arena, &counted.negative, &out->negative) ||
        !make_side(arena, &counted.positive, &out->positive))
        return ERR_LIMIT;
    walk(message, v2, out);
    return 0;
}
