#include "router_sim.h"

static struct sim sim;

#define ROUTE(hook)             \
    "route:\n"                  \
    "  receiver: x.y\n"         \
    "  group_by: [alertname]\n" \
    "  group_wait: 1s\n"        \
    "  group_interval: 10s\n"   \
    "  labels: {team: core}\n"  \
    "receivers:\n"              \
    "- name: x.y\n"             \
    "  webhook_configs:\n"      \
    "  - " hook "\n"

static void the_payload_is_alertmanagers_to_the_byte(void **state)
{
    (void)state;
    sim_open(&sim, ROUTE("url: http://hook/"));
    sim_post_alert(&sim, (struct sim_alert){.labels = "alertname=A instance=i2 severity=critical",
                                            .annotations = "runbook=r summary=<s2>",
                                            .starts_ms = 500,
                                            .ends_ms = 100000000,
                                            .zone_s = 7200});
    sim_post_alert(&sim, (struct sim_alert){.labels = "alertname=A instance=i1 severity=critical",
                                            .annotations = "runbook=r summary=s1",
                                            .starts_ms = 100,
                                            .ends_ms = 1000});
    sim_until(&sim, 1000);
    assert_int_equal(sim.sent_count, 1);
    assert_string_equal(
        sim.sent[0].body,
        "{\"receiver\":\"x\\\\.y\",\"status\":\"firing\",\"alerts\":["
        "{\"status\":\"resolved\",\"labels\":{\"alertname\":\"A\",\"instance\":\"i1\",\"severity\":"
        "\"critical\"},"
        "\"annotations\":{\"runbook\":\"r\",\"summary\":\"s1\"},\"startsAt\":\"2026-11-22T06:00:00.1Z\","
        "\"endsAt\":\"2026-11-22T06:00:01Z\",\"generatorURL\":\"http://p/g?a=1\\u0026b=2\","
        "\"fingerprint\":\"498074676852febe\"},"
        "{\"status\":\"firing\",\"labels\":{\"alertname\":\"A\",\"instance\":\"i2\",\"severity\":"
        "\"critical\"},"
        "\"annotations\":{\"runbook\":\"r\",\"summary\":\"\\u003cs2\\u003e\"},"
        "\"startsAt\":\"2026-11-22T08:00:00.5+02:00\",\"endsAt\":\"0001-01-01T00:00:00Z\","
        "\"generatorURL\":\"http://p/g?a=1\\u0026b=2\",\"fingerprint\":\"f0a2c4e9f6752c21\"}],"
        "\"notification_reason\":\"first notification\",\"groupLabels\":{\"alertname\":\"A\"},"
        "\"commonLabels\":{\"alertname\":\"A\",\"severity\":\"critical\"},"
        "\"commonAnnotations\":{\"runbook\":\"r\"},\"routeLabels\":{\"team\":\"core\"},"
        "\"externalURL\":\"http://am\",\"version\":\"4\",\"groupKey\":\"{}:{alertname=\\\"A\\\"}\","
        "\"truncatedAlerts\":0}\n");
    assert_string_equal(sim.sent[0].headers, "Content-Type: application/json\n");
    sim_close(&sim);
}

static void nothing_is_left_out_when_it_is_empty(void **state)
{
    (void)state;
    sim_open(
        &sim,
        "route: {receiver: a, group_wait: 0s}\nreceivers: [{name: a, webhook_configs: [{url: http://h}]}]");
    sim_fire(&sim, "a=1");
    sim_until(&sim, 0);
    assert_int_equal(sim.sent_count, 1);
    assert_non_null(strstr(sim.sent[0].body, "\"annotations\":{}"));
    assert_non_null(strstr(sim.sent[0].body, "\"groupLabels\":{},\"commonLabels\":{\"a\":\"1\"},"
                                             "\"commonAnnotations\":{},\"routeLabels\":{},"));
    assert_non_null(strstr(sim.sent[0].body, "\"groupKey\":\"{}:{}\""));
    sim_close(&sim);
}

static void max_alerts_keeps_those_that_fire(void **state)
{
    (void)state;
    sim_open(&sim, ROUTE("{url: http://hook/, max_alerts: 1}"));
    sim_post_alert(&sim,
                   (struct sim_alert){.labels = "alertname=A instance=a", .starts_ms = 1, .ends_ms = 900});
    sim_fire(&sim, "alertname=A instance=b");
    sim_until(&sim, 1000);
    sim_expect(&sim, "1000 hook/ first notification: +A,b\n");
    assert_non_null(strstr(sim.sent[0].body, "\"status\":\"firing\",\"alerts\""));
    assert_non_null(strstr(sim.sent[0].body, "\"truncatedAlerts\":1"));
    sim_close(&sim);
}

