#include "tocsin/strict_model.h"

#include "tocsin/duration.h"
#include "tocsin/world.h"

void strict_duration(struct strict *s, const struct tree *node, void *target)
{
    struct strict_duration *duration = target;
    struct err why;
    *duration = (struct strict_duration){.given = !tree_is_null(node)};
    if (!duration->given)
        return;
    if (node->kind != TREE_SCALAR)
        strict_mismatch(s, node, "string");
    else if (duration_parse(node->text, &duration->ms, &why) != 0)
        strict_stop(s, node, &why);
}

void strict_duration_ms(struct strict *s, const struct tree *node, void *target)
{
    struct strict_duration duration;
    strict_duration(s, node, &duration);
    *(int64_t *)target = duration.ms;
}

void strict_go_duration_ms(struct strict *s, const struct tree *node, void *target)
{
    int64_t ns = 0;
    if (!tree_is_null(node) && (node->kind != TREE_SCALAR ||
                                (tree_i64(node, &ns) != 0 && go_duration_parse(node->text, &ns, NULL) != 0)))
        strict_mismatch(s, node, "time.Duration");
    int64_t ms = ns / NS_PER_MS;
    *(int64_t *)target = ns > 0 && ms == 0 ? 1 : ms;
}

void strict_pairs(struct strict *s, const struct tree *node, void *target)
{
    struct strict_pairs *pairs = target;
    if (tree_is_null(node))
        return;
    if (node->kind != TREE_MAP) {
        strict_mismatch(s, node, "map[string]string");
        return;
    }
    if (!strict_keys(s, node))
        return;
    *pairs = (struct strict_pairs){.items = ARENA_ARRAY(s->arena, struct label, node->count)};
    if (pairs->items == NULL)
        return;
    for (const struct tree *child = node->first; child != NULL; child = child->next) {
        struct label *pair = &pairs->items[pairs->count++];
        pair->name = child->key->text;
        strict_text(s, child, &pair->value);
    }
}

void strict_labels(struct strict *s, const struct tree *node, void *target)
{
    struct strict_pairs pairs = {0};
    strict_pairs(s, node, &pairs);
    if (pairs.count > 0)
        *(const struct labels **)target = labels_make(s->arena, pairs.items, pairs.count);
}
