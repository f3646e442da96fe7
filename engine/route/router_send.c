#include "notification_priv.h"
#include "webhook_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"

#include <stdio.h>

#define BACKOFF_FIRST_NS (500 * NS_PER_MS)
#define BACKOFF_MAX_NS (60 * NS_PER_S)

/* News for whoever keeps the history. */
static void tell(struct router *router, const struct delivery *d, const struct message *message,
                 const char *detail, enum page_outcome outcome, int64_t now_ns)
{
    if (router->options.paged == NULL)
        return;
    struct arena scratch;
    struct notification n;
    arena_init(&scratch, (size_t)limits.flush_arena_bytes);
    if (notification_make(&scratch, router, d, 0, &n) != 0) {
        arena_release(&scratch);
        return;
    }
    struct page_event event = {
        .group_key = n.group_key,
        .receiver = d->flush->route->receiver->name,
        .integration = STR("webhook"),
        .reason = n.reason,
        .detail = str_of(detail),
        .group_labels = n.group_labels,
        .common_labels = n.common_labels,
        .common_annotations = n.common_annotations,
        .firing = n.firing,
        .firing_count = (uint32_t)n.firing_count,
        .resolved_count = (uint32_t)(n.count - n.firing_count),
        .at_ns = now_ns,
        .attempt = d->attempt,
        .status = message != NULL ? message->status : 0,
        .outcome = outcome,
    };
    router->options.paged(router->options.context, page_event_copy(&event));
    arena_release(&scratch);
}

static void end_delivery(struct router *router, struct delivery *d, bool failed, int64_t now_ns)
{
    struct flush *flush = d->flush;
    timer_clear(&router->timers, &d->timer);
    d->ended = true;
    flush->failed = flush->failed || failed;
    flush->open--;
    flush_end_if_done(router, flush, now_ns);
}

static void save(struct router *router, const struct nflog_note *note, const char *risk)
{
    struct err err;
    static struct log_rate rate;
    struct world *world = router->options.world;
    if (nflog_save(router->options.state, note, &err) != 0 && log_allowed(&rate, world->mono_ns(world)))
        log_error(risk, LOG_STR("key", note->key), LOG_ERR(&err));
}

/* The log is on disk before anything else is decided for this group. */
static void succeed(struct router *router, struct delivery *d, int64_t now_ns)
{
    struct nflog_note *note = delivery_note(d, now_ns);
    save(router, note, "notification log not written; a restart may repeat this page");
    lock_take(&router->lock);
    nflog_put(&router->nflog, note);
    end_delivery(router, d, false, now_ns);
    lock_drop(&router->lock);
}

static void fail(struct router *router, struct delivery *d, enum failure failure, int64_t now_ns)
{
    struct nflog_note *note = NULL;
    if (router->options.contracts.no_lost_page)
        note = delivery_missed(router, d, now_ns);
    if (note != NULL)
        save(router, note, "notification log not written; a restart may lose a page that failed");
    lock_take(&router->lock);
    if (note != NULL)
        nflog_put(&router->nflog, note);
    router->counts.failed[failure]++;
    end_delivery(router, d, true, now_ns);
    lock_drop(&router->lock);
}

void delivery_give_up(struct router *router, struct delivery *d, int64_t now_ns)
{
    fail(router, d, FAILURE_contextDeadlineExceeded, now_ns);
}

/* Up or down by half, so that many groups do not knock in step. */
static int64_t next_backoff(struct router *router, struct delivery *d)
{
    struct world *world = router->options.world;
    if (d->backoff_ns == 0)
        d->backoff_ns = BACKOFF_FIRST_NS;
    double spread = 0.5 + (double)(world->random(world) >> 11) / 9007199254740992.0;
    int64_t wait_ns = (int64_t)((double)d->backoff_ns * spread);
    d->backoff_ns = d->backoff_ns * 3 / 2 < BACKOFF_MAX_NS ? d->backoff_ns * 3 / 2 : BACKOFF_MAX_NS;
    return wait_ns;
}

