/*
 * varint: whole numbers in as few bytes as they need, seven bits a byte, lowest first; and a reader of bytes that anybody may
 * have written.
 *
 * The reader never goes past its end. What is not there reads as 0 and makes it `bad`, which sticks.
 */
#ifndef TOCSIN_STORE_VARINT_PRIV_H
#define TOCSIN_STORE_VARINT_PRIV_H

#include "bits_priv.h"

#include "tocsin/sample.h"
#include "tocsin/str.h"

enum { VARINT_BYTES_MAX = 10 };

/* Returns the place behind it. */
static inline char *varint_put(char *to, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *to++ = (char)(v | 0x80);
    *to++ = (char)v;
    return to;
}

/* Numbers around zero. */
static inline char *varint_put_signed(char *to, int64_t v)
{
    return varint_put(to, bits_fold(v));
}

struct taking {
    const char *at, *end;
    bool bad;
};

static inline struct taking taking_of(struct str bytes)
{
    return (struct taking){bytes.p, bytes.n > 0 ? bytes.p + bytes.n : bytes.p, false};
}

static inline size_t taking_left(const struct taking *t)
{
    return (size_t)(t->end - t->at);
}

/* n bytes; none if there are fewer. */
static inline struct str take_bytes(struct taking *t, uint64_t n)
{
    t->bad = t->bad || n > taking_left(t);
    struct str bytes = {t->at, t->bad ? 0 : (size_t)n};
    t->at += bytes.n;
    return bytes;
}

static inline uint64_t take_varint(struct taking *t)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 7 * VARINT_BYTES_MAX && t->at < t->end; shift += 7) {
        uint8_t byte = (uint8_t)*t->at++;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return v;
    }
    t->bad = true;
    return 0;
}

static inline int64_t take_signed(struct taking *t)
{
    return bits_unfold(take_varint(t));
}

/* One of at most `max`; a larger one is bad. */
static inline uint64_t take_upto(struct taking *t, uint64_t max)
{
    uint64_t v = take_varint(t);
    t->bad = t->bad || v > max;
    return t->bad ? 0 : v;
}

static inline uint8_t take_byte(struct taking *t)
{
    struct str byte = take_bytes(t, 1);
    return byte.n > 0 ? (uint8_t)*byte.p : 0;
}

static inline double take_double(struct taking *t)
{
    uint64_t bits = 0;
    struct str bytes = take_bytes(t, sizeof bits);
    if (bytes.n > 0)
        memcpy(&bits, bytes.p, sizeof bits);
    return double_from_bits(le64toh(bits));
}

#endif
