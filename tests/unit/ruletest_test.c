#include "tocsin/ruletest.h"

#include "tocsin/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/tocsin_ruletest_XXXXXX";

static const char rules[] = "groups:\n"
                            "- name: g\n"
                            "  rules:\n"
                            "  - {alert: A, expr: m > 2, labels: {l: x}, annotations: {v: '{{ $value }}'}}\n"
                            "  - {record: doubled, expr: m * 2}\n";

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void put_file(const char *name, const char *text)
{
    FILE *f = fopen(path_of(name), "w");
    must(f != NULL);
    must(fputs(text, f) >= 0);
    must(fclose(f) == 0);
}

static int make_folder(void **state)
{
    (void)state;
    must(mkdtemp(folder) != NULL);
    put_file("rules.yml", rules);
    put_file("broken.yml", "groups: [{name: g, rules: [{record: r, expr: ')'}]}]");
    put_file("failing.yml", "groups: [{name: g, rules: [{record: r, expr: 'm[5m]'}]}]");
    put_file("chain.yml", "groups:\n"
                          "- name: g\n"
                          "  rules:\n"
                          "  - {record: base, expr: m}\n"
                          "  - {record: middle, expr: base * 2}\n"
                          "  - {alert: Top, expr: middle > 1}\n"
                          "  - {record: unread, expr: m * 3}\n"
                          "  - {alert: Unnamed, expr: unread > 1}\n"
                          "  - {alert: Watched, expr: m > 100}\n"
                          "  - {record: job:m:sum, expr: sum(m)}\n");
    put_file("order.yml", "groups:\n"
                          "- {name: a, rules: [{record: last, expr: first}]}\n"
                          "- {name: b, rules: [{record: first, expr: m}]}\n");
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"rules.yml", "broken.yml", "failing.yml",
                                        "order.yml", "test.yml",   "chain.yml"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(path_of(names[i]));
    return rmdir(folder);
}

struct outcome {
    int code;
    struct ruletest_report report;
    char *out, *errors;
    size_t out_bytes, errors_bytes;
};

static struct outcome run_path(const char *path, const char *run)
{
    struct outcome o = {0};
    struct str name = str_of(run);
    struct ruletest_options options = {
        .features = promql_features_default, .run = &name, .run_count = run != NULL};
    FILE *out = open_memstream(&o.out, &o.out_bytes), *errors = open_memstream(&o.errors, &o.errors_bytes);
    o.code = ruletest_run(world_real(), path, &options, out, errors, &o.report);
    fclose(out);
    fclose(errors);
    return o;
}

static struct outcome run_text(const char *text)
{
    put_file("test.yml", text);
    return run_path(path_of("test.yml"), NULL);
}

static void outcome_free(struct outcome *o)
{
    free(o->out);
    free(o->errors);
}

static void expect(struct outcome o, unsigned passed, unsigned failed, const char *errors)
{
    assert_string_equal(o.errors, errors);
    assert_int_equal(o.report.passed, passed);
    assert_int_equal(o.report.failed, failed);
    assert_int_equal(o.code, 0);
    outcome_free(&o);
}

static void expect_refused(struct outcome o, const char *errors)
{
    assert_string_equal(o.errors, errors);
    assert_true(o.code < 0);
    outcome_free(&o);
}

#define HEAD "rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n"
#define INPUT "  interval: 1m\n  input_series: [{series: 'm{i=\"1\"}', values: '1+1x10'}]\n"

static void a_file_that_passes_says_success(void **state)
{
    (void)state;
    struct outcome o = run_text(
        HEAD "- name: fine\n" INPUT "  alert_rule_test:\n"
             "  - {eval_time: 1m, alertname: A}\n"
             "  - eval_time: 2m\n"
             "    alertname: A\n"
             "    exp_alerts: [{exp_labels: {i: 1, l: x}, exp_annotations: {v: 3}}]\n"
             "  promql_expr_test:\n"
             "  - {expr: doubled, eval_time: 3m, exp_samples: [{labels: 'doubled{i=\"1\"}', value: 8}]}\n");
    assert_string_equal(o.errors, "");
    char wanted[512];
    snprintf(wanted, sizeof wanted, "Unit Testing:  %s\n  SUCCESS\n\n", path_of("test.yml"));
    assert_string_equal(o.out, wanted);
    assert_int_equal(o.report.passed, 1);
    outcome_free(&o);
}

