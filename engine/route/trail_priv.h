/*
 * trail_priv: how decisions are remembered, and what the router calls when it has made one.
 *
 *     trail         of one alert: the groups that it is or was in, and per group what held it from when on
 *     trail_group   of one group: receiver, key, timing, and what was sent; shared by all its alerts, lives as long as one of them
 *     order         a count of decisions, by which both are joined: what was sent in a flush was sent of those who had joined
 *                   before it and were held by nothing then
 *
 * So an alert that nothing holds costs its trail nothing at a flush. All is behind the router's lock.
 */
#ifndef TOCSIN_TRAIL_PRIV_H
#define TOCSIN_TRAIL_PRIV_H

#include "tocsin/hash.h"
#include "tocsin/page.h"
#include "tocsin/str.h"
#include "tocsin/trail.h"

struct router;
struct alert;
struct group;
struct flush;
struct delivery;
struct dedup_told;

enum { TRAIL_HELD_MAX = 16, TRAIL_EVENTS_MAX = 40, TRAIL_MEMBERS_MAX = 16, TRAIL_CAUSES_MAX = 4 };

/* What an alert was to the flushes of a group from one of them on. */
struct trail_held {
    uint64_t order;
    int64_t at_ns;
    uint8_t mute; /* enum mute */
    bool ended;
    char *causes; /* one a line; NULL: none */
};

struct trail_member {
    struct trail_group *group;
    uint64_t joined, left; /* orders; left 0: not that it is known */
    int64_t joined_ns, left_ns, waits_ns;
    struct trail_held *held;
    uint32_t held_count, held_capacity;
    bool waits_interval; /* for the group's interval: it had flushed before */
};

struct trail {
    struct trail *older, *newer;
    struct alert *alert;   /* NULL: it has gone */
    struct labels *labels; /* of one that has gone, as are: */
    int64_t starts_ns, ends_ns;
    uint64_t fingerprint;
    int64_t came_ns;
    struct trail_member *members; /* oldest first */
    uint32_t member_count;
    bool of_rule;
    bool resumed; /* the alert had come before */
};

enum trail_event_kind {
    TRAIL_SENT,
    TRAIL_RETRYING,
    TRAIL_FAILED,
    TRAIL_UNSENT,
    TRAIL_QUIET, /* it has been told all of it */
    TRAIL_NOBODY /* the receiver has no integrations */
};

struct trail_event {
    uint64_t flush; /* its order; of several, which all are about the same alerts, the first */
    uint32_t flushes;
    int64_t at_ns, last_ns, until_ns;
    int64_t said_ns; /* quiet: when it was told; 0: it had not heard of it */
    const char *integration;
    uint32_t number;
    uint8_t kind, reason; /* enum trail_event_kind, enum dedup_reason */
    bool send_resolved;
    int status, attempt;
    char *detail; /* NULL: nothing */
    uint64_t *
        also; /* fingerprints of those that were told though they were held, or had ended and the integration wants no ends */
    uint32_t also_count;
};

struct trail_group {
    size_t refs;
    struct trails *home;
    const struct group *group; /* NULL: it has gone */
    struct str key, receiver;  /* of its own */
    size_t route_bytes;        /* of the key are the route's */
    int64_t repeat_ms;
    struct trail_event *events;
    uint32_t event_count, event_capacity;
    size_t odd;       /* that were held or had ended in the last flush */
    uint64_t flush;   /* the order of the last flush */
    uint64_t changed; /* and of the last time that an alert joined, left, was held or set free */
    uint64_t ended;
    int64_t ended_ns;
};

struct trails {
    struct trail *oldest, *newest; /* by their last decision */
    struct map gone;               /* of alerts that have gone, by fingerprint */
    size_t bytes;
    uint64_t order;
    int64_t since_ns;
    bool regrouping; /* who joins what is told when that is over */
};

