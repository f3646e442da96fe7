#include "tocsin/check.h"
#include "tocsin/hash.h"
#include "tocsin/limits.h"
#include "tree_priv.h"

#include <yaml.h>

enum { DIRECTIVES_MAX = 64 };

/* A named node. Its subtree is shared by all its aliases, but counted for each. */
struct anchor {
    struct str name;
    const struct tree *node; /* NULL while it is being read */
    size_t size;
};

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the one being looked at */
    bool has_event;
    struct arena *arena;
    struct map anchors;
    size_t nodes, alias_nodes;
    bool keeps_repeated; /* keys, and notes where they stood before */
    struct err *err;
};

static int read_node(struct reader *r, int depth, struct tree **node);

/* ---- errors and limits -------------------------------------------------------------------------------- */

static int over(struct reader *r, enum limit_id limit, const char *what)
{
    limit_hit(limit);
    int line = r->has_event ? (int)r->event.start_mark.line + 1 : 0;
    return err_at(r->err, ERR_LIMIT, line, line > 0 ? (int)r->event.start_mark.column + 1 : 0, "yaml: %s",
                  what);
}

static int out_of_arena(struct reader *r)
{
    return over(r, LIMIT_generation_arena_bytes, "document needs too much memory");
}

static int count_nodes(struct reader *r, size_t n)
{
    r->nodes += n;
    return r->nodes > (size_t)limits.yaml_nodes ? over(r, LIMIT_yaml_nodes, "document has too many nodes")
                                                : 0;
}

/* Go names the line of the context where there is one, and counts from 0 unless the scanner stumbled. */
static int syntax_error(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem != NULL ? p->problem : "unknown problem parsing YAML content";
    int line = (int)p->problem_mark.line + 1, column = (int)p->problem_mark.column + 1;
    size_t told = p->context_mark.line != 0 ? p->context_mark.line : p->problem_mark.line;
    if (p->error == YAML_MEMORY_ERROR)
        return over(r, LIMIT_yaml_bytes, "out of memory");
    if (told == 0)
        return err_at(r->err, ERR_PARSE, line, column, "yaml: %s", problem);
    told += p->error == YAML_SCANNER_ERROR;
    return err_at(r->err, ERR_PARSE, line, column, "yaml: line %zu: %s", told, problem);
}

/* ---- events ------------------------------------------------------------------------------------------- */

static void drop_event(struct reader *r)
{
    if (r->has_event)
        yaml_event_delete(&r->event);
    r->has_event = false;
}

static int next(struct reader *r)
{
    drop_event(r);
    if (!yaml_parser_parse(&r->parser, &r->event))
        return syntax_error(r);
    r->has_event = true;
    return 0;
}

static struct str text_of(const yaml_char_t *p)
{
    return str_of((const char *)p);
}

/* ---- anchors ------------------------------------------------------------------------------------------ */

static bool is_anchor(const void *item, const void *key)
{
    return str_eq(((const struct anchor *)item)->name, *(const struct str *)key);
}

static struct anchor *find_anchor(struct reader *r, struct str name)
{
    return map_find(&r->anchors, hash_bytes(name.p, name.n), is_anchor, &name);
}

/* A name may be given again; from then on it means the newer node. */
static int open_anchor(struct reader *r, const yaml_char_t *given, struct anchor **anchor)
{
    *anchor = NULL;
    if (given == NULL)
        return 0;
    *anchor = find_anchor(r, text_of(given));
    if (*anchor == NULL) {
        *anchor = ARENA_NEW(r->arena, struct anchor);
        if (*anchor == NULL)
            return out_of_arena(r);
        (*anchor)->name = str_copy(r->arena, text_of(given));
        if ((*anchor)->name.p == NULL)
            return out_of_arena(r);
        map_add(&r->anchors, hash_bytes((*anchor)->name.p, (*anchor)->name.n), *anchor);
    }
    (*anchor)->node = NULL;
    (*anchor)->size = r->nodes;
    return 0;
}

