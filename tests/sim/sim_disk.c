#include "sim_disk.h"

#include "sim_disk_priv.h"
#include "tocsin/check.h"
#include "tocsin/lock.h"
#include "tocsin/mem.h"

#include <fnmatch.h>
#include <stdlib.h>

struct fault {
    uint64_t at; /* the number of the call; 0: none */
    int code;
    bool lasting;
};

struct sim_disk {
    struct lock lock;
    struct sim_folders folders;
    struct sim_node **nodes;
    size_t node_count, node_capacity;
    uint64_t life; /* rises with each power cut */
    uint64_t calls[SIM_DISK_CALLS], cut_calls;
    struct fault faults[SIM_DISK_CALLS];
    uint64_t cut_at; /* of the calls since sim_disk_cut; 0: none */
    uint64_t bytes_max;
};

struct file {
    struct sim_node *node;
    char *path;
    uint64_t life; /* of the disk, when it was opened */
    bool writable;
};

static struct sim_disk *disk_of(struct world *w)
{
    return w->disk;
}

/* ---- faults ---- */

enum acts {
    ACTS,      /* also during the cut: whatever it does is not synced */
    ACTS_PART, /* as far as a failing one does */
    ACTS_NOT   /* there is no power */
};

/* What becomes of a call. */
struct fate {
    int code;
    enum acts acts;
};

static struct fate next_fate(struct sim_disk *d, enum sim_disk_call call)
{
    uint64_t number = ++d->calls[call];
    const struct fault *f = &d->faults[call];
    if (d->cut_at != 0 && ++d->cut_calls >= d->cut_at)
        return (struct fate){ERR_IO, d->cut_calls == d->cut_at ? ACTS : ACTS_NOT};
    if (f->at != 0 && (f->lasting ? number >= f->at : number == f->at))
        return (struct fate){f->code, ACTS_PART};
    return (struct fate){0, ACTS};
}

static int refuse(struct err *err, int code, const char *verb, const char *path)
{
    const char *why = code == ERR_FULL ? "no space left on device" : "input/output error";
    return err_set(err, code, "%s %s: %s", verb, path, why);
}

static int refuse_missing(struct err *err, const char *verb, const char *path)
{
    return err_set(err, ERR_NOT_FOUND, "%s %s: no such file or directory", verb, path);
}

static void lift_faults(struct sim_disk *d)
{
    memset(d->faults, 0, sizeof d->faults);
    d->cut_at = d->cut_calls = 0;
}

void sim_disk_fail(struct sim_disk *d, enum sim_disk_call call, uint64_t nth, int code, bool lasting)
{
    must(nth > 0 && (code == ERR_IO || code == ERR_FULL));
    lock_take(&d->lock);
    d->faults[call] = (struct fault){d->calls[call] + nth, code, lasting};
    lock_drop(&d->lock);
}

void sim_disk_cut(struct sim_disk *d, uint64_t calls)
{
    lock_take(&d->lock);
    d->cut_calls = 0;
    d->cut_at = calls + 1;
    lock_drop(&d->lock);
}

void sim_disk_heal(struct sim_disk *d)
{
    lock_take(&d->lock);
    lift_faults(d);
    lock_drop(&d->lock);
}

uint64_t sim_disk_calls(struct sim_disk *d, enum sim_disk_call call)
{
    lock_take(&d->lock);
    uint64_t calls = d->calls[call];
    lock_drop(&d->lock);
    return calls;
}

void sim_disk_limit(struct sim_disk *d, uint64_t bytes)
{
    lock_take(&d->lock);
    d->bytes_max = bytes;
    lock_drop(&d->lock);
}

/* ---- room ---- */

static struct sim_node *add_node(struct sim_disk *d)
{
    MEM_GROW(d->nodes, d->node_count, d->node_capacity);
    return d->nodes[d->node_count++] = sim_node_new();
}

