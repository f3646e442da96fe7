#include "tocsin/http_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>

#include <string.h>

enum { ARENA_MAX = 1 << 20 };

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_MAX);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static int read_config(const char *yaml, struct http_config *http, struct err *err)
{
    struct strict s;
    struct tree *root = NULL;
    strict_init(&s, &arena);
    int rc = yaml_parse(&arena, str_of(yaml), &root, err);
    assert_int_equal(rc, 0);
    http_config_read(&s, root, http);
    rc = strict_result(&s, err);
    strict_release(&s);
    return rc;
}

static void what_contradicts_itself_is_refused_in_prometheus_words(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *why;
    } table[] = {
        {"{bearer_token: a, bearer_token_file: b}",
         "at most one of bearer_token & bearer_token_file must be configured"},
        {"{basic_auth: {username: a}, bearer_token_file: b}",
         "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured"},
        {"{basic_auth: {username: a, username_file: b}}",
         "at most one of basic_auth username, username_file & username_ref must be configured"},
        {"{basic_auth: {username: u, password_ref: a, password_file: b}}",
         "at most one of basic_auth password, password_file & password_ref must be configured"},
        {"{authorization: {type: APIKEY}, bearer_token: foo}",
         "authorization is not compatible with bearer_token & bearer_token_file"},
        {"{authorization: {credentials: a, credentials_file: b}}",
         "at most one of authorization credentials & credentials_file must be configured"},
        {"{authorization: {type: ' Basic '}}",
         "authorization type cannot be set to \"basic\", use \"basic_auth\" instead"},
        {"{basic_auth: {username: a}, authorization: {credentials: b}}",
         "at most one of basic_auth, oauth2 & authorization must be configured"},
        {"{basic_auth: {username: a}, oauth2: {client_id: b, token_url: 'http://t'}}",
         "at most one of basic_auth, oauth2 & authorization must be configured"},
        {"{oauth2: {token_url: 'http://t'}}", "oauth2 client_id must be configured"},
        {"{oauth2: {client_id: a}}", "oauth2 token_url must be configured"},
        {"{oauth2: {client_id: a, token_url: 'http://t', client_secret: b, client_secret_file: c}}",
         "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be configured "
         "using "
         "grant-type=client_credentials"},
        {"{oauth2: {client_id: a, token_url: 'http://t', grant_type: "
         "'urn:ietf:params:oauth:grant-type:jwt-bearer',"
         " signature_algorithm: HS256}}",
         "valid signature algorithms are RS256, RS384 and RS512"},
        {"{proxy_connect_header: {a: [b]}}", "if proxy_connect_header is configured, proxy_url or "
                                             "proxy_from_environment must also be configured"},
        {"{proxy_from_environment: true, proxy_url: foo}",
         "if proxy_from_environment is configured, proxy_url must not be configured"},
        {"{proxy_from_environment: true, no_proxy: 127.0.0.1}",
         "if proxy_from_environment is configured, no_proxy must not be configured"},
        {"{no_proxy: 127.0.0.1}", "if no_proxy is configured, proxy_url must also be configured"},
        {"{proxy_url: 'http://[::1'}", "parse \"http://[::1\": missing ']' in host"},
        {"{http_headers: {user-Agent: {values: [bar]}}}", "setting header \"User-Agent\" is not allowed"},
        {"{http_headers: {X-AMZ-Date: {files: [bar]}}}", "setting header \"X-Amz-Date\" is not allowed"},
        {"{tls_config: {ca: a, ca_file: b}}", "at most one of ca, ca_file & ca_ref must be configured"},
        {"{tls_config: {cert: a, cert_file: b, key: c}}",
         "at most one of cert, cert_file & cert_ref must be configured"},
        {"{tls_config: {cert: a, key: b, key_file: c}}",
         "at most one of key and key_file must be configured"},
        {"{tls_config: {cert_file: a}}",
         "exactly one of key or key_file must be configured when a client certificate is configured"},
        {"{tls_config: {key: a}}",
         "exactly one of cert or cert_file must be configured when a client key is configured"},
        {"{tls_config: {min_version: TLS14}}", "unknown TLS version: TLS14"},
        {"{tls_config: {min_version: TLS13, max_version: TLS12}}",
         "tls_config.max_version must be greater than or equal to tls_config.min_version if both are "
         "specified"},
        {"{basic: {}, tls_config: {cacert: x}}",
         "yaml: unmarshal errors:\n  line 1: field basic not found in type config.plain\n"
         "  line 1: field cacert not found in type config.plain"},
        {"{http_headers: {a: {value: x}}}",
         "yaml: unmarshal errors:\n  line 1: field value not found in type config.Header"},
        {"{http_headers: [a]}",
         "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into config.Headers"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct http_config http;
        struct err err = {0};
        int rc = read_config(table[i].yaml, &http, &err);
        if (rc != ERR_PARSE || strcmp(err.text, table[i].why) != 0)
            fail_msg("%s: %d %s", table[i].yaml, rc, err.text);
    }
}

