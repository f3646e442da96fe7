/* Pyrra's objects: `apiVersion: pyrra.dev/v1alpha1`, `kind: ServiceLevelObjective`. */
#include "pyrra_priv.h"

#include "tocsin/duration.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"

#include <stddef.h>
#include <stdlib.h>

/* As it stands in the file. */
struct raw_indicator {
    const struct tree *node; /* NULL: not there */
    struct strict_scalar total, counted, latency;
    struct strict_texts grouping;
};

struct raw_objective {
    struct pyrra_objective o;
    struct raw_indicator indicators[PYRRA_BOOL_GAUGE + 1]; /* by kind */
    struct strict_scalar target, window;
    bool disabled, burn_rates, absent;
};

/* ---- indicators ---- */

static const struct strict_field metric_fields[] = {{"metric", strict_scalar, 0}, {NULL, NULL, 0}};

static void read_metric(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "v1alpha1.Query", metric_fields, target);
}

static const struct strict_field ratio_fields[] = {
    {"errors", read_metric, offsetof(struct raw_indicator, counted)},
    {"total", read_metric, offsetof(struct raw_indicator, total)},
    {"grouping", strict_texts, offsetof(struct raw_indicator, grouping)},
    {NULL, NULL, 0},
};
static const struct strict_field latency_fields[] = {
    {"success", read_metric, offsetof(struct raw_indicator, counted)},
    {"total", read_metric, offsetof(struct raw_indicator, total)},
    {"grouping", strict_texts, offsetof(struct raw_indicator, grouping)},
    {NULL, NULL, 0},
};
static const struct strict_field native_fields[] = {
    {"total", read_metric, offsetof(struct raw_indicator, total)},
    {"latency", strict_scalar, offsetof(struct raw_indicator, latency)},
    {"grouping", strict_texts, offsetof(struct raw_indicator, grouping)},
    {NULL, NULL, 0},
};
static const struct strict_field gauge_fields[] = {
    {"metric", strict_scalar, offsetof(struct raw_indicator, total)},
    {"grouping", strict_texts, offsetof(struct raw_indicator, grouping)},
    {NULL, NULL, 0},
};

static void read_one(struct strict *s, const struct tree *node, const char *type,
                     const struct strict_field *fields, struct raw_indicator *out)
{
    if (tree_is_null(node))
        return;
    out->node = node;
    strict_struct(s, node, type, fields, out);
}

static void read_ratio(struct strict *s, const struct tree *node, void *target)
{
    read_one(s, node, "v1alpha1.RatioIndicator", ratio_fields, target);
}

static void read_latency(struct strict *s, const struct tree *node, void *target)
{
    read_one(s, node, "v1alpha1.LatencyIndicator", latency_fields, target);
}

static void read_native(struct strict *s, const struct tree *node, void *target)
{
    read_one(s, node, "v1alpha1.NativeLatencyIndicator", native_fields, target);
}

static void read_gauge(struct strict *s, const struct tree *node, void *target)
{
    read_one(s, node, "v1alpha1.BoolGaugeIndicator", gauge_fields, target);
}

#define INDICATOR(kind) offsetof(struct raw_objective, indicators[kind])

static const struct strict_field indicator_fields[] = {
    {"ratio", read_ratio, INDICATOR(PYRRA_RATIO)},
    {"latency", read_latency, INDICATOR(PYRRA_LATENCY)},
    {"latencyNative", read_native, INDICATOR(PYRRA_LATENCY_NATIVE)},
    {"bool_gauge", read_gauge, INDICATOR(PYRRA_BOOL_GAUGE)},
    {NULL, NULL, 0},
};

static void read_indicator(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "v1alpha1.ServiceLevelIndicator", indicator_fields, target);
}

/* ---- alerting ---- */

/* Null is as good as not there, and then the default holds. */
static void read_flag(struct strict *s, const struct tree *node, void *target)
{
    if (!tree_is_null(node))
        strict_bool(s, node, target);
}

static void read_name(struct strict *s, const struct tree *node, void *target)
{
    struct str name = STR("");
    strict_text(s, node, &name);
    if (name.n > 0)
        *(struct str *)target = name;
}

