#include "tocsin/amconfig.h"
#include "tocsin/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct world_sim sim;

static int set_up(void **state)
{
    (void)state;
    world_sim_init(&sim, 1000 * NS_PER_S, 1);
    return 0;
}

static void compose(char *text, size_t n, const char *globals, const char *receiver)
{
    snprintf(text, n, "global: {%s}\nroute: {receiver: a}\nreceivers:\n- name: a\n  %s\n", globals, receiver);
}

struct refused {
    const char *globals, *receiver, *message;
};

static void expect_refused(const struct refused *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[2048];
        struct amconfig *config;
        struct err err = {0};
        compose(text, sizeof text, cases[i].globals, cases[i].receiver);
        if (amconfig_parse(&sim.world, str_of(text), STR(""), &config, &err) == 0)
            fail_msg("%s\nis taken", text);
        assert_string_equal(err.text, cases[i].message);
        assert_int_equal(err.code, ERR_PARSE);
    }
}

static void what_is_missing_is_told_in_alertmanagers_words(void **state)
{
    (void)state;
    static const struct refused cases[] = {
        {"", "slack_configs: [{channel: x}]",
         "no Slack API URL nor App token set either inline or in a file"},
        {"", "slack_configs: [null]", "missing slack config"},
        {"slack_api_url: http://s", "slack_configs: [{fields: [{value: v}]}]",
         "missing title in Slack field configuration"},
        {"slack_api_url: http://s", "slack_configs: [{fields: [{title: v}]}]",
         "missing value in Slack field configuration"},
        {"slack_api_url: http://s", "slack_configs: [{actions: [{text: v}]}]",
         "missing type in Slack action configuration"},
        {"slack_api_url: http://s", "slack_configs: [{actions: [{type: button}]}]",
         "missing text in Slack action configuration"},
        {"slack_api_url: http://s", "slack_configs: [{actions: [{type: button, text: t}]}]",
         "missing name or url in Slack action configuration"},
        {"slack_api_url: http://s", "slack_configs: [{actions: [{type: b, text: t, name: n, confirm: {}}]}]",
         "missing text in Slack confirmation configuration"},
        {"", "pagerduty_configs: [{url: http://p}]", "missing service or routing key in PagerDuty config"},
        {"", "pagerduty_configs: [~]", "missing pagerduty config"},
        {"", "opsgenie_configs: [{}]", "no global OpsGenie API Key set either inline or in a file"},
        {"", "opsgenie_configs: [{api_key: k, responders: [{type: team}]}]",
         "opsGenieConfig responder {   team} has to have at least one of id, username or name specified"},
        {"", "email_configs: [null]", "missing email config"},
        {"", "email_configs: [{}]", "missing to address in email config"},
        {"", "email_configs: [{to: a@b}]", "no global SMTP smarthost set"},
        {"smtp_smarthost: 'h:25'", "email_configs: [{to: a@b}]", "no global SMTP from set"},
        {"", "email_configs: [{to: a@b, threading: {enabled: true}}]",
         "threading.thread_by_date must be either 'none' or 'daily'"},
        {"", "discord_configs: [{}]", "one of webhook_url or webhook_url_file must be configured"},
        {"", "discord_configs: [null]", "missing discord config"},
        {"", "msteams_configs: [{}]", "one of webhook_url or webhook_url_file must be configured"},
        {"", "msteams_configs: [null]", "missing msteams config"},
        {"", "msteamsv2_configs: [{}]", "one of webhook_url or webhook_url_file must be configured"},
        {"", "msteamsv2_configs: [null]", "missing msteamsv2 config"},
        {"", "incidentio_configs: [{alert_source_token: t}]", "one of url or url_file must be configured"},
        {"", "incidentio_configs: [{url: http://i, http_config: {}}]",
         "at least one of alert_source_token, alert_source_token_file or http_config.authorization must be "
         "configured"},
        {"", "incidentio_configs: [~]", "missing incidentio config"},
        {"", "rocketchat_configs: [{token: t}]",
         "no global Rocketchat TokenID set either inline or in a file"},
        {"rocketchat_token_id: i", "rocketchat_configs: [{}]",
         "no global Rocketchat Token set either inline or in a file"},
        {"rocketchat_token_id: i, rocketchat_token: t, rocketchat_api_url: ", "rocketchat_configs: [{}]",
         "no global Rocketchat API URL set"},
        {"", "rocketchat_configs: [~]", "missing rocketchat config"},
        {"", "mattermost_configs: [{}]", "missing webhook_url or webhook_url_file on mattermost_config"},
        {"mattermost_webhook_url: http://m", "mattermost_configs: [{fields: [{value: v}]}]",
         "missing title in Mattermost field configuration"},
        {"mattermost_webhook_url: http://m", "mattermost_configs: [{attachments: [{fields: [{title: t}]}]}]",
         "missing value in Mattermost field configuration"},
        {"", "mattermost_configs: [~]", "missing mattermost config"},
        {"", "victorops_configs: [{api_key: k}]", "missing Routing key in VictorOps config"},
        {"", "victorops_configs: [{routing_key: k}]", "no global VictorOps API Key set"},
        {"victorops_api_key: k, victorops_api_url: ", "victorops_configs: [{routing_key: k}]",
         "no global VictorOps URL set"},
        {"", "victorops_configs: [~]", "missing victorops config"},
        {"", "webex_configs: [{http_config: {authorization: {credentials: c}}}]",
         "missing room_id on webex_config"},
        {"http_config: {authorization: {credentials: c}}", "webex_configs: [{room_id: r}]",
         "missing webex_configs.http_config.authorization"},
        {"", "webex_configs: [{room_id: r, http_config: {}}]",
         "missing webex_configs.http_config.authorization"},
        {"", "webex_configs: [~]", "missing webex config"},
        {"", "pushover_configs: [{token: t}]", "one of user_key or user_key_file must be configured"},
        {"", "pushover_configs: [{user_key: t}]", "one of token or token_file must be configured"},
        {"", "pushover_configs: [~]", "missing pushover config"},
        {"", "wechat_configs: [{corp_id: c}]", "no global Wechat Api Secret set either inline or in a file"},
        {"wechat_api_secret: s", "wechat_configs: [{}]", "no global Wechat CorpID set"},
        {"", "wechat_configs: [~]", "missing wechat config"},
        {"", "telegram_configs: [{chat_id: 1}]", "missing bot_token or bot_token_file on telegram_config"},
        {"telegram_bot_token: t", "telegram_configs: [{}]",
         "missing chat_id or chat_id_file on telegram_config"},
        {"telegram_bot_token: t", "telegram_configs: [{chat_id: 1, parse_mode: html}]",
         "unknown parse_mode on telegram_config, must be Markdown, MarkdownV2, HTML or empty string"},
        {"", "telegram_configs: [~]", "missing telegram config"},
        {"", "sns_configs: [~]", "missing sns config"},
        {"", "sns_configs: [{}]",
         "must provide either a Target ARN, Topic ARN, or Phone Number for SNS config"},
        {"", "sns_configs: [{topic_arn: t, sigv4: {access_key: a}}]",
         "must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the SigV4 "
         "config"},
        {"", "sns_configs: [{topic_arn: t, sigv4: {secret_key: a}}]",
         "must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the SigV4 "
         "config"},
        {"", "sns_configs: [{topic_arn: t, sigv4: {external_id: a}}]",
         "external_id can only be used with role_arn"},
        {"", "jira_configs: [~]", "missing jira config"},
        {"", "jira_configs: [{project: p, issue_type: t}]", "no global Jira Cloud URL set"},
        {"jira_api_url: http://j", "jira_configs: [{issue_type: t}]", "missing project in jira_config"},
        {"jira_api_url: http://j", "jira_configs: [{project: p}]", "missing issue_type in jira_config"},
    };
    expect_refused(cases, sizeof cases / sizeof *cases);
}

