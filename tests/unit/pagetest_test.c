#include "../../engine/daemon/pagetest_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tocsin/log.h"

#define ROUTES                                                                               \
    "routes\n"                                                                               \
    "  route: {receiver: pager, group_wait: 1s, group_interval: 10s, repeat_interval: 1h}\n" \
    "  receivers: [{name: pager, webhook_configs: [{url: 'http://pager/'}]}]\n"              \
    "end\n"
/* The line after ROUTES. */
enum { BODY = 5 };

static struct buf detail;

static int set_up(void **state)
{
    (void)state;
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, -1); /* attempts that fail are told as warnings */
    buf_init(&detail, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_release(&detail);
    return 0;
}

static int play(const char *text, struct page_report *report, struct err *err)
{
    struct page_script script;
    *report = (struct page_report){.detail = &detail};
    buf_clear(&detail);
    int rc = page_script_parse(&script, str_of(text), err);
    if (rc != 0)
        fail_msg("%s\nline %d: %s", text, err->line, err->text);
    rc = page_script_play(&script, "t.page", report, err);
    arena_release(&script.arena);
    return rc;
}

static void expect(const char *body, uint64_t passed, uint64_t failed, const char *report)
{
    char text[4096];
    struct page_report got;
    struct err err = {0};
    snprintf(text, sizeof text, "%s%s", ROUTES, body);
    if (play(text, &got, &err) != 0)
        fail_msg("%s\n%s", text, err.text);
    if (got.passed != passed || got.failed != failed || strcmp(buf_text(&detail), report) != 0)
        fail_msg("%s\nexpected %llu passed, %llu failed:\n%s\ngot %llu passed, %llu failed:\n%s", text,
                 (unsigned long long)passed, (unsigned long long)failed, report,
                 (unsigned long long)got.passed, (unsigned long long)got.failed, buf_text(&detail));
}

static void a_page_in_its_time_passes_and_so_does_the_silence_around_it(void **state)
{
    (void)state;
    expect("at 1s post A{severity=\"page\"}\n"
           "between 2s and 2s pager firing\n"
           "  firing A{severity=\"page\"}\n"
           "at 20s resolve A{severity=\"page\"}\n"
           "between 20s and 31s pager resolved\n"
           "until 10m\n",
           3, 0, "");
}

static void silence_alone_is_one_case(void **state)
{
    (void)state;
    expect("until 1h\n", 1, 0, "");
}

static void a_page_nobody_expected_fails(void **state)
{
    (void)state;
    expect("at 1s post A{severity=\"page\"}\n"
           "until 10m\n",
           0, 1,
           "t.page:0: a page nobody expected: at 2s pager was told firing: firing "
           "{alertname=\"A\", severity=\"page\"}\n");
}

static void a_page_that_does_not_come_fails_at_its_line(void **state)
{
    (void)state;
    expect("between 2s and 3s pager firing\n"
           "until 10m\n",
           0, 1, "t.page:5: pager was not told firing in that time\n");
}

static void a_page_outside_its_time_fails_twice(void **state)
{
    (void)state;
    expect("at 1s post A\n"
           "\n"
           "between 3s and 4s pager firing\n"
           "until 10m\n",
           0, 2,
           "t.page:0: a page nobody expected: at 2s pager was told firing: firing {alertname=\"A\"}\n"
           "t.page:7: pager was not told firing in that time\n");
    expect("at 1s post A\n"
           "between 1s and 1.999s pager firing\n"
           "until 10m\n",
           0, 2,
           "t.page:0: a page nobody expected: at 2s pager was told firing: firing {alertname=\"A\"}\n"
           "t.page:6: pager was not told firing in that time\n");
}

static void wrong_labels_fail(void **state)
{
    (void)state;
    static const char *const wrong[] = {"firing A{x=\"2\"}", "firing A", "firing B{x=\"1\"}",
                                        "resolved A{x=\"1\"}", "firing A{x=\"1\",y=\"1\"}"};
    char body[512];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(body, sizeof body,
                 "at 1s post A{x=\"1\"}\nbetween 2s and 2s pager firing\n  %s\nuntil 10m\n", wrong[i]);
        expect(body, 0, 2,
               "t.page:0: a page nobody expected: at 2s pager was told firing: firing {alertname=\"A\", "
               "x=\"1\"}\n"
               "t.page:6: pager was not told firing in that time\n");
    }
}

static void an_alert_too_many_or_too_few_fails(void **state)
{
    (void)state;
    expect("at 1s post A{x=\"1\"}\n"
           "at 1s post A{x=\"2\"}\n"
           "between 2s and 2s pager firing\n"
           "  firing A{x=\"1\"}\n"
           "between 2s and 2s pager firing\n"
           "  firing A{x=\"1\"}\n"
           "  firing A{x=\"2\"}\n"
           "until 10m\n",
           1, 1, "t.page:7: pager was not told firing in that time\n");
}

