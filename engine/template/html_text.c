#include "html_priv.h"

#include "tocsin/check.h"

/* ---- entities ---- */

/* Those of HTML's named ones that stand for an ASCII character. */
static const struct {
    const char *names;
    char c;
} entities[] = {
    {"Tab", '\t'},
    {"NewLine", '\n'},
    {"excl", '!'},
    {"quot QUOT", '"'},
    {"num", '#'},
    {"dollar", '$'},
    {"percnt", '%'},
    {"amp AMP", '&'},
    {"apos", '\''},
    {"lpar", '('},
    {"rpar", ')'},
    {"ast midast", '*'},
    {"plus", '+'},
    {"comma", ','},
    {"period", '.'},
    {"sol", '/'},
    {"colon", ':'},
    {"semi", ';'},
    {"lt LT", '<'},
    {"equals", '='},
    {"gt GT", '>'},
    {"quest", '?'},
    {"commat", '@'},
    {"lsqb lbrack", '['},
    {"bsol", '\\'},
    {"rsqb rbrack", ']'},
    {"Hat", '^'},
    {"lowbar UnderBar", '_'},
    {"grave DiacriticalGrave", '`'},
    {"lcub lbrace", '{'},
    {"verbar vert VerticalLine", '|'},
    {"rcub rbrace", '}'},
};

static bool names_it(const char *names, struct str name)
{
    struct str rest = str_of(names);
    while (rest.p != NULL)
        if (str_eq(str_cut(&rest, ' '), name))
            return true;
    return false;
}

static bool is_alnum(char c)
{
    char low = (char)(c | 0x20);
    return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9');
}

/* The oldest names are known without their semicolon, and with anything behind them. */
static size_t old_name(struct str s, char *c)
{
    static const struct {
        const char *name;
        char c;
    } old[] = {{"quot", '"'}, {"QUOT", '"'}, {"amp", '&'}, {"AMP", '&'},
               {"lt", '<'},   {"LT", '<'},   {"gt", '>'},  {"GT", '>'}};
    for (size_t i = 0; i < sizeof old / sizeof *old; i++) {
        if (str_starts(s, str_of(old[i].name))) {
            *c = old[i].c;
            return str_of(old[i].name).n;
        }
    }
    return 0;
}

/* s follows an ampersand. How much of it is a name, with *c; 0: none that is known here. */
static size_t named(struct str s, char *c)
{
    struct str name = {s.p, 0};
    while (name.n < s.n && is_alnum(s.p[name.n]))
        name.n++;
    for (size_t i = 0; name.n < s.n && s.p[name.n] == ';' && i < sizeof entities / sizeof *entities; i++) {
        if (names_it(entities[i].names, name)) {
            *c = entities[i].c;
            return name.n + 1;
        }
    }
    return old_name(name, c);
}

static int digit_of(char c, int base)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char low = (char)(c | 0x20);
    return base == 16 && low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* s follows `&#`. */
static size_t numbered(struct str s, int *rune)
{
    bool hex = s.n > 0 && (s.p[0] | 0x20) == 'x';
    int base = hex ? 16 : 10;
    size_t i = hex ? 1 : 0, start = i;
    *rune = 0;
    for (; i < s.n && digit_of(s.p[i], base) >= 0; i++)
        *rune = *rune > 0x10FFFF ? *rune : *rune * base + digit_of(s.p[i], base);
    if (i == start)
        return 0;
    if (*rune == 0 || *rune > 0x10FFFF)
        *rune = 0xFFFD;
    return i + (i < s.n && s.p[i] == ';');
}

void html_unescape(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        struct str rest = {s.p + i + 1, s.n - i - 1};
        int rune = 0;
        char c = s.p[i];
        size_t used = 0;
        if (c == '&' && rest.n > 0 && rest.p[0] == '#') {
            used = numbered((struct str){rest.p + 1, rest.n - 1}, &rune);
            used += used > 0;
        } else if (c == '&') {
            used = named(rest, &c);
        }
        if (rune > 0)
            print_rune(out, rune);
        else
            buf_char(out, c);
        i += used;
    }
}

/* ---- literal text ---- */

struct editing {
    struct str text;
    struct buf *out;
    size_t written; /* of text: copied, replaced or left out */
};

static void copy_to(struct editing *e, size_t end)
{
    if (end > e->written)
        buf_add(e->out, e->text.p + e->written, end - e->written);
    e->written = end;
}

static bool is_doctype(struct str s)
{
    struct str word = STR("<!doctype");
    return s.n >= word.n && str_eq_nocase(html_before(s, word.n), word);
}

/* Where the tag or comment that ends text[from, to) begins. */
static size_t last_open(struct str text, size_t from, size_t to)
{
    for (size_t i = to; i > from; i--)
        if (text.p[i - 1] == '<')
            return i - 1;
    return to;
}

static void escape_stray(struct editing *e, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (e->text.p[i] != '<' || is_doctype((struct str){e->text.p + i, e->text.n - i}))
            continue;
        copy_to(e, i);
        buf_puts(e->out, "&lt;");
        e->written = i + 1;
    }
}

/* A comment goes, whoever wrote it; where it might have parted two words of CSS a blank stands for it. */
static bool is_dropped(struct html_context c)
{
    return html_in_comment(c) && c.delim == HTML_DELIM_NONE;
}

static void edit(struct editing *e, struct html_context before, struct html_context after, size_t from,
                 size_t to)
{
    bool changed = before.state != after.state;
    if (before.state == HTML_TEXT || before.state == HTML_RCDATA) {
        escape_stray(e, from, changed ? last_open(e->text, from, to) : to);
    } else if (is_dropped(before)) {
        if (before.state == HTML_STYLE_BLOCK_COMMENT)
            buf_char(e->out, ' ');
        e->written = to;
    }
    if (changed && is_dropped(after)) {
        copy_to(e, to - (after.state == HTML_COMMENT ? 4 : 2));
        e->written = to;
    }
}

int html_text(struct html_context *c, struct str text, struct buf *out, struct err *err)
{
    struct editing e = {.text = text, .out = out};
    for (size_t i = 0; i < text.n;) {
        struct html_context before = *c;
        size_t read = html_scan(c, (struct str){text.p + i, text.n - i}, err);
        if (read == SIZE_MAX)
            return ERR_PARSE;
        must(read > 0 || before.state != c->state);
        edit(&e, before, *c, i, i + read);
        i += read;
    }
    if (!is_dropped(*c))
        copy_to(&e, text.n);
    return 0;
}

/* ---- trusted HTML where only its text can be used ---- */

/* One step through HTML that need not be well-formed; SIZE_MAX: there is no telling tags from text any more. */
static size_t skim(struct html_context *c, struct str s)
{
    struct err ignored;
    if (c->delim == HTML_DELIM_NONE)
        return html_scan(c, s, &ignored);
    size_t end = html_value_end(*c, s);
    if (end == s.n)
        return SIZE_MAX;
    bool quoted = c->delim != HTML_DELIM_SPACE;
    *c = (struct html_context){.state = HTML_TAG, .element = c->element};
    return end + quoted;
}

void html_strip_tags(struct buf *out, struct str s)
{
    struct html_context c = {.state = HTML_TEXT};
    for (size_t i = 0; i < s.n;) {
        struct html_context before = c;
        size_t read = skim(&c, (struct str){s.p + i, s.n - i});
        if (read == SIZE_MAX)
            return;
        size_t end = before.state != c.state ? last_open(s, i, i + read) : i + read;
        if (before.state == HTML_TEXT || before.state == HTML_RCDATA)
            buf_add(out, s.p + i, end - i);
        i += read;
    }
}
