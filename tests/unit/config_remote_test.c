/* The section remote_write of tocsin.yml. */
#include "../../engine/daemon/daemon_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct config *load(const char *text)
{
    struct config *config;
    struct err err = {0};
    if (config_parse(str_of(text), "/etc/tocsin/tocsin.yml", &config, &err) != 0)
        fail_msg("%s\n%s", text, err.text);
    return config;
}

static void expect_error(const char *item, int code, const char *message)
{
    struct config *config;
    struct err err = {0};
    char text[2048], expected[ERR_TEXT_MAX];
    snprintf(text, sizeof text, "remote_write:\n- %s\n", item);
    snprintf(expected, sizeof expected, "parsing YAML file tocsin.yml: %s", message);
    int rc = config_parse(str_of(text), "tocsin.yml", &config, &err);
    if (rc != code || strcmp(err.text, expected) != 0)
        fail_msg("%s\nexpected %d %s\ngot      %d %s", text, code, expected, rc, err.text);
    assert_null(config);
}

static void the_defaults_are_prometheus(void **state)
{
    (void)state;
    struct config *c = load("remote_write: [{url: http://r/push}]");
    assert_int_equal(c->remote_write_count, 1);
    const struct sender_target *t = &c->remote_write[0];
    assert_true(str_is(t->url, "http://r/push"));
    assert_int_equal(t->name.n, 6);
    assert_int_equal(t->protocol, SENDER_V1);
    assert_int_equal(t->timeout_ms, 30000);
    assert_int_equal(t->samples_max, 2000);
    assert_int_equal(t->deadline_ms, 5000);
    assert_int_equal(t->backoff_min_ms, 30);
    assert_int_equal(t->backoff_max_ms, 5000);
    assert_int_equal(t->age_max_ms, 0);
    assert_int_equal(t->header_count, 0);
    assert_false(t->histograms);
    assert_true(t->retry_429); /* but for this one: what is late is not lost */
    config_free(c);
}

static const char everything[] =
    "remote_write:\n"
    "- url: https://mimir:8080/api/v1/push\n"
    "  name: long\n"
    "  remote_timeout: 7s\n"
    "  headers: {X-Scope-OrgID: team, X-Number: 7}\n"
    "  protobuf_message: io.prometheus.write.v2.Request\n"
    "  send_exemplars: true\n"
    "  send_native_histograms: true\n"
    "  round_robin_dns: true\n"
    "  basic_auth: {username: u, password: s3cret}\n"
    "  tls_config: {ca_file: ca.pem}\n"
    "  follow_redirects: false\n"
    "  write_relabel_configs: [{source_labels: [__name__], regex: 'ALERTS.*', action: drop}]\n"
    "  metadata_config: {send: true, send_interval: 1m, max_samples_per_send: 5}\n"
    "  queue_config: {capacity: 1, max_shards: 2, min_shards: 3, max_samples_per_send: 4, "
    "batch_send_deadline: 5ms,\n"
    "    min_backoff: 6ms, max_backoff: 7ms, retry_on_http_429: false, sample_age_limit: 8m}\n";

static void every_key_is_read(void **state)
{
    (void)state;
    struct config *c = load(everything);
    const struct sender_target *t = &c->remote_write[0];
    assert_true(str_is(t->name, "long"));
    assert_int_equal(t->protocol, SENDER_V2);
    assert_int_equal(t->timeout_ms, 7000);
    assert_int_equal(t->samples_max, 4);
    assert_int_equal(t->deadline_ms, 5);
    assert_int_equal(t->backoff_min_ms, 6);
    assert_int_equal(t->backoff_max_ms, 7);
    assert_int_equal(t->age_max_ms, 8 * 60000);
    assert_false(t->retry_429);
    assert_true(t->histograms);
    assert_int_equal(t->header_count, 2);
    assert_string_equal(t->headers[0].name, "X-Scope-OrgID");
    assert_string_equal(t->headers[0].value, "team");
    assert_string_equal(t->headers[1].value, "7");
    assert_int_equal(t->relabel->count, 1);
    assert_true(t->http->basic);
    assert_false(t->http->follow_redirects);
    assert_true(str_is(t->http->tls.ca.file, "/etc/tocsin/ca.pem"));
    config_free(c);
}

