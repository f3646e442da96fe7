#include "trail_priv.h"

#include "router_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"

/* What the heap adds to a piece, about. */
#define PIECE_BYTES 16

void trails_open(struct trails *trails, int64_t now_ns)
{
    *trails = (struct trails){.order = 1, .since_ns = now_ns};
    map_init(&trails->gone);
}

static size_t text_bytes(const char *text)
{
    return text != NULL ? strlen(text) + 1 + PIECE_BYTES : 0;
}

static void account(struct trails *trails, size_t more, size_t less)
{
    trails->bytes += more;
    trails->bytes -= less;
}

/* ---- groups ---- */

static size_t group_bytes(const struct trail_group *group)
{
    return sizeof *group + group->key.n + group->receiver.n + 2 * PIECE_BYTES;
}

struct trail_group *trail_group_make(struct trails *trails, const struct group *group)
{
    struct str key = group->key, receiver = group->route->receiver->name;
    struct trail_group *made = MEM_NEW(struct trail_group);
    char *text = mem_new(key.n + receiver.n + 1, 1);
    memcpy(text, key.p, key.n);
    memcpy(text + key.n, receiver.p, receiver.n);
    made->refs = 1;
    made->home = trails;
    made->group = group;
    made->key = (struct str){text, key.n};
    made->receiver = (struct str){text + key.n, receiver.n};
    made->route_bytes = group->route->key.n;
    made->repeat_ms = group->route->repeat_interval_ms;
    account(trails, group_bytes(made), 0);
    return made;
}

static void forget_event(struct trail_group *group, struct trail_event *event)
{
    account(group->home, 0, text_bytes(event->detail) + event->also_count * sizeof *event->also);
    mem_free(event->detail);
    mem_free(event->also);
}

void trail_forget_event(struct trail_group *group, struct trail_event *event)
{
    size_t behind = group->event_count - (size_t)(event - group->events) - 1;
    forget_event(group, event);
    memmove(event, event + 1, behind * sizeof *event);
    group->event_count--;
}

void trail_group_drop(struct trail_group *group)
{
    if (group == NULL || --group->refs > 0)
        return;
    for (size_t i = 0; i < group->event_count; i++)
        forget_event(group, &group->events[i]);
    account(group->home, 0, group_bytes(group) + group->event_capacity * sizeof *group->events);
    mem_free((void *)(uintptr_t)group->key.p);
    mem_free(group->events);
    mem_free(group);
}

static bool is_full(const struct trails *trails)
{
    return trails->bytes > (size_t)limits.trail_bytes;
}

/* Few groups have more than a few. */
static void grow_events(struct trail_group *group)
{
    uint32_t capacity = group->event_capacity > 0 ? 2 * group->event_capacity : 2;
    if (capacity > TRAIL_EVENTS_MAX)
        capacity = TRAIL_EVENTS_MAX;
    group->events = mem_resize(group->events, capacity, sizeof *group->events);
    account(group->home, (capacity - group->event_capacity) * sizeof *group->events, 0);
    group->event_capacity = capacity;
}

struct trail_event *trail_add_event(struct trail_group *group)
{
    if (group->event_count == TRAIL_EVENTS_MAX) {
        trail_forget_event(group, &group->events[0]);
    } else if (group->event_count == group->event_capacity) {
        trails_trim(group->home);
        if (is_full(group->home))
            return NULL;
        grow_events(group);
    }
    struct trail_event *event = &group->events[group->event_count++];
    *event = (struct trail_event){.flush = group->flush, .flushes = 1};
    return event;
}

void trail_set_detail(struct trail_group *group, struct trail_event *event, struct str detail)
{
    account(group->home, 0, text_bytes(event->detail));
    mem_free(event->detail);
    event->detail = detail.n > 0 ? mem_copy_text(detail.p, detail.n) : NULL;
    account(group->home, text_bytes(event->detail), 0);
}

