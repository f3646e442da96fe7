#include "tocsin/amconfig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define RECEIVER_A "receivers: [{name: a}]\n"

static struct world_sim sim;

static int set_up(void **state)
{
    (void)state;
    world_sim_init(&sim, 1000 * NS_PER_S, 1);
    return 0;
}

static struct amconfig *load(const char *text)
{
    struct amconfig *config;
    struct err err = {0};
    int rc = amconfig_parse(&sim.world, str_of(text), STR("/etc/am"), &config, &err);
    if (rc != 0)
        fail_msg("%s\n%s", text, err.text);
    return config;
}

static void expect_error(const char *text, int code, const char *message)
{
    struct amconfig *config;
    struct err err = {0};
    int rc = amconfig_parse(&sim.world, str_of(text), STR(""), &config, &err);
    if (rc != code || strcmp(err.text, message) != 0)
        fail_msg("%s\nexpected %d %s\ngot      %d %s", text, code, message, rc, err.text);
    assert_null(config);
    assert_string_equal(err.text, message);
}

struct refused {
    const char *text, *message;
};

static void expect_refused(const struct refused *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_error(cases[i].text, ERR_PARSE, cases[i].message);
}

static void what_is_no_configuration_is_refused_in_alertmanagers_words(void **state)
{
    static const struct refused cases[] = {
        {"", "no route provided in config"},
        {"route:", "no routes provided"},
        {"global: {}", "no routes provided"},
        {"a", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `a` into config.plain"},
        {"foo: 1\nroute: {receiver: a, bar: 2}\n" RECEIVER_A,
         "yaml: unmarshal errors:\n  line 1: field foo not found in type config.plain\n"
         "  line 2: field bar not found in type config.plain"},
        {"foo: 1\nroute: {receiver: a, foo: 2, group_wait: 5x}", "unknown unit \"x\" in duration \"5x\""},
        {"route: {receiver: [a]}", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into string"},
        {"route: {receiver: a, continue: maybe}\n" RECEIVER_A,
         "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `maybe` into bool"},
        {"route: [a]", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into config.plain"},
        {"route: {receiver: a, group_by: a}",
         "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `a` into []string"},
        {"route: {receiver: a, matchers: foo=bar}",
         "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `foo=bar` into []string"},
        {"global: {smtp_require_tls: 3}",
         "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!int `3` into bool"},
        {"receivers: [{name: a, webhook_configs: [{url: \"http://x\", max_alerts: -1}]}]",
         "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!int `-1` into uint64"},
        {"global: {resolve_timeout: abcdefghijklmnop}", "not a valid duration string: \"abcdefghijklmnop\""},
        {"route: {receiver: a, group_wait: 5}", "not a valid duration string: \"5\""},
    };
    (void)state;
    expect_refused(cases, sizeof cases / sizeof *cases);
}

static void bad_matchers_are_refused_in_alertmanagers_words(void **state)
{
    static const struct refused cases[] = {
        {"route: {receiver: a, routes: [{matchers: [\"foo\"]}]}", "bad matcher format: foo"},
        {"route: {receiver: a, routes: [{match: {\"a-b\": c}}]}", "invalid label name \"a-b\""},
        {"route: {receiver: a, routes: [{match_re: {\"a\": \"(\"}}]}",
         "error parsing regexp: missing closing ): `^(?:()$`"},
        {"route: {receiver: a, routes: [{match_re: {a: ~}}]}", "invalid regexp value for \"a\""},
        {"route: {receiver: a, routes: [{matchers: [\"a=~(\"]}]}",
         "error parsing regexp: missing closing ): `^(?:()$`"},
        {"inhibit_rules: [{equal: [\"\"]}]", "invalid label name \"\" in equal list"},
        {"inhibit_rules: [{source_matchers: [\"x\"]}]", "bad matcher format: x"},
        {"inhibit_rules: [{source_match: {\"x-\": y}}]", "invalid label name \"x-\""},
    };
    (void)state;
    expect_refused(cases, sizeof cases / sizeof *cases);
}

static void bad_addresses_are_refused_in_alertmanagers_words(void **state)
{
    static const struct refused cases[] = {
        {"receivers: [{name: a, webhook_configs: [{url: \"ftp://x\"}]}]",
         "unsupported scheme \"ftp\" for URL"},
        {"receivers: [{name: a, webhook_configs: [{url: \"http://\"}]}]", "missing host for URL"},
        {"receivers: [{name: a, webhook_configs: [{url: \":x\"}]}]", "parse \":x\": missing protocol scheme"},
        {"global: {smtp_smarthost: \"h\"}", "address h: missing port in address"},
        {"global: {smtp_smarthost: \"h:\"}", "address \"h:\": port cannot be empty"},
        {"global: {slack_api_url: \"h\"}", "unsupported scheme \"\" for URL"},
        {"global: {pagerduty_url: \"http://x y\"}",
         "parse \"http://x y\": invalid character \" \" in host name"},
        {"global: {pagerduty_url: \"http://[::1\"}", "parse \"http://[::1\": missing ']' in host"},
        {"global: {pagerduty_url: \"http://u:p@x:y/\"}",
         "parse \"http://u:xxxxx@x:y/\": invalid port \":y\" after host"},
        {"global: {pagerduty_url: \"http://%zz\"}", "parse \"http://%zz\": invalid URL escape \"%zz\""},
    };
    (void)state;
    expect_refused(cases, sizeof cases / sizeof *cases);
}

static void contradictory_http_settings_are_refused_in_alertmanagers_words(void **state)
{
    static const struct refused cases[] = {
        {"global: {http_config: {authorization: {type: basic}}}",
         "authorization type cannot be set to \"basic\", use \"basic_auth\" instead"},
        {"global: {http_config: {authorization: {type: x, credentials: a}, basic_auth: {username: x}}}",
         "at most one of basic_auth, oauth2 & authorization must be configured"},
        {"global: {http_config: {bearer_token: a, basic_auth: {username: x}}}",
         "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured"},
        {"global: {http_config: {basic_auth: {username: x, password: a, password_file: b}}}",
         "at most one of basic_auth password, password_file & password_ref must be configured"},
        {"global: {http_config: {bearer_token: a, bearer_token_file: b}}",
         "at most one of bearer_token & bearer_token_file must be configured"},
    };
    (void)state;
    expect_refused(cases, sizeof cases / sizeof *cases);
}

static void bad_receivers_are_refused_in_alertmanagers_words(void **state)
{
    static const struct refused cases[] = {
        {"receivers: [{name: a, webhook_configs: [{}]}]", "one of url or url_file must be configured"},
        {"receivers: [{name: a, webhook_configs: [null]}]", "missing webhook config"},
        {"receivers: [{name: a, webhook_configs: [{url: \"http://x\", url_file: y}]}]",
         "at most one of url & url_file must be configured"},
        {"receivers: [{name: \"\"}]", "missing name in receiver"},
        {"receivers: [{name: a, labels: {name: b}}]",
         "receiver label \"name\" must match receiver name \"a\", got \"b\""},
        {"receivers: [{name: a}, {name: a}]\nroute: {receiver: a}",
         "notification config name \"a\" is not unique"},
        {"global: {opsgenie_api_key: a, opsgenie_api_key_file: b}\nroute: {receiver: a}",
         "at most one of opsgenie_api_key & opsgenie_api_key_file must be configured"},
    };
    (void)state;
    expect_refused(cases, sizeof cases / sizeof *cases);
}

static void bad_routes_are_refused_in_alertmanagers_words(void **state)
{
    static const struct refused cases[] = {
        {"route: {receiver: a}", "undefined receiver \"a\" used in route"},
        {"route: {receiver: a, routes: [{receiver: b}]}\n" RECEIVER_A,
         "undefined receiver \"b\" used in route"},
        {"route: {group_by: [a]}", "root route must specify a default receiver"},
        {"route: {receiver: a, group_by: [a, a]}", "duplicated label \"a\" in group_by"},
        {"route: {receiver: a, group_by: [\"\"]}", "invalid label name \"\" in group_by list"},
        {"route: {receiver: a, group_by: [a, ...]}",
         "cannot have wildcard group_by (`...`) and other labels at the same time"},
        {"route: {receiver: a, continue: true}\n" RECEIVER_A, "cannot have continue in root route"},
        {"route: {receiver: a, matchers: [a=b]}\n" RECEIVER_A, "root route must not have any matchers"},
        {"route: {receiver: a, mute_time_intervals: [a]}\n" RECEIVER_A,
         "root route must not have any mute time intervals"},
        {"route: {receiver: a, active_time_intervals: [a]}\n" RECEIVER_A,
         "root route must not have any active time intervals"},
        {"route: {receiver: a, routes: [{group_interval: 0s}]}\n" RECEIVER_A,
         "group_interval cannot be zero"},
        {"route: {receiver: a, repeat_interval: 0s}\n" RECEIVER_A, "repeat_interval cannot be zero"},
        {"route: {receiver: a, routes: [{mute_time_intervals: [a]}]}\n" RECEIVER_A,
         "undefined time interval \"a\" used in route"},
        {"route: {receiver: a, routes: [null]}\n" RECEIVER_A, "missing route in routes"},
    };
    (void)state;
    expect_refused(cases, sizeof cases / sizeof *cases);
}

static void time_intervals_without_a_name_of_their_own_are_refused(void **state)
{
    static const struct refused cases[] = {
        {"mute_time_intervals: [{name: n}]\ntime_intervals: [{name: n}]\nroute: {receiver: a}\n" RECEIVER_A,
         "time interval \"n\" is not unique"},
        {"mute_time_intervals: [{name: n}, {name: n}]\nroute: {receiver: a}\n" RECEIVER_A,
         "mute time interval \"n\" is not unique"},
        {"time_intervals: [{time_intervals: []}]", "missing name in time interval"},
        {"mute_time_intervals: [{time_intervals: []}]", "missing name in mute time interval"},
    };
    (void)state;
    expect_refused(cases, sizeof cases / sizeof *cases);
}

static void bad_time_intervals_are_refused_in_alertmanagers_words(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *message;
    } cases[] = {
        {"times: [{start_time: 9:00, end_time: '10:00'}]", "couldn't parse timestamp 9:00, invalid format"},
        {"times: [{start_time: '24:01', end_time: '10:00'}]",
         "couldn't parse timestamp 24:01, invalid format"},
        {"times: [{start_time: '10:00'}]", "both start and end times must be provided"},
        {"times: [{start_time: '10:00', end_time: '09:00'}]",
         "start time cannot be equal or greater than end time"},
        {"weekdays: [mon]", "mon is not a valid weekday"},
        {"weekdays: ['monday : friday']", "monday  is not a valid weekday"},
        {"weekdays: ['friday:monday']", "start day cannot be before end day"},
        {"weekdays: ['friday:monday:x']", "couldn't parse range friday:monday:x, invalid format"},
        {"days_of_month: ['32']", "32 is not a valid day of the month: out of range"},
        {"days_of_month: ['-1:4']", "end day must be negative if start day is negative"},
        {"days_of_month: ['5:-30']", "end day -30 is always before start day 5"},
        {"days_of_month: [x]", "strconv.Atoi: parsing \"x\": invalid syntax"},
        {"months: [x]", "x is not a valid month"},
        {"months: ['5:3']", "end month march is before start month may"},
        {"years: ['2029:2028']", "end year 2028 is before start year 2029"},
        {"location: Nowhere/City", "unknown time zone Nowhere/City"},
        {"location: ../../etc/passwd", "unknown time zone ../../etc/passwd"},
        {"foo: 1",
         "yaml: unmarshal errors:\n  line 1: field foo not found in type timeinterval.TimeInterval"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        snprintf(text, sizeof text, "time_intervals: [{name: n, time_intervals: [{%s}]}]", cases[i].spec);
        expect_error(text, ERR_PARSE, cases[i].message);
    }
}

static void what_is_not_built_is_refused_by_name(void **state)
{
    (void)state;
    expect_error("global: {http_config: {basic_auth: {username: x, password_ref: y}}}\nroute: {receiver: "
                 "a}\n" RECEIVER_A,
                 ERR_UNSUPPORTED, "password_ref is not supported: there is no secret manager; use a file");
}

static void alertmanagers_own_complaints_come_before_what_is_not_built(void **state)
{
    (void)state;
    expect_error("global: {http_config: {basic_auth: {username: x, password_ref: y}}}\nroute: {receiver: "
                 "b}\n" RECEIVER_A,
                 ERR_PARSE, "undefined receiver \"b\" used in route");
}

static void routes_inherit_what_they_do_not_say(void **state)
{
    (void)state;
    struct amconfig *config = load("route:\n"
                                   "  receiver: a\n"
                                   "  group_by: [x, y]\n"
                                   "  labels: {team: core}\n"
                                   "  routes:\n"
                                   "  - receiver: b\n"
                                   "    matchers: ['z=\"1\"', 'a!=b, c=~d']\n"
                                   "    group_wait: 0s\n"
                                   "    continue: true\n"
                                   "    labels: {team: db, tier: '1'}\n"
                                   "    routes:\n"
                                   "    - group_by: []\n"
                                   "      repeat_interval: 1ms\n"
                                   "  - group_by: ['...']\n"
                                   "    match_re: {svc: a|b}\n"
                                   "receivers: [{name: a}, {name: b}]\n");
    const struct am_route *root = &config->root, *first = &root->routes[0], *inner = &first->routes[0];
    assert_int_equal(root->group_wait_ms, 30000);
    assert_int_equal(root->group_interval_ms, 300000);
    assert_int_equal(root->repeat_interval_ms, 4 * 3600000);
    assert_true(str_is(root->key, "{}"));
    assert_true(str_is(first->key, "{}/{a!=\"b\",c=~\"d\",z=\"1\"}"));
    assert_true(str_is(inner->key, "{}/{a!=\"b\",c=~\"d\",z=\"1\"}/{}"));
    assert_true(str_is(root->routes[1].key, "{}/{svc=~\"^(?:a|b)$\"}"));
    assert_true(str_is(first->receiver->name, "b") && str_is(inner->receiver->name, "b"));
    assert_true(first->go_on && !inner->go_on);
    assert_int_equal(first->group_by_count, 2);
    assert_int_equal(inner->group_by_count, 0);
    assert_false(inner->group_by_all);
    assert_true(root->routes[1].group_by_all);
    assert_int_equal(first->group_wait_ms, 0);
    assert_int_equal(inner->group_wait_ms, 0);
    assert_int_equal(inner->repeat_interval_ms, 1);
    assert_true(str_is(labels_get(inner->labels, STR("team")), "db"));
    assert_true(str_is(labels_get(root->labels, STR("team")), "core"));
    assert_int_equal(root->index, 0);
    assert_int_equal(inner->index, 2);
    assert_int_equal(root->routes[1].index, 3);
    amconfig_free(config);
}

static void a_wildcard_named_twice_is_still_the_wildcard(void **state)
{
    (void)state;
    struct amconfig *config =
        load("route: {receiver: a, group_by: ['...', '...'], routes: [{}]}\nreceivers: [{name: a}]\n");
    assert_true(config->root.group_by_all);
    assert_true(config->root.routes[0].group_by_all);
    amconfig_free(config);
}

static void webhooks_have_their_defaults_and_the_global_http_settings(void **state)
{
    (void)state;
    struct amconfig *config = load("global: {http_config: {bearer_token: t}}\n"
                                   "route: {receiver: a}\n"
                                   "receivers:\n"
                                   "- name: a\n"
                                   "  webhook_configs:\n"
                                   "  - url: http://localhost:1/h\n"
                                   "  - url_file: u\n"
                                   "    send_resolved: false\n"
                                   "    max_alerts: 3\n"
                                   "    timeout: 1m30s\n"
                                   "    http_config: {basic_auth: {username: u, password: p}}\n");
    const struct integrations *list = &config->receivers[0].integrations;
    const struct integration *one = list->items[0], *two = list->items[1];
    assert_int_equal(list->count, 2);
    assert_string_equal(integration_name(two), "webhook");
    assert_int_equal(two->index, 1);
    assert_true(one->send_resolved);
    assert_true(str_is(one->http->auth_type, "Bearer") && str_is(one->http->credentials.text, "t"));
    assert_false(two->send_resolved);
    assert_int_equal(two->max_alerts, 3);
    assert_int_equal(two->timeout_ms, 90000);
    assert_true(two->http->basic && str_is(two->http->username.text, "u"));
    assert_int_equal(two->http->auth_type.n, 0);
    amconfig_free(config);
}

static void null_wipes_a_default(void **state)
{
    (void)state;
    struct amconfig *config =
        load("global: {resolve_timeout: }\n"
             "route: {receiver: a, group_wait: ~}\n"
             "receivers: [{name: a, webhook_configs: [{url: http://x, send_resolved: }]}]\n"
             "inhibit_rules: [null]\n");
    assert_int_equal(config->resolve_timeout_ms, 0);
    assert_int_equal(config->root.group_wait_ms, 30000);
    assert_false(config->receivers[0].integrations.items[0]->send_resolved);
    assert_int_equal(config->inhibit_count, 1);
    assert_int_equal(config->inhibit_rules[0].source_count, 0);
    amconfig_free(config);
}

/* A configuration of these lines and what every one needs prints this section so, up to the head of the next one or the end, and
 * no secret; and reads all of it again as it was. */
static void expect_printed(const char *lines, const char *section)
{
    char text[1024];
    snprintf(text, sizeof text, "%s%s%s", lines,
             strstr(lines, "route:") != NULL ? "" : "route: {receiver: a}\n",
             strstr(lines, "receivers:") != NULL ? "" : RECEIVER_A);
    struct amconfig *config = load(text);
    const char *found = strstr(config->original.p, section);
    if (found == NULL || (found > config->original.p && found[-1] != '\n'))
        fail_msg("%s\nis not in\n%s", section, config->original.p);
    size_t n = strlen(section);
    assert_true(section[n - 2] == ':' || found[n] == '\0');
    assert_null(strstr(config->original.p, "s3cret"));
    struct amconfig *again = load(config->original.p);
    assert_string_equal(again->original.p, config->original.p);
    amconfig_free(again);
    amconfig_free(config);
}

static void globals_print_again_with_their_defaults_and_without_secrets(void **state)
{
    (void)state;
    expect_printed("global:\n"
                   "  resolve_timeout: 420s\n"
                   "  smtp_from: a@b\n"
                   "  slack_api_url: http://x/s3cret\n",
                   "global:\n"
                   "  resolve_timeout: 7m\n"
                   "  http_config:\n"
                   "    follow_redirects: true\n"
                   "    enable_http2: true\n"
                   "  smtp_from: a@b\n"
                   "  smtp_hello: localhost\n"
                   "  smtp_require_tls: true\n"
                   "  slack_api_url: <secret>\n"
                   "  pagerduty_url: https://events.pagerduty.com/v2/enqueue\n"
                   "  opsgenie_api_url: https://api.opsgenie.com/\n"
                   "  wechat_api_url: https://qyapi.weixin.qq.com/cgi-bin/\n"
                   "  victorops_api_url: https://alert.victorops.com/integrations/generic/20131114/alert/\n"
                   "  telegram_api_url: https://api.telegram.org\n"
                   "  webex_api_url: https://webexapis.com/v1/messages\n"
                   "route:\n");
}

static void routes_print_again_with_sorted_matchers(void **state)
{
    (void)state;
    expect_printed("route:\n"
                   "  receiver: a\n"
                   "  group_by: [x, y]\n"
                   "  routes:\n"
                   "  - match: {a: b}\n"
                   "    match_re: {c: d|e}\n"
                   "    matchers: ['x=\"y\"', \"u!=v, t=~w\"]\n"
                   "    receiver: a\n"
                   "    continue: true\n"
                   "    group_wait: 0s\n"
                   "    routes:\n"
                   "    - group_by: []\n",
                   "route:\n"
                   "  receiver: a\n"
                   "  group_by:\n"
                   "  - x\n"
                   "  - \"y\"\n"
                   "  continue: false\n"
                   "  routes:\n"
                   "  - receiver: a\n"
                   "    match:\n"
                   "      a: b\n"
                   "    match_re:\n"
                   "      c: d|e\n"
                   "    matchers:\n"
                   "    - t=~\"w\"\n"
                   "    - u!=\"v\"\n"
                   "    - x=\"y\"\n"
                   "    continue: true\n"
                   "    routes:\n"
                   "    - continue: false\n"
                   "    group_wait: 0s\n"
                   "receivers:\n");
}

static void receivers_print_again_with_their_defaults_and_without_secrets(void **state)
{
    (void)state;
    expect_printed("receivers:\n"
                   "- name: a\n"
                   "- name: 'b'\n"
                   "  webhook_configs:\n"
                   "  - url: http://s3cret\n"
                   "    http_config: {basic_auth: {username: u, password: s3cret}}\n",
                   "receivers:\n"
                   "- name: a\n"
                   "- name: b\n"
                   "  webhook_configs:\n"
                   "  - send_resolved: true\n"
                   "    http_config:\n"
                   "      basic_auth:\n"
                   "        username: u\n"
                   "        password: <secret>\n"
                   "      follow_redirects: true\n"
                   "      enable_http2: true\n"
                   "    url: <secret>\n"
                   "    max_alerts: 0\n"
                   "templates: []\n");
}

static void all_other_sections_print_again(void **state)
{
    (void)state;
    expect_printed("inhibit_rules:\n"
                   "- source_matchers: [a=b]\n"
                   "  target_matchers: ['c=~\"d e\"']\n"
                   "  equal: [z]\n",
                   "inhibit_rules:\n"
                   "- source_matchers:\n"
                   "  - a=\"b\"\n"
                   "  target_matchers:\n"
                   "  - c=~\"d e\"\n"
                   "  equal:\n"
                   "  - z\n"
                   "receivers:\n");
    expect_printed("templates: ['t/*.none']\n"
                   "time_intervals:\n"
                   "- name: n\n"
                   "  time_intervals:\n"
                   "  - times: [{start_time: 09:00, end_time: '17:00'}]\n"
                   "    location: Europe/Rome\n",
                   "templates:\n"
                   "- /etc/am/t/*.none\n"
                   "time_intervals:\n"
                   "- name: \"n\"\n"
                   "  time_intervals:\n"
                   "  - times:\n"
                   "    - start_time: \"09:00\"\n"
                   "      end_time: \"17:00\"\n"
                   "    location: Europe/Rome\n");
}

static void expect_matcher(const char *text, const char *printed)
{
    struct arena arena;
    struct matcher m;
    struct err err = {0};
    struct buf out;
    arena_init(&arena, 1 << 20);
    buf_init(&out, 4096);
    if (am_matcher_parse(&arena, str_of(text), &m, &err) != 0) {
        buf_puts(&out, err.text);
    } else {
        am_matcher_print(&out, &m);
        matcher_release(&m);
        assert_int_equal(err.code, 0); /* also where one of the two grammars refuses the text */
    }
    assert_string_equal(buf_text(&out), printed);
    buf_release(&out);
    arena_release(&arena);
}

static void both_matcher_grammars_are_read_with_the_fallback_rule(void **state)
{
    (void)state;
    expect_matcher("foo=bar", "foo=\"bar\"");
    expect_matcher(" foo =~ \"a|b\" ", "foo=~\"a|b\"");
    expect_matcher("foo=~a|b", "foo=~\"a|b\"");
    expect_matcher("foo!~x", "foo!~\"x\"");
    expect_matcher("foo=", "foo=\"\"");
    expect_matcher("foo=\"\\d+\"", "foo=\"\\\\d+\"");
    expect_matcher("foo=\"a\\\"b\\nc\"", "foo=\"a\\\"b\\nc\"");
    expect_matcher("qux=\"\\xf0\\x9f\\x99\\x82\"", "qux=\"\\\\xf0\\\\x9f\\\\x99\\\\x82\"");
    expect_matcher("foo\xf0\x9f\x99\x82=bar", "foo\xf0\x9f\x99\x82=\"bar\"");
    expect_matcher("\"a b\"=\"c\"", "\"a b\"=\"c\"");
    expect_matcher("bad", "bad matcher format: bad");
    expect_matcher("{a=b}", "bad matcher format: {a=b}");
    expect_matcher("", "bad matcher format: ");
    expect_matcher("foo=\"a\"b\"", "matcher value contains unescaped double quote: \"a\"b\"");
    expect_matcher("foo=~(", "error parsing regexp: missing closing ): `^(?:()$`");
}

static void expect_list(const char *text, size_t count, const char *printed)
{
    struct arena arena;
    struct matcher *ms = NULL;
    size_t n = 0;
    struct err err = {0};
    struct buf out;
    arena_init(&arena, 1 << 20);
    buf_init(&out, 4096);
    if (am_matchers_parse(&arena, str_of(text), &ms, &n, &err) != 0)
        buf_puts(&out, err.text);
    for (size_t i = 0; i < n; i++) {
        am_matcher_print(&out, &ms[i]);
        buf_char(&out, ';');
        matcher_release(&ms[i]);
    }
    assert_string_equal(buf_text(&out), printed);
    assert_int_equal(n, count);
    buf_release(&out);
    arena_release(&arena);
}

static void matcher_lists_may_have_braces_commas_and_nothing_in_them(void **state)
{
    (void)state;
    expect_list("{a=b,c!=d}", 2, "a=\"b\";c!=\"d\";");
    expect_list("a=b,", 1, "a=\"b\";");
    expect_list("{a=b", 1, "a=\"b\";");
    expect_list("foo=~(a|b),x=y", 2, "foo=~\"(a|b)\";x=\"y\";");
    expect_list("a=\"b,c\"", 1, "a=\"b,c\";");
    expect_list("", 0, "");
    expect_list("{}", 0, "");
    expect_list("a=b,,c=d", 0, "bad matcher format: ");
    expect_list("{\xf0\x9f\x99\x82=x, \"a.b\"=~\".*\"}", 2, "\xf0\x9f\x99\x82=\"x\";a.b=~\".*\";");
}

static void a_starved_arena_is_a_limit_not_a_crash(void **state)
{
    (void)state;
    for (size_t cap = 64; cap < 4096; cap += 64) {
        struct arena arena;
        struct matcher *ms = NULL;
        size_t count = 0;
        arena_init(&arena, cap);
        int rc = am_matchers_parse(&arena, STR("{a=\"b\", c=~\"d\", \"e f\"!=\"g\"}"), &ms, &count, NULL);
        assert_true(rc == 0 || rc == ERR_LIMIT || rc == ERR_PARSE);
        for (size_t i = 0; i < count; i++)
            matcher_release(&ms[i]);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_configuration_is_refused_in_alertmanagers_words),
        cmocka_unit_test(bad_matchers_are_refused_in_alertmanagers_words),
        cmocka_unit_test(bad_addresses_are_refused_in_alertmanagers_words),
        cmocka_unit_test(contradictory_http_settings_are_refused_in_alertmanagers_words),
        cmocka_unit_test(bad_receivers_are_refused_in_alertmanagers_words),
        cmocka_unit_test(bad_routes_are_refused_in_alertmanagers_words),
        cmocka_unit_test(time_intervals_without_a_name_of_their_own_are_refused),
        cmocka_unit_test(bad_time_intervals_are_refused_in_alertmanagers_words),
        cmocka_unit_test(what_is_not_built_is_refused_by_name),
        cmocka_unit_test(alertmanagers_own_complaints_come_before_what_is_not_built),
        cmocka_unit_test(routes_inherit_what_they_do_not_say),
        cmocka_unit_test(webhooks_have_their_defaults_and_the_global_http_settings),
        cmocka_unit_test(null_wipes_a_default),
        cmocka_unit_test(globals_print_again_with_their_defaults_and_without_secrets),
        cmocka_unit_test(routes_print_again_with_sorted_matchers),
        cmocka_unit_test(receivers_print_again_with_their_defaults_and_without_secrets),
        cmocka_unit_test(all_other_sections_print_again),
        cmocka_unit_test(a_wildcard_named_twice_is_still_the_wildcard),
        cmocka_unit_test(both_matcher_grammars_are_read_with_the_fallback_rule),
        cmocka_unit_test(matcher_lists_may_have_braces_commas_and_nothing_in_them),
        cmocka_unit_test(a_starved_arena_is_a_limit_not_a_crash),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
