/*
 * aggregate: `sum by (job) (x)` and its kin.
 *
 * Each series belongs to a group: its labels kept (by) or dropped (without). Groups are found once for all
 * steps (aggregate.c); then, step by step and group by group, an aggregator sees the floats of the group's
 * members and how many of them are histograms. Aggregators that make one value are in aggregate.c; those that
 * choose among members in aggregate_choose.c.
 */
#ifndef TOCSIN_PROMQL_AGGREGATE_PRIV_H
#define TOCSIN_PROMQL_AGGREGATE_PRIV_H

#include "eval_priv.h"

struct group {
    const struct labels *labels;
    struct column **members;
    size_t member_count, capacity;
    bool drop_name; /* a member's name was to go */
};

struct aggregation {
    struct evaluation *ev;
    const struct expr *expr;
    const struct grid *grid;
    struct vector input;
    struct group *groups;
    size_t group_count, group_capacity;
    const double *params; /* per step; NULL if there is none */
};

size_t annotation_position(const struct expr *e);

/* topk, bottomk, limitk, limit_ratio: some of the members, unchanged. */
int aggregate_choose(struct aggregation *a, struct vector *out);
/* sum, avg of native histograms alone. out->kind CELL_NONE: they do not mix. */
int aggregate_histograms(struct aggregation *a, const struct group *group, size_t step, struct cell *out);
/* count_values */
int aggregate_count_values(struct aggregation *a, struct vector *out);

#endif
