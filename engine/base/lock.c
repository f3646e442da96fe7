#include "tocsin/lock.h"

#include "tocsin/check.h"

#include <stdint.h>

#ifdef TOCSIN_COSTLY
/* One bit for each rank this thread holds. */
static _Thread_local uint32_t held;

static void note_take(enum lock_rank rank)
{
    must(held >> rank == 0); /* everything held stands further up in the table */
    held |= 1u << rank;
}

static void note_drop(enum lock_rank rank)
{
    must(held >> rank & 1);
    held &= ~(1u << rank);
}
#else
static void note_take(enum lock_rank rank)
{
    (void)rank;
}

static void note_drop(enum lock_rank rank)
{
    (void)rank;
}
#endif

_Static_assert(LOCK_COUNT <= 32, "ranks are bits of a uint32_t");

void lock_init(struct lock *l, enum lock_rank rank)
{
    l->rank = rank;
    must(pthread_mutex_init(&l->mutex, NULL) == 0);
}

void lock_release(struct lock *l)
{
    must(pthread_mutex_destroy(&l->mutex) == 0);
}

void lock_take(struct lock *l)
{
    note_take(l->rank);
    must(pthread_mutex_lock(&l->mutex) == 0);
}

void lock_drop(struct lock *l)
{
    note_drop(l->rank);
    must(pthread_mutex_unlock(&l->mutex) == 0);
}

void rwlock_init(struct rwlock *l, enum lock_rank rank)
{
    l->rank = rank;
    must(pthread_rwlock_init(&l->lock, NULL) == 0);
}

void rwlock_release(struct rwlock *l)
{
    must(pthread_rwlock_destroy(&l->lock) == 0);
}

void rwlock_read(struct rwlock *l)
{
    note_take(l->rank);
    must(pthread_rwlock_rdlock(&l->lock) == 0);
}

void rwlock_write(struct rwlock *l)
{
    note_take(l->rank);
    must(pthread_rwlock_wrlock(&l->lock) == 0);
}

void rwlock_drop(struct rwlock *l)
{
    note_drop(l->rank);
    must(pthread_rwlock_unlock(&l->lock) == 0);
}
