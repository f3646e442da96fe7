/*
 * storefile: the folder of a store, looked at from outside.
 *
 * Opening one brings all of it back into memory, as a start would (within the limits of series and memory), and tells what
 * could not be read. Nothing in the folder is changed, and a running server may own it: what it replaces meanwhile is looked
 * at again.
 *
 * Drawback: it takes as much memory as the server's store.
 */
#ifndef TOCSIN_STOREFILE_H
#define TOCSIN_STOREFILE_H

#include "tocsin/store.h"

struct storefile;

/* ERR_NOT_FOUND if there is neither a snapshot nor a log, else as store_recover. */
int storefile_open(struct world *world, const char *folder, struct storefile **out, struct err *err);
void storefile_close(struct storefile *file);

/* For views. */
struct store *storefile_store(struct storefile *file);

struct storefile_figures {
    struct store_recovery recovery;
    uint32_t snapshot;   /* its number; 0: none */
    int64_t snapshot_ms; /* when it was begun; 0: it does not say */
    uint64_t snapshot_bytes;
    uint32_t segments; /* of the log, behind it */
    uint64_t log_bytes;
    /* what these bytes hold, as they stand there: label sets; samples as they came, wide ones (histograms, start
     * timestamps), packed ones */
    uint64_t series_bytes, float_bytes, wide_bytes, packed_bytes;
};
void storefile_figures(const struct storefile *file, struct storefile_figures *out);

/* A place that could not be read. */
struct storefile_damage {
    const char *path;
    uint64_t offset, bytes;
    bool torn; /* it was being written when a process or the power ended: nobody was told that it was safe */
    const char *why;
};
size_t storefile_damage_count(const struct storefile *file);
struct storefile_damage storefile_damage(const struct storefile *file, size_t i);

#endif
