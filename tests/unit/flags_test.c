#include "../../engine/daemon/flags_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *file;
static bool lint, remote;
static int64_t size, wait_ms, go_ms;
static struct flag_list names;
static struct flag_rest rest;

static const struct flag flags[] = {
    {"config.file", FLAG_TEXT, &file, "the configuration"},
    {"lint", FLAG_SWITCH, &lint, "be picky"},
    {"no-remote", FLAG_SWITCH, &remote, "a switch whose own name begins with no-"},
    {"size", FLAG_NUMBER, &size, "how much"},
    {"wait", FLAG_DURATION_MS, &wait_ms, "how long"},
    {"go", FLAG_GO_DURATION_MS, &go_ms, "how long, as Go says it"},
    {"name", FLAG_LIST, &names, "one of several"},
    {NULL, 0, NULL, NULL},
};

static int set_up(void **state)
{
    (void)state;
    file = "tocsin.yml";
    lint = remote = false;
    size = 7;
    wait_ms = go_ms = 90000;
    names = (struct flag_list){.count = 0};
    return 0;
}

/* The words as argv, which flags_parse rearranges; room for a list that is too long. */
static int parse(const char *const *words, struct err *err)
{
    static char *argv[2 + 2 * FLAG_LIST_MAX];
    int argc = 1;
    argv[0] = (char[]){"tocsin"};
    for (; *words != NULL; words++) {
        assert_true((size_t)argc < sizeof argv / sizeof *argv);
        argv[argc++] = (char *)(uintptr_t)*words;
    }
    return flags_parse(flags, argc, argv, &rest, err);
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL}, &(struct err){0})

static void expect_refused(const char *word, const char *value, const char *message)
{
    struct err err = {0};
    assert_int_equal(parse((const char *const[]){word, value, NULL}, &err), ERR_ARG);
    assert_string_equal(err.text, message);
}

static void nothing_given_leaves_the_defaults(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(parse((const char *const[]){NULL}, &err), 0);
    assert_string_equal(file, "tocsin.yml");
    assert_false(lint);
    assert_int_equal(size, 7);
    assert_int_equal(wait_ms, 90000);
    assert_int_equal(names.count, 0);
    assert_int_equal(rest.count, 0);
}

static void a_value_follows_an_equals_sign_or_stands_alone(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--config.file=a=b", "--size", "-12", "--wait=1m30s"), 0);
    assert_string_equal(file, "a=b");
    assert_int_equal(size, -12);
    assert_int_equal(wait_ms, 90000);
    assert_int_equal(PARSE("--config.file", "--lint", "--wait", "2s"), 0);
    assert_string_equal(file, "--lint");
    assert_false(lint);
    assert_int_equal(wait_ms, 2000);
    assert_int_equal(PARSE("--config.file="), 0);
    assert_string_equal(file, "");
    assert_int_equal(PARSE("--go", "1.5h"), 0);
    assert_int_equal(go_ms, 5400000);
    assert_int_equal(PARSE("--go=0"), 0);
    assert_int_equal(go_ms, 0);
}

static void switches_go_on_and_off(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--lint"), 0);
    assert_true(lint);
    assert_int_equal(PARSE("--no-lint"), 0);
    assert_false(lint);
    assert_int_equal(PARSE("--no-lint", "--lint"), 0);
    assert_true(lint);
}

static void a_value_may_come_from_a_file(void **state)
{
    (void)state;
    assert_int_equal(flag_read(&flags[1], "true", NULL), 0);
    assert_true(lint);
    assert_int_equal(flag_read(&flags[1], "false", NULL), 0);
    assert_false(lint);
    assert_int_equal(flag_read(&flags[1], "yes", NULL), ERR_ARG);
    assert_int_equal(flag_read(&flags[3], "12", NULL), 0);
    assert_int_equal(size, 12);
}

static void a_name_that_begins_with_no_is_its_own(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--no-remote"), 0);
    assert_true(remote);
    assert_int_equal(PARSE("--no-no-remote"), 0);
    assert_false(remote);
}

static void the_last_of_several_values_counts_but_lists_keep_all(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--size=1", "--name=a", "--size=2", "--name", "b"), 0);
    assert_int_equal(size, 2);
    assert_int_equal(names.count, 2);
    assert_string_equal(names.items[0], "a");
    assert_string_equal(names.items[1], "b");
}

