/*
 * Behind what else stands aside: how many bytes a sum has (NO_SUMS: not all values are whole numbers) and a number of
 * changes, then the sums, of what each value is above the least one, then the changes. The last of each is that of all
 * samples. A constant takes the two bytes only.
 */
#include "group_layout_priv.h"
#include "sealed_prefix_priv.h"

#include <math.h>

/* Every second group: of any other sample the nearest of them is at an end of its group. */
enum {
    STRIDE = 2 * GROUP_SAMPLES,
    PREFIXES_MAX = SEALED_SAMPLES_MAX / STRIDE,
    HEAD_BYTES = 2,
    NO_SUMS = 255
};

_Static_assert(HEAD_BYTES + PREFIXES_MAX * (sizeof(uint64_t) + sizeof(uint16_t)) <= SEALED_PREFIX_MAX,
               "all of them");

static size_t prefixes_of(const struct sealed *s)
{
    return (s->count + (size_t)STRIDE - 1) / STRIDE;
}

/* ---- where they stand ---- */

struct prefixes {
    const uint8_t *sums, *changes;
    unsigned sum_bytes, change_bytes;
};

static struct prefixes prefixes(const struct sealed *s)
{
    const uint8_t *head = sealed_prefix_at(s);
    unsigned sum_bytes = head[0] == NO_SUMS ? 0 : head[0];
    return (struct prefixes){head + HEAD_BYTES, head + HEAD_BYTES + prefixes_of(s) * sum_bytes, sum_bytes,
                             head[1]};
}

size_t sealed_prefix_bytes(const struct sealed *s)
{
    struct prefixes p = prefixes(s);
    return HEAD_BYTES + prefixes_of(s) * (p.sum_bytes + p.change_bytes);
}

/* Number i - 1 of a column, none for 0. What stands before a column is more than a word. */
static uint64_t number(const uint8_t *column, unsigned bytes, size_t i)
{
    if (bytes == 0 || i == 0)
        return 0;
    return bits_word(column + i * bytes - sizeof(uint64_t)) >> (64 - 8 * bytes);
}

/* The least value, which is whole. */
static uint64_t base_of(const struct sealed *s)
{
    return (uint64_t)(int64_t)sealed_bounds(s).min;
}

static uint8_t *put_numbers(uint8_t *to, const uint64_t *item, size_t count, unsigned bytes)
{
    for (size_t i = 0; i < count; i++)
        for (unsigned k = 0; k < bytes; k++)
            *to++ = (uint8_t)(item[i] >> 8 * k);
    return to;
}

/* ---- making them ---- */

static bool changed(double a, double b)
{
    return a != b && !(isnan(a) && isnan(b));
}

static bool is_whole(double v)
{
    return fabs(v) <= 0x1p53 && (double)(int64_t)v == v;
}

void sealed_prefix_add(struct sealed_prefix *p, const struct point *points, size_t count)
{
    size_t before = p->count > 0 ? (p->count - 1) / STRIDE : 0;
    uint64_t sum = p->count > 0 ? p->sum[before] : 0, changes = p->count > 0 ? p->changes[before] : 0;
    double last = p->count > 0 ? p->last : points[0].value;
    for (size_t k = 0; k < count; k++) {
        double v = points[k].value;
        size_t i = p->count++;
        if (changed(v, last)) {
            changes += 2;
            if (i % STRIDE == 0)
                p->changes[i / STRIDE - 1]++;
        }
        p->whole = p->whole && is_whole(v);
        sum += p->whole ? (uint64_t)(int64_t)v : 0;
        p->sum[i / STRIDE] = sum;
        p->changes[i / STRIDE] = changes;
        last = v;
    }
    p->last = last;
}

static unsigned bytes_for(uint64_t v)
{
    return (bits_width(v) + 7) / 8;
}

/* Whole ones stay exact whatever part of them is added up. */
static bool adds_up(const struct sealed *s, const struct window_summary *in)
{
    double largest = fmax(fabs(in->min), fabs(in->max));
    return !in->has_nan && is_whole(in->min) && largest * s->count < 0x1p62;
}

