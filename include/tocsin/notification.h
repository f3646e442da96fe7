/*
 * notification: what a receiver is told, before it is JSON, text or the data of a template (Alertmanager 0.34).
 *
 * It borrows: alerts, labels and texts belong to whoever makes it, and stay as long as the notification is in use.
 */
#ifndef TOCSIN_NOTIFICATION_H
#define TOCSIN_NOTIFICATION_H

#include "tocsin/alert.h"
#include "tocsin/template.h"

struct notification_alert {
    const struct alert_event *event;
    uint64_t fingerprint;
    bool resolved;
};

struct notification {
    /* Whoever makes it says: */
    struct str receiver; /* its name as configured */
    const struct notification_alert *alerts;
    size_t count;
    struct str reason; /* "first notification", ... */
    bool late; /* the receiver believes that none of the group fires, and is to hear of alerts that did */
    const struct labels *group_labels, *route_labels;
    struct str external_url; /* no trailing slash */
    struct str group_key;
    int64_t now_ns;

    /* What follows from that: */
    struct str receiver_pattern; /* the name quoted as a regular expression, as Alertmanager's data has it */
    bool firing;                 /* at least one alert does */
    size_t firing_count, truncated;
    const struct labels *common_labels, *common_annotations;
};

/* Fills in what follows, in the arena. max_alerts 0: all. When there are more, the firing ones go first: a receiver must not read
 * "resolved" because those that still fire were cut. ERR_LIMIT past the arena's cap. */
int notification_complete(struct arena *arena, struct notification *n, uint64_t max_alerts);

/* Alertmanager's webhook body, without a line end; version "4", or another's that has the same shape. */
void notification_write_json(struct buf *out, const struct notification *n, const char *version);

/* Alertmanager's template.Data. */
int notification_tval(struct arena *arena, const struct notification *n, struct tval *out);

#endif
