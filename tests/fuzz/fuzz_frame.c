/* A file put together from the input: records, heads that lie, leftovers, zeros, cuts, flipped bytes. What was not touched
 * is found, in order; nothing else is taken for a record; the cost stays in proportion to the file. */
#include "../../engine/store/frame_priv.h"

#include "tocsin/check.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint64_t SALT = 0x0123456789abcdefu;

enum { FILE_BYTES_MAX = 1 << 20, PIECES_MAX = 4096 };

struct piece {
    size_t from, bytes; /* a frame as it was put */
};

static struct piece pieces[PIECES_MAX];
static size_t piece_count;

/* Frames the record that is made for a place. */
static void make(struct buf *out, uint64_t salt, size_t from, size_t bytes)
{
    char *record = malloc(bytes + 1);
    memset(record, 'a' + (int)(from % 26), bytes);
    frame_put(out, salt, from, (struct str){record, bytes});
    free(record);
}

static void add_record(struct buf *file, uint64_t salt, size_t bytes)
{
    size_t from = file->used;
    make(file, salt, from, bytes);
    if (salt == SALT && !buf_overflow(file))
        pieces[piece_count++] = (struct piece){from, file->used - from};
}

static void cut(struct buf *file, size_t bytes)
{
    if (file->used <= FRAME_FILE_HEAD_BYTES + bytes)
        return;
    buf_truncate(file, file->used - bytes);
    while (piece_count > 0 && pieces[piece_count - 1].from >= file->used)
        piece_count--;
}

/* Keeps the pieces that are as they were put: also those of which a part was lost and came back by chance, with the first
 * bytes of the next one, which then does not count. */
static void sift(struct str file)
{
    struct buf again;
    size_t whole = 0, end = 0;
    buf_init(&again, FILE_BYTES_MAX);
    for (size_t i = 0; i < piece_count; i++) {
        struct piece p = pieces[i];
        buf_clear(&again);
        make(&again, SALT, p.from, p.bytes - FRAME_HEAD_BYTES);
        if (p.from < end || p.from + p.bytes > file.n || memcmp(again.bytes, file.p + p.from, p.bytes) != 0)
            continue;
        pieces[whole++] = p;
        end = p.from + p.bytes;
    }
    piece_count = whole;
    buf_release(&again);
}

/* Magic and place are right, the length is any. */
static void add_lie(struct buf *file, uint32_t length)
{
    char head[FRAME_HEAD_BYTES];
    frame_seal(head, SALT, file->used, 0, false);
    memcpy(head + 4, &length, sizeof length);
    head[16] = (char)~head[16];
    buf_add(file, head, sizeof head);
}

static void act(struct buf *file, uint8_t verb, uint8_t much)
{
    size_t at = (size_t)much * file->used / 256;
    switch (verb % 8) {
    case 0:
        add_record(file, SALT, much);
        break;
    case 1:
        add_record(file, SALT, (size_t)much * 64);
        break;
    case 2:
        add_record(file, SALT + 1, much);
        break;
    case 3:
        add_lie(file, (uint32_t)much << (verb >> 3));
        break;
    case 4:
        buf_repeat(file, '\0', much);
        break;
    case 5:
        buf_puts(file, "TcR1");
        break;
    case 6:
        cut(file, much);
        break;
    default:
        if (at >= FRAME_FILE_HEAD_BYTES)
            file->bytes[at] = (char)(file->bytes[at] ^ (verb >> 3 | 1));
    }
}

/* Each record is the next piece that is whole; a file that wastes time on purpose may be given up. */
static void walk(struct str bytes)
{
    struct frame_walk w = {.bytes = bytes, .file = {'w', 1, SALT}};
    struct str record;
    uint64_t skipped = 0, before = FRAME_FILE_HEAD_BYTES;
    enum frame_step step;
    size_t next = 0;
    while ((step = frame_next(&w, &record, &skipped)) != FRAME_END) {
        must(w.at > before && w.at <= bytes.n);
        must(step == FRAME_RECORD || (skipped > 0 && skipped <= w.at - before));
        before = w.at;
        if (step == FRAME_RECORD) {
            must(next < piece_count && bytes.p + pieces[next].from + FRAME_HEAD_BYTES == record.p);
            must(pieces[next++].bytes == record.n + FRAME_HEAD_BYTES);
        }
    }
    must(next == piece_count || w.wasted > 64 * (uint64_t)bytes.n);
    must(w.wasted <= 67 * (uint64_t)bytes.n + 64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame_file head;
    struct buf file;
    piece_count = 0;
    frame_take_file((struct str){(const char *)data, size}, 'w', &head);
    buf_init(&file, FILE_BYTES_MAX);
    frame_put_file(&file, &(struct frame_file){'w', 1, SALT});
    for (size_t i = 0; i + 1 < size && !buf_overflow(&file) && piece_count < PIECES_MAX; i += 2)
        act(&file, data[i], data[i + 1]);
    char *exact = malloc(file.used); /* of its own, so that a step beyond it is seen */
    memcpy(exact, file.bytes, file.used);
    sift((struct str){exact, file.used});
    walk((struct str){exact, file.used});
    free(exact);
    buf_release(&file);
    return 0;
}
