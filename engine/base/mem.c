#include "tocsin/mem.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void out_of_memory(size_t count, size_t size)
{
    fprintf(stderr, "tocsin: out of memory (%zu x %zu bytes)\n", count, size);
    abort();
}

void *mem_new(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);
    if (p == NULL)
        out_of_memory(count, size);
    return p;
}

void *mem_new_lines(size_t bytes)
{
    void *p = aligned_alloc(MEM_LINE_BYTES, bytes);
    if (p == NULL)
        out_of_memory(1, bytes);
    return memset(p, 0, bytes);
}

void *mem_resize(void *p, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        out_of_memory(count, size);
    void *q = realloc(p, bytes ? bytes : 1);
    if (q == NULL)
        out_of_memory(count, size);
    return q;
}

char *mem_copy_text(const char *p, size_t n)
{
    char *copy = mem_new(n + 1, 1);
    if (n > 0)
        memcpy(copy, p, n);
    return copy;
}

void mem_free(void *p)
{
    free(p);
}

void mem_share(void)
{
    (void)mallopt(M_ARENA_MAX, 1);
}

void mem_trim(void)
{
    (void)malloc_trim(0);
}
