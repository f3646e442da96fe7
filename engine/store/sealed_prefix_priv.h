/*
 * sealed_prefix: what the samples of a packed stretch come to from its first one up to every 128th, so that any part of it is
 * told by two of these and at most one group at each of its ends. Only stretches of long spines have them: they take a twentieth of
 * what these take.
 */
#ifndef TOCSIN_STORE_SEALED_PREFIX_PRIV_H
#define TOCSIN_STORE_SEALED_PREFIX_PRIV_H

#include "sealed_priv.h"

enum { SEALED_PREFIXES = 16, SEALED_PREFIX_MAX = 168 };

static inline uint8_t *sealed_prefix_at(const struct sealed *s)
{
    return s->packed + s->bytes + BITS_SLACK + sealed_aside_bytes(s);
}

/* Unless they are there, or cannot be. */
void sealed_prefix_make(struct account *account, struct sealed *s);
size_t sealed_prefix_bytes(const struct sealed *s);

/* Takes them out, for it is about to change; false if there are none. Then more samples may be added, as they are to it, and all be
 * put in again. */
struct sealed_prefix {
    uint64_t sum[SEALED_PREFIXES];
    uint64_t changes[SEALED_PREFIXES]; /* twice as many, and one if the sample that follows is another one */
    size_t count;
    double last;
    bool whole;
};
bool sealed_prefix_take(struct sealed *s, struct sealed_prefix *p);
void sealed_prefix_add(struct sealed_prefix *p, const struct point *points, size_t count);
void sealed_prefix_put(struct account *account, struct sealed *s, const struct sealed_prefix *p);

/* What the samples from one up to another add up to; false if that is not told. */
bool sealed_prefix_sum(const struct sealed *s, const struct sealed_place *first,
                       const struct sealed_place *last, int64_t *sum);

/* How many of them, but for the first, are not as the one before; only with SEALED_PREFIX. */
uint32_t sealed_prefix_changes(const struct sealed *s, const struct sealed_place *first,
                               const struct sealed_place *last);

#endif
