/*
 * timers_priv: deadlines in a binary heap; earliest first, and of equal ones the one set first.
 *
 * A timer lives inside what it is for; it is in the heap or not (timer_is_set), and knows its place.
 */
#ifndef TOCSIN_TIMERS_PRIV_H
#define TOCSIN_TIMERS_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum timer_kind { TIMER_GROUP, TIMER_DELIVERY, TIMER_LANE, TIMER_DIGEST };

struct timer {
    int64_t at_ns;
    uint64_t order;
    size_t place; /* in the heap, from 1; 0: not set */
    enum timer_kind kind;
};

struct timers {
    struct timer **heap; /* heap[0] is unused */
    size_t count, capacity;
    uint64_t next_order;
};

void timers_release(struct timers *timers);

/* Sets it, or sets it anew. */
void timer_set(struct timers *timers, struct timer *timer, int64_t at_ns);
void timer_clear(struct timers *timers, struct timer *timer);

static inline bool timer_is_set(const struct timer *timer)
{
    return timer->place != 0;
}

/* The earliest, or NULL. */
struct timer *timers_first(const struct timers *timers);

/* Moves every deadline by the same amount. */
void timers_shift(struct timers *timers, int64_t by_ns);

#endif
