#include "router_priv.h"
#include "trail_priv.h"

#include "tocsin/mem.h"

#include <inttypes.h>

void trail_came(struct router *router, struct alert *alert, int64_t now_ns)
{
    if (alert->trail != NULL)
        return;
    trail_make(&router->trails, alert, now_ns);
    trails_trim(&router->trails);
}

/* ---- groups ---- */

static struct trail_member *member_of(struct router *router, struct group *group, struct alert *alert,
                                      int64_t now_ns)
{
    struct trails *trails = &router->trails;
    struct trail *trail = alert->trail != NULL ? alert->trail : trail_make(trails, alert, now_ns);
    if (group->trail == NULL)
        group->trail = trail_group_make(trails, group);
    struct trail_member *member = trail_find_member(trail, group->trail);
    if (member != NULL)
        return member;
    member = trail_add_member(trails, trail, group->trail);
    member->joined = group->trail->changed = ++trails->order;
    member->joined_ns = now_ns;
    member->waits_ns = group->tick_waits ? now_ns : group->timer.at_ns;
    member->waits_interval = group->flushed;
    trail_freshen(trails, trail);
    return member;
}

void trail_joined(struct router *router, struct group *group, struct alert *alert, int64_t now_ns)
{
    if (router->trails.regrouping)
        return;
    member_of(router, group, alert, now_ns);
    trails_trim(&router->trails);
}

void trail_left(struct router *router, struct group *group, struct alert *alert, int64_t now_ns)
{
    struct trail_member *member = alert->trail != NULL ? trail_find_member(alert->trail, group->trail) : NULL;
    if (member == NULL)
        return;
    member->left = group->trail->changed = ++router->trails.order;
    member->left_ns = now_ns;
}

void trail_gone(struct router *router, struct alert *alert)
{
    if (alert->trail == NULL)
        return;
    trail_retire(&router->trails, alert->trail);
    trails_trim(&router->trails);
}

void trail_group_ended(struct router *router, struct group *group)
{
    struct world *world = router->options.world;
    if (group->trail == NULL)
        return;
    group->trail->group = NULL;
    group->trail->ended = ++router->trails.order;
    group->trail->ended_ns = world->wall_ns(world);
}

void trail_group_freed(struct group *group)
{
    if (group->trail == NULL)
        return;
    group->trail->group = NULL;
    trail_group_drop(group->trail);
}

void trail_inherit(struct group *heir, struct group *old)
{
    heir->trail = old->trail;
    old->trail = NULL;
    if (heir->trail == NULL)
        return;
    heir->trail->group = heir;
    heir->trail->repeat_ms = heir->route->repeat_interval_ms;
}

void trail_regroup(struct router *router, bool begins, int64_t now_ns)
{
    struct group *group;
    router->trails.regrouping = begins;
    for (size_t at = 0; !begins && (group = map_next(&router->groups, &at)) != NULL;) {
        struct alert *alert;
        for (size_t k = 0; (alert = map_next(&group->members, &k)) != NULL;)
            trail_joined(router, group, alert, now_ns);
    }
}

/* ---- flushes ---- */

/* One a line. */
struct causes {
    struct buf text;
    size_t count;
};

static bool next_cause(struct causes *causes)
{
    if (causes->count == TRAIL_CAUSES_MAX)
        return false;
    buf_puts(&causes->text, causes->count++ > 0 ? "\n" : "");
    return true;
}

static void add_text(void *context, struct str text)
{
    struct causes *causes = context;
    if (next_cause(causes))
        buf_str(&causes->text, text);
}

static bool add_alert(void *context, const struct alert *source)
{
    struct causes *causes = context;
    if (!next_cause(causes))
        return false;
    buf_format(&causes->text, "%016" PRIx64, source->fact->fingerprint);
    return true;
}

void trail_find_causes(struct router *router, struct alert *alert, unsigned mute, int64_t at_ns,
                       struct buf *out)
{
    const struct labels *ls = alert->fact->event->labels;
    struct causes causes = {.text = *out};
    if (mute == MUTE_inhibition)
        inhibitor_each(&router->inhibitor, ls, at_ns, add_alert, &causes);
    if (mute == MUTE_silence)
        silences_each(router->silences, &alert->silenced, ls, at_ns, add_text, &causes);
    *out = causes.text;
}

static void find_intervals(const struct group *group, struct buf *out)
{
    struct causes causes = {.text = *out};
    for (size_t i = 0; i < group->muted_count; i++)
        add_text(&causes, group->muted_by[i]);
    *out = causes.text;
}

