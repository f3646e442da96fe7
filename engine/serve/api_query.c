#include "api_priv.h"
#include "json_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/stat.h"
#include "tocsin/tree.h"

/* One query over HTTP, from parameters to result. */
struct query {
    struct request *request;
    struct answer *answer;
    struct promql_options options;
    struct promql *promql;
    size_t limit; /* series told; 0: all */
    bool no_time; /* a timeout of 0 or less: it has passed already */
    int64_t start_ms, end_ms, step_ms;
    struct query_times times;
};

const struct promql_features *request_features(const struct request *request)
{
    const struct promql_options *promql = request->service->parts.promql;
    return promql != NULL ? &promql->features : &promql_features_default;
}

static bool have_store(const struct request *request, struct answer *answer)
{
    if (request->service->parts.store != NULL)
        return true;
    answer_text(answer, 404, "404 page not found\n");
    return false;
}

static struct str stats_wanted(const struct query *q)
{
    return request_param(q->request, "stats");
}

static int64_t longest_ms(const struct request *request)
{
    const struct promql_options *own = request->service->parts.promql;
    return own != NULL && own->timeout_ms > 0 ? own->timeout_ms : limits.query_timeout_ms;
}

/* A timeout that is none, or has passed already, is for the handler to tell of. */
int64_t query_timeout_ms(const struct request *request)
{
    int64_t most_ms = longest_ms(request), timeout_ms = most_ms;
    struct err err;
    int rc = prom_parse_duration(request_param(request, "timeout"), &timeout_ms, &err);
    return rc == 0 && timeout_ms > 0 && timeout_ms < most_ms ? timeout_ms : most_ms;
}

/* Only shortens. What it waited for a worker counts. */
static bool take_timeout(struct query *q)
{
    int64_t given_ms = longest_ms(q->request);
    if (!prom_duration_param(q->request, q->answer, "timeout", false, &given_ms))
        return false;
    int64_t left_ms = query_timeout_ms(q->request) - q->times.queue_ns / NS_PER_MS;
    q->no_time = given_ms <= 0 || left_ms <= 0;
    q->options.timeout_ms = left_ms;
    return true;
}

/* This query's own; one that is no look-back leaves the server's. */
static bool take_lookback(struct query *q)
{
    struct str text = request_param(q->request, "lookback_delta");
    int64_t lookback_ms = 0;
    struct err err;
    if (text.n > 0 && prom_parse_duration(text, &lookback_ms, &err) != 0) {
        prom_error(q->answer, PROM_BAD_DATA, "error parsing lookback delta duration: %s", err.text);
        return false;
    }
    if (lookback_ms > 0)
        q->options.lookback_ms = lookback_ms;
    return true;
}

static bool take_options(struct query *q)
{
    const struct serve_parts *parts = &q->request->service->parts;
    if (parts->promql != NULL)
        q->options = *parts->promql;
    else
        q->options.features = promql_features_default;
    q->options.world = parts->world;
    q->options.cancelled = q->request->gone;
    q->options.stats = stats_wanted(q).n > 0;
    return take_timeout(q) && take_lookback(q);
}

static bool open_promql(struct query *q)
{
    struct err err;
    struct str text = request_param(q->request, "query");
    int rc = promql_open(text, &q->options, NULL, &q->promql, &err);
    if (rc == 0)
        return true;
    if (rc == ERR_PARSE || rc == ERR_LIMIT)
        prom_bad_param(q->answer, "query", err.text);
    else
        prom_failed(q->answer, &err);
    return false;
}

static bool is_known_stats(struct str wanted)
{
    return wanted.n == 0 || str_is(wanted, "true") || str_is(wanted, "all");
}

/* A word for it that nobody knows is taken as "true", as ever, with a warning (Prometheus 3.14). */
static const char *stats_warning(const struct query *q)
{
    if (is_known_stats(stats_wanted(q)))
        return NULL;
    struct buf word;
    buf_init(&word, (size_t)limits.query_text_bytes);
    go_quote(&word, stats_wanted(q));
    const char *text = arena_format(q->request->arena,
                                    "value %s for parameter \"stats\" is deprecated and will be rejected in "
                                    "the next major release, use \"true\" or \"all\"",
                                    buf_text(&word));
    buf_release(&word);
    return text;
}

