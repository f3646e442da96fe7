/* inbox_priv: finished requests, noted by the network's thread, for the router's. */
#ifndef TOCSIN_INBOX_PRIV_H
#define TOCSIN_INBOX_PRIV_H

#include "tocsin/lock.h"

#include <stdbool.h>
#include <stddef.h>

struct message;

struct inbox {
    struct lock lock;
    pthread_cond_t filled;
    struct message *first, **last;
    size_t out; /* requests under way */
    bool woken;
};

void inbox_init(struct inbox *inbox);
void inbox_release(struct inbox *inbox);
struct message *inbox_take(struct inbox *inbox);
void inbox_put(struct inbox *inbox, struct message *message);

#endif
