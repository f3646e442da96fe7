#include "forward_priv.h"

#include "tocsin/limits.h"
#include "tocsin/log.h"
#include "tocsin/mem.h"

enum { BATCH_DEFAULT = 256, TIMEOUT_DEFAULT_MS = 10000 };

static const struct net_header json_header = {"Content-Type", "application/json"};

static struct parcel *parcel_make(const struct alert_event *event)
{
    struct parcel *parcel = MEM_NEW(struct parcel);
    parcel->refs = 1;
    parcel->event = alert_event_copy(event);
    return parcel;
}

static struct parcel *take(struct target *t)
{
    struct parcel *parcel = t->queue[t->head];
    t->head = (t->head + 1) % t->forward->queue_max;
    t->count--;
    return parcel;
}

/* ---- settings ---- */

/* The new settings, until they are taken over whole. */
struct fresh {
    struct group **groups;
    size_t group_count;
    struct relabel *alert_relabel;
    struct labels *external_labels;
};

static void fresh_release(struct fresh *fresh)
{
    for (size_t i = 0; i < fresh->group_count; i++)
        forward_group_let_go(fresh->groups[i]);
    mem_free(fresh->groups);
    relabel_free(fresh->alert_relabel);
    mem_free(fresh->external_labels);
}

static int prepare(const struct forward_settings *settings, struct fresh *fresh, struct err *err)
{
    int rc = 0;
    *fresh = (struct fresh){.groups = MEM_ARRAY(struct group *, settings->group_count)};
    for (size_t i = 0; rc == 0 && i < settings->group_count; i++) {
        rc = forward_group_open(settings->groups[i], &fresh->groups[i], err);
        fresh->group_count += rc == 0;
    }
    if (rc == 0 && settings->alert_relabel != NULL)
        rc = relabel_open(settings->alert_relabel, &fresh->alert_relabel, err);
    if (settings->external_labels != NULL)
        fresh->external_labels = labels_copy_heap(settings->external_labels);
    return rc;
}

/* Leaves in *fresh what was in force before. */
static void swap(struct forward *f, struct fresh *fresh)
{
    struct fresh before = {f->groups, f->group_count, f->alert_relabel, f->external_labels};
    for (size_t i = 0; i < fresh->group_count; i++)
        for (size_t k = 0; k < fresh->groups[i]->lookup_count; k++)
            forward_lookup_init(f, &fresh->groups[i]->lookups[k]);
    f->groups = fresh->groups;
    f->group_count = fresh->group_count;
    f->alert_relabel = fresh->alert_relabel;
    f->external_labels = fresh->external_labels;
    *fresh = before;
    forward_retarget(f);
}

int forward_configure(struct forward *f, const struct forward_settings *settings, struct err *err)
{
    struct fresh fresh;
    int rc = prepare(settings, &fresh, err);
    lock_take(&f->lock);
    if (rc == 0)
        swap(f, &fresh);
    fresh_release(&fresh); /* under the lock, for targets may share its groups */
    lock_drop(&f->lock);
    return rc;
}

struct forward *forward_open(const struct forward_options *options)
{
    struct forward *f = MEM_NEW(struct forward);
    f->world = options->world;
    f->queue_max = options->queue_max > 0 ? options->queue_max : (size_t)limits.forward_queue;
    f->batch_max = options->batch_max > 0 ? options->batch_max : BATCH_DEFAULT;
    lock_init(&f->lock, LOCK_queue);
    return f;
}

void forward_close(struct forward *f)
{
    if (f == NULL)
        return;
    struct fresh last = {f->groups, f->group_count, f->alert_relabel, f->external_labels};
    for (size_t i = 0; i < f->target_count; i++)
        forward_target_close(f->targets[i]);
    for (size_t i = 0; i < f->dropped_count; i++)
        mem_free(f->dropped[i]);
    fresh_release(&last);
    lock_release(&f->lock);
    mem_free(f->dropped);
    mem_free(f->targets);
    mem_free(f);
}

/* ---- alerts come in ---- */

