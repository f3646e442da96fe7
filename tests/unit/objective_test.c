#include "tocsin/duration.h"
#include "tocsin/objective.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void read_file(const char *path, struct buf *out)
{
    struct err err = {0};
    buf_init(out, 1 << 20);
    if (world_real()->read_file(world_real(), path, out, &err) != 0)
        fail_msg("%s", err.text);
}

/* ---- a form that people can read, so that all that was read can be compared ---- */

static void put(struct buf *out, const char *name, struct str value)
{
    if (value.n > 0)
        buf_format(out, "  %s %.*s\n", name, STR_ARG(value));
}

static void put_pairs(struct buf *out, const char *name, struct strict_pairs pairs)
{
    if (pairs.count == 0)
        return;
    buf_format(out, "  %s", name);
    for (size_t i = 0; i < pairs.count; i++)
        buf_format(out, " %.*s=%.*s", STR_ARG(pairs.items[i].name), STR_ARG(pairs.items[i].value));
    buf_char(out, '\n');
}

static void put_fraction(struct buf *out, const char *name, struct fraction f)
{
    if (f.denominator != 0)
        buf_format(out, "  %s %lld/%lld\n", name, (long long)f.numerator, (long long)f.denominator);
}

static void put_time(struct buf *out, const char *name, int64_t ms)
{
    buf_format(out, " %s ", name);
    duration_print(out, ms);
}

static void put_period(struct buf *out, const struct period *p)
{
    static const char *const units[] = {"rolling", "day", "week", "month", "quarter", "year"};
    buf_format(out, "  %s x %lld", units[p->unit], (long long)p->count);
    put_time(out, "of", p->length_ms);
    buf_puts(out, p->zone.n > 0 ? " in " : "");
    buf_str(out, p->zone);
    buf_char(out, '\n');
}

static void put_indicator(struct buf *out, const struct indicator *in)
{
    static const char *const kinds[] = {"bad", "good", "ratio", "threshold"};
    static const char *const compares[] = {"<", "<=", ">", ">="};
    put(out, kinds[in->kind], in->counted);
    put(out, "total", in->total);
    if (in->kind == INDICATOR_THRESHOLD)
        buf_format(out, "  %s %g\n", compares[in->compare], in->threshold);
    if (in->exact)
        buf_puts(out, "  exact\n");
}

static void put_tier(struct buf *out, const struct objective_tier *t)
{
    buf_format(out, "  tier %.*s %s %.*s", STR_ARG(t->name), t->class == TIER_PAGE ? "page" : "ticket",
               STR_ARG(t->severity));
    put_time(out, "short", t->short_ms);
    put_time(out, "long", t->long_ms);
    put_time(out, "for", t->for_ms);
    buf_char(out, '\n');
    put_fraction(out, "  factor", t->factor);
    put_pairs(out, "  labels", t->labels);
    put_pairs(out, "  annotations", t->annotations);
}

static void put_watch(struct buf *out, const struct objective_watch *w)
{
    if (w->no_data_ms > 0) {
        put_time(out, " no data for", w->no_data_ms);
        buf_format(out, ": %.*s\n", STR_ARG(w->no_data_severity));
    }
    put_pairs(out, "watched with", w->labels);
}

static void put_rest(struct buf *out, const struct objective *o)
{
    const struct objective_guard *g = &o->guard;
    if (g->bad_min != 0 || g->total_min != 0 || g->correct_traffic || g->false_page_rate != 0)
        buf_format(out, "  guard bad %lld total %lld %s %g\n", (long long)g->bad_min, (long long)g->total_min,
                   g->correct_traffic ? "corrected" : "", g->false_page_rate);
    if (o->ladder.asked) {
        put_fraction(out, "inform", o->ladder.inform);
        put_fraction(out, "freeze", o->ladder.freeze);
        put_fraction(out, "mitigate", o->ladder.mitigate);
    }
    for (size_t i = 0; i < o->maintenance_count; i++) {
        const struct maintenance *m = &o->maintenance[i];
        buf_format(out, "  maintenance %lld", (long long)m->start_ms);
        put_time(out, "for", m->length_ms);
        put_time(out, "every", m->every_ms);
        buf_puts(out, m->reason.n > 0 ? ": " : "");
        buf_str(out, m->reason);
        buf_char(out, '\n');
    }
}

static void put_budgeting(struct buf *out, const struct objective *o)
{
    static const char *const budgetings[] = {"events", "slices", "ratios"};
    buf_format(out, "  by %s", budgetings[o->budgeting]);
    put_time(out, "in slices of", o->slice_ms);
    buf_char(out, '\n');
    put_fraction(out, "slice target", o->slice_target);
    for (size_t i = 0; i < o->by_count; i++)
        put(out, "group", o->by[i]);
}

static void put_objective(struct buf *out, const struct objective *o)
{
    static const char *const compats[] = {"", " sloth", " pyrra"};
    buf_format(out, "%.*s line %d%s\n", STR_ARG(o->id), o->line, compats[o->compat]);
    put(out, "service", o->service);
    put(out, "description", o->description);
    put(out, "owner", o->owner);
    put(out, "tier", o->tier);
    put(out, "runbook", o->runbook);
    put_fraction(out, "target", o->target);
    put_period(out, &o->period);
    put_indicator(out, &o->indicator);
    put_budgeting(out, o);
    put_pairs(out, "labels", o->labels);
    put_pairs(out, "annotations", o->annotations);
    put(out, "alert", o->alert_name);
    for (size_t i = 0; i < o->tier_count; i++)
        put_tier(out, &o->tiers[i]);
    put_watch(out, &o->watch);
    put_rest(out, o);
}

