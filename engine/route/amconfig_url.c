#include "amconfig_priv.h"

#include "tocsin/gotext.h"

static bool is_scheme_byte(char c, bool first)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return true;
    return !first && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.');
}

/* The text before "://" or ":", as Go's url.Parse finds it; false: it begins with a colon. */
static bool scheme_of(struct str text, struct str *scheme)
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

static void complain(struct strict *s, const struct tree *node, struct str text, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void complain(struct strict *s, const struct tree *node, struct str text, const char *format, ...)
{
    struct buf why;
    buf_init(&why, ERR_TEXT_MAX);
    buf_puts(&why, "parse ");
    go_quote(&why, text);
    buf_puts(&why, ": ");
    va_list args;
    va_start(args, format);
    buf_vformat(&why, format, args);
    va_end(args);
    strict_fail(s, node, "%s", buf_text(&why));
    buf_release(&why);
}

static bool has_control(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
            return true;
    }
    return false;
}

/* host:port without user and password; empty if there is none. */
static struct str host_of(struct str text, size_t scheme_bytes)
{
    struct str rest = {text.p + scheme_bytes + 1, text.n - scheme_bytes - 1};
    if (!str_starts(rest, STR("//")))
        return (struct str){rest.p, 0};
    struct str host = {rest.p + 2, 0};
    while (host.n < rest.n - 2 && strchr("/?#", host.p[host.n]) == NULL)
        host.n++;
    for (size_t at; (at = str_find_char(host, '@')) < host.n;)
        host = (struct str){host.p + at + 1, host.n - at - 1};
    return host;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Go's complaint about a percent sign without two hexadecimal digits. */
static bool check_escapes(struct strict *s, const struct tree *node, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '%' || (i + 2 < text.n && is_hex(text.p[i + 1]) && is_hex(text.p[i + 2])))
            continue;
        int shown = text.n - i < 3 ? (int)(text.n - i) : 3;
        complain(s, node, text, "invalid URL escape \"%.*s\"", shown, text.p + i);
        return false;
    }
    return true;
}

/* The part of host:port from the colon on; empty if there is none. */
static struct str port_of(struct str host)
{
    for (size_t i = host.n; i > 0; i--) {
        if (host.p[i - 1] == ']')
            return (struct str){host.p + i, host.n - i};
        if (host.p[i - 1] == ':')
            return (struct str){host.p + i - 1, host.n - i + 1};
    }
    return (struct str){host.p + host.n, 0};
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

static void check_host(struct strict *s, const struct tree *node, struct str text, struct str host)
{
    struct str port = port_of(host);
    if (host.p[0] == '[' && str_find_char(host, ']') == host.n) {
        complain(s, node, text, "missing ']' in host");
        return;
    }
    if (!is_port(port)) {
        complain(s, node, text, "invalid port \"%.*s\" after host", STR_ARG(port));
        return;
    }
    for (size_t i = 0; i < host.n; i++) {
        if (strchr(" ^`{|}\\", host.p[i]) != NULL) {
            complain(s, node, text, "invalid character \"%c\" in host name", host.p[i]);
            return;
        }
    }
}

bool am_check_url(struct strict *s, const struct tree *node, struct str text)
{
    struct str scheme;
    if (has_control(text))
        complain(s, node, text, "net/url: invalid control character in URL");
    else if (!scheme_of(text, &scheme))
        complain(s, node, text, "missing protocol scheme");
    else if (!str_eq_nocase(scheme, STR("http")) && !str_eq_nocase(scheme, STR("https")))
        strict_fail(s, node, "unsupported scheme \"%.*s\" for URL", STR_ARG(scheme));
    else if (host_of(text, scheme.n).n == 0)
        strict_fail(s, node, "missing host for URL");
    else if (check_escapes(s, node, text))
        check_host(s, node, text, host_of(text, scheme.n));
    return !strict_stopped(s);
}

void am_url_text(struct strict *s, const struct tree *node, void *target)
{
    size_t before = s->problem_count;
    strict_text(s, node, target);
    if (!tree_is_null(node) && s->problem_count == before)
        am_check_url(s, node, *(struct str *)target);
}

/* The API prints secrets as <secret>, and amtool reads that text again. */
void am_secret_url_text(struct strict *s, const struct tree *node, void *target)
{
    if (node->kind == TREE_SCALAR && str_is(node->text, "<secret>"))
        strict_text(s, node, target);
    else
        am_url_text(s, node, target);
}
