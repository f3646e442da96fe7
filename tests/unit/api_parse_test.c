/* format_query and parse_query. */
#include "../../engine/serve/http_priv.h"

#include "tocsin/promql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *ask(struct answer *answer, const char *api, const char *query)
{
    static struct service service;
    static struct promql_options promql;
    promql.features = promql_features_all;
    service.parts.promql = &promql;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct param param = {STR("query"), str_of(query)};
    char path[64];
    (void)snprintf(path, sizeof path, "/api/v1/%s", api);
    struct request request = {.service = &service,
                              .method = HTTP_GET,
                              .target = {.path = str_of(path), .params = &param, .count = 1, .url_count = 1},
                              .arena = &arena};
    answer_init(answer);
    route_dispatch(&request, answer);
    arena_release(&arena);
    return buf_text(&answer->body);
}

static void expect(const char *api, const char *query, const char *data)
{
    struct answer answer;
    char wanted[4096];
    (void)snprintf(wanted, sizeof wanted, "{\"status\":\"success\",\"data\":%s}", data);
    assert_string_equal(ask(&answer, api, query), wanted);
    assert_int_equal(answer.status, 200);
    answer_release(&answer);
}

static void expect_error(const char *api, const char *query, const char *error)
{
    struct answer answer;
    char wanted[512];
    (void)snprintf(
        wanted, sizeof wanted,
        "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter \\\"query\\\": %s\"}",
        error);
    assert_string_equal(ask(&answer, api, query), wanted);
    assert_int_equal(answer.status, 400);
    answer_release(&answer);
}

#define LONG "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

#define UP                                                                                                 \
    "{\"anchored\":false,\"matchers\":[{\"name\":\"__name__\",\"type\":\"=\",\"value\":\"up\"}],\"name\":" \
    "\"up\",\"offset\":0,\"offsetExpr\":null,\"smoothed\":false,\"startOrEnd\":null,\"timestamp\":null,"   \
    "\"type\":\"vectorSelector\"}"

static void an_expression_is_laid_out(void **state)
{
    (void)state;
    expect("format_query", "sum(up) by(a)", "\"sum by (a) (up)\"");
    expect("format_query", "(" LONG "/" LONG ")", "\"(\\n    " LONG "\\n  /\\n    " LONG "\\n)\"");
    expect_error("format_query", "(", "1:2: parse error: unclosed left parenthesis");
}

static void literals_are_nodes(void **state)
{
    (void)state;
    expect("parse_query", "1e3", "{\"type\":\"numberLiteral\",\"val\":\"1000\"}");
    expect("parse_query", "-Inf", "{\"type\":\"numberLiteral\",\"val\":\"-Inf\"}");
    expect("parse_query", "5m", "{\"type\":\"numberLiteral\",\"val\":\"300\"}");
    expect("parse_query", "\"<\\n\"", "{\"type\":\"stringLiteral\",\"val\":\"\\u003c\\n\"}");
    expect(
        "parse_query", "-(1)",
        "{\"expr\":{\"expr\":{\"type\":\"numberLiteral\",\"val\":\"1\"},\"type\":\"parenExpr\"},\"op\":\"-\","
        "\"type\":\"unaryExpr\"}");
}

static void selectors_tell_their_matchers_and_shifts(void **state)
{
    (void)state;
    expect("parse_query", "up", UP);
    expect(
        "parse_query", "up{a!=\"b\",c=~\"d\"} @ 1.5 offset -5m",
        "{\"anchored\":false,\"matchers\":[{\"name\":\"a\",\"type\":\"!=\",\"value\":\"b\"},{\"name\":\"c\","
        "\"type\":\"=~\",\"value\":\"d\"},{\"name\":\"__name__\",\"type\":\"=\",\"value\":\"up\"}],\"name\":"
        "\"up\","
        "\"offset\":-300000,\"offsetExpr\":null,\"smoothed\":false,\"startOrEnd\":null,\"timestamp\":1500,"
        "\"type\":\"vectorSelector\"}");
    expect("parse_query", "{\"up\"}[90s] smoothed @ end()",
           "{\"anchored\":false,\"matchers\":[{\"name\":\"__name__\",\"type\":\"=\",\"value\":\"up\"}],"
           "\"name\":\"\","
           "\"offset\":0,\"offsetExpr\":null,\"range\":90000,\"rangeExpr\":null,\"smoothed\":true,"
           "\"startOrEnd\":\"end\",\"timestamp\":null,\"type\":\"matrixSelector\"}");
}

