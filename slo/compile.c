/* An objective becomes a rule group. */
#include "compile_priv.h"

#include "tocsin/limits.h"

/* ---- rules ---- */

struct strict_pairs compile_labels(struct compiler *c)
{
    struct label own[] = {{STR("slo"), c->o->id}, {STR("service"), c->o->service}};
    return slo_pairs_over(c->arena, c->o->labels, (struct strict_pairs){own, 2});
}

static void put_pairs(struct compiler *c, struct tree *rule, struct str key, struct strict_pairs pairs)
{
    struct tree *map = tree_map(c->arena);
    for (size_t i = 0; i < pairs.count; i++)
        tree_put_text(c->arena, map, pairs.items[i].name, pairs.items[i].value);
    if (map != NULL && pairs.count > 0) {
        tree_sort(c->arena, map);
        tree_put(c->arena, rule, key, map);
    }
}

static struct tree *add_rule(struct compiler *c, struct str kind, struct str name, struct str expr,
                             struct strict_pairs labels)
{
    struct tree *rule = tree_map(c->arena);
    tree_put_text(c->arena, rule, kind, name);
    tree_put_text(c->arena, rule, STR("expr"), expr);
    put_pairs(c, rule, STR("labels"), labels);
    tree_add(c->rules, rule);
    return rule;
}

struct tree *compile_record(struct compiler *c, struct str name, struct str expr, struct strict_pairs labels)
{
    return add_rule(c, STR("record"), name, expr, labels);
}

struct tree *compile_alert(struct compiler *c, struct str name, struct str expr, struct strict_pairs labels,
                           struct strict_pairs annotations)
{
    struct tree *rule = add_rule(c, STR("alert"), name, expr, labels);
    put_pairs(c, rule, STR("annotations"), annotations);
    return rule;
}

/* ---- groups ---- */

static bool has_name(struct strict_pairs pairs, struct str name)
{
    for (size_t i = 0; i < pairs.count; i++)
        if (str_eq(pairs.items[i].name, name))
            return true;
    return false;
}

/* Rules set it, over what the query's result has. */
static bool is_set_by_rules(struct compiler *c, struct str name)
{
    static const char *const own[] = {"window", "severity", "long", "policy", "alertname", "alertstate"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (str_is(name, own[i]))
            return true;
    for (size_t i = 0; i < c->o->tier_count; i++)
        if (has_name(c->o->tiers[i].labels, name))
            return true;
    return has_name(compile_labels(c), name);
}

/* Several groups would become one series, or one alert. */
static int check_grouping(struct compiler *c)
{
    for (size_t i = 0; i < c->o->by_count; i++)
        if (is_set_by_rules(c, c->o->by[i]))
            return err_at(c->err, ERR_PARSE, c->o->line, 0,
                          "%.*s: groups cannot be told apart by the label %.*s, which its series or alerts "
                          "have already",
                          STR_ARG(c->o->id), STR_ARG(c->o->by[i]));
    return 0;
}

static int full(struct err *err)
{
    return err_set(err, ERR_LIMIT, "the objectives take more memory than generation_arena_bytes allows");
}

/* As it would stand in a rule file. */
static int compile_group(struct arena *arena, const struct objective *o,
                         const struct promql_features *features, struct tree *groups, struct err *err)
{
    struct compiler c = {.arena = arena, .o = o, .features = features, .rules = tree_list(arena), .err = err};
    struct tree *group = tree_map(arena);
    if (fraction_subtract((struct fraction){1, 1}, o->target, &c.budget) != 0)
        return err_at(err, ERR_LIMIT, o->line, 0, "%.*s: the target has too many digits", STR_ARG(o->id));
    int rc = check_grouping(&c);
    if (rc == 0)
        rc = compile_begin(&c);
    if (rc == 0)
        rc = compile_series(&c);
    if (rc == 0)
        rc = compile_alerts(&c);
    if (rc != 0)
        return arena_exhausted(arena) ? full(err) : rc;
    tree_put_text(arena, group, STR("name"), o->id);
    tree_put(arena, group, STR("rules"), c.rules);
    tree_add(groups, group);
    return arena_exhausted(arena) ? full(err) : 0;
}

static struct tree *file_of(struct arena *arena, struct tree *groups)
{
    struct tree *file = tree_map(arena);
    tree_put(arena, file, STR("groups"), groups);
    return file;
}

/* So that a label of "null" is one. */
static void quote_all(struct tree *node)
{
    node->quoted = node->kind == TREE_SCALAR;
    for (struct tree *child = node->first; child != NULL; child = child->next)
        quote_all(child);
}

/* ---- into a rule set ---- */

static int check_name(const struct objective *o, const struct rule_set *set, struct err *err)
{
    for (size_t i = 0; i < set->count; i++)
        if (str_eq(set->groups[i].name, o->id) && str_eq(set->groups[i].file, o->file))
            return err_at(err, ERR_PARSE, o->line, 0,
                          "%.*s: there is a rule group of this name already, which came from the same file",
                          STR_ARG(o->id));
    return 0;
}

static int add_group(const struct objective *o, struct tree *file, const struct promql_features *features,
                     struct rule_set *set, struct err *err)
{
    struct buf errors;
    buf_init(&errors, ERR_TEXT_MAX);
    quote_all(file);
    int rc = rulefile_add(set, o->file, file, features, &errors);
    if (rc != 0)
        err_at(err, rc, o->line, 0, "%.*s: its rules do not load: %.*s", STR_ARG(o->id),
               STR_ARG(str_trim(buf_slice(&errors))));
    buf_release(&errors);
    return rc;
}

int objective_compile(const struct objective *o, const struct promql_features *features, struct rule_set *set,
                      struct err *err)
{
    struct arena arena;
    arena_init(&arena, (size_t)limits.generation_arena_bytes);
    struct tree *groups = tree_list(&arena), *file = file_of(&arena, groups);
    int rc = check_name(o, set, err);
    if (rc == 0)
        rc = compile_group(&arena, o, features, groups, err);
    if (rc == 0)
        rc = add_group(o, file, features, set, err);
    arena_release(&arena);
    return rc;
}

int objective_set_compile(const struct objective_set *objectives, const struct promql_features *features,
                          struct rule_set *set, struct buf *errors)
{
    int result = 0;
    for (size_t i = 0; i < objectives->count; i++) {
        const struct objective *o = &objectives->items[i];
        struct err err = {0};
        int rc = objective_compile(o, features, set, &err);
        if (rc == 0)
            continue;
        result = rc;
        buf_format(errors, "%.*s:%d: %s\n", STR_ARG(o->file), o->line, err.text);
    }
    return result;
}

/* ---- as text ---- */

int objective_set_print(const struct objective_set *objectives, const struct promql_features *features,
                        struct buf *out, struct err *err)
{
    struct arena arena;
    arena_init(&arena, (size_t)limits.generation_arena_bytes);
    struct tree *groups = tree_list(&arena), *file = file_of(&arena, groups);
    int rc = 0;
    for (size_t i = 0; i < objectives->count && rc == 0; i++)
        rc = compile_group(&arena, &objectives->items[i], features, groups, err);
    if (rc == 0)
        rc = yaml_emit(out, file, err);
    arena_release(&arena);
    return rc;
}
