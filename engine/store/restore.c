#include "restore_priv.h"

#include "replay_priv.h"
#include "snapshot_priv.h"
#include "tocsin/log.h"
#include "tocsin/mem.h"
#include "wal_priv.h"

#include <stdio.h>

enum { TELL_AFTER_NS = 2 * NS_PER_S };

struct restore {
    struct store *store;
    struct world *world;
    const char *folder;
    const struct restore_watch *watch;
    struct restored *out;
    struct replay replay;
    struct snapshots snapshots;
    bool in_snapshot;
    uint32_t number; /* of the snapshot */
    uint64_t bytes;
    int64_t began_ns, told_ns;
    struct log_rate rate;
};

/* ---- damage ---- */

static void file_path(const struct restore *r, uint32_t number, char *path)
{
    if (r->in_snapshot)
        snprintf(path, SNAPSHOT_PATH_MAX, "%s/snapshot-%08u", r->folder, number);
    else
        snprintf(path, SNAPSHOT_PATH_MAX, "%s/wal/%08u", r->folder, number);
}

static void tell_damage(struct restore *r, const char *path, uint64_t offset, uint64_t bytes, bool torn,
                        const char *why)
{
    r->out->recovery.damaged += !torn;
    r->out->recovery.torn += torn;
    if (r->watch != NULL)
        r->watch->damage(r->watch->context, path, offset, bytes, torn, why);
    if (log_allowed(&r->rate, r->world->mono_ns(r->world)))
        log_warn(torn ? "the end of the log was being written when the last process ended"
                      : "stepped over damage in the store's files",
                 LOG_TEXT("file", path), LOG_INT("offset", offset), LOG_INT("bytes", bytes),
                 LOG_TEXT("why", why));
}

static void on_damage(void *context, uint32_t number, uint64_t offset, uint64_t bytes, bool torn,
                      const char *why)
{
    char path[SNAPSHOT_PATH_MAX];
    file_path(context, number, path);
    tell_damage(context, path, offset, bytes, torn, why);
}

/* ---- records ---- */

static void tell_progress(struct restore *r)
{
    int64_t now_ns = r->world->mono_ns(r->world);
    if (now_ns - r->told_ns < TELL_AFTER_NS)
        return;
    r->told_ns = now_ns;
    log_info(r->in_snapshot ? "reading the snapshot" : "reading the log", LOG_INT("bytes", r->bytes),
             LOG_INT("series", r->store->series.living), LOG_INT("samples", r->replay.samples),
             LOG_MS("took", (now_ns - r->began_ns) / NS_PER_MS));
}

/* Where a sound record holds nonsense, only its file is known. */
static void tell_nonsense(struct restore *r, uint64_t bytes, const char *why)
{
    char path[SNAPSHOT_PATH_MAX];
    if (r->in_snapshot)
        file_path(r, r->number, path);
    else
        snprintf(path, sizeof path, "%s/wal", r->folder);
    tell_damage(r, path, 0, bytes, false, why);
}

static int on_record(void *context, struct str record)
{
    struct restore *r = context;
    uint64_t spoilt = r->replay.spoilt;
    int rc = replay_record(&r->replay, record);
    r->bytes += record.n;
    if (r->replay.spoilt > spoilt)
        tell_nonsense(r, 0, "a stretch of samples cannot be unpacked");
    if (rc == ERR_PARSE)
        tell_nonsense(r, record.n, "a record cannot be understood");
    tell_progress(r);
    return rc == ERR_PARSE ? 0 : rc;
}

static int explain(const struct restore *r, int rc, struct err *err)
{
    if (rc == ERR_FULL)
        return err_set(err, ERR_FULL, "%s holds more samples than limits.store_bytes (%lld) lets in",
                       r->folder, (long long)limits.store_bytes);
    if (rc == ERR_LIMIT)
        return err_set(err, ERR_FULL, "%s holds more series than limits.series (%lld) lets in", r->folder,
                       (long long)limits.series);
    return rc;
}

/* ---- the snapshot ---- */

static int load_snapshot(struct restore *r, uint32_t number, struct err *err)
{
    const struct wal_visit visit = {r, on_record, on_damage};
    r->in_snapshot = true;
    r->number = r->out->snapshot = number;
    replay_begin_file(&r->replay, true);
    uint64_t damaged = r->out->recovery.damaged;
    int rc = snapshot_read(r->world, r->folder, number, &visit, &r->out->snapshot_bytes, err);
    const struct replay *p = &r->replay;
    r->out->snapshot_ms = p->ended ? p->begun_ms : 0;
    if (rc == 0 && damaged == r->out->recovery.damaged &&
        (!p->ended || p->end_series != p->seen_series || p->end_samples != p->seen_samples))
        tell_nonsense(r, 0, "it does not hold what its end says");
    return explain(r, rc, err);
}

