#include "../../engine/serve/gate_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { LINES_MAX = 8 };

struct line {
    const char *name, *value;
};

struct example {
    const char *what;
    const char *method, *target, *version;
    struct line lines[LINES_MAX];
    int status; /* 0: let in */
    bool close;
    bool cross_site;
};

static struct gate_verdict judge(const struct example *e)
{
    struct gate_header headers[LINES_MAX];
    size_t count = 0;
    for (; count < LINES_MAX && e->lines[count].name != NULL; count++)
        headers[count] = (struct gate_header){str_of(e->lines[count].name), str_of(e->lines[count].value)};
    const struct gate_request request = {.method = str_of(e->method != NULL ? e->method : "POST"),
                                         .target = str_of(e->target != NULL ? e->target : "/api/v1/write"),
                                         .version = str_of(e->version != NULL ? e->version : "HTTP/1.1"),
                                         .headers = headers,
                                         .count = count};
    struct gate_verdict verdict;
    gate_check(&request, &verdict);
    return verdict;
}

static void check_all(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct gate_verdict verdict = judge(&examples[i]);
        if (verdict.status != examples[i].status || verdict.close != examples[i].close ||
            verdict.cross_site != examples[i].cross_site)
            fail_msg("%s: status %d (%s), close %d, cross-site %d", examples[i].what, verdict.status,
                     verdict.reason != NULL ? verdict.reason : "", verdict.close, verdict.cross_site);
        if (verdict.status != 0)
            assert_non_null(verdict.reason);
    }
}

#define CHECK(examples) check_all(examples, sizeof examples / sizeof examples[0])
#define HOST        \
    {               \
        "Host", "h" \
    }

static void a_framed_request_is_let_in(void **state)
{
    (void)state;
    static const struct example good[] = {
        {.what = "length", .lines = {HOST, {"Content-Length", "3"}}},
        {.what = "length zero", .lines = {HOST, {"content-length", "0"}}},
        {.what = "length with zeros", .lines = {HOST, {"CONTENT-LENGTH", "0003"}}},
        {.what = "largest length", .lines = {HOST, {"Content-Length", "9223372036854775807"}}},
        {.what = "chunked", .lines = {HOST, {"Transfer-Encoding", "chunked"}}},
        {.what = "Chunked", .lines = {HOST, {"transfer-encoding", "ChunKed"}}},
        {.what = "no body", .lines = {HOST}},
        {.what = "HTTP/1.0 with a length", .version = "HTTP/1.0", .lines = {HOST, {"Content-Length", "3"}}},
        {.what = "expect", .lines = {HOST, {"Content-Length", "3"}, {"Expect", "100-Continue"}}},
        {.what = "tab and UTF-8 in a value", .lines = {HOST, {"X-A", "a\tb\xc3\xa9"}}},
        {.what = "odd token", .lines = {HOST, {"X!#$%&'*+-.^_`|~9", ""}}},
        {.what = "v6 host", .lines = {{"Host", "[::1]:9595"}}},
    };
    CHECK(good);
}

static void ambiguous_body_lengths_are_refused(void **state)
{
    (void)state;
    static const struct example bad[] = {
        {.what = "length then chunked",
         .lines = {HOST, {"Content-Length", "3"}, {"Transfer-Encoding", "chunked"}},
         .status = 400,
         .close = true},
        {.what = "chunked then length",
         .lines = {HOST, {"Transfer-Encoding", "chunked"}, {"Content-Length", "3"}},
         .status = 400,
         .close = true},
        {.what = "two lengths",
         .lines = {HOST, {"Content-Length", "3"}, {"Content-Length", "5"}},
         .status = 400,
         .close = true},
        {.what = "two equal lengths",
         .lines = {HOST, {"Content-Length", "3"}, {"content-length", "3"}},
         .status = 400,
         .close = true},
        {.what = "two encodings",
         .lines = {HOST, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}},
         .status = 400,
         .close = true},
        {.what = "chunked below 1.1",
         .version = "HTTP/1.0",
         .lines = {HOST, {"Transfer-Encoding", "chunked"}},
         .status = 400,
         .close = true},
    };
    CHECK(bad);
}

static void other_transfer_encodings_are_refused(void **state)
{
    (void)state;
    static const char *const values[] = {"gzip, chunked", "chunked, identity", "identity", "xchunked",
                                         "chunked ",      " chunked",          "",         "chunked,chunked",
                                         "\"chunked\""};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const struct example e = {.what = values[i], .lines = {HOST, {"Transfer-Encoding", values[i]}}};
        assert_int_equal(judge(&e).status, 400);
    }
}

