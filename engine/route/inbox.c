#include "message_priv.h"
#include "router_priv.h"

#include "tocsin/check.h"

void inbox_init(struct inbox *inbox)
{
    *inbox = (struct inbox){0};
    inbox->last = &inbox->first;
    lock_init(&inbox->lock, LOCK_queue);
    pthread_condattr_t monotonic;
    must(pthread_condattr_init(&monotonic) == 0);
    must(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&inbox->filled, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
}

void inbox_release(struct inbox *inbox)
{
    pthread_cond_destroy(&inbox->filled);
    lock_release(&inbox->lock);
}

void inbox_put(struct inbox *inbox, struct message *message)
{
    lock_take(&inbox->lock);
    message->next_answer = NULL;
    *inbox->last = message;
    inbox->last = &message->next_answer;
    if (++inbox->count >= inbox->wanted)
        pthread_cond_signal(&inbox->filled);
    lock_drop(&inbox->lock);
}

struct message *inbox_take(struct inbox *inbox)
{
    lock_take(&inbox->lock);
    struct message *message = inbox->first;
    if (message != NULL) {
        inbox->first = message->next_answer;
        inbox->count--;
    }
    if (inbox->first == NULL)
        inbox->last = &inbox->first;
    lock_drop(&inbox->lock);
    return message;
}

/*
 * Every step of the router writes to the state file, and most wait for the disk. So what comes while it rests after one is gathered for the
 * next; unless that is much, and the receivers might run out of requests.
 */
enum { GATHER_OUT_MIN = 8 };

static size_t much(const struct inbox *inbox)
{
    return inbox->out < GATHER_OUT_MIN ? SIZE_MAX : inbox->out / 2;
}

bool inbox_is_full(struct inbox *inbox)
{
    lock_take(&inbox->lock);
    bool full = inbox->count >= much(inbox);
    lock_drop(&inbox->lock);
    return full;
}

static int wait_until(struct inbox *inbox, int64_t end_ns)
{
    struct timespec until = {.tv_sec = end_ns / NS_PER_S, .tv_nsec = end_ns % NS_PER_S};
    return pthread_cond_timedwait(&inbox->filled, &inbox->lock.mutex, &until);
}

void inbox_wait(struct inbox *inbox, int64_t rest_ns, int64_t end_ns)
{
    int rc = 0;
    lock_take(&inbox->lock);
    inbox->wanted = much(inbox);
    while (rc == 0 && inbox->count < inbox->wanted)
        rc = wait_until(inbox, rest_ns);
    inbox->wanted = 1;
    for (rc = 0; rc == 0 && inbox->count == 0 && !inbox->woken;)
        rc = wait_until(inbox, end_ns);
    inbox->woken = false;
    lock_drop(&inbox->lock);
}