static void a_page_of_the_wrong_kind_or_to_another_receiver_fails(void **state)
{
    (void)state;
    static const char unexpected[] =
        "t.page:0: a page nobody expected: at 2s pager was told firing: firing {alertname=\"A\"}\n";
    char report[512];
    snprintf(report, sizeof report, "%st.page:6: pager was not told resolved in that time\n", unexpected);
    expect("at 1s post A\nbetween 2s and 2s pager resolved\nuntil 10m\n", 0, 2, report);
    snprintf(report, sizeof report, "%st.page:6: desk was not told firing in that time\n", unexpected);
    expect("at 1s post A\nbetween 2s and 2s desk firing\nuntil 10m\n", 0, 2, report);
}

static void one_page_meets_one_expectation(void **state)
{
    (void)state;
    expect("at 1s post A\n"
           "between 2s and 9s pager firing\n"
           "between 2s and 9s pager firing\n"
           "until 10m\n",
           1, 1, "t.page:7: pager was not told firing in that time\n");
}

static void a_refused_page_has_not_arrived(void **state)
{
    (void)state;
    expect("at 0s answer pager 503\n"
           "at 1s post A\n"
           "at 6s answer pager 200\n"
           "between 6s and 14s pager firing\n"
           "until 30m\n",
           2, 0, "");
    expect("at 0s answer pager 0\n"
           "at 1s post A\n"
           "until 30m\n",
           1, 0, "");
}

static void rules_are_played_on_their_series(void **state)
{
    (void)state;
    static const char body[] = "rules every 30s\n"
                               "  groups: [{name: g, rules: [{alert: Down, expr: up == 0, for: 1m}]}]\n"
                               "end\n"
                               "series every 30s\n"
                               "  # healthy for a minute\n"
                               "  up 1 1 1 0x20\n"
                               "end\n"
                               "between %s pager firing\n"
                               "  firing Down\n"
                               "until 5m\n";
    char text[1024];
    snprintf(text, sizeof text, body, "2m30s and 3m1s");
    expect(text, 2, 0, "");
    snprintf(text, sizeof text, body, "1m and 2m29s");
    struct page_report report;
    struct err err = {0};
    char whole[2048];
    snprintf(whole, sizeof whole, "%s%s", ROUTES, text);
    assert_int_equal(play(whole, &report, &err), 0);
    assert_int_equal(report.passed, 0);
    assert_int_equal(report.failed, 2);
}

static void what_cannot_be_played_is_an_error_and_no_verdict(void **state)
{
    (void)state;
    struct page_report report;
    struct err err = {0};
    assert_int_equal(play("routes\n  route: {receiver: nobody}\nend\nuntil 1m\n", &report, &err), ERR_PARSE);
    assert_string_equal(err.text, "undefined receiver \"nobody\" used in route");
    assert_int_equal(play(ROUTES
                          "rules\n  groups: [{name: g, rules: [{alert: A, expr: '1 +'}]}]\nend\nuntil 1m\n",
                          &report, &err),
                     ERR_PARSE);
    assert_non_null(strstr(err.text, "could not parse expression"));
    assert_int_equal(report.passed + report.failed, 0);
}

static void bad_scripts_are_refused_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int line;
        const char *message;
    } cases[] = {
        {"", 1, "the script does not say how long to play: add `until TIME`"},
        {ROUTES, BODY, "the script does not say how long to play: add `until TIME`"},
        {"until 1h\n", 2, "the script has no `routes`"},
        {"# note\n\nrooutes\n", 3,
         "unknown word \"rooutes\": routes, rules, objectives, series, contracts, at, between or until"},
        {"routes\n  route: {}\n", 3, "a block is not ended by `end`"},
        {"series\n  up 1\n", 3, "a block is not ended by `end`"},
        {ROUTES "until soon\n", BODY, "not a time: \"soon\""},
        {ROUTES "until -1s\n", BODY, "not a time: \"-1s\""},
        {ROUTES "until 11y\n", BODY, "a script plays ten years at most"},
        {"rules each 1m\nend\n", 1, "only `every DURATION` and `data_wait DURATION` may follow"},
        {"series every 1m data_wait 1m\nend\n", 1, "only `every DURATION` and `late DURATION` may follow"},
        {"series every 1m late\nend\n", 1, "not a time: \"\""},
        {"rules every 0s\nend\n", 1, "this time must be greater than 0"},
        {"rules every 1us\nend\n", 1, "this time must be greater than 0"},
        {"series every x\nend\n", 1, "not a time: \"x\""},
        {"at 1s\n", 1, "after `at TIME` comes post, resolve, answer, silence, expire, trail or restart"},
        {"at noon post A\n", 1, "not a time: \"noon\""},
        {"\nat 1s send A\n", 2,
         "after `at TIME` comes post, resolve, answer, silence, expire, trail or restart"},
        {"at 1s post A{x=\"1\"} twice\n", 1, "something follows the alert"},
        {"at 1s trail pager A\n", 1, "write `trail RECEIVER ALERT says WORDS`"},
        {"at 1s trail pager A{x=\"1\"} y says z\n", 1, "something follows the alert"},
        {"at 1s silence q a=b\n", 1, "write `silence NAME MATCHERS for DURATION`, or `... until resolved`"},
        {"\nat 1s silence q a=b for ever\n", 2, "not a time: \"ever\""},
        {"\nat 1s silence q a for 1h\n", 2, "bad matcher format: a"},
        {"contracts maybe\n", 1, "contracts are on or off"},
        {"at 1s answer pager\n", 1, "answer takes a receiver and an HTTP status"},
        {"at 1s answer pager 600\n", 1, "answer takes a receiver and an HTTP status"},
        {"at 1s answer pager -1\n", 1, "answer takes a receiver and an HTTP status"},
        {"between 1s or 2s pager firing\n", 1, "write `between TIME and TIME RECEIVER firing|resolved`"},
        {"between 1s and late pager firing\n", 1, "not a time: \"late\""},
        {"between 1s and 2s pager shouting\n", 1, "expected `firing` or `resolved`"},
        {"between 1s and 2s firing\n", 1, "expected `firing` or `resolved`"},
        {"between 2s and 1s pager firing\n", 1, "that time ends before it begins"},
        {"between 1s and 2s pager firing\n  firing A\n  pending A\n", 3, "expected `firing` or `resolved`"},
        {"series\n  up 1\n  {\nend\n", 3, "not a series: {"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct page_script script;
        struct err err = {0};
        assert_int_equal(page_script_parse(&script, str_of(cases[i].text), &err), ERR_PARSE);
        if (err.line != cases[i].line || strcmp(err.text, cases[i].message) != 0)
            fail_msg("%s\nexpected line %d: %s\ngot      line %d: %s", cases[i].text, cases[i].line,
                     cases[i].message, err.line, err.text);
        arena_release(&script.arena);
    }
}