static void the_url_may_be_a_template_over_the_notification(void **state)
{
    (void)state;
    sim_open(&sim, ROUTE("url: 'http://hook/{{ .GroupLabels.alertname | urlquery }}/{{ len .Alerts.Firing }}/"
                         "{{ .CommonLabels.SortedPairs }}/{{ .Status }}'"));
    sim_fire(&sim, "alertname=A@b zone=1");
    sim_until(&sim, 1000);
    assert_int_equal(sim.sent_count, 1);
    assert_string_equal(sim.sent[0].url, "http://hook/A%40b/1/alertname=A@b, zone=1/firing");
    sim_close(&sim);
}

static void a_template_that_fails_is_not_tried_again(void **state)
{
    (void)state;
    sim_open(&sim, ROUTE("url: 'http://hook/{{ .Nope }}'"));
    sim_fire(&sim, "alertname=A");
    sim_until(&sim, 9000);
    assert_int_equal(sim.sent_count, 0);
    assert_non_null(strstr(buf_text(&sim.pages), "1000 failed x.y 1 0 f1 r0 first notification: template: "));
    assert_null(strstr(buf_text(&sim.pages), "retrying"));
    sim_close(&sim);
}

static void a_line_break_from_a_label_cannot_reach_the_request(void **state)
{
    (void)state;
    sim_open(&sim, ROUTE("url: 'http://hook/{{ .CommonLabels.x }}'"));
    sim_fire(&sim, "alertname=A x=1\r\nHost:evil");
    sim_until(&sim, 2000);
    assert_int_equal(sim.sent_count, 0);
    assert_non_null(strstr(buf_text(&sim.pages),
                           "failed x.y 1 0 f1 r0 first notification: webhook URL holds a control "
                           "character"));
    sim_close(&sim);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void urls_are_read_from_files_at_each_send(void **state)
{
    (void)state;
    char folder[] = "/tmp/tocsin-webhook-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char url[64], config[512];
    snprintf(url, sizeof url, "%s/url", folder);
    snprintf(
        config, sizeof config,
        "route: {receiver: a, group_wait: 0s, group_interval: 10s}\nreceivers: [{name: a, webhook_configs: "
        "[{url_file: %s}]}]",
        url);
    sim_open(&sim, config);
    sim_fire(&sim, "a=1");
    sim_until(&sim, 0);
    assert_int_equal(sim.sent_count, 0);
    write_file(url, " http://one/ \n");
    sim_until(&sim, 10000);
    assert_int_equal(sim.sent_count, 1);
    assert_string_equal(sim.sent[0].url, "http://one/");
    remove(url);
    remove(folder);
    sim_close(&sim);
}

static void the_receiver_s_http_config_goes_with_the_request(void **state)
{
    (void)state;
    sim_open(&sim, ROUTE("{url: http://hook/, http_config: {authorization: {credentials: tok}}}"));
    sim_fire(&sim, "alertname=A");
    sim_until(&sim, 1000);
    assert_string_equal(sim.sent[0].headers, "Content-Type: application/json\n");
    assert_string_equal(sim.sent[0].credentials, "tok");
    sim_close(&sim);
}

static void an_attempt_lasts_no_longer_than_its_timeout_and_its_flush(void **state)
{
    (void)state;
    sim_open(&sim, ROUTE("{url: http://hook/, timeout: 500ms}"));
    sim_fire(&sim, "alertname=A");
    sim_until(&sim, 1000);
    assert_int_equal(sim.sent[0].timeout_ms, 500);
    sim_close(&sim);
    sim_open(&sim, ROUTE("url: http://hook/"));
    sim_fire(&sim, "alertname=A");
    sim.hold = true;
    sim.status = 0;
    sim_until(&sim, 1000);
    assert_int_equal(sim.sent[0].timeout_ms, 10000);
    sim_until(&sim, 9000);
    sim_release(&sim);
    sim_until(&sim, 10500);
    assert_int_equal(sim.sent_count, 2);
    assert_true(sim.sent[1].timeout_ms <= 2000);
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_payload_is_alertmanagers_to_the_byte),
        cmocka_unit_test(nothing_is_left_out_when_it_is_empty),
        cmocka_unit_test(max_alerts_keeps_those_that_fire),
        cmocka_unit_test(the_url_may_be_a_template_over_the_notification),
        cmocka_unit_test(a_template_that_fails_is_not_tried_again),
        cmocka_unit_test(a_line_break_from_a_label_cannot_reach_the_request),
        cmocka_unit_test(urls_are_read_from_files_at_each_send),
        cmocka_unit_test(the_receiver_s_http_config_goes_with_the_request),
        cmocka_unit_test(an_attempt_lasts_no_longer_than_its_timeout_and_its_flush),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
