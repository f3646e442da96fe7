/*
 * nflog_priv: what each integration of each group was last told, in memory and on disk.
 *
 * The memory is behind the router's lock; nflog_save writes to disk and must be called without it.
 */
#ifndef TOCSIN_NFLOG_PRIV_H
#define TOCSIN_NFLOG_PRIV_H

#include "dedup_priv.h"
#include "tocsin/hash.h"
#include "tocsin/state.h"

struct nflog {
    struct map entries; /* by key */
};

struct nflog_note {
    struct dedup_told told; /* must be first */
    struct str key;
    struct labels *kept; /* what the integration wants to know the next time; NULL: nothing */
    int64_t expires_ns;
    bool relaxed; /* when it is saved: it need not survive a power cut */
};

/* A note on the heap; sets and labels are copied. */
struct nflog_note *nflog_note_make(struct str key, const struct dedup_told *told, const struct labels *kept,
                                   int64_t expires_ns);

void nflog_note_free(struct nflog_note *note);
void nflog_told_free(struct dedup_told *told);

/* Reads the log of an earlier process; notes that have expired stay away. */
int nflog_load(struct nflog *log, struct state *state, int64_t now_ns, struct err *err);
void nflog_release(struct nflog *log);

/* NULL: never told, or too long ago; then *kept stays as it is. */
const struct dedup_told *nflog_find(const struct nflog *log, struct str key, int64_t now_ns,
                                    const struct labels **kept);

/* When what nflog_find answered expires. */
int64_t nflog_expires(const struct dedup_told *told);

/* True if some integration believes that this alert fires, or may do so, or was to hear of it. */
bool nflog_holds_firing(const struct nflog *log, uint64_t alert, int64_t now_ns);

/* True if a key of what is remembered begins so. */
bool nflog_has_prefix(const struct nflog *log, struct str prefix);

/* Takes over the note; an older one than what is known changes nothing, but for one of what nobody was told. */
void nflog_put(struct nflog *log, struct nflog_note *note);

/* All of them, or none; state may be NULL. */
int nflog_save(struct state *state, struct nflog_note *const *notes, size_t count, struct err *err);

void nflog_expire(struct nflog *log, int64_t now_ns);

#endif
