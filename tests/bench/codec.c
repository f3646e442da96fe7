/*
 * What packing makes of kinds of series, and what the store needs for a fleet of them. Prints Markdown tables for
 * docs/benchmarks.md; how to build and run it stands there.
 *
 *     codec kinds                          bytes and time a sample, next to XOR and variable-length deltas
 *     codec histograms                     the same for native histograms, next to what they take unpacked
 *     codec fleet SERIES SAMPLES [exact]   100 series a pod through store_admit; exact: no scrape is late
 *     codec windows                        rate over 5 minutes to 30 days of one series, summaries and samples
 *     codec spans SERIES                   the same windows over many series: the median, and each series once, cold
 *     codec late                           what a sample costs that falls into what is sealed
 */
#include "../../engine/store/box_priv.h"
#include "../../engine/store/wide_priv.h"

#include "tocsin/check.h"
#include "tocsin/mem.h"
#include "tocsin/promql.h"
#include "tocsin/sample.h"
#include "tocsin/store.h"
#include "tocsin/view.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { STEP_MS = 15000, POD_SERIES = 100 };
static const int64_t START_MS = INT64_C(1700000000000);

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Randomness as a function of where it is asked for. */
static double uniform(uint64_t a, uint64_t b)
{
    uint64_t z = a * 0xD1342543DE82EF95u + b * 0x9E3779B97F4A7C15u + 0x632BE59BD9B4E019u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

/* ---- a fleet: pods of 100 series, scraped every 15 s, one scrape in 20 some milliseconds late ---- */

static double served(size_t pod, size_t handler, size_t k)
{
    uint64_t id = pod * 5 + handler;
    double u = uniform(201, id);
    if (u < .25)
        return 0; /* idle */
    double rate = .02 * exp2(floor((u - .25) * 16));
    return floor(rate * STEP_MS / 1000 * (.5 + uniform(id * 2 + 500, k)) + uniform(id * 2 + 501, k));
}

static double fleet_first(size_t pod, size_t j)
{
    switch (j) {
    case 95:
        return 4096 * (20000 + floor(uniform(302, pod) * 60000));
    case 96:
        return 40 + floor(uniform(303, pod) * 200);
    case 97:
        return floor(uniform(304, pod) * 1e7) / 100;
    case 98:
        return 10 + floor(uniform(305, pod) * 90);
    case 99:
        return 1;
    default:
        return floor(uniform(301, pod) * 1e6);
    }
}

static double gauge_step(size_t j, double v, double u)
{
    switch (j) {
    case 95:
        return u < .3 ? v + 4096 * floor(u * 200 - 30) : v;
    case 96:
        return u < .25 ? v - (v > 5) : u < .5 ? v + 1 : v;
    case 97:
        return floor(v * 100 + .5 + u * STEP_MS / 100) / 100;
    case 98:
        return u < .025 ? v - (v > 5) : u < .05 ? v + 1 : v;
    default:
        return v;
    }
}

static double fleet_step(size_t i, size_t k, double v)
{
    static const double le[11] = {.08, .19, .41, .63, .81, .93, .975, .99, .998, .9995, 1};
    static const double code[3] = {.98, .015, .005};
    size_t pod = i / POD_SERIES, j = i % POD_SERIES;
    double u = uniform(i + 1000000, k);
    if (j < 30)
        return v + floor(served(pod, j / 6, k) * code[j % 3] * (j / 3 % 2 ? .2 : .8) + u);
    if (j < 85)
        return v + floor(served(pod, (j - 30) / 11, k) * le[(j - 30) % 11]);
    if (j < 90)
        return v + served(pod, j - 85, k) * .06 * (.8 + .4 * u);
    if (j < 95)
        return v + served(pod, j - 90, k);
    return gauge_step(j, v, u);
}

static int64_t fleet_time(size_t i, size_t k)
{
    size_t pod = i / POD_SERIES;
    int64_t t = START_MS + (int64_t)k * STEP_MS + (int64_t)(uniform(601, pod) * STEP_MS);
    double u = uniform(pod + 7000, k);
    return u < .05 ? t + (int64_t)(u * 100) : t;
}

/* ---- kinds ---- */

typedef double step_fn(size_t k, double v);

static double constant(size_t k, double v)
{
    (void)k;
    return v;
}

static double quiet_counter(size_t k, double v)
{
    return v + (uniform(1, k) < .05);
}

static double counter(size_t k, double v)
{
    return v + floor(600 + 600 * uniform(2, k));
}

static double bursty_counter(size_t k, double v)
{
    return v + (uniform(3, k) < .03 ? floor(4000 * uniform(4, k)) : floor(3 * uniform(5, k)));
}

static double seconds_sum(size_t k, double v)
{
    return v + 900 * .06 * (.8 + .4 * uniform(6, k));
}

static double cpu_seconds(size_t k, double v)
{
    return floor(v * 100 + .5 + uniform(7, k) * 150) / 100;
}

static double memory(size_t k, double v)
{
    return uniform(8, k) < .3 ? v + 4096 * floor(uniform(9, k) * 60 - 30) : v;
}

static double small_gauge(size_t k, double v)
{
    return v + floor(uniform(10, k) * 3) - 1;
}

static double percent(size_t k, double v)
{
    (void)v;
    return floor(uniform(11, k) * 10000) / 100;
}

static double ratio(size_t k, double v)
{
    (void)v;
    return uniform(12, k);
}

static const struct kind {
    const char *name;
    step_fn *step;
    double first;
} kinds[] = {
    {"constant", constant, 1},
    {"counter, idle but for one in 20", quiet_counter, 5e5},
    {"counter, 600 to 1200 a step", counter, 5e5},
    {"counter, 0 to 2 a step, bursts to 4000", bursty_counter, 5e5},
    {"sum of seconds, full mantissa", seconds_sum, 5e5},
    {"CPU seconds, two decimals", cpu_seconds, 5e4},
    {"memory, multiples of 4096", memory, 4096 * 30000.0},
    {"gauge, -1 to 1 a step", small_gauge, 200},
    {"percentage, two decimals, random", percent, 50},
    {"ratio, random mantissa", ratio, .5},
};

enum { KIND_SAMPLES = 64 * 1024 };

static void make_points(const struct kind *kind, bool late, struct point *points)
{
    double v = kind->first;
    for (size_t k = 0; k < KIND_SAMPLES; k++) {
        points[k].t_ms = START_MS + (int64_t)k * STEP_MS;
        if (late)
            points[k].t_ms = fleet_time(0, k);
        points[k].value = v = kind->step(k, v);
    }
}

/* Bits of one value as XOR with its predecessor, with the window of the last one reused where it fits. */
static size_t xor_bits(uint64_t x, unsigned *leading, unsigned *trailing)
{
    if (x == 0)
        return 1;
    unsigned l = (unsigned)__builtin_clzll(x), t = (unsigned)__builtin_ctzll(x);
    l = l > 31 ? 31 : l;
    if (*leading + *trailing > 0 && l >= *leading && t >= *trailing)
        return 2 + 64 - *leading - *trailing;
    *leading = l;
    *trailing = t;
    return 2 + 5 + 6 + 64 - l - t;
}

static size_t dod_bits(int64_t dod)
{
    if (dod == 0)
        return 1;
    if (dod >= -8191 && dod <= 8192)
        return 2 + 14;
    return dod >= -65535 && dod <= 65536 ? 3 + 17 : 4 + 64;
}

/* Chunks of 120 samples, as is usual. */
static double xor_bytes(const struct point *p)
{
    size_t bits = 0;
    unsigned leading = 0, trailing = 0;
    for (size_t i = 0; i < KIND_SAMPLES; i++) {
        if (i % 120 < 2) {
            bits += i % 120 == 0 ? 64 + 48 : 16;
            leading = trailing = 0;
        } else {
            bits += dod_bits(p[i].t_ms - 2 * p[i - 1].t_ms + p[i - 2].t_ms);
        }
        if (i % 120 > 0)
            bits += xor_bits(double_bits(p[i].value) ^ double_bits(p[i - 1].value), &leading, &trailing);
    }
    return (double)bits / 8 / KIND_SAMPLES;
}

static size_t varint_bytes(int64_t v)
{
    return (bits_width(bits_fold(v)) + 6) / 7 + (v == 0);
}

/* Delta of delta of the time, delta of the value where it is whole, else all of it. */
static double varint_deltas(const struct point *p)
{
    size_t bytes = 0;
    for (size_t i = 2; i < KIND_SAMPLES; i++) {
        double delta = p[i].value - p[i - 1].value;
        bytes += varint_bytes(p[i].t_ms - 2 * p[i - 1].t_ms + p[i - 2].t_ms);
        bytes += delta == floor(delta) ? varint_bytes((int64_t)delta) : 8;
    }
    return (double)bytes / KIND_SAMPLES;
}

struct packed {
    double bytes, pack_ns, unpack_ns;
};

static struct packed pack(const struct point *p)
{
    uint8_t *out = calloc(KIND_SAMPLES / GROUP_SAMPLES, GROUP_BYTES_MAX);
    must(out != NULL);
    struct point back[GROUP_SAMPLES];
    size_t bytes = 0;
    double begin = seconds();
    for (size_t i = 0; i < KIND_SAMPLES; i += GROUP_SAMPLES) {
        struct pace pace = {START_MS + (int64_t)i * STEP_MS, STEP_MS};
        bytes += group_pack(p + i, NULL, GROUP_SAMPLES, pace, out + i / GROUP_SAMPLES * GROUP_BYTES_MAX);
    }
    double middle = seconds();
    for (size_t i = 0; i < KIND_SAMPLES; i += GROUP_SAMPLES) {
        struct pace pace = {START_MS + (int64_t)i * STEP_MS, STEP_MS};
        group_unpack(out + i / GROUP_SAMPLES * GROUP_BYTES_MAX, pace, back, NULL);
        must(memcmp(back, p + i, sizeof back) == 0);
    }
    double end = seconds();
    free(out);
    return (struct packed){(double)bytes / KIND_SAMPLES, (middle - begin) / KIND_SAMPLES * 1e9,
                           (end - middle) / KIND_SAMPLES * 1e9};
}

static void print_kinds(void)
{
    static struct point points[KIND_SAMPLES];
    puts("| series | XOR | varint deltas | packed | packed, times off | pack ns | unpack ns |");
    puts("|---|---|---|---|---|---|---|");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        make_points(&kinds[i], true, points);
        struct packed late = pack(points);
        make_points(&kinds[i], false, points);
        struct packed exact = pack(points);
        printf("| %s | %.2f | %.2f | **%.2f** | %.2f | %.1f | %.1f |\n", kinds[i].name, xor_bytes(points),
               varint_deltas(points), exact.bytes, late.bytes, exact.pack_ns, exact.unpack_ns);
    }
}

