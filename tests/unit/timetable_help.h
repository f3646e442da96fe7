/* Rule groups that go by data, on the simulated clock. */
#ifndef TOCSIN_TESTS_TIMETABLE_HELP_H
#define TOCSIN_TESTS_TIMETABLE_HELP_H

#include "ruler_help.h"

#define SECOND_NS NS_PER_S

/* All that is due, in the order of its time; between pushes. */
static inline void bench_drive(struct bench *b, int64_t until_ns)
{
    for (;;) {
        while (ruler_run(b->ruler, b->sim.now_ns))
            continue;
        int64_t next_ns = ruler_next_ns(b->ruler);
        must(next_ns > b->sim.now_ns);
        if (next_ns > until_ns)
            break;
        b->sim.now_ns = next_ns;
    }
    b->sim.now_ns = until_ns;
}

static inline int bench_load_with(struct bench *b, const char *text, struct rule_policy policy)
{
    struct err err = {0};
    struct rule_set *set = bench_rules("r.yml", text);
    for (size_t i = 0; i < set->count; i++)
        set->groups[i].policy = policy;
    int code = ruler_load(b->ruler, set, &err);
    bench_drive(b, b->sim.now_ns); /* the first looks, so that what is due next is a slot */
    return code;
}

/* A sample of its own time comes in now. */
static inline void bench_arrive(struct bench *b, const struct labels *ls, int64_t t_ms, double value)
{
    struct sample sample = {.t_ms = t_ms, .value = value};
    struct batch_series series = {ls->item, ls->count, &sample, 1};
    struct batch batch = {.series = &series, .count = 1};
    struct admit_result result = {0};
    store_admit(b->store, &batch, &result);
    must(result.first == ADMIT_OK);
    ruler_pushed(b->ruler);
}

#define ARRIVE(b, t_ms, value, ...) \
    bench_arrive((b), labels_of(&(b)->arena, "__name__", __VA_ARGS__, NULL), (t_ms), (value))

static inline int64_t bench_now_ms(const struct bench *b)
{
    return b->sim.now_ns / NS_PER_MS;
}

#endif