static void what_contradicts_itself_is_told_in_alertmanagers_words(void **state)
{
    (void)state;
    static const struct refused cases[] = {
        {"", "slack_configs: [{api_url: http://s, api_url_file: f}]",
         "at most one of api_url & api_url_file must be configured"},
        {"", "slack_configs: [{app_token: t, app_token_file: f}]",
         "at most one of app_token & app_token_file must be configured"},
        {"slack_app_token: t, slack_api_url: http://s", "slack_configs: [{}]",
         "at most one of slack_app_token & slack_api_url must be configured"},
        {"", "slack_configs: [{app_token: t, http_config: {authorization: {credentials: c}}}]",
         "http authorization can't be set when using Slack App tokens"},
        {"", "slack_configs: [{api_url: http://s, update_message: true}]",
         "update_message can only be used with bot tokens. api_url must be set to "
         "https://slack.com/api/chat.postMessage"},
        {"slack_app_token: t, slack_app_url: 'http://proxy'", "slack_configs: [{update_message: true}]",
         "update_message can only be used with bot tokens. api_url must be set to "
         "https://slack.com/api/chat.postMessage"},
        {"", "pagerduty_configs: [{service_key: a, service_key_file: b}]",
         "at most one of service_key & service_key_file must be configured"},
        {"", "pagerduty_configs: [{routing_key: a, routing_key_file: b}]",
         "at most one of routing_key & routing_key_file must be configured"},
        {"", "opsgenie_configs: [{api_key: a, api_key_file: b}]",
         "at most one of api_key & api_key_file must be configured"},
        {"", "opsgenie_configs: [{api_key: k, responders: [{name: n, type: x}]}]",
         "opsGenieConfig responder { n  x} type does not match valid options "
         "^(team|teams|user|escalation|schedule)$"},
        {"", "discord_configs: [{webhook_url: http://a, webhook_url_file: b}]",
         "at most one of webhook_url & webhook_url_file must be configured"},
        {"", "email_configs: [{to: a@b, headers: {subject: a, Subject: b}}]",
         "duplicate header \"Subject\" in email config"},
        {"", "email_configs: [{to: a@b, headers: {'a b': a}}]", "invalid header \"a b\" in email config"},
        {"",
         "email_configs: [{to: a@b, headers: {references: x}, threading: {enabled: true, thread_by_date: "
         "none}}]",
         "conflicting configuration: threading.enabled conflicts with custom References header"},
        {"",
         "email_configs: [{to: a@b, headers: {in-reply-to: x}, threading: {enabled: true, thread_by_date: "
         "daily}}]",
         "conflicting configuration: threading.enabled conflicts with custom In-Reply-To header"},
        {"", "email_configs: [{to: a@b, smarthost: h}]", "address h: missing port in address"},
        {"", "email_configs: [{to: a@b, smarthost: 'h:'}]", "address \"h:\": port cannot be empty"},
        {"", "email_configs: [{to: a@b, from: c@d, smarthost: 'u@h:25'}]",
         "address u@h:25: not HOST:PORT with a port from 1 to 65535"},
        {"", "email_configs: [{to: a@b, from: c@d, smarthost: 'h:smtp'}]",
         "address h:smtp: not HOST:PORT with a port from 1 to 65535"},
        {"smtp_from: '{{ nope }}', smtp_smarthost: 'h:25'", "email_configs: [{to: a@b}]",
         "template: :1: function \"nope\" not defined"},
        {"", "msteams_configs: [{webhook_url: 'ftp://a'}]", "unsupported scheme \"ftp\" for URL"},
        {"", "incidentio_configs: [{url: http://i, url_file: f}]",
         "at most one of url & url_file must be configured"},
        {"", "incidentio_configs: [{url: http://i, alert_source_token: t, alert_source_token_file: f}]",
         "at most one of alert_source_token & alert_source_token_file must be configured"},
        {"",
         "incidentio_configs: [{url: http://i, alert_source_token: t, http_config: {authorization: "
         "{credentials: c}}}]",
         "cannot specify alert_source_token or alert_source_token_file when using "
         "http_config.authorization"},
        {"", "rocketchat_configs: [{token: t, token_file: f}]",
         "at most one of token & token_file must be configured"},
        {"", "rocketchat_configs: [{token_id: t, token_id_file: f}]",
         "at most one of token_id & token_id_file must be configured"},
        {"", "mattermost_configs: [{webhook_url: http://m, webhook_url_file: f}]",
         "at most one of webhook_url & webhook_url_file must be configured"},
        {"", "victorops_configs: [{routing_key: r, api_key: k, api_key_file: f}]",
         "at most one of api_key & api_key_file must be configured"},
        {"", "victorops_configs: [{routing_key: r, api_key: k, custom_fields: {a: b, entity_id: x}}]",
         "victorOps config contains custom field entity_id which cannot be used as it conflicts with the "
         "fixed/static fields"},
        {"", "pushover_configs: [{user_key: u, user_key_file: f, token: t}]",
         "at most one of user_key & user_key_file must be configured"},
        {"", "pushover_configs: [{user_key: u, token_file: f, token: t}]",
         "at most one of token & token_file must be configured"},
        {"", "pushover_configs: [{user_key: u, token: t, html: true, monospace: true}]",
         "at most one of monospace & html must be configured"},
        {"", "pushover_configs: [{user_key: u, token: t, retry: 1d}]",
         "time: unknown unit \"d\" in duration \"1d\""},
        {"", "pushover_configs: [{user_key: u, token: t, ttl: 5}]", "time: missing unit in duration \"5\""},
        {"", "telegram_configs: [{bot_token: t, bot_token_file: f, chat_id: 1}]",
         "at most one of bot_token & bot_token_file must be configured"},
        {"", "telegram_configs: [{bot_token: t, chat_id: 1, chat_id_file: f}]",
         "at most one of chat_id & chat_id_file must be configured"},
        {"", "sns_configs: [{topic_arn: t, phone_number: p}]",
         "must provide either a Target ARN, Topic ARN, or Phone Number for SNS config"},
        {"", "jira_configs: [{project: p, issue_type: t, api_type: server}]",
         "unknown api_type on jira_config, must be auto, cloud or datacenter"},
        {"", "jira_configs: [{project: p, issue_type: t, reopen_duration: 30m1h}]",
         "not a valid duration string: \"30m1h\""},
        {"", "jira_configs: [{project: p, issue_type: t, api_url: 'ftp://j'}]",
         "unsupported scheme \"ftp\" for URL"},
        {"", "wechat_configs: [{api_secret: s, corp_id: c, message_type: x}]",
         "weChat message type \"x\" does not match valid options ^(text|markdown)$"},
        {"", "wechat_configs: [{api_secret: s, api_secret_file: f, corp_id: c}]",
         "at most one of api_secret & api_secret_file must be configured"},
    };
    expect_refused(cases, sizeof cases / sizeof *cases);
}

