#include "tocsin/strict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tocsin/limits.h"

struct leaf {
    struct str name;
    bool on;
    int64_t count;
    uint64_t size;
    double share;
};

struct whole {
    struct strict_scalar title;
    struct strict_texts words;
    struct strict_list leaves; /* of struct leaf */
    bool checked;              /* the one under `checked` was found sound */
};

static struct arena arena;
static struct strict strict;

static void read_leaf(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        {"name", strict_text, offsetof(struct leaf, name)},
        {"on", strict_bool, offsetof(struct leaf, on)},
        {"count", strict_i64, offsetof(struct leaf, count)},
        {"size", strict_u64, offsetof(struct leaf, size)},
        {"share", strict_f64, offsetof(struct leaf, share)},
        {NULL, NULL, 0},
    };
    *(struct leaf *)target = (struct leaf){STR("nobody"), true, 7, 7, 7};
    strict_struct(s, node, "test.Leaf", fields, target);
}

static void read_leaves(struct strict *s, const struct tree *node, void *target)
{
    strict_list(s, node, "[]test.Leaf", sizeof(struct leaf), read_leaf, target);
}

static void read_checked(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {{"ok", strict_skip, 0}, {NULL, NULL, 0}};
    *(bool *)target = strict_struct(s, node, "test.Checked", fields, NULL);
}

static void read_odd(struct strict *s, const struct tree *node, void *target)
{
    (void)target;
    struct str text;
    strict_text(s, node, &text);
    strict_fail(s, node, "%.*s is odd", STR_ARG(text));
}

static void read_unbuilt(struct strict *s, const struct tree *node, void *target)
{
    (void)target;
    strict_unsupported(s, node->key, "%.*s is not built", STR_ARG(node->key->text));
}

static void read_borrowed(struct strict *s, const struct tree *node, void *target)
{
    (void)target;
    struct err why;
    err_set(&why, ERR_IO, "the disk is gone");
    strict_stop(s, node, &why);
}

static void read_greedy(struct strict *s, const struct tree *node, void *target)
{
    (void)node;
    *(const void **)target = arena_alloc(s->arena, s->arena->cap_bytes);
}

static const struct strict_field whole_fields[] = {
    {"title", strict_scalar, offsetof(struct whole, title)},
    {"words", strict_texts, offsetof(struct whole, words)},
    {"leaves", read_leaves, offsetof(struct whole, leaves)},
    {"checked", read_checked, offsetof(struct whole, checked)},
    {"odd", read_odd, 0},
    {"unbuilt", read_unbuilt, 0},
    {"also_unbuilt", read_unbuilt, 0},
    {"borrowed", read_borrowed, 0},
    {"greedy", read_greedy, offsetof(struct whole, title.node)},
    {"skipped", strict_skip, 0},
    {NULL, NULL, 0},
};

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    strict_init(&strict, &arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    strict_release(&strict);
    arena_release(&arena);
    return 0;
}

static struct whole read(const char *text)
{
    struct whole whole = {0};
    struct tree *root;
    struct err err = {0};
    if (yaml_parse(&arena, str_of(text), &root, &err) != 0)
        fail_msg("%s", err.text);
    strict_struct(&strict, root, "test.Whole", whole_fields, &whole);
    return whole;
}

static struct leaf only_leaf(const char *text)
{
    struct whole whole = read(text);
    assert_int_equal(whole.leaves.count, 1);
    return ((struct leaf *)whole.leaves.items)[0];
}

static struct err expect_failure(const char *text, int code, const char *message)
{
    struct err err = {0};
    read(text);
    assert_false(strict_sound(&strict) && code != ERR_UNSUPPORTED);
    assert_int_equal(strict_result(&strict, &err), code);
    assert_string_equal(strict_why(&strict), message);
    assert_string_equal(err.text, message);
    assert_int_equal(err.code, code);
    return err;
}