static bool is_news(const struct trail_member *member, const struct flush_item *item, struct str causes)
{
    struct trail_held last = trail_held_at(member, UINT64_MAX);
    return last.mute != item->muted || last.ended != item->resolved ||
           !str_eq(str_of(last.causes != NULL ? last.causes : ""), causes);
}

static bool holds_fact(const void *item, const void *key)
{
    return ((const struct alert *)item)->fact == key;
}

static void note_item(struct router *router, struct group *group, const struct flush *flush,
                      const struct flush_item *item, struct buf *scratch)
{
    struct alert *alert = map_find(&group->members, item->fact->fingerprint, holds_fact, item->fact);
    struct trail_member *member = member_of(router, group, alert, flush->tick_ns);
    buf_clear(scratch);
    trail_find_causes(router, alert, item->muted, flush->tick_ns, scratch);
    if (item->muted == MUTE_mute_time_interval || item->muted == MUTE_active_time_interval)
        find_intervals(group, scratch);
    if (is_news(member, item, buf_slice(scratch))) {
        const struct trail_held held = {.order = group->trail->flush,
                                        .at_ns = flush->tick_ns,
                                        .mute = (uint8_t)item->muted,
                                        .ended = item->resolved};
        trail_add_held(&router->trails, member, held, buf_slice(scratch));
        group->trail->changed = held.order;
        trail_freshen(&router->trails, alert->trail);
    }
}

/* Those that nothing holds have nothing of their own to note, unless something held them before. */
static void note_items(struct router *router, struct group *group, const struct flush *flush)
{
    size_t odd = 0, before = group->trail->odd;
    struct buf scratch;
    for (size_t i = 0; i < flush->count; i++)
        odd += flush->items[i].muted != MUTE_none || flush->items[i].resolved;
    group->trail->odd = odd;
    if (odd == 0 && before == 0)
        return;
    buf_init(&scratch, 1 << 14);
    for (size_t i = 0; i < flush->count; i++)
        note_item(router, group, flush, &flush->items[i], &scratch);
    buf_release(&scratch);
}

static struct trail_event *last_event(struct trail_group *trail, const char *integration, uint32_t number)
{
    for (size_t i = trail->event_count; i > 0; i--) {
        struct trail_event *event = &trail->events[i - 1];
        if (event->integration == integration && event->number == number)
            return event;
    }
    return NULL;
}

static struct trail_event *new_event(struct trail_group *trail, enum trail_event_kind kind,
                                     const struct delivery *d, int64_t at_ns)
{
    struct trail_event *event = trail_add_event(trail);
    if (event == NULL)
        return NULL;
    event->kind = (uint8_t)kind;
    event->at_ns = event->last_ns = at_ns;
    if (d == NULL)
        return event;
    event->integration = integration_name(d->integration);
    event->number = (uint32_t)d->integration->index;
    event->send_resolved = d->integration->send_resolved;
    return event;
}

static struct trail_event *last_of(struct trail_group *trail, const struct delivery *d)
{
    return last_event(trail, d != NULL ? integration_name(d->integration) : NULL,
                      d != NULL ? (uint32_t)d->integration->index : 0);
}

/* What is said of the same alerts again is said once. */
static struct trail_event *same_or_new(struct trail_group *trail, enum trail_event_kind kind,
                                       const struct delivery *d, int64_t at_ns)
{
    struct trail_event *event = last_of(trail, d);
    if (event == NULL || event->kind != kind || trail->changed > event->flush)
        return new_event(trail, kind, d, at_ns);
    event->flushes++;
    event->last_ns = at_ns;
    return event;
}

void trail_flushed(struct router *router, struct group *group, struct flush *flush)
{
    struct trail_group *trail = group->trail;
    if (trail == NULL)
        return;
    trail->flush = ++router->trails.order;
    note_items(router, group, flush);
    if (group->route->receiver->integrations.count == 0)
        same_or_new(trail, TRAIL_NOBODY, NULL, flush->tick_ns);
    trails_trim(&router->trails);
}

void trail_untold(struct router *router, const struct delivery *d, const struct dedup_told *told)
{
    struct trail_group *trail = d->flush->group->trail;
    if (trail == NULL || d->note.firing.count + d->note.resolved.count == 0)
        return;
    struct trail_event *event = same_or_new(trail, TRAIL_QUIET, d, d->flush->tick_ns);
    if (event == NULL)
        return;
    bool heard = told != NULL && d->note.firing.count > 0;
    event->said_ns = heard ? told->sent_ns : 0;
    event->until_ns = heard ? told->sent_ns + trail->repeat_ms * NS_PER_MS : 0;
    trails_trim(&router->trails);
}