static void a_secret_manager_is_said_to_be_missing(void **state)
{
    (void)state;
    struct http_config http;
    struct err err = {0};
    assert_int_equal(read_config("{tls_config: {ca_ref: x}}", &http, &err), ERR_UNSUPPORTED);
    assert_string_equal(err.text, "ca_ref is not supported: there is no secret manager; use a file");
}

static void nothing_means_the_defaults(void **state)
{
    (void)state;
    static const char *const texts[] = {"{}", "~",
                                        "{basic_auth: ~, authorization: ~, tls_config: ~, http_headers: ~}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct http_config http;
        assert_int_equal(read_config(texts[i], &http, NULL), 0);
        assert_true(http.follow_redirects && http.enable_http2);
        assert_false(http.basic || http.auth_type.n > 0 || http_config_has_credentials(&http));
    }
}

static void a_bearer_token_is_an_authorization(void **state)
{
    (void)state;
    struct http_config http;
    assert_int_equal(read_config("{bearer_token_file: t}", &http, NULL), 0);
    assert_true(str_is(http.auth_type, "Bearer") && str_is(http.credentials.file, "t"));
    assert_int_equal(http.bearer.file.n, 0);
    assert_int_equal(read_config("{authorization: {credentials: t}}", &http, NULL), 0);
    assert_true(str_is(http.auth_type, "Bearer") && str_is(http.credentials.text, "t"));
    assert_int_equal(read_config("{authorization: {type: ' ApiKey '}}", &http, NULL), 0);
    assert_true(str_is(http.auth_type, "ApiKey"));
}

static const char all[] = "basic_auth:\n"
                          "  username: u\n"
                          "  password: s3cret\n"
                          "tls_config:\n"
                          "  ca: PEM\n"
                          "  key: s3cret\n"
                          "  cert_file: certs/c.pem\n"
                          "  server_name: sn\n"
                          "  insecure_skip_verify: true\n"
                          "  min_version: TLS12\n"
                          "  max_version: TLS13\n"
                          "follow_redirects: false\n"
                          "enable_http2: false\n"
                          "proxy_url: http://p:s3cret@proxy:3128/\n"
                          "no_proxy: a,b\n"
                          "proxy_connect_header:\n"
                          "  X-P:\n"
                          "  - s3cret\n"
                          "http_headers:\n"
                          "  X-A:\n"
                          "    values:\n"
                          "    - v\n"
                          "    secrets:\n"
                          "    - s3cret\n"
                          "    files:\n"
                          "    - /abs/file\n"
                          "    - rel/file\n";

static const char printed[] = "basic_auth:\n"
                              "  username: u\n"
                              "  password: <secret>\n"
                              "tls_config:\n"
                              "  ca: PEM\n"
                              "  key: <secret>\n"
                              "  cert_file: /conf/certs/c.pem\n"
                              "  server_name: sn\n"
                              "  insecure_skip_verify: true\n"
                              "  min_version: TLS12\n"
                              "  max_version: TLS13\n"
                              "follow_redirects: false\n"
                              "enable_http2: false\n"
                              "proxy_url: http://p:xxxxx@proxy:3128/\n"
                              "no_proxy: a,b\n"
                              "proxy_connect_header:\n"
                              "  X-P:\n"
                              "  - <secret>\n"
                              "http_headers:\n"
                              "  X-A:\n"
                              "    values:\n"
                              "    - v\n"
                              "    secrets:\n"
                              "    - <secret>\n"
                              "    files:\n"
                              "    - /abs/file\n"
                              "    - /conf/rel/file\n";

