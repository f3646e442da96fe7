/*
 * rulecheck: `tocsin check rules`: promtool's verdict on rule files, with its words and exit codes, and lints.
 *
 * A lint is a warning about rules that are valid. promtool has one, duplicate-rules; the others are ours, and say only what
 * is sure, or all but sure, from the text of the rules alone (no-series: from what a server answers):
 *
 *   duplicate-rules   two rules of a file with the same name and labels (told as promtool tells it)
 *   dropped-label     a template uses a label that the expression's result cannot have
 *   dropped-le        histogram_quantile over buckets whose `le` was aggregated away
 *   unmatched-join    two sides of a binary operation whose labels cannot meet
 *   short-for         `for` shorter than the group's interval: it lasts until the next evaluation anyway
 *   never-true        a condition that no value fulfils
 *   always-true       a condition that every value fulfils
 *   absent-of-bool    absent(x == bool 1) asks for x alone: with bool every series stays
 *   no-series         a selector that matches nothing on the server asked
 */
#ifndef TOCSIN_RULECHECK_H
#define TOCSIN_RULECHECK_H

#include "tocsin/promql_parse.h"
#include "tocsin/world.h"

#include <stdio.h>

enum rule_lint {
    LINT_DUPLICATE_RULES,
    LINT_DROPPED_LABEL,
    LINT_DROPPED_LE,
    LINT_UNMATCHED_JOIN,
    LINT_SHORT_FOR,
    LINT_NEVER_TRUE,
    LINT_ALWAYS_TRUE,
    LINT_ABSENT_OF_BOOL,
    LINT_NO_SERIES,
    LINT_COUNT
};

/* A set of lints. */
#define LINT_BIT(lint) (1u << (lint))
#define LINT_ALL (LINT_BIT(LINT_COUNT) - 1)

const char *rule_lint_name(enum rule_lint lint);

/* Reads a comma-separated list of names, `all` or `none`. An unknown name is told on *out and passed over, as promtool does. */
unsigned rule_lints_read(struct str list, FILE *out);

struct rulecheck_options {
    struct promql_features features;
    unsigned lints; /* which are told */
    unsigned fatal; /* which of them make the exit code RULECHECK_LINT */
    bool ignore_unknown_fields;
    const char
        *against; /* URL of a Tocsin or Prometheus to ask for series (no-series); NULL: nobody is asked */
};

enum { RULECHECK_OK = 0, RULECHECK_FAILED = 1, RULECHECK_LINT = 3 }; /* exit codes */

/* Verdicts go to *out, complaints and warnings to *errors. Returns the exit code. A server that cannot be asked counts as a
 * failure. */
int rulecheck_files(struct world *world, const struct str *paths, size_t count,
                    const struct rulecheck_options *options, FILE *out, FILE *errors);

/* The same for a text without a name, as from standard input. */
int rulecheck_text(struct world *world, struct str text, const struct rulecheck_options *options, FILE *out,
                   FILE *errors);

#endif
