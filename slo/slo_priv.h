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

objective_read objective_read_own, objective_read_sloth, objective_read_pyrra;

/* OpenSLO's objects point to each other, so all of a file are read at once; documents of other forms are passed over. */
bool objective_is_openslo(const struct tree *root);
int objective_read_openslo(struct objective_set *set, const struct tree_documents *roots, struct str file,
                           struct err *err);

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

/* The objective's labels that tell groups apart are those that the queries group by, where that can be told. */
void objective_take_grouping(struct objective *o, const struct slo_look *counted,
                             const struct slo_look *total);

/* The same for files of which it is asked that it fits: both queries together, and with the labels that the file names. */
int objective_fit_grouping(struct objective *o, const struct slo_look *counted, const struct slo_look *total,
                           struct err *err);

/* ---- selectors, around which we write the queries ---- */

/* name{matchers}, both as text; matchers are spelt so that a template lets them pass. */
struct slo_selector {
    struct str name, matchers;
    bool has_le;
};

/* ERR_PARSE: no selector, or one with a range, an offset, a function around it. */
int slo_selector_parse(struct arena *arena, struct str text, struct slo_selector *out, struct err *err);

/* The same of another name, with one matcher more, unless that is empty. */
struct slo_selector slo_selector_with(struct arena *arena, const struct slo_selector *of, struct str name,
                                      struct str matcher);

/* sum by (a, b) (FUNCTION(SELECTOR[{{.window}}])), by the objective's labels. */
struct str slo_sum(struct arena *arena, const struct slo_selector *of, const char *function,
                   const struct objective *o);

/* ---- checks ---- */

/* What must hold of each objective, whatever it was read from, but for its queries. */
int objective_check(const struct objective *o, struct err *err);

/* The part of it for files of others, which have their own ideas of names: groups stay apart. */
int objective_check_groups(const struct objective *o, struct err *err);

/* ERR_NOT_FOUND: the system knows no such time zone. */
int objective_zone_check(const struct objective_set *set, struct str zone, struct err *err);

/* A tier's name for its class and long window: "page_1h". */
struct str objective_tier_name(struct arena *arena, enum tier_class class, int64_t long_ms);

/* The default tiers that fit the period: those whose long window is shorter. */
void objective_default_tiers(struct arena *arena, struct objective *o);

#endif
