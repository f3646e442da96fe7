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
    "  rules   promtool's unit-test files for rules, unchanged\n"
    "  page    timetables: what is posted or measured when, and which page must reach whom when\n"
    "\n"
    "examples:\n"
    "  tocsin test rules tests/*_test.yml\n"
    "  tocsin test rules --enable-feature=promql-experimental-functions tests/*_test.yml\n"
    "  tocsin test page tests/page/burn_rate.page\n"
    "\n"
    "Closes with `N passed, N failed`; exit status 0 if nothing failed, 1 if something did, 2 if a file "
    "cannot be read.\n";

struct tally {
    uint64_t passed, failed;
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

static int test_promql(struct world *world, const char *path, const struct promql_features *features,
                       struct tally *tally)
{
    struct buf text, detail;
    buf_init(&detail, (size_t)limits.response_bytes);
    int rc = read_text(world, path, &text);
    if (rc == 0) {
        struct promqltest_report report = {.detail = &detail};
        struct err err = {0};
        rc = promqltest_run(world, path, buf_slice(&text), features, &report, &err);
        fputs(buf_text(&detail), stdout);
        if (rc != 0)
            fprintf(stderr, "%s:%d: %s\n", path, err.line, err.text);
        tally->passed += report.passed;
        tally->failed += report.failed;
    }
    buf_release(&text);
    buf_release(&detail);
    return rc;
}

static int test_page(struct world *world, const char *path, const struct promql_features *features,
                     struct tally *tally)
{
    struct buf text, detail;
    buf_init(&detail, (size_t)limits.response_bytes);
    int rc = read_text(world, path, &text);
    if (rc == 0) {
        struct page_report report = {.detail = &detail};
        struct page_script script;
        struct err err = {0};
        rc = page_script_parse(&script, buf_slice(&text), &err);
        script.features = *features;
        if (rc == 0)
            rc = page_script_play(&script, path, &report, &err);
        fputs(buf_text(&detail), stdout);
        if (rc != 0)
            fprintf(stderr, "%s:%d: %s\n", path, err.line, err.text);
        arena_release(&script.arena);
        tally->passed += report.passed;
        tally->failed += report.failed;
    }
    buf_release(&text);
    buf_release(&detail);
    return rc;
}

static int test_rules(struct world *world, const char *path, const struct promql_features *features,
                      struct tally *tally)
{
    const struct ruletest_options options = {.features = *features};
    struct ruletest_report report = {0};
    int rc = ruletest_run(world, path, &options, stdout, stderr, &report);
    tally->passed += report.passed;
    tally->failed += report.failed;
    return rc;
}

/* What is tested is what `tocsin serve` would run, so a kind begins with its features; the test language has those of
 * Prometheus' own runner. */
static const struct kind {
    const char *name;
    int (*run)(struct world *world, const char *path, const struct promql_features *features,
               struct tally *tally);
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

int command_test(int argc, char **argv)
{
    struct flag_list lists = {.count = 0};
    const struct flag flags[] = {
        {"enable-feature", FLAG_LIST, &lists, FEATURES_HELP},
        {NULL, 0, NULL, NULL},
    };
    struct flag_rest rest;
    int status = 0;
    if (command_flags(usage, flags, argc, argv, &rest, &status) != 0)
        return status;
    const struct kind *kind = find_kind(&rest);
    if (kind == NULL) {
        fputs(usage, stderr);
        return 2;
    }
    struct promql_features features = *kind->features;
    if (features_read(&features, &lists, "test") != 0)
        return 2;
    struct tally tally = {0};
    for (size_t i = 1; i < rest.count; i++)
        if (kind->run(world_real(), rest.items[i], &features, &tally) != 0)
            status = 2;
    printf("%llu passed, %llu failed\n", (unsigned long long)tally.passed, (unsigned long long)tally.failed);
    return status != 0 ? status : tally.failed > 0;
}
