#include "tocsin/yaml_emit.h"

#include "tocsin/check.h"

#include <stdlib.h>
#include <yaml.h>

enum { WIDTH = 80 };

/* ---- trees ---- */

static struct tree *new_node(struct arena *arena, enum tree_kind kind)
{
    struct tree *node = ARENA_NEW(arena, struct tree);
    if (node != NULL)
        node->kind = kind;
    return node;
}

struct tree *tree_map(struct arena *arena)
{
    return new_node(arena, TREE_MAP);
}

struct tree *tree_list(struct arena *arena)
{
    return new_node(arena, TREE_LIST);
}

void tree_add(struct tree *list, struct tree *child)
{
    if (list == NULL || child == NULL)
        return;
    struct tree **end = &list->first;
    while (*end != NULL)
        end = &(*end)->next;
    *end = child;
    list->count++;
}

static struct tree *new_text(struct arena *arena, struct str text)
{
    struct tree *node = new_node(arena, TREE_SCALAR);
    if (node != NULL)
        node->text = text;
    return node;
}

void tree_put(struct arena *arena, struct tree *map, struct str key, struct tree *child)
{
    if (child != NULL)
        child->key = new_text(arena, key);
    if (child != NULL && child->key != NULL)
        tree_add(map, child);
}

void tree_put_text(struct arena *arena, struct tree *map, struct str key, struct str text)
{
    tree_put(arena, map, key, new_text(arena, text));
}

/* ---- the order of keys ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

/* The digits around position i; none if there is no digit. */
static struct str digits_at(struct str s, size_t i)
{
    size_t from = i, to = i;
    while (to < s.n && is_digit(s.p[to]))
        to++;
    while (to > i && from > 0 && is_digit(s.p[from - 1]))
        from--;
    return (struct str){s.p + from, to - from};
}

static struct str without_zeros(struct str digits)
{
    while (digits.n > 0 && digits.p[0] == '0')
        digits = (struct str){digits.p + 1, digits.n - 1};
    return digits;
}

static int by_count(struct str a, struct str b)
{
    struct str x = without_zeros(a), y = without_zeros(b);
    if (x.n != y.n)
        return x.n < y.n ? -1 : 1;
    int order = str_cmp(x, y);
    return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

/* Of two texts that first differ at i, where both go on. */
static int compare_at(struct str a, struct str b, size_t i)
{
    char x = a.p[i], y = b.p[i];
    int bytes = (unsigned char)x < (unsigned char)y ? -1 : 1;
    if (is_letter(x) && is_letter(y))
        return bytes;
    if (is_letter(x) || is_letter(y))
        return is_letter(y) ? -1 : 1;
    int order = by_count(digits_at(a, i), digits_at(b, i));
    return order != 0 ? order : bytes;
}

static int by_key(const void *left, const void *right)
{
    struct str a = (*(struct tree *const *)left)->key->text, b = (*(struct tree *const *)right)->key->text;
    for (size_t i = 0; i < a.n && i < b.n; i++)
        if (a.p[i] != b.p[i])
            return compare_at(a, b, i);
    return (a.n > b.n) - (a.n < b.n);
}

static void sort_children(struct arena *arena, struct tree *map)
{
    struct tree **children = ARENA_ARRAY(arena, struct tree *, map->count);
    size_t count = 0;
    if (children == NULL)
        return;
    for (struct tree *child = map->first; child != NULL; child = child->next)
        children[count++] = child;
    qsort(children, count, sizeof *children, by_key);
    map->first = NULL;
    while (count > 0) {
        children[--count]->next = map->first;
        map->first = children[count];
    }
}

void tree_sort(struct arena *arena, struct tree *map)
{
    if (map->kind == TREE_MAP && map->count > 1)
        sort_children(arena, map);
    for (struct tree *child = map->first; child != NULL; child = child->next)
        tree_sort(arena, child);
}

/* ---- what would be read as something else ---- */

static bool is_one_of(struct str s, const char *const *words)
{
    for (; *words != NULL; words++)
        if (str_is(s, *words))
            return true;
    return false;
}

static bool is_word(struct str s)
{
    static const char *const words[] = {"",      "~",     "null",  "Null",  "NULL",  "y",     "Y",     "yes",
                                        "Yes",   "YES",   "true",  "True",  "TRUE",  "on",    "On",    "ON",
                                        "n",     "N",     "no",    "No",    "NO",    "off",   "Off",   "OFF",
                                        "false", "False", "FALSE", ".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",
                                        ".INF",  "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", NULL};
    return is_one_of(s, words);
}

static bool is_number(struct str s)
{
    struct tree plain = {.kind = TREE_SCALAR, .text = s};
    int64_t integer;
    double real;
    if (memchr("+-.0123456789", s.p[0], 13) == NULL || (s.p[0] == '.' && memchr(s.p, '_', s.n) != NULL))
        return false;
    return tree_i64(&plain, &integer) == 0 || tree_f64(&plain, &real) == 0;
}

static size_t count_digits(struct str s, size_t from, const char *digits)
{
    size_t n = 0;
    while (from + n < s.n && s.p[from + n] != '\0' && strchr(digits, s.p[from + n]) != NULL)
        n++;
    return n;
}

/* YAML 1.1's numbers to the base of 60: 12:30, 1:02:03.5 */
static bool is_base_60(struct str s)
{
    size_t i = s.n > 0 && (s.p[0] == '+' || s.p[0] == '-');
    if (count_digits(s, i, "0123456789") == 0)
        return false;
    i += count_digits(s, i, "0123456789_");
    size_t parts = 0;
    for (; i < s.n && s.p[i] == ':'; parts++) {
        size_t n = count_digits(s, ++i, "0123456789");
        if (n == 0 || n > 2 || (n == 2 && s.p[i] > '5'))
            return false;
        i += n;
    }
    if (parts > 0 && i < s.n && s.p[i] == '.')
        i += 1 + count_digits(s, i + 1, "0123456789_");
    return parts > 0 && i == s.n;
}

/* 2026-11-23, alone or with what may be a time behind it. */
static bool is_date(struct str s)
{
    enum { YEAR = 4 };
    if (count_digits(s, 0, "0123456789") != YEAR || s.n == YEAR || s.p[YEAR] != '-')
        return false;
    size_t month = count_digits(s, YEAR + 1, "0123456789"), i = YEAR + 1 + month;
    if (month == 0 || month > 2 || i >= s.n || s.p[i] != '-')
        return false;
    size_t day = count_digits(s, ++i, "0123456789");
    i += day;
    if (day == 0 || day > 2)
        return false;
    size_t time = i < s.n ? count_digits(s, i + 1, "0123456789:.Z+-") : 0;
    return i == s.n || (memchr("Tt ", s.p[i], 3) != NULL && time > 0 && i + 1 + time == s.n);
}

static bool is_ambiguous(struct str s)
{
    return is_word(s) || is_number(s) || is_base_60(s) || is_date(s);
}

/* ---- events ---- */

struct emission {
    yaml_emitter_t emitter;
    struct buf *out;
    struct err *err;
};

static int take_bytes(void *context, unsigned char *bytes, size_t size)
{
    struct emission *e = context;
    buf_add(e->out, bytes, size);
    return !buf_overflow(e->out);
}

static int emit_event(struct emission *e, yaml_event_t *event, int made)
{
    if (made && yaml_emitter_emit(&e->emitter, event))
        return 0;
    if (buf_overflow(e->out) || e->emitter.error == YAML_MEMORY_ERROR)
        return err_set(e->err, ERR_LIMIT, "the document is too large");
    return err_set(e->err, ERR_PARSE, "yaml: %s",
                   e->emitter.problem != NULL ? e->emitter.problem : "not UTF-8");
}

static yaml_scalar_style_t style_of(struct str s)
{
    if (memchr(s.p, '\n', s.n) != NULL)
        return YAML_LITERAL_SCALAR_STYLE;
    return is_ambiguous(s) ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE;
}

static int emit_text(struct emission *e, struct str text)
{
    yaml_event_t event;
    struct str s = text.p != NULL ? text : STR("");
    if (!str_is_utf8(s))
        return err_set(e->err, ERR_PARSE, "yaml: a text is not UTF-8");
    int made = yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)s.p, (int)s.n, 1, 1,
                                            style_of(s));
    return emit_event(e, &event, made);
}

