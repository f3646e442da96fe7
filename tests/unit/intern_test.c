#include "tocsin/intern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void equal_strings_are_one(void **state)
{
    (void)state;
    struct intern *table = intern_open();
    size_t empty_bytes = intern_bytes(table);
    const struct interned *a = intern_get(table, STR("job")), *b = intern_get(table, STR("job"));
    const struct interned *c = intern_get(table, STR("j\0b")), *none = intern_get(table, STR(""));
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, c);
    assert_true(str_eq(intern_str(c), STR("j\0b")));
    assert_string_equal(a->text, "job");
    assert_int_equal(intern_count(table), 3);
    assert_true(intern_bytes(table) > empty_bytes);
    intern_drop(table, a);
    assert_int_equal(intern_count(table), 3);
    intern_drop(table, b);
    assert_int_equal(intern_count(table), 2);
    intern_drop(table, c);
    intern_drop(table, none);
    assert_int_equal(intern_count(table), 0);
    intern_free(table);
}

static void a_hold_keeps_a_string_alive(void **state)
{
    (void)state;
    struct intern *table = intern_open();
    const struct interned *a = intern_get(table, STR("x"));
    assert_ptr_equal(intern_hold(a), a);
    intern_drop(table, a);
    assert_int_equal(intern_count(table), 1);
    assert_string_equal(a->text, "x");
    intern_drop(table, a);
    assert_int_equal(intern_count(table), 0);
    intern_free(table);
}

static void what_was_given_back_is_not_counted(void **state)
{
    (void)state;
    struct intern *table = intern_open();
    const struct interned *held[200];
    for (int i = 0; i < 200; i++) {
        char text[16];
        snprintf(text, sizeof text, "v%d", i);
        held[i] = intern_get(table, str_of(text));
    }
    size_t full = intern_bytes(table);
    for (int i = 0; i < 200; i++)
        intern_drop(table, held[i]);
    assert_true(intern_bytes(table) <= full - 200 * (sizeof(struct interned) + 3));
    intern_free(table);
}

static void *take_and_drop(void *table)
{
    for (int i = 0; i < 20000; i++) {
        const struct interned *s = intern_get(table, i % 2 ? STR("one") : STR("two"));
        intern_drop(table, intern_hold(s));
        intern_drop(table, s);
    }
    return NULL;
}

static void threads_may_share_a_table(void **state)
{
    (void)state;
    struct intern *table = intern_open();
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_drop, table), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(intern_count(table), 0);
    intern_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_strings_are_one),
        cmocka_unit_test(a_hold_keeps_a_string_alive),
        cmocka_unit_test(what_was_given_back_is_not_counted),
        cmocka_unit_test(threads_may_share_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
