#include "integration_sim.h"

#include "tocsin/limits.h"

#include <unistd.h>

/* ---- templates ---- */

/* What a template makes of the three alerts, through a payload: the sign in front keeps it a text. */
static void expect_text(const char *source, const char *firing, const char *ended)
{
    char settings[1024];
    snprintf(settings, sizeof settings, "{url: http://h, payload: ['@%s']}", source);
    open_with("webhook_configs", settings);
    fire();
    end_all();
    assert_int_equal(sim.sent_count, 2);
    const char *const expected[] = {firing, ended};
    for (size_t i = 0; i < 2; i++) {
        struct arena arena;
        struct tree *root = NULL;
        arena_init(&arena, 1 << 20);
        assert_int_equal(json_parse(&arena, str_of(sim.sent[i].body), &root, NULL), 0);
        assert_string_equal(arena_copy_text(&arena, root->first->text.p + 1, root->first->text.n - 1),
                            expected[i]);
        arena_release(&arena);
    }
    sim_close(&sim);
}

#define DEFAULT(name) "{{ template \"" name "\" . }}"

#define MARKDOWN(i)                                                                                  \
    "\nLabels:\n  - alertname = A\n  - instance = i" i "\n  - severity = critical\n\nAnnotations:\n" \
    "  - runbook = r\n  - summary = s" i "\n\nSource: http://p/g?a=1&b=2\n"
#define ENDED(i)                                                                                     \
    "\nLabels:\n  - alertname = A\n  - instance = i" i "\n  - severity = critical\n\nAnnotations:\n" \
    "\nSource: http://p/g?a=1&b=2\n"

static void default_templates_yield_alertmanagers_texts(void **state)
{
    (void)state;
    expect_text(DEFAULT("slack.default.fallback"),
                "[FIRING:2] A (critical) | http://am/#/alerts?receiver=x%5C.y",
                "[RESOLVED] A (critical) | http://am/#/alerts?receiver=x%5C.y");
    expect_text(DEFAULT("slack.default.color"), "danger", "good");
    expect_text(DEFAULT("mattermost.default.color"), "danger", "good");
    expect_text(DEFAULT("msteams.default.text"),
                "\n\n# Alerts Firing:\n" MARKDOWN("1")
                    MARKDOWN("2") "\n\n\n\n# Alerts Resolved:\n" MARKDOWN("3") "\n\n\n",
                "\n\n\n# Alerts Resolved:\n" ENDED("1") ENDED("2") "\n\n\n");
    expect_text(DEFAULT("jira.default.priority"), "High", "High");
    expect_text(DEFAULT("rocketchat.default.alias") DEFAULT("rocketchat.default.text"), "Alertmanager",
                "Alertmanager");
}

static void priorities_follow_the_worst_severity(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second, *priority;
    } cases[] = {{"info", "warning", "Medium"},
                 {"warning", "info", "Medium"},
                 {"info", "none", "Low"},
                 {"warning", "critical", "High"},
                 {"none", "", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char labels[128];
        open_with("webhook_configs", "{url: 'http://h/{{ template \"jira.default.priority\" . }}'}");
        snprintf(labels, sizeof labels, "alertname=A i=1 severity=%s", cases[i].first);
        sim_fire(&sim, labels);
        snprintf(labels, sizeof labels, "alertname=A i=2 severity=%s", cases[i].second);
        sim_fire(&sim, labels);
        sim_until(&sim, 1000);
        assert_string_equal(sim.sent[0].url + strlen("http://h/"), cases[i].priority);
        sim_close(&sim);
    }
}

static void templates_know_the_time(void **state)
{
    (void)state;
    expect_text("{{ now.Unix }} {{ (since (index .Alerts 0).StartsAt).Seconds }}", "1795327201 1",
                "1795327211 11");
    expect_text("{{ (tz \"Asia/Tokyo\" now).Format \"15:04 MST\" }}{{ routeLabels \"none\" }}", "15:00 JST",
                "15:00 JST");
}

