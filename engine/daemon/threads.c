#include "daemon_priv.h"

#include "tocsin/check.h"
#include "tocsin/limits.h"
#include "tocsin/log.h"
#include "tocsin/mem.h"
#include "tocsin/stat.h"

#include <stdint.h>

enum {
    EVALUATOR_WAIT_MS = 1000, /* so that a clock that was put back is seen soon */
    ROUTER_WAIT_MS = 1000,
    FORWARD_WAIT_MS = 20,  /* while something is on its way to an Alertmanager */
    LOOKOUT_WAIT_MS = 500, /* so that a reload's new names are seen soon */
    LOG_WAIT_MS = 250,
    BOOKS_WAIT_MS = 1000, /* so that a clock that was put back, or a reload's new objectives are seen soon */
    KEEPER_WAIT_MS = 1000,
    SNAPSHOT_EVERY_MS = 1000,
    TRIM_EVERY_MS = 1000,
    RETIRE_EVERY_MS = 10000,
    NFLOG_EVERY_MS = 900000,
    ENDED_KEEP_H = 24 /* a receiver that was away for so long still hears of an end, across restarts */
};

static int64_t wall(struct daemon *d)
{
    return d->world->wall_ns(d->world);
}

/* ---- evaluators ---- */

static void *evaluator(void *context)
{
    struct daemon *d = context;
    while (!queue_is_closed(d->stop))
        if (!ruler_run(d->ruler, wall(d)))
            ruler_wait(d->ruler, EVALUATOR_WAIT_MS);
    return NULL;
}

/* ---- alerts: from the ruler to router and forwarder ---- */

static void post_alert(struct daemon *d, const struct alert_event *event)
{
    static struct log_rate rate;
    struct buf why;
    buf_init(&why, ERR_TEXT_MAX);
    if (d->router != NULL && router_tell(d->router, event, &why) != 0 &&
        log_allowed(&rate, d->world->mono_ns(d->world)))
        log_error("an alert was refused by the router",
                  LOG_STR("alertname", labels_get(event->labels, STR("alertname"))),
                  LOG_STR("err", buf_slice(&why)));
    buf_release(&why);
}

/* The own router stands for an Alertmanager: it gets what an Alertmanager would get. */
static void hand_on_alert(struct daemon *d, struct alert_event *event)
{
    struct arena arena;
    struct alert_event told = *event;
    arena_init(&arena, (size_t)limits.flush_arena_bytes);
    if (forward_prepare(d->forward, &arena, &told)) {
        post_alert(d, &told);
        forward_alert(d->forward, &told);
    }
    arena_release(&arena);
    mem_free(event);
}

void daemon_emit_alert(void *context, struct alert_event *event)
{
    struct daemon *d = context;
    if (queue_push(d->alerts, event) != 0) {
        limit_hit(LIMIT_alert_queue);
        hand_on_alert(d, event);
    } else if (d->router != NULL)
        router_wake(d->router);
}

static void drain_alerts(struct daemon *d)
{
    struct alert_event *event;
    while ((event = queue_pop(d->alerts, 0)) != NULL)
        hand_on_alert(d, event);
}

static void wait_for_alerts(struct daemon *d, int64_t next_ns, bool forwarding)
{
    int64_t now_ns = wall(d);
    int64_t latest_ns = now_ns + (forwarding ? FORWARD_WAIT_MS : ROUTER_WAIT_MS) * NS_PER_MS;
    int64_t until_ns = next_ns < latest_ns ? next_ns : latest_ns;
    if (d->router != NULL) {
        router_wait(d->router, until_ns);
        return;
    }
    struct alert_event *event = queue_pop(d->alerts, (until_ns - now_ns) / NS_PER_MS);
    if (event != NULL)
        hand_on_alert(d, event);
}

static void *router_loop(void *context)
{
    struct daemon *d = context;
    while (!queue_is_closed(d->alerts)) {
        drain_alerts(d);
        bool forwarding = d->forward != NULL && forward_run(d->forward);
        int64_t next_ns = d->router != NULL ? router_run(d->router, wall(d)) : INT64_MAX;
        wait_for_alerts(d, next_ns, forwarding);
    }
    drain_alerts(d);
    return NULL;
}

/* ---- what rules recorded, to remote_write ---- */

static void *remote_loop(void *context)
{
    struct daemon *d = context;
    while (!atomic_load(&d->remote_ends))
        sender_wait(d->sender, sender_run(d->sender));
    return NULL;
}

