#include "tocsin/rulecheck.h"

#include "tocsin/check.h"
#include "tocsin/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- a server that knows one metric ---- */

enum { ASKED_MAX = 32 };

static char *asked[ASKED_MAX];
static size_t asked_count;
static int answer_status;
static const char *answer_error; /* not NULL: no answer comes */

static int serve(struct world *w, const struct net_request *request, net_done *done, void *context)
{
    (void)w;
    struct net_answer answer = {.status = answer_status, .retry_after_ms = -1};
    must(asked_count < ASKED_MAX);
    asked[asked_count++] = mem_copy_text(request->url, strlen(request->url));
    bool known = strstr(request->url, "%22there%22") != NULL;
    answer.body = known ? STR("{\"status\":\"success\",\"data\":[{\"__name__\":\"there\",\"a\":\"")
                        : /* cut short */
                      STR("{\"status\":\"success\",\"data\":[ ]}\n");
    if (answer_error != NULL) {
        answer.status = 0;
        err_set(&answer.error, ERR_IO, "%s", answer_error);
    }
    done(context, &answer);
    return 0;
}

struct printed {
    char *out, *errors;
    size_t out_bytes, errors_bytes;
    int status;
};

static struct printed check(const char *text, const struct rulecheck_options *options)
{
    struct printed p;
    struct world_sim sim;
    world_sim_init(&sim, 7200 * NS_PER_S, 1);
    sim.world.send = serve;
    FILE *out = open_memstream(&p.out, &p.out_bytes), *errors = open_memstream(&p.errors, &p.errors_bytes);
    p.status = rulecheck_text(&sim.world, str_of(text), options, out, errors);
    fclose(out);
    fclose(errors);
    return p;
}

static void expect(struct printed p, int status, const char *errors)
{
    assert_string_equal(p.errors, errors);
    assert_int_equal(p.status, status);
    free(p.out);
    free(p.errors);
}

static int forget(void **state)
{
    (void)state;
    for (size_t i = 0; i < asked_count; i++)
        mem_free(asked[i]);
    asked_count = 0;
    answer_status = 200;
    answer_error = NULL;
    return 0;
}

static const char rules[] =
    "groups:\n"
    "- name: g\n"
    "  rules:\n"
    "  - {record: made, expr: sum(there)}\n"
    "  - {alert: A, expr: 'made > 1 and on () lost{a=~\"b|c\"} > 2'}\n"
    "  - {alert: B, expr: 'absent(expected_to_be_lost) or sum(rate(lost{a=~\"b|c\"}[5m] offset 1h)) > 1'}\n"
    "  - {alert: C, expr: 'ALERTS{alertname=\"A\"} and on () {__name__=~\"there\",x=\"y\"} and on () "
    "there'}\n";

static const struct rulecheck_options all = {
    .lints = LINT_ALL, .fatal = LINT_BIT(LINT_NO_SERIES), .against = "http://h:9/x/"};

static void selectors_that_match_nothing_on_the_server_are_told(void **state)
{
    (void)state;
    expect(check(rules, &all), RULECHECK_LINT,
           "  WARNING: 5:22: group \"g\", rule 2, \"A\": {__name__=\"lost\",a=~\"b|c\"} matched no series in "
           "the last hour "
           "(no-series)\n");
}

static void each_selector_is_asked_for_once_but_not_what_rules_make(void **state)
{
    (void)state;
    struct printed p = check(rules, &all);
    assert_int_equal(asked_count, 3);
    assert_string_equal(asked[0], "http://h:9/x/api/v1/series?limit=1&start=3600&end=7260&match[]="
                                  "%7B%5F%5Fname%5F%5F%3D%22there%22%7D");
    assert_non_null(strstr(asked[1], "%22lost%22%2Ca%3D%7E%22b%7Cc%22%7D"));
    assert_non_null(strstr(asked[2], "%3D%7E%22there%22%2Cx%3D%22y%22%7D"));
    expect(p, RULECHECK_LINT, p.errors);
}

static void nobody_is_asked_unless_wanted(void **state)
{
    (void)state;
    struct rulecheck_options options = all;
    options.against = NULL;
    expect(check(rules, &options), 0, "");
    options = all;
    options.lints = LINT_ALL & ~LINT_BIT(LINT_NO_SERIES);
    expect(check(rules, &options), 0, "");
    assert_int_equal(asked_count, 0);
}

