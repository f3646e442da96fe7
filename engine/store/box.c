#include "box_priv.h"

#include "tocsin/sample.h"

static size_t side_bytes(const struct histogram_side *side)
{
    return side->bucket_count * sizeof *side->buckets + side->span_count * sizeof *side->spans;
}

size_t box_bytes(const struct histogram *h)
{
    return sizeof *h + h->custom_count * sizeof *h->custom_bounds + side_bytes(&h->positive) +
           side_bytes(&h->negative);
}

/* Copies n bytes to *at and moves *at behind them; NULL for nothing. */
static void *lay(char **at, const void *from, size_t n)
{
    if (n == 0)
        return NULL;
    void *to = *at;
    memcpy(to, from, n);
    *at += n;
    return to;
}

static struct histogram_side lay_side(char **at, const struct histogram_side *side)
{
    struct histogram_side copy = *side;
    copy.buckets = lay(at, side->buckets, side->bucket_count * sizeof *side->buckets);
    copy.spans = lay(at, side->spans, side->span_count * sizeof *side->spans);
    return copy;
}

struct histogram *box_copy(void *memory, const struct histogram *h)
{
    struct histogram *copy = memory;
    char *at = (char *)memory + sizeof *copy;
    *copy = *h;
    copy->custom_bounds = lay(&at, h->custom_bounds, h->custom_count * sizeof *h->custom_bounds);
    copy->positive = lay_side(&at, &h->positive);
    copy->negative = lay_side(&at, &h->negative);
    return copy;
}

static bool same_bytes(const void *a, const void *b, size_t n)
{
    return n == 0 || memcmp(a, b, n) == 0;
}

static bool same_bits(double a, double b)
{
    return double_bits(a) == double_bits(b);
}

static bool same_side(const struct histogram_side *a, const struct histogram_side *b)
{
    return a->span_count == b->span_count && a->bucket_count == b->bucket_count &&
           same_bytes(a->spans, b->spans, a->span_count * sizeof *a->spans);
}

bool box_same_layout(const struct histogram *a, const struct histogram *b)
{
    return a->schema == b->schema && same_bits(a->zero_threshold, b->zero_threshold) &&
           a->custom_count == b->custom_count &&
           same_bytes(a->custom_bounds, b->custom_bounds, a->custom_count * sizeof *a->custom_bounds) &&
           same_side(&a->positive, &b->positive) && same_side(&a->negative, &b->negative);
}

static bool same_buckets(const struct histogram_side *a, const struct histogram_side *b)
{
    return same_bytes(a->buckets, b->buckets, a->bucket_count * sizeof *a->buckets);
}

bool box_equal(const struct histogram *a, const struct histogram *b)
{
    return box_same_layout(a, b) && same_bits(a->count, b->count) && same_bits(a->sum, b->sum) &&
           same_bits(a->zero_count, b->zero_count) && same_buckets(&a->positive, &b->positive) &&
           same_buckets(&a->negative, &b->negative);
}
