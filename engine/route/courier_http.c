#include "courier_priv.h"

#include "tocsin/limits.h"
#include "tocsin/url.h"

#include <stdlib.h>

/* A file of certificates may be the whole bundle of a system. */
enum { SECRET_MAX = 64 << 10, PEM_MAX = 1 << 20, MEMORY_MAX = 8 << 20 };

/* One request while it is dressed. libcurl copies what it is given, so the arena goes at the end. */
struct fitting {
    struct world *world;
    CURL *easy;
    const struct http_config *http;
    const char *bearer;
    const char *whole_url;
    struct url url;
    struct arena arena;
    struct dress *dress;
    struct err *err;
};

void courier_undress(struct dress *dress)
{
    curl_slist_free_all(dress->headers);
    curl_slist_free_all(dress->proxy_headers);
    curl_slist_free_all(dress->connect_to);
    curl_slist_free_all(dress->recipients);
    *dress = (struct dress){0};
}

/* ---- headers ---- */

bool courier_is_token(const char *name)
{
    for (const char *p = name; *p != '\0'; p++) {
        if (*p <= ' ' || *p == 0x7f || strchr("()<>@,;:\\\"/[]?={}", *p) != NULL)
            return false;
    }
    return *name != '\0';
}

static bool is_value(const char *value)
{
    for (const char *p = value; *p != '\0'; p++) {
        if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
            return false;
    }
    return true;
}

bool courier_add_header(struct curl_slist **list, const char *name, const char *value)
{
    if (!courier_is_token(name) || !is_value(value))
        return false;
    struct buf line;
    buf_init(&line, (size_t)limits.header_bytes);
    /* "Name;" is how libcurl is told of a header without a value. */
    buf_format(&line, *value != '\0' ? "%s: %s" : "%s;%s", name, value);
    struct curl_slist *longer = buf_overflow(&line) ? NULL : curl_slist_append(*list, buf_text(&line));
    buf_release(&line);
    if (longer != NULL)
        *list = longer;
    return longer != NULL;
}

/* NULL only past the arena's cap, which is asked about at the end. */
static const char *text_of(struct fitting *f, struct str s)
{
    return arena_copy_text(&f->arena, s.p, s.n);
}

static int add(struct fitting *f, struct curl_slist **list, const char *name, const char *value)
{
    if (name == NULL || value == NULL)
        return err_set(f->err, ERR_LIMIT, "what the request's http configuration holds is too large");
    if (!courier_add_header(list, name, value))
        return err_set(f->err, ERR_ARG, "the header %s is not sound", courier_is_token(name) ? name : "");
    return 0;
}

/* ---- files ---- */

static int read_file(struct fitting *f, struct str path, size_t bytes_max, struct str *out)
{
    struct buf content;
    buf_init(&content, bytes_max);
    const char *name = text_of(f, path);
    int rc = name != NULL ? f->world->read_file(f->world, name, &content, f->err)
                          : err_set(f->err, ERR_LIMIT, "the path is too long");
    if (rc == 0) {
        *out = str_copy(&f->arena, buf_slice(&content));
        rc = out->p != NULL ? 0 : err_set(f->err, ERR_LIMIT, "the file is too large");
    }
    buf_release(&content);
    return rc;
}

int courier_read_secret(struct world *world, struct arena *arena, const struct http_secret *secret,
                        const char *what, struct str *out, struct err *err)
{
    struct buf content;
    *out = secret->text;
    if (secret->file.n == 0)
        return 0;
    buf_init(&content, SECRET_MAX);
    const char *name = arena_copy_text(arena, secret->file.p, secret->file.n);
    int rc = name != NULL ? world->read_file(world, name, &content, err)
                          : err_set(err, ERR_LIMIT, "the path is too long");
    *out = str_trim(str_copy(arena, buf_slice(&content)));
    if (rc != 0)
        err_prefix(err, "unable to read %s: ", what);
    buf_release(&content);
    return rc;
}

static int fetch(struct fitting *f, const struct http_secret *secret, const char *what, struct str *out)
{
    return courier_read_secret(f->world, &f->arena, secret, what, out, f->err);
}

/* ---- who one is ---- */

