/* The queries of an objective: prepared for one slice, and how far their data have come. */
#include "budget_priv.h"

#include "tocsin/promql_func.h"

static void hash_text(uint64_t *hash, struct str s)
{
    *hash = hash_mix(hash_mix(*hash, s.n), hash_stable(s.p != NULL ? s.p : "", s.n));
}

void objective_terms(const struct objective *objective, struct ledger_terms *out)
{
    const struct indicator *in = &objective->indicator;
    uint64_t meaning = (uint64_t)in->kind, threshold;
    memcpy(&threshold, &in->threshold, sizeof threshold);
    hash_text(&meaning, in->counted);
    hash_text(&meaning, in->total);
    if (in->kind == INDICATOR_THRESHOLD)
        meaning = hash_mix(hash_mix(meaning, (uint64_t)in->compare), threshold);
    meaning = hash_mix(meaning, in->exact);
    for (size_t i = 0; i < objective->by_count; i++)
        hash_text(&meaning, objective->by[i]);
    *out = (struct ledger_terms){
        .target = objective->target,
        .slice_target = objective->slice_target,
        .budgeting = objective->budgeting,
        .events = in->kind == INDICATOR_BAD || in->kind == INDICATOR_GOOD,
        .slice_ms = objective->slice_ms,
        .meaning = meaning,
    };
}

/* ---- opening ---- */

static void anchor(void *context, struct expr *e)
{
    (void)context;
    if (e->kind != EXPR_CALL || (e->call.function->id != FUNC_increase && e->call.function->id != FUNC_rate))
        return;
    struct expr *range = e->call.args.items[0];
    while (range->kind == EXPR_PAREN)
        range = range->paren.inner;
    if (range->kind == EXPR_SELECTOR && range->selector.modifier == RANGE_PLAIN)
        range->selector.modifier = RANGE_ANCHORED;
}

static int anchor_text(struct arena *arena, const struct promql_features *features, struct str *text,
                       struct err *err)
{
    struct expr *e;
    struct buf out;
    int rc = promql_parse(arena, *text, features, &e, err);
    if (rc != 0)
        return rc;
    buf_init(&out, (size_t)limits.query_text_bytes);
    promql_walk(e, anchor, NULL);
    promql_print(&out, e);
    promql_free(e);
    *text = str_copy(arena, buf_slice(&out));
    rc = buf_overflow(&out) || text->p == NULL ? ERR_LIMIT : 0;
    buf_release(&out);
    return rc == 0 ? 0 : err_set(err, rc, "the query is longer than query_text_bytes allows");
}

static size_t count_inputs(const struct promql *promql)
{
    struct promql_input input;
    size_t count = 0;
    while (promql_input(promql, count, &input))
        count++;
    return count;
}

static int open_query(const struct objective *objective, const struct budgets_options *options,
                      struct str query, struct book_query *out, struct err *err)
{
    struct promql_options promql = options->promql;
    struct arena arena;
    struct str text;
    arena_init(&arena, (size_t)limits.generation_arena_bytes);
    int rc = objective_query(&arena, query, objective->slice_ms, &text, err);
    if (rc == 0 && objective->indicator.exact) {
        rc = anchor_text(&arena, &promql.features, &text, err);
        promql.features.extended_range_selectors = true;
    }
    promql.late_ms = options->late_ms + 2 * objective->slice_ms + BUDGETS_DATA_WAIT_MS;
    promql.world = options->world;
    if (rc == 0)
        rc = promql_open(text, &promql, options->store, &out->promql, err);
    if (rc == 0) {
        out->count = count_inputs(out->promql);
        out->waits = MEM_ARRAY(struct arrival_wait, out->count + 1);
    } else {
        err_prefix(err, "%.*s: ", STR_ARG(objective->id));
    }
    arena_release(&arena);
    return rc;
}

int book_prepare_queries(struct book *book, const struct budgets_options *options, struct err *err)
{
    const struct objective *objective = book->objective;
    int rc = open_query(objective, options, objective->indicator.counted, &book->counted, err);
    if (rc == 0 && book->terms.events)
        rc = open_query(objective, options, objective->indicator.total, &book->total, err);
    return rc;
}

void book_query_close(struct book_query *query)
{
    if (query->promql != NULL)
        promql_close(query->promql);
    mem_free(query->waits);
    *query = (struct book_query){.promql = NULL};
}

/* ---- what the store holds ---- */

static int64_t oldest_of(struct view *view, const struct promql_input *input, int64_t now_ms)
{
    struct arena arena;
    struct series_set set;
    int64_t oldest_ms = INT64_MAX;
    arena_init(&arena, (size_t)limits.query_arena_bytes);
    if (view_standing(view, input->standing, &arena, &set) != 0)
        set.count = 0;
    for (size_t i = 0; i < set.count; i++) {
        struct window_summary summary;
        struct sample_run run = {0};
        struct arena_mark mark = arena_mark(&arena);
        int64_t first_ms = INT64_MAX;
        if (view_window(view, set.refs[i], 0, now_ms, 0, &summary))
            first_ms = summary.count > 0 ? summary.first_ms : INT64_MAX;
        else if (view_read(view, set.refs[i], 0, now_ms, &arena, &run) == 0 && run.count > 0)
            first_ms = run.samples[0].t_ms;
        oldest_ms = first_ms < oldest_ms ? first_ms : oldest_ms;
        arena_rewind(&arena, mark);
    }
    arena_release(&arena);
    return oldest_ms == INT64_MAX ? INT64_MAX : oldest_ms + input->behind_ms;
}

static int64_t oldest_read(const struct book_query *query, struct view *view, int64_t now_ms)
{
    struct promql_input input;
    int64_t oldest_ms = INT64_MAX;
    for (size_t i = 0; i < query->count && promql_input(query->promql, i, &input); i++) {
        int64_t one_ms = oldest_of(view, &input, now_ms);
        oldest_ms = one_ms < oldest_ms ? one_ms : oldest_ms;
    }
    return oldest_ms;
}

int64_t book_oldest_ms(const struct book *book, const struct budgets_options *options)
{
    int64_t now_ms = world_now_ms(options->world);
    struct view *view = view_open(options->store);
    int64_t a = oldest_read(&book->counted, view, now_ms), b = oldest_read(&book->total, view, now_ms);
    view_close(view);
    return a < b ? a : b;
}

/* ---- what has come ---- */

static bool query_arrived(struct book_query *query, const struct budgets_options *options, int64_t end_ms,
                          int64_t now_ms, int64_t *until_ms)
{
    struct promql_input input;
    for (size_t i = 0; i < query->count && promql_input(query->promql, i, &input); i++)
        if (!standing_arrived(options->store, input.standing, end_ms - input.behind_ms, now_ms,
                              options->data_wait_ms, &query->waits[i], until_ms))
            return false;
    return true;
}

bool book_arrived(struct book *book, const struct budgets_options *options, int64_t end_ms, int64_t now_ms,
                  int64_t *until_ms)
{
    return query_arrived(&book->counted, options, end_ms, now_ms, until_ms) &&
           query_arrived(&book->total, options, end_ms, now_ms, until_ms);
}

void book_forget_waits(struct book *book)
{
    struct book_query *const queries[] = {&book->counted, &book->total};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < queries[k]->count; i++)
            queries[k]->waits[i] = (struct arrival_wait){0};
}
