/*
 * The store against a model that does everything the slow way: random pushes, late samples, selectors that come and
 * go, time that passes, housekeeping; after each step what a reader may see must agree.
 *
 * Both may still hold samples older than retention (blocks go as a whole), so reads are compared within it.
 */
#include "store_help.h"

#include "tocsin/mem.h"

enum {
    SETS = 40,
    SELECTORS = 8,
    STEPS = 4000,
    IDLE_MS = 10 * MINUTE_MS,
    LAG_MS = 5 * MINUTE_MS,
    WINDOW_MS = 20000
};

struct model_series {
    const struct labels *labels;
    struct sample samples[STEPS];
    size_t count;
};

struct model_selector {
    struct matcher matchers[2];
    size_t count;
    struct standing *standing; /* NULL: not announced */
    int64_t reach_ms;
};

struct world_of_two {
    struct bench b;
    struct arena scratch;
    struct model_series *series; /* SETS of them */
    struct model_selector selectors[SELECTORS];
    int64_t now_ms;
    uint64_t random;
};

static uint64_t pick(struct world_of_two *w, uint64_t below)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return (w->random >> 33) % below;
}

static void make_labels(struct world_of_two *w)
{
    static const char *const names[] = {"up", "requests", "errors"};
    for (int i = 0; i < SETS; i++) {
        struct label items[3] = {{STR("__name__"), str_of(names[i % 3])},
                                 {STR("job"), str_of(arena_format(&w->b.arena, "job%d", i / 3 % 4))},
                                 {STR("n"), str_of(i % 5 ? arena_format(&w->b.arena, "%d", i) : "")}};
        w->series[i].labels = labels_make(&w->b.arena, items, 3);
        for (int k = 0; k < i; k++)
            assert_false(labels_equal(w->series[k].labels, w->series[i].labels));
    }
}

static void make_selectors(struct world_of_two *w)
{
    static const struct {
        const char *name, *value;
        enum match_op op;
    } all[SELECTORS][2] = {
        {{"__name__", "up", MATCH_EQUAL}, {"job", "job1", MATCH_EQUAL}},
        {{"__name__", "requests", MATCH_EQUAL}, {"job", "job[02]", MATCH_REGEX}},
        {{"job", "job3", MATCH_EQUAL}, {"n", "", MATCH_NOT_EQUAL}},
        {{"n", "", MATCH_EQUAL}, {"job", "job0", MATCH_NOT_EQUAL}},
        {{"n", "1.*", MATCH_REGEX}, {"__name__", "up", MATCH_NOT_EQUAL}},
        {{"n", "1.*|", MATCH_NOT_REGEX}, {"__name__", ".+", MATCH_REGEX}},
        {{"nothing", "", MATCH_EQUAL}, {"__name__", "errors", MATCH_EQUAL}},
        {{"job", "job1|job2", MATCH_REGEX}, {"job", "job2", MATCH_NOT_EQUAL}},
    };
    for (int i = 0; i < SELECTORS; i++) {
        w->selectors[i].count = 2;
        for (int k = 0; k < 2; k++)
            w->selectors[i].matchers[k] = bench_matcher(all[i][k].name, all[i][k].op, all[i][k].value);
    }
}

static int64_t keep_of(const struct world_of_two *w, const struct labels *ls)
{
    int64_t keep_ms = IDLE_MS;
    for (int i = 0; i < SELECTORS; i++) {
        const struct model_selector *s = &w->selectors[i];
        if (s->standing != NULL && matchers_match(s->matchers, s->count, ls) &&
            s->reach_ms + LAG_MS > keep_ms)
            keep_ms = s->reach_ms + LAG_MS;
    }
    return keep_ms;
}

/* Where a sample of this time is or belongs. */
static size_t place_of(const struct model_series *s, int64_t t_ms)
{
    size_t i = s->count;
    while (i > 0 && s->samples[i - 1].t_ms >= t_ms)
        i--;
    return i;
}

static enum admit_reason model_push(struct world_of_two *w, struct model_series *s, int64_t t_ms,
                                    double value)
{
    if (t_ms < w->now_ms - keep_of(w, s->labels))
        return ADMIT_TOO_OLD;
    if (s->count > 0 && t_ms < s->samples[s->count - 1].t_ms - WINDOW_MS)
        return ADMIT_TOO_OLD;
    size_t i = place_of(s, t_ms);
    if (i < s->count && s->samples[i].t_ms == t_ms)
        return s->samples[i].value == value ? ADMIT_OK : ADMIT_DUPLICATE;
    memmove(s->samples + i + 1, s->samples + i, (s->count - i) * sizeof *s->samples);
    s->samples[i] = (struct sample){.t_ms = t_ms, .value = value};
    s->count++;
    return ADMIT_OK;
}

static void push_something(struct world_of_two *w)
{
    struct model_series *s = &w->series[pick(w, SETS)];
    int64_t t_ms = w->now_ms - (int64_t)pick(w, pick(w, 4) == 0 ? 60000 : 500);
    double value = (double)pick(w, 3);
    assert_int_equal(bench_push(&w->b, s->labels, t_ms, value), model_push(w, s, t_ms, value));
}