/* ---- histograms ---- */

struct histogram_kind {
    const char *name;
    int32_t schema;
    size_t buckets;
    double observed;   /* a step, on average; below 1: in so many of the steps one */
    double multiplier; /* of all counts: not whole if it is not */
    bool gauge;
};

static const struct histogram_kind histogram_kinds[] = {
    {"20 buckets, 400 observations a step", 3, 20, 400, 1, false},
    {"20 buckets, one observation in 10 steps", 3, 20, .1, 1, false},
    {"160 buckets, 5,000 observations a step", 5, 160, 5000, 1, false},
    {"160 buckets, 20 observations a step", 5, 160, 20, 1, false},
    {"11 custom buckets, 400 observations a step", HISTOGRAM_CUSTOM, 11, 400, 1, false},
    {"20 buckets, fractions (a recorded rate)", 3, 20, 400, 1. / 300, true},
    {"20 buckets, gauge of whole numbers", 3, 20, 400, 1, true},
};

enum { HISTOGRAMS = 4096, BUCKETS_MAX = 160 };

/* Most observations fall into the middle; `sum` gets what they add up to. */
static double observed_in(const struct histogram_kind *kind, size_t bucket, size_t k, double *sum)
{
    double middle = ((double)bucket + .5) / (double)kind->buckets * 2 - 1;
    double mean = kind->observed * exp(-middle * middle * 4) * 2.3 / (double)kind->buckets;
    double u = uniform(k * 1000 + bucket, 77);
    double n = mean < 3 ? (u < mean) : floor(mean + sqrt(mean) * (u - .5) * 3.4);
    *sum += n * exp2(middle * 4) * (.9 + .2 * uniform(k, bucket));
    return n;
}

