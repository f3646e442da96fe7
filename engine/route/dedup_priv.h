/*
 * dedup_priv: whether a batch is news to an integration, given what it was last told (Alertmanager 0.34).
 */
#ifndef TOCSIN_DEDUP_PRIV_H
#define TOCSIN_DEDUP_PRIV_H

#include "tocsin/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Hashes of alerts, sorted and without repeats. */
struct hash_set {
    uint64_t *items;
    size_t count;
};

void hash_set_sort(struct hash_set *set);
bool hash_set_has(const struct hash_set *set, uint64_t hash);
bool hash_set_within(const struct hash_set *part, const struct hash_set *whole);

/* On the heap, for hash_set_free. */
struct hash_set hash_set_copy(const struct hash_set *set);
struct hash_set hash_set_join(const struct hash_set *a, const struct hash_set *b);
struct hash_set hash_set_meet(const struct hash_set *a, const struct hash_set *b);
struct hash_set hash_set_minus(const struct hash_set *from, const struct hash_set *what);
void hash_set_free(struct hash_set *set);

enum dedup_reason {
    DEDUP_NONE,
    DEDUP_FIRST,
    DEDUP_NEW_ALERTS,
    DEDUP_SOME_RESOLVED,
    DEDUP_ALL_RESOLVED,
    DEDUP_REPEAT,
    DEDUP_LATE /* Tocsin's own: fired and ended while the receiver took nothing */
};

/* As templates and payloads name it. */
struct str dedup_reason_text(enum dedup_reason reason);

/* What an integration was last told. */
struct dedup_told {
    struct hash_set firing, resolved;
    struct hash_set
        owed; /* told as firing, their end is still to be told; when they fire again that is news */
    struct hash_set missed; /* were to be told as firing, in vain */
    int64_t sent_ns;        /* 0: it may have been told: what fires is told again, what has ended is told */
};

/* told: NULL if there is no entry. */
enum dedup_reason dedup_decide(const struct dedup_told *told, const struct hash_set *firing,
                               const struct hash_set *resolved, bool send_resolved, int64_t tick_ns,
                               int64_t repeat_ns);

#endif
