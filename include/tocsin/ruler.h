/*
 * ruler: rule groups on their timetable, and the life of every alert.
 *
 * Each group is due at k * interval + hash(file, name) % interval (Prometheus 3.14); evaluation timestamps stay on
 * the slot. The ruler has no thread: workers call ruler_run, each call evaluates at most one due group; a group is
 * never evaluated by two at once. Recorded results, ALERTS and ALERTS_FOR_STATE go back into the store before the next
 * rule of the group runs. Alert events leave through `emit`, which must only enqueue.
 *
 * With concurrent_rule_eval (promql_features) rules of a group that have nothing to do with each other are computed beside each other,
 * by the group's worker and by such that find nothing else to do. What rules read and write is told by names: of a rule that may read
 * what others of its group write (a selector without a name, info(), `query` in a template: whatever they write) the order with these
 * stays. So what is recorded and what fires is the same as without.
 *
 * A group may go by data instead of the clock (rule_policy in rulefile.h). Its slots and what is evaluated at them are the same, but
 * a slot is evaluated when all series its rules look at have arrived (arrival.h), one slot after the other, and data_wait after it at
 * the latest. So senders that are late change when something is known, not what. What the group writes itself is not waited for.
 * Between slots, an alerting rule without `for` that one sample decides (`x > 5`) is looked at as soon as a sample comes: what it
 * finds anew fires at once, with the time of the newest sample. A look ends and records nothing; that is left to slots. Whoever
 * brings samples says so with ruler_pushed. Looks, and asking whether data have come, take a
 * fifth of one processor for one group and half of one for all at most: then they come later.
 *
 * Slots that were missed, also while the process was down, can be made up for (catch_up_ms): recording rules alone, in the order of
 * slots, each when its samples have come. Alerts never: nobody is paged for what was.
 *
 * Alerts outlive the process where `state` is given: at the end of a group's evaluation, and of a look, what it recorded is with the
 * operating system, then the alerts that have changed are written down, then they are told. So whoever was told of an alert is told
 * of its end, also by the next process; and an evaluation that was cut off has not happened. What counts as a change
 * is the state and its times. Values and annotations are written down with them only; when an alert was last told is not, because
 * the next process tells all that are not pending at once: those who held them in memory have lost them, and the
 * notification log keeps anybody from hearing it twice.
 *
 * On the simulated clock the same calls are made in a loop: while (ruler_next_ns(r) <= until) turn the clock, ruler_run.
 */
#ifndef TOCSIN_RULER_H
#define TOCSIN_RULER_H

#include "tocsin/alert.h"
#include "tocsin/promql.h"
#include "tocsin/rulefile.h"
#include "tocsin/state.h"
#include "tocsin/store.h"

struct ruler;

struct ruler_options {
    struct world *world;
    struct store *store;
    int64_t interval_ms;     /* global.evaluation_interval; 0: one minute */
    int64_t query_offset_ms; /* global.rule_query_offset */
    int64_t resend_delay_ms; /* 0: one minute */
    struct state *state;     /* keeps the alerts for the next process; NULL: they begin anew */
    /* For rules that `state` does not know: how old their ALERTS_FOR_STATE may be for `for` to go on (0: they are not looked at),
     * and how long it takes at least from there to firing; rules with a shorter `for` begin anew (Prometheus 3.14). */
    int64_t outage_tolerance_ms, for_grace_ms;
    int64_t concurrent_evals; /* workers that help others' groups at most, where that feature is on; 0: 4 */
    const struct labels
        *external_labels;    /* for templates (events go out without them); copied; may be NULL */
    struct str external_url; /* for templates and generatorURL; copied */
    struct promql_options promql;
    /* One event per alert that has to be told (Prometheus 3.14). Takes over the heap block. Called from the worker. */
    void (*emit)(void *context, struct alert_event *event);
    /* Of an alert that ended more than a quarter of an hour before the start: is anybody still to be told of it? NULL: nobody. */
    bool (*owes_end)(void *context, const struct labels *labels);
    /* What a rule wrote, and the ends of what it writes no more, after the store has them: all but what the store refuses for
     * its time, which others would refuse, too, and what is made up for (catch_up_ms), which is older than what they have. Borrowed
     * for the call, from the worker; must only enqueue. NULL: nobody asks. Stays as it was when the ruler was opened. */
    void (*recorded)(void *context, const struct batch *batch);
    void *context; /* of all */
};

struct ruler *ruler_open(const struct ruler_options *options);
void ruler_close(struct ruler *ruler);

