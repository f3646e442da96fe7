#include "tocsin/http_config.h"

#include "tocsin/url.h"
#include "tocsin/yaml_print.h"

static void begin(struct buf *out, int indent, const char *key)
{
    yaml_key(out, indent, key);
    buf_char(out, '\n');
}

static void print_bool(struct buf *out, int indent, const char *key, bool value)
{
    yaml_plain(out, indent, key, value ? "true" : "false");
}

static void print_list(struct buf *out, int indent, const char *key, const struct strict_texts *texts,
                       bool secret)
{
    if (texts->count == 0)
        return;
    begin(out, indent, key);
    for (size_t i = 0; i < texts->count; i++) {
        buf_repeat(out, ' ', (size_t)indent);
        buf_puts(out, "- ");
        if (secret)
            buf_puts(out, "<secret>");
        else
            yaml_scalar(out, texts->items[i]);
        buf_char(out, '\n');
    }
}

static void print_name(struct buf *out, int indent, struct str name)
{
    buf_repeat(out, ' ', (size_t)indent);
    yaml_scalar(out, name);
    buf_puts(out, ":");
}

static void print_version(struct buf *out, int indent, const char *key, int version)
{
    if (version == 0)
        return;
    yaml_key(out, indent, key);
    buf_format(out, " TLS%d\n", version);
}

static bool says_nothing(const struct http_tls *tls)
{
    return tls->ca.text.n + tls->ca.file.n + tls->cert.text.n + tls->cert.file.n + tls->key.text.n +
                   tls->key.file.n + tls->server_name.n ==
               0 &&
           !tls->insecure_skip_verify && tls->min_version == 0 && tls->max_version == 0;
}

void http_print_tls(struct buf *out, int indent, const char *key, const struct http_tls *tls)
{
    if (says_nothing(tls))
        return;
    begin(out, indent, key);
    indent += 2;
    yaml_text(out, indent, "ca", tls->ca.text);
    yaml_text(out, indent, "cert", tls->cert.text);
    yaml_secret(out, indent, "key", tls->key.text);
    yaml_text(out, indent, "ca_file", tls->ca.file);
    yaml_text(out, indent, "cert_file", tls->cert.file);
    yaml_text(out, indent, "key_file", tls->key.file);
    yaml_text(out, indent, "server_name", tls->server_name);
    print_bool(out, indent, "insecure_skip_verify", tls->insecure_skip_verify);
    print_version(out, indent, "min_version", tls->min_version);
    print_version(out, indent, "max_version", tls->max_version);
}

static void print_url(struct buf *out, int indent, const char *key, struct str text)
{
    struct buf url;
    buf_init(&url, text.n + 16);
    url_print_redacted(&url, text);
    yaml_text(out, indent, key, buf_slice(&url));
    buf_release(&url);
}

static void print_proxy(struct buf *out, int indent, const struct http_proxy *proxy)
{
    if (proxy->url.n > 0)
        print_url(out, indent, "proxy_url", proxy->url);
    else if (proxy->no_proxy.n > 0)
        yaml_plain(out, indent, "proxy_url", "\"\""); /* no_proxy wants it to be there */
    yaml_text(out, indent, "no_proxy", proxy->no_proxy);
    if (proxy->from_environment)
        print_bool(out, indent, "proxy_from_environment", true);
    if (proxy->connect_headers.count > 0)
        begin(out, indent, "proxy_connect_header");
    for (size_t i = 0; i < proxy->connect_headers.count; i++) {
        const struct http_header *header = &proxy->connect_headers.items[i];
        print_name(out, indent + 2, header->name);
        buf_puts(out, header->secrets.count > 0 ? "\n" : " []\n");
        for (size_t k = 0; k < header->secrets.count; k++)
            buf_format(out, "%*s- <secret>\n", indent + 2, "");
    }
}

static void print_oauth2(struct buf *out, int indent, const struct http_oauth2 *oauth2)
{
    begin(out, indent, "oauth2");
    indent += 2;
    yaml_text(out, indent, "client_id", oauth2->client_id);
    yaml_secret(out, indent, "client_secret", oauth2->secret.text);
    yaml_text(out, indent, "client_secret_file", oauth2->secret.file);
    print_list(out, indent, "scopes", &oauth2->scopes, false);
    print_url(out, indent, "token_url", oauth2->token_url);
    if (oauth2->param_count > 0)
        begin(out, indent, "endpoint_params");
    for (size_t i = 0; i < oauth2->param_count; i++) {
        print_name(out, indent + 2, oauth2->params[i].name);
        buf_char(out, ' ');
        yaml_scalar(out, oauth2->params[i].value);
        buf_char(out, '\n');
    }
    http_print_tls(out, indent, "tls_config", &oauth2->tls);
    print_proxy(out, indent, &oauth2->proxy);
}

static void print_basic(struct buf *out, int indent, const struct http_config *http)
{
    begin(out, indent, "basic_auth");
    if (http->username.file.n == 0) { /* never nothing at all, which would read as no basic_auth */
        yaml_key(out, indent + 2, "username");
        buf_char(out, ' ');
        yaml_scalar(out, http->username.text);
        buf_char(out, '\n');
    }
    yaml_text(out, indent + 2, "username_file", http->username.file);
    yaml_secret(out, indent + 2, "password", http->password.text);
    yaml_text(out, indent + 2, "password_file", http->password.file);
}

static void print_headers(struct buf *out, int indent, const struct http_headers *headers)
{
    if (headers->count > 0)
        begin(out, indent, "http_headers");
    for (size_t i = 0; i < headers->count; i++) {
        const struct http_header *header = &headers->items[i];
        print_name(out, indent + 2, header->name);
        bool empty = header->values.count + header->secrets.count + header->files.count == 0;
        buf_puts(out, empty ? " {}\n" : "\n");
        print_list(out, indent + 4, "values", &header->values, false);
        print_list(out, indent + 4, "secrets", &header->secrets, true);
        print_list(out, indent + 4, "files", &header->files, false);
    }
}

void http_config_print(struct buf *out, int indent, const struct http_config *http)
{
    if (http->basic)
        print_basic(out, indent, http);
    if (http->auth_type.n > 0) {
        begin(out, indent, "authorization");
        yaml_text(out, indent + 2, "type", http->auth_type);
        yaml_secret(out, indent + 2, "credentials", http->credentials.text);
        yaml_text(out, indent + 2, "credentials_file", http->credentials.file);
    }
    if (http->oauth2 != NULL)
        print_oauth2(out, indent, http->oauth2);
    http_print_tls(out, indent, "tls_config", &http->tls);
    print_bool(out, indent, "follow_redirects", http->follow_redirects);
    print_bool(out, indent, "enable_http2", http->enable_http2);
    print_proxy(out, indent, &http->proxy);
    print_headers(out, indent, &http->headers);
}
