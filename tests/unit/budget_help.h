/* Random traffic in a store, and what an objective's slices come to by its raw samples. */
#ifndef TOCSIN_TESTS_BUDGET_HELP_H
#define TOCSIN_TESTS_BUDGET_HELP_H

#include "../../slo/budget_priv.h"

#include "random_help.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define START_MS INT64_C(1704067200000) /* 2024-01-01 */

enum { GROUPS = 3, SERIES_EACH = 2, TRAFFIC_SERIES = 2 * GROUPS * SERIES_EACH };

/* One counter: errors or requests of one instance of a group. */
struct counter {
    bool is_total;
    size_t group;
    const struct labels *labels;
    struct sample *samples;
    size_t count, capacity;
    size_t pushed;
    double value;
    int64_t away_until_ms, next_ms;
    int64_t held_until_ms; /* what comes meanwhile is pushed then */
};

struct rig {
    struct world_sim sim;
    struct store *store;
    struct state *state;
    char folder[64], path[96];
    struct budgets *budgets;
    struct budgets_options options;
    struct objective objective;
    struct objective_set set;
    struct counter counters[TRAFFIC_SERIES];
    struct arena arena;
    struct str by[1];
    uint64_t seed;
    int64_t made_ms; /* samples up to then */
    bool late;       /* some come late */
};

static inline int64_t rig_now_ms(const struct rig *r)
{
    return r->sim.now_ns / NS_PER_MS;
}

static inline struct objective rig_objective(struct rig *r)
{
    r->by[0] = STR("group");
    return (struct objective){
        .id = STR("shop-requests"),
        .service = STR("shop"),
        .name = STR("requests"),
        .target = {99, 100},
        .slice_target = {9, 10},
        .period = {.unit = PERIOD_ROLLING, .length_ms = 30 * LEDGER_DAY_MS, .count = 1},
        .indicator = {.kind = INDICATOR_BAD,
                      .counted = STR("sum by (group) (increase(errors_total[{{.window}}]))"),
                      .total = STR("sum by (group) (increase(requests_total[{{.window}}]))"),
                      .exact = true},
        .budgeting = BUDGET_EVENTS,
        .slice_ms = 5 * MINUTE_MS,
        .by = r->by,
        .by_count = 1,
    };
}

static inline void rig_open_state(struct rig *r)
{
    struct err err = {0};
    if (r->path[0] != 0 && state_open(r->path, &r->state, &err) != 0)
        fail_msg("%s", err.text);
    r->options.state = r->state;
}

static inline void rig_load(struct rig *r)
{
    struct err err = {0};
    r->set = (struct objective_set){.items = &r->objective, .count = 1};
    if (budgets_load(r->budgets, &r->set, &err) != 0)
        fail_msg("%s", err.text);
}

static inline void rig_begin(struct rig *r)
{
    r->budgets = budgets_open(&r->options);
    rig_load(r);
}

/* The process ends without a word, and another begins. */
static inline void rig_restart(struct rig *r)
{
    budgets_close(r->budgets);
    if (r->path[0] != 0) {
        state_close(r->state);
        rig_open_state(r);
    }
    rig_begin(r);
}

static inline void rig_make_counters(struct rig *r)
{
    for (size_t i = 0; i < TRAFFIC_SERIES; i++) {
        struct counter *c = &r->counters[i];
        char group[8], instance[8];
        c->is_total = i % 2 == 0;
        c->group = i / 2 / SERIES_EACH;
        snprintf(group, sizeof group, "g%zu", c->group);
        snprintf(instance, sizeof instance, "i%zu", i / 2 % SERIES_EACH);
        c->labels = labels_copy(&r->arena, labels_of(&r->arena, "__name__",
                                                     c->is_total ? "requests_total" : "errors_total", "group",
                                                     group, "instance", instance, NULL));
        c->next_ms = START_MS + (int64_t)random_below(&r->seed, 15000);
    }
}

