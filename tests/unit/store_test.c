#include "store_help.h"

#include "tocsin/histogram.h"
#include "tocsin/limits.h"
#include "tocsin/stat.h"

static const struct labels *up(struct bench *b)
{
    return labels_of(&b->arena, "__name__", "up", "job", "api", NULL);
}

static struct sample_run all_of(struct bench *b, const struct labels *ls)
{
    struct matcher ms[8];
    must(ls->count <= 8);
    for (size_t i = 0; i < ls->count; i++)
        matcher_init(&ms[i], MATCH_EQUAL, ls->item[i].name, ls->item[i].value, REGEX_PROMQL, NULL);
    struct view *v = view_open(b->store);
    struct series_set set = bench_select(b, v, ms, ls->count);
    struct sample_run run = {0};
    if (set.count > 0)
        run = bench_read(b, v, set.refs[0], INT64_MIN, INT64_MAX);
    view_close(v);
    return run;
}

static void samples_come_back_in_order(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    for (int i = 0; i < 1000; i++)
        assert_int_equal(bench_push(&b, up(&b), START_MS - 1000 + i, i), ADMIT_OK);
    struct sample_run run = all_of(&b, up(&b));
    assert_int_equal(run.count, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(run.samples[i].t_ms, START_MS - 1000 + i);
        assert_true(run.samples[i].value == i);
    }
    assert_int_equal(bench_figures(&b).samples, 1000);
    assert_int_equal(bench_figures(&b).series, 1);
    assert_int_equal(bench_figures(&b).oldest_ms, START_MS - 1000);
    assert_int_equal(bench_figures(&b).newest_ms, START_MS - 1);
    bench_close(&b);
}

static void older_samples_are_out_of_order(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    assert_int_equal(bench_push(&b, up(&b), START_MS, 1), ADMIT_OK);
    assert_int_equal(bench_push(&b, up(&b), START_MS - 1, 1), ADMIT_OUT_OF_ORDER);
    assert_int_equal(all_of(&b, up(&b)).count, 1);
    bench_close(&b);
}

static void the_newest_sample_may_be_repeated_but_not_changed(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    struct sample s = {.t_ms = START_MS, .value = stale_nan()};
    assert_int_equal(bench_push_all(&b, up(&b), &s, 1, NULL).appended, 1);
    struct admit_result again = bench_push_all(&b, up(&b), &s, 1, NULL);
    assert_int_equal(again.first, ADMIT_OK);
    assert_int_equal(again.appended, 0);
    assert_int_equal(bench_push(&b, up(&b), START_MS, double_from_bits(NORMAL_NAN_BITS)), ADMIT_DUPLICATE);
    assert_int_equal(bench_push(&b, up(&b), START_MS, 1), ADMIT_DUPLICATE);
    assert_true(is_stale_nan(all_of(&b, up(&b)).samples[0].value));
    bench_close(&b);
}

static void the_out_of_order_window_lets_late_samples_in(void **state)
{
    (void)state;
    uint64_t late = stat_get(STAT_late_appended);
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS, .out_of_order_ms = 500});
    for (int i = 999; i >= 0; i -= 2) /* every second one first, in order within the window */
        assert_int_equal(bench_push(&b, up(&b), START_MS + 999 - i, 999 - i), ADMIT_OK);
    for (int i = 499; i < 998; i += 2)
        assert_int_equal(bench_push(&b, up(&b), START_MS + i, i), ADMIT_OK);
    assert_int_equal(bench_push(&b, up(&b), START_MS + 497, 1), ADMIT_TOO_OLD);
    assert_int_equal(bench_push(&b, up(&b), START_MS + 600, 600), ADMIT_OK);
    assert_int_equal(bench_push(&b, up(&b), START_MS + 600, 1), ADMIT_DUPLICATE);
    assert_int_equal(stat_get(STAT_late_appended), late + 250);
    struct sample_run run = all_of(&b, up(&b));
    assert_int_equal(run.count, 750);
    for (size_t i = 0; i < run.count; i++)
        assert_true(run.samples[i].value == (double)(run.samples[i].t_ms - START_MS));
    for (size_t i = 1; i < run.count; i++)
        assert_true(run.samples[i - 1].t_ms < run.samples[i].t_ms);
    bench_close(&b);
}

