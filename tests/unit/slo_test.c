#include "tocsin/rulefile.h"
#include "tocsin/slo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static void read_file(const char *path, struct buf *out)
{
    struct err err = {0};
    buf_init(out, 1 << 20);
    if (world_real()->read_file(world_real(), path, out, &err) != 0)
        fail_msg("%s", err.text);
}

/* ---- the rules that Sloth 0.16 makes of these files ---- */

static void generate(const char *path, const struct slo_catalogue *catalogue, struct buf *out)
{
    static struct label extra[] = {{STR("env"), STR("prod")}};
    const struct slo_generate options = {catalogue, STR("v0.16.0"), {extra, 1}, false, false};
    struct buf text;
    struct slo_file *file;
    struct err err = {0};
    read_file(path, &text);
    if (slo_file_parse(buf_slice(&text), &file, &err) != 0)
        fail_msg("%s: %s", path, err.text);
    for (size_t i = 0; i < file->count; i++)
        assert_int_equal(slo_generate_sloth(&file->documents[i], &options, out, &err), 0);
    slo_file_free(file);
    buf_release(&text);
}

static void assert_generates(const char *path, const struct slo_catalogue *catalogue,
                             const char *expected_path)
{
    struct buf got, expected;
    buf_init(&got, 1 << 20);
    generate(path, catalogue, &got);
    read_file(expected_path, &expected);
    assert_string_equal(buf_text(&got), buf_text(&expected));
    buf_release(&got);
    buf_release(&expected);
}

static void test_a_file_becomes_sloths_rules(void **state)
{
    (void)state;
    assert_generates("tests/slo/shop.yml", slo_catalogue_of(30 * (int64_t)DAY_MS),
                     "tests/slo/shop_30d.rules");
    assert_generates("tests/slo/shop.yml", slo_catalogue_of(28 * (int64_t)DAY_MS),
                     "tests/slo/shop_28d.rules");
}

static void test_an_object_becomes_the_operators_rules(void **state)
{
    (void)state;
    assert_generates("tests/slo/object.yml", slo_catalogue_of(30 * (int64_t)DAY_MS),
                     "tests/slo/object_30d.rules");
}

static void test_windows_of_a_file_are_used(void **state)
{
    struct buf text;
    struct slo_catalogue week;
    struct err err = {0};
    (void)state;
    read_file("tests/slo/week.yml", &text);
    assert_int_equal(slo_catalogue_parse(buf_slice(&text), &week, &err), 0);
    assert_generates("tests/slo/shop.yml", &week, "tests/slo/shop_7d.rules");
    buf_release(&text);
}

static void test_what_is_generated_loads_as_rules(void **state)
{
    struct buf rules, errors;
    struct rule_set *set = rule_set_new();
    (void)state;
    buf_init(&rules, 1 << 20);
    buf_init(&errors, 1 << 16);
    generate("tests/slo/shop.yml", slo_catalogue_of(30 * (int64_t)DAY_MS), &rules);
    if (rulefile_parse(set, STR("shop"), buf_slice(&rules), &promql_features_default, &errors) != 0)
        fail_msg("%s", buf_text(&errors));
    assert_int_equal(set->rule_count, 17 + 15); /* of the first document, which is all that a rule file has */
    rule_set_free(set);
    buf_release(&rules);
    buf_release(&errors);
}

/* ---- burn factors, to the digit ---- */

static void test_burn_factors(void **state)
{
    const struct slo_catalogue *c = slo_catalogue_of(30 * (int64_t)DAY_MS);
    (void)state;
    assert_true(slo_burn_factor(c, &c->page_quick) == 14.4);
    assert_true(slo_burn_factor(c, &c->page_slow) == 6);
    assert_true(slo_burn_factor(c, &c->ticket_quick) == 3);
    assert_true(slo_burn_factor(c, &c->ticket_slow) == 1);
    c = slo_catalogue_of(28 * (int64_t)DAY_MS);
    assert_true(slo_burn_factor(c, &c->page_slow) == 5.6000000000000005);
    assert_null(slo_catalogue_of(7 * (int64_t)DAY_MS));
}

/* ---- what is refused ---- */

#define QUIET "alerting: {page_alert: {disable: true}, ticket_alert: {disable: true}}"
#define RATES "sli: {events: {error_query: 'rate(e[{{.window}}])', total_query: 'rate(t[{{.window}}])'}}"

