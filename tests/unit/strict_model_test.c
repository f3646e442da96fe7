#include "tocsin/strict_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct whole {
    struct strict_duration wait;
    int64_t window_ms, timeout_ms;
    struct strict_pairs pairs;
    const struct labels *labels;
};

static struct arena arena;
static struct strict strict;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    strict_init(&strict, &arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    strict_release(&strict);
    arena_release(&arena);
    return 0;
}

static struct whole read(const char *text)
{
    static const struct strict_field fields[] = {
        {"wait", strict_duration, offsetof(struct whole, wait)},
        {"window", strict_duration_ms, offsetof(struct whole, window_ms)},
        {"timeout", strict_go_duration_ms, offsetof(struct whole, timeout_ms)},
        {"pairs", strict_pairs, offsetof(struct whole, pairs)},
        {"labels", strict_labels, offsetof(struct whole, labels)},
        {NULL, NULL, 0},
    };
    struct whole whole = {.window_ms = 7};
    struct tree *root;
    struct err err = {0};
    if (yaml_parse(&arena, str_of(text), &root, &err) != 0)
        fail_msg("%s", err.text);
    strict_struct(&strict, root, "test.Whole", fields, &whole);
    return whole;
}

static void durations_are_read_in_prometheus_form(void **state)
{
    (void)state;
    struct whole whole = read("wait: 0s\nwindow: 1d2h\n");
    assert_true(strict_sound(&strict));
    assert_true(whole.wait.given && whole.wait.ms == 0);
    assert_int_equal(whole.window_ms, 26 * 3600000);
}

static void a_null_duration_is_not_given(void **state)
{
    (void)state;
    struct whole whole = read("wait: \nwindow: ~\ntimeout: ~\n");
    assert_true(strict_sound(&strict));
    assert_true(!whole.wait.given && whole.wait.ms == 0);
    assert_int_equal(whole.window_ms, 0);
    assert_int_equal(whole.timeout_ms, 0);
}

static void a_bad_duration_stops_and_a_list_is_a_problem(void **state)
{
    (void)state;
    struct err err = {0};
    read("wait: []\n");
    assert_string_equal(strict_why(&strict),
                        "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into string");
    read("window: 1h\nwait: 5x\n");
    assert_int_equal(strict_result(&strict, &err), ERR_PARSE);
    assert_string_equal(err.text, "unknown unit \"x\" in duration \"5x\"");
    assert_int_equal(err.line, 2);
}

static void go_durations_may_be_whole_nanoseconds(void **state)
{
    (void)state;
    assert_int_equal(read("timeout: 1m0.5s").timeout_ms, 60500);
    assert_int_equal(read("timeout: 2000000").timeout_ms, 2);
    assert_int_equal(read("timeout: 1ns").timeout_ms, 1);
    assert_int_equal(read("timeout: 0").timeout_ms, 0);
    assert_true(strict_sound(&strict));
}

static void a_bad_go_duration_is_a_problem(void **state)
{
    (void)state;
    read("timeout: 1d");
    assert_false(strict_stopped(&strict));
    assert_string_equal(strict_why(&strict),
                        "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `1d` into time.Duration");
}

static void pairs_keep_the_order_of_the_file_and_empty_values(void **state)
{
    (void)state;
    struct whole whole = read("pairs: {b: 1, a: , c: yes}");
    assert_true(strict_sound(&strict));
    assert_int_equal(whole.pairs.count, 3);
    assert_true(str_is(whole.pairs.items[0].name, "b") && str_is(whole.pairs.items[0].value, "1"));
    assert_true(str_is(whole.pairs.items[1].name, "a") && whole.pairs.items[1].value.n == 0);
    assert_true(str_is(whole.pairs.items[2].value, "yes"));
}

static void labels_are_a_set_without_empty_values(void **state)
{
    (void)state;
    struct whole whole = read("labels: {b: 1, a: 2, c: ''}");
    assert_true(strict_sound(&strict));
    assert_int_equal(whole.labels->count, 2);
    assert_true(str_is(whole.labels->item[0].name, "a"));
    assert_true(str_is(labels_get(whole.labels, STR("b")), "1"));
    assert_null(read("labels: ").labels);
}

static void ill_typed_pairs_are_problems(void **state)
{
    (void)state;
    read("pairs: [a]\nlabels: {a: {}}\n");
    assert_string_equal(strict_why(&strict), "yaml: unmarshal errors:\n"
                                             "  line 1: cannot unmarshal !!seq into map[string]string\n"
                                             "  line 2: cannot unmarshal !!map into string");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(durations_are_read_in_prometheus_form),
        TEST(a_null_duration_is_not_given),
        TEST(a_bad_duration_stops_and_a_list_is_a_problem),
        TEST(go_durations_may_be_whole_nanoseconds),
        TEST(a_bad_go_duration_is_a_problem),
        TEST(pairs_keep_the_order_of_the_file_and_empty_values),
        TEST(labels_are_a_set_without_empty_values),
        TEST(ill_typed_pairs_are_problems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
