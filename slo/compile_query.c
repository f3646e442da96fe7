/* What an objective's queries come to, window by window. */
#include "compile_priv.h"

#include "tocsin/limits.h"
#include "tocsin/promql_func.h"

enum { MINUTE_MS = 60 * 1000 };

/* ---- what a query's text tells ---- */

struct look {
    bool per_second, counts; /* what it makes of counters */
};

static void note_call(void *context, struct expr *e)
{
    struct look *look = context;
    if (e->kind != EXPR_CALL)
        return;
    enum promql_func_id id = e->call.function->id;
    look->per_second |= id == FUNC_rate || id == FUNC_irate || id == FUNC_deriv;
    look->counts |= id == FUNC_increase || id == FUNC_delta || id == FUNC_count_over_time ||
                    id == FUNC_sum_over_time || id == FUNC_changes || id == FUNC_resets;
}

static bool is_grouped_by(const struct expr *e, const struct objective *o)
{
    const struct name_list *labels = &e->aggregate.labels;
    if (e->aggregate.without || labels->count != o->by_count)
        return false;
    for (size_t i = 0; i < o->by_count; i++) {
        size_t at = 0;
        while (at < labels->count && !str_eq(labels->items[at], o->by[i]))
            at++;
        if (at == labels->count)
            return false;
    }
    return true;
}

static bool keeps_grouping(enum promql_aggregate op)
{
    return op != AGG_TOPK && op != AGG_BOTTOMK && op != AGG_LIMITK && op != AGG_LIMIT_RATIO &&
           op != AGG_COUNT_VALUES;
}

/* The result has no labels but those in `by`, as far as its text shows. */
static bool shows_grouping(const struct expr *e, const struct objective *o)
{
    switch (e->kind) {
    case EXPR_PAREN:
        return shows_grouping(e->paren.inner, o);
    case EXPR_UNARY:
        return shows_grouping(e->unary.inner, o);
    case EXPR_AGGREGATE:
        return keeps_grouping(e->aggregate.op) && is_grouped_by(e, o);
    case EXPR_BINARY: {
        const struct vector_matching *m = e->binary.matching;
        bool left = e->binary.left->type == PROMQL_SCALAR || shows_grouping(e->binary.left, o);
        bool right = e->binary.right->type == PROMQL_SCALAR || shows_grouping(e->binary.right, o);
        return left && right && (m == NULL || (!m->on && m->labels.count == 0));
    }
    default:
        return false;
    }
}

/* ---- texts ---- */

static int refuse(struct compiler *c, const char *what, const struct err *why)
{
    return err_at(c->err, why->code, c->o->line, 0, "%.*s: %s: %s", STR_ARG(c->o->id), what, why->text);
}

static bool is_value(const struct compiler *c)
{
    return c->o->indicator.kind == INDICATOR_RATIO || c->o->indicator.kind == INDICATOR_THRESHOLD;
}

static struct str print(struct compiler *c, const struct expr *e)
{
    struct buf text;
    buf_init(&text, (size_t)limits.query_text_bytes);
    promql_print(&text, e);
    struct str copy = compile_format(c->arena, "%.*s", STR_ARG(buf_slice(&text)));
    c->arena->exhausted |= buf_overflow(&text);
    buf_release(&text);
    return copy;
}

/* As an operand that has the labels of groups alone. Values are no events and cannot be summed up: their labels stay. */
static struct str as_operand(struct compiler *c, const struct expr *e)
{
    struct str text = print(c, e);
    bool closed = e->kind == EXPR_PAREN || e->kind == EXPR_CALL || e->kind == EXPR_AGGREGATE ||
                  e->kind == EXPR_SELECTOR;
    if (!is_value(c) && !shows_grouping(e, c->o))
        return compile_sum(c, text);
    return closed ? text : compile_format(c->arena, "(%.*s)", STR_ARG(text));
}

