/*
 * ruletest: `tocsin test rules`: promtool's unit-test files for rules, unchanged (Prometheus 3.14).
 *
 * Each test has a store and a ruler of its own on a simulated clock; samples are admitted as that clock reaches them.
 * As in promtool every group is evaluated at the file's evaluation_interval, whatever its own says.
 *
 * What differs from promtool, to the better: groups that group_eval_order does not name run after those it names, in
 * file order, and the language features of the options hold for the tests too.
 */
#ifndef TOCSIN_RULETEST_H
#define TOCSIN_RULETEST_H

#include "tocsin/promql_parse.h"
#include "tocsin/world.h"

#include <stdio.h>

struct ruletest_options {
    struct promql_features features;
    const struct str *run; /* only tests in whose name one of these expressions is found; none: all */
    size_t run_count;
    bool ignore_unknown_fields; /* in rule files; test files are always read strictly */
};

/* Tests (items of `tests:`), added to what is there. */
struct ruletest_report {
    uint64_t passed, failed;
};

/* Runs one file. Verdicts go to *out, failures to *errors, as promtool prints them. 0 even when tests fail; a negative
 * code if the test file itself cannot be read (promtool exits with 1 for either). world: for files only. */
int ruletest_run(struct world *world, const char *path, const struct ruletest_options *options, FILE *out,
                 FILE *errors, struct ruletest_report *report);

#endif
