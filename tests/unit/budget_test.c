#include "budget_help.h"

#include <signal.h>
#include <sys/wait.h>

static struct rig rig;

/* ---- against raw samples ---- */

static void slices_are_what_raw_samples_say(void **unused)
{
    (void)unused;
    size_t slices = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        rig_init(&rig, seed, false);
        rig.objective.slice_ms = seed % 3 == 0 ? MINUTE_MS : 5 * MINUTE_MS;
        rig_begin(&rig);
        rig_go(&rig, START_MS + 8 * HOUR_MS, 20000 + (int64_t)seed * 3000);
        rig_settle(&rig);
        slices += rig_compare(&rig, START_MS, START_MS + 8 * HOUR_MS);
        rig_close(&rig);
    }
    assert_true(slices > 5000);
}

/* Some senders are away for up to forty minutes and send what they kept. */
static void what_comes_late_is_counted_where_it_belongs(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        rig_init(&rig, seed, false);
        rig.late = true;
        rig_begin(&rig);
        rig_go(&rig, START_MS + 8 * HOUR_MS, 47000);
        rig_settle(&rig);
        rig_compare(&rig, START_MS, START_MS + 8 * HOUR_MS);
        rig_close(&rig);
    }
}

static void a_new_objective_begins_with_what_the_store_holds(void **unused)
{
    (void)unused;
    rig_init(&rig, 5, false);
    rig.sim.now_ns += 30 * HOUR_MS * NS_PER_MS;
    rig_traffic(&rig, rig_now_ms(&rig));
    rig_begin(&rig);
    assert_true(budgets_next_ns(rig.budgets) <= rig.sim.now_ns);
    assert_true(budgets_run(rig.budgets, rig.sim.now_ns));
    assert_int_equal(rig.budgets->books[0]->next_ms, START_MS + STEP_LOOKS * 5 * MINUTE_MS);
    rig_run(&rig);
    assert_int_equal(rig_compare(&rig, START_MS, START_MS + 30 * HOUR_MS - 5 * MINUTE_MS),
                     GROUPS * (30 * 12 - 1));
    rig_close(&rig);
}

/* ---- a process that is killed ---- */

enum { KILLS = 1000 };

/* Some children come to their end; the others are killed wherever they are. */
static void run_child(struct rig *r, bool to_the_end, uint64_t after_us)
{
    pid_t child = fork();
    must(child >= 0);
    if (child == 0) {
        rig_open_state(r);
        rig_begin(r);
        rig_run(r);
        while (!to_the_end)
            pause();
        _exit(0);
    }
    if (!to_the_end) {
        usleep((useconds_t)after_us);
        kill(child, SIGKILL);
    }
    must(waitpid(child, NULL, 0) == child);
}

/* Only children run; what they wrote is all that is left of them. */
static void a_thousand_kills_neither_lose_nor_double_a_slice(void **unused)
{
    (void)unused;
    rig_init(&rig, 77, true);
    state_close(rig.state);
    for (int i = 1; i <= KILLS + KILLS / 4; i++) {
        rig.sim.now_ns += 5 * MINUTE_MS * NS_PER_MS;
        rig_traffic(&rig, rig_now_ms(&rig));
        run_child(&rig, i % 5 == 0, random_below(&rig.seed, 4000));
    }
    int64_t end_ms = rig_now_ms(&rig);
    rig_open_state(&rig);
    rig_begin(&rig);
    assert_true(rig.budgets->books[0]->next_ms >= end_ms - 10 * MINUTE_MS);
    rig_settle(&rig);
    rig_compare(&rig, START_MS, end_ms);
    rig_close(&rig);
}

/* The same where a process ends between two steps, for whole days, with late senders. */
static void restarts_at_any_step_change_nothing(void **unused)
{
    (void)unused;
    rig_init(&rig, 78, true);
    rig.late = true;
    rig_begin(&rig);
    for (int i = 0; i < 300; i++) {
        rig.sim.now_ns += (int64_t)random_below(&rig.seed, 8 * 60000) * NS_PER_MS;
        rig_traffic(&rig, rig_now_ms(&rig));
        for (uint64_t steps = random_below(&rig.seed, 4); steps-- > 0;)
            budgets_run(rig.budgets, rig.sim.now_ns);
        if (random_below(&rig.seed, 2) == 0)
            rig_restart(&rig);
    }
    int64_t end_ms = slice_of(rig_now_ms(&rig), 5 * MINUTE_MS);
    rig_settle(&rig);
    rig_compare(&rig, START_MS, end_ms);
    rig_close(&rig);
}

