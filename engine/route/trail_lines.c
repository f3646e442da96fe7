#include "trail_view_priv.h"

/* Sorted by time; of equal ones the one that was added first. */
void trail_add_line(struct trail_asking *a, struct trail_line line)
{
    struct trail_alert *alert = a->alert;
    ARENA_GROW(a->arena, alert->lines, alert->line_count, a->line_capacity);
    a->full = a->full || alert->lines == NULL;
    if (a->full)
        return;
    size_t at = alert->line_count++;
    while (at > 0 && alert->lines[at - 1].at_ns > line.at_ns) {
        alert->lines[at] = alert->lines[at - 1];
        at--;
    }
    alert->lines[at] = line;
}

static struct str keep(struct trail_asking *a, struct str text)
{
    struct str copy = str_copy(a->arena, text);
    a->full = a->full || copy.p == NULL;
    return copy;
}

/* All that is said about one group begins so. */
static struct trail_line line_of(struct trail_asking *a, const struct trail_group *group)
{
    struct str key = keep(a, group->key);
    return (struct trail_line){.receiver = keep(a, group->receiver),
                               .group = key,
                               .route = {key.p, a->full ? 0 : group->route_bytes}};
}

/* ---- what is the alert's own ---- */

static void tell_joined(struct trail_asking *a, const struct trail_member *member, struct trail_line line)
{
    bool waits = member->waits_ns > member->joined_ns;
    line.at_ns = member->joined_ns;
    line.what = "matched";
    line.until_ns = waits ? member->waits_ns : 0;
    line.detail = STR("flushed at once");
    if (waits)
        line.detail = member->waits_interval ? STR("waits for group_interval") : STR("waits for group_wait");
    trail_add_line(a, line);
}

static bool same_hold(const struct trail_held *x, const struct trail_held *y)
{
    return x->mute == y->mute &&
           str_eq(str_of(x->causes != NULL ? x->causes : ""), str_of(y->causes != NULL ? y->causes : ""));
}

static void tell_end(struct trail_asking *a, const struct trail_held *held, struct trail_line line)
{
    line.at_ns = held->at_ns;
    line.what = held->ended ? "ended" : "fires";
    line.detail = held->ended ? STR("it has ended") : STR("it fires again");
    trail_add_line(a, line);
}

static void tell_hold(struct trail_asking *a, const struct trail_held *held, struct trail_line line)
{
    line.at_ns = held->at_ns;
    line.what = "free";
    line.detail = STR("nothing keeps it quiet any more");
    if (held->mute != MUTE_none) {
        struct trail_hold hold =
            trail_describe_hold(a, held->mute, str_of(held->causes != NULL ? held->causes : ""));
        line.what = "held";
        line.by = hold.by;
        line.detail = hold.text;
        line.causes = hold.causes;
        line.cause_count = hold.count;
        line.until_ns = hold.until_ns;
    }
    trail_add_line(a, line);
}

static void tell_held(struct trail_asking *a, const struct trail_member *member, struct trail_line line)
{
    struct trail_held before = {.mute = MUTE_none};
    for (size_t i = 0; i < member->held_count; i++) {
        const struct trail_held *held = &member->held[i];
        if (held->ended != before.ended)
            tell_end(a, held, line);
        if (!same_hold(held, &before))
            tell_hold(a, held, line);
        before = *held;
    }
}

static void tell_left(struct trail_asking *a, const struct trail_member *member, struct trail_line line)
{
    const struct trail_group *group = member->group;
    bool moved = member->left == 0;
    if (moved && group->ended == 0)
        return;
    line.at_ns = moved ? group->ended_ns : member->left_ns;
    line.what = "left";
    line.detail = moved ? STR("its group is over: a reload routes it elsewhere")
                        : STR("it leaves its group: nothing is left to tell");
    trail_add_line(a, line);
}

/* ---- what its group has done ---- */

static struct str quiet_words(struct trail_asking *a, const struct trail_event *event, bool ended)
{
    struct buf text;
    if (event->said_ns == 0)
        return STR("nothing to tell: it had not heard that this fires");
    if (ended && !event->send_resolved)
        return STR("its end is not told: send_resolved is false");
    buf_init(&text, 256);
    buf_puts(&text, "nothing new since what it was told at ");
    trail_time_print(&text, event->said_ns, a->now_ns);
    struct str copy = keep(a, buf_slice(&text));
    buf_release(&text);
    return copy;
}

