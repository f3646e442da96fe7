/*
 * Tocsin's own form of objectives, `version: tocsin/v1`: what the files that read it share. s->context is the struct
 * objective_set that is read into.
 */
#ifndef TOCSIN_OWN_PRIV_H
#define TOCSIN_OWN_PRIV_H

#include "slo_priv.h"

/* As strict_struct; an unknown key is told with those that are known. */
bool own_struct(struct strict *s, const struct tree *node, const char *name,
                const struct strict_field *fields, void *target);

strict_read own_node; /* const struct tree *: for later; NULL for null */

/* A decimal that is not negative; node is NULL when the field is absent. */
struct own_number {
    const struct tree *node;
    struct fraction value;
};
strict_read own_number;

/* Each reads the value of one key of an objective, NULL where it is absent. In this order: what comes later looks at what was read. */
void own_window(struct strict *s, const struct tree *node, struct objective *o);
void own_sli(struct strict *s, const struct tree *node, struct objective *o);
void own_alerting(struct strict *s, const struct tree *node, const struct tree *slo, struct objective *o);
void own_guard(struct strict *s, const struct tree *node, struct objective *o);
void own_policy(struct strict *s, const struct tree *node, struct objective *o);
void own_maintenance(struct strict *s, const struct tree *node, struct objective *o);

#endif
