/* Promises that cannot be kept. */
#include "contract_priv.h"

#include "tocsin/duration.h"

enum { TEXT_MAX = 512, SLICES_MIN = 12, WIDE_PART = 6, SAMPLES_MIN = 2 };

static const struct {
    const char *name;
    enum contract_weight weight;
} lints[CONTRACT_LINT_COUNT] = {
    [CONTRACT_TIER_NEVER] = {"tier-never", CONTRACT_ERROR},
    [CONTRACT_TIER_UNDER_PACE] = {"tier-under-pace", CONTRACT_WARNING},
    [CONTRACT_HOLE] = {"hole", CONTRACT_WARNING},
    [CONTRACT_LATE] = {"late", CONTRACT_WARNING},
    [CONTRACT_RETENTION] = {"window-over-retention", CONTRACT_ERROR},
    [CONTRACT_WINDOW_EMPTY] = {"window-empty", CONTRACT_ERROR},
    [CONTRACT_SHORT_SCRAPES] = {"short-under-scrapes", CONTRACT_ERROR},
    [CONTRACT_SHORT_NOT_SHORTER] = {"short-not-shorter", CONTRACT_ERROR},
    [CONTRACT_SHORT_WIDE] = {"short-wide", CONTRACT_WARNING},
    [CONTRACT_OVER_PERIOD] = {"window-over-period", CONTRACT_ERROR},
    [CONTRACT_NO_BUDGET] = {"no-budget", CONTRACT_WARNING},
    [CONTRACT_FEW_SLICES] = {"few-slices", CONTRACT_WARNING},
    [CONTRACT_FEW_EVENTS] = {"few-events", CONTRACT_HINT},
    [CONTRACT_NO_OWNER] = {"no-owner", CONTRACT_HINT},
    [CONTRACT_NO_RUNBOOK] = {"no-runbook", CONTRACT_HINT},
};

const char *contract_lint_name(enum contract_lint lint)
{
    return lints[lint].name;
}

enum contract_weight contract_lint_weight(enum contract_lint lint)
{
    return lints[lint].weight;
}

struct linting {
    const struct objective *objective;
    const struct contract_pace *pace;
    struct arena *arena;
    struct fraction budget;
    struct contract_finding *found;
    size_t count, capacity;
};

__attribute__((format(printf, 4, 5))) static void tell(struct linting *l, enum contract_lint lint,
                                                       const struct objective_tier *tier, const char *format,
                                                       ...)
{
    struct buf text;
    va_list args;
    ARENA_GROW(l->arena, l->found, l->count, l->capacity);
    if (l->found == NULL)
        return;
    buf_init(&text, TEXT_MAX);
    if (tier != NULL)
        buf_format(&text, "tier %.*s ", STR_ARG(tier->name));
    va_start(args, format);
    buf_vformat(&text, format, args);
    va_end(args);
    l->found[l->count++] = (struct contract_finding){lint, tier, str_copy(l->arena, buf_slice(&text))};
    buf_release(&text);
}

static const char *span(struct linting *l, int64_t ms)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    duration_print(&text, ms);
    const char *copy = arena_copy_text(l->arena, buf_text(&text), text.used);
    buf_release(&text);
    return copy != NULL ? copy : "";
}

static double percent(struct fraction f)
{
    return 100 * fraction_value(f);
}

/* ---- one tier ---- */

static void check_factor(struct linting *l, const struct objective_tier *tier, struct fraction limit)
{
    double factor = fraction_value(tier->factor);
    if (contract_unreachable(limit))
        tell(l, CONTRACT_TIER_NEVER, tier,
             "cannot fire: %.6g times a budget of %.6g %% is %.6g %% of all events, and never are more bad "
             "than all; take "
             "a factor under %.6g",
             factor, percent(l->budget), percent(limit), 1 / fraction_value(l->budget));
    if (fraction_over(contract_whole, tier->factor))
        tell(l, CONTRACT_TIER_UNDER_PACE, tier,
             "fires at %.6g times the budget's pace, while the objective is met; take a factor of 1 or more, "
             "so at least "
             "%.6g %% of the budget in %s",
             factor, 100 * (double)tier->long_ms / (double)l->objective->period.length_ms,
             span(l, tier->long_ms));
}

