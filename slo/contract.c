/* After how long who is told of a level of errors. */
#include "contract_priv.h"

int contract_too_large(const struct objective *objective, struct err *err)
{
    return err_set(err, ERR_LIMIT, "%.*s: target, factors or windows have too many digits to reckon with",
                   STR_ARG(objective->id));
}

int contract_limit(const struct objective *objective, const struct objective_tier *tier,
                   struct fraction *limit)
{
    struct fraction budget;
    int rc = contract_budget(objective, &budget);
    return rc == 0 ? fraction_multiply(budget, tier->factor, limit) : rc;
}

/* Long enough for everybody, and no sum of a few of them overflows. */
static const int64_t forever_ms = INT64_MAX / 8;

static int64_t clamp(__int128 n)
{
    return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

static int64_t times_down(struct fraction f, int64_t n)
{
    return clamp((__int128)f.numerator * n / f.denominator);
}

static int64_t times_up(struct fraction f, int64_t n)
{
    return clamp(((__int128)f.numerator * n + f.denominator - 1) / f.denominator);
}

int64_t contract_events_min(struct fraction limit, int64_t bad)
{
    return limit.numerator <= 0 ? INT64_MAX
                                : times_up((struct fraction){limit.denominator, limit.numerator}, bad);
}

static int64_t whole_steps(int64_t span_ms, int64_t step_ms)
{
    return step_ms > 0 ? (span_ms + step_ms - 1) / step_ms * step_ms : span_ms;
}

/* ---- one tier ---- */

/* A level of errors as the tiers of one objective see it. */
struct burden {
    const struct objective *objective;
    const struct contract_pace *pace;
    struct fraction error;
    struct fraction share; /* of what the budget counts: of bad events, or of bad slices */
    bool sliced;           /* only whole slices count */
    int64_t head_ms;       /* so long at most what began has not counted yet; of means, what ended neither */
};

/* By events; by means of slices it is the same, a slice later. */
static int64_t trip_by_share(const struct burden *burden, const struct objective_tier *tier,
                             struct fraction part)
{
    return times_up(part, tier->long_ms) + burden->head_ms;
}

/* The n-th bad slice is the first that brings the window over its limit. */
static int64_t trip_by_slices(const struct burden *burden, const struct objective_tier *tier,
                              struct fraction limit)
{
    int64_t slice_ms = burden->objective->slice_ms;
    int64_t bad = times_down(limit, tier->long_ms / slice_ms) + 1;
    struct fraction each = {burden->share.denominator, burden->share.numerator};
    int64_t ms = clamp((__int128)times_up(each, bad) * slice_ms);
    return (ms < forever_ms ? ms : forever_ms) + burden->head_ms;
}

static int64_t reset_by_share(const struct burden *burden, const struct objective_tier *tier,
                              struct fraction part)
{
    return tier->short_ms - times_down(part, tier->short_ms) + burden->head_ms;
}

/* The slice in which the errors end may be bad as a whole. */
static int64_t reset_by_slices(const struct burden *burden, const struct objective_tier *tier,
                               struct fraction limit)
{
    int64_t slice_ms = burden->objective->slice_ms, slices = tier->short_ms / slice_ms;
    return (slices - times_down(limit, slices) + 1) * slice_ms;
}

static double spent_after(const struct burden *burden, struct fraction budget, int64_t ms)
{
    return fraction_value(burden->share) * (double)ms /
           (fraction_value(budget) * (double)burden->objective->period.length_ms);
}

static void fill_times(const struct burden *burden, const struct objective_tier *tier, struct fraction limit,
                       struct fraction part, struct contract_tier *out)
{
    const struct contract_pace *pace = burden->pace;
    int64_t seen_ms = pace->scrape_ms + pace->interval_ms;
    out->trip_ms = burden->sliced ? trip_by_slices(burden, tier, limit) : trip_by_share(burden, tier, part);
    out->told_ms =
        out->trip_ms + seen_ms + whole_steps(tier->for_ms, pace->interval_ms) + pace->group_wait_ms;
    out->reset_ms =
        (burden->sliced ? reset_by_slices(burden, tier, limit) : reset_by_share(burden, tier, part)) +
        seen_ms;
}

static int fill_tier(const struct burden *burden, const struct objective_tier *tier,
                     struct contract_tier *out)
{
    struct fraction limit, budget, part, inverse = {burden->share.denominator, burden->share.numerator};
    int rc = contract_limit(burden->objective, tier, &limit);
    if (rc == 0)
        rc = contract_budget(burden->objective, &budget);
    if (rc != 0 || !fraction_over(burden->share, limit) || tier->short_ms <= 0 || tier->long_ms <= 0)
        return rc;
    rc = fraction_multiply(limit, inverse, &part);
    if (rc != 0)
        return rc;
    out->fires = true;
    fill_times(burden, tier, limit, part, out);
    out->spent = spent_after(burden, budget, out->told_ms);
    return 0;
}

/* ---- all of them ---- */

static int weigh_slices(struct burden *burden)
{
    const struct objective *objective = burden->objective;
    struct fraction spare, filled;
    burden->sliced = true;
    if (objective->indicator.kind == INDICATOR_THRESHOLD)
        return 0; /* decided by the value at the slice's end */
    int rc = fraction_subtract(contract_whole, objective->slice_target, &spare);
    if (rc != 0)
        return rc;
    if (!fraction_over(burden->error, spare)) {
        burden->share = (struct fraction){0, 1};
        return 0;
    }
    burden->share = contract_whole;
    rc = fraction_multiply(spare, (struct fraction){burden->error.denominator, burden->error.numerator},
                           &filled);
    burden->head_ms = rc == 0 ? times_up(filled, objective->slice_ms) : 0;
    return rc;
}

static int weigh(struct burden *burden)
{
    burden->share = burden->error;
    if (burden->objective->budgeting == BUDGET_SLICES)
        return weigh_slices(burden);
    if (burden->objective->budgeting == BUDGET_RATIOS)
        burden->head_ms = burden->objective->slice_ms;
    return 0;
}

static int fill_whole(const struct burden *burden, struct contract_level *out)
{
    struct fraction budget, of_period;
    int rc = contract_budget(burden->objective, &budget);
    if (rc != 0)
        return rc;
    out->burn = fraction_value(burden->share) / fraction_value(budget);
    out->gone_ms = INT64_MAX;
    if (burden->share.numerator == 0)
        return 0;
    rc = fraction_multiply(budget, (struct fraction){burden->share.denominator, burden->share.numerator},
                           &of_period);
    out->gone_ms = rc == 0 ? times_up(of_period, burden->objective->period.length_ms) : 0;
    return rc;
}

static void note_first(const struct objective_tier *tier, size_t at, struct contract_level *out)
{
    const struct contract_tier *now = &out->tiers[at];
    int *first = &out->first[tier->class];
    if (!now->fires)
        return;
    if (*first == CONTRACT_NOBODY || now->told_ms < out->tiers[*first].told_ms)
        *first = (int)at;
    if (now->reset_ms > out->over_ms[tier->class])
        out->over_ms[tier->class] = now->reset_ms;
}

int contract_level(const struct objective *objective, const struct contract_pace *pace, struct fraction error,
                   struct arena *arena, struct contract_level *out, struct err *err)
{
    struct burden burden = {.objective = objective, .pace = pace, .error = error};
    if (error.numerator <= 0 || fraction_over(error, contract_whole))
        return err_set(err, ERR_ARG, "a level of errors is a share over 0 and up to 1");
    if (objective->budgeting != BUDGET_EVENTS && objective->slice_ms <= 0)
        return err_set(err, ERR_ARG, "%.*s: its slices have no length", STR_ARG(objective->id));
    *out = (struct contract_level){.error = error, .first = {CONTRACT_NOBODY, CONTRACT_NOBODY}};
    out->tiers = ARENA_ARRAY(arena, struct contract_tier, objective->tier_count);
    if (out->tiers == NULL)
        return err_set(err, ERR_LIMIT, "%.*s: no memory for its tiers", STR_ARG(objective->id));
    int rc = weigh(&burden);
    if (rc == 0)
        rc = fill_whole(&burden, out);
    for (size_t i = 0; rc == 0 && i < objective->tier_count; i++) {
        rc = fill_tier(&burden, &objective->tiers[i], &out->tiers[i]);
        note_first(&objective->tiers[i], i, out);
    }
    return rc == 0 ? 0 : contract_too_large(objective, err);
}
