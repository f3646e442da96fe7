/*
 * tree_priv: how the parsers build nodes.
 */
#ifndef TOCSIN_BASE_TREE_PRIV_H
#define TOCSIN_BASE_TREE_PRIV_H

#include "tocsin/tree.h"

static inline struct tree *tree_new(struct arena *arena, enum tree_kind kind, int line, int column)
{
    struct tree *node = ARENA_NEW(arena, struct tree);
    if (node == NULL)
        return NULL;
    node->kind = kind;
    node->line = line;
    node->column = column;
    return node;
}

/* *last is where the next child goes; start with &parent->first. */
static inline void tree_append(struct tree *parent, struct tree ***last, struct tree *child)
{
    **last = child;
    *last = &child->next;
    parent->count++;
}

#endif
