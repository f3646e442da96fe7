#include "http_config_priv.h"

#include "tocsin/url.h"

#include <ctype.h>

/* ---- tls_config ---- */

static void read_version(struct strict *s, const struct tree *node, void *target)
{
    struct str name;
    int *version = target;
    strict_text(s, node, &name);
    *version = 0;
    if (tree_is_null(node) || node->kind != TREE_SCALAR)
        return;
    if (name.n == 5 && str_starts(name, STR("TLS1")) && name.p[4] >= '0' && name.p[4] <= '3')
        *version = 10 + name.p[4] - '0';
    else
        strict_fail(s, node, "unknown TLS version: %.*s", STR_ARG(name));
}

static void check_tls(struct strict *s, const struct tree *node, const struct http_tls *tls)
{
    size_t certs = http_count_given(node, "cert", "cert_file", "cert_ref");
    size_t keys = http_count_given(node, "key", "key_file", "key_ref");
    if (http_count_given(node, "ca", "ca_file", "ca_ref") > 1)
        strict_fail(s, node, "at most one of ca, ca_file & ca_ref must be configured");
    if (certs > 1)
        strict_fail(s, node, "at most one of cert, cert_file & cert_ref must be configured");
    if (keys > 1)
        strict_fail(s, node, "at most one of key and key_file must be configured");
    if (certs > 0 && keys == 0)
        strict_fail(
            s, node,
            "exactly one of key or key_file must be configured when a client certificate is configured");
    if (keys > 0 && certs == 0)
        strict_fail(s, node,
                    "exactly one of cert or cert_file must be configured when a client key is configured");
    if (tls->min_version > 0 && tls->max_version > 0 && tls->max_version < tls->min_version)
        strict_fail(
            s, node,
            "tls_config.max_version must be greater than or equal to tls_config.min_version if both are "
            "specified");
}

void http_read_tls(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        {"ca", strict_text, offsetof(struct http_tls, ca.text)},
        {"cert", strict_text, offsetof(struct http_tls, cert.text)},
        {"key", strict_text, offsetof(struct http_tls, key.text)},
        {"ca_file", strict_text, offsetof(struct http_tls, ca.file)},
        {"cert_file", strict_text, offsetof(struct http_tls, cert.file)},
        {"key_file", strict_text, offsetof(struct http_tls, key.file)},
        {"ca_ref", http_refuse_ref, 0},
        {"cert_ref", http_refuse_ref, 0},
        {"key_ref", http_refuse_ref, 0},
        {"server_name", strict_text, offsetof(struct http_tls, server_name)},
        {"insecure_skip_verify", strict_bool, offsetof(struct http_tls, insecure_skip_verify)},
        {"min_version", read_version, offsetof(struct http_tls, min_version)},
        {"max_version", read_version, offsetof(struct http_tls, max_version)},
        {NULL, NULL, 0},
    };
    if (strict_struct(s, node, "config.plain", fields, target))
        check_tls(s, node, target);
}

/* ---- proxies ---- */

void http_read_proxy_url(struct strict *s, const struct tree *node, void *target)
{
    struct str *text = target;
    struct url url;
    struct err why;
    strict_text(s, node, text);
    if (url_parse(*text, &url, &why) != 0)
        strict_stop(s, node, &why);
}

void http_check_proxy(struct strict *s, const struct tree *node, const struct http_proxy *proxy)
{
    if (proxy->connect_headers.count > 0 && !proxy->from_environment && proxy->url.n == 0)
        strict_fail(s, node,
                    "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be "
                    "configured");
    if (proxy->from_environment && proxy->url.n > 0)
        strict_fail(s, node, "if proxy_from_environment is configured, proxy_url must not be configured");
    if (proxy->from_environment && proxy->no_proxy.n > 0)
        strict_fail(s, node, "if proxy_from_environment is configured, no_proxy must not be configured");
    if (proxy->no_proxy.n > 0 && tree_is_null(tree_get(node, "proxy_url")))
        strict_fail(s, node, "if no_proxy is configured, proxy_url must also be configured");
}

