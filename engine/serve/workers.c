#include "workers_priv.h"

#include "tocsin/check.h"

/* Lock held. */
static void put(struct workers *workers, struct work *work)
{
    work->next = NULL;
    work->previous = workers->last;
    *(workers->last != NULL ? &workers->last->next : &workers->first) = work;
    workers->last = work;
}

static void take_out(struct workers *workers, struct work *work)
{
    *(work->previous != NULL ? &work->previous->next : &workers->first) = work->next;
    *(work->next != NULL ? &work->next->previous : &workers->last) = work->previous;
}

/* NULL: closed, and nothing is left. */
static struct work *next_work(struct workers *workers)
{
    lock_take(&workers->lock);
    while (workers->first == NULL && !workers->closed)
        must(pthread_cond_wait(&workers->changed, &workers->lock.mutex) == 0);
    struct work *work = workers->first;
    if (work != NULL)
        take_out(workers, work);
    lock_drop(&workers->lock);
    return work;
}

static void *work_on(void *context)
{
    struct workers *workers = context;
    struct work *work;
    while ((work = next_work(workers)) != NULL)
        workers->run(work);
    return NULL;
}

int workers_open(struct workers *workers, int64_t count, void (*run)(struct work *work),
                 void (*give_up)(struct work *work), struct err *err)
{
    int wanted = count < WORKERS ? (int)count : WORKERS;
    *workers = (struct workers){.run = run, .give_up = give_up};
    lock_init(&workers->lock, LOCK_queue);
    must(pthread_cond_init(&workers->changed, NULL) == 0);
    for (; workers->started < wanted; workers->started++)
        if (pthread_create(&workers->threads[workers->started], NULL, work_on, workers) != 0) {
            workers_close(workers);
            return err_set(err, ERR_IO, "cannot start the threads that evaluate queries");
        }
    return 0;
}

int workers_take(struct workers *workers, struct work *work)
{
    lock_take(&workers->lock);
    bool closed = workers->closed;
    if (!closed) {
        put(workers, work);
        pthread_cond_signal(&workers->changed);
    }
    lock_drop(&workers->lock);
    return closed ? ERR_CLOSED : 0;
}

static bool is_over(const struct work *work, int64_t now_ns)
{
    return work->until_ns <= now_ns || atomic_load(work->gone);
}

void workers_expire(struct workers *workers, int64_t now_ns)
{
    struct work *over = NULL, *next;
    lock_take(&workers->lock);
    for (struct work *work = workers->first; work != NULL; work = next) {
        next = work->next;
        if (!is_over(work, now_ns))
            continue;
        take_out(workers, work);
        work->next = over;
        over = work;
    }
    lock_drop(&workers->lock);
    for (; over != NULL; over = next) {
        next = over->next;
        workers->give_up(over);
    }
}

void workers_stop(struct workers *workers)
{
    lock_take(&workers->lock);
    workers->closed = true;
    must(pthread_cond_broadcast(&workers->changed) == 0);
    lock_drop(&workers->lock);
    for (; workers->started > 0; workers->started--)
        pthread_join(workers->threads[workers->started - 1], NULL);
}

void workers_close(struct workers *workers)
{
    workers_stop(workers);
    must(pthread_cond_destroy(&workers->changed) == 0);
    lock_release(&workers->lock);
}
