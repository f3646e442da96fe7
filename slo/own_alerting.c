/* Who is told, and when: alerting, guard and policy. */
#include "own_priv.h"

#include <stddef.h>

/* ---- tiers that the file lists ---- */

struct own_tier {
    struct objective_tier tier;
    struct strict_scalar class;
    struct own_number factor, budget_percent;
    bool disabled;
};

static const struct strict_field tier_fields[] = {
    {"name", strict_text, offsetof(struct own_tier, tier.name)},
    {"class", strict_scalar, offsetof(struct own_tier, class)},
    {"severity", strict_text, offsetof(struct own_tier, tier.severity)},
    {"short", strict_duration_ms, offsetof(struct own_tier, tier.short_ms)},
    {"long", strict_duration_ms, offsetof(struct own_tier, tier.long_ms)},
    {"for", strict_duration_ms, offsetof(struct own_tier, tier.for_ms)},
    {"factor", own_number, offsetof(struct own_tier, factor)},
    {"budget_percent", own_number, offsetof(struct own_tier, budget_percent)},
    {"disable", strict_bool, offsetof(struct own_tier, disabled)},
    {"labels", strict_pairs, offsetof(struct own_tier, tier.labels)},
    {"annotations", strict_pairs, offsetof(struct own_tier, tier.annotations)},
    {NULL, NULL, 0},
};

static struct str class_name(enum tier_class class)
{
    return class == TIER_PAGE ? STR("page") : STR("ticket");
}

static void take_class(struct strict *s, struct own_tier *t)
{
    bool ticket = str_is(t->class.text, "ticket");
    if (t->class.node != NULL && !ticket && !str_is(t->class.text, "page"))
        strict_fail(s, t->class.node, "class must be page or ticket, not \"%.*s\"", STR_ARG(t->class.text));
    t->tier.class = ticket ? TIER_TICKET : TIER_PAGE;
    if (t->tier.severity.n == 0)
        t->tier.severity = class_name(t->tier.class);
}

/* The burn rate at which so much of the period's budget is gone in the long window. */
static bool factor_of_share(struct fraction percent, int64_t period_ms, int64_t long_ms, struct fraction *out)
{
    struct fraction ratio;
    return fraction_make(period_ms, long_ms, &ratio) == 0 &&
           fraction_multiply(percent, (struct fraction){1, 100}, out) == 0 &&
           fraction_multiply(*out, ratio, out) == 0;
}

static void take_factor(struct strict *s, const struct tree *node, struct own_tier *t, int64_t period_ms)
{
    if (t->tier.long_ms <= 0)
        strict_fail(s, node, "a tier needs its long window, such as `long: 1h`");
    else if ((t->factor.node == NULL) == (t->budget_percent.node == NULL))
        strict_fail(s, node, "a tier needs one of factor (a burn rate) and budget_percent");
    else if (t->factor.node != NULL)
        t->tier.factor = t->factor.value;
    else if (!factor_of_share(t->budget_percent.value, period_ms, t->tier.long_ms, &t->tier.factor))
        strict_fail(s, t->budget_percent.node, "budget_percent has too many digits");
}

/* ---- alerting ---- */

/* What changes the default tiers of a class. */
struct own_class {
    const struct tree *node;
    bool disabled;
    struct str severity;
    int64_t for_ms;
    struct strict_pairs labels, annotations;
};

static const struct strict_field class_fields[] = {
    {"disable", strict_bool, offsetof(struct own_class, disabled)},
    {"severity", strict_text, offsetof(struct own_class, severity)},
    {"for", strict_duration_ms, offsetof(struct own_class, for_ms)},
    {"labels", strict_pairs, offsetof(struct own_class, labels)},
    {"annotations", strict_pairs, offsetof(struct own_class, annotations)},
    {NULL, NULL, 0},
};

static void read_class(struct strict *s, const struct tree *node, void *target)
{
    struct own_class *class = target;
    class->node = node;
    own_struct(s, node, node->key->text.p[0] == 'p' ? "page" : "ticket", class_fields, class);
}

