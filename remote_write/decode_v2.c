/* io.prometheus.write.v2.TimeSeries: labels as pairs of references into the request's table of symbols. */
#include "push_priv.h"
#include "tocsin/hash.h"
#include "tocsin/limits.h"
#include "tocsin/wire.h"

enum {
    REFS = 1,
    SAMPLES = 2,
    HISTOGRAMS = 3,
    EXEMPLARS = 4,
    METADATA = 5, /* of a series */
    VALUE = 2,
    TIME = 3, /* of an exemplar, whose labels are REFS, too */
    TYPE = 1,
    HELP = 3,
    UNIT = 4 /* of metadata */
};

/* A walk over references, which come packed, singly, or both. */
struct refs {
    const struct push *push;
    uint32_t count;
    bool astray;  /* one points behind the table */
    uint32_t *to; /* NULL: only counted */
};

static void take_ref(struct refs *r, uint64_t value)
{
    uint32_t ref = (uint32_t)value;
    r->astray |= ref >= r->push->symbol_count;
    if (r->to != NULL)
        r->to[r->count] = ref;
    r->count++;
}

static bool take_refs(struct refs *r, const struct wire_field *f)
{
    uint64_t value;
    if (f->type == WIRE_VARINT) {
        take_ref(r, f->value);
        return true;
    }
    struct wire w = wire_of(f->bytes);
    while (f->type == WIRE_BYTES && w.at < w.end) {
        if (!wire_varint(&w, &value))
            return false;
        take_ref(r, value);
    }
    return f->type == WIRE_BYTES;
}

static bool refs_are_good(const struct refs *r)
{
    return !r->astray && r->count % 2 == 0;
}

static bool exemplar_is_sound(const struct push *p, struct str message)
{
    struct refs refs = {.push = p};
    struct wire w = wire_of(message);
    struct wire_field f;
    enum wire_step step;
    while ((step = wire_next(&w, &f)) == WIRE_FIELD)
        if ((f.number == REFS && !take_refs(&refs, &f)) || (f.number == VALUE && f.type != WIRE_64) ||
            (f.number == TIME && f.type != WIRE_VARINT))
            return false;
    return step == WIRE_END;
}

/* Several are one message in pieces, as protobuf has it: what a later one does not say stays. */
static bool walk_metadata(struct str message, struct pushed *s)
{
    struct wire w = wire_of(message);
    struct wire_field f;
    enum wire_step step;
    while ((step = wire_next(&w, &f)) == WIRE_FIELD) {
        if (f.number != TYPE && f.number != HELP && f.number != UNIT)
            continue;
        if (f.type != WIRE_VARINT)
            return false;
        uint32_t *to = f.number == TYPE ? &s->metadata_type : f.number == HELP ? &s->help_ref : &s->unit_ref;
        *to = (uint32_t)f.value;
    }
    return step == WIRE_END;
}

static bool count_field(struct push *p, const struct wire_field *f, struct pushed *s, struct refs *refs)
{
    switch (f->number) {
    case REFS:
        return take_refs(refs, f);
    case SAMPLES:
        s->float_count++;
        return f->type == WIRE_BYTES;
    case HISTOGRAMS:
        s->histogram_count++;
        return f->type == WIRE_BYTES && wire_histogram_is_sound(f->bytes, true);
    case EXEMPLARS:
        s->exemplar_count++;
        return f->type == WIRE_BYTES && exemplar_is_sound(p, f->bytes);
    case METADATA:
        return f->type == WIRE_BYTES && walk_metadata(f->bytes, s);
    default:
        return true;
    }
}

/* The references that are there, in order; the series has been walked over before. */
static void collect_refs(const struct pushed *s, struct refs *refs)
{
    struct wire w = wire_of(s->body);
    struct wire_field f;
    while (refs->count < s->label_count && wire_next(&w, &f) == WIRE_FIELD)
        if (f.number == REFS)
            take_refs(refs, &f);
}

/* The table differs from request to request, so a spelling is made of what the references stand for. */
static struct spelling spelling_of(const struct push *p, const struct pushed *s, const struct refs *seen)
{
    enum { REFS_MAX = 128 };
    uint32_t refs[REFS_MAX];
    uint64_t hashes[REFS_MAX][2];
    if (!refs_are_good(seen) || seen->count == 0 || seen->count > REFS_MAX)
        return (struct spelling){0};
    struct refs all = {.push = p, .to = refs};
    collect_refs(s, &all);
    for (uint32_t i = 0; i < all.count; i++)
        memcpy(hashes[i], p->symbols[refs[i]].hash, sizeof hashes[i]);
    struct hash128 hash = hash_wide(hashes, all.count * sizeof hashes[0]);
    return (struct spelling){hash.low, hash.high};
}

int decode_series_v2(struct push *p, struct pushed *s)
{
    struct refs refs = {.push = p};
    struct wire w = wire_of(s->body);
    struct wire_field f;
    enum wire_step step;
    const uint8_t *first_sample = NULL;
    for (const uint8_t *at = w.at; (step = wire_next(&w, &f)) == WIRE_FIELD; at = w.at) {
        if (decode_count_field(p) != 0)
            return ERR_FULL;
        if (!count_field(p, &f, s, &refs))
            return ERR_PARSE;
        if (f.number == SAMPLES && first_sample == NULL)
            first_sample = at;
    }
    if (step != WIRE_END)
        return ERR_PARSE;
    s->label_count = refs.count;
    s->spelling = spelling_of(p, s, &refs);
    if (push_names_type(p, s) && (s->spelling.a | s->spelling.b) != 0)
        s->spelling = push_spelling_of_type(p, s, s->spelling);
    return decode_floats(p, s, first_sample);
}

int spell_v2(struct push *p, const struct pushed *s, struct label *out, struct err *err)
{
    struct refs refs = {.push = p, .to = ARENA_ARRAY(&p->arena, uint32_t, s->label_count)};
    if (refs.to == NULL)
        return err_set(err, ERR_LIMIT, "no memory");
    if (s->label_count % 2 != 0)
        return err_set(err, ERR_PARSE, "invalid labelRefs length %u", s->label_count);
    collect_refs(s, &refs);
    for (uint32_t i = 0; i < refs.count; i++) {
        if (refs.to[i] >= p->symbol_count)
            return err_set(err, ERR_PARSE, "labelRefs %u (%s) = %u outside of symbols table (size %zu)", i,
                           i % 2 == 0 ? "name" : "value", refs.to[i], p->symbol_count);
        *(i % 2 == 0 ? &out[i / 2].name : &out[i / 2].value) = p->symbols[refs.to[i]].text;
    }
    return 0;
}
