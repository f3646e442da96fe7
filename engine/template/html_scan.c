#include "html_priv.h"

#include "tocsin/gotext.h"

bool html_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

size_t html_skip_space(struct str s, size_t i)
{
    while (i < s.n && html_is_space(s.p[i]))
        i++;
    return i;
}

struct str html_before(struct str s, size_t end)
{
    return (struct str){s.p, end < s.n ? end : s.n};
}

static struct str from(struct str s, size_t i)
{
    return (struct str){s.p + i, s.n - i};
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9');
}

static bool one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static size_t find_any(struct str s, const char *set)
{
    size_t i = 0;
    while (i < s.n && !one_of(s.p[i], set))
        i++;
    return i;
}

/* ---- tags ---- */

static const char *const element_names[] = {
    [HTML_ELEMENT_SCRIPT] = "script", [HTML_ELEMENT_STYLE] = "style", [HTML_ELEMENT_TEXTAREA] = "textarea",
    [HTML_ELEMENT_TITLE] = "title",   [HTML_ELEMENT_META] = "meta",
};

static enum html_element element_named(struct str name)
{
    for (size_t e = HTML_ELEMENT_SCRIPT; e <= HTML_ELEMENT_META; e++)
        if (str_eq_nocase(name, str_of(element_names[e])))
            return (enum html_element)e;
    return HTML_ELEMENT_OTHER;
}

/* Where the tag's name that starts at i ends; i itself: none does. A colon or hyphen only between words. */
static size_t skip_tag_name(struct str s, size_t i)
{
    if (i >= s.n || !is_letter(s.p[i]))
        return i;
    for (i++; i < s.n; i++) {
        bool joint = one_of(s.p[i], ":-") && i + 1 < s.n && is_word(s.p[i + 1]);
        if (!joint && !is_word(s.p[i]))
            break;
    }
    return i;
}

static size_t scan_text(struct html_context *c, struct str s)
{
    for (size_t i = 0; i + 1 < s.n; i++) {
        if (s.p[i] != '<')
            continue;
        if (str_starts(from(s, i), STR("<!--"))) {
            *c = (struct html_context){.state = HTML_COMMENT};
            return i + 4;
        }
        bool closes = s.p[i + 1] == '/';
        size_t name = i + 1 + closes, end = skip_tag_name(s, name);
        if (end == name)
            continue;
        *c = (struct html_context){.state = HTML_TAG};
        if (!closes)
            c->element = element_named((struct str){s.p + name, end - name});
        return end;
    }
    return s.n;
}

static size_t scan_comment(struct html_context *c, struct str s)
{
    for (size_t i = 0; i + 3 <= s.n; i++) {
        if (memcmp(s.p + i, "-->", 3) == 0) {
            *c = (struct html_context){.state = HTML_TEXT};
            return i + 3;
        }
    }
    return s.n;
}

/* ---- attributes ---- */

static size_t fail(struct err *err, const char *before, struct str shown, const char *after, struct str rest)
{
    struct buf text;
    scratch_begin(&text);
    buf_puts(&text, before);
    if (shown.p != NULL)
        go_quote(&text, shown);
    buf_puts(&text, after);
    go_quote(&text, rest);
    err_set(err, ERR_PARSE, "%s", buf_text(&text));
    buf_release(&text);
    return SIZE_MAX;
}

/* The first 32 runes, as Go's %.32q cuts. */
static struct str cut_runes(struct str s)
{
    size_t i = 0;
    int rune;
    for (int count = 0; i < s.n && count < 32; count++)
        i += str_rune(s.p + i, s.n - i, &rune);
    return html_before(s, i);
}

static size_t skip_attr_name(struct str s, size_t i, struct err *err)
{
    for (; i < s.n && !html_is_space(s.p[i]) && !one_of(s.p[i], "=>"); i++) {
        if (one_of(s.p[i], "'\"<"))
            return fail(err, "", (struct str){s.p + i, 1}, " in attribute name: ", cut_runes(s));
    }
    return i;
}

static enum html_state content_of(enum html_element element)
{
    switch (element) {
    case HTML_ELEMENT_SCRIPT:
        return HTML_SCRIPT;
    case HTML_ELEMENT_STYLE:
        return HTML_STYLE;
    case HTML_ELEMENT_TEXTAREA:
    case HTML_ELEMENT_TITLE:
        return HTML_RCDATA;
    default:
        return HTML_TEXT;
    }
}

/* What the value of the attribute will be; what has no state of its own is text. */
static enum html_attr value_of(enum html_element element, struct str name)
{
    struct buf lower;
    scratch_begin(&lower);
    for (size_t i = 0; i < name.n; i++)
        buf_char(&lower, name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] | 0x20) : name.p[i]);
    enum html_attr holds = html_attribute_holds(buf_slice(&lower));
    if (element == HTML_ELEMENT_META && str_is(buf_slice(&lower), "content"))
        holds = HTML_HOLDS_META;
    buf_release(&lower);
    return holds <= HTML_HOLDS_META ? holds : HTML_HOLDS_TEXT;
}

static size_t scan_tag(struct html_context *c, struct str s, struct err *err)
{
    size_t i = html_skip_space(s, 0);
    if (i == s.n)
        return i;
    if (s.p[i] == '>') {
        enum html_state content = content_of(c->element);
        *c = (struct html_context){.state = content,
                                   .element = content == HTML_TEXT ? HTML_ELEMENT_OTHER : c->element};
        return i + 1;
    }
    size_t end = skip_attr_name(s, i, err);
    if (end == SIZE_MAX)
        return SIZE_MAX;
    if (end == i)
        return fail(err, "expected space, attr name, or end of tag, but got ", (struct str){NULL, 0}, "",
                    from(s, i));
    *c = (struct html_context){.state = end == s.n ? HTML_ATTR_NAME : HTML_AFTER_NAME,
                               .element = c->element,
                               .attr = value_of(c->element, (struct str){s.p + i, end - i})};
    return end;
}