static void a_server_that_does_not_answer_is_a_failure(void **state)
{
    (void)state;
    answer_error = "connection refused";
    expect(check(rules, &all), RULECHECK_FAILED, "  FAILED: http://h:9/x/: connection refused\n");
    answer_error = NULL;
    answer_status = 503;
    struct printed p = check(rules, &all);
    assert_non_null(strstr(p.errors, "  FAILED: http://h:9/x/: HTTP status 503: "));
    expect(p, RULECHECK_FAILED, p.errors);
}

static void without_a_network_that_is_said(void **state)
{
    (void)state;
    char *out, *errors;
    size_t n, m;
    FILE *o = open_memstream(&out, &n), *e = open_memstream(&errors, &m);
    struct world_sim sim;
    world_sim_init(&sim, 0, 1);
    assert_int_equal(rulecheck_text(&sim.world, str_of(rules), &all, o, e), RULECHECK_FAILED);
    fclose(o);
    fclose(e);
    assert_string_equal(errors, "  FAILED: there is no network to ask http://h:9/x/ over\n");
    free(out);
    free(errors);
}

/* ---- which lints ---- */

static void lists_of_lints_are_read_as_promtool_reads_them(void **state)
{
    (void)state;
    char *told;
    size_t n;
    FILE *out = open_memstream(&told, &n);
    assert_int_equal(rule_lints_read(STR("all"), out), LINT_ALL);
    assert_int_equal(rule_lints_read(STR("none"), out), 0);
    assert_int_equal(rule_lints_read(STR(""), out), 0);
    assert_int_equal(rule_lints_read(STR("never-true,duplicate-rules"), out),
                     LINT_BIT(LINT_NEVER_TRUE) | LINT_BIT(LINT_DUPLICATE_RULES));
    fflush(out);
    assert_string_equal(told, "");
    assert_int_equal(rule_lints_read(STR("typo,short-for"), out), LINT_BIT(LINT_SHORT_FOR));
    fclose(out);
    assert_string_equal(told, "WARNING: unknown lint option: \"typo\"\n");
    free(told);
    for (unsigned i = 0; i < LINT_COUNT; i++)
        assert_int_equal(rule_lints_read(str_of(rule_lint_name(i)), stderr), LINT_BIT(i));
}

static const char never[] = "groups: [{name: g, rules: [{alert: A, expr: count(x) == 0}]}]";
static const char never_told[] =
    "  WARNING: 1:45: group \"g\", rule 1, \"A\": count(x) == 0 is never true: where nothing is "
    "counted there is no result (never-true)\n";

static void a_lint_is_told_only_if_asked_for_and_fatal_only_if_said(void **state)
{
    (void)state;
    struct rulecheck_options options = {.lints = LINT_BIT(LINT_NEVER_TRUE)};
    expect(check(never, &options), 0, never_told);
    options.fatal = LINT_BIT(LINT_ALWAYS_TRUE);
    expect(check(never, &options), 0, never_told);
    options.fatal = LINT_BIT(LINT_NEVER_TRUE);
    expect(check(never, &options), RULECHECK_LINT, never_told);
    options.lints = LINT_ALL & ~LINT_BIT(LINT_NEVER_TRUE);
    expect(check(never, &options), 0, "");
}

static void a_refused_text_is_worse_than_a_warning(void **state)
{
    (void)state;
    struct rulecheck_options options = {.lints = LINT_ALL, .fatal = LINT_ALL};
    expect(check("groups: [{name: ''}]", &options), RULECHECK_FAILED,
           "  FAILED:\n1:10: Groupname must not be empty\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(selectors_that_match_nothing_on_the_server_are_told, forget),
        cmocka_unit_test_setup(each_selector_is_asked_for_once_but_not_what_rules_make, forget),
        cmocka_unit_test_setup(nobody_is_asked_unless_wanted, forget),
        cmocka_unit_test_setup(a_server_that_does_not_answer_is_a_failure, forget),
        cmocka_unit_test_setup(without_a_network_that_is_said, forget),
        cmocka_unit_test(lists_of_lints_are_read_as_promtool_reads_them),
        cmocka_unit_test_setup(a_lint_is_told_only_if_asked_for_and_fatal_only_if_said, forget),
        cmocka_unit_test_setup(a_refused_text_is_worse_than_a_warning, forget),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
