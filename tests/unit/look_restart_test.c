/* Looks and slots that are made up for, with alerts that outlive the process and results that are told to others. */
#include "timetable_help.h"

static struct bench b;
static size_t unwritten; /* events that were told before they were written down */
static size_t late_told; /* results that were told and are older than others before */
static int64_t newest_told_ms;

static const struct rule_policy by_data = {.by_data = true};

static const char bad_rule[] = "groups: [{name: g, rules: [{alert: Bad, expr: bad > 0}]}]";

static void find_row(void *context, const struct alert_rule_key *key, const struct alert_row *row)
{
    const struct alert_event **wanted = context;
    (void)key;
    if (*wanted != NULL && labels_equal(row->labels, (*wanted)->labels) &&
        row->fired_ns == (*wanted)->starts_ns)
        *wanted = NULL;
}

static void take_event(void *context, struct alert_event *event)
{
    const struct alert_event *wanted = event;
    struct err err = {0};
    must(state_alerts_each(b.options.state, find_row, &wanted, &err) == 0);
    unwritten += wanted != NULL;
    bench_take_event(context, event);
}

static void take_recorded(void *context, const struct batch *batch)
{
    (void)context;
    for (size_t i = 0; i < batch->count; i++) {
        int64_t t_ms = batch->series[i].samples->t_ms;
        late_told += t_ms < newest_told_ms;
        newest_told_ms = t_ms > newest_told_ms ? t_ms : newest_told_ms;
    }
}

static int begin(void **unused)
{
    (void)unused;
    struct err err = {0};
    bench_open(&b);
    must(state_open(":memory:", &b.options.state, &err) == 0);
    b.options.emit = take_event;
    b.options.recorded = take_recorded;
    unwritten = late_told = 0;
    newest_told_ms = INT64_MIN;
    ruler_close(b.ruler);
    b.ruler = ruler_open(&b.options);
    return 0;
}

static int end(void **unused)
{
    (void)unused;
    bench_close(&b);
    state_close(b.options.state);
    return 0;
}

static void restart(const char *text, struct rule_policy policy)
{
    ruler_close(b.ruler);
    bench_forget_events(&b);
    b.ruler = ruler_open(&b.options);
    assert_int_equal(bench_load_with(&b, text, policy), 0);
}

/* ---- looks ---- */

static void what_a_look_finds_is_written_down_before_it_is_told(void **unused)
{
    (void)unused;
    assert_int_equal(bench_load_with(&b, bad_rule, by_data), 0);
    int64_t slot_ns = ruler_next_ns(b.ruler);
    bench_drive(&b, slot_ns + 10 * SECOND_NS);
    int64_t fired_ms = bench_now_ms(&b) - 3;
    ARRIVE(&b, fired_ms, 1, "bad");
    bench_drive(&b, b.sim.now_ns);
    assert_int_equal(b.event_count, 1);
    assert_int_equal(unwritten, 0);
    restart(bad_rule, by_data); /* killed before the next slot */
    assert_int_equal(b.event_count, 1);
    assert_int_equal(b.events[0]->starts_ns, fired_ms * NS_PER_MS);
    bench_drive(&b, slot_ns + MINUTE_NS);
    ARRIVE(&b, bench_now_ms(&b), 0, "bad");
    bench_drive(&b, b.sim.now_ns);
    assert_int_equal(b.events[b.event_count - 1]->starts_ns, fired_ms * NS_PER_MS);
    assert_int_equal(b.events[b.event_count - 1]->ends_ns, slot_ns + MINUTE_NS);
    assert_int_equal(unwritten, 0);
}

/* The newest sample is of another series and older than the slot that ended the alert. */
static void what_has_ended_is_not_begun_anew_by_a_look_after_a_restart(void **unused)
{
    (void)unused;
    assert_int_equal(bench_load_with(&b, bad_rule, by_data), 0);
    int64_t slot_ns = ruler_next_ns(b.ruler) + 10 * MINUTE_NS, slot_ms = slot_ns / NS_PER_MS;
    bench_drive(&b, slot_ns - 310 * SECOND_NS);
    ARRIVE(&b, slot_ms - 310000, 1, "bad", "host", "a");
    for (int i = 5; i >= 0; i--) {
        bench_drive(&b, slot_ns - 20 * SECOND_NS - i * MINUTE_NS);
        ARRIVE(&b, bench_now_ms(&b), 0, "bad", "host", "b");
    }
    bench_drive(&b, slot_ns + 5 * SECOND_NS);
    assert_int_equal(bench_rule(&b, 0)->alert_count, 0);
    assert_int_equal(b.events[b.event_count - 1]->ends_ns, slot_ns);
    restart(bad_rule, by_data);
    assert_int_equal(bench_rule(&b, 0)->alert_count, 0);
    assert_int_equal(b.event_count, 1); /* its end, told again */
    assert_int_equal(b.events[0]->ends_ns, slot_ns);
    ARRIVE(&b, bench_now_ms(&b), 0, "bad", "host", "b");
    bench_drive(&b, b.sim.now_ns);
    assert_int_equal(b.event_count, 1);
}

