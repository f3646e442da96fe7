#include "gotext_priv.h"
#include "json_plain_priv.h"
#include "tocsin/gotext.h"
#include "tocsin/limits.h"
#include "tree_priv.h"

#include <stdio.h>

/* Written by hand rather than over a library, because every node carries its place and its source text. */
struct reader {
    const char *start, *p, *end;
    int line;
    const char *line_start;
    struct arena *arena;
    struct err *err;
};

static int read_value(struct reader *r, int depth, struct tree **node);

/* ---- errors ------------------------------------------------------------------------------------------- */

static int column(const struct reader *r)
{
    return (int)(r->p - r->line_start) + 1;
}

/* Go's wording: the character that does not fit, and where the parser stood. */
static int refuse_char(struct reader *r, unsigned char c, const char *where)
{
    char bytes[4];
    struct buf shown;
    buf_init(&shown, 64);
    if (c == '\'')
        buf_puts(&shown, "\"\\'\"");
    else if (c == '"')
        buf_puts(&shown, "\"\"\"");
    else
        go_quote(&shown, (struct str){bytes, rune_encode(c, bytes)}); /* Go takes the byte for a rune */
    err_at(r->err, ERR_PARSE, r->line, column(r), "invalid character '%.*s' %s",
           STR_ARG(((struct str){shown.bytes + 1, shown.used - 2})), where);
    buf_release(&shown);
    return ERR_PARSE;
}

static int refuse(struct reader *r, const char *where)
{
    if (r->p == r->end)
        return err_at(r->err, ERR_PARSE, r->line, column(r), "unexpected end of JSON input");
    return refuse_char(r, (unsigned char)*r->p, where);
}

/* Inside a number, a word or an escape Go reads the end of the text as a space. */
static int refuse_inside(struct reader *r, const char *where)
{
    return refuse_char(r, r->p < r->end ? (unsigned char)*r->p : ' ', where);
}

static int out_of_arena(struct reader *r)
{
    return err_at(r->err, ERR_LIMIT, r->line, column(r), "JSON body needs too much memory");
}

/* ---- pieces ------------------------------------------------------------------------------------------- */

static void skip_more_space(struct reader *r)
{
    for (; r->p < r->end; r->p++) {
        if (*r->p == '\n') {
            r->line++;
            r->line_start = r->p + 1;
        } else if (*r->p != ' ' && *r->p != '\t' && *r->p != '\r') {
            return;
        }
    }
}

static inline void skip_space(struct reader *r)
{
    if (r->p < r->end && *r->p <= ' ')
        skip_more_space(r);
}

