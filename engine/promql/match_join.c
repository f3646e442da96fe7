#include "match_priv.h"

#define NONE SIZE_MAX

/* A pair of series that met before, and the series of its result. */
struct pairing {
    size_t one, out;
};

struct join {
    struct match *m;
    const struct match_side *many, *one;
    bool swapped; /* the many side stands on the right */
    struct vector *out;
    struct label_index out_labels;

    /* per match group, for the step at hand */
    size_t *one_of_group; /* column of the one side */
    bool *many_in_group;  /* the many side has a series */
    bool *met_in_group;   /* a pair was made, whatever came of it */
    size_t out_group_capacity;
    size_t *out_group;        /* per result series: the group that wrote it at this step */
    struct pairing *pairings; /* per series of the many side */

    struct operation_note note; /* the last one of the step */
};

static int prepare_join(struct join *j)
{
    struct arena *arena = j->m->ev->arena;
    size_t groups = j->m->groups.count;
    j->one_of_group = ARENA_ARRAY(arena, size_t, groups);
    j->many_in_group = ARENA_ARRAY(arena, bool, groups);
    j->met_in_group = ARENA_ARRAY(arena, bool, groups);
    j->pairings = ARENA_ARRAY(arena, struct pairing, j->many->vector.count);
    if (j->one_of_group == NULL || j->many_in_group == NULL || j->met_in_group == NULL || j->pairings == NULL)
        return eval_no_memory(j->m->ev);
    for (size_t i = 0; i < j->many->vector.count; i++)
        j->pairings[i] = (struct pairing){NONE, NONE};
    return 0;
}

static int duplicate_one(struct join *j, size_t group, size_t a, size_t b)
{
    struct buf text;
    const struct labels *x = j->one->vector.items[a]->labels, *y = j->one->vector.items[b]->labels;
    bool ordered = labels_compare(x, y) <= 0;
    buf_init(&text, ERR_TEXT_MAX);
    buf_puts(&text, "found duplicate series for the match group ");
    labels_print(&text, j->m->groups.items[group]);
    buf_format(&text, " on the %s hand-side of the operation: [", j->swapped ? "left" : "right");
    labels_print(&text, ordered ? x : y);
    buf_puts(&text, ", ");
    labels_print(&text, ordered ? y : x);
    buf_puts(&text, "];many-to-many matching not allowed: matching labels must be unique on one side");
    int code = eval_fail(j->m->ev, ERR_EXEC, "%s", buf_text(&text));
    buf_release(&text);
    return code;
}

/* Finds the one-side series of each group at a step. *found: how many. */
static int place_one_side(struct join *j, size_t step, size_t *found)
{
    *found = 0;
    for (size_t i = 0; i < j->one->vector.count; i++) {
        if (j->one->vector.items[i]->kinds[step] == CELL_NONE)
            continue;
        size_t group = j->one->groups[i];
        if (j->one_of_group[group] != NONE)
            return duplicate_one(j, group, j->one_of_group[group], i);
        j->one_of_group[group] = i;
        ++*found;
    }
    return 0;
}

static size_t place_many_side(struct join *j, size_t step)
{
    size_t found = 0;
    for (size_t i = 0; i < j->many->vector.count; i++) {
        if (j->many->vector.items[i]->kinds[step] == CELL_NONE)
            continue;
        j->many_in_group[j->many->groups[i]] = true;
        found++;
    }
    return found;
}

/* Before labels are taken over from the one side: a name that group_left() or group_right() lists stays. */
static bool drops_name(const struct match *m)
{
    enum promql_op op = m->expr->binary.op;
    if (m->expr->binary.return_bool)
        return !m->ev->q->options.features.delayed_name_removal;
    return !op_is_comparison(op) && op != OP_TRIM_UPPER && op != OP_TRIM_LOWER;
}

static const struct labels *include_labels(struct join *j, const struct labels *ls, const struct labels *one)
{
    const struct name_list *include = &j->m->matching->include;
    for (size_t i = 0; ls != NULL && i < include->count; i++)
        ls = labels_with(j->m->ev->arena, ls, include->items[i], labels_get(one, include->items[i]));
    return ls;
}

static const struct labels *result_labels(struct join *j, const struct labels *many, const struct labels *one)
{
    struct arena *arena = j->m->ev->arena;
    const struct vector_matching *matching = j->m->matching;
    const struct name_list *names = &matching->labels;
    const struct labels *ls = many;
    if (drops_name(j->m))
        ls = labels_without_metadata(arena, ls);
    if (ls != NULL && matching->card == CARD_ONE_TO_ONE)
        ls = matching->on ? labels_keep(arena, ls, names->items, names->count)
                          : labels_drop(arena, ls, names->items, names->count);
    return include_labels(j, ls, one);
}

static int find_out(struct join *j, const struct labels *many, const struct labels *one, size_t *out)
{
    struct evaluation *ev = j->m->ev;
    struct column *c;
    TRY(label_index_add(ev, &j->out_labels, result_labels(j, many, one), out));
    if (*out < j->out->count)
        return 0;
    size_t count = j->out->count;
    bool mark = j->m->expr->binary.return_bool && ev->q->options.features.delayed_name_removal;
    TRY(vector_add(ev, j->out, j->m->grid, j->out_labels.items[*out], mark, &c));
    ARENA_GROW(ev->arena, j->out_group, count, j->out_group_capacity);
    return j->out_group != NULL ? 0 : eval_no_memory(ev);
}

/* One operand: a series at a step, or a fill value that carries the labels of its group. */
struct operand {
    const struct labels *labels;
    struct cell cell;
};