static int emit_node(struct emission *e, const struct tree *node);

static int emit_children(struct emission *e, const struct tree *node)
{
    int rc = 0;
    for (const struct tree *child = node->first; child != NULL && rc == 0; child = child->next) {
        rc = node->kind == TREE_MAP ? emit_text(e, child->key->text) : 0;
        rc = rc == 0 ? emit_node(e, child) : rc;
    }
    return rc;
}

static int emit_list(struct emission *e, const struct tree *node)
{
    yaml_event_t event;
    int rc = emit_event(
        e, &event, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE));
    rc = rc == 0 ? emit_children(e, node) : rc;
    return rc == 0 ? emit_event(e, &event, yaml_sequence_end_event_initialize(&event)) : rc;
}

static int emit_map(struct emission *e, const struct tree *node)
{
    yaml_event_t event;
    int rc = emit_event(e, &event,
                        yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
    rc = rc == 0 ? emit_children(e, node) : rc;
    return rc == 0 ? emit_event(e, &event, yaml_mapping_end_event_initialize(&event)) : rc;
}

static int emit_node(struct emission *e, const struct tree *node)
{
    if (node->kind == TREE_SCALAR)
        return emit_text(e, node->text);
    return node->kind == TREE_LIST ? emit_list(e, node) : emit_map(e, node);
}

static int emit_document(struct emission *e, const struct tree *root)
{
    yaml_event_t event;
    int rc = emit_event(e, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    if (rc == 0)
        rc = emit_event(e, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
    rc = rc == 0 ? emit_node(e, root) : rc;
    if (rc == 0)
        rc = emit_event(e, &event, yaml_document_end_event_initialize(&event, 1));
    return rc == 0 ? emit_event(e, &event, yaml_stream_end_event_initialize(&event)) : rc;
}

int yaml_emit(struct buf *out, const struct tree *root, struct err *err)
{
    static const struct str open_end = {"\n...\n", 5};
    struct emission e = {.out = out, .err = err};
    must(yaml_emitter_initialize(&e.emitter));
    yaml_emitter_set_output(&e.emitter, take_bytes, &e);
    yaml_emitter_set_unicode(&e.emitter, 1);
    yaml_emitter_set_width(&e.emitter, WIDTH);
    int rc = emit_document(&e, root);
    yaml_emitter_delete(&e.emitter);
    if (rc == 0 &&
        str_ends(buf_slice(out), open_end)) /* behind a text that ends in empty lines; Go leaves it out */
        buf_truncate(out, out->used - open_end.n + 1);
    return rc;
}
