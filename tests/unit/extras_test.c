/* Exemplars and metadata in the store. */
#include "store_help.h"

#include "tocsin/extras.h"
#include "tocsin/limits.h"
#include "tocsin/stat.h"

#include <math.h>
#include <pthread.h>

static const struct labels *named(struct bench *b, const char *name)
{
    return labels_of(&b->arena, "__name__", name, NULL);
}

/* A bench with the series "up" in it. */
static void open_with_series(struct bench *b, int64_t out_of_order_ms)
{
    bench_open(b, (struct store_options){.retention_ms = HOUR_MS, .out_of_order_ms = out_of_order_ms});
    assert_int_equal(bench_push(b, named(b, "up"), START_MS, 1), ADMIT_OK);
}

static enum exemplar_reason offer(struct bench *b, const char *series, const struct labels *trace,
                                  int64_t t_ms, double value)
{
    const struct labels *ls = named(b, series);
    struct exemplar e = {trace, value, t_ms};
    struct exemplar_result result = {0};
    store_exemplars(b->store, ls->item, ls->count, &e, 1, &result);
    assert_int_equal(result.done + result.refused, 1);
    assert_int_equal(result.refused == 0, result.first == EXEMPLAR_OK);
    return result.first;
}

static const struct labels *trace(struct bench *b, const char *id)
{
    return labels_of(&b->arena, "trace_id", id, NULL);
}

static struct exemplar_run exemplars_of(struct bench *b, const char *series, int64_t from_ms, int64_t upto_ms)
{
    struct exemplar_run run = {0};
    struct matcher m = bench_matcher("__name__", MATCH_EQUAL, series);
    struct view *v = view_open(b->store);
    struct series_set set = bench_select(b, v, &m, 1);
    if (set.count == 1)
        assert_int_equal(view_exemplars(v, set.refs[0], from_ms, upto_ms, &b->arena, &run), 0);
    view_close(v);
    matcher_release(&m);
    return run;
}

/* The times of a series' exemplars, counted from START_MS: "1 2 5". */
static const char *times_of(struct bench *b, const char *series)
{
    struct exemplar_run run = exemplars_of(b, series, INT64_MIN, INT64_MAX);
    const char *text = "";
    for (size_t i = 0; i < run.count; i++)
        text = arena_format(&b->arena, "%s%s%lld", text, i > 0 ? " " : "",
                            (long long)(run.exemplars[i].t_ms - START_MS));
    return text;
}

static struct extras_figures figures(struct bench *b)
{
    struct extras_figures f;
    store_extras_figures(b->store, &f);
    return f;
}

static void an_exemplar_comes_back_as_it_was(void **state)
{
    (void)state;
    struct bench b;
    open_with_series(&b, 0);
    const struct labels *ls = labels_of(&b.arena, "a", "1\n\"2\"", "trace_id", "\xc3\xa4", NULL);
    assert_int_equal(offer(&b, "up", ls, START_MS, 0.25), EXEMPLAR_OK);
    assert_int_equal(offer(&b, "up", labels_empty(&b.arena), START_MS + 1, (double)NAN), EXEMPLAR_OK);
    struct exemplar_run run = exemplars_of(&b, "up", INT64_MIN, INT64_MAX);
    assert_int_equal(run.count, 2);
    assert_true(labels_equal(run.exemplars[0].labels, ls));
    assert_int_equal(run.exemplars[0].t_ms, START_MS);
    assert_true(run.exemplars[0].value == 0.25);
    assert_int_equal(run.exemplars[1].labels->count, 0);
    assert_true(isnan(run.exemplars[1].value));
    bench_close(&b);
}

static void a_window_has_both_its_ends(void **state)
{
    (void)state;
    struct bench b;
    open_with_series(&b, 0);
    for (int i = 1; i <= 5; i++)
        assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS + i, i), EXEMPLAR_OK);
    struct exemplar_run run = exemplars_of(&b, "up", START_MS + 2, START_MS + 4);
    assert_int_equal(run.count, 3);
    assert_int_equal(run.exemplars[0].t_ms, START_MS + 2);
    assert_int_equal(run.exemplars[2].t_ms, START_MS + 4);
    assert_int_equal(exemplars_of(&b, "up", START_MS + 6, INT64_MAX).count, 0);
    assert_int_equal(exemplars_of(&b, "up", INT64_MIN, START_MS).count, 0);
    bench_close(&b);
}