static void a_sound_document_fills_its_struct(void **state)
{
    (void)state;
    struct whole whole = read("title: 09:00\n"
                              "words: [a, 010, \"\"]\n"
                              "skipped: {any: [thing]}\n"
                              "leaves:\n"
                              "- {name: x, on: yes, count: -3, size: 4, share: 0.5}\n"
                              "- {share: 2}\n");
    struct err untouched = {.code = 1};
    assert_true(strict_sound(&strict));
    assert_null(strict_why(&strict));
    assert_int_equal(strict_result(&strict, &untouched), 0);
    assert_int_equal(untouched.code, 1);
    assert_true(str_is(whole.title.text, "09:00"));
    assert_int_equal(whole.title.node->line, 1);
    assert_int_equal(whole.words.count, 3);
    assert_true(str_is(whole.words.items[1], "010"));
    assert_int_equal(whole.leaves.count, 2);
    const struct leaf *leaves = whole.leaves.items;
    assert_true(str_is(leaves[0].name, "x") && leaves[0].on);
    assert_int_equal(leaves[0].count, -3);
    assert_int_equal(leaves[0].size, 4);
    assert_true(leaves[0].share == 0.5 && leaves[1].share == 2);
    assert_true(str_is(leaves[1].name, "nobody"));
}

static void null_wipes_plain_values_and_leaves_the_rest(void **state)
{
    (void)state;
    struct leaf leaf = only_leaf("leaves: [{name: ~, on: , count: null, size: ~, share: ~}]");
    assert_true(strict_sound(&strict));
    assert_true(leaf.name.p != NULL && leaf.name.n == 0);
    assert_true(!leaf.on && leaf.count == 0 && leaf.size == 0 && leaf.share == 0);
    leaf = only_leaf("leaves: [~]");
    assert_true(str_is(leaf.name, "nobody"));
    struct whole whole = read("leaves: \nwords: ~\n");
    assert_true(strict_sound(&strict));
    assert_int_equal(whole.leaves.count + whole.words.count, 0);
}

static void an_empty_document_is_sound(void **state)
{
    (void)state;
    read("");
    assert_true(strict_sound(&strict));
}

static void problems_are_collected_in_file_order(void **state)
{
    (void)state;
    struct err err = expect_failure("colour: red\n"
                                    "words: x\n"
                                    "leaves:\n"
                                    "- {name: [a], on: maybe, sise: 1}\n"
                                    "- 3\n"
                                    "title: {}\n",
                                    ERR_PARSE,
                                    "yaml: unmarshal errors:\n"
                                    "  line 1: field colour not found in type test.Whole\n"
                                    "  line 2: cannot unmarshal !!str `x` into []string\n"
                                    "  line 4: cannot unmarshal !!seq into string\n"
                                    "  line 4: cannot unmarshal !!str `maybe` into bool\n"
                                    "  line 4: field sise not found in type test.Leaf\n"
                                    "  line 5: cannot unmarshal !!int `3` into test.Leaf\n"
                                    "  line 6: cannot unmarshal !!map into string");
    assert_int_equal(err.line, 0);
}

static void ill_typed_values_are_named_by_their_yaml_type(void **state)
{
    (void)state;
    expect_failure("leaves: [{count: 1.5e30, size: -1, on: 3, share: true}]", ERR_PARSE,
                   "yaml: unmarshal errors:\n"
                   "  line 1: cannot unmarshal !!float `1.5e30` into int\n"
                   "  line 1: cannot unmarshal !!int `-1` into uint64\n"
                   "  line 1: cannot unmarshal !!int `3` into bool\n"
                   "  line 1: cannot unmarshal !!bool `true` into float64");
}

static void quoted_scalars_are_texts(void **state)
{
    (void)state;
    expect_failure("leaves: [{count: '1', on: \"true\"}]", ERR_PARSE,
                   "yaml: unmarshal errors:\n"
                   "  line 1: cannot unmarshal !!str `1` into int\n"
                   "  line 1: cannot unmarshal !!str `true` into bool");
}

static void long_scalars_are_told_by_their_first_seven_bytes(void **state)
{
    (void)state;
    expect_failure("leaves: [abcdefghij, abcdefghijk]", ERR_PARSE,
                   "yaml: unmarshal errors:\n"
                   "  line 1: cannot unmarshal !!str `abcdefghij` into test.Leaf\n"
                   "  line 1: cannot unmarshal !!str `abcdefg...` into test.Leaf");
}

static void yes_is_a_text_unless_the_older_decoder_is_followed(void **state)
{
    (void)state;
    expect_failure("leaves: [{count: yes}]", ERR_PARSE,
                   "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `yes` into int");
}

