#include "command_priv.h"

#include "pusher_priv.h"
#include "tocsin/duration.h"
#include "tocsin/gotext.h"

#include <stdio.h>

static const char usage[] =
    "usage: tocsin simulate [FLAGS]\n"
    "\n"
    "Pushes the metrics of made-up services over remote write, to Tocsin or any other receiver: up, "
    "http_requests_total by code and\n"
    "http_request_duration_seconds, with a daily wave, noise, and the disturbances you ask for.\n"
    "\n"
    "examples:\n"
    "  tocsin simulate --services=10 --interval=15s\n"
    "  tocsin simulate --backfill=1h --disturb=service=checkout,after=1m,for=10m,errors=0.5\n"
    "  tocsin simulate --for=5m --disturb=after=30s,for=2m,latency=8 "
    "--disturb=service=search,after=3m,for=1m,down\n";

struct simulate_flags {
    const char *url, *rate, *error_ratio;
    int64_t services, instances, seed, interval_ms, backfill_ms, backfill_step_ms, for_ms, push_samples,
        connections;
    bool kubernetes, encode_first;
    struct flag_list disturb;
};

/* ---- flags ---- */

static int bad_disturbance(const char *text, struct err *err)
{
    return err_set(err, ERR_ARG,
                   "--disturb=%s: write [service=NAME,]after=DURATION,for=DURATION and errors=RATIO, "
                   "latency=FACTOR or down",
                   text);
}

static int read_part(struct str part, struct simulate_disturbance *d, bool *has_kind)
{
    struct str value = part;
    struct str name = str_cut(&value, '=');
    if (str_is(name, "service"))
        d->service = value;
    else if (str_is(name, "after"))
        return duration_parse(value, &d->from_ms, NULL);
    else if (str_is(name, "for"))
        return duration_parse(value, &d->for_ms, NULL);
    else {
        *has_kind = true;
        d->kind = str_is(name, "errors")    ? SIMULATE_ERRORS
                  : str_is(name, "latency") ? SIMULATE_LATENCY
                                            : SIMULATE_DOWN;
        if (d->kind == SIMULATE_DOWN)
            return str_is(part, "down") ? 0 : ERR_ARG;
        return go_parse_float(value, &d->amount) ? 0 : ERR_ARG;
    }
    return 0;
}

static int read_disturbance(const char *text, int64_t live_from_ms, struct simulate_disturbance *d,
                            struct err *err)
{
    bool has_kind = false;
    struct str rest = str_of(text);
    *d = (struct simulate_disturbance){0};
    while (rest.p != NULL)
        if (read_part(str_cut(&rest, ','), d, &has_kind) != 0)
            return bad_disturbance(text, err);
    if (!has_kind || d->for_ms <= 0)
        return bad_disturbance(text, err);
    d->from_ms += live_from_ms;
    return 0;
}

static int check_flags(const struct simulate_flags *f, struct err *err)
{
    if (f->interval_ms < 1000 || f->interval_ms % 1000 != 0 || f->backfill_step_ms < 1000 ||
        f->backfill_step_ms % 1000 != 0)
        return err_set(err, ERR_ARG, "--interval and --backfill-step are whole numbers of seconds");
    if (f->push_samples < 1)
        return err_set(err, ERR_ARG, "--samples-per-push is at least 1");
    if (f->connections < 1 || f->connections > PUSHER_CONNECTIONS_MAX)
        return err_set(err, ERR_ARG, "--connections is 1 to %d", PUSHER_CONNECTIONS_MAX);
    if (f->services < 1 || f->instances < 1)
        return err_set(err, ERR_ARG, "--services and --instances are at least 1");
    if (!str_starts(str_of(f->url), STR("http://")) && !str_starts(str_of(f->url), STR("https://")))
        return err_set(err, ERR_ARG,
                       "--url is the whole URL of a remote-write receiver, http://HOST:PORT/api/v1/write");
    return 0;
}

static int64_t start_of(const struct simulate_flags *f, int64_t live_ms)
{
    return live_ms - f->backfill_ms / 1000 * 1000;
}

static int open_simulation(const struct simulate_flags *f, int64_t start_ms, struct simulation **sim,
                           struct err *err)
{
    struct simulate_disturbance disturbances[FLAG_LIST_MAX];
    struct simulate_options options = {
        .seed = (uint64_t)f->seed,
        .services = (size_t)f->services,
        .instances = (size_t)f->instances,
        .start_ms = start_ms,
        .kubernetes = f->kubernetes,
        .disturbances = disturbances,
        .disturbance_count = f->disturb.count,
    };
    int rc = 0;
    if (!go_parse_float(str_of(f->rate), &options.requests_per_s) ||
        !go_parse_float(str_of(f->error_ratio), &options.error_ratio))
        rc = err_set(err, ERR_ARG, "--requests-per-second and --error-ratio take numbers");
    for (size_t i = 0; rc == 0 && i < f->disturb.count; i++)
        rc = read_disturbance(f->disturb.items[i], f->backfill_ms, &disturbances[i], err);
    return rc != 0 ? rc : simulate_open(&options, sim, err);
}