static void a_user_s_definition_takes_the_place_of_the_default(void **state)
{
    (void)state;
    char path[] = "/tmp/tocsin-integration-XXXXXX", config[512];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    const char *text = "{{ define \"__subject\" }}mine{{ end }}";
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    snprintf(config, sizeof config,
             "templates: [%s]\n" ROUTES "  discord_configs: [{webhook_url: http://d, message: m}]\n", path);
    sim_open(&sim, config);
    fire();
    assert_non_null(strstr(sim.sent[0].body, "\"title\":\"mine\""));
    remove(path);
    sim_close(&sim);
}

/* ---- texts that are too long ---- */

static void long_texts_end_in_an_ellipsis(void **state)
{
    (void)state;
    open_with("discord_configs", "{webhook_url: http://d, content: '{{ .CommonLabels.long }}', title: '{{ "
                                 ".CommonLabels.fits }}', message: m}");
    char labels[4096];
    int n = snprintf(labels, sizeof labels, "alertname=A fits=");
    for (int i = 0; i < 256; i++)
        n += snprintf(labels + n, sizeof labels - (size_t)n, "\xc3\xa4");
    n += snprintf(labels + n, sizeof labels - (size_t)n, " long=");
    for (int i = 0; i < 2001; i++)
        n += snprintf(labels + n, sizeof labels - (size_t)n, "%c", i == 0 ? 'a' : 'b');
    sim_fire(&sim, labels);
    sim_until(&sim, 1000);
    const char *body = sim.sent[0].body, *content = strstr(body, "ab");
    assert_non_null(content);
    assert_int_equal(strspn(content + 1, "b"), 1998);
    assert_memory_equal(content + 1999, "\xe2\x80\xa6\"", 4);
    const char *title = strstr(body, "\"title\":\"");
    assert_int_equal(strcspn(title + strlen("\"title\":\""), "\""), 512);
    sim_close(&sim);
}

/* ---- webhook ---- */

static void a_payload_takes_the_place_of_the_body(void **state)
{
    (void)state;
    open_with(
        "webhook_configs",
        "{url: http://h, payload: {z: '{{ .Status }}', '{{ .GroupLabels.alertname }}': '{{ len .Alerts }}', "
        "num: 2, f: 1.5, t: yes, q: 'true', e: '', m: [~, 'null', '{{ `{\"b\": [\"2\", \"{{\"]}` }}'], 7: "
        "dropped, "
        "o: 010, i: '{{ .CommonLabels | toJson }}', c: 'a: b', s: 'a:b', v: '{unclosed'}}");
    fire();
    expect_sent(
        0, "POST", "http://h", JSON_HEADER,
        "{\"A\":3,\"c\":{\"a\":\"b\"},\"e\":null,\"f\":1.5,\"i\":{\"alertname\":\"A\",\"severity\":"
        "\"critical\"},"
        "\"m\":[null,null,{\"b\":[\"2\",\"{{\"]}],\"num\":2,\"o\":8,\"q\":true,\"s\":\"a:b\",\"t\":true,"
        "\"v\":\"{unclosed\",\"z\":\"firing\"}\n");
    sim_close(&sim);
}

static void a_payload_that_is_no_json_is_not_sent(void **state)
{
    (void)state;
    open_with("webhook_configs", "{url: http://h, payload: {a: .inf}}");
    fire();
    assert_int_equal(sim.sent_count, 0);
    expect_pages("1000 failed x.y 1 0 f2 r1 first notification: json: unsupported value: .inf\n");
    sim_close(&sim);
}

/* ---- Microsoft Teams, Discord ---- */

