/*
 * forward: alerts to external Alertmanagers (`alerting:`), as Prometheus 3.14 sends them.
 *
 *   alert --external labels, alert_relabel_configs (forward_prepare)--> queue of each Alertmanager --batches--> POST .../api/v2/alerts
 *
 * A group is one item of `alerting.alertmanagers`: targets, as they are given (static_configs) or found (dns_sd_configs), and what
 * they share. Before a target becomes a URL it is a label set (__address__, __scheme__, __alerts_path__, what its group gives or
 * its discovery found) that goes through relabel_configs. Equal URLs of a group are one target.
 *
 * Per target: a bounded queue (the oldest is dropped when full, counted) and one request at a time. A batch that fails is dropped:
 * the rules tell every alert again before that could matter. A target that is no longer wanted gets what is in its queue, and goes.
 *
 * No thread: the owner calls forward_run, and, where it may wait for name servers, forward_discover. A name that cannot be resolved
 * keeps what was found before; one that does not exist has no targets.
 */
#ifndef TOCSIN_FORWARD_H
#define TOCSIN_FORWARD_H

#include "tocsin/alert.h"
#include "tocsin/dns.h"
#include "tocsin/http_config.h"
#include "tocsin/relabel.h"
#include "tocsin/world.h"

struct forward;

/* One item of dns_sd_configs. */
struct forward_lookup {
    struct strict_texts names;
    enum dns_type type;
    int64_t port; /* of all but SRV */
    int64_t refresh_ms;
};

struct forward_group {
    struct str scheme, path_prefix;
    int64_t timeout_ms;
    struct http_config http;
    struct relabel_rules relabel, alert_relabel;
    const struct labels **targets; /* with __address__ */
    size_t target_count;
    struct forward_lookup *lookups;
    size_t lookup_count;
};

/* What a reload may change; borrowed during the call. */
struct forward_settings {
    const struct forward_group *const *groups;
    size_t group_count;
    const struct labels *external_labels;      /* added where absent; NULL: none */
    const struct relabel_rules *alert_relabel; /* NULL: none */
};

struct forward_options {
    struct world *world;
    size_t queue_max; /* 0: limits.forward_queue */
    size_t batch_max; /* 0: 256 */
};

/* Without targets until it is configured. */
struct forward *forward_open(const struct forward_options *options);
void forward_close(struct forward *forward);

/* Takes over other settings; targets that stay keep their queues, names that stay what was found. Thread-safe. On failure (a
 * relabelling rule that makes no sense) nothing changes. */
int forward_configure(struct forward *forward, const struct forward_settings *settings, struct err *err);

/* Gives the alert the labels with which it leaves, in the arena: for Alertmanagers and for the own router, which stands for one.
 * False: it does not leave. Thread-safe. */
bool forward_prepare(struct forward *forward, struct arena *arena, struct alert_event *event);

/* Queues a copy of a prepared alert for every target. Thread-safe. */
void forward_alert(struct forward *forward, const struct alert_event *event);

/* Starts what can be started, takes in answers. True while something is queued or under way. */
bool forward_run(struct forward *forward);

/* Asks for the name that is due the longest, and waits for its answer. Returns in how many milliseconds the next one is due,
 * at most wait_max_ms. */
int64_t forward_discover(struct forward *forward, int64_t wait_max_ms);

/* Where the targets are, in the arena, in the order of the configuration; dropped: what relabel_configs dropped, as it came.
 * 0, or ERR_LIMIT. */
int forward_urls(struct forward *forward, struct arena *arena, struct strict_texts *active,
                 struct strict_texts *dropped);

/* prometheus_notifications_*. */
void forward_write_metrics(struct forward *forward, struct buf *out);

/* The path that a prefix leads to: /PREFIX/api/v2/alerts, without empty parts and dots; in the arena. */
struct str forward_path(struct arena *arena, struct str prefix);

#endif