static void what_is_older_than_the_newest_is_out_of_order(void **state)
{
    (void)state;
    struct bench b;
    open_with_series(&b, 0);
    uint64_t refused = stat_get(STAT_exemplars_out_of_order);
    assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS - 5, 1), EXEMPLAR_OK);
    assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS, 1), EXEMPLAR_OK);
    assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS - 1, 1), EXEMPLAR_OUT_OF_ORDER);
    assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS - 5, 1), EXEMPLAR_OUT_OF_ORDER);
    assert_string_equal(times_of(&b, "up"), "-5 0");
    assert_int_equal(stat_get(STAT_exemplars_out_of_order), refused + 2);
    bench_close(&b);
}

static void the_newest_again_is_no_news(void **state)
{
    (void)state;
    struct bench b;
    open_with_series(&b, 0);
    uint64_t appended = stat_get(STAT_exemplars_appended);
    for (int i = 0; i < 2; i++)
        assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS, 1), EXEMPLAR_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS + 1, (double)NAN), EXEMPLAR_OK);
    assert_string_equal(times_of(&b, "up"), "0 1");
    assert_int_equal(stat_get(STAT_exemplars_appended), appended + 2);
    bench_close(&b);
}

/* As several buckets of one native histogram have them. */
static void those_of_one_time_come_in_the_order_of_their_values(void **state)
{
    (void)state;
    struct bench b;
    open_with_series(&b, 0);
    const struct labels *x = trace(&b, "x"), *y = trace(&b, "y");
    const struct labels *low = x->hash < y->hash ? x : y, *high = low == x ? y : x;
    assert_int_equal(offer(&b, "up", low, START_MS, 1), EXEMPLAR_OK);
    assert_int_equal(offer(&b, "up", high, START_MS, 1), EXEMPLAR_OK);
    assert_int_equal(offer(&b, "up", low, START_MS, 2), EXEMPLAR_OK);
    assert_int_equal(offer(&b, "up", low, START_MS, 1), EXEMPLAR_OUT_OF_ORDER);
    assert_int_equal(offer(&b, "up", high, START_MS, 2), EXEMPLAR_OK);
    assert_int_equal(offer(&b, "up", low, START_MS, 2), EXEMPLAR_OUT_OF_ORDER);
    assert_string_equal(times_of(&b, "up"), "0 0 0 0");
    bench_close(&b);
}

static void late_ones_find_their_place_in_the_window(void **state)
{
    (void)state;
    struct bench b;
    open_with_series(&b, 10);
    assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS, 1), EXEMPLAR_OK);
    assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS - 9, 1), EXEMPLAR_OK);
    assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS - 4, 1), EXEMPLAR_OK);
    assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS - 10, 1), EXEMPLAR_OUT_OF_ORDER);
    assert_int_equal(offer(&b, "up", trace(&b, "z"), START_MS - 4, 7), EXEMPLAR_OK); /* taken for the other */
    assert_string_equal(times_of(&b, "up"), "-9 -4 0");
    bench_close(&b);
}

static void the_last_of_a_series_are_kept(void **state)
{
    (void)state;
    struct limits before = limits;
    struct bench b;
    limits.exemplars_per_series = 3;
    open_with_series(&b, 1000);
    for (int i = 0; i < 10; i += 2)
        assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS + i, 1), EXEMPLAR_OK);
    assert_string_equal(times_of(&b, "up"), "4 6 8");
    assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS + 5, 1), EXEMPLAR_OK);
    assert_string_equal(times_of(&b, "up"), "5 6 8");
    assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS + 1, 1),
                     EXEMPLAR_OK); /* older than all: no place */
    assert_string_equal(times_of(&b, "up"), "5 6 8");
    assert_int_equal(figures(&b).exemplars, 3);
    limits = before;
    bench_close(&b);
}

