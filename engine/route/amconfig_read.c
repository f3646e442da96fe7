#include "amconfig_priv.h"

#include "tocsin/duration.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"

bool am_stopped(const struct am_reader *r)
{
    return r->code != 0;
}

static void place(struct err *err, const struct tree *node)
{
    if (err != NULL && node != NULL) {
        err->line = node->line;
        err->column = node->column;
    }
}

void am_fail(struct am_reader *r, const struct tree *node, const char *format, ...)
{
    if (am_stopped(r))
        return;
    va_list args;
    va_start(args, format);
    r->code = err_vset(r->err, ERR_PARSE, format, args);
    va_end(args);
    place(r->err, node);
}

void am_unsupported(struct am_reader *r, const struct tree *node, const char *format, ...)
{
    if (r->unsupported.code != 0)
        return;
    va_list args;
    va_start(args, format);
    err_vset(&r->unsupported, ERR_UNSUPPORTED, format, args);
    va_end(args);
    place(&r->unsupported, node);
}

void am_memory(struct am_reader *r)
{
    if (am_stopped(r))
        return;
    limit_hit(LIMIT_generation_arena_bytes);
    r->code = err_set(r->err, ERR_LIMIT, "the configuration needs more memory than generation_arena_bytes");
}

/* Go's decoder shows short scalars whole and long ones by their first seven bytes. */
void am_wrong_type(struct am_reader *r, const struct tree *node, const char *type)
{
    buf_format(&r->wrong, "\n  line %d: cannot unmarshal ", node->line);
    if (node->kind == TREE_LIST)
        buf_puts(&r->wrong, "!!seq");
    else if (node->kind == TREE_MAP)
        buf_puts(&r->wrong, "!!map");
    else {
        int64_t integer;
        double real;
        bool truth;
        const char *tag = "!!str";
        if (!node->quoted && tree_bool(node, &truth) == 0)
            tag = "!!bool";
        else if (!node->quoted && tree_i64(node, &integer) == 0)
            tag = "!!int";
        else if (!node->quoted && tree_f64(node, &real) == 0)
            tag = "!!float";
        size_t n = node->text.n > 10 ? 7 : node->text.n;
        buf_format(&r->wrong, "%s `%.*s%s`", tag, (int)n, node->text.n > 0 ? node->text.p : "",
                   node->text.n > 10 ? "..." : "");
    }
    buf_format(&r->wrong, " into %s", type);
}

static const struct am_key *find_key(const struct am_key *keys, struct str name)
{
    for (; keys->name != NULL; keys++) {
        if (str_is(name, keys->name))
            return keys;
    }
    return NULL;
}

bool am_object(struct am_reader *r, const struct tree *node, const struct am_key *keys, void *target,
               const char *type)
{
    if (tree_is_null(node))
        return !am_stopped(r);
    if (node->kind != TREE_MAP) {
        am_wrong_type(r, node, type);
        return false;
    }
    size_t before = r->wrong.used;
    for (const struct tree *child = node->first; child != NULL && !am_stopped(r); child = child->next) {
        const struct am_key *key = find_key(keys, child->key->text);
        if (key != NULL)
            key->read(r, child, (char *)target + key->offset);
        else
            buf_format(&r->wrong, "\n  line %d: field %.*s not found in type %s", child->key->line,
                       STR_ARG(child->key->text), type);
    }
    return !am_stopped(r) && r->wrong.used == before && !r->wrong.overflow;
}

void *am_list(struct am_reader *r, const struct tree *node, am_read *read, size_t size, size_t *count,
              const char *type)
{
    *count = 0;
    if (tree_is_null(node))
        return NULL;
    if (node->kind != TREE_LIST) {
        am_wrong_type(r, node, type);
        return NULL;
    }
    char *items = arena_array(r->arena, node->count, size);
    if (items == NULL) {
        am_memory(r);
        return NULL;
    }
    for (const struct tree *child = node->first; child != NULL && !am_stopped(r); child = child->next)
        read(r, child, items + size * (*count)++);
    return items;
}

void am_skip(struct am_reader *r, const struct tree *node, void *target)
{
    (void)r;
    (void)node;
    (void)target;
}

void am_text(struct am_reader *r, const struct tree *node, void *target)
{
    struct str *text = target;
    *text = (struct str){"", 0};
    if (tree_is_null(node))
        return;
    if (node->kind != TREE_SCALAR)
        am_wrong_type(r, node, "string");
    else
        *text = node->text;
}

void am_bool(struct am_reader *r, const struct tree *node, void *target)
{
    bool *value = target;
    *value = false;
    if (!tree_is_null(node) && (node->kind != TREE_SCALAR || tree_bool(node, value) != 0))
        am_wrong_type(r, node, "bool");
}

/* A float loses its fraction, as in Go's decoder. */
void am_u64(struct am_reader *r, const struct tree *node, void *target)
{
    int64_t value = 0;
    double real = 0;
    bool plain = node->kind == TREE_SCALAR && !tree_is_null(node);
    if (plain && tree_i64(node, &value) != 0 && tree_f64(node, &real) == 0 && real >= 0 && real < 9e18)
        value = (int64_t)real;
    else if ((!plain && !tree_is_null(node)) || (plain && tree_i64(node, &value) != 0) || value < 0)
        am_wrong_type(r, node, "uint64");
    *(uint64_t *)target = (uint64_t)(value < 0 ? 0 : value);
}

void am_duration_ms(struct am_reader *r, const struct tree *node, void *target)
{
    int64_t *ms = target;
    *ms = 0;
    if (tree_is_null(node))
        return;
    struct err why;
    if (node->kind != TREE_SCALAR)
        am_wrong_type(r, node, "string");
    else if (duration_parse(node->text, ms, &why) != 0)
        am_fail(r, node, "%s", why.text);
}

/* A Go duration, or a whole number of nanoseconds. */
void am_go_duration_ms(struct am_reader *r, const struct tree *node, void *target)
{
    int64_t ns = 0;
    if (!tree_is_null(node) && (node->kind != TREE_SCALAR ||
                                (tree_i64(node, &ns) != 0 && go_duration_parse(node->text, &ns, NULL) != 0)))
        am_wrong_type(r, node, "time.Duration");
    int64_t ms = ns / NS_PER_MS;
    *(int64_t *)target = ns > 0 && ms == 0 ? 1 : ms;
}

void am_text_list(struct am_reader *r, const struct tree *node, void *target)
{
    struct am_texts *texts = target;
    texts->items = am_list(r, node, am_text, sizeof(struct str), &texts->count, "[]string");
}

struct labels *am_labels(struct am_reader *r, const struct tree *node)
{
    size_t count = node != NULL && node->kind == TREE_MAP ? node->count : 0;
    struct label *items = ARENA_ARRAY(r->arena, struct label, count);
    if (items == NULL) {
        am_memory(r);
        return NULL;
    }
    if (!tree_is_null(node) && node->kind != TREE_MAP)
        am_wrong_type(r, node, "map[string]string");
    size_t i = 0;
    for (const struct tree *child = count > 0 ? node->first : NULL; child != NULL; child = child->next, i++) {
        items[i].name = child->key->text;
        am_text(r, child, &items[i].value);
    }
    struct labels *ls = labels_make(r->arena, items, count);
    if (ls == NULL)
        am_memory(r);
    return ls;
}
