#include "integration_priv.h"

#include "tocsin/limits.h"

/* What neither a path nor a query needs to escape. */
static bool is_unreserved(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (c != '\0' && strchr("-_.~", c) != NULL);
}

static void escape(struct buf *out, struct str text, const char *plain)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (is_unreserved(c) || (c != '\0' && strchr(plain, c) != NULL))
            buf_char(out, (char)c);
        else
            buf_format(out, "%%%02X", c);
    }
}

struct str exchange_path(struct exchange *x, struct str text)
{
    struct buf out;
    buf_init(&out, (size_t)limits.flush_arena_bytes);
    escape(&out, text, "$&+,/:;=@");
    struct str path = exchange_format(x, "%.*s", STR_ARG(buf_slice(&out)));
    buf_release(&out);
    return path;
}

void exchange_param(struct buf *query, const char *name, struct str value)
{
    if (query->used > 0)
        buf_char(query, '&');
    escape(query, str_of(name), "");
    buf_char(query, '=');
    for (struct str rest = value; rest.p != NULL;) {
        escape(query, str_cut(&rest, ' '), "");
        if (rest.p != NULL)
            buf_char(query, '+');
    }
}

void exchange_url_query(struct exchange *x, const char *what, struct str url, const struct buf *query)
{
    if (buf_overflow(query))
        exchange_fail(x, ERR_LIMIT, "%s is too long", what);
    exchange_url(x, what, exchange_format(x, "%.*s?%.*s", STR_ARG(url), STR_ARG(buf_slice(query))));
}
