#include "log_priv.h"

#include "restore_priv.h"
#include "snapshot_priv.h"
#include "tocsin/check.h"
#include "tocsin/log.h"
#include "tocsin/mem.h"

#include <stdio.h>

enum { RETRY_MS = 1000, SNAPSHOT_PAUSE_MS = 5000, SNAPSHOT_PAUSE_MS_MAX = 320000 };

static bool has_gap(const struct log *log)
{
    return atomic_load(&log->gaps) != atomic_load(&log->closed);
}

uint64_t log_put(struct log *log, struct str record)
{
    return wal_put(log->wal, record);
}

uint64_t store_durable(const struct store *s)
{
    return s->log != NULL ? wal_durable(s->log->wal) : UINT64_MAX;
}

bool store_log_works(const struct store *s)
{
    return s->log == NULL || (!wal_has_failed(s->log->wal) && !has_gap(s->log));
}

/* ---- opening and closing ---- */

static int open_log(struct store *s, const char *folder, enum store_sync sync, const struct restored *from,
                    struct err *err)
{
    struct wal *wal;
    int rc = wal_open(s->world, folder, sync, from->used + 1, &wal, err);
    if (rc != 0)
        return rc;
    s->log = MEM_NEW(struct log);
    s->log->world = s->world;
    s->log->wal = wal;
    s->log->folder = mem_copy_text(folder, strlen(folder));
    s->log->damaged = from->recovery.damaged;
    s->log->read_first = from->first;
    s->log->read_last = from->last;
    s->log->hurt = from->recovery.damaged > 0 || from->recovery.orphans > 0;
    s->log->snapshot_bytes = from->snapshot_bytes;
    s->log->read_bytes = from->log_bytes;
    return 0;
}

/* So that it is still there after a power cut. */
static int make_folder(struct world *world, const char *folder, struct err *err)
{
    char parent[SNAPSHOT_PATH_MAX];
    struct str path = str_of(folder);
    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    size_t n = path.n;
    while (n > 0 && path.p[n - 1] != '/')
        n--;
    if (n >= sizeof parent)
        return err_set(err, ERR_IO, "the path of the data folder is too long");
    snprintf(parent, sizeof parent, "%.*s", n > 0 ? (int)n : 1, n > 0 ? folder : ".");
    int rc = world->make_folder(world, folder, err);
    return rc == 0 ? world->sync_folder(world, parent, err) : rc;
}

int store_recover(struct store *s, const char *folder, enum store_sync sync, struct store_recovery *out,
                  struct err *err)
{
    struct restored restored = {0};
    must(s->log == NULL && s->series.held == 0);
    int rc = make_folder(s->world, folder, err) == 0 ? 0 : ERR_IO;
    if (rc == 0)
        rc = restore_folder(s, folder, NULL, &restored, err);
    if (rc == 0) {
        snapshot_remove_unfinished(s->world, folder);
        rc = open_log(s, folder, sync, &restored, err) == 0 ? 0 : ERR_IO;
    }
    *out = restored.recovery;
    return rc;
}

void log_close(struct log *log)
{
    if (log == NULL)
        return;
    wal_close(log->wal);
    mem_free(log->folder);
    mem_free(log);
}

/* ---- writing ---- */

/* The gap is counted before the log can work again. */
static int fail(struct log *log, struct err *err)
{
    if (!log->failing) {
        atomic_fetch_add(&log->gaps, 1);
        log_error("the log cannot be written: samples are kept in memory only", LOG_ERR(&log->why));
    }
    log->failing = true;
    log->retry_ns = log->world->mono_ns(log->world) + RETRY_MS * NS_PER_MS;
    return err_set(err, log->why.code, "%s", log->why.text);
}

static int revive(struct log *log, struct err *err)
{
    uint32_t segment;
    int rc = wal_revive(log->wal, &segment, &log->why);
    if (rc != 0)
        return fail(log, err);
    log->failing = false;
    log_info("the log is written again; a snapshot will close the gap", LOG_INT("segment", segment));
    return 0;
}

int store_log_run(struct store *s, int64_t wait_ms, struct err *err)
{
    struct log *log = s->log;
    if (log == NULL) {
        s->world->pause(s->world, wait_ms);
        return 0;
    }
    if (log->failing && s->world->mono_ns(s->world) >= log->retry_ns && revive(log, err) != 0)
        return log->why.code;
    struct err why = {0};
    int rc = wal_commit(log->wal, wait_ms, &why);
    if (rc == 0)
        return 0;
    if (log->failing)
        return err_set(err, rc, "%s", log->why.text);
    log->why = why;
    return fail(log, err);
}

