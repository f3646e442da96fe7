#include "ruler_priv.h"
#include "stage_priv.h"

#include "tocsin/mem.h"
#include "tocsin/tree.h"

#include <stdlib.h>

/* ---- which ---- */

static bool takes(const struct expr *selector, struct str label, struct str value)
{
    for (size_t i = 0; i < selector->selector.matcher_count; i++) {
        const struct matcher *m = &selector->selector.matchers[i];
        if (str_eq(m->name, label) && !matcher_matches(m, value))
            return false;
    }
    return true;
}

bool selector_may_read(const struct expr *selector, const struct rule *writer)
{
    const struct str name = STR(LABEL_METRIC_NAME);
    if (writer->kind == RULE_RECORDING)
        return takes(selector, name, writer->name);
    return takes(selector, STR("alertname"), writer->name) &&
           (takes(selector, name, STR("ALERTS")) || takes(selector, name, STR("ALERTS_FOR_STATE")));
}

/* What may be the group's own is not waited for, since it comes with the very evaluation that would wait. */
static bool may_write(const struct live_group *group, const struct expr *selector)
{
    for (size_t i = 0; i < group->count; i++)
        if (selector_may_read(selector, group->rules[i].rule))
            return true;
    return false;
}

static int by_list(const void *a, const void *b)
{
    const struct group_input *x = a, *y = b;
    uintptr_t p = (uintptr_t)standing_list(x->standing), q = (uintptr_t)standing_list(y->standing);
    if (p != q)
        return p < q ? -1 : 1;
    return (x->behind_ms > y->behind_ms) - (x->behind_ms < y->behind_ms);
}

/* Of selectors with the same series the one that looks at the newest is enough. */
static void leave_out_equals(struct live_group *group)
{
    size_t kept = 0;
    if (group->input_count > 1)
        qsort(group->inputs, group->input_count, sizeof *group->inputs, by_list);
    for (size_t i = 0; i < group->input_count; i++)
        if (kept == 0 ||
            standing_list(group->inputs[kept - 1].standing) != standing_list(group->inputs[i].standing))
            group->inputs[kept++] = group->inputs[i];
    group->input_count = kept;
}

void group_inputs_find(struct live_group *group)
{
    size_t capacity = 0;
    struct promql_input input;
    for (size_t i = 0; i < group->count; i++)
        for (size_t k = 0; promql_input(group->rules[i].query, k, &input); k++) {
            if (may_write(group, input.selector))
                continue;
            MEM_GROW(group->inputs, group->input_count, capacity);
            group->inputs[group->input_count++] = (struct group_input){input.standing, input.behind_ms};
        }
    leave_out_equals(group);
}

/* ---- whether they have come ---- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

bool group_inputs_arrived(struct ruler *ruler, struct live_group *group, struct group_wait *wait,
                          int64_t slot_ns, int64_t now_ns, int64_t deadline_ns, int64_t patience_ms,
                          int64_t *retry_ns)
{
    int64_t t_ms = (slot_ns - group->query_offset_ns) / NS_PER_MS, until_ms;
    if (now_ns >= deadline_ns)
        return true;
    if (wait->slot_ns != slot_ns)
        *wait = (struct group_wait){.slot_ns = slot_ns};
    while (wait->at < group->input_count) {
        const struct group_input *input = &group->inputs[wait->at];
        if (!standing_arrived(ruler->store, input->standing, t_ms - input->behind_ms, now_ns / NS_PER_MS,
                              patience_ms, &wait->arrival, &until_ms)) {
            bool never = until_ms > INT64_MAX / NS_PER_MS;
            *retry_ns = never ? deadline_ns : earlier(until_ms * NS_PER_MS, deadline_ns);
            return false;
        }
        wait->at++;
        wait->arrival = (struct arrival_wait){0};
    }
    return true;
}