static void odd_content_lengths_are_refused(void **state)
{
    (void)state;
    static const char *const values[] = {"+3",
                                         "-1",
                                         "0x3",
                                         "3abc",
                                         "3, 3",
                                         "",
                                         "3 ",
                                         " 3",
                                         "18446744073709551615",
                                         "18446744073709551616",
                                         "9223372036854775808",
                                         "00000000000000000003",
                                         "1e3",
                                         "3;",
                                         "\xd9\xa3"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const struct example e = {.what = values[i], .lines = {HOST, {"Content-Length", values[i]}}};
        if (judge(&e).status != 400)
            fail_msg("Content-Length \"%s\" was let in", values[i]);
    }
}

static void names_that_are_no_tokens_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"Content-Length ",
                                        "Content Length",
                                        "",
                                        " X",
                                        "X\t",
                                        "X(y)",
                                        "X\xc3\xa9",
                                        "X:",
                                        "X\x01",
                                        "X\x7f",
                                        "Content-Length5",
                                        "transfer-encodingx",
                                        "X\"y\"",
                                        "{}"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct example e = {.what = names[i], .lines = {HOST, {names[i], "3"}}};
        if (judge(&e).status != 400)
            fail_msg("header name \"%s\" was let in", names[i]);
    }
}

static void control_bytes_in_values_are_refused(void **state)
{
    (void)state;
    static const char *const values[] = {"a\rb", "a\nb", "\x01", "a\x7f", "\r"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const struct example e = {.what = "value", .lines = {HOST, {"X-A", values[i]}}};
        assert_int_equal(judge(&e).status, 400);
    }
    const struct gate_header nul[] = {{STR("Host"), STR("h")}, {STR("X-A"), {"a\0b", 3}}};
    const struct gate_request request = {STR("GET"), STR("/"), STR("HTTP/1.1"), nul, 2};
    struct gate_verdict verdict;
    gate_check(&request, &verdict);
    assert_int_equal(verdict.status, 400);
}

static void exactly_one_good_host_is_needed(void **state)
{
    (void)state;
    static const struct example bad[] = {
        {.what = "none", .lines = {{"X-A", "b"}}, .status = 400, .close = true},
        {.what = "two", .lines = {HOST, HOST}, .status = 400, .close = true},
        {.what = "two that differ", .lines = {HOST, {"host", "i"}}, .status = 400, .close = true},
        {.what = "empty", .lines = {{"Host", ""}}, .status = 400, .close = true},
        {.what = "with a path", .lines = {{"Host", "h/x"}}, .status = 400, .close = true},
        {.what = "with a user", .lines = {{"Host", "u@h"}}, .status = 400, .close = true},
        {.what = "with a space", .lines = {{"Host", "h i"}}, .status = 400, .close = true},
    };
    CHECK(bad);
}

static void the_request_line_is_checked(void **state)
{
    (void)state;
    static const struct example bad[] = {
        {.what = "unknown method", .method = "BREW", .lines = {HOST}, .status = 501, .close = true},
        {.what = "TRACE", .method = "TRACE", .lines = {HOST}, .status = 501, .close = true},
        {.what = "CONNECT", .method = "CONNECT", .lines = {HOST}, .status = 501, .close = true},
        {.what = "lower case", .method = "get", .lines = {HOST}, .status = 501, .close = true},
        {.what = "no method", .method = "", .lines = {HOST}, .status = 501, .close = true},
        {.what = "HTTP/1.2", .version = "HTTP/1.2", .lines = {HOST}, .status = 505, .close = true},
        {.what = "HTTP/0.9", .version = "", .lines = {HOST}, .status = 505, .close = true},
        {.what = "HTTP/2.0", .version = "HTTP/2.0", .lines = {HOST}, .status = 505, .close = true},
        {.what = "absolute URI", .target = "http://h/", .lines = {HOST}, .status = 400, .close = true},
        {.what = "asterisk",
         .method = "OPTIONS",
         .target = "*",
         .lines = {HOST},
         .status = 400,
         .close = true},
        {.what = "empty target", .target = "", .lines = {HOST}, .status = 400, .close = true},
        {.what = "NUL", .target = "/a%00b", .lines = {HOST}, .status = 400, .close = true},
        {.what = "encoded slash", .target = "/%2f..%2f", .lines = {HOST}, .status = 400, .close = true},
        {.what = "dots", .target = "/a/../b", .lines = {HOST}, .status = 400, .close = true},
    };
    CHECK(bad);
}

static void too_many_headers_are_refused(void **state)
{
    (void)state;
    struct gate_header headers[GATE_HEADERS_MAX + 1];
    headers[0] = (struct gate_header){STR("Host"), STR("h")};
    for (size_t i = 1; i <= GATE_HEADERS_MAX; i++)
        headers[i] = (struct gate_header){STR("X-A"), STR("b")};
    struct gate_request request = {STR("GET"), STR("/"), STR("HTTP/1.1"), headers, GATE_HEADERS_MAX};
    struct gate_verdict verdict;
    gate_check(&request, &verdict);
    assert_int_equal(verdict.status, 0);
    request.count++;
    gate_check(&request, &verdict);
    assert_int_equal(verdict.status, 431);
}