static void samples_far_ahead_or_beyond_retention_are_refused(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    assert_int_equal(bench_push(&b, up(&b), START_MS + limits.future_ms + 1, 1), ADMIT_FUTURE);
    assert_int_equal(bench_push(&b, up(&b), START_MS - HOUR_MS - 1, 1), ADMIT_TOO_OLD);
    assert_int_equal(bench_figures(&b).series, 0);
    assert_int_equal(bench_push(&b, up(&b), INT64_MIN, 1), ADMIT_TOO_OLD);
    assert_int_equal(bench_push(&b, up(&b), INT64_MAX, 1), ADMIT_FUTURE);
    assert_int_equal(bench_push(&b, up(&b), START_MS - HOUR_MS, 1), ADMIT_OK);
    assert_int_equal(bench_push(&b, up(&b), START_MS + limits.future_ms, 1), ADMIT_OK);
    bench_close(&b);
}

static void a_refusal_names_the_series_once(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    struct buf detail;
    buf_init(&detail, 4096);
    struct sample s[3] = {{.t_ms = START_MS, .value = 1},
                          {.t_ms = START_MS - 1, .value = 1},
                          {.t_ms = START_MS - 2, .value = 1}};
    struct admit_result result = bench_push_all(&b, up(&b), s, 3, &detail);
    assert_int_equal(result.appended, 1);
    assert_int_equal(result.refused[ADMIT_OUT_OF_ORDER], 2);
    assert_string_equal(buf_text(&detail), "out of order sample for series {__name__=\"up\", job=\"api\"}\n");
    buf_release(&detail);
    bench_close(&b);
}

static void start_timestamps_are_kept(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS, .out_of_order_ms = 1000});
    for (int i = 0; i < 300; i++) {
        struct sample s = {.t_ms = START_MS + 2 * i, .value = i, .start_ms = i % 3 == 0 ? START_MS - 5 : 0};
        assert_int_equal(bench_push_all(&b, up(&b), &s, 1, NULL).appended, 1);
    }
    struct sample late = {.t_ms = START_MS + 299, .value = -1, .start_ms = 7};
    assert_int_equal(bench_push_all(&b, up(&b), &late, 1, NULL).appended, 1);
    struct sample_run run = all_of(&b, up(&b));
    assert_int_equal(run.count, 301);
    for (size_t i = 0; i < 150; i++)
        assert_int_equal(run.samples[i].start_ms, i % 3 == 0 ? START_MS - 5 : 0);
    assert_int_equal(run.samples[150].start_ms, 7);
    bench_close(&b);
}

static struct histogram *small_histogram(struct bench *b, double count)
{
    struct histogram *h = ARENA_NEW(&b->arena, struct histogram);
    h->schema = 1;
    h->count = count;
    h->sum = 2.5;
    h->positive.spans = ARENA_NEW(&b->arena, struct histogram_span);
    h->positive.spans[0] = (struct histogram_span){-1, 2};
    h->positive.span_count = 1;
    h->positive.buckets = ARENA_ARRAY(&b->arena, double, 2);
    h->positive.buckets[0] = 1;
    h->positive.buckets[1] = count - 1;
    h->positive.bucket_count = 2;
    return h;
}

