/*
 * wire: a cursor over the fields of one protobuf message, in place: no copy, no memory, every length checked before
 * it is believed. Accepts what protobuf-c accepts, which the tests hold it to.
 *
 * In the header because a push consists of little else: two to five fields for each label and sample.
 */
#ifndef TOCSIN_WIRE_PRIV_H
#define TOCSIN_WIRE_PRIV_H

#include "tocsin/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct wire {
    const uint8_t *at, *end;
};

enum wire_type { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

struct wire_field {
    uint32_t number;
    enum wire_type type;
    uint64_t value;   /* of VARINT, 64 and 32 */
    struct str bytes; /* of BYTES */
};

enum wire_step { WIRE_END, WIRE_FIELD, WIRE_CORRUPT };

enum { WIRE_VARINT_BYTES = 10, WIRE_HEAD_BYTES = 5 /* longest tag, longest length */ };

static inline struct wire wire_of(struct str message)
{
    const uint8_t *at = (const uint8_t *)message.p;
    return (struct wire){at, at + message.n};
}

/* A varint of at most `bytes_max` bytes. */
static inline bool wire_varint_upto(struct wire *w, int bytes_max, uint64_t *v)
{
    if (w->at < w->end && *w->at < 0x80) {
        *v = *w->at++;
        return true;
    }
    *v = 0;
    for (int i = 0; i < bytes_max && w->at < w->end; i++) {
        uint8_t byte = *w->at++;
        *v |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80)
            return true;
    }
    return false;
}

static inline bool wire_varint(struct wire *w, uint64_t *v)
{
    return wire_varint_upto(w, WIRE_VARINT_BYTES, v);
}

static inline bool wire_fixed(struct wire *w, void *to, size_t n)
{
    if ((size_t)(w->end - w->at) < n)
        return false;
    memcpy(to, w->at, n);
    w->at += n;
    return true;
}

static inline bool wire_bytes(struct wire *w, struct str *bytes)
{
    uint64_t n;
    if (!wire_varint_upto(w, WIRE_HEAD_BYTES, &n) || n > (uint64_t)(w->end - w->at))
        return false;
    *bytes = (struct str){(const char *)w->at, n};
    w->at += n;
    return true;
}

static inline enum wire_step wire_next(struct wire *w, struct wire_field *f)
{
    uint64_t tag;
    if (w->at == w->end)
        return WIRE_END;
    if (!wire_varint_upto(w, WIRE_HEAD_BYTES, &tag))
        return WIRE_CORRUPT;
    f->number = (uint32_t)(tag >> 3);
    if (f->number == 0)
        return WIRE_CORRUPT;
    f->type = (enum wire_type)(tag & 7);
    f->value = 0;
    bool sound = false;
    switch (f->type) {
    case WIRE_VARINT:
        sound = wire_varint(w, &f->value);
        break;
    case WIRE_64:
        sound = wire_fixed(w, &f->value, 8);
        break;
    case WIRE_BYTES:
        sound = wire_bytes(w, &f->bytes);
        break;
    case WIRE_32:
        sound = wire_fixed(w, &f->value, 4);
        break;
    }
    return sound ? WIRE_FIELD : WIRE_CORRUPT;
}

static inline int64_t wire_zigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static inline int32_t wire_zigzag32(uint64_t v)
{
    uint32_t low = (uint32_t)v;
    return (int32_t)(low >> 1) ^ -(int32_t)(low & 1);
}

#endif
