/*
 * slab: pieces of memory of a few sizes, without the heap's own bytes around each, for what every series needs one of.
 *
 * Pieces of one size share chunks of 16 KiB, so that pieces made one after the other (the open blocks of neighbours) stand in few
 * pages, and growing them leaves no holes that another size does not fill: a chunk whose last piece is given back is spare, and
 * serves any size. Pieces larger than SLAB_BYTES_MAX are the heap's. May be used by many threads.
 */
#ifndef TOCSIN_STORE_SLAB_PRIV_H
#define TOCSIN_STORE_SLAB_PRIV_H

#include "account_priv.h"
#include "tocsin/lock.h"

enum { SLAB_UNIT_BYTES = 8, SLAB_BYTES_MAX = 576 };

struct slab_chunk;

struct slab {
    struct lock lock;                                              /* guards all that follows */
    struct slab_chunk *room[SLAB_BYTES_MAX / SLAB_UNIT_BYTES + 1]; /* by units: with room for such a piece */
    struct slab_chunk *spare;
    size_t used_count;
    struct slab_chunk **cold; /* without memory behind them */
    size_t cold_count, cold_capacity;
    char **regions; /* of which the chunks are */
    size_t region_count, region_capacity;
    struct account *account; /* counts the chunks that have memory */
};

void slab_init(struct slab *s, struct account *account);
void slab_release(struct slab *s); /* all pieces have been given back */

/* Not zeroed, aligned to SLAB_UNIT_BYTES. */
void *slab_take(struct slab *s, size_t bytes);
void slab_give(struct slab *s, void *p, size_t bytes);

/* Gives the memory of spare chunks back to the system. */
void slab_trim(struct slab *s);

#endif
