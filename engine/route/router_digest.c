#include "digest_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/stat.h"

#define MINUTE_NS (60 * NS_PER_S)

/* How long after a start senders may take to tell of what fires: before nothing is over. */
#define SETTLING_NS (5 * MINUTE_NS)

/* A digest may take as long as the groups in it, but not less than this. */
#define DIGEST_MIN_NS (60 * NS_PER_S)

/* {}/storm:{receiver="pager"}: no route's key looks like this, as what stands behind a slash there is in braces. */
#define KEY_BEGINS "{}/storm:{receiver="

/* ---- settings ---- */

void digests_init(struct router *router, int64_t now_ns)
{
    struct digests *digests = &router->digests;
    arena_init(&digests->arena, (size_t)limits.generation_arena_bytes);
    map_init(&digests->storms);
    digests->sweep_ns = now_ns + SETTLING_NS;
    digests->open = nflog_has_prefix(&router->nflog, STR(KEY_BEGINS));
}

static void forget_never(struct digests *digests)
{
    for (size_t i = 0; i < digests->never_count; i++)
        for (size_t k = 0; k < digests->never[i].count; k++)
            matcher_release(&digests->never[i].items[k]);
    digests->never_count = 0;
    arena_release(&digests->arena);
    arena_init(&digests->arena, (size_t)limits.generation_arena_bytes);
}

int digests_set(struct digests *digests, const struct router_storm *storm, struct err *err)
{
    forget_never(digests);
    digests->pages_per_minute = storm->pages_per_minute;
    digests->never = ARENA_ARRAY(&digests->arena, struct storm_matchers, storm->never_count);
    for (size_t i = 0; i < storm->never_count; i++) {
        struct storm_matchers *ms = &digests->never[i];
        if (digests->never == NULL)
            return err_set(err, ERR_LIMIT, "too many matchers");
        int rc = am_matchers_parse(&digests->arena, storm->never[i], &ms->items, &ms->count, err);
        if (rc != 0)
            return rc;
        digests->never_count++;
    }
    return 0;
}

int router_set_storm(struct router *router, const struct router_storm *storm, struct err *err)
{
    lock_take(&router->lock);
    int rc = digests_set(&router->digests, storm, err);
    lock_drop(&router->lock);
    return rc;
}

/* ---- which deliveries wait ---- */

static const struct str mark_name = {"tocsin_digest", 13};

static bool has_mark(const struct labels *kept)
{
    return kept != NULL && labels_has(kept, mark_name);
}

/* In what the log keeps beside what was told. */
static void set_mark(struct delivery *d, bool on)
{
    struct arena scratch;
    if (has_mark(d->kept) == on)
        return;
    arena_init(&scratch, (size_t)limits.flush_arena_bytes);
    const struct labels *kept = d->kept != NULL ? d->kept : labels_empty(&scratch);
    const struct labels *next = labels_with(&scratch, kept, mark_name, on ? STR("1") : STR(""));
    struct labels *copy = next != NULL ? labels_copy_heap(next) : NULL;
    arena_release(&scratch);
    mem_free(d->kept);
    d->kept = copy;
}

static bool matches_one(const struct digests *digests, const struct labels *ls)
{
    for (size_t i = 0; i < digests->never_count; i++)
        if (matchers_match(digests->never[i].items, digests->never[i].count, ls))
            return true;
    return false;
}

static bool is_exempt(const struct digests *digests, const struct delivery *d)
{
    for (size_t i = 0; i < d->batch_count; i++)
        if (matches_one(digests, d->batch[i]->fact->event->labels))
            return true;
    return false;
}

static bool is_of(const void *item, const void *key)
{
    return ((const struct storm *)item)->integration == key;
}

static uint64_t storm_hash(const struct integration *integration)
{
    return hash_mix(1, (uint64_t)(uintptr_t)integration);
}

