#include "regex_priv.h"

#include <stddef.h>

enum {
    CAPTURES_DEEP_MAX = 998, /* Go allows trees 1,000 high; the anchors and the leaf take the other two */
    COUNT_DIGITS_MAX = 8     /* RE2 takes longer repeat counts for literal text */
};

/* Where the scanner stands. Classes and \Q..\E are skipped over: in them the text means itself. */
struct scan {
    struct str rest;
    struct buf *out;                    /* what was passed over, as this RE2 writes it */
    size_t groups;                      /* open parentheses */
    size_t captures;                    /* of them, capturing */
    unsigned char capturing[16384 / 8]; /* one bit for each open one, limits.regex_text_bytes at most */
};

static void skip(struct scan *s, size_t n)
{
    buf_add(s->out, s->rest.p, n);
    s->rest.p += n;
    s->rest.n -= n;
}

static bool at(const struct scan *s, const char *text)
{
    return str_starts(s->rest, str_of(text));
}

int regex_refuse(struct err *err, const char *what, struct str part)
{
    enum { PART_MAX = 800 };
    int n = part.n < PART_MAX ? (int)part.n : PART_MAX;
    return err_set(err, ERR_PARSE, "error parsing regexp: %s: `%.*s`", what, n, n > 0 ? part.p : "");
}

static void skip_quotation(struct scan *s)
{
    while (s->rest.n > 0 && !at(s, "\\E"))
        skip(s, 1);
    skip(s, s->rest.n > 0 ? 2 : 0);
}

/* From '[' to behind its ']'. A ']' that comes first is a member, as is a [:name:]. */
static void skip_class(struct scan *s)
{
    skip(s, at(s, "[^") ? 2 : 1);
    if (at(s, "]"))
        skip(s, 1);
    while (s->rest.n > 0 && s->rest.p[0] != ']') {
        const char *name = at(s, "[:") ? memmem(s->rest.p + 2, s->rest.n - 2, ":]", 2) : NULL;
        if (name != NULL)
            skip(s, (size_t)(name - s->rest.p) + 2);
        else
            skip(s, s->rest.p[0] == '\\' && s->rest.n > 1 ? 2 : 1);
    }
    skip(s, s->rest.n > 0 ? 1 : 0);
}

static int check_escape(struct scan *s, struct err *err)
{
    if (at(s, "\\C"))
        return regex_refuse(err, "invalid escape sequence", STR("\\C"));
    if (at(s, "\\Q"))
        skip_quotation(s);
    else
        skip(s, s->rest.n > 1 ? 2 : 1);
    return 0;
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* (?<name>) is newer than this RE2, which knows (?P<name>). */
static int check_group_name(struct scan *s, size_t before, struct err *err)
{
    size_t end = str_find_char(s->rest, '>');
    if (end == s->rest.n)
        return regex_refuse(err, "invalid named capture", s->rest);
    bool fine = end > before;
    for (size_t i = before; i < end; i++)
        fine = fine && is_word(s->rest.p[i]);
    if (!fine)
        return regex_refuse(err, "invalid named capture", (struct str){s->rest.p, end + 1});
    buf_puts(s->out, "(?P<");
    s->rest = (struct str){s->rest.p + before, s->rest.n - before};
    skip(s, end + 1 - before);
    return 0;
}

static void push_group(struct scan *s, bool capturing)
{
    unsigned char *bits = &s->capturing[s->groups >> 3], bit = (unsigned char)(1u << (s->groups & 7));
    *bits = (unsigned char)(capturing ? *bits | bit : *bits & ~bit);
    s->groups++;
    s->captures += capturing;
}

static int open_group(struct scan *s, struct err *err)
{
    bool named = at(s, "(?P<") || at(s, "(?<");
    bool capturing = named || !at(s, "(?");
    if (s->groups >= 8 * sizeof s->capturing || s->captures + capturing > CAPTURES_DEEP_MAX)
        return regex_refuse(err, "expression nests too deeply", s->rest);
    push_group(s, capturing);
    if (named)
        return check_group_name(s, at(s, "(?<") ? 3 : 4, err);
    skip(s, 1);
    return 0;
}

/* A surplus ')' is RE2's to refuse, or the wrapper's to swallow. */
static void close_group(struct scan *s)
{
    skip(s, 1);
    if (s->groups == 0)
        return;
    s->groups--;
    s->captures -= s->capturing[s->groups >> 3] >> (s->groups & 7) & 1;
}

static size_t digits(struct str s, size_t from)
{
    size_t n = 0;
    while (from + n < s.n && s.p[from + n] >= '0' && s.p[from + n] <= '9')
        n++;
    return n;
}

/* {n}, {n,} or {n,m}; anything else is literal text in both. */
static int check_repeat(struct scan *s, struct err *err)
{
    size_t low = digits(s->rest, 1), high = 0, end = 1 + low;
    if (low > 0 && end < s->rest.n && s->rest.p[end] == ',') {
        high = digits(s->rest, end + 1);
        end += 1 + high;
    }
    bool repeat = low > 0 && end < s->rest.n && s->rest.p[end] == '}';
    if (repeat && (low > COUNT_DIGITS_MAX || high > COUNT_DIGITS_MAX))
        return regex_refuse(err, "invalid repeat count", (struct str){s->rest.p, end + 1});
    skip(s, 1);
    return 0;
}

static int step(struct scan *s, struct err *err)
{
    switch (s->rest.p[0]) {
    case '\\':
        return check_escape(s, err);
    case '(':
        return open_group(s, err);
    case '{':
        return check_repeat(s, err);
    case '[':
        skip_class(s);
        return 0;
    case ')':
        close_group(s);
        return 0;
    default:
        skip(s, 1);
        return 0;
    }
}

int regex_check(struct str pattern, struct buf *out, struct err *err)
{
    if (!str_is_utf8(pattern))
        return regex_refuse(err, "invalid UTF-8", pattern);
    struct scan s = {.rest = pattern, .out = out};
    int rc = 0;
    while (rc == 0 && s.rest.n > 0)
        rc = step(&s, err);
    return rc;
}