static void close_anchor(struct reader *r, struct anchor *anchor, const struct tree *node)
{
    if (anchor == NULL)
        return;
    anchor->node = node;
    anchor->size = r->nodes - anchor->size;
}

/* The copy shares its children with the original. */
static int share(struct reader *r, const struct tree *node, struct tree **copy)
{
    *copy = ARENA_NEW(r->arena, struct tree);
    if (*copy == NULL)
        return out_of_arena(r);
    **copy = *node;
    (*copy)->next = NULL;
    return 0;
}

static int read_alias(struct reader *r, struct tree **node)
{
    struct str name = text_of(r->event.data.alias.anchor);
    yaml_mark_t at = r->event.start_mark;
    const struct anchor *anchor = find_anchor(r, name);
    if (anchor == NULL || anchor->node == NULL)
        return err_at(r->err, ERR_PARSE, (int)at.line + 1, (int)at.column + 1,
                      anchor == NULL ? "yaml: unknown anchor '%.*s' referenced"
                                     : "yaml: anchor '%.*s' value contains itself",
                      STR_ARG(name));
    r->alias_nodes += anchor->size;
    if (r->alias_nodes > (size_t)limits.yaml_alias_nodes)
        return over(r, LIMIT_yaml_alias_nodes, "document contains excessive aliasing");
    int rc = count_nodes(r, anchor->size);
    if (rc != 0)
        return rc;
    rc = share(r, anchor->node, node);
    if (rc == 0)
        (*node)->key = NULL;
    return rc;
}

/* ---- maps --------------------------------------------------------------------------------------------- */

static bool has_key(const void *item, const void *key)
{
    return str_eq(((const struct tree *)item)->key->text, *(const struct str *)key);
}

static bool is_merge(const struct tree *child)
{
    return !child->key->quoted && str_is(child->key->text, "<<");
}

static struct tree *find_child(const struct map *seen, struct str key)
{
    return map_find(seen, hash_bytes(key.p, key.n), has_key, &key);
}

static void see(struct map *seen, struct tree *child)
{
    map_add(seen, hash_bytes(child->key->text.p, child->key->text.n), child);
}

static int refuse_duplicate(struct reader *r, const struct tree *key)
{
    enum { SHOWN_MAX = 200 };
    int n = key->text.n < SHOWN_MAX ? (int)key->text.n : SHOWN_MAX;
    return err_at(r->err, ERR_PARSE, key->line, key->column, "yaml: line %d: key \"%.*s\" already set in map",
                  key->line, n, key->text.p);
}

/* Adds the keys of `from` that the map has not got: its own win, and of several merged maps the first one. */
static int merge_one(struct reader *r, struct tree *map, struct tree ***last, struct map *seen,
                     const struct tree *from)
{
    for (const struct tree *child = from->first; child != NULL; child = child->next) {
        struct tree *copy;
        if (find_child(seen, child->key->text) != NULL)
            continue;
        int rc = count_nodes(r, 2);
        if (rc == 0)
            rc = share(r, child, &copy);
        if (rc != 0)
            return rc;
        tree_append(map, last, copy);
        see(seen, copy);
    }
    return 0;
}

static int merge(struct reader *r, struct tree *map, struct tree ***last, struct map *seen,
                 const struct tree *value)
{
    if (value->kind == TREE_MAP)
        return merge_one(r, map, last, seen, value);
    int rc = value->kind == TREE_LIST ? 0 : ERR_PARSE;
    for (const struct tree *item = value->first; rc == 0 && item != NULL; item = item->next)
        rc = item->kind == TREE_MAP ? merge_one(r, map, last, seen, item) : ERR_PARSE;
    if (rc == ERR_PARSE)
        err_at(r->err, rc, value->line, value->column,
               "yaml: map merge requires map or sequence of maps as the value");
    return rc;
}

