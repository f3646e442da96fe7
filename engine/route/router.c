#include "message_priv.h"
#include "router_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/stat.h"

#include <time.h>

#define ALERTS_GC_MS (30 * 60 * 1000)
#define RETENTION_MS (120 * 3600 * 1000)
#define NFLOG_GC_NS (15 * 60 * NS_PER_S)

/* How far wall time may drift from monotonic time between two runs before it counts as a step. */
#define CLOCK_STEP_NS NS_PER_S

static struct generation *generation_make(struct amconfig *config)
{
    struct generation *generation = MEM_NEW(struct generation);
    generation->refs = 1;
    generation->config = config;
    return generation;
}

static void use_defaults(struct router_options *options)
{
    if (options->retention_ms == 0)
        options->retention_ms = RETENTION_MS;
    if (options->alerts_gc_ms == 0)
        options->alerts_gc_ms = ALERTS_GC_MS;
}

int router_open(const struct router_options *options, struct amconfig *config, struct router **out,
                struct err *err)
{
    struct router *router = MEM_NEW(struct router);
    struct world *world = options->world;
    router->options = *options;
    router->external_url = mem_copy_text(options->external_url.p, options->external_url.n);
    router->options.external_url.p = router->external_url;
    use_defaults(&router->options);
    router->wall_ns = world->wall_ns(world);
    router->mono_ns = world->mono_ns(world);
    router->next_ns = INT64_MAX;
    router->start_ns = router->wall_ns + router->options.start_delay_ms * NS_PER_MS;
    router->alerts_gc_ns = router->wall_ns + router->options.alerts_gc_ms * NS_PER_MS;
    router->nflog_gc_ns = router->wall_ns + NFLOG_GC_NS;
    lock_init(&router->lock, LOCK_router);
    inbox_init(&router->inbox);
    map_init(&router->alerts);
    map_init(&router->groups);
    map_init(&router->lanes);
    map_init(&router->names);
    router->last_prepared = &router->prepared;
    trails_open(&router->trails, router->wall_ns);
    router->generation = generation_make(config);
    inhibitor_init(&router->inhibitor, config);
    keeping_init(router);
    const struct silences_options silences = {world, options->state, options->max_silences,
                                              options->max_silence_bytes,
                                              router->options.retention_ms * NS_PER_MS};
    int rc = nflog_load(&router->nflog, options->state, router->wall_ns, err);
    if (rc == 0)
        rc = silences_open(&silences, &router->silences, err);
    digests_init(router, router->wall_ns);
    if (rc == 0)
        rc = digests_set(&router->digests, &options->storm, err);
    if (rc == 0)
        rc = keeping_load(router, router->wall_ns, err);
    if (rc != 0) {
        router_close(router);
        router = NULL;
    }
    *out = router;
    return rc;
}

static void free_groups(struct router *router)
{
    struct group *group;
    for (size_t at = 0; (group = map_next(&router->groups, &at)) != NULL;) {
        if (group->flush != NULL)
            flush_free(group->flush);
        group_free(group);
    }
    map_release(&router->groups);
}

/* A flush whose group a reload dropped is known to its requests and timers alone. */
static void free_orphan(struct flush *flush, struct delivery *d)
{
    if (!flush->group->dead || d->ended)
        return;
    d->ended = true;
    if (--flush->open > 0)
        return;
    group_free(flush->group);
    flush_free(flush);
}

static void free_orphans(struct router *router)
{
    struct message *m;
    struct timer *timer;
    struct delivery *d;
    while ((m = router->messages) != NULL) {
        d = m->delivery;
        message_free(m);
        free_orphan(d->flush, d);
    }
    while ((d = lanes_take(router)) != NULL)
        free_orphan(d->flush, d);
    while ((d = digests_take(router)) != NULL)
        free_orphan(d->flush, d);
    lanes_release(router);
    while ((timer = timers_first(&router->timers)) != NULL) {
        timer_clear(&router->timers, timer);
        if (timer->kind == TIMER_DELIVERY)
            free_orphan(((struct delivery *)timer)->flush, (struct delivery *)timer);
    }
}

