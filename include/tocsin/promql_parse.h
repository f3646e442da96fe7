/*
 * promql_parse: text -> checked tree, with Prometheus' messages and positions; and back to text.
 *
 * Prometheus 3.14's whole grammar. Bounded by limits.query_text_bytes, query_depth and query_nodes: `((((...` is an
 * error, never a crash.
 */
#ifndef TOCSIN_PROMQL_PARSE_H
#define TOCSIN_PROMQL_PARSE_H

#include "tocsin/promql_ast.h"

/* What Prometheus keeps behind --enable-feature. One set goes to the parser, the rules and the queries alike, so that none of
 * them accepts or means what the others do not. */
struct promql_features {
    /* the grammar */
    bool experimental_functions;
    bool extended_range_selectors; /* anchored, smoothed */
    bool binop_fill_modifiers;
    bool duration_expressions; /* on by default since 3.14 */
    /* the evaluation */
    bool delayed_name_removal; /* names go at the end, not where a function drops them */
    bool start_timestamps;     /* rate() and its kin look at when a counter began */
    bool type_and_unit_labels; /* __type__ says what a counter is; the receiver adds the labels (intake.h) */
    /* the ruler */
    bool concurrent_rule_eval; /* independent rules of a group beside each other (ruler.h) */
    /* the API */
    bool per_step_stats; /* stats=all tells what was looked at step by step */
};

extern const struct promql_features promql_features_default; /* what 3.14 has without flags */
extern const struct promql_features promql_features_all; /* the whole grammar, evaluated as without flags */

/* Parses and type-checks. On failure ERR_PARSE (or ERR_LIMIT), text "1:5: parse error: ...", position in *err.
 * text is kept as long as the tree: copy it into the same arena first if it may go. */
int promql_parse(struct arena *arena, struct str text, const struct promql_features *features,
                 struct expr **out, struct err *err);

/* A series selector alone (match[] parameters): metric{...}; matchers are owned by the caller, who calls
 * matcher_release on each. */
int promql_parse_matchers(struct arena *arena, struct str text, struct matcher **matchers, size_t *count,
                          struct err *err);

/* A metric as written in tests and exposition: name{a="b"}, no other operators. *used is where it ends; what follows
 * is not looked at. A name given twice: the last value wins, but the name in front of the braces over all. */
int promql_parse_metric(struct arena *arena, struct str text, struct labels **labels, size_t *used,
                        struct err *err);

/* Frees the compiled regexes of a tree (the nodes belong to the arena). */
void promql_free(struct expr *e);

/* expr.String(): the canonical text (Prometheus 3.14). It parses to a tree that prints and means the same; where
 * Prometheus' own text does not (durations below a millisecond, operations after offset, (-2)^2 in brackets,
 * Inf ^ 2, info(x, {})), this one keeps what was meant. */
void promql_print(struct buf *out, const struct expr *e);

/* The same text, with parts longer than 100 bytes over several lines, as Prometheus does (3.14). It parses to a tree with the
 * same canonical text. */
void promql_pretty(struct buf *out, const struct expr *e);

/* "instant vector", "range vector", ... as errors name them. */
const char *promql_type_name(enum promql_type type);
const char *promql_op_text(enum promql_op op);
const char *promql_aggregate_name(enum promql_aggregate op);

/* One child after the other: i = 0, 1, ...; NULL at the end. The argument of an aggregation comes before its parameter. */
struct expr *promql_child(const struct expr *e, size_t i);

/* Visits e and everything below it, parents first. */
void promql_walk(struct expr *e, void (*visit)(void *context, struct expr *e), void *context);

#endif
