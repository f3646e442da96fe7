#include "frame_priv.h"

#include "tocsin/check.h"
#include "tocsin/hash.h"

#include <endian.h>

static const char MAGIC[4] = {'T', 'c', 'R', '1'};
static const char FILE_MAGIC[7] = {'t', 'o', 'c', 's', 'i', 'n', '1'};

enum { AT_LENGTH = 4, AT_PLACE = 8, AT_CHECK = 16 };      /* in a frame's head */
enum { AT_NUMBER = 8, AT_SALT = 16, AT_FILE_CHECK = 24 }; /* in a file's head */

static const uint32_t ALONG = UINT32_C(1) << 31;

/* How many times the file's bytes may be hashed in vain. Honest damage costs about once, or once for each length that
 * was hit; a file full of heads made to be believed must not cost the square of its length. */
enum { WASTE_TIMES = 64 };

static void put32(char *to, uint32_t value)
{
    value = htole32(value);
    memcpy(to, &value, sizeof value);
}

static void put64(char *to, uint64_t value)
{
    value = htole64(value);
    memcpy(to, &value, sizeof value);
}

static uint32_t take32(const char *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return le32toh(value);
}

static uint64_t take64(const char *from)
{
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return le64toh(value);
}

/* ---- the file's head ---- */

void frame_put_file(struct buf *out, const struct frame_file *file)
{
    char head[FRAME_FILE_HEAD_BYTES] = {0};
    memcpy(head, FILE_MAGIC, sizeof FILE_MAGIC);
    head[sizeof FILE_MAGIC] = file->kind;
    put32(head + AT_NUMBER, file->number);
    put64(head + AT_SALT, file->salt);
    put64(head + AT_FILE_CHECK, hash_stable(head, AT_FILE_CHECK));
    buf_add(out, head, sizeof head);
}

bool frame_take_file(struct str head, char kind, struct frame_file *file)
{
    if (head.n < FRAME_FILE_HEAD_BYTES || memcmp(head.p, FILE_MAGIC, sizeof FILE_MAGIC) != 0 ||
        head.p[sizeof FILE_MAGIC] != kind ||
        take64(head.p + AT_FILE_CHECK) != hash_stable(head.p, AT_FILE_CHECK))
        return false;
    *file = (struct frame_file){kind, take32(head.p + AT_NUMBER), take64(head.p + AT_SALT)};
    return true;
}

/* ---- one frame ---- */

/* Over the head up to the checksum and the record, which need not lie side by side. */
static uint64_t checksum(const char *head, struct str record)
{
    char all[AT_CHECK + 8];
    memcpy(all, head, AT_CHECK);
    put64(all + AT_CHECK, hash_stable(record.p, record.n));
    return hash_stable(all, sizeof all);
}

static void begin_head(char *head, uint64_t salt, uint64_t offset, uint32_t length)
{
    memcpy(head, MAGIC, sizeof MAGIC);
    put32(head + AT_LENGTH, length);
    put64(head + AT_PLACE, hash_mix(salt, offset));
}

void frame_seal(char *frame, uint64_t salt, uint64_t offset, size_t record_bytes, bool along)
{
    must(record_bytes <= FRAME_RECORD_BYTES_MAX);
    begin_head(frame, salt, offset, (uint32_t)record_bytes | (along ? ALONG : 0));
    put64(frame + AT_CHECK, checksum(frame, (struct str){frame + FRAME_HEAD_BYTES, record_bytes}));
}

void frame_put(struct buf *out, uint64_t salt, uint64_t offset, struct str record)
{
    char *to = buf_reserve(out, FRAME_HEAD_BYTES + record.n);
    if (to == NULL)
        return;
    if (record.n > 0)
        memcpy(to + FRAME_HEAD_BYTES, record.p, record.n);
    frame_seal(to, salt, offset, record.n, false);
    buf_commit(out, FRAME_HEAD_BYTES + record.n);
}

uint64_t frame_bytes(const char *head)
{
    return FRAME_HEAD_BYTES + (uint64_t)(take32(head + AT_LENGTH) & ~ALONG);
}

/* ---- finding frames ---- */

