/* inbox_priv: what the network's thread has brought for the router's (inbox.c). */
#ifndef TOCSIN_INBOX_PRIV_H
#define TOCSIN_INBOX_PRIV_H

#include "tocsin/lock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct message;

/* Finished requests, noted by the network's thread. */
struct inbox {
    struct lock lock;
    pthread_cond_t filled;
    struct message *first, **last;
    size_t count, wanted; /* so many there are; so many wake who waits for them */
    size_t out;           /* requests under way, these among them */
    bool woken;
};

void inbox_init(struct inbox *inbox);
void inbox_release(struct inbox *inbox);
struct message *inbox_take(struct inbox *inbox);
void inbox_put(struct inbox *inbox, struct message *message);
/* Half of the many answers that are awaited are here. */
bool inbox_is_full(struct inbox *inbox);
/* Until there is an answer, or it is woken, or it is late; but before rest_ns only until it is full. Both monotonic. */
void inbox_wait(struct inbox *inbox, int64_t rest_ns, int64_t end_ns);

#endif
