#include "tocsin/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include "tocsin/hash.h"
#include "tocsin/sample.h"
#include <cmocka.h>

#include <float.h>
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
    if (arena.cap_bytes == 0)
        arena_init(&arena, 64 << 20);
    if (histogram_parse(&arena, str_of(text), &used, &h, &hint, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(used, strlen(text));
    return h;
}

static const char *printed(void (*print)(struct buf *, const struct histogram *), const struct histogram *h)
{
    static char text[512];
    struct buf b;
    buf_init(&b, sizeof text - 1);
    print(&b, h);
    snprintf(text, sizeof text, "%s", buf_text(&b));
    buf_release(&b);
    return text;
}

static void reads_every_key_of_the_test_form(void **state)
{
    (void)state;
    struct histogram *h =
        parsed("{{schema:1 sum:-2.5 count:1e2 z_bucket:3 z_bucket_w:0.001 buckets:[1 2 0 4] "
               "offset:-3 n_buckets:[5] n_offset:2 counter_reset_hint:gauge}}");
    assert_int_equal(h->schema, 1);
    assert_true(h->sum == -2.5 && h->count == 100 && h->zero_count == 3 && h->zero_threshold == 0.001);
    assert_int_equal(h->positive.span_count, 1);
    assert_int_equal(h->positive.spans[0].offset, -3);
    assert_int_equal(h->positive.spans[0].length, 4);
    assert_true(h->positive.buckets[3] == 4);
    assert_int_equal(h->negative.spans[0].offset, 2);
    assert_int_equal(h->hint, HINT_GAUGE);
    h = parsed("{{ schema:-53 custom_values:[0.5 +Inf] sum:NaN count:-Inf }}");
    assert_int_equal(h->schema, HISTOGRAM_CUSTOM);
    assert_int_equal(h->custom_count, 2);
    assert_true(isnan(h->sum) && h->count == -INFINITY);
    h = parsed("{{}}");
    assert_true(h->count == 0 && h->positive.bucket_count == 0);
}

static void tells_how_far_it_read_and_whether_a_hint_was_given(void **state)
{
    (void)state;
    parsed("{{}}");
    struct histogram *h;
    size_t used;
    bool hint;
    assert_int_equal(
        histogram_parse(&arena, STR("{{counter_reset_hint:unknown}}x3 5"), &used, &h, &hint, NULL), 0);
    assert_int_equal(used, 30);
    assert_true(hint);
    assert_int_equal(histogram_parse(&arena, STR("{{count:1}}"), &used, &h, &hint, NULL), 0);
    assert_false(hint);
}

static void refuses_what_is_not_a_histogram(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "{",
                                      "{{",
                                      "{{}",
                                      "{{count}}",
                                      "{{count:}}",
                                      "{{count:x}}",
                                      "{{count:1 count:2}}",
                                      "{{nope:1}}",
                                      "{{buckets:1}}",
                                      "{{buckets:[1}}",
                                      "{{buckets:[1,2]}}",
                                      "{{schema:1.5}}",
                                      "{{schema:99999999999}}",
                                      "{{offset:2147483647 buckets:[1 2]}}",
                                      "{{counter_reset_hint:maybe}}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {0};
        struct histogram *h;
        size_t used;
        bool hint;
        assert_int_equal(histogram_parse(&arena, str_of(bad[i]), &used, &h, &hint, &err), ERR_PARSE);
        assert_true(strlen(err.text) > 0);
    }
}

static void prints_both_forms(void **state)
{
    (void)state;
    struct histogram *h = parsed("{{schema:0 count:10 sum:5.5 z_bucket:2 z_bucket_w:0.001 buckets:[3 0 1] "
                                 "n_buckets:[0 1 7] n_offset:-1}}");
    assert_string_equal(printed(histogram_print, h), "{count:10, sum:5.5, [-2,-1):7, [-1,-0.5):1, "
                                                     "[-0.001,0.001]:2, (0.5,1]:3, (2,4]:1}");
    assert_string_equal(printed(histogram_print_test, h), "{{count:10 sum:5.5 z_bucket:2 z_bucket_w:0.001 "
                                                          "buckets:[3 0 1] n_buckets:[1 7]}}");
    h = parsed("{{schema:-53 sum:1 count:4 custom_values:[5 10] buckets:[1 2 1] counter_reset_hint:gauge}}");
    assert_string_equal(printed(histogram_print, h), "{count:4, sum:1, [-Inf,5]:1, (5,10]:2, (10,+Inf]:1}");
    assert_string_equal(printed(histogram_print_test, h), "{{schema:-53 count:4 sum:1 custom_values:[5 10] "
                                                          "counter_reset_hint:gauge buckets:[1 2 1]}}");
    assert_string_equal(printed(histogram_print_test, parsed("{{schema:10000000}}")), "{{schema:10000000}}");
    assert_string_equal(printed(histogram_print, parsed("{{}}")), "{count:0, sum:0}");
    assert_string_equal(printed(histogram_print_test, parsed("{{}}")), "{{}}");
}

