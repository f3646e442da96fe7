#include "pusher_priv.h"

#include "command_priv.h"
#include "tocsin/check.h"
#include "tocsin/courier.h"
#include "tocsin/encode.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/queue.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

enum { RETRY_MS = 1000, TOLD_EVERY_MS = 5000 };

/* One that is encoded and not sent yet. */
struct kept_push {
    struct str body;
    size_t samples;
};

/* Those of one connection, which always has the same series: so none is overtaken by a newer one. */
struct share {
    struct kept_push *items;
    size_t count, capacity, next;
};

/* One push, from its encoding until it is answered for good. */
struct push {
    struct pusher *pusher;
    struct arena arena;
    struct net_request request; /* the courier borrows it until it answers */
    size_t samples;
    int status;
    char text[256];
};

struct pusher {
    struct world *world;
    struct courier *courier;
    struct simulation *sim;
    struct pusher_options options;
    struct push all[PUSHER_CONNECTIONS_MAX];
    struct push *idle[PUSHER_CONNECTIONS_MAX];
    size_t idle_count;
    struct queue *answers; /* of pushes; a place for each */
    struct arena round;    /* all samples of one time */
    struct share shares[PUSHER_CONNECTIONS_MAX];
    sigset_t signals;
    struct pusher_figures figures;
    int64_t told_ms;
};

/* ---- one push ---- */

static void take_answer(void *context, const struct net_answer *answer)
{
    struct push *p = context;
    p->status = answer->status;
    struct str why = answer->status != 0 ? answer->body : str_of(answer->error.text);
    size_t n = str_find_char(why, '\n');
    snprintf(p->text, sizeof p->text, "%.*s", (int)n, why.p != NULL ? why.p : "");
    must(queue_push(p->pusher->answers, p) == 0);
}

static int send_push(struct push *p, struct err *err)
{
    static const struct net_header headers[] = {{"Content-Type", "application/x-protobuf"},
                                                {"Content-Encoding", "snappy"},
                                                {"X-Prometheus-Remote-Write-Version", "0.1.0"}};
    struct pusher *r = p->pusher;
    p->request.headers = headers;
    p->request.header_count = sizeof headers / sizeof headers[0];
    p->request.method = "POST";
    p->request.url = r->options.url;
    int rc = r->world->send(r->world, &p->request, take_answer, p);
    return rc == 0 ? 0 : err_set(err, rc, "cannot send to %s", r->options.url);
}

bool pusher_wait(struct pusher *r, int64_t wait_ms)
{
    struct timespec wait = {.tv_sec = (time_t)(wait_ms / 1000),
                            .tv_nsec = (long)(wait_ms % 1000 * NS_PER_MS)};
    return sigtimedwait(&r->signals, NULL, &wait) > 0;
}

static void tell(struct pusher *r, const struct push *last, const char *what)
{
    int64_t now_ms = r->world->mono_ns(r->world) / NS_PER_MS;
    if (now_ms - r->told_ms < TOLD_EVERY_MS)
        return;
    r->told_ms = now_ms;
    fprintf(stderr, "%s: %llu samples in %llu pushes, last answer %d %s\n", what,
            (unsigned long long)r->figures.samples, (unsigned long long)r->figures.pushes, last->status,
            last->text);
}

static bool may_succeed_later(int status)
{
    return status == 0 || status == 429 || status >= 500;
}

static void count_push(struct pusher *r, const struct push *p, const char *what)
{
    if (p->status >= 300)
        fprintf(stderr, "refused: %d %s\n", p->status, p->text);
    r->figures.refused += p->status >= 300;
    r->figures.samples += p->samples;
    r->figures.pushes++;
    tell(r, p, what);
}

/* Waits until one of the pushes under way is answered for good; it is idle then. ERR_CANCEL: a signal came first. */
static int settle_one(struct pusher *r, const char *what, struct err *err)
{
    for (;;) {
        struct push *p = queue_pop(r->answers, -1);
        if (!may_succeed_later(p->status)) {
            count_push(r, p, what);
            r->idle[r->idle_count++] = p;
            return pusher_wait(r, 0) ? ERR_CANCEL : 0;
        }
        tell(r, p, "waiting");
        if (pusher_wait(r, RETRY_MS))
            return ERR_CANCEL;
        int rc = send_push(p, err);
        if (rc != 0)
            return rc;
    }
}

static int push_batch(struct pusher *r, const struct batch *batch, const char *what, struct err *err)
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

static int make_round(struct pusher *r, int64_t t_ms, struct batch *all, struct err *err)
{
    arena_clear(&r->round);
    int rc = simulate_at(r->sim, t_ms, &r->round, all);
    if (rc == 0)
        return 0;
    return err_set(err, rc, "the samples of one time need more than %lld bytes",
                   (long long)limits.generation_arena_bytes);
}

