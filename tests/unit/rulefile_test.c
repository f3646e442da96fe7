#include "../../rules/rulefile_priv.h"

#include "tocsin/check.h"
#include "tocsin/limits.h"
#include "tocsin/rulecheck.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- words ---- */

struct read {
    struct rule_set *set;
    struct buf errors;
    int code;
};

static void read_text(struct read *r, const char *text)
{
    r->set = rule_set_new();
    buf_init(&r->errors, 1 << 20);
    r->code = rulefile_parse(r->set, STR("r.yml"), str_of(text), &promql_features_default, &r->errors);
}

static void read_end(struct read *r)
{
    buf_release(&r->errors);
    rule_set_free(r->set);
}

static void expect_errors(const char *text, const char *errors)
{
    struct read r;
    read_text(&r, text);
    assert_string_equal(buf_text(&r.errors), errors);
    assert_int_equal(r.code, errors[0] == '\0' ? 0 : ERR_PARSE);
    if (errors[0] != '\0')
        assert_int_equal(r.set->count, 0);
    read_end(&r);
}

static void expect_rule_error(const char *rule, const char *error)
{
    char text[1024], errors[1024];
    snprintf(text, sizeof text, "groups:\n- name: g\n  rules:\n  - %s\n", rule);
    snprintf(errors, sizeof errors, "%s%s", error, error[0] != '\0' ? "\n" : "");
    expect_errors(text, errors);
}

static void expect_str(struct str s, const char *text)
{
    assert_int_equal(s.n, strlen(text));
    assert_memory_equal(s.p, text, s.n);
}

/* ---- what is accepted ---- */

static void an_empty_file_and_an_empty_document_are_valid(void **state)
{
    (void)state;
    expect_errors("", "");
    expect_errors("null\n", "");
    expect_errors("groups:\n", "");
    expect_errors("groups: []\n", "");
}

static void only_the_first_document_is_read(void **state)
{
    (void)state;
    expect_errors("groups: []\n---\nnonsense: 1\n", "");
}

static void every_field_reaches_the_rule(void **state)
{
    (void)state;
    struct read r;
    read_text(&r, "groups:\n"
                  "- name: g\n"
                  "  interval: 30s\n"
                  "  query_offset: 1m\n"
                  "  limit: 7\n"
                  "  rules:\n"
                  "  - alert: A\n"
                  "    expr: sum( up)  by(job)==0\n"
                  "    for: 5m\n"
                  "    keep_firing_for: 1h30m\n"
                  "    labels: {b: '{{ $value }}', a: plain}\n"
                  "    annotations: {s: t}\n"
                  "  - record: r\n"
                  "    expr: 1\n"
                  "    labels: {a: '{{ kept as it is'}\n");
    assert_string_equal(buf_text(&r.errors), "");
    assert_int_equal(r.set->count, 1);
    assert_int_equal(r.set->rule_count, 2);
    const struct rule_group *g = &r.set->groups[0];
    expect_str(g->name, "g");
    expect_str(g->file, "r.yml");
    assert_int_equal(g->interval_ms, 30000);
    assert_true(g->query_offset_given);
    assert_int_equal(g->query_offset_ms, 60000);
    assert_int_equal(g->limit, 7);
    const struct rule *a = &g->rules[0];
    assert_int_equal(a->kind, RULE_ALERTING);
    expect_str(a->name, "A");
    expect_str(a->query, "sum by (job) (up) == 0");
    assert_int_equal(a->for_ms, 300000);
    assert_int_equal(a->keep_firing_for_ms, 5400000);
    assert_int_equal(a->label_count, 2);
    expect_str(a->labels[0].name, "a");
    assert_null(a->labels[0].code);
    expect_str(a->labels[1].text, "{{ $value }}");
    assert_non_null(a->labels[1].code);
    assert_int_equal(a->annotation_count, 1);
    assert_int_equal(a->line, 8);
    assert_int_equal(g->rules[1].kind, RULE_RECORDING);
    assert_null(g->rules[1].labels[0].code);
    read_end(&r);
}