/* NULL: dropped, or, which is counted, too large. */
static struct labels *relabelled(const struct relabel *relabel, struct arena *arena, const struct labels *in)
{
    const struct labels *out = NULL;
    int rc = in != NULL ? relabel_apply(relabel, arena, in, &out) : 0;
    struct labels *copy = rc == 0 && out != NULL ? labels_copy(arena, out) : NULL;
    if (arena_exhausted(arena))
        limit_hit(LIMIT_flush_arena_bytes);
    return copy;
}

bool forward_prepare(struct forward *f, struct arena *arena, struct alert_event *event)
{
    lock_take(&f->lock);
    const struct labels *all = event->labels;
    if (f->external_labels != NULL)
        all = labels_merge(arena, f->external_labels, all);
    event->labels = relabelled(f->alert_relabel, arena, all);
    lock_drop(&f->lock);
    return event->labels != NULL;
}

static void put(struct target *t, struct parcel *parcel)
{
    if (t->count == t->forward->queue_max) {
        forward_parcel_drop(take(t));
        t->dropped++;
        limit_hit(LIMIT_forward_queue);
    }
    t->queue[(t->head + t->count++) % t->forward->queue_max] = parcel;
    parcel->refs++;
}

/* The alert as this group tells it; NULL: not at all. */
static struct parcel *parcel_for(const struct group *g, struct parcel *plain, struct arena *arena)
{
    struct alert_event event = *plain->event;
    event.labels = relabelled(g->alert_relabel, arena, plain->event->labels);
    return event.labels != NULL ? parcel_make(&event) : NULL;
}

void forward_alert(struct forward *f, const struct alert_event *event)
{
    struct arena arena;
    struct parcel *plain = parcel_make(event);
    arena_init(&arena, (size_t)limits.flush_arena_bytes);
    lock_take(&f->lock);
    for (size_t i = 0; i < f->group_count; i++) {
        struct parcel *parcel = parcel_for(f->groups[i], plain, &arena);
        for (size_t k = 0; parcel != NULL && k < f->target_count; k++)
            if (f->targets[k]->group == f->groups[i] && !f->targets[k]->leaving)
                put(f->targets[k], parcel);
        forward_parcel_drop(parcel);
    }
    forward_parcel_drop(plain);
    lock_drop(&f->lock);
    arena_release(&arena);
}

/* ---- batches go out ---- */

/* Takes the next batch out of the queue and renders it. */
static void fill(struct target *t)
{
    const struct forward *f = t->forward;
    buf_clear(&t->body);
    t->batch = t->count < f->batch_max ? t->count : f->batch_max;
    buf_char(&t->body, '[');
    for (size_t i = 0; i < t->batch; i++) {
        struct parcel *parcel = take(t);
        buf_puts(&t->body, i > 0 ? "," : "");
        forward_write_alert(&t->body, parcel->event);
        forward_parcel_drop(parcel);
    }
    buf_char(&t->body, ']');
    t->sending = t->group;
    forward_group_keep(t->sending);
}

/* On the network's thread. */
static void note_answer(void *context, const struct net_answer *answer)
{
    struct target *t = context;
    lock_take(&t->forward->lock);
    t->status = answer->status;
    size_t n = strlen(answer->error.text);
    n = n < sizeof t->why ? n : sizeof t->why - 1;
    memcpy(t->why, answer->error.text, n);
    t->why[n] = '\0';
    t->answered = true;
    lock_drop(&t->forward->lock);
}

static void note_latency(struct target *t, double took_s)
{
    t->latency_sum_s += took_s;
    t->recent_s[t->latencies++ % LATENCIES_KEPT] = took_s;
}

/* A batch that fails is not kept: the rules tell every alert again before it could matter. */
static void conclude(struct target *t)
{
    struct world *world = t->forward->world;
    if (t->status / 100 == 2) {
        note_latency(t, (double)(world->mono_ns(world) - t->started_ns) / 1e9);
        t->sent += t->batch;
    } else {
        t->errors += t->batch;
        t->dropped += t->batch;
    }
    forward_group_let_go(t->sending);
    t->sending = NULL;
    t->busy = t->answered = false;
}

