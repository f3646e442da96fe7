#include "tocsin/arrival.h"

#include "store_help.h"

/* A standing selector over everything named m, and a wait for it. */
struct watch {
    struct bench b;
    struct standing *standing;
    struct matcher m;
    struct arrival_wait wait;
    int64_t until_ms, newest_ms;
};

static void watch_open(struct watch *w)
{
    memset(w, 0, sizeof *w);
    bench_open(&w->b, (struct store_options){.retention_ms = INT64_MAX});
    w->m = bench_matcher("__name__", MATCH_EQUAL, "m");
    must(store_stand(w->b.store, &w->m, 1, MINUTE_MS, &w->standing, NULL) == 0);
}

static void watch_close(struct watch *w)
{
    store_unstand(w->b.store, w->standing);
    bench_close(&w->b);
}

static const struct labels *m_of(struct watch *w, const char *i)
{
    return labels_of(&w->b.arena, "__name__", "m", "i", i, NULL);
}

static void push(struct watch *w, const char *i, int64_t into_ms, double value)
{
    must(bench_push(&w->b, m_of(w, i), START_MS + into_ms, value) == ADMIT_OK);
}

/* Whether all have arrived at this time when asked at that one; each question stands alone. */
static bool arrived(struct watch *w, int64_t into_ms, int64_t now_ms, int64_t wait_ms)
{
    w->wait = (struct arrival_wait){0};
    return standing_arrived(w->b.store, w->standing, START_MS + into_ms, START_MS + now_ms, wait_ms, &w->wait,
                            &w->until_ms);
}

static void without_series_all_have_arrived(void **state)
{
    (void)state;
    struct watch w;
    watch_open(&w);
    assert_true(arrived(&w, 0, 0, MINUTE_MS));
    watch_close(&w);
}

static void a_series_has_arrived_when_its_next_sample_is_due_later(void **state)
{
    (void)state;
    struct watch w;
    watch_open(&w);
    push(&w, "1", -20000, 1);
    push(&w, "1", -10000, 1);
    assert_true(arrived(&w, -10000, 0, MINUTE_MS));
    assert_true(arrived(&w, -2000, 0, MINUTE_MS));
    assert_false(arrived(&w, -1000, 0, MINUTE_MS)); /* it may come a little early */
    assert_false(arrived(&w, 0, 0, MINUTE_MS));
    assert_int_equal(w.until_ms, START_MS + MINUTE_MS); /* due now, and waited for from then on */
    push(&w, "1", 0, 1);
    assert_true(arrived(&w, 0, 0, MINUTE_MS));
    watch_close(&w);
}

static void a_series_that_is_overdue_by_as_much_as_asked_is_given_up(void **state)
{
    (void)state;
    struct watch w;
    watch_open(&w);
    push(&w, "1", -20000, 1);
    push(&w, "1", -10000, 1);
    assert_false(arrived(&w, MINUTE_MS, MINUTE_MS - 1, MINUTE_MS));
    assert_true(arrived(&w, MINUTE_MS, MINUTE_MS, MINUTE_MS));
    assert_false(arrived(&w, HOUR_MS, HOUR_MS, INT64_MAX));
    assert_int_equal(w.until_ms, INT64_MAX);
    watch_close(&w);
}

static void of_one_sample_nothing_follows(void **state)
{
    (void)state;
    struct watch w;
    watch_open(&w);
    push(&w, "1", -1, 1);
    assert_false(arrived(&w, 0, 0, MINUTE_MS));
    assert_int_equal(w.until_ms, START_MS - 1 + MINUTE_MS);
    assert_true(arrived(&w, -1, 0, MINUTE_MS));
    watch_close(&w);
}

static void a_series_that_ended_has_arrived_for_good(void **state)
{
    (void)state;
    struct watch w;
    watch_open(&w);
    push(&w, "1", -20000, 1);
    push(&w, "1", -10000, stale_nan());
    assert_true(arrived(&w, HOUR_MS, 0, HOUR_MS));
    push(&w, "1", -5000, 1);
    assert_false(arrived(&w, HOUR_MS, 0, HOUR_MS));
    watch_close(&w);
}

/* One block is full and packed, the next holds one sample: what came before stands in another place. */
static void the_distance_is_known_across_packed_samples(void **state)
{
    (void)state;
    struct watch w;
    watch_open(&w);
    for (int i = 0; i < 300; i++) {
        push(&w, "1", (i - 300) * 10000, i % 7 + (i > 150 ? 0.5 : 0));
        if (i > 0) {
            assert_true(arrived(&w, (i - 300) * 10000 + 8000, 0, 2 * HOUR_MS));
            assert_false(arrived(&w, (i - 300) * 10000 + 10000, 0, 2 * HOUR_MS));
        }
    }
    watch_close(&w);
}

static void the_missing_one_is_asked_first_the_next_time(void **state)
{
    (void)state;
    struct watch w;
    watch_open(&w);
    for (int i = 0; i < 3000; i++) {
        char name[12];
        struct buf text;
        buf_init(&text, sizeof name);
        buf_i64(&text, i);
        push(&w, buf_text(&text), i == 2000 ? -5 : 0, 1);
        buf_release(&text);
    }
    assert_false(arrived(&w, 0, 0, MINUTE_MS));
    assert_int_equal(w.wait.at, 2000);
    push(&w, "2000", 0, 1);
    assert_true(standing_arrived(w.b.store, w.standing, START_MS, START_MS, MINUTE_MS, &w.wait, &w.until_ms));
    assert_int_equal(w.wait.at, 3000);
    watch_close(&w);
}

