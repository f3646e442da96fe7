#include "tocsin/dns.h"

#include "tocsin/buf.h"

#include <arpa/inet.h>

enum {
    HEADER_BYTES = 12,
    NAME_TEXT_MAX = 1024, /* 255 bytes, each perhaps as \DDD */
    POINTERS_MAX = 64,
    QUESTION_BYTES = 4,
    CLASS_IN = 1
};

/* Reads on; `broken` sticks. */
struct reader {
    struct str message;
    size_t at;
    bool broken;
};

static unsigned byte(struct reader *r)
{
    if (r->at >= r->message.n) {
        r->broken = true;
        return 0;
    }
    return (unsigned char)r->message.p[r->at++];
}

static unsigned number(struct reader *r)
{
    unsigned high = byte(r);
    return high << 8 | byte(r);
}

static void skip(struct reader *r, size_t bytes)
{
    r->broken |= bytes > r->message.n - r->at;
    r->at = r->broken ? r->message.n : r->at + bytes;
}

static void write_label(struct reader *r, size_t bytes, struct buf *out)
{
    for (size_t i = 0; i < bytes && !r->broken; i++) {
        unsigned c = byte(r);
        if (c <= ' ' || c >= 0x7f || c == '.' || c == '\\')
            buf_format(out, "\\%03u", c);
        else
            buf_char(out, (char)c);
    }
    buf_char(out, '.');
}

/* The rest of a name may stand earlier in the message; afterwards `at` is behind what stands here. */
static void read_name(struct reader *r, struct buf *out)
{
    size_t after = 0;
    buf_clear(out);
    for (int pointers = 0; !r->broken;) {
        unsigned length = byte(r);
        if (length == 0)
            break;
        if (length >= 0xc0) {
            size_t to = (length & 0x3f) << 8 | byte(r);
            after = after == 0 ? r->at : after;
            r->broken |= ++pointers > POINTERS_MAX || to >= r->message.n;
            r->at = to;
        } else if (length < 0x40) {
            write_label(r, length, out);
        } else {
            r->broken = true;
        }
    }
    r->broken |= buf_overflow(out);
    if (after > 0)
        r->at = after;
    if (out->used == 0)
        buf_char(out, '.');
}

static void read_address(struct reader *r, int family, size_t bytes, size_t given, struct buf *out)
{
    char text[INET6_ADDRSTRLEN];
    r->broken |= given != bytes || bytes > r->message.n - r->at;
    if (!r->broken && inet_ntop(family, r->message.p + r->at, text, sizeof text) != NULL)
        buf_puts(out, text);
    skip(r, bytes);
}

static uint16_t read_data(struct reader *r, enum dns_type type, size_t bytes, struct buf *name)
{
    uint16_t port = 0;
    switch (type) {
    case DNS_A:
        read_address(r, AF_INET, 4, bytes, name);
        break;
    case DNS_AAAA:
        read_address(r, AF_INET6, 16, bytes, name);
        break;
    case DNS_SRV:
        skip(r, 4); /* priority, weight */
        port = (uint16_t)number(r);
        read_name(r, name);
        break;
    case DNS_MX:
        skip(r, 2); /* preference */
        read_name(r, name);
        break;
    case DNS_NS:
        read_name(r, name);
        break;
    }
    return port;
}

/* True if it is one of those that are asked for. */
static bool read_record(struct reader *r, enum dns_type type, struct buf *name, struct dns_record *out)
{
    read_name(r, name);
    buf_clear(name);
    unsigned is = number(r), class = number(r);
    skip(r, 4); /* how long it holds: refresh_interval says that */
    size_t bytes = number(r), end = r->at + bytes;
    bool wanted = is == (unsigned)type && class == CLASS_IN;
    r->broken |= end > r->message.n;
    if (wanted && !r->broken) {
        out->port = read_data(r, type, bytes, name);
        r->broken |= r->at != end;
    }
    r->at = r->broken ? r->message.n : end;
    return wanted && !r->broken;
}

static int read_answers(struct reader *r, struct arena *arena, enum dns_type type, struct dns_record **out,
                        size_t *count)
{
    struct buf name;
    skip(r, 4); /* id and flags */
    unsigned questions = number(r), answers = number(r);
    r->at = HEADER_BYTES;
    buf_init(&name, NAME_TEXT_MAX);
    for (unsigned i = 0; i < questions && !r->broken; i++) {
        read_name(r, &name);
        skip(r, QUESTION_BYTES);
    }
    *out = ARENA_ARRAY(arena, struct dns_record, answers < DNS_RECORDS_MAX ? answers : DNS_RECORDS_MAX);
    for (unsigned i = 0; *out != NULL && i < answers && *count < DNS_RECORDS_MAX && !r->broken; i++) {
        struct dns_record record = {0};
        if (!read_record(r, type, &name, &record))
            continue;
        record.name = str_copy(arena, buf_slice(&name));
        (*out)[(*count)++] = record;
    }
    buf_release(&name);
    return arena_exhausted(arena) ? ERR_LIMIT : 0;
}

int dns_parse(struct arena *arena, struct str message, enum dns_type type, struct dns_record **out,
              size_t *count, struct err *err)
{
    struct reader r = {.message = message};
    *count = 0;
    *out = NULL;
    if (message.n < HEADER_BYTES)
        return err_set(err, ERR_CORRUPT, "the name server's answer is too short");
    int rc = read_answers(&r, arena, type, out, count);
    if (rc != 0)
        return err_set(err, rc, "the name server's answer is too large");
    return r.broken ? err_set(err, ERR_CORRUPT, "the name server's answer is broken") : 0;
}
