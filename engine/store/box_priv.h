/* box: a native histogram as one block of memory, for the ring (heap) and for readers (their arena). */
#ifndef TOCSIN_STORE_BOX_PRIV_H
#define TOCSIN_STORE_BOX_PRIV_H

#include "tocsin/histogram.h"

/* Bytes that box_copy needs for h. */
size_t box_bytes(const struct histogram *h);

/* A deep copy laid out in `memory` (box_bytes of it, aligned for any type). */
struct histogram *box_copy(void *memory, const struct histogram *h);

/* Equal in all but counts, sum and hint. */
bool box_same_layout(const struct histogram *a, const struct histogram *b);

/* Equal in every field that travels, doubles by bits, the hint apart. */
bool box_equal(const struct histogram *a, const struct histogram *b);

#endif
