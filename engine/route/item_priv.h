/* item_priv: the order of alerts in a notification, and of groups among each other (Alertmanager 0.34). */
#ifndef TOCSIN_ITEM_PRIV_H
#define TOCSIN_ITEM_PRIV_H

#include "tocsin/labels.h"

/* What decides where an alert stands among others, looked up once. */
struct item_place {
    struct str job, instance;
    const struct labels *labels;
};
struct item_place item_place_of(const struct labels *labels);
int item_place_order(const struct item_place *a, const struct item_place *b);
int router_item_order(const struct labels *a, const struct labels *b); /* for a few */

#endif
