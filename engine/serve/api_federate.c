/* /federate: the newest samples of chosen series, for a Prometheus that scrapes them. */
#include "api_priv.h"
#include "exposition_priv.h"
#include "match_params_priv.h"

#include "tocsin/promql.h"
#include "tocsin/ruler.h"

#include <stdlib.h>

struct federation {
    const struct request *request;
    struct view *view;
    int64_t after_ms, upto_ms;
    struct exposition form;
    struct label *extra; /* the labels of the process, by name */
    size_t extra_count;
    struct exposed *told;
    size_t count, capacity;
};

/* Stale markers cannot be told in any form. */
static bool can_tell(const struct federation *f, const struct exposed *e)
{
    return !is_stale_nan(e->histogram != NULL ? e->histogram->sum : e->value) &&
           labels_has(e->labels, STR(LABEL_METRIC_NAME)) && exposition_can_tell(&f->form, e);
}

static int add_newest(struct federation *f, series_ref ref)
{
    struct arena *arena = f->request->arena;
    struct sample s;
    struct arena_mark mark = arena_mark(arena);
    if (!view_last(f->view, ref, f->after_ms, f->upto_ms, arena, &s))
        return arena_exhausted(arena) ? ERR_LIMIT : 0;
    struct exposed e = {view_labels(f->view, ref), s.t_ms, s.value, s.histogram};
    if (!can_tell(f, &e)) {
        arena_rewind(arena, mark);
        return 0;
    }
    ARENA_GROW(arena, f->told, f->count, f->capacity);
    if (f->told == NULL)
        return ERR_LIMIT;
    f->told[f->count++] = e;
    return 0;
}

static int find(struct federation *f, const struct match_params *match)
{
    int rc = 0;
    for (size_t i = 0; i < match->count && rc == 0; i++) {
        struct series_set set;
        rc = view_select(f->view, match->lists[i].matchers, match->lists[i].count, f->request->arena, &set);
        for (size_t k = 0; rc == 0 && k < set.count; k++)
            rc = add_newest(f, set.refs[k]);
    }
    return rc;
}

/* By metric name, as the format wants it, then by labels. */
static int compare(const void *a, const void *b)
{
    const struct exposed *x = a, *y = b;
    int order = str_cmp(exposed_metric(x), exposed_metric(y));
    return order != 0 ? order : labels_compare(x->labels, y->labels);
}

/* Sorted, and each series once, whatever selectors found it. */
static void sort_told(struct federation *f)
{
    if (f->count == 0)
        return;
    qsort(f->told, f->count, sizeof *f->told, compare);
    size_t kept = 1;
    for (size_t i = 1; i < f->count; i++)
        if (!labels_equal(f->told[i].labels, f->told[kept - 1].labels))
            f->told[kept++] = f->told[i];
    f->count = kept;
}

static bool same_family(const struct exposed *a, const struct exposed *b)
{
    bool gauges[] = {a->histogram != NULL && a->histogram->hint == HINT_GAUGE,
                     b->histogram != NULL && b->histogram->hint == HINT_GAUGE};
    return str_eq(exposed_metric(a), exposed_metric(b)) && (a->histogram == NULL) == (b->histogram == NULL) &&
           gauges[0] == gauges[1];
}

/* A metric with floats and histograms is several families by the same name, which Prometheus reads and writes, too. */
static void write_all(struct federation *f, struct buf *out)
{
    sort_told(f);
    for (size_t from = 0, end; from < f->count; from = end) {
        for (end = from + 1; end < f->count && same_family(&f->told[from], &f->told[end]);)
            end++;
        struct exposed_family family = {&f->told[from], end - from, f->extra, f->extra_count};
        if (f->form.protobuf)
            exposition_protobuf(&f->form, out, &family);
        else
            exposition_text(&f->form, out, &family);
    }
}

/* ---- the handler ---- */

static void refuse(struct answer *answer, int status, const char *why)
{
    answer_text(answer, status, why);
    buf_char(&answer->body, '\n');
}

/* External labels, and an empty instance unless they have one, so that the scraper adds none. */
static int take_extra(struct federation *f)
{
    static const struct label none = {{"instance", 8}, {"", 0}};
    const struct serve_parts *parts = &f->request->service->parts;
    const struct labels *external = parts->ruler != NULL
                                        ? ruler_external_labels(parts->ruler, f->request->arena)
                                        : labels_empty(f->request->arena);
    f->extra = external != NULL ? ARENA_ARRAY(f->request->arena, struct label, external->count + 1) : NULL;
    if (f->extra == NULL)
        return ERR_LIMIT;
    bool own = labels_has(external, none.name);
    for (size_t i = 0; i < external->count; i++) {
        if (!own && str_cmp(none.name, external->item[i].name) < 0) {
            f->extra[f->extra_count++] = none;
            own = true;
        }
        f->extra[f->extra_count++] = external->item[i];
    }
    if (!own)
        f->extra[f->extra_count++] = none;
    return 0;
}

static void answer_series(struct federation *f, struct answer *answer, const struct match_params *match)
{
    f->view = view_open(f->request->service->parts.store);
    if (take_extra(f) == 0 && find(f, match) == 0)
        write_all(f, &answer->body);
    else
        refuse(answer, 500, "the result does not fit limits.query_arena_bytes");
    view_close(f->view);
}

void api_federate(struct request *request, struct answer *answer)
{
    const struct serve_parts *parts = &request->service->parts;
    int64_t now_ms = world_now_ms(parts->world);
    int64_t lookback_ms = parts->promql != NULL && parts->promql->lookback_ms > 0 ? parts->promql->lookback_ms
                                                                                  : PROMQL_LOOKBACK_MS;
    struct federation f = {.request = request,
                           .after_ms = now_ms - lookback_ms,
                           .upto_ms = now_ms,
                           .form = exposition_of(request->accept)};
    struct match_params match;
    struct err err;
    if (parts->store == NULL) {
        answer_text(answer, 404, "404 page not found\n");
        return;
    }
    answer->content_type = exposition_content_type(&f.form);
    if (match_params_take(request, &match, &err) == 0)
        answer_series(&f, answer, &match);
    else
        refuse(answer, 400, err.text);
    match_params_release(&match);
}
