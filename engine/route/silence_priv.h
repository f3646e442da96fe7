/*
 * silence_priv: silences in memory, filed so that an alert meets only those that can match it.
 *
 *     bin    silences that ask for the same value of the same label (of several the one that the fewest ask for); `loose` ask for none
 *     hits   what one alert has met so far: what a silence matches never changes, so it looks only at those that came since
 *
 * A change goes: `changing` taken, decided, written to disk, then put into memory under `lock`. So nobody who reads waits for the disk.
 */
#ifndef TOCSIN_SILENCE_PRIV_H
#define TOCSIN_SILENCE_PRIV_H

#include "tocsin/hash.h"
#include "tocsin/lock.h"
#include "tocsin/silence.h"

struct held {
    uint64_t order; /* from 1, in the order in which they came */
    char id[SILENCE_ID_BYTES + 1];
    struct matcher *matchers; /* compiled */
    size_t matcher_count;
    char *matcher_text;
    int64_t starts_ns, ends_ns, updated_ns;
    char *text; /* who made it, and why */
    size_t created_by_bytes, comment_bytes;
    struct labels *annotations;
    bool met, meets;  /* alerts that fire: since it is known; in the look that is under way */
    int64_t stays_ns; /* until then it does not end with its alerts */
};

struct bin {
    uint64_t hash;
    struct held **items; /* in order */
    size_t count, capacity;
};

struct silence_index {
    struct map bins;
    struct bin loose;
};

struct silences {
    struct silences_options options;
    struct lock changing; /* LOCK_silencing */
    struct lock lock;     /* LOCK_silences; guards all that follows */
    struct map held;      /* by id */
    struct silence_index index;
    size_t bound; /* of those held, how many end with their alerts */
    uint64_t last_order;
    uint64_t era; /* another one whenever some have gone: hits from before may point to them */
    uint64_t queries, maintenances, maintenance_errors;
};

/* silence.c: ends them all in one step, durably; with `changing`. */
int silences_end_now(struct silences *silences, struct held *const *list, size_t count, int64_t now_ns,
                     struct err *err);

/* silence_held.c */
struct held *held_make(struct str id, const struct silence *s, struct err *err);
/* A copy with another time and text; the matchers stay where they are. */
void held_change(struct held *held, const struct silence *s);
void held_free(struct held *held);
enum silence_state held_state(const struct held *held, int64_t now_ns);
/* What it says, borrowed from it. */
struct silence held_view(const struct held *held, int64_t now_ns);
bool held_matches(const struct held *held, const struct labels *ls);

/* silence_bound.c: silences that end with their alerts. A look begins, meets each alert that fires, and ends those silences that have met
 * some and meet none now; one thread looks. begin: false if no look is needed. */
bool held_is_bound(const struct held *held);
bool silences_bound_begin(struct silences *silences, int64_t now_ns);
void silences_bound_end(struct silences *silences, int64_t now_ns);

/* silence_check.c */
int silence_check(const struct silence *s, struct err *err);
/* As Alertmanager's file has it (protobuf). */
size_t silence_bytes(const struct silence *s);

/* silence_match.c */
void silence_index_add(struct silence_index *index, struct held *held);
void silence_index_release(struct silence_index *index);

struct silence_hits {
    uint64_t era, seen; /* up to that order */
    struct held **items;
    size_t count, capacity;
};

/* With the lock: brings what the alert has met up to date. */
void silences_meet(const struct silences *silences, struct silence_hits *hits, const struct labels *ls);
void silences_bound_meet(struct silences *silences, struct silence_hits *hits, const struct labels *ls,
                         int64_t now_ns);

void silence_hits_release(struct silence_hits *hits);

/* True if an active silence matches. */
bool silences_mute(struct silences *silences, struct silence_hits *hits, const struct labels *ls,
                   int64_t now_ns);

/* Calls found for each that does, with its id, which lasts only that long. */
void silences_each(struct silences *silences, struct silence_hits *hits, const struct labels *ls,
                   int64_t now_ns, void (*found)(void *context, struct str id), void *context);

#endif
