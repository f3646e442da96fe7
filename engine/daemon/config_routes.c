#include "config_tool_priv.h"

#include "tocsin/limits.h"

#include <stdio.h>

enum { TEXT_BYTES_MAX = 1 << 20 };

/* ---- the tree ---- */

/* What of a route is shown; labels: only routes that take them, and receivers only where it ends. */
struct drawing {
    const struct labels *labels; /* NULL: all routes */
    struct buf prefix;
};

static void print_slug(const struct am_route *route, bool go_on, bool receiver)
{
    struct buf text;
    buf_init(&text, TEXT_BYTES_MAX);
    buf_puts(&text, route->matcher_count > 0 ? "{" : "default-route");
    for (size_t i = 0; i < route->matcher_count; i++) {
        buf_puts(&text, i > 0 ? "," : "");
        am_matcher_print(&text, &route->matchers[i]);
    }
    buf_puts(&text, route->matcher_count > 0 ? "}" : "");
    if (go_on && route->go_on)
        buf_puts(&text, "  continue: true");
    if (receiver)
        buf_format(&text, "  receiver: %.*s", STR_ARG(route->receiver->name));
    printf("%s\n", buf_text(&text));
    buf_release(&text);
}

/* The next of a route's children to show, from `at` on; its count: none. */
static size_t next_child(const struct drawing *d, const struct am_route *route, size_t at)
{
    while (at < route->route_count && d->labels != NULL &&
           !matchers_match(route->routes[at].matchers, route->routes[at].matcher_count, d->labels))
        at++;
    return at;
}

/* Whether one that was shown keeps its younger siblings from being asked. */
static size_t after_child(const struct drawing *d, const struct am_route *route, size_t at)
{
    bool ends = d->labels != NULL && !route->routes[at].go_on;
    return ends ? route->route_count : next_child(d, route, at + 1);
}

static void draw(struct drawing *d, const struct am_route *route, bool last)
{
    size_t used = d->prefix.used, first = next_child(d, route, 0);
    printf("%s%s ", buf_text(&d->prefix), last ? "└──" : "├──");
    print_slug(route, d->labels == NULL, d->labels == NULL || first == route->route_count);
    buf_puts(&d->prefix, last ? "    " : "│\u00a0\u00a0 ");
    for (size_t at = first, next; at < route->route_count; at = next) {
        next = after_child(d, route, at);
        draw(d, &route->routes[at], next == route->route_count);
    }
    buf_truncate(&d->prefix, used);
}

static void print_tree(const char *title, const struct am_route *root, const struct labels *labels)
{
    struct drawing d = {.labels = labels};
    buf_init(&d.prefix, TEXT_BYTES_MAX);
    printf("%s\n.\n", title);
    draw(&d, root, true);
    printf("\n");
    buf_release(&d.prefix);
}

/* ---- routing ---- */

/* Names of the receivers, separated by commas. True: the route takes it. */
static bool put_receivers(struct buf *out, const struct am_route *route, const struct labels *labels)
{
    bool taken = false;
    if (!matchers_match(route->matchers, route->matcher_count, labels))
        return false;
    for (size_t i = 0; i < route->route_count; i++) {
        bool here = put_receivers(out, &route->routes[i], labels);
        taken = taken || here;
        if (here && !route->routes[i].go_on)
            break;
    }
    if (!taken)
        buf_format(out, "%s%.*s", out->used > 0 ? "," : "", STR_ARG(route->receiver->name));
    return true;
}

struct trial {
    const char *config_file, *expected;
    bool tree;
};

static int try_labels(struct tool *tool, const struct trial *t, const struct amconfig *config,
                      const struct flag_rest *rest)
{
    struct err err = {0};
    struct labels *labels;
    struct buf names;
    const char **words = ARENA_ARRAY(&tool->arena, const char *, rest->count);
    for (size_t i = 1; words != NULL && i < rest->count; i++)
        words[i - 1] = rest->items[i];
    if (words == NULL || tool_pairs(tool, words, rest->count - 1, false, &labels, &err) != 0)
        return tool_fail(tool, "Failed to parse labels: %s", err.text);
    if (t->tree) {
        print_tree("Matching routes:", &config->root, labels);
        printf("\n");
    }
    buf_init(&names, TEXT_BYTES_MAX);
    put_receivers(&names, &config->root, labels);
    printf("%s\n", buf_text(&names));
    bool expected = t->expected[0] == '\0' || strcmp(t->expected, buf_text(&names)) == 0;
    buf_release(&names);
    if (!expected)
        printf("WARNING: Expected receivers did not match resolved receivers.\n");
    return expected ? 0 : 1;
}

/* ---- where the configuration comes from ---- */

static int load(struct tool *tool, const char *path, struct amconfig **config, struct err *err)
{
    const struct tree *status = NULL;
    if (path[0] != '\0')
        return amconfig_load(tool->world, path, config, err);
    int rc = tool_call(tool, "GET", "/status", STR(""), &status, err);
    if (rc != 0)
        return rc;
    struct str text = tree_get_text(tree_get(status, "config"), "original");
    return amconfig_parse(tool->world, text, STR(""), config, err);
}

int config_routes(struct tool *tool, int argc, char **argv)
{
    struct trial t = {.config_file = "", .expected = ""};
    const struct tool_flag flags[] = {
        {{"config.file", FLAG_TEXT, &t.config_file, "an alertmanager.yml; else the server's is asked for"},
         0},
        {{"tree", FLAG_SWITCH, &t.tree, "test: also show the routes that match"}, 0},
        {{"verify.receivers", FLAG_TEXT, &t.expected,
          "test: names, separated by commas; others end with status 1"},
         0},
        {{NULL, 0, NULL, NULL}, 0},
    };
    struct flag_rest rest;
    struct amconfig *config;
    struct err err = {0};
    int status;
    if (!tool_flags(tool, flags, argc, argv, &rest, &status))
        return status;
    bool test = rest.count > 0 && strcmp(rest.items[0], "test") == 0;
    if (!test && (rest.count > 1 || (rest.count == 1 && strcmp(rest.items[0], "show") != 0)))
        return tool_fail(tool, "unexpected \"%s\": routes show, or routes test LABEL=VALUE...",
                         rest.items[rest.count - 1]);
    if (load(tool, t.config_file, &config, &err) != 0)
        return tool_fail(tool, "%s%s%s", t.config_file, t.config_file[0] != '\0' ? ": " : "", err.text);
    if (test)
        status = try_labels(tool, &t, config, &rest);
    else
        print_tree("Routing tree:", &config->root, NULL);
    amconfig_free(config);
    return test ? status : 0;
}