static void step_histogram(const struct histogram_kind *kind, size_t k, struct histogram *h)
{
    double sum = 0, count = 0;
    for (size_t i = 0; i < kind->buckets; i++) {
        double n = observed_in(kind, i, k, &sum) * kind->multiplier;
        h->positive.buckets[i] = kind->gauge ? n : h->positive.buckets[i] + n;
        count += n;
    }
    h->count = kind->gauge ? count : h->count + count;
    h->sum = kind->gauge ? sum * kind->multiplier : h->sum + sum;
    h->hint = kind->gauge ? HINT_GAUGE : k > 0 ? HINT_NOT_RESET : HINT_UNKNOWN;
}

/* Returns the bytes they take unpacked. */
static size_t make_histograms(const struct histogram_kind *kind, struct arena *arena, struct sample *samples)
{
    static const double bounds[] = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};
    struct histogram_span span = {0, (uint32_t)kind->buckets};
    double buckets[BUCKETS_MAX] = {0};
    bool custom = kind->schema == HISTOGRAM_CUSTOM;
    struct histogram now = {.schema = kind->schema,
                            .zero_threshold = custom ? 0 : 2.938735877055719e-39,
                            .custom_bounds = custom ? (double *)bounds : NULL,
                            .custom_count = custom ? 11 : 0,
                            .positive = {&span, 1, buckets, kind->buckets}};
    size_t bytes = 0;
    for (size_t k = 0; k < HISTOGRAMS; k++) {
        step_histogram(kind, k, &now);
        samples[k] = (struct sample){.t_ms = START_MS + (int64_t)k * STEP_MS};
        samples[k].histogram = box_copy(arena_alloc(arena, box_bytes(&now)), &now);
        bytes += box_bytes(&now) + sizeof *samples;
    }
    return bytes;
}

