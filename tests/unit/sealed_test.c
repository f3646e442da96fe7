/*
 * What the item of a stretch keeps of its samples, against the summary of these: whatever they are, and however the
 * stretch came to be. Which stretches need nothing but their item. SEALED_TEST_SEED in the environment makes other
 * histories.
 */
#include "../../engine/store/sealed_priv.h"
#include "random_help.h"
#include "tocsin/sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { HISTORIES = 3000, EACH = SEALED_SAMPLES_MAX };

struct history {
    uint64_t random;
    struct account account;
    struct sealed sealed;
    struct window_summary in; /* what the samples come to */
    struct point points[EACH];
    size_t count;
};

static uint64_t below(struct history *h, uint64_t n)
{
    return random_below(&h->random, n);
}

static void begin(struct history *h)
{
    uint64_t random = h->random;
    *h = (struct history){.random = random};
}

static void end(struct history *h)
{
    sealed_free(&h->account, &h->sealed);
    assert_int_equal(h->account.bytes, 0);
}

static void append(struct history *h, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        h->points[h->count + i] = (struct point){1000 + 15000 * (int64_t)(h->count + i), values[i]};
    sealed_append(&h->account, &h->sealed, h->points + h->count, NULL, count);
    summary_add(&h->in, h->points + h->count, count);
    h->count += count;
}

static bool same(double a, double b)
{
    return double_bits(a) == double_bits(b);
}

static void assert_same(const struct window_summary *a, const struct window_summary *b)
{
    assert_int_equal(a->count, b->count);
    assert_true(a->first_ms == b->first_ms && a->last_ms == b->last_ms);
    assert_true(same(a->first, b->first) && same(a->last, b->last));
    assert_true(same(a->min, b->min) && same(a->max, b->max));
    assert_true(same(a->sum, b->sum) && same(a->rest, b->rest));
    assert_true(a->resets == b->resets && same(a->correction, b->correction) && a->changes == b->changes);
    assert_true(a->has_nan == b->has_nan && a->has_inf == b->has_inf && a->has_huge == b->has_huge);
    assert_true(a->has_starts == b->has_starts && a->whole_resets == b->whole_resets);
}

/* It tells the same, to the bit; and what is counted is what it holds. */
static void assert_remembers(const struct history *h)
{
    struct window_summary kept;
    sealed_summary(&h->sealed, WINDOW_ALL, &kept);
    assert_same(&kept, &h->in);
    assert_int_equal(h->account.bytes, sealed_held(&h->sealed));
}

/* ---- which need what ---- */

static void assert_aside(const double *values, size_t count, unsigned aside, size_t bytes)
{
    struct history h = {0};
    append(&h, values, count);
    assert_remembers(&h);
    assert_int_equal(h.sealed.aside, aside);
    assert_int_equal(sealed_held(&h.sealed), h.sealed.bytes + BITS_SLACK + bytes);
    end(&h);
}

static void what_never_falls_needs_its_item_only(void **state)
{
    (void)state;
    double counter[EACH], constant[EACH];
    for (size_t i = 0; i < EACH; i++) {
        counter[i] = (double)(i * i / 7);
        constant[i] = 1;
    }
    assert_aside(counter, EACH, 0, 0);
    assert_aside(constant, EACH, 0, 0);
    assert_aside((double[]){-3.5, -3.5, 0, 0.25, 1e15}, 5, 0, 0);
    assert_aside((double[]){0, 0, 0}, 3, 0, 0);
    assert_aside((double[]){-0., -0.}, 2, 0, 0);
    assert_aside((double[]){7}, 1, 0, 0);
}

static void others_need_what_tells_them_apart(void **state)
{
    (void)state;
    double stale = stale_nan();
    assert_aside((double[]){.1, .2, .3}, 3, SEALED_LOSS, 8);
    assert_aside((double[]){3, 2, 5}, 3, SEALED_FALLS, 32);
    assert_aside((double[]){.3, .2, .1}, 3, SEALED_LOSS | SEALED_FALLS, 40);
    assert_aside((double[]){1, stale, 2}, 3, SEALED_STALE, 24);
    assert_aside((double[]){stale, 1, 2}, 3, SEALED_STALE, 24);
    assert_aside((double[]){.3, .2, .1, stale}, 4, SEALED_LOSS | SEALED_FALLS | SEALED_STALE, 64);
    assert_aside((double[]){1, (double)INFINITY}, 2, SEALED_FALLS, 32);
    assert_aside((double[]){1, 0x1p1000}, 2, SEALED_FALLS | SEALED_LOSS, 40);
}

/* Zeros are equal, but minimum and maximum are the first that was seen. */
static void zeros_of_both_signs_are_told_apart(void **state)
{
    (void)state;
    assert_aside((double[]){-1, 0, -0.}, 3, SEALED_FALLS, 32);
    assert_aside((double[]){-0., 0}, 2, SEALED_FALLS, 32);
    assert_aside((double[]){0, -0., 1}, 3, 0, 0);
    assert_aside((double[]){-0., 0, 1}, 3, 0, 0);
}

/* ---- how it came to be ---- */

