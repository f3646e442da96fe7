/*
 * group: up to 64 samples as few bits: the unit that is packed and unpacked.
 *
 * A group starts from scratch, so that a reader may skip those before it. Times are kept as distances from a
 * regular grid or as intervals, values as the intervals of whole numbers (the values themselves; the values times a
 * power of ten; or, where neither fits, their bits). Each list of numbers is packed to the one width that costs
 * least, after its minimum is taken off; the few that need more are patched. What does not fit the whole numbers
 * (stale markers, NaN, infinities, -0) stands beside them with all its bits: every value comes back to the bit.
 *
 * docs/benchmarks.md has the figures behind these choices.
 */
#ifndef TOCSIN_STORE_GROUP_PRIV_H
#define TOCSIN_STORE_GROUP_PRIV_H

#include "bits_priv.h"

#include <stdbool.h>

/* GROUP_BYTES_MAX: three lists at 64 bits each, what stands beside them, and the heads */
enum { GROUP_SAMPLES = 64, GROUP_BYTES_MAX = 1808 };

struct point {
    int64_t t_ms;
    double value;
};

/* Where the group's first sample would be if samples came exactly every step_ms. */
struct pace {
    int64_t start_ms;
    uint32_t step_ms;
};

/* Packs 1 to GROUP_SAMPLES samples with rising times, and their start times in ms (NULL: none has one); `out` has
 * GROUP_BYTES_MAX zeroed bytes. Returns the bytes used, slack not counted. */
size_t group_pack(const struct point *points, const int64_t *starts, size_t count, struct pace pace,
                  uint8_t *out);

/* Unpacks one into `points` (GROUP_SAMPLES of them) and `starts` (as many, or NULL: not wanted). Returns how many came
 * out. */
size_t group_unpack(const uint8_t *in, struct pace pace, struct point *points, int64_t *starts);

struct group_head {
    size_t bytes; /* of the whole group */
    size_t count;
    int64_t first_ms;
    bool started; /* has start times */
};

/* What can be told of a group without unpacking it. */
struct group_head group_peek(const uint8_t *in, struct pace pace);

/* A group of which one sample is wanted, not the others. */
struct group_list {
    const uint8_t *bytes;
    size_t low_at, high_at; /* in bits, here and below */
    unsigned width, high_width;
    size_t patches;
};
struct group_at {
    const uint8_t *in;
    struct pace pace;
    size_t count, values_at;
    int kind; /* of the times */
    int64_t first_ms;
    int64_t minimum_ms; /* this and the list: only where not all are on the pace */
    struct group_list times;
};
void group_open(const uint8_t *in, struct pace pace, struct group_at *g);
size_t group_upto(const struct group_at *g, int64_t t_ms); /* how many are at or before it */

/* Its values: where they stand, and what some of them come to. */
struct group_values {
    const uint8_t *in; /* NULL: not looked at */
    size_t odd_at;     /* in bits */
    int64_t first, minimum;
    int kind;
    unsigned digits, shift;
    bool constant, odd;     /* odd: some stand beside the others */
    struct group_list list; /* not of constant ones */
};
void group_values(const struct group_at *g, struct group_values *v);
double group_value(const struct group_values *v, size_t i);

/* Sample i. Where its values are whole ones and `sums` asks for it, they are added up to that one in the same pass. */
struct group_found {
    struct point point;
    struct group_values values;
    bool summed;
    int64_t sum;
};
void group_find(const struct group_at *g, size_t i, bool sums, struct group_found *f);

/* Of the samples from <= i < to, at least one, of which the first is `first`: the exact sum; false if the group has others than
 * whole numbers. How many are not as the one before; false if that has to be seen from each. */
bool group_whole_sum(const struct group_values *v, size_t from, double first, size_t to, int64_t *sum);
bool group_changes(const struct group_values *v, size_t from, size_t to, uint64_t *changes);

/* True if a group begins here that ends within `bytes`, and unpacking it stays within it and within GROUP_SAMPLES. For
 * bytes that anybody may have written; BITS_SLACK readable ones follow. */
bool group_is_sound(const uint8_t *in, size_t bytes);

/* The interval between samples that most of them keep, or 0. */
uint32_t group_step(const struct point *points, size_t count);

#endif
