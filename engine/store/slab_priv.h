/*
 * slab: small pieces of memory without the heap's own bytes around each, for what every series needs one of.
 *
 * Pieces come from chunks of 64 KiB and go back to a list of their size; chunks stay until the slab is released. Pieces
 * larger than SLAB_BYTES_MAX are the heap's. Guarded by whatever guards its owner.
 */
#ifndef TOCSIN_STORE_SLAB_PRIV_H
#define TOCSIN_STORE_SLAB_PRIV_H

#include "account_priv.h"

enum { SLAB_UNIT_BYTES = 8, SLAB_BYTES_MAX = 256 };

struct slab_piece {
    struct slab_piece *next;
};

struct slab {
    struct slab_piece *free[SLAB_BYTES_MAX / SLAB_UNIT_BYTES + 1]; /* by units */
    struct slab_piece *chunks;
    char *at, *end; /* what is left of the newest chunk */
    struct account *account;
};

void slab_init(struct slab *s, struct account *account);
void slab_release(struct slab *s); /* all pieces have been given back */

/* Not zeroed, aligned to SLAB_UNIT_BYTES. */
void *slab_take(struct slab *s, size_t bytes);
void slab_give(struct slab *s, void *p, size_t bytes);

#endif
