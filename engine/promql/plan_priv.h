/*
 * plan: what is known about an expression before any data: its standing selectors, which parts are the same
 * at every step, how far back it looks.
 *
 * Every node of the tree has a number (expr.plan_id), parents before children; nodes[] is indexed by it.
 */
#ifndef TOCSIN_PROMQL_PLAN_PRIV_H
#define TOCSIN_PROMQL_PLAN_PRIV_H

#include "tocsin/promql.h"

/* Returns the code of a failed call; every function of the evaluator ends its work at the first error. */
#define TRY(call)              \
    do {                       \
        int try_code = (call); \
        if (try_code != 0)     \
            return try_code;   \
    } while (0)

struct plan_node {
    const struct expr *expr;
    bool invariant; /* the same at every step of a range query */
    struct standing
        *standing;       /* of a selector (or of info(), for its info series), when opened with a store */
    struct edges *edges; /* of a standing range selector; whoever evaluates it changes what is in there */
    struct expr *info;   /* of info(): the selector of its info series, which plan_info.c made */
    struct str metric;   /* of a selector: the name that all its series have; empty: they may have several */
    bool name_unseen;    /* of a call: whoever asks for it sees no names, and all its series have one name */
    bool labels_unseen;  /* and no other labels either */
    bool detect_resets;  /* of a selector: somebody outside looks at counts alone (plan.c) */
    bool part_changes;   /* of a part: one that is computed may change it (promql_shared_forget) */
    uint32_t part;       /* its number among those that several expressions have in common, from 1 on; 0: it is none */
    struct regex *regex; /* of label_replace(); NULL: invalid, which is an error of the evaluation */
    bool template;       /* the second argument of info(): only its matchers are used, by plan_info.c */
};

struct promql {
    struct arena arena;
    struct promql_options options;
    struct store *store;
    struct str text; /* as given: positions refer to it */
    struct expr *root;
    struct plan_node *nodes;
    size_t node_count;
};

static inline const struct plan_node *plan_node(const struct promql *q, const struct expr *e)
{
    return &q->nodes[e->plan_id];
}

/* The expression inside any number of parentheses. */
const struct expr *expr_unwrap(const struct expr *e);

/* Makes the selector of the info series that a call of info() asks for. */
int plan_info(struct promql *q, const struct expr *call, struct err *err);
void plan_info_release(struct plan_node *node);

/* Values of step() and range() in a duration expression. */
struct duration_context {
    int64_t step_ms, range_ms;
};

/* NULL counts as 0. ERR_EXEC "start:end: ..." for a division by zero and the like. */
int duration_value(const struct duration_expr *d, const struct duration_context *context, int64_t *ms,
                   struct err *err);

/* The same, and more than 0. */
int duration_value_positive(const struct duration_expr *d, const struct duration_context *context,
                            int64_t *ms, struct err *err);

#endif
