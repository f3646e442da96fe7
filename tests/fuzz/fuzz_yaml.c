/* YAML: whatever the bytes, the tree obeys its limits and its accessors never trip. */
#include "tocsin/check.h"
#include "tocsin/limits.h"
#include "tocsin/tree.h"

static size_t walk(const struct tree *node, int64_t depth)
{
    size_t count = 0;
    bool on;
    int64_t whole;
    double real;
    must(depth <= limits.yaml_depth + 1);
    tree_is_null(node);
    tree_bool(node, &on);
    tree_i64(node, &whole);
    tree_f64(node, &real);
    for (const struct tree *child = node->first; child != NULL; child = child->next, count++) {
        must((child->key != NULL) == (node->kind == TREE_MAP));
        if (child->key != NULL)
            must(tree_get(node, "") == NULL || child->key->kind == TREE_SCALAR);
        walk(child, depth + 1);
    }
    must(count == node->count);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct tree *root = NULL;
    struct err err = {0};
    limits.yaml_alias_nodes = 1000; /* walking what aliases expand to must stay quick */
    arena_init(&arena, 16 << 20);
    int rc = yaml_parse(&arena, (struct str){(const char *)data, size}, &root, &err);
    must(rc == 0 || (root == NULL && err.code == rc && err.text[0] != '\0'));
    if (root != NULL)
        walk(root, 0);
    arena_release(&arena);
    return 0;
}
