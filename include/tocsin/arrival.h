/*
 * arrival: whether what a standing selector looks at has come in up to a time.
 *
 * A series has arrived at t_ms when no sample of it from then or before is expected any more: it has one of that time or
 * later, or its next one is due later (they come as far apart as its last two did), or it has ended with a stale marker.
 * One that stays away is waited for until it is wait_ms overdue; from then on, until it comes back, it holds nobody up.
 *
 * Nothing is kept per sample: who waits asks again after a push. All series are gone through once for each time that is
 * waited for, however often that is asked: the first one that is missing answers for all.
 *
 * Drawback: how far apart samples come is a guess from the last two. Where it is wrong, a wait ends early (as without
 * waiting) or late (by wait_ms at most).
 */
#ifndef TOCSIN_ARRIVAL_H
#define TOCSIN_ARRIVAL_H

#include "tocsin/view.h"

/* How far one wait for one selector has come. Zeroed for each new time. */
struct arrival_wait {
    size_t at; /* so many of its series have arrived */
    uint64_t purges;
};

/* True when all its series have arrived. False: one has not, and is given up at *until_ms if nothing comes. */
bool standing_arrived(struct store *store, const struct standing *standing, int64_t t_ms, int64_t now_ms,
                      int64_t wait_ms, struct arrival_wait *wait, int64_t *until_ms);

/* Up to which time somebody has seen each series of a selector. Zeroed for a start; arrival_forget begins anew, and frees. */
struct arrival_seen {
    int64_t *upto_ms;
    size_t count, capacity;
    uint64_t purges;
    series_ref *fresh; /* the last answer */
    size_t fresh_count, fresh_capacity;
};
void arrival_forget(struct arrival_seen *seen);

/* Its series with samples that have not been seen; now they have, up to now_ms. *newest_ms: the newest time among all its series (INT64_MIN:
 * none). The answer lives until the next. Where dead series have been taken out, all are told again. */
struct series_set standing_fresh(struct store *store, const struct standing *standing, int64_t now_ms,
                                 struct arrival_seen *seen, int64_t *newest_ms);

/* The same for two that share one list of series. */
const void *standing_list(const struct standing *standing);

#endif
