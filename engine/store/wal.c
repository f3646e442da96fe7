#include "wal_priv.h"

#include "frame_priv.h"
#include "tocsin/check.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "wal_segment_priv.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>

/* A buffer beyond this is given back when it was little used for so many rounds. */
enum { BUFFER_KEEP_BYTES = 16 << 10, BUFFER_IDLE_ROUNDS = 4 };

/* Records on their way, each with room for its frame's head in front, which holds its length until the frame is sealed: so they are
 * written from where they were put. */
struct room {
    struct buf buf;
    size_t most_bytes; /* used since it was made */
    int idle_rounds;
};

static const uint32_t NO_SEGMENT = UINT32_MAX;

struct wal {
    struct segments segments;
    enum store_sync sync;
    struct room taken; /* what is being written; guarded by segments.lock, as all writing is */
    bool
        syncing; /* the segment in use, without the lock; it must not be closed meanwhile. Guarded likewise */
    bool spoilt; /* while it was being synced, a write to it failed. Guarded likewise */
    pthread_cond_t synced;

    struct lock lock; /* guards all that follows; the log's own is taken after that of the segments */
    pthread_cond_t wakes;
    bool woken; /* somebody waits for what was put, or wants the log's thread to look */
    struct room filling;
    struct err why;   /* it has failed */
    uint64_t put;     /* position behind the last record */
    uint64_t written; /* position up to which commits went well */
    uint32_t gap;     /* records were lost before this segment, and no snapshot covers them yet; 0: none */
    struct wal_figures figures;

    _Atomic uint64_t durable;
    atomic_bool failed;
};

/* ---- buffers ---- */

static void room_settle(struct room *r)
{
    if (r->buf.used > r->most_bytes)
        r->most_bytes = r->buf.used;
    r->idle_rounds = r->buf.used < r->most_bytes / 4 ? r->idle_rounds + 1 : 0;
    buf_clear(&r->buf);
    if (r->most_bytes > BUFFER_KEEP_BYTES && r->idle_rounds >= BUFFER_IDLE_ROUNDS) {
        buf_release(&r->buf);
        r->most_bytes = 0;
        r->idle_rounds = 0;
    }
}

static uint32_t record_bytes(const char *frame)
{
    uint32_t bytes;
    memcpy(&bytes, frame, sizeof bytes);
    return bytes;
}

static void add_record(struct buf *b, struct str record)
{
    char *frame = buf_reserve(b, FRAME_HEAD_BYTES + record.n);
    uint32_t bytes = (uint32_t)record.n;
    memcpy(frame, &bytes, sizeof bytes);
    if (record.n > 0)
        memcpy(frame + FRAME_HEAD_BYTES, record.p, record.n);
    buf_commit(b, FRAME_HEAD_BYTES + record.n);
}

/* ---- putting ---- */

static bool has_room(const struct wal *wal, size_t bytes)
{
    const struct buf *b = &wal->filling.buf;
    return bytes <= FRAME_RECORD_BYTES_MAX && b->max_bytes - b->used >= FRAME_HEAD_BYTES + bytes;
}

/* With the lock held. What waits is dropped: nobody may be told that it is safe, and memory must not grow. */
static void stop_taking(struct wal *wal, const struct err *why)
{
    wal->why = *why;
    wal->gap = NO_SEGMENT;
    wal->figures.failures++;
    room_settle(&wal->filling);
    atomic_store(&wal->failed, true);
}

/* What is left out here may be what later records refer to, so a full buffer is a failure like any other. */
static void overflow(struct wal *wal)
{
    struct err why;
    err_set(&why, ERR_FULL, "more than %lld bytes wait to be written to the log",
            (long long)limits.wal_buffer_bytes);
    stop_taking(wal, &why);
    limit_hit(LIMIT_wal_buffer_bytes);
}

uint64_t wal_put(struct wal *wal, struct str record)
{
    uint64_t position = 0;
    lock_take(&wal->lock);
    if (wal->why.code == 0 && !has_room(wal, record.n)) {
        overflow(wal);
    } else if (wal->why.code == 0) {
        add_record(&wal->filling.buf, record);
        position = wal->put += FRAME_HEAD_BYTES + record.n;
        wal->figures.records++;
        wal->figures.bytes += record.n;
    }
    lock_drop(&wal->lock);
    return position;
}

