#include "integration_priv.h"

struct webhook {
    struct integration base;
    struct str url, url_file; /* read at each send */
    const struct tree *payload;
};

static const struct field fields[] = {
    INTEGRATION_FIELDS(webhook, "true"),
    {FIELD(webhook, url, secret)},
    {FIELD(webhook, url_file, text)},
    {.key = "max_alerts",
     .type = &FIELD_count,
     .offset = offsetof(struct webhook, base.max_alerts),
     .given = "0"},
    {INTEGRATION_TIMEOUT(webhook)},
    {FIELD(webhook, payload, tree)},
    {.key = NULL},
};

/* A url that holds {{ is a template, which knows Go's own functions alone, and is judged when it has been run. */
static void check_url(struct strict *s, const struct tree *place, struct str url)
{
    if (url.n == 0 || str_is(url, "<secret>"))
        return;
    if (!text_is_template(url)) {
        am_check_url(s, place, url);
        return;
    }
    struct err why;
    struct arena_mark mark = arena_mark(s->arena);
    struct template_set *set = template_set_make(s->arena, NULL, 0);
    if (set != NULL && template_parse(set, STR(""), url, &why) != 0)
        strict_fail(s, place, "invalid template syntax: %s", why.text);
    arena_rewind(s->arena, mark);
}

static void check(struct strict *s, const struct tree *node, void *target)
{
    const struct webhook *hook = target;
    field_one_of(s, node, "url", hook->url, "url_file", hook->url_file);
    check_url(s, tree_get(node, "url"), hook->url);
}

static void request(struct exchange *x)
{
    const struct webhook *hook = EXCHANGE_SETTINGS(x, struct webhook);
    struct str url = exchange_text(x, exchange_secret(x, hook->url, hook->url_file));
    struct buf *out = exchange_post_json(x, "webhook URL", url);
    if (hook->payload != NULL)
        exchange_payload(x, out, hook->payload);
    else
        notification_write_json(out, &x->notification, "4");
}

const struct integration_kind integration_webhook = {
    .key = "webhook_configs",
    .name = "webhook",
    .missing = "missing webhook config",
    .shape = {"config.plain", "[]*config.WebhookConfig", sizeof(struct webhook), fields, check},
    .request = request,
};
