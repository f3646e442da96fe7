#include "reply_priv.h"

#include <string.h>

/* How the length of a body is told. */
struct framing {
    bool chunked, sized;
    uint64_t bytes;
    bool says_close, says_keep;
};

/* False: the line is not complete. Without its end, which may lack the CR. */
static bool take_line(struct str *rest, struct str *line)
{
    size_t n = str_find_char(*rest, '\n');
    if (n == rest->n)
        return false;
    *line = (struct str){rest->p, n};
    *rest = (struct str){rest->p + n + 1, rest->n - n - 1};
    if (line->n > 0 && line->p[line->n - 1] == '\r')
        line->n--;
    return true;
}

bool reply_next_header(struct str *head, struct str *name, struct str *value)
{
    struct str line;
    if (!take_line(head, &line) || line.n == 0)
        return false;
    *value = line;
    *name = str_cut(value, ':');
    *value = str_trim(*value);
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* HTTP/1.1 200 OK */
static bool read_status(struct str line, int *status, bool *old)
{
    if (line.n < 12 || !str_starts(line, STR("HTTP/1.")) || !is_digit(line.p[7]) || line.p[8] != ' ')
        return false;
    if (!is_digit(line.p[9]) || !is_digit(line.p[10]) || !is_digit(line.p[11]) ||
        (line.n > 12 && line.p[12] != ' '))
        return false;
    *status = (line.p[9] - '0') * 100 + (line.p[10] - '0') * 10 + line.p[11] - '0';
    *old = line.p[7] == '0';
    return *status >= 100;
}

static bool read_length(struct framing *f, struct str value)
{
    long long bytes;
    if (value.n == 0 || !is_digit(value.p[0]) || !str_to_i64(value, &bytes))
        return false;
    if (f->sized && f->bytes != (uint64_t)bytes)
        return false;
    f->sized = true;
    f->bytes = (uint64_t)bytes;
    return true;
}

static void read_connection(struct framing *f, struct str value)
{
    while (value.p != NULL) {
        struct str word = str_trim(str_cut(&value, ','));
        f->says_close = f->says_close || str_eq_nocase(word, STR("close"));
        f->says_keep = f->says_keep || str_eq_nocase(word, STR("keep-alive"));
    }
}

static bool read_head(struct str head, struct framing *f)
{
    struct str name, value;
    while (reply_next_header(&head, &name, &value)) {
        if (str_eq_nocase(name, STR("content-length")) && !read_length(f, value))
            return false;
        if (str_eq_nocase(name, STR("connection")))
            read_connection(f, value);
        if (!str_eq_nocase(name, STR("transfer-encoding")))
            continue;
        if (!str_eq_nocase(value, STR("chunked")))
            return false;
        f->chunked = true;
    }
    return true;
}

/* Cuts the head off, with the empty line behind it. */
static bool take_head(struct str *rest, struct str *first, struct str *head)
{
    struct str line, from;
    if (!take_line(rest, first))
        return false;
    from = *rest;
    while (take_line(rest, &line)) {
        if (line.n > 0)
            continue;
        *head = (struct str){from.p, (size_t)(rest->p - from.p)};
        return true;
    }
    return false;
}

/* False: the buffer is full, and the rest is not wanted. */
static bool keep(struct buf *body, struct str bytes)
{
    size_t room = body->max_bytes - body->used;
    buf_add(body, bytes.p, bytes.n < room ? bytes.n : room);
    return bytes.n <= room;
}

static int hex(char c)
{
    if (is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* SIZE or SIZE;EXTENSION */
static bool read_size(struct str line, uint64_t *size)
{
    size_t i = 0;
    *size = 0;
    for (; i < line.n && hex(line.p[i]) >= 0; i++) {
        if (*size >> 56 != 0)
            return false;
        *size = *size << 4 | (uint64_t)hex(line.p[i]);
    }
    struct str behind = str_trim((struct str){line.p + i, line.n - i});
    return i > 0 && (behind.n == 0 || behind.p[0] == ';');
}

static enum reply_state read_trailer(struct str *rest)
{
    struct str line;
    while (take_line(rest, &line)) {
        if (line.n == 0)
            return REPLY_WHOLE;
    }
    return REPLY_PART;
}

static enum reply_state read_chunks(struct str *rest, struct buf *body, struct reply *reply)
{
    struct str line;
    while (take_line(rest, &line)) {
        uint64_t size;
        if (!read_size(line, &size))
            return REPLY_BAD;
        if (size == 0)
            return read_trailer(rest);
        bool all = size < rest->n;
        struct str chunk = {rest->p, all ? (size_t)size : rest->n};
        if (!keep(body, chunk)) {
            reply->keeps = false;
            return REPLY_WHOLE;
        }
        *rest = (struct str){rest->p + chunk.n, rest->n - chunk.n};
        if (!all || !take_line(rest, &line))
            return REPLY_PART;
        if (line.n > 0)
            return REPLY_BAD;
    }
    return REPLY_PART;
}

static enum reply_state read_sized(struct str *rest, uint64_t bytes, struct buf *body, struct reply *reply)
{
    struct str here = {rest->p, bytes < rest->n ? (size_t)bytes : rest->n};
    bool room = keep(body, here);
    *rest = (struct str){rest->p + here.n, rest->n - here.n};
    reply->keeps = reply->keeps && room;
    return here.n == bytes || !room ? REPLY_WHOLE : REPLY_PART;
}

static enum reply_state read_body(struct str *rest, bool closed, const struct framing *f, struct buf *body,
                                  struct reply *reply)
{
    if (reply->status == 204 || reply->status == 304)
        return REPLY_WHOLE;
    if (f->chunked)
        return read_chunks(rest, body, reply);
    if (f->sized)
        return read_sized(rest, f->bytes, body, reply);
    reply->keeps = false;
    bool room = keep(body, *rest);
    return closed || !room ? REPLY_WHOLE : REPLY_PART;
}

enum reply_state reply_read(struct str bytes, bool closed, struct buf *body, struct reply *reply)
{
    struct str rest = bytes, first;
    struct framing f;
    bool old;
    do {
        *reply = (struct reply){0};
        f = (struct framing){0};
        if (!take_head(&rest, &first, &reply->head))
            return closed ? REPLY_BAD : REPLY_PART;
        if (!read_status(first, &reply->status, &old) || !read_head(reply->head, &f) || reply->status == 101)
            return REPLY_BAD;
    } while (reply->status < 200);
    buf_clear(body);
    reply->keeps = !f.says_close && (!old || f.says_keep) && !(f.chunked && f.sized);
    enum reply_state state = read_body(&rest, closed, &f, body, reply);
    if (state == REPLY_PART)
        return closed ? REPLY_BAD : REPLY_PART;
    reply->keeps = reply->keeps && rest.n == 0 && !closed;
    return state;
}
