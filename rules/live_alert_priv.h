/*
 * live_alert: the alerts of rules between evaluations; how they are written down and told, and found again by the next process.
 */
#ifndef TOCSIN_LIVE_ALERT_PRIV_H
#define TOCSIN_LIVE_ALERT_PRIV_H

#include "tocsin/ruler.h"

struct evaluation;
struct globals;
struct live_group;
struct map;
struct rule_state;

#define NEVER INT64_MIN

/* What of an alert is written down as soon as it changes. */
struct alert_mark {
    enum alert_state state;
    int64_t active_ns, fired_ns, resolved_ns, keep_firing_since_ns;
};

/* An alert that is pending or firing, or was resolved a short while ago. Everything on the heap. */
struct live_alert {
    struct labels *labels, *annotations;
    enum alert_state state;
    double value;
    int64_t active_ns, last_sent_ns, keep_firing_since_ns; /* NEVER: not */
    int64_t fired_ns, resolved_ns; /* while it is pending: of its last time, whose end may not be told yet */
    uint64_t round;                /* the rule's alert_round that saw it last */
    bool has_row;                  /* it is written down, as in `kept` */
    struct alert_mark kept;
};

/* What ALERTS_FOR_STATE says of an alert of a rule that is not known from before. */
struct recalled {
    struct labels *labels; /* of the alert */
    int64_t seen_ms, active_s;
};

/* live_alert.c: what an evaluation found, and what it makes of the rule's alerts. */
struct finding {
    const struct labels *labels, *annotations;
    double value;
};

/* Carries all alerts of the rule one step on; a look only begins some. ERR_LIMIT: more than the group's limit, all are dropped. Where
 * the policy keeps them, those that would be too many are left out, and e->over_limit says so. */
int live_alerts_step(struct evaluation *e, const struct finding *findings, size_t count);
bool live_alert_needs_sending(const struct live_alert *alert, int64_t now_ns, int64_t resend_ns);
void live_alert_free(struct live_alert *alert);
/* What has happened has happened by now, also where the clock was put back since: else the alert would neither be told again nor
 * end until the clock is there. */
void live_alert_bring_back(struct live_alert *alert, int64_t now_ns);
void live_alerts_free(struct map *alerts);
int alert_limit_error(struct evaluation *e, size_t alerts);

/* How long a resolved alert is kept, so that its end can be told again. */
#define RESOLVED_RETENTION_NS (15 * 60 * NS_PER_S)

/* How long after it was told that an alert fires it is taken as ended, unless that is told again. */
int64_t alert_timeout_ns(const struct globals *globals, const struct live_group *group);

/* The alert is no more. If somebody may still have to hear of its end, this stays written down. */
void live_alert_leave(struct rule_state *state, struct live_alert *alert, int64_t timeout_ns);

/* alert_rule.c: the news that an alert fires, or fired, until then; and the URL that goes with it. */
struct alert_event *alert_news(const struct globals *globals, struct str url, const struct live_alert *alert,
                               int64_t ends_ns);
struct str alert_url(const struct globals *globals, struct str query, struct arena *arena);

/* ruler_keep.c: the end of an evaluation, of whatever occasion: what has changed is written down, then told. */
void rules_identify(struct live_group *group);
void evaluation_conclude(struct evaluation *e);
struct alert_row alert_row_of(const struct live_alert *alert);
/* Rules of a group that are gone: all of them, or those that are not marked in `stays`. */
void rules_end(const struct globals *globals, struct live_group *group, const bool *stays);

/* ruler_restore.c: what the process before has written down; on the groups of the first load, before anybody sees them. */
int ruler_restore(const struct globals *globals, struct live_group **groups, size_t count, int64_t now_ns,
                  struct err *err);

/* ruler_recall.c: what can be told from the samples: the series that rules wrote and have not ended, and, for rules that are not
 * known, since when their alerts were active. */
void ruler_recall(struct ruler *ruler, const struct globals *globals, struct live_group **groups,
                  size_t count, int64_t now_ns);
void recalled_free(struct rule_state *state);
/* After each slot of the group. */
void recalled_use(struct evaluation *e);

#endif