static void teams_gets_cards_of_both_kinds(void **state)
{
    (void)state;
    open_with("msteams_configs", "{webhook_url: http://t/1, text: '*{{ .Status }}*'}");
    fire();
    end_all();
    expect_sent(
        0, "POST", "http://t/1", JSON_HEADER,
        "{\"@context\":\"http://schema.org/extensions\",\"type\":\"MessageCard\",\"title\":\"[FIRING:2] A "
        "(critical)\",\"summary\":\"[FIRING:2] A "
        "(critical)\",\"text\":\"*firing*\",\"themeColor\":\"8C1A1A\"}\n");
    expect_sent(
        1, "POST", "http://t/1", JSON_HEADER,
        "{\"@context\":\"http://schema.org/extensions\",\"type\":\"MessageCard\",\"title\":\"[RESOLVED] A "
        "(critical)\",\"summary\":\"[RESOLVED] A "
        "(critical)\",\"text\":\"*resolved*\",\"themeColor\":\"2DC72D\"}\n");
    sim_close(&sim);
    open_with("msteamsv2_configs", "{webhook_url: http://t/2, text: '*{{ .Status }}*'}");
    fire();
    expect_sent(
        0, "POST", "http://t/2", JSON_HEADER,
        "{\"type\":\"message\",\"attachments\":[{\"contentType\":\"application/vnd.microsoft.card.adaptive\","
        "\"contentUrl\":null,\"content\":{\"$schema\":\"http://adaptivecards.io/schemas/adaptive-card.json\","
        "\"type\":\"AdaptiveCard\",\"version\":\"1.2\",\"body\":[{\"type\":\"TextBlock\",\"text\":\"[FIRING:"
        "2] A "
        "(critical)\",\"weight\":\"Bolder\",\"size\":\"Medium\",\"wrap\":true,\"style\":\"heading\","
        "\"color\":"
        "\"Attention\"},{\"type\":\"TextBlock\",\"text\":\"*firing*\",\"wrap\":true}],\"msteams\":{\"width\":"
        "\"full\"}}}]}\n");
    sim_close(&sim);
}

static void discord_shows_a_name_and_a_face(void **state)
{
    (void)state;
    open_with("discord_configs",
              "{webhook_url: http://d, title: t, message: m, username: '{{ n }}', avatar_url: http://a}");
    fire();
    expect_sent(0, "POST", "http://d", JSON_HEADER,
                "{\"content\":\"\",\"embeds\":[{\"title\":\"t\",\"description\":\"m\",\"color\":10038562}],"
                "\"username\":\"{{ n }}\",\"avatar_url\":\"http://a\"}\n");
    sim_close(&sim);
}

/* ---- PagerDuty ---- */

#define V1_URL "https://events.pagerduty.com/generic/2010-04-15/create_event.json"
#define NO_DETAILS "details: {firing: '', resolved: '', num_firing: '', num_resolved: ''}"

static void a_service_key_means_the_first_events_api(void **state)
{
    (void)state;
    open_with("pagerduty_configs", "{service_key: '{{ .Status }}', " NO_DETAILS ", images: [{src: s}]}");
    fire();
    end_all();
    expect_sent(
        0, "POST", V1_URL, JSON_HEADER,
        "{\"service_key\":\"firing\",\"incident_key\":\"" HASH
        "\",\"event_type\":\"trigger\",\"description\":"
        "\"[FIRING:2] A (critical)\",\"event_action\":\"\",\"payload\":null,\"client\":\"Alertmanager\","
        "\"client_url\":\"http://am/#/"
        "alerts?receiver=x%5C.y\",\"details\":{\"firing\":null,\"num_firing\":null,"
        "\"num_resolved\":null,\"resolved\":null}}\n");
    expect_sent(
        1, "POST", V1_URL, JSON_HEADER,
        "{\"service_key\":\"resolved\",\"incident_key\":\"" HASH
        "\",\"event_type\":\"resolve\",\"description\":"
        "\"[RESOLVED] A (critical)\",\"event_action\":\"\",\"payload\":null,\"details\":{\"firing\":null,"
        "\"num_firing\":null,\"num_resolved\":null,\"resolved\":null}}\n");
    sim_close(&sim);
}

