#include "../../engine/daemon/config_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tocsin/limits.h"

static struct config *load(const char *text)
{
    struct config *config;
    struct err err = {0};
    if (config_parse(str_of(text), "/etc/tocsin/tocsin.yml", &config, &err) != 0)
        fail_msg("%s\n%s", text, err.text);
    return config;
}

static struct err expect_error(const char *text, int code, const char *message)
{
    struct config *config;
    struct err err = {0};
    char expected[ERR_TEXT_MAX];
    snprintf(expected, sizeof expected, "parsing YAML file tocsin.yml: %s", message);
    int rc = config_parse(str_of(text), "tocsin.yml", &config, &err);
    if (rc != code || strcmp(err.text, expected) != 0)
        fail_msg("%s\nexpected %d %s\ngot      %d %s", text, code, expected, rc, err.text);
    assert_null(config);
    return err;
}

static void expect_texts(const struct config_texts *texts, const char *const *expected)
{
    size_t i = 0;
    for (; expected[i] != NULL; i++) {
        assert_true(i < texts->count);
        if (!str_is(texts->items[i], expected[i]))
            fail_msg("expected %s, got %.*s", expected[i], STR_ARG(texts->items[i]));
    }
    assert_int_equal(texts->count, i);
}

static void an_empty_file_has_the_defaults(void **state)
{
    (void)state;
    struct config *c = load("");
    assert_int_equal(c->evaluation_interval_ms, 60000);
    assert_int_equal(c->query_offset_ms, 0);
    assert_int_equal(c->alertmanager_timeout_ms, 10000);
    assert_int_equal(c->external_labels->count, 0);
    assert_int_equal(c->rule_files.count + c->alertmanager_urls.count + c->ignored.count, 0);
    assert_int_equal(c->alertmanager_config_file.n, 0);
    assert_int_equal(c->storage.retention_ms, 0);
    assert_int_equal(c->storage.out_of_order_ms, 0);
    assert_int_equal(c->storage.keep, STORE_KEEP_ALL);
    assert_int_equal(c->wal_sync, STORE_SYNC_GROUP);
    config_free(c);
}

static void a_prometheus_yml_is_accepted_as_it_is(void **state)
{
    (void)state;
    struct config *c = load("global:\n"
                            "  scrape_interval: 15s\n"
                            "  scrape_timeout: 10s\n"
                            "  scrape_protocols: [PrometheusText0.0.4]\n"
                            "  evaluation_interval: 15s\n"
                            "  rule_query_offset: 1m\n"
                            "  external_labels: {site: here, replica: a, none: ''}\n"
                            "  query_log_file: q.log\n"
                            "  scrape_failure_log_file: f.log\n"
                            "  body_size_limit: 1MB\n"
                            "  sample_limit: 1\n"
                            "  target_limit: 1\n"
                            "  label_limit: 1\n"
                            "  label_name_length_limit: 1\n"
                            "  label_value_length_limit: 1\n"
                            "  keep_dropped_targets: 1\n"
                            "  metric_name_validation_scheme: utf8\n"
                            "  metric_name_escaping_scheme: allow-utf-8\n"
                            "  scrape_native_histograms: true\n"
                            "  always_scrape_classic_histograms: true\n"
                            "  convert_classic_histograms_to_nhcb: true\n"
                            "  extra_scrape_metrics: true\n"
                            "runtime: {gogc: 50}\n"
                            "rule_files:\n"
                            "  - first.rules\n"
                            "  - /abs/my/*.rules\n"
                            "scrape_config_files: [a.yml]\n"
                            "scrape_configs:\n"
                            "  - job_name: prometheus\n"
                            "    static_configs: [{targets: [localhost:9090]}]\n"
                            "storage:\n"
                            "  tsdb: {out_of_order_time_window: 30m, retention: {time: 1d}}\n"
                            "  exemplars: {max_exemplars: 10}\n"
                            "remote_write: [{url: http://r/push}]\n"
                            "remote_read: [{url: http://r/read}]\n"
                            "tracing: {endpoint: t:1}\n"
                            "otlp: {}\n"
                            "alerting:\n"
                            "  alert_relabel_configs: []\n"
                            "  alertmanagers:\n"
                            "  - scheme: https\n"
                            "    static_configs: [{targets: ['1.2.3.4:9093'], labels: {a: b}}]\n");
    assert_int_equal(c->evaluation_interval_ms, 15000);
    assert_int_equal(c->query_offset_ms, 60000);
    assert_int_equal(c->external_labels->count, 2);
    assert_true(str_is(labels_get(c->external_labels, STR("site")), "here"));
    assert_int_equal(c->storage.out_of_order_ms, 30 * 60000);
    expect_texts(&c->rule_files, (const char *[]){"first.rules", "/abs/my/*.rules", NULL});
    expect_texts(&c->alertmanager_urls, (const char *[]){"https://1.2.3.4:9093/api/v2/alerts", NULL});
    config_free(c);
}