uint64_t wal_position(struct wal *wal)
{
    lock_take(&wal->lock);
    uint64_t position = wal->why.code == 0 ? wal->put : 0;
    lock_drop(&wal->lock);
    return position;
}

/* ---- failure ---- */

/* At once, so that no commit takes what comes behind the gap for durable. A segment that is being synced is given up by who syncs
 * it: anybody else would find the one that came after it. */
static int fail(struct wal *wal, const struct err *why)
{
    wal->spoilt = wal->syncing;
    if (!wal->syncing)
        segments_give_up(&wal->segments);
    lock_take(&wal->lock);
    stop_taking(wal, why);
    lock_drop(&wal->lock);
    return why->code;
}

static int why_failed(struct wal *wal, struct err *err)
{
    lock_take(&wal->lock);
    int code = wal->why.code;
    if (code != 0 && err != NULL)
        *err = wal->why;
    lock_drop(&wal->lock);
    return code;
}

bool wal_has_failed(const struct wal *wal)
{
    return atomic_load(&wal->failed);
}

/* ---- writing; the lock of the segments is held ---- */

/* With the log's lock: behind a gap nothing counts, as what it means may stand in the gap. */
static void publish(struct wal *wal)
{
    if (wal->gap == 0)
        atomic_store(&wal->durable, wal->written);
    const struct segments *s = &wal->segments;
    wal->figures.held_bytes = segments_bytes(s);
    wal->figures.first = s->older_count > 0 ? s->older[0].number : s->number;
    wal->figures.last = s->number;
}

/* Frames what of the records from `from` on fits into the segment; returns its bytes. A frame that fits into none has one
 * of its own. */
static size_t seal_run(struct wal *wal, size_t from)
{
    const struct segments *s = &wal->segments;
    const struct buf *b = &wal->taken.buf;
    uint64_t offset = s->at, end = segment_bytes_max();
    bool behind_unsynced = s->at > s->synced;
    size_t at = from;
    while (at < b->used) {
        char *frame = b->bytes + at;
        size_t bytes = record_bytes(frame), whole = FRAME_HEAD_BYTES + bytes;
        if (offset > FRAME_FILE_HEAD_BYTES && offset + whole > end)
            break;
        frame_seal(frame, s->salt, offset, bytes, behind_unsynced || at > from);
        offset += whole;
        at += whole;
    }
    return at - from;
}

/* What a round has cost. */
struct syncs {
    uint64_t count;
    int64_t took_ns;
};

static int sync_file(struct wal *wal, struct syncs *syncs, struct err *err)
{
    struct world *world = wal->segments.world;
    int64_t began_ns = world->mono_ns(world);
    int rc = world->file_sync(world, wal->segments.file, err);
    syncs->took_ns += world->mono_ns(world) - began_ns;
    syncs->count++;
    return rc;
}

static int write_run(struct wal *wal, struct str frames, struct err *err)
{
    struct segments *s = &wal->segments;
    int rc = s->world->file_write(s->world, s->file, (int64_t)s->at, frames, err);
    if (rc == 0)
        s->at += frames.n;
    return rc;
}

/* Nobody comes back to a segment: it is synced before it is left. */
static int leave_segment(struct wal *wal, struct syncs *syncs, struct err *err)
{
    struct segments *s = &wal->segments;
    int rc = 0;
    if (wal->sync == STORE_SYNC_GROUP && s->at > s->synced)
        rc = sync_file(wal, syncs, err);
    return rc == 0 ? segments_next(s, err) : rc;
}

static int write_taken(struct wal *wal, struct syncs *syncs, struct err *err)
{
    const struct buf *b = &wal->taken.buf;
    int rc = 0;
    for (size_t at = 0; at < b->used && rc == 0;) {
        size_t bytes = seal_run(wal, at);
        if (bytes == 0) {
            rc = leave_segment(wal, syncs, err);
            continue;
        }
        rc = write_run(wal, (struct str){b->bytes + at, bytes}, err);
        at += bytes;
    }
    room_settle(&wal->taken);
    return rc;
}

