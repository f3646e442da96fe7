/* Sloth's files: `version: prometheus/v1`, and the same tree in another spelling below `spec` of a Kubernetes object. */
#include "slo_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"

#include <stddef.h>

/* As it stands in the file. */
struct raw_indicator {
    const struct tree *events, *raw;
    struct str error_query, total_query, ratio_query;
};

struct raw_slo {
    struct slo slo;
    struct raw_indicator indicator;
};

struct raw_document {
    struct str service;
    struct strict_pairs labels;
    struct strict_list slos; /* struct raw_slo */
};

/* How one of the two spells its keys. */
struct spelling {
    const struct strict_field *document, *slo, *indicator, *events, *raw, *alerting, *alert;
};

static const struct spelling *spelling_of(const struct strict *s)
{
    return s->context;
}

static void refuse_plugins(struct strict *s, const struct tree *node, void *target)
{
    (void)target;
    strict_unsupported(
        s, node,
        "plugins of Sloth are Go code, which Tocsin does not run; write what they make as a query, "
        "or take them out");
}

/* ---- indicators ---- */

static void read_events(struct strict *s, const struct tree *node, void *target)
{
    struct raw_indicator *in = target;
    in->events = node;
    strict_struct(s, node, "v1.SLIEvents", spelling_of(s)->events, in);
}

static void read_raw(struct strict *s, const struct tree *node, void *target)
{
    struct raw_indicator *in = target;
    in->raw = node;
    strict_struct(s, node, "v1.SLIRaw", spelling_of(s)->raw, in);
}

static void read_indicator(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "v1.SLI", spelling_of(s)->indicator, target);
}

static const struct strict_field indicator_fields[] = {
    {"events", read_events, 0}, {"raw", read_raw, 0}, {"plugin", refuse_plugins, 0}, {NULL, NULL, 0}};

static const struct strict_field file_events[] = {
    {"error_query", strict_text, offsetof(struct raw_indicator, error_query)},
    {"total_query", strict_text, offsetof(struct raw_indicator, total_query)},
    {NULL, NULL, 0},
};
static const struct strict_field file_raw[] = {
    {"error_ratio_query", strict_text, offsetof(struct raw_indicator, ratio_query)},
    {NULL, NULL, 0},
};
static const struct strict_field object_events[] = {
    {"errorQuery", strict_text, offsetof(struct raw_indicator, error_query)},
    {"totalQuery", strict_text, offsetof(struct raw_indicator, total_query)},
    {NULL, NULL, 0},
};
static const struct strict_field object_raw[] = {
    {"errorRatioQuery", strict_text, offsetof(struct raw_indicator, ratio_query)},
    {NULL, NULL, 0},
};

/* ---- alerts ---- */

static const struct strict_field alert_fields[] = {
    {"disable", strict_bool, offsetof(struct slo_alert, disabled)},
    {"labels", strict_pairs, offsetof(struct slo_alert, labels)},
    {"annotations", strict_pairs, offsetof(struct slo_alert, annotations)},
    {NULL, NULL, 0},
};

static void read_alert(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "v1.Alert", alert_fields, target);
}

static const struct strict_field file_alerting[] = {
    {"name", strict_text, offsetof(struct slo, alert_name)},
    {"labels", strict_pairs, offsetof(struct slo, alert_labels)},
    {"annotations", strict_pairs, offsetof(struct slo, alert_annotations)},
    {"page_alert", read_alert, offsetof(struct slo, page)},
    {"ticket_alert", read_alert, offsetof(struct slo, ticket)},
    {NULL, NULL, 0},
};
static const struct strict_field object_alerting[] = {
    {"name", strict_text, offsetof(struct slo, alert_name)},
    {"labels", strict_pairs, offsetof(struct slo, alert_labels)},
    {"annotations", strict_pairs, offsetof(struct slo, alert_annotations)},
    {"pageAlert", read_alert, offsetof(struct slo, page)},
    {"ticketAlert", read_alert, offsetof(struct slo, ticket)},
    {NULL, NULL, 0},
};

