/*
 * buf: a growable byte string that cannot be made without a maximum.
 *
 * Invariants: bytes[used] is always NUL, so buf_text is a C string (which may hold NULs before its end).
 * Overflow sticks: once an addition would pass max_bytes it and all later ones are dropped and `overflow`
 * is set. Build freely, check buf_overflow once at the end; the result is then ERR_LIMIT.
 */
#ifndef TOCSIN_BUF_H
#define TOCSIN_BUF_H

#include "tocsin/str.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *bytes;
    size_t used;
    size_t capacity; /* private */
    size_t max_bytes;
    bool overflow;
};

/* Prepares *b; takes no memory yet. */
void buf_init(struct buf *b, size_t max_bytes);

/* Frees the bytes; *b may be used again as after buf_init. */
void buf_release(struct buf *b);

/* Empties it, keeps the memory, clears overflow. */
void buf_clear(struct buf *b);

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_str(struct buf *b, struct str s);
void buf_puts(struct buf *b, const char *text);
void buf_char(struct buf *b, char c);
void buf_repeat(struct buf *b, char c, size_t times);
void buf_i64(struct buf *b, int64_t value);
void buf_format(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vformat(struct buf *b, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* Cuts back to `used` bytes (at most what is there). */
void buf_truncate(struct buf *b, size_t used);

/* The content; valid until the next addition. Never NULL. */
const char *buf_text(const struct buf *b);

static inline struct str buf_slice(const struct buf *b)
{
    return (struct str){buf_text(b), b->used};
}

/* Room for n more bytes to be written at the returned place and then counted with buf_commit; NULL on overflow. */
char *buf_reserve(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);

static inline bool buf_overflow(const struct buf *b)
{
    return b->overflow;
}

#endif