static void kinds_are_checked_in_alertmanagers_order(void **state)
{
    (void)state;
    static const struct refused cases[] = {
        /* Both lack what the globals could give; Slack is looked at first, although it stands second. */
        {"", "opsgenie_configs: [{}]\n  slack_configs: [{}]",
         "no Slack API URL nor App token set either inline or in a file"},
    };
    expect_refused(cases, sizeof cases / sizeof *cases);
}

static void a_template_that_does_not_parse_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct refused cases[] = {
        {"", "webhook_configs: [{url: http://h, payload: {a: [{b: '{{ nope }}'}]}}]",
         "template: :1: function \"nope\" not defined"},
        {"", "webhook_configs: [{url: 'http://h/{{ toUpper .Status }}'}]",
         "invalid template syntax: template: :1: function \"toUpper\" not defined"},
        {"", "discord_configs: [{webhook_url: http://h, title: '{{ if }}'}]",
         "template: :1: missing value for if"},
        {"slack_api_url: http://s", "slack_configs: [{fields: [{title: t, value: '{{ end }}'}]}]",
         "template: :1: unexpected {{end}}"},
        {"", "opsgenie_configs: [{api_key: k, details: {d: '{{ .x'}}]", "template: :1: unclosed action"},
        {"", "sns_configs: [{topic_arn: t, attributes: {'{{ .x': y}}]", "template: :1: unclosed action"},
        {"", "jira_configs: [{project: p, issue_type: t, labels: [a, '{{ .x']}]",
         "template: :1: unclosed action"},
        {"", "jira_configs: [{project: p, issue_type: t, summary: '{{ .x'}]",
         "template: :1: unclosed action"},
        {"", "jira_configs: [{project: p, issue_type: t, description: {template: '{{ .x'}}]",
         "template: :1: unclosed action"},
        {"", "jira_configs: [{project: p, issue_type: t, fields: {a: ['{{ .x']}}]",
         "template: :1: unclosed action"},
        {"", "pagerduty_configs: [{routing_key: k, links: [{href: '{{ . | 2 }}'}]}]",
         "template: :1: non executable command in pipeline stage 2"},
    };
    expect_refused(cases, sizeof cases / sizeof *cases);
    struct amconfig *config;
    struct err err = {0};
    const char *text = "route: {receiver: a}\nreceivers:\n- name: a\n  discord_configs:\n"
                       "  - webhook_url: http://h\n    title: '{{ nope }}'\n";
    assert_int_equal(amconfig_parse(&sim.world, str_of(text), STR(""), &config, &err), ERR_PARSE);
    assert_int_equal(err.line, 6);
    assert_int_equal(err.column, 12);
}

