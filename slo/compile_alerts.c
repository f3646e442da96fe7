/* All alerts of an objective; those beside tiers are made here. */
#include "compile_priv.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, FIVE_MINUTES_MS = 5 * MINUTE_MS };

/* An objective's own summary tells of its budget, not of these. */
static struct strict_pairs annotations_with(struct compiler *c, struct str summary)
{
    struct strict_pairs pairs = {NULL, 0};
    if (c->o->runbook.n > 0)
        slo_pairs_put(c->arena, &pairs, STR("runbook_url"), c->o->runbook);
    pairs = slo_pairs_over(c->arena, pairs, c->o->annotations);
    slo_pairs_put(c->arena, &pairs, STR("summary"), summary);
    return pairs;
}

/* ---- the ladder ---- */

struct rung {
    struct str policy, severity;
    struct fraction limit, below; /* below: where a higher rung takes over; 0: nowhere */
    const char *consequence;
};

static struct str rung_fires(struct compiler *c, const struct rung *rung, struct str slow, struct str quick)
{
    struct str fires = compile_format(c->arena, "%.*s and %.*s", STR_ARG(compile_over(c, slow, rung->limit)),
                                      STR_ARG(compile_over(c, quick, rung->limit)));
    if (rung->below.numerator == 0)
        return fires;
    return compile_format(c->arena, "(%.*s) unless (%.*s and %.*s)", STR_ARG(fires),
                          STR_ARG(compile_over(c, slow, rung->below)),
                          STR_ARG(compile_over(c, quick, rung->below)));
}

static void add_rung(struct compiler *c, const struct rung *rung, struct str slow, struct str quick)
{
    struct strict_pairs labels = compile_labels(c);
    if (rung->limit.numerator == 0)
        return;
    slo_pairs_put(c->arena, &labels, STR("severity"), rung->severity);
    slo_pairs_put(c->arena, &labels, STR("policy"), rung->policy);
    struct str summary = compile_format(
        c->arena,
        "{{ $labels.slo }}: the burn rate is {{ printf \"%%.3g\" $value }}, over %.*s in 1h and 5m: %s.",
        STR_ARG(compile_number(c->arena, fraction_value(rung->limit))), rung->consequence);
    compile_alert(c, STR("ErrorBudgetPolicy"), rung_fires(c, rung, slow, quick), labels,
                  annotations_with(c, summary));
}

static int add_ladder(struct compiler *c)
{
    const struct objective_ladder *l = &c->o->ladder;
    const struct measure *slow, *quick;
    const struct rung rungs[] = {
        {STR("inform"), STR("info"), l->inform, l->freeze, "more than the budget allows"},
        {STR("freeze"), STR("page"), l->freeze, {0, 1}, "changes are frozen"},
        {STR("mitigate"), STR("info"), l->mitigate, {0, 1}, "mitigation is asked for"},
    };
    if (!l->asked)
        return 0;
    if (c->budget.numerator == 0)
        return err_at(c->err, ERR_UNSUPPORTED, c->o->line, 0, "%.*s: a policy needs a target under 100 %%",
                      STR_ARG(c->o->id));
    int rc = compile_measure(c, HOUR_MS, &slow);
    struct str slow_burn = rc == 0 ? slow->burn : STR("");
    if (rc == 0)
        rc = compile_measure(c, FIVE_MINUTES_MS, &quick);
    struct str quick_burn = rc == 0 ? quick->burn : STR("");
    for (size_t i = 0; i < sizeof rungs / sizeof *rungs && rc == 0; i++)
        add_rung(c, &rungs[i], slow_burn, quick_burn);
    return rc;
}

/* ---- no data ---- */

/* Half of the time as the window that is empty, half as `for`: a process that begins without samples has not lost any. */
static int add_no_data(struct compiler *c)
{
    int64_t window_ms = c->o->watch.no_data_ms / 2;
    struct strict_pairs labels = compile_labels(c);
    struct str presence;
    if (c->o->watch.no_data_ms == 0)
        return 0;
    int rc = compile_presence(c, window_ms, &presence);
    if (rc != 0)
        return rc;
    slo_pairs_put(c->arena, &labels, STR("severity"), c->o->watch.no_data_severity);
    labels = slo_pairs_over(c->arena, labels, c->o->watch.labels);
    struct str summary =
        compile_format(c->arena, "{{ $labels.slo }} has had no data for %.*s: nobody knows how it is.",
                       STR_ARG(compile_duration(c->arena, c->o->watch.no_data_ms)));
    struct tree *rule =
        compile_alert(c, STR("SLODataMissing"), compile_format(c->arena, "absent(%.*s)", STR_ARG(presence)),
                      labels, annotations_with(c, summary));
    if (rule != NULL)
        tree_put_text(c->arena, rule, STR("for"),
                      compile_duration(c->arena, c->o->watch.no_data_ms - window_ms));
    return 0;
}

int compile_alerts(struct compiler *c)
{
    int rc = compile_tiers(c);
    if (rc == 0)
        rc = add_ladder(c);
    return rc == 0 ? add_no_data(c) : rc;
}
