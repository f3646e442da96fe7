/* Rules of one group beside each other: which may be, that they are, and that nothing else comes of it; nor of what they share. */
#include "../../rules/ruler_priv.h"

#include "random_help.h"
#include "ruler_help.h"
#include "tocsin/log.h"

#include <sched.h>
#include <stdio.h>
#include <time.h>

enum { HELPERS = 2 };

static struct bench b;
static _Atomic int64_t clock_ns; /* the simulated one, for all threads */
static pthread_t helpers[HELPERS];
static atomic_bool helpers_end;

static int64_t read_clock(struct world *world)
{
    (void)world;
    return atomic_load(&clock_ns);
}

static void set_clock(int64_t now_ns)
{
    b.sim.now_ns = now_ns;
    atomic_store(&clock_ns, now_ns);
}

/* To them no group is ever due. */
static void *help(void *unused)
{
    while (!atomic_load(&helpers_end))
        if (!ruler_run(b.ruler, START_NS))
            sched_yield();
    return unused;
}

static void begin(bool concurrent, bool helped)
{
    bench_open(&b);
    set_clock(START_NS);
    b.sim.world.wall_ns = b.sim.world.mono_ns = read_clock;
    b.options.promql.features = promql_features_default;
    b.options.promql.features.concurrent_rule_eval = concurrent;
    ruler_close(b.ruler);
    b.ruler = ruler_open(&b.options);
    atomic_store(&helpers_end, !helped);
    for (size_t i = 0; i < HELPERS && helped; i++)
        must(pthread_create(&helpers[i], NULL, help, NULL) == 0);
}

static void end(void)
{
    bool helped = !atomic_exchange(&helpers_end, true);
    for (size_t i = 0; i < HELPERS && helped; i++)
        must(pthread_join(helpers[i], NULL) == 0);
    bench_close(&b);
}

static void run_slot(void)
{
    set_clock(ruler_next_ns(b.ruler));
    must(ruler_run(b.ruler, b.sim.now_ns));
}

/* ---- which may be ---- */