/* Sorts the pairs read into the map's own (duplicates refused) and merges, which are applied afterwards. */
static int settle(struct reader *r, struct tree *map, struct tree *pairs, struct map *seen)
{
    struct tree **last = &map->first, *merges = NULL, **last_merge = &merges, *next_pair;
    for (struct tree *pair = pairs; pair != NULL; pair = next_pair) {
        next_pair = pair->next;
        pair->next = NULL;
        if (is_merge(pair)) {
            *last_merge = pair;
            last_merge = &pair->next;
            continue;
        }
        const struct tree *earlier = find_child(seen, pair->key->text);
        if (earlier != NULL && !r->keeps_repeated)
            return refuse_duplicate(r, pair->key);
        if (earlier != NULL)
            pair->key->repeats_line = earlier->key->line;
        else
            see(seen, pair);
        tree_append(map, &last, pair);
    }
    int rc = 0;
    for (struct tree *pair = merges; rc == 0 && pair != NULL; pair = pair->next)
        rc = merge(r, map, &last, seen, pair);
    return rc;
}

static int read_pair(struct reader *r, int depth, struct tree **pair)
{
    struct tree *key;
    int rc = read_node(r, depth, &key);
    if (rc != 0)
        return rc;
    if (key->kind != TREE_SCALAR)
        return err_at(r->err, ERR_PARSE, key->line, key->column, "yaml: line %d: invalid map key", key->line);
    rc = next(r);
    if (rc == 0)
        rc = read_node(r, depth, pair);
    if (rc == 0)
        (*pair)->key = key;
    return rc;
}

static int read_map(struct reader *r, int depth, struct tree *map)
{
    struct tree *pairs = NULL, **last = &pairs;
    int rc;
    while ((rc = next(r)) == 0 && r->event.type != YAML_MAPPING_END_EVENT) {
        rc = read_pair(r, depth, last);
        if (rc != 0)
            return rc;
        last = &(*last)->next;
    }
    if (rc != 0)
        return rc;
    struct map seen;
    map_init(&seen);
    rc = settle(r, map, pairs, &seen);
    map_release(&seen);
    return rc;
}

/* ---- nodes -------------------------------------------------------------------------------------------- */

static int read_list(struct reader *r, int depth, struct tree *list)
{
    struct tree **last = &list->first;
    int rc;
    while ((rc = next(r)) == 0 && r->event.type != YAML_SEQUENCE_END_EVENT) {
        struct tree *item;
        rc = read_node(r, depth, &item);
        if (rc != 0)
            return rc;
        tree_append(list, &last, item);
    }
    return rc;
}

/* An explicit tag outweighs the quotes. */
static bool is_string(const yaml_event_t *e)
{
    const char *tag = (const char *)e->data.scalar.tag;
    if (tag == NULL)
        return e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    bool core = strncmp(tag, "tag:yaml.org,2002:", 18) == 0;
    return !core || strcmp(tag, YAML_STR_TAG) == 0;
}

static int read_scalar(struct reader *r, struct tree *node)
{
    const yaml_event_t *e = &r->event;
    node->quoted = is_string(e);
    node->text = str_copy(r->arena, (struct str){(const char *)e->data.scalar.value, e->data.scalar.length});
    return node->text.p != NULL ? 0 : out_of_arena(r);
}

static int read_kind(struct reader *r, int depth, const yaml_char_t *anchor_name, enum tree_kind kind,
                     struct tree **node)
{
    struct anchor *anchor;
    int rc = open_anchor(r, anchor_name, &anchor);
    if (rc == 0)
        rc = count_nodes(r, 1);
    if (rc != 0)
        return rc;
    *node = tree_new(r->arena, kind, (int)r->event.start_mark.line + 1, (int)r->event.start_mark.column + 1);
    if (*node == NULL)
        return out_of_arena(r);
    if (kind == TREE_SCALAR)
        rc = read_scalar(r, *node);
    else
        rc = kind == TREE_MAP ? read_map(r, depth + 1, *node) : read_list(r, depth + 1, *node);
    if (rc == 0)
        close_anchor(r, anchor, *node);
    return rc;
}