static void variables_in_external_labels_were_taken_as_they_are_written(void **state)
{
    (void)state;
    assert_int_equal(setenv("TOCSIN_TEST_SITE", "ber", 1), 0);
    assert_int_equal(setenv("TOCSIN_TEST_EMPTY", "", 1), 0);
    static const struct {
        const char *written, *meant;
    } cases[] = {
        {"${TOCSIN_TEST_SITE}", "ber"},
        {"$TOCSIN_TEST_SITE", "ber"},
        {"a-$TOCSIN_TEST_SITE-b${TOCSIN_TEST_SITE}c", "a-ber-bberc"},
        {"$TOCSIN_TEST_SITEx", ""},
        {"x${TOCSIN_TEST_EMPTY}${TOCSIN_TEST_NOT_SET}", "x"},
        {"$$TOCSIN_TEST_SITE", "$TOCSIN_TEST_SITE"},
        {"${$}1", "$1"},
        {"$", "$"},
        {"$.a $", "$.a $"},
        {"a${}b", "ab"},
        {"a${b", "ab"},
        {"$1a$*", "a"},
        {"\xc3\xa4$", "\xc3\xa4$"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "global:\n  external_labels: {a: '%s'}\n", cases[i].written);
        struct config *c = load(text);
        struct str got = labels_get(c->external_labels, STR("a"));
        if (!str_is(got, cases[i].meant))
            fail_msg("%s is %.*s, not %s", cases[i].written, STR_ARG(got), cases[i].meant);
        config_free(c);
    }
}

static void ignored_keys_are_named_in_file_order(void **state)
{
    (void)state;
    struct config *c =
        load("tracing: {}\n"
             "global: {query_log_file: q, scrape_interval: 1m}\n"
             "scrape_configs: []\n"
             "storage: {tsdb: {retention: {time: 1d}, stale_series_compaction_threshold: 1}, exemplars: {}}\n"
             "remote_write: []\n");
    expect_texts(&c->ignored,
                 (const char *[]){"tracing", "query_log_file", "scrape_configs", "retention",
                                  "stale_series_compaction_threshold", "exemplars", "remote_write", NULL});
    config_free(c);
}

static void unknown_keys_are_told_all_together(void **state)
{
    (void)state;
    struct err err =
        expect_error("colour: red\n"
                     "global:\n"
                     "  evaluation_intervall: 1s\n"
                     "rule_files: x\n"
                     "alerting: {alertmanagers: [{static_configs: [{target: [a:1]}], schema: http}]}\n"
                     "storage: {keeep: all, tsdb: {retenshion: 1d}}\n"
                     "scrape_configs: {anything: goes}\n",
                     ERR_PARSE,
                     "yaml: unmarshal errors:\n"
                     "  line 1: field colour not found in type config.plain\n"
                     "  line 3: field evaluation_intervall not found in type config.plain\n"
                     "  line 4: cannot unmarshal !!str `x` into []string\n"
                     "  line 5: field target not found in type struct { Targets []string "
                     "\"yaml:\\\"targets\\\"\"; Labels model.LabelSet \"yaml:\\\"labels\\\"\" }\n"
                     "  line 5: field schema not found in type config.plain\n"
                     "  line 6: field keeep not found in type config.StorageConfig\n"
                     "  line 6: field retenshion not found in type config.plain");
    assert_int_equal(err.line, 0);
}