static void details_hold_the_alerts_as_json(void **state)
{
    (void)state;
    open_with("pagerduty_configs", "{routing_key: k, url: http://pd, details: {mine: [1, '{{ .Status }}']}}");
    sim_post_alert(&sim, (struct sim_alert){.labels = "alertname=A", .ends_ms = 100000000});
    sim_until(&sim, 1000);
    expect_sent(
        0, "POST", "http://pd", JSON_HEADER,
        "{\"routing_key\":\"k\",\"dedup_key\":\"" HASH
        "\",\"event_action\":\"trigger\",\"payload\":{\"summary\":"
        "\"[FIRING:1] A \",\"source\":\"Alertmanager\",\"severity\":\"error\",\"custom_details\":{\"firing\":"
        "[{\"annotations\":{},\"endsAt\":\"0001-01-01T00:00:00Z\",\"fingerprint\":\"d2c6efc389df0927\","
        "\"generatorURL\":\"http://p/g?a=1\\u0026b=2\",\"labels\":{\"alertname\":\"A\"},\"startsAt\":"
        "\"2026-11-22T06:00:00Z\",\"status\":\"firing\"}],\"mine\":[1,\"firing\"],\"num_firing\":1,"
        "\"num_resolved\":0,\"resolved\":[]}},\"client\":\"Alertmanager\",\"client_url\":"
        "\"http://am/#/alerts?receiver=x%5C.y\"}\n");
    sim_close(&sim);
}

static void an_event_that_is_too_large_goes_without_details(void **state)
{
    (void)state;
    open_with("pagerduty_configs", "{routing_key: k, url: http://pd, details: {big: '{{ range .Alerts }}{{ "
                                   "printf \"%0600000d\" 7 }}{{ end }}x'}}");
    sim_post_alert(&sim, (struct sim_alert){.labels = "alertname=A", .ends_ms = 100000000});
    sim_until(&sim, 1000);
    assert_int_equal(sim.sent_count, 1);
    assert_non_null(strstr(sim.sent[0].body,
                           "\"custom_details\":{\"error\":\"Custom details have been removed because "
                           "the original event exceeds the maximum size of 512KB\"}}"));
    assert_true(strlen(sim.sent[0].body) < 1000);
    sim_close(&sim);
}

static void pagerduty_says_what_was_wrong_with_a_request(void **state)
{
    (void)state;
    open_with("pagerduty_configs", "{routing_key: k, url: http://pd}");
    sim.status = 400;
    sim.answer =
        "{\"status\":\"invalid event\",\"message\":\"Event object is invalid\",\"errors\":[\"a\",\"b\"]}";
    fire();
    expect_pages("1000 failed x.y 1 400 f2 r1 first notification: unexpected status code 400: "
                 "Event object is invalid: a,b\n");
    sim_close(&sim);
    open_with("pagerduty_configs", "{routing_key: '{{ .CommonLabels.none }}', url: http://pd}");
    fire();
    expect_pages("1000 failed x.y 1 0 f2 r1 first notification: routing key cannot be empty\n");
    sim_close(&sim);
}