static void the_one_that_came_first_makes_room(void **state)
{
    (void)state;
    struct limits before = limits;
    struct bench b;
    uint64_t hits = limit_hits(LIMIT_exemplars);
    limits.exemplars = 3;
    open_with_series(&b, 0);
    bench_push(&b, named(&b, "down"), START_MS, 1);
    assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS + 9, 1), EXEMPLAR_OK);
    assert_int_equal(offer(&b, "down", trace(&b, "x"), START_MS + 1, 1), EXEMPLAR_OK);
    assert_int_equal(offer(&b, "down", trace(&b, "x"), START_MS + 2, 1), EXEMPLAR_OK);
    assert_int_equal(figures(&b).first_exemplar_ms, START_MS + 9);
    assert_int_equal(figures(&b).exemplar_series, 2);
    assert_int_equal(offer(&b, "down", trace(&b, "x"), START_MS + 3, 1), EXEMPLAR_OK);
    assert_string_equal(times_of(&b, "up"), "");
    assert_string_equal(times_of(&b, "down"), "1 2 3");
    assert_int_equal(figures(&b).exemplar_series, 1);
    assert_int_equal(figures(&b).first_exemplar_ms, START_MS + 1);
    assert_int_equal(limit_hits(LIMIT_exemplars), hits + 1);
    assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS, 1),
                     EXEMPLAR_OK); /* nothing is known of its past */
    assert_string_equal(times_of(&b, "down"), "2 3");
    limits = before;
    bench_close(&b);
}

static void nothing_is_kept_where_nothing_may_be(void **state)
{
    (void)state;
    struct limits before = limits;
    struct bench b;
    open_with_series(&b, 0);
    limits.exemplars = 0;
    assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS, 1), EXEMPLAR_OK);
    limits = before;
    limits.exemplars_per_series = 0;
    assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS, 1), EXEMPLAR_OK);
    assert_int_equal(figures(&b).exemplars, 0);
    limits = before;
    bench_close(&b);
}

static void labels_are_counted_in_characters(void **state)
{
    (void)state;
    struct bench b;
    open_with_series(&b, 0);
    char id[2 * EXEMPLAR_RUNES_MAX + 1] = "";
    for (int i = 0; i < EXEMPLAR_RUNES_MAX - 8; i++)
        memcpy(id + 2 * i, "\xc3\xa4", 3);
    assert_int_equal(offer(&b, "up", trace(&b, id), START_MS, 1), EXEMPLAR_OK); /* 8 of trace_id and 120 */
    memcpy(id + strlen(id), "x", 2);
    assert_int_equal(offer(&b, "up", trace(&b, id), START_MS + 1, 1), EXEMPLAR_TOO_LONG);
    assert_string_equal(times_of(&b, "up"), "0");
    bench_close(&b);
}

static void times_have_an_end_but_no_beginning(void **state)
{
    (void)state;
    struct bench b;
    open_with_series(&b, 0);
    assert_int_equal(offer(&b, "up", trace(&b, "x"), INT64_MIN, 1), EXEMPLAR_OK);
    assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS - 48 * HOUR_MS, 1), EXEMPLAR_OK);
    assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS + limits.future_ms + 1, 1), EXEMPLAR_FUTURE);
    assert_int_equal(offer(&b, "up", trace(&b, "x"), INT64_MAX, 1), EXEMPLAR_FUTURE);
    assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS + limits.future_ms, 1), EXEMPLAR_OK);
    assert_int_equal(offer(&b, "up", trace(&b, "x"), INT64_MIN, 1), EXEMPLAR_OUT_OF_ORDER);
    assert_int_equal(figures(&b).exemplars, 3);
    bench_close(&b);
}

static void a_series_is_needed(void **state)
{
    (void)state;
    struct bench b;
    open_with_series(&b, 0);
    assert_int_equal(offer(&b, "down", trace(&b, "x"), START_MS, 1), EXEMPLAR_NO_SERIES);
    store_configure(b.store, &(struct store_options){.keep = STORE_KEEP_REFERENCED});
    assert_int_equal(offer(&b, "down", trace(&b, "x"), START_MS, 1), EXEMPLAR_OK); /* nobody asks for it */
    assert_int_equal(figures(&b).exemplars, 0);
    bench_close(&b);
}

static void a_spelling_leads_to_the_series(void **state)
{
    (void)state;
    struct bench b;
    open_with_series(&b, 0);
    static const struct spelling one = {1, 10};
    const struct labels *ls = named(&b, "up");
    struct sample s = {.t_ms = START_MS + 1};
    struct batch_series series = {ls->item, ls->count, &s, 1};
    struct admit_result admitted = {0};
    struct exemplar e = {trace(&b, "x"), 1, START_MS};
    struct exemplar_result result = {0};
    assert_false(store_exemplars_known(b.store, &one, &e, 1, &result));
    assert_false(store_exemplars_known(b.store, &(struct spelling){0}, &e, 1, &result));
    assert_int_equal(result.done + result.refused, 0);
    store_admit(b.store, &(struct batch){.series = &series, .count = 1, .spellings = &one}, &admitted);
    assert_true(store_exemplars_known(b.store, &one, &e, 1, &result));
    assert_int_equal(result.done, 1);
    assert_string_equal(times_of(&b, "up"), "0");
    bench_close(&b);
}

