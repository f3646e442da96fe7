/*
 * budget: the running book of all objectives: evaluates their slices, writes them down, and says what is left.
 *
 * A slice (begin, end] is looked at when its data have come: each series its queries read has a sample of its end or later, or is not due to
 * have one, or has ended (arrival.h); one that stays away holds nobody up once it is data_wait overdue. What comes after that is not lost: a
 * slice is looked at again one slice later, and so on while it changes or nothing is known of it, and once more when it is late_ms old. Then it
 * is settled. A look never takes away what was known: samples go, the ledger stays.
 *
 * All slices of a step, at most some dozens, are written in one transaction, each into its own place: killed at any moment, the next process
 * looks at what was not written, and what was written twice is the same. After a pause it catches up in steps, and says so in the log.
 *
 * Of indicator.exact, increase() and rate() are evaluated anchored (Prometheus' extended range selectors, whether that feature is on or not):
 * from the last sample up to a slice's begin, if it is no older than the look-back, to the last up to its end; so each
 * event is in one slice. As with increase(), what a counter shows when it is first seen is not counted; and what came in a gap longer
 * than the look-back is not either, because nobody knows when: its slices are not known, and coverage says so.
 *
 * Where several results share a group's labels, events are added up; of shares and verdicts the worst counts.
 *
 * Threads: load (prepare, commit), run and correct wait for each other; the rest may be called by any thread at any time.
 */
#ifndef TOCSIN_BUDGET_H
#define TOCSIN_BUDGET_H

#include "tocsin/ledger.h"
#include "tocsin/promql.h"
#include "tocsin/state.h"
#include "tocsin/store.h"

enum {
    BUDGETS_DATA_WAIT_MS = 60 * 1000,
    BUDGETS_LATE_MS =
        3 * 3600 * 1000 /* a sender that was cut off sends what is in its log: two hours and more */
};

struct budgets_options {
    struct world *world;
    struct store *store;
    struct state *state;          /* NULL: nothing survives */
    struct promql_options promql; /* late_ms is set by each objective's needs */
    int64_t data_wait_ms;         /* 0: BUDGETS_DATA_WAIT_MS */
    int64_t late_ms; /* 0: BUDGETS_LATE_MS; the store keeps what objectives look at for so long at least */
};

struct budgets;

struct budgets *budgets_open(const struct budgets_options *options);
void budgets_close(struct budgets *budgets);

/*
 * From now on these are the objectives; borrowed, until the next load has returned (or the end). Call it before the store is retired for the
 * first time: it announces what is looked at.
 *
 * What is known (by its id) goes on: from the process before, or from the load before. One that asks for something else opens an epoch
 * with the first slice that was not looked at. A new one begins with the oldest sample that the store holds of it. On failure nothing has
 * changed: ERR_PARSE (queries), ERR_NOT_FOUND (time zone), ERR_LIMIT, or what reading the state came to.
 */
int budgets_load(struct budgets *budgets, const struct objective_set *set, struct err *err);

/* The same in two steps, for who has more to change, all of it or nothing: all that can fail is done by the first, and nothing is in force before
 * the second. What it gave is ended by one of commit and abandon. One at a time. */
struct budgets_change;
int budgets_prepare(struct budgets *budgets, const struct objective_set *set, struct budgets_change **out,
                    struct err *err);
void budgets_commit(struct budgets_change *change);
void budgets_abandon(struct budgets_change *change);

/* Wall time at which there may be something to do; INT64_MAX: never. */
int64_t budgets_next_ns(struct budgets *budgets);

/* One step. True if a slice was looked at. */
bool budgets_run(struct budgets *budgets, int64_t now_ns);

/* What an objective's figures are made of, written down when it returns; at_ms and the id are filled in. ERR_NOT_FOUND: no such objective;
 * ERR_ARG: no author, no reason, or no time; ERR_LIMIT: too many; else what writing came to. */
int budgets_correct(struct budgets *budgets, struct str objective, struct ledger_correction *correction,
                    struct err *err);

struct budget_group {
    const struct labels *labels;
    struct ledger_figures figures;
    struct ledger_window
        *windows; /* each window of the tiers once, shortest first; without tiers 1h, 6h, 1d and 3d */
    size_t window_count;
};

struct budget_report {
    struct str objective, service, name;
    struct fraction target;
    enum budgeting budgeting;
    bool counts_events;
    uint32_t epoch;     /* grows when the objective changes */
    int64_t next_ms;    /* the first slice that was not looked at yet begins here */
    int64_t settled_ms; /* what ends before stays as it is */
    struct str error;   /* why the last look failed; empty: it did not */
    uint64_t unmatched; /* results with bad events and no total, since the start */
    uint64_t refused;   /* new groups that found no room (limits.budget_slices), each time they came */
    struct budget_group *groups; /* by labels; without `by` always one */
    size_t group_count;
    const struct ledger_correction *corrections;
    size_t correction_count;
};

/* In the order of the set, figures as of at_ms (a past time; INT64_MAX: of all that was looked at), in the arena. ERR_LIMIT past its cap. */
int budgets_report(struct budgets *budgets, int64_t at_ms, struct arena *arena,
                   struct budget_report **reports, size_t *count);

/* tocsin_slo_budget_remaining_ratio (left out where nobody can say), tocsin_slo_coverage_ratio, and tocsin_slo_events_total{outcome} of
 * objectives that count events, since the start of the process. */
void budgets_write_metrics(struct budgets *budgets, struct buf *out);

#endif
