/*
 * Open blocks: which kind a sample needs, and that rings give back what was put, to the bit, while their blocks change from kind
 * to kind and are sealed. BLOCK_TEST_SEED in the environment makes other histories.
 */
#include "../../engine/store/ring_priv.h"
#include "account_help.h"
#include "random_help.h"
#include "tocsin/sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { HISTORIES = 4000, SAMPLES_MAX = 300 };

/* ---- kinds ---- */

static const double FAR = 0x1p31; /* one more than fits beside a base of 0 */

static struct sample at(int64_t t_ms, double value)
{
    return (struct sample){.t_ms = t_ms, .value = value};
}

/* The kind that `second` asks of a block that begins with `first`. */
static enum block_kind kind_of(struct sample first, struct sample second)
{
    struct counted c;
    counted_open(&c);
    struct block *b = block_make(&c.account, BLOCK_SAMPLES_MIN, block_kind_for(NULL, &first));
    assert_true(block_append(b, &first));
    enum block_kind kind = block_kind_for(b, &second);
    assert_int_equal(block_append(b, &second), kind == b->kind);
    block_free(&c.account, b);
    counted_close(&c);
    return kind;
}

static void whole_numbers_near_the_first_take_eight_bytes(void **state)
{
    (void)state;
    struct sample zero = at(1000, 0), start = {.t_ms = 1000, .start_ms = 7};
    assert_int_equal(block_bytes(11, BLOCK_WHOLE) - block_bytes(10, BLOCK_WHOLE), 8);
    assert_int_equal(kind_of(zero, at(2000, FAR - 1)), BLOCK_WHOLE);
    assert_int_equal(kind_of(zero, at(2000, -FAR)), BLOCK_WHOLE);
    assert_int_equal(kind_of(at(1000, 0x1p51), at(2000, 0x1p51 + 1)), BLOCK_WHOLE);
    assert_int_equal(kind_of(zero, at(INT64_C(1000) + INT32_MAX, 1)), BLOCK_WHOLE);
    assert_int_equal(kind_of(start, (struct sample){.t_ms = 2000, .start_ms = 7}), BLOCK_WHOLE);
}

static void other_numbers_are_kept_as_floats(void **state)
{
    (void)state;
    struct sample zero = at(1000, 0);
    const double odd[] = {0.5, -0.0, FAR, -FAR - 1, 0x1p52, INFINITY, -INFINITY, NAN, stale_nan()};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        assert_int_equal(kind_of(zero, at(2000, odd[i])), BLOCK_POINTS);
        assert_int_equal(kind_of(at(1000, 0.5), at(2000, odd[i])), BLOCK_POINTS);
    }
    assert_int_equal(kind_of(zero, at(1001 + (int64_t)INT32_MAX, 1)), BLOCK_POINTS);
    assert_int_equal(kind_of(at(INT64_MIN, 1), at(INT64_MAX, 1)), BLOCK_POINTS);
}

static void a_start_time_of_its_own_needs_the_widest_floats(void **state)
{
    (void)state;
    struct sample start = {.t_ms = 2000, .start_ms = 7, .value = 1};
    assert_int_equal(kind_of(at(1000, 0), start), BLOCK_STARTS);
    assert_int_equal(kind_of(at(1000, 0.5), start), BLOCK_STARTS);
}

/* ---- histories ---- */

struct history {
    uint64_t random;
    struct counted counted;
    struct ring ring;
    struct sample item[SAMPLES_MAX]; /* in time order */
    size_t count;
};

static uint64_t below(struct history *h, uint64_t n)
{
    return random_below(&h->random, n);
}

static double any_value(struct history *h, unsigned oddity)
{
    const double odd[] = {0.25, -0.0, FAR, -FAR, -FAR - 1, 0x1p52, 1e300, -INFINITY, stale_nan()};
    if (below(h, 64) < oddity)
        return odd[below(h, sizeof odd / sizeof odd[0])];
    return (double)below(h, 1000) - 300;
}

/* Mostly behind the newest, a little late now and then, and once in a while far from it. */
static int64_t any_time(struct history *h)
{
    int64_t newest_ms = h->count > 0 ? h->item[h->count - 1].t_ms : 1000;
    if (below(h, 8) == 0)
        return newest_ms - (int64_t)below(h, 300000);
    return newest_ms + 15000 + (below(h, 200) == 0 ? INT64_C(1) << 32 : 0);
}

static void model_put(struct history *h, const struct sample *s)
{
    size_t i = h->count++;
    for (; i > 0 && h->item[i - 1].t_ms > s->t_ms; i--)
        h->item[i] = h->item[i - 1];
    h->item[i] = *s;
}

static void assert_there(const struct history *h)
{
    struct arena arena;
    struct sample *samples;
    size_t count;
    arena_init(&arena, SIZE_MAX);
    assert_int_equal(ring_read(&h->ring, INT64_MIN, INT64_MAX, &arena, &samples, &count), 0);
    assert_int_equal(count, h->count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(samples[i].t_ms, h->item[i].t_ms);
        assert_int_equal(samples[i].start_ms, h->item[i].start_ms);
        assert_int_equal(double_bits(samples[i].value), double_bits(h->item[i].value));
    }
    arena_release(&arena);
}

static void play(struct history *h)
{
    unsigned oddity = (unsigned)below(h, 3) * 3;
    bool started = below(h, 4) == 0;
    size_t wanted = below(h, SAMPLES_MAX);
    while (h->count < wanted) {
        struct sample s = {.t_ms = any_time(h), .value = any_value(h, oddity)};
        s.start_ms = started ? 500 + (int64_t)(below(h, 100) == 0) : 0;
        if (ring_append(&h->ring, &s, &h->counted.account) == RING_TAKEN)
            model_put(h, &s);
    }
    assert_there(h);
}

static void a_ring_gives_back_whatever_was_put(void **state)
{
    (void)state;
    const char *seed = getenv("BLOCK_TEST_SEED");
    static struct history h;
    counted_open(&h.counted);
    h.random = seed != NULL ? strtoull(seed, NULL, 10) | 1 : 88172645463325252u;
    for (int i = 0; i < HISTORIES; i++) {
        h.count = 0;
        play(&h);
        ring_clear(&h.ring, &h.counted.account);
        h.ring = (struct ring){0};
        assert_int_equal(counted_bytes(&h.counted), 0);
    }
    counted_close(&h.counted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_near_the_first_take_eight_bytes),
        cmocka_unit_test(other_numbers_are_kept_as_floats),
        cmocka_unit_test(a_start_time_of_its_own_needs_the_widest_floats),
        cmocka_unit_test(a_ring_gives_back_whatever_was_put),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
