#include "tocsin/objective.h"
#include "tocsin/pyrra.h"
#include "tocsin/rulefile.h"
#include "tocsin/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

static void read_text(const char *path, struct buf *out)
{
    struct err err = {0};
    buf_init(out, 1 << 20);
    if (world_real()->read_file(world_real(), path, out, &err) != 0)
        fail_msg("%s", err.text);
}

static struct pyrra_file *parse(const char *text)
{
    struct pyrra_file *file;
    struct err err = {0};
    if (pyrra_file_parse(str_of(text), &file, &err) != 0)
        fail_msg("line %d: %s", err.line, err.text);
    return file;
}

static struct pyrra_file *parse_file(const char *path)
{
    struct buf text;
    read_text(path, &text);
    struct pyrra_file *file = parse(buf_text(&text));
    buf_release(&text);
    return file;
}

/* ---- the rules that Pyrra makes of these files ---- */

#define URL STR("https://pyrra.example.com/any")

static const struct golden {
    const char *name, *rules; /* of the same name unless given */
    enum pyrra_part part;
    struct pyrra_generate options;
    size_t rule_count;
} goldens[] = {
    {"pyrra_ratio", NULL, PYRRA_WHOLE, {.generic_rules = true}, 2 + 7 + 4 + 5},
    {"pyrra_ratio_groups", NULL, PYRRA_WHOLE, {.external_url = URL}, 4 + 7 + 4},
    {"pyrra_ratio_long", "pyrra_ratio_long-short", PYRRA_SHORT, {.generic_rules = true}, 2 + 7 + 4 + 5},
    {"pyrra_ratio_long", "pyrra_ratio_long-long", PYRRA_LONG, {.generic_rules = true}, 2},
    {"pyrra_latency", NULL, PYRRA_WHOLE, {.generic_rules = true}, 4 + 7 + 4 + 5},
    {"pyrra_latency", "pyrra_latency_exact", PYRRA_WHOLE, {.exact_le = true}, 4 + 7 + 4},
    {"pyrra_latency_groups", "pyrra_latency_groups-short", PYRRA_SHORT, {.generic_rules = true}, 4 + 7},
    {"pyrra_latency_groups", "pyrra_latency_groups-long", PYRRA_LONG, {.generic_rules = true}, 2},
    {"pyrra_native", NULL, PYRRA_WHOLE, {.generic_rules = true}, 2 + 7 + 4 + 3},
    {"pyrra_gauge", NULL, PYRRA_WHOLE, {.generic_rules = true}, 3 + 7 + 4 + 5},
    {"pyrra_gauge_groups", "pyrra_gauge_groups-short", PYRRA_SHORT, {.generic_rules = true}, 3 + 7},
    {"pyrra_gauge_groups", "pyrra_gauge_groups-long", PYRRA_LONG, {.generic_rules = true}, 2},
};

static void generate(const struct pyrra_file *file, enum pyrra_part part,
                     const struct pyrra_generate *options, struct buf *out)
{
    struct err err = {0};
    if (pyrra_generate(file->objectives, file->count, part, options, out, &err) != 0)
        fail_msg("%s", err.text);
}

static void generate_golden(const struct golden *g, struct buf *out)
{
    char path[256];
    snprintf(path, sizeof path, "tests/slo/%s.yaml", g->name);
    struct pyrra_file *file = parse_file(path);
    buf_init(out, 1 << 20);
    generate(file, g->part, &g->options, out);
    pyrra_file_free(file);
}

static void test_a_file_becomes_pyrras_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) {
        const struct golden *g = &goldens[i];
        char path[256];
        struct buf got, expected;
        snprintf(path, sizeof path, "tests/slo/%s.rules", g->rules != NULL ? g->rules : g->name);
        generate_golden(g, &got);
        read_text(path, &expected);
        assert_string_equal(buf_text(&got), buf_text(&expected));
        buf_release(&got);
        buf_release(&expected);
    }
}

static size_t load(struct str rules)
{
    struct buf errors;
    struct rule_set *set = rule_set_new();
    buf_init(&errors, 1 << 16);
    if (rulefile_parse(set, STR("rules"), rules, &promql_features_default, &errors) != 0)
        fail_msg("%s", buf_text(&errors));
    size_t count = set->rule_count;
    rule_set_free(set);
    buf_release(&errors);
    return count;
}

static void test_what_is_generated_loads_as_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) {
        struct buf rules;
        generate_golden(&goldens[i], &rules);
        assert_int_equal(load(buf_slice(&rules)), goldens[i].rule_count);
        buf_release(&rules);
    }
}

