#include "promqltest_priv.h"

#include "tocsin/limits.h"
#include "tocsin/promql_func.h"

enum { SAMPLES_MAX = 10000, TIMEOUT_MS = 100000, MINUTE_MS = 60000 };

struct run {
    struct script *script;
    const struct eval_command *command;
    struct promql_options options;
    struct err *err;
};

/* ---- one query ---- */

struct query {
    struct str text;
    bool range;
    int64_t at_ms, from_ms, to_ms, step_ms;
    bool stand; /* through standing selectors, as a rule */
};

static int run_query(struct run *r, const struct query *q, struct arena *arena, struct promql_result *result,
                     struct err *failure)
{
    struct promql *p;
    struct store *store = r->script->store;
    TRY(promql_open(q->text, &r->options, q->stand ? store : NULL, &p, failure));
    struct view *view = view_open(store);
    int code = q->range ? promql_range(p, view, q->from_ms, q->to_ms, q->step_ms, arena, result, failure)
                        : promql_instant(p, view, q->at_ms, arena, result, failure);
    view_close(view);
    promql_close(p);
    return code;
}

/* A failure is judged; 0 means it was the expected one. */
static int judge_failure(struct run *r, int code, const struct err *failure)
{
    if (!r->command->expect.fail || code == ERR_UNSUPPORTED || code == ERR_PARSE)
        return err_set(r->err, code, "%.900s", failure->text);
    return compare_failure(r->command, failure, r->err);
}

static int run_instant(struct run *r, const struct query *q)
{
    struct arena arena;
    struct promql_result result;
    struct err failure = {0};
    arena_init(&arena, (size_t)limits.query_arena_bytes);
    int code = run_query(r, q, &arena, &result, &failure);
    if (code != 0)
        code = judge_failure(r, code, &failure);
    else if (r->command->expect.fail)
        code = err_set(r->err, ERR_EXEC, "expected a failure");
    else if ((code = compare_notes(r->command, &result, r->err)) == 0)
        code = compare_instant(r->command, &result, r->err);
    arena_release(&arena);
    return code;
}

/* ---- the middle step of a range query must equal the instant query ---- */

/* Keeps of each series the point at t, as an instant vector would have it. */
static void keep_step(struct promql_result *r, int64_t t_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->count; i++) {
        struct promql_series s = r->series[i];
        while (s.count > 0 && s.points[0].t_ms != t_ms) {
            s.points++;
            s.count--;
        }
        if (s.count > 0) {
            s.count = 1;
            r->series[kept++] = s;
        }
    }
    r->count = kept;
}

static int compare_middle(struct run *r, struct promql_result *result, int64_t t_ms)
{
    keep_step(result, t_ms);
    result->type = PROMQL_VECTOR;
    if (r->command->expect.is_scalar && result->count == 1) {
        result->type = PROMQL_SCALAR;
        result->scalar = result->series[0].points[0].value;
    }
    int code = compare_instant(r->command, result, r->err);
    if (code != 0)
        err_prefix(r->err, "as a range query: ");
    return code;
}

static bool mentions_query(struct str text)
{
    struct regex *re = regex_open(STR("(start|end|range|step)\\(\\)"), REGEX_SEARCH, NULL);
    bool found = re != NULL && regex_match(re, text);
    regex_free(re);
    return found;
}

static int run_around(struct run *r, const struct query *instant)
{
    const struct expectation *x = &r->command->expect;
    struct query q = *instant;
    struct arena arena;
    struct promql_result result;
    struct err failure = {0};
    if (x->ordered || x->is_string || x->is_window || x->fail || mentions_query(q.text))
        return 0;
    q.range = true;
    q.from_ms = q.at_ms - MINUTE_MS;
    q.to_ms = q.at_ms + MINUTE_MS;
    q.step_ms = MINUTE_MS;
    arena_init(&arena, (size_t)limits.query_arena_bytes);
    int code = run_query(r, &q, &arena, &result, &failure);
    code = code != 0 ? err_set(r->err, code, "as a range query: %.900s", failure.text)
                     : compare_middle(r, &result, q.at_ms);
    arena_release(&arena);
    return code;
}

/* ---- the same expression, nailed to its time with @, at other times ---- */

