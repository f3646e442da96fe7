/*
 * lock: every lock of the program, in the order in which they may be taken.
 *
 * A thread that holds a lock may only take one that stands further down in the table. Test builds
 * (-DTOCSIN_COSTLY) check this at run time and abort on a breach. No lock is held across I/O, or across a call
 * into another module; but for `state`, which guards the SQLite handle while it writes, `silencing`, `keeping` and `budgeting`, which nobody takes
 * but who changes a silence, writes posted alerts down, or evaluates slices of objectives, and `segments`, which guards the log's files while they are written and synced (who only puts a record takes
 * `log`).
 */
#ifndef TOCSIN_LOCK_H
#define TOCSIN_LOCK_H

#include <pthread.h>

#define LOCK_TABLE(LOCK)                                                \
    LOCK(generation) /* the text of the configuration in force */       \
    LOCK(groups)     /* list of rule groups */                          \
    LOCK(group)      /* one rule group's state */                       \
    LOCK(silencing)  /* who changes silences, one at a time */          \
    LOCK(keeping)    /* who writes posted alerts down, one at a time */ \
    LOCK(router)     /* alerts, aggregation groups, notification log */ \
    LOCK(silences)   /* silences in memory */                           \
    LOCK(incidents)  /* open incidents */                               \
    LOCK(budgeting)  /* who evaluates slices, one at a time */          \
    LOCK(budgets)    /* ledgers of objectives */                        \
    LOCK(state)      /* the SQLite handle */                            \
    LOCK(keeper)     /* housekeeping of the store */                    \
    LOCK(index)      /* series index, postings, standing selectors */   \
    LOCK(shard)      /* samples of a share of the series */             \
    LOCK(views)      /* who reads the store, and since when */          \
    LOCK(exemplars)  /* exemplars of all series */                      \
    LOCK(metadata)   /* what metrics mean */                            \
    LOCK(slab)       /* small pieces of the store's memory */           \
    LOCK(segments)   /* the files of the log */                         \
    LOCK(log)        /* what waits to be written to the log */          \
    LOCK(courier)    /* requests waiting for the courier's thread */    \
    LOCK(commits)    /* pushes whose answers wait for the log */        \
    LOCK(clients)    /* open HTTP connections and their deadlines */    \
    LOCK(queue)      /* any bounded queue, or the simulated disk: a leaf */

enum lock_rank {
#define LOCK(name) LOCK_##name,
    LOCK_TABLE(LOCK)
#undef LOCK
        LOCK_COUNT
};

struct lock {
    pthread_mutex_t mutex;
    enum lock_rank rank;
};

struct rwlock {
    pthread_rwlock_t lock;
    enum lock_rank rank;
};

void lock_init(struct lock *l, enum lock_rank rank);
void lock_release(struct lock *l);
void lock_take(struct lock *l);
void lock_drop(struct lock *l);

void rwlock_init(struct rwlock *l, enum lock_rank rank);
void rwlock_release(struct rwlock *l);
void rwlock_read(struct rwlock *l);
void rwlock_write(struct rwlock *l);
void rwlock_drop(struct rwlock *l);

#endif