static void exemplars_go_with_their_series(void **state)
{
    (void)state;
    struct bench b;
    open_with_series(&b, 0);
    assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS, 1), EXEMPLAR_OK);
    assert_int_equal(offer(&b, "up", trace(&b, "y"), START_MS + 1, 1), EXEMPLAR_OK);
    bench_at(&b, START_MS + 3 * HOUR_MS);
    store_retire(b.store);
    assert_int_equal(bench_figures(&b).series, 0);
    assert_int_equal(figures(&b).exemplars, 0);
    assert_int_equal(figures(&b).exemplar_series, 0);
    assert_int_equal(bench_push(&b, named(&b, "new"), START_MS + 3 * HOUR_MS, 1), ADMIT_OK);
    assert_string_equal(times_of(&b, "new"), ""); /* which may have the number of the dead one */
    bench_close(&b);
}

static void their_bytes_are_counted_and_limited(void **state)
{
    (void)state;
    struct limits before = limits;
    struct bench b;
    open_with_series(&b, 0);
    uint64_t bytes = bench_figures(&b).bytes;
    limits.store_bytes = (int64_t)bytes;
    assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS, 1), EXEMPLAR_MEMORY_LIMIT);
    limits = before;
    assert_int_equal(offer(&b, "up", trace(&b, "x"), START_MS, 1), EXEMPLAR_OK);
    assert_true(bench_figures(&b).bytes > bytes);
    store_note_metadata(b.store, &(struct metadata){.family = STR("up")});
    bench_close(&b); /* in builds that check it, all bytes must have been given back */
}

/* ---- against a model: a plain array and the rules in words ---------------------------------------------- */

enum { MODEL_SERIES = 6, MODEL_PER_SERIES = 4, MODEL_TOTAL = 15, MODEL_STEPS = 4000 };

struct model_item {
    int series;
    int64_t t_ms;
    double value;
};

struct model {
    struct model_item items[MODEL_TOTAL + 1]; /* as they came */
    size_t count;
};

static void model_remove(struct model *m, size_t at)
{
    m->count--;
    memmove(&m->items[at], &m->items[at + 1], (m->count - at) * sizeof m->items[0]);
}

/* Place of the newest (sign 1) or the oldest (-1) of a series, of those of one time the last to come (the first); -1: none. */
static int model_end(const struct model *m, int series, int sign)
{
    int found = -1;
    for (size_t i = 0; i < m->count; i++)
        if (m->items[i].series == series &&
            (found < 0 || sign * m->items[i].t_ms > sign * m->items[found].t_ms ||
             (sign > 0 && m->items[i].t_ms == m->items[found].t_ms)))
            found = (int)i;
    return found;
}

static size_t model_count(const struct model *m, int series)
{
    size_t count = 0;
    for (size_t i = 0; i < m->count; i++)
        count += m->items[i].series == series;
    return count;
}

static enum exemplar_reason model_offer(struct model *m, struct model_item e, int64_t window_ms)
{
    int newest = model_end(m, e.series, 1);
    if (newest >= 0) {
        struct model_item n = m->items[newest];
        if (e.t_ms == n.t_ms && e.value == n.value)
            return EXEMPLAR_OK;
        if (e.t_ms < n.t_ms ? n.t_ms - e.t_ms >= window_ms : e.t_ms == n.t_ms && e.value < n.value)
            return EXEMPLAR_OUT_OF_ORDER;
        for (size_t i = 0; i < m->count && e.t_ms < n.t_ms; i++)
            if (m->items[i].series == e.series && m->items[i].t_ms == e.t_ms)
                return EXEMPLAR_OK;
    }
    m->items[m->count++] = e;
    if (model_count(m, e.series) > MODEL_PER_SERIES)
        model_remove(m, (size_t)model_end(m, e.series, -1));
    if (m->count > MODEL_TOTAL)
        model_remove(m, 0);
    return EXEMPLAR_OK;
}

