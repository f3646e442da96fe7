#include "call_priv.h"
#include "held_priv.h"
#include "tally_priv.h"

/* Matchers are read in order: the first equality sets the label, any other matcher of that label takes it
 * away. A label taken away cannot come back, but an equality after a matcher of another kind sets it. */
static bool fixes_label(const struct expr *e, size_t at)
{
    const struct matcher *m = &e->selector.matchers[at];
    if (m->op != MATCH_EQUAL || str_is(m->name, LABEL_METRIC_NAME))
        return false;
    for (size_t i = 0; i < e->selector.matcher_count; i++) {
        const struct matcher *other = &e->selector.matchers[i];
        if (i != at && str_eq(other->name, m->name) && (i > at || other->op == MATCH_EQUAL))
            return false;
    }
    return true;
}

/* The labels that a missing series would have had: those that the selector fixes. */
static const struct labels *labels_of_missing(struct call *c)
{
    const struct expr *e = expr_unwrap(call_arg(c, 0));
    size_t count = 0;
    if (e->kind != EXPR_SELECTOR)
        return labels_empty(c->ev->arena);
    struct label *items = ARENA_ARRAY(c->ev->arena, struct label, e->selector.matcher_count);
    for (size_t i = 0; items != NULL && i < e->selector.matcher_count; i++)
        if (fixes_label(e, i))
            items[count++] = (struct label){e->selector.matchers[i].name, e->selector.matchers[i].value};
    return items != NULL ? labels_make(c->ev->arena, items, count) : NULL;
}

static int answer(struct call *c, const bool *present, struct vector *out)
{
    struct column *column;
    TRY(vector_add(c->ev, out, c->grid, labels_of_missing(c), false, &column));
    for (size_t step = 0; step < c->grid->count; step++)
        if (!present[step])
            column_set_float(column, step, 1);
    vector_trim(out, c->grid);
    return 0;
}

int call_absent(struct call *c, struct vector *out)
{
    struct vector v;
    bool *present = ARENA_ARRAY(c->ev->arena, bool, c->grid->count);
    if (present == NULL)
        return eval_no_memory(c->ev);
    TRY(eval_vector(c->ev, call_arg(c, 0), c->grid, &v));
    for (size_t i = 0; i < v.count; i++)
        for (size_t step = 0; step < c->grid->count; step++)
            present[step] |= v.items[i]->kinds[step] != CELL_NONE;
    return answer(c, present, out);
}

int call_absent_over_time(struct call *c, struct vector *out)
{
    struct matrix m;
    struct window w;
    bool *present = ARENA_ARRAY(c->ev->arena, bool, c->grid->count);
    if (present == NULL)
        return eval_no_memory(c->ev);
    TRY(matrix_open(c->ev, call_arg(c, 0), c->grid, &m));
    for (;;) {
        bool more;
        int64_t made = 0; /* Prometheus makes an element of each, and lets go of none */
        TRY(matrix_next(&m, &more));
        if (!more)
            break;
        for (size_t step = 0; step < c->grid->count; step++) {
            matrix_window(&m, step, &w);
            tally_window(&m, step, &w);
            present[step] |= w.all.count > 0;
            made += w.all.count > 0;
        }
        held_add(c->ev, made);
    }
    held_end_windows(c->ev, &m);
    return answer(c, present, out);
}
