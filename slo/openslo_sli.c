/* OpenSLO's indicators: SLI objects, and the data sources that their queries are for. */
#include "openslo_priv.h"

#include <stddef.h>

/* ---- as it stands in the file ---- */

struct source {
    const struct tree *node;
    struct strict_scalar ref, type, query;
};

struct metric {
    const struct tree *node;
    struct source source;
};

struct sli {
    const struct tree *ratio;
    struct metric threshold;
    bool counter;
    struct metric good, bad, total, raw;
    struct strict_scalar raw_type;
};

static const struct strict_field query_fields[] = {
    {"query", strict_scalar, offsetof(struct source, query)},
    {NULL, NULL, 0},
};

static void read_query(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "v1.MetricSourceSpec of Prometheus, which has query", query_fields, target);
}

static const struct strict_field source_fields[] = {
    {"metricSourceRef", strict_scalar, offsetof(struct source, ref)},
    {"type", strict_scalar, offsetof(struct source, type)},
    {"spec", read_query, 0},
    {NULL, NULL, 0},
};

static void read_source(struct strict *s, const struct tree *node, void *target)
{
    struct source *source = target;
    source->node = node;
    strict_struct(s, node, "v1.MetricSource", source_fields, source);
}

static const struct strict_field metric_fields[] = {
    {"metricSource", read_source, offsetof(struct metric, source)},
    {NULL, NULL, 0},
};

static void read_metric(struct strict *s, const struct tree *node, void *target)
{
    struct metric *metric = target;
    metric->node = node;
    strict_struct(s, node, "v1.Metric", metric_fields, metric);
}

static const struct strict_field ratio_fields[] = {
    {"counter", strict_bool, offsetof(struct sli, counter)},
    {"good", read_metric, offsetof(struct sli, good)},
    {"bad", read_metric, offsetof(struct sli, bad)},
    {"total", read_metric, offsetof(struct sli, total)},
    {"raw", read_metric, offsetof(struct sli, raw)},
    {"rawType", strict_scalar, offsetof(struct sli, raw_type)},
    {NULL, NULL, 0},
};

static void read_ratio(struct strict *s, const struct tree *node, void *target)
{
    struct sli *sli = target;
    sli->ratio = node;
    strict_struct(s, node, "v1.RatioMetric", ratio_fields, sli);
}

static const struct strict_field sli_fields[] = {
    {"description", strict_skip, 0},
    {"thresholdMetric", read_metric, offsetof(struct sli, threshold)},
    {"ratioMetric", read_ratio, 0},
    {NULL, NULL, 0},
};

static bool read_sli(struct strict *s, const struct openslo_object *object, struct sli *sli)
{
    *sli = (struct sli){0};
    if (object->spec == NULL) {
        strict_fail(s, object->node, "the SLI %.*s has no spec", STR_ARG(object->name));
        return false;
    }
    if (!strict_struct(s, object->spec, "v1.SLISpec", sli_fields, sli))
        return false;
    if ((sli->ratio == NULL) == (sli->threshold.node == NULL))
        strict_fail(s, object->spec, "the SLI %.*s must have one of ratioMetric and thresholdMetric",
                    STR_ARG(object->name));
    return strict_sound(s);
}

void openslo_check_sli(struct strict *s, const struct openslo_object *object)
{
    struct sli sli;
    read_sli(s, object, &sli);
}

/* ---- data sources ---- */

static const struct strict_field data_source_fields[] = {
    {"description", strict_skip, 0},
    {"type", strict_scalar, 0},
    {"connectionDetails", strict_skip, 0},
    {NULL, NULL, 0},
};

void openslo_check_source(struct strict *s, const struct openslo_object *object)
{
    struct strict_scalar type = {0};
    if (object->spec != NULL)
        strict_struct(s, object->spec, "v1.DataSourceSpec", data_source_fields, &type);
}

static const struct openslo_object *source_named(const struct openslo_file *file, struct str name)
{
    for (size_t i = 0; i < file->count; i++)
        if (str_is(file->objects[i].kind, "DataSource") && str_eq(file->objects[i].name, name))
            return &file->objects[i];
    return NULL;
}

/* Queries are asked of our own samples, so all that matters is that they are PromQL. */
static void check_type(struct strict *s, const struct source *source)
{
    const struct openslo_object *found = source_named(s->context, source->ref.text);
    struct str type = source->type.text;
    if (source->ref.node != NULL && found != NULL)
        type = tree_get_text(found->spec, "type");
    if (type.n == 0)
        strict_fail(
            s, source->node,
            "metricSource must say `type: Prometheus`, or its metricSourceRef name a DataSource of this "
            "file that does");
    else if (!str_eq_nocase(type, STR("prometheus")))
        strict_unsupported(s, source->node,
                           "a metricSource of type %.*s is not supported: only Prometheus is", STR_ARG(type));
}

/* ---- queries ---- */