static struct storm *storm_of(struct router *router, const struct integration *integration)
{
    struct storm *storm = map_find(&router->digests.storms, storm_hash(integration), is_of, integration);
    if (storm != NULL)
        return storm;
    storm = MEM_NEW(struct storm);
    storm->timer.kind = TIMER_DIGEST;
    storm->integration = integration;
    storm->last = &storm->first;
    map_add(&router->digests.storms, storm_hash(integration), storm);
    return storm;
}

/* One more page of its own; false: the minute has had all that it may have. */
static bool count_page(struct storm *storm, int64_t most, int64_t now_ns)
{
    if (now_ns - storm->minute_ns >= MINUTE_NS || now_ns < storm->minute_ns) {
        storm->minute_ns = now_ns;
        storm->pages = 0;
    }
    return storm->pages++ < most;
}

/* Ends of what was paged by itself go by themselves: its incident, where the service has one, is closed by nothing else. */
static bool goes_alone(struct router *router, const struct delivery *d, struct storm *storm, int64_t now_ns)
{
    if (is_exempt(&router->digests, d))
        return true;
    if (has_mark(d->kept))
        return false;
    bool ends = d->note.firing.count == 0 && d->reason != DEDUP_LATE;
    return count_page(storm, router->digests.pages_per_minute, now_ns) || ends;
}

static void wait_in(struct router *router, struct storm *storm, struct delivery *d, int64_t now_ns)
{
    d->next_in_lane = NULL;
    *storm->last = d;
    storm->last = &d->next_in_lane;
    if (storm->waiting++ == 0)
        timer_set(&router->timers, &storm->timer, now_ns + DIGEST_GATHER_NS);
    d->digest_ns = storm->timer.at_ns;
}

bool digest_takes(struct router *router, struct delivery *d, int64_t now_ns)
{
    if (router->digests.pages_per_minute == 0 || d->alone || d->digest != NULL || d->attempt > 0 ||
        d->in_lane)
        return false;
    struct storm *storm = storm_of(router, d->integration);
    if (goes_alone(router, d, storm, now_ns)) {
        d->alone = true;
        set_mark(d, false);
        return false;
    }
    wait_in(router, storm, d, now_ns);
    return true;
}

/* ---- making one ---- */

static struct str make_key(struct str receiver)
{
    struct buf key;
    buf_init(&key, (size_t)limits.flush_arena_bytes);
    buf_puts(&key, KEY_BEGINS);
    go_quote(&key, receiver);
    buf_char(&key, '}');
    struct str copy = {mem_copy_text(buf_text(&key), key.used), key.used};
    buf_release(&key);
    return copy;
}

static struct flush *make_flush(struct digest *digest, struct generation *generation,
                                const struct am_route *route, int64_t now_ns)
{
    struct arena scratch;
    struct flush *flush = MEM_NEW(struct flush);
    arena_init(&scratch, (size_t)limits.flush_arena_bytes);
    struct labels *ls = labels_of(&scratch, "alertname", "AlertStorm", NULL);
    struct labels *both =
        ls != NULL ? labels_with(&scratch, ls, STR("receiver"), route->receiver->name) : NULL;
    flush->group = &digest->group;
    flush->key = make_key(route->receiver->name);
    flush->labels = labels_copy_heap(both != NULL ? both : labels_empty(&scratch));
    flush->route_labels = labels_copy_heap(labels_empty(&scratch));
    flush->generation = generation;
    generation->refs++;
    flush->route = route;
    flush->tick_ns = now_ns;
    flush->deadline_ns = now_ns + DIGEST_MIN_NS;
    flush->open = flush->delivery_count = 1;
    flush->deliveries = MEM_ARRAY(struct delivery, 1);
    arena_release(&scratch);
    return flush;
}

static struct digest *digest_make(struct router *router, const struct integration *integration,
                                  struct generation *generation, const struct am_route *route, int64_t now_ns)
{
    struct digest *digest = MEM_NEW(struct digest);
    digest->flush = make_flush(digest, generation, route, now_ns);
    digest->delivery = &digest->flush->deliveries[0];
    digest->delivery->timer.kind = TIMER_DELIVERY;
    digest->delivery->flush = digest->flush;
    digest->delivery->integration = integration;
    digest->delivery->digest = digest;
    digest->next = router->digests.first;
    router->digests.first = digest;
    return digest;
}

