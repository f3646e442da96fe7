#include "wal_segment_priv.h"

#include "frame_priv.h"
#include "tocsin/check.h"
#include "tocsin/hash.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"

#include <stdio.h>

enum { NAME_BYTES_MAX = 32, ZEROS_BYTES = 1 << 20, FILE_BYTES_MAX = 1 << 30 };

uint64_t segment_bytes_max(void)
{
    uint64_t bytes = (uint64_t)limits.wal_segment_bytes;
    return bytes < FILE_BYTES_MAX ? bytes : FILE_BYTES_MAX;
}

/* ---- names ---- */

static void path_of(struct buf *out, const char *folder, const char *name)
{
    buf_init(out, strlen(folder) + NAME_BYTES_MAX);
    buf_format(out, "%s/%s", folder, name);
}

void segment_path(struct buf *out, const char *folder, uint32_t number)
{
    char name[16];
    snprintf(name, sizeof name, "%08u", number);
    path_of(out, folder, name);
}

static void spare_path(struct buf *out, const struct segments *s, int spare)
{
    char name[16];
    snprintf(name, sizeof name, "spare.%d", spare);
    path_of(out, s->folder, name);
}

struct found {
    uint32_t *numbers;
    size_t count, capacity;
};

static void note_number(void *context, const char *path)
{
    struct found *f = context;
    long long number;
    if (!str_to_i64(str_of(strrchr(path, '/') + 1), &number))
        return;
    MEM_GROW(f->numbers, f->count, f->capacity);
    f->numbers[f->count++] = (uint32_t)number;
}

/* The folder's own name is no pattern. */
static void pattern_of(struct buf *out, const char *folder, const char *name)
{
    buf_init(out, 2 * strlen(folder) + strlen(name) + 1);
    for (const char *p = folder; *p != '\0'; p++) {
        if (strchr("*?[\\", *p) != NULL)
            buf_char(out, '\\');
        buf_char(out, *p);
    }
    buf_format(out, "/%s", name);
}

/* By name is by number: all have eight digits. */
int segments_find(struct world *world, const char *folder, uint32_t **out, size_t *count, struct err *err)
{
    static const char DIGITS[] = "[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]";
    struct found f = {0};
    struct buf pattern;
    pattern_of(&pattern, folder, DIGITS);
    int rc = world->glob(world, buf_text(&pattern), note_number, &f, err);
    buf_release(&pattern);
    *out = f.numbers;
    *count = f.count;
    return rc;
}

/* ---- making a segment ---- */

static uint64_t new_salt(struct world *world, uint32_t number)
{
    return hash_mix(world->random(world), number);
}

static int write_head(struct segments *s, struct file *file, uint32_t number, uint64_t salt, struct err *err)
{
    struct buf head;
    buf_init(&head, FRAME_FILE_HEAD_BYTES);
    frame_put_file(&head, &(struct frame_file){'w', number, salt});
    int rc = s->world->file_write(s->world, file, 0, buf_slice(&head), err);
    buf_release(&head);
    return rc == 0 ? s->world->file_sync(s->world, file, err) : rc;
}

/* Its head is on the disk: from now on it is the log's segment of this number. */
static int give_number(struct segments *s, const char *path, uint32_t number, struct err *err)
{
    struct buf name;
    segment_path(&name, s->folder, number);
    int rc = s->world->rename_file(s->world, path, buf_text(&name), err);
    if (rc == 0) {
        rc = s->world->sync_folder(s->world, s->folder, err);
        if (rc != 0)
            s->world->remove_file(s->world, buf_text(&name), NULL);
    }
    buf_release(&name);
    return rc;
}

/* Also when it only may be there. */
static void discard(struct segments *s, struct file *file, const char *path)
{
    if (file != NULL)
        s->world->file_close(s->world, file);
    s->world->remove_file(s->world, path, NULL);
}

/* Takes a whole file that waits to be used again. False: there is none. */
static bool take_spare(struct segments *s, struct buf *path)
{
    for (int i = 0; i < SEGMENT_SPARES_MAX; i++)
        if (s->spare[i]) {
            s->spare[i] = false;
            spare_path(path, s, i);
            return true;
        }
    return false;
}

/* Now and here, because one is needed: an old one if there is one, else an empty one that grows. */
static int make_next(struct segments *s, struct file **out, uint64_t *salt, struct err *err)
{
    struct buf path;
    uint32_t number = s->number + 1;
    bool spare = take_spare(s, &path);
    if (!spare)
        path_of(&path, s->folder, "new");
    *salt = new_salt(s->world, number);
    *out = NULL;
    int rc = s->world->file_open(s->world, buf_text(&path), spare ? FILE_WRITE : FILE_CREATE, out, err);
    if (rc == 0)
        rc = write_head(s, *out, number, *salt, err);
    if (rc == 0)
        rc = give_number(s, buf_text(&path), number, err);
    if (rc != 0)
        discard(s, *out, buf_text(&path));
    buf_release(&path);
    return rc;
}

