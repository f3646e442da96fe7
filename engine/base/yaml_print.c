#include "tocsin/yaml_print.h"

#include "tocsin/gotext.h"

/* A text that YAML 1.1 would not read as a string unless it is quoted. */
static bool is_ambiguous(struct str s)
{
    struct tree plain = {.kind = TREE_SCALAR, .text = s};
    bool truth;
    double real;
    int64_t integer;
    if (s.n == 0 || tree_is_null(&plain) || tree_bool(&plain, &truth) == 0 ||
        tree_i64(&plain, &integer) == 0 || tree_f64(&plain, &real) == 0 || str_is(s, "=") || str_is(s, "<<"))
        return true;
    if (s.n == 1)
        return strchr("yYnN", s.p[0]) != NULL;
    for (size_t i = 0; i < s.n; i++) {
        if ((s.p[i] < '0' || s.p[i] > '9') && strchr(":-+._", s.p[i]) == NULL)
            return false;
    }
    return true; /* 09:00, 2026-11-22 */
}

static bool needs_escapes(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    }
    return !str_is_utf8(s);
}

static bool needs_quotes(struct str s)
{
    char first = s.p[0], last = s.p[s.n - 1];
    if (strchr(",[]{}#&*!|>'\"%@`", first) != NULL || first == ' ' || last == ' ' || last == ':')
        return true;
    if (strchr("-?:", first) != NULL && (s.n == 1 || s.p[1] == ' '))
        return true;
    for (size_t i = 0; i + 1 < s.n; i++) {
        if ((s.p[i] == ':' && s.p[i + 1] == ' ') || (s.p[i] == ' ' && s.p[i + 1] == '#'))
            return true;
    }
    return false;
}

void yaml_scalar(struct buf *out, struct str s)
{
    if (is_ambiguous(s) || needs_escapes(s)) {
        json_string_raw(out, s);
        return;
    }
    if (!needs_quotes(s)) {
        buf_str(out, s);
        return;
    }
    buf_char(out, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'')
            buf_char(out, '\'');
        buf_char(out, s.p[i]);
    }
    buf_char(out, '\'');
}

void yaml_key(struct buf *out, int indent, const char *key)
{
    buf_repeat(out, ' ', (size_t)indent);
    buf_format(out, "%s:", key);
}

void yaml_text(struct buf *out, int indent, const char *key, struct str value)
{
    if (value.n == 0)
        return;
    yaml_key(out, indent, key);
    buf_char(out, ' ');
    yaml_scalar(out, value);
    buf_char(out, '\n');
}

void yaml_plain(struct buf *out, int indent, const char *key, const char *value)
{
    yaml_key(out, indent, key);
    buf_format(out, " %s\n", value);
}

void yaml_secret(struct buf *out, int indent, const char *key, struct str value)
{
    if (value.n > 0)
        yaml_plain(out, indent, key, "<secret>");
}

/* The content of a list item goes on the line of its dash. */
void yaml_dash(struct buf *out, size_t from, int indent)
{
    if (!out->overflow && out->used > from + (size_t)indent + 1)
        out->bytes[from + (size_t)indent] = '-';
}

static void print_list(struct buf *out, int indent, const struct tree *list)
{
    for (const struct tree *item = list->first; item != NULL; item = item->next) {
        size_t from = out->used;
        if (item->kind == TREE_MAP && item->count > 0) {
            yaml_tree(out, indent + 2, item);
            yaml_dash(out, from, indent);
            continue;
        }
        buf_repeat(out, ' ', (size_t)indent);
        buf_puts(out, "- ");
        yaml_value(out, indent, item);
    }
}

void yaml_value(struct buf *out, int indent, const struct tree *node)
{
    if (node->kind == TREE_SCALAR) {
        yaml_scalar(out, node->text);
        buf_char(out, '\n');
    } else if (node->count == 0) {
        buf_puts(out, node->kind == TREE_MAP ? "{}\n" : "[]\n");
    } else {
        buf_char(out, '\n');
        if (node->kind == TREE_LIST)
            print_list(out, indent, node);
        else
            yaml_tree(out, indent + 2, node);
    }
}

void yaml_tree(struct buf *out, int indent, const struct tree *map)
{
    for (const struct tree *child = map->first; child != NULL; child = child->next) {
        buf_repeat(out, ' ', (size_t)indent);
        yaml_scalar(out, child->key->text);
        buf_char(out, ':');
        if (tree_is_null(child)) {
            buf_char(out, '\n');
            continue;
        }
        if (child->kind == TREE_SCALAR || child->count == 0)
            buf_char(out, ' ');
        yaml_value(out, indent, child);
    }
}

void yaml_child(struct buf *out, int indent, const struct tree *map, const char *key)
{
    const struct tree *child = map != NULL ? tree_get(map, key) : NULL;
    if (tree_is_null(child) || (child->kind != TREE_SCALAR && child->count == 0))
        return;
    yaml_key(out, indent, key);
    if (child->kind == TREE_SCALAR)
        buf_char(out, ' ');
    yaml_value(out, indent, child);
}