static void assert_canonical(struct arena *arena, struct str query)
{
    struct expr *e;
    struct err err = {0};
    struct buf text;
    buf_init(&text, 1 << 16);
    if (promql_parse(arena, query, &promql_features_default, &e, &err) != 0)
        fail_msg("%s", err.text);
    promql_print(&text, e);
    assert_string_equal(buf_text(&text), arena_copy_text(arena, query.p, query.n));
    promql_free(e);
    buf_release(&text);
}

/* Pyrra has its queries printed by Prometheus, but for those of alerts on two windows. */
static void test_what_is_recorded_is_spelt_as_prometheus_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) {
        struct buf rules;
        struct arena arena;
        struct tree *root;
        struct err err = {0};
        arena_init(&arena, 1 << 24);
        generate_golden(&goldens[i], &rules);
        assert_int_equal(yaml_parse(&arena, buf_slice(&rules), &root, &err), 0);
        for (const struct tree *g = tree_get(root, "groups")->first; g != NULL; g = g->next)
            for (const struct tree *r = tree_get(g, "rules")->first; r != NULL; r = r->next)
                if (tree_get(r, "record") != NULL)
                    assert_canonical(&arena, tree_get_text(r, "expr"));
        arena_release(&arena);
        buf_release(&rules);
    }
}

/* ---- windows ---- */

static const struct scaled {
    int64_t period_ms;
    int short_min[PYRRA_TIERS], long_min[PYRRA_TIERS], for_min[PYRRA_TIERS];
} scaled[] = {
    {28 * DAY_MS, {5, 30, 120, 360}, {60, 360, 1440, 5760}, {2, 15, 60, 180}},
    {30 * DAY_MS, {5, 32, 129, 386}, {64, 386, 1543, 6171}, {2, 16, 64, 193}},
    {14 * DAY_MS, {3, 15, 60, 180}, {30, 180, 720, 2880}, {1, 8, 30, 90}},
    {7 * DAY_MS, {1, 8, 30, 90}, {15, 90, 360, 1440}, {1, 4, 15, 45}},
    {PYRRA_WINDOW_MIN_MS, {1, 3, 12, 36}, {6, 36, 144, 576}, {0, 2, 6, 18}},
    {PYRRA_WINDOW_MIN_MS - 1, {0, 3, 12, 36}, {6, 36, 144, 576}, {0, 1, 6, 18}},
};

static void test_windows_scale_with_the_period(void **state)
{
    static const int factors[PYRRA_TIERS] = {14, 7, 2, 1};
    (void)state;
    for (size_t i = 0; i < sizeof scaled / sizeof *scaled; i++) {
        struct pyrra_window windows[PYRRA_TIERS];
        pyrra_windows(scaled[i].period_ms, windows);
        for (size_t j = 0; j < PYRRA_TIERS; j++) {
            assert_int_equal(windows[j].short_ms, scaled[i].short_min[j] * MINUTE_MS);
            assert_int_equal(windows[j].long_ms, scaled[i].long_min[j] * MINUTE_MS);
            assert_int_equal(windows[j].for_ms, scaled[i].for_min[j] * MINUTE_MS);
            assert_int_equal(windows[j].factor, factors[j]);
        }
    }
}