static void print_file(const char *path, struct buf *out)
{
    struct buf text, errors;
    struct objective_set *set = objective_set_new();
    read_file(path, &text);
    buf_init(&errors, 1 << 16);
    buf_init(out, 1 << 20);
    if (objective_file_parse(set, str_of(path), buf_slice(&text), &errors) != 0)
        fail_msg("%s", buf_text(&errors));
    for (size_t i = 0; i < set->count; i++)
        put_objective(out, &set->items[i]);
    objective_set_free(set);
    buf_release(&text);
    buf_release(&errors);
}

static void assert_reads(const char *path, const char *expected_path)
{
    struct buf got, expected;
    print_file(path, &got);
    read_file(expected_path, &expected);
    assert_string_equal(buf_text(&got), buf_text(&expected));
    buf_release(&got);
    buf_release(&expected);
}

static void test_own_form_with_every_key(void **state)
{
    (void)state;
    assert_reads("tests/slo/own.yml", "tests/slo/own.objectives");
}

static void test_sloths_files(void **state)
{
    (void)state;
    assert_reads("tests/slo/shop.yml", "tests/slo/shop.objectives");
    assert_reads("tests/slo/object.yml", "tests/slo/object.objectives");
}

static void test_pyrras_files(void **state)
{
    (void)state;
    assert_reads("tests/slo/pyrra_ratio_groups.yaml", "tests/slo/pyrra_ratio_groups.objectives");
    assert_reads("tests/slo/pyrra_latency.yaml", "tests/slo/pyrra_latency.objectives");
}

static void test_openslo_with_every_kind_of_object(void **state)
{
    (void)state;
    assert_reads("tests/slo/openslo.yml", "tests/slo/openslo.objectives");
}

/* ---- forms of sli ---- */

#define SLO(rest) "{version: tocsin/v1, service: shop, slos: [{name: a, objective: 99, " rest "}]}"
#define SLI(rest) SLO("sli: {" rest "}")
#define EVENTS "sli: {bad: b, total: t}"

static const struct form {
    const char *text;
    enum indicator_kind kind;
    const char *counted, *total;
    bool exact;
} forms[] = {
    {SLI("good: 'g{a=\"b\"}', total: t"), INDICATOR_GOOD, "sum(increase(g{a=\"b\"}[{{.window}}]))",
     "sum(increase(t[{{.window}}]))", true},
    {SLI("bad: b, total: '{a=\"b\"}'"), INDICATOR_BAD, "sum(increase(b[{{.window}}]))",
     "sum(increase({a=\"b\"}[{{.window}}]))", true},
    {SLI("bad: '{\"a.b\", \"c.d\"=\"e\"}', total: t"), INDICATOR_BAD,
     "sum(increase({\"a.b\",\"c.d\"=\"e\"}[{{.window}}]))", "sum(increase(t[{{.window}}]))", true},
    {SLO("by: [z, a.b, z], " EVENTS), INDICATOR_BAD, "sum by (\"a.b\", z) (increase(b[{{.window}}]))",
     "sum by (\"a.b\", z) (increase(t[{{.window}}]))", true},
    {SLI("error_query: 'sum(rate(b[{{ .window }}]))', total_query: 'sum(rate(t[{{.window}}]))'"),
     INDICATOR_BAD, "sum(rate(b[{{ .window }}]))", "sum(rate(t[{{.window}}]))", false},
    {SLI("good_query: 'sum(rate(g[{{.window}}])) or vector(0)', total_query: 'sum(rate(t[{{.window}}]))'"),
     INDICATOR_GOOD, "sum(rate(g[{{.window}}])) or vector(0)", "sum(rate(t[{{.window}}]))", false},
    {SLI("latency: {histogram: x_bucket, under: 1s}"), INDICATOR_GOOD,
     "sum(increase(x_bucket{le=~\"1(\\\\.0)?\"}[{{.window}}]))", "sum(increase(x_count[{{.window}}]))", true},
    {SLI("latency: {histogram: x_bucket, under: 50ms, total: y}"), INDICATOR_GOOD,
     "sum(increase(x_bucket{le=\"0.05\"}[{{.window}}]))", "sum(increase(y[{{.window}}]))", true},
    {SLI("latency: {histogram: 'x_bucket{a=\"b\"}', under: 250}"), INDICATOR_GOOD,
     "sum(increase(x_bucket{a=\"b\",le=~\"250(\\\\.0)?\"}[{{.window}}]))",
     "sum(increase(x_count{a=\"b\"}[{{.window}}]))", true},
    {SLI("latency: {histogram: x_bucket, under: 1000000}"), INDICATOR_GOOD,
     "sum(increase(x_bucket{le=\"1e+06\"}[{{.window}}]))", "sum(increase(x_count[{{.window}}]))", true},
    {SLI("latency: {histogram: x, under: 1m, native: true, total: y}"), INDICATOR_GOOD,
     "histogram_fraction(0, 60, sum(increase(x[{{.window}}]))) * "
     "histogram_count(sum(increase(x[{{.window}}])))",
     "sum(increase(y[{{.window}}]))", false},
    {SLI("error_ratio: 'avg_over_time(r[{{.window}}])'"), INDICATOR_RATIO, "avg_over_time(r[{{.window}}])",
     "", false},
    {SLI("probe: up"), INDICATOR_GOOD, "sum(sum_over_time(up[{{.window}}]))",
     "sum(count_over_time(up[{{.window}}]))", false},
    {SLI("threshold: {query: max(q), op: '>=', value: 1e3}"), INDICATOR_THRESHOLD, "max(q)", "", false},
};

