#include "tocsin/gotext.h"
#include "tocsin/histogram.h"

static void print_bucket(struct buf *out, char open, double lower, double upper, char close, double count)
{
    buf_format(out, ", %c", open);
    go_float(out, lower, 'g', -1);
    buf_char(out, ',');
    go_float(out, upper, 'g', -1);
    buf_format(out, "%c:", close);
    go_float(out, count, 'g', -1);
}

static void print_positive(struct buf *out, const struct histogram *h, int32_t index, double count)
{
    bool custom = h->schema == HISTOGRAM_CUSTOM;
    print_bucket(out, custom && index == 0 ? '[' : '(', histogram_lower_bound(h, index),
                 histogram_upper_bound(h, index), ']', count);
}

static void print_negative(struct buf *out, const struct histogram *h, int32_t index, double count)
{
    print_bucket(out, '[', -histogram_upper_bound(h, index), -histogram_lower_bound(h, index), ')', count);
}

/* To the bucket before the one reached; false at the first. */
static bool step_back(struct histogram_walk *w)
{
    if (w->bucket == 0)
        return false;
    w->index--;
    while (w->in_span == 0) {
        w->index -= w->side->spans[w->span].offset;
        w->in_span = w->side->spans[--w->span].length;
    }
    w->in_span--;
    w->count = w->side->buckets[--w->bucket];
    return true;
}

/* Ascending means that the negative side is told from its end. */
static void print_negatives(struct buf *out, const struct histogram *h)
{
    struct histogram_walk w = {.side = &h->negative}, ahead = w;
    while (histogram_next(&ahead))
        w = ahead;
    if (!w.started)
        return;
    do {
        if (w.count != 0)
            print_negative(out, h, w.index, w.count);
    } while (step_back(&w));
}

void histogram_print(struct buf *out, const struct histogram *h)
{
    buf_puts(out, "{count:");
    go_float(out, h->count, 'g', -1);
    buf_puts(out, ", sum:");
    go_float(out, h->sum, 'g', -1);
    print_negatives(out, h);
    if (h->zero_count != 0)
        print_bucket(out, '[', -h->zero_threshold, h->zero_threshold, ']', h->zero_count);
    for (struct histogram_walk w = {.side = &h->positive}; histogram_next(&w);)
        if (w.count != 0)
            print_positive(out, h, w.index, w.count);
    buf_char(out, '}');
}

/* ---- the test language's form ------------------------------------------------------------------------- */

static void begin(struct buf *out, size_t start, const char *key)
{
    buf_format(out, "%s%s:", out->used > start ? " " : "", key);
}

static void print_number(struct buf *out, size_t start, const char *key, double v)
{
    if (v == 0)
        return;
    begin(out, start, key);
    go_float(out, v, 'g', -1);
}

static void print_bounds(struct buf *out, size_t start, const struct histogram *h)
{
    begin(out, start, "custom_values");
    buf_char(out, '[');
    for (size_t i = 0; i < h->custom_count; i++) {
        if (i > 0)
            buf_char(out, ' ');
        go_float(out, h->custom_bounds[i], 'g', -1);
    }
    buf_char(out, ']');
}

/* The language knows one span, so gaps become zeros, and empty buckets at both ends go. */
static void print_side(struct buf *out, size_t start, const struct histogram_side *side, const char *buckets,
                       const char *offset)
{
    int64_t end = 0;
    bool first = true;
    for (struct histogram_walk w = {.side = side}; histogram_next(&w);) {
        if (w.count == 0)
            continue;
        if (first && w.index != 0) {
            begin(out, start, offset);
            buf_i64(out, w.index);
        }
        if (first) {
            begin(out, start, buckets);
            buf_char(out, '[');
            end = w.index;
        }
        for (; end < w.index && !buf_overflow(out); end++)
            buf_puts(out, "0 ");
        go_float(out, w.count, 'g', -1);
        buf_char(out, ' ');
        end = (int64_t)w.index + 1;
        first = false;
    }
    if (first)
        return;
    buf_truncate(out, out->used - 1);
    buf_char(out, ']');
}

void histogram_print_test(struct buf *out, const struct histogram *h)
{
    static const char *const hints[] = {"unknown", "reset", "not_reset", "gauge"};
    buf_puts(out, "{{");
    size_t start = out->used;
    if (h->schema != 0)
        buf_format(out, "schema:%d", h->schema);
    print_number(out, start, "count", h->count);
    print_number(out, start, "sum", h->sum);
    print_number(out, start, "z_bucket", h->zero_count);
    print_number(out, start, "z_bucket_w", h->zero_threshold);
    if (h->schema == HISTOGRAM_CUSTOM)
        print_bounds(out, start, h);
    if (h->hint != HINT_UNKNOWN) {
        begin(out, start, "counter_reset_hint");
        buf_puts(out, hints[h->hint]);
    }
    print_side(out, start, &h->positive, "buckets", "offset");
    print_side(out, start, &h->negative, "n_buckets", "n_offset");
    buf_puts(out, "}}");
}