static void no_secret_is_printed_and_paths_begin_at_the_folder(void **state)
{
    (void)state;
    struct http_config http;
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(read_config(all, &http, NULL), 0);
    http_config_join(&arena, &http, STR("/conf"));
    http_config_print(&out, 0, &http);
    assert_string_equal(buf_text(&out), printed);
    assert_int_equal(read_config(buf_text(&out), &http, NULL), 0); /* it can be read again */
    buf_release(&out);
}

static void the_password_of_a_token_s_url_is_not_printed(void **state)
{
    (void)state;
    struct http_config http;
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(
        read_config("{oauth2: {client_id: i, token_url: 'https://me:s3cret@issuer/t'}}", &http, NULL), 0);
    http_config_print(&out, 0, &http);
    assert_null(strstr(buf_text(&out), "s3cret"));
    assert_non_null(strstr(buf_text(&out), "  token_url: https://me:xxxxx@issuer/t\n"));
    buf_release(&out);
}

static void a_copy_outlives_what_it_was_made_of(void **state)
{
    (void)state;
    struct http_config http;
    struct buf out;
    buf_init(&out, 4096);
    char *text = arena_copy_text(&arena, all, sizeof all - 1);
    assert_int_equal(read_config(text, &http, NULL), 0);
    http_config_join(&arena, &http, STR("/conf"));
    struct http_config *copy = http_config_copy(&http);
    arena_release(&arena);
    http_config_print(&out, 0, copy);
    assert_string_equal(buf_text(&out), printed);
    assert_true(str_is(copy->password.text, "s3cret") && http_config_has_credentials(copy));
    http_config_free(copy);
    buf_release(&out);
}

static void no_proxy_means_what_it_means_in_go(void **state)
{
    (void)state;
    static const struct {
        const char *no_proxy, *host, *port;
        bool spared;
    } table[] = {
        {"", "example.com", "80", false},
        {"", "localhost", "80", true},
        {"", "127.0.0.9", "80", true},
        {"", "::1", "80", true},
        {"", "128.0.0.1", "80", false},
        {"*", "example.com", "80", true},
        {"example.com", "example.com", "80", true},
        {"example.com", "EXAMPLE.com", "80", true},
        {"example.com", "www.example.com", "80", true},
        {"example.com", "notexample.com", "80", false},
        {".example.com", "example.com", "80", false},
        {".example.com", "www.example.com", "80", true},
        {"*.example.com", "www.example.com", "80", true},
        {"*.example.com", "example.com", "80", false},
        {"example.com:8080", "example.com", "80", false},
        {"example.com:8080", "example.com", "8080", true},
        {" a.org , b.org ", "b.org", "80", true},
        {"a.org,,b.org", "c.org", "80", false},
        {"10.1.2.3", "10.1.2.3", "443", true},
        {"10.1.2.3", "10.1.2.4", "443", false},
        {"10.1.2.3:80", "10.1.2.3", "443", false},
        {"10.0.0.0/8", "10.200.0.1", "443", true},
        {"10.0.0.0/9", "10.200.0.1", "443", false},
        {"10.0.0.0/33", "10.0.0.0", "443", false},
        {"10.0.0.0/9223372036854775807", "10.0.0.0", "443", false},
        {"10.0.0.0/x", "10.0.0.0", "443", false},
        {"fd00::/8", "fd12::1", "443", true},
        {"fd00::/8", "fe12::1", "443", false},
        {"[fd12::1]:443", "fd12::1", "443", true},
        {"[fd12::1]:80", "fd12::1", "443", false},
        {"fd12::1", "fd12::1", "443", true},
        {"10.0.0.0/8", "example.com", "443", false},
        {":80", "example.com", "80", false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (http_proxy_spares(str_of(table[i].no_proxy), str_of(table[i].host), str_of(table[i].port)) !=
            table[i].spared)
            fail_msg("no_proxy \"%s\", %s port %s: not %d", table[i].no_proxy, table[i].host, table[i].port,
                     table[i].spared);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(what_contradicts_itself_is_refused_in_prometheus_words),
        CASE(a_secret_manager_is_said_to_be_missing),
        CASE(nothing_means_the_defaults),
        CASE(a_bearer_token_is_an_authorization),
        CASE(no_secret_is_printed_and_paths_begin_at_the_folder),
        CASE(the_password_of_a_token_s_url_is_not_printed),
        CASE(a_copy_outlives_what_it_was_made_of),
        CASE(no_proxy_means_what_it_means_in_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
