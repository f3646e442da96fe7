#include "integration_priv.h"
#include "json_priv.h"

enum { TITLE_RUNES = 1024 };

struct rocketchat_field {
    struct str is_short; /* empty: as short_fields says */
    struct str title, value;
};

/* Alertmanager takes all of them and sends text, url and msg, always as a button. */
struct rocketchat_action {
    struct str type, text, url, imageurl;
    bool iswebview;
    struct str webviewheightratio, msg;
    bool msginchatwindow;
    struct str msgprocessingtype;
};

struct rocketchat {
    struct integration base;
    struct str api_url, token_id, token_id_file, token, token_file;
    struct str channel, color, title, title_link, text;
    struct strict_list fields; /* struct rocketchat_field */
    bool short_fields;
    struct str emoji, icon_url, image_url, thumb_url;
    bool link_names;            /* nobody uses it */
    struct strict_list actions; /* struct rocketchat_action */
};

static const struct field field_fields[] = {
    {.key = "short", .type = &FIELD_maybe, .offset = offsetof(struct rocketchat_field, is_short)},
    {FIELD(rocketchat_field, title, template)},
    {FIELD(rocketchat_field, value, template)},
    {.key = NULL},
};

static const struct shape field_shape = {"config.RocketchatAttachmentField",
                                         "[]*config.RocketchatAttachmentField",
                                         sizeof(struct rocketchat_field), field_fields, NULL};

static const struct field action_fields[] = {
    {FIELD(rocketchat_action, type, text)},
    {FIELD(rocketchat_action, text, template)},
    {FIELD(rocketchat_action, url, template)},
    {FIELD(rocketchat_action, imageurl, text)},
    {FIELD(rocketchat_action, iswebview, bool)},
    {FIELD(rocketchat_action, webviewheightratio, text)},
    {FIELD(rocketchat_action, msg, template)},
    {FIELD(rocketchat_action, msginchatwindow, bool)},
    {FIELD(rocketchat_action, msgprocessingtype, text)},
    {.key = NULL},
};

static const struct shape action_shape = {"config.RocketchatAttachmentAction",
                                          "[]*config.RocketchatAttachmentAction",
                                          sizeof(struct rocketchat_action), action_fields, NULL};

#define ROCKET_DEFAULT(name) "{{ template \"rocketchat.default." name "\" . }}"

static const struct field fields[] = {
    INTEGRATION_FIELDS(rocketchat, "false"),
    {FIELD(rocketchat, api_url, url)},
    {FIELD(rocketchat, token_id, secret)},
    {FIELD(rocketchat, token_id_file, text)},
    {FIELD(rocketchat, token, secret)},
    {FIELD(rocketchat, token_file, text)},
    {FIELD(rocketchat, channel, template)},
    {FIELD(rocketchat, color, template),
     .given = "{{ if eq .Status \"firing\" }}red{{ else }}green{{ end }}"},
    {FIELD(rocketchat, title, template), .given = ROCKET_DEFAULT("title")},
    {FIELD(rocketchat, title_link, template), .given = ROCKET_DEFAULT("titlelink")},
    {FIELD(rocketchat, text, template), .given = ROCKET_DEFAULT("text")},
    {FIELD(rocketchat, fields, structs), .shape = &field_shape},
    {FIELD(rocketchat, short_fields, bool), .given = "false"},
    {FIELD(rocketchat, emoji, template), .given = ROCKET_DEFAULT("emoji")},
    {FIELD(rocketchat, icon_url, template), .given = ROCKET_DEFAULT("iconurl")},
    {FIELD(rocketchat, image_url, template)},
    {FIELD(rocketchat, thumb_url, template)},
    {FIELD(rocketchat, link_names, bool), .given = "false"},
    {FIELD(rocketchat, actions, structs), .shape = &action_shape},
    {.key = NULL},
};

static void check(struct strict *s, const struct tree *node, void *target)
{
    const struct rocketchat *rocket = target;
    field_exclude(s, node, "token", rocket->token, "token_file", rocket->token_file);
    field_exclude(s, node, "token_id", rocket->token_id, "token_id_file", rocket->token_id_file);
}

static void inherit(const struct inheritance *in, struct integration *integration)
{
    struct rocketchat *rocket = (struct rocketchat *)integration;
    const struct str *globals = in->globals->text;
    if (rocket->api_url.n == 0)
        rocket->api_url = globals[AM_GLOBAL_rocketchat_api_url];
    if (rocket->api_url.n == 0)
        strict_fail(in->strict, integration->place, "no global Rocketchat API URL set");
    if (rocket->token_id.n + rocket->token_id_file.n == 0) {
        rocket->token_id = globals[AM_GLOBAL_rocketchat_token_id];
        rocket->token_id_file = globals[AM_GLOBAL_rocketchat_token_id_file];
    }
    if (rocket->token_id.n + rocket->token_id_file.n == 0)
        strict_fail(in->strict, integration->place,
                    "no global Rocketchat TokenID set either inline or in a file");
    if (rocket->token.n + rocket->token_file.n == 0) {
        rocket->token = globals[AM_GLOBAL_rocketchat_token];
        rocket->token_file = globals[AM_GLOBAL_rocketchat_token_file];
    }
    if (rocket->token.n + rocket->token_file.n == 0)
        strict_fail(in->strict, integration->place,
                    "no global Rocketchat Token set either inline or in a file");
}

