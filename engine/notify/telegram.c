#include "integration_priv.h"
#include "json_priv.h"

enum { MESSAGE_RUNES = 4096 };

struct telegram {
    struct integration base;
    struct str api_url, bot_token, bot_token_file;
    int64_t chat_id; /* 0: not given */
    struct str chat_id_file;
    int64_t message_thread_id; /* 0: none */
    struct str message;
    bool disable_notifications;
    struct str parse_mode;
};

static void print_number(struct buf *out, int indent, const struct field *field, const void *value)
{
    int64_t number = *(const int64_t *)value;
    if (number != 0)
        buf_format(out, "%*s%s: %lld\n", indent, "", field->key, (long long)number);
}

static const struct field_type FIELD_number = {strict_i64, NULL, print_number};

static const struct field fields[] = {
    INTEGRATION_FIELDS(telegram, "true"),
    {FIELD(telegram, api_url, url)},
    {FIELD(telegram, bot_token, secret)},
    {FIELD(telegram, bot_token_file, text)},
    {FIELD(telegram, chat_id, number)},
    {FIELD(telegram, chat_id_file, text)},
    {FIELD(telegram, message_thread_id, number)},
    {FIELD(telegram, message, template), .given = "{{ template \"telegram.default.message\" . }}"},
    {FIELD(telegram, disable_notifications, bool)},
    {FIELD(telegram, parse_mode, text), .given = "HTML"},
    {.key = NULL},
};

static bool is_parse_mode(struct str mode)
{
    return mode.n == 0 || str_is(mode, "HTML") || str_is(mode, "Markdown") || str_is(mode, "MarkdownV2");
}

static void check(struct strict *s, const struct tree *node, void *target)
{
    const struct telegram *telegram = target;
    field_exclude(s, node, "bot_token", telegram->bot_token, "bot_token_file", telegram->bot_token_file);
    if (telegram->chat_id == 0 && telegram->chat_id_file.n == 0)
        strict_fail(s, node, "missing chat_id or chat_id_file on telegram_config");
    if (telegram->chat_id != 0 && telegram->chat_id_file.n > 0)
        strict_fail(s, node, "at most one of chat_id & chat_id_file must be configured");
    if (!is_parse_mode(telegram->parse_mode))
        strict_fail(s, node,
                    "unknown parse_mode on telegram_config, must be Markdown, MarkdownV2, HTML or empty "
                    "string");
}

static void inherit(const struct inheritance *in, struct integration *integration)
{
    struct telegram *telegram = (struct telegram *)integration;
    const struct str *globals = in->globals->text;
    if (telegram->api_url.n == 0)
        telegram->api_url = globals[AM_GLOBAL_telegram_api_url];
    if (telegram->api_url.n == 0)
        strict_fail(in->strict, integration->place, "no global Telegram API URL set");
    if (telegram->bot_token.n > 0 || telegram->bot_token_file.n > 0)
        return;
    telegram->bot_token = globals[AM_GLOBAL_telegram_bot_token];
    telegram->bot_token_file = globals[AM_GLOBAL_telegram_bot_token_file];
    if (telegram->bot_token.n == 0 && telegram->bot_token_file.n == 0)
        strict_fail(in->strict, integration->place, "missing bot_token or bot_token_file on telegram_config");
}

/* ---- what is sent ---- */

static size_t rune_count(struct str text)
{
    size_t count = 0;
    int rune;
    for (size_t at = 0; at < text.n; count++)
        at += str_rune(text.p + at, text.n - at, &rune);
    return count;
}

/* HTML that is cut somewhere is no HTML, and Telegram would refuse it. */
static struct str message(struct exchange *x, const struct telegram *telegram)
{
    if (!str_is(telegram->parse_mode, "HTML"))
        return exchange_text_runes(x, telegram->message, MESSAGE_RUNES);
    struct str text = exchange_html(x, telegram->message);
    if (rune_count(text) > MESSAGE_RUNES)
        return STR("Alertmanager notification could not be sent: message length exceeds Telegram limits.\n"
                   "Please check the template used for producing the message content.");
    return text;
}

static struct str chat(struct exchange *x, const struct telegram *telegram)
{
    long long id = telegram->chat_id;
    if (telegram->chat_id_file.n > 0) {
        struct str text = exchange_secret(x, STR(""), telegram->chat_id_file);
        if (!str_to_i64(text, &id))
            exchange_fail(x, ERR_PARSE, "could not parse chat_id from %.*s", STR_ARG(telegram->chat_id_file));
    }
    return exchange_format(x, "%lld", id);
}

/* A flat object of texts, its keys sorted. */
static void request(struct exchange *x)
{
    const struct telegram *telegram = EXCHANGE_SETTINGS(x, struct telegram);
    struct str token = exchange_secret(x, telegram->bot_token, telegram->bot_token_file);
    struct str url =
        exchange_format(x, "%.*s/bot%.*s/sendMessage", STR_ARG(telegram->api_url), STR_ARG(token));
    struct buf *out = exchange_post_json(x, "Telegram URL", url);
    json_open(out, NULL, '{');
    json_text(out, "chat_id", chat(x, telegram));
    if (telegram->disable_notifications)
        json_text(out, "disable_notification", STR("true"));
    json_text(out, "disable_web_page_preview", STR("true"));
    if (telegram->message_thread_id != 0)
        json_text(out, "message_thread_id",
                  exchange_format(x, "%lld", (long long)telegram->message_thread_id));
    json_text_some(out, "parse_mode", telegram->parse_mode);
    json_text(out, "text", message(x, telegram));
    json_close(out, '}');
}

/* What goes wrong is tried again, whatever it is. */
static enum exchange_verdict judge(struct exchange *x, const struct net_answer *answer, struct err *err)
{
    struct tree *root = NULL;
    bool ok = false;
    enum exchange_verdict verdict = integration_judge_status(answer, err);
    if (answer->status == 0 ||
        json_parse(x->arena, answer->body, &root, verdict == EXCHANGE_DONE ? err : NULL) != 0)
        return EXCHANGE_RETRY;
    (void)tree_bool(tree_get(root, "ok"), &ok);
    if (ok && verdict == EXCHANGE_DONE)
        return EXCHANGE_DONE;
    err_set(err, ERR_IO, "telegram: %.*s (%.*s)", STR_ARG(exchange_answer_text(root, "description")),
            STR_ARG(exchange_answer_text(root, "error_code")));
    return EXCHANGE_RETRY;
}

const struct integration_kind integration_telegram = {
    .key = "telegram_configs",
    .name = "telegram",
    .missing = "missing telegram config",
    .shape = {"config.plain", "[]*config.TelegramConfig", sizeof(struct telegram), fields, check},
    .inherit = inherit,
    .request = request,
    .judge = judge,
};
