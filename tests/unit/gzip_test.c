#include "../../engine/serve/gzip_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

static void only_clients_that_take_gzip_get_it(void **state)
{
    (void)state;
    static const char *const yes[] = {"gzip",           "GZIP",   "deflate, gzip", "gzip;q=1.0, *;q=0.5",
                                      " gzip ; q=0.01", "br,gzip"};
    static const char *const no[] = {"",      "identity", "deflate", "gzip;q=0", "gzip; q=0.000",
                                     "xgzip", "gzipx",    "*"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (!gzip_accepted(str_of(yes[i])))
            fail_msg("refused: %s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        if (gzip_accepted(str_of(no[i])))
            fail_msg("accepted: %s", no[i]);
    assert_false(gzip_accepted((struct str){0}));
}

static void a_body_can_be_read_back(void **state)
{
    (void)state;
    struct buf body, back;
    buf_init(&body, 1 << 20);
    for (int i = 0; i < 40000; i++)
        buf_format(&body, "%d,", i * 7919 % 10007);
    size_t size = body.used;
    uLong sum = crc32(0, (const Bytef *)body.bytes, (uInt)size);
    assert_true(gzip_body(&body));
    assert_true(body.used < size / 2);
    buf_init(&back, size);
    z_stream stream = {.next_in = (Bytef *)body.bytes,
                       .avail_in = (uInt)body.used,
                       .next_out = (Bytef *)buf_reserve(&back, size),
                       .avail_out = (uInt)size};
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, size);
    assert_int_equal(crc32(0, (const Bytef *)back.bytes, (uInt)size), sum);
    inflateEnd(&stream);
    buf_release(&body);
    buf_release(&back);
}

static void a_body_that_would_not_get_smaller_stays(void **state)
{
    (void)state;
    struct buf body;
    buf_init(&body, 64);
    buf_puts(&body, "short");
    assert_false(gzip_body(&body));
    assert_string_equal(buf_text(&body), "short");
    buf_release(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_clients_that_take_gzip_get_it),
        cmocka_unit_test(a_body_can_be_read_back),
        cmocka_unit_test(a_body_that_would_not_get_smaller_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
