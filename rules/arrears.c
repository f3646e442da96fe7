#include "ruler_priv.h"

#include "tocsin/check.h"
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

/* ---- what the process before has left ---- */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The newest sample, stale markers too, of the series that the matchers select; INT64_MIN: there is none. */
static int64_t newest_of(struct store *store, const struct matcher *matchers, size_t count, int64_t now_ms)
{
    struct arena arena;
    struct series_set set = {0};
    struct sample sample;
    int64_t newest = INT64_MIN;
    arena_init(&arena, (size_t)limits.query_arena_bytes);
    struct view *view = view_open(store);
    if (view_select(view, matchers, count, &arena, &set) != 0)
        set.count = 0;
    for (size_t i = 0; i < set.count; i++)
        if (view_last(view, set.refs[i], newest, now_ms, &arena, &sample))
            newest = sample.t_ms;
    view_close(view);
    arena_release(&arena);
    return newest;
}

/* Of what a rule writes, told by names. */
static int64_t newest_ms(struct store *store, const struct rule *rule, int64_t now_ms)
{
    bool alerts = rule->kind == RULE_ALERTING;
    struct matcher ms[2];
    must(matcher_init(&ms[0], MATCH_EQUAL, STR(LABEL_METRIC_NAME), alerts ? STR("ALERTS") : rule->name,
                      REGEX_PROMQL, NULL) == 0);
    must(matcher_init(&ms[1], MATCH_EQUAL, STR("alertname"), rule->name, REGEX_PROMQL, NULL) == 0);
    return newest_of(store, ms, alerts ? 2 : 1, now_ms);
}

/* Sample times are whole milliseconds: the slot itself may lie up to one behind. */
static int64_t slot_end_ns(const struct live_group *group, int64_t sample_ms)
{
    return sample_ms * NS_PER_MS + group->query_offset_ns + NS_PER_MS - 1;
}

void arrears_find(struct ruler *ruler, struct live_group *group, int64_t now_ns)
{
    int64_t last_ms = INT64_MIN;
    if (group->policy.catch_up_ms == 0)
        return;
    for (size_t i = 0; i < group->count; i++)
        if (group->rules[i].rule->kind == RULE_RECORDING)
            last_ms = larger(last_ms, newest_ms(ruler->store, group->rules[i].rule, now_ns / NS_PER_MS));
    if (last_ms != INT64_MIN)
        arrears_add(group, live_group_slot_after(group, slot_end_ns(group, last_ms)), group->next_ns, now_ns);
}

/* A slot that was evaluated and left nothing behind came to nothing, and comes to nothing once more. */
int64_t arrears_resume_ns(struct ruler *ruler, const struct live_group *group, int64_t now_ns)
{
    int64_t last_ms = INT64_MIN, from_ns = now_ns - group->data_wait_ns;
    bool known = false;
    for (size_t i = 0; i < group->count && group->policy.by_data; i++) {
        last_ms = larger(last_ms, newest_ms(ruler->store, group->rules[i].rule, now_ns / NS_PER_MS));
        known |= group->rules[i].known;
    }
    if (last_ms != INT64_MIN)
        from_ns = larger(from_ns, slot_end_ns(group, last_ms));
    else if (!known)
        from_ns = now_ns;
    from_ns = larger(from_ns, group->slot_ns); /* that its alerts tell of */
    return live_group_slot_after(group, from_ns < now_ns ? from_ns : now_ns);
}
