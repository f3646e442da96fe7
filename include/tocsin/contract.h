/*
 * contract: what an objective promises before there is any data: after how long at worst who is told of which level of errors, how
 * much of the budget is gone by then, and when it is over; and lints on promises that cannot be kept.
 *
 * The model: traffic is constant, the history is healthy and at least as long as the longest window, and from one moment on a
 * constant share `e` of all events is bad. The long window L then passes the limit f*b (factor times budget) after f*b/e * L, which is
 * later than the short one does; a tier whose limit is e or more never fires, since equal is not over. On top of that come, at
 * worst, one scrape interval, one evaluation interval, `for` (up to whole evaluations) and group_wait. After the errors' end the short
 * window S lets go after S * (1 - f*b/e), and is seen to one scrape and one evaluation later.
 *
 * Of slices, `e` makes each slice good or bad as a whole: the first one, which the errors do not fill, may still be good. Of a
 * threshold on a value `e` is the share of slices over it, evenly spread.
 *
 * Drawback: guards against few events (objective.h) depend on the traffic and are not looked at, and with less history than L a
 * tier fires sooner than told here, since its long window is all errors then. Steps after the alert left for its group (escalation) are not known here.
 *
 * Source: The Site Reliability Workbook, chapter 5.
 */
#ifndef TOCSIN_CONTRACT_H
#define TOCSIN_CONTRACT_H

#include "tocsin/objective.h"

/* How all around the objective moves. */
struct contract_pace {
    int64_t
        scrape_ms; /* between two samples of what is counted; 0: they come all the time, or it is not known */
    int64_t interval_ms;    /* between two evaluations */
    int64_t group_wait_ms;  /* of the route that the alerts take */
    int64_t retention_ms;   /* how long samples are kept; 0: not known */
    double events_per_hour; /* of the indicator's total; 0: not known */
};

/* ---- who is told when ---- */

struct contract_tier {
    bool fires;
    int64_t
        trip_ms; /* later than that after the errors began its condition holds, were there no samples and evaluations */
    int64_t told_ms; /* the notification leaves, at worst */
    int64_t
        reset_ms; /* after the errors' end the alert is over, at worst; the group's interval comes on top */
    double spent; /* share of the period's budget that is gone at told_ms; above 1 it is overdrawn */
};

enum { CONTRACT_NOBODY = -1, CONTRACT_CLASSES = 2 };

struct contract_level {
    struct fraction error;
    double burn;                 /* how many times the budget's pace */
    int64_t gone_ms;             /* a full budget is spent; INT64_MAX: it never is */
    struct contract_tier *tiers; /* in the order of the objective's */
    int first[CONTRACT_CLASSES]; /* by enum tier_class: which tier tells first, or CONTRACT_NOBODY */
    int64_t over_ms
        [CONTRACT_CLASSES]; /* the last of the class's alerts is over, after an outage long enough for all of them */
};

/* Over which share of bad events a tier fires: factor times budget. ERR_LIMIT as of fractions. */
int contract_limit(const struct objective *objective, const struct objective_tier *tier,
                   struct fraction *limit);

/* What follows from a share of errors, 0 < error <= 1. The tiers are in the arena. ERR_ARG, ERR_LIMIT. */
int contract_level(const struct objective *objective, const struct contract_pace *pace, struct fraction error,
                   struct arena *arena, struct contract_level *out, struct err *err);

/* So many events a long window must hold for `bad` bad ones alone not to be over the limit; INT64_MAX: there is no such number. */
int64_t contract_events_min(struct fraction limit, int64_t bad);

/* ---- lints ---- */

enum contract_lint {
    CONTRACT_TIER_NEVER,        /* the limit is 100 % of errors or more */
    CONTRACT_TIER_UNDER_PACE,   /* factor under 1: it fires while the objective is met */
    CONTRACT_HOLE,              /* a level of errors spends the whole budget, and no tier ever fires */
    CONTRACT_LATE,              /* in a total outage the budget is gone before anybody is told */
    CONTRACT_RETENTION,         /* a window is longer than samples are kept */
    CONTRACT_WINDOW_EMPTY,      /* a window of no length */
    CONTRACT_SHORT_SCRAPES,     /* a short window that may hold less than two samples */
    CONTRACT_SHORT_NOT_SHORTER, /* a short window as long as the long one, or longer: it adds nothing */
    CONTRACT_SHORT_WIDE,        /* a short window over a sixth of the long one: the alert is slow to end */
    CONTRACT_OVER_PERIOD,       /* a long window longer than the period */
    CONTRACT_NO_BUDGET,         /* an objective of 100 %: any error fires every tier */
    CONTRACT_FEW_SLICES,        /* a short window under 12 slices: one bad slice is a lot of it */
    CONTRACT_FEW_EVENTS,        /* a single bad event is enough for a page */
    CONTRACT_NO_OWNER,
    CONTRACT_NO_RUNBOOK,
    CONTRACT_LINT_COUNT
};

enum contract_weight { CONTRACT_HINT, CONTRACT_WARNING, CONTRACT_ERROR };

struct contract_finding {
    enum contract_lint lint;
    const struct objective_tier *tier; /* NULL: the objective as a whole */
    struct str text;                   /* what is wrong and what would mend it */
};

const char *contract_lint_name(enum contract_lint lint); /* "tier-never" */
enum contract_weight contract_lint_weight(enum contract_lint lint);

/* All that is wrong, by tiers, in the arena. ERR_LIMIT: numbers or memory; then nothing is told. */
int contract_lints(const struct objective *objective, const struct contract_pace *pace, struct arena *arena,
                   struct contract_finding **out, size_t *count, struct err *err);

/* ---- for people ---- */

/* The table of an objective: each usual level of errors that is over its budget's pace, who is told when, and what is gone by then; then
 * a line a tier. ERR_LIMIT. */
int contract_print(const struct objective *objective, const struct contract_pace *pace, struct buf *out,
                   struct err *err);

#endif
