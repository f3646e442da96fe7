#include "ruler_help.h"

#include "tocsin/limits.h"
#include "tocsin/log.h"

#include <pthread.h>

static const char one_rule[] = "groups: [{name: g, rules: [{record: r, expr: m}]}]";

/* ---- the timetable ---- */

static void the_slot_of_a_group_is_prometheus_hash_of_file_and_name(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    struct err err = {0};
    assert_int_equal(ruler_next_ns(b.ruler), INT64_MAX);
    assert_int_equal(ruler_load(b.ruler, bench_rules("/etc/rules.yml", one_rule), &err), 0);
    int64_t next_ns = ruler_next_ns(b.ruler);
    assert_int_equal(next_ns % MINUTE_NS, INT64_C(6254150620));
    assert_true(next_ns > START_NS && next_ns <= START_NS + MINUTE_NS);
    bench_close(&b);
}

static void a_group_loaded_on_its_slot_begins_with_the_next(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    b.sim.now_ns = START_NS / MINUTE_NS * MINUTE_NS + INT64_C(6254150620);
    struct err err = {0};
    assert_int_equal(ruler_load(b.ruler, bench_rules("/etc/rules.yml", one_rule), &err), 0);
    assert_int_equal(ruler_next_ns(b.ruler), b.sim.now_ns + MINUTE_NS);
    bench_close(&b);
}

static void nothing_runs_before_it_is_due(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, one_rule);
    int64_t next_ns = ruler_next_ns(b.ruler);
    assert_false(ruler_run(b.ruler, next_ns - 1));
    assert_true(ruler_run(b.ruler, next_ns));
    assert_false(ruler_run(b.ruler, next_ns));
    assert_int_equal(ruler_next_ns(b.ruler), next_ns + MINUTE_NS);
    bench_close(&b);
}

static void a_late_evaluation_keeps_to_its_slot(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, "groups: [{name: g, rules: [{record: r, expr: vector(1)}]}]");
    int64_t slot_ns = ruler_next_ns(b.ruler);
    b.sim.now_ns = slot_ns + 17 * NS_PER_S;
    assert_true(ruler_run(b.ruler, b.sim.now_ns));
    struct sample_run run = SAMPLES(&b, "r");
    assert_int_equal(run.count, 1);
    assert_int_equal(run.samples[0].t_ms, slot_ns / NS_PER_MS);
    assert_int_equal(bench_groups(&b, 1)->last_ns, slot_ns + 17 * NS_PER_S);
    assert_int_equal(bench_groups(&b, 1)->missed, 0);
    bench_close(&b);
}

static void missed_slots_are_counted_and_not_replayed(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, "groups: [{name: g, rules: [{record: r, expr: vector(1)}]}]");
    int64_t slot_ns = bench_step(&b);
    b.sim.now_ns = slot_ns + 4 * MINUTE_NS + 5 * NS_PER_S;
    assert_true(ruler_run(b.ruler, b.sim.now_ns));
    assert_false(ruler_run(b.ruler, b.sim.now_ns));
    struct sample_run run = SAMPLES(&b, "r");
    assert_int_equal(run.count, 2);
    assert_int_equal(run.samples[1].t_ms, (slot_ns + 4 * MINUTE_NS) / NS_PER_MS);
    assert_int_equal(bench_groups(&b, 1)->missed, 3);
    assert_int_equal(bench_groups(&b, 1)->iterations, 5);
    assert_int_equal(ruler_next_ns(b.ruler), slot_ns + 5 * MINUTE_NS);
    bench_close(&b);
}

static void the_group_that_has_been_due_longest_goes_first(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, "groups:\n"
                   "- {name: g, interval: 10s, rules: [{record: fast, expr: vector(1)}]}\n"
                   "- {name: h, interval: 1h, rules: [{record: slow, expr: vector(1)}]}\n");
    bench_run_until(&b, START_NS + 2 * 60 * MINUTE_NS);
    struct ruler_group *groups = bench_groups(&b, 2);
    assert_int_equal(groups[0].iterations, 720);
    assert_int_equal(groups[1].iterations, 2);
    assert_int_equal(groups[0].missed, 0);
    bench_close(&b);
}

static void the_query_offset_moves_query_and_samples_but_not_the_slot(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    b.options.query_offset_ms = 30000;
    ruler_configure(b.ruler, &b.options);
    bench_load(&b, "groups: [{name: g, rules: [{record: r, expr: time()}, {alert: A, expr: vector(1)}]}]");
    int64_t slot_ns = bench_step(&b);
    struct sample_run run = SAMPLES(&b, "r");
    assert_int_equal(run.samples[0].t_ms, slot_ns / NS_PER_MS - 30000);
    assert_true(run.samples[0].value == (double)(slot_ns / NS_PER_MS - 30000) / 1000);
    struct ruler_rule *alert = bench_rule(&b, 1);
    assert_int_equal(alert->alerts[0].active_ns, slot_ns);
    assert_int_equal(SAMPLES(&b, "ALERTS", "alertname", "A", "alertstate", "firing").samples[0].t_ms,
                     slot_ns / NS_PER_MS - 30000);
    bench_close(&b);
}

