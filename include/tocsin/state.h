/*
 * state: the small facts that must outlive the process, in one SQLite file (WAL mode, synchronous=FULL).
 *
 * What is put is on disk when the call returns (alert states: see there). Callers never hold a lock of their own across these calls.
 * ":memory:" gives the same without a file, for tests, simulation and `--storage.path=` empty.
 */
#ifndef TOCSIN_STATE_H
#define TOCSIN_STATE_H

#include "tocsin/alert.h"
#include "tocsin/err.h"
#include "tocsin/labels.h"
#include "tocsin/matcher.h"

#include <stddef.h>
#include <stdint.h>

struct state;

/* Opens or creates; a file from a newer version is refused with a clear text, a damaged one is ERR_CORRUPT. */
int state_open(const char *path, struct state **out, struct err *err);
void state_close(struct state *state);

/* Notification log: what each integration of each group was last told (Alertmanager 0.34). */
struct nflog_entry {
    struct str key;  /* <group key>:<receiver>/<integration>/<index> */
    int64_t sent_ns; /* 0: nothing was; what is owed may have been told */
    int64_t expires_ns;
    const uint64_t *firing; /* hashes of the alerts told as firing */
    size_t firing_count;
    const uint64_t *resolved;
    size_t resolved_count;
    const struct labels *kept; /* what the integration wants to know the next time; NULL: nothing */
    const uint64_t
        *owed; /* hashes of those told as firing whose end is still to be told; to fire again is news */
    size_t owed_count;
    const uint64_t *missed; /* of those that were to be told as firing, in vain */
    size_t missed_count;
    bool relaxed; /* what is put survives the end of the process only, as alert states do */
};

int state_nflog_put(struct state *state, const struct nflog_entry *entry, struct err *err);
/* All of them with one sync, or none; without a sync where every one is relaxed. */
int state_nflog_put_all(struct state *state, const struct nflog_entry *entries, size_t count,
                        struct err *err);
int state_nflog_each(struct state *state, void (*visit)(void *context, const struct nflog_entry *entry),
                     void *context, struct err *err);
int state_nflog_expire(struct state *state, int64_t now_ns, struct err *err);

/* Silences: what is put at once is there all of it, or nothing. */
struct silence_row {
    struct str id;
    const struct matcher *matchers; /* read back without their compiled expressions */
    size_t matcher_count;
    int64_t starts_ns, ends_ns, updated_ns;
    struct str created_by, comment;
    const struct labels *annotations;
};

int state_silences_put(struct state *state, const struct silence_row *rows, size_t count, struct err *err);
/* A row that cannot be read is logged and stepped over. */
int state_silences_each(struct state *state, void (*visit)(void *context, const struct silence_row *row),
                        void *context, struct err *err);
/* Removes those that ended before. */
int state_silences_expire(struct state *state, int64_t before_ns, struct err *err);

/* Incidents: a record and its timeline, both JSON text owned by engine/incident. */
struct incident_row {
    int64_t id;
    struct str key;               /* group key */
    int64_t opened_ns, closed_ns; /* closed 0: open */
    struct str body;              /* JSON object */
};

/* id 0: creates, and fills it in. */
int state_incident_put(struct state *state, struct incident_row *row, struct err *err);
int state_incident_note(struct state *state, int64_t incident, int64_t at_ns, struct str body,
                        struct err *err);
int state_incident_each(struct state *state, int64_t since_ns, size_t limit,
                        void (*visit)(void *context, const struct incident_row *row), void *context,
                        struct err *err);
int state_incident_notes(struct state *state, int64_t incident,
                         void (*visit)(void *context, int64_t at_ns, struct str body), void *context,
                         struct err *err);

/*
 * Alert states: what each alerting rule knew when its group was last evaluated (rules/ruler_keep.c).
 *
 * Unlike what stands above, what is put survives the end of the process when the call returns, and a power cut from the next put of
 * anything else on: groups are many, and a sync for each would be dear. That is enough, because who is told of an alert
 * stands in the notification log, and whatever puts it there syncs the states it follows from, too.
 */
struct alert_rule_key {
    struct str file, group;
    uint64_t rule; /* what makes a rule of the group the same one after a change */
};

struct alert_row {
    const struct labels *labels, *annotations;
    int64_t state; /* 0: it has ended */
    double value;
    int64_t active_ns, fired_ns, resolved_ns, last_sent_ns, keep_firing_since_ns;
};

/* What is new of one rule, which is known from then on. */
struct alert_rule_news {
    struct alert_rule_key key;
    const struct alert_row *rows; /* each in the place of an earlier one with its labels */
    size_t row_count;
    const struct labels **gone; /* no longer there; before the rows */
    size_t gone_count;
    bool forget; /* the rule itself has gone: rows stay until they expire */
};