static void all_that_is_wrong_with_keys_is_told_together(void **state)
{
    (void)state;
    static const struct refused cases[] = {
        {"", "discord_configs: [{webhook_url: http://h, foo: 1, title: [x]}]\n  slack_configs: x",
         "yaml: unmarshal errors:\n  line 5: field foo not found in type config.plain\n"
         "  line 5: cannot unmarshal !!seq into string\n"
         "  line 6: cannot unmarshal !!str `x` into []*config.SlackConfig"},
        {"", "pagerduty_configs: [{routing_key: k, images: [{foo: 1}], links: x}]",
         "yaml: unmarshal errors:\n  line 5: field foo not found in type config.PagerdutyImage\n"
         "  line 5: cannot unmarshal !!str `x` into []config.PagerdutyLink"},
        {"", "jira_configs: [{project: p, issue_type: t, summary: {foo: 1}, description: [x], fields: x}]",
         "yaml: unmarshal errors:\n  line 5: field foo not found in type jira.plain\n"
         "  line 5: cannot unmarshal !!seq into jira.plain"},
        {"", "jira_configs: [{project: p, issue_type: t, fields: x}]",
         "yaml: unmarshal errors:\n  line 5: cannot unmarshal !!str `x` into map[string]interface {}"},
        {"", "sns_configs: [{topic_arn: t, sigv4: {foo: 1}}]",
         "yaml: unmarshal errors:\n  line 5: field foo not found in type sigv4.plain"},
        {"slack_api_url: http://s", "slack_configs: [{link_names: maybe}]",
         "yaml: unmarshal errors:\n  line 5: cannot unmarshal !!str `maybe` into bool"},
    };
    expect_refused(cases, sizeof cases / sizeof *cases);
}

static struct amconfig *load(const char *text)
{
    struct amconfig *config;
    struct err err = {0};
    if (amconfig_parse(&sim.world, str_of(text), STR("/etc/am"), &config, &err) != 0)
        fail_msg("%s\n%s", text, err.text);
    return config;
}

/* Prints so, and reads again as what prints the same. */
static void expect_printed(const char *globals, const char *receiver, const char *printed)
{
    char text[2048];
    compose(text, sizeof text, globals, receiver);
    struct amconfig *config = load(text);
    const char *found = strstr(config->original.p, "- name: a\n");
    const char *end = strstr(config->original.p, "templates: []\n");
    assert_true(found != NULL && end > found);
    found += strlen("- name: a\n");
    if (strncmp(found, printed, (size_t)(end - found)) != 0 || strlen(printed) != (size_t)(end - found))
        fail_msg("expected\n%s\ngot\n%.*s", printed, (int)(end - found), found);
    assert_null(strstr(config->original.p, "s3cret"));
    struct amconfig *again = load(config->original.p);
    assert_string_equal(again->original.p, config->original.p);
    amconfig_free(again);
    amconfig_free(config);
}

