#include "reach_priv.h"
#include "sealed_prefix_priv.h"
#include "spine_priv.h"

#include <math.h>
#include <stdlib.h>

/* Below it they save less than they take. */
enum { ITEMS_WITH_NODES = 16 };

/* Items of a node of nodes. */
enum { UPPER = SPINE_NODE * SPINE_NODE };

_Static_assert((int)REACH_ITEMS == (int)UPPER, "those of a node of nodes reach as far as it");

/* What the floats from the first item of a run up to one item come to. A run is broken off where an item is wide or has
 * no value, and where start times begin or end. */
struct tally {
    double correction; /* NaN: not made of whole numbers alone */
    int64_t sum;       /* NOT_WHOLE: as well */
    uint32_t count, resets, changes;
    uint32_t begin; /* of the run */
};

/* ---- memory: items, nodes, nodes of nodes, tallies, reaches ---- */

static size_t nodes_of(size_t items)
{
    return (items + SPINE_NODE - 1) / SPINE_NODE;
}

static size_t bytes_of(size_t capacity)
{
    if (capacity == 0)
        return 0;
    size_t bytes = sizeof(struct spine) + capacity * sizeof(struct sealed);
    if (capacity < ITEMS_WITH_NODES)
        return bytes;
    return bytes + (nodes_of(capacity) + nodes_of(nodes_of(capacity))) * sizeof(struct window_summary) +
           capacity * (sizeof(struct tally) + sizeof(struct reach));
}

static struct window_summary *nodes(const struct spine *s)
{
    return (struct window_summary *)(s->item + s->capacity);
}

static struct window_summary *upper_nodes(const struct spine *s)
{
    return nodes(s) + nodes_of(s->capacity);
}

static struct tally *tallies(const struct spine *s)
{
    return (struct tally *)(upper_nodes(s) + nodes_of(nodes_of(s->capacity)));
}

static struct reach *reaches(const struct spine *s)
{
    return (struct reach *)(tallies(s) + s->capacity);
}

