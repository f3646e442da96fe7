#include "command_priv.h"
#include "features_priv.h"
#include "pagetest_priv.h"

#include "tocsin/limits.h"
#include "tocsin/promqltest.h"
#include "tocsin/ruletest.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: tocsin test promql|rules|page [FLAGS] FILE...\n"
    "\n"
    "Runs tests on the simulated clock; nothing is sent anywhere.\n"
    "  promql  Prometheus' test language: load, clear, eval; what its own runner has on is on\n"
    "  rules   promtool's unit-test files for rules, unchanged, with promtool's words and exit codes\n"
    "  page    timetables: what is posted or measured when, and which page must reach whom when\n"
    "\n"
    "examples:\n"
    "  tocsin test rules tests/*_test.yml\n"
    "  tocsin test rules --run='disk|memory' --diff tests/node_test.yml  # some tests, failures as a diff\n"
    "  tocsin test rules --coverage --junit=report.xml tests/*_test.yml  # rules that no test looks at\n"
    "  tocsin test rules --enable-feature=promql-experimental-functions tests/*_test.yml\n"
    "  tocsin test page tests/page/burn_rate.page\n"
    "\n"
    "Beyond promtool an alert_rule_test may say exp_pending (like exp_alerts: alerts that wait for their "
    "`for`), and an\n"
    "expected alert or sample `partial: true` (only the labels and annotations named are compared; \"\" "
    "says: not there).\n"
    "\n"
    "Closes with `N passed, N failed`; exit status 0 if nothing failed, 1 if something did, 2 if a file "
    "cannot be read\n"
    "(rules: 1 for that, too, as promtool).\n";

struct tally {
    uint64_t passed, failed;
};

/* What the flags say, and what goes on from file to file. */
struct testing {
    struct world *world;
    struct promql_features features;
    struct ruletest_options rules;
    const char *junit_file; /* NULL: none */
    struct buf junit;
    struct ruletest_coverage *coverage;
    struct tally tally;
};

static int read_text(struct world *world, const char *path, struct buf *text)
{
    struct err err = {0};
    buf_init(text, (size_t)limits.yaml_bytes);
    int rc = world->read_file(world, path, text, &err);
    if (rc != 0)
        fprintf(stderr, "%s\n", err.text);
    return rc;
}

static int test_promql(struct testing *t, const char *path)
{
    struct buf text, detail;
    buf_init(&detail, (size_t)limits.response_bytes);
    int rc = read_text(t->world, path, &text);
    if (rc == 0) {
        struct promqltest_report report = {.detail = &detail};
        struct err err = {0};
        rc = promqltest_run(t->world, path, buf_slice(&text), &t->features, &report, &err);
        fputs(buf_text(&detail), stdout);
        if (rc != 0)
            fprintf(stderr, "%s:%d: %s\n", path, err.line, err.text);
        t->tally.passed += report.passed;
        t->tally.failed += report.failed;
    }
    buf_release(&text);
    buf_release(&detail);
    return rc;
}

static int test_page(struct testing *t, const char *path)
{
    struct buf text, detail;
    buf_init(&detail, (size_t)limits.response_bytes);
    int rc = read_text(t->world, path, &text);
    if (rc == 0) {
        struct page_report report = {.detail = &detail};
        struct page_script script;
        struct err err = {0};
        rc = page_script_parse(&script, buf_slice(&text), &err);
        script.features = t->features;
        if (rc == 0)
            rc = page_script_play(&script, path, &report, &err);
        fputs(buf_text(&detail), stdout);
        if (rc != 0)
            fprintf(stderr, "%s:%d: %s\n", path, err.line, err.text);
        arena_release(&script.arena);
        t->tally.passed += report.passed;
        t->tally.failed += report.failed;
    }
    buf_release(&text);
    buf_release(&detail);
    return rc;
}

/* A file that cannot be read has failed like its tests: promtool makes no difference. */
static int test_rules(struct testing *t, const char *path)
{
    struct ruletest_report report = {.junit = t->junit_file != NULL ? &t->junit : NULL,
                                     .coverage = t->coverage};
    int rc = ruletest_run(t->world, path, &t->rules, stdout, stderr, &report);
    t->tally.passed += report.passed;
    t->tally.failed += report.failed + (rc != 0);
    return 0;
}

