#include "slack_priv.h"

/* Settings of Slack; slack_send.c makes its requests. */

static void check_field(struct strict *s, const struct tree *node, void *target)
{
    const struct slack_field *f = target;
    if (f->title.n == 0)
        strict_fail(s, node, "missing title in Slack field configuration");
    if (f->value.n == 0)
        strict_fail(s, node, "missing value in Slack field configuration");
}

static const struct field field_fields[] = {
    {FIELD(slack_field, title, template)},
    {FIELD(slack_field, value, template)},
    {.key = "short", .type = &FIELD_maybe, .offset = offsetof(struct slack_field, is_short)},
    {.key = NULL},
};

static const struct shape field_shape = {"config.plain", "[]*config.SlackField", sizeof(struct slack_field),
                                         field_fields, check_field};

static void check_confirm(struct strict *s, const struct tree *node, void *target)
{
    const struct slack_confirm *c = target;
    if (c->text.n == 0)
        strict_fail(s, node, "missing text in Slack confirmation configuration");
}

static const struct field confirm_fields[] = {
    {FIELD(slack_confirm, text, template)},
    {FIELD(slack_confirm, title, template)},
    {FIELD(slack_confirm, ok_text, template)},
    {FIELD(slack_confirm, dismiss_text, template)},
    {.key = NULL},
};

static const struct shape confirm_shape = {"config.plain", NULL, sizeof(struct slack_confirm), confirm_fields,
                                           check_confirm};

/* An action that opens a URL has nothing to say to Slack. */
static void check_action(struct strict *s, const struct tree *node, void *target)
{
    struct slack_action *a = target;
    if (a->type.n == 0)
        strict_fail(s, node, "missing type in Slack action configuration");
    if (a->text.n == 0)
        strict_fail(s, node, "missing text in Slack action configuration");
    if (a->url.n > 0) {
        a->name = a->value = STR("");
        a->confirm = NULL;
    } else if (a->name.n == 0) {
        strict_fail(s, node, "missing name or url in Slack action configuration");
    }
}

static const struct field action_fields[] = {
    {FIELD(slack_action, type, template)},
    {FIELD(slack_action, text, template)},
    {FIELD(slack_action, url, template)},
    {FIELD(slack_action, style, template)},
    {FIELD(slack_action, name, template)},
    {FIELD(slack_action, value, template)},
    {FIELD(slack_action, confirm, struct), .shape = &confirm_shape},
    {.key = NULL},
};

static const struct shape action_shape = {"config.plain", "[]*config.SlackAction",
                                          sizeof(struct slack_action), action_fields, check_action};

#define SLACK_DEFAULT(name) "{{ template \"slack.default." name "\" . }}"

static const struct field fields[] = {
    INTEGRATION_FIELDS(slack, "false"),
    {FIELD(slack, api_url, secret_url)},
    {FIELD(slack, api_url_file, text)},
    {FIELD(slack, app_token, secret)},
    {FIELD(slack, app_token_file, text)},
    {FIELD(slack, app_url, url)},
    {FIELD(slack, channel, template)},
    {FIELD(slack, username, template), .given = SLACK_DEFAULT("username")},
    {FIELD(slack, color, template), .given = SLACK_DEFAULT("color")},
    {FIELD(slack, title, template), .given = SLACK_DEFAULT("title")},
    {FIELD(slack, title_link, template), .given = SLACK_DEFAULT("titlelink")},
    {FIELD(slack, pretext, template), .given = SLACK_DEFAULT("pretext")},
    {FIELD(slack, text, template), .given = SLACK_DEFAULT("text")},
    {FIELD(slack, message_text, template)},
    {FIELD(slack, fields, structs), .shape = &field_shape},
    {FIELD(slack, short_fields, bool), .given = "false"},
    {FIELD(slack, footer, template), .given = SLACK_DEFAULT("footer")},
    {FIELD(slack, fallback, template), .given = SLACK_DEFAULT("fallback")},
    {FIELD(slack, callback_id, template), .given = SLACK_DEFAULT("callbackid")},
    {FIELD(slack, icon_emoji, template), .given = SLACK_DEFAULT("iconemoji")},
    {FIELD(slack, icon_url, template), .given = SLACK_DEFAULT("iconurl")},
    {FIELD(slack, image_url, template)},
    {FIELD(slack, thumb_url, template)},
    {FIELD(slack, link_names, bool), .given = "false"},
    {FIELD(slack, mrkdwn_in, texts)},
    {FIELD(slack, actions, structs), .shape = &action_shape},
    {FIELD(slack, update_message, bool)},
    {INTEGRATION_TIMEOUT(slack)},
    {.key = NULL},
};

