#include "../../engine/serve/http_priv.h"

#include "tocsin/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* 2026-11-22T08:00:00Z */
static const int64_t START_NS = INT64_C(1795334400) * NS_PER_S;

static const char *const CONFIG =
    "route: {receiver: hook, group_by: [alertname], group_wait: 30s, routes: [{matchers: "
    "['team=\"db\"'], receiver: db}]}\n"
    "receivers: [{name: hook}, {name: db}]\n"
    "inhibit_rules: [{source_matchers: [severity=critical], target_matchers: "
    "[severity=warning], equal: [alertname]}]\n";

struct fixture {
    struct world_sim sim;
    struct service service;
    struct arena arena;
    struct answer answer;
};

static struct fixture fixture;

static int set_up(void **state)
{
    struct fixture *f = &fixture;
    *f = (struct fixture){0};
    world_sim_init(&f->sim, START_NS, 1);
    struct amconfig *config;
    struct err err;
    if (amconfig_parse(&f->sim.world, str_of(CONFIG), STR("."), &config, &err) != 0)
        fail_msg("%s", err.text);
    const struct router_options options = {.world = &f->sim.world, .external_url = STR("http://t")};
    f->service.parts =
        (struct serve_parts){.world = &f->sim.world, .version = "0.0-test", .started_ns = START_NS};
    assert_int_equal(router_open(&options, config, &f->service.parts.router, NULL), 0);
    arena_init(&f->arena, 64 << 20);
    answer_init(&f->answer);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->service.parts.router != NULL)
        router_close(f->service.parts.router);
    answer_release(&f->answer);
    arena_release(&f->arena);
    return 0;
}

static const char *ask(struct fixture *f, unsigned method, const char *target, const char *type,
                       const char *body)
{
    answer_release(&f->answer);
    answer_init(&f->answer);
    arena_clear(&f->arena);
    struct request request = {.service = &f->service,
                              .method = method,
                              .body = str_of(body),
                              .content_type = str_of(type),
                              .arena = &f->arena};
    assert_int_equal(target_parse(&f->arena, str_of(target), &request.target, NULL), 0);
    route_dispatch(&request, &f->answer);
    return buf_text(&f->answer.body);
}

static const char *get(struct fixture *f, const char *target)
{
    return ask(f, HTTP_GET, target, NULL, NULL);
}

static const char *post(struct fixture *f, const char *body)
{
    return ask(f, HTTP_POST, "/api/v2/alerts", "application/json", body);
}

static void expect_post(struct fixture *f, const char *body, int status, const char *answer)
{
    const char *got = post(f, body);
    if (f->answer.status != status || strcmp(got, answer) != 0)
        fail_msg("%s: %d %s", body, f->answer.status, got);
}

#define ALERT "{\"labels\":{\"alertname\":\"A\",\"instance\":\"i1\",\"severity\":\"critical\"}}"

static void a_posted_alert_is_listed(void **state)
{
    expect_post(
        *state,
        "[{\"labels\":{\"alertname\":\"A\",\"instance\":\"i1\",\"severity\":\"critical\",\"gone\":\"\"},"
        "\"annotations\":{\"summary\":\"<b>\"},\"startsAt\":\"2026-11-22T07:00:00.5Z\","
        "\"endsAt\":\"2026-11-22T11:00:00.25+02:00\",\"generatorURL\":\"http://h/g?a=b&c\",\"extra\":[1]}]",
        200, "");
    assert_string_equal(
        get(*state, "/api/v2/alerts"),
        "[{\"annotations\":{\"summary\":\"\\u003cb\\u003e\"},\"endsAt\":\"2026-11-22T11:00:00.250+02:00\","
        "\"fingerprint\":\"498074676852febe\",\"receivers\":[{\"name\":\"hook\"}],"
        "\"startsAt\":\"2026-11-22T07:00:00.500Z\",\"status\":{\"inhibitedBy\":[],\"mutedBy\":[],"
        "\"silencedBy\":[],"
        "\"state\":\"active\"},\"updatedAt\":\"2026-11-22T08:00:00.000Z\",\"generatorURL\":\"http://h/"
        "g?a=b\\u0026c\","
        "\"labels\":{\"alertname\":\"A\",\"instance\":\"i1\",\"severity\":\"critical\"}}]\n");
    assert_string_equal(((struct fixture *)*state)->answer.content_type, "application/json");
}

static void times_that_were_not_given_are_filled_in(void **state)
{
    static const char *const bodies[] = {
        "[" ALERT "]",
        "[{\"labels\":{\"alertname\":\"A\",\"instance\":\"i1\",\"severity\":\"critical\"},\"startsAt\":null,"
        "\"endsAt\":\"0001-01-01T00:00:00.000Z\"}]"};
    for (size_t i = 0; i < 2; i++) {
        expect_post(*state, bodies[i], 200, "");
        const char *got = get(*state, "/api/v2/alerts");
        assert_non_null(strstr(got, "\"startsAt\":\"2026-11-22T08:00:00.000Z\""));
        assert_non_null(strstr(got, "\"endsAt\":\"2026-11-22T08:05:00.000Z\""));
    }
}

