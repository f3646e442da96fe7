#include "command_priv.h"
#include "tool_priv.h"

#include <stdio.h>

static const char usage[] = "usage: tocsin cluster [show] [FLAGS]\n"
                            "\n"
                            "Who else is in the cluster of an Alertmanager; command, flags and output are "
                            "amtool's. Tocsin itself has no "
                            "cluster.\n"
                            "\n"
                            "examples:\n"
                            "  tocsin cluster show --alertmanager.url=http://127.0.0.1:9093\n"
                            "  tocsin cluster show -o extended\n"
                            "\n"
                            "Exit status 0, or 1 for whatever goes wrong.\n";

enum { TEXT_BYTES_MAX = 1 << 20 };

static void put_peers(struct buf *out, const struct tree *peers)
{
    buf_puts(out, "\nAddress\tName\n");
    for (const struct tree *peer = peers != NULL ? peers->first : NULL; peer != NULL; peer = peer->next)
        buf_format(out, "%.*s\t%.*s\t\n", STR_ARG(tree_get_text(peer, "address")),
                   STR_ARG(tree_get_text(peer, "name")));
}

static void print_cluster(const struct tool *tool, const struct tree *cluster)
{
    struct buf out;
    buf_init(&out, TEXT_BYTES_MAX);
    buf_format(&out, "Cluster Status:\t%.*s\nNode Name:\t%.*s\n", STR_ARG(tree_get_text(cluster, "status")),
               STR_ARG(tree_get_text(cluster, "name")));
    if (tool->output == TOOL_EXTENDED)
        put_peers(&out, tree_get(cluster, "peers"));
    tool_print_table(buf_slice(&out));
    buf_release(&out);
}

static int show(struct tool *tool, int argc, char **argv)
{
    const struct tool_flag flags[] = {{{NULL, 0, NULL, NULL}, 0}};
    struct flag_rest rest;
    struct err err = {0};
    const struct tree *answer = NULL;
    int status;
    if (!tool_flags(tool, flags, argc, argv, &rest, &status))
        return status;
    if (rest.count > 0)
        return tool_fail(tool, "unexpected \"%s\"", rest.items[0]);
    if (tool_call(tool, "GET", "/status", STR(""), &answer, &err) != 0)
        return tool_fail(tool, "%s", err.text);
    if (tool->output == TOOL_JSON)
        tool_print_json(tree_get(answer, "cluster"));
    else
        print_cluster(tool, tree_get(answer, "cluster"));
    return 0;
}

int command_cluster(int argc, char **argv)
{
    static const struct tool_verb verbs[] = {{"show", show}, {NULL, NULL}};
    return tool_main(usage, verbs, argc, argv);
}
