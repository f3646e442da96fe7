#include "tocsin/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include "tocsin/mem.h"
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static const char *print(const struct labels *ls)
{
    static char text[512];
    struct buf b;
    buf_init(&b, sizeof text - 1);
    labels_print(&b, ls);
    snprintf(text, sizeof text, "%s", buf_text(&b));
    buf_release(&b);
    return text;
}

static void are_sorted_without_empty_values_and_the_last_of_equals_wins(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 16);
    struct labels *ls = labels_of(&a, "b", "1", "a", "2", "B", "3", "c", "", "b", "4", NULL);
    assert_string_equal(print(ls), "{B=\"3\", a=\"2\", b=\"4\"}");
    assert_true(str_is(labels_get(ls, STR("b")), "4"));
    assert_int_equal(labels_get(ls, STR("c")).n, 0);
    assert_false(labels_has(ls, STR("c")));
    assert_true(labels_has(ls, STR("B")));
    assert_string_equal(print(labels_empty(&a)), "{}");
    arena_release(&a);
}

static void prints_as_go_encodes_a_map_of_texts(void **state)
{
    (void)state;
    struct arena a;
    struct buf b;
    arena_init(&a, 1 << 16);
    buf_init(&b, 512);
    labels_print_json(&b, labels_of(&a, "b", "1<2\n", "a", "\xff", NULL));
    assert_string_equal(buf_text(&b), "{\"a\":\"\\ufffd\",\"b\":\"1\\u003c2\\n\"}");
    buf_clear(&b);
    labels_print_json(&b, NULL);
    assert_string_equal(buf_text(&b), "{}");
    buf_release(&b);
    arena_release(&a);
}

static void the_hash_is_prometheus_hash(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 16);
    struct labels *ls = labels_of(&a, "file", "/etc/rules.yml", "name", "g", NULL);
    assert_true(ls->hash == UINT64_C(1782873846254150620));
    ls = labels_of(&a, "__name__", "http_requests", "job", "api-server", "instance", "0", "group", "canary",
                   NULL);
    char ratio[16];
    snprintf(ratio, sizeof ratio, "%.6f", (double)ls->hash / 0x1p64);
    assert_string_equal(ratio, "0.978246");
    arena_release(&a);
}

/* Lengths from 255 on take four bytes; the large set does not fit the small buffer of the hash. */
static void long_values_hash_alike_whatever_made_them(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 20);
    char text[4001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct labels *one = labels_of(&a, "a", text, "b", "1", NULL);
    struct labels *two = labels_with(&a, labels_of(&a, "b", "1", NULL), STR("a"), str_of(text));
    assert_true(one->hash == two->hash);
    assert_true(labels_equal(one, two));
    text[254] = '\0';
    struct labels *shorter = labels_of(&a, "a", text, NULL);
    text[254] = 'x';
    text[255] = '\0';
    assert_true(shorter->hash != labels_of(&a, "a", text, NULL)->hash);
    arena_release(&a);
}

static void copies_stand_on_their_own(void **state)
{
    (void)state;
    struct arena a, b;
    arena_init(&a, 1 << 16);
    arena_init(&b, 1 << 16);
    char name[] = "name", value[] = "value";
    struct labels *ls = labels_of(&a, name, value, "other", "x", NULL);
    struct labels *copy = labels_copy(&b, ls), *heap = labels_copy_heap(ls);
    memset(name, '?', 4);
    memset(value, '?', 5);
    arena_release(&a);
    assert_string_equal(print(copy), "{name=\"value\", other=\"x\"}");
    assert_string_equal(print(heap), "{name=\"value\", other=\"x\"}");
    assert_true(labels_equal(copy, heap));
    mem_free(heap);
    arena_release(&b);
}

static void with_sets_replaces_and_removes(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 16);
    struct labels *ls = labels_of(&a, "b", "1", "d", "2", NULL);
    assert_string_equal(print(labels_with(&a, ls, STR("c"), STR("x"))), "{b=\"1\", c=\"x\", d=\"2\"}");
    assert_string_equal(print(labels_with(&a, ls, STR("b"), STR("x"))), "{b=\"x\", d=\"2\"}");
    assert_string_equal(print(labels_with(&a, ls, STR("b"), STR(""))), "{d=\"2\"}");
    assert_string_equal(print(labels_with(&a, ls, STR("z"), STR(""))), "{b=\"1\", d=\"2\"}");
    assert_true(
        labels_equal(labels_with(&a, labels_with(&a, ls, STR("b"), STR("x")), STR("b"), STR("1")), ls));
    arena_release(&a);
}

static void merging_lets_the_upper_set_win(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 16);
    struct labels *base = labels_of(&a, "a", "1", "b", "1", NULL),
                  *over = labels_of(&a, "b", "2", "c", "2", NULL);
    assert_string_equal(print(labels_merge(&a, base, over)), "{a=\"1\", b=\"2\", c=\"2\"}");
    assert_true(labels_equal(labels_merge(&a, base, labels_empty(&a)), base));
    assert_true(labels_equal(labels_merge(&a, labels_empty(&a), over), over));
    arena_release(&a);
}