static const struct strict_field severity_fields[] = {
    {"absent", read_name, offsetof(struct pyrra_objective, absent_severity)},
    {"fastBurn", read_name, offsetof(struct pyrra_objective, severities[0])},
    {"mediumBurn", read_name, offsetof(struct pyrra_objective, severities[1])},
    {"slowBurn", read_name, offsetof(struct pyrra_objective, severities[2])},
    {"longTermBurn", read_name, offsetof(struct pyrra_objective, severities[3])},
    {NULL, NULL, 0},
};

static void read_severities(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "v1alpha1.AlertingSeverities", severity_fields, target);
}

static const struct strict_field alerting_fields[] = {
    {"disabled", read_flag, offsetof(struct raw_objective, disabled)},
    {"burnrates", read_flag, offsetof(struct raw_objective, burn_rates)},
    {"absent", read_flag, offsetof(struct raw_objective, absent)},
    {"name", read_name, offsetof(struct raw_objective, o.alert_name)},
    {"absentName", read_name, offsetof(struct raw_objective, o.absent_name)},
    {"severities", read_severities, offsetof(struct raw_objective, o)},
    {NULL, NULL, 0},
};

static void read_alerting(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "v1alpha1.Alerting", alerting_fields, target);
}

/* ---- the object ---- */

static const struct strict_field output_fields[] = {
    {"shortRulesLabels", strict_pairs, offsetof(struct pyrra_objective, short_labels)},
    {"longRulesLabels", strict_pairs, offsetof(struct pyrra_objective, long_labels)},
    {"enableDescriptionAsLabel", strict_bool, offsetof(struct pyrra_objective, description_as_label)},
    {NULL, NULL, 0},
};

static void read_output(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "v1alpha1.RuleOutput", output_fields, target);
}

static const struct strict_field spec_fields[] = {
    {"description", strict_text, offsetof(struct raw_objective, o.description)},
    {"target", strict_scalar, offsetof(struct raw_objective, target)},
    {"window", strict_scalar, offsetof(struct raw_objective, window)},
    {"indicator", read_indicator, 0},
    {"alerting", read_alerting, 0},
    {"partial_response_strategy", strict_text, offsetof(struct raw_objective, o.partial_response)},
    {"performanceOverAccuracy", strict_bool, offsetof(struct raw_objective, o.performance_over_accuracy)},
    {"ruleOutput", read_output, offsetof(struct raw_objective, o)},
    {NULL, NULL, 0},
};

static void read_spec(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "v1alpha1.ServiceLevelObjectiveSpec", spec_fields, target);
}

/* What Kubernetes writes into an object that was exported says nothing to us. */
static const struct strict_field metadata_fields[] = {
    {"name", strict_text, offsetof(struct pyrra_objective, name)},
    {"namespace", strict_text, offsetof(struct pyrra_objective, namespace)},
    {"labels", strict_pairs, offsetof(struct pyrra_objective, labels)},
    {"annotations", strict_pairs, offsetof(struct pyrra_objective, annotations)},
    {"creationTimestamp", strict_skip, 0},
    {"deletionGracePeriodSeconds", strict_skip, 0},
    {"deletionTimestamp", strict_skip, 0},
    {"finalizers", strict_skip, 0},
    {"generateName", strict_skip, 0},
    {"generation", strict_skip, 0},
    {"managedFields", strict_skip, 0},
    {"ownerReferences", strict_skip, 0},
    {"resourceVersion", strict_skip, 0},
    {"selfLink", strict_skip, 0},
    {"uid", strict_skip, 0},
    {NULL, NULL, 0},
};

static void read_metadata(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "v1.ObjectMeta", metadata_fields, target);
}

static const struct strict_field object_fields[] = {
    {"apiVersion", strict_skip, 0},
    {"kind", strict_skip, 0},
    {"metadata", read_metadata, offsetof(struct raw_objective, o)},
    {"spec", read_spec, 0},
    {"status", strict_skip, 0},
    {NULL, NULL, 0},
};

bool pyrra_is_objective(const struct tree *root)
{
    return str_is(tree_get_text(root, "kind"), "ServiceLevelObjective") &&
           str_is(tree_get_text(root, "apiVersion"), "pyrra.dev/v1alpha1");
}

/* ---- into the form of pyrra.h ---- */

/* Those under pyrra.dev/, which Pyrra hands on to its rules. */
static struct strict_pairs handed_on(struct arena *arena, struct strict_pairs given)
{
    struct strict_pairs out = {NULL, 0};
    struct str prefix = STR("pyrra.dev/");
    for (size_t i = 0; i < given.count; i++) {
        struct str name = given.items[i].name;
        if (str_starts(name, prefix))
            slo_pairs_put(arena, &out, (struct str){name.p + prefix.n, name.n - prefix.n},
                          given.items[i].value);
    }
    return out;
}