static const struct row {
    const char *slo, *why;
    int line;
} bad[] = {
    {"{name: a-b, objective: 0, " RATES ", " QUIET "}",
     "SLO \"a-b\": its objective must be more than 0 and at most 100 percent", 4},
    {"{name: a-b, objective: 101, " RATES ", " QUIET "}",
     "SLO \"a-b\": its objective must be more than 0 and at most 100 percent", 4},
    {"{name: a, objective: 99, " RATES ", " QUIET "}",
     "the SLO's name \"a\" must be two or more letters, digits, '-', '_' or '.', and begin and end with a "
     "letter or digit",
     4},
    {"{name: a-b, objective: 99, " RATES "}",
     "SLO \"a-b\": its alerts need a name (alerting.name), unless both are disabled", 4},
    {"{name: a-b, objective: 99, " QUIET "}", "SLO \"a-b\": its sli must be one of events and raw", 4},
    {"{name: a-b, objective: 99, sli: {raw: {error_ratio_query: 'rate(e[5m])'}}, " QUIET "}",
     "SLO \"a-b\": the query of the error ratio must contain {{ .window }} where its range stands", 4},
    {"{name: a-b, objective: 99, sli: {raw: {error_ratio_query: 'rate(e[{{.window}}]'}}, " QUIET "}",
     "SLO \"a-b\": the query of the error ratio: 1:11: parse error: unclosed left parenthesis", 4},
    {"{name: a-b, objective: 99, sli: {raw: {error_ratio_query: "
     "'rate(e{a=\"{{.other}}\"}[{{.window}}])'}}, " QUIET "}",
     "SLO \"a-b\": the query of the error ratio: template: sliExpr:1:12: executing \"sliExpr\" at <.other>: "
     "can't evaluate "
     "field other in type map[string]string",
     4},
    {"{name: a-b, objective: 99, sli: {events: {error_query: 'rate(e[{{.window}}])', total_query: "
     "'rate(e[{{.window}}])'}}, " QUIET "}",
     "SLO \"a-b\": the error query and the total query are the same", 4},
    {"{name: a-b, objective: 99, labels: {sloth_id: x}, " RATES ", " QUIET "}",
     "SLO \"a-b\": the label sloth_id is set by the generated rules; name yours differently", 4},
    {"{name: a-b, objective: 99, labels: {x: ''}, " RATES ", " QUIET "}",
     "SLO \"a-b\": the label x has no value", 4},
    {"{name: a-b, objective: 99, plugins: {chain: []}, " RATES ", " QUIET "}",
     "plugins of Sloth are Go code, which Tocsin does not run; write what they make as a query, or take them "
     "out",
     4},
    {"{name: a-b, objective: 99, alert: {}, " RATES ", " QUIET "}",
     "yaml: unmarshal errors:\n  line 4: field alert not found in type v1.SLO", 0},
};

static void test_what_is_wrong_is_told_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[1024];
        struct slo_file *file;
        struct err err = {0};
        snprintf(text, sizeof text, "version: prometheus/v1\nservice: shop\nslos:\n- %s\n", bad[i].slo);
        assert_int_not_equal(slo_file_parse(str_of(text), &file, &err), 0);
        assert_null(file);
        assert_string_equal(err.text, bad[i].why);
        assert_int_equal(err.line, bad[i].line);
    }
}

static const char *why_not(const char *text)
{
    static struct err err;
    struct slo_file *file;
    err = (struct err){0};
    assert_int_not_equal(slo_file_parse(str_of(text), &file, &err), 0);
    return err.text;
}

static void test_documents_that_are_none(void **state)
{
#define ONE "{name: a-b, objective: 99, " RATES ", " QUIET "}"
    static const char form[] =
        "no SLOs of a known form: there must be `version: prometheus/v1`, or `apiVersion: "
        "sloth.slok.dev/v1` with `kind: PrometheusServiceLevel`";
    (void)state;
    assert_string_equal(why_not(""), "the file is empty");
    assert_string_equal(why_not("version: prometheus/v2\n"), form);
    assert_string_equal(why_not("- a\n"), form);
    assert_string_equal(why_not("version: prometheus/v1\nservice: shop\n"),
                        "there must be at least one SLO (slos)");
    assert_string_equal(why_not("version: prometheus/v1\nservice: shop\nslos:\n- " ONE "\n- " ONE "\n"),
                        "SLO \"a-b\" is there twice; the first one begins in line 4");
}

static void test_windows_that_cannot_be(void **state)
{
    static const char *const rows[][2] = {
        {"5m, longWindow: 5m",
         "page.quick: longWindow must be longer than shortWindow, and both must be there"},
        {"5m, longWindow: 7d", "page.quick: longWindow must be shorter than sloPeriod"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        struct slo_catalogue c;
        struct err err = {0};
        snprintf(text, sizeof text,
                 "kind: AlertWindows\nspec: {sloPeriod: 7d, page: {quick: {errorBudgetPercent: 2, "
                 "shortWindow: %s}}}\n",
                 rows[i][0]);
        assert_int_equal(slo_catalogue_parse(str_of(text), &c, &err), ERR_PARSE);
        assert_string_equal(err.text, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_becomes_sloths_rules),
        cmocka_unit_test(test_an_object_becomes_the_operators_rules),
        cmocka_unit_test(test_windows_of_a_file_are_used),
        cmocka_unit_test(test_what_is_generated_loads_as_rules),
        cmocka_unit_test(test_burn_factors),
        cmocka_unit_test(test_what_is_wrong_is_told_with_its_line),
        cmocka_unit_test(test_documents_that_are_none),
        cmocka_unit_test(test_windows_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