/* ---- what is sent ---- */

static void write_fields(struct exchange *x, struct buf *out, const struct rocketchat *rocket)
{
    const struct rocketchat_field *items = rocket->fields.items;
    if (rocket->fields.count == 0)
        return;
    json_open(out, "fields", '[');
    for (size_t i = 0; i < rocket->fields.count; i++) {
        struct str own = items[i].is_short;
        json_open(out, NULL, '{');
        json_bool(out, "short", own.n > 0 ? str_is(own, "true") : rocket->short_fields);
        exchange_json_some(x, out, "title", items[i].title);
        exchange_json_some(x, out, "value", items[i].value);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_actions(struct exchange *x, struct buf *out, const struct rocketchat *rocket)
{
    const struct rocketchat_action *items = rocket->actions.items;
    if (rocket->actions.count == 0)
        return;
    json_open(out, "actions", '[');
    for (size_t i = 0; i < rocket->actions.count; i++) {
        json_open(out, NULL, '{');
        json_text(out, "type", STR("button"));
        exchange_json_some(x, out, "text", items[i].text);
        exchange_json_some(x, out, "url", items[i].url);
        json_bool(out, "is_webview", false);
        exchange_json_some(x, out, "msg", items[i].msg);
        json_bool(out, "msg_in_chat_window", false);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_attachment(struct exchange *x, struct buf *out, const struct rocketchat *rocket)
{
    json_open(out, NULL, '{');
    json_text_some(out, "title", exchange_text_runes(x, rocket->title, TITLE_RUNES));
    exchange_json_some(x, out, "title_link", rocket->title_link);
    exchange_json_some(x, out, "text", rocket->text);
    exchange_json_some(x, out, "image_url", rocket->image_url);
    exchange_json_some(x, out, "thumb_url", rocket->thumb_url);
    exchange_json_some(x, out, "color", rocket->color);
    write_fields(x, out, rocket);
    write_actions(x, out, rocket);
    json_close(out, '}');
}

static void request(struct exchange *x)
{
    const struct rocketchat *rocket = EXCHANGE_SETTINGS(x, struct rocketchat);
    bool slashed = str_ends(rocket->api_url, STR("/"));
    struct str url =
        exchange_format(x, "%.*s%sapi/v1/chat.postMessage", STR_ARG(rocket->api_url), slashed ? "" : "/");
    struct buf *out = exchange_post_json(x, "Rocket.Chat URL", url);
    exchange_header(x, "X-Auth-Token", exchange_secret(x, rocket->token, rocket->token_file));
    exchange_header(x, "X-User-Id", exchange_secret(x, rocket->token_id, rocket->token_id_file));
    json_open(out, NULL, '{');
    exchange_json_some(x, out, "channel", rocket->channel);
    exchange_json_some(x, out, "emoji", rocket->emoji);
    exchange_json_some(x, out, "avatar", rocket->icon_url);
    json_open(out, "attachments", '[');
    write_attachment(x, out, rocket);
    json_close(out, ']');
    json_close(out, '}');
}

/* Also of what went wrong it may tell with 200. */
static enum exchange_verdict judge(struct exchange *x, const struct net_answer *answer, struct err *err)
{
    struct tree *root = NULL;
    struct err why;
    bool success = false;
    enum exchange_verdict verdict = integration_judge_status(answer, err);
    if (verdict != EXCHANGE_DONE)
        return verdict;
    if (json_parse(x->arena, answer->body, &root, &why) != 0) {
        err_set(err, ERR_PARSE, "could not unmarshal JSON response: %s", why.text);
        return EXCHANGE_RETRY;
    }
    (void)tree_bool(tree_get(root, "success"), &success);
    if (success)
        return EXCHANGE_DONE;
    err_set(err, ERR_IO, "error response from Rocketchat: %.*s",
            STR_ARG(exchange_answer_text(root, "error")));
    return EXCHANGE_REFUSED;
}

const struct integration_kind integration_rocketchat = {
    .key = "rocketchat_configs",
    .name = "rocketchat",
    .missing = "missing rocketchat config",
    .shape = {"config.plain", "[]*config.RocketchatConfig", sizeof(struct rocketchat), fields, check},
    .inherit = inherit,
    .request = request,
    .judge = judge,
};