/* It is told late, and not by a close of what was never opened. */
static void what_fired_and_ended_in_an_outage_is_opened_and_closed(void **state)
{
    (void)state;
    static const struct {
        const char *key, *settings, *opens, *closes;
    } cases[] = {
        {"pagerduty_configs", "{routing_key: k, url: http://h/e}",
         "http://h/e {\"routing_key\":\"k\",\"dedup_key\":\"" HASH "\",\"event_action\":\"trigger\"",
         "http://h/e {\"routing_key\":\"k\",\"dedup_key\":\"" HASH "\",\"event_action\":\"resolve\""},
        {"opsgenie_configs", "{api_key: k, api_url: http://h, update_alerts: true}",
         "http://h/v2/alerts {\"alias\":\"" HASH "\"",
         "http://h/v2/alerts/" HASH "/close?identifierType=alias {"},
        {"victorops_configs", "{api_key: k, api_url: http://h, routing_key: r, entity_display_name: e}",
         "http://h/k/r {\"entity_display_name\":\"e\",\"entity_id\":\"" HASH
         "\",\"message_type\":\"CRITICAL\"",
         "http://h/k/r {\"entity_display_name\":\"e\",\"entity_id\":\"" HASH
         "\",\"message_type\":\"RECOVERY\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        open_with(cases[i].key, cases[i].settings);
        sim.status = 400;
        sim_fire(&sim, "alertname=A");
        sim_until(&sim, 5000);
        sim_resolve(&sim, "alertname=A", 0);
        sim_forget(&sim);
        sim.status = 202;
        sim_until(&sim, 1000000);
        assert_int_equal(sim.sent_count, 2);
        for (size_t k = 0; k < 2; k++) {
            char line[4096];
            snprintf(line, sizeof line, "%s %s", sim.sent[k].url, sim.sent[k].body);
            const char *wanted = k == 0 ? cases[i].opens : cases[i].closes;
            if (strncmp(line, wanted, strlen(wanted)) != 0)
                fail_msg("%s", line);
        }
        assert_non_null(
            strstr(buf_text(&sim.pages), " delivered x.y 1 202 f0 r1 fired and resolved during an outage\n"));
        sim_close(&sim);
    }
}

/* ---- which answers are tried again ---- */

#define WEBEX "{room_id: r, http_config: {authorization: {credentials: c}}}"

static void answers_are_tried_again_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *key, *settings;
        int status;
        const char *answer, *outcome;
    } cases[] = {
        {"webhook_configs", "{url: http://h}", 404, "no", "failed"},
        {"webhook_configs", "{url: http://h}", 503, "no", "retrying"},
        {"webhook_configs", "{url: http://h}", 429, "no", "retrying"},
        {"webhook_configs", "{url: http://h}", 0, "", "retrying"},
        {"webhook_configs", "{url: http://h}", 302, "", "failed"},
        {"discord_configs", "{webhook_url: http://h}", 400, "", "failed"},
        {"discord_configs", "{webhook_url: http://h}", 500, "", "retrying"},
        {"discord_configs", "{webhook_url: http://h}", 204, "", "delivered"},
        {"msteams_configs", "{webhook_url: http://h}", 429, "", "retrying"},
        {"msteamsv2_configs", "{webhook_url: http://h}", 413, "", "failed"},
        {"pagerduty_configs", "{routing_key: k}", 403, "", "failed"},
        {"pagerduty_configs", "{routing_key: k}", 429, "", "retrying"},
        {"pagerduty_configs", "{routing_key: k}", 202, "", "delivered"},
        {"pagerduty_configs", "{service_key: k}", 403, "", "retrying"},
        {"opsgenie_configs", "{api_key: k}", 429, "", "retrying"},
        {"opsgenie_configs", "{api_key: k}", 422, "", "failed"},
        {"opsgenie_configs", "{api_key: k}", 202, "", "delivered"},
        {"slack_configs", "{api_url: http://s}", 200, "ok", "delivered"},
        {"slack_configs", "{api_url: http://s}", 200, "no_service", "failed"},
        {"slack_configs", "{api_url: http://s}", 200, "{\"ok\":true}", "delivered"},
        {"slack_configs", "{api_url: http://s}", 200, "{\"ok\":false,\"error\":\"channel_not_found\"}",
         "failed"},
        {"slack_configs", "{api_url: http://s}", 200, "{\"ok\":", "retrying"},
        {"slack_configs", "{api_url: http://s}", 404, "no_team", "failed"},
        {"slack_configs", "{api_url: http://s}", 500, "", "retrying"},
        {"incidentio_configs", "{url: http://i}", 202, "", "delivered"},
        {"incidentio_configs", "{url: http://i}", 401, "", "failed"},
        {"incidentio_configs", "{url: http://i}", 429, "", "retrying"},
        {"mattermost_configs", "{webhook_url: http://m}", 200, "ok", "delivered"},
        {"mattermost_configs", "{webhook_url: http://m}", 400, "", "failed"},
        {"pushover_configs", "{user_key: u, token: t}", 200, "", "delivered"},
        {"pushover_configs", "{user_key: u, token: t}", 400, "", "failed"},
        {"pushover_configs", "{user_key: u, token: t}", 0, "", "retrying"},
        {"rocketchat_configs", "{token: t, token_id: i}", 200, "{\"success\":true}", "delivered"},
        {"rocketchat_configs", "{token: t, token_id: i}", 200, "{\"success\":false,\"error\":\"e\"}",
         "failed"},
        {"rocketchat_configs", "{token: t, token_id: i}", 200, "", "retrying"},
        {"rocketchat_configs", "{token: t, token_id: i}", 401, "", "failed"},
        {"victorops_configs", "{api_key: k, routing_key: r}", 200, "", "delivered"},
        {"victorops_configs", "{api_key: k, routing_key: r}", 404, "", "failed"},
        {"victorops_configs", "{api_key: k, routing_key: r}", 503, "", "retrying"},
        {"webex_configs", WEBEX, 200, "", "delivered"},
        {"webex_configs", WEBEX, 400, "", "failed"},
        {"wechat_configs", "{api_secret: s, corp_id: c}", 403, "", "retrying"},
        {"wechat_configs", "{api_secret: s, corp_id: c}", 200, "<html>", "failed"},
        {"wechat_configs", "{api_secret: s, corp_id: c}", 200, "{}", "failed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[64];
        open_with(cases[i].key, cases[i].settings);
        sim.status = cases[i].status;
        sim.answer = cases[i].answer;
        fire();
        snprintf(expected, sizeof expected, "1000 %s x.y 1 %d ", cases[i].outcome, cases[i].status);
        if (strncmp(buf_text(&sim.pages), expected, strlen(expected)) != 0)
            fail_msg("%s %d: %s", cases[i].key, cases[i].status, buf_text(&sim.pages));
        sim_close(&sim);
    }
}

