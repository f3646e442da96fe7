#include "call_priv.h"

#include <math.h>
#include <stdlib.h>

/* Only an instant query has an order to keep: ranges are ordered by labels in the end. */
static int warn_in_range(struct call *c)
{
    if (c->ev->start_ms == c->ev->end_ms)
        return 0;
    return note_add(c->ev, ANNOTATION_WARNING, c->expr->start,
                    "sort is ineffective for range queries since results are always ordered by labels");
}

static int compare_values(double x, double y)
{
    if (isnan(x) || isnan(y))
        return (isnan(x) != 0) - (isnan(y) != 0);
    return (x > y) - (x < y);
}

static int ascending(const void *a, const void *b)
{
    const struct column *const *x = a, *const *y = b;
    return compare_values((*x)->values[0], (*y)->values[0]);
}

static int descending(const void *a, const void *b)
{
    double x = (*(const struct column *const *)a)->values[0],
           y = (*(const struct column *const *)b)->values[0];
    return isnan(x) || isnan(y) ? compare_values(x, y) : compare_values(y, x);
}

static void drop_histograms(struct call *c, struct vector *v)
{
    for (size_t i = 0; i < v->count; i++)
        for (size_t step = 0; step < c->grid->count; step++)
            if (v->items[i]->kinds[step] == CELL_HISTOGRAM)
                v->items[i]->kinds[step] = CELL_NONE;
    vector_trim(v, c->grid);
}

/* Prometheus' sort leaves several NaN in the opposite of their order. */
static void reverse_nans(struct vector *v)
{
    size_t low = 0, high = v->count;
    while (low < high && !isnan(v->items[low]->values[0]))
        low++;
    while (low + 1 < high) {
        struct column *kept = v->items[low];
        v->items[low++] = v->items[--high];
        v->items[high] = kept;
    }
}

int call_sort(struct call *c, struct vector *out)
{
    TRY(warn_in_range(c));
    TRY(eval_vector(c->ev, call_arg(c, 0), c->grid, out));
    drop_histograms(c, out);
    if (c->grid->count != 1 || out->count < 2)
        return 0;
    qsort(out->items, out->count, sizeof *out->items, call_id(c) == FUNC_sort ? ascending : descending);
    reverse_nans(out);
    return 0;
}

static bool is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

/* Cuts the digits, or the other bytes, that *s begins with. */
static struct str cut_run(struct str *s)
{
    size_t n = 1;
    while (n < s->n && is_digit(s->p[n]) == is_digit(s->p[0]))
        n++;
    struct str run = {s->p, n};
    *s = (struct str){s->p + n, s->n - n};
    return run;
}

static struct str without_zeros(struct str digits)
{
    while (digits.n > 1 && digits.p[0] == '0')
        digits = (struct str){digits.p + 1, digits.n - 1};
    return digits;
}

static int compare_runs(struct str a, struct str b)
{
    if (!is_digit(a.p[0]) || !is_digit(b.p[0]))
        return str_cmp(a, b);
    a = without_zeros(a);
    b = without_zeros(b);
    return a.n != b.n ? (a.n > b.n) - (a.n < b.n) : str_cmp(a, b);
}

/* "node-9" before "node-10": runs of digits compare as numbers. */
static int compare_naturally(struct str a, struct str b)
{
    while (a.n > 0 && b.n > 0) {
        int order = compare_runs(cut_run(&a), cut_run(&b));
        if (order != 0)
            return order;
    }
    return (a.n > b.n) - (a.n < b.n);
}

struct sort_key {
    struct column *column;
    const struct call *call;
};

static int by_labels(const void *a, const void *b)
{
    const struct sort_key *x = a, *y = b;
    const struct expr_list *args = &x->call->expr->call.args;
    for (size_t i = 1; i < args->count; i++) {
        struct str name = eval_string(args->items[i]);
        int order =
            compare_naturally(labels_get(x->column->labels, name), labels_get(y->column->labels, name));
        if (order != 0)
            return order;
    }
    return labels_compare(x->column->labels, y->column->labels);
}

static int by_labels_descending(const void *a, const void *b)
{
    return by_labels(b, a);
}

int call_sort_by_label(struct call *c, struct vector *out)
{
    TRY(warn_in_range(c));
    TRY(eval_vector(c->ev, call_arg(c, 0), c->grid, out));
    struct sort_key *keys = ARENA_ARRAY(c->ev->arena, struct sort_key, out->count);
    if (keys == NULL)
        return eval_no_memory(c->ev);
    for (size_t i = 0; i < out->count; i++)
        keys[i] = (struct sort_key){out->items[i], c};
    qsort(keys, out->count, sizeof *keys,
          call_id(c) == FUNC_sort_by_label ? by_labels : by_labels_descending);
    for (size_t i = 0; i < out->count; i++)
        out->items[i] = keys[i].column;
    return 0;
}