static struct packed pack_histograms(struct arena *arena, const struct sample *samples)
{
    enum { STRETCHES = HISTOGRAMS / WIDE_SAMPLES_MAX };
    static uint8_t *packed[STRETCHES];
    struct account account = {0};
    uint32_t bytes[STRETCHES];
    double begin = seconds();
    for (size_t i = 0; i < STRETCHES; i++)
        packed[i] = wide_pack(&account, samples + i * WIDE_SAMPLES_MAX, WIDE_SAMPLES_MAX, &bytes[i]);
    double middle = seconds();
    for (size_t i = 0; i < STRETCHES; i++) {
        struct arena_mark mark = arena_mark(arena);
        struct sample back[WIDE_SAMPLES_MAX];
        const struct sample *want = samples + i * WIDE_SAMPLES_MAX;
        int rc = wide_unpack(packed[i], want->t_ms, WIDE_SAMPLES_MAX, 0, WIDE_SAMPLES_MAX, arena, back);
        must(rc == 0 && box_equal(want[63].histogram, back[63].histogram));
        arena_rewind(arena, mark);
    }
    double end = seconds();
    struct packed result = {(double)account.bytes / HISTOGRAMS, (middle - begin) / HISTOGRAMS * 1e9,
                            (end - middle) / HISTOGRAMS * 1e9};
    for (size_t i = 0; i < STRETCHES; i++)
        account_give(&account, packed[i], bytes[i]);
    return result;
}

static void print_histograms(void)
{
    static struct sample samples[HISTOGRAMS];
    struct arena arena;
    puts("| histograms | unpacked B | packed B | pack ns | unpack ns |\n|---|---|---|---|---|");
    for (size_t i = 0; i < sizeof histogram_kinds / sizeof *histogram_kinds; i++) {
        arena_init(&arena, 1 << 30);
        size_t raw = make_histograms(&histogram_kinds[i], &arena, samples);
        struct packed p = pack_histograms(&arena, samples);
        printf("| %s | %.0f | **%.1f** | %.0f | %.0f |\n", histogram_kinds[i].name, (double)raw / HISTOGRAMS,
               p.bytes, p.pack_ns, p.unpack_ns);
        arena_release(&arena);
    }
}

/* ---- the store ---- */

struct shop {
    struct world_sim sim;
    struct store *store;
};

static void shop_open(struct shop *s)
{
    world_sim_init(&s->sim, START_MS * NS_PER_MS, 1);
    struct store_options options = {.retention_ms = INT64_C(400) * 86400000,
                                    .out_of_order_ms = INT64_C(86400000)};
    s->store = store_open(&options, &s->sim.world);
}

static void push(struct shop *s, const struct label *labels, size_t label_count, struct sample sample)
{
    struct batch_series series = {labels, label_count, &sample, 1};
    struct batch batch = {.series = &series, .count = 1};
    struct admit_result result = {0};
    if (s->sim.now_ns < sample.t_ms * NS_PER_MS)
        s->sim.now_ns = sample.t_ms * NS_PER_MS;
    store_admit(s->store, &batch, &result);
    must(result.appended == 1);
}

