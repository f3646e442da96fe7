/*
 * serve: HTTP: the listener with its header gate, and every API over it.
 *
 * Served: remote write, Prometheus' query and rule API, Alertmanager's API v2, /metrics, the /-/ endpoints and Tocsin's
 * own (`GET /` lists them all). libmicrohttpd lives only behind this header. Handlers get a whole request and fill an
 * answer; they never see a socket.
 *
 * What arrives is bounded before it is believed: requests that could mean two things, other sites' posts, and bodies of
 * the wrong type or length are refused on the headers; connections, their time and the memory of all bodies together
 * have limits (limits.h, http). No authentication: listen on loopback, or put a proxy in front that does not share
 * connections between clients. Pages of other sites may query, and read what Prometheus' and Alertmanager's APIs answer, as these let
 * them by default; they may change nothing.
 *
 * The answer to a push goes out when the store's log is durable up to its samples; until then its connection is suspended, and no thread
 * waits with it. Who runs the log tells how far it is (serve_committed).
 *
 * Threads: two that serve each address, two that evaluate queries while their connections are suspended, one that enforces
 * deadlines and notices clients that hang up: their queries are given up.
 */
#ifndef TOCSIN_SERVE_H
#define TOCSIN_SERVE_H

#include "tocsin/err.h"
#include "tocsin/str.h"
#include "tocsin/world.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;
struct intake;
struct ruler;
struct router;
struct forward;
struct incidents;
struct budgets;
struct promql_options;
struct buf;

/* What the handlers serve. All borrowed; NULL members answer 404 (a router-only process has no store). */
struct serve_parts {
    struct world *world;
    struct store *store;
    struct intake *intake;
    struct ruler *ruler;
    struct router *router;
    struct forward *forward;
    struct incidents *incidents;
    struct budgets *budgets;
    const struct promql_options *promql;
    const char *features; /* what --enable-feature was given, for /api/v1/status/flags; NULL: nothing */
    void (*pushed)(void *context); /* a push brought samples; NULL: nobody wants to know */
    /* Reload asked for by POST /-/reload: 0, or the error the client reads. */
    int (*reload)(void *context, struct err *err);
    bool (*ready)(void *context);
    void (*write_metrics)(void *context, struct buf *out); /* what only the process as a whole knows */
    void (*write_config)(void *context,
                         struct buf *out); /* the configuration in force as YAML, without secrets */
    /* A webhook's own side: the body of each POST /page. */
    void (*told)(void *context, struct str body);
    void *context;
    const char *version;
    int64_t started_ns;
};

struct serve_options {
    struct str
        listen; /* host:port, or several with commas between; port 0: any free one; no host: every address */
    struct str
        route_prefix; /* what every path begins with, "/alerts"; / leads there. Empty: nothing. Copied */
    bool lifecycle;   /* POST /-/reload is allowed */
    struct str
        identity_header; /* whose value names who pushes; empty: the client's address does. Copied. Only for those
                                 * behind a proxy that sets it: who pushes may write what he likes */
};

struct serve;

int serve_open(const struct serve_options *options, const struct serve_parts *parts, struct serve **out,
               struct err *err);

/* The store's log is durable up to here, or cannot be written (works: false): answers that waited for it go out, as 503 where their
 * samples are not durable. After each round of the log, by its thread. */
void serve_committed(struct serve *serve, uint64_t durable, bool works);

/* Stops accepting, lets running requests finish for some seconds, then cancels evaluations and refuses pushes that still
 * wait. The log has to go on meanwhile: serve_committed may be called until serve_close. */
void serve_stop(struct serve *serve);

/* Frees; stops first if that was not done. */
void serve_close(struct serve *serve);

/* The port really bound; of the first address, if there are several. */
int serve_port(const struct serve *serve);

/* Writes "host:port" of the nth address, with the port really bound. False: there are no more. */
bool serve_address(const struct serve *serve, size_t n, struct buf *out);

#endif
