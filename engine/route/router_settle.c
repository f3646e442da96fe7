#include "message_priv.h"
#include "router_priv.h"

#include "tocsin/mem.h"

/*
 * The log is on disk before anything else is decided for a group; but a sync for each page is what a storm of pages would wait for. So what the
 * router does in one step is written together.
 */

/* The log is never ahead of what is known of the alerts: else a restart would wait for news of one whose end was told because no more came
 * of it, or would tell an end again that the log has forgotten meanwhile. */
static void keep_ends(struct router *router)
{
    lock_take(&router->lock);
    bool waits = router->keeping.first != NULL || router->keeping.gone_count > 0;
    lock_drop(&router->lock);
    if (waits)
        (void)keep_write(router, UINT64_MAX, NULL);
}

static void save(struct router *router, struct nflog_note *const *notes, size_t count, const char *risk)
{
    struct err err;
    static struct log_rate rate;
    struct world *world = router->options.world;
    if (count == 0)
        return;
    keep_ends(router);
    if (nflog_save(router->options.state, notes, count, &err) != 0 &&
        log_allowed(&rate, world->mono_ns(world)))
        log_error(risk, LOG_STR("key", notes[0]->key), LOG_INT("entries", count), LOG_ERR(&err));
}

static void end_delivery(struct router *router, struct delivery *d, bool failed, int64_t now_ns)
{
    struct flush *flush = d->flush;
    timer_clear(&router->timers, &d->timer);
    if (d->in_lane)
        lane_leave(router, d, now_ns);
    d->ended = true;
    if (d->digest != NULL) {
        digest_free(router, d->digest);
        return;
    }
    flush->failed = flush->failed || failed;
    flush->open--;
    flush_end_if_done(router, flush, now_ns);
}

void settle_later(struct router *router, struct delivery *d, struct nflog_note *note, bool failed,
                  int64_t now_ns)
{
    if (router->settled_count == ROUTER_BATCH)
        router_settle(router, now_ns);
    router->settled[router->settled_count++] = (struct settled){d, note, failed};
}

void router_settle(struct router *router, int64_t now_ns)
{
    struct nflog_note *notes[ROUTER_BATCH] = {NULL};
    size_t count = 0;
    for (size_t i = 0; i < router->settled_count; i++)
        if (router->settled[i].note != NULL)
            notes[count++] = router->settled[i].note;
    if (router->settled_count == 0)
        return;
    save(router, notes, count,
         "notification log not written; a restart may repeat pages, or lose one that failed");
    lock_take(&router->lock);
    for (size_t i = 0; i < count; i++)
        nflog_put(&router->nflog, notes[i]);
    for (size_t i = 0; i < router->settled_count; i++)
        end_delivery(router, router->settled[i].delivery, router->settled[i].failed, now_ns);
    lock_drop(&router->lock);
    router->settled_count = 0;
}

/* Of the prepared messages that nobody has tried to send yet. */
static size_t collect_intents(struct router *router, struct nflog_note *notes[ROUTER_BATCH], int64_t now_ns)
{
    size_t count = 0;
    for (const struct message *m = router->prepared; m != NULL; m = m->next_answer) {
        struct nflog_note *note =
            m->delivery->attempt == 1 ? delivery_intent(router, m->delivery, now_ns) : NULL;
        if (note == NULL)
            continue;
        note->relaxed = true;
        notes[count++] = note;
    }
    return count;
}

static void save_intents(struct router *router, struct nflog_note *const *notes, size_t count)
{
    save(router, notes, count, "notification log not written; a restart may lose the end of these alerts");
    for (size_t i = 0; i < count; i++)
        nflog_note_free(notes[i]);
}

/* Of the groups that a digest stands for. */
static void settle_members(struct router *router, const struct digest *digest, int64_t now_ns)
{
    struct nflog_note *notes[ROUTER_BATCH];
    for (size_t at = 0; at < digest_member_count(digest);) {
        size_t count = 0;
        lock_take(&router->lock);
        for (size_t k = 0; k < ROUTER_BATCH && at < digest_member_count(digest); k++, at++) {
            struct nflog_note *note = delivery_intent(router, digest_member(digest, at), now_ns);
            if (note != NULL)
                notes[count++] = note;
        }
        lock_drop(&router->lock);
        for (size_t i = 0; i < count; i++)
            notes[i]->relaxed = true;
        save_intents(router, notes, count);
    }
}

static void settle_digests(struct router *router, int64_t now_ns)
{
    for (const struct message *m = router->prepared; m != NULL; m = m->next_answer)
        if (m->delivery->digest != NULL && m->delivery->attempt == 1)
            settle_members(router, m->delivery->digest, now_ns);
}

/* The receiver may take the page and this process end before the answer is in the log. Without this the next process would tell nobody
 * of the end of an alert that ended meanwhile. Alertmanager makes no such promise. */
void settle_intents(struct router *router, int64_t now_ns)
{
    struct nflog_note *notes[ROUTER_BATCH] = {NULL};
    size_t count = 0;
    lock_take(&router->lock);
    bool promised = router->options.contracts.opened_is_closed;
    if (promised)
        count = collect_intents(router, notes, now_ns);
    lock_drop(&router->lock);
    save_intents(router, notes, count);
    if (promised)
        settle_digests(router, now_ns);
}