static void other_words_are_gathered_in_order(void **state)
{
    (void)state;
    assert_int_equal(PARSE("rules", "--lint", "a.yml", "-", "--size=1", "b.yml"), 0);
    assert_int_equal(rest.count, 4);
    assert_string_equal(rest.items[0], "rules");
    assert_string_equal(rest.items[1], "a.yml");
    assert_string_equal(rest.items[2], "-");
    assert_string_equal(rest.items[3], "b.yml");
}

static void two_dashes_end_the_flags(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--", "--lint", "-x", "--", "--help"), 0);
    assert_false(lint);
    assert_int_equal(rest.count, 4);
    assert_string_equal(rest.items[0], "--lint");
    assert_string_equal(rest.items[2], "--");
}

static void help_is_asked_for(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--help"), ERR_CANCEL);
    assert_int_equal(PARSE("a", "-h"), ERR_CANCEL);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    expect_refused("--colour", "red", "unknown flag --colour");
    expect_refused("--colour=red", NULL, "unknown flag --colour");
    expect_refused("--no-colour", NULL, "unknown flag --no-colour");
    expect_refused("--no-size", "1", "unknown flag --no-size");
    expect_refused("--lin", NULL, "unknown flag --lin");
    expect_refused("--=x", NULL, "unknown flag --");
    expect_refused("-l", NULL, "unknown flag -l");
    expect_refused("--size", NULL, "--size needs a value");
    expect_refused("--size", "much", "--size takes a whole number, not \"much\"");
    expect_refused("--size=", NULL, "--size takes a whole number, not \"\"");
    expect_refused("--size=1.5", NULL, "--size takes a whole number, not \"1.5\"");
    expect_refused("--wait=10", NULL, "--wait takes a duration like 30s or 1h, not \"10\"");
    expect_refused("--wait=-1s", NULL, "--wait takes a duration like 30s or 1h, not \"-1s\"");
    expect_refused("--go=1d", NULL, "--go takes a duration like 30s or 120h, not \"1d\"");
    expect_refused("--go=-1s", NULL, "--go takes a duration like 30s or 120h, not \"-1s\"");
    expect_refused("--lint=true", NULL, "--lint is a switch and takes no value");
    expect_refused("--no-lint=true", NULL, "--lint is a switch and takes no value");
    assert_int_equal(size, 7);
    assert_int_equal(wait_ms, 90000);
}

static void a_list_has_a_maximum(void **state)
{
    (void)state;
    const char *words[FLAG_LIST_MAX + 2];
    struct err err = {0};
    for (size_t i = 0; i <= FLAG_LIST_MAX; i++)
        words[i] = "--name=x";
    words[FLAG_LIST_MAX] = NULL;
    assert_int_equal(parse(words, &err), 0);
    assert_int_equal(names.count, FLAG_LIST_MAX);
    names.count = 0;
    words[FLAG_LIST_MAX] = "--name=x";
    words[FLAG_LIST_MAX + 1] = NULL;
    assert_int_equal(parse(words, &err), ERR_ARG);
    assert_string_equal(err.text, "--name is given more than 64 times");
}

static void the_table_prints_with_its_defaults(void **state)
{
    (void)state;
    char text[1024] = "";
    FILE *to = tmpfile();
    assert_non_null(to);
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    assert_true(dup2(fileno(to), STDOUT_FILENO) >= 0);
    flags_print(flags);
    fflush(stdout);
    assert_true(dup2(saved, STDOUT_FILENO) >= 0);
    close(saved);
    rewind(to);
    assert_true(fread(text, 1, sizeof text - 1, to) > 0);
    fclose(to);
    assert_string_equal(text, "  --config.file=TEXT\n        the configuration (default tocsin.yml)\n"
                              "  --lint\n        be picky\n"
                              "  --no-remote\n        a switch whose own name begins with no-\n"
                              "  --size=N\n        how much (default 7)\n"
                              "  --wait=DURATION\n        how long (default 1m30s)\n"
                              "  --go=DURATION\n        how long, as Go says it (default 1m30s)\n"
                              "  --name=TEXT ...\n        one of several\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, set_up)
        TEST(nothing_given_leaves_the_defaults),
        TEST(a_value_follows_an_equals_sign_or_stands_alone),
        TEST(switches_go_on_and_off),
        TEST(a_value_may_come_from_a_file),
        TEST(a_name_that_begins_with_no_is_its_own),
        TEST(the_last_of_several_values_counts_but_lists_keep_all),
        TEST(other_words_are_gathered_in_order),
        TEST(two_dashes_end_the_flags),
        TEST(help_is_asked_for),
        TEST(what_is_wrong_is_named),
        TEST(a_list_has_a_maximum),
        TEST(the_table_prints_with_its_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