static void test_how_long_a_metric_may_be_absent(void **state)
{
    static const struct {
        int days;
        double target;
        int minutes;
    } rows[] = {
        {28, .9, 86},   {28, .95, 44},  {28, .99, 10}, {28, .995, 6}, {28, .999, 3},
        {28, .9995, 2}, {28, .9999, 2}, {14, .99, 5},  {7, .995, 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pyrra_objective o = {.window_ms = rows[i].days * DAY_MS, .target = rows[i].target};
        assert_int_equal(pyrra_absent_for_ms(&o), rows[i].minutes * MINUTE_MS);
    }
}

/* ---- reading ---- */

#define HEAD "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\n"
#define NAME "metadata: {name: a}\n"
#define RATIO "{ratio: {errors: {metric: 'e'}, total: {metric: 't'}}}"
#define SPEC(target, window, indicator) \
    "spec:\n  target: " target "\n  window: " window "\n  indicator: " indicator "\n"

static void test_what_is_not_given(void **state)
{
    struct pyrra_file *file =
        parse(HEAD NAME SPEC("99.9", "4w", RATIO) "  alerting: {absent: null, name: ''}\n");
    const struct pyrra_objective *o = file->objectives;
    (void)state;
    assert_true(o->burn_alerts && o->absent_alerts);
    assert_true(str_is(o->alert_name, "ErrorBudgetBurn"));
    assert_true(str_is(o->absent_name, "SLOMetricAbsent"));
    assert_true(str_is(o->severities[1], "critical") && str_is(o->severities[2], "warning"));
    assert_true(str_is(o->absent_severity, "critical"));
    assert_true(o->target == 99.9 / 100);
    assert_int_equal(o->window_ms, 28 * DAY_MS);
    assert_int_equal(o->line, 1);
    pyrra_file_free(file);
}

static void test_alerts_are_turned_off(void **state)
{
    struct pyrra_file *file =
        parse(HEAD NAME SPEC("99", "4w", RATIO) "  alerting: {disabled: true}\n---\n" HEAD NAME SPEC(
            "99", "4w", RATIO) "  alerting: {burnrates: false, absent: false}\n");
    (void)state;
    assert_int_equal(file->count, 2);
    assert_true(!file->objectives[0].burn_alerts && file->objectives[0].absent_alerts);
    assert_true(!file->objectives[1].burn_alerts && !file->objectives[1].absent_alerts);
    pyrra_file_free(file);
}

#define LATENCY(success, total) "{latency: {success: {metric: '" success "'}, total: {metric: '" total "'}}}"
#define GAUGE(metric) "{bool_gauge: {metric: '" metric "'}}"
#define NO_SELECTOR                                                                                      \
    "must be the name of a metric, with matchers in braces or without, such as http_requests_total{job=" \
    "\"api\"}"
#define NO_TARGET \
    "SLO \"a\": target must be a number of percent, more than 0 and at most 100, such as \"99.9\""

static const struct row {
    const char *text, *why;
    int line;
} bad[] = {
    {"", "the file is empty", 0},
    {"- a\n",
     "no objective of Pyrra's: there must be `apiVersion: pyrra.dev/v1alpha1` and `kind: "
     "ServiceLevelObjective`",
     1},
    {HEAD SPEC("99", "4w", RATIO), "metadata.name is missing", 1},
    {HEAD "metadata:\n  name: a b\n" SPEC("99", "4w", RATIO),
     "SLO \"a b\": metadata.name must be letters, digits, '-', '_' or '.', and begin and end with a letter "
     "or digit",
     4},
    {HEAD NAME SPEC("99", "4w", RATIO) "  windows: 4w\n",
     "yaml: unmarshal errors:\n  line 8: field windows not found in type v1alpha1.ServiceLevelObjectiveSpec",
     0},
    {HEAD NAME SPEC("99", "4w", RATIO) "  alerting: {page: true}\n",
     "yaml: unmarshal errors:\n  line 8: field page not found in type v1alpha1.Alerting", 0},
    {HEAD NAME SPEC("0", "4w", RATIO), NO_TARGET, 5},
    {HEAD NAME SPEC("100.1", "4w", RATIO), NO_TARGET, 5},
    {HEAD NAME SPEC("-1", "4w", RATIO), NO_TARGET, 5},
    {HEAD NAME SPEC("99%", "4w", RATIO), NO_TARGET, 5},
    {HEAD NAME SPEC("null", "4w", RATIO), NO_TARGET, 5},
    {HEAD NAME "spec: {}\n", NO_TARGET, 1},
    {HEAD NAME SPEC("99", "", RATIO), "SLO \"a\": window is missing, such as 4w", 6},
    {HEAD NAME SPEC("99", "4 weeks", RATIO), "SLO \"a\": window must be a duration, such as 4w", 6},
    {HEAD NAME SPEC("99", "11y", RATIO), "SLO \"a\": window must be at most ten years", 6},
    {HEAD NAME SPEC("99", "2d", RATIO),
     "SLO \"a\": with a window of 2d the shortest range of its rules would be 0s; make it 2d19h12m or more",
     6},
    {HEAD NAME SPEC("99", "4w", "{}"),
     "SLO \"a\": indicator must be one of ratio, latency, latencyNative and bool_gauge", 1},
    {HEAD NAME SPEC("99", "4w", "{bool_gauge: {metric: up}, ratio: {}}"),
     "SLO \"a\": indicator must be one of ratio, latency, latencyNative and bool_gauge", 1},
    {HEAD NAME SPEC("99", "4w", "{ratio: {total: {metric: t}}}"), "SLO \"a\": ratio.errors.metric is missing",
     7},
    {HEAD NAME SPEC("99", "4w", GAUGE("sum(up)")), "SLO \"a\": bool_gauge.metric: " NO_SELECTOR, 7},
    {HEAD NAME SPEC("99", "4w", GAUGE("up[5m]")), "SLO \"a\": bool_gauge.metric: " NO_SELECTOR, 7},
    {HEAD NAME SPEC("99", "4w", GAUGE("up offset 5m")), "SLO \"a\": bool_gauge.metric: " NO_SELECTOR, 7},
    {HEAD NAME SPEC("99", "4w", GAUGE("up @ 5")), "SLO \"a\": bool_gauge.metric: " NO_SELECTOR, 7},
    {HEAD NAME SPEC("99", "4w", GAUGE("{job=\"a\"}")), "SLO \"a\": bool_gauge.metric: " NO_SELECTOR, 7},
    {HEAD NAME SPEC("99", "4w", GAUGE("up{")),
     "SLO \"a\": bool_gauge.metric: 1:4: parse error: unexpected end of input inside braces", 7},
    {HEAD NAME SPEC("99", "4w", GAUGE("up{slo=\"x\"}")),
     "SLO \"a\": the label slo is set by the generated rules; name yours differently", 7},
    {HEAD NAME SPEC("99", "4w", "{bool_gauge: {metric: up, grouping: [a, b, a]}}"),
     "SLO \"a\": grouping names a twice", 7},
    {HEAD NAME SPEC("99", "4w", "{bool_gauge: {metric: up, grouping: [a b]}}"),
     "SLO \"a\": grouping must be names of labels", 7},
    {HEAD NAME SPEC("99", "4w", "{bool_gauge: {metric: up, grouping: [slo]}}"),
     "SLO \"a\": the label slo is set by the generated rules; name yours differently", 7},
    {HEAD "metadata: {name: a, labels: {pyrra.dev/b: c}}\n" SPEC(
         "99", "4w", "{bool_gauge: {metric: up, grouping: [a, b]}}"),
     "SLO \"a\": is grouped by b, which its label pyrra.dev/b would hide on alerts", 7},
    {HEAD NAME SPEC("99", "4w", LATENCY("h_bucket", "h_count")),
     "SLO \"a\": latency.success.metric must say which bucket it is, by le=\"NUMBER\" in its braces", 7},
    {HEAD NAME SPEC("99", "4w", LATENCY("h_bucket{le=\"fast\"}", "h_count")),
     "SLO \"a\": latency.success.metric must say which bucket it is, by le=\"NUMBER\" in its braces", 7},
    {HEAD NAME SPEC("99", "4w", LATENCY("h_bucket{le=~\"1\"}", "h_count")),
     "SLO \"a\": latency.success.metric must say which bucket it is, by le=\"NUMBER\" in its braces", 7},
    {HEAD NAME SPEC("99", "4w", LATENCY("h_bucket{le=\"1\"}", "h_bucket{le=\"+Inf\"}")),
     "SLO \"a\": latency.total.metric must not ask for le: both would be recorded as the same series; take "
     "the "
     "histogram's _count",
     7},
    {HEAD NAME SPEC("99", "4w", "{latencyNative: {total: {metric: h}, latency: 0.5}}"),
     "SLO \"a\": latencyNative.latency must be a duration, such as 200ms", 7},
    {HEAD NAME SPEC("99", "4w", "{latencyNative: {total: {metric: h}}}"),
     "SLO \"a\": latencyNative.latency must be a duration, such as 200ms", 7},
    {HEAD NAME SPEC("99", "4w", "{ratio: {errors: {metric: x_total}, total: {metric: x_count}}}"),
     "SLO \"a\": x_count and x_total would be recorded under one name; take one of them for both", 7},
    {HEAD "metadata: {name: a, labels: {pyrra.dev/slo: b}}\n" SPEC("99", "4w", RATIO),
     "SLO \"a\": the label slo is set by the generated rules; name yours differently", 3},
    {HEAD "metadata: {name: a, labels: {pyrra.dev/: b}}\n" SPEC("99", "4w", RATIO),
     "SLO \"a\": what follows pyrra.dev/ must be the name of a label", 3},
    {HEAD "metadata: {name: a, annotations: {pyrra.dev/: b}}\n" SPEC("99", "4w", RATIO),
     "SLO \"a\": what follows pyrra.dev/ must be the name of an annotation", 3},
    {HEAD NAME SPEC("99", "4w", RATIO) "  partial_response_strategy: ignore\n",
     "SLO \"a\": partial_response_strategy must be abort or warn", 8},
};

static void test_what_is_wrong_is_told_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pyrra_file *file;
        struct err err = {0};
        assert_int_not_equal(pyrra_file_parse(str_of(bad[i].text), &file, &err), 0);
        assert_null(file);
        assert_string_equal(err.text, bad[i].why);
        assert_int_equal(err.line, bad[i].line);
    }
}

