/*
 * alert: what a rule tells the router, and what the router tells people.
 *
 * An event is self-contained: one heap block made by alert_event_make, handed over with the pointer. Times
 * are nanoseconds since the epoch, because Alertmanager's are.
 */
#ifndef TOCSIN_ALERT_H
#define TOCSIN_ALERT_H

#include "tocsin/labels.h"

#include <stdbool.h>
#include <stdint.h>

struct alert_event {
    struct labels *labels; /* with alertname */
    struct labels *annotations;
    struct str generator_url;
    int64_t starts_ns;
    int64_t ends_ns;                    /* when it ended or will be taken as ended */
    int64_t updated_ns;                 /* when this news was made */
    int32_t starts_zone_s, ends_zone_s; /* the zone offsets as posted; 0: UTC */
    bool ends_is_timeout;               /* no end was given: updated + resolve_timeout, or an older one */
    bool of_rule;                       /* a rule of this process made it; else it was posted */
};

/* What a copy takes. */
size_t alert_event_bytes(const struct alert_event *event);

/* A copy of all parts in one heap block; free with mem_free. */
struct alert_event *alert_event_copy(const struct alert_event *event);

/* Alertmanager's identity of a label set: FNV-1a 64 over name 0xFF value 0xFF (Alertmanager 0.34). */
uint64_t labels_fingerprint(const struct labels *ls);

static inline bool alert_is_resolved(const struct alert_event *a, int64_t now_ns)
{
    return a->ends_ns != 0 && a->ends_ns <= now_ns;
}

#endif