static void native_histograms_are_copied_in_and_out(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    struct histogram *h = small_histogram(&b, 3);
    for (int i = 0; i < 200; i++) {
        struct sample s = {.t_ms = START_MS + i, .histogram = h};
        h->positive.buckets[1] = i;
        assert_int_equal(bench_push_all(&b, up(&b), &s, 1, NULL).appended, 1);
    }
    struct sample same = {.t_ms = START_MS + 199, .histogram = h};
    assert_int_equal(bench_push_all(&b, up(&b), &same, 1, NULL).first, ADMIT_OK);
    h->positive.buckets[1] = 1e9;
    assert_int_equal(bench_push_all(&b, up(&b), &same, 1, NULL).first, ADMIT_DUPLICATE);
    assert_int_equal(bench_push(&b, up(&b), START_MS + 199, 0), ADMIT_DUPLICATE);
    struct sample_run run = all_of(&b, up(&b));
    assert_int_equal(run.count, 200);
    for (int i = 0; i < 200; i++) {
        assert_true(run.samples[i].histogram->positive.buckets[1] == i);
        assert_int_equal(run.samples[i].histogram->positive.spans[0].offset, -1);
        assert_null(run.samples[i].histogram->negative.buckets);
    }
    bench_close(&b);
}

static struct sample counted(struct bench *b, int64_t t_ms, double count, enum histogram_hint hint)
{
    struct histogram *h = small_histogram(b, count);
    h->hint = hint;
    return (struct sample){.t_ms = t_ms, .histogram = h};
}

static void the_store_decides_the_hint_of_a_histogram(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    const struct sample samples[] = {
        counted(&b, START_MS + 1, 1, HINT_NOT_RESET), counted(&b, START_MS + 2, 2, HINT_UNKNOWN),
        counted(&b, START_MS + 3, 1, HINT_NOT_RESET), counted(&b, START_MS + 4, 5, HINT_RESET),
        counted(&b, START_MS + 5, 1, HINT_GAUGE),     counted(&b, START_MS + 6, 7, HINT_UNKNOWN),
        {.t_ms = START_MS + 7, .value = stale_nan()}, counted(&b, START_MS + 8, 8, HINT_UNKNOWN),
        counted(&b, START_MS + 9, 8, HINT_UNKNOWN),
    };
    static const enum histogram_hint expected[] = {HINT_UNKNOWN, HINT_NOT_RESET, HINT_UNKNOWN,
                                                   HINT_UNKNOWN, HINT_GAUGE,     HINT_UNKNOWN,
                                                   HINT_UNKNOWN, HINT_UNKNOWN,   HINT_NOT_RESET};
    size_t count = sizeof samples / sizeof *samples;
    bench_push_all(&b, up(&b), samples, count, NULL);
    struct sample_run run = all_of(&b, up(&b));
    assert_int_equal(run.count, count);
    for (size_t i = 0; i < count; i++)
        if (samples[i].histogram != NULL)
            assert_int_equal(run.samples[i].histogram->hint, expected[i]);
    bench_close(&b);
}

static void a_late_histogram_takes_the_certainty_of_the_next_one(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS, .out_of_order_ms = HOUR_MS});
    const struct sample samples[] = {counted(&b, START_MS + 1, 1, HINT_UNKNOWN),
                                     counted(&b, START_MS + 3, 3, HINT_UNKNOWN)};
    const struct sample late = counted(&b, START_MS + 2, 9, HINT_UNKNOWN);
    bench_push_all(&b, up(&b), samples, 2, NULL);
    bench_push_all(&b, up(&b), &late, 1, NULL);
    struct sample_run run = all_of(&b, up(&b));
    assert_int_equal(run.samples[1].histogram->hint, HINT_NOT_RESET);
    assert_int_equal(run.samples[2].histogram->hint, HINT_UNKNOWN);
    bench_close(&b);
}

static void the_limit_of_series_refuses_new_ones_only(void **state)
{
    (void)state;
    struct limits before = limits;
    limits.series = 2;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    uint64_t hits = limit_hits(LIMIT_series);
    assert_int_equal(bench_push(&b, labels_of(&b.arena, "a", "1", NULL), START_MS, 1), ADMIT_OK);
    assert_int_equal(bench_push(&b, labels_of(&b.arena, "a", "2", NULL), START_MS, 1), ADMIT_OK);
    assert_int_equal(bench_push(&b, labels_of(&b.arena, "a", "3", NULL), START_MS, 1), ADMIT_SERIES_LIMIT);
    assert_int_equal(bench_push(&b, labels_of(&b.arena, "a", "1", NULL), START_MS + 1, 1), ADMIT_OK);
    assert_int_equal(limit_hits(LIMIT_series), hits + 1);
    bench_close(&b);
    limits = before;
}