#define HTTP                         \
    "    http_config:\n"             \
    "      follow_redirects: true\n" \
    "      enable_http2: true\n"

static void settings_print_again_without_secrets(void **state)
{
    (void)state;
    expect_printed("", "msteamsv2_configs: [{webhook_url: http://s3cret, title: }]",
                   "  msteamsv2_configs:\n"
                   "  - send_resolved: true\n" HTTP "    webhook_url: <secret>\n"
                   "    title: \"\"\n"
                   "    text: '{{ template \"msteamsv2.default.text\" . }}'\n");
    expect_printed("",
                   "webhook_configs: [{url: http://s3cret, payload: {a: [1, '2', ~], b: {}}, timeout: 90s}]",
                   "  webhook_configs:\n"
                   "  - send_resolved: true\n" HTTP "    url: <secret>\n"
                   "    max_alerts: 0\n"
                   "    timeout: 1m30s\n"
                   "    payload:\n"
                   "      a:\n"
                   "      - \"1\"\n"
                   "      - \"2\"\n"
                   "      - \"~\"\n"
                   "      b: {}\n");
    expect_printed("", "pagerduty_configs: [{routing_key: s3cret, details: {num_firing: 1}}]",
                   "  pagerduty_configs:\n"
                   "  - send_resolved: true\n" HTTP "    routing_key: <secret>\n"
                   "    url: https://events.pagerduty.com/v2/enqueue\n"
                   "    client: '{{ template \"pagerduty.default.client\" . }}'\n"
                   "    client_url: '{{ template \"pagerduty.default.clientURL\" . }}'\n"
                   "    description: '{{ template \"pagerduty.default.description\" .}}'\n"
                   "    details:\n"
                   "      firing: '{{ .Alerts.Firing | toJson }}'\n"
                   "      num_firing: \"1\"\n"
                   "      num_resolved: '{{ .Alerts.Resolved | len }}'\n"
                   "      resolved: '{{ .Alerts.Resolved | toJson }}'\n"
                   "    source: '{{ template \"pagerduty.default.client\" . }}'\n");
}

static void what_comes_from_the_globals_prints_too(void **state)
{
    (void)state;
    expect_printed("smtp_from: g@h, smtp_smarthost: 'mx:25', smtp_hello: me, smtp_auth_username: u, "
                   "smtp_auth_password: s3cret, smtp_auth_secret_file: f, smtp_auth_identity: i, "
                   "smtp_require_tls: false, smtp_tls_config: {ca_file: c}, smtp_force_implicit_tls: true",
                   "email_configs: [{to: a@b}]",
                   "  email_configs:\n"
                   "  - send_resolved: false\n"
                   "    to: a@b\n"
                   "    from: g@h\n"
                   "    hello: me\n"
                   "    smarthost: mx:25\n"
                   "    auth_username: u\n"
                   "    auth_password: <secret>\n"
                   "    auth_secret_file: f\n"
                   "    auth_identity: i\n"
                   "    headers:\n"
                   "      From: g@h\n"
                   "      Subject: '{{ template \"email.default.subject\" . }}'\n"
                   "      To: a@b\n"
                   "    html: '{{ template \"email.default.html\" . }}'\n"
                   "    require_tls: false\n"
                   "    tls_config:\n"
                   "      ca_file: /etc/am/c\n"
                   "      insecure_skip_verify: false\n"
                   "    force_implicit_tls: true\n");
    expect_printed("",
                   "email_configs: [{to: a@b, from: c@d, smarthost: 'h:465', auth_secret: s3cret, headers: "
                   "{to: x}, html: , text: t, tls_config: {server_name: mx}, threading: {enabled: true, "
                   "thread_by_date: daily}}]",
                   "  email_configs:\n"
                   "  - send_resolved: false\n"
                   "    to: a@b\n"
                   "    from: c@d\n"
                   "    hello: localhost\n"
                   "    smarthost: h:465\n"
                   "    auth_secret: <secret>\n"
                   "    headers:\n"
                   "      From: c@d\n"
                   "      Subject: '{{ template \"email.default.subject\" . }}'\n"
                   "      To: x\n"
                   "    html: \"\"\n"
                   "    text: t\n"
                   "    require_tls: true\n"
                   "    tls_config:\n"
                   "      server_name: mx\n"
                   "      insecure_skip_verify: false\n"
                   "    threading:\n"
                   "      enabled: true\n"
                   "      thread_by_date: daily\n");
    expect_printed("opsgenie_api_key: s3cret, opsgenie_api_url: 'http://o'",
                   "opsgenie_configs: [{update_alerts: yes}]",
                   "  opsgenie_configs:\n"
                   "  - send_resolved: true\n" HTTP "    api_key: <secret>\n"
                   "    api_url: http://o/\n"
                   "    message: '{{ template \"opsgenie.default.message\" . }}'\n"
                   "    description: '{{ template \"opsgenie.default.description\" . }}'\n"
                   "    source: '{{ template \"opsgenie.default.source\" . }}'\n"
                   "    update_alerts: true\n");
    expect_printed(
        "slack_app_token: s3cret",
        "slack_configs: [{username: , color: , title: , title_link: , footer: , fallback: , callback_id: , "
        "icon_emoji: , icon_url: , pretext: , text: , update_message: true}]",
        "  slack_configs:\n"
        "  - send_resolved: false\n" HTTP "    app_token: <secret>\n"
        "    username: \"\"\n"
        "    color: \"\"\n"
        "    title: \"\"\n"
        "    title_link: \"\"\n"
        "    pretext: \"\"\n"
        "    text: \"\"\n"
        "    short_fields: false\n"
        "    footer: \"\"\n"
        "    fallback: \"\"\n"
        "    callback_id: \"\"\n"
        "    icon_emoji: \"\"\n"
        "    icon_url: \"\"\n"
        "    link_names: false\n"
        "    update_message: true\n");
}

