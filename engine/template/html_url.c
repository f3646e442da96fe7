#include "html_priv.h"

bool html_url_is_safe(struct str url)
{
    struct str scheme = html_before(url, str_find_char(url, ':'));
    if (scheme.n == url.n || str_find_char(scheme, '/') < scheme.n)
        return true;
    return str_eq_nocase(scheme, STR("http")) || str_eq_nocase(scheme, STR("https")) ||
           str_eq_nocase(scheme, STR("mailto"));
}

static bool is_hex(char c)
{
    char low = (char)(c | 0x20);
    return (c >= '0' && c <= '9') || (low >= 'a' && low <= 'f');
}

static bool is_unreserved(char c)
{
    char low = (char)(c | 0x20);
    return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || (c != '\0' && strchr("-._~", c) != NULL);
}

/* Quotes and parentheses are encoded in any case: they would end an attribute or url(...). */
void html_url_encode(struct buf *out, struct str s, bool keep)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool mark = c != '\0' && strchr("!#$&*+,/:;=?@[]", c) != NULL;
        bool encoded = c == '%' && i + 2 < s.n && is_hex(s.p[i + 1]) && is_hex(s.p[i + 2]);
        if (is_unreserved(c) || (keep && (mark || encoded)))
            buf_char(out, c);
        else
            buf_format(out, "%%%02x", (unsigned char)c);
    }
}

/* Of what follows an image's URL: 2x, 640w and the like. */
static bool is_plain_descriptor(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char low = (char)(s.p[i] | 0x20);
        if (!html_is_space(s.p[i]) && !(low >= 'a' && low <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9'))
            return false;
    }
    return true;
}

static void add_image(struct buf *out, struct str s)
{
    size_t start = html_skip_space(s, 0), end = start;
    while (end < s.n && !html_is_space(s.p[end]))
        end++;
    struct str url = {s.p + start, end - start}, rest = {s.p + end, s.n - end};
    if (!html_url_is_safe(url) || !is_plain_descriptor(rest)) {
        buf_puts(out, "#ZgotmplZ");
        return;
    }
    buf_add(out, s.p, start);
    html_url_encode(out, url, true);
    buf_str(out, rest);
}

void html_srcset(struct buf *out, struct str s)
{
    for (;;) {
        size_t comma = str_find_char(s, ',');
        add_image(out, html_before(s, comma));
        if (comma == s.n)
            return;
        buf_char(out, ',');
        s = (struct str){s.p + comma + 1, s.n - comma - 1};
    }
}
