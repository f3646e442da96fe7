#include "router_priv.h"

#include "tocsin/check.h"
#include "tocsin/mem.h"

#include <stdlib.h>

/* A flush may take as long as its group's interval, but not less than this. */
#define FLUSH_MIN_NS (10 * NS_PER_S)

static const struct am_receiver *receiver_of(const struct flush *flush)
{
    return flush->route->receiver;
}

void generation_drop(struct generation *generation)
{
    if (--generation->refs > 0)
        return;
    amconfig_free(generation->config);
    mem_free(generation);
}

struct placed {
    struct item_place place;
    struct alert *alert;
};

static int by_place(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    return item_place_order(&x->place, &y->place);
}

static void snapshot(struct router *router, const struct group *group, struct flush *flush, int64_t now_ns)
{
    struct alert *alert;
    struct placed *placed = MEM_ARRAY(struct placed, group->members.count + 1);
    for (size_t at = 0; (alert = map_next(&group->members, &at)) != NULL;)
        placed[flush->count++] = (struct placed){item_place_of(alert->fact->event->labels), alert};
    qsort(placed, flush->count, sizeof *placed, by_place);
    flush->items = MEM_ARRAY(struct flush_item, flush->count + 1);
    for (size_t i = 0; i < flush->count; i++) {
        struct flush_item *item = &flush->items[i];
        item->fact = fact_hold(placed[i].alert->fact);
        item->resolved = alert_is_resolved(item->fact->event, now_ns);
        if (item->resolved)
            keep_end(router, placed[i].alert);
    }
    mem_free(placed);
}

static struct str log_key(struct str group_key, const struct am_receiver *receiver,
                          const struct integration *integration, struct buf *key)
{
    buf_init(key, group_key.n + receiver->name.n + 64);
    buf_str(key, group_key);
    buf_char(key, ':');
    buf_str(key, receiver->name);
    buf_format(key, "/%s/%zu", integration_name(integration), integration->index);
    return buf_slice(key);
}

static struct str delivery_key(const struct delivery *d, struct buf *key)
{
    return log_key(d->flush->key, receiver_of(d->flush), d->integration, key);
}

static bool was_told(const struct dedup_told *told, uint64_t hash)
{
    return hash_set_has(&told->firing, hash) || hash_set_has(&told->owed, hash);
}

/* A muted alert is left out, unless it has ended and this integration still believes it fires: what was opened is
 * closed. */
static bool concerns(const struct router *router, const struct flush_item *item,
                     const struct dedup_told *told)
{
    if (item->muted == MUTE_none)
        return true;
    return router->options.contracts.opened_is_closed && item->resolved && was_told(told, item->fact->hash);
}

static bool tells_of_member(const struct group *group, const struct dedup_told *told)
{
    const struct alert *alert;
    for (size_t at = 0; (alert = map_next(&group->members, &at)) != NULL;) {
        if (was_told(told, alert->fact->hash))
            return true;
    }
    return false;
}

const struct dedup_told *group_told(const struct router *router, const struct group *group,
                                    const struct integration *integration, int64_t now_ns)
{
    struct buf key;
    const struct labels *kept;
    struct str text = log_key(group->key, group->route->receiver, integration, &key);
    const struct dedup_told *told = nflog_find(&router->nflog, text, now_ns, &kept);
    buf_release(&key);
    return told;
}

bool group_owes_end(const struct router *router, const struct group *group, int64_t now_ns)
{
    const struct am_receiver *receiver = group->route->receiver;
    for (size_t i = 0; i < receiver->integrations.count; i++) {
        const struct dedup_told *told = group_told(router, group, receiver->integrations.items[i], now_ns);
        if (told != NULL && tells_of_member(group, told))
            return true;
    }
    return false;
}

bool route_has_told_end(const struct router *router, const struct am_route *route, struct str key,
                        uint64_t hash, int64_t ended_ns, int64_t now_ns)
{
    const struct am_receiver *receiver = route->receiver;
    for (size_t i = 0; i < receiver->integrations.count; i++) {
        struct buf text;
        const struct labels *kept;
        const struct dedup_told *told = nflog_find(
            &router->nflog, log_key(key, receiver, receiver->integrations.items[i], &text), now_ns, &kept);
        buf_release(&text);
        if (told == NULL || was_told(told, hash) || hash_set_has(&told->missed, hash))
            return false;
        if (told->sent_ns < ended_ns && !hash_set_has(&told->resolved, hash))
            return false;
    }
    return true;
}

