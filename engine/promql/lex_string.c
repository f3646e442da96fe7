#include "promql_lex_priv.h"

#include "tocsin/gotext.h"

/* Strings are only checked here, so that errors have Prometheus' words; the parser reads their value. */

enum { RUNE_TEXT_BYTES = 32 };

static int digit_value(int c)
{
    if (lex_is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

/* Go's %#U: the code point, and the rune itself if it is printable. */
static struct token fail_code_point(struct lexer *l, size_t start, const char *before, const char *after)
{
    int rune = 0xFFFD;
    size_t n = str_rune(l->text.p + l->pos, l->text.n - l->pos, &rune);
    if (rune < 0)
        return lex_fail(l, start, "%s U+FFFD '\xef\xbf\xbd'%s", before, after);
    struct buf quoted;
    buf_init(&quoted, RUNE_TEXT_BYTES);
    go_quote(&quoted, (struct str){l->text.p + l->pos, n});
    bool printable = rune == '"' || rune == '\\' || (quoted.used == n + 2 && !buf_overflow(&quoted));
    buf_release(&quoted);
    if (!printable)
        return lex_fail(l, start, "%s U+%04X%s", before, (unsigned)rune, after);
    return lex_fail(l, start, "%s U+%04X '%.*s'%s", before, (unsigned)rune, (int)n, l->text.p + l->pos,
                    after);
}

struct escape {
    size_t digits;
    int base;
    unsigned long max;
};

static bool numeric_escape(int c, struct escape *out)
{
    switch (c) {
    case 'x':
        *out = (struct escape){2, 16, 0xFF};
        return true;
    case 'u':
        *out = (struct escape){4, 16, 0x10FFFF};
        return true;
    case 'U':
        *out = (struct escape){8, 16, 0x10FFFF};
        return true;
    default:
        *out = (struct escape){3, 8, 0xFF};
        return c >= '0' && c <= '7';
    }
}

/* Past the backslash. False: the error is set. */
static bool check_escape(struct lexer *l, size_t start, int quote)
{
    int c = lex_peek(l, 0);
    if (c < 0) {
        lex_fail(l, start, "escape sequence not terminated");
        return false;
    }
    if (c == quote || (c != 0 && strchr("abfnrtv\\", c) != NULL)) {
        l->pos++;
        return true;
    }
    struct escape e;
    if (!numeric_escape(c, &e)) {
        fail_code_point(l, start, "unknown escape sequence", "");
        return false;
    }
    l->pos += e.base == 16;
    unsigned long value = 0;
    for (size_t i = 0; i < e.digits; i++, l->pos++) {
        int digit = digit_value(lex_peek(l, 0));
        if (lex_peek(l, 0) < 0) {
            lex_fail(l, start, "escape sequence not terminated");
            return false;
        }
        if (digit >= e.base) {
            fail_code_point(l, start, "illegal character", " in escape sequence");
            return false;
        }
        value = value * (unsigned long)e.base + (unsigned long)digit;
    }
    if (value <= e.max && (value < 0xD800 || value > 0xDFFF))
        return true;
    lex_fail(l, start, "escape sequence is an invalid Unicode code point");
    return false;
}

struct token lex_string(struct lexer *l)
{
    size_t start = l->pos;
    int quote = lex_peek(l, 0);
    bool raw = quote == '`';
    for (l->pos++; lex_peek(l, 0) != quote;) {
        int c = lex_peek(l, 0), rune = 0;
        if (c < 0 || (c == '\n' && !raw))
            return lex_fail(l, start, raw ? "unterminated raw string" : "unterminated quoted string");
        if (c == '\\' && !raw) {
            l->pos++;
            if (!check_escape(l, start, quote))
                return (struct token){.kind = TOKEN_BAD, .start = start};
            continue;
        }
        l->pos += str_rune(l->text.p + l->pos, l->text.n - l->pos, &rune);
        if (rune < 0)
            return lex_fail(l, start, "invalid UTF-8 rune");
    }
    l->pos++;
    return lex_emit(l, start, TOKEN_STRING);
}