static const char *base64(struct arena *arena, struct str in)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = arena_alloc(arena, (in.n + 2) / 3 * 4 + 1);
    if (out == NULL)
        return NULL;
    char *at = out;
    for (size_t i = 0; i < in.n; i += 3) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (i + k < in.n ? (unsigned char)in.p[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            *at++ = k <= in.n - i ? digits[bits >> (18 - 6 * k) & 63] : '=';
    }
    *at = '\0';
    return out;
}

static int add_basic(struct fitting *f)
{
    struct str user, password;
    int rc = fetch(f, &f->http->username, "basic auth username", &user);
    if (rc == 0)
        rc = fetch(f, &f->http->password, "basic auth password", &password);
    if (rc != 0)
        return rc;
    const char *pair = arena_format(&f->arena, "%.*s:%.*s", STR_ARG(user), STR_ARG(password));
    const char *encoded = pair != NULL ? base64(&f->arena, str_of(pair)) : NULL;
    const char *value = encoded != NULL ? arena_format(&f->arena, "Basic %s", encoded) : NULL;
    return add(f, &f->dress->headers, "Authorization", value);
}

static int add_authorization(struct fitting *f)
{
    struct str credentials;
    if (f->http->basic)
        return add_basic(f);
    if (f->bearer != NULL)
        return add(f, &f->dress->headers, "Authorization", f->bearer);
    if (f->http->auth_type.n == 0)
        return 0;
    int rc = fetch(f, &f->http->credentials, "authorization credentials", &credentials);
    if (rc != 0)
        return rc;
    return add(f, &f->dress->headers, "Authorization",
               arena_format(&f->arena, "%.*s %.*s", STR_ARG(f->http->auth_type), STR_ARG(credentials)));
}

static int add_texts(struct fitting *f, struct curl_slist **list, const char *name,
                     const struct strict_texts *texts)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < texts->count; i++)
        rc = add(f, list, name, text_of(f, texts->items[i]));
    return rc;
}

static int add_own_headers(struct fitting *f)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < f->http->headers.count; i++) {
        const struct http_header *header = &f->http->headers.items[i];
        const char *name = text_of(f, header->name);
        rc = add_texts(f, &f->dress->headers, name, &header->values);
        if (rc == 0)
            rc = add_texts(f, &f->dress->headers, name, &header->secrets);
        for (size_t k = 0; rc == 0 && k < header->files.count; k++) {
            const struct http_secret file = {.file = header->files.items[k]};
            struct str value;
            rc = fetch(f, &file, "headers file", &value);
            if (rc == 0)
                rc = add(f, &f->dress->headers, name, text_of(f, value));
        }
    }
    return rc;
}

/* ---- whom one trusts ---- */

/* With its content instead of its path, libcurl tells connections made with an older file apart. */
static int set_pem(struct fitting *f, const struct http_secret *pem, const char *what, CURLoption option,
                   CURLoption proxy_option)
{
    struct str text = pem->text;
    int rc = pem->file.n > 0 ? read_file(f, pem->file, PEM_MAX, &text) : 0;
    if (rc == 0 && pem->file.n > 0 && text.n == 0) /* just being written: not a request without it */
        rc = err_set(f->err, ERR_CORRUPT, "the file is empty");
    if (rc != 0)
        err_prefix(f->err, "unable to read %s: ", what);
    if (rc != 0 || text.n == 0)
        return rc;
    struct curl_blob blob = {.data = (void *)text.p, .len = text.n, .flags = CURL_BLOB_COPY};
    curl_easy_setopt(f->easy, option, &blob);
    curl_easy_setopt(f->easy, proxy_option, &blob);
    return 0;
}

/* What libcurl calls a version from the least on, and up to one. */
static long versions(const struct http_tls *tls)
{
    static const long least[] = {CURL_SSLVERSION_TLSv1_0, CURL_SSLVERSION_TLSv1_1, CURL_SSLVERSION_TLSv1_2,
                                 CURL_SSLVERSION_TLSv1_3};
    static const long most[] = {CURL_SSLVERSION_MAX_TLSv1_0, CURL_SSLVERSION_MAX_TLSv1_1,
                                CURL_SSLVERSION_MAX_TLSv1_2, CURL_SSLVERSION_MAX_TLSv1_3};
    int min = tls->min_version > 0 ? tls->min_version : 12;
    return least[min - 10] | (tls->max_version > 0 ? most[tls->max_version - 10] : 0);
}

