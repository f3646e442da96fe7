/* What keeps few events from paging. */
#include "compile_priv.h"

#include <math.h>

enum { MINUTE_MS = 60 * 1000 };

static bool any_guard(const struct objective_guard *g)
{
    return g->bad_min > 0 || g->total_min > 0 || g->correct_traffic || g->false_page_rate > 0;
}

static int refuse(struct compiler *c, const char *why)
{
    return err_at(c->err, ERR_UNSUPPORTED, c->o->line, 0, "%.*s: guards need %s", STR_ARG(c->o->id), why);
}

static void add(struct compiler *c, struct str *out, struct str term)
{
    *out = compile_format(c->arena, "%.*s and %.*s", STR_ARG(*out), STR_ARG(term));
}

/* rate() and increase() go a little beyond what they saw, so half an event is left to them. */
static struct str at_least(struct compiler *c, struct str events, double scale, int64_t least)
{
    struct str limit = compile_number(c->arena, (double)least - 0.5);
    if (scale == 1)
        return compile_format(c->arena, "%.*s > %.*s", STR_ARG(events), STR_ARG(limit));
    return compile_format(c->arena, "%.*s * %.*s > %.*s", STR_ARG(events),
                          STR_ARG(compile_number(c->arena, scale)), STR_ARG(limit));
}

/* The window's bad events as a share of what the period's mean traffic would have been: together with the tier's own condition that is
 * the larger one of both totals. */
static int mean_traffic(struct compiler *c, const struct objective_tier *tier, const struct measure *slow,
                        struct str *out)
{
    const struct measure *period;
    struct str bad = slow->bad;
    int64_t period_ms = c->o->period.length_ms;
    int rc = compile_measure(c, period_ms, &period);
    if (rc != 0)
        return rc;
    double share = c->per_second ? 1 : (double)slow->window_ms / (double)period_ms;
    double limit = fraction_value(tier->factor) * fraction_value(c->budget) * share;
    add(c, out,
        compile_format(c->arena, "%.*s > %.*s * %.*s", STR_ARG(bad), STR_ARG(period->total),
                       STR_ARG(compile_number(c->arena, limit))));
    return 0;
}

/* Chernoff: with a true ratio of p, n events show q or more with a chance of at most exp(-n D(q, p)), D(q, p) = q ln(q/p) +
 * (1-q) ln((1-q)/(1-p)). All evaluations of a period together, one a minute and tier, may do so false_page_rate times. */
static void lower_bound(struct compiler *c, const struct objective_tier *tier, const struct measure *slow,
                        struct str *out)
{
    double p = fraction_value(tier->factor) * fraction_value(c->budget);
    double tests = (double)c->o->period.length_ms / MINUTE_MS * (double)c->o->tier_count;
    double surprise = log(tests / c->o->guard.false_page_rate);
    struct str ratio = slow->ratio, scale = compile_number(c->arena, compile_scale(c, slow->window_ms));
    struct str good = compile_format(c->arena, "clamp_min(1 - %.*s, 1e-300)", STR_ARG(ratio));
    if (p >= 1)
        return; /* no ratio is over that limit */
    add(c, out,
        compile_format(c->arena, "%.*s * %.*s * (%.*s * ln(%.*s / %.*s) + %.*s * ln(%.*s / %.*s)) > %.*s",
                       STR_ARG(slow->total), STR_ARG(scale), STR_ARG(ratio), STR_ARG(ratio),
                       STR_ARG(compile_number(c->arena, p)), STR_ARG(good), STR_ARG(good),
                       STR_ARG(compile_number(c->arena, 1 - p)),
                       STR_ARG(compile_number(c->arena, surprise))));
}

int compile_guards(struct compiler *c, const struct objective_tier *tier, struct str *out)
{
    const struct objective_guard *g = &c->o->guard;
    const struct measure *slow;
    *out = STR("");
    if (!any_guard(g))
        return 0;
    int rc = compile_measure(c, tier->long_ms, &slow);
    if (rc != 0)
        return rc;
    const struct measure m = *slow;
    double scale = compile_scale(c, m.window_ms);
    if (m.total.n == 0)
        return refuse(c, "events, and a budget that is spent by them");
    if (g->false_page_rate > 0 && c->budget.numerator == 0)
        return refuse(c, "a target under 100 %, where they are to bound false pages");
    if (g->bad_min > 0)
        add(c, out, at_least(c, m.bad, scale, g->bad_min));
    if (g->total_min > 0)
        add(c, out, at_least(c, m.total, scale, g->total_min));
    if (g->correct_traffic)
        rc = mean_traffic(c, tier, &m, out);
    if (rc == 0 && g->false_page_rate > 0)
        lower_bound(c, tier, &m, out);
    return rc;
}