static void differing_alerts_are_shown_as_promtool_shows_them(void **state)
{
    (void)state;
    expect(
        run_text(
            HEAD
            "- name: N\n" INPUT "  alert_rule_test:\n"
            "  - {eval_time: 2m30s, alertname: A, exp_alerts: [{exp_labels: {b: c}}, {exp_labels: {a: b}}]}\n"
            "  - {eval_time: 0m, alertname: A, exp_alerts: []}\n"),
        0, 1,
        "  FAILED:\n"
        "    name: N,\n"
        "    alertname: A, time: 2m30s, \n"
        "        exp:[\n"
        "            0:\n"
        "              Labels:{a=\"b\", alertname=\"A\"}\n"
        "              Annotations:{},\n"
        "            1:\n"
        "              Labels:{alertname=\"A\", b=\"c\"}\n"
        "              Annotations:{}\n"
        "            ], \n"
        "        got:[\n"
        "            0:\n"
        "              Labels:{alertname=\"A\", i=\"1\", l=\"x\"}\n"
        "              Annotations:{v=\"3\"}\n"
        "            ]\n");
}

static void differing_samples_are_shown_as_promtool_shows_them(void **state)
{
    (void)state;
    expect(run_text(HEAD "- name: N\n" INPUT "  promql_expr_test:\n"
                         "  - {expr: m, eval_time: 1m, exp_samples: [{labels: 'm', value: 3}, {labels: 'a', "
                         "value: 1e20}]}\n"
                         "  - {expr: none, eval_time: 1m, exp_samples: [{labels: 'm', value: .nan}]}\n"
                         "  - {expr: 'sum(', eval_time: 1m}\n"
                         "  - {expr: m, eval_time: 1m, exp_samples: [{labels: '{', value: 3}]}\n"
                         "  - {expr: '\"text\"', eval_time: 1m}\n"),
           0, 1,
           "  FAILED:\n"
           "    expr: \"m\", time: 1m,\n"
           "        exp: {__name__=\"a\"} 1E+20, {__name__=\"m\"} 3E+00\n"
           "        got: {__name__=\"m\", i=\"1\"} 2E+00\n"
           "    expr: \"none\", time: 1m,\n"
           "        exp: {__name__=\"m\"} NaN\n"
           "        got: nil\n"
           "    expr: \"sum(\", time: 1m, err: 1:5: parse error: unclosed left parenthesis\n"
           "    expr: \"m\", time: 1m, err: labels \"{\": 1:2: parse error: unexpected end of input inside "
           "braces\n"
           "    expr: \"\\\"text\\\"\", time: 1m, err: rule result is not a vector or scalar\n");
}

static void nan_never_equals_nan(void **state)
{
    (void)state;
    struct outcome o = run_text(
        HEAD "- interval: 1m\n"
             "  promql_expr_test: [{expr: vector(NaN), eval_time: 1m, exp_samples: [{value: .nan}]}]\n");
    assert_int_equal(o.report.failed, 1);
    outcome_free(&o);
}

static void fuzzy_compare_lets_neighbours_pass(void **state)
{
    (void)state;
    const char *test = "tests:\n- promql_expr_test: [{expr: vector(0.1 + 0.2), eval_time: 0m, exp_samples: "
                       "[{value: 0.3}]}]\n";
    char text[512];
    snprintf(text, sizeof text, "fuzzy_compare: true\n%s", test);
    expect(run_text(text), 1, 0, "");
    expect(run_text(test), 0, 1,
           "  FAILED:\n"
           "    expr: \"vector(0.1 + 0.2)\", time: 0s,\n"
           "        exp: {} 3E-01\n"
           "        got: {} 3.0000000000000004E-01\n");
}

