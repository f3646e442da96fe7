/*
 * objective: one service level objective as the engine knows it, whatever kind of file it came from.
 *
 * Readers (Tocsin's own form, Sloth's, Pyrra's, OpenSLO's) fill this in; the compiler of standing rules, the ledger of budgets, the
 * contract and the gate read it and know no file format. Everything that stood in a file as a decimal is an exact fraction here:
 * whether a burn rate is over its limit is decided by whole numbers, and a burn rate that is equal to its limit does not fire.
 */
#ifndef TOCSIN_OBJECTIVE_H
#define TOCSIN_OBJECTIVE_H

#include "tocsin/arena.h"
#include "tocsin/buf.h"
#include "tocsin/strict_model.h"
#include "tocsin/world.h"

/* ---- fractions ---- */

struct fraction {
    int64_t numerator, denominator; /* in lowest terms; denominator > 0 */
};

/* "99.9", "0.5", "1e-3": as written, to the last digit. ERR_PARSE: no decimal, or more digits than 18. */
int fraction_parse(struct str decimal, struct fraction *out, struct err *err);

/* ERR_LIMIT where 64 bits do not hold the result, which no objective that makes sense comes near. */
int fraction_make(int64_t numerator, int64_t denominator, struct fraction *out);
int fraction_multiply(struct fraction a, struct fraction b, struct fraction *out);
int fraction_subtract(struct fraction a, struct fraction b, struct fraction *out);
double fraction_value(struct fraction f);

/* ---- what is counted ---- */

enum indicator_kind {
    INDICATOR_BAD,  /* `counted` are bad events of `total`; none where `total` has some: none were bad */
    INDICATOR_GOOD, /* `counted` are good events of `total`; none where `total` has some: all were bad */
    INDICATOR_RATIO, /* `counted` is the share of errors, 0 to 1; there are no events, so all slices weigh the same */
    INDICATOR_THRESHOLD /* `counted` is a value; a slice is good if it is (compare) `threshold` at the slice's end */
};

enum indicator_compare { COMPARE_LESS, COMPARE_LESS_EQUAL, COMPARE_GREATER, COMPARE_GREATER_EQUAL };

struct indicator {
    enum indicator_kind kind;
    struct str counted,
        total; /* PromQL; in each {{.window}} stands for the range. total: of BAD and GOOD only */
    enum indicator_compare compare;
    double threshold;
    /* The queries look at counters by increase() or rate() only, and were made by us: the ledger may count each event once, without
     * extrapolation (from the last sample up to the slice's beginning to the last one up to its end). */
    bool exact;
};

/* How the budget is spent. */
enum budgeting {
    BUDGET_EVENTS, /* by bad events */
    BUDGET_SLICES, /* by slices whose share of good events is under slice_target (or whose value is over the threshold) */
    BUDGET_RATIOS /* by the mean of the slices' shares */
};

/* ---- over which time ---- */

enum period_unit { PERIOD_ROLLING, PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH, PERIOD_QUARTER, PERIOD_YEAR };

struct period {
    enum period_unit unit;
    int64_t
        length_ms; /* rolling: the length; calendar: that of the unit with 1, 7, 30, 90 or 365 days, for burn rates */
    int64_t count;   /* calendar: so many units at a time, from 1 */
    struct str zone; /* calendar: IANA name; empty: UTC */
};

/* ---- who is told, and when ---- */

enum tier_class { TIER_PAGE, TIER_TICKET };

/* Fires if more than `factor` times the budget's pace was spent in both windows (SRE workbook, chapter 5, approach 6). */
struct objective_tier {
    struct str name; /* "page_quick"; unique in its objective */
    enum tier_class class;
    struct str severity; /* the label's value; "page" or "ticket" unless said otherwise */
    int64_t short_ms, long_ms, for_ms;
    struct fraction factor; /* the burn rate; share of the budget = factor * long_ms / period */
    struct strict_pairs labels, annotations;
    int line;
};

