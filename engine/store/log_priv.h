/*
 * log: the store's side of its write-ahead log.
 *
 * A log that has failed has a *gap*: it is written again as soon as that works, but what comes later may speak of series
 * that only a lost record introduced. Until a snapshot that was begun behind the gap is on the disk, nothing new counts as
 * durable (wal_durable), and the log does not work.
 *
 * Threads: log_put by any; log_run by one, the other calls by the one that keeps house.
 */
#ifndef TOCSIN_STORE_LOG_PRIV_H
#define TOCSIN_STORE_LOG_PRIV_H

#include "tocsin/store.h"
#include "wal_priv.h"

struct log {
    struct world *world;
    struct wal *wal;
    char *folder;

    _Atomic uint64_t gaps;   /* how many there have been */
    _Atomic uint64_t closed; /* how many of them are behind a snapshot */
    _Atomic uint64_t snapshots, snapshot_errors;
    uint64_t damaged;               /* at the start, as the next two */
    uint32_t read_first, read_last; /* segments */

    /* of the thread that writes */
    bool failing;
    int64_t retry_ns;
    struct err why;

    /* of the thread that keeps house */
    bool hurt;                     /* something of the folder could not be read, or not be placed */
    uint64_t snapshot_bytes;       /* of the last one */
    uint64_t read_bytes;           /* of the log behind it, from before this start */
    uint64_t from_bytes;           /* what had been written since this start when it was begun */
    int64_t pause_ms, snapshot_ns; /* after a failure: not again for so long, and since when */
};

/* Returns the position behind the record, or 0 if it was not taken in. A record that introduces a series is put before anybody else can put
 * one that speaks of it. */
uint64_t log_put(struct log *log, struct str record);

void log_close(struct log *log); /* may be NULL; writes what is in the buffer, if it can */

#endif
