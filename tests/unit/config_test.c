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

/* "SCHEME {LABELS} PATH" of each target, in order. */
static void expect_targets(struct config *c, const char *const *expected)
{
    size_t at = 0;
    struct buf text;
    buf_init(&text, 4096);
    for (size_t i = 0; i < c->manager_count; i++) {
        const struct forward_group *g = &c->managers[i].group;
        for (size_t k = 0; k < g->target_count; k++) {
            buf_clear(&text);
            buf_format(&text, "%.*s ", STR_ARG(g->scheme));
            labels_print(&text, g->targets[k]);
            struct str path = forward_path(&c->arena, g->path_prefix);
            buf_format(&text, " %.*s", STR_ARG(path));
            assert_non_null(expected[at]);
            assert_string_equal(buf_text(&text), expected[at++]);
        }
    }
    assert_null(expected[at]);
    buf_release(&text);
}

static void an_empty_file_has_the_defaults(void **state)
{
    (void)state;
    struct config *c = load("");
    assert_int_equal(c->evaluation_interval_ms, 60000);
    assert_int_equal(c->query_offset_ms, 0);
    assert_int_equal(c->external_labels->count, 0);
    assert_int_equal(c->rule_files.count + c->manager_count + c->ignored.count, 0);
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
    expect_targets(c, (const char *[]){"https {__address__=\"1.2.3.4:9093\", a=\"b\"} /api/v2/alerts", NULL});
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
             "remote_read: []\n");
    expect_texts(&c->ignored,
                 (const char *[]){"tracing", "query_log_file", "scrape_configs", "retention",
                                  "stale_series_compaction_threshold", "exemplars", "remote_read", NULL});
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
        {"slo_files: ['']", 1, 13, "line 1: slo_files takes file names"},
        {"storage: {keep: some}", 1, 17, "line 1: storage.keep is all or referenced"},
        {"storage:\n  wal: {sync: never}\n", 2, 15, "line 2: storage.wal.sync is group or os"},
        {"storage: {wal: {sync: }}", 1, 23, "line 1: storage.wal.sync is group or os"},
        {"rules: {evaluation: now}", 1, 21, "line 1: rules.evaluation is clock or data, not \"now\""},
        {"rules: {limit_behaviour: drop}", 1, 26,
         "line 1: rules.limit_behaviour is prometheus or keep, not \"drop\""},
        {"rules: {catch_up: 32d}", 1, 19, "line 1: rules.catch_up is 31 days at most"},
        {"rules: {groups: [{data_wait: 1s}]}", 1, 18, "line 1: rules.groups: say which, with group or file"},
        {"rules: {groups: [{group: '('}]}", 1, 26, "line 1: error parsing regexp: missing closing ): `(`"},
        {"storage: {retention: long}", 1, 22, "line 1: not a valid duration string: \"long\""},
        {"alerting:\n  alertmanagers:\n  - timeout: soon\n", 3, 14,
         "line 3: not a valid duration string: \"soon\""},
        {"alerting:\n  alertmanagers:\n  - api_version: v1\n", 3, 18,
         "line 3: expected Alertmanager api version to be one of [v2] but got v1"},
        {"alerting:\n  alertmanagers:\n  - scheme: ftp\n", 3, 13, "line 3: scheme must be http or https"},
        {"alerting:\n  alertmanagers:\n  - static_configs: [{targets: [a:1, 'http://b:1']}]\n", 3, 38,
         "line 3: \"http://b:1\" is not a valid hostname"},
        {"alerting:\n  alertmanagers:\n  - static_configs: [{targets: ['']}]\n", 3, 33,
         "line 3: \"\" is not a valid hostname"},
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
    static const char *const keys[] = {"sigv4", "file_sd_configs", "kubernetes_sd_configs",
                                       "consul_sd_configs", "http_sd_configs"};
    char text[256], message[256];
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        snprintf(text, sizeof text, "alerting:\n  alertmanagers:\n  - timeout: 1s\n    %s: {a: b}\n",
                 keys[i]);
        snprintf(message, sizeof message,
                 "line 4: %s is not supported yet; remove it, or list the targets under static_configs or "
                 "dns_sd_configs",
                 keys[i]);
        struct err err = expect_error(text, ERR_UNSUPPORTED, message);
        assert_int_equal(err.line, 4);
        assert_int_equal(err.column, 5);
        snprintf(text, sizeof text, "alerting: {alertmanagers: [{%s: }, {%s: []}]}", keys[i], keys[i]);
        config_free(load(text));
    }
}

static void mistakes_come_before_what_is_not_supported(void **state)
{
    (void)state;
    expect_error("alerting: {alertmanagers: [{sigv4: x}]}\ncolour: red\n", ERR_PARSE,
                 "yaml: unmarshal errors:\n  line 2: field colour not found in type config.plain");
}

static void yaml_errors_are_told_once(void **state)
{
    (void)state;
    struct err err = expect_error("global: {}\nglobal: {}\n", ERR_PARSE,
                                  "yaml: line 2: key \"global\" already set in map");
    assert_int_equal(err.line, 2);
}

