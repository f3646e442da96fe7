/* The algebra of histogram.h: sums, multiples, resets. */
#include "tocsin/check.h"
#include "tocsin/histogram.h"
#include "tocsin/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct arena arena;

static struct histogram *parsed(const char *text)
{
    struct histogram *h = NULL;
    struct err err = {0};
    size_t used = 0;
    bool hint = false;
    if (histogram_parse(&arena, str_of(text), &used, &h, &hint, &err) != 0)
        fail_msg("%s", err.text);
    return h;
}

static const char *printed(const struct histogram *h)
{
    static char text[512];
    struct buf b;
    must(h != NULL);
    buf_init(&b, sizeof text - 1);
    histogram_print_test(&b, h);
    snprintf(text, sizeof text, "%s", buf_text(&b));
    buf_release(&b);
    return text;
}

static struct histogram_remarks remarks; /* of the last call of added() */

static const struct histogram *added(const char *a, const char *b, double sign)
{
    const struct histogram *sum = NULL;
    remarks = (struct histogram_remarks){0};
    assert_int_equal(histogram_add(&arena, parsed(a), parsed(b), sign, &sum, &remarks), 0);
    return sum;
}

static bool reset(const char *before, const char *now)
{
    return histogram_is_reset(parsed(before), parsed(now));
}

static enum histogram_hint stored(const char *before, const char *now)
{
    return histogram_stored_hint(before != NULL ? parsed(before) : NULL, parsed(now));
}

/* ---- sums ---- */

static void adds_bucket_by_bucket(void **state)
{
    (void)state;
    const struct histogram *sum =
        added("{{count:6 sum:2 z_bucket:1 z_bucket_w:0.1 offset:-1 buckets:[1 2] n_buckets:[2]}}",
              "{{count:4 sum:3 z_bucket:1 z_bucket_w:0.1 offset:3 buckets:[3]}}", 1);
    assert_string_equal(
        printed(sum),
        "{{count:10 sum:5 z_bucket:2 z_bucket_w:0.1 offset:-1 buckets:[1 2 0 0 3] n_buckets:[2]}}");
    assert_false(remarks.conflict || remarks.reconciled);
}

static void a_difference_drops_what_cancels_out(void **state)
{
    (void)state;
    const struct histogram *rest =
        added("{{count:6 sum:9 buckets:[1 2 3]}}", "{{count:4 sum:4 buckets:[1 0 3]}}", -1);
    assert_string_equal(printed(rest), "{{count:2 sum:5 offset:1 buckets:[2]}}");
    assert_int_equal(rest->positive.bucket_count, 1);
}

static void the_coarser_schema_wins(void **state)
{
    (void)state;
    assert_string_equal(printed(added("{{schema:1 count:4 offset:1 buckets:[1 1 1 1]}}",
                                      "{{schema:0 count:1 offset:1 buckets:[1]}}", 1)),
                        "{{count:5 offset:1 buckets:[3 2]}}");
    assert_string_equal(printed(added("{{schema:0 count:1 offset:-1 buckets:[1]}}",
                                      "{{schema:2 count:1 offset:-4 buckets:[1]}}", 1)),
                        "{{count:2 offset:-1 buckets:[2]}}");
}

static void the_wider_zero_bucket_swallows_and_grows_to_the_end_of_what_it_cuts(void **state)
{
    (void)state;
    /* Schema 0: buckets (1,2], (2,4], (4,8]; a threshold of 3 lies within the second one. */
    assert_string_equal(printed(added("{{count:6 z_bucket:1 z_bucket_w:0.5 offset:1 buckets:[1 1 3]}}",
                                      "{{count:1 z_bucket:1 z_bucket_w:3}}", 1)),
                        "{{count:7 z_bucket:4 z_bucket_w:4 offset:3 buckets:[3]}}");
    assert_string_equal(printed(added("{{z_bucket:1 z_bucket_w:1 n_offset:1 n_buckets:[4]}}",
                                      "{{z_bucket:1 z_bucket_w:2}}", 1)),
                        "{{z_bucket:6 z_bucket_w:2}}");
}

static void a_threshold_that_is_no_number_ends_the_search(void **state)
{
    (void)state;
    const struct histogram *sum =
        added("{{count:1 z_bucket_w:NaN buckets:[1]}}", "{{count:1 z_bucket_w:1 buckets:[1]}}", 1);
    assert_true(sum->count == 2);
}