static void samples_are_kept_for_as_long_as_the_query_offset_asks(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    store_configure(b.store, &(struct store_options){.retention_ms = 0});
    bench_load(&b, "groups: [{name: g, query_offset: 40m, rules: [{alert: A, expr: m}]}]");
    for (int i = 0; i < 60; i++) {
        PUSH(&b, i, "m");
        bench_step(&b);
        store_retire(b.store);
    }
    const struct ruler_rule *rule = bench_rule(&b, 0);
    assert_int_equal(rule->alert_count, 1);
    assert_true(rule->alerts[0].value == 20);
    bench_close(&b);
}

struct runner {
    struct bench *bench;
    int64_t now_ns;
};

static void *run_all(void *context)
{
    struct runner *r = context;
    while (ruler_run(r->bench->ruler, r->now_ns))
        continue;
    return NULL;
}

static void several_workers_share_the_groups(void **state)
{
    (void)state;
    enum { WORKERS = 4, GROUPS = 40 };
    struct bench b;
    struct buf text;
    pthread_t threads[WORKERS];
    bench_open(&b);
    buf_init(&text, 1 << 16);
    buf_puts(&text, "groups:\n");
    for (int i = 0; i < GROUPS; i++)
        buf_format(&text,
                   "- {name: g%d, rules: [{record: r%d, expr: m + 1}, {record: s%d, expr: r%d * 2}]}\n", i, i,
                   i, i);
    bench_load(&b, buf_text(&text));
    buf_release(&text);
    PUSH(&b, 1, "m");
    b.sim.now_ns += MINUTE_NS;
    struct runner runner = {&b, b.sim.now_ns};
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_all, &runner), 0);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    struct ruler_group *groups = bench_groups(&b, GROUPS);
    for (int i = 0; i < GROUPS; i++)
        assert_int_equal(groups[i].iterations, 1);
    bench_close(&b);
}

enum { ROUNDS = 30 };

static void *run_rounds(void *context)
{
    struct bench *b = context;
    for (int i = 1; i <= ROUNDS; i++)
        while (ruler_run(b->ruler, START_NS + i * MINUTE_NS))
            continue;
    return NULL;
}

/* Two workers go through half an hour while the rules change under them and are looked at. `kept` is in all of them. */
static void groups_may_change_and_be_shown_while_they_are_evaluated(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "groups:\n- {name: kept, rules: [{alert: A, expr: m > 0}]}\n"
        "- {name: g, rules: [{record: r, expr: m}, {alert: B, expr: r, for: 2m}]}\n",
        "groups:\n- {name: kept, rules: [{alert: A, expr: m > 0}]}\n"
        "- {name: g, rules: [{alert: B, expr: m + 1, for: 1m}]}\n- {name: h, rules: [{record: s, expr: "
        "m}]}\n",
    };
    struct bench b;
    struct buf text;
    pthread_t workers[2];
    bench_open(&b);
    b.options.emit = NULL;
    ruler_configure(b.ruler, &b.options);
    PUSH(&b, 1, "m");
    bench_load(&b, texts[0]);
    buf_init(&text, 1 << 20);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&workers[i], NULL, run_rounds, &b), 0);
    for (size_t i = 1; i <= 20; i++) {
        bench_load(&b, texts[i % 2]);
        assert_int_equal(bench_groups(&b, 2 + i % 2)->count, 1 + (i % 2 == 0));
        ruler_write_metrics(b.ruler, &text);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(workers[i], NULL);
    run_rounds(&b);
    struct ruler_group *groups = bench_groups(&b, 2);
    expect_str(groups[1].name, "kept");
    assert_int_equal(groups[1].iterations, ROUNDS);
    buf_release(&text);
    bench_close(&b);
}

/* ---- recording rules ---- */

static void rule_labels_win_and_an_empty_one_takes_away(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(
        &b, "groups: [{name: g, rules: [{record: r, expr: m, labels: {a: mine, gone: '', new: '{{ x'}}]}]");
    PUSH(&b, 3, "m", "a", "theirs", "gone", "1", "kept", "2");
    bench_step(&b);
    struct promql_result result = bench_query(&b, "r");
    assert_int_equal(result.count, 1);
    expect_labels(result.series[0].labels, "{__name__=\"r\", a=\"mine\", kept=\"2\", new=\"{{ x\"}");
    bench_close(&b);
}

