/* What rules objectives become, and what these find. */
#include "ruler_help.h"

#include "tocsin/objective_rules.h"

#include <stdio.h>

/* ---- objectives as rules ---- */

#define HEAD "version: tocsin/v1\nservice: shop\nslos:\n"

static struct objective_set *read_objectives(const char *text)
{
    struct objective_set *set = objective_set_new();
    struct buf errors;
    buf_init(&errors, 1 << 16);
    if (objective_file_parse(set, STR("slos.yml"), str_of(text), &errors) != 0)
        fail_msg("%s", buf_text(&errors));
    buf_release(&errors);
    return set;
}

static struct rule_set *compile(const char *text)
{
    struct objective_set *objectives = read_objectives(text);
    struct rule_set *set = rule_set_new();
    struct buf errors;
    buf_init(&errors, 1 << 16);
    if (objective_set_compile(objectives, &promql_features_default, set, &errors) != 0)
        fail_msg("%s", buf_text(&errors));
    buf_release(&errors);
    objective_set_free(objectives);
    return set;
}

/* What is told of one that does not compile. */
static void assert_refused(const char *text, const char *wanted)
{
    struct objective_set *objectives = read_objectives(text);
    struct rule_set *set = rule_set_new();
    struct buf errors;
    buf_init(&errors, 1 << 16);
    assert_int_not_equal(objective_set_compile(objectives, &promql_features_default, set, &errors), 0);
    assert_string_equal(buf_text(&errors), wanted);
    assert_int_equal(set->count, 0);
    buf_release(&errors);
    rule_set_free(set);
    objective_set_free(objectives);
}

static struct str text_of(const struct rule_text *texts, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(texts[i].name, name))
            return texts[i].text;
    return STR("");
}

static struct str label_of(const struct rule *rule, const char *name)
{
    return text_of(rule->labels, rule->label_count, name);
}

/* The rule of that name whose label `name` has that value. */
static const struct rule *rule_of(const struct rule_set *set, const char *rule, const char *name,
                                  const char *value)
{
    for (size_t i = 0; i < set->groups[0].count; i++) {
        const struct rule *r = &set->groups[0].rules[i];
        if (str_is(r->name, rule) && str_is(label_of(r, name), value))
            return r;
    }
    return NULL;
}

static void assert_query(const struct rule *rule, const char *query)
{
    assert_non_null(rule);
    expect_str(rule->query, query);
}

static size_t count_rules(const struct rule_set *set, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < set->groups[0].count; i++)
        count += str_is(set->groups[0].rules[i].name, name);
    return count;
}

/* Every window once, with the words of its queries, and the alert of a class over the windows of its tiers. */
static void a_group_says_it_all_in_burn_rates(void **state)
{
    (void)state;
    struct rule_set *set = compile(HEAD "- {name: a, objective: 99.9, owner: me, labels: {team: x}, "
                                        "sli: {error_query: 'sum(rate(bad[{{.window}}]))', "
                                        "total_query: 'sum(rate(all[{{.window}}]))'}}\n");
#define ERRORS(w) "((sum(rate(bad[" w "])) or sum(rate(all[" w "])) * 0) / (sum(rate(all[" w "])) > 0))"
    assert_int_equal(set->count, 1);
    expect_str(set->groups[0].file, "slos.yml");
    expect_str(set->groups[0].name, "shop-a");
    assert_int_equal(count_rules(set, "tocsin_slo_error_ratio"), 7);
    assert_query(rule_of(set, "tocsin_slo_error_ratio", "window", "1h"), ERRORS("1h"));
    assert_query(rule_of(set, "tocsin_slo_burn_rate", "window", "3d"), ERRORS("3d") " * 1000");
    assert_query(rule_of(set, "tocsin_slo_objective_ratio", "slo", "shop-a"), "vector(0.999)");
    assert_query(rule_of(set, "tocsin_slo_period_seconds", "team", "x"), "vector(2592000)");
    const struct rule *info = rule_of(set, "tocsin_slo_info", "owner", "me");
    assert_query(info, "vector(1)");
    expect_str(label_of(info, "objective"), "99.9");
    expect_str(label_of(info, "period"), "30d");
    expect_str(label_of(info, "service"), "shop");
    const struct rule *page = rule_of(set, "ErrorBudgetBurn", "severity", "page");
    assert_query(
        page,
        "(" ERRORS("1h") " * 1000 > 14.4 + 0.00000000001 and " ERRORS(
            "5m") " * 1000 > 14.4 + 0.00000000001) or (" ERRORS("6h") " * 1000 > 6 + 0.00000000001 "
                                                                      "and " ERRORS("30m") " * 1000 > 6 + "
                                                                                           "0.00000000001)");
    expect_str(text_of(page->annotations, page->annotation_count, "summary"),
               "{{ $labels.slo }}: the burn rate is {{ printf \"%.3g\" $value }} (over 14.4 in 1h and 5m, or "
               "over 6 in 6h "
               "and 30m).");
    assert_int_equal(count_rules(set, "ErrorBudgetBurn"), 2);
    rule_set_free(set);
}