static void what_is_printed_reads_as_the_same_but_for_secrets(void **state)
{
    (void)state;
    struct buf first, second;
    struct config *c = load(everything);
    buf_init(&first, 1 << 16);
    buf_init(&second, 1 << 16);
    config_print(&first, c);
    struct config *again = load(buf_text(&first));
    config_print(&second, again);
    assert_string_equal(buf_text(&first), buf_text(&second));
    assert_null(strstr(buf_text(&first), "s3cret"));
    assert_non_null(strstr(buf_text(&first), "\"X-Scope-OrgID\": <secret>\n"));
    const struct sender_target *t = &again->remote_write[0];
    assert_int_equal(t->samples_max, 4);
    assert_int_equal(t->age_max_ms, 8 * 60000);
    assert_int_equal(t->protocol, SENDER_V2);
    assert_false(t->retry_429);
    assert_true(t->histograms);
    assert_int_equal(t->relabel->items[0].action, RELABEL_DROP);
    config_free(again);
    config_free(c);
    c = load("remote_write: [{url: 'http://me:s3cret@r/push'}]");
    buf_clear(&first);
    config_print(&first, c);
    assert_null(strstr(buf_text(&first), "s3cret"));
    assert_non_null(strstr(buf_text(&first), "- url: \"http://me:xxxxx@r/push\"\n"));
    config_free(c);
    buf_release(&second);
    buf_release(&first);
}

static void a_url_is_printed_so_that_yaml_reads_it_again(void **state)
{
    (void)state;
    struct buf text;
    struct config *c = load("remote_write: [{url: 'http://r/a: {b: c} #d'}]");
    buf_init(&text, 1 << 16);
    config_print(&text, c);
    struct config *again = load(buf_text(&text));
    assert_true(str_eq(c->remote_write[0].url, again->remote_write[0].url));
    config_free(again);
    config_free(c);
    buf_release(&text);
}

static void targets_without_a_name_get_one_that_stays(void **state)
{
    (void)state;
    struct config *a =
        load("remote_write: [{url: http://r/push}, {url: http://r/push}, {url: http://q/push}]");
    struct config *b = load("remote_write: [{url: http://q/push, remote_timeout: 1s}, {url: http://r/push}]");
    assert_true(str_eq(a->remote_write[0].name, b->remote_write[1].name));
    assert_true(str_eq(a->remote_write[2].name, b->remote_write[0].name));
    assert_true(str_starts(a->remote_write[1].name, a->remote_write[0].name));
    assert_true(str_ends(a->remote_write[1].name, STR("-2")));
    config_free(a);
    config_free(b);
}