static void group_labels_lie_under_the_rules_own(void **state)
{
    (void)state;
    struct read r;
    read_text(&r, "groups:\n- name: g\n  labels: {x: group, y: group}\n  rules:\n"
                  "  - {record: r, expr: m, labels: {z: rule, x: rule}}\n");
    const struct rule *rule = &r.set->groups[0].rules[0];
    assert_int_equal(rule->label_count, 3);
    expect_str(rule->labels[0].text, "rule");
    expect_str(rule->labels[1].text, "group");
    expect_str(rule->labels[2].name, "z");
    read_end(&r);
}

static void names_may_be_any_utf8(void **state)
{
    (void)state;
    expect_rule_error("{record: 'x-y z', expr: m, labels: {'a.b': c}}", "");
    expect_rule_error("{alert: 'Größe zu klein', expr: m, annotations: {'ä': c}}", "");
}

static void a_zero_duration_needs_no_unit_and_null_is_absent(void **state)
{
    (void)state;
    expect_rule_error("{alert: A, expr: m, for: 0, keep_firing_for: ~, labels: ~}", "");
    expect_rule_error("{record: r, expr: m, for: 0}", "");
}

/* ---- what is refused ---- */

static void a_group_needs_a_name_of_its_own(void **state)
{
    (void)state;
    expect_errors("groups:\n- name: ''\n- name: g\n- rules: []\n- name: g\n",
                  "r.yml: 2:3: Groupname must not be empty\n"
                  "r.yml: 4:3: Groupname must not be empty\n"
                  "r.yml: 4:3: groupname: \"\" is repeated in the same file\n"
                  "r.yml: 5:3: groupname: \"g\" is repeated in the same file\n");
}

static void a_rule_is_either_recording_or_alerting(void **state)
{
    (void)state;
    expect_rule_error("{record: r, alert: A, expr: m}",
                      "r.yml: 4:14: 4:24: group \"g\", rule 1, \"A\": only one of "
                      "'record' and 'alert' must be set");
    expect_rule_error("{expr: m}",
                      "r.yml: 0:0: 0:0: group \"g\", rule 1, \"\": one of 'record' or 'alert' must be set");
    expect_rule_error("{alert: '', expr: m}",
                      "r.yml: 0:0: 4:13: group \"g\", rule 1, \"\": one of 'record' or 'alert' must be set");
}

static void an_expression_must_be_there_and_parse(void **state)
{
    (void)state;
    expect_rule_error("{record: r}",
                      "r.yml: 0:0: group \"g\", rule 1, \"r\": field 'expr' must be set in rule");
    expect_rule_error("{record: r, expr: ''}",
                      "r.yml: 4:23: group \"g\", rule 1, \"r\": field 'expr' must be set in rule");
    expect_rule_error("{alert: A, expr: sum(}",
                      "r.yml: 4:22: group \"g\", rule 1, \"A\": could not parse expression: "
                      "1:5: parse error: unclosed left parenthesis");
}

static void what_only_alerts_have_is_refused_in_recording_rules(void **state)
{
    (void)state;
    expect_rule_error(
        "{record: r, expr: m, annotations: {a: b}}",
        "r.yml: 4:14: group \"g\", rule 1, \"r\": invalid field 'annotations' in recording rule");
    expect_rule_error("{record: r, expr: m, for: 1m}",
                      "r.yml: 4:14: group \"g\", rule 1, \"r\": invalid field 'for' in recording rule");
    expect_rule_error(
        "{record: r, expr: m, keep_firing_for: 1m}",
        "r.yml: 4:14: group \"g\", rule 1, \"r\": invalid field 'keep_firing_for' in recording rule");
}

static void braces_in_a_record_are_taken_for_a_mistake(void **state)
{
    (void)state;
    expect_rule_error(
        "{record: 'r{a=\"b\"}', expr: m}",
        "r.yml: 4:14: group \"g\", rule 1, \"r{a=\\\"b\\\"}\": braces present in the recording rule name; "
        "should it be in expr?: r{a=\"b\"}");
}

