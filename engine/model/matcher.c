#include "tocsin/matcher.h"

#include "tocsin/gotext.h"

int matcher_init(struct matcher *m, enum match_op op, struct str name, struct str value, enum regex_kind kind,
                 struct err *err)
{
    *m = (struct matcher){.op = op, .name = name, .value = value};
    if (op == MATCH_EQUAL || op == MATCH_NOT_EQUAL)
        return 0;
    struct err why = {0};
    m->regex = regex_open(value, kind, &why);
    if (m->regex != NULL)
        return 0;
    if (err != NULL)
        *err = why;
    return why.code;
}

void matcher_release(struct matcher *m)
{
    regex_free(m->regex);
    m->regex = NULL;
}

bool matcher_matches(const struct matcher *m, struct str value)
{
    switch (m->op) {
    case MATCH_EQUAL:
        return str_eq(m->value, value);
    case MATCH_NOT_EQUAL:
        return !str_eq(m->value, value);
    case MATCH_REGEX:
        return regex_match(m->regex, value);
    case MATCH_NOT_REGEX:
        return !regex_match(m->regex, value);
    }
    return false;
}

bool matchers_match(const struct matcher *ms, size_t count, const struct labels *ls)
{
    for (size_t i = 0; i < count; i++)
        if (!matcher_matches(&ms[i], labels_get(ls, ms[i].name)))
            return false;
    return true;
}

bool matcher_matches_empty(const struct matcher *m)
{
    return matcher_matches(m, (struct str){NULL, 0});
}

const char *match_op_text(enum match_op op)
{
    static const char *const text[] = {"=", "!=", "=~", "!~"};
    return text[op];
}

void matcher_print(struct buf *out, const struct matcher *m)
{
    if (label_name_is_classic(m->name))
        buf_str(out, m->name);
    else
        go_quote(out, m->name);
    buf_puts(out, match_op_text(m->op));
    go_quote(out, m->value);
}

bool matcher_equal(const struct matcher *a, const struct matcher *b)
{
    return a->op == b->op && str_eq(a->name, b->name) && str_eq(a->value, b->value);
}
