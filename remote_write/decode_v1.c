/* prometheus.TimeSeries: labels as pairs of texts. */
#include "push_priv.h"
#include "tocsin/hash.h"
#include "tocsin/wire.h"

enum { LABELS = 1, SAMPLES = 2, EXEMPLARS = 3, HISTOGRAMS = 4, NAME = 1, VALUE = 2, TIME = 3 };

static bool walk_label(struct str message, struct label *to)
{
    if (decode_plain_label(message, to))
        return true;
    struct wire w = wire_of(message);
    struct wire_field f;
    enum wire_step step;
    *to = (struct label){STR(""), STR("")};
    while ((step = wire_next(&w, &f)) == WIRE_FIELD) {
        if (f.number != NAME && f.number != VALUE)
            continue;
        if (f.type != WIRE_BYTES)
            return false;
        *(f.number == NAME ? &to->name : &to->value) = f.bytes;
    }
    return step == WIRE_END;
}

static bool label_is_sound(struct str message)
{
    struct label label;
    return walk_label(message, &label);
}

static bool exemplar_is_sound(struct str message)
{
    struct wire w = wire_of(message);
    struct wire_field f;
    enum wire_step step;
    while ((step = wire_next(&w, &f)) == WIRE_FIELD)
        if ((f.number == LABELS && (f.type != WIRE_BYTES || !label_is_sound(f.bytes))) ||
            (f.number == VALUE && f.type != WIRE_64) || (f.number == TIME && f.type != WIRE_VARINT))
            return false;
    return step == WIRE_END;
}

/* Where the labels of a series stand, as long as they stand side by side. */
struct stretch {
    const uint8_t *from, *to;
    bool torn;
};

static void stretch_over(struct stretch *s, const uint8_t *from, const uint8_t *to)
{
    if (s->from == NULL)
        s->from = from;
    else if (s->to != from)
        s->torn = true;
    s->to = to;
}

static struct spelling spelling_of(const struct stretch *s)
{
    if (s->from == NULL || s->torn)
        return (struct spelling){0};
    struct hash128 hash = hash_wide(s->from, (size_t)(s->to - s->from));
    return (struct spelling){hash.low, hash.high};
}

static bool count_field(const struct wire_field *f, struct pushed *s)
{
    switch (f->number) {
    case LABELS:
        s->label_count++;
        return f->type == WIRE_BYTES && label_is_sound(f->bytes);
    case SAMPLES:
        s->float_count++;
        return f->type == WIRE_BYTES;
    case EXEMPLARS:
        s->exemplar_count++;
        return f->type == WIRE_BYTES && exemplar_is_sound(f->bytes);
    case HISTOGRAMS:
        s->histogram_count++;
        return f->type == WIRE_BYTES && wire_histogram_is_sound(f->bytes, false);
    default:
        return true;
    }
}

int decode_series_v1(struct push *p, struct pushed *s)
{
    struct wire w = wire_of(s->body);
    struct wire_field f;
    enum wire_step step;
    struct stretch labels = {0};
    const uint8_t *first_sample = NULL;
    for (const uint8_t *at = w.at; (step = wire_next(&w, &f)) == WIRE_FIELD; at = w.at) {
        if (decode_count_field(p) != 0)
            return ERR_FULL;
        if (!count_field(&f, s))
            return ERR_PARSE;
        if (f.number == LABELS)
            stretch_over(&labels, at, w.at);
        else if (f.number == SAMPLES && first_sample == NULL)
            first_sample = at;
    }
    if (step != WIRE_END)
        return ERR_PARSE;
    s->spelling = spelling_of(&labels);
    return decode_floats(p, s, first_sample);
}

void spell_v1(const struct pushed *s, struct label *out)
{
    struct wire w = wire_of(s->body);
    struct wire_field f;
    while (wire_next(&w, &f) == WIRE_FIELD)
        if (f.number == LABELS)
            walk_label(f.bytes, out++);
}
