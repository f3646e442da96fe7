/* Histograms' test form: what is read and printed reads back as the same histogram. */
#include "tocsin/check.h"
#include "tocsin/histogram.h"
#include "tocsin/sample.h"

static struct histogram *parse(struct arena *arena, struct str text)
{
    struct histogram *h = NULL;
    size_t used = 0;
    bool hint;
    struct err err = {0};
    int rc = histogram_parse(arena, text, &used, &h, &hint, &err);
    must(rc == 0 ? used <= text.n : err.text[0] != '\0');
    return rc == 0 ? h : NULL;
}

static bool has_nan(const struct histogram *h)
{
    bool found = h->sum != h->sum || h->count != h->count || h->zero_count != h->zero_count ||
                 h->zero_threshold != h->zero_threshold;
    for (size_t i = 0; i < h->custom_count; i++)
        found = found || h->custom_bounds[i] != h->custom_bounds[i];
    return found;
}

static void round_trip(struct arena *arena, const struct histogram *h)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    histogram_print_test(&b, h);
    const struct histogram *again = parse(arena, buf_slice(&b));
    must(again != NULL && again->hint == h->hint);
    const struct histogram *one = histogram_compact(arena, h), *two = histogram_compact(arena, again);
    must(has_nan(h) || h->sum == again->sum);
    must(one->positive.bucket_count == two->positive.bucket_count);
    must(one->negative.span_count == two->negative.span_count);
    buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct buf b;
    if (size > 1000)
        return 0;
    arena_init(&arena, 1 << 20);
    buf_init(&b, 1 << 20);
    const struct histogram *h = parse(&arena, (struct str){(const char *)data, size});
    if (h != NULL) {
        if (h->schema == HISTOGRAM_CUSTOM || (h->schema >= -4 && h->schema <= 8))
            histogram_print(&b, h);
        const struct histogram *copy = histogram_copy(&arena, h);
        must(copy != NULL && histogram_equal(copy, h));
        round_trip(&arena, h);
    }
    buf_release(&b);
    arena_release(&arena);
    return 0;
}