static void label_and_annotation_names_are_checked(void **state)
{
    (void)state;
    expect_rule_error("{record: r, expr: m, labels: {__name__: x}}",
                      "r.yml: group \"g\", rule 1, \"r\": invalid label name: __name__");
    expect_rule_error("{alert: A, expr: m, labels: {'': x}}",
                      "r.yml: group \"g\", rule 1, \"A\": invalid label name: ");
    expect_rule_error("{alert: A, expr: m, annotations: {'': x}}",
                      "r.yml: group \"g\", rule 1, \"A\": invalid annotation name: ");
    expect_errors("groups:\n- name: g\n  labels: {__name__: x}\n", "r.yml: invalid label name: __name__\n");
}

static void templates_are_parsed_at_load(void **state)
{
    (void)state;
    expect_rule_error("{alert: A, expr: m, labels: {l: '{{ foo }}'}}",
                      "r.yml: group \"g\", rule 1, \"A\": label \"l\": template: __alert_A:1: function "
                      "\"foo\" not defined");
    expect_rule_error(
        "{alert: A, expr: m, annotations: {s: '{{ $x }}'}}",
        "r.yml: group \"g\", rule 1, \"A\": annotation \"s\": template: __alert_A:1: undefined variable "
        "\"$x\"");
    expect_rule_error("{alert: A, expr: m, annotations: {s: '{{ $labels.a }}{{ $value }}{{ $externalURL }}"
                      "{{ $externalLabels.b }}{{ query \"up\" | len }}{{ now | humanizeTimestamp }}'}}",
                      "");
}

static void a_group_label_with_a_broken_template_says_so_in_the_alert(void **state)
{
    (void)state;
    struct read r;
    read_text(&r, "groups:\n- name: g\n  labels: {l: '{{ foo }}'}\n  rules: [{alert: A, expr: m}]\n");
    assert_int_equal(r.code, 0);
    const struct rule_text *l = &r.set->groups[0].rules[0].labels[0];
    assert_null(l->code);
    expect_str(l->plain,
               "<error expanding template: error parsing template __alert_A: template: __alert_A:1: "
               "function \"foo\" not defined>");
    read_end(&r);
}

static void unknown_fields_and_wrong_types_are_listed_together(void **state)
{
    (void)state;
    expect_errors("groups:\n"
                  "- name: g\n"
                  "  foo: 1\n"
                  "  limit: abcdefghijklmnop\n"
                  "  rules:\n"
                  "  - alert: [A]\n"
                  "    bar: 1\n"
                  "    labels: x\n"
                  "- text\n"
                  "other: 1\n",
                  "r.yml: yaml: unmarshal errors:\n"
                  "  line 3: field foo not found in type rulefmt.RuleGroup\n"
                  "  line 4: cannot unmarshal !!str `abcdefg...` into int\n"
                  "  line 6: cannot unmarshal !!seq into string\n"
                  "  line 7: field bar not found in type rulefmt.Rule\n"
                  "  line 8: cannot unmarshal !!str `x` into map[string]string\n"
                  "  line 9: cannot unmarshal !!str `text` into rulefmt.RuleGroup\n"
                  "  line 10: field other not found in type rulefmt.RuleGroups\n");
    expect_errors(
        "- a\n",
        "r.yml: yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into rulefmt.RuleGroups\n");
}

static void unknown_fields_are_let_pass_when_asked(void **state)
{
    (void)state;
    struct rule_set *set = rule_set_new();
    struct buf errors;
    buf_init(&errors, 4096);
    set->ignore_unknown_fields = true;
    assert_int_equal(
        rulefile_parse(set, STR("r"),
                       STR("a: 1\ngroups: [{name: g, b: 2, rules: [{record: r, expr: m, c: 3}]}]"),
                       &promql_features_default, &errors),
        0);
    assert_int_equal(set->rule_count, 1);
    buf_release(&errors);
    rule_set_free(set);
}

