/*
 * rule_history: the last evaluations of a rule.
 */
#ifndef TOCSIN_RULE_HISTORY_PRIV_H
#define TOCSIN_RULE_HISTORY_PRIV_H

#include "tocsin/ruler.h"

enum { RULE_PAST_MAX = 16 };

/* One evaluation of a rule that is over. */
struct rule_past {
    int64_t t_ms; /* what it looked at */
    double duration_s;
    uint32_t series, results;
    char *error; /* NULL: none */
    enum rule_occasion occasion;
};

/* The last evaluations, under the group's lock; room is taken with the first. */
struct rule_history {
    struct rule_past *items;
    size_t count; /* ever */
};

/* rule_history.c: the group's lock held for noting. */
void rule_history_note(struct rule_history *h, const struct rule_past *past);
void rule_history_free(struct rule_history *h);

#endif