struct alerting {
    struct str name;
    struct strict_pairs labels, annotations;
    bool disabled;
    const struct tree *tiers, *no_data;
    struct own_class page, ticket;
};

static const struct strict_field alerting_fields[] = {
    {"name", strict_text, offsetof(struct alerting, name)},
    {"labels", strict_pairs, offsetof(struct alerting, labels)},
    {"annotations", strict_pairs, offsetof(struct alerting, annotations)},
    {"disable", strict_bool, offsetof(struct alerting, disabled)},
    {"tiers", own_node, offsetof(struct alerting, tiers)},
    {"page", read_class, offsetof(struct alerting, page)},
    {"ticket", read_class, offsetof(struct alerting, ticket)},
    {"no_data", own_node, offsetof(struct alerting, no_data)},
    {NULL, NULL, 0},
};

static void read_tier(struct strict *s, const struct tree *node, void *target)
{
    struct own_tier *t = target;
    t->tier.line = node->line;
    if (own_struct(s, node, "tier", tier_fields, t))
        take_class(s, t);
}

static void finish_tier(struct strict *s, const struct tree *node, struct own_tier *t,
                        const struct alerting *a, struct objective *o)
{
    enum { SHORTER = 12 };
    struct objective_tier *tier = &t->tier;
    take_factor(s, node, t, o->period.length_ms);
    if (tier->short_ms == 0)
        tier->short_ms = tier->long_ms / SHORTER;
    if (tier->name.n == 0)
        tier->name = objective_tier_name(s->arena, tier->class, tier->long_ms);
    tier->labels = slo_pairs_over(s->arena, a->labels, tier->labels);
    if (!t->disabled)
        o->tiers[o->tier_count++] = *tier;
}

static void take_listed(struct strict *s, const struct alerting *a, struct objective *o)
{
    struct strict_list list = {0};
    strict_list(s, a->tiers, "[]tier", sizeof(struct own_tier), read_tier, &list);
    struct own_tier *tiers = list.items;
    if (a->page.node != NULL || a->ticket.node != NULL)
        strict_fail(s, a->tiers,
                    "page and ticket change the default tiers: with tiers of your own, say it there");
    o->tiers = ARENA_ARRAY(s->arena, struct objective_tier, list.count);
    const struct tree *node = a->tiers->first;
    for (size_t i = 0; i < list.count && strict_sound(s); i++, node = node->next)
        finish_tier(s, node, &tiers[i], a, o);
}

static void change_default(struct strict *s, const struct alerting *a, struct objective_tier *tier, int line)
{
    const struct own_class *class = tier->class == TIER_PAGE ? &a->page : &a->ticket;
    tier->labels = slo_pairs_over(s->arena, a->labels, class->labels);
    tier->annotations = class->annotations;
    tier->for_ms = class->for_ms;
    tier->line = class->node != NULL ? class->node->line : line;
    if (class->severity.n > 0)
        tier->severity = class->severity;
}

static void take_defaults(struct strict *s, const struct alerting *a, const struct tree *slo,
                          struct objective *o)
{
    size_t kept = 0;
    objective_default_tiers(s->arena, o);
    if (o->tier_count == 0)
        strict_fail(s, slo,
                    "%.*s: no default tier is shorter than the window: list alerting.tiers, or say "
                    "`alerting: {disable: true}`",
                    STR_ARG(o->id));
    for (size_t i = 0; i < o->tier_count; i++) {
        struct objective_tier tier = o->tiers[i];
        change_default(s, a, &tier, o->line);
        if (!(tier.class == TIER_PAGE ? a->page.disabled : a->ticket.disabled))
            o->tiers[kept++] = tier;
    }
    o->tier_count = kept;
}

/* ---- what is watched beside the burn rate ---- */

struct watched {
    int64_t after_ms;
    struct str severity;
};

static const struct strict_field no_data_fields[] = {
    {"after", strict_duration_ms, offsetof(struct watched, after_ms)},
    {"severity", strict_text, offsetof(struct watched, severity)},
    {NULL, NULL, 0},
};