void digest_free(struct router *router, struct digest *digest)
{
    struct digest **at = &router->digests.first;
    while (*at != digest)
        at = &(*at)->next;
    *at = digest->next;
    flush_free(digest->flush);
    mem_free(digest->members);
    mem_free(digest);
}

/* ---- what it stands for ---- */

/* What the digests of an integration told of, and nobody has been told to have ended. */
static struct hash_set open_set(const struct router *router, const struct delivery *d, int64_t now_ns)
{
    static const struct dedup_told nothing;
    const struct dedup_told *told = delivery_told(router, d, now_ns);
    told = told != NULL ? told : &nothing;
    return hash_set_join(&told->firing, &told->owed);
}

/* Those of a set that fire now. */
static struct hash_set that_fire(const struct router *router, const struct hash_set *set, int64_t now_ns)
{
    struct hash_set alive = {.items = MEM_ARRAY(uint64_t, set->count + 1)};
    const struct alert *alert;
    for (size_t at = 0; set->count > 0 && (alert = map_next(&router->alerts, &at)) != NULL;)
        if (!alert_is_resolved(alert->fact->event, now_ns) && hash_set_has(set, alert->fact->hash))
            alive.items[alive.count++] = alert->fact->hash;
    hash_set_sort(&alive);
    return alive;
}

/* Alerts that the members tell of, as they are told. */
static struct hash_set told_by_members(const struct digest *digest, bool resolved)
{
    size_t most = 0;
    for (size_t i = 0; i < digest->count; i++)
        most += digest->members[i]->batch_count;
    struct hash_set set = {.items = MEM_ARRAY(uint64_t, most + 1)};
    for (size_t i = 0; i < digest->count; i++) {
        const struct delivery *member = digest->members[i];
        for (size_t k = 0; k < member->batch_count; k++)
            if (member->batch[k]->resolved == resolved)
                set.items[set.count++] = member->batch[k]->fact->hash;
    }
    hash_set_sort(&set);
    return set;
}

static enum dedup_reason reason_of(const struct digest *digest, const struct hash_set *before)
{
    const struct dedup_told *note = &digest->delivery->note;
    if (note->firing.count == 0)
        return before->count > 0 ? DEDUP_ALL_RESOLVED : DEDUP_LATE;
    if (!hash_set_within(&note->firing, before))
        return before->count == 0 ? DEDUP_FIRST : DEDUP_NEW_ALERTS;
    return note->resolved.count > 0 ? DEDUP_SOME_RESOLVED : DEDUP_REPEAT;
}

/* The only item of its batch. */
static void add_alert(struct router *router, struct digest *digest, const struct digest_sum *sum,
                      int64_t now_ns)
{
    struct flush *flush = digest->flush;
    struct delivery *d = digest->delivery;
    struct alert_event *event = digest_alert(router, digest, sum, now_ns);
    flush->items = MEM_ARRAY(struct flush_item, 1);
    flush->items[0] = (struct flush_item){fact_make(event, labels_fingerprint(event->labels), NULL),
                                          sum->standing == 0, MUTE_none};
    flush->count = 1;
    d->batch = MEM_ARRAY(const struct flush_item *, 1);
    d->batch[0] = &flush->items[0];
    bool wanted = d->integration->send_resolved || sum->standing > 0 || d->reason == DEDUP_LATE;
    d->batch_count = wanted ? 1 : 0;
    mem_free(event);
}

/* Its words, and what the log is to say. Then it is due. */
static void digest_fill(struct router *router, struct digest *digest, int64_t now_ns)
{
    struct delivery *d = digest->delivery;
    struct hash_set before = open_set(router, d, now_ns), alive = that_fire(router, &before, now_ns);
    struct hash_set new = told_by_members(digest, false);
    struct hash_set stood = hash_set_join(&alive, &new);
    d->note.resolved = told_by_members(digest, true);
    d->note.firing = hash_set_minus(&stood, &d->note.resolved);
    d->reason = reason_of(digest, &before);
    const struct digest_sum sum = {new.count, d->note.resolved.count, d->note.firing.count,
                                   router->digests.pages_per_minute};
    add_alert(router, digest, &sum, now_ns);
    hash_set_free(&before);
    hash_set_free(&alive);
    hash_set_free(&new);
    hash_set_free(&stood);
    timer_set(&router->timers, &d->timer, now_ns);
}