static void scalars_count_as_a_sample_without_labels(void **state)
{
    (void)state;
    expect(
        run_text("tests:\n- promql_expr_test: [{expr: 1 + 1, eval_time: 0m, exp_samples: [{value: 2}]}]\n"),
        1, 0, "");
}

static void no_sample_is_seen_before_its_time(void **state)
{
    (void)state;
    expect(run_text(HEAD
                    "- interval: 1m\n"
                    "  input_series: [{series: m, values: '_x4 9'}]\n"
                    "  promql_expr_test:\n"
                    "  - {expr: 'count_over_time(doubled[10m])', eval_time: 4m, exp_samples: [{value: 1}]}\n"
                    "  - {expr: 'count_over_time(doubled[10m] offset 1m)', eval_time: 4m}\n"),
           1, 0, "");
}

static void a_start_timestamp_moves_the_whole_test(void **state)
{
    (void)state;
    expect(run_text(
               HEAD
               "- start_timestamp: 2026-01-02T03:04:05Z\n" INPUT "  promql_expr_test:\n"
               "  - {expr: time(), eval_time: 1m, exp_samples: [{value: 1767323105}]}\n"
               "  - {expr: doubled, eval_time: 1m, exp_samples: [{labels: 'doubled{i=\"1\"}', value: 4}]}\n"
               "- start_timestamp: 1000.5\n" INPUT "  promql_expr_test: [{expr: timestamp(m), eval_time: 1m, "
               "exp_samples: [{labels: '{i=\"1\"}', value: 1060.5}]}]\n"),
           2, 0, "");
}

static void groups_run_in_the_order_asked_for(void **state)
{
    (void)state;
    const char *form =
        "rule_files: [order.yml]\n%stests:\n- interval: 1m\n  input_series: [{series: m, values: '1'}]\n"
        "  promql_expr_test: [{expr: last, eval_time: 0m, exp_samples: [%s]}]\n";
    char text[512];
    snprintf(text, sizeof text, form, "group_eval_order: [b, a]\n", "{labels: last, value: 1}");
    expect(run_text(text), 1, 0, "");
    snprintf(text, sizeof text, form, "group_eval_order: [b]\n", "{labels: last, value: 1}");
    expect(run_text(text), 1, 0, "");
    snprintf(text, sizeof text, form, "", "");
    expect(run_text(text), 1, 0, "");
    snprintf(text, sizeof text, form, "group_eval_order: [b, a, b]\n", "");
    expect_refused(run_text(text), "  FAILED:\ngroup name repeated in evaluation order: b\n");
}

static void a_rule_that_fails_ends_its_test_only(void **state)
{
    (void)state;
    expect(run_text("rule_files: [failing.yml]\nevaluation_interval: 30s\ntests:\n"
                    "- name: N\n" INPUT "  promql_expr_test: [{expr: m, eval_time: 5m, exp_samples: []}]\n"
                    "- name: empty\n"),
           0, 2,
           "  FAILED:\n"
           "    rule: r, time: 0s, err: rule result is not a vector or scalar\n"
           "    rule: r, time: 0s, err: rule result is not a vector or scalar\n");
}

static void a_broken_rule_file_fails_each_test(void **state)
{
    (void)state;
    char wanted[512];
    snprintf(wanted, sizeof wanted,
             "  FAILED:\n%s: 1:46: group \"g\", rule 1, \"r\": could not parse expression: 1:2: parse error: "
             "unexpected "
             "right parenthesis ')'\n",
             path_of("broken.yml"));
    expect(run_text("rule_files: [broken.yml]\ntests:\n- name: N\n"), 0, 1, wanted);
}

static void a_pattern_without_files_is_warned_about(void **state)
{
    (void)state;
    char wanted[512];
    snprintf(wanted, sizeof wanted, "  WARNING: no file match pattern %s\n", path_of("missing*.yml"));
    expect(run_text("rule_files: ['missing*.yml', 'rul*.yml']\ntests: []\n"), 0, 0, wanted);
}

