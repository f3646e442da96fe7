#include "router_sim.h"

#include "tocsin/forward.h"
#include "tocsin/limits.h"

static struct sim sim;
static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    sim_open(&sim, NULL);
    arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sim_close(&sim);
    arena_release(&arena);
    return 0;
}

enum { GROUPS_MAX = 4, TARGETS_MAX = 8 };

/* Relabelling rules from YAML. */
static struct relabel_rules rules(const char *yaml)
{
    struct strict s;
    struct tree *root = NULL;
    struct relabel_rules out = {0};
    strict_init(&s, &arena);
    assert_int_equal(yaml_parse(&arena, str_of(yaml), &root, NULL), 0);
    relabel_read(&s, root, &out);
    relabel_check(&s, &out);
    assert_int_equal(strict_result(&s, NULL), 0);
    strict_release(&s);
    return out;
}

/* "a:1 b:2" */
static struct forward_group group_of(const char *addresses)
{
    struct forward_group group = {.scheme = STR("http"),
                                  .targets = ARENA_ARRAY(&arena, const struct labels *, TARGETS_MAX)};
    struct str rest = str_copy(&arena, str_of(addresses));
    for (struct str word; (word = str_cut_word(&rest)).n > 0;)
        group.targets[group.target_count++] =
            labels_of(&arena, "__address__", arena_copy_text(&arena, word.p, word.n), NULL);
    return group;
}

static void configure(struct forward *f, const struct forward_group *groups, size_t count,
                      const struct relabel_rules *alert_relabel)
{
    const struct forward_group *list[GROUPS_MAX];
    for (size_t i = 0; i < count; i++)
        list[i] = &groups[i];
    const struct forward_settings settings = {
        .groups = list,
        .group_count = count,
        .external_labels = labels_of(&arena, "a", "external", "zone", "eu", NULL),
        .alert_relabel = alert_relabel,
    };
    assert_int_equal(forward_configure(f, &settings, NULL), 0);
}

static struct forward *open_plain(void)
{
    return forward_open(&(struct forward_options){.world = &sim.world.world});
}

static struct forward *open_to(const char *addresses, size_t queue_max, size_t batch_max)
{
    struct forward *f = forward_open(&(struct forward_options){
        .world = &sim.world.world,
        .queue_max = queue_max,
        .batch_max = batch_max,
    });
    struct forward_group group = group_of(addresses);
    configure(f, &group, 1, NULL);
    return f;
}

static void tell(struct forward *f, const char *name)
{
    struct alert_event event = {
        .labels = labels_of(&arena, "alertname", name, "a", "own", NULL),
        .annotations = labels_of(&arena, "summary", "s", NULL),
        .generator_url = STR("http://h:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1"),
        .starts_ns = SIM_START_NS + 123 * NS_PER_MS,
        .ends_ns = SIM_START_NS + 240 * NS_PER_S,
    };
    if (forward_prepare(f, &arena, &event))
        forward_alert(f, &event);
}

static const char *targets(struct forward *f)
{
    static char text[1024];
    struct strict_texts active, dropped;
    size_t used = 0;
    assert_int_equal(forward_urls(f, &arena, &active, &dropped), 0);
    text[0] = '\0';
    for (size_t i = 0; i < active.count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s", i > 0 ? " " : "",
                                 STR_ARG(active.items[i]));
    for (size_t i = 0; i < dropped.count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, " -%.*s", STR_ARG(dropped.items[i]));
    return text;
}

static void the_body_is_prometheus_to_the_byte(void **state)
{
    (void)state;
    struct forward *f = open_to("am", 0, 0);
    tell(f, "X");
    tell(f, "Y");
    assert_false(forward_run(f));
    assert_int_equal(sim.sent_count, 1);
    assert_string_equal(sim.sent[0].url, "http://am/api/v2/alerts");
    assert_string_equal(sim.sent[0].headers, "Content-Type: application/json\n");
#define ALERT(name)                                                                 \
    "{\"annotations\":{\"summary\":\"s\"},\"endsAt\":\"2026-11-22T06:04:00.000Z\"," \
    "\"startsAt\":\"2026-11-22T06:00:00.123Z\","                                    \
    "\"generatorURL\":\"http://h:9090/graph?g0.expr=up+%3D%3D+0\\u0026g0.tab=1\","  \
    "\"labels\":{\"a\":\"own\",\"alertname\":\"" name "\",\"zone\":\"eu\"}}"
    assert_string_equal(sim.sent[0].body, "[" ALERT("X") "," ALERT("Y") "]");
    assert_int_equal(sim.sent[0].timeout_ms, 10000);
    forward_close(f);
}