static enum admit_reason push_as(struct bench *b, uint16_t identity, const struct labels *ls, int64_t t_ms)
{
    struct sample s = {.t_ms = t_ms, .value = 1};
    struct batch_series series = {ls->item, ls->count, &s, 1};
    struct admit_result result = {0};
    store_admit(b->store, &(struct batch){.series = &series, .count = 1, .identity = identity}, &result);
    return result.first;
}

static const struct labels *numbered(struct bench *b, const char *name, int i)
{
    return labels_of(&b->arena, "__name__", name, "i", arena_format(&b->arena, "%d", i), NULL);
}

static void expect_identity(struct bench *b, const char *name, uint64_t series, uint64_t refused)
{
    struct store_identity *list;
    size_t count, i = 0;
    assert_int_equal(store_identities(b->store, &b->arena, &list, &count), 0);
    while (i < count && !str_is(list[i].name, name))
        i++;
    assert_int_equal(i < count ? list[i].series : 0, series);
    assert_int_equal(i < count ? list[i].refused : 0, refused);
}

static void each_identity_has_its_share_of_series(void **state)
{
    (void)state;
    struct limits before = limits;
    struct bench b;
    limits.series_per_identity = 3;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    uint16_t one = store_identity(b.store, STR("one")), two = store_identity(b.store, STR("two"));
    assert_int_not_equal(one, two);
    assert_int_equal(store_identity(b.store, STR("one")), one);
    for (int i = 0; i < 5; i++)
        assert_int_equal(push_as(&b, one, numbered(&b, "a", i), START_MS),
                         i < 3 ? ADMIT_OK : ADMIT_IDENTITY_LIMIT);
    for (int i = 0; i < 3; i++)
        assert_int_equal(push_as(&b, two, numbered(&b, "b", i), START_MS), ADMIT_OK);
    assert_int_equal(push_as(&b, 0, numbered(&b, "rule", 1), START_MS), ADMIT_OK);
    assert_int_equal(push_as(&b, two, numbered(&b, "a", 0), START_MS + 1), ADMIT_OK); /* it is there */
    expect_identity(&b, "one", 3, 2);
    expect_identity(&b, "two", 3, 0);
    bench_at(&b, START_MS + HOUR_MS / 2);
    assert_int_equal(push_as(&b, one, numbered(&b, "a", 2), START_MS + HOUR_MS / 2), ADMIT_OK);
    bench_at(&b, START_MS + HOUR_MS + MINUTE_MS);
    store_retire(b.store);
    expect_identity(&b, "one", 1, 2);
    expect_identity(&b, "two", 0, 0);
    assert_int_equal(push_as(&b, one, numbered(&b, "a", 9), START_MS + HOUR_MS), ADMIT_OK);
    limits = before;
    bench_close(&b);
}

static void numbers_of_identities_are_bounded_and_used_again(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = 10 * HOUR_MS});
    uint16_t numbers[2000];
    for (int i = 0; i < 2000; i++)
        numbers[i] = store_identity(b.store, str_of(arena_format(&b.arena, "tenant-%d", i)));
    assert_int_not_equal(numbers[0], numbers[1]);
    assert_int_equal(numbers[1998], numbers[1999]); /* beyond them all are one */
    assert_int_equal(push_as(&b, numbers[0], numbered(&b, "a", 0), START_MS), ADMIT_OK);
    assert_int_equal(push_as(&b, numbers[1999], numbered(&b, "a", 1), START_MS), ADMIT_OK);
    expect_identity(&b, "others", 1, 0);
    bench_at(&b, START_MS + HOUR_MS + MINUTE_MS);
    assert_int_equal(store_identity(b.store, STR("late")), numbers[1]); /* the first has series */
    assert_int_equal(store_identity(b.store, STR("tenant-0")), numbers[0]);
    expect_identity(&b, "tenant-0", 1, 0);
    bench_close(&b);
}

