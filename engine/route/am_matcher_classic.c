#include "am_matcher_priv.h"

static bool is_ascii_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static bool is_name_byte(char c, bool first)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':')
        return true;
    return !first && c >= '0' && c <= '9';
}

static struct str skip_space(struct str s)
{
    while (s.n > 0 && is_ascii_space(s.p[0]))
        s = (struct str){s.p + 1, s.n - 1};
    return s;
}

static bool read_op(struct str *rest, enum match_op *op)
{
    static const struct {
        struct str text;
        enum match_op op;
    } ops[] = {{{"=~", 2}, MATCH_REGEX},
               {{"=", 1}, MATCH_EQUAL},
               {{"!=", 2}, MATCH_NOT_EQUAL},
               {{"!~", 2}, MATCH_NOT_REGEX}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (str_starts(*rest, ops[i].text)) {
            *op = ops[i].op;
            *rest = (struct str){rest->p + ops[i].text.n, rest->n - ops[i].text.n};
            return true;
        }
    }
    return false;
}

/* Only \" \\ and \n are escapes; any other backslash stays, and so does one at the end. */
static size_t unescape(struct str from, size_t at, char *to)
{
    char next = at + 1 < from.n ? from.p[at + 1] : '\0';
    if (at + 1 < from.n && (next == '"' || next == '\\' || next == 'n')) {
        *to = next == 'n' ? '\n' : next;
        return 2;
    }
    *to = '\\';
    return 1;
}

static int read_value(struct arena *arena, struct str from, struct str *value, struct err *err)
{
    struct str raw = from;
    if (!str_is_utf8(raw))
        return err_set(err, ERR_PARSE, "matcher value not valid UTF-8: %.*s", STR_ARG(raw));
    bool quoted = raw.n > 0 && raw.p[0] == '"', closed = false;
    if (quoted)
        raw = (struct str){raw.p + 1, raw.n - 1};
    char *text = arena_alloc(arena, raw.n + 1);
    if (text == NULL)
        return err_set(err, ERR_LIMIT, "too much memory for matchers");
    size_t n = 0;
    for (size_t at = 0; at < raw.n;) {
        if (raw.p[at] == '\\') {
            at += unescape(raw, at, &text[n++]);
            continue;
        }
        if (raw.p[at] == '"') {
            if (!quoted || at != raw.n - 1)
                return err_set(err, ERR_PARSE, "matcher value contains unescaped double quote: %.*s",
                               STR_ARG(from));
            closed = true;
            break;
        }
        text[n++] = raw.p[at++];
    }
    if (quoted && !closed)
        return err_set(err, ERR_PARSE, "matcher value contains unescaped double quote: %.*s", STR_ARG(from));
    *value = (struct str){text, n};
    return 0;
}

static int read_one(struct arena *arena, struct str text, struct am_raws *out, struct err *err)
{
    struct str rest = skip_space(text);
    size_t n = 0;
    while (n < rest.n && is_name_byte(rest.p[n], n == 0))
        n++;
    struct am_raw raw = {.name = {rest.p, n}};
    rest = skip_space((struct str){rest.p + n, rest.n - n});
    if (n == 0 || !read_op(&rest, &raw.op))
        return err_set(err, ERR_PARSE, "bad matcher format: %.*s", STR_ARG(text));
    rest = skip_space(rest);
    while (rest.n > 0 && is_ascii_space(rest.p[rest.n - 1]))
        rest.n--;
    int rc = read_value(arena, rest, &raw.value, err);
    return rc != 0 ? rc : am_raws_add(arena, out, &raw, err);
}

/* Where the piece that begins at s ends: a comma outside quotes, or the end. */
static size_t piece_length(struct str s)
{
    bool inside = false, escaped = false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == ',' && !inside)
            return i;
        if (c == '"' && !escaped)
            inside = !inside;
        escaped = !escaped && c == '\\';
    }
    return s.n;
}

int am_classic_read(struct arena *arena, struct str text, bool single, struct am_raws *out, struct err *err)
{
    if (single)
        return read_one(arena, text, out, err);
    if (text.n > 0 && text.p[0] == '{')
        text = (struct str){text.p + 1, text.n - 1};
    if (text.n > 0 && text.p[text.n - 1] == '}')
        text.n--;
    while (text.n > 0) {
        size_t n = piece_length(text);
        int rc = read_one(arena, (struct str){text.p, n}, out, err);
        if (rc != 0)
            return rc;
        text = n < text.n ? (struct str){text.p + n + 1, text.n - n - 1} : (struct str){text.p + n, 0};
    }
    return 0;
}
