/* account: heap memory counted to the byte, so that the store can be held to limits.store_bytes. */
#ifndef TOCSIN_STORE_ACCOUNT_PRIV_H
#define TOCSIN_STORE_ACCOUNT_PRIV_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct account {
    _Atomic int64_t bytes;
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

/* True if so many more bytes would stay within limits.store_bytes. */
bool account_has_room(const struct account *a, size_t bytes);

#endif
