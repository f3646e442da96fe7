/*
 * exemplars: those of all series, found by the number of their series.
 *
 * Each stands in two lists: of its series, newest time first, and of all, in the order in which they came. So the one that
 * came first can go when there are too many, and a series' oldest when its share is full. Counted in the store's account.
 *
 * A lock of its own guards it all; whoever adds holds the index lock as well, so that a series does not die meanwhile.
 */
#ifndef TOCSIN_STORE_EXEMPLARS_PRIV_H
#define TOCSIN_STORE_EXEMPLARS_PRIV_H

#include "account_priv.h"
#include "tocsin/extras.h"
#include "tocsin/hash.h"
#include "tocsin/lock.h"

struct exemplar_series;

/* One exemplar; its labels follow it in the same piece of memory. */
struct kept_exemplar {
    struct kept_exemplar *older;          /* of its series */
    struct kept_exemplar *before, *after; /* as they came */
    struct exemplar_series *series;
    struct exemplar what;
    size_t bytes;
};

struct exemplar_series {
    series_ref ref;
    uint32_t count;
    struct kept_exemplar *newest;
};

struct exemplars {
    struct lock lock;
    struct map by_series;
    struct kept_exemplar *first, *last; /* as they came */
    uint64_t count;
    struct account *account;
};

void exemplars_init(struct exemplars *x, struct account *account);
void exemplars_release(struct exemplars *x);

/* Takes one in, unless it is there; its labels and its lead on now have been checked. Any older than the newest of its series
 * by window_ms or more is out of order. */
enum exemplar_reason exemplars_add(struct exemplars *x, series_ref ref, const struct exemplar *e,
                                   int64_t window_ms);

/* Frees those of a dead series. */
void exemplars_forget(struct exemplars *x, series_ref ref);

/* As view_exemplars. */
int exemplars_read(struct exemplars *x, series_ref ref, int64_t from_ms, int64_t upto_ms, struct arena *arena,
                   struct exemplar_run *out);

#endif
