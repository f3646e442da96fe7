/*
 * wal_segment: the files of the log: which is written to, which comes next, which may be used again.
 *
 * A file gets its number as its name only when its head is on the disk: so a file with a number and without a sound head
 * is damaged, and nothing else. In the folder beside the numbers: "new" and "zeros", files that are being made, and
 * "spare.0" and so on, whole segments that wait to be used again.
 *
 * Whatever goes wrong while a file is being made concerns that file only: it is removed, and nothing depends on it yet.
 */
#ifndef TOCSIN_STORE_WAL_SEGMENT_PRIV_H
#define TOCSIN_STORE_WAL_SEGMENT_PRIV_H

#include "tocsin/lock.h"
#include "tocsin/world.h"

enum { SEGMENT_SPARES_MAX = 2, SEGMENT_NUMBER_MAX = 99999999 /* its name has eight digits */ };

/* One that is full, or was found when the log was opened. */
struct segment {
    uint32_t number;
    uint64_t bytes;
};

struct segments {
    struct world *world;
    struct lock lock; /* held across I/O: whoever writes has the files to himself. Guards all that follows */
    char *folder;
    struct file *file; /* the one written to; NULL: given up */
    uint32_t number;   /* its number */
    uint64_t salt;
    uint64_t at;        /* where the next frame goes */
    uint64_t synced;    /* up to here nothing waits to be synced */
    struct file *ready; /* the next one, made in advance; may be NULL */
    uint64_t ready_salt;
    bool spare[SEGMENT_SPARES_MAX]; /* there is such a file */
    uint32_t spoilt;                /* up to this number none is used again: a sync of one of them failed */
    struct segment *older;
    size_t older_count, older_capacity;
};

/* The longest a segment gets, unless a single record is longer. */
uint64_t segment_bytes_max(void);

/* The numbers found in the folder, rising; *out with mem_free. */
int segments_find(struct world *world, const char *folder, uint32_t **out, size_t *count, struct err *err);

/* FOLDER/00000017 */
void segment_path(struct buf *out, const char *folder, uint32_t number);

int segments_open(struct segments *s, struct world *world, const char *folder, uint32_t next,
                  struct err *err);
void segments_close(struct segments *s);

/* With the lock held. */
int segments_next(struct segments *s, struct err *err); /* goes over to the next number */
void segments_give_up(struct segments *s);              /* the file in use is never written again */
void segments_forget(struct segments *s, uint32_t before);
uint64_t segments_bytes(const struct segments *s); /* in those that may be needed */

/* Without it: makes the next one ready, if it is not. By one thread, which also calls segments_forget. */
int segments_prepare(struct segments *s, struct err *err);

#endif
