#include "tocsin/simulate.h"

#include "simulate_priv.h"
#include "tocsin/hash.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/sample.h"

#include <math.h>

static const char *const service_names[] = {"checkout", "payments", "search",   "catalog",
                                            "cart",     "accounts", "shipping", "recommendations"};
enum { NAMED_SERVICES = sizeof service_names / sizeof service_names[0], TEAMS = 12 };

static const char *const code_texts[SIM_CODES] = {"200", "404", "500"};
static const char *const bound_texts[SIM_BUCKETS] = {"0.005", "0.01", "0.025", "0.05", "0.1", "0.25",
                                                     "0.5",   "1",    "2.5",   "5",    "10",  "+Inf"};

static void use_defaults(struct simulate_options *o)
{
    o->services = o->services > 0 ? o->services : 4;
    o->instances = o->instances > 0 ? o->instances : 3;
    o->requests_per_s = o->requests_per_s > 0 ? o->requests_per_s : 20;
    o->error_ratio = o->error_ratio >= 0 ? o->error_ratio : 0.001;
    o->latency_s = o->latency_s > 0 ? o->latency_s : 0.08;
}

static int check_disturbance(const struct simulation *sim, const struct simulate_disturbance *d,
                             struct err *err)
{
    bool known = d->service.n == 0;
    for (size_t i = 0; i < sim->options.services; i++)
        known = known || str_eq(d->service, sim->services[i]);
    if (!known)
        return err_set(err, ERR_ARG, "no service \"%.*s\" is simulated", STR_ARG(d->service));
    if (d->from_ms < 0 || d->for_ms < 0)
        return err_set(err, ERR_ARG, "a disturbance begins before the start or ends before it begins");
    if (d->kind == SIMULATE_ERRORS && !(d->amount >= 0 && d->amount <= 1))
        return err_set(err, ERR_ARG, "share of errors %g is not between 0 and 1", d->amount);
    if (d->kind == SIMULATE_LATENCY && !(d->amount > 0 && isfinite(d->amount)))
        return err_set(err, ERR_ARG, "latency cannot change by a factor of %g", d->amount);
    return 0;
}

static void name_services(struct simulation *sim)
{
    sim->services = ARENA_ARRAY(&sim->arena, struct str, sim->options.services);
    for (size_t i = 0; i < sim->options.services && !arena_exhausted(&sim->arena); i++)
        sim->services[i] = i < NAMED_SERVICES ? str_of(service_names[i])
                                              : str_of(arena_format(&sim->arena, "service-%zu", i + 1));
}

/* What every series of one instance carries, in order of names. */
struct target {
    struct label items[SIM_TARGET_LABELS];
    size_t count;
};

static void add(struct target *t, const char *name, struct str value)
{
    t->items[t->count++] = (struct label){str_of(name), value};
}

static void label_target(struct simulation *sim, size_t number, struct target *t)
{
    const struct simulate_options *o = &sim->options;
    size_t service = sim->instances[number].service;
    struct str name = sim->services[service], pod = {0};
    size_t own = number % o->instances;
    if (o->kubernetes) {
        pod = str_of(arena_format(&sim->arena, "%.*s-%08x-%05zu", STR_ARG(name),
                                  (unsigned)hash_mix(o->seed, service), own));
        add(t, "container", STR("app"));
        add(t, "endpoint", STR("metrics"));
    }
    add(t, "instance", str_of(arena_format(&sim->arena, "%.*s-%zu:8080", STR_ARG(name), own)));
    if (o->kubernetes) {
        add(t, "job", name);
        add(t, "namespace", str_of(arena_format(&sim->arena, "team-%02zu", service % TEAMS)));
        add(t, "pod", pod);
    }
    add(t, "service", name);
}

/* The labels of one series: its name, the target's, and perhaps one of its own among them, in order of names. */
static void label_series(struct simulation *sim, size_t at, const char *name, struct label own,
                         const struct target *t)
{
    struct label *to = sim->labels[at];
    size_t n = 0, i = 0;
    to[n++] = (struct label){STR(LABEL_METRIC_NAME), str_of(name)};
    while (own.name.n > 0 && i < t->count && str_cmp(t->items[i].name, own.name) < 0)
        to[n++] = t->items[i++];
    if (own.name.n > 0)
        to[n++] = own;
    while (i < t->count)
        to[n++] = t->items[i++];
    sim->label_counts[at] = (uint8_t)n;
}

/* In the order in which read_instance reads the counters. */
static void label_instance(struct simulation *sim, size_t number)
{
    size_t at = number * SIM_SERIES;
    struct target t = {.count = 0};
    struct label none = {0};
    label_target(sim, number, &t);
    label_series(sim, at++, "up", none, &t);
    for (int i = 0; i < SIM_CODES; i++)
        label_series(sim, at++, "http_requests_total", (struct label){STR("code"), str_of(code_texts[i])},
                     &t);
    for (int i = 0; i < SIM_BUCKETS; i++)
        label_series(sim, at++, "http_request_duration_seconds_bucket",
                     (struct label){STR("le"), str_of(bound_texts[i])}, &t);
    label_series(sim, at++, "http_request_duration_seconds_sum", none, &t);
    label_series(sim, at++, "http_request_duration_seconds_count", none, &t);
}

