/* How the rate of false pages of a period is spent, and the tests that go on from slot to slot. */
#include "contract_priv.h"

#include "tocsin/confidence.h"

#include <math.h>

static const double outage_ratio = 0.9; /* "nearly all", so that a good one among them does not undo it */
static const double outage_part = 0.5, window_part = 0.25, trickle_part = 0.25;

/* What a tier asks of the ratio; 0: no more than the budget, or more than there can be. */
static double trickle_ratio(const struct objective *objective, const struct objective_tier *tier,
                            double budget)
{
    struct fraction limit;
    if (contract_limit(objective, tier, &limit) != 0)
        return 0;
    double ratio = fraction_value(limit);
    return ratio > budget && ratio < 1 ? ratio : 0;
}

static struct guard_test test_of(double ratio, double budget, double events, double rate)
{
    return (struct guard_test){
        .ratio = ratio,
        .bad_step = log(ratio / budget),
        .good_step = log1p(-ratio) - log1p(-budget),
        .height = fmax(log(events * ratio / rate), 0),
    };
}

static int check(const struct objective *objective, int64_t interval_ms, double events, double budget,
                 struct err *err)
{
    double rate = objective->guard.false_page_rate;
    if (!(rate > 0 && rate < 1))
        return err_set(err, ERR_ARG, "%.*s: the rate of false pages must be over 0 and under 1",
                       STR_ARG(objective->id));
    if (!(budget > 0))
        return err_set(err, ERR_ARG, "%.*s: a target of 100 %% has no false pages: any error is one too many",
                       STR_ARG(objective->id));
    if (interval_ms <= 0 || !(events > 0) || isinf(events))
        return err_set(err, ERR_ARG, "%.*s: a rate of false pages needs an interval and a number of events",
                       STR_ARG(objective->id));
    return 0;
}

static size_t tiers_of(const struct objective *objective, enum tier_class class)
{
    size_t n = 0;
    for (size_t i = 0; i < objective->tier_count; i++)
        n += objective->tiers[i].class == class;
    return n;
}

/* The rate is shared by as many as there are, so it is known only once they are counted. */
static void add_trickles(const struct objective *objective, enum tier_class class, double budget,
                         double events, struct guard_plan *out)
{
    double ratios[GUARD_TESTS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < objective->tier_count; i++) {
        double ratio = trickle_ratio(objective, &objective->tiers[i], budget);
        if (objective->tiers[i].class == class && ratio > 0)
            ratios[n++] = ratio;
    }
    for (size_t i = 0; i < n; i++)
        out->tests[out->test_count++] =
            test_of(ratios[i], budget, events, objective->guard.false_page_rate * trickle_part / (double)n);
}

int guard_plan_make(const struct objective *objective, enum tier_class class, int64_t interval_ms,
                    double events, struct guard_plan *out, struct err *err)
{
    struct fraction exact = {0, 1};
    contract_budget(objective, &exact);
    double budget = fraction_value(exact), rate = objective->guard.false_page_rate;
    size_t tiers = tiers_of(objective, class);
    int rc = check(objective, interval_ms, events, budget, err);
    if (rc != 0)
        return rc;
    if (tiers >= GUARD_TESTS_MAX)
        return err_set(err, ERR_LIMIT, "%.*s: a rate of false pages is for at most %d tiers of a class",
                       STR_ARG(objective->id), GUARD_TESTS_MAX - 1);
    double slots = ceil((double)objective->period.length_ms / (double)interval_ms);
    *out = (struct guard_plan){.looks = slots * (double)(tiers > 0 ? tiers : 1), .test_count = 1};
    out->look_alpha = rate * window_part / out->looks;
    out->tests[0] = test_of(fmax(outage_ratio, (1 + budget) / 2), budget, events, rate * outage_part);
    add_trickles(objective, class, budget, events, out);
    return 0;
}

/* Past its height a weight is held back: else it would take the good events of weeks to undo an outage of hours, and until then any
 * single error were a page. */
void guard_count(const struct guard_plan *plan, struct guard_weights *weights, double bad, double good)
{
    for (size_t i = 0; i < plan->test_count; i++) {
        const struct guard_test *test = &plan->tests[i];
        double weight = weights->of[i] + bad * test->bad_step + good * test->good_step;
        weights->of[i] = fmin(fmax(weight, 0), test->height + test->bad_step);
    }
}

bool guard_goes_on(const struct guard_plan *plan, const struct guard_weights *weights)
{
    for (size_t i = 0; i < plan->test_count; i++)
        if (weights->of[i] >= plan->tests[i].height)
            return true;
    return false;
}

bool guard_agrees(const struct guard_plan *plan, const struct guard_weights *weights, int64_t bad,
                  int64_t total, double limit)
{
    return guard_goes_on(plan, weights) || guard_fires(bad, total, limit, plan->look_alpha);
}
