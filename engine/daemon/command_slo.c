#include "command_slo_priv.h"

#include "tocsin/duration.h"
#include "tocsin/limits.h"
#include "tocsin/objective.h"
#include "tocsin/slo.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: tocsin slo generate [FLAGS] FILE...\n"
    "       tocsin slo list|budget [FLAGS] [ID...]       (tocsin slo list --help)\n"
    "       tocsin slo contract [FLAGS] FILE...          (tocsin slo contract --help)\n"
    "\n"
    "Works on files of service level objectives: Sloth's `version: prometheus/v1` and its Kubernetes "
    "objects, and Pyrra's\n"
    "`kind: ServiceLevelObjective`.\n"
    "  generate  writes the rules that Sloth 0.16, or Pyrra, makes of them to standard output, byte for "
    "byte\n"
    "With --format=prometheus it writes those that Tocsin itself makes of files of any kind under "
    "slo_files.\n"
    "\n"
    "Pyrra's files share one file of rules on standard output; with --output-dir each has its own, of the "
    "same "
    "name, and one\n"
    "with performanceOverAccuracy has two, NAME-short and NAME-long.\n"
    "\n"
    "examples:\n"
    "  tocsin slo generate slos.yml > rules/slos.yml\n"
    "  tocsin slo generate --format=prometheus slos.yml | promtool check rules\n"
    "  tocsin slo generate --default-slo-period=28d --extra-labels=env=prod slos.yml\n"
    "  tocsin slo generate --slo-period-windows=7d.yml --default-slo-period=7d slos.yml\n"
    "  tocsin slo generate --format=pyrra --generic-rules pyrra/api.yaml > rules/api.yaml\n"
    "  tocsin slo generate --external-url=https://pyrra.example.com --output-dir=rules pyrra/*.yaml\n"
    "\n"
    "Exit status 0; 1 if a file is wrong (it is told with its line, and nothing is written); 2 for a bad "
    "command line.\n";

struct generate_flags {
    const char *format; /* NULL: that of the files */
    int64_t period_ms;
    const char *windows, *version;
    struct flag_list extra_labels;
    bool no_recordings, no_alerts;
    bool generic_rules, both_le, operator_rule; /* these and the next are Pyrra's */
    const char *external_url, *folder;
};

int slo_fail(const char *path, const struct err *err)
{
    fprintf(stderr, "%s", path);
    if (err->line > 0)
        fprintf(stderr, ":%d", err->line);
    fprintf(stderr, ": %s\n", err->text);
    return 1;
}

int slo_read_text(struct world *world, const char *path, struct buf *text, struct err *err)
{
    buf_init(text, (size_t)limits.yaml_bytes);
    return world->read_file(world, path, text, err);
}

int slo_read_objectives(struct objective_set *set, const struct flag_rest *rest, struct buf *errors)
{
    struct world *world = world_real();
    struct buf text;
    int result = 0;
    buf_init(&text, (size_t)limits.yaml_bytes);
    for (size_t i = 1; i < rest->count; i++) {
        struct err err = {0};
        buf_clear(&text);
        int rc = world->read_file(world, rest->items[i], &text, &err);
        if (rc != 0)
            buf_format(errors, "%s: %s\n", rest->items[i], err.text);
        else
            rc = objective_file_parse(set, str_of(rest->items[i]), buf_slice(&text), errors);
        result = rc != 0 ? rc : result;
    }
    buf_release(&text);
    return result;
}

/* ---- options ---- */

static int read_catalogue(struct world *world, const char *path, struct slo_catalogue *out)
{
    struct buf text;
    struct err err = {0};
    int rc = slo_read_text(world, path, &text, &err);
    rc = rc == 0 ? slo_catalogue_parse(buf_slice(&text), out, &err) : rc;
    buf_release(&text);
    return rc == 0 ? 0 : slo_fail(path, &err);
}