static void assert_text(struct str got, const char *expected)
{
    char text[1 << 12];
    snprintf(text, sizeof text, "%.*s", STR_ARG(got));
    assert_string_equal(text, expected);
}

static struct objective_set *read_sound(const char *text)
{
    struct objective_set *set = objective_set_new();
    struct buf errors;
    buf_init(&errors, 1 << 16);
    if (objective_file_parse(set, STR("f.yml"), str_of(text), &errors) != 0)
        fail_msg("%s\n%s", text, buf_text(&errors));
    buf_release(&errors);
    return set;
}

static void test_each_form_of_sli(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct objective_set *set = read_sound(forms[i].text);
        const struct indicator *in = &set->items[0].indicator;
        assert_int_equal(in->kind, forms[i].kind);
        assert_int_equal(in->exact, forms[i].exact);
        assert_text(in->counted, forms[i].counted);
        assert_text(in->total, forms[i].total);
        objective_set_free(set);
    }
}

static void test_braces_of_a_selector_are_no_template(void **state)
{
    struct objective_set *set = read_sound(SLI("bad: 'b{path=~\"/{{id}}|{{{\"}', total: '{\"{{x\"}'"));
    struct str query;
    struct err err = {0};
    (void)state;
    assert_int_equal(
        objective_query(&set->arena, set->items[0].indicator.counted, 5 * 60 * 1000, &query, &err), 0);
    assert_text(query, "sum(increase(b{path=~\"/{{id}}|{{{\"}[5m]))");
    assert_int_equal(objective_query(&set->arena, set->items[0].indicator.total, 5 * 60 * 1000, &query, &err),
                     0);
    assert_text(query, "sum(increase({\"{{x\"}[5m]))");
    objective_set_free(set);
}

/* ---- what tells groups apart ---- */

#define QUERIES(bad, total) SLI("error_query: '" bad "', total_query: '" total "'")

