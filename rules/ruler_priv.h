/*
 * The ruler's inside: groups, rules and alerts between evaluations.
 *
 * Who may touch what: a group that is `busy` belongs to the worker that evaluates it. What the API shows of it
 * (alerts, health, figures) is changed under the group's lock, and only by that worker, which may therefore read it
 * without. Membership, the timetable (`next_ns` and what follows it) and the globals stand under the ruler's lock.
 */
#ifndef TOCSIN_RULER_PRIV_H
#define TOCSIN_RULER_PRIV_H

#include "live_alert_priv.h"
#include "rule_history_priv.h"
#include "rule_template_priv.h"
#include "timetable_priv.h"
#include "tocsin/hash.h"
#include "tocsin/lock.h"
#include "tocsin/ruler.h"
#include "tocsin/store.h"

#include <stdatomic.h>

/* A series that a rule wrote, so that its end can be marked. */
struct written {
    struct labels *labels;
    uint64_t round;
};

struct rule_state {
    const struct rule *rule;
    struct promql *query;
    struct map written;          /* of struct written; the worker's alone */
    struct map past;             /* likewise: what may have to be ended at slots that are made up for */
    uint64_t round, alert_round; /* counts of evaluations that came to a result */
    struct map alerts;           /* of struct live_alert, by label set */
    uint64_t identity;           /* name and labels; of several such, which */
    bool known;                  /* it is written down that there is such a rule */
    struct live_alert **gone;    /* no more, but still written down */
    size_t gone_count, gone_capacity;
    struct map recalled; /* of struct recalled; while there are any, no ALERTS are written */
    enum rule_health health;
    char *last_error; /* NULL: none */
    double duration_s;
    int64_t last_ns; /* 0: never */
    struct rule_history history;
    size_t stage; /* of its group's stages, where it has any */
    bool looks;   /* between slots: one sample decides an alert, and by_data is set */
    struct arrival_seen looked;
};

struct group_figures {
    uint64_t evaluations, failures, iterations, missed, samples, looks, caught_up;
    double duration_s, rules_duration_s;
    int64_t last_ns; /* 0: never */
};

/* A rule set with the number of groups that point into it. */
struct loaded_set {
    struct rule_set *set;
    size_t refs;
};

struct live_group {
    const struct rule_group *definition;
    struct loaded_set *set;
    struct promql_options promql; /* its queries were prepared with */
    uint64_t key;                 /* hash of file and name */
    int64_t interval_ns, query_offset_ns;
    struct lock lock;
    struct rule_state *rules;
    size_t count;
    size_t stage_count; /* stage_priv.h; 0: the rules are evaluated one after the other */
    size_t parts;       /* that its rules have in common: promql_share */
    struct map orphans; /* of struct written: what rules wrote that are gone */
    int recalls_in;     /* slots until what was recalled is used; 0: nothing was */
    struct group_figures figures;
    struct rule_policy policy;
    int64_t data_wait_ns;       /* 0: slots are evaluated by the clock */
    struct group_input *inputs; /* what a slot waits for; immutable */
    size_t input_count;
    struct group_wait wait, arrears_wait;
    int64_t slot_ns; /* the last that was evaluated; NEVER: none is known of. The worker's alone */
    bool looks;      /* one of its rules does */
    /* under the ruler's lock */
    int64_t next_ns;
    struct group_alarm slot_alarm, look_alarm, arrears_alarm;
    struct arrears arrears;
    size_t order;                            /* among the groups */
    size_t places[TURN_KINDS][ALARM_QUEUES]; /* in the ruler's alarms, from 1 on */
    bool busy, stopping;
    size_t refs;
};

/* Series of a removed group, to be marked as ended unless another group has taken them over by then. */
struct farewell {
    struct farewell *next;
    struct map written;
    int64_t due_ns, t_ms;
};

/* The options in force, immutable; evaluations under way keep the ones they began with. */
struct globals {
    struct ruler_options options;
    struct labels *external_labels; /* NULL: none */
    char *external_url;
    size_t refs;
};

enum { DURATIONS_KEPT = 512 };

/* The last durations, for summaries. */
struct durations {
    double recent[DURATIONS_KEPT];
    uint64_t count;
    double sum;
};