static void rules_wait_for_what_they_may_read(void **state)
{
    (void)state;
    static const struct {
        const char *rules, *stages;
    } cases[] = {
        {"{record: a, expr: x}, {record: b, expr: y}", "00"},
        {"{record: a, expr: x}, {record: b, expr: a}", "01"},
        {"{record: a, expr: x}, {record: b, expr: y}, {record: c, expr: a + b}, {alert: D, expr: c > 1}",
         "0012"},
        /* whoever reads what a later rule writes has to see what it wrote the last time */
        {"{record: a, expr: x}, {record: b, expr: a + c}, {record: c, expr: y}", "011"},
        {"{record: a, expr: a}, {record: b, expr: b}", "00"},
        /* the second of two that write the same comes second */
        {"{record: a, expr: x}, {record: b, expr: a}, {record: b, expr: y}", "011"},
        {"{record: a, expr: x}, {alert: B, expr: a}, {alert: B, expr: y}", "011"},
        {"{record: a, expr: x}, {alert: B, expr: a}, {alert: C, expr: y}", "010"},
        {"{record: a, expr: x}, {alert: B, expr: a}, {record: ALERTS, expr: y}", "011"},
        /* deeper down */
        {"{record: a, expr: x}, {record: b, expr: 'sum(rate(a[5m] offset 1h))'}", "01"},
        {"{record: a, expr: x}, {record: b, expr: 'max_over_time(sum(a @ 5)[1h:1m])'}", "01"},
        /* names that are patterns, or not given */
        {"{record: a, expr: x}, {record: b, expr: '{__name__=~\"a|z\"}'}", "01"},
        {"{record: a, expr: x}, {record: b, expr: '{__name__=~\"z.*\"}'}", "00"},
        {"{record: a, expr: x}, {record: b, expr: '{__name__!=\"a\",job=\"j\"}'}", "00"},
        {"{record: a, expr: x}, {record: b, expr: '{job=\"j\"}'}", "01"},
        {"{record: a, expr: x}, {record: b, expr: 'info(y)'}", "01"},
        /* alerts as series */
        {"{alert: A, expr: x}, {record: b, expr: 'count(ALERTS)'}", "01"},
        {"{alert: A, expr: x}, {record: b, expr: 'ALERTS_FOR_STATE'}", "01"},
        {"{alert: A, expr: x}, {record: b, expr: 'ALERTS{alertname=\"Z\"}'}", "00"},
        {"{alert: A, expr: x}, {record: b, expr: 'A'}", "00"},
        /* templates that ask */
        {"{record: a, expr: x}, {alert: B, expr: y, annotations: {n: '{{ query \"a\" | len }}'}}", "01"},
        {"{alert: A, expr: x, labels: {n: '{{ query \"c\" }}'}}, {record: b, expr: y}", "00"},
        {"{record: a, expr: x}, {alert: B, expr: y, annotations: {n: 'query of {{ $value }}'}}", "01"},
        {"{record: a, expr: x}, {alert: B, expr: y, annotations: {n: 'a query'}}", "00"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf text, stages;
        buf_init(&text, 4096);
        buf_init(&stages, 64);
        begin(true, false);
        b.options.promql.features.experimental_functions = true;
        ruler_configure(b.ruler, &b.options);
        buf_format(&text, "groups: [{name: g, rules: [%s]}]", cases[i].rules);
        struct rule_set *set = rule_set_new();
        struct buf errors;
        buf_init(&errors, 4096);
        must(rulefile_parse(set, STR("r.yml"), buf_slice(&text), &b.options.promql.features, &errors) == 0);
        must(ruler_load(b.ruler, set, NULL) == 0);
        const struct live_group *group = b.ruler->groups[0];
        for (size_t k = 0; k < group->count; k++)
            buf_format(&stages, "%zu", group->rules[k].stage);
        if (strcmp(buf_text(&stages), cases[i].stages) != 0)
            fail_msg("%s: %s instead of %s", cases[i].rules, buf_text(&stages), cases[i].stages);
        end();
        buf_release(&text);
        buf_release(&stages);
        buf_release(&errors);
    }
}

static void without_the_feature_there_are_no_stages(void **state)
{
    (void)state;
    begin(false, false);
    bench_load(&b, "groups: [{name: g, rules: [{record: a, expr: x}, {record: b, expr: y}]}]");
    assert_int_equal(b.ruler->groups[0]->stage_count, 0);
    end();
}

/* ---- that they are ---- */

/* Whoever begins a query waits here until another one does, or patience is over. */
static struct meeting {
    struct world world; /* first: it is what the queries get */
    pthread_mutex_t mutex;
    pthread_cond_t came;
    int64_t patience_ms;
    int inside;
    bool met;
} meeting = {.mutex = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER};

static int64_t meet(struct world *world)
{
    struct timespec until;
    (void)world;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += meeting.patience_ms / 1000;
    until.tv_nsec += meeting.patience_ms % 1000 * NS_PER_MS;
    if (until.tv_nsec >= NS_PER_S) {
        until.tv_sec++;
        until.tv_nsec -= NS_PER_S;
    }
    pthread_mutex_lock(&meeting.mutex);
    meeting.met |= ++meeting.inside == 2;
    pthread_cond_broadcast(&meeting.came);
    while (!meeting.met && pthread_cond_timedwait(&meeting.came, &meeting.mutex, &until) == 0)
        continue;
    meeting.inside--;
    pthread_mutex_unlock(&meeting.mutex);
    return START_NS;
}

static bool rules_meet(const char *text, int64_t concurrent_evals, int64_t patience_ms)
{
    begin(true, true);
    meeting.world = b.sim.world;
    meeting.world.mono_ns = meet;
    meeting.patience_ms = patience_ms;
    meeting.met = false;
    b.options.promql.world = &meeting.world;
    b.options.concurrent_evals = concurrent_evals;
    ruler_configure(b.ruler, &b.options);
    bench_load(&b, text);
    run_slot();
    bool met = meeting.met;
    end();
    return met;
}

/* Half a minute of patience, which nobody needs if it works. */
static void rules_without_an_edge_are_under_way_at_once(void **state)
{
    (void)state;
    assert_true(
        rules_meet("groups: [{name: g, rules: [{record: a, expr: vector(1)}, {record: b, expr: vector(2)}]}]",
                   0, 30000));
    assert_true(rules_meet("groups: [{name: g, rules: [{alert: A, expr: vector(1)}, {record: a, expr: "
                           "vector(1)}, {record: b, expr: a}]}]",
                           1, 30000));
}

static void rules_with_an_edge_never_are(void **state)
{
    (void)state;
    assert_false(rules_meet(
        "groups: [{name: g, rules: [{record: a, expr: vector(1)}, {record: b, expr: a}]}]", 0, 20));
}

/* More of them than may be ahead of the one that is written next. */
static void many_rules_come_to_an_end(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 1 << 16);
    buf_puts(&text, "groups: [{name: g, rules: [");
    for (int i = 0; i < 200; i++)
        buf_format(&text, "{record: r%d, expr: vector(%d)}, ", i, i);
    buf_puts(&text, "{record: all, expr: 'sum({__name__=~\"r.*\"})'}]}]");
    begin(true, true);
    bench_load(&b, buf_text(&text));
    for (int i = 0; i < 5; i++)
        run_slot();
    assert_true(bench_value(&b, "all") == 199 * 200 / 2);
    const struct ruler_group *group = bench_groups(&b, 1);
    assert_int_equal(group->iterations, 5);
    for (size_t i = 0; i < group->count; i++)
        assert_int_equal(group->rules[i].health, HEALTH_OK);
    const struct live_group *live = b.ruler->groups[0];
    assert_int_equal(live->figures.evaluations, 5 * 201);
    assert_int_equal(live->figures.samples, 201);
    assert_true(live->figures.rules_duration_s >= 0);
    end();
    buf_release(&text);
}