static void a_growing_one_turns_and_is_cut_back(void **state)
{
    (void)state;
    struct history h = {0};
    double values[EACH];
    for (size_t i = 0; i < EACH; i++)
        values[i] = (double)i;
    append(&h, values, 200);
    assert_int_equal(h.sealed.aside, 0);
    append(&h, (double[]){5, stale_nan(), .1}, 3);
    assert_remembers(&h);
    assert_int_equal(h.sealed.aside, SEALED_LOSS | SEALED_FALLS | SEALED_STALE);
    append(&h, values, 400);
    assert_remembers(&h);
    h.count = sealed_cut(&h.account, &h.sealed, 200, h.points);
    assert_int_equal(h.count, 192);
    h.in = (struct window_summary){0};
    summary_add(&h.in, h.points, h.count);
    assert_remembers(&h);
    assert_int_equal(h.sealed.aside, 0);
    append(&h, values + 192, EACH - 192);
    assert_remembers(&h);
    end(&h);
}

/* Only what is wished for is promised; that is the same, and ends and count always are. */
static void assert_less_tells_as_much(const struct history *h)
{
    struct window_summary sum, bounds, resets, ends;
    sealed_summary(&h->sealed, WINDOW_SUM, &sum);
    sealed_summary(&h->sealed, WINDOW_BOUNDS, &bounds);
    sealed_summary(&h->sealed, WINDOW_RESETS, &resets);
    sealed_summary(&h->sealed, (enum window_wish)0, &ends);
    assert_true(same(sum.sum, h->in.sum) && same(sum.rest, h->in.rest));
    assert_true(sum.has_nan == h->in.has_nan && sum.has_inf == h->in.has_inf &&
                sum.has_huge == h->in.has_huge);
    assert_true(same(bounds.min, h->in.min) && same(bounds.max, h->in.max));
    assert_true(resets.resets == h->in.resets && same(resets.correction, h->in.correction) &&
                resets.whole_resets == h->in.whole_resets);
    assert_true(ends.count == h->in.count && ends.first_ms == h->in.first_ms &&
                ends.last_ms == h->in.last_ms && same(ends.first, h->in.first) &&
                same(ends.last, h->in.last));
}

/* What comes: of a thousand so many are odd, as many fall, and so many are stale. */
struct course {
    unsigned kind;
    uint64_t odd, stale;
};

static double next(struct history *h, double v, const struct course *c)
{
    static const double odd[] = {
        0, -0., 1, -1, .1, (double)INFINITY, -(double)INFINITY, (double)NAN, 0x1p1000,
    };
    if (below(h, 1000) < c->odd)
        return odd[below(h, sizeof odd / sizeof *odd)];
    if (!isfinite(v) || below(h, 1000) < c->odd)
        v = 0;
    switch (c->kind) {
    case 0:
        return v;
    case 1:
        return v + (double)below(h, 3);
    case 2:
        return v + (double)below(h, 1000) / 7;
    default:
        return (double)below(h, 5) - 2;
    }
}

/* Stale markers stand between values and are none. */
static void grow(struct history *h, const struct course *c)
{
    double values[64], v = h->in.count > 0 ? h->in.last : -(double)below(h, 3);
    size_t count = 1 + below(h, 64);
    count = count < EACH - h->count ? count : EACH - h->count;
    for (size_t i = 0; i < count; i++) {
        bool stale = below(h, 1000) < c->stale;
        v = stale ? v : next(h, v, c);
        values[i] = stale ? stale_nan() : v;
    }
    append(h, values, count);
}

static void assert_comes_back(struct history *h)
{
    struct sealed again;
    char *bytes = malloc(sealed_save_bytes_max(&h->sealed));
    struct window_summary in = {0};
    assert_non_null(bytes);
    size_t n = sealed_save(&h->sealed, bytes);
    sealed_free(&h->account, &h->sealed);
    assert_int_equal(sealed_load(&h->account, (struct str){bytes, n}, &again), 0);
    free(bytes);
    h->sealed = again;
    summary_add(&in, h->points, h->count); /* the order of additions is another one */
    h->in = in;
}

static void every_history_is_told_to_the_bit(void **state)
{
    (void)state;
    const char *seed = getenv("SEALED_TEST_SEED");
    struct history h = {.random = seed != NULL ? strtoull(seed, NULL, 10) | 1 : 20250917};
    size_t seen[8] = {0};
    for (size_t i = 0; i < HISTORIES; i++) {
        static const uint64_t often[] = {0, 0, 3, 40, 600};
        struct course c = {(unsigned)below(&h, 4), often[below(&h, 5)], often[below(&h, 5)]};
        begin(&h);
        for (size_t more = 1 + below(&h, 12); more > 0 && h.count < EACH; more--) {
            grow(&h, &c);
            assert_remembers(&h);
        }
        assert_less_tells_as_much(&h);
        assert_comes_back(&h);
        assert_remembers(&h);
        seen[h.sealed.aside]++;
        end(&h);
    }
    for (size_t i = 0; i < 8; i++)
        assert_true(seen[i] > 0); /* each mixture has come up */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_never_falls_needs_its_item_only),
        cmocka_unit_test(others_need_what_tells_them_apart),
        cmocka_unit_test(zeros_of_both_signs_are_told_apart),
        cmocka_unit_test(a_growing_one_turns_and_is_cut_back),
        cmocka_unit_test(every_history_is_told_to_the_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