static void a_bad_duration_ends_the_reading(void **state)
{
    (void)state;
    expect_errors("groups:\n- name: g\n  foo: 1\n  interval: 5\n  bar: 1\n",
                  "r.yml: not a valid duration string: \"5\"\n");
    expect_rule_error("{alert: A, expr: m, for: 1 minute}",
                      "r.yml: unknown unit \" minute\" in duration \"1 minute\"");
    expect_rule_error("{alert: A, expr: m, for: -5m}", "r.yml: not a valid duration string: \"-5m\"");
}

static void all_errors_of_a_file_are_listed_in_order(void **state)
{
    (void)state;
    expect_errors(
        "groups:\n"
        "- name: g\n"
        "  rules:\n"
        "  - record: 'a{'\n"
        "    for: 1m\n"
        "    labels: {__name__: x}\n"
        "  - alert: B\n"
        "    expr: ')'\n"
        "    annotations: {s: '{{ end }}'}\n",
        "r.yml: 0:0: group \"g\", rule 1, \"a{\": field 'expr' must be set in rule\n"
        "r.yml: 4:13: group \"g\", rule 1, \"a{\": invalid field 'for' in recording rule\n"
        "r.yml: 4:13: group \"g\", rule 1, \"a{\": braces present in the recording rule name; should it be "
        "in "
        "expr?: a{\n"
        "r.yml: group \"g\", rule 1, \"a{\": invalid label name: __name__\n"
        "r.yml: 8:11: group \"g\", rule 2, \"B\": could not parse expression: 1:2: parse error: unexpected "
        "right parenthesis ')'\n"
        "r.yml: group \"g\", rule 2, \"B\": annotation \"s\": template: __alert_B:1: unexpected {{end}}\n");
}

static void past_the_memory_of_a_configuration_a_file_is_refused(void **state)
{
    (void)state;
    int64_t before = limits.generation_arena_bytes;
    limits.generation_arena_bytes = 20000;
    struct rule_set *set = rule_set_new();
    limits.generation_arena_bytes = before;
    struct buf text, errors;
    buf_init(&text, 1 << 20);
    buf_init(&errors, 1 << 16);
    buf_puts(&text, "groups:\n- name: g\n  rules:\n");
    for (int i = 0; i < 1000; i++)
        buf_puts(&text, "  - {record: r, expr: m, labels: {a: b}}\n");
    assert_int_equal(rulefile_parse(set, STR("r"), buf_slice(&text), &promql_features_default, &errors),
                     ERR_LIMIT);
    assert_int_equal(set->count, 0);
    buf_release(&text);
    buf_release(&errors);
    rule_set_free(set);
}

/* ---- Kubernetes ---- */

#define MANIFEST "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\n"
#define GROUP_G "spec:\n  groups:\n  - name: g\n    rules: [{record: r, expr: m}]\n"

static void expect_sources(const char *text, const char *sources)
{
    struct read r;
    struct buf found;
    read_text(&r, text);
    buf_init(&found, 1000);
    assert_string_equal(buf_text(&r.errors), "");
    for (size_t i = 0; i < r.set->count; i++)
        buf_format(&found, "%.*s;%.*s ", STR_ARG(r.set->groups[i].file), STR_ARG(r.set->groups[i].name));
    assert_string_equal(buf_text(&found), sources);
    assert_int_equal(r.set->file_count, 1);
    assert_int_equal(r.set->rule_count, r.set->count);
    buf_release(&found);
    read_end(&r);
}

static void a_manifest_is_accepted_as_it_is(void **state)
{
    (void)state;
    expect_sources("# rendered\n---\n" MANIFEST
                   "metadata: {name: n, labels: {a: b}, uid: 7}\nspec:\n  groups:\n  - name: g\n"
                   "    partial_response_strategy: warn\n    rules: [{alert: A, expr: 1}]\nstatus: {x: y}\n",
                   "r.yml;g ");
    expect_sources(MANIFEST "spec:\n", "");
    expect_sources(MANIFEST, "");
}

static void objects_of_one_file_may_use_the_same_group_names(void **state)
{
    (void)state;
    expect_sources(MANIFEST "metadata: {name: a, namespace: x}\n" GROUP_G "---\n" MANIFEST
                            "metadata: {name: b}\n" GROUP_G "---\n" MANIFEST GROUP_G,
                   "r.yml#x/a;g r.yml#b;g r.yml#3;g ");
}