void router_close(struct router *router)
{
    if (router == NULL)
        return;
    free_orphans(router);
    free_groups(router);
    digests_release(router);
    trails_close(&router->trails);
    router_free_alerts(router);
    keeping_release(router);
    names_release(router);
    inhibitor_release(&router->inhibitor);
    nflog_release(&router->nflog);
    silences_close(router->silences);
    timers_release(&router->timers);
    generation_drop(router->generation);
    inbox_release(&router->inbox);
    lock_release(&router->lock);
    mem_free(router->external_url);
    mem_free(router);
}

void router_set_contracts(struct router *router, struct router_contracts contracts)
{
    lock_take(&router->lock);
    router->options.contracts = contracts;
    lock_drop(&router->lock);
}

struct silences *router_silences(struct router *router)
{
    return router->silences;
}

void router_reload(struct router *router, struct amconfig *config)
{
    struct world *world = router->options.world;
    struct generation *next = generation_make(config);
    lock_take(&router->lock);
    struct generation *old = router->generation;
    router->generation = next;
    router->ungrouped = false;
    router_regroup(router, old, world->wall_ns(world));
    inhibitor_release(&router->inhibitor);
    inhibitor_init(&router->inhibitor, config);
    struct alert *alert;
    for (size_t at = 0; (alert = map_next(&router->alerts, &at)) != NULL;)
        inhibitor_add(&router->inhibitor, alert);
    generation_drop(old);
    bool ungrouped = router->ungrouped;
    lock_drop(&router->lock);
    if (ungrouped)
        log_error("some alerts belong to no group any more: too many groups");
    router_wake(router);
}

/* What was not said: when it began, when it ends, when it was said. */
static struct alert_event complete(const struct router *router, const struct alert_event *event,
                                   int64_t now_ns)
{
    struct alert_event e = *event;
    if (e.updated_ns == 0)
        e.updated_ns = now_ns;
    if (e.starts_ns == 0) {
        e.starts_ns = e.ends_ns != 0 ? e.ends_ns : now_ns;
        e.starts_zone_s = e.ends_ns != 0 ? e.ends_zone_s : 0;
    }
    if (e.ends_ns == 0) {
        e.ends_ns = now_ns + router->generation->config->resolve_timeout_ms * NS_PER_MS;
        e.ends_zone_s = 0;
        e.ends_is_timeout = true;
    }
    return e;
}

static int post_one(struct router *router, const struct alert_event *event, bool posted, struct buf *errors,
                    int64_t now_ns)
{
    struct alert_event e = complete(router, event, now_ns);
    if (alert_is_resolved(&e, now_ns))
        router->counts.received_resolved++;
    else
        router->counts.received_firing++;
    stat_add(STAT_alerts_received, 1);
    int rc = router_validate(&e, errors);
    if (rc != 0) {
        stat_add(STAT_alerts_invalid, 1);
        return rc;
    }
    if (!names_admit(router, &e, now_ns))
        return 0; /* as Alertmanager answers; the count tells of it, and the log */
    struct alert *alert = router_store(router, &e, posted, now_ns);
    if (alert == NULL) {
        bool many = router->alerts.count >= (size_t)limits.alerts;
        buf_format(errors, "%s%s", errors->used > 0 ? "\n" : "",
                   many ? "too many alerts" : "the alerts take too much memory: limits.alert_bytes");
        return ERR_LIMIT;
    }
    names_note(router, alert->fact, now_ns);
    trail_came(router, alert, now_ns);
    router->news++;
    router->ungrouped = false;
    router_route_alert(router, alert, now_ns, now_ns);
    if (!router->ungrouped)
        return 0;
    buf_puts(errors, errors->used > 0 ? "\ntoo many groups" : "too many groups");
    return ERR_LIMIT;
}

/* Within the lock, for the sake of the rate. */
static void tell_limited(struct router *router, uint64_t count)
{
    static struct log_rate rate;
    if (log_allowed(&rate, router->options.world->mono_ns(router->options.world)))
        log_warn("alerts dropped: as many of their alertname fire as may", LOG_INT("dropped", count),
                 LOG_INT("limit", router->options.alerts_per_name));
}

