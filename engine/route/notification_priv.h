/*
 * notification_priv: what a receiver is told, before it is JSON or the data of a template (Alertmanager 0.34).
 */
#ifndef TOCSIN_NOTIFICATION_PRIV_H
#define TOCSIN_NOTIFICATION_PRIV_H

#include "router_priv.h"

#include "tocsin/template.h"

struct notification {
    struct str receiver; /* quoted as a regular expression, as Alertmanager's data is */
    bool firing;
    const struct flush_item **items;
    size_t count, truncated;
    size_t firing_count;
    struct str reason;
    const struct labels *group_labels, *common_labels, *common_annotations, *route_labels;
    struct str external_url;
    struct str group_key;
};

/* max_alerts 0: all. When there are more, the firing ones go first: a receiver must not read "resolved" because those
 * that still fire were cut. Lives in the arena and borrows from the delivery. */
int notification_make(struct arena *arena, const struct router *router, const struct delivery *delivery,
                      uint64_t max_alerts, struct notification *out);

/* Alertmanager's webhook body, version 4. */
void notification_write_json(struct buf *out, const struct notification *n);

/* Alertmanager's template.Data. */
int notification_tval(struct arena *arena, const struct notification *n, struct tval *out);

/* RFC 3339 with up to nine decimals, at the zone it was posted with. */
void alert_time_print(struct buf *out, int64_t unix_ns, int32_t zone_s, int decimals);

#endif
