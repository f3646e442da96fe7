/* OpenSLO v1: the objects of a file, and its SLOs. */
#include "openslo_priv.h"

#include <stddef.h>

/* ---- objects ---- */

void openslo_node(struct strict *s, const struct tree *node, void *target)
{
    (void)s;
    *(const struct tree **)target = tree_is_null(node) ? NULL : node;
}

/* OpenSLO lets a label have several values; a label of series has one. */
static void read_labels(struct strict *s, const struct tree *node, void *target)
{
    struct strict_pairs *pairs = target;
    if (tree_is_null(node))
        return;
    if (node->kind != TREE_MAP) {
        strict_mismatch(s, node, "map[string]string");
        return;
    }
    for (const struct tree *child = node->first; child != NULL && strict_keys(s, node); child = child->next) {
        struct str value = STR("");
        if (child->kind == TREE_LIST && child->count != 1)
            strict_unsupported(s, child,
                               "the label %.*s has several values, which labels of series cannot have",
                               STR_ARG(child->key->text));
        strict_text(s, child->kind == TREE_LIST && child->count == 1 ? child->first : child, &value);
        slo_pairs_put(s->arena, pairs, child->key->text, value);
    }
}

static const struct strict_field metadata_fields[] = {
    {"name", strict_text, offsetof(struct openslo_object, name)},
    {"displayName", strict_text, offsetof(struct openslo_object, display_name)},
    {"labels", read_labels, offsetof(struct openslo_object, labels)},
    {"annotations", strict_pairs, offsetof(struct openslo_object, annotations)},
    {NULL, NULL, 0},
};

static void read_metadata(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "v1.Metadata", metadata_fields, target);
}

static const struct strict_field object_fields[] = {
    {"apiVersion", strict_skip, 0},
    {"kind", strict_text, offsetof(struct openslo_object, kind)},
    {"metadata", read_metadata, 0},
    {"spec", openslo_node, offsetof(struct openslo_object, spec)},
    {NULL, NULL, 0},
};

/* RFC 1123: what can be the name of a host. */
static bool is_name(struct str s)
{
    enum { NAME_MAX_BYTES = 63 };
    for (size_t i = 0; i < s.n; i++) {
        bool inside = i > 0 && i + 1 < s.n;
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
              (s.p[i] == '-' && inside)))
            return false;
    }
    return s.n > 0 && s.n <= NAME_MAX_BYTES;
}

bool openslo_object_read(struct strict *s, const struct tree *node, struct openslo_object *out)
{
    *out = (struct openslo_object){.node = node};
    if (!strict_struct(s, node, "v1.Object", object_fields, out))
        return false;
    if (!is_name(out->name))
        strict_fail(
            s, node,
            "metadata.name \"%.*s\" must be up to 63 small letters, digits and '-', and begin and end with "
            "a letter or digit",
            STR_ARG(out->name));
    return strict_sound(s);
}

static const struct openslo_object *object_named(const struct openslo_file *file, struct str kind,
                                                 struct str name)
{
    for (size_t i = 0; i < file->count; i++)
        if (str_eq(file->objects[i].kind, kind) && str_eq(file->objects[i].name, name))
            return &file->objects[i];
    return NULL;
}

static bool find_by_name(struct strict *s, const struct tree *node, const char *kind,
                         struct openslo_object *out)
{
    const struct openslo_object *found = object_named(s->context, str_of(kind), node->text);
    if (found == NULL)
        strict_fail(s, node, "there is no %s named \"%.*s\" in this file", kind, STR_ARG(node->text));
    else
        *out = *found;
    return found != NULL;
}

bool openslo_find(struct strict *s, const struct tree *node, const char *kind, const char *ref,
                  struct openslo_object *out)
{
    const struct tree *name = node->kind == TREE_SCALAR ? node : tree_get(node, ref);
    if (name != NULL && node->kind == TREE_MAP && node->count != 1)
        strict_fail(s, node, "%s stands alone: what it names is elsewhere", ref);
    else if (name != NULL)
        return find_by_name(s, name, kind, out);
    else if (openslo_object_read(s, node, out) && out->kind.n > 0 && !str_is(out->kind, kind))
        strict_fail(s, node, "here must be a %s, not a %.*s", kind, STR_ARG(out->kind));
    return strict_sound(s);
}

/* ---- SLOs, as they stand in the file ---- */

struct os_slo {
    struct str description;
    struct strict_scalar service, budgeting;
    const struct tree *indicator, *indicator_ref, *window, *objectives, *policies;
};