static void what_makes_no_sense_in_alerting_is_refused_in_prometheus_words(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } table[] = {
        {"{alertmanagers: [{static_configs: [{targets: ['http://a:1']}]}]}",
         "line 1: \"http://a:1\" is not a valid hostname"},
        {"{alertmanagers: [{basic_auth: {username: a}, authorization: {credentials: b}}]}",
         "line 1: at most one of basic_auth, oauth2 & authorization must be configured"},
        {"{alertmanagers: [{relabel_configs: [~]}]}",
         "line 1: empty or null Alertmanager target relabeling rule"},
        {"{alertmanagers: [{alert_relabel_configs: [~]}]}",
         "line 1: empty or null Alertmanager alert relabeling rule"},
        {"{alert_relabel_configs: [~]}", "line 1: empty or null alert relabeling rule"},
        {"{alert_relabel_configs: [{action: drop, regex: '('}]}",
         "line 1: error parsing regexp: missing closing ): `^(?s:()$`"},
        {"{alert_relabel_configs: [{source_labels: [a]}]}",
         "line 1: relabel configuration for replace action requires 'target_label' value"},
        {"{alertmanagers: [{relabel_configs: [{action: hashmod}]}]}",
         "line 1: relabel configuration for hashmod requires non-zero modulus"},
        {"{alertmanagers: [{dns_sd_configs: [{}]}]}",
         "line 1: DNS-SD config must contain at least one SRV record name"},
        {"{alertmanagers: [{dns_sd_configs: [{names: [a], type: A}]}]}",
         "line 1: a port is required in DNS-SD configs for all record types except SRV"},
        {"{alertmanagers: [{dns_sd_configs: [{names: [a], type: TXT}]}]}",
         "line 1: invalid DNS-SD records type TXT"},
        {"{alertmanagers: [{dns_sd_configs: [{name: [a]}]}]}",
         "yaml: unmarshal errors:\n  line 1: field name not found in type dns.plain"},
    };
    char text[256];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        snprintf(text, sizeof text, "alerting: %s", table[i].text);
        (void)expect_error(text, ERR_PARSE, table[i].why);
    }
    /* With relabelling a target may be anything. */
    config_free(
        load("alerting: {alertmanagers: [{static_configs: [{targets: ['http://a:1']}], relabel_configs:"
             " [{target_label: __address__, replacement: b}]}]}"));
}

static void paths_of_credentials_start_at_the_files_folder(void **state)
{
    (void)state;
    struct config *c = NULL;
    assert_int_equal(config_parse(STR("alerting: {alertmanagers: [{tls_config: {ca_file: ca.pem},"
                                      " authorization: {credentials_file: /abs}}]}"),
                                  "/etc/tocsin/tocsin.yml", &c, NULL),
                     0);
    assert_true(str_is(c->managers[0].group.http.tls.ca.file, "/etc/tocsin/ca.pem"));
    assert_true(str_is(c->managers[0].group.http.credentials.file, "/abs"));
    config_free(c);
}

static void alertmanagers_become_targets(void **state)
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
    expect_targets(c, (const char *[]){"http {__address__=\"a:1\"} /am/api/v2/alerts",
                                       "http {__address__=\"b\"} /am/api/v2/alerts",
                                       "http {__address__=\"[::1]:9093\"} /am/api/v2/alerts",
                                       "https {__address__=\"c:2\"} /x/y/api/v2/alerts",
                                       "http {__address__=\"d:3\"} /api/v2/alerts", NULL});
    assert_int_equal(c->manager_count, 4);
    assert_int_equal(c->managers[0].group.timeout_ms, 3000);
    assert_int_equal(c->managers[1].group.timeout_ms, 10000);
    assert_false(c->managers[0].group.http.follow_redirects || c->managers[0].group.http.enable_http2);
    assert_true(c->managers[1].group.http.follow_redirects);
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

static void contracts_hold_unless_they_are_taken_back(void **state)
{
    (void)state;
    struct config *c = load("{}");
    assert_true(c->contracts.opened_is_closed && c->contracts.no_lost_page);
    config_free(c);
    c = load("contracts: {no_lost_page: false}");
    assert_true(c->contracts.opened_is_closed && !c->contracts.no_lost_page);
    config_free(c);
}

static struct rule_policy policy_of(const struct config *c, const char *file, const char *name)
{
    struct rule_group group = {.file = str_of(file), .name = str_of(name)};
    struct rule_set set = {.groups = &group, .count = 1};
    config_lay_policies(c, &set);
    return group.policy;
}

