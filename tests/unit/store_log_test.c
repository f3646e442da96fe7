/* A store that ends and comes back: with all it held, whatever had happened to it before. */
#include "../../engine/store/snapshot_priv.h"
#include "store_log_help.h"
#include "tocsin/log.h"

/* ---- a store against itself after a restart ---- */

/* A hint may be known of a sample that once lost its predecessor, or the other way round; but never wrongly. */
#ifdef TOCSIN_COSTLY
enum { SEEDS = 5 }; /* a sanitizer makes them some twenty times slower */
#else
enum { SEEDS = 40 };
#endif

static void assert_same_hint(const struct sample_run *now, size_t i, const struct sample *before)
{
    const struct histogram *h = now->samples[i].histogram;
    if (h == NULL || h->hint == before->histogram->hint)
        return;
    assert_true(h->hint != HINT_GAUGE && before->histogram->hint != HINT_GAUGE);
    if (h->hint != HINT_UNKNOWN)
        assert_int_equal(h->hint, histogram_stored_hint(i > 0 ? now->samples[i - 1].histogram : NULL, h));
}

/* What the old one held within retention; both may hold more. */
static void assert_same_series(struct play *p, const struct store *old, series_ref ref, struct arena *arena)
{
    int64_t after_ms = now_of(p) - KEEP_MS - 1;
    const struct series *before = series_at(&old->series, ref);
    const struct series *now = series_at(&p->store->series, ref);
    assert_int_equal(now->state, SERIES_LIVING);
    assert_int_equal(now->turn, before->turn);
    assert_int_equal(play_set_of(p, p->store, ref), play_set_of(p, old, ref));
    struct sample_run a = play_read(p, old, ref, after_ms, arena);
    struct sample_run b = play_read(p, p->store, ref, after_ms, arena);
    assert_int_equal(a.count, b.count);
    for (size_t i = 0; i < a.count; i++) {
        assert_true(same_bits(&a.samples[i], &b.samples[i]));
        assert_same_hint(&b, i, &a.samples[i]);
    }
    arena_clear(arena);
}

/* Each pair lists its series, each once, and no other; as it is before anything dies. */
static void assert_is_listed(const struct store *s)
{
    size_t carried = 0, listed = 0;
    for (series_ref ref = 1; ref < s->series.next; ref++) {
        const struct series *series = series_at(&s->series, ref);
        size_t count = series->state == SERIES_LIVING ? series->pair_count : 0;
        carried += count;
        for (size_t i = 0; i < count; i++) {
            const struct pair *pair = pair_at(&s->pairs, series->pairs[i]);
            size_t times = 0;
            for (uint32_t k = 0; k < pair->posted; k++)
                times += pair->postings[k] == ref;
            assert_int_equal(times, 1);
        }
    }
    for (uint32_t i = 0; i < s->pairs.count; i++)
        listed += s->pairs.item[i] != NULL ? s->pairs.item[i]->posted : 0;
    assert_int_equal(listed, carried);
}

/* The old store stays in memory for the comparison; its log is closed, as at the end of a process. */
static void restart(struct play *p)
{
    struct store *old = p->store;
    struct arena arena;
    arena_init(&arena, 64 << 20);
    log_close(old->log);
    old->log = NULL;
    p->store = NULL;
    assert_int_equal(play_start(p).orphans, 0);
    for (series_ref ref = 1; ref < old->series.next; ref++)
        if (series_at(&old->series, ref)->state == SERIES_LIVING)
            assert_same_series(p, old, ref, &arena);
    assert_is_honest(p);
    assert_is_listed(p->store);
    store_close(old);
    arena_release(&arena);
}

