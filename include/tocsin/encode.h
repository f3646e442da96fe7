/*
 * encode: a batch becomes the body of a remote-write 1.0 push, for the sender, the simulator and tests.
 *
 * Float samples and native histograms; start timestamps have no place in 1.0 and are left out.
 */
#ifndef TOCSIN_ENCODE_H
#define TOCSIN_ENCODE_H

#include "tocsin/arena.h"
#include "tocsin/store.h"
#include "tocsin/str.h"

/* The snappy-compressed body, in the arena. 0, or ERR_LIMIT past its cap. */
int encode_push(struct arena *arena, const struct batch *batch, struct str *body);

#endif
