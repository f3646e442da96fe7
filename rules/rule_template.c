#include "rule_template_priv.h"

#include "rulefile_priv.h"
#include "tocsin/histogram.h"
#include "tocsin/limits.h"
#include "tocsin/stat.h"

#include <ctype.h>

#define VARIABLES                                                  \
    "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}" \
    "{{$externalURL := .ExternalURL}}{{$value := .Value}}"

static struct tval labels_value(struct arena *arena, const struct labels *ls)
{
    size_t count = ls != NULL ? ls->count : 0;
    struct tval_field *fields = ARENA_ARRAY(arena, struct tval_field, count);
    struct tval *values = ARENA_ARRAY(arena, struct tval, count);
    if (fields == NULL || values == NULL)
        return tval_nil();
    for (size_t i = 0; i < count; i++) {
        values[i] = tval_text(ls->item[i].value);
        fields[i] = (struct tval_field){.name = ls->item[i].name, .value = &values[i]};
    }
    return tval_map(fields, count, TVAL_TEXT);
}

static struct tval number_value(struct arena *arena, double value, const struct histogram *histogram)
{
    struct buf text;
    if (histogram == NULL)
        return tval_float(value);
    buf_init(&text, (size_t)limits.template_output_bytes);
    histogram_print(&text, histogram);
    struct tval v = tval_text(str_copy(arena, buf_slice(&text)));
    buf_release(&text);
    return v;
}

static struct tval result_value(struct arena *arena, const struct promql_result *result)
{
    size_t count = result->type == PROMQL_SCALAR ? 1 : result->count;
    struct tval *samples = ARENA_ARRAY(arena, struct tval, count);
    if (samples == NULL)
        return tval_nil();
    if (result->type == PROMQL_SCALAR)
        samples[0] = template_sample(arena, labels_value(arena, NULL), tval_float(result->scalar));
    for (size_t i = 0; i < result->count && result->type != PROMQL_SCALAR; i++) {
        const struct promql_point *point = &result->series[i].points[0];
        samples[i] = template_sample(arena, labels_value(arena, result->series[i].labels),
                                     number_value(arena, point->value, point->histogram));
    }
    return template_query_result(samples, count);
}

static int call_query(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                      struct err *err)
{
    const struct rule_expansion *with = template_context(run);
    struct promql *query;
    struct promql_result result;
    (void)count;
    int code = promql_open(args[0].text, with->promql, NULL, &query, err);
    if (code != 0)
        return code;
    code = promql_instant(query, with->view, with->t_ms, template_arena(run), &result, err);
    if (code == 0 && result.type != PROMQL_VECTOR && result.type != PROMQL_SCALAR)
        code = err_set(err, ERR_EXEC, "query result is not a vector or scalar");
    if (code == 0)
        *out = result_value(template_arena(run), &result);
    promql_close(query);
    return code;
}

static int call_external_url(struct template_run *run, const struct tval *args, size_t count,
                             struct tval *out, struct err *err)
{
    const struct rule_expansion *with = template_context(run);
    (void)args, (void)count, (void)err;
    *out = tval_text(with->external_url);
    return 0;
}

/* What stands after scheme and host. */
static struct str url_path(struct str url)
{
    const char *colon = url.n > 0 ? memmem(url.p, url.n, "://", 3) : NULL;
    struct str rest = colon != NULL ? (struct str){colon + 3, url.n - (size_t)(colon + 3 - url.p)} : url;
    size_t slash = str_find_char(rest, '/');
    struct str path = {rest.n > 0 ? rest.p + slash : "", rest.n - slash};
    path.n = str_find_char(path, '?');
    path.n = str_find_char(path, '#');
    return path;
}

static int call_path_prefix(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                            struct err *err)
{
    const struct rule_expansion *with = template_context(run);
    (void)args, (void)count, (void)err;
    *out = tval_text(url_path(with->external_url));
    return 0;
}

static int call_now(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                    struct err *err)
{
    const struct rule_expansion *with = template_context(run);
    (void)args, (void)count, (void)err;
    *out = tval_float((double)with->t_ms / 1000.0);
    return 0;
}

