#include "tocsin/kahan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>

static double sum_of(const double *values, size_t count)
{
    struct kahan k = {0, 0};
    for (size_t i = 0; i < count; i++)
        kahan_add(&k, values[i]);
    return kahan_sum(&k);
}

static void what_a_large_number_hides_is_kept(void **state)
{
    (void)state;
    const double around[] = {1, 1e100, 1, -1e100}, tenths[] = {.1, .1, .1, .1, .1, .1, .1, .1, .1, .1};
    assert_true(sum_of(around, 4) == 2);
    assert_true(sum_of(tenths, 10) == 1);
}

static void an_infinite_sum_stays_infinite(void **state)
{
    (void)state;
    const double up[] = {1, INFINITY, 1}, over[] = {1e308, 1e308, 1}, both[] = {INFINITY, -INFINITY};
    assert_true(sum_of(up, 3) == INFINITY);
    assert_true(sum_of(over, 3) == INFINITY);
    assert_true(isnan(sum_of(both, 2)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_large_number_hides_is_kept),
        cmocka_unit_test(an_infinite_sum_stays_infinite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