static void take_members(struct storm *storm, struct digest *digest)
{
    digest->members = MEM_ARRAY(struct delivery *, storm->waiting + 1);
    for (struct delivery *d = storm->first; d != NULL; d = d->next_in_lane) {
        const struct flush *flush = d->flush;
        int64_t end_ns = digest->flush->tick_ns + flush->route->group_interval_ms * NS_PER_MS;
        if (end_ns > digest->flush->deadline_ns)
            digest->flush->deadline_ns = end_ns;
        d->digest_ns = 0;
        digest->members[digest->count++] = d;
    }
    storm->first = NULL;
    storm->last = &storm->first;
    storm->waiting = 0;
}

/* One is no storm. */
static void send_alone(struct router *router, struct storm *storm, int64_t now_ns)
{
    struct delivery *d = storm->first;
    storm->first = NULL;
    storm->last = &storm->first;
    storm->waiting = 0;
    d->alone = true;
    d->digest_ns = 0;
    timer_set(&router->timers, &d->timer, now_ns);
}

/* One after the other: each begins with what the log says that the one before has told. A reload makes other integrations of the same. */
static bool is_under_way(const struct router *router, const struct am_receiver *receiver,
                         const struct integration *integration)
{
    for (const struct digest *other = router->digests.first; other != NULL; other = other->next) {
        const struct integration *its = other->delivery->integration;
        if (its->index == integration->index &&
            integration_kind_of(its) == integration_kind_of(integration) &&
            str_eq(other->flush->route->receiver->name, receiver->name))
            return true;
    }
    return false;
}

void digest_begin(struct router *router, struct storm *storm, int64_t now_ns)
{
    timer_clear(&router->timers, &storm->timer);
    if (is_under_way(router, storm->first->flush->route->receiver, storm->integration)) {
        timer_set(&router->timers, &storm->timer, now_ns + DIGEST_AGAIN_NS);
        return;
    }
    if (storm->waiting == 1 && !has_mark(storm->first->kept)) {
        send_alone(router, storm, now_ns);
        return;
    }
    const struct flush *first = storm->first->flush;
    struct digest *digest = digest_make(router, storm->integration, first->generation, first->route, now_ns);
    take_members(storm, digest);
    stat_add(STAT_digests, 1);
    stat_add(STAT_digest_groups, digest->count);
    log_warn("a storm of pages is told in one", LOG_STR("receiver", first->route->receiver->name),
             LOG_TEXT("integration", integration_name(storm->integration)), LOG_INT("groups", digest->count));
    digest_fill(router, digest, now_ns);
}

/* ---- how it ends ---- */

size_t digest_member_count(const struct digest *digest)
{
    return digest->count;
}

struct delivery *digest_member(const struct digest *digest, size_t i)
{
    return digest->members[i];
}

/* A group whose first page this was is told of in digests from now on. */
void digest_mark_told(struct router *router, struct digest *digest)
{
    router->digests.open = true;
    for (size_t i = 0; i < digest->count; i++)
        if (digest->members[i]->reason == DEDUP_FIRST)
            set_mark(digest->members[i], true);
}

void digest_scatter(struct router *router, struct digest *digest, int64_t now_ns)
{
    lock_take(&router->lock);
    for (size_t i = 0; i < digest->count; i++) {
        struct delivery *d = digest->members[i];
        d->alone = true;
        d->attempt = 0;
        set_mark(d, false);
        timer_set(&router->timers, &d->timer, now_ns);
    }
    digest->count = 0;
    lock_drop(&router->lock);
}

/* ---- now and then ---- */