static void live(struct play *p, int steps)
{
    for (int i = 0; i < steps; i++) {
        switch (pick(p, 40)) {
        case 0:
            store_retire(p->store);
            break;
        case 1:
            assert_int_equal(store_snapshot(p->store, NULL), 0);
            break;
        case 2:
            p->store->log->hurt = true; /* as if the last start had found damage: a snapshot is due */
            break;
        case 3:
            assert_int_equal(play_commit(p), 0);
            break;
        case 4:
            play_turn(p, (int64_t)pick(p, 3 * MINUTE_MS));
            break;
        case 5:
            if (pick(p, 8) == 0)
                play_turn(
                    p, KEEP_MS); /* all series die at the next housekeeping, and their numbers go to others */
            break;
        default:
            play_turn(p, (int64_t)pick(p, 200));
            play_push(p);
        }
    }
}

static void what_a_store_held_is_there_after_each_restart(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct play p;
        play_begin(&p, seed);
        play_start(&p);
        for (int i = 0; i < 5; i++) {
            live(&p, 300);
            restart(&p);
        }
        play_end(&p);
    }
}

static void hints_come_back_as_they_were(void **state)
{
    (void)state;
    for (int with_snapshot = 0; with_snapshot < 2; with_snapshot++) {
        struct play p;
        play_begin(&p, 5);
        play_start(&p);
        for (int i = 0; i < 300; i++) {
            struct sample s = {.t_ms = START_MS - 60000 + i * 10, .histogram = play_histogram(&p)};
            assert_true(play_put(&p, 5, &s));
        }
        p.store->log->hurt = with_snapshot == 1;
        assert_int_equal(store_snapshot(p.store, NULL), 0);
        struct store *old = p.store;
        log_close(old->log);
        old->log = NULL;
        p.store = NULL;
        play_start(&p);
        struct sample_run a = play_read(&p, old, 1, INT64_MIN, &p.arena);
        struct sample_run b = play_read(&p, p.store, 1, INT64_MIN, &p.arena);
        assert_int_equal(b.count, 300);
        for (size_t i = 0; i < 300; i++)
            assert_int_equal(a.samples[i].histogram->hint, b.samples[i].histogram->hint);
        store_close(old);
        play_end(&p);
    }
}

/* More than fits into one record of a snapshot, of every kind, so that series are cut anywhere. */
static void a_large_store_comes_back_from_its_snapshot(void **state)
{
    (void)state;
    struct play p;
    play_begin(&p, 3);
    play_start(&p);
    for (int i = 0; i < 8000; i++)
        for (int set = 3; set < 6; set++) {
            struct sample s = play_sample(&p, set, START_MS - 80000 + i * 10);
            if (set == 3)
                s.value = (double)pick(&p, 1 << 30) * 0x1.23456789p-7; /* hardly packed at all */
            play_put(&p, set, &s);
        }
    for (int i = 0; i < 1 << 19; i++) {
        struct sample s = {.t_ms = START_MS - 5 * MINUTE_MS + i, .value = (double)pick(&p, 1 << 30) / 7};
        struct batch_series series = {p.labels[0]->item, p.labels[0]->count, &s, 1};
        store_admit(p.store, &(struct batch){.series = &series, .count = 1}, &(struct admit_result){0});
    }
    p.store->log->hurt = true;
    assert_int_equal(store_snapshot(p.store, NULL), 0);
    struct store *old = p.store;
    struct store_figures before, after;
    log_close(old->log);
    old->log = NULL;
    p.store = NULL;
    play_start(&p);
    store_figures(old, &before);
    store_figures(p.store, &after);
    assert_int_equal(before.samples, after.samples);
    for (series_ref ref = 1; ref < old->series.next; ref++)
        assert_same_series(&p, old, ref, &p.arena);
    store_close(old);
    play_end(&p);
}

