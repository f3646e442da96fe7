#include "ruler_priv.h"

#include "tocsin/mem.h"
#include "tocsin/view.h"

/* ---- what a group's rules have in common ---- */

static bool is_name(const void *item, const void *key)
{
    return str_eq(*(const struct str *)item, *(const struct str *)key);
}

static void add_name(struct map *names, const struct str *name)
{
    uint64_t hash = hash_bytes(name->p, name->n);
    if (map_find(names, hash, is_name, name) == NULL)
        map_add(names, hash, (void *)(uintptr_t)name);
}

static bool is_written(void *context, struct str metric)
{
    return map_find(context, hash_bytes(metric.p, metric.n), is_name, &metric) != NULL;
}

/* Of the series that the rules write. */
static void find_names(const struct live_group *group, struct map *names)
{
    static const struct str alerts = {"ALERTS", sizeof "ALERTS" - 1};
    static const struct str since = {"ALERTS_FOR_STATE", sizeof "ALERTS_FOR_STATE" - 1};
    for (size_t i = 0; i < group->count; i++) {
        const struct rule *rule = group->rules[i].rule;
        if (rule->kind == RULE_RECORDING) {
            add_name(names, &rule->name);
        } else {
            add_name(names, &alerts);
            add_name(names, &since);
        }
    }
}

void group_shared_find(struct live_group *group)
{
    struct promql **queries = MEM_ARRAY(struct promql *, group->count + 1);
    struct map names;
    map_init(&names);
    find_names(group, &names);
    for (size_t i = 0; i < group->count; i++)
        queries[i] = group->rules[i].query;
    group->parts = promql_share(queries, group->count, is_written, &names);
    map_release(&names);
    mem_free(queries);
}

/* ---- while they are evaluated ---- */

void evaluation_open_view(struct evaluation *e)
{
    e->view = view_open(e->ruler->store);
    view_remember(e->view);
    e->shared = promql_shared_open(e->group->parts, evaluation_t_ms(e));
}

void evaluation_forget(struct evaluation *e)
{
    view_forget(e->view);
    promql_shared_forget(e->shared);
}

void evaluation_close_view(struct evaluation *e)
{
    promql_shared_close(e->shared);
    view_close(e->view);
}