static bool some_wait(const struct router *router, const struct integration *integration)
{
    const struct storm *storm =
        map_find(&router->digests.storms, storm_hash(integration), is_of, integration);
    return storm != NULL && storm->waiting > 0;
}

static const struct am_route *route_to(const struct am_route *route, const struct am_receiver *receiver)
{
    const struct am_route *found = route->receiver == receiver ? route : NULL;
    for (size_t i = 0; i < route->route_count && found == NULL; i++)
        found = route_to(&route->routes[i], receiver);
    return found;
}

/* What the storm of an integration stands for. */
static struct hash_set standing(const struct router *router, const struct am_route *route,
                                const struct integration *integration, int64_t now_ns)
{
    static const struct hash_set none;
    struct str key = make_key(route->receiver->name);
    struct group group = {.key = key, .route = route};
    const struct dedup_told *told = group_told(router, &group, integration, now_ns);
    mem_free((void *)(uintptr_t)key.p);
    return told != NULL ? hash_set_join(&told->firing, &told->owed) : hash_set_copy(&none);
}

/* Not all that a storm stood for ends in its digests: a reload routes it elsewhere, or it is told by itself again. */
static void close_if_over(struct router *router, const struct am_route *route,
                          const struct integration *integration, int64_t now_ns)
{
    struct hash_set open = standing(router, route, integration, now_ns);
    struct hash_set alive = that_fire(router, &open, now_ns);
    bool over = open.count > 0 && alive.count == 0;
    router->digests.open = router->digests.open || open.count > 0;
    hash_set_free(&open);
    hash_set_free(&alive);
    bool busy = some_wait(router, integration) || is_under_way(router, route->receiver, integration);
    if (over && !busy)
        digest_fill(router, digest_make(router, integration, router->generation, route, now_ns), now_ns);
}

static void drop_idle(struct router *router, int64_t now_ns)
{
    struct storm *storm, **idle = MEM_ARRAY(struct storm *, router->digests.storms.count + 1);
    size_t count = 0;
    for (size_t at = 0; (storm = map_next(&router->digests.storms, &at)) != NULL;)
        if (storm->waiting == 0 && now_ns - storm->minute_ns >= MINUTE_NS)
            idle[count++] = storm;
    for (size_t i = 0; i < count; i++) {
        timer_clear(&router->timers, &idle[i]->timer);
        map_remove(&router->digests.storms, storm_hash(idle[i]->integration), idle[i]);
        mem_free(idle[i]);
    }
    mem_free(idle);
}

void digests_sweep(struct router *router, int64_t now_ns)
{
    const struct amconfig *config = router->generation->config;
    if (now_ns < router->digests.sweep_ns)
        return;
    router->digests.sweep_ns = now_ns + MINUTE_NS;
    router->digests.open = false;
    drop_idle(router, now_ns);
    for (size_t i = 0; i < config->receiver_count; i++) {
        const struct integrations *list = &config->receivers[i].integrations;
        const struct am_route *route = route_to(&config->root, &config->receivers[i]);
        for (size_t k = 0; route != NULL && k < list->count; k++)
            close_if_over(router, route, list->items[k], now_ns);
    }
}

/* ---- the end ---- */

struct delivery *digests_take(struct router *router)
{
    struct storm *storm;
    for (size_t at = 0; (storm = map_next(&router->digests.storms, &at)) != NULL;) {
        struct delivery *d = storm->first;
        if (d == NULL)
            continue;
        storm->first = d->next_in_lane;
        return d;
    }
    for (struct digest *digest = router->digests.first; digest != NULL; digest = digest->next)
        if (digest->count > 0)
            return digest->members[--digest->count];
    return NULL;
}

void digests_release(struct router *router)
{
    struct storm *storm;
    while (router->digests.first != NULL)
        digest_free(router, router->digests.first);
    for (size_t at = 0; (storm = map_next(&router->digests.storms, &at)) != NULL;)
        mem_free(storm);
    map_release(&router->digests.storms);
    forget_never(&router->digests);
    arena_release(&router->digests.arena);
}