static void collect(struct sim_disk *d)
{
    for (size_t i = d->node_count; i-- > 0;)
        if (d->nodes[i]->open == 0 && !sim_folders_hold(&d->folders, d->nodes[i])) {
            sim_node_free(d->nodes[i]);
            d->nodes[i] = d->nodes[--d->node_count];
        }
}

static uint64_t bytes_used(const struct sim_disk *d)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < d->folders.now.count; i++)
        if (d->folders.now.entries[i].node != NULL)
            bytes += d->folders.now.entries[i].node->now.used;
    return bytes;
}

/* How much of a write finds room. */
static size_t room_for(const struct sim_disk *d, const struct sim_node *node, size_t offset, size_t bytes)
{
    size_t end = offset + bytes;
    if (end <= node->now.used)
        return bytes;
    uint64_t used = bytes_used(d), room = used < d->bytes_max ? d->bytes_max - used : 0;
    uint64_t over = end - node->now.used;
    if (over <= room)
        return bytes;
    return over - room < bytes ? bytes - (size_t)(over - room) : 0;
}

/* ---- open files; the lock is held ---- */

static int open_node(struct sim_disk *d, const char *path, enum file_mode mode, struct sim_node **out,
                     struct err *err)
{
    struct sim_entry *e = sim_names_find(&d->folders.now, path);
    if (e != NULL && e->node == NULL)
        return err_set(err, ERR_IO, "open %s: is a directory", path);
    if (e == NULL && (mode != FILE_CREATE || !sim_folders_have(&d->folders, sim_folder_of(path))))
        return refuse_missing(err, "open", path);
    if (e == NULL)
        sim_folders_change(&d->folders, NULL, path, *out = add_node(d));
    else
        *out = e->node;
    if (mode == FILE_CREATE)
        sim_node_truncate(*out);
    return 0;
}

static int open_file(struct sim_disk *d, const char *path, enum file_mode mode, struct file **out,
                     struct err *err)
{
    struct sim_node *node = NULL;
    struct fate fate = next_fate(d, SIM_DISK_OPEN);
    if (fate.acts != ACTS)
        return refuse(err, fate.code, "open", path);
    int rc = open_node(d, path, mode, &node, err);
    if (rc != 0 || fate.code != 0)
        return rc != 0 ? rc : refuse(err, fate.code, "open", path);
    node->open++;
    *out = MEM_NEW(struct file);
    **out = (struct file){node, mem_copy_text(path, strlen(path)), d->life, mode != FILE_READ};
    return 0;
}

static void close_file(struct file *file)
{
    file->node->open--;
    mem_free(file->path);
    mem_free(file);
}

static int check_alive(const struct sim_disk *d, const struct file *file, const char *verb, struct err *err)
{
    return file->life == d->life ? 0 : refuse(err, ERR_IO, verb, file->path);
}

static int write_bytes(struct sim_disk *d, struct file *file, int64_t offset, struct str bytes,
                       struct err *err)
{
    struct fate fate = next_fate(d, SIM_DISK_WRITE);
    int rc = check_alive(d, file, "write", err);
    if (rc != 0)
        return rc;
    if (!file->writable)
        return err_set(err, ERR_IO, "write %s: bad file descriptor", file->path);
    must(offset >= 0 && bytes.n < SIZE_MAX / 4 && (uint64_t)offset < SIZE_MAX / 4);
    size_t n = fate.acts == ACTS ? bytes.n : fate.acts == ACTS_PART ? bytes.n / 2 : 0;
    size_t room = room_for(d, file->node, (size_t)offset, n);
    sim_node_write(file->node, (size_t)offset, (struct str){bytes.p, room});
    if (fate.code != 0)
        return refuse(err, fate.code, "write", file->path);
    return room == bytes.n ? 0 : refuse(err, ERR_FULL, "write", file->path);
}