static void an_alert_test_needs_a_name(void **state)
{
    (void)state;
    expect(
        run_text(HEAD
                 "- name: N\n  alert_rule_test: [{eval_time: 5m}]\n- alert_rule_test: [{eval_time: 5m}]\n"),
        0, 2,
        "  FAILED:\n"
        "an item under alert_rule_test misses required attribute alertname at eval_time 5m (in TestGroup N)\n"
        "an item under alert_rule_test misses required attribute alertname at eval_time 5m\n");
}

static void test_files_are_read_strictly(void **state)
{
    (void)state;
    expect_refused(run_text("foo: 1\ntests:\n- bar: 1\n  input_series: [{serie: m}]\n"),
                   "  FAILED:\n"
                   "yaml: unmarshal errors:\n"
                   "  line 1: field foo not found in type main.unitTestFile\n"
                   "  line 3: field bar not found in type main.testGroup\n"
                   "  line 4: field serie not found in type main.series\n");
    expect_refused(run_text("evaluation_interval: 5\n"), "  FAILED:\nnot a valid duration string: \"5\"\n");
    struct outcome o = run_path("/nonexistent/test.yml", NULL);
    assert_true(o.code < 0);
    assert_non_null(strstr(o.errors, "/nonexistent/test.yml"));
    outcome_free(&o);
}

static void run_chooses_tests_by_name(void **state)
{
    (void)state;
    put_file("test.yml", "tests:\n- {name: one two}\n- {name: three}\n- {name: twofold}\n");
    expect(run_path(path_of("test.yml"), "two"), 2, 0, "");
    expect(run_path(path_of("test.yml"), "^three$"), 1, 0, "");
    struct outcome o = run_path(path_of("test.yml"), "(");
    assert_int_equal(o.report.passed, 0);
    assert_true(o.report.failed > 0);
    outcome_free(&o);
}

static void times_beyond_the_clock_are_refused(void **state)
{
    (void)state;
    const char *text = "tests:\n- start_timestamp: 2200-01-01T00:00:00Z\n"
                       "  promql_expr_test: [{expr: '1', eval_time: 200y}]\n";
    expect(run_text(text), 0, 1, "  FAILED:\nthe times of this test are out of range\n");
}

/* ---- beyond the verdict ---- */

static struct outcome run_with(const char *text, const struct ruletest_options *options,
                               struct ruletest_report report)
{
    struct outcome o = {.report = report};
    put_file("test.yml", text);
    FILE *out = open_memstream(&o.out, &o.out_bytes), *errors = open_memstream(&o.errors, &o.errors_bytes);
    struct world_sim sim;
    world_sim_init(&sim, 1000000000 * NS_PER_S, 1);
    o.code = ruletest_run(&sim.world, path_of("test.yml"), options, out, errors, &o.report);
    fclose(out);
    fclose(errors);
    return o;
}

static void covered_is_what_tests_read_and_what_that_reads(void **state)
{
    (void)state;
    const struct ruletest_options options = {.features = promql_features_default};
    struct ruletest_report report = {.coverage = ruletest_coverage_new()};
    char *text, wanted[1024];
    size_t n;
    expect(run_with("rule_files: [chain.yml]\ntests:\n- alert_rule_test: [{eval_time: 0m, alertname: Top}]\n",
                    &options, report),
           1, 0, "");
    expect(run_with("rule_files: [./chain.yml]\ntests:\n- promql_expr_test:\n  - {expr: "
                    "'ALERTS{alertname=~\"W.*\"}', eval_time: 0m}\n"
                    "  - {expr: 'count({__name__=~\"job:.*\"}) and on () base', eval_time: 0m}\n",
                    &options, report),
           1, 0, "");
    FILE *out = open_memstream(&text, &n);
    ruletest_coverage_print(report.coverage, out);
    fclose(out);
    snprintf(wanted, sizeof wanted,
             "Coverage: 5 of 7 rules tested\n  %s/chain.yml:7:28: record unread\n  %s/chain.yml:8:28: alert "
             "Unnamed\n\n",
             folder, folder);
    assert_string_equal(text, wanted);
    free(text);
    ruletest_coverage_free(report.coverage);
}

