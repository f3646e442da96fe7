#include "random_help.h"
#include "store_help.h"

#include "tocsin/histogram.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static void fill(struct bench *b)
{
    static const char *const jobs[] = {"api", "db", "web"};
    for (int j = 0; j < 3; j++)
        for (int i = 0; i < 4; i++)
            bench_push(b,
                       labels_of(&b->arena, "__name__", "up", "instance", arena_format(&b->arena, "h%d", i),
                                 "job", jobs[j], NULL),
                       START_MS, i);
    bench_push(b, labels_of(&b->arena, "__name__", "alone", NULL), START_MS, 9);
}

static void matchers_select_as_prometheus_does(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){0});
    fill(&b);
    const struct {
        const char *name;
        enum match_op op;
        const char *value;
        size_t count;
    } cases[] = {
        {"job", MATCH_EQUAL, "api", 4},        {"job", MATCH_EQUAL, "none", 0},
        {"job", MATCH_EQUAL, "", 1},           {"job", MATCH_NOT_EQUAL, "api", 9},
        {"job", MATCH_NOT_EQUAL, "", 12},      {"job", MATCH_REGEX, "a.*|d.*", 8},
        {"job", MATCH_REGEX, "a", 0},          {"job", MATCH_REGEX, ".*", 13},
        {"job", MATCH_REGEX, ".+", 12},        {"job", MATCH_REGEX, "|api", 5},
        {"job", MATCH_NOT_REGEX, "a.*", 9},    {"job", MATCH_NOT_REGEX, ".+", 1},
        {"nothing", MATCH_EQUAL, "", 13},      {"nothing", MATCH_EQUAL, "x", 0},
        {"nothing", MATCH_NOT_EQUAL, "", 0},   {"nothing", MATCH_NOT_EQUAL, "x", 13},
        {"nothing", MATCH_REGEX, "x?", 13},    {"nothing", MATCH_REGEX, "x", 0},
        {"nothing", MATCH_NOT_REGEX, "x", 13}, {"nothing", MATCH_NOT_REGEX, "x?", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct matcher m = bench_matcher(cases[i].name, cases[i].op, cases[i].value);
        assert_int_equal(bench_count(&b, &m, 1), cases[i].count);
        struct matcher with_name[] = {m, bench_matcher("__name__", MATCH_EQUAL, "alone")};
        size_t alone = matcher_matches_empty(&m) ? 1 : 0;
        assert_int_equal(bench_count(&b, with_name, 2), alone);
        matcher_release(&m);
    }
    assert_int_equal(bench_count(&b, NULL, 0), 13);
    bench_close(&b);
}

static void several_matchers_on_one_label_must_all_pass(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){0});
    fill(&b);
    struct matcher ms[] = {bench_matcher("job", MATCH_EQUAL, "api"), bench_matcher("job", MATCH_EQUAL, "db"),
                           bench_matcher("job", MATCH_NOT_EQUAL, "db")};
    assert_int_equal(bench_count(&b, ms, 2), 0);
    assert_int_equal(bench_count(&b, ms + 1, 2), 0);
    struct matcher both[] = {ms[0], ms[2]};
    assert_int_equal(bench_count(&b, both, 2), 4);
    bench_close(&b);
}

static void a_window_is_open_at_its_start_and_closed_at_its_end(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){0});
    for (int i = 0; i < 400; i++)
        bench_push(&b, labels_of(&b.arena, "a", "1", NULL), START_MS + i * 10, i);
    struct view *v = view_open(b.store);
    series_ref ref = bench_select(&b, v, NULL, 0).refs[0];
    assert_int_equal(bench_read(&b, v, ref, START_MS, START_MS + 30).count, 3);
    assert_int_equal(bench_read(&b, v, ref, START_MS - 1, START_MS).count, 1);
    assert_int_equal(bench_read(&b, v, ref, START_MS + 1, START_MS + 9).count, 0);
    assert_int_equal(bench_read(&b, v, ref, START_MS + 20, START_MS + 10).count, 0);
    assert_int_equal(bench_read(&b, v, ref, START_MS + 3990, INT64_MAX).count, 0);
    for (int from = 0; from < 400; from += 7)
        for (int to = from; to < 400; to += 31) {
            struct sample_run run = bench_read(&b, v, ref, START_MS + from * 10 - 1, START_MS + to * 10);
            assert_int_equal(run.count, to - from + 1);
            assert_true(run.samples[0].value == from && run.samples[run.count - 1].value == to);
        }
    view_close(v);
    bench_close(&b);
}

