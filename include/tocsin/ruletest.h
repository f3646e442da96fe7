/*
 * ruletest: `tocsin test rules`: promtool's unit-test files for rules, unchanged (Prometheus 3.14).
 *
 * Each test has a store and a ruler of its own on a simulated clock; samples are admitted as that clock reaches them.
 * As in promtool every group is evaluated at the file's evaluation_interval, whatever its own says.
 *
 * What differs from promtool, to the better: groups that group_eval_order does not name run after those it names, in
 * file order, and the language features of the options hold for the tests too. What promtool does not have:
 *
 *   alert_rule_test:
 *   - eval_time: 3m
 *     alertname: High
 *     exp_pending:                    # alerts that wait for their `for`, written like exp_alerts; not looked at unless given
 *     - exp_labels: {instance: a}
 *       partial: true                 # only the labels and annotations named must be as said; "" says: not there
 *   promql_expr_test:
 *   - expr: m
 *     exp_samples: [{labels: 'm{a="b"}', value: 1, partial: true}]    # here, too, for labels
 *
 * Drawback: promtool refuses files with these keys.
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
    bool debug;                 /* tell on *errors which test runs, and which samples there were at its end */
    bool diff;                  /* tell failures as lines that were not expected, and that were missed */
};

/* Which rules the tests so far looked at: an alert that an alert_rule_test names, a recorded name that an expression reads, and
 * what the rules of these read in turn. Only rules of files that a test loaded are known. */
struct ruletest_coverage;
struct ruletest_coverage *ruletest_coverage_new(void);
void ruletest_coverage_free(struct ruletest_coverage *coverage); /* NULL is allowed */

/* One line with the numbers, and one for each rule that no test looked at: FILE:LINE:COLUMN of its expr, its name. */
void ruletest_coverage_print(const struct ruletest_coverage *coverage, FILE *out);

/* Tests (items of `tests:`), added to what is there. */
struct ruletest_report {
    uint64_t passed, failed;
    struct buf *junit;                  /* each file appends its <testsuite>; NULL: not wanted */
    struct ruletest_coverage *coverage; /* NULL: not wanted */
};

/* Runs one file. Verdicts go to *out, failures to *errors, as promtool prints them. 0 even when tests fail; a negative
 * code if the test file itself cannot be read (promtool exits with 1 for either). world: for files and what time it is. */
int ruletest_run(struct world *world, const char *path, const struct ruletest_options *options, FILE *out,
                 FILE *errors, struct ruletest_report *report);

#endif