static inline void rig_init(struct rig *r, uint64_t seed, bool on_disk)
{
    memset(r, 0, sizeof *r);
    world_sim_init(&r->sim, START_MS * NS_PER_MS, 1);
    struct store_options options = {.retention_ms = INT64_MAX};
    r->store = store_open(&options, &r->sim.world);
    arena_init(&r->arena, 64 << 20);
    r->seed = seed;
    r->made_ms = START_MS;
    r->objective = rig_objective(r);
    r->options = (struct budgets_options){.world = &r->sim.world, .store = r->store};
    r->options.promql.features = promql_features_default;
    if (on_disk) {
        /* In memory, where there is such a place: processes are killed, not machines. */
        snprintf(r->folder, sizeof r->folder, "%s/tocsin-budget-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        must(mkdtemp(r->folder) != NULL);
        snprintf(r->path, sizeof r->path, "%s/state.db", r->folder);
    }
    rig_open_state(r);
    rig_make_counters(r);
}

static inline void rig_close(struct rig *r)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    budgets_close(r->budgets);
    state_close(r->state);
    store_close(r->store);
    for (size_t i = 0; i < TRAFFIC_SERIES; i++)
        mem_free(r->counters[i].samples);
    for (size_t i = 0; i < 3 && r->path[0] != 0; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", r->path, ends[i]);
        unlink(name);
    }
    if (r->path[0] != 0)
        assert_int_equal(rmdir(r->folder), 0);
    arena_release(&r->arena);
}

/* ---- traffic ---- */

static inline void counter_note(struct counter *c, int64_t t_ms, double value)
{
    MEM_GROW(c->samples, c->count, c->capacity);
    c->samples[c->count++] = (struct sample){.t_ms = t_ms, .value = value};
}

/* Steps of very different size, resets, gaps with and without a stale marker. */
static inline void counter_scrape(struct rig *r, struct counter *c)
{
    int64_t t_ms = c->next_ms;
    uint64_t *seed = &r->seed;
    c->next_ms += 15000 - 200 + (int64_t)random_below(seed, 400);
    if (t_ms < c->away_until_ms)
        return;
    if (random_below(seed, 300) == 0) {
        if (random_below(seed, 2) == 0)
            counter_note(c, t_ms, stale_nan());
        c->away_until_ms = t_ms + (int64_t)random_below(seed, 20 * 60000);
        return;
    }
    if (random_below(seed, 200) == 0)
        c->value = 0;
    if (random_below(seed, 3) == 0)
        c->value += (double)random_below(seed, random_below(seed, 20) == 0 ? 100000 : 50);
    if (c->is_total)
        c->value += 60;
    counter_note(c, t_ms, c->value);
}

static inline void counter_push(struct rig *r, struct counter *c, int64_t now_ms)
{
    if (r->late && c->held_until_ms <= now_ms && random_below(&r->seed, 60) == 0)
        c->held_until_ms = now_ms + (int64_t)random_below(&r->seed, 40 * 60000);
    if (c->pushed == c->count || c->held_until_ms > now_ms)
        return;
    struct batch_series series = {c->labels->item, c->labels->count, c->samples + c->pushed,
                                  c->count - c->pushed};
    struct batch batch = {.series = &series, .count = 1};
    struct admit_result result = {0};
    store_admit(r->store, &batch, &result);
    if (result.first != ADMIT_OK)
        fail_msg("%s", admit_reason_text(result.first));
    c->pushed = c->count;
}

/* Makes samples up to now, and pushes those that are not held. */
static inline void rig_traffic(struct rig *r, int64_t now_ms)
{
    for (size_t i = 0; i < TRAFFIC_SERIES; i++) {
        struct counter *c = &r->counters[i];
        while (c->next_ms <= now_ms)
            counter_scrape(r, c);
        counter_push(r, c, now_ms);
    }
}

static inline void rig_run(struct rig *r)
{
    int steps = 0;
    while (budgets_run(r->budgets, r->sim.now_ns))
        must(++steps < 100000);
}

