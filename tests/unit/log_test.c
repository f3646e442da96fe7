#include "tocsin/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include "tocsin/tree.h"
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char line[1 << 16];

/* What was logged since the last call, without its time. */
static const char *logged(int fd)
{
    ssize_t n = read(fd, line, sizeof line - 1);
    line[n > 0 ? n : 0] = '\0';
    const char *level = strstr(line, "level");
    return level != NULL ? level : line;
}

static void lines_are_logfmt(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, ends[1]);
    log_info("started");
    assert_string_equal(logged(ends[0]), "level=info msg=\"started\"\n");
    assert_memory_equal(line, "ts=", 3);
    assert_int_equal(strspn(line + 3, "0123456789-T:."), 23);
    log_warn("fields", LOG_STR("s", STR("plain")), LOG_INT("i", -5), LOG_BOOL("b", true), LOG_FLOAT("f", 1e6),
             LOG_MS("took", 1500), LOG_MS("short", 7), LOG_SECRET("key"), LOG_TEXT("empty", ""));
    assert_string_equal(logged(ends[0]),
                        "level=warn msg=\"fields\" s=plain i=-5 b=true f=1e+06 took=1.5s short=7ms "
                        "key=<secret> empty=\"\"\n");
    log_debug("unseen");
    log_error("last", LOG_ERR(&(struct err){.text = "no such file"}));
    assert_string_equal(logged(ends[0]), "level=error msg=\"last\" err=\"no such file\"\n");
    close(ends[0]);
    close(ends[1]);
}

static void nobody_can_forge_a_line(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, ends[1]);
    log_info("m", LOG_STR("s", STR("a\nts=x \"q\\\x1b[31m\xff\xc2\x9b\xc3\xa9")));
    assert_string_equal(logged(ends[0]),
                        "level=info msg=\"m\" s=\"a\\nts=x \\\"q\\\\\\u001b[31m\\ufffd\\u009b\xc3\xa9\"\n");
    char text[1000];
    memset(text, 'a', sizeof text);
    text[LOG_VALUE_MAX - 1] = '\xc3';
    text[LOG_VALUE_MAX] = '\xa9';
    log_info("m", LOG_STR("s", ((struct str){text, sizeof text})));
    assert_int_equal(strlen(logged(ends[0])), strlen("level=info msg=\"m\" s=\"...\"\n") + LOG_VALUE_MAX - 1);
    close(ends[0]);
    close(ends[1]);
}

static void lines_are_json(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    log_setup(LOG_LEVEL_DEBUG, LOG_FORMAT_JSON, ends[1]);
    log_debug("m", LOG_STR("s", STR("a\"\n\x01\xf3\xa0\x80\x81")), LOG_FLOAT("f", 0.0 / 0.0), LOG_INT("i", 1),
              LOG_BOOL("b", false), LOG_MS("took", 61001), LOG_SECRET("key"));
    logged(ends[0]);
    struct arena a;
    struct tree *root = NULL;
    arena_init(&a, 1 << 16);
    assert_int_equal(json_parse(&a, str_of(line), &root, NULL), 0);
    assert_true(str_is(tree_get(root, "s")->text, "a\"\n\x01\xf3\xa0\x80\x81"));
    assert_true(str_is(tree_get(root, "f")->text, "NaN"));
    assert_true(str_is(tree_get(root, "took")->text, "61.001s"));
    assert_true(str_is(tree_get(root, "key")->text, "<secret>"));
    assert_false(tree_get(root, "i")->quoted);
    arena_release(&a);
    close(ends[0]);
    close(ends[1]);
}

static void ten_lines_of_a_kind_pass_each_second(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, ends[1]);
    struct log_rate rate = {0};
    int passed = 0;
    for (int i = 0; i < 25; i++)
        passed += log_allowed(&rate, 5000000000);
    assert_int_equal(passed, 10);
    assert_true(log_allowed(&rate, 6000000000));
    log_info("again");
    assert_string_equal(logged(ends[0]), "level=info msg=\"again\" suppressed=15\n");
    log_info("more");
    assert_string_equal(logged(ends[0]), "level=info msg=\"more\"\n");
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, -1);
    log_info("nowhere");
    close(ends[0]);
    close(ends[1]);
}

static void levels_and_formats_have_names(void **state)
{
    (void)state;
    enum log_level level = LOG_LEVEL_INFO;
    enum log_format format = LOG_FORMAT_LOGFMT;
    assert_int_equal(log_parse_level(STR("debug"), &level), 0);
    assert_int_equal(level, LOG_LEVEL_DEBUG);
    assert_int_equal(log_parse_level(STR("loud"), &level), ERR_PARSE);
    assert_int_equal(log_parse_format(STR("json"), &format), 0);
    assert_int_equal(format, LOG_FORMAT_JSON);
    assert_int_equal(log_parse_format(STR(""), &format), ERR_PARSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_logfmt),
        cmocka_unit_test(nobody_can_forge_a_line),
        cmocka_unit_test(lines_are_json),
        cmocka_unit_test(ten_lines_of_a_kind_pass_each_second),
        cmocka_unit_test(levels_and_formats_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
