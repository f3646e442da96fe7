/* Labels of routes whose values are templates: what receivers and the API get. */
#include "router_sim.h"

static struct sim sim;

#define ROUTE(labels)                                                                                  \
    "route: {receiver: a, group_by: [n], group_wait: 1s, group_interval: 10s, labels: {" labels "}}\n" \
    "receivers: [{name: a, webhook_configs: [{url: 'http://a/{{ .RouteLabels.who }}'}]}]\n"

static void expect_labels(size_t page, const char *json)
{
    char wanted[512];
    snprintf(wanted, sizeof wanted, "\"routeLabels\":%s,", json);
    assert_true(page < sim.sent_count);
    if (strstr(sim.sent[page].body, wanted) == NULL)
        fail_msg("%s is not in %s", wanted, sim.sent[page].body);
}

static void see_all_alerts_of_the_group_and_each_other(void **state)
{
    (void)state;
    sim_open(&sim,
             ROUTE("who: '{{ .GroupLabels.n }}-{{ routeLabels \"many\" }}', many: '{{ len .Alerts }} of "
                   "{{ .CommonLabels.job }}', fixed: f, why: '{{ .NotificationReason }}', none: '{{ "
                   ".CommonLabels.absent }}'"));
    sim_fire(&sim, "n=x job=j i=1");
    sim_fire(&sim, "n=x job=j i=2");
    sim_until(&sim, 1000);
    expect_labels(0, "{\"fixed\":\"f\",\"many\":\"2 of j\",\"who\":\"x-2 of j\",\"why\":\"unknown\"}");
    assert_string_equal(sim.sent[0].url, "http://a/x-2 of j");
    sim_fire(&sim, "n=x job=k i=3");
    sim_until(&sim, 11000);
    expect_labels(1, "{\"fixed\":\"f\",\"many\":\"3 of \",\"who\":\"x-3 of \",\"why\":\"unknown\"}");
    sim_close(&sim);
}

static void see_also_what_is_silenced(void **state)
{
    (void)state;
    struct err err;
    char id[SILENCE_ID_BYTES + 1];
    struct arena arena;
    sim_open(&sim, ROUTE("who: '{{ len .Alerts }}'"));
    arena_init(&arena, 1 << 16);
    struct matcher matcher = {.op = MATCH_EQUAL, .name = STR("i"), .value = STR("1")};
    struct silence silence = {.matchers = &matcher,
                              .matcher_count = 1,
                              .ends_ns = sim_at(60000),
                              .created_by = STR("me"),
                              .comment = STR("c"),
                              .annotations = labels_empty(&arena)};
    assert_int_equal(silences_put(router_silences(sim.router), &silence, id, &err), 0);
    sim_fire(&sim, "n=x i=1");
    sim_fire(&sim, "n=x i=2");
    sim_until(&sim, 1000);
    assert_string_equal(sim.sent[0].url, "http://a/2");
    assert_null(strstr(sim.sent[0].body, "\"i\":\"1\""));
    arena_release(&arena);
    sim_close(&sim);
}

static void one_that_fails_is_left_out_and_the_page_goes(void **state)
{
    (void)state;
    sim_open(
        &sim,
        ROUTE("who: w, loop: '{{ routeLabels \"pool\" }}', pool: '{{ routeLabels \"loop\" }}', self: "
              "'{{ routeLabels \"self\" }}', bad: '{{ index .Alerts 7 }}', asks: '{{ routeLabels \"bad\" "
              "}}'"));
    sim_fire(&sim, "n=x");
    sim_until(&sim, 1000);
    expect_labels(0, "{\"who\":\"w\"}");
    sim_close(&sim);
}

static void children_add_to_them(void **state)
{
    (void)state;
    sim_open(&sim, "route:\n"
                   "  receiver: a\n"
                   "  group_wait: 1s\n"
                   "  labels: {team: '{{ .CommonLabels.n }}', tier: '1'}\n"
                   "  routes: [{matchers: [n=x], labels: {tier: '{{ routeLabels \"team\" }}2'}}]\n"
                   "receivers: [{name: a, webhook_configs: [{url: 'http://a'}]}]\n");
    sim_fire(&sim, "n=x");
    sim_until(&sim, 1000);
    expect_labels(0, "{\"team\":\"x\",\"tier\":\"x2\"}");
    sim_close(&sim);
}

/* Of the only group. */
static void expect_shown(const char *value)
{
    struct arena arena;
    struct router_group *groups;
    size_t count;
    const struct router_filter filter = {.active = true};
    arena_init(&arena, 1 << 20);
    assert_int_equal(router_groups(sim.router, &filter, &arena, &groups, &count), 0);
    assert_int_equal(count, 1);
    struct str shown = labels_get(groups[0].route_labels, STR("who"));
    assert_int_equal(shown.n, strlen(value));
    assert_memory_equal(shown.p, value, shown.n);
    arena_release(&arena);
}

static void the_api_shows_them_as_the_group_is_now(void **state)
{
    (void)state;
    sim_open(&sim, ROUTE("who: '{{ len .Alerts }}{{ .CommonLabels.n }}'"));
    sim_fire(&sim, "n=x i=1");
    expect_shown("1x");
    expect_shown("1x");
    sim_fire(&sim, "n=x i=2");
    expect_shown("2x");
    sim_until(&sim, 2000);
    sim_resolve(&sim, "n=x i=1", 0);
    sim_until(&sim, 12000);
    expect_shown("1x");
    sim_close(&sim);
}

static void what_does_not_parse_refuses_the_configuration(void **state)
{
    (void)state;
    struct amconfig *config;
    struct err err;
    sim_open(&sim, ROUTE("who: w"));
    assert_int_equal(
        amconfig_parse(&sim.world.world, STR(ROUTE("who: '{{ nothing }}'")), STR("."), &config, &err),
        ERR_PARSE);
    assert_non_null(strstr(err.text, "function \"nothing\" not defined"));
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(see_all_alerts_of_the_group_and_each_other),
        cmocka_unit_test(see_also_what_is_silenced),
        cmocka_unit_test(one_that_fails_is_left_out_and_the_page_goes),
        cmocka_unit_test(children_add_to_them),
        cmocka_unit_test(the_api_shows_them_as_the_group_is_now),
        cmocka_unit_test(what_does_not_parse_refuses_the_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