static void check_short(struct linting *l, const struct objective_tier *tier)
{
    const char *short_text = span(l, tier->short_ms), *long_text = span(l, tier->long_ms);
    int64_t scrape_ms = l->pace->scrape_ms;
    if (tier->short_ms >= tier->long_ms)
        tell(l, CONTRACT_SHORT_NOT_SHORTER, tier,
             "has a short window (%s) that is no shorter than its long one (%s), so the alert outlasts its "
             "errors by all of "
             "it; take a twelfth, %s",
             short_text, long_text, span(l, tier->long_ms / SLICES_MIN));
    else if (tier->short_ms > tier->long_ms / WIDE_PART)
        tell(l, CONTRACT_SHORT_WIDE, tier,
             "has a short window (%s) over a sixth of its long one (%s), so its alert is slow to end; take a "
             "twelfth, %s",
             short_text, long_text, span(l, tier->long_ms / SLICES_MIN));
    if (tier->short_ms < SAMPLES_MIN * scrape_ms)
        tell(l, CONTRACT_SHORT_SCRAPES, tier,
             "has a short window (%s) that may hold less than two samples, and then nothing is known of it; "
             "scrape every %s, "
             "or take at least %s",
             short_text, span(l, tier->short_ms / SAMPLES_MIN), span(l, SAMPLES_MIN * scrape_ms));
    if (l->objective->budgeting == BUDGET_SLICES && tier->short_ms < SLICES_MIN * l->objective->slice_ms)
        tell(l, CONTRACT_FEW_SLICES, tier,
             "has a short window (%s) of fewer than 12 slices, of which each is too large a share; take at "
             "least %s, or "
             "slices of %s",
             short_text, span(l, SLICES_MIN * l->objective->slice_ms), span(l, tier->short_ms / SLICES_MIN));
}

static void check_long(struct linting *l, const struct objective_tier *tier)
{
    const struct period *period = &l->objective->period;
    if (tier->long_ms > period->length_ms)
        tell(l, CONTRACT_OVER_PERIOD, tier,
             "looks at %s, which is longer than the period of %s; take a shorter one", span(l, tier->long_ms),
             span(l, period->length_ms));
    if (l->pace->retention_ms > 0 && tier->long_ms > l->pace->retention_ms)
        tell(l, CONTRACT_RETENTION, tier,
             "looks at %s, but samples are kept for %s only, and the rest of the window would count as "
             "nothing; keep them longer",
             span(l, tier->long_ms), span(l, l->pace->retention_ms));
}

static bool counts_events(const struct objective *objective)
{
    return objective->budgeting == BUDGET_EVENTS && objective->indicator.kind <= INDICATOR_GOOD;
}

/* Something keeps a single bad event from paging. */
static bool is_guarded(const struct objective_guard *guard, struct fraction limit)
{
    return guard->bad_min > 1 || guard->correct_traffic || guard->false_page_rate > 0 ||
           guard->total_min >= contract_events_min(limit, 1);
}

static void check_events(struct linting *l, const struct objective_tier *tier, struct fraction limit)
{
    double events = l->pace->events_per_hour * (double)tier->long_ms / (3600 * 1e3);
    int64_t least = contract_events_min(limit, 1);
    if (events <= 0 || tier->class != TIER_PAGE || !counts_events(l->objective) || least == INT64_MAX ||
        events >= (double)least || is_guarded(&l->objective->guard, limit))
        return;
    tell(l, CONTRACT_FEW_EVENTS, tier,
         "pages for a single bad event: %s holds about %.6g events, and with fewer than %lld one is over the "
         "limit; ask for more "
         "bad events, or for a rate of false pages",
         span(l, tier->long_ms), events, (long long)least);
}

static int check_tier(struct linting *l, const struct objective_tier *tier)
{
    struct fraction limit;
    int rc = contract_limit(l->objective, tier, &limit);
    if (rc != 0)
        return rc;
    if (tier->short_ms <= 0 || tier->long_ms <= 0) {
        tell(l, CONTRACT_WINDOW_EMPTY, tier,
             "has a window of %s, in which there is nothing to see; take at least two scrapes",
             span(l, tier->short_ms <= 0 ? tier->short_ms : tier->long_ms));
        return 0;
    }
    if (l->budget.numerator > 0)
        check_factor(l, tier, limit);
    check_short(l, tier);
    check_long(l, tier);
    check_events(l, tier, limit);
    return 0;
}

