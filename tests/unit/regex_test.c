#include "tocsin/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static bool matches(const char *pattern, enum regex_kind kind, const char *text)
{
    struct err err = {0};
    struct regex *re = regex_open(str_of(pattern), kind, &err);
    assert_non_null(re);
    bool hit = regex_match(re, str_of(text));
    regex_free(re);
    return hit;
}

static void assert_refused(const char *pattern, enum regex_kind kind, const char *why)
{
    struct err err = {0};
    assert_null(regex_open(str_of(pattern), kind, &err));
    assert_int_equal(err.code, ERR_PARSE);
    assert_string_equal(err.text, why);
}

static void promql_patterns_match_the_whole_value(void **state)
{
    (void)state;
    assert_true(matches("a.c", REGEX_PROMQL, "a\nc"));
    assert_false(matches("b", REGEX_PROMQL, "abc"));
    assert_true(matches("a|ab", REGEX_PROMQL, "ab"));
    assert_true(matches("(?i)A+", REGEX_PROMQL, "aAa"));
    assert_false(matches("a$|b", REGEX_PROMQL, "a\n"));
}

static void anchored_patterns_do_not_let_the_dot_take_a_newline(void **state)
{
    (void)state;
    assert_false(matches("a.c", REGEX_ANCHORED, "a\nc"));
    assert_true(matches("a.c", REGEX_RELABEL, "a\nc"));
    assert_false(matches("b", REGEX_ANCHORED, "abc"));
    assert_true(matches("b", REGEX_SEARCH, "abc"));
}

/* Literal, prefix and match-all patterns never reach the engine; they must not differ from it. */
static void shortcuts_agree_with_the_engine(void **state)
{
    (void)state;
    static const char *const patterns[] = {"",    "a",    "a|b|c", "a|",       "|",   ".*",
                                           ".+",  "ab.*", "ab.+",  "a|b.*",    "a.b", "é|ü",
                                           "..*", ".*.*", "ab|.*", "x-1/2|y z"};
    static const char *const texts[] = {"",  "a", "b",     "c",   "ab", "abc", "ab\n", "\n",
                                        "é", "ü", "x-1/2", "y z", "|",  "a|",  "ax",   "a\nb"};
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        char wrapped[64];
        snprintf(wrapped, sizeof wrapped, "^(?s:%s)$", patterns[i]);
        for (size_t j = 0; j < sizeof texts / sizeof texts[0]; j++)
            assert_int_equal(matches(patterns[i], REGEX_PROMQL, texts[j]),
                             matches(wrapped, REGEX_SEARCH, texts[j]));
    }
}

static void errors_are_worded_as_go_words_them(void **state)
{
    (void)state;
    assert_refused("a(b", REGEX_PROMQL, "error parsing regexp: missing closing ): `a(b`");
    assert_refused("a**", REGEX_PROMQL, "error parsing regexp: invalid nested repetition operator: `**`");
    assert_refused("[b-a]", REGEX_SEARCH, "error parsing regexp: invalid character class range: `b-a`");
    assert_refused("(?=a)", REGEX_SEARCH, "error parsing regexp: invalid or unsupported Perl syntax: `(?=`");
    assert_refused("\\", REGEX_SEARCH, "error parsing regexp: trailing backslash at end of expression: ``");
    assert_refused("*", REGEX_PROMQL, "error parsing regexp: missing argument to repetition operator: `*`");
}

static void refuses_what_this_engine_takes_and_go_does_not(void **state)
{
    (void)state;
    assert_refused("\xed\xa0\x80", REGEX_PROMQL, "error parsing regexp: invalid UTF-8: `\xed\xa0\x80`");
    assert_refused("a)(b", REGEX_PROMQL, "error parsing regexp: unexpected ): `a)(b`");
    assert_refused("\\C", REGEX_PROMQL, "error parsing regexp: invalid escape sequence: `\\C`");
    assert_refused("(?P<\xc3\xa9>a)", REGEX_PROMQL,
                   "error parsing regexp: invalid named capture: `(?P<\xc3\xa9>`");
    assert_refused("a{999999999}", REGEX_PROMQL, "error parsing regexp: invalid repeat count: `{999999999}`");
    assert_true(matches("\\Q\\C{999999999}\\E", REGEX_PROMQL, "\\C{999999999}"));
    assert_true(matches("[]C{999999999}]+", REGEX_PROMQL, "]C{9}"));
}

static void only_the_wrapped_text_counts_for_matchers(void **state)
{
    (void)state;
    assert_true(matches("a)|(b", REGEX_ANCHORED, "a and more"));
    assert_true(matches("a)|(b", REGEX_RELABEL, "ends in b"));
    assert_refused("a)|(b", REGEX_PROMQL, "error parsing regexp: unexpected ): `a)|(b`");
}

