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
    pthread_cond_signal(&inbox->filled);
    lock_drop(&inbox->lock);
}

struct message *inbox_take(struct inbox *inbox)
{
    lock_take(&inbox->lock);
    struct message *message = inbox->first;
    if (message != NULL)
        inbox->first = message->next_answer;
    if (inbox->first == NULL)
        inbox->last = &inbox->first;
    lock_drop(&inbox->lock);
    return message;
}
