/*
 * snapshot: all series and samples in one file, so that the log before it is no longer needed.
 *
 * FOLDER/snapshot-00000017 is a head and framed records (frame_priv.h) and stands for everything that was put into the
 * segments before 17. It is written under another name, synced, and renamed: what bears the name is whole, unless the
 * disk has damaged it since. Its salt is its number, so that its frames are found without its head.
 *
 * Series are copied run by run under their locks, and written outside of them, about a megabyte at a time. What arrives
 * meanwhile may be in it or not: the log has it.
 */
#ifndef TOCSIN_STORE_SNAPSHOT_PRIV_H
#define TOCSIN_STORE_SNAPSHOT_PRIV_H

#include "store_priv.h"
#include "wal_priv.h"

enum { SNAPSHOT_PATH_MAX = 4096 };

/* FOLDER/snapshot-NUMBER. ERR_LIMIT if that is too long. */
int snapshot_path(char *path, const char *folder, uint32_t number, struct err *err);

struct snapshot_size {
    uint64_t series, samples, bytes;
};

/* Writes it and makes it durable. After an error nothing of it is left. No series may die meanwhile. */
int snapshot_write(struct store *s, const char *folder, uint32_t number, struct snapshot_size *out,
                   struct err *err);

/* Removes the snapshots before `number`, as far as that works. */
void snapshot_remove_before(struct world *world, const char *folder, uint32_t number);

/* Removes what was being written when a process ended. */
void snapshot_remove_unfinished(struct world *world, const char *folder);

/* The numbers of those in a folder, newest first; free them. */
struct snapshots {
    uint32_t *number;
    size_t count;
};
int snapshot_list(struct world *world, const char *folder, struct snapshots *out, struct err *err);

/* Hands its records to visit->record, and damage to visit->damage (`segment` is the snapshot's number). 0, what `record`
 * returned, or ERR_IO; *bytes: how long it is. */
int snapshot_read(struct world *world, const char *folder, uint32_t number, const struct wal_visit *visit,
                  uint64_t *bytes, struct err *err);

/* The first place in one that is not sound. */
struct snapshot_hurt {
    uint64_t offset, bytes;
    const char *why; /* NULL: none */
};

/* Reads all of it. 0, or ERR_IO. */
int snapshot_check(struct world *world, const char *folder, uint32_t number, struct snapshot_hurt *out,
                   struct err *err);

#endif
