/*
 * refused: of which metrics new series were refused most, for lack of room, in this hour and the one before.
 *
 * Each hour has so many places (the space-saving sketch): a name without a place takes the one with the smallest count and goes on
 * counting from there. So a name with more than 1/64 of all refusals has a place, and its count is too high by at most `over`.
 *
 * Guarded by the index lock.
 */
#ifndef TOCSIN_STORE_REFUSED_PRIV_H
#define TOCSIN_STORE_REFUSED_PRIV_H

#include "tocsin/str.h"

#include <stdint.h>

enum { REFUSED_PLACES = 64, REFUSED_NAME_BYTES = 240 };

struct refused_place {
    uint64_t hash, count, over;
    uint16_t name_bytes;
    char name[REFUSED_NAME_BYTES]; /* the beginning of longer ones */
};

struct refused_hour {
    int64_t hour; /* since the epoch */
    size_t count;
    struct refused_place places[REFUSED_PLACES];
};

struct refused {
    struct refused_hour now, before;
};

void refused_note(struct refused *r, struct str metric, int64_t now_ms);

#endif
