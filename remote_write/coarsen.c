/* Native histograms finer than any query asks for lose resolution here. */
#include "push_priv.h"

/* The bucket of the coarser schema that holds bucket `index` of the finer one. */
static int64_t coarser(int64_t index, int shift)
{
    return ((index - 1) >> shift) + 1;
}

/* A side as it is written again, bucket by bucket. */
struct writer {
    struct histogram_span *spans;
    size_t span_count;
    double *buckets;
    size_t bucket_count;
    int64_t last; /* index of the last bucket */
};

static void write_bucket(struct writer *w, int64_t index, double count)
{
    if (w->bucket_count > 0 && index == w->last) {
        w->buckets[w->bucket_count - 1] += count;
        return;
    }
    if (w->bucket_count > 0 && index == w->last + 1) {
        w->spans[w->span_count - 1].length++;
    } else {
        int64_t offset = w->bucket_count > 0 ? index - w->last - 1 : index;
        w->spans[w->span_count++] = (struct histogram_span){(int32_t)offset, 1};
    }
    w->buckets[w->bucket_count++] = count;
    w->last = index;
}

static int coarsen_side(struct arena *arena, struct histogram_side *side, int shift)
{
    struct writer w = {.spans = ARENA_ARRAY(arena, struct histogram_span, side->bucket_count),
                       .buckets = ARENA_ARRAY(arena, double, side->bucket_count)};
    if (w.spans == NULL || w.buckets == NULL)
        return ERR_LIMIT;
    size_t read = 0;
    int64_t index = 0;
    for (size_t i = 0; i < side->span_count; i++) {
        index += side->spans[i].offset;
        for (uint32_t k = 0; k < side->spans[i].length; k++)
            write_bucket(&w, coarser(index++, shift), side->buckets[read++]);
    }
    *side = (struct histogram_side){w.spans, w.span_count, w.buckets, w.bucket_count};
    return 0;
}

int histogram_coarsen(struct arena *arena, struct histogram *h, int shift)
{
    h->schema -= shift;
    int rc = coarsen_side(arena, &h->positive, shift);
    return rc == 0 ? coarsen_side(arena, &h->negative, shift) : rc;
}
