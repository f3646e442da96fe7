#include "amconfig_priv.h"

const struct am_global_key am_global_keys[AM_GLOBAL_COUNT] = {
#define KEY(name, kind, given) {#name, AM_KIND_##kind, given},
    AM_GLOBAL_TABLE(KEY)
#undef KEY
};

static void read_duration(struct strict *s, const struct tree *node, struct str *text)
{
    struct strict_duration duration;
    strict_duration(s, node, &duration);
    strict_text(s, node, text);
    if (text->n == 0)
        *text = STR("0s");
}

static void read_bool(struct strict *s, const struct tree *node, struct str *text)
{
    bool value;
    strict_bool(s, node, &value);
    *text = value ? STR("true") : STR("false");
}

/* host:port, the port mandatory, a v6 address in brackets. */
static void read_host_port(struct strict *s, const struct tree *node, struct str *text)
{
    strict_text(s, node, text);
    if (text->n == 0)
        return;
    size_t colon = text->n;
    while (colon > 0 && text->p[colon - 1] != ':')
        colon--;
    struct str host = {text->p, colon > 0 ? colon - 1 : 0};
    if (colon == 0)
        strict_fail(s, node, "address %.*s: missing port in address", STR_ARG(*text));
    else if (colon == text->n)
        strict_fail(s, node, "address \"%.*s\": port cannot be empty", STR_ARG(*text));
    else if (str_find_char(host, ':') < host.n && (host.p[0] != '[' || host.p[host.n - 1] != ']'))
        strict_fail(s, node, "address %.*s: too many colons in address", STR_ARG(*text));
}

static void read_value(struct strict *s, const struct tree *node, enum am_kind kind, struct str *text)
{
    switch (kind) {
    case AM_KIND_TEXT:
    case AM_KIND_SECRET:
        strict_text(s, node, text);
        break;
    case AM_KIND_URL:
        am_url_text(s, node, text);
        break;
    case AM_KIND_SECRET_URL:
        am_secret_url_text(s, node, text);
        break;
    case AM_KIND_DURATION:
        read_duration(s, node, text);
        break;
    case AM_KIND_BOOL:
        read_bool(s, node, text);
        break;
    case AM_KIND_HOSTPORT:
        read_host_port(s, node, text);
        break;
    }
}

void am_set_global(struct am_reader *r)
{
    for (size_t i = 0; i < AM_GLOBAL_COUNT; i++)
        r->global[i] = str_of(am_global_keys[i].given);
    r->global_http = ARENA_NEW(&r->config->arena, struct http_config);
    if (r->global_http != NULL)
        http_config_init(r->global_http);
}

static void read_http(struct strict *s, const struct tree *node, struct am_reader *r)
{
    if (r->global_http == NULL)
        return;
    http_config_read(s, node, r->global_http);
    http_config_join(s->arena, r->global_http, r->folder);
}

static bool read_known(struct am_reader *r, const struct tree *node)
{
    struct strict *s = &r->strict;
    struct str name = node->key->text;
    for (size_t i = 0; i < AM_GLOBAL_COUNT; i++) {
        if (str_is(name, am_global_keys[i].name)) {
            read_value(s, node, am_global_keys[i].kind, &r->global[i]);
            return true;
        }
    }
    if (str_is(name, "http_config"))
        read_http(s, node, r);
    else if (str_is(name, "smtp_tls_config"))
        r->smtp_tls = node;
    else
        return false;
    return true;
}

void am_read_global(struct strict *s, const struct tree *node, void *target)
{
    if (tree_is_null(node))
        return;
    if (node->kind != TREE_MAP) {
        strict_mismatch(s, node, "config.plain");
        return;
    }
    for (const struct tree *child = node->first; child != NULL && !strict_stopped(s); child = child->next)
        if (!read_known(target, child))
            strict_unknown(s, child->key, "config.plain");
}

static void exclude(struct am_reader *r, enum am_global_id a, enum am_global_id b)
{
    if (r->global[a].n > 0 && r->global[b].n > 0)
        strict_fail(&r->strict, NULL, "at most one of %s & %s must be configured", am_global_keys[a].name,
                    am_global_keys[b].name);
}

void am_check_global(struct am_reader *r)
{
    exclude(r, AM_GLOBAL_slack_api_url, AM_GLOBAL_slack_api_url_file);
    exclude(r, AM_GLOBAL_slack_app_token, AM_GLOBAL_slack_app_token_file);
    if (!str_eq(r->global[AM_GLOBAL_slack_api_url], r->global[AM_GLOBAL_slack_app_url]))
        exclude(r, AM_GLOBAL_slack_app_token, AM_GLOBAL_slack_api_url);
    exclude(r, AM_GLOBAL_opsgenie_api_key, AM_GLOBAL_opsgenie_api_key_file);
    exclude(r, AM_GLOBAL_victorops_api_key, AM_GLOBAL_victorops_api_key_file);
    exclude(r, AM_GLOBAL_smtp_auth_password, AM_GLOBAL_smtp_auth_password_file);
    exclude(r, AM_GLOBAL_smtp_auth_secret, AM_GLOBAL_smtp_auth_secret_file);
    exclude(r, AM_GLOBAL_wechat_api_secret, AM_GLOBAL_wechat_api_secret_file);
    exclude(r, AM_GLOBAL_telegram_bot_token, AM_GLOBAL_telegram_bot_token_file);
    exclude(r, AM_GLOBAL_rocketchat_token, AM_GLOBAL_rocketchat_token_file);
    exclude(r, AM_GLOBAL_rocketchat_token_id, AM_GLOBAL_rocketchat_token_id_file);
    exclude(r, AM_GLOBAL_mattermost_webhook_url, AM_GLOBAL_mattermost_webhook_url_file);
}