static void make_instances(struct simulation *sim)
{
    size_t series = sim->instance_count * SIM_SERIES;
    sim->instances = ARENA_ARRAY(&sim->arena, struct sim_instance, sim->instance_count);
    sim->labels = arena_array(&sim->arena, series, sizeof *sim->labels);
    sim->label_counts = arena_alloc(&sim->arena, series);
    for (size_t i = 0; i < sim->instance_count && !arena_exhausted(&sim->arena); i++) {
        sim->instances[i].service = i / sim->options.instances;
        sim->instances[i].phase = (double)(hash_mix(sim->options.seed, i) >> 40) / (1 << 24) / 8;
        label_instance(sim, i);
    }
}

static void copy_disturbances(struct simulation *sim)
{
    struct simulate_options *o = &sim->options;
    struct simulate_disturbance *copy =
        arena_copy(&sim->arena, o->disturbances, o->disturbance_count, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < o->disturbance_count; i++)
        copy[i].service = str_copy(&sim->arena, copy[i].service);
    o->disturbances = copy;
}

static int build(struct simulation *sim, struct err *err)
{
    name_services(sim);
    for (size_t i = 0; i < sim->options.disturbance_count && !arena_exhausted(&sim->arena); i++) {
        int rc = check_disturbance(sim, &sim->options.disturbances[i], err);
        if (rc != 0)
            return rc;
    }
    copy_disturbances(sim);
    make_instances(sim);
    return arena_exhausted(&sim->arena) ? err_set(err, ERR_LIMIT, "the simulation needs too much memory") : 0;
}

int simulate_open(const struct simulate_options *options, struct simulation **out, struct err *err)
{
    struct simulate_options o = *options;
    use_defaults(&o);
    size_t series;
    if (__builtin_mul_overflow(o.services, o.instances, &series) ||
        __builtin_mul_overflow(series, (size_t)SIM_SERIES, &series) || series > (size_t)limits.series)
        return err_set(err, ERR_ARG, "too many series: %zu services x %zu instances x %d", o.services,
                       o.instances, SIM_SERIES);
    if (!(o.error_ratio <= 1) || !isfinite(o.requests_per_s) || !isfinite(o.latency_s))
        return err_set(err, ERR_ARG, "request rate, error ratio or latency out of range");
    struct simulation *sim = MEM_NEW(struct simulation);
    sim->options = o;
    sim->instance_count = o.services * o.instances;
    arena_init(&sim->arena, (size_t)limits.generation_arena_bytes);
    int rc = build(sim, err);
    if (rc != 0) {
        simulate_close(sim);
        return rc;
    }
    *out = sim;
    return 0;
}

void simulate_close(struct simulation *sim)
{
    arena_release(&sim->arena);
    mem_free(sim);
}

/* The values of one instance's series, in the order of label_instance. */
static void read_instance(const struct sim_instance *in, double *to)
{
    *to++ = in->up ? 1 : 0;
    for (int i = 0; i < SIM_CODES; i++)
        *to++ = in->up ? in->codes[i] : stale_nan();
    for (int i = 0; i < SIM_BUCKETS; i++)
        *to++ = in->up ? floor(in->buckets[i]) : stale_nan();
    *to++ = in->up ? in->seconds : stale_nan();
    *to++ = in->up ? in->requests : stale_nan();
}

int simulate_at(struct simulation *sim, int64_t t_ms, struct arena *arena, struct batch *out)
{
    size_t count = sim->instance_count * SIM_SERIES;
    int64_t since_ms;
    if (__builtin_sub_overflow(t_ms, sim->options.start_ms, &since_ms) || since_ms < 0)
        return ERR_ARG;
    struct batch_series *series = ARENA_ARRAY(arena, struct batch_series, count);
    struct sample *samples = ARENA_ARRAY(arena, struct sample, count);
    if (series == NULL || samples == NULL)
        return ERR_LIMIT;
    sim_advance(sim, since_ms / 1000);
    double values[SIM_SERIES];
    for (size_t i = 0; i < count; i++) {
        if (i % SIM_SERIES == 0)
            read_instance(&sim->instances[i / SIM_SERIES], values);
        samples[i] = (struct sample){.t_ms = t_ms, .value = values[i % SIM_SERIES]};
        series[i] = (struct batch_series){sim->labels[i], sim->label_counts[i], &samples[i], 1};
    }
    *out = (struct batch){.series = series, .count = count};
    return 0;
}