static void packed_samples_stay_packed_in_a_snapshot(void **state)
{
    (void)state;
    struct play p;
    struct snapshot_size size;
    play_begin(&p, 1);
    play_start(&p);
    for (int i = 0; i < 20000; i++)
        play_put(&p, 0, &(struct sample){.t_ms = START_MS - 400000 + i * 20, .value = i * 3});
    assert_int_equal(snapshot_write(p.store, FOLDER, 7, &size, NULL), 0);
    assert_int_equal(size.series, 1);
    assert_int_equal(size.samples, 20000);
    assert_in_range(size.bytes, 100, 20000);
    play_end(&p);
}

/* ---- numbers ---- */

static void a_number_that_was_given_out_anew_means_the_new_series(void **state)
{
    (void)state;
    struct play p;
    play_begin(&p, 1);
    play_start(&p);
    assert_true(play_put(&p, 0, &(struct sample){.t_ms = START_MS, .value = 1}));
    play_turn(&p, 2 * KEEP_MS);
    store_retire(p.store);
    assert_true(play_put(&p, 1, &(struct sample){.t_ms = now_of(&p), .value = 2}));
    assert_int_equal(play_find(&p, 1), 1);
    assert_int_equal(play_id(&p, 1).turn, 1);
    play_stop(&p);
    struct store_recovery recovery = play_start(&p);
    assert_int_equal(recovery.series, 1);
    assert_int_equal(recovery.samples, 1);
    assert_int_equal(play_find(&p, 0), 0);
    assert_int_equal(play_find(&p, 1), 1);
    assert_int_equal(play_id(&p, 1).turn, 1);
    assert_is_honest(&p);
    play_end(&p);
}

static void a_series_that_came_again_under_another_number_is_there_once(void **state)
{
    (void)state;
    struct play p;
    play_begin(&p, 1);
    play_start(&p);
    assert_true(play_put(&p, 0, &(struct sample){.t_ms = START_MS, .value = 1}));
    assert_true(play_put(&p, 1, &(struct sample){.t_ms = START_MS, .value = 1}));
    play_turn(&p, 2 * KEEP_MS);
    store_retire(p.store);
    assert_true(play_put(&p, 1, &(struct sample){.t_ms = now_of(&p), .value = 2}));
    assert_true(play_put(&p, 0, &(struct sample){.t_ms = now_of(&p), .value = 2}));
    play_stop(&p);
    struct store_recovery recovery = play_start(&p);
    assert_int_equal(recovery.series, 2);
    assert_int_equal(recovery.samples, 2);
    struct matcher m = bench_matcher("job", MATCH_REGEX, "job.*");
    struct series_set set;
    assert_int_equal(select_series(p.store, &m, 1, &p.arena, &set), 0);
    assert_int_equal(set.count, 2);
    matcher_release(&m);
    play_end(&p);
}

static void free_numbers_between_the_restored_are_used_again(void **state)
{
    (void)state;
    struct play p;
    play_begin(&p, 1);
    play_start(&p);
    for (int set = 0; set < 6; set++)
        play_put(&p, set, &(struct sample){.t_ms = START_MS, .value = 1});
    play_turn(&p, KEEP_MS - 1000);
    play_put(&p, 4, &(struct sample){.t_ms = now_of(&p), .value = 1});
    play_turn(&p, 2000);
    store_retire(p.store);
    p.store->log->hurt = true;
    assert_int_equal(store_snapshot(p.store, NULL), 0);
    play_stop(&p);
    assert_int_equal(play_start(&p).series, 1);
    assert_int_equal(play_find(&p, 4), 5);
    for (int set = 10; set < 15; set++)
        play_put(&p, set, &(struct sample){.t_ms = now_of(&p), .value = 1});
    assert_int_equal(p.store->series.next, 7);
    play_stop(&p);
    assert_int_equal(play_start(&p).series, 6);
    assert_is_honest(&p);
    play_end(&p);
}

/* ---- who asks ---- */