static void change_a_selector(struct world_of_two *w)
{
    struct model_selector *s = &w->selectors[pick(w, SELECTORS)];
    if (s->standing != NULL) {
        store_unstand(w->b.store, s->standing);
        s->standing = NULL;
        return;
    }
    s->reach_ms = (int64_t)pick(w, 60) * MINUTE_MS + 1;
    assert_int_equal(store_stand(w->b.store, s->matchers, s->count, s->reach_ms, &s->standing, NULL), 0);
}

/* Housekeeping: what retention no longer covers is gone for good in the model, too, once whole series are. */
static void retire(struct world_of_two *w)
{
    store_retire(w->b.store);
    for (int i = 0; i < SETS; i++) {
        struct model_series *s = &w->series[i];
        if (s->count > 0 && s->samples[s->count - 1].t_ms < w->now_ms - keep_of(w, s->labels))
            s->count = 0;
    }
}

static const struct model_series *model_of(const struct world_of_two *w, const struct labels *ls)
{
    for (int i = 0; i < SETS; i++)
        if (labels_equal(w->series[i].labels, ls))
            return &w->series[i];
    fail_msg("a series came out that never went in");
    return NULL;
}

static void compare_samples(struct world_of_two *w, struct view *v, series_ref ref)
{
    const struct model_series *s = model_of(w, view_labels(v, ref));
    int64_t after_ms = w->now_ms - keep_of(w, s->labels) - 1;
    struct sample_run run;
    struct sample last;
    assert_int_equal(view_read(v, ref, after_ms, INT64_MAX, &w->scratch, &run), 0);
    size_t first = place_of(s, after_ms + 1);
    assert_int_equal(run.count, s->count - first);
    for (size_t i = 0; i < run.count; i++) {
        assert_int_equal(run.samples[i].t_ms, s->samples[first + i].t_ms);
        assert_true(run.samples[i].value == s->samples[first + i].value);
    }
    assert_int_equal(view_last(v, ref, after_ms, INT64_MAX, &w->scratch, &last), run.count > 0);
    if (run.count > 0)
        assert_int_equal(last.t_ms, run.samples[run.count - 1].t_ms);
}

static size_t model_count(const struct world_of_two *w, const struct model_selector *selector)
{
    size_t n = 0;
    for (int i = 0; i < SETS; i++)
        n += w->series[i].count > 0 &&
             matchers_match(selector->matchers, selector->count, w->series[i].labels);
    return n;
}

static void compare_set(const struct model_selector *selector, struct view *v, struct series_set set,
                        size_t count)
{
    assert_int_equal(set.count, count);
    for (size_t i = 0; i < set.count; i++) {
        assert_true(matchers_match(selector->matchers, selector->count, view_labels(v, set.refs[i])));
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(set.refs[i], set.refs[k]);
    }
}

static void compare(struct world_of_two *w)
{
    struct view *v = view_open(w->b.store);
    struct series_set set;
    arena_clear(&w->scratch);
    for (int i = 0; i < SELECTORS; i++) {
        const struct model_selector *s = &w->selectors[i];
        size_t count = model_count(w, s);
        assert_int_equal(view_select(v, s->matchers, s->count, &w->scratch, &set), 0);
        compare_set(s, v, set, count);
        if (s->standing == NULL)
            continue;
        assert_int_equal(view_standing(v, s->standing, &w->scratch, &set), 0);
        compare_set(s, v, set, count);
    }
    assert_int_equal(view_select(v, NULL, 0, &w->scratch, &set), 0);
    for (size_t i = 0; i < set.count; i++)
        compare_samples(w, v, set.refs[i]);
    view_close(v);
}

static void step(struct world_of_two *w)
{
    switch (pick(w, 12)) {
    case 0:
        w->now_ms += (int64_t)pick(w, pick(w, 20) == 0 ? 90 * MINUTE_MS : MINUTE_MS);
        bench_at(&w->b, w->now_ms);
        break;
    case 1:
        if (pick(w, 5) == 0)
            change_a_selector(w);
        break;
    case 2:
        retire(w);
        compare(w);
        break;
    default:
        push_something(w);
    }
}

static void play(uint64_t seed)
{
    struct world_of_two w = {.random = seed, .now_ms = START_MS};
    bench_open(&w.b, (struct store_options){.idle_keep_ms = IDLE_MS, .out_of_order_ms = WINDOW_MS});
    arena_init(&w.scratch, 64 << 20);
    w.series = MEM_ARRAY(struct model_series, SETS);
    make_labels(&w);
    make_selectors(&w);
    for (int i = 0; i < STEPS; i++)
        step(&w);
    for (int i = 0; i < SELECTORS; i++)
        for (size_t k = 0; k < w.selectors[i].count; k++)
            matcher_release(&w.selectors[i].matchers[k]);
    mem_free(w.series);
    arena_release(&w.scratch);
    bench_close(&w.b);
}

static void the_store_agrees_with_the_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++)
        play(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_store_agrees_with_the_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