/* libcurl asks for, and verifies, the name in the URL. So the URL gets the name, and the connection goes where the URL led. */
static int set_server_name(struct fitting *f)
{
    const char *name = text_of(f, f->http->tls.server_name), *host = text_of(f, f->url.authority);
    const char *to = arena_format(&f->arena, "::%s%.*s%s:%.*s", f->url.authority.p[0] == '[' ? "[" : "",
                                  STR_ARG(f->url.host), f->url.authority.p[0] == '[' ? "]" : "",
                                  STR_ARG(f->url.port.n > 0 ? f->url.port : STR("443")));
    char *renamed = NULL;
    CURLU *url = curl_url();
    bool sound = url != NULL && name != NULL && to != NULL &&
                 curl_url_set(url, CURLUPART_URL, f->whole_url, 0) == CURLUE_OK &&
                 curl_url_set(url, CURLUPART_HOST, name, 0) == CURLUE_OK &&
                 curl_url_get(url, CURLUPART_URL, &renamed, 0) == CURLUE_OK;
    if (sound) {
        curl_easy_setopt(f->easy, CURLOPT_URL, renamed);
        f->dress->connect_to = curl_slist_append(NULL, to);
        curl_easy_setopt(f->easy, CURLOPT_CONNECT_TO, f->dress->connect_to);
    }
    curl_free(renamed);
    curl_url_cleanup(url);
    return sound ? add(f, &f->dress->headers, "Host", host)
                 : err_set(f->err, ERR_ARG, "tls_config.server_name is not a host's name");
}

static int set_tls(struct fitting *f)
{
    const struct http_tls *tls = &f->http->tls;
    long verified = !tls->insecure_skip_verify;
    curl_easy_setopt(f->easy, CURLOPT_SSL_VERIFYPEER, verified);
    curl_easy_setopt(f->easy, CURLOPT_SSL_VERIFYHOST, verified * 2);
    curl_easy_setopt(f->easy, CURLOPT_PROXY_SSL_VERIFYPEER, verified);
    curl_easy_setopt(f->easy, CURLOPT_PROXY_SSL_VERIFYHOST, verified * 2);
    curl_easy_setopt(f->easy, CURLOPT_SSLVERSION, versions(tls));
    curl_easy_setopt(f->easy, CURLOPT_PROXY_SSLVERSION, versions(tls));
    if (tls->min_version > 0 && tls->min_version < 12) /* else OpenSSL refuses what was asked for */
        curl_easy_setopt(f->easy, CURLOPT_SSL_CIPHER_LIST, "DEFAULT@SECLEVEL=0");
    if (tls->ca.text.n > 0 || tls->ca.file.n > 0) { /* instead of the system's, not beside them */
        curl_easy_setopt(f->easy, CURLOPT_CAINFO, NULL);
        curl_easy_setopt(f->easy, CURLOPT_CAPATH, NULL);
        curl_easy_setopt(f->easy, CURLOPT_PROXY_CAINFO, NULL);
        curl_easy_setopt(f->easy, CURLOPT_PROXY_CAPATH, NULL);
    }
    int rc = set_pem(f, &tls->ca, "CA cert", CURLOPT_CAINFO_BLOB, CURLOPT_PROXY_CAINFO_BLOB);
    if (rc == 0)
        rc =
            set_pem(f, &tls->cert, "specified client cert", CURLOPT_SSLCERT_BLOB, CURLOPT_PROXY_SSLCERT_BLOB);
    if (rc == 0)
        rc = set_pem(f, &tls->key, "specified client key", CURLOPT_SSLKEY_BLOB, CURLOPT_PROXY_SSLKEY_BLOB);
    if (rc == 0 && tls->server_name.n > 0 && !str_eq_nocase(f->url.scheme, STR("http")))
        rc = set_server_name(f);
    return rc;
}

/* ---- through what ---- */

