#include "sender_priv.h"

#include "tocsin/check.h"
#include "tocsin/limits.h"
#include "tocsin/log.h"
#include "tocsin/mem.h"

/* ---- targets ---- */

static struct target *target_open(struct sender *sender)
{
    struct target *t = MEM_NEW(struct target);
    t->sender = sender;
    backlog_init(&t->backlog);
    arena_init(&t->arena, (size_t)limits.push_arena_bytes);
    return t;
}

static void target_close(struct target *t)
{
    must(t->flying == NULL);
    for (size_t i = 0; i < t->flight_count; i++)
        backlog_let_go(&t->backlog, &t->flight[i]);
    backlog_release(&t->backlog);
    settings_free(t->settings);
    mem_free(t->flight);
    arena_release(&t->arena);
    mem_free(t);
}

static void use_settings(struct target *t, struct settings *settings)
{
    if (t->settings != t->flying)
        settings_free(t->settings);
    t->settings = settings;
    t->leaving = false;
}

/* The wanted target that is there already, taken out of the list; NULL: it is new. */
static struct target *inherit(struct sender *s, struct str name)
{
    for (size_t i = 0; i < s->target_count; i++) {
        struct target *t = s->targets[i];
        if (t == NULL || !str_eq(t->settings->target.name, name))
            continue;
        s->targets[i] = NULL;
        return t;
    }
    return NULL;
}

/* Those nobody wants any more stay in the list until sender_run, which may be at one of them, lets go. */
static size_t dismiss(struct sender *s, struct target **targets)
{
    size_t count = 0;
    for (size_t i = 0; i < s->target_count; i++) {
        if (s->targets[i] == NULL)
            continue;
        s->targets[i]->leaving = true;
        targets[count++] = s->targets[i];
    }
    return count;
}

void sender_configure(struct sender *s, const struct sender_options *options)
{
    lock_take(&s->lock);
    struct target **targets = MEM_ARRAY(struct target *, options->target_count + s->target_count);
    for (size_t i = 0; i < options->target_count; i++) {
        targets[i] = inherit(s, options->targets[i].name);
        if (targets[i] == NULL)
            targets[i] = target_open(s);
        use_settings(targets[i], settings_make(&options->targets[i], options->external_labels));
    }
    size_t leaving = dismiss(s, targets + options->target_count);
    mem_free(s->targets);
    s->targets = targets;
    s->target_count = options->target_count + leaving;
    lock_drop(&s->lock);
    sender_wake(s);
}

struct sender *sender_open(const struct sender_options *options)
{
    struct sender *s = MEM_NEW(struct sender);
    s->world = options->world;
    s->bell = queue_open(1);
    lock_init(&s->lock, LOCK_queue);
    sender_configure(s, options);
    return s;
}

void sender_close(struct sender *s)
{
    if (s == NULL)
        return;
    sender_configure(s, &(struct sender_options){0});
    (void)sender_run(s); /* takes in the last answers */
    must(s->target_count == 0);
    mem_free(s->targets);
    queue_close(s->bell);
    while (queue_pop(s->bell, 0) != NULL)
        ;
    queue_free(s->bell);
    lock_release(&s->lock);
    mem_free(s);
}

/* ---- what comes in ---- */

static void make_room(struct target *t)
{
    struct queued oldest;
    while (t->backlog.bytes > (size_t)limits.remote_write_bytes && backlog_take(&t->backlog, &oldest)) {
        t->figures.dropped[DROP_BACKLOG_FULL][queued_kind(&oldest)]++;
        backlog_let_go(&t->backlog, &oldest);
        limit_hit(LIMIT_remote_write_bytes);
    }
}

/* True if there is something to do for it sooner than it knows. */
static bool put(struct target *t, const struct batch *batch)
{
    const struct sender_target *target = &t->settings->target;
    size_t before = t->backlog.count;
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_series *series = &batch->series[i];
        for (size_t k = 0; k < series->sample_count; k++) {
            backlog_add(&t->backlog, series->labels, series->label_count, &series->samples[k]);
            if (series->samples[k].t_ms > t->figures.newest_ms)
                t->figures.newest_ms = series->samples[k].t_ms;
        }
        make_room(t);
    }
    if (before == 0)
        t->due_ns = t->sender->world->mono_ns(t->sender->world) + target->deadline_ms * NS_PER_MS;
    return before == 0 || (before < target->samples_max && t->backlog.count >= target->samples_max);
}

