/*
 * router: Alertmanager's half: alerts in, grouped and deduplicated notifications out.
 *
 * The router has no thread: whoever owns it calls router_run at the deadline the last call returned, or
 * earlier. Ticks, waits and repeats follow Alertmanager 0.34. All calls are thread-safe; sending goes through
 * world->send, whose answers are noted and taken in by the next router_run (router_wait wakes for them).
 *
 * Order that keeps pages: the alert is in the state file before POST is answered; a notification counts as sent only when the
 * receiver took it, and then the log is on disk before anything else is decided for that group; what many receivers took at the same
 * time goes there with one sync. Before a page that tells of alerts which the log does not know yet, where opened is to be closed (below),
 * the log says that they may be told: so after a kill in between they are told again, and their end is told in any case.
 *
 * What is muted (inhibited, silenced, at a time that a route excludes) is told nobody; it counts when a flush is due, and is shown when it
 * is asked for. Two promises go beyond Alertmanager, each where struct router_contracts has it:
 *
 * Opened is closed: whoever was told that an alert fires is told that it has ended, also when it ends while it is muted, when others of
 * its group were told of meanwhile, and when a reload sends it elsewhere: then in the words, and to the address, of the configuration in
 * which it was told (until the process ends: a restart with other routes knows the new ones only). Drawback: a receiver is known by its name,
 * an integration by its kind and place in it. One that a reload takes out of a receiver that keeps its name is told nothing more.
 *
 * No lost page: an alert that ended and fires again is a page, also where its end was not told (it was muted, the receiver was away, the
 * integration wants no resolved alerts); one that fired and ended while the receiver took nothing is told late, as resolved, for the
 * reason "fired and resolved during an outage".
 *
 * Besides, where Alertmanager loses a page the router differs from it, on purpose:
 *  - 429 is tried again like 5xx, and Retry-After is obeyed within the flush's time;
 *  - with max_alerts the alerts that still fire come first;
 *  - a reload keeps timers and flushes under way of groups whose key, labels and receiver are unchanged;
 *  - when wall time is set, deadlines move with it.
 *
 * An integration has 64 requests under way at a time, and as many more for each tenth of a second in which it answers none (router_lane.c):
 * a storm of groups neither drowns it nor waits for it with all its pages in memory.
 *
 * Where an integration would get more pages within a minute than struct router_storm lets it, those beyond wait for fifteen seconds and are told
 * in one: the digest, an alert named AlertStorm that says how many fire and have ended, by name, the first of them one by one, and where the
 * others are to be seen. Each group then counts as told. One that was opened in a digest is told of in digests, its end too, until all of it
 * has ended; the ends of what was paged by itself go by themselves. A digest that is refused is taken apart: then each group is told by itself.
 * Drawback: a digest goes to one address, while a setting that is a template may have sent its pages to several; and an alert that fires
 * and ends within the seconds of waiting is told as one that fires first.
 *
 * After a restart everything posted is known again: group_wait counts from when it came, groups that have flushed keep their ticks, and what was due meanwhile is
 * due at once. An alert that has not ended gets the time that its sender gave it (five minutes at most) once more, because nobody could hear of it.
 *
 * Drawback: a post waits for the transaction that writes it (not for a sync: a power cut may take the last quarter of a second).
 */
#ifndef TOCSIN_ROUTER_H
#define TOCSIN_ROUTER_H

#include "tocsin/alert.h"
#include "tocsin/amconfig.h"
#include "tocsin/page.h"
#include "tocsin/silence.h"
#include "tocsin/state.h"

struct router;

/* See above; without either the router does as Alertmanager does. */
struct router_contracts {
    bool opened_is_closed, no_lost_page;
};

/* Pages in a storm. */
struct router_storm {
    int64_t pages_per_minute; /* to one integration; 0: any number, and no digests */
    const struct str *
        never; /* matchers as routes write them: an alert that all of one of these match is told by its own group's page */
    size_t never_count;
};