static void expect_refused(struct bench *b, size_t at, const char *metric, uint64_t count, uint64_t over)
{
    struct store_refused *list;
    size_t n;
    assert_int_equal(store_refusals(b->store, &b->arena, &list, &n), 0);
    assert_true(at < n);
    if (!str_is(list[at].metric, metric) || list[at].count != count || list[at].over != over)
        fail_msg("expected %s %llu, got %.*s %llu (%llu)", metric, (unsigned long long)count,
                 STR_ARG(list[at].metric), (unsigned long long)list[at].count,
                 (unsigned long long)list[at].over);
}

static void what_was_refused_most_is_named(void **state)
{
    (void)state;
    struct limits before = limits;
    struct bench b;
    limits.series = 1;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    assert_int_equal(bench_push(&b, up(&b), START_MS, 1), ADMIT_OK);
    for (int i = 0; i < 1000; i++) {
        bench_push(&b, numbered(&b, "flood", i), START_MS, 1);
        bench_push(&b, numbered(&b, arena_format(&b.arena, "rare_%d", i % 200), i), START_MS, 1);
        if (i % 2 == 0)
            bench_push(&b, numbered(&b, "other", i), START_MS, 1);
    }
    expect_refused(&b, 0, "flood", 1000, 0);
    expect_refused(&b, 1, "other", 500, 0);
    bench_at(&b, START_MS + HOUR_MS);
    bench_push(&b, numbered(&b, "flood", 1), START_MS + HOUR_MS, 1);
    expect_refused(&b, 0, "flood", 1001, 0);
    bench_at(&b, START_MS + 2 * HOUR_MS);
    expect_refused(&b, 0, "flood", 1, 0);
    bench_at(&b, START_MS + 9 * HOUR_MS);
    struct store_refused *list;
    size_t count;
    assert_int_equal(store_refusals(b.store, &b.arena, &list, &count), 0);
    assert_int_equal(count, 0);
    limits = before;
    bench_close(&b);
}

/* A sender that got no answer sends all of it again. */
static void samples_that_are_there_may_be_sent_again(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    const struct histogram h = {.schema = 1, .count = 1, .zero_count = 1};
    static struct sample samples[COUNT];
    for (int i = 0; i < COUNT; i++)
        samples[i] = (struct sample){
            .t_ms = START_MS + i, .value = i % 100 == 0 ? 0 : i, .histogram = i % 100 == 0 ? &h : NULL};
    for (int round = 0; round < 2; round++) {
        struct admit_result r = bench_push_all(&b, up(&b), samples, COUNT, NULL);
        assert_int_equal(r.first, ADMIT_OK);
        assert_int_equal(r.appended, round == 0 ? COUNT : 0);
        assert_int_equal(r.appended_histograms, round == 0 ? COUNT / 100 : 0);
    }
    assert_int_equal(bench_figures(&b).samples, COUNT);
    assert_int_equal(bench_push(&b, up(&b), START_MS + 77, 78), ADMIT_OUT_OF_ORDER); /* another value */
    assert_int_equal(bench_push(&b, up(&b), START_MS + 100, 0), ADMIT_OUT_OF_ORDER); /* no histogram */
    assert_int_equal(bench_push(&b, up(&b), START_MS - 1, 0), ADMIT_OUT_OF_ORDER);   /* not there */
    bench_close(&b);
}