static struct str sent_words(struct trail_asking *a, const struct trail_event *event, bool ended)
{
    bool more = event->detail != NULL;
    const char *text =
        arena_format(a->arena, "%s: %.*s%s%s", ended ? "resolved" : "firing",
                     STR_ARG(dedup_reason_text(event->reason)), more ? "; " : "", more ? event->detail : "");
    a->full = a->full || text == NULL;
    return text != NULL ? str_of(text) : STR("");
}

static void tell_event(struct trail_asking *a, const struct trail_event *event, bool ended,
                       struct trail_line line)
{
    static const char *const whats[] = {
        [TRAIL_SENT] = "sent",     [TRAIL_RETRYING] = "retrying", [TRAIL_FAILED] = "failed",
        [TRAIL_UNSENT] = "unsent", [TRAIL_QUIET] = "quiet",       [TRAIL_NOBODY] = "nobody"};
    line.at_ns = event->at_ns;
    line.last_ns = event->last_ns > event->at_ns ? event->last_ns : 0;
    line.until_ns = event->until_ns;
    line.flushes = event->flushes;
    line.what = whats[event->kind];
    line.integration = event->integration;
    line.number = event->number;
    line.status = event->status;
    line.attempt = event->attempt;
    if (event->kind == TRAIL_SENT)
        line.detail = sent_words(a, event, ended);
    else if (event->kind == TRAIL_QUIET)
        line.detail = quiet_words(a, event, ended);
    else if (event->kind == TRAIL_UNSENT)
        line.detail = STR("its end is not told: send_resolved is false");
    else if (event->kind == TRAIL_NOBODY)
        line.detail = STR("it has no integrations, nobody is told");
    else
        line.detail = keep(a, str_of(event->detail != NULL ? event->detail : "no answer"));
    trail_add_line(a, line);
}

/* ---- what the notification log knows ---- */

static void tell_logged(struct trail_asking *a, const struct trail *trail, const struct group *group,
                        const struct integration *integration, struct trail_line line)
{
    const struct dedup_told *told = group_told(a->router, group, integration, a->now_ns);
    uint64_t hash = trail->alert->fact->hash;
    if (told == NULL)
        return;
    line.integration = integration_name(integration);
    line.number = (uint32_t)integration->index;
    line.at_ns = told->sent_ns != 0 ? told->sent_ns : a->now_ns;
    if (hash_set_has(&told->firing, hash) && told->sent_ns != 0 &&
        told->sent_ns < a->router->trails.since_ns) {
        line.what = "sent";
        line.detail = STR("firing: says the notification log, of an earlier process");
        trail_add_line(a, line);
    }
    line.at_ns = a->now_ns;
    if (hash_set_has(&told->owed, hash)) {
        line.what = "owed";
        line.detail = STR("its end is still to be told (contract opened_is_closed)");
        trail_add_line(a, line);
    }
    if (hash_set_has(&told->missed, hash)) {
        line.what = "missed";
        line.detail = STR("told in vain so far; if it ends it is told late (contract no_lost_page)");
        trail_add_line(a, line);
    }
}

void trail_tell_member(struct trail_asking *a, const struct trail *trail, const struct trail_member *member)
{
    const struct trail_group *group = member->group;
    const struct group *now = trail_group_now(trail, member);
    struct trail_line line = line_of(a, group);
    tell_joined(a, member, line);
    tell_held(a, member, line);
    for (size_t i = 0; i < group->event_count; i++) {
        const struct trail_event *event = &group->events[i];
        if (trail_concerns(trail, member, event))
            tell_event(a, event, trail_held_at(member, event->flush).ended, line);
    }
    tell_left(a, member, line);
    for (size_t i = 0; now != NULL && i < now->route->receiver->integrations.count; i++)
        tell_logged(a, trail, now, now->route->receiver->integrations.items[i], line);
}

/* ---- the verdict ---- */