struct router_options {
    struct world *world;
    struct state
        *state; /* notification log, silences, posted alerts, when groups are due; NULL: in memory only */
    struct str external_url; /* no trailing slash; copied */
    /* News of each attempt; takes over the heap block; must only enqueue. NULL: nobody listens. */
    void (*paged)(void *context, struct page_event *event);
    void *context;
    struct router_contracts contracts;
    struct router_storm storm;               /* copied */
    int64_t max_silences, max_silence_bytes; /* as in silences_options */
    int64_t retention_ms;                    /* of the log and of expired silences, at most; 0: five days */
    int64_t alerts_gc_ms; /* how often alerts that have ended are looked for; 0: each half hour */
    int64_t
        start_delay_ms; /* after router_open no group is flushed for so long: its alerts may still be on their way */
    int64_t alerts_per_name; /* that fire, with one alertname; others are dropped, counted; 0: any number */
};

/* Takes over the configuration. */
int router_open(const struct router_options *options, struct amconfig *config, struct router **out,
                struct err *err);

/* Waits for no answer, and none may come any more: close the courier first (it answers all that is under way), then
 * call router_run once to take the answers in. */
void router_close(struct router *router);

/* Swaps the configuration (taken over); alerts and log stay, groups whose grouping is unchanged keep their timers. */
void router_reload(struct router *router, struct amconfig *config);

/* From the next flush on. */
void router_set_contracts(struct router *router, struct router_contracts contracts);

/* The same; copied. ERR_PARSE: bad matchers. */
int router_set_storm(struct router *router, const struct router_storm *storm, struct err *err);

/* They live as long as the router. */
struct silences *router_silences(struct router *router);

/* Takes in alerts (upsert by label set, Alertmanager 0.34). Valid ones are stored even if others fail; then ERR_PARSE and
 * *errors has a line each; ERR_LIMIT: for want of room, and *errors says of which. resolve_timeout fills a missing end. ERR_IO: they are
 * known and will be told, but not on disk. */
int router_post(struct router *router, const struct alert_event *events, size_t count, struct buf *errors);

/* The same of one that whoever tells it keeps, and tells again after a restart: it is not written down. */
int router_tell(struct router *router, const struct alert_event *event, struct buf *errors);

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
    const struct str *silenced_by; /* ids, sorted */
    size_t silenced_count;
};

struct router_group {
    const struct labels *labels;
    const struct labels *route_labels;
    struct str receiver;
    struct str key;
    struct router_alert *alerts; /* in Alertmanager's order */
    size_t count;
    const struct str *muted_by; /* names of time intervals, as of the last flush */
    size_t muted_count;
    int64_t next_flush_ns;
};

struct router_filter {
    const struct matcher *matchers; /* all must match */
    size_t matcher_count;
    const struct regex *receiver;            /* anchored; NULL: any */
    const struct matcher *receiver_matchers; /* on its labels; all must match */
    size_t receiver_matcher_count;
    bool active, silenced, inhibited; /* which kinds to show */
    bool muted;                       /* also groups whose last flush a time interval kept back */
};

/* Unresolved alerts by fingerprint; groups by Alertmanager's order. ERR_LIMIT past the arena's cap. */
int router_alerts(struct router *router, const struct router_filter *filter, struct arena *arena,
                  struct router_alert **alerts, size_t *count);
int router_groups(struct router *router, const struct router_filter *filter, struct arena *arena,
                  struct router_group **groups, size_t *count);
struct router_receiver {
    struct str name;
    const struct labels *labels;
};
/* Those whose labels all of the matchers match. */
int router_receivers(struct router *router, const struct matcher *matchers, size_t matcher_count,
                     struct arena *arena, struct router_receiver **receivers, size_t *count);

/* The configuration as /api/v2/status shows it, copied. */
struct str router_config_text(struct router *router, struct arena *arena);

/* alertmanager_* of Alertmanager 0.34. */
void router_write_metrics(struct router *router, struct buf *out);

#endif
