/*
 * simulate: made-up services with believable metrics, for trying rules, routes and dashboards without any.
 *
 * Each of N services runs on M instances. Per instance: up, http_requests_total by code, and the classic histogram
 * http_request_duration_seconds. Load follows a mild daily wave with noise; disturbances raise errors, slow requests
 * down, or take a service away (up is 0, the other series are stale, and its counters begin at 0 afterwards).
 *
 * The numbers are a function of options and time alone: no clock, no socket, the same seed gives the same counters
 * whatever the times asked for. Time moves in steps of a second; going forward costs what lies between, going back
 * starts over.
 */
#ifndef TOCSIN_SIMULATE_H
#define TOCSIN_SIMULATE_H

#include "tocsin/arena.h"
#include "tocsin/err.h"
#include "tocsin/store.h"
#include "tocsin/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum simulate_kind {
    SIMULATE_ERRORS,  /* amount: share of requests that fail, 0..1, instead of the ordinary one */
    SIMULATE_LATENCY, /* amount: times slower */
    SIMULATE_DOWN     /* amount is not used */
};

struct simulate_disturbance {
    struct str service; /* empty: all */
    int64_t from_ms;    /* after the start */
    int64_t for_ms;
    enum simulate_kind kind;
    double amount;
};

struct simulate_options {
    uint64_t seed;
    size_t services;       /* 0: 4 */
    size_t instances;      /* of each service; 0: 3 */
    int64_t start_ms;      /* when the counters are 0 */
    double requests_per_s; /* of one instance, on average; 0: 20 */
    double error_ratio;    /* negative: 0.001 */
    double latency_s;      /* median; 0: 0.08 */
    bool
        kubernetes; /* with the labels that scraping in Kubernetes adds: container, endpoint, job, namespace, pod */
    const struct simulate_disturbance *disturbances; /* copied */
    size_t disturbance_count;
};

struct simulation;

/* ERR_ARG for options that make no sense (an unknown service among the disturbances, too many series). */
int simulate_open(const struct simulate_options *options, struct simulation **out, struct err *err);
void simulate_close(struct simulation *sim);

/* A sample of every series at t_ms (not before the start). Samples live in the arena, labels in the simulation. 0, or
 * ERR_LIMIT (arena), ERR_ARG (before the start). */
int simulate_at(struct simulation *sim, int64_t t_ms, struct arena *arena, struct batch *out);

#endif
