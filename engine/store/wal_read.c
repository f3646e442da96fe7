#include "frame_priv.h"
#include "tocsin/mem.h"
#include "wal_priv.h"
#include "wal_segment_priv.h"

#include <stdio.h>

/* A segment is read into memory as a whole; none that was written here is longer. */
enum { READ_BYTES_MAX = (1 << 30) + FRAME_RECORD_BYTES_MAX };

struct reader {
    struct world *world;
    char *folder;
    const struct wal_visit *visit;
    struct buf file;
};

static char *log_folder(const char *folder)
{
    struct buf path;
    buf_init(&path, strlen(folder) + 8);
    buf_format(&path, "%s/wal", folder);
    char *copy = mem_copy_text(buf_text(&path), path.used);
    buf_release(&path);
    return copy;
}

int wal_list(struct world *world, const char *folder, uint32_t first, struct wal_range *out, struct err *err)
{
    char *inside = log_folder(folder);
    uint32_t *numbers;
    size_t count, skipped = 0;
    int rc = segments_find(world, inside, &numbers, &count, err);
    while (rc == 0 && skipped < count && numbers[skipped] < first)
        skipped++;
    *out = (struct wal_range){.first = 1, .last = 0};
    if (rc == 0 && skipped < count)
        *out = (struct wal_range){numbers[skipped], numbers[count - 1]};
    mem_free(numbers);
    mem_free(inside);
    return rc;
}

/* ---- one segment ---- */

static void damage(const struct reader *r, uint32_t number, uint64_t offset, uint64_t bytes, bool torn,
                   const char *why)
{
    r->visit->damage(r->visit->context, number, offset, bytes, torn, why);
}

/* Behind the last frame that stands on its own there is only what was written with it, and was not synced when it was
 * hurt: whatever is wrong there was never acknowledged. */
static uint64_t find_last_write(struct frame_walk w)
{
    struct str record;
    uint64_t skipped, last = 0;
    enum frame_step step;
    while ((step = frame_next(&w, &record, &skipped)) != FRAME_END)
        if (step == FRAME_RECORD && !w.along)
            last = w.at;
    return last;
}

static int visit_frames(const struct reader *r, uint32_t number, struct frame_walk w)
{
    struct str record;
    uint64_t skipped, last = find_last_write(w);
    enum frame_step step;
    int rc = 0;
    uint64_t at = FRAME_FILE_HEAD_BYTES;
    while (rc == 0 && (step = frame_next(&w, &record, &skipped)) != FRAME_END) {
        if (step == FRAME_RECORD)
            rc = r->visit->record(r->visit->context, record);
        else if (at >= last)
            damage(r, number, at, skipped, true, "a record was cut while it was written");
        else
            damage(r, number, at, skipped, false, "no sound record");
        at = w.at;
    }
    return rc;
}

static int read_content(struct reader *r, const char *path, int64_t *bytes, struct err *err)
{
    struct file *file;
    int rc = r->world->file_open(r->world, path, FILE_READ, &file, err);
    if (rc != 0)
        return rc;
    size_t got = 0;
    rc = r->world->file_size(r->world, file, bytes, err);
    if (rc == 0 && *bytes <= READ_BYTES_MAX) {
        char *to = buf_reserve(&r->file, (size_t)*bytes);
        rc = r->world->file_read(r->world, file, 0, to, (size_t)*bytes, &got, err);
        buf_commit(&r->file, got);
    }
    r->world->file_close(r->world, file);
    return rc;
}

static int read_segment(struct reader *r, uint32_t number, struct err *err)
{
    struct buf path;
    int64_t bytes = 0;
    buf_clear(&r->file);
    segment_path(&path, r->folder, number);
    int rc = read_content(r, buf_text(&path), &bytes, err);
    buf_release(&path);
    if (rc != 0)
        return ERR_IO;
    struct frame_walk w = {.bytes = buf_slice(&r->file)};
    if (bytes > READ_BYTES_MAX)
        damage(r, number, 0, (uint64_t)bytes, false, "the file is longer than any segment");
    else if (!frame_take_file(w.bytes, 'w', &w.file) || w.file.number != number)
        damage(r, number, 0, (uint64_t)bytes, false, "the head of the file is not sound");
    else
        return visit_frames(r, number, w);
    return 0;
}

/* ---- all ---- */

static void note_missing(const struct reader *r, uint32_t first, uint32_t end)
{
    char why[64];
    if (end - first == 1)
        snprintf(why, sizeof why, "the segment is missing");
    else
        snprintf(why, sizeof why, "segments up to %u are missing", end - 1);
    damage(r, first, 0, 0, false, why);
}

static int read_range(struct reader *r, const struct wal_range *range, const uint32_t *numbers, size_t count,
                      struct err *err)
{
    uint32_t next = range->first;
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        if (numbers[i] < range->first || numbers[i] > range->last)
            continue;
        if (numbers[i] > next)
            note_missing(r, next, numbers[i]);
        rc = read_segment(r, numbers[i], err);
        next = numbers[i] + 1;
    }
    if (rc == 0 && next <= range->last)
        note_missing(r, next, range->last + 1);
    return rc;
}

int wal_read(struct world *world, const char *folder, const struct wal_range *range,
             const struct wal_visit *visit, struct err *err)
{
    struct reader r = {.world = world, .folder = log_folder(folder), .visit = visit};
    uint32_t *numbers;
    size_t count;
    buf_init(&r.file, READ_BYTES_MAX);
    int rc = segments_find(world, r.folder, &numbers, &count, err) == 0 ? 0 : ERR_IO;
    if (rc == 0)
        rc = read_range(&r, range, numbers, count, err);
    mem_free(numbers);
    mem_free(r.folder);
    buf_release(&r.file);
    return rc;
}
