#include "tocsin/gotext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include "tocsin/sample.h"
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <string.h>

static struct buf out;

static const char *number(double v, char form, int precision)
{
    buf_clear(&out);
    go_float(&out, v, form, precision);
    return buf_text(&out);
}

static void floats_have_the_shortest_digits_that_read_back(void **state)
{
    (void)state;
    assert_string_equal(number(0.1, 'f', -1), "0.1");
    assert_string_equal(number(1e22, 'f', -1), "10000000000000000000000");
    assert_string_equal(number(5e-324, 'g', -1), "5e-324");
    assert_string_equal(number(DBL_MAX, 'e', -1), "1.7976931348623157e+308");
    assert_string_equal(number(0x1p-44, 'g', -1), "5.684341886080802e-14"); /* beside a power of two */
    assert_string_equal(number(9007199254740993.0, 'f', -1), "9007199254740992");
    assert_string_equal(number(-0.0, 'g', -1), "-0");
    assert_string_equal(number(1, 'e', -1), "1e+00");
    assert_string_equal(number(97, 'e', -1), "9.7e+01");
}

static void the_general_form_turns_at_six_digits(void **state)
{
    (void)state;
    assert_string_equal(number(999999, 'g', -1), "999999");
    assert_string_equal(number(1000000, 'g', -1), "1e+06");
    assert_string_equal(number(1234567, 'g', -1), "1.234567e+06");
    assert_string_equal(number(0.0001, 'g', -1), "0.0001");
    assert_string_equal(number(0.00001, 'G', -1), "1E-05");
}

static void fixed_precision_is_as_in_c(void **state)
{
    (void)state;
    assert_string_equal(number(123.456, 'g', 4), "123.5");
    assert_string_equal(number(0.5, 'f', 0), "0");
    assert_int_equal(strlen(number(1e300, 'f', 2)), 304);
}

static void infinities_and_nan_have_gos_names(void **state)
{
    (void)state;
    assert_string_equal(number(INFINITY, 'f', 3), "+Inf");
    assert_string_equal(number(-INFINITY, 'e', -1), "-Inf");
    assert_string_equal(number(-NAN, 'g', -1), "NaN");
}

static void json_values_turn_at_1e21_and_1e_7(void **state)
{
    (void)state;
    buf_clear(&out);
    go_float_json(&out, 1e21);
    buf_char(&out, ' ');
    go_float_json(&out, 999999999999999900000.0);
    buf_char(&out, ' ');
    go_float_json(&out, 1e-7);
    buf_char(&out, ' ');
    go_float_json(&out, 0.000001);
    buf_char(&out, ' ');
    go_float_json(&out, 0);
    assert_string_equal(buf_text(&out), "1e+21 999999999999999900000 1e-07 0.000001 0");
}

