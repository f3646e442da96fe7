/*
 * mem: the heap, for what outlives one unit of work (start-up, configuration, tables).
 *
 * Never returns NULL: running out of memory in the process ends it with a message, because every
 * amount a stranger can influence is bounded before it comes here (limits.h, arena.h). Sizes are
 * given as count * size, and the product is checked.
 */
#ifndef TOCSIN_MEM_H
#define TOCSIN_MEM_H

#include <sanitizer/asan_interface.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed memory for count items of size bytes. Free with mem_free. */
void *mem_new(size_t count, size_t size);

/* Zeroed memory that begins at a cache line, for tables whose items are one line each; `bytes` in whole lines. Free with
 * mem_free. */
enum { MEM_LINE_BYTES = 64 };
void *mem_new_lines(size_t bytes);

/* Resizes to count items of size bytes; new bytes are undefined. */
void *mem_resize(void *p, size_t count, size_t size);

/* A NUL-terminated copy of n bytes (which may hold NULs). */
char *mem_copy_text(const char *p, size_t n);

void mem_free(void *p);

/* Zeroed memory straight from the system, in whole pages, beginning at a multiple of `alignment` (a power of two); there is none
 * behind it until it is written. mem_forget takes that away again: the pages read as zero. */
void *mem_map(size_t bytes, size_t alignment);
void mem_unmap(void *p, size_t bytes);
void mem_forget(void *p, size_t bytes);

/* With AddressSanitizer, what is poisoned must not be read or written: for pieces of memory that are given out by hand. Else nothing. */
static inline void mem_poison(void *p, size_t bytes)
{
    ASAN_POISON_MEMORY_REGION(p, bytes);
}

static inline void mem_unpoison(void *p, size_t bytes)
{
    ASAN_UNPOISON_MEMORY_REGION(p, bytes);
}

/* Before there is a second thread: all share one heap, where what one of them frees another may use, and mem_trim reaches all of
 * it. A heap for each, as glibc has it, keeps the largest push that each has ever seen. */
void mem_share(void);

/* Gives back to the system what the heap holds free. The heap does not do so by itself for what lies between pieces in use. */
void mem_trim(void);

#define MEM_NEW(type) ((type *)mem_new(1, sizeof(type)))
#define MEM_ARRAY(type, count) ((type *)mem_new((count), sizeof(type)))

/* Brings a place near: reads it. Reads that do not depend on each other wait for memory together; unlike a prefetch, a
 * read is not dropped when the page is not in the TLB either. */
static inline void mem_touch(const void *p)
{
    (void)*(const volatile char *)p;
}

/* Every line of so many bytes. */
static inline void mem_touch_all(const void *p, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += MEM_LINE_BYTES)
        mem_touch((const char *)p + at);
    if (bytes > 0)
        mem_touch((const char *)p + bytes - 1);
}

/* Sets out to bring them near and does not wait: for what is read some time later, if at all. p may be NULL then. */
static inline void mem_fetch(const void *p, size_t bytes)
{
    const char *line = (const char *)((uintptr_t)p & ~(uintptr_t)(MEM_LINE_BYTES - 1));
    for (; line < (const char *)p + bytes; line += MEM_LINE_BYTES)
        __builtin_prefetch(line);
}

/* Makes room for one more item in a heap array that doubles: MEM_GROW(items, count, capacity). */
#define MEM_GROW(items, count, capacity)                                        \
    do {                                                                        \
        if ((count) >= (capacity)) {                                            \
            (capacity) = (capacity) ? (capacity)*2 : 8;                         \
            (items) = mem_resize((items), (size_t)(capacity), sizeof *(items)); \
        }                                                                       \
    } while (0)

#endif