static void ill_typed_values_are_refused_in_prometheus_words(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"[a]", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into config.plain"},
        {"\nglobal: 5", "yaml: unmarshal errors:\n  line 2: cannot unmarshal !!int `5` into config.plain"},
        {"storage: yes",
         "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!bool `yes` into config.StorageConfig"},
        {"rule_files: [{a: b}]", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!map into string"},
        {"global: {evaluation_interval: [1m]}",
         "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into string"},
        {"global: {external_labels: a}",
         "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `a` into map[string]string"},
        {"alerting: {alertmanagers: {}}",
         "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!map into config.AlertmanagerConfigs"},
        {"alerting: {alertmanagers: [{static_configs: [{targets: a}]}]}",
         "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `a` into []string"},
        {"alertmanager_config_file: [a]",
         "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into string"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_error(cases[i].text, ERR_PARSE, cases[i].message);
}

static void bad_values_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int line, column;
        const char *message;
    } cases[] = {
        {"global:\n  evaluation_interval: 5x\n", 2, 24, "line 2: unknown unit \"x\" in duration \"5x\""},
        {"global: {rule_query_offset: ''}", 1, 29, "line 1: empty duration string"},
        {"global:\n  external_labels:\n    '': x\n", 3, 5, "line 3: \"\" is not a valid label name"},
        {"rule_files: [a, '']", 1, 17, "line 1: rule_files takes file names"},
        {"storage: {keep: some}", 1, 17, "line 1: storage.keep is all or referenced"},
        {"storage:\n  wal: {sync: never}\n", 2, 15, "line 2: storage.wal.sync is group or os"},
        {"storage: {wal: {sync: }}", 1, 23, "line 1: storage.wal.sync is group or os"},
        {"storage: {retention: long}", 1, 22, "line 1: not a valid duration string: \"long\""},
        {"alerting:\n  alertmanagers:\n  - timeout: soon\n", 3, 14,
         "line 3: not a valid duration string: \"soon\""},
        {"alerting:\n  alertmanagers:\n  - api_version: v1\n", 3, 18,
         "line 3: expected Alertmanager api version to be one of [v2] but got v1"},
        {"alerting:\n  alertmanagers:\n  - scheme: ftp\n", 3, 13, "line 3: scheme must be http or https"},
        {"alerting:\n  alertmanagers:\n  - static_configs: [{targets: [a:1, 'http://b:1']}]\n", 3, 38,
         "line 3: a target is HOST:PORT, without scheme and path"},
        {"alerting:\n  alertmanagers:\n  - static_configs: [{targets: ['']}]\n", 3, 33,
         "line 3: a target is HOST:PORT, without scheme and path"},
        {"alerting:\n  alertmanagers:\n  - static_configs: [{labels: {}}]\n", 3, 22,
         "line 3: a static config needs a list of targets"},
        {"alerting:\n  alertmanagers:\n  - static_configs: [null]\n", 3, 22,
         "line 3: a static config needs a list of targets"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = expect_error(cases[i].text, ERR_PARSE, cases[i].message);
        if (err.line != cases[i].line || err.column != cases[i].column)
            fail_msg("%s\nexpected line %d, column %d; got %d, %d", cases[i].text, cases[i].line,
                     cases[i].column, err.line, err.column);
    }
}

static void what_would_change_a_page_is_refused_by_name(void **state)
{
    (void)state;
    static const char *const keys[] = {"basic_auth",
                                       "authorization",
                                       "oauth2",
                                       "sigv4",
                                       "tls_config",
                                       "proxy_url",
                                       "http_headers",
                                       "relabel_configs",
                                       "alert_relabel_configs",
                                       "dns_sd_configs",
                                       "file_sd_configs",
                                       "kubernetes_sd_configs",
                                       "consul_sd_configs",
                                       "http_sd_configs"};
    char text[256], message[256];
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        snprintf(text, sizeof text, "alerting:\n  alertmanagers:\n  - timeout: 1s\n    %s: {a: b}\n",
                 keys[i]);
        snprintf(message, sizeof message,
                 "line 4: %s is not supported yet; remove it, or list the targets under static_configs",
                 keys[i]);
        struct err err = expect_error(text, ERR_UNSUPPORTED, message);
        assert_int_equal(err.line, 4);
        assert_int_equal(err.column, 5);
        snprintf(text, sizeof text, "alerting: {alertmanagers: [{%s: }, {%s: []}]}", keys[i], keys[i]);
        config_free(load(text));
    }
    expect_error("alerting: {alert_relabel_configs: [{action: drop}]}", ERR_UNSUPPORTED,
                 "line 1: alert_relabel_configs is not supported yet; remove it, or list the targets under "
                 "static_configs");
}

