/*
 * forward: alerts to external Alertmanagers (`alerting.alertmanagers`), as Prometheus sends them.
 *
 * Per target: a bounded queue (the oldest is dropped when full, counted), batches, POST /api/v2/alerts. No thread: the
 * owner calls forward_run. As Prometheus 3.14 does.
 */
#ifndef TOCSIN_FORWARD_H
#define TOCSIN_FORWARD_H

#include "tocsin/alert.h"
#include "tocsin/world.h"

struct forward;

struct forward_options {
    struct world *world;
    const struct str *urls; /* whole URLs up to and including /api/v2/alerts */
    size_t url_count;
    const struct labels *external_labels; /* added where absent */
    int64_t timeout_ms;                   /* 0: ten seconds */
    size_t queue_max;                     /* 0: limits.forward_queue */
    size_t batch_max;                     /* 0: 256 */
};

struct forward *forward_open(const struct forward_options *options);
void forward_close(struct forward *forward);

/* Takes over other targets and settings (a reload); targets that stay keep their queues. Thread-safe. */
void forward_configure(struct forward *forward, const struct forward_options *options);

/* Queues a copy for every target. Thread-safe. */
void forward_alert(struct forward *forward, const struct alert_event *event);

/* Starts what can be started, takes in answers. True while something is queued or under way. */
bool forward_run(struct forward *forward);

/* Where the targets are, in the arena, in the order of the configuration. 0, or ERR_LIMIT. */
int forward_urls(struct forward *forward, struct arena *arena, struct str **urls, size_t *count);

/* prometheus_notifications_* (Prometheus 3.14). */
void forward_write_metrics(struct forward *forward, struct buf *out);

#endif
