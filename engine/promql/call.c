#include "call_priv.h"
#include "held_priv.h"
#include "tally_priv.h"

#include <math.h>

struct implementation {
    double (*math)(double);
    element_fn *element;
    window_fn *window;
    vector_fn *vector;
    scalar_fn *scalar;
    bool date;      /* math whose argument defaults to the time */
    bool keep_name; /* of window functions: the others drop it */
};

static const struct implementation implementations[FUNC_COUNT] = {
    [FUNC_abs] = {.math = fabs},
    [FUNC_absent] = {.vector = call_absent},
    [FUNC_absent_over_time] = {.vector = call_absent_over_time},
    [FUNC_acos] = {.math = acos},
    [FUNC_acosh] = {.math = acosh},
    [FUNC_asin] = {.math = asin},
    [FUNC_asinh] = {.math = asinh},
    [FUNC_atan] = {.math = atan},
    [FUNC_atanh] = {.math = atanh},
    [FUNC_avg_over_time] = {.window = window_avg},
    [FUNC_ceil] = {.math = ceil},
    [FUNC_changes] = {.window = window_changes},
    [FUNC_clamp] = {.element = element_clamp},
    [FUNC_clamp_max] = {.element = element_clamp_max},
    [FUNC_clamp_min] = {.element = element_clamp_min},
    [FUNC_cos] = {.math = cos},
    [FUNC_cosh] = {.math = cosh},
    [FUNC_count_over_time] = {.window = window_count},
    [FUNC_day_of_month] = {.math = date_day_of_month, .date = true},
    [FUNC_day_of_week] = {.math = date_day_of_week, .date = true},
    [FUNC_day_of_year] = {.math = date_day_of_year, .date = true},
    [FUNC_days_in_month] = {.math = date_days_in_month, .date = true},
    [FUNC_deg] = {.math = math_deg},
    [FUNC_delta] = {.window = window_rate},
    [FUNC_deriv] = {.window = window_deriv},
    [FUNC_double_exponential_smoothing] = {.window = window_smoothing},
    [FUNC_end] = {.scalar = scalar_end},
    [FUNC_exp] = {.math = exp},
    [FUNC_first_over_time] = {.window = window_first, .keep_name = true},
    [FUNC_floor] = {.math = floor},
    [FUNC_histogram_avg] = {.element = element_histogram_field},
    [FUNC_histogram_count] = {.element = element_histogram_field},
    [FUNC_histogram_fraction] = {.vector = call_histogram_fraction},
    [FUNC_histogram_quantile] = {.vector = call_histogram_quantile},
    [FUNC_histogram_quantiles] = {.vector = call_histogram_quantiles},
    [FUNC_histogram_stddev] = {.element = element_histogram_field},
    [FUNC_histogram_stdvar] = {.element = element_histogram_field},
    [FUNC_histogram_sum] = {.element = element_histogram_field},
    [FUNC_hour] = {.math = date_hour, .date = true},
    [FUNC_idelta] = {.window = window_instant_rate},
    [FUNC_increase] = {.window = window_rate},
    [FUNC_info] = {.vector = call_info},
    [FUNC_irate] = {.window = window_instant_rate},
    [FUNC_label_join] = {.vector = call_label_join},
    [FUNC_label_replace] = {.vector = call_label_replace},
    [FUNC_last_over_time] = {.window = window_last, .keep_name = true},
    [FUNC_ln] = {.math = log},
    [FUNC_log10] = {.math = log10},
    [FUNC_log2] = {.math = log2},
    [FUNC_mad_over_time] = {.window = window_mad},
    [FUNC_max_of] = {.scalar = scalar_max_of},
    [FUNC_max_over_time] = {.window = window_extreme},
    [FUNC_min_of] = {.scalar = scalar_min_of},
    [FUNC_min_over_time] = {.window = window_extreme},
    [FUNC_minute] = {.math = date_minute, .date = true},
    [FUNC_month] = {.math = date_month, .date = true},
    [FUNC_pi] = {.scalar = scalar_pi},
    [FUNC_predict_linear] = {.window = window_predict_linear},
    [FUNC_present_over_time] = {.window = window_present},
    [FUNC_quantile_over_time] = {.window = window_quantile},
    [FUNC_rad] = {.math = math_rad},
    [FUNC_range] = {.scalar = scalar_range},
    [FUNC_rate] = {.window = window_rate},
    [FUNC_resets] = {.window = window_changes},
    [FUNC_round] = {.element = element_round},
    [FUNC_sgn] = {.math = math_sgn},
    [FUNC_sin] = {.math = sin},
    [FUNC_sinh] = {.math = sinh},
    [FUNC_sort] = {.vector = call_sort},
    [FUNC_sort_by_label] = {.vector = call_sort_by_label},
    [FUNC_sort_by_label_desc] = {.vector = call_sort_by_label},
    [FUNC_sort_desc] = {.vector = call_sort},
    [FUNC_sqrt] = {.math = sqrt},
    [FUNC_start] = {.scalar = scalar_start},
    [FUNC_start_timestamp] = {.vector = call_start_timestamp},
    [FUNC_stddev_over_time] = {.window = window_variance},
    [FUNC_stdvar_over_time] = {.window = window_variance},
    [FUNC_step] = {.scalar = scalar_step},
    [FUNC_sum_over_time] = {.window = window_sum},
    [FUNC_tan] = {.math = tan},
    [FUNC_tanh] = {.math = tanh},
    [FUNC_time] = {.scalar = scalar_time},
    [FUNC_timestamp] = {.vector = call_timestamp},
    [FUNC_ts_of_first_over_time] = {.window = window_time_of},
    [FUNC_ts_of_last_over_time] = {.window = window_time_of},
    [FUNC_ts_of_max_over_time] = {.window = window_time_of},
    [FUNC_ts_of_min_over_time] = {.window = window_time_of},
    [FUNC_vector] = {.vector = call_vector},
    [FUNC_year] = {.math = date_year, .date = true},
};