static bool has_token(const struct slack *slack)
{
    return slack->app_token.n + slack->app_token_file.n > 0;
}

static void check(struct strict *s, const struct tree *node, void *target)
{
    const struct slack *slack = target;
    field_exclude(s, node, "api_url", slack->api_url, "api_url_file", slack->api_url_file);
    field_exclude(s, node, "app_token", slack->app_token, "app_token_file", slack->app_token_file);
    if (slack->api_url.n + slack->api_url_file.n > 0 && has_token(slack))
        strict_fail(s, node,
                    "at most one of app_token/app_token_file & api_url/api_url_file must be configured");
}

/* The token becomes an authorization, and that is not the settings' but only the request's: so it does not print again beside it. */
static void use_token(const struct inheritance *in, struct slack *slack)
{
    const struct http_config *http = slack->base.http != NULL ? slack->base.http : in->globals->http;
    struct http_config *bot = arena_copy(in->strict->arena, http, 1, sizeof *http);
    struct http_config token = {.credentials = {slack->app_token, slack->app_token_file}};
    if (http->auth_type.n > 0)
        strict_fail(in->strict, slack->base.place,
                    "http authorization can't be set when using Slack App tokens");
    if (bot == NULL)
        return;
    http_config_join(in->strict->arena, &token, in->folder);
    bot->auth_type = STR("Bearer");
    bot->credentials = token.credentials;
    slack->bot = bot;
    slack->bot_url = slack->app_url.n > 0 ? slack->app_url : in->globals->text[AM_GLOBAL_slack_app_url];
}

static void choose_way(const struct inheritance *in, struct slack *slack)
{
    const struct str *globals = in->globals->text;
    bool has_url = slack->api_url.n + slack->api_url_file.n > 0;
    bool authorized = slack->base.http != NULL && slack->base.http->auth_type.n > 0;
    if (!has_url && !has_token(slack) && !authorized) {
        slack->app_token = globals[AM_GLOBAL_slack_app_token];
        slack->app_token_file = globals[AM_GLOBAL_slack_app_token_file];
    }
    if (has_token(slack)) {
        use_token(in, slack);
        return;
    }
    if (has_url)
        return;
    slack->api_url = globals[AM_GLOBAL_slack_api_url];
    slack->api_url_file = globals[AM_GLOBAL_slack_api_url_file];
    if (slack->api_url.n + slack->api_url_file.n == 0)
        strict_fail(in->strict, slack->base.place,
                    "no Slack API URL nor App token set either inline or in a file");
}

/* Only the API itself tells which message it made. */
static void inherit(const struct inheritance *in, struct integration *integration)
{
    struct slack *slack = (struct slack *)integration;
    choose_way(in, slack);
    struct str url = slack->bot != NULL ? slack->bot_url : slack->api_url;
    if (slack->update_message && !str_is(url, SLACK_POST_URL) && !str_is(url, "<secret>"))
        strict_fail(
            in->strict, integration->place,
            "update_message can only be used with bot tokens. api_url must be set to " SLACK_POST_URL);
}

const struct integration_kind integration_slack = {
    .key = "slack_configs",
    .name = "slack",
    .missing = "missing slack config",
    .shape = {"config.plain", "[]*config.SlackConfig", sizeof(struct slack), fields, check},
    .inherit = inherit,
    .request = slack_request,
    .judge = slack_judge,
};