static void reads_floats_as_go_does(void **state)
{
    (void)state;
    double v = 0;
    static const char *const bad[] = {"",      "+nan", "0x1", "1e", "1__0", "_1", "1_",   ".",
                                      "1e999", " 1",   "1 ",  "e5", "0b1",  "1f", "infin"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(go_parse_float(str_of(bad[i]), &v));
    assert_true(go_parse_float(STR("1_000.5"), &v) && v == 1000.5);
    assert_true(go_parse_float(STR("0x1.8p1"), &v) && v == 3);
    assert_true(go_parse_float(STR("-iNf"), &v) && v == -INFINITY);
    assert_true(go_parse_float(STR("Infinity"), &v) && v == INFINITY);
    assert_true(go_parse_float(STR("nAN"), &v) && isnan(v));
    assert_true(go_parse_float(STR(".5"), &v) && v == 0.5);
    assert_true(go_parse_float(STR("1e-999"), &v) && v == 0);
}

static void reads_integers_with_every_base(void **state)
{
    (void)state;
    int64_t v = 0;
    assert_true(go_parse_int(STR("010"), &v) && v == 8);
    assert_true(go_parse_int(STR("0x_1F"), &v) && v == 31);
    assert_true(go_parse_int(STR("-0b11"), &v) && v == -3);
    assert_true(go_parse_int(STR("0o17"), &v) && v == 15);
    assert_true(go_parse_int(STR("1_000"), &v) && v == 1000);
    assert_true(go_parse_int(STR("-9223372036854775808"), &v) && v == INT64_MIN);
    assert_false(go_parse_int(STR("9223372036854775808"), &v));
    assert_false(go_parse_int(STR("08"), &v));
    assert_false(go_parse_int(STR("0x"), &v));
    assert_false(go_parse_int(STR("1_"), &v));
    assert_false(go_parse_int(STR(""), &v));
    assert_false(go_parse_int(STR("-"), &v));
}

static void quotes_what_is_not_printable(void **state)
{
    (void)state;
    buf_clear(&out);
    go_quote(&out, STR("a\"\\\a\n\0\x7f\xc3\xa9\xe2\x80\xa8\xff\xf0\x9f\x98\x80\xf3\xa0\x80\x81"));
    assert_string_equal(buf_text(&out),
                        "\"a\\\"\\\\\\a\\n\\x00\\x7f\xc3\xa9\\u2028\\xff\xf0\x9f\x98\x80\\U000e0001\"");
}

static bool unquotes_to(const char *literal, struct str want)
{
    buf_clear(&out);
    return go_unquote(str_of(literal), &out) && str_eq(buf_slice(&out), want);
}

static bool refuses_literal(const char *literal)
{
    buf_clear(&out);
    return !go_unquote(str_of(literal), &out);
}

static void unquotes_all_three_kinds(void **state)
{
    (void)state;
    assert_true(unquotes_to("\"\\x41\\u00e9\\101\\n\"", STR("A\xc3\xa9"
                                                            "A\n")));
    assert_true(unquotes_to("'it\\'s \"x\"'", STR("it's \"x\"")));
    assert_true(unquotes_to("`a\\n\nb`", STR("a\\n\nb")));
    assert_true(unquotes_to("\"\\xff\"", STR("\xff")));
    assert_true(unquotes_to("\"\"", STR("")));
}

static void refuses_malformed_literals(void **state)
{
    (void)state;
    static const char *const bad[] = {"",         "\"",        "\"a",         "a",
                                      "\"\\'\"",  "'\\\"'",    "\"\n\"",      "\"\\z\"",
                                      "\"\\x4\"", "\"\\400\"", "\"\\ud800\"", "\"\\U00110000\"",
                                      "\"\\\"",   "\"a\"b\"",  "`a`b`",       "\"\\u12\""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_true(refuses_literal(bad[i]));
}

static void prints_times_with_as_many_decimals_as_asked(void **state)
{
    (void)state;
    buf_clear(&out);
    go_time_rfc3339(&out, INT64_C(1795329444730000000), -1);
    buf_char(&out, ' ');
    go_time_rfc3339(&out, INT64_C(1795329444000000000), -1);
    buf_char(&out, ' ');
    go_time_rfc3339(&out, INT64_C(1795329444000000000), 3);
    buf_char(&out, ' ');
    go_time_rfc3339(&out, -1, -1);
    assert_string_equal(buf_text(&out),
                        "2026-11-22T06:37:24.73Z 2026-11-22T06:37:24Z 2026-11-22T06:37:24.000Z "
                        "1969-12-31T23:59:59.999999999Z");
}

static void reads_times_of_every_zone(void **state)
{
    (void)state;
    int64_t ns = 0;
    assert_true(go_parse_rfc3339(STR("2026-11-22T08:37:24.73+02:00"), &ns) &&
                ns == INT64_C(1795329444730000000));
    assert_true(go_parse_rfc3339(STR("1970-01-01T00:00:00Z"), &ns) && ns == 0);
    assert_true(go_parse_rfc3339(STR("2024-02-29T00:00:00-00:30"), &ns));
    assert_true(go_parse_rfc3339(STR("0001-01-01T00:00:00Z"), &ns) && ns == INT64_MIN);
    assert_true(go_parse_rfc3339(STR("9999-12-31T23:59:59Z"), &ns) && ns == INT64_MAX);
    static const char *const bad[] = {"2023-02-29T00:00:00Z",
                                      "2026-11-22",
                                      "2026-11-22T24:00:00Z",
                                      "2026-11-22T06:37:24",
                                      "2026-11-22t06:37:24Z",
                                      "2026-11-22T06:37:24.Z",
                                      "2026-13-01T00:00:00Z",
                                      "2026-11-22T06:37:24Zx",
                                      ""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(go_parse_rfc3339(str_of(bad[i]), &ns));
}

static int release_out(void **state)
{
    (void)state;
    buf_release(&out);
    return 0;
}

int main(void)
{
    buf_init(&out, 1 << 16);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_have_the_shortest_digits_that_read_back),
        cmocka_unit_test(the_general_form_turns_at_six_digits),
        cmocka_unit_test(fixed_precision_is_as_in_c),
        cmocka_unit_test(infinities_and_nan_have_gos_names),
        cmocka_unit_test(json_values_turn_at_1e21_and_1e_7),
        cmocka_unit_test(reads_floats_as_go_does),
        cmocka_unit_test(reads_integers_with_every_base),
        cmocka_unit_test(quotes_what_is_not_printable),
        cmocka_unit_test(unquotes_all_three_kinds),
        cmocka_unit_test(refuses_malformed_literals),
        cmocka_unit_test(prints_times_with_as_many_decimals_as_asked),
        cmocka_unit_test(reads_times_of_every_zone),
    };
    return cmocka_run_group_tests(tests, NULL, release_out);
}