/* Of a group that the configuration in force no longer knows, only ends are worth another try. */
static bool is_over(const struct delivery *d)
{
    const struct group *group = d->flush->group;
    return group->dead || (group->closing != NULL && d->note.firing.count > 0);
}

/* A receiver that is to be asked again; the flush's deadline ends it. */
static void retry(struct router *router, struct delivery *d, const struct message *message,
                  const char *detail, enum failure failure, int64_t now_ns)
{
    int64_t wait_ns = next_backoff(router, d);
    if (message->retry_after_ms * NS_PER_MS > wait_ns)
        wait_ns = message->retry_after_ms * NS_PER_MS;
    lock_take(&router->lock);
    bool over = is_over(d);
    bool again = !over && now_ns + wait_ns < d->flush->deadline_ns;
    if (!over)
        timer_set(&router->timers, &d->timer, again ? now_ns + wait_ns : d->flush->deadline_ns);
    lock_drop(&router->lock);
    static struct log_rate rate;
    if (log_allowed(&rate, router->options.world->mono_ns(router->options.world)))
        log_warn("notification attempt failed", LOG_STR("receiver", d->flush->route->receiver->name),
                 LOG_TEXT("integration", "webhook"), LOG_INT("attempt", d->attempt), LOG_TEXT("err", detail));
    tell(router, d, message, detail, again ? PAGE_RETRYING : PAGE_FAILED, now_ns);
    if (over)
        fail(router, d, failure, now_ns);
}

static void refuse(struct router *router, struct delivery *d, const struct message *message,
                   const char *detail, enum failure failure, int64_t now_ns)
{
    static struct log_rate rate;
    if (log_allowed(&rate, router->options.world->mono_ns(router->options.world)))
        log_error("notification failed", LOG_STR("receiver", d->flush->route->receiver->name),
                  LOG_TEXT("integration", "webhook"), LOG_INT("attempt", d->attempt),
                  LOG_TEXT("err", detail));
    tell(router, d, message, detail, PAGE_FAILED, now_ns);
    fail(router, d, failure, now_ns);
}

static void list_message(struct router *router, struct message *message)
{
    message->older = router->messages;
    if (router->messages != NULL)
        router->messages->newer = message;
    router->messages = message;
}

void message_free(struct message *message)
{
    struct router *router = message->router;
    if (message->older != NULL)
        message->older->newer = message->newer;
    if (message->newer != NULL)
        message->newer->older = message->older;
    else
        router->messages = message->older;
    arena_release(&message->arena);
    mem_free(message);
}

static struct message *message_make(struct router *router, struct delivery *d)
{
    struct message *message = MEM_NEW(struct message);
    arena_init(&message->arena, (size_t)limits.flush_arena_bytes);
    message->router = router;
    message->delivery = d;
    message->retry_after_ms = -1;
    list_message(router, message);
    return message;
}

static void note_detail(struct message *message, struct str text)
{
    size_t n = text.n < MESSAGE_DETAIL_MAX - 1 ? text.n : MESSAGE_DETAIL_MAX - 1;
    if (n > 0)
        memcpy(message->detail, text.p, n);
    message->detail[n] = '\0';
}

/* On the network's thread: note it and go. */
static void note_answer(void *context, const struct net_answer *answer)
{
    struct message *message = context;
    message->status = answer->status;
    message->code = answer->error.code;
    message->retry_after_ms = answer->retry_after_ms;
    note_detail(message, answer->status != 0 ? answer->body : str_of(answer->error.text));
    inbox_put(&message->router->inbox, message);
}

static enum failure classify(const struct message *message)
{
    int status = message->status;
    if (status == 0)
        return message->code == ERR_CANCEL ? FAILURE_contextCanceled : FAILURE_other;
    if (status == 401 || status == 403)
        return FAILURE_authError;
    if (status == 429)
        return FAILURE_rateLimited;
    if (status >= 500)
        return FAILURE_serverError;
    return status >= 400 ? FAILURE_clientError : FAILURE_other;
}