static void a_failing_rule_does_not_stop_the_rest(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, "groups:\n- name: g\n  rules:\n"
                   "  - {record: text, expr: '\"a string\"'}\n"
                   "  - {record: range, expr: 'm[5m]'}\n"
                   "  - {record: same, expr: m, labels: {i: same}}\n"
                   "  - {record: good, expr: 1 + 1}\n");
    assert_true(bench_rule(&b, 0)->state_unknown);
    assert_int_equal(bench_rule(&b, 0)->health, HEALTH_UNKNOWN);
    PUSH(&b, 1, "m", "i", "1");
    PUSH(&b, 1, "m", "i", "2");
    bench_step(&b);
    expect_str(bench_rule(&b, 0)->last_error, "rule result is not a vector or scalar");
    expect_str(bench_rule(&b, 1)->last_error, "rule result is not a vector or scalar");
    expect_str(bench_rule(&b, 2)->last_error,
               "vector contains metrics with the same labelset after applying rule labels");
    assert_int_equal(bench_rule(&b, 2)->health, HEALTH_ERROR);
    assert_int_equal(bench_rule(&b, 3)->health, HEALTH_OK);
    assert_int_equal(bench_rule(&b, 3)->last_error.n, 0);
    assert_true(bench_value(&b, "good") == 2);
    bench_close(&b);
}

static void past_its_limit_a_recording_rule_writes_nothing(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, "groups: [{name: g, limit: 1, rules: [{record: r, expr: m}]}]");
    PUSH(&b, 1, "m", "i", "1");
    bench_step(&b);
    assert_int_equal(bench_rule(&b, 0)->health, HEALTH_OK);
    PUSH(&b, 1, "m", "i", "2");
    bench_step(&b);
    expect_str(bench_rule(&b, 0)->last_error, "exceeded limit of 1 with 2 series");
    assert_int_equal(SAMPLES(&b, "r", "i", "1").count, 1);
    assert_int_equal(SAMPLES(&b, "r", "i", "2").count, 0);
    bench_close(&b);
}

static void a_sample_the_store_refuses_is_told_and_the_others_stay(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, "groups: [{name: g, rules: [{record: r, expr: m}]}]");
    PUSH(&b, 1, "m", "i", "1");
    PUSH(&b, 1, "m", "i", "2");
    int64_t slot_ns = ruler_next_ns(b.ruler);
    b.sim.now_ns = slot_ns + NS_PER_S;
    PUSH(&b, 7, "r", "i", "1");
    assert_true(ruler_run(b.ruler, b.sim.now_ns));
    expect_str(bench_rule(&b, 0)->last_error, admit_reason_text(ADMIT_OUT_OF_ORDER));
    assert_int_equal(bench_rule(&b, 0)->health, HEALTH_ERROR);
    assert_int_equal(SAMPLES(&b, "r", "i", "1").count, 1);
    assert_int_equal(SAMPLES(&b, "r", "i", "2").count, 1);
    bench_close(&b);
}

/* ---- staleness ---- */

static void a_series_that_comes_no_more_is_marked_at_once(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, "groups: [{name: g, rules: [{record: r, expr: m > 0}]}]");
    PUSH(&b, 1, "m", "i", "1");
    PUSH(&b, 1, "m", "i", "2");
    bench_step(&b);
    PUSH(&b, 0, "m", "i", "1");
    int64_t slot_ns = bench_step(&b);
    struct sample_run run = SAMPLES(&b, "r", "i", "1");
    assert_int_equal(run.count, 2);
    assert_int_equal(run.samples[1].t_ms, slot_ns / NS_PER_MS);
    assert_true(is_stale_nan(run.samples[1].value));
    assert_int_equal(bench_count(&b, "r"), 1);
    bench_step(&b);
    assert_int_equal(SAMPLES(&b, "r", "i", "1").count, 2);
    bench_close(&b);
}

static void an_evaluation_that_fails_marks_nothing(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(
        &b, "groups: [{name: g, rules: [{record: r, expr: m * on (i) n}, {alert: A, expr: m * on (i) n}]}]");
    PUSH(&b, 1, "m", "i", "1");
    PUSH(&b, 1, "n", "i", "1");
    bench_step(&b);
    assert_int_equal(bench_rule(&b, 1)->state, ALERT_FIRING);
    PUSH(&b, 1, "n", "i", "1", "j", "2");
    bench_step(&b);
    assert_int_equal(bench_rule(&b, 0)->health, HEALTH_ERROR);
    assert_int_equal(bench_rule(&b, 1)->health, HEALTH_ERROR);
    assert_int_equal(SAMPLES(&b, "r", "i", "1").count, 1);
    assert_int_equal(SAMPLES(&b, "ALERTS", "alertname", "A", "alertstate", "firing", "i", "1").count, 1);
    assert_int_equal(bench_rule(&b, 1)->state, ALERT_FIRING);
    PUSH(&b, stale_nan(), "n", "i", "1", "j", "2");
    bench_step(&b);
    assert_int_equal(SAMPLES(&b, "r", "i", "1").count, 2);
    assert_int_equal(bench_rule(&b, 1)->alert_count, 1);
    assert_int_equal(bench_rule(&b, 1)->last_error.n, 0);
    bench_close(&b);
}