/* Samples that the store has let go of are still in the book. */
static void what_was_written_outlives_its_samples(void **unused)
{
    (void)unused;
    rig_init(&rig, 4, true);
    rig_begin(&rig);
    rig_go(&rig, START_MS + 2 * HOUR_MS, 60000);
    budgets_close(rig.budgets);
    store_close(rig.store);
    struct store_options options = {.retention_ms = INT64_MAX};
    rig.store = rig.options.store = store_open(&options, &rig.sim.world);
    rig.sim.now_ns += 10 * HOUR_MS * NS_PER_MS;
    rig_begin(&rig);
    rig_run(&rig);
    rig_settle(&rig);
    rig_compare(&rig, START_MS, START_MS + 2 * HOUR_MS - 5 * MINUTE_MS);
    rig_close(&rig);
}

/* ---- what is said ---- */

static struct budget_report *report(struct rig *r, int64_t at_ms)
{
    struct budget_report *reports;
    size_t count;
    assert_int_equal(budgets_report(r->budgets, at_ms, &r->arena, &reports, &count), 0);
    assert_int_equal(count, 1);
    return reports;
}

/* One counter pair of one group, a sample each minute, at values given by a function of the minute. */
static void push_pair(struct rig *r, int64_t t_ms, double bad, double total)
{
    struct counter *c[] = {&r->counters[1], &r->counters[0]};
    const double values[] = {bad, total};
    for (size_t i = 0; i < 2; i++) {
        counter_note(c[i], t_ms, values[i]);
        counter_push(r, c[i], t_ms);
    }
}

static void steady(struct rig *r, int64_t from_ms, int64_t to_ms, int64_t miss_every)
{
    for (int64_t t = from_ms; t <= to_ms; t += MINUTE_MS) {
        int64_t minute = (t - START_MS) / MINUTE_MS;
        r->sim.now_ns = t * NS_PER_MS;
        if (miss_every == 0 || (minute - 1) / 5 % miss_every != miss_every / 2)
            push_pair(r, t, (double)minute, (double)(1000 * minute));
        rig_run(r);
    }
}

/* Of 125 slices one has no samples; nobody knows what came meanwhile. */
static void coverage_tells_of_missing_slices(void **unused)
{
    (void)unused;
    rig_init(&rig, 1, false);
    rig.objective.period.length_ms = 2 * LEDGER_DAY_MS;
    rig_begin(&rig);
    steady(&rig, START_MS, START_MS + 250 * 5 * MINUTE_MS, 125);
    rig.sim.now_ns += 2 * MINUTE_MS * NS_PER_MS;
    rig_run(&rig);
    struct budget_report *b = report(&rig, INT64_MAX);
    assert_int_equal(b->group_count, 1);
    const struct ledger_figures *f = &b->groups[0].figures;
    assert_int_equal(f->sum.known, 248);
    assert_int_equal(f->sum.expected, 2 * 288);
    assert_int_equal(lround(f->coverage * 1000), 992);
    assert_true(f->standing == BUDGET_PARTIAL && f->tells_remaining);
    assert_int_equal(b->groups[0].window_count, 4);
    assert_true(fabs(b->groups[0].windows[0].burn - 0.1) < 1e-9);
    assert_true(b->error.n == 0 && b->epoch == 1);
    rig_close(&rig);
}

