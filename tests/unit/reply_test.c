#include "../../engine/route/reply_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { BODY_MAX = 16 };

/* state, status, keeps and body, of all bytes at once. */
static void expect(const char *bytes, bool closed, const char *wanted)
{
    static const char *const states[] = {[REPLY_PART] = "part", [REPLY_WHOLE] = "whole", [REPLY_BAD] = "bad"};
    struct buf body, out;
    struct reply reply;
    buf_init(&body, BODY_MAX);
    buf_init(&out, 256);
    enum reply_state state = reply_read(str_of(bytes), closed, &body, &reply);
    buf_puts(&out, states[state]);
    if (state == REPLY_WHOLE)
        buf_format(&out, " %d %s [%s]", reply.status, reply.keeps ? "keeps" : "ends", buf_text(&body));
    assert_string_equal(buf_text(&out), wanted);
    buf_release(&body);
    buf_release(&out);
}

static void a_body_is_as_long_as_it_says(void **state)
{
    (void)state;
    expect("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", false, "whole 200 keeps [abc]");
    expect("HTTP/1.1 200\r\ncontent-length:3\r\n\r\nabc", false, "whole 200 keeps [abc]");
    expect("HTTP/1.1 200 OK\nContent-Length: 0\n\n", false, "whole 200 keeps []");
    expect("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", false, "part");
    expect("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", true, "bad");
    expect("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP", false, "whole 200 ends [abc]");
    expect("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", false,
           "whole 200 keeps [abc]");
    expect("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", false, "bad");
    expect("HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc", false, "bad");
    expect("HTTP/1.1 200 OK\r\nContent-Length: 3 4\r\n\r\nabc", false, "bad");
    expect("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc", false, "bad");
}

static void without_a_length_it_ends_with_the_connection(void **state)
{
    (void)state;
    expect("HTTP/1.1 200 OK\r\n\r\nab", false, "part");
    expect("HTTP/1.1 200 OK\r\n\r\nab", true, "whole 200 ends [ab]");
    expect("HTTP/1.1 204 No Content\r\n\r\n", false, "whole 204 keeps []");
    expect("HTTP/1.1 304 Same\r\n\r\n", false, "whole 304 keeps []");
}

static void chunks_are_put_together(void **state)
{
    (void)state;
    expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n", false,
           "whole 200 keeps [abc]");
    expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n0A\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
           false, "whole 200 keeps [0123456789]");
    expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n", false, "part");
    expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n", true, "bad");
    expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", false, "bad");
    expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", false, "bad");
    expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", false, "bad");
    expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", false, "bad");
    /* Two lengths: who knows where the next answer would begin. */
    expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1\r\na\r\n0\r\n\r\n",
           false, "whole 200 ends [a]");
}

static void of_a_long_body_the_beginning_is_enough(void **state)
{
    (void)state;
    expect("HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n0123456789abcdefg", false,
           "whole 200 ends [0123456789abcdef]");
    expect("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n0123456789abcdef", false, "part");
    expect("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n0123456789abcdefg", false,
           "whole 200 ends [0123456789abcdef]");
    expect("HTTP/1.1 200 OK\r\n\r\n0123456789abcdefg", false, "whole 200 ends [0123456789abcdef]");
    expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n99\r\n0123456789abcdefg", false,
           "whole 200 ends [0123456789abcdef]");
}

static void a_connection_lasts_unless_it_is_said_that_it_does_not(void **state)
{
    (void)state;
    expect("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", false, "whole 200 ends []");
    expect("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x, Close\r\n\r\n", false,
           "whole 200 ends []");
    expect("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false, "whole 200 ends []");
    expect("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n", false,
           "whole 200 keeps []");
    expect("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true, "whole 200 ends []");
}

static void what_comes_before_the_answer_is_passed_over(void **state)
{
    (void)state;
    expect("HTTP/1.1 100 Continue\r\n\r\n", false, "part");
    expect("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nContent-Length: 9\r\n\r\nHTTP/1.1 503 "
           "No\r\nContent-Length: "
           "1\r\n\r\nx",
           false, "whole 503 keeps [x]");
    expect("HTTP/1.1 101 Other\r\n\r\n", false, "bad");
}

static void what_is_no_answer_is_none(void **state)
{
    (void)state;
    expect("", false, "part");
    expect("", true, "bad");
    expect("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", true, "bad");
    expect("HTTP/2 200 OK\r\n\r\n", false, "bad");
    expect("HTTP/1.1 20 OK\r\n\r\n", false, "bad");
    expect("HTTP/1.1 2000 OK\r\n\r\n", false, "bad");
    expect("HTTP/1.1 099 OK\r\n\r\n", false, "bad");
    expect("SSH-2.0-OpenSSH\r\n\r\n", false, "bad");
}

static void every_beginning_of_an_answer_is_a_part_of_it(void **state)
{
    (void)state;
    static const char whole[] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: "
                                "chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n";
    for (size_t n = 0; n + 1 < sizeof whole; n++) {
        struct buf body;
        struct reply reply;
        buf_init(&body, BODY_MAX);
        assert_int_equal(reply_read((struct str){whole, n}, false, &body, &reply), REPLY_PART);
        assert_int_equal(reply_read((struct str){whole, n}, true, &body, &reply), REPLY_BAD);
        buf_release(&body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_as_long_as_it_says),
        cmocka_unit_test(without_a_length_it_ends_with_the_connection),
        cmocka_unit_test(chunks_are_put_together),
        cmocka_unit_test(of_a_long_body_the_beginning_is_enough),
        cmocka_unit_test(a_connection_lasts_unless_it_is_said_that_it_does_not),
        cmocka_unit_test(what_comes_before_the_answer_is_passed_over),
        cmocka_unit_test(what_is_no_answer_is_none),
        cmocka_unit_test(every_beginning_of_an_answer_is_a_part_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
