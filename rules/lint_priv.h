/*
 * lint: warnings about rules that are valid (the list is in rulecheck.h).
 *
 * Each lint works on one rule and its tree; only no-series, which asks a server, collects selectors over all files first.
 */
#ifndef TOCSIN_LINT_PRIV_H
#define TOCSIN_LINT_PRIV_H

#include "tocsin/rulecheck.h"
#include "tocsin/rulefile.h"

/* The rule under way. */
struct lint_rule {
    struct str file;
    const struct rule_group *group;
    const struct rule *rule;
    size_t number; /* in its group, from 1 */
    struct expr *expr;
};

struct lint_selectors; /* what the rules read and record, for no-series */

struct lint_run {
    const struct rulecheck_options *options;
    FILE *errors;
    unsigned found;      /* lints that found something */
    struct arena *arena; /* cleared from rule to rule */
    struct lint_rule at;
    struct lint_selectors *selectors; /* NULL: none yet; freed by lint_selectors_free */
};

void lint_init(struct lint_run *run, const struct rulecheck_options *options, struct arena *arena,
               FILE *errors);

/* Looks at all rules of one file. file: as it is told, possibly empty. */
void lint_set(struct lint_run *run, struct str file, const struct rule_set *set);

/* Warns of the rule under way, if this lint is asked for. */
void lint_note(struct lint_run *run, enum rule_lint lint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* FILE: LINE:COLUMN: group "g", rule 1, "r" */
void lint_place(struct buf *out, const struct lint_rule *at);

/* An expression as text, in the run's arena; never NULL. */
const char *lint_text(struct lint_run *run, const struct expr *e);

/* e without the parentheses around it. */
const struct expr *lint_bare(const struct expr *e);
bool lint_is_comparison(enum promql_op op);

/* lint_labels.c: dropped-label, dropped-le, unmatched-join */
void lint_labels(struct lint_run *run);

/* lint_values.c: never-true, always-true, absent-of-bool */
void lint_values(struct lint_run *run);

/* lint_series.c: no-series. Notes what the rule under way reads and records; then asks the server for all of it at once, so that
 * what one file records another may read. A code with the reason if it does not answer. */
void lint_collect(struct lint_run *run);
int lint_series(struct lint_run *run, struct world *world, struct err *err);
void lint_selectors_free(struct lint_selectors *selectors); /* NULL is allowed */

#endif
