/*
 * identity: who pushes, and how many series each has made.
 *
 * A name becomes a number once, and the number goes with each batch and stays with each series. Numbers are bounded: beyond them,
 * names share one, and with it one limit; a number whose series are gone and who has been silent for an hour is given out again.
 * Series that are brought back from the log belong to nobody until somebody pushes them.
 *
 * Guarded by the index lock, but for the counters.
 */
#ifndef TOCSIN_STORE_IDENTITY_PRIV_H
#define TOCSIN_STORE_IDENTITY_PRIV_H

#include "account_priv.h"
#include "tocsin/str.h"

enum { IDENTITY_NONE, IDENTITY_OTHERS, IDENTITIES = 1024, IDENTITY_NAME_BYTES = 256 };

struct identity {
    char *name; /* NULL: the number is free */
    uint64_t hash;
    _Atomic int64_t seen_ms;
    _Atomic uint64_t series;  /* held, made by it */
    _Atomic uint64_t refused; /* new series beyond its limit or the store's, each time they came */
};

struct identities {
    struct identity *item; /* IDENTITIES of them */
    struct account *account;
};

void identities_init(struct identities *ids, struct account *account);
void identities_release(struct identities *ids);

/* The number of a name, IDENTITY_NONE if it has none; marks it as seen. The index may be held for reading. */
uint16_t identities_find(struct identities *ids, struct str name, int64_t now_ms);

/* The same, and gives it a number. The index is held for writing. */
uint16_t identities_add(struct identities *ids, struct str name, int64_t now_ms);

#endif
