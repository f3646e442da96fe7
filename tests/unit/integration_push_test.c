#include "integration_sim.h"

#include <unistd.h>

/* ---- incident.io ---- */

#define INCIDENT_ALERTS                                                                              \
    "{\"receiver\":\"x\\\\.y\",\"status\":\"firing\",\"alerts\":[{\"status\":\"firing\",\"labels\":" \
    "{\"alertname\":\"A\"},\"annotations\":{},\"startsAt\":\"2026-11-22T06:00:00Z\",\"endsAt\":"     \
    "\"0001-01-01T00:00:00Z\",\"generatorURL\":\"http://p/g?a=1\\u0026b=2\",\"fingerprint\":"        \
    "\"d2c6efc389df0927\"}],\"notification_reason\":\"first notification\",\"groupLabels\":"         \
    "{\"alertname\":\"A\"},\"commonLabels\":{\"alertname\":\"A\"},\"commonAnnotations\":{},"         \
    "\"routeLabels\":{},\"externalURL\":\"http://am\",\"version\":\"1\",\"groupKey\":"               \
    "\"{}:{alertname=\\\"A\\\"}\",\"truncatedAlerts\":0}\n"

static void incidentio_gets_the_webhook_s_body_and_a_bearer(void **state)
{
    (void)state;
    open_with(
        "incidentio_configs",
        "{url: http://i/1, alert_source_token: tok, timeout: 3s, http_config: {basic_auth: {username: u}}}");
    sim_post_alert(&sim, (struct sim_alert){.labels = "alertname=A", .ends_ms = 100000000});
    sim_until(&sim, 1000);
    expect_sent(0, "POST", "http://i/1", JSON_HEADER "Authorization: Bearer tok\n", INCIDENT_ALERTS);
    assert_int_equal(sim.sent[0].timeout_ms, 3000);
    sim_close(&sim);
    open_with("incidentio_configs", "{url: http://i/2, http_config: {authorization: {credentials: c}}}");
    sim_post_alert(&sim, (struct sim_alert){.labels = "alertname=A", .ends_ms = 100000000});
    sim_until(&sim, 1000);
    expect_sent(0, "POST", "http://i/2", JSON_HEADER, INCIDENT_ALERTS);
    assert_string_equal(sim.sent[0].credentials, "c");
    sim_close(&sim);
}

static size_t occurrences(const char *text, const char *what)
{
    size_t count = 0;
    while ((text = strstr(text, what)) != NULL) {
        count++;
        text += strlen(what);
    }
    return count;
}

/* Two alerts with so much in their annotations that both do or do not fit. */
static void fire_large(size_t annotation_bytes)
{
    static char annotations[300001];
    memset(annotations, 'x', annotation_bytes);
    memcpy(annotations, "big=", 4);
    annotations[annotation_bytes] = '\0';
    for (int i = 1; i <= 2; i++) {
        char labels[64];
        snprintf(labels, sizeof labels, "alertname=A instance=i%d", i);
        sim_post_alert(
            &sim, (struct sim_alert){.labels = labels, .annotations = annotations, .ends_ms = 100000000});
    }
    sim_until(&sim, 1000);
}

