#include "am_matcher_priv.h"

#include "tocsin/gotext.h"

int am_raws_add(struct arena *arena, struct am_raws *raws, const struct am_raw *raw, struct err *err)
{
    ARENA_GROW(arena, raws->items, raws->count, raws->capacity);
    if (raws->items == NULL)
        return err_set(err, ERR_LIMIT, "too many matchers");
    raws->items[raws->count++] = *raw;
    return 0;
}

static bool same(const struct am_raws *a, const struct am_raws *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct am_raw *x = &a->items[i], *y = &b->items[i];
        if (x->op != y->op || !str_eq(x->name, y->name) || !str_eq(x->value, y->value))
            return false;
    }
    return true;
}

/* The classic grammar has the last word: where both read the text and disagree, and where both fail. */
static int read_text(struct arena *arena, struct str text, bool single, struct am_raws *out, struct err *err)
{
    struct err why = {0};
    struct am_raws modern = {0}, classic = {0};
    int modern_rc = am_utf8_read(arena, text, single, &modern, NULL);
    int classic_rc = am_classic_read(arena, text, single, &classic, &why);
    if (modern_rc != 0 && classic_rc != 0) {
        if (err != NULL)
            *err = why;
        return classic_rc;
    }
    bool use_modern = classic_rc != 0 || (modern_rc == 0 && same(&modern, &classic));
    *out = use_modern ? modern : classic;
    return 0;
}

static int build(struct arena *arena, const struct am_raw *raw, struct matcher *out, struct err *err)
{
    struct str name = str_copy(arena, raw->name), value = str_copy(arena, raw->value);
    if (name.p == NULL || value.p == NULL)
        return err_set(err, ERR_LIMIT, "too much memory for matchers");
    return matcher_init(out, raw->op, name, value, REGEX_ANCHORED, err);
}

int am_matcher_parse(struct arena *arena, struct str text, struct matcher *out, struct err *err)
{
    struct am_raws raws = {0};
    int rc = read_text(arena, text, true, &raws, err);
    return rc != 0 ? rc : build(arena, &raws.items[0], out, err);
}

int am_matchers_parse(struct arena *arena, struct str text, struct matcher **out, size_t *count,
                      struct err *err)
{
    struct am_raws raws = {0};
    int rc = read_text(arena, text, false, &raws, err);
    if (rc != 0)
        return rc;
    struct matcher *ms = ARENA_ARRAY(arena, struct matcher, raws.count);
    if (ms == NULL)
        return err_set(err, ERR_LIMIT, "too many matchers");
    for (size_t i = 0; i < raws.count; i++) {
        rc = build(arena, &raws.items[i], &ms[i], err);
        if (rc != 0) {
            while (i-- > 0)
                matcher_release(&ms[i]);
            return rc;
        }
    }
    *out = ms;
    *count = raws.count;
    return 0;
}

static bool needs_quotes(struct str name)
{
    for (size_t i = 0; i < name.n;) {
        int rune;
        size_t n = str_rune(name.p + i, name.n - i, &rune);
        if (am_is_reserved(name.p[i]) || am_is_blank(rune))
            return true;
        i += n;
    }
    return name.n == 0;
}

void am_matcher_print(struct buf *out, const struct matcher *m)
{
    if (needs_quotes(m->name)) {
        go_quote(out, m->name);
        buf_puts(out, match_op_text(m->op));
        go_quote(out, m->value);
        return;
    }
    buf_str(out, m->name);
    buf_puts(out, match_op_text(m->op));
    buf_char(out, '"');
    for (size_t i = 0; i < m->value.n; i++) {
        char c = m->value.p[i];
        if (c == '\n')
            buf_puts(out, "\\n");
        else if (c == '\\' || c == '"')
            buf_format(out, "\\%c", c);
        else
            buf_char(out, c);
    }
    buf_char(out, '"');
}
