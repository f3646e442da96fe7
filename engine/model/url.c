#include "tocsin/url.h"

#include "tocsin/gotext.h"

#include <ctype.h>

static bool has_control(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
            return true;
    }
    return false;
}

static bool is_scheme_byte(char c, bool first)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return true;
    return !first && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.');
}

/* The text before ":", as Go's url.Parse finds it; false: it begins with a colon. */
static bool find_scheme(struct str text, struct str *scheme)
{
    *scheme = (struct str){text.p, 0};
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == ':') {
            scheme->n = i;
            return i > 0;
        }
        if (!is_scheme_byte(text.p[i], i == 0))
            return true;
    }
    return true;
}

static struct str from(struct str text, size_t at)
{
    return (struct str){text.p + at, text.n - at};
}

static void find_authority(struct str text, struct url *out)
{
    struct str rest = out->scheme.n > 0 ? from(text, out->scheme.n + 1) : text;
    out->authority = (struct str){rest.p, 0};
    if (!str_starts(rest, STR("//")))
        return;
    rest = from(rest, 2);
    struct str all = {rest.p, 0};
    while (all.n < rest.n && strchr("/?#", rest.p[all.n]) == NULL)
        all.n++;
    out->authority = all;
    for (size_t at; (at = str_find_char(out->authority, '@')) < out->authority.n;)
        out->authority = from(out->authority, at + 1);
    if (out->authority.n < all.n)
        out->user = (struct str){all.p, all.n - out->authority.n - 1};
}

/* Also of a text that is no URL otherwise. */
void url_print_redacted(struct buf *out, struct str text)
{
    struct url url = {0};
    (void)find_scheme(text, &url.scheme);
    find_authority(text, &url);
    size_t colon = str_find_char(url.user, ':');
    if (colon == url.user.n) {
        buf_str(out, text);
        return;
    }
    size_t user = (size_t)(url.user.p - text.p);
    buf_add(out, text.p, user + colon + 1);
    buf_puts(out, "xxxxx");
    buf_str(out, from(text, user + url.user.n));
}

static int complain(struct str text, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int complain(struct str text, struct err *err, const char *format, ...)
{
    struct buf why, shown;
    buf_init(&why, ERR_TEXT_MAX);
    buf_init(&shown, text.n + 16);
    url_print_redacted(&shown, text);
    buf_puts(&why, "parse ");
    go_quote(&why, buf_slice(&shown));
    buf_puts(&why, ": ");
    buf_release(&shown);
    va_list args;
    va_start(args, format);
    buf_vformat(&why, format, args);
    va_end(args);
    int rc = err_set(err, ERR_PARSE, "%s", buf_text(&why));
    buf_release(&why);
    return rc;
}

/* The part of HOST:PORT from the colon on; empty if there is none. */
static struct str find_port(struct str authority)
{
    for (size_t i = authority.n; i > 0; i--) {
        if (authority.p[i - 1] == ']')
            return from(authority, i);
        if (authority.p[i - 1] == ':')
            return from(authority, i - 1);
    }
    return from(authority, authority.n);
}

static bool is_port(struct str port)
{
    if (port.n > 0 && port.p[0] != ':')
        return false;
    for (size_t i = 1; i < port.n; i++) {
        if (port.p[i] < '0' || port.p[i] > '9')
            return false;
    }
    return true;
}

static int split_authority(struct str text, struct url *out, struct err *err)
{
    struct str port = find_port(out->authority);
    out->host = (struct str){out->authority.p, out->authority.n - port.n};
    if (out->host.n > 0 && out->host.p[0] == '[') {
        if (str_find_char(out->host, ']') == out->host.n)
            return complain(text, err, "missing ']' in host");
        out->host = (struct str){out->host.p + 1, str_find_char(out->host, ']') - 1};
    }
    if (!is_port(port))
        return complain(text, err, "invalid port \"%.*s\" after host", STR_ARG(port));
    if (port.n > 0)
        out->port = from(port, 1);
    for (size_t i = 0; i < out->authority.n; i++)
        if (strchr(" ^`{|}\\", out->authority.p[i]) != NULL)
            return complain(text, err, "invalid character \"%c\" in host name", out->authority.p[i]);
    return 0;
}

/* A query is taken as it is. */
static size_t skip_query(struct str text, size_t at)
{
    while (at < text.n && text.p[at] != '#')
        at++;
    return at;
}

/* A percent sign without two hexadecimal digits. */
static int check_escapes(struct str text, struct err *err)
{
    bool in_fragment = false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '?' && !in_fragment)
            i = skip_query(text, i);
        in_fragment |= i < text.n && text.p[i] == '#';
        if (i >= text.n || text.p[i] != '%')
            continue;
        if (i + 2 < text.n && isxdigit((unsigned char)text.p[i + 1]) &&
            isxdigit((unsigned char)text.p[i + 2]))
            continue;
        int shown = text.n - i < 3 ? (int)(text.n - i) : 3;
        return complain(text, err, "invalid URL escape \"%.*s\"", shown, text.p + i);
    }
    return 0;
}

int url_parse(struct str text, struct url *out, struct err *err)
{
    *out = (struct url){0};
    if (has_control(text))
        return complain(text, err, "net/url: invalid control character in URL");
    if (!find_scheme(text, &out->scheme))
        return complain(text, err, "missing protocol scheme");
    find_authority(text, out);
    int rc = check_escapes(text, err);
    return rc == 0 ? split_authority(text, out, err) : rc;
}