static void collect_hashes(const struct router *router, struct delivery *d, const struct dedup_told *told)
{
    const struct flush *flush = d->flush;
    struct hash_set *firing = &d->note.firing, *resolved = &d->note.resolved;
    firing->items = MEM_ARRAY(uint64_t, flush->count + 1);
    resolved->items = MEM_ARRAY(uint64_t, flush->count + 1);
    for (size_t i = 0; i < flush->count; i++) {
        const struct flush_item *item = &flush->items[i];
        struct hash_set *set = item->resolved ? resolved : firing;
        if (concerns(router, item, told))
            set->items[set->count++] = item->fact->hash;
    }
    hash_set_sort(firing);
    hash_set_sort(resolved);
}

/* Nobody has heard of it but in vain: its end is the page, whatever the integration wants to hear of ends. */
static bool is_late(const struct router *router, const struct flush_item *item, const struct dedup_told *told)
{
    return router->options.contracts.no_lost_page && hash_set_has(&told->missed, item->fact->hash);
}

static void collect_batch(const struct router *router, struct delivery *d, const struct dedup_told *told,
                          bool send_resolved)
{
    const struct flush *flush = d->flush;
    d->batch = MEM_ARRAY(const struct flush_item *, flush->count + 1);
    for (size_t i = 0; i < flush->count; i++) {
        const struct flush_item *item = &flush->items[i];
        bool wanted = send_resolved || !item->resolved || is_late(router, item, told);
        if (wanted && concerns(router, item, told))
            d->batch[d->batch_count++] = item;
    }
}

/* Whoever was told that they fire and hears neither that they do nor that they have ended will hear of their end. */
static struct hash_set still_owed(const struct router *router, const struct delivery *d,
                                  const struct dedup_told *told)
{
    static const struct hash_set none;
    bool all = router->options.contracts.opened_is_closed;
    struct hash_set owed = hash_set_join(&told->owed, all ? &told->firing : &none);
    struct hash_set left = hash_set_minus(&owed, &d->note.firing);
    struct hash_set rest = hash_set_minus(&left, &d->note.resolved);
    hash_set_free(&owed);
    hash_set_free(&left);
    return rest;
}

static struct hash_set ended(const struct flush *flush)
{
    struct hash_set set = {.items = MEM_ARRAY(uint64_t, flush->count + 1)};
    for (size_t i = 0; i < flush->count; i++) {
        if (flush->items[i].resolved)
            set.items[set.count++] = flush->items[i].fact->hash;
    }
    hash_set_sort(&set);
    return set;
}

/*
 * An integration is not told of some ends: it wants none, or they are muted. The log would go on calling these alerts told and
 * swallow their return. Where Alertmanager does so, the log forgets them here.
 */
static bool forget_ended(struct delivery *d, const struct dedup_told *told, const struct hash_set *gone)
{
    hash_set_free(&d->note.firing);
    d->note.firing = hash_set_minus(&told->firing, gone);
    d->note.owed = hash_set_minus(&told->owed, gone);
    d->note.missed = hash_set_minus(&told->missed, gone);
    d->note.sent_ns = told->sent_ns;
    return d->note.firing.count < told->firing.count || d->note.owed.count < told->owed.count ||
           d->note.missed.count < told->missed.count;
}

/* Alertmanager looks for what has expired every quarter of an hour; until then it counts. */
#define LOG_GC_NS (15 * 60 * NS_PER_S)

static int64_t keep_ns(const struct router *router, const struct delivery *d)
{
    const struct am_route *route = d->flush->route;
    int64_t keep = 2 * route->repeat_interval_ms * NS_PER_MS + LOG_GC_NS;
    int64_t least = 2 * route->group_interval_ms * NS_PER_MS;
    int64_t most = router->options.retention_ms * NS_PER_MS;
    if (d->digest != NULL)
        return most; /* nothing repeats it, and it has a storm to close */
    keep = keep < most ? keep : most;
    return keep > least ? keep : least;
}

/* Nothing repeats what is muted, so the log would forget whom to tell of its end. */
static bool must_last(const struct router *router, const struct delivery *d, const struct dedup_told *told)
{
    const struct flush *flush = d->flush;
    if (!router->options.contracts.opened_is_closed ||
        nflog_expires(told) - flush->tick_ns > keep_ns(router, d) / 2)
        return false;
    for (size_t i = 0; i < flush->count; i++) {
        const struct flush_item *item = &flush->items[i];
        if (item->muted != MUTE_none && !item->resolved && was_told(told, item->fact->hash))
            return true;
    }
    return false;
}

/* Nothing is told. True if the log is to say something else from now on, or the same for longer. */
static bool renew(const struct router *router, struct delivery *d, const struct dedup_told *told)
{
    static const struct hash_set none;
    bool lasts = must_last(router, d, told), forgets = router->options.contracts.no_lost_page;
    if (!lasts && !forgets)
        return false;
    struct hash_set gone = ended(d->flush);
    bool less = forget_ended(d, told, forgets ? &gone : &none);
    hash_set_free(&gone);
    return less || lasts;
}