static void the_last_sample_of_a_window_is_found(void **state)
{
    (void)state;
    struct bench b;
    struct sample s;
    bench_open(&b, (struct store_options){0});
    for (int i = 0; i < 400; i++)
        bench_push(&b, labels_of(&b.arena, "a", "1", NULL), START_MS + i * 10, i);
    struct view *v = view_open(b.store);
    series_ref ref = bench_select(&b, v, NULL, 0).refs[0];
    assert_false(view_last(v, ref, INT64_MIN, START_MS - 1, &b.arena, &s));
    assert_false(view_last(v, ref, START_MS + 3990, INT64_MAX, &b.arena, &s));
    assert_false(view_last(v, ref, START_MS + 11, START_MS + 19, &b.arena, &s));
    for (int i = 0; i < 400; i++) {
        assert_true(view_last(v, ref, START_MS - 1, START_MS + i * 10 + 5, &b.arena, &s));
        assert_true(s.value == i);
    }
    view_close(v);
    bench_close(&b);
}

static void what_a_view_has_shown_outlives_the_series(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){0});
    bench_push(&b, labels_of(&b.arena, "a", "gone", NULL), START_MS, 1);
    struct view *v = view_open(b.store);
    series_ref ref = bench_select(&b, v, NULL, 0).refs[0];
    bench_at(&b, START_MS + HOUR_MS);
    store_retire(b.store);
    assert_int_equal(bench_figures(&b).series, 0);
    bench_push(&b, labels_of(&b.arena, "a", "next", NULL), START_MS + HOUR_MS, 1);
    store_retire(b.store);
    assert_true(str_is(labels_get(view_labels(v, ref), STR("a")), "gone"));
    assert_int_equal(bench_read(&b, v, ref, INT64_MIN, INT64_MAX).count, 0);
    assert_int_equal(bench_select(&b, v, NULL, 0).count, 1);
    assert_int_not_equal(bench_select(&b, v, NULL, 0).refs[0], ref);
    view_close(v);
    uint64_t before = bench_figures(&b).bytes;
    store_retire(b.store);
    assert_true(bench_figures(&b).bytes < before);
    bench_close(&b);
}

static void a_view_that_remembers_tells_a_window_again_until_it_forgets(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){0});
    const struct labels *ls = labels_of(&b.arena, "__name__", "x", NULL);
    bench_push(&b, ls, START_MS, 1);
    struct view *v = view_open(b.store), *other = view_open(b.store);
    struct window_summary s;
    series_ref ref = bench_select(&b, v, NULL, 0).refs[0];
    view_remember(v);
    for (int64_t back_ms = 0; back_ms < 3; back_ms++) { /* three windows: one is not told for another */
        assert_true(view_window(v, ref, START_MS - 10 - back_ms, START_MS + 5, WINDOW_SUM, &s));
        assert_int_equal(s.count, 1);
    }
    bench_push(&b, ls, START_MS + 1, 2);
    assert_true(view_window(v, ref, START_MS - 10, START_MS + 5, WINDOW_SUM, &s));
    assert_int_equal(s.count, 1);
    assert_true(
        view_window(v, ref, START_MS - 10, START_MS + 5, WINDOW_BOUNDS, &s)); /* asked for the first time */
    assert_int_equal(s.count, 2);
    assert_true(view_window(other, ref, START_MS - 10, START_MS + 5, WINDOW_SUM, &s));
    assert_int_equal(s.count, 2);
    view_forget(v);
    assert_true(view_window(v, ref, START_MS - 10, START_MS + 5, WINDOW_SUM, &s));
    assert_true(s.count == 2 && s.sum == 3);
    view_close(other);
    view_close(v);
    bench_close(&b);
}

