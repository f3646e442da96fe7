#include "integration_priv.h"
#include "json_priv.h"

/* Microsoft Teams over its older connectors: a MessageCard. */

struct msteams {
    struct integration base;
    struct str webhook_url, webhook_url_file;
    struct str title, summary, text;
};

static const struct field fields[] = {
    INTEGRATION_FIELDS(msteams, "true"),
    {FIELD(msteams, webhook_url, secret_url)},
    {FIELD(msteams, webhook_url_file, text)},
    {FIELD(msteams, title, template), .given = "{{ template \"msteams.default.title\" . }}"},
    {FIELD(msteams, summary, template), .given = "{{ template \"msteams.default.summary\" . }}"},
    {FIELD(msteams, text, template), .given = "{{ template \"msteams.default.text\" . }}"},
    {.key = NULL},
};

static void check(struct strict *s, const struct tree *node, void *target)
{
    const struct msteams *teams = target;
    field_one_of(s, node, "webhook_url", teams->webhook_url, "webhook_url_file", teams->webhook_url_file);
}

static void request(struct exchange *x)
{
    const struct msteams *teams = EXCHANGE_SETTINGS(x, struct msteams);
    struct str url = exchange_secret(x, teams->webhook_url, teams->webhook_url_file);
    struct buf *out = exchange_post_json(x, "msteams webhook URL", url);
    json_open(out, NULL, '{');
    json_text(out, "@context", STR("http://schema.org/extensions"));
    json_text(out, "type", STR("MessageCard"));
    json_text(out, "title", exchange_text(x, teams->title));
    json_text(out, "summary", exchange_text(x, teams->summary));
    json_text(out, "text", exchange_text(x, teams->text));
    json_text(out, "themeColor", x->notification.firing ? STR("8C1A1A") : STR("2DC72D"));
    json_close(out, '}');
}

const struct integration_kind integration_msteams = {
    .key = "msteams_configs",
    .name = "msteams",
    .missing = "missing msteams config",
    .shape = {"config.plain", "[]*config.MSTeamsConfig", sizeof(struct msteams), fields, check},
    .request = request,
};
