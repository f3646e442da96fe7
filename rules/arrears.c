#include "ruler_priv.h"

#include "tocsin/limits.h"
#include "tocsin/view.h"

void arrears_add(struct live_group *group, int64_t from_ns, int64_t to_ns, int64_t now_ns)
{
    struct arrears *b = &group->arrears;
    if (group->policy.catch_up_ms == 0 || from_ns >= to_ns)
        return;
    if (b->count == ARREARS_RANGES) /* what lies between was evaluated, and is once more */
        b->items[ARREARS_RANGES - 1].to_ns = to_ns;
    else
        b->items[b->count++] = (struct slot_range){from_ns, to_ns};
    b->since_ns = now_ns;
    group->arrears_alarm = (struct group_alarm){.due_ns = now_ns};
}

static void drop_first(struct arrears *b)
{
    b->count--;
    memmove(&b->items[0], &b->items[1], b->count * sizeof b->items[0]);
}

int64_t arrears_first(struct live_group *group, int64_t now_ns)
{
    struct arrears *b = &group->arrears;
    int64_t oldest_ns = now_ns - group->policy.catch_up_ms * NS_PER_MS;
    while (b->count > 0) {
        struct slot_range *first = &b->items[0];
        if (first->from_ns < oldest_ns)
            first->from_ns = live_group_slot_after(group, oldest_ns - 1);
        if (first->from_ns < first->to_ns)
            return first->from_ns;
        drop_first(b);
    }
    return INT64_MAX;
}

void arrears_done(struct live_group *group, int64_t slot_ns)
{
    struct arrears *b = &group->arrears;
    if (b->count > 0 && b->items[0].from_ns == slot_ns)
        b->items[0].from_ns += group->interval_ns;
}

/* The newest sample, stale markers too, of the series of that name; INT64_MIN: there is none. */
static int64_t newest_ms(struct store *store, struct str name, int64_t now_ms)
{
    struct arena arena;
    struct matcher m;
    struct series_set set = {0};
    struct sample sample;
    int64_t newest = INT64_MIN;
    arena_init(&arena, (size_t)limits.query_arena_bytes);
    if (matcher_init(&m, MATCH_EQUAL, STR(LABEL_METRIC_NAME), name, REGEX_PROMQL, NULL) != 0)
        return newest;
    struct view *view = view_open(store);
    if (view_select(view, &m, 1, &arena, &set) != 0)
        set.count = 0;
    for (size_t i = 0; i < set.count; i++)
        if (view_last(view, set.refs[i], newest, now_ms, &arena, &sample))
            newest = sample.t_ms;
    view_close(view);
    arena_release(&arena);
    return newest;
}

void arrears_find(struct ruler *ruler, struct live_group *group, int64_t now_ns)
{
    int64_t last_ms = INT64_MIN;
    if (group->policy.catch_up_ms == 0)
        return;
    for (size_t i = 0; i < group->count; i++) {
        if (group->rules[i].rule->kind != RULE_RECORDING)
            continue;
        int64_t t_ms = newest_ms(ruler->store, group->rules[i].rule->name, now_ns / NS_PER_MS);
        last_ms = t_ms > last_ms ? t_ms : last_ms;
    }
    if (last_ms == INT64_MIN)
        return;
    /* Sample times are whole milliseconds: the slot itself may lie up to one behind. */
    int64_t last_ns = last_ms * NS_PER_MS + group->query_offset_ns + NS_PER_MS - 1;
    arrears_add(group, live_group_slot_after(group, last_ns), group->next_ns, now_ns);
}
