/*
 * workers: the threads that run what may take long, so that the HTTP threads go on taking pushes.
 *
 * An item is taken in while no more than the limit are waiting or running; each is run once, also when the workers
 * are being closed.
 */
#ifndef TOCSIN_SERVE_WORKERS_PRIV_H
#define TOCSIN_SERVE_WORKERS_PRIV_H

#include "tocsin/err.h"

#include <pthread.h>
#include <stdatomic.h>

struct queue;

enum { WORKERS = 2 };

struct workers {
    void (*run)(void *item);
    struct queue *queue;
    pthread_t threads[WORKERS];
    int started;
    atomic_int taken; /* waiting or running */
    int limit;
};

int workers_open(struct workers *workers, int limit, void (*run)(void *item), struct err *err);

/* 0, or ERR_FULL or ERR_CLOSED and the item is not run. */
int workers_take(struct workers *workers, void *item);

/* Runs what has been taken in, ends the threads; from then on nothing is taken in. */
void workers_stop(struct workers *workers);

/* Nobody may call workers_take any more. */
void workers_close(struct workers *workers);

#endif
