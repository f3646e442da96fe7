/* amconfig_priv: what the parts of amconfig's reader share; it stands on strict.h. */
#ifndef TOCSIN_AMCONFIG_PRIV_H
#define TOCSIN_AMCONFIG_PRIV_H

#include "tocsin/amconfig.h"
#include "tocsin/strict_model.h"

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

struct am_global_key {
    const char *name;
    enum am_kind kind;
    const char *given; /* the default */
};
extern const struct am_global_key am_global_keys[AM_GLOBAL_COUNT];

struct route_draft;

struct interval_draft {
    struct am_interval interval;
    bool mute; /* from the deprecated list */
};

/* The whole reading; readers that need more than their target find it in strict.context. */
struct am_reader {
    struct strict strict;
    struct world *world;
    struct amconfig *config;
    struct str folder;
    struct str global[AM_GLOBAL_COUNT];
    struct http_config *global_http;
    struct strict_texts globs; /* of templates, as written */
    const struct tree *top, *route, *smtp_tls;
    struct route_draft *root_draft;
    struct interval_draft *intervals;
    size_t interval_count, interval_capacity;
    size_t routes_seen;
};

strict_read am_url_text, am_secret_url_text; /* struct str */

/* Matchers in their three forms, appended to one list that am_matchers_sort then puts in order. */
struct am_matchers {
    struct matcher *items;
    size_t count, capacity;
};
strict_read am_matcher_list, am_match_map, am_match_re_map;
void am_matchers_sort(struct am_matchers *ms);
void am_matchers_release(struct matcher *items, size_t count);

/* True for a usable URL (http or https, with a host); else stops with Alertmanager's complaint. */
bool am_check_url(struct strict *s, const struct tree *node, struct str text);

/* Sections: each reads its part into the struct am_reader that is its target ... */
strict_read am_read_global, am_read_receivers, am_read_route, am_read_inhibit_rules;
strict_read am_read_time_intervals, am_read_mute_time_intervals;

/* ... and judges it once all of them have been read. */
void am_set_global(struct am_reader *r); /* the defaults, also without the section */
void am_check_global(struct am_reader *r);
void am_check_receivers(struct am_reader *r);
void am_check_root(struct am_reader *r);
void am_resolve_routes(struct am_reader *r);
void am_check_intervals(struct am_reader *r);
const struct am_interval *am_interval_find(const struct am_reader *r, struct str name); /* NULL: unknown */

/* Stops with ERR_LIMIT: "the configuration is too large". */
void am_too_large(struct am_reader *r, const char *what);

extern const char *const am_weekdays[7]; /* Sunday first, in small letters */
void am_print_intervals(struct buf *out, const struct am_reader *r, bool mute);

/* Fills config->original. */
void am_print_config(struct am_reader *r);

#endif
