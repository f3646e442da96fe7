/* The form of a whole request, before anything of it is stored: so a corrupt one stores nothing. */
#include "push_priv.h"
#include "tocsin/hash.h"
#include "tocsin/limits.h"
#include "tocsin/wire.h"

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

/* They may stand behind the series that refer to them. */
static int decode_symbols(struct push *p)
{
    struct wire w = outermost(p);
    struct wire_field f;
    enum wire_step step;
    size_t capacity = 0;
    while ((step = wire_next(&w, &f)) == WIRE_FIELD) {
        if (f.number != V2_SYMBOLS)
            continue;
        if (decode_count_field(p) != 0)
            return ERR_FULL;
        if (f.type != WIRE_BYTES)
            return ERR_PARSE;
        ARENA_GROW(&p->arena, p->symbols, p->symbol_count, capacity);
        if (p->symbols == NULL || !push_settle(p))
            return ERR_LIMIT;
        struct hash128 hash = hash_wide(f.bytes.p, f.bytes.n);
        p->symbols[p->symbol_count++] = (struct symbol){f.bytes, {hash.low, hash.high}};
    }
    return step == WIRE_END ? 0 : ERR_PARSE;
}

/* Room for as many as the request may hold. Only the last run of a push is not full, so that what is admitted together does not
 * depend on how long the series are. */
static struct pushed_run *add_run(struct push *p)
{
    enum { SERIES_BYTES_MIN = 2 /* of an empty one: its tag and its length */ };
    size_t capacity = p->decoded_bytes / SERIES_BYTES_MIN;
    capacity = capacity < RUN_SERIES_MAX ? capacity : RUN_SERIES_MAX;
    struct pushed_run *run = arena_alloc(&p->arena, sizeof *run + capacity * sizeof run->series[0]);
    struct sample *plain = ARENA_ARRAY(&p->arena, struct sample, p->v2 ? 0 : capacity);
    if (run == NULL || plain == NULL || !push_settle(p))
        return NULL;
    run->capacity = capacity;
    run->plain = plain;
    *(p->last_run != NULL ? &p->last_run->next : &p->first_run) = run;
    return p->last_run = run;
}

static int decode_series(struct push *p, struct str body)
{
    if (++p->series_count > (size_t)limits.push_series)
        return ERR_FULL;
    struct pushed_run *run = p->last_run;
    if (run == NULL || run->count == run->capacity)
        run = add_run(p);
    if (run == NULL)
        return ERR_LIMIT;
    struct pushed *to = &run->series[run->count];
    to->body = body;
    int rc = 0;
    if (p->v2)
        rc = decode_series_v2(p, to);
    else if (!decode_plain_v1(p, to, &run->plain[run->count]))
        rc = decode_series_v1(p, to);
    run->count++;
    p->sample_count += to->float_count + to->histogram_count;
    return rc;
}

static int decode_field(struct push *p, const struct wire_field *f)
{
    if (p->v2 && f->number == V2_SYMBOLS)
        return 0;
    if (decode_count_field(p) != 0)
        return ERR_FULL;
    if (!p->v2 && f->number == V1_METADATA) {
        p->has_metadata = true;
        return f->type == WIRE_BYTES && metadata_is_sound(f->bytes) ? 0 : ERR_PARSE;
    }
    if (f->number != series_number(p))
        return 0;
    return f->type == WIRE_BYTES ? decode_series(p, f->bytes) : ERR_PARSE;
}

static int decode_all(struct push *p)
{
    int rc = p->v2 ? decode_symbols(p) : 0;
    struct wire w = outermost(p);
    struct wire_field f;
    enum wire_step step = WIRE_END;
    while (rc == 0 && (step = wire_next(&w, &f)) == WIRE_FIELD)
        rc = decode_field(p, &f);
    return rc == 0 && step != WIRE_END ? ERR_PARSE : rc;
}

int push_decode(struct push *p)
{
    int rc = decode_all(p);
    if (p->series_count > (size_t)limits.push_series) {
        limit_hit(LIMIT_push_series);
        return push_fail(p, 413, "more than %lld series in one push", (long long)limits.push_series);
    }
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