static void lists_are_opened_and_other_kinds_passed_over(void **state)
{
    (void)state;
    expect_sources("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, data: {a: b}}\n"
                   "- {apiVersion: monitoring.coreos.com/v1, kind: PrometheusRule, spec: {groups: [{name: g, "
                   "rules: [{record: r, expr: m}]}]}}\n",
                   "r.yml;g ");
    expect_sources("apiVersion: apps/v1\nkind: Deployment\nspec: {groups: 7}\n---\n" MANIFEST GROUP_G,
                   "r.yml;g ");
    expect_sources("{apiVersion: monitoring.coreos.com/v1, kind: PrometheusRuleList, items: []}", "");
}

static void manifests_are_read_as_strictly_as_rule_files(void **state)
{
    (void)state;
    expect_errors("apiVersion: v1\nkind: ConfigMap\ndata: {}\n",
                  "r.yml: 2:7: no PrometheusRule of monitoring.coreos.com in this manifest\n");
    expect_errors(MANIFEST "spec: {groups: [{name: g, rule: []}], rules: []}\nextra: 1\n",
                  "r.yml: yaml: unmarshal errors:\n"
                  "  line 3: field rule not found in type rulefmt.RuleGroup\n"
                  "  line 3: field rules not found in type monitoringv1.PrometheusRuleSpec\n"
                  "  line 4: field extra not found in type monitoringv1.PrometheusRule\n");
    expect_errors(MANIFEST GROUP_G "---\n" MANIFEST
                                   "spec:\n  groups:\n  - name: h\n    rules: [{record: r, expr: ')'}]\n",
                  "r.yml: 13:31: group \"h\", rule 1, \"r\": could not parse expression: 1:2: parse error: "
                  "unexpected right parenthesis ')'\n");
    expect_errors(MANIFEST "---\ngroups: []\n",
                  "r.yml: 4:1: an object of a Kubernetes manifest must have apiVersion and kind\n");
    expect_errors("{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: List, items: []}]}",
                  "r.yml: 1:38: a List holds objects, and no other List\n");
    expect_errors("{apiVersion: v1, kind: List, items: 7}",
                  "r.yml: 1:37: a List holds objects, and no other List\n");
    expect_errors(MANIFEST "---\n[\n", "r.yml: yaml: line 4: did not find expected node content\n");
    expect_errors("groups: [{name: g, partial_response_strategy: warn}]",
                  "r.yml: yaml: unmarshal errors:\n  line 1: field partial_response_strategy not found in "
                  "type rulefmt.RuleGroup\n");
}

/* ---- details of YAML ---- */

static void keys_given_twice_are_told_with_both_lines(void **state)
{
    (void)state;
    expect_errors(
        "groups:\n- name: g\n  rules:\n  - alert: A\n    alert: B\n    foo: 1\n  - record: r\n    expr: m\n"
        "    labels: {a: b,\n      a: c}\n    bar: 1\n",
        "r.yml: yaml: unmarshal errors:\n"
        "  line 5: mapping key \"alert\" already defined at line 4\n"
        "  line 10: mapping key \"a\" already defined at line 9\n"
        "  line 11: field bar not found in type rulefmt.Rule\n");
}

static void a_limit_loses_its_fraction_as_in_go(void **state)
{
    (void)state;
    struct read r;
    read_text(&r, "groups: [{name: g, limit: 2.9}, {name: h, limit: -1e3}]");
    assert_string_equal(buf_text(&r.errors), "");
    assert_int_equal(r.set->groups[0].limit, 2);
    assert_int_equal(r.set->groups[1].limit, -1000);
    read_end(&r);
    expect_errors("groups: [{name: g, limit: 1e30}]",
                  "r.yml: yaml: unmarshal errors:\n  line 1: cannot unmarshal !!float `1e30` into int\n");
}

