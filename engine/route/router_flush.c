#include "router_priv.h"

#include "tocsin/check.h"
#include "tocsin/mem.h"

#include <stdlib.h>

/* A flush may take as long as its group's interval, but not less than this. */
#define FLUSH_MIN_NS (10 * NS_PER_S)

/* How long the log remembers, at most (Alertmanager's --data.retention). */
#define LOG_RETENTION_NS (120 * 3600 * NS_PER_S)

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

static int by_labels(const void *a, const void *b)
{
    const struct flush_item *x = a, *y = b;
    return router_item_order(x->fact->event->labels, y->fact->event->labels);
}

static void snapshot(struct router *router, struct group *group, struct flush *flush, int64_t now_ns)
{
    struct alert *alert;
    flush->items = MEM_ARRAY(struct flush_item, group->members.count + 1);
    for (size_t at = 0; (alert = map_next(&group->members, &at)) != NULL;) {
        struct flush_item *item = &flush->items[flush->count++];
        item->fact = fact_hold(alert->fact);
        item->resolved = alert_is_resolved(alert->fact->event, now_ns);
        item->muted = inhibitor_mutes(&router->inhibitor, alert->fact->event->labels, now_ns);
        router->counts.suppressed += item->muted;
    }
    qsort(flush->items, flush->count, sizeof *flush->items, by_labels);
}

static struct str delivery_key(const struct delivery *d, struct buf *key)
{
    buf_init(key, d->flush->key.n + receiver_of(d->flush)->name.n + 64);
    buf_str(key, d->flush->key);
    buf_char(key, ':');
    buf_str(key, receiver_of(d->flush)->name);
    buf_format(key, "/%s/%zu", integration_name(d->integration), d->integration->index);
    return buf_slice(key);
}

/* A muted alert is left out, unless it has ended and this integration still believes it fires: what was opened is
 * closed. */
static bool concerns(const struct flush_item *item, const struct dedup_told *told)
{
    if (!item->muted)
        return true;
    return item->resolved && told != NULL && hash_set_has(&told->firing, item->fact->hash);
}

static void collect_hashes(struct delivery *d, const struct dedup_told *told)
{
    const struct flush *flush = d->flush;
    d->firing.items = MEM_ARRAY(uint64_t, flush->count + 1);
    d->resolved.items = MEM_ARRAY(uint64_t, flush->count + 1);
    for (size_t i = 0; i < flush->count; i++) {
        const struct flush_item *item = &flush->items[i];
        struct hash_set *set = item->resolved ? &d->resolved : &d->firing;
        if (concerns(item, told))
            set->items[set->count++] = item->fact->hash;
    }
    hash_set_sort(&d->firing);
    hash_set_sort(&d->resolved);
}

static void collect_batch(struct delivery *d, const struct dedup_told *told, bool send_resolved)
{
    const struct flush *flush = d->flush;
    d->batch = MEM_ARRAY(const struct flush_item *, flush->count + 1);
    for (size_t i = 0; i < flush->count; i++) {
        const struct flush_item *item = &flush->items[i];
        if (concerns(item, told) && (send_resolved || !item->resolved))
            d->batch[d->batch_count++] = item;
    }
}

/*
 * An integration that wants no resolved alerts is not told when some end, so the log would go on calling them told and
 * swallow their return. Where Alertmanager does so, the log forgets them here.
 */
static bool forget_resolved(struct delivery *d, const struct dedup_told *told)
{
    struct hash_set left = {.items = MEM_ARRAY(uint64_t, told->firing.count + 1)};
    for (size_t i = 0; i < told->firing.count; i++) {
        if (!hash_set_has(&d->resolved, told->firing.items[i]))
            left.items[left.count++] = told->firing.items[i];
    }
    bool shrunk = left.count < told->firing.count;
    mem_free(d->firing.items);
    d->firing = left;
    return shrunk;
}

struct kind_counts *delivery_counts(struct router *router, const struct delivery *d)
{
    return &router->counts.kinds[integration_kind_of(d->integration)];
}

static void decide(struct router *router, struct delivery *d)
{
    struct flush *flush = d->flush;
    bool send_resolved = d->integration->send_resolved;
    struct buf key;
    const struct labels *kept = NULL;
    const struct dedup_told *told = nflog_find(&router->nflog, delivery_key(d, &key), flush->tick_ns, &kept);
    buf_release(&key);
    collect_hashes(d, told);
    d->reason = dedup_decide(told, &d->firing, &d->resolved, send_resolved, flush->tick_ns,
                             flush->route->repeat_interval_ms * NS_PER_MS);
    if (kept != NULL && d->reason != DEDUP_FIRST)
        d->kept = labels_copy_heap(kept);
    if (d->reason != DEDUP_NONE) {
        delivery_counts(router, d)->notifications++;
        collect_batch(d, told, send_resolved);
    } else if (told != NULL && !send_resolved && forget_resolved(d, told)) {
        d->forgets_since_ns = told->sent_ns;
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
    flush->generation = router->generation;
    flush->generation->refs++;
    flush->tick_ns = now_ns;
    flush->deadline_ns = now_ns + (interval_ns > FLUSH_MIN_NS ? interval_ns : FLUSH_MIN_NS);
    group->flush = flush;
    snapshot(router, group, flush, now_ns);
    begin_deliveries(router, flush);
    flush_end_if_done(router, flush, now_ns);
}

void flush_free(struct flush *flush)
{
    for (size_t i = 0; i < flush->count; i++)
        fact_drop(flush->items[i].fact);
    for (size_t i = 0; i < flush->delivery_count; i++) {
        mem_free(flush->deliveries[i].batch);
        mem_free(flush->deliveries[i].firing.items);
        mem_free(flush->deliveries[i].resolved.items);
        mem_free(flush->deliveries[i].kept);
    }
    mem_free((void *)(uintptr_t)flush->key.p);
    mem_free(flush->labels);
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
static void remove_told(struct group *group, const struct flush *flush)
{
    for (size_t i = 0; i < flush->count; i++) {
        const struct flush_item *item = &flush->items[i];
        if (!item->resolved)
            continue;
        struct alert *alert = map_find(&group->members, item->fact->fingerprint, holds_fact, item->fact);
        if (alert != NULL)
            group_remove(group, alert);
    }
}

void flush_end_if_done(struct router *router, struct flush *flush, int64_t now_ns)
{
    if (flush->open > 0)
        return;
    struct group *group = flush->group;
    group->flush = NULL;
    if (!flush->failed && !group->dead)
        remove_told(group, flush);
    flush_free(flush);
    if (group->dead)
        group_free(group);
    else if (group->members.count == 0)
        group_destroy(router, group);
    else if (group->tick_waits)
        timer_set(&router->timers, &group->timer, now_ns);
}

struct nflog_note *delivery_note(const struct delivery *d, int64_t sent_ns)
{
    struct buf key;
    int64_t keep_ns = 2 * d->flush->route->repeat_interval_ms * NS_PER_MS;
    if (keep_ns > LOG_RETENTION_NS)
        keep_ns = LOG_RETENTION_NS;
    int64_t told_ns = d->forgets_since_ns != 0 ? d->forgets_since_ns : sent_ns;
    struct nflog_note *note =
        nflog_note_make(delivery_key(d, &key), &d->firing, &d->resolved, d->kept, told_ns, told_ns + keep_ns);
    buf_release(&key);
    return note;
}
