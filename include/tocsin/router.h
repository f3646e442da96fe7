/*
 * router: Alertmanager's half: alerts in, grouped and deduplicated notifications out.
 *
 * The router has no thread: whoever owns it calls router_run at the deadline the last call returned, or
 * earlier. Ticks, waits and repeats follow Alertmanager 0.34. All calls are thread-safe; sending goes through
 * world->send, whose answers are noted and taken in by the next router_run (router_wait wakes for them).
 *
 * Order that keeps pages: the alert is stored before POST is answered; a notification counts as sent only when the
 * receiver took it, and then the log is on disk before anything else is decided for that group. Before the first page of a group
 * the log says that it may be told: so after a kill in between it is told again, and its end is told in any case.
 *
 * Where Alertmanager loses a page the router differs from it, on purpose:
 *  - 429 is tried again like 5xx, and Retry-After is obeyed within the flush's time;
 *  - an alert that ends while it is inhibited is told as resolved to whoever was told that it fires;
 *  - for an integration without send_resolved the log forgets alerts that have ended, so their return is a page;
 *  - with max_alerts the alerts that still fire come first;
 *  - a reload keeps timers and flushes under way of groups whose key, labels and receiver are unchanged;
 *  - when wall time is set, deadlines move with it.
 *
 * Drawback: alerts themselves are held in memory only; after a restart they are known again when they are posted.
 */
#ifndef TOCSIN_ROUTER_H
#define TOCSIN_ROUTER_H

#include "tocsin/alert.h"
#include "tocsin/amconfig.h"
#include "tocsin/page.h"
#include "tocsin/state.h"

struct router;

struct router_options {
    struct world *world;
    struct state *state;     /* notification log; NULL: in memory only */
    struct str external_url; /* no trailing slash; copied */
    /* News of each attempt; takes over the heap block; must only enqueue. NULL: nobody listens. */
    void (*paged)(void *context, struct page_event *event);
    void *context;
};

/* Takes over the configuration. */
int router_open(const struct router_options *options, struct amconfig *config, struct router **out,
                struct err *err);

/* Waits for no answer, and none may come any more: close the courier first (it answers all that is under way), then
 * call router_run once to take the answers in. */
void router_close(struct router *router);

/* Swaps the configuration (taken over); alerts and log stay, groups whose grouping is unchanged keep their timers. */
void router_reload(struct router *router, struct amconfig *config);

/* Takes in alerts (upsert by label set, Alertmanager 0.34). Valid ones are stored even if others fail; then ERR_PARSE and
 * *errors has a line each. resolve_timeout fills a missing end. */
int router_post(struct router *router, const struct alert_event *events, size_t count, struct buf *errors);

/* True if somebody was told that this alert fires, or may have been, and not that it has ended. */
bool router_owes_end(struct router *router, const struct labels *alert);

/* Does all that is due at now_ns. Returns the wall time of the next deadline (INT64_MAX: none). */
int64_t router_run(struct router *router, int64_t now_ns);

/* Blocks until wall time until_ns, new alerts, an answer, or router_wake. Only for real time. */
void router_wait(struct router *router, int64_t until_ns);
void router_wake(struct router *router);

/* True if no request is under way. */
bool router_idle(struct router *router);

/* What the API shows, copied into the arena. */
struct router_alert {
    const struct alert_event *event;
    uint64_t fingerprint;
    const struct str *receivers; /* in route order; in groups sorted, each once */
    size_t receiver_count;
    bool suppressed;
    const uint64_t *inhibited_by; /* every one of them, sorted */
    size_t inhibited_count;
};

struct router_group {
    const struct labels *labels;
    const struct labels *route_labels;
    struct str receiver;
    struct str key;
    struct router_alert *alerts; /* in Alertmanager's order */
    size_t count;
    int64_t next_flush_ns;
};

struct router_filter {
    const struct matcher *matchers; /* all must match */
    size_t matcher_count;
    const struct regex *receiver;     /* anchored; NULL: any */
    bool active, silenced, inhibited; /* which kinds to show */
};

/* Unresolved alerts by fingerprint; groups by Alertmanager's order. ERR_LIMIT past the arena's cap. */
int router_alerts(struct router *router, const struct router_filter *filter, struct arena *arena,
                  struct router_alert **alerts, size_t *count);
int router_groups(struct router *router, const struct router_filter *filter, struct arena *arena,
                  struct router_group **groups, size_t *count);
int router_receivers(struct router *router, struct arena *arena, struct str **names, size_t *count);

/* The configuration as /api/v2/status shows it, copied. */
struct str router_config_text(struct router *router, struct arena *arena);

/* alertmanager_* of Alertmanager 0.34. */
void router_write_metrics(struct router *router, struct buf *out);

#endif
