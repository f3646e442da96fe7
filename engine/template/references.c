#include "template_priv.h"

#include "tocsin/gotext.h"

enum { LITERAL_MAX_BYTES = 4096 };

struct search {
    struct str variable, field;
    void (*found)(void *context, struct str name);
    void *context;
};

static void visit(const struct search *s, const struct node *n, bool own_dot);

static void visit_all(const struct search *s, const struct node *first, bool own_dot)
{
    for (const struct node *n = first; n != NULL; n = n->next)
        visit(s, n, own_dot);
}

/* `index $labels "job"` says the same as `$labels.job`. */
static void visit_index(const struct search *s, const struct node *map, const struct node *key, bool own_dot)
{
    struct buf name;
    bool whole = map->kind == NODE_VARIABLE ? map->name_count == 1 && str_eq(map->names[0], s->variable)
                                            : map->kind == NODE_FIELD && own_dot && map->name_count == 1 &&
                                                  str_eq(map->names[0], s->field);
    if (!whole || key == NULL || key->kind != NODE_STRING)
        return;
    buf_init(&name, LITERAL_MAX_BYTES);
    if (go_unquote(key->text, &name))
        s->found(s->context, buf_slice(&name));
    buf_release(&name);
}

static void visit_command(const struct search *s, const struct node *n, bool own_dot)
{
    const struct node *first = n->first;
    if (first != NULL && first->kind == NODE_IDENTIFIER && str_is(first->text, "index") &&
        first->next != NULL)
        visit_index(s, first->next, first->next->next, own_dot);
    visit_all(s, first, own_dot);
}

/* own_dot: the dot is the template's data, not what a range, with or template call made of it. */
static void visit(const struct search *s, const struct node *n, bool own_dot)
{
    bool moves_dot = n->kind == NODE_RANGE || n->kind == NODE_WITH;
    if (n->kind == NODE_VARIABLE && n->name_count > 1 && str_eq(n->names[0], s->variable))
        s->found(s->context, n->names[1]);
    if (n->kind == NODE_FIELD && own_dot && n->name_count > 1 && str_eq(n->names[0], s->field))
        s->found(s->context, n->names[1]);
    if (n->kind == NODE_COMMAND)
        visit_command(s, n, own_dot);
    else
        visit_all(s, n->first, own_dot);
    if (n->pipe != NULL)
        visit(s, n->pipe, own_dot);
    if (n->body != NULL)
        visit(s, n->body, own_dot && !moves_dot);
    if (n->other != NULL)
        visit(s, n->other, own_dot);
}

void template_references(const struct template_set *set, struct str name, struct str variable,
                         struct str field, void (*found)(void *context, struct str key), void *context)
{
    struct search s = {.variable = variable, .field = field, .found = found, .context = context};
    const struct definition *d = set_find(set, name);
    if (d != NULL)
        visit(&s, d->root, true);
}