/* What one push takes of the series from `from` to before `end`. */
static struct batch part_of(const struct pusher *r, const struct batch *all, size_t from, size_t end)
{
    size_t count = end - from < r->options.push_samples ? end - from : r->options.push_samples;
    return (struct batch){.series = all->series + from, .count = count};
}

int pusher_send(struct pusher *r, int64_t t_ms, const char *what, struct err *err)
{
    struct batch all = {0};
    int rc = make_round(r, t_ms, &all, err);
    for (size_t from = 0; rc == 0 && from < all.count; from += r->options.push_samples) {
        struct batch batch = part_of(r, &all, from, all.count);
        rc = push_batch(r, &batch, what, err);
    }
    while (rc == 0 && r->idle_count < r->options.connections)
        rc = settle_one(r, what, err);
    return rc;
}

/* ---- encoded first ---- */

static int keep_push(struct pusher *r, struct share *share, const struct batch *batch, struct err *err)
{
    struct str body;
    struct arena *scratch = &r->all[0].arena;
    arena_clear(scratch);
    int rc = encode_push(scratch, batch, &body);
    if (rc != 0)
        return err_set(err, rc, "one push needs more than %lld bytes", (long long)limits.push_arena_bytes);
    MEM_GROW(share->items, share->count, share->capacity);
    share->items[share->count++] = (struct kept_push){{mem_copy_text(body.p, body.n), body.n}, batch->count};
    return 0;
}

int pusher_keep(struct pusher *r, int64_t t_ms, struct err *err)
{
    struct batch all = {0};
    int rc = make_round(r, t_ms, &all, err);
    for (size_t c = 0; rc == 0 && c < r->options.connections; c++) {
        size_t end = all.count * (c + 1) / r->options.connections;
        for (size_t from = all.count * c / r->options.connections; rc == 0 && from < end;
             from += r->options.push_samples) {
            struct batch batch = part_of(r, &all, from, end);
            rc = keep_push(r, &r->shares[c], &batch, err);
        }
    }
    return rc != 0 ? rc : pusher_wait(r, 0) ? ERR_CANCEL : 0;
}

static int send_next(struct pusher *r, struct push *p, struct err *err)
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
int pusher_send_kept(struct pusher *r, const char *what, struct err *err)
{
    int rc = 0;
    r->idle_count = 0;
    for (size_t c = 0; rc == 0 && c < r->options.connections; c++) {
        r->idle[r->idle_count++] = &r->all[c];
        rc = send_next(r, &r->all[c], err);
    }
    while (rc == 0 && r->idle_count < r->options.connections) {
        rc = settle_one(r, what, err);
        if (rc == 0)
            rc = send_next(r, r->idle[r->idle_count - 1], err);
    }
    return rc;
}

static void release_shares(struct pusher *r)
{
    for (size_t c = 0; c < r->options.connections; c++) {
        for (size_t i = 0; i < r->shares[c].count; i++)
            mem_free((char *)r->shares[c].items[i].body.p);
        mem_free(r->shares[c].items);
    }
}

/* ---- opening and closing ---- */

static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int pusher_open(struct world *world, const struct pusher_options *options, struct simulation *sim,
                struct pusher **out, struct err *err)
{
    struct pusher *r = MEM_NEW(struct pusher);
    r->world = world;
    r->sim = sim;
    r->options = *options;
    r->answers = queue_open(options->connections);
    arena_init(&r->round, (size_t)limits.generation_arena_bytes);
    for (size_t i = 0; i < options->connections; i++) {
        r->all[i].pusher = r;
        arena_init(&r->all[i].arena, (size_t)limits.push_arena_bytes);
        r->idle[r->idle_count++] = &r->all[i];
    }
    block_signals(&r->signals); /* before the courier's thread begins: it shares them */
    int rc = courier_open(world, "Tocsin/" TOCSIN_VERSION, &r->courier, err);
    if (rc == 0)
        *out = r;
    else
        pusher_close(r);
    return rc;
}

/* Once the courier is closed nothing is under way, but answers may wait that nobody took. */
void pusher_close(struct pusher *r)
{
    if (r == NULL)
        return;
    if (r->courier != NULL)
        courier_close(r->courier, 0);
    while (queue_pop(r->answers, 0) != NULL)
        ;
    queue_close(r->answers);
    queue_free(r->answers);
    arena_release(&r->round);
    release_shares(r);
    for (size_t i = 0; i < r->options.connections; i++)
        arena_release(&r->all[i].arena);
    mem_free(r);
}

struct pusher_figures pusher_figures(const struct pusher *r)
{
    return r->figures;
}