static int sync_file(struct sim_disk *d, struct file *file, struct err *err)
{
    struct fate fate = next_fate(d, SIM_DISK_SYNC);
    int rc = check_alive(d, file, "fsync", err);
    if (rc != 0)
        return rc;
    if (fate.code == 0)
        sim_node_sync(file->node);
    else if (fate.acts == ACTS_PART)
        sim_node_fail_sync(file->node);
    return fate.code != 0 ? refuse(err, fate.code, "fsync", file->path) : 0;
}

static int read_bytes(struct sim_disk *d, struct file *file, int64_t offset, void *to, size_t bytes,
                      size_t *got, struct err *err)
{
    struct fate fate = next_fate(d, SIM_DISK_READ);
    const struct sim_content *c = &file->node->now;
    *got = 0;
    int rc = check_alive(d, file, "read", err);
    if (rc != 0 || fate.code != 0)
        return rc != 0 ? rc : refuse(err, fate.code, "read", file->path);
    if ((uint64_t)offset < c->used) {
        size_t left = c->used - (size_t)offset;
        *got = left < bytes ? left : bytes;
        memcpy(to, c->bytes + offset, *got);
    }
    return 0;
}

/* ---- names; the lock is held ---- */

static int rename_name(struct sim_disk *d, const char *from, const char *to, struct err *err)
{
    struct fate fate = next_fate(d, SIM_DISK_NAME);
    struct sim_entry *e = sim_names_find(&d->folders.now, from), *over = sim_names_find(&d->folders.now, to);
    if (fate.acts != ACTS)
        return refuse(err, fate.code, "rename", from);
    if (e == NULL)
        return refuse_missing(err, "rename", from);
    if (e->node == NULL || (over != NULL && over->node == NULL) ||
        !str_eq(sim_folder_of(from), sim_folder_of(to)))
        return err_set(err, ERR_IO, "rename %s: not supported by the simulated disk", from);
    if (e != over)
        sim_folders_change(&d->folders, from, to, e->node);
    return fate.code != 0 ? refuse(err, fate.code, "rename", from) : 0;
}

static int remove_name(struct sim_disk *d, const char *path, struct err *err)
{
    struct fate fate = next_fate(d, SIM_DISK_NAME);
    struct sim_entry *e = sim_names_find(&d->folders.now, path);
    if (fate.acts != ACTS)
        return refuse(err, fate.code, "remove", path);
    if (e == NULL)
        return refuse_missing(err, "remove", path);
    if (e->node == NULL)
        return err_set(err, ERR_IO, "remove %s: is a directory", path);
    sim_folders_change(&d->folders, path, NULL, e->node);
    return fate.code != 0 ? refuse(err, fate.code, "remove", path) : 0;
}

static int add_folder(struct sim_disk *d, const char *path, struct err *err)
{
    struct fate fate = next_fate(d, SIM_DISK_NAME);
    struct sim_entry *e = sim_names_find(&d->folders.now, path);
    if (fate.acts != ACTS)
        return refuse(err, fate.code, "mkdir", path);
    if (e != NULL && e->node != NULL)
        return err_set(err, ERR_IO, "mkdir %s: not a directory", path);
    if (!sim_folders_have(&d->folders, sim_folder_of(path)))
        return refuse_missing(err, "mkdir", path);
    if (e == NULL && !sim_folders_have(&d->folders, str_of(path)))
        sim_folders_change(&d->folders, NULL, path, NULL);
    return fate.code != 0 ? refuse(err, fate.code, "mkdir", path) : 0;
}

static int sync_names(struct sim_disk *d, const char *path, struct err *err)
{
    struct fate fate = next_fate(d, SIM_DISK_SYNC);
    if (fate.code != 0)
        return refuse(err, fate.code, "fsync", path);
    if (!sim_folders_have(&d->folders, str_of(path)))
        return refuse_missing(err, "fsync", path);
    sim_folders_sync(&d->folders, path);
    collect(d);
    return 0;
}

/* ---- whole files; the lock is held ---- */

