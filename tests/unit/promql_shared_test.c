/* What several expressions have in common is computed once, and each says what it would say alone. */
#include "tocsin/promql.h"

#include "random_help.h"
#include "tocsin/check.h"
#include "tocsin/histogram.h"
#include "tocsin/mem.h"
#include "tocsin/promqltest.h"
#include "tocsin/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MINUTE_MS = 60 * 1000, AT_MS = 15 * MINUTE_MS, QUERIES_MAX = 16 };

struct bench {
    struct world_sim sim;
    struct store *store;
    struct view *view;
    struct arena arena;
    struct promql_options options;
    struct promql *queries[QUERIES_MAX];
    size_t count;
    struct promql_shared *shared;
};

static void load_from(struct bench *b, const char *metric, const char *values, int64_t start_ms)
{
    struct labels *labels;
    struct sample *samples;
    struct batch_series series = {0};
    struct batch batch = {.series = &series, .count = 1};
    struct admit_result result = {0};
    must(promqltest_series(&b->arena, str_of(metric), str_of(values), start_ms, MINUTE_MS, &labels, &samples,
                           &series.sample_count, NULL) == 0);
    series.labels = labels->item;
    series.label_count = labels->count;
    series.samples = samples;
    store_admit(b->store, &batch, &result);
    must(result.first == ADMIT_OK);
}

static void load(struct bench *b, const char *metric, const char *values)
{
    load_from(b, metric, values, 0);
}

static void begin(struct bench *b)
{
    struct store_options options = {.retention_ms = INT64_C(1000) * 3600 * 1000};
    memset(b, 0, sizeof *b);
    world_sim_init(&b->sim, INT64_C(100) * 3600 * NS_PER_S, 1);
    b->store = store_open(&options, &b->sim.world);
    arena_init(&b->arena, 64 << 20);
    b->options = (struct promql_options){.features = promql_features_default};
    b->view = view_open(b->store);
}

static void add(struct bench *b, const char *text)
{
    struct err err = {0};
    must(b->count < QUERIES_MAX);
    int code = promql_open(str_of(text), &b->options, b->store, &b->queries[b->count], &err);
    if (code != 0)
        fail_msg("%s: %s", text, err.text);
    b->count++;
}

/* Nothing but what is recorded as "rec" is written by those who share. */
static bool is_rec(void *context, struct str metric)
{
    (void)context;
    return str_is(metric, "rec");
}

static size_t share(struct bench *b)
{
    size_t parts = promql_share(b->queries, b->count, is_rec, NULL);
    b->shared = promql_shared_open(parts, AT_MS);
    return parts;
}

static void drop_queries(struct bench *b)
{
    promql_shared_close(b->shared);
    b->shared = NULL;
    while (b->count > 0)
        promql_close(b->queries[--b->count]);
}

static void end(struct bench *b)
{
    drop_queries(b);
    view_close(b->view);
    store_close(b->store);
    arena_release(&b->arena);
}

/* ---- all an expression says, in words ---- */

static void add_points(struct buf *out, const struct promql_series *s)
{
    labels_print(out, s->labels);
    for (size_t i = 0; i < s->count; i++) {
        uint64_t bits;
        memcpy(&bits, &s->points[i].value, sizeof bits);
        buf_format(out, " %lld:", (long long)s->points[i].t_ms);
        if (s->points[i].histogram != NULL)
            histogram_print(out, s->points[i].histogram);
        else
            buf_format(out, "%016llx", (unsigned long long)bits);
    }
    buf_char(out, '\n');
}

static void say(struct bench *b, size_t at, struct promql_shared *shared, struct buf *out)
{
    struct promql_result r;
    struct err err = {0};
    int code = promql_instant_shared(b->queries[at], b->view, AT_MS, shared, &b->arena, &r, &err);
    buf_clear(out);
    buf_format(out, "%d %s\n", code, code != 0 ? err.text : "");
    if (code != 0)
        return;
    buf_format(out, "%a\n", r.scalar);
    for (size_t i = 0; i < r.count; i++)
        add_points(out, &r.series[i]);
    for (size_t i = 0; i < r.annotation_count; i++)
        buf_format(out, "%d %.*s\n", (int)r.annotations[i].kind, STR_ARG(r.annotations[i].text));
    must(!buf_overflow(out));
}

