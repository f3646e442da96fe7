#include "daemon_priv.h"

#include "tocsin/limits.h"
#include "tocsin/objective_rules.h"

/* All that is wrong, as far as one error can carry it. */
static int report_error(const struct buf *report, struct err *err)
{
    return err_set(err, ERR_PARSE, "%.*s", STR_ARG(str_trim(buf_slice(report))));
}

static int load_rules(struct world *world, const struct promql_features *features, struct generation *g,
                      struct err *err)
{
    struct buf errors;
    buf_init(&errors, (size_t)limits.yaml_bytes);
    struct config *c = g->config;
    int rc = rule_set_load(world, c->folder, c->rule_files.items, c->rule_files.count, features, &g->rules,
                           &errors);
    if (rc != 0)
        rc = report_error(&errors, err);
    buf_release(&errors);
    return rc;
}

static int load_objectives(struct world *world, const struct promql_features *features, struct generation *g,
                           struct err *err)
{
    struct buf errors;
    buf_init(&errors, (size_t)limits.yaml_bytes);
    struct config *c = g->config;
    int rc =
        objective_set_load(world, c->folder, c->slo_files.items, c->slo_files.count, &g->objectives, &errors);
    if (rc == 0)
        rc = objective_set_compile(g->objectives, features, g->rules, &errors);
    if (rc != 0)
        rc = report_error(&errors, err);
    buf_release(&errors);
    return rc;
}

static int load_routes(struct world *world, struct generation *g, struct err *err)
{
    if (g->config->alertmanager_config_file.n == 0)
        return 0;
    const char *path = config_path(g->config, g->config->alertmanager_config_file);
    if (path == NULL)
        return err_set(err, ERR_LIMIT, "the configuration is too large");
    int rc = amconfig_load(world, path, &g->routes, err);
    if (rc != 0)
        err_prefix(err, "%s: ", path);
    return rc;
}

static int use_limits(const struct config *config, enum generation_turn turn, struct err *err)
{
    if (turn == GENERATION_FIRST)
        limits = config->limits;
    else if (memcmp(&limits, &config->limits, sizeof limits) != 0)
        return err_set(err, ERR_ARG, "changing limits needs a restart");
    return 0;
}

int generation_load(struct world *world, const char *path, const struct promql_features *features,
                    enum generation_turn turn, struct generation *out, struct err *err)
{
    *out = (struct generation){0};
    int rc = config_load(world, path, &out->config, err);
    if (rc == 0)
        rc = use_limits(out->config, turn, err);
    if (rc == 0)
        rc = load_rules(world, features, out, err);
    if (rc == 0)
        rc = load_objectives(world, features, out, err);
    if (rc == 0)
        config_lay_policies(out->config, out->rules);
    if (rc == 0)
        rc = load_routes(world, out, err);
    if (rc != 0)
        generation_free(out);
    return rc;
}

int generation_load_routes(struct world *world, const char *path, struct generation *out, struct err *err)
{
    *out = (struct generation){0};
    int rc = config_parse(STR(""), path, &out->config, err);
    if (rc == 0) {
        out->config->contracts = (struct router_contracts){0};
        rc = amconfig_load(world, path, &out->routes, err);
    }
    if (rc != 0)
        generation_free(out);
    return rc;
}

void generation_free(struct generation *generation)
{
    config_free(generation->config);
    if (generation->rules != NULL)
        rule_set_free(generation->rules);
    objective_set_free(generation->objectives);
    if (generation->routes != NULL)
        amconfig_free(generation->routes);
    *generation = (struct generation){0};
}
