/* tocsin slo list, tocsin slo budget: what a running Tocsin says is left of budgets (serve/api_slos.c). */
#include "asker_priv.h"
#include "command_slo_priv.h"
#include "tool_priv.h"

#include "tocsin/duration.h"
#include "tocsin/gotext.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: tocsin slo list [FLAGS]\n"
    "       tocsin slo budget [FLAGS] ID...\n"
    "\n"
    "What is left of the budgets of a running Tocsin's objectives: all of them, a line for each group; or "
    "all figures of\n"
    "some. A question mark is what nobody can say, because too little was seen.\n"
    "\n"
    "examples:\n"
    "  tocsin slo list\n"
    "  tocsin slo budget shop-answers --url=http://tocsin.example.com:9595\n"
    "  tocsin slo list -o json | jq '.data.slos[] | select(.groups[].exhausted) | .id'\n"
    "\n"
    "Exit status 0; 1 if there is no such objective; 2 if the command line makes no sense, or Tocsin does "
    "not "
    "answer.\n";

enum { URL_BYTES_MAX = 1 << 16, TEXT_BYTES_MAX = 64 << 20 };

/* ---- cells ---- */

/* False, and a question mark is put: nobody can say. */
static bool take_number(struct buf *out, const struct tree *map, const char *key, double *value)
{
    bool known = go_parse_float(tree_get_text(map, key), value);
    if (!known)
        buf_char(out, '?');
    return known;
}

static void put_percent(struct buf *out, const struct tree *map, const char *key, int digits)
{
    double value;
    if (take_number(out, map, key, &value))
        buf_format(out, "%.*f%%", digits, 100 * value);
}

/* 99.9%, as it stands in the file. */
static void put_target(struct buf *out, const struct tree *slo)
{
    double value;
    if (take_number(out, slo, "objective", &value))
        buf_format(out, "%.9g%%", 100 * value);
}

static void put_plain(struct buf *out, const struct tree *map, const char *key, int digits)
{
    double value;
    if (take_number(out, map, key, &value))
        buf_format(out, "%.*g", digits, value);
}

/* Whole minutes; "-": not before the period ends. */
static void put_gone_in(struct buf *out, const struct tree *map)
{
    enum { MINUTE_MS = 60 * 1000 };
    double seconds;
    if (go_parse_float(tree_get_text(map, "exhaustedInSeconds"), &seconds))
        duration_print(out, (int64_t)(seconds / 60) * MINUTE_MS);
    else
        buf_char(out, '-');
}

/* region="eu", route="/pay"; "-": the only group. */
static void put_group_name(struct buf *out, const struct tree *labels)
{
    const struct tree *label = labels != NULL ? labels->first : NULL;
    if (label == NULL)
        buf_char(out, '-');
    for (; label != NULL; label = label->next)
        buf_format(out, "%.*s=\"%.*s\"%s", STR_ARG(label->key->text), STR_ARG(label->text),
                   label->next != NULL ? ", " : "");
}

/* ---- list ---- */

static void put_line(struct buf *out, const struct tree *slo, const struct tree *group)
{
    buf_format(out, "%.*s\t", STR_ARG(tree_get_text(slo, "id")));
    put_group_name(out, tree_get(group, "labels"));
    buf_char(out, '\t');
    put_target(out, slo);
    buf_char(out, '\t');
    put_percent(out, group, "sli", 4);
    buf_char(out, '\t');
    put_percent(out, group, "remaining", 1);
    buf_char(out, '\t');
    put_percent(out, group, "forecast", 1);
    buf_char(out, '\t');
    put_gone_in(out, group);
    buf_char(out, '\t');
    put_percent(out, group, "periodCoverage", 1);
    buf_puts(out, "\t\n");
}

static void put_list(struct buf *out, const struct tree *slos)
{
    buf_puts(out, "ID\tGROUP\tOBJECTIVE\tSLI\tLEFT\tAT THE END\tGONE IN\tSEEN\t\n");
    for (const struct tree *slo = slos->first; slo != NULL; slo = slo->next) {
        const struct tree *groups = tree_get(slo, "groups");
        for (const struct tree *group = groups != NULL ? groups->first : NULL; group != NULL;
             group = group->next)
            put_line(out, slo, group);
    }
}

/* ---- budget ---- */

static void put_windows(struct buf *out, const struct tree *windows)
{
    buf_puts(out, "  window\terrors\tburn\tgone in\t\n");
    for (const struct tree *window = windows != NULL ? windows->first : NULL; window != NULL;
         window = window->next) {
        buf_format(out, "  %.*s\t", STR_ARG(tree_get_text(window, "window")));
        put_percent(out, window, "errorRatio", 4);
        buf_char(out, '\t');
        put_plain(out, window, "burn", 3);
        buf_char(out, '\t');
        put_gone_in(out, window);
        buf_puts(out, "\t\n");
    }
}

