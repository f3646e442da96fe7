#include "tocsin/mem.h"

#include "tocsin/check.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

void *mem_map(size_t bytes, size_t alignment)
{
    char *p = mmap(NULL, bytes + alignment, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        out_of_memory(1, bytes);
    size_t before = (alignment - (uintptr_t)p % alignment) % alignment;
    mem_unmap(p, before);
    mem_unmap(p + before + bytes, alignment - before);
    return p + before;
}

void mem_unmap(void *p, size_t bytes)
{
    must(bytes == 0 || munmap(p, bytes) == 0);
}

void mem_forget(void *p, size_t bytes)
{
    must(madvise(p, bytes, MADV_DONTNEED) == 0);
}

void mem_share(void)
{
    (void)mallopt(M_ARENA_MAX, 1);
}

void mem_trim(void)
{
    (void)malloc_trim(0);
}
