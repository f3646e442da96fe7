#include "template_priv.h"

#include "tocsin/gotext.h"

#include <stdio.h>

static const struct {
    const char *word;
    enum token_kind kind;
} keywords[] = {
    {"block", TOKEN_BLOCK}, {"break", TOKEN_BREAK}, {"continue", TOKEN_CONTINUE}, {"define", TOKEN_DEFINE},
    {"else", TOKEN_ELSE},   {"end", TOKEN_END},     {"false", TOKEN_BOOL},        {"if", TOKEN_IF},
    {"nil", TOKEN_NIL},     {"range", TOKEN_RANGE}, {"template", TOKEN_TEMPLATE}, {"true", TOKEN_BOOL},
    {"with", TOKEN_WITH},
};

void lexer_init(struct lexer *lx, struct arena *arena, struct str text)
{
    *lx = (struct lexer){.arena = arena, .text = text, .line = 1};
}

/* -1 at the end; an invalid byte is Go's U+FFFD. */
static int peek_rune(const struct lexer *lx, size_t *length)
{
    *length = 0;
    if (lx->pos >= lx->text.n)
        return -1;
    int rune;
    *length = str_rune(lx->text.p + lx->pos, lx->text.n - lx->pos, &rune);
    return rune < 0 ? 0xFFFD : rune;
}

static int byte_at(const struct lexer *lx, size_t pos)
{
    return pos < lx->text.n ? (unsigned char)lx->text.p[pos] : -1;
}

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool at(const struct lexer *lx, size_t pos, const char *word)
{
    return pos <= lx->text.n && str_starts((struct str){lx->text.p + pos, lx->text.n - pos}, str_of(word));
}

/* Moves on, counting the lines passed. */
static void advance(struct lexer *lx, size_t to)
{
    for (; lx->pos < to; lx->pos++)
        lx->line += lx->text.p[lx->pos] == '\n';
}

static struct token token_to(struct lexer *lx, enum token_kind kind, size_t end)
{
    struct token t = {.kind = kind, .pos = lx->pos, .line = lx->line};
    t.text = (struct str){lx->text.p + lx->pos, end - lx->pos};
    advance(lx, end);
    return t;
}

static struct token fail(struct lexer *lx, char *text)
{
    lx->failed = true;
    return (struct token){.kind = TOKEN_ERROR,
                          .pos = lx->pos,
                          .line = lx->line,
                          .text = text != NULL ? str_of(text) : STR("out of memory")};
}

#define FAIL(lx, ...) fail((lx), arena_format((lx)->arena, __VA_ARGS__))

/* Go's %#U: U+0040 '@'. */
static struct token fail_rune(struct lexer *lx, const char *what, int rune, size_t length)
{
    if (rune < 0)
        return FAIL(lx, "%s U+FFFFFFFFFFFFFFFF", what);
    if (!rune_is_printable(rune))
        return FAIL(lx, "%s U+%04X", what, (unsigned)rune);
    if (rune == 0xFFFD)
        return FAIL(lx, "%s U+FFFD '\xEF\xBF\xBD'", what);
    return FAIL(lx, "%s U+%04X '%.*s'", what, (unsigned)rune, (int)length, lx->text.p + lx->pos);
}

/* The length of a closing delimiter here with its trim marker, 0 if there is none. */
static size_t right_delimiter(const struct lexer *lx, size_t pos, bool *trim)
{
    *trim = is_blank(byte_at(lx, pos)) && at(lx, pos + 1, "-}}");
    if (*trim)
        return 4;
    return at(lx, pos, "}}") ? 2 : 0;
}

static size_t trimmed_end(struct str text, size_t from, size_t to)
{
    while (to > from && is_blank((unsigned char)text.p[to - 1]))
        to--;
    return to;
}

static void skip_blanks(struct lexer *lx)
{
    size_t pos = lx->pos;
    while (is_blank(byte_at(lx, pos)))
        pos++;
    advance(lx, pos);
}

/* A comment is swallowed whole. False with an error token if it is not closed properly. */
static bool skip_comment(struct lexer *lx, size_t start, struct token *error)
{
    size_t pos = start + 2;
    while (pos < lx->text.n && !at(lx, pos, "*/"))
        pos++;
    if (pos >= lx->text.n) {
        *error = FAIL(lx, "unclosed comment");
        return false;
    }
    bool trim;
    size_t close = right_delimiter(lx, pos + 2, &trim);
    if (close == 0) {
        *error = FAIL(lx, "comment ends before closing delimiter");
        return false;
    }
    advance(lx, pos + 2 + close);
    lx->trim_next = trim;
    return true;
}

static size_t find_left(const struct lexer *lx)
{
    size_t pos = lx->pos;
    while (pos < lx->text.n && !at(lx, pos, "{{"))
        pos++;
    return pos;
}

