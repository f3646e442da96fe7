#include "tocsin/forward.h"

#include "tocsin/gotext.h"
#include "tocsin/limits.h"
#include "tocsin/lock.h"
#include "tocsin/log.h"
#include "tocsin/mem.h"
#include "tocsin/stat.h"
#include "tocsin/tree.h"

enum { BATCH_DEFAULT = 256, TIMEOUT_DEFAULT_MS = 10000 };

/* One alert for all targets; freed by the last one that lets go. */
struct parcel {
    size_t refs;
    struct alert_event *event;
};

struct target {
    struct forward *forward;
    char *url;
    struct parcel **queue; /* a ring of queue_max */
    size_t head, count;
    bool busy, answered; /* a request is under way; its answer has come */
    bool leaving;        /* no longer wanted: goes with its last answer */
    size_t batch;        /* alerts in it */
    int64_t started_ns;
    struct net_request request;
    struct buf body;
    int status;
    char why[256];
    uint64_t sent, errors, dropped, requests;
    double latency_sum_s;
};

struct forward {
    struct world *world;
    struct labels *external_labels;
    int64_t timeout_ms;
    size_t queue_max, batch_max;
    struct lock lock; /* queues and answers of all targets */
    struct target **targets;
    size_t target_count;
};

static const struct net_header json_header = {"Content-Type", "application/json"};

static void parcel_drop(struct parcel *parcel)
{
    if (--parcel->refs > 0)
        return;
    mem_free(parcel->event);
    mem_free(parcel);
}

static struct parcel *take(struct target *t)
{
    struct parcel *parcel = t->queue[t->head];
    t->head = (t->head + 1) % t->forward->queue_max;
    t->count--;
    return parcel;
}

static struct target *target_open(struct forward *f, struct str url)
{
    struct target *t = MEM_NEW(struct target);
    t->forward = f;
    t->url = mem_copy_text(url.p, url.n);
    t->queue = MEM_ARRAY(struct parcel *, f->queue_max);
    buf_init(&t->body, (size_t)limits.flush_arena_bytes);
    return t;
}

static void drop_queue(struct target *t)
{
    while (t->count > 0)
        parcel_drop(take(t));
}

static void target_close(struct target *t)
{
    drop_queue(t);
    mem_free(t->queue);
    mem_free(t->url);
    buf_release(&t->body);
    mem_free(t);
}

/* The wanted target that is there already, taken out of the list; NULL: it is new. */
static struct target *inherit(struct forward *f, struct str url)
{
    for (size_t i = 0; i < f->target_count; i++) {
        struct target *t = f->targets[i];
        if (t == NULL || !str_eq(str_of(t->url), url))
            continue;
        f->targets[i] = NULL;
        t->leaving = false;
        return t;
    }
    return NULL;
}

/* Those nobody wants any more stay in the list until forward_run, which may be at one of them, lets go. */
static void dismiss(struct forward *f, struct target **targets, size_t *count)
{
    for (size_t i = 0; i < f->target_count; i++) {
        struct target *t = f->targets[i];
        if (t == NULL)
            continue;
        drop_queue(t);
        t->leaving = true;
        targets[(*count)++] = t;
    }
}

void forward_configure(struct forward *f, const struct forward_options *options)
{
    lock_take(&f->lock);
    struct target **targets = MEM_ARRAY(struct target *, options->url_count + f->target_count);
    size_t count = 0;
    for (size_t i = 0; i < options->url_count; i++) {
        struct target *t = inherit(f, options->urls[i]);
        targets[count++] = t != NULL ? t : target_open(f, options->urls[i]);
    }
    dismiss(f, targets, &count);
    mem_free(f->targets);
    f->targets = targets;
    f->target_count = count;
    mem_free(f->external_labels);
    f->external_labels = options->external_labels != NULL ? labels_copy_heap(options->external_labels) : NULL;
    f->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_DEFAULT_MS;
    lock_drop(&f->lock);
}