/* ---- and nothing else ---- */

enum { NAMES = 6, RULES = 8, ROUNDS = 8, SEEDS = 200 };

static void add_rule(struct buf *out, uint64_t *random)
{
    unsigned a = (unsigned)random_below(random, NAMES), c = (unsigned)random_below(random, NAMES);
    unsigned own = (unsigned)random_below(random, NAMES);
    char expr[128];
    const char *name = random_below(random, 3) == 0 ? "in" : "r";
    switch (random_below(random, 8)) {
    case 0:
        snprintf(expr, sizeof expr, "sum(%s%u) + count(r%u)", name, a, c);
        break;
    case 1:
        snprintf(expr, sizeof expr, "%s%u + 1", name, a);
        break;
    case 2:
        snprintf(expr, sizeof expr, "sum_over_time(%s%u[5m])", name, a);
        break;
    case 3:
        snprintf(expr, sizeof expr, "count({__name__=~\"r[%u%u]\"})", a, c);
        break;
    case 4:
        snprintf(expr, sizeof expr, "count(ALERTS{alertname=~\"A[%u-9]\"})", a);
        break;
    case 5:
        snprintf(expr, sizeof expr, "count({j=\"1\"})");
        break;
    default:
        snprintf(expr, sizeof expr, "in%u > 4 or in%u", a, c);
        break;
    }
    if (random_below(random, 3) == 0)
        buf_format(out,
                   "{alert: A%u, expr: '%s > 3', for: %um, annotations: {n: '{{ with query \"r%u\" }}{{ . | "
                   "first | value }}{{ end }}'}}, ",
                   own, expr, (unsigned)random_below(random, 3), c);
    else
        buf_format(out, "{record: r%u, expr: '%s', labels: {l: '%u'}}, ", own, expr,
                   (unsigned)random_below(random, 2));
}

static int by_text(const void *x, const void *y)
{
    return strcmp(*(char *const *)x, *(char *const *)y);
}

static char *line_of(struct view *view, series_ref ref)
{
    struct sample_run run;
    struct buf line;
    buf_init(&line, 1 << 16);
    labels_print(&line, view_labels(view, ref));
    must(view_read(view, ref, 0, INT64_MAX, &b.arena, &run) == 0);
    for (size_t i = 0; i < run.count; i++) /* to the bit: stale markers, too */
        buf_format(&line, " %lld:%a%s", (long long)(run.samples[i].t_ms - START_NS / NS_PER_MS),
                   run.samples[i].value, is_stale_nan(run.samples[i].value) ? "(end)" : "");
    buf_char(&line, '\n');
    char *copy = mem_copy_text(buf_text(&line), line.used);
    buf_release(&line);
    return copy;
}

static void add_samples(struct buf *out)
{
    char *lines[1024];
    struct matcher any;
    struct series_set set;
    struct view *view = view_open(b.store);
    must(matcher_init(&any, MATCH_REGEX, STR("__name__"), STR(".+"), REGEX_PROMQL, NULL) == 0);
    must(view_select(view, &any, 1, &b.arena, &set) == 0);
    must(set.count <= 1024);
    for (size_t i = 0; i < set.count; i++)
        lines[i] = line_of(view, set.refs[i]);
    qsort(lines, set.count, sizeof *lines, by_text);
    for (size_t i = 0; i < set.count; i++) {
        buf_puts(out, lines[i]);
        mem_free(lines[i]);
    }
    matcher_release(&any);
    view_close(view);
}

