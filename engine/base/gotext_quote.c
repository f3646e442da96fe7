#include "gotext_priv.h"
#include "tocsin/gotext.h"

static const char simple_letters[] = "abfnrtv";
static const char simple_bytes[] = "\a\b\f\n\r\t\v";

static void quote_rune(struct buf *out, int rune, const char *bytes, size_t n)
{
    const char *simple = rune > 0 && rune < 0x80 ? strchr(simple_bytes, rune) : NULL;
    if (rune == '"' || rune == '\\')
        buf_format(out, "\\%c", rune);
    else if (simple != NULL)
        buf_format(out, "\\%c", simple_letters[simple - simple_bytes]);
    else if (rune < 0)
        buf_format(out, "\\x%02x", (unsigned char)bytes[0]);
    else if (rune_is_printable(rune))
        buf_add(out, bytes, n);
    else if (rune < ' ' || rune == 0x7F)
        buf_format(out, "\\x%02x", (unsigned)rune);
    else
        buf_format(out, rune < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)rune);
}

void go_quote(struct buf *out, struct str s)
{
    buf_char(out, '"');
    for (size_t i = 0; i < s.n;) {
        int rune;
        size_t n = str_rune(s.p + i, s.n - i, &rune);
        quote_rune(out, rune, s.p + i, n);
        i += n;
    }
    buf_char(out, '"');
}

size_t rune_encode(int rune, char *to)
{
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t n = rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; rune >>= 6)
        to[i] = (char)(0x80 | (rune & 0x3F));
    to[0] = (char)(lead[n] | rune);
    return n;
}

static void add_rune(struct buf *out, int rune)
{
    char bytes[4];
    buf_add(out, bytes, rune_encode(rune, bytes));
}

static int digit_of(char c, unsigned base)
{
    unsigned v = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                 : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                        : 99;
    return v < base ? (int)v : -1;
}

static bool read_digits(struct str s, size_t count, unsigned base, unsigned *value)
{
    *value = 0;
    if (s.n < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        int digit = digit_of(s.p[i], base);
        if (digit < 0)
            return false;
        *value = *value * base + (unsigned)digit;
    }
    return true;
}

/* \xHH and \OOO are bytes, \u and \U are runes. `s` starts behind the backslash; returns what it takes, 0:
 * bad. */
static size_t unquote_numeric(struct buf *out, struct str s)
{
    char kind = s.p[0];
    bool octal = kind >= '0' && kind <= '7';
    size_t from = octal ? 0 : 1;
    size_t count = octal ? 3 : kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
    unsigned value;
    if (count == 0 || !read_digits((struct str){s.p + from, s.n - from}, count, octal ? 8 : 16, &value))
        return 0;
    if (kind == 'u' || kind == 'U') {
        if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
            return 0;
        add_rune(out, (int)value);
        return from + count;
    }
    if (value > 0xFF)
        return 0;
    buf_char(out, (char)value);
    return from + count;
}

static size_t unquote_escape(struct buf *out, struct str s, char quote)
{
    if (s.n == 0)
        return 0;
    const char *simple = s.p[0] != '\0' ? strchr(simple_letters, s.p[0]) : NULL;
    if (simple != NULL)
        buf_char(out, simple_bytes[simple - simple_letters]);
    else if (s.p[0] == '\\' || s.p[0] == quote)
        buf_char(out, s.p[0]);
    else
        return unquote_numeric(out, s);
    return 1;
}

/* One byte, rune or escape at s; returns what it takes, 0: bad. */
static size_t unquote_one(struct buf *out, struct str s, char quote)
{
    if (s.p[0] == quote || s.p[0] == '\n')
        return 0;
    if (s.p[0] == '\\') {
        size_t taken = unquote_escape(out, (struct str){s.p + 1, s.n - 1}, quote);
        return taken > 0 ? taken + 1 : 0;
    }
    int rune;
    size_t n = str_rune(s.p, s.n, &rune);
    if (rune < 0)
        add_rune(out, 0xFFFD);
    else
        buf_add(out, s.p, n);
    return n;
}

bool go_unquote(struct str literal, struct buf *out)
{
    if (literal.n < 2 || literal.p[0] != literal.p[literal.n - 1])
        return false;
    char quote = literal.p[0];
    struct str s = {literal.p + 1, literal.n - 2};
    if (quote == '`') {
        buf_str(out, s);
        return str_find_char(s, '`') == s.n;
    }
    if (quote != '"' && quote != '\'')
        return false;
    while (s.n > 0) {
        size_t taken = unquote_one(out, s, quote);
        if (taken == 0)
            return false;
        s.p += taken;
        s.n -= taken;
    }
    return true;
}
