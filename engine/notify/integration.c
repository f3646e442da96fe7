#include "integration_priv.h"

#include "tocsin/check.h"
#include "tocsin/yaml_print.h"

static const struct integration_kind *kind_of_key(struct str key)
{
    size_t count;
    const struct integration_kind *const *kinds = integration_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        if (str_is(key, kinds[i]->key))
            return kinds[i];
    }
    return NULL;
}

const char *integration_name(const struct integration *integration)
{
    return integration->kind->name;
}

struct str integration_slashed(struct arena *arena, struct str url)
{
    if (url.n > 0 && url.p[url.n - 1] == '/')
        return url;
    return str_of(arena_format(arena, "%.*s/", STR_ARG(url)));
}

static struct integration *read_one(struct strict *s, const struct tree *node,
                                    const struct integration_kind *kind, size_t index)
{
    if (tree_is_null(node) && kind->missing != NULL) {
        strict_fail(s, node, "%s", kind->missing);
        return NULL;
    }
    struct integration *integration = arena_alloc(s->arena, kind->shape.size);
    if (integration == NULL)
        return NULL;
    *integration = (struct integration){.kind = kind, .index = index, .place = node};
    shape_read(s, node, &kind->shape, integration);
    return integration;
}

void integrations_read(struct strict *s, const struct tree *node, void *target)
{
    struct integrations *list = target;
    const struct integration_kind *kind = kind_of_key(node->key->text);
    if (tree_is_null(node))
        return;
    if (node->kind != TREE_LIST) {
        strict_mismatch(s, node, kind->shape.go_list);
        return;
    }
    struct integration **items = ARENA_ARRAY(s->arena, struct integration *, list->count + node->count);
    if (items == NULL)
        return;
    if (list->count > 0)
        memcpy(items, list->items, list->count * sizeof(struct integration *));
    list->items = items;
    size_t index = 0;
    for (const struct tree *child = node->first; child != NULL; child = child->next) {
        struct integration *integration = read_one(s, child, kind, index++);
        if (strict_stopped(s) || integration == NULL)
            return;
        items[list->count++] = integration;
    }
}

/* By kind, and within a kind as they were. */
static void sort(struct arena *arena, struct integrations *list)
{
    struct integration **sorted = ARENA_ARRAY(arena, struct integration *, list->count);
    size_t n = 0;
    for (size_t kind = 0; sorted != NULL && kind < integration_kind_count(); kind++) {
        for (size_t i = 0; i < list->count; i++) {
            if (integration_kind_of(list->items[i]) == kind)
                sorted[n++] = list->items[i];
        }
    }
    if (sorted != NULL)
        list->items = sorted;
}

static void check_one(const struct inheritance *in, struct integration *integration)
{
    /* It is the reader's own until the configuration is handed out. */
    struct http_config *own = (struct http_config *)(uintptr_t)integration->http;
    if (own != NULL)
        http_config_join(in->strict->arena, own, in->folder);
    if (integration->kind->inherit != NULL)
        integration->kind->inherit(in, integration);
    if (integration->http == NULL)
        integration->http = in->globals->http;
}

void integrations_check(struct strict *s, struct integrations *list, const struct am_globals *globals,
                        struct str folder)
{
    struct inheritance in = {s, globals, folder};
    sort(s->arena, list);
    for (size_t i = 0; i < list->count && !strict_stopped(s); i++)
        check_one(&in, list->items[i]);
}

static void print_kind(struct buf *out, const struct integrations *list, const char *key)
{
    bool begun = false;
    for (size_t i = 0; i < list->count; i++) {
        const struct integration *integration = list->items[i];
        if (strcmp(integration->kind->key, key) != 0)
            continue;
        if (!begun)
            buf_format(out, "  %s:\n", key);
        begun = true;
        size_t from = out->used;
        shape_print(out, 4, &integration->kind->shape, integration);
        yaml_dash(out, from, 2);
    }
}

void integrations_print(struct buf *out, const struct integrations *list)
{
    for (const char *const *key = integration_keys; *key != NULL; key++)
        print_kind(out, list, *key);
}

/* ---- templates ---- */

struct template_set *integration_functions(struct arena *arena)
{
    static const struct template_function *const tables[] = {template_alertmanager_functions,
                                                             template_outside_functions};
    return template_set_make(arena, tables, sizeof tables / sizeof *tables);
}

struct template_set *integration_templates(struct arena *arena)
{
    struct template_set *set = integration_functions(arena);
    int rc =
        set != NULL ? template_parse(set, STR("default.tmpl"), str_of(default_templates), NULL) : ERR_LIMIT;
    must(rc == 0 || arena_exhausted(arena));
    return rc == 0 ? set : NULL;
}
