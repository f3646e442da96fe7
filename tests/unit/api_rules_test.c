#include "../../engine/serve/http_priv.h"

#include "tocsin/mem.h"
#include "tocsin/ruler.h"
#include "tocsin/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const int64_t START_NS = INT64_C(1435781430) * NS_PER_S;

static const char *const RULES =
    "groups:\n"
    "- name: g\n"
    "  interval: 2s\n"
    "  rules:\n"
    "  - record: r:one\n"
    "    expr: vector(1)\n"
    "    labels: {a: b}\n"
    "  - alert: Up\n"
    "    expr: vector(97) > 0\n"
    "    annotations: {summary: 'v {{ $value }} <b>'}\n"
    "    labels: {severity: page}\n"
    "  - alert: Pend\n"
    "    expr: vector(2)\n"
    "    for: 1h\n"
    "- name: h\n"
    "  rules:\n"
    "  - record: r:two\n"
    "    expr: vector(1) * on() (vector(1) or label_replace(vector(1), \"a\", \"b\", \"\", \"\"))\n";

/* SHA-256 of "r.yml;h". */
#define TOKEN_H "e4806fb4da8ac6b6900d7d3bc3a7c4612b8662f86399b9cc9414651c0748580e"

struct fixture {
    struct world_sim sim;
    struct service service;
    struct arena arena;
    struct answer answer;
};

static struct fixture fixture;

static void drop_event(void *context, struct alert_event *event)
{
    (void)context;
    mem_free(event);
}

static int set_up(void **state)
{
    struct fixture *f = &fixture;
    *f = (struct fixture){0};
    world_sim_init(&f->sim, START_NS, 1);
    const struct store_options store = {.retention_ms = INT64_C(86400000)};
    f->service.parts = (struct serve_parts){
        .world = &f->sim.world, .store = store_open(&store, &f->sim.world), .version = "0.0-test"};
    const struct ruler_options options = {.world = &f->sim.world,
                                          .store = f->service.parts.store,
                                          .promql = {.features = promql_features_default},
                                          .emit = drop_event};
    f->service.parts.ruler = ruler_open(&options);
    struct rule_set *set = rule_set_new();
    struct buf errors;
    buf_init(&errors, 1 << 16);
    if (rulefile_parse(set, STR("r.yml"), str_of(RULES), &promql_features_default, &errors) != 0)
        fail_msg("%s", buf_text(&errors));
    buf_release(&errors);
    assert_int_equal(ruler_load(f->service.parts.ruler, set, NULL), 0);
    arena_init(&f->arena, 64 << 20);
    answer_init(&f->answer);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    ruler_close(f->service.parts.ruler);
    store_close(f->service.parts.store);
    answer_release(&f->answer);
    arena_release(&f->arena);
    return 0;
}

static void run_until(struct fixture *f, int64_t until_ns)
{
    struct ruler *ruler = f->service.parts.ruler;
    while (ruler_next_ns(ruler) <= until_ns) {
        f->sim.now_ns = ruler_next_ns(ruler);
        while (ruler_run(ruler, f->sim.now_ns))
            continue;
    }
    f->sim.now_ns = until_ns;
}

static const char *ask(struct fixture *f, const char *target)
{
    answer_release(&f->answer);
    answer_init(&f->answer);
    arena_clear(&f->arena);
    struct request request = {.service = &f->service, .method = HTTP_GET, .arena = &f->arena};
    assert_int_equal(target_parse(&f->arena, str_of(target), &request.target, NULL), 0);
    route_dispatch(&request, &f->answer);
    return buf_text(&f->answer.body);
}

static void expect_part(struct fixture *f, const char *target, const char *part)
{
    const char *body = ask(f, target);
    if (strstr(body, part) == NULL)
        fail_msg("%s: no %s\nin %s", target, part, body);
}

