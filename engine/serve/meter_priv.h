/*
 * meter: how often each handler was asked, what it answered, and how long that took, under Prometheus' names.
 *
 * A handler is a path of the routing table, whatever the method; requests that no route took are told as "unknown", so that what
 * strangers ask for makes no series.
 */
#ifndef TOCSIN_SERVE_METER_PRIV_H
#define TOCSIN_SERVE_METER_PRIV_H

#include "tocsin/buf.h"

#include <stdint.h>

struct route;

enum { METER_HANDLERS = 64, METER_CODES = 24, METER_BUCKETS = 9 };

struct meter_handler {
    _Atomic uint64_t codes[METER_CODES];
    _Atomic uint64_t buckets[METER_BUCKETS + 1]; /* each for itself; the last one has no bound */
    _Atomic uint64_t took_ns;
};

struct meter {
    struct meter_handler handlers[METER_HANDLERS]; /* by route; the last one is for requests without */
    _Atomic int64_t connections;                   /* open now */
};

/* Counts an answer. route: NULL if there was none. Thread-safe. */
void meter_count(struct meter *meter, const struct route *route, int status, int64_t took_ns);

/* prometheus_http_requests_total, prometheus_http_request_duration_seconds, tocsin_http_connections. */
void meter_write(struct meter *meter, struct buf *out);

#endif
