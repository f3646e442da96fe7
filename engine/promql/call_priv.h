/*
 * call: functions, by the shape of what they do. The table in call.c says which is which:
 *
 *   math     one float to one float
 *   element  one element to one element, or none; may read scalar parameters
 *   window   the samples of a window to one element
 *   vector   everything else: sees whole vectors
 *   scalar   makes a scalar
 */
#ifndef TOCSIN_PROMQL_CALL_PRIV_H
#define TOCSIN_PROMQL_CALL_PRIV_H

#include "matrix_priv.h"

enum { CALL_PARAMS_MAX = PROMQL_ARGS_MAX };

struct call {
    struct evaluation *ev;
    const struct expr *expr;
    const struct grid *grid;
    const double *params[CALL_PARAMS_MAX]; /* the scalar arguments, in order; one value per step */
    size_t param_count;
    size_t step;                 /* at hand */
    const struct labels *labels; /* of the series at hand */
    bool doubts; /* of a range: whether its series are counters is not known from its expression */
    const struct labels
        *blank; /* of a range: what its columns are labelled with if nobody sees it; NULL: their labels */
    const struct told_window
        *told; /* by the store, of the series of the matrix from one on, before another */
    size_t told_from, told_end;
    double *floats; /* where its values go instead of columns; NULL: they do not */
    size_t float_count;
};

static inline double call_param(const struct call *c, size_t i)
{
    return c->params[i][c->step];
}

static inline enum promql_func_id call_id(const struct call *c)
{
    return c->expr->call.function->id;
}

const struct expr *call_arg(const struct call *c, size_t i);

/* cell->kind CELL_NONE: the element goes. */
typedef int element_fn(struct call *c, struct cell *cell);
/* out->kind is CELL_NONE on entry. */
typedef int window_fn(struct call *c, const struct window *w, struct cell *out);
typedef int vector_fn(struct call *c, struct vector *out);
typedef void scalar_fn(struct call *c, double *out);

/* Annotations about the series at hand; position: the range vector argument. */
size_t call_range_start(const struct call *c);
int call_warn_mixed(struct call *c);
/* About a column of a rate that may not be of a counter. */
int call_doubt_counter(struct call *c, const struct column *column);
int call_info_ignored(struct call *c);

/* func_math.c */
double math_deg(double v);
double math_rad(double v);
double math_sgn(double v);
element_fn element_clamp, element_clamp_max, element_clamp_min, element_round;
double go_max(double a, double b);
double go_min(double a, double b);

/* func_date.c */
double date_minute(double v);
double date_hour(double v);
double date_day_of_week(double v);
double date_day_of_month(double v);
double date_day_of_year(double v);
double date_days_in_month(double v);
double date_month(double v);
double date_year(double v);

/* func_scalar.c */
vector_fn call_vector, call_timestamp, call_start_timestamp;
scalar_fn scalar_end, scalar_max_of, scalar_min_of, scalar_pi, scalar_range, scalar_start, scalar_step,
    scalar_time;
int scalar_of_vector(struct call *c, double *out);

/* func_rate.c, func_extended.c */
window_fn window_rate, window_instant_rate, window_extended_rate;
/* How much the increase between the samples of a window is drawn out to its edges. */
struct extrapolation {
    double first, increase; /* given: the first value (or count), and the increase since it */
    double factor;          /* what to multiply the increase with */
    bool from_start;        /* the counter began inside the window: the first value belongs to the increase */
};
/* False: a single sample says nothing. */
bool extrapolate(const struct call *c, const struct window *w, const struct sample_span *s,
                 struct extrapolation *x);
bool extrapolate_between(const struct call *c, const struct window *w, const struct sample *first,
                         const struct sample *last, size_t count, struct extrapolation *x);

/* func_window.c */
/* True if call_summaries may be asked. */
bool call_summable(const struct call *c, const struct matrix *m);
/* Answers for all series of the matrix from the next on that the store can sum up, and moves past them. Of one that is left as the
 * next, the samples are needed. out NULL: into c->floats, which has room for all. */
int call_summaries(struct call *c, struct matrix *m, struct vector *out);

/* func_rate_histogram.c */
window_fn window_rate_histograms, window_sum_histograms;
int window_extended_histograms(struct call *c, const struct window *w, const struct extended_range *x,
                               struct cell *out);
int window_step_histograms(struct call *c, const struct sample_span *two, double divisor, struct cell *out);

bool reset_by_start(const struct call *c, const struct sample *before, const struct sample *now);

/* func_changes.c */
window_fn window_changes;

/* func_over_time.c */
window_fn window_avg, window_count, window_extreme, window_first, window_last, window_mad, window_present,
    window_quantile, window_sum, window_time_of, window_variance;

/* func_regression.c */
window_fn window_deriv, window_predict_linear, window_smoothing;

/* func_absent.c */
vector_fn call_absent, call_absent_over_time;

/* func_label.c */
vector_fn call_label_join, call_label_replace;

/* func_sort.c */
vector_fn call_sort, call_sort_by_label;

/* func_histogram.c */
element_fn element_histogram_field;
vector_fn call_histogram_fraction, call_histogram_quantile, call_histogram_quantiles;

/* func_info.c */
vector_fn call_info;

#endif
