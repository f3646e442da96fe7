#include "amconfig_priv.h"

/* Everything an http_config may hold, before it is judged. */
struct http_draft {
    struct am_http http;
    const struct tree *basic, *authorization, *oauth2;
    struct str bearer, bearer_file;
    const struct tree *proxy, *tls, *headers;
};

static void keep_node(struct strict *s, const struct tree *node, void *target)
{
    (void)s;
    *(const struct tree **)target = tree_is_null(node) ? NULL : node;
}

static void read_basic(struct strict *s, const struct tree *node, struct am_http *http)
{
    static const struct strict_field keys[] = {
        {"username", strict_text, offsetof(struct am_http, username)},
        {"username_file", strict_text, offsetof(struct am_http, username_file)},
        {"password", strict_text, offsetof(struct am_http, password)},
        {"password_file", strict_text, offsetof(struct am_http, password_file)},
        {NULL, NULL, 0},
    };
    http->basic = true;
    if (!strict_struct(s, node, "config.plain", keys, http))
        return;
    if (http->username.n > 0 && http->username_file.n > 0)
        strict_fail(s, node, "at most one of basic_auth username & username_file must be configured");
    if (http->password.n > 0 && http->password_file.n > 0)
        strict_fail(s, node, "at most one of basic_auth password & password_file must be configured");
}

static void read_authorization(struct strict *s, const struct tree *node, struct am_http *http)
{
    static const struct strict_field keys[] = {
        {"type", strict_text, offsetof(struct am_http, auth_type)},
        {"credentials", strict_text, offsetof(struct am_http, credentials)},
        {"credentials_file", strict_text, offsetof(struct am_http, credentials_file)},
        {NULL, NULL, 0},
    };
    if (!strict_struct(s, node, "config.plain", keys, http))
        return;
    http->auth_type = str_trim(http->auth_type);
    if (http->auth_type.n == 0)
        http->auth_type = STR("Bearer");
    if (http->credentials.n > 0 && http->credentials_file.n > 0)
        strict_fail(s, node,
                    "at most one of authorization credentials & credentials_file must be configured");
    if (str_eq_nocase(http->auth_type, STR("basic")))
        strict_fail(s, node, "authorization type cannot be set to \"basic\", use \"basic_auth\" instead");
}

static void check_exclusive(struct strict *s, const struct tree *node, const struct http_draft *d)
{
    bool bearer = d->bearer.n > 0 || d->bearer_file.n > 0;
    if (d->bearer.n > 0 && d->bearer_file.n > 0)
        strict_fail(s, node, "at most one of bearer_token & bearer_token_file must be configured");
    if (bearer && (d->basic != NULL || d->oauth2 != NULL))
        strict_fail(s, node,
                    "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured");
    if (bearer && d->authorization != NULL)
        strict_fail(s, node, "authorization is not compatible with bearer_token & bearer_token_file");
    if ((d->basic != NULL) + (d->authorization != NULL) + (d->oauth2 != NULL) > 1)
        strict_fail(s, node, "at most one of basic_auth, oauth2 & authorization must be configured");
}

static void name_unbuilt(struct strict *s, const struct http_draft *d)
{
    const struct tree *unbuilt[] = {d->oauth2, d->proxy, d->tls, d->headers};
    for (size_t i = 0; i < sizeof unbuilt / sizeof *unbuilt; i++) {
        if (unbuilt[i] != NULL && (unbuilt[i]->kind != TREE_MAP || unbuilt[i]->count > 0))
            strict_unsupported(s, unbuilt[i], "http_config: %.*s is not supported yet",
                               STR_ARG(unbuilt[i]->key->text));
    }
}

static void read_draft(struct strict *s, const struct tree *node, struct http_draft *d)
{
    static const struct strict_field keys[] = {
        {"basic_auth", keep_node, offsetof(struct http_draft, basic)},
        {"authorization", keep_node, offsetof(struct http_draft, authorization)},
        {"oauth2", keep_node, offsetof(struct http_draft, oauth2)},
        {"bearer_token", strict_text, offsetof(struct http_draft, bearer)},
        {"bearer_token_file", strict_text, offsetof(struct http_draft, bearer_file)},
        {"tls_config", keep_node, offsetof(struct http_draft, tls)},
        {"follow_redirects", strict_bool, offsetof(struct http_draft, http.follow_redirects)},
        {"enable_http2", strict_bool, offsetof(struct http_draft, http.enable_http2)},
        {"proxy_url", keep_node, offsetof(struct http_draft, proxy)},
        {"no_proxy", keep_node, offsetof(struct http_draft, proxy)},
        {"proxy_from_environment", keep_node, offsetof(struct http_draft, proxy)},
        {"proxy_connect_header", keep_node, offsetof(struct http_draft, proxy)},
        {"http_headers", keep_node, offsetof(struct http_draft, headers)},
        {NULL, NULL, 0},
    };
    if (!strict_struct(s, node, "config.plain", keys, d))
        return;
    check_exclusive(s, node, d);
    if (d->basic != NULL)
        read_basic(s, d->basic, &d->http);
    if (d->authorization != NULL)
        read_authorization(s, d->authorization, &d->http);
    name_unbuilt(s, d);
}

void am_http_read(struct strict *s, const struct tree *node, void *target)
{
    struct http_draft d = {.http = {.follow_redirects = true, .enable_http2 = true}};
    if (!tree_is_null(node))
        read_draft(s, node, &d);
    if (d.bearer.n > 0 || d.bearer_file.n > 0) {
        d.http.auth_type = STR("Bearer");
        d.http.credentials = d.bearer;
        d.http.credentials_file = d.bearer_file;
    }
    *(struct am_http *)target = d.http;
}