static void incidentio_is_told_of_the_first_alert_alone_if_all_are_too_large(void **state)
{
    (void)state;
    static const struct {
        size_t bytes, alerts;
    } cases[] = {{100000, 2}, {300000, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        open_with("incidentio_configs", "{url: http://i, alert_source_token: t}");
        fire_large(cases[i].bytes);
        assert_int_equal(sim.sent_count, 1);
        assert_int_equal(occurrences(sim.sent[0].body, "\"fingerprint\""), cases[i].alerts);
        assert_non_null(strstr(sim.sent[0].body, "\"instance\":\"i1\""));
        assert_non_null(strstr(sim.sent[0].body, "\"truncatedAlerts\":0}\n"));
        sim_close(&sim);
    }
}

static void incidentio_can_be_spared_some_alerts(void **state)
{
    (void)state;
    open_with("incidentio_configs", "{url: http://i, alert_source_token: t, max_alerts: 1}");
    fire();
    assert_int_equal(occurrences(sim.sent[0].body, "\"fingerprint\""), 1);
    assert_non_null(strstr(sim.sent[0].body, "\"truncatedAlerts\":2}\n"));
    sim_close(&sim);
}

/* ---- VictorOps ---- */

static void victorops_gets_a_flat_object_with_sorted_keys(void **state)
{
    (void)state;
    open_with("victorops_configs",
              "{api_key: 'k/1 a?', api_url: http://v, routing_key: '{{ .GroupLabels.alertname }} x&y', "
              "state_message: 's {{ .Status }}', custom_fields: {zone: '<{{ len .Alerts }}>', entity: e}}");
    fire();
    end_all();
    expect_sent(0, "POST", "http://v/k/1%20a%3F/A%20x&y", JSON_HEADER,
                "{\"entity\":\"e\",\"entity_display_name\":\"[FIRING:2] A (critical)\",\"entity_id\":\"" HASH
                "\",\"message_type\":\"CRITICAL\",\"monitoring_tool\":\"Alertmanager\",\"state_message\":"
                "\"s firing\",\"zone\":\"\\u003c3\\u003e\"}\n");
    expect_sent(1, "POST", "http://v/k/1%20a%3F/A%20x&y", JSON_HEADER,
                "{\"entity\":\"e\",\"entity_display_name\":\"[RESOLVED] A (critical)\",\"entity_id\":\"" HASH
                "\",\"message_type\":\"RECOVERY\",\"monitoring_tool\":\"Alertmanager\",\"state_message\":"
                "\"s resolved\",\"zone\":\"\\u003c2\\u003e\"}\n");
    sim_close(&sim);
}

static void victorops_knows_three_types_of_messages(void **state)
{
    (void)state;
    static const char *const types[][2] = {{"INFO", "INFO"},
                                           {"WARNING", "WARNING"},
                                           {"{{ toUpper `info` }}", "INFO"},
                                           {"info", "CRITICAL"},
                                           {"''", "CRITICAL"}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char settings[256], expected[64];
        snprintf(settings, sizeof settings, "{api_key: k, routing_key: r, message_type: %s%s%s}",
                 types[i][0][0] == '{' ? "'" : "", types[i][0], types[i][0][0] == '{' ? "'" : "");
        snprintf(expected, sizeof expected, "\"message_type\":\"%s\"", types[i][1]);
        open_with("victorops_configs", settings);
        fire();
        if (strstr(sim.sent[0].body, expected) == NULL)
            fail_msg("%s: %s", types[i][0], sim.sent[0].body);
        assert_string_equal(sim.sent[0].url,
                            "https://alert.victorops.com/integrations/generic/20131114/alert/k/r");
        sim_close(&sim);
    }
}

/* ---- Pushover ---- */

#define PUSHOVER "https://api.pushover.net/1/messages.json?"

static void pushover_gets_all_in_the_url(void **state)
{
    (void)state;
    open_with("pushover_configs",
              "{user_key: u, token: 't {{ .Status }}', message: ' m&\n{{ len .Alerts }}', "
              "url: 'http://u/?a=b', sound: s}");
    fire();
    end_all();
    expect_sent(0, "POST",
                PUSHOVER "device=&expire=3600&message=m%26+3&priority=2&retry=60&sound=s&title="
                         "%5BFIRING%3A2%5D+A+%28critical%29&token=t+firing&url=http%3A%2F%2Fu%2F%3Fa%3Db&"
                         "url_title=&user=u",
                "Content-Type: text/plain\n", "");
    expect_sent(1, "POST",
                PUSHOVER "device=&expire=3600&message=m%26+2&priority=0&retry=60&sound=s&title="
                         "%5BRESOLVED%5D+A+%28critical%29&token=t+resolved&url=http%3A%2F%2Fu%2F%3Fa%3Db&"
                         "url_title=&user=u",
                "Content-Type: text/plain\n", "");
    sim_close(&sim);
}

static void pushover_takes_whole_seconds_and_what_is_set(void **state)
{
    (void)state;
    open_with("pushover_configs",
              "{user_key: u, token: t, title: ' x ', message: \"{{ `\\t \\n` }}\", url: '', "
              "url_title: a~b, device: d, priority: '1', retry: 1m30s500ms, expire: 90m, ttl: "
              "2s, monospace: true}");
    fire();
    expect_sent(0, "POST",
                PUSHOVER
                "device=d&expire=5400&message=%28no+details%29&monospace=1&priority=1&retry=90&sound=&"
                "title=+x+&token=t&ttl=2&url=&url_title=a~b&user=u",
                "Content-Type: text/plain\n", "");
    sim_close(&sim);
}

static void pushover_s_html_is_escaped(void **state)
{
    (void)state;
    open_with("pushover_configs",
              "{user_key: u, token: t, html: true, title: '{{ \"<\" }}', url: '', message: "
              "'<b>{{ \"<\" }}</b>'}");
    fire();
    expect_sent(0, "POST",
                PUSHOVER
                "device=&expire=3600&html=1&message=%3Cb%3E%26lt%3B%3C%2Fb%3E&priority=2&retry=60&sound="
                "&title=%3C&token=t&url=&url_title=&user=u",
                "Content-Type: text/plain\n", "");
    sim_close(&sim);
}

static void pushover_cuts_what_is_too_long(void **state)
{
    (void)state;
    open_with("pushover_configs",
              "{user_key: u, token: t, title: '{{ printf \"%0251d\" 1 }}', message: '{{ printf "
              "\"%01025d\" 1 }}', url: '{{ printf \"%0513d\" 1 }}'}");
    fire();
    const char *const names[] = {"message=", "title=", "url="};
    const size_t kept[] = {1023, 249, 511};
    for (size_t i = 0; i < 3; i++) {
        const char *value = strstr(sim.sent[0].url, names[i]);
        assert_non_null(value);
        value += strlen(names[i]);
        assert_int_equal(strspn(value, "0"), kept[i]);
        assert_memory_equal(value + kept[i], "%E2%80%A6&", 10);
    }
    sim_close(&sim);
}

static void pushover_s_keys_may_be_in_files(void **state)
{
    (void)state;
    char path[] = "/tmp/tocsin-pushover-XXXXXX", settings[256];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "key\n", 4), 4);
    close(fd);
    snprintf(settings, sizeof settings, "{user_key_file: %s, token_file: %s, message: m, title: t, url: ''}",
             path, path);
    open_with("pushover_configs", settings);
    fire();
    expect_sent(0, "POST",
                PUSHOVER "device=&expire=3600&message=m&priority=2&retry=60&sound=&title=t&token=key&url=&"
                         "url_title=&user=key",
                "Content-Type: text/plain\n", "");
    remove(path);
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(incidentio_gets_the_webhook_s_body_and_a_bearer),
        cmocka_unit_test(incidentio_is_told_of_the_first_alert_alone_if_all_are_too_large),
        cmocka_unit_test(incidentio_can_be_spared_some_alerts),
        cmocka_unit_test(victorops_gets_a_flat_object_with_sorted_keys),
        cmocka_unit_test(victorops_knows_three_types_of_messages),
        cmocka_unit_test(pushover_gets_all_in_the_url),
        cmocka_unit_test(pushover_takes_whole_seconds_and_what_is_set),
        cmocka_unit_test(pushover_s_html_is_escaped),
        cmocka_unit_test(pushover_cuts_what_is_too_long),
        cmocka_unit_test(pushover_s_keys_may_be_in_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