static struct str from_environment(const char *large, const char *small)
{
    const char *value = getenv(large);
    return str_of(value != NULL && *value != '\0' ? value : getenv(small));
}

/* Empty: none. */
static struct str choose_proxy(const struct http_proxy *proxy, const struct url *url)
{
    bool tls = str_eq_nocase(url->scheme, STR("https"));
    struct str port = url->port.n > 0 ? url->port : tls ? STR("443") : STR("80");
    if (proxy->from_environment) {
        struct str found = tls ? from_environment("HTTPS_PROXY", "https_proxy")
                               : from_environment("HTTP_PROXY", "http_proxy");
        return http_proxy_spares(from_environment("NO_PROXY", "no_proxy"), url->host, port) ? (struct str){0}
                                                                                            : found;
    }
    if (proxy->no_proxy.n > 0 && http_proxy_spares(proxy->no_proxy, url->host, port))
        return (struct str){0};
    return proxy->url;
}

static int set_proxy(struct fitting *f)
{
    const struct http_proxy *proxy = &f->http->proxy;
    struct str url = choose_proxy(proxy, &f->url);
    int rc = 0;
    if (url.n == 0)
        return 0;
    /* Go leaves it to a SOCKS proxy to find the host. */
    bool socks = str_starts(url, STR("socks5://"));
    const char *text = arena_format(&f->arena, "%s%.*s", socks ? "socks5h://" : "",
                                    STR_ARG(socks ? ((struct str){url.p + 9, url.n - 9}) : url));
    curl_easy_setopt(f->easy, CURLOPT_PROXY, text);
    curl_easy_setopt(f->easy, CURLOPT_NOPROXY, ""); /* that is decided above */
    for (size_t i = 0; rc == 0 && i < proxy->connect_headers.count; i++) {
        const struct http_header *header = &proxy->connect_headers.items[i];
        rc = add_texts(f, &f->dress->proxy_headers, text_of(f, header->name), &header->secrets);
    }
    curl_easy_setopt(f->easy, CURLOPT_PROXYHEADER, f->dress->proxy_headers);
    return rc;
}

/* ---- all of it ---- */

int courier_dress(struct world *world, CURL *easy, const char *url, const struct http_config *http,
                  const char *bearer, struct dress *dress, struct err *err)
{
    struct fitting f = {.world = world,
                        .easy = easy,
                        .http = http,
                        .bearer = bearer,
                        .whole_url = url,
                        .dress = dress,
                        .err = err};
    int rc = url_parse(str_of(url), &f.url, NULL);
    if (rc != 0 || f.url.authority.n == 0)
        return err_set(err, ERR_ARG, "the URL is not sound"); /* it may be a secret */
    arena_init(&f.arena, MEMORY_MAX);
    if (!http->enable_http2)
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    rc = add_authorization(&f);
    if (rc == 0)
        rc = add_own_headers(&f);
    if (rc == 0)
        rc = set_proxy(&f);
    if (rc == 0)
        rc = set_tls(&f);
    if (rc == 0 && arena_exhausted(&f.arena))
        rc = err_set(err, ERR_LIMIT, "what the request's http configuration holds is too large");
    arena_release(&f.arena);
    return rc;
}

int courier_dress_headers(struct world *world, const struct http_config *http, const char *bearer,
                          struct dress *dress, struct err *err)
{
    struct fitting f = {.world = world, .http = http, .bearer = bearer, .dress = dress, .err = err};
    arena_init(&f.arena, MEMORY_MAX);
    int rc = add_authorization(&f);
    if (rc == 0)
        rc = add_own_headers(&f);
    arena_release(&f.arena);
    return rc;
}

bool courier_may_follow(const char *from, const char *to)
{
    struct url old, new;
    if (url_parse(str_of(from), &old, NULL) != 0 || url_parse(str_of(to), &new, NULL) != 0)
        return false;
    bool was_tls = str_eq_nocase(old.scheme, STR("https")), is_tls = str_eq_nocase(new.scheme, STR("https"));
    return (is_tls || (!was_tls && str_eq_nocase(new.scheme, STR("http")))) && new.user.n == 0 &&
           str_eq_nocase(old.host, new.host);
}
