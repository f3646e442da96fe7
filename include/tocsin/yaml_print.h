/*
 * yaml_print: writes YAML as Go's encoder lays it out: two blanks a level, lists not indented.
 *
 * For configurations that are told again (/api/v1/status/config, /api/v2/status): what is secret there is written as <secret>.
 */
#ifndef TOCSIN_YAML_PRINT_H
#define TOCSIN_YAML_PRINT_H

#include "tocsin/buf.h"
#include "tocsin/tree.h"

void yaml_scalar(struct buf *out, struct str s);             /* quoted only where it must be */
void yaml_key(struct buf *out, int indent, const char *key); /* "key:", no line end */
void yaml_text(struct buf *out, int indent, const char *key, struct str value); /* nothing if empty */
void yaml_secret(struct buf *out, int indent, const char *key,
                 struct str value); /* <secret>; nothing if empty */
void yaml_plain(struct buf *out, int indent, const char *key, const char *value); /* value as it is */

/* Whatever was written since `from` at indent + 2 becomes one list item at indent. */
void yaml_dash(struct buf *out, size_t from, int indent);

/* A parsed document again: the value after its key, all pairs of a map, one pair of a map if it is there. */
void yaml_value(struct buf *out, int indent, const struct tree *node);
void yaml_tree(struct buf *out, int indent, const struct tree *map);
void yaml_child(struct buf *out, int indent, const struct tree *map, const char *key);

#endif