/* ---- lookout: asks name servers where Alertmanagers are, and waits for them ---- */

static void *lookout(void *context)
{
    struct daemon *d = context;
    while (!queue_is_closed(d->stop))
        (void)queue_pop(d->stop, forward_discover(d->forward, LOOKOUT_WAIT_MS));
    return NULL;
}

/* ---- slices of objectives ---- */

static int64_t until_books_ms(struct daemon *d)
{
    int64_t next_ns = budgets_next_ns(d->budgets), now_ns = wall(d);
    if (next_ns <= now_ns)
        return 1;
    int64_t ms = (next_ns - now_ns) / NS_PER_MS + 1;
    return ms < BOOKS_WAIT_MS ? ms : BOOKS_WAIT_MS;
}

static void *bookkeeper(void *context)
{
    struct daemon *d = context;
    while (!queue_is_closed(d->stop))
        if (!budgets_run(d->budgets, wall(d)))
            (void)queue_pop(d->stop, until_books_ms(d));
    return NULL;
}

/* ---- the store's log, and the pushes that wait for it ---- */

static void *log_loop(void *context)
{
    struct daemon *d = context;
    while (!atomic_load(&d->log_ends)) {
        (void)store_log_run(d->store, LOG_WAIT_MS, NULL); /* a failure is in the process' log by now */
        serve_committed(d->serve, store_durable(d->store), store_log_works(d->store));
    }
    return NULL;
}

/* ---- keeper: incidents, retention, snapshots ---- */

static void record_page(struct daemon *d, struct page_event *page)
{
    struct err err = {0};
    if (incidents_page(d->incidents, page, &err) != 0)
        log_error("a page could not be recorded in its incident", LOG_STR("group", page->group_key),
                  LOG_ERR(&err));
    mem_free(page);
}

void daemon_note_page(void *context, struct page_event *page)
{
    struct daemon *d = context;
    if (queue_push(d->pages, page) == 0)
        return;
    limit_hit(LIMIT_page_queue);
    record_page(d, page);
}

/* What the keeper does from time to time, and when it did so last. */
struct chores {
    int64_t retired_ms, expired_ms, snapshot_ms, store_trimmed_ms, trimmed_ms;
    bool snapshot_fails;
};

static bool is_due(int64_t *last_ms, int64_t now_ms, int64_t every_ms)
{
    if (now_ms - *last_ms < every_ms)
        return false;
    *last_ms = now_ms;
    return true;
}

/* A failure is told once: the next attempts come every second. */
static void keep_snapshot(struct daemon *d, struct chores *chores)
{
    struct err err = {0};
    bool fails = store_snapshot(d->store, &err) != 0;
    if (fails && !chores->snapshot_fails)
        log_error("the samples cannot be written to a snapshot: their log grows", LOG_ERR(&err));
    chores->snapshot_fails = fails;
}

static void keep_store(struct daemon *d, struct chores *chores, int64_t now_ms)
{
    if (is_due(&chores->retired_ms, now_ms, RETIRE_EVERY_MS))
        store_retire(d->store);
    if (is_due(&chores->snapshot_ms, now_ms, SNAPSHOT_EVERY_MS))
        keep_snapshot(d, chores);
    if (is_due(&chores->store_trimmed_ms, now_ms, TRIM_EVERY_MS))
        store_trim(d->store);
}

static void keep_house(struct daemon *d, struct chores *chores)
{
    int64_t now_ms = d->world->mono_ns(d->world) / NS_PER_MS;
    struct err err = {0};
    if (d->store != NULL)
        keep_store(d, chores, now_ms);
    if (is_due(&chores->trimmed_ms, now_ms, TRIM_EVERY_MS))
        mem_trim();
    if (!is_due(&chores->expired_ms, now_ms, NFLOG_EVERY_MS))
        return;
    if (state_nflog_expire(d->state, wall(d), &err) != 0)
        log_error("old entries of the notification log could not be removed", LOG_ERR(&err));
    if (state_alerts_expire(d->state, wall(d) - ENDED_KEEP_H * 3600 * NS_PER_S, &err) != 0)
        log_error("alerts that ended long ago could not be removed", LOG_ERR(&err));
}

static void *keeper(void *context)
{
    struct daemon *d = context;
    struct chores chores = {0};
    for (;;) {
        keep_house(d, &chores);
        struct page_event *page = queue_pop(d->pages, KEEPER_WAIT_MS);
        if (page != NULL)
            record_page(d, page);
        else if (queue_is_closed(d->pages))
            return NULL;
    }
}

