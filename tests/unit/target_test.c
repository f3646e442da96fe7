#include "../../engine/serve/target_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void paths_that_could_mean_two_things_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",       "a",       "http://h/", "*",    "/a%00b",  "/a?b=%00", "/%2f",    "/%2F..%2Fetc",
        "/%5c",   "/.",      "/..",       "/./a", "/a/..",   "/a/../b",  "/%2e",    "/%2e%2E/x",
        "/.%2e/", "/a/%2e.", "/%",        "/%4",  "/%zz",    "/a?b=%",   "/a?b=%4", "/a?%zz=1",
        "/a b",   "/a\tb",   "/a\x7f",    "/a#b", "/a\x01b", "/%0a",     "/%7f",    "/a?b=c d",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (target_refusal(str_of(bad[i])) == NULL)
            fail_msg("\"%s\" was taken", bad[i]);
}

static void ordinary_targets_are_taken(void **state)
{
    (void)state;
    static const char *const good[] = {"/",        "//",      "/a/b/", "/...",       "/.well-known/x",
                                       "/a..b",    "/a?",     "/a?&&", "/a?b=../..", "/a?q=%2Fx%0A%7B",
                                       "/%61%20b", "/a?b==c", "/a??",  "/\xc3\xa9",  "/label/U__a/values"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (target_refusal(str_of(good[i])) != NULL)
            fail_msg("\"%s\": %s", good[i], target_refusal(str_of(good[i])));
}

static void path_and_parameters_are_decoded(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    struct target t;
    assert_int_equal(target_parse(&arena, STR("/a%20b+c?q=x%2By+z&&empty=&bare&q=2&%71=3"), &t, NULL), 0);
    assert_true(str_is(t.path, "/a b+c"));
    assert_int_equal(t.count, 5);
    assert_true(str_is(t.params[0].name, "q") && str_is(t.params[0].value, "x+y z"));
    assert_true(str_is(t.params[1].name, "empty") && t.params[1].value.n == 0);
    assert_true(str_is(t.params[2].name, "bare") && t.params[2].value.n == 0);
    assert_true(str_is(t.params[4].name, "q") && str_is(t.params[4].value, "3"));
    arena_release(&arena);
}

static void a_form_goes_before_the_url(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    struct target t;
    assert_int_equal(target_parse(&arena, STR("/p?a=url"), &t, NULL), 0);
    assert_int_equal(target_add_form(&arena, STR("a=form&b=%7Bx%3D%22y%22%7D"), &t, NULL), 0);
    assert_int_equal(t.count, 3);
    assert_int_equal(t.url_count, 1);
    assert_true(str_is(t.params[0].value, "form"));
    assert_true(str_is(t.params[1].value, "{x=\"y\"}"));
    assert_true(str_is(t.params[2].value, "url"));
    assert_true(str_is(t.path, "/p"));
    arena_release(&arena);
}

static void a_broken_escape_in_a_form_is_an_error(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    struct target t;
    struct err err;
    assert_int_equal(target_parse(&arena, STR("/p?a=1"), &t, NULL), 0);
    assert_int_equal(target_add_form(&arena, STR("b=%g1"), &t, &err), ERR_PARSE);
    assert_string_equal(err.text, "invalid URL escape");
    assert_int_equal(t.count, 1);
    arena_release(&arena);
}

static void a_full_arena_is_an_error(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 64);
    struct target t;
    struct err err;
    static char long_target[4096];
    memset(long_target, 'a', sizeof long_target);
    long_target[0] = '/';
    assert_int_equal(target_parse(&arena, (struct str){long_target, sizeof long_target}, &t, &err),
                     ERR_LIMIT);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_that_could_mean_two_things_are_refused),
        cmocka_unit_test(ordinary_targets_are_taken),
        cmocka_unit_test(path_and_parameters_are_decoded),
        cmocka_unit_test(a_form_goes_before_the_url),
        cmocka_unit_test(a_broken_escape_in_a_form_is_an_error),
        cmocka_unit_test(a_full_arena_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