/* ---- trail.c: what is remembered ---- */
void trails_open(struct trails *trails, int64_t now_ns);
void trails_close(struct trails *trails);
/* Lets the oldest go until all fit; with the lock, when nobody is at a trail. */
void trails_trim(struct trails *trails);
struct trail *trail_make(struct trails *trails, struct alert *alert, int64_t now_ns);
/* Its alert goes, it stays. */
void trail_retire(struct trails *trails, struct trail *trail);
/* It has been decided something about it. */
void trail_freshen(struct trails *trails, struct trail *trail);
struct trail_member *trail_add_member(struct trails *trails, struct trail *trail, struct trail_group *group);
/* The newest membership in that group; NULL: none that has not been left. */
struct trail_member *trail_find_member(const struct trail *trail, const struct trail_group *group);
/* causes: copied; empty: none. */
void trail_add_held(struct trails *trails, struct trail_member *member, struct trail_held held,
                    struct str causes);
struct trail_group *trail_group_make(struct trails *trails, const struct group *group);
void trail_group_drop(struct trail_group *group);
/* NULL: there is no room. Its texts are the caller's to set (trail_set_detail, trail_set_also). */
struct trail_event *trail_add_event(struct trail_group *group);
void trail_forget_event(struct trail_group *group, struct trail_event *event);
void trail_set_detail(struct trail_group *group, struct trail_event *event, struct str detail);
void trail_set_also(struct trail_group *group, struct trail_event *event, const uint64_t *also, size_t count);

/* What held it in the flush of that order. */
struct trail_held trail_held_at(const struct trail_member *member, uint64_t flush);
/* True if that event is about this alert. */
bool trail_concerns(const struct trail *trail, const struct trail_member *member,
                    const struct trail_event *event);

/* ---- trail_note.c: what the router calls; each with its lock, unless it says otherwise ---- */
void trail_came(struct router *router, struct alert *alert, int64_t now_ns);
void trail_joined(struct router *router, struct group *group, struct alert *alert, int64_t now_ns);
void trail_left(struct router *router, struct group *group, struct alert *alert, int64_t now_ns);
void trail_gone(struct router *router, struct alert *alert);
void trail_group_ended(struct router *router, struct group *group);
void trail_group_freed(struct group *group);
/* A reload: from before groups are made anew until each has its heir. */
void trail_regroup(struct router *router, bool begins, int64_t now_ns);
void trail_inherit(struct group *heir, struct group *old);
/* What held each item of a flush is decided; then what each integration is not told. */
void trail_flushed(struct router *router, struct group *group, struct flush *flush);
void trail_untold(struct router *router, const struct delivery *d, const struct dedup_told *told);
/* An attempt is over, or (unsent) there was nothing to send; without the lock. */
void trail_tried(struct router *router, const struct delivery *d, int status, const char *detail,
                 enum page_outcome outcome, int64_t now_ns);
/* The flush has ended before another attempt; without the lock. */
void trail_gave_up(struct router *router, const struct delivery *d, int64_t now_ns);

/* What mutes an alert in that way (enum mute: inhibition, silence), one a line, TRAIL_CAUSES_MAX at most. */
void trail_find_causes(struct router *router, struct alert *alert, unsigned mute, int64_t at_ns,
                       struct buf *out);

/* ---- trail_words.c ---- */

enum { TRAIL_VIA_MAX = 16 };

/* What one integration has done about an alert, in the order of its group's events; NULL: nothing of the kind. */
struct trail_via {
    const char *integration;
    uint32_t number;
    const struct trail_event *told, *told_end; /* the last of each; an end only if it came later */
    const struct trail_event *trouble;         /* since then */
    int64_t logged_ns; /* told before the trail began, says the notification log; 0: not that it knows */
};

/* All that the verdict on one receiver is made of. */
struct trail_story {
    struct str receiver;
    int64_t now_ns, waits_ns;
    bool waits_interval, flushed, open, under_way, resolved, nobody;
    struct str hold; /* what keeps it quiet since the last flush, in words; empty: nothing */
    struct trail_via via[TRAIL_VIA_MAX];
    size_t via_count;
};

bool trail_story_paged(const struct trail_story *story);
void trail_story_print(struct buf *out, const struct trail_story *story);

#endif
