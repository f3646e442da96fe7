/*
 * match: which series of two vectors belong together.
 *
 * Each series belongs to a match group: its labels cut down by on() or ignoring(). Groups are numbered once
 * for all steps; a step then only looks at numbers.
 */
#ifndef TOCSIN_PROMQL_MATCH_PRIV_H
#define TOCSIN_PROMQL_MATCH_PRIV_H

#include "eval_priv.h"

struct match_side {
    struct vector vector;
    size_t *groups; /* of each column */
};

struct match {
    struct evaluation *ev;
    const struct expr *expr;
    const struct vector_matching *matching;
    const struct grid *grid;
    struct match_side left, right;
    struct label_index groups;
};

/* match_set.c: and, or, unless */
int match_set(struct match *m, struct vector *out);
/* match_join.c: everything else */
int match_join(struct match *m, struct vector *out);

#endif
