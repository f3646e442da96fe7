#include "router_priv.h"

#include "tocsin/mem.h"

/*
 * Who posts an alert is answered when it is in the state file. Alerts that wait to be written are a list; whoever finds nobody writing
 * writes all of them, in one transaction: so posts that come at once share one. A firing alert that is merely posted again is no news: the
 * file need not know its end to the second, because a restart gives it the time that its sender gave it, RESTART_GRACE_NS at most, from then
 * on. While nobody could hear, silence says nothing.
 */

/* Alertmanager's resolve_timeout unless it is set; Prometheus asks for four minutes. */
#define RESTART_GRACE_NS (5 * 60 * NS_PER_S)

/* What a power cut may take. */
#define SYNC_AFTER_NS (250 * NS_PER_MS)

#define RETRY_NS NS_PER_S

enum {
    BATCH_ALERTS = 4096,  /* of one transaction, so that a full disk is noticed soon */
    END_MOVES_SHARE = 8,  /* of an alert's time that its end may move unwritten */
    LASTS_GROWS_SHARE = 4 /* likewise that this time may grow */
};

struct recalled {
    struct str key, receiver; /* with the texts in the same block */
    int64_t id, next_ns;
};

void keeping_init(struct router *router)
{
    struct keeping *k = &router->keeping;
    lock_init(&k->lock, LOCK_keeping);
    k->last = &k->first;
    map_init(&k->recalled);
}

static void free_ticks(struct tick_row *ticks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        mem_free((void *)(uintptr_t)ticks[i].key.p);
        mem_free((void *)(uintptr_t)ticks[i].receiver.p);
    }
    mem_free(ticks);
}

void keeping_release(struct router *router)
{
    struct keeping *k = &router->keeping;
    struct recalled *r;
    for (size_t at = 0; (r = map_next(&k->recalled, &at)) != NULL;)
        mem_free(r);
    map_release(&k->recalled);
    free_ticks(k->ticks, k->tick_count);
    mem_free(k->gone);
    mem_free(k->gone_ticks);
    lock_release(&k->lock);
}

/* ---- what is news ---- */

static void enlist(struct router *router, struct alert *alert)
{
    struct keeping *k = &router->keeping;
    if (alert->kept.waits)
        return;
    alert->kept.waits = true;
    alert->kept.next = NULL;
    *k->last = alert;
    k->last = &alert->kept.next;
}

static bool same_texts(const struct labels *a, const struct labels *b)
{
    return a == b || (a != NULL && b != NULL && labels_equal(a, b));
}

static bool says_the_same(const struct alert_event *a, const struct alert_event *b)
{
    return a->starts_ns == b->starts_ns && a->starts_zone_s == b->starts_zone_s &&
           a->ends_zone_s == b->ends_zone_s && a->ends_is_timeout == b->ends_is_timeout &&
           str_eq(a->generator_url, b->generator_url) && same_texts(a->annotations, b->annotations);
}

static int64_t grace_of(int64_t lasts_ns)
{
    return lasts_ns < RESTART_GRACE_NS ? lasts_ns : RESTART_GRACE_NS;
}

/* After a restart it would end too early, or far too late. */
static bool end_is_news(const struct kept *k, const struct alert_event *e)
{
    int64_t lasts_ns = e->ends_ns - e->updated_ns, grace_ns = grace_of(k->lasts_ns);
    return e->ends_ns < k->ends_ns || grace_of(lasts_ns) > grace_ns + grace_ns / LASTS_GROWS_SHARE ||
           (lasts_ns > RESTART_GRACE_NS && e->ends_ns - k->ends_ns > lasts_ns / END_MOVES_SHARE);
}

static bool is_news(const struct kept *k, const struct alert_event *before, const struct alert_event *e,
                    int64_t now_ns)
{
    bool over = e->ends_ns <= e->updated_ns;
    return k->over || over || alert_is_resolved(before, now_ns) || !says_the_same(before, e) ||
           end_is_news(k, e);
}