static void assert_ratio(const char *sli, const char *query)
{
    struct buf text;
    buf_init(&text, 1 << 12);
    buf_format(&text,
               HEAD "- {name: a, objective: 99, slice: 1m, alerting: {tiers: [{long: 1h, factor: 2}]}, %s}\n",
               sli);
    struct rule_set *set = compile(buf_text(&text));
    assert_query(rule_of(set, "tocsin_slo_error_ratio", "window", "1h"), query);
    rule_set_free(set);
    buf_release(&text);
}

#define SLICES "tocsin_slo_slice_error_ratio{slo=\"shop-a\"}[1h]"
#define MEAN "(sum(sum_over_time(" SLICES ")) / sum(count_over_time(" SLICES ")))"

static void each_kind_of_indicator_comes_to_an_error_ratio(void **state)
{
    (void)state;
    assert_ratio(
        "sli: {good_query: 'sum(rate(ok[{{.window}}]))', total_query: 'sum(rate(all[{{.window}}]))'}",
        "clamp_min(1 - (sum(rate(ok[1h])) or sum(rate(all[1h])) * 0) / (sum(rate(all[1h])) > 0), 0)");
    assert_ratio("sli: {error_ratio: 'avg(avg_over_time(e[{{.window}}]))'}",
                 "(avg(avg_over_time(e[1h])) >= 0)");
    assert_ratio("budgeting: ratios, sli: {bad: bad_total, total: all_total}", MEAN);
    assert_ratio("sli: {threshold: {query: max(q), op: '<', value: 100}}", MEAN);
    assert_ratio("budgeting: slices, slice_target: 95, sli: {bad: bad_total, total: all_total}", MEAN);
    /* What does not show that it has the labels of groups alone is summed up to them. */
    assert_ratio("sli: {error_query: 'rate(bad[{{.window}}])', total_query: '(sum(rate(all[{{.window}}])))'}",
                 "((sum(rate(bad[1h])) or (sum(rate(all[1h]))) * 0) / ((sum(rate(all[1h]))) > 0))");
    assert_ratio("by: [b, a], sli: {error_query: 'rate(bad[{{.window}}])', "
                 "total_query: '2 * sum by (a, b) (rate(all[{{.window}}]))'}",
                 "((sum by (a, b) (rate(bad[1h])) or (2 * sum by (a, b) (rate(all[1h]))) * 0) / "
                 "((2 * sum by (a, b) (rate(all[1h]))) > 0))");
}

static void slices_are_judged_one_by_one(void **state)
{
    (void)state;
    struct rule_set *set =
        compile(HEAD "- {name: a, objective: 99, sli: {threshold: {query: max(q), op: '<=', value: 0.5}}}\n");
    assert_query(&set->groups[0].rules[0], "max(q) > bool 0.5");
    expect_str(set->groups[0].rules[0].name, "tocsin_slo_slice_error_ratio");
    rule_set_free(set);
    set = compile(
        HEAD "- {name: a, objective: 99, budgeting: slices, slice: 5m, slice_target: 95, "
             "sli: {error_query: 'sum(rate(b[{{.window}}]))', total_query: 'sum(rate(t[{{.window}}]))'}}\n");
    assert_query(&set->groups[0].rules[0], "((sum(rate(b[5m])) or sum(rate(t[5m])) * 0) / (sum(rate(t[5m])) "
                                           "> 0)) > bool 0.05 + 0.00000000000001");
    rule_set_free(set);
}