struct os_objective {
    const struct tree *node, *indicator, *indicator_ref;
    struct str display_name;
    struct strict_scalar op, value, target, target_percent, slice_target, slice_window, weight;
};

static const struct strict_field slo_fields[] = {
    {"description", strict_text, offsetof(struct os_slo, description)},
    {"service", strict_scalar, offsetof(struct os_slo, service)},
    {"indicator", openslo_node, offsetof(struct os_slo, indicator)},
    {"indicatorRef", openslo_node, offsetof(struct os_slo, indicator_ref)},
    {"timeWindow", openslo_node, offsetof(struct os_slo, window)},
    {"budgetingMethod", strict_scalar, offsetof(struct os_slo, budgeting)},
    {"objectives", openslo_node, offsetof(struct os_slo, objectives)},
    {"alertPolicies", openslo_node, offsetof(struct os_slo, policies)},
    {NULL, NULL, 0},
};

static const struct strict_field objective_fields[] = {
    {"displayName", strict_text, offsetof(struct os_objective, display_name)},
    {"op", strict_scalar, offsetof(struct os_objective, op)},
    {"value", strict_scalar, offsetof(struct os_objective, value)},
    {"target", strict_scalar, offsetof(struct os_objective, target)},
    {"targetPercent", strict_scalar, offsetof(struct os_objective, target_percent)},
    {"timeSliceTarget", strict_scalar, offsetof(struct os_objective, slice_target)},
    {"timeSliceWindow", strict_scalar, offsetof(struct os_objective, slice_window)},
    {"indicator", openslo_node, offsetof(struct os_objective, indicator)},
    {"indicatorRef", openslo_node, offsetof(struct os_objective, indicator_ref)},
    {"compositeWeight", strict_scalar, offsetof(struct os_objective, weight)},
    {NULL, NULL, 0},
};

/* ---- what is counted ---- */

static bool find_indicator(struct strict *s, const struct tree *node, const struct os_slo *slo,
                           const struct os_objective *in, struct openslo_object *out)
{
    const struct tree *inline_one = in->indicator != NULL ? in->indicator : slo->indicator;
    const struct tree *ref = in->indicator_ref != NULL ? in->indicator_ref : slo->indicator_ref;
    bool of_objective = in->indicator != NULL || in->indicator_ref != NULL;
    bool of_slo = slo->indicator != NULL || slo->indicator_ref != NULL;
    if (of_objective && of_slo)
        strict_fail(s, in->node, "the indicator is told by the SLO and by this objective: leave one out");
    else if ((inline_one == NULL) == (ref == NULL))
        strict_fail(s, node, "there must be one of indicator and indicatorRef");
    else
        return openslo_find(s, inline_one != NULL ? inline_one : ref, "SLI", "indicatorRef", out);
    return false;
}

static void take_comparison(struct strict *s, const struct os_objective *in, struct objective *o)
{
    static const char *const ops[] = {[COMPARE_LESS] = "lt",
                                      [COMPARE_LESS_EQUAL] = "lte",
                                      [COMPARE_GREATER] = "gt",
                                      [COMPARE_GREATER_EQUAL] = "gte"};
    bool known = false;
    for (size_t i = 0; i < sizeof ops / sizeof *ops && !known; i++) {
        known = str_is(in->op.text, ops[i]);
        o->indicator.compare = (enum indicator_compare)i;
    }
    if (!known)
        strict_fail(s, in->node, "an objective of a thresholdMetric needs op: lt, lte, gt or gte");
    else if (in->value.node == NULL || tree_f64(in->value.node, &o->indicator.threshold) != 0 ||
             o->indicator.threshold != o->indicator.threshold)
        strict_fail(s, in->node, "an objective of a thresholdMetric needs value, a number");
}

static void take_indicator(struct strict *s, const struct tree *node, const struct os_slo *slo,
                           const struct os_objective *in, struct objective *o)
{
    struct openslo_object sli;
    bool threshold;
    if (!find_indicator(s, node, slo, in, &sli))
        return;
    openslo_indicator(s, &sli, o, &threshold);
    if (threshold && slo->objectives->count > 1)
        strict_fail(s, slo->objectives, "an SLO of a thresholdMetric must have one objective");
    else if (threshold)
        take_comparison(s, in, o);
    else if (in->op.node != NULL || in->value.node != NULL)
        strict_fail(s, in->node,
                    "op and value belong to a thresholdMetric, and this objective has a ratioMetric");
}

/* ---- how the budget is spent ---- */

static void take_fraction(struct strict *s, const struct strict_scalar *in, const char *name,
                          struct fraction *out)
{
    struct err why;
    if (in->node != NULL && strict_sound(s) && fraction_parse(in->text, out, &why) != 0)
        strict_fail(s, in->node, "%s: %s", name, why.text);
}