static void paths_are_joined_as_go_joins_them(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"", "a.yml", "a.yml"},
        {".", "./x//y/*.yml", "x/y/*.yml"},
        {"/etc/p", "rules/*.yml", "/etc/p/rules/*.yml"},
        {"/etc/p", "../q/./r.yml", "/etc/q/r.yml"},
        {"/etc", "../../../r.yml", "/r.yml"},
        {"a/b", "../../../r.yml", "../r.yml"},
        {"..", "../a../../r.yml", "../../r.yml"},
        {"a", "/b/../c.yml", "/b/../c.yml"},
        {"a", "..", "."},
        {"a", "", ""},
    };
    struct buf path;
    buf_init(&path, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rule_path_join(&path, str_of(cases[i][0]), str_of(cases[i][1]));
        assert_string_equal(buf_text(&path), cases[i][2]);
    }
    buf_release(&path);
}

/* ---- the fingerprint ---- */

static uint64_t fingerprint_of(const char *text)
{
    struct read r;
    read_text(&r, text);
    must(r.set->count == 1);
    uint64_t fingerprint = r.set->groups[0].fingerprint;
    read_end(&r);
    return fingerprint;
}

static void equal_groups_have_equal_fingerprints_and_others_not(void **state)
{
    (void)state;
    static const char *const variants[] = {
        "groups: [{name: h, rules: [{record: r, expr: m}]}]",
        "groups: [{name: g, interval: 5s, rules: [{record: r, expr: m}]}]",
        "groups: [{name: g, limit: 5, rules: [{record: r, expr: m}]}]",
        "groups: [{name: g, query_offset: 0s, rules: [{record: r, expr: m}]}]",
        "groups: [{name: g, rules: [{alert: r, expr: m}]}]",
        "groups: [{name: g, rules: [{record: r, expr: m, labels: {a: b}}]}]",
        "groups: [{name: g, rules: [{record: r, expr: n}]}]",
        "groups: [{name: g, rules: [{record: r, expr: m}, {record: r, expr: m}]}]",
    };
    uint64_t base = fingerprint_of("groups: [{name: g, rules: [{record: r, expr: m}]}]");
    assert_true(base == fingerprint_of("groups:\n- rules:\n  - expr: \" m \"\n    record: r\n  name: g\n"));
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++)
        assert_false(base == fingerprint_of(variants[i]));
}

/* ---- files ---- */

static char folder[] = "/tmp/tocsin_rulefile_XXXXXX";

static void put_file(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    must(f != NULL);
    must(fputs(text, f) >= 0);
    must(fclose(f) == 0);
}

static int make_folder(void **state)
{
    (void)state;
    must(mkdtemp(folder) != NULL);
    char sub[256];
    snprintf(sub, sizeof sub, "%s/team", folder);
    must(mkdir(sub, 0700) == 0);
    put_file("team/x.yml", "groups: [{name: g, rules: [{record: r, expr: m}]}]");
    put_file("a.yml", "groups: [{name: g, rules: [{record: r, expr: m}]}]");
    put_file("b.yml", "groups: [{name: g, rules: [{record: r, expr: m}]}]");
    put_file("bad.rules", "groups: [{name: g, rules: [{record: r, expr: ')'}]}]");
    put_file("worse.rules", "groups: 7");
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"a.yml", "b.yml", "bad.rules", "worse.rules", "team/x.yml"};
    char path[256];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/team", folder);
    rmdir(path);
    return rmdir(folder);
}

static void a_wildcard_may_stand_for_a_folder(void **state)
{
    (void)state;
    struct str pattern = STR("./*/x.yml");
    struct rule_set *set;
    struct buf errors;
    buf_init(&errors, 4096);
    assert_int_equal(
        rule_set_load(world_real(), str_of(folder), &pattern, 1, &promql_features_default, &set, &errors), 0);
    assert_int_equal(set->file_count, 1);
    assert_true(str_ends(set->groups[0].file, STR("/team/x.yml")));
    assert_false(str_ends(set->groups[0].file, STR("/./team/x.yml")));
    rule_set_free(set);
    buf_release(&errors);
}