const struct expr *call_arg(const struct call *c, size_t i)
{
    return c->expr->call.args.items[i];
}

/* The first argument that is not a scalar. */
static const struct expr *main_arg(const struct call *c)
{
    for (size_t i = 0; i < c->expr->call.args.count; i++)
        if (call_arg(c, i)->type != PROMQL_SCALAR)
            return call_arg(c, i);
    return NULL;
}

static int read_params(struct call *c)
{
    for (size_t i = 0; i < c->expr->call.args.count; i++) {
        double *values;
        if (call_arg(c, i)->type != PROMQL_SCALAR)
            continue;
        TRY(eval_scalar(c->ev, call_arg(c, i), c->grid, &values));
        c->params[c->param_count++] = values;
    }
    return 0;
}

/* ---- element-wise ---- */

static int apply_column(struct call *c, const struct implementation *f, struct column *column)
{
    c->labels = column->labels;
    for (c->step = 0; c->step < c->grid->count; c->step++) {
        struct cell cell = column_get(column, c->step);
        if (cell.kind == CELL_NONE)
            continue;
        if (f->element != NULL)
            TRY(f->element(c, &cell));
        else if (cell.kind == CELL_FLOAT)
            cell.value = f->math(cell.value);
        else
            cell.kind = CELL_NONE;
        TRY(column_set(c->ev, column, c->grid, c->step, &cell));
    }
    return 0;
}

/* What histogram_count() and its kin give keeps __type__ and __unit__ where names go at once, as in Prometheus. */
static int drop_only_names(struct call *c, struct vector *out)
{
    for (size_t i = 0; i < out->count; i++) {
        out->items[i]->labels = labels_drop_name(c->ev->arena, out->items[i]->labels);
        if (out->items[i]->labels == NULL)
            return eval_no_memory(c->ev);
    }
    return vector_merge_equal(c->ev, out, c->grid);
}

static int call_elements(struct call *c, const struct implementation *f, struct vector *out)
{
    if (main_arg(c) == NULL)
        TRY(call_vector(c, out)); /* minute() means minute(vector(time())) */
    else
        TRY(eval_vector(c->ev, main_arg(c), c->grid, out));
    TRY(read_params(c));
    for (size_t i = 0; i < out->count; i++)
        TRY(apply_column(c, f, out->items[i]));
    vector_trim(out, c->grid);
    if (f->element == element_histogram_field && !c->ev->q->options.features.delayed_name_removal)
        return drop_only_names(c, out);
    return eval_drop_names(c->ev, out, c->grid);
}

/* ---- windows ---- */

