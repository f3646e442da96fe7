#include "store_help.h"

#include "tocsin/histogram.h"
#include "tocsin/limits.h"
#include "tocsin/stat.h"

static const struct spelling ONE = {1, 10}, TWO = {2, 20}, THREE = {3, 30};

static const struct labels *named(struct bench *b, const char *name)
{
    const struct labels *ls = labels_of(&b->arena, "__name__", name, NULL);
    assert_non_null(ls);
    return ls;
}

/* Admits one sample with its labels, spelt so. */
static struct admit_result spell(struct bench *b, const char *name, const struct spelling *spelling,
                                 int64_t t_ms)
{
    const struct labels *ls = named(b, name);
    struct sample s = {.t_ms = t_ms, .value = 1};
    struct batch_series series = {ls->item, ls->count, &s, 1};
    struct admit_result result = {0};
    store_admit(b->store, &(struct batch){.series = &series, .count = 1, .spellings = spelling}, &result);
    return result;
}

/* One sample each at this time for series known by their spellings only. Returns how many were known. */
static size_t recall(struct bench *b, const struct spelling *spellings, size_t count, int64_t t_ms,
                     struct admit_result *result)
{
    struct sample s = {.t_ms = t_ms, .value = 1};
    struct batch_series *series = ARENA_ARRAY(&b->arena, struct batch_series, count);
    for (size_t i = 0; i < count; i++)
        series[i] = (struct batch_series){NULL, 0, &s, 1};
    size_t *unknown = ARENA_ARRAY(&b->arena, size_t, count);
    return count - store_admit_known(
                       b->store, &(struct batch){.series = series, .count = count, .spellings = spellings},
                       result, unknown);
}

static void a_series_is_found_again_by_its_spelling(void **state)
{
    (void)state;
    struct bench b;
    struct admit_result result = {0};
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    assert_int_equal(recall(&b, &ONE, 1, START_MS, &result), 0);
    assert_int_equal(spell(&b, "up", &ONE, START_MS).appended, 1);
    assert_int_equal(recall(&b, &ONE, 1, START_MS + 1, &result), 1);
    assert_int_equal(result.appended, 1);
    assert_int_equal(bench_figures(&b).series, 1);
    assert_int_equal(bench_figures(&b).samples, 2);
    bench_close(&b);
}

static void only_the_whole_spelling_counts(void **state)
{
    (void)state;
    struct bench b;
    struct admit_result result = {0};
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    spell(&b, "up", &ONE, START_MS);
    assert_int_equal(recall(&b, &(struct spelling){1, 11}, 1, START_MS, &result), 0);
    assert_int_equal(recall(&b, &(struct spelling){0, 10}, 1, START_MS, &result), 0);
    assert_int_equal(recall(&b, &(struct spelling){0, 0}, 1, START_MS, &result), 0);
    bench_close(&b);
}

static void a_batch_names_the_series_it_does_not_know(void **state)
{
    (void)state;
    struct bench b;
    struct admit_result result = {0};
    const struct spelling all[] = {TWO, THREE, ONE, {0, 0}};
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    spell(&b, "one", &ONE, START_MS);
    spell(&b, "two", &TWO, START_MS);
    struct sample s = {.t_ms = START_MS + 1, .value = 1};
    struct batch_series series[4] = {{NULL, 0, &s, 1}, {NULL, 0, &s, 1}, {NULL, 0, &s, 1}, {NULL, 0, &s, 1}};
    size_t unknown[4];
    assert_int_equal(store_admit_known(b.store,
                                       &(struct batch){.series = series, .count = 4, .spellings = all},
                                       &result, unknown),
                     2);
    assert_int_equal(unknown[0], 1);
    assert_int_equal(unknown[1], 3);
    assert_int_equal(result.appended, 2);
    bench_close(&b);
}

static void the_last_spelling_is_the_one_remembered(void **state)
{
    (void)state;
    struct bench b;
    struct admit_result result = {0};
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    spell(&b, "up", &ONE, START_MS);
    spell(&b, "up", &TWO, START_MS + 1);
    assert_int_equal(bench_figures(&b).series, 1);
    assert_int_equal(recall(&b, &ONE, 1, START_MS + 2, &result), 0);
    assert_int_equal(recall(&b, &TWO, 1, START_MS + 2, &result), 1);
    spell(&b, "down", &TWO, START_MS + 2); /* a spelling means one series: the last one, too */
    assert_int_equal(recall(&b, &TWO, 1, START_MS + 3, &result), 1);
    assert_int_equal(bench_figures(&b).series, 2);
    bench_close(&b);
}

