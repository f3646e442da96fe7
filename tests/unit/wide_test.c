/*
 * Rings with histograms against an array of them: random histories of several kinds, in order and late, with floats
 * among them. WIDE_TEST_SEED in the environment makes others.
 */
#include "../../engine/store/box_priv.h"
#include "../../engine/store/spine_priv.h"
#include "account_help.h"
#include "random_help.h"
#include "tocsin/err.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SAMPLES = 700, BUCKETS = 12, HISTORIES = 60, PARTS = 200 };

struct history {
    uint64_t random;
    struct arena arena; /* of the model's histograms */
    struct counted counted;
    struct ring ring;
    struct sample item[SAMPLES]; /* in time order */
    size_t count;
    unsigned kind;
    struct histogram now; /* what comes next; grows */
};

static uint64_t below(struct history *h, uint64_t n)
{
    return random_below(&h->random, n);
}

/* ---- what comes next ---- */

static void lay_side(struct history *h, struct histogram_side *side, size_t buckets)
{
    side->bucket_count = buckets;
    side->span_count = buckets > 0 ? 1 + below(h, 2) : 0;
    side->buckets = ARENA_ARRAY(&h->arena, double, buckets);
    side->spans = ARENA_ARRAY(&h->arena, struct histogram_span, side->span_count);
    for (size_t i = 0; i < side->span_count; i++)
        side->spans[i] =
            (struct histogram_span){(int32_t)below(h, 9) - 4, (uint32_t)(buckets / side->span_count)};
}

static void lay_out(struct history *h)
{
    bool custom = h->kind == 2;
    h->now = (struct histogram){.schema = custom ? HISTOGRAM_CUSTOM : (int32_t)below(h, 8)};
    h->now.zero_threshold = custom ? 0 : 2.938735877055719e-39;
    h->now.custom_count = custom ? 5 : 0;
    h->now.custom_bounds = ARENA_ARRAY(&h->arena, double, h->now.custom_count);
    for (size_t i = 0; i < h->now.custom_count; i++)
        h->now.custom_bounds[i] = (double)(i + 1) / 8;
    lay_side(h, &h->now.positive, 1 + below(h, BUCKETS));
    lay_side(h, &h->now.negative, custom ? 0 : below(h, 4));
}

/* Whole counts, fractions, custom bounds, or gauges. */
static double grown(struct history *h, double v)
{
    if (below(h, 3) == 0)
        return v;
    switch (h->kind) {
    case 1:
        return v + (double)below(h, 1 << 20) / 777;
    case 3:
        return (double)below(h, 100);
    default:
        return v + (double)below(h, 30);
    }
}

static void grow_side(struct history *h, struct histogram_side *side)
{
    side->buckets = arena_copy(&h->arena, side->buckets, side->bucket_count, sizeof *side->buckets);
    for (size_t i = 0; i < side->bucket_count; i++) {
        side->buckets[i] = grown(h, side->buckets[i]);
        h->now.count += side->buckets[i];
    }
}

static double odd_sum(struct history *h)
{
    static const uint64_t bits[] = {STALE_NAN_BITS, NORMAL_NAN_BITS, 0xfff8000000000042, UINT64_C(1) << 63};
    return double_from_bits(bits[below(h, 4)]);
}

static const struct histogram *next_histogram(struct history *h)
{
    static const enum histogram_hint hints[] = {HINT_UNKNOWN, HINT_UNKNOWN, HINT_RESET, HINT_NOT_RESET};
    if (h->now.positive.buckets == NULL || below(h, 90) == 0)
        lay_out(h);
    h->now.hint = h->kind == 3 ? HINT_GAUGE : hints[below(h, 4)];
    h->now.zero_count = h->now.count = grown(h, h->now.zero_count);
    grow_side(h, &h->now.positive);
    grow_side(h, &h->now.negative);
    h->now.sum += (double)below(h, 1 << 30) / 12345;
    struct histogram *made = arena_copy(&h->arena, &h->now, 1, sizeof h->now);
    if (below(h, 40) == 0)
        made->sum = odd_sum(h);
    return made;
}

static struct sample next_sample(struct history *h, int64_t t_ms)
{
    struct sample s = {.t_ms = t_ms, .start_ms = h->kind == 0 ? 1000 : below(h, 20) == 0 ? t_ms - 7 : 0};
    if (below(h, 25) == 0)
        s.value = below(h, 2) == 0 ? stale_nan() : (double)below(h, 9);
    else
        s.histogram = next_histogram(h);
    return s;
}

/* ---- the model ---- */

static size_t place_of(const struct history *h, int64_t t_ms)
{
    size_t n = h->count;
    while (n > 0 && h->item[n - 1].t_ms >= t_ms)
        n--;
    return n;
}

static void hint_at(struct history *h, size_t i, enum histogram_hint hint)
{
    struct histogram *copy = arena_copy(&h->arena, h->item[i].histogram, 1, sizeof *copy);
    copy->hint = hint;
    h->item[i].histogram = copy;
}

static void insert(struct history *h, const struct sample *s)
{
    size_t i = place_of(h, s->t_ms);
    memmove(h->item + i + 1, h->item + i, (h->count - i) * sizeof *s);
    h->item[i] = *s;
    h->count++;
    if (s->histogram != NULL)
        hint_at(h, i, histogram_stored_hint(i > 0 ? h->item[i - 1].histogram : NULL, s->histogram));
    const struct histogram *after = i + 1 < h->count ? h->item[i + 1].histogram : NULL;
    if (after != NULL && after->hint == HINT_NOT_RESET)
        hint_at(h, i + 1, HINT_UNKNOWN);
}

