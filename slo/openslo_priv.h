/*
 * OpenSLO v1: what the files that read it share. The objects of one file may point to each other, inline ones stand where they are used.
 *
 * Source: the OpenSLO specification, version 1.
 */
#ifndef TOCSIN_OPENSLO_PRIV_H
#define TOCSIN_OPENSLO_PRIV_H

#include "slo_priv.h"

struct openslo_object {
    struct str kind, name, display_name;
    struct strict_pairs labels, annotations;
    const struct tree *node, *spec; /* spec: NULL where there is none */
};

/* s->context. */
struct openslo_file {
    struct objective_set *set;
    struct openslo_object *objects;
    size_t count;
};

/* An object as it stands inline, or in a document of its own. False if something is wrong with it. */
bool openslo_object_read(struct strict *s, const struct tree *node, struct openslo_object *out);

/* What `node` means: if it is a text or a map with the key `ref`, the object of the file with that kind and name; else the one that
 * stands there. False if there is none; it is told. */
bool openslo_find(struct strict *s, const struct tree *node, const char *kind, const char *ref,
                  struct openslo_object *out);

strict_read openslo_node; /* const struct tree *: for later; NULL for null */

/* "30d": a count and one of m h d w M Q Y; M is a month, which has 30 days where it is no calendar's. */
struct openslo_duration {
    const struct tree *node; /* NULL: absent */
    int64_t count, ms;
    char unit;
};
strict_read openslo_duration;

/* What each kind of object may say; only looked at. */
void openslo_check_source(struct strict *s, const struct openslo_object *object);
void openslo_check_sli(struct strict *s, const struct openslo_object *object);
void openslo_check_policy(struct strict *s, const struct openslo_object *object);
void openslo_check_condition(struct strict *s, const struct openslo_object *object);
void openslo_check_target(struct strict *s, const struct openslo_object *object);

/* timeWindow, a list of one; NULL where it is absent. */
void openslo_window(struct strict *s, const struct tree *node, struct objective *o);

/* An SLI's queries. *threshold: they are of a thresholdMetric, so that the objective says what is compared. */
void openslo_indicator(struct strict *s, const struct openslo_object *sli, struct objective *o,
                       bool *threshold);

/* alertPolicies. */
void openslo_policies(struct strict *s, const struct tree *node, struct objective *o);

#endif
