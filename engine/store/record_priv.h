/*
 * record: what the log and the snapshot say of series and samples.
 *
 * A record is a list of items, each complete in itself. A series is meant by its id: its number and how often that number had been
 * given out before, so that an id never means two series. Numbers and times are varints against the item before, values are the
 * eight bytes of the double: about eleven bytes a sample.
 *
 *   SERIES  id, labels: from here on the id is this series
 *   FLOATS  count (2 bytes), then id, time, value of each
 *   WIDE    id, time, start time, float or histogram, stale markers and hints to the bit
 *   SEALED  a packed stretch (snapshots only): id, then sealed_save's bytes
 *   END     closes a snapshot: number of series and of samples it must have held, and when it was begun
 */
#ifndef TOCSIN_STORE_RECORD_PRIV_H
#define TOCSIN_STORE_RECORD_PRIV_H

#include "sealed_priv.h"
#include "tocsin/arena.h"
#include "tocsin/buf.h"
#include "tocsin/labels.h"

struct series_id {
    uint32_t ref;
    uint16_t turn;
};

/* A record being written. */
struct record {
    struct buf bytes;
    size_t room_until; /* bytes up to here are reserved */
    size_t count_at;   /* where the count of the open FLOATS item stands; 0: none is open */
    struct series_id last;
    int64_t last_ms;
};

void record_init(struct record *r, size_t bytes_max);
void record_release(struct record *r);
void record_clear(struct record *r);

static inline bool record_is_empty(const struct record *r)
{
    return r->bytes.used == 0;
}

void record_series(struct record *r, struct series_id id, const struct label *labels, size_t count);
void record_sample(struct record *r, struct series_id id, const struct sample *s); /* FLOATS or WIDE */
void record_sealed(struct record *r, struct series_id id, const struct sealed *s);
void record_end(struct record *r, uint64_t series, uint64_t samples, int64_t begun_ms);

/* How many bytes items took, by what they hold. */
struct record_bytes {
    uint64_t series, floats, wide, sealed, rest;
};

/* Where the items of a record go. Not 0: stop, and return it. What is borrowed is valid during the call. */
struct record_sink {
    void *context;
    int (*series)(void *context, struct series_id id, const struct label *labels, size_t count);
    int (*sample)(void *context, struct series_id id, const struct sample *s);
    int (*sealed)(void *context, struct series_id id, struct str saved); /* for sealed_load */
    int (*end)(void *context, uint64_t series, uint64_t samples, int64_t begun_ms);
    struct record_bytes *bytes; /* added to; NULL: not wanted */
};

/* 0, what the sink returned, ERR_PARSE if the bytes are no record, or ERR_LIMIT (arena, which is rewound after each item). */
int record_walk(struct str bytes, const struct record_sink *sink, struct arena *arena);

/* True if it says that a snapshot ends here, and nothing else. */
bool record_is_end(struct str bytes);

#endif
