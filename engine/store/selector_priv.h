/*
 * selector: the standing selectors, and which of them a new series must be shown to.
 *
 * Selectors are filed in buckets by one of their equality matchers, the one whose bucket was emptiest at the
 * time, so that ten thousand that share a metric name are told apart by another label and the reverse. A new
 * series looks into the buckets of its own labels only. Selectors without such a matcher sit in one list that
 * every new series walks.
 *
 * Not thread-safe: guarded by the index lock.
 */
#ifndef TOCSIN_STORE_SELECTOR_PRIV_H
#define TOCSIN_STORE_SELECTOR_PRIV_H

#include "account_priv.h"
#include "series_priv.h"
#include "tocsin/hash.h"
#include "tocsin/matcher.h"
#include "tocsin/store.h"

/* One use of a selector. */
struct standing {
    struct selector *selector;
    struct standing *next; /* other users */
    int64_t reach_ms;
};

struct selector_bucket;

struct selector {
    struct matcher *matchers;
    size_t count;
    uint64_t hash;
    struct selector_bucket *bucket;
    struct standing *users;
    int64_t reach_ms; /* the largest of the users' */
    series_ref *refs; /* living series that match */
    size_t ref_count, ref_capacity;
    uint64_t purges; /* how often dead ones were taken out, which moves the others */
    bool dirty;      /* a dead series is among them */
};

struct selector_list {
    struct selector **items;
    size_t count, capacity;
};

struct selector_bucket {
    uint64_t hash;
    struct label label; /* owned */
    struct selector_list list;
};

struct selectors {
    struct map by_text; /* selector */
    struct map buckets; /* selector_bucket */
    struct selector_bucket general;
    struct account *account;
};

void selectors_init(struct selectors *s, struct account *account);
void selectors_release(struct selectors *s);

/* The selector equal to these matchers, or NULL. */
struct selector *selectors_find(const struct selectors *s, const struct matcher *matchers, size_t count);

/* Files a new one; matchers are copied. */
struct selector *selectors_add(struct selectors *s, const struct matcher *matchers, size_t count);
void selectors_remove(struct selectors *s, struct selector *selector);

/* Calls found for each selector that these labels pass. */
void selectors_match(const struct selectors *s, const struct series_key *key,
                     void (*found)(void *context, struct selector *selector), void *context);

void selector_add_series(struct selectors *s, struct selector *selector, series_ref ref);

#endif
