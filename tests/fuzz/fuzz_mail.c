/* The text of a header: as a list of addresses, as a header, as a body. Whatever it holds, it stays where it was put. */
#include "../../engine/notify/mail_priv.h"

#include "tocsin/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One line, or several of which all but the first begin with a blank. */
static void check_header(const struct buf *out, bool ascii)
{
    struct str text = buf_slice(out);
    must(str_starts(text, STR("X: ")) && str_ends(text, STR("\r\n")));
    must(str_is_utf8(text));
    for (size_t i = 0; i < text.n; i++) {
        must(!ascii || (unsigned char)text.p[i] < 0x80);
        bool ends = text.p[i] == '\r' && text.p[i + 1] == '\n', last = i + 2 == text.n;
        must((unsigned char)text.p[i] >= ' ' || ends);
        must(text.p[i] != 0x7f);
        must(!ends || last || text.p[i + 2] == ' ');
        i += ends;
    }
}

static void check_body(const struct buf *out)
{
    const char *line = buf_text(out);
    for (const char *p = line; *p != '\0'; p++) {
        must((*p >= ' ' && *p < 0x7f) || *p == '\t' || *p == '\r' || *p == '\n');
        must(*p != '\r' || (p[1] == '\n' && p - line <= 76));
        must(*p != '\n' || p[-1] == '\r');
        line = *p == '\n' ? p + 1 : line;
    }
}

static void check_addresses(const struct mail_addresses *list)
{
    must(list->count > 0);
    for (size_t i = 0; i < list->count; i++) {
        struct str spec = list->items[i].spec;
        must(str_find_char(spec, '@') < spec.n && str_find_char(spec, '>') == spec.n);
        for (size_t k = 0; k < spec.n; k++)
            must((unsigned char)spec.p[k] >= ' ' && spec.p[k] != 0x7f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct mail_addresses list;
    struct arena arena;
    struct buf out;
    struct err err = {0};
    arena_init(&arena, 4 << 20);
    buf_init(&out, 4 << 20);
    if (mail_addresses_parse(&arena, text, &list, &err) == 0)
        check_addresses(&list);
    mail_header(&out, STR("X"), text);
    check_header(&out, true);
    buf_clear(&out);
    mail_header_addresses(&out, STR("X"), text);
    check_header(&out, false);
    buf_clear(&out);
    mail_quoted_printable(&out, text);
    check_body(&out);
    buf_release(&out);
    arena_release(&arena);
    return 0;
}