static void tell(struct query *q, const struct promql_result *result)
{
    size_t series = q->limit > 0 && q->limit < result->count ? q->limit : result->count;
    struct notes notes = {.list = result->annotations,
                          .count = result->annotation_count,
                          .truncated = series < result->count,
                          .deprecated = stats_warning(q)};
    prom_begin(q->answer);
    json_result(&q->answer->body, result, series);
    if (result->stats != NULL)
        json_stats(&q->answer->body, result->stats, &q->times,
                   q->options.features.per_step_stats && str_is(stats_wanted(q), "all"));
    buf_char(&q->answer->body, '}');
    prom_end_noted(q->answer, &notes);
}

static int64_t mono_ns(const struct query *q)
{
    struct world *world = q->request->service->parts.world;
    return world->mono_ns(world);
}

static void begin_times(struct query *q)
{
    q->times.began_ns = mono_ns(q);
    if (q->request->queued_ns != 0)
        q->times.queue_ns = q->times.began_ns - q->request->queued_ns;
}

/* step_ms 0: an instant query at start_ms. */
static void evaluate(struct query *q)
{
    if (q->no_time) {
        prom_error(q->answer, PROM_TIMEOUT, "query timed out in query execution");
        return;
    }
    struct err err;
    struct promql_result result = {0};
    struct view *view = view_open(q->request->service->parts.store);
    stat_add(STAT_queries, 1);
    q->times.prepared_ns = mono_ns(q);
    int rc = q->step_ms == 0 ? promql_instant(q->promql, view, q->start_ms, q->request->arena, &result, &err)
                             : promql_range(q->promql, view, q->start_ms, q->end_ms, q->step_ms,
                                            q->request->arena, &result, &err);
    q->times.done_ns = mono_ns(q);
    if (rc == 0) {
        tell(q, &result);
    } else {
        stat_add(STAT_query_errors, 1);
        prom_failed(q->answer, &err);
    }
    view_close(view);
}

void api_query(struct request *request, struct answer *answer)
{
    struct query q = {.request = request, .answer = answer};
    begin_times(&q);
    if (!have_store(request, answer) || !prom_limit_param(request, answer, &q.limit))
        return;
    q.start_ms = world_now_ms(request->service->parts.world);
    if (!prom_time_param(request, answer, "time", false, &q.start_ms) || !take_options(&q) ||
        !open_promql(&q))
        return;
    evaluate(&q);
    promql_close(q.promql);
}

static bool take_range(struct query *q)
{
    struct request *request = q->request;
    struct answer *answer = q->answer;
    if (!prom_time_param(request, answer, "start", true, &q->start_ms) ||
        !prom_time_param(request, answer, "end", true, &q->end_ms))
        return false;
    if (q->end_ms < q->start_ms) {
        prom_bad_param(answer, "end", "end timestamp must not be before start time");
        return false;
    }
    if (!prom_duration_param(request, answer, "step", true, &q->step_ms))
        return false;
    if (q->step_ms <= 0) {
        prom_bad_param(
            answer, "step",
            "zero or negative query resolution step widths are not accepted. Try a positive integer");
        return false;
    }
    if ((q->end_ms - q->start_ms) / q->step_ms > limits.query_points) {
        limit_hit(LIMIT_query_points);
        prom_error(answer, PROM_BAD_DATA,
                   "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query "
                   "resolution (?step=XX)");
        return false;
    }
    return true;
}

static bool can_range(struct query *q)
{
    enum promql_type type = promql_expr(q->promql)->type;
    if (type == PROMQL_SCALAR || type == PROMQL_VECTOR)
        return true;
    prom_error(
        q->answer, PROM_BAD_DATA,
        "invalid parameter \"query\": invalid expression type \"%s\" for range query, must be Scalar or "
        "instant Vector",
        promql_type_name(type));
    return false;
}

void api_query_range(struct request *request, struct answer *answer)
{
    struct query q = {.request = request, .answer = answer};
    begin_times(&q);
    if (!have_store(request, answer) || !prom_limit_param(request, answer, &q.limit) || !take_range(&q) ||
        !take_options(&q) || !open_promql(&q))
        return;
    if (can_range(&q))
        evaluate(&q);
    promql_close(q.promql);
}
