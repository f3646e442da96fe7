/*
 * page: news of one notification, from the router to whoever keeps the history (incidents).
 *
 * Self-contained: one heap block made by page_event_copy, freed with mem_free.
 */
#ifndef TOCSIN_PAGE_H
#define TOCSIN_PAGE_H

#include "tocsin/labels.h"

enum page_outcome {
    PAGE_DELIVERED, /* the receiver took it */
    PAGE_RETRYING,  /* an attempt failed, another will follow */
    PAGE_FAILED,    /* given up until the group's next tick */
    PAGE_UNSENT     /* only resolved alerts, and this integration does not want them; attempt is 0 */
};

struct page_event {
    struct str group_key;   /* Alertmanager's: {}/{team="db"}:{alertname="A"} */
    struct str receiver;    /* as named in the configuration */
    struct str integration; /* "webhook", "slack", ... */
    struct str reason;      /* "first notification", ... (Alertmanager 0.34) */
    struct str detail;      /* of a failure: what went wrong; no secret, no URL */
    const struct labels *group_labels, *common_labels, *common_annotations;
    bool firing; /* at least one alert of the batch fires */
    uint32_t firing_count, resolved_count;
    int64_t at_ns;
    int attempt; /* from 1 */
    int status;  /* HTTP status; 0: none */
    enum page_outcome outcome;
};

struct page_event *page_event_copy(const struct page_event *event);

#endif
