/*
 * What the files of this folder share.
 */
#ifndef TOCSIN_SLO_PRIV_H
#define TOCSIN_SLO_PRIV_H

#include "tocsin/objective.h"
#include "tocsin/slo.h"

/* The value of a label or annotation, in the last of these pairs that has it. */
void slo_pairs_put(struct arena *arena, struct strict_pairs *pairs, struct str name, struct str value);

/* Pairs over others. */
struct strict_pairs slo_pairs_over(struct arena *arena, struct strict_pairs under, struct strict_pairs over);

/* Says what is wrong with what an objective says. */
int slo_check(const struct slo *slo, struct err *err);

/* Two of a document under the same id. */
int slo_check_ids(const struct slo_document *document, struct err *err);

#endif