static void await_sync(struct wal *wal)
{
    while (wal->syncing)
        must(pthread_cond_wait(&wal->synced, &wal->segments.lock.mutex) == 0);
}

/* Syncs what is written by now. The lock is not held meanwhile, so that nobody who only writes waits for the disk. */
static int sync_written(struct wal *wal, struct syncs *syncs, struct err *err)
{
    struct segments *s = &wal->segments;
    uint64_t upto = s->at;
    int rc = 0;
    if (wal->sync == STORE_SYNC_GROUP && upto > s->synced) {
        wal->syncing = true;
        lock_drop(&s->lock);
        rc = sync_file(wal, syncs, err);
        lock_take(&s->lock);
        wal->syncing = false;
        if (wal->spoilt)
            segments_give_up(s);
        wal->spoilt = false;
        pthread_cond_broadcast(&wal->synced);
    }
    if (rc == 0)
        s->synced = upto;
    return rc;
}

/* Takes what was put; *end: the position behind it. False, and nothing is taken: another segment may be needed, and the one
 * in use is being synced. */
static bool take(struct wal *wal, uint64_t *end)
{
    const struct segments *s = &wal->segments;
    lock_take(&wal->lock);
    bool can = !wal->syncing || s->at + wal->filling.buf.used <= segment_bytes_max();
    if (can) {
        struct room taken = wal->filling;
        wal->filling = wal->taken;
        wal->taken = taken;
        *end = wal->put;
    }
    lock_drop(&wal->lock);
    return can;
}

static void count_syncs(struct wal *wal, const struct syncs *syncs)
{
    lock_take(&wal->lock);
    wal->figures.syncs += syncs->count;
    wal->figures.sync_ns += syncs->took_ns;
    lock_drop(&wal->lock);
}

static int commit(struct wal *wal, struct err *err)
{
    struct err why = {0};
    struct syncs syncs = {0};
    uint64_t end = 0;
    await_sync(wal);
    int rc = why_failed(wal, err);
    if (rc != 0)
        return rc;
    must(take(wal, &end));
    rc = write_taken(wal, &syncs, &why);
    if (rc == 0)
        rc = sync_written(wal, &syncs, &why);
    count_syncs(wal, &syncs);
    if (rc != 0) {
        if (err != NULL)
            *err = why;
        return fail(wal, &why);
    }
    if (wal->segments.file == NULL) /* spoilt during the sync: nothing may go on from here */
        return why_failed(wal, err);
    lock_take(&wal->lock);
    wal->written = end;
    publish(wal);
    lock_drop(&wal->lock);
    return 0;
}

void wal_write(struct wal *wal)
{
    struct err why = {0};
    struct syncs syncs = {0};
    uint64_t end = 0;
    int rc = 0;
    lock_take(&wal->segments.lock);
    while (!take(wal, &end))
        await_sync(wal);
    if (wal->segments.file != NULL)
        rc = write_taken(wal, &syncs, &why);
    else
        room_settle(&wal->taken); /* given up: nobody was told that it is safe */
    count_syncs(wal, &syncs);
    if (rc != 0)
        fail(wal, &why);
    lock_drop(&wal->segments.lock);
}

/* ---- the log's thread ---- */

static int64_t real_ns(void)
{
    struct world *real = world_real();
    return real->mono_ns(real);
}

/* With the lock held. */
static void wait_until_woken(struct wal *wal, int64_t wait_ms)
{
    int64_t until = real_ns() + wait_ms * NS_PER_MS;
    struct timespec end = {.tv_sec = (time_t)(until / NS_PER_S), .tv_nsec = (long)(until % NS_PER_S)};
    int rc = 0;
    while (!wal->woken && rc == 0)
        rc = pthread_cond_timedwait(&wal->wakes, &wal->lock.mutex, &end);
    must(rc == 0 || rc == ETIMEDOUT);
    wal->woken = false;
}

/* Whoever wakes it is served at once: what others put during the sync shares the next one, and to wait for them before it costs
 * more than it saves (a thread that sleeps for a millisecond uses as much CPU as half a sync). */
int wal_commit(struct wal *wal, int64_t wait_ms, struct err *err)
{
    if (wait_ms > 0) {
        lock_take(&wal->lock);
        wait_until_woken(wal, wait_ms);
        lock_drop(&wal->lock);
    }
    lock_take(&wal->segments.lock);
    int rc = commit(wal, err);
    lock_drop(&wal->segments.lock);
    return rc;
}

