#include "command_priv.h"

#include "tocsin/check.h"
#include "tocsin/courier.h"
#include "tocsin/duration.h"
#include "tocsin/encode.h"
#include "tocsin/gotext.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/queue.h"
#include "tocsin/simulate.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

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

enum { RETRY_MS = 1000, TOLD_EVERY_MS = 5000, DISTURBANCES_MAX = FLAG_LIST_MAX, CONNECTIONS_MAX = 64 };

struct simulate_flags {
    const char *url, *rate, *error_ratio;
    int64_t services, instances, seed, interval_ms, backfill_ms, backfill_step_ms, for_ms, push_samples,
        connections;
    bool kubernetes, encode_first;
    struct flag_list disturb;
};

/* A push of the history that was encoded before the first one is sent. */
struct stored_push {
    struct str body;
    size_t samples;
};

/* Those of one connection, which always has the same series: so none is overtaken by a newer one. */
struct share {
    struct stored_push *items;
    size_t count, capacity, next;
};

/* One push, from its encoding until it is answered for good. */
struct push {
    struct push_run *run;
    struct arena arena;
    struct net_request request; /* the courier borrows it until it answers */
    size_t samples;
    int status;
    char text[256];
};

/* One run: a simulation, and the way to the receiver. */
struct push_run {
    struct world *world;
    struct courier *courier;
    struct simulation *sim;
    const char *url;
    struct push all[CONNECTIONS_MAX];
    struct push *idle[CONNECTIONS_MAX];
    size_t connections, idle_count;
    struct queue *answers; /* of pushes; a place for each */
    size_t push_samples;
    struct arena round; /* all samples of one time */
    struct share shares[CONNECTIONS_MAX];
    sigset_t signals;
    uint64_t samples, pushes, refused;
    int64_t told_ms;
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
    if (f->connections < 1 || f->connections > CONNECTIONS_MAX)
        return err_set(err, ERR_ARG, "--connections is 1 to %d", CONNECTIONS_MAX);
    if (f->services < 1 || f->instances < 1)
        return err_set(err, ERR_ARG, "--services and --instances are at least 1");
    if (!str_starts(str_of(f->url), STR("http://")) && !str_starts(str_of(f->url), STR("https://")))
        return err_set(err, ERR_ARG,
                       "--url is the whole URL of a remote-write receiver, http://HOST:PORT/api/v1/write");
    return 0;
}

