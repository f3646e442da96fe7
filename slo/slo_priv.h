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

/* One document of a file of Sloth's; its texts stay the tree's. */
int slo_document_read(struct arena *arena, const struct tree *root, struct slo_document *out,
                      struct err *err);

/* ---- readers of objectives: each adds what a document holds to the set, whose arena the tree is in ---- */

typedef int objective_read(struct objective_set *set, const struct tree *root, struct str file,
                           struct err *err);

objective_read objective_read_sloth;

/* The next of the set with what is common to all: the file, a rolling period of 30 days, slices of a minute, the alert's name, tickets for
 * what is watched. NULL past the arena's cap. */
struct objective *objective_add(struct objective_set *set, struct str file);

/* Takes service and name, and makes the id of them. */
void objective_name(struct arena *arena, struct objective *o, struct str service, struct str name);

/* "99.9" -> 999/1000. */
int objective_percent(struct str text, struct fraction *out, struct err *err);

/* ---- queries ---- */

/* What is to be known of a query. */
struct slo_look {
    bool uses_window;
    bool grouping_known; /* its results have the labels in `by`, sorted, and no others */
    struct str *by;
    size_t by_count;
};

/* Sorts texts, and keeps one of those that are equal. How many are left. */
size_t slo_unique(struct str *texts, size_t count);

/* Fills in a window and parses. ERR_PARSE: it is no template, no query, or its result no instant vector. The look's texts are in the
 * arena. */
int slo_query_look(struct arena *arena, struct str query, struct slo_look *out, struct err *err);

/* The objective's labels that tell groups apart, where both queries say so and the file does not. */
void objective_take_grouping(struct objective *o, const struct slo_look *counted,
                             const struct slo_look *total);

#endif
