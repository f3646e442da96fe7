/* One push on its way through the steps of intake: gate.c, unpack.c, translate.c. */
#ifndef TOCSIN_PUSH_PRIV_H
#define TOCSIN_PUSH_PRIV_H

#include "remote.pb-c.h"
#include "tocsin/arena.h"
#include "tocsin/histogram.h"
#include "tocsin/intake.h"

#include <stdatomic.h>

/* What all pushes under way have taken together. */
struct flight {
    _Atomic int64_t bytes;
};

struct push {
    struct store *store;
    struct intake_answer *answer;
    struct arena arena; /* everything decoded; capped by limits.push_arena_bytes */
    struct flight *flight;
    int64_t charged_bytes; /* what this push has put on the flight's account */
    bool flight_full;      /* that account had no more room */
    char *decoded;
    size_t decoded_bytes;
};

/* Ends the push: sets the status and adds a line to the text. Returns the code that goes with the status. */
int push_fail(struct push *p, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Takes so many more bytes of the flight's account (negative: gives back). False if there is no room. */
bool push_charge(struct push *p, int64_t bytes);

/* gate: the declared length is believed only if it can be true; then snappy. 0, or push_fail's code. */
int push_uncompress(struct push *p, struct str compressed);

/* unpack: protobuf-c in the push's arena. 0 and *request (in the arena), or push_fail's code. */
int push_unpack(struct push *p, Prometheus__WriteRequest **request);

/* Why memory ran out, as an answer. */
int push_out_of_memory(struct push *p);

/* translate: the request's series go to the store, slice by slice. 0, or push_fail's code. */
int push_translate(struct push *p, const Prometheus__WriteRequest *request);

/* translate_histogram: checks and converts; a stale histogram becomes a stale float. 0, or ERR_PARSE with the reason, or
 * ERR_LIMIT (arena). */
int translate_histogram(struct arena *arena, const Prometheus__Histogram *from, struct sample *to,
                        struct err *err);

/* coarsen: merges buckets so that the schema drops by `shift`. 0, or ERR_LIMIT (arena). */
int histogram_coarsen(struct arena *arena, struct histogram *h, int shift);

#endif