static void put_group(struct buf *out, const struct tree *slo, const struct tree *group)
{
    const struct tree *events = tree_get(group, "events");
    buf_format(out, "%.*s, ", STR_ARG(tree_get_text(slo, "id")));
    put_target(out, slo);
    buf_format(out, " of %.*s, group ", STR_ARG(tree_get_text(slo, "budgeting")));
    put_group_name(out, tree_get(group, "labels"));
    buf_format(out, "\n  period\t%.*s to %.*s\t\n", STR_ARG(tree_get_text(group, "from")),
               STR_ARG(tree_get_text(group, "to")));
    buf_puts(out, "  seen\t");
    put_percent(out, group, "periodCoverage", 2);
    buf_puts(out, " of it; ");
    put_percent(out, group, "coverage", 2);
    buf_puts(out, " since the first sample\t\n  sli\t");
    put_percent(out, group, "sli", 6);
    if (events != NULL) {
        buf_puts(out, "; ");
        put_plain(out, events, "bad", 9);
        buf_puts(out, " bad events beside ");
        put_plain(out, events, "good", 9);
        buf_puts(out, " good ones");
    }
    buf_puts(out, "\t\n  spent\t");
    put_plain(out, group, "spent", 9);
    buf_puts(out, " of ");
    put_plain(out, group, "allowed", 9);
    buf_puts(out, "\t\n  left\t");
    put_percent(out, group, "remaining", 2);
    buf_puts(out, "\t\n  at the end\t");
    put_percent(out, group, "forecast", 2);
    buf_puts(out, "\t\n  gone in\t");
    put_gone_in(out, group);
    buf_puts(out, "\t\n\n");
    put_windows(out, tree_get(group, "windows"));
    buf_char(out, '\n');
}

static void put_corrections(struct buf *out, const struct tree *slo)
{
    const struct tree *all = tree_get(slo, "corrections");
    for (const struct tree *c = all != NULL ? all->first : NULL; c != NULL; c = c->next)
        buf_format(out, "correction %.*s: %.*s %.*s to %.*s, by %.*s: %.*s\n",
                   STR_ARG(tree_get_text(c, "id")), STR_ARG(tree_get_text(c, "change")),
                   STR_ARG(tree_get_text(c, "from")), STR_ARG(tree_get_text(c, "to")),
                   STR_ARG(tree_get_text(c, "author")), STR_ARG(tree_get_text(c, "reason")));
}

static void put_budgets(struct buf *out, const struct tree *slos)
{
    for (const struct tree *slo = slos->first; slo != NULL; slo = slo->next) {
        const struct tree *groups = tree_get(slo, "groups");
        for (const struct tree *group = groups != NULL ? groups->first : NULL; group != NULL;
             group = group->next)
            put_group(out, slo, group);
        put_corrections(out, slo);
    }
}

/* ---- asking ---- */

struct listing {
    const char *url, *output;
    bool whole; /* all figures */
};

static int print_answer(const struct listing *l, struct str body)
{
    struct arena arena;
    struct buf text;
    struct tree *root;
    struct err err = {0};
    if (strcmp(l->output, "json") == 0)
        return fwrite(body.p, 1, body.n, stdout) == body.n && putchar('\n') != EOF ? 0 : 2;
    arena_init(&arena, TEXT_BYTES_MAX);
    buf_init(&text, TEXT_BYTES_MAX);
    const struct tree *data = json_parse(&arena, body, &root, &err) == 0 ? tree_get(root, "data") : NULL;
    const struct tree *slos = tree_get(data, "slos");
    if (slos == NULL)
        fprintf(stderr, "tocsin slo: %s: the answer is not understood\n", l->url);
    else if (l->whole)
        put_budgets(&text, slos);
    else
        put_list(&text, slos);
    tool_print_table(buf_slice(&text));
    buf_release(&text);
    arena_release(&arena);
    return slos != NULL ? 0 : 2;
}

/* id NULL: all. */
static int ask(const struct listing *l, const char *id)
{
    struct buf url, body;
    struct err err = {0};
    int status = 2;
    size_t length = strlen(l->url);
    while (length > 0 && l->url[length - 1] == '/')
        length--;
    buf_init(&url, URL_BYTES_MAX);
    buf_format(&url, "%.*s/api/tocsin/v1/slos%s", (int)length, l->url, id != NULL ? "?id=" : "");
    asker_escape(&url, str_of(id));
    int rc = asker_get(world_real(), buf_text(&url), &body, &err);
    if (rc == ERR_NOT_FOUND && id != NULL) {
        fprintf(stderr, "tocsin slo: %s: there is no objective %s: `tocsin slo list` tells their ids\n",
                l->url, id);
        status = 1;
    } else if (rc != 0)
        fprintf(stderr, "tocsin slo: %s: %s\n", l->url, err.text);
    else
        status = print_answer(l, buf_slice(&body));
    buf_release(&body);
    buf_release(&url);
    return status;
}

int slo_list(int argc, char **argv)
{
    struct listing l = {.url = "http://127.0.0.1:9595", .output = "text"};
    const struct flag flags[] = {
        {"url", FLAG_TEXT, &l.url, "the Tocsin to ask"},
        {"output", FLAG_TEXT, &l.output, "text or json; also -o"},
        {NULL, FLAG_SWITCH, NULL, NULL},
    };
    struct flag_rest rest;
    int status = 0;
    command_spell_output(argc, argv);
    if (command_flags(usage, flags, argc, argv, &rest, &status) != 0)
        return status;
    l.whole = strcmp(rest.items[0], "budget") == 0;
    if (l.whole == (rest.count == 1)) {
        fputs(usage, stderr);
        return 2;
    }
    if (strcmp(l.output, "text") != 0 && strcmp(l.output, "json") != 0) {
        fputs("tocsin slo: --output is text or json\n", stderr);
        return 2;
    }
    if (!l.whole)
        return ask(&l, NULL);
    for (size_t i = 1; i < rest.count && status == 0; i++)
        status = ask(&l, rest.items[i]);
    return status;
}