/* How many items have a tally and stand in nodes, from the second on. */
static size_t covered(const struct spine *s)
{
    return s->capacity >= ITEMS_WITH_NODES && s->count > 2 ? s->count - 2 : 0;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ---- nodes ---- */

/* Resets are left out here: a node of which they are asked is not joined where their order may count. */
enum { JOINED = WINDOW_ALL & ~WINDOW_RESETS };

/* A node without values is none: one of its items is wide, or has none either. */
static void join_items(const struct spine *s, size_t from, size_t to, struct window_summary *node)
{
    *node = (struct window_summary){0};
    for (size_t i = from; i < to; i++) {
        if (sealed_is_wide(&s->item[i])) {
            *node = (struct window_summary){0};
            return;
        }
        struct window_summary in;
        sealed_summary(&s->item[i], WINDOW_ALL, &in);
        summary_join(node, &in, (enum window_wish)JOINED);
    }
}

static void join_nodes(const struct spine *s, size_t from, size_t to, struct window_summary *node)
{
    *node = (struct window_summary){0};
    for (size_t i = from; i < to; i++) {
        if (nodes(s)[i].count == 0) {
            *node = (struct window_summary){0};
            return;
        }
        summary_join(node, &nodes(s)[i], (enum window_wish)JOINED);
    }
}

/* The nodes over items from <= i < to anew. */
static void refresh_nodes(struct spine *s, size_t from, size_t to)
{
    size_t items = covered(s), count = nodes_of(items);
    size_t first = from > 1 ? (from - 1) / SPINE_NODE : 0;
    size_t end = to > 1 ? least(count, nodes_of(to - 1)) : 0;
    for (size_t k = first; k < end; k++)
        join_items(s, 1 + k * SPINE_NODE, 1 + least((k + 1) * SPINE_NODE, items), &nodes(s)[k]);
    for (size_t k = first / SPINE_NODE; k < nodes_of(end); k++)
        join_nodes(s, k * SPINE_NODE, least((k + 1) * SPINE_NODE, count), &upper_nodes(s)[k]);
    for (size_t k = first / SPINE_NODE * UPPER; k < least(end * SPINE_NODE, items); k += UPPER)
        reach_make(reaches(s) + k, s->item + 1 + k, least(UPPER, items - k));
}

static bool join(struct window_summary *out, const struct window_summary *node, enum window_wish wish)
{
    bool exact = node->resets <= 1 || node->whole_resets || (wish & WINDOW_RESETS) == 0;
    return node->count > 0 && exact && summary_join(out, node, wish);
}

/* The node of up to `size` items that begins with item i and ends before `end`. Returns how many it has; 0: there is none. */
static size_t node_at(const struct spine *s, size_t i, size_t end, size_t size,
                      const struct window_summary **node)
{
    size_t all = covered(s), k = i - 1;
    if (i == 0 || k % size != 0 || k >= all || i + least(size, all - k) > end)
        return 0;
    *node = size == SPINE_NODE ? &nodes(s)[k / size] : &upper_nodes(s)[k / size];
    return (*node)->count > 0 ? least(size, all - k) : 0;
}

/* By the largest node that can be joined. */
static size_t join_node(const struct spine *s, size_t i, size_t end, enum window_wish wish,
                        struct window_summary *out)
{
    const struct window_summary *node;
    for (size_t size = UPPER; size >= SPINE_NODE; size /= SPINE_NODE) {
        size_t items = node_at(s, i, end, size, &node);
        if (items > 0 && join(out, node, wish))
            return items;
    }
    return 0;
}

/* The bounds of items from i on, before `end`; none of them is broken. */
static void widen_by_nodes(const struct spine *s, size_t i, size_t end, struct window_summary *out)
{
    while (i < end) {
        const struct window_summary *node;
        size_t items = node_at(s, i, end, UPPER, &node);
        if (items == 0)
            items = node_at(s, i, end, SPINE_NODE, &node);
        if (items > 0) {
            summary_widen(out, node->min, node->max);
            i += items;
        } else {
            struct sealed_bounds in = sealed_bounds(&s->item[i++]);
            summary_widen(out, in.min, in.max);
        }
    }
}

/* The same of those that reach beyond a node of nodes: by what is told of its end, of those between and of the last one's
 * begin. */
static void widen(const struct spine *s, size_t i, size_t end, struct window_summary *out)
{
    size_t from = (i - 1) / UPPER, to = (end - 2) / UPPER, begin = to * UPPER;
    if (from == to) {
        widen_by_nodes(s, i, end, out);
        return;
    }
    reach_widen_from(reaches(s) + from * UPPER, s->item + 1 + from * UPPER, (i - 1) % UPPER, out);
    for (size_t k = from + 1; k < to; k++)
        summary_widen(out, upper_nodes(s)[k].min, upper_nodes(s)[k].max);
    reach_widen_upto(reaches(s) + begin, s->item + 1 + begin, (end - 2) % UPPER, out);
}

/* ---- tallies ---- */

#define NOT_WHOLE INT64_MIN
#define WHOLE_BELOW (INT64_C(1) << 60) /* some of them add up */

/* No value in it: nothing follows from one that is before it to one after it. */
static bool is_broken(const struct sealed *s)
{
    struct window_summary in;
    sealed_summary(s, (enum window_wish)0, &in);
    return sealed_is_wide(s) || in.count == 0;
}

static bool is_whole(double v)
{
    return fabs(v) < (double)WHOLE_BELOW && (double)(int64_t)v == v;
}

/* Exact, unlike doubles: what is before a window can be taken off again. */
static int64_t whole_sum(int64_t before, const struct window_summary *in)
{
    if (before == NOT_WHOLE || in->has_huge || !is_whole(in->sum) || !is_whole(in->rest))
        return NOT_WHOLE;
    int64_t sum = before + (int64_t)in->sum + (int64_t)in->rest;
    return llabs(sum) < WHOLE_BELOW ? sum : NOT_WHOLE;
}

/* Item i after the one whose tally is *t. */
static struct tally next_tally(const struct spine *s, size_t i, const struct tally *t)
{
    const struct sealed *before = &s->item[i - 1];
    if (i == 1 || is_broken(before) || is_broken(&s->item[i]) || before->has_starts != s->item[i].has_starts)
        return (struct tally){.begin = (uint32_t)i};
    struct window_summary in;
    sealed_summary(&s->item[i], WINDOW_ALL, &in);
    struct window_summary sum = {
        .count = 1, .last = before->last, .correction = t->correction, .whole_resets = true};
    summary_join(&sum, &in, (enum window_wish)0);
    return (struct tally){.correction = sum.whole_resets ? sum.correction : (double)NAN,
                          .sum = whole_sum(t->sum, &in),
                          .count = t->count + in.count,
                          .resets = t->resets + sum.resets,
                          .changes = t->changes + sum.changes,
                          .begin = t->begin};
}

static void refresh_tallies(struct spine *s, size_t from)
{
    struct tally *t = tallies(s) - 1; /* item 0 has none */
    for (size_t i = from > 0 ? from : 1; i <= covered(s); i++)
        t[i] = next_tally(s, i, &t[i - 1]);
}

/* True if the tallies of these two tell what stands between. */
static bool tells(const struct tally *from, const struct tally *to, size_t i, enum window_wish wish)
{
    if (to->begin > i)
        return false;
    return (wish & WINDOW_SUM) == 0 || (from->sum != NOT_WHOLE && to->sum != NOT_WHOLE);
}

/* What comes after item i up to item `last`, by their tallies, is added to what ends with item i. False, and nothing is
 * changed, if they do not tell it. */
static bool add_tallied(const struct spine *s, size_t i, size_t last, enum window_wish wish,
                        struct window_summary *out)
{
    const struct tally *from = &tallies(s)[i - 1], *to = &tallies(s)[last - 1];
    uint32_t resets = to->resets - from->resets;
    if (!tells(from, to, i, wish))
        return false;
    if (resets > 0 && (wish & WINDOW_RESETS) != 0) {
        /* Whether corrections may be added up summary_join knows; it is given a stretch of one sample, which then is not
         * counted, and whose time and value are those of the last item, below. */
        struct window_summary falls = {.first = out->last,
                                       .correction = to->correction - from->correction,
                                       .count = 1,
                                       .resets = resets,
                                       .whole_resets = true};
        if (isnan(falls.correction) || !summary_join(out, &falls, WINDOW_RESETS))
            return false;
        out->count--;
    }
    if ((wish & WINDOW_BOUNDS) != 0)
        widen(s, i + 1, last + 1, out);
    if ((wish & WINDOW_SUM) != 0)
        summary_add_whole(out, to->sum - from->sum);
    out->count += to->count - from->count;
    out->changes += to->changes - from->changes;
    sealed_end(&s->item[last], &out->last_ms, &out->last);
    return true;
}

/* Items from i on up to the last one before `end`. What is there already ends with the item before; else item i must come
 * first. */
static size_t join_tallied(const struct spine *s, size_t i, size_t end, enum window_wish wish,
                           struct window_summary *out)
{
    size_t last = least(end - 1, covered(s));
    if (i > 1 && last >= i && out->count > 0 && add_tallied(s, i - 1, last, wish, out))
        return last - i + 1;
    if (i == 0 || last <= i || !tells(&tallies(s)[i - 1], &tallies(s)[last - 1], i, wish) ||
        !sealed_join(out, &s->item[i], wish))
        return 0;
    return add_tallied(s, i, last, wish, out) ? last - i + 1 : 1;
}

size_t spine_join(const struct spine *s, size_t i, size_t end, enum window_wish wish,
                  struct window_summary *out)
{
    size_t joined = join_tallied(s, i, end, wish, out);
    return joined > 0 ? joined : join_node(s, i, end, wish, out);
}

static void refresh_prefixes(struct spine *s, size_t from, size_t to, struct account *account)
{
    for (size_t i = from; s->capacity >= ITEMS_WITH_NODES && i < to; i++)
        sealed_prefix_make(account, &s->item[i]);
}

static void refresh(struct spine *s, size_t from, size_t to, struct account *account)
{
    refresh_prefixes(s, from, to, account);
    refresh_nodes(s, from, to);
    refresh_tallies(s, from);
}

/* ---- items ---- */

static uint32_t capacity_of(const struct ring *r)
{
    return r->spine != NULL ? r->spine->capacity : 0;
}

/* Leaves nodes and tallies to be made anew. */
static void set_capacity(struct ring *r, uint32_t capacity, struct account *account)
{
    uint32_t count = (uint32_t)spine_count(r);
    r->spine = account_resize(account, r->spine, bytes_of(capacity_of(r)), bytes_of(capacity));
    r->spine->count = count;
    r->spine->capacity = capacity;
}

static uint32_t next_capacity(const struct ring *r)
{
    return capacity_of(r) + capacity_of(r) / 8 + 1;
}

size_t spine_bytes_more(const struct ring *r)
{
    size_t capacity = next_capacity(r);
    size_t prefixes = capacity < ITEMS_WITH_NODES ? 0 : capacity_of(r) < ITEMS_WITH_NODES ? capacity : 2;
    return bytes_of(capacity) - bytes_of(capacity_of(r)) + prefixes * SEALED_PREFIX_MAX;
}

void spine_insert(struct ring *r, size_t i, const struct sealed *item, struct account *account)
{
    bool full = spine_count(r) == capacity_of(r);
    if (full)
        set_capacity(r, next_capacity(r), account);
    struct sealed *at = r->spine->item + i;
    memmove(at + 1, at, (r->spine->count - i) * sizeof *at);
    *at = *item;
    r->spine->count++;
    refresh(r->spine, full || i == 0 ? 0 : i - 1, r->spine->count, account);
}

void spine_changed(struct ring *r, size_t i, struct account *account)
{
    refresh(r->spine, i, i + 1, account);
}

void spine_grew(struct ring *r, struct account *account)
{
    refresh_prefixes(r->spine, r->spine->count - 1, r->spine->count, account);
}

void spine_drop(struct ring *r, size_t n, struct account *account)
{
    if (n == 0)
        return;
    r->spine->count -= (uint32_t)n;
    memmove(r->spine->item, r->spine->item + n, r->spine->count * sizeof *r->spine->item);
    if (r->spine->count == 0) {
        account_give(account, r->spine, bytes_of(capacity_of(r)));
        r->spine = NULL;
        return;
    }
    if (r->spine->count < capacity_of(r) / 2)
        set_capacity(r, r->spine->count, account);
    refresh(r->spine, 0, r->spine->count, account);
}

/* ---- touching ---- */

static void touch_summary(const struct spine *s, size_t i, enum window_wish wish)
{
    spine_touch_item(s, i);
    if (sealed_needs_aside(&s->item[i], wish))
        sealed_touch_aside(&s->item[i]);
}

void spine_touch_joined(const struct spine *s, size_t i, size_t end, enum window_wish wish)
{
    size_t last = least(end - 1, covered(s));
    if (i == 0 || last <= i)
        return;
    mem_touch(&tallies(s)[i > 1 ? i - 2 : 0]);
    mem_touch(&tallies(s)[last - 1]);
    if (i == 1) /* else what comes before it is there already, mostly */
        touch_summary(s, i, wish);
    touch_summary(s, last, wish);
    touch_summary(s, end - 1, wish);
}
