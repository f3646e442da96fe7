/*
 * trail: why somebody was told of an alert, or was not.
 *
 * Per alert (label set) the router keeps what it decided, each time the decision changed, and per group what was sent and what came
 * back. A question joins both with what is known now: silences and their authors, timers, the notification log. An alert that has gone
 * keeps its trail until younger ones need the room (limits.trail_bytes in all; TRAIL_HELD_MAX changes per alert and group,
 * TRAIL_EVENTS_MAX events per group, the oldest go first).
 *
 * Times are the router's wall clock. Nothing in a trail is a secret: of an attempt that failed it has what the log has.
 *
 * Drawback: a trail is in memory only. It begins with the process (trail_answer.since_ns); of what was before, the answer has what the
 * notification log knows: that somebody was told, and when.
 */
#ifndef TOCSIN_TRAIL_H
#define TOCSIN_TRAIL_H

#include "tocsin/arena.h"
#include "tocsin/labels.h"
#include "tocsin/matcher.h"
#include "tocsin/regex.h"

struct router;

/* One decision. What is not meant is 0, NULL or empty. */
struct trail_line {
    int64_t at_ns;
    int64_t last_ns;  /* of one that was repeated: the last time */
    int64_t until_ns; /* when what it says is over, or is looked at again */
    /* came, matched, left, held, free, ended, fires, sent, retrying, failed, unsent, quiet, nobody, owed, missed */
    const char *what;
    const char *by;           /* held: silence, inhibition, mute_time, active_time, moved */
    struct str receiver;      /* from here on: of the group it is about; none: of the alert as a whole */
    struct str route;         /* its matchers: {}/{team="db"} */
    struct str group;         /* its key */
    const char *integration;  /* "webhook" */
    uint32_t number;          /* of the integration, among those of its kind */
    int status, attempt;      /* of an HTTP or SMTP answer; how many attempts there were */
    uint32_t flushes;         /* how many in a row said the same; 0, 1: one */
    struct str detail;        /* in words, without the rest of the line */
    const struct str *causes; /* held: ids of silences, fingerprints of alerts, names of intervals */
    size_t cause_count;
};

/* What it comes to for one receiver, in a sentence. */
struct trail_verdict {
    struct str receiver, group;
    bool paged; /* it was told that the alert fires */
    struct str text;
};

/* What happens next, if nothing changes. */
struct trail_next {
    struct str receiver, group;
    int64_t at_ns;
    struct str text;
};

struct trail_alert {
    uint64_t fingerprint;
    const struct labels *labels;
    const char *state; /* firing, resolved, gone (the router has forgotten it) */
    int64_t starts_ns, ends_ns;
    int64_t since_ns; /* what was before has made room */
    struct trail_line *lines;
    size_t line_count;
    struct trail_verdict *verdicts;
    size_t verdict_count;
    struct trail_next *next;
    size_t next_count;
};

struct trail_query {
    const struct matcher *matchers; /* on labels; all must match */
    size_t matcher_count;
    const struct regex *receiver; /* anchored; NULL: any */
    bool by_fingerprint;
    uint64_t fingerprint;
    size_t limit; /* alerts; firing ones first, then by fingerprint */
};

struct trail_answer {
    int64_t since_ns, now_ns;
    struct trail_alert *alerts;
    size_t count;
    bool truncated; /* there were more than the limit */
};

/* Copies into the arena; ERR_LIMIT past its cap. */
int router_trail(struct router *router, const struct trail_query *query, struct arena *arena,
                 struct trail_answer *out);

/* A line as a person reads it, without its time. now_ns decides whether times in it need their date. */
void trail_line_print(struct buf *out, const struct trail_line *line, int64_t now_ns);

/* 16 hexadecimal digits, as Alertmanager writes them. */
bool trail_fingerprint_parse(struct str text, uint64_t *fingerprint);

/* 12:03:10Z, or 2026-11-22T12:03:10Z if that is another day than now. */
void trail_time_print(struct buf *out, int64_t at_ns, int64_t now_ns);

#endif
