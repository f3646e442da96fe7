#include "tocsin/gotext.h"
#include "tocsin/labels.h"
#include "tocsin/tree.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_classic(struct str name, bool colons)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool digit = i > 0 && c >= '0' && c <= '9';
        if (!is_letter(c) && !digit && !(colons && c == ':'))
            return false;
    }
    return name.n > 0;
}

bool label_name_is_classic(struct str name)
{
    return is_classic(name, false);
}

bool metric_name_is_classic(struct str name)
{
    return is_classic(name, true);
}

bool label_name_is_valid(struct str name)
{
    return name.n > 0 && str_is_utf8(name);
}

static void print_label(struct buf *out, const struct label *l)
{
    if (label_name_is_classic(l->name))
        buf_str(out, l->name);
    else
        go_quote(out, l->name);
    buf_char(out, '=');
    go_quote(out, l->value);
}

void labels_print(struct buf *out, const struct labels *ls)
{
    buf_char(out, '{');
    for (size_t i = 0; i < ls->count; i++) {
        if (i > 0)
            buf_puts(out, ", ");
        print_label(out, &ls->item[i]);
    }
    buf_char(out, '}');
}

void labels_print_json(struct buf *out, const struct labels *ls)
{
    buf_char(out, '{');
    for (size_t i = 0; ls != NULL && i < ls->count; i++) {
        if (i > 0)
            buf_char(out, ',');
        json_string(out, ls->item[i].name);
        buf_char(out, ':');
        json_string(out, ls->item[i].value);
    }
    buf_char(out, '}');
}