/* ---- headers ---- */

static bool make_room(struct strict *s, const struct tree *node, const char *go_type,
                      struct http_headers *out)
{
    *out = (struct http_headers){0};
    if (tree_is_null(node))
        return false;
    if (node->kind != TREE_MAP) {
        strict_mismatch(s, node, go_type);
        return false;
    }
    out->items = ARENA_ARRAY(s->arena, struct http_header, node->count);
    return out->items != NULL;
}

void http_read_proxy_headers(struct strict *s, const struct tree *node, void *target)
{
    struct http_headers *headers = target;
    if (!make_room(s, node, "config.ProxyHeader", headers))
        return;
    for (const struct tree *child = node->first; child != NULL; child = child->next) {
        struct http_header *header = &headers->items[headers->count++];
        header->name = child->key->text;
        strict_texts(s, child, &header->secrets);
    }
}

void http_read_headers(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        {"values", strict_texts, offsetof(struct http_header, values)},
        {"secrets", strict_texts, offsetof(struct http_header, secrets)},
        {"files", strict_texts, offsetof(struct http_header, files)},
        {NULL, NULL, 0},
    };
    struct http_headers *headers = target;
    if (!make_room(s, node, "config.Headers", headers))
        return;
    for (const struct tree *child = node->first; child != NULL; child = child->next) {
        struct http_header *header = &headers->items[headers->count++];
        header->name = child->key->text;
        strict_struct(s, child, "config.Header", fields, header);
    }
}

/* As Go writes a header's name: Www-Authenticate. Names that are none stay as they are. */
static void canonical_name(struct str name, char *to, size_t size)
{
    bool begins = true;
    size_t n = name.n < size ? name.n : size - 1;
    for (size_t i = 0; i < n; i++) {
        int c = (unsigned char)name.p[i];
        to[i] = (char)(begins ? toupper(c) : tolower(c));
        begins = c == '-';
    }
    to[n] = '\0';
}

void http_check_headers(struct strict *s, const struct tree *node, const struct http_headers *headers)
{
    static const char *const reserved[] = {
        "Authorization",
        "Host",
        "Content-Encoding",
        "Content-Length",
        "Content-Type",
        "User-Agent",
        "Connection",
        "Keep-Alive",
        "Proxy-Authenticate",
        "Proxy-Authorization",
        "Www-Authenticate",
        "Accept-Encoding",
        "X-Prometheus-Remote-Write-Version",
        "X-Prometheus-Remote-Read-Version",
        "X-Prometheus-Scrape-Timeout-Seconds",
        "X-Amz-Date",
        "X-Amz-Security-Token",
        "X-Amz-Content-Sha256",
    };
    char name[64];
    for (size_t i = 0; i < headers->count; i++) {
        canonical_name(headers->items[i].name, name, sizeof name);
        for (size_t k = 0; k < sizeof reserved / sizeof *reserved; k++)
            if (strcmp(name, reserved[k]) == 0)
                strict_fail(s, node, "setting header \"%s\" is not allowed", name);
    }
}

/* ---- oauth2 ---- */

/* What is only judged here: the keys of another grant type, and which it is. */
struct oauth2_draft {
    struct http_oauth2 oauth2;
    struct str grant_type, ignored, algorithm;
};

static void read_params(struct strict *s, const struct tree *node, void *target)
{
    struct http_oauth2 *oauth2 = target;
    struct strict_pairs pairs = {0};
    strict_pairs(s, node, &pairs);
    oauth2->params = pairs.items;
    oauth2->param_count = pairs.count;
}

#define JWT_BEARER "urn:ietf:params:oauth:grant-type:jwt-bearer"

