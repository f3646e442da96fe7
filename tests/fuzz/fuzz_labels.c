/* Labels: "NAME\0VALUE\0NAME\0VALUE..." twice, with a newline between. Sets stay sorted and keep their hash. */
#include "tocsin/alert.h"
#include "tocsin/check.h"
#include "tocsin/labels.h"
#include "tocsin/mem.h"

enum { PAIRS_MAX = 64 };

static const struct labels *make(struct arena *arena, struct str text)
{
    struct label items[PAIRS_MAX];
    size_t count = 0;
    for (struct str rest = text; rest.p != NULL && count < PAIRS_MAX; count++) {
        items[count].name = str_cut(&rest, '\0');
        items[count].value = str_cut(&rest, '\0');
    }
    return labels_make(arena, items, count);
}

static void check(const struct labels *ls)
{
    must(ls != NULL && ls->hash == labels_hash(ls->item, ls->count));
    for (size_t i = 0; i < ls->count; i++) {
        must(ls->item[i].value.n > 0);
        must(i == 0 || str_cmp(ls->item[i - 1].name, ls->item[i].name) < 0);
        must(str_eq(labels_get(ls, ls->item[i].name), ls->item[i].value));
    }
}

static void check_algebra(struct arena *arena, const struct labels *a, const struct labels *b)
{
    const struct labels *both = labels_merge(arena, a, b), *step = a;
    for (size_t i = 0; i < b->count; i++)
        step = labels_with(arena, step, b->item[i].name, b->item[i].value);
    check(both);
    must(labels_equal(both, step));
    must((labels_compare(a, b) == 0) == labels_equal(a, b));
    must((labels_compare(a, b) < 0) == (labels_compare(b, a) > 0));
    struct labels *copy = labels_copy_heap(both);
    must(labels_equal(copy, both) && labels_fingerprint(copy) == labels_fingerprint(both));
    mem_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct buf out;
    struct str rest = {(const char *)data, size};
    arena_init(&arena, 16 << 20);
    buf_init(&out, 16 << 20);
    struct str first = str_cut(&rest, '\n');
    const struct labels *a = make(&arena, first), *b = make(&arena, rest);
    check(a);
    check(b);
    check_algebra(&arena, a, b);
    labels_print(&out, a);
    labels_print(&out, b);
    buf_release(&out);
    arena_release(&arena);
    return 0;
}