/* ---- all tiers together ---- */

/* NULL: none of them can fire. */
static const struct objective_tier *lowest_tier(const struct objective *objective)
{
    const struct objective_tier *lowest = NULL;
    for (size_t i = 0; i < objective->tier_count; i++) {
        const struct objective_tier *tier = &objective->tiers[i];
        struct fraction limit;
        if (contract_limit(objective, tier, &limit) != 0 || contract_unreachable(limit) ||
            tier->short_ms <= 0 || tier->long_ms <= 0)
            continue;
        if (lowest == NULL || fraction_over(lowest->factor, tier->factor))
            lowest = tier;
    }
    return lowest;
}

/* At a pace of exactly 1 the budget lasts to the period's end, so that a lowest factor of 1 leaves nothing out. */
static void check_hole(struct linting *l)
{
    const struct objective_tier *lowest = lowest_tier(l->objective);
    int64_t period_ms = l->objective->period.length_ms;
    if (lowest == NULL) {
        tell(l, CONTRACT_HOLE, NULL,
             "no level of errors is told to anybody; add a tier with a factor of 1, over %s",
             span(l, period_ms / 10));
        return;
    }
    if (!fraction_over(lowest->factor, contract_whole))
        return;
    double factor = fraction_value(lowest->factor);
    tell(l, CONTRACT_HOLE, NULL,
         "errors of %.6g %% to %.6g %% (1 to %.6g times the budget's pace) spend the whole budget, in %s at "
         "the fastest, and nobody is "
         "told; add a tier with a factor of 1, over %s",
         percent(l->budget), factor * percent(l->budget), factor,
         span(l, (int64_t)((double)period_ms / factor) / 1000 * 1000), span(l, period_ms / 10));
}

/* The sooner the budget is gone, the less time there is for scrapes, evaluations, `for` and group_wait, which do not shrink with it: a total
 * outage is the worst. */
static int check_late(struct linting *l, struct err *err)
{
    struct contract_level level;
    int64_t told_ms = INT64_MAX;
    int rc = contract_level(l->objective, l->pace, contract_whole, l->arena, &level, err);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < l->objective->tier_count; i++)
        if (level.tiers[i].fires && level.tiers[i].told_ms < told_ms)
            told_ms = level.tiers[i].told_ms;
    if (told_ms != INT64_MAX && told_ms > level.gone_ms)
        tell(l, CONTRACT_LATE, NULL,
             "in a total outage the budget is gone after %s, and nobody is told before %s; shorten `for`, "
             "group_wait or the "
             "intervals, or promise less",
             span(l, level.gone_ms), span(l, told_ms));
    return 0;
}

static int check_objective(struct linting *l, struct err *err)
{
    const struct objective *objective = l->objective;
    if (objective->owner.n == 0)
        tell(l, CONTRACT_NO_OWNER, NULL,
             "nobody owns it; name an owner, who decides when its budget is gone");
    if (objective->runbook.n == 0)
        tell(l, CONTRACT_NO_RUNBOOK, NULL, "its pages do not say what to do; link a runbook");
    if (l->budget.numerator == 0) {
        tell(
            l, CONTRACT_NO_BUDGET, NULL,
            "a target of 100 %% leaves no budget: any single error fires every tier; take 99.99 %%, or less");
        return 0;
    }
    check_hole(l);
    return check_late(l, err);
}

int contract_lints(const struct objective *objective, const struct contract_pace *pace, struct arena *arena,
                   struct contract_finding **out, size_t *count, struct err *err)
{
    struct linting l = {.objective = objective, .pace = pace, .arena = arena};
    int rc = contract_budget(objective, &l.budget);
    for (size_t i = 0; rc == 0 && i < objective->tier_count; i++)
        rc = check_tier(&l, &objective->tiers[i]);
    if (rc != 0)
        return contract_too_large(objective, err);
    rc = check_objective(&l, err);
    if (rc != 0)
        return rc;
    if (arena_exhausted(arena))
        return err_set(err, ERR_LIMIT, "%.*s: no memory for what is to be said of it",
                       STR_ARG(objective->id));
    *out = l.found;
    *count = l.count;
    return 0;
}