void http_read_oauth2(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        {"client_id", strict_text, offsetof(struct oauth2_draft, oauth2.client_id)},
        {"client_secret", strict_text, offsetof(struct oauth2_draft, oauth2.secret.text)},
        {"client_secret_file", strict_text, offsetof(struct oauth2_draft, oauth2.secret.file)},
        {"client_secret_ref", http_refuse_ref, 0},
        {"client_certificate_key_id", strict_text, offsetof(struct oauth2_draft, ignored)},
        {"client_certificate_key", strict_text, offsetof(struct oauth2_draft, ignored)},
        {"client_certificate_key_file", strict_text, offsetof(struct oauth2_draft, ignored)},
        {"client_certificate_key_ref", http_refuse_ref, 0},
        {"grant_type", strict_text, offsetof(struct oauth2_draft, grant_type)},
        {"signature_algorithm", strict_text, offsetof(struct oauth2_draft, algorithm)},
        {"iss", strict_text, offsetof(struct oauth2_draft, ignored)},
        {"audience", strict_text, offsetof(struct oauth2_draft, ignored)},
        {"claims", strict_skip, 0},
        {"scopes", strict_texts, offsetof(struct oauth2_draft, oauth2.scopes)},
        {"token_url", strict_text, offsetof(struct oauth2_draft, oauth2.token_url)},
        {"endpoint_params", read_params, offsetof(struct oauth2_draft, oauth2)},
        {"tls_config", http_read_tls, offsetof(struct oauth2_draft, oauth2.tls)},
        {"proxy_url", http_read_proxy_url, offsetof(struct oauth2_draft, oauth2.proxy.url)},
        {"no_proxy", strict_text, offsetof(struct oauth2_draft, oauth2.proxy.no_proxy)},
        {"proxy_from_environment", strict_bool, offsetof(struct oauth2_draft, oauth2.proxy.from_environment)},
        {"proxy_connect_header", http_read_proxy_headers,
         offsetof(struct oauth2_draft, oauth2.proxy.connect_headers)},
        {NULL, NULL, 0},
    };
    struct oauth2_draft draft = {0};
    strict_struct(s, node, "config.plain", fields, &draft);
    if (tree_is_null(node))
        return;
    struct http_oauth2 *oauth2 = ARENA_NEW(s->arena, struct http_oauth2);
    if (oauth2 != NULL)
        *oauth2 = draft.oauth2;
    *(struct http_oauth2 **)target = oauth2;
}

static void check_jwt(struct strict *s, const struct tree *node)
{
    const struct tree *algorithm = tree_get(node, "signature_algorithm");
    if (http_count_given(node, "client_certificate_key", "client_certificate_key_file",
                         "client_certificate_key_ref") > 1)
        strict_fail(s, node,
                    "at most one of oauth2 client_certificate_key, client_certificate_key_file & "
                    "client_certificate_key_ref must be configured using grant-type=" JWT_BEARER);
    if (!tree_is_null(algorithm) && !str_is(algorithm->text, "RS256") && !str_is(algorithm->text, "RS384") &&
        !str_is(algorithm->text, "RS512"))
        strict_fail(s, algorithm, "valid signature algorithms are RS256, RS384 and RS512");
    strict_unsupported(s, tree_get(node, "grant_type"),
                       "oauth2: grant_type " JWT_BEARER " is not supported yet");
}

void http_check_oauth2(struct strict *s, const struct tree *node, const struct http_oauth2 *oauth2)
{
    const struct tree *grant = tree_get(node, "grant_type");
    if (oauth2->client_id.n == 0)
        strict_fail(s, node, "oauth2 client_id must be configured");
    if (oauth2->token_url.n == 0)
        strict_fail(s, node, "oauth2 token_url must be configured");
    if (!tree_is_null(grant) && str_is(grant->text, JWT_BEARER))
        check_jwt(s, node);
    else if (http_count_given(node, "client_secret", "client_secret_file", "client_secret_ref") > 1)
        strict_fail(
            s, node,
            "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be configured "
            "using grant-type=client_credentials");
}
