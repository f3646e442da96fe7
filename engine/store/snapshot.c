/* Writing a snapshot. */
#include "snapshot_priv.h"

#include "frame_priv.h"
#include "record_priv.h"
#include "spine_priv.h"

#include <stdio.h>

enum {
    RECORD_BYTES = 1 << 20, /* about what one record holds */
    SYNC_BYTES = 8 << 20,   /* synced in between, so that the log's own syncs need not wait for all of it */
    STRETCH_BYTES_MAX = 1 << 30, /* of wide samples, copied; a few kilobytes in most cases */
    LABELS_MAX = UINT8_MAX
};

struct writing {
    struct store *store;
    struct world *world;
    struct file *file;
    struct record record;
    struct buf frame;
    struct arena arena;
    uint64_t salt, at, synced_at;
    int64_t begun_ms;
    struct snapshot_size size;
    /* Where the walk goes on: at this series, behind upto_ms if some of it is written (`turn` says of which). */
    series_ref ref;
    bool inside;
    uint16_t turn;
    int64_t upto_ms;
};

/* ---- the file ---- */

static int put(struct writing *w, struct err *err)
{
    int rc = buf_overflow(&w->frame)
                 ? err_set(err, ERR_LIMIT, "a record is too long")
                 : w->world->file_write(w->world, w->file, (int64_t)w->at, buf_slice(&w->frame), err);
    if (rc != 0)
        return rc;
    w->at += w->frame.used;
    buf_clear(&w->frame);
    if (w->at - w->synced_at < SYNC_BYTES)
        return 0;
    w->synced_at = w->at;
    return w->world->file_sync(w->world, w->file, err);
}

static int put_head(struct writing *w, uint32_t number, struct err *err)
{
    frame_put_file(&w->frame, &(struct frame_file){'s', number, w->salt});
    return put(w, err);
}

static int put_record(struct writing *w, struct err *err)
{
    if (buf_overflow(&w->record.bytes))
        return err_set(err, ERR_LIMIT, "a sample is too long for a snapshot");
    if (record_is_empty(&w->record))
        return 0;
    frame_put(&w->frame, w->salt, w->at, buf_slice(&w->record.bytes));
    record_clear(&w->record);
    return put(w, err);
}

/* ---- one series; its locks are held ---- */

static bool is_full(const struct writing *w)
{
    return w->record.bytes.used >= RECORD_BYTES || buf_overflow(&w->record.bytes);
}

static void put_labels(struct writing *w, struct series_id id, const struct series *series)
{
    struct label labels[LABELS_MAX];
    store_series_labels(w->store, series, labels);
    record_series(&w->record, id, labels, series->pair_count);
    w->size.series++;
}

/* The samples behind upto_ms and up to `last_ms`, one by one. */
static int put_samples(struct writing *w, struct series_id id, const struct ring *r, int64_t last_ms)
{
    struct sample *samples;
    size_t count;
    int rc = ring_read(r, w->upto_ms, last_ms, &w->arena, &samples, &count);
    for (size_t i = 0; rc == 0 && i < count && !is_full(w); i++) {
        record_sample(&w->record, id, &samples[i]);
        w->upto_ms = samples[i].t_ms;
        w->size.samples++;
    }
    arena_clear(&w->arena);
    return rc;
}

static int put_stretch(struct writing *w, struct series_id id, const struct ring *r, const struct sealed *s)
{
    if (s->newest_ms <= w->upto_ms)
        return 0;
    if (sealed_is_wide(s) || s->oldest_ms <= w->upto_ms)
        return put_samples(w, id, r, s->newest_ms);
    record_sealed(&w->record, id, s);
    w->upto_ms = s->newest_ms;
    w->size.samples += s->count;
    return 0;
}

static int put_ring(struct writing *w, struct series_id id, const struct ring *r)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < spine_count(r) && !is_full(w); i++)
        rc = put_stretch(w, id, r, &r->spine->item[i]);
    if (rc == 0 && !ring_empty(r) && !is_full(w))
        rc = put_samples(w, id, r, INT64_MAX);
    return rc;
}

