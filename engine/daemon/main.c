#include "command_priv.h"

#include "tocsin/hash.h"
#include "tocsin/log.h"
#include "tocsin/mem.h"
#include "tocsin/world.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"serve", command_serve, "run the daemon: remote write in, rules, pages out"},
    {"alertmanager", command_alertmanager, "run the router alone, with Alertmanager's flags and files"},
    {"check", command_check, "check config, rule or alertmanager files, with line and column"},
    {"test", command_test, "run unit tests of rules, pages and PromQL on the simulated clock"},
    {"explain", command_explain, "why was somebody paged, or not: the trail of an alert"},
    {"alert", command_alert, "alerts of an Alertmanager or Tocsin, as amtool asks for them"},
    {"silence", command_silence, "show, add, change and end silences, as with amtool"},
    {"config", command_config, "an alertmanager.yml: show it, try its routes, its receivers and its texts"},
    {"cluster", command_cluster, "who else is in an Alertmanager's cluster"},
    {"slo", command_slo, "turn files of service level objectives into rules"},
    {"tsdb", command_tsdb, "look into the folder of samples: dump, verify, stat"},
    {"receive", command_receive, "play a webhook: print the pages that are sent here"},
    {"simulate", command_simulate, "push the metrics of made-up services over remote write"},
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void print_usage(FILE *out)
{
    fprintf(
        out,
        "Tocsin: a Prometheus-compatible alert rule engine.\n\nusage: tocsin COMMAND [FLAGS] [FILES]\n\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "\nexamples:\n"
                 "  tocsin serve --config.file=tocsin.yml\n"
                 "  tocsin check rules rules/*.yml\n"
                 "  tocsin test rules tests/*_test.yml\n"
                 "\n`tocsin COMMAND --help` says more; `tocsin --version` says which this is.\n");
}

void command_spell_output(int argc, char **argv)
{
    static char output[] = "--output";
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "-o") == 0)
            argv[i] = output;
}

int command_flags(const char *usage, const struct flag *flags, int argc, char **argv, struct flag_rest *rest,
                  int *status)
{
    struct err err = {0};
    int rc = flags_parse(flags, argc, argv, rest, &err);
    if (rc == ERR_CANCEL) {
        fputs(usage, stdout);
        if (flags->name != NULL)
            puts("\nflags:");
        flags_print(flags);
        *status = 0;
    } else if (rc != 0) {
        fprintf(stderr, "tocsin %s: %s; `tocsin %s --help` lists the flags\n", argv[0], err.text, argv[0]);
        *status = 2;
    }
    return rc;
}

int command_log(const char *level, const char *format, struct err *err)
{
    enum log_level least;
    enum log_format form;
    if (log_parse_level(str_of(level), &least) != 0)
        return err_set(err, ERR_ARG, "--log.level is debug, info, warn or error, not \"%s\"", level);
    if (log_parse_format(str_of(format), &form) != 0)
        return err_set(err, ERR_ARG, "--log.format is logfmt or json, not \"%s\"", format);
    log_setup(least, form, STDERR_FILENO);
    return 0;
}

int main(int argc, char **argv)
{
    mem_share();
    struct world *world = world_real();
    hash_seed(world->random(world));
    if (argc < 2) {
        print_usage(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
        puts("tocsin, version " TOCSIN_VERSION);
        return 0;
    }
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "tocsin: no command \"%s\"; `tocsin --help` lists them\n", argv[1]);
    return 2;
}