/* ---- alerts ---- */

static void two_results_with_equal_labels_fail_and_change_nothing(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, "groups: [{name: g, rules: [{alert: A, expr: m, labels: {i: ''}}]}]");
    PUSH(&b, 1, "m", "i", "1");
    bench_step(&b);
    assert_int_equal(bench_rule(&b, 0)->alert_count, 1);
    PUSH(&b, 1, "m", "i", "2");
    bench_step(&b);
    expect_str(bench_rule(&b, 0)->last_error,
               "vector contains metrics with the same labelset after applying alert labels");
    assert_int_equal(bench_rule(&b, 0)->alert_count, 1);
    bench_close(&b);
}

static void past_its_limit_a_rule_forgets_its_alerts(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, "groups: [{name: g, limit: 1, rules: [{alert: A, expr: m}]}]");
    PUSH(&b, 1, "m", "i", "1");
    bench_step(&b);
    assert_int_equal(b.event_count, 1);
    PUSH(&b, 1, "m", "i", "2");
    bench_step(&b);
    expect_str(bench_rule(&b, 0)->last_error, "exceeded limit of 1 with 2 alerts");
    assert_int_equal(bench_rule(&b, 0)->alert_count, 0);
    assert_int_equal(b.event_count, 1);
    bench_close(&b);
}

static void value_and_annotations_follow_the_result_and_active_at_stays(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, "groups: [{name: g, rules: [{alert: A, expr: m, annotations: {v: '{{ $value }}'}}]}]");
    PUSH(&b, 1, "m");
    int64_t first_ns = bench_step(&b);
    PUSH(&b, 2, "m");
    bench_step(&b);
    struct ruler_alert *alert = &bench_rule(&b, 0)->alerts[0];
    assert_true(alert->value == 2);
    expect_labels(alert->annotations, "{v=\"2\"}");
    assert_int_equal(alert->active_ns, first_ns);
    assert_int_equal(alert->keep_firing_since_ns, 0);
    bench_close(&b);
}

static void keep_firing_since_shows_while_it_holds(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, "groups: [{name: g, rules: [{alert: A, expr: m > 0, keep_firing_for: 2m}]}]");
    PUSH(&b, 1, "m");
    bench_step(&b);
    PUSH(&b, 0, "m");
    int64_t since_ns = bench_step(&b);
    assert_int_equal(bench_rule(&b, 0)->alerts[0].keep_firing_since_ns, since_ns);
    bench_step(&b);
    assert_int_equal(bench_rule(&b, 0)->alert_count, 1);
    bench_step(&b);
    assert_int_equal(bench_rule(&b, 0)->alert_count, 0);
    assert_int_equal(bench_rule(&b, 0)->state, ALERT_INACTIVE);
    bench_close(&b);
}

/* ---- telling ---- */

static void a_firing_alert_is_told_at_once_and_again_after_the_resend_delay(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b,
               "groups: [{name: g, interval: 30s, rules: [{alert: A, expr: m > 0, for: 30s, labels: {l: x},"
               " annotations: {a: b}}]}]");
    PUSH(&b, 1, "m", "i", "1");
    bench_step(&b);
    assert_int_equal(b.event_count, 0);
    int64_t fired_ns = bench_step(&b);
    assert_int_equal(b.event_count, 1);
    const struct alert_event *event = b.events[0];
    expect_labels(event->labels, "{alertname=\"A\", i=\"1\", l=\"x\"}");
    expect_labels(event->annotations, "{a=\"b\"}");
    expect_str(event->generator_url, "http://tocsin.example/graph?g0.expr=m+%3E+0&g0.tab=1");
    assert_int_equal(event->starts_ns, fired_ns);
    assert_int_equal(event->ends_ns, fired_ns + 4 * MINUTE_NS);
    assert_int_equal(event->updated_ns, fired_ns);
    assert_false(event->ends_is_timeout);
    bench_step(&b);
    bench_step(&b);
    assert_int_equal(b.event_count, 1);
    int64_t again_ns = bench_step(&b);
    assert_int_equal(b.event_count, 2);
    assert_int_equal(b.events[1]->starts_ns, fired_ns);
    assert_int_equal(b.events[1]->ends_ns, again_ns + 4 * MINUTE_NS);
    bench_close(&b);
}