static void nesting_ends_where_gos_does(void **state)
{
    (void)state;
    enum { DEEP = 998 };
    char pattern[2 * (DEEP + 1) + 2] = {0};
    memset(pattern, '(', DEEP);
    pattern[DEEP] = 'a';
    memset(pattern + DEEP + 1, ')', DEEP);
    assert_true(matches(pattern, REGEX_PROMQL, "a"));
    memset(pattern, '(', DEEP + 1);
    pattern[DEEP + 1] = 'a';
    memset(pattern + DEEP + 2, ')', DEEP);
    struct err err = {0};
    assert_null(regex_open(str_of(pattern), REGEX_PROMQL, &err));
    assert_non_null(strstr(err.text, "expression nests too deeply"));
}

static void reads_both_spellings_of_a_named_group(void **state)
{
    (void)state;
    struct regex *re = regex_open(STR("(?<first>a+)(?P<second>b+)"), REGEX_PROMQL, NULL);
    assert_non_null(re);
    struct buf out;
    buf_init(&out, 100);
    assert_true(regex_expand(re, STR("aabbb"), STR("${second}-$first"), &out));
    assert_string_equal(buf_text(&out), "bbb-aa");
    buf_release(&out);
    regex_free(re);
}

static void too_long_or_too_large_is_a_limit(void **state)
{
    (void)state;
    struct err err = {0};
    size_t n = (size_t)limits.regex_text_bytes + 1;
    char *text = mem_new(n, 1);
    memset(text, 'a', n);
    assert_null(regex_open((struct str){text, n}, REGEX_PROMQL, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    mem_free(text);
    int64_t before = limits.regex_program_bytes;
    limits.regex_program_bytes = 1 << 16;
    assert_null(regex_open(STR("(\\pL{100}){10}"), REGEX_PROMQL, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    limits.regex_program_bytes = before;
}

static void assert_expands(const char *replacement, const char *want)
{
    struct regex *re = regex_open(STR("(a)(b)?(?P<n>c)"), REGEX_PROMQL, NULL);
    struct buf out;
    buf_init(&out, 100);
    assert_true(regex_expand(re, STR("ac"), str_of(replacement), &out));
    assert_string_equal(buf_text(&out), want);
    assert_false(regex_expand(re, STR("zz"), str_of(replacement), &out));
    buf_release(&out);
    regex_free(re);
}

static void expansion_knows_numbers_names_and_dollars(void **state)
{
    (void)state;
    assert_expands("$1-$2-$3", "a--c");
    assert_expands("${1}x $1x", "ax ");
    assert_expands("$n${n}", "cc");
    assert_expands("$$ $", "$ $");
    assert_expands("$9${01}|${", "|${");
    assert_expands("$0", "ac");
}

static void assert_replaces(const char *pattern, const char *text, const char *by, const char *want)
{
    struct regex *re = regex_open(str_of(pattern), REGEX_SEARCH, NULL);
    struct buf out;
    buf_init(&out, 100);
    regex_replace_all(re, str_of(text), str_of(by), &out);
    assert_string_equal(buf_text(&out), want);
    buf_release(&out);
    regex_free(re);
}

static void replaces_every_match_as_go_does(void **state)
{
    (void)state;
    assert_replaces("a+", "baac", "x", "bxc");
    assert_replaces("a*", "baac", "x", "xbxcx");
    assert_replaces("", "\xc3\xa9z", "-", "-\xc3\xa9-z-");
    assert_replaces("^a", "aa", "", "a");
    assert_replaces("(.)(.)", "abcd", "$2$1", "badc");
    assert_replaces("x", "", "y", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(promql_patterns_match_the_whole_value),
        cmocka_unit_test(anchored_patterns_do_not_let_the_dot_take_a_newline),
        cmocka_unit_test(shortcuts_agree_with_the_engine),
        cmocka_unit_test(errors_are_worded_as_go_words_them),
        cmocka_unit_test(refuses_what_this_engine_takes_and_go_does_not),
        cmocka_unit_test(only_the_wrapped_text_counts_for_matchers),
        cmocka_unit_test(nesting_ends_where_gos_does),
        cmocka_unit_test(reads_both_spellings_of_a_named_group),
        cmocka_unit_test(too_long_or_too_large_is_a_limit),
        cmocka_unit_test(expansion_knows_numbers_names_and_dollars),
        cmocka_unit_test(replaces_every_match_as_go_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