static void take_watch(struct strict *s, const struct alerting *a, struct objective_watch *out)
{
    enum { NO_DATA_MS = 15 * 60 * 1000 };
    struct watched no_data = {.after_ms = NO_DATA_MS, .severity = out->no_data_severity};
    if (a->no_data != NULL && a->no_data->kind == TREE_MAP)
        own_struct(s, a->no_data, "no_data", no_data_fields, &no_data);
    else if (a->no_data != NULL)
        strict_duration_ms(s, a->no_data, &no_data.after_ms);
    *out = (struct objective_watch){no_data.after_ms, no_data.severity, a->labels};
}

void own_alerting(struct strict *s, const struct tree *node, const struct tree *slo, struct objective *o)
{
    struct alerting a = {0};
    if (node != NULL && !own_struct(s, node, "alerting", alerting_fields, &a))
        return;
    if (a.name.n > 0)
        o->alert_name = a.name;
    o->annotations = a.annotations;
    if (a.tiers != NULL)
        take_listed(s, &a, o);
    else if (!a.disabled)
        take_defaults(s, &a, slo, o);
    take_watch(s, &a, &o->watch);
    if (!a.disabled)
        return;
    o->tier_count = 0;
    o->watch.no_data_ms = 0;
}

/* ---- guard ---- */

static const struct strict_field guard_fields[] = {
    {"bad_min", strict_i64, offsetof(struct objective_guard, bad_min)},
    {"total_min", strict_i64, offsetof(struct objective_guard, total_min)},
    {"correct_traffic", strict_bool, offsetof(struct objective_guard, correct_traffic)},
    {"false_page_rate", strict_f64, offsetof(struct objective_guard, false_page_rate)},
    {NULL, NULL, 0},
};

void own_guard(struct strict *s, const struct tree *node, struct objective *o)
{
    struct objective_guard *g = &o->guard;
    if (node == NULL || !own_struct(s, node, "guard", guard_fields, g))
        return;
    if (g->bad_min < 0 || g->total_min < 0)
        strict_fail(s, node, "bad_min and total_min are numbers of events, from 0");
    else if (!(g->false_page_rate >= 0 && g->false_page_rate <= 1))
        strict_fail(s, node, "false_page_rate is a number of pages in a window, such as 0.05, and at most 1");
    else if (o->indicator.kind != INDICATOR_BAD && o->indicator.kind != INDICATOR_GOOD)
        strict_fail(s, node, "guard looks at numbers of events, which this sli does not have");
}

/* ---- policy ---- */

struct policy {
    struct own_number inform, freeze, mitigate;
};

static const struct strict_field policy_fields[] = {
    {"inform", own_number, offsetof(struct policy, inform)},
    {"freeze", own_number, offsetof(struct policy, freeze)},
    {"mitigate", own_number, offsetof(struct policy, mitigate)},
    {NULL, NULL, 0},
};

static bool is_over(struct fraction a, struct fraction b)
{
    return (__int128)a.numerator * b.denominator > (__int128)b.numerator * a.denominator;
}

/* A rung of 0 is not asked for, so it is no step down. */
static bool climbs(const struct fraction *rungs, size_t count)
{
    struct fraction last = {0, 1};
    for (size_t i = 0; i < count; i++) {
        if (rungs[i].numerator == 0)
            continue;
        if (is_over(last, rungs[i]))
            return false;
        last = rungs[i];
    }
    return true;
}

void own_policy(struct strict *s, const struct tree *node, struct objective *o)
{
    struct policy p = {{NULL, {1, 1}}, {NULL, {4, 1}}, {NULL, {5, 1}}};
    if (node == NULL || !own_struct(s, node, "policy", policy_fields, &p))
        return;
    const struct fraction rungs[] = {p.inform.value, p.freeze.value, p.mitigate.value};
    if (!climbs(rungs, sizeof rungs / sizeof *rungs))
        strict_fail(s, node, "policy must climb: inform (1), freeze (4), mitigate (5) are burn rates");
    o->ladder = (struct objective_ladder){rungs[0], rungs[1], rungs[2], true};
}
