/*
 * reach: which of up to REACH_ITEMS stretches beside each other hold the least and the greatest value of those up to, and of
 * those from, each of them: two bytes for each bound instead of sixteen, and what they name has it.
 */
#ifndef TOCSIN_STORE_REACH_PRIV_H
#define TOCSIN_STORE_REACH_PRIV_H

#include "sealed_priv.h"

enum { REACH_ITEMS = 64 };

struct reach {
    uint8_t least_upto, most_upto, least_from, most_from;
};

/* Wide ones and such without values count as some number: nobody asks for bounds of what has one of them in it. */
void reach_make(struct reach *r, const struct sealed *item, size_t count);

/* Widens by items from i on, or by those up to i. */
void reach_widen_from(const struct reach *r, const struct sealed *item, size_t i, struct window_summary *out);
void reach_widen_upto(const struct reach *r, const struct sealed *item, size_t i, struct window_summary *out);

#endif
