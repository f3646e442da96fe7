#include "histogram_open_priv.h"

static bool open_side(struct arena *arena, const struct histogram_side *side, struct bucket_list *l)
{
    l->index = ARENA_ARRAY(arena, int32_t, side->bucket_count);
    l->count = ARENA_ARRAY(arena, struct kahan, side->bucket_count);
    if (l->index == NULL || l->count == NULL)
        return false;
    for (struct histogram_walk w = {.side = side}; histogram_next(&w);) {
        l->index[l->n] = w.index;
        l->count[l->n++].sum = w.count;
    }
    return true;
}

bool histogram_open(struct arena *arena, const struct histogram *h, struct open_histogram *o)
{
    *o = (struct open_histogram){
        .head = *h, .count = {h->count, 0}, .sum = {h->sum, 0}, .zero = {h->zero_count, 0}};
    return open_side(arena, &h->positive, &o->positive) && open_side(arena, &h->negative, &o->negative);
}

bool histogram_side_begin(struct side_layout *l, struct arena *arena, struct histogram_side *side, size_t n)
{
    *side = (struct histogram_side){0};
    side->buckets = ARENA_ARRAY(arena, double, n);
    side->spans = ARENA_ARRAY(arena, struct histogram_span, n + 1);
    *l = (struct side_layout){.side = side};
    return side->buckets != NULL && side->spans != NULL;
}

void histogram_side_put(struct side_layout *l, int32_t index, double count)
{
    struct histogram_side *to = l->side;
    if (to->span_count == 0 || index != l->end) {
        int64_t gap = index - l->end;
        if (gap > INT32_MAX) { /* a gap that no offset can hold takes an empty span as a stepping stone */
            to->spans[to->span_count++] = (struct histogram_span){INT32_MAX, 0};
            gap -= INT32_MAX;
        }
        to->spans[to->span_count++] = (struct histogram_span){(int32_t)gap, 0};
    }
    to->spans[to->span_count - 1].length++;
    to->buckets[to->bucket_count++] = count;
    l->end = (int64_t)index + 1;
}

static bool close_side(struct arena *arena, const struct bucket_list *l, struct histogram_side *side)
{
    struct side_layout layout;
    if (!histogram_side_begin(&layout, arena, side, l->n))
        return false;
    for (size_t i = 0; i < l->n; i++)
        if (kahan_sum(&l->count[i]) != 0)
            histogram_side_put(&layout, l->index[i], kahan_sum(&l->count[i]));
    return true;
}

const struct histogram *histogram_close(struct arena *arena, const struct open_histogram *o)
{
    struct histogram *h = ARENA_NEW(arena, struct histogram);
    if (h == NULL)
        return NULL;
    *h = o->head;
    h->count = kahan_sum(&o->count);
    h->sum = kahan_sum(&o->sum);
    h->zero_count = kahan_sum(&o->zero);
    bool ok = close_side(arena, &o->positive, &h->positive) && close_side(arena, &o->negative, &h->negative);
    return ok ? h : NULL;
}