static void other_tools_series_are_recorded_on_request(void **state)
{
    (void)state;
    struct rule_set *set = compile(
        HEAD
        "- {name: a, objective: 95, window: 28d, compat: sloth, sli: {bad: bad_total, total: all_total}}\n");
    assert_non_null(rule_of(set, "slo:sli_error:ratio_rate5m", "sloth_window", "5m"));
    const struct rule *period = rule_of(set, "slo:sli_error:ratio_rate4w", "sloth_window", "4w");
    assert_query(period, "(sum(sum_over_time(slo:sli_error:ratio_rate5m{sloth_id=\"shop-a\"}[4w])) / "
                         "sum(count_over_time(slo:sli_error:ratio_rate5m{sloth_id=\"shop-a\"}[4w])))");
    assert_query(rule_of(set, "slo:objective:ratio", "sloth_slo", "a"), "vector(0.95)");
    assert_query(rule_of(set, "slo:error_budget:ratio", "sloth_service", "shop"), "vector(0.05)");
    assert_query(rule_of(set, "slo:time_period:days", "sloth_id", "shop-a"), "vector(28)");
    assert_query(rule_of(set, "sloth_slo_info", "sloth_objective", "95"), "vector(1)");
    assert_non_null(rule_of(set, "slo:period_error_budget_remaining:ratio", "sloth_id", "shop-a"));
    assert_non_null(rule_of(set, "ErrorBudgetBurn", "sloth_severity", "ticket"));
    rule_set_free(set);
    set = compile(HEAD
                  "- {name: a, objective: 95, compat: pyrra, sli: {error_query: 'sum(rate(b[{{.window}}]))', "
                  "total_query: 'sum(rate(t[{{.window}}]))'}}\n");
    assert_query(rule_of(set, "pyrra_window", "slo", "a"), "vector(2592000)");
    assert_query(rule_of(set, "pyrra_requests:rate5m", "slo", "a"), "sum(rate(t[5m]))");
    assert_query(rule_of(set, "pyrra_errors:rate5m", "slo", "a"),
                 "(sum(rate(b[5m])) or sum(rate(t[5m])) * 0)");
    assert_query(rule_of(set, "pyrra_availability", "slo", "a"),
                 "1 - ((sum(rate(b[30d])) or sum(rate(t[30d])) * 0) / (sum(rate(t[30d])) > 0))");
    rule_set_free(set);
}

static void tiers_that_differ_in_for_alone_are_told_apart(void **state)
{
    (void)state;
    struct rule_set *set = compile(
        HEAD
        "- {name: a, objective: 99, sli: {bad: bad_total, total: all_total}, alerting: {tiers: ["
        "{long: 1h, factor: 9, for: 2m}, {long: 6h, factor: 6, for: 15m}, {long: 12h, factor: 5, for: 15m}, "
        "{long: 1d, factor: 3, class: ticket}]}}\n");
    const struct rule *quick = rule_of(set, "ErrorBudgetBurn", "long", "1h");
    const struct rule *slow = rule_of(set, "ErrorBudgetBurn", "long", "6h");
    assert_int_equal(count_rules(set, "ErrorBudgetBurn"), 3);
    assert_int_equal(quick->for_ms, 2 * MINUTE_MS);
    assert_int_equal(slow->for_ms, 15 * MINUTE_MS);
    assert_non_null(memmem(slow->query.p, slow->query.n, "[12h]", 5));
    expect_str(label_of(rule_of(set, "ErrorBudgetBurn", "severity", "ticket"), "long"), "");
    rule_set_free(set);
}

/* ---- what is refused ---- */