static void the_longer_of_interval_and_resend_delay_gives_the_end(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, "groups: [{name: g, interval: 5m, rules: [{alert: A, expr: vector(1)}]}]");
    int64_t slot_ns = bench_step(&b);
    assert_int_equal(b.events[0]->ends_ns, slot_ns + 20 * MINUTE_NS);
    bench_close(&b);
}

static void a_resolved_alert_is_told_at_once_and_for_fifteen_minutes(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, "groups: [{name: g, rules: [{alert: A, expr: m > 0}]}]");
    PUSH(&b, 1, "m");
    int64_t fired_ns = bench_step(&b);
    PUSH(&b, 0, "m");
    bench_forget_events(&b);
    int64_t resolved_ns = bench_step(&b);
    assert_int_equal(b.event_count, 1);
    assert_int_equal(b.events[0]->starts_ns, fired_ns);
    assert_int_equal(b.events[0]->ends_ns, resolved_ns);
    assert_true(alert_is_resolved(b.events[0], resolved_ns));
    for (int i = 0; i < 30; i++) {
        PUSH(&b, 0, "m");
        bench_step(&b);
    }
    assert_int_equal(b.event_count,
                     8); /* every second minute: the delay has to be passed, not only reached */
    for (size_t i = 0; i < b.event_count; i++)
        assert_int_equal(b.events[i]->ends_ns, resolved_ns);
    bench_close(&b);
}

/* ---- reload ---- */

static void a_group_that_did_not_change_goes_on_untouched(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    const char *text = "groups: [{name: g, rules: [{alert: A, expr: vector(1), for: 5m}]}]";
    bench_load(&b, text);
    bench_step(&b);
    int64_t next_ns = ruler_next_ns(b.ruler), active_ns = bench_rule(&b, 0)->alerts[0].active_ns;
    bench_load(&b, text);
    assert_int_equal(ruler_next_ns(b.ruler), next_ns);
    assert_int_equal(bench_rule(&b, 0)->health, HEALTH_OK);
    assert_int_equal(bench_rule(&b, 0)->alerts[0].active_ns, active_ns);
    assert_int_equal(bench_groups(&b, 1)->iterations, 1);
    bench_step(&b);
    assert_int_equal(bench_groups(&b, 1)->iterations, 2);
    bench_close(&b);
}

static void a_changed_expression_inherits_the_alerts(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(
        &b,
        "groups: [{name: g, rules: [{alert: A, expr: vector(1), for: 1m}, {alert: B, expr: vector(1)}]}]");
    int64_t active_ns = bench_step(&b);
    bench_load(
        &b,
        "groups: [{name: g, rules: [{alert: B, expr: vector(3)}, {alert: A, expr: vector(2), for: 1m}]}]");
    assert_int_equal(bench_rule(&b, 1)->alerts[0].active_ns, active_ns);
    assert_int_equal(bench_rule(&b, 1)->health, HEALTH_UNKNOWN);
    bench_step(&b);
    assert_int_equal(bench_rule(&b, 1)->state, ALERT_FIRING);
    assert_int_equal(bench_rule(&b, 1)->alerts[0].active_ns, active_ns);
    assert_true(bench_rule(&b, 1)->alerts[0].value == 2);
    bench_close(&b);
}

static void rules_of_one_name_and_labels_are_matched_in_order(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(
        &b, "groups: [{name: g, rules: [{alert: A, expr: 'm{i=\"1\"}'}, {alert: A, expr: 'm{i=\"2\"}'}]}]");
    PUSH(&b, 1, "m", "i", "1");
    PUSH(&b, 2, "m", "i", "2");
    bench_step(&b);
    bench_load(&b, "groups: [{name: g, rules: [{alert: A, expr: 'm{i=\"1\"} + 0'}, {alert: A, expr: "
                   "'m{i=\"2\"} + 0'}]}]");
    expect_labels(bench_rule(&b, 0)->alerts[0].labels, "{alertname=\"A\", i=\"1\"}");
    expect_labels(bench_rule(&b, 1)->alerts[0].labels, "{alertname=\"A\", i=\"2\"}");
    bench_close(&b);
}

static void a_raised_for_makes_a_firing_alert_pending_again(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, "groups: [{name: g, rules: [{alert: A, expr: vector(1)}]}]");
    int64_t active_ns = bench_step(&b);
    assert_int_equal(bench_rule(&b, 0)->state, ALERT_FIRING);
    bench_load(&b, "groups: [{name: g, rules: [{alert: A, expr: vector(1), for: 3m}]}]");
    bench_forget_events(&b);
    bench_step(&b);
    assert_int_equal(bench_rule(&b, 0)->state, ALERT_PENDING);
    assert_int_equal(b.event_count, 0);
    bench_run_until(&b, active_ns + 3 * MINUTE_NS);
    assert_int_equal(bench_rule(&b, 0)->state, ALERT_FIRING);
    assert_int_equal(b.event_count, 1);
    assert_int_equal(b.events[0]->starts_ns, active_ns + 3 * MINUTE_NS);
    bench_close(&b);
}