static void junit_holds_what_promtool_writes(void **state)
{
    (void)state;
    const struct ruletest_options options = {.features = promql_features_default};
    struct buf junit;
    struct ruletest_report report = {.junit = &junit};
    char wanted[2048];
    buf_init(&junit, 1 << 16);
    struct outcome o =
        run_with(HEAD "- name: '<a> & \"b\"'\n- promql_expr_test: [{expr: vector(1), eval_time: 0m}]\n",
                 &options, report);
    outcome_free(&o);
    o = run_with("7", &options, report);
    outcome_free(&o);
    snprintf(wanted, sizeof wanted,
             "<testsuite name=\"%s\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\" "
             "timestamp=\"2001-09-09T01:46:40\">"
             "<testcase name=\"&lt;a&gt; &amp; &#34;b&#34;\"></testcase><testcase "
             "name=\"unnamed#1\"><failure>    expr: "
             "&#34;vector(1)&#34;, time: 0s,&#xA;        exp: nil&#xA;        got: {} "
             "1E+00</failure></testcase></testsuite>"
             "<testsuite name=\"%s\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\" "
             "timestamp=\"\"><testcase "
             "name=\"unknown\"><error>yaml: unmarshal errors:&#xA;  line 1: cannot unmarshal !!int `7` into "
             "main.unitTestFile</error></testcase></testsuite>",
             path_of("test.yml"), path_of("test.yml"));
    assert_string_equal(buf_text(&junit), wanted);
    buf_release(&junit);
}

static void a_diff_shows_lines_missed_and_lines_too_many(void **state)
{
    (void)state;
    const struct ruletest_options options = {.features = promql_features_default, .diff = true};
    expect(
        run_with(
            HEAD
            "- interval: 1m\n  input_series: [{series: 'm{i=\"1\"}', values: 3}]\n"
            "  alert_rule_test:\n  - {eval_time: 0m, alertname: A, exp_alerts: [{exp_labels: {i: 2, l: x}, "
            "exp_annotations: {v: 3}}]}\n"
            "  promql_expr_test:\n  - {expr: m, eval_time: 0m, exp_samples: [{labels: m, value: 3}]}\n",
            &options, (struct ruletest_report){0}),
        0, 1,
        "  FAILED:\n"
        "    alertname: A, time: 0s, \n"
        "        diff:\n"
        "              Labels:\n"
        "                alertname=\"A\"\n"
        "            -   i=\"2\"\n"
        "            +   i=\"1\"\n"
        "                l=\"x\"\n"
        "              Annotations:\n"
        "                v=\"3\"\n"
        "    expr: \"m\", time: 0s,\n"
        "        diff:\n"
        "            - {__name__=\"m\"} 3E+00\n"
        "            + {__name__=\"m\", i=\"1\"} 3E+00\n");
}

static void debug_tells_the_test_and_all_its_samples(void **state)
{
    (void)state;
    const struct ruletest_options options = {.features = promql_features_default, .debug = true};
    expect(run_with("tests:\n- name: N\n  interval: 1m\n  input_series: [{series: m, values: 1 2.5 7}]\n"
                    "  promql_expr_test: [{expr: vector(1), eval_time: 1m, exp_samples: [{labels: '{}', "
                    "value: 1}]}]\n",
                    &options, (struct ruletest_report){0}),
           1, 0,
           "DEBUG: Starting test N\n"
           "DEBUG: Dump of all data (input_series and rules) at 1m1s:\n"
           "{__name__=\"m\"} =>\n"
           "1 @[0]\n"
           "2.5 @[60000]\n"
           "DEBUG: Test N finished, took 0s\n");
}

