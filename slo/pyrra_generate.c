/* The rule files that Pyrra writes of its objectives. */
#include "pyrra_priv.h"

#include "tocsin/limits.h"
#include "tocsin/rulefile.h"
#include "tocsin/url.h"

/* ---- rules ---- */

static void put_pairs(const struct pyrra_rules *r, struct tree *to, struct str key, struct strict_pairs pairs)
{
    struct tree *map = tree_map(r->arena);
    for (size_t i = 0; i < pairs.count; i++)
        tree_put_text(r->arena, map, pairs.items[i].name, pairs.items[i].value);
    if (pairs.count > 0)
        tree_put(r->arena, to, key, map);
}

void pyrra_record(const struct pyrra_rules *r, struct tree *rules, struct str name, struct str expr,
                  struct strict_pairs labels)
{
    struct tree *rule = tree_map(r->arena);
    tree_put_text(r->arena, rule, STR("record"), name);
    tree_put_text(r->arena, rule, STR("expr"), expr);
    put_pairs(r, rule, STR("labels"), labels);
    tree_add(rules, rule);
}

void pyrra_alert(const struct pyrra_rules *r, struct tree *rules, struct str name, struct str expr,
                 struct str for_text, struct strict_pairs labels, struct strict_pairs annotations)
{
    struct tree *rule = tree_map(r->arena);
    tree_put_text(r->arena, rule, STR("alert"), name);
    tree_put_text(r->arena, rule, STR("expr"), expr);
    tree_put_text(r->arena, rule, STR("for"), for_text);
    put_pairs(r, rule, STR("labels"), labels);
    put_pairs(r, rule, STR("annotations"), annotations);
    tree_add(rules, rule);
}

struct str pyrra_sum(const struct pyrra_rules *r, struct str sum_by, const char *function,
                     const struct pyrra_selector *selector, int64_t range_ms)
{
    struct str text = pyrra_selector_print(r->arena, selector), range = pyrra_duration(r->arena, range_ms);
    return pyrra_format(r->arena, "%.*s(%s(%.*s[%.*s]))", STR_ARG(sum_by), function, STR_ARG(text),
                        STR_ARG(range));
}

/* ---- groups ---- */

static void add_group(const struct pyrra_rules *r, struct tree *groups, const char *suffix,
                      int64_t interval_ms, struct tree *rules)
{
    struct tree *group = tree_map(r->arena);
    const struct pyrra_objective *o = r->objective;
    if (rules == NULL || rules->count == 0)
        return;
    tree_put_text(r->arena, group, STR("name"), pyrra_format(r->arena, "%.*s%s", STR_ARG(o->name), suffix));
    tree_put_text(r->arena, group, STR("interval"), pyrra_duration(r->arena, interval_ms));
    tree_put(r->arena, group, STR("rules"), rules);
    if (r->options->operator_rule && o->partial_response.n > 0)
        tree_put_text(r->arena, group, STR("partial_response_strategy"), o->partial_response);
    tree_add(groups, group);
}

static struct pyrra_rules rules_of(struct arena *arena, const struct pyrra_objective *o,
                                   const struct pyrra_generate *options)
{
    struct pyrra_rules r = {arena, o, options, o->total, o->counted, pyrra_grouping(arena, o)};
    if (o->kind == PYRRA_LATENCY && !options->exact_le) {
        r.total = pyrra_le_for_both(arena, &o->total);
        r.counted = pyrra_le_for_both(arena, &o->counted);
    }
    return r;
}

static void add_groups(struct arena *arena, struct tree *groups, const struct pyrra_objective *o,
                       enum pyrra_part part, const struct pyrra_generate *options)
{
    enum { OFTEN_MS = 30 * 1000 };
    struct pyrra_rules r = rules_of(arena, o, options);
    int64_t interval_ms = part == PYRRA_SHORT ? OFTEN_MS : pyrra_increase_interval_ms(o->window_ms);
    add_group(&r, groups, "-increase", interval_ms, pyrra_increase_rules(&r, part));
    if (part == PYRRA_LONG)
        return;
    add_group(&r, groups, "", OFTEN_MS, pyrra_burn_rules(&r));
    if (options->generic_rules)
        add_group(&r, groups, "-generic", OFTEN_MS, pyrra_generic_rules(&r));
}

/* ---- documents ---- */

struct generation {
    struct arena arena;
    enum pyrra_part part;
    const struct pyrra_generate *options;
    struct buf *out;
    struct err *err;
};

static void put_labels(struct generation *g, struct tree *metadata, struct strict_pairs labels)
{
    struct tree *map = tree_map(&g->arena);
    for (size_t i = 0; i < labels.count; i++)
        tree_put_text(&g->arena, map, labels.items[i].name, labels.items[i].value);
    if (labels.count > 0)
        tree_put(&g->arena, metadata, STR("labels"), map);
}

