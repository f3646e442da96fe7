/* One target's pushes: what goes into the next one, and what is made of its answer. */
#include "sender_priv.h"

#include "tocsin/encode.h"
#include "tocsin/histogram.h"
#include "tocsin/limits.h"
#include "tocsin/log.h"
#include "tocsin/mem.h"

enum {
    PUSH_BYTES = 4 << 20,        /* about as large may a push be before it is compressed */
    RETRY_AFTER_MAX_MS = 600000, /* nobody is left alone for longer than that because he said so */
    TELL_EVERY_S = 60
};

static int64_t mono_ns(const struct target *t)
{
    return t->sender->world->mono_ns(t->sender->world);
}

/* ---- filling ---- */

static void let_go(struct target *t, size_t i)
{
    t->flight_kinds[queued_kind(&t->flight[i])]--;
    backlog_let_go(&t->backlog, &t->flight[i]);
}

/* The samples of the next push. Lock held. */
static void take_flight(struct target *t)
{
    const struct sender_target *target = &t->settings->target;
    size_t bytes = 0;
    while (t->flight_count < target->samples_max && bytes < PUSH_BYTES) {
        MEM_GROW(t->flight, t->flight_count, t->flight_capacity);
        struct queued *q = &t->flight[t->flight_count];
        if (!backlog_take(&t->backlog, q))
            break;
        t->flight_kinds[queued_kind(q)]++;
        t->flight_count++;
        bytes += queued_bytes(q);
    }
    t->due_ns = mono_ns(t) + target->deadline_ms * NS_PER_MS;
}

static enum drop_reason judge(const struct settings *s, const struct queued *q, int64_t now_ms)
{
    const struct histogram *h = q->sample.histogram;
    if (s->target.age_max_ms > 0 && now_ms - q->sample.t_ms > s->target.age_max_ms)
        return DROP_TOO_OLD;
    if (h == NULL || s->target.protocol == SENDER_V2)
        return DROP_NOT;
    if (!s->target.histograms)
        return DROP_HISTOGRAM;
    return histogram_is_custom(h) ? DROP_CUSTOM : DROP_NOT;
}

/* Lets go of what is not to be sent (any more). Lock held. */
static void sift(struct target *t)
{
    int64_t now_ms = world_now_ms(t->sender->world);
    size_t kept = 0;
    for (size_t i = 0; i < t->flight_count; i++) {
        enum drop_reason reason = judge(t->settings, &t->flight[i], now_ms);
        if (reason == DROP_NOT) {
            t->flight[kept++] = t->flight[i];
            continue;
        }
        t->figures.dropped[reason][queued_kind(&t->flight[i])]++;
        let_go(t, i);
    }
    t->flight_count = kept;
}

static bool is_due(const struct target *t)
{
    size_t waiting = t->backlog.count;
    if (waiting == 0)
        return false;
    return t->sender->ending || waiting >= t->settings->target.samples_max || mono_ns(t) >= t->due_ns;
}

/* True if something was done; *ready: there is a push to be sent now. Lock held. */
static bool prepare(struct target *t, bool *ready)
{
    *ready = false;
    if (t->leaving || (t->flight_count > 0 ? mono_ns(t) < t->retry_ns : !is_due(t)))
        return false;
    if (t->flight_count == 0)
        take_flight(t);
    sift(t);
    *ready = t->flight_count > 0;
    if (*ready)
        t->flying = t->settings;
    t->reply = (struct reply){.retry_after_ms = -1};
    return true;
}

int64_t target_next_ns(const struct target *t)
{
    if (t->leaving)
        return t->flying == NULL ? INT64_MIN : INT64_MAX;
    if (t->flying != NULL)
        return t->reply.come ? INT64_MIN : INT64_MAX;
    if (t->flight_count > 0)
        return t->retry_ns;
    return t->backlog.count == 0 ? INT64_MAX : is_due(t) ? INT64_MIN : t->due_ns;
}

/* ---- sending ---- */

/* The labels that go out: external ones laid under, then relabelled. *out NULL: the series is not wanted. 0, or ERR_LIMIT. */
static int outgoing_labels(struct target *t, const struct queued *q, const struct labels **out)
{
    const struct labels *ls = labels_merge(&t->arena, t->flying->external_labels, queued_labels(q));
    if (ls == NULL)
        return ERR_LIMIT;
    int rc = relabel_apply(t->flying->relabel, &t->arena, ls, out);
    if (rc == 0 && *out != NULL && (*out)->count == 0)
        *out = NULL;
    return rc;
}

/* Lets go of the samples whose series are not wanted. */
static void leave_out(struct target *t, const bool *unwanted)
{
    size_t kept = 0;
    lock_take(&t->sender->lock);
    for (size_t i = 0; i < t->flight_count; i++) {
        if (!unwanted[i]) {
            t->flight[kept++] = t->flight[i];
            continue;
        }
        t->figures.dropped[DROP_SERIES][queued_kind(&t->flight[i])]++;
        let_go(t, i);
    }
    t->flight_count = kept;
    lock_drop(&t->sender->lock);
}