static int choose_catalogue(struct world *world, const struct generate_flags *flags,
                            struct slo_catalogue *out)
{
    struct buf period;
    const struct slo_catalogue *known = slo_catalogue_of(flags->period_ms);
    if (flags->windows != NULL && read_catalogue(world, flags->windows, out) != 0)
        return 1;
    if (flags->windows != NULL && out->period_ms == flags->period_ms)
        return 0;
    if (known != NULL) {
        *out = *known;
        return 0;
    }
    buf_init(&period, 64);
    duration_print(&period, flags->period_ms);
    fprintf(stderr,
            "no windows are known for a period of %s: 28d and 30d are built in, others come from "
            "--slo-period-windows\n",
            buf_text(&period));
    buf_release(&period);
    return 1;
}

/* name=value */
static int take_labels(const struct flag_list *list, struct strict_pairs *out)
{
    for (size_t i = 0; i < list->count; i++) {
        struct str rest = str_of(list->items[i]), name = str_cut(&rest, '=');
        if (rest.p == NULL || !label_name_is_valid(name)) {
            fprintf(stderr, "--extra-labels=%s: must be NAME=VALUE\n", list->items[i]);
            return 2;
        }
        out->items[out->count++] = (struct label){name, rest};
    }
    return 0;
}

/* ---- generate ---- */

static int generate_file(struct world *world, const char *path, const struct slo_generate *options,
                         struct buf *out)
{
    struct buf text;
    struct slo_file *file = NULL;
    struct err err = {0};
    int rc = slo_read_text(world, path, &text, &err);
    rc = rc == 0 ? slo_file_parse(buf_slice(&text), &file, &err) : rc;
    for (size_t i = 0; rc == 0 && i < file->count; i++)
        rc = slo_generate_sloth(&file->documents[i], options, out, &err);
    slo_file_free(file);
    buf_release(&text);
    return rc == 0 ? 0 : slo_fail(path, &err);
}

static int generate_files(const struct flag_rest *rest, const struct slo_generate *options)
{
    enum { OUTPUT_BYTES_MAX = 1 << 30 };
    struct buf out;
    int status = 0;
    buf_init(&out, OUTPUT_BYTES_MAX);
    for (size_t i = 1; i < rest->count && status == 0; i++)
        status = generate_file(world_real(), rest->items[i], options, &out);
    if (status == 0 && fwrite(buf_text(&out), 1, out.used, stdout) != out.used)
        status = 1;
    buf_release(&out);
    return status;
}

static int generate_sloth(const struct generate_flags *flags, const struct flag_rest *rest)
{
    struct slo_catalogue catalogue;
    struct label labels[FLAG_LIST_MAX];
    struct slo_generate options = {.catalogue = &catalogue,
                                   .version = str_of(flags->version),
                                   .extra_labels = {labels, 0},
                                   .no_recordings = flags->no_recordings,
                                   .no_alerts = flags->no_alerts};
    if (flags->generic_rules || flags->operator_rule || flags->external_url != NULL ||
        flags->folder != NULL) {
        fputs("--generic-rules, --operator-rule, --external-url and --output-dir are for Pyrra's files\n",
              stderr);
        return 2;
    }
    int status = take_labels(&flags->extra_labels, &options.extra_labels);
    if (status == 0)
        status = choose_catalogue(world_real(), flags, &catalogue);
    return status == 0 ? generate_files(rest, &options) : status;
}

static int generate_pyrra(const struct generate_flags *flags, const struct flag_rest *rest)
{
    struct err err;
    struct pyrra_generate options = {.generic_rules = flags->generic_rules,
                                     .exact_le = !flags->both_le,
                                     .external_url = str_of(flags->external_url),
                                     .operator_rule = flags->operator_rule};
    if (flags->windows != NULL || flags->extra_labels.count > 0 || flags->no_recordings || flags->no_alerts) {
        fputs(
            "--slo-period-windows, --extra-labels, --disable-recordings and --disable-alerts are for Sloth's "
            "files\n",
            stderr);
        return 2;
    }
    if (options.external_url.n > 0 && pyrra_url_check(options.external_url, &err) != 0) {
        fprintf(stderr, "--external-url: %s\n", err.text);
        return 2;
    }
    return slo_generate_pyrra(world_real(), rest, &options, flags->folder);
}

/* ---- whose files they are ---- */

