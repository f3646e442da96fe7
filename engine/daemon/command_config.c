#include "command_priv.h"
#include "config_tool_priv.h"

#include <stdio.h>

static const char usage[] =
    "usage: tocsin config [show] [FLAGS]\n"
    "       tocsin config routes [show] [FLAGS]\n"
    "       tocsin config routes test [FLAGS] LABEL=VALUE...\n"
    "       tocsin config test-receiver --config.file=FILE RECEIVER\n"
    "       tocsin config render --config.file=FILE RECEIVER\n"
    "       tocsin config render --template=TEXT [--config.file=FILE] [RECEIVER]\n"
    "\n"
    "show and routes are amtool's: the configuration of a running Alertmanager or Tocsin, its routes as a "
    "tree, "
    "and\n"
    "who is told of an alert with these labels.\n"
    "test-receiver really sends: one page, which says that it is a test, by each integration of the "
    "receiver; it "
    "prints\n"
    "what each answered. What opens an incident leaves it open.\n"
    "render sends nothing: it prints what each integration would send, without secrets, of alerts that are "
    "made "
    "up, that\n"
    "stand in a file as /api/v2/alerts has them (--alerts), or that a running server has for this receiver "
    "(--stored).\n"
    "--template prints one text instead, with the templates of the file.\n"
    "\n"
    "`tocsin config routes --help` shows the flags of routes, and so on. Flags are also taken from\n"
    "$HOME/.config/amtool/config.yml and /etc/amtool/config.yml.\n"
    "\n"
    "examples:\n"
    "  tocsin config routes test --config.file=alertmanager.yml --tree severity=page team=db\n"
    "  tocsin config test-receiver --config.file=alertmanager.yml team-db\n"
    "  tocsin config render --config.file=alertmanager.yml team-db\n"
    "  tocsin config render --config.file=alertmanager.yml --stored "
    "--alertmanager.url=http://127.0.0.1:9093 team-db\n"
    "  tocsin config render --template='{{ template \"slack.default.title\" . }}'\n"
    "\n"
    "Exit status 0, or 1 for whatever goes wrong, also a receiver that does not take the test page. Whether "
    "a "
    "file is\n"
    "sound: `tocsin check alertmanager`.\n";

static void print_line(const char *name, struct str value)
{
    printf("%s %.*s\n", name, STR_ARG(value));
}

static void print_extended(const struct tree *status)
{
    static const char *const names[] = {"buildUser", "goVersion", "revision",
                                        "version",   "branch",    "buildDate"};
    const struct tree *version = tree_get(status, "versionInfo");
    print_line("", tree_get_text(tree_get(status, "config"), "original"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        print_line(names[i], tree_get_text(version, names[i]));
    print_line("uptime", tree_get_text(status, "uptime"));
}

int config_show(struct tool *tool, int argc, char **argv)
{
    const struct tool_flag flags[] = {{{NULL, 0, NULL, NULL}, 0}};
    struct flag_rest rest;
    struct err err = {0};
    const struct tree *answer = NULL;
    int status;
    if (!tool_flags(tool, flags, argc, argv, &rest, &status))
        return status;
    if (rest.count > 0)
        return tool_fail(tool, "unexpected \"%s\"; `tocsin config --help` says what there is", rest.items[0]);
    if (tool_call(tool, "GET", "/status", STR(""), &answer, &err) != 0)
        return tool_fail(tool, "%s", err.text);
    if (tool->output == TOOL_JSON)
        tool_print_json(answer);
    else if (tool->output == TOOL_EXTENDED)
        print_extended(answer);
    else
        printf("%.*s\n", STR_ARG(tree_get_text(tree_get(answer, "config"), "original")));
    return 0;
}

int command_config(int argc, char **argv)
{
    static const struct tool_verb verbs[] = {
        {"show", config_show},
        {"routes", config_routes},
        {"test-receiver", config_test_receiver},
        {"render", config_render},
        {NULL, NULL},
    };
    return tool_main(usage, verbs, argc, argv);
}
