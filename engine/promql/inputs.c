#include "plan_priv.h"

/* step() and range() are not known before the query: durations made of them count as nothing. */
static int64_t shift_ms(const struct duration_expr *offset)
{
    const struct duration_context none = {0, 0};
    int64_t ms;
    return duration_value(offset, &none, &ms, NULL) == 0 ? ms : 0;
}

struct search {
    const struct promql *q;
    size_t skip; /* so many are passed over before the one that is wanted */
    struct promql_input *out;
};

static bool find(struct search *s, const struct expr *e, int64_t behind_ms)
{
    const struct plan_node *node = plan_node(s->q, e);
    if (e->kind == EXPR_SUBQUERY) {
        if (e->subquery.shift.at != AT_NONE)
            return false;
        behind_ms += shift_ms(e->subquery.shift.offset);
    }
    if (e->kind == EXPR_SELECTOR) {
        if (node->standing == NULL || e->selector.shift.at != AT_NONE || s->skip-- > 0)
            return false;
        if (e->selector.modifier == RANGE_SMOOTHED)
            behind_ms -= s->q->options.lookback_ms;
        behind_ms += shift_ms(e->selector.shift.offset);
        *s->out = (struct promql_input){node->standing, e, behind_ms};
        return true;
    }
    for (size_t i = 0; promql_child(e, i) != NULL; i++)
        if (find(s, promql_child(e, i), behind_ms))
            return true;
    return false;
}

bool promql_input(const struct promql *q, size_t i, struct promql_input *out)
{
    struct search search = {q, i, out};
    return find(&search, q->root, 0);
}

static bool is_plain_selector(const struct expr *e)
{
    const struct time_shift *shift = &e->selector.shift;
    return !e->selector.is_range && e->selector.modifier == RANGE_PLAIN && shift->at == AT_NONE &&
           shift->offset == NULL;
}

static bool decided_by_sample(const struct expr *e)
{
    e = expr_unwrap(e);
    switch (e->kind) {
    case EXPR_SELECTOR:
        return is_plain_selector(e);
    case EXPR_UNARY:
        return decided_by_sample(e->unary.inner);
    case EXPR_BINARY:
        if (expr_unwrap(e->binary.right)->kind == EXPR_NUMBER)
            return decided_by_sample(e->binary.left);
        return expr_unwrap(e->binary.left)->kind == EXPR_NUMBER && decided_by_sample(e->binary.right);
    default:
        return false;
    }
}

bool promql_decided_by_sample(const struct promql *q)
{
    return decided_by_sample(q->root);
}

size_t promql_series_read(const struct promql *q, struct store *store)
{
    size_t count = 0;
    for (size_t i = 0; i < q->node_count; i++)
        if (q->nodes[i].standing != NULL)
            count += standing_count(store, q->nodes[i].standing);
    return count;
}
