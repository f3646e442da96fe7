#include "histogram_math_priv.h"
#include "kahan_priv.h"

#include "tocsin/sample.h"

#include <math.h>

/* The buckets of one side as a plain list, by rising index. */
struct list {
    int32_t *index;
    struct kahan *count;
    size_t n;
};

/* A histogram laid open for calculation; bounds as in the original. */
struct open {
    struct histogram head; /* schema, bounds, hint; counts stand below */
    struct kahan count, sum, zero;
    struct list positive, negative;
};

struct histogram_total {
    struct open sum;
};

bool histogram_is_custom(const struct histogram *h)
{
    return h->schema == HISTOGRAM_CUSTOM;
}

static bool open_side(struct arena *arena, const struct histogram_side *side, struct list *l)
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

static bool open_histogram(struct arena *arena, const struct histogram *h, struct open *o)
{
    *o = (struct open){.head = *h, .count = {h->count, 0}, .sum = {h->sum, 0}, .zero = {h->zero_count, 0}};
    return open_side(arena, &h->positive, &o->positive) && open_side(arena, &h->negative, &o->negative);
}

static bool close_side(struct arena *arena, const struct list *l, struct histogram_side *side)
{
    *side = (struct histogram_side){0};
    side->spans = ARENA_ARRAY(arena, struct histogram_span, l->n);
    side->buckets = ARENA_ARRAY(arena, double, l->n);
    if (side->spans == NULL || side->buckets == NULL)
        return false;
    int32_t end = 0;
    for (size_t i = 0; i < l->n; i++) {
        double count = kahan_sum(&l->count[i]);
        if (count == 0)
            continue;
        if (side->span_count == 0 || l->index[i] != end)
            side->spans[side->span_count++] = (struct histogram_span){l->index[i] - end, 0};
        side->spans[side->span_count - 1].length++;
        side->buckets[side->bucket_count++] = count;
        end = l->index[i] + 1;
    }
    return true;
}

static const struct histogram *close_histogram(struct arena *arena, const struct open *o)
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

/* Adds one count, with what it left over, to another. */
static void fold(struct kahan *to, const struct kahan *from)
{
    kahan_add(to, from->sum);
    to->rest += from->rest;
}

/* ---- resolution ---- */

static int32_t coarser_index(int32_t index, int32_t by)
{
    return ((index - 1) >> by) + 1;
}

/* Maps indexes in rising order; what falls together is added up. */
static void coarsen(struct list *l, int32_t by)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->n; i++) {
        int32_t index = coarser_index(l->index[i], by);
        if (kept > 0 && l->index[kept - 1] == index) {
            fold(&l->count[kept - 1], &l->count[i]);
        } else {
            l->count[kept] = l->count[i];
            l->index[kept++] = index;
        }
    }
    l->n = kept;
}

static void reduce_schema(struct open *o, int32_t schema)
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
static double widen_over(const struct open *o, const struct list *l, double threshold)
{
    for (size_t i = 0; i < l->n; i++)
        if (kahan_sum(&l->count[i]) != 0 && histogram_lower_bound(&o->head, l->index[i]) < threshold)
            threshold = fmax(threshold, histogram_upper_bound(&o->head, l->index[i]));
    return threshold;
}

static void swallow(struct open *o, struct list *l, double threshold)
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

static void widen_zero(struct open *o, double threshold)
{
    threshold = widen_over(o, &o->positive, threshold);
    threshold = widen_over(o, &o->negative, threshold);
    swallow(o, &o->positive, threshold);
    swallow(o, &o->negative, threshold);
    o->head.zero_threshold = threshold;
}

/* Each round one of them grows; thresholds end at a bucket's bound, so they meet. */
static void reconcile_zero(struct open *a, struct open *b)
{
    while (a->head.zero_threshold != b->head.zero_threshold) {
        struct open *small = a->head.zero_threshold < b->head.zero_threshold ? a : b;
        const struct open *large = small == a ? b : a;
        widen_zero(small, large->head.zero_threshold);
    }
}

/* ---- custom bounds ---- */

static bool same_bounds(const struct histogram *a, const struct histogram *b)
{
    if (a->custom_count != b->custom_count)
        return false;
    for (size_t i = 0; i < a->custom_count; i++)
        if (double_bits(a->custom_bounds[i]) != double_bits(b->custom_bounds[i]))
            return false;
    return true;
}

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
        i += x <= y;
        j += y <= x;
    }
    return true;
}