size_t call_range_start(const struct call *c)
{
    return main_arg(c)->start;
}

int call_warn_mixed(struct call *c)
{
    return note_mixed_kinds(c->ev, main_arg(c)->start, c->labels);
}

int call_info_ignored(struct call *c)
{
    return note_add(c->ev, ANNOTATION_INFO, main_arg(c)->start,
                    "ignored histograms in a range containing both floats and histograms for metric name %s",
                    note_quote(c->ev, labels_metric(c->labels)));
}

static bool looks_like_counter(struct str name)
{
    return str_ends(name, STR("_total")) || str_ends(name, STR("_sum")) || str_ends(name, STR("_count")) ||
           str_ends(name, STR("_bucket"));
}

static int doubt_name(struct call *c, struct str name)
{
    if (looks_like_counter(name))
        return 0;
    return note_add(c->ev, ANNOTATION_INFO, main_arg(c)->start,
                    "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: %s",
                    note_quote(c->ev, name));
}

static int doubt_type(struct call *c, struct str name, struct str type)
{
    if (str_is(type, "counter") || str_is(type, "histogram"))
        return 0;
    return note_add(c->ev, ANNOTATION_INFO, main_arg(c)->start,
                    "metric might not be a counter, __type__ label is not set to \"counter\" or "
                    "\"histogram\", got %s: %s",
                    note_quote(c->ev, type), note_quote(c->ev, name));
}

/* Names tell, or types where they are labels. */
static bool has_doubts(const struct call *c, const struct expr *range)
{
    if (call_id(c) != FUNC_rate && call_id(c) != FUNC_increase)
        return false;
    return c->ev->q->options.features.type_and_unit_labels || range->kind != EXPR_SELECTOR ||
           !looks_like_counter(plan_node(c->ev->q, range)->metric);
}

int call_doubt_counter(struct call *c, const struct column *column)
{
    bool by_type = c->ev->q->options.features.type_and_unit_labels, floats = false;
    struct str name = labels_metric(column->labels);
    if (name.n == 0)
        return 0;
    for (size_t step = 0; step < c->grid->count && !floats; step++)
        floats = column->kinds[step] == CELL_FLOAT;
    if (!floats)
        return 0;
    return by_type ? doubt_type(c, name, labels_get(column->labels, STR(LABEL_METRIC_TYPE)))
                   : doubt_name(c, name);
}

/* A column that stays empty goes again. */
static int end_column(struct call *c, const struct column *column, struct vector *out)
{
    if (c->doubts)
        TRY(call_doubt_counter(c, column));
    if (column_is_empty(column, c->grid)) {
        out->count--;
        return 0;
    }
    held_column(c->ev, column, c->grid);
    return eval_hold(c->ev, column_weight(column, c->grid));
}

static int call_series(struct call *c, const struct implementation *f, struct matrix *m, struct vector *out)
{
    struct column *column;
    struct window w;
    c->labels = m->labels;
    TRY(vector_add(c->ev, out, c->grid, m->labels, m->drop_name, &column));
    for (c->step = 0; c->step < c->grid->count; c->step++) {
        struct cell cell = {.kind = CELL_NONE};
        matrix_window(m, c->step, &w);
        tally_window(m, c->step, &w);
        if (w.all.count == 0)
            continue;
        TRY(eval_poll(c->ev)); /* each step may look at as many samples as a query may hold */
        TRY(f->window(c, &w, &cell));
        TRY(column_set(c->ev, column, c->grid, c->step, &cell));
    }
    return end_column(c, column, out);
}

static int check_modifier(struct call *c, const struct expr *range)
{
    enum promql_func_id id = call_id(c);
    enum range_modifier modifier = range->kind == EXPR_SELECTOR ? range->selector.modifier : RANGE_PLAIN;
    bool rates = id == FUNC_rate || id == FUNC_increase || id == FUNC_delta;
    bool counts = id == FUNC_changes || id == FUNC_resets;
    if (modifier == RANGE_SMOOTHED && !rates)
        return eval_fail(c->ev, ERR_EXEC,
                         "smoothed modifier can only be used with: delta, increase, rate - not with %s",
                         c->expr->call.function->name);
    if (modifier == RANGE_ANCHORED && !rates && !counts)
        return eval_fail(
            c->ev, ERR_EXEC,
            "anchored modifier can only be used with: changes, delta, increase, rate, resets - not with %s",
            c->expr->call.function->name);
    return 0;
}

