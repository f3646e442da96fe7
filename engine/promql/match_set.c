#include "match_priv.h"

/* Which groups have a series at one step. */
static void mark_groups(const struct match_side *side, size_t step, bool *present, size_t group_count)
{
    for (size_t i = 0; i < group_count; i++)
        present[i] = false;
    for (size_t i = 0; i < side->vector.count; i++)
        if (side->vector.items[i]->kinds[step] != CELL_NONE)
            present[side->groups[i]] = true;
}

/* Empties the cells whose group is (or is not) present on the other side. */
static void keep_where(struct match_side *side, size_t step, const bool *present, bool wanted)
{
    for (size_t i = 0; i < side->vector.count; i++)
        if (present[side->groups[i]] != wanted)
            side->vector.items[i]->kinds[step] = CELL_NONE;
}

static int append_side(struct match *m, struct match_side *side, struct vector *out)
{
    vector_trim(&side->vector, m->grid);
    for (size_t i = 0; i < side->vector.count; i++)
        TRY(vector_push(m->ev, out, side->vector.items[i]));
    return 0;
}

int match_set(struct match *m, struct vector *out)
{
    bool is_or = m->expr->binary.op == OP_OR;
    struct match_side *filtered = is_or ? &m->right : &m->left;
    const struct match_side *other = is_or ? &m->left : &m->right;
    bool *present = ARENA_ARRAY(m->ev->arena, bool, m->groups.count);
    if (present == NULL)
        return eval_no_memory(m->ev);
    for (size_t step = 0; step < m->grid->count; step++) {
        mark_groups(other, step, present, m->groups.count);
        keep_where(filtered, step, present, m->expr->binary.op == OP_AND);
    }
    TRY(append_side(m, &m->left, out));
    if (!is_or)
        return 0;
    TRY(append_side(m, &m->right, out));
    return vector_merge_equal(m->ev, out, m->grid);
}