static void settings_of_push_services_print_again(void **state)
{
    (void)state;
    expect_printed("", "pushover_configs: [{user_key: s3cret, token: s3cret, ttl: 90s, expire: }]",
                   "  pushover_configs:\n"
                   "  - send_resolved: true\n" HTTP "    user_key: <secret>\n"
                   "    token: <secret>\n"
                   "    title: '{{ template \"pushover.default.title\" . }}'\n"
                   "    message: '{{ template \"pushover.default.message\" . }}'\n"
                   "    url: '{{ template \"pushover.default.url\" . }}'\n"
                   "    priority: '{{ if eq .Status \"firing\" }}2{{ else }}0{{ end }}'\n"
                   "    retry: 1m0s\n"
                   "    expire: 0s\n"
                   "    ttl: 1m30s\n"
                   "    html: false\n");
    expect_printed("victorops_api_key: s3cret, victorops_api_url: 'http://v'",
                   "victorops_configs: [{routing_key: r, custom_fields: {b: '1', a: x}}]",
                   "  victorops_configs:\n"
                   "  - send_resolved: true\n" HTTP "    api_key: <secret>\n"
                   "    api_url: http://v/\n"
                   "    routing_key: r\n"
                   "    message_type: CRITICAL\n"
                   "    state_message: '{{ template \"victorops.default.state_message\" . }}'\n"
                   "    entity_display_name: '{{ template \"victorops.default.entity_display_name\" . }}'\n"
                   "    monitoring_tool: '{{ template \"victorops.default.monitoring_tool\" . }}'\n"
                   "    custom_fields:\n"
                   "      a: x\n"
                   "      b: \"1\"\n");
    expect_printed("", "incidentio_configs: [{url: http://i, alert_source_token: s3cret, timeout: 1m}]",
                   "  incidentio_configs:\n"
                   "  - send_resolved: true\n" HTTP "    url: http://i\n"
                   "    alert_source_token: <secret>\n"
                   "    max_alerts: 0\n"
                   "    timeout: 1m0s\n");
}

static void settings_of_chats_print_again(void **state)
{
    (void)state;
    expect_printed("rocketchat_token: s3cret, rocketchat_token_id: s3cret",
                   "rocketchat_configs: [{title: , fields: [{title: t, short: true}], actions: [{text: t}]}]",
                   "  rocketchat_configs:\n"
                   "  - send_resolved: false\n" HTTP "    api_url: https://open.rocket.chat/\n"
                   "    token_id: <secret>\n"
                   "    token: <secret>\n"
                   "    color: '{{ if eq .Status \"firing\" }}red{{ else }}green{{ end }}'\n"
                   "    title: \"\"\n"
                   "    title_link: '{{ template \"rocketchat.default.titlelink\" . }}'\n"
                   "    text: '{{ template \"rocketchat.default.text\" . }}'\n"
                   "    fields:\n"
                   "    - short: true\n"
                   "      title: t\n"
                   "    short_fields: false\n"
                   "    emoji: '{{ template \"rocketchat.default.emoji\" . }}'\n"
                   "    icon_url: '{{ template \"rocketchat.default.iconurl\" . }}'\n"
                   "    link_names: false\n"
                   "    actions:\n"
                   "    - text: t\n");
    expect_printed("mattermost_webhook_url: http://s3cret",
                   "mattermost_configs: [{text: , color: , username: , title: , title_link: , fallback: , "
                   "attachments: [{title: t}], props: {card: c}, priority: {priority: urgent}}]",
                   "  mattermost_configs:\n"
                   "  - send_resolved: true\n" HTTP "    webhook_url: <secret>\n"
                   "    username: \"\"\n"
                   "    text: \"\"\n"
                   "    fallback: \"\"\n"
                   "    color: \"\"\n"
                   "    title: \"\"\n"
                   "    title_link: \"\"\n"
                   "    attachments:\n"
                   "    - title: t\n"
                   "    props:\n"
                   "      card: c\n"
                   "    priority:\n"
                   "      priority: urgent\n");
    expect_printed("telegram_bot_token: s3cret",
                   "telegram_configs: [{chat_id: -12, parse_mode: , message_thread_id: 3}]",
                   "  telegram_configs:\n"
                   "  - send_resolved: true\n" HTTP "    api_url: https://api.telegram.org\n"
                   "    bot_token: <secret>\n"
                   "    chat_id: -12\n"
                   "    message_thread_id: 3\n"
                   "    message: '{{ template \"telegram.default.message\" . }}'\n"
                   "    parse_mode: \"\"\n");
    expect_printed("wechat_api_secret: s3cret, wechat_api_corp_id: c",
                   "wechat_configs: [{message: m, to_user: , to_party: , to_tag: , agent_id: 5}]",
                   "  wechat_configs:\n"
                   "  - send_resolved: false\n" HTTP "    api_secret: <secret>\n"
                   "    corp_id: c\n"
                   "    message: m\n"
                   "    api_url: https://qyapi.weixin.qq.com/cgi-bin/\n"
                   "    to_user: \"\"\n"
                   "    to_party: \"\"\n"
                   "    to_tag: \"\"\n"
                   "    agent_id: \"5\"\n"
                   "    message_type: text\n");
}

