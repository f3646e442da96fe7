#include "html_priv.h"

/* What a step is given: one text, perhaps with a type that says what it may be trusted as. */
enum trust { TRUST_NONE, TRUST_HTML, TRUST_URL };

static enum trust trust_of(const struct tval *v)
{
    if (v->kind != TVAL_TEXT)
        return TRUST_NONE;
    return v->type == &type_html ? TRUST_HTML : v->type == &type_url ? TRUST_URL : TRUST_NONE;
}

/* Untyped nils are left out, where print would write <nil>. */
static int read_text(struct template_run *run, const struct tval *args, size_t count, struct buf *text,
                     struct err *err)
{
    struct tval *shown = ARENA_ARRAY(template_arena(run), struct tval, count);
    if (shown == NULL)
        return err_set(err, ERR_LIMIT, "out of memory for one template");
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (args[i].kind != TVAL_NIL)
            shown[n++] = args[i];
    print_plain(text, shown, n);
    return 0;
}

typedef void escaper(struct buf *out, struct str s, enum trust trust);

static int escape(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                  struct err *err, escaper *write)
{
    struct buf plain, escaped;
    scratch_begin(&plain);
    scratch_begin(&escaped);
    int rc = read_text(run, args, count, &plain, err);
    if (rc == 0 && !buf_overflow(&plain))
        write(&escaped, buf_slice(&plain), count == 1 ? trust_of(&args[0]) : TRUST_NONE);
    escaped.overflow = escaped.overflow || buf_overflow(&plain);
    buf_release(&plain);
    if (rc == 0)
        return scratch_end(run, &escaped, out, err);
    buf_release(&escaped);
    return rc;
}

/* ---- HTML ---- */

enum { SPARE_AMPERSANDS = 1, ESCAPE_ODD_RUNES = 2 };

static const char *entity(char c, int flags)
{
    switch (c) {
    case '\0':
        return "\xEF\xBF\xBD";
    case '"':
        return "&#34;";
    case '&':
        return (flags & SPARE_AMPERSANDS) != 0 ? NULL : "&amp;";
    case '\'':
        return "&#39;";
    case '+':
        return "&#43;"; /* for UTF-7, which old browsers may take a page for */
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    default:
        return NULL;
    }
}

static const char *unquoted_entity(char c, int flags)
{
    switch (c) {
    case '\0':
        return "&#xfffd;";
    case '\t':
        return "&#9;";
    case '\n':
        return "&#10;";
    case '\v':
        return "&#11;";
    case '\f':
        return "&#12;";
    case '\r':
        return "&#13;";
    case ' ':
        return "&#32;";
    case '=':
        return "&#61;";
    case '`':
        return "&#96;";
    default:
        return entity(c, flags);
    }
}

/* Runes that are none, or no characters: Unicode keeps them free for programs' own use. */
static bool is_odd(int rune)
{
    return rune < 0 || (rune >= 0xFDD0 && rune <= 0xFDEF) || (rune >= 0xFFF0 && rune <= 0xFFFF);
}

static void replace(struct buf *out, struct str s, const char *replacement(char, int), int flags)
{
    size_t n;
    for (size_t i = 0; i < s.n; i += n) {
        int rune;
        n = str_rune(s.p + i, s.n - i, &rune);
        const char *other = n == 1 && rune >= 0 ? replacement(s.p[i], flags) : NULL;
        if (other != NULL)
            buf_puts(out, other);
        else if ((flags & ESCAPE_ODD_RUNES) != 0 && is_odd(rune))
            buf_format(out, "&#x%x;", rune < 0 ? 0xFFFDu : (unsigned)rune);
        else
            buf_add(out, s.p + i, n);
    }
}

static void write_text(struct buf *out, struct str s, enum trust trust)
{
    if (trust == TRUST_HTML)
        buf_str(out, s);
    else
        replace(out, s, entity, 0);
}

static void write_rcdata(struct buf *out, struct str s, enum trust trust)
{
    replace(out, s, entity, trust == TRUST_HTML ? SPARE_AMPERSANDS : 0);
}

/* Of trusted HTML, what a reader would see of it. */
static void write_value(struct buf *out, struct str s, enum trust trust, const char *replacement(char, int),
                        int flags)
{
    if (trust != TRUST_HTML) {
        replace(out, s, replacement, flags);
        return;
    }
    struct buf stripped;
    scratch_begin(&stripped);
    html_strip_tags(&stripped, s);
    replace(out, buf_slice(&stripped), replacement, flags | SPARE_AMPERSANDS);
    buf_release(&stripped);
}

