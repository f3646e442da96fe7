#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/promql_func.h"

#include "plan_priv.h"

const struct expr *expr_unwrap(const struct expr *e)
{
    while (e->kind == EXPR_PAREN)
        e = e->paren.inner;
    return e;
}

/* Functions whose value depends on the time of evaluation even if their argument does not. */
static bool depends_on_time(const struct expr *call)
{
    switch (call->call.function->id) {
    case FUNC_days_in_month:
    case FUNC_day_of_month:
    case FUNC_day_of_week:
    case FUNC_day_of_year:
    case FUNC_hour:
    case FUNC_minute:
    case FUNC_month:
    case FUNC_year:
        return call->call.args.count == 0;
    case FUNC_predict_linear:
    case FUNC_time:
    case FUNC_timestamp:
        return true;
    default:
        return false;
    }
}

static size_t number_nodes(struct expr *e, size_t next)
{
    e->plan_id = next++;
    for (size_t i = 0; promql_child(e, i) != NULL; i++)
        next = number_nodes(promql_child(e, i), next);
    return next;
}

static bool is_invariant(const struct promql *q, const struct expr *e)
{
    if (e->kind == EXPR_SELECTOR)
        return e->selector.shift.at != AT_NONE;
    if (e->kind == EXPR_SUBQUERY)
        return e->subquery.shift.at != AT_NONE;
    if (e->kind == EXPR_CALL && depends_on_time(e))
        return false;
    for (size_t i = 0; promql_child(e, i) != NULL; i++)
        if (!q->nodes[promql_child(e, i)->plan_id].invariant)
            return false;
    return true;
}

static void note_nodes(struct promql *q, const struct expr *e)
{
    q->nodes[e->plan_id].expr = e;
    for (size_t i = 0; promql_child(e, i) != NULL; i++)
        note_nodes(q, promql_child(e, i));
    q->nodes[e->plan_id].invariant = is_invariant(q, e);
}

/* Between the selector and these, or around both, hints stay as they are stored. */
static bool keeps_hints(const struct expr *e)
{
    if (e->kind == EXPR_BINARY)
        return e->binary.op == OP_TRIM_UPPER || e->binary.op == OP_TRIM_LOWER;
    if (e->kind == EXPR_CALL)
        return e->call.function->id == FUNC_histogram_quantile ||
               e->call.function->id == FUNC_histogram_quantiles ||
               e->call.function->id == FUNC_histogram_fraction;
    return e->kind == EXPR_SUBQUERY;
}

static bool looks_at_counts(const struct expr *e)
{
    return e->kind == EXPR_CALL &&
           (e->call.function->id == FUNC_histogram_count || e->call.function->id == FUNC_histogram_sum ||
            e->call.function->id == FUNC_histogram_avg);
}

static void note_detection(struct promql *q, const struct expr *e, bool wanted)
{
    if (keeps_hints(e))
        return;
    wanted |= looks_at_counts(e);
    q->nodes[e->plan_id].detect_resets = wanted && e->kind == EXPR_SELECTOR;
    for (size_t i = 0; promql_child(e, i) != NULL; i++)
        note_detection(q, promql_child(e, i), wanted);
}

/* ---- names that nobody sees ---- */

static bool is_metadata(struct str name)
{
    return str_is(name, LABEL_METRIC_NAME) || str_is(name, LABEL_METRIC_TYPE) ||
           str_is(name, LABEL_METRIC_UNIT);
}

/* The aggregation looks at neither the names of its members nor at whether two are alike without them. */
static bool is_blind_to_names(const struct expr *e)
{
    if (e->kind != EXPR_AGGREGATE || e->aggregate.without)
        return false;
    switch (e->aggregate.op) {
    case AGG_TOPK:
    case AGG_BOTTOMK:
    case AGG_LIMITK:
    case AGG_LIMIT_RATIO:
    case AGG_COUNT_VALUES:
        return false;
    default:
        break;
    }
    for (size_t i = 0; i < e->aggregate.labels.count; i++)
        if (is_metadata(e->aggregate.labels.items[i]))
            return false;
    return true;
}