static void read_alerting(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "v1.Alerting", spelling_of(s)->alerting, target);
}

/* ---- objectives ---- */

static void read_target(struct strict *s, const struct tree *node, void *target)
{
    struct slo *slo = target;
    strict_f64(s, node, &slo->objective);
    slo->objective_text = node->text;
}

static const struct strict_field slo_fields[] = {
    {"name", strict_text, offsetof(struct raw_slo, slo.name)},
    {"description", strict_text, offsetof(struct raw_slo, slo.description)},
    {"objective", read_target, offsetof(struct raw_slo, slo)},
    {"labels", strict_pairs, offsetof(struct raw_slo, slo.labels)},
    {"plugins", refuse_plugins, 0},
    {"sli", read_indicator, offsetof(struct raw_slo, indicator)},
    {"alerting", read_alerting, offsetof(struct raw_slo, slo)},
    {NULL, NULL, 0},
};

static void take_indicator(struct strict *s, const struct tree *node, struct raw_slo *raw)
{
    const struct raw_indicator *in = &raw->indicator;
    if ((in->events == NULL) == (in->raw == NULL)) {
        strict_fail(s, node, "SLO \"%.*s\": its sli must be one of events and raw", STR_ARG(raw->slo.name));
        return;
    }
    raw->slo.indicator = in->events != NULL ? SLO_BAD_OF_TOTAL : SLO_ERROR_RATIO;
    raw->slo.error_query = in->events != NULL ? in->error_query : in->ratio_query;
    raw->slo.total_query = in->total_query;
}

static void read_slo(struct strict *s, const struct tree *node, void *target)
{
    struct raw_slo *raw = target;
    raw->slo.line = node->line;
    if (strict_struct(s, node, "v1.SLO", spelling_of(s)->slo, raw))
        take_indicator(s, node, raw);
}

static void read_slos(struct strict *s, const struct tree *node, void *target)
{
    strict_list(s, node, "[]v1.SLO", sizeof(struct raw_slo), read_slo, target);
}

/* ---- documents ---- */

static const struct strict_field file_document[] = {
    {"version", strict_skip, 0},
    {"service", strict_text, offsetof(struct raw_document, service)},
    {"labels", strict_pairs, offsetof(struct raw_document, labels)},
    {"slo_plugins", refuse_plugins, 0},
    {"slos", read_slos, offsetof(struct raw_document, slos)},
    {NULL, NULL, 0},
};
static const struct strict_field object_document[] = {
    {"service", strict_text, offsetof(struct raw_document, service)},
    {"labels", strict_pairs, offsetof(struct raw_document, labels)},
    {"sloPlugins", refuse_plugins, 0},
    {"slos", read_slos, offsetof(struct raw_document, slos)},
    {NULL, NULL, 0},
};

static void read_spec(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "v1.PrometheusServiceLevelSpec", spelling_of(s)->document, target);
}

static const struct strict_field object_fields[] = {
    {"apiVersion", strict_skip, 0}, {"kind", strict_skip, 0},   {"metadata", strict_skip, 0},
    {"spec", read_spec, 0},         {"status", strict_skip, 0}, {NULL, NULL, 0},
};

static const struct spelling file_spelling = {file_document, slo_fields,    indicator_fields, file_events,
                                              file_raw,      file_alerting, alert_fields};
static const struct spelling object_spelling = {
    object_document, slo_fields, indicator_fields, object_events, object_raw, object_alerting, alert_fields};

static bool is_object(const struct tree *root)
{
    return str_is(tree_get_text(root, "kind"), "PrometheusServiceLevel") &&
           str_starts(tree_get_text(root, "apiVersion"), STR("sloth.slok.dev/v1"));
}