static void mistakes_come_before_what_is_not_supported(void **state)
{
    (void)state;
    expect_error("alerting: {alertmanagers: [{proxy_url: x}]}\ncolour: red\n", ERR_PARSE,
                 "yaml: unmarshal errors:\n  line 2: field colour not found in type config.plain");
}

static void yaml_errors_are_told_once(void **state)
{
    (void)state;
    struct err err = expect_error("global: {}\nglobal: {}\n", ERR_PARSE,
                                  "yaml: line 2: key \"global\" already set in map");
    assert_int_equal(err.line, 2);
}

static void alertmanagers_become_whole_urls(void **state)
{
    (void)state;
    struct config *c = load("alerting:\n"
                            "  alertmanagers:\n"
                            "  - static_configs:\n"
                            "    - targets: [a:1, b]\n"
                            "    - targets: []\n"
                            "    - targets: ['[::1]:9093']\n"
                            "    path_prefix: am/\n"
                            "    timeout: 3s\n"
                            "    api_version: v2\n"
                            "    follow_redirects: false\n"
                            "    enable_http2: false\n"
                            "  - {static_configs: [{targets: [c:2]}], scheme: https, path_prefix: /x/y//}\n"
                            "  - {path_prefix: /, static_configs: [{targets: [d:3]}]}\n"
                            "  - \n");
    expect_texts(&c->alertmanager_urls,
                 (const char *[]){"http://a:1/am/api/v2/alerts", "http://b/am/api/v2/alerts",
                                  "http://[::1]:9093/am/api/v2/alerts", "https://c:2/x/y/api/v2/alerts",
                                  "http://d:3/api/v2/alerts", NULL});
    assert_int_equal(c->alertmanager_timeout_ms, 3000);
    config_free(c);
}

static void storage_options_are_read(void **state)
{
    (void)state;
    struct config *c = load("storage: {out_of_order_time_window: 10m, retention: 2d, keep: referenced}");
    assert_int_equal(c->storage.out_of_order_ms, 600000);
    assert_int_equal(c->storage.retention_ms, 2 * 86400000);
    assert_int_equal(c->storage.keep, STORE_KEEP_REFERENCED);
    config_free(c);
    c = load("storage: {retention: auto, keep: all, wal: {sync: group}}");
    assert_int_equal(c->storage.retention_ms, 0);
    assert_int_equal(c->storage.keep, STORE_KEEP_ALL);
    assert_int_equal(c->wal_sync, STORE_SYNC_GROUP);
    config_free(c);
    c = load("storage: {identity_header: X-Scope-OrgID}");
    assert_true(str_is(c->identity_header, "X-Scope-OrgID"));
    config_free(c);
    c = load("storage: {wal: {sync: os}}");
    assert_int_equal(c->identity_header.n, 0);
    assert_int_equal(c->wal_sync, STORE_SYNC_OS);
    config_free(c);
}

static void limits_are_set_by_name(void **state)
{
    (void)state;
    struct limits expected = limits_default;
    struct config *c = load("limits: ");
    assert_memory_equal(&c->limits, &expected, sizeof expected);
    config_free(c);
    c = load("limits: {series: 5, push_body_bytes: 1000, json_depth: 64, future_ms: 1}");
    expected.series = 5;
    expected.series_per_identity = 5; /* unless told otherwise */
    expected.push_body_bytes = 1000;
    expected.future_ms = 1;
    assert_memory_equal(&c->limits, &expected, sizeof expected);
    assert_memory_equal(&limits, &limits_default, sizeof limits); /* not in force before somebody says so */
    config_free(c);
    c = load("limits: {series_per_identity: 7, series: 5}");
    assert_int_equal(c->limits.series_per_identity, 7);
    config_free(c);
}