static void series_of_a_rule_that_went_end_with_the_next_evaluation(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(
        &b, "groups: [{name: g, rules: [{record: old, expr: vector(1)}, {record: kept, expr: vector(1)}]}]");
    bench_step(&b);
    bench_load(&b, "groups: [{name: g, rules: [{record: kept, expr: vector(2)}]}]");
    assert_int_equal(SAMPLES(&b, "old").count, 1);
    int64_t slot_ns = bench_step(&b);
    struct sample_run run = SAMPLES(&b, "old");
    assert_int_equal(run.count, 2);
    assert_true(is_stale_nan(run.samples[1].value));
    assert_int_equal(run.samples[1].t_ms, slot_ns / NS_PER_MS);
    assert_true(bench_value(&b, "kept") == 2);
    bench_step(&b);
    assert_int_equal(SAMPLES(&b, "old").count, 2);
    bench_close(&b);
}

static void series_of_a_group_that_went_end_after_two_intervals(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b,
               "groups: [{name: g, rules: [{record: old, expr: vector(1)}, {alert: A, expr: vector(1)}]}]");
    bench_step(&b);
    b.sim.now_ns += 7 * NS_PER_S;
    int64_t removed_ns = b.sim.now_ns;
    bench_load(&b, "groups: []");
    assert_int_equal(ruler_next_ns(b.ruler), removed_ns + 2 * MINUTE_NS);
    bench_run_until(&b, removed_ns + 2 * MINUTE_NS - 1);
    assert_int_equal(SAMPLES(&b, "old").count, 1);
    bench_run_until(&b, removed_ns + 2 * MINUTE_NS);
    struct sample_run run = SAMPLES(&b, "old");
    assert_int_equal(run.count, 2);
    assert_true(is_stale_nan(run.samples[1].value));
    assert_int_equal(run.samples[1].t_ms, removed_ns / NS_PER_MS);
    assert_int_equal(bench_count(&b, "{__name__=~\"ALERTS.*\"}"), 0);
    assert_int_equal(ruler_next_ns(b.ruler), INT64_MAX);
    bench_close(&b);
}

static void a_series_that_another_group_took_over_goes_on(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, "groups: [{name: before, rules: [{record: r, expr: vector(1)}]}]");
    bench_step(&b);
    bench_load(&b, "groups: [{name: after, rules: [{record: r, expr: vector(2)}]}]");
    bench_run_until(&b, b.sim.now_ns + 3 * MINUTE_NS);
    assert_true(bench_value(&b, "r") == 2);
    struct sample_run run = SAMPLES(&b, "r");
    for (size_t i = 0; i < run.count; i++)
        assert_false(is_stale_nan(run.samples[i].value));
    bench_close(&b);
}

static void closing_marks_nothing(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, "groups: [{name: g, rules: [{record: r, expr: vector(1)}]}]");
    bench_step(&b);
    ruler_close(b.ruler);
    b.ruler = ruler_open(&b.options);
    assert_int_equal(SAMPLES(&b, "r").count, 1);
    bench_close(&b);
}

static void a_load_that_fails_changes_nothing(void **state)
{
    (void)state;
    struct bench b;
    struct err err = {0};
    bench_open(&b);
    bench_load(&b, one_rule);
    bench_step(&b);
    int64_t before = limits.standing_selectors;
    limits.standing_selectors = 2;
    assert_int_equal(
        ruler_load(b.ruler, bench_rules("r.yml", "groups: [{name: h, rules: [{record: r, expr: a + b}]}]"),
                   &err),
        ERR_LIMIT);
    limits.standing_selectors = before;
    assert_non_null(strstr(err.text, "r.yml: group \"h\", rule 1, \"r\": "));
    expect_str(bench_groups(&b, 1)->name, "g");
    bench_step(&b);
    assert_int_equal(bench_groups(&b, 1)->iterations, 2);
    bench_close(&b);
}