/* Those before the one that is used: they are passed over whole. */
static void tell_unsound(struct restore *r, size_t count, const struct snapshot_hurt *hurt)
{
    r->in_snapshot = true;
    for (size_t i = 0; i < count; i++)
        if (hurt[i].why != NULL)
            on_damage(r, r->snapshots.number[i], hurt[i].offset, hurt[i].bytes, false, hurt[i].why);
}

/* The newest one that is sound and from which the log goes on; else the newest, for what is sound of it. None: 0. */
static int choose_snapshot(struct restore *r, const struct wal_range *log, uint32_t *number, struct err *err)
{
    const struct snapshots *all = &r->snapshots;
    struct snapshot_hurt *hurt = MEM_ARRAY(struct snapshot_hurt, all->count);
    int rc = 0;
    *number = all->count > 0 ? all->number[0] : 0;
    for (size_t i = 0; rc == 0 && i < all->count; i++) {
        if (i > 0 && (log->last < log->first || log->first > all->number[i]))
            break;
        rc = snapshot_check(r->world, r->folder, all->number[i], &hurt[i], err);
        if (rc != 0 || hurt[i].why != NULL)
            continue;
        *number = all->number[i];
        tell_unsound(r, i, hurt);
        break;
    }
    mem_free(hurt);
    return rc == 0 ? 0 : ERR_IO;
}

/* ---- the log ---- */

static int read_log(struct restore *r, uint32_t from, struct err *err)
{
    const struct wal_visit visit = {r, on_record, on_damage};
    struct wal_range range;
    int rc = wal_list(r->world, r->folder, from, &range, err);
    if (rc != 0)
        return rc;
    r->in_snapshot = false;
    r->out->first = range.first;
    r->out->last = range.last;
    if (range.last < range.first) {
        if (r->out->snapshot != 0)
            on_damage(r, from, 0, 0, false, "the log behind the snapshot is missing");
        return 0;
    }
    range.first = from; /* one that is missing is damage */
    replay_begin_file(&r->replay, false);
    uint64_t before = r->bytes;
    rc = wal_read(r->world, r->folder, &range, &visit, err);
    r->out->log_bytes = r->bytes - before;
    return explain(r, rc, err);
}

static int read_all(struct restore *r, struct err *err)
{
    struct wal_range log;
    uint32_t number;
    int rc = snapshot_list(r->world, r->folder, &r->snapshots, err);
    if (rc == 0)
        rc = wal_list(r->world, r->folder, 0, &log, err);
    if (rc == 0)
        rc = choose_snapshot(r, &log, &number, err);
    if (rc != 0)
        return rc;
    r->out->used = r->snapshots.count > 0 ? r->snapshots.number[0] : 0;
    r->out->used = log.last >= log.first && log.last > r->out->used ? log.last : r->out->used;
    if (number != 0)
        rc = load_snapshot(r, number, err);
    if (rc == 0)
        rc = read_log(r, number != 0 ? number : 1, err);
    return rc == 0 ? explain(r, replay_end(&r->replay), err) : rc;
}

static void tell_result(const struct restore *r)
{
    const struct store_recovery *c = &r->out->recovery;
    log_info("brought back series and samples", LOG_INT("series", c->series), LOG_INT("samples", c->samples),
             LOG_INT("snapshot", r->out->snapshot), LOG_INT("snapshot_bytes", r->out->snapshot_bytes),
             LOG_INT("log_bytes", r->out->log_bytes), LOG_MS("took", c->took_ms));
    if (c->orphans > 0)
        log_warn("left out samples of series that stood in a damaged place, or in a gap of the log",
                 LOG_INT("samples", c->orphans));
    if (r->replay.conflicts > 0)
        log_warn("two samples of one time: the first one stays", LOG_INT("samples", r->replay.conflicts));
}

int restore_folder(struct store *s, const char *folder, const struct restore_watch *watch,
                   struct restored *out, struct err *err)
{
    struct restore r = {.store = s, .world = s->world, .folder = folder, .watch = watch, .out = out};
    *out = (struct restored){0};
    r.began_ns = r.told_ns = s->world->mono_ns(s->world);
    replay_begin(&r.replay, s);
    s->account.beyond = limits.store_bytes / 4; /* the log also holds what had been dropped since */
    int rc = read_all(&r, err);
    s->account.beyond = 0;
    out->recovery.series = s->series.living;
    out->recovery.samples = r.replay.samples;
    out->recovery.orphans = r.replay.orphans;
    out->bytes = r.replay.bytes;
    out->recovery.took_ms = (s->world->mono_ns(s->world) - r.began_ns) / NS_PER_MS;
    if (rc == 0)
        tell_result(&r);
    replay_release(&r.replay);
    mem_free(r.snapshots.number);
    return rc;
}
