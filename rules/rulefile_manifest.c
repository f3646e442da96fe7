#include "rulefile_priv.h"

#include <stddef.h>

/* Rule files as Kubernetes holds them for Prometheus' operator: PrometheusRule objects, one or several documents, or lists
 * of them as `kubectl get prometheusrules -o yaml` writes. What else a rendered chart holds is passed over. */

struct reading_manifest {
    struct reading *r;
    struct raw_file *out;
    struct strict strict;
    const struct tree *foreign; /* the first object of another kind */
    bool failed;
};

bool rulefile_is_manifest(const struct tree *node)
{
    return tree_get_text(node, "apiVersion").n > 0 && tree_get_text(node, "kind").n > 0;
}

static const struct strict_field spec_fields[] = {
    {"groups", rulefile_read_groups, offsetof(struct raw_object, groups)},
    {NULL, NULL, 0},
};

static void read_spec(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "monitoringv1.PrometheusRuleSpec", spec_fields, target);
}

static const struct strict_field object_fields[] = {
    {"apiVersion", strict_skip, 0}, {"kind", strict_skip, 0},   {"metadata", strict_skip, 0},
    {"spec", read_spec, 0},         {"status", strict_skip, 0}, {NULL, NULL, 0},
};

static void read_rules_object(struct reading_manifest *m, const struct tree *node)
{
    struct raw_file *out = m->out;
    const struct tree *metadata = tree_get(node, "metadata");
    struct str name = tree_get_text(metadata, "name"), space = tree_get_text(metadata, "namespace");
    ARENA_GROW(m->r->scratch, out->objects, out->count, out->capacity);
    if (out->objects == NULL) {
        out->count = 0;
        return;
    }
    struct raw_object *object = &out->objects[out->count++];
    *object = (struct raw_object){0};
    if (name.n > 0)
        object->source = str_of(arena_format(&m->r->set->arena, "%.*s#%.*s%s%.*s", STR_ARG(m->r->file),
                                             STR_ARG(space), space.n > 0 ? "/" : "", STR_ARG(name)));
    else
        object->source = str_of(arena_format(&m->r->set->arena, "%.*s#%zu", STR_ARG(m->r->file), out->count));
    strict_struct(&m->strict, node, "monitoringv1.PrometheusRule", object_fields, object);
}

static void refuse(struct reading_manifest *m, const struct tree *node, const char *what)
{
    reading_error(m->r, "%d:%d: %s", node->line, node->column, what);
    m->failed = true;
}

static void read_object(struct reading_manifest *m, const struct tree *node, bool in_list);

static void read_list_object(struct reading_manifest *m, const struct tree *list, bool in_list)
{
    const struct tree *items = tree_get(list, "items");
    if (in_list || (!tree_is_null(items) && items->kind != TREE_LIST)) {
        refuse(m, in_list ? list : items, "a List holds objects, and no other List");
        return;
    }
    for (const struct tree *item = tree_is_null(items) ? NULL : items->first; item != NULL; item = item->next)
        read_object(m, item, true);
}

static void read_object(struct reading_manifest *m, const struct tree *node, bool in_list)
{
    if (!rulefile_is_manifest(node)) {
        refuse(m, node, "an object of a Kubernetes manifest must have apiVersion and kind");
        return;
    }
    struct str kind = tree_get_text(node, "kind");
    bool ours = str_starts(tree_get_text(node, "apiVersion"), STR("monitoring.coreos.com/"));
    if (ours && str_is(kind, "PrometheusRule"))
        read_rules_object(m, node);
    else if (str_is(kind, "List") || (ours && str_is(kind, "PrometheusRuleList")))
        read_list_object(m, node, in_list);
    else if (m->foreign == NULL)
        m->foreign = tree_get(node, "kind");
}

static void read_documents(struct reading_manifest *m, const struct tree_documents *documents)
{
    for (size_t i = 0; i < documents->count; i++)
        read_object(m, documents->items[i], false);
    if (m->out->count == 0 && m->foreign != NULL && !m->failed)
        refuse(m, m->foreign, "no PrometheusRule of monitoring.coreos.com in this manifest");
    if (m->out->count == 1)
        m->out->objects[0].source = m->r->file;
}

bool rulefile_decode_manifest(struct reading *r, struct str text, struct raw_file *out)
{
    struct reading_manifest m = {.r = r, .out = out};
    struct tree_documents documents;
    struct err err;
    if (yaml_parse_documents(r->scratch, text, true, &documents, &err) != 0) {
        reading_error(r, "%s", err.text);
        return false;
    }
    strict_init(&m.strict, r->scratch);
    m.strict.context = &m; /* a manifest's groups have a key more */
    m.strict.ignore_unknown = r->set->ignore_unknown_fields;
    read_documents(&m, &documents);
    bool sound = reading_is_sound(r, &m.strict);
    strict_release(&m.strict);
    return sound && !m.failed;
}
