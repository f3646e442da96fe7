#include "tocsin/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include "tocsin/limits.h"
#include <cmocka.h>

#include <math.h>
#include <string.h>

static struct arena arena;

static int clear(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

static const struct tree *yaml(const char *text)
{
    struct err err = {0};
    struct tree *root = NULL;
    if (yaml_parse(&arena, str_of(text), &root, &err) != 0)
        fail_msg("%s", err.text);
    return root;
}

static const struct tree *json(const char *text)
{
    struct err err = {0};
    struct tree *root = NULL;
    if (json_parse(&arena, str_of(text), &root, &err) != 0)
        fail_msg("%s", err.text);
    return root;
}

typedef int parser(struct arena *, struct str, struct tree **, struct err *);

static struct err refused(parser *parse, const char *text, int code)
{
    struct err err = {0};
    struct tree *root = &(struct tree){0};
    assert_int_equal(parse(&arena, str_of(text), &root, &err), code);
    assert_int_equal(err.code, code);
    assert_null(root);
    return err;
}

static void yaml_keeps_the_text_and_place_of_every_scalar(void **state)
{
    (void)state;
    const struct tree *root = yaml("a: 09:00\nlist:\n  - 010\n  - \"x\"\n  - |\n    block\n");
    assert_int_equal(root->kind, TREE_MAP);
    assert_int_equal(root->count, 2);
    const struct tree *a = tree_get(root, "a");
    assert_true(str_is(a->text, "09:00"));
    assert_false(a->quoted);
    assert_int_equal(a->line, 1);
    assert_int_equal(a->column, 4);
    const struct tree *item = tree_get(root, "list")->first;
    assert_true(str_is(item->text, "010"));
    assert_int_equal(item->line, 3);
    assert_true(item->next->quoted);
    assert_true(item->next->next->quoted);
    assert_true(str_is(item->next->next->text, "block\n"));
    assert_int_equal(tree_get(root, "list")->key->line, 2);
    assert_null(tree_get(root, "b"));
    assert_null(tree_get(a, "b"));
    assert_null(tree_get(NULL, "b"));
}

static void only_the_first_document_counts(void **state)
{
    (void)state;
    assert_null(yaml(""));
    assert_null(yaml("# nothing\n"));
    assert_true(tree_is_null(yaml("---\n")));
    assert_non_null(tree_get(yaml("a: 1\n---\nb: [\n"), "a"));
}

static void aliases_and_merges_are_resolved(void **state)
{
    (void)state;
    const struct tree *root =
        yaml("base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\n"
             "one: {<<: *b, x: 9}\ntwo:\n  <<: [*b, *m]\n  w: 0\nsame: *b\n\"<<\": plain\n");
    const struct tree *one = tree_get(root, "one"), *two = tree_get(root, "two");
    assert_int_equal(one->count, 2);
    assert_true(str_is(tree_get(one, "x")->text, "9"));
    assert_true(str_is(tree_get(one, "y")->text, "2"));
    assert_int_equal(two->count, 4);
    assert_true(str_is(tree_get(two, "y")->text, "2"));
    assert_true(str_is(tree_get(two, "z")->text, "4"));
    assert_true(str_is(tree_get(tree_get(root, "same"), "x")->text, "1"));
    assert_true(str_is(tree_get(root, "same")->key->text, "same"));
    assert_true(str_is(tree_get(root, "<<")->text, "plain"));
}

static void explicit_tags_outweigh_quotes(void **state)
{
    (void)state;
    const struct tree *root = yaml("a: !!str 5\nb: !!int \"5\"\n");
    int64_t v = 0;
    assert_int_equal(tree_i64(tree_get(root, "a"), &v), ERR_PARSE);
    assert_int_equal(tree_i64(tree_get(root, "b"), &v), 0);
    assert_int_equal(v, 5);
}

static void yaml_refuses_with_the_place(void **state)
{
    (void)state;
    struct err e = refused(yaml_parse, "a: 1\nb: 2\na: 3\n", ERR_PARSE);
    assert_string_equal(e.text, "yaml: line 3: key \"a\" already set in map");
    assert_int_equal(e.line, 3);
    assert_int_equal(e.column, 1);
    assert_string_equal(refused(yaml_parse, "a: b: c\n", ERR_PARSE).text,
                        "yaml: mapping values are not allowed in this context");
    assert_string_equal(refused(yaml_parse, "a: *x\n", ERR_PARSE).text,
                        "yaml: unknown anchor 'x' referenced");
    assert_string_equal(refused(yaml_parse, "a: &x [*x]\n", ERR_PARSE).text,
                        "yaml: anchor 'x' value contains itself");
    assert_string_equal(refused(yaml_parse, "<<: 5\n", ERR_PARSE).text,
                        "yaml: map merge requires map or sequence of maps as the value");
    assert_string_equal(refused(yaml_parse, "? [a]\n: b\n", ERR_PARSE).text, "yaml: line 1: invalid map key");
    refused(yaml_parse, "a: \x01\n", ERR_PARSE);
    refused(yaml_parse, "a: \xff\n", ERR_PARSE);
    refused(yaml_parse, "[a, b", ERR_PARSE);
}

static void yaml_bombs_hit_limits(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_repeat(&b, '[', 200000);
    refused(yaml_parse, buf_text(&b), ERR_LIMIT);
    buf_clear(&b);
    buf_puts(&b, "a: &a [x,x,x,x,x,x,x,x,x]\n");
    for (char c = 'b'; c < 'k'; c++)
        buf_format(&b, "%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c - 1, c - 1, c - 1, c - 1,
                   c - 1, c - 1, c - 1, c - 1, c - 1);
    assert_string_equal(refused(yaml_parse, buf_text(&b), ERR_LIMIT).text,
                        "yaml: document contains excessive aliasing");
    buf_clear(&b);
    for (int i = 0; i < 100; i++)
        buf_format(&b, "%%TAG !%d! tag:x\n", i);
    refused(yaml_parse, buf_text(&b), ERR_PARSE);
    buf_release(&b);
}

static void a_full_arena_is_a_limit(void **state)
{
    (void)state;
    struct arena small;
    struct tree *root;
    arena_init(&small, 400);
    assert_int_equal(yaml_parse(&small, STR("a: [1, 2, 3, 4, 5, 6, 7, 8]\n"), &root, NULL), ERR_LIMIT);
    arena_clear(&small);
    assert_int_equal(json_parse(&small, STR("[1, 2, 3, 4, 5, 6, 7, 8]"), &root, NULL), ERR_LIMIT);
    arena_release(&small);
}

static void scalars_have_the_type_their_reader_asks_for(void **state)
{
    (void)state;
    bool on = false;
    int64_t whole = 0;
    double real = 0;
    const struct tree *t =
        yaml("[yes, 'yes', 010, 1_000, 1e3, 1.5, .inf, -.INF, .nan, ~, '', 0x1F, 08, inf, '5']");
    const struct tree *item[15];
    size_t n = 0;
    for (const struct tree *i = t->first; i != NULL; i = i->next)
        item[n++] = i;
    assert_true(tree_bool(item[0], &on) == 0 && on);
    assert_int_equal(tree_bool(item[1], &on), ERR_PARSE);
    assert_true(tree_i64(item[2], &whole) == 0 && whole == 8);
    assert_true(tree_f64(item[2], &real) == 0 && real == 8);
    assert_true(tree_i64(item[3], &whole) == 0 && whole == 1000);
    assert_true(tree_i64(item[4], &whole) == 0 && whole == 1000);
    assert_int_equal(tree_i64(item[5], &whole), ERR_PARSE);
    assert_true(tree_f64(item[5], &real) == 0 && real == 1.5);
    assert_true(tree_f64(item[6], &real) == 0 && real == INFINITY);
    assert_true(tree_f64(item[7], &real) == 0 && real == -INFINITY);
    assert_true(tree_f64(item[8], &real) == 0 && isnan(real));
    assert_true(tree_is_null(item[9]));
    assert_false(tree_is_null(item[10]));
    assert_true(tree_f64(item[11], &real) == 0 && real == 31);
    assert_true(tree_f64(item[12], &real) == 0 && real == 8);
    assert_int_equal(tree_f64(item[13], &real), ERR_PARSE);
    assert_int_equal(tree_i64(item[14], &whole), ERR_PARSE);
    assert_int_equal(tree_bool(t, &on), ERR_PARSE);
    assert_true(tree_is_null(NULL));
}

static void json_has_the_same_shape(void **state)
{
    (void)state;
    const struct tree *root =
        json(" {\"a\": [1, -2.5e3, true, null],\n \"b\": \"x\\n\\u00e9\\ud83d\\ude00\\/\", \"a\": {}}");
    assert_int_equal(root->count, 3);
    assert_int_equal(tree_get(root, "a")->kind, TREE_MAP); /* the last of equals */
    assert_true(str_is(root->first->first->next->text, "-2.5e3"));
    assert_false(root->first->first->quoted);
    assert_true(tree_is_null(root->first->first->next->next->next));
    const struct tree *b = tree_get(root, "b");
    assert_true(b->quoted);
    assert_true(str_is(b->text, "x\n\xc3\xa9\xf0\x9f\x98\x80/"));
    assert_int_equal(b->line, 2);
    assert_int_equal(b->column, 7);
    assert_true(str_is(json("\"\xff\\ud800x\"")->text, "\xef\xbf\xbd\xef\xbf\xbdx"));
}

static void json_errors_are_gos(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "unexpected end of JSON input"},
        {"{\"a\":1", "unexpected end of JSON input"},
        {"{a:1}", "invalid character 'a' looking for beginning of object key string"},
        {"{\"a\" 1}", "invalid character '1' after object key"},
        {"{\"a\":1 2}", "invalid character '2' after object key:value pair"},
        {"[1 2]", "invalid character '2' after array element"},
        {"[1,]", "invalid character ']' looking for beginning of value"},
        {"1 x", "invalid character 'x' after top-level value"},
        {"tru", "invalid character ' ' in literal true (expecting 'e')"},
        {"01", "invalid character '1' after top-level value"},
        {"-", "invalid character ' ' in numeric literal"},
        {"1.x", "invalid character 'x' after decimal point in numeric literal"},
        {"\"\n\"", "invalid character '\\n' in string literal"},
        {"\"\\x\"", "invalid character 'x' in string escape code"},
        {"'", "invalid character '\\'' looking for beginning of value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(refused(json_parse, cases[i][0], ERR_PARSE).text, cases[i][1]);
}

static void deep_json_is_a_limit(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_repeat(&b, '[', 100000);
    refused(json_parse, buf_text(&b), ERR_LIMIT);
    buf_clear(&b);
    buf_repeat(&b, '[', (size_t)limits.json_depth);
    buf_repeat(&b, ']', (size_t)limits.json_depth);
    json(buf_text(&b));
    buf_release(&b);
}

static void prints_json_strings_as_go_and_raw(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    json_string(&b, STR("a<\"\\\b\x01\n\xff\xe2\x80\xa8\x7f"));
    assert_string_equal(buf_text(&b), "\"a\\u003c\\\"\\\\\\b\\u0001\\n\\ufffd\\u2028\x7f\"");
    buf_clear(&b);
    json_string_raw(&b, STR("a<\"\xff\n"));
    assert_string_equal(buf_text(&b), "\"a<\\\"\xff\\n\"");
    buf_release(&b);
}

static void documents_are_read_one_or_all_and_keep_repeated_keys(void **state)
{
    (void)state;
    static const char text[] = "# none\n---\na: 1\nb: 2\na: 3\na: 4\n---\n---\n~\n--- &x\nc: 5\n...\n";
    struct tree_documents found;
    struct err err = {0};
    assert_int_equal(yaml_parse_documents(&arena, str_of(text), false, &found, &err), 0);
    assert_int_equal(found.count, 1);
    const struct tree *a = found.items[0]->first;
    assert_int_equal(found.items[0]->count, 4);
    assert_int_equal(a->key->repeats_line, 0);
    assert_int_equal(a->next->next->key->repeats_line, 3);
    assert_int_equal(a->next->next->next->key->repeats_line, 3);
    assert_int_equal(yaml_parse_documents(&arena, str_of(text), true, &found, &err), 0);
    assert_int_equal(found.count, 2);
    assert_true(str_is(tree_get(found.items[1], "c")->text, "5"));
    assert_int_equal(yaml_parse_documents(&arena, STR("a: 1\n---\nb: [\n"), false, &found, &err), 0);
    assert_int_equal(yaml_parse_documents(&arena, STR("a: 1\n---\nb: [\n"), true, &found, &err), ERR_PARSE);
    assert_int_equal(found.count, 0);
    assert_int_equal(yaml_parse_documents(&arena, STR("a: &x 1\n---\nb: *x\n"), true, &found, &err),
                     ERR_PARSE);
}

static int release(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

int main(void)
{
    arena_init(&arena, 64 << 20);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(yaml_keeps_the_text_and_place_of_every_scalar, clear),
        cmocka_unit_test_setup(only_the_first_document_counts, clear),
        cmocka_unit_test_setup(aliases_and_merges_are_resolved, clear),
        cmocka_unit_test_setup(explicit_tags_outweigh_quotes, clear),
        cmocka_unit_test_setup(yaml_refuses_with_the_place, clear),
        cmocka_unit_test_setup(yaml_bombs_hit_limits, clear),
        cmocka_unit_test_setup(a_full_arena_is_a_limit, clear),
        cmocka_unit_test_setup(scalars_have_the_type_their_reader_asks_for, clear),
        cmocka_unit_test_setup(json_has_the_same_shape, clear),
        cmocka_unit_test_setup(json_errors_are_gos, clear),
        cmocka_unit_test_setup(deep_json_is_a_limit, clear),
        cmocka_unit_test_setup(prints_json_strings_as_go_and_raw, clear),
        cmocka_unit_test_setup(documents_are_read_one_or_all_and_keep_repeated_keys, clear),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
