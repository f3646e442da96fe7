/* Alerts of tiers: who is told that the budget goes too fast. */
#include "compile_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/limits.h"

/* ---- which tiers are one rule ---- */

static bool same_pairs(struct strict_pairs a, struct strict_pairs b)
{
    if (a.count != b.count)
        return false;
    for (size_t i = 0; i < a.count; i++)
        if (!str_eq(a.items[i].name, b.items[i].name) || !str_eq(a.items[i].value, b.items[i].value))
            return false;
    return true;
}

/* Their alerts could not be told apart. */
static bool same_alert(const struct objective_tier *a, const struct objective_tier *b)
{
    return str_eq(a->severity, b->severity) && same_pairs(a->labels, b->labels);
}

static bool same_rule(const struct objective_tier *a, const struct objective_tier *b)
{
    return a->class == b->class && a->for_ms == b->for_ms && same_alert(a, b) &&
           same_pairs(a->annotations, b->annotations);
}

static bool is_first_of_rule(const struct objective *o, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (same_rule(&o->tiers[k], &o->tiers[i]))
            return false;
    return true;
}

static bool needs_window_label(const struct objective *o, const struct objective_tier *tier)
{
    for (size_t k = 0; k < o->tier_count; k++)
        if (same_alert(&o->tiers[k], tier) && !same_rule(&o->tiers[k], tier))
            return true;
    return false;
}

/* ---- labels and annotations ---- */

static void add_sloth_labels(struct compiler *c, const struct objective_tier *tier,
                             struct strict_pairs *labels)
{
    struct label sloth[] = {{STR("sloth_id"), c->o->id},
                            {STR("sloth_service"), c->o->service},
                            {STR("sloth_slo"), c->o->name},
                            {STR("sloth_severity"), tier->class == TIER_PAGE ? STR("page") : STR("ticket")}};
    *labels = slo_pairs_over(c->arena, *labels, (struct strict_pairs){sloth, 4});
}

static struct strict_pairs tier_labels(struct compiler *c, const struct objective_tier *tier)
{
    struct strict_pairs labels = compile_labels(c);
    slo_pairs_put(c->arena, &labels, STR("severity"), tier->severity);
    if (c->o->compat == COMPAT_SLOTH)
        add_sloth_labels(c, tier, &labels);
    if (needs_window_label(c->o, tier))
        slo_pairs_put(c->arena, &labels, STR("long"), compile_duration(c->arena, tier->long_ms));
    labels = slo_pairs_over(c->arena, labels, tier->labels);
    slo_pairs_put(c->arena, &labels, STR("slo"), c->o->id);
    return labels;
}

static struct str severity_of(const struct objective_tier *tier)
{
    for (size_t i = 0; i < tier->labels.count; i++)
        if (str_is(tier->labels.items[i].name, "severity"))
            return tier->labels.items[i].value;
    return tier->severity;
}

/* " {{ $labels.route }}" of each label that tells groups apart. */
static struct str group_text(struct compiler *c)
{
    struct str text = STR("");
    for (size_t i = 0; i < c->o->by_count; i++)
        text = compile_format(c->arena, "%.*s {{ index $labels %.*s }}", STR_ARG(text),
                              STR_ARG(compile_quote(c->arena, c->o->by[i])));
    return text;
}

static struct str limit_text(struct compiler *c, const struct objective_tier *tier)
{
    return compile_format(c->arena, "over %.*s in %.*s and %.*s",
                          STR_ARG(compile_number(c->arena, fraction_value(tier->factor))),
                          STR_ARG(compile_duration(c->arena, tier->long_ms)),
                          STR_ARG(compile_duration(c->arena, tier->short_ms)));
}

static struct str limit_texts(struct compiler *c, const struct objective_tier *tier)
{
    struct str text = STR("");
    for (size_t i = 0; i < c->o->tier_count; i++)
        if (same_rule(&c->o->tiers[i], tier))
            text = compile_format(c->arena, "%.*s%s%.*s", STR_ARG(text), text.n > 0 ? ", or " : "",
                                  STR_ARG(limit_text(c, &c->o->tiers[i])));
    return text;
}

static struct str summary(struct compiler *c, const struct objective_tier *tier)
{
    struct str group = group_text(c), paces = limit_texts(c, tier);
    if (c->budget.numerator == 0)
        return compile_format(
            c->arena,
            "{{ $labels.slo }}%.*s allows no errors: the error ratio is {{ printf \"%%.3g\" $value }}.",
            STR_ARG(group));
    return compile_format(c->arena,
                          "{{ $labels.slo }}%.*s: the burn rate is {{ printf \"%%.3g\" $value }} (%.*s).",
                          STR_ARG(group), STR_ARG(paces));
}

