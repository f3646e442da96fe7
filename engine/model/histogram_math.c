#include "histogram_open_priv.h"

struct histogram_total {
    struct open_histogram sum;
    bool reset, not_reset; /* which hints came */
};

/* ---- sums ---- */

static bool add_lists(struct arena *arena, const struct bucket_list *a, const struct bucket_list *b,
                      double sign, struct bucket_list *sum)
{
    size_t i = 0, j = 0;
    *sum = (struct bucket_list){0};
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

static int add_to(struct arena *arena, struct open_histogram *x, const struct histogram *h, double sign,
                  struct histogram_remarks *remarks)
{
    struct open_histogram y, sum;
    if (histogram_is_custom(&x->head) != histogram_is_custom(h))
        return HISTOGRAMS_INCOMPATIBLE;
    if (!histogram_open(arena, h, &y) || !histogram_reconcile(arena, x, &y, remarks))
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
    struct open_histogram x;
    if (!histogram_open(arena, a, &x))
        return ERR_LIMIT;
    int code = add_to(arena, &x, b, sign, remarks);
    if (code != 0)
        return code;
    *out = histogram_close(arena, &x);
    return *out != NULL ? 0 : ERR_LIMIT;
}

/* Hints are in conflict even if a gauge or something unknown came between them. */
static void note_hint(struct histogram_total *t, enum histogram_hint hint, struct histogram_remarks *remarks)
{
    t->reset |= hint == HINT_RESET;
    t->not_reset |= hint == HINT_NOT_RESET;
    remarks->conflict |= t->reset && t->not_reset;
}

int histogram_total_add(struct arena *arena, struct histogram_total **total, const struct histogram *h,
                        struct histogram_remarks *remarks)
{
    int code = 0;
    if (*total != NULL) {
        code = add_to(arena, &(*total)->sum, h, 1, remarks);
    } else {
        *total = ARENA_NEW(arena, struct histogram_total);
        code = *total != NULL && histogram_open(arena, h, &(*total)->sum) ? 0 : ERR_LIMIT;
    }
    if (code == 0)
        note_hint(*total, h->hint, remarks);
    return code;
}

const struct histogram *histogram_total_finish(struct arena *arena, const struct histogram_total *total)
{
    return histogram_close(arena, &total->sum);
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