static struct str query_of(struct strict *s, const struct metric *metric)
{
    const struct source *source = &metric->source;
    if (source->node == NULL || source->query.node == NULL) {
        strict_fail(s, source->node != NULL ? source->node : metric->node,
                    "%.*s has no query: metricSource: {type: Prometheus, spec: {query: ...}}",
                    STR_ARG(metric->node->key->text));
        return STR("");
    }
    check_type(s, source);
    return str_trim(source->query.text);
}

static void fail(struct strict *s, const struct metric *metric, const struct err *why)
{
    strict_fail(s, metric->source.query.node, "%.*s: %s", STR_ARG(metric->node->key->text), why->text);
}

static void look(struct strict *s, const struct metric *metric, struct str query, struct slo_look *out)
{
    struct err why;
    *out = (struct slo_look){0};
    if (strict_sound(s) && slo_query_look(s->arena, query, out, &why) != 0)
        fail(s, metric, &why);
}

/* A counter without a window gets it from us. */
static struct str count_of(struct strict *s, const struct metric *metric, bool counter, struct objective *o,
                           struct slo_look *out)
{
    struct slo_selector selector;
    struct str query = query_of(s, metric);
    look(s, metric, query, out);
    if (!strict_sound(s) || out->uses_window) {
        o->indicator.exact = false;
        return query;
    }
    if (counter && slo_selector_parse(s->arena, query, &selector, NULL) == 0) {
        query = slo_sum(s->arena, &selector, "increase", o);
        look(s, metric, query, out);
        return query;
    }
    strict_fail(
        s, metric->source.query.node,
        "%.*s: OpenSLO does not say where the window stands: write {{.window}} for it, or a plain selector "
        "with `counter: true`",
        STR_ARG(metric->node->key->text));
    return query;
}

static void fit(struct strict *s, const struct metric *metric, struct objective *o,
                const struct slo_look *counted, const struct slo_look *total)
{
    struct err why;
    if (strict_sound(s) && objective_fit_grouping(o, counted, total, &why) != 0)
        fail(s, metric, &why);
}

static void take_events(struct strict *s, const struct sli *sli, struct objective *o)
{
    struct slo_look counted, total;
    const struct metric *metric = sli->good.node != NULL ? &sli->good : &sli->bad;
    o->indicator.kind = sli->good.node != NULL ? INDICATOR_GOOD : INDICATOR_BAD;
    o->indicator.exact = true;
    o->indicator.counted = count_of(s, metric, sli->counter, o, &counted);
    o->indicator.total = count_of(s, &sli->total, sli->counter, o, &total);
    fit(s, metric, o, &counted, &total);
}

/* The query ends its line, because it may end in a comment. */
static void take_raw(struct strict *s, const struct sli *sli, struct objective *o)
{
    struct slo_look counted;
    bool success = str_eq_nocase(sli->raw_type.text, STR("success"));
    if (!success && !str_eq_nocase(sli->raw_type.text, STR("failure")))
        strict_fail(s, sli->ratio, "raw needs a rawType, success or failure");
    o->indicator.kind = INDICATOR_RATIO;
    struct str query = query_of(s, &sli->raw);
    look(s, &sli->raw, query, &counted);
    if (strict_sound(s) && !counted.uses_window)
        strict_fail(s, sli->raw.source.query.node, "raw: write {{.window}} where the query's range stands");
    o->indicator.counted = success ? str_of(arena_format(s->arena, "1 - (%.*s\n)", STR_ARG(query))) : query;
    fit(s, &sli->raw, o, &counted, NULL);
}

static void take_ratio(struct strict *s, const struct sli *sli, struct objective *o)
{
    bool one = (sli->good.node == NULL) != (sli->bad.node == NULL);
    bool events = sli->good.node != NULL || sli->bad.node != NULL || sli->total.node != NULL;
    if (sli->raw.node != NULL && !events)
        take_raw(s, sli, o);
    else if (sli->raw.node == NULL && sli->raw_type.node == NULL && one && sli->total.node != NULL)
        take_events(s, sli, o);
    else
        strict_fail(s, sli->ratio,
                    "ratioMetric must be one of good and total, bad and total, raw and rawType");
}

static void take_threshold(struct strict *s, const struct sli *sli, struct objective *o)
{
    struct slo_look counted;
    o->indicator.kind = INDICATOR_THRESHOLD;
    o->indicator.counted = query_of(s, &sli->threshold);
    look(s, &sli->threshold, o->indicator.counted, &counted);
    fit(s, &sli->threshold, o, &counted, NULL);
}

void openslo_indicator(struct strict *s, const struct openslo_object *object, struct objective *o,
                       bool *threshold)
{
    struct sli sli;
    *threshold = false;
    if (!read_sli(s, object, &sli))
        return;
    *threshold = sli.threshold.node != NULL;
    (*threshold ? take_threshold : take_ratio)(s, &sli, o);
}
