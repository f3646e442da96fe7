#include "watch_priv.h"

#include "tocsin/limits.h"
#include "tocsin/queue.h"

#include <poll.h>
#include <sys/socket.h>

/* While somebody waits for an evaluation, and else: each look wakes a processor. */
enum { SCAN_MS = 50, IDLE_SCAN_MS = 250 };

/* Who only closes his half of the connection counts as gone, as with Prometheus. */
static void look_for_hangup(struct watched *w)
{
    struct pollfd hangup = {.fd = w->fd, .events = POLLRDHUP};
    if (poll(&hangup, 1, 0) == 1)
        atomic_store(&w->gone, true);
}

/* How long until the next look. */
static int64_t scan(struct watch *watch, int64_t now)
{
    int64_t wait_ms = IDLE_SCAN_MS;
    lock_take(&watch->lock);
    for (struct watched *w = watch->first; w != NULL; w = w->next) {
        if (atomic_load(&w->evaluating)) {
            look_for_hangup(w);
            wait_ms = SCAN_MS;
        }
        if (atomic_load(&w->deadline_ns) > now)
            continue;
        atomic_store(&w->deadline_ns, INT64_MAX);
        if (atomic_load(&w->busy))
            limit_hit(LIMIT_body_ms);
        shutdown(w->fd, SHUT_RDWR);
    }
    lock_drop(&watch->lock);
    return wait_ms;
}

static void *run(void *context)
{
    struct watch *watch = context;
    int64_t wait_ms = SCAN_MS;
    while (!queue_is_closed(watch->stop)) {
        queue_pop(watch->stop, wait_ms);
        int64_t now = watch->world->mono_ns(watch->world);
        wait_ms = scan(watch, now);
        watch->tick(watch->context, now);
    }
    return NULL;
}

int watch_open(struct watch *watch, struct world *world, void (*tick)(void *context, int64_t now_ns),
               void *context, struct err *err)
{
    *watch = (struct watch){.world = world, .tick = tick, .context = context, .stop = queue_open(1)};
    lock_init(&watch->lock, LOCK_clients);
    if (pthread_create(&watch->thread, NULL, run, watch) == 0)
        return 0;
    queue_close(watch->stop);
    queue_free(watch->stop);
    lock_release(&watch->lock);
    return err_set(err, ERR_IO, "cannot start the thread that watches connections");
}

void watch_close(struct watch *watch)
{
    queue_close(watch->stop);
    pthread_join(watch->thread, NULL);
    queue_free(watch->stop);
    lock_release(&watch->lock);
}

int watch_add(struct watch *watch, struct watched *watched, int fd)
{
    watched->fd = fd;
    watched->previous = NULL;
    atomic_store(&watched->deadline_ns, INT64_MAX);
    lock_take(&watch->lock);
    watched->next = watch->first;
    if (watched->next != NULL)
        watched->next->previous = watched;
    watch->first = watched;
    int count = ++watch->count;
    lock_drop(&watch->lock);
    return count;
}

void watch_remove(struct watch *watch, struct watched *watched)
{
    lock_take(&watch->lock);
    if (watched->next != NULL)
        watched->next->previous = watched->previous;
    if (watched->previous != NULL)
        watched->previous->next = watched->next;
    else
        watch->first = watched->next;
    watch->count--;
    lock_drop(&watch->lock);
}

struct watch_counts watch_count(struct watch *watch, const char *address)
{
    struct watch_counts counts = {0};
    lock_take(&watch->lock);
    counts.all = watch->count;
    for (const struct watched *w = watch->first; w != NULL; w = w->next)
        counts.same += strcmp(w->address, address) == 0;
    lock_drop(&watch->lock);
    return counts;
}

void watch_deadline(struct watch *watch, struct watched *watched, int64_t wait_ms)
{
    int64_t now = watch->world->mono_ns(watch->world);
    atomic_store(&watched->deadline_ns, wait_ms < 0 ? INT64_MAX : now + wait_ms * NS_PER_MS);
}

void watch_give_up(struct watch *watch)
{
    lock_take(&watch->lock);
    for (struct watched *w = watch->first; w != NULL; w = w->next)
        atomic_store(&w->gone, true);
    lock_drop(&watch->lock);
}

static bool any_busy(struct watch *watch)
{
    bool busy = false;
    lock_take(&watch->lock);
    for (struct watched *w = watch->first; w != NULL && !busy; w = w->next)
        busy = atomic_load(&w->busy);
    lock_drop(&watch->lock);
    return busy;
}

void watch_drain(struct watch *watch, int64_t wait_ms)
{
    int64_t until = watch->world->mono_ns(watch->world) + wait_ms * NS_PER_MS;
    while (any_busy(watch) && watch->world->mono_ns(watch->world) < until)
        watch->world->pause(watch->world, SCAN_MS / 5);
}