static size_t heap_bytes(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static void fleet_labels(size_t i, char text[3][48], struct label *labels)
{
    snprintf(text[0], 48, "metric_%zu_total", i % POD_SERIES);
    snprintf(text[1], 48, "10.0.%zu.%zu:8080", i / POD_SERIES / 250, i / POD_SERIES % 250);
    snprintf(text[2], 48, "svc-%04zu", i / POD_SERIES % 20);
    labels[0] = (struct label){STR("__name__"), str_of(text[0])};
    labels[1] = (struct label){STR("instance"), str_of(text[1])};
    labels[2] = (struct label){STR("job"), str_of(text[2])};
}

static void print_fleet(size_t series, size_t samples, bool exact)
{
    struct shop s;
    struct label labels[3];
    char text[3][48];
    double *value = calloc(series, sizeof *value), spent = 0;
    must(value != NULL);
    size_t before = heap_bytes();
    shop_open(&s);
    for (size_t k = 0; k < samples; k++) {
        for (size_t i = 0; i < series; i++)
            value[i] = k == 0 ? fleet_first(i / POD_SERIES, i % POD_SERIES) : fleet_step(i, k, value[i]);
        double begin = seconds();
        for (size_t i = 0; i < series; i++) {
            fleet_labels(i, text, labels);
            int64_t t_ms = exact ? START_MS + (int64_t)k * STEP_MS : fleet_time(i, k);
            push(&s, labels, 3, (struct sample){.t_ms = t_ms, .value = value[i]});
        }
        spent += seconds() - begin;
    }
    struct store_figures f;
    store_figures(s.store, &f);
    double n = (double)f.samples;
    printf("| %zu x %zu | %.3f | %.3f | %.0f |\n", series, samples, (double)f.bytes / n,
           (double)(heap_bytes() - before) / n, spent / n * 1e9);
    store_close(s.store);
    free(value);
}

/* ---- windows ---- */

/* Drives everything else out of the caches. */
static void forget(void)
{
    enum { BYTES = 96 << 20 };
    static char *other;
    if (other == NULL)
        other = calloc(1, BYTES);
    must(other != NULL);
    for (size_t i = 0; i < BYTES; i += MEM_LINE_BYTES)
        other[i]++;
}

/* Microseconds: `rounds` one after the other; or the least of as many that each begin with nothing in the caches. */
static double time_query(struct shop *s, const char *text, int64_t t_ms, int rounds, bool cold)
{
    struct arena arena;
    struct promql_result r;
    struct err err = {0};
    struct promql_options options = {
        .lookback_ms = 300000, .samples_max = 50000000, .subquery_step_ms = 60000};
    struct promql *q;
    int rc = promql_open(str_of(text), &options, s->store, &q, &err);
    must(rc == 0);
    arena_init(&arena, 1 << 30);
    struct view *v = view_open(s->store);
    double least = 1;
    for (int done = 0, batch = cold ? 1 : rounds; done < rounds; done += batch) {
        if (cold)
            forget();
        double begin = seconds();
        for (int i = 0; i < batch; i++) {
            arena_clear(&arena);
            rc = promql_instant(q, v, t_ms, &arena, &r, &err);
            must(rc == 0);
        }
        least = fmin(least, (seconds() - begin) / batch);
    }
    view_close(v);
    arena_release(&arena);
    promql_close(q);
    return least * 1e6;
}

static double time_window(struct shop *s, int64_t range_ms, int64_t t_ms, enum window_wish wish)
{
    enum { ROUNDS = 2000 };
    struct window_summary w;
    double begin = seconds();
    struct view *v = view_open(s->store);
    for (int i = 0; i < ROUNDS; i++) {
        int64_t end_ms = t_ms - i * INT64_C(1234);
        bool told = view_window(v, 1, end_ms - range_ms, end_ms, wish, &w);
        must(told);
    }
    view_close(v);
    return (seconds() - begin) / ROUNDS * 1e6;
}

static void print_windows(void)
{
    static const struct {
        const char *name;
        int64_t ms;
    } ranges[] = {{"5m", 300000}, {"1h", 3600000}, {"6h", 21600000}, {"3d", 259200000}, {"30d", 2592000000}};
    const size_t samples = 31 * 86400 / 15;
    struct shop s;
    struct label name = {STR("__name__"), STR("x_total")};
    double v = 0;
    shop_open(&s);
    for (size_t k = 0; k < samples; k++) {
        v = k % 40000 == 39999 ? 0 : counter(k, v);
        push(&s, &name, 1, (struct sample){.t_ms = START_MS + (int64_t)k * STEP_MS, .value = v});
    }
    int64_t end_ms = START_MS + (int64_t)samples * STEP_MS;
    puts("| window | resets us | all us | rate() us | sum_over_time() us | through samples us |");
    puts("|---|---|---|---|---|---|");
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        char fast[64], sum[64], slow[64];
        snprintf(fast, sizeof fast, "rate(x_total[%s])", ranges[i].name);
        snprintf(sum, sizeof sum, "sum_over_time(x_total[%s])", ranges[i].name);
        snprintf(slow, sizeof slow, "stddev_over_time(x_total[%s])", ranges[i].name);
        printf("| %s | %.2f | %.2f | %.2f | %.2f | %.1f |\n", ranges[i].name,
               time_window(&s, ranges[i].ms, end_ms, WINDOW_RESETS),
               time_window(&s, ranges[i].ms, end_ms, WINDOW_ALL), time_query(&s, fast, end_ms, 200, false),
               time_query(&s, sum, end_ms, 200, false), time_query(&s, slow, end_ms, 200, false));
    }
    store_close(s.store);
}