void graph_link(struct buf *out, struct str url, struct str query, int tab)
{
    buf_str(out, url);
    buf_puts(out, "/graph?g0.expr=");
    for (size_t i = 0; i < query.n; i++) {
        unsigned char c = (unsigned char)query.p[i];
        if (isalnum(c) || (c != 0 && strchr("-_.~", c) != NULL))
            buf_char(out, (char)c);
        else if (c == ' ')
            buf_char(out, '+');
        else
            buf_format(out, "%%%02X", c);
    }
    buf_format(out, "&g0.tab=%d", tab);
}

static int link_value(struct template_run *run, const struct tval *query, int tab, struct tval *out,
                      struct err *err)
{
    struct buf text;
    buf_init(&text, (size_t)limits.template_output_bytes);
    graph_link(&text, (struct str){0}, query->text, tab);
    *out = tval_text(str_copy(template_arena(run), buf_slice(&text)));
    buf_release(&text);
    return out->text.p != NULL ? 0 : err_set(err, ERR_LIMIT, "template memory exhausted");
}

static int call_graph_link(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                           struct err *err)
{
    (void)count;
    return link_value(run, &args[0], 0, out, err);
}

static int call_table_link(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                           struct err *err)
{
    (void)count;
    return link_value(run, &args[0], 1, out, err);
}

static const struct template_function rule_functions[] = {
    {"query", call_query, "string"},
    {"externalURL", call_external_url, NULL},
    {"pathPrefix", call_path_prefix, NULL},
    {"now", call_now, NULL},
    {"graphLink", call_graph_link, "string"},
    {"tableLink", call_table_link, "string"},
    {NULL, NULL, NULL},
};

static const struct template_function *const tables[] = {template_prometheus_functions, rule_functions};

/* The text behind the variables; it may hold any byte. */
static struct str with_variables(struct arena *arena, struct str text)
{
    const size_t front = sizeof VARIABLES - 1;
    char *whole = arena_alloc(arena, front + text.n);
    if (whole == NULL)
        return (struct str){0};
    memcpy(whole, VARIABLES, front);
    memcpy(whole + front, text.p, text.n);
    return (struct str){whole, front + text.n};
}

struct template_set *rule_template_parse(struct arena *arena, struct str name, struct str text,
                                         struct err *err)
{
    struct template_set *set = template_set_make(arena, tables, sizeof tables / sizeof tables[0]);
    struct str whole = with_variables(arena, text);
    if (set == NULL || whole.p == NULL) {
        err_set(err, ERR_LIMIT, "templates take more memory than generation_arena_bytes allows");
        return NULL;
    }
    return template_parse(set, name, whole, err) == 0 ? set : NULL;
}

static const struct tval_type data_type = {.go_name =
                                               "struct { Labels map[string]string; ExternalLabels "
                                               "map[string]string; ExternalURL string; Value interface {} }"};

void rule_expansion_sample(struct rule_expansion *with, struct arena *arena, const struct labels *labels,
                           double value, const struct histogram *histogram)
{
    static const char *const names[] = {"Labels", "ExternalLabels", "ExternalURL", "Value"};
    enum { COUNT = sizeof names / sizeof names[0] };
    struct tval *values = ARENA_ARRAY(arena, struct tval, COUNT);
    struct tval_field *fields = ARENA_ARRAY(arena, struct tval_field, COUNT);
    if (values == NULL || fields == NULL)
        return;
    values[0] = labels_value(arena, labels);
    values[1] = labels_value(arena, with->external_labels);
    values[2] = tval_text(with->external_url);
    values[3] = number_value(arena, value, histogram);
    for (size_t i = 0; i < COUNT; i++)
        fields[i] = (struct tval_field){.name = str_of(names[i]), .value = &values[i]};
    with->data = tval_object(&data_type, fields, COUNT);
}

struct str rule_text_expand(const struct rule_text *text, struct str template_name,
                            struct rule_expansion *with, struct arena *arena)
{
    struct buf out;
    struct err err = {0};
    if (text->code == NULL)
        return text->plain;
    buf_init(&out, (size_t)limits.template_output_bytes);
    stat_add(STAT_template_expansions, 1);
    if (template_execute(text->code, template_name, &with->data, with, &out, &err) != 0) {
        stat_add(STAT_template_failures, 1);
        buf_clear(&out);
        buf_format(&out, "<error expanding template: error executing template %.*s: %s>",
                   STR_ARG(template_name), err.text);
    }
    struct str copy = str_copy(arena, buf_slice(&out));
    buf_release(&out);
    return copy;
}
