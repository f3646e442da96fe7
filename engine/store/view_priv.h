#ifndef TOCSIN_STORE_VIEW_PRIV_H
#define TOCSIN_STORE_VIEW_PRIV_H

#include "memo_priv.h"
#include "tocsin/view.h"

struct view_round;

struct view {
    struct store *store;
    struct view *next, *previous;
    bool remembers;
    struct memo *memo;               /* NULL: nothing to remember yet */
    struct view_round *round;        /* of view_windows; NULL: not yet asked */
    const struct standing *narrowed; /* NULL: none */
    struct series_set narrow;
    uint64_t epoch; /* what went to limbo under a later one may have been shown */
};

static inline size_t view_labels_bytes(size_t count)
{
    return sizeof(struct labels) + count * sizeof(struct label);
}

#endif
