#include "tocsin/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include "tocsin/arena.h"
#include <cmocka.h>

#include <limits.h>

static void orders_bytewise_with_prefixes_first(void **state)
{
    (void)state;
    assert_true(str_cmp(STR("a"), STR("b")) < 0);
    assert_true(str_cmp(STR("a"), STR("ab")) < 0);
    assert_true(str_cmp(STR("\xff"), STR("a")) > 0);
    assert_int_equal(str_cmp(STR(""), (struct str){NULL, 0}), 0);
    assert_true(str_eq(STR(""), (struct str){NULL, 0}));
    assert_false(str_eq(STR("a\0b"), STR("a\0c")));
}

static void finds_ends_and_trims(void **state)
{
    (void)state;
    assert_true(str_starts(STR("abc"), STR("ab")));
    assert_true(str_starts(STR("abc"), STR("")));
    assert_false(str_starts(STR("a"), STR("ab")));
    assert_true(str_ends(STR("abc"), STR("bc")));
    assert_false(str_ends(STR("c"), STR("bc")));
    assert_true(str_is(str_trim(STR(" \t a b\r\n")), "a b"));
    assert_int_equal(str_trim(STR(" \n ")).n, 0);
    assert_int_equal(str_find_char(STR("abc"), 'c'), 2);
    assert_int_equal(str_find_char(STR("abc"), 'x'), 3);
}

static void cuts_until_the_rest_is_gone(void **state)
{
    (void)state;
    struct str rest = STR("a,,b");
    assert_true(str_is(str_cut(&rest, ','), "a"));
    assert_true(str_is(str_cut(&rest, ','), ""));
    assert_non_null(rest.p);
    assert_true(str_is(str_cut(&rest, ','), "b"));
    assert_null(rest.p);
    rest = STR("a,");
    str_cut(&rest, ',');
    assert_non_null(rest.p);
    assert_int_equal(str_cut(&rest, ',').n, 0);
    assert_null(rest.p);
}

static void cuts_words_at_blanks_and_tabs(void **state)
{
    (void)state;
    struct str rest = STR("  at\t 1s  post ");
    assert_true(str_is(str_cut_word(&rest), "at"));
    assert_true(str_is(rest, "1s  post"));
    assert_true(str_is(str_cut_word(&rest), "1s"));
    assert_true(str_is(str_cut_word(&rest), "post"));
    assert_int_equal(rest.n, 0);
    assert_int_equal(str_cut_word(&rest).n, 0);
    struct str nothing = {0};
    assert_int_equal(str_cut_word(&nothing).n, 0);
}

static void folds_ascii_only(void **state)
{
    (void)state;
    assert_true(str_eq_nocase(STR("NaN"), STR("nAn")));
    assert_false(str_eq_nocase(STR("\xc3\x89"), STR("\xc3\xa9")));
    assert_false(str_eq_nocase(STR("["), STR("{")));
}

static void knows_well_formed_text_as_go_does(void **state)
{
    (void)state;
    assert_true(str_is_utf8(STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")));
    assert_true(str_is_utf8(STR("\xf4\x8f\xbf\xbf")));
    assert_false(str_is_utf8(STR("\xc0\x80")));         /* overlong */
    assert_false(str_is_utf8(STR("\xe0\x80\x80")));     /* overlong */
    assert_false(str_is_utf8(STR("\xf0\x80\x80\x80"))); /* overlong */
    assert_false(str_is_utf8(STR("\xed\xa0\x80")));     /* surrogate */
    assert_false(str_is_utf8(STR("\xf4\x90\x80\x80"))); /* beyond the last */
    assert_false(str_is_utf8(STR("\xe2\x82")));         /* cut off */
    assert_false(str_is_utf8(STR("\x80")));
    assert_false(str_is_utf8(STR("\xff")));
}

static void a_bad_byte_is_seen_at_any_distance(void **state)
{
    (void)state;
    char text[40];
    for (size_t n = 1; n <= sizeof text; n++)
        for (size_t at = 0; at < n; at++) {
            memset(text, 'a', sizeof text);
            assert_true(str_is_utf8((struct str){text, n}));
            text[at] = '\xff';
            assert_false(str_is_utf8((struct str){text, n}));
        }
}

static void decodes_one_rune_at_a_time(void **state)
{
    (void)state;
    int rune;
    assert_int_equal(str_rune("\xf0\x9f\x98\x80", 4, &rune), 4);
    assert_int_equal(rune, 0x1F600);
    assert_int_equal(str_rune("\xe2\x82", 2, &rune), 1);
    assert_int_equal(rune, -1);
    assert_int_equal(str_rune("\xe2\x82x", 3, &rune), 1);
    assert_int_equal(rune, -1);
}

static void reads_whole_integers(void **state)
{
    (void)state;
    long long v = 0;
    assert_true(str_to_i64(STR("-9223372036854775808"), &v));
    assert_true(v == LLONG_MIN);
    assert_true(str_to_i64(STR("+9223372036854775807"), &v));
    assert_true(v == LLONG_MAX);
    assert_false(str_to_i64(STR("9223372036854775808"), &v));
    assert_false(str_to_i64(STR("-9223372036854775809"), &v));
    assert_false(str_to_i64(STR("1x"), &v));
    assert_false(str_to_i64(STR(""), &v));
    assert_false(str_to_i64(STR("-"), &v));
    assert_false(str_to_i64(STR(" 1"), &v));
}

static void copies_until_the_arena_is_full(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 200);
    struct str copy = str_copy(&a, STR("abc"));
    assert_true(str_is(copy, "abc"));
    assert_int_equal(copy.p[3], 0);
    char large[400] = {0};
    assert_null(str_copy(&a, (struct str){large, sizeof large}).p);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_bytewise_with_prefixes_first),
        cmocka_unit_test(finds_ends_and_trims),
        cmocka_unit_test(cuts_until_the_rest_is_gone),
        cmocka_unit_test(cuts_words_at_blanks_and_tabs),
        cmocka_unit_test(folds_ascii_only),
        cmocka_unit_test(knows_well_formed_text_as_go_does),
        cmocka_unit_test(a_bad_byte_is_seen_at_any_distance),
        cmocka_unit_test(decodes_one_rune_at_a_time),
        cmocka_unit_test(reads_whole_integers),
        cmocka_unit_test(copies_until_the_arena_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
