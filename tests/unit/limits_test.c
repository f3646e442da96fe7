#include "tocsin/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>
#include <string.h>

static void hits_are_counted_and_shown(void **state)
{
    (void)state;
    uint64_t before = limit_hits(LIMIT_series);
    limit_hit(LIMIT_series);
    assert_int_equal(limit_hits(LIMIT_series), before + 1);
    struct buf out;
    buf_init(&out, 1 << 20);
    limits_write_metrics(&out);
    assert_non_null(strstr(buf_text(&out), "tocsin_limit_hits_total{limit=\"series\"} 1\n"));
    assert_non_null(strstr(buf_text(&out), "tocsin_limit{limit=\"series\",unit=\"series\"} 1000000\n"));
    buf_release(&out);
}

static void every_limit_is_found_by_its_name(void **state)
{
    (void)state;
    struct limits set = limits_default;
    struct err err;
#define LIMIT(name, value, unit, help)                                  \
    assert_int_equal(limits_set(&set, STR(#name), (value)-1, &err), 0); \
    assert_int_equal(set.name, (value)-1);
    LIMIT_TABLE(LIMIT)
#undef LIMIT
    assert_int_equal(limits_set(&set, STR("no_such"), 1, &err), ERR_NOT_FOUND);
    assert_int_equal(limits_set(&set, STR("series"), 0, &err), ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_limit_is_found_by_its_name),
        cmocka_unit_test(hits_are_counted_and_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
