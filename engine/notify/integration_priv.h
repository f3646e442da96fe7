/*
 * integration_priv: what a kind of integration is made of.
 *
 * To add one: a file with its struct, its table of fields, and the functions of struct integration_kind that it needs; its name below; its line in
 * kinds.c.
 */
#ifndef TOCSIN_INTEGRATION_PRIV_H
#define TOCSIN_INTEGRATION_PRIV_H

#include "field_priv.h"

#include "tocsin/integration.h"

/* What a check against the globals works with. */
struct inheritance {
    struct strict *strict;
    const struct am_globals *globals;
    struct str folder;
};

struct integration_kind {
    const char *key;  /* slack_configs */
    const char *name; /* slack */
    const char *
        missing; /* what is told of a null item: missing webhook config; NULL: a null item is one that gives nothing */
    struct shape shape; /* the struct begins with struct integration */

    /* After all of the file has been read: takes over from the globals, stops at what is missing. http is the item's own, or NULL; left so, it
     * becomes that of the globals. NULL: there is nothing to take over. */
    void (*inherit)(const struct inheritance *in, struct integration *integration);

    /* Makes the request of this step: sets x->request, or calls exchange_post_json. What goes wrong on the way is noted in x. */
    void (*request)(struct exchange *x);

    /* NULL: integration_judge_status. May read x->step, set x->keep and x->memory. */
    enum exchange_verdict (*judge)(struct exchange *x, const struct net_answer *answer, struct err *err);
};

extern const struct integration_kind integration_discord;
extern const struct integration_kind integration_email;
extern const struct integration_kind integration_incidentio;
extern const struct integration_kind integration_jira;
extern const struct integration_kind integration_mattermost;
extern const struct integration_kind integration_msteams;
extern const struct integration_kind integration_msteamsv2;
extern const struct integration_kind integration_opsgenie;
extern const struct integration_kind integration_pagerduty;
extern const struct integration_kind integration_pushover;
extern const struct integration_kind integration_rocketchat;
extern const struct integration_kind integration_slack;
extern const struct integration_kind integration_sns;
extern const struct integration_kind integration_telegram;
extern const struct integration_kind integration_victorops;
extern const struct integration_kind integration_webex;
extern const struct integration_kind integration_webhook;
extern const struct integration_kind integration_wechat;

/* The fields that begin every table. */
#define INTEGRATION_FIELDS(holder, send_resolved_given)                                         \
    {.key = "send_resolved",                                                                    \
     .type = &FIELD_bool,                                                                       \
     .offset = offsetof(struct holder, base.send_resolved),                                     \
     .given = send_resolved_given},                                                             \
    {                                                                                           \
        .key = "http_config", .type = &FIELD_http, .offset = offsetof(struct holder, base.http) \
    }
#define INTEGRATION_TIMEOUT(holder) \
    .key = "timeout", .type = &FIELD_timeout, .offset = offsetof(struct holder, base.timeout_ms)

/* In the order in which Alertmanager checks and notifies. */
const struct integration_kind *const *integration_kinds(size_t *count);

/* Alertmanager's default templates. */
extern const char default_templates[];

/* ---- checks ---- */

/* A URL to which paths are appended: with a slash at its end. */
struct str integration_slashed(struct arena *arena, struct str url);

/* ---- making a request ----
 *
 * After the first failure all of these do nothing and give an empty text, and the request is not sent: so nobody has to look in between. */

void exchange_fail(struct exchange *x, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The settings as the kind's own struct. */
#define EXCHANGE_SETTINGS(x, type) ((const type *)(const void *)(x)->integration)

/* A template, run on the notification; text without {{ }} is given back as it is. */
struct str exchange_text(struct exchange *x, struct str source);

/* The step below both, for who finds the route's labels himself: its code, with the reason in x->why; the context that `label` gets
 * is x. */
typedef int exchange_label(void *context, struct str name, struct buf *out, struct err *err);
int exchange_run(struct exchange *x, struct str source, bool html, exchange_label *label, struct buf *out);

/* The same as HTML: each value is escaped for the place where it stands. */
struct str exchange_html(struct exchange *x, struct str source);

/* exchange_text, and cut to what a service takes: its end becomes an ellipsis. */
struct str exchange_text_runes(struct exchange *x, struct str source, size_t max);
struct str exchange_text_bytes(struct exchange *x, struct str source, size_t max);
struct str exchange_cut_runes(struct exchange *x, struct str text, size_t max); /* what was run already */

/* What a file holds, without the white space around it; text if no file is named. Neither is a template here: see exchange_text. */
struct str exchange_secret(struct exchange *x, struct str text, struct str file);

/* The key under which services join what is told of one group: SHA-256 of the group key in lower-case hexadecimal digits. */
struct str exchange_group_hash(struct exchange *x);

/* Formatted, in the arena. */
struct str exchange_format(struct exchange *x, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Where it goes. what: names it in complaints. */
void exchange_url(struct exchange *x, const char *what, struct str url);

/* A text as part of a URL's path: $&+,/:;=@ stay, as in Go. */
struct str exchange_path(struct exchange *x, struct str text);

/* One more NAME=VALUE of a query, escaped; then the URL with that query. */
void exchange_param(struct buf *query, const char *name, struct str value);
void exchange_url_query(struct exchange *x, const char *what, struct str url, const struct buf *query);

/* Any YAML as JSON, its texts and keys run as templates. A text that then reads as YAML other than a text becomes that ("2" a number), as
 * Alertmanager does. */
void exchange_payload(struct exchange *x, struct buf *out, const struct tree *node);

/* A template's text under a key (json_priv.h), left out if it is empty. */
void exchange_json_some(struct exchange *x, struct buf *out, const char *key, struct str source);

/* POSTs JSON, which is to be written to what is returned (json_priv.h). */
struct buf *exchange_post_json(struct exchange *x, const char *what, struct str url);

/* One more header. An Authorization takes the place of the one that http_config would give. */
void exchange_header(struct exchange *x, const char *name, struct str value);

/* For services where an incident is opened and closed: whether this request opens it, or keeps it open. What fired and ended while the
 * service took nothing is opened and closed at once: a close alone would say nothing there. */
bool exchange_opens(const struct exchange *x);

/* ---- judging an answer ---- */

/* Whether an incident that has just been opened is to be closed. */
bool exchange_closes_next(const struct exchange *x);

/* 2xx is done, 5xx and 429 and no answer are tried again, all else is refused: unexpected status code 503: BODY. */
enum exchange_verdict integration_judge_status(const struct net_answer *answer, struct err *err);

/* The same, where the caller knows better what the body says. */
enum exchange_verdict integration_judge_reason(const struct net_answer *answer, struct str reason,
                                               struct err *err);

/* The text under a key of a JSON answer; empty if there is none. */
struct str exchange_answer_text(const struct tree *root, const char *key);

#endif
