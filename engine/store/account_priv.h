/* account: heap memory counted to the byte, so that the store can be held to limits.store_bytes. */
#ifndef TOCSIN_STORE_ACCOUNT_PRIV_H
#define TOCSIN_STORE_ACCOUNT_PRIV_H

#include "tocsin/hash.h"
#include "tocsin/str.h"

#include <stdatomic.h>
#include <stdint.h>

struct slab;

struct account {
    _Atomic int64_t bytes;
    struct slab *slab; /* for small pieces of which there are many; who makes none may leave it NULL */
    int64_t beyond;    /* how far it may go beyond limits.store_bytes: while a log is read back */
};

/* Zeroed memory, counted. Never NULL: whoever adds on behalf of a stranger asks account_has_room first. */
void *account_take(struct account *a, size_t bytes);
void *account_resize(struct account *a, void *p, size_t from_bytes,
                     size_t to_bytes);                       /* new bytes undefined */
void account_give(struct account *a, void *p, size_t bytes); /* p may be NULL */

/* The same in whole cache lines (mem_new_lines). */
void *account_take_lines(struct account *a, size_t bytes);

/* Counts what somebody else allocates (negative: frees) for the store. */
void account_add(struct account *a, int64_t bytes);

/* As map_add and map_release; the slots are counted. */
void account_map_add(struct account *a, struct map *m, uint64_t hash, void *item);
void account_map_release(struct account *a, struct map *m);

/* True if so many more bytes would stay within limits.store_bytes, and what is allowed beyond it. */
bool account_has_room(const struct account *a, size_t bytes);

/* Copies a text to *to, which moves on behind it: for things that carry their texts in their own piece of memory. */
static inline struct str text_put(char **to, struct str text)
{
    struct str put = {*to, text.n};
    if (text.n > 0)
        memcpy(*to, text.p, text.n);
    *to += text.n;
    return put;
}

#endif