/* What it says with the others, from what it says alone. */
static void expect_same(struct bench *b, size_t at, const char *text)
{
    struct buf alone, shared;
    buf_init(&alone, 1 << 20);
    buf_init(&shared, 1 << 20);
    say(b, at, NULL, &alone);
    say(b, at, b->shared, &shared);
    if (strcmp(buf_text(&alone), buf_text(&shared)) != 0)
        fail_msg("%s\nalone:\n%swith others:\n%s", text, buf_text(&alone), buf_text(&shared));
    buf_release(&alone);
    buf_release(&shared);
}

/* ---- which parts ---- */

static size_t parts_of(const char *const *texts)
{
    struct bench b;
    begin(&b);
    b.options.features = promql_features_all;
    for (size_t i = 0; texts[i] != NULL; i++)
        add(&b, texts[i]);
    size_t parts = share(&b);
    end(&b);
    return parts;
}

static void what_is_dear_and_stands_twice_is_shared(void **state)
{
    (void)state;
    static const struct {
        size_t parts;
        const char *texts[4];
    } cases[] = {
        {1, {"sum(rate(x[5m])) > 1", "sum(rate(x[5m])) < 9"}},
        {1, {"sum(rate(x[5m])) > 1 and sum(rate(x[5m])) < 9"}},
        {1, {"sum(x)", " ( sum ( x{} ) ) "}},
        {1, {"sum(x{a=\"1\",b=\"2\"})", "sum(x{b=\"2\",a=\"1\"})"}},
        /* the whole, not its sides; these, if they stand elsewhere, too */
        {1, {"sum(a) / sum(b) > 1", "(sum(a) / sum(b)) < 1"}},
        {2, {"sum(a) / sum(b) > 1", "(sum(a) / sum(b)) < 1", "sum(b)"}},
        {2, {"sum(b)", "sum(a) / sum(b) > 1", "(sum(a) / sum(b)) < 1"}},
        {1, {"histogram_quantile(0.9, sum by (le) (x))", "histogram_quantile(0.5, sum by (le) (x))"}},
        {1, {"max_over_time(sum(x)[1h:1m])", "max_over_time(sum(x)[1h:1m]) > 1"}},
        {1, {"sum(x @ 60 offset 1m)", "-sum(x @ 60 offset 1m)"}},
        /* nothing to save, or not the same */
        {0, {"x > 5", "x > 5"}},
        {0, {"vector(1)", "vector(1)"}},
        {0, {"sum(vector(1))", "sum(vector(1))"}},
        {0, {"sum(x)", "sum(y)"}},
        {0, {"sum(x)", "sum by (a) (x)"}},
        {0, {"rate(x[5m])", "rate(x[6m])"}},
        {0, {"sum(x)", "sum(x offset 1m)"}},
        {0, {"max_over_time(sum(x)[1h:1m])", "sum(x)"}},
        {0, {"info(sum by (job) (x))", "info(sum by (job) (y))"}},
        /* alike, and read otherwise: the names of one are seen, the other's are not */
        {0, {"rate(x[5m])", "sum(rate(x[5m]))"}},
        {0, {"sum by (a) (rate(x[5m]))", "rate(x[5m])"}},
        {0, {"histogram_count(sum(x))", "sum(x)"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t parts = parts_of(cases[i].texts);
        if (parts != cases[i].parts)
            fail_msg("%s, %s: %zu parts", cases[i].texts[0], cases[i].texts[1], parts);
    }
}

/* Seen by a sample that comes in between. */
static void a_part_is_computed_once_until_what_it_reads_is_written(void **state)
{
    (void)state;
    struct bench b;
    struct buf first, second;
    buf_init(&first, 4096);
    buf_init(&second, 4096);
    begin(&b);
    load(&b, "x", "1x15");
    load(&b, "rec", "1x15");
    add(&b, "sum(x)");
    add(&b, "sum(x)");
    add(&b, "sum(rec)");
    add(&b, "sum(rec)");
    assert_int_equal(share(&b), 2);
    say(&b, 0, b.shared, &first);
    load(&b, "x{a=\"new\"}", "5x15");
    promql_shared_forget(b.shared);
    say(&b, 1, b.shared, &second);
    assert_string_equal(buf_text(&first), buf_text(&second));
    say(&b, 2, b.shared, &first);
    load(&b, "rec{a=\"new\"}", "5x15");
    say(&b, 3, b.shared, &second);
    assert_string_equal(buf_text(&first), buf_text(&second));
    promql_shared_forget(b.shared);
    say(&b, 2, b.shared, &second);
    assert_string_not_equal(buf_text(&first), buf_text(&second));
    say(&b, 3, NULL, &first);
    assert_string_equal(buf_text(&first), buf_text(&second));
    end(&b);
    buf_release(&first);
    buf_release(&second);
}

/* A selector without a name may find whatever is written. */
static void series_of_any_name_may_have_been_written(void **state)
{
    (void)state;
    static const char *const texts[] = {"sum({j=\"1\"})", "sum({__name__=~\"x|rec\"})",
                                        "max_over_time(sum(rec)[10m:1m])", "sum(x) + sum(rec)"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct bench b;
        struct buf out;
        buf_init(&out, 4096);
        begin(&b);
        load(&b, "x{j=\"1\"}", "1x15");
        load(&b, "rec{j=\"1\"}", "1x15");
        add(&b, texts[i]);
        add(&b, texts[i]);
        assert_int_equal(share(&b), 1);
        say(&b, 0, b.shared, &out);
        load(&b, "rec{j=\"1\",a=\"new\"}", "5x15");
        promql_shared_forget(b.shared);
        expect_same(&b, 1, texts[i]);
        end(&b);
        buf_release(&out);
    }
}

/* ---- annotations and limits ---- */

static void annotations_stand_where_the_part_stands(void **state)
{
    (void)state;
    struct bench b;
    struct promql_result r;
    struct err err;
    static const char *const texts[] = {
        "sum(rate(x[5m]))",
        "1 +\n  sum ( rate( x[5m] ) ) > bool\n 0",
        "quantile(7, a) + sum(rate(x[5m])) + on() sum(rate(x[5m]))",
        "sum(rate(x[5m])) + sum(rate(x[6m]))",
    };
    static const char doubt[] =
        "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"x\"";
    static const char *const places[] = {"(1:10)", "(2:15)", "(1:51)", "(1:29)"};
    begin(&b);
    load(&b, "x", "1x15");
    load(&b, "a", "1x15");
    for (size_t i = 0; i < 4; i++)
        add(&b, texts[i]);
    assert_int_equal(share(&b), 1);
    for (size_t i = 0; i < 4; i++) {
        char expected[256];
        snprintf(expected, sizeof expected, "%s %s", doubt, places[i]);
        must(promql_instant_shared(b.queries[i], b.view, AT_MS, b.shared, &b.arena, &r, &err) == 0);
        assert_int_equal(r.annotation_count, i == 2 ? 2 : 1);
        struct str text = r.annotations[r.annotation_count - 1].text;
        if (!str_is(text, expected))
            fail_msg("%.*s instead of %s", STR_ARG(text), expected);
        expect_same(&b, i, texts[i]);
    }
    end(&b);
}

/* Counters that began before the sample before: told once for each series, each time. */
static void load_overlapping(struct bench *b, const char *i)
{
    struct sample samples[] = {{.t_ms = AT_MS - 2 * MINUTE_MS, .value = 1},
                               {.t_ms = AT_MS - MINUTE_MS, .value = 2, .start_ms = AT_MS - 3 * MINUTE_MS}};
    const struct labels *ls = labels_of(&b->arena, "__name__", "n_total", "i", i, NULL);
    struct batch_series series = {ls->item, ls->count, samples, 2};
    struct batch batch = {.series = &series, .count = 1};
    struct admit_result result = {0};
    store_admit(b->store, &batch, &result);
    must(result.first == ADMIT_OK);
}

static void what_is_told_is_counted_wherever_it_stands(void **state)
{
    (void)state;
    struct bench b;
    struct buf out;
    buf_init(&out, 4096);
    begin(&b);
    b.options.features.start_timestamps = true;
    load_overlapping(&b, "0");
    load_overlapping(&b, "1");
    add(&b, "sum(rate(n_total[5m])) + on() sum(rate(n_total[5m])) > 0");
    assert_int_equal(share(&b), 1);
    say(&b, 0, b.shared, &out);
    assert_non_null(strstr(buf_text(&out), "(4 occurrences) (1:40)"));
    expect_same(&b, 0, "twice");
    end(&b);
    buf_release(&out);
}

/* The second is the first, while nine are held already; the third is only there to stand in the first, too. */
static void expect_limits(const char *const *texts, size_t parts)
{
    bool refused = false;
    for (int64_t most = 1; most < 60; most++) {
        struct bench b;
        struct buf first, second;
        buf_init(&first, 4096);
        buf_init(&second, 4096);
        begin(&b);
        b.options.samples_max = most;
        for (int i = 0; i < 9; i++) {
            char name[32];
            snprintf(name, sizeof name, "x{i=\"%d\"}", i);
            load(&b, name, "1x15");
        }
        for (size_t i = 0; i < 3; i++)
            add(&b, texts[i]);
        assert_int_equal(share(&b), parts);
        say(&b, 0, b.shared, &first);
        expect_same(&b, 1, texts[1]);
        say(&b, 1, NULL, &second);
        refused |= strncmp(buf_text(&first), "0 ", 2) == 0 && strncmp(buf_text(&second), "0 ", 2) != 0;
        end(&b);
        buf_release(&first);
        buf_release(&second);
    }
    assert_true(refused);
}

static void what_holds_too_many_samples_does_so_with_others(void **state)
{
    (void)state;
    static const char *const plain[] = {"count(sum by (i) (x) * 2)",
                                        "x + on() group_left () count(sum by (i) (x) * 2)", "x"};
    static const char *const nested[] = {
        "count(sum by (i) (x) * 2) + count(x{i=\"0\"})",
        "x + on() group_left () (count(sum by (i) (x) * 2) + count(x{i=\"0\"}))", "count(x{i=\"0\"})"};
    expect_limits(plain, 1);
    expect_limits(nested, 2);
}

/* What is kept is bounded. Past that parts are computed where they stand, as is seen by a series that comes in between. */
static void a_part_that_is_too_large_is_computed_again(void **state)
{
    (void)state;
    enum { SERIES = 8000, NAME_BYTES = 2500 };
    struct bench b;
    struct buf text;
    struct promql_result r;
    struct err err;
    buf_init(&text, 4096);
    begin(&b);
    buf_puts(&text, "x{long=\"");
    buf_repeat(&text, 'a', NAME_BYTES);
    size_t fixed = text.used;
    for (int i = 0; i < SERIES; i++) {
        buf_truncate(&text, fixed);
        buf_format(&text, "\",i=\"%d\"}", i);
        load_from(&b, buf_text(&text), "1", AT_MS);
        arena_clear(&b.arena);
    }
    add(&b, "abs(x)");
    add(&b, "abs(x) > 0");
    assert_int_equal(share(&b), 1);
    for (size_t i = 0; i < 2; i++) {
        arena_clear(&b.arena);
        assert_int_equal(promql_instant_shared(b.queries[i], b.view, AT_MS, b.shared, &b.arena, &r, &err), 0);
        assert_int_equal(r.count, SERIES + i);
        load_from(&b, "x", "1", AT_MS);
    }
    end(&b);
    buf_release(&text);
}

/* ---- whatever they are made of ---- */

enum { GROUPS = 400, POOL = 4, TEXT_MAX = 4096 };

static const char *any_of(uint64_t *random, const char *const *items, size_t count)
{
    return items[random_below(random, count)];
}

#define ANY_OF(random, ...)                              \
    any_of((random), (const char *const[]){__VA_ARGS__}, \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

struct pool {
    char texts[POOL][TEXT_MAX];
    size_t count;
};

static void add_vector(struct buf *out, uint64_t *random, const struct pool *pool, int depth);

static const char *any_selector(uint64_t *random)
{
    return ANY_OF(random, "g", "n_total", "n_total", "h", "mixed", "rec", "g{j=\"1\"}", "{i=\"0\"}",
                  "n_total offset 2m", "nothing", "b_bucket");
}

/* A function or an operator around a vector: what stands in front and behind. */
static void add_around(struct buf *out, uint64_t *random, const struct pool *pool, int depth,
                       const char *const (*around)[2])
{
    buf_puts(out, (*around)[0]);
    add_vector(out, random, pool, depth - 1);
    buf_puts(out, (*around)[1]);
}

static void add_call(struct buf *out, uint64_t *random, const struct pool *pool, int depth)
{
    static const char *const around[][2] = {
        {"histogram_quantile(0.9, ", ")"},
        {"histogram_quantile(7, ", ")"},
        {"histogram_count(", ")"},
        {"abs(", ")"},
        {"absent(", ")"},
        {"sort_desc(", ")"},
        {"clamp_min(", ", 2)"},
        {"max_over_time((", ")[5m:1m])"},
        {"label_replace(", ", \"j\", \"new$1\", \"i\", \"(.*)\")"},
    };
    if (random_below(random, 2) == 0)
        add_around(out, random, pool, depth, &around[random_below(random, sizeof around / sizeof around[0])]);
    else
        buf_format(out, "%s(%s[%s])",
                   ANY_OF(random, "rate", "rate", "increase", "sum_over_time", "avg_over_time",
                          "last_over_time", "changes", "delta", "stddev_over_time"),
                   ANY_OF(random, "g", "n_total", "h", "mixed", "rec", "{i=\"0\"}", "b_bucket"),
                   ANY_OF(random, "5m", "10m"));
}

static void add_aggregate(struct buf *out, uint64_t *random, const struct pool *pool, int depth)
{
    static const char *const around[][2] = {
        {"sum(", ")"},
        {"sum by (j) (", ")"},
        {"sum without (i) (", ")"},
        {"sum by (le) (", ")"},
        {"avg(", ")"},
        {"max by (i, j) (", ")"},
        {"count(", ")"},
        {"stddev by (j) (", ")"},
        {"topk(2, ", ")"},
        {"quantile(1.5, ", ")"},
        {"count_values without (i) (\"v\", ", ")"},
    };
    add_around(out, random, pool, depth, &around[random_below(random, sizeof around / sizeof around[0])]);
}

static void add_binary(struct buf *out, uint64_t *random, const struct pool *pool, int depth)
{
    static const char *const around[][2] = {
        {"-(", ")"}, {"(", ")"}, {"2 * (", ")"}, {"scalar(", ") * g"}, {"1 > bool (", ")"},
    };
    if (random_below(random, 3) == 0) {
        add_around(out, random, pool, depth, &around[random_below(random, 5)]);
        return;
    }
    buf_char(out, '(');
    add_vector(out, random, pool, depth - 1);
    buf_puts(out, ") ");
    buf_puts(out, ANY_OF(random, "+", "/", "-", "*", ">", "== bool", "and", "or", "unless", "/ on (j)",
                         "+ on (j) group_left ()", "and on (i)"));
    buf_puts(out, " (");
    add_vector(out, random, pool, depth - 1);
    buf_char(out, ')');
}

/* Out of the pool, or anew. */
static void add_vector(struct buf *out, uint64_t *random, const struct pool *pool, int depth)
{
    if (pool->count > 0 && random_below(random, 2) == 0) {
        buf_puts(out, pool->texts[random_below(random, pool->count)]);
        return;
    }
    uint64_t kind = random_below(random, 7);
    if (depth == 0 || kind == 0)
        buf_puts(out, any_selector(random));
    else if (kind < 3)
        add_call(out, random, pool, depth);
    else if (kind < 5)
        add_aggregate(out, random, pool, depth);
    else
        add_binary(out, random, pool, depth);
}

/* The same expression, at other positions. */
static char *spread(const char *text, uint64_t *random)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    bool quoted = false;
    for (const char *p = text; *p != '\0'; p++) {
        quoted ^= *p == '"';
        buf_char(&out, *p);
        if (!quoted && (*p == '(' || *p == ',' || *p == ')'))
            buf_puts(&out, ANY_OF(random, "", "", "", " ", "\n"));
    }
    char *copy = mem_copy_text(buf_text(&out), out.used);
    buf_release(&out);
    return copy;
}

static void load_all(struct bench *b)
{
    static const char histograms[] =
        "{{schema:0 sum:1 count:2 buckets:[1 1]}}+{{sum:2 count:3 buckets:[1 2]}}x16";
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"g", "n_total", "h", "mixed", "rec"};
        static const char *const values[] = {"3-0.3x16", "0+60.1x9 0+7x6", histograms, "0.1+1x16", "4+1x14"};
        for (size_t k = 0; k < 5; k++) {
            char metric[64];
            snprintf(metric, sizeof metric, "%s{i=\"%d\",j=\"%d\"}", names[k], i, i % 2);
            load(b, metric, k == 3 && i == 1 ? histograms : values[k]);
        }
    }
    load(b, "b_bucket{le=\"1\",i=\"0\"}", "0+1x16");
    load(b, "b_bucket{le=\"+Inf\",i=\"0\"}", "0+3x16");
    load(b, "b_bucket{le=\"odd\",i=\"0\"}", "0+3x16");
}

