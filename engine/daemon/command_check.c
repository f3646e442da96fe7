#include "command_priv.h"
#include "daemon_priv.h"
#include "features_priv.h"

#include "tocsin/mem.h"
#include "tocsin/rulecheck.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: tocsin check config|rules|alertmanager [FLAGS] FILE...\n"
    "\n"
    "Reads files as `tocsin serve` would and says what is wrong, with line and column; changes nothing.\n"
    "  config        tocsin.yml or prometheus.yml, with the rule files and the alertmanager.yml that it "
    "names\n"
    "  rules         rule files, with promtool's words and exit codes\n"
    "  alertmanager  alertmanager.yml\n"
    "\n"
    "examples:\n"
    "  tocsin check config tocsin.yml\n"
    "  tocsin check rules --lint-fatal rules/*.yml\n"
    "\n"
    "Exit status 0 if all is sound, 1 if not, 2 for a bad command line, 3 for lint with --lint-fatal.\n";

struct check {
    struct world *world;
    struct promql_features features;
    bool lint, lint_fatal;
};

static void print_failure(const struct err *err)
{
    fprintf(stderr, "  FAILED: %s", err->text);
    if (err->line > 0)
        fprintf(stderr, " (line %d, column %d)", err->line, err->column);
    fputs("\n", stderr);
}

static int check_config(const struct check *c, const char *path)
{
    struct generation g;
    struct err err = {0};
    printf("Checking %s\n", path);
    fflush(stdout);
    if (generation_load(c->world, path, &c->features, GENERATION_FIRST, &g, &err) != 0) {
        print_failure(&err);
        return 1;
    }
    printf("  SUCCESS: %zu rule files with %zu rules\n", g.rules->file_count, g.rules->rule_count);
    if (g.routes != NULL)
        printf("  SUCCESS: %zu receivers in %.*s\n", g.routes->receiver_count,
               STR_ARG(g.config->alertmanager_config_file));
    for (size_t i = 0; i < g.config->ignored.count; i++)
        printf("  note: %.*s concerns parts that Tocsin leaves to Prometheus: ignored\n",
               STR_ARG(g.config->ignored.items[i]));
    generation_free(&g);
    return 0;
}

static int check_alertmanager(const struct check *c, const char *path)
{
    struct amconfig *config;
    struct err err = {0};
    printf("Checking '%s'", path);
    fflush(stdout);
    if (amconfig_load(c->world, path, &config, &err) != 0) {
        print_failure(&err);
        return 1;
    }
    printf("  SUCCESS\nFound:\n - global config\n - route\n - %zu inhibit rules\n - %zu receivers\n - %zu "
           "templates\n\n",
           config->inhibit_count, config->receiver_count, config->template_count);
    amconfig_free(config);
    return 0;
}

static int check_rules(const struct check *c, const struct flag_rest *rest)
{
    struct rulecheck_options options = {
        .features = c->features, .lint_duplicates = c->lint, .lint_fatal = c->lint_fatal};
    struct str *paths = MEM_ARRAY(struct str, rest->count);
    for (size_t i = 1; i < rest->count; i++)
        paths[i - 1] = str_of(rest->items[i]);
    int status = rulecheck_files(c->world, paths, rest->count - 1, &options, stdout, stderr);
    mem_free(paths);
    return status;
}

static int check_each(const struct check *c, const struct flag_rest *rest,
                      int (*check)(const struct check *c, const char *path))
{
    int status = 0;
    for (size_t i = 1; i < rest->count; i++)
        status |= check(c, rest->items[i]);
    return status;
}

int command_check(int argc, char **argv)
{
    struct check c = {.world = world_real(), .features = promql_features_default, .lint = true};
    struct flag_list features = {.count = 0};
    const struct flag flags[] = {
        {"enable-feature", FLAG_LIST, &features, FEATURES_HELP},
        {"lint", FLAG_SWITCH, &c.lint, "look for rules that are there twice (on unless --no-lint)"},
        {"lint-fatal", FLAG_SWITCH, &c.lint_fatal, "end with 3 if lint finds something"},
        {NULL, 0, NULL, NULL},
    };
    struct flag_rest rest;
    int status = 0;
    if (command_flags(usage, flags, argc, argv, &rest, &status) != 0)
        return status;
    if (features_read(&c.features, &features, "check") != 0)
        return 2;
    if (rest.count >= 2 && strcmp(rest.items[0], "config") == 0)
        return check_each(&c, &rest, check_config);
    if (rest.count >= 2 && strcmp(rest.items[0], "rules") == 0)
        return check_rules(&c, &rest);
    if (rest.count >= 2 && strcmp(rest.items[0], "alertmanager") == 0)
        return check_each(&c, &rest, check_alertmanager);
    fputs(usage, stderr);
    return 2;
}
