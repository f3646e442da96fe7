#include "tocsin/yaml_emit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
    struct arena arena;
    struct buf out;
};

static int setup(void **state)
{
    static struct fixture f;
    arena_init(&f.arena, 1 << 20);
    buf_init(&f.out, 1 << 20);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_release(&f->arena);
    buf_release(&f->out);
    return 0;
}

static const char *emit(struct fixture *f, const struct tree *root)
{
    struct err err = {0};
    buf_clear(&f->out);
    if (yaml_emit(&f->out, root, &err) != 0)
        fail_msg("%s", err.text);
    return buf_text(&f->out);
}

static const char *emit_text(struct fixture *f, const char *text)
{
    struct tree *map = tree_map(&f->arena);
    tree_put_text(&f->arena, map, STR("k"), str_of(text));
    return emit(f, map);
}

/* What Go's yaml.v2 made of the same texts. */
static void test_texts_are_quoted_as_go_quotes_them(void **state)
{
    static const char *const rows[][2] = {
        {"plain", "k: plain\n"},
        {"", "k: \"\"\n"},
        {"yes", "k: \"yes\"\n"},
        {"Off", "k: \"Off\"\n"},
        {"null", "k: \"null\"\n"},
        {"2", "k: \"2\"\n"},
        {"0x1f", "k: \"0x1f\"\n"},
        {"1_000", "k: \"1_000\"\n"},
        {"_1", "k: _1\n"},
        {"._1", "k: ._1\n"},
        {"12:30", "k: \"12:30\"\n"},
        {"12:60", "k: 12:60\n"},
        {"1.2.3", "k: 1.2.3\n"},
        {"2026-11-23", "k: \"2026-11-23\"\n"},
        {"2026-11-23 late", "k: 2026-11-23 late\n"},
        {"2026-11-23T10:00:00Z", "k: \"2026-11-23T10:00:00Z\"\n"},
        {"<<", "k: <<\n"},
        {"#x", "k: '#x'\n"},
        {"a: b", "k: 'a: b'\n"},
        {"a #b", "k: 'a #b'\n"},
        {"it's", "k: it's\n"},
        {"'it'", "k: '''it'''\n"},
        {"{{ x }}", "k: '{{ x }}'\n"},
        {"a\tb", "k: \"a\\tb\"\n"},
        {"\xc3\xa9", "k: \xc3\xa9\n"},
        {"\xf0\x9f\x98\x80", "k: \"\\U0001F600\"\n"},
        {"a\nb", "k: |-\n  a\n  b\n"},
        {"a\nb\n", "k: |\n  a\n  b\n"},
        {"a\n\n", "k: |+\n  a\n\n"},
        {" a\nb", "k: |2-\n   a\n  b\n"},
        {"a \nb", "k: \"a \\nb\"\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(emit_text(*state, rows[i][0]), rows[i][1]);
}

static void test_long_texts_are_folded_behind_column_80(void **state)
{
    const char *title =
        "(page) {{$labels.sloth_service}} {{$labels.sloth_slo}} SLO error budget burn rate is too fast.";
    assert_string_equal(
        emit_text(*state, title),
        "k: (page) {{$labels.sloth_service}} {{$labels.sloth_slo}} SLO error budget burn rate\n"
        "  is too fast.\n");
}

static void test_lists_stand_under_their_key(void **state)
{
    struct fixture *f = *state;
    struct tree *root = tree_map(&f->arena), *list = tree_list(&f->arena), *item = tree_map(&f->arena);
    tree_put_text(&f->arena, item, STR("a"), STR("1"));
    tree_put_text(&f->arena, item, STR("b"), STR("x"));
    tree_add(list, item);
    tree_put(&f->arena, root, STR("items"), list);
    assert_string_equal(emit(f, root), "items:\n- a: \"1\"\n  b: x\n");
}

static void test_keys_are_ordered_as_go_orders_them(void **state)
{
    static const char *const keys[] = {"aa", "aB", "a10", "a2", "a_b", "a", "A", "1", "_x"};
    static const char ordered[] =
        "_x: \"\"\n\"1\": \"\"\nA: \"\"\na: \"\"\na_b: \"\"\na2: \"\"\na10: \"\"\naB: "
        "\"\"\naa: \"\"\n";
    struct fixture *f = *state;
    struct tree *map = tree_map(&f->arena);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        tree_put_text(&f->arena, map, str_of(keys[i]), STR(""));
    tree_sort(&f->arena, map);
    assert_string_equal(emit(f, map), ordered);
}

static void test_what_is_no_utf8_is_refused(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct tree *map = tree_map(&f->arena);
    tree_put_text(&f->arena, map, STR("k"), STR("\xff"));
    assert_int_equal(yaml_emit(&f->out, map, &err), ERR_PARSE);
}

static void test_a_full_buffer_is_told(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct buf small;
    struct tree *map = tree_map(&f->arena);
    tree_put_text(&f->arena, map, STR("k"), STR("a long text"));
    buf_init(&small, 4);
    assert_int_equal(yaml_emit(&small, map, &err), ERR_LIMIT);
    buf_release(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_are_quoted_as_go_quotes_them),
        cmocka_unit_test(test_long_texts_are_folded_behind_column_80),
        cmocka_unit_test(test_lists_stand_under_their_key),
        cmocka_unit_test(test_keys_are_ordered_as_go_orders_them),
        cmocka_unit_test(test_what_is_no_utf8_is_refused),
        cmocka_unit_test(test_a_full_buffer_is_told),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
