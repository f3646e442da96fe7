#include "histogram_open_priv.h"

#include <math.h>

/* Adds one count, with what it left over, to another. */
static void fold(struct kahan *to, const struct kahan *from)
{
    kahan_add(to, from->sum);
    to->rest += from->rest;
}

/* ---- resolution ---- */

/* Maps indexes in rising order; what falls together is added up. */
static void coarsen(struct bucket_list *l, int32_t by)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->n; i++) {
        int32_t index = histogram_coarser_index(l->index[i], by);
        if (kept > 0 && l->index[kept - 1] == index) {
            fold(&l->count[kept - 1], &l->count[i]);
        } else {
            l->count[kept] = l->count[i];
            l->index[kept++] = index;
        }
    }
    l->n = kept;
}

static void reduce_schema(struct open_histogram *o, int32_t schema)
{
    int32_t by = o->head.schema - schema;
    if (by <= 0)
        return;
    coarsen(&o->positive, by);
    coarsen(&o->negative, by);
    o->head.schema = schema;
}

/* ---- zero buckets ---- */

/* Buckets that begin below the threshold; one that ends beyond it pushes the threshold up to its end. */
static double widen_over(const struct open_histogram *o, const struct bucket_list *l, double threshold)
{
    for (size_t i = 0; i < l->n; i++)
        if (kahan_sum(&l->count[i]) != 0 && histogram_lower_bound(&o->head, l->index[i]) < threshold)
            threshold = fmax(threshold, histogram_upper_bound(&o->head, l->index[i]));
    return threshold;
}

static void swallow(struct open_histogram *o, struct bucket_list *l, double threshold)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->n; i++) {
        if (histogram_lower_bound(&o->head, l->index[i]) < threshold) {
            fold(&o->zero, &l->count[i]);
            continue;
        }
        l->index[kept] = l->index[i];
        l->count[kept++] = l->count[i];
    }
    l->n = kept;
}

static void widen_zero(struct open_histogram *o, double threshold)
{
    threshold = widen_over(o, &o->positive, threshold);
    threshold = widen_over(o, &o->negative, threshold);
    swallow(o, &o->positive, threshold);
    swallow(o, &o->negative, threshold);
    o->head.zero_threshold = threshold;
}

/* Each round one of them grows; thresholds end at a bucket's bound, so they meet. One that is NaN never does. */
static void reconcile_zero(struct open_histogram *a, struct open_histogram *b)
{
    while (islessgreater(a->head.zero_threshold, b->head.zero_threshold)) {
        struct open_histogram *small = a->head.zero_threshold < b->head.zero_threshold ? a : b;
        const struct open_histogram *large = small == a ? b : a;
        widen_zero(small, large->head.zero_threshold);
    }
}

/* ---- custom bounds ---- */

static bool common_bounds(struct arena *arena, const struct histogram *a, const struct histogram *b,
                          double **bounds, size_t *count)
{
    size_t i = 0, j = 0;
    *count = 0;
    *bounds = ARENA_ARRAY(arena, double, a->custom_count);
    if (*bounds == NULL)
        return false;
    while (i < a->custom_count && j < b->custom_count) {
        double x = a->custom_bounds[i], y = b->custom_bounds[j];
        if (x == y)
            (*bounds)[(*count)++] = x;
        i += !(x > y); /* so that NaN gets on */
        j += !(y > x);
    }
    return true;
}

/* Moves each bucket into the first one whose bound is not below its own. */
static void rebucket(struct open_histogram *o, double *bounds, size_t count)
{
    struct bucket_list *l = &o->positive;
    size_t kept = 0, at = 0;
    for (size_t i = 0; i < l->n; i++) {
        double upper = histogram_upper_bound(&o->head, l->index[i]);
        while (at < count && bounds[at] < upper)
            at++;
        if (kept > 0 && l->index[kept - 1] == (int32_t)at) {
            fold(&l->count[kept - 1], &l->count[i]);
        } else {
            l->count[kept] = l->count[i];
            l->index[kept++] = (int32_t)at;
        }
    }
    l->n = kept;
    o->head.custom_bounds = bounds;
    o->head.custom_count = count;
}

static bool reconcile_bounds(struct arena *arena, struct open_histogram *a, struct open_histogram *b,
                             struct histogram_remarks *remarks)
{
    double *bounds;
    size_t count;
    if (histogram_same_bounds(&a->head, &b->head))
        return true;
    remarks->reconciled = true;
    if (!common_bounds(arena, &a->head, &b->head, &bounds, &count))
        return false;
    rebucket(a, bounds, count);
    rebucket(b, bounds, count);
    return true;
}

bool histogram_reconcile(struct arena *arena, struct open_histogram *a, struct open_histogram *b,
                         struct histogram_remarks *remarks)
{
    if (histogram_is_custom(&a->head))
        return reconcile_bounds(arena, a, b, remarks);
    reconcile_zero(a, b);
    int32_t schema = a->head.schema < b->head.schema ? a->head.schema : b->head.schema;
    reduce_schema(a, schema);
    reduce_schema(b, schema);
    return true;
}