static void batches_go_one_after_another(void **state)
{
    (void)state;
    struct forward *f = open_to("am", 0, 2);
    for (int i = 0; i < 5; i++)
        tell(f, "X");
    sim.hold = true;
    assert_true(forward_run(f));
    assert_int_equal(sim.sent_count, 1);
    assert_true(forward_run(f));
    assert_int_equal(sim.sent_count, 1);
    sim.hold = false;
    sim_release(&sim);
    assert_false(forward_run(f));
    assert_int_equal(sim.sent_count, 3);
    forward_close(f);
}

static bool has_line(struct forward *f, const char *line)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    forward_write_metrics(f, &out);
    bool found = strstr(buf_text(&out), line) != NULL;
    buf_release(&out);
    return found;
}

static void a_full_queue_drops_the_oldest_and_says_so(void **state)
{
    (void)state;
    struct forward *f = open_to("am", 2, 0);
    tell(f, "first");
    tell(f, "second");
    tell(f, "third");
    assert_false(forward_run(f));
    assert_null(strstr(sim.sent[0].body, "first"));
    assert_non_null(strstr(sim.sent[0].body, "third"));
    assert_true(
        has_line(f, "prometheus_notifications_dropped_total{alertmanager=\"http://am/api/v2/alerts\"} 1\n"));
    assert_true(
        has_line(f, "prometheus_notifications_sent_total{alertmanager=\"http://am/api/v2/alerts\"} 2\n"));
    assert_true(has_line(f, "prometheus_notifications_queue_capacity 2\n"));
    forward_close(f);
}

static void a_target_that_is_down_does_not_delay_the_other(void **state)
{
    (void)state;
    struct forward *f = open_to("a b", 0, 0);
    sim.status = 0;
    tell(f, "X");
    assert_false(forward_run(f));
    assert_int_equal(sim.sent_count, 2);
    assert_true(
        has_line(f, "prometheus_notifications_errors_total{alertmanager=\"http://a/api/v2/alerts\"} 1\n"));
    assert_true(
        has_line(f, "prometheus_notifications_errors_total{alertmanager=\"http://b/api/v2/alerts\"} 1\n"));
    assert_true(has_line(f, "prometheus_notifications_alertmanagers_discovered 2\n"));
    sim.refuse = ERR_FULL;
    tell(f, "Y");
    assert_false(forward_run(f));
    assert_true(
        has_line(f, "prometheus_notifications_errors_total{alertmanager=\"http://a/api/v2/alerts\"} 2\n"));
    forward_close(f);
}

static void only_what_went_well_counts_as_sent(void **state)
{
    (void)state;
    struct forward *f = open_to("a", 0, 0);
    tell(f, "X");
    assert_false(forward_run(f));
    sim.status = 500;
    tell(f, "Y");
    assert_false(forward_run(f));
#define OF_A "{alertmanager=\"http://a/api/v2/alerts\"} "
    assert_true(has_line(f, "prometheus_notifications_sent_total" OF_A "1\n"));
    assert_true(has_line(f, "prometheus_notifications_errors_total" OF_A "1\n"));
    assert_true(has_line(f, "prometheus_notifications_dropped_total" OF_A "1\n"));
    assert_true(has_line(f, "prometheus_notifications_latency_seconds_count" OF_A "1\n"));
    assert_true(has_line(f,
                         "prometheus_notifications_latency_seconds{alertmanager=\"http://a/api/v2/alerts\","
                         "quantile=\"0.99\"} 0\n"));
    forward_close(f);
}

static void relabelling_moves_and_drops_targets(void **state)
{
    (void)state;
    struct forward *f = open_plain();
    struct forward_group groups[] = {group_of("a:1 b:2 c:3 a:1"), group_of("d/e f g:80")};
    groups[0].scheme = STR("https");
    groups[0].path_prefix = STR("/x/./y//../z");
    groups[0].relabel =
        rules("[{source_labels: [__address__], regex: 'b:.*', action: drop},"
              " {source_labels: [__scheme__, __address__], regex: 'https;c:.*',"
              "  target_label: __scheme__, replacement: http},"
              " {source_labels: [__alerts_path__], regex: '/x/z(/.*)', target_label: __alerts_path__,"
              "  replacement: '/my way$1'}]");
    groups[1].relabel = rules("[{source_labels: [__address__], regex: g:80, target_label: __scheme__,"
                              "  replacement: gopher}]");
    configure(f, groups, 2, NULL);
    assert_string_equal(
        targets(f),
        "https://a:1/my%20way/api/v2/alerts http://c:3/my%20way/api/v2/alerts http://f/api/v2/alerts"
        " -https://b:2/x/z/api/v2/alerts");
    assert_true(has_line(f, "prometheus_notifications_alertmanagers_discovered 3\n"));
    assert_true(has_line(f, "tocsin_alertmanagers_refused_total 1\n"));
    forward_close(f);
}