/* All of it, or nothing. */
int state_alerts_put(struct state *state, const struct alert_rule_news *news, size_t count, struct err *err);

/* Every rule ever put and not forgotten, whether it has alerts or not. */
int state_alert_rules_each(struct state *state,
                           void (*visit)(void *context, const struct alert_rule_key *key), void *context,
                           struct err *err);
/* A row that cannot be read is logged and stepped over. */
int state_alerts_each(struct state *state,
                      void (*visit)(void *context, const struct alert_rule_key *key,
                                    const struct alert_row *row),
                      void *context, struct err *err);

/* Removes alerts that ended before. */
int state_alerts_expire(struct state *state, int64_t before_ns, struct err *err);

/*
 * Posted alerts, and when aggregation groups are due next (route/router_keep.c). What is put survives the end of the process when the
 * call returns, as alert states do, and a power cut from the next state_sync or the next put of anything that is synced by itself on.
 */
struct posted_row {
    int64_t id; /* from 1; the router's own, in the order in which they came */
    const struct alert_event *event;
    int64_t since_ns; /* when it was first taken in */
};

struct tick_row {
    int64_t id; /* likewise */
    struct str key, receiver;
    int64_t next_ns;
};

struct posted_news {
    const struct posted_row *rows; /* each in the place of an earlier one with its id */
    size_t row_count;
    const int64_t *gone;
    size_t gone_count;
    const struct tick_row *ticks;
    size_t tick_count;
    const int64_t *gone_ticks;
    size_t gone_tick_count;
};

/* All of it, or nothing; what is gone goes last. */
int state_posted_put(struct state *state, const struct posted_news *news, struct err *err);
/* In the order of their ids. A row that cannot be read is logged and stepped over. */
int state_posted_each(struct state *state, void (*visit)(void *context, const struct posted_row *row),
                      void *context, struct err *err);
int state_ticks_each(struct state *state, void (*visit)(void *context, const struct tick_row *row),
                     void *context, struct err *err);

/*
 * Budgets: what objectives' slices came to (slo/budget_keep.c), a row for each objective, group, epoch and day. What slices and terms look
 * like is the ledger's business.
 */
struct budget_epoch_row {
    uint32_t number;
    int64_t from_ms;
    struct str terms;
};

struct budget_day_row {
    const struct labels *group;
    uint32_t epoch;
    int64_t day;
    struct str slices;
};

/* What is new of one objective. */
struct budget_news {
    struct str objective;
    int64_t settled_ms, next_ms;           /* slices before are as they stay; slices before were looked at */
    const struct budget_epoch_row *epochs; /* all of them, in place of those there; none: they stay */
    size_t epoch_count;
    const struct budget_day_row *days; /* each in place of an earlier one */
    size_t day_count;
    int64_t expire_before_day; /* days that go; INT64_MIN: none */
};

/* All of it with one sync, or nothing. */
int state_budgets_put(struct state *state, const struct budget_news *news, size_t count, struct err *err);

/* Days of any objective before this one go. */
int state_budgets_expire(struct state *state, int64_t before_day, struct err *err);

struct budget_correction_row {
    int64_t id;
    int64_t change, from_ms, to_ms, at_ms;
    struct str author, reason;
};

/* Fills in the id. */
int state_budget_correct(struct state *state, struct str objective, struct budget_correction_row *row,
                         struct err *err);

/* All that is kept of one objective: itself, if it is known (at most once), epochs, days, corrections, in this order. A row that cannot be
 * read is logged and stepped over. */
struct budget_reader {
    void (*found)(void *context, int64_t settled_ms, int64_t next_ms);
    void (*epoch)(void *context, const struct budget_epoch_row *row);
    void (*day)(void *context, const struct budget_day_row *row);
    void (*correction)(void *context, const struct budget_correction_row *row);
    void *context;
};
int state_budget_read(struct state *state, struct str objective, const struct budget_reader *reader,
                      struct err *err);

/* What another program's file holds (route/am_import.c): all of it with the file's name and a hash of its bytes, or nothing. Of what is there
 * already, entries with another time of sending and silences with another time of change, the younger stays. */
struct state_import {
    struct str file;
    uint64_t hash;
    const struct nflog_entry *entries;
    size_t entry_count;
    const struct silence_row *silences;
    size_t silence_count;
};

int state_imported(struct state *state, struct str file, uint64_t hash, bool *known, struct err *err);
int state_import(struct state *state, const struct state_import *all, struct err *err);

/* True if something was posted that a power cut could still take. */
bool state_unsynced(struct state *state);
int state_sync(struct state *state, struct err *err);

#endif