/* Who was told although what is held, and what has ended, would not be. */
static void note_also(struct trail_group *trail, struct trail_event *event, const struct delivery *d)
{
    uint64_t *also = trail->odd > 0 ? mem_new(d->batch_count + 1, sizeof *also) : NULL;
    size_t count = 0;
    for (size_t i = 0; also != NULL && i < d->batch_count; i++) {
        const struct flush_item *item = d->batch[i];
        if (item->muted != MUTE_none || (item->resolved && !d->integration->send_resolved))
            also[count++] = item->fact->fingerprint;
    }
    trail_set_also(trail, event, also, count);
    mem_free(also);
}

/* Attempts of one flush are one event, until it is taken or given up. */
static struct trail_event *event_of_try(struct trail_group *trail, const struct delivery *d,
                                        enum trail_event_kind kind, int64_t now_ns)
{
    struct trail_event *last = last_of(trail, d);
    if (kind == TRAIL_UNSENT)
        return same_or_new(trail, kind, d, now_ns);
    if (kind != TRAIL_SENT && last != NULL && last->kind == TRAIL_RETRYING && last->flush == trail->flush) {
        last->kind = (uint8_t)kind;
        last->last_ns = now_ns;
        return last;
    }
    struct trail_event *event = new_event(trail, kind, d, now_ns);
    if (event != NULL)
        note_also(trail, event, d);
    return event;
}

static bool fails_alike(const struct trail_event *x, const struct trail_event *y)
{
    return x->status == y->status && x->reason == y->reason && x->also_count == 0 && y->also_count == 0 &&
           str_eq(str_of(x->detail != NULL ? x->detail : ""), str_of(y->detail != NULL ? y->detail : ""));
}

/* A receiver that is away for long has one event, not one a flush. */
static void join_failures(struct trail_group *trail, const struct delivery *d)
{
    struct trail_event *last = last_of(trail, d);
    uint32_t count = trail->event_count;
    trail->event_count = (uint32_t)(last - trail->events);
    struct trail_event *before = last_of(trail, d);
    trail->event_count = count;
    if (before == NULL || before->kind != TRAIL_FAILED || trail->changed > before->flush ||
        !fails_alike(before, last))
        return;
    before->flushes += last->flushes;
    before->attempt += last->attempt;
    before->last_ns = last->last_ns;
    trail_forget_event(trail, last);
}

static void note_try(struct router *router, const struct delivery *d, int status, const char *detail,
                     enum page_outcome outcome, int64_t now_ns)
{
    static const enum trail_event_kind kinds[] = {[PAGE_DELIVERED] = TRAIL_SENT,
                                                  [PAGE_RETRYING] = TRAIL_RETRYING,
                                                  [PAGE_FAILED] = TRAIL_FAILED,
                                                  [PAGE_UNSENT] = TRAIL_UNSENT};
    struct trail_group *trail = d->flush->group->trail;
    struct trail_event *event = trail != NULL ? event_of_try(trail, d, kinds[outcome], now_ns) : NULL;
    if (event == NULL)
        return;
    event->reason = (uint8_t)d->reason;
    event->status = status;
    event->attempt = d->attempt;
    event->until_ns = outcome == PAGE_RETRYING ? d->timer.at_ns : 0;
    trail_set_detail(trail, event, str_of(detail));
    if (outcome == PAGE_FAILED)
        join_failures(trail, d);
    trails_trim(&router->trails);
}

void trail_tried(struct router *router, const struct delivery *d, int status, const char *detail,
                 enum page_outcome outcome, int64_t now_ns)
{
    lock_take(&router->lock);
    note_try(router, d, status, detail, outcome, now_ns);
    lock_drop(&router->lock);
}

void trail_gave_up(struct router *router, const struct delivery *d, int64_t now_ns)
{
    lock_take(&router->lock);
    struct trail_group *trail = d->flush->group->trail;
    struct trail_event *last = trail != NULL ? last_of(trail, d) : NULL;
    if (last != NULL && last->kind == TRAIL_RETRYING) {
        last->kind = TRAIL_FAILED;
        last->last_ns = now_ns;
        last->until_ns = 0;
    }
    lock_drop(&router->lock);
}
