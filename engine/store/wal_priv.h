/*
 * wal: the write-ahead log: records that are durable once they are said to be.
 *
 * Whoever writes puts a record into a buffer in memory; one thread (wal_commit) writes what has gathered and syncs it, so that
 * many share one sync. A record's place is its position: the count of bytes ever put, which only rises; up to wal_durable
 * everything is on disk. What a record means is not known here (record_priv.h).
 *
 * On disk: numbered segment files FOLDER/wal/00000017, each a head and framed records (frame_priv.h). A segment that is no longer needed is
 * used again under a new number: writing over blocks that are there spares each sync the write of the file's inode
 * (docs/benchmarks.md).
 *
 * After a failure (disk full, EIO) nothing is taken in and what was in the buffer is gone; wal_revive begins anew
 * with a fresh segment. The owner then has to write down all it knows (a snapshot), because the log has a gap. Until it has done
 * so and forgotten the segments before that one, records are written but nothing new counts as durable: what they refer to
 * may be in the gap, and a position in the gap must not be passed.
 *
 * Threads: wal_put and wal_write by any; wal_commit and wal_revive by one; wal_rotate, wal_spare and wal_forget by one other.
 */
#ifndef TOCSIN_STORE_WAL_PRIV_H
#define TOCSIN_STORE_WAL_PRIV_H

#include "tocsin/store.h"
#include "tocsin/world.h"

struct wal;

/* Writes into segment `next` and those after it; the folder is there. */
int wal_open(struct world *world, const char *folder, enum store_sync sync, uint32_t next, struct wal **out,
             struct err *err);

/* Commits what is in the buffer, if it can. No other call may be under way. */
void wal_close(struct wal *wal);

/* Adds a record. Returns the position behind it, or 0 if it is not taken in: the log has failed, also because its buffer is
 * full (limits.wal_buffer_bytes; counted). */
uint64_t wal_put(struct wal *wal, struct str record);

/* The position behind the last record, or 0: the log has failed. */
uint64_t wal_position(struct wal *wal);

/* One round: waits up to wait_ms to be woken, then writes and syncs what is in the buffer. 0, also when there was nothing;
 * else why the log has failed. */
int wal_commit(struct wal *wal, int64_t wait_ms, struct err *err);

/* Hands what was put to the operating system: from then on it survives the end of this process. The next commit syncs it. A
 * failure is told by that commit. */
void wal_write(struct wal *wal);

/* Somebody waits for what has been put: ends the waiting in wal_commit, in the one under way or else in the next one. */
void wal_wake(struct wal *wal);

/* Everything before this position is as durable as `sync` promises. Stands still from a failure until its gap is closed. */
uint64_t wal_durable(const struct wal *wal);

bool wal_has_failed(const struct wal *wal);

/* What is put from now on goes to the segment whose number is returned, or later ones; all before goes to earlier ones. 0: the log has
 * failed. */
uint32_t wal_rotate(struct wal *wal, struct err *err);

/* Makes a segment ready for the next rotation, if there is none: nobody has to wait for it then. */
int wal_spare(struct wal *wal, struct err *err);

/* The segments before this one are no longer needed: what they say is in a snapshot that is on the disk. This also closes the
 * gap before a revived segment, if `before` is that one or a later one. */
void wal_forget(struct wal *wal, uint32_t before);

/* After a failure, with a free disk: 0 and a fresh segment, whose number is in *segment; or the reason it still fails. */
int wal_revive(struct wal *wal, uint32_t *segment, struct err *err);

struct wal_figures {
    uint64_t records, bytes, syncs, failures; /* since wal_open */
    int64_t sync_ns;                          /* all these syncs */
    uint64_t held_bytes;  /* in segments that may be needed; older ones with their unused ends */
    uint32_t first, last; /* of these segments */
};
void wal_figures(struct wal *wal, struct wal_figures *out);

/*
 * Reading: what is in the segments from `first` on, in order. Damaged places are stepped over: reading goes on at the next
 * sound record of that segment.
 */
struct wal_visit {
    void *context;
    /* A sound record. Not 0: stop, and return it. */
    int (*record)(void *context, struct str record);
    /* So many bytes could not be read; `why` says what is wrong. The unused end of a segment is no damage. `torn`: it lies behind
     * all that is known to have been synced, so it was being written when the power went or the disk failed, and was never
     * acknowledged. (Only what was promised STORE_SYNC_OS may be hurt by a power cut without being torn. Damage to the very
     * last write of a segment cannot be told from this.) */
    void (*damage)(void *context, uint32_t segment, uint64_t offset, uint64_t bytes, bool torn,
                   const char *why);
};

struct wal_range {
    uint32_t first, last; /* segments found; last < first: none */
};

/* The segments in FOLDER/wal with numbers from `first` on. Who knows that the log ought to begin with `first` puts it into the range:
 * then its absence is damage. */
int wal_list(struct world *world, const char *folder, uint32_t first, struct wal_range *out, struct err *err);

/* 0, what `record` returned, or ERR_IO. A number that is missing between two others is damage. */
int wal_read(struct world *world, const char *folder, const struct wal_range *range,
             const struct wal_visit *visit, struct err *err);

#endif