static void metrics_tell_what_is_left(void **unused)
{
    (void)unused;
    struct buf out;
    rig_init(&rig, 1, false);
    rig.objective.period.length_ms = LEDGER_DAY_MS / 2;
    rig_begin(&rig);
    steady(&rig, START_MS, START_MS + 12 * HOUR_MS, 0);
    buf_init(&out, 1 << 16);
    budgets_write_metrics(rig.budgets, &out);
    const char *text = buf_text(&out);
    assert_non_null(
        strstr(text, "\ntocsin_slo_budget_remaining_ratio{slo=\"shop-requests\",group=\"g0\"} 0.9"));
    assert_non_null(strstr(text, "\ntocsin_slo_coverage_ratio{slo=\"shop-requests\",group=\"g0\"} 1\n"));
    assert_non_null(
        strstr(text, "\ntocsin_slo_events_total{slo=\"shop-requests\",group=\"g0\",outcome=\"bad\"} 720\n"));
    assert_non_null(strstr(
        text, "\ntocsin_slo_events_total{slo=\"shop-requests\",group=\"g0\",outcome=\"good\"} 719280\n"));
    buf_release(&out);
    rig_close(&rig);
}

static void an_objective_without_data_is_told_as_unknown(void **unused)
{
    (void)unused;
    struct buf out;
    rig_init(&rig, 1, false);
    rig.objective.by_count = 0;
    rig_begin(&rig);
    rig.sim.now_ns += HOUR_MS * NS_PER_MS;
    rig_run(&rig);
    struct budget_report *b = report(&rig, INT64_MAX);
    assert_int_equal(b->group_count, 1);
    assert_true(b->groups[0].figures.standing == BUDGET_UNKNOWN);
    assert_int_equal(b->next_ms, START_MS + HOUR_MS);
    buf_init(&out, 1 << 16);
    budgets_write_metrics(rig.budgets, &out);
    assert_null(strstr(buf_text(&out), "remaining_ratio{"));
    assert_non_null(strstr(buf_text(&out), "coverage_ratio{slo=\"shop-requests\"} 0\n"));
    buf_release(&out);
    rig_close(&rig);
}

/* ---- corrections ---- */

static void corrections_survive_and_count(void **unused)
{
    (void)unused;
    struct err err = {0};
    struct ledger_correction c = {.change = CHANGE_EXCLUDE,
                                  .from_ms = START_MS + HOUR_MS,
                                  .to_ms = START_MS + 2 * HOUR_MS,
                                  .author = STR("ada"),
                                  .reason = STR("load test")};
    rig_init(&rig, 1, true);
    rig_begin(&rig);
    steady(&rig, START_MS, START_MS + 6 * HOUR_MS, 0);
    double before = report(&rig, INT64_MAX)->groups[0].figures.spent;
    assert_int_equal(budgets_correct(rig.budgets, STR("shop-requests"), &c, &err), 0);
    assert_true(c.id > 0 && c.at_ms == rig_now_ms(&rig));
    assert_true(report(&rig, INT64_MAX)->groups[0].figures.spent == before - 60);
    rig_restart(&rig);
    struct budget_report *b = report(&rig, INT64_MAX);
    assert_true(b->groups[0].figures.spent == before - 60 && b->correction_count == 1);
    assert_true(str_is(b->corrections[0].author, "ada") && str_is(b->corrections[0].reason, "load test"));
    assert_true(b->corrections[0].id == c.id && b->corrections[0].at_ms == c.at_ms);
    assert_int_equal(budgets_correct(rig.budgets, STR("nobody"), &c, &err), ERR_NOT_FOUND);
    c.author = STR("");
    assert_int_equal(budgets_correct(rig.budgets, STR("shop-requests"), &c, &err), ERR_ARG);
    rig_close(&rig);
}

static void maintenance_is_left_out_by_schedule(void **unused)
{
    (void)unused;
    struct maintenance nightly = {
        .start_ms = START_MS + HOUR_MS, .length_ms = HOUR_MS, .every_ms = LEDGER_DAY_MS};
    rig_init(&rig, 1, false);
    rig.objective.maintenance = &nightly;
    rig.objective.maintenance_count = 1;
    rig_begin(&rig);
    steady(&rig, START_MS, START_MS + 6 * HOUR_MS, 0);
    const struct ledger_figures *f = &report(&rig, INT64_MAX)->groups[0].figures;
    assert_true(f->spent == 300 && f->coverage == 1);
    rig_close(&rig);
}

/* ---- reloads ---- */

