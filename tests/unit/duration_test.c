#include "tocsin/duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>

static int64_t parsed(const char *text)
{
    int64_t ms = -1;
    assert_int_equal(duration_parse(str_of(text), &ms, NULL), 0);
    return ms;
}

static void assert_refused(const char *text, const char *why)
{
    int64_t ms;
    struct err err = {0};
    assert_int_equal(duration_parse(str_of(text), &ms, &err), ERR_PARSE);
    assert_string_equal(err.text, why);
}

static void reads_units_from_large_to_small(void **state)
{
    (void)state;
    assert_int_equal(parsed("0"), 0);
    assert_int_equal(parsed("0s"), 0);
    assert_int_equal(parsed("1h30m"), 5400000);
    assert_int_equal(parsed("1y2w3d4h5m6s7ms"), INT64_C(33019506007));
    assert_int_equal(parsed("00005m"), 300000);
    assert_int_equal(parsed("292y"), INT64_C(292) * 365 * 86400000);
}

static void refuses_as_prometheus_does(void **state)
{
    (void)state;
    assert_refused("", "empty duration string");
    assert_refused("5", "not a valid duration string: \"5\"");
    assert_refused("30m1h", "not a valid duration string: \"30m1h\"");
    assert_refused("1h1h", "not a valid duration string: \"1h1h\"");
    assert_refused("1.5h", "unknown unit \".\" in duration \"1.5h\"");
    assert_refused("-1m", "not a valid duration string: \"-1m\"");
    assert_refused("m", "not a valid duration string: \"m\"");
    assert_refused("1 m", "unknown unit \" m\" in duration \"1 m\"");
    assert_refused("1\n", "unknown unit \"\\n\" in duration \"1\\n\"");
    assert_refused("300y", "duration out of range");
    assert_refused("292y365d", "duration out of range");
    assert_refused("99999999999999999999s", "not a valid duration string: \"99999999999999999999s\"");
    assert_refused("99999999999999999999x", "not a valid duration string: \"99999999999999999999x\"");
}

static const char *printed(int64_t ms)
{
    static struct buf b;
    static char text[64];
    buf_init(&b, sizeof text - 1);
    duration_print(&b, ms);
    memcpy(text, buf_text(&b), b.used + 1);
    buf_release(&b);
    return text;
}

static void prints_years_and_weeks_only_when_they_divide(void **state)
{
    (void)state;
    const int64_t day = 86400000;
    assert_string_equal(printed(0), "0s");
    assert_string_equal(printed(90000), "1m30s");
    assert_string_equal(printed(14 * day), "2w");
    assert_string_equal(printed(90 * day), "90d");
    assert_string_equal(printed(366 * day), "366d");
    assert_string_equal(printed(365 * day), "1y");
    assert_string_equal(printed(15 * day), "15d");
    assert_string_equal(printed(1001), "1s1ms");
    assert_string_equal(printed(-3600000), "-1h");
    assert_string_equal(printed(INT64_MIN), "-106751991167d7h12m55s808ms");
}

static void assert_go(const char *text, int64_t want)
{
    int64_t ns = -1;
    assert_int_equal(go_duration_parse(str_of(text), &ns, NULL), 0);
    assert_int_equal(ns, want);
}

static void reads_gos_durations(void **state)
{
    (void)state;
    assert_go("0", 0);
    assert_go("-0", 0);
    assert_go("1.5s", 1500000000);
    assert_go("100us", 100000);
    assert_go("1\xc2\xb5s", 1000);
    assert_go("1\xce\xbcs", 1000);
    assert_go("-1h30m", INT64_C(-5400000000000));
    assert_go("1m1m", INT64_C(120000000000));
    assert_go(".5ms", 500000);
    assert_go("-9223372036854775808ns", INT64_MIN);
}

static void assert_go_refused(const char *text, const char *why)
{
    int64_t ns;
    struct err err = {0};
    assert_int_equal(go_duration_parse(str_of(text), &ns, &err), ERR_PARSE);
    assert_string_equal(err.text, why);
}

static void words_gos_errors(void **state)
{
    (void)state;
    assert_go_refused("", "time: invalid duration \"\"");
    assert_go_refused("1d", "time: unknown unit \"d\" in duration \"1d\"");
    assert_go_refused("1", "time: missing unit in duration \"1\"");
    assert_go_refused(".s", "time: invalid duration \".s\"");
    assert_go_refused("9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\"");
    assert_go_refused("3000000h", "time: invalid duration \"3000000h\"");
    assert_go_refused("1\xc3\xa9", "time: unknown unit \"\\xc3\\xa9\" in duration \"1\\xc3\\xa9\"");
}

static void assert_go_prints(int64_t ns, const char *want)
{
    struct buf b;
    buf_init(&b, 64);
    go_duration_print(&b, ns);
    assert_string_equal(buf_text(&b), want);
    buf_release(&b);
}

static void prints_gos_durations(void **state)
{
    (void)state;
    assert_go_prints(0, "0s");
    assert_go_prints(1, "1ns");
    assert_go_prints(1100, "1.1\xc2\xb5s");
    assert_go_prints(2200000, "2.2ms");
    assert_go_prints(90000000000, "1m30s");
    assert_go_prints(INT64_C(3600000000000), "1h0m0s");
    assert_go_prints(1500000000, "1.5s");
    assert_go_prints(INT64_MIN, "-2562047h47m16.854775808s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_units_from_large_to_small),
        cmocka_unit_test(refuses_as_prometheus_does),
        cmocka_unit_test(prints_years_and_weeks_only_when_they_divide),
        cmocka_unit_test(reads_gos_durations),
        cmocka_unit_test(words_gos_errors),
        cmocka_unit_test(prints_gos_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
