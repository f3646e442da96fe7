#include "integration_priv.h"
#include "json_priv.h"

/* Microsoft Teams over its workflows: an AdaptiveCard. */

struct msteamsv2 {
    struct integration base;
    struct str webhook_url, webhook_url_file;
    struct str title, text;
};

static const struct field fields[] = {
    INTEGRATION_FIELDS(msteamsv2, "true"),
    {FIELD(msteamsv2, webhook_url, secret_url)},
    {FIELD(msteamsv2, webhook_url_file, text)},
    {FIELD(msteamsv2, title, template), .given = "{{ template \"msteamsv2.default.title\" . }}"},
    {FIELD(msteamsv2, text, template), .given = "{{ template \"msteamsv2.default.text\" . }}"},
    {.key = NULL},
};

static void check(struct strict *s, const struct tree *node, void *target)
{
    const struct msteamsv2 *teams = target;
    field_one_of(s, node, "webhook_url", teams->webhook_url, "webhook_url_file", teams->webhook_url_file);
}

/* The only kind whose own http_config still takes the proxy of the globals. */
static void inherit(const struct inheritance *in, struct integration *integration)
{
    const struct http_config *own = integration->http;
    if (own == NULL || own->proxy.url.n > 0 || own->proxy.from_environment)
        return;
    struct http_config *proxied = arena_copy(in->strict->arena, own, 1, sizeof *own);
    if (proxied == NULL)
        return;
    proxied->proxy.url = in->globals->http->proxy.url;
    integration->http = proxied;
}

static void text_block(struct buf *out, struct str text, const char *color)
{
    json_open(out, NULL, '{');
    json_text(out, "type", STR("TextBlock"));
    json_text(out, "text", text);
    if (color != NULL) {
        json_text(out, "weight", STR("Bolder"));
        json_text(out, "size", STR("Medium"));
    }
    json_bool(out, "wrap", true);
    if (color != NULL) {
        json_text(out, "style", STR("heading"));
        json_text(out, "color", str_of(color));
    }
    json_close(out, '}');
}

static void card(struct exchange *x, const struct msteamsv2 *teams, struct buf *out)
{
    json_open(out, "content", '{');
    json_text(out, "$schema", STR("http://adaptivecards.io/schemas/adaptive-card.json"));
    json_text(out, "type", STR("AdaptiveCard"));
    json_text(out, "version", STR("1.2"));
    json_open(out, "body", '[');
    text_block(out, exchange_text(x, teams->title), x->notification.firing ? "Attention" : "Good");
    text_block(out, exchange_text(x, teams->text), NULL);
    json_close(out, ']');
    json_open(out, "msteams", '{');
    json_text(out, "width", STR("full"));
    json_close(out, '}');
    json_close(out, '}');
}

static void request(struct exchange *x)
{
    const struct msteamsv2 *teams = EXCHANGE_SETTINGS(x, struct msteamsv2);
    struct str url = exchange_secret(x, teams->webhook_url, teams->webhook_url_file);
    struct buf *out = exchange_post_json(x, "msteamsv2 webhook URL", url);
    json_open(out, NULL, '{');
    json_text(out, "type", STR("message"));
    json_open(out, "attachments", '[');
    json_open(out, NULL, '{');
    json_text(out, "contentType", STR("application/vnd.microsoft.card.adaptive"));
    json_key(out, "contentUrl");
    buf_puts(out, "null");
    card(x, teams, out);
    json_close(out, '}');
    json_close(out, ']');
    json_close(out, '}');
}

const struct integration_kind integration_msteamsv2 = {
    .key = "msteamsv2_configs",
    .name = "msteamsv2",
    .missing = "missing msteamsv2 config",
    .shape = {"config.plain", "[]*config.MSTeamsV2Config", sizeof(struct msteamsv2), fields, check},
    .inherit = inherit,
    .request = request,
};
