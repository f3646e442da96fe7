#include "field_priv.h"

#include "tocsin/duration.h"
#include "tocsin/world.h"
#include "tocsin/yaml_print.h"

#include <stdlib.h>

bool text_is_template(struct str text)
{
    for (size_t i = 0; i + 1 < text.n; i++) {
        if (text.p[i] == '{' && text.p[i + 1] == '{')
            return true;
    }
    return false;
}

void field_check_template(struct strict *s, const struct tree *node, struct str text)
{
    if (!text_is_template(text) || strict_stopped(s))
        return;
    struct err why = {0};
    struct arena scratch;
    arena_init(&scratch, s->arena->cap_bytes);
    struct template_set *set = integration_functions(&scratch);
    if (set == NULL || template_parse(set, STR(""), text, &why) != 0)
        strict_fail(s, node, "%s", set == NULL ? "the template is too large" : why.text);
    arena_release(&scratch);
}

void field_exclude(struct strict *s, const struct tree *node, const char *a, struct str a_text, const char *b,
                   struct str b_text)
{
    if (a_text.n > 0 && b_text.n > 0)
        strict_fail(s, node, "at most one of %s & %s must be configured", a, b);
}

void field_one_of(struct strict *s, const struct tree *node, const char *a, struct str a_text, const char *b,
                  struct str b_text)
{
    if (a_text.n == 0 && b_text.n == 0)
        strict_fail(s, node, "one of %s or %s must be configured", a, b);
    field_exclude(s, node, a, a_text, b, b_text);
}

/* ---- texts ---- */

static void set_text(void *target, const char *given)
{
    *(struct str *)target = str_of(given);
}

static void print_text(struct buf *out, int indent, const struct field *field, const void *value)
{
    const struct str *text = value;
    if ((text->n == 0 && field->given == NULL) || (field->newer && str_is(*text, field->given)))
        return;
    yaml_key(out, indent, field->key);
    buf_char(out, ' ');
    yaml_scalar(out, *text);
    buf_char(out, '\n');
}

static void print_secret(struct buf *out, int indent, const struct field *field, const void *value)
{
    yaml_secret(out, indent, field->key, *(const struct str *)value);
}

static void read_template(struct strict *s, const struct tree *node, void *target)
{
    strict_text(s, node, target);
    field_check_template(s, node, *(const struct str *)target);
}

const struct field_type FIELD_text = {strict_text, set_text, print_text};
const struct field_type FIELD_template = {read_template, set_text, print_text};
const struct field_type FIELD_secret = {strict_text, set_text, print_secret};
const struct field_type FIELD_secret_template = {read_template, set_text, print_secret};
const struct field_type FIELD_url = {am_url_text, set_text, print_text};
const struct field_type FIELD_secret_url = {am_secret_url_text, set_text, print_secret};

/* ---- other plain values ---- */

static void set_bool(void *target, const char *given)
{
    *(bool *)target = strcmp(given, "true") == 0;
}

static void print_bool(struct buf *out, int indent, const struct field *field, const void *value)
{
    bool truth = *(const bool *)value;
    if (truth || field->given != NULL)
        yaml_plain(out, indent, field->key, truth ? "true" : "false");
}

const struct field_type FIELD_bool = {strict_bool, set_bool, print_bool};

static void read_maybe(struct strict *s, const struct tree *node, void *target)
{
    bool truth = false;
    strict_bool(s, node, &truth);
    if (tree_is_null(node))
        *(struct str *)target = STR("");
    else
        *(struct str *)target = truth ? STR("true") : STR("false");
}

static void print_maybe(struct buf *out, int indent, const struct field *field, const void *value)
{
    const struct str *text = value;
    if (text->n > 0)
        yaml_plain(out, indent, field->key, str_is(*text, "true") ? "true" : "false");
}

const struct field_type FIELD_maybe = {read_maybe, set_text, print_maybe};

static void set_count(void *target, const char *given)
{
    *(uint64_t *)target = strtoull(given, NULL, 10);
}

