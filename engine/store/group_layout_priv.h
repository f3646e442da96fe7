/*
 * group_layout: how a group is laid out in bits, for those who read it (group.c packs and unpacks, group_at.c looks for
 * one sample, group_sound.c checks what comes from a disk), and its parts, of which wide.c makes other things.
 *
 *   12 bytes of the group; 0, or 1 and 6 count - 1 if it is not full
 *   2 time: ON_PACE, or OFF_PACE and INTERVALS: first, minimum, list of the others less the minimum; or STARTED, which
 *       says that start times stand at the end: 2 time follows
 *   2 value: WHOLE, DECIMAL (3 digits), BITS; first; 1 constant, else minimum, 1 shifted [6 shift], list
 *   1 odd ones: [6 count, 6 place and 64 bits each]
 *   start times if there are any: first less that of the pace; 1 constant, else minimum, list of their intervals
 * A number is 0, or 1, 6 bits for its width and what is below its top bit. A list is 0, or 1 and 6 width - 1; 1
 * patched [6 patches, 6 width - 1 of their high parts]; the low parts; a 6 place and the high part for each patch.
 */
#ifndef TOCSIN_STORE_GROUP_LAYOUT_PRIV_H
#define TOCSIN_STORE_GROUP_LAYOUT_PRIV_H

#include "group_priv.h"
#include "tocsin/sample.h"

enum {
    LENGTH_BITS = 12,
    COUNT_BITS = 6,
    NUMBER_BITS = 6,

    KIND_BITS = 2,
    DIGITS_BITS = 3,
    SHIFT_BITS = 6
};
enum time_kind { ON_PACE, OFF_PACE, INTERVALS, STARTED };
enum value_kind { WHOLE, DECIMAL, BITS };
enum { DIGITS_MAX = 6, ODD_MAX = GROUP_SAMPLES / 8 };

static const double power_of_ten[DIGITS_MAX + 1] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};

/* Wider numbers may reach over the word that begins with their first byte. */
enum { WIDTH_IN_WORD = 56 };

/* Of the group that begins here. */
static inline size_t group_bytes(const uint8_t *in)
{
    return bits_word(in) & bits_mask(LENGTH_BITS);
}

static inline uint64_t take_number(struct bits_in *b)
{
    if (bits_take(b, 1) == 0)
        return 0;
    unsigned below_top = (unsigned)bits_take(b, NUMBER_BITS);
    return UINT64_C(1) << below_top | bits_take(b, below_top);
}

static inline unsigned take_width(struct bits_in *b)
{
    return bits_take(b, 1) != 0 ? (unsigned)bits_take(b, NUMBER_BITS) + 1 : 0;
}

static inline size_t take_count(struct bits_in *b)
{
    return bits_take(b, 1) != 0 ? bits_take(b, COUNT_BITS) + 1 : GROUP_SAMPLES;
}

static inline enum time_kind take_time_kind(struct bits_in *b, bool *started)
{
    enum time_kind kind = (enum time_kind)bits_take(b, KIND_BITS);
    *started = kind == STARTED;
    return *started ? (enum time_kind)bits_take(b, KIND_BITS) : kind;
}

/* Differences wrap around on purpose: what is taken off is added again. */
static inline int64_t less(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static inline int64_t plus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t on_pace(struct pace pace, size_t i)
{
    return plus(pace.start_ms, (int64_t)(i * pace.step_ms));
}

static inline double from_whole(int64_t m, unsigned digits)
{
    return digits == 0 ? (double)m : (double)m / power_of_ten[digits];
}

/* What stands before the list of intervals. */
struct value_head {
    enum value_kind kind;
    unsigned digits, shift;
    int64_t first, minimum;
    bool constant; /* there is no list */
};

static inline struct value_head take_value_head(struct bits_in *b)
{
    struct value_head h = {.kind = (enum value_kind)bits_take(b, KIND_BITS)};
    if (h.kind == DECIMAL)
        h.digits = (unsigned)bits_take(b, DIGITS_BITS);
    h.first = bits_unfold(take_number(b));
    h.constant = bits_take(b, 1) != 0;
    if (h.constant)
        return h;
    h.minimum = bits_unfold(take_number(b));
    if (bits_take(b, 1) != 0)
        h.shift = (unsigned)bits_take(b, SHIFT_BITS);
    return h;
}

static inline double value_of(const struct value_head *h, int64_t m)
{
    return h->kind == BITS ? double_from_bits((uint64_t)m) : from_whole(m, h->digits);
}

/* ---- parts of a group: 1 to GROUP_SAMPLES items, of which each part uses its own field ---- */

void group_put_number(struct bits_out *b, uint64_t v);

void group_put_times(struct bits_out *b, const struct point *points, size_t count, struct pace pace);
bool group_take_times(struct bits_in *b, struct point *points, size_t count,
                      struct pace pace); /* true: STARTED */

void group_put_values(struct bits_out *b, const struct point *points, size_t count);
void group_take_values(struct bits_in *b, struct point *points, size_t count);

void group_put_starts(struct bits_out *b, const int64_t *starts, size_t count, struct pace pace);
void group_take_starts(struct bits_in *b, int64_t *starts, size_t count, struct pace pace);

#endif
