/*
 * matrix: a range vector, series by series: a range selector or a subquery, with one window for each step.
 *
 *     struct matrix m;
 *     TRY(matrix_open(ev, e, g, &m));
 *     for (bool more; (code = matrix_next(&m, &more)) == 0 && more;)
 *         for (size_t step = 0; step < g->count; step++)
 *             matrix_window(&m, step, &window);
 *
 * Stale markers are left out. Windows are asked for in the order of steps. Samples live until the next
 * matrix_next.
 */
#ifndef TOCSIN_PROMQL_MATRIX_PRIV_H
#define TOCSIN_PROMQL_MATRIX_PRIV_H

#include "eval_priv.h"

struct sample_span {
    const struct sample *samples;
    size_t count;
};

struct window {
    struct sample_span all;        /* floats and histograms in time order */
    struct sample_span floats;     /* the floats among them */
    struct sample_span histograms; /* the histograms among them */
    int64_t start_ms,
        end_ms;   /* the range asked for: start < t <= end (before it is widened by anchored, smoothed) */
    int64_t t_ms; /* the step */
    int64_t range_ms;
    enum range_modifier modifier;
    bool rising; /* no float of the whole series is below the one before it */
};

struct matrix_cursor {
    struct sample_span series;
    size_t from, to;
};

struct matrix {
    struct evaluation *ev;
    const struct expr *expr;
    const struct grid *grid;
    struct shift shift;
    int64_t range_ms;
    enum range_modifier modifier;
    int64_t before_ms, after_ms; /* how much the window is wider than the range */

    struct series_set set; /* of a selector */
    struct vector inner;   /* of a subquery */
    struct grid inner_grid;
    int64_t inner_samples; /* what it looked at, if somebody counts */
    size_t next;

    const struct labels *labels; /* of the series at hand */
    bool drop_name;
    bool rising; /* its floats */
    int64_t held;
    struct matrix_cursor all, floats, histograms;
};

int matrix_open(struct evaluation *ev, const struct expr *e, const struct grid *g, struct matrix *m);
int matrix_next(struct matrix *m, bool *more);
void matrix_window(struct matrix *m, size_t step, struct window *w);

/* An anchored or smoothed window: which samples tell the values at its edges. func_extended.c */
struct extended_range {
    const struct sample *first, *last;
    bool left_between;         /* the left edge lies between first and the sample after it */
    bool right_between;        /* the right edge lies between last and the sample before it */
    struct sample_span inside; /* strictly between the edges */
};
/* samples: those of one kind. False if there is nothing in the range. */
bool extended_range(const struct window *w, const struct sample_span *samples, struct extended_range *out);

/* The floats at the edges. counter: a fall between two samples is a reset. */
struct extended_edges {
    struct sample left, right;
};
struct extended_edges extended_edges(const struct window *w, const struct extended_range *x, bool counter);

#endif