static struct strict_pairs tier_annotations(struct compiler *c, const struct objective_tier *tier)
{
    const struct objective *o = c->o;
    struct strict_pairs known = {NULL, 0};
    slo_pairs_put(c->arena, &known, STR("title"),
                  compile_format(c->arena, "{{ $labels.slo }}%.*s spends its error budget too fast",
                                 STR_ARG(group_text(c))));
    slo_pairs_put(c->arena, &known, STR("summary"), summary(c, tier));
    if (o->description.n > 0)
        slo_pairs_put(c->arena, &known, STR("description"), o->description);
    if (o->runbook.n > 0)
        slo_pairs_put(c->arena, &known, STR("runbook_url"), o->runbook);
    known = slo_pairs_over(c->arena, known, o->annotations);
    return slo_pairs_over(c->arena, known, tier->annotations);
}

/* ---- when ---- */

static int tier_fires(struct compiler *c, const struct objective_tier *tier, struct str *out)
{
    const struct measure *slow, *quick;
    struct str guards;
    int rc = compile_measure(c, tier->long_ms, &slow);
    struct str slow_burn = rc == 0 ? slow->burn : STR("");
    if (rc == 0)
        rc = compile_measure(c, tier->short_ms, &quick);
    if (rc == 0)
        rc = compile_guards(c, tier, &guards);
    if (rc == 0)
        *out =
            compile_format(c->arena, "%.*s and %.*s%.*s", STR_ARG(compile_over(c, slow_burn, tier->factor)),
                           STR_ARG(compile_over(c, quick->burn, tier->factor)), STR_ARG(guards));
    return rc;
}

static int any_fires(struct compiler *c, const struct objective_tier *first, struct str *out)
{
    *out = STR("");
    for (size_t i = 0; i < c->o->tier_count; i++) {
        struct str one;
        if (!same_rule(&c->o->tiers[i], first))
            continue;
        int rc = tier_fires(c, &c->o->tiers[i], &one);
        if (rc != 0)
            return rc;
        *out =
            compile_format(c->arena, "%.*s%s(%.*s)", STR_ARG(*out), out->n > 0 ? " or " : "", STR_ARG(one));
    }
    return 0;
}

/* ---- tickets that wait for a page's end ---- */

static struct str firing(struct compiler *c, struct str severity)
{
    return compile_format(c->arena, "ALERTS{alertname=%.*s,alertstate=\"firing\",severity=%.*s,slo=%.*s}",
                          STR_ARG(compile_quote(c->arena, c->o->alert_name)),
                          STR_ARG(compile_quote(c->arena, severity)),
                          STR_ARG(compile_quote(c->arena, c->o->id)));
}

static bool severity_came(const struct objective *o, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (o->tiers[k].class == TIER_PAGE && str_eq(severity_of(&o->tiers[k]), severity_of(&o->tiers[i])))
            return true;
    return false;
}

/* Empty if there is none, or none that is no ticket as well. */
static struct str pages_firing(struct compiler *c, struct str ticket_severity)
{
    struct str pages = STR("");
    for (size_t i = 0; i < c->o->tier_count; i++) {
        struct str severity = severity_of(&c->o->tiers[i]);
        if (c->o->tiers[i].class != TIER_PAGE || severity_came(c->o, i))
            continue;
        if (str_eq(severity, ticket_severity))
            return STR("");
        pages = compile_format(c->arena, "%.*s%s%.*s", STR_ARG(pages), pages.n > 0 ? " or " : "",
                               STR_ARG(firing(c, severity)));
    }
    return pages;
}

static struct str without_pages(struct compiler *c, const struct objective_tier *ticket, struct str fires)
{
    struct str severity = severity_of(ticket), pages = pages_firing(c, severity);
    struct str by = compile_grouping(c->arena, c->o);
    if (pages.n == 0)
        return fires;
    return compile_format(c->arena, "(%.*s) unless on %.*s ((%.*s) unless on %.*s %.*s)", STR_ARG(fires),
                          STR_ARG(by), STR_ARG(pages), STR_ARG(by), STR_ARG(firing(c, severity)));
}

/* ---- rules ---- */

static int add_rule(struct compiler *c, const struct objective_tier *tier)
{
    struct str expr;
    int rc = any_fires(c, tier, &expr);
    if (rc != 0)
        return rc;
    if (tier->class == TIER_TICKET)
        expr = without_pages(c, tier, expr);
    struct tree *rule =
        compile_alert(c, c->o->alert_name, expr, tier_labels(c, tier), tier_annotations(c, tier));
    if (rule != NULL && tier->for_ms > 0)
        tree_put_text(c->arena, rule, STR("for"), compile_duration(c->arena, tier->for_ms));
    return 0;
}

static int add_rules(struct compiler *c, enum tier_class class)
{
    int rc = 0;
    for (size_t i = 0; i < c->o->tier_count && rc == 0; i++)
        if (c->o->tiers[i].class == class && is_first_of_rule(c->o, i))
            rc = add_rule(c, &c->o->tiers[i]);
    return rc;
}

/* Pages first: tickets look at which of them fire. */
int compile_tiers(struct compiler *c)
{
    int rc = add_rules(c, TIER_PAGE);
    return rc == 0 ? add_rules(c, TIER_TICKET) : rc;
}
