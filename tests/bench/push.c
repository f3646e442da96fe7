/*
 * Samples per CPU-second of whole pushes in process: snappy, protobuf, checks, look-up, append; no socket, no log.
 *
 *     build/release/bench/push SERIES ROUNDS [SERIES_A_PUSH [SAMPLES_A_SERIES]]
 *
 * Ten labels a series, one round a scrape of 15 s, prints one line: the first round (new series) and the others apart.
 */
#include "tocsin/check.h"
#include "tocsin/encode.h"
#include "tocsin/intake.h"
#include "tocsin/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LABELS = 10, STEP_MS = 15000, SAMPLES_MAX = 64 };

static const int64_t START_MS = INT64_C(1700000000000);

struct load {
    struct world_sim sim;
    struct store *store;
    struct intake *intake;
    struct arena arena;
    long series, rounds, per_push, samples;
    double first_s, later_s;
};

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct label label_of(struct arena *arena, const char *name, const char *format, long number)
{
    return (struct label){str_of(name), str_of(arena_format(arena, format, number))};
}

static void name_series(struct arena *arena, long i, struct label *to)
{
    const struct label labels[LABELS] = {
        label_of(arena, "__name__", "http_request_duration_seconds_bucket_%02ld", i % 40),
        label_of(arena, "cluster", "eu-%ld", i / 50000),
        label_of(arena, "code", "%ld", 200 + i % 4),
        label_of(arena, "container", "app-%03ld", i / 400 % 100),
        label_of(arena, "instance", "10.0.%03ld:9100", i / 40 % 1000),
        label_of(arena, "job", "node-%02ld", i / 4000),
        label_of(arena, "le", "0.%ld", i % 10),
        label_of(arena, "method", "GET%ld", i % 3),
        label_of(arena, "namespace", "production-%02ld", i / 8000),
        label_of(arena, "pod", "app-7d9c5b6f4-%06ld", i / 40),
    };
    for (size_t k = 0; k < LABELS; k++)
        to[k] = labels[k];
}

/* The body of series [from, from + count) in one round. */
static struct str body_of(struct load *l, long from, long count, long round)
{
    struct batch_series *series = ARENA_ARRAY(&l->arena, struct batch_series, (size_t)count);
    for (long i = 0; i < count; i++) {
        struct label *labels = ARENA_ARRAY(&l->arena, struct label, LABELS);
        struct sample *samples = ARENA_ARRAY(&l->arena, struct sample, (size_t)l->samples);
        name_series(&l->arena, from + i, labels);
        for (long k = 0; k < l->samples; k++)
            samples[k] = (struct sample){.t_ms = START_MS + (round * l->samples + k) * STEP_MS,
                                         .value = (double)(round * (from + i) + k)};
        series[i] = (struct batch_series){
            .labels = labels, .label_count = LABELS, .samples = samples, .sample_count = (size_t)l->samples};
    }
    struct str body;
    must(encode_push(&l->arena, &(struct batch){.series = series, .count = (size_t)count}, &body) == 0);
    return body;
}

static void push(struct load *l, struct str body, double *spent_s)
{
    struct intake_answer answer;
    intake_answer_init(&answer);
    double before = cpu_s();
    must(intake_push(l->intake, l->store, STR(""), body, &answer) == 0);
    *spent_s += cpu_s() - before;
    intake_answer_release(&answer);
}

static void run(struct load *l)
{
    for (long round = 0; round < l->rounds; round++) {
        l->sim.now_ns = (START_MS + (round + 1) * l->samples * STEP_MS) * NS_PER_MS;
        for (long from = 0; from < l->series; from += l->per_push) {
            long count = l->series - from < l->per_push ? l->series - from : l->per_push;
            push(l, body_of(l, from, count, round), round == 0 ? &l->first_s : &l->later_s);
            arena_clear(&l->arena);
        }
    }
}

static long argument(int argc, char **argv, int i, long otherwise)
{
    return argc > i ? strtol(argv[i], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    struct load l = {.series = argument(argc, argv, 1, 10000),
                     .rounds = argument(argc, argv, 2, 20),
                     .per_push = argument(argc, argv, 3, 2000),
                     .samples = argument(argc, argv, 4, 1)};
    must(l.series > 0 && l.rounds > 1 && l.per_push > 0 && l.samples > 0 && l.samples <= SAMPLES_MAX);
    world_sim_init(&l.sim, START_MS * NS_PER_MS, 1);
    l.store = store_open(&(struct store_options){.retention_ms = INT64_MAX}, &l.sim.world);
    l.intake = intake_open(&l.sim.world);
    arena_init(&l.arena, (size_t)1 << 30);
    run(&l);
    double later = (double)(l.series * (l.rounds - 1) * l.samples);
    printf("%ld series x %ld: new %.2f M/CPU-s, known %.2f M/CPU-s\n", l.series, l.rounds * l.samples,
           (double)(l.series * l.samples) / l.first_s / 1e6, later / l.later_s / 1e6);
    intake_close(l.intake);
    store_close(l.store);
    arena_release(&l.arena);
    return 0;
}