static void write_attr(struct buf *out, struct str s, enum trust trust)
{
    write_value(out, s, trust, entity, 0);
}

/* Without quotes an empty value would make what follows the value. */
static void write_unquoted(struct buf *out, struct str s, enum trust trust)
{
    if (s.n == 0)
        buf_puts(out, "ZgotmplZ");
    else
        write_value(out, s, trust, unquoted_entity, ESCAPE_ODD_RUNES);
}

/* A name from data may not choose what its value means. */
static void write_name(struct buf *out, struct str s, enum trust trust)
{
    (void)trust;
    struct buf lower;
    scratch_begin(&lower);
    text_lower(&lower, s);
    struct str name = buf_slice(&lower);
    bool plain = name.n > 0 && html_attribute_holds(name) == HTML_HOLDS_TEXT;
    for (size_t i = 0; i < name.n && plain; i++)
        plain = (name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= '0' && name.p[i] <= '9');
    buf_str(out, plain ? name : STR("ZgotmplZ"));
    buf_release(&lower);
}

static void write_nothing(struct buf *out, struct str s, enum trust trust)
{
    (void)out;
    (void)s;
    (void)trust;
}

/* ---- URLs ---- */

static void write_safe_url(struct buf *out, struct str s, enum trust trust)
{
    buf_str(out, trust == TRUST_URL || html_url_is_safe(s) ? s : STR("#ZgotmplZ"));
}

static void write_normal_url(struct buf *out, struct str s, enum trust trust)
{
    (void)trust;
    html_url_encode(out, s, true);
}

static void write_url_part(struct buf *out, struct str s, enum trust trust)
{
    html_url_encode(out, s, trust == TRUST_URL);
}

static void write_srcset(struct buf *out, struct str s, enum trust trust)
{
    if (trust != TRUST_URL) {
        html_srcset(out, s);
        return;
    }
    struct buf url;
    scratch_begin(&url);
    html_url_encode(&url, s, true);
    for (size_t i = 0; i < url.used; i++)
        if (url.bytes[i] == ',')
            buf_puts(out, "%2c");
        else
            buf_char(out, url.bytes[i]);
    buf_release(&url);
}

/* ---- steps ---- */

#define STEP(name, write)                                                                              \
    static int name(struct template_run *run, const struct tval *args, size_t count, struct tval *out, \
                    struct err *err)                                                                   \
    {                                                                                                  \
        return escape(run, args, count, out, err, write);                                              \
    }
STEP(step_attr, write_attr)
STEP(step_comment, write_nothing)
STEP(step_name, write_name)
STEP(step_normal_url, write_normal_url)
STEP(step_rcdata, write_rcdata)
STEP(step_safe_url, write_safe_url)
STEP(step_srcset, write_srcset)
STEP(step_text, write_text)
STEP(step_unquoted, write_unquoted)
STEP(step_url_part, write_url_part)

static int step_arguments(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                          struct err *err)
{
    struct buf text;
    scratch_begin(&text);
    print_plain(&text, args, count);
    return scratch_end(run, &text, out, err);
}

/* Their names are Go's, which errors show. */
const struct template_function html_steps[HTML_STEP_COUNT] = {
    [HTML_STEP_COMMENT] = {"_html_template_commentescaper", step_comment, "...any"},
    [HTML_STEP_TEXT] = {"_html_template_htmlescaper", step_text, "...any"},
    [HTML_STEP_RCDATA] = {"_html_template_rcdataescaper", step_rcdata, "...any"},
    [HTML_STEP_ATTR] = {"_html_template_attrescaper", step_attr, "...any"},
    [HTML_STEP_UNQUOTED] = {"_html_template_nospaceescaper", step_unquoted, "...any"},
    [HTML_STEP_NAME] = {"_html_template_htmlnamefilter", step_name, "...any"},
    [HTML_STEP_URL_FILTER] = {"_html_template_urlfilter", step_safe_url, "...any"},
    [HTML_STEP_URL_NORMALIZE] = {"_html_template_urlnormalizer", step_normal_url, "...any"},
    [HTML_STEP_URL_ENCODE] = {"_html_template_urlescaper", step_url_part, "...any"},
    [HTML_STEP_SRCSET] = {"_html_template_srcsetescaper", step_srcset, "...any"},
    [HTML_STEP_ARGUMENTS] = {"_eval_args_", step_arguments, "...any"},
};