static void bodies_of_the_wrong_shape_are_refused(void **state)
{
    static const char *const bad[] = {
        "{",
        "[}",
        "{\"labels\":{}}",
        "[1]",
        "[[]]",
        "[{\"labels\":{\"a\":1}}]",
        "[{\"labels\":[\"a\"]}]",
        "[{\"labels\":\"a\"}]",
        "[{\"labels\":{\"a\":\"b\"},\"annotations\":{\"a\":{}}}]",
        "[{\"labels\":{\"a\":\"b\"},\"startsAt\":1}]",
        "[{\"labels\":{\"a\":\"b\"},\"startsAt\":\"yesterday\"}]",
        "[{\"labels\":{\"a\":\"b\"},\"generatorURL\":7}]",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *got = post(f, bad[i]);
        const char *start = "{\"code\":400,\"message\":\"parsing alerts body from \\\"\\\" failed, because ";
        if (f->answer.status != 400 || strncmp(got, start, strlen(start)) != 0)
            fail_msg("%s: %d %s", bad[i], f->answer.status, got);
    }
    assert_string_equal(get(f, "/api/v2/alerts"), "[]\n");
}

static void what_the_schema_demands_is_named_as_422(void **state)
{
    expect_post(*state, "[" ALERT ",{\"annotations\":{}}]", 422,
                "{\"code\":602,\"message\":\"1.labels in body is required\"}\n");
    expect_post(
        *state, "[{\"labels\":{\"a\":\"b\"},\"generatorURL\":\"no uri\"}]", 422,
        "{\"code\":601,\"message\":\"0.generatorURL in body must be of type uri: \\\"no uri\\\"\"}\n");
    expect_post(*state, "", 422, "{\"code\":602,\"message\":\"alerts in body is required\"}\n");
    expect_post(*state, "null", 422, "{\"code\":602,\"message\":\"alerts in body is required\"}\n");
    assert_string_equal(get(*state, "/api/v2/alerts"), "[]\n");
    expect_post(*state, "[]", 200, "");
}

static void alerts_without_sense_are_refused_and_the_others_kept(void **state)
{
    expect_post(*state, "[{\"labels\":{\"a\":\"\"}}," ALERT "]", 400,
                "\"at least one label pair required\"\n");
    assert_non_null(strstr(get(*state, "/api/v2/alerts"), "498074676852febe"));
    expect_post(*state,
                "[{\"labels\":{\"a\":\"b\"},\"startsAt\":\"2026-11-22T07:00:00Z\",\"endsAt\":\"2026-11-22T06:"
                "00:00Z\"}]",
                400, "\"start time must be before end time\"\n");
}

static void only_json_is_taken(void **state)
{
    struct fixture *f = *state;
    static const char *const types[] = {"", "text/plain", "application/x-www-form-urlencoded",
                                        "application/jsonx"};
    for (size_t i = 0; i < 4; i++) {
        (void)ask(f, HTTP_POST, "/api/v2/alerts", types[i], "[" ALERT "]");
        assert_int_equal(f->answer.status, 415);
        assert_non_null(strstr(buf_text(&f->answer.body), "{\"code\":415,"));
    }
    (void)ask(f, HTTP_POST, "/api/v2/alerts", "Application/JSON; charset=utf-8", "[" ALERT "]");
    assert_int_equal(f->answer.status, 200);
}