static struct tree *metadata_of(struct generation *g, const struct pyrra_objective *o)
{
    static const char *const suffix[] = {
        [PYRRA_WHOLE] = "", [PYRRA_SHORT] = "-short", [PYRRA_LONG] = "-long"};
    struct tree *metadata = tree_map(&g->arena);
    struct strict_pairs more = {NULL, 0};
    if (g->part != PYRRA_WHOLE)
        more = g->part == PYRRA_SHORT ? o->short_labels : o->long_labels;
    put_labels(g, metadata, slo_pairs_over(&g->arena, o->labels, more));
    tree_put_text(&g->arena, metadata, STR("name"),
                  pyrra_format(&g->arena, "%.*s%s", STR_ARG(o->name), suffix[g->part]));
    if (o->namespace.n > 0)
        tree_put_text(&g->arena, metadata, STR("namespace"), o->namespace);
    return metadata;
}

static int emit(struct generation *g, struct tree *root)
{
    if (root != NULL)
        tree_sort(&g->arena, root);
    if (arena_exhausted(&g->arena))
        return err_set(g->err, ERR_LIMIT, "the rules take more memory than generation_arena_bytes allows");
    return yaml_emit(g->out, root, g->err);
}

static int emit_object(struct generation *g, const struct pyrra_objective *o, struct tree *groups)
{
    struct tree *root = tree_map(&g->arena), *spec = tree_map(&g->arena);
    tree_put_text(&g->arena, root, STR("apiVersion"), STR("monitoring.coreos.com/v1"));
    tree_put_text(&g->arena, root, STR("kind"), STR("PrometheusRule"));
    tree_put(&g->arena, root, STR("metadata"), metadata_of(g, o));
    tree_put(&g->arena, spec, STR("groups"), groups);
    tree_put(&g->arena, root, STR("spec"), spec);
    return emit(g, root);
}

static int emit_groups(struct generation *g, struct tree *groups)
{
    struct tree *root = tree_map(&g->arena);
    tree_put(&g->arena, root, STR("groups"), groups);
    return emit(g, root);
}

static bool has_part(const struct pyrra_objective *o, enum pyrra_part part)
{
    return o->performance_over_accuracy == (part != PYRRA_WHOLE);
}

static int write_objects(struct generation *g, const struct pyrra_objective *objectives, size_t count)
{
    int rc = 0;
    bool first = true;
    for (size_t i = 0; i < count && rc == 0; i++) {
        struct tree *groups = tree_list(&g->arena);
        if (!has_part(&objectives[i], g->part))
            continue;
        if (!first)
            buf_puts(g->out, "---\n");
        first = false;
        add_groups(&g->arena, groups, &objectives[i], g->part, g->options);
        rc = emit_object(g, &objectives[i], groups);
    }
    return rc;
}

static int write_file(struct generation *g, const struct pyrra_objective *objectives, size_t count)
{
    struct tree *groups = tree_list(&g->arena);
    for (size_t i = 0; i < count; i++)
        if (has_part(&objectives[i], g->part))
            add_groups(&g->arena, groups, &objectives[i], g->part, g->options);
    if (arena_exhausted(&g->arena))
        return err_set(g->err, ERR_LIMIT, "the rules take more memory than generation_arena_bytes allows");
    return groups->count > 0 ? emit_groups(g, groups) : 0;
}

/* Better told now than when Prometheus, or Tocsin, refuses all of its rules. */
static int check_loads(struct generation *g, struct str rules)
{
    struct buf errors;
    struct rule_set *set = rule_set_new();
    buf_init(&errors, (size_t)limits.yaml_bytes);
    int rc = rulefile_parse(set, STR(""), rules, &promql_features_all, &errors);
    if (rc != 0)
        err_set(g->err, rc, "the rules made of it do not load: %s", buf_text(&errors));
    rule_set_free(set);
    buf_release(&errors);
    return rc;
}

int pyrra_generate(const struct pyrra_objective *objectives, size_t count, enum pyrra_part part,
                   const struct pyrra_generate *options, struct buf *out, struct err *err)
{
    struct generation g = {.part = part, .options = options, .out = out, .err = err};
    size_t from = out->used;
    arena_init(&g.arena, (size_t)limits.generation_arena_bytes);
    int rc =
        options->operator_rule ? write_objects(&g, objectives, count) : write_file(&g, objectives, count);
    arena_release(&g.arena);
    if (rc == 0 && out->used > from)
        rc = check_loads(&g, (struct str){buf_text(out) + from, out->used - from});
    return rc;
}

int pyrra_url_check(struct str url, struct err *err)
{
    struct url parts;
    int rc = url_parse(url, &parts, err);
    if (rc != 0)
        return rc;
    if ((!str_is(parts.scheme, "http") && !str_is(parts.scheme, "https")) || parts.host.n == 0)
        return err_set(err, ERR_ARG, "must be http://HOST or https://HOST, with a port or without");
    return parts.user.n == 0 ? 0
                             : err_set(err, ERR_ARG, "must not hold a password, which all alerts would show");
}