/* Text up to the next action, or the {{ itself; comments vanish. */
static struct token next_outside(struct lexer *lx)
{
    for (;;) {
        if (lx->trim_next)
            skip_blanks(lx);
        lx->trim_next = false;
        size_t left = find_left(lx);
        bool trim = at(lx, left, "{{-") && is_blank(byte_at(lx, left + 3));
        size_t end = trim ? trimmed_end(lx->text, lx->pos, left) : left;
        if (end > lx->pos) {
            struct token t = token_to(lx, TOKEN_TEXT, end);
            advance(lx, left);
            return t;
        }
        advance(lx, left);
        if (left >= lx->text.n)
            return token_to(lx, TOKEN_EOF, left);
        size_t after = left + (trim ? 4 : 2);
        if (!at(lx, after, "/*")) {
            struct token t = token_to(lx, TOKEN_LEFT, left + 2);
            advance(lx, after);
            lx->inside = true;
            lx->parens = 0;
            return t;
        }
        struct token error;
        if (!skip_comment(lx, after, &error))
            return error;
    }
}

/* Unicode letters beyond ASCII: everything that is not ASCII counts, but the few blanks and marks people
 * paste in. */
static bool is_word(int rune)
{
    if (rune < 0x80)
        return rune == '_' || (rune >= '0' && rune <= '9') || ((rune | 0x20) >= 'a' && (rune | 0x20) <= 'z');
    return rune != 0xFFFD && rune_is_printable(rune) && rune >= 0xAA && (rune < 0x2000 || rune > 0x2BFF);
}

static bool at_terminator(const struct lexer *lx)
{
    int c = byte_at(lx, lx->pos);
    return c < 0 || is_blank(c) || strchr(".,|:)(", c) != NULL || at(lx, lx->pos, "}}");
}

/* Moves lx->pos behind a word; newlines cannot be in it. */
static void skip_word(struct lexer *lx)
{
    size_t length;
    for (int rune = peek_rune(lx, &length); rune >= 0 && is_word(rune); rune = peek_rune(lx, &length))
        lx->pos += length;
}

static struct token word_token(struct lexer *lx, enum token_kind kind, size_t start)
{
    if (!at_terminator(lx)) {
        size_t length;
        int rune = peek_rune(lx, &length);
        return fail_rune(lx, "bad character", rune, length);
    }
    return (struct token){
        .kind = kind, .pos = start, .line = lx->line, .text = {lx->text.p + start, lx->pos - start}};
}

/* `.` or `$` alone, or with a name behind. */
static struct token next_field(struct lexer *lx, enum token_kind bare, enum token_kind named)
{
    size_t start = lx->pos++;
    if (at_terminator(lx))
        return (struct token){.kind = bare, .pos = start, .line = lx->line, .text = {lx->text.p + start, 1}};
    skip_word(lx);
    return word_token(lx, named, start);
}

static struct token next_word(struct lexer *lx)
{
    size_t start = lx->pos;
    skip_word(lx);
    struct token t = word_token(lx, TOKEN_IDENTIFIER, start);
    for (size_t i = 0; t.kind == TOKEN_IDENTIFIER && i < sizeof keywords / sizeof *keywords; i++)
        if (str_is(t.text, keywords[i].word))
            t.kind = keywords[i].kind;
    return t;
}

static size_t skip_set(const struct lexer *lx, size_t pos, const char *set)
{
    while (byte_at(lx, pos) > 0 && strchr(set, byte_at(lx, pos)) != NULL)
        pos++;
    return pos;
}

static size_t skip_one(const struct lexer *lx, size_t pos, const char *set)
{
    return byte_at(lx, pos) > 0 && strchr(set, byte_at(lx, pos)) != NULL ? pos + 1 : pos;
}

static const char decimal[] = "0123456789_";

static const char *number_digits(const struct lexer *lx, size_t *pos)
{
    if (byte_at(lx, *pos) != '0')
        return decimal;
    int base = byte_at(lx, ++*pos) | 0x20;
    if (base != 'x' && base != 'o' && base != 'b')
        return decimal;
    ++*pos;
    return base == 'x' ? "0123456789abcdefABCDEF_" : base == 'o' ? "01234567_" : "01_";
}

/* What looks like a number; whether it is one the parser finds out. */
static size_t number_end(const struct lexer *lx, size_t pos)
{
    pos = skip_one(lx, pos, "+-");
    const char *digits = number_digits(lx, &pos);
    pos = skip_set(lx, pos, digits);
    if (byte_at(lx, pos) == '.')
        pos = skip_set(lx, pos + 1, digits);
    const char *exponent = digits == decimal ? "eE" : strchr(digits, 'a') != NULL ? "pP" : "";
    size_t after = skip_one(lx, pos, exponent);
    if (after > pos)
        pos = skip_set(lx, skip_one(lx, after, "+-"), decimal);
    return skip_one(lx, pos, "i");
}