static bool holds_pyrra(struct str text)
{
    struct arena arena;
    struct tree_documents roots = {0};
    bool found = false;
    arena_init(&arena, (size_t)limits.generation_arena_bytes);
    if (yaml_parse_documents(&arena, text, true, &roots, NULL) == 0)
        for (size_t i = 0; i < roots.count; i++)
            found |= pyrra_is_objective(roots.items[i]);
    arena_release(&arena);
    return found;
}

/* How many of the files hold objectives of Pyrra's; those that cannot be read are told of later. */
static size_t count_pyrra(struct world *world, const struct flag_rest *rest)
{
    size_t count = 0;
    for (size_t i = 1; i < rest->count; i++) {
        struct buf text;
        if (slo_read_text(world, rest->items[i], &text, NULL) == 0)
            count += holds_pyrra(buf_slice(&text));
        buf_release(&text);
    }
    return count;
}

static int generate(const struct generate_flags *flags, const struct flag_rest *rest)
{
    if (flags->format != NULL && strcmp(flags->format, "prometheus") == 0)
        return slo_print_rules(rest);
    size_t pyrra = flags->format == NULL ? count_pyrra(world_real(), rest) : 0;
    if (flags->format != NULL && strcmp(flags->format, "sloth") != 0 && strcmp(flags->format, "pyrra") != 0) {
        fprintf(stderr, "--format=%s: must be sloth, pyrra or prometheus\n", flags->format);
        return 2;
    }
    if (pyrra > 0 && pyrra < rest->count - 1) {
        fputs("some of these files are Sloth's and some Pyrra's: one kind at a time\n", stderr);
        return 1;
    }
    if (pyrra > 0 || (flags->format != NULL && strcmp(flags->format, "pyrra") == 0))
        return generate_pyrra(flags, rest);
    return generate_sloth(flags, rest);
}

int command_slo(int argc, char **argv)
{
    struct generate_flags f = {
        .period_ms = INT64_C(30) * 24 * 60 * 60 * 1000, .version = "v0.16.0", .both_le = true};
    const struct flag flags[] = {
        {"format", FLAG_TEXT, &f.format,
         "sloth or pyrra; without it, whose the files are; prometheus: Tocsin's own rules"},
        {"default-slo-period", FLAG_DURATION_MS, &f.period_ms, "what the budget is counted over"},
        {"slo-period-windows", FLAG_TEXT, &f.windows, "a file of `kind: AlertWindows` for that period"},
        {"extra-labels", FLAG_LIST, &f.extra_labels,
         "NAME=VALUE, for all recorded series; may be given again"},
        {"sloth-version", FLAG_TEXT, &f.version, "what the rules say they were generated by"},
        {"disable-recordings", FLAG_SWITCH, &f.no_recordings, "leave out what is recorded"},
        {"disable-alerts", FLAG_SWITCH, &f.no_alerts, "leave out the alerts"},
        {"generic-rules", FLAG_SWITCH, &f.generic_rules,
         "Pyrra: also pyrra_availability and its kin, alike for all objectives"},
        {"external-url", FLAG_TEXT, &f.external_url, "Pyrra: where its page is, for links in alerts"},
        {"enable-prometheus-3-migration", FLAG_SWITCH, &f.both_le,
         "Pyrra: let le=\"1\" match \"1.0\", too (the default; --no-... leaves it)"},
        {"operator-rule", FLAG_SWITCH, &f.operator_rule, "Pyrra: objects for Prometheus' operator"},
        {"output-dir", FLAG_TEXT, &f.folder, "Pyrra: write a file of rules for each file into this folder"},
        {NULL, FLAG_SWITCH, NULL, NULL},
    };
    struct flag_rest rest;
    int status;
    if (argc > 1 && (strcmp(argv[1], "list") == 0 || strcmp(argv[1], "budget") == 0))
        return slo_list(argc, argv);
    if (argc > 1 && strcmp(argv[1], "contract") == 0)
        return slo_contract(argc, argv);
    if (command_flags(usage, flags, argc, argv, &rest, &status) != 0)
        return status;
    if (rest.count >= 2 && strcmp(rest.items[0], "generate") == 0)
        return generate(&f, &rest);
    fputs(usage, stderr);
    return 2;
}