static void labels_are_made_once_and_carry_their_hash(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){0});
    const struct labels *ls = labels_of(&b.arena, "a", "1", "b", "2", NULL);
    bench_push(&b, ls, START_MS, 1);
    struct view *v = view_open(b.store);
    series_ref ref = bench_select(&b, v, NULL, 0).refs[0];
    const struct labels *shown = view_labels(v, ref);
    assert_true(labels_equal(shown, ls));
    assert_true(shown->hash == ls->hash);
    store_retire(b.store); /* drops the cached ones, but not under this view */
    assert_true(labels_equal(shown, ls));
    assert_true(labels_equal(view_labels(v, ref), ls));
    view_close(v);
    store_retire(b.store);
    bench_close(&b);
}

static const struct label_query of_all = {NULL, 0, INT64_MIN, INT64_MAX};

static void names_and_values_are_listed_in_order(void **state)
{
    (void)state;
    struct bench b;
    struct str *texts;
    size_t n;
    bench_open(&b, (struct store_options){0});
    fill(&b);
    struct view *v = view_open(b.store);
    assert_int_equal(view_label_names(v, &of_all, &b.arena, &texts, &n), 0);
    assert_int_equal(n, 3);
    assert_true(str_is(texts[0], "__name__") && str_is(texts[1], "instance") && str_is(texts[2], "job"));
    assert_int_equal(view_label_values(v, STR("job"), &of_all, &b.arena, &texts, &n), 0);
    assert_int_equal(n, 3);
    assert_true(str_is(texts[0], "api") && str_is(texts[1], "db") && str_is(texts[2], "web"));
    assert_int_equal(view_label_values(v, STR("nothing"), &of_all, &b.arena, &texts, &n), 0);
    assert_int_equal(n, 0);
    struct matcher api = bench_matcher("job", MATCH_EQUAL, "api");
    struct matcher alone = bench_matcher("__name__", MATCH_EQUAL, "alone");
    struct matcher_list lists[] = {{&alone, 1}, {&api, 1}};
    assert_int_equal(view_label_names(v, &(struct label_query){lists, 1, 0, INT64_MAX}, &b.arena, &texts, &n),
                     0);
    assert_int_equal(n, 1);
    assert_int_equal(view_label_values(v, STR("__name__"), &(struct label_query){lists, 2, 0, INT64_MAX},
                                       &b.arena, &texts, &n),
                     0);
    assert_int_equal(n, 2);
    assert_true(str_is(texts[0], "alone") && str_is(texts[1], "up"));
    view_close(v);
    bench_close(&b);
}

/* Values of job, one behind the other. */
static void expect_jobs(struct bench *b, const struct matcher_list *lists, size_t count, int64_t from_ms,
                        int64_t upto_ms, const char *wanted)
{
    struct view *v = view_open(b->store);
    struct label_query query = {lists, count, START_MS + from_ms, START_MS + upto_ms};
    struct str *texts;
    size_t n, used = 0;
    char got[64] = "";
    assert_int_equal(view_label_values(v, STR("job"), &query, &b->arena, &texts, &n), 0);
    for (size_t i = 0; i < n; i++, used = strlen(got))
        (void)snprintf(got + used, sizeof got - used, "%.*s ", STR_ARG(texts[i]));
    assert_string_equal(got, wanted);
    assert_int_equal(view_label_names(v, &query, &b->arena, &texts, &n), 0);
    assert_int_equal(n, *wanted != '\0' ? 2 : 0); /* __name__ and job are never alone */
    view_close(v);
}

static void labels_of_series_that_had_ended_or_not_begun_were_listed(void **state)
{
    (void)state;
    static const struct {
        const char *job;
        int64_t t_ms;
    } samples[] = {{"early", 0},   {"early", 1000}, {"late", 5000},
                   {"late", 9000}, {"both", 0},     {"both", 9000}};
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        bench_push(&b, labels_of(&b.arena, "__name__", "up", "job", samples[i].job, NULL),
                   START_MS + samples[i].t_ms, 1);
    struct matcher up = bench_matcher("__name__", MATCH_EQUAL, "up");
    struct matcher late = bench_matcher("job", MATCH_EQUAL, "late");
    struct matcher_list lists[] = {{&late, 1}, {&up, 1}};
    for (size_t count = 0; count <= 2; count += 2) {
        expect_jobs(&b, lists, count, 0, 9000, "both early late ");
        expect_jobs(&b, lists, count, 0, 4999, "both early ");
        expect_jobs(&b, lists, count, 1000, 1000, "early ");
        expect_jobs(&b, lists, count, 1001, 5000, "late ");
        expect_jobs(&b, lists, count, 5001, 8999, "");
        expect_jobs(&b, lists, count, 9001, HOUR_MS, "");
        expect_jobs(&b, lists, count, -HOUR_MS, -1, "");
    }
    expect_jobs(&b, lists, 1, 0, 4999, "");
    bench_close(&b);
}