void wal_wake(struct wal *wal)
{
    lock_take(&wal->lock);
    wal->woken = true;
    lock_drop(&wal->lock);
    pthread_cond_signal(&wal->wakes); /* without the lock: who wakes would only wait for it */
}

uint64_t wal_durable(const struct wal *wal)
{
    return atomic_load(&wal->durable);
}

/* ---- segments ---- */

/* With the lock of the segments held. While the commit syncs others may write: that is synced as well. */
static int go_over(struct wal *wal, struct err *err)
{
    struct err why = {0};
    struct syncs syncs = {0};
    int rc = commit(wal, err);
    if (rc != 0 || wal->segments.at == FRAME_FILE_HEAD_BYTES)
        return rc;
    rc = leave_segment(wal, &syncs, &why);
    count_syncs(wal, &syncs);
    if (rc == 0) {
        lock_take(&wal->lock);
        publish(wal);
        lock_drop(&wal->lock);
        return 0;
    }
    if (err != NULL)
        *err = why;
    return fail(wal, &why);
}

uint32_t wal_rotate(struct wal *wal, struct err *err)
{
    lock_take(&wal->segments.lock);
    int rc = go_over(wal, err);
    uint32_t number = wal->segments.number;
    lock_drop(&wal->segments.lock);
    wal_wake(wal); /* its thread has to tell those who wait, and did not see this */
    return rc == 0 ? number : 0;
}

int wal_spare(struct wal *wal, struct err *err)
{
    return segments_prepare(&wal->segments, err);
}

void wal_forget(struct wal *wal, uint32_t before)
{
    lock_take(&wal->segments.lock);
    segments_forget(&wal->segments, before);
    lock_take(&wal->lock);
    if (before >= wal->gap)
        wal->gap = 0;
    publish(wal);
    lock_drop(&wal->lock);
    lock_drop(&wal->segments.lock);
}

int wal_revive(struct wal *wal, uint32_t *segment, struct err *err)
{
    must(wal_has_failed(wal));
    lock_take(&wal->segments.lock);
    await_sync(wal);
    int rc = segments_next(&wal->segments, err);
    if (rc == 0) {
        lock_take(&wal->lock);
        *segment = wal->gap = wal->segments.number;
        wal->written = wal->put;
        wal->why.code = 0;
        atomic_store(&wal->failed, false);
        publish(wal);
        lock_drop(&wal->lock);
    }
    lock_drop(&wal->segments.lock);
    return rc;
}

void wal_figures(struct wal *wal, struct wal_figures *out)
{
    lock_take(&wal->lock);
    *out = wal->figures;
    lock_drop(&wal->lock);
}

/* ---- open and close ---- */

static void init_wakes(pthread_cond_t *wakes)
{
    pthread_condattr_t monotonic;
    must(pthread_condattr_init(&monotonic) == 0);
    must(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(wakes, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
}

int wal_open(struct world *world, const char *folder, enum store_sync sync, uint32_t next, struct wal **out,
             struct err *err)
{
    struct wal *wal = MEM_NEW(struct wal);
    int rc = segments_open(&wal->segments, world, folder, next, err);
    if (rc != 0) {
        mem_free(wal);
        return rc;
    }
    wal->sync = sync;
    buf_init(&wal->filling.buf, (size_t)limits.wal_buffer_bytes);
    buf_init(&wal->taken.buf, (size_t)limits.wal_buffer_bytes);
    lock_init(&wal->lock, LOCK_log);
    init_wakes(&wal->wakes);
    must(pthread_cond_init(&wal->synced, NULL) == 0);
    publish(wal);
    *out = wal;
    return 0;
}

void wal_close(struct wal *wal)
{
    wal_commit(wal, 0, NULL);
    segments_close(&wal->segments);
    buf_release(&wal->filling.buf);
    buf_release(&wal->taken.buf);
    must(pthread_cond_destroy(&wal->wakes) == 0);
    must(pthread_cond_destroy(&wal->synced) == 0);
    lock_release(&wal->lock);
    mem_free(wal);
}