/* ---- windows over many series ---- */

enum {
    SPAN_SAMPLES = 31 * 86400 / 15,
    RESTART_STEPS = 40000,
    SPAN_RUN = 16,
    TRIES = 64,
    ROUNDS = 5,
    COLD_ROUNDS = 15
};

/* Pods restart about once a week. */
static double span_step(size_t i, size_t k, double v)
{
    size_t pod = i / POD_SERIES, begun = (size_t)(uniform(801, pod) * RESTART_STEPS);
    if ((k + begun) % RESTART_STEPS == 0)
        return i % POD_SERIES < 95 ? 0 : fleet_first(pod, i % POD_SERIES);
    return fleet_step(i, k, v);
}

/* Samples from <= k < to of series i; *v is the value before them, and after. */
static void push_span(struct shop *s, size_t i, size_t from, size_t to, double *v)
{
    struct sample run[SPAN_RUN];
    struct label labels[4];
    char text[3][48];
    fleet_labels(i, text, labels);
    labels[3] = (struct label){STR("name"), labels[0].value}; /* rate() takes away the other */
    for (size_t k = from; k < to; k++)
        run[k - from] = (struct sample){.t_ms = fleet_time(i, k), .value = *v = span_step(i, k, *v)};
    struct batch_series series = {labels, 4, run, to - from};
    struct batch batch = {.series = &series, .count = 1};
    struct admit_result result = {0};
    s->sim.now_ns = run[to - from - 1].t_ms * NS_PER_MS;
    store_admit(s->store, &batch, &result);
    must(result.appended == to - from);
}

/* A few of each series by turns, so that they lie in memory as when they are scraped. */
static void fill_spans(struct shop *s, size_t count)
{
    double *v = calloc(count, sizeof *v);
    must(v != NULL);
    for (size_t i = 0; i < count; i++)
        v[i] = fleet_first(i / POD_SERIES, i % POD_SERIES);
    for (size_t k = 0; k < SPAN_SAMPLES; k += SPAN_RUN)
        for (size_t i = 0; i < count; i++)
            push_span(s, i, k, k + SPAN_RUN < SPAN_SAMPLES ? k + SPAN_RUN : SPAN_SAMPLES, &v[i]);
    free(v);
}

static double wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What is asked of one series: TRIES windows, the last one ending now; seconds for each. */
static double try_series(struct view *v, series_ref ref, int64_t range_ms, int64_t now_ms, int64_t back_ms,
                         enum window_wish wish, int tries)
{
    struct window_summary w;
    double begin = wall();
    for (int i = tries; i-- > 0;) {
        int64_t end_ms = now_ms - i * back_ms;
        bool told = view_window(v, ref, end_ms - range_ms, end_ms, wish, &w);
        must(told);
    }
    return (wall() - begin) / tries;
}

/* What stands before the windows of a line. */
static void name_window(const char *name, int64_t back_ms)
{
    printf("| %s, %s |", name, back_ms > 0 ? "ends in the last hour" : "ends now");
}

/* Each series asked TRIES times, so that it is in the caches: the median. */
static void print_span(struct shop *s, const struct series_set *set, const char *name, int64_t range_ms,
                       int64_t now_ms, int64_t back_ms)
{
    static const enum window_wish wishes[] = {WINDOW_RESETS, WINDOW_BOUNDS, WINDOW_SUM, WINDOW_ALL};
    double *spent = calloc(set->count, sizeof *spent);
    must(spent != NULL);
    struct view *v = view_open(s->store);
    name_window(name, back_ms);
    for (size_t k = 0; k < sizeof wishes / sizeof *wishes; k++) {
        for (size_t i = 0; i < set->count; i++) {
            spent[i] = 1;
            for (int round = 0; round < ROUNDS; round++)
                spent[i] =
                    fmin(spent[i], try_series(v, set->refs[i], range_ms, now_ms, back_ms, wishes[k], TRIES));
        }
        qsort(spent, set->count, sizeof *spent, by_size);
        printf(" %.3f |", spent[set->count / 2] * 1e6);
    }
    puts("");
    view_close(v);
    free(spent);
}