static void what_a_late_slot_ends_is_told_at_once_although_a_look_was_later(void **unused)
{
    (void)unused;
    assert_int_equal(
        bench_load_with(&b, bad_rule, (struct rule_policy){.by_data = true, .data_wait_ms = 50000}), 0);
    int64_t slot_ns = ruler_next_ns(b.ruler), slot_ms = slot_ns / NS_PER_MS;
    for (int i = 0; i < 60; i += 10) {
        bench_drive(&b, slot_ns + i * SECOND_NS);
        ARRIVE(&b, bench_now_ms(&b), 1, "bad", "host", "a");
        ARRIVE(&b, bench_now_ms(&b), 0, "bad", "host", "late");
    }
    bench_drive(&b, slot_ns + MINUTE_NS - SECOND_NS);
    ARRIVE(&b, slot_ms + 59000, 0, "bad", "host", "a");
    bench_drive(&b, slot_ns + MINUTE_NS + 15 * SECOND_NS);
    size_t told = b.event_count;
    ARRIVE(&b, bench_now_ms(&b), 0, "bad", "host", "a"); /* a look, while the slot waits for the late one */
    bench_drive(&b, b.sim.now_ns);
    assert_int_equal(b.event_count, told);
    assert_int_equal(bench_groups(&b, 1)->iterations, 1);
    ARRIVE(&b, bench_now_ms(&b), 0, "bad", "host", "late");
    bench_drive(&b, b.sim.now_ns);
    assert_int_equal(bench_groups(&b, 1)->iterations, 2);
    assert_int_equal(b.event_count, told + 1);
    assert_int_equal(b.events[told]->ends_ns, slot_ns + MINUTE_NS);
}

/* ---- slots that wait for their data ---- */

static const char hot_rule[] =
    "groups: [{name: g, rules: [{alert: Hot, expr: t > 5, for: 5m}, {record: many, expr: t < 5}]}]";

/* What the slot would have found comes after the restart; at the next slot it is over. */
static void a_slot_that_waited_for_its_data_waits_on_after_a_restart(void **unused)
{
    (void)unused;
    const struct rule_policy waits = {.by_data = true, .data_wait_ms = 3 * MINUTE_MS};
    assert_int_equal(bench_load_with(&b, hot_rule, waits), 0);
    int64_t first_ns = ruler_next_ns(b.ruler), first_ms = first_ns / NS_PER_MS;
    ARRIVE(&b, first_ms - 30000, 1, "t");
    ARRIVE(&b, first_ms, 1, "t");
    bench_drive(&b, first_ns + MINUTE_NS + 40 * SECOND_NS); /* of the second slot the samples are missing */
    assert_int_equal(bench_groups(&b, 1)->iterations, 1);
    restart(hot_rule, waits);
    ARRIVE(&b, first_ms + 30000, 1, "t");
    ARRIVE(&b, first_ms + MINUTE_MS, 9, "t");
    bench_drive(&b, b.sim.now_ns + SECOND_NS);
    struct ruler_group *group = bench_groups(&b, 1);
    assert_int_equal(group->slot_ns, first_ns + MINUTE_NS);
    assert_int_equal(group->iterations, 1);
    assert_int_equal(bench_rule(&b, 0)->alert_count, 1);
    assert_int_equal(bench_rule(&b, 0)->alerts[0].active_ns, first_ns + MINUTE_NS);
}

/* What the process before has evaluated is not evaluated again. */
static void a_slot_that_did_not_wait_is_not_evaluated_after_a_restart(void **unused)
{
    (void)unused;
    const struct rule_policy waits = {.by_data = true, .data_wait_ms = 3 * MINUTE_MS};
    assert_int_equal(bench_load_with(&b, hot_rule, waits), 0);
    int64_t first_ns = ruler_next_ns(b.ruler), first_ms = first_ns / NS_PER_MS;
    ARRIVE(&b, first_ms - MINUTE_MS, 1, "t");
    ARRIVE(&b, first_ms, 1, "t");
    bench_drive(&b, first_ns);
    assert_int_equal(bench_groups(&b, 1)->iterations, 1);
    restart(hot_rule, waits);
    bench_drive(&b, first_ns + 50 * SECOND_NS);
    assert_int_equal(bench_groups(&b, 1)->iterations, 0);
    ARRIVE(&b, first_ms + MINUTE_MS, 1, "t");
    bench_drive(&b, first_ns + MINUTE_NS);
    assert_int_equal(bench_groups(&b, 1)->iterations, 1);
    assert_int_equal(SAMPLES(&b, "many").count, 2);
}

