#include "message_priv.h"
#include "router_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"

#define BACKOFF_FIRST_NS (500 * NS_PER_MS)
#define BACKOFF_MAX_NS (60 * NS_PER_S)

/* What the batch of a delivery says, in the arena; false past its cap. */
static bool describe(struct router *router, const struct delivery *d, struct arena *arena,
                     struct notification *out)
{
    struct world *world = router->options.world;
    struct notification_alert *alerts = ARENA_ARRAY(arena, struct notification_alert, d->batch_count);
    if (alerts == NULL)
        return false;
    for (size_t i = 0; i < d->batch_count; i++)
        alerts[i] = (struct notification_alert){d->batch[i]->fact->event, d->batch[i]->fact->fingerprint,
                                                d->batch[i]->resolved};
    *out = (struct notification){
        .receiver = d->flush->route->receiver->name,
        .alerts = alerts,
        .count = d->batch_count,
        .reason = dedup_reason_text(d->reason),
        .late = d->reason == DEDUP_LATE && d->note.firing.count == 0,
        .group_labels = d->flush->labels,
        .route_labels = flush_route_labels(router, d->flush),
        .external_url = router->options.external_url,
        .group_key = d->flush->key,
        .now_ns = world->wall_ns(world),
    };
    return true;
}

static void tell_one(struct router *router, const struct delivery *d, int status, const char *detail,
                     enum page_outcome outcome, int64_t now_ns)
{
    trail_tried(router, d, status, detail, outcome, now_ns);
    if (router->options.paged == NULL)
        return;
    struct arena scratch;
    struct notification n;
    arena_init(&scratch, (size_t)limits.flush_arena_bytes);
    if (!describe(router, d, &scratch, &n) || notification_complete(&scratch, &n, 0) != 0) {
        arena_release(&scratch);
        return;
    }
    struct page_event event = {
        .group_key = n.group_key,
        .receiver = n.receiver,
        .integration = str_of(integration_name(d->integration)),
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
        .status = status,
        .outcome = outcome,
    };
    router->options.paged(router->options.context, page_event_copy(&event));
    arena_release(&scratch);
}

/* News for whoever keeps the history: a digest is news of each of its groups. */
static void tell(struct router *router, const struct delivery *d, int status, const char *detail,
                 enum page_outcome outcome, int64_t now_ns)
{
    size_t members = d->digest != NULL ? digest_member_count(d->digest) : 0;
    for (size_t i = 0; i < members; i++) {
        struct delivery *member = digest_member(d->digest, i);
        member->attempt = d->attempt;
        member->timer.at_ns = d->timer.at_ns; /* when it is tried again */
        tell_one(router, member, status, detail[0] != '\0' ? detail : "in a digest", outcome, now_ns);
    }
    if (d->digest == NULL)
        tell_one(router, d, status, detail, outcome, now_ns);
}

static void succeed(struct router *router, struct delivery *d, int64_t now_ns)
{
    size_t members = d->digest != NULL ? digest_member_count(d->digest) : 0;
    if (d->digest != NULL)
        digest_mark_told(router, d->digest);
    for (size_t i = 0; i < members; i++) {
        struct delivery *member = digest_member(d->digest, i);
        settle_later(router, member, delivery_note(router, member, now_ns), false, now_ns);
    }
    settle_later(router, d, delivery_note(router, d, now_ns), false, now_ns);
}

static void fail(struct router *router, struct delivery *d, enum failure failure, int64_t now_ns)
{
    size_t members = d->digest != NULL ? digest_member_count(d->digest) : 0;
    for (size_t i = 0; i < members; i++)
        fail(router, digest_member(d->digest, i), failure, now_ns);
    lock_take(&router->lock);
    bool told_of = router->options.contracts.no_lost_page && d->digest == NULL;
    struct nflog_note *note = told_of ? delivery_missed(router, d, now_ns) : NULL;
    if (d->digest == NULL)
        delivery_counts(router, d)->failed[failure]++;
    lock_drop(&router->lock);
    settle_later(router, d, note, true, now_ns);
}

