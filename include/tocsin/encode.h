/*
 * encode: a batch becomes the body of a push, for the sender, the simulator and tests.
 *
 * Float samples and native histograms, as float histograms; start timestamps have no place in 1.0 and are left out there.
 */
#ifndef TOCSIN_ENCODE_H
#define TOCSIN_ENCODE_H

#include "tocsin/arena.h"
#include "tocsin/store.h"
#include "tocsin/str.h"

/* The snappy-compressed body of remote write 1.0 (prometheus.WriteRequest), in the arena. 0, or ERR_LIMIT past its cap. */
int encode_push(struct arena *arena, const struct batch *batch, struct str *body);

/* The same of remote write 2.0 (io.prometheus.write.v2.Request). */
int encode_push_v2(struct arena *arena, const struct batch *batch, struct str *body);

#endif