static struct str metric_of(const struct expr *selector)
{
    for (size_t i = 0; i < selector->selector.matcher_count; i++) {
        const struct matcher *m = &selector->selector.matchers[i];
        if (m->op == MATCH_EQUAL && str_is(m->name, LABEL_METRIC_NAME))
            return m->value;
    }
    return (struct str){0};
}

static void note_metrics(struct promql *q)
{
    for (size_t i = 0; i < q->node_count; i++)
        if (q->nodes[i].expr->kind == EXPR_SELECTOR)
            q->nodes[i].metric = metric_of(q->nodes[i].expr);
}

/* All series of one name are told apart without it. And to take it out of each label set, only for an aggregation to take out the
 * rest, costs more than most windows. */
static void note_unseen_names(struct promql *q)
{
    for (size_t i = 0; i < q->node_count; i++) {
        if (!is_blind_to_names(q->nodes[i].expr))
            continue;
        const struct expr *call = expr_unwrap(q->nodes[i].expr->aggregate.inner);
        for (size_t k = 0; call->kind == EXPR_CALL && k < call->call.args.count; k++) {
            const struct expr *arg = expr_unwrap(call->call.args.items[k]);
            struct plan_node *node = &q->nodes[call->plan_id];
            if (arg->kind != EXPR_SELECTOR || !arg->selector.is_range)
                continue;
            node->name_unseen = plan_node(q, arg)->metric.n > 0;
            node->labels_unseen = node->name_unseen && q->nodes[i].expr->aggregate.labels.count == 0;
        }
    }
}

static void compile_regexes(struct promql *q)
{
    for (size_t i = 0; i < q->node_count; i++) {
        const struct expr *e = q->nodes[i].expr;
        if (e->kind == EXPR_CALL && e->call.function->id == FUNC_label_replace)
            q->nodes[i].regex =
                regex_open(expr_unwrap(e->call.args.items[4])->string.text, REGEX_PROMQL, NULL);
    }
}

/* step() and range() are not known before the query; durations made of them count as nothing. */
static int64_t known_ms(const struct duration_expr *d)
{
    struct duration_context none = {0, 0};
    int64_t ms;
    return duration_value(d, &none, &ms, NULL) == 0 ? ms : 0;
}

/* id: the node that keeps the standing selector; outside_ms: how far its parents look back already. */
static int stand_selector(struct promql *q, const struct expr *e, size_t id, int64_t outside_ms,
                          struct err *err)
{
    int64_t lookback = q->options.lookback_ms;
    int64_t window = e->selector.is_range ? known_ms(e->selector.range) : lookback;
    int64_t widened = e->selector.is_range && e->selector.modifier != RANGE_PLAIN ? lookback : 0;
    int64_t reach = outside_ms + known_ms(e->selector.shift.offset) + window + widened;
    if (q->store == NULL)
        return 0;
    if (e->selector.is_range)
        q->nodes[id].edges = edges_open(q->store);
    return store_stand(q->store, e->selector.matchers, e->selector.matcher_count, reach > 0 ? reach : 0,
                       &q->nodes[id].standing, err);
}

/* The sum of all offsets and ranges on the way to the first selector. */
static int64_t farthest_shift(const struct expr *e)
{
    if (e->kind == EXPR_SELECTOR)
        return known_ms(e->selector.shift.offset) + (e->selector.is_range ? known_ms(e->selector.range) : 0);
    int64_t own =
        e->kind == EXPR_SUBQUERY ? known_ms(e->subquery.range) + known_ms(e->subquery.shift.offset) : 0;
    int64_t below = 0;
    for (size_t i = 0; promql_child(e, i) != NULL; i++) {
        int64_t ms = farthest_shift(promql_child(e, i));
        below = ms > below ? ms : below;
    }
    return own + below;
}

static int stand(struct promql *q, const struct expr *e, int64_t outside_ms, struct err *err)
{
    struct plan_node *node = &q->nodes[e->plan_id];
    if (e->kind == EXPR_SELECTOR)
        return node->template ? 0 : stand_selector(q, e, e->plan_id, outside_ms, err);
    if (e->kind == EXPR_CALL && e->call.function->id == FUNC_info) {
        TRY(plan_info(q, e, err));
        /* The info series are read at the times of the selector that they explain. */
        TRY(stand_selector(q, node->info, e->plan_id, outside_ms + farthest_shift(e->call.args.items[0]),
                           err));
    }
    if (e->kind == EXPR_SUBQUERY)
        outside_ms += known_ms(e->subquery.range) + known_ms(e->subquery.shift.offset);
    for (size_t i = 0; promql_child(e, i) != NULL; i++)
        TRY(stand(q, promql_child(e, i), outside_ms, err));
    return 0;
}