/* What keeps few events from paging; all zero: nothing does. */
struct objective_guard {
    int64_t bad_min;   /* in each long window at least so many bad events */
    int64_t total_min; /* and so many events */
    bool
        correct_traffic; /* quiet windows weigh less: events of a window count as if the period's mean traffic had been there */
    double
        false_page_rate; /* > 0: fire only if the lower bound of the long window's error ratio is over the limit, and false pages
                                * of one objective and period are no more than that */
};

/* The alert beside those of tiers. */
struct objective_watch {
    int64_t no_data_ms;          /* none of `total` for so long; 0: not watched */
    struct str no_data_severity; /* the label's value */
    struct strict_pairs labels;  /* of this alert, over the objective's */
};

/* Over `limit` of burn, in a long and a short window. limit.numerator 0: not asked for. */
struct objective_ladder {
    struct fraction inform, freeze, mitigate; /* 1, 4 and 5 unless said otherwise, when `asked` */
    bool asked;
};

/* Slices that do not count as they are, by schedule: each `every_ms` from start_ms for length_ms. */
struct maintenance {
    int64_t start_ms, length_ms, every_ms; /* every 0: once; times in UTC */
    struct str reason;
};

enum objective_compat { COMPAT_NONE, COMPAT_SLOTH, COMPAT_PYRRA };

struct objective {
    struct str id; /* SERVICE-NAME, unique among all that are loaded */
    struct str service, name, description, owner, runbook;
    struct str tier; /* of the service: "1", "critical" */
    struct str file; /* where it stands */
    int line;
    struct fraction target; /* 999/1000 of 99.9 %; 0 < target <= 1 */
    struct period period;
    struct indicator indicator;
    enum budgeting budgeting;
    struct fraction slice_target; /* of BUDGET_SLICES over events */
    int64_t slice_ms;             /* a whole number of minutes that divides a day */
    struct str *by; /* labels of the queries' results that tell groups apart, sorted; none: one group */
    size_t by_count;
    struct strict_pairs labels, annotations; /* of its series and alerts; of its alerts */
    struct str alert_name;                   /* "ErrorBudgetBurn" unless said otherwise */
    struct objective_tier *tiers;
    size_t tier_count;
    struct objective_guard guard;
    struct objective_watch watch;
    struct objective_ladder ladder;
    struct maintenance *maintenance;
    size_t maintenance_count;
    enum objective_compat compat; /* whose series are recorded besides our own */
};

struct objective_set {
    struct arena arena;
    struct world *world;     /* for time zones; the real one, or that of objective_set_load */
    struct objective *items; /* in file order */
    size_t count, capacity;
    size_t file_count;
};

/* Reads one file's text, of whatever kind; several documents in one file may be of several kinds. What is wrong is appended to *errors, a
 * line each, "FILE:LINE: what", and then nothing of the file is added. 0, ERR_PARSE, ERR_UNSUPPORTED, ERR_LIMIT. */
int objective_file_parse(struct objective_set *set, struct str file, struct str text, struct buf *errors);

/* Reads all files that the patterns match (relative to folder; empty: as they are) into a new set, as rule_set_load does. On failure *out is
 * NULL. Ids that come twice are told with both places. */
int objective_set_load(struct world *world, struct str folder, const struct str *patterns, size_t count,
                       struct objective_set **out, struct buf *errors);

struct objective_set *objective_set_new(void);
void objective_set_free(struct objective_set *set); /* NULL is allowed */

/* The tiers of the SRE workbook for a period: 2 % in 1h, 5 % in 6h, page; 10 % in 1d, 10 % in 3d, ticket; short windows are a twelfth.
 * A tier whose factor were under 1 has 1. Four of them, in the arena; NULL past its cap. */
struct objective_tier *objective_tiers_default(struct arena *arena, int64_t period_ms);

/* A query for one window, in the arena: the placeholder is filled in. ERR_PARSE with Go's words if it is no template, or asks for more than
 * .window. */
int objective_query(struct arena *arena, struct str query, int64_t window_ms, struct str *out,
                    struct err *err);

#endif
