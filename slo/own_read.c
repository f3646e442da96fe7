/* Tocsin's own form of objectives: `version: tocsin/v1`. */
#include "own_priv.h"

#include <stddef.h>

/* ---- tables ---- */

static bool knows(const struct strict_field *fields, struct str key)
{
    for (; fields->name != NULL; fields++)
        if (str_is(key, fields->name))
            return true;
    return false;
}

static bool knows_all(const struct strict_field *fields, const struct tree *node)
{
    for (const struct tree *child = node->first; child != NULL && node->kind == TREE_MAP; child = child->next)
        if (!knows(fields, child->key->text))
            return false;
    return true;
}

/* "tier, which has name, class, ..." */
static const char *with_keys(struct arena *arena, const char *name, const struct strict_field *fields)
{
    const char *text = arena_format(arena, "%s, which has", name);
    for (size_t i = 0; fields[i].name != NULL && text != NULL; i++)
        text = arena_format(arena, "%s%s %s", text, i > 0 ? "," : "", fields[i].name);
    return text != NULL ? text : name;
}

bool own_struct(struct strict *s, const struct tree *node, const char *name,
                const struct strict_field *fields, void *target)
{
    return strict_struct(s, node, knows_all(fields, node) ? name : with_keys(s->arena, name, fields), fields,
                         target);
}

void own_node(struct strict *s, const struct tree *node, void *target)
{
    (void)s;
    *(const struct tree **)target = tree_is_null(node) ? NULL : node;
}

void own_number(struct strict *s, const struct tree *node, void *target)
{
    struct own_number *number = target;
    struct err why;
    struct str text = STR("");
    if (tree_is_null(node))
        return;
    number->node = node;
    strict_text(s, node, &text);
    if (!strict_sound(s))
        return;
    if (fraction_parse(text, &number->value, &why) != 0)
        strict_stop(s, node, &why);
    else if (number->value.numerator < 0)
        strict_fail(s, node, "%.*s must not be negative", STR_ARG(node->key->text));
}

/* ---- as it stands in the file ---- */

/* What an objective has of its own, or of its document. */
struct owned {
    struct str owner, tier, runbook;
    struct strict_pairs labels;
};

struct own_slo {
    struct str name, description;
    struct owned owned;
    const struct tree *node; /* all of it */
    const struct tree *window, *by, *sli, *alerting, *guard, *policy, *maintenance;
    struct strict_scalar objective, slice_target, budgeting, compat;
    struct strict_duration slice;
};

struct own_document {
    struct str service;
    struct owned owned;
    struct strict_list slos; /* struct own_slo */
};

static const struct strict_field slo_fields[] = {
    {"name", strict_text, offsetof(struct own_slo, name)},
    {"description", strict_text, offsetof(struct own_slo, description)},
    {"objective", strict_scalar, offsetof(struct own_slo, objective)},
    {"window", own_node, offsetof(struct own_slo, window)},
    {"by", own_node, offsetof(struct own_slo, by)},
    {"sli", own_node, offsetof(struct own_slo, sli)},
    {"budgeting", strict_scalar, offsetof(struct own_slo, budgeting)},
    {"slice", strict_duration, offsetof(struct own_slo, slice)},
    {"slice_target", strict_scalar, offsetof(struct own_slo, slice_target)},
    {"alerting", own_node, offsetof(struct own_slo, alerting)},
    {"guard", own_node, offsetof(struct own_slo, guard)},
    {"policy", own_node, offsetof(struct own_slo, policy)},
    {"maintenance", own_node, offsetof(struct own_slo, maintenance)},
    {"compat", strict_scalar, offsetof(struct own_slo, compat)},
    {"labels", strict_pairs, offsetof(struct own_slo, owned.labels)},
    {"owner", strict_text, offsetof(struct own_slo, owned.owner)},
    {"tier", strict_text, offsetof(struct own_slo, owned.tier)},
    {"runbook", strict_text, offsetof(struct own_slo, owned.runbook)},
    {NULL, NULL, 0},
};

static void read_slo(struct strict *s, const struct tree *node, void *target)
{
    struct own_slo *slo = target;
    slo->node = node;
    own_struct(s, node, "slo", slo_fields, slo);
}

static void read_slos(struct strict *s, const struct tree *node, void *target)
{
    strict_list(s, node, "[]slo", sizeof(struct own_slo), read_slo, target);
}

static const struct strict_field document_fields[] = {
    {"version", strict_skip, 0},
    {"service", strict_text, offsetof(struct own_document, service)},
    {"labels", strict_pairs, offsetof(struct own_document, owned.labels)},
    {"owner", strict_text, offsetof(struct own_document, owned.owner)},
    {"tier", strict_text, offsetof(struct own_document, owned.tier)},
    {"runbook", strict_text, offsetof(struct own_document, owned.runbook)},
    {"slos", read_slos, offsetof(struct own_document, slos)},
    {NULL, NULL, 0},
};

/* ---- what it means ---- */

static struct str first_of(struct str own, struct str of_document)
{
    return own.n > 0 ? own : of_document;
}

static void take_percent(struct strict *s, const struct strict_scalar *in, const char *key,
                         struct fraction *out)
{
    struct err why;
    if (strict_sound(s) && objective_percent(in->text, out, &why) != 0)
        strict_fail(s, in->node, "%s: %s", key, why.text);
}

