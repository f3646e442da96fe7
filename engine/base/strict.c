#include "tocsin/strict.h"

#include "tocsin/gotext.h"
#include "tocsin/limits.h"

/* Go's decoder shows short scalars whole and long ones by their first seven bytes. */
enum { PROBLEMS_MAX_BYTES = 1 << 20, SHOWN_MAX = 10, SHOWN_CUT = 7 };

static const char out_of_memory[] = "the configuration needs more memory than generation_arena_bytes";

void strict_init(struct strict *s, struct arena *arena)
{
    *s = (struct strict){.arena = arena};
    buf_init(&s->problems, PROBLEMS_MAX_BYTES);
}

void strict_release(struct strict *s)
{
    buf_release(&s->problems);
}

bool strict_stopped(const struct strict *s)
{
    return s->stop.code != 0 || arena_exhausted(s->arena);
}

bool strict_sound(const struct strict *s)
{
    return !strict_stopped(s) && s->problem_count == 0;
}

const char *strict_why(const struct strict *s)
{
    if (s->stop.code != 0)
        return s->stop.text;
    if (arena_exhausted(s->arena))
        return out_of_memory;
    if (s->problem_count > 0)
        return buf_text(&s->problems);
    return s->unsupported.code != 0 ? s->unsupported.text : NULL;
}

int strict_result(const struct strict *s, struct err *err)
{
    if (s->stop.code == 0 && arena_exhausted(s->arena)) {
        limit_hit(LIMIT_generation_arena_bytes);
        return err_set(err, ERR_LIMIT, "%s", out_of_memory);
    }
    if (s->stop.code == 0 && s->problem_count > 0)
        return err_set(err, ERR_PARSE, "%s", buf_text(&s->problems));
    const struct err *told = s->stop.code != 0 ? &s->stop : &s->unsupported;
    if (told->code != 0 && err != NULL)
        *err = *told;
    return told->code;
}

/* ---- complaints ---- */

static void place(struct err *err, const struct tree *node)
{
    err->line = node != NULL ? node->line : 0;
    err->column = node != NULL ? node->column : 0;
}

void strict_fail(struct strict *s, const struct tree *node, const char *format, ...)
{
    if (strict_stopped(s))
        return;
    va_list args;
    va_start(args, format);
    err_vset(&s->stop, ERR_PARSE, format, args);
    va_end(args);
    place(&s->stop, node);
}

void strict_stop(struct strict *s, const struct tree *node, const struct err *why)
{
    if (strict_stopped(s))
        return;
    s->stop = *why;
    place(&s->stop, node);
}

void strict_unsupported(struct strict *s, const struct tree *node, const char *format, ...)
{
    if (s->unsupported.code != 0)
        return;
    va_list args;
    va_start(args, format);
    err_vset(&s->unsupported, ERR_UNSUPPORTED, format, args);
    va_end(args);
    place(&s->unsupported, node);
}

/* Begins the line of one more problem. */
static struct buf *problem_at(struct strict *s, const struct tree *node)
{
    if (s->problem_count++ == 0)
        buf_puts(&s->problems, "yaml: unmarshal errors:");
    buf_format(&s->problems, "\n  line %d: ", node->line);
    return &s->problems;
}

static bool is_bool(const struct strict *s, const struct tree *node)
{
    bool truth;
    return tree_bool(node, &truth) == 0 && (s->yes_is_bool || str_eq_nocase(node->text, STR("true")) ||
                                            str_eq_nocase(node->text, STR("false")));
}

static const char *tag_of(const struct strict *s, const struct tree *node)
{
    int64_t whole;
    double real;
    if (node->kind != TREE_SCALAR)
        return node->kind == TREE_LIST ? "!!seq" : "!!map";
    if (is_bool(s, node))
        return "!!bool";
    if (tree_i64(node, &whole) == 0)
        return "!!int";
    return tree_f64(node, &real) == 0 ? "!!float" : "!!str";
}

void strict_mismatch(struct strict *s, const struct tree *node, const char *go_type)
{
    struct buf *out = problem_at(s, node);
    buf_format(out, "cannot unmarshal %s", tag_of(s, node));
    if (node->kind == TREE_SCALAR) {
        bool cut = node->text.n > SHOWN_MAX;
        struct str shown = {node->text.p, cut ? SHOWN_CUT : node->text.n};
        buf_format(out, " `%.*s%s`", STR_ARG(shown), cut ? "..." : "");
    }
    buf_format(out, " into %s", go_type);
}

void strict_unknown(struct strict *s, const struct tree *key, const char *go_type)
{
    buf_format(problem_at(s, key), "field %.*s not found in type %s", STR_ARG(key->text), go_type);
}

