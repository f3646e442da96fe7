/*
 * bits: numbers of any width written one after the other, lowest bit first.
 *
 * Both ends work on whole words, so the bytes of a writer are zero ahead of it, and BITS_SLACK readable (for a
 * writer: writable) bytes follow the last one.
 */
#ifndef TOCSIN_STORE_BITS_PRIV_H
#define TOCSIN_STORE_BITS_PRIV_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { BITS_SLACK = 9 };

struct bits_out {
    uint8_t *bytes;
    size_t at; /* in bits */
};

struct bits_in {
    const uint8_t *bytes;
    size_t at;
};

static inline uint64_t bits_mask(unsigned width)
{
    return width >= 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
}

static inline unsigned bits_width(uint64_t v)
{
    return v == 0 ? 0 : 64 - (unsigned)__builtin_clzll(v);
}

static inline uint64_t bits_word(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return le64toh(word);
}

/* v < 2^width */
static inline void bits_put(struct bits_out *b, uint64_t v, unsigned width)
{
    uint8_t *p = b->bytes + b->at / 8;
    unsigned offset = (unsigned)(b->at % 8);
    uint64_t word = htole64(bits_word(p) | v << offset);
    memcpy(p, &word, sizeof word);
    if (offset + width > 64)
        p[8] = (uint8_t)(v >> (64 - offset));
    b->at += width;
}

static inline uint64_t bits_take(struct bits_in *b, unsigned width)
{
    const uint8_t *p = b->bytes + b->at / 8;
    unsigned offset = (unsigned)(b->at % 8);
    uint64_t v = bits_word(p) >> offset;
    if (offset + width > 64)
        v |= (uint64_t)p[8] << (64 - offset);
    b->at += width;
    return v & bits_mask(width);
}

/* Whole numbers around zero as numbers from zero on: 0, -1, 1, -2 ... */
static inline uint64_t bits_fold(int64_t v)
{
    return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static inline int64_t bits_unfold(uint64_t v)
{
    return (int64_t)(v >> 1 ^ ((v & 1) != 0 ? UINT64_MAX : 0));
}

#endif