static void a_series_lives_where_it_has_samples(void **state)
{
    (void)state;
    enum { SAMPLES = 5000, SPACE_MS = 100, ASKED = 2000 };
    struct bench b;
    uint64_t random = 7;
    double buckets[] = {1};
    struct histogram_span span = {0, 1};
    struct histogram h = {.schema = 1, .count = 1, .sum = 1, .positive = {&span, 1, buckets, 1}};
    bench_open(&b, (struct store_options){.retention_ms = 24 * HOUR_MS});
    bench_at(&b, START_MS + HOUR_MS);
    for (int i = 0; i < SAMPLES; i++) {
        struct sample s = {.t_ms = START_MS + i * SPACE_MS + (int64_t)random_below(&random, SPACE_MS)};
        bench_push_all(&b, labels_of(&b.arena, "a", "float", NULL), &s, 1, NULL);
        s.histogram = &h;
        bench_push_all(&b, labels_of(&b.arena, "a", "histogram", NULL), &s, 1, NULL);
    }
    struct view *v = view_open(b.store);
    struct series_set set = bench_select(&b, v, NULL, 0);
    assert_int_equal(set.count, 2);
    for (int i = 0; i < ASKED; i++) {
        struct arena_mark mark = arena_mark(&b.arena);
        int64_t from_ms = START_MS - HOUR_MS / 100 + (int64_t)random_below(&random, HOUR_MS / 6);
        int64_t upto_ms = from_ms + (int64_t)random_below(&random, 2 * SPACE_MS);
        bool lives = bench_read(&b, v, set.refs[i % 2], from_ms - 1, upto_ms).count > 0;
        assert_true(view_lives(v, set.refs[i % 2], from_ms, upto_ms) == lives);
        arena_rewind(&b.arena, mark);
    }
    view_close(v);
    bench_close(&b);
}

static void an_exhausted_arena_fails_the_read_and_nothing_else(void **state)
{
    (void)state;
    struct bench b;
    struct series_set set;
    struct sample_run run;
    struct str *texts;
    size_t n;
    bench_open(&b, (struct store_options){0});
    for (int i = 0; i < 2000; i++)
        bench_push(&b, labels_of(&b.arena, "a", arena_format(&b.arena, "%d", i), NULL), START_MS, 1);
    for (int i = 0; i < 2000; i++)
        bench_push(&b, labels_of(&b.arena, "a", "0", NULL), START_MS + 1 + i, 1);
    struct view *v = view_open(b.store);
    struct matcher zero = bench_matcher("a", MATCH_EQUAL, "0");
    series_ref ref = bench_select(&b, v, &zero, 1).refs[0];
    struct arena small;
    arena_init(&small, 8192);
    assert_int_equal(view_select(v, NULL, 0, &small, &set), ERR_LIMIT);
    arena_release(&small);
    assert_int_equal(view_read(v, ref, 0, INT64_MAX, &small, &run), ERR_LIMIT);
    arena_release(&small);
    assert_int_equal(view_label_values(v, STR("a"), &of_all, &small, &texts, &n), ERR_LIMIT);
    arena_release(&small);
    assert_int_equal(view_read(v, ref, START_MS, START_MS + 2, &small, &run), 0);
    assert_int_equal(run.count, 2);
    arena_release(&small);
    view_close(v);
    bench_close(&b);
}

/* A writer, a housekeeper and readers at once; ThreadSanitizer and the counts are the judges. */
struct crowd {
    struct bench *b;
    struct standing *standing;
    atomic_bool done;
    atomic_int seen;
};

