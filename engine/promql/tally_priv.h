/*
 * tally: how many samples an evaluation looks at, counted as Prometheus counts them (3.14), where somebody asked
 * (promql_options.stats); else evaluation.tally is NULL and nothing is counted.
 *
 * Per step: `total`, what this step alone would look at, and `read`, what of it was not there from the step before. A
 * histogram counts as many as it weighs. What a selector finds counts as it is; what a function sees of a range counts
 * at every step anew, and what it sees of a subquery counts in place of what the subquery looked at. Prometheus counts
 * nothing for a smoothed instant selector, so neither does this.
 *
 * A part with a grid of its own (a subquery, or what is the same at every step) has a tally of its own meanwhile.
 */
#ifndef TOCSIN_PROMQL_TALLY_PRIV_H
#define TOCSIN_PROMQL_TALLY_PRIV_H

#include "matrix_priv.h"

struct tally {
    int64_t *total, *read;
    size_t steps;
    int64_t sort_ns; /* of the result; of the outermost only */
};

/* The whole evaluation; both do nothing unless asked for. */
int tally_open(struct evaluation *ev, const struct grid *g);
int tally_close(struct evaluation *ev, const struct grid *g, struct promql_result *out);

/* A part on grid g: *outer is what the ending call needs. */
int tally_begin(struct evaluation *ev, const struct grid *g, struct tally **outer);
void tally_end_invariant(struct evaluation *ev, struct tally *outer);
void tally_end_subquery(struct evaluation *ev, struct tally *outer, struct matrix *m);

/* What a selector found: the columns of v behind the first `from`. */
void tally_columns(struct evaluation *ev, const struct vector *v, size_t from, const struct grid *g);

/* What a function sees at a step: of the matrix, or so many samples in a summary. */
void tally_window(struct matrix *m, size_t step, const struct window *w);
void tally_summary(struct evaluation *ev, int64_t samples);

/* A range vector as the whole answer: one series of a selector, or all of a subquery. */
void tally_answer(struct evaluation *ev, const struct sample_span *span);
void tally_answer_subquery(struct evaluation *ev, const struct matrix *m);

/* Putting the result in order: call it before (0) and after. Returns the time, 0 if nobody counts. */
int64_t tally_sorting(struct evaluation *ev, int64_t since_ns);

#endif
