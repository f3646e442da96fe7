/*
 * http_config: how to talk to an HTTP server: who one is, whom one trusts, through what (prometheus/common's HTTPClientConfig;
 * http_config of Alertmanager, and, inline, of alertmanagers and remote_write).
 *
 *   basic_auth            username(_file), password(_file)
 *   authorization         type (Bearer), credentials(_file); bearer_token(_file) is the same
 *   oauth2                client_id, client_secret(_file), scopes, token_url, endpoint_params, tls_config, proxy: client credentials
 *   tls_config            ca(_file), cert(_file), key(_file), server_name, insecure_skip_verify, min_version, max_version
 *   proxy_url, no_proxy, proxy_from_environment, proxy_connect_header
 *   http_headers          NAME: {values, secrets, files}
 *   follow_redirects, enable_http2
 *
 * The one who sends (courier.h) reads the files at each request, so what rotates there is used at once.
 *
 * Everything is read, printed and refused in Prometheus' words; what holds a secret prints as <secret>. Valid but refused, because
 * nobody is there who could do it: *_ref (a secret manager), oauth2 with a grant type other than client_credentials.
 */
#ifndef TOCSIN_HTTP_CONFIG_H
#define TOCSIN_HTTP_CONFIG_H

#include "tocsin/labels.h"
#include "tocsin/strict.h"

/* A value, or the file it is in (white space around it does not count). */
struct http_secret {
    struct str text, file;
};

/* 10 for TLS10 to 13 for TLS13; 0: not given, then the least is TLS12. */
struct http_tls {
    struct http_secret ca, cert, key; /* PEM; without ca: the system's */
    struct str server_name;           /* the name to ask for and to verify; empty: the URL's host */
    bool insecure_skip_verify;
    int min_version, max_version;
};

/* Values of one header, one line each. */
struct http_header {
    struct str name;
    struct strict_texts values, secrets, files;
};

struct http_headers {
    struct http_header *items;
    size_t count;
};

struct http_proxy {
    struct str url, no_proxy;
    bool from_environment;               /* HTTP_PROXY, HTTPS_PROXY, NO_PROXY */
    struct http_headers connect_headers; /* only with secrets */
};

struct http_oauth2 {
    struct str client_id, token_url;
    struct http_secret secret;
    struct strict_texts scopes;
    struct label *params;
    size_t param_count;
    struct http_tls tls;
    struct http_proxy proxy;
};

struct http_config {
    bool basic; /* basic_auth is given */
    struct http_secret username, password;
    struct str auth_type; /* empty: no authorization */
    struct http_secret credentials;
    struct http_oauth2 *oauth2; /* NULL: none */
    struct http_tls tls;
    struct http_proxy proxy;
    struct http_headers headers;
    bool follow_redirects, enable_http2;
    struct http_secret bearer; /* until http_config_check makes it an authorization */
};

/* The defaults: redirects followed, HTTP/2 allowed, nothing else. */
void http_config_init(struct http_config *http);

/* Reads a map of its own (`http_config:`) into a struct http_config, with defaults and checks. */
strict_read http_config_read;

/* Where the keys stand among others: HTTP_CONFIG_FIELDS(offsetof(struct mine, http)) in the table of fields, http_config_init before,
 * http_config_check after strict_struct has returned true. */
#define HTTP_CONFIG_FIELDS(at)                                                                              \
    {"basic_auth", http_config_key, (at)}, {"authorization", http_config_key, (at)},                        \
        {"oauth2", http_config_key, (at)}, {"bearer_token", http_config_key, (at)},                         \
        {"bearer_token_file", http_config_key, (at)}, {"tls_config", http_config_key, (at)},                \
        {"follow_redirects", http_config_key, (at)}, {"enable_http2", http_config_key, (at)},               \
        {"proxy_url", http_config_key, (at)}, {"no_proxy", http_config_key, (at)},                          \
        {"proxy_from_environment", http_config_key, (at)}, {"proxy_connect_header", http_config_key, (at)}, \
    {                                                                                                       \
        "http_headers", http_config_key, (at)                                                               \
    }

strict_read http_config_key; /* struct http_config; the key says which part */

/* Stops at what contradicts itself. */
void http_config_check(struct strict *s, const struct tree *node, struct http_config *http);

/* Relative paths begin at this folder; in the arena. */
void http_config_join(struct arena *arena, struct http_config *http, struct str folder);

/* Whether requests carry something that proves who sends them. */
bool http_config_has_credentials(const struct http_config *http);

/* A tls_config that stands alone: reads a map of its own into a struct http_tls; relative paths begin at the folder; prints under a key, or
 * nothing if it says nothing. */
strict_read http_read_tls;
void http_join_tls(struct arena *arena, struct http_tls *tls, struct str folder);
void http_print_tls(struct buf *out, int indent, const char *key, const struct http_tls *tls);

/* As YAML, its keys at `indent`. */
void http_config_print(struct buf *out, int indent, const struct http_config *http);

/* A copy that borrows nothing, on the heap. */
struct http_config *http_config_copy(const struct http_config *http);
void http_config_free(struct http_config *http);

/* Whether no_proxy (Go's httpproxy: hosts and their subdomains, .SUBDOMAINS, addresses, networks, each perhaps with :PORT, or *) spares a
 * host the proxy. Loopback and localhost are always spared. */
bool http_proxy_spares(struct str no_proxy, struct str host, struct str port);

#endif