/* Moves each bucket into the first one whose bound is not below its own. */
static void rebucket(struct open *o, double *bounds, size_t count)
{
    struct list *l = &o->positive;
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

static bool reconcile_bounds(struct arena *arena, struct open *a, struct open *b,
                             struct histogram_remarks *remarks)
{
    double *bounds;
    size_t count;
    if (same_bounds(&a->head, &b->head))
        return true;
    remarks->reconciled = true;
    if (!common_bounds(arena, &a->head, &b->head, &bounds, &count))
        return false;
    rebucket(a, bounds, count);
    rebucket(b, bounds, count);
    return true;
}

/* ---- sums ---- */

static bool add_lists(struct arena *arena, const struct list *a, const struct list *b, double sign,
                      struct list *sum)
{
    size_t i = 0, j = 0;
    *sum = (struct list){0};
    sum->index = ARENA_ARRAY(arena, int32_t, a->n + b->n);
    sum->count = ARENA_ARRAY(arena, struct kahan, a->n + b->n);
    if (sum->index == NULL || sum->count == NULL)
        return false;
    while (i < a->n || j < b->n) {
        bool left = j == b->n || (i < a->n && a->index[i] <= b->index[j]);
        bool right = i == a->n || (j < b->n && b->index[j] <= a->index[i]);
        sum->index[sum->n] = left ? a->index[i] : b->index[j];
        if (left)
            sum->count[sum->n] = a->count[i];
        if (right)
            kahan_add(&sum->count[sum->n], sign * b->count[j].sum);
        sum->n++;
        i += left;
        j += right;
    }
    return true;
}

static enum histogram_hint join_hints(enum histogram_hint a, enum histogram_hint b,
                                      struct histogram_remarks *remarks)
{
    if (a == b)
        return a;
    if (a == HINT_GAUGE || b == HINT_GAUGE)
        return HINT_GAUGE;
    if (a != HINT_UNKNOWN && b != HINT_UNKNOWN)
        remarks->conflict = true;
    return HINT_UNKNOWN;
}

static bool reconcile(struct arena *arena, struct open *a, struct open *b, struct histogram_remarks *remarks)
{
    if (histogram_is_custom(&a->head))
        return reconcile_bounds(arena, a, b, remarks);
    reconcile_zero(a, b);
    int32_t schema = a->head.schema < b->head.schema ? a->head.schema : b->head.schema;
    reduce_schema(a, schema);
    reduce_schema(b, schema);
    return true;
}

static int add_to(struct arena *arena, struct open *x, const struct histogram *h, double sign,
                  struct histogram_remarks *remarks)
{
    struct open y, sum;
    if (histogram_is_custom(&x->head) != histogram_is_custom(h))
        return HISTOGRAMS_INCOMPATIBLE;
    if (!open_histogram(arena, h, &y) || !reconcile(arena, x, &y, remarks))
        return ERR_LIMIT;
    sum = *x;
    sum.head.hint = join_hints(x->head.hint, h->hint, remarks);
    kahan_add(&sum.count, sign * y.count.sum);
    kahan_add(&sum.sum, sign * y.sum.sum);
    kahan_add(&sum.zero, sign * y.zero.sum);
    if (!add_lists(arena, &x->positive, &y.positive, sign, &sum.positive) ||
        !add_lists(arena, &x->negative, &y.negative, sign, &sum.negative))
        return ERR_LIMIT;
    *x = sum;
    return 0;
}

int histogram_add(struct arena *arena, const struct histogram *a, const struct histogram *b, double sign,
                  const struct histogram **out, struct histogram_remarks *remarks)
{
    struct open x;
    if (!open_histogram(arena, a, &x))
        return ERR_LIMIT;
    int code = add_to(arena, &x, b, sign, remarks);
    if (code != 0)
        return code;
    *out = close_histogram(arena, &x);
    return *out != NULL ? 0 : ERR_LIMIT;
}

int histogram_total_add(struct arena *arena, struct histogram_total **total, const struct histogram *h,
                        struct histogram_remarks *remarks)
{
    if (*total != NULL)
        return add_to(arena, &(*total)->sum, h, 1, remarks);
    *total = ARENA_NEW(arena, struct histogram_total);
    return *total != NULL && open_histogram(arena, h, &(*total)->sum) ? 0 : ERR_LIMIT;
}

const struct histogram *histogram_total_finish(struct arena *arena, const struct histogram_total *total)
{
    return close_histogram(arena, &total->sum);
}

int histogram_step(struct arena *arena, const struct histogram *base, const struct histogram *step,
                   bool minus, const struct histogram **out, struct err *err)
{
    struct histogram_remarks remarks = {0};
    if (base->schema > step->schema)
        return err_set(err, ERR_PARSE, "the increment of a histogram has a coarser schema than its base");
    int code = histogram_add(arena, base, step, minus ? -1 : 1, out, &remarks);
    if (code == HISTOGRAMS_INCOMPATIBLE)
        return err_set(err, ERR_PARSE, "the increment of a histogram has other buckets than its base");
    if (code != 0)
        return err_set(err, code, "series values need too much memory");
    *out = histogram_with_hint(arena, *out, step->hint);
    return *out != NULL ? 0 : err_set(err, ERR_LIMIT, "series values need too much memory");
}

/* ---- multiples ---- */

static void scale_side(struct histogram_side *side, double factor, double divisor)
{
    for (size_t i = 0; i < side->bucket_count; i++)
        side->buckets[i] = side->buckets[i] * factor / divisor;
}

static const struct histogram *scale(struct arena *arena, const struct histogram *h, double factor,
                                     double divisor)
{
    struct histogram *copy = histogram_copy(arena, h);
    if (copy == NULL)
        return NULL;
    copy->count = copy->count * factor / divisor;
    copy->sum = copy->sum * factor / divisor;
    copy->zero_count = copy->zero_count * factor / divisor;
    scale_side(&copy->positive, factor, divisor);
    scale_side(&copy->negative, factor, divisor);
    if (factor < 0 || divisor < 0)
        copy->hint = HINT_GAUGE;
    return copy;
}

const struct histogram *histogram_multiply(struct arena *arena, const struct histogram *h, double factor)
{
    return scale(arena, h, factor, 1);
}

/* Division by zero leaves counts of Inf and NaN, but no buckets. */
const struct histogram *histogram_divide(struct arena *arena, const struct histogram *h, double divisor)
{
    struct histogram bare = *h;
    if (divisor != 0)
        return scale(arena, h, 1, divisor);
    bare.positive = bare.negative = (struct histogram_side){0};
    return scale(arena, &bare, 1, divisor);
}

const struct histogram *histogram_with_hint(struct arena *arena, const struct histogram *h,
                                            enum histogram_hint hint)
{
    struct histogram *copy = ARENA_NEW(arena, struct histogram);
    if (copy != NULL) {
        *copy = *h;
        copy->hint = hint;
    }
    return copy;
}

/* ---- resets ---- */

static double count_at(const struct list *l, int32_t index)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->index[i] == index)
            return l->count[i].sum;
    return 0;
}

