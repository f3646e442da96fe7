/* OpenSLO's alert policies: each condition becomes a tier. */
#include "openslo_priv.h"

#include <stddef.h>

/* ---- as it stands in the file ---- */

struct condition {
    const struct tree *inner; /* condition: below spec */
    struct strict_scalar severity, kind, op, threshold;
    struct openslo_duration lookback, after;
};

static const struct strict_field inner_fields[] = {
    {"kind", strict_scalar, offsetof(struct condition, kind)},
    {"op", strict_scalar, offsetof(struct condition, op)},
    {"threshold", strict_scalar, offsetof(struct condition, threshold)},
    {"lookbackWindow", openslo_duration, offsetof(struct condition, lookback)},
    {"alertAfter", openslo_duration, offsetof(struct condition, after)},
    {NULL, NULL, 0},
};

static void read_inner(struct strict *s, const struct tree *node, void *target)
{
    struct condition *condition = target;
    condition->inner = node;
    strict_struct(s, node, "v1.Condition", inner_fields, condition);
}

static const struct strict_field condition_fields[] = {
    {"description", strict_skip, 0},
    {"severity", strict_scalar, offsetof(struct condition, severity)},
    {"condition", read_inner, 0},
    {NULL, NULL, 0},
};

struct policy {
    struct strict_scalar when_resolved;
    bool when_no_data, when_resolves, when_breaching;
    const struct tree *conditions, *targets;
};

static void read_resolved(struct strict *s, const struct tree *node, void *target)
{
    struct policy *policy = target;
    policy->when_resolved.node = node;
    strict_bool(s, node, &policy->when_resolves);
}

static const struct strict_field policy_fields[] = {
    {"description", strict_skip, 0},
    {"alertWhenNoData", strict_bool, offsetof(struct policy, when_no_data)},
    {"alertWhenResolved", read_resolved, 0},
    {"alertWhenBreaching", strict_bool, offsetof(struct policy, when_breaching)},
    {"conditions", openslo_node, offsetof(struct policy, conditions)},
    {"notificationTargets", openslo_node, offsetof(struct policy, targets)},
    {NULL, NULL, 0},
};

static const struct strict_field target_fields[] = {
    {"description", strict_skip, 0},
    {"target", strict_skip, 0},
    {NULL, NULL, 0},
};

static bool has_spec(struct strict *s, const struct openslo_object *object)
{
    if (object->spec == NULL)
        strict_fail(s, object->node, "the %.*s %.*s has no spec", STR_ARG(object->kind),
                    STR_ARG(object->name));
    return object->spec != NULL;
}

/* ---- conditions ---- */

static void check_condition(struct strict *s, const struct openslo_object *object, const struct condition *c)
{
    bool lower = str_is(c->op.text, "lt") || str_is(c->op.text, "lte");
    if (c->kind.node != NULL && !str_eq_nocase(c->kind.text, STR("burnrate")))
        strict_unsupported(s, c->kind.node, "a condition of kind %.*s is not supported: only burnrate is",
                           STR_ARG(c->kind.text));
    else if (c->inner == NULL || c->op.node == NULL || c->threshold.node == NULL ||
             c->lookback.node == NULL || c->severity.node == NULL)
        strict_fail(
            s, object->spec,
            "the AlertCondition %.*s needs severity, and condition with op, threshold and lookbackWindow",
            STR_ARG(object->name));
    else if (lower)
        strict_unsupported(s, c->op.node, "an alert on a burn rate that is low (op: %.*s) is not supported",
                           STR_ARG(c->op.text));
    else if (!str_is(c->op.text, "gt") && !str_is(c->op.text, "gte"))
        strict_fail(s, c->op.node, "op must be gt or gte, not \"%.*s\"", STR_ARG(c->op.text));
}

static bool read_condition(struct strict *s, const struct openslo_object *object, struct condition *c)
{
    *c = (struct condition){0};
    if (!has_spec(s, object) || !strict_struct(s, object->spec, "v1.AlertConditionSpec", condition_fields, c))
        return false;
    check_condition(s, object, c);
    return strict_sound(s);
}

static enum tier_class class_of(struct str severity)
{
    static const char *const tickets[] = {"ticket", "warning", "info"};
    for (size_t i = 0; i < sizeof tickets / sizeof *tickets; i++)
        if (str_eq_nocase(severity, str_of(tickets[i])))
            return TIER_TICKET;
    return TIER_PAGE;
}

