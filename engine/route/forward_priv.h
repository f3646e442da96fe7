/* forward_priv: what sending, targets and discovery share. Everything below struct forward's lock is under it. */
#ifndef TOCSIN_FORWARD_PRIV_H
#define TOCSIN_FORWARD_PRIV_H

#include "tocsin/forward.h"
#include "tocsin/lock.h"

enum { LATENCIES_KEPT = 64 };

/* One alert for all targets that get it with the same labels; freed by the last one that lets go. */
struct parcel {
    size_t refs;
    struct alert_event *event;
};

/* One name of a lookup. */
struct lookup {
    uint64_t id; /* so that an answer finds it, or finds it gone */
    char *name;
    enum dns_type type;
    int64_t port, refresh_ms, due_ns;
    struct labels **found;
    size_t found_count;
};

/* A forward_group, ready for use. It lives as long as it is configured or a request uses its http. */
struct group {
    size_t refs;
    struct arena arena;
    struct str scheme, path;
    int64_t timeout_ms;
    struct http_config *http;
    struct relabel *relabel, *alert_relabel;
    const struct labels **targets;
    size_t target_count;
    struct lookup *lookups;
    size_t lookup_count;
};

struct target {
    struct forward *forward;
    struct group *group;   /* whose settings the next request takes */
    struct group *sending; /* whose settings the one under way took */
    char *url, *shown;     /* shown: without a password */
    struct parcel **queue; /* a ring of queue_max */
    size_t head, count;
    bool busy, answered; /* a request is under way; its answer has come */
    bool leaving;        /* no longer wanted: goes with its last answer */
    size_t batch;        /* alerts in it */
    int64_t started_ns;
    struct net_request request;
    struct buf body;
    int status;
    char why[256];
    uint64_t sent, errors, dropped;
    uint64_t latencies; /* of requests that went well */
    double latency_sum_s, recent_s[LATENCIES_KEPT];
};

struct forward {
    struct world *world;
    size_t queue_max, batch_max;
    struct lock lock; /* down to the end */
    struct labels *external_labels;
    struct relabel *alert_relabel;
    struct group **groups;
    size_t group_count;
    struct target **targets;
    size_t target_count;
    char **dropped; /* URLs of targets that relabelling dropped */
    size_t dropped_count;
    uint64_t lookups_made, retarget_faults;
};

void forward_group_keep(struct group *group);
void forward_group_let_go(struct group *group);

/* forward_group.c: 0, or why the group cannot be used. */
int forward_group_open(const struct forward_group *from, struct group **out, struct err *err);

/* forward_target.c: makes the list of targets anew from what the groups know. */
void forward_retarget(struct forward *forward);
void forward_target_close(struct target *target);
void forward_parcel_drop(struct parcel *parcel); /* NULL is fine */

/* forward_discover.c */
void forward_lookup_init(struct forward *forward,
                         struct lookup *lookup); /* with what is known of the name already */
void forward_lookup_release(struct lookup *lookup);

/* forward_write.c */
void forward_write_alert(struct buf *out, const struct alert_event *event);

#endif