static void failures_are_counted_by_integration_and_reason(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1 << 20);
    open_with("slack_configs", "{api_url: http://s}");
    sim.answer = "{\"ok\":false,\"error\":\"x\"}";
    fire();
    router_write_metrics(sim.router, &out);
    static const char *const lines[] = {
        "alertmanager_notifications_total{integration=\"slack\"} 1\n",
        "alertmanager_notifications_total{integration=\"webhook\"} 0\n",
        "alertmanager_notifications_failed_total{integration=\"slack\",reason=\"clientError\"} 1\n",
        "alertmanager_notifications_failed_total{integration=\"opsgenie\",reason=\"clientError\"} 0\n",
        "alertmanager_notification_requests_failed_total{integration=\"slack\"} 1\n",
        "alertmanager_notification_latency_seconds_bucket{integration=\"slack\",le=\"1\"} 1\n",
        "alertmanager_integrations 1\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (strstr(buf_text(&out), lines[i]) == NULL)
            fail_msg("%s is not in\n%s", lines[i], buf_text(&out));
    }
    buf_release(&out);
    sim_close(&sim);
}

/* ---- several requests to one answer ---- */

static void the_first_request_that_fails_ends_the_attempt(void **state)
{
    (void)state;
    open_with("opsgenie_configs", "{api_key: k, api_url: http://o, update_alerts: true, message: m}");
    sim.hold = true;
    sim.status = 202;
    fire();
    assert_int_equal(sim.sent_count, 1);
    sim_release(&sim);
    sim_until(&sim, 1000);
    expect_sent(1, "PUT", "http://o/v2/alerts/" HASH "/message?identifierType=alias",
                JSON_HEADER "Authorization: GenieKey k\n", "{\"message\":\"m\"}\n");
    assert_int_equal(sim.pages.used, 0);
    sim.status = 503;
    sim_release(&sim);
    sim_until(&sim, 1000);
    assert_int_equal(sim.sent_count, 2);
    sim.status = 200;
    sim_until(&sim, 3000);
    assert_string_equal(sim.sent[2].url, "http://o/v2/alerts");
    sim.hold = false;
    sim_release(&sim);
    sim_until(&sim, 3000);
    assert_int_equal(sim.sent_count, 5);
    assert_non_null(strstr(buf_text(&sim.pages), "delivered x.y 2 200"));
    sim_close(&sim);
}