static void expect_none(struct fixture *f, const char *target, const char *part)
{
    const char *body = ask(f, target);
    if (strstr(body, part) != NULL)
        fail_msg("%s: %s\nin %s", target, part, body);
}

static void rules_before_the_first_evaluation_are_unknown(void **state)
{
    expect_part(*state, "/api/v1/rules",
                "{\"state\":\"unknown\",\"name\":\"Up\",\"query\":\"vector(97) \\u003e 0\",\"duration\":0,"
                "\"keepFiringFor\":0,\"labels\":{\"severity\":\"page\"},\"annotations\":{\"summary\":\"v {{ "
                "$value }} "
                "<b>\"},\"alerts\":[],\"health\":\"unknown\",\"evaluationTime\":0,\"lastEvaluation\":\"0001-"
                "01-01T00:00:"
                "00Z\",\"type\":\"alerting\"}");
    expect_part(*state, "/api/v1/rules",
                "{\"status\":\"success\",\"data\":{\"groups\":[{\"name\":\"g\",\"file\":\"r.yml\"");
    expect_part(*state, "/api/v1/rules",
                "\"interval\":2,\"limit\":0,\"evaluationTime\":0,\"lastEvaluation\":\"0001-");
}

static void evaluated_rules_tell_health_state_and_alerts(void **state)
{
    run_until(*state, START_NS + 5 * NS_PER_S);
    expect_part(*state, "/api/v1/rules",
                "{\"name\":\"r:one\",\"query\":\"vector(1)\",\"labels\":{\"a\":\"b\"},\"health\":\"ok\","
                "\"evaluationTime\":");
    expect_part(*state, "/api/v1/rules", "{\"state\":\"firing\",\"name\":\"Up\"");
    expect_part(*state, "/api/v1/rules",
                "{\"state\":\"pending\",\"name\":\"Pend\",\"query\":\"vector(2)\",\"duration\":3600,");
    expect_part(*state, "/api/v1/rules",
                "\"alerts\":[{\"labels\":{\"alertname\":\"Up\",\"severity\":\"page\"},\"annotations\":{"
                "\"summary\":\"v 97 "
                "<b>\"},\"state\":\"firing\",\"activeAt\":\"2015-07-01T20:10:3");
    expect_part(*state, "/api/v1/rules", "\"value\":\"9.7e+01\"}]");
}

static void a_failed_rule_tells_its_error(void **state)
{
    run_until(*state, START_NS + 61 * NS_PER_S);
    expect_part(
        *state, "/api/v1/rules?rule_group[]=h",
        "\"health\":\"err\",\"lastError\":\"found duplicate series for the match group {} on the right");
}

static void alerts_are_listed_on_their_own(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(ask(f, "/api/v1/alerts"), "{\"status\":\"success\",\"data\":{\"alerts\":[]}}");
    run_until(f, START_NS + 5 * NS_PER_S);
    expect_part(f, "/api/v1/alerts", "{\"alerts\":[{\"labels\":{\"alertname\":\"Up\"");
    expect_part(f, "/api/v1/alerts", ",\"state\":\"pending\",\"activeAt\":\"2015-");
}

