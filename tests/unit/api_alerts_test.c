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

/* ---- silences ---- */

#define MATCHERS "\"matchers\":[{\"name\":\"alertname\",\"value\":\"A\",\"isRegex\":false}]"
#define WHO "\"createdBy\":\"me\",\"comment\":\"<work>\""
#define WHEN "\"startsAt\":\"2026-11-22T08:00:00Z\",\"endsAt\":\"2026-11-22T11:00:00.5+02:00\""
#define SILENCE "{" MATCHERS "," WHO "," WHEN "}"

static const char *post_silence(struct fixture *f, const char *body)
{
    return ask(f, HTTP_POST, "/api/v2/silences", "application/json", body);
}

/* The id of a new one. */
static const char *silence(struct fixture *f, const char *body)
{
    static char id[64];
    const char *got = post_silence(f, body);
    if (f->answer.status != 200 || sscanf(got, "{\"silenceID\":\"%36[-0-9a-f]\"}\n", id) != 1)
        fail_msg("%s: %d %s", body, f->answer.status, got);
    return id;
}

static const char *path_of(const char *id)
{
    static char path[128];
    snprintf(path, sizeof path, "/api/v2/silence/%s", id);
    return path;
}

static void a_silence_is_told_as_it_was_posted(void **state)
{
    struct fixture *f = *state;
    char want[1024];
    assert_string_equal(get(f, "/api/v2/silences"), "[]\n");
    const char *id = silence(f, "{\"annotations\":{\"ticket\":\"1\",\"none\":\"\"},\"matchers\":["
                                "{\"name\":\"a\",\"value\":\"b\",\"isRegex\":true,\"isEqual\":false},"
                                "{\"name\":\"c\",\"value\":\"\",\"isRegex\":false}]," WHO "," WHEN "}");
    snprintf(want, sizeof want,
             "{\"id\":\"%s\",\"status\":{\"state\":\"active\"},\"updatedAt\":\"2026-11-22T08:00:00.000Z\","
             "\"annotations\":{\"none\":\"\",\"ticket\":\"1\"},\"comment\":\"\\u003cwork\\u003e\","
             "\"createdBy\":\"me\",\"endsAt\":\"2026-11-22T09:00:00.500Z\",\"matchers\":["
             "{\"isEqual\":false,\"isRegex\":true,\"name\":\"a\",\"value\":\"b\"},"
             "{\"isEqual\":true,\"isRegex\":false,\"name\":\"c\",\"value\":\"\"}],"
             "\"startsAt\":\"2026-11-22T08:00:00.000Z\"}\n",
             id);
    assert_string_equal(get(f, path_of(id)), want);
    assert_string_equal(f->answer.headers[0].name, "Vary");
    const char *list = get(f, "/api/v2/silences?filter=a!~b");
    assert_int_equal(list[0], '[');
    assert_memory_equal(list + 1, want, strlen(want) - 1);
    assert_string_equal(list + strlen(want), "]\n");
    assert_string_equal(get(f, "/api/v2/silences?filter=a!~b&filter=c=d"), "[]\n");
    assert_string_equal(get(f, "/api/v2/silences?active=false"), "[]\n");
    assert_string_equal(get(f, "/api/v2/silences?filter=nonsense"), "\"bad matcher format: nonsense\"\n");
}

static void a_silenced_alert_is_suppressed_until_the_silence_ends(void **state)
{
    struct fixture *f = *state;
    char part[128], path[128];
    expect_post(f, "[" ALERT "]", 200, "");
    const char *id = silence(f, SILENCE);
    snprintf(part, sizeof part, "\"silencedBy\":[\"%s\"],\"state\":\"suppressed\"}", id);
    snprintf(path, sizeof path, "%s", path_of(id));
    assert_non_null(strstr(get(f, "/api/v2/alerts"), part));
    assert_non_null(strstr(get(f, "/api/v2/alerts/groups"), part));
    assert_non_null(strstr(get(f, "/api/v2/alerts?active=false"), part));
    assert_string_equal(get(f, "/api/v2/alerts?silenced=false"), "[]\n");
    assert_string_equal(get(f, "/api/v2/alerts/groups?silenced=0"), "[]\n");
    assert_string_equal(ask(f, HTTP_DELETE, path, NULL, NULL), "");
    assert_int_equal(f->answer.status, 200);
    f->sim.now_ns++;
    assert_non_null(
        strstr(get(f, "/api/v2/alerts?silenced=false"), "\"silencedBy\":[],\"state\":\"active\"}"));
    assert_non_null(strstr(get(f, path), "\"status\":{\"state\":\"expired\"}"));
    (void)ask(f, HTTP_DELETE, path, NULL, NULL);
    assert_int_equal(f->answer.status, 200);
}

