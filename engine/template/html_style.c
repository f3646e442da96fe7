#include "html_priv.h"

/* CSS is read for its strings, URLs and comments only: an apostrophe in a comment opens no string. */

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || (unsigned char)c >= 0x80;
}

/* What stands before a parenthesis is url and not the end of a longer name. */
static bool ends_in_url(struct str s)
{
    while (s.n > 0 && html_is_space(s.p[s.n - 1]))
        s.n--;
    if (s.n < 3 || !str_eq_nocase((struct str){s.p + s.n - 3, 3}, STR("url")))
        return false;
    return s.n == 3 || !is_name_byte(s.p[s.n - 4]);
}

/* Behind `url(`, which ends at i. */
static size_t open_url(struct html_context *c, struct str s, size_t i)
{
    i = html_skip_space(s, i);
    char quote = i < s.n ? s.p[i] : '\0';
    c->state = quote == '"' ? HTML_STYLE_URL_DOUBLE : quote == '\'' ? HTML_STYLE_URL_SINGLE : HTML_STYLE_URL;
    return c->state == HTML_STYLE_URL ? i : i + 1;
}

static size_t scan_plain(struct html_context *c, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char next = i + 1 < s.n ? s.p[i + 1] : '\0';
        if (s.p[i] == '(' && ends_in_url(html_before(s, i)))
            return open_url(c, s, i + 1);
        if (s.p[i] == '/' && (next == '*' || next == '/')) {
            c->state = next == '*' ? HTML_STYLE_BLOCK_COMMENT : HTML_STYLE_LINE_COMMENT;
            return i + 2;
        }
        if (s.p[i] == '"' || s.p[i] == '\'') {
            c->state = s.p[i] == '"' ? HTML_STYLE_DOUBLE : HTML_STYLE_SINGLE;
            return i + 1;
        }
    }
    return s.n;
}

static size_t scan_string(struct html_context *c, struct str s, const char *ends, struct err *err)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\') {
            if (++i == s.n) {
                err_set(err, ERR_PARSE, "unfinished escape sequence in CSS string");
                return SIZE_MAX;
            }
        } else if (s.p[i] != '\0' && strchr(ends, s.p[i]) != NULL) {
            c->state = HTML_STYLE;
            return i + 1;
        }
    }
    return s.n;
}

static size_t scan_block_comment(struct html_context *c, struct str s)
{
    for (size_t i = 0; i + 1 < s.n; i++) {
        if (s.p[i] == '*' && s.p[i + 1] == '/') {
            c->state = HTML_STYLE;
            return i + 2;
        }
    }
    return s.n;
}

/* No part of CSS, but browsers read them. */
static size_t scan_line_comment(struct html_context *c, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\n' || s.p[i] == '\f' || s.p[i] == '\r') {
            c->state = HTML_STYLE;
            return i;
        }
    }
    return s.n;
}

size_t html_style_scan(struct html_context *c, struct str s, struct err *err)
{
    switch (c->state) {
    case HTML_STYLE_DOUBLE:
    case HTML_STYLE_URL_DOUBLE:
        return scan_string(c, s, "\"", err);
    case HTML_STYLE_SINGLE:
    case HTML_STYLE_URL_SINGLE:
        return scan_string(c, s, "'", err);
    case HTML_STYLE_URL:
        return scan_string(c, s, "\t\n\f\r )", err);
    case HTML_STYLE_BLOCK_COMMENT:
        return scan_block_comment(c, s);
    case HTML_STYLE_LINE_COMMENT:
        return scan_line_comment(c, s);
    default:
        return scan_plain(c, s);
    }
}
