/* explain: what `tocsin explain page` prints. Both return its exit status. */
#ifndef TOCSIN_EXPLAIN_PRIV_H
#define TOCSIN_EXPLAIN_PRIV_H

#include "flags_priv.h"

#include "tocsin/str.h"
#include "tocsin/world.h"

/* The answer of /api/tocsin/v1/trail, for people or as it is. */
int explain_print(struct str body, bool json);

/* The routes of an alertmanager.yml for labels that are given as name=value; items[0] is no label. */
int explain_routes(struct world *world, const char *path, const struct flag_rest *rest);

#endif
