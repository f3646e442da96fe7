#include "promql_lex_priv.h"

#include "tocsin/gotext.h"

#include <stdarg.h>

enum { QUOTED_BYTES = 256 };

void lex_init(struct lexer *l, struct str text)
{
    *l = (struct lexer){.text = text};
}

int lex_peek(const struct lexer *l, size_t ahead)
{
    return ahead < l->text.n - l->pos ? (unsigned char)l->text.p[l->pos + ahead] : -1;
}

bool lex_is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool lex_is_digit(int c)
{
    return c >= '0' && c <= '9';
}

struct token lex_emit(const struct lexer *l, size_t start, enum token_kind kind)
{
    return (struct token){.kind = kind, .start = start, .text = {l->text.p + start, l->pos - start}};
}

struct token lex_fail(struct lexer *l, size_t start, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err_vset(&l->error, ERR_PARSE, format, args);
    va_end(args);
    l->error_start = start;
    return (struct token){.kind = TOKEN_BAD, .start = start};
}

/* Go's %q of a rune: the end of the text and bad bytes are both the replacement character. */
static void quote_rune(struct buf *out, const struct lexer *l, size_t at)
{
    int rune = -1;
    size_t n = at < l->text.n ? str_rune(l->text.p + at, l->text.n - at, &rune) : 0;
    struct str text = rune >= 0 ? (struct str){l->text.p + at, n} : STR("\xef\xbf\xbd");
    if (rune == '\'') {
        buf_puts(out, "'\\''");
        return;
    }
    if (rune == '"') {
        buf_puts(out, "'\"'");
        return;
    }
    size_t start = out->used;
    go_quote(out, text);
    if (!buf_overflow(out))
        out->bytes[start] = out->bytes[out->used - 1] = '\'';
}

struct token lex_fail_rune(struct lexer *l, size_t start, size_t at, const char *what, const char *tail)
{
    struct buf quoted;
    buf_init(&quoted, QUOTED_BYTES);
    quote_rune(&quoted, l, at);
    struct token t = lex_fail(l, start, "%s: %s%s", what, buf_text(&quoted), tail);
    buf_release(&quoted);
    return t;
}

void lex_skip_space(struct lexer *l)
{
    for (;; l->pos++) {
        int c = lex_peek(l, 0);
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return;
    }
}

static void skip_space_and_comments(struct lexer *l)
{
    lex_skip_space(l);
    while (lex_peek(l, 0) == '#') {
        while (lex_peek(l, 0) >= 0 && lex_peek(l, 0) != '\n')
            l->pos++;
        lex_skip_space(l);
    }
}

static struct token take(struct lexer *l, size_t length, enum token_kind kind)
{
    size_t start = l->pos;
    l->pos += length;
    return lex_emit(l, start, kind);
}

static struct token take_op(struct lexer *l, size_t length, enum promql_op op)
{
    struct token t = take(l, length, TOKEN_OP);
    t.value = (int)op;
    return t;
}

static struct token lex_paren(struct lexer *l)
{
    if (lex_peek(l, 0) == '(') {
        l->parens++;
        return take(l, 1, TOKEN_LEFT_PAREN);
    }
    if (l->parens == 0)
        return lex_fail(l, l->pos + 1, "unexpected right parenthesis ')'");
    l->parens--;
    return take(l, 1, TOKEN_RIGHT_PAREN);
}

static struct token lex_bracket(struct lexer *l)
{
    bool opens = lex_peek(l, 0) == '[';
    if (opens == l->brackets)
        return lex_fail(l, l->pos, "unexpected %s bracket '%c'", opens ? "left" : "right", opens ? '[' : ']');
    l->brackets = opens;
    l->before_number = opens;
    l->colon = false;
    return take(l, 1, opens ? TOKEN_LEFT_BRACKET : TOKEN_RIGHT_BRACKET);
}

/* The signs that mean the same in brackets and outside. TOKEN_BAD without an error: none of them. */
static struct token lex_common(struct lexer *l)
{
    switch (lex_peek(l, 0)) {
    case '+':
        return take_op(l, 1, OP_ADD);
    case '-':
        return take_op(l, 1, OP_SUB);
    case '*':
        return take_op(l, 1, OP_MUL);
    case '/':
        return take_op(l, 1, OP_DIV);
    case '%':
        return take_op(l, 1, OP_MOD);
    case '^':
        return take_op(l, 1, OP_POW);
    case ',':
        return take(l, 1, TOKEN_COMMA);
    case '(':
    case ')':
        return lex_paren(l);
    default:
        return (struct token){.kind = TOKEN_BAD};
    }
}

static struct token lex_compare(struct lexer *l)
{
    int c = lex_peek(l, 0), next = lex_peek(l, 1);
    switch (c) {
    case '=':
        if (next == '~')
            return lex_fail_rune(l, l->pos, l->pos + 1, "unexpected character after '='", "");
        return next == '=' ? take_op(l, 2, OP_EQ) : take(l, 1, TOKEN_ASSIGN);
    case '!':
        if (next != '=')
            return lex_fail_rune(l, l->pos, l->pos + 1, "unexpected character after '!'", "");
        return take_op(l, 2, OP_NE);
    case '<':
        return next == '='   ? take_op(l, 2, OP_LE)
               : next == '/' ? take_op(l, 2, OP_TRIM_UPPER)
                             : take_op(l, 1, OP_LT);
    default:
        return next == '='   ? take_op(l, 2, OP_GE)
               : next == '/' ? take_op(l, 2, OP_TRIM_LOWER)
                             : take_op(l, 1, OP_GT);
    }
}