static void unknown_expectations_are_refused(void **state)
{
    (void)state;
    const struct example e = {.what = "expect", .lines = {HOST, {"Expect", "200-ok"}}};
    assert_int_equal(judge(&e).status, 417);
}

static void shared_connections_are_closed(void **state)
{
    (void)state;
    static const struct example cases[] = {
        {.what = "via", .method = "GET", .lines = {HOST, {"Via", "1.1 p"}}, .close = true},
        {.what = "forwarded", .method = "GET", .lines = {HOST, {"forwarded", "for=a"}}, .close = true},
        {.what = "x-forwarded", .lines = {HOST, {"X-Forwarded-For", "a"}}, .close = true},
        {.what = "GET with a body", .method = "GET", .lines = {HOST, {"Content-Length", "3"}}, .close = true},
        {.what = "GET chunked",
         .method = "GET",
         .lines = {HOST, {"Transfer-Encoding", "chunked"}},
         .close = true},
        {.what = "HEAD with a body",
         .method = "HEAD",
         .lines = {HOST, {"Content-Length", "3"}},
         .close = true},
        {.what = "GET with length 0",
         .method = "GET",
         .lines = {HOST, {"Content-Length", "0"}},
         .close = false},
        {.what = "plain GET", .method = "GET", .lines = {HOST}, .close = false},
    };
    CHECK(cases);
}

static void posts_from_other_sites_are_told(void **state)
{
    (void)state;
    static const struct example cases[] = {
        {.what = "same", .lines = {HOST, {"Origin", "http://h"}}},
        {.what = "same, other case and scheme", .lines = {HOST, {"Origin", "https://H"}}},
        {.what = "same with port", .lines = {{"Origin", "http://h:9"}, {"Host", "h:9"}}},
        {.what = "other", .lines = {HOST, {"Origin", "http://evil"}}, .cross_site = true},
        {.what = "other port", .lines = {HOST, {"Origin", "http://h:1"}}, .cross_site = true},
        {.what = "null", .lines = {HOST, {"Origin", "null"}}, .cross_site = true},
        {.what = "no scheme", .lines = {HOST, {"Origin", "//h"}}, .cross_site = true},
        {.what = "bare host", .lines = {HOST, {"Origin", "h"}}, .cross_site = true},
        {.what = "one good, one bad",
         .lines = {HOST, {"Origin", "http://h"}, {"Origin", "http://evil"}},
         .cross_site = true},
        {.what = "put", .method = "PUT", .lines = {HOST, {"Origin", "http://e"}}, .cross_site = true},
        {.what = "delete", .method = "DELETE", .lines = {HOST, {"Origin", "http://e"}}, .cross_site = true},
        {.what = "get", .method = "GET", .lines = {HOST, {"Origin", "http://evil"}}},
    };
    CHECK(cases);
}

static void the_verdict_tells_how_the_body_is_framed(void **state)
{
    (void)state;
    const struct example with_length = {.what = "length", .lines = {HOST, {"Content-Length", "42"}}};
    struct gate_verdict verdict = judge(&with_length);
    assert_int_equal(verdict.length, 42);
    assert_false(verdict.chunked);
    assert_true(gate_has_body(&verdict));
    const struct example chunked = {.what = "chunked", .lines = {HOST, {"Transfer-Encoding", "chunked"}}};
    verdict = judge(&chunked);
    assert_int_equal(verdict.length, -1);
    assert_true(verdict.chunked);
    const struct example bare = {.what = "none", .lines = {HOST}};
    verdict = judge(&bare);
    assert_int_equal(verdict.length, -1);
    assert_false(gate_has_body(&verdict));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_framed_request_is_let_in),
        cmocka_unit_test(ambiguous_body_lengths_are_refused),
        cmocka_unit_test(other_transfer_encodings_are_refused),
        cmocka_unit_test(odd_content_lengths_are_refused),
        cmocka_unit_test(names_that_are_no_tokens_are_refused),
        cmocka_unit_test(control_bytes_in_values_are_refused),
        cmocka_unit_test(exactly_one_good_host_is_needed),
        cmocka_unit_test(the_request_line_is_checked),
        cmocka_unit_test(too_many_headers_are_refused),
        cmocka_unit_test(unknown_expectations_are_refused),
        cmocka_unit_test(shared_connections_are_closed),
        cmocka_unit_test(posts_from_other_sites_are_told),
        cmocka_unit_test(the_verdict_tells_how_the_body_is_framed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
