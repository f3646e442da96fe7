#include "tocsin/buf.h"

#include "tocsin/check.h"
#include "tocsin/mem.h"

#include <stdio.h>

void buf_init(struct buf *b, size_t max_bytes)
{
    *b = (struct buf){.max_bytes = max_bytes};
}

void buf_release(struct buf *b)
{
    mem_free(b->bytes);
    buf_init(b, b->max_bytes);
}

void buf_clear(struct buf *b)
{
    b->overflow = false;
    buf_truncate(b, 0);
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (b->overflow || n > b->max_bytes - b->used) {
        b->overflow = true;
        return NULL;
    }
    size_t need = b->used + n + 1;
    if (need > b->capacity) {
        size_t grown = b->capacity * 2 > need ? b->capacity * 2 : need;
        b->capacity = grown < 64 ? 64 : grown;
        b->bytes = mem_resize(b->bytes, b->capacity, 1);
        b->bytes[b->used] = '\0';
    }
    return b->bytes + b->used;
}

void buf_commit(struct buf *b, size_t n)
{
    must(n == 0 || b->used + n < b->capacity);
    b->used += n;
    if (b->bytes != NULL)
        b->bytes[b->used] = '\0';
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
    char *to = buf_reserve(b, n);
    if (to == NULL || n == 0)
        return;
    memcpy(to, bytes, n);
    buf_commit(b, n);
}

void buf_str(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.n);
}

void buf_puts(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_repeat(struct buf *b, char c, size_t times)
{
    char *to = buf_reserve(b, times);
    if (to == NULL || times == 0)
        return;
    memset(to, c, times);
    buf_commit(b, times);
}

void buf_i64(struct buf *b, int64_t value)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%lld", (long long)value);
    buf_add(b, digits, (size_t)n);
}

void buf_vformat(struct buf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    size_t room = b->overflow ? 0 : b->capacity - b->used;
    int n = vsnprintf(room > 0 ? b->bytes + b->used : NULL, room, format, args);
    must(n >= 0);
    char *to = buf_reserve(b, (size_t)n);
    if (to != NULL) {
        if ((size_t)n >= room)
            vsnprintf(to, (size_t)n + 1, format, again);
        buf_commit(b, (size_t)n);
    } else if (room > 0) {
        b->bytes[b->used] = '\0';
    }
    va_end(again);
}

void buf_format(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vformat(b, format, args);
    va_end(args);
}

void buf_truncate(struct buf *b, size_t used)
{
    if (used < b->used)
        b->used = used;
    if (b->bytes != NULL)
        b->bytes[b->used] = '\0';
}

const char *buf_text(const struct buf *b)
{
    return b->bytes != NULL ? b->bytes : "";
}