void keep_alert(struct router *router, struct alert *alert, const struct alert_event *before, bool posted,
                int64_t now_ns)
{
    const struct alert_event *e = alert->fact->event;
    struct kept *k = &alert->kept;
    if (router->options.state == NULL || (k->id == 0 && !posted))
        return;
    if (k->id == 0)
        k->id = ++router->keeping.last_id;
    else if (before != NULL && !is_news(k, before, e, now_ns))
        return;
    k->ends_ns = e->ends_ns;
    k->lasts_ns = e->ends_ns - e->updated_ns;
    k->over = k->lasts_ns <= 0;
    enlist(router, alert);
}

void keep_end(struct router *router, struct alert *alert)
{
    if (alert->kept.id == 0 || alert->kept.over)
        return;
    alert->kept.over = true;
    enlist(router, alert);
}

static void add_id(int64_t **ids, size_t *count, size_t *capacity, int64_t id)
{
    MEM_GROW(*ids, *count, *capacity);
    (*ids)[(*count)++] = id;
}

void keep_forget(struct router *router, struct alert *alert)
{
    struct keeping *k = &router->keeping;
    if (alert->kept.id != 0)
        add_id(&k->gone, &k->gone_count, &k->gone_capacity, alert->kept.id);
    alert->kept.id = 0;
}

/* ---- when groups are due ---- */

static struct str copy_text(struct str s)
{
    return (struct str){mem_copy_text(s.p, s.n), s.n};
}

void keep_tick(struct router *router, struct group *group)
{
    struct keeping *k = &router->keeping;
    if (router->options.state == NULL)
        return;
    if (group->tick_id == 0)
        group->tick_id = ++k->last_tick_id;
    MEM_GROW(k->ticks, k->tick_count, k->tick_capacity);
    k->ticks[k->tick_count++] = (struct tick_row){
        .id = group->tick_id,
        .key = copy_text(group->key),
        .receiver = copy_text(group->route->receiver->name),
        .next_ns = group->timer.at_ns,
    };
}

static void forget_tick(struct keeping *k, int64_t id)
{
    add_id(&k->gone_ticks, &k->gone_tick_count, &k->gone_tick_capacity, id);
}

void keep_forget_tick(struct router *router, struct group *group)
{
    if (group->tick_id != 0)
        forget_tick(&router->keeping, group->tick_id);
    group->tick_id = 0;
}

static uint64_t recalled_hash(struct str key, struct str receiver)
{
    return hash_mix(hash_bytes(key.p, key.n), hash_bytes(receiver.p, receiver.n));
}

static bool is_recalled(const void *item, const void *key)
{
    const struct recalled *r = item;
    const struct group *group = key;
    return str_eq(r->key, group->key) && str_eq(r->receiver, group->route->receiver->name);
}

/* A shorter interval of the configuration in force holds; what was due meanwhile is due now. */
void keep_recall_tick(struct router *router, struct group *group, int64_t now_ns)
{
    struct map *recalled = &router->keeping.recalled;
    uint64_t hash = recalled_hash(group->key, group->route->receiver->name);
    struct recalled *r = recalled->count > 0 ? map_find(recalled, hash, is_recalled, group) : NULL;
    if (r == NULL)
        return;
    int64_t at_ns = r->next_ns, latest_ns = now_ns + group->route->group_interval_ms * NS_PER_MS;
    if (at_ns > latest_ns)
        at_ns = latest_ns;
    if (at_ns < now_ns)
        at_ns = now_ns;
    timer_set(&router->timers, &group->timer, at_ns > router->start_ns ? at_ns : router->start_ns);
    group->flushed = true;
    group->tick_id = r->id;
    map_remove(recalled, hash, r);
    mem_free(r);
}

void keep_drop_recalled(struct router *router)
{
    struct keeping *k = &router->keeping;
    struct recalled *r;
    for (size_t at = 0; (r = map_next(&k->recalled, &at)) != NULL;) {
        forget_tick(k, r->id);
        mem_free(r);
    }
    map_clear(&k->recalled);
}

/* ---- writing ---- */

struct batch_item {
    struct alert *alert;
    struct fact *fact;
    struct alert_event event;
};

struct batch {
    struct batch_item *items;
    struct posted_row *rows;
    struct posted_news news;
    struct tick_row *ticks;
    int64_t *gone, *gone_ticks;
    uint64_t posts;
};