static int read_whole(struct sim_disk *d, const char *path, struct buf *out, struct err *err)
{
    struct file *file;
    int rc = open_file(d, path, FILE_READ, &file, err);
    if (rc != 0)
        return rc;
    struct fate fate = next_fate(d, SIM_DISK_READ);
    buf_add(out, file->node->now.bytes, file->node->now.used);
    if (fate.code != 0)
        rc = refuse(err, fate.code, "read", path);
    else if (buf_overflow(out))
        rc = err_set(err, ERR_LIMIT, "read %s: file is larger than %zu bytes", path, out->max_bytes);
    close_file(file);
    return rc;
}

static int write_new(struct sim_disk *d, const char *temporary, struct str content, struct err *err)
{
    struct file *file;
    int rc = open_file(d, temporary, FILE_CREATE, &file, err);
    if (rc != 0)
        return rc;
    rc = write_bytes(d, file, 0, content, err);
    if (rc == 0)
        rc = sync_file(d, file, err);
    close_file(file);
    return rc;
}

/* As the real one does it: another name, sync, rename, sync of the folder. */
static int write_whole(struct sim_disk *d, const char *path, struct str content, struct err *err)
{
    struct buf temporary, folder;
    buf_init(&temporary, strlen(path) + 8);
    buf_format(&temporary, "%s.tmp", path);
    buf_init(&folder, strlen(path) + 1);
    buf_str(&folder, sim_folder_of(path));
    int rc = write_new(d, buf_text(&temporary), content, err);
    if (rc == 0)
        rc = rename_name(d, buf_text(&temporary), path, err);
    if (rc == 0)
        rc = sync_names(d, buf_text(&folder), err);
    else
        remove_name(d, buf_text(&temporary), NULL);
    buf_release(&temporary);
    buf_release(&folder);
    return rc;
}

/* ---- what the world calls ---- */

static int do_read_file(struct world *w, const char *path, struct buf *out, struct err *err)
{
    struct sim_disk *d = disk_of(w);
    lock_take(&d->lock);
    int rc = read_whole(d, path, out, err);
    lock_drop(&d->lock);
    return rc;
}

static int do_write_file(struct world *w, const char *path, struct str content, struct err *err)
{
    struct sim_disk *d = disk_of(w);
    lock_take(&d->lock);
    int rc = write_whole(d, path, content, err);
    lock_drop(&d->lock);
    return rc;
}

static int do_make_folder(struct world *w, const char *path, struct err *err)
{
    struct sim_disk *d = disk_of(w);
    lock_take(&d->lock);
    int rc = add_folder(d, path, err);
    lock_drop(&d->lock);
    return rc;
}

static int do_file_open(struct world *w, const char *path, enum file_mode mode, struct file **out,
                        struct err *err)
{
    struct sim_disk *d = disk_of(w);
    lock_take(&d->lock);
    int rc = open_file(d, path, mode, out, err);
    lock_drop(&d->lock);
    return rc;
}

static int do_file_read(struct world *w, struct file *file, int64_t offset, void *to, size_t bytes,
                        size_t *got, struct err *err)
{
    struct sim_disk *d = disk_of(w);
    lock_take(&d->lock);
    int rc = read_bytes(d, file, offset, to, bytes, got, err);
    lock_drop(&d->lock);
    return rc;
}

static int do_file_write(struct world *w, struct file *file, int64_t offset, struct str bytes,
                         struct err *err)
{
    struct sim_disk *d = disk_of(w);
    lock_take(&d->lock);
    int rc = write_bytes(d, file, offset, bytes, err);
    lock_drop(&d->lock);
    return rc;
}

static int do_file_sync(struct world *w, struct file *file, struct err *err)
{
    struct sim_disk *d = disk_of(w);
    lock_take(&d->lock);
    int rc = sync_file(d, file, err);
    lock_drop(&d->lock);
    return rc;
}