static const char *const MODEL_NAMES[MODEL_SERIES] = {"a", "b", "c", "d", "e", "f"};

static void assert_like_model(struct bench *b, const struct model *m)
{
    assert_int_equal(figures(b).exemplars, m->count);
    for (int s = 0; s < MODEL_SERIES; s++) {
        struct exemplar_run run = exemplars_of(b, MODEL_NAMES[s], INT64_MIN, INT64_MAX);
        assert_int_equal(run.count, model_count(m, s));
        for (size_t i = 0; i < run.count; i++) {
            bool there = false;
            assert_true(i == 0 || run.exemplars[i - 1].t_ms <= run.exemplars[i].t_ms);
            for (size_t k = 0; k < m->count; k++)
                there |= m->items[k].series == s && m->items[k].t_ms == run.exemplars[i].t_ms &&
                         m->items[k].value == run.exemplars[i].value;
            assert_true(there);
        }
    }
}

static void any_sequence_ends_as_the_rules_say(void **state)
{
    (void)state;
    struct limits before = limits;
    static const int64_t windows[] = {0, 6};
    limits.exemplars_per_series = MODEL_PER_SERIES;
    limits.exemplars = MODEL_TOTAL;
    for (size_t w = 0; w < 2; w++) {
        struct bench b;
        struct model m = {0};
        uint64_t random = 1 + w;
        open_with_series(&b, windows[w]);
        for (int s = 0; s < MODEL_SERIES; s++)
            bench_push(&b, named(&b, MODEL_NAMES[s]), START_MS, 1);
        for (int i = 0; i < MODEL_STEPS; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            uint64_t r = random >> 33;
            struct model_item e = {(int)(r % MODEL_SERIES), START_MS + i / 8 + (int64_t)(r / 7 % 12),
                                   (double)(r / 97 % 3)};
            struct arena_mark mark = arena_mark(&b.arena);
            assert_int_equal(offer(&b, MODEL_NAMES[e.series], trace(&b, "x"), e.t_ms, e.value),
                             model_offer(&m, e, windows[w]));
            assert_like_model(&b, &m);
            arena_rewind(&b.arena, mark);
        }
        bench_close(&b);
    }
    limits = before;
}

/* ---- metadata ------------------------------------------------------------------------------------------- */

static void note(struct bench *b, const char *family, enum metadata_type type, const char *help)
{
    store_note_metadata(b->store, &(struct metadata){str_of(family), type, str_of(help), STR("s")});
}

/* "a=counter:Help. b=..." */
static const char *meanings(struct bench *b, const char *family)
{
    struct metadata *all;
    size_t count;
    const char *text = "";
    assert_int_equal(store_list_metadata(b->store, str_of(family), &b->arena, &all, &count), 0);
    for (size_t i = 0; i < count; i++)
        text = arena_format(&b->arena, "%s%s%.*s=%s:%.*s", text, i > 0 ? " " : "", STR_ARG(all[i].family),
                            metadata_type_text(all[i].type), STR_ARG(all[i].help));
    return text;
}

static void a_family_means_what_was_told_of_it(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){0});
    note(&b, "b", METADATA_GAUGE_HISTOGRAM, "B.");
    note(&b, "a", METADATA_COUNTER, "A.");
    note(&b, "", METADATA_COUNTER, "Of nothing.");
    assert_string_equal(meanings(&b, ""), "a=counter:A. b=gaugehistogram:B.");
    assert_string_equal(meanings(&b, "a"), "a=counter:A.");
    assert_string_equal(meanings(&b, "c"), "");
    assert_int_equal(figures(&b).families, 2);
    bench_close(&b);
}

static void of_two_senders_that_differ_only_the_last_was_kept(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){0});
    for (int round = 0; round < 3; round++) {
        note(&b, "a", METADATA_GAUGE, "One.");
        note(&b, "a", METADATA_COUNTER, "Two.");
        note(&b, "b", METADATA_GAUGE, "B.");
        note(&b, "a", METADATA_COUNTER, "Three.");
    }
    assert_string_equal(meanings(&b, ""), "a=counter:Three. a=counter:Two. a=gauge:One. b=gauge:B.");
    assert_string_equal(meanings(&b, "a"), "a=counter:Three. a=counter:Two. a=gauge:One.");
    assert_int_equal(figures(&b).families, 2);
    bench_close(&b);
}

