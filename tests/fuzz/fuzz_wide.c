/*
 * Histograms and floats that the input spells out, packed: any of them comes back to the bit, alone and with the others.
 *
 * A sample is a byte of what it is, then its time and values; a histogram keeps the layout of the one before it until the
 * input gives another.
 */
#include "../../engine/store/box_priv.h"
#include "../../engine/store/wide_priv.h"
#include "tocsin/check.h"
#include "tocsin/err.h"

#include <string.h>

struct input {
    const uint8_t *at;
    size_t left;
};

static uint64_t take(struct input *in, size_t bytes)
{
    uint64_t v = 0;
    size_t n = bytes < in->left ? bytes : in->left;
    memcpy(&v, in->at, n);
    in->at += n;
    in->left -= n;
    return v;
}

/* Whole numbers near the one before, decimals, or any bits. */
static double take_value(struct input *in, double before)
{
    uint64_t how = take(in, 1);
    if (how < 128)
        return before + (double)how - 20;
    if (how < 192)
        return (double)take(in, 2) / 100;
    return how < 224 ? 0 : double_from_bits(take(in, 8));
}

static struct histogram_side take_side(struct input *in, struct arena *arena)
{
    struct histogram_side side = {.span_count = take(in, 1) % 4, .bucket_count = take(in, 1) % 9};
    side.spans = ARENA_ARRAY(arena, struct histogram_span, side.span_count);
    side.buckets = ARENA_ARRAY(arena, double, side.bucket_count);
    for (size_t i = 0; i < side.span_count; i++)
        side.spans[i] = (struct histogram_span){(int32_t)take(in, 4), (uint32_t)take(in, 4)};
    return side;
}

static struct histogram take_layout(struct input *in, struct arena *arena)
{
    struct histogram h = {.schema = (int32_t)take(in, 1) - 60, .custom_count = take(in, 1) % 80};
    h.zero_threshold = double_from_bits(take(in, 8));
    h.custom_bounds = ARENA_ARRAY(arena, double, h.custom_count);
    for (size_t i = 0; i < h.custom_count; i++)
        h.custom_bounds[i] = take_value(in, i > 0 ? h.custom_bounds[i - 1] : 0);
    h.positive = take_side(in, arena);
    h.negative = take_side(in, arena);
    return h;
}

static void fill_side(struct input *in, struct arena *arena, struct histogram_side *side)
{
    side->buckets = arena_copy(arena, side->buckets, side->bucket_count, sizeof *side->buckets);
    for (size_t i = 0; i < side->bucket_count; i++)
        side->buckets[i] = take_value(in, side->buckets[i]);
}

static const struct histogram *take_histogram(struct input *in, struct arena *arena, struct histogram *now)
{
    now->hint = (enum histogram_hint)(take(in, 1) % 4);
    now->count = take_value(in, now->count);
    now->sum = take_value(in, now->sum);
    now->zero_count = take_value(in, now->zero_count);
    fill_side(in, arena, &now->positive);
    fill_side(in, arena, &now->negative);
    return arena_copy(arena, now, 1, sizeof *now);
}

static size_t take_samples(struct input *in, struct arena *arena, struct sample *samples)
{
    struct histogram now = {0};
    size_t n = 0;
    int64_t t_ms = (int64_t)take(in, 6);
    for (; n < WIDE_SAMPLES_MAX && in->left > 0; n++) {
        uint64_t what = take(in, 1);
        t_ms += (what & 1) != 0 ? 15000 : 1 + (int64_t)take(in, 4);
        samples[n] = (struct sample){.t_ms = t_ms, .start_ms = (what & 2) != 0 ? (int64_t)take(in, 6) : 0};
        if ((what & 4) != 0)
            now = take_layout(in, arena);
        if ((what & 8) != 0)
            samples[n].value = take_value(in, 0);
        else
            samples[n].histogram = take_histogram(in, arena, &now);
    }
    return n;
}

static void assert_same(const struct sample *a, const struct sample *b)
{
    must(a->t_ms == b->t_ms && a->start_ms == b->start_ms &&
         (a->histogram == NULL) == (b->histogram == NULL));
    if (a->histogram == NULL)
        must(double_bits(a->value) == double_bits(b->value));
    else
        must(box_equal(a->histogram, b->histogram) && a->histogram->hint == b->histogram->hint);
}

static void assert_comes_back(const uint8_t *packed, const struct sample *samples, size_t count, size_t from,
                              size_t to)
{
    struct arena arena;
    struct sample out[WIDE_SAMPLES_MAX];
    arena_init(&arena, 64 << 20);
    int rc = wide_unpack(packed, samples[0].t_ms, count, from, to, &arena, out);
    must(rc == 0);
    for (size_t i = from; i < to; i++)
        assert_same(&samples[i], &out[i - from]);
    arena_release(&arena);
}

static void assert_limited(const uint8_t *packed, const struct sample *samples, size_t count)
{
    struct arena arena;
    struct sample out[WIDE_SAMPLES_MAX];
    arena_init(&arena, 1);
    int rc = wide_unpack(packed, samples[0].t_ms, count, 0, count, &arena, out);
    must(rc == 0 || rc == ERR_LIMIT);
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct account account = {0};
    struct arena arena;
    struct sample samples[WIDE_SAMPLES_MAX];
    int64_t times[WIDE_SAMPLES_MAX];
    uint32_t bytes;
    arena_init(&arena, 64 << 20);
    size_t count = take_samples(&in, &arena, samples);
    if (count > 0) {
        uint8_t *packed = wide_pack(&account, samples, count, &bytes);
        must(account.bytes == bytes);
        assert_comes_back(packed, samples, count, 0, count);
        assert_comes_back(packed, samples, count, count / 3, count - count / 3);
        assert_limited(packed, samples, count);
        wide_times(packed, samples[0].t_ms, count, times);
        for (size_t i = 0; i < count; i++)
            must(times[i] == samples[i].t_ms);
        account_give(&account, packed, bytes);
    }
    arena_release(&arena);
    return 0;
}