struct kind_counts *delivery_counts(struct router *router, const struct delivery *d)
{
    return &router->counts.kinds[integration_kind_of(d->integration)];
}

/* What an earlier notification left behind speaks of alerts that the receiver believes to fire. Where there are none, a change of that
 * notification, which nobody may notice, would stand for a page. */
static bool begins_anew(const struct delivery *d, const struct dedup_told *told)
{
    return d->reason == DEDUP_FIRST || (d->reason == DEDUP_LATE && told->firing.count == 0);
}

static void decide(struct router *router, struct delivery *d)
{
    static const struct dedup_told nothing;
    struct flush *flush = d->flush;
    bool send_resolved = d->integration->send_resolved;
    struct buf key;
    const struct labels *kept = NULL;
    const struct dedup_told *entry = nflog_find(&router->nflog, delivery_key(d, &key), flush->tick_ns, &kept);
    const struct dedup_told *told = entry != NULL ? entry : &nothing;
    buf_release(&key);
    collect_hashes(router, d, told);
    if (d->note.firing.count + d->note.resolved.count > 0) /* else all is muted: nothing gets this far */
        d->reason = dedup_decide(entry, &d->note.firing, &d->note.resolved, send_resolved, flush->tick_ns,
                                 flush->route->repeat_interval_ms * NS_PER_MS);
    if (kept != NULL && !begins_anew(d, told))
        d->kept = labels_copy_heap(kept);
    if (d->reason != DEDUP_NONE) {
        delivery_counts(router, d)->notifications++;
        collect_batch(router, d, told, send_resolved);
        d->note.owed = still_owed(router, d, told);
        return;
    }
    trail_untold(router, d, entry);
    if (entry != NULL && renew(router, d, entry)) {
        d->forgets = true;
    } else {
        d->ended = true;
        flush->open--;
    }
}

static void begin_deliveries(struct router *router, struct flush *flush)
{
    flush->delivery_count = flush->open = receiver_of(flush)->integrations.count;
    flush->deliveries = MEM_ARRAY(struct delivery, flush->delivery_count + 1);
    for (size_t i = 0; i < flush->delivery_count; i++) {
        struct delivery *d = &flush->deliveries[i];
        d->flush = flush;
        d->integration = receiver_of(flush)->integrations.items[i];
        d->timer.kind = TIMER_DELIVERY;
        decide(router, d);
        if (!d->ended)
            timer_set(&router->timers, &d->timer, flush->tick_ns);
    }
}

static void rearm(struct router *router, struct group *group, int64_t now_ns)
{
    int64_t interval_ns = group->route->group_interval_ms * NS_PER_MS;
    int64_t next = group->timer.at_ns + interval_ns;
    timer_set(&router->timers, &group->timer, next > now_ns ? next : now_ns + interval_ns);
}

void flush_start(struct router *router, struct group *group, int64_t now_ns)
{
    if (group->flush != NULL) {
        group->tick_waits = true;
        timer_clear(&router->timers, &group->timer);
        return;
    }
    if (group->tick_waits)
        group->timer.at_ns = now_ns;
    group->tick_waits = false;
    group->flushed = true;
    rearm(router, group, now_ns);
    int64_t interval_ns = group->route->group_interval_ms * NS_PER_MS;
    struct flush *flush = MEM_NEW(struct flush);
    flush->group = group;
    flush->key = (struct str){mem_copy_text(group->key.p, group->key.n), group->key.n};
    flush->labels = labels_copy_heap(group->labels);
    flush->route = group->route;
    flush->generation = group->closing != NULL ? group->closing : router->generation;
    flush->generation->refs++;
    flush->tick_ns = now_ns;
    flush->deadline_ns = now_ns + (interval_ns > FLUSH_MIN_NS ? interval_ns : FLUSH_MIN_NS);
    group->flush = flush;
    snapshot(router, group, flush, now_ns);
    flush_mute(router, group, flush);
    trail_flushed(router, group, flush);
    begin_deliveries(router, flush);
    flush_end_if_done(router, flush, now_ns);
}

void flush_free(struct flush *flush)
{
    for (size_t i = 0; i < flush->count; i++)
        fact_drop(flush->items[i].fact);
    for (size_t i = 0; i < flush->delivery_count; i++) {
        mem_free(flush->deliveries[i].batch);
        nflog_told_free(&flush->deliveries[i].note);
        mem_free(flush->deliveries[i].kept);
    }
    mem_free((void *)(uintptr_t)flush->key.p);
    mem_free(flush->labels);
    mem_free(flush->route_labels);
    mem_free(flush->items);
    mem_free(flush->deliveries);
    generation_drop(flush->generation);
    mem_free(flush);
}

static bool holds_fact(const void *item, const void *key)
{
    return ((const struct alert *)item)->fact == key;
}

