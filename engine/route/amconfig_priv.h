/*
 * amconfig_priv: the strict reader behind amconfig.
 *
 * It reports as Go's yaml decoder does: ill-typed, unknown and doubled keys are collected, the first invalid object
 * stops everything and speaks alone. Readers of one value have the type am_read; objects are tables of keys.
 */
#ifndef TOCSIN_AMCONFIG_PRIV_H
#define TOCSIN_AMCONFIG_PRIV_H

#include "tocsin/amconfig.h"
#include "tocsin/tree.h"

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

struct am_interval {
    struct str name;
    bool mute; /* from the deprecated list */
};

struct am_reader {
    struct world *world;
    struct arena *arena; /* the configuration's */
    struct amconfig *config;
    struct str folder;
    struct err *err;
    int code;               /* of the error that stopped it; 0: go on */
    struct buf wrong;       /* collected type errors */
    struct err unsupported; /* the first thing that is valid but not built; code 0: none */
    struct str global[AM_GLOBAL_COUNT];
    struct am_http *global_http;
    const struct tree *top, *route, *smtp_tls;
    struct route_draft *root_draft;
    struct am_interval *intervals;
    size_t interval_count, interval_capacity;
    size_t routes_seen;
};

typedef void am_read(struct am_reader *r, const struct tree *node, void *target);

struct am_key {
    const char *name;
    am_read *read;
    size_t offset; /* of the field in the target */
};

/* Reads a map by its table (ends with name NULL). False if it has errors of its own; then the object's checks are
 * left out. type: Go's name, for "field x not found in type ...". */
bool am_object(struct am_reader *r, const struct tree *node, const struct am_key *keys, void *target,
               const char *type);

/* Calls read for each item of a list into a new array of `size`d targets. NULL node: nothing. type: "[]string". */
void *am_list(struct am_reader *r, const struct tree *node, am_read *read, size_t size, size_t *count,
              const char *type);

/* Stops the reader with Alertmanager's words. */
void am_fail(struct am_reader *r, const struct tree *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Notes the first valid thing that is not built. */
void am_unsupported(struct am_reader *r, const struct tree *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Notes an ill-typed value: line N: cannot unmarshal !!str `x` into bool. */
void am_wrong_type(struct am_reader *r, const struct tree *node, const char *type);
/* Stops with ERR_LIMIT. */
void am_memory(struct am_reader *r);
bool am_stopped(const struct am_reader *r);

/* Readers of plain values: struct str, bool, int64_t (ms), uint64_t. Null is the zero value. */
am_read am_text, am_bool, am_duration_ms, am_go_duration_ms, am_u64, am_skip, am_url_text, am_secret_url_text;

/* A struct str * and its count side by side. */
struct am_texts {
    struct str *items;
    size_t count;
};
am_read am_text_list;

/* Matchers in their three forms, appended to one list that am_matchers_sort then puts in order. */
struct am_matchers {
    struct matcher *items;
    size_t count, capacity;
};
am_read am_matcher_list, am_match_map, am_match_re_map;
void am_matchers_sort(struct am_matchers *ms);
void am_matchers_release(struct matcher *items, size_t count);

/* A map of texts as labels; NULL past the arena's cap. */
struct labels *am_labels(struct am_reader *r, const struct tree *node);

/* True for a usable URL (http or https, with a host); else stops with Alertmanager's complaint. */
bool am_check_url(struct am_reader *r, const struct tree *node, struct str text);

/* Sections. */
void am_read_global(struct am_reader *r, const struct tree *node);
void am_check_global(struct am_reader *r);
am_read am_http_read; /* target: struct am_http * */
void am_read_receivers(struct am_reader *r, const struct tree *node);
void am_check_receivers(struct am_reader *r);
void am_read_route(struct am_reader *r, const struct tree *node);
void am_check_root(struct am_reader *r);
void am_resolve_routes(struct am_reader *r);
void am_read_inhibit_rules(struct am_reader *r, const struct tree *node);
void am_read_intervals(struct am_reader *r, const struct tree *node, bool mute);
void am_check_intervals(struct am_reader *r);
bool am_interval_known(const struct am_reader *r, struct str name);

/* Fills config->original. */
void am_print_config(struct am_reader *r);

#endif