/* look may be NULL. */
static int fill_in(struct compiler *c, const char *what, struct str query, int64_t window_ms,
                   struct look *look, struct str *out)
{
    struct err why = {0};
    struct str text;
    struct expr *e;
    int rc = objective_query(c->arena, query, window_ms, &text, &why);
    if (rc == 0)
        rc = promql_parse(c->arena, text, c->features, &e, &why);
    if (rc != 0)
        return refuse(c, what, &why);
    if (e->type != PROMQL_VECTOR)
        rc = err_set(&why, ERR_PARSE, "it must come to an instant vector, not to a %s",
                     promql_type_name(e->type));
    else
        *out = as_operand(c, e);
    if (rc == 0 && look != NULL)
        promql_walk(e, note_call, look);
    promql_free(e);
    return rc == 0 ? 0 : refuse(c, what, &why);
}

static int counted(struct compiler *c, int64_t window_ms, struct look *look, struct str *out)
{
    const char *what = is_value(c) ? "query" : c->o->indicator.kind == INDICATOR_BAD ? "bad" : "good";
    return fill_in(c, what, c->o->indicator.counted, window_ms, look, out);
}

static int total(struct compiler *c, int64_t window_ms, struct look *look, struct str *out)
{
    return fill_in(c, "total", c->o->indicator.total, window_ms, look, out);
}

/* ---- events ---- */

static int read_events(struct compiler *c, int64_t window_ms, struct measure *m)
{
    struct str of;
    int rc = counted(c, window_ms, NULL, &of);
    if (rc == 0)
        rc = total(c, window_ms, NULL, &m->total);
    if (rc != 0)
        return rc;
    struct str some = compile_format(c->arena, "(%.*s or %.*s * 0)", STR_ARG(of), STR_ARG(m->total));
    if (c->o->indicator.kind == INDICATOR_BAD) {
        m->bad = some;
        m->ratio = compile_format(c->arena, "(%.*s / (%.*s > 0))", STR_ARG(some), STR_ARG(m->total));
        return 0;
    }
    m->bad = compile_format(c->arena, "(%.*s - %.*s)", STR_ARG(m->total), STR_ARG(some));
    m->ratio =
        compile_format(c->arena, "clamp_min(1 - %.*s / (%.*s > 0), 0)", STR_ARG(some), STR_ARG(m->total));
    return 0;
}

/* NaN is no ratio. */
static int read_ratio(struct compiler *c, int64_t window_ms, struct measure *m)
{
    struct str query;
    int rc = counted(c, window_ms, NULL, &query);
    if (rc == 0)
        m->ratio = compile_format(c->arena, "(%.*s >= 0)", STR_ARG(query));
    return rc;
}

static int read_window(struct compiler *c, int64_t window_ms, struct measure *m)
{
    return is_value(c) ? read_ratio(c, window_ms, m) : read_events(c, window_ms, m);
}

/* ---- slices ---- */

static struct str bad_value(struct compiler *c, struct str value)
{
    static const char *const over[] = {[COMPARE_LESS] = ">=",
                                       [COMPARE_LESS_EQUAL] = ">",
                                       [COMPARE_GREATER] = "<=",
                                       [COMPARE_GREATER_EQUAL] = "<"};
    return compile_format(c->arena, "%.*s %sbool %.*s", STR_ARG(value), over[c->o->indicator.compare],
                          STR_ARG(compile_number(c->arena, c->o->indicator.threshold)));
}

/* 1 for a slice whose share of good events is under what it should be. */
static struct str bad_slice(struct compiler *c, struct str ratio)
{
    const struct fraction target = c->o->slice_target;
    double allowed = (double)(target.denominator - target.numerator) / (double)target.denominator;
    return compile_format(c->arena, "%.*s >bool %.*s + 1e-14", STR_ARG(ratio),
                          STR_ARG(compile_number(c->arena, allowed)));
}