static struct raw_objective defaults(const struct tree *root)
{
    return (struct raw_objective){
        .o = {.alert_name = STR("ErrorBudgetBurn"),
              .absent_name = STR("SLOMetricAbsent"),
              .severities = {STR("critical"), STR("critical"), STR("warning"), STR("warning")},
              .absent_severity = STR("critical"),
              .line = root->line},
        .burn_rates = true,
        .absent = true,
    };
}

/* A place to complain about: the field, or else the whole. */
static int wrong(const struct raw_objective *raw, const struct tree *node, struct err *err, const char *what)
{
    return err_at(err, ERR_PARSE, node != NULL ? node->line : raw->o.line, 0, "SLO \"%.*s\": %s",
                  STR_ARG(raw->o.name), what);
}

static int take_target(struct arena *arena, struct raw_objective *raw, struct err *err)
{
    struct fraction exact, hundredth = {1, 100};
    struct str text = str_copy(arena, raw->target.text);
    if (text.p == NULL || fraction_parse(text, &exact, NULL) != 0 ||
        fraction_multiply(exact, hundredth, &exact) != 0 || exact.numerator <= 0 ||
        exact.numerator > exact.denominator)
        return wrong(raw, raw->target.node, err,
                     "target must be a number of percent, more than 0 and at most 100, such as \"99.9\"");
    raw->o.target_percent = text;
    raw->o.target = strtod(text.p, NULL) / 100;
    return 0;
}

static int take_window(struct arena *arena, struct raw_objective *raw, struct err *err)
{
    if (raw->window.text.n == 0)
        return wrong(raw, raw->window.node, err, "window is missing, such as 4w");
    if (duration_parse(raw->window.text, &raw->o.window_ms, NULL) != 0)
        return wrong(raw, raw->window.node, err, "window must be a duration, such as 4w");
    if (raw->o.window_ms > PYRRA_WINDOW_MAX_MS)
        return wrong(raw, raw->window.node, err, "window must be at most ten years");
    if (raw->o.window_ms < PYRRA_WINDOW_MIN_MS) {
        struct str least = pyrra_duration(arena, PYRRA_WINDOW_MIN_MS);
        return err_at(
            err, ERR_PARSE, raw->window.node->line, 0,
            "SLO \"%.*s\": with a window of %.*s the shortest range of its rules would be 0s; make it "
            "%.*s or more",
            STR_ARG(raw->o.name), STR_ARG(raw->window.text), STR_ARG(least));
    }
    return 0;
}

static int take_selector(struct arena *arena, const struct raw_objective *raw, const char *which,
                         const struct strict_scalar *from, struct pyrra_selector *out, struct err *err)
{
    struct err why;
    struct str text = str_copy(arena, from->text);
    if (text.p == NULL)
        return ERR_LIMIT; /* pyrra_read says of what */
    if (text.n == 0)
        return err_at(err, ERR_PARSE, raw->indicators[raw->o.kind].node->line, 0,
                      "SLO \"%.*s\": %s is missing", STR_ARG(raw->o.name), which);
    int rc = pyrra_selector_parse(arena, text, out, &why);
    if (rc != 0)
        err_at(err, rc, from->node->line, 0, "SLO \"%.*s\": %s: %s", STR_ARG(raw->o.name), which, why.text);
    return rc;
}

static int take_latency(struct raw_objective *raw, const struct raw_indicator *in, struct err *err)
{
    if (duration_parse(in->latency.text, &raw->o.latency_ms, NULL) != 0 || raw->o.latency_ms == 0)
        return wrong(raw, in->latency.node != NULL ? in->latency.node : in->node, err,
                     "latencyNative.latency must be a duration, such as 200ms");
    return 0;
}

static int take_metrics(struct arena *arena, struct raw_objective *raw, struct err *err)
{
    static const char *const names[][2] = {
        [PYRRA_RATIO] = {"ratio.total.metric", "ratio.errors.metric"},
        [PYRRA_LATENCY] = {"latency.total.metric", "latency.success.metric"},
        [PYRRA_LATENCY_NATIVE] = {"latencyNative.total.metric", NULL},
        [PYRRA_BOOL_GAUGE] = {"bool_gauge.metric", NULL},
    };
    const struct raw_indicator *in = &raw->indicators[raw->o.kind];
    const char *const *which = names[raw->o.kind];
    int rc = take_selector(arena, raw, which[0], &in->total, &raw->o.total, err);
    if (rc == 0 && which[1] != NULL)
        rc = take_selector(arena, raw, which[1], &in->counted, &raw->o.counted, err);
    return rc;
}

