/* The burn policy's states, and what may go out in each. */
#include "tocsin/slo_gate.h"

enum { CALM_MS = 60 * 60 * 1000 };

static const double coverage_min = 0.5;

/* ---- states ---- */

struct gate_policy gate_policy_of(const struct objective *objective)
{
    const struct objective_ladder *ladder = &objective->ladder;
    struct gate_policy policy = {.inform = {1, 1}, .freeze = {4, 1}, .mitigate = {5, 1}};
    if (!ladder->asked)
        return policy;
    if (ladder->inform.numerator != 0)
        policy.inform = ladder->inform;
    if (ladder->freeze.numerator != 0)
        policy.freeze = ladder->freeze;
    if (ladder->mitigate.numerator != 0)
        policy.mitigate = ladder->mitigate;
    return policy;
}

static bool is_lit(const struct gate_reading *reading)
{
    return reading->known && reading->coverage >= coverage_min;
}

static bool over(double burn, struct fraction limit)
{
    return burn > fraction_value(limit);
}

static bool both_over(const struct gate_reading *reading, struct fraction limit)
{
    return over(reading->burn_1h, limit) && over(reading->burn_5m, limit);
}

enum gate_rung gate_rung(const struct gate_policy *policy, const struct gate_reading *reading)
{
    if (!is_lit(reading))
        return GATE_REST;
    if (both_over(reading, policy->mitigate))
        return GATE_MITIGATE;
    if (both_over(reading, policy->freeze))
        return GATE_FREEZE;
    return over(reading->burn_1h, policy->inform) ? GATE_INFORM : GATE_REST;
}

void gate_watch(const struct gate_policy *policy, const struct gate_reading *reading, int64_t now_ms,
                struct gate_freeze *freeze)
{
    bool calm = is_lit(reading) && reading->burn_6h < 1;
    if (!calm)
        freeze->calm_ms = 0;
    else if (freeze->calm_ms == 0)
        freeze->calm_ms = now_ms;
    if (is_lit(reading) && both_over(reading, policy->freeze)) {
        if (freeze->since_ms == 0)
            freeze->since_ms = now_ms;
    } else if (calm && now_ms - freeze->calm_ms >= CALM_MS && reading->remaining > 0) {
        freeze->since_ms = 0;
    }
}

static bool is_signed(const struct gate_glass *glass)
{
    return str_trim(glass->author).n > 0 && str_trim(glass->reason).n > 0;
}

bool gate_thaw(const struct gate_glass *glass, struct gate_freeze *freeze)
{
    if (!is_signed(glass))
        return false;
    freeze->since_ms = 0;
    return true;
}

enum gate_state gate_state(const struct gate_policy *policy, const struct gate_reading *reading,
                           const struct gate_freeze *freeze)
{
    if (!is_lit(reading))
        return freeze->since_ms != 0 ? GATE_FROZEN : GATE_DARK;
    if (!(reading->remaining > 0))
        return GATE_EXHAUSTED;
    if (freeze->since_ms != 0)
        return GATE_FROZEN;
    if (!(reading->forecast > 0) || over(reading->burn_1h, policy->freeze))
        return GATE_AT_RISK;
    return over(reading->burn_1h, policy->inform) ? GATE_SLOW : GATE_HEALTHY;
}

/* ---- decisions ---- */

/* Why a change that is not a repair may not go; risk and state decide. */
static struct gate_decision by_state(enum gate_state state, const struct gate_reading *reading,
                                     enum gate_risk risk)
{
    switch (state) {
    case GATE_HEALTHY:
        return (struct gate_decision){GATE_GO, state, GATE_WITHIN_BUDGET};
    case GATE_SLOW:
        if (risk < GATE_RISK_HIGH)
            return (struct gate_decision){GATE_GO, state, GATE_LOW_ENOUGH};
        return (struct gate_decision){GATE_NO, state, GATE_BURNING};
    case GATE_AT_RISK:
        if (risk < GATE_RISK_NORMAL)
            return (struct gate_decision){GATE_GO, state, GATE_LOW_ENOUGH};
        return (struct gate_decision){GATE_NO, state, GATE_BUDGET_AT_RISK};
    case GATE_FROZEN:
        return (struct gate_decision){GATE_NO, state, GATE_IS_FROZEN};
    case GATE_EXHAUSTED:
        return (struct gate_decision){GATE_NO, state, GATE_BUDGET_GONE};
    case GATE_DARK:
        break;
    }
    return (struct gate_decision){GATE_UNKNOWN, GATE_DARK, reading->known ? GATE_LITTLE_DATA : GATE_NO_DATA};
}

static struct gate_decision decide(enum gate_state state, const struct gate_reading *reading,
                                   const struct gate_change *change)
{
    struct gate_decision decision = by_state(state, reading, change->risk);
    if (change->risk == GATE_RISK_REPAIR && state != GATE_HEALTHY)
        return (struct gate_decision){GATE_GO, state, GATE_IS_REPAIR};
    if (decision.verdict != GATE_GO && is_signed(&change->glass))
        return (struct gate_decision){GATE_GO, state, GATE_GLASS_BROKEN};
    return decision;
}

/* ---- words ---- */

static void put_minutes(struct buf *words, int64_t ms)
{
    buf_format(words, "%lldm", (long long)((ms + 59999) / 60000));
}

