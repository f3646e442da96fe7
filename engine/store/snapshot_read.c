/* Finding and reading snapshots. */
#include "frame_priv.h"
#include "record_priv.h"
#include "snapshot_priv.h"
#include "tocsin/mem.h"

#include <stdio.h>
#include <stdlib.h>

static const char NAME[] = "/snapshot-";
enum { DIGITS = 8, WINDOW_BYTES = 4 << 20, SEARCH_BYTES = 256 << 20 };

int snapshot_path(char *path, const char *folder, uint32_t number, struct err *err)
{
    int n = snprintf(path, SNAPSHOT_PATH_MAX, "%s%s%08u", folder, NAME, number);
    return n < SNAPSHOT_PATH_MAX ? 0 : err_set(err, ERR_LIMIT, "the path of the data folder is too long");
}

/* ---- which there are ---- */

struct listing {
    struct snapshots found;
    size_t capacity;
};

/* The pattern has let only digits through; ten of them may still be no number. */
static void note_number(void *context, const char *path)
{
    struct listing *l = context;
    const char *digits = path + strlen(path) - DIGITS;
    MEM_GROW(l->found.number, l->found.count, l->capacity);
    l->found.number[l->found.count++] = (uint32_t)strtoul(digits, NULL, 10);
}

static int downward(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

static int each_path(struct world *world, const char *folder, const char *pattern,
                     void (*found)(void *context, const char *path), void *context, struct err *err)
{
    char path[SNAPSHOT_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s%s%s", folder, NAME, pattern);
    if (n >= SNAPSHOT_PATH_MAX)
        return err_set(err, ERR_LIMIT, "the path of the data folder is too long");
    return world->glob(world, path, found, context, err);
}

int snapshot_list(struct world *world, const char *folder, struct snapshots *out, struct err *err)
{
    struct listing l = {0};
    int rc = each_path(world, folder, "[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]", note_number, &l, err);
    if (l.found.count > 1)
        qsort(l.found.number, l.found.count, sizeof *l.found.number, downward);
    *out = l.found;
    return rc;
}

void snapshot_remove_before(struct world *world, const char *folder, uint32_t number)
{
    struct snapshots all;
    char path[SNAPSHOT_PATH_MAX];
    snapshot_list(world, folder, &all, NULL);
    for (size_t i = 0; i < all.count; i++)
        if (all.number[i] < number && snapshot_path(path, folder, all.number[i], NULL) == 0)
            world->remove_file(world, path, NULL);
    mem_free(all.number);
}

static void remove_it(void *context, const char *path)
{
    struct world *world = context;
    world->remove_file(world, path, NULL);
}

void snapshot_remove_unfinished(struct world *world, const char *folder)
{
    each_path(world, folder, "*.tmp", remove_it, world, NULL);
}

/* ---- reading one ---- */

/* A file of which a part is in memory: as much as the next frame needs, and more where there is damage. */
struct reading {
    struct world *world;
    struct file *file;
    const struct wal_visit *visit;
    struct frame_file head;
    uint32_t number;
    uint64_t at, size; /* in the file */
    uint64_t from;     /* where in the file the part begins */
    struct buf part;
};

/* Brings `bytes` from `at` on into memory, and some more. */
static int bring(struct reading *r, uint64_t bytes, struct err *err)
{
    uint64_t left = r->size - r->at;
    bytes = bytes < left ? bytes : left;
    if (r->at >= r->from && r->at - r->from + bytes <= r->part.used)
        return 0;
    size_t wanted = bytes > WINDOW_BYTES ? bytes : left < WINDOW_BYTES ? left : WINDOW_BYTES;
    size_t got = 0;
    buf_clear(&r->part);
    r->from = r->at;
    int rc = r->world->file_read(r->world, r->file, (int64_t)r->at, buf_reserve(&r->part, wanted), wanted,
                                 &got, err);
    if (rc != 0)
        return rc;
    buf_commit(&r->part, got);
    if (got < wanted) /* somebody has cut it meanwhile */
        r->size = r->at + got;
    return 0;
}

static const char *here(const struct reading *r)
{
    return r->part.bytes + (r->at - r->from);
}

/* As much as the frame says that stands here, if that can be. */
static int bring_frame(struct reading *r, struct err *err)
{
    int rc = bring(r, FRAME_HEAD_BYTES, err);
    uint64_t left = r->size - r->at;
    if (rc != 0 || left < FRAME_HEAD_BYTES)
        return rc;
    uint64_t bytes = frame_bytes(here(r));
    bool sane = bytes <= FRAME_HEAD_BYTES + FRAME_RECORD_BYTES_MAX && bytes <= left;
    return sane ? bring(r, bytes, err) : 0;
}

static struct frame_walk walk_here(const struct reading *r)
{
    struct str bytes = {here(r), r->part.used - (r->at - r->from)};
    return (struct frame_walk){.file = r->head, .bytes = bytes, .base = r->at};
}

static void hurt(const struct reading *r, uint64_t bytes, const char *why)
{
    r->visit->damage(r->visit->context, r->number, r->at, bytes, false, why);
}

/* Where a frame is not sound, the next one is looked for in so many bytes. */
static uint64_t search_bytes(const struct reading *r)
{
    uint64_t left = r->size - r->at;
    return left < SEARCH_BYTES ? left : SEARCH_BYTES;
}

static int read_frame(struct reading *r, struct err *err)
{
    struct str record;
    uint64_t skipped = 0;
    int rc = bring_frame(r, err);
    if (rc != 0 || r->at >= r->size)
        return rc;
    struct frame_walk w = walk_here(r);
    enum frame_step step = frame_next(&w, &record, &skipped);
    if (step != FRAME_RECORD && w.bytes.n < search_bytes(r))
        return bring(r, search_bytes(r), err);
    if (step == FRAME_RECORD)
        rc = r->visit->record(r->visit->context, record);
    else
        hurt(r, step == FRAME_DAMAGE ? skipped : w.bytes.n, "a record is damaged");
    r->at += w.at;
    return rc;
}

static int read_head(struct reading *r, struct err *err)
{
    int rc = bring(r, FRAME_FILE_HEAD_BYTES, err);
    if (rc != 0)
        return rc;
    r->head = (struct frame_file){'s', r->number, r->number};
    uint64_t bytes = r->size < FRAME_FILE_HEAD_BYTES ? r->size : FRAME_FILE_HEAD_BYTES;
    if (!frame_take_file((struct str){here(r), r->part.used}, 's', &r->head))
        hurt(r, bytes, "the head of the file is damaged");
    r->at = bytes;
    return 0;
}

int snapshot_read(struct world *world, const char *folder, uint32_t number, const struct wal_visit *visit,
                  uint64_t *bytes, struct err *err)
{
    struct reading r = {.world = world, .visit = visit, .number = number};
    char path[SNAPSHOT_PATH_MAX];
    int64_t size = 0;
    int rc = snapshot_path(path, folder, number, err);
    if (rc == 0)
        rc = world->file_open(world, path, FILE_READ, &r.file, err);
    if (rc != 0)
        return rc;
    buf_init(&r.part, SEARCH_BYTES);
    rc = world->file_size(world, r.file, &size, err);
    *bytes = r.size = (uint64_t)size;
    if (rc == 0)
        rc = read_head(&r, err);
    while (rc == 0 && r.at < r.size)
        rc = read_frame(&r, err);
    world->file_close(world, r.file);
    buf_release(&r.part);
    return rc;
}

/* ---- is it sound? ---- */

struct check {
    bool ended;
    struct snapshot_hurt hurt;
};

static int check_record(void *context, struct str record)
{
    ((struct check *)context)->ended = record_is_end(record);
    return 0;
}

static void check_damage(void *context, uint32_t number, uint64_t offset, uint64_t bytes, bool torn,
                         const char *why)
{
    struct check *c = context;
    (void)number;
    (void)torn;
    if (c->hurt.why == NULL)
        c->hurt = (struct snapshot_hurt){offset, bytes, why};
}

int snapshot_check(struct world *world, const char *folder, uint32_t number, struct snapshot_hurt *out,
                   struct err *err)
{
    struct check c = {0};
    const struct wal_visit visit = {&c, check_record, check_damage};
    uint64_t bytes = 0;
    int rc = snapshot_read(world, folder, number, &visit, &bytes, err);
    if (c.hurt.why == NULL && !c.ended)
        c.hurt = (struct snapshot_hurt){bytes, 0, "the end of the file is missing"};
    *out = c.hurt;
    return rc;
}
