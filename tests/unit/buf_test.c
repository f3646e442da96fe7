#include "tocsin/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>

static void builds_text_piece_by_piece(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    assert_string_equal(buf_text(&b), "");
    buf_puts(&b, "a");
    buf_char(&b, 'b');
    buf_i64(&b, INT64_MIN);
    buf_repeat(&b, '.', 3);
    buf_format(&b, "%s", "!");
    buf_str(&b, STR("x\0y"));
    assert_int_equal(b.used, 29);
    assert_memory_equal(buf_text(&b), "ab-9223372036854775808...!x\0y", 29);
    buf_release(&b);
}

static void overflow_sticks_and_keeps_what_was_there(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4);
    buf_puts(&b, "abc");
    buf_puts(&b, "de");
    assert_true(buf_overflow(&b));
    buf_char(&b, 'd');
    assert_string_equal(buf_text(&b), "abc");
    buf_clear(&b);
    buf_puts(&b, "abcd");
    assert_false(buf_overflow(&b));
    assert_string_equal(buf_text(&b), "abcd");
    buf_release(&b);
}

static void a_maximum_of_nothing_holds_nothing(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 0);
    buf_puts(&b, "");
    assert_false(buf_overflow(&b));
    buf_char(&b, 'x');
    assert_true(buf_overflow(&b));
    assert_string_equal(buf_text(&b), "");
    buf_release(&b);
}

static void truncates_and_goes_on(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    buf_truncate(&b, 5);
    buf_puts(&b, "hello");
    buf_truncate(&b, 9);
    assert_string_equal(buf_text(&b), "hello");
    buf_truncate(&b, 2);
    buf_puts(&b, "y");
    assert_string_equal(buf_text(&b), "hey");
    buf_release(&b);
}

static void reserves_room_that_is_counted_when_committed(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    char *to = buf_reserve(&b, 10);
    assert_non_null(to);
    to[0] = 'z';
    buf_commit(&b, 1);
    assert_string_equal(buf_text(&b), "z");
    assert_null(buf_reserve(&b, 10));
    assert_true(buf_overflow(&b));
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_text_piece_by_piece),
        cmocka_unit_test(overflow_sticks_and_keeps_what_was_there),
        cmocka_unit_test(a_maximum_of_nothing_holds_nothing),
        cmocka_unit_test(truncates_and_goes_on),
        cmocka_unit_test(reserves_room_that_is_counted_when_committed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
