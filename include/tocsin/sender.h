/*
 * sender: what rules record, remote-written to others (`remote_write`), so that somebody keeps it for long.
 *
 * Each target has a backlog in memory. Samples wait there in the order in which they were recorded, one push at a time goes out,
 * and nothing overtakes it until it is answered for good: so no sample of a series overtakes another. A push that may
 * succeed later (no answer, 5xx, 429) is repeated, with a growing pause or the one that Retry-After asks for. One that is refused
 * otherwise is counted, told in the log, and not repeated. One target that is down delays no other.
 *
 * Slower, never lost, up to limits.remote_write_bytes for each target: beyond that the oldest samples give way, counted as
 * prometheus_remote_storage_samples_dropped_total{reason="backlog_full"}. That is about a million and a half, at some
 * hundred bytes more for each series.
 *
 * No thread: the owner calls sender_run in a loop. Drawback: a backlog ends with the process, so what a kill or an end finds unsent
 * (after sender_end, and the time its owner leaves) is missing at the target; it is in the store.
 */
#ifndef TOCSIN_SENDER_H
#define TOCSIN_SENDER_H

#include "tocsin/http_config.h"
#include "tocsin/relabel.h"
#include "tocsin/store.h"
#include "tocsin/world.h"

struct sender;

enum sender_protocol { SENDER_V1, SENDER_V2 };

struct sender_target {
    struct str name; /* which one it is, also after a reload; unique */
    struct str url;
    enum sender_protocol protocol;
    const struct http_config *http;   /* NULL: as struct net_request has it */
    const struct net_header *headers; /* beside those of the protocol; values may be secret */
    size_t header_count;
    int64_t timeout_ms;
    size_t samples_max;  /* of one push */
    int64_t deadline_ms; /* how long samples wait for others that fill their push */
    int64_t backoff_min_ms, backoff_max_ms;
    int64_t age_max_ms;                  /* samples older than that are dropped; 0: none are */
    bool retry_429;                      /* false: 429 is a refusal like others */
    bool histograms;                     /* in 1.0; 2.0 always has them */
    const struct relabel_rules *relabel; /* write_relabel_configs, checked; NULL: none */
};

struct sender_options {
    struct world *world;
    const struct sender_target *targets; /* copied */
    size_t target_count;
    const struct labels *external_labels; /* laid under those of each sample; copied; may be NULL */
};

struct sender *sender_open(const struct sender_options *options);
void sender_close(struct sender *sender); /* nothing may be under way any more: the network has answered */

/* Takes over other targets and settings (a reload). Targets that stay, by their names, keep their backlogs. Thread-safe. */
void sender_configure(struct sender *sender, const struct sender_options *options);

/* Queues copies of all samples for every target. Never waits for a target. Thread-safe. */
void sender_put(struct sender *sender, const struct batch *batch);

/* Starts what is due, takes in answers. When it wants to be called again, monotonic; INT64_MAX: not before it is woken. One
 * thread. */
int64_t sender_run(struct sender *sender);

/* Waits until then, or until there is something to do. sender_wake: there is. */
void sender_wait(struct sender *sender, int64_t until_ns);
void sender_wake(struct sender *sender);

/* From now on nothing waits for a push to be full. */
void sender_end(struct sender *sender);

/* Samples that wait or are under way, of all targets. */
size_t sender_pending(struct sender *sender);

/* prometheus_remote_storage_* (Prometheus 3.14). */
void sender_write_metrics(struct sender *sender, struct buf *out);

#endif
