#include "simulate_priv.h"

#include "tocsin/hash.h"

#include <math.h>

enum { DAY_S = 24 * 60 * 60 };

static const double WAVE = 0.25;            /* the load swings by this share over a day */
static const double NOISE = 0.2;            /* and by this one from second to second */
static const double NOT_FOUND_RATIO = 0.01; /* of all requests */
static const double SPREAD = 0.7;           /* sigma of the log-normal latency */

const double sim_bounds[SIM_BUCKETS] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, INFINITY};

/* What disturbs one service in one second. */
struct weather {
    double error_ratio;
    double slowness;
    bool down;
};

static bool applies(const struct simulation *sim, const struct simulate_disturbance *d, size_t service,
                    int64_t at_s)
{
    int64_t at_ms = at_s * 1000;
    if (d->service.n > 0 && !str_eq(d->service, sim->services[service]))
        return false;
    return at_ms >= d->from_ms && at_ms - d->from_ms < d->for_ms;
}

static struct weather weather_at(const struct simulation *sim, size_t service, int64_t at_s)
{
    struct weather w = {.error_ratio = sim->options.error_ratio, .slowness = 1};
    for (size_t i = 0; i < sim->options.disturbance_count; i++) {
        const struct simulate_disturbance *d = &sim->options.disturbances[i];
        if (!applies(sim, d, service, at_s))
            continue;
        if (d->kind == SIMULATE_ERRORS)
            w.error_ratio = d->amount;
        else if (d->kind == SIMULATE_LATENCY)
            w.slowness *= d->amount;
        else
            w.down = true;
    }
    return w;
}

/* 0..1, the same for the same second of the same instance. */
static double noise(const struct simulation *sim, size_t instance, int64_t at_s)
{
    uint64_t bits = hash_mix(hash_mix(sim->options.seed, instance), (uint64_t)at_s);
    return (double)(bits >> 11) / (double)(UINT64_C(1) << 53);
}

/* Whole requests of this second; the fraction stays owed. */
static double take_whole(double *owed, double more, double most)
{
    *owed += more;
    double whole = floor(*owed);
    if (whole > most)
        whole = most;
    *owed -= whole;
    return whole;
}

static double arrivals(const struct simulation *sim, struct sim_instance *in, size_t number, int64_t at_s)
{
    double turn = (double)at_s / DAY_S + in->phase;
    double rate = sim->options.requests_per_s * (1 + WAVE * sin(2 * 3.14159265358979323846 * turn));
    rate *= 1 + NOISE * (2 * noise(sim, number, at_s) - 1);
    return take_whole(&in->owed_requests, rate, INFINITY);
}

static double share_within(double bound_s, double median_s)
{
    return isinf(bound_s) ? 1 : 0.5 * erfc(-log(bound_s / median_s) / (SPREAD * sqrt(2)));
}

static void count_codes(struct sim_instance *in, double requests, const struct weather *w)
{
    double failed = take_whole(&in->owed_codes[SIM_FAILED], requests * w->error_ratio, requests);
    double rest = requests - failed;
    double missed = take_whole(&in->owed_codes[SIM_NOT_FOUND], requests * NOT_FOUND_RATIO, rest);
    in->codes[SIM_FAILED] += failed;
    in->codes[SIM_NOT_FOUND] += missed;
    in->codes[SIM_OK] += rest - missed;
}

/* Worked out when the latency changes, not every second. */
static const double *shares_at(struct simulation *sim, double median_s)
{
    if (sim->shares_median_s != median_s)
        for (int i = 0; i < SIM_BUCKETS; i++)
            sim->shares[i] = share_within(sim_bounds[i], median_s);
    sim->shares_median_s = median_s;
    return sim->shares;
}

static void count_durations(struct simulation *sim, struct sim_instance *in, double requests, double median_s)
{
    const double *shares = shares_at(sim, median_s);
    in->requests += requests;
    in->seconds += requests * median_s * exp(SPREAD * SPREAD / 2);
    for (int i = 0; i < SIM_BUCKETS; i++)
        in->buckets[i] += requests * shares[i];
}

/* A process that is gone takes its counters with it. */
static void forget(struct sim_instance *in)
{
    *in = (struct sim_instance){.service = in->service, .phase = in->phase};
}

static void live_second(struct simulation *sim, size_t number, int64_t at_s)
{
    struct sim_instance *in = &sim->instances[number];
    struct weather w = weather_at(sim, in->service, at_s);
    if (w.down) {
        forget(in);
        return;
    }
    double requests = arrivals(sim, in, number, at_s);
    in->up = true;
    count_codes(in, requests, &w);
    count_durations(sim, in, requests, sim->options.latency_s * w.slowness);
}

/* Whether it answers at the end of the time seen. */
static void look(struct simulation *sim, size_t number)
{
    struct sim_instance *in = &sim->instances[number];
    in->up = !weather_at(sim, in->service, sim->now_s).down;
    if (!in->up)
        forget(in);
}

void sim_advance(struct simulation *sim, int64_t until_s)
{
    bool back = until_s < sim->now_s;
    for (size_t i = 0; i < sim->instance_count; i++) {
        if (back)
            forget(&sim->instances[i]);
        for (int64_t at_s = back ? 0 : sim->now_s; at_s < until_s; at_s++)
            live_second(sim, i, at_s);
    }
    sim->now_s = until_s;
    for (size_t i = 0; i < sim->instance_count; i++)
        look(sim, i);
}