struct forward *forward_open(const struct forward_options *options)
{
    struct forward *f = MEM_NEW(struct forward);
    f->world = options->world;
    f->queue_max = options->queue_max > 0 ? options->queue_max : (size_t)limits.forward_queue;
    f->batch_max = options->batch_max > 0 ? options->batch_max : BATCH_DEFAULT;
    lock_init(&f->lock, LOCK_queue);
    forward_configure(f, options);
    return f;
}

void forward_close(struct forward *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->target_count; i++)
        target_close(f->targets[i]);
    lock_release(&f->lock);
    mem_free(f->external_labels);
    mem_free(f->targets);
    mem_free(f);
}

static void put(struct target *t, struct parcel *parcel)
{
    if (t->count == t->forward->queue_max) {
        parcel_drop(take(t));
        t->dropped++;
        limit_hit(LIMIT_forward_queue);
    }
    t->queue[(t->head + t->count++) % t->forward->queue_max] = parcel;
    parcel->refs++;
}

void forward_alert(struct forward *f, const struct alert_event *event)
{
    struct parcel *parcel = MEM_NEW(struct parcel);
    parcel->refs = 1;
    parcel->event = alert_event_copy(event);
    lock_take(&f->lock);
    for (size_t i = 0; i < f->target_count; i++)
        if (!f->targets[i]->leaving)
            put(f->targets[i], parcel);
    parcel_drop(parcel);
    lock_drop(&f->lock);
}

static void write_pair(struct buf *out, struct label l, bool *first)
{
    buf_puts(out, *first ? "" : ",");
    *first = false;
    json_string(out, l.name);
    buf_char(out, ':');
    json_string(out, l.value);
}

/* The set, with `extra` where it lacks a name; both are sorted, so is what is written. */
static void write_labels(struct buf *out, const struct labels *ls, const struct labels *extra)
{
    size_t a = 0, b = 0, a_count = ls != NULL ? ls->count : 0, b_count = extra != NULL ? extra->count : 0;
    bool first = true;
    buf_char(out, '{');
    while (a < a_count || b < b_count) {
        int order = a == a_count ? 1 : b == b_count ? -1 : str_cmp(ls->item[a].name, extra->item[b].name);
        write_pair(out, order <= 0 ? ls->item[a] : extra->item[b], &first);
        a += order <= 0;
        b += order >= 0;
    }
    buf_char(out, '}');
}

static void write_alert(struct buf *out, const struct alert_event *event, const struct labels *external)
{
    buf_puts(out, "{\"annotations\":");
    write_labels(out, event->annotations, NULL);
    buf_puts(out, ",\"endsAt\":\"");
    go_time_rfc3339(out, event->ends_ns, 3);
    buf_puts(out, "\",\"startsAt\":\"");
    go_time_rfc3339(out, event->starts_ns, 3);
    buf_char(out, '"');
    if (event->generator_url.n > 0) {
        buf_puts(out, ",\"generatorURL\":");
        json_string(out, event->generator_url);
    }
    buf_puts(out, ",\"labels\":");
    write_labels(out, event->labels, external);
    buf_char(out, '}');
}

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
        write_alert(&t->body, parcel->event, f->external_labels);
        parcel_drop(parcel);
    }
    buf_char(&t->body, ']');
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

/* A batch that fails is not kept: the rules tell every alert again before it could matter. */
static void conclude(struct target *t)
{
    struct world *world = t->forward->world;
    t->requests++;
    t->latency_sum_s += (double)(world->mono_ns(world) - t->started_ns) / 1e9;
    t->sent += t->batch;
    if (t->status / 100 != 2) {
        t->errors += t->batch;
        t->dropped += t->batch;
    }
    t->busy = t->answered = false;
}

