#include "json_plain_priv.h"
#include "tocsin/tree.h"

/* Controls have short forms where JSON knows one; the rest is \u00xx. */
static void print_control(struct buf *out, unsigned char c)
{
    static const char bytes[] = "\b\f\n\r\t", letters[] = "bfnrt";
    const char *at = c != '\0' ? strchr(bytes, c) : NULL;
    if (at != NULL)
        buf_format(out, "\\%c", letters[at - bytes]);
    else
        buf_format(out, "\\u%04x", c);
}

static bool needs_escape(int rune, bool html)
{
    if (rune < ' ' || rune == '"' || rune == '\\')
        return true;
    return html && (rune == '<' || rune == '>' || rune == '&' || rune == 0x2028 || rune == 0x2029);
}

static void print_escaped(struct buf *out, int rune)
{
    if (rune == '"' || rune == '\\')
        buf_format(out, "\\%c", rune);
    else if (rune >= 0 && rune < ' ')
        print_control(out, (unsigned char)rune);
    else
        buf_format(out, "\\u%04x", rune < 0 ? 0xFFFDu : (unsigned)rune);
}

static void print_plain(struct buf *out, struct str s)
{
    char *to = buf_reserve(out, s.n + 2);
    if (to == NULL)
        return;
    to[0] = '"';
    if (s.n > 0)
        memcpy(to + 1, s.p, s.n);
    to[s.n + 1] = '"';
    buf_commit(out, s.n + 2);
}

static void print_string(struct buf *out, struct str s, bool html)
{
    size_t plain = json_plain(s.p, s.n, html), done = 0;
    if (plain == s.n) {
        print_plain(out, s);
        return;
    }
    buf_char(out, '"');
    for (size_t i = plain; i < s.n; i += json_plain(s.p + i, s.n - i, html)) {
        int rune = 0;
        size_t n = 1;
        if (html)
            n = str_rune(s.p + i, s.n - i, &rune);
        else
            rune = (unsigned char)s.p[i];
        if (needs_escape(rune, html)) {
            buf_add(out, s.p + done, i - done);
            print_escaped(out, rune);
            done = i + n;
        }
        i += n;
    }
    if (done < s.n)
        buf_add(out, s.p + done, s.n - done);
    buf_char(out, '"');
}

void json_string(struct buf *out, struct str s)
{
    print_string(out, s, true);
}

void json_string_raw(struct buf *out, struct str s)
{
    print_string(out, s, false);
}