static bool is_done(const struct writing *w, const struct ring *r)
{
    return !is_full(w) || ring_empty(r) || w->upto_ms >= ring_newest_ms(r);
}

static int put_series(struct writing *w, series_ref ref)
{
    const struct series *series = series_at(&w->store->series, ref);
    struct series_id id = {ref, series->turn};
    bool goes_on = w->inside && w->turn == id.turn;
    w->inside = false;
    if (series->state != SERIES_LIVING)
        return 0;
    if (!goes_on) {
        w->upto_ms = INT64_MIN;
        put_labels(w, id, series);
    }
    int rc = put_ring(w, id, &series->ring);
    w->inside = !is_done(w, &series->ring);
    w->turn = id.turn;
    return rc;
}

/* ---- all series ---- */

/* The rest of a run of neighbours under their lock, or as much as a record takes. */
static int put_run(struct writing *w, bool *more)
{
    struct store *s = w->store;
    struct lock *shard = shard_of(s, w->ref);
    int rc = 0;
    rwlock_read(&s->index);
    series_ref end = (w->ref / SHARD_RUN + 1) * SHARD_RUN;
    end = end < s->series.next ? end : s->series.next;
    lock_take(shard);
    for (series_ref ref = w->ref; rc == 0 && ref < end && !is_full(w); ref++) {
        rc = put_series(w, ref);
        w->ref = w->inside ? ref : ref + 1;
    }
    lock_drop(shard);
    *more = w->ref < s->series.next;
    rwlock_drop(&s->index);
    return rc;
}

static int put_all(struct writing *w, struct err *err)
{
    int rc = 0;
    for (bool more = true; rc == 0 && more;) {
        if (put_run(w, &more) != 0)
            rc = err_set(err, ERR_LIMIT, "no memory for the histograms of a series");
        if (rc == 0 && (is_full(w) || !more))
            rc = put_record(w, err);
    }
    if (rc != 0)
        return rc;
    record_end(&w->record, w->size.series, w->size.samples, w->begun_ms);
    return put_record(w, err);
}

static int write_file(struct writing *w, const char *path, uint32_t number, struct err *err)
{
    int rc = w->world->file_open(w->world, path, FILE_CREATE, &w->file, err);
    if (rc != 0)
        return rc;
    rc = put_head(w, number, err);
    if (rc == 0)
        rc = put_all(w, err);
    if (rc == 0)
        rc = w->world->file_sync(w->world, w->file, err);
    w->world->file_close(w->world, w->file);
    w->size.bytes = w->at;
    return rc;
}

static int write_named(struct writing *w, const char *folder, uint32_t number, struct err *err)
{
    char path[SNAPSHOT_PATH_MAX], unfinished[SNAPSHOT_PATH_MAX + sizeof ".tmp"];
    int rc = snapshot_path(path, folder, number, err);
    if (rc != 0)
        return rc;
    snprintf(unfinished, sizeof unfinished, "%s.tmp", path);
    rc = write_file(w, unfinished, number, err);
    if (rc == 0)
        rc = w->world->rename_file(w->world, unfinished, path, err);
    if (rc != 0) {
        w->world->remove_file(w->world, unfinished, NULL);
        return rc;
    }
    rc = w->world->sync_folder(w->world, folder, err);
    if (rc != 0) /* it may or may not survive: what it would replace stays, so either is right */
        w->world->remove_file(w->world, path, NULL);
    return rc;
}

int snapshot_write(struct store *s, const char *folder, uint32_t number, struct snapshot_size *out,
                   struct err *err)
{
    struct writing w = {
        .store = s, .world = s->world, .salt = number, .begun_ms = world_now_ms(s->world), .ref = 1};
    record_init(&w.record, FRAME_RECORD_BYTES_MAX);
    buf_init(&w.frame, FRAME_RECORD_BYTES_MAX + FRAME_HEAD_BYTES);
    arena_init(&w.arena, STRETCH_BYTES_MAX);
    int rc = write_named(&w, folder, number, err);
    *out = w.size;
    record_release(&w.record);
    buf_release(&w.frame);
    arena_release(&w.arena);
    return rc;
}
