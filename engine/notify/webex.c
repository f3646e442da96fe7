#include "integration_priv.h"
#include "json_priv.h"

enum { MESSAGE_BYTES = 7439 };

struct webex {
    struct integration base;
    struct str api_url, message, room_id;
};

static const struct field fields[] = {
    INTEGRATION_FIELDS(webex, "true"),
    {FIELD(webex, api_url, url)},
    {FIELD(webex, message, template), .given = "{{ template \"webex.default.message\" . }}"},
    {FIELD(webex, room_id, template)},
    {.key = NULL},
};

/* Its bot's token is an authorization; that of the globals is none of a bot. */
static void check(struct strict *s, const struct tree *node, void *target)
{
    const struct webex *webex = target;
    if (webex->room_id.n == 0)
        strict_fail(s, node, "missing room_id on webex_config");
    if (webex->base.http == NULL || webex->base.http->auth_type.n == 0)
        strict_fail(s, node, "missing webex_configs.http_config.authorization");
}

static void inherit(const struct inheritance *in, struct integration *integration)
{
    struct webex *webex = (struct webex *)integration;
    if (webex->api_url.n == 0)
        webex->api_url = in->globals->text[AM_GLOBAL_webex_api_url];
    if (webex->api_url.n == 0)
        strict_fail(in->strict, integration->place, "no global Webex URL set");
}

static void request(struct exchange *x)
{
    const struct webex *webex = EXCHANGE_SETTINGS(x, struct webex);
    struct buf *out = exchange_post_json(x, "Webex URL", webex->api_url);
    json_open(out, NULL, '{');
    json_text(out, "markdown", exchange_text_bytes(x, webex->message, MESSAGE_BYTES));
    json_text(out, "roomId", exchange_text(x, webex->room_id));
    json_close(out, '}');
}

const struct integration_kind integration_webex = {
    .key = "webex_configs",
    .name = "webex",
    .missing = "missing webex config",
    .shape = {"config.plain", "[]*config.WebexConfig", sizeof(struct webex), fields, check},
    .inherit = inherit,
    .request = request,
};