/* What the flight holds, in the arena; what is not wanted leaves it. 0, or ERR_LIMIT. */
static int make_batch(struct target *t, struct batch *out)
{
    struct batch_series *series = ARENA_ARRAY(&t->arena, struct batch_series, t->flight_count);
    bool *unwanted = ARENA_ARRAY(&t->arena, bool, t->flight_count);
    size_t count = 0;
    if (series == NULL || unwanted == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; i < t->flight_count; i++) {
        const struct labels *ls;
        if (outgoing_labels(t, &t->flight[i], &ls) != 0)
            return ERR_LIMIT;
        unwanted[i] = ls == NULL;
        if (ls != NULL)
            series[count++] = (struct batch_series){ls->item, ls->count, NULL, 1};
    }
    leave_out(t, unwanted);
    for (size_t i = 0; i < count; i++)
        series[i].samples = &t->flight[i].sample;
    *out = (struct batch){.series = series, .count = count};
    return 0;
}

static int encode(struct target *t)
{
    struct batch batch;
    arena_clear(&t->arena);
    int rc = make_batch(t, &batch);
    if (rc != 0 || batch.count == 0)
        return rc;
    return t->flying->target.protocol == SENDER_V2 ? encode_push_v2(&t->arena, &batch, &t->request.body)
                                                   : encode_push(&t->arena, &batch, &t->request.body);
}

static void take_text(struct reply *reply, struct str text)
{
    struct str rest = text;
    struct str line = str_cut(&rest, '\n');
    size_t n = line.n < sizeof reply->why - 1 ? line.n : sizeof reply->why - 1;
    if (n > 0)
        memcpy(reply->why, line.p, n);
    reply->why[n] = '\0';
}

/* On the network's thread. */
static void note_answer(void *context, const struct net_answer *answer)
{
    struct target *t = context;
    struct sender *sender = t->sender; /* once the answer is noted the target may go */
    lock_take(&sender->lock);
    t->reply.status = answer->status;
    t->reply.retry_after_ms = answer->retry_after_ms;
    t->reply.tells_written = answer->tells_written;
    t->reply.written[KIND_FLOAT] = answer->samples_written;
    t->reply.written[KIND_HISTOGRAM] = answer->histograms_written;
    take_text(&t->reply, answer->status != 0 ? answer->body : str_of(answer->error.text));
    t->reply.come = true;
    lock_drop(&sender->lock);
    sender_wake(sender);
}

/* Nothing of the settings is borrowed any more. Lock held. */
static void release_flying(struct target *t)
{
    if (t->flying != t->settings)
        settings_free(t->flying);
    t->flying = NULL;
}

/* As if the network had answered. */
static void answer_at_once(struct target *t, int status, const char *why)
{
    struct net_answer answer = {.status = status, .retry_after_ms = -1, .body = str_of(why)};
    if (status == 0)
        err_set(&answer.error, ERR_FULL, "%s", why);
    note_answer(t, &answer);
}

static void send_push(struct target *t)
{
    enum { STATUS_TOO_LARGE = 413 };
    struct world *world = t->sender->world;
    t->started_ns = mono_ns(t);
    t->request = (struct net_request){.method = "POST",
                                      .url = t->flying->url,
                                      .headers = t->flying->target.headers,
                                      .header_count = t->flying->target.header_count,
                                      .timeout_ms = t->flying->target.timeout_ms,
                                      .http = t->flying->http};
    int rc = encode(t);
    if (rc != 0) {
        limit_hit(LIMIT_push_arena_bytes);
        answer_at_once(t, STATUS_TOO_LARGE, "it needs more memory than push_arena_bytes");
    } else if (t->flight_count == 0) {
        lock_take(&t->sender->lock);
        release_flying(t);
        lock_drop(&t->sender->lock);
    } else if (world->send == NULL || world->send(world, &t->request, note_answer, t) != 0) {
        answer_at_once(t, 0, "too many requests are under way");
    }
}

/* ---- the answer ---- */

enum outcome { TAKEN, TAKEN_IN_PART, LATER, REFUSED };

static enum outcome outcome_of(const struct target *t)
{
    const struct reply *r = &t->reply;
    if (r->status == 0 || r->status / 100 == 5 || (r->status == 429 && t->settings->target.retry_429))
        return LATER;
    if (r->status / 100 != 2)
        return REFUSED;
    if (t->flying->target.protocol != SENDER_V2)
        return TAKEN;
    if (!r->tells_written)
        return REFUSED;
    bool all = r->written[KIND_FLOAT] >= t->flight_kinds[KIND_FLOAT] &&
               r->written[KIND_HISTOGRAM] >= t->flight_kinds[KIND_HISTOGRAM];
    return all ? TAKEN : TAKEN_IN_PART;
}