static int store_result(struct join *j, size_t step, size_t group, size_t number, const struct cell *cell)
{
    struct evaluation *ev = j->m->ev;
    struct column *c = j->out->items[number];
    if (c->kinds[step] != CELL_NONE && j->out_group[number] == group)
        return eval_fail(ev, ERR_EXEC,
                         "multiple matches for labels: grouping labels must ensure unique matches");
    if (c->kinds[step] != CELL_NONE)
        return eval_fail(ev, ERR_EXEC, "vector cannot contain metrics with the same labelset");
    j->out_group[number] = group;
    return column_set(ev, c, j->m->grid, step, cell);
}

/* The value of a pair; CELL_NONE if nothing remains. */
static int pair_value(struct join *j, const struct cell *many, const struct cell *one, struct cell *result)
{
    const struct expr *e = j->m->expr;
    struct operands o = {
        .op = e->binary.op, .left = j->swapped ? *one : *many, .right = j->swapped ? *many : *one};
    struct operation_note note = {0};
    bool keep;
    TRY(operate(j->m->ev, &o, result, &keep, &note));
    if (note.text.n > 0)
        j->note = note;
    if (note.text.n > 0 && !note.remains) {
        result->kind = CELL_NONE;
    } else if (e->binary.return_bool) {
        *result = (struct cell){.kind = CELL_FLOAT, .value = keep};
    } else if (!keep) {
        result->kind = CELL_NONE;
    }
    return 0;
}

/* pairing: where the series of the result was found the last time; NULL for filled operands. */
static int join_pair(struct join *j, size_t step, size_t group, const struct operand *many,
                     const struct operand *one, struct pairing *pairing)
{
    struct cell result;
    if (j->met_in_group[group] && j->m->matching->card == CARD_ONE_TO_ONE)
        return eval_fail(j->m->ev, ERR_EXEC,
                         "multiple matches for labels: many-to-one matching must be explicit "
                         "(group_left/group_right)");
    j->met_in_group[group] = true;
    TRY(pair_value(j, &many->cell, &one->cell, &result));
    if (result.kind == CELL_NONE)
        return 0;
    size_t one_column = j->one_of_group[group];
    struct pairing found = {NONE, NONE};
    if (pairing != NULL && pairing->out != NONE && pairing->one == one_column)
        found = *pairing;
    if (found.out == NONE)
        TRY(find_out(j, many->labels, one->labels, &found.out));
    found.one = one_column;
    if (pairing != NULL)
        *pairing = found;
    return store_result(j, step, group, found.out, &result);
}

static struct operand operand_of(const struct match_side *side, size_t column, size_t step)
{
    const struct column *c = side->vector.items[column];
    return (struct operand){c->labels, column_get(c, step)};
}

static struct operand filled(struct join *j, size_t group, double value)
{
    return (struct operand){j->m->groups.items[group], {.kind = CELL_FLOAT, .value = value}};
}

static int join_many_side(struct join *j, size_t step)
{
    const struct vector_matching *matching = j->m->matching;
    for (size_t i = 0; i < j->many->vector.count; i++) {
        size_t group = j->many->groups[i], partner = j->one_of_group[group];
        if (j->many->vector.items[i]->kinds[step] == CELL_NONE ||
            (partner == NONE && !matching->fill_right_given))
            continue;
        struct operand many = operand_of(j->many, i, step);
        struct operand one =
            partner != NONE ? operand_of(j->one, partner, step) : filled(j, group, matching->fill_right);
        TRY(join_pair(j, step, group, &many, &one, &j->pairings[i]));
    }
    return 0;
}

/* One-side series without a partner meet the fill value. Prometheus does not swap the fill values under
 * group_right, so fill_left always stands for the many side. */
static int join_lonely_ones(struct join *j, size_t step)
{
    for (size_t i = 0; i < j->one->vector.count && j->m->matching->fill_left_given; i++) {
        size_t group = j->one->groups[i];
        if (j->one->vector.items[i]->kinds[step] == CELL_NONE || j->many_in_group[group])
            continue;
        struct operand one = operand_of(j->one, i, step);
        struct operand many = filled(j, group, j->m->matching->fill_left);
        TRY(join_pair(j, step, group, &many, &one, NULL));
    }
    return 0;
}

static int join_step(struct join *j, size_t step)
{
    const struct vector_matching *matching = j->m->matching;
    bool fills = matching->fill_left_given || matching->fill_right_given;
    size_t ones, manys;
    for (size_t i = 0; i < j->m->groups.count; i++) {
        j->one_of_group[i] = NONE;
        j->many_in_group[i] = j->met_in_group[i] = false;
    }
    manys = place_many_side(j, step);
    if (manys == 0 && !fills)
        return 0;
    TRY(place_one_side(j, step, &ones));
    if (ones == 0 && !fills)
        return 0;
    j->note = (struct operation_note){0};
    TRY(join_many_side(j, step));
    TRY(join_lonely_ones(j, step));
    if (j->note.text.n == 0)
        return 0;
    return note_add(j->m->ev, j->note.kind, j->m->expr->start, "%.*s", STR_ARG(j->note.text));
}

int match_join(struct match *m, struct vector *out)
{
    bool swapped = m->matching->card == CARD_ONE_TO_MANY;
    struct join j = {.m = m, .swapped = swapped, .out = out};
    j.many = swapped ? &m->right : &m->left;
    j.one = swapped ? &m->left : &m->right;
    TRY(prepare_join(&j));
    for (size_t step = 0; step < m->grid->count; step++) {
        TRY(eval_poll(m->ev));
        TRY(join_step(&j, step));
    }
    return 0;
}