static const double latency_bounds_s[LATENCY_BUCKETS] = {1, 5, 10, 15, 20, 30};

static void count_attempt(struct router *router, const struct delivery *d, bool failed, int64_t now_ns)
{
    struct router_counts *counts = &router->counts;
    double took_s = (double)(now_ns - d->started_ns) / 1e9;
    lock_take(&router->lock);
    counts->requests++;
    counts->requests_failed += failed;
    counts->latency_count++;
    counts->latency_sum_s += took_s;
    for (size_t i = 0; i < LATENCY_BUCKETS; i++)
        counts->latency_bucket[i] += took_s <= latency_bounds_s[i];
    lock_drop(&router->lock);
}

static void conclude(struct router *router, struct delivery *d, const struct message *message, int64_t now_ns)
{
    int status = message->status;
    bool taken = status >= 200 && status < 300;
    count_attempt(router, d, !taken, now_ns);
    if (taken) {
        tell(router, d, message, "", PAGE_DELIVERED, now_ns);
        succeed(router, d, now_ns);
        return;
    }
    char detail[MESSAGE_DETAIL_MAX + 64];
    if (status != 0)
        snprintf(detail, sizeof detail, "unexpected status code %d: %s", status, message->detail);
    else
        snprintf(detail, sizeof detail, "%s", message->detail);
    if (status == 0 || status == 429 || status >= 500)
        retry(router, d, message, detail, classify(message), now_ns);
    else
        refuse(router, d, message, detail, classify(message), now_ns);
}

void router_take_answer(struct router *router, struct message *message, int64_t now_ns)
{
    struct delivery *d = message->delivery;
    lock_take(&router->inbox.lock);
    router->inbox.out--;
    lock_drop(&router->inbox.lock);
    d->message = NULL;
    conclude(router, d, message, now_ns);
    message_free(message);
}

static int send_message(struct router *router, struct message *message)
{
    struct world *world = router->options.world;
    if (world->send == NULL)
        return ERR_CLOSED;
    lock_take(&router->inbox.lock);
    router->inbox.out++;
    lock_drop(&router->inbox.lock);
    int rc = world->send(world, &message->request, note_answer, message);
    if (rc == 0)
        return 0;
    lock_take(&router->inbox.lock);
    router->inbox.out--;
    lock_drop(&router->inbox.lock);
    return rc;
}

/* The receiver may take the page and this process end before the answer is in the log. Without this the next process would tell nobody
 * of the end of an alert that ended meanwhile. Where the log knows of others that fire, they keep the end from being forgotten. */
static void note_intent(struct router *router, const struct delivery *d, int64_t now_ns)
{
    struct nflog_note *note = delivery_note(d, now_ns);
    note->told.sent_ns = 0;
    save(router, note, "notification log not written; a restart may lose the end of these alerts");
    nflog_note_free(note);
}

static void send_now(struct router *router, struct delivery *d, int64_t now_ns)
{
    struct err err;
    struct message *message = message_make(router, d);
    d->attempt++;
    d->started_ns = now_ns;
    if (webhook_render(router, d, message, now_ns, &err) != 0) {
        count_attempt(router, d, true, now_ns);
        refuse(router, d, message, err.text, FAILURE_clientError, now_ns);
        message_free(message);
        return;
    }
    if (d->attempt == 1 && d->reason == DEDUP_FIRST)
        note_intent(router, d, now_ns);
    d->message = message;
    int rc = send_message(router, message);
    if (rc == 0)
        return;
    d->message = NULL;
    message->code = rc;
    note_detail(message,
                rc == ERR_FULL ? STR("too many requests are under way") : STR("there is no network"));
    conclude(router, d, message, now_ns);
    message_free(message);
}

void delivery_attempt(struct router *router, struct delivery *d, int64_t now_ns)
{
    if (d->forgets) {
        succeed(router, d, now_ns);
    } else if (d->batch_count == 0) {
        tell(router, d, NULL, "", PAGE_UNSENT, now_ns);
        succeed(router, d, now_ns);
    } else {
        send_now(router, d, now_ns);
    }
}
