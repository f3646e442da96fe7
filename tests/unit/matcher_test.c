#include "tocsin/matcher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>

static bool test(enum match_op op, const char *value, const char *label)
{
    struct matcher m;
    assert_int_equal(matcher_init(&m, op, STR("l"), str_of(value), REGEX_PROMQL, NULL), 0);
    bool hit = matcher_matches(&m, str_of(label));
    matcher_release(&m);
    return hit;
}

static void each_operator_tests_one_value(void **state)
{
    (void)state;
    assert_true(test(MATCH_EQUAL, "a", "a"));
    assert_false(test(MATCH_EQUAL, "a", "b"));
    assert_true(test(MATCH_NOT_EQUAL, "a", "b"));
    assert_true(test(MATCH_REGEX, "a|b+", "bb"));
    assert_false(test(MATCH_REGEX, "a", "xax"));
    assert_true(test(MATCH_NOT_REGEX, "a", "xax"));
    assert_false(test(MATCH_NOT_REGEX, "a.*", "ab"));
}

static bool empty(enum match_op op, const char *value)
{
    struct matcher m;
    assert_int_equal(matcher_init(&m, op, STR("l"), str_of(value), REGEX_PROMQL, NULL), 0);
    bool hit = matcher_matches_empty(&m);
    matcher_release(&m);
    return hit;
}

static void an_absent_label_is_the_empty_string(void **state)
{
    (void)state;
    assert_true(empty(MATCH_EQUAL, ""));
    assert_true(empty(MATCH_REGEX, ".*"));
    assert_false(empty(MATCH_REGEX, ".+"));
    assert_true(empty(MATCH_NOT_EQUAL, "x"));
    assert_false(empty(MATCH_NOT_REGEX, ".*"));
}

static void all_matchers_must_agree(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 16);
    struct labels *ls = labels_of(&a, "job", "api", "env", "prod", NULL);
    struct matcher ms[3];
    matcher_init(&ms[0], MATCH_EQUAL, STR("job"), STR("api"), REGEX_PROMQL, NULL);
    matcher_init(&ms[1], MATCH_REGEX, STR("env"), STR("p.*"), REGEX_PROMQL, NULL);
    matcher_init(&ms[2], MATCH_NOT_EQUAL, STR("zone"), STR(""), REGEX_PROMQL, NULL);
    assert_true(matchers_match(ms, 0, ls));
    assert_true(matchers_match(ms, 2, ls));
    assert_false(matchers_match(ms, 3, ls));
    for (int i = 0; i < 3; i++)
        matcher_release(&ms[i]);
    arena_release(&a);
}

static void a_bad_expression_is_refused_with_its_reason(void **state)
{
    (void)state;
    struct matcher m;
    struct err err = {0};
    assert_int_equal(matcher_init(&m, MATCH_NOT_REGEX, STR("l"), STR("("), REGEX_PROMQL, &err), ERR_PARSE);
    assert_string_equal(err.text, "error parsing regexp: missing closing ): `(`");
    assert_int_equal(matcher_init(&m, MATCH_REGEX, STR("l"), STR("("), REGEX_PROMQL, NULL), ERR_PARSE);
    matcher_release(&m);
}

static void prints_in_promqls_form(void **state)
{
    (void)state;
    struct buf b;
    struct matcher m;
    buf_init(&b, 100);
    matcher_init(&m, MATCH_NOT_REGEX, STR("a"), STR("\"\\d\""), REGEX_PROMQL, NULL);
    matcher_print(&b, &m);
    assert_string_equal(buf_text(&b), "a!~\"\\\"\\\\d\\\"\"");
    struct matcher same = m, other = m;
    other.op = MATCH_REGEX;
    assert_true(matcher_equal(&m, &same));
    assert_false(matcher_equal(&m, &other));
    matcher_release(&m);
    buf_clear(&b);
    matcher_init(&m, MATCH_EQUAL, STR("a.b"), STR("x"), REGEX_PROMQL, NULL);
    matcher_print(&b, &m);
    assert_string_equal(buf_text(&b), "\"a.b\"=\"x\"");
    matcher_release(&m);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operator_tests_one_value),
        cmocka_unit_test(an_absent_label_is_the_empty_string),
        cmocka_unit_test(all_matchers_must_agree),
        cmocka_unit_test(a_bad_expression_is_refused_with_its_reason),
        cmocka_unit_test(prints_in_promqls_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