static void filters_choose_rules(void **state)
{
    struct fixture *f = *state;
    expect_none(f, "/api/v1/rules?type=alert", "\"type\":\"recording\"");
    expect_none(f, "/api/v1/rules?type=record", "\"type\":\"alerting\"");
    expect_none(f, "/api/v1/rules?rule_name[]=Up", "\"name\":\"Pend\"");
    expect_part(f, "/api/v1/rules?rule_name[]=Up&rule_name[]=Pend", "\"name\":\"Pend\"");
    expect_none(f, "/api/v1/rules?rule_group[]=h", "\"name\":\"Up\"");
    expect_part(f, "/api/v1/rules?rule_group[]=h", "\"name\":\"r:two\"");
    expect_part(f, "/api/v1/rules?file[]=r.yml", "\"name\":\"Up\"");
    expect_part(f, "/api/v1/rules?match[]=%7Bseverity=%22page%22%7D", "\"name\":\"Up\"");
    expect_none(f, "/api/v1/rules?match[]=%7Bseverity=%22page%22%7D", "\"name\":\"Pend\"");
    expect_part(f, "/api/v1/rules?match[]=%7Ba=%22b%22%7D&match[]=%7Bseverity=~%22p.*%22%7D",
                "\"name\":\"r:one\"");
    expect_part(f, "/api/v1/rules?exclude_alerts=true", "\"alerts\":null");
    expect_part(f, "/api/v1/rules?exclude_alerts=T", "\"alerts\":null");
    expect_part(f, "/api/v1/rules?exclude_alerts=False", "\"alerts\":[");
    expect_none(f, "/api/v1/rules?type=ALERT", "\"type\":\"recording\"");
}

static void groups_without_rules_are_left_out(void **state)
{
    static const char *const none[] = {"/api/v1/rules?rule_name[]=x", "/api/v1/rules?file[]=x.yml",
                                       "/api/v1/rules?rule_group[]=x"};
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(ask(*state, none[i]), "{\"status\":\"success\",\"data\":{\"groups\":[]}}");
    expect_none(*state, "/api/v1/rules?type=alert", "\"name\":\"h\"");
}

static void a_page_of_groups_tells_where_the_next_begins(void **state)
{
    struct fixture *f = *state;
    expect_part(f, "/api/v1/rules?group_limit=1", "],\"groupNextToken\":\"" TOKEN_H "\"}}");
    expect_part(f, "/api/v1/rules?group_limit=1", "\"name\":\"g\",\"file\"");
    expect_none(f, "/api/v1/rules?group_limit=1", "\"name\":\"h\",\"file\"");
    expect_none(f, "/api/v1/rules?group_limit=2", "groupNextToken");
    expect_none(f, "/api/v1/rules", "groupNextToken");
    static const char next[] = "/api/v1/rules?group_limit=1&group_next_token=" TOKEN_H;
    expect_part(f, next, "\"name\":\"h\",\"file\"");
    expect_none(f, next, "\"name\":\"g\",\"file\"");
    expect_none(f, next, "groupNextToken");
    /* What is filtered away takes no place on a page and starts none. */
    expect_none(f, "/api/v1/rules?group_limit=1&type=alert", "groupNextToken");
    expect_part(f, "/api/v1/rules?group_limit=1&rule_group[]=h", "\"name\":\"h\",\"file\"");
}