/* What is tested is what `tocsin serve` would run, so a kind begins with its features; the test language has those of
 * Prometheus' own runner. */
static const struct kind {
    const char *name;
    int (*run)(struct testing *t, const char *path);
    const struct promql_features *features;
} kinds[] = {{"promql", test_promql, &promqltest_features},
             {"rules", test_rules, &promql_features_default},
             {"page", test_page, &promql_features_default}};

enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

static const struct kind *find_kind(const struct flag_rest *rest)
{
    for (size_t i = 0; i < KIND_COUNT && rest->count >= 2; i++)
        if (strcmp(rest->items[0], kinds[i].name) == 0)
            return &kinds[i];
    return NULL;
}

static int write_junit(struct testing *t)
{
    struct buf all;
    struct err err = {0};
    buf_init(&all, (size_t)limits.response_bytes);
    buf_puts(&all, "<testsuites>");
    buf_str(&all, buf_slice(&t->junit));
    buf_puts(&all, "</testsuites>");
    int rc = t->world->write_file(t->world, t->junit_file, buf_slice(&all), &err);
    if (rc != 0)
        fprintf(stderr, "failed to write JUnit XML: %s\n", err.text);
    buf_release(&all);
    return rc;
}

static int run_all(struct testing *t, const struct kind *kind, const struct flag_rest *rest)
{
    int status = 0;
    for (size_t i = 1; i < rest->count; i++)
        if (kind->run(t, rest->items[i]) != 0)
            status = 2;
    if (t->coverage != NULL)
        ruletest_coverage_print(t->coverage, stdout);
    if (t->junit_file != NULL && write_junit(t) != 0)
        status = 2;
    printf("%llu passed, %llu failed\n", (unsigned long long)t->tally.passed,
           (unsigned long long)t->tally.failed);
    return status != 0 ? status : t->tally.failed > 0;
}

static int test_kind(struct testing *t, const struct flag_rest *rest, const struct flag_list *features,
                     const struct flag_list *runs, bool coverage)
{
    struct str patterns[FLAG_LIST_MAX];
    const struct kind *kind = find_kind(rest);
    if (kind == NULL) {
        fputs(usage, stderr);
        return 2;
    }
    t->features = *kind->features;
    if (features_read(&t->features, features, "test") != 0)
        return 2;
    for (size_t i = 0; i < runs->count; i++)
        patterns[i] = str_of(runs->items[i]);
    t->rules.features = t->features;
    t->rules.run = patterns;
    t->rules.run_count = runs->count;
    t->coverage = coverage ? ruletest_coverage_new() : NULL;
    buf_init(&t->junit, (size_t)limits.response_bytes);
    int status = run_all(t, kind, rest);
    buf_release(&t->junit);
    ruletest_coverage_free(t->coverage);
    return status;
}

int command_test(int argc, char **argv)
{
    struct testing t = {.world = world_real()};
    struct flag_list features = {.count = 0}, runs = {.count = 0};
    bool coverage = false;
    const struct flag flags[] = {
        {"enable-feature", FLAG_LIST, &features, FEATURES_HELP},
        {"run", FLAG_LIST, &runs,
         "rules: only tests whose name a regular expression finds; may be given again"},
        {"debug", FLAG_SWITCH, &t.rules.debug,
         "rules: tell which test runs, and all samples there were at its end"},
        {"diff", FLAG_SWITCH, &t.rules.diff, "rules: show failures line by line: - expected, + got"},
        {"junit", FLAG_TEXT, &t.junit_file, "rules: write the verdicts to this file, too, as JUnit XML"},
        {"ignore-unknown-fields", FLAG_SWITCH, &t.rules.ignore_unknown_fields,
         "rules: let keys of rule files pass that nobody knows"},
        {"coverage", FLAG_SWITCH, &coverage, "rules: list the rules that no test looks at"},
        {NULL, 0, NULL, NULL},
    };
    struct flag_rest rest;
    int status = 0;
    if (command_flags(usage, flags, argc, argv, &rest, &status) != 0)
        return status;
    return test_kind(&t, &rest, &features, &runs, coverage);
}
