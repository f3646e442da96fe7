#include "tocsin/objective.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void assert_fraction(struct fraction f, int64_t numerator, int64_t denominator)
{
    assert_int_equal(f.numerator, numerator);
    assert_int_equal(f.denominator, denominator);
}

static void assert_reads(const char *text, int64_t numerator, int64_t denominator)
{
    struct fraction f;
    struct err err = {0};
    if (fraction_parse(str_of(text), &f, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    assert_fraction(f, numerator, denominator);
}

static void test_decimals_are_read_to_the_digit(void **state)
{
    (void)state;
    assert_reads("99.9", 999, 10);
    assert_reads("99.99999", 9999999, 100000);
    assert_reads("100", 100, 1);
    assert_reads(".5", 1, 2);
    assert_reads("1e-3", 1, 1000);
    assert_reads("2.5e+2", 250, 1);
    assert_reads("0.000000000000000001", 1, 1000000000000000000);
    assert_reads("-0.25", -1, 4);
}

static void test_what_is_no_decimal_is_refused(void **state)
{
    static const char *const texts[] = {"",      ".",   "-",     "1.2.3", "ten", "0x10",
                                        "1e",    "1e+", "1e999", "1e19",  "NaN", "1234567890123456789",
                                        "1 000", "+1"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct fraction f;
        struct err err = {0};
        if (fraction_parse(str_of(texts[i]), &f, &err) != ERR_PARSE)
            fail_msg("\"%s\" was read", texts[i]);
    }
}

static void test_arithmetic_is_exact_or_refused(void **state)
{
    struct fraction f, hundred = {100, 1}, huge = {INT64_MAX, 1};
    (void)state;
    assert_int_equal(fraction_subtract(hundred, (struct fraction){999, 10}, &f), 0);
    assert_fraction(f, 1, 10);
    assert_int_equal(fraction_multiply(f, (struct fraction){-10, 3}, &f), 0);
    assert_fraction(f, -1, 3);
    assert_int_equal(fraction_make(6, -4, &f), 0);
    assert_fraction(f, -3, 2);
    assert_int_equal(fraction_make(1, 0, &f), ERR_LIMIT);
    assert_int_equal(fraction_multiply(huge, (struct fraction){2, 1}, &f), ERR_LIMIT);
    assert_int_equal(fraction_subtract((struct fraction){INT64_MAX, 1}, (struct fraction){-INT64_MAX, 1}, &f),
                     ERR_LIMIT);
}

/* ---- tiers ---- */

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static void assert_factors(int64_t days, const struct fraction *factors)
{
    struct arena arena;
    arena_init(&arena, 1 << 16);
    const struct objective_tier *tiers = objective_tiers_default(&arena, days * DAY_MS);
    for (size_t i = 0; i < 4; i++)
        assert_fraction(tiers[i].factor, factors[i].numerator, factors[i].denominator);
    arena_release(&arena);
}

static void test_factors_of_the_workbook_and_of_other_periods(void **state)
{
    static const struct fraction month[] = {{72, 5}, {6, 1}, {3, 1}, {1, 1}},
                                 weeks[] = {{336, 25}, {28, 5}, {14, 5}, {1, 1}},
                                 week[] = {{84, 25}, {7, 5}, {1, 1}, {1, 1}};
    (void)state;
    assert_factors(30, month);
    assert_factors(28, weeks);
    assert_factors(7, week);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimals_are_read_to_the_digit),
        cmocka_unit_test(test_what_is_no_decimal_is_refused),
        cmocka_unit_test(test_arithmetic_is_exact_or_refused),
        cmocka_unit_test(test_factors_of_the_workbook_and_of_other_periods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
