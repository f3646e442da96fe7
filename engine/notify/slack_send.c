#include "json_priv.h"
#include "slack_priv.h"

enum { TITLE_RUNES = 1024 };

/* What the log keeps of the message, under Alertmanager's names. */
#define KEPT_TS STR("threadTs")
#define KEPT_CHANNEL STR("channelId")

/* ---- what is sent ---- */

static void text(struct exchange *x, struct buf *out, const char *key, struct str source)
{
    json_text(out, key, exchange_text(x, source));
}

static void write_fields(struct exchange *x, struct buf *out, const struct slack *slack)
{
    const struct slack_field *items = slack->fields.items;
    if (slack->fields.count == 0)
        return;
    json_open(out, "fields", '[');
    for (size_t i = 0; i < slack->fields.count; i++) {
        struct str own = items[i].is_short;
        json_open(out, NULL, '{');
        exchange_json_some(x, out, "title", items[i].title);
        exchange_json_some(x, out, "value", items[i].value);
        json_bool(out, "short", own.n > 0 ? str_is(own, "true") : slack->short_fields);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_action(struct exchange *x, struct buf *out, const struct slack_action *a)
{
    json_open(out, NULL, '{');
    exchange_json_some(x, out, "type", a->type);
    exchange_json_some(x, out, "text", a->text);
    exchange_json_some(x, out, "url", a->url);
    exchange_json_some(x, out, "style", a->style);
    exchange_json_some(x, out, "name", a->name);
    exchange_json_some(x, out, "value", a->value);
    if (a->confirm != NULL) {
        json_open(out, "confirm", '{');
        exchange_json_some(x, out, "text", a->confirm->text);
        exchange_json_some(x, out, "title", a->confirm->title);
        exchange_json_some(x, out, "ok_text", a->confirm->ok_text);
        exchange_json_some(x, out, "dismiss_text", a->confirm->dismiss_text);
        json_close(out, '}');
    }
    json_close(out, '}');
}

static void write_actions(struct exchange *x, struct buf *out, const struct slack *slack)
{
    const struct slack_action *items = slack->actions.items;
    if (slack->actions.count == 0)
        return;
    json_open(out, "actions", '[');
    for (size_t i = 0; i < slack->actions.count; i++)
        write_action(x, out, &items[i]);
    json_close(out, ']');
}

static void write_attachment(struct exchange *x, struct buf *out, const struct slack *slack)
{
    static const struct str everywhere[] = {{"fallback", 8}, {"pretext", 7}, {"text", 4}};
    json_open(out, NULL, '{');
    json_text_some(out, "title", exchange_text_runes(x, slack->title, TITLE_RUNES));
    exchange_json_some(x, out, "title_link", slack->title_link);
    exchange_json_some(x, out, "pretext", slack->pretext);
    text(x, out, "text", slack->text);
    text(x, out, "fallback", slack->fallback);
    text(x, out, "callback_id", slack->callback_id);
    write_fields(x, out, slack);
    write_actions(x, out, slack);
    exchange_json_some(x, out, "image_url", slack->image_url);
    exchange_json_some(x, out, "thumb_url", slack->thumb_url);
    text(x, out, "footer", slack->footer);
    exchange_json_some(x, out, "color", slack->color);
    if (slack->mrkdwn_in.count > 0)
        json_texts(out, "mrkdwn_in", slack->mrkdwn_in.items, slack->mrkdwn_in.count);
    else
        json_texts(out, "mrkdwn_in", everywhere, sizeof everywhere / sizeof *everywhere);
    json_close(out, '}');
}

/* There is a message of this group to change; after it proved to be gone a new one is posted. */
static bool updates(const struct exchange *x)
{
    return EXCHANGE_SETTINGS(x, struct slack)->update_message && x->step == 0 && x->kept != NULL &&
           labels_has(x->kept, KEPT_TS) && labels_has(x->kept, KEPT_CHANNEL);
}

static struct str url_of(struct exchange *x, const struct slack *slack)
{
    if (updates(x))
        return STR(SLACK_UPDATE_URL);
    return slack->bot != NULL ? slack->bot_url : exchange_secret(x, slack->api_url, slack->api_url_file);
}

void slack_request(struct exchange *x)
{
    const struct slack *slack = EXCHANGE_SETTINGS(x, struct slack);
    struct buf *out = exchange_post_json(x, "Slack URL", url_of(x, slack));
    if (slack->bot != NULL)
        x->request.http = slack->bot;
    json_open(out, NULL, '{');
    if (updates(x)) {
        json_text(out, "channel", labels_get(x->kept, KEPT_CHANNEL));
        json_text(out, "ts", labels_get(x->kept, KEPT_TS));
    } else {
        exchange_json_some(x, out, "channel", slack->channel);
    }
    exchange_json_some(x, out, "username", slack->username);
    exchange_json_some(x, out, "icon_emoji", slack->icon_emoji);
    exchange_json_some(x, out, "icon_url", slack->icon_url);
    if (slack->link_names)
        json_bool(out, "link_names", true);
    exchange_json_some(x, out, "text", slack->message_text);
    json_open(out, "attachments", '[');
    write_attachment(x, out, slack);
    json_close(out, ']');
    json_close(out, '}');
}

/* ---- what is answered ---- */

static bool is_gone(struct str why)
{
    return str_is(why, "message_not_found") || str_is(why, "cant_update_message") ||
           str_is(why, "edit_window_closed");
}

static void keep_message(struct exchange *x, const struct tree *root)
{
    struct str ts = exchange_answer_text(root, "ts"), channel = exchange_answer_text(root, "channel");
    if (ts.n == 0 || channel.n == 0)
        return;
    struct label pairs[] = {{KEPT_TS, ts}, {KEPT_CHANNEL, channel}};
    x->keep = labels_make(x->arena, pairs, sizeof pairs / sizeof *pairs);
}

static enum exchange_verdict judge_json(struct exchange *x, struct str body, struct err *err)
{
    struct tree *root = NULL;
    struct err why;
    bool ok = false;
    if (json_parse(x->arena, body, &root, &why) != 0) {
        err_set(err, ERR_PARSE, "could not unmarshal JSON response: %s", why.text);
        return EXCHANGE_RETRY;
    }
    (void)tree_bool(tree_get(root, "ok"), &ok);
    if (!ok) {
        struct str error = exchange_answer_text(root, "error");
        err_set(err, ERR_IO, "error response from Slack: %.*s", STR_ARG(error));
        return updates(x) && is_gone(error) ? EXCHANGE_MORE : EXCHANGE_REFUSED;
    }
    if (EXCHANGE_SETTINGS(x, struct slack)->update_message)
        keep_message(x, root);
    return EXCHANGE_DONE;
}

/* The API answers with an object, incoming webhooks with the word ok. */
enum exchange_verdict slack_judge(struct exchange *x, const struct net_answer *answer, struct err *err)
{
    enum exchange_verdict verdict = integration_judge_status(answer, err);
    if (verdict != EXCHANGE_DONE)
        return verdict;
    if (str_starts(str_trim(answer->body), STR("{")))
        return judge_json(x, answer->body, err);
    if (str_is(answer->body, "ok"))
        return EXCHANGE_DONE;
    err_set(err, ERR_IO, "received an error response from Slack: %.*s", STR_ARG(answer->body));
    return EXCHANGE_REFUSED;
}