/* Answers the number of this post. */
static uint64_t post_all(struct router *router, const struct alert_event *events, size_t count, bool posted,
                         struct buf *errors, int *first)
{
    struct world *world = router->options.world;
    int64_t now_ns = world->wall_ns(world);
    lock_take(&router->lock);
    uint64_t limited = router->counts.limited;
    for (size_t i = 0; i < count; i++) {
        int rc = post_one(router, &events[i], posted, errors, now_ns);
        if (*first == 0)
            *first = rc;
    }
    limited = router->counts.limited - limited;
    if (limited > 0)
        tell_limited(router, limited);
    uint64_t post = ++router->keeping.posts;
    lock_drop(&router->lock);
    return post;
}

/* Most posts bring nothing to do before the time at which the router's thread comes back anyway. */
static bool is_due_sooner(struct router *router)
{
    lock_take(&router->lock);
    const struct timer *first = timers_first(&router->timers);
    int64_t sync_ns = router->keeping.sync_ns;
    bool sooner =
        (first != NULL && first->at_ns < router->next_ns) || (sync_ns != 0 && sync_ns < router->next_ns);
    lock_drop(&router->lock);
    return sooner;
}

int router_post(struct router *router, const struct alert_event *events, size_t count, struct buf *errors)
{
    struct err err;
    int first = 0;
    uint64_t post = post_all(router, events, count, true, errors, &first);
    int rc = keep_write(router, post, &err);
    if (rc != 0 || is_due_sooner(router))
        router_wake(router);
    if (rc == 0)
        return first;
    buf_format(errors, "%sthe alerts may be lost in a restart: %s", errors->used > 0 ? "\n" : "", err.text);
    return ERR_IO;
}

int router_tell(struct router *router, const struct alert_event *event, struct buf *errors)
{
    int rc = 0;
    (void)post_all(router, event, 1, false, errors, &rc);
    router_wake(router);
    return rc;
}

/* Intervals are lengths of real time: when wall time is set, deadlines move with it. Returns by how much. */
static int64_t follow_clock(struct router *router, int64_t now_ns)
{
    struct world *world = router->options.world;
    int64_t mono_ns = world->mono_ns(world);
    int64_t step_ns = (now_ns - router->wall_ns) - (mono_ns - router->mono_ns);
    router->wall_ns = now_ns;
    router->mono_ns = mono_ns;
    if (step_ns < CLOCK_STEP_NS && step_ns > -CLOCK_STEP_NS)
        return 0;
    timers_shift(&router->timers, step_ns);
    struct group *group;
    for (size_t at = 0; (group = map_next(&router->groups, &at)) != NULL;) {
        if (group->flush != NULL)
            group->flush->deadline_ns += step_ns;
    }
    return step_ns;
}

static bool is_too_late(const struct delivery *d, int64_t now_ns)
{
    return d->attempt > 0 && now_ns >= d->flush->deadline_ns;
}

/* The next delivery that is due, starting the flushes that come before it. */
static struct delivery *next_due(struct router *router, int64_t now_ns)
{
    struct timer *timer;
    while ((timer = timers_first(&router->timers)) != NULL && timer->at_ns <= now_ns) {
        if (timer->kind == TIMER_GROUP) {
            flush_start(router, (struct group *)timer, now_ns);
            continue;
        }
        if (timer->kind == TIMER_LANE) {
            lane_widen(router, (struct lane *)timer, now_ns);
            continue;
        }
        if (timer->kind == TIMER_DIGEST) {
            digest_begin(router, (struct storm *)timer, now_ns);
            continue;
        }
        timer_clear(&router->timers, timer);
        struct delivery *d = (struct delivery *)timer;
        if (is_too_late(d, now_ns) || d->forgets || d->batch_count == 0)
            return d;
        if (!digest_takes(router, d, now_ns) && lane_enter(router, d, now_ns))
            return d;
    }
    return NULL;
}

static void attempt_or_give_up(struct router *router, struct delivery *d, int64_t now_ns)
{
    if (is_too_late(d, now_ns))
        delivery_give_up(router, d, now_ns);
    else
        delivery_attempt(router, d, now_ns);
}

static size_t take_answers(struct router *router, int64_t now_ns)
{
    struct message *message;
    size_t count = 0;
    while (count < ROUTER_BATCH && (message = inbox_take(&router->inbox)) != NULL) {
        router_take_answer(router, message, now_ns);
        count++;
    }
    return count;
}