/* The record that a head at this place speaks of; false if there is no room for a head or for its record. */
static bool measure(const struct frame_walk *w, uint64_t at, struct str *record)
{
    uint64_t left = w->bytes.n - at;
    if (left < FRAME_HEAD_BYTES)
        return false;
    const char *head = w->bytes.p + at;
    *record = (struct str){head + FRAME_HEAD_BYTES, take32(head + AT_LENGTH) & ~ALONG};
    return record->n <= FRAME_RECORD_BYTES_MAX && record->n <= left - FRAME_HEAD_BYTES;
}

static bool is_placed(const struct frame_walk *w, uint64_t at)
{
    return take64(w->bytes.p + at + AT_PLACE) == hash_mix(w->file.salt, w->base + at);
}

static bool hashes_to(struct frame_walk *w, const char *head, struct str record, uint64_t sum)
{
    if (checksum(head, record) == sum)
        return true;
    w->wasted += FRAME_HEAD_BYTES + record.n;
    return false;
}

/* What is cheap is asked first: leftovers fail at their place. */
static bool is_sound(struct frame_walk *w, uint64_t at, struct str *record)
{
    if (!measure(w, at, record))
        return false;
    const char *head = w->bytes.p + at;
    return memcmp(head, MAGIC, sizeof MAGIC) == 0 && is_placed(w, at) &&
           hashes_to(w, head, *record, take64(head + AT_CHECK));
}

static bool is_wasteful(const struct frame_walk *w)
{
    return w->wasted / WASTE_TIMES > w->bytes.n;
}

/* The next sound frame from `at` on; the end of the file if there is none. */
static uint64_t find_sound(struct frame_walk *w, uint64_t at)
{
    struct str record;
    while (at < w->bytes.n && !is_wasteful(w)) {
        const char *hit = memmem(w->bytes.p + at, w->bytes.n - at, MAGIC, sizeof MAGIC);
        if (hit == NULL)
            break;
        at = (uint64_t)(hit - w->bytes.p);
        if (is_sound(w, at, &record))
            return at;
        at++;
    }
    return w->bytes.n;
}

/* Nothing sound follows: did a frame of this file stand here once? Leftovers have another place, and what is left of a
 * head of ours has the right one, unless that itself is hurt: then the rest still fits the checksum. */
static bool was_ours(struct frame_walk *w, uint64_t at)
{
    uint64_t left = w->bytes.n - at;
    if (left < AT_CHECK)
        return left > 0 && memcmp(w->bytes.p + at, MAGIC, left < sizeof MAGIC ? left : sizeof MAGIC) == 0;
    if (is_placed(w, at))
        return true;
    struct str record;
    char head[AT_CHECK];
    if (!measure(w, at, &record))
        return false;
    begin_head(head, w->file.salt, w->base + at, take32(w->bytes.p + at + AT_LENGTH));
    return hashes_to(w, head, record, take64(w->bytes.p + at + AT_CHECK));
}

static enum frame_step finish(struct frame_walk *w, uint64_t *skipped)
{
    struct str record;
    uint64_t from = w->at;
    bool gave_up = is_wasteful(w), ours = was_ours(w, from);
    w->at = w->bytes.n;
    if (!ours && !gave_up)
        return FRAME_END;
    bool whole = !gave_up && measure(w, from, &record);
    *skipped = whole ? FRAME_HEAD_BYTES + record.n : w->bytes.n - from;
    return FRAME_DAMAGE;
}

enum frame_step frame_next(struct frame_walk *w, struct str *record, uint64_t *skipped)
{
    if (w->base == 0 && w->at < FRAME_FILE_HEAD_BYTES)
        w->at = FRAME_FILE_HEAD_BYTES;
    if (w->at >= w->bytes.n)
        return FRAME_END;
    if (is_sound(w, w->at, record)) {
        w->along = (take32(w->bytes.p + w->at + AT_LENGTH) & ALONG) != 0;
        w->at += FRAME_HEAD_BYTES + record->n;
        return FRAME_RECORD;
    }
    uint64_t next = find_sound(w, w->at + 1);
    if (next == w->bytes.n)
        return finish(w, skipped);
    *skipped = next - w->at;
    w->at = next;
    return FRAME_DAMAGE;
}
