/*
 * ledger: what an objective's events came to, slice by slice, and what that leaves of its budget. Data alone: no clock, no store, no disk.
 *
 * One ledger is of one objective and one group. A slice is a stretch of slice_ms, aligned to Unix time; it belongs to where it begins. A slice
 * is known or not: nothing is made up for what nobody saw. Days (UTC) keep their sums, compensated, so that a sum over months looks at the
 * slices of its first and last day only.
 *
 * What was measured is never changed. Corrections and maintenance are laid over it when it is summed up; an objective that changes opens an
 * epoch, and what came before keeps its target.
 */
#ifndef TOCSIN_LEDGER_H
#define TOCSIN_LEDGER_H

#include "tocsin/objective.h"
#include "tocsin/zone.h"

#define LEDGER_DAY_MS INT64_C(86400000)
#define LEDGER_ALWAYS_MS (INT64_MIN / 4) /* where the first epoch begins */

/* ---- slices ---- */

struct ledger_slice {
    double bad, total; /* events; of a share of errors: the share, and 1; of a verdict: 0 or 1, and 1 */
    bool known;
    bool odd; /* what was found could not be, and was put right: a finding */
};

/* What a slice's queries yielded, put right: more bad events than events, or less than none, are odd; what is no number is not known. */
struct ledger_slice ledger_slice_events(double bad, double total);
struct ledger_slice ledger_slice_share(double share);
struct ledger_slice ledger_slice_verdict(bool bad);

/* What an objective asked for, as long as an epoch lasts. */
struct ledger_terms {
    struct fraction target, slice_target;
    enum budgeting budgeting;
    bool events; /* slices count events */
    int64_t slice_ms;
    uint64_t meaning; /* a hash of what is counted, and how */
};

bool ledger_terms_equal(const struct ledger_terms *a, const struct ledger_terms *b);

/* ---- what is laid over them ---- */

enum ledger_change {
    CHANGE_NONE,       /* as measured: takes back what was said before */
    CHANGE_EXCLUDE,    /* as if it had not been */
    CHANGE_FORGIVE,    /* its events were good; what is not known stays so */
    CHANGE_CHARGE,     /* its events were bad, and so was the slice, known or not */
    CHANGE_MAINTENANCE /* excluded by schedule; not for corrections */
};

/* Of all slices that have a part in from_ms <= t < to_ms. Of several the last in the list counts, and over maintenance. */
struct ledger_correction {
    int64_t id;
    enum ledger_change change;
    int64_t from_ms, to_ms;
    int64_t at_ms; /* when it was made */
    struct str author, reason;
};

struct ledger_overlay {
    const struct ledger_correction *corrections; /* in the order in which they were made */
    size_t correction_count;
    const struct maintenance *maintenance;
    size_t maintenance_count;
};

/* ---- the book ---- */

struct ledger;

struct ledger *ledger_new(void);
void ledger_free(struct ledger *ledger); /* NULL is allowed */

/* From from_ms on (a multiple of slice_ms, or LEDGER_ALWAYS_MS for the first) other terms are in force; epochs that begin there or later give
 * way, slices and all. Numbers grow. */
void ledger_open_epoch(struct ledger *ledger, uint32_t number, int64_t from_ms,
                       const struct ledger_terms *terms);

/* Epochs in order; false past the last. */
struct ledger_epoch_view {
    uint32_t number;
    int64_t from_ms;
    const struct ledger_terms *terms;
};
bool ledger_epoch_at(const struct ledger *ledger, size_t i, struct ledger_epoch_view *out);

/* begin_ms: of a slice of the epoch in force then. In the place of what was there. */
void ledger_put(struct ledger *ledger, int64_t begin_ms, struct ledger_slice slice);
struct ledger_slice ledger_get(const struct ledger *ledger, int64_t begin_ms);

/* Borrowed until it is replaced; call it again when what it points to has changed. NULL: nothing is laid over. */
void ledger_lay(struct ledger *ledger, const struct ledger_overlay *overlay);
enum ledger_change ledger_change_at(const struct ledger *ledger, int64_t begin_ms);

/* Lets go of days that end before. */
void ledger_expire(struct ledger *ledger, int64_t before_ms);

/* Where the first known slice began; INT64_MAX: there is none. */
int64_t ledger_began_ms(const struct ledger *ledger);
size_t ledger_slices_held(const struct ledger *ledger); /* room for so many is taken */

