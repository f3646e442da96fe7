/*
 * queue: a bounded first-in-first-out of pointers between threads.
 *
 * The policy when full is the caller's, and stated where the queue is made: queue_push never waits, it
 * answers ERR_FULL. A closed queue refuses pushes and hands out what is left.
 */
#ifndef TOCSIN_QUEUE_H
#define TOCSIN_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue;

struct queue *queue_open(size_t capacity);
void queue_free(struct queue *q); /* must be empty, and nobody may use it any more */

/* 0, ERR_FULL, or ERR_CLOSED; the item stays the caller's unless 0. item is never NULL. */
int queue_push(struct queue *q, void *item);

/* The oldest item; waits up to wait_ms (0: not at all, -1: until one comes or the queue is closed).
 * NULL: none came in time, or closed and empty. */
void *queue_pop(struct queue *q, int64_t wait_ms);

void queue_close(struct queue *q);
bool queue_is_closed(struct queue *q);
size_t queue_length(struct queue *q);

#endif