static void bad_limits_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        const char *message;
    } examples[] = {
        {"storage:\n  identity_header: 'X-A: b'\n", ERR_PARSE,
         "line 2: storage.identity_header is a header's name, not \"X-A: b\""},
        {"limits:\n  serie: 5\n", ERR_PARSE,
         "yaml: unmarshal errors:\n  line 2: field serie not found in type config.Limits"},
        {"limits:\n  series: many\n", ERR_PARSE,
         "yaml: unmarshal errors:\n  line 2: cannot unmarshal !!str `many` into int64"},
        {"limits:\n  series: 1.5\n", ERR_PARSE,
         "yaml: unmarshal errors:\n  line 2: cannot unmarshal !!float `1.5` into int64"},
        {"limits: [1]", ERR_PARSE,
         "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into config.Limits"},
        {"limits:\n  series: 0\n", ERR_ARG, "line 2: limits.series is 1 to 1073741824 series, not 0"},
        {"limits:\n  series: -1\n", ERR_ARG, "line 2: limits.series is 1 to 1073741824 series, not -1"},
        {"limits:\n  json_depth: 65\n", ERR_ARG, "line 2: limits.json_depth is 1 to 64 levels, not 65"},
        {"limits:\n  labels_per_series: 129\n", ERR_ARG,
         "line 2: limits.labels_per_series is 1 to 128 labels, not 129"},
        {"limits:\n  store_bytes: 1099511627777\n", ERR_ARG,
         "line 2: limits.store_bytes is 1 to 1099511627776 bytes, not 1099511627777"},
        {"limits:\n  header_ms: 604800001\n", ERR_ARG,
         "line 2: limits.header_ms is 1 to 604800000 ms, not 604800001"},
        {"limits:\n  in_flight_bytes: 205520895\n", ERR_ARG,
         "line 2: limits.in_flight_bytes is too small for one push beside what is being decoded: it needs "
         "205520896 bytes"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        expect_error(examples[i].text, examples[i].code, examples[i].message);
    config_free(load("limits: {in_flight_bytes: 205520896}"));
}

static void null_and_zero_give_the_default_interval(void **state)
{
    (void)state;
    static const char *const texts[] = {"global: ", "global: {}", "global: {evaluation_interval: }",
                                        "global: {evaluation_interval: 0s}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct config *c = load(texts[i]);
        assert_int_equal(c->evaluation_interval_ms, 60000);
        config_free(c);
    }
    struct config *c = load("alerting: {alertmanagers: [{timeout: }]}");
    assert_int_equal(c->alertmanager_timeout_ms, 10000);
    config_free(c);
}

static void relative_paths_start_at_the_files_folder(void **state)
{
    (void)state;
    struct config *c = load("alertmanager_config_file: am.yml");
    assert_true(str_is(c->alertmanager_config_file, "am.yml"));
    assert_true(str_is(c->folder, "/etc/tocsin"));
    assert_string_equal(config_path(c, c->alertmanager_config_file), "/etc/tocsin/am.yml");
    assert_string_equal(config_path(c, STR("/abs")), "/abs");
    config_free(c);
    struct err err;
    assert_int_equal(config_parse(STR(""), "tocsin.yml", &c, &err), 0);
    assert_string_equal(config_path(c, STR("am.yml")), "./am.yml");
    config_free(c);
}

static void a_file_that_is_not_there_is_told_by_the_disk(void **state)
{
    (void)state;
    struct world_sim sim;
    struct config *config;
    struct err err = {0};
    world_sim_init(&sim, 0, 1);
    assert_int_equal(config_load(&sim.world, "/nonexistent/tocsin.yml", &config, &err), ERR_NOT_FOUND);
    assert_null(config);
    assert_non_null(strstr(err.text, "/nonexistent/tocsin.yml"));
}

static void a_small_arena_refuses_the_file(void **state)
{
    (void)state;
    int64_t before = limits.generation_arena_bytes;
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_puts(&text, "rule_files:\n");
    for (int i = 0; i < 1000; i++)
        buf_puts(&text, "- a\n");
    for (limits.generation_arena_bytes = 256; limits.generation_arena_bytes < 100000;
         limits.generation_arena_bytes *= 2) {
        struct config *config;
        struct err err = {0};
        assert_int_equal(config_parse(buf_slice(&text), "t.yml", &config, &err), ERR_LIMIT);
        assert_null(config);
    }
    limits.generation_arena_bytes = before;
    buf_release(&text);
}

/* What is printed of it reads as the same, and prints the same. */
static void what_is_printed_reads_as_the_same(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "global: {evaluation_interval: 15s, rule_query_offset: 90s, external_labels: {site: \"a'b\\\"c: d\", "
        "é.x: '1'}}\n"
        "rule_files: ['rules/*.yml', \"odd: [name]\"]\n"
        "alertmanager_config_file: 'my routes.yml'\n"
        "alerting: {alertmanagers: [{timeout: 3s, static_configs: [{targets: ['a:1', 'b:2']}]},\n"
        "  {scheme: https, timeout: 3s, path_prefix: /p/q, static_configs: [{targets: ['c:3']}]}]}\n"
        "storage: {retention: 15d, keep: referenced, out_of_order_time_window: 1h, identity_header: X-Who,\n"
        "  wal: {sync: os}}\n"
        "limits: {series: 5000, push_body_bytes: 1048576}\n",
        "limits: {series: 5000, series_per_identity: 7}\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct buf first, second;
        struct config *c = load(texts[i]);
        buf_init(&first, 1 << 16);
        buf_init(&second, 1 << 16);
        config_print(&first, c);
        struct config *again = load(buf_text(&first));
        config_print(&second, again);
        assert_string_equal(buf_text(&first), buf_text(&second));
        assert_true(labels_equal(c->external_labels, again->external_labels));
        assert_int_equal(c->evaluation_interval_ms, again->evaluation_interval_ms);
        assert_int_equal(c->query_offset_ms, again->query_offset_ms);
        assert_int_equal(c->rule_files.count, again->rule_files.count);
        assert_int_equal(c->alertmanager_urls.count, again->alertmanager_urls.count);
        for (size_t k = 0; k < c->alertmanager_urls.count; k++)
            assert_true(str_eq(c->alertmanager_urls.items[k], again->alertmanager_urls.items[k]));
        assert_int_equal(c->alertmanager_timeout_ms, again->alertmanager_timeout_ms);
        assert_int_equal(c->storage.retention_ms, again->storage.retention_ms);
        assert_int_equal(c->storage.keep, again->storage.keep);
        assert_int_equal(c->wal_sync, again->wal_sync);
        assert_memory_equal(&c->limits, &again->limits, sizeof c->limits);
        config_free(again);
        config_free(c);
        buf_release(&second);
        buf_release(&first);
    }
}