bool strict_keys(struct strict *s, const struct tree *map)
{
    size_t before = s->problem_count;
    for (const struct tree *child = map->first; child != NULL; child = child->next) {
        if (child->key->repeats_line == 0)
            continue;
        struct buf *out = problem_at(s, child->key);
        buf_puts(out, "mapping key ");
        go_quote(out, child->key->text);
        buf_format(out, " already defined at line %d", child->key->repeats_line);
    }
    return s->problem_count == before;
}

/* ---- structs and lists ---- */

static const struct strict_field *field_named(const struct strict_field *fields, struct str name)
{
    for (; fields->name != NULL; fields++)
        if (str_is(name, fields->name))
            return fields;
    return NULL;
}

static void read_fields(struct strict *s, const struct tree *map, const char *go_type,
                        const struct strict_field *fields, char *target)
{
    for (const struct tree *child = map->first; child != NULL && !strict_stopped(s); child = child->next) {
        const struct strict_field *field = field_named(fields, child->key->text);
        if (field != NULL)
            field->read(s, child, target + field->offset);
        else if (!s->ignore_unknown)
            strict_unknown(s, child->key, go_type);
    }
}

bool strict_struct(struct strict *s, const struct tree *node, const char *go_type,
                   const struct strict_field *fields, void *target)
{
    size_t before = s->problem_count;
    if (!tree_is_null(node)) {
        if (node->kind == TREE_MAP && strict_keys(s, node))
            read_fields(s, node, go_type, fields, target);
        else if (node->kind != TREE_MAP)
            strict_mismatch(s, node, go_type);
    }
    return !strict_stopped(s) && s->problem_count == before;
}

void strict_list(struct strict *s, const struct tree *node, const char *go_type, size_t size,
                 strict_read *read, struct strict_list *out)
{
    if (tree_is_null(node))
        return;
    if (node->kind != TREE_LIST) {
        strict_mismatch(s, node, go_type);
        return;
    }
    char *items = arena_array(s->arena, node->count, size);
    if (items == NULL)
        return;
    *out = (struct strict_list){.items = items};
    for (const struct tree *child = node->first; child != NULL && !strict_stopped(s); child = child->next)
        read(s, child, items + size * out->count++);
}

/* ---- plain values ---- */

void strict_skip(struct strict *s, const struct tree *node, void *target)
{
    (void)s;
    (void)node;
    (void)target;
}

void strict_text(struct strict *s, const struct tree *node, void *target)
{
    struct str *text = target;
    *text = STR("");
    if (tree_is_null(node))
        return;
    if (node->kind == TREE_SCALAR)
        *text = node->text;
    else
        strict_mismatch(s, node, "string");
}

void strict_scalar(struct strict *s, const struct tree *node, void *target)
{
    struct strict_scalar *scalar = target;
    scalar->node = node;
    strict_text(s, node, &scalar->text);
}

void strict_bool(struct strict *s, const struct tree *node, void *target)
{
    bool *value = target;
    *value = false;
    if (!tree_is_null(node) && tree_bool(node, value) != 0)
        strict_mismatch(s, node, "bool");
}

/* A float loses its fraction, as in Go's decoder. */
void strict_i64(struct strict *s, const struct tree *node, void *target)
{
    int64_t *value = target;
    double real;
    *value = 0;
    if (tree_is_null(node) || tree_i64(node, value) == 0)
        return;
    if (tree_f64(node, &real) == 0 && real >= -0x1p63 && real < 0x1p63)
        *value = (int64_t)real;
    else
        strict_mismatch(s, node, "int");
}

void strict_u64(struct strict *s, const struct tree *node, void *target)
{
    int64_t whole = 0;
    double real = 0;
    *(uint64_t *)target = 0;
    if (tree_is_null(node))
        return;
    if (tree_i64(node, &whole) != 0 && tree_f64(node, &real) == 0 && real >= 0 && real < 0x1p63)
        whole = (int64_t)real;
    else if (tree_i64(node, &whole) != 0 || whole < 0)
        strict_mismatch(s, node, "uint64");
    *(uint64_t *)target = whole > 0 ? (uint64_t)whole : 0;
}

void strict_f64(struct strict *s, const struct tree *node, void *target)
{
    double *value = target;
    *value = 0;
    if (!tree_is_null(node) && tree_f64(node, value) != 0)
        strict_mismatch(s, node, "float64");
}

void strict_texts(struct strict *s, const struct tree *node, void *target)
{
    struct strict_list list = {0};
    strict_list(s, node, "[]string", sizeof(struct str), strict_text, &list);
    *(struct strict_texts *)target = (struct strict_texts){list.items, list.count};
}