static struct token next_number(struct lexer *lx)
{
    size_t end = number_end(lx, lx->pos), start = lx->pos, length;
    bool complex = byte_at(lx, end) == '+' || byte_at(lx, end) == '-';
    if (complex) /* 1+2i, which templates have no use for */
        end = number_end(lx, end);
    lx->pos = end;
    int rune = peek_rune(lx, &length);
    lx->pos = start;
    if (!complex && (rune < 0 || !is_word(rune)))
        return token_to(lx, TOKEN_NUMBER, end);
    length = rune >= 0 && is_word(rune) ? length : 0;
    struct buf quoted;
    scratch_begin(&quoted);
    struct tval text = tval_text((struct str){lx->text.p + start, end + length - start});
    print_format(&quoted, STR("bad number syntax: %q"), &text, 1);
    struct token t = fail(lx, arena_copy_text(lx->arena, buf_text(&quoted), quoted.used));
    buf_release(&quoted);
    return t;
}

/* A "..." or '...' literal; a newline ends it, even behind a backslash. */
static struct token next_quoted(struct lexer *lx, char quote, enum token_kind kind)
{
    size_t pos = lx->pos + 1;
    for (;; pos++) {
        int c = byte_at(lx, pos);
        if (c == '\\')
            c = byte_at(lx, ++pos) == '\n' ? '\n' : byte_at(lx, pos) < 0 ? -1 : '\\';
        if (c < 0 || c == '\n')
            return FAIL(lx, quote == '"' ? "unterminated quoted string" : "unterminated character constant");
        if (c == quote)
            return token_to(lx, kind, pos + 1);
    }
}

static struct token next_raw(struct lexer *lx)
{
    size_t pos = lx->pos + 1;
    while (byte_at(lx, pos) >= 0 && byte_at(lx, pos) != '`')
        pos++;
    if (byte_at(lx, pos) < 0)
        return FAIL(lx, "unterminated raw quoted string");
    return token_to(lx, TOKEN_RAW_STRING, pos + 1);
}

static struct token next_paren(struct lexer *lx, int c)
{
    lx->parens += c == '(' ? 1 : -1;
    if (lx->parens < 0)
        return FAIL(lx, "unexpected right paren");
    return token_to(lx, c == '(' ? TOKEN_LEFT_PAREN : TOKEN_RIGHT_PAREN, lx->pos + 1);
}

static struct token next_sign(struct lexer *lx, int c)
{
    switch (c) {
    case '=':
        return token_to(lx, TOKEN_ASSIGN, lx->pos + 1);
    case ':':
        if (byte_at(lx, lx->pos + 1) != '=')
            return FAIL(lx, "expected :=");
        return token_to(lx, TOKEN_DECLARE, lx->pos + 2);
    case '|':
        return token_to(lx, TOKEN_PIPE, lx->pos + 1);
    case '"':
        return next_quoted(lx, '"', TOKEN_STRING);
    case '\'':
        return next_quoted(lx, '\'', TOKEN_CHAR_CONSTANT);
    case '`':
        return next_raw(lx);
    case '$':
        return next_field(lx, TOKEN_VARIABLE, TOKEN_VARIABLE);
    default:
        return next_paren(lx, c);
    }
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static struct token next_in_action(struct lexer *lx)
{
    size_t length;
    int rune = peek_rune(lx, &length);
    if (rune < 0)
        return FAIL(lx, "unclosed action");
    if (rune < 0x80 && rune != 0 && strchr("=:|\"'`$()", rune) != NULL)
        return next_sign(lx, rune);
    if (rune == '.' && lx->pos + 1 < lx->text.n && !is_digit(byte_at(lx, lx->pos + 1)))
        return next_field(lx, TOKEN_DOT, TOKEN_FIELD);
    if (rune == '.' || rune == '+' || rune == '-' || is_digit(rune))
        return next_number(lx);
    if (is_word(rune))
        return next_word(lx);
    if (rune > ' ' && rune < 0x7F)
        return token_to(lx, TOKEN_CHAR, lx->pos + 1);
    return fail_rune(lx, "unrecognized character in action:", rune, length);
}

static struct token next_inside(struct lexer *lx)
{
    size_t before = lx->pos;
    bool trim;
    size_t close = right_delimiter(lx, lx->pos, &trim);
    while (close == 0 && is_blank(byte_at(lx, lx->pos))) {
        advance(lx, lx->pos + 1);
        close = right_delimiter(lx, lx->pos, &trim);
    }
    struct token t;
    if (close > 0 && lx->parens > 0)
        t = FAIL(lx, "unclosed left paren");
    else if (close > 0)
        t = token_to(lx, TOKEN_RIGHT, lx->pos + close);
    else
        t = next_in_action(lx);
    if (t.kind == TOKEN_RIGHT) {
        if (trim) /* the token is the delimiter alone, as errors show it */
            t = (struct token){.kind = t.kind, .pos = t.pos + 2, .line = t.line, .text = STR("}}")};
        lx->inside = false;
        lx->trim_next = trim;
    }
    t.spaced = lx->failed ? false : t.pos > before;
    return t;
}

struct token lexer_next(struct lexer *lx)
{
    if (lx->failed)
        return (struct token){.kind = TOKEN_EOF, .pos = lx->pos, .line = lx->line};
    return lx->inside ? next_inside(lx) : next_outside(lx);
}
