#include "template_priv.h"

struct template_set *template_set_make(struct arena *arena, const struct template_function *const *tables,
                                       size_t table_count)
{
    struct template_set *set = ARENA_NEW(arena, struct template_set);
    if (set != NULL)
        *set = (struct template_set){.arena = arena, .tables = tables, .table_count = table_count};
    return set;
}

struct template_set *template_set_clone(struct arena *arena, const struct template_set *set)
{
    struct template_set *copy = ARENA_NEW(arena, struct template_set);
    if (copy == NULL)
        return NULL;
    *copy = *set;
    copy->arena = arena;
    copy->definitions = arena_copy(arena, set->definitions, set->count, sizeof *set->definitions);
    copy->capacity = set->count;
    return copy->definitions != NULL ? copy : NULL;
}

static const struct template_function *find_function(const struct template_function *table, struct str name)
{
    for (; table->name != NULL; table++)
        if (str_is(name, table->name))
            return table;
    return NULL;
}

const struct template_function *set_function(const struct template_set *set, struct str name)
{
    for (size_t i = set->table_count; i > 0; i--) {
        const struct template_function *f = find_function(set->tables[i - 1], name);
        if (f != NULL)
            return f;
    }
    return find_function(builtin_functions, name);
}

const struct definition *set_find(const struct template_set *set, struct str name)
{
    for (size_t i = 0; i < set->count; i++)
        if (str_eq(set->definitions[i].name, name))
            return &set->definitions[i];
    return NULL;
}

bool definition_is_empty(const struct definition *d)
{
    for (const struct node *n = d->root->first; n != NULL; n = n->next)
        if (n->kind != NODE_TEXT || str_trim(n->text).n > 0)
            return false;
    return true;
}
