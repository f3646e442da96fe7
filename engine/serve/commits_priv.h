/*
 * commits: answers that wait until the store's log is durable up to a position, in the order of these positions.
 *
 * Nobody sleeps: whoever waits has suspended a connection, and is resumed by the log's thread, many in one go. How far the log is, is
 * remembered under the same lock as the list, so that a round that ends between a waiter's own look and its being put
 * on the list is not missed.
 */
#ifndef TOCSIN_SERVE_COMMITS_PRIV_H
#define TOCSIN_SERVE_COMMITS_PRIV_H

#include "tocsin/lock.h"

#include <stdbool.h>
#include <stdint.h>

enum commit_end {
    COMMIT_WAITS,
    COMMIT_DURABLE,
    COMMIT_FAILED, /* the log cannot be written, or the server ends */
    COMMIT_LATE    /* its time is over */
};

/* One that waits; part of whatever describes it. `end` is its own to read once it has been resumed. */
struct commit {
    struct commit *next, *previous;
    uint64_t position;
    int64_t deadline_ns;
    enum commit_end end;
};

struct commits {
    void (*resume)(struct commit *commit); /* may free it */
    struct lock lock;
    pthread_cond_t resumed;
    int resuming; /* threads that call resume just now */
    struct commit *first, *last;
    uint64_t durable;
    bool closed;
};

void commits_open(struct commits *commits, void (*resume)(struct commit *commit));
void commits_release(struct commits *commits); /* nobody waits any more */

/* True: it waits, and resume is called once, maybe before this returns. False: there is nothing to wait for, and `end` says why;
 * resume is not called. */
bool commits_wait(struct commits *commits, struct commit *commit, uint64_t position, int64_t deadline_ns);

/* How far the log is now, and whether it can be written. If not, all who wait are let go; who comes later is judged by the next
 * call, as the log may be well by then. */
void commits_tell(struct commits *commits, uint64_t durable, bool works);

/* Lets go of those whose deadline has passed. Returns how many. */
int commits_expire(struct commits *commits, int64_t now_ns);

/* Lets go of all: when it returns, all have been resumed, whoever did it; and from now on nobody waits. */
void commits_close(struct commits *commits);

#endif
