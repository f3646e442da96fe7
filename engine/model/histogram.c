#include "tocsin/histogram.h"

#include "tocsin/sample.h"

bool histogram_next(struct histogram_walk *w)
{
    const struct histogram_side *side = w->side;
    size_t next = w->started ? w->bucket + 1 : 0;
    if (next >= side->bucket_count)
        return false;
    int64_t gap = w->started ? 1 : 0;
    if (!w->started && side->span_count > 0)
        gap = side->spans[0].offset;
    w->in_span += w->started;
    while (w->span < side->span_count && w->in_span >= side->spans[w->span].length) {
        w->span++;
        w->in_span = 0;
        if (w->span < side->span_count)
            gap += side->spans[w->span].offset;
    }
    int64_t index = w->index + gap;
    if (w->span >= side->span_count || index < INT32_MIN || index > INT32_MAX)
        return false;
    w->started = true;
    w->bucket = next;
    w->index = (int32_t)index;
    w->count = side->buckets[next];
    return true;
}

/* ---- copies ------------------------------------------------------------------------------------------- */

static bool copy_side(struct arena *arena, struct histogram_side *to, const struct histogram_side *from)
{
    *to = *from;
    to->spans = arena_copy(arena, from->spans, from->span_count, sizeof *from->spans);
    to->buckets = arena_copy(arena, from->buckets, from->bucket_count, sizeof *from->buckets);
    return to->spans != NULL && to->buckets != NULL;
}

struct histogram *histogram_copy(struct arena *arena, const struct histogram *h)
{
    struct histogram *copy = ARENA_NEW(arena, struct histogram);
    if (copy == NULL)
        return NULL;
    *copy = *h;
    copy->custom_bounds = arena_copy(arena, h->custom_bounds, h->custom_count, sizeof *h->custom_bounds);
    if (copy->custom_bounds == NULL || !copy_side(arena, &copy->positive, &h->positive) ||
        !copy_side(arena, &copy->negative, &h->negative))
        return NULL;
    return copy;
}

static void add_bucket(struct histogram_side *to, int64_t *end, int32_t index, double count)
{
    if (to->span_count == 0 || index != *end) {
        int64_t gap = to->span_count == 0 ? index : index - *end;
        if (gap > INT32_MAX) /* a gap that no offset can hold takes an empty span as a stepping stone */
            to->spans[to->span_count++] = (struct histogram_span){INT32_MAX, 0};
        if (gap > INT32_MAX)
            gap -= INT32_MAX;
        to->spans[to->span_count++] = (struct histogram_span){(int32_t)gap, 0};
    }
    to->spans[to->span_count - 1].length++;
    to->buckets[to->bucket_count++] = count;
    *end = (int64_t)index + 1;
}

static bool compact_side(struct arena *arena, struct histogram_side *to, const struct histogram_side *from)
{
    *to = (struct histogram_side){0};
    to->buckets = ARENA_ARRAY(arena, double, from->bucket_count);
    to->spans = ARENA_ARRAY(arena, struct histogram_span, from->bucket_count + 1);
    if (to->buckets == NULL || to->spans == NULL)
        return false;
    int64_t end = 0;
    for (struct histogram_walk w = {.side = from}; histogram_next(&w);)
        if (w.count != 0)
            add_bucket(to, &end, w.index, w.count);
    return true;
}

struct histogram *histogram_compact(struct arena *arena, const struct histogram *h)
{
    struct histogram *made = ARENA_NEW(arena, struct histogram);
    if (made == NULL)
        return NULL;
    *made = *h;
    made->custom_bounds = arena_copy(arena, h->custom_bounds, h->custom_count, sizeof *h->custom_bounds);
    if (made->custom_bounds == NULL || !compact_side(arena, &made->positive, &h->positive) ||
        !compact_side(arena, &made->negative, &h->negative))
        return NULL;
    return made;
}

/* ---- equality ----------------------------------------------------------------------------------------- */

static bool same_bits(double a, double b)
{
    return double_bits(a) == double_bits(b);
}

static bool sides_equal(const struct histogram_side *a, const struct histogram_side *b)
{
    struct histogram_walk i = {.side = a}, j = {.side = b};
    for (;;) {
        bool more = histogram_next(&i);
        if (more != histogram_next(&j))
            return false;
        if (!more)
            return true;
        if (i.index != j.index || !same_bits(i.count, j.count))
            return false;
    }
}

static bool bounds_equal(const struct histogram *a, const struct histogram *b)
{
    if (a->custom_count != b->custom_count)
        return false;
    for (size_t i = 0; i < a->custom_count; i++)
        if (!same_bits(a->custom_bounds[i], b->custom_bounds[i]))
            return false;
    return true;
}

bool histogram_equal(const struct histogram *a, const struct histogram *b)
{
    return a->schema == b->schema && same_bits(a->count, b->count) && same_bits(a->sum, b->sum) &&
           a->zero_threshold == b->zero_threshold && same_bits(a->zero_count, b->zero_count) &&
           (a->schema != HISTOGRAM_CUSTOM || bounds_equal(a, b)) && sides_equal(&a->positive, &b->positive) &&
           sides_equal(&a->negative, &b->negative);
}
