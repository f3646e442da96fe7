#include "http_config_priv.h"

size_t http_count_given(const struct tree *map, const char *a, const char *b, const char *c)
{
    const char *const keys[] = {a, b, c};
    size_t count = 0;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct tree *value = tree_get(map, keys[i]);
        count += !tree_is_null(value) && value->text.n > 0;
    }
    return count;
}

void http_refuse_ref(struct strict *s, const struct tree *node, void *target)
{
    struct str name;
    (void)target;
    strict_text(s, node, &name);
    if (name.n > 0)
        strict_unsupported(s, node, "%.*s is not supported: there is no secret manager; use a file",
                           STR_ARG(node->key->text));
}

/* ---- who one is ---- */

static void read_basic(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        {"username", strict_text, offsetof(struct http_config, username.text)},
        {"username_file", strict_text, offsetof(struct http_config, username.file)},
        {"username_ref", http_refuse_ref, 0},
        {"password", strict_text, offsetof(struct http_config, password.text)},
        {"password_file", strict_text, offsetof(struct http_config, password.file)},
        {"password_ref", http_refuse_ref, 0},
        {NULL, NULL, 0},
    };
    struct http_config *http = target;
    http->basic = !tree_is_null(node);
    strict_struct(s, node, "config.plain", fields, http);
}

static void read_authorization(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        {"type", strict_text, offsetof(struct http_config, auth_type)},
        {"credentials", strict_text, offsetof(struct http_config, credentials.text)},
        {"credentials_file", strict_text, offsetof(struct http_config, credentials.file)},
        {"credentials_ref", http_refuse_ref, 0},
        {NULL, NULL, 0},
    };
    struct http_config *http = target;
    strict_struct(s, node, "config.plain", fields, http);
    http->auth_type = str_trim(http->auth_type);
    if (http->auth_type.n == 0 && !tree_is_null(node))
        http->auth_type = STR("Bearer");
}

/* ---- all keys ---- */

static const struct strict_field keys[] = {
    {"basic_auth", read_basic, 0},
    {"authorization", read_authorization, 0},
    {"oauth2", http_read_oauth2, offsetof(struct http_config, oauth2)},
    {"bearer_token", strict_text, offsetof(struct http_config, bearer.text)},
    {"bearer_token_file", strict_text, offsetof(struct http_config, bearer.file)},
    {"tls_config", http_read_tls, offsetof(struct http_config, tls)},
    {"follow_redirects", strict_bool, offsetof(struct http_config, follow_redirects)},
    {"enable_http2", strict_bool, offsetof(struct http_config, enable_http2)},
    {"proxy_url", http_read_proxy_url, offsetof(struct http_config, proxy.url)},
    {"no_proxy", strict_text, offsetof(struct http_config, proxy.no_proxy)},
    {"proxy_from_environment", strict_bool, offsetof(struct http_config, proxy.from_environment)},
    {"proxy_connect_header", http_read_proxy_headers, offsetof(struct http_config, proxy.connect_headers)},
    {"http_headers", http_read_headers, offsetof(struct http_config, headers)},
    {NULL, NULL, 0},
};

void http_config_key(struct strict *s, const struct tree *node, void *target)
{
    for (const struct strict_field *key = keys; key->name != NULL; key++)
        if (str_is(node->key->text, key->name))
            key->read(s, node, (char *)target + key->offset);
}

void http_config_init(struct http_config *http)
{
    *http = (struct http_config){.follow_redirects = true, .enable_http2 = true};
}

void http_config_read(struct strict *s, const struct tree *node, void *target)
{
    http_config_init(target);
    if (strict_struct(s, node, "config.plain", keys, target))
        http_config_check(s, node, target);
}

/* ---- checks ---- */

static void check_bearer(struct strict *s, const struct tree *node, const struct http_config *http)
{
    bool bearer = http->bearer.text.n > 0 || http->bearer.file.n > 0;
    if (http->bearer.text.n > 0 && http->bearer.file.n > 0)
        strict_fail(s, node, "at most one of bearer_token & bearer_token_file must be configured");
    if (bearer && (http->basic || http->oauth2 != NULL))
        strict_fail(s, node,
                    "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured");
}

static void check_basic(struct strict *s, const struct tree *node)
{
    const struct tree *basic = tree_get(node, "basic_auth");
    if (http_count_given(basic, "username", "username_file", "username_ref") > 1)
        strict_fail(s, basic,
                    "at most one of basic_auth username, username_file & username_ref must be configured");
    if (http_count_given(basic, "password", "password_file", "password_ref") > 1)
        strict_fail(s, basic,
                    "at most one of basic_auth password, password_file & password_ref must be configured");
}

static void check_authorization(struct strict *s, const struct tree *node, const struct http_config *http)
{
    const struct tree *given = tree_get(node, "authorization");
    if (http->auth_type.n == 0)
        return;
    if (http->bearer.text.n > 0 || http->bearer.file.n > 0)
        strict_fail(s, node, "authorization is not compatible with bearer_token & bearer_token_file");
    if (http_count_given(given, "credentials", "credentials_file", "credentials_ref") > 1)
        strict_fail(s, given,
                    "at most one of authorization credentials & credentials_file must be configured");
    if (str_eq_nocase(http->auth_type, STR("basic")))
        strict_fail(s, given, "authorization type cannot be set to \"basic\", use \"basic_auth\" instead");
    if (http->basic || http->oauth2 != NULL)
        strict_fail(s, node, "at most one of basic_auth, oauth2 & authorization must be configured");
}

void http_config_check(struct strict *s, const struct tree *node, struct http_config *http)
{
    check_bearer(s, node, http);
    check_basic(s, node);
    check_authorization(s, node, http);
    if (http->oauth2 != NULL) {
        if (http->basic)
            strict_fail(s, node, "at most one of basic_auth, oauth2 & authorization must be configured");
        http_check_oauth2(s, tree_get(node, "oauth2"), http->oauth2);
    }
    http_check_proxy(s, node, &http->proxy);
    http_check_headers(s, tree_get(node, "http_headers"), &http->headers);
    if (http->bearer.text.n > 0 || http->bearer.file.n > 0) {
        http->auth_type = STR("Bearer");
        http->credentials = http->bearer;
        http->bearer = (struct http_secret){0};
    }
}

bool http_config_has_credentials(const struct http_config *http)
{
    return http->basic || http->auth_type.n > 0 || http->oauth2 != NULL || http->headers.count > 0 ||
           http->tls.cert.text.n > 0 || http->tls.cert.file.n > 0;
}