/* What slices that begin in from_ms <= t < to_ms come to, with what is laid over them. To 1e-9 and better that of going through them one by
 * one; the same whatever way it was asked for before. */
struct ledger_sum {
    double bad, total; /* events */
    double shares;     /* the sum of the slices' shares of bad events */
    int64_t weighed;   /* slices that have a share: known, with events */
    int64_t expected;  /* slices there should be; without those that are excluded */
    int64_t known;     /* of those */
    int64_t excluded;  /* by corrections or maintenance */
    int64_t
        bad_slices; /* with a share of good events under slice_target; where there is none: with any bad */
    int64_t odd;    /* findings, also in slices that are not known */
};
void ledger_sum(struct ledger *ledger, int64_t from_ms, int64_t to_ms, struct ledger_sum *out);

/* ---- kept as bytes ---- */

/* One day of an epoch: slices as bytes under a hash; equal days are equal bytes. Whole numbers take few bytes, what is not known hardly any. */
void ledger_day_encode(const struct ledger *ledger, uint32_t epoch, int64_t day, struct buf *out);

/* Back, in place of what the ledger has of that day. ERR_CORRUPT; ERR_NOT_FOUND: there is no such epoch (any more). */
int ledger_day_decode(struct ledger *ledger, uint32_t epoch, int64_t day, struct str bytes);

/* Terms likewise. */
enum { LEDGER_TERMS_BYTES = 56 };
void ledger_terms_encode(const struct ledger_terms *terms, struct buf *out);
int ledger_terms_decode(struct str bytes, struct ledger_terms *out);

/* ---- periods ---- */

/* The period at_ms lies in: from_ms <= at_ms < to_ms. Calendar periods begin when a day begins in the zone (NULL: UTC), whatever clocks do
 * at that hour; weeks on Monday. Of several units at a time the first began in 1970. Rolling: the one that ends at at_ms (to_ms == at_ms). */
void period_bounds(const struct period *period, const struct zone *zone, int64_t at_ms, int64_t *from_ms,
                   int64_t *to_ms);

/* As long as the period can be, with 31 days and leap years. */
int64_t period_longest_ms(const struct period *period);

/* ---- what is left ---- */

enum budget_standing {
    BUDGET_UNKNOWN, /* nothing is known of the period: there are no figures */
    BUDGET_PARTIAL, /* less than half of the period so far is known: never "all of it is left" */
    BUDGET_KNOWN
};

struct ledger_window {
    int64_t length_ms;  /* in */
    bool known;         /* else nothing below holds */
    double error_ratio; /* by the objective's budgeting */
    double burn;        /* how many times faster than it may the budget is spent; 0 if the target is 100 % */
    int64_t exhausted_in_ms; /* if it goes on as in this window; -1: not before the period ends, or never */
};

/*
 * `allowed` and `spent` are events, slices or shares of slices, as the objective budgets. Allowed is what the whole period allows: of a
 * calendar period that goes on, what is to come counts as much traffic as there was on the average over a period's length until now. By slices it
 * is rounded down. A target of 100 % allows nothing: then all of the budget is left, or none.
 *
 * Where the period saw terms of another kind (budgeting, or events against shares), it begins with the last such change.
 */
struct ledger_figures {
    enum budget_standing standing;
    int64_t from_ms, to_ms; /* the period */
    int64_t at_ms;          /* slices that begin before are in */
    struct ledger_sum sum;  /* of the period up to at_ms */
    double coverage;        /* known slices of those expected since the first known one */
    double period_coverage; /* of all expected */
    double sli;             /* the good share */
    double allowed, spent;
    double consumed, remaining; /* shares of `allowed`; remaining < 0: overspent */
    bool exhausted;             /* nothing is left, and something was spent */
    bool tells_remaining;       /* false: UNKNOWN, or PARTIAL without a single error */
    double pace_burn;           /* of the last day, which the next two follow */
    int64_t exhausted_in_ms;    /* -1: not before the period ends, or never */
    double forecast;            /* `remaining` at the period's end; rolling: one length from now */
};

/* at_ms: a slice's end. zone: the period's. The windows are filled in. */
void ledger_figures(struct ledger *ledger, const struct period *period, const struct zone *zone,
                    int64_t at_ms, struct ledger_window *windows, size_t window_count,
                    struct ledger_figures *out);

#endif