static void take_target(struct strict *s, const struct os_objective *in, struct objective *o)
{
    struct err why;
    if ((in->target.node == NULL) == (in->target_percent.node == NULL))
        strict_fail(s, in->node, "an objective needs one of target (0.999) and targetPercent (99.9)");
    else if (in->target_percent.node != NULL &&
             objective_percent(in->target_percent.text, &o->target, &why) != 0)
        strict_stop(s, in->target_percent.node, &why);
    take_fraction(s, &in->target, "target", &o->target);
}

/* A bare number is one of minutes. */
static void take_slice(struct strict *s, const struct strict_scalar *in, struct objective *o)
{
    enum { MINUTE_MS = 60 * 1000, MINUTES_MAX = 24 * 60 };
    struct openslo_duration duration = {0};
    int64_t minutes;
    if (in->node == NULL)
        return;
    if (tree_i64(in->node, &minutes) == 0 && minutes > 0 && minutes <= MINUTES_MAX)
        duration.ms = minutes * MINUTE_MS;
    else
        openslo_duration(s, in->node, &duration);
    o->slice_ms = duration.ms;
}

/* Of a threshold there is one value in a slice, for which each timeSliceTarget means the same. */
static void take_slices(struct strict *s, const struct os_objective *in, struct objective *o)
{
    bool threshold = o->indicator.kind == INDICATOR_THRESHOLD;
    if (o->budgeting == BUDGET_EVENTS && in->slice_window.node != NULL)
        strict_fail(s, in->slice_window.node, "timeSliceWindow belongs to Timeslices and RatioTimeslices");
    else if (o->budgeting != BUDGET_SLICES && in->slice_target.node != NULL)
        strict_fail(s, in->slice_target.node, "timeSliceTarget belongs to Timeslices");
    take_slice(s, &in->slice_window, o);
    take_fraction(s, &in->slice_target, "timeSliceTarget", &o->slice_target);
    if (!threshold)
        return;
    o->slice_target = (struct fraction){0};
    o->budgeting = o->budgeting == BUDGET_EVENTS ? BUDGET_SLICES : o->budgeting;
}

static void take_budgeting(struct strict *s, const struct tree *node, const struct os_slo *slo,
                           const struct os_objective *in, struct objective *o)
{
    static const char *const methods[] = {
        [BUDGET_EVENTS] = "Occurrences", [BUDGET_SLICES] = "Timeslices", [BUDGET_RATIOS] = "RatioTimeslices"};
    bool known = false;
    for (size_t i = 0; i < sizeof methods / sizeof *methods && !known; i++) {
        known = str_eq_nocase(slo->budgeting.text, str_of(methods[i]));
        o->budgeting = (enum budgeting)i;
    }
    if (known)
        take_slices(s, in, o);
    else
        strict_fail(s, slo->budgeting.node != NULL ? slo->budgeting.node : node,
                    "budgetingMethod must be Occurrences, Timeslices or RatioTimeslices");
    if (in->weight.node != NULL && !str_is(in->weight.text, "1"))
        strict_unsupported(s, in->weight.node,
                           "compositeWeight is not supported: each objective is kept by itself");
}

/* ---- one objective ---- */

/* "web", or "web-fast" for the display name "Fast" where there are several. */
static struct str name_of(struct arena *arena, const struct openslo_object *object,
                          const struct os_objective *in, size_t i, size_t count)
{
    if (count == 1)
        return object->name;
    if (in->display_name.n == 0)
        return str_of(arena_format(arena, "%.*s-%zu", STR_ARG(object->name), i + 1));
    char *name = arena_format(arena, "%.*s-%.*s", STR_ARG(object->name), STR_ARG(in->display_name));
    for (size_t at = 0; name != NULL && name[at] != '\0'; at++) {
        char c = name[at];
        if (c >= 'A' && c <= 'Z')
            name[at] = (char)(c - 'A' + 'a');
        else if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.')
            name[at] = '-';
    }
    return str_of(name);
}

static struct str describe(const struct openslo_object *object, const struct os_slo *slo,
                           const struct os_objective *in)
{
    const struct str texts[] = {slo->description, in->display_name, object->display_name};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].n > 0)
            return texts[i];
    return STR("");
}