static size_t samples_upto(const struct sealed *s, size_t i)
{
    size_t end = (i + 1) * STRIDE;
    return end < s->count ? end : s->count;
}

void sealed_prefix_put(struct account *account, struct sealed *s, const struct sealed_prefix *p)
{
    struct window_summary in;
    uint64_t above[SEALED_PREFIXES] = {0};
    size_t n = prefixes_of(s), held = sealed_held(s);
    if ((s->aside & SEALED_STALE) != 0)
        return;
    sealed_summary(s, WINDOW_ALL, &in);
    bool whole = p->whole && adds_up(s, &in);
    for (size_t i = 0; whole && i < n; i++)
        above[i] = p->sum[i] - samples_upto(s, i) * base_of(s);
    unsigned sum_bytes = bytes_for(above[n - 1]), change_bytes = bytes_for(p->changes[n - 1]);
    s->packed = account_resize(account, s->packed, held, held + HEAD_BYTES + n * (sum_bytes + change_bytes));
    s->aside |= SEALED_PREFIX;
    uint8_t *to = sealed_prefix_at(s);
    *to++ = (uint8_t)(whole ? sum_bytes : NO_SUMS);
    *to++ = (uint8_t)change_bytes;
    put_numbers(put_numbers(to, above, n, sum_bytes), p->changes, n, change_bytes);
}

void sealed_prefix_make(struct account *account, struct sealed *s)
{
    struct point points[GROUP_SAMPLES];
    struct sealed_prefix p = {.whole = true};
    struct sealed_walk w = {.sealed = s};
    if (sealed_is_wide(s) || (s->aside & (SEALED_PREFIX | SEALED_STALE)) != 0 || s->count <= STRIDE)
        return;
    for (size_t n; (n = sealed_next(&w, points, NULL)) > 0;)
        sealed_prefix_add(&p, points, n);
    sealed_prefix_put(account, s, &p);
}

bool sealed_prefix_take(struct sealed *s, struct sealed_prefix *p)
{
    if ((s->aside & SEALED_PREFIX) == 0)
        return false;
    struct prefixes there = prefixes(s);
    *p = (struct sealed_prefix){
        .count = s->count, .whole = sealed_prefix_at(s)[0] != NO_SUMS, .last = s->last};
    uint64_t base = p->whole ? base_of(s) : 0;
    for (size_t i = 0; i < prefixes_of(s); i++) {
        p->sum[i] = number(there.sums, there.sum_bytes, i + 1) + samples_upto(s, i) * base;
        p->changes[i] = number(there.changes, there.change_bytes, i + 1);
    }
    s->aside &= SEALED_LOSS | SEALED_FALLS | SEALED_STALE;
    return true;
}

/* ---- parts of groups ---- */

/* Of one group, the samples from <= i < to, counted from its first one. */
struct part {
    const struct sealed *sealed;
    const struct group_values *values;
    size_t index; /* of any sample of the group */
    size_t from, to;
};

static void unpack(const struct part *p, struct point *points)
{
    struct sealed_walk w = sealed_walk_to(p->sealed, p->index);
    sealed_next(&w, points, NULL);
}

/* All are whole; `first` is the first of them. */
static uint64_t part_sum(const struct part *p, double first)
{
    struct point points[GROUP_SAMPLES];
    int64_t sum = 0;
    if (p->from == p->to || group_whole_sum(p->values, p->from, first, p->to, &sum))
        return (uint64_t)sum;
    unpack(p, points);
    for (size_t i = p->from; i < p->to; i++)
        sum += (int64_t)points[i].value;
    return (uint64_t)sum;
}

static uint64_t part_changes(const struct part *p)
{
    struct point points[GROUP_SAMPLES];
    uint64_t changes = 0;
    if (group_changes(p->values, p->from, p->to, &changes))
        return changes;
    unpack(p, points);
    changes = 0;
    for (size_t i = p->from + 1; i < p->to; i++)
        changes += changed(points[i].value, points[i - 1].value);
    return changes;
}

