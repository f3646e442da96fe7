#include "plan_priv.h"

/* info(v, {data="x"}): the second argument is not a selector of its own, but says which info series are
 * meant. Without a matcher of the name they are target_info; with none but negative ones they are also
 * named like an info metric. */

static bool is_name(const struct matcher *m)
{
    return str_is(m->name, LABEL_METRIC_NAME);
}

static int add_name_matcher(struct expr *selector, bool named, struct err *err)
{
    struct matcher *m = &selector->selector.matchers[selector->selector.matcher_count];
    TRY(named ? matcher_init(m, MATCH_REGEX, STR(LABEL_METRIC_NAME), STR(".+_info"), REGEX_PROMQL, err)
              : matcher_init(m, MATCH_EQUAL, STR(LABEL_METRIC_NAME), STR("target_info"), REGEX_PROMQL, err));
    selector->selector.matcher_count++;
    return 0;
}

/* Matchers of the argument stay its own; only the one added here belongs to the plan, at the end. */
int plan_info(struct promql *q, const struct expr *call, struct err *err)
{
    struct plan_node *node = &q->nodes[call->plan_id];
    const struct expr *given = call->call.args.count > 1 ? expr_unwrap(call->call.args.items[1]) : NULL;
    size_t count = given != NULL ? given->selector.matcher_count : 0;
    bool named = false, positive = false;
    struct expr *selector = ARENA_NEW(&q->arena, struct expr);
    struct matcher *matchers = ARENA_ARRAY(&q->arena, struct matcher, count + 1);
    if (selector == NULL || matchers == NULL)
        return err_set(err, ERR_LIMIT, "expression is too long");
    for (size_t i = 0; i < count; i++) {
        matchers[i] = given->selector.matchers[i];
        named |= is_name(&matchers[i]);
        positive |= is_name(&matchers[i]) && (matchers[i].op == MATCH_EQUAL || matchers[i].op == MATCH_REGEX);
    }
    *selector = (struct expr){.kind = EXPR_SELECTOR, .type = PROMQL_VECTOR, .plan_id = call->plan_id};
    selector->selector.matchers = matchers;
    selector->selector.matcher_count = count;
    node->info = selector;
    if (given != NULL)
        q->nodes[given->plan_id].template = true;
    return positive ? 0 : add_name_matcher(selector, named, err);
}

void plan_info_release(struct plan_node *node)
{
    if (node->info == NULL || node->info->selector.matcher_count == 0)
        return;
    const struct expr *call = node->expr;
    const struct expr *given = call->call.args.count > 1 ? expr_unwrap(call->call.args.items[1]) : NULL;
    size_t borrowed = given != NULL ? given->selector.matcher_count : 0;
    for (size_t i = borrowed; i < node->info->selector.matcher_count; i++)
        matcher_release(&node->info->selector.matchers[i]);
}
