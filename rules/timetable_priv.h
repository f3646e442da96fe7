/*
 * timetable: when the groups of a ruler are evaluated: at their slots, by the clock or once data have come; between slots; and for
 * slots that were missed.
 */
#ifndef TOCSIN_TIMETABLE_PRIV_H
#define TOCSIN_TIMETABLE_PRIV_H

#include "tocsin/arrival.h"

struct globals;
struct live_group;
struct ruler;

/* A selector that an evaluation waits for. */
struct group_input {
    const struct standing *standing;
    int64_t behind_ms; /* how far behind the evaluation it looks */
};

/* How far the wait for one slot has come: input by input. The worker's alone. */
struct group_wait {
    int64_t slot_ns; /* NEVER: none yet */
    size_t at;
    struct arrival_wait arrival; /* of the input at hand */
};

/* When something that depends on data is to be tried: at due_ns, or once there are more pushes than were seen. */
struct group_alarm {
    int64_t due_ns;
    int64_t rest_ns; /* no push sets it off before */
    uint64_t pushes;
    bool tried; /* in vain: a push may make the difference */
};

/* In the order in which they are chosen. Looks first: they find what pages at once, and their share is bounded. */
enum turn_kind { TURN_LOOK, TURN_SLOT, TURN_CATCH_UP, TURN_KINDS };

/* alarms.c: whose turn is next, for each kind of turn; the ruler's lock held. All groups are in there but those that a worker is at. An alarm
 * is due at its time; one that was tried in vain is fresh as soon as there was a push since, and to be tried when it has had its rest. */
enum alarm_queue { ALARM_DUE, ALARM_FRESH, ALARM_TRIED, ALARM_QUEUES };

struct alarm_heap {
    enum turn_kind kind;
    enum alarm_queue queue;
    struct live_group **items;
    size_t count, capacity;
};

struct alarms {
    struct alarm_heap heaps[TURN_KINDS][ALARM_QUEUES];
    uint64_t pushes; /* those that have freshened */
};

void alarms_open(struct alarms *alarms);
void alarms_close(struct alarms *alarms);
void alarms_add(struct ruler *ruler, struct live_group *group);
void alarms_remove(struct ruler *ruler, struct live_group *group);
void alarms_rebuild(struct ruler *ruler); /* from the ruler's groups */
void alarms_freshen(struct ruler *ruler); /* by the pushes there were */
struct live_group *alarms_first(struct ruler *ruler, enum turn_kind kind,
                                enum alarm_queue queue); /* NULL: none */
struct group_alarm *alarm_of(struct live_group *group, enum turn_kind kind);

/* Slots that were missed and are to be made up for: from <= slot < to. */
struct slot_range {
    int64_t from_ns, to_ns;
};

enum { ARREARS_RANGES = 8 };

struct arrears {
    struct slot_range items[ARREARS_RANGES];
    size_t count;
    int64_t since_ns; /* when the last range was put here */
};

/* live_look.c: alerting rules that one sample decides, between slots (false: nothing new came); and the recording rules of a slot
 * that was missed. */
bool live_group_look(struct ruler *ruler, const struct globals *globals, struct live_group *group,
                     int64_t now_ns);
void live_group_catch_up(struct ruler *ruler, const struct globals *globals, struct live_group *group,
                         int64_t slot_ns);

/* group_inputs.c: what the group's evaluations wait for. False: it has not all come; *retry_ns says when to ask again at the
 * latest. Nothing is waited for past deadline_ns. */
void group_inputs_find(struct live_group *group);
bool group_inputs_arrived(struct ruler *ruler, struct live_group *group, struct group_wait *wait,
                          int64_t slot_ns, int64_t now_ns, int64_t deadline_ns, int64_t patience_ms,
                          int64_t *retry_ns);

/* arrears.c: the ruler's lock held, but for arrears_find. */
void arrears_add(struct live_group *group, int64_t from_ns, int64_t to_ns, int64_t now_ns);
int64_t arrears_first(struct live_group *group, int64_t now_ns); /* INT64_MAX: empty */
void arrears_done(struct live_group *group, int64_t slot_ns);
/* What was missed while the process was down, as far as the samples tell that its rules recorded. */
void arrears_find(struct ruler *ruler, struct live_group *group, int64_t now_ns);
/* The first slot of a group that went by data when the process ended: such as waited then wait on. */
int64_t arrears_resume_ns(struct ruler *ruler, const struct live_group *group, int64_t now_ns);

#endif
