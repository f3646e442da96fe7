/*
 * router_storm_priv: what keeps a storm of alerts in bounds: how many of one name there are, how many pages are under way, and how they come
 * into the log.
 */
#ifndef TOCSIN_ROUTER_STORM_PRIV_H
#define TOCSIN_ROUTER_STORM_PRIV_H

#include "tocsin/arena.h"

#include "nflog_priv.h"
#include "timers_priv.h"

struct alert_event;
struct delivery;
struct digest;
struct fact;
struct integration;
struct matcher;
struct router;
struct router_storm;
struct storm;

/* router_names.c: how many alerts of one alertname fire. Those that are full take alerts they know, and the ends of any. */
bool names_admit(struct router *router, const struct alert_event *event, int64_t now_ns);
void names_note(struct router *router, const struct fact *fact, int64_t now_ns);
void names_collect(struct router *router, int64_t now_ns);
void names_release(struct router *router);

/* router_lane.c: thousands of groups may come due at once. An integration is asked for some at a time, so that neither it nor the memory for
 * what is rendered drowns; one that is slow to answer gets more and more of them, so that none waits for long behind others. */
struct lane {
    struct timer timer; /* of its next widening; must be first */
    const struct integration *integration;
    size_t out, width;
    int64_t answered_ns;
    struct delivery *first, **last; /* that wait */
};

/* router_lane.c; with the lock. */
/* True if the delivery may be sent now; otherwise it comes due when it may. */
bool lane_enter(struct router *router, struct delivery *delivery, int64_t now_ns);
void lane_leave(struct router *router, struct delivery *delivery, int64_t now_ns);
void lane_widen(struct router *router, struct lane *lane, int64_t now_ns);
/* Any delivery that waits, taken out; NULL: none does. For router_close. */
struct delivery *lanes_take(struct router *router);
void lanes_release(struct router *router);

/* router_digest.c: in a storm, one page in the place of many; see digest_priv.h. */
struct storm_matchers {
    struct matcher *items; /* all must match */
    size_t count;
};

struct digests {
    struct arena arena; /* of the matchers */
    int64_t pages_per_minute;
    struct storm_matchers *never; /* alerts that one of them matches are told by themselves */
    size_t never_count;
    struct map storms;    /* by integration */
    struct digest *first; /* under way */
    int64_t sweep_ns;     /* when storms that are over are looked for */
    bool open;            /* there may be some */
};

/* With the lock, but for the first and the last. */
void digests_init(struct router *router, int64_t now_ns);
int digests_set(struct digests *digests, const struct router_storm *storm, struct err *err);
/* True if the delivery, which is due for the first time, waits for a digest instead. */
bool digest_takes(struct router *router, struct delivery *delivery, int64_t now_ns);
/* Those that wait are told, in one page. */
void digest_begin(struct router *router, struct storm *storm, int64_t now_ns);
void digest_free(struct router *router, struct digest *digest);
/* Ends the storms of which nothing fires any more. */
void digests_sweep(struct router *router, int64_t now_ns);
/* Any delivery that waits for a digest or is in one, taken out; NULL: none is. For router_close. */
struct delivery *digests_take(struct router *router);
void digests_release(struct router *router);

/* The same without the lock, on the router's thread. */
size_t digest_member_count(const struct digest *digest);
struct delivery *digest_member(const struct digest *digest, size_t i);
/* It has been told: what the log keeps of its members says so. */
void digest_mark_told(struct router *router, struct digest *digest);
/* It was refused: they go by themselves. */
void digest_scatter(struct router *router, struct digest *digest, int64_t now_ns);

enum { ROUTER_BATCH = 256 };

/* A delivery that is over once the log is on disk. */
struct settled {
    struct delivery *delivery;
    struct nflog_note *note; /* NULL: the log stays as it is */
    bool failed;
};

/* router_settle.c; without the lock, on the router's thread. */
/* Takes over the note. Its delivery ends with the next router_settle. */
void settle_later(struct router *router, struct delivery *delivery, struct nflog_note *note, bool failed,
                  int64_t now_ns);
void router_settle(struct router *router, int64_t now_ns);
/* Says in the log what the prepared messages are about to tell. */
void settle_intents(struct router *router, int64_t now_ns);

#endif
