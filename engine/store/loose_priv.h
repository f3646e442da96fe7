/*
 * loose: the samples of a wide stretch taken out of it, to be changed and packed again.
 *
 * The histograms live in an arena of their own; those added from outside stay where they are until then.
 */
#ifndef TOCSIN_STORE_LOOSE_PRIV_H
#define TOCSIN_STORE_LOOSE_PRIV_H

#include "spine_priv.h"

struct loose {
    struct arena arena;
    struct sample *samples;
    size_t count;
};

/* With room for `more`. */
struct loose loose_unpack(const struct sealed *s, size_t more);
void loose_release(struct loose *l);

/* How many are at or before t_ms. */
size_t loose_upto(const struct loose *l, int64_t t_ms);

void loose_insert(struct loose *l, size_t at, const struct sample *s);
void loose_add(struct loose *l, const struct sample *samples, size_t count); /* behind the others */

/* Puts them back in place of item i, as two if they are too many for one, and releases them. */
void loose_pack(struct loose *l, struct ring *r, size_t i, struct account *account);

#endif