static bool take(struct reader *r, char c)
{
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

static bool is_digit(const struct reader *r)
{
    return r->p < r->end && *r->p >= '0' && *r->p <= '9';
}

static void skip_digits(struct reader *r)
{
    while (is_digit(r))
        r->p++;
}

static int read_number(struct reader *r)
{
    take(r, '-');
    if (!is_digit(r))
        return refuse_inside(r, "in numeric literal");
    if (!take(r, '0'))
        skip_digits(r);
    if (take(r, '.')) {
        if (!is_digit(r))
            return refuse_inside(r, "after decimal point in numeric literal");
        skip_digits(r);
    }
    if (take(r, 'e') || take(r, 'E')) {
        if (!take(r, '+'))
            take(r, '-');
        if (!is_digit(r))
            return refuse_inside(r, "in exponent of numeric literal");
        skip_digits(r);
    }
    return 0;
}

static int read_word(struct reader *r, const char *word)
{
    for (const char *w = word; *w != '\0'; w++) {
        if (take(r, *w))
            continue;
        char where[64];
        snprintf(where, sizeof where, "in literal %s (expecting '%c')", word, *w);
        return refuse_inside(r, where);
    }
    return 0;
}

/* ---- strings ------------------------------------------------------------------------------------------ */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int check_escape(struct reader *r)
{
    r->p++; /* the backslash */
    if (r->p == r->end || *r->p == '\0' || strchr("\"\\/bfnrtu", *r->p) == NULL)
        return refuse_inside(r, "in string escape code");
    if (*r->p++ != 'u')
        return 0;
    for (int i = 0; i < 4; i++, r->p++)
        if (r->p == r->end || hex_digit(*r->p) < 0)
            return refuse_inside(r, "in \\u hexadecimal character escape");
    return 0;
}

/* Finds the closing quote and checks what is before it. */
static int scan_string(struct reader *r)
{
    while (r->p < r->end && *r->p != '"') {
        if ((unsigned char)*r->p < 0x20)
            return refuse(r, "in string literal");
        int rc = 0;
        if (*r->p == '\\')
            rc = check_escape(r);
        else
            r->p++;
        if (rc != 0)
            return rc;
    }
    return r->p < r->end ? 0 : refuse(r, "in string literal");
}

static int hex4(const char *p)
{
    return hex_digit(p[0]) << 12 | hex_digit(p[1]) << 8 | hex_digit(p[2]) << 4 | hex_digit(p[3]);
}

/* The rune of \uXXXX at *p, which moves behind it, or behind both halves of a pair. A lone half is U+FFFD. */
static int take_unicode(const char **p, const char *end)
{
    int rune = hex4(*p + 2);
    *p += 6;
    if (rune < 0xD800 || rune > 0xDFFF)
        return rune;
    if (rune > 0xDBFF || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
        return 0xFFFD;
    int low = hex4(*p + 2);
    if (low < 0xDC00 || low > 0xDFFF)
        return 0xFFFD;
    *p += 6;
    return 0x10000 + ((rune - 0xD800) << 10) + (low - 0xDC00);
}

static char *unescape_one(const char **p, const char *end, char *to)
{
    static const char letters[] = "bfnrt", bytes[] = "\b\f\n\r\t";
    if ((*p)[1] == 'u')
        return to + rune_encode(take_unicode(p, end), to);
    char c = (*p)[1];
    const char *letter = strchr(letters, c);
    *to = letter != NULL ? bytes[letter - letters] : c;
    *p += 2;
    return to + 1;
}

/* Decodes checked text. An invalid byte becomes U+FFFD, which is three bytes: the room is 3 for each. */
static size_t decode(const char *p, const char *end, char *to)
{
    char *start = to;
    while (p < end) {
        if (*p == '\\') {
            to = unescape_one(&p, end, to);
            continue;
        }
        int rune;
        size_t n = str_rune(p, (size_t)(end - p), &rune);
        if (rune < 0)
            to += rune_encode(0xFFFD, to);
        else
            to = (char *)memcpy(to, p, n) + n;
        p += n;
    }
    return (size_t)(to - start);
}

static int read_string(struct reader *r, struct tree *node)
{
    r->p++;
    const char *from = r->p;
    r->p += json_plain(from, (size_t)(r->end - from), false);
    bool ascii = r->p < r->end && *r->p == '"';
    int rc = ascii ? 0 : scan_string(r);
    if (rc != 0)
        return rc;
    size_t n = (size_t)(r->p - from);
    bool plain = ascii || (memchr(from, '\\', n) == NULL && str_is_utf8((struct str){from, n}));
    char *to = plain ? arena_copy_text(r->arena, from, n) : arena_alloc(r->arena, 3 * n + 1);
    if (to == NULL)
        return out_of_arena(r);
    node->quoted = true;
    node->text = (struct str){to, plain ? n : decode(from, r->p, to)};
    r->p++;
    return 0;
}

/* ---- values ------------------------------------------------------------------------------------------- */

static int read_pair(struct reader *r, int depth, struct tree **child)
{
    if (r->p == r->end || *r->p != '"')
        return refuse(r, "looking for beginning of object key string");
    struct tree *key = tree_new(r->arena, TREE_SCALAR, r->line, column(r));
    if (key == NULL)
        return out_of_arena(r);
    int rc = read_string(r, key);
    if (rc != 0)
        return rc;
    skip_space(r);
    if (!take(r, ':'))
        return refuse(r, "after object key");
    rc = read_value(r, depth, child);
    if (rc == 0)
        (*child)->key = key;
    return rc;
}

static int read_children(struct reader *r, int depth, struct tree *node, char close, const char *after)
{
    struct tree **last = &node->first;
    r->p++;
    skip_space(r);
    if (take(r, close))
        return 0;
    for (;;) {
        struct tree *child = NULL;
        int rc = node->kind == TREE_MAP ? read_pair(r, depth, &child) : read_value(r, depth, &child);
        if (rc != 0)
            return rc;
        tree_append(node, &last, child);
        skip_space(r);
        if (take(r, close))
            return 0;
        if (!take(r, ','))
            return refuse(r, after);
        skip_space(r);
    }
}

static int read_plain(struct reader *r, struct tree *node)
{
    const char *from = r->p;
    int rc = *from == 't'   ? read_word(r, "true")
             : *from == 'f' ? read_word(r, "false")
             : *from == 'n' ? read_word(r, "null")
                            : read_number(r);
    if (rc != 0)
        return rc;
    node->text = str_copy(r->arena, (struct str){from, (size_t)(r->p - from)});
    return node->text.p != NULL ? 0 : out_of_arena(r);
}

static int read_value(struct reader *r, int depth, struct tree **value)
{
    skip_space(r);
    bool text = r->p < r->end && *r->p == '"';
    if (!text && (r->p == r->end || *r->p == '\0' || strchr("{[tfn-0123456789", *r->p) == NULL))
        return refuse(r, "looking for beginning of value");
    if (depth > limits.json_depth) {
        limit_hit(LIMIT_json_depth);
        return err_at(r->err, ERR_LIMIT, r->line, column(r), "JSON body is nested too deeply");
    }
    enum tree_kind kind = *r->p == '{' ? TREE_MAP : *r->p == '[' ? TREE_LIST : TREE_SCALAR;
    struct tree *node = *value = tree_new(r->arena, kind, r->line, column(r));
    if (node == NULL)
        return out_of_arena(r);
    if (kind == TREE_MAP)
        return read_children(r, depth + 1, node, '}', "after object key:value pair");
    if (kind == TREE_LIST)
        return read_children(r, depth + 1, node, ']', "after array element");
    return text ? read_string(r, node) : read_plain(r, node);
}

int json_parse(struct arena *arena, struct str text, struct tree **root, struct err *err)
{
    if (text.p == NULL)
        text.p = "";
    struct reader r = {text.p, text.p, text.p + text.n, 1, text.p, arena, err};
    struct tree *found = NULL;
    *root = NULL;
    if (text.n > (size_t)limits.json_bytes) {
        limit_hit(LIMIT_json_bytes);
        return err_set(err, ERR_LIMIT, "JSON body of %zu bytes is too large", text.n);
    }
    int rc = read_value(&r, 0, &found);
    if (rc != 0)
        return rc;
    skip_space(&r);
    if (r.p < r.end)
        return refuse(&r, "after top-level value");
    *root = found;
    return 0;
}