/* ---- pushing ---- */

static int push_history(struct pusher *p, const struct simulate_flags *f, int64_t live_ms, struct err *err)
{
    int rc = 0;
    for (int64_t t = start_of(f, live_ms); rc == 0 && t < live_ms; t += f->backfill_step_ms)
        rc = f->encode_first ? pusher_keep(p, t, err) : pusher_send(p, t, "backfill", err);
    if (rc == 0 && f->encode_first) {
        fprintf(stderr, "backfill encoded\n");
        rc = pusher_send_kept(p, "backfill", err);
    }
    struct pusher_figures done = pusher_figures(p);
    if (rc == 0 && f->backfill_ms > 0)
        fprintf(stderr, "backfill done: %llu samples in %llu pushes\n", (unsigned long long)done.samples,
                (unsigned long long)done.pushes);
    return rc;
}

static int push_all(struct world *world, struct pusher *p, const struct simulate_flags *f, int64_t live_ms,
                    struct err *err)
{
    int rc = push_history(p, f, live_ms, err);
    for (int64_t t = live_ms; rc == 0 && (f->for_ms == 0 || t - live_ms <= f->for_ms); t += f->interval_ms) {
        int64_t ahead_ms = t - world_now_ms(world);
        if (ahead_ms > 0 && pusher_wait(p, ahead_ms))
            return ERR_CANCEL;
        rc = pusher_send(p, t, "live", err);
    }
    return rc;
}

static int run(const struct simulate_flags *f, struct pusher_figures *done, struct err *err)
{
    struct world *world = world_real();
    const struct pusher_options options = {f->url, (size_t)f->push_samples, (size_t)f->connections};
    int64_t live_ms = world_now_ms(world) / 1000 * 1000;
    struct simulation *sim;
    struct pusher *p = NULL;
    int rc = open_simulation(f, start_of(f, live_ms), &sim, err);
    if (rc != 0)
        return rc;
    rc = pusher_open(world, &options, sim, &p, err);
    if (rc == 0) {
        rc = push_all(world, p, f, live_ms, err);
        *done = pusher_figures(p);
    }
    pusher_close(p);
    simulate_close(sim);
    return rc;
}

int command_simulate(int argc, char **argv)
{
    struct simulate_flags f = {.url = "http://127.0.0.1:9595/api/v1/write",
                               .rate = "20",
                               .error_ratio = "0.0002",
                               .services = 4,
                               .instances = 3,
                               .seed = 1,
                               .interval_ms = 15000,
                               .backfill_step_ms = 15000,
                               .push_samples = 2000,
                               .connections = 1};
    const struct flag flags[] = {
        {"url", FLAG_TEXT, &f.url, "where to push"},
        {"services", FLAG_NUMBER, &f.services, "how many services"},
        {"instances", FLAG_NUMBER, &f.instances, "instances of each"},
        {"interval", FLAG_DURATION_MS, &f.interval_ms, "time between samples"},
        {"requests-per-second", FLAG_TEXT, &f.rate, "of one instance, on average"},
        {"error-ratio", FLAG_TEXT, &f.error_ratio, "share of requests that fail on an ordinary day"},
        {"backfill", FLAG_DURATION_MS, &f.backfill_ms,
         "push this much history first, as fast as it is answered"},
        {"backfill-step", FLAG_DURATION_MS, &f.backfill_step_ms, "time between samples of the history"},
        {"encode-first", FLAG_SWITCH, &f.encode_first,
         "encode the whole history before the first push, so that sending it costs this machine little"},
        {"for", FLAG_DURATION_MS, &f.for_ms, "how long to push; 0s: until Ctrl-C"},
        {"disturb", FLAG_LIST, &f.disturb,
         "[service=NAME,]after=DURATION,for=DURATION,errors=RATIO|latency=FACTOR|down; may be given again"},
        {"samples-per-push", FLAG_NUMBER, &f.push_samples, "most samples in one push"},
        {"connections", FLAG_NUMBER, &f.connections, "how many pushes may be under way at once"},
        {"kubernetes", FLAG_SWITCH, &f.kubernetes,
         "with the labels that scraping in Kubernetes adds: container, endpoint, job, namespace, pod"},
        {"seed", FLAG_NUMBER, &f.seed, "the same seed gives the same numbers"},
        {NULL, 0, NULL, NULL},
    };
    struct flag_rest rest;
    int status = 0;
    if (command_flags(usage, flags, argc, argv, &rest, &status) != 0)
        return status;
    struct pusher_figures done = {0};
    struct err err = {0};
    int rc = check_flags(&f, &err);
    if (rc == 0)
        rc = run(&f, &done, &err);
    if (rc != 0 && rc != ERR_CANCEL) {
        fprintf(stderr, "tocsin simulate: %s\n", err.text);
        return rc == ERR_ARG ? 2 : 1;
    }
    fprintf(stderr, "pushed %llu samples in %llu pushes, %llu of them refused\n",
            (unsigned long long)done.samples, (unsigned long long)done.pushes,
            (unsigned long long)done.refused);
    return 0;
}