static const struct row doubtful[] = {
    {SPEC("99.9", "4w", RATIO), "", 0},
    {SPEC("'0.999'", "4w", RATIO),
     "target is in percent, so \"0.999\" is less than one of a hundred\n"
     "f:1: SLO \"a\": its alert for a fast burn never fires: no ratio of errors is over 13.8601\n"
     "f:1: SLO \"a\": its alert for a medium burn never fires: no ratio of errors is over 6.93007\n"
     "f:1: SLO \"a\": its alert for a slow burn never fires: no ratio of errors is over 1.98002\n",
     0},
    {SPEC("90", "4w", RATIO), "its alert for a fast burn never fires: no ratio of errors is over 1.4\n", 0},
    {SPEC("99", "4w", "{ratio: {errors: {metric: 't{a=\"b\"}'}, total: {metric: 't{a=\"b\"}'}}}"),
     "errors and total are the same, so that every event is an error\n", 0},
    {SPEC("99", "4w", LATENCY("h_b{le=\"1\"}", "h_c")),
     "latency.total.metric h_c is usually a histogram's _count\n"
     "f:1: SLO \"a\": latency.success.metric h_b is usually a histogram's _bucket\n",
     0},
    {SPEC("99", "5d", RATIO),
     "its shortest range is 1m, which needs a sample every 15s or so\n"
     "f:1: SLO \"a\": its alert for a fast burn does not wait (for: 0s), as with all windows below 7d\n",
     0},
    {SPEC("99", "4w", GAUGE("up{job!=\"\",a!=\"b\"}")),
     "its alerts never fire: they look for job!=\"\", which recorded ratios have not; group by job\n", 0},
    {SPEC("99", "4w", "{bool_gauge: {metric: 'up{job!=\"\"}', grouping: [job]}}"),
     "has a grouping, of which there are no generic rules\n", 0},
};