struct ruler {
    struct world *world;
    struct store *store;
    void (*recorded)(void *context,
                     const struct batch *batch); /* of struct ruler_options; NULL: nobody asks */
    void *context;                               /* for it */
    bool quiet;                                  /* rule tests tell by themselves what failed */
    bool begun;                                  /* rules have been loaded once */
    struct lock lock;                            /* LOCK_groups */
    pthread_cond_t idle;                         /* a turn, or a helper's rule, has ended */
    struct stage *stages;                        /* under way */
    int64_t helpers;                             /* workers at a rule of a group that is another's */
    struct globals *globals;
    struct live_group **groups;
    size_t count;
    struct alarms alarms;
    int64_t clock_ns; /* the latest it has been */
    struct farewell *farewells;
    pthread_cond_t woken;       /* ruler_wait */
    int64_t tried_until_ns;     /* what was tried in vain has used up the time until then */
    _Atomic uint64_t pushes;    /* how often something came in */
    atomic_bool poked;          /* and nobody has looked since */
    _Atomic size_t data_groups; /* that care */
    struct durations rule_durations, group_durations;
};

/* One evaluation of one group. */
struct evaluation {
    struct ruler *ruler;
    const struct globals *globals;
    struct live_group *group;
    struct rule_state *state; /* the rule it is at */
    struct view *view;
    struct promql_shared *shared; /* NULL: nothing is */
    struct arena arena; /* cleared when the rule's results are in the store */
    enum rule_occasion occasion;
    int64_t slot_ns;
    uint64_t samples;
    struct alert_event **events; /* to be told when what they say is written down */
    size_t event_count, event_capacity;
    size_t results;    /* of the rule's query */
    size_t over_limit; /* alerts there would be, past a limit that keeps the old ones; 0: within */
    struct err *err;
};

/* One sample a rule wants in the store. */
struct output {
    const struct labels *labels;
    double value;
    const struct histogram *histogram;
};

struct outputs {
    struct output *items;
    size_t count;
};

/* live_group.c */
struct live_group *live_group_open(struct ruler *ruler, const struct globals *globals, struct loaded_set *set,
                                   const struct rule_group *definition, struct err *err);
void live_group_free(struct live_group *group);
int64_t live_group_slot_after(const struct live_group *group, int64_t now_ns);
void live_group_evaluate(struct ruler *ruler, const struct globals *globals, struct live_group *group,
                         int64_t slot_ns);

/* One rule, so far: what it came to, in the evaluation's arena. */
struct rule_outcome {
    struct outputs outputs;
    struct err err;
    int code;
    int64_t began_ns;
    double duration_s;
};

/* One rule of an evaluation whose members are set. What is computed (with the alerts that come of it) is not in the store before it
 * is written, which the group's own worker does. The arena is cleared then. */
void rule_compute(struct evaluation *e, struct rule_state *state, struct rule_outcome *outcome);
void rule_write(struct evaluation *e, struct rule_outcome *outcome);
void rule_evaluate(struct evaluation *e, struct rule_state *state); /* both */

/* group_shared.c: finds what the group's rules have in common; once. */
void group_shared_find(struct live_group *group);

/* Opens a view that remembers, and shares among the rules that are evaluated with it what they have in common. What a rule wrote the
 * next one shall see: forget. */
void evaluation_open_view(struct evaluation *e);
void evaluation_forget(struct evaluation *e);
void evaluation_close_view(struct evaluation *e);

/* Sample time of an evaluation: the slot less the query offset. */
int64_t evaluation_t_ms(const struct evaluation *e);

/* record_rule.c: the rule's query as a vector (a scalar is one element without labels), and a recording rule. */
int rule_query(struct evaluation *e, struct promql_result *out);
int record_rule(struct evaluation *e, struct outputs *out);

/* A set of label sets during one evaluation; false if it was in already. */
bool labels_claim(struct map *claimed, const struct labels *ls);

/* alert_rule.c */
int alert_rule(struct evaluation *e, struct outputs *out);

/* output.c: writes a rule's results and the ends of those that came no more; tells what was refused in e->err. */
int output_write(struct evaluation *e, const struct outputs *outputs);
void output_end_orphans(struct evaluation *e);
void output_end_all(struct ruler *ruler, const struct map *written, int64_t t_ms);
/* Ends, at a slot that was made up for or follows one, what the rule wrote at the slot before and not there. */
void output_end_past(struct evaluation *e, int64_t next_ns);
void written_free(struct map *written);
void note_written(struct rule_state *state, const struct labels *ls); /* in its present round */
/* Adds all of *from to *to; *from is empty afterwards. */
void written_move(struct map *to, struct map *from);

/* ruler.c, ruler_load.c */
void farewell_free(struct farewell *farewell);
struct globals *globals_make(const struct ruler_options *options);
void globals_drop(struct ruler *ruler, struct globals *globals);
void globals_swap(struct ruler *ruler,
                  struct globals *fresh); /* in force from now on, with a reference of its own */
void live_groups_keep(struct ruler *ruler, struct live_group ***groups,
                      size_t *count); /* copies the list, one ref each */
void live_groups_drop(struct ruler *ruler, struct live_group **groups, size_t count);
void live_group_drop(struct ruler *ruler, struct live_group *group);

#endif