static void print_count(struct buf *out, int indent, const struct field *field, const void *value)
{
    uint64_t count = *(const uint64_t *)value;
    if (count == 0 && field->given == NULL)
        return;
    yaml_key(out, indent, field->key);
    buf_format(out, " %llu\n", (unsigned long long)count);
}

const struct field_type FIELD_count = {strict_u64, set_count, print_count};

static void print_timeout(struct buf *out, int indent, const struct field *field, const void *value)
{
    int64_t ms = *(const int64_t *)value;
    if (ms == 0)
        return;
    yaml_key(out, indent, field->key);
    buf_char(out, ' ');
    go_duration_print(out, ms * NS_PER_MS);
    buf_char(out, '\n');
}

const struct field_type FIELD_timeout = {strict_go_duration_ms, NULL, print_timeout};

static void print_duration(struct buf *out, int indent, const struct field *field, const void *value)
{
    int64_t ms = *(const int64_t *)value;
    if (ms == 0)
        return;
    yaml_key(out, indent, field->key);
    buf_char(out, ' ');
    duration_print(out, ms);
    buf_char(out, '\n');
}

const struct field_type FIELD_duration = {strict_duration_ms, NULL, print_duration};

/* ---- several ---- */

static void print_texts(struct buf *out, int indent, const struct field *field, const void *value)
{
    const struct strict_texts *texts = value;
    if (texts->count == 0)
        return;
    yaml_key(out, indent, field->key);
    buf_char(out, '\n');
    for (size_t i = 0; i < texts->count; i++) {
        buf_repeat(out, ' ', (size_t)indent);
        buf_puts(out, "- ");
        yaml_scalar(out, texts->items[i]);
        buf_char(out, '\n');
    }
}

const struct field_type FIELD_texts = {strict_texts, NULL, print_texts};

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

static void read_templates(struct strict *s, const struct tree *node, void *target)
{
    struct strict_pairs *pairs = target;
    strict_pairs(s, node, pairs);
    for (const struct tree *child = pairs->count > 0 ? node->first : NULL; child != NULL; child = child->next)
        field_check_template(s, child, child->text);
    if (pairs->count > 0)
        qsort(pairs->items, pairs->count, sizeof *pairs->items, by_name);
}

static void print_templates(struct buf *out, int indent, const struct field *field, const void *value)
{
    const struct strict_pairs *pairs = value;
    if (pairs->count == 0)
        return;
    yaml_key(out, indent, field->key);
    buf_char(out, '\n');
    for (size_t i = 0; i < pairs->count; i++) {
        buf_repeat(out, ' ', (size_t)indent + 2);
        yaml_scalar(out, pairs->items[i].name);
        buf_puts(out, ": ");
        yaml_scalar(out, pairs->items[i].value);
        buf_char(out, '\n');
    }
}

const struct field_type FIELD_templates = {read_templates, NULL, print_templates};

static void check_tree(struct strict *s, const struct tree *node)
{
    if (node->kind == TREE_SCALAR)
        field_check_template(s, node, node->text);
    for (const struct tree *child = node->first; child != NULL; child = child->next) {
        if (child->key != NULL)
            field_check_template(s, child->key, child->key->text);
        check_tree(s, child);
    }
}

static void read_tree(struct strict *s, const struct tree *node, void *target)
{
    *(const struct tree **)target = tree_is_null(node) ? NULL : node;
    check_tree(s, node);
}

static void print_tree(struct buf *out, int indent, const struct field *field, const void *value)
{
    const struct tree *node = *(const struct tree *const *)value;
    if (node == NULL)
        return;
    yaml_key(out, indent, field->key);
    if (node->kind == TREE_SCALAR || node->count == 0)
        buf_char(out, ' ');
    yaml_value(out, indent, node);
}

const struct field_type FIELD_tree = {read_tree, NULL, print_tree};

/* ---- structs ---- */

static void read_http(struct strict *s, const struct tree *node, void *target)
{
    if (tree_is_null(node))
        return;
    struct http_config *http = ARENA_NEW(s->arena, struct http_config);
    if (http != NULL)
        http_config_read(s, node, http);
    *(const struct http_config **)target = http;
}

