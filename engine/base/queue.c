#include "tocsin/queue.h"

#include "tocsin/check.h"
#include "tocsin/err.h"
#include "tocsin/lock.h"
#include "tocsin/mem.h"
#include "tocsin/world.h"

#include <errno.h>
#include <time.h>

struct queue {
    struct lock lock;
    pthread_cond_t changed;
    bool closed;
    size_t capacity, oldest, length;
    void *items[];
};

struct queue *queue_open(size_t capacity)
{
    must(capacity > 0 && capacity < SIZE_MAX / sizeof(void *) / 2);
    struct queue *q = mem_new(1, sizeof *q + capacity * sizeof q->items[0]);
    pthread_condattr_t attributes;
    q->capacity = capacity;
    lock_init(&q->lock, LOCK_queue);
    must(pthread_condattr_init(&attributes) == 0);
    must(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&q->changed, &attributes) == 0);
    pthread_condattr_destroy(&attributes);
    return q;
}

void queue_free(struct queue *q)
{
    if (q == NULL)
        return;
    must(q->length == 0);
    must(pthread_cond_destroy(&q->changed) == 0);
    lock_release(&q->lock);
    mem_free(q);
}

int queue_push(struct queue *q, void *item)
{
    must(item != NULL);
    lock_take(&q->lock);
    int rc = q->closed ? ERR_CLOSED : q->length == q->capacity ? ERR_FULL : 0;
    if (rc == 0) {
        q->items[(q->oldest + q->length++) % q->capacity] = item;
        pthread_cond_signal(&q->changed);
    }
    lock_drop(&q->lock);
    return rc;
}

static struct timespec deadline(int64_t wait_ms)
{
    struct world *real = world_real();
    int64_t now = real->mono_ns(real);
    int64_t wait_max = (INT64_MAX - now) / NS_PER_MS;
    int64_t at = now + (wait_ms < wait_max ? wait_ms : wait_max) * NS_PER_MS;
    return (struct timespec){.tv_sec = (time_t)(at / NS_PER_S), .tv_nsec = (long)(at % NS_PER_S)};
}

/* With the lock held: until there is something to take, or no reason to wait on. */
static void wait_for_item(struct queue *q, int64_t wait_ms)
{
    if (wait_ms == 0 || q->length > 0)
        return;
    struct timespec until = wait_ms > 0 ? deadline(wait_ms) : (struct timespec){0};
    int rc = 0;
    while (q->length == 0 && !q->closed && rc != ETIMEDOUT) {
        if (wait_ms < 0)
            rc = pthread_cond_wait(&q->changed, &q->lock.mutex);
        else
            rc = pthread_cond_timedwait(&q->changed, &q->lock.mutex, &until);
        must(rc == 0 || rc == ETIMEDOUT);
    }
}

void *queue_pop(struct queue *q, int64_t wait_ms)
{
    void *item = NULL;
    lock_take(&q->lock);
    wait_for_item(q, wait_ms);
    if (q->length > 0) {
        item = q->items[q->oldest];
        q->oldest = (q->oldest + 1) % q->capacity;
        q->length--;
    }
    lock_drop(&q->lock);
    return item;
}

void queue_close(struct queue *q)
{
    lock_take(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->changed);
    lock_drop(&q->lock);
}

bool queue_is_closed(struct queue *q)
{
    lock_take(&q->lock);
    bool closed = q->closed;
    lock_drop(&q->lock);
    return closed;
}

size_t queue_length(struct queue *q)
{
    lock_take(&q->lock);
    size_t length = q->length;
    lock_drop(&q->lock);
    return length;
}