static void a_change_opens_an_epoch_and_keeps_what_was(void **unused)
{
    (void)unused;
    rig_init(&rig, 1, true);
    rig_begin(&rig);
    steady(&rig, START_MS, START_MS + 4 * HOUR_MS, 0);
    struct objective same = rig.objective;
    rig_load(&rig);
    assert_int_equal(report(&rig, INT64_MAX)->epoch, 1);
    rig.objective = same;
    struct objective stricter = same;
    stricter.target = (struct fraction){999, 1000};
    stricter.slice_ms = MINUTE_MS;
    struct objective_set set = {.items = &stricter, .count = 1};
    assert_int_equal(budgets_load(rig.budgets, &set, NULL), 0);
    steady(&rig, START_MS + 4 * HOUR_MS + MINUTE_MS, START_MS + 8 * HOUR_MS, 0);
    for (int round = 0; round < 2; round++) {
        struct budget_report *b = report(&rig, INT64_MAX);
        const struct ledger_figures *f = &b->groups[0].figures;
        assert_int_equal(b->epoch, 2);
        assert_true(f->sum.bad == 8 * 60 && f->sum.total == 8 * 60000);
        assert_int_equal(f->sum.known, 4 * 12 + 4 * 60);
        assert_true(fabs(f->allowed - (240000 * 0.01 + 240000 * 0.001)) < 1e-6);
        rig.objective = stricter;
        rig_restart(&rig);
    }
    rig_close(&rig);
}

static void a_load_that_fails_changes_nothing(void **unused)
{
    (void)unused;
    struct err err = {0};
    rig_init(&rig, 1, true);
    rig_begin(&rig);
    steady(&rig, START_MS, START_MS + HOUR_MS, 0);
    struct objective broken = rig.objective;
    broken.indicator.counted = STR("sum(");
    struct objective_set set = {.items = &broken, .count = 1};
    assert_int_equal(budgets_load(rig.budgets, &set, &err), ERR_PARSE);
    assert_non_null(strstr(err.text, "shop-requests"));
    broken = rig.objective;
    broken.period = (struct period){.unit = PERIOD_MONTH, .count = 1, .zone = STR("Nowhere/Land")};
    assert_int_equal(budgets_load(rig.budgets, &set, &err), ERR_NOT_FOUND);
    steady(&rig, START_MS + HOUR_MS + MINUTE_MS, START_MS + 2 * HOUR_MS, 0);
    assert_true(report(&rig, INT64_MAX)->groups[0].figures.sum.bad == 120);
    struct objective_set none = {.count = 0};
    assert_int_equal(budgets_load(rig.budgets, &none, &err), 0);
    assert_true(budgets_next_ns(rig.budgets) == INT64_MAX && !budgets_run(rig.budgets, rig.sim.now_ns));
    rig_close(&rig);
}

/* ---- other indicators ---- */

static void good_events_are_those_that_are_not_bad(void **unused)
{
    (void)unused;
    rig_init(&rig, 1, false);
    rig.objective.indicator.kind = INDICATOR_GOOD;
    rig.objective.indicator.counted = STR("sum by (group) (increase(requests_total[{{.window}}])) * 0.75");
    rig_begin(&rig);
    steady(&rig, START_MS, START_MS + 2 * HOUR_MS, 0);
    const struct ledger_sum *sum = &report(&rig, INT64_MAX)->groups[0].figures.sum;
    assert_true(sum->total == 120000 && sum->bad == 30000 && sum->odd == 0);
    rig_close(&rig);
}

static void shares_and_verdicts_weigh_each_slice_the_same(void **unused)
{
    (void)unused;
    rig_init(&rig, 1, false);
    rig.objective.by_count = 0;
    rig.objective.indicator = (struct indicator){
        .kind = INDICATOR_RATIO,
        .counted = STR("max(increase(errors_total[{{.window}}]) / increase(errors_total[{{.window}}]) "
                       "* 0.25)")};
    rig.objective.budgeting = BUDGET_RATIOS;
    rig_begin(&rig);
    steady(&rig, START_MS, START_MS + 2 * HOUR_MS, 0);
    const struct ledger_figures *f = &report(&rig, INT64_MAX)->groups[0].figures;
    assert_true(f->sum.known == 24 && f->spent == 6 && fabs(f->sli - 0.75) < 1e-12);
    rig_close(&rig);

    rig_init(&rig, 1, false);
    rig.objective.by_count = 0;
    rig.objective.indicator = (struct indicator){.kind = INDICATOR_THRESHOLD,
                                                 .counted = STR("sum(requests_total)"),
                                                 .compare = COMPARE_LESS_EQUAL,
                                                 .threshold = 90000};
    rig.objective.budgeting = BUDGET_SLICES;
    rig.objective.slice_target = (struct fraction){0, 1};
    rig_begin(&rig);
    steady(&rig, START_MS, START_MS + 2 * HOUR_MS, 0); /* 90 of the 120 minutes keep it */
    f = &report(&rig, INT64_MAX)->groups[0].figures;
    assert_true(f->sum.known == 24 && f->spent == 6);
    rig_close(&rig);
}