static void negative_buckets_are_told_backwards_over_spans(void **state)
{
    (void)state;
    struct histogram_span spans[] = {{-1, 1}, {2, 0}, {1, 2}};
    double buckets[] = {1, 2, 3};
    struct histogram h = {.negative = {spans, 3, buckets, 3}};
    assert_string_equal(printed(histogram_print, &h),
                        "{count:0, sum:0, [-16,-8):3, [-8,-4):2, [-0.5,-0.25):1}");
    assert_string_equal(printed(histogram_print_test, &h), "{{n_offset:-1 n_buckets:[1 0 0 0 2 3]}}");
}

static void bounds_are_prometheus_to_the_bit(void **state)
{
    (void)state;
    struct histogram h = {.schema = 8};
    double bounds[256];
    for (int i = 0; i < 256; i++)
        bounds[i] = histogram_upper_bound(&h, i - 256);
    assert_true(bounds[0] == 0.5 && bounds[64] == 0.5946035575013605 && bounds[128] == 0.7071067811865475 &&
                bounds[192] == 0.8408964152537144 && bounds[255] == 0.9972960560854698);
    h.schema = 1;
    assert_true(histogram_upper_bound(&h, -1) == bounds[128]);
    assert_true(histogram_upper_bound(&h, 1) == 2 * bounds[128]);
    assert_true(histogram_lower_bound(&h, 1) == 1);
    h.schema = -4;
    assert_true(histogram_upper_bound(&h, 0) == 1);
    assert_true(histogram_upper_bound(&h, 1) == 65536);
}

static void only_infinity_lies_beyond_the_last_bound(void **state)
{
    (void)state;
    struct histogram h = {.schema = 0};
    for (h.schema = -4; h.schema <= 8; h.schema++) {
        int32_t last = h.schema >= 0 ? 1024 << h.schema : 1024 >> -h.schema;
        assert_true(histogram_upper_bound(&h, last) == DBL_MAX);
        assert_true(histogram_upper_bound(&h, last + 1) == INFINITY);
        assert_true(histogram_upper_bound(&h, INT32_MAX) == INFINITY);
        assert_true(histogram_lower_bound(&h, INT32_MIN) == 0);
    }
    double bounds[] = {1, 2};
    h = (struct histogram){.schema = HISTOGRAM_CUSTOM, .custom_bounds = bounds, .custom_count = 2};
    assert_true(histogram_lower_bound(&h, 0) == -INFINITY);
    assert_true(histogram_upper_bound(&h, 1) == 2);
    assert_true(histogram_upper_bound(&h, 2) == INFINITY);
}

static void compacting_drops_empty_buckets_and_joins_spans(void **state)
{
    (void)state;
    struct histogram_span spans[] = {{-2, 3}, {0, 1}, {5, 2}};
    double buckets[] = {0, 1, 2, 3, 0, 0};
    struct histogram h = {.count = 6, .positive = {spans, 3, buckets, 6}};
    struct histogram *c = histogram_compact(&arena, &h);
    assert_int_equal(c->positive.span_count, 1);
    assert_int_equal(c->positive.spans[0].offset, -1);
    assert_int_equal(c->positive.spans[0].length, 3);
    assert_int_equal(c->positive.bucket_count, 3);
    assert_true(c->count == 6);
    struct histogram_span far_apart[] = {{INT32_MIN, 1}, {INT32_MAX, 0}, {INT32_MAX, 1}};
    double two[] = {1, 2};
    h.positive = (struct histogram_side){far_apart, 3, two, 2};
    c = histogram_compact(&arena, &h);
    assert_true(histogram_equal(c, &h));
}

