/* The simulation as its files see it: a model that counts (simulate_model.c), labels and samples (simulate.c). */
#ifndef TOCSIN_SIMULATE_PRIV_H
#define TOCSIN_SIMULATE_PRIV_H

#include "tocsin/simulate.h"

#include <stdbool.h>

enum {
    SIM_BUCKETS = 12,
    SIM_CODES = 3,
    SIM_SERIES = 1 + SIM_CODES + SIM_BUCKETS + 2, /* of one instance */
    SIM_TARGET_LABELS = 7,                        /* most labels of one instance */
    SIM_LABELS = SIM_TARGET_LABELS + 2            /* and of one series: its name, and code or le */
};

enum sim_code { SIM_OK, SIM_NOT_FOUND, SIM_FAILED };

struct sim_instance {
    size_t service;
    double phase; /* of its daily wave, in turns */
    bool up;
    double requests; /* so far; whole numbers */
    double codes[SIM_CODES];
    double buckets[SIM_BUCKETS];                 /* expected; the counter is the whole part */
    double seconds;                              /* sum of all durations */
    double owed_requests, owed_codes[SIM_CODES]; /* fractions of a request not counted yet */
};

struct simulation {
    struct simulate_options options;
    struct arena arena; /* labels, names, instances, disturbances */
    struct str *services;
    struct sim_instance *instances;
    size_t instance_count;
    struct label (*labels)[SIM_LABELS]; /* SIM_SERIES for each instance */
    uint8_t *label_counts;
    double shares[SIM_BUCKETS]; /* of requests within each bound, */
    double shares_median_s;     /* at this median */
    int64_t now_s;              /* seconds since the start that the counters have seen */
};

extern const double sim_bounds[SIM_BUCKETS]; /* upper bounds in seconds; the last is +Inf */

/* Counters of all instances as of `until_s` seconds after the start. */
void sim_advance(struct simulation *sim, int64_t until_s);

#endif
