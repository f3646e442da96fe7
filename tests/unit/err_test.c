#include "tocsin/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>
#include <string.h>

static void keeps_code_text_and_place(void **state)
{
    (void)state;
    struct err e = {0};
    assert_int_equal(err_at(&e, ERR_PARSE, 3, 7, "bad %s", "thing"), ERR_PARSE);
    assert_int_equal(e.line, 3);
    assert_int_equal(e.column, 7);
    assert_string_equal(e.text, "bad thing");
    assert_int_equal(err_set(&e, ERR_IO, "disk"), ERR_IO);
    assert_int_equal(e.code, ERR_IO);
    assert_int_equal(e.line, 0);
}

static void nobody_need_listen(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, ERR_FULL, "x"), ERR_FULL);
    assert_int_equal(err_at(NULL, ERR_ARG, 1, 1, "x"), ERR_ARG);
    err_prefix(NULL, "x");
}

static void long_texts_end_in_dots(void **state)
{
    (void)state;
    struct err e;
    char text[2 * ERR_TEXT_MAX];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    err_set(&e, ERR_EXEC, "%s", text);
    assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
    assert_string_equal(e.text + ERR_TEXT_MAX - 5, "a...");
}

static void a_prefix_goes_in_front_and_keeps_the_rest(void **state)
{
    (void)state;
    struct err e = {0};
    err_at(&e, ERR_PARSE, 2, 1, "oops");
    err_prefix(&e, "%s: ", "rules.yml");
    assert_string_equal(e.text, "rules.yml: oops");
    assert_int_equal(e.line, 2);
    char text[2 * ERR_TEXT_MAX];
    memset(text, 'b', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    err_prefix(&e, "%s", text);
    assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_code_text_and_place),
        cmocka_unit_test(nobody_need_listen),
        cmocka_unit_test(long_texts_end_in_dots),
        cmocka_unit_test(a_prefix_goes_in_front_and_keeps_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