static void a_key_of_its_own_takes_the_place_of_other_credentials(void **state)
{
    (void)state;
    open_with("opsgenie_configs", "{api_key: k, http_config: {authorization: {credentials: c}}}");
    fire();
    assert_string_equal(sim.sent[0].headers, JSON_HEADER "Authorization: GenieKey k\n");
    assert_string_equal(sim.sent[0].credentials, "");
    sim_close(&sim);
}

static void a_starved_arena_is_a_limit_not_a_crash(void **state)
{
    (void)state;
    static const char *const kinds[][2] = {
        {"webhook_configs",
         "{url: 'http://h/{{ .Status }}', payload: {a: ['{{ .Status }}', {b: '{{ 1 }}'}]}}"},
        {"slack_configs", "{app_token: t, fields: [{title: t, value: '{{ .Status }}'}]}"},
        {"pagerduty_configs", "{routing_key: k, links: [{href: '{{ .Status }}'}]}"},
        {"opsgenie_configs",
         "{api_key: k, details: {a: b}, responders: [{name: '{{ .Status }}', type: teams}]}"},
        {"discord_configs", "{webhook_url: http://d}"},
        {"msteams_configs", "{webhook_url: http://d}"},
        {"msteamsv2_configs", "{webhook_url: http://d}"},
        {"incidentio_configs", "{url: http://i, alert_source_token: t}"},
        {"rocketchat_configs",
         "{token: t, token_id: i, fields: [{value: '{{ .Status }}'}], actions: [{text: t}]}"},
        {"mattermost_configs", "{webhook_url: http://m, attachments: [{text: '{{ .Status }}'}]}"},
        {"victorops_configs", "{api_key: k, routing_key: '{{ .Status }}', custom_fields: {a: b}}"},
        {"webex_configs", WEBEX},
        {"telegram_configs", "{bot_token: t, chat_id: 1}"},
        {"pushover_configs", "{user_key: u, token: '{{ .Status }}'}"},
        {"wechat_configs", "{api_secret: '{{ .Status }}', corp_id: c}"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t sent = 0, starved = 0;
        for (int64_t cap = 256; cap < 60000; cap += cap / 8) {
            open_with(kinds[i][0], kinds[i][1]);
            limits.flush_arena_bytes = cap;
            fire();
            limits.flush_arena_bytes = limits_default.flush_arena_bytes;
            sent += sim.sent_count;
            starved += sim.sent_count == 0;
            sim_close(&sim);
        }
        assert_true(sent > 0 && starved > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_templates_yield_alertmanagers_texts),
        cmocka_unit_test(priorities_follow_the_worst_severity),
        cmocka_unit_test(templates_know_the_time),
        cmocka_unit_test(a_user_s_definition_takes_the_place_of_the_default),
        cmocka_unit_test(long_texts_end_in_an_ellipsis),
        cmocka_unit_test(a_payload_takes_the_place_of_the_body),
        cmocka_unit_test(a_payload_that_is_no_json_is_not_sent),
        cmocka_unit_test(teams_gets_cards_of_both_kinds),
        cmocka_unit_test(discord_shows_a_name_and_a_face),
        cmocka_unit_test(a_service_key_means_the_first_events_api),
        cmocka_unit_test(details_hold_the_alerts_as_json),
        cmocka_unit_test(an_event_that_is_too_large_goes_without_details),
        cmocka_unit_test(pagerduty_says_what_was_wrong_with_a_request),
        cmocka_unit_test(what_fired_and_ended_in_an_outage_is_opened_and_closed),
        cmocka_unit_test(answers_are_tried_again_or_not),
        cmocka_unit_test(failures_are_counted_by_integration_and_reason),
        cmocka_unit_test(the_first_request_that_fails_ends_the_attempt),
        cmocka_unit_test(a_key_of_its_own_takes_the_place_of_other_credentials),
        cmocka_unit_test(a_starved_arena_is_a_limit_not_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
