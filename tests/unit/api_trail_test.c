#include "../../engine/serve/http_priv.h"

#include "tocsin/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* 2026-11-22T08:00:00Z */
static const int64_t START_NS = INT64_C(1795334400) * NS_PER_S;

static const char *const CONFIG = "route: {receiver: hook, group_by: [alertname], group_wait: 30s}\n"
                                  "receivers: [{name: hook}]\n";

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
    f->service.parts = (struct serve_parts){.world = &f->sim.world, .started_ns = START_NS};
    assert_int_equal(router_open(&options, config, &f->service.parts.router, NULL), 0);
    arena_init(&f->arena, 64 << 20);
    answer_init(&f->answer);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    router_close(f->service.parts.router);
    answer_release(&f->answer);
    arena_release(&f->arena);
    return 0;
}

static const char *ask(struct fixture *f, unsigned method, const char *target, const char *body)
{
    answer_release(&f->answer);
    answer_init(&f->answer);
    arena_clear(&f->arena);
    struct request request = {.service = &f->service,
                              .method = method,
                              .body = str_of(body),
                              .content_type = STR("application/json"),
                              .arena = &f->arena};
    assert_int_equal(target_parse(&f->arena, str_of(target), &request.target, NULL), 0);
    route_dispatch(&request, &f->answer);
    return buf_text(&f->answer.body);
}

static const char *trail(struct fixture *f, const char *parameters)
{
    char target[256];
    snprintf(target, sizeof target, "/api/tocsin/v1/trail%s", parameters);
    return ask(f, HTTP_GET, target, "");
}

static void post_alerts(struct fixture *f)
{
    ask(f, HTTP_POST, "/api/v2/alerts",
        "[{\"labels\":{\"alertname\":\"A\",\"x\":\"<\"}},{\"labels\":{\"alertname\":\"B\"}}]");
    assert_int_equal(f->answer.status, 200);
}

#define NONE                                                                                               \
    "{\"status\":\"success\",\"data\":{\"since\":\"2026-11-22T08:00:00.000Z\",\"now\":\"2026-11-22T08:00:" \
    "00."                                                                                                  \
    "000Z\",\"truncated\":false,\"alerts\":[]}}"

static void no_alert_is_an_empty_list(void **state)
{
    assert_string_equal(trail(*state, ""), NONE);
    assert_int_equal(((struct fixture *)*state)->answer.status, 200);
    post_alerts(*state);
    assert_string_equal(trail(*state, "?filter=alertname=C"), NONE);
    assert_string_equal(trail(*state, "?receiver=hoo"), NONE);
    assert_string_equal(trail(*state, "?fingerprint=0123456789abcdef"), NONE);
}

static void an_alert_is_told_with_its_trail(void **state)
{
    struct fixture *f = *state;
    post_alerts(f);
    f->sim.now_ns += 30 * NS_PER_S;
    router_run(f->service.parts.router, f->sim.now_ns);
    assert_string_equal(
        trail(f, "?filter=alertname%3D%22A%22&receiver=hook"),
        "{\"status\":\"success\",\"data\":{\"since\":\"2026-11-22T08:00:00.000Z\",\"now\":\"2026-11-22T08:00:"
        "30.000Z\",\"truncated\":false,\"alerts\":[{\"fingerprint\":\"605b004c72a31293\",\"labels\":{"
        "\"alertname\":\"A\",\"x\":\"\\u003c\"},\"state\":\"firing\",\"startsAt\":\"2026-11-22T08:00:00."
        "000Z\","
        "\"endsAt\":\"2026-11-22T08:05:00.000Z\",\"since\":\"2026-11-22T08:00:00.000Z\","
        "\"verdicts\":[{\"paged\":false,\"receiver\":\"hook\",\"group\":\"{}:{alertname=\\\"A\\\"}\","
        "\"text\":\"not paged: hook: the receiver has no integrations\"}],"
        "\"decisions\":[{\"at\":\"2026-11-22T08:00:00.000Z\",\"what\":\"came\",\"text\":\"came in, posted to "
        "the API\",\"detail\":\"came in, posted to the API\"},"
        "{\"at\":\"2026-11-22T08:00:00.000Z\",\"what\":\"matched\",\"text\":\"matched route {} of hook; "
        "waits for group_wait until 08:00:30Z; group {}:{alertname=\\\"A\\\"}\","
        "\"until\":\"2026-11-22T08:00:30.000Z\",\"receiver\":\"hook\",\"route\":\"{}\",\"group\":\"{}:{"
        "alertname=\\\"A\\\"}\",\"detail\":\"waits for group_wait\"},"
        "{\"at\":\"2026-11-22T08:00:30.000Z\",\"what\":\"nobody\",\"text\":\"hook: it has no integrations, "
        "nobody is told\",\"receiver\":\"hook\",\"route\":\"{}\","
        "\"group\":\"{}:{alertname=\\\"A\\\"}\",\"detail\":\"it has no integrations, nobody is told\"}],"
        "\"next\":[{\"at\":\"2026-11-22T08:05:30.000Z\",\"receiver\":\"hook\",\"group\":\"{}:{alertname="
        "\\\"A\\\"}\",\"text\":\"the group is flushed; the receiver has no integrations\"}]}]}}");
}

static void no_more_are_told_than_asked_for(void **state)
{
    post_alerts(*state);
    assert_non_null(strstr(trail(*state, "?limit=1"), "\"truncated\":true"));
    assert_non_null(strstr(trail(*state, "?limit=2"), "\"truncated\":false"));
    assert_non_null(strstr(trail(*state, "?limit=1000000000000"), "\"truncated\":false"));
}

static void what_makes_no_sense_is_refused(void **state)
{
    static const struct {
        const char *parameters, *why;
    } cases[] = {
        {"?fingerprint=12", "invalid parameter \\\"fingerprint\\\": a fingerprint is 16 hexadecimal digits"},
        {"?fingerprint=0123456789ABCDEF",
         "invalid parameter \\\"fingerprint\\\": a fingerprint is 16 hexadecimal digits"},
        {"?filter=a", "invalid parameter \\\"filter\\\": bad matcher format: a"},
        {"?filter=a=b&filter=c", "invalid parameter \\\"filter\\\": bad matcher format: c"},
        {"?receiver=%28", "invalid parameter \\\"receiver\\\": "},
        {"?limit=-1", "limit must be non-negative"},
        {"?limit=x", "invalid parameter \\\"limit\\\": "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *got = trail(*state, cases[i].parameters);
        if (((struct fixture *)*state)->answer.status != 400 || strstr(got, cases[i].why) == NULL)
            fail_msg("%s: %s", cases[i].parameters, got);
    }
}

static void who_routes_nothing_has_no_trail(void **state)
{
    struct fixture *f = *state;
    struct router *router = f->service.parts.router;
    f->service.parts.router = NULL;
    trail(f, "");
    assert_int_equal(f->answer.status, 404);
    f->service.parts.router = router;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(no_alert_is_an_empty_list),       TEST(an_alert_is_told_with_its_trail),
        TEST(no_more_are_told_than_asked_for), TEST(what_makes_no_sense_is_refused),
        TEST(who_routes_nothing_has_no_trail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