static void complain(const struct target *t)
{
    static struct log_rate rate;
    struct world *world = t->forward->world;
    if (t->status / 100 != 2 && log_allowed(&rate, world->mono_ns(world)))
        log_error("alerts not forwarded", LOG_TEXT("alertmanager", t->url), LOG_INT("count", t->batch),
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
                                      .timeout_ms = t->forward->timeout_ms};
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

/* Lets go of what has left and is answered; true if something is still queued or under way. */
static bool sweep(struct forward *f)
{
    bool more = false;
    size_t kept = 0;
    lock_take(&f->lock);
    for (size_t i = 0; i < f->target_count; i++) {
        struct target *t = f->targets[i];
        more = more || t->busy || t->count > 0;
        if (t->leaving && !t->busy)
            target_close(t);
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

struct column {
    const char *name, *type, *help;
    double (*value)(const struct target *t);
};

static double sent_of(const struct target *t)
{
    return (double)t->sent;
}

static double errors_of(const struct target *t)
{
    return (double)t->errors;
}

static double dropped_of(const struct target *t)
{
    return (double)t->dropped;
}

static double length_of(const struct target *t)
{
    return (double)t->count;
}

static double latency_sum_of(const struct target *t)
{
    return t->latency_sum_s;
}

static double requests_of(const struct target *t)
{
    return (double)t->requests;
}

static void write_column(struct forward *f, struct buf *out, const char *name,
                         double (*value)(const struct target *t))
{
    for (size_t i = 0; i < f->target_count; i++) {
        struct buf labels;
        buf_init(&labels, 8192);
        stat_label(&labels, "alertmanager", str_of(f->targets[i]->url));
        stat_sample(out, name, buf_text(&labels), value(f->targets[i]));
        buf_release(&labels);
    }
}

int forward_urls(struct forward *f, struct arena *arena, struct str **urls, size_t *count)
{
    bool fits = true;
    *count = 0;
    lock_take(&f->lock);
    *urls = ARENA_ARRAY(arena, struct str, f->target_count);
    for (size_t i = 0; *urls != NULL && i < f->target_count; i++) {
        if (f->targets[i]->leaving)
            continue;
        struct str url = str_copy(arena, str_of(f->targets[i]->url));
        fits = fits && url.p != NULL;
        (*urls)[(*count)++] = url;
    }
    lock_drop(&f->lock);
    return fits && *urls != NULL ? 0 : ERR_LIMIT;
}

void forward_write_metrics(struct forward *f, struct buf *out)
{
    static const struct column columns[] = {
        {"prometheus_notifications_sent_total", "counter", "Alerts sent.", sent_of},
        {"prometheus_notifications_errors_total", "counter", "Alerts whose sending failed.", errors_of},
        {"prometheus_notifications_dropped_total", "counter", "Alerts dropped.", dropped_of},
        {"prometheus_notifications_queue_length", "gauge", "Alerts waiting.", length_of},
    };
    lock_take(&f->lock);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        stat_head(out, columns[i].name, columns[i].type, columns[i].help);
        write_column(f, out, columns[i].name, columns[i].value);
    }
    stat_head(out, "prometheus_notifications_latency_seconds", "summary", "How long requests took.");
    write_column(f, out, "prometheus_notifications_latency_seconds_sum", latency_sum_of);
    write_column(f, out, "prometheus_notifications_latency_seconds_count", requests_of);
    size_t known = 0;
    for (size_t i = 0; i < f->target_count; i++)
        known += !f->targets[i]->leaving;
    lock_drop(&f->lock);
    stat_head(out, "prometheus_notifications_queue_capacity", "gauge", "Alerts a queue holds.");
    stat_sample(out, "prometheus_notifications_queue_capacity", NULL, (double)f->queue_max);
    stat_head(out, "prometheus_notifications_alertmanagers_discovered", "gauge", "Alertmanagers known.");
    stat_sample(out, "prometheus_notifications_alertmanagers_discovered", NULL, (double)known);
}
