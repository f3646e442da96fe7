/*
 * workers: the threads that run what may take long, so that the HTTP threads go on taking pushes.
 *
 * What comes waits for a thread, in the order in which it came, until its own time is up. There is no bound but that on
 * connections, each of which has one request under way. What is taken in is either run or given up, once, also when the
 * workers are being closed.
 */
#ifndef TOCSIN_SERVE_WORKERS_PRIV_H
#define TOCSIN_SERVE_WORKERS_PRIV_H

#include "tocsin/err.h"
#include "tocsin/lock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { WORKERS = 2 };

/* Part of whatever describes the work. */
struct work {
    struct work *next, *previous;
    int64_t until_ns;        /* mono: it waits no longer than that */
    const atomic_bool *gone; /* nobody waits for it any more */
};

struct workers {
    void (*run)(struct work *work);
    void (*give_up)(struct work *work);
    struct lock lock;
    pthread_cond_t changed;
    struct work *first, *last;
    bool closed;
    pthread_t threads[WORKERS];
    int started;
};

/* As many threads as `count`, and WORKERS at most. */
int workers_open(struct workers *workers, int64_t count, void (*run)(struct work *work),
                 void (*give_up)(struct work *work), struct err *err);

/* 0, or ERR_CLOSED and it is neither run nor given up. */
int workers_take(struct workers *workers, struct work *work);

/* Gives up what has waited too long, and what nobody waits for. */
void workers_expire(struct workers *workers, int64_t now_ns);

/* Runs what has been taken in, ends the threads; from then on nothing is taken in. */
void workers_stop(struct workers *workers);

/* Nobody may call any of the others any more. */
void workers_close(struct workers *workers);

#endif