/* Series 0 dies while one further on is waited for: the list moves up, and all of it is asked again. */
static void a_list_that_moved_up_is_gone_through_anew(void **state)
{
    (void)state;
    struct watch w;
    watch_open(&w);
    struct store_options options = {.retention_ms = HOUR_MS};
    store_configure(w.b.store, &options);
    push(&w, "dies", 0, 1);
    bench_at(&w.b, START_MS + HOUR_MS);
    push(&w, "a", HOUR_MS, 1);
    push(&w, "b", HOUR_MS - 1, 1);
    push(&w, "c", HOUR_MS - 1, 1);
    assert_false(arrived(&w, HOUR_MS, HOUR_MS, MINUTE_MS));
    assert_int_equal(w.wait.at, 2);
    bench_at(&w.b, START_MS + HOUR_MS + 1000);
    store_retire(w.b.store);
    assert_int_equal(standing_count(w.b.store, w.standing), 3);
    assert_false(standing_arrived(w.b.store, w.standing, START_MS + HOUR_MS, START_MS + HOUR_MS, MINUTE_MS,
                                  &w.wait, &w.until_ms));
    assert_int_equal(w.wait.at, 1);
    watch_close(&w);
}

/* The series that have something new, by their label i, in order. */
static const char *fresh(struct watch *w, struct arrival_seen *seen, int64_t now_ms)
{
    static char names[64];
    size_t used = 0;
    struct series_set set = standing_fresh(w->b.store, w->standing, START_MS + now_ms, seen, &w->newest_ms);
    struct view *view = view_open(w->b.store);
    for (size_t i = 0; i < set.count; i++) {
        struct str name = labels_get(view_labels(view, set.refs[i]), STR("i"));
        must(name.n == 1 && used + 1 < sizeof names);
        names[used++] = name.p[0];
    }
    view_close(view);
    names[used] = '\0';
    return names;
}

static void what_is_new_is_told_once(void **state)
{
    (void)state;
    struct watch w;
    struct arrival_seen seen = {0};
    watch_open(&w);
    assert_string_equal(fresh(&w, &seen, 0), "");
    assert_int_equal(w.newest_ms, INT64_MIN);
    push(&w, "1", 0, 1);
    push(&w, "2", -10, 1);
    assert_string_equal(fresh(&w, &seen, 0), "12");
    assert_int_equal(w.newest_ms, START_MS);
    assert_string_equal(fresh(&w, &seen, 0), "");
    push(&w, "3", -20, 1);
    push(&w, "2", -5, 1); /* not newer than all */
    assert_string_equal(fresh(&w, &seen, 0), "23");
    assert_int_equal(w.newest_ms, START_MS);
    assert_string_equal(fresh(&w, &seen, 0), "");
    arrival_forget(&seen);
    assert_string_equal(fresh(&w, &seen, 0), "123");
    arrival_forget(&seen);
    watch_close(&w);
}

/* Whoever looks at its time does not see it yet. */
static void what_is_ahead_of_the_clock_stays_new_until_it_is_not(void **state)
{
    (void)state;
    struct watch w;
    struct arrival_seen seen = {0};
    watch_open(&w);
    push(&w, "1", 0, 1);
    push(&w, "2", 500, 1);
    assert_string_equal(fresh(&w, &seen, 100), "12");
    assert_int_equal(w.newest_ms, START_MS + 500);
    assert_string_equal(fresh(&w, &seen, 499), "2");
    assert_string_equal(fresh(&w, &seen, 500), "2");
    assert_string_equal(fresh(&w, &seen, 501), "");
    arrival_forget(&seen);
    watch_close(&w);
}

static void what_has_moved_up_is_new(void **state)
{
    (void)state;
    struct watch w;
    struct arrival_seen seen = {0};
    watch_open(&w);
    struct store_options options = {.retention_ms = HOUR_MS};
    store_configure(w.b.store, &options);
    push(&w, "1", 0, 1);
    push(&w, "2", 0, 1);
    bench_at(&w.b, START_MS + HOUR_MS);
    push(&w, "2", HOUR_MS, 1);
    push(&w, "3", HOUR_MS, 1);
    assert_string_equal(fresh(&w, &seen, HOUR_MS), "123");
    bench_at(&w.b, START_MS + HOUR_MS + 1000);
    store_retire(w.b.store);
    assert_string_equal(fresh(&w, &seen, HOUR_MS + 1000), "23");
    assert_string_equal(fresh(&w, &seen, HOUR_MS + 1000), "");
    arrival_forget(&seen);
    watch_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_series_all_have_arrived),
        cmocka_unit_test(a_series_has_arrived_when_its_next_sample_is_due_later),
        cmocka_unit_test(a_series_that_is_overdue_by_as_much_as_asked_is_given_up),
        cmocka_unit_test(of_one_sample_nothing_follows),
        cmocka_unit_test(a_series_that_ended_has_arrived_for_good),
        cmocka_unit_test(the_distance_is_known_across_packed_samples),
        cmocka_unit_test(the_missing_one_is_asked_first_the_next_time),
        cmocka_unit_test(a_list_that_moved_up_is_gone_through_anew),
        cmocka_unit_test(what_is_new_is_told_once),
        cmocka_unit_test(what_is_ahead_of_the_clock_stays_new_until_it_is_not),
        cmocka_unit_test(what_has_moved_up_is_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