static bool any_decrease(const struct list *before, const struct list *now)
{
    for (size_t i = 0; i < before->n; i++)
        if (count_at(now, before->index[i]) < before->count[i].sum)
            return true;
    return false;
}

/* Counts up to each common bound, because single buckets mean different things. */
static bool custom_reset(struct arena *arena, struct open *before, struct open *now)
{
    struct histogram_remarks remarks = {0};
    return reconcile_bounds(arena, before, now, &remarks) && any_decrease(&before->positive, &now->positive);
}

static bool exponential_reset(struct open *before, struct open *now)
{
    double threshold = now->head.zero_threshold;
    if (now->head.schema > before->head.schema || threshold < before->head.zero_threshold)
        return true;
    if (threshold > before->head.zero_threshold) {
        widen_zero(before, threshold);
        if (before->head.zero_threshold != threshold)
            return true; /* the new threshold lies inside a bucket that was populated */
    }
    if (now->zero.sum < before->zero.sum)
        return true;
    reduce_schema(before, now->head.schema);
    return any_decrease(&before->positive, &now->positive) || any_decrease(&before->negative, &now->negative);
}

bool histogram_is_reset(struct arena *arena, const struct histogram *before, const struct histogram *now)
{
    struct open x, y;
    if (now->hint == HINT_RESET)
        return true;
    if (now->hint == HINT_NOT_RESET || now->hint == HINT_GAUGE)
        return false;
    if (now->count < before->count || histogram_is_custom(before) != histogram_is_custom(now))
        return true;
    if (!open_histogram(arena, before, &x) || !open_histogram(arena, now, &y))
        return false;
    return histogram_is_custom(now) ? custom_reset(arena, &x, &y) : exponential_reset(&x, &y);
}