static struct alert *next_waiting(struct keeping *k)
{
    struct alert *alert = k->first;
    if (alert == NULL)
        return NULL;
    k->first = alert->kept.next;
    if (k->first == NULL)
        k->last = &k->first;
    alert->kept.waits = false;
    return alert;
}

static void add_row(struct batch *b, struct alert *alert)
{
    size_t n = b->news.row_count++;
    struct batch_item *item = &b->items[n];
    alert->kept.writing = true;
    *item = (struct batch_item){alert, fact_hold(alert->fact), *alert->fact->event};
    if (alert->kept.over && item->event.updated_ns < item->event.ends_ns)
        item->event.updated_ns = item->event.ends_ns;
    b->rows[n] = (struct posted_row){alert->kept.id, &item->event, alert->kept.since_ns};
}

static void take_alerts(struct keeping *k, struct batch *b)
{
    struct alert *alert;
    while (b->news.row_count < BATCH_ALERTS && (alert = next_waiting(k)) != NULL) {
        if (alert->kept.id != 0)
            add_row(b, alert);
    }
    b->news.rows = b->rows;
}

/* What is gone was put before. */
static void take_rest(struct keeping *k, struct batch *b)
{
    b->posts = k->posts;
    b->news.ticks = b->ticks = k->ticks;
    b->news.tick_count = k->tick_count;
    b->news.gone = b->gone = k->gone;
    b->news.gone_count = k->gone_count;
    b->news.gone_ticks = b->gone_ticks = k->gone_ticks;
    b->news.gone_tick_count = k->gone_tick_count;
    k->ticks = NULL;
    k->gone = k->gone_ticks = NULL;
    k->tick_count = k->tick_capacity = k->gone_count = k->gone_capacity = 0;
    k->gone_tick_count = k->gone_tick_capacity = 0;
}

static bool nothing_waits(const struct keeping *k)
{
    return k->first == NULL && k->tick_count == 0 && k->gone_count == 0 && k->gone_tick_count == 0;
}

/* False: there is nothing to do. */
static bool take(struct router *router, uint64_t posts, struct batch *b)
{
    struct keeping *k = &router->keeping;
    lock_take(&router->lock);
    bool done = k->posts_written >= posts || nothing_waits(k);
    if (!done) {
        size_t room = 0;
        for (const struct alert *a = k->first; a != NULL && room < BATCH_ALERTS; a = a->kept.next)
            room++;
        b->items = MEM_ARRAY(struct batch_item, room + 1);
        b->rows = MEM_ARRAY(struct posted_row, room + 1);
        take_alerts(k, b);
        if (k->first == NULL)
            take_rest(k, b);
    }
    lock_drop(&router->lock);
    return !done;
}

/* After a failure alerts wait again. Ticks need not: a group that the file knows too little of is due at once in a restart; nor what is
 * gone: what has ended and was told is nobody's business there. */
static void settle(struct router *router, struct batch *b, bool written)
{
    struct keeping *k = &router->keeping;
    struct world *world = router->options.world;
    lock_take(&router->lock);
    for (size_t i = 0; i < b->news.row_count; i++) {
        struct batch_item *item = &b->items[i];
        item->alert->kept.writing = false;
        if (!written)
            enlist(router, item->alert);
        fact_drop(item->fact);
    }
    if (written && b->posts > k->posts_written)
        k->posts_written = b->posts;
    if (written && k->sync_ns == 0 && state_unsynced(router->options.state))
        k->sync_ns = world->wall_ns(world) + SYNC_AFTER_NS;
    lock_drop(&router->lock);
    free_ticks(b->ticks, b->news.tick_count);
    mem_free(b->gone);
    mem_free(b->gone_ticks);
    mem_free(b->items);
    mem_free(b->rows);
}

static void complain(struct router *router, const struct err *why)
{
    static struct log_rate rate;
    struct world *world = router->options.world;
    if (log_allowed(&rate, world->mono_ns(world)))
        log_error("posted alerts not written; a restart may lose what has changed since", LOG_ERR(why));
}

