/*
 * wire: a cursor over the fields of one protobuf message, in place: no copy, no memory, every length checked before
 * it is believed. Accepts what protobuf-c accepts, which the tests hold it to.
 *
 * Mostly in the header because a push consists of little else: two to five fields for each label and sample.
 */
#ifndef TOCSIN_WIRE_H
#define TOCSIN_WIRE_H

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

enum wire_step wire_next_any(struct wire *w, struct wire_field *f);

/* The next field. Bytes with short heads, of which a push mostly consists, are taken here. */
static inline enum wire_step wire_next(struct wire *w, struct wire_field *f)
{
    enum { LONGER = 0x80, HEAD = 3, TAG_ENDS_TYPE_BYTES = 0x87 };
    const uint8_t *at = w->at;
    if (w->end - at < HEAD || (at[0] & TAG_ENDS_TYPE_BYTES) != WIRE_BYTES || at[0] < 8)
        return wire_next_any(w, f);
    size_t head = at[1] < LONGER ? 2 : HEAD;
    size_t n = at[1] < LONGER ? at[1] : (size_t)(at[1] & 0x7f) | (size_t)at[2] << 7;
    if ((head == HEAD && at[2] >= LONGER) || (size_t)(w->end - at) - head < n)
        return wire_next_any(w, f);
    *f = (struct wire_field){.number = at[0] >> 3, .type = WIRE_BYTES, .bytes = {(const char *)at + head, n}};
    w->at += head + n;
    return WIRE_FIELD;
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