void store_log_write(struct store *s)
{
    if (s->log != NULL)
        wal_write(s->log->wal);
}

void store_log_wake(struct store *s)
{
    if (s->log != NULL)
        wal_wake(s->log->wal);
}

/* ---- snapshots ---- */

static uint64_t written_bytes(struct log *log)
{
    struct wal_figures figures;
    wal_figures(log->wal, &figures);
    return figures.bytes;
}

/* Records, which have to be read at a start; or files, of which each start that ends badly leaves some that are hardly used. */
static bool is_long(struct log *log)
{
    struct wal_figures figures;
    wal_figures(log->wal, &figures);
    uint64_t behind = log->read_bytes + figures.bytes - log->from_bytes;
    uint64_t replay = (uint64_t)limits.wal_replay_bytes;
    uint64_t most = replay > log->snapshot_bytes ? replay : log->snapshot_bytes;
    return behind > most || figures.held_bytes > 2 * most;
}

static bool is_due(struct log *log)
{
    if (log->pause_ms > 0 && log->world->mono_ns(log->world) - log->snapshot_ns < log->pause_ms * NS_PER_MS)
        return false;
    return log->hurt || has_gap(log) || is_long(log);
}

/* A disk that is full, or fails, is not filled again and again. But while there is a gap all pushes wait for the snapshot. */
static int give_up(struct log *log, int rc)
{
    int64_t longer_ms = log->pause_ms > 0 && !has_gap(log) ? log->pause_ms * 2 : SNAPSHOT_PAUSE_MS;
    log->pause_ms = longer_ms < SNAPSHOT_PAUSE_MS_MAX ? longer_ms : SNAPSHOT_PAUSE_MS_MAX;
    log->snapshot_ns = log->world->mono_ns(log->world);
    atomic_fetch_add(&log->snapshot_errors, 1);
    return rc;
}

/* It is on the disk: what it replaces may go. */
static void take_over(struct log *log, uint32_t number, const struct snapshot_size *size, uint64_t from_bytes,
                      uint64_t gaps)
{
    atomic_store(&log->closed, gaps);
    atomic_fetch_add(&log->snapshots, 1);
    log->hurt = false;
    log->snapshot_bytes = size->bytes;
    log->read_bytes = 0;
    log->from_bytes = from_bytes;
    log->pause_ms = 0;
    snapshot_remove_before(log->world, log->folder, number);
    wal_forget(log->wal, number);
}

int store_snapshot(struct store *s, struct err *err)
{
    struct log *log = s->log;
    if (log == NULL || wal_has_failed(log->wal))
        return 0; /* whoever runs the log has been told why */
    if (!is_due(log))
        return wal_spare(log->wal, err);
    int64_t began_ns = s->world->mono_ns(s->world);
    uint64_t gaps = atomic_load(&log->gaps);
    uint64_t from_bytes = written_bytes(log);
    uint32_t number = wal_rotate(log->wal, err);
    if (number == 0)
        return give_up(log, ERR_IO);
    struct snapshot_size size;
    int rc = snapshot_write(s, log->folder, number, &size, err);
    if (rc != 0)
        return give_up(log, rc);
    take_over(log, number, &size, from_bytes, gaps);
    log_info("wrote a snapshot", LOG_INT("number", number), LOG_INT("series", size.series),
             LOG_INT("samples", size.samples), LOG_INT("bytes", size.bytes),
             LOG_MS("took", (s->world->mono_ns(s->world) - began_ns) / NS_PER_MS));
    return 0;
}

bool store_log_figures(const struct store *s, struct store_log_figures *out)
{
    struct wal_figures wal;
    *out = (struct store_log_figures){0};
    if (s->log == NULL)
        return false;
    wal_figures(s->log->wal, &wal);
    *out = (struct store_log_figures){
        .syncs = wal.syncs,
        .failures = wal.failures,
        .snapshots = atomic_load(&s->log->snapshots),
        .snapshot_errors = atomic_load(&s->log->snapshot_errors),
        .sync_ns = wal.sync_ns,
        .damaged = s->log->damaged,
        .held_bytes = wal.held_bytes,
        .segment = wal.last,
        .read_first = s->log->read_first,
        .read_last = s->log->read_last,
    };
    return true;
}