static void alerts_are_relabelled_for_all_and_for_one(void **state)
{
    (void)state;
    struct forward *f = open_plain();
    struct forward_group groups[] = {group_of("plain"), group_of("other")};
    struct relabel_rules all = rules("[{source_labels: [alertname], regex: Quiet, action: drop},"
                                     " {source_labels: [zone], target_label: where}]");
    groups[1].alert_relabel = rules("[{regex: 'zone|a', action: labeldrop},"
                                    " {source_labels: [alertname], regex: OnlyPlain, action: drop}]");
    configure(f, groups, 2, &all);
    tell(f, "Quiet");
    assert_false(forward_run(f));
    assert_int_equal(sim.sent_count, 0);
    tell(f, "X");
    assert_false(forward_run(f));
    assert_int_equal(sim.sent_count, 2);
    assert_non_null(strstr(sim.sent[0].body, "\"labels\":{\"a\":\"own\",\"alertname\":\"X\",\"where\":\"eu\","
                                             "\"zone\":\"eu\"}"));
    assert_non_null(strstr(sim.sent[1].body, "\"labels\":{\"alertname\":\"X\",\"where\":\"eu\"}"));
    tell(f, "OnlyPlain");
    assert_false(forward_run(f));
    assert_int_equal(sim.sent_count, 3);
    assert_string_equal(sim.sent[2].url, "http://plain/api/v2/alerts");
    forward_close(f);
}

static void a_group_s_http_config_and_timeout_go_with_its_requests(void **state)
{
    (void)state;
    struct forward *f = open_plain();
    struct forward_group group = group_of("a");
    group.http.auth_type = STR("Bearer");
    group.http.credentials.text = STR("tok");
    group.timeout_ms = 2500;
    configure(f, &group, 1, NULL);
    tell(f, "X");
    assert_false(forward_run(f));
    assert_string_equal(sim.sent[0].credentials, "tok");
    assert_int_equal(sim.sent[0].timeout_ms, 2500);
    forward_close(f);
}

/* Also while its request, with the old settings, is under way. */
static void a_target_that_leaves_gets_what_is_in_its_queue(void **state)
{
    (void)state;
    struct forward *f = open_to("a", 0, 1);
    struct forward_group other = group_of("b");
    tell(f, "X");
    tell(f, "Y");
    sim.hold = true;
    assert_true(forward_run(f));
    assert_int_equal(sim.sent_count, 1);
    configure(f, &other, 1, NULL);
    assert_string_equal(targets(f), "http://b/api/v2/alerts");
    tell(f, "Z");
    sim.hold = false;
    sim_release(&sim);
    assert_false(forward_run(f));
    assert_int_equal(sim.sent_count, 3);
    size_t to_a = 0;
    for (size_t i = 0; i < sim.sent_count; i++) {
        bool is_a = strcmp(sim.sent[i].url, "http://a/api/v2/alerts") == 0;
        to_a += is_a;
        assert_true(is_a == (strstr(sim.sent[i].body, "\"Z\"") == NULL));
    }
    assert_int_equal(to_a, 2);
    assert_false(has_line(f, "http://a/"));
    forward_close(f);
}

static void a_target_that_stays_keeps_its_queue_over_a_reload(void **state)
{
    (void)state;
    struct forward *f = open_to("a b", 0, 0);
    struct forward_group now = group_of("b c");
    tell(f, "X");
    configure(f, &now, 1, NULL);
    assert_true(
        has_line(f, "prometheus_notifications_queue_length{alertmanager=\"http://b/api/v2/alerts\"} 1\n"));
    assert_true(
        has_line(f, "prometheus_notifications_queue_length{alertmanager=\"http://c/api/v2/alerts\"} 0\n"));
    assert_false(forward_run(f));
    assert_int_equal(sim.sent_count, 2); /* a, which leaves, and b */
    forward_close(f);
}

