#include "aggregate_priv.h"

#include "tocsin/gotext.h"

/* Series of the result, found by the labels of the group with the value added. */
struct counting {
    struct aggregation *a;
    struct str label;
    struct label_index index;
    struct vector *out;
};

static int value_text(struct counting *k, const struct cell *cell, struct str *text)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    if (cell->kind == CELL_HISTOGRAM)
        histogram_print(&b, cell->histogram);
    else
        go_float(&b, cell->value, 'f', -1);
    *text = str_copy(k->a->ev->arena, buf_slice(&b));
    buf_release(&b);
    return text->p != NULL ? 0 : eval_no_memory(k->a->ev);
}

/* The value's label may take the place of one that is there, and takes part in the grouping. */
static int group_of(struct counting *k, const struct labels *ls, struct str value, size_t *number)
{
    struct arena *arena = k->a->ev->arena;
    const struct expr *e = k->a->expr;
    const struct name_list *names = &e->aggregate.labels;
    const struct labels *group;
    if (e->aggregate.without) {
        group = labels_with(arena, ls, k->label, value);
        group = group != NULL ? labels_drop(arena, group, names->items, names->count) : NULL;
        group = group != NULL ? labels_drop_name(arena, group) : NULL;
    } else {
        group = labels_keep(arena, ls, names->items, names->count);
        group = group != NULL ? labels_with(arena, group, k->label, value) : NULL;
    }
    return label_index_add(k->a->ev, &k->index, group, number);
}

static int count_cell(struct counting *k, const struct column *c, size_t step)
{
    struct cell cell = column_get(c, step);
    struct column *result;
    struct str text;
    size_t number;
    TRY(value_text(k, &cell, &text));
    TRY(group_of(k, c->labels, text, &number));
    if (number == k->out->count)
        TRY(vector_add(k->a->ev, k->out, k->a->grid, k->index.items[number], c->drop_name, &result));
    result = k->out->items[number];
    column_set_float(result, step, result->kinds[step] == CELL_NONE ? 1 : result->values[step] + 1);
    return 0;
}

static int refuse_label(struct counting *k)
{
    return eval_fail(k->a->ev, ERR_EXEC, "invalid label name %s", note_quote(k->a->ev, k->label));
}

int aggregate_count_values(struct aggregation *a, struct vector *out)
{
    struct counting k = {.a = a, .out = out, .label = eval_string(a->expr->aggregate.param)};
    if (!label_name_is_valid(k.label))
        return refuse_label(&k);
    for (size_t i = 0; i < a->input.count; i++) {
        const struct column *c = a->input.items[i];
        TRY(eval_poll(a->ev));
        for (size_t step = 0; step < a->grid->count; step++)
            if (c->kinds[step] != CELL_NONE)
                TRY(count_cell(&k, c, step));
    }
    return 0;
}