static inline void rig_go(struct rig *r, int64_t to_ms, int64_t step_ms)
{
    while (rig_now_ms(r) < to_ms) {
        r->sim.now_ns += step_ms * NS_PER_MS;
        rig_traffic(r, rig_now_ms(r));
        rig_run(r);
    }
}

/* Nobody holds anything back any more, and all slices are settled. */
static inline void rig_settle(struct rig *r)
{
    r->late = false;
    for (size_t i = 0; i < TRAFFIC_SERIES; i++) {
        r->counters[i].held_until_ms = 0;
        counter_push(r, &r->counters[i], rig_now_ms(r));
    }
    for (int i = 0; i < 50; i++) {
        r->sim.now_ns += 5 * MINUTE_MS * NS_PER_MS;
        rig_run(r);
    }
}

/* ---- by raw samples ---- */

/* From the last sample up to the begin (within the look-back) to the last up to the end; false: none came. */
static inline bool raw_increase(const struct counter *c, int64_t begin_ms, int64_t end_ms, double *increase)
{
    double before = 0;
    bool any = false, inside = false;
    *increase = 0;
    for (size_t i = 0; i < c->count; i++) {
        const struct sample *s = &c->samples[i];
        if (is_stale_nan(s->value) || s->t_ms <= begin_ms - PROMQL_LOOKBACK_MS || s->t_ms > end_ms)
            continue;
        if (s->t_ms > begin_ms) {
            inside = true;
            if (any)
                *increase += s->value < before ? s->value : s->value - before;
        }
        before = s->value;
        any = true;
    }
    return inside;
}

struct raw_slice {
    double bad, total;
    bool known;
};

static inline struct raw_slice raw_slice(const struct rig *r, size_t group, int64_t begin_ms)
{
    struct raw_slice out = {0};
    double one;
    for (size_t i = 0; i < TRAFFIC_SERIES; i++) {
        const struct counter *c = &r->counters[i];
        if (c->group != group || !raw_increase(c, begin_ms, begin_ms + r->objective.slice_ms, &one))
            continue;
        out.known = out.known || c->is_total;
        *(c->is_total ? &out.total : &out.bad) += one;
    }
    out.bad = out.bad > out.total ? out.total : out.bad;
    if (!out.known)
        out.bad = 0;
    return out;
}

static inline struct account *rig_account(struct rig *r, size_t group)
{
    char name[8];
    snprintf(name, sizeof name, "g%zu", group);
    return book_account(r->budgets->books[0], labels_of(&r->arena, "group", name, NULL));
}

/* All slices of all groups from..to against the raw samples; how many there were. */
static inline size_t rig_compare(struct rig *r, int64_t from_ms, int64_t to_ms)
{
    size_t slices = 0;
    for (size_t g = 0; g < GROUPS; g++) {
        struct account *account = rig_account(r, g);
        long double bad = 0, total = 0;
        struct ledger_sum sum;
        must(account != NULL);
        for (int64_t at = from_ms; at < to_ms; at += r->objective.slice_ms, slices++) {
            struct raw_slice raw = raw_slice(r, g, at);
            struct ledger_slice s = ledger_get(account->ledger, at);
            bad += raw.bad;
            total += raw.total;
            if (s.known != raw.known || fabs(s.bad - raw.bad) > 1e-9 * fmax(1, raw.bad) ||
                fabs(s.total - raw.total) > 1e-9 * fmax(1, raw.total))
                fail_msg("group %zu, slice %lld: %d %.17g/%.17g, by raw samples %d %.17g/%.17g", g,
                         (long long)((at - START_MS) / r->objective.slice_ms), s.known, s.bad, s.total,
                         raw.known, raw.bad, raw.total);
        }
        ledger_sum(account->ledger, from_ms, to_ms, &sum);
        assert_true(fabs(sum.bad - (double)bad) <= 1e-9 * fmax(1, (double)bad));
        assert_true(fabs(sum.total - (double)total) <= 1e-9 * fmax(1, (double)total));
    }
    return slices;
}

#endif