static void count_in(struct sender *s, const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_series *series = &batch->series[i];
        for (size_t k = 0; k < series->sample_count; k++) {
            s->samples_in[series->samples[k].histogram != NULL ? KIND_HISTOGRAM : KIND_FLOAT]++;
            if (series->samples[k].t_ms > s->newest_ms)
                s->newest_ms = series->samples[k].t_ms;
        }
    }
}

void sender_put(struct sender *s, const struct batch *batch)
{
    bool soon = false;
    lock_take(&s->lock);
    count_in(s, batch);
    for (size_t i = 0; i < s->target_count; i++)
        if (!s->targets[i]->leaving)
            soon |= put(s->targets[i], batch);
    lock_drop(&s->lock);
    if (soon)
        sender_wake(s);
}

/* ---- the loop ---- */

/* The target at a place of the list, which a reload may change between two looks. */
static struct target *target_at(struct sender *s, size_t i)
{
    lock_take(&s->lock);
    struct target *t = i < s->target_count ? s->targets[i] : NULL;
    lock_drop(&s->lock);
    return t;
}

static void tell_lost(const struct target *t)
{
    size_t lost = t->backlog.pending[KIND_FLOAT] + t->backlog.pending[KIND_HISTOGRAM];
    if (lost > 0)
        log_warn("samples were not sent and are lost to the remote_write target",
                 LOG_STR("remote_name", t->settings->target.name), LOG_INT("samples", lost));
}

/* Takes out of the list what has left and is answered, one at a time. */
static struct target *take_left(struct sender *s)
{
    struct target *left = NULL;
    lock_take(&s->lock);
    for (size_t i = 0; i < s->target_count && left == NULL; i++) {
        if (!s->targets[i]->leaving || s->targets[i]->flying != NULL)
            continue;
        left = s->targets[i];
        s->target_count--;
        memmove(&s->targets[i], &s->targets[i + 1], (s->target_count - i) * sizeof *s->targets);
    }
    lock_drop(&s->lock);
    return left;
}

static int64_t next_ns(struct sender *s)
{
    int64_t next = INT64_MAX;
    lock_take(&s->lock);
    for (size_t i = 0; i < s->target_count; i++) {
        int64_t own = target_next_ns(s->targets[i]);
        next = own < next ? own : next;
    }
    lock_drop(&s->lock);
    return next;
}

int64_t sender_run(struct sender *s)
{
    struct target *t;
    for (size_t i = 0; (t = target_at(s, i)) != NULL; i++) {
        while (target_step(t)) {
        }
    }
    while ((t = take_left(s)) != NULL) {
        tell_lost(t);
        target_close(t);
    }
    return next_ns(s);
}

void sender_wait(struct sender *s, int64_t until_ns)
{
    int64_t now_ns = s->world->mono_ns(s->world);
    if (until_ns == INT64_MAX)
        (void)queue_pop(s->bell, -1);
    else if (until_ns > now_ns)
        (void)queue_pop(s->bell, (until_ns - now_ns) / NS_PER_MS + 1);
}

void sender_wake(struct sender *s)
{
    (void)queue_push(s->bell, s); /* full: it rings already */
}

void sender_end(struct sender *s)
{
    lock_take(&s->lock);
    s->ending = true;
    lock_drop(&s->lock);
    sender_wake(s);
}

size_t sender_pending(struct sender *s)
{
    size_t pending = 0;
    lock_take(&s->lock);
    for (size_t i = 0; i < s->target_count; i++)
        for (int kind = 0; kind < KIND_COUNT; kind++)
            pending += s->targets[i]->backlog.pending[kind];
    lock_drop(&s->lock);
    return pending;
}
