/* router_counts_priv: what is counted of each kind of integration, for /metrics. */
#ifndef TOCSIN_ROUTER_COUNTS_PRIV_H
#define TOCSIN_ROUTER_COUNTS_PRIV_H

#include <stdint.h>

enum failure {
    FAILURE_other,
    FAILURE_clientError,
    FAILURE_serverError,
    FAILURE_contextCanceled,
    FAILURE_contextDeadlineExceeded,
    FAILURE_authError,
    FAILURE_rateLimited,
    FAILURE_COUNT
};

enum { LATENCY_BUCKETS = 6 };

struct kind_counts {
    uint64_t notifications, failed[FAILURE_COUNT];
    uint64_t requests, requests_failed;
    uint64_t latency_bucket[LATENCY_BUCKETS], latency_count;
    double latency_sum_s;
};

#endif
