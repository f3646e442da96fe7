/*
 * router_priv: what the router remembers.
 *
 *     alert    the store: one per label set, always with its newest fact
 *     fact     one version of one alert; never changes, counted references
 *     group    alerts of one route that share its group labels, with the timer of its next flush
 *     flush    one tick of one group on its way through the receiver's integrations
 *     delivery one integration's share of a flush: decided, sent, perhaps sent again
 *     lane     the deliveries of one integration that are under way, and those that wait their turn
 *
 * Everything but the inbox is behind `lock`. Flushes and deliveries are changed by the thread in router_run alone, so
 * it may read them without the lock while it renders, sends and writes the log; a flush keeps its configuration and
 * its facts alive until it ends.
 */
#ifndef TOCSIN_ROUTER_PRIV_H
#define TOCSIN_ROUTER_PRIV_H

#include "tocsin/hash.h"
#include "tocsin/lock.h"
#include "tocsin/log.h"
#include "tocsin/router.h"

#include "dedup_priv.h"
#include "fact_priv.h"
#include "inbox_priv.h"
#include "inhibit_priv.h"
#include "item_priv.h"
#include "keep_priv.h"
#include "nflog_priv.h"
#include "router_counts_priv.h"
#include "router_storm_priv.h"
#include "silence_priv.h"
#include "timers_priv.h"
#include "trail_priv.h"

struct alert {
    struct fact *fact;
    size_t groups; /* that hold it */
    struct silence_hits silenced;
    struct kept kept;
    struct trail *trail; /* NULL: it has made room for others */
};

/* A configuration and who still needs it. */
struct generation {
    size_t refs;
    struct amconfig *config;
};

struct group {
    struct timer timer; /* of the next flush; must be first */
    const struct am_route *route;
    struct labels *labels;
    struct str key;
    uint64_t hash;
    struct map members; /* struct alert, by fingerprint */
    struct flush *flush;
    struct str *muted_by; /* time intervals that kept back the last flush; with their texts in one block */
    size_t muted_count;
    bool flushed;              /* at least once */
    bool tick_waits;           /* came due while a flush was under way */
    bool kept;                 /* taken over by the reload that is running */
    bool dead;                 /* no longer listed: goes when its flush ends */
    int64_t tick_id;           /* of its row in the state file; 0: it has none */
    struct trail_group *trail; /* NULL: nobody has joined yet */
    struct labels
        *route_labels;          /* as the API last showed them; NULL: it has not, or they need no rendering */
    uint64_t route_labels_news; /* what router->news was then */
    /* The configuration that it comes from, if that is no longer in force: it only waits for the ends of what it has told. */
    struct generation *closing;
};

/* In the order in which they are asked. */
enum mute {
    MUTE_none,
    MUTE_inhibition,
    MUTE_active_time_interval,
    MUTE_mute_time_interval,
    MUTE_silence,
    MUTE_moved, /* the configuration in force tells others of it */
    MUTE_COUNT
};

struct flush_item {
    struct fact *fact;
    bool resolved;
    enum mute muted; /* told only if it is the end of something told before */
};

struct flush;

struct delivery {
    struct timer timer; /* of the next attempt or the deadline; must be first */
    struct flush *flush;
    const struct integration *integration;
    enum dedup_reason reason;
    const struct flush_item **batch; /* what is sent */
    size_t batch_count;
    struct dedup_told note; /* what the log will say */
    struct labels
        *kept;    /* what an earlier notification left behind in the log, then this one; NULL: nothing */
    bool forgets; /* nothing is sent, the log only forgets what has ended */
    bool ended;
    bool in_lane;                  /* has a place there */
    bool alone;                    /* no digest takes it */
    struct delivery *next_in_lane; /* or of those that wait for a digest */
    struct digest *digest;         /* that it is the page of; NULL: of its group */
    int64_t digest_ns;             /* when the one that it waits for is told; 0: it waits for none */
    int attempt;
    int64_t backoff_ns;
    int64_t started_ns;
    struct message *message; /* the request under way */
};

struct flush {
    struct group *group; /* a reload may put another in its place: only with the lock */
    struct str key;      /* the group's, copied */
    struct labels *labels;
    struct labels *route_labels; /* rendered; NULL: not yet, or those of its route need no rendering */
    struct generation *generation;
    const struct am_route *route;
    struct flush_item *items;
    size_t count;
    int64_t tick_ns, deadline_ns;
    size_t open; /* deliveries that have not ended */
    bool failed;
    struct delivery *deliveries;
    size_t delivery_count;
};

struct router_counts {
    uint64_t received_firing, received_resolved, invalid, limited;
    uint64_t suppressed[MUTE_COUNT];
    struct kind_counts kinds[INTEGRATION_KINDS_MAX]; /* by integration_kind_of */
};

