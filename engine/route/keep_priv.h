/*
 * keep_priv: posted alerts and the groups' timetable on disk (router_keep.c).
 *
 * What is in the lists here is behind the router's lock; `lock` lets one write at a time.
 */
#ifndef TOCSIN_KEEP_PRIV_H
#define TOCSIN_KEEP_PRIV_H

#include "tocsin/alert.h"
#include "tocsin/hash.h"
#include "tocsin/lock.h"
#include "tocsin/state.h"

struct alert;
struct group;
struct router;

/* What the state file knows of an alert. */
struct kept {
    int64_t id;                /* 0: nothing; rules keep their own alerts themselves */
    int64_t since_ns;          /* when it was first taken in */
    int64_t ends_ns, lasts_ns; /* its end, and how far that was ahead of the news of it */
    bool over;                 /* that it has ended */
    bool waits, writing;       /* news of it are to be written; are being written */
    struct alert *next;        /* of those that wait */
};

/* What is still to be written to the state file. */
struct keeping {
    struct lock lock;            /* who writes; the rest is behind the router's */
    struct alert *first, **last; /* alerts that wait, in the order in which they came */
    struct tick_row *ticks;
    size_t tick_count, tick_capacity;
    int64_t *gone, *gone_ticks;
    size_t gone_count, gone_capacity, gone_tick_count, gone_tick_capacity;
    uint64_t posts, posts_written; /* so many were made, and so many of these are in the file */
    int64_t last_id, last_tick_id;
    struct map recalled; /* struct recalled, of groups that are not there again yet */
    int64_t sync_ns;     /* when what was posted is to be synced; 0: it is */
};

/* All with the router's lock, unless said otherwise. */
void keeping_init(struct router *router);
void keeping_release(struct router *router);
/* Reads what an earlier process kept; before any other call. Takes the lock. */
int keeping_load(struct router *router, int64_t now_ns, struct err *err);
/* News of an alert: `before` is what was known, or NULL. With `posted` it is kept from now on, else only if it is already. */
void keep_alert(struct router *router, struct alert *alert, const struct alert_event *before, bool posted,
                int64_t now_ns);
/* The router has seen that it has ended, so that no restart begins to wait for news of it again. */
void keep_end(struct router *router, struct alert *alert);
/* It has ended, and all that were to be told have been. */
void keep_forget(struct router *router, struct alert *alert);
/* When a group whose flush has succeeded is due next. */
void keep_tick(struct router *router, struct group *group);
void keep_forget_tick(struct router *router, struct group *group);
/* Gives a new group the timer that it had in an earlier process. */
void keep_recall_tick(struct router *router, struct group *group, int64_t now_ns);
/* Groups that have not come back by now will not. */
void keep_drop_recalled(struct router *router);
/* Writes what waits, at least up to that many posts; without the lock. */
int keep_write(struct router *router, uint64_t posts, struct err *err);
/* What the router's thread does at the end of its run, and when it must come back for it. Without the lock. */
int64_t keep_run(struct router *router, int64_t now_ns);

#endif