static void what_cannot_be_is_refused_with_its_place(void **state)
{
    (void)state;
#define EVENTS "sli: {bad: bad_total, total: all_total}"
    assert_refused(HEAD "- {name: a, objective: 99, by: [region, window], " EVENTS "}\n",
                   "slos.yml:4: shop-a: groups cannot be told apart by the label window, which its series "
                   "or alerts have "
                   "already\n");
    assert_refused(
        HEAD "- {name: a, objective: 99, by: [team], labels: {team: x}, " EVENTS "}\n",
        "slos.yml:4: shop-a: groups cannot be told apart by the label team, which its series or alerts have "
        "already\n");
    assert_refused(
        HEAD "- {name: a, objective: 99, budgeting: slices, slice_target: 95, guard: {bad_min: 5}, " EVENTS
             "}\n",
        "slos.yml:4: shop-a: guards need events, and a budget that is spent by them\n");
    assert_refused(HEAD "- {name: a, objective: 100, policy: {}, " EVENTS "}\n",
                   "slos.yml:4: shop-a: a policy needs a target under 100 %\n");
    assert_refused(
        HEAD "- {name: a, objective: 99, alerting: {page: {annotations: {title: '{{ .x'}}}, " EVENTS "}\n",
        "slos.yml:4: shop-a: its rules do not load: slos.yml: group \"shop-a\", rule 18, "
        "\"ErrorBudgetBurn\": "
        "annotation \"title\": template: __alert_ErrorBudgetBurn:1: unclosed action\n");
}

/* Readers of some files know that; others leave it to here. */
static void labels_of_tiers_cannot_tell_groups_apart(void **state)
{
    (void)state;
    static struct label team[] = {{STR("team"), STR("x")}};
    struct objective_set *objectives =
        read_objectives(HEAD "- {name: a, objective: 99, by: [team], " EVENTS "}\n");
    struct rule_set *set = rule_set_new();
    struct err err = {0};
    objectives->items[0].tiers[3].labels = (struct strict_pairs){team, 1};
    assert_int_equal(objective_compile(&objectives->items[0], &promql_features_default, set, &err),
                     ERR_PARSE);
    assert_string_equal(
        err.text,
        "shop-a: groups cannot be told apart by the label team, which its series or alerts have already");
    rule_set_free(set);
    objective_set_free(objectives);
}

static void a_group_of_the_same_name_and_file_is_told(void **state)
{
    (void)state;
    struct rule_set *set = compile(HEAD "- {name: a, objective: 99, " EVENTS "}\n");
    struct objective_set *same = read_objectives(HEAD "- {name: a, objective: 95, " EVENTS "}\n");
    struct err err = {0};
    assert_int_equal(objective_compile(&same->items[0], &promql_features_default, set, &err), ERR_PARSE);
    assert_string_equal(err.text,
                        "shop-a: there is a rule group of this name already, which came from the same file");
    assert_int_equal(set->count, 1);
    objective_set_free(same);
    rule_set_free(set);
}

static void queries_parse_as_the_features_say(void **state)
{
    (void)state;
    struct objective_set *objectives = read_objectives(
        HEAD "- {name: a, objective: 99, sli: {error_ratio: 'max(mad_over_time(e[{{.window}}]))'}}\n");
    struct rule_set *set = rule_set_new();
    struct err err = {0};
    assert_int_equal(objective_compile(&objectives->items[0], &promql_features_default, set, &err),
                     ERR_PARSE);
    assert_non_null(
        strstr(err.text, "shop-a: query: 1:5: parse error: function \"mad_over_time\" is not enabled"));
    assert_int_equal(objective_compile(&objectives->items[0], &promql_features_all, set, &err), 0);
    rule_set_free(set);
    objective_set_free(objectives);
}

/* ---- as a rule file ---- */

static void read_file(const char *path, struct buf *out)
{
    struct err err = {0};
    buf_init(out, 1 << 20);
    if (world_real()->read_file(world_real(), path, out, &err) != 0)
        fail_msg("%s", err.text);
}

/* The same groups, to the last label: fingerprints cover all of them. */
static void the_printed_file_holds_the_same_groups(void **state)
{
    (void)state;
    struct buf text, printed, errors;
    struct err err = {0};
    read_file("tests/slo/own.yml", &text);
    struct objective_set *objectives = read_objectives(buf_text(&text));
    struct rule_set *compiled = compile(buf_text(&text)), *read = rule_set_new();
    buf_init(&printed, 1 << 20);
    buf_init(&errors, 1 << 16);
    assert_int_equal(objective_set_print(objectives, &promql_features_default, &printed, &err), 0);
    assert_int_equal(
        rulefile_parse(read, STR("slos.yml"), buf_slice(&printed), &promql_features_default, &errors), 0);
    assert_int_equal(read->count, compiled->count);
    assert_int_equal(compiled->count, objectives->count);
    for (size_t i = 0; i < read->count; i++)
        assert_true(read->groups[i].fingerprint == compiled->groups[i].fingerprint);
    buf_release(&text);
    buf_release(&printed);
    buf_release(&errors);
    rule_set_free(read);
    rule_set_free(compiled);
    objective_set_free(objectives);
}

