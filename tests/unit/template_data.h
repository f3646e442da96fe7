/* Template data from JSON, with the typed forms that template_cases.txt explains. */
#ifndef TOCSIN_TESTS_TEMPLATE_DATA_H
#define TOCSIN_TESTS_TEMPLATE_DATA_H

#include "tocsin/check.h"
#include "tocsin/template.h"
#include "tocsin/tree.h"

#include <stdlib.h>

static inline struct tval data_of(struct arena *arena, const struct tree *node);

static inline struct tval *data_ref(struct arena *arena, const struct tree *node)
{
    struct tval v = data_of(arena, node);
    struct tval *copy = arena_copy(arena, &v, 1, sizeof v);
    must(copy != NULL);
    return copy;
}

static inline int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct tval_field *)a)->name, ((const struct tval_field *)b)->name);
}

static inline struct tval_field *fields_of(struct arena *arena, const struct tree *node)
{
    struct tval_field *fields = ARENA_ARRAY(arena, struct tval_field, node->count);
    must(fields != NULL);
    size_t i = 0;
    for (const struct tree *c = node->first; c != NULL; c = c->next)
        fields[i++] = (struct tval_field){.name = c->key->text, .value = data_ref(arena, c)};
    return fields;
}

static inline struct tval map_of(struct arena *arena, const struct tree *node, enum tval_kind zero)
{
    struct tval_field *fields = fields_of(arena, node);
    if (node->count > 0)
        qsort(fields, node->count, sizeof *fields, by_name);
    return tval_map(fields, node->count, zero);
}

static inline struct tval list_of(struct arena *arena, const struct tree *node)
{
    struct tval *items = ARENA_ARRAY(arena, struct tval, node->count);
    must(items != NULL);
    size_t i = 0;
    for (const struct tree *c = node->first; c != NULL; c = c->next)
        items[i++] = data_of(arena, c);
    return tval_list(items, node->count);
}

static inline int alert_upper(struct template_run *run, const struct tval *args, size_t count,
                              struct tval *out, struct err *err)
{
    (void)err;
    must(count == 1);
    struct str s = str_copy(template_arena(run), tval_get(&args[0], STR("Status"))->text);
    char *text = (char *)(uintptr_t)s.p;
    for (size_t i = 0; i < s.n; i++)
        text[i] = (char)(text[i] & ~0x20);
    *out = tval_text(s);
    return 0;
}

static inline int alert_join(struct template_run *run, const struct tval *args, size_t count,
                             struct tval *out, struct err *err)
{
    (void)err;
    must(count == 3);
    struct buf text;
    buf_init(&text, 1000);
    for (int64_t i = 0; i < args[2].integer; i++) {
        buf_str(&text, tval_get(&args[0], STR("Status"))->text);
        buf_str(&text, args[1].text);
    }
    *out = tval_text(str_copy(template_arena(run), buf_slice(&text)));
    buf_release(&text);
    return 0;
}

static inline int alert_later(struct template_run *run, const struct tval *args, size_t count,
                              struct tval *out, struct err *err)
{
    (void)run;
    (void)count;
    (void)err;
    *out = *tval_get(&args[0], STR("StartsAt"));
    out->time.unix_s += args[1].integer / 1000000000;
    out->time.ns += (int32_t)(args[1].integer % 1000000000);
    return 0;
}

static inline int alert_fail(struct template_run *run, const struct tval *args, size_t count,
                             struct tval *out, struct err *err)
{
    (void)run;
    (void)args;
    (void)count;
    (void)out;
    return err_set(err, ERR_EXEC, "no luck");
}

static const struct template_function alert_methods[] = {{"Upper", alert_upper, ""},
                                                         {"Join", alert_join, "string int"},
                                                         {"Later", alert_later, "time.Duration"},
                                                         {"Fail", alert_fail, ""},
                                                         {NULL, NULL, NULL}};
static const struct tval_type type_alert = {
    .go_name = "main.Alert", .methods = alert_methods, .json_small = true};

static inline void print_level(struct buf *out, const struct tval *v)
{
    buf_format(out, "level-%lld", (long long)v->integer);
}

static const struct tval_type type_level = {.go_name = "main.Level", .print = print_level};

static inline bool typed(struct arena *arena, const struct tree *node, struct tval *out)
{
    const struct tree *c = node->first;
    int64_t n = 0;
    if (node->count != 1 || !str_starts(c->key->text, STR("@")))
        return false;
    if (c->kind == TREE_SCALAR)
        must(tree_i64(c, &n) == 0);
    if (str_is(c->key->text, "@strings")) {
        *out = map_of(arena, c, TVAL_TEXT);
    } else if (str_is(c->key->text, "@texts")) {
        *out = list_of(arena, c);
        *out = tval_texts(out->list.items, out->list.count);
    } else if (str_is(c->key->text, "@time")) {
        *out = tval_time(n);
    } else if (str_is(c->key->text, "@duration")) {
        *out = tval_duration(n);
    } else if (str_is(c->key->text, "@level")) {
        *out = tval_int(n);
        out->type = &type_level;
    } else {
        *out = tval_object(&type_alert, fields_of(arena, c), c->count);
    }
    return true;
}

static inline struct tval scalar_of(const struct tree *node)
{
    int64_t integer;
    double real;
    if (node->quoted)
        return tval_text(node->text);
    if (tree_is_null(node))
        return tval_nil();
    if (str_is(node->text, "true") || str_is(node->text, "false"))
        return tval_bool(str_is(node->text, "true"));
    if (str_find_char(node->text, '.') == node->text.n && tree_i64(node, &integer) == 0)
        return tval_int(integer);
    must(tree_f64(node, &real) == 0);
    return tval_float(real);
}

static inline struct tval data_of(struct arena *arena, const struct tree *node)
{
    struct tval v;
    if (node->kind == TREE_LIST)
        return list_of(arena, node);
    if (node->kind == TREE_SCALAR)
        return scalar_of(node);
    return typed(arena, node, &v) ? v : map_of(arena, node, TVAL_NIL);
}

#endif
