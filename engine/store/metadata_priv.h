/*
 * families: what each metric family means, found by its name: one meaning, or several where senders differ.
 *
 * All meanings stand in one list, the one told of last at its end: so the one that nobody has told of for longest can go. Counted in
 * the store's account. A lock of its own guards it all.
 */
#ifndef TOCSIN_STORE_METADATA_PRIV_H
#define TOCSIN_STORE_METADATA_PRIV_H

#include "account_priv.h"
#include "tocsin/extras.h"
#include "tocsin/hash.h"
#include "tocsin/lock.h"

struct meaning {
    struct meaning *before, *after; /* as they were told of */
    struct meaning *sibling;        /* another one of the family; the first is in the table */
    uint64_t hash;
    size_t bytes;
    int64_t told_ns;      /* mono */
    struct metadata says; /* its texts follow in the same piece of memory */
};

struct families {
    struct lock lock;
    struct map by_name;
    struct meaning *first, *last;
    struct account *account;
};

void families_init(struct families *f, struct account *account);
void families_release(struct families *f);
uint64_t families_count(struct families *f);

#endif