static void *write_samples(void *context)
{
    struct crowd *c = context;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (int i = 0; i < 3000; i++) {
        arena_clear(&arena);
        const struct labels *ls = labels_of(&arena, "__name__", i % 2 ? "odd" : "even", "n",
                                            arena_format(&arena, "%d", i % 50 + i / 1000 * 50), NULL);
        struct sample s = {.t_ms = START_MS + i, .value = i};
        struct batch_series series = {ls->item, ls->count, &s, 1};
        struct admit_result result = {0};
        store_admit(c->b->store, &(struct batch){.series = &series, .count = 1}, &result);
        if (i % 100 == 0)
            store_retire(c->b->store);
    }
    arena_release(&arena);
    atomic_store(&c->done, true);
    return NULL;
}

static void read_round(struct crowd *c, struct arena *arena)
{
    struct view *v = view_open(c->b->store);
    struct matcher odd = bench_matcher("__name__", MATCH_EQUAL, "odd");
    struct series_set sets[2];
    struct sample last;
    struct sample_run run;
    must(view_select(v, &odd, 1, arena, &sets[0]) == 0);
    must(view_standing(v, c->standing, arena, &sets[1]) == 0);
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < sets[k].count; i++) {
            must(view_labels(v, sets[k].refs[i])->count == 2);
            must(view_read(v, sets[k].refs[i], 0, INT64_MAX, arena, &run) == 0);
            if (view_last(v, sets[k].refs[i], 0, INT64_MAX, arena, &last))
                atomic_fetch_add(&c->seen, 1);
        }
    view_close(v);
}

static void *read_samples(void *context)
{
    struct crowd *c = context;
    struct arena arena;
    arena_init(&arena, 16 << 20);
    while (!atomic_load(&c->done)) {
        arena_clear(&arena);
        read_round(c, &arena);
    }
    arena_release(&arena);
    return NULL;
}

static void readers_and_a_writer_do_not_disturb_each_other(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    bench_at(&b, START_MS + HOUR_MS + 1500); /* so that the first samples are just beyond retention */
    struct matcher even = bench_matcher("__name__", MATCH_EQUAL, "even");
    struct crowd c = {.b = &b};
    assert_int_equal(store_stand(b.store, &even, 1, MINUTE_MS, &c.standing, NULL), 0);
    pthread_t threads[3];
    assert_int_equal(pthread_create(&threads[0], NULL, write_samples, &c), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, read_samples, &c), 0);
    assert_int_equal(pthread_create(&threads[2], NULL, read_samples, &c), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(bench_figures(&b).samples, 1500);
    assert_int_equal(bench_figures(&b).series, 100);
    assert_int_equal(standing_count(b.store, c.standing), 50);
    bench_close(&b);
}

static void *write_each_once(void *context)
{
    struct bench *b = context;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (int i = 0; i < 2000; i++) {
        arena_clear(&arena);
        const struct labels *ls =
            labels_of(&arena, "__name__", "up", "n", arena_format(&arena, "%d", i), NULL);
        must(bench_push(b, ls, START_MS, i) == ADMIT_OK);
    }
    arena_release(&arena);
    return NULL;
}

static void writers_who_meet_make_each_series_once(void **state)
{
    (void)state;
    struct bench b;
    pthread_t threads[2];
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_each_once, &b), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(bench_figures(&b).series, 2000);
    assert_int_equal(bench_figures(&b).samples, 2000);
    assert_int_equal(bench_count(&b, NULL, 0), 2000);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matchers_select_as_prometheus_does),
        cmocka_unit_test(several_matchers_on_one_label_must_all_pass),
        cmocka_unit_test(a_window_is_open_at_its_start_and_closed_at_its_end),
        cmocka_unit_test(the_last_sample_of_a_window_is_found),
        cmocka_unit_test(what_a_view_has_shown_outlives_the_series),
        cmocka_unit_test(a_view_that_remembers_tells_a_window_again_until_it_forgets),
        cmocka_unit_test(labels_are_made_once_and_carry_their_hash),
        cmocka_unit_test(names_and_values_are_listed_in_order),
        cmocka_unit_test(labels_of_series_that_had_ended_or_not_begun_were_listed),
        cmocka_unit_test(a_series_lives_where_it_has_samples),
        cmocka_unit_test(an_exhausted_arena_fails_the_read_and_nothing_else),
        cmocka_unit_test(readers_and_a_writer_do_not_disturb_each_other),
        cmocka_unit_test(writers_who_meet_make_each_series_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