/* Reads the node that the current event begins. */
static int read_node(struct reader *r, int depth, struct tree **node)
{
    if (depth > limits.yaml_depth)
        return over(r, LIMIT_yaml_depth, "document is nested too deeply");
    switch (r->event.type) {
    case YAML_ALIAS_EVENT:
        return read_alias(r, node);
    case YAML_SCALAR_EVENT:
        return read_kind(r, depth, r->event.data.scalar.anchor, TREE_SCALAR, node);
    case YAML_SEQUENCE_START_EVENT:
        return read_kind(r, depth, r->event.data.sequence_start.anchor, TREE_LIST, node);
    case YAML_MAPPING_START_EVENT:
        return read_kind(r, depth, r->event.data.mapping_start.anchor, TREE_MAP, node);
    default:
        check_failed("libyaml sent an event out of order", __FILE__, __LINE__);
    }
}

/* ---- the document ------------------------------------------------------------------------------------- */

/* Turns to the next document; false at the end of the text. */
static int begin_document(struct reader *r, bool *there)
{
    int rc = next(r);
    *there = rc == 0 && r->event.type != YAML_STREAM_END_EVENT;
    return rc;
}

static int read_document(struct reader *r, struct tree **root)
{
    int rc = next(r); /* behind document start */
    if (rc == 0)
        rc = read_node(r, 0, root);
    return rc == 0 ? next(r) : rc; /* document end: what follows the node on its line is checked, too */
}

static int keep_document(struct reader *r, struct tree *root, struct tree_documents *out)
{
    if (tree_is_null(root))
        return 0;
    ARENA_GROW(r->arena, out->items, out->count, out->capacity);
    if (out->items == NULL)
        return out_of_arena(r);
    out->items[out->count++] = root;
    return 0;
}

/* Anchors hold within their document. */
static int read_documents(struct reader *r, bool all, struct tree_documents *out)
{
    bool there;
    int rc = next(r); /* stream start */
    if (rc == 0)
        rc = begin_document(r, &there);
    while (rc == 0 && there) {
        struct tree *root = NULL;
        map_clear(&r->anchors);
        rc = read_document(r, &root);
        if (rc == 0)
            rc = keep_document(r, root, out);
        there = all;
        if (rc == 0 && all)
            rc = begin_document(r, &there);
    }
    return rc;
}

/* libyaml compares each directive with all before it. */
static bool has_many_directives(struct str text)
{
    size_t count = 0;
    for (struct str rest = text; rest.p != NULL && count <= DIRECTIVES_MAX;) {
        struct str line = str_cut(&rest, '\n');
        if (str_starts(line, STR("---")))
            break;
        count += str_starts(line, STR("%"));
    }
    return count > DIRECTIVES_MAX;
}

static int parse(struct reader *r, struct str text, bool all, struct tree_documents *out)
{
    if (text.n > (size_t)limits.yaml_bytes)
        return over(r, LIMIT_yaml_bytes, "document is too large");
    if (has_many_directives(text))
        return err_set(r->err, ERR_PARSE, "yaml: too many directives");
    if (!yaml_parser_initialize(&r->parser))
        return over(r, LIMIT_yaml_bytes, "out of memory");
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)(text.p != NULL ? text.p : ""), text.n);
    map_init(&r->anchors);
    int rc = read_documents(r, all, out);
    drop_event(r);
    yaml_parser_delete(&r->parser);
    map_release(&r->anchors);
    return rc;
}

int yaml_parse(struct arena *arena, struct str text, struct tree **root, struct err *err)
{
    struct reader r = {.arena = arena, .err = err};
    struct tree_documents documents = {0};
    int rc = parse(&r, text, false, &documents);
    *root = rc == 0 && documents.count > 0 ? documents.items[0] : NULL;
    return rc;
}

int yaml_parse_documents(struct arena *arena, struct str text, bool all, struct tree_documents *out,
                         struct err *err)
{
    struct reader r = {.arena = arena, .err = err, .keeps_repeated = true};
    *out = (struct tree_documents){0};
    int rc = parse(&r, text, all, out);
    if (rc != 0)
        out->count = 0;
    return rc;
}