static void bad_metrics_and_values_are_told_at_their_line_too(void **state)
{
    (void)state;
    static const char *const texts[] = {"\nat 1s post A{x=}\n",
                                        "\nbetween 1s and 2s pager firing\n  firing A{\n",
                                        "\nseries\n  up 1 oops\nend\n"};
    static const int lines[] = {2, 3, 3};
    for (size_t i = 0; i < 3; i++) {
        struct page_script script;
        struct err err = {0};
        assert_int_equal(page_script_parse(&script, str_of(texts[i]), &err), ERR_PARSE);
        assert_int_equal(err.line, lines[i]);
        assert_true(err.text[0] != '\0');
        arena_release(&script.arena);
    }
}

static void a_script_is_read_into_its_parts(void **state)
{
    (void)state;
    struct page_script script;
    struct err err = {0};
    static const char text[] = ROUTES "rules every 15s\n  groups: []\nend\n"
                                      "at 3s post B\n"
                                      "at 1s restart\n"
                                      "at 3s resolve C\n"
                                      "between 500ms and 1d pager firing\n"
                                      "\tfiring A{a=\"b\"}\n"
                                      "    resolved C\n"
                                      "until 2d\n";
    assert_int_equal(page_script_parse(&script, str_of(text), &err), 0);
    assert_true(str_starts(script.routes, STR("  route: {receiver: pager")));
    assert_true(str_is(script.rules, "  groups: []\n"));
    assert_int_equal(script.rules_interval_ms, 15000);
    assert_int_equal(script.action_count, 3);
    assert_int_equal(script.actions[0].kind, ACTION_RESTART);
    assert_int_equal(script.actions[1].kind, ACTION_POST);
    assert_int_equal(script.actions[2].kind, ACTION_RESOLVE);
    assert_int_equal(script.expectation_count, 1);
    const struct page_expectation *e = &script.expectations[0];
    assert_int_equal(e->line, 11);
    assert_int_equal(e->from_ns, 500 * NS_PER_MS);
    assert_int_equal(e->to_ns, 86400 * NS_PER_S);
    assert_int_equal(e->alert_count, 2);
    assert_true(e->alerts[0].firing && !e->alerts[1].firing);
    assert_true(str_is(labels_get(e->alerts[0].labels, STR("alertname")), "A"));
    assert_true(str_is(labels_get(e->alerts[0].labels, STR("a")), "b"));
    assert_int_equal(script.until_ns, 2 * 86400 * NS_PER_S);
    arena_release(&script.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_in_its_time_passes_and_so_does_the_silence_around_it),
        cmocka_unit_test(silence_alone_is_one_case),
        cmocka_unit_test(a_page_nobody_expected_fails),
        cmocka_unit_test(a_page_that_does_not_come_fails_at_its_line),
        cmocka_unit_test(a_page_outside_its_time_fails_twice),
        cmocka_unit_test(wrong_labels_fail),
        cmocka_unit_test(an_alert_too_many_or_too_few_fails),
        cmocka_unit_test(a_page_of_the_wrong_kind_or_to_another_receiver_fails),
        cmocka_unit_test(one_page_meets_one_expectation),
        cmocka_unit_test(a_refused_page_has_not_arrived),
        cmocka_unit_test(rules_are_played_on_their_series),
        cmocka_unit_test(what_cannot_be_played_is_an_error_and_no_verdict),
        cmocka_unit_test(bad_scripts_are_refused_with_their_line),
        cmocka_unit_test(bad_metrics_and_values_are_told_at_their_line_too),
        cmocka_unit_test(a_script_is_read_into_its_parts),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