static void take_by(struct strict *s, const struct tree *node, struct objective *o)
{
    struct strict_texts by = {0};
    if (node == NULL)
        return;
    strict_texts(s, node, &by);
    o->by = by.items;
    o->by_count = slo_unique(by.items, by.count);
    for (size_t i = 0; i < o->by_count; i++)
        if (!label_name_is_valid(o->by[i]) || str_is(o->by[i], LABEL_METRIC_NAME) || str_is(o->by[i], "le"))
            strict_fail(s, node, "by: \"%.*s\" is no label that can tell groups apart", STR_ARG(o->by[i]));
}

/* What fits the indicator, unless the file says it. */
static enum budgeting budgeting_of(enum indicator_kind kind)
{
    switch (kind) {
    case INDICATOR_RATIO:
        return BUDGET_RATIOS;
    case INDICATOR_THRESHOLD:
        return BUDGET_SLICES;
    default:
        return BUDGET_EVENTS;
    }
}

static void take_budgeting(struct strict *s, const struct own_slo *in, struct objective *o)
{
    static const char *const names[] = {
        [BUDGET_EVENTS] = "events", [BUDGET_SLICES] = "slices", [BUDGET_RATIOS] = "ratios"};
    bool known = in->budgeting.node == NULL;
    o->budgeting = budgeting_of(o->indicator.kind);
    for (size_t i = 0; i < sizeof names / sizeof *names && !known; i++) {
        known = str_is(in->budgeting.text, names[i]);
        o->budgeting = (enum budgeting)i;
    }
    if (!known)
        strict_fail(s, in->budgeting.node, "budgeting must be events, slices or ratios, not \"%.*s\"",
                    STR_ARG(in->budgeting.text));
    if (in->slice.given)
        o->slice_ms = in->slice.ms;
    if (in->slice_target.node != NULL)
        take_percent(s, &in->slice_target, "slice_target", &o->slice_target);
}

static void take_compat(struct strict *s, const struct own_slo *in, struct objective *o)
{
    if (in->compat.node == NULL)
        return;
    if (str_is(in->compat.text, "sloth"))
        o->compat = COMPAT_SLOTH;
    else if (str_is(in->compat.text, "pyrra"))
        o->compat = COMPAT_PYRRA;
    else
        strict_fail(s, in->compat.node, "compat must be sloth or pyrra, not \"%.*s\"",
                    STR_ARG(in->compat.text));
}

static void take_texts(struct strict *s, const struct own_document *doc, const struct own_slo *in,
                       struct objective *o)
{
    objective_name(s->arena, o, doc->service, in->name);
    o->line = in->node->line;
    o->description = in->description;
    o->owner = first_of(in->owned.owner, doc->owned.owner);
    o->tier = first_of(in->owned.tier, doc->owned.tier);
    o->runbook = first_of(in->owned.runbook, doc->owned.runbook);
    o->labels = slo_pairs_over(s->arena, doc->owned.labels, in->owned.labels);
}

static void take_slo(struct strict *s, const struct own_document *doc, const struct own_slo *in,
                     struct objective *o)
{
    take_texts(s, doc, in, o);
    take_percent(s, &in->objective, "objective", &o->target);
    own_window(s, in->window, o);
    take_by(s, in->by, o);
    own_sli(s, in->sli, o);
    take_budgeting(s, in, o);
    take_compat(s, in, o);
    own_alerting(s, in->alerting, in->node, o);
    own_guard(s, in->guard, o);
    own_policy(s, in->policy, o);
    own_maintenance(s, in->maintenance, o);
}

/* Without a place of its own: the reader of keys has only those that are there. */
static const char *missing(const struct own_slo *in)
{
    if (in->name.n == 0)
        return "an slo needs a name";
    if (in->objective.node == NULL)
        return "an slo needs an objective in percent, such as `objective: 99.9`";
    return in->sli == NULL ? "an slo needs an sli, such as `sli: {bad: SELECTOR, total: SELECTOR}`" : NULL;
}

static void take_slos(struct strict *s, const struct own_document *doc, struct str file)
{
    const struct own_slo *slos = doc->slos.items;
    for (size_t i = 0; i < doc->slos.count && strict_sound(s); i++) {
        struct objective *o = objective_add(s->context, file);
        if (missing(&slos[i]) != NULL)
            strict_fail(s, slos[i].node, "%s", missing(&slos[i]));
        else if (o != NULL)
            take_slo(s, doc, &slos[i], o);
    }
}

static void read_document(struct strict *s, const struct tree *root, struct str file)
{
    struct own_document doc = {0};
    if (!own_struct(s, root, "document", document_fields, &doc))
        return;
    if (doc.service.n == 0)
        strict_fail(s, root, "the service is missing, as in `service: shop`");
    else if (doc.slos.count == 0)
        strict_fail(s, root, "there must be at least one slo, under slos");
    else
        take_slos(s, &doc, file);
}

int objective_read_own(struct objective_set *set, const struct tree *root, struct str file, struct err *err)
{
    struct strict s;
    size_t before = set->count;
    strict_init(&s, &set->arena);
    s.context = set;
    read_document(&s, root, file);
    int rc = strict_result(&s, err);
    strict_release(&s);
    for (size_t i = before; i < set->count && rc == 0; i++)
        rc = objective_check(&set->items[i], err);
    return rc;
}