/* Series of one name may differ in type or unit, which go with the name. Labels are in order, so these two stand in front. */
static bool is_typed(const struct labels *ls)
{
    for (size_t i = 0; i < ls->count && ls->item[i].name.p[0] <= '_'; i++)
        if (str_is(ls->item[i].name, LABEL_METRIC_TYPE) || str_is(ls->item[i].name, LABEL_METRIC_UNIT))
            return true;
    return false;
}

static bool any_is_typed(const struct vector *v)
{
    for (size_t i = 0; i < v->count; i++)
        if (is_typed(v->items[i]->labels))
            return true;
    return false;
}

static int end_names(struct call *c, const struct implementation *f, const struct matrix *m,
                     struct vector *out)
{
    if (plan_node(c->ev->q, c->expr)->name_unseen && (m->set.untyped || !any_is_typed(out)))
        return 0;
    return f->keep_name ? vector_merge_equal(c->ev, out, c->grid) : eval_drop_names(c->ev, out, c->grid);
}

static int open_windows(struct call *c, struct matrix *m)
{
    TRY(check_modifier(c, expr_unwrap(main_arg(c))));
    TRY(matrix_open(c->ev, main_arg(c), c->grid, m));
    TRY(read_params(c));
    c->doubts = has_doubts(c, m->expr);
    if (!plan_node(c->ev->q, c->expr)->labels_unseen || !m->set.untyped || c->doubts)
        return 0;
    c->blank = labels_empty(c->ev->arena);
    return c->blank != NULL ? 0 : eval_no_memory(c->ev);
}

static int call_windows(struct call *c, const struct implementation *f, struct vector *out)
{
    struct matrix m;
    TRY(open_windows(c, &m));
    bool summable = call_summable(c, &m);
    for (;;) {
        bool more;
        if (summable)
            TRY(call_summaries(c, &m, out));
        TRY(matrix_next(&m, &more));
        if (!more)
            break;
        TRY(call_series(c, f, &m, out));
    }
    held_end_windows(c->ev, &m);
    return end_names(c, f, &m, out);
}

int eval_call(struct evaluation *ev, const struct expr *e, const struct grid *g, struct vector *out)
{
    const struct implementation *f = &implementations[e->call.function->id];
    struct call c = {.ev = ev, .expr = e, .grid = g};
    if (f->window != NULL)
        return call_windows(&c, f, out);
    if (f->math != NULL || f->element != NULL)
        return call_elements(&c, f, out);
    TRY(read_params(&c));
    if (f->vector != NULL)
        return f->vector(&c, out);
    return eval_fail(ev, ERR_UNSUPPORTED, "function %s() is not supported", e->call.function->name);
}

/* Not where somebody counts what is held: that follows from the vectors. */
int eval_call_floats(struct evaluation *ev, const struct expr *e, const struct grid *g, struct floats *out)
{
    struct call c = {.ev = ev, .expr = e, .grid = g};
    struct matrix m;
    *out = (struct floats){0};
    if (ev->tally != NULL || implementations[e->call.function->id].window == NULL)
        return 0;
    TRY(open_windows(&c, &m));
    if (c.blank == NULL || !call_summable(&c, &m))
        return 0;
    c.floats = ARENA_ARRAY(ev->arena, double, m.set.count);
    if (c.floats == NULL)
        return eval_no_memory(ev);
    TRY(call_summaries(&c, &m, NULL));
    if (m.next == m.set.count)
        *out = (struct floats){c.floats, c.float_count};
    return 0;
}

int eval_call_scalar(struct evaluation *ev, const struct expr *e, const struct grid *g, double **out)
{
    const struct implementation *f = &implementations[e->call.function->id];
    struct call c = {.ev = ev, .expr = e, .grid = g};
    *out = ARENA_ARRAY(ev->arena, double, g->count);
    if (*out == NULL)
        return eval_no_memory(ev);
    if (e->call.function->id == FUNC_scalar)
        return scalar_of_vector(&c, *out);
    if (f->scalar == NULL)
        return eval_fail(ev, ERR_UNSUPPORTED, "function %s() is not supported", e->call.function->name);
    TRY(read_params(&c));
    f->scalar(&c, *out);
    return 0;
}
