#include "tocsin/storefile.h"

#include "restore_priv.h"
#include "snapshot_priv.h"
#include "tocsin/mem.h"

enum { DAMAGES_MAX = 10000, TRIES_MAX = 5 };

struct storefile {
    struct world *world;
    struct store *store;
    struct restored restored;
    struct storefile_damage *damages; /* the first DAMAGES_MAX; they own their texts */
    size_t damage_count, damage_capacity;
};

static void note_damage(void *context, const char *path, uint64_t offset, uint64_t bytes, bool torn,
                        const char *why)
{
    struct storefile *f = context;
    if (f->damage_count == DAMAGES_MAX)
        return;
    MEM_GROW(f->damages, f->damage_count, f->damage_capacity);
    f->damages[f->damage_count++] = (struct storefile_damage){mem_copy_text(path, strlen(path)), offset,
                                                              bytes, torn, mem_copy_text(why, strlen(why))};
}

static void forget(struct storefile *f)
{
    for (size_t i = 0; i < f->damage_count; i++) {
        mem_free((char *)f->damages[i].path);
        mem_free((char *)f->damages[i].why);
    }
    f->damage_count = 0;
    if (f->store != NULL)
        store_close(f->store);
    f->store = NULL;
}

static int load(struct storefile *f, const char *folder, struct err *err)
{
    const struct store_options options = {.retention_ms = INT64_MAX};
    const struct restore_watch watch = {f, note_damage};
    forget(f);
    f->store = store_open(&options, f->world);
    return restore_folder(f->store, folder, &watch, &f->restored, err);
}

/* The number of the newest snapshot; 0: none. */
static uint32_t newest(struct world *world, const char *folder)
{
    struct snapshots all;
    snapshot_list(world, folder, &all, NULL);
    uint32_t number = all.count > 0 ? all.number[0] : 0;
    mem_free(all.number);
    return number;
}

/* A server that writes a snapshot takes away what was before it, also from under a reader. */
static int load_at_rest(struct storefile *f, const char *folder, struct err *err)
{
    int rc = 0;
    for (int i = 0; i < TRIES_MAX; i++) {
        uint32_t before = newest(f->world, folder);
        rc = load(f, folder, err);
        if (newest(f->world, folder) == before)
            break;
    }
    return rc;
}

int storefile_open(struct world *world, const char *folder, struct storefile **out, struct err *err)
{
    struct storefile *f = MEM_NEW(struct storefile);
    f->world = world;
    int rc = load_at_rest(f, folder, err);
    if (rc == 0 && f->restored.used == 0)
        rc = err_set(err, ERR_NOT_FOUND, "%s holds no samples: there is neither a snapshot nor a log in it",
                     folder);
    if (rc == 0)
        *out = f;
    else
        storefile_close(f);
    return rc;
}

void storefile_close(struct storefile *f)
{
    forget(f);
    mem_free(f->damages);
    mem_free(f);
}

struct store *storefile_store(struct storefile *f)
{
    return f->store;
}

void storefile_figures(const struct storefile *f, struct storefile_figures *out)
{
    const struct restored *r = &f->restored;
    *out = (struct storefile_figures){
        .recovery = r->recovery,
        .snapshot = r->snapshot,
        .snapshot_ms = r->snapshot_ms,
        .snapshot_bytes = r->snapshot_bytes,
        .segments = r->last >= r->first ? r->last - r->first + 1 : 0,
        .log_bytes = r->log_bytes,
        .series_bytes = r->bytes.series,
        .float_bytes = r->bytes.floats,
        .wide_bytes = r->bytes.wide,
        .packed_bytes = r->bytes.sealed,
    };
}

size_t storefile_damage_count(const struct storefile *f)
{
    return f->damage_count;
}

struct storefile_damage storefile_damage(const struct storefile *f, size_t i)
{
    return f->damages[i];
}