static void take_objective(struct strict *s, const struct openslo_object *object, const struct os_slo *slo,
                           const struct os_objective *in, struct objective *o)
{
    o->line = slo->objectives->count > 1 ? in->node->line : object->node->line;
    o->description = describe(object, slo, in);
    o->labels = object->labels;
    o->annotations = object->annotations;
    openslo_window(s, slo->window, o);
    take_target(s, in, o);
    take_indicator(s, object->spec, slo, in, o);
    if (strict_sound(s))
        take_budgeting(s, object->spec, slo, in, o);
    if (strict_sound(s))
        openslo_policies(s, slo->policies, o);
}

static void take_objectives(struct strict *s, const struct openslo_object *object, const struct os_slo *slo,
                            struct str file)
{
    struct openslo_file *of = s->context;
    size_t i = 0;
    for (const struct tree *node = slo->objectives->first; node != NULL && strict_sound(s);
         node = node->next) {
        struct os_objective in = {.node = node};
        struct objective *o = objective_add(of->set, file);
        if (o == NULL || !strict_struct(s, node, "v1.Objective", objective_fields, &in))
            return;
        objective_name(s->arena, o, slo->service.text,
                       name_of(s->arena, object, &in, i++, slo->objectives->count));
        take_objective(s, object, slo, &in, o);
    }
}

static void take_slo(struct strict *s, const struct openslo_object *object, struct str file)
{
    struct os_slo slo = {0};
    if (object->spec == NULL)
        strict_fail(s, object->node, "the SLO %.*s has no spec", STR_ARG(object->name));
    else if (!strict_struct(s, object->spec, "v1.SLOSpec", slo_fields, &slo))
        return;
    else if (slo.service.text.n == 0)
        strict_fail(s, object->spec, "the SLO %.*s has no service", STR_ARG(object->name));
    else if (slo.objectives == NULL || slo.objectives->kind != TREE_LIST || slo.objectives->count == 0)
        strict_fail(s, object->spec, "the SLO %.*s needs a list of objectives", STR_ARG(object->name));
    else
        take_objectives(s, object, &slo, file);
}

/* ---- files ---- */

static const struct strict_field service_fields[] = {{"description", strict_skip, 0}, {NULL, NULL, 0}};

static void check_service(struct strict *s, const struct openslo_object *object)
{
    int nothing;
    if (object->spec != NULL)
        strict_struct(s, object->spec, "v1.ServiceSpec", service_fields, &nothing);
}

static void check_nothing(struct strict *s, const struct openslo_object *object)
{
    (void)s;
    (void)object;
}

/* SLOs are looked at when they are taken. */
static const struct kind {
    const char *name;
    void (*check)(struct strict *s, const struct openslo_object *object);
} kinds[] = {
    {"SLO", check_nothing},
    {"SLI", openslo_check_sli},
    {"Service", check_service},
    {"DataSource", openslo_check_source},
    {"AlertPolicy", openslo_check_policy},
    {"AlertCondition", openslo_check_condition},
    {"AlertNotificationTarget", openslo_check_target},
};

static void check_object(struct strict *s, const struct openslo_object *object)
{
    const struct openslo_object *first = object_named(s->context, object->kind, object->name);
    if (first != object)
        strict_fail(s, object->node, "the %.*s %.*s is there twice; the first one begins in line %d",
                    STR_ARG(object->kind), STR_ARG(object->name), first->node->line);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!str_is(object->kind, kinds[i].name))
            continue;
        kinds[i].check(s, object);
        return;
    }
    strict_fail(s, object->node, "OpenSLO has no kind \"%.*s\"", STR_ARG(object->kind));
}

static void read_objects(struct strict *s, const struct tree_documents *roots, struct openslo_file *file)
{
    file->objects = ARENA_ARRAY(s->arena, struct openslo_object, roots->count);
    for (size_t i = 0; i < roots->count && strict_sound(s); i++)
        if (objective_is_openslo(roots->items[i]))
            openslo_object_read(s, roots->items[i], &file->objects[file->count++]);
    for (size_t i = 0; i < file->count && strict_sound(s); i++)
        check_object(s, &file->objects[i]);
}

int objective_read_openslo(struct objective_set *set, const struct tree_documents *roots, struct str file,
                           struct err *err)
{
    struct strict s;
    struct openslo_file of = {.set = set};
    size_t before = set->count;
    strict_init(&s, &set->arena);
    s.context = &of;
    read_objects(&s, roots, &of);
    for (size_t i = 0; i < of.count && strict_sound(&s); i++)
        if (str_is(of.objects[i].kind, "SLO"))
            take_slo(&s, &of.objects[i], file);
    int rc = strict_result(&s, err);
    strict_release(&s);
    for (size_t i = before; i < set->count && rc == 0; i++)
        rc = objective_check(&set->items[i], err);
    return rc;
}
