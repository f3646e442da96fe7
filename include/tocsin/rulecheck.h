/*
 * rulecheck: `tocsin check rules`: promtool's verdict on rule files, with its words and exit codes.
 */
#ifndef TOCSIN_RULECHECK_H
#define TOCSIN_RULECHECK_H

#include "tocsin/promql_parse.h"
#include "tocsin/world.h"

#include <stdio.h>

struct rulecheck_options {
    struct promql_features features;
    bool lint_duplicates; /* rules of one file with the same name and labels; promtool's default is true */
    bool lint_fatal;
    bool ignore_unknown_fields;
};

enum { RULECHECK_OK = 0, RULECHECK_FAILED = 1, RULECHECK_LINT = 3 }; /* exit codes */

/* Verdicts go to *out, complaints to *errors. Returns the exit code. */
int rulecheck_files(struct world *world, const struct str *paths, size_t count,
                    const struct rulecheck_options *options, FILE *out, FILE *errors);

#endif