static void custom_buckets_are_reconciled_to_their_common_bounds(void **state)
{
    (void)state;
    assert_string_equal(printed(added("{{schema:-53 count:10 custom_values:[1 2 5] buckets:[1 2 3 4]}}",
                                      "{{schema:-53 count:6 custom_values:[2 3 5] buckets:[1 2 3]}}", 1)),
                        "{{schema:-53 count:16 custom_values:[2 5] buckets:[4 8 4]}}");
    assert_true(remarks.reconciled);
    added("{{schema:-53 custom_values:[NaN 2]}}", "{{schema:-53 custom_values:[1 2]}}", 1);
    assert_true(remarks.reconciled);
}

static void exponential_and_custom_buckets_do_not_mix(void **state)
{
    (void)state;
    const struct histogram *sum = NULL;
    assert_int_equal(histogram_add(&arena, parsed("{{}}"), parsed("{{schema:-53}}"), 1, &sum, &remarks),
                     HISTOGRAMS_INCOMPATIBLE);
    assert_null(sum);
}

static void hints_join(void **state)
{
    (void)state;
    static const struct {
        enum histogram_hint a, b, joined;
        bool conflict;
    } cases[] = {
        {HINT_RESET, HINT_RESET, HINT_RESET, false},
        {HINT_GAUGE, HINT_RESET, HINT_GAUGE, false},
        {HINT_UNKNOWN, HINT_RESET, HINT_UNKNOWN, false},
        {HINT_NOT_RESET, HINT_GAUGE, HINT_GAUGE, false},
        {HINT_RESET, HINT_NOT_RESET, HINT_UNKNOWN, true},
        {HINT_NOT_RESET, HINT_RESET, HINT_UNKNOWN, true},
        {HINT_UNKNOWN, HINT_GAUGE, HINT_GAUGE, false},
        {HINT_NOT_RESET, HINT_NOT_RESET, HINT_NOT_RESET, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct histogram a = {.hint = cases[i].a}, b = {.hint = cases[i].b};
        const struct histogram *sum;
        remarks = (struct histogram_remarks){0};
        assert_int_equal(histogram_add(&arena, &a, &b, 1, &sum, &remarks), 0);
        assert_int_equal(sum->hint, cases[i].joined);
        assert_int_equal(remarks.conflict, cases[i].conflict);
    }
}

static void a_total_keeps_what_rounding_would_lose(void **state)
{
    (void)state;
    static const char *const parts[] = {"{{sum:1e100 buckets:[1e100]}}", "{{sum:1 buckets:[1]}}",
                                        "{{sum:-1e100 buckets:[-1e100]}}"};
    struct histogram_total *total = NULL;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(histogram_total_add(&arena, &total, parsed(parts[i]), &remarks), 0);
    const struct histogram *sum = histogram_total_finish(&arena, total);
    assert_true(sum->sum == 1 && sum->positive.buckets[0] == 1);
}

static void a_total_sees_a_conflict_past_a_gauge(void **state)
{
    (void)state;
    static const char *const parts[] = {"{{counter_reset_hint:not_reset}}", "{{counter_reset_hint:gauge}}",
                                        "{{counter_reset_hint:reset}}"};
    struct histogram_total *total = NULL;
    remarks = (struct histogram_remarks){0};
    for (size_t i = 0; i < 3; i++) {
        assert_false(remarks.conflict);
        assert_int_equal(histogram_total_add(&arena, &total, parsed(parts[i]), &remarks), 0);
    }
    assert_true(remarks.conflict);
    assert_int_equal(histogram_total_finish(&arena, total)->hint, HINT_GAUGE);
}

static void multiples_scale_all_counts(void **state)
{
    (void)state;
    const struct histogram *h = parsed("{{count:6 sum:2 z_bucket:2 buckets:[1 2] n_buckets:[1] "
                                       "counter_reset_hint:not_reset}}");
    assert_string_equal(
        printed(histogram_multiply(&arena, h, 2)),
        "{{count:12 sum:4 z_bucket:4 counter_reset_hint:not_reset buckets:[2 4] n_buckets:[2]}}");
    assert_string_equal(printed(histogram_divide(&arena, h, -2)),
                        "{{count:-3 sum:-1 z_bucket:-1 counter_reset_hint:gauge buckets:[-0.5 -1] "
                        "n_buckets:[-0.5]}}");
    const struct histogram *none = histogram_divide(&arena, h, 0);
    assert_true(isinf(none->count) && none->positive.bucket_count == 0);
    assert_true(h->count == 6 && h->positive.buckets[1] == 2);
}

/* ---- resets ---- */

static void a_hint_that_knows_decides(void **state)
{
    (void)state;
    assert_true(reset("{{count:1}}", "{{count:2 counter_reset_hint:reset}}"));
    assert_false(reset("{{count:2}}", "{{count:1 counter_reset_hint:not_reset}}"));
    assert_true(reset("{{count:2}}", "{{count:1}}"));
    assert_true(reset("{{count:2}}", "{{count:1 counter_reset_hint:gauge}}"));
    assert_false(reset("{{count:2}}", "{{count:2}}"));
}

static void any_count_that_falls_is_a_reset(void **state)
{
    (void)state;
    assert_true(reset("{{count:3 z_bucket:2}}", "{{count:3 z_bucket:1}}"));
    assert_true(reset("{{count:3 buckets:[1 2]}}", "{{count:4 buckets:[3 1]}}"));
    assert_true(reset("{{count:3 n_buckets:[1 2]}}", "{{count:4 n_buckets:[3 1]}}"));
    assert_true(reset("{{count:3 buckets:[1 2]}}", "{{count:4 buckets:[4]}}"));
    assert_true(reset("{{count:3 buckets:[1 2]}}", "{{count:4 offset:1 buckets:[4]}}"));
    assert_false(reset("{{count:3 buckets:[0 2]}}", "{{count:4 offset:1 buckets:[4]}}"));
    assert_false(reset("{{count:3 offset:2 buckets:[3]}}", "{{count:6 buckets:[1 1 3 1]}}"));
}

static void a_sum_may_fall(void **state)
{
    (void)state;
    assert_false(reset("{{count:3 sum:5 buckets:[3]}}", "{{count:4 sum:-1 buckets:[4]}}"));
}

static void a_coarser_schema_is_no_reset_and_a_finer_one_is(void **state)
{
    (void)state;
    const char *fine = "{{schema:1 count:6 offset:1 buckets:[1 2 3]}}";
    assert_false(reset(fine, "{{schema:0 count:6 offset:1 buckets:[3 3]}}"));
    assert_true(reset(fine, "{{schema:0 count:6 offset:1 buckets:[2 4]}}"));
    assert_true(reset("{{schema:0 count:1 buckets:[1]}}", "{{schema:1 count:9 buckets:[9]}}"));
}

static void a_wider_zero_bucket_is_no_reset_unless_it_cuts_one(void **state)
{
    (void)state;
    const char *before =
        "{{count:6 z_bucket:1 z_bucket_w:0.5 offset:1 buckets:[2 3] n_offset:1 n_buckets:[1]}}";
    assert_false(reset(before, "{{count:6 z_bucket:4 z_bucket_w:2 offset:2 buckets:[3]}}"));
    assert_true(reset(before, "{{count:6 z_bucket:3 z_bucket_w:2 offset:2 buckets:[3]}}"));
    assert_true(reset(before, "{{count:7 z_bucket:7 z_bucket_w:3}}"));
    assert_true(reset(
        before, "{{count:9 z_bucket:9 z_bucket_w:0.1 offset:1 buckets:[2 3] n_offset:1 n_buckets:[1]}}"));
    assert_false(
        reset("{{count:1 z_bucket:1 offset:1 buckets:[0]}}", "{{count:1 z_bucket:1 z_bucket_w:1.5}}"));
}

static void a_change_between_exponential_and_custom_is_a_reset(void **state)
{
    (void)state;
    assert_true(reset("{{count:1}}", "{{schema:-53 count:2}}"));
    assert_true(reset("{{schema:-53 count:1}}", "{{count:2}}"));
}

static void other_custom_bounds_are_compared_between_common_ones(void **state)
{
    (void)state;
    const char *before = "{{schema:-53 count:6 custom_values:[1 2 5] buckets:[1 2 3]}}";
    assert_false(reset(before, "{{schema:-53 count:6 custom_values:[2 5] buckets:[3 3]}}"));
    assert_true(reset(before, "{{schema:-53 count:6 custom_values:[2 5] buckets:[2 4]}}"));
    assert_false(reset(before, "{{schema:-53 count:6 custom_values:[1 5 9] buckets:[1 5]}}"));
    assert_false(reset(before, "{{schema:-53 count:7 custom_values:[7] buckets:[6 1]}}"));
    assert_true(reset("{{schema:-53 count:6 custom_values:[1] buckets:[1 5]}}",
                      "{{schema:-53 count:6 custom_values:[1] buckets:[2 4]}}"));
    assert_false(reset("{{schema:-53 custom_values:[NaN] buckets:[1]}}",
                       "{{schema:-53 custom_values:[1] buckets:[1]}}"));
}

/* ---- sums and resets agree ---- */

static uint32_t dice_state = 1;

static uint32_t dice(uint32_t sides)
{
    dice_state = dice_state * 1664525 + 1013904223;
    return (dice_state >> 8) % sides;
}

static void throw_side(struct histogram *h, struct histogram_side *side, uint32_t buckets)
{
    side->spans = ARENA_ARRAY(&arena, struct histogram_span, buckets);
    side->buckets = ARENA_ARRAY(&arena, double, buckets);
    for (uint32_t i = 0; i < buckets; i++) {
        side->spans[side->span_count++] = (struct histogram_span){(int32_t)dice(3) - (i == 0 ? 3 : 0), 1};
        side->buckets[side->bucket_count] = dice(4);
        h->count += side->buckets[side->bucket_count++];
    }
}

static const struct histogram *thrown_exponential(void)
{
    static const double thresholds[] = {0, 0.001, 0.3, 0.5, 1, 3};
    struct histogram *h = ARENA_NEW(&arena, struct histogram);
    *h = (struct histogram){.schema = (int32_t)dice(4) - 1, .zero_count = dice(3)};
    h->zero_threshold = thresholds[dice(6)];
    h->count = h->zero_count;
    throw_side(h, &h->positive, dice(6));
    throw_side(h, &h->negative, dice(4));
    return h;
}

static const struct histogram *thrown_custom(void)
{
    struct histogram *h = ARENA_NEW(&arena, struct histogram);
    *h = (struct histogram){.schema = HISTOGRAM_CUSTOM};
    h->custom_bounds = ARENA_ARRAY(&arena, double, 5);
    for (int bound = 1; bound <= 5; bound++)
        if (dice(2) == 0)
            h->custom_bounds[h->custom_count++] = bound;
    throw_side(h, &h->positive, (uint32_t)h->custom_count + 1);
    for (size_t i = 0; i < h->positive.span_count; i++)
        h->positive.spans[i].offset = 0;
    return h;
}

/* What was counted on top is no reset, whatever the layouts; without it there is one. */
static void a_sum_never_looks_like_a_reset_of_its_parts(void **state)
{
    (void)state;
    for (int round = 0; round < 4000; round++) {
        struct arena_mark mark = arena_mark(&arena);
        bool custom = round % 2 == 0;
        const struct histogram *a = custom ? thrown_custom() : thrown_exponential();
        const struct histogram *b = custom ? thrown_custom() : thrown_exponential(), *sum;
        assert_int_equal(histogram_add(&arena, a, b, 1, &sum, &remarks), 0);
        assert_true(sum->count == a->count + b->count);
        assert_false(histogram_is_reset(a, sum));
        assert_false(histogram_is_reset(b, sum));
        assert_int_equal(histogram_is_reset(sum, a),
                         b->count > 0 || a->schema > sum->schema || a->zero_threshold < sum->zero_threshold);
        arena_rewind(&arena, mark);
    }
}

/* ---- what a store knows ---- */

static void a_counter_that_goes_on_is_stored_as_such(void **state)
{
    (void)state;
    assert_int_equal(stored("{{count:1 buckets:[1]}}", "{{count:2 buckets:[1 1]}}"), HINT_NOT_RESET);
    assert_int_equal(
        stored("{{count:1 buckets:[1] counter_reset_hint:not_reset}}", "{{count:1 buckets:[1]}}"),
        HINT_NOT_RESET);
    assert_int_equal(stored("{{schema:-53 custom_values:[1 2] count:1 buckets:[1]}}",
                            "{{schema:-53 custom_values:[1 2] count:2 buckets:[1 1]}}"),
                     HINT_NOT_RESET);
}

static void what_begins_anew_is_unknown(void **state)
{
    (void)state;
    assert_int_equal(stored(NULL, "{{count:1}}"), HINT_UNKNOWN);
    assert_int_equal(stored(NULL, "{{count:1 counter_reset_hint:not_reset}}"), HINT_UNKNOWN);
    assert_int_equal(stored("{{count:1}}", "{{count:2 counter_reset_hint:reset}}"), HINT_UNKNOWN);
    assert_int_equal(stored("{{count:2}}", "{{count:1 counter_reset_hint:not_reset}}"), HINT_UNKNOWN);
    assert_int_equal(stored("{{count:2 buckets:[1 1]}}", "{{count:2 buckets:[2]}}"), HINT_UNKNOWN);
    assert_int_equal(stored("{{count:1 counter_reset_hint:gauge}}", "{{count:1}}"), HINT_UNKNOWN);
    assert_int_equal(stored("{{schema:1 count:1}}", "{{schema:0 count:1}}"), HINT_UNKNOWN);
    assert_int_equal(stored("{{z_bucket_w:1}}", "{{z_bucket_w:2}}"), HINT_UNKNOWN);
    assert_int_equal(stored("{{schema:-53 custom_values:[1]}}", "{{schema:-53 custom_values:[2]}}"),
                     HINT_UNKNOWN);
    struct histogram stale = {.sum = stale_nan()}, now = {.count = 1};
    assert_int_equal(histogram_stored_hint(&stale, &now), HINT_UNKNOWN);
}

static void a_gauge_stays_one(void **state)
{
    (void)state;
    assert_int_equal(stored(NULL, "{{counter_reset_hint:gauge}}"), HINT_GAUGE);
    assert_int_equal(stored("{{count:2}}", "{{count:1 counter_reset_hint:gauge}}"), HINT_GAUGE);
}

static void a_full_arena_gives_no_sum(void **state)
{
    (void)state;
    struct arena tiny;
    const struct histogram *h = parsed("{{count:9 buckets:[1 1 1 1 1 1 1 1 1]}}"), *sum = NULL;
    arena_init(&tiny, 100);
    struct histogram_total *total = NULL;
    assert_int_equal(histogram_add(&tiny, h, h, 1, &sum, &remarks), ERR_LIMIT);
    assert_int_equal(histogram_total_add(&tiny, &total, h, &remarks), ERR_LIMIT);
    assert_null(histogram_multiply(&tiny, h, 2));
    arena_release(&tiny);
}

static int begin(void **state)
{
    (void)state;
    arena_init(&arena, 64 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_bucket_by_bucket),
        cmocka_unit_test(a_difference_drops_what_cancels_out),
        cmocka_unit_test(the_coarser_schema_wins),
        cmocka_unit_test(the_wider_zero_bucket_swallows_and_grows_to_the_end_of_what_it_cuts),
        cmocka_unit_test(a_threshold_that_is_no_number_ends_the_search),
        cmocka_unit_test(custom_buckets_are_reconciled_to_their_common_bounds),
        cmocka_unit_test(exponential_and_custom_buckets_do_not_mix),
        cmocka_unit_test(hints_join),
        cmocka_unit_test(a_total_keeps_what_rounding_would_lose),
        cmocka_unit_test(a_total_sees_a_conflict_past_a_gauge),
        cmocka_unit_test(multiples_scale_all_counts),
        cmocka_unit_test(a_hint_that_knows_decides),
        cmocka_unit_test(any_count_that_falls_is_a_reset),
        cmocka_unit_test(a_sum_may_fall),
        cmocka_unit_test(a_coarser_schema_is_no_reset_and_a_finer_one_is),
        cmocka_unit_test(a_wider_zero_bucket_is_no_reset_unless_it_cuts_one),
        cmocka_unit_test(a_change_between_exponential_and_custom_is_a_reset),
        cmocka_unit_test(other_custom_bounds_are_compared_between_common_ones),
        cmocka_unit_test(a_sum_never_looks_like_a_reset_of_its_parts),
        cmocka_unit_test(a_counter_that_goes_on_is_stored_as_such),
        cmocka_unit_test(what_begins_anew_is_unknown),
        cmocka_unit_test(a_gauge_stays_one),
        cmocka_unit_test(a_full_arena_gives_no_sum),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
