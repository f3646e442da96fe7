#include "api_priv.h"
#include "json_priv.h"

#include "tocsin/extras.h"
#include "tocsin/gotext.h"
#include "tocsin/tree.h"

#include <stdlib.h>

/* ---- exemplars ------------------------------------------------------------------------------------------ */

struct finding {
    const struct labels *labels;
    struct exemplar_run run;
};

/* A query for exemplars: of its expression only the selectors count. */
struct search {
    struct view *view;
    struct arena *arena;
    int64_t start_ms, end_ms;
    struct finding *findings;
    size_t count, capacity;
    size_t selectors;
    int rc;
};

static int look_at(struct search *s, series_ref ref)
{
    struct exemplar_run run;
    int rc = view_exemplars(s->view, ref, s->start_ms, s->end_ms, s->arena, &run);
    if (rc != 0 || run.count == 0)
        return rc;
    ARENA_GROW(s->arena, s->findings, s->count, s->capacity);
    if (s->findings == NULL)
        return ERR_LIMIT;
    s->findings[s->count++] = (struct finding){view_labels(s->view, ref), run};
    return 0;
}

static void visit(void *context, struct expr *e)
{
    struct search *s = context;
    struct series_set set;
    if (e->kind != EXPR_SELECTOR || s->rc != 0)
        return;
    s->selectors++;
    s->rc = view_select(s->view, e->selector.matchers, e->selector.matcher_count, s->arena, &set);
    for (size_t i = 0; s->rc == 0 && i < set.count; i++)
        s->rc = look_at(s, set.refs[i]);
}

static int by_labels(const void *a, const void *b)
{
    return labels_compare(((const struct finding *)a)->labels, ((const struct finding *)b)->labels);
}

static void write_exemplar(struct buf *out, const struct exemplar *e)
{
    buf_puts(out, "{\"labels\":");
    json_labels(out, e->labels);
    buf_puts(out, ",\"value\":\"");
    go_float_json(out, e->value);
    buf_puts(out, "\",\"timestamp\":");
    json_seconds(out, e->t_ms);
    buf_char(out, '}');
}

static void write_finding(struct buf *out, const struct finding *finding)
{
    buf_puts(out, "{\"seriesLabels\":");
    json_labels(out, finding->labels);
    buf_puts(out, ",\"exemplars\":[");
    for (size_t i = 0; i < finding->run.count; i++) {
        if (i > 0)
            buf_char(out, ',');
        write_exemplar(out, &finding->run.exemplars[i]);
    }
    buf_puts(out, "]}");
}

/* By labels, each series once, whatever selectors found it. */
static void tell_findings(const struct search *s, struct answer *answer)
{
    struct buf *out = &answer->body;
    if (s->count > 0)
        qsort(s->findings, s->count, sizeof s->findings[0], by_labels);
    prom_begin(answer);
    buf_char(out, '[');
    for (size_t i = 0; i < s->count; i++) {
        if (i > 0 && labels_equal(s->findings[i - 1].labels, s->findings[i].labels))
            continue;
        if (i > 0)
            buf_char(out, ',');
        write_finding(out, &s->findings[i]);
    }
    buf_char(out, ']');
    prom_end(answer);
}

static void search(struct search *s, struct store *store, struct expr *e, struct answer *answer)
{
    s->view = view_open(store);
    promql_walk(e, visit, s);
    if (s->rc != 0)
        prom_error(answer, PROM_EXECUTION, "the result does not fit limits.query_arena_bytes");
    else if (s->selectors == 0)
        answer_text(answer, 204, ""); /* as Prometheus answers what looks at nothing */
    else
        tell_findings(s, answer);
    view_close(s->view);
}

static bool take_window(const struct request *request, struct answer *answer, struct search *s)
{
    s->start_ms = INT64_MIN / 1000;
    s->end_ms = INT64_MAX / 1000;
    if (!prom_time_param(request, answer, "start", false, &s->start_ms) ||
        !prom_time_param(request, answer, "end", false, &s->end_ms))
        return false;
    if (s->end_ms >= s->start_ms)
        return true;
    prom_error(answer, PROM_BAD_DATA, "end timestamp must not be before start timestamp");
    return false;
}

void api_exemplars(struct request *request, struct answer *answer)
{
    const struct serve_parts *parts = &request->service->parts;
    struct search s = {.arena = request->arena};
    struct expr *e;
    struct err err;
    if (parts->store == NULL) {
        answer_text(answer, 404, "404 page not found\n");
        return;
    }
    if (!take_window(request, answer, &s))
        return;
    if (promql_parse(request->arena, request_param(request, "query"), request_features(request), &e, &err) !=
        0) {
        prom_error(answer, PROM_BAD_DATA, "%s", err.text);
        return;
    }
    search(&s, parts->store, e, answer);
    promql_free(e);
}

/* ---- metadata ------------------------------------------------------------------------------------------- */

/* A number as Prometheus reads this endpoint's limits; `value` stays when there is none. */
static bool take_number(const struct request *request, struct answer *answer, const char *name,
                        long long *value)
{
    struct str text = request_param(request, name);
    if (text.n == 0 || str_to_i64(text, value))
        return true;
    prom_error(answer, PROM_BAD_DATA, "%s must be a number", name);
    return false;
}

static void write_meaning(struct buf *out, const struct metadata *m)
{
    buf_format(out, "{\"type\":\"%s\",\"help\":", metadata_type_text(m->type));
    json_string(out, m->help);
    buf_puts(out, ",\"unit\":");
    json_string(out, m->unit);
    buf_char(out, '}');
}

static size_t family_end(const struct metadata *all, size_t count, size_t from)
{
    size_t end = from;
    while (end < count && str_eq(all[end].family, all[from].family))
        end++;
    return end;
}

/* limit: families, negative: all; limit_per_metric: meanings of each, 0 or less: all. */
static void write_metadata(struct buf *out, const struct metadata *all, size_t count, long long limit,
                           long long limit_per_metric)
{
    buf_char(out, '{');
    for (size_t from = 0, end; from < count && limit != 0; from = end, limit--) {
        end = family_end(all, count, from);
        if (from > 0)
            buf_char(out, ',');
        json_string(out, all[from].family);
        buf_puts(out, ":[");
        for (size_t i = from; i < end && (limit_per_metric <= 0 || i - from < (size_t)limit_per_metric);
             i++) {
            if (i > from)
                buf_char(out, ',');
            write_meaning(out, &all[i]);
        }
        buf_char(out, ']');
    }
    buf_char(out, '}');
}

void api_metadata(struct request *request, struct answer *answer)
{
    struct metadata *all;
    size_t count;
    long long limit = -1, limit_per_metric = -1;
    if (request->service->parts.store == NULL) {
        answer_text(answer, 404, "404 page not found\n");
        return;
    }
    if (!take_number(request, answer, "limit", &limit) ||
        !take_number(request, answer, "limit_per_metric", &limit_per_metric))
        return;
    if (store_list_metadata(request->service->parts.store, request_param(request, "metric"), request->arena,
                            &all, &count) != 0) {
        prom_error(answer, PROM_EXECUTION, "the result does not fit limits.query_arena_bytes");
        return;
    }
    prom_begin(answer);
    write_metadata(&answer->body, all, count, limit, limit_per_metric);
    prom_end(answer);
}