static void selectors_find_what_came_back(void **state)
{
    (void)state;
    struct play p;
    struct standing *before, *after;
    struct matcher m = bench_matcher("__name__", MATCH_EQUAL, "up");
    play_begin(&p, 1);
    play_start(&p);
    for (int set = 0; set < SETS; set++)
        play_put(&p, set, &(struct sample){.t_ms = START_MS, .value = 1});
    play_stop(&p);
    p.store = play_store(&p);
    assert_int_equal(store_stand(p.store, &m, 1, HOUR_MS, &before, NULL), 0);
    play_start(&p);
    assert_int_equal(store_stand(p.store, &m, 1, 2 * HOUR_MS, &after, NULL), 0);
    assert_int_equal(standing_count(p.store, before), SETS / 2);
    assert_int_equal(series_at(&p.store->series, 1)->reach_ms, 2 * HOUR_MS);
    assert_int_equal(series_at(&p.store->series, 2)->reach_ms, 0);
    struct store_figures figures;
    store_figures(p.store, &figures);
    assert_int_equal(figures.series, SETS);
    assert_int_equal(figures.samples, SETS);
    assert_int_equal(figures.oldest_ms, START_MS);
    assert_int_equal(figures.newest_ms, START_MS);
    store_unstand(p.store, after);
    store_unstand(p.store, before);
    matcher_release(&m);
    play_end(&p);
}

/* ---- limits ---- */

static void more_than_the_limits_let_in_is_a_clear_error(void **state)
{
    (void)state;
    struct play p;
    struct store_recovery recovery;
    struct err err = {0};
    struct limits before = limits;
    play_begin(&p, 1);
    play_start(&p);
    for (int set = 0; set < SETS; set++)
        play_put(&p, set, &(struct sample){.t_ms = START_MS, .value = 1});
    play_stop(&p);
    limits.store_bytes = 2000;
    assert_int_equal(play_recover(&p, &recovery, &err), ERR_FULL);
    assert_non_null(strstr(err.text, "limits.store_bytes (2000)"));
    play_stop(&p);
    limits = before;
    assert_int_equal(play_start(&p).series, SETS); /* nothing was lost by the attempt */
    play_end(&p);
}

static void a_store_at_its_limit_comes_back(void **state)
{
    (void)state;
    struct play p;
    struct limits before = limits;
    play_begin(&p, 1);
    play_start(&p);
    for (int i = 0; i < 3000; i++)
        play_push(&p);
    struct store_figures figures;
    store_figures(p.store, &figures);
    play_stop(&p);
    limits.store_bytes = (int64_t)figures.bytes;
    assert_true(play_start(&p).samples > 1000);
    assert_is_honest(&p);
    play_end(&p);
    limits = before;
}

/* ---- without a log ---- */

static void a_store_without_a_log_waits_for_nothing(void **state)
{
    (void)state;
    struct play p;
    play_begin(&p, 1);
    assert_int_equal(store_durable(p.store), UINT64_MAX);
    assert_true(store_log_works(p.store));
    assert_int_equal(store_snapshot(p.store, NULL), 0);
    assert_int_equal(store_log_run(p.store, 50, NULL), 0);
    assert_int_equal(now_of(&p), START_MS + 50);
    play_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_store_held_is_there_after_each_restart),
        cmocka_unit_test(hints_come_back_as_they_were),
        cmocka_unit_test(a_large_store_comes_back_from_its_snapshot),
        cmocka_unit_test(packed_samples_stay_packed_in_a_snapshot),
        cmocka_unit_test(a_number_that_was_given_out_anew_means_the_new_series),
        cmocka_unit_test(a_series_that_came_again_under_another_number_is_there_once),
        cmocka_unit_test(free_numbers_between_the_restored_are_used_again),
        cmocka_unit_test(selectors_find_what_came_back),
        cmocka_unit_test(more_than_the_limits_let_in_is_a_clear_error),
        cmocka_unit_test(a_store_at_its_limit_comes_back),
        cmocka_unit_test(a_store_without_a_log_waits_for_nothing),
    };
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, -1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
