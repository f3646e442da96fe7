/*
 * yaml_emit: a tree as YAML, byte for byte as Go's yaml.v2 writes it: two blanks a level, lists not indented, texts with line
 * ends as literal blocks, other long ones folded behind column 80.
 *
 * For files that other tools write as well, and people compare. What is shown on a page is in yaml_print.h.
 */
#ifndef TOCSIN_YAML_EMIT_H
#define TOCSIN_YAML_EMIT_H

#include "tocsin/tree.h"

/* New nodes in an arena; NULL past its cap. */
struct tree *tree_map(struct arena *arena);
struct tree *tree_list(struct arena *arena);

/* Append to a map or list; texts are borrowed. Nothing happens, and the arena is exhausted, past its cap or where `to` or
 * `child` is NULL. */
void tree_add(struct tree *list, struct tree *child);
void tree_put(struct arena *arena, struct tree *map, struct str key, struct tree *child);
void tree_put_text(struct arena *arena, struct tree *map, struct str key, struct str text);

/* Orders the keys of a map, and of what is below it, as Go's encoder orders a map's: numbers in them by what they count
 * (a2 before a10), signs before digits before letters. Drawback: a10, a1b and a2 then stand in a
 * circle, whose order Go leaves to chance. */
void tree_sort(struct arena *arena, struct tree *map);

/* Appends the document. Every scalar is a string: one that would be read as something else is quoted. ERR_PARSE: a text is no
 * UTF-8; ERR_LIMIT: past the buffer's end. */
int yaml_emit(struct buf *out, const struct tree *root, struct err *err);

#endif