static void a_meaning_that_a_release_has_changed_is_forgotten(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){0});
    note(&b, "a", METADATA_GAUGE, "Old.");
    note(&b, "b", METADATA_GAUGE, "Of one that is gone.");
    bench_at(&b, START_MS + METADATA_OUTDATED_MS / 2);
    note(&b, "a", METADATA_GAUGE, "New.");
    bench_at(&b, START_MS + METADATA_OUTDATED_MS);
    note(&b, "a", METADATA_GAUGE, "New.");
    assert_string_equal(meanings(&b, "a"), "a=gauge:New. a=gauge:Old.");
    bench_at(&b, START_MS + METADATA_OUTDATED_MS + 1);
    note(&b, "a", METADATA_GAUGE, "New.");
    assert_string_equal(meanings(&b, ""), "a=gauge:New. b=gauge:Of one that is gone.");
    bench_at(&b, START_MS + 5 * METADATA_OUTDATED_MS);
    note(&b, "a", METADATA_GAUGE, "Newer.");
    assert_string_equal(meanings(&b, "a"), "a=gauge:Newer.");
    bench_close(&b);
}

static void a_family_has_only_so_many_meanings(void **state)
{
    (void)state;
    struct limits before = limits;
    struct bench b;
    limits.metadata_per_family = 2;
    bench_open(&b, (struct store_options){0});
    uint64_t hits = limit_hits(LIMIT_metadata_per_family);
    static const char *const helps[] = {"1", "2", "1", "3", "1", "4"};
    for (int i = 0; i < 6; i++) {
        bench_at(&b, START_MS + i);
        note(&b, "a", METADATA_GAUGE, helps[i]);
    }
    assert_string_equal(meanings(&b, "a"), "a=gauge:1 a=gauge:4");
    assert_int_equal(limit_hits(LIMIT_metadata_per_family), hits + 2);
    limits.metadata_families = 1;
    note(&b, "b", METADATA_GAUGE, "B.");
    assert_string_equal(meanings(&b, ""), "b=gauge:B.");
    limits = before;
    bench_close(&b);
}

static void the_family_that_nobody_tells_of_goes_first(void **state)
{
    (void)state;
    struct limits before = limits;
    struct bench b;
    limits.metadata_families = 2;
    bench_open(&b, (struct store_options){0});
    uint64_t hits = limit_hits(LIMIT_metadata_families);
    note(&b, "a", METADATA_GAUGE, "A.");
    note(&b, "b", METADATA_GAUGE, "B.");
    note(&b, "a", METADATA_GAUGE, "A."); /* the same again counts, too */
    note(&b, "c", METADATA_GAUGE, "C.");
    assert_string_equal(meanings(&b, ""), "a=gauge:A. c=gauge:C.");
    assert_int_equal(limit_hits(LIMIT_metadata_families), hits + 1);
    limits = before;
    bench_close(&b);
}

static void long_texts_are_cut_between_characters_and_long_names_left_out(void **state)
{
    (void)state;
    struct limits before = limits;
    struct bench b;
    limits.metadata_text_bytes = 4;
    bench_open(&b, (struct store_options){0});
    note(&b, "four", METADATA_GAUGE, "abc\xc3\xa4");
    note(&b, "five5", METADATA_GAUGE, "");
    assert_string_equal(meanings(&b, ""), "four=gauge:abc");
    note(&b, "two", METADATA_GAUGE, "ab\xc3\xa4");
    assert_string_equal(meanings(&b, "two"), "two=gauge:ab\xc3\xa4");
    limits = before;
    bench_close(&b);
}

static void metadata_is_held_to_the_stores_memory(void **state)
{
    (void)state;
    struct limits before = limits;
    struct bench b;
    bench_open(&b, (struct store_options){0});
    limits.store_bytes = (int64_t)bench_figures(&b).bytes;
    uint64_t hits = limit_hits(LIMIT_store_bytes);
    note(&b, "a", METADATA_GAUGE, "A.");
    assert_string_equal(meanings(&b, ""), "");
    assert_int_equal(limit_hits(LIMIT_store_bytes), hits + 1);
    limits = before;
    bench_close(&b);
}

