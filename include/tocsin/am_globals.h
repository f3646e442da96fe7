/*
 * am_globals: the `global` section of alertmanager.yml: what receivers inherit.
 */
#ifndef TOCSIN_AM_GLOBALS_H
#define TOCSIN_AM_GLOBALS_H

#include "tocsin/http_config.h"

/* One line per global key: struct field, key, kind, default. */
#define AM_GLOBAL_TABLE(KEY)                                                                        \
    KEY(resolve_timeout, DURATION, "5m")                                                            \
    KEY(smtp_from, TEXT, "")                                                                        \
    KEY(smtp_hello, TEXT, "localhost")                                                              \
    KEY(smtp_smarthost, HOSTPORT, "")                                                               \
    KEY(smtp_auth_username, TEXT, "")                                                               \
    KEY(smtp_auth_password, SECRET, "")                                                             \
    KEY(smtp_auth_password_file, TEXT, "")                                                          \
    KEY(smtp_auth_secret, SECRET, "")                                                               \
    KEY(smtp_auth_secret_file, TEXT, "")                                                            \
    KEY(smtp_auth_identity, TEXT, "")                                                               \
    KEY(smtp_require_tls, BOOL, "true")                                                             \
    KEY(smtp_force_implicit_tls, BOOL, "")                                                          \
    KEY(slack_api_url, SECRET_URL, "")                                                              \
    KEY(slack_api_url_file, TEXT, "")                                                               \
    KEY(slack_app_token, SECRET, "")                                                                \
    KEY(slack_app_token_file, TEXT, "")                                                             \
    KEY(slack_app_url, URL, "https://slack.com/api/chat.postMessage")                               \
    KEY(pagerduty_url, URL, "https://events.pagerduty.com/v2/enqueue")                              \
    KEY(opsgenie_api_url, URL, "https://api.opsgenie.com/")                                         \
    KEY(opsgenie_api_key, SECRET, "")                                                               \
    KEY(opsgenie_api_key_file, TEXT, "")                                                            \
    KEY(wechat_api_url, URL, "https://qyapi.weixin.qq.com/cgi-bin/")                                \
    KEY(wechat_api_secret, SECRET, "")                                                              \
    KEY(wechat_api_secret_file, TEXT, "")                                                           \
    KEY(wechat_api_corp_id, TEXT, "")                                                               \
    KEY(victorops_api_url, URL, "https://alert.victorops.com/integrations/generic/20131114/alert/") \
    KEY(victorops_api_key, SECRET, "")                                                              \
    KEY(victorops_api_key_file, TEXT, "")                                                           \
    KEY(telegram_api_url, URL, "https://api.telegram.org")                                          \
    KEY(telegram_bot_token, SECRET, "")                                                             \
    KEY(telegram_bot_token_file, TEXT, "")                                                          \
    KEY(webex_api_url, URL, "https://webexapis.com/v1/messages")                                    \
    KEY(rocketchat_api_url, URL, "https://open.rocket.chat/")                                       \
    KEY(rocketchat_token, SECRET, "")                                                               \
    KEY(rocketchat_token_file, TEXT, "")                                                            \
    KEY(rocketchat_token_id, SECRET, "")                                                            \
    KEY(rocketchat_token_id_file, TEXT, "")                                                         \
    KEY(jira_api_url, URL, "")                                                                      \
    KEY(mattermost_webhook_url, SECRET_URL, "")                                                     \
    KEY(mattermost_webhook_url_file, TEXT, "")

enum am_global_id {
#define KEY(name, kind, given) AM_GLOBAL_##name,
    AM_GLOBAL_TABLE(KEY)
#undef KEY
        AM_GLOBAL_COUNT
};

enum am_kind {
    AM_KIND_TEXT,
    AM_KIND_SECRET,
    AM_KIND_URL,
    AM_KIND_SECRET_URL,
    AM_KIND_DURATION,
    AM_KIND_BOOL,
    AM_KIND_HOSTPORT
};

struct am_globals {
    struct str
        text[AM_GLOBAL_COUNT]; /* as written; of what is not given the default, empty where there is none */
    struct http_config *http;
    struct http_tls smtp_tls;
};

/* The defaults. */
void am_globals_init(struct am_globals *globals, struct arena *arena);

strict_read am_globals_read; /* struct am_globals */

/* Stops at what contradicts itself; then relative paths of http_config begin at the folder. */
void am_globals_check(struct strict *s, struct am_globals *globals, struct str folder);

void am_globals_print(struct buf *out, const struct am_globals *globals);

#endif