static void patterns_are_relative_to_their_folder_and_a_file_counts_once(void **state)
{
    (void)state;
    struct str patterns[] = {STR("*.yml"), STR("a.yml"), STR("missing.yml"), STR("none*")};
    struct rule_set *set;
    struct buf errors;
    buf_init(&errors, 4096);
    assert_int_equal(
        rule_set_load(world_real(), str_of(folder), patterns, 4, &promql_features_default, &set, &errors), 0);
    assert_string_equal(buf_text(&errors), "");
    assert_int_equal(set->file_count, 2);
    assert_int_equal(set->rule_count, 2);
    assert_true(str_ends(set->groups[0].file, STR("/a.yml")));
    assert_true(str_ends(set->groups[1].file, STR("/b.yml")));
    rule_set_free(set);
    buf_release(&errors);
}

static void one_bad_file_refuses_all_and_every_bad_file_is_told(void **state)
{
    (void)state;
    struct str patterns[] = {STR("*.yml"), STR("*.rules")};
    struct rule_set *set;
    struct buf errors;
    buf_init(&errors, 4096);
    assert_int_equal(
        rule_set_load(world_real(), str_of(folder), patterns, 2, &promql_features_default, &set, &errors),
        ERR_PARSE);
    assert_null(set);
    assert_non_null(
        strstr(buf_text(&errors), "/bad.rules: 1:46: group \"g\", rule 1, \"r\": could not parse"));
    assert_non_null(strstr(buf_text(&errors), "/worse.rules: yaml: unmarshal errors:"));
    buf_release(&errors);
}

/* ---- the command ---- */

struct printed {
    char *out, *errors;
    size_t out_bytes, errors_bytes;
    int status;
};

static const char *file_text; /* what stands in every file */

static int read_any_file(struct world *w, const char *path, struct buf *out, struct err *err)
{
    (void)w;
    (void)path;
    (void)err;
    buf_puts(out, file_text);
    return 0;
}

static struct printed check_text(const char *text, bool lint, bool fatal)
{
    struct printed p;
    struct world world = {.read_file = read_any_file};
    struct str path = STR("x.yml");
    unsigned lints = lint ? LINT_BIT(LINT_DUPLICATE_RULES) : 0;
    struct rulecheck_options options = {
        .features = promql_features_default, .lints = lints, .fatal = fatal ? lints : 0};
    FILE *out = open_memstream(&p.out, &p.out_bytes), *errors = open_memstream(&p.errors, &p.errors_bytes);
    file_text = text;
    p.status = rulecheck_files(&world, &path, 1, &options, out, errors);
    fclose(out);
    fclose(errors);
    return p;
}

static void expect_printed(struct printed p, int status, const char *out, const char *errors)
{
    assert_string_equal(p.out, out);
    assert_string_equal(p.errors, errors);
    assert_int_equal(p.status, status);
    free(p.out);
    free(p.errors);
}

static const char twice[] = "groups:\n"
                            "- name: g\n"
                            "  labels: {a: b}\n"
                            "  rules:\n"
                            "  - {record: r, expr: m, labels: {c: d}}\n"
                            "  - {record: r, expr: n, labels: {c: d}}\n"
                            "  - {record: r, expr: n, labels: {c: d}}\n"
                            "  - {record: r, expr: n, labels: {c: e}}\n";
static const char twice_found[] = "  FAILED:\n"
                                  "lint error 1 duplicate rule(s) found.\n"
                                  "Metric: r\n"
                                  "Label(s):\n"
                                  "\ta: b\n"
                                  "\tc: d\n"
                                  "Might cause inconsistency while recording expressions\n";

static void check_prints_what_promtool_prints(void **state)
{
    (void)state;
    expect_printed(check_text("groups: [{name: g, rules: [{record: r, expr: m}]}]", true, true), 0,
                   "Checking x.yml\n  SUCCESS: 1 rules found\n\n", "");
    expect_printed(check_text("groups: [{rules: []}]", true, true), 1, "Checking x.yml\n\n",
                   "  FAILED:\nx.yml: 1:10: Groupname must not be empty\n");
}