static bool same(const struct sample *a, const struct sample *b)
{
    if (a->t_ms != b->t_ms || a->start_ms != b->start_ms || (a->histogram == NULL) != (b->histogram == NULL))
        return false;
    if (a->histogram == NULL)
        return double_bits(a->value) == double_bits(b->value);
    return box_equal(a->histogram, b->histogram) && a->histogram->hint == b->histogram->hint;
}

/* ---- the course of a history ---- */

static void push(struct history *h, const struct sample *s)
{
    assert_int_equal(ring_append(&h->ring, s, &h->counted.account), RING_TAKEN);
    insert(h, s);
}

static void push_again(struct history *h)
{
    struct sample s = h->item[below(h, h->count)];
    assert_int_equal(ring_append(&h->ring, &s, &h->counted.account), RING_SAME);
    s.value += 1;
    s.histogram = s.histogram == NULL ? &h->now : NULL;
    if (h->now.positive.buckets != NULL)
        assert_int_equal(ring_append(&h->ring, &s, &h->counted.account), RING_CONFLICT);
}

static void run(struct history *h)
{
    bool disorder = below(h, 2) == 0;
    int64_t t_ms = 100000;
    size_t count = 1 + below(h, SAMPLES - 1);
    while (h->count < count) {
        t_ms += below(h, 10) == 0 ? 1 + (int64_t)below(h, 90000) : 15000;
        bool late = disorder && h->count > 0 && below(h, 5) == 0;
        int64_t at_ms = late ? h->item[below(h, h->count)].t_ms + (int64_t)below(h, 9) - 4 : t_ms;
        size_t i = place_of(h, at_ms);
        if (i < h->count && h->item[i].t_ms == at_ms)
            continue;
        struct sample s = next_sample(h, at_ms);
        push(h, &s);
        if (below(h, 10) == 0)
            push_again(h);
    }
}

static void check_part(struct history *h, int64_t after_ms, int64_t upto_ms)
{
    struct arena arena;
    struct sample *out, last;
    size_t count, from = place_of(h, after_ms + 1), to = place_of(h, upto_ms + 1);
    arena_init(&arena, 64 << 20);
    assert_int_equal(ring_read(&h->ring, after_ms, upto_ms, &arena, &out, &count), 0);
    assert_int_equal(count, to > from ? to - from : 0);
    for (size_t i = 0; i < count; i++)
        assert_true(same(&out[i], &h->item[from + i]));
    assert_int_equal(ring_last(&h->ring, after_ms, upto_ms, &arena, &last), count > 0);
    if (count > 0)
        assert_true(same(&last, &h->item[to - 1]));
    arena_release(&arena);
}

static void check(struct history *h)
{
    check_part(h, 0, INT64_MAX - 1);
    for (int i = 0; i < PARTS; i++) {
        int64_t after_ms = h->item[below(h, h->count)].t_ms - (int64_t)below(h, 2);
        check_part(h, after_ms, h->item[below(h, h->count)].t_ms - (int64_t)below(h, 2));
    }
}

static void rings_of_histograms_are_what_went_in(void **state)
{
    (void)state;
    const char *seed = getenv("WIDE_TEST_SEED");
    static struct history h;
    uint64_t random = (seed != NULL ? strtoull(seed, NULL, 10) : 1) * 0x9E3779B97F4A7C15 + 1;
    for (unsigned i = 0; i < HISTORIES; i++) {
        h = (struct history){.random = random, .kind = i % 4};
        arena_init(&h.arena, 256 << 20);
        counted_open(&h.counted);
        run(&h);
        check(&h);
        size_t held = h.count;
        assert_int_equal(ring_clear(&h.ring, &h.counted.account), held);
        assert_int_equal(counted_bytes(&h.counted), 0);
        counted_close(&h.counted);
        random = h.random;
        arena_release(&h.arena);
    }
}

static void many_alike_take_few_bytes(void **state)
{
    (void)state;
    struct counted c;
    struct ring ring = {0};
    double buckets[20] = {0};
    struct histogram_span span = {0, 20};
    struct histogram now = {.schema = 3, .positive = {&span, 1, buckets, 20}};
    counted_open(&c);
    for (int i = 0; i < 6400; i++) {
        buckets[i % 7] += 5;
        now.count += 5;
        struct sample s = {.t_ms = 1000 + i * 15000, .histogram = &now};
        assert_int_equal(ring_append(&ring, &s, &c.account), RING_TAKEN);
    }
    assert_in_range(counted_bytes(&c), 6400, 6400 * 8); /* of 340 */
    ring_clear(&ring, &c.account);
    assert_int_equal(counted_bytes(&c), 0);
    counted_close(&c);
}

static void an_arena_that_is_full_is_told(void **state)
{
    (void)state;
    struct counted c;
    struct ring ring = {0};
    struct arena arena;
    struct sample *out, last;
    size_t count;
    double buckets[20] = {0};
    struct histogram_span span = {0, 20};
    struct histogram now = {.schema = 3, .positive = {&span, 1, buckets, 20}};
    counted_open(&c);
    for (int i = 0; i < 100; i++) {
        struct sample s = {.t_ms = 1000 + i, .histogram = &now};
        assert_int_equal(ring_append(&ring, &s, &c.account), RING_TAKEN);
    }
    for (size_t cap = 1; cap < 20000; cap += 555) {
        arena_init(&arena, cap);
        assert_int_equal(ring_read(&ring, 0, 1090, &arena, &out, &count), ERR_LIMIT);
        arena_release(&arena);
    }
    arena_init(&arena, 1);
    assert_int_equal(ring_last(&ring, 0, 1050, &arena, &last), ERR_LIMIT);
    arena_release(&arena);
    ring_clear(&ring, &c.account);
    counted_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rings_of_histograms_are_what_went_in),
        cmocka_unit_test(many_alike_take_few_bytes),
        cmocka_unit_test(an_arena_that_is_full_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