static void test_what_is_doubtful_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof doubtful / sizeof *doubtful; i++) {
        char text[1024], expected[1024];
        struct buf warnings;
        snprintf(text, sizeof text, HEAD NAME "%s", doubtful[i].text);
        snprintf(expected, sizeof expected, "%s%s", doubtful[i].why[0] != '\0' ? "f:1: SLO \"a\": " : "",
                 doubtful[i].why);
        struct pyrra_file *file = parse(text);
        buf_init(&warnings, 1 << 16);
        pyrra_warn(file->objectives, STR("f"), true, &warnings);
        assert_string_equal(buf_text(&warnings), expected);
        buf_release(&warnings);
        pyrra_file_free(file);
    }
}

/* ---- several objectives, objects ---- */

#define TWO                                                                                       \
    HEAD NAME SPEC("99", "4w",                                                                    \
                   RATIO) "---\n" HEAD                                                            \
                          "metadata: {name: b, namespace: n, labels: {app: x, pyrra.dev/y: z}}\n" \
                          "spec: {target: 99, window: 4w, performanceOverAccuracy: true, "        \
                          "partial_response_strategy: warn, "                                     \
                          "ruleOutput: {shortRulesLabels: {app: short, p: q}, longRulesLabels: "  \
                          "{p: r}}, indicator: {latencyNative: {total: {metric: h}, latency: 1s}}}\n"

static void test_each_part_holds_what_belongs_there(void **state)
{
    static const struct pyrra_generate plain;
    static const char *const first[] = {"- interval: 2m30s\n  name: a-increase\n",
                                        "- interval: 30s\n  name: b\n",
                                        "- interval: 2m30s\n  name: b-increase\n"};
    struct pyrra_file *file = parse(TWO);
    (void)state;
    for (int part = PYRRA_WHOLE; part <= PYRRA_LONG; part++) {
        struct buf out;
        buf_init(&out, 1 << 20);
        generate(file, (enum pyrra_part)part, &plain, &out);
        assert_true(str_starts(buf_slice(&out), STR("groups:\n")));
        assert_memory_equal(buf_text(&out) + 8, first[part], strlen(first[part]));
        assert_int_not_equal(load(buf_slice(&out)), 0);
        buf_release(&out);
    }
    pyrra_file_free(file);
}

