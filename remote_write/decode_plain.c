/* The form in which senders write nearly every series of 1.0, read in one pass: its labels, then one float. */
#include "push_priv.h"
#include "tocsin/hash.h"
#include "tocsin/limits.h"
#include "tocsin/wire.h"

enum {
    FIRST_TAG = 0x0a,  /* field 1, bytes: a label; of a label its name */
    SECOND_TAG = 0x12, /* field 2, bytes: a sample; of a label its value */
    VALUE_TAG = 0x09,
    TIME_TAG = 0x10,
    VALUE_BYTES = 8,
    LONGER = 0x80 /* a length of more than one byte begins so */
};

/* Name and value once each, in this order, in fewer than LONGER bytes: so no length inside is longer than one byte. */
static inline bool label_is_plain(const uint8_t *b, size_t n)
{
    enum { HEADS = 4 };
    if (n < HEADS || n >= LONGER || b[0] != FIRST_TAG || b[1] + (size_t)HEADS > n)
        return false;
    const uint8_t *value = b + b[1] + 2;
    return value[0] == SECOND_TAG && value[1] == n - HEADS - b[1];
}

bool decode_plain_label(struct str message, struct label *to)
{
    const uint8_t *b = (const uint8_t *)message.p;
    if (!label_is_plain(b, message.n))
        return false;
    *to = (struct label){{message.p + 2, b[1]}, {message.p + b[1] + 4, b[b[1] + 3]}};
    return true;
}

/* Value and time, either left out when it is zero, and nothing behind them. */
static bool take_float(struct wire w, struct sample *to)
{
    uint64_t t = 0;
    *to = (struct sample){0};
    if (w.end - w.at < 2 || w.at[0] != SECOND_TAG || w.at[1] != w.end - w.at - 2)
        return false;
    w.at += 2;
    if (w.at < w.end && *w.at == VALUE_TAG) {
        w.at++;
        if (!wire_fixed(&w, &to->value, VALUE_BYTES))
            return false;
    }
    if (w.at < w.end && *w.at == TIME_TAG) {
        w.at++;
        if (!wire_varint(&w, &t))
            return false;
    }
    to->t_ms = (int64_t)t;
    return w.at == w.end;
}

/* Steps over labels, as many as are plain. */
static uint32_t step_over_labels(struct wire *w)
{
    uint32_t labels = 0;
    const uint8_t *at = w->at, *end = w->end;
    while (end - at > 2 && at[0] == FIRST_TAG && at[1] <= end - at - 2 && label_is_plain(at + 2, at[1])) {
        at += at[1] + 2;
        labels++;
    }
    w->at = at;
    return labels;
}

bool decode_plain_v1(struct push *p, struct pushed *s, struct sample *to)
{
    struct wire w = wire_of(s->body);
    uint32_t labels = step_over_labels(&w);
    if (labels == 0 || p->sample_count >= (size_t)limits.push_samples || !take_float(w, to))
        return false;
    size_t label_bytes = (size_t)(w.at - (const uint8_t *)s->body.p);
    struct hash128 hash = hash_wide(s->body.p, label_bytes);
    s->spelling = (struct spelling){hash.low, hash.high};
    s->label_count = labels;
    s->float_count = 1;
    s->samples = to;
    p->field_count += labels + 1;
    return true;
}
