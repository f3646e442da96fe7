/* JSON: a tree that is printed and read again is the same tree, and every string survives. */
#include "tocsin/check.h"
#include "tocsin/tree.h"

static void print(struct buf *out, const struct tree *node)
{
    if (node->kind == TREE_SCALAR && node->quoted)
        json_string(out, node->text);
    else if (node->kind == TREE_SCALAR)
        buf_str(out, node->text);
    if (node->kind == TREE_SCALAR)
        return;
    buf_char(out, node->kind == TREE_MAP ? '{' : '[');
    for (const struct tree *child = node->first; child != NULL; child = child->next) {
        if (child->key != NULL) {
            json_string(out, child->key->text);
            buf_puts(out, " : ");
        }
        print(out, child);
        buf_puts(out, child->next != NULL ? ",\n" : "");
    }
    buf_char(out, node->kind == TREE_MAP ? '}' : ']');
}

static void compare(const struct tree *a, const struct tree *b)
{
    must(a->kind == b->kind && a->quoted == b->quoted && a->count == b->count && str_eq(a->text, b->text));
    must((a->key == NULL) == (b->key == NULL));
    if (a->key != NULL)
        must(str_eq(a->key->text, b->key->text));
    const struct tree *i = a->first, *j = b->first;
    for (; i != NULL; i = i->next, j = j->next)
        compare(i, j);
    must(j == NULL);
}

static void check_string(struct arena *arena, struct buf *out, struct str s)
{
    struct tree *again = NULL;
    buf_clear(out);
    json_string(out, s);
    must(json_parse(arena, buf_slice(out), &again, NULL) == 0);
    must(!str_is_utf8(s) || str_eq(again->text, s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct buf out;
    struct tree *root = NULL, *again = NULL;
    struct err err = {0};
    struct str text = {(const char *)data, size};
    if (size > 1 << 16)
        return 0;
    arena_init(&arena, 64 << 20);
    buf_init(&out, 8 << 20);
    int rc = json_parse(&arena, text, &root, &err);
    must(rc == 0 ? root != NULL : root == NULL && err.code == rc);
    if (root != NULL) {
        print(&out, root);
        must(json_parse(&arena, buf_slice(&out), &again, NULL) == 0);
        compare(root, again);
    }
    check_string(&arena, &out, text);
    buf_release(&out);
    arena_release(&arena);
    return 0;
}
