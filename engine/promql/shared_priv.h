/*
 * shared: parts that several expressions have in common, computed once (promql.h).
 *
 * promql_share numbers them (plan_node.part); an evaluation that comes to such a part takes its value, if it is there, or leaves it
 * for the others. The outermost parts only: what stands below one that is taken is not looked at.
 *
 * With its value are kept its annotations and how many samples were held at once meanwhile, so that the expression answers, warns
 * and fails as if it had been computed there.
 */
#ifndef TOCSIN_PROMQL_SHARED_PRIV_H
#define TOCSIN_PROMQL_SHARED_PRIV_H

#include "eval_priv.h"

/* A numbered part, by an evaluation that shares. */
int shared_vector(struct evaluation *ev, const struct expr *e, const struct grid *g, struct vector *out);

/* What is shared by an evaluation of q at that time; NULL: nothing. */
struct promql_shared *shared_begin(const struct promql *q, struct promql_shared *shared, int64_t t_ms);

/* ---- annotation.c ---- */

/* The annotations of a part, added to those of its expression. */
int notes_join(struct evaluation *ev, const struct notes *own);

/* The same, told by nodes of the part instead of positions, in an arena that may outlive the evaluation. False: it has no room, or one
 * does not stand at any of them. */
bool notes_keep(const struct evaluation *ev, const struct expr *part, const struct notes *own,
                struct arena *arena, struct notes *kept);

/* Added to those of another expression, where an equal part stands. */
int notes_repeat(struct evaluation *ev, const struct expr *part, const struct notes *kept);

#endif