static void add_rules(struct buf *out)
{
    const struct ruler_group *group = bench_groups(&b, 1);
    for (size_t i = 0; i < group->count; i++) {
        const struct ruler_rule *rule = &group->rules[i];
        buf_format(out, "rule %zu: %s \"%.*s\", %s, %zu alerts\n", i, rule_health_text(rule->health),
                   STR_ARG(rule->last_error), alert_state_text(rule->state), rule->alert_count);
    }
    buf_format(out, "%llu samples\n", (unsigned long long)b.ruler->groups[0]->figures.samples);
}

static void add_events(struct buf *out)
{
    char *lines[EVENTS_MAX];
    for (size_t i = 0; i < b.event_count; i++) {
        struct buf line;
        buf_init(&line, 4096);
        buf_format(&line, "%lld-%lld ", (long long)b.events[i]->starts_ns, (long long)b.events[i]->ends_ns);
        labels_print(&line, b.events[i]->labels);
        labels_print(&line, b.events[i]->annotations);
        buf_char(&line, '\n');
        lines[i] = mem_copy_text(buf_text(&line), line.used);
        buf_release(&line);
    }
    qsort(lines, b.event_count, sizeof *lines, by_text);
    for (size_t i = 0; i < b.event_count; i++) {
        buf_puts(out, lines[i]);
        mem_free(lines[i]);
    }
}

enum manner { IN_ORDER, TOGETHER, SHARING_NOTHING };

/* What comes of rules made from a seed, in some rounds of pushes; in words. */
static void play(uint64_t seed, enum manner manner, struct buf *out)
{
    uint64_t random = seed;
    struct buf text;
    buf_init(&text, 1 << 16);
    buf_puts(&text, "groups: [{name: g, rules: [");
    for (int i = 0; i < RULES; i++)
        add_rule(&text, &random);
    buf_puts(&text, "]}]");
    begin(manner == TOGETHER, manner == TOGETHER);
    bench_load(&b, buf_text(&text));
    if (manner == SHARING_NOTHING)
        b.ruler->groups[0]->parts = 0;
    buf_str(out, buf_slice(&text));
    buf_char(out, '\n');
    for (int round = 0; round < ROUNDS; round++) {
        static const char *const names[NAMES] = {"in0", "in1", "in2", "in3", "in4", "in5"};
        for (size_t i = 0; i < NAMES; i++) {
            double value = random_below(&random, 4) == 0 ? stale_nan() : (double)random_below(&random, 9);
            PUSH(&b, value, names[i], "j", i % 2 == 0 ? "0" : "1");
        }
        run_slot();
        add_rules(out);
        set_clock(b.sim.now_ns + NS_PER_S);
    }
    add_samples(out);
    add_events(out);
    must(!buf_overflow(out));
    end();
    buf_release(&text);
}

static void expect_same(enum manner manner, const char *called)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct buf in_order, other;
        buf_init(&in_order, 1 << 20);
        buf_init(&other, 1 << 20);
        play(seed * 7919, IN_ORDER, &in_order);
        play(seed * 7919, manner, &other);
        if (strcmp(buf_text(&in_order), buf_text(&other)) != 0)
            fail_msg("in order:\n%s\n%s:\n%s", buf_text(&in_order), called, buf_text(&other));
        buf_release(&in_order);
        buf_release(&other);
    }
}

static void results_are_those_of_one_after_the_other(void **state)
{
    (void)state;
    expect_same(TOGETHER, "together");
}

static void results_are_those_of_rules_that_share_nothing(void **state)
{
    (void)state;
    expect_same(SHARING_NOTHING, "sharing nothing");
}

int main(void)
{
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT,
              -1); /* rules that write the same are refused, which is told */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_wait_for_what_they_may_read),
        cmocka_unit_test(without_the_feature_there_are_no_stages),
        cmocka_unit_test(rules_without_an_edge_are_under_way_at_once),
        cmocka_unit_test(rules_with_an_edge_never_are),
        cmocka_unit_test(many_rules_come_to_an_end),
        cmocka_unit_test(results_are_those_of_one_after_the_other),
        cmocka_unit_test(results_are_those_of_rules_that_share_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
