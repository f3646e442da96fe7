#include "amconfig_priv.h"

/* Integrations that Alertmanager has and Tocsin does not send to. */
static const char *const unbuilt[] = {
    "discord_configs",    "email_configs",      "incidentio_configs", "pagerduty_configs", "slack_configs",
    "opsgenie_configs",   "wechat_configs",     "pushover_configs",   "victorops_configs", "sns_configs",
    "telegram_configs",   "webex_configs",      "msteams_configs",    "msteamsv2_configs", "jira_configs",
    "rocketchat_configs", "mattermost_configs",
};

struct receiver_draft {
    struct am_receiver receiver;
    const struct tree *labels;
};

static void read_webhook_http(struct strict *s, const struct tree *node, void *target)
{
    if (tree_is_null(node))
        return;
    const struct am_reader *r = s->context;
    struct http_config *http = ARENA_NEW(s->arena, struct http_config);
    if (http != NULL) {
        http_config_read(s, node, http);
        http_config_join(s->arena, http, r->folder);
    }
    *(const struct http_config **)target = http;
}

/* A url that holds {{ is a template and is judged when it has been rendered. */
static void check_url(struct strict *s, const struct tree *node, struct str url)
{
    if (url.n == 0 || str_is(url, "<secret>"))
        return;
    bool templated = false;
    for (size_t i = 0; i + 1 < url.n; i++)
        templated = templated || (url.p[i] == '{' && url.p[i + 1] == '{');
    const struct tree *place = tree_get(node, "url");
    if (!templated) {
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

static void read_payload(struct strict *s, const struct tree *node, void *target)
{
    (void)target;
    if (!tree_is_null(node))
        strict_unsupported(s, node, "webhook_configs: payload is not supported yet");
}

static void read_webhook(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field keys[] = {
        {"send_resolved", strict_bool, offsetof(struct am_webhook, send_resolved)},
        {"http_config", read_webhook_http, offsetof(struct am_webhook, http)},
        {"url", strict_text, offsetof(struct am_webhook, url)},
        {"url_file", strict_text, offsetof(struct am_webhook, url_file)},
        {"max_alerts", strict_u64, offsetof(struct am_webhook, max_alerts)},
        {"timeout", strict_go_duration_ms, offsetof(struct am_webhook, timeout_ms)},
        {"payload", read_payload, 0},
        {NULL, NULL, 0},
    };
    struct am_webhook *hook = target;
    hook->send_resolved = true;
    if (tree_is_null(node)) {
        strict_fail(s, node, "missing webhook config");
        return;
    }
    if (!strict_struct(s, node, "config.plain", keys, hook))
        return;
    if (hook->url.n == 0 && hook->url_file.n == 0)
        strict_fail(s, node, "one of url or url_file must be configured");
    if (hook->url.n > 0 && hook->url_file.n > 0)
        strict_fail(s, node, "at most one of url & url_file must be configured");
    check_url(s, node, hook->url);
}

static void read_webhooks(struct strict *s, const struct tree *node, void *target)
{
    struct am_receiver *receiver = target;
    struct strict_list hooks = {0};
    strict_list(s, node, "[]*config.WebhookConfig", sizeof(struct am_webhook), read_webhook, &hooks);
    receiver->webhooks = hooks.items;
    receiver->webhook_count = hooks.count;
}

static void keep_labels(struct strict *s, const struct tree *node, void *target)
{
    struct receiver_draft *d = target;
    strict_labels(s, node, &d->receiver.labels);
    d->labels = node;
}

static void name_labels(struct strict *s, struct receiver_draft *d)
{
    struct am_receiver *receiver = &d->receiver;
    if (receiver->labels == NULL)
        receiver->labels = labels_empty(s->arena);
    if (receiver->labels == NULL)
        return;
    struct str name = labels_get(receiver->labels, STR("name"));
    if (name.n > 0 && !str_eq(name, receiver->name))
        strict_fail(s, d->labels, "receiver label \"name\" must match receiver name \"%.*s\", got \"%.*s\"",
                    STR_ARG(receiver->name), STR_ARG(name));
    receiver->labels = labels_with(s->arena, receiver->labels, STR("name"), receiver->name);
}

static void note_unbuilt(struct strict *s, const struct tree *node, struct str receiver)
{
    for (const struct tree *child = node->first; child != NULL; child = child->next) {
        for (size_t i = 0; i < sizeof unbuilt / sizeof *unbuilt; i++) {
            if (str_is(child->key->text, unbuilt[i]) && child->count > 0)
                strict_unsupported(
                    s, child->key,
                    "receiver \"%.*s\": %s are not supported yet; remove them or keep Alertmanager for them",
                    STR_ARG(receiver), unbuilt[i]);
        }
    }
}

static void read_receiver(struct strict *s, const struct tree *node, void *target)
{
    enum { OWN_KEYS = 3, UNBUILT = sizeof unbuilt / sizeof *unbuilt };
    struct strict_field keys[OWN_KEYS + UNBUILT + 1] = {
        {"name", strict_text, offsetof(struct receiver_draft, receiver.name)},
        {"labels", keep_labels, 0},
        {"webhook_configs", read_webhooks, offsetof(struct receiver_draft, receiver)},
    };
    for (size_t i = 0; i < UNBUILT; i++)
        keys[OWN_KEYS + i] = (struct strict_field){unbuilt[i], strict_skip, 0};
    struct receiver_draft d = {0};
    if (!strict_struct(s, node, "config.plain", keys, &d))
        return;
    if (d.receiver.name.n == 0) {
        strict_fail(s, node, "missing name in receiver");
        return;
    }
    if (node->kind == TREE_MAP)
        note_unbuilt(s, node, d.receiver.name);
    name_labels(s, &d);
    *(struct am_receiver *)target = d.receiver;
}

void am_read_receivers(struct strict *s, const struct tree *node, void *target)
{
    struct amconfig *config = ((struct am_reader *)target)->config;
    struct strict_list receivers = {0};
    strict_list(s, node, "[]config.Receiver", sizeof(struct am_receiver), read_receiver, &receivers);
    config->receivers = receivers.items;
    config->receiver_count = receivers.count;
}

static void inherit_http(const struct am_reader *r, struct am_receiver *receiver)
{
    for (size_t i = 0; i < receiver->webhook_count; i++) {
        if (receiver->webhooks[i].http == NULL)
            receiver->webhooks[i].http = r->global_http;
    }
}

void am_check_receivers(struct am_reader *r)
{
    struct amconfig *config = r->config;
    for (size_t i = 0; i < config->receiver_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (str_eq(config->receivers[k].name, config->receivers[i].name)) {
                strict_fail(&r->strict, NULL, "notification config name \"%.*s\" is not unique",
                            STR_ARG(config->receivers[i].name));
                return;
            }
        }
        inherit_http(r, &config->receivers[i]);
    }
}