static void the_limit_of_memory_refuses_samples_and_series(void **state)
{
    (void)state;
    struct limits before = limits;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    assert_int_equal(bench_push(&b, up(&b), START_MS, 1), ADMIT_OK);
    limits.store_bytes = (int64_t)bench_figures(&b).bytes + (1 << 20);
    enum admit_reason reason = ADMIT_OK;
    for (int i = 1; i < 200000 && reason == ADMIT_OK; i++) /* values that hardly shrink */
        reason = bench_push(&b, up(&b), START_MS + i, (double)((uint32_t)i * 2654435761u) / 7);
    assert_int_equal(reason, ADMIT_MEMORY_LIMIT);
    assert_true((int64_t)bench_figures(&b).bytes <= limits.store_bytes);
    limits.store_bytes = (int64_t)bench_figures(&b).bytes;
    assert_int_equal(bench_push(&b, labels_of(&b.arena, "a", "3", NULL), START_MS, 1), ADMIT_MEMORY_LIMIT);
    bench_close(&b);
    limits = before;
}

static void retention_drops_samples_and_then_the_series(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    uint64_t removed = stat_get(STAT_series_removed);
    uint64_t empty_bytes = bench_figures(&b).bytes;
    for (int i = 0; i < 3000; i++)
        bench_push(&b, up(&b), START_MS + i, i);
    bench_at(&b, START_MS + HOUR_MS / 2);
    bench_push(&b, labels_of(&b.arena, "a", "1", NULL), START_MS + HOUR_MS / 2, 1);
    bench_at(&b, START_MS + HOUR_MS + 2500);
    store_retire(b.store);
    struct store_figures f = bench_figures(&b);
    assert_int_equal(f.series, 2);
    assert_in_range(f.samples, 501, 501 + 1024);
    bench_at(&b, START_MS + HOUR_MS + 3001);
    store_retire(b.store);
    assert_int_equal(bench_figures(&b).series, 1);
    assert_int_equal(bench_figures(&b).samples, 1);
    assert_int_equal(bench_figures(&b).oldest_ms, START_MS + HOUR_MS / 2);
    assert_int_equal(stat_get(STAT_series_removed), removed + 1);
    bench_at(&b, START_MS + 3 * HOUR_MS);
    store_retire(b.store);
    assert_int_equal(bench_figures(&b).series, 0);
    assert_int_equal(bench_figures(&b).newest_ms, 0);
    assert_in_range(bench_figures(&b).bytes, empty_bytes, empty_bytes + (200 << 10));
    bench_close(&b);
}

/* A minute in which each of many instances is replaced: new series under old and new label values, four samples each. */
static void churn_minute(struct bench *b, int64_t minute)
{
    enum { INSTANCES = 200 };
    struct arena_mark mark = arena_mark(&b->arena);
    for (int i = 0; i < INSTANCES; i++) {
        const char *pod = arena_format(&b->arena, "pod-%05lld-%03d", (long long)minute, i);
        const char *zone = arena_format(&b->arena, "zone-%lld", (long long)minute % 3);
        const struct labels *ls =
            labels_of(&b->arena, "__name__", "up", "job", "api", "pod", pod, "zone", zone, NULL);
        for (int64_t t = 0; t < MINUTE_MS; t += MINUTE_MS / 4) {
            bench_at(b, START_MS + minute * MINUTE_MS + t);
            must(bench_push(b, ls, START_MS + minute * MINUTE_MS + t, i) == ADMIT_OK);
        }
    }
    store_retire(b->store);
    arena_rewind(&b->arena, mark);
}

/* E4: memory depends on what is held, not on how much has come and gone. */
static void e4_churn_gives_its_memory_back(void **state)
{
    enum { RETENTION_MIN = 10, ROUNDS = 20 };
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = RETENTION_MIN * MINUTE_MS});
    uint64_t settled = 0;
    for (int64_t minute = 0; minute < (int64_t)RETENTION_MIN * ROUNDS * 3; minute++) {
        churn_minute(&b, minute);
        if (minute == 6 * RETENTION_MIN)
            settled = bench_figures(&b).bytes;
        if (minute > 6 * RETENTION_MIN && minute % (3 * RETENTION_MIN) == 0)
            assert_int_equal(bench_figures(&b).bytes, settled);
    }
    bench_at(&b, START_MS + HOUR_MS * 100);
    store_retire(b.store);
    store_trim(b.store);
    assert_int_equal(bench_figures(&b).series + bench_figures(&b).samples, 0);
    assert_in_range(bench_figures(&b).bytes, 0, settled * 2 / 3); /* tables are kept for the next */
    bench_close(&b);
}

