#include "gzip_priv.h"

#include <zlib.h>

/* Level 1: the network is to be spared, but the two HTTP threads more. */
enum { LEVEL = 1, GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 8, PIECE = 64 << 10 };

/* `q=0`, `q=0.0`, ...: expressly not. */
static bool is_refused(struct str parameters)
{
    while (parameters.p != NULL) {
        struct str value = str_trim(str_cut(&parameters, ';'));
        struct str name = str_trim(str_cut(&value, '='));
        value = str_trim(value);
        size_t zeros = 0;
        while (zeros < value.n && (value.p[zeros] == '0' || value.p[zeros] == '.'))
            zeros++;
        if (str_eq_nocase(name, STR("q")) && value.n > 0 && zeros == value.n)
            return true;
    }
    return false;
}

bool gzip_accepted(struct str accept_encoding)
{
    while (accept_encoding.p != NULL) {
        struct str parameters = str_cut(&accept_encoding, ',');
        struct str name = str_trim(str_cut(&parameters, ';'));
        if (str_eq_nocase(name, STR("gzip")))
            return !is_refused(parameters);
    }
    return false;
}

static bool deflate_all(z_stream *stream, struct buf *out)
{
    int rc = Z_OK;
    while (rc == Z_OK) {
        char *room = buf_reserve(out, PIECE);
        if (room == NULL)
            return false;
        stream->next_out = (Bytef *)room;
        stream->avail_out = PIECE;
        rc = deflate(stream, Z_FINISH);
        buf_commit(out, PIECE - stream->avail_out);
    }
    return rc == Z_STREAM_END;
}

bool gzip_body(struct buf *body)
{
    z_stream stream = {.next_in = (Bytef *)body->bytes, .avail_in = (uInt)body->used};
    if (body->used > UINT32_MAX ||
        deflateInit2(&stream, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    struct buf smaller;
    buf_init(&smaller, body->used + PIECE);
    bool done = deflate_all(&stream, &smaller) && smaller.used < body->used;
    deflateEnd(&stream);
    if (!done) {
        buf_release(&smaller);
        return false;
    }
    buf_release(body);
    *body = smaller;
    return true;
}
