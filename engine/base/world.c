#include "tocsin/check.h"
#include "world_priv.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    must(clock_gettime(clock, &now) == 0);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t wall_ns(struct world *w)
{
    (void)w;
    return read_clock(CLOCK_REALTIME);
}

static int64_t mono_ns(struct world *w)
{
    (void)w;
    return read_clock(CLOCK_MONOTONIC);
}

static uint64_t random_bits(struct world *w)
{
    (void)w;
    uint64_t bits;
    ssize_t n;
    do
        n = getrandom(&bits, sizeof bits, 0);
    while (n < 0 && errno == EINTR);
    must(n == sizeof bits);
    return bits;
}

static void pause_ms(struct world *w, int64_t ms)
{
    (void)w;
    struct timespec left = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000 * NS_PER_MS)};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

struct world *world_real(void)
{
    static struct world real = {
        .wall_ns = wall_ns,
        .mono_ns = mono_ns,
        .random = random_bits,
        .pause = pause_ms,
        .read_file = disk_read_file,
        .write_file = disk_write_file,
        .make_folder = disk_make_folder,
        .glob = disk_glob,
        .file_open = disk_file_open,
        .file_read = disk_file_read,
        .file_write = disk_file_write,
        .file_sync = disk_file_sync,
        .file_size = disk_file_size,
        .file_close = disk_file_close,
        .rename_file = disk_rename_file,
        .remove_file = disk_remove_file,
        .sync_folder = disk_sync_folder,
        .resolve = world_resolve,
    };
    return &real;
}
