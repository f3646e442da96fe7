#include "amconfig_priv.h"

#include <stdlib.h>

static struct matcher *add(struct strict *s, struct am_matchers *ms)
{
    ARENA_GROW(s->arena, ms->items, ms->count, ms->capacity);
    if (ms->items == NULL) {
        ms->count = ms->capacity = 0;
        return NULL;
    }
    return &ms->items[ms->count];
}

static void read_matchers(struct strict *s, const struct tree *node, struct am_matchers *ms)
{
    struct str text;
    struct err why;
    strict_text(s, node, &text);
    struct matcher *list = NULL;
    size_t count = 0;
    if (am_matchers_parse(s->arena, text, &list, &count, &why) != 0) {
        strict_stop(s, node, &why);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct matcher *m = strict_stopped(s) ? NULL : add(s, ms);
        if (m == NULL) {
            matcher_release(&list[i]);
            continue;
        }
        *m = list[i];
        ms->count++;
    }
}

void am_matcher_list(struct strict *s, const struct tree *node, void *target)
{
    if (tree_is_null(node))
        return;
    if (node->kind != TREE_LIST) {
        strict_mismatch(s, node, "[]string");
        return;
    }
    for (const struct tree *child = node->first; child != NULL && !strict_stopped(s); child = child->next)
        read_matchers(s, child, target);
}

static void read_pair(struct strict *s, const struct tree *node, struct am_matchers *ms, enum match_op op)
{
    struct str value;
    struct err why;
    strict_text(s, node, &value);
    if (!label_name_is_classic(node->key->text)) {
        strict_fail(s, node->key, "invalid label name \"%.*s\"", STR_ARG(node->key->text));
        return;
    }
    if (op == MATCH_REGEX && tree_is_null(node)) {
        strict_fail(s, node, "invalid regexp value for \"%.*s\"", STR_ARG(node->key->text));
        return;
    }
    struct matcher *m = add(s, ms);
    if (m == NULL)
        return;
    if (matcher_init(m, op, node->key->text, value, REGEX_ANCHORED, &why) != 0) {
        strict_stop(s, node, &why);
        return;
    }
    ms->count++;
    if (op == MATCH_EQUAL)
        return;
    /* This text, not the written one, is what keys and the API show. */
    m->value = str_of(arena_format(s->arena, "^(?:%.*s)$", STR_ARG(value)));
}

static void read_map(struct strict *s, const struct tree *node, struct am_matchers *ms, enum match_op op)
{
    if (tree_is_null(node))
        return;
    if (node->kind != TREE_MAP) {
        strict_mismatch(s, node, "map[string]string");
        return;
    }
    for (const struct tree *child = node->first; child != NULL && !strict_stopped(s); child = child->next)
        read_pair(s, child, ms, op);
}

void am_match_map(struct strict *s, const struct tree *node, void *target)
{
    read_map(s, node, target, MATCH_EQUAL);
}

void am_match_re_map(struct strict *s, const struct tree *node, void *target)
{
    read_map(s, node, target, MATCH_REGEX);
}

static int by_text(const void *left, const void *right)
{
    const struct matcher *a = left, *b = right;
    int order = str_cmp(a->name, b->name);
    if (order == 0)
        order = str_cmp(a->value, b->value);
    return order != 0 ? order : (int)a->op - (int)b->op;
}

void am_matchers_sort(struct am_matchers *ms)
{
    if (ms->count > 1)
        qsort(ms->items, ms->count, sizeof *ms->items, by_text);
}

void am_matchers_release(struct matcher *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        matcher_release(&items[i]);
}