int keep_write(struct router *router, uint64_t posts, struct err *err)
{
    struct keeping *k = &router->keeping;
    struct err why = {0};
    int rc = 0;
    if (router->options.state == NULL)
        return 0;
    lock_take(&k->lock);
    for (bool more = true; more && rc == 0;) {
        struct batch b = {0};
        more = take(router, posts, &b);
        if (more) {
            rc = state_posted_put(router->options.state, &b.news, &why);
            settle(router, &b, rc == 0);
        }
    }
    lock_drop(&k->lock);
    if (rc == 0)
        return 0;
    complain(router, &why);
    return err_set(err, rc, "%s", why.text);
}

int64_t keep_run(struct router *router, int64_t now_ns)
{
    struct keeping *k = &router->keeping;
    struct err why = {0};
    int rc = keep_write(router, UINT64_MAX, NULL);
    lock_take(&router->lock);
    bool sync = k->sync_ns != 0 && now_ns >= k->sync_ns;
    if (sync)
        k->sync_ns = 0;
    int64_t next_ns = k->sync_ns != 0 ? k->sync_ns : INT64_MAX;
    lock_drop(&router->lock);
    if (sync && state_sync(router->options.state, &why) != 0)
        complain(router, &why);
    return rc == 0 ? next_ns : now_ns + RETRY_NS;
}

/* ---- reading what an earlier process kept ---- */

struct loading {
    struct router *router;
    int64_t now_ns;
    size_t unknown; /* alerts that found no room */
};

static void load_tick(void *context, const struct tick_row *row)
{
    struct loading *loading = context;
    struct keeping *k = &loading->router->keeping;
    struct recalled *r = mem_new(1, sizeof *r + row->key.n + row->receiver.n);
    char *text = (char *)(r + 1);
    memcpy(text, row->key.p, row->key.n);
    memcpy(text + row->key.n, row->receiver.p, row->receiver.n);
    *r = (struct recalled){.key = {text, row->key.n},
                           .receiver = {text + row->key.n, row->receiver.n},
                           .id = row->id,
                           .next_ns = row->next_ns};
    map_add(&k->recalled, recalled_hash(r->key, r->receiver), r);
    k->last_tick_id = row->id;
}

/* Its sender could not be heard until now. */
static void give_time(struct alert_event *event, int64_t now_ns)
{
    int64_t lasts_ns = event->ends_ns - event->updated_ns;
    int64_t least_ns = now_ns + grace_of(lasts_ns);
    if (lasts_ns > 0 && event->ends_ns < least_ns)
        event->ends_ns = least_ns;
}

static void load_alert(void *context, const struct posted_row *row)
{
    struct loading *loading = context;
    struct router *router = loading->router;
    struct keeping *k = &router->keeping;
    struct alert_event event = *row->event;
    int64_t since_ns = row->since_ns < loading->now_ns ? row->since_ns : loading->now_ns;
    k->last_id = row->id;
    give_time(&event, loading->now_ns);
    struct alert *alert = router_store(router, &event, false, loading->now_ns);
    if (alert == NULL) {
        loading->unknown++;
        return;
    }
    keep_forget(router, alert); /* an older row with the same labels */
    alert->kept.id = row->id;
    alert->kept.since_ns = since_ns;
    alert->kept.ends_ns = row->event->ends_ns;
    alert->kept.lasts_ns = row->event->ends_ns - row->event->updated_ns;
    alert->kept.over = alert->kept.lasts_ns <= 0;
    names_note(router, alert->fact, loading->now_ns);
    trail_came(router, alert, loading->now_ns);
    if (!alert->kept.over)
        router_route_alert(router, alert, since_ns, loading->now_ns);
    else
        router_route_ended(router, alert, since_ns, loading->now_ns);
    if (alert->kept.over && alert->groups == 0)
        keep_forget(router, alert);
}

int keeping_load(struct router *router, int64_t now_ns, struct err *err)
{
    struct loading loading = {.router = router, .now_ns = now_ns};
    struct state *state = router->options.state;
    if (state == NULL)
        return 0;
    lock_take(&router->lock);
    int rc = state_ticks_each(state, load_tick, &loading, err);
    if (rc == 0)
        rc = state_posted_each(state, load_alert, &loading, err);
    lock_drop(&router->lock);
    if (loading.unknown > 0)
        log_error("not all alerts of an earlier process are known: there is no room for them",
                  LOG_INT("count", (int64_t)loading.unknown));
    return rc;
}
