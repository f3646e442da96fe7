#include "match_priv.h"

static const struct labels *group_labels(struct match *m, const struct labels *ls)
{
    const struct name_list *names = &m->matching->labels;
    struct arena *arena = m->ev->arena;
    if (m->matching->on)
        return labels_keep(arena, ls, names->items, names->count);
    const struct labels *rest = labels_drop(arena, ls, names->items, names->count);
    return rest != NULL ? labels_drop_name(arena, rest) : NULL;
}

static int group_side(struct match *m, struct match_side *side)
{
    side->groups = ARENA_ARRAY(m->ev->arena, size_t, side->vector.count);
    if (side->groups == NULL)
        return eval_no_memory(m->ev);
    for (size_t i = 0; i < side->vector.count; i++)
        TRY(label_index_add(m->ev, &m->groups, group_labels(m, side->vector.items[i]->labels),
                            &side->groups[i]));
    return 0;
}

int eval_match(struct evaluation *ev, const struct expr *e, const struct grid *g, struct vector *out)
{
    static const struct vector_matching plain = {.card = CARD_ONE_TO_ONE};
    struct match m = {.ev = ev, .expr = e, .grid = g, .matching = e->binary.matching};
    if (m.matching == NULL)
        m.matching = &plain;
    TRY(eval_vector(ev, e->binary.left, g, &m.left.vector));
    TRY(eval_vector(ev, e->binary.right, g, &m.right.vector));
    TRY(group_side(&m, &m.left));
    TRY(group_side(&m, &m.right));
    return op_is_set(e->binary.op) ? match_set(&m, out) : match_join(&m, out);
}