void trail_set_also(struct trail_group *group, struct trail_event *event, const uint64_t *also, size_t count)
{
    event->also = count > 0 ? MEM_ARRAY(uint64_t, count) : NULL;
    event->also_count = (uint32_t)count;
    if (count > 0)
        memcpy(event->also, also, count * sizeof *also);
    account(group->home, count * sizeof *also, 0);
}

/* ---- alerts ---- */

static void forget_member(struct trails *trails, struct trail_member *member)
{
    for (size_t i = 0; i < member->held_count; i++) {
        account(trails, 0, text_bytes(member->held[i].causes));
        mem_free(member->held[i].causes);
    }
    account(trails, 0, sizeof *member + member->held_capacity * sizeof *member->held);
    mem_free(member->held);
    trail_group_drop(member->group);
}

static size_t labels_bytes(const struct labels *ls)
{
    size_t bytes = sizeof *ls + PIECE_BYTES;
    for (size_t i = 0; i < ls->count; i++)
        bytes += sizeof ls->item[i] + ls->item[i].name.n + ls->item[i].value.n;
    return bytes;
}

static size_t trail_bytes(const struct trail *trail)
{
    return sizeof *trail + 2 * PIECE_BYTES + (trail->labels != NULL ? labels_bytes(trail->labels) : 0);
}

static void unlink_trail(struct trails *trails, struct trail *trail)
{
    *(trail->older != NULL ? &trail->older->newer : &trails->oldest) = trail->newer;
    *(trail->newer != NULL ? &trail->newer->older : &trails->newest) = trail->older;
}

static void link_newest(struct trails *trails, struct trail *trail)
{
    trail->newer = NULL;
    trail->older = trails->newest;
    *(trails->newest != NULL ? &trails->newest->newer : &trails->oldest) = trail;
    trails->newest = trail;
}

void trail_freshen(struct trails *trails, struct trail *trail)
{
    if (trails->newest == trail)
        return;
    unlink_trail(trails, trail);
    link_newest(trails, trail);
}

static void forget(struct trails *trails, struct trail *trail)
{
    unlink_trail(trails, trail);
    if (trail->alert != NULL)
        trail->alert->trail = NULL;
    else
        map_remove(&trails->gone, trail->fingerprint, trail);
    for (size_t i = 0; i < trail->member_count; i++)
        forget_member(trails, &trail->members[i]);
    account(trails, 0, trail_bytes(trail));
    mem_free(trail->members);
    mem_free(trail->labels);
    mem_free(trail);
}

void trails_trim(struct trails *trails)
{
    while (is_full(trails) && trails->oldest != NULL) {
        limit_hit(LIMIT_trail_bytes);
        forget(trails, trails->oldest);
    }
}

void trails_close(struct trails *trails)
{
    while (trails->oldest != NULL)
        forget(trails, trails->oldest);
    map_release(&trails->gone);
}

static bool has_fingerprint(const void *item, const void *key)
{
    return ((const struct trail *)item)->fingerprint == *(const uint64_t *)key;
}

/* An alert that comes back goes on where it ended. */
static struct trail *take_back(struct trails *trails, struct alert *alert)
{
    uint64_t fingerprint = alert->fact->fingerprint;
    struct trail *trail = map_find(&trails->gone, fingerprint, has_fingerprint, &fingerprint);
    if (trail == NULL)
        return NULL;
    map_remove(&trails->gone, fingerprint, trail);
    account(trails, 0, labels_bytes(trail->labels));
    mem_free(trail->labels);
    trail->labels = NULL;
    return trail;
}

struct trail *trail_make(struct trails *trails, struct alert *alert, int64_t now_ns)
{
    struct trail *trail = take_back(trails, alert);
    if (trail == NULL) {
        trail = MEM_NEW(struct trail);
        trail->fingerprint = alert->fact->fingerprint;
        trail->came_ns = now_ns;
        trail->of_rule = alert->fact->event->of_rule;
        trail->resumed = alert->groups > 0;
        link_newest(trails, trail);
        account(trails, trail_bytes(trail), 0);
    }
    trail->alert = alert;
    alert->trail = trail;
    return trail;
}