/* From the sample found to where the nearest prefix ends, which is the end of its group nearer to it: if that is behind it, from
 * the sample on, else up to the one before `to`. */
static bool part_at(const struct sealed *s, const struct sealed_place *at, size_t to, struct part *p)
{
    size_t i = at->index / STRIDE, k = at->index % GROUP_SAMPLES, begin = at->index - k;
    bool behind = begin % STRIDE != 0;
    *p = (struct part){s, &at->found.values, at->index, 0, to - begin};
    if (behind) {
        p->from = k;
        p->to = samples_upto(s, i) - begin;
    }
    return behind;
}

static bool in_one_group(const struct sealed_place *first, const struct sealed_place *last, struct part *p,
                         const struct sealed *s)
{
    const struct group_values *v =
        first->found.values.in != NULL ? &first->found.values : &last->found.values;
    *p = (struct part){s, v, first->index, first->index % GROUP_SAMPLES, last->index % GROUP_SAMPLES + 1};
    return first->index / GROUP_SAMPLES == last->index / GROUP_SAMPLES && v->in != NULL;
}

/* ---- telling: an end of the stretch has not been looked for, and needs not be ---- */

/* Of what each of the samples up to this one is above `base`. */
static uint64_t sum_upto(const struct sealed *s, const struct prefixes *all, const struct sealed_place *at,
                         uint64_t base)
{
    struct part p;
    size_t i = at->index / STRIDE;
    if (at->index + 1 == s->count)
        return number(all->sums, all->sum_bytes, i + 1);
    if (part_at(s, at, at->index + 1, &p))
        return number(all->sums, all->sum_bytes, i + 1) - part_sum(&p, at->found.point.value) +
               base * (p.to - p.from) + (uint64_t)(int64_t)at->found.point.value - base;
    uint64_t in_group =
        at->found.summed ? (uint64_t)at->found.sum : part_sum(&p, (double)at->found.values.first);
    return number(all->sums, all->sum_bytes, i) + in_group - base * p.to;
}

bool sealed_prefix_sum(const struct sealed *s, const struct sealed_place *first,
                       const struct sealed_place *last, int64_t *sum)
{
    struct part p;
    if ((s->aside & SEALED_PREFIX) == 0 || sealed_prefix_at(s)[0] == NO_SUMS)
        return false;
    if (in_one_group(first, last, &p, s)) {
        *sum = (int64_t)part_sum(&p, first->found.point.value);
        return true;
    }
    struct prefixes all = prefixes(s);
    uint64_t base = base_of(s), count = last->index - first->index + 1;
    uint64_t before =
        first->index > 0 ? sum_upto(s, &all, first, base) - (uint64_t)(int64_t)first->found.point.value + base
                         : 0;
    *sum = (int64_t)(sum_upto(s, &all, last, base) - before + base * count);
    return true;
}

/* Of the samples up to this one. */
static uint64_t changes_upto(const struct sealed *s, const struct prefixes *all,
                             const struct sealed_place *at)
{
    struct part p;
    size_t i = at->index / STRIDE;
    if (at->index == 0)
        return 0;
    if (at->index + 1 == s->count)
        return number(all->changes, all->change_bytes, i + 1) / 2;
    if (part_at(s, at, at->index + 1, &p))
        return number(all->changes, all->change_bytes, i + 1) / 2 - part_changes(&p);
    uint64_t before = number(all->changes, all->change_bytes, i);
    return before / 2 + before % 2 + part_changes(&p);
}

uint32_t sealed_prefix_changes(const struct sealed *s, const struct sealed_place *first,
                               const struct sealed_place *last)
{
    struct part p;
    if (in_one_group(first, last, &p, s))
        return (uint32_t)part_changes(&p);
    struct prefixes all = prefixes(s);
    return (uint32_t)(changes_upto(s, &all, last) - changes_upto(s, &all, first));
}
