/* The form of a whole request, before anything of it is stored: so a corrupt one stores nothing. */
#include "push_priv.h"
#include "tocsin/hash.h"
#include "tocsin/limits.h"
#include "wire_priv.h"

enum { V1_SERIES = 1, V1_METADATA = 3, V2_SYMBOLS = 4, V2_SERIES = 5 };

static uint32_t series_number(const struct push *p)
{
    return p->v2 ? V2_SERIES : V1_SERIES;
}

static struct wire outermost(const struct push *p)
{
    return wire_of((struct str){p->decoded, p->decoded_bytes});
}

int decode_count_field(struct push *p)
{
    return p->field_count++ < limits.push_fields ? 0 : ERR_FULL;
}

/* A walk over the outermost fields, so that lists can be made in their size. Malformed bytes end the count; they are found
 * again. */
static void count_fields(struct push *p)
{
    struct wire w = outermost(p);
    struct wire_field f;
    while (p->series_count <= (size_t)limits.push_series && wire_next(&w, &f) == WIRE_FIELD &&
           decode_count_field(p) == 0) {
        p->series_count += f.number == series_number(p);
        p->symbol_count += p->v2 && f.number == V2_SYMBOLS;
    }
}

static bool metadata_is_sound(struct str message)
{
    enum { TYPE = 1, FAMILY = 2, HELP = 4, UNIT = 5 };
    struct wire w = wire_of(message);
    struct wire_field f;
    enum wire_step step;
    while ((step = wire_next(&w, &f)) == WIRE_FIELD) {
        if (f.number == TYPE && f.type != WIRE_VARINT)
            return false;
        if ((f.number == FAMILY || f.number == HELP || f.number == UNIT) && f.type != WIRE_BYTES)
            return false;
    }
    return step == WIRE_END;
}

static int decode_symbols(struct push *p)
{
    struct wire w = outermost(p);
    struct wire_field f;
    enum wire_step step;
    struct symbol *to = p->symbols;
    while ((step = wire_next(&w, &f)) == WIRE_FIELD) {
        if (f.number != V2_SYMBOLS)
            continue;
        if (f.type != WIRE_BYTES)
            return ERR_PARSE;
        struct hash128 hash = hash_wide(f.bytes.p, f.bytes.n);
        *to++ = (struct symbol){f.bytes, {hash.low, hash.high}};
    }
    return step == WIRE_END ? 0 : ERR_PARSE;
}

static int decode_field(struct push *p, const struct wire_field *f, struct pushed *to)
{
    if (!p->v2 && f->number == V1_METADATA) {
        p->has_metadata = true;
        return f->type == WIRE_BYTES && metadata_is_sound(f->bytes) ? 0 : ERR_PARSE;
    }
    if (f->number != series_number(p))
        return 0;
    if (f->type != WIRE_BYTES)
        return ERR_PARSE;
    to->body = f->bytes;
    int rc = 0;
    if (p->v2)
        rc = decode_series_v2(p, to);
    else if (!decode_plain_v1(p, to, &p->plain[to - p->series]))
        rc = decode_series_v1(p, to);
    if (rc == 0)
        p->sample_count += to->float_count + to->histogram_count;
    return rc;
}

static int decode_all(struct push *p)
{
    p->series = ARENA_ARRAY(&p->arena, struct pushed, p->series_count);
    p->symbols = ARENA_ARRAY(&p->arena, struct symbol, p->symbol_count);
    p->plain = ARENA_ARRAY(&p->arena, struct sample, p->v2 ? 0 : p->series_count);
    if (p->series == NULL || p->symbols == NULL || p->plain == NULL || !push_settle(p))
        return ERR_LIMIT;
    int rc = p->v2 ? decode_symbols(p) : 0;
    struct wire w = outermost(p);
    struct wire_field f;
    enum wire_step step = WIRE_END;
    struct pushed *to = p->series;
    while (rc == 0 && (step = wire_next(&w, &f)) == WIRE_FIELD) {
        rc = decode_field(p, &f, to);
        to += f.number == series_number(p);
    }
    return rc == 0 && step != WIRE_END ? ERR_PARSE : rc;
}

int push_decode(struct push *p)
{
    count_fields(p);
    if (p->series_count > (size_t)limits.push_series) {
        limit_hit(LIMIT_push_series);
        return push_fail(p, 413, "more than %lld series in one push", (long long)limits.push_series);
    }
    int rc = p->field_count <= limits.push_fields ? decode_all(p) : ERR_FULL;
    if (rc == ERR_FULL) {
        limit_hit(LIMIT_push_fields);
        return push_fail(p, 413, "more than %lld fields in one push", (long long)limits.push_fields);
    }
    if (rc == ERR_LIMIT)
        return push_out_of_memory(p);
    if (rc != 0)
        return push_fail(p, 400, "proto: corrupt input");
    if (p->sample_count <= (size_t)limits.push_samples)
        return 0;
    limit_hit(LIMIT_push_samples);
    return push_fail(p, 413, "%zu samples in one push, %lld are allowed", p->sample_count,
                     (long long)limits.push_samples);
}

/* ---- samples -------------------------------------------------------------------------------------------- */

enum { SERIES_SAMPLES = 2, SAMPLE_VALUE = 1, SAMPLE_TIME = 2, SAMPLE_START = 3 };

static bool decode_float(struct str message, bool v2, struct sample *to)
{
    struct wire w = wire_of(message);
    struct wire_field f;
    enum wire_step step;
    *to = (struct sample){0};
    while ((step = wire_next(&w, &f)) == WIRE_FIELD) {
        if (f.number == SAMPLE_VALUE) {
            if (f.type != WIRE_64)
                return false;
            to->value = double_from_bits(f.value);
        } else if (f.number == SAMPLE_TIME || (v2 && f.number == SAMPLE_START)) {
            if (f.type != WIRE_VARINT)
                return false;
            *(f.number == SAMPLE_TIME ? &to->t_ms : &to->start_ms) = (int64_t)f.value;
        }
    }
    if (to->start_ms >= to->t_ms)
        to->start_ms = 0;
    return step == WIRE_END;
}

/* Reads the samples from the field at `first` on; the fields of the series have been walked over once. */
int decode_floats(struct push *p, struct pushed *s, const uint8_t *first)
{
    struct sample scratch, *to = &scratch;
    size_t room = (size_t)s->float_count + s->histogram_count;
    bool keep = room > 0 && p->sample_count + room <= (size_t)limits.push_samples;
    if (keep) {
        to = s->samples = ARENA_ARRAY(&p->arena, struct sample, room);
        if (to == NULL || !push_settle(p))
            return ERR_LIMIT;
    }
    struct wire w = {first, (const uint8_t *)s->body.p + s->body.n};
    struct wire_field f;
    for (uint32_t left = s->float_count; left > 0 && wire_next(&w, &f) == WIRE_FIELD;) {
        if (f.number != SERIES_SAMPLES)
            continue;
        if (!decode_float(f.bytes, p->v2, to))
            return ERR_PARSE;
        to += keep;
        left--;
    }
    return 0;
}
