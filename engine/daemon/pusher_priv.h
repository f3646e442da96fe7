/*
 * pusher: the way of a simulation's samples to a remote-write receiver: pushes over a few connections, again and again until
 * each is answered for good.
 *
 * No series' samples overtake each other: either all of one time are answered before those of the next are sent, or, for
 * history that was encoded first, each series has its connection.
 *
 * What happens is told on stderr. SIGINT and SIGTERM are held back from pusher_open on: every call that waits returns then.
 * One thread.
 */
#ifndef TOCSIN_DAEMON_PUSHER_PRIV_H
#define TOCSIN_DAEMON_PUSHER_PRIV_H

#include "tocsin/simulate.h"
#include "tocsin/world.h"

enum { PUSHER_CONNECTIONS_MAX = 64 };

struct pusher_options {
    const char *url;     /* borrowed, as is the simulation, until pusher_close */
    size_t push_samples; /* most in one push; at least 1 */
    size_t connections;  /* 1 to PUSHER_CONNECTIONS_MAX */
};

struct pusher;
int pusher_open(struct world *world, const struct pusher_options *options, struct simulation *sim,
                struct pusher **out, struct err *err);
void pusher_close(struct pusher *r); /* may be NULL */

/* Waits; true if a signal asks for the end. */
bool pusher_wait(struct pusher *r, int64_t wait_ms);

/* A sample of every series, sent and answered. `what`: a word for the lines that tell of it. ERR_CANCEL: a signal came first, here
 * and below. */
int pusher_send(struct pusher *r, int64_t t_ms, const char *what, struct err *err);

/* The same, only encoded and kept; and all that was kept, sent and answered. */
int pusher_keep(struct pusher *r, int64_t t_ms, struct err *err);
int pusher_send_kept(struct pusher *r, const char *what, struct err *err);

struct pusher_figures {
    uint64_t samples, pushes; /* answered for good */
    uint64_t refused;         /* pushes of them */
};
struct pusher_figures pusher_figures(const struct pusher *r);

#endif