static void a_series_without_spelling_is_admitted_all_the_same(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    assert_int_equal(spell(&b, "up", &(struct spelling){0, 0}, START_MS).appended, 1);
    assert_int_equal(spell(&b, "up", &(struct spelling){0, 0}, START_MS + 1).appended, 1);
    assert_int_equal(bench_figures(&b).series, 1);
    bench_close(&b);
}

static void a_refusal_names_the_series_that_was_only_spelt(void **state)
{
    (void)state;
    struct bench b;
    struct buf text;
    buf_init(&text, 1000);
    struct admit_result result = {.detail = &text};
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    spell(&b, "up", &ONE, START_MS);
    assert_int_equal(recall(&b, &ONE, 1, START_MS - 1, &result), 1);
    assert_int_equal(result.refused[ADMIT_OUT_OF_ORDER], 1);
    assert_string_equal(buf_text(&text), "out of order sample for series {__name__=\"up\"}\n");
    buf_release(&text);
    bench_close(&b);
}

static void histograms_are_counted_apart(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    const struct histogram h = {.schema = 1, .count = 1};
    struct sample s[] = {{.t_ms = START_MS, .histogram = &h},
                         {.t_ms = START_MS + 1, .histogram = &store_stale_histogram},
                         {.t_ms = START_MS + 2, .value = 1},
                         {.t_ms = START_MS + HOUR_MS, .histogram = &h},
                         {.t_ms = START_MS + HOUR_MS + 1, .histogram = &store_stale_histogram},
                         {.t_ms = START_MS + 2 * HOUR_MS, .value = 1}};
    uint64_t floats = stat_get(STAT_floats_appended), histograms = stat_get(STAT_histograms_appended);
    uint64_t future = limit_hits(LIMIT_future_ms);
    struct admit_result result = bench_push_all(&b, named(&b, "up"), s, 6, NULL);
    assert_int_equal(result.appended, 3);
    assert_int_equal(result.appended_histograms, 2);
    assert_int_equal(result.refused[ADMIT_FUTURE], 3);
    assert_int_equal(result.refused_histograms, 2);
    assert_int_equal(stat_get(STAT_floats_appended), floats + 1);
    assert_int_equal(stat_get(STAT_histograms_appended), histograms + 2);
    assert_int_equal(limit_hits(LIMIT_future_ms), future + 1);
    bench_close(&b);
}

static void a_spelling_dies_with_its_series(void **state)
{
    (void)state;
    struct bench b;
    struct admit_result result = {0};
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    spell(&b, "up", &ONE, START_MS);
    bench_at(&b, START_MS + 2 * HOUR_MS);
    store_retire(b.store);
    assert_int_equal(recall(&b, &ONE, 1, START_MS + 2 * HOUR_MS, &result), 0);
    spell(&b, "down", &TWO, START_MS + 2 * HOUR_MS); /* in the same slot */
    assert_int_equal(recall(&b, &ONE, 1, START_MS + 2 * HOUR_MS, &result), 0);
    bench_close(&b);
}

/* Half of many die, in the order of their numbers: the others are still found, whatever moved in the table. */
static void many_spellings_come_and_go(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    struct bench b;
    struct admit_result result = {0};
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    struct spelling *all = ARENA_ARRAY(&b.arena, struct spelling, MANY);
    for (size_t i = 0; i < MANY; i++) {
        all[i] = (struct spelling){i + 1, i / 3 * 64}; /* three at a time collide, and runs overlap */
        spell(&b, arena_format(&b.arena, "m%zu", i), &all[i], START_MS);
    }
    bench_at(&b, START_MS + HOUR_MS / 2);
    for (size_t i = 0; i < MANY; i += 2)
        assert_int_equal(recall(&b, &all[i], 1, START_MS + HOUR_MS / 2, &result), 1);
    bench_at(&b, START_MS + HOUR_MS + HOUR_MS / 4);
    store_retire(b.store);
    assert_int_equal(bench_figures(&b).series, MANY / 2);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(recall(&b, &all[i], 1, START_MS + HOUR_MS, &result), i % 2 == 0);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_series_is_found_again_by_its_spelling),
        cmocka_unit_test(only_the_whole_spelling_counts),
        cmocka_unit_test(a_batch_names_the_series_it_does_not_know),
        cmocka_unit_test(the_last_spelling_is_the_one_remembered),
        cmocka_unit_test(a_series_without_spelling_is_admitted_all_the_same),
        cmocka_unit_test(a_refusal_names_the_series_that_was_only_spelt),
        cmocka_unit_test(histograms_are_counted_apart),
        cmocka_unit_test(a_spelling_dies_with_its_series),
        cmocka_unit_test(many_spellings_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
