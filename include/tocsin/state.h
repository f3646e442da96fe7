/*
 * state: the small facts that must outlive the process, in one SQLite file (WAL mode, synchronous=FULL).
 *
 * What is put is on disk when the call returns. Callers never hold a lock of their own across these calls.
 * ":memory:" gives the same without a file, for tests, simulation and `--storage.path=` empty.
 */
#ifndef TOCSIN_STATE_H
#define TOCSIN_STATE_H

#include "tocsin/err.h"
#include "tocsin/str.h"

#include <stddef.h>
#include <stdint.h>

struct state;

/* Opens or creates; a file from a newer version is refused with a clear text, a damaged one is ERR_CORRUPT. */
int state_open(const char *path, struct state **out, struct err *err);
void state_close(struct state *state);

/* Notification log: what each integration of each group was last told (Alertmanager 0.34). */
struct nflog_entry {
    struct str key; /* <group key>:<receiver>/<integration>/<index> */
    int64_t sent_ns, expires_ns;
    const uint64_t *firing; /* hashes of the alerts told as firing */
    size_t firing_count;
    const uint64_t *resolved;
    size_t resolved_count;
};

int state_nflog_put(struct state *state, const struct nflog_entry *entry, struct err *err);
int state_nflog_each(struct state *state, void (*visit)(void *context, const struct nflog_entry *entry),
                     void *context, struct err *err);
int state_nflog_expire(struct state *state, int64_t now_ns, struct err *err);

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

#endif
