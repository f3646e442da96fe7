/*
 * rule_past: what /api/tocsin/v1/rules adds to the objects of /api/v1/rules.
 *
 * Of a rule: `verdict`, its health, but no_series where all went well and one of its selectors matches no series; and its last
 * evaluations, newest first: the time they looked at, what they were for (a slot, a look between slots, catching up), how long they
 * took, how many series its selectors held, how many results there were, the error, and the query to ask again. Of a group: how
 * it is evaluated, and how often it was.
 */
#ifndef TOCSIN_SERVE_RULE_PAST_PRIV_H
#define TOCSIN_SERVE_RULE_PAST_PRIV_H

#include "tocsin/ruler.h"

void rule_past_members(struct buf *out, const struct ruler_rule *rule);
void rule_past_group_members(struct buf *out, const struct ruler_group *group);

#endif