static void rule_groups_get_what_is_said_of_all_and_of_them(void **state)
{
    (void)state;
    struct config *c = load("");
    struct rule_policy got = policy_of(c, "r.yml", "g");
    assert_false(got.by_data || got.keep_over_limit || got.data_wait_ms > 0 || got.catch_up_ms > 0);
    config_free(c);
    c = load("rules:\n  evaluation: data\n  data_wait: 90s\n  groups:\n"
             "  - {group: slo.*, catch_up: 1h}\n"
             "  - {file: '.*/old[.]yml', evaluation: clock, limit_behaviour: keep}\n"
             "  - {group: slo-x, file: '.*', catch_up: 2h, limit_behaviour: prometheus}\n");
    got = policy_of(c, "/etc/r.yml", "my-slo");
    assert_true(got.by_data && got.data_wait_ms == 90000 && got.catch_up_ms == 0 && !got.keep_over_limit);
    got = policy_of(c, "/etc/r.yml", "slo-y");
    assert_true(got.by_data && got.catch_up_ms == 3600000);
    got = policy_of(c, "/etc/old.yml", "slo-y");
    assert_true(!got.by_data && got.catch_up_ms == 3600000 && got.keep_over_limit);
    got = policy_of(c, "/etc/old.yml", "slo-x");
    assert_true(!got.by_data && got.catch_up_ms == 7200000 && !got.keep_over_limit);
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
        {"contracts:\n  opened_is_close: true\n", ERR_PARSE,
         "yaml: unmarshal errors:\n  line 2: field opened_is_close not found in type config.plain"},
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
    assert_int_equal(c->managers[0].group.timeout_ms, 10000);
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
        "  {scheme: https, timeout: 3s, path_prefix: /p/q, basic_auth: {username: u, password: p},\n"
        "   tls_config: {ca_file: ca.pem, min_version: TLS13}, http_headers: {X-A: {values: [b]}},\n"
        "   relabel_configs: [{source_labels: [__address__], regex: 'c:.*', action: keep}],\n"
        "   alert_relabel_configs: [{regex: replica, action: labeldrop}],\n"
        "   dns_sd_configs: [{names: [_am._tcp.x], refresh_interval: 90s}, {names: [y, z], type: aaaa, port: "
        "9}],\n"
        "   static_configs: [{targets: ['c:3'], labels: {a: b}}]}],\n"
        "  alert_relabel_configs: [{target_label: site, replacement: x}]}\n"
        "storage: {retention: 15d, keep: referenced, out_of_order_time_window: 1h, identity_header: X-Who,\n"
        "  wal: {sync: os}}\n"
        "limits: {series: 5000, push_body_bytes: 1048576}\n",
        "limits: {series: 5000, series_per_identity: 7}\n",
        "contracts: {opened_is_closed: false}\n",
        "rules: {evaluation: data, data_wait: 90s, catch_up: 1h, limit_behaviour: keep, groups: [{group: "
        "'a.*', "
        "evaluation: clock}, {file: '.*/b\"?.yml', limit_behaviour: prometheus}]}\n",
        "rules: {groups: [{group: x, catch_up: 0s}]}\n",
        "slo_files: [slos/*.yml, 'a: b']\n",
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
        assert_int_equal(c->slo_files.count, again->slo_files.count);
        assert_int_equal(c->manager_count, again->manager_count);
        for (size_t k = 0; k < c->manager_count; k++) {
            assert_int_equal(c->managers[k].group.target_count, again->managers[k].group.target_count);
            assert_int_equal(c->managers[k].group.timeout_ms, again->managers[k].group.timeout_ms);
        }
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

static void a_password_with_an_at_sign_is_not_printed_either(void **state)
{
    (void)state;
    struct buf text;
    struct config *c =
        load("alerting: {alertmanagers: [{static_configs: [{targets: ['me:a@s3cret@am:9093', b]}]}]}\n");
    buf_init(&text, 1 << 16);
    config_print(&text, c);
    assert_null(strstr(buf_text(&text), "s3cret"));
    assert_non_null(strstr(buf_text(&text), "targets: [\"<secret>@am:9093\", \"b\"]\n"));
    buf_release(&text);
    config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contracts_hold_unless_they_are_taken_back),
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
        cmocka_unit_test(alertmanagers_become_targets),
        cmocka_unit_test(what_makes_no_sense_in_alerting_is_refused_in_prometheus_words),
        cmocka_unit_test(paths_of_credentials_start_at_the_files_folder),
        cmocka_unit_test(storage_options_are_read),
        cmocka_unit_test(rule_groups_get_what_is_said_of_all_and_of_them),
        cmocka_unit_test(limits_are_set_by_name),
        cmocka_unit_test(bad_limits_are_refused_with_their_place),
        cmocka_unit_test(null_and_zero_give_the_default_interval),
        cmocka_unit_test(relative_paths_start_at_the_files_folder),
        cmocka_unit_test(a_file_that_is_not_there_is_told_by_the_disk),
        cmocka_unit_test(a_small_arena_refuses_the_file),
        cmocka_unit_test(what_is_printed_reads_as_the_same),
        cmocka_unit_test(passwords_are_not_printed),
        cmocka_unit_test(a_password_with_an_at_sign_is_not_printed_either),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
