/*
 * arena: memory for one unit of work (a request, an evaluation, a flush, a configuration), freed at once.
 *
 * Invariants: an arena never gives out more than its cap; every pointer stays valid until the arena is
 * cleared, rewound past it, or released. Memory is aligned for any type and zeroed.
 *
 * A failed allocation returns NULL and makes the arena *exhausted*, which sticks: code that builds
 * something large may check arena_exhausted once at its end, as long as it never writes through NULL.
 * The work then fails with ERR_LIMIT; nothing else does.
 *
 * Drawback: nothing is given back before the end. Loops that allocate per step use arena_mark and
 * arena_rewind. Not safe for use by two threads at once.
 */
#ifndef TOCSIN_ARENA_H
#define TOCSIN_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *head; /* newest block; private */
    size_t used_bytes;        /* taken from the heap so far, headers included */
    size_t cap_bytes;
    bool exhausted;
};

struct arena_mark {
    struct arena_block *block;
    size_t offset;
};

/* Prepares *a; takes no memory yet. cap_bytes > 0. */
void arena_init(struct arena *a, size_t cap_bytes);

/* Gives everything back to the heap. *a may be used again as after arena_init. */
void arena_release(struct arena *a);

/* Forgets everything, keeps the first block for the next unit of work. Clears `exhausted`. */
void arena_clear(struct arena *a);

/* Zeroed memory, or NULL once the cap would be passed. size may be 0 (a valid, unique pointer). */
void *arena_alloc(struct arena *a, size_t size);

/* As arena_alloc for count items; a product that overflows counts as passing the cap. */
void *arena_array(struct arena *a, size_t count, size_t size);

/* A NUL-terminated copy of n bytes, or NULL. */
char *arena_copy_text(struct arena *a, const char *p, size_t n);

/* A copy of count*size bytes, or NULL. */
void *arena_copy(struct arena *a, const void *p, size_t count, size_t size);

/* A formatted NUL-terminated text, or NULL. */
char *arena_format(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Where the arena stands now; arena_rewind forgets everything allocated since. Marks nest. */
struct arena_mark arena_mark(const struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark mark);

/* Sets out to bring near (mem_fetch) its first header; then, once that is there, all that it has given out. */
void arena_fetch_head(const struct arena *a);
void arena_fetch(const struct arena *a);

static inline bool arena_exhausted(const struct arena *a)
{
    return a->exhausted;
}

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, count) ((type *)arena_array((a), (count), sizeof(type)))

/* Makes room for one more item in an arena array that doubles (the old copy stays until the arena goes).
 * Sets items to NULL when the cap is passed: check it before writing. */
#define ARENA_GROW(a, items, count, capacity)                                          \
    do {                                                                               \
        if ((count) >= (capacity))                                                     \
            (items) = arena_grow((a), (items), (count), &(capacity), sizeof *(items)); \
    } while (0)

/* Behind ARENA_GROW: a doubled copy of count items; *capacity is updated. NULL past the cap. */
void *arena_grow(struct arena *a, const void *items, size_t count, size_t *capacity, size_t size);

#endif