static void complain(const struct target *t)
{
    static struct log_rate rate;
    struct world *world = t->forward->world;
    if (t->status / 100 != 2 && log_allowed(&rate, world->mono_ns(world)))
        log_error("alerts not forwarded", LOG_TEXT("alertmanager", t->shown), LOG_INT("count", t->batch),
                  LOG_INT("status", t->status), LOG_TEXT("err", t->why));
}

static void send_batch(struct target *t)
{
    struct world *world = t->forward->world;
    t->started_ns = world->mono_ns(world);
    t->request = (struct net_request){.method = "POST",
                                      .url = t->url,
                                      .headers = &json_header,
                                      .header_count = 1,
                                      .body = buf_slice(&t->body),
                                      .timeout_ms = t->sending->timeout_ms > 0 ? t->sending->timeout_ms
                                                                               : TIMEOUT_DEFAULT_MS,
                                      .http = t->sending->http};
    struct net_answer none = {.retry_after_ms = -1};
    if (buf_overflow(&t->body))
        err_set(&none.error, ERR_LIMIT, "the batch is larger than flush_arena_bytes");
    else if (world->send == NULL || world->send(world, &t->request, note_answer, t) != 0)
        err_set(&none.error, ERR_FULL, "too many requests are under way");
    if (none.error.code != 0)
        note_answer(t, &none);
}

/* True if something was done. */
static bool step(struct target *t)
{
    struct lock *lock = &t->forward->lock;
    lock_take(lock);
    bool answered = t->busy && t->answered, ready = !t->busy && t->count > 0;
    if (answered)
        conclude(t);
    if (ready) {
        t->busy = true;
        fill(t);
    }
    lock_drop(lock);
    if (answered)
        complain(t);
    if (ready)
        send_batch(t);
    return answered || ready;
}

/* The target at a place of the list, which a reload may change between two looks. */
static struct target *target_at(struct forward *f, size_t i)
{
    lock_take(&f->lock);
    struct target *t = i < f->target_count ? f->targets[i] : NULL;
    lock_drop(&f->lock);
    return t;
}

/* Lets go of what has left and has nothing more to tell; true if something is still queued or under way. */
static bool sweep(struct forward *f)
{
    bool more = false;
    size_t kept = 0;
    lock_take(&f->lock);
    for (size_t i = 0; i < f->target_count; i++) {
        struct target *t = f->targets[i];
        more = more || t->busy || t->count > 0;
        if (t->leaving && !t->busy && t->count == 0)
            forward_target_close(t);
        else
            f->targets[kept++] = t;
    }
    f->target_count = kept;
    lock_drop(&f->lock);
    return more;
}

bool forward_run(struct forward *f)
{
    struct target *t;
    for (size_t i = 0; (t = target_at(f, i)) != NULL; i++) {
        while (step(t)) {
        }
    }
    return sweep(f);
}

static void tell(struct arena *arena, struct strict_texts *to, const char *url)
{
    struct str copy = str_copy(arena, str_of(url));
    if (to->items != NULL)
        to->items[to->count++] = copy;
}

int forward_urls(struct forward *f, struct arena *arena, struct strict_texts *active,
                 struct strict_texts *dropped)
{
    lock_take(&f->lock);
    *active = (struct strict_texts){.items = ARENA_ARRAY(arena, struct str, f->target_count)};
    *dropped = (struct strict_texts){.items = ARENA_ARRAY(arena, struct str, f->dropped_count)};
    for (size_t i = 0; i < f->target_count; i++)
        if (!f->targets[i]->leaving)
            tell(arena, active, f->targets[i]->url);
    for (size_t i = 0; i < f->dropped_count; i++)
        tell(arena, dropped, f->dropped[i]);
    lock_drop(&f->lock);
    return arena_exhausted(arena) ? ERR_LIMIT : 0;
}
