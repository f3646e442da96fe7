/*
 * pairs: every label name=value of the store, once, with the list of series that carry it.
 *
 * A pair is both the interned label and its posting list. A series keeps four bytes per label (the pair's
 * number), equality of labels is equality of numbers, and a selector finds its candidates where it finds the
 * pair.
 *
 * Invariants: a pair lives while a series holds it (`uses`), also a dead one that a view may still show;
 * `postings` lists the living ones, in no order, plus dead ones until pair_purge has passed. A name lives
 * while it has values. Numbers are reused.
 *
 * Not thread-safe: guarded by the index lock.
 */
#ifndef TOCSIN_STORE_PAIRS_PRIV_H
#define TOCSIN_STORE_PAIRS_PRIV_H

#include "account_priv.h"
#include "tocsin/hash.h"
#include "tocsin/labels.h"

typedef uint32_t pair_id;

struct label_name {
    uint64_t hash;
    uint64_t values_bytes; /* of the texts of its values */
    pair_id *values;       /* in no order */
    uint32_t count, capacity;
    uint32_t text_bytes;
    char text[];
};

struct pair {
    struct label_name *name;
    uint64_t hash;
    uint32_t *postings;
    uint32_t posted, capacity;
    uint32_t uses;
    uint32_t place; /* in name->values */
    pair_id id;
    uint32_t value_bytes : 31;
    uint32_t dirty : 1; /* a dead series is among the postings */
    char value[];
};

struct pairs {
    struct map names, map; /* label_name and pair by text */
    struct pair **item;    /* by number; NULL: free */
    uint32_t count, capacity;
    pair_id *unused; /* numbers to give out again */
    uint32_t unused_count, unused_capacity;
    uint64_t text_bytes; /* of all names and values */
    struct account *account;
};

void pairs_init(struct pairs *p, struct account *account);
void pairs_release(struct pairs *p);

/* The hash by which a pair is found; computed once per label of a batch and handed on. */
uint64_t pair_hash(struct str name, struct str value);

struct pair *pairs_find(const struct pairs *p, struct str name, struct str value, uint64_t hash);
struct label_name *pairs_find_name(const struct pairs *p, struct str name);

/* Finds or makes the pair and counts one more use of it. */
struct pair *pairs_use(struct pairs *p, const struct label *label, uint64_t hash);
void pairs_leave(struct pairs *p, pair_id id); /* one use fewer; the last one frees it */

void pair_post(struct pairs *p, struct pair *pair, uint32_t series);

/* Takes out of the postings what `dead` says is dead. */
void pair_purge(struct pair *pair, bool (*dead)(void *context, uint32_t series), void *context);

/* Bytes that making this pair may take, for the check before. */
size_t pair_bytes_max(const struct label *label);

static inline struct pair *pair_at(const struct pairs *p, pair_id id)
{
    return p->item[id];
}

static inline struct str pair_name(const struct pair *pair)
{
    return (struct str){pair->name->text, pair->name->text_bytes};
}

static inline struct str pair_value(const struct pair *pair)
{
    return (struct str){pair->value, pair->value_bytes};
}

#endif
