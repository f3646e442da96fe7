#include "integration_priv.h"

#include "tocsin/limits.h"
#include "tocsin/sha256.h"
#include "tocsin/zone.h"

enum { SECRET_MAX = 64 << 10 };

/* ---- what templates ask of the outside ---- */

static bool find_zone(void *context, struct str name, int64_t unix_s, int32_t *offset_s, struct str *shown)
{
    struct exchange *x = context;
    const struct zone *zone;
    if (zone_load(x->world, x->arena, name, &zone, NULL) != 0)
        return false;
    struct zone_time at = zone_at(zone, unix_s);
    *offset_s = at.offset_s;
    *shown = at.name;
    return true;
}

static int find_route_label(void *context, struct str name, struct buf *out, struct err *err)
{
    (void)err;
    const struct exchange *x = context;
    buf_str(out, labels_get(x->notification.route_labels, name));
    return 0;
}

/* ---- texts ---- */

static int run(struct exchange *x, struct str source, bool html, struct buf *out)
{
    if (x->data == NULL) {
        x->data = ARENA_NEW(x->arena, struct tval);
        if (x->data == NULL || notification_tval(x->arena, &x->notification, x->data) != 0)
            return err_set(&x->why, ERR_LIMIT, "the notification needs more memory than flush_arena_bytes");
    }
    struct template_outside outside = {x->notification.now_ns, find_zone, find_route_label, x};
    struct arena_mark mark = arena_mark(x->arena);
    struct template_set *set = template_set_clone(x->arena, x->templates);
    int rc = set == NULL
                 ? err_set(&x->why, ERR_LIMIT, "the template needs more memory than flush_arena_bytes")
                 : template_parse(set, STR(""), source, &x->why);
    if (rc == 0 && html)
        rc = template_escape_html(set, STR(""), &x->why);
    if (rc == 0)
        rc = (html ? template_execute_html : template_execute)(set, STR(""), x->data, &outside, out, &x->why);
    arena_rewind(x->arena, mark);
    return rc;
}

static struct str run_text(struct exchange *x, struct str source, bool html)
{
    struct str text = STR("");
    if (x->rc != 0 || !text_is_template(source))
        return x->rc != 0 ? text : source;
    struct buf out;
    buf_init(&out, (size_t)limits.template_output_bytes);
    x->rc = run(x, source, html, &out);
    if (x->rc == 0)
        text = str_copy(x->arena, buf_slice(&out));
    buf_release(&out);
    if (x->rc == 0 && text.p == NULL)
        exchange_fail(x, ERR_LIMIT, "the notification needs more memory than flush_arena_bytes");
    return text;
}

int exchange_render(struct exchange *x, struct str source, bool html, struct buf *out, struct err *err)
{
    int rc = run(x, source, html, out);
    if (rc != 0 && err != NULL)
        *err = x->why;
    return rc;
}

struct str exchange_text(struct exchange *x, struct str source)
{
    return run_text(x, source, false);
}

struct str exchange_html(struct exchange *x, struct str source)
{
    return run_text(x, source, true);
}

#define ELLIPSIS STR("\xe2\x80\xa6")

static struct str with_ellipsis(struct exchange *x, struct str text, size_t keep)
{
    char *cut = arena_alloc(x->arena, keep + ELLIPSIS.n);
    if (cut == NULL)
        return (struct str){0};
    memcpy(cut, text.p, keep);
    memcpy(cut + keep, ELLIPSIS.p, ELLIPSIS.n);
    return (struct str){cut, keep + ELLIPSIS.n};
}

struct str exchange_cut_runes(struct exchange *x, struct str text, size_t max)
{
    size_t runes = 0, keep = 0;
    int rune;
    for (size_t at = 0; at < text.n; runes++) {
        if (runes == max - 1)
            keep = at;
        at += str_rune(text.p + at, text.n - at, &rune);
    }
    return runes > max ? with_ellipsis(x, text, keep) : text;
}

struct str exchange_text_runes(struct exchange *x, struct str source, size_t max)
{
    return exchange_cut_runes(x, exchange_text(x, source), max);
}

struct str exchange_text_bytes(struct exchange *x, struct str source, size_t max)
{
    struct str text = exchange_text(x, source);
    size_t keep = 0;
    int rune;
    if (text.n <= max)
        return text;
    for (;;) {
        size_t bytes = str_rune(text.p + keep, text.n - keep, &rune);
        if (keep + bytes > max - ELLIPSIS.n)
            return with_ellipsis(x, text, keep);
        keep += bytes;
    }
}

struct str exchange_secret(struct exchange *x, struct str text, struct str file)
{
    struct buf content;
    if (x->rc != 0 || file.n == 0)
        return x->rc != 0 ? STR("") : text;
    buf_init(&content, SECRET_MAX);
    const char *path = arena_copy_text(x->arena, file.p, file.n);
    if (path == NULL)
        exchange_fail(x, ERR_LIMIT, "the path is too long");
    else
        x->rc = x->world->read_file(x->world, path, &content, &x->why);
    struct str secret = str_copy(x->arena, str_trim(buf_slice(&content)));
    buf_release(&content);
    return x->rc == 0 ? secret : STR("");
}

struct str exchange_group_hash(struct exchange *x)
{
    char hex[SHA256_HEX_BYTES];
    sha256_hex(x->notification.group_key, hex);
    return exchange_format(x, "%s", hex);
}