/* Resolved alerts that everybody has been told of, unless news of them came meanwhile. */
static void remove_told(struct router *router, struct group *group, const struct flush *flush, int64_t now_ns)
{
    for (size_t i = 0; i < flush->count; i++) {
        const struct flush_item *item = &flush->items[i];
        if (!item->resolved)
            continue;
        struct alert *alert = map_find(&group->members, item->fact->fingerprint, holds_fact, item->fact);
        if (alert == NULL)
            continue;
        group_remove(group, alert);
        router->news++;
        trail_left(router, group, alert, now_ns);
        if (alert->groups == 0)
            keep_forget(router, alert);
    }
}

/* Of a flush that failed the file knows nothing: a restart makes up for it at once. */
static void flush_settle(struct router *router, struct group *group, bool failed, int64_t now_ns)
{
    if (group->tick_waits)
        timer_set(&router->timers, &group->timer, now_ns);
    if (!failed && group->closing == NULL)
        keep_tick(router, group);
}

void flush_end_if_done(struct router *router, struct flush *flush, int64_t now_ns)
{
    if (flush->open > 0)
        return;
    struct group *group = flush->group;
    group->flush = NULL;
    bool failed = flush->failed;
    if (!failed && !group->dead)
        remove_told(router, group, flush, now_ns);
    flush_free(flush);
    if (group->dead)
        group_free(group);
    else if (group->members.count == 0 || (group->closing != NULL && !group_owes_end(router, group, now_ns)))
        group_destroy(router, group);
    else
        flush_settle(router, group, failed, now_ns);
}

static struct nflog_note *make_note(const struct router *router, const struct delivery *d,
                                    const struct dedup_told *told, const struct labels *kept,
                                    int64_t since_ns)
{
    struct buf key;
    struct nflog_note *note =
        nflog_note_make(delivery_key(d, &key), told, kept, since_ns + keep_ns(router, d));
    buf_release(&key);
    return note;
}

struct nflog_note *delivery_note(const struct router *router, const struct delivery *d, int64_t sent_ns)
{
    struct dedup_told told = d->note;
    if (!d->forgets)
        told.sent_ns = sent_ns;
    return make_note(router, d, &told, d->kept, sent_ns);
}

static const struct dedup_told *told_so_far(const struct router *router, const struct delivery *d,
                                            int64_t now_ns, const struct labels **kept)
{
    static const struct dedup_told nothing;
    struct buf key;
    const struct dedup_told *told = nflog_find(&router->nflog, delivery_key(d, &key), now_ns, kept);
    buf_release(&key);
    return told != NULL ? told : &nothing;
}

const struct dedup_told *delivery_told(const struct router *router, const struct delivery *d, int64_t now_ns)
{
    const struct labels *kept;
    return told_so_far(router, d, now_ns, &kept);
}

/* Its firing alerts that the log does not know as told may be: their ends will be owed. NULL: it knows them all. */
struct nflog_note *delivery_intent(const struct router *router, const struct delivery *d, int64_t now_ns)
{
    const struct labels *kept = NULL;
    const struct dedup_told *told = told_so_far(router, d, now_ns, &kept);
    struct hash_set new = hash_set_minus(&d->note.firing, &told->firing);
    struct dedup_told may = *told;
    may.owed = hash_set_join(&told->owed, &new);
    struct nflog_note *note =
        may.owed.count > told->owed.count ? make_note(router, d, &may, d->kept, now_ns) : NULL;
    hash_set_free(&new);
    hash_set_free(&may.owed);
    return note;
}

/*
 * The receiver took nothing. Those that it was to hear of as firing, in vain, are told late if they end before it takes something; those
 * whose end it was to hear of are news if they fire again.
 */
struct nflog_note *delivery_missed(const struct router *router, const struct delivery *d, int64_t now_ns)
{
    const struct labels *kept = NULL;
    const struct dedup_told *told = told_so_far(router, d, now_ns, &kept);
    struct hash_set unclosed = hash_set_meet(&told->firing, &d->note.resolved);
    struct hash_set untold = hash_set_minus(&d->note.firing, &told->firing);
    struct dedup_told next = {
        .firing = hash_set_minus(&told->firing, &d->note.resolved),
        .resolved = hash_set_copy(&told->resolved),
        .owed = hash_set_join(&told->owed, &unclosed),
        .missed = hash_set_join(&told->missed, &untold),
        .sent_ns = told->sent_ns,
    };
    bool news = next.owed.count > told->owed.count || next.missed.count > told->missed.count;
    struct nflog_note *note = news ? make_note(router, d, &next, kept, now_ns) : NULL;
    hash_set_free(&unclosed);
    hash_set_free(&untold);
    nflog_told_free(&next);
    return note;
}
