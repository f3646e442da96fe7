#include "workers_priv.h"

#include "tocsin/queue.h"

static void *work(void *context)
{
    struct workers *workers = context;
    void *item;
    while ((item = queue_pop(workers->queue, -1)) != NULL) {
        workers->run(item);
        atomic_fetch_sub(&workers->taken, 1);
    }
    return NULL;
}

int workers_open(struct workers *workers, int limit, void (*run)(void *item), struct err *err)
{
    *workers = (struct workers){.run = run, .limit = limit, .queue = queue_open((size_t)limit)};
    for (; workers->started < WORKERS; workers->started++)
        if (pthread_create(&workers->threads[workers->started], NULL, work, workers) != 0) {
            workers_close(workers);
            return err_set(err, ERR_IO, "cannot start the threads that evaluate queries");
        }
    return 0;
}

int workers_take(struct workers *workers, void *item)
{
    if (atomic_fetch_add(&workers->taken, 1) >= workers->limit) {
        atomic_fetch_sub(&workers->taken, 1);
        return ERR_FULL;
    }
    int rc = queue_push(workers->queue, item);
    if (rc != 0)
        atomic_fetch_sub(&workers->taken, 1);
    return rc;
}

void workers_stop(struct workers *workers)
{
    queue_close(workers->queue);
    for (; workers->started > 0; workers->started--)
        pthread_join(workers->threads[workers->started - 1], NULL);
}

void workers_close(struct workers *workers)
{
    workers_stop(workers);
    queue_free(workers->queue);
}