void delivery_give_up(struct router *router, struct delivery *d, int64_t now_ns)
{
    size_t members = d->digest != NULL ? digest_member_count(d->digest) : 0;
    for (size_t i = 0; i < members; i++)
        trail_gave_up(router, digest_member(d->digest, i), now_ns);
    trail_gave_up(router, d, now_ns);
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
    if (message->answer.retry_after_ms * NS_PER_MS > wait_ns)
        wait_ns = message->answer.retry_after_ms * NS_PER_MS;
    lock_take(&router->lock);
    bool over = is_over(d);
    bool again = !over && now_ns + wait_ns < d->flush->deadline_ns;
    if (!over)
        timer_set(&router->timers, &d->timer, again ? now_ns + wait_ns : d->flush->deadline_ns);
    lock_drop(&router->lock);
    static struct log_rate rate;
    if (log_allowed(&rate, router->options.world->mono_ns(router->options.world)))
        log_warn("notification attempt failed", LOG_STR("receiver", d->flush->route->receiver->name),
                 LOG_TEXT("integration", integration_name(d->integration)), LOG_INT("attempt", d->attempt),
                 LOG_TEXT("err", detail));
    tell(router, d, message->answer.status, detail, again ? PAGE_RETRYING : PAGE_FAILED, now_ns);
    if (over)
        fail(router, d, failure, now_ns);
}

static void refuse(struct router *router, struct delivery *d, const struct message *message,
                   const char *detail, enum failure failure, int64_t now_ns)
{
    static struct log_rate rate;
    if (log_allowed(&rate, router->options.world->mono_ns(router->options.world)))
        log_error("notification failed", LOG_STR("receiver", d->flush->route->receiver->name),
                  LOG_TEXT("integration", integration_name(d->integration)), LOG_INT("attempt", d->attempt),
                  LOG_TEXT("err", detail));
    tell(router, d, message->answer.status, detail, PAGE_FAILED, now_ns);
    if (d->digest != NULL)
        digest_scatter(router, d->digest,
                       now_ns); /* what is wrong with it may be right with each of its groups */
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
    message->answer.retry_after_ms = -1;
    message->exchange = (struct exchange){
        .world = router->options.world,
        .arena = &message->arena,
        .integration = d->integration,
        .templates = d->flush->generation->config->templates,
        .kept = d->kept,
    };
    list_message(router, message);
    return message;
}

/* On the network's thread: note it and go. */
static void note_answer(void *context, const struct net_answer *answer)
{
    struct message *message = context;
    message->answer = *answer;
    message->answer.body = str_copy(&message->arena, answer->body);
    inbox_put(&message->router->inbox, message);
}

/* In SMTP 4xx is the server's trouble and 5xx its refusal. */
static enum failure classify_mail(int reply)
{
    if (reply == 535)
        return FAILURE_authError;
    return reply >= 500 ? FAILURE_clientError : FAILURE_serverError;
}

/* A status that says yes and a body that says no is the client's error. */
static enum failure classify(const struct message *message)
{
    const struct net_answer *answer = &message->answer;
    int status = answer->status;
    if (status == 0)
        return answer->error.code == ERR_CANCEL ? FAILURE_contextCanceled : FAILURE_other;
    if (message->exchange.request.mail != NULL)
        return classify_mail(status);
    if (status == 401 || status == 403)
        return FAILURE_authError;
    if (status == 429)
        return FAILURE_rateLimited;
    if (status >= 500)
        return FAILURE_serverError;
    return status >= 400 || (status >= 200 && status < 300) ? FAILURE_clientError : FAILURE_other;
}

static const double latency_bounds_s[LATENCY_BUCKETS] = {1, 5, 10, 15, 20, 30};

/* The attempt is over: somebody else may have its place. */
static void end_attempt(struct router *router, struct delivery *d, bool failed, int64_t now_ns)
{
    struct kind_counts *counts = delivery_counts(router, d);
    double took_s = (double)(now_ns - d->started_ns) / 1e9;
    lock_take(&router->lock);
    lane_leave(router, d, now_ns);
    counts->requests++;
    counts->requests_failed += failed;
    counts->latency_count++;
    counts->latency_sum_s += took_s;
    for (size_t i = 0; i < LATENCY_BUCKETS; i++)
        counts->latency_bucket[i] += took_s <= latency_bounds_s[i];
    lock_drop(&router->lock);
}

static void delivered(struct router *router, struct delivery *d, const struct message *message,
                      int64_t now_ns)
{
    const struct labels *keep = message->exchange.keep;
    struct labels *kept = keep != NULL ? labels_copy_heap(keep) : NULL;
    mem_free(d->kept);
    d->kept = kept;
    tell(router, d, message->answer.status, "", PAGE_DELIVERED, now_ns);
    succeed(router, d, now_ns);
}