static void bad_pages_are_named(void **state)
{
    struct fixture *f = *state;
    static const char *const cases[][2] = {
        {"group_next_token=x",
         "group_next_token\\\": group_limit needs to be present in order to paginate over the groups"},
        {"group_limit=1&group_next_token=x",
         "group_next_token\\\": invalid group_next_token 'x'. were rule groups changed?"},
        {"group_limit=0", "group_limit\\\": group_limit needs to be greater than 0"},
        {"group_limit=-1", "group_limit\\\": group_limit needs to be greater than 0"},
        {"group_limit=x",
         "group_limit\\\": group_limit needs to be a valid number: strconv.ParseInt: parsing "
         "\\\"x\\\": invalid syntax"},
        {"group_limit=2147483648",
         "group_limit\\\": group_limit needs to be a valid number: strconv.ParseInt: parsing "
         "\\\"2147483648\\\": value out of range"},
        {"exclude_alerts=Maybe",
         "exclude_alerts\\\": error converting exclude_alerts: strconv.ParseBool: parsing "
         "\\\"maybe\\\": invalid syntax"},
        {"type=Alerts", "type\\\": not supported value \\\"alerts\\\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char target[128], body[512];
        (void)snprintf(target, sizeof target, "/api/v1/rules?%s", cases[i][0]);
        (void)snprintf(
            body, sizeof body,
            "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter \\\"%s\"}",
            cases[i][1]);
        assert_string_equal(ask(f, target), body);
        assert_int_equal(f->answer.status, 400);
    }
}

static void bad_filters_are_named(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(
        ask(f, "/api/v1/rules?type=x"),
        "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter \\\"type\\\": not "
        "supported value \\\"x\\\"\"}");
    assert_int_equal(f->answer.status, 400);
    (void)ask(f, "/api/v1/rules?exclude_alerts=maybe");
    assert_int_equal(f->answer.status, 400);
    (void)ask(f, "/api/v1/rules?match[]=%7B");
    assert_int_equal(f->answer.status, 400);
    expect_part(f, "/api/v1/rules?match[]=%7Ba=%22%22%7D",
                "\"match[] must contain at least one non-empty matcher\"");
}

static void tocsins_own_rules_tell_their_last_evaluations(void **state)
{
    struct fixture *f = *state;
    run_until(f, START_NS + 4 * NS_PER_S);
    expect_part(f, "/api/tocsin/v1/rules?rule_name[]=Up",
                "\"verdict\":\"ok\",\"evaluations\":[{\"time\":\"2015-07-01T20:10:3");
    expect_part(f, "/api/tocsin/v1/rules?rule_name[]=Up",
                "\"occasion\":\"slot\",\"duration\":0,\"series\":0,\"results\":1,"
                "\"query\":\"/api/v1/query?query=vector%2897%29%20%3E%200&time=1435781432.184\"}");
    expect_part(f, "/api/tocsin/v1/rules?rule_group[]=g",
                "\"evaluation\":\"clock\",\"dataWait\":0,\"catchUp\":0,\"limitBehaviour\":\"prometheus\","
                "\"lastSlot\":\"2015-07-01T20:10:32");
    expect_part(f, "/api/tocsin/v1/rules?rule_group[]=g",
                "\"iterations\":2,\"missed\":0,\"looks\":0,\"caughtUp\":0}");
    expect_none(f, "/api/v1/rules", "evaluations");
    expect_none(f, "/api/v1/rules", "lastSlot");
    run_until(f, START_NS + 61 * NS_PER_S);
    expect_part(f, "/api/tocsin/v1/rules?rule_name[]=r:two",
                "\"results\":0,\"error\":\"found duplicate series");
}

static void a_rule_that_matches_no_series_has_a_verdict_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct rule_set *set = rule_set_new();
    struct buf errors;
    buf_init(&errors, 1 << 16);
    assert_int_equal(
        rulefile_parse(set, STR("r.yml"),
                       STR("groups: [{name: g, interval: 2s, rules: [{record: r, expr: typo}]}]"),
                       &promql_features_default, &errors),
        0);
    buf_release(&errors);
    assert_int_equal(ruler_load(f->service.parts.ruler, set, NULL), 0);
    expect_part(f, "/api/tocsin/v1/rules",
                "\"verdict\":\"unknown\",\"evaluations\":[],\"type\":\"recording\"");
    run_until(f, START_NS + 4 * NS_PER_S);
    expect_part(f, "/api/tocsin/v1/rules", "\"health\":\"ok\"");
    expect_part(f, "/api/tocsin/v1/rules", "\"verdict\":\"no_series\"");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(rules_before_the_first_evaluation_are_unknown),
        TEST(evaluated_rules_tell_health_state_and_alerts),
        TEST(a_failed_rule_tells_its_error),
        TEST(alerts_are_listed_on_their_own),
        TEST(filters_choose_rules),
        TEST(groups_without_rules_are_left_out),
        TEST(a_page_of_groups_tells_where_the_next_begins),
        TEST(bad_pages_are_named),
        TEST(bad_filters_are_named),
        TEST(tocsins_own_rules_tell_their_last_evaluations),
        TEST(a_rule_that_matches_no_series_has_a_verdict_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