/* ---- what the rules find ---- */

static void load(struct bench *b, const char *text)
{
    struct err err = {0};
    if (ruler_load(b->ruler, compile(text), &err) != 0)
        fail_msg("%s", err.text);
}

static void push(struct bench *b, const char *metric, double value)
{
    bench_push(b, value, labels_of(&b->arena, "__name__", metric, NULL));
}

static size_t firing(struct bench *b, const char *severity)
{
    struct buf query;
    buf_init(&query, 256);
    buf_format(&query, "ALERTS{alertstate=\"firing\",severity=\"%s\"}", severity);
    size_t count = bench_count(b, buf_text(&query));
    buf_release(&query);
    return count;
}

/* Samples at times that leave rate() every factor, for eleven minutes: of `per` events each `bad` are bad. */
static void play_events(struct bench *b, const char *counted, double share, double per)
{
    static uint64_t seed = 1;
    static double all, some;
    all += per;
    some += share;
    for (int i = 0; i < 44; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        bench_run_until(b, b->sim.now_ns + (int64_t)(7000 + (seed >> 33) % 9000) * NS_PER_MS);
        push(b, "all_total", all += per);
        push(b, counted, some += share);
    }
}

static void assert_boundary(const char *sli, const char *counted, double at_limit, double over, double per)
{
    struct bench b;
    struct buf text;
    buf_init(&text, 1 << 12);
    buf_format(&text,
               HEAD "- {name: a, objective: 99.9, %s, alerting: {no_data: 0s, tiers: [{long: 10m, short: 5m, "
                    "factor: 14.4}, {long: 7m, short: 2m, factor: 14.4}]}}\n",
               sli);
    bench_open(&b);
    load(&b, buf_text(&text));
    for (int round = 0; round < 20; round++) {
        play_events(&b, counted, at_limit, per);
        assert_int_equal(firing(&b, "page"), 0);
    }
    play_events(&b, counted, over, per);
    assert_int_equal(firing(&b, "page"), 1);
    bench_close(&b);
    buf_release(&text);
}

/* 14.4 times 0.1 %: nine of 625. One event more in a million is over. */
static void a_burn_rate_that_equals_its_limit_does_not_fire(void **state)
{
    (void)state;
    assert_boundary("sli: {bad: bad_total, total: all_total}", "bad_total", 14400, 14401, 1000000);
    assert_boundary("sli: {good: good_total, total: all_total}", "good_total", 985600, 985599, 1000000);
    assert_boundary("sli: {error_query: 'sum(rate(bad_total[{{.window}}]))', total_query: "
                    "'sum(rate(all_total[{{.window}}]))'}",
                    "bad_total", 14400, 14401, 1000000);
}

static void play_ratio(struct bench *b, double value, int minutes)
{
    for (int i = 0; i < minutes; i++) {
        push(b, "e", value);
        bench_run_until(b, b->sim.now_ns + MINUTE_NS);
    }
}

static void ratios_and_slices_have_the_same_boundary(void **state)
{
    (void)state;
    static const char *const slis[] = {
        "sli: {error_ratio: 'max(avg_over_time(e[{{.window}}]))'}",
        "budgeting: ratios, sli: {error_query: 'max(last_over_time(e[{{.window}}]))', total_query: "
        "'max(0 * last_over_time(e[{{.window}}]) + 1)'}"};
    for (size_t i = 0; i < 2; i++) {
        struct bench b;
        struct buf text;
        buf_init(&text, 1 << 12);
        buf_format(&text,
                   HEAD
                   "- {name: a, objective: 99.9, %s, alerting: {no_data: 0s, tiers: [{long: 10m, short: 5m, "
                   "factor: 14.4}]}}\n",
                   slis[i]);
        bench_open(&b);
        load(&b, buf_text(&text));
        play_ratio(&b, 0.0144, 30);
        assert_int_equal(firing(&b, "page"), 0);
        play_ratio(&b, 0.0145, 12);
        assert_int_equal(firing(&b, "page"), 1);
        play_ratio(&b, (double)NAN, 12); /* is no ratio, and none is bad */
        assert_int_equal(firing(&b, "page"), 0);
        bench_close(&b);
        buf_release(&text);
    }
}

