/*
 * digest_priv: in a storm, one page in the place of many (router_digest.c).
 *
 * Of one integration the first pages of a minute go by themselves. What comes beyond them waits for some seconds, and is told in one page of
 * all that waited: the digest. Each group's own part (its delivery, "member") ends as if it had been sent by itself: the log knows that its
 * alerts were told, so it is silent about them, repeats them, and tells of their end.
 *
 * Services that open an incident for a group key open one for the digest's, not for those of its members. So a group that was opened in a digest
 * (a mark in what the log keeps of it says so) is told of in digests until all of it has ended; the digest's own log entry holds the
 * alerts that it stands for; and it closes when none of these fires any more.
 */
#ifndef TOCSIN_DIGEST_PRIV_H
#define TOCSIN_DIGEST_PRIV_H

#include "router_priv.h"

/* How long the first that waits does so, and how many alerts are named one by one. */
#define DIGEST_GATHER_NS (15 * NS_PER_S)
/* How soon the next one is tried while one is under way. */
#define DIGEST_AGAIN_NS NS_PER_S
enum { DIGEST_NAMED = 50, DIGEST_NAMES = 10 };

/* What one integration is told of in a minute. */
struct storm {
    struct timer timer; /* when those that wait are told; must be first */
    const struct integration *integration;
    int64_t minute_ns; /* when it began */
    int64_t pages;     /* in it */
    struct delivery *first, **last;
    size_t waiting;
};

struct digest {
    struct group group; /* no group of the router's: where its flush and its trail look for one */
    struct flush *flush;
    struct delivery *delivery;
    struct delivery **members;
    size_t count;
    struct digest *next; /* of those under way */
};

/* router_digest_text.c */

/* What the members tell, in numbers. */
struct digest_sum {
    size_t firing, resolved; /* alerts */
    size_t standing;         /* alerts that the digest stands for from now on */
    int64_t limit;           /* pages a minute */
};

/* The alert that is told in their place; on the heap. */
struct alert_event *digest_alert(const struct router *router, const struct digest *digest,
                                 const struct digest_sum *sum, int64_t now_ns);

#endif