static void find_time_function(bool *found, const struct expr *e)
{
    if (e->kind != EXPR_CALL)
        return;
    switch (e->call.function->id) {
    case FUNC_days_in_month:
    case FUNC_day_of_month:
    case FUNC_day_of_week:
    case FUNC_day_of_year:
    case FUNC_hour:
    case FUNC_minute:
    case FUNC_month:
    case FUNC_year:
    case FUNC_predict_linear:
    case FUNC_time:
    case FUNC_timestamp:
    case FUNC_start:
    case FUNC_end:
    case FUNC_range:
    case FUNC_step:
        *found = true;
        break;
    default:
        break;
    }
}

static void nail_shift(struct time_shift *shift, int64_t t_ms)
{
    if (shift->at != AT_NONE)
        return;
    shift->at = AT_TIME;
    shift->at_ms = t_ms;
}

/* Selectors and outermost subqueries; what lies inside a subquery runs on its times. */
static void nail(struct expr *e, int64_t t_ms, bool *depends_on_time)
{
    if (e->kind == EXPR_SELECTOR) {
        nail_shift(&e->selector.shift, t_ms);
        return;
    }
    if (e->kind == EXPR_SUBQUERY) {
        nail_shift(&e->subquery.shift, t_ms);
        return;
    }
    find_time_function(depends_on_time, e);
    struct expr *child;
    for (size_t i = 0; (child = promql_child(e, i)) != NULL; i++)
        nail(child, t_ms, depends_on_time);
}

/* *nailed is empty if the expression depends on the time of evaluation. */
static int nail_text(struct run *r, struct arena *arena, struct str *nailed)
{
    struct expr *e;
    struct buf text;
    bool depends_on_time = false;
    *nailed = (struct str){0};
    TRY(promql_parse(arena, r->command->text, &r->options.features, &e, r->err));
    nail(e, r->command->at_ms, &depends_on_time);
    buf_init(&text, 1 << 20);
    promql_print(&text, e);
    if (!depends_on_time)
        *nailed = str_copy(arena, buf_slice(&text));
    buf_release(&text);
    promql_free(e);
    return 0;
}

static int run_elsewhere(struct run *r, struct str nailed)
{
    int64_t t = r->command->at_ms;
    int64_t times[] = {-10 * t, 0, t / 5, t, 10 * t};
    if (t == 0) {
        times[0] = -1000;
        times[2] = 1000;
    }
    for (size_t i = 0; i < (t == 0 ? 3 : sizeof times / sizeof *times); i++) {
        struct query q = {.text = nailed, .at_ms = times[i]};
        int code = run_instant(r, &q);
        if (code == 0)
            code = run_around(r, &q);
        if (code != 0) {
            err_prefix(r->err, "with @, at %lld ms: ", (long long)times[i]);
            return code;
        }
    }
    return 0;
}

static int run_range_eval(struct run *r)
{
    const struct eval_command *c = r->command;
    struct query q = {
        .text = c->text, .range = true, .from_ms = c->from_ms, .to_ms = c->to_ms, .step_ms = c->step_ms};
    struct arena arena;
    struct promql_result result;
    struct err failure = {0};
    arena_init(&arena, (size_t)limits.query_arena_bytes);
    q.stand = true;
    int code = run_query(r, &q, &arena, &result, &failure);
    if (code != 0)
        code = judge_failure(r, code, &failure);
    else if (c->expect.fail)
        code = err_set(r->err, ERR_EXEC, "expected a failure");
    else if ((code = compare_notes(c, &result, r->err)) == 0)
        code = compare_range(c, &result, r->err);
    arena_release(&arena);
    return code;
}

static int run_instant_eval(struct run *r, struct arena *arena)
{
    struct str nailed;
    struct query q = {.text = r->command->text, .at_ms = r->command->at_ms, .stand = true};
    TRY(run_instant(r, &q));
    TRY(run_around(r, &q));
    TRY(nail_text(r, arena, &nailed));
    return nailed.n > 0 ? run_elsewhere(r, nailed) : 0;
}

int eval_run(struct script *s, const struct eval_command *c, struct arena *arena, struct err *err)
{
    struct run r = {.script = s, .command = c, .err = err};
    r.options = (struct promql_options){
        .features = *s->features,
        .samples_max = SAMPLES_MAX,
        .timeout_ms = TIMEOUT_MS,
        .world = s->world,
    };
    return c->range ? run_range_eval(&r) : run_instant_eval(&r, arena);
}
