/*
 * What parts of a stretch come to by its prefixes, against going through their samples: whatever the values are and
 * however the stretch came to be. SEALED_TEST_SEED in the environment makes other histories.
 */
#include "../../engine/store/reach_priv.h"
#include "../../engine/store/sealed_prefix_priv.h"
#include "random_help.h"
#include "tocsin/sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { HISTORIES = 1500, EACH = SEALED_SAMPLES_MAX, PARTS = 60 };

struct history {
    uint64_t random;
    unsigned shape;
    struct account account;
    struct sealed sealed;
    struct point points[EACH];
    size_t count;
};

static uint64_t below(struct history *h, uint64_t n)
{
    return random_below(&h->random, n);
}

/* ---- shapes: what comes after v; they are whole but for the last three ---- */

static double constant(struct history *h, double v)
{
    (void)h;
    return v;
}

static double quiet(struct history *h, double v)
{
    return v + (below(h, 20) == 0);
}

static double counter(struct history *h, double v)
{
    return v + 600 + (double)below(h, 600);
}

static double bursts(struct history *h, double v)
{
    return v + (double)below(h, below(h, 30) == 0 ? 100000 : 3);
}

static double pages(struct history *h, double v)
{
    return v + 4096 * ((double)below(h, 60) - 30);
}

static double falling(struct history *h, double v)
{
    return v - (double)below(h, 4);
}

/* Seldom falls and mostly stays, so that what stands for no change is patched in, too. */
static double steps_down(struct history *h, double v)
{
    return below(h, 9) == 0 ? v - 1000 : below(h, 3) == 0 ? v : v - 998 - (double)below(h, 2);
}

static double vast(struct history *h, double v)
{
    return below(h, 2) == 0 ? 0 - v : 0x1p50 - (double)below(h, 1000000);
}

static double zeros(struct history *h, double v)
{
    (void)v;
    return below(h, 3) == 0 ? -0. : (double)below(h, 2);
}

static double decimals(struct history *h, double v)
{
    return floor(v * 100 + .5 + (double)below(h, 3)) / 100;
}

static double beyond(struct history *h, double v)
{
    (void)v;
    return 0x1p55 + 256 * (double)below(h, 2);
}

static double odd(struct history *h, double v)
{
    static const double values[] = {0, 1, .3, (double)NAN, (double)INFINITY, -0.};
    return below(h, 30) == 0 ? values[below(h, 6)] : v;
}

typedef double next_fn(struct history *h, double v);
static next_fn *const shapes[] = {constant,   quiet, counter, bursts,   pages,  falling,
                                  steps_down, vast,  zeros,   decimals, beyond, odd};
enum { SHAPES = sizeof shapes / sizeof *shapes, WHOLE_SHAPES = SHAPES - 3 };

/* ---- what is asked ---- */

static void sum_up(const struct history *h, size_t from, size_t to, int64_t *sum, uint32_t *changes)
{
    *sum = 0;
    *changes = 0;
    for (size_t i = from; i < to; i++) {
        double v = h->points[i].value;
        *sum += fabs(v) < 0x1p53 ? (int64_t)v : 0;
        if (i > from && v != h->points[i - 1].value && !(isnan(v) && isnan(h->points[i - 1].value)))
            ++*changes;
    }
}

/* As windows have it: the ends of the stretch are not looked for. */
static void find(const struct history *h, size_t i, enum window_wish wish, bool end, struct sealed_place *p)
{
    *p = (struct sealed_place){.index = i, .found.point = h->points[i]};
    if (!end)
        sealed_upto(&h->sealed, h->points[i].t_ms, wish, p);
}

static void assert_part(struct history *h, size_t from, size_t to, size_t *told)
{
    struct sealed_place first, last;
    int64_t sum, want;
    uint32_t changes;
    enum window_wish wish = below(h, 4) > 0 ? WINDOW_SUM : WINDOW_CHANGES;
    bool ends = below(h, 2) == 0;
    find(h, from, wish, ends && from == 0, &first);
    find(h, to - 1, wish, ends && to == h->count, &last);
    sum_up(h, from, to, &want, &changes);
    assert_int_equal(sealed_prefix_changes(&h->sealed, &first, &last), changes);
    bool tells = sealed_prefix_sum(&h->sealed, &first, &last, &sum);
    assert_true(tells || h->shape >= WHOLE_SHAPES);
    if (tells)
        assert_true(sum == want);
    *told += tells;
}

static void assert_tells(struct history *h, size_t *told)
{
    if ((h->sealed.aside & SEALED_PREFIX) == 0)
        return;
    assert_part(h, 0, h->count, told);
    for (size_t i = 0; i < PARTS; i++) {
        size_t from = below(h, h->count), most = h->count - from;
        size_t some = below(h, 3) == 0 && most > 150 ? 150 : most;
        assert_part(h, from, from + 1 + below(h, some), told);
        assert_part(h, from / 64 * 64, h->count - below(h, h->count - from / 64 * 64), told);
    }
}

/* ---- how it came to be ---- */

