#include "am_matcher_priv.h"

#include "tocsin/gotext.h"

/* Error texts of this grammar are never shown: when it fails the classic one speaks (Alertmanager 0.34). */

bool am_is_reserved(char c)
{
    return c != '\0' && strchr("{}!=~,\\\"'`", c) != NULL;
}

bool am_is_blank(int rune)
{
    switch (rune) {
    case 0x85:
    case 0xA0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202F:
    case 0x205F:
    case 0x3000:
        return true;
    default:
        return rune == ' ' || (rune >= '\t' && rune <= '\r') || (rune >= 0x2000 && rune <= 0x200A);
    }
}

static void skip_blank(struct str *s)
{
    while (s->n > 0) {
        int rune;
        size_t n = str_rune(s->p, s->n, &rune);
        if (!am_is_blank(rune))
            return;
        *s = (struct str){s->p + n, s->n - n};
    }
}

static bool take(struct str *s, char c)
{
    skip_blank(s);
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = (struct str){s->p + 1, s->n - 1};
    return true;
}

static size_t quoted_length(struct str s)
{
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '"')
            return i + 1;
    }
    return 0;
}

static int read_quoted(struct arena *arena, struct str *s, struct str *word, struct err *err)
{
    size_t n = quoted_length(*s);
    if (n == 0)
        return err_set(err, ERR_PARSE, "missing end \"");
    struct buf text;
    buf_init(&text, n * 4 + 16);
    int rc = 0;
    if (!go_unquote((struct str){s->p, n}, &text) || !str_is_utf8(buf_slice(&text)))
        rc = err_set(err, ERR_PARSE, "invalid input");
    else if ((*word = str_copy(arena, buf_slice(&text))).p == NULL)
        rc = err_set(err, ERR_LIMIT, "too much memory for matchers");
    buf_release(&text);
    *s = (struct str){s->p + n, s->n - n};
    return rc;
}

static int read_word(struct arena *arena, struct str *s, struct str *word, struct err *err)
{
    skip_blank(s);
    if (s->n > 0 && s->p[0] == '"')
        return read_quoted(arena, s, word, err);
    size_t n = 0;
    while (n < s->n && !am_is_reserved(s->p[n])) {
        int rune;
        size_t step = str_rune(s->p + n, s->n - n, &rune);
        if (rune < 0)
            return err_set(err, ERR_PARSE, "invalid input");
        if (am_is_blank(rune))
            break;
        n += step;
    }
    if (n == 0)
        return err_set(err, ERR_PARSE, "expected a label name or value");
    *word = (struct str){s->p, n};
    *s = (struct str){s->p + n, s->n - n};
    return 0;
}

static int read_op(struct str *s, enum match_op *op, struct err *err)
{
    bool negative = take(s, '!');
    if (!negative && !take(s, '='))
        return err_set(err, ERR_PARSE, "expected one of '=', '!=', '=~' or '!~'");
    char second = s->n > 0 ? s->p[0] : '\0';
    bool regex = second == '~';
    if (negative && !regex && second != '=')
        return err_set(err, ERR_PARSE, "expected one of '!=' or '!~'");
    if (negative || regex)
        *s = (struct str){s->p + 1, s->n - 1};
    if (negative)
        *op = regex ? MATCH_NOT_REGEX : MATCH_NOT_EQUAL;
    else
        *op = regex ? MATCH_REGEX : MATCH_EQUAL;
    return 0;
}

static int read_one(struct arena *arena, struct str *s, struct am_raws *out, struct err *err)
{
    struct am_raw raw = {0};
    int rc = read_word(arena, s, &raw.name, err);
    if (rc == 0)
        rc = read_op(s, &raw.op, err);
    if (rc == 0)
        rc = read_word(arena, s, &raw.value, err);
    return rc != 0 ? rc : am_raws_add(arena, out, &raw, err);
}

static int read_list(struct arena *arena, struct str *s, struct am_raws *out, struct err *err)
{
    do {
        skip_blank(s);
        if (s->n == 0 || s->p[0] == '}')
            return 0;
        int rc = read_one(arena, s, out, err);
        if (rc != 0)
            return rc;
    } while (take(s, ','));
    return 0;
}

int am_utf8_read(struct arena *arena, struct str text, bool single, struct am_raws *out, struct err *err)
{
    struct str rest = text;
    bool open = take(&rest, '{');
    if (single && (open || (text.n > 0 && text.p[text.n - 1] == '}')))
        return err_set(err, ERR_PARSE, "unexpected open or close brace: %.*s", STR_ARG(text));
    int rc = read_list(arena, &rest, out, err);
    if (rc != 0)
        return rc;
    if (open != take(&rest, '}'))
        return err_set(err, ERR_PARSE, "expected opening or closing brace");
    skip_blank(&rest);
    if (rest.n > 0)
        return err_set(err, ERR_PARSE, "expected a comma or the end");
    if (single && out->count != 1)
        return err_set(err, ERR_PARSE, "expected 1 matcher, found %zu", out->count);
    return 0;
}