static void test_groups_are_what_the_queries_group_by(void **state)
{
    static const struct {
        const char *text;
        size_t count;
    } rows[] = {
        {QUERIES("sum by (b, a) (rate(x[{{.window}}]))", "2 * (sum by (a, b) (rate(y[{{.window}}])))"), 2},
        {QUERIES("sum(rate(x[{{.window}}]))", "sum(rate(y[{{.window}}]))"), 0},
        {QUERIES("rate(x[{{.window}}])", "sum by (a) (rate(y[{{.window}}]))"), 1},
        {QUERIES("sum without (a) (rate(x[{{.window}}]))", "rate(y[{{.window}}])"), 0},
        {QUERIES("sum by (a) (rate(x[{{.window}}])) + sum by (a) (rate(z[{{.window}}]))",
                 "topk by (b) (1, rate(y[{{.window}}]))"),
         1},
        {SLO("by: [a], sli: {error_query: 'rate(x[{{.window}}])', total_query: 'rate(y[{{.window}}])'}"), 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct objective_set *set = read_sound(rows[i].text);
        assert_int_equal(set->items[0].by_count, rows[i].count);
        objective_set_free(set);
    }
}

/* ---- tiers ---- */

static void test_default_tiers_are_shorter_than_the_window(void **state)
{
    struct objective_set *set = read_sound(SLO("window: {calendar: day}, " EVENTS));
    (void)state;
    assert_int_equal(set->items[0].tier_count, 2);
    objective_set_free(set);
    set = read_sound(SLO("window: 1h, alerting: {disable: true}, " EVENTS));
    assert_int_equal(set->items[0].tier_count, 0);
    assert_int_equal(set->items[0].watch.no_data_ms, 0);
    objective_set_free(set);
}

/* Sloth's 10 % in three days of 28 would be a burn rate under 1; its own 30 days have 1. */
static void test_factors_are_exact(void **state)
{
    struct objective_set *set =
        read_sound(SLO("window: 28d, alerting: {tiers: [{long: 3d, budget_percent: 10}, {name: b, long: 1h, "
                       "factor: 0.1}]}, " EVENTS));
    const struct objective *o = &set->items[0];
    (void)state;
    assert_int_equal(o->tiers[0].factor.numerator, 14);
    assert_int_equal(o->tiers[0].factor.denominator, 15);
    assert_int_equal(o->tiers[1].factor.denominator, 10);
    objective_set_free(set);
}

/* ---- what is refused ---- */

#define TIERS(rest) SLO(EVENTS ", alerting: {tiers: [" rest "]}")
#define HEAD "version: tocsin/v1\nservice: shop\nslos:\n"
#define OPENSLO(kind, name, spec) \
    "---\napiVersion: openslo/v1\nkind: " kind "\nmetadata: {name: " name "}\nspec: " spec "\n"
#define OS_RATIO(more, query)                                                                              \
    "{ratioMetric: {" more "good: {metricSource: {type: Prometheus, spec: {query: '" query "'}}}, total: " \
    "{metricSource: {type: Prometheus, spec: {query: '" query "'}}}}}"
#define OS_GOOD OS_RATIO("", "sum(rate(x[{{.window}}]))")
#define OS_SLO(window, objective, more)                                                        \
    OPENSLO("SLO", "a",                                                                        \
            "{service: s, indicatorRef: i, budgetingMethod: Occurrences, timeWindow: [" window \
            "], objectives: [" objective "]" more "}")
#define OS_FILE(window, objective, more) OPENSLO("SLI", "i", OS_GOOD) OS_SLO(window, objective, more)
#define OS_CONDITION(rest)                                              \
    OS_FILE("{duration: 30d}", "{target: 0.9}", ", alertPolicies: [p]") \
    OPENSLO("AlertPolicy", "p", "{conditions: [{conditionRef: c}]}")    \
    OPENSLO("AlertCondition", "c", "{severity: page, condition: {" rest "}}")

#define OS_THRESHOLD(method)                                                                       \
    OPENSLO("SLI", "i", "{thresholdMetric: {metricSource: {type: Prometheus, spec: {query: x}}}}") \
    OPENSLO("SLO", "a",                                                                            \
            "{service: s, indicatorRef: i, budgetingMethod: " method ", objectives: [{op: lt, "    \
            "value: 1, target: 0.9}]}")

static const struct row {
    const char *text, *why; /* why: how the errors begin */
    int code;
} refused[] = {
    /* files */
    {"", "f.yml: the file is empty", ERR_PARSE},
    {"a: [", "f.yml:2: yaml: line 1: did not find expected node content", ERR_PARSE},
    {"\n{version: tocsin/v2}", "f.yml:2: no objectives of a known form: ", ERR_PARSE},
    {"[1]", "f.yml:1: no objectives of a known form: ", ERR_PARSE},
    {"{apiVersion: openslo.com/v2alpha, kind: SLO}", "f.yml:1: OpenSLO's version openslo.com/v2alpha is not",
     ERR_UNSUPPORTED},
    {HEAD "- name: a\n  objektive: 99\n  objective: x\n  sli: {}\n  slice: [1]\n",
     "f.yml:5: field objektive not found in type slo, which has name, description, objective, window, by, "
     "sli, ",
     ERR_PARSE},
    {HEAD "- name: a\n  name: b\n", "f.yml:5: mapping key \"name\" already defined at line 4\n", ERR_PARSE},
    {"version: tocsin/v1\nslos: [{}]", "f.yml:1: the service is missing, as in `service: shop`\n", ERR_PARSE},
    {"version: tocsin/v1\nservice: s", "f.yml:1: there must be at least one slo, under slos\n", ERR_PARSE},
    {HEAD "- {}\n", "f.yml:4: an slo needs a name\n", ERR_PARSE},
    {HEAD "- name: a\n", "f.yml:4: an slo needs an objective in percent, such as `objective: 99.9`\n",
     ERR_PARSE},
    {HEAD "- {name: a, objective: 9}\n", "f.yml:4: an slo needs an sli, such as ", ERR_PARSE},
    {HEAD "- {name: a b, objective: 9, " EVENTS "}\n", "f.yml:4: shop-a b: the name \"a b\" must be ",
     ERR_PARSE},
    {HEAD "- name: a\n  " EVENTS "\n  objective: 100.01\n",
     "f.yml:4: shop-a: the objective must be more than 0 and at most 100 percent\n", ERR_PARSE},
    {HEAD "- name: a\n  objective: 99,9\n  " EVENTS "\n",
     "f.yml:5: objective: \"99,9\" is no decimal number of at most 18 digits\n", ERR_PARSE},
    {HEAD "- name: a\n  objective: 0\n  " EVENTS "\n", "f.yml:4: shop-a: the objective must be more than 0 ",
     ERR_PARSE},
    {SLO("labels: {__name__: x}, " EVENTS), "f.yml:1: shop-a: \"__name__\" is no label ", ERR_PARSE},
    {SLO("labels: {alertname: x}, " EVENTS), "f.yml:1: shop-a: \"alertname\" is no label ", ERR_PARSE},
    {SLO("labels: {service: x}, " EVENTS),
     "f.yml:1: shop-a: the label service is set by the objective itself", ERR_PARSE},
    {SLO("by: [team], alerting: {page: {labels: {team: a}}}, " EVENTS),
     "f.yml:1: shop-a: the label team cannot tell groups apart", ERR_PARSE},
    {"version: prometheus/v1\nservice: shop\nslos:\n- {name: ab, objective: 9, sli: {raw: "
     "{error_ratio_query: 'avg by (team) (avg_over_time(r[{{.window}}]))'}}, alerting: {name: x, labels: "
     "{team: x}}}",
     "f.yml:4: shop-ab: the label team cannot tell groups apart", ERR_PARSE},
    {SLO("compat: nobl9, " EVENTS), "f.yml:1: compat must be sloth or pyrra, not \"nobl9\"\n", ERR_PARSE},
    /* time */
    {SLO("window: 30 days, " EVENTS), "f.yml:1: unknown unit \" days\" in duration \"30 days\"\n", ERR_PARSE},
    {SLO("window: 0s, " EVENTS ", alerting: {disable: true}"),
     "f.yml:1: shop-a: the window must be more than nothing", ERR_PARSE},
    {SLO("window: 1h, " EVENTS), "f.yml:1: shop-a: no default tier is shorter than the window: ", ERR_PARSE},
    {SLO("window: {calendar: fortnight}, " EVENTS), "f.yml:1: a window of the calendar is {calendar: day, ",
     ERR_PARSE},
    {SLO("window: {calendar: day, count: 0}, " EVENTS), "f.yml:1: count must be from 1 to 100\n", ERR_PARSE},
    {SLO("window: {calendar: day, time_zone: Mars/Base}, " EVENTS), "f.yml:1: time_zone: ", ERR_PARSE},
    {SLO("slice: 7m, " EVENTS),
     "f.yml:1: shop-a: a slice must be a whole number of minutes that divides a day", ERR_PARSE},
    {SLO("slice: 30s, " EVENTS), "f.yml:1: shop-a: a slice must be a whole number of minutes", ERR_PARSE},
    {SLO("slice: 1h, window: 90m, alerting: {disable: true}, " EVENTS),
     "f.yml:1: shop-a: the window must be a whole number of slices\n", ERR_PARSE},
    {SLO("maintenance: [{length: 1h}], " EVENTS), "f.yml:1: maintenance needs a start such as ", ERR_PARSE},
    {SLO("maintenance: [{start: 2026-01-01T00:00:00, length: 1h}], " EVENTS),
     "f.yml:1: maintenance needs a start such as ", ERR_PARSE},
    {SLO("maintenance: [{start: 2026-01-01T00:00:00Z}], " EVENTS), "f.yml:1: maintenance needs a length ",
     ERR_PARSE},
    {SLO("maintenance: [{start: 2026-01-01T00:00:00Z, length: 2h, every: 2h}], " EVENTS),
     "f.yml:1: maintenance that comes every so often must be shorter than that\n", ERR_PARSE},
    /* sli */
    {SLI(""), "f.yml:1: sli must be one of: good or bad with total", ERR_PARSE},
    {SLI("good: a, bad: b, total: c"), "f.yml:1: sli must be one of: ", ERR_PARSE},
    {SLI("good: a, total_query: c"), "f.yml:1: sli must be one of: ", ERR_PARSE},
    {SLI("good: a"), "f.yml:1: sli: good needs total beside it\n", ERR_PARSE},
    {SLI("probe: a, total: c"), "f.yml:1: sli must be one of: ", ERR_PARSE},
    {HEAD "- name: a\n  objective: 9\n  sli:\n    bad: b\n    total: rate(x[5m])\n",
     "f.yml:8: total: must be a plain selector such as ", ERR_PARSE},
    {SLI("bad: 'b[5m]', total: t"), "f.yml:1: bad: must be a plain selector such as ", ERR_PARSE},
    {SLI("bad: b offset 5m, total: t"), "f.yml:1: bad: must be a plain selector such as ", ERR_PARSE},
    {SLI("bad: 'b{', total: t"), "f.yml:1: bad: 1:3: parse error: ", ERR_PARSE},
    {SLI("error_query: 'sum(rate(x[5m]))', total_query: 'sum(rate(y[{{.window}}]))'"),
     "f.yml:1: error_query must have {{.window}} where its range stands", ERR_PARSE},
    {SLI("error_query: 'x[{{.window}}]', total_query: y"),
     "f.yml:1: error_query: its result must be an instant vector, not a range vector\n", ERR_PARSE},
    {SLI("error_query: 'rate(x[{{.windows}}])', total_query: y"), "f.yml:1: error_query: ", ERR_PARSE},
    {SLI("error_ratio: ''"), "f.yml:1: error_ratio: is empty\n", ERR_PARSE},
    {QUERIES("sum by (a) (rate(x[{{.window}}]))", "sum by (b) (rate(y[{{.window}}]))"),
     "f.yml:1: error_query: the queries' results do not have the same labels", ERR_PARSE},
    {SLO("by: [c], sli: {error_ratio: 'sum by (a) (rate(x[{{.window}}]))'}"),
     "f.yml:1: error_ratio: the queries' results do not have the same labels, or not those that `by` names: ",
     ERR_PARSE},
    {SLO("by: [le], " EVENTS), "f.yml:1: by: \"le\" is no label that can tell groups apart\n", ERR_PARSE},
    {SLI("latency: {histogram: x_bucket}"), "f.yml:1: latency needs histogram and under, ", ERR_PARSE},
    {SLI("latency: {histogram: x_bucket, under: fast}"), "f.yml:1: not a valid duration string: \"fast\"\n",
     ERR_PARSE},
    {SLI("latency: {histogram: x_bucket, under: 0}"), "f.yml:1: under must be more than nothing\n",
     ERR_PARSE},
    {SLI("latency: {histogram: x, under: 1s}"), "f.yml:1: histogram must be the selector of the _bucket ",
     ERR_PARSE},
    {SLI("latency: {histogram: x_bucket, under: 1s, native: true}"),
     "f.yml:1: a native histogram has no _bucket series: ", ERR_PARSE},
    {SLI("latency: {histogram: 'x_bucket{le=\"1\"}', under: 1s}"), "f.yml:1: histogram must not select by le",
     ERR_PARSE},
    {SLI("threshold: {query: x}"), "f.yml:1: threshold needs query, op and value, ", ERR_PARSE},
    {SLI("threshold: {query: x, op: '==', value: 1}"), "f.yml:1: op must be '<', '<=', '>' or '>=' in quotes",
     ERR_PARSE},
    {SLI("threshold: {query: x, op: '<', value: .nan}"), "f.yml:1: value must be a number, not ", ERR_PARSE},
    {SLO("budgeting: events, sli: {threshold: {query: x, op: '<', value: 1}}"),
     "f.yml:1: shop-a: a threshold makes slices good or bad: ", ERR_PARSE},
    {SLO("budgeting: events, sli: {error_ratio: 'avg_over_time(r[{{.window}}])'}"),
     "f.yml:1: shop-a: a ratio has no events: ", ERR_PARSE},
    {SLO("budgeting: slices, " EVENTS), "f.yml:1: shop-a: slices need a target: ", ERR_PARSE},
    {SLO("slice_target: 95, " EVENTS), "f.yml:1: shop-a: there is a target for slices, but no slices",
     ERR_PARSE},
    {SLO("budgeting: slices, slice_target: 101, " EVENTS), "f.yml:1: shop-a: the target for slices must be ",
     ERR_PARSE},
    {SLO("budgeting: time, " EVENTS), "f.yml:1: budgeting must be events, slices or ratios, not \"time\"\n",
     ERR_PARSE},
    /* alerting */
    {TIERS("{factor: 1}"), "f.yml:1: a tier needs its long window, such as `long: 1h`\n", ERR_PARSE},
    {TIERS("{long: 1h}"), "f.yml:1: a tier needs one of factor (a burn rate) and budget_percent\n",
     ERR_PARSE},
    {TIERS("{long: 1h, factor: 1, budget_percent: 2}"), "f.yml:1: a tier needs one of factor", ERR_PARSE},
    {TIERS("{long: 1h, factor: 0}"), "f.yml:1: shop-a: tier page_1h: its factor must be more than 0\n",
     ERR_PARSE},
    {TIERS("{long: 1h, factor: -1}"), "f.yml:1: factor must not be negative\n", ERR_PARSE},
    {TIERS("{long: 1h, short: 1h, factor: 1}"),
     "f.yml:1: shop-a: tier page_1h: its short window must be shorter than the long one\n", ERR_PARSE},
    {TIERS("{long: 30d, factor: 1}"), "f.yml:1: shop-a: tier page_30d: its long window must be shorter than ",
     ERR_PARSE},
    {TIERS("{long: 1h, factor: 1}, {long: 1h, factor: 2}"),
     "f.yml:1: shop-a: there are two tiers of the name page_1h\n", ERR_PARSE},
    {TIERS("{long: 1h, factor: 1, class: email}"), "f.yml:1: class must be page or ticket, not \"email\"\n",
     ERR_PARSE},
    {SLO(EVENTS ", alerting: {tiers: [], page: {disable: true}}"),
     "f.yml:1: page and ticket change the default tiers: ", ERR_PARSE},
    {SLO("budgeting: slices, slice_target: 90, slice: 15m, " EVENTS),
     "f.yml:1: shop-a: tier page_quick: its short window is shorter than a slice\n", ERR_PARSE},
    {SLO(EVENTS ", alerting: {no_data: 5s}"), "f.yml:1: shop-a: no_data must be at least a minute, ",
     ERR_PARSE},
    {SLO(EVENTS ", alerting: {no_data: {after: 5m, labels: {}}}"),
     "f.yml:1: field labels not found in type no_data, which has after, severity\n", ERR_PARSE},
    {SLO(EVENTS ", guard: {bad_min: -1}"), "f.yml:1: bad_min and total_min are numbers of events, from 0\n",
     ERR_PARSE},
    {SLO(EVENTS ", guard: {false_page_rate: 2}"), "f.yml:1: false_page_rate is a number of pages ",
     ERR_PARSE},
    {SLO("sli: {error_ratio: 'avg_over_time(r[{{.window}}])'}, guard: {bad_min: 1}"),
     "f.yml:1: guard looks at numbers of events, which this sli does not have\n", ERR_PARSE},
    {SLO(EVENTS ", policy: {freeze: 6}"), "f.yml:1: policy must climb: ", ERR_PARSE},
    /* OpenSLO */
    {OPENSLO("SLI", "Big", OS_GOOD), "f.yml:2: metadata.name \"Big\" must be ", ERR_PARSE},
    {OPENSLO("SLA", "a", "{}"), "f.yml:2: OpenSLO has no kind \"SLA\"\n", ERR_PARSE},
    {OPENSLO("Service", "a", "{}") OPENSLO("Service", "a", "{}"),
     "f.yml:7: the Service a is there twice; the first one begins in line 2\n", ERR_PARSE},
    {OPENSLO("Service", "a", "{owner: me}"), "f.yml:5: field owner not found in type v1.ServiceSpec\n",
     ERR_PARSE},
    {OS_SLO("{duration: 30d}", "{target: 0.9}", ""), "f.yml:5: there is no SLI named \"i\" in this file\n",
     ERR_PARSE},
    {OS_FILE("{duration: 1m, isRolling: true}", "{target: 0.9}", ""),
     "f.yml:10: timeWindow: 1m are minutes; months are written M, as in 1M\n", ERR_PARSE},
    {OS_FILE("{duration: 30 days}", "{target: 0.9}", ""),
     "f.yml:10: duration: \"30 days\" is no duration: ", ERR_PARSE},
    {OS_FILE("{duration: 30d, isRolling: false}", "{target: 0.9}", ""),
     "f.yml:10: timeWindow that does not roll needs a calendar", ERR_PARSE},
    {OS_FILE("{duration: 2M, calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}}", "{target: 0.9}",
             ""),
     "f.yml:10: a window of several units of the calendar is not supported", ERR_UNSUPPORTED},
    {OS_FILE("{duration: 1M, calendar: {startTime: 2026-01-21 12:30:00, timeZone: UTC}}", "{target: 0.9}",
             ""),
     "f.yml:10: startTime 2026-01-21 12:30:00: windows begin with the day", ERR_UNSUPPORTED},
    {OS_FILE("{duration: 1w, calendar: {startTime: 2026-01-06 00:00:00, timeZone: UTC}}", "{target: 0.9}",
             ""),
     "f.yml:10: startTime 2026-01-06 00:00:00: windows begin with the day, on Mondays", ERR_UNSUPPORTED},
    {OS_FILE("{duration: 1w, calendar: {startTime: 2026-02-30 00:00:00, timeZone: UTC}}", "{target: 0.9}",
             ""),
     "f.yml:10: startTime must be a time such as ", ERR_PARSE},
    {OS_FILE("{duration: 1Q, calendar: {startTime: 2026-02-01 00:00:00}}", "{target: 0.9}", ""),
     "f.yml:10: startTime 2026-02-01 00:00:00: windows begin with", ERR_UNSUPPORTED},
    {OS_FILE("{duration: 1Y, calendar: {startTime: 2026-02-01 00:00:00}}", "{target: 0.9}", ""),
     "f.yml:10: startTime 2026-02-01 00:00:00: windows begin with", ERR_UNSUPPORTED},
    {OS_FILE("{duration: 30d}", "{}", ""), "f.yml:10: an objective needs one of target ", ERR_PARSE},
    {OS_FILE("{duration: 30d}", "{target: 0.9, op: lt, value: 1}", ""),
     "f.yml:10: op and value belong to a thresholdMetric, ", ERR_PARSE},
    {OS_FILE("{duration: 30d}", "{target: 0.9, timeSliceWindow: 5m}", ""),
     "f.yml:10: timeSliceWindow belongs to Timeslices and RatioTimeslices\n", ERR_PARSE},
    {OS_FILE("{duration: 30d}", "{target: 0.9, compositeWeight: 2}", ""),
     "f.yml:10: compositeWeight is not supported: ", ERR_UNSUPPORTED},
    {OPENSLO("SLI", "i", OS_RATIO("", "x")) OS_SLO("{duration: 30d}", "{target: 0.9}", ""),
     "f.yml:5: good: OpenSLO does not say where the window stands: ", ERR_PARSE},
    {OPENSLO("SLI", "i", OS_RATIO("counter: true, ", "rate(x[5m])"))
         OS_SLO("{duration: 30d}", "{target: 0.9}", ""),
     "f.yml:5: good: OpenSLO does not say where the window stands: ", ERR_PARSE},
    {OS_THRESHOLD("RatioTimeslices"), "f.yml:7: s-a: a threshold makes slices good or bad: ", ERR_PARSE},
    {OS_CONDITION("op: gt, threshold: 2"), "f.yml:20: the AlertCondition c needs severity, ", ERR_PARSE},
    {OS_CONDITION("op: lt, threshold: 2, lookbackWindow: 1h"),
     "f.yml:20: an alert on a burn rate that is low (op: lt) is not supported\n", ERR_UNSUPPORTED},
    {OS_CONDITION("kind: budget, op: gt, threshold: 2, lookbackWindow: 1h"),
     "f.yml:20: a condition of kind budget is not supported: only burnrate is\n", ERR_UNSUPPORTED},
    {OPENSLO("AlertPolicy", "p", "{alertWhenResolved: false, conditions: [c]}"),
     "f.yml:5: alertWhenResolved: false is for the receiver to say, ", ERR_UNSUPPORTED},
    {OPENSLO("AlertPolicy", "p", "{conditions: []}"), "f.yml:5: the AlertPolicy p must have a list of one ",
     ERR_PARSE},
    {OPENSLO("SLI", "i", "{thresholdMetric: {metricSource: {type: Datadog, spec: {query: x}}}}") OPENSLO(
         "SLO", "a",
         "{service: s, indicatorRef: i, budgetingMethod: Timeslices, objectives: [{op: lt, value: 1, target: "
         "0.9}]}"),
     "f.yml:5: a metricSource of type Datadog is not supported: only Prometheus is\n", ERR_UNSUPPORTED},
};

static void test_what_is_wrong_is_told_with_its_line(void **state)
{
    struct objective_set *set = objective_set_new();
    struct buf errors;
    size_t wrong = 0;
    (void)state;
    buf_init(&errors, 1 << 16);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const struct row *row = &refused[i];
        buf_clear(&errors);
        int rc = objective_file_parse(set, STR("f.yml"), str_of(row->text), &errors);
        if (rc == row->code && str_starts(buf_slice(&errors), str_of(row->why)))
            continue;
        print_error("%s\n%d %s\nnot %d %s\n", row->text, rc, buf_text(&errors), row->code, row->why);
        wrong++;
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(set->count, 0);
    assert_int_equal(set->file_count, 0);
    buf_release(&errors);
    objective_set_free(set);
}

static void test_windows_of_openslo_begin_where_those_of_the_calendar_do(void **state)
{
    static const struct {
        const char *text;
        enum period_unit unit;
    } rows[] = {
        {OS_FILE("{duration: 1d, calendar: {startTime: 2026-01-21 00:00:00}}", "{target: 0.9}", ""),
         PERIOD_DAY},
        {OS_FILE("{duration: 1w, calendar: {startTime: 2026-01-05 00:00:00}}", "{target: 0.9}", ""),
         PERIOD_WEEK},
        {OS_FILE("{duration: 1w, calendar: {startTime: 1969-12-29 00:00:00}}", "{target: 0.9}", ""),
         PERIOD_WEEK},
        {OS_FILE("{duration: 1M, calendar: {startTime: 2026-02-01 00:00:00}}", "{target: 0.9}", ""),
         PERIOD_MONTH},
        {OS_FILE("{duration: 1Q, calendar: {startTime: 2026-10-01 00:00:00}}", "{target: 0.9}", ""),
         PERIOD_QUARTER},
        {OS_FILE("{duration: 1Y, calendar: {timeZone: Asia/Tokyo}}", "{target: 0.9}", ""), PERIOD_YEAR},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct objective_set *set = read_sound(rows[i].text);
        assert_int_equal(set->items[0].period.unit, rows[i].unit);
        objective_set_free(set);
    }
}

static void test_occurrences_of_a_threshold_are_its_slices(void **state)
{
    struct objective_set *set = read_sound(OS_THRESHOLD("Occurrences"));
    (void)state;
    assert_int_equal(set->items[0].budgeting, BUDGET_SLICES);
    assert_int_equal(set->items[0].slice_ms, 60 * 1000);
    objective_set_free(set);
}

/* ---- several documents, several files ---- */

static void test_documents_of_one_file_may_be_of_several_forms(void **state)
{
    struct objective_set *set = read_sound(OS_FILE("{duration: 30d}", "{target: 0.9}", "") "---\n" SLO(
        EVENTS) "\n---\nversion: prometheus/v1\nservice: shop\nslos: [{name: bc, objective: 99, sli: {raw: "
                "{error_ratio_query: 'avg_over_time(r[{{.window}}])'}}, alerting: {page_alert: {disable: "
                "true}, "
                "ticket_alert: {disable: true}}}]\n");
    (void)state;
    assert_int_equal(set->count, 3);
    assert_text(set->items[0].id, "s-a");
    assert_text(set->items[1].id, "shop-a");
    assert_text(set->items[2].id, "shop-bc");
    objective_set_free(set);
}

static void test_all_documents_that_are_wrong_are_told(void **state)
{
    struct objective_set *set = objective_set_new();
    struct buf errors;
    (void)state;
    buf_init(&errors, 1 << 16);
    assert_int_equal(objective_file_parse(set, STR("f.yml"),
                                          STR(SLO(EVENTS) "\n---\n{version: x}\n---\n{version: "
                                                          "tocsin/v1, slos: [], slo: 1, servce: 2}\n"),
                                          &errors),
                     ERR_PARSE);
    assert_non_null(strstr(buf_text(&errors), "f.yml:3: no objectives of a known form"));
    assert_non_null(strstr(buf_text(&errors), "\nf.yml:5: field slo not found in type document, which has "));
    assert_non_null(strstr(buf_text(&errors), "\nf.yml:5: field servce not found in type document"));
    assert_int_equal(set->count, 0);
    buf_release(&errors);
    objective_set_free(set);
}

static void test_ids_that_come_twice_are_told_with_both_places(void **state)
{
    struct objective_set *set = read_sound(SLO(EVENTS));
    struct buf errors;
    (void)state;
    buf_init(&errors, 1 << 16);
    assert_int_equal(objective_file_parse(set, STR("g.yml"), STR("\n" SLO(EVENTS)), &errors), ERR_PARSE);
    assert_string_equal(buf_text(&errors),
                        "g.yml:2: the objective shop-a is there twice; the first one is at "
                        "f.yml:1: name one differently\n");
    assert_int_equal(set->count, 1);
    assert_int_equal(set->file_count, 1);
    buf_release(&errors);
    objective_set_free(set);
}

static void test_patterns_name_files_of_all_forms(void **state)
{
    static const struct str patterns[] = {STR("own*.yml"), STR("openslo.yml"), STR("own.yml"),
                                          STR("nothing*")};
    struct objective_set *set;
    struct buf errors;
    (void)state;
    buf_init(&errors, 1 << 16);
    assert_int_equal(objective_set_load(world_real(), STR("tests/slo"), patterns, 4, &set, &errors), 0);
    assert_int_equal(set->file_count, 2);
    assert_int_equal(set->count, 13);
    assert_text(set->items[0].file, "tests/slo/own.yml");
    objective_set_free(set);
    assert_int_equal(
        objective_set_load(world_real(), STR("tests"), (struct str[]){STR("slo/week.yml")}, 1, &set, &errors),
        ERR_PARSE);
    assert_null(set);
    assert_true(str_starts(buf_slice(&errors), STR("tests/slo/week.yml:1: no objectives of a known form")));
    buf_release(&errors);
}

/* ---- the manual ---- */

/* The next example of an indented block that begins with a version, without the indent. False: there is none left. */
static bool next_example(struct str *rest, struct buf *out)
{
    bool inside = false;
    buf_clear(out);
    while (rest->p != NULL) {
        struct str line = str_cut(rest, '\n');
        inside |= str_starts(line, STR("    version: "));
        if (inside && !str_starts(line, STR("    ")))
            return true;
        if (inside) {
            buf_add(out, line.p + 4, line.n - 4);
            buf_char(out, '\n');
        }
    }
    return inside;
}

static void test_examples_of_the_manual_are_sound(void **state)
{
    struct buf manual, example;
    size_t count = 0;
    (void)state;
    read_file("docs/slo.md", &manual);
    buf_init(&example, 1 << 16);
    for (struct str rest = buf_slice(&manual); next_example(&rest, &example); count++) {
        struct objective_set *set = read_sound(buf_text(&example));
        assert_int_equal(set->count, 1);
        objective_set_free(set);
    }
    assert_int_equal(count, 2);
    buf_release(&manual);
    buf_release(&example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_form_with_every_key),
        cmocka_unit_test(test_sloths_files),
        cmocka_unit_test(test_pyrras_files),
        cmocka_unit_test(test_openslo_with_every_kind_of_object),
        cmocka_unit_test(test_each_form_of_sli),
        cmocka_unit_test(test_braces_of_a_selector_are_no_template),
        cmocka_unit_test(test_groups_are_what_the_queries_group_by),
        cmocka_unit_test(test_default_tiers_are_shorter_than_the_window),
        cmocka_unit_test(test_factors_are_exact),
        cmocka_unit_test(test_what_is_wrong_is_told_with_its_line),
        cmocka_unit_test(test_windows_of_openslo_begin_where_those_of_the_calendar_do),
        cmocka_unit_test(test_occurrences_of_a_threshold_are_its_slices),
        cmocka_unit_test(test_documents_of_one_file_may_be_of_several_forms),
        cmocka_unit_test(test_all_documents_that_are_wrong_are_told),
        cmocka_unit_test(test_ids_that_come_twice_are_told_with_both_places),
        cmocka_unit_test(test_patterns_name_files_of_all_forms),
        cmocka_unit_test(test_examples_of_the_manual_are_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