static void take_condition(struct strict *s, const struct openslo_object *object, const struct condition *c,
                           struct objective_tier *out)
{
    enum { SHORTER = 12 };
    struct err why;
    *out = (struct objective_tier){
        .name = object->name,
        .class = class_of(c->severity.text),
        .severity = c->severity.text,
        .short_ms = c->lookback.ms / SHORTER,
        .long_ms = c->lookback.ms,
        .for_ms = c->after.ms,
        .line = object->node->line,
    };
    if (fraction_parse(c->threshold.text, &out->factor, &why) != 0)
        strict_stop(s, c->threshold.node, &why);
}

/* ---- notification targets ---- */

static void check_target(struct strict *s, const struct openslo_object *object)
{
    int nothing;
    if (has_spec(s, object))
        strict_struct(s, object->spec, "v1.AlertNotificationTargetSpec", target_fields, &nothing);
}

/* Names with commas between them. */
static struct str targets_of(struct strict *s, const struct tree *list)
{
    const char *names = "";
    if (list != NULL && list->kind != TREE_LIST)
        strict_fail(s, list, "notificationTargets must be a list");
    for (const struct tree *node = list != NULL ? list->first : NULL; node != NULL && strict_sound(s);
         node = node->next) {
        struct openslo_object target;
        if (!openslo_find(s, node, "AlertNotificationTarget", "targetRef", &target))
            break;
        check_target(s, &target);
        names =
            arena_format(s->arena, "%s%s%.*s", names, node != list->first ? "," : "", STR_ARG(target.name));
        if (names == NULL)
            break;
    }
    return str_of(names);
}

/* ---- policies ---- */

static bool read_policy(struct strict *s, const struct openslo_object *object, struct policy *policy)
{
    *policy = (struct policy){.when_breaching = true, .when_resolves = true};
    if (!has_spec(s, object) || !strict_struct(s, object->spec, "v1.AlertPolicySpec", policy_fields, policy))
        return false;
    if (!policy->when_resolves)
        strict_unsupported(
            s, policy->when_resolved.node,
            "alertWhenResolved: false is for the receiver to say, with `send_resolved: false` in "
            "alertmanager.yml; leave it out here");
    if (policy->conditions == NULL || policy->conditions->kind != TREE_LIST || policy->conditions->count != 1)
        strict_fail(s, object->spec, "the AlertPolicy %.*s must have a list of one condition",
                    STR_ARG(object->name));
    return strict_sound(s);
}

static void add_tier(struct strict *s, const struct policy *policy, const struct openslo_object *condition,
                     struct objective *o)
{
    enum { NO_DATA_MS = 15 * 60 * 1000 };
    struct condition c;
    struct objective_tier tier;
    if (!read_condition(s, condition, &c))
        return;
    take_condition(s, condition, &c, &tier);
    struct str targets = targets_of(s, policy->targets);
    if (targets.n > 0)
        slo_pairs_put(s->arena, &tier.labels, STR("notification_target"), targets);
    if (policy->when_breaching)
        o->tiers[o->tier_count++] = tier;
    if (!policy->when_no_data)
        return;
    o->watch.no_data_ms = NO_DATA_MS;
    o->watch.no_data_severity = tier.severity;
    o->watch.labels = tier.labels;
}

static void take_policy(struct strict *s, const struct tree *node, struct objective *o)
{
    struct openslo_object object, condition;
    struct policy policy;
    if (openslo_find(s, node, "AlertPolicy", "alertPolicyRef", &object) && read_policy(s, &object, &policy) &&
        openslo_find(s, policy.conditions->first, "AlertCondition", "conditionRef", &condition))
        add_tier(s, &policy, &condition, o);
}

void openslo_policies(struct strict *s, const struct tree *node, struct objective *o)
{
    if (node == NULL)
        return;
    if (node->kind != TREE_LIST)
        strict_fail(s, node, "alertPolicies must be a list");
    o->tiers = ARENA_ARRAY(s->arena, struct objective_tier, node->count);
    if (o->tiers == NULL)
        return;
    for (const struct tree *child = node->first; child != NULL && strict_sound(s); child = child->next)
        take_policy(s, child, o);
}

/* ---- objects that nobody may point to ---- */

void openslo_check_policy(struct strict *s, const struct openslo_object *object)
{
    struct policy policy;
    read_policy(s, object, &policy);
}

void openslo_check_condition(struct strict *s, const struct openslo_object *object)
{
    struct condition condition;
    read_condition(s, object, &condition);
}

void openslo_check_target(struct strict *s, const struct openslo_object *object)
{
    check_target(s, object);
}
