/*
 * tree: a parsed YAML or JSON document, every node with its place in the file.
 *
 * Nodes live in the arena given to the parser. Scalars keep their source text; what type they have is the
 * reader's question (tree_null, tree_bool, ...), as it is in Go's yaml decoder, because a field bound to a
 * string must see `09:00` and `010` as written.
 */
#ifndef TOCSIN_TREE_H
#define TOCSIN_TREE_H

#include "tocsin/arena.h"
#include "tocsin/buf.h"
#include "tocsin/err.h"
#include "tocsin/str.h"

#include <stdbool.h>
#include <stdint.h>

enum tree_kind { TREE_SCALAR, TREE_LIST, TREE_MAP };

struct tree {
    enum tree_kind kind;
    bool quoted;        /* a scalar in quotes or a block: always a string */
    int line, column;   /* 1-based */
    int repeats_line;   /* of a key: where yaml_parse_documents saw the same key before; 0: nowhere */
    struct str text;    /* of a scalar */
    struct tree *key;   /* in a map: this child's key node; else NULL */
    struct tree *first; /* children of a list or map, in file order */
    struct tree *next;  /* next sibling */
    size_t count;       /* of children */
};

/* YAML 1.1 over libyaml: first document only; anchors, aliases, merge keys resolved; duplicate keys refused with
 * "key \"x\" already set in map"; sizes and depth by limits.h. An empty document gives *root = NULL and 0.
 * Errors are worded "yaml: line N: ..." with the position in *err. */
int yaml_parse(struct arena *arena, struct str text, struct tree **root, struct err *err);

/* The same for readers who tell of repeated keys themselves, as Go's yaml.v3 does (strict.h): every pair is kept, and the key
 * of the later one has repeats_line. `all`: every document of the text that is not empty, in order; else only the first one,
 * and what follows it is not looked at. */
struct tree_documents {
    struct tree **items;
    size_t count, capacity;
};
int yaml_parse_documents(struct arena *arena, struct str text, bool all, struct tree_documents *out,
                         struct err *err);

/* JSON (RFC 8259) into the same shape; strings are `quoted`, numbers/true/false/null are not. As in Go,
 * invalid UTF-8 in a string becomes U+FFFD, errors are worded "invalid character 'x' ...", and of equal
 * keys the last one counts (all are kept among the children; tree_get finds the last). */
int json_parse(struct arena *arena, struct str text, struct tree **root, struct err *err);

/* A map's child, or NULL; NULL too when `map` is NULL or no map. */
const struct tree *tree_get(const struct tree *map, const char *key);

/* The text of a map's scalar child; empty: there is none. */
struct str tree_get_text(const struct tree *map, const char *key);

/* True for NULL, and for an unquoted scalar that is empty, ~, null, Null or NULL. */
bool tree_is_null(const struct tree *node);

/* YAML 1.1 booleans (true/yes/on...) in an unquoted scalar; ERR_PARSE otherwise. */
int tree_bool(const struct tree *node, bool *value);
int tree_i64(const struct tree *node, int64_t *value);
int tree_f64(const struct tree *node, double *value);

/* JSON text as Go's encoding/json writes it: short forms \b \f \n \r \t, other controls and < > & U+2028 U+2029
 * as \u00xx, invalid UTF-8 as \ufffd. With quotes. */
void json_string(struct buf *out, struct str s);

/* The same without HTML escaping and with invalid bytes kept: label maps of the Prometheus API (Prometheus 3.14). */
void json_string_raw(struct buf *out, struct str s);

#endif
