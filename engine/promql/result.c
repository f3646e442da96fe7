#include "tally_priv.h"

#include <stdlib.h>

/* Names marked for removal go now; what became equal is joined. */
static int remove_names(struct evaluation *ev, struct vector *v, const struct grid *g)
{
    for (size_t i = 0; i < v->count; i++) {
        struct column *c = v->items[i];
        if (!c->drop_name)
            continue;
        c->labels = labels_without_metadata(ev->arena, c->labels);
        if (c->labels == NULL)
            return eval_no_memory(ev);
    }
    return vector_merge_equal(ev, v, g);
}

/* Labels are copied: until here they may point into the store and the text of the expression. */
static int fill_series(struct evaluation *ev, const struct column *c, const struct grid *g,
                       struct promql_series *s)
{
    size_t count = 0;
    for (size_t step = 0; step < g->count; step++)
        count += c->kinds[step] != CELL_NONE;
    s->labels = labels_copy(ev->arena, c->labels);
    s->points = ARENA_ARRAY(ev->arena, struct promql_point, count);
    if (s->labels == NULL || s->points == NULL)
        return eval_no_memory(ev);
    for (size_t step = 0; step < g->count; step++) {
        struct cell cell = column_get(c, step);
        if (cell.kind == CELL_NONE)
            continue;
        s->points[s->count++] =
            (struct promql_point){.t_ms = grid_at(g, step), .value = cell.value, .histogram = cell.histogram};
    }
    return 0;
}

static int fill_result(struct evaluation *ev, const struct vector *v, const struct grid *g,
                       struct promql_result *out)
{
    out->series = ARENA_ARRAY(ev->arena, struct promql_series, v->count);
    if (out->series == NULL)
        return eval_no_memory(ev);
    for (size_t i = 0; i < v->count; i++)
        TRY(fill_series(ev, v->items[i], g, &out->series[i]));
    out->count = v->count;
    return 0;
}

int result_vector(struct evaluation *ev, struct vector *v, const struct grid *g, struct promql_result *out)
{
    TRY(remove_names(ev, v, g));
    return fill_result(ev, v, g, out);
}

int result_matrix(struct evaluation *ev, struct vector *v, const struct grid *g, struct promql_result *out)
{
    TRY(remove_names(ev, v, g));
    int64_t since_ns = tally_sorting(ev, 0);
    vector_sort(v);
    tally_sorting(ev, since_ns);
    return fill_result(ev, v, g, out);
}

static int copy_window(struct evaluation *ev, const struct sample_span *span, struct promql_series *s)
{
    s->points = ARENA_ARRAY(ev->arena, struct promql_point, span->count);
    if (s->points == NULL)
        return eval_no_memory(ev);
    for (size_t i = 0; i < span->count; i++) {
        const struct sample *from = &span->samples[i];
        struct promql_point *p = &s->points[s->count++];
        *p = (struct promql_point){.t_ms = from->t_ms, .value = from->value};
        if (from->histogram == NULL)
            continue;
        p->histogram = histogram_copy(ev->arena, from->histogram);
        if (p->histogram == NULL)
            return eval_no_memory(ev);
    }
    return 0;
}

static int compare_series(const void *a, const void *b)
{
    const struct promql_series *x = a, *y = b;
    return labels_compare(x->labels, y->labels);
}

static int refuse_twins(struct evaluation *ev, const struct promql_result *out)
{
    for (size_t i = 1; i < out->count; i++)
        if (labels_equal(out->series[i - 1].labels, out->series[i].labels))
            return eval_fail(ev, ERR_EXEC, "vector cannot contain metrics with the same labelset");
    return 0;
}

/* anchored, smoothed: a point at each edge of the range, and the samples between them. */
static int extended_window(struct evaluation *ev, const struct window *w, struct sample_span *span)
{
    struct extended_range x;
    *span = (struct sample_span){0};
    if (w->histograms.count > 0)
        return eval_fail(ev, ERR_EXEC, "smoothed and anchored modifiers do not work with native histograms");
    if (!extended_range(w, &w->floats, &x))
        return 0;
    struct extended_edges e = extended_edges(w, &x, false);
    struct sample *points = ARENA_ARRAY(&ev->scratch, struct sample, x.inside.count + 2);
    if (points == NULL)
        return eval_no_memory(ev);
    points[span->count++] = (struct sample){.t_ms = w->start_ms, .value = e.left.value};
    for (size_t i = 0; i < x.inside.count; i++)
        points[span->count++] = x.inside.samples[i];
    points[span->count++] = (struct sample){.t_ms = w->end_ms, .value = e.right.value};
    span->samples = points;
    return 0;
}

static int window_series(struct evaluation *ev, struct matrix *m, struct promql_result *out)
{
    struct window w;
    struct promql_series *s = &out->series[out->count];
    matrix_window(m, 0, &w);
    struct sample_span span = w.all;
    if (w.modifier != RANGE_PLAIN)
        TRY(extended_window(ev, &w, &span));
    if (span.count == 0)
        return 0;
    if (m->expr->kind == EXPR_SELECTOR)
        tally_answer(ev, &span);
    const struct labels *ls = m->drop_name ? labels_without_metadata(ev->arena, m->labels) : m->labels;
    s->labels = ls != NULL ? labels_copy(ev->arena, ls) : NULL;
    if (s->labels == NULL)
        return eval_no_memory(ev);
    out->count++;
    return copy_window(ev, &span, s);
}

/* A range vector as the whole answer: the samples of its window, with their own times. */
int result_windows(struct evaluation *ev, const struct expr *e, const struct grid *g,
                   struct promql_result *out)
{
    struct matrix m;
    bool more;
    TRY(matrix_open(ev, e, g, &m));
    out->series = ARENA_ARRAY(ev->arena, struct promql_series, m.set.count + m.inner.count);
    if (out->series == NULL)
        return eval_no_memory(ev);
    for (;;) {
        TRY(matrix_next(&m, &more));
        if (!more)
            break;
        TRY(window_series(ev, &m, out));
    }
    tally_answer_subquery(ev, &m);
    int64_t since_ns = tally_sorting(ev, 0);
    qsort(out->series, out->count, sizeof *out->series, compare_series);
    tally_sorting(ev, since_ns);
    return refuse_twins(ev, out);
}