static void filters_choose_alerts(void **state)
{
    struct fixture *f = *state;
    expect_post(f, "[" ALERT ",{\"labels\":{\"alertname\":\"A\",\"severity\":\"warning\",\"team\":\"db\"}}]",
                200, "");
    static const struct {
        const char *query;
        bool critical, warning;
    } cases[] = {
        {"", true, true},
        {"?filter=severity%3Dcritical", true, false},
        {"?filter=severity%3D~%22crit.*%22&filter=instance%3Di1", true, false},
        {"?filter=severity%3Dcritical&filter=team%3Ddb", false, false},
        {"?receiver=db", false, true},
        {"?receiver=hook%7Cdb", true, true},
        {"?receiver=hoo", false, false},
        {"?inhibited=false", true, false},
        {"?active=no", false, true},
        {"?active=maybe&inhibited=YES", false, true},
        {"?silenced=false", true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char target[128];
        (void)snprintf(target, sizeof target, "/api/v2/alerts%s", cases[i].query);
        const char *got = get(f, target);
        if ((strstr(got, "\"severity\":\"critical\"") != NULL) != cases[i].critical ||
            (strstr(got, "\"severity\":\"warning\"") != NULL) != cases[i].warning)
            fail_msg("%s: %s", target, got);
    }
    assert_non_null(
        strstr(get(f, "/api/v2/alerts"),
               "\"status\":{\"inhibitedBy\":[\"498074676852febe\"],\"mutedBy\":[],\"silencedBy\":[],"
               "\"state\":\"suppressed\"}"));
}

static void bad_filters_are_a_json_string(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(get(f, "/api/v2/alerts?filter=bad"), "\"bad matcher format: bad\"\n");
    assert_int_equal(f->answer.status, 400);
    const char *got = get(f, "/api/v2/alerts?receiver=(");
    assert_int_equal(strncmp(got, "\"failed to parse receiver param: error parsing regexp", 40), 0);
    assert_int_equal(f->answer.status, 400);
    (void)get(f, "/api/v2/alerts/groups?filter=bad");
    assert_int_equal(f->answer.status, 400);
}

static void groups_hold_their_alerts(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(get(f, "/api/v2/alerts/groups"), "[]\n");
    expect_post(f, "[" ALERT "]", 200, "");
    const char *got = get(f, "/api/v2/alerts/groups");
    assert_int_equal(strncmp(got, "[{\"alerts\":[{\"annotations\":{},", 30), 0);
    assert_non_null(strstr(
        got, "}],\"labels\":{\"alertname\":\"A\"},\"receiver\":{\"name\":\"hook\"},\"routeLabels\":{}}]\n"));
}

static void status_and_receivers_have_their_shape(void **state)
{
    struct fixture *f = *state;
    const char *got = get(f, "/api/v2/status");
    const char *start =
        "{\"cluster\":{\"peers\":[],\"status\":\"disabled\"},\"config\":{\"original\":\"global:\\n";
    assert_int_equal(strncmp(got, start, strlen(start)), 0);
    assert_non_null(strstr(got, "\"uptime\":\"2026-11-22T08:00:00.000Z\",\"versionInfo\":{\"branch\":"));
    assert_non_null(strstr(got, "\"version\":\"0.34.0\"}}\n"));
    assert_string_equal(get(f, "/api/v2/receivers"), "[{\"labels\":{\"name\":\"hook\"},\"name\":\"hook\"},"
                                                     "{\"labels\":{\"name\":\"db\"},\"name\":\"db\"}]\n");
}

static void silences_can_be_read_but_not_written(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(get(f, "/api/v2/silences"), "[]\n");
    assert_string_equal(ask(f, HTTP_POST, "/api/v2/silences", "application/json", "{}"),
                        "\"silences are not supported by this version of tocsin\"\n");
    assert_int_equal(f->answer.status, 400);
    assert_string_equal(ask(f, HTTP_DELETE, "/api/v2/silence/x", NULL, NULL), "");
    assert_int_equal(f->answer.status, 404);
}

static void unknown_paths_and_methods_have_their_shape(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(get(f, "/api/v2/<x>"),
                        "{\"code\":404,\"message\":\"path /api/v2/\\u003cx\\u003e was not found\"}\n");
    assert_int_equal(f->answer.status, 404);
    (void)ask(f, HTTP_HEAD, "/api/v2/alerts", NULL, NULL);
    assert_int_equal(f->answer.status, 405);
    assert_string_equal(f->answer.headers[0].value, "GET, POST");
}

static void a_process_without_a_router_has_no_such_api(void **state)
{
    struct fixture *f = *state;
    struct router *router = f->service.parts.router;
    f->service.parts.router = NULL;
    static const char *const targets[] = {"/api/v2/status",   "/api/v2/receivers",     "/api/v2/alerts",
                                          "/api/v2/silences", "/api/v2/alerts/groups", "/api/v2/silence/x"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        (void)get(f, targets[i]);
        assert_int_equal(f->answer.status, 404);
    }
    (void)post(f, "[" ALERT "]");
    assert_int_equal(f->answer.status, 404);
    f->service.parts.router = router;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_posted_alert_is_listed),
        TEST(times_that_were_not_given_are_filled_in),
        TEST(bodies_of_the_wrong_shape_are_refused),
        TEST(what_the_schema_demands_is_named_as_422),
        TEST(alerts_without_sense_are_refused_and_the_others_kept),
        TEST(only_json_is_taken),
        TEST(filters_choose_alerts),
        TEST(bad_filters_are_a_json_string),
        TEST(groups_hold_their_alerts),
        TEST(status_and_receivers_have_their_shape),
        TEST(silences_can_be_read_but_not_written),
        TEST(unknown_paths_and_methods_have_their_shape),
        TEST(a_process_without_a_router_has_no_such_api),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