static struct trail_via *via_of(struct trail_story *story, const char *integration, uint32_t number)
{
    for (size_t i = 0; i < story->via_count; i++) {
        struct trail_via *via = &story->via[i];
        if (via->integration == integration && via->number == number)
            return via;
    }
    if (story->via_count == TRAIL_VIA_MAX)
        return NULL;
    story->via[story->via_count] = (struct trail_via){.integration = integration, .number = number};
    return &story->via[story->via_count++];
}

static void take_event(struct trail_story *story, const struct trail_event *event, bool ended)
{
    story->nobody = event->kind == TRAIL_NOBODY;
    struct trail_via *via =
        event->kind <= TRAIL_FAILED ? via_of(story, event->integration, event->number) : NULL;
    if (via == NULL)
        return;
    via->trouble = event->kind != TRAIL_SENT ? event : NULL;
    if (event->kind != TRAIL_SENT)
        return;
    via->told = ended ? via->told : event;
    via->told_end = ended ? event : NULL;
}

static void take_logged(struct trail_asking *a, struct trail_story *story, const struct trail *trail,
                        const struct group *group)
{
    for (size_t i = 0; i < group->route->receiver->integrations.count; i++) {
        const struct integration *integration = group->route->receiver->integrations.items[i];
        const struct dedup_told *told = group_told(a->router, group, integration, a->now_ns);
        if (told == NULL || told->sent_ns == 0 || told->sent_ns >= a->router->trails.since_ns ||
            !hash_set_has(&told->firing, trail->alert->fact->hash))
            continue;
        struct trail_via *via = via_of(story, integration_name(integration), (uint32_t)integration->index);
        if (via != NULL && via->told == NULL)
            via->logged_ns = told->sent_ns;
    }
}

/* Only what is changed under the lock is looked at. */
static bool is_under_way(const struct group *group, const struct trail_member *member)
{
    const struct flush *flush = group->flush;
    for (size_t i = 0; flush != NULL && i < flush->delivery_count; i++) {
        if (!flush->deliveries[i].ended && member->joined <= member->group->flush)
            return true;
    }
    return false;
}

static struct trail_story story_of(struct trail_asking *a, const struct trail *trail,
                                   const struct trail_member *member, const struct group *now)
{
    const struct trail_group *group = member->group;
    struct trail_story story = {.receiver = group->receiver,
                                .now_ns = a->now_ns,
                                .waits_ns = now != NULL ? now->timer.at_ns : member->waits_ns,
                                .waits_interval = member->waits_interval,
                                .flushed = group->flush >= member->joined,
                                .open = now != NULL,
                                .under_way = now != NULL && is_under_way(now, member),
                                .resolved = trail->alert == NULL ||
                                            alert_is_resolved(trail->alert->fact->event, a->now_ns)};
    for (size_t i = 0; i < group->event_count; i++) {
        const struct trail_event *event = &group->events[i];
        if (trail_concerns(trail, member, event))
            take_event(&story, event, trail_held_at(member, event->flush).ended);
    }
    if (now != NULL)
        take_logged(a, &story, trail, now);
    struct trail_held held = trail_held_at(member, UINT64_MAX);
    if (story.flushed)
        story.hold = trail_describe_hold(a, held.mute, str_of(held.causes != NULL ? held.causes : "")).text;
    else if (now != NULL)
        story.hold = trail_hold_at(a, now, trail->alert, now->timer.at_ns).text;
    return story;
}

/* ---- what comes next ---- */

static void add_next(struct trail_asking *a, struct trail_next next)
{
    struct trail_alert *alert = a->alert;
    ARENA_GROW(a->arena, alert->next, alert->next_count, a->next_capacity);
    a->full = a->full || alert->next == NULL;
    if (!a->full)
        alert->next[alert->next_count++] = next;
}

static const char *words_of(struct arena *arena, const struct delivery *d)
{
    const char *name = integration_name(d->integration);
    if (d->digest_ns != 0)
        return arena_format(arena, "a digest via %s, for there is a storm of pages", name);
    if (timer_is_set(&d->timer))
        return arena_format(arena, "another attempt via %s", name);
    return arena_format(arena, "the answer of %s is waited for", name);
}