/* ---- slots that are made up for ---- */

static const char waits[] =
    "groups: [{name: g, rules: [{record: r, expr: m}, {alert: A, expr: n, for: 30m}]}]";
static const struct rule_policy catches_up = {.catch_up_ms = 60 * MINUTE_MS};

/* Once a minute, as of then. */
static void arrive_from(int64_t from_ms, int64_t to_ms)
{
    for (int64_t t_ms = from_ms; t_ms <= to_ms; t_ms += MINUTE_MS)
        ARRIVE(&b, t_ms, 1, "m");
}

static void what_is_made_up_for_leaves_alerts_alone_and_is_told_to_nobody(void **unused)
{
    (void)unused;
    assert_int_equal(bench_load_with(&b, waits, catches_up), 0);
    int64_t first_ns = ruler_next_ns(b.ruler), first_ms = first_ns / NS_PER_MS;
    arrive_from(first_ms - MINUTE_MS, first_ms);
    ARRIVE(&b, first_ms, 1, "n");
    bench_drive(&b, first_ns);
    b.sim.now_ns = first_ns + 10 * MINUTE_NS + 20 * SECOND_NS; /* down meanwhile */
    restart(waits, catches_up);
    ARRIVE(&b, bench_now_ms(&b), 1, "n");
    bench_drive(&b, first_ns + 11 * MINUTE_NS + SECOND_NS); /* r ends there */
    arrive_from(first_ms + MINUTE_MS, first_ms + 11 * MINUTE_MS);
    bench_drive(&b, first_ns + 12 * MINUTE_NS);
    assert_int_equal(bench_groups(&b, 1)->caught_up, 10);
    assert_int_equal(SAMPLES(&b, "r").count, 13);
    assert_int_equal(late_told, 0);
    assert_true(newest_told_ms == first_ms + 12 * MINUTE_MS);
    assert_int_equal(b.event_count, 0);
    assert_int_equal(bench_rule(&b, 1)->alert_count, 1);
    assert_int_equal(bench_rule(&b, 1)->alerts[0].state, ALERT_PENDING);
    assert_int_equal(bench_rule(&b, 1)->alerts[0].active_ns, first_ns);
}

/* They come before the first slot, and there are more of them than slots after which it is used. */
static void what_is_made_up_for_does_not_use_up_what_was_recalled(void **unused)
{
    (void)unused;
    assert_int_equal(bench_load_with(&b, waits, catches_up), 0);
    int64_t first_ns = ruler_next_ns(b.ruler), first_ms = first_ns / NS_PER_MS;
    b.sim.now_ns = first_ns - 5 * SECOND_NS;
    ARRIVE(&b, first_ms - MINUTE_MS, 1, "r");
    ARRIVE(&b, first_ms, (double)(first_ns / NS_PER_S), "ALERTS_FOR_STATE", "alertname", "B");
    b.options.outage_tolerance_ms = 60 * MINUTE_MS;
    b.options.for_grace_ms = 10 * MINUTE_MS;
    b.sim.now_ns = first_ns + 4 * MINUTE_NS + 20 * SECOND_NS;
    arrive_from(first_ms - MINUTE_MS, first_ms + 4 * MINUTE_MS);
    static const char other[] =
        "groups: [{name: g, rules: [{record: r, expr: m}, {alert: B, expr: m, for: 30m}]}]";
    restart(other, catches_up);
    bench_drive(&b, b.sim.now_ns);
    assert_int_equal(bench_groups(&b, 1)->caught_up, 5);
    bench_drive(&b, first_ns + 5 * MINUTE_NS);
    assert_int_equal(bench_rule(&b, 1)->alerts[0].active_ns, first_ns + 5 * MINUTE_NS);
    bench_drive(&b, first_ns + 6 * MINUTE_NS);
    assert_true(bench_rule(&b, 1)->alerts[0].active_ns <= first_ns + 6 * MINUTE_NS);
    assert_true(bench_rule(&b, 1)->alerts[0].active_ns != first_ns + 5 * MINUTE_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_look_finds_is_written_down_before_it_is_told, begin, end),
        cmocka_unit_test_setup_teardown(what_has_ended_is_not_begun_anew_by_a_look_after_a_restart, begin,
                                        end),
        cmocka_unit_test_setup_teardown(what_a_late_slot_ends_is_told_at_once_although_a_look_was_later,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_slot_that_waited_for_its_data_waits_on_after_a_restart, begin, end),
        cmocka_unit_test_setup_teardown(a_slot_that_did_not_wait_is_not_evaluated_after_a_restart, begin,
                                        end),
        cmocka_unit_test_setup_teardown(what_is_made_up_for_leaves_alerts_alone_and_is_told_to_nobody, begin,
                                        end),
        cmocka_unit_test_setup_teardown(what_is_made_up_for_does_not_use_up_what_was_recalled, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
