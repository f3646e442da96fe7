/*
 * restore: what a folder holds, back into a store: the newest sound snapshot, and the log behind it.
 *
 * A snapshot that is damaged is passed over if there is one before it from which the log still goes on; else all that is
 * sound of the newest one is taken. Changes nothing in the folder.
 */
#ifndef TOCSIN_STORE_RESTORE_PRIV_H
#define TOCSIN_STORE_RESTORE_PRIV_H

#include "record_priv.h"
#include "store_priv.h"

/* Told of each place that could not be read, besides the line in the program's log. */
struct restore_watch {
    void *context;
    void (*damage)(void *context, const char *path, uint64_t offset, uint64_t bytes, bool torn,
                   const char *why);
};

struct restored {
    struct store_recovery recovery;
    uint32_t snapshot;   /* its number; 0: none */
    int64_t snapshot_ms; /* when it was begun; 0: its end is missing */
    uint64_t snapshot_bytes, log_bytes;
    struct record_bytes bytes; /* of both, by what they hold */
    uint32_t first, last;      /* segments behind it; last < first: none */
    uint32_t used;             /* no number above it is in use */
};

/* 0, ERR_IO, or ERR_FULL: not all of it is let in (limits.h); then the store can only be closed. `watch` may be NULL. */
int restore_folder(struct store *s, const char *folder, const struct restore_watch *watch,
                   struct restored *out, struct err *err);

#endif
