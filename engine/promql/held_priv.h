/*
 * held: how many samples a query holds at once, as Prometheus counts them (3.14): its peakSamples. Counted where somebody asked
 * (promql_options.stats); else evaluation.held is NULL.
 *
 * It follows how Prometheus evaluates, not how this evaluator does. An operator or a function holds its operands, each whole; then,
 * step by step, their elements of that step once more, and what it has made so far. Functions of ranges hold one window at a time,
 * and their scalars until the next operator around them is done; aggregations hold nothing but what goes in and comes out.
 *
 * Drawback: what smoothed and anchored selectors hold beyond their windows is not followed.
 */
#ifndef TOCSIN_PROMQL_HELD_PRIV_H
#define TOCSIN_PROMQL_HELD_PRIV_H

#include "matrix_priv.h"

/* A part of the expression while it is being evaluated. */
struct held_node {
    struct held_node *parent;
    int64_t before; /* held when it began */
    int64_t *input; /* how many elements its operands have, step by step; NULL: nobody asks */
    size_t steps;   /* 1 where what is the same at all steps is evaluated */
    bool repeats;   /* a scalar that is the same at all steps */
};

struct held {
    int64_t now, most;
    int64_t window; /* of that, what the function at hand sees of its range */
    struct held_node *node;
    bool once; /* below something that is the same at all steps */
};

int held_open(struct evaluation *ev);

/* Around the evaluation of one part. out NULL: a scalar. */
int held_enter(struct evaluation *ev, const struct expr *e, const struct grid *g, struct held_node *node);
int held_leave(struct evaluation *ev, const struct expr *e, const struct grid *g, struct held_node *node,
               const struct vector *out);

/* Around a vector that is evaluated at one step and repeated. */
void held_enter_repeated(struct evaluation *ev, struct held_node *node);
int held_leave_repeated(struct evaluation *ev, const struct grid *g, struct held_node *node,
                        const struct vector *out);

/* So many more. */
void held_add(struct evaluation *ev, int64_t samples);

/* The elements of v are not held, but an operand of the part at hand. */
int held_as_input(struct evaluation *ev, const struct vector *v, const struct grid *g, bool held);

/* A function sees that much of a range instead of what it saw before; has made a column; is through. */
void held_window(struct evaluation *ev, int64_t samples);
void held_column(struct evaluation *ev, const struct column *c, const struct grid *g);
void held_end_windows(struct evaluation *ev, const struct matrix *m);

#endif