/* Takes over a rule set (and frees it in time, also on failure). The first one goes on where the process before ended, and tells
 * its alerts; what was firing and has no rule any more is told as resolved. Later, groups that are unchanged go on untouched, changed
 * groups inherit state rule by rule, series of what is gone get stale markers (Prometheus 3.14). Waits for evaluations under
 * way of groups that end. One call at a time. On failure nothing has changed: ERR_LIMIT past the store's selectors, or what
 * reading the state came to. */
int ruler_load(struct ruler *ruler, struct rule_set *set, struct err *err);

/* The same in two steps, with changed globals (NULL: those in force), for who has more to change, all of it or nothing: all that can fail
 * is done by the first step, and nothing is in force before the second. What it gave is ended by one of commit and abandon. */
struct ruler_change;
int ruler_prepare(struct ruler *ruler, const struct ruler_options *options, struct rule_set *set,
                  struct ruler_change **out, struct err *err);
void ruler_commit(struct ruler_change *change);
void ruler_abandon(struct ruler_change *change);

/* Takes over changed globals: labels, url and resend delay from the next evaluation on, interval, offset and what
 * concerns PromQL with a following ruler_load. */
void ruler_configure(struct ruler *ruler, const struct ruler_options *options);

/* Those in force, in the arena; NULL past its cap. */
const struct labels *ruler_external_labels(struct ruler *ruler, struct arena *arena);

/* Wall time at which the next group is due; INT64_MAX if there is none. */
int64_t ruler_next_ns(struct ruler *ruler);

/* Evaluates the group that has been due longest, if any is at now_ns; else, with concurrent_rule_eval, one rule of a group that another
 * call is at. True if there was anything to do. */
bool ruler_run(struct ruler *ruler, int64_t now_ns);

/* Samples came in. Cheap; from any thread. */
void ruler_pushed(struct ruler *ruler);

/* For a worker that found nothing to do: waits until something may be due, ruler_wake is called, or most_ms have passed. */
void ruler_wait(struct ruler *ruler, int64_t most_ms);
void ruler_wake(struct ruler *ruler); /* all who wait */

/* What the API shows, copied into the arena. */
enum alert_state { ALERT_INACTIVE, ALERT_PENDING, ALERT_FIRING };
enum rule_health { HEALTH_UNKNOWN, HEALTH_OK, HEALTH_ERROR };

/* What an evaluation was for: a slot; a look between slots; a slot that had been missed. */
enum rule_occasion { OCCASION_SLOT, OCCASION_LOOK, OCCASION_CATCH_UP };

/* An evaluation that is over. */
struct ruler_past {
    int64_t t_ms; /* of the query */
    double duration_s;
    size_t series;  /* its selectors held */
    size_t results; /* of the query */
    struct str error;
    enum rule_occasion occasion;
};

struct ruler_alert {
    const struct labels *labels, *annotations;
    enum alert_state state;
    int64_t active_ns, keep_firing_since_ns; /* 0: none */
    double value;
};

struct ruler_rule {
    enum rule_kind kind;
    struct str name, query;
    int64_t for_ms, keep_firing_for_ms;
    const struct rule_text *labels, *annotations;
    size_t label_count, annotation_count;
    enum alert_state state; /* the highest of its alerts */
    bool state_unknown;     /* not evaluated yet */
    enum rule_health health;
    struct str last_error; /* empty: none */
    double duration_s;
    int64_t last_ns;         /* 0: never */
    size_t series_matched;   /* 0: some selector of it matches no series */
    struct ruler_past *past; /* newest first; only of ruler_snapshot_past */
    size_t past_count;
    struct ruler_alert *alerts; /* pending and firing */
    size_t alert_count;
};

struct ruler_group {
    struct str file, name;
    int64_t interval_ms, limit;
    double duration_s;
    int64_t last_ns;
    uint64_t iterations, missed, looks, caught_up;
    struct rule_policy policy;
    int64_t data_wait_ms; /* as it is in force; 0: by the clock */
    int64_t slot_ns;      /* the last that was evaluated; 0: none */
    struct ruler_rule *rules;
    size_t count;
};

/* Sorted by file, then name. ERR_LIMIT past the arena's cap. */
int ruler_snapshot(struct ruler *ruler, struct arena *arena, struct ruler_group **groups, size_t *count);
/* With the last evaluations of each rule. */
int ruler_snapshot_past(struct ruler *ruler, struct arena *arena, struct ruler_group **groups, size_t *count);

/* prometheus_rule_* of Prometheus 3.14. */
void ruler_write_metrics(struct ruler *ruler, struct buf *out);

const char *alert_state_text(enum alert_state state);        /* "inactive", "pending", "firing" */
const char *rule_occasion_text(enum rule_occasion occasion); /* "slot", "look", "catch_up" */
const char *rule_health_text(enum rule_health health);       /* "unknown", "ok", "err" */

#endif