/* Six of twelve slices: half. */
static void a_threshold_counts_slices(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    load(&b,
         HEAD "- {name: a, objective: 75, sli: {threshold: {query: max(e), op: '<=', value: 100}}, alerting: "
              "{no_data: 0s, tiers: [{long: 12m, short: 6m, factor: 2}]}}\n");
    play_ratio(&b, 100, 20);
    play_ratio(&b, 101, 6);
    assert_true(bench_value(&b, "tocsin_slo_error_ratio{window=\"12m\"}") == 0.5);
    assert_true(bench_value(&b, "tocsin_slo_burn_rate{window=\"12m\"}") == 2);
    assert_int_equal(firing(&b, "page"), 0);
    play_ratio(&b, 101, 1);
    assert_int_equal(firing(&b, "page"), 1);
    bench_close(&b);
}

static void play_errors(struct bench *b, double *all, double *bad, double per_step, double share, int minutes)
{
    for (int i = 0; i < 4 * minutes; i++) {
        *all += per_step;
        *bad += per_step * share;
        push(b, "all_total", *all);
        if (*bad > 0)
            push(b, "bad_total", *bad);
        bench_run_until(b, b->sim.now_ns + 15 * NS_PER_S);
    }
}

/* Nobody has counted a bad one yet, then some come. */
static void a_missing_numerator_is_none_bad(void **state)
{
    (void)state;
    struct bench b;
    double all = 0, bad = 0;
    bench_open(&b);
    load(&b, HEAD "- {name: a, objective: 99, " EVENTS
                  ", alerting: {no_data: 0s, tiers: [{long: 12m, short: 1m, factor: "
                  "10}]}}\n"
                  "- {name: b, objective: 99, sli: {good: never_total, total: all_total}, alerting: "
                  "{no_data: 0s, tiers: "
                  "[{long: 12m, short: 1m, factor: 10, severity: none_good}]}}\n");
    play_errors(&b, &all, &bad, 100, 0, 15);
    assert_true(bench_value(&b, "tocsin_slo_error_ratio{slo=\"shop-a\",window=\"12m\"}") == 0);
    assert_true(bench_value(&b, "tocsin_slo_error_ratio{slo=\"shop-b\",window=\"12m\"}") == 1);
    assert_int_equal(firing(&b, "page"), 0);
    assert_int_equal(firing(&b, "none_good"), 1);
    bad = 1;
    play_errors(&b, &all, &bad, 100, 0.5, 5);
    assert_int_equal(firing(&b, "page"), 1);
    bench_close(&b);
}

/* Without traffic there is no ratio, and nothing that a mean could be spoilt with. */
static void no_traffic_is_no_ratio(void **state)
{
    (void)state;
    struct bench b;
    double all = 100, bad = 1;
    bench_open(&b);
    load(&b, HEAD "- {name: a, objective: 99, " EVENTS ", alerting: {no_data: 4m}}\n");
    play_errors(&b, &all, &bad, 0, 0, 10);
    assert_int_equal(bench_count(&b, "tocsin_slo_error_ratio{window=\"5m\"}"), 0);
    assert_int_equal(bench_count(&b, "ALERTS"), 0);
    bench_run_until(&b, b.sim.now_ns + 3 * MINUTE_NS);
    assert_int_equal(firing(&b, "ticket"), 0);
    bench_run_until(&b, b.sim.now_ns + 3 * MINUTE_NS);
    assert_int_equal(
        bench_count(&b, "ALERTS{alertname=\"SLODataMissing\",alertstate=\"firing\",slo=\"shop-a\"}"), 1);
    play_errors(&b, &all, &bad, 1, 0, 2);
    assert_int_equal(bench_count(&b, "ALERTS"), 0);
    bench_close(&b);
}

/* A target of 100 % allows nothing: one bad event of a million fires, and no burn rate is recorded. */
static void a_target_of_all_fires_at_any_error(void **state)
{
    (void)state;
    struct bench b;
    double all = 0, bad = 1;
    bench_open(&b);
    load(&b, HEAD "- {name: a, objective: 100, " EVENTS ", alerting: {no_data: 0s}}\n");
    play_errors(&b, &all, &bad, 1e6, 0, 10);
    assert_int_equal(bench_count(&b, "ALERTS"), 0);
    play_errors(&b, &all, &bad, 1e6, 1e-6, 1);
    assert_int_equal(firing(&b, "page"), 1);
    assert_int_equal(bench_count(&b, "tocsin_slo_burn_rate"), 0);
    bench_close(&b);
}

