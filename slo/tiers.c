/* The SRE workbook's windows and shares of the budget, for any period. */
#include "tocsin/objective.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS, TIERS = 4 };

struct pace {
    const char *name;
    enum tier_class class;
    int64_t percent, short_ms, long_ms;
};

static const struct pace paces[TIERS] = {
    {"page_quick", TIER_PAGE, 2, 5 * MINUTE_MS, HOUR_MS},
    {"page_slow", TIER_PAGE, 5, 30 * MINUTE_MS, 6 * HOUR_MS},
    {"ticket_quick", TIER_TICKET, 10, 2 * HOUR_MS, DAY_MS},
    {"ticket_slow", TIER_TICKET, 10, 6 * HOUR_MS, 3 * DAY_MS},
};

/* Under a factor of 1 a tier would alert while the objective is met, as Sloth's own windows of 28 days do. */
static struct fraction factor_of(const struct pace *pace, int64_t period_ms)
{
    struct fraction factor;
    if (fraction_make(pace->percent * period_ms, 100 * pace->long_ms, &factor) != 0 ||
        factor.numerator < factor.denominator)
        return (struct fraction){1, 1};
    return factor;
}

struct objective_tier *objective_tiers_default(struct arena *arena, int64_t period_ms)
{
    struct objective_tier *tiers = ARENA_ARRAY(arena, struct objective_tier, TIERS);
    for (size_t i = 0; tiers != NULL && i < TIERS; i++) {
        const struct pace *pace = &paces[i];
        tiers[i] = (struct objective_tier){
            .name = str_of(pace->name),
            .class = pace->class,
            .severity = pace->class == TIER_PAGE ? STR("page") : STR("ticket"),
            .short_ms = pace->short_ms,
            .long_ms = pace->long_ms,
            .factor = factor_of(pace, period_ms),
        };
    }
    return tiers;
}
