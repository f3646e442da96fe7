#include "tocsin/promql_func.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>

#include <string.h>

static void every_function_is_found_by_its_own_name(void **state)
{
    static const char *const names[] = {
#define FUNC(name, ...) #name,
#include "tocsin/promql_func_table.h"
#undef FUNC
    };
    (void)state;
    assert_int_equal(FUNC_COUNT, 90);
    for (int i = 0; i < FUNC_COUNT; i++) {
        const struct promql_function *f = promql_function_find(str_of(names[i]));
        assert_non_null(f);
        assert_int_equal(f->id, i);
        assert_string_equal(f->name, names[i]);
        assert_in_range(f->arg_count, 0, PROMQL_ARGS_MAX);
        assert_true(f->variadic <= f->arg_count);
    }
}

static void names_are_case_sensitive_and_whole(void **state)
{
    (void)state;
    assert_null(promql_function_find(STR("Rate")));
    assert_null(promql_function_find(STR("rat")));
    assert_null(promql_function_find(STR("ratee")));
    assert_null(promql_function_find(STR("")));
}

static void signatures_are_those_of_prometheus(void **state)
{
    (void)state;
    const struct promql_function *rate = promql_function_find(STR("rate"));
    assert_int_equal(rate->arg_count, 1);
    assert_int_equal(rate->args[0], PROMQL_MATRIX);
    assert_int_equal(rate->returns, PROMQL_VECTOR);
    assert_false(rate->experimental);
    const struct promql_function *join = promql_function_find(STR("label_join"));
    assert_int_equal(join->variadic, -1);
    assert_int_equal(join->arg_count, 4);
    assert_true(promql_function_find(STR("info"))->experimental);
    assert_int_equal(promql_function_find(STR("round"))->variadic, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_is_found_by_its_own_name),
        cmocka_unit_test(names_are_case_sensitive_and_whole),
        cmocka_unit_test(signatures_are_those_of_prometheus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
