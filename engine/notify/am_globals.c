#include "tocsin/am_globals.h"

#include "field_priv.h"

#include "tocsin/duration.h"
#include "tocsin/strict_model.h"
#include "tocsin/yaml_print.h"

struct am_global_key {
    const char *name;
    enum am_kind kind;
    const char *given; /* the default */
};

static const struct am_global_key keys[AM_GLOBAL_COUNT] = {
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

void am_host_port_text(struct strict *s, const struct tree *node, void *target)
{
    struct str *text = target;
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
        am_host_port_text(s, node, text);
        break;
    }
}

void am_globals_init(struct am_globals *globals, struct arena *arena)
{
    *globals = (struct am_globals){.http = ARENA_NEW(arena, struct http_config)};
    for (size_t i = 0; i < AM_GLOBAL_COUNT; i++)
        globals->text[i] = str_of(keys[i].given);
    if (globals->http != NULL)
        http_config_init(globals->http);
}

static bool read_known(struct strict *s, const struct tree *node, struct am_globals *globals)
{
    struct str name = node->key->text;
    for (size_t i = 0; i < AM_GLOBAL_COUNT; i++) {
        if (str_is(name, keys[i].name)) {
            read_value(s, node, keys[i].kind, &globals->text[i]);
            return true;
        }
    }
    if (str_is(name, "smtp_tls_config"))
        http_read_tls(s, node, &globals->smtp_tls);
    else if (!str_is(name, "http_config"))
        return false;
    else if (globals->http != NULL)
        http_config_read(s, node, globals->http);
    return true;
}

void am_globals_read(struct strict *s, const struct tree *node, void *target)
{
    if (tree_is_null(node))
        return;
    if (node->kind != TREE_MAP) {
        strict_mismatch(s, node, "config.plain");
        return;
    }
    for (const struct tree *child = node->first; child != NULL && !strict_stopped(s); child = child->next)
        if (!read_known(s, child, target))
            strict_unknown(s, child->key, "config.plain");
}

static bool given(const struct am_globals *globals, enum am_global_id id)
{
    return globals->text[id].n > 0;
}

void am_globals_check(struct strict *s, struct am_globals *globals, struct str folder)
{
    static const struct {
        enum am_global_id a, b;
    } apart[] = {
        {AM_GLOBAL_slack_api_url, AM_GLOBAL_slack_api_url_file},
        {AM_GLOBAL_slack_app_token, AM_GLOBAL_slack_app_token_file},
        {AM_GLOBAL_slack_app_token, AM_GLOBAL_slack_api_url},
        {AM_GLOBAL_opsgenie_api_key, AM_GLOBAL_opsgenie_api_key_file},
        {AM_GLOBAL_victorops_api_key, AM_GLOBAL_victorops_api_key_file},
        {AM_GLOBAL_smtp_auth_password, AM_GLOBAL_smtp_auth_password_file},
        {AM_GLOBAL_smtp_auth_secret, AM_GLOBAL_smtp_auth_secret_file},
        {AM_GLOBAL_wechat_api_secret, AM_GLOBAL_wechat_api_secret_file},
        {AM_GLOBAL_telegram_bot_token, AM_GLOBAL_telegram_bot_token_file},
        {AM_GLOBAL_rocketchat_token, AM_GLOBAL_rocketchat_token_file},
        {AM_GLOBAL_rocketchat_token_id, AM_GLOBAL_rocketchat_token_id_file},
        {AM_GLOBAL_mattermost_webhook_url, AM_GLOBAL_mattermost_webhook_url_file},
    };
    struct str slack_url = globals->text[AM_GLOBAL_slack_api_url];
    /* Of a configuration that is read again nobody knows any more. */
    bool same_slack =
        str_eq(slack_url, globals->text[AM_GLOBAL_slack_app_url]) || str_is(slack_url, "<secret>");
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++) {
        if (given(globals, apart[i].a) && given(globals, apart[i].b) &&
            !(apart[i].b == AM_GLOBAL_slack_api_url && same_slack))
            strict_fail(s, NULL, "at most one of %s & %s must be configured", keys[apart[i].a].name,
                        keys[apart[i].b].name);
    }
    if (globals->http != NULL)
        http_config_join(s->arena, globals->http, folder);
    http_join_tls(s->arena, &globals->smtp_tls, folder);
}

/*
 * What amtool reads back from /api/v2/status. Keys newer than Alertmanager 0.25 are left out while they hold nothing
 * but their default, because amtool reads strictly and an older one would refuse the whole text.
 */
static bool is_new_default(size_t id, struct str value)
{
    return (id == AM_GLOBAL_slack_app_url || id == AM_GLOBAL_rocketchat_api_url) &&
           str_is(value, keys[id].given);
}

static void print_value(struct buf *out, const struct am_global_key *key, struct str value)
{
    int64_t ms = 0;
    if (key->kind == AM_KIND_SECRET || key->kind == AM_KIND_SECRET_URL)
        yaml_secret(out, 2, key->name, value);
    else if (key->kind == AM_KIND_BOOL)
        yaml_plain(out, 2, key->name, str_is(value, "true") ? "true" : "false");
    else if (key->kind != AM_KIND_DURATION)
        yaml_text(out, 2, key->name, value);
    else if (duration_parse(value, &ms, NULL) == 0) {
        yaml_key(out, 2, key->name);
        buf_char(out, ' ');
        duration_print(out, ms);
        buf_char(out, '\n');
    }
}

void am_globals_print(struct buf *out, const struct am_globals *globals)
{
    buf_puts(out, "global:\n");
    for (size_t i = 0; i < AM_GLOBAL_COUNT; i++) {
        struct str value = globals->text[i];
        if (value.n > 0 && !is_new_default(i, value))
            print_value(out, &keys[i], value);
        if (i == AM_GLOBAL_resolve_timeout)
            field_print_http(out, 2, globals->http);
        if (i == AM_GLOBAL_smtp_require_tls)
            http_print_tls(out, 2, "smtp_tls_config", &globals->smtp_tls);
    }
}