static void note_older(struct segments *s, uint32_t number, uint64_t bytes)
{
    MEM_GROW(s->older, s->older_count, s->older_capacity);
    s->older[s->older_count++] = (struct segment){number, bytes};
}

int segments_next(struct segments *s, struct err *err)
{
    struct file *file = s->ready;
    uint64_t salt = s->ready_salt;
    if (s->number >= SEGMENT_NUMBER_MAX)
        return err_set(err, ERR_LIMIT, "%s: no number is left for another segment", s->folder);
    int rc = file != NULL ? 0 : make_next(s, &file, &salt, err);
    if (rc != 0)
        return rc;
    if (s->file != NULL)
        s->world->file_close(s->world, s->file);
    if (s->at > 0)
        note_older(s, s->number, s->at);
    s->ready = NULL;
    s->file = file;
    s->salt = salt;
    s->number++;
    s->at = s->synced = FRAME_FILE_HEAD_BYTES;
    return 0;
}

void segments_give_up(struct segments *s)
{
    if (s->file != NULL)
        s->world->file_close(s->world, s->file);
    s->file = NULL;
    s->spoilt = s->number;
}

/* ---- in advance ---- */

/* In pieces, each synced, so that whoever syncs records meanwhile waits for a piece at most. */
static int fill_zeros(struct segments *s, struct file *file, struct err *err)
{
    uint64_t bytes = segment_bytes_max();
    char *zeros = mem_new(1, ZEROS_BYTES);
    int rc = 0;
    for (uint64_t at = 0; at < bytes && rc == 0; at += ZEROS_BYTES) {
        size_t n = bytes - at < ZEROS_BYTES ? (size_t)(bytes - at) : ZEROS_BYTES;
        rc = s->world->file_write(s->world, file, (int64_t)at, (struct str){zeros, n}, err);
        if (rc == 0)
            rc = s->world->file_sync(s->world, file, err);
    }
    mem_free(zeros);
    return rc;
}

/* The number that is meant to come next may be used up while the head is written: then it is written again. Returns with
 * the lock held. */
static int write_next_head(struct segments *s, struct file *file, uint32_t *number, uint64_t *salt,
                           struct err *err)
{
    int rc = 0;
    for (;;) {
        lock_take(&s->lock);
        if (rc != 0 || *number == s->number + 1)
            return rc;
        *number = s->number + 1;
        *salt = new_salt(s->world, *number);
        lock_drop(&s->lock);
        rc = write_head(s, file, *number, *salt, err);
    }
}

/* With the lock held at the end: a log that was given up meanwhile can use it when it is revived. */
static int make_ready(struct segments *s, const char *path, bool spare, struct err *err)
{
    struct file *file = NULL;
    uint32_t number = 0;
    uint64_t salt = 0;
    int rc = s->world->file_open(s->world, path, spare ? FILE_WRITE : FILE_CREATE, &file, err);
    if (rc == 0 && !spare)
        rc = fill_zeros(s, file, err);
    if (rc == 0)
        rc = write_next_head(s, file, &number, &salt, err);
    else
        lock_take(&s->lock);
    if (rc == 0)
        rc = give_number(s, path, number, err);
    if (rc != 0) {
        discard(s, file, path);
        return rc;
    }
    s->ready = file;
    s->ready_salt = salt;
    return 0;
}

int segments_prepare(struct segments *s, struct err *err)
{
    struct buf path;
    lock_take(&s->lock);
    bool wanted = s->ready == NULL && s->file != NULL && s->number < SEGMENT_NUMBER_MAX;
    bool spare = wanted && take_spare(s, &path);
    lock_drop(&s->lock);
    if (!wanted)
        return 0;
    if (!spare)
        path_of(&path, s->folder, "zeros");
    int rc = make_ready(s, buf_text(&path), spare, err);
    lock_drop(&s->lock);
    buf_release(&path);
    return rc;
}

/* ---- using them again ---- */

/* Only one of full length is worth keeping: what is cheap is writing over blocks that are there. */
static bool is_whole(struct segments *s, const char *path)
{
    struct file *file;
    int64_t bytes = 0;
    if (s->world->file_open(s->world, path, FILE_READ, &file, NULL) != 0)
        return false;
    int rc = s->world->file_size(s->world, file, &bytes, NULL);
    s->world->file_close(s->world, file);
    return rc == 0 && (uint64_t)bytes == segment_bytes_max();
}

