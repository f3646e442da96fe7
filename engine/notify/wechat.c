#include "integration_priv.h"
#include "json_priv.h"

#include "tocsin/limits.h"

/* WeChat Work: a token first, then the message with it. */

struct wechat {
    struct integration base;
    struct str api_secret, api_secret_file, corp_id, message, api_url;
    struct str to_user, to_party, to_tag, agent_id, message_type;
};

#define WECHAT_DEFAULT(name) "{{ template \"wechat.default." name "\" . }}"

static const struct field fields[] = {
    INTEGRATION_FIELDS(wechat, "false"),
    {FIELD(wechat, api_secret, secret_template)},
    {FIELD(wechat, api_secret_file, text)},
    {FIELD(wechat, corp_id, template)},
    {FIELD(wechat, message, template), .given = WECHAT_DEFAULT("message")},
    {FIELD(wechat, api_url, url)},
    {FIELD(wechat, to_user, template), .given = WECHAT_DEFAULT("to_user")},
    {FIELD(wechat, to_party, template), .given = WECHAT_DEFAULT("to_party")},
    {FIELD(wechat, to_tag, template), .given = WECHAT_DEFAULT("to_tag")},
    {FIELD(wechat, agent_id, template), .given = WECHAT_DEFAULT("agent_id")},
    {FIELD(wechat, message_type, text)},
    {.key = NULL},
};

static void check(struct strict *s, const struct tree *node, void *target)
{
    struct wechat *wechat = target;
    if (wechat->message_type.n == 0)
        wechat->message_type = STR("text");
    if (!str_is(wechat->message_type, "text") && !str_is(wechat->message_type, "markdown"))
        strict_fail(s, node, "weChat message type \"%.*s\" does not match valid options ^(text|markdown)$",
                    STR_ARG(wechat->message_type));
    field_exclude(s, node, "api_secret", wechat->api_secret, "api_secret_file", wechat->api_secret_file);
}

static void inherit(const struct inheritance *in, struct integration *integration)
{
    struct wechat *wechat = (struct wechat *)integration;
    const struct str *globals = in->globals->text;
    if (wechat->api_url.n == 0)
        wechat->api_url = globals[AM_GLOBAL_wechat_api_url];
    if (wechat->api_url.n == 0)
        strict_fail(in->strict, integration->place, "no global Wechat URL set");
    wechat->api_url = integration_slashed(in->strict->arena, wechat->api_url);
    if (wechat->api_secret.n + wechat->api_secret_file.n == 0) {
        wechat->api_secret = globals[AM_GLOBAL_wechat_api_secret];
        wechat->api_secret_file = globals[AM_GLOBAL_wechat_api_secret_file];
    }
    if (wechat->api_secret.n + wechat->api_secret_file.n == 0)
        strict_fail(in->strict, integration->place,
                    "no global Wechat Api Secret set either inline or in a file");
    if (wechat->corp_id.n == 0)
        wechat->corp_id = globals[AM_GLOBAL_wechat_api_corp_id];
    if (wechat->corp_id.n == 0)
        strict_fail(in->strict, integration->place, "no global Wechat CorpID set");
}

/* ---- what is sent ---- */

static void ask_token(struct exchange *x, const struct wechat *wechat)
{
    struct buf query;
    struct str secret = exchange_text(x, exchange_secret(x, wechat->api_secret, wechat->api_secret_file));
    buf_init(&query, (size_t)limits.flush_arena_bytes);
    exchange_param(&query, "corpid", exchange_text(x, wechat->corp_id));
    exchange_param(&query, "corpsecret", secret);
    exchange_url_query(x, "WeChat URL", exchange_format(x, "%.*sgettoken", STR_ARG(wechat->api_url)), &query);
    x->request.method = "GET";
    buf_release(&query);
}

static void content(struct buf *out, const char *key, struct str text)
{
    json_open(out, key, '{');
    json_text(out, "content", text);
    json_close(out, '}');
}

/* The texts of both types are there, that of the other one is empty. */
static void write_message(struct exchange *x, struct buf *out, const struct wechat *wechat)
{
    struct str text = exchange_text(x, wechat->message);
    bool markdown = str_is(wechat->message_type, "markdown");
    json_open(out, NULL, '{');
    content(out, "text", markdown ? STR("") : text);
    exchange_json_some(x, out, "touser", wechat->to_user);
    exchange_json_some(x, out, "toparty", wechat->to_party);
    exchange_json_some(x, out, "totag", wechat->to_tag);
    exchange_json_some(x, out, "agentid", wechat->agent_id);
    json_text(out, "safe", STR("0"));
    json_text(out, "msgtype", wechat->message_type);
    content(out, "markdown", markdown ? text : STR(""));
    json_close(out, '}');
}

static void send_message(struct exchange *x, const struct wechat *wechat)
{
    struct buf query;
    struct str url = exchange_format(x, "%.*smessage/send", STR_ARG(wechat->api_url));
    write_message(x, exchange_post_json(x, "WeChat URL", url), wechat);
    buf_init(&query, (size_t)limits.flush_arena_bytes);
    exchange_param(&query, "access_token", *(const struct str *)x->memory);
    exchange_url_query(x, "WeChat URL", url, &query);
    buf_release(&query);
}

static void request(struct exchange *x)
{
    const struct wechat *wechat = EXCHANGE_SETTINGS(x, struct wechat);
    if (x->step == 0)
        ask_token(x, wechat);
    else
        send_message(x, wechat);
}

/* ---- what is answered ---- */

static enum exchange_verdict judge_token(struct exchange *x, const struct tree *root, struct err *err)
{
    struct str *token = ARENA_NEW(x->arena, struct str);
    struct str said = exchange_answer_text(root, "access_token");
    if (token == NULL || said.n == 0) {
        err_set(err, ERR_IO, "invalid APISecret for CorpID: %.*s",
                STR_ARG(exchange_answer_text(root, "errmsg")));
        return EXCHANGE_REFUSED;
    }
    *token = said;
    x->memory = token;
    return EXCHANGE_MORE;
}

/* A token that has run out is fetched anew with the next attempt. */
static enum exchange_verdict judge_message(const struct tree *root, struct err *err)
{
    enum { TOKEN_EXPIRED = 42001 };
    int64_t code = 0;
    (void)tree_i64(tree_get(root, "errcode"), &code);
    if (code == 0)
        return EXCHANGE_DONE;
    err_set(err, ERR_IO, "%.*s", STR_ARG(exchange_answer_text(root, "errmsg")));
    return code == TOKEN_EXPIRED ? EXCHANGE_RETRY : EXCHANGE_REFUSED;
}

static enum exchange_verdict judge(struct exchange *x, const struct net_answer *answer, struct err *err)
{
    struct tree *root = NULL;
    struct err why;
    if (integration_judge_status(answer, err) != EXCHANGE_DONE)
        return EXCHANGE_RETRY;
    if (json_parse(x->arena, answer->body, &root, &why) != 0) {
        err_set(err, ERR_PARSE, "could not unmarshal JSON response: %s", why.text);
        return x->step == 0 ? EXCHANGE_REFUSED : EXCHANGE_RETRY;
    }
    return x->step == 0 ? judge_token(x, root, err) : judge_message(root, err);
}

const struct integration_kind integration_wechat = {
    .key = "wechat_configs",
    .name = "wechat",
    .missing = "missing wechat config",
    .shape = {"config.plain", "[]*config.WechatConfig", sizeof(struct wechat), fields, check},
    .inherit = inherit,
    .request = request,
    .judge = judge,
};