int compile_slice(struct compiler *c, struct str *out)
{
    struct measure m = {0};
    int rc;
    if (c->o->indicator.kind == INDICATOR_THRESHOLD) {
        struct str value;
        rc = counted(c, c->o->slice_ms, NULL, &value);
        if (rc == 0)
            *out = bad_value(c, value);
        return rc;
    }
    rc = read_window(c, c->o->slice_ms, &m);
    if (rc == 0)
        *out = c->o->budgeting == BUDGET_SLICES ? bad_slice(c, m.ratio) : m.ratio;
    return rc;
}

/* Summed up, because labels that were changed meanwhile make other series of the same slices. */
static void mean_of_slices(struct compiler *c, struct measure *m)
{
    struct str slices = compile_format(c->arena, "tocsin_slo_slice_error_ratio{slo=%.*s}[%.*s]",
                                       STR_ARG(compile_quote(c->arena, c->o->id)), STR_ARG(m->window));
    m->ratio = compile_mean(c, slices);
}

/* ---- windows ---- */

/* By whole numbers where it can be: times 1000 is exact, over 0.001 is not. */
static struct str burn_of(struct compiler *c, struct str ratio)
{
    const struct fraction budget = c->budget;
    struct str multiple = compile_number(c->arena, (double)budget.denominator);
    if (budget.numerator == 0)
        return ratio;
    if (budget.numerator == 1)
        return compile_format(c->arena, "%.*s * %.*s", STR_ARG(ratio), STR_ARG(multiple));
    return compile_format(c->arena, "%.*s * %.*s / %.*s", STR_ARG(ratio), STR_ARG(multiple),
                          STR_ARG(compile_number(c->arena, (double)budget.numerator)));
}

int compile_measure(struct compiler *c, int64_t window_ms, const struct measure **out)
{
    for (size_t i = 0; i < c->measure_count; i++) {
        *out = &c->measures[i];
        if (c->measures[i].window_ms == window_ms)
            return 0;
    }
    struct measure m = {.window_ms = window_ms, .window = compile_duration(c->arena, window_ms)};
    int rc = 0;
    if (c->by_slices)
        mean_of_slices(c, &m);
    else
        rc = read_window(c, window_ms, &m);
    m.burn = burn_of(c, m.ratio);
    ARENA_GROW(c->arena, c->measures, c->measure_count, c->measure_capacity);
    if (rc != 0 || c->measures == NULL)
        return rc != 0 ? rc : ERR_LIMIT;
    c->measures[c->measure_count] = m;
    *out = &c->measures[c->measure_count++];
    return 0;
}

int compile_presence(struct compiler *c, int64_t window_ms, struct str *out)
{
    return is_value(c) ? counted(c, window_ms, NULL, out) : total(c, window_ms, NULL, out);
}

double compile_scale(const struct compiler *c, int64_t window_ms)
{
    return c->per_second ? (double)window_ms / 1000 : 1;
}

/* ---- the beginning ---- */

static int uses_window(struct compiler *c, bool *uses)
{
    struct str one, two;
    int rc = counted(c, MINUTE_MS, NULL, &one);
    if (rc == 0)
        rc = counted(c, 2 * MINUTE_MS, NULL, &two);
    *uses = rc == 0 && !str_eq(one, two);
    return rc;
}

static int look_at_value(struct compiler *c)
{
    bool uses = false;
    int rc = uses_window(c, &uses);
    c->by_slices = c->o->indicator.kind == INDICATOR_THRESHOLD || c->o->budgeting == BUDGET_SLICES || !uses;
    return rc;
}

/* Both must say the same, or their ratio were none. */
static int look_at_events(struct compiler *c)
{
    struct look look[2] = {{0}};
    struct str text;
    int rc = counted(c, MINUTE_MS, &look[0], &text);
    if (rc == 0)
        rc = total(c, MINUTE_MS, &look[1], &text);
    c->per_second = look[1].per_second && !look[1].counts;
    c->by_slices = c->o->budgeting != BUDGET_EVENTS;
    return rc;
}

int compile_begin(struct compiler *c)
{
    return is_value(c) ? look_at_value(c) : look_at_events(c);
}