static void a_small_arena_is_said(void **state)
{
    (void)state;
    struct bench b;
    struct metadata *all;
    size_t count;
    struct arena small;
    open_with_series(&b, 0);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(offer(&b, "up", trace(&b, "0123456789"), START_MS + i, 1), EXEMPLAR_OK);
        note(&b, arena_format(&b.arena, "family_%d", i), METADATA_GAUGE, "Something.");
    }
    struct view *v = view_open(b.store);
    struct series_set set = bench_select(&b, v, NULL, 0);
    struct exemplar_run run;
    arena_init(&small, 128);
    assert_int_equal(view_exemplars(v, set.refs[0], 0, INT64_MAX, &small, &run), ERR_LIMIT);
    arena_release(&small);
    arena_init(&small, 128);
    assert_int_equal(store_list_metadata(b.store, STR(""), &small, &all, &count), ERR_LIMIT);
    arena_release(&small);
    view_close(v);
    bench_close(&b);
}

/* ---- several at once ------------------------------------------------------------------------------------ */

struct crowd {
    struct bench *b;
    int number;
};

static void *tell_and_ask(void *context)
{
    struct crowd *c = context;
    struct arena arena;
    for (int i = 0; i < 500; i++) {
        arena_init(&arena, 1 << 20);
        const struct labels *up = labels_of(&arena, "__name__", "up", NULL);
        struct exemplar e = {labels_of(&arena, "n", "1", NULL), i, START_MS + i};
        struct exemplar_result result = {0};
        store_exemplars(c->b->store, up->item, up->count, &e, 1, &result);
        store_note_metadata(c->b->store,
                            &(struct metadata){.family = STR("up"), .type = (enum metadata_type)c->number});
        struct exemplar_run run;
        struct metadata *all;
        size_t count;
        struct view *v = view_open(c->b->store);
        view_exemplars(v, 1, INT64_MIN, INT64_MAX, &arena, &run);
        view_close(v);
        store_list_metadata(c->b->store, STR(""), &arena, &all, &count);
        store_retire(c->b->store);
        arena_release(&arena);
    }
    return NULL;
}

static void several_may_tell_and_ask_at_once(void **state)
{
    (void)state;
    enum { THREADS = 3 };
    struct bench b;
    pthread_t threads[THREADS];
    struct crowd crowd[THREADS];
    open_with_series(&b, 0);
    for (int i = 0; i < THREADS; i++) {
        crowd[i] = (struct crowd){&b, i + 1};
        assert_int_equal(pthread_create(&threads[i], NULL, tell_and_ask, &crowd[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_string_equal(times_of(&b, "up"), "490 491 492 493 494 495 496 497 498 499");
    assert_int_equal(figures(&b).families, 1);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exemplar_comes_back_as_it_was),
        cmocka_unit_test(a_window_has_both_its_ends),
        cmocka_unit_test(what_is_older_than_the_newest_is_out_of_order),
        cmocka_unit_test(the_newest_again_is_no_news),
        cmocka_unit_test(those_of_one_time_come_in_the_order_of_their_values),
        cmocka_unit_test(late_ones_find_their_place_in_the_window),
        cmocka_unit_test(the_last_of_a_series_are_kept),
        cmocka_unit_test(the_one_that_came_first_makes_room),
        cmocka_unit_test(nothing_is_kept_where_nothing_may_be),
        cmocka_unit_test(labels_are_counted_in_characters),
        cmocka_unit_test(times_have_an_end_but_no_beginning),
        cmocka_unit_test(a_series_is_needed),
        cmocka_unit_test(a_spelling_leads_to_the_series),
        cmocka_unit_test(exemplars_go_with_their_series),
        cmocka_unit_test(their_bytes_are_counted_and_limited),
        cmocka_unit_test(any_sequence_ends_as_the_rules_say),
        cmocka_unit_test(a_family_means_what_was_told_of_it),
        cmocka_unit_test(of_two_senders_that_differ_only_the_last_was_kept),
        cmocka_unit_test(a_meaning_that_a_release_has_changed_is_forgotten),
        cmocka_unit_test(a_family_has_only_so_many_meanings),
        cmocka_unit_test(the_family_that_nobody_tells_of_goes_first),
        cmocka_unit_test(long_texts_are_cut_between_characters_and_long_names_left_out),
        cmocka_unit_test(metadata_is_held_to_the_stores_memory),
        cmocka_unit_test(a_small_arena_is_said),
        cmocka_unit_test(several_may_tell_and_ask_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