/* Seconds for a window of each series, none of which is in the caches; `together` are asked for at once. */
static double ask_cold(struct view *v, const struct series_set *set, int64_t after_ms, int64_t upto_ms,
                       enum window_wish wish, size_t together)
{
    forget();
    double begin = wall();
    for (size_t i = 0; i < set->count; i += together) {
        size_t left = set->count - i;
        const struct told_window *told =
            view_windows(v, set->refs + i, NULL, left < together ? left : together, after_ms, upto_ms, wish);
        must(told->is_told);
    }
    return (wall() - begin) / (double)set->count;
}

static void print_cold(struct shop *s, const struct series_set *set, const char *name, int64_t range_ms,
                       int64_t now_ms, int64_t back_ms)
{
    static const enum window_wish wishes[] = {WINDOW_RESETS, WINDOW_BOUNDS, WINDOW_SUM};
    struct view *v = view_open(s->store);
    int64_t end_ms = now_ms - TRIES / 2 * back_ms;
    name_window(name, back_ms);
    for (size_t k = 0; k < sizeof wishes / sizeof *wishes; k++) {
        double single = 1, ahead = 1;
        for (int round = 0; round < COLD_ROUNDS; round++) {
            single = fmin(single, ask_cold(v, set, end_ms - range_ms, end_ms, wishes[k], 1));
            ahead = fmin(ahead, ask_cold(v, set, end_ms - range_ms, end_ms, wishes[k], VIEW_TOGETHER_MAX));
        }
        printf(" %.2f | %.2f |", single * 1e6, ahead * 1e6);
    }
    puts("");
    view_close(v);
}

/* As rules ask: each time a scrape later, one series after the other, none of which is in the caches, with an edge for each. Seconds of each
 * window go into `spent`, round by round. */
static void ask_standing(struct shop *s, const struct series_set *set, int64_t range_ms, int64_t end_ms,
                         enum window_wish wish, double *spent)
{
    struct edges *edges = edges_open(s->store);
    for (int round = -1; round < COLD_ROUNDS; round++) { /* the first one finds the edges */
        struct view *v = view_open(s->store);
        int64_t upto_ms = end_ms + round * STEP_MS;
        forget();
        for (size_t i = 0; i < set->count; i++) {
            struct edge *edge = edges_at(edges, i, 1, set->count);
            double begin = wall();
            const struct told_window *told =
                view_windows(v, &set->refs[i], edge, 1, upto_ms - range_ms, upto_ms, wish);
            must(told->is_told);
            if (round >= 0)
                spent[i * COLD_ROUNDS + (size_t)round] = wall() - begin;
        }
        view_close(v);
    }
    edges_close(edges);
}

/* The median over the series of each one's median. */
static double time_standing(struct shop *s, const struct series_set *set, int64_t range_ms, int64_t end_ms,
                            enum window_wish wish)
{
    double *spent = calloc(set->count, COLD_ROUNDS * sizeof *spent),
           *median = calloc(set->count, sizeof *median);
    must(spent != NULL && median != NULL);
    ask_standing(s, set, range_ms, end_ms, wish, spent);
    for (size_t i = 0; i < set->count; i++) {
        qsort(&spent[i * COLD_ROUNDS], COLD_ROUNDS, sizeof *spent, by_size);
        median[i] = spent[i * COLD_ROUNDS + COLD_ROUNDS / 2];
    }
    qsort(median, set->count, sizeof *median, by_size);
    double result = median[set->count / 2];
    free(spent);
    free(median);
    return result;
}

static void print_standing(struct shop *s, const struct series_set *set, int64_t now_ms)
{
    static const enum window_wish wishes[] = {WINDOW_RESETS, WINDOW_BOUNDS, WINDOW_SUM, WINDOW_CHANGES};
    static const int64_t ranges_ms[] = {300000, INT64_C(2592000000)};
    int64_t end_ms = now_ms - COLD_ROUNDS * STEP_MS;
    for (size_t r = 0; r < 2; r++) {
        printf("| %s |", r == 0 ? "5m" : "30d");
        for (size_t k = 0; k < sizeof wishes / sizeof *wishes; k++)
            printf(" %.3f |", time_standing(s, set, ranges_ms[r], end_ms, wishes[k]) * 1e6);
        puts("");
    }
}

typedef void print_window_fn(struct shop *s, const struct series_set *set, const char *name, int64_t range_ms,
                             int64_t now_ms, int64_t back_ms);