/* ---- how full the queues are ---- */

void daemon_write_metrics(void *context, struct buf *out)
{
    struct daemon *d = context;
    stat_head(out, "tocsin_queue_length", "gauge",
              "What waits: alerts for the router, pages for their incidents, requests to receivers.");
    stat_sample(out, "tocsin_queue_length", "queue=\"alerts\"", (double)queue_length(d->alerts));
    stat_sample(out, "tocsin_queue_length", "queue=\"pages\"", (double)queue_length(d->pages));
    stat_sample(out, "tocsin_queue_length", "queue=\"requests\"", (double)courier_pending(d->courier));
    if (d->sender != NULL)
        sender_write_metrics(d->sender, out);
    if (d->budgets != NULL)
        budgets_write_metrics(d->budgets, out);
}

/* ---- start and stop ---- */

static int start(pthread_t *thread, void *(*run)(void *), struct daemon *d, struct err *err)
{
    int rc = pthread_create(thread, NULL, run, d);
    return rc == 0 ? 0 : err_set(err, ERR_IO, "cannot start a thread: %s", strerror(rc));
}

static int start_rule_threads(struct daemon *daemon, struct err *err)
{
    int rc = start(&daemon->remote, remote_loop, daemon, err);
    daemon->remote_runs = rc == 0;
    if (rc == 0) {
        rc = start(&daemon->lookout, lookout, daemon, err);
        daemon->lookout_runs = rc == 0;
    }
    if (rc == 0) {
        rc = start(&daemon->bookkeeper, bookkeeper, daemon, err);
        daemon->bookkeeper_runs = rc == 0;
    }
    while (rc == 0 && daemon->evaluator_count < (size_t)daemon->options.evaluators) {
        rc = start(&daemon->evaluators[daemon->evaluator_count], evaluator, daemon, err);
        if (rc == 0)
            daemon->evaluator_count++;
    }
    return rc;
}

int threads_start(struct daemon *daemon, struct err *err)
{
    int rc = daemon->has_log ? start(&daemon->log, log_loop, daemon, err) : 0;
    daemon->log_runs = rc == 0 && daemon->has_log;
    if (rc == 0) {
        rc = start(&daemon->keeper, keeper, daemon, err);
        daemon->keeper_runs = rc == 0;
    }
    if (rc == 0) {
        rc = start(&daemon->router_thread, router_loop, daemon, err);
        daemon->router_runs = rc == 0;
    }
    return rc == 0 && daemon->ruler != NULL ? start_rule_threads(daemon, err) : rc;
}

void threads_stop_evaluators(struct daemon *daemon)
{
    queue_close(daemon->stop);
    ruler_wake(daemon->ruler);
    while (daemon->evaluator_count > 0)
        must(pthread_join(daemon->evaluators[--daemon->evaluator_count], NULL) == 0);
    if (daemon->bookkeeper_runs)
        must(pthread_join(daemon->bookkeeper, NULL) == 0);
    daemon->bookkeeper_runs = false;
}

void threads_stop_router(struct daemon *daemon)
{
    queue_close(daemon->alerts);
    if (daemon->router != NULL)
        router_wake(daemon->router);
    if (daemon->router_runs)
        must(pthread_join(daemon->router_thread, NULL) == 0);
    daemon->router_runs = false;
    drain_alerts(daemon);
}

void threads_stop_remote(struct daemon *daemon)
{
    atomic_store(&daemon->remote_ends, true);
    sender_wake(daemon->sender);
    if (daemon->remote_runs)
        must(pthread_join(daemon->remote, NULL) == 0);
    daemon->remote_runs = false;
}

/* After threads_stop_evaluators, which wakes it; a name server it waits for has a few seconds left. */
void threads_stop_lookout(struct daemon *daemon)
{
    if (daemon->lookout_runs)
        must(pthread_join(daemon->lookout, NULL) == 0);
    daemon->lookout_runs = false;
}

void threads_stop_keeper(struct daemon *daemon)
{
    queue_close(daemon->pages);
    if (daemon->keeper_runs)
        must(pthread_join(daemon->keeper, NULL) == 0);
    daemon->keeper_runs = false;
}

/* What is in the log's buffer by now is written when the store is closed. */
void threads_stop_log(struct daemon *daemon)
{
    atomic_store(&daemon->log_ends, true);
    store_log_wake(daemon->store);
    if (daemon->log_runs)
        must(pthread_join(daemon->log, NULL) == 0);
    daemon->log_runs = false;
}