static size_t attempt_due(struct router *router, int64_t now_ns)
{
    size_t count = 0;
    while (count < ROUTER_BATCH) {
        lock_take(&router->lock);
        struct delivery *d = next_due(router, now_ns);
        lock_drop(&router->lock);
        if (d == NULL)
            break;
        attempt_or_give_up(router, d, now_ns);
        count++;
    }
    router_send_prepared(router, now_ns);
    return count;
}

static void keep_house(struct router *router, int64_t now_ns)
{
    struct err err;
    bool nflog_due = now_ns >= router->nflog_gc_ns;
    lock_take(&router->lock);
    digests_sweep(router, now_ns);
    if (now_ns >= router->alerts_gc_ns) {
        router_collect_alerts(router, now_ns);
        keep_drop_recalled(router);
        names_collect(router, now_ns);
        router->alerts_gc_ns = now_ns + router->options.alerts_gc_ms * NS_PER_MS;
    }
    if (nflog_due) {
        nflog_expire(&router->nflog, now_ns);
        router->nflog_gc_ns = now_ns + NFLOG_GC_NS;
    }
    lock_drop(&router->lock);
    if (nflog_due && router->options.state != NULL &&
        state_nflog_expire(router->options.state, now_ns, &err) != 0)
        log_warn("old notification log entries stay", LOG_ERR(&err));
    if (nflog_due)
        silences_collect(router->silences, now_ns);
}

/* Answers may come as fast as they are taken; but now is not now for long. True: there may be more to do. */
#define RUN_MAX_NS (50 * NS_PER_MS)
#define REST_NS (10 * NS_PER_MS)

static bool work(struct router *router, int64_t now_ns)
{
    struct world *world = router->options.world;
    int64_t end_ns = world->mono_ns(world) + RUN_MAX_NS;
    for (;;) {
        size_t answers = take_answers(router, now_ns);
        size_t attempts = attempt_due(router, now_ns);
        router_settle(router, now_ns);
        if (answers + attempts == 0)
            return false;
        int64_t mono_ns = world->mono_ns(world);
        if (answers > 0) /* a page alone is in the log at once */
            router->rest_ns = mono_ns + REST_NS;
        if (router->rests && answers < ROUTER_BATCH && attempts < ROUTER_BATCH &&
            !inbox_is_full(&router->inbox))
            return false;
        if (mono_ns >= end_ns)
            return true;
    }
}

int64_t router_run(struct router *router, int64_t now_ns)
{
    lock_take(&router->lock);
    int64_t step_ns = follow_clock(router, now_ns);
    lock_drop(&router->lock);
    if (step_ns != 0)
        log_warn("the clock was set; flushes move with it", LOG_MS("step", step_ns / NS_PER_MS));
    int64_t look = router_end_silences(router, now_ns);
    bool more = work(router, now_ns);
    keep_house(router, now_ns);
    int64_t next = keep_run(router, now_ns);
    if (look < next)
        next = look;
    lock_take(&router->lock);
    const struct timer *first = timers_first(&router->timers);
    if (first != NULL && first->at_ns < next)
        next = first->at_ns;
    if (router->digests.open && router->digests.sweep_ns < next)
        next = router->digests.sweep_ns;
    router->next_ns = more ? now_ns : next;
    lock_drop(&router->lock);
    return more ? now_ns : next;
}

/* A day is as good as for ever, and does not overflow. */
enum { WAIT_MAX_S = 86400 };

void router_wait(struct router *router, int64_t until_ns)
{
    struct world *world = router->options.world;
    int64_t wait_ns = until_ns - world->wall_ns(world);
    if (until_ns == INT64_MAX || wait_ns > WAIT_MAX_S * NS_PER_S)
        wait_ns = WAIT_MAX_S * NS_PER_S;
    if (wait_ns < 0)
        wait_ns = 0;
    int64_t end_ns = world->mono_ns(world) + wait_ns;
    router->rests = true;
    inbox_wait(&router->inbox, router->rest_ns, end_ns);
}

void router_wake(struct router *router)
{
    lock_take(&router->inbox.lock);
    router->inbox.woken = true;
    pthread_cond_signal(&router->inbox.filled);
    lock_drop(&router->inbox.lock);
}

bool router_idle(struct router *router)
{
    lock_take(&router->inbox.lock);
    bool idle = router->inbox.out == 0;
    lock_drop(&router->inbox.lock);
    return idle;
}