static void two_groups_to_one_place_are_one_line_of_metrics(void **state)
{
    (void)state;
    struct forward *f = open_plain();
    struct forward_group groups[] = {group_of("a"), group_of("a")};
    configure(f, groups, 2, NULL);
    tell(f, "X");
    assert_true(
        has_line(f, "prometheus_notifications_queue_length{alertmanager=\"http://a/api/v2/alerts\"} 2\n"));
    assert_false(forward_run(f));
    assert_int_equal(sim.sent_count, 2);
    forward_close(f);
}

static void no_more_targets_than_the_limit(void **state)
{
    (void)state;
    int64_t before = limits.forward_targets;
    limits.forward_targets = 2;
    struct forward *f = open_to("a b c", 0, 0);
    assert_string_equal(targets(f), "http://a/api/v2/alerts http://b/api/v2/alerts");
    limits.forward_targets = before;
    forward_close(f);
}

static void a_password_in_an_address_is_not_shown(void **state)
{
    (void)state;
    struct forward *f = open_to("u:s3cret@a", 0, 0);
    tell(f, "X");
    assert_false(forward_run(f));
    assert_string_equal(sim.sent[0].url, "http://u:s3cret@a/api/v2/alerts");
    assert_false(has_line(f, "s3cret"));
    assert_true(has_line(f, "http://u:xxxxx@a/api/v2/alerts"));
    forward_close(f);
}

static void rules_that_make_no_sense_change_nothing(void **state)
{
    (void)state;
    struct forward *f = open_to("a", 0, 0);
    struct forward_group group = group_of("b");
    struct relabel_rule bad;
    struct err err = {0};
    relabel_rule_init(&bad);
    group.relabel = (struct relabel_rules){.items = &bad, .count = 1};
    const struct forward_group *list[] = {&group};
    assert_int_equal(forward_configure(f, &(struct forward_settings){list, 1, NULL, NULL}, &err), ERR_PARSE);
    assert_string_equal(err.text, "relabel configuration for replace action requires 'target_label' value");
    assert_string_equal(targets(f), "http://a/api/v2/alerts");
    forward_close(f);
}

/* ---- discovery ---- */

/* A name server that knows one name: what its answer is, or with which error it fails. */
static struct {
    struct str message;
    int fails;
    int asked;
} server;

static int resolve(struct world *world, const char *name, int type, struct buf *answer, struct err *err)
{
    (void)world;
    server.asked++;
    assert_string_equal(name, "_am._tcp.x");
    assert_int_equal(type, DNS_SRV);
    if (server.fails != 0)
        return err_set(err, server.fails, "no");
    buf_str(answer, server.message);
    return 0;
}

#define SRV_HEAD(answers) "\0\0\x81\x80\0\0\0" answers "\0\0\0\0"
#define SRV(port, host) "\0\0\x21\0\1\0\0\0\x3c\0\x09\0\0\0\0" port "\1" host "\0"
static const char srv_two[] = SRV_HEAD("\2") SRV("\0\x50", "a") SRV("\x23\x85", "b");
static const char srv_one[] = SRV_HEAD("\1") SRV("\x23\x85", "b");
#define MESSAGE(name) ((struct str){name, sizeof name - 1})

static void discover_all(struct forward *f)
{
    while (forward_discover(f, 1000) == 0) {
    }
}

