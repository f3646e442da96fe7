#include "ruler_priv.h"

#include "tocsin/limits.h"
#include "tocsin/view.h"

static struct evaluation begin(struct ruler *ruler, const struct globals *globals, struct live_group *group,
                               enum rule_occasion occasion)
{
    struct evaluation e = {.ruler = ruler, .globals = globals, .group = group, .occasion = occasion};
    arena_init(&e.arena, (size_t)limits.query_arena_bytes);
    return e;
}

/* When to look at a rule: at its newest sample, but not ahead of the clock, and not behind the last slot, which has seen what was
 * there by then. False: nothing has come since the last look. Since each element of its result comes of one series, those alone are
 * looked at of which something has come; all of them after an error, so that it is not overlooked. */
static bool look_time(const struct evaluation *e, struct rule_state *state, int64_t now_ns, int64_t *t_ns)
{
    struct promql_input input;
    int64_t newest_ms;
    if (!promql_input(state->query, 0, &input))
        return false;
    if (state->health == HEALTH_ERROR)
        arrival_forget(&state->looked);
    struct series_set fresh =
        standing_fresh(e->ruler->store, input.standing, now_ns / NS_PER_MS, &state->looked, &newest_ms);
    if (fresh.count == 0)
        return false;
    view_narrow(e->view, input.standing, fresh);
    *t_ns = newest_ms < now_ns / NS_PER_MS ? newest_ms * NS_PER_MS : now_ns;
    if (e->group->slot_ns != NEVER && *t_ns < e->group->slot_ns)
        *t_ns = e->group->slot_ns;
    return true;
}

bool live_group_look(struct ruler *ruler, const struct globals *globals, struct live_group *group,
                     int64_t now_ns)
{
    struct evaluation e = begin(ruler, globals, group, OCCASION_LOOK);
    uint64_t looks = 0;
    e.view = view_open(ruler->store);
    for (size_t i = 0; i < group->count; i++) {
        struct rule_state *state = &group->rules[i];
        if (!state->looks || !look_time(&e, state, now_ns, &e.slot_ns))
            continue;
        rule_evaluate(&e, state);
        looks++;
    }
    view_close(e.view);
    if (looks > 0)
        evaluation_conclude(&e);
    arena_release(&e.arena);
    lock_take(&group->lock);
    group->figures.looks += looks;
    lock_drop(&group->lock);
    return looks > 0;
}

/* The slot behind the last that was missed. If it has not been evaluated yet, it ends what comes no more like any other. */
static void end_range(struct evaluation *e, const struct arrears *arrears)
{
    int64_t next_ns = arrears->items[0].to_ns;
    bool evaluated = e->group->slot_ns != NEVER && e->group->slot_ns >= next_ns;
    for (size_t i = 0; i < e->group->count; i++) {
        e->state = &e->group->rules[i];
        if (e->state->rule->kind != RULE_RECORDING)
            continue;
        if (evaluated)
            output_end_past(e, next_ns);
        else
            written_move(&e->state->written, &e->state->past);
        arena_clear(&e->arena);
        if (arrears->count > 1)
            continue;
        written_free(&e->state->past);
        map_init(&e->state->past);
    }
}

void live_group_catch_up(struct ruler *ruler, const struct globals *globals, struct live_group *group,
                         int64_t slot_ns)
{
    struct evaluation e = begin(ruler, globals, group, OCCASION_CATCH_UP);
    e.slot_ns = slot_ns;
    evaluation_open_view(&e);
    for (size_t i = 0; i < group->count; i++)
        if (group->rules[i].rule->kind == RULE_RECORDING)
            rule_evaluate(&e, &group->rules[i]);
    if (slot_ns + group->interval_ns >= group->arrears.items[0].to_ns)
        end_range(&e, &group->arrears);
    evaluation_close_view(&e);
    evaluation_conclude(&e);
    arena_release(&e.arena);
    lock_take(&group->lock);
    group->figures.caught_up++;
    lock_drop(&group->lock);
}
