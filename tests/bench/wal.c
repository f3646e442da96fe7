/* What a commit of the log costs: wal [FOLDER]. Threads put records of 22 KB, a push of 2,000 samples or so, each waiting until its
 * record is durable. "grows": each segment is a new file; "again": segments are used again. CPU is that of the log's thread, in it
 * the checksums, the writes and the syncs. */
#include "../../engine/store/wal_priv.h"
#include "tocsin/check.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RECORD_BYTES = 22 << 10, SENDERS_MAX = 16, PUTS_MAX = 200000, RUN_MS = 2000 };

static struct wal *wal;
static atomic_bool over;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t committed = PTHREAD_COND_INITIALIZER;
static double took_ms[PUTS_MAX];
static atomic_int puts_done;

static double seconds(clockid_t clock)
{
    struct timespec t;
    must(clock_gettime(clock, &t) == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *send(void *record)
{
    while (!atomic_load(&over)) {
        double began = seconds(CLOCK_MONOTONIC);
        uint64_t position = wal_put(wal, (struct str){record, RECORD_BYTES});
        must(position > 0);
        wal_wake(wal);
        pthread_mutex_lock(&lock);
        while (wal_durable(wal) < position)
            pthread_cond_wait(&committed, &lock);
        pthread_mutex_unlock(&lock);
        int i = atomic_fetch_add(&puts_done, 1);
        must(i < PUTS_MAX);
        took_ms[i] = (seconds(CLOCK_MONOTONIC) - began) * 1e3;
    }
    return NULL;
}

static void *run_log(void *cpu)
{
    for (bool last = false; !last;) {
        last = atomic_load(&over);
        must(wal_commit(wal, 100, NULL) == 0);
        pthread_mutex_lock(&lock);
        pthread_cond_broadcast(&committed);
        pthread_mutex_unlock(&lock);
    }
    *(double *)cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The housekeeping of the run: a snapshot every 50 ms, if nothing else. */
static void keep_house(bool again)
{
    struct wal_figures figures;
    for (int ms = 0; ms < RUN_MS; ms += 50) {
        usleep(50000);
        wal_figures(wal, &figures);
        if (again)
            must(wal_spare(wal, NULL) == 0);
        wal_forget(wal, figures.last);
    }
}

static void fill_spares(void)
{
    for (int i = 0; i < 4; i++) {
        must(wal_spare(wal, NULL) == 0 && wal_put(wal, STR("x")) > 0);
        wal_forget(wal, wal_rotate(wal, NULL));
    }
    must(wal_spare(wal, NULL) == 0 && wal_put(wal, STR("x")) > 0);
    wal_rotate(wal, NULL);
}

static void run(const char *folder, bool again, int senders)
{
    struct wal_figures before, after;
    struct wal_range found;
    pthread_t threads[SENDERS_MAX], log;
    double cpu;
    char *record = mem_new(1, RECORD_BYTES);
    memset(record, 'r', RECORD_BYTES);
    must(wal_list(world_real(), folder, 1, &found, NULL) == 0);
    must(wal_open(world_real(), folder, STORE_SYNC_GROUP, found.last + 1, &wal, NULL) == 0);
    if (again)
        fill_spares();
    wal_figures(wal, &before);
    atomic_store(&over, false);
    atomic_store(&puts_done, 0);
    must(pthread_create(&log, NULL, run_log, &cpu) == 0);
    for (int i = 0; i < senders; i++)
        must(pthread_create(&threads[i], NULL, send, record) == 0);
    keep_house(again);
    atomic_store(&over, true);
    for (int i = 0; i < senders; i++)
        pthread_join(threads[i], NULL);
    wal_wake(wal);
    pthread_join(log, NULL);
    wal_figures(wal, &after);
    int puts = atomic_load(&puts_done);
    double syncs = (double)(after.syncs - before.syncs);
    qsort(took_ms, (size_t)puts, sizeof *took_ms, by_size);
    printf("| %d | %s | %.0f | %.0f | %.0f | %.0f | %.1f | %.1f |\n", senders, again ? "again" : "grows",
           puts * 1e3 / RUN_MS, syncs * 1e3 / RUN_MS, cpu / syncs * 1e6, cpu / puts * 1e6, took_ms[puts / 2],
           took_ms[puts * 99 / 100]);
    wal_close(wal);
    mem_free(record);
}

static void remove_found(void *context, const char *path)
{
    (void)context;
    unlink(path);
}

int main(int argc, char **argv)
{
    char folder[256], pattern[300];
    snprintf(folder, sizeof folder, "%s/tocsin-wal-XXXXXX", argc > 1 ? argv[1] : ".");
    must(mkdtemp(folder) != NULL);
    printf("| senders | segments | puts/s | syncs/s | CPU us/sync | CPU us/put | p50 ms | p99 ms "
           "|\n|---|---|---|---|---|---|---|---|\n");
    static const int SENDERS[] = {1, 4, 16};
    for (int i = 0; i < 3; i++)
        for (int again = 0; again < 2; again++)
            run(folder, again, SENDERS[i]);
    snprintf(pattern, sizeof pattern, "%s/wal/*", folder);
    world_real()->glob(world_real(), pattern, remove_found, NULL, NULL);
    snprintf(pattern, sizeof pattern, "%s/wal", folder);
    must(rmdir(pattern) == 0 && rmdir(folder) == 0);
    return 0;
}