static void pending_alerts_are_compared_where_they_are_expected(void **state)
{
    (void)state;
    put_file("order.yml", "groups: [{name: g, rules: [{alert: W, expr: m > 0, for: 2m}]}]");
    expect(run_text(
               "rule_files: [order.yml]\ntests:\n- interval: 1m\n  input_series: [{series: m, values: 1x5}]\n"
               "  alert_rule_test:\n"
               "  - {eval_time: 1m, alertname: W}\n"
               "  - {eval_time: 1m, alertname: W, exp_pending: [{}]}\n"
               "  - {eval_time: 1m, alertname: W, exp_pending: []}\n"
               "  - {eval_time: 2m, alertname: W, exp_alerts: [{}], exp_pending: []}\n"),
           0, 1,
           "  FAILED:\n"
           "    alertname: W, time: 1m, \n"
           "        exp_pending:[], \n"
           "        got_pending:[\n"
           "            0:\n"
           "              Labels:{alertname=\"W\"}\n"
           "              Annotations:{}\n"
           "            ]\n");
}

/* Two partial ones that fit the same alert, where only one order of giving leaves none without. */
static void partial_matches_find_the_one_way_that_works(void **state)
{
    (void)state;
    const char *text = "rule_files: []\ntests:\n- interval: 1m\n"
                       "  input_series: [{series: 'm{a=\"1\",b=\"1\"}', values: 1}, {series: "
                       "'m{a=\"1\",b=\"2\"}', values: 1},\n"
                       "    {series: 'm{a=\"2\",b=\"2\"}', values: 1}]\n"
                       "  promql_expr_test: [{expr: m, eval_time: 0m, exp_samples: [%s]}]\n";
    static const struct {
        const char *samples;
        bool fits;
    } cases[] = {
        {"{labels: '{}', value: 1, partial: true}, {labels: '{a=\"1\"}', value: 1, partial: true}, "
         "{labels: '{b=\"1\"}', value: 1, partial: true}",
         true},
        {"{labels: '{a=\"1\"}', value: 1, partial: true}, {labels: '{a=\"1\"}', value: 1, partial: true}, "
         "{labels: '{b=\"1\"}', value: 1, partial: true}",
         false},
        {"{labels: '{a=\"1\"}', value: 1, partial: true}, {labels: 'm{a=\"1\",b=\"1\"}', value: 1}, "
         "{labels: '{b=\"2\"}', value: 1, partial: true}",
         true},
        {"{labels: '{}', value: 1, partial: true}, {labels: '{}', value: 1, partial: true}", false},
        {"{labels: '{}', value: 1, partial: true}, {labels: '{}', value: 2, partial: true}, {labels: '{}', "
         "value: 1, partial: true}",
         false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char whole[1024];
        snprintf(whole, sizeof whole, text, cases[i].samples);
        struct outcome o = run_text(whole);
        assert_int_equal(o.report.passed, cases[i].fits);
        assert_int_equal(o.report.failed, !cases[i].fits);
        outcome_free(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_passes_says_success),
        cmocka_unit_test(differing_alerts_are_shown_as_promtool_shows_them),
        cmocka_unit_test(differing_samples_are_shown_as_promtool_shows_them),
        cmocka_unit_test(nan_never_equals_nan),
        cmocka_unit_test(fuzzy_compare_lets_neighbours_pass),
        cmocka_unit_test(scalars_count_as_a_sample_without_labels),
        cmocka_unit_test(no_sample_is_seen_before_its_time),
        cmocka_unit_test(a_start_timestamp_moves_the_whole_test),
        cmocka_unit_test(groups_run_in_the_order_asked_for),
        cmocka_unit_test(a_rule_that_fails_ends_its_test_only),
        cmocka_unit_test(a_broken_rule_file_fails_each_test),
        cmocka_unit_test(a_pattern_without_files_is_warned_about),
        cmocka_unit_test(an_alert_test_needs_a_name),
        cmocka_unit_test(test_files_are_read_strictly),
        cmocka_unit_test(run_chooses_tests_by_name),
        cmocka_unit_test(times_beyond_the_clock_are_refused),
        cmocka_unit_test(covered_is_what_tests_read_and_what_that_reads),
        cmocka_unit_test(junit_holds_what_promtool_writes),
        cmocka_unit_test(a_diff_shows_lines_missed_and_lines_too_many),
        cmocka_unit_test(debug_tells_the_test_and_all_its_samples),
        cmocka_unit_test(partial_matches_find_the_one_way_that_works),
        cmocka_unit_test(pending_alerts_are_compared_where_they_are_expected),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