static void print_each(struct shop *s, const struct series_set *set, int64_t now_ms, print_window_fn *print)
{
    for (int64_t back_ms = 0; back_ms <= 54321; back_ms += 54321) {
        print(s, set, "5m", 300000, now_ms, back_ms);
        print(s, set, "6h", 21600000, now_ms, back_ms);
        print(s, set, "30d", INT64_C(2592000000), now_ms, back_ms);
    }
}

/* Neighbours apart, as a selector mostly has them. */
static void shuffle(struct series_set *set, struct arena *arena)
{
    series_ref *refs = arena_copy(arena, set->refs, set->count, sizeof *refs);
    must(refs != NULL);
    for (size_t i = set->count; i > 1; i--) {
        size_t j = (size_t)(uniform(900, i) * (double)i);
        series_ref r = refs[j];
        refs[j] = refs[i - 1];
        refs[i - 1] = r;
    }
    set->refs = refs;
}

/* Microseconds a series for one evaluation over all of them, cold. */
static double time_all(struct shop *s, const char *function, const char *range, int64_t now_ms, size_t count)
{
    char text[96];
    snprintf(text, sizeof text, "%s({job=~\"svc.*\"}%s)", function, range);
    return time_query(s, text, now_ms, COLD_ROUNDS, true) / (double)count;
}

static void print_spans(size_t count)
{
    static const char *const functions[] = {"rate", "increase", "count_over_time", "sum_over_time",
                                            "max_over_time"};
    struct shop s;
    struct arena arena;
    struct series_set set;
    shop_open(&s);
    fill_spans(&s, count);
    struct store_figures f;
    store_figures(s.store, &f);
    int64_t now_ms = s.sim.now_ns / NS_PER_MS;
    arena_init(&arena, 1 << 20);
    struct view *v = view_open(s.store);
    must(view_select(v, NULL, 0, &arena, &set) == 0);
    printf("%zu series, %.3f B a sample\n\n", count, (double)f.bytes / (double)f.samples);
    puts("| window | resets us | bounds | sum | all |\n|---|---|---|---|---|");
    print_each(&s, &set, now_ms, print_span);
    shuffle(&set, &arena);
    puts("\n| cold | resets us | together | bounds | together | sum | together "
         "|\n|---|---|---|---|---|---|---|");
    print_each(&s, &set, now_ms, print_cold);
    puts("\n| standing, cold, median | resets us | bounds | sum | changes |\n|---|---|---|---|---|");
    print_standing(&s, &set, now_ms);
    view_close(v);
    arena_release(&arena);
    puts("\n| function, cold | 5m, us a series | 30d |\n|---|---|---|");
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        printf("| %s | %.2f | %.2f |\n", functions[i], time_all(&s, functions[i], "[5m]", now_ms, count),
               time_all(&s, functions[i], "[30d]", now_ms, count));
    printf("| none: the last value | %.2f | |\n", time_all(&s, "", "", now_ms, count));
    store_close(s.store);
}

static void print_late(void)
{
    enum { LATE = 2000 };
    struct shop s;
    struct label name = {STR("__name__"), STR("x_total")};
    double v = 0;
    shop_open(&s);
    for (size_t k = 0; k < 5000; k++) {
        v = counter(k, v);
        push(&s, &name, 1, (struct sample){.t_ms = START_MS + (int64_t)k * STEP_MS, .value = v});
    }
    double begin = seconds();
    for (size_t i = 0; i < LATE; i++) {
        int64_t t_ms = START_MS + (int64_t)(1000 + floor(uniform(13, i) * 3900)) * STEP_MS + 1 + (int64_t)i;
        push(&s, &name, 1, (struct sample){.t_ms = t_ms, .value = 1});
    }
    printf("a late sample: %.1f us\n", (seconds() - begin) / LATE * 1e6);
    store_close(s.store);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "kinds") == 0)
        print_kinds();
    else if (argc == 2 && strcmp(argv[1], "histograms") == 0)
        print_histograms();
    else if (argc == 2 && strcmp(argv[1], "windows") == 0)
        print_windows();
    else if (argc == 2 && strcmp(argv[1], "late") == 0)
        print_late();
    else if (argc == 3 && strcmp(argv[1], "spans") == 0)
        print_spans(strtoul(argv[2], NULL, 10));
    else if (argc >= 4 && strcmp(argv[1], "fleet") == 0)
        print_fleet(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), argc > 4);
    else
        return fputs("usage: codec kinds | histograms | windows | spans SERIES | late | fleet SERIES SAMPLES "
                     "[exact]\n",
                     stderr),
               2;
    return 0;
}
