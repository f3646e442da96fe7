/*
 * frame: how a record stands in a file, so that damage is seen and what follows it is found again.
 *
 * A frame is a head of 24 bytes and the record: magic "TcR1", length (4), the file's salt mixed with the frame's
 * offset (8), and a 64-bit checksum over all of these and the record (8); little-endian. The salt (in the file's head)
 * and the offset keep what an earlier life of the file has left behind from being taken for its content.
 *
 * The highest bit of the length says that the frame goes along with the one before it: both were written before either
 * was synced. So a hole behind which all frames go along is what a power cut left of the last write, and one behind which
 * a frame stands on its own is damage to what was safe.
 */
#ifndef TOCSIN_STORE_FRAME_PRIV_H
#define TOCSIN_STORE_FRAME_PRIV_H

#include "tocsin/buf.h"

enum { FRAME_HEAD_BYTES = 24, FRAME_FILE_HEAD_BYTES = 32, FRAME_RECORD_BYTES_MAX = 64 << 20 };

/* The head of a file: magic "tocsin" with a version and a letter for the kind ('w' segment, 's' snapshot), its number,
 * salt, checksum. */
struct frame_file {
    char kind;
    uint32_t number;
    uint64_t salt;
};
void frame_put_file(struct buf *out, const struct frame_file *file);

/* False: not one of ours, or damaged. `head` may be longer than the head. */
bool frame_take_file(struct str head, char kind, struct frame_file *file);

/* Appends the framed record; `offset`: where the frame will stand in the file. */
void frame_put(struct buf *out, uint64_t salt, uint64_t offset, struct str record);

/* Fills in the head in front of a record that lies in memory with room for the head before it. */
void frame_seal(char *frame, uint64_t salt, uint64_t offset, size_t record_bytes, bool along);

/* The frames of a whole file, head included, in memory, or of a part of it that begins where a frame does. Begin with `at`
 * 0; further calls find nothing once the end came. */
struct frame_walk {
    struct frame_file file;
    struct str bytes;
    uint64_t base;   /* where in the file they begin */
    uint64_t at;     /* behind what the last step took */
    bool along;      /* of the last record: see above */
    uint64_t wasted; /* private: bytes hashed for nothing */
};
enum frame_step {
    FRAME_END,    /* no further frame: zeros, leftovers of an earlier life, or nothing */
    FRAME_RECORD, /* *record is sound */
    FRAME_DAMAGE /* `skipped` bytes are not sound, and a sound frame follows or the file ends in a frame that is cut
                     or broken */
};
enum frame_step frame_next(struct frame_walk *w, struct str *record, uint64_t *skipped);

/* Bytes of the frame, head included, whose head these are (FRAME_HEAD_BYTES of them), if it is sound. */
uint64_t frame_bytes(const char *head);

#endif