/* A spine of many sees to it that they are there. */
static void grow(struct history *h, bool stale)
{
    size_t from = h->count, count = 1 + below(h, 64 * 3);
    double v = from > 0 ? h->points[from - 1].value : (double)below(h, 1000);
    count = count < EACH - from ? count : EACH - from;
    for (; h->count < from + count; h->count++) {
        v = shapes[h->shape](h, v);
        double marked = stale && below(h, 100) == 0 ? stale_nan() : v;
        h->points[h->count] = (struct point){1000 + 15000 * (int64_t)h->count, marked};
    }
    sealed_append(&h->account, &h->sealed, h->points + from, NULL, count);
    assert_int_equal(h->account.bytes, sealed_held(&h->sealed));
    sealed_prefix_make(&h->account, &h->sealed);
    assert_int_equal(h->account.bytes, sealed_held(&h->sealed));
}

/* What has grown is, to the byte, what is made of all samples at once. */
static void assert_same_anew(struct history *h)
{
    struct sealed again;
    char *bytes = malloc(sealed_save_bytes_max(&h->sealed));
    assert_non_null(bytes);
    size_t n = sealed_save(&h->sealed, bytes);
    assert_int_equal(sealed_load(&h->account, (struct str){bytes, n}, &again), 0);
    free(bytes);
    assert_int_equal(again.aside & SEALED_PREFIX, 0);
    sealed_prefix_make(&h->account, &again);
    assert_int_equal(again.aside & SEALED_PREFIX, h->sealed.aside & SEALED_PREFIX);
    if ((again.aside & SEALED_PREFIX) != 0) {
        size_t held = sealed_prefix_bytes(&again);
        assert_int_equal(held, sealed_prefix_bytes(&h->sealed));
        assert_memory_equal(sealed_prefix_at(&again), sealed_prefix_at(&h->sealed), held);
        assert_true(held <= SEALED_PREFIX_MAX);
    }
    sealed_free(&h->account, &again);
}

static void cut(struct history *h)
{
    h->count = sealed_cut(&h->account, &h->sealed, below(h, h->count), h->points);
    assert_int_equal(h->account.bytes, sealed_held(&h->sealed));
    assert_int_equal(h->sealed.aside & SEALED_PREFIX, 0);
    if (h->count > 0)
        sealed_prefix_make(&h->account, &h->sealed);
}

static void every_part_is_told(void **state)
{
    (void)state;
    const char *seed = getenv("SEALED_TEST_SEED");
    static struct history h;
    size_t told[SHAPES] = {0};
    h.random = seed != NULL ? strtoull(seed, NULL, 10) | 1 : 20260117;
    for (size_t i = 0; i < HISTORIES; i++) {
        uint64_t random = h.random;
        h = (struct history){.random = random, .shape = (unsigned)(i % SHAPES)};
        bool stale = below(&h, 8) == 0;
        for (size_t more = 1 + below(&h, 16); more > 0 && h.count < EACH; more--) {
            grow(&h, stale && more == 1);
            assert_tells(&h, &told[h.shape]);
            if (below(&h, 9) == 0)
                cut(&h);
        }
        assert_tells(&h, &told[h.shape]);
        if (h.count > 0)
            assert_same_anew(&h);
        sealed_free(&h.account, &h.sealed);
        assert_int_equal(h.account.bytes, 0);
    }
    for (size_t i = 0; i < WHOLE_SHAPES; i++)
        assert_true(told[i] > 0);
}

/* ---- which of some stretches has the least and the greatest value ---- */

static void assert_same_bounds(const struct window_summary *a, const struct window_summary *b)
{
    assert_true(double_bits(a->min) == double_bits(b->min) && double_bits(a->max) == double_bits(b->max));
}

static void assert_reaches(const struct reach *reach, const struct sealed *item, size_t count, size_t i)
{
    const struct window_summary none = {.min = (double)NAN, .max = (double)NAN};
    struct window_summary upto = none, from = none, told_upto = none, told_from = none;
    for (size_t k = 0; k < count; k++) {
        struct window_summary in;
        sealed_summary(&item[k], WINDOW_BOUNDS, &in);
        if (k <= i)
            summary_widen(&upto, in.min, in.max);
        if (k >= i)
            summary_widen(&from, in.min, in.max);
    }
    reach_widen_upto(reach, item, i, &told_upto);
    reach_widen_from(reach, item, i, &told_from);
    assert_same_bounds(&told_upto, &upto);
    assert_same_bounds(&told_from, &from);
}

static void every_reach_is_told(void **state)
{
    (void)state;
    static const double values[] = {0, -0., 1, -1, 2, (double)NAN, (double)INFINITY, .5};
    uint64_t random = 7;
    struct account account = {0};
    for (size_t round = 0; round < 2000; round++) {
        struct sealed item[REACH_ITEMS];
        struct reach reach[REACH_ITEMS];
        size_t count = 1 + random_below(&random, REACH_ITEMS);
        for (size_t i = 0; i < count; i++) {
            struct point p[2] = {{1, values[random_below(&random, 8)]},
                                 {2, values[random_below(&random, 8)]}};
            item[i] = (struct sealed){0};
            sealed_append(&account, &item[i], p, NULL, 2);
        }
        reach_make(reach, item, count);
        for (size_t i = 0; i < count; i++)
            assert_reaches(reach, item, count, i);
        for (size_t i = 0; i < count; i++)
            sealed_free(&account, &item[i]);
    }
    assert_int_equal(account.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_is_told),
        cmocka_unit_test(every_reach_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
