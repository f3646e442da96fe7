/* Where Prometheus breaks long expressions into lines, and where it does not. */
#include "tocsin/arena.h"
#include "tocsin/buf.h"
#include "tocsin/promql_parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_BYTES = 1 << 20, TEXT_BYTES = 1 << 20 };

#define A40 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A96 A40 A40 "aaaaaaaaaaaaaaaa"

static void expect(const char *text, const char *wanted)
{
    struct arena arena;
    struct buf out;
    struct expr *e;
    struct err err = {0};
    arena_init(&arena, ARENA_BYTES);
    buf_init(&out, TEXT_BYTES);
    if (promql_parse(&arena, str_of(text), &promql_features_all, &e, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    promql_pretty(&out, e);
    assert_string_equal(buf_text(&out), wanted);
    promql_free(e);
    buf_release(&out);
    arena_release(&arena);
}

static void a_hundred_bytes_stay_on_their_line(void **state)
{
    (void)state;
    expect("sum( up )", "sum(up)");
    expect("-  " A96 "aaa", "-" A96 "aaa");
    expect("(" A96 "aa)", "(" A96 "aa)");
    expect("(" A96 "aaa)", "(\n  " A96 "aaa\n)");
    expect(A96 A96, A96 A96);
}

static void aggregations_and_calls_indent_what_they_hold(void **state)
{
    (void)state;
    expect("topk by (b, c) (3, " A96 ")", "topk by (b, c) (\n  3,\n  " A96 "\n)");
    expect("label_replace(" A96 ",\"a\",\"b\",\"c\",\"d\")",
           "label_replace(\n  " A96 ",\n  \"a\",\n  \"b\",\n  \"c\",\n  \"d\"\n)");
    expect("sum without (a) (rate(" A96 "[5m]))", "sum without (a) (\n  rate(\n    " A96 "[5m]\n  )\n)");
    expect("sum(" A40 ") + count(" A40 ")", "sum(" A40 ") + count(" A40 ")");
}

static void operators_stand_between_their_indented_sides(void **state)
{
    (void)state;
    expect(A40 "+" A40 "+" A40, "  " A40 " + " A40 "\n+\n  " A40);
    expect(A40 " == bool on (a) group_left () " A96, "  " A40 "\n== bool on (a) group_left ()\n  " A96);
    expect("(" A40 " and ignoring(b) (" A40 "/" A40 "))",
           "(\n    " A40 "\n  and ignoring (b)\n    (" A40 " / " A40 ")\n)");
}

static void a_sign_stands_right_before_its_operand(void **state)
{
    (void)state;
    expect("2 + -sum(" A96 ")", "  2\n+\n  -sum(\n    " A96 "\n  )");
    expect("-(" A96 A40 ")", "-(\n  " A96 A40 "\n)");
    expect("-" A96 "^2", "-" A96 " ^ 2");
    expect("-" A96 "aaa^2", "-" A96 "aaa\n^\n  2");
    expect("inf^" A96 "aaa", "  Inf\n^\n  " A96 "aaa"); /* +Inf would be a sign of all of it */
}

static void subqueries_keep_their_range_behind_them(void **state)
{
    (void)state;
    expect("max_over_time(rate(" A96 "[1m])[1m:] @ start() offset 1m)",
           "max_over_time(\n  rate(\n    " A96 "[1m]\n  )[1m:] @ start() offset 1m\n)");
    /* One that fits is not indented: Prometheus leaves it so. */
    expect("quantile_over_time(scalar(" A96 "), " A40 "[5m:1m])",
           "quantile_over_time(\n  scalar(\n    " A96 "\n  ),\n" A40 "[5m:1m]\n)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_bytes_stay_on_their_line),
        cmocka_unit_test(aggregations_and_calls_indent_what_they_hold),
        cmocka_unit_test(operators_stand_between_their_indented_sides),
        cmocka_unit_test(a_sign_stands_right_before_its_operand),
        cmocka_unit_test(subqueries_keep_their_range_behind_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