static void settings_of_sns_and_jira_print_again(void **state)
{
    (void)state;
    expect_printed("", "sns_configs: [{phone_number: p}]",
                   "  sns_configs:\n"
                   "  - send_resolved: true\n" HTTP "    sigv4: {}\n"
                   "    phone_number: p\n"
                   "    subject: '{{ template \"sns.default.subject\" . }}'\n"
                   "    message: '{{ template \"sns.default.message\" . }}'\n");
    expect_printed(
        "",
        "sns_configs: [{use_aws_http_client: true, attributes: {b: c, a: b}, message: , target_arn: a, "
        "topic_arn: t, phone_number: p, api_url: 'http://{{ .Status }}', sigv4: {service_name: sns, "
        "use_fips_sts_endpoint: true, external_id: e, role_arn: r, profile: p, secret_key: s3cret, "
        "access_key: k, region: eu}}]",
        "  sns_configs:\n"
        "  - send_resolved: true\n" HTTP "    api_url: http://{{ .Status }}\n"
        "    sigv4:\n"
        "      region: eu\n"
        "      access_key: k\n"
        "      secret_key: <secret>\n"
        "      profile: p\n"
        "      role_arn: r\n"
        "      external_id: e\n"
        "      use_fips_sts_endpoint: true\n"
        "      service_name: sns\n"
        "    topic_arn: t\n"
        "    phone_number: p\n"
        "    target_arn: a\n"
        "    subject: '{{ template \"sns.default.subject\" . }}'\n"
        "    message: \"\"\n"
        "    attributes:\n"
        "      a: b\n"
        "      b: c\n"
        "    use_aws_http_client: true\n");
    expect_printed("jira_api_url: 'http://j'", "jira_configs: [{project: P, issue_type: Bug}]",
                   "  jira_configs:\n"
                   "  - send_resolved: true\n" HTTP "    api_url: http://j\n"
                   "    api_type: auto\n"
                   "    project: P\n"
                   "    summary:\n"
                   "      template: '{{ template \"jira.default.summary\" . }}'\n"
                   "    description:\n"
                   "      template: '{{ template \"jira.default.description\" . }}'\n"
                   "    priority: '{{ template \"jira.default.priority\" . }}'\n"
                   "    issue_type: Bug\n");
    expect_printed(
        "",
        "jira_configs: [{api_url: 'http://j', project: P, issue_type: Bug, api_type: cloud, summary: , "
        "description: {enable_update: no}, labels: [b, a], priority: , reopen_transition: r, "
        "resolve_transition: d, wont_fix_resolution: w, reopen_duration: 90m, fields: {b: {c: d}, a: "
        "[x]}}]",
        "  jira_configs:\n"
        "  - send_resolved: true\n" HTTP "    api_url: http://j\n"
        "    api_type: cloud\n"
        "    project: P\n"
        "    summary:\n"
        "      template: \"\"\n"
        "    description:\n"
        "      template: '{{ template \"jira.default.description\" . }}'\n"
        "      enable_update: false\n"
        "    labels:\n"
        "    - b\n"
        "    - a\n"
        "    priority: \"\"\n"
        "    issue_type: Bug\n"
        "    reopen_transition: r\n"
        "    resolve_transition: d\n"
        "    wont_fix_resolution: w\n"
        "    reopen_duration: 1h30m\n"
        "    fields:\n"
        "      b:\n"
        "        c: d\n"
        "      a:\n"
        "      - x\n");
}