static void names_are_asked_for_again_and_targets_come_and_go(void **state)
{
    (void)state;
    struct forward *f = open_plain();
    struct forward_group group = group_of("own");
    struct forward_lookup lookup = {
        .names = {(struct str[]){STR("_am._tcp.x")}, 1}, .type = DNS_SRV, .refresh_ms = 30000};
    group.lookups = &lookup;
    group.lookup_count = 1;
    group.relabel = rules("[{source_labels: [__meta_dns_srv_record_target, __meta_dns_srv_record_port],"
                          "  regex: 'a.;80', target_label: __alerts_path__, replacement: /here}]");
    server.asked = server.fails = 0;
    server.message = MESSAGE(srv_two);
    sim.world.world.resolve = resolve;
    configure(f, &group, 1, NULL);
    assert_string_equal(targets(f), "http://own/api/v2/alerts");
    discover_all(f);
    assert_string_equal(targets(f), "http://own/api/v2/alerts http://a:80/here http://b:9093/api/v2/alerts");
    assert_int_equal(server.asked, 1);
    assert_int_equal(forward_discover(f, 100000), 30001);
    assert_int_equal(forward_discover(f, 1000), 1000);

    server.fails = ERR_IO; /* nobody knows: what was found stays */
    sim.world.now_ns += 30 * NS_PER_S;
    discover_all(f);
    assert_int_equal(server.asked, 2);
    assert_string_equal(targets(f), "http://own/api/v2/alerts http://a:80/here http://b:9093/api/v2/alerts");

    server.fails = 0;
    server.message = MESSAGE(srv_one);
    sim.world.now_ns += 30 * NS_PER_S;
    discover_all(f);
    assert_string_equal(targets(f), "http://own/api/v2/alerts http://b:9093/api/v2/alerts");

    configure(f, &group, 1, NULL); /* a reload keeps what was found, and when it is asked for again */
    assert_string_equal(targets(f), "http://own/api/v2/alerts http://b:9093/api/v2/alerts");
    discover_all(f);
    assert_int_equal(server.asked, 3);
    lookup.refresh_ms = 10000; /* one that asks more often begins with that at once */
    configure(f, &group, 1, NULL);
    assert_int_equal(forward_discover(f, 100000), 10001);
    lookup.refresh_ms = 30000;
    configure(f, &group, 1, NULL);

    server.fails = ERR_NOT_FOUND; /* there is none: that is an answer */
    sim.world.now_ns += 30 * NS_PER_S;
    discover_all(f);
    assert_string_equal(targets(f), "http://own/api/v2/alerts");
    forward_close(f);
}

static struct forward *reloaded;
static struct forward_group reloaded_to;

static int resolve_during_reload(struct world *world, const char *name, int type, struct buf *answer,
                                 struct err *err)
{
    configure(reloaded, &reloaded_to, 1, NULL);
    return resolve(world, name, type, answer, err);
}

static void an_answer_for_a_name_that_is_gone_is_forgotten(void **state)
{
    (void)state;
    struct forward *f = reloaded = open_plain();
    struct forward_group group = group_of("own");
    struct forward_lookup lookup = {
        .names = {(struct str[]){STR("_am._tcp.x")}, 1}, .type = DNS_SRV, .refresh_ms = 30000};
    group.lookups = &lookup;
    group.lookup_count = 1;
    reloaded_to = group_of("other");
    server.fails = 0;
    server.message = MESSAGE(srv_two);
    sim.world.world.resolve = resolve_during_reload;
    configure(f, &group, 1, NULL);
    assert_int_equal(forward_discover(f, 1000), 0);
    assert_string_equal(targets(f), "http://other/api/v2/alerts");
    assert_int_equal(forward_discover(f, 1000), 1000);
    forward_close(f);
}

static void paths_are_joined_as_go_does(void **state)
{
    (void)state;
    static const char *const table[][2] = {
        {"", "/api/v2/alerts"},           {"/", "/api/v2/alerts"},           {"am", "/am/api/v2/alerts"},
        {"/a//b/", "/a/b/api/v2/alerts"}, {"a/../../b", "/b/api/v2/alerts"}, {"./a/.", "/a/api/v2/alerts"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct str path = forward_path(&arena, str_of(table[i][0]));
        assert_string_equal(path.p, table[i][1]);
    }
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FRESH(the_body_is_prometheus_to_the_byte),
        FRESH(batches_go_one_after_another),
        FRESH(a_full_queue_drops_the_oldest_and_says_so),
        FRESH(a_target_that_is_down_does_not_delay_the_other),
        FRESH(only_what_went_well_counts_as_sent),
        FRESH(relabelling_moves_and_drops_targets),
        FRESH(alerts_are_relabelled_for_all_and_for_one),
        FRESH(a_group_s_http_config_and_timeout_go_with_its_requests),
        FRESH(a_target_that_leaves_gets_what_is_in_its_queue),
        FRESH(a_target_that_stays_keeps_its_queue_over_a_reload),
        FRESH(two_groups_to_one_place_are_one_line_of_metrics),
        FRESH(no_more_targets_than_the_limit),
        FRESH(a_password_in_an_address_is_not_shown),
        FRESH(rules_that_make_no_sense_change_nothing),
        FRESH(names_are_asked_for_again_and_targets_come_and_go),
        FRESH(an_answer_for_a_name_that_is_gone_is_forgotten),
        FRESH(paths_are_joined_as_go_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