void field_print_http(struct buf *out, int indent, const struct http_config *http)
{
    yaml_key(out, indent, "http_config");
    buf_char(out, '\n');
    http_config_print(out, indent + 2, http);
}

static void print_http(struct buf *out, int indent, const struct field *field, const void *value)
{
    (void)field;
    const struct http_config *http = *(const struct http_config *const *)value;
    if (http != NULL)
        field_print_http(out, indent, http);
}

const struct field_type FIELD_http = {read_http, NULL, print_http};

static const struct field *field_named(const struct field *fields, struct str key)
{
    for (; fields->key != NULL; fields++) {
        if (str_is(key, fields->key))
            return fields;
    }
    return NULL;
}

static void read_structs(struct strict *s, const struct tree *node, const struct shape *shape,
                         struct strict_list *list)
{
    if (tree_is_null(node))
        return;
    if (node->kind != TREE_LIST) {
        strict_mismatch(s, node, shape->go_list);
        return;
    }
    char *items = arena_array(s->arena, node->count, shape->size);
    if (items == NULL)
        return;
    *list = (struct strict_list){.items = items};
    for (const struct tree *child = node->first; child != NULL && !strict_stopped(s); child = child->next)
        shape_read(s, child, shape, items + shape->size * list->count++);
}

static void read_field(struct strict *s, const struct tree *node, const struct field *field, void *target)
{
    if (field->type == &FIELD_structs) {
        read_structs(s, node, field->shape, target);
    } else if (field->type != &FIELD_struct) {
        field->type->read(s, node, target);
    } else if (!tree_is_null(node)) {
        void *value = arena_alloc(s->arena, field->shape->size);
        if (value != NULL)
            shape_read(s, node, field->shape, value);
        *(void **)target = value;
    }
}

bool shape_read(struct strict *s, const struct tree *node, const struct shape *shape, void *target)
{
    size_t before = s->problem_count;
    for (const struct field *f = shape->fields; f->key != NULL; f++) {
        if (f->given != NULL)
            f->type->set((char *)target + f->offset, f->given);
    }
    if (!tree_is_null(node) && node->kind != TREE_MAP) {
        strict_mismatch(s, node, shape->go_type);
        return false;
    }
    for (const struct tree *child = node->first; child != NULL && !strict_stopped(s); child = child->next) {
        const struct field *field = field_named(shape->fields, child->key->text);
        if (field == NULL)
            strict_unknown(s, child->key, shape->go_type);
        else
            read_field(s, child, field, (char *)target + field->offset);
    }
    bool sound = !strict_stopped(s) && s->problem_count == before;
    if (sound && shape->check != NULL)
        shape->check(s, node, target);
    return sound && !strict_stopped(s);
}

void shape_print(struct buf *out, int indent, const struct shape *shape, const void *value)
{
    for (const struct field *f = shape->fields; f->key != NULL; f++)
        f->type->print(out, indent, f, (const char *)value + f->offset);
}

static void print_structs(struct buf *out, int indent, const struct field *field, const void *value)
{
    const struct strict_list *list = value;
    if (list->count == 0)
        return;
    yaml_key(out, indent, field->key);
    buf_char(out, '\n');
    for (size_t i = 0; i < list->count; i++) {
        size_t from = out->used;
        shape_print(out, indent + 2, field->shape, (const char *)list->items + field->shape->size * i);
        if (out->used == from)
            buf_format(out, "%*s- {}\n", indent, "");
        else
            yaml_dash(out, from, indent);
    }
}

static void print_struct(struct buf *out, int indent, const struct field *field, const void *value)
{
    const void *held = *(const void *const *)value;
    if (held == NULL)
        return;
    yaml_key(out, indent, field->key);
    size_t from = out->used;
    buf_char(out, '\n');
    size_t head = out->used;
    shape_print(out, indent + 2, field->shape, held);
    if (out->used == head) {
        buf_truncate(out, from);
        buf_puts(out, " {}\n");
    }
}

const struct field_type FIELD_structs = {NULL, NULL, print_structs};
const struct field_type FIELD_struct = {NULL, NULL, print_struct};
