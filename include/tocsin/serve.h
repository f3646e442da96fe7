/*
 * serve: HTTP: the listener with its header gate, and every API over it.
 *
 * libmicrohttpd lives only behind this header. Handlers get a whole request and fill an answer; they never see
 * a socket. Refusals on headers are answered before a body is read (reliability sections 3D-F and 6).
 */
#ifndef TOCSIN_SERVE_H
#define TOCSIN_SERVE_H

#include "tocsin/err.h"
#include "tocsin/str.h"
#include "tocsin/world.h"

#include <stdbool.h>
#include <stdint.h>

struct store;
struct intake;
struct ruler;
struct router;
struct forward;
struct incidents;
struct promql_options;

/* What the handlers serve. All borrowed; NULL members answer 404 (a router-only process has no store). */
struct serve_parts {
    struct world *world;
    struct store *store;
    struct intake *intake;
    struct ruler *ruler;
    struct router *router;
    struct forward *forward;
    struct incidents *incidents;
    const struct promql_options *promql;
    /* Reload asked for by POST /-/reload: 0, or the error the client reads. */
    int (*reload)(void *context, struct err *err);
    bool (*ready)(void *context);
    /* A webhook's own side: the body of each POST /page. */
    void (*told)(void *context, struct str body);
    void *context;
    const char *version;
    int64_t started_ns;
};

struct serve_options {
    struct str listen;    /* host:port; port 0: any free one */
    bool lifecycle;       /* POST /-/reload is allowed */
};

struct serve;

int serve_open(const struct serve_options *options, const struct serve_parts *parts, struct serve **out,
               struct err *err);

/* Stops accepting, lets running requests finish, frees. */
void serve_close(struct serve *serve);

/* The port really bound. */
int serve_port(const struct serve *serve);

#endif