/* ---- pages and tickets ---- */

#define BOTH                                                                                              \
    HEAD "- {name: a, objective: 99, " EVENTS ", alerting: {no_data: 0s, tiers: [{long: 10m, short: 5m, " \
         "factor: 40}, {class: ticket, long: 20m, short: 10m, factor: 25}]}}\n"

static void a_page_keeps_a_ticket_from_being_opened(void **state)
{
    (void)state;
    struct bench b;
    double all = 0, bad = 1;
    bench_open(&b);
    load(&b, BOTH);
    play_errors(&b, &all, &bad, 100, 0, 25);
    play_errors(&b, &all, &bad, 100, 1, 6);
    assert_int_equal(firing(&b, "page"), 1);
    assert_true(bench_value(&b, "tocsin_slo_burn_rate{window=\"20m\"}") > 25);
    assert_int_equal(firing(&b, "ticket"), 0);
    play_errors(&b, &all, &bad, 100, 0, 6); /* the page ends, and what is left is a ticket */
    assert_int_equal(firing(&b, "page"), 0);
    assert_int_equal(firing(&b, "ticket"), 1);
    bench_close(&b);
}

static void a_page_leaves_an_open_ticket_open(void **state)
{
    (void)state;
    struct bench b;
    double all = 0, bad = 1;
    bench_open(&b);
    load(&b, BOTH);
    play_errors(&b, &all, &bad, 100, 0, 25);
    play_errors(&b, &all, &bad, 100, 0.35, 15);
    assert_int_equal(firing(&b, "page"), 0);
    assert_int_equal(firing(&b, "ticket"), 1);
    play_errors(&b, &all, &bad, 100, 1, 8);
    assert_int_equal(firing(&b, "page"), 1);
    assert_int_equal(firing(&b, "ticket"), 1);
    bench_close(&b);
}

