#include "integration_priv.h"

const char *const integration_keys[] = {
    "discord_configs",
    "email_configs",
    "incidentio_configs",
    "pagerduty_configs",
    "slack_configs",
    "webhook_configs",
    "opsgenie_configs",
    "wechat_configs",
    "pushover_configs",
    "victorops_configs",
    "sns_configs",
    "telegram_configs",
    "webex_configs",
    "msteams_configs",
    "msteamsv2_configs",
    "jira_configs",
    "rocketchat_configs",
    "mattermost_configs",
    NULL,
};

/* In the order in which Alertmanager checks them: webhook, email, slack, pushover, pagerduty, incidentio, opsgenie, wechat, victorops, sns,
 * telegram, discord, webex, msteams, msteamsv2, jira, rocketchat, mattermost. */
static const struct integration_kind *const kinds[] = {
    &integration_webhook,    &integration_email,      &integration_slack,     &integration_pushover,
    &integration_pagerduty,  &integration_incidentio, &integration_opsgenie,  &integration_wechat,
    &integration_victorops,  &integration_sns,        &integration_telegram,  &integration_discord,
    &integration_webex,      &integration_msteams,    &integration_msteamsv2, &integration_jira,
    &integration_rocketchat, &integration_mattermost,
};

const struct integration_kind *const *integration_kinds(size_t *count)
{
    *count = sizeof kinds / sizeof *kinds;
    return kinds;
}

size_t integration_kind_count(void)
{
    return sizeof kinds / sizeof *kinds;
}

const char *integration_kind_name(size_t number)
{
    return kinds[number]->name;
}

size_t integration_kind_of(const struct integration *integration)
{
    size_t number = 0;
    while (kinds[number] != integration->kind)
        number++;
    return number;
}