static void fill_options(struct promql_options *o)
{
    if (o->lookback_ms == 0)
        o->lookback_ms = PROMQL_LOOKBACK_MS;
    if (o->subquery_step_ms == 0)
        o->subquery_step_ms = 60 * 1000;
    if (o->samples_max == 0)
        o->samples_max = limits.query_samples;
    if (o->timeout_ms == 0)
        o->timeout_ms = limits.query_timeout_ms;
}

static int prepare(struct promql *q, struct str text, struct err *err)
{
    q->text = str_copy(&q->arena, text);
    if (q->text.p == NULL)
        return err_set(err, ERR_LIMIT, "expression is too long");
    TRY(promql_parse(&q->arena, q->text, &q->options.features, &q->root, err));
    q->node_count = number_nodes(q->root, 0);
    q->nodes = ARENA_ARRAY(&q->arena, struct plan_node, q->node_count);
    if (q->nodes == NULL)
        return err_set(err, ERR_LIMIT, "expression is too long");
    note_nodes(q, q->root);
    note_detection(q, q->root, false);
    note_metrics(q);
    note_unseen_names(q);
    compile_regexes(q);
    return stand(q, q->root, q->options.late_ms, err);
}

int promql_open(struct str text, const struct promql_options *options, struct store *store,
                struct promql **out, struct err *err)
{
    struct promql *q = MEM_NEW(struct promql);
    arena_init(&q->arena, (size_t)limits.query_arena_bytes);
    q->options = *options;
    q->store = store;
    fill_options(&q->options);
    int code = prepare(q, text, err);
    if (code != 0) {
        promql_close(q);
        return code;
    }
    *out = q;
    return 0;
}

void promql_close(struct promql *q)
{
    if (q == NULL)
        return;
    for (size_t i = 0; q->nodes != NULL && i < q->node_count; i++) {
        if (q->nodes[i].standing != NULL)
            store_unstand(q->store, q->nodes[i].standing);
        edges_close(q->nodes[i].edges);
        plan_info_release(&q->nodes[i]);
        regex_free(q->nodes[i].regex);
    }
    if (q->root != NULL)
        promql_free(q->root);
    arena_release(&q->arena);
    mem_free(q);
}

static void fetch_selectors(const struct promql *q, bool within)
{
    for (size_t i = 0; i < q->node_count; i++)
        if (q->nodes[i].standing != NULL)
            standing_fetch(q->nodes[i].standing, within);
}

void promql_bring_nearer(const struct promql *q, int step)
{
    switch (step) {
    case 0:
        mem_fetch(q, sizeof *q);
        break;
    case 1:
        arena_fetch_head(&q->arena);
        break;
    case 2:
        arena_fetch(&q->arena);
        break;
    default:
        fetch_selectors(q, step > 3);
    }
}

const struct expr *promql_expr(const struct promql *q)
{
    return q->root;
}

static size_t count_matches(struct store *store, const struct expr *selector)
{
    struct arena arena;
    struct series_set set = {0};
    arena_init(&arena, (size_t)limits.query_arena_bytes);
    struct view *view = view_open(store);
    if (view_select(view, selector->selector.matchers, selector->selector.matcher_count, &arena, &set) != 0)
        set.count = SIZE_MAX;
    view_close(view);
    arena_release(&arena);
    return set.count;
}

size_t promql_series_matched(const struct promql *q, struct store *store)
{
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < q->node_count; i++) {
        const struct plan_node *node = &q->nodes[i];
        if (node->expr->kind != EXPR_SELECTOR || node->template)
            continue;
        size_t n =
            node->standing != NULL ? standing_count(store, node->standing) : count_matches(store, node->expr);
        least = n < least ? n : least;
    }
    return least;
}
