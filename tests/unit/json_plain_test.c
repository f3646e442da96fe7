#include "../../engine/base/json_plain_priv.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { LENGTH = 19 };

static bool is_plain(int byte, bool html)
{
    bool odd = byte < 0x20 || byte > 0x7f || byte == '"' || byte == '\\';
    return !odd && !(html && (byte == '<' || byte == '>' || byte == '&'));
}

/* Each byte, at each place among plain ones: the words of eight and what is left behind them agree on all. */
static void each_byte_is_judged_alike_wherever_it_stands(void **state)
{
    (void)state;
    for (int html = 0; html < 2; html++) {
        for (int byte = 0; byte < 256; byte++) {
            for (size_t at = 0; at < LENGTH; at++) {
                char text[LENGTH];
                memset(text, 'a' + (int)at, sizeof text);
                text[at] = (char)byte;
                assert_int_equal(json_plain(text, sizeof text, html), is_plain(byte, html) ? LENGTH : at);
            }
        }
    }
}

static void two_odd_bytes_in_a_row_end_at_the_first(void **state)
{
    (void)state;
    for (int first = 0; first < 256; first++) {
        for (int second = 0; second < 256; second++) {
            char text[] = {'a', 'b', (char)first, (char)second, 'c', 'd', 'e', 'f', 'g'};
            size_t expected = !is_plain(first, true) ? 2 : !is_plain(second, true) ? 3 : sizeof text;
            assert_int_equal(json_plain(text, sizeof text, true), expected);
        }
    }
}

static void nothing_is_plain_in_nothing(void **state)
{
    (void)state;
    assert_int_equal(json_plain("abc", 0, true), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_is_judged_alike_wherever_it_stands),
        cmocka_unit_test(two_odd_bytes_in_a_row_end_at_the_first),
        cmocka_unit_test(nothing_is_plain_in_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
