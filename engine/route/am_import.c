#include "tocsin/am_import.h"

#include "tocsin/hash.h"
#include "tocsin/log.h"

#include "am_snapshot_priv.h"

enum { FILE_BYTES_MAX = 256 << 20 };

/* One of the two files; what it holds is put into `to`. */
typedef int read_snapshot(struct arena *arena, struct str bytes, struct state_import *to, struct err *err);

static int read_nflog(struct arena *arena, struct str bytes, struct state_import *to, struct err *err)
{
    struct nflog_entry *entries;
    int rc = am_snapshot_nflog(arena, bytes, &entries, &to->entry_count, err);
    to->entries = entries;
    return rc;
}

static int read_silences(struct arena *arena, struct str bytes, struct state_import *to, struct err *err)
{
    struct silence_row *rows;
    size_t refused;
    int rc = am_snapshot_silences(arena, bytes, &rows, &to->silence_count, &refused, err);
    to->silences = rows;
    return rc;
}

static int take_over(struct state *state, struct str path, struct str bytes, read_snapshot *read,
                     struct err *err)
{
    struct state_import all = {.file = path, .hash = hash_stable(bytes.p, bytes.n)};
    struct arena arena;
    bool known = false;
    int rc = state_imported(state, all.file, all.hash, &known, err);
    if (rc != 0 || known)
        return rc;
    arena_init(&arena, am_snapshot_arena_bytes(bytes));
    rc = read(&arena, bytes, &all, err);
    if (rc == 0)
        rc = state_import(state, &all, err);
    arena_release(&arena);
    if (rc == 0)
        log_info("took over what Alertmanager left", LOG_STR("file", path),
                 LOG_INT("notifications", (int64_t)all.entry_count),
                 LOG_INT("silences", (int64_t)all.silence_count));
    return rc;
}

static int import(struct world *world, const char *folder, const char *name, struct state *state,
                  read_snapshot *read, struct err *err)
{
    struct buf path, bytes;
    buf_init(&path, 4096);
    buf_init(&bytes, FILE_BYTES_MAX);
    buf_format(&path, "%s/%s", folder, name);
    int rc = world->read_file(world, buf_text(&path), &bytes, err);
    if (rc == 0)
        rc = take_over(state, str_of(name), buf_slice(&bytes), read, err);
    if (rc == ERR_NOT_FOUND)
        rc = 0;
    if (rc != 0)
        err_prefix(err, "cannot take over %s, which Alertmanager left (moved away, it is started without): ",
                   buf_text(&path));
    buf_release(&path);
    buf_release(&bytes);
    return rc;
}

int am_import(struct world *world, const char *folder, struct state *state, struct err *err)
{
    int rc = import(world, folder, "nflog", state, read_nflog, err);
    return rc == 0 ? import(world, folder, "silences", state, read_silences, err) : rc;
}
