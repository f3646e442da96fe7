/* /federate: the newest samples of chosen series in the text format, for a Prometheus that scrapes them. */
#include "api_priv.h"
#include "match_params_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/promql.h"
#include "tocsin/ruler.h"

#include <stdlib.h>

/* One line. */
struct told {
    const struct labels *labels;
    int64_t t_ms;
    double value;
};

struct federation {
    const struct request *request;
    struct view *view;
    int64_t after_ms, upto_ms;
    const struct labels *external;
    bool utf8; /* the client takes names that are not classic */
    struct told *told;
    size_t count, capacity;
};

/* Stale markers cannot be told in this format, native histograms neither. */
static int add_newest(struct federation *f, series_ref ref)
{
    struct arena *arena = f->request->arena;
    struct sample s;
    const struct labels *ls = view_labels(f->view, ref);
    struct arena_mark mark = arena_mark(arena);
    bool any = view_last(f->view, ref, f->after_ms, f->upto_ms, arena, &s);
    arena_rewind(arena, mark);
    if (!any || s.histogram != NULL || is_stale_nan(s.value) || !labels_has(ls, STR(LABEL_METRIC_NAME)))
        return 0;
    ARENA_GROW(arena, f->told, f->count, f->capacity);
    if (f->told == NULL)
        return ERR_LIMIT;
    f->told[f->count++] = (struct told){ls, s.t_ms, s.value};
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

static struct str metric_of(const struct labels *ls)
{
    return labels_get(ls, STR(LABEL_METRIC_NAME));
}

/* By metric name, as the format wants it, then by labels. */
static int compare(const void *a, const void *b)
{
    const struct labels *x = ((const struct told *)a)->labels, *y = ((const struct told *)b)->labels;
    int order = str_cmp(metric_of(x), metric_of(y));
    return order != 0 ? order : labels_compare(x, y);
}

/* ---- text ---- */

static void escape_text(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\n')
            buf_puts(out, "\\n");
        else if (s.p[i] == '\\' || s.p[i] == '"')
            buf_format(out, "\\%c", s.p[i]);
        else
            buf_char(out, s.p[i]);
}

static void quoted(struct buf *out, struct str s)
{
    buf_char(out, '"');
    escape_text(out, s);
    buf_char(out, '"');
}

static bool is_classic_byte(char c, bool first, bool metric)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (metric && c == ':');
    return letter || (!first && c >= '0' && c <= '9');
}

static bool is_classic(struct str name, bool metric)
{
    for (size_t i = 0; i < name.n; i++)
        if (!is_classic_byte(name.p[i], i == 0, metric))
            return false;
    return name.n > 0;
}

/* For a client that knows only classic names: an underscore for each character that they may not have. */
static void underscored(struct buf *out, struct str name, bool metric)
{
    for (size_t i = 0; i < name.n; i++) {
        bool continued = ((unsigned char)name.p[i] & 0xc0) == 0x80;
        if (is_classic_byte(name.p[i], i == 0, metric))
            buf_char(out, name.p[i]);
        else if (!continued)
            buf_char(out, '_');
    }
}

static void name_text(const struct federation *f, struct buf *out, struct str name, bool metric)
{
    if (is_classic(name, metric))
        buf_str(out, name);
    else if (f->utf8)
        quoted(out, name);
    else
        underscored(out, name, metric);
}

static void label_text(const struct federation *f, struct buf *out, bool *first, struct str name,
                       struct str value)
{
    buf_char(out, *first ? '{' : ',');
    *first = false;
    name_text(f, out, name, false);
    buf_char(out, '=');
    quoted(out, value);
}

/* Labels of the process where the series has none of that name; an empty instance, so that the scraper adds none. */
static void extra_labels(const struct federation *f, struct buf *out, bool *first, const struct labels *ls)
{
    static const struct str instance = {"instance", 8};
    bool own = labels_has(ls, instance);
    for (size_t i = 0; i < f->external->count; i++) {
        const struct label *l = &f->external->item[i];
        own |= str_eq(l->name, instance);
        if (!labels_has(ls, l->name))
            label_text(f, out, first, l->name, l->value);
    }
    if (!own)
        label_text(f, out, first, instance, STR(""));
}

static void write_line(const struct federation *f, struct buf *out, const struct told *t)
{
    struct str metric = metric_of(t->labels);
    bool inside = f->utf8 && !is_classic(metric, true), first = true;
    if (inside)
        buf_char(out, '{');
    name_text(f, out, metric, true);
    first = !inside;
    for (size_t i = 0; i < t->labels->count; i++)
        if (!str_is(t->labels->item[i].name, LABEL_METRIC_NAME))
            label_text(f, out, &first, t->labels->item[i].name, t->labels->item[i].value);
    extra_labels(f, out, &first, t->labels);
    buf_puts(out, first ? " " : "} ");
    go_float(out, t->value, 'g', -1);
    buf_char(out, ' ');
    buf_i64(out, t->t_ms);
    buf_char(out, '\n');
}

static void write_all(struct federation *f, struct buf *out)
{
    if (f->count > 0)
        qsort(f->told, f->count, sizeof *f->told, compare);
    for (size_t i = 0; i < f->count; i++) {
        struct str metric = metric_of(f->told[i].labels);
        if (i > 0 && labels_equal(f->told[i - 1].labels, f->told[i].labels))
            continue;
        if (i == 0 || !str_eq(metric, metric_of(f->told[i - 1].labels))) {
            buf_puts(out, "# TYPE ");
            name_text(f, out, metric, true);
            buf_puts(out, " untyped\n");
        }
        write_line(f, out, &f->told[i]);
    }
}

/* ---- the handler ---- */

static void refuse(struct answer *answer, int status, const char *why)
{
    answer_text(answer, status, why);
    buf_char(&answer->body, '\n');
}

static int gather(struct federation *f, const struct match_params *match)
{
    const struct serve_parts *parts = &f->request->service->parts;
    f->external = parts->ruler != NULL ? ruler_external_labels(parts->ruler, f->request->arena)
                                       : labels_empty(f->request->arena);
    return f->external != NULL ? find(f, match) : ERR_LIMIT;
}

static void answer_series(struct federation *f, struct answer *answer, const struct match_params *match)
{
    f->view = view_open(f->request->service->parts.store);
    if (gather(f, match) == 0)
        write_all(f, &answer->body);
    else
        refuse(answer, 500, "the result does not fit limits.query_arena_bytes");
    view_close(f->view);
}

static bool takes_utf8(struct str accept)
{
    while (accept.p != NULL) {
        struct str clause = str_cut(&accept, ',');
        while (clause.p != NULL)
            if (str_eq_nocase(str_trim(str_cut(&clause, ';')), STR("escaping=allow-utf-8")))
                return true;
    }
    return false;
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
                           .utf8 = takes_utf8(request->accept)};
    struct match_params match;
    struct err err;
    if (parts->store == NULL) {
        answer_text(answer, 404, "404 page not found\n");
        return;
    }
    answer->content_type = f.utf8 ? "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
                                  : "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";
    if (match_params_take(request, &match, &err) == 0)
        answer_series(&f, answer, &match);
    else
        refuse(answer, 400, err.text);
    match_params_release(&match);
}