static void open_group(struct bench *b, uint64_t *random)
{
    static struct pool pool;
    struct buf text;
    buf_init(&text, TEXT_MAX - 1);
    pool.count = 0;
    while (pool.count < POOL) {
        buf_clear(&text);
        add_vector(&text, random, &pool, 2);
        if (buf_overflow(&text))
            continue;
        memcpy(pool.texts[pool.count++], buf_text(&text), text.used + 1);
    }
    while (b->count < 10) {
        buf_clear(&text);
        add_vector(&text, random, &pool, 2);
        char *spaced = spread(buf_text(&text), random);
        if (!buf_overflow(&text))
            add(b, spaced);
        mem_free(spaced);
    }
    buf_release(&text);
}

static void play(struct bench *b, uint64_t *random)
{
    int64_t newest_ms = AT_MS;
    struct buf text;
    buf_init(&text, 1 << 16);
    for (size_t i = 0; i < b->count; i++) {
        if (random_below(random, 3) == 0 && newest_ms == AT_MS) {
            load_from(b, "rec{i=\"0\",j=\"0\"}", "1000", newest_ms++);
            promql_shared_forget(b->shared);
        }
        buf_clear(&text);
        promql_print(&text, promql_expr(b->queries[i]));
        expect_same(b, i, buf_text(&text));
    }
    buf_release(&text);
}

static void random_groups_say_what_their_expressions_say_alone(void **state)
{
    (void)state;
    size_t parts = 0;
    for (uint64_t seed = 1; seed <= GROUPS; seed++) {
        struct bench b;
        uint64_t random = seed * 7919;
        begin(&b);
        b.options.features.delayed_name_removal = seed % 3 == 0;
        b.options.samples_max = seed % 5 == 0 ? 12 + (int64_t)random_below(&random, 60) : 0;
        load_all(&b);
        open_group(&b, &random);
        parts += share(&b);
        play(&b, &random);
        end(&b);
    }
    assert_true(parts > GROUPS); /* or this shows nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_dear_and_stands_twice_is_shared),
        cmocka_unit_test(a_part_is_computed_once_until_what_it_reads_is_written),
        cmocka_unit_test(series_of_any_name_may_have_been_written),
        cmocka_unit_test(annotations_stand_where_the_part_stands),
        cmocka_unit_test(what_is_told_is_counted_wherever_it_stands),
        cmocka_unit_test(what_holds_too_many_samples_does_so_with_others),
        cmocka_unit_test(a_part_that_is_too_large_is_computed_again),
        cmocka_unit_test(random_groups_say_what_their_expressions_say_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