struct router {
    struct router_options options;
    char *external_url;
    struct lock lock;
    struct generation *generation;
    struct map alerts;  /* by fingerprint */
    struct map groups;  /* by route and labels */
    struct map names;   /* router_names.c, by alertname; empty unless their alerts are limited */
    size_t alert_bytes; /* of the newest facts */
    struct map lanes;   /* by integration */
    struct digests digests;
    struct timers timers;
    struct inhibitor inhibitor;
    struct nflog nflog;
    struct silences *silences;
    struct router_counts counts;
    struct keeping keeping;
    struct trails trails;
    struct inbox inbox;
    struct message *messages; /* every request under way, for router_close */
    struct message *prepared,
        **last_prepared; /* rendered, not sent yet; with settled: of the router's thread alone */
    struct settled settled[ROUTER_BATCH];
    size_t settled_count;
    bool rests;       /* router_wait is called: it is not a simulation, whose clock stands still meanwhile */
    int64_t rest_ns;  /* monotonic: until then router_wait lets things gather */
    int64_t next_ns;  /* when router_run is called without being woken */
    int64_t start_ns; /* no group is flushed before */
    int64_t alerts_gc_ns, nflog_gc_ns;
    uint64_t news;            /* counts what changes alerts or groups */
    int64_t bound_look_ns;    /* when silences that end with their alerts are looked at next */
    bool ungrouped;           /* an alert found no room in alert_groups */
    int64_t wall_ns, mono_ns; /* at the last run, to notice a stepped clock */
};

/* router_alert.c */
int router_validate(const struct alert_event *event, struct buf *errors);
/* Merges one valid event into the store; its times are filled in. NULL: the store is full, by number or by bytes. */
struct alert *router_store(struct router *router, const struct alert_event *event, bool posted,
                           int64_t now_ns);
void router_collect_alerts(struct router *router, int64_t now_ns);
void router_free_alerts(struct router *router);

/* router_group.c */
/* Puts an alert into the groups of every route it matches. A group that is made for it counts its group_wait from since_ns. */
void router_route_alert(struct router *router, struct alert *alert, int64_t since_ns, int64_t now_ns);
/* The same of one that an earlier process knew to have ended: only into groups that have not told everybody. */
void router_route_ended(struct router *router, struct alert *alert, int64_t since_ns, int64_t now_ns);
typedef void route_visit(void *context, const struct am_route *route);
void router_match(const struct am_route *route, const struct labels *ls, route_visit *visit, void *context);
void group_remove(struct group *group, struct alert *alert);
/* Takes it out of the list and frees it, now or when its flush ends. */
void group_destroy(struct router *router, struct group *group);
void group_free(struct group *group);
void router_regroup(struct router *router, struct generation *old, int64_t now_ns);

/* router_mute.c */
/* Says of each item what keeps it quiet now, and keeps the names of the time intervals that do. */
/* router_bound.c: ends silences that are to end with their alerts. Returns when to look again; INT64_MAX: there are none. */
int64_t router_end_silences(struct router *router, int64_t now_ns);

void flush_mute(struct router *router, struct group *group, struct flush *flush);
void group_forget_mutes(struct group *group);
void group_inherit_mutes(struct group *new, struct group *old);

/* router_labels.c: the labels of a route, rendered where they are templates. */
/* Without the lock, on the router's thread. */
const struct labels *flush_route_labels(struct router *router, struct flush *flush);
/* With the lock. */
const struct labels *group_route_labels(struct router *router, struct group *group);

/* router_flush.c */
/* Begins the flush of a group that is due; deliveries that want sending come due at once. */
void flush_start(struct router *router, struct group *group, int64_t now_ns);
void flush_end_if_done(struct router *router, struct flush *flush, int64_t now_ns);
void flush_free(struct flush *flush);
/* What the log is to say once the delivery has succeeded. */
struct nflog_note *delivery_note(const struct router *router, const struct delivery *d, int64_t sent_ns);
/* What the log is to say as long as nobody knows whether it will; with the lock. */
struct nflog_note *delivery_intent(const struct router *router, const struct delivery *d, int64_t now_ns);
/* What one of its receiver's integrations was last told; NULL: nothing, or too long ago. */
const struct dedup_told *group_told(const struct router *router, const struct group *group,
                                    const struct integration *integration, int64_t now_ns);
/* True if somebody whom the group told that an alert fires has not heard of its end. */
bool group_owes_end(const struct router *router, const struct group *group, int64_t now_ns);
/* True if all of the receiver's integrations were told in this group of the end of an alert, or of what came after it. */
bool route_has_told_end(const struct router *router, const struct am_route *route, struct str key,
                        uint64_t hash, int64_t ended_ns, int64_t now_ns);
/* What its integration was last told in its group. */
const struct dedup_told *delivery_told(const struct router *router, const struct delivery *d, int64_t now_ns);
/* What it is to say now that it has failed; NULL: nothing new. */
struct nflog_note *delivery_missed(const struct router *router, const struct delivery *d, int64_t now_ns);
void generation_drop(struct generation *generation);
/* The counts of the delivery's kind of integration. */
struct kind_counts *delivery_counts(struct router *router, const struct delivery *d);

/* router_send.c; without the lock, on the router's thread. */
/* Prepares what it is to say, if anything; router_send_prepared sends it. */
void delivery_attempt(struct router *router, struct delivery *delivery, int64_t now_ns);
void router_send_prepared(struct router *router, int64_t now_ns);
void delivery_give_up(struct router *router, struct delivery *delivery, int64_t now_ns);
void router_take_answer(struct router *router, struct message *message, int64_t now_ns);
void message_free(struct message *message);

#endif