static void bad_silences_are_refused_in_alertmanagers_words(void **state)
{
    static const struct {
        const char *body;
        int status;
        const char *answer;
    } cases[] = {
        {"", 422, "{\"code\":602,\"message\":\"silence in body is required\"}\n"},
        {"{}", 422, "{\"code\":602,\"message\":\"comment in body is required\"}\n"},
        {"{\"comment\":\"\"}", 422, "{\"code\":602,\"message\":\"createdBy in body is required\"}\n"},
        {"{" WHO "}", 422, "{\"code\":602,\"message\":\"endsAt in body is required\"}\n"},
        {"{" WHO "," WHEN "}", 422, "{\"code\":602,\"message\":\"matchers in body is required\"}\n"},
        {"{" WHO "," WHEN ",\"matchers\":[]}", 422,
         "{\"code\":612,\"message\":\"matchers in body should have at least 1 items\"}\n"},
        {"{" WHO "," WHEN ",\"matchers\":[{\"name\":\"a\",\"value\":\"b\"}]}", 422,
         "{\"code\":602,\"message\":\"matchers.0.isRegex in body is required\"}\n"},
        {"{" WHO "," WHEN ",\"matchers\":[{\"isRegex\":true,\"value\":\"b\"}]}", 422,
         "{\"code\":602,\"message\":\"matchers.0.name in body is required\"}\n"},
        {"{" WHO "," WHEN ",\"matchers\":[{\"isRegex\":true,\"name\":\"b\"}]}", 422,
         "{\"code\":602,\"message\":\"matchers.0.value in body is required\"}\n"},
        {"{" WHO "," MATCHERS ",\"endsAt\":\"2026-11-22T09:00:00Z\"}", 422,
         "{\"code\":602,\"message\":\"startsAt in body is required\"}\n"},
        {"{" WHO "," MATCHERS ",\"startsAt\":\"2026-11-22T09:00:00Z\",\"endsAt\":\"2026-11-22T09:00:00Z\"}",
         400, "\"Failed to create silence: start time must be before end time\"\n"},
        {"{" WHO "," MATCHERS ",\"startsAt\":\"2026-11-22T07:00:00Z\",\"endsAt\":\"2026-11-22T07:59:59Z\"}",
         400, "\"Failed to create silence: end time can't be in the past\"\n"},
        {"{" WHO "," WHEN ",\"matchers\":[{\"isRegex\":true,\"name\":\"a\",\"value\":\".*\"}]}", 400,
         "\"invalid silence: matcher set 0: at least one matcher must not match the empty string\"\n"},
        {"{\"id\":\"6fa459ea-ee8a-4ca4-894e-db77e160355e\"," WHO "," WHEN "," MATCHERS "}", 404,
         "\"silence not found\"\n"},
        {"[]", 400,
         "{\"code\":400,\"message\":\"parsing silence body from \\\"\\\" failed, because a silence must be "
         "an object\"}\n"},
        {"{\"comment\":1}", 400,
         "{\"code\":400,\"message\":\"parsing silence body from \\\"\\\" failed, because id, comment, "
         "createdBy, and name and value of a matcher are strings\"}\n"},
        {"{\"matchers\":[{\"isRegex\":\"true\"}]}", 400,
         "{\"code\":400,\"message\":\"parsing silence body from \\\"\\\" failed, because isEqual and isRegex "
         "are true or false\"}\n"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *got = post_silence(f, cases[i].body);
        if (f->answer.status != cases[i].status || strcmp(got, cases[i].answer) != 0)
            fail_msg("%s: %d %s", cases[i].body, f->answer.status, got);
    }
    assert_string_equal(get(f, "/api/v2/silences"), "[]\n");
}

static void silences_that_are_not_there_are_404_and_ids_that_are_none_422(void **state)
{
    static const unsigned methods[] = {HTTP_GET, HTTP_DELETE};
    struct fixture *f = *state;
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(ask(f, methods[i], path_of("6fa459ea-ee8a-4ca4-894e-db77e160355e"), NULL, NULL),
                            "");
        assert_int_equal(f->answer.status, 404);
        assert_string_equal(
            ask(f, methods[i], path_of("x"), NULL, NULL),
            "{\"code\":601,\"message\":\"silenceID in path must be of type uuid: \\\"x\\\"\"}\n");
        assert_int_equal(f->answer.status, 422);
    }
}

static void ends_beyond_what_can_be_counted_are_cut(void **state)
{
    struct fixture *f = *state;
    const char *id = silence(f, "{" WHO "," MATCHERS ",\"startsAt\":\"0001-01-01T00:00:00Z\","
                                "\"endsAt\":\"9999-12-31T23:59:59Z\"}");
    assert_non_null(strstr(get(f, path_of(id)), "\"endsAt\":\"2262-04-01T"));
}

static void receivers_can_be_asked_for_by_their_labels(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(get(f, "/api/v2/receivers?receiver_matchers=name%3Ddb"),
                        "[{\"labels\":{\"name\":\"db\"},\"name\":\"db\"}]\n");
    expect_post(f, "[" ALERT "]", 200, "");
    assert_string_equal(get(f, "/api/v2/alerts?receiver_matchers=name%3Ddb"), "[]\n");
    assert_string_equal(get(f, "/api/v2/alerts/groups?receiver_matchers=name%3Ddb"), "[]\n");
    assert_non_null(strstr(get(f, "/api/v2/alerts?receiver_matchers=name!%3Ddb"), "fingerprint"));
    assert_string_equal(get(f, "/api/v2/receivers?receiver_matchers=x"),
                        "\"failed to parse receiver_matchers param: bad matcher format: x\"\n");
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
        TEST(a_silence_is_told_as_it_was_posted),
        TEST(a_silenced_alert_is_suppressed_until_the_silence_ends),
        TEST(bad_silences_are_refused_in_alertmanagers_words),
        TEST(silences_that_are_not_there_are_404_and_ids_that_are_none_422),
        TEST(ends_beyond_what_can_be_counted_are_cut),
        TEST(receivers_can_be_asked_for_by_their_labels),
        TEST(unknown_paths_and_methods_have_their_shape),
        TEST(a_process_without_a_router_has_no_such_api),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
