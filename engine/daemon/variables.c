#include "variables_priv.h"

#include "tocsin/buf.h"
#include "tocsin/limits.h"
#include "tocsin/log.h"

#include <ctype.h>
#include <stdlib.h>

static bool is_name_byte(char c)
{
    return c == '_' || isalnum((unsigned char)c);
}

/* What stands for a variable without being a name. */
static bool is_special(char c)
{
    return c != '\0' && strchr("*#$@!?-0123456789", c) != NULL;
}

/* Behind "${": up to the brace, which goes, too. Without one only the opening goes. */
static struct str cut_braced(struct str *rest)
{
    const char *end = memchr(rest->p, '}', rest->n);
    if (end == NULL)
        return (struct str){rest->p, 0};
    struct str name = {rest->p, (size_t)(end - rest->p)};
    *rest = (struct str){end + 1, rest->n - name.n - 1};
    return name;
}

static struct str cut_plain(struct str *rest)
{
    size_t n = 0;
    if (rest->n > 0 && is_special(rest->p[0]))
        n = 1;
    else
        while (n < rest->n && is_name_byte(rest->p[n]))
            n++;
    struct str name = {rest->p, n};
    *rest = (struct str){rest->p + n, rest->n - n};
    return name;
}

static void add_value(struct buf *out, struct arena *arena, struct str name)
{
    if (str_is(name, "$")) {
        buf_char(out, '$');
        return;
    }
    const char *text = arena_copy_text(arena, name.p, name.n);
    const char *value = text != NULL ? getenv(text) : NULL;
    if (value != NULL && *value != '\0')
        buf_puts(out, value);
    else
        log_warn("Empty environment variable", LOG_STR("name", name));
}

/* rest: behind a dollar sign. */
static void expand_one(struct buf *out, struct arena *arena, struct str *rest)
{
    bool braced = rest->n > 0 && rest->p[0] == '{';
    if (braced)
        *rest = (struct str){rest->p + 1, rest->n - 1};
    struct str name = braced ? cut_braced(rest) : cut_plain(rest);
    if (name.n > 0)
        add_value(out, arena, name);
    else if (!braced)
        buf_char(out, '$');
}

static void expand(struct buf *out, struct arena *arena, struct str text)
{
    while (text.n > 0) {
        char c = *text.p;
        text = (struct str){text.p + 1, text.n - 1};
        if (c == '$')
            expand_one(out, arena, &text);
        else
            buf_char(out, c);
    }
}

const struct labels *variables_expand(struct arena *arena, const struct labels *ls)
{
    struct label *items = arena_copy(arena, ls->item, ls->count, sizeof *items);
    struct buf value;
    buf_init(&value, (size_t)limits.yaml_bytes);
    for (size_t i = 0; items != NULL && i < ls->count; i++) {
        buf_clear(&value);
        expand(&value, arena, ls->item[i].value);
        items[i].value = str_copy(arena, buf_slice(&value));
        if (buf_overflow(&value) || items[i].value.p == NULL)
            items = NULL;
    }
    buf_release(&value);
    return items != NULL ? labels_make(arena, items, ls->count) : NULL;
}