static void read_document(struct strict *s, const struct tree *root, enum slo_format format,
                          struct raw_document *raw)
{
    if (format == SLO_SLOTH)
        strict_struct(s, root, "v1.Spec", file_document, raw);
    else
        strict_struct(s, root, "v1.PrometheusServiceLevel", object_fields, raw);
    if (strict_sound(s) && raw->slos.count == 0)
        strict_fail(s, root, "there must be at least one SLO (slos)");
}

/* ---- into the form of slo.h ---- */

static int take_slo(struct arena *arena, const struct raw_document *raw, const struct raw_slo *in,
                    struct slo *out, struct err *err)
{
    *out = in->slo;
    out->service = raw->service;
    out->id = str_of(arena_format(arena, "%.*s-%.*s", STR_ARG(raw->service), STR_ARG(in->slo.name)));
    out->labels = slo_pairs_over(arena, raw->labels, in->slo.labels);
    return slo_check(out, err);
}

static int take_document(struct arena *arena, const struct raw_document *raw, struct slo_document *out,
                         struct err *err)
{
    const struct raw_slo *in = raw->slos.items;
    int rc = 0;
    out->slos = ARENA_ARRAY(arena, struct slo, raw->slos.count);
    if (out->slos == NULL)
        return ERR_LIMIT;
    for (out->count = 0; out->count < raw->slos.count && rc == 0; out->count++)
        rc = take_slo(arena, raw, &in[out->count], &out->slos[out->count], err);
    return rc == 0 ? slo_check_ids(out, err) : rc;
}

int slo_document_read(struct arena *arena, const struct tree *root, struct slo_document *out, struct err *err)
{
    struct strict s;
    struct raw_document raw = {0};
    if (root->kind != TREE_MAP ||
        (!is_object(root) && !str_is(tree_get_text(root, "version"), "prometheus/v1")))
        return err_at(err, ERR_PARSE, root->line, root->column,
                      "no SLOs of a known form: there must be `version: prometheus/v1`, or `apiVersion: "
                      "sloth.slok.dev/v1` "
                      "with `kind: PrometheusServiceLevel`");
    out->format = is_object(root) ? SLO_SLOTH_KUBERNETES : SLO_SLOTH;
    out->metadata = out->format == SLO_SLOTH ? NULL : tree_get(root, "metadata");
    strict_init(&s, arena);
    s.context = (void *)(out->format == SLO_SLOTH ? &file_spelling : &object_spelling);
    read_document(&s, root, out->format, &raw);
    int rc = strict_result(&s, err);
    strict_release(&s);
    return rc == 0 ? take_document(arena, &raw, out, err) : rc;
}

static int parse_documents(struct slo_file *file, struct str text, struct err *err)
{
    struct tree_documents roots = {0};
    struct str kept = str_copy(&file->arena, text);
    int rc = kept.p != NULL ? yaml_parse_documents(&file->arena, kept, true, &roots, err) : ERR_LIMIT;
    if (rc != 0)
        return rc;
    if (roots.count == 0)
        return err_set(err, ERR_PARSE, "the file is empty");
    file->documents = ARENA_ARRAY(&file->arena, struct slo_document, roots.count);
    if (file->documents == NULL)
        return ERR_LIMIT;
    for (; file->count < roots.count && rc == 0; file->count++)
        rc = slo_document_read(&file->arena, roots.items[file->count], &file->documents[file->count], err);
    return rc;
}

int slo_file_parse(struct str text, struct slo_file **out, struct err *err)
{
    struct slo_file *file = MEM_NEW(struct slo_file);
    arena_init(&file->arena, (size_t)limits.generation_arena_bytes);
    int rc = parse_documents(file, text, err);
    if (arena_exhausted(&file->arena))
        rc = err_set(err, ERR_LIMIT, "the file takes more memory than generation_arena_bytes allows");
    if (rc != 0) {
        slo_file_free(file);
        file = NULL;
    }
    *out = file;
    return rc;
}

void slo_file_free(struct slo_file *file)
{
    if (file == NULL)
        return;
    arena_release(&file->arena);
    mem_free(file);
}