/* Globals and rules: both or neither. */
static void what_is_prepared_is_in_force_when_it_is_committed(void **state)
{
    (void)state;
    static const char two_selectors[] = "groups: [{name: h, rules: [{record: r, expr: a + b}]}]";
    struct bench b;
    struct ruler_change *change;
    struct err err = {0};
    bench_open(&b);
    bench_load(&b, one_rule);
    b.options.external_labels = labels_of(&b.arena, "region", "eu", NULL);
    int64_t before = limits.standing_selectors;
    limits.standing_selectors = 2;
    assert_int_equal(ruler_prepare(b.ruler, &b.options, bench_rules("r.yml", two_selectors), &change, &err),
                     ERR_LIMIT);
    limits.standing_selectors = before;
    assert_int_equal(ruler_prepare(b.ruler, &b.options, bench_rules("r.yml", two_selectors), &change, &err),
                     0);
    expect_str(bench_groups(&b, 1)->name, "g");
    expect_labels(ruler_external_labels(b.ruler, &b.arena), "{}");
    ruler_abandon(change);
    bench_step(&b);
    expect_str(bench_groups(&b, 1)->name, "g");
    expect_labels(ruler_external_labels(b.ruler, &b.arena), "{}");
    assert_int_equal(ruler_prepare(b.ruler, &b.options, bench_rules("r.yml", two_selectors), &change, &err),
                     0);
    ruler_commit(change);
    expect_str(bench_groups(&b, 1)->name, "h");
    expect_labels(ruler_external_labels(b.ruler, &b.arena), "{region=\"eu\"}");
    bench_step(&b);
    bench_close(&b);
}

static void new_globals_reach_templates_and_links(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    const char *text = "groups: [{name: g, rules: [{alert: A, expr: vector(1), annotations:"
                       " {u: '{{ $externalURL }} {{ $externalLabels.region }}'}}]}]";
    bench_load(&b, text);
    bench_step(&b);
    expect_labels(b.events[0]->annotations, "{u=\"http://tocsin.example \"}");
    b.options.external_url = STR("http://new.example/x");
    b.options.external_labels = labels_of(&b.arena, "region", "eu", NULL);
    b.options.resend_delay_ms = 1;
    ruler_configure(b.ruler, &b.options);
    bench_load(&b, text);
    bench_step(&b);
    assert_int_equal(b.event_count, 2);
    expect_labels(b.events[1]->annotations, "{u=\"http://new.example/x eu\"}");
    expect_str(b.events[1]->generator_url, "http://new.example/x/graph?g0.expr=vector%281%29&g0.tab=1");
    bench_close(&b);
}

/* ---- what is shown ---- */

static void the_snapshot_is_sorted_and_outlives_the_rules(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, "groups:\n"
                   "- {name: z, rules: [{alert: A, expr: 'm > 0', for: 1m, labels: {l: '{{ $value }}'}}]}\n"
                   "- {name: a, interval: 5s, limit: 9, rules: []}\n");
    PUSH(&b, 1, "m", "i", "2");
    PUSH(&b, 1, "m", "i", "1");
    bench_run_until(&b, START_NS + MINUTE_NS);
    struct ruler_group *groups = bench_groups(&b, 2);
    bench_load(&b, "groups: []");
    expect_str(groups[0].name, "a");
    assert_int_equal(groups[0].interval_ms, 5000);
    assert_int_equal(groups[0].limit, 9);
    expect_str(groups[1].name, "z");
    const struct ruler_rule *rule = &groups[1].rules[0];
    expect_str(rule->query, "m > 0");
    expect_str(rule->labels[0].text, "{{ $value }}");
    assert_int_equal(rule->state, ALERT_PENDING);
    assert_int_equal(rule->series_matched, 2);
    assert_int_equal(rule->alert_count, 2);
    expect_labels(rule->alerts[0].labels, "{alertname=\"A\", i=\"1\", l=\"1\"}");
    bench_close(&b);
}

static void a_snapshot_past_the_arena_is_refused(void **state)
{
    (void)state;
    struct bench b;
    struct arena small;
    struct ruler_group *groups;
    size_t count;
    bench_open(&b);
    bench_load(&b, one_rule);
    arena_init(&small, 300);
    assert_int_equal(ruler_snapshot(b.ruler, &small, &groups, &count), ERR_LIMIT);
    arena_release(&small);
    bench_close(&b);
}

static void rules_without_series_are_known(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_load(&b, one_rule);
    assert_int_equal(bench_rule(&b, 0)->series_matched, 0);
    PUSH(&b, 1, "m");
    assert_int_equal(bench_rule(&b, 0)->series_matched, 1);
    bench_close(&b);
}

