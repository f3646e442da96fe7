#include "histogram_open_priv.h"

#include "tocsin/sample.h"

#include <math.h>

/* Resets are looked for at every append and in every window, so this walks the buckets where they stand. */

/* ---- exponential buckets ---- */

/* One side at a coarser resolution, from a bound on. */
struct coarse_walk {
    struct histogram_walk fine;
    int32_t by; /* 2^by buckets become one */
    bool more;
    int32_t index; /* of the bucket reached */
    double count;
};

static void coarse_begin(struct coarse_walk *c, const struct histogram *h, const struct histogram_side *side,
                         int32_t by, double from)
{
    *c = (struct coarse_walk){.fine = {.side = side}, .by = by};
    c->more = histogram_next(&c->fine);
    while (from > h->zero_threshold && c->more && histogram_lower_bound(h, c->fine.index) < from)
        c->more = histogram_next(&c->fine);
}

static bool coarse_next(struct coarse_walk *c)
{
    if (!c->more)
        return false;
    c->index = histogram_coarser_index(c->fine.index, c->by);
    c->count = 0;
    for (; c->more && histogram_coarser_index(c->fine.index, c->by) == c->index;
         c->more = histogram_next(&c->fine))
        c->count += c->fine.count;
    return true;
}

/* Is there less in any bucket? One that is gone holds nothing. */
static bool side_falls(struct coarse_walk *before, const struct histogram_side *side)
{
    struct histogram_walk now = {.side = side};
    bool more = histogram_next(&now);
    while (coarse_next(before)) {
        while (more && now.index < before->index)
            more = histogram_next(&now);
        if ((more && now.index == before->index ? now.count : 0) < before->count)
            return true;
    }
    return false;
}

static bool sides_fall(const struct histogram *before, const struct histogram *now)
{
    int32_t by = before->schema - now->schema;
    struct coarse_walk positive, negative;
    coarse_begin(&positive, before, &before->positive, by, now->zero_threshold);
    coarse_begin(&negative, before, &before->negative, by, now->zero_threshold);
    return side_falls(&positive, &now->positive) || side_falls(&negative, &now->negative);
}

/* Adds what lies below the threshold. False if it lies inside a populated bucket. */
static bool swallow(const struct histogram *h, const struct histogram_side *side, double threshold,
                    double *count)
{
    for (struct histogram_walk w = {.side = side}; histogram_next(&w);) {
        if (histogram_lower_bound(h, w.index) >= threshold)
            return true;
        if (w.count != 0 && histogram_upper_bound(h, w.index) > threshold)
            return false;
        *count += w.count;
    }
    return true;
}

static bool exponential_falls(const struct histogram *before, const struct histogram *now)
{
    double threshold = now->zero_threshold, zero = before->zero_count;
    if (now->schema > before->schema || threshold < before->zero_threshold)
        return true;
    if (threshold > before->zero_threshold && !(swallow(before, &before->positive, threshold, &zero) &&
                                                swallow(before, &before->negative, threshold, &zero)))
        return true;
    return now->zero_count < zero || sides_fall(before, now);
}

/* ---- custom buckets ---- */

struct custom_walk {
    const struct histogram *h;
    struct histogram_walk w;
    bool more;
};

static struct custom_walk custom_begin(const struct histogram *h)
{
    struct custom_walk c = {.h = h, .w = {.side = &h->positive}};
    c.more = histogram_next(&c.w);
    return c;
}

/* The sum of the buckets up to the bound, from where the walk stands. */
static double custom_upto(struct custom_walk *c, double bound)
{
    double sum = 0;
    for (; c->more && !(histogram_upper_bound(c->h, c->w.index) > bound); c->more = histogram_next(&c->w))
        sum += c->w.count;
    return sum;
}

/* The next bound that both have; +Inf, which all have, at the end. */
static double common_bound(const struct histogram *a, size_t *i, const struct histogram *b, size_t *j)
{
    while (*i < a->custom_count && *j < b->custom_count) {
        double x = a->custom_bounds[*i], y = b->custom_bounds[*j];
        *i += !(x > y); /* so that NaN gets on */
        *j += !(y > x);
        if (x == y)
            return x;
    }
    return INFINITY;
}

/* Counts between common bounds, because single buckets may mean different things. */
static bool custom_falls(const struct histogram *before, const struct histogram *now)
{
    struct custom_walk x = custom_begin(before), y = custom_begin(now);
    size_t i = 0, j = 0;
    for (;;) {
        double bound = common_bound(before, &i, now, &j);
        if (custom_upto(&y, bound) < custom_upto(&x, bound))
            return true;
        if (bound == (double)INFINITY)
            return false;
    }
}

/* ---- both ---- */

static bool falls(const struct histogram *before, const struct histogram *now)
{
    if (now->count < before->count || histogram_is_custom(before) != histogram_is_custom(now))
        return true;
    return histogram_is_custom(now) ? custom_falls(before, now) : exponential_falls(before, now);
}

bool histogram_is_reset(const struct histogram *before, const struct histogram *now)
{
    if (now->hint == HINT_RESET || now->hint == HINT_NOT_RESET)
        return now->hint == HINT_RESET;
    return falls(before, now);
}

static bool same_layout(const struct histogram *a, const struct histogram *b)
{
    return a->schema == b->schema && a->zero_threshold == b->zero_threshold &&
           (!histogram_is_custom(a) || histogram_same_bounds(a, b));
}

enum histogram_hint histogram_stored_hint(const struct histogram *before, const struct histogram *now)
{
    if (now->hint == HINT_GAUGE)
        return HINT_GAUGE;
    if (before == NULL || is_stale_nan(before->sum) || before->hint == HINT_GAUGE || now->hint == HINT_RESET)
        return HINT_UNKNOWN;
    return same_layout(before, now) && !falls(before, now) ? HINT_NOT_RESET : HINT_UNKNOWN;
}
