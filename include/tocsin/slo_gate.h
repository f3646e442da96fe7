/*
 * slo_gate: whether a change may go out, by the budget of its objective; and the states of the burn policy behind that.
 *
 * Pure: what is read of the budget goes in with the time, what to do comes out; the only memory is struct gate_freeze, which whoever asks
 * keeps. "Over" is strictly over: a burn rate that is equal to a limit does nothing.
 *
 *   state      entered                                               left
 *   unknown    nothing is known, or less than half of the slices     something is known
 *   exhausted  remaining <= 0                                        remaining > 0
 *   frozen     burn over 5m and over 1h both over `freeze` (4)       burn over 6h under 1 for an hour, and remaining > 0; or glass broken
 *   at_risk    the budget will be gone before the period ends        forecast over 0, and burn over 1h no more than `freeze`
 *              (forecast <= 0), or burn over 1h is over `freeze`
 *   slow       burn over 1h is over `inform` (1)                     burn over 1h no more than `inform`
 *   healthy    otherwise
 *
 * Of several that hold the first in this order counts, but a freeze outlasts a loss of data: what is frozen stays so while nothing is
 * known, and that hour of calm begins anew.
 *
 * What may go:   healthy: all; slow: all but high risk; at_risk: low risk; frozen, exhausted: nothing; unknown: it is not known. A
 * repair (a rollback, a fix of what burns) may always go: a gate that holds back the cure makes the outage longer. Breaking the
 * glass lets anything go, if somebody gives a name and a reason.
 */
#ifndef TOCSIN_SLO_GATE_H
#define TOCSIN_SLO_GATE_H

#include "tocsin/objective.h"

enum gate_state { GATE_HEALTHY, GATE_SLOW, GATE_AT_RISK, GATE_FROZEN, GATE_EXHAUSTED, GATE_DARK };

enum gate_verdict { GATE_GO = 0, GATE_NO = 1, GATE_UNKNOWN = 2 }; /* exit codes */

enum gate_risk { GATE_RISK_REPAIR, GATE_RISK_LOW, GATE_RISK_NORMAL, GATE_RISK_HIGH };

enum gate_reason {
    GATE_WITHIN_BUDGET,
    GATE_IS_REPAIR,
    GATE_GLASS_BROKEN,
    GATE_LOW_ENOUGH, /* the budget is under strain, but a change of this risk may go */
    GATE_BURNING,    /* slow, and the risk is high */
    GATE_BUDGET_AT_RISK,
    GATE_IS_FROZEN,
    GATE_BUDGET_GONE,
    GATE_NO_DATA,
    GATE_LITTLE_DATA
};

/* Over which burn rates what happens: the objective's ladder, or 1, 4 and 5. */
struct gate_policy {
    struct fraction inform, freeze, mitigate;
};

struct gate_reading {
    bool known;      /* there was any data in the period */
    double coverage; /* share of the period's slices so far that are known, 0 to 1 */
    /* Times the budget's pace; NaN where there were no events: nothing burns then, but it is not calm for sure either. */
    double burn_5m, burn_1h, burn_6h;
    double remaining; /* share of the budget; below 0: overdrawn */
    double forecast;  /* what will remain at the period's end if it goes on so */
};

struct gate_freeze {
    int64_t since_ms; /* 0: not frozen */
    int64_t calm_ms;  /* burn over 6h has been under 1 since then; 0: it is not */
};

/* What the ladder asks for at the moment; each rung includes those before it, and only the highest is to be told. */
enum gate_rung { GATE_REST, GATE_INFORM, GATE_FREEZE, GATE_MITIGATE };

struct gate_glass {
    struct str author, reason; /* both must be given */
};

struct gate_change {
    enum gate_risk risk;
    struct gate_glass glass; /* both empty: it is whole */
};

struct gate_decision {
    enum gate_verdict verdict;
    enum gate_state state;
    enum gate_reason reason;
};

/* From the objective's ladder if it has one. */
struct gate_policy gate_policy_of(const struct objective *objective);

/* INFORM: burn over 1h over `inform`. FREEZE (and page), MITIGATE: burns over 1h and 5m both over the limit. Nothing of what is not known. */
enum gate_rung gate_rung(const struct gate_policy *policy, const struct gate_reading *reading);

/* Enters and leaves the freeze; to be called with each new reading. now_ms > 0. */
void gate_watch(const struct gate_policy *policy, const struct gate_reading *reading, int64_t now_ms,
                struct gate_freeze *freeze);

/* Ends a freeze by hand; false if the glass is unsigned. While it burns as before, the next gate_watch freezes again. */
bool gate_thaw(const struct gate_glass *glass, struct gate_freeze *freeze);

enum gate_state gate_state(const struct gate_policy *policy, const struct gate_reading *reading,
                           const struct gate_freeze *freeze);

/* Decides, and appends to *words why, and, unless it is GO, the cheapest way to GO. */
struct gate_decision gate_decide(const struct gate_policy *policy, const struct gate_reading *reading,
                                 const struct gate_freeze *freeze, const struct gate_change *change,
                                 int64_t now_ms, struct buf *words);

const char *gate_state_name(enum gate_state state);       /* "at_risk"; GATE_DARK: "unknown" */
const char *gate_verdict_name(enum gate_verdict verdict); /* "GO" */
const char *gate_reason_name(enum gate_reason reason);    /* "within_budget" */
const char *gate_risk_name(enum gate_risk risk);          /* "normal" */
const char *gate_rung_name(enum gate_rung rung);          /* "freeze" */

#endif
