#include "command_priv.h"
#include "pagetest_priv.h"

#include "tocsin/limits.h"
#include "tocsin/promqltest.h"
#include "tocsin/ruletest.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: tocsin test promql|rules|page FILE...\n"
    "\n"
    "Runs tests on the simulated clock; nothing is sent anywhere.\n"
    "  promql  Prometheus' test language: load, clear, eval\n"
    "  rules   promtool's unit-test files for rules, unchanged\n"
    "  page    timetables: what is posted or measured when, and which page must reach whom when\n"
    "\n"
    "examples:\n"
    "  tocsin test rules tests/*_test.yml\n"
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

static int test_promql(struct world *world, const char *path, struct tally *tally)
{
    struct buf text, detail;
    buf_init(&detail, (size_t)limits.response_bytes);
    int rc = read_text(world, path, &text);
    if (rc == 0) {
        struct promqltest_report report = {.detail = &detail};
        struct err err = {0};
        rc = promqltest_run(world, path, buf_slice(&text), &report, &err);
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

static int test_page(struct world *world, const char *path, struct tally *tally)
{
    struct buf text, detail;
    buf_init(&detail, (size_t)limits.response_bytes);
    int rc = read_text(world, path, &text);
    if (rc == 0) {
        struct page_report report = {.detail = &detail};
        struct page_script script;
        struct err err = {0};
        rc = page_script_parse(&script, buf_slice(&text), &err);
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

static int test_rules(struct world *world, const char *path, struct tally *tally)
{
    const struct ruletest_options options = {.features = promql_features_all};
    struct ruletest_report report = {0};
    int rc = ruletest_run(world, path, &options, stdout, stderr, &report);
    tally->passed += report.passed;
    tally->failed += report.failed;
    return rc;
}

static const struct {
    const char *name;
    int (*run)(struct world *world, const char *path, struct tally *tally);
} kinds[] = {{"promql", test_promql}, {"rules", test_rules}, {"page", test_page}};

int command_test(int argc, char **argv)
{
    const struct flag flags[] = {{NULL, 0, NULL, NULL}};
    struct flag_rest rest;
    int status = 0;
    if (command_flags(usage, flags, argc, argv, &rest, &status) != 0)
        return status;
    size_t kind = 0;
    while (rest.count > 0 && kind < 3 && strcmp(rest.items[0], kinds[kind].name) != 0)
        kind++;
    if (rest.count < 2 || kind == 3) {
        fputs(usage, stderr);
        return 2;
    }
    struct tally tally = {0};
    for (size_t i = 1; i < rest.count; i++)
        if (kinds[kind].run(world_real(), rest.items[i], &tally) != 0)
            status = 2;
    printf("%llu passed, %llu failed\n", (unsigned long long)tally.passed, (unsigned long long)tally.failed);
    return status != 0 ? status : tally.failed > 0;
}