static void tell_deliveries(struct trail_asking *a, const struct group *group, struct trail_next next)
{
    const struct flush *flush = group->flush;
    for (size_t i = 0; flush != NULL && i < flush->delivery_count; i++) {
        const struct delivery *d = &flush->deliveries[i];
        if (d->ended)
            continue;
        const char *text = words_of(a->arena, d);
        next.at_ns = d->digest_ns != 0         ? d->digest_ns
                     : timer_is_set(&d->timer) ? d->timer.at_ns
                                               : flush->deadline_ns;
        next.text = text != NULL ? str_of(text) : STR("");
        add_next(a, next);
    }
}

static bool all_heard(struct trail_asking *a, const struct group *group, uint64_t hash, int64_t *repeat_ns)
{
    const struct integrations *all = &group->route->receiver->integrations;
    *repeat_ns = INT64_MAX;
    for (size_t i = 0; i < all->count; i++) {
        const struct dedup_told *told = group_told(a->router, group, all->items[i], a->now_ns);
        if (told == NULL || told->sent_ns == 0 || !hash_set_has(&told->firing, hash))
            return false;
        int64_t due_ns = told->sent_ns + group->route->repeat_interval_ms * NS_PER_MS;
        *repeat_ns = due_ns < *repeat_ns ? due_ns : *repeat_ns;
    }
    return all->count > 0;
}

static struct str flush_words(struct trail_asking *a, const struct group *group, struct alert *alert)
{
    int64_t repeat_ns;
    struct trail_hold hold = trail_hold_at(a, group, alert, group->timer.at_ns);
    bool resolved = alert_is_resolved(alert->fact->event, a->now_ns);
    bool heard = all_heard(a, group, alert->fact->hash, &repeat_ns);
    struct buf text;
    buf_init(&text, 1 << 16);
    if (hold.text.n > 0)
        buf_format(&text, "the group is flushed, this alert stays quiet: %.*s", STR_ARG(hold.text));
    else if (group->route->receiver->integrations.count == 0)
        buf_puts(&text, "the group is flushed; the receiver has no integrations");
    else if (resolved)
        buf_puts(&text, heard ? "its end is told" : "the group is flushed, this alert has ended");
    else if (!heard)
        buf_puts(&text, "it is told");
    else if (repeat_ns < group->timer.at_ns)
        buf_puts(&text, "it is told again, for its repeat_interval");
    else
        buf_puts(&text, "the group is flushed; this alert is no news");
    if (hold.text.n == 0 && !resolved && heard && repeat_ns >= group->timer.at_ns) {
        buf_puts(&text, " until its repeat at ");
        trail_time_print(&text, repeat_ns, a->now_ns);
    }
    struct str copy = keep(a, buf_slice(&text));
    buf_release(&text);
    return copy;
}

static void tell_next(struct trail_asking *a, const struct trail *trail, const struct trail_member *member,
                      const struct group *group)
{
    struct trail_next next = {.receiver = keep(a, member->group->receiver), .group = keep(a, group->key)};
    if (member->joined <= member->group->flush)
        tell_deliveries(a, group, next);
    if (!timer_is_set(&group->timer))
        return;
    next.at_ns = group->timer.at_ns;
    next.text = flush_words(a, group, trail->alert);
    add_next(a, next);
}

void trail_judge_member(struct trail_asking *a, const struct trail *trail, const struct trail_member *member)
{
    struct trail_alert *alert = a->alert;
    const struct group *now = trail_group_now(trail, member);
    struct trail_story story = story_of(a, trail, member, now);
    struct buf text;
    ARENA_GROW(a->arena, alert->verdicts, alert->verdict_count, a->verdict_capacity);
    a->full = a->full || alert->verdicts == NULL;
    if (a->full)
        return;
    buf_init(&text, 1 << 16);
    trail_story_print(&text, &story);
    alert->verdicts[alert->verdict_count++] = (struct trail_verdict){.receiver = keep(a, story.receiver),
                                                                     .group = keep(a, member->group->key),
                                                                     .paged = trail_story_paged(&story),
                                                                     .text = keep(a, buf_slice(&text))};
    buf_release(&text);
    if (now != NULL)
        tell_next(a, trail, member, now);
}