static struct token lex_colon(struct lexer *l)
{
    if (l->colon)
        return lex_fail(l, l->pos, "unexpected colon ':'");
    l->colon = true;
    return take(l, 1, TOKEN_COLON);
}

static struct token lex_letter(struct lexer *l)
{
    if (!l->brackets)
        return lex_word(l);
    struct token t = lex_duration_word(l);
    if (t.kind == TOKEN_BAD)
        return lex_fail_rune(l, l->pos, l->pos, "unexpected character", ", expected ':'");
    return t;
}

static struct token lex_end(struct lexer *l)
{
    if (l->parens > 0)
        return lex_fail(l, l->pos, "unclosed left parenthesis");
    if (l->brackets)
        return lex_fail(l, l->pos, "unclosed left bracket");
    return lex_emit(l, l->pos, TOKEN_END);
}

static struct token lex_statement(struct lexer *l)
{
    skip_space_and_comments(l);
    int c = lex_peek(l, 0);
    if (c < 0)
        return lex_end(l);
    if (lex_is_digit(c) || (c == '.' && lex_is_digit(lex_peek(l, 1))))
        return lex_number(l);
    if (c == ':' && l->brackets)
        return lex_colon(l);
    if (lex_is_letter(c) || c == ':')
        return lex_letter(l);
    switch (c) {
    case '=':
    case '!':
    case '<':
    case '>':
        return lex_compare(l);
    case '"':
    case '\'':
    case '`':
        return lex_string(l);
    case '{':
        l->braces = true;
        return take(l, 1, TOKEN_LEFT_BRACE);
    case '[':
    case ']':
        return lex_bracket(l);
    case '@':
        return take(l, 1, TOKEN_AT);
    default:
        break;
    }
    struct token t = lex_common(l);
    if (t.kind == TOKEN_BAD && l->error.code == 0)
        return lex_fail_rune(l, l->pos, l->pos, "unexpected character", "");
    return t;
}

/* Prometheus asks whether any brackets of the text had a number, so m[step():1m] alone is refused. */
static struct token lex_early_colon(struct lexer *l)
{
    if (!l->number_seen)
        return lex_fail(l, l->pos + 1, "unexpected colon before duration in duration expression");
    if (l->colon)
        return lex_fail(l, l->pos + 1, "unexpected repeated colon in duration expression");
    return lex_colon(l);
}

struct token lex_before_number(struct lexer *l)
{
    lex_skip_space(l);
    int c = lex_peek(l, 0);
    if (c < 0)
        return lex_fail(l, l->pos, "unexpected end of input in duration expression");
    if (c == ':')
        return lex_early_colon(l);
    if (c == ']')
        return lex_bracket(l);
    if (lex_is_digit(c) || (c == '.' && lex_is_digit(lex_peek(l, 1)))) {
        l->before_number = false;
        l->number_seen = true;
        return lex_number(l);
    }
    struct token t = lex_is_letter(c) ? lex_duration_word(l) : lex_common(l);
    if (t.kind == TOKEN_BAD && l->error.code == 0)
        return lex_fail_rune(l, l->pos, l->pos, "unexpected character in duration expression", "");
    return t;
}

static struct token lex_equal_in_braces(struct lexer *l)
{
    bool regex = lex_peek(l, 1) == '~';
    return take(l, regex ? 2 : 1, regex ? TOKEN_REGEX : TOKEN_ASSIGN);
}

static struct token lex_not_in_braces(struct lexer *l)
{
    if (lex_peek(l, 1) == '~')
        return take(l, 2, TOKEN_NOT_REGEX);
    if (lex_peek(l, 1) == '=')
        return take_op(l, 2, OP_NE);
    return lex_fail_rune(l, l->pos, l->pos + 1, "unexpected character after '!' inside braces", "");
}

static struct token lex_label_name(struct lexer *l)
{
    size_t start = l->pos;
    while (lex_is_letter(lex_peek(l, 0)) || lex_is_digit(lex_peek(l, 0)))
        l->pos++;
    return lex_emit(l, start, TOKEN_IDENTIFIER);
}

struct token lex_braces(struct lexer *l)
{
    skip_space_and_comments(l);
    int c = lex_peek(l, 0);
    if (c < 0)
        return lex_fail(l, l->pos, "unexpected end of input inside braces");
    if (lex_is_letter(c))
        return lex_label_name(l);
    switch (c) {
    case ',':
        return take(l, 1, TOKEN_COMMA);
    case '"':
    case '\'':
    case '`':
        return lex_string(l);
    case '=':
        return lex_equal_in_braces(l);
    case '!':
        return lex_not_in_braces(l);
    case '{':
        return lex_fail(l, l->pos, "unexpected left brace '{'");
    case '}':
        l->braces = false;
        return take(l, 1, TOKEN_RIGHT_BRACE);
    default:
        return lex_fail_rune(l, l->pos, l->pos, "unexpected character inside braces", "");
    }
}

struct token lex_next(struct lexer *l)
{
    if (l->braces)
        return lex_braces(l);
    return l->before_number ? lex_before_number(l) : lex_statement(l);
}