static void duplicates_are_lint_and_fatal_only_when_asked(void **state)
{
    (void)state;
    expect_printed(check_text(twice, true, false), 0, "Checking x.yml\n\n", twice_found);
    expect_printed(check_text(twice, true, true), 3, "Checking x.yml\n\n", twice_found);
    expect_printed(check_text(twice, false, true), 0, "Checking x.yml\n  SUCCESS: 4 rules found\n\n", "");
}

static void the_worst_of_several_files_decides(void **state)
{
    (void)state;
    struct printed p;
    char good[256], bad[256];
    snprintf(good, sizeof good, "%s/a.yml", folder);
    snprintf(bad, sizeof bad, "%s/bad.rules", folder);
    struct str paths[] = {str_of(bad), str_of(good), STR("/nonexistent/x.yml")};
    struct rulecheck_options options = {.features = promql_features_default, .lints = LINT_ALL};
    FILE *out = open_memstream(&p.out, &p.out_bytes), *errors = open_memstream(&p.errors, &p.errors_bytes);
    assert_int_equal(rulecheck_files(world_real(), paths + 1, 1, &options, out, errors), 0);
    assert_int_equal(rulecheck_files(world_real(), paths, 2, &options, out, errors), 1);
    assert_int_equal(rulecheck_files(world_real(), paths + 2, 1, &options, out, errors), 1);
    fclose(out);
    fclose(errors);
    assert_non_null(strstr(p.errors, "/nonexistent/x.yml: "));
    free(p.out);
    free(p.errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_and_an_empty_document_are_valid),
        cmocka_unit_test(only_the_first_document_is_read),
        cmocka_unit_test(every_field_reaches_the_rule),
        cmocka_unit_test(group_labels_lie_under_the_rules_own),
        cmocka_unit_test(names_may_be_any_utf8),
        cmocka_unit_test(a_zero_duration_needs_no_unit_and_null_is_absent),
        cmocka_unit_test(a_group_needs_a_name_of_its_own),
        cmocka_unit_test(a_rule_is_either_recording_or_alerting),
        cmocka_unit_test(an_expression_must_be_there_and_parse),
        cmocka_unit_test(what_only_alerts_have_is_refused_in_recording_rules),
        cmocka_unit_test(braces_in_a_record_are_taken_for_a_mistake),
        cmocka_unit_test(label_and_annotation_names_are_checked),
        cmocka_unit_test(templates_are_parsed_at_load),
        cmocka_unit_test(a_group_label_with_a_broken_template_says_so_in_the_alert),
        cmocka_unit_test(unknown_fields_and_wrong_types_are_listed_together),
        cmocka_unit_test(unknown_fields_are_let_pass_when_asked),
        cmocka_unit_test(a_bad_duration_ends_the_reading),
        cmocka_unit_test(all_errors_of_a_file_are_listed_in_order),
        cmocka_unit_test(past_the_memory_of_a_configuration_a_file_is_refused),
        cmocka_unit_test(equal_groups_have_equal_fingerprints_and_others_not),
        cmocka_unit_test(a_wildcard_may_stand_for_a_folder),
        cmocka_unit_test(patterns_are_relative_to_their_folder_and_a_file_counts_once),
        cmocka_unit_test(one_bad_file_refuses_all_and_every_bad_file_is_told),
        cmocka_unit_test(check_prints_what_promtool_prints),
        cmocka_unit_test(duplicates_are_lint_and_fatal_only_when_asked),
        cmocka_unit_test(the_worst_of_several_files_decides),
        cmocka_unit_test(a_manifest_is_accepted_as_it_is),
        cmocka_unit_test(objects_of_one_file_may_use_the_same_group_names),
        cmocka_unit_test(lists_are_opened_and_other_kinds_passed_over),
        cmocka_unit_test(manifests_are_read_as_strictly_as_rule_files),
        cmocka_unit_test(keys_given_twice_are_told_with_both_lines),
        cmocka_unit_test(a_limit_loses_its_fraction_as_in_go),
        cmocka_unit_test(paths_are_joined_as_go_joins_them),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