static void durations_that_are_expressions_are_trees(void **state)
{
    (void)state;
    expect(
        "parse_query", "up[5m:max_of(step(), -range())] offset (2 * 1m)",
        "{\"expr\":" UP
        ",\"offset\":0,\"offsetExpr\":{\"lhs\":{\"duration\":false,\"type\":\"numberLiteral\","
        "\"val\":\"2\"},\"op\":\"*\",\"rhs\":{\"duration\":true,\"type\":\"numberLiteral\",\"val\":\"60\"},"
        "\"type\":\"durationExpr\",\"wrapped\":true},\"range\":300000,\"rangeExpr\":null,\"startOrEnd\":null,"
        "\"step\":0,\"stepExpr\":{\"lhs\":{\"lhs\":null,\"op\":\"step\",\"rhs\":null,\"type\":"
        "\"durationExpr\","
        "\"wrapped\":false},\"op\":\"max_of\",\"rhs\":{\"lhs\":null,\"op\":\"-\",\"rhs\":{\"lhs\":null,"
        "\"op\":"
        "\"range\",\"rhs\":null,\"type\":\"durationExpr\",\"wrapped\":false},\"type\":\"durationExpr\","
        "\"wrapped\":"
        "false},\"type\":\"durationExpr\",\"wrapped\":false},\"timestamp\":null,\"type\":\"subquery\"}");
}

static void operators_tell_how_they_match(void **state)
{
    (void)state;
    expect("parse_query", "up == bool 1",
           "{\"bool\":true,\"lhs\":" UP
           ",\"matching\":null,\"op\":\"==\",\"rhs\":{\"type\":\"numberLiteral\",\"val\":"
           "\"1\"},\"type\":\"binaryExpr\"}");
    expect("parse_query", "up + on(a) group_left(b) fill_right(2) up",
           "{\"bool\":false,\"lhs\":" UP
           ",\"matching\":{\"card\":\"many-to-one\",\"fillValues\":{\"lhs\":null,\"rhs\":"
           "2},\"include\":[\"b\"],\"labels\":[\"a\"],\"on\":true},\"op\":\"+\",\"rhs\":" UP
           ",\"type\":\"binaryExpr\"}");
    expect("parse_query", "up > up",
           "{\"bool\":false,\"lhs\":" UP
           ",\"matching\":{\"card\":\"one-to-one\",\"fillValues\":{\"lhs\":null,\"rhs\":"
           "null},\"include\":[],\"labels\":[],\"on\":false},\"op\":\"\\u003e\",\"rhs\":" UP
           ",\"type\":\"binaryExpr\"}");
}

static void aggregations_and_functions_tell_their_arguments(void **state)
{
    (void)state;
    expect("parse_query", "topk without(a) (2, up)",
           "{\"expr\":" UP
           ",\"grouping\":[\"a\"],\"op\":\"topk\",\"param\":{\"type\":\"numberLiteral\",\"val\":\"2\"},"
           "\"type\":\"aggregation\",\"without\":true}");
    expect("parse_query", "sum(up)",
           "{\"expr\":" UP
           ",\"grouping\":[],\"op\":\"sum\",\"param\":null,\"type\":\"aggregation\",\"without\":false}");
    expect("parse_query", "round(up)",
           "{\"args\":[" UP
           "],\"func\":{\"argTypes\":[\"vector\",\"scalar\"],\"name\":\"round\",\"returnType\":"
           "\"vector\",\"variadic\":1},\"type\":\"call\"}");
    expect("parse_query", "time()",
           "{\"args\":[],\"func\":{\"argTypes\":[],\"name\":\"time\",\"returnType\":\"scalar\",\"variadic\":"
           "0},\"type\":"
           "\"call\"}");
}

static void what_does_not_parse_is_refused(void **state)
{
    (void)state;
    expect_error("parse_query", "", "unknown position: parse error: no expression found in input");
    expect_error("parse_query", "sum(", "1:5: parse error: unclosed left parenthesis");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_expression_is_laid_out),
        cmocka_unit_test(literals_are_nodes),
        cmocka_unit_test(selectors_tell_their_matchers_and_shifts),
        cmocka_unit_test(durations_that_are_expressions_are_trees),
        cmocka_unit_test(operators_tell_how_they_match),
        cmocka_unit_test(aggregations_and_functions_tell_their_arguments),
        cmocka_unit_test(what_does_not_parse_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