/* Sharing is not extrapolating: the sum of all slices is what the counter grew by. */
static void exact_slices_add_up_to_what_was_counted(void **unused)
{
    (void)unused;
    rig_init(&rig, 1, false);
    rig.objective.slice_ms = MINUTE_MS;
    rig_begin(&rig);
    double last = 0;
    for (int64_t t = START_MS + 7000; t < START_MS + 3 * HOUR_MS; t += 41000) {
        rig.sim.now_ns = t * NS_PER_MS;
        last += (double)random_below(&rig.seed, 1000);
        push_pair(&rig, t, 0, last);
        rig_run(&rig);
    }
    rig_settle(&rig);
    const struct ledger_figures *f = &report(&rig, INT64_MAX)->groups[0].figures;
    assert_true(f->sum.total == last - rig.counters[0].samples[0].value);
    rig_close(&rig);
}

static void days_that_are_too_old_go(void **unused)
{
    (void)unused;
    rig_init(&rig, 1, true);
    rig.objective.period.length_ms = LEDGER_DAY_MS;
    rig.objective.slice_ms = HOUR_MS;
    rig_begin(&rig);
    steady(&rig, START_MS, START_MS + 6 * LEDGER_DAY_MS + HOUR_MS, 0);
    assert_int_equal(ledger_slices_held(rig_account(&rig, 0)->ledger), 5 * 24);
    rig_restart(&rig);
    assert_int_equal(ledger_slices_held(rig_account(&rig, 0)->ledger), 5 * 24);
    rig_close(&rig);
}

static void groups_beyond_the_limit_are_refused_and_counted(void **unused)
{
    (void)unused;
    int64_t before = limits.budget_slices;
    rig_init(&rig, 2, false);
    limits.budget_slices = 2 * 62 * 288;
    rig_begin(&rig);
    rig_go(&rig, START_MS + HOUR_MS, 60000);
    struct budget_report *b = report(&rig, INT64_MAX);
    assert_int_equal(b->group_count, 2);
    assert_true(b->refused > 0);
    limits.budget_slices = before;
    rig_close(&rig);
}

static int be_quiet(void **unused)
{
    (void)unused;
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, -1);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_are_what_raw_samples_say),
        cmocka_unit_test(what_comes_late_is_counted_where_it_belongs),
        cmocka_unit_test(a_new_objective_begins_with_what_the_store_holds),
        cmocka_unit_test(a_thousand_kills_neither_lose_nor_double_a_slice),
        cmocka_unit_test(restarts_at_any_step_change_nothing),
        cmocka_unit_test(what_was_written_outlives_its_samples),
        cmocka_unit_test(coverage_tells_of_missing_slices),
        cmocka_unit_test(metrics_tell_what_is_left),
        cmocka_unit_test(an_objective_without_data_is_told_as_unknown),
        cmocka_unit_test(corrections_survive_and_count),
        cmocka_unit_test(maintenance_is_left_out_by_schedule),
        cmocka_unit_test(a_change_opens_an_epoch_and_keeps_what_was),
        cmocka_unit_test(a_load_that_fails_changes_nothing),
        cmocka_unit_test(good_events_are_those_that_are_not_bad),
        cmocka_unit_test(shares_and_verdicts_weigh_each_slice_the_same),
        cmocka_unit_test(exact_slices_add_up_to_what_was_counted),
        cmocka_unit_test(days_that_are_too_old_go),
        cmocka_unit_test(groups_beyond_the_limit_are_refused_and_counted),
    };
    return cmocka_run_group_tests(tests, be_quiet, NULL);
}
