/* A ruler over a store on a simulated clock, for its tests. */
#ifndef TOCSIN_TESTS_RULER_HELP_H
#define TOCSIN_TESTS_RULER_HELP_H

#include "tocsin/check.h"
#include "tocsin/mem.h"
#include "tocsin/ruler.h"
#include "tocsin/store.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { EVENTS_MAX = 4096, MINUTE_MS = 60 * 1000 };

#define MINUTE_NS (MINUTE_MS * NS_PER_MS)
#define START_NS (INT64_C(1700000000) * NS_PER_S)

struct bench {
    struct world_sim sim;
    struct store *store;
    struct ruler *ruler;
    struct ruler_options options;
    struct arena arena; /* cleared by bench_close */
    struct alert_event *events[EVENTS_MAX];
    size_t event_count;
};

static inline void bench_take_event(void *context, struct alert_event *event)
{
    struct bench *b = context;
    must(b->event_count < EVENTS_MAX);
    b->events[b->event_count++] = event;
}

static inline void bench_open(struct bench *b)
{
    memset(b, 0, sizeof *b);
    world_sim_init(&b->sim, START_NS, 1);
    struct store_options options = {.retention_ms = INT64_MAX};
    b->store = store_open(&options, &b->sim.world);
    arena_init(&b->arena, 64 << 20);
    b->options = (struct ruler_options){
        .world = &b->sim.world,
        .store = b->store,
        .external_url = STR("http://tocsin.example"),
        .emit = bench_take_event,
        .context = b,
    };
    b->ruler = ruler_open(&b->options);
}

static inline void bench_forget_events(struct bench *b)
{
    while (b->event_count > 0)
        mem_free(b->events[--b->event_count]);
}

static inline void bench_close(struct bench *b)
{
    ruler_close(b->ruler);
    store_close(b->store);
    bench_forget_events(b);
    arena_release(&b->arena);
}

static inline struct rule_set *bench_rules(const char *file, const char *text)
{
    struct rule_set *set = rule_set_new();
    struct buf errors;
    buf_init(&errors, 1 << 16);
    int code = rulefile_parse(set, str_of(file), str_of(text), &promql_features_default, &errors);
    if (code != 0)
        print_error("%s", buf_text(&errors));
    must(code == 0);
    buf_release(&errors);
    return set;
}

static inline void bench_load(struct bench *b, const char *text)
{
    struct err err = {0};
    assert_int_equal(ruler_load(b->ruler, bench_rules("r.yml", text), &err), 0);
}

/* The process ends and another begins: samples and alert states are there, what was told is forgotten. */
static inline void bench_restart(struct bench *b, const char *text)
{
    ruler_close(b->ruler);
    bench_forget_events(b);
    b->ruler = ruler_open(&b->options);
    bench_load(b, text);
}

/* Evaluates everything due up to then, in time order. */
static inline void bench_run_until(struct bench *b, int64_t until_ns)
{
    for (;;) {
        int64_t next_ns = ruler_next_ns(b->ruler);
        if (next_ns > until_ns)
            break;
        if (next_ns > b->sim.now_ns)
            b->sim.now_ns = next_ns;
        must(ruler_run(b->ruler, b->sim.now_ns));
    }
    b->sim.now_ns = until_ns;
}

/* To just past the next evaluation of whatever is due first; returns its slot. */
static inline int64_t bench_step(struct bench *b)
{
    int64_t slot_ns = ruler_next_ns(b->ruler);
    bench_run_until(b, slot_ns);
    return slot_ns;
}

/* A sample now; labels as name, value, ..., NULL. */
static inline void bench_push(struct bench *b, double value, const struct labels *ls)
{
    struct sample sample = {.t_ms = b->sim.now_ns / NS_PER_MS, .value = value};
    struct batch_series series = {ls->item, ls->count, &sample, 1};
    struct batch batch = {.series = &series, .count = 1};
    struct admit_result result = {0};
    store_admit(b->store, &batch, &result);
    must(result.first == ADMIT_OK);
}

#define PUSH(b, value, ...) bench_push((b), (value), labels_of(&(b)->arena, "__name__", __VA_ARGS__, NULL))

/* What an expression yields now. */
static inline struct promql_result bench_query(struct bench *b, const char *text)
{
    struct promql_options options = {.features = promql_features_default};
    struct promql *query;
    struct promql_result result;
    struct err err = {0};
    int code = promql_open(str_of(text), &options, NULL, &query, &err);
    must(code == 0);
    struct view *view = view_open(b->store);
    code = promql_instant(query, view, b->sim.now_ns / NS_PER_MS, &b->arena, &result, &err);
    must(code == 0);
    for (size_t i = 0; i < result.count; i++)
        result.series[i].labels = labels_copy(&b->arena, result.series[i].labels);
    view_close(view);
    promql_close(query);
    return result;
}

/* The one value of an expression that yields one series; NaN if it yields none. */
static inline double bench_value(struct bench *b, const char *text)
{
    struct promql_result result = bench_query(b, text);
    must(result.count <= 1);
    return result.count == 1 ? result.series[0].points[0].value : (double)NAN;
}

static inline size_t bench_count(struct bench *b, const char *text)
{
    return bench_query(b, text).count;
}

/* All samples of one series, stale markers too. */
static inline struct sample_run bench_samples(struct bench *b, const struct labels *ls)
{
    struct series_set set;
    struct sample_run run = {0};
    struct matcher *ms = ARENA_ARRAY(&b->arena, struct matcher, ls->count);
    for (size_t i = 0; i < ls->count; i++)
        must(matcher_init(&ms[i], MATCH_EQUAL, ls->item[i].name, ls->item[i].value, REGEX_PROMQL, NULL) == 0);
    struct view *view = view_open(b->store);
    must(view_select(view, ms, ls->count, &b->arena, &set) == 0);
    must(set.count <= 1);
    if (set.count == 1)
        must(view_read(view, set.refs[0], 0, INT64_MAX, &b->arena, &run) == 0);
    view_close(view);
    return run;
}

#define SAMPLES(b, ...) bench_samples((b), labels_of(&(b)->arena, "__name__", __VA_ARGS__, NULL))

static inline struct ruler_group *bench_groups(struct bench *b, size_t count)
{
    struct ruler_group *groups;
    size_t found;
    assert_int_equal(ruler_snapshot(b->ruler, &b->arena, &groups, &found), 0);
    assert_int_equal(found, count);
    return groups;
}

static inline struct ruler_rule *bench_rule(struct bench *b, size_t at)
{
    struct ruler_group *group = bench_groups(b, 1);
    must(at < group->count);
    return &group->rules[at];
}

static inline void expect_str(struct str s, const char *text)
{
    if (!str_is(s, text))
        print_error("got \"%.*s\", expected \"%s\"\n", STR_ARG(s), text);
    assert_true(str_is(s, text));
}

static inline void expect_labels(const struct labels *ls, const char *text)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    labels_print(&out, ls);
    assert_string_equal(buf_text(&out), text);
    buf_release(&out);
}

#endif
