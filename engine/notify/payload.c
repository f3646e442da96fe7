#include "integration_priv.h"
#include "json_priv.h"

#include "tocsin/gotext.h"

#include <math.h>
#include <stdlib.h>

static void write_value(struct exchange *x, struct buf *out, const struct tree *node, bool templated);

struct entry {
    struct str key;
    const struct tree *value;
    size_t place;
};

static int by_key(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = str_cmp(x->key, y->key);
    return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

static bool is_text(const struct tree *node)
{
    bool truth;
    double real;
    return node->kind == TREE_SCALAR && !tree_is_null(node) && tree_bool(node, &truth) != 0 &&
           tree_f64(node, &real) != 0;
}

/* Keys sorted; those that are no texts are left out, of equal ones the last counts. */
static void write_map(struct exchange *x, struct buf *out, const struct tree *map, bool templated)
{
    struct entry *entries = ARENA_ARRAY(x->arena, struct entry, map->count);
    size_t count = 0;
    for (const struct tree *child = map->first; entries != NULL && child != NULL; child = child->next) {
        struct str key = templated ? exchange_text(x, child->key->text) : child->key->text;
        if (is_text(child->key))
            entries[count] = (struct entry){key, child, count};
        count += is_text(child->key);
    }
    if (count > 0)
        qsort(entries, count, sizeof *entries, by_key);
    buf_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && str_eq(entries[i].key, entries[i + 1].key))
            continue;
        json_key(out, NULL);
        json_string(out, entries[i].key);
        buf_char(out, ':');
        write_value(x, out, entries[i].value, templated);
    }
    buf_char(out, '}');
}

static void write_list(struct exchange *x, struct buf *out, const struct tree *list, bool templated)
{
    buf_char(out, '[');
    for (const struct tree *child = list->first; child != NULL; child = child->next) {
        json_key(out, NULL);
        write_value(x, out, child, templated);
    }
    buf_char(out, ']');
}

static void write_text(struct exchange *x, struct buf *out, struct str source)
{
    struct tree *read = NULL;
    struct str text = exchange_text(x, source);
    if (yaml_parse(x->arena, text, &read, NULL) != 0 || (read != NULL && is_text(read)))
        json_string(out, text);
    else if (read == NULL)
        buf_puts(out, "null");
    else
        write_value(x, out, read, false);
}

static void write_number(struct exchange *x, struct buf *out, const struct tree *node)
{
    int64_t whole;
    double real = 0;
    if (tree_i64(node, &whole) == 0) {
        buf_i64(out, whole);
        return;
    }
    (void)tree_f64(node, &real);
    if (!isfinite(real))
        exchange_fail(x, ERR_ARG, "json: unsupported value: %.*s", STR_ARG(node->text));
    go_float_json(out, real);
}

static void write_value(struct exchange *x, struct buf *out, const struct tree *node, bool templated)
{
    bool truth;
    if (node->kind == TREE_MAP)
        write_map(x, out, node, templated);
    else if (node->kind == TREE_LIST)
        write_list(x, out, node, templated);
    else if (is_text(node) && templated)
        write_text(x, out, node->text);
    else if (is_text(node))
        json_string(out, node->text);
    else if (tree_is_null(node))
        buf_puts(out, "null");
    else if (tree_bool(node, &truth) == 0)
        buf_puts(out, truth ? "true" : "false");
    else
        write_number(x, out, node);
}

void exchange_payload(struct exchange *x, struct buf *out, const struct tree *node)
{
    write_value(x, out, node, true);
}

void exchange_json_some(struct exchange *x, struct buf *out, const char *key, struct str source)
{
    json_text_some(out, key, exchange_text(x, source));
}
