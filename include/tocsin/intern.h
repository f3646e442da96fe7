/*
 * intern: equal byte strings kept once, counted by reference.
 *
 * The store gives label names and values here: a million series have few distinct ones. An interned
 * string never moves and never changes, so two of one table are equal exactly if their pointers are.
 *
 * Ownership: intern_get and intern_hold hand out one reference each, intern_drop takes one back; the
 * last one frees the string. Thread-safe (LOCK_intern); a hold, and a drop that is not the last, take
 * no lock.
 *
 * Drawback: 17 bytes beside each string, and its share of the table; so it pays from two users on.
 */
#ifndef TOCSIN_INTERN_H
#define TOCSIN_INTERN_H

#include "tocsin/str.h"

#include <stddef.h>
#include <stdint.h>

struct intern;

struct interned {
    uint64_t hash;   /* hash_bytes of the text */
    uint32_t refs;   /* private: atomic */
    uint32_t length;
    char text[];     /* NUL-terminated; may hold NULs before */
};

struct intern *intern_open(void);
void intern_free(struct intern *table); /* every reference must have been dropped */

/* The one copy of `s` (at most UINT32_MAX bytes), with a reference for the caller. Never NULL. */
const struct interned *intern_get(struct intern *table, struct str s);

/* One more reference; the caller must hold one already. */
const struct interned *intern_hold(const struct interned *string);

void intern_drop(struct intern *table, const struct interned *string);

static inline struct str intern_str(const struct interned *string)
{
    return (struct str){string->text, string->length};
}

/* Distinct strings held, and the memory they take with the table. */
size_t intern_count(struct intern *table);
size_t intern_bytes(struct intern *table);

#endif
