#include "tocsin/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>
#include <math.h>

static void staleness_is_one_bit_pattern(void **state)
{
    (void)state;
    assert_true(isnan(stale_nan()));
    assert_true(is_stale_nan(stale_nan()));
    assert_false(is_stale_nan(double_from_bits(NORMAL_NAN_BITS)));
    assert_false(is_stale_nan((double)NAN));
    assert_false(is_stale_nan(0));
}

static void staleness_survives_being_moved(void **state)
{
    (void)state;
    struct sample one = {.value = stale_nan()}, two = one;
    assert_true(double_bits(two.value) == STALE_NAN_BITS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(staleness_is_one_bit_pattern),
        cmocka_unit_test(staleness_survives_being_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