static void coarsening_merges_neighbours(void **state)
{
    (void)state;
    struct histogram_span spans[] = {{-4, 3}, {1, 2}, {10, 1}}, negative[] = {{0, 1}};
    double buckets[] = {1, 2, 4, 0, 8, 16}, one[] = {32};
    struct histogram h = {
        .schema = 20, .count = 63, .positive = {spans, 3, buckets, 6}, .negative = {negative, 1, one, 1}};
    struct histogram *c = histogram_coarsen(&arena, &h, 18);
    assert_int_equal(c->schema, 18);
    assert_true(c->count == 63);
    assert_int_equal(c->positive.span_count, 2); /* -4, -3 -2 0, 1, 12 are -1, 0, 1, 3 */
    assert_int_equal(c->positive.spans[0].offset, -1);
    assert_int_equal(c->positive.spans[0].length, 3);
    assert_int_equal(c->positive.spans[1].offset, 1);
    assert_int_equal(c->positive.bucket_count, 4);
    static const double sums[] = {1, 6, 8, 16};
    for (size_t i = 0; i < 4; i++)
        assert_true(c->positive.buckets[i] == sums[i]);
    assert_int_equal(c->negative.spans[0].offset, 0);
    assert_true(c->negative.buckets[0] == 32);
    assert_true(histogram_equal(histogram_coarsen(&arena, &h, 20), &h));
}

static void walks_end_where_spans_and_buckets_disagree(void **state)
{
    (void)state;
    struct histogram_span spans[] = {{0, 1}};
    double buckets[] = {1, 2, 3};
    struct histogram_side more_buckets = {spans, 1, buckets, 3}, no_spans = {NULL, 0, buckets, 3};
    size_t count = 0;
    for (struct histogram_walk w = {.side = &more_buckets}; histogram_next(&w);)
        count++;
    assert_int_equal(count, 1);
    for (struct histogram_walk w = {.side = &no_spans}; histogram_next(&w);)
        count++;
    assert_int_equal(count, 1);
    struct histogram_span overflowing[] = {{INT32_MAX, 2}};
    struct histogram_side beyond = {overflowing, 1, buckets, 2};
    for (struct histogram_walk w = {.side = &beyond}; histogram_next(&w);)
        count++;
    assert_int_equal(count, 2);
}

static void equality_looks_at_bits_and_not_at_the_hint(void **state)
{
    (void)state;
    const struct histogram *a = parsed("{{count:3 sum:NaN buckets:[1 2] counter_reset_hint:reset}}");
    struct histogram *b = histogram_copy(&arena, a);
    assert_true(histogram_equal(a, b));
    b->hint = HINT_GAUGE;
    assert_true(histogram_equal(a, b));
    b->positive.buckets[0] = 7;
    assert_false(histogram_equal(a, b));
    assert_true(a->positive.buckets[0] == 1);
    assert_false(histogram_equal(parsed("{{buckets:[1 0]}}"), parsed("{{buckets:[1]}}")));
    assert_false(histogram_equal(parsed("{{schema:-53 custom_values:[1]}}"),
                                 parsed("{{schema:-53 custom_values:[2]}}")));
}

static void a_full_arena_gives_no_histogram(void **state)
{
    (void)state;
    struct arena tiny;
    arena_init(&tiny, 150);
    const struct histogram *h = parsed("{{buckets:[1 2 3 4 5 6 7 8 9]}}");
    assert_null(histogram_copy(&tiny, h));
    assert_null(histogram_compact(&tiny, h));
    assert_null(histogram_coarsen(&tiny, h, 0));
    arena_release(&tiny);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_key_of_the_test_form),
        cmocka_unit_test(tells_how_far_it_read_and_whether_a_hint_was_given),
        cmocka_unit_test(refuses_what_is_not_a_histogram),
        cmocka_unit_test(prints_both_forms),
        cmocka_unit_test(negative_buckets_are_told_backwards_over_spans),
        cmocka_unit_test(bounds_are_prometheus_to_the_bit),
        cmocka_unit_test(only_infinity_lies_beyond_the_last_bound),
        cmocka_unit_test(compacting_drops_empty_buckets_and_joins_spans),
        cmocka_unit_test(coarsening_merges_neighbours),
        cmocka_unit_test(walks_end_where_spans_and_buckets_disagree),
        cmocka_unit_test(equality_looks_at_bits_and_not_at_the_hint),
        cmocka_unit_test(a_full_arena_gives_no_histogram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
