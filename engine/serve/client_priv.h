/*
 * client: one connection and the request it is busy with, from its headers to its answer.
 *
 * Headers are judged first; what can be refused on them is answered before a byte of the body is read, and
 * the connection is closed. Bodies are given memory from one budget for all connections. While a worker evaluates, or the answer waits for
 * the store's log, the connection is suspended: the library neither times it nor touches it.
 */
#ifndef TOCSIN_SERVE_CLIENT_PRIV_H
#define TOCSIN_SERVE_CLIENT_PRIV_H

#include "commits_priv.h"
#include "gate_priv.h"
#include "http_priv.h"
#include "watch_priv.h"
#include "workers_priv.h"

#include <microhttpd.h>

enum { SERVE_THREADS = PUSHES_AT_ONCE, LISTENERS_MAX = 8 };

struct listener {
    struct MHD_Daemon *daemon;
    char *host; /* as it was said */
    int port;
};

struct serve {
    struct service service;
    struct meter meter;
    struct listener listeners[LISTENERS_MAX];
    size_t listener_count;
    struct watch watch;
    struct workers workers;
    struct commits commits;
    atomic_llong in_flight; /* bytes promised to bodies */
    int64_t connections_max;
    struct str identity_header;
    atomic_bool closing; /* no new connections and requests */
    bool stopped;
};

struct client;

struct client *client_open(struct serve *serve, int fd, const char address[ADDRESS_BYTES]);
void client_close(struct client *client);

/* A request line has come. raw_target is as sent, still encoded. */
void client_begin(struct client *client, const char *raw_target);

/* The library's access callback: headers, then pieces of the body, then its end. */
enum MHD_Result client_step(struct client *client, struct MHD_Connection *connection, const char *method,
                            const char *version, const char *upload, size_t *upload_bytes);

/* Runs the handler of a request whose connection is suspended, or tells that it came too late for that, and lets it go on.
 * For the workers. */
void client_work(struct work *work);
void client_give_up(struct work *work);

/* Lets a request go on whose answer has waited for the log. For the commits. */
void client_resume(struct commit *commit);

/* The request is over, answered or not. */
void client_end(struct client *client);

#endif
