#include "message_priv.h"
#include "router_priv.h"

#include "tocsin/mem.h"

/*
 * The log is on disk before anything else is decided for a group; but a sync for each page is what a storm of pages would wait for. So what the
 * router does in one step is written together.
 */

static void save(struct router *router, struct nflog_note *const *notes, size_t count, const char *risk)
{
    struct err err;
    static struct log_rate rate;
    struct world *world = router->options.world;
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

/* The receiver may take the page and this process end before the answer is in the log. Without this the next process would tell nobody
 * of the end of an alert that ended meanwhile. Where the log knows of others that fire, they keep the end from being forgotten. Alertmanager
 * makes no such promise. */
void settle_intents(struct router *router, int64_t now_ns)
{
    struct nflog_note *notes[ROUTER_BATCH] = {NULL};
    size_t count = 0;
    if (!router->options.contracts.opened_is_closed)
        return;
    for (const struct message *m = router->prepared; m != NULL; m = m->next_answer) {
        if (m->delivery->attempt > 1 || m->delivery->reason != DEDUP_FIRST)
            continue;
        struct nflog_note *note = delivery_note(router, m->delivery, now_ns);
        note->told.sent_ns = 0;
        notes[count++] = note;
    }
    save(router, notes, count, "notification log not written; a restart may lose the end of these alerts");
    for (size_t i = 0; i < count; i++)
        nflog_note_free(notes[i]);
}