static void put_thaw(const struct gate_reading *reading, const struct gate_freeze *freeze, int64_t now_ms,
                     struct buf *words)
{
    if (!is_lit(reading)) {
        buf_puts(words, "bring the data back, then burn over 6h must stay under 1 for 60m");
    } else if (freeze->calm_ms == 0) {
        buf_format(words, "burn over 6h (%.3g now) must stay under 1 for 60m", reading->burn_6h);
    } else if (now_ms - freeze->calm_ms < CALM_MS) {
        buf_puts(words, "wait ");
        put_minutes(words, CALM_MS - (now_ms - freeze->calm_ms));
        buf_puts(words, ", if burn over 6h stays under 1");
    } else {
        buf_format(words, "burn over 5m (%.3g now) and over 1h (%.3g now) must come down", reading->burn_5m,
                   reading->burn_1h);
    }
}

static void put_frozen(const struct gate_reading *reading, const struct gate_freeze *freeze, int64_t now_ms,
                       struct buf *words)
{
    buf_puts(words, "frozen for ");
    put_minutes(words, now_ms - freeze->since_ms);
    buf_puts(words, "; cheapest: a repair may go; or ");
    put_thaw(reading, freeze, now_ms, words);
}

static void put_go(const struct gate_decision *decision, const struct gate_reading *reading,
                   const struct gate_change *change, struct buf *words)
{
    if (decision->reason == GATE_WITHIN_BUDGET)
        buf_format(words, "%.3g%% of the budget remains, and it lasts", 100 * reading->remaining);
    else if (decision->reason == GATE_IS_REPAIR)
        buf_format(words, "a repair may go while the budget is %s", gate_state_name(decision->state));
    else if (decision->reason == GATE_GLASS_BROKEN)
        buf_format(words, "glass broken by %.*s: %.*s (the budget is %s)",
                   STR_ARG(str_trim(change->glass.author)), STR_ARG(str_trim(change->glass.reason)),
                   gate_state_name(decision->state));
    else
        buf_format(words, "burn over 1h is %.3g; a change of %s risk may go", reading->burn_1h,
                   gate_risk_name(change->risk));
}

static void put_at_risk(const struct gate_policy *policy, const struct gate_reading *reading,
                        struct buf *words)
{
    if (!(reading->forecast > 0))
        buf_format(words, "at this pace the budget ends the period at %.3g%%", 100 * reading->forecast);
    else
        buf_format(words, "burn over 1h is %.3g, over %.3g", reading->burn_1h,
                   fraction_value(policy->freeze));
    buf_puts(words, "; cheapest: make it a change of low risk (smaller, behind a flag, a canary first)");
}

static void put_no(const struct gate_policy *policy, const struct gate_decision *decision,
                   const struct gate_reading *reading, struct buf *words)
{
    switch (decision->reason) {
    case GATE_BURNING:
        buf_format(words,
                   "burn over 1h is %.3g; cheapest: split it into changes of normal risk, or wait until it "
                   "is no more than %.3g",
                   reading->burn_1h, fraction_value(policy->inform));
        break;
    case GATE_BUDGET_AT_RISK:
        put_at_risk(policy, reading, words);
        break;
    case GATE_BUDGET_GONE:
        buf_format(words,
                   "%.3g%% of the budget remains; cheapest: a repair may go; or wait until old errors leave "
                   "the period, or correct "
                   "what should not count",
                   100 * reading->remaining);
        break;
    case GATE_LITTLE_DATA:
        buf_format(words,
                   "only %.3g%% of the period is known; cheapest: fill in the missing slices to %.3g%%",
                   100 * reading->coverage, 100 * coverage_min);
        break;
    default:
        buf_puts(words, "nothing is known of the period; cheapest: bring the data back");
        break;
    }
}

/* Somebody tried to break the glass and did it wrong: the way out is one word away. */
static void put_glass(const struct gate_change *change, struct buf *words)
{
    bool author = str_trim(change->glass.author).n > 0, reason = str_trim(change->glass.reason).n > 0;
    if (author && !reason)
        buf_puts(words, "; the glass stays whole without a reason");
    else if (reason && !author)
        buf_puts(words, "; the glass stays whole without an author");
    else
        buf_puts(words, "; or break the glass, with a name and a reason");
}

struct gate_decision gate_decide(const struct gate_policy *policy, const struct gate_reading *reading,
                                 const struct gate_freeze *freeze, const struct gate_change *change,
                                 int64_t now_ms, struct buf *words)
{
    struct gate_decision decision = decide(gate_state(policy, reading, freeze), reading, change);
    if (decision.verdict == GATE_GO) {
        put_go(&decision, reading, change, words);
        return decision;
    }
    if (decision.reason == GATE_IS_FROZEN)
        put_frozen(reading, freeze, now_ms, words);
    else
        put_no(policy, &decision, reading, words);
    put_glass(change, words);
    return decision;
}

/* ---- names ---- */

const char *gate_state_name(enum gate_state state)
{
    static const char *const names[] = {"healthy", "slow", "at_risk", "frozen", "exhausted", "unknown"};
    return names[state];
}

const char *gate_verdict_name(enum gate_verdict verdict)
{
    static const char *const names[] = {"GO", "NO", "UNKNOWN"};
    return names[verdict];
}

const char *gate_reason_name(enum gate_reason reason)
{
    static const char *const names[] = {"within_budget", "is_repair",      "glass_broken", "low_enough",
                                        "burning",       "budget_at_risk", "is_frozen",    "budget_gone",
                                        "no_data",       "little_data"};
    return names[reason];
}

const char *gate_risk_name(enum gate_risk risk)
{
    static const char *const names[] = {"repair", "low", "normal", "high"};
    return names[risk];
}

const char *gate_rung_name(enum gate_rung rung)
{
    static const char *const names[] = {"rest", "inform", "freeze", "mitigate"};
    return names[rung];
}