static int do_file_size(struct world *w, struct file *file, int64_t *bytes, struct err *err)
{
    struct sim_disk *d = disk_of(w);
    lock_take(&d->lock);
    int rc = check_alive(d, file, "stat", err);
    *bytes = (int64_t)file->node->now.used;
    lock_drop(&d->lock);
    return rc;
}

static void do_file_close(struct world *w, struct file *file)
{
    struct sim_disk *d = disk_of(w);
    lock_take(&d->lock);
    close_file(file);
    lock_drop(&d->lock);
}

static int do_rename_file(struct world *w, const char *from, const char *to, struct err *err)
{
    struct sim_disk *d = disk_of(w);
    lock_take(&d->lock);
    int rc = rename_name(d, from, to, err);
    lock_drop(&d->lock);
    return rc;
}

static int do_remove_file(struct world *w, const char *path, struct err *err)
{
    struct sim_disk *d = disk_of(w);
    lock_take(&d->lock);
    int rc = remove_name(d, path, err);
    lock_drop(&d->lock);
    return rc;
}

static int do_sync_folder(struct world *w, const char *path, struct err *err)
{
    struct sim_disk *d = disk_of(w);
    lock_take(&d->lock);
    int rc = sync_names(d, path, err);
    lock_drop(&d->lock);
    return rc;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names first: found() may call the disk. */
static int do_glob(struct world *w, const char *pattern, void (*found)(void *context, const char *path),
                   void *context, struct err *err)
{
    (void)err;
    struct sim_disk *d = disk_of(w);
    size_t count = 0;
    lock_take(&d->lock);
    char **hits = MEM_ARRAY(char *, d->folders.now.count + 1);
    for (size_t i = 0; i < d->folders.now.count; i++) {
        const char *path = d->folders.now.entries[i].path;
        if (fnmatch(pattern, path, FNM_PATHNAME) == 0)
            hits[count++] = mem_copy_text(path, strlen(path));
    }
    lock_drop(&d->lock);
    qsort(hits, count, sizeof *hits, by_bytes);
    for (size_t i = 0; i < count; i++) {
        found(context, hits[i]);
        mem_free(hits[i]);
    }
    mem_free(hits);
    return 0;
}

void sim_disk_install(struct sim_disk *disk, struct world *world)
{
    world->disk = disk;
    world->read_file = do_read_file;
    world->write_file = do_write_file;
    world->make_folder = do_make_folder;
    world->glob = do_glob;
    world->file_open = do_file_open;
    world->file_read = do_file_read;
    world->file_write = do_file_write;
    world->file_sync = do_file_sync;
    world->file_size = do_file_size;
    world->file_close = do_file_close;
    world->rename_file = do_rename_file;
    world->remove_file = do_remove_file;
    world->sync_folder = do_sync_folder;
}

/* ---- its life ---- */

struct sim_disk *sim_disk_open(void)
{
    struct sim_disk *d = MEM_NEW(struct sim_disk);
    lock_init(&d->lock, LOCK_queue);
    d->bytes_max = UINT64_MAX;
    return d;
}

void sim_disk_close(struct sim_disk *d)
{
    sim_folders_release(&d->folders);
    for (size_t i = 0; i < d->node_count; i++) {
        must(d->nodes[i]->open == 0);
        sim_node_free(d->nodes[i]);
    }
    mem_free(d->nodes);
    lock_release(&d->lock);
    mem_free(d);
}

void sim_disk_crash(struct sim_disk *d, uint64_t seed)
{
    struct chance chance = chance_of(seed);
    lock_take(&d->lock);
    sim_folders_crash(&d->folders, &chance);
    for (size_t i = 0; i < d->node_count; i++) {
        const struct sim_node *other = d->nodes[chance_below(&chance, d->node_count)];
        sim_node_crash(d->nodes[i], &chance, other != d->nodes[i] ? other : NULL);
    }
    collect(d);
    lift_faults(d);
    d->life++;
    lock_drop(&d->lock);
}