static void keeps_or_drops_named_ones(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 16);
    struct labels *ls = labels_of(&a, "__name__", "m", "a", "1", "b", "2", NULL);
    const struct str names[] = {STR("b"), STR("zz"), STR("a")};
    assert_string_equal(print(labels_keep(&a, ls, names, 3)), "{a=\"1\", b=\"2\"}");
    assert_string_equal(print(labels_drop(&a, ls, names, 3)), "{__name__=\"m\"}");
    assert_string_equal(print(labels_drop_name(&a, ls)), "{a=\"1\", b=\"2\"}");
    assert_int_equal(labels_keep(&a, ls, NULL, 0)->count, 0);
    arena_release(&a);
}

static void sets_are_ordered_pairwise(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 16);
    struct labels *small = labels_of(&a, "a", "1", NULL), *more = labels_of(&a, "a", "1", "b", "1", NULL);
    assert_true(labels_compare(small, more) < 0);
    assert_true(labels_compare(more, small) > 0);
    assert_int_equal(labels_compare(more, more), 0);
    assert_true(labels_compare(labels_of(&a, "a", "2", NULL), more) > 0);
    assert_true(labels_compare(labels_of(&a, "b", "0", NULL), more) > 0);
    arena_release(&a);
}

static void odd_names_and_all_values_are_printed_in_quotes(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 16);
    assert_string_equal(print(labels_of(&a, "__name__", "job:up", "a", "\"\n", NULL)),
                        "{__name__=\"job:up\", a=\"\\\"\\n\"}");
    assert_string_equal(print(labels_of(&a, "x-y", "1", NULL)), "{\"x-y\"=\"1\"}");
    arena_release(&a);
}

static void names_are_checked_by_two_schemes(void **state)
{
    (void)state;
    assert_true(label_name_is_classic(STR("_a1")));
    assert_false(label_name_is_classic(STR("1a")));
    assert_false(label_name_is_classic(STR("a:b")));
    assert_false(label_name_is_classic(STR("")));
    assert_true(metric_name_is_classic(STR(":a:b")));
    assert_true(label_name_is_valid(STR("a b\xc3\xa9")));
    assert_false(label_name_is_valid(STR("a\xff")));
    assert_false(label_name_is_valid(STR("")));
}

static void a_full_arena_gives_no_set(void **state)
{
    (void)state;
    struct arena a, tiny;
    arena_init(&a, 1 << 16);
    arena_init(&tiny, 64);
    struct labels *ls = labels_of(&a, "a", "1", "b", "2", "c", "3", NULL);
    assert_null(labels_copy(&tiny, ls));
    assert_null(labels_with(&tiny, ls, STR("d"), STR("4")));
    assert_null(labels_merge(&tiny, ls, ls));
    assert_null(labels_drop_name(&tiny, ls));
    assert_null(labels_of(&tiny, "a", "1", "b", "2", "c", "3", NULL));
    arena_release(&tiny);
    arena_release(&a);
}

static void annotations_keep_empty_texts(void **state)
{
    (void)state;
    struct arena a;
    struct label items[] = {{STR("b"), STR("1")}, {STR("a"), STR("")}, {STR("b"), STR("")}};
    arena_init(&a, 1 << 16);
    const struct labels *ls = labels_make_texts(&a, items, 3);
    assert_string_equal(print(ls), "{a=\"\", b=\"\"}");
    assert_string_equal(print(labels_copy(&a, ls)), "{a=\"\", b=\"\"}");
    struct labels *copy = labels_copy_heap(ls);
    assert_true(labels_equal(copy, ls));
    assert_true(labels_has(ls, STR("a")));
    assert_false(labels_equal(ls, labels_empty(&a)));
    mem_free(copy);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(are_sorted_without_empty_values_and_the_last_of_equals_wins),
        cmocka_unit_test(prints_as_go_encodes_a_map_of_texts),
        cmocka_unit_test(the_hash_is_prometheus_hash),
        cmocka_unit_test(long_values_hash_alike_whatever_made_them),
        cmocka_unit_test(copies_stand_on_their_own),
        cmocka_unit_test(with_sets_replaces_and_removes),
        cmocka_unit_test(merging_lets_the_upper_set_win),
        cmocka_unit_test(keeps_or_drops_named_ones),
        cmocka_unit_test(sets_are_ordered_pairwise),
        cmocka_unit_test(odd_names_and_all_values_are_printed_in_quotes),
        cmocka_unit_test(names_are_checked_by_two_schemes),
        cmocka_unit_test(a_full_arena_gives_no_set),
        cmocka_unit_test(annotations_keep_empty_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
