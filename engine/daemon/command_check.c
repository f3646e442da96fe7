#include "command_priv.h"
#include "daemon_priv.h"
#include "features_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/rulecheck.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: tocsin check config|alertmanager|slo [FLAGS] FILE...\n"
    "       tocsin check rules [FLAGS] [FILE...]\n"
    "\n"
    "Reads files as `tocsin serve` would and says what is wrong, with line and column; changes nothing.\n"
    "  config        tocsin.yml or prometheus.yml, with the rule files, SLO files and the alertmanager.yml "
    "that it names\n"
    "  rules         rule files or Kubernetes' PrometheusRule manifests, with promtool's words and exit "
    "codes;\n"
    "                no FILE: standard input\n"
    "  alertmanager  alertmanager.yml\n"
    "  slo           service level objectives in Tocsin's form (docs/slo.md), Sloth's, Pyrra's or OpenSLO's\n"
    "\n"
    "Lints warn of rules that are valid but cannot mean what they say:\n"
    "  duplicate-rules  two rules with the same name and labels (promtool's own)\n"
    "  dropped-label    a template uses a label that the expression's result cannot have\n"
    "  dropped-le       histogram_quantile over buckets whose le was aggregated away\n"
    "  unmatched-join   two sides of an operation whose labels cannot meet\n"
    "  short-for        `for` shorter than the group's interval\n"
    "  never-true       a condition that no value fulfils: x > 5 and x < 3, count(x) == 0\n"
    "  always-true      a condition that every value fulfils; an alert on a bool comparison\n"
    "  absent-of-bool   absent(x == bool 1), which asks for x alone\n"
    "  no-series        with --against: a selector that matched no series there in the last hour\n"
    "Without --lint all are told and --lint-fatal counts duplicate-rules alone, as promtool does; with "
    "--lint those\n"
    "named (or all, or none) are told and counted.\n"
    "\n"
    "examples:\n"
    "  tocsin check config tocsin.yml\n"
    "  tocsin check rules rules/*.yml\n"
    "  tocsin check rules --lint=all --lint-fatal rules/*.yml          # in CI: warnings fail\n"
    "  tocsin check rules --against=http://127.0.0.1:9090 rules/*.yml  # which selectors match nothing\n"
    "  helm template mychart | tocsin check rules\n"
    "  tocsin check slo slos/*.yml\n"
    "\n"
    "Exit status 0 if all is sound, 1 if not, 2 for a bad command line, 3 for lint with --lint-fatal.\n";

struct check {
    struct world *world;
    struct promql_features features;
    struct rulecheck_options rules;
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
    if (g.objectives->file_count > 0)
        printf("  SUCCESS: %zu SLO files with %zu objectives, whose rules are among these\n",
               g.objectives->file_count, g.objectives->count);
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
           "templates\n%s\n",
           config->inhibit_count, config->receiver_count, config->template_count,
           config->template_count > 0 ? "  SUCCESS\n" : "");
    amconfig_free(config);
    return 0;
}

/* All of it: what does not fit is for the reader of YAML to refuse. */
static void read_standard_input(struct buf *text)
{
    char chunk[1 << 14];
    size_t n;
    buf_init(text, (size_t)limits.yaml_bytes + 1);
    while (!buf_overflow(text) && (n = fread(chunk, 1, sizeof chunk, stdin)) > 0)
        buf_add(text, chunk, n);
}

static int check_standard_input(const struct check *c)
{
    struct buf text;
    read_standard_input(&text);
    int status = rulecheck_text(c->world, buf_slice(&text), &c->rules, stdout, stderr);
    buf_release(&text);
    return status;
}

static int check_rule_files(const struct check *c, const struct flag_rest *rest)
{
    struct str *paths = MEM_ARRAY(struct str, rest->count);
    for (size_t i = 1; i < rest->count; i++)
        paths[i - 1] = str_of(rest->items[i]);
    int status = rulecheck_files(c->world, paths, rest->count - 1, &c->rules, stdout, stderr);
    mem_free(paths);
    return status;
}

static int check_rules(const struct check *c, const struct flag_rest *rest)
{
    struct courier *courier = NULL;
    struct err err = {0};
    if (c->rules.against != NULL && courier_open(c->world, "Tocsin/" TOCSIN_VERSION, &courier, &err) != 0) {
        fprintf(stderr, "tocsin check: %s\n", err.text);
        return 1;
    }
    int status = rest->count > 1 ? check_rule_files(c, rest) : check_standard_input(c);
    if (courier != NULL)
        courier_close(courier, 0);
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

/* False for a command line that makes no sense. */
static bool read_lints(struct check *c, const char *lint, bool fatal)
{
    const char *against = c->rules.against;
    c->rules.lints = lint != NULL ? rule_lints_read(str_of(lint), stdout) : LINT_ALL;
    if (fatal)
        c->rules.fatal = lint != NULL ? c->rules.lints : LINT_BIT(LINT_DUPLICATE_RULES);
    if (against == NULL || strncmp(against, "http://", 7) == 0 || strncmp(against, "https://", 8) == 0)
        return true;
    fprintf(stderr, "tocsin check: --against takes a URL like http://127.0.0.1:9090, not \"%s\"\n", against);
    return false;
}

static int run(const struct check *c, const struct flag_rest *rest)
{
    if (rest->count >= 2 && strcmp(rest->items[0], "config") == 0)
        return check_each(c, rest, check_config);
    if (rest->count >= 1 && strcmp(rest->items[0], "rules") == 0)
        return check_rules(c, rest);
    if (rest->count >= 2 && strcmp(rest->items[0], "alertmanager") == 0)
        return check_each(c, rest, check_alertmanager);
    if (rest->count >= 2 && strcmp(rest->items[0], "slo") == 0)
        return check_slo(c->world, &c->features, &rest->items[1], rest->count - 1);
    fputs(usage, stderr);
    return 2;
}

int command_check(int argc, char **argv)
{
    struct check c = {.world = world_real(), .features = promql_features_default};
    struct flag_list features = {.count = 0};
    const char *lint = NULL;
    bool fatal = false;
    const struct flag flags[] = {
        {"enable-feature", FLAG_LIST, &features, FEATURES_HELP},
        {"lint", FLAG_TEXT, &lint, "rules: which lints, comma-separated; all, none"},
        {"lint-fatal", FLAG_SWITCH, &fatal, "rules: end with 3 if lint finds something"},
        {"ignore-unknown-fields", FLAG_SWITCH, &c.rules.ignore_unknown_fields,
         "rules: let keys pass that nobody knows; `tocsin serve` does not"},
        {"against", FLAG_TEXT, &c.rules.against,
         "rules: URL of a Tocsin or Prometheus; warns of selectors that match no series there"},
        {NULL, 0, NULL, NULL},
    };
    struct flag_rest rest;
    int status = 0;
    if (command_flags(usage, flags, argc, argv, &rest, &status) != 0)
        return status;
    if (features_read(&c.features, &features, "check") != 0 || !read_lints(&c, lint, fatal))
        return 2;
    c.rules.features = c.features;
    return run(&c, &rest);
}
