/*
 * route_labels: the labels of a route as its notifications carry them: `labels:` of alertmanager.yml, whose values may be templates
 * (Alertmanager 0.34).
 *
 * A template sees all alerts of the group, also those that are muted, and other labels of the route by `routeLabels "name"`. One that
 * fails is left out, and the notification goes without it.
 */
#ifndef TOCSIN_ROUTE_LABELS_H
#define TOCSIN_ROUTE_LABELS_H

#include "tocsin/notification.h"
#include "tocsin/strict.h"
#include "tocsin/world.h"

/* How many labels may ask for one another in a row. */
enum { TEMPLATE_LABELS_MAX = 16 };

/* What does not parse refuses the configuration. */
void route_labels_check(struct strict *s, const struct tree *node, struct str text);

bool route_labels_have_templates(const struct labels *sources);

typedef void route_label_failed(void *context, struct str name, const struct err *why);

/* n: as made by whoever notifies, before notification_complete; its reason and route_labels are not looked at. In the arena; NULL past
 * its cap. */
struct labels *route_labels_render(struct world *world, const struct template_set *templates,
                                   const struct labels *sources, const struct notification *n,
                                   struct arena *arena, route_label_failed *failed, void *context);

#endif