/* A file that cannot be kept is removed; one that cannot be removed is found again by a later segments_forget. */
static void recycle(struct segments *s, const char *path)
{
    struct buf spare;
    int slot = 0;
    while (slot < SEGMENT_SPARES_MAX && s->spare[slot])
        slot++;
    if (slot < SEGMENT_SPARES_MAX && is_whole(s, path)) {
        spare_path(&spare, s, slot);
        s->spare[slot] = s->world->rename_file(s->world, path, buf_text(&spare), NULL) == 0;
        buf_release(&spare);
        if (s->spare[slot])
            return;
    }
    s->world->remove_file(s->world, path, NULL);
}

static void drop_older(struct segments *s, uint32_t before)
{
    size_t left = 0;
    for (size_t i = 0; i < s->older_count; i++)
        if (s->older[i].number >= before)
            s->older[left++] = s->older[i];
    s->older_count = left;
}

/* By what is found, not by what is known: an earlier process may have left some. */
void segments_forget(struct segments *s, uint32_t before)
{
    uint32_t *numbers, last = before < s->number ? before : s->number;
    size_t count;
    struct buf path;
    if (segments_find(s->world, s->folder, &numbers, &count, NULL) != 0)
        count = 0;
    for (size_t i = 0; i < count && numbers[i] < last; i++) {
        segment_path(&path, s->folder, numbers[i]);
        if (numbers[i] > s->spoilt)
            recycle(s, buf_text(&path));
        else
            s->world->remove_file(s->world, buf_text(&path), NULL);
        buf_release(&path);
    }
    mem_free(numbers);
    s->world->sync_folder(s->world, s->folder, NULL);
    drop_older(s, last);
}

uint64_t segments_bytes(const struct segments *s)
{
    uint64_t bytes = s->at;
    for (size_t i = 0; i < s->older_count; i++)
        bytes += s->older[i].bytes;
    return bytes;
}

/* ---- open and close ---- */

/* What an earlier process left beside its segments. */
static void adopt_spares(struct segments *s)
{
    static const char *const UNFINISHED[] = {"new", "zeros"};
    struct buf path;
    for (int i = 0; i < SEGMENT_SPARES_MAX; i++) {
        spare_path(&path, s, i);
        s->spare[i] = is_whole(s, buf_text(&path));
        if (!s->spare[i])
            s->world->remove_file(s->world, buf_text(&path), NULL);
        buf_release(&path);
    }
    for (int i = 0; i < 2; i++) {
        path_of(&path, s->folder, UNFINISHED[i]);
        s->world->remove_file(s->world, buf_text(&path), NULL);
        buf_release(&path);
    }
}

static uint64_t length_of(struct segments *s, uint32_t number)
{
    struct buf path;
    struct file *file;
    int64_t bytes = 0;
    segment_path(&path, s->folder, number);
    if (s->world->file_open(s->world, buf_text(&path), FILE_READ, &file, NULL) == 0) {
        s->world->file_size(s->world, file, &bytes, NULL);
        s->world->file_close(s->world, file);
    }
    buf_release(&path);
    return (uint64_t)bytes;
}

static int note_found(struct segments *s, uint32_t next, struct err *err)
{
    uint32_t *numbers;
    size_t count;
    int rc = segments_find(s->world, s->folder, &numbers, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (numbers[i] >= next)
            rc = err_set(err, ERR_ARG, "%s: segment %u is there already", s->folder, numbers[i]);
        else
            note_older(s, numbers[i], length_of(s, numbers[i]));
    }
    mem_free(numbers);
    return rc;
}

static int make_folder(struct segments *s, const char *parent, struct err *err)
{
    int rc = s->world->make_folder(s->world, s->folder, err);
    return rc == 0 ? s->world->sync_folder(s->world, parent, err) : rc;
}

int segments_open(struct segments *s, struct world *world, const char *folder, uint32_t next, struct err *err)
{
    struct buf path;
    must(next > 0);
    path_of(&path, folder, "wal");
    *s = (struct segments){
        .world = world, .folder = mem_copy_text(buf_text(&path), path.used), .number = next - 1};
    buf_release(&path);
    lock_init(&s->lock, LOCK_segments);
    int rc = make_folder(s, folder, err);
    if (rc == 0)
        rc = note_found(s, next, err);
    if (rc == 0) {
        adopt_spares(s);
        rc = segments_next(s, err);
    }
    if (rc != 0)
        segments_close(s);
    return rc;
}

/* What was made in advance goes back, so that a reader does not find an empty segment. */
void segments_close(struct segments *s)
{
    if (s->ready != NULL) {
        struct buf path;
        s->world->file_close(s->world, s->ready);
        segment_path(&path, s->folder, s->number + 1);
        recycle(s, buf_text(&path));
        buf_release(&path);
    }
    if (s->file != NULL)
        s->world->file_close(s->world, s->file);
    mem_free(s->older);
    mem_free(s->folder);
    lock_release(&s->lock);
}
