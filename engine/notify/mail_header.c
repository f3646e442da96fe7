#include "mail_priv.h"

#include "tocsin/limits.h"

/* A line may be 998 long. */
enum { ENCODED_WORD_MAX = 75, LONG = 900, SCRATCH_BYTES = 1 << 20 };

#define WORD_BEGIN "=?utf-8?q?"
#define WORD_END "?="

bool mail_is_header_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (c <= ' ' || c == 0x7f || strchr("()<>@,;:\\\"/[]?={}", c) != NULL)
            return false;
    }
    return name.n > 0;
}

struct str mail_header_name(struct arena *arena, struct str name)
{
    if (!mail_is_header_name(name))
        return name;
    char *out = arena_copy_text(arena, name.p, name.n);
    for (size_t i = 0; out != NULL && i < name.n; i++) {
        bool begins = i == 0 || name.p[i - 1] == '-';
        if (begins && out[i] >= 'a' && out[i] <= 'z')
            out[i] = (char)(out[i] - 'a' + 'A');
        else if (!begins && out[i] >= 'A' && out[i] <= 'Z')
            out[i] = (char)(out[i] - 'A' + 'a');
    }
    return (struct str){out, out != NULL ? name.n : 0};
}

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    }
    return true;
}

/* Each run of control characters is one blank, at the ends none. */
static void add_one_line(struct buf *out, struct str value)
{
    size_t from = out->used;
    bool gap = false;
    for (size_t i = 0; i < value.n; i++) {
        bool control = is_control(value.p[i]);
        if (gap && !control && out->used > from)
            buf_char(out, ' ');
        if (!control)
            buf_char(out, value.p[i]);
        gap = control;
    }
}

/* ---- encoded words ---- */

/* Of a name before an address, RFC 2047 allows less to stand as it is. */
static bool stands(char c, bool phrase)
{
    bool common = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (phrase)
        return common || (c != '\0' && strchr("!*+-/", c) != NULL);
    return c > ' ' && c < 0x7f && c != '=' && c != '?' && c != '_';
}

static size_t encoded_bytes(struct str rune, bool phrase)
{
    return rune.n == 1 && (rune.p[0] == ' ' || stands(rune.p[0], phrase)) ? 1 : 3 * rune.n;
}

static void add_encoded_rune(struct buf *out, struct str rune, bool phrase)
{
    for (size_t i = 0; i < rune.n; i++) {
        if (rune.p[i] == ' ')
            buf_char(out, '_');
        else if (stands(rune.p[i], phrase))
            buf_char(out, rune.p[i]);
        else
            buf_format(out, "=%02X", (unsigned char)rune.p[i]);
    }
}

/* No rune is cut in two; bytes that are none become U+FFFD. */
static void add_encoded(struct buf *out, struct str value, bool phrase)
{
    size_t begin = out->used;
    buf_puts(out, WORD_BEGIN);
    for (size_t at = 0; at < value.n;) {
        int code;
        struct str rune = {value.p + at, str_rune(value.p + at, value.n - at, &code)};
        at += rune.n;
        if (code < 0)
            rune = STR("\xef\xbf\xbd");
        if (out->used - begin + encoded_bytes(rune, phrase) + strlen(WORD_END) > ENCODED_WORD_MAX) {
            buf_puts(out, WORD_END "\r\n ");
            begin = out->used;
            buf_puts(out, WORD_BEGIN);
        }
        add_encoded_rune(out, rune, phrase);
        if (buf_overflow(out))
            return;
    }
    buf_puts(out, WORD_END);
}

/* ---- headers ---- */

static void begin(struct buf *out, struct str name)
{
    buf_str(out, name);
    buf_puts(out, ": ");
}

static void add_value(struct buf *out, struct str value)
{
    if (is_ascii(value) && value.n <= LONG)
        buf_str(out, value);
    else
        add_encoded(out, value, false);
}

void mail_header(struct buf *out, struct str name, struct str value)
{
    struct buf line;
    buf_init(&line, (size_t)limits.template_output_bytes);
    add_one_line(&line, value);
    begin(out, name);
    add_value(out, buf_slice(&line));
    buf_puts(out, "\r\n");
    buf_release(&line);
}

static bool is_plain_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (strchr("()<>[]:;@\\,.\"", name.p[i]) != NULL)
            return false;
    }
    return true;
}

static void add_name(struct buf *out, struct str name)
{
    bool plain = is_plain_name(name);
    if (!is_ascii(name) || name.n > LONG) {
        add_encoded(out, name, true);
        return;
    }
    buf_puts(out, plain ? "" : "\"");
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '"' || name.p[i] == '\\')
            buf_char(out, '\\');
        buf_char(out, name.p[i]);
    }
    buf_puts(out, plain ? "" : "\"");
}

static void add_addresses(struct buf *out, const struct mail_addresses *list)
{
    for (size_t i = 0; i < list->count; i++) {
        buf_puts(out, i > 0 ? ",\r\n " : "");
        if (list->items[i].name.n > 0) {
            add_name(out, list->items[i].name);
            buf_puts(out, list->items[i].spec.n > 0 ? "\r\n <" : "");
        }
        buf_str(out, list->items[i].spec);
        buf_puts(out, list->items[i].name.n > 0 ? ">" : "");
    }
}

/* Plain ones stay as they were written. */
void mail_header_addresses(struct buf *out, struct str name, struct str value)
{
    struct buf line;
    struct arena scratch;
    struct mail_addresses list;
    buf_init(&line, (size_t)limits.template_output_bytes);
    arena_init(&scratch, SCRATCH_BYTES);
    add_one_line(&line, value);
    struct str text = buf_slice(&line);
    bool plain = is_ascii(text) && text.n <= LONG;
    begin(out, name);
    if (!plain && mail_addresses_parse(&scratch, text, &list, NULL) == 0)
        add_addresses(out, &list);
    else
        add_value(out, text);
    buf_puts(out, "\r\n");
    arena_release(&scratch);
    buf_release(&line);
}
