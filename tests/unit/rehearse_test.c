/* What is found out before the first page: integrations that would lose theirs. */
#include "router_sim.h"

static struct world_sim sim;
static struct buf found;

static void note(void *context, struct str receiver, const char *integration, const struct err *why)
{
    (void)context;
    buf_format(&found, "%.*s %s: %s\n", STR_ARG(receiver), integration, why->text);
}

static void expect_found(const char *receivers, const char *lines)
{
    char text[4096];
    struct amconfig *config;
    struct err err = {0};
    snprintf(text, sizeof text, "route: {receiver: a}\nreceivers:\n- name: a\n%s", receivers);
    world_sim_init(&sim, SIM_START_NS, 1);
    buf_init(&found, 1 << 16);
    if (amconfig_parse(&sim.world, str_of(text), STR("."), &config, &err) != 0)
        fail_msg("%s", err.text);
    amconfig_rehearse(&sim.world, config, note, NULL);
    assert_string_equal(buf_text(&found), lines);
    buf_release(&found);
    amconfig_free(config);
}

static void a_template_that_fails_is_told_before_it_loses_a_page(void **state)
{
    (void)state;
    expect_found(
        "  webhook_configs: [{url: 'http://x/{{ index .Alerts 9 }}'}, {url: http://y}]\n"
        "  slack_configs: [{api_url: http://s, channel: c, title: '{{ template \"nope\" . }}'}]\n",
        "a webhook: template: :1:12: executing \"\" at <index .Alerts 9>: error calling index: index "
        "out of range: 9\n"
        "a slack: template: :1:12: executing \"\" at <{{template \"nope\" .}}>: template \"nope\" not "
        "defined\n");
}

static void one_that_fails_at_the_end_only_is_found_too(void **state)
{
    (void)state;
    const char *settings =
        "  discord_configs: [{webhook_url: http://d, title: '{{ if eq .Status \"resolved\" }}"
        "{{ index .Alerts.Firing 0 }}{{ end }}'%s}]\n";
    char text[512];
    snprintf(text, sizeof text, settings, "");
    expect_found(text, "a discord: template: :1:33: executing \"\" at <index .Alerts.Firing 0>: error "
                       "calling index: reflect: slice index out of range\n");
    snprintf(text, sizeof text, settings, ", send_resolved: false");
    expect_found(text, "");
}

static void a_file_that_cannot_be_read_is_told(void **state)
{
    (void)state;
    expect_found("  webhook_configs: [{url_file: /nope/at/all}]\n",
                 "a webhook: open /nope/at/all: no such file or directory\n");
}

static void defaults_never_fail(void **state)
{
    (void)state;
    expect_found("  webhook_configs: [{url: http://h}]\n"
                 "  email_configs: [{to: a@b.example, from: c@d.example, smarthost: 'h:25'}]\n"
                 "  pagerduty_configs: [{routing_key: k}, {service_key: k}]\n"
                 "  opsgenie_configs: [{api_key: k}]\n"
                 "  slack_configs: [{api_url: http://s, channel: c}]\n"
                 "  victorops_configs: [{api_key: k, routing_key: r}]\n"
                 "  pushover_configs: [{user_key: u, token: t}]\n"
                 "  wechat_configs: [{api_secret: s, corp_id: c}]\n"
                 "  telegram_configs: [{bot_token: t, chat_id: 1}]\n"
                 "  discord_configs: [{webhook_url: http://d}]\n"
                 "  webex_configs: [{room_id: r, http_config: {authorization: {credentials: c}}}]\n"
                 "  msteams_configs: [{webhook_url: http://m}]\n"
                 "  msteamsv2_configs: [{webhook_url: http://m}]\n"
                 "  sns_configs: [{topic_arn: 'arn:aws:sns:eu-west-1:1:t', sigv4: {region: r, access_key: a, "
                 "secret_key: s}}]\n"
                 "  jira_configs: [{api_url: http://j, project: P, issue_type: T}]\n"
                 "  incidentio_configs: [{url: http://i, alert_source_token: t}]\n"
                 "  rocketchat_configs: [{api_url: http://r, token: t, token_id: i}]\n"
                 "  mattermost_configs: [{webhook_url: http://m}]\n",
                 "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_template_that_fails_is_told_before_it_loses_a_page),
        cmocka_unit_test(one_that_fails_at_the_end_only_is_found_too),
        cmocka_unit_test(a_file_that_cannot_be_read_is_told),
        cmocka_unit_test(defaults_never_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