static int take_indicator(struct arena *arena, struct raw_objective *raw, struct err *err)
{
    size_t count = 0;
    for (size_t i = 0; i <= PYRRA_BOOL_GAUGE; i++) {
        if (raw->indicators[i].node != NULL) {
            raw->o.kind = (enum pyrra_indicator)i;
            count++;
        }
    }
    if (count != 1)
        return wrong(raw, NULL, err, "indicator must be one of ratio, latency, latencyNative and bool_gauge");
    raw->o.grouping = raw->indicators[raw->o.kind].grouping;
    int rc = take_metrics(arena, raw, err);
    if (rc == 0 && raw->o.kind == PYRRA_LATENCY_NATIVE)
        rc = take_latency(raw, &raw->indicators[raw->o.kind], err);
    return rc;
}

static int take_objective(struct arena *arena, struct raw_objective *raw, const struct tree *root,
                          struct err *err)
{
    raw->o.burn_alerts = raw->burn_rates && !raw->disabled;
    raw->o.absent_alerts = raw->absent;
    raw->o.rule_labels = handed_on(arena, raw->o.labels);
    raw->o.rule_annotations = handed_on(arena, raw->o.annotations);
    int rc = take_target(arena, raw, err);
    rc = rc == 0 ? take_window(arena, raw, err) : rc;
    rc = rc == 0 ? take_indicator(arena, raw, err) : rc;
    return rc == 0 ? pyrra_check(&raw->o, root, err) : rc;
}

int pyrra_read(struct arena *arena, const struct tree *root, struct pyrra_objective *out, struct err *err)
{
    struct strict s;
    if (!pyrra_is_objective(root))
        return err_at(err, ERR_PARSE, root->line, root->column,
                      "no objective of Pyrra's: there must be `apiVersion: pyrra.dev/v1alpha1` and "
                      "`kind: ServiceLevelObjective`");
    struct raw_objective raw = defaults(root);
    strict_init(&s, arena);
    strict_struct(&s, root, "v1alpha1.ServiceLevelObjective", object_fields, &raw);
    int rc = strict_result(&s, err);
    strict_release(&s);
    rc = rc == 0 ? take_objective(arena, &raw, root, err) : rc;
    if (arena_exhausted(arena))
        rc = err_set(err, ERR_LIMIT, "the file takes more memory than generation_arena_bytes allows");
    *out = raw.o;
    return rc;
}

/* ---- files ---- */

static int parse_documents(struct pyrra_file *file, struct str text, struct err *err)
{
    struct tree_documents roots = {0};
    struct str kept = str_copy(&file->arena, text);
    int rc = kept.p != NULL ? yaml_parse_documents(&file->arena, kept, true, &roots, err) : ERR_LIMIT;
    if (rc != 0)
        return rc;
    if (roots.count == 0)
        return err_set(err, ERR_PARSE, "the file is empty");
    file->objectives = ARENA_ARRAY(&file->arena, struct pyrra_objective, roots.count);
    if (file->objectives == NULL)
        return ERR_LIMIT;
    for (; file->count < roots.count && rc == 0; file->count++)
        rc = pyrra_read(&file->arena, roots.items[file->count], &file->objectives[file->count], err);
    return rc;
}

int pyrra_file_parse(struct str text, struct pyrra_file **out, struct err *err)
{
    struct pyrra_file *file = MEM_NEW(struct pyrra_file);
    arena_init(&file->arena, (size_t)limits.generation_arena_bytes);
    int rc = parse_documents(file, text, err);
    if (arena_exhausted(&file->arena))
        rc = err_set(err, ERR_LIMIT, "the file takes more memory than generation_arena_bytes allows");
    if (rc != 0) {
        pyrra_file_free(file);
        file = NULL;
    }
    *out = file;
    return rc;
}

void pyrra_file_free(struct pyrra_file *file)
{
    if (file == NULL)
        return;
    arena_release(&file->arena);
    mem_free(file);
}