static void metrics_carry_prometheus_names_and_go_with_the_group(void **state)
{
    (void)state;
    struct bench b;
    struct buf text;
    bench_open(&b);
    buf_init(&text, 1 << 20);
    bench_load(&b,
               "groups: [{name: g, rules: [{record: r, expr: '\"text\"'}, {record: s, expr: vector(1)}]}]");
    bench_run_until(&b, START_NS + 2 * MINUTE_NS);
    ruler_write_metrics(b.ruler, &text);
    static const char *const lines[] = {
        "prometheus_rule_evaluations_total{rule_group=\"r.yml;g\"} 4\n",
        "prometheus_rule_evaluation_failures_total{rule_group=\"r.yml;g\"} 2\n",
        "prometheus_rule_group_iterations_total{rule_group=\"r.yml;g\"} 2\n",
        "prometheus_rule_group_iterations_missed_total{rule_group=\"r.yml;g\"} 0\n",
        "prometheus_rule_group_interval_seconds{rule_group=\"r.yml;g\"} 60\n",
        "prometheus_rule_group_rules{rule_group=\"r.yml;g\"} 2\n",
        "prometheus_rule_group_last_evaluation_samples{rule_group=\"r.yml;g\"} 1\n",
        "prometheus_rule_evaluation_duration_seconds{quantile=\"0.99\"} 0\n",
        "prometheus_rule_evaluation_duration_seconds_count 4\n",
        "tocsin_rule_group_looks_total{rule_group=\"r.yml;g\"} 0\n",
        "tocsin_rule_group_iterations_caught_up_total{rule_group=\"r.yml;g\"} 0\n",
        "prometheus_rule_group_duration_seconds_count 2\n",
        "# TYPE prometheus_rule_group_duration_seconds summary\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (strstr(buf_text(&text), lines[i]) == NULL)
            print_error("missing: %s", lines[i]);
        assert_non_null(strstr(buf_text(&text), lines[i]));
    }
    bench_load(&b, "groups: []");
    buf_clear(&text);
    ruler_write_metrics(b.ruler, &text);
    assert_null(strstr(buf_text(&text), "r.yml;g"));
    buf_release(&text);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_slot_of_a_group_is_prometheus_hash_of_file_and_name),
        cmocka_unit_test(a_group_loaded_on_its_slot_begins_with_the_next),
        cmocka_unit_test(nothing_runs_before_it_is_due),
        cmocka_unit_test(a_late_evaluation_keeps_to_its_slot),
        cmocka_unit_test(missed_slots_are_counted_and_not_replayed),
        cmocka_unit_test(the_group_that_has_been_due_longest_goes_first),
        cmocka_unit_test(the_query_offset_moves_query_and_samples_but_not_the_slot),
        cmocka_unit_test(samples_are_kept_for_as_long_as_the_query_offset_asks),
        cmocka_unit_test(several_workers_share_the_groups),
        cmocka_unit_test(groups_may_change_and_be_shown_while_they_are_evaluated),
        cmocka_unit_test(rule_labels_win_and_an_empty_one_takes_away),
        cmocka_unit_test(a_failing_rule_does_not_stop_the_rest),
        cmocka_unit_test(past_its_limit_a_recording_rule_writes_nothing),
        cmocka_unit_test(a_sample_the_store_refuses_is_told_and_the_others_stay),
        cmocka_unit_test(a_series_that_comes_no_more_is_marked_at_once),
        cmocka_unit_test(an_evaluation_that_fails_marks_nothing),
        cmocka_unit_test(two_results_with_equal_labels_fail_and_change_nothing),
        cmocka_unit_test(past_its_limit_a_rule_forgets_its_alerts),
        cmocka_unit_test(value_and_annotations_follow_the_result_and_active_at_stays),
        cmocka_unit_test(keep_firing_since_shows_while_it_holds),
        cmocka_unit_test(a_firing_alert_is_told_at_once_and_again_after_the_resend_delay),
        cmocka_unit_test(the_longer_of_interval_and_resend_delay_gives_the_end),
        cmocka_unit_test(a_resolved_alert_is_told_at_once_and_for_fifteen_minutes),
        cmocka_unit_test(a_group_that_did_not_change_goes_on_untouched),
        cmocka_unit_test(a_changed_expression_inherits_the_alerts),
        cmocka_unit_test(rules_of_one_name_and_labels_are_matched_in_order),
        cmocka_unit_test(a_raised_for_makes_a_firing_alert_pending_again),
        cmocka_unit_test(series_of_a_rule_that_went_end_with_the_next_evaluation),
        cmocka_unit_test(series_of_a_group_that_went_end_after_two_intervals),
        cmocka_unit_test(a_series_that_another_group_took_over_goes_on),
        cmocka_unit_test(closing_marks_nothing),
        cmocka_unit_test(a_load_that_fails_changes_nothing),
        cmocka_unit_test(what_is_prepared_is_in_force_when_it_is_committed),
        cmocka_unit_test(new_globals_reach_templates_and_links),
        cmocka_unit_test(the_snapshot_is_sorted_and_outlives_the_rules),
        cmocka_unit_test(a_snapshot_past_the_arena_is_refused),
        cmocka_unit_test(rules_without_series_are_known),
        cmocka_unit_test(metrics_carry_prometheus_names_and_go_with_the_group),
    };
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, -1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
