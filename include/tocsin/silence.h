/*
 * silence: who keeps which alerts quiet, from when to when (Alertmanager 0.34).
 *
 * A silence matches an alert when all of its matchers do; a label that is not there is the empty text. It is pending before its start,
 * active up to its end, which belongs to it, and expired afterwards. What it matches never changes: whoever wants other matchers, another
 * start of an active one, or an expired one back, gets a new silence with an id of its own, and the old one expires.
 *
 * What has been answered is on disk: each change is durable before the call returns, and an old silence that gives way to a new one goes in
 * the same step. Expired ones are kept for silences_options.retention_ns, for whoever asks what was quiet, and count among max_silences until then.
 *
 * One with the annotation SILENCE_UNTIL = "resolved" ends with its alerts: about a second after none of those that it matches fires any
 * more, once one did while it was active; at its end in any case. After a restart the router waits for five minutes before it believes
 * that. (An Alertmanager keeps the annotation, and nothing follows from it.)
 *
 * All calls are thread-safe. Readers never wait for the disk. Drawback: changes do, one after the other.
 */
#ifndef TOCSIN_SILENCE_H
#define TOCSIN_SILENCE_H

#include "tocsin/labels.h"
#include "tocsin/matcher.h"
#include "tocsin/state.h"
#include "tocsin/world.h"

/* Alertmanager's --data.retention, unless it is given. */
#define SILENCE_RETENTION_NS (120 * 3600 * NS_PER_S)

#define SILENCE_UNTIL STR("tocsin_until")

enum { SILENCE_ID_BYTES = 36 };

enum silence_state { SILENCE_ACTIVE, SILENCE_PENDING, SILENCE_EXPIRED, SILENCE_STATES };
const char *silence_state_text(enum silence_state state);

struct silence {
    struct str id; /* a UUID */
    enum silence_state state;
    const struct matcher *matchers; /* as they were given; of one that is read without their expressions */
    size_t matcher_count;
    int64_t starts_ns, ends_ns, updated_ns;
    struct str created_by, comment;
    const struct labels *annotations;
};

struct silences;

struct silences_options {
    struct world *world;
    struct state *state;  /* NULL: in memory only */
    int64_t max_silences; /* 0: limits.silences alone bounds them */
    int64_t max_bytes;    /* of one, as Alertmanager counts them; 0: limits.silence_bytes */
    int64_t retention_ns; /* 0: SILENCE_RETENTION_NS */
};

/* Reads what an earlier process kept. */
int silences_open(const struct silences_options *options, struct silences **out, struct err *err);
void silences_close(struct silences *silences);

/* Creates one (no id), or changes the one with that id; a start in the past is now, likewise one of 0. state and updated_ns are not
 * looked at. Its id, which may be a new one, goes to `id`. ERR_NOT_FOUND: no silence has that id; ERR_PARSE, ERR_LIMIT: it may not be, in
 * Alertmanager's words; ERR_IO: the disk does not take it, and nothing has changed. */
int silences_put(struct silences *silences, const struct silence *wanted, char id[SILENCE_ID_BYTES + 1],
                 struct err *err);

/* Ends one now; one that has ended stays as it is. ERR_NOT_FOUND; ERR_IO as above. */
int silences_expire(struct silences *silences, struct str id, struct err *err);

/* Copies one into the arena: ERR_NOT_FOUND; ERR_LIMIT past the arena's cap. */
int silences_find(struct silences *silences, struct str id, struct arena *arena, struct silence *out);

struct silence_filter {
    const struct matcher *matchers; /* a silence is meant if it has each of them, word for word */
    size_t matcher_count;
    bool states[SILENCE_STATES];
};

/* Active ones by their end, then pending ones by their start, then expired ones, the last to end first. ERR_LIMIT as above. */
int silences_list(struct silences *silences, const struct silence_filter *filter, struct arena *arena,
                  struct silence **out, size_t *count);

/* Forgets those that expired retention_ns ago, on disk, too. */
void silences_collect(struct silences *silences, int64_t now_ns);

/* alertmanager_silences and its kin. */
void silences_write_metrics(struct silences *silences, struct buf *out);

#endif
