/*
 * am_snapshot_priv: Alertmanager's files `nflog` and `silences` as rows of the state (nflogpb.MeshEntry and silencepb.MeshSilence of
 * Alertmanager 0.34, which are those of 0.25 and some fields more).
 *
 * Every length is checked before it is believed, and all memory comes from the arena; texts of silences stay within the bytes.
 */
#ifndef TOCSIN_AM_SNAPSHOT_PRIV_H
#define TOCSIN_AM_SNAPSHOT_PRIV_H

#include "tocsin/arena.h"
#include "tocsin/state.h"

/* ERR_CORRUPT: other bytes than these; ERR_LIMIT: past the arena's cap. Entries that say nothing of a time are left out. */
int am_snapshot_nflog(struct arena *arena, struct str bytes, struct nflog_entry **entries, size_t *count,
                      struct err *err);

/* Those that cannot be held as they are, are counted in *refused and named in the log. */
int am_snapshot_silences(struct arena *arena, struct str bytes, struct silence_row **rows, size_t *count,
                         size_t *refused, struct err *err);

/* What they take at most. */
size_t am_snapshot_arena_bytes(struct str bytes);

#endif