static int open_simulation(const struct simulate_flags *f, int64_t start_ms, struct simulation **sim,
                           struct err *err)
{
    struct simulate_disturbance disturbances[DISTURBANCES_MAX];
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

static void take_answer(void *context, const struct net_answer *answer)
{
    struct push *p = context;
    p->status = answer->status;
    struct str why = answer->status != 0 ? answer->body : str_of(answer->error.text);
    size_t n = str_find_char(why, '\n');
    snprintf(p->text, sizeof p->text, "%.*s", (int)n, why.p != NULL ? why.p : "");
    must(queue_push(p->run->answers, p) == 0);
}

static int send_push(struct push *p, struct err *err)
{
    static const struct net_header headers[] = {{"Content-Type", "application/x-protobuf"},
                                                {"Content-Encoding", "snappy"},
                                                {"X-Prometheus-Remote-Write-Version", "0.1.0"}};
    struct push_run *r = p->run;
    p->request.headers = headers;
    p->request.header_count = sizeof headers / sizeof headers[0];
    p->request.method = "POST";
    p->request.url = r->url;
    int rc = r->world->send(r->world, &p->request, take_answer, p);
    return rc == 0 ? 0 : err_set(err, rc, "cannot send to %s", r->url);
}

/* Waits; true if a signal asks for the end. */
static bool told_to_stop(struct push_run *r, int64_t wait_ms)
{
    struct timespec wait = {.tv_sec = (time_t)(wait_ms / 1000),
                            .tv_nsec = (long)(wait_ms % 1000 * NS_PER_MS)};
    return sigtimedwait(&r->signals, NULL, &wait) > 0;
}

static void tell(struct push_run *r, const struct push *last, const char *what)
{
    int64_t now_ms = r->world->mono_ns(r->world) / NS_PER_MS;
    if (now_ms - r->told_ms < TOLD_EVERY_MS)
        return;
    r->told_ms = now_ms;
    fprintf(stderr, "%s: %llu samples in %llu pushes, last answer %d %s\n", what,
            (unsigned long long)r->samples, (unsigned long long)r->pushes, last->status, last->text);
}

static bool may_succeed_later(int status)
{
    return status == 0 || status == 429 || status >= 500;
}

static void count_push(struct push_run *r, const struct push *p, const char *what)
{
    if (p->status >= 300)
        fprintf(stderr, "refused: %d %s\n", p->status, p->text);
    r->refused += p->status >= 300;
    r->samples += p->samples;
    r->pushes++;
    tell(r, p, what);
}

/* Waits until one of the pushes under way is answered for good; it is idle then. ERR_CANCEL: a signal came first. */
static int settle_one(struct push_run *r, const char *what, struct err *err)
{
    for (;;) {
        struct push *p = queue_pop(r->answers, -1);
        if (!may_succeed_later(p->status)) {
            count_push(r, p, what);
            r->idle[r->idle_count++] = p;
            return told_to_stop(r, 0) ? ERR_CANCEL : 0;
        }
        tell(r, p, "waiting");
        if (told_to_stop(r, RETRY_MS))
            return ERR_CANCEL;
        int rc = send_push(p, err);
        if (rc != 0)
            return rc;
    }
}

static int push_batch(struct push_run *r, const struct batch *batch, const char *what, struct err *err)
{
    int rc = r->idle_count == 0 ? settle_one(r, what, err) : 0;
    if (rc != 0)
        return rc;
    struct push *p = r->idle[--r->idle_count];
    arena_clear(&p->arena);
    p->samples = batch->count;
    rc = encode_push(&p->arena, batch, &p->request.body);
    if (rc != 0)
        return err_set(err, rc, "one push needs more than %lld bytes", (long long)limits.push_arena_bytes);
    return send_push(p, err);
}

/* A sample of every series, in as many pushes as that takes; all are answered before the next time's are sent, so that
 * no series' samples overtake each other. */
static int push_at(struct push_run *r, int64_t t_ms, const char *what, struct err *err)
{
    struct batch all;
    arena_clear(&r->round);
    int rc = simulate_at(r->sim, t_ms, &r->round, &all);
    if (rc != 0)
        return err_set(err, rc, "the samples of one time need more than %lld bytes",
                       (long long)limits.generation_arena_bytes);
    for (size_t from = 0; rc == 0 && from < all.count; from += r->push_samples) {
        size_t left = all.count - from;
        struct batch batch = {.series = all.series + from,
                              .count = left < r->push_samples ? left : r->push_samples};
        rc = push_batch(r, &batch, what, err);
    }
    while (rc == 0 && r->idle_count < r->connections)
        rc = settle_one(r, what, err);
    return rc;
}

/* ---- history that is encoded first ---- */

static int store_push(struct push_run *r, struct share *share, const struct batch *batch, struct err *err)
{
    struct str body;
    struct arena *scratch = &r->all[0].arena;
    arena_clear(scratch);
    int rc = encode_push(scratch, batch, &body);
    if (rc != 0)
        return err_set(err, rc, "one push needs more than %lld bytes", (long long)limits.push_arena_bytes);
    MEM_GROW(share->items, share->count, share->capacity);
    share->items[share->count++] =
        (struct stored_push){{mem_copy_text(body.p, body.n), body.n}, batch->count};
    return 0;
}

static int store_at(struct push_run *r, int64_t t_ms, struct err *err)
{
    struct batch all;
    arena_clear(&r->round);
    int rc = simulate_at(r->sim, t_ms, &r->round, &all);
    if (rc != 0)
        return err_set(err, rc, "the samples of one time need more than %lld bytes",
                       (long long)limits.generation_arena_bytes);
    for (size_t c = 0; c < r->connections; c++) {
        size_t end = all.count * (c + 1) / r->connections;
        for (size_t from = all.count * c / r->connections; rc == 0 && from < end; from += r->push_samples) {
            struct batch batch = {.series = all.series + from,
                                  .count = end - from < r->push_samples ? end - from : r->push_samples};
            rc = store_push(r, &r->shares[c], &batch, err);
        }
    }
    return rc != 0 ? rc : told_to_stop(r, 0) ? ERR_CANCEL : 0;
}

static int send_next(struct push_run *r, struct push *p, struct err *err)
{
    struct share *share = &r->shares[p - r->all];
    if (share->next == share->count)
        return 0;
    p->request.body = share->items[share->next].body;
    p->samples = share->items[share->next].samples;
    share->next++;
    r->idle_count--;
    return send_push(p, err);
}

/* Each connection sends its share, one push after the other. */
static int push_stored(struct push_run *r, struct err *err)
{
    int rc = 0;
    r->idle_count = 0;
    for (size_t c = 0; rc == 0 && c < r->connections; c++) {
        r->idle[r->idle_count++] = &r->all[c];
        rc = send_next(r, &r->all[c], err);
    }
    while (rc == 0 && r->idle_count < r->connections) {
        rc = settle_one(r, "backfill", err);
        if (rc == 0)
            rc = send_next(r, r->idle[r->idle_count - 1], err);
    }
    return rc;
}

static void release_shares(struct push_run *r)
{
    for (size_t c = 0; c < r->connections; c++) {
        for (size_t i = 0; i < r->shares[c].count; i++)
            mem_free((char *)r->shares[c].items[i].body.p);
        mem_free(r->shares[c].items);
    }
}

static int push_history(struct push_run *r, const struct simulate_flags *f, int64_t start_ms, int64_t live_ms,
                        struct err *err)
{
    int rc = 0;
    for (int64_t t = start_ms; rc == 0 && t < live_ms; t += f->backfill_step_ms)
        rc = f->encode_first ? store_at(r, t, err) : push_at(r, t, "backfill", err);
    if (rc == 0 && f->encode_first) {
        fprintf(stderr, "backfill encoded\n");
        rc = push_stored(r, err);
    }
    if (rc == 0 && f->backfill_ms > 0)
        fprintf(stderr, "backfill done: %llu samples in %llu pushes\n", (unsigned long long)r->samples,
                (unsigned long long)r->pushes);
    return rc;
}

static int push_all(struct push_run *r, const struct simulate_flags *f, int64_t start_ms, int64_t live_ms,
                    struct err *err)
{
    int rc = push_history(r, f, start_ms, live_ms, err);
    for (int64_t t = live_ms; rc == 0 && (f->for_ms == 0 || t - live_ms <= f->for_ms); t += f->interval_ms) {
        int64_t ahead_ms = t - world_now_ms(r->world);
        if (ahead_ms > 0 && told_to_stop(r, ahead_ms))
            return ERR_CANCEL;
        rc = push_at(r, t, "live", err);
    }
    return rc;
}

static int run(struct push_run *r, const struct simulate_flags *f, struct err *err)
{
    int64_t live_ms = world_now_ms(r->world) / 1000 * 1000;
    int64_t start_ms = live_ms - f->backfill_ms / 1000 * 1000;
    int rc = open_simulation(f, start_ms, &r->sim, err);
    if (rc != 0)
        return rc;
    rc = courier_open(r->world, "Tocsin/" TOCSIN_VERSION, &r->courier, err);
    if (rc == 0)
        rc = push_all(r, f, start_ms, live_ms, err);
    if (r->courier != NULL)
        courier_close(r->courier, 0);
    simulate_close(r->sim);
    return rc;
}

static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void open_pushes(struct push_run *r, const struct simulate_flags *f)
{
    r->push_samples = (size_t)f->push_samples;
    r->connections = (size_t)f->connections;
    r->answers = queue_open(r->connections);
    arena_init(&r->round, (size_t)limits.generation_arena_bytes);
    for (size_t i = 0; i < r->connections; i++) {
        r->all[i].run = r;
        arena_init(&r->all[i].arena, (size_t)limits.push_arena_bytes);
        r->idle[r->idle_count++] = &r->all[i];
    }
}

/* The courier is closed: nothing is under way, but answers may wait that nobody took. */
static void release_pushes(struct push_run *r)
{
    while (queue_pop(r->answers, 0) != NULL)
        ;
    queue_close(r->answers);
    queue_free(r->answers);
    arena_release(&r->round);
    release_shares(r);
    for (size_t i = 0; i < r->connections; i++)
        arena_release(&r->all[i].arena);
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
    struct push_run r = {.world = world_real(), .url = f.url};
    struct err err = {0};
    int rc = check_flags(&f, &err);
    if (rc == 0) {
        open_pushes(&r, &f);
        block_signals(&r.signals);
        rc = run(&r, &f, &err);
        release_pushes(&r);
    }
    if (rc != 0 && rc != ERR_CANCEL) {
        fprintf(stderr, "tocsin simulate: %s\n", err.text);
        return rc == ERR_ARG ? 2 : 1;
    }
    fprintf(stderr, "pushed %llu samples in %llu pushes, %llu of them refused\n",
            (unsigned long long)r.samples, (unsigned long long)r.pushes, (unsigned long long)r.refused);
    return 0;
}
