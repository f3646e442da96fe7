/*
 * The sender's inside.
 *
 * Under the sender's lock: the list of targets, each one's backlog, settings, figures, and its answer until it is taken in. The flight
 * (the samples of the push at hand) belongs to the thread that calls sender_run; so do the arena and the request while none is
 * under way, and the network while one is.
 */
#ifndef TOCSIN_SENDER_PRIV_H
#define TOCSIN_SENDER_PRIV_H

#include "backlog_priv.h"
#include "tocsin/lock.h"
#include "tocsin/queue.h"
#include "tocsin/sender.h"

/* What makes a sample end without being sent, though nobody refused it. */
enum drop_reason {
    DROP_NOT,
    DROP_BACKLOG_FULL,
    DROP_TOO_OLD,
    DROP_HISTOGRAM,
    DROP_CUSTOM,
    DROP_SERIES,
    DROP_REASON_COUNT
};

/* A target as it was configured: self-contained. */
struct settings {
    struct arena arena;
    struct sender_target target;
    const char *url, *shown_url; /* the latter without its password */
    struct http_config *http;    /* NULL: none */
    const struct labels *external_labels;
    struct relabel *relabel; /* NULL: none */
};

enum { DURATION_BOUNDS = 15 };
extern const double sender_duration_bounds[DURATION_BOUNDS]; /* seconds */

struct figures {
    uint64_t sent[KIND_COUNT], failed[KIND_COUNT], retried[KIND_COUNT];
    uint64_t dropped[DROP_REASON_COUNT][KIND_COUNT];
    uint64_t bytes; /* sent, compressed */
    int64_t newest_ms, newest_sent_ms;
    uint64_t durations[DURATION_BOUNDS + 1]; /* of requests, by the bound they are up to */
    double duration_s;
};

struct reply {
    bool come;
    int status; /* 0: none; why says why */
    int64_t retry_after_ms;
    bool tells_written;
    uint64_t written[KIND_COUNT];
    char why[256]; /* first line */
};

struct target {
    struct sender *sender;
    struct settings *settings; /* in force */
    struct settings *flying;   /* those the request under way borrows from; NULL: none is */
    struct backlog backlog;
    bool leaving;   /* no longer wanted: goes with its last answer */
    int64_t due_ns; /* monotonic: until then what waits may wait for more */
    struct figures figures;
    struct reply reply;

    struct queued *flight; /* the push at hand, also between two attempts */
    size_t flight_count, flight_capacity;
    size_t flight_kinds[KIND_COUNT];
    int64_t retry_ns;            /* monotonic: not before */
    int64_t backoff_ms;          /* the next pause; 0: the last attempt was answered for good */
    int64_t failing_ns, told_ns; /* monotonic: since when it fails, and when the log heard of it last */
    int64_t started_ns;
    struct arena arena; /* of the push: labels and body */
    struct net_request request;
};

struct sender {
    struct world *world;
    struct lock lock; /* LOCK_queue */
    struct queue *bell;
    struct target **targets;
    size_t target_count;
    uint64_t samples_in[KIND_COUNT];
    int64_t newest_ms;
    bool ending;
};

/* sender_settings.c */
struct settings *settings_make(const struct sender_target *target, const struct labels *external_labels);
void settings_free(struct settings *settings); /* may be NULL */

/* sender_push.c: one step of a target. True if something was done. */
bool target_step(struct target *t);
/* When it wants the next one, monotonic; lock held. */
int64_t target_next_ns(const struct target *t);

#endif
