/*
 * watch: the connections that are open, from where, each with an absolute deadline, and the thread that enforces it.
 * It also sees when a client hangs up while a worker evaluates for it, which the library does not look for meanwhile.
 *
 * The library's own timeout starts again with each byte, so one byte a second holds a connection for ever.
 * When a deadline passes the watcher shuts the socket; the library then sees the end of the stream and
 * closes. A connection in which a handler runs has no deadline: the evaluation has its own.
 */
#ifndef TOCSIN_SERVE_WATCH_PRIV_H
#define TOCSIN_SERVE_WATCH_PRIV_H

#include "tocsin/err.h"
#include "tocsin/lock.h"
#include "tocsin/world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct queue;

enum { ADDRESS_BYTES = 46 }; /* an IPv6 address as text, and its end */

/* Part of whatever describes a connection. */
struct watched {
    struct watched *next, *previous;
    int fd;
    char address[ADDRESS_BYTES]; /* the other side's */
    atomic_llong deadline_ns;    /* monotonic; INT64_MAX: none */
    atomic_bool busy;            /* a request is under way */
    atomic_bool evaluating;      /* a worker has it, or is to have it */
    atomic_bool gone;            /* nobody will read an answer any more, so none need be computed */
};

struct watch {
    struct world *world;
    void (*tick)(void *context, int64_t now_ns); /* after each look, for other deadlines */
    void *context;
    struct lock lock; /* the list, and that no fd in it is closed meanwhile */
    struct watched *first;
    int count;
    struct queue *stop; /* never holds anything: closing it ends the thread */
    pthread_t thread;
};

int watch_open(struct watch *watch, struct world *world, void (*tick)(void *context, int64_t now_ns),
               void *context, struct err *err);
void watch_close(struct watch *watch); /* the list must be empty */

/* Returns how many there are now. */
int watch_add(struct watch *watch, struct watched *watched, int fd);
void watch_remove(struct watch *watch, struct watched *watched);

/* How many are open, and how many of them from this address. */
struct watch_counts {
    int all, same;
};
struct watch_counts watch_count(struct watch *watch, const char *address);

/* From now on at most wait_ms; negative: no deadline. */
void watch_deadline(struct watch *watch, struct watched *watched, int64_t wait_ms);

/* Nobody will read any answer: all are gone. */
void watch_give_up(struct watch *watch);

/* Waits until no request is under way, at most wait_ms. */
void watch_drain(struct watch *watch, int64_t wait_ms);

#endif
