#include "histogram_open_priv.h"

#include "tocsin/check.h"
#include "tocsin/sample.h"

bool histogram_is_custom(const struct histogram *h)
{
    return h->schema == HISTOGRAM_CUSTOM;
}

bool histogram_schema_is_valid(int32_t schema)
{
    return schema == HISTOGRAM_CUSTOM || (schema >= -4 && schema <= 8);
}

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

static bool compact_side(struct arena *arena, struct histogram_side *to, const struct histogram_side *from)
{
    struct side_layout layout;
    if (!histogram_side_begin(&layout, arena, to, from->bucket_count))
        return false;
    for (struct histogram_walk w = {.side = from}; histogram_next(&w);)
        if (w.count != 0)
            histogram_side_put(&layout, w.index, w.count);
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

static bool coarsen_side(struct arena *arena, struct histogram_side *to, const struct histogram_side *from,
                         int32_t by)
{
    struct side_layout layout;
    if (!histogram_side_begin(&layout, arena, to, from->bucket_count))
        return false;
    for (struct histogram_walk w = {.side = from}; histogram_next(&w);) {
        int32_t index = histogram_coarser_index(w.index, by);
        if (to->bucket_count > 0 && index + INT64_C(1) == layout.end)
            to->buckets[to->bucket_count - 1] += w.count;
        else
            histogram_side_put(&layout, index, w.count);
    }
    return true;
}

struct histogram *histogram_coarsen(struct arena *arena, const struct histogram *h, int32_t schema)
{
    struct histogram *made = ARENA_NEW(arena, struct histogram);
    int32_t by = h->schema - schema;
    must(!histogram_is_custom(h) && by >= 0);
    if (made == NULL)
        return NULL;
    *made = *h;
    made->schema = schema;
    if (!coarsen_side(arena, &made->positive, &h->positive, by) ||
        !coarsen_side(arena, &made->negative, &h->negative, by))
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

bool histogram_same_bounds(const struct histogram *a, const struct histogram *b)
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
           (a->schema != HISTOGRAM_CUSTOM || histogram_same_bounds(a, b)) &&
           sides_equal(&a->positive, &b->positive) && sides_equal(&a->negative, &b->negative);
}
