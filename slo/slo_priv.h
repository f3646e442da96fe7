/*
 * What the files of this folder share.
 */
#ifndef TOCSIN_SLO_PRIV_H
#define TOCSIN_SLO_PRIV_H

#include "tocsin/slo.h"

/* The value of a label or annotation, in the last of these pairs that has it. */
void slo_pairs_put(struct arena *arena, struct strict_pairs *pairs, struct str name, struct str value);

/* Pairs over others. */
struct strict_pairs slo_pairs_over(struct arena *arena, struct strict_pairs under, struct strict_pairs over);

/* A query for one window, in the arena. ERR_PARSE with Go's words if it is no template, or asks for more than .window. */
int slo_query_for(struct arena *arena, struct str query, int64_t window_ms, struct str *out, struct err *err);

/* Says what is wrong with what an objective says. */
int slo_check(const struct slo *slo, struct err *err);

/* Two of a document under the same id. */
int slo_check_ids(const struct slo_document *document, struct err *err);

#endif