static void test_a_part_that_nobody_has_is_empty(void **state)
{
    static const struct pyrra_generate plain, objects = {.operator_rule = true};
    struct pyrra_file *file = parse(HEAD NAME SPEC("99", "4w", RATIO));
    struct buf out;
    (void)state;
    buf_init(&out, 1 << 20);
    generate(file, PYRRA_SHORT, &plain, &out);
    generate(file, PYRRA_LONG, &objects, &out);
    assert_int_equal(out.used, 0);
    buf_release(&out);
    pyrra_file_free(file);
}

static void test_a_name_that_comes_twice_is_refused(void **state)
{
    static const struct pyrra_generate plain;
    struct pyrra_file *file =
        parse(HEAD NAME SPEC("99", "4w", RATIO) "---\n" HEAD NAME SPEC("98", "4w", RATIO));
    struct buf out;
    struct err err = {0};
    (void)state;
    buf_init(&out, 1 << 20);
    assert_int_equal(pyrra_generate(file->objectives, 2, PYRRA_WHOLE, &plain, &out, &err), ERR_PARSE);
    assert_non_null(strstr(err.text, "groupname: \"a-increase\" is repeated in the same file"));
    buf_release(&out);
    pyrra_file_free(file);
}

static void test_objects_for_the_operator(void **state)
{
    static const struct pyrra_generate objects = {.operator_rule = true};
    static const char head[] = "apiVersion: monitoring.coreos.com/v1\n"
                               "kind: PrometheusRule\n"
                               "metadata:\n"
                               "  labels:\n"
                               "    app: short\n"
                               "    p: q\n"
                               "    pyrra.dev/y: z\n"
                               "  name: b-short\n"
                               "  namespace: \"n\"\n"
                               "spec:\n"
                               "  groups:\n"
                               "  - interval: 30s\n"
                               "    name: b\n"
                               "    partial_response_strategy: warn\n"
                               "    rules:\n"
                               "    - expr: 1 - histogram_fraction(0, 1, sum(rate(h[5m])))\n"
                               "      labels:\n"
                               "        slo: b\n"
                               "        \"y\": z\n"
                               "      record: h:burnrate5m\n";
    struct pyrra_file *file = parse(TWO);
    struct buf out;
    (void)state;
    buf_init(&out, 1 << 20);
    generate(file, PYRRA_SHORT, &objects, &out);
    buf_truncate(&out, strlen(head));
    assert_string_equal(buf_text(&out), head);
    buf_release(&out);
    pyrra_file_free(file);
}

static void test_objects_of_several_objectives_are_documents(void **state)
{
    static const struct pyrra_generate objects = {.operator_rule = true};
    struct pyrra_file *file =
        parse(HEAD NAME SPEC("99", "4w", RATIO) "---\n" HEAD "metadata: {name: b}\n" SPEC("98", "4w", RATIO));
    struct buf out;
    (void)state;
    buf_init(&out, 1 << 20);
    generate(file, PYRRA_WHOLE, &objects, &out);
    assert_non_null(strstr(buf_text(&out), "\n---\napiVersion: monitoring.coreos.com/v1\n"));
    assert_int_equal(load(buf_slice(&out)), 2 * (4 + 7 + 4));
    buf_release(&out);
    pyrra_file_free(file);
}

/* What a matcher says becomes a label of alerts, where Prometheus looks for a template. */
static void test_rules_that_do_not_load_are_refused(void **state)
{
    static const struct pyrra_generate plain;
    struct pyrra_file *file = parse(HEAD NAME SPEC("99", "4w", GAUGE("up{job=\"{{x}}\"}")));
    struct buf out;
    struct err err = {0};
    (void)state;
    buf_init(&out, 1 << 20);
    assert_int_equal(pyrra_generate(file->objectives, 1, PYRRA_WHOLE, &plain, &out, &err), ERR_PARSE);
    assert_true(str_starts(str_of(err.text), STR("the rules made of it do not load: ")));
    buf_release(&out);
    pyrra_file_free(file);
}

static void test_urls_of_pyrras_page(void **state)
{
    static const char *const refused[] = {"pyrra", "ftp://a", "http://", "http://a:b@c", "https://a b", "/x"};
    (void)state;
    assert_int_equal(pyrra_url_check(STR("https://pyrra.example.com:8080/x?y#z"), NULL), 0);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_int_not_equal(pyrra_url_check(str_of(refused[i]), NULL), 0);
}