/* Pauses double; a random quarter less keeps many senders from coming back all at once. */
static void put_off(struct target *t)
{
    const struct sender_target *target = &t->settings->target;
    struct world *world = t->sender->world;
    int64_t pause_ms = t->backoff_ms * 2;
    pause_ms = pause_ms > target->backoff_min_ms ? pause_ms : target->backoff_min_ms;
    pause_ms = pause_ms < target->backoff_max_ms ? pause_ms : target->backoff_max_ms;
    t->backoff_ms = pause_ms;
    int64_t pause_ns = pause_ms * NS_PER_MS;
    pause_ns -= (int64_t)(world->random(world) % (uint64_t)(pause_ns / 4 + 1));
    int64_t asked_ms =
        t->reply.retry_after_ms < RETRY_AFTER_MAX_MS ? t->reply.retry_after_ms : RETRY_AFTER_MAX_MS;
    if (asked_ms * NS_PER_MS > pause_ns)
        pause_ns = asked_ms * NS_PER_MS;
    t->retry_ns = mono_ns(t) + pause_ns;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        t->figures.retried[kind] += t->flight_kinds[kind];
}

/* What the receiver has taken of what it refused as a whole, it says in 2.0 only. */
static void count_settled(struct target *t, enum outcome outcome)
{
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        uint64_t all = t->flight_kinds[kind], taken = outcome == TAKEN ? all : 0;
        if (outcome != TAKEN && t->reply.tells_written)
            taken = t->reply.written[kind] < all ? t->reply.written[kind] : all;
        t->figures.sent[kind] += taken;
        t->figures.failed[kind] += all - taken;
    }
    if (outcome == REFUSED)
        return;
    t->figures.bytes += t->request.body.n;
    for (size_t i = 0; i < t->flight_count; i++)
        if (t->flight[i].sample.t_ms > t->figures.newest_sent_ms)
            t->figures.newest_sent_ms = t->flight[i].sample.t_ms;
}

const double sender_duration_bounds[DURATION_BOUNDS] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
                                                        2.5,   5,    10,    25,   60,  120,  300};

static void count_duration(struct target *t)
{
    double seconds = (double)(mono_ns(t) - t->started_ns) / (double)NS_PER_S;
    size_t i = 0;
    while (i < DURATION_BOUNDS && seconds > sender_duration_bounds[i])
        i++;
    t->figures.durations[i]++;
    t->figures.duration_s += seconds;
}

/* Takes in the answer. Lock held. */
static enum outcome conclude(struct target *t)
{
    enum outcome outcome = outcome_of(t);
    count_duration(t);
    if (outcome == LATER) {
        put_off(t);
    } else {
        count_settled(t, outcome);
        while (t->flight_count > 0)
            let_go(t, --t->flight_count);
        t->backoff_ms = 0;
    }
    return outcome;
}

static void tell_refused(const struct target *t, enum outcome outcome, size_t samples)
{
    static struct log_rate rate;
    bool silent = outcome == REFUSED && t->reply.status / 100 == 2;
    if ((outcome != REFUSED && outcome != TAKEN_IN_PART) || !log_allowed(&rate, mono_ns(t)))
        return;
    log_error(outcome == REFUSED ? "remote_write was refused: these samples are lost to the target"
                                 : "remote_write was taken in part: the rest is lost to the target",
              LOG_STR("remote_name", t->flying->target.name), LOG_TEXT("url", t->flying->shown_url),
              LOG_INT("samples", samples), LOG_INT("status", t->reply.status),
              LOG_TEXT("err", silent
                                  ? "the receiver does not confirm remote write 2.0: try protobuf_message: "
                                    "prometheus.WriteRequest"
                                  : t->reply.why));
}

/* An outage is told when it begins, once a minute, and when it ends. */
static void tell_outage(struct target *t, enum outcome outcome)
{
    int64_t now_ns = mono_ns(t);
    if (outcome == LATER && (t->failing_ns == 0 || now_ns - t->told_ns >= TELL_EVERY_S * NS_PER_S)) {
        t->failing_ns = t->failing_ns != 0 ? t->failing_ns : now_ns;
        t->told_ns = now_ns;
        log_warn("remote_write fails and is repeated: samples wait",
                 LOG_STR("remote_name", t->flying->target.name), LOG_TEXT("url", t->flying->shown_url),
                 LOG_INT("status", t->reply.status), LOG_TEXT("err", t->reply.why));
    }
    if (outcome != LATER && t->failing_ns != 0) {
        log_info("remote_write works again", LOG_STR("remote_name", t->flying->target.name),
                 LOG_MS("after", (now_ns - t->failing_ns) / NS_PER_MS));
        t->failing_ns = 0;
    }
}

/* True if an answer was there. */
static bool take_answer(struct target *t)
{
    size_t samples = t->flight_count;
    lock_take(&t->sender->lock);
    bool answered = t->flying != NULL && t->reply.come;
    enum outcome outcome = answered ? conclude(t) : TAKEN;
    lock_drop(&t->sender->lock);
    if (!answered)
        return false;
    tell_outage(t, outcome);
    tell_refused(t, outcome, samples);
    return true;
}

bool target_step(struct target *t)
{
    bool answered = take_answer(t), prepared = false, ready = false;
    lock_take(&t->sender->lock);
    if (answered)
        release_flying(t);
    if (t->flying == NULL)
        prepared = prepare(t, &ready);
    lock_drop(&t->sender->lock);
    if (ready)
        send_push(t);
    return answered || prepared;
}