static void a_series_that_died_can_come_back(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    for (int round = 0; round < 5; round++) {
        int64_t now_ms = START_MS + round * 2 * HOUR_MS;
        bench_at(&b, now_ms);
        store_retire(b.store);
        assert_int_equal(bench_figures(&b).series, 0);
        assert_int_equal(bench_push(&b, up(&b), now_ms, round), ADMIT_OK);
        assert_int_equal(all_of(&b, up(&b)).count, 1);
    }
    bench_close(&b);
}

static void unreferenced_series_are_left_out_when_asked(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.keep = STORE_KEEP_REFERENCED});
    struct matcher m = bench_matcher("job", MATCH_EQUAL, "api");
    struct standing *standing;
    assert_int_equal(store_stand(b.store, &m, 1, MINUTE_MS, &standing, NULL), 0);
    assert_int_equal(bench_push(&b, up(&b), START_MS, 1), ADMIT_OK);
    struct sample s = {.t_ms = START_MS, .value = 1};
    struct buf detail;
    buf_init(&detail, 4096);
    struct admit_result r = bench_push_all(&b, labels_of(&b.arena, "job", "db", NULL), &s, 1, &detail);
    assert_int_equal(r.first, ADMIT_OK);
    assert_int_equal(r.refused[ADMIT_UNREFERENCED], 1);
    assert_int_equal(detail.used, 0);
    assert_int_equal(bench_figures(&b).series, 1);
    store_configure(b.store, &(struct store_options){.keep = STORE_KEEP_ALL});
    assert_int_equal(bench_push(&b, labels_of(&b.arena, "job", "db", NULL), START_MS, 1), ADMIT_OK);
    assert_int_equal(bench_figures(&b).series, 2);
    bench_close(&b);
}

static void expect_top(const struct store_top *top, size_t at, const char *name, uint64_t value)
{
    assert_true(at < top->count);
    if (!str_is(top->items[at].name, name) || top->items[at].value != value)
        fail_msg("expected %s %llu, got %.*s %llu", name, (unsigned long long)value,
                 STR_ARG(top->items[at].name), (unsigned long long)top->items[at].value);
}

/* More pairs than are looked at under one hold of the index. */
static void push_many(struct bench *b)
{
    for (int i = 0; i < 10000; i++) {
        struct arena_mark mark = arena_mark(&b->arena);
        const char *metric = arena_format(&b->arena, "metric_%d", i % 100 < 60 ? 0 : i % 7);
        const char *pod = arena_format(&b->arena, "%05d", i);
        const char *zone = i % 4 == 0 ? "b" : "a";
        const struct labels *ls =
            labels_of(&b->arena, "__name__", metric, "pod", pod, "zone", zone, "lonely",
                      i == 9999 ? "a rather long value for a label that only one series has" : "", NULL);
        must(bench_push(b, ls, START_MS, 1) == ADMIT_OK);
        arena_rewind(&b->arena, mark);
    }
}