/* ---- objectives ---- */

static struct objective_set *read_objectives(const char *text)
{
    struct objective_set *set = objective_set_new();
    struct buf errors;
    buf_init(&errors, 1 << 16);
    if (objective_file_parse(set, STR("slo.yaml"), str_of(text), &errors) != 0)
        fail_msg("%s", buf_text(&errors));
    buf_release(&errors);
    return set;
}

static void test_an_objective(void **state)
{
    struct objective_set *set = read_objectives(
        HEAD "metadata: {name: a, namespace: n, labels: {pyrra.dev/team: x}, annotations: {pyrra.dev/book: "
             "y}}\n" SPEC("99.9", "30d",
                          "{ratio: {errors: {metric: 'e{job=\"j\",c=~\"5..\"}'}, total: {metric: "
                          "'t{job=\"j\",z!=\"y\"}'}, grouping: [z, b]}}"));
    const struct objective *o = set->items;
    (void)state;
    assert_int_equal(set->count, 1);
    assert_true(str_is(o->id, "n-a") && str_is(o->service, "n") && str_is(o->name, "a"));
    assert_true(str_is(o->file, "slo.yaml") && o->line == 1);
    assert_true(o->target.numerator == 999 && o->target.denominator == 1000);
    assert_true(o->period.unit == PERIOD_ROLLING && o->period.length_ms == 30 * DAY_MS);
    assert_true(o->indicator.kind == INDICATOR_BAD && o->indicator.exact && o->budgeting == BUDGET_EVENTS);
    assert_true(
        str_is(o->indicator.counted, "sum by (b, z) (increase(e{c=~\"5..\",job=\"j\"}[{{.window}}]))"));
    assert_true(str_is(o->indicator.total, "sum by (b, z) (increase(t{job=\"j\",z!=\"y\"}[{{.window}}]))"));
    assert_int_equal(o->by_count, 2);
    assert_true(str_is(o->by[0], "b") && str_is(o->by[1], "z"));
    assert_int_equal(o->labels.count, 1);
    assert_true(str_is(o->labels.items[0].name, "team"));
    assert_int_equal(o->tiers[0].labels.count, 4);
    assert_true(str_is(o->tiers[0].labels.items[0].name, "job") &&
                str_is(o->tiers[0].labels.items[0].value, "j"));
    assert_true(str_is(o->annotations.items[0].name, "book"));
    assert_true(o->compat == COMPAT_PYRRA && o->slice_ms == MINUTE_MS);
    assert_int_equal(o->watch.no_data_ms, 3 * MINUTE_MS);
    assert_true(str_is(o->watch.no_data_severity, "critical"));
    assert_true(o->watch.labels.count == 1 && str_is(o->watch.labels.items[0].name, "job"));
    objective_set_free(set);
}

static void test_tiers_of_an_objective(void **state)
{
    struct objective_set *set =
        read_objectives(HEAD NAME SPEC("99.9", "30d", RATIO) "  alerting: {severities: {slowBurn: note}}\n");
    const struct objective *o = set->items;
    (void)state;
    assert_int_equal(o->tier_count, 4);
    assert_true(str_is(o->id, "default-a") && str_is(o->service, "default"));
    assert_true(str_is(o->tiers[1].name, "medium_burn") && o->tiers[1].class == TIER_PAGE);
    assert_int_equal(o->tiers[1].short_ms, 32 * MINUTE_MS);
    assert_int_equal(o->tiers[1].long_ms, 386 * MINUTE_MS);
    assert_int_equal(o->tiers[1].for_ms, 16 * MINUTE_MS);
    assert_true(o->tiers[1].factor.numerator == 7 && o->tiers[1].factor.denominator == 1);
    assert_true(str_is(o->tiers[2].severity, "note") && o->tiers[2].class == TIER_TICKET);
    assert_true(str_is(o->tiers[0].labels.items[2].name, "exhaustion"));
    assert_true(str_is(o->tiers[0].labels.items[2].value, "2d3h25m42s"));
    objective_set_free(set);
}

static void test_alerts_of_an_objective_are_turned_off(void **state)
{
    struct objective_set *set = read_objectives(
        HEAD NAME SPEC("99.9", "30d", RATIO) "  alerting: {burnrates: false, absent: false}\n");
    (void)state;
    assert_int_equal(set->items[0].tier_count, 0);
    assert_int_equal(set->items[0].watch.no_data_ms, 0);
    objective_set_free(set);
}

