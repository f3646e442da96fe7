/*
 * intake: the bytes of one remote-write push become samples in the store.
 *
 * Remote write 1.0 and 2.0: snappy block format around a protobuf message. Content-Type, Content-Encoding and the length of
 * the body are the listener's to check; everything behind them is checked here, before memory is taken for it:
 * the length that snappy declares (limits push_decoded_bytes, push_ratio), then all memory for decoding
 * (push_arena_bytes), and over all pushes at once in_flight_bytes.
 *
 * What can be stored is stored. A series that breaks a rule is refused alone, named in the answer and counted; one
 * bad series never costs the others. A request that is not well-formed to its last byte stores nothing.
 *
 * Exemplars and metadata go into the store behind the samples (extras.h). Exemplars may come in a series without samples, as
 * Prometheus' senders write them, also in 2.0, whose text forbids it: they are taken if the store knows the series. In 1.0 no
 * exemplar is a reason to fail; metadata never is, but for references that lead nowhere.
 *
 * A series that was pushed before costs a hash of its labels as they were written, and no look at the labels themselves.
 *
 * What the log has not taken in is answered 503, so that its sender keeps it: until then it is in memory only, where rules see it.
 *
 * Drawback: a sender that is answered 400 drops the whole push on its side; the part that was stored stays stored.
 *
 * Threads: intake_push may be called by several at once.
 */
#ifndef TOCSIN_INTAKE_H
#define TOCSIN_INTAKE_H

#include "tocsin/buf.h"
#include "tocsin/store.h"
#include "tocsin/str.h"
#include "tocsin/world.h"

#include <stdint.h>

struct intake;

enum { INTAKE_TEXT_BYTES = 16 << 10 }; /* of reasons; what goes beyond is left out, and said */

struct intake_answer {
    /* HTTP's: 204 all stored; 400 some or all refused, sending again is useless; 413 too large; 429 the store is at a
     * limit; 503 too much under way, or the store's log cannot be written. */
    int status;
    int64_t retry_after_ms; /* with 429 and 503; else -1 */
    uint64_t appended;      /* samples stored; those that were there already are not counted */
    /* 2.0's confirmation: what the sender need not send again, because it is stored, was there already, or nobody asks for
     * it. */
    uint64_t written_samples, written_histograms, written_exemplars;
    uint64_t
        logged; /* the answer is true once store_durable has come so far, and may not go out before; 0: at once */
    struct buf text; /* a line for each refused series, then the verdict; empty with 204 */
};

struct intake *intake_open(struct world *world);
void intake_close(struct intake *intake); /* no push may be under way */

/* The feature type-and-unit-labels, before the first push: series of 2.0 that come with a type or a unit get them as labels
 * __type__ and __unit__, in the place of what their senders wrote there. Then a series with another type is another series. */
void intake_name_types(struct intake *intake);

void intake_answer_init(struct intake_answer *answer);
void intake_answer_release(struct intake_answer *answer);

/* Fills the answer (which intake_answer_init has prepared). identity: who pushes (limits.series_per_identity); empty: nobody in
 * particular. 0 if the status is 204, else ERR_PARSE (400), ERR_LIMIT
 * (413, 429) or ERR_FULL (503). */
int intake_push(struct intake *intake, struct store *store, struct str identity, struct str compressed,
                struct intake_answer *answer);

/* The same for io.prometheus.write.v2.Request. */
int intake_push_v2(struct intake *intake, struct store *store, struct str identity, struct str compressed,
                   struct intake_answer *answer);

/* What becomes of an answer whose `logged` does not become durable, because the log has failed or (late) takes too long: 503,
 * and nothing is confirmed. Of the answer so far only the status is looked at. */
void intake_refuse_unlogged(struct intake_answer *answer, bool late);

#endif