static void yes_is_a_bool_where_the_older_decoder_is_followed(void **state)
{
    (void)state;
    strict.yes_is_bool = true;
    expect_failure("leaves: [{count: yes}]", ERR_PARSE,
                   "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!bool `yes` into int");
}

static void a_stop_speaks_alone_and_ends_the_reading(void **state)
{
    (void)state;
    struct err err = expect_failure("colour: red\nunbuilt: 1\nodd:   three\nborrowed: 1\ntitle: []\n",
                                    ERR_PARSE, "three is odd");
    assert_int_equal(err.line, 3);
    assert_int_equal(err.column, 8);
    assert_true(strict_stopped(&strict));
    assert_int_equal(strict.problem_count, 1);
}

static void a_stop_keeps_the_code_it_came_with(void **state)
{
    (void)state;
    struct err err = expect_failure("title: x\nborrowed: 1\nodd: three\n", ERR_IO, "the disk is gone");
    assert_int_equal(err.line, 2);
}

static void the_first_unsupported_key_is_told_if_nothing_else_is_wrong(void **state)
{
    (void)state;
    struct err err = expect_failure("title: x\nalso_unbuilt: 1\nunbuilt: 1\n", ERR_UNSUPPORTED,
                                    "also_unbuilt is not built");
    assert_int_equal(err.line, 2);
    assert_int_equal(err.column, 1);
    assert_true(strict_sound(&strict));
    expect_failure("unbuilt: 1\ncolour: red\n", ERR_PARSE,
                   "yaml: unmarshal errors:\n  line 2: field colour not found in type test.Whole");
}

static void unknown_keys_are_passed_over_when_asked_to(void **state)
{
    (void)state;
    strict.ignore_unknown = true;
    assert_true(only_leaf("colour: red\nleaves: [{sise: 1, count: 2}]").count == 2);
    assert_true(strict_sound(&strict));
    expect_failure("words: x\n", ERR_PARSE,
                   "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `x` into []string");
}

static void a_map_with_problems_of_its_own_is_not_sound(void **state)
{
    (void)state;
    assert_true(read("words: 1\nchecked: {ok: 1}\n").checked);
    assert_false(read("checked: {oh: 1}\n").checked);
    assert_false(read("checked: 1\n").checked);
    assert_true(read("checked: \n").checked);
}

static void running_into_the_cap_stops_the_reading(void **state)
{
    (void)state;
    uint64_t before = limit_hits(LIMIT_generation_arena_bytes);
    expect_failure("greedy: 1\nodd: three\nborrowed: 1\n", ERR_LIMIT,
                   "the configuration needs more memory than generation_arena_bytes");
    assert_true(strict_stopped(&strict));
    assert_int_equal(limit_hits(LIMIT_generation_arena_bytes), before + 1);
}

static void the_whole_message_is_longer_than_an_err_holds(void **state)
{
    (void)state;
    struct buf text;
    struct err err = {0};
    buf_init(&text, 1 << 16);
    for (int i = 0; i < 100; i++)
        buf_format(&text, "unknown_key_%d: x\n", i);
    read(buf_text(&text));
    assert_int_equal(strict_result(&strict, &err), ERR_PARSE);
    assert_true(strlen(err.text) < ERR_TEXT_MAX);
    assert_non_null(
        strstr(strict_why(&strict), "line 100: field unknown_key_99 not found in type test.Whole"));
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_sound_document_fills_its_struct),
        TEST(null_wipes_plain_values_and_leaves_the_rest),
        TEST(an_empty_document_is_sound),
        TEST(problems_are_collected_in_file_order),
        TEST(ill_typed_values_are_named_by_their_yaml_type),
        TEST(quoted_scalars_are_texts),
        TEST(long_scalars_are_told_by_their_first_seven_bytes),
        TEST(yes_is_a_text_unless_the_older_decoder_is_followed),
        TEST(yes_is_a_bool_where_the_older_decoder_is_followed),
        TEST(a_stop_speaks_alone_and_ends_the_reading),
        TEST(a_stop_keeps_the_code_it_came_with),
        TEST(the_first_unsupported_key_is_told_if_nothing_else_is_wrong),
        TEST(unknown_keys_are_passed_over_when_asked_to),
        TEST(a_map_with_problems_of_its_own_is_not_sound),
        TEST(running_into_the_cap_stops_the_reading),
        TEST(the_whole_message_is_longer_than_an_err_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
