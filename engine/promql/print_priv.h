/*
 * print: pieces of the canonical text that a longer layout is made of, too.
 */
#ifndef TOCSIN_PROMQL_PRINT_PRIV_H
#define TOCSIN_PROMQL_PRINT_PRIV_H

#include "tocsin/buf.h"
#include "tocsin/promql_ast.h"

void print_aggregate_head(struct buf *out, const struct expr *e); /* sum by (a) */
void print_operator(struct buf *out, const struct expr *e);       /* == bool on (a) group_left () */
bool print_loses_sign(const struct expr *e);                      /* its left side is "Inf", not "+Inf" */
void print_subquery_range(struct buf *out, const struct expr *e); /* [5m:1m] offset 1h */

#endif