/* The ladder: what fires at which multiple of the budget's pace. */
static void rungs_fire_by_burn_rate(void **state)
{
    (void)state;
    static const struct {
        double share;
        size_t inform, freeze, mitigate;
    } cases[] = {{0.009, 0, 0, 0}, {0.015, 1, 0, 0}, {0.045, 0, 1, 0}, {0.055, 0, 1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        double all = 0, bad = 1;
        bench_open(&b);
        load(&b, HEAD "- {name: a, objective: 99, " EVENTS ", policy: {}, alerting: {disable: true}}\n");
        play_errors(&b, &all, &bad, 1000, cases[i].share, 75);
        assert_int_equal(bench_count(&b, "ALERTS{policy=\"inform\",severity=\"info\"}"), cases[i].inform);
        assert_int_equal(bench_count(&b, "ALERTS{policy=\"freeze\",severity=\"page\"}"), cases[i].freeze);
        assert_int_equal(bench_count(&b, "ALERTS{policy=\"mitigate\",severity=\"info\"}"), cases[i].mitigate);
        bench_close(&b);
    }
}

/* ---- guards ---- */

/* How many fire with that guard when half of `per_minute` events are bad for ten minutes, after a quiet half hour of ten times as many. */
static size_t firing_with(const char *guard, double per_minute)
{
    struct bench b;
    struct buf text;
    double all = 0, bad = 1;
    buf_init(&text, 1 << 12);
    buf_format(&text,
               HEAD "- {name: a, objective: 99, window: 1h, " EVENTS ", guard: {%s}, alerting: {no_data: 0s, "
                    "tiers: [{long: 10m, short: 5m, factor: 10}]}}\n",
               guard);
    bench_open(&b);
    load(&b, buf_text(&text));
    play_errors(&b, &all, &bad, per_minute * 10 / 4, 0, 40);
    play_errors(&b, &all, &bad, per_minute / 4, 0.5, 11);
    size_t count = firing(&b, "page");
    bench_close(&b);
    buf_release(&text);
    return count;
}

static void guards_ask_for_enough_events(void **state)
{
    (void)state;
    assert_int_equal(firing_with("", 4), 1);
    assert_int_equal(firing_with("bad_min: 19", 4), 1);
    assert_int_equal(firing_with("bad_min: 23", 4), 0);
    assert_int_equal(firing_with("total_min: 39", 4), 1);
    assert_int_equal(firing_with("total_min: 45", 4), 0);
    /* 20 bad ones of 40, where 320 would be usual: 6 % */
    assert_int_equal(firing_with("correct_traffic: true", 4), 0);
    assert_int_equal(firing_with("false_page_rate: 0.05", 4), 1);
    assert_int_equal(firing_with("false_page_rate: 0.05", 1), 0);
}

/* The chance of k or more of n at a true ratio of p. */
static double tail(int n, int k, double p)
{
    double sum = 0;
    for (int i = k; i <= n; i++)
        sum +=
            exp(lgamma(n + 1.0) - lgamma(i + 1.0) - lgamma(n - i + 1.0) + i * log(p) + (n - i) * log1p(-p));
    return sum;
}

/* Of a rule's whole text: counts that were not enough to fire by chance less than once in so many tests do not fire. */
static void the_bound_on_false_pages_holds_by_the_binomial_itself(void **state)
{
    (void)state;
    static const int totals[] = {5, 10, 60, 300, 3000};
    struct rule_set *set =
        compile(HEAD "- {name: a, objective: 99, guard: {false_page_rate: 0.05}, sli: {error_query: "
                     "'sum(last_over_time(bad[{{.window}}]))', total_query: "
                     "'sum(last_over_time(all[{{.window}}]))'}, alerting: {no_data: 0s, tiers: [{long: 10m, "
                     "short: 5m, factor: 2}]}}\n");
    const struct rule *page = rule_of(set, "ErrorBudgetBurn", "severity", "page");
    const double tests = 30 * 1440;
    struct bench b;
    bench_open(&b);
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++) {
        int first = 0;
        for (int bad = 0; bad <= totals[i] && first == 0; bad++) {
            b.sim.now_ns += NS_PER_S;
            push(&b, "all", totals[i]);
            push(&b, "bad", bad);
            char *query = arena_copy_text(&b.arena, page->query.p, page->query.n);
            if (bench_count(&b, query) > 0)
                first = bad;
        }
        assert_true(first > 0);
        assert_true(tail(totals[i], first, 0.02) <= 0.05 / tests);
        int exact = 0;
        while (tail(totals[i], exact, 0.02) > 0.05 / tests)
            exact++;
        assert_in_range(first, exact,
                        exact + 1 + exact / 8); /* what it costs that Chernoff's is no exact bound */
    }
    bench_close(&b);
    rule_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_says_it_all_in_burn_rates),
        cmocka_unit_test(each_kind_of_indicator_comes_to_an_error_ratio),
        cmocka_unit_test(slices_are_judged_one_by_one),
        cmocka_unit_test(other_tools_series_are_recorded_on_request),
        cmocka_unit_test(tiers_that_differ_in_for_alone_are_told_apart),
        cmocka_unit_test(what_cannot_be_is_refused_with_its_place),
        cmocka_unit_test(labels_of_tiers_cannot_tell_groups_apart),
        cmocka_unit_test(a_group_of_the_same_name_and_file_is_told),
        cmocka_unit_test(queries_parse_as_the_features_say),
        cmocka_unit_test(the_printed_file_holds_the_same_groups),
        cmocka_unit_test(a_burn_rate_that_equals_its_limit_does_not_fire),
        cmocka_unit_test(ratios_and_slices_have_the_same_boundary),
        cmocka_unit_test(a_threshold_counts_slices),
        cmocka_unit_test(a_missing_numerator_is_none_bad),
        cmocka_unit_test(no_traffic_is_no_ratio),
        cmocka_unit_test(a_target_of_all_fires_at_any_error),
        cmocka_unit_test(a_page_keeps_a_ticket_from_being_opened),
        cmocka_unit_test(a_page_leaves_an_open_ticket_open),
        cmocka_unit_test(rungs_fire_by_burn_rate),
        cmocka_unit_test(guards_ask_for_enough_events),
        cmocka_unit_test(the_bound_on_false_pages_holds_by_the_binomial_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
