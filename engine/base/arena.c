#include "tocsin/arena.h"

#include "tocsin/check.h"
#include "tocsin/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_MIN_BYTES = 4096, BLOCK_MAX_BYTES = 1 << 20, ALIGNMENT = 16 };

struct arena_block {
    struct arena_block *older;
    size_t size; /* of bytes[] */
    size_t used;
    size_t pad; /* keeps bytes[] aligned */
    unsigned char bytes[];
};

void arena_init(struct arena *a, size_t cap_bytes)
{
    must(cap_bytes > 0);
    *a = (struct arena){.cap_bytes = cap_bytes};
}

static void drop_head(struct arena *a)
{
    struct arena_block *b = a->head;
    a->head = b->older;
    a->used_bytes -= sizeof *b + b->size;
    free(b);
}

void arena_release(struct arena *a)
{
    while (a->head != NULL)
        drop_head(a);
    a->exhausted = false;
}

void arena_clear(struct arena *a)
{
    while (a->head != NULL && a->head->older != NULL)
        drop_head(a);
    if (a->head != NULL)
        a->head->used = 0;
    a->exhausted = false;
}

/* Blocks double with what is in use, so that a large unit of work needs few of them. */
static size_t next_block_size(const struct arena *a, size_t size)
{
    size_t want = a->used_bytes;
    if (want < BLOCK_MIN_BYTES)
        want = BLOCK_MIN_BYTES;
    if (want > BLOCK_MAX_BYTES)
        want = BLOCK_MAX_BYTES;
    want -= sizeof(struct arena_block);
    size_t left = a->cap_bytes - a->used_bytes;
    if (want + sizeof(struct arena_block) > left && left > sizeof(struct arena_block))
        want = left - sizeof(struct arena_block);
    return want < size ? size : want;
}

static struct arena_block *add_block(struct arena *a, size_t size)
{
    size_t left = a->cap_bytes - a->used_bytes;
    if (left < sizeof(struct arena_block) || size > left - sizeof(struct arena_block))
        return NULL;
    size_t bytes = next_block_size(a, size);
    struct arena_block *b = malloc(sizeof *b + bytes);
    if (b == NULL)
        return NULL;
    *b = (struct arena_block){.older = a->head, .size = bytes};
    a->head = b;
    a->used_bytes += sizeof *b + bytes;
    return b;
}

/* What is in the memory is anybody's guess. */
static void *take(struct arena *a, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT) {
        a->exhausted = true;
        return NULL;
    }
    size = size == 0 ? ALIGNMENT : (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct arena_block *b = a->head;
    if (b == NULL || b->size - b->used < size)
        b = add_block(a, size);
    if (b == NULL) {
        a->exhausted = true;
        return NULL;
    }
    void *p = b->bytes + b->used;
    b->used += size;
    return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
    void *p = take(a, size);
    return p != NULL ? memset(p, 0, size) : NULL;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        a->exhausted = true;
        return NULL;
    }
    return arena_alloc(a, bytes);
}

char *arena_copy_text(struct arena *a, const char *p, size_t n)
{
    char *copy = n < SIZE_MAX ? take(a, n + 1) : NULL;
    if (copy == NULL)
        return NULL;
    if (n > 0)
        memcpy(copy, p, n);
    copy[n] = '\0';
    return copy;
}

void *arena_copy(struct arena *a, const void *p, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        a->exhausted = true;
        return NULL;
    }
    void *copy = take(a, bytes);
    if (copy != NULL && bytes > 0)
        memcpy(copy, p, bytes);
    return copy;
}

char *arena_format(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    must(n >= 0);
    char *text = arena_alloc(a, (size_t)n + 1);
    if (text == NULL)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return text;
}

struct arena_mark arena_mark(const struct arena *a)
{
    return (struct arena_mark){.block = a->head, .offset = a->head != NULL ? a->head->used : 0};
}

void arena_rewind(struct arena *a, struct arena_mark mark)
{
    while (a->head != mark.block)
        drop_head(a);
    if (a->head != NULL)
        a->head->used = mark.offset;
}

void *arena_grow(struct arena *a, const void *items, size_t count, size_t *capacity, size_t size)
{
    size_t more = *capacity ? *capacity * 2 : 8;
    void *grown = arena_array(a, more, size);
    if (grown == NULL)
        return NULL;
    if (count > 0)
        memcpy(grown, items, count * size);
    *capacity = more;
    return grown;
}

void arena_fetch_head(const struct arena *a)
{
    mem_fetch(a->head, sizeof *a->head);
}

void arena_fetch(const struct arena *a)
{
    for (const struct arena_block *b = a->head; b != NULL; b = b->older)
        mem_fetch(b->bytes, b->used);
}
