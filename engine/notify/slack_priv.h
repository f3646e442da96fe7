/* slack_priv: the settings of Slack, which slack.c reads and slack_send.c uses. */
#ifndef TOCSIN_SLACK_PRIV_H
#define TOCSIN_SLACK_PRIV_H

#include "integration_priv.h"

#define SLACK_POST_URL "https://slack.com/api/chat.postMessage"
#define SLACK_UPDATE_URL "https://slack.com/api/chat.update"

struct slack_field {
    struct str title, value;
    struct str is_short; /* empty: as short_fields says */
};

struct slack_confirm {
    struct str text, title, ok_text, dismiss_text;
};

struct slack_action {
    struct str type, text, url, style, name, value;
    const struct slack_confirm *confirm; /* NULL: none */
};

struct slack {
    struct integration base;
    struct str api_url, api_url_file, app_token, app_token_file, app_url;
    struct str channel, username, color;
    struct str title, title_link, pretext, text, message_text;
    struct strict_list fields; /* struct slack_field */
    bool short_fields;
    struct str footer, fallback, callback_id, icon_emoji, icon_url, image_url, thumb_url;
    bool link_names;
    struct strict_texts mrkdwn_in;
    struct strict_list actions; /* struct slack_action */
    bool update_message;

    const struct http_config *bot; /* with the app token; NULL: there is none */
    struct str bot_url;
};

void slack_request(struct exchange *x);
enum exchange_verdict slack_judge(struct exchange *x, const struct net_answer *answer, struct err *err);

#endif