static void integrations_come_in_alertmanagers_order(void **state)
{
    (void)state;
    struct amconfig *config = load("route: {receiver: a}\nreceivers:\n- name: a\n  discord_configs: "
                                   "[{webhook_url: http://1}, {webhook_url: http://2}]\n"
                                   "  webhook_configs: [{url: http://3}]\n");
    const struct integrations *list = &config->receivers[0].integrations;
    assert_int_equal(list->count, 3);
    assert_string_equal(integration_name(list->items[0]), "webhook");
    assert_string_equal(integration_name(list->items[1]), "discord");
    assert_int_equal(list->items[0]->index, 0);
    assert_int_equal(list->items[1]->index, 0);
    assert_int_equal(list->items[2]->index, 1);
    amconfig_free(config);
}

static void only_msteamsv2_takes_the_proxy_into_settings_of_its_own(void **state)
{
    (void)state;
    struct amconfig *config =
        load("global: {http_config: {proxy_url: 'http://proxy', bearer_token: t}}\nroute: {receiver: "
             "a}\nreceivers:\n- name: a\n"
             "  msteams_configs: [{webhook_url: http://1, http_config: {}}]\n"
             "  msteamsv2_configs: [{webhook_url: http://1, http_config: {}}, {webhook_url: http://1}]\n");
    struct integration **items = config->receivers[0].integrations.items;
    assert_int_equal(items[0]->http->proxy.url.n, 0);
    assert_true(str_is(items[1]->http->proxy.url, "http://proxy"));
    assert_int_equal(items[1]->http->credentials.text.n, 0);
    assert_true(str_is(items[2]->http->credentials.text, "t"));
    amconfig_free(config);
}

static void a_starved_arena_is_a_limit_not_a_crash(void **state)
{
    (void)state;
    const char *text =
        "global: {opsgenie_api_key: k, slack_app_token: t}\nroute: {receiver: a}\nreceivers:\n- name: a\n"
        "  email_configs: [{to: a@b, from: c@d, smarthost: 'h:1', headers: {x: y}, tls_config: {ca_file: "
        "f}}]\n"
        "  slack_configs: [{title: '{{ 1 }}', fields: [{title: a, value: b}], mrkdwn_in: [text]}]\n"
        "  pagerduty_configs: [{routing_key: k, details: {a: b}, images: [{src: s}]}]\n"
        "  opsgenie_configs: [{details: {a: b}, responders: [{name: n, type: team}]}]\n"
        "  webhook_configs: [{url: 'http://h/{{ 1 }}', payload: {a: '{{ 1 }}'}}]\n"
        "  msteamsv2_configs: [{webhook_url: http://t, http_config: {}}]\n"
        "  mattermost_configs: [{webhook_url: http://m, attachments: [{fields: [{title: t, value: v}]}], "
        "props: {card: c}}]\n"
        "  victorops_configs: [{api_url: http://v, api_key: k, routing_key: r, custom_fields: {a: '{{ 1 "
        "}}'}}]\n"
        "  rocketchat_configs: [{token: t, token_id: i, actions: [{text: t}]}]\n"
        "  wechat_configs: [{api_secret: t, corp_id: i, api_url: http://w}]\n"
        "  sns_configs: [{topic_arn: t, attributes: {a: '{{ 1 }}'}}]\n"
        "  jira_configs: [{project: P, issue_type: T, api_url: http://j, labels: [a], summary: {template: "
        "'{{ 1 }}'}, fields: {a: {b: '{{ 1 }}'}}}]\n";
    size_t loaded = 0, starved = 0;
    for (int64_t cap = 512; cap < 2000000; cap += cap / 16) {
        struct amconfig *config;
        struct err err = {0};
        limits.generation_arena_bytes = cap;
        int rc = amconfig_parse(&sim.world, str_of(text), STR("/etc/am"), &config, &err);
        assert_true(rc == 0 || rc == ERR_LIMIT);
        loaded += rc == 0;
        starved += rc != 0;
        amconfig_free(config);
    }
    limits.generation_arena_bytes = limits_default.generation_arena_bytes;
    assert_true(loaded > 0 && starved > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_is_told_in_alertmanagers_words),
        cmocka_unit_test(what_contradicts_itself_is_told_in_alertmanagers_words),
        cmocka_unit_test(kinds_are_checked_in_alertmanagers_order),
        cmocka_unit_test(a_template_that_does_not_parse_is_refused_with_its_place),
        cmocka_unit_test(all_that_is_wrong_with_keys_is_told_together),
        cmocka_unit_test(settings_print_again_without_secrets),
        cmocka_unit_test(what_comes_from_the_globals_prints_too),
        cmocka_unit_test(settings_of_push_services_print_again),
        cmocka_unit_test(settings_of_chats_print_again),
        cmocka_unit_test(settings_of_sns_and_jira_print_again),
        cmocka_unit_test(integrations_come_in_alertmanagers_order),
        cmocka_unit_test(only_msteamsv2_takes_the_proxy_into_settings_of_its_own),
        cmocka_unit_test(a_starved_arena_is_a_limit_not_a_crash),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