static void the_largest_metrics_and_labels_are_told(void **state)
{
    (void)state;
    struct bench b;
    struct store_tops tops;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    assert_int_equal(store_tops(b.store, 3, &b.arena, &tops), 0);
    assert_int_equal(tops.metrics.count + tops.pairs.count + tops.names_by_bytes.count, 0);
    push_many(&b);
    assert_int_equal(store_tops(b.store, 3, &b.arena, &tops), 0);
    assert_int_equal(tops.metrics.count, 3);
    expect_top(&tops.metrics, 0, "metric_0", 6572);
    expect_top(&tops.metrics, 1, "metric_1", 572);
    expect_top(&tops.metrics, 2, "metric_6", 572);
    expect_top(&tops.pairs, 0, "zone=a", 7500);
    expect_top(&tops.pairs, 1, "__name__=metric_0", 6572);
    expect_top(&tops.pairs, 2, "zone=b", 2500);
    expect_top(&tops.names_by_values, 0, "pod", 10000);
    expect_top(&tops.names_by_values, 1, "__name__", 7);
    expect_top(&tops.names_by_values, 2, "zone", 2);
    expect_top(&tops.names_by_bytes, 0, "pod", 50000);
    expect_top(&tops.names_by_bytes, 1, "__name__", 56);
    expect_top(&tops.names_by_bytes, 2, "lonely", 56);
    struct store_figures f = bench_figures(&b);
    assert_int_equal(f.pairs, 10000 + 7 + 2 + 1);
    assert_int_equal(f.text_bytes, 50000 + 56 + 56 + 2 + 3 + 8 + 4 + 6);
    assert_int_equal(store_tops(b.store, 20000, &b.arena, &tops), 0);
    assert_int_equal(tops.pairs.count, 10010);
    struct arena small;
    for (size_t cap = 1000; cap < 400000; cap *= 2) {
        arena_init(&small, cap);
        assert_int_equal(store_tops(b.store, 10000, &small, &tops), ERR_LIMIT);
        arena_release(&small);
    }
    bench_at(&b, START_MS + 2 * HOUR_MS);
    store_retire(b.store);
    assert_int_equal(store_tops(b.store, 3, &b.arena, &tops), 0);
    assert_int_equal(tops.metrics.count + tops.pairs.count + tops.names_by_values.count, 0);
    assert_int_equal(bench_figures(&b).text_bytes + bench_figures(&b).pairs, 0);
    bench_close(&b);
}

static void every_reason_has_its_text(void **state)
{
    (void)state;
    for (int i = ADMIT_OK; i < ADMIT_REASON_COUNT; i++)
        assert_non_null(admit_reason_text((enum admit_reason)i));
    assert_string_equal(admit_reason_text(ADMIT_OUT_OF_ORDER), "out of order sample");
    assert_string_equal(admit_reason_text(ADMIT_FUTURE), "out of bounds");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_come_back_in_order),
        cmocka_unit_test(older_samples_are_out_of_order),
        cmocka_unit_test(the_newest_sample_may_be_repeated_but_not_changed),
        cmocka_unit_test(the_out_of_order_window_lets_late_samples_in),
        cmocka_unit_test(samples_far_ahead_or_beyond_retention_are_refused),
        cmocka_unit_test(a_refusal_names_the_series_once),
        cmocka_unit_test(start_timestamps_are_kept),
        cmocka_unit_test(native_histograms_are_copied_in_and_out),
        cmocka_unit_test(the_store_decides_the_hint_of_a_histogram),
        cmocka_unit_test(a_late_histogram_takes_the_certainty_of_the_next_one),
        cmocka_unit_test(the_limit_of_series_refuses_new_ones_only),
        cmocka_unit_test(each_identity_has_its_share_of_series),
        cmocka_unit_test(numbers_of_identities_are_bounded_and_used_again),
        cmocka_unit_test(what_was_refused_most_is_named),
        cmocka_unit_test(samples_that_are_there_may_be_sent_again),
        cmocka_unit_test(the_limit_of_memory_refuses_samples_and_series),
        cmocka_unit_test(retention_drops_samples_and_then_the_series),
        cmocka_unit_test(e4_churn_gives_its_memory_back),
        cmocka_unit_test(a_series_that_died_can_come_back),
        cmocka_unit_test(unreferenced_series_are_left_out_when_asked),
        cmocka_unit_test(the_largest_metrics_and_labels_are_told),
        cmocka_unit_test(every_reason_has_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