static void conclude(struct router *router, struct delivery *d, struct message *message,
                     enum exchange_verdict verdict, const char *why, int64_t now_ns)
{
    d->message = NULL;
    end_attempt(router, d, verdict != EXCHANGE_DONE, now_ns);
    if (verdict == EXCHANGE_DONE)
        delivered(router, d, message, now_ns);
    else if (verdict == EXCHANGE_RETRY)
        retry(router, d, message, why, classify(message), now_ns);
    else
        refuse(router, d, message, why, classify(message), now_ns);
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
    int rc = world->send(world, &message->exchange.request, note_answer, message);
    if (rc == 0)
        return 0;
    lock_take(&router->inbox.lock);
    router->inbox.out--;
    lock_drop(&router->inbox.lock);
    return rc;
}

/* What goes wrong before anything is sent is final for this tick. */
static void give_up_unsent(struct router *router, struct delivery *d, struct message *message,
                           const struct err *why, int64_t now_ns)
{
    d->message = NULL;
    end_attempt(router, d, true, now_ns);
    refuse(router, d, message, why->text, FAILURE_clientError, now_ns);
    message_free(message);
}

/* One request may not outlast the flush; 0 would mean that it has no limit of its own. */
static int64_t request_ms(const struct delivery *d, int64_t timeout_ms, int64_t now_ns)
{
    int64_t left_ms = (d->flush->deadline_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
    if (timeout_ms <= 0)
        timeout_ms = limits.send_ms;
    if (left_ms < 1)
        left_ms = 1;
    return timeout_ms < left_ms ? timeout_ms : left_ms;
}

/* The next request of the attempt. */
static void send_next(struct router *router, struct delivery *d, struct message *message, int64_t now_ns)
{
    struct err why = {0};
    if (exchange_next(&message->exchange, &why) != 0) {
        give_up_unsent(router, d, message, &why, now_ns);
        return;
    }
    struct net_request *request = &message->exchange.request;
    request->timeout_ms = request_ms(d, request->timeout_ms, now_ns);
    d->message = message;
    int rc = send_message(router, message);
    if (rc == 0)
        return;
    message->answer = (struct net_answer){.retry_after_ms = -1, .error.code = rc};
    conclude(router, d, message, EXCHANGE_RETRY,
             rc == ERR_FULL ? "too many requests are under way" : "there is no network", now_ns);
}

void router_take_answer(struct router *router, struct message *message, int64_t now_ns)
{
    struct err why = {0};
    struct delivery *d = message->delivery;
    lock_take(&router->inbox.lock);
    router->inbox.out--;
    lock_drop(&router->inbox.lock);
    enum exchange_verdict verdict = exchange_judge(&message->exchange, &message->answer, &why);
    if (verdict == EXCHANGE_MORE)
        send_next(router, d, message, now_ns);
    else
        conclude(router, d, message, verdict, why.text, now_ns);
}

static void prepare(struct router *router, struct delivery *d, int64_t now_ns)
{
    struct err why = {0};
    struct message *message = message_make(router, d);
    d->attempt++;
    d->started_ns = now_ns;
    int rc = describe(router, d, &message->arena, &message->exchange.notification)
                 ? exchange_begin(&message->exchange, &why)
                 : err_set(&why, ERR_LIMIT, "the notification needs more memory than flush_arena_bytes");
    if (rc != 0) {
        give_up_unsent(router, d, message, &why, now_ns);
        return;
    }
    message->next_answer = NULL;
    *router->last_prepared = message;
    router->last_prepared = &message->next_answer;
}

void router_send_prepared(struct router *router, int64_t now_ns)
{
    struct message *message;
    settle_intents(router, now_ns);
    while ((message = router->prepared) != NULL) {
        router->prepared = message->next_answer;
        send_next(router, message->delivery, message, now_ns);
    }
    router->last_prepared = &router->prepared;
}

void delivery_attempt(struct router *router, struct delivery *d, int64_t now_ns)
{
    if (d->forgets) {
        succeed(router, d, now_ns);
    } else if (d->batch_count == 0) {
        tell(router, d, 0, "", PAGE_UNSENT, now_ns);
        succeed(router, d, now_ns);
    } else {
        prepare(router, d, now_ns);
    }
}