static size_t scan_attr_name(struct html_context *c, struct str s, struct err *err)
{
    size_t end = skip_attr_name(s, 0, err);
    if (end < s.n)
        c->state = HTML_AFTER_NAME;
    return end;
}

static size_t scan_after_name(struct html_context *c, struct str s)
{
    size_t i = html_skip_space(s, 0);
    if (i == s.n)
        return i;
    bool value = s.p[i] == '=';
    c->state = value ? HTML_BEFORE_VALUE : HTML_TAG;
    return i + value;
}

static size_t scan_before_value(struct html_context *c, struct str s)
{
    size_t i = html_skip_space(s, 0);
    if (i == s.n)
        return i;
    enum html_attr attr = c->attr;
    *c = html_nudge(*c);
    c->attr = attr;
    if (s.p[i] == '"' || s.p[i] == '\'') {
        c->delim = s.p[i] == '"' ? HTML_DELIM_DOUBLE : HTML_DELIM_SINGLE;
        i++;
    }
    return i;
}

/* ---- values ---- */

static void scan_url(struct html_context *c, struct str s)
{
    if (find_any(s, "#?") < s.n)
        c->part = HTML_PART_QUERY;
    else if (html_skip_space(s, 0) < s.n && c->part == HTML_PART_START)
        c->part = HTML_PART_PATH;
}

/* `5; url=http://...`: behind url= and before the next semicolon stands a URL. */
static size_t scan_meta(struct html_context *c, struct str s)
{
    if (c->state == HTML_META_URL) {
        size_t end = str_find_char(s, ';');
        if (end == s.n)
            return s.n;
        c->state = HTML_META;
        return end + 1;
    }
    for (size_t i = 0; i + 3 < s.n; i++) {
        size_t equals = html_skip_space(s, i + 3);
        if (!str_eq_nocase((struct str){s.p + i, 3}, STR("url")) || equals == s.n || s.p[equals] != '=')
            continue;
        c->state = HTML_META_URL;
        return equals + 1;
    }
    return s.n;
}

static size_t scan_by_state(struct html_context *c, struct str s, struct err *err)
{
    switch (c->state) {
    case HTML_TEXT:
        return scan_text(c, s);
    case HTML_TAG:
        return scan_tag(c, s, err);
    case HTML_ATTR_NAME:
        return scan_attr_name(c, s, err);
    case HTML_AFTER_NAME:
        return scan_after_name(c, s);
    case HTML_BEFORE_VALUE:
        return scan_before_value(c, s);
    case HTML_COMMENT:
        return scan_comment(c, s);
    case HTML_URL:
    case HTML_SRCSET:
        scan_url(c, s);
        return s.n;
    case HTML_META:
    case HTML_META_URL:
        return scan_meta(c, s);
    case HTML_ATTR:
    case HTML_RCDATA:
    case HTML_SCRIPT:
    case HTML_DEAD:
        return s.n;
    default:
        return html_style_scan(c, s, err);
    }
}

/* ---- where elements and values end ---- */

/* Where </NAME stands, followed by something that ends a name; or s.n. */
static size_t find_end_tag(struct str s, struct str name)
{
    for (size_t i = 0; i + 2 + name.n < s.n; i++) {
        if (s.p[i] == '<' && s.p[i + 1] == '/' && str_eq_nocase((struct str){s.p + i + 2, name.n}, name) &&
            one_of(s.p[i + 2 + name.n], "> \t\n\f/"))
            return i;
    }
    return s.n;
}

static size_t scan_outside_value(struct html_context *c, struct str s, struct err *err)
{
    size_t end = s.n;
    if (c->element != HTML_ELEMENT_OTHER && c->element != HTML_ELEMENT_META)
        end = find_end_tag(s, str_of(element_names[c->element]));
    if (end == 0) {
        *c = (struct html_context){.state = HTML_TEXT};
        return 0;
    }
    return scan_by_state(c, html_before(s, end), err);
}

static size_t scan_open_value(struct html_context *c, struct str s, struct err *err)
{
    struct buf plain;
    scratch_begin(&plain);
    html_unescape(&plain, s);
    struct str rest = buf_slice(&plain);
    size_t read = 0;
    while (rest.n > 0 && read != SIZE_MAX) {
        read = scan_by_state(c, rest, err);
        if (read != SIZE_MAX)
            rest = from(rest, read);
    }
    buf_release(&plain);
    return read == SIZE_MAX ? SIZE_MAX : s.n;
}

size_t html_value_end(struct html_context c, struct str s)
{
    static const char *const ends[] = {"", "\"", "'", " \t\n\f\r>"};
    return find_any(s, ends[c.delim]);
}

size_t html_scan(struct html_context *c, struct str s, struct err *err)
{
    if (c->delim == HTML_DELIM_NONE)
        return scan_outside_value(c, s, err);
    size_t end = html_value_end(*c, s);
    if (c->delim == HTML_DELIM_SPACE) {
        struct str value = html_before(s, end);
        size_t odd = find_any(value, "\"'<=`"); /* browsers do not agree on where such a value ends */
        if (odd < end)
            return fail(err, "", (struct str){s.p + odd, 1}, " in unquoted attr: ", value);
    }
    if (end == s.n)
        return scan_open_value(c, s, err);
    bool quoted = c->delim != HTML_DELIM_SPACE;
    *c = (struct html_context){.state = HTML_TAG, .element = c->element};
    return end + quoted;
}
