/* fact_priv: one version of one alert; it never changes, and those who hold it are counted. */
#ifndef TOCSIN_FACT_PRIV_H
#define TOCSIN_FACT_PRIV_H

#include "tocsin/alert.h"

struct fact {
    size_t refs;
    uint64_t fingerprint; /* of the labels */
    uint64_t hash;        /* in the notification log */
    size_t bytes;
    struct alert_event *event;
};

/* A copy of the event; older: what has the same labels, or NULL. */
struct fact *fact_make(const struct alert_event *event, uint64_t fingerprint, const struct fact *older);
struct fact *fact_hold(struct fact *fact);
void fact_drop(struct fact *fact);

#endif
