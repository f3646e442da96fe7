#include "strict_priv.h"

#include "tocsin/duration.h"

enum { PROBLEMS_MAX_BYTES = 1 << 20, SHOWN_MAX = 10, SHOWN_CUT = 7 };

void strict_init(struct strict *s, struct arena *arena)
{
    *s = (struct strict){.arena = arena};
    buf_init(&s->problems, PROBLEMS_MAX_BYTES);
}

void strict_release(struct strict *s)
{
    buf_release(&s->problems);
}

bool strict_failed(const struct strict *s, struct buf *out)
{
    if (s->fatal.code != 0) {
        buf_puts(out, s->fatal.text);
        return true;
    }
    if (arena_exhausted(s->arena)) {
        buf_puts(out, "too large");
        return true;
    }
    if (s->problems.used == 0)
        return false;
    buf_puts(out, "yaml: unmarshal errors:");
    buf_str(out, buf_slice(&s->problems));
    return true;
}

void strict_refuse(struct strict *s, const struct err *why)
{
    if (s->fatal.code == 0)
        s->fatal = *why;
}

static const char *short_tag(const struct tree *node)
{
    bool truth;
    int64_t whole;
    double real;
    if (node->kind != TREE_SCALAR)
        return node->kind == TREE_LIST ? "!!seq" : "!!map";
    if (node->quoted)
        return "!!str";
    if (tree_is_null(node))
        return "!!null";
    if ((str_eq_nocase(node->text, STR("true")) || str_eq_nocase(node->text, STR("false"))) &&
        tree_bool(node, &truth) == 0)
        return "!!bool";
    if (tree_i64(node, &whole) == 0)
        return "!!int";
    return tree_f64(node, &real) == 0 ? "!!float" : "!!str";
}

static void mismatch(struct strict *s, const struct tree *node, const char *go_type)
{
    buf_format(&s->problems, "\n  line %d: cannot unmarshal %s", node->line, short_tag(node));
    if (node->kind == TREE_SCALAR) {
        bool cut = node->text.n > SHOWN_MAX;
        struct str shown = {node->text.p, cut ? SHOWN_CUT : node->text.n};
        buf_format(&s->problems, " `%.*s%s`", STR_ARG(shown), cut ? "..." : "");
    }
    buf_format(&s->problems, " into %s", go_type);
}

static const struct strict_field *field_named(const struct strict_field *fields, struct str name)
{
    for (; fields->name != NULL; fields++)
        if (str_is(name, fields->name))
            return fields;
    return NULL;
}

void strict_struct(struct strict *s, const struct tree *node, const char *go_type,
                   const struct strict_field *fields, void *target)
{
    if (tree_is_null(node))
        return;
    if (node->kind != TREE_MAP) {
        mismatch(s, node, go_type);
        return;
    }
    for (const struct tree *child = node->first; child != NULL && s->fatal.code == 0; child = child->next) {
        const struct strict_field *field = field_named(fields, child->key->text);
        if (field != NULL)
            field->read(s, child, (char *)target + field->offset);
        else if (!s->ignore_unknown)
            buf_format(&s->problems, "\n  line %d: field %.*s not found in type %s", child->key->line,
                       STR_ARG(child->key->text), go_type);
    }
}

void strict_list(struct strict *s, const struct tree *node, const char *go_type, size_t size,
                 void (*read)(struct strict *s, const struct tree *node, void *target),
                 struct strict_list *out)
{
    if (tree_is_null(node))
        return;
    if (node->kind != TREE_LIST) {
        mismatch(s, node, go_type);
        return;
    }
    char *items = arena_array(s->arena, node->count, size);
    if (items == NULL)
        return;
    *out = (struct strict_list){.items = items};
    for (const struct tree *child = node->first; child != NULL && s->fatal.code == 0; child = child->next)
        read(s, child, items + size * out->count++);
}

static bool is_scalar(struct strict *s, const struct tree *node, const char *go_type)
{
    if (node->kind == TREE_SCALAR)
        return true;
    mismatch(s, node, go_type);
    return false;
}

void strict_text(struct strict *s, const struct tree *node, void *target)
{
    if (!tree_is_null(node) && is_scalar(s, node, "string"))
        *(struct str *)target = node->text;
}

void strict_scalar(struct strict *s, const struct tree *node, void *target)
{
    struct strict_scalar *scalar = target;
    scalar->node = node;
    strict_text(s, node, &scalar->text);
}

void strict_duration(struct strict *s, const struct tree *node, void *target)
{
    struct strict_duration *duration = target;
    struct err why;
    if (tree_is_null(node) || !is_scalar(s, node, "string"))
        return;
    duration->given = true;
    if (duration_parse(node->text, &duration->ms, &why) != 0)
        strict_refuse(s, &why);
}

void strict_i64(struct strict *s, const struct tree *node, void *target)
{
    if (!tree_is_null(node) && tree_i64(node, target) != 0)
        mismatch(s, node, "int");
}

void strict_f64(struct strict *s, const struct tree *node, void *target)
{
    int64_t whole;
    if (tree_is_null(node) || tree_f64(node, target) == 0)
        return;
    if (tree_i64(node, &whole) == 0)
        *(double *)target = (double)whole;
    else
        mismatch(s, node, "float64");
}

void strict_bool(struct strict *s, const struct tree *node, void *target)
{
    if (!tree_is_null(node) && tree_bool(node, target) != 0)
        mismatch(s, node, "bool");
}

void strict_pairs(struct strict *s, const struct tree *node, void *target)
{
    struct strict_pairs *pairs = target;
    if (tree_is_null(node))
        return;
    if (node->kind != TREE_MAP) {
        mismatch(s, node, "map[string]string");
        return;
    }
    pairs->count = 0;
    pairs->items = ARENA_ARRAY(s->arena, struct label, node->count);
    if (pairs->items == NULL)
        return;
    for (const struct tree *child = node->first; child != NULL; child = child->next) {
        struct label *pair = &pairs->items[pairs->count];
        if (!is_scalar(s, child->key, "string"))
            continue;
        pair->name = child->key->text;
        strict_text(s, child, &pair->value);
        pairs->count++;
    }
}

void strict_texts(struct strict *s, const struct tree *node, void *target)
{
    strict_list(s, node, "[]string", sizeof(struct str), strict_text, target);
}
