/* What of Prometheus' features is there, by Prometheus' names and categories (3.14). What Tocsin leaves to Prometheus (scraping, service
 * discovery, OTLP, the UI) has no category here. */
#include "api_priv.h"
#include "json_priv.h"

#include "tocsin/promql_func.h"

/* One category. */
struct category {
    struct buf *out;
    bool any;
};

static void feature(struct category *c, const char *name, bool there)
{
    buf_format(c->out, "%s\"%s\":%s", c->any ? "," : "", name, there ? "true" : "false");
    c->any = true;
}

static void api_category(struct category *c, const struct service *service)
{
    feature(c, "admin", false);
    feature(c, "exclude_alerts", true);
    feature(c, "label_values_match", true);
    feature(c, "lifecycle", service->lifecycle);
    feature(c, "otlp_write_receiver", false);
    feature(c, "query_stats", true);
    feature(c, "query_warnings", true);
    feature(c, "remote_write_receiver", service->parts.intake != NULL);
    feature(c, "search", false);
    feature(c, "time_range_labels", true);
    feature(c, "time_range_series", true);
}

static void promql_category(struct category *c, const struct promql_features *f)
{
    feature(c, "anchored", f->extended_range_selectors);
    feature(c, "at_modifier", true);
    feature(c, "bool", true);
    feature(c, "by", true);
    feature(c, "delayed_name_removal", f->delayed_name_removal);
    feature(c, "duration_expr", f->duration_expressions);
    feature(c, "fill", f->binop_fill_modifiers);
    feature(c, "fill_left", f->binop_fill_modifiers);
    feature(c, "fill_right", f->binop_fill_modifiers);
    feature(c, "group_left", true);
    feature(c, "group_right", true);
    feature(c, "ignoring", true);
    feature(c, "negative_offset", true);
    feature(c, "offset", true);
    feature(c, "on", true);
    feature(c, "per_query_lookback_delta", true);
    feature(c, "per_step_stats", f->per_step_stats);
    feature(c, "smoothed", f->extended_range_selectors);
    feature(c, "subqueries", true);
    feature(c, "type_and_unit_labels", f->type_and_unit_labels);
    feature(c, "without", true);
}

static void functions_category(struct category *c, const struct promql_features *f)
{
#define FUNC(name, returns, variadic, experimental, ...) \
    feature(c, #name, !(experimental) || f->experimental_functions);
#include "tocsin/promql_func_table.h"
#undef FUNC
}

static void operators_category(struct category *c, const struct promql_features *f)
{
    for (int op = OP_ADD; op <= OP_UNLESS; op++)
        feature(c, promql_op_text((enum promql_op)op), true);
    for (int op = AGG_SUM; op <= AGG_LIMIT_RATIO; op++)
        feature(c, promql_aggregate_name((enum promql_aggregate)op),
                (op != AGG_LIMITK && op != AGG_LIMIT_RATIO) || f->experimental_functions);
}

static void rules_category(struct category *c, const struct promql_features *f)
{
    feature(c, "concurrent_rule_eval", f->concurrent_rule_eval);
    feature(c, "keep_firing_for", true);
    feature(c, "query_offset", true);
}

static void tsdb_category(struct category *c)
{
    feature(c, "exemplar_storage", true);
    feature(c, "native_histograms", true);
}

static struct category begin(struct buf *out, const char *name)
{
    buf_format(out, "%s\"%s\":{", out->bytes[out->used - 1] == '{' ? "" : "},", name);
    return (struct category){.out = out};
}

void api_features(struct request *request, struct answer *answer)
{
    const struct promql_features *f = request_features(request);
    struct buf *out = &answer->body;
    struct category c;
    prom_begin(answer);
    buf_char(out, '{');
    c = begin(out, "api");
    api_category(&c, request->service);
    c = begin(out, "promql");
    promql_category(&c, f);
    c = begin(out, "promql_functions");
    functions_category(&c, f);
    c = begin(out, "promql_operators");
    operators_category(&c, f);
    c = begin(out, "rules");
    rules_category(&c, f);
    c = begin(out, "tsdb");
    tsdb_category(&c);
    buf_puts(out, "}}");
    prom_end(answer);
}