static const struct {
    const char *indicator, *counted, *total;
    enum indicator_kind kind;
    bool exact;
} indicators[] = {
    {RATIO, "sum(increase(e[5m]))", "sum(increase(t[5m]))", INDICATOR_BAD, true},
    {LATENCY("h_bucket{le=\"1\"}", "h_count"), "sum(increase(h_bucket{le=~\"1(\\\\.0)?\"}[5m]))",
     "sum(increase(h_count[5m]))", INDICATOR_GOOD, true},
    {"{latencyNative: {total: {metric: h}, latency: 200ms}}",
     "histogram_fraction(0, 0.2, sum(increase(h[5m]))) * histogram_count(sum(increase(h[5m])))",
     "histogram_count(sum(increase(h[5m])))", INDICATOR_GOOD, false},
    {GAUGE("up"), "sum(sum_over_time(up[5m]))", "sum(count_over_time(up[5m]))", INDICATOR_GOOD, false},
    {GAUGE("up{a=\"{{.x}}{\"}"), "sum(sum_over_time(up{a=\"{{.x}}{\"}[5m]))",
     "sum(count_over_time(up{a=\"{{.x}}{\"}[5m]))", INDICATOR_GOOD, false},
};

static void assert_query(struct arena *arena, struct str query, const char *expected)
{
    struct str text;
    struct err err = {0};
    if (objective_query(arena, query, 5 * MINUTE_MS, &text, &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(text.p, expected);
    assert_canonical(arena, text);
}

static void test_indicators_of_objectives(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof indicators / sizeof *indicators; i++) {
        char text[1024];
        snprintf(text, sizeof text, HEAD NAME SPEC("99", "4w", "%s"), indicators[i].indicator);
        struct objective_set *set = read_objectives(text);
        const struct indicator *in = &set->items[0].indicator;
        assert_query(&set->arena, in->counted, indicators[i].counted);
        assert_query(&set->arena, in->total, indicators[i].total);
        assert_int_equal(in->kind, indicators[i].kind);
        assert_int_equal(in->exact, indicators[i].exact);
        objective_set_free(set);
    }
}

static void test_what_cannot_be_read_adds_nothing(void **state)
{
    static const struct row rows[] = {
        {SPEC("99", "1d", RATIO),
         "slo.yaml:6: SLO \"a\": with a window of 1d the shortest range of its rules would be 0s; make it "
         "2d19h12m or "
         "more\n",
         0},
        {SPEC("99", "4w1s", RATIO), "slo.yaml:1: default-a: the window must be a whole number of slices\n",
         0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1024];
        struct objective_set *set = objective_set_new();
        struct buf errors;
        snprintf(text, sizeof text, HEAD NAME "%s", rows[i].text);
        buf_init(&errors, 1 << 16);
        assert_int_equal(objective_file_parse(set, STR("slo.yaml"), str_of(text), &errors), ERR_PARSE);
        assert_string_equal(buf_text(&errors), rows[i].why);
        assert_int_equal(set->count, 0);
        buf_release(&errors);
        objective_set_free(set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_becomes_pyrras_rules),
        cmocka_unit_test(test_what_is_generated_loads_as_rules),
        cmocka_unit_test(test_what_is_recorded_is_spelt_as_prometheus_does),
        cmocka_unit_test(test_windows_scale_with_the_period),
        cmocka_unit_test(test_how_long_a_metric_may_be_absent),
        cmocka_unit_test(test_what_is_not_given),
        cmocka_unit_test(test_alerts_are_turned_off),
        cmocka_unit_test(test_what_is_wrong_is_told_with_its_line),
        cmocka_unit_test(test_what_is_doubtful_is_told),
        cmocka_unit_test(test_each_part_holds_what_belongs_there),
        cmocka_unit_test(test_a_part_that_nobody_has_is_empty),
        cmocka_unit_test(test_a_name_that_comes_twice_is_refused),
        cmocka_unit_test(test_objects_for_the_operator),
        cmocka_unit_test(test_objects_of_several_objectives_are_documents),
        cmocka_unit_test(test_rules_that_do_not_load_are_refused),
        cmocka_unit_test(test_urls_of_pyrras_page),
        cmocka_unit_test(test_an_objective),
        cmocka_unit_test(test_tiers_of_an_objective),
        cmocka_unit_test(test_alerts_of_an_objective_are_turned_off),
        cmocka_unit_test(test_indicators_of_objectives),
        cmocka_unit_test(test_what_cannot_be_read_adds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