static void mistakes_are_told_with_their_place(void **state)
{
    (void)state;
    expect_error("", ERR_PARSE, "line 2: empty or null remote write config section");
    expect_error("{name: x}", ERR_PARSE, "line 2: url for remote_write is empty");
    expect_error("{url: 'ftp://x/y'}", ERR_PARSE,
                 "line 2: url for remote_write must be http://HOST/PATH or https://HOST/PATH");
    expect_error("{url: '/push'}", ERR_PARSE,
                 "line 2: url for remote_write must be http://HOST/PATH or https://HOST/PATH");
    expect_error("{url: 'http://a b/'}", ERR_PARSE,
                 "line 2: parse \"http://a b/\": invalid character \" \" in host name");
    expect_error("{url: 'http://a/', colour: red, queue_config: {shards: 1}, metadata_config: {sent: 1}}",
                 ERR_PARSE,
                 "yaml: unmarshal errors:\n"
                 "  line 2: field colour not found in type config.plain\n"
                 "  line 2: field shards not found in type config.QueueConfig\n"
                 "  line 2: field sent not found in type config.MetadataConfig");
    expect_error("{url: 'http://a/', queue_config: {max_samples_per_send: 0}}", ERR_PARSE,
                 "line 2: remote_write: max_samples_per_send must be greater than 0");
    expect_error("{url: 'http://a/', queue_config: {min_backoff: 0s}}", ERR_PARSE,
                 "line 2: remote_write: min_backoff must be greater than 0");
    expect_error("{url: 'http://a/', protobuf_message: v3}", ERR_PARSE,
                 "line 2: unknown type for remote write protobuf message v3, supported: "
                 "prometheus.WriteRequest, io.prometheus.write.v2.Request");
    expect_error("{url: 'http://a/', headers: {Content-type: x}}", ERR_PARSE,
                 "line 2: Content-type is a reserved header. It must not be changed");
    expect_error("{url: 'http://a/', headers: {authorization: x}}", ERR_PARSE,
                 "line 2: authorization header must be changed via the basic_auth, authorization, oauth2, "
                 "sigv4, azuread or google_iam parameter");
    expect_error("{url: 'http://a/', headers: {X-A: \"b\\r\\nX-C: d\"}}", ERR_PARSE,
                 "line 2: remote_write: \"X-A\" is not a sound header");
    expect_error("{url: 'http://a/', name: n}\n- {url: 'http://b/', name: n}", ERR_PARSE,
                 "line 3: found multiple remote write configs with job name \"n\"");
    expect_error("{url: 'http://a/', write_relabel_configs: [null]}", ERR_PARSE,
                 "line 2: empty or null relabeling rule in remote write config");
    expect_error(
        "{url: 'http://a/', sigv4: {region: x}}", ERR_UNSUPPORTED,
        "line 2: remote_write: sigv4 is not supported; let a proxy beside Tocsin do this, or remove it");
}

static void relabelling_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    struct config *config;
    struct err err = {0};
    assert_int_equal(config_parse(STR("remote_write:\n- url: http://a/\n  write_relabel_configs:\n"
                                      "  - {action: hashmod, target_label: x}\n"),
                                  "tocsin.yml", &config, &err),
                     ERR_PARSE);
    assert_non_null(strstr(err.text, "modulus"));
}

static void our_own_address_is_known(void **state)
{
    (void)state;
#define OWN(url, listen) daemon_is_own_url(STR(url), STR(listen))
    assert_true(OWN("http://127.0.0.1:9595/api/v1/write", "127.0.0.1:9595"));
    assert_true(OWN("http://localhost:9595/api/v1/write", "127.0.0.1:9595"));
    assert_true(OWN("http://u:p@127.0.0.2:9595/", "0.0.0.0:9595"));
    assert_true(OWN("http://[::1]:9595/", "[::]:9595"));
    assert_true(OWN("http://localhost:9595/", ":9595"));
    assert_true(OWN("http://Tocsin/api", "tocsin:80"));
    assert_false(OWN("http://127.0.0.1:9596/api/v1/write", "127.0.0.1:9595"));
    assert_false(OWN("http://127.0.0.1/api/v1/write", "127.0.0.1:9595"));
    assert_false(OWN("http://mimir:9595/api/v1/write", "127.0.0.1:9595"));
    assert_false(OWN("http://127.0.0.1:9595/api/v1/write", "10.0.0.1:9595"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_prometheus),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(what_is_printed_reads_as_the_same_but_for_secrets),
        cmocka_unit_test(a_url_is_printed_so_that_yaml_reads_it_again),
        cmocka_unit_test(targets_without_a_name_get_one_that_stays),
        cmocka_unit_test(mistakes_are_told_with_their_place),
        cmocka_unit_test(relabelling_that_makes_no_sense_is_refused),
        cmocka_unit_test(our_own_address_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