void trail_retire(struct trails *trails, struct trail *trail)
{
    const struct alert_event *event = trail->alert->fact->event;
    trail->starts_ns = event->starts_ns;
    trail->ends_ns = event->ends_ns;
    trail->labels = labels_copy_heap(event->labels);
    account(trails, labels_bytes(trail->labels), 0);
    trail->alert->trail = NULL;
    trail->alert = NULL;
    map_add(&trails->gone, trail->fingerprint, trail);
}

struct trail_member *trail_find_member(const struct trail *trail, const struct trail_group *group)
{
    for (size_t i = trail->member_count; i > 0; i--) {
        struct trail_member *member = &trail->members[i - 1];
        if (member->group == group && member->left == 0)
            return member;
    }
    return NULL;
}

/* The oldest that is over, or the oldest. */
static size_t least_member(const struct trail *trail)
{
    for (size_t i = 0; i < trail->member_count; i++) {
        if (trail->members[i].left != 0 || trail->members[i].group->group == NULL)
            return i;
    }
    return 0;
}

/* Nearly all alerts are in one group all their life, so places are added one by one. */
struct trail_member *trail_add_member(struct trails *trails, struct trail *trail, struct trail_group *group)
{
    if (trail->member_count == TRAIL_MEMBERS_MAX) {
        size_t least = least_member(trail);
        forget_member(trails, &trail->members[least]);
        memmove(trail->members + least, trail->members + least + 1,
                (--trail->member_count - least) * sizeof *trail->members);
    } else {
        trail->members = mem_resize(trail->members, trail->member_count + 1, sizeof *trail->members);
    }
    struct trail_member *member = &trail->members[trail->member_count++];
    group->refs++;
    *member = (struct trail_member){.group = group};
    account(trails, sizeof *member, 0);
    return member;
}

void trail_add_held(struct trails *trails, struct trail_member *member, struct trail_held held,
                    struct str causes)
{
    if (member->held_count == TRAIL_HELD_MAX) {
        account(trails, 0, text_bytes(member->held[0].causes));
        mem_free(member->held[0].causes);
        memmove(member->held, member->held + 1, --member->held_count * sizeof *member->held);
        member->joined = member->held[0].order; /* of what was before nobody knows any more what held it */
    } else if (member->held_count == member->held_capacity) {
        member->held_capacity = member->held_capacity > 0 ? 2 * member->held_capacity : 1;
        member->held = mem_resize(member->held, member->held_capacity, sizeof *member->held);
        account(trails, (member->held_capacity - member->held_count) * sizeof *member->held, 0);
    }
    held.causes = causes.n > 0 ? mem_copy_text(causes.p, causes.n) : NULL;
    member->held[member->held_count++] = held;
    account(trails, text_bytes(held.causes), 0);
}

/* ---- both together ---- */

struct trail_held trail_held_at(const struct trail_member *member, uint64_t flush)
{
    for (size_t i = member->held_count; i > 0; i--) {
        if (member->held[i - 1].order <= flush)
            return member->held[i - 1];
    }
    return (struct trail_held){.mute = MUTE_none};
}

static bool told_all_the_same(const struct trail *trail, const struct trail_event *event)
{
    for (size_t i = 0; i < event->also_count; i++) {
        if (event->also[i] == trail->fingerprint)
            return true;
    }
    return false;
}

bool trail_concerns(const struct trail *trail, const struct trail_member *member,
                    const struct trail_event *event)
{
    if (member->joined > event->flush || (member->left != 0 && member->left < event->flush))
        return false;
    struct trail_held held = trail_held_at(member, event->flush);
    bool sends = event->kind <= TRAIL_FAILED;
    return (held.mute == MUTE_none && (!sends || !held.ended || event->send_resolved)) ||
           told_all_the_same(trail, event);
}