static void passwords_are_not_printed(void **state)
{
    (void)state;
    struct buf text;
    struct config *c = load(
        "alerting: {alertmanagers: [{static_configs: [{targets: ['me:s3cret@am:9093']}], path_prefix: x}]}\n"
        "remote_write: [{url: 'http://a/b', basic_auth: {username: u, password: s3cret}}]\n"
        "scrape_configs: [{job_name: j, authorization: {credentials: s3cret}}]\n");
    buf_init(&text, 1 << 16);
    config_print(&text, c);
    assert_null(strstr(buf_text(&text), "s3cret"));
    assert_non_null(strstr(buf_text(&text), "targets: [\"<secret>@am:9093\"]\n"));
    buf_release(&text);
    config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_has_the_defaults),
        cmocka_unit_test(a_prometheus_yml_is_accepted_as_it_is),
        cmocka_unit_test(variables_in_external_labels_were_taken_as_they_are_written),
        cmocka_unit_test(ignored_keys_are_named_in_file_order),
        cmocka_unit_test(unknown_keys_are_told_all_together),
        cmocka_unit_test(ill_typed_values_are_refused_in_prometheus_words),
        cmocka_unit_test(bad_values_are_refused_with_their_place),
        cmocka_unit_test(what_would_change_a_page_is_refused_by_name),
        cmocka_unit_test(mistakes_come_before_what_is_not_supported),
        cmocka_unit_test(yaml_errors_are_told_once),
        cmocka_unit_test(alertmanagers_become_whole_urls),
        cmocka_unit_test(storage_options_are_read),
        cmocka_unit_test(limits_are_set_by_name),
        cmocka_unit_test(bad_limits_are_refused_with_their_place),
        cmocka_unit_test(null_and_zero_give_the_default_interval),
        cmocka_unit_test(relative_paths_start_at_the_files_folder),
        cmocka_unit_test(a_file_that_is_not_there_is_told_by_the_disk),
        cmocka_unit_test(a_small_arena_refuses_the_file),
        cmocka_unit_test(what_is_printed_reads_as_the_same),
        cmocka_unit_test(passwords_are_not_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
