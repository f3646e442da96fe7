#include "command_priv.h"
#include "silence_tool_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/labels.h"

#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "usage: tocsin alert [query] [FLAGS] [MATCHER...]\n"
    "       tocsin alert add [FLAGS] [NAME] LABEL=VALUE...\n"
    "       tocsin alert ack [FLAGS] MATCHER...\n"
    "\n"
    "Asks Alertmanager, or Tocsin in its place, for its alerts, or tells it one, as amtool does.\n"
    "query shows active alerts, unless -a, -s (silenced), -i (inhibited) or -u say which; -r EXPRESSION:\n"
    "those of receivers. A MATCHER is severity=page, host=~\"db.*\", ...; a first word alone is an "
    "alertname.\n"
    "add tells of an alert; without --end it ends after the server's resolve_timeout unless it is told "
    "again.\n"
    "ack says of each active alert that matches that somebody has seen it: it is not told again until it "
    "has\n"
    "ended, while others of its group are. It makes a silence for each, which ends with the alert, or after "
    "a\n"
    "day; for Tocsin only. Not amtool's.\n"
    "\n"
    "`tocsin alert add --help` shows the flags of add. Flags are also taken from\n"
    "$HOME/.config/amtool/config.yml and /etc/amtool/config.yml (alertmanager.url: ...).\n"
    "\n"
    "examples:\n"
    "  tocsin alert\n"
    "  tocsin alert query -s -a severity=page --alertmanager.url=http://127.0.0.1:9093\n"
    "  tocsin alert query DiskFull -o json\n"
    "  tocsin alert add DiskFull host=db1 severity=page --annotation=summary='95 % full'\n"
    "  tocsin alert ack DiskFull host=db1 -c 'new disk on its way'\n"
    "\n"
    "Exit status 0, or 1 for whatever goes wrong. Why somebody was paged, or not: `tocsin explain page`.\n";

enum { TEXT_BYTES_MAX = 64 << 20, URL_BYTES_MAX = 1 << 16 };

/* ---- query ---- */

/* What is pasted between tabs of a table. */
static void put_cell(struct buf *out, struct str text)
{
    buf_str(out, text);
    buf_char(out, '\t');
}

static void put_date_cell(struct tool *tool, struct buf *out, const struct tree *map, const char *key)
{
    tool_put_date(tool, out, tree_get_text(map, key));
    buf_char(out, '\t');
}

static void put_simple(struct tool *tool, struct buf *out, const struct tree *alert)
{
    put_cell(out, tree_get_text(tree_get(alert, "labels"), "alertname"));
    put_date_cell(tool, out, alert, "startsAt");
    put_cell(out, tree_get_text(tree_get(alert, "annotations"), "summary"));
    put_cell(out, tree_get_text(tree_get(alert, "status"), "state"));
    buf_char(out, '\n');
}

static int by_text(const void *left, const void *right)
{
    return str_cmp(*(const struct str *)left, *(const struct str *)right);
}

/* name="value" of each, in order of these texts. */
static void put_pairs(struct tool *tool, struct buf *out, const struct tree *map)
{
    size_t count = map != NULL ? map->count : 0, n = 0;
    struct str *texts = ARENA_ARRAY(&tool->arena, struct str, count);
    for (const struct tree *pair = count > 0 ? map->first : NULL; texts != NULL && pair != NULL;
         pair = pair->next)
        texts[n++] = str_of(
            arena_format(&tool->arena, "%.*s=\"%.*s\"", STR_ARG(pair->key->text), STR_ARG(pair->text)));
    if (n > 0)
        qsort(texts, n, sizeof *texts, by_text);
    for (size_t i = 0; i < n; i++) {
        buf_puts(out, i > 0 ? " " : "");
        buf_str(out, texts[i]);
    }
    buf_char(out, '\t');
}

static void put_extended(struct tool *tool, struct buf *out, const struct tree *alert)
{
    put_pairs(tool, out, tree_get(alert, "labels"));
    put_pairs(tool, out, tree_get(alert, "annotations"));
    put_date_cell(tool, out, alert, "startsAt");
    put_date_cell(tool, out, alert, "endsAt");
    put_cell(out, tree_get_text(alert, "generatorURL"));
    put_cell(out, tree_get_text(tree_get(alert, "status"), "state"));
    buf_char(out, '\n');
}

static void print_alerts(struct tool *tool, const struct tree *list)
{
    struct buf out;
    size_t count = 0;
    const struct tree **items = ARENA_ARRAY(&tool->arena, const struct tree *, list->count);
    for (const struct tree *alert = list->first; items != NULL && alert != NULL; alert = alert->next)
        items[count++] = alert;
    const struct tree **sorted = items != NULL ? tool_sorted(tool, items, count, "startsAt") : NULL;
    bool simple = tool->output == TOOL_SIMPLE;
    buf_init(&out, TEXT_BYTES_MAX);
    buf_puts(&out, simple ? "Alertname\tStarts At\tSummary\tState\t\n"
                          : "Labels\tAnnotations\tStarts At\tEnds At\tGenerator URL\tState\t\n");
    for (size_t i = 0; sorted != NULL && i < count; i++)
        (simple ? put_simple : put_extended)(tool, &out, sorted[i]);
    tool_print_table(buf_slice(&out));
    buf_release(&out);
}

struct kinds {
    bool active, silenced, inhibited, unprocessed;
    const char *receiver;
};

static void put_query(struct buf *path, const struct kinds *kinds, const struct matcher *ms, size_t count)
{
    bool none = !kinds->active && !kinds->silenced && !kinds->inhibited && !kinds->unprocessed;
    buf_format(path, "/alerts?active=%s&inhibited=%s&silenced=%s&unprocessed=%s",
               kinds->active || none ? "true" : "false", kinds->inhibited ? "true" : "false",
               kinds->silenced ? "true" : "false", kinds->unprocessed ? "true" : "false");
    if (kinds->receiver[0] != '\0') {
        buf_puts(path, "&receiver=");
        asker_escape(path, str_of(kinds->receiver));
    }
    tool_put_filters(path, ms, count);
}

static int show(struct tool *tool, const struct kinds *kinds, const struct matcher *ms, size_t count)
{
    struct err err = {0};
    struct buf path;
    const struct tree *list = NULL;
    buf_init(&path, URL_BYTES_MAX);
    put_query(&path, kinds, ms, count);
    int rc = tool_call(tool, "GET", buf_text(&path), STR(""), &list, &err);
    buf_release(&path);
    if (rc != 0)
        return tool_fail(tool, "%s", err.text);
    if (list == NULL || list->kind != TREE_LIST)
        return tool_fail(tool, "the answer is no list of alerts");
    if (tool->output == TOOL_JSON)
        tool_print_json(list);
    else
        print_alerts(tool, list);
    return 0;
}

static int query(struct tool *tool, int argc, char **argv)
{
    struct kinds kinds = {.receiver = ""};
    const struct tool_flag flags[] = {
        {{"active", FLAG_SWITCH, &kinds.active, "active alerts; also -a"}, 'a'},
        {{"silenced", FLAG_SWITCH, &kinds.silenced, "silenced alerts; also -s"}, 's'},
        {{"inhibited", FLAG_SWITCH, &kinds.inhibited, "inhibited alerts; also -i"}, 'i'},
        {{"unprocessed", FLAG_SWITCH, &kinds.unprocessed, "amtool's; also -u"}, 'u'},
        {{"receiver", FLAG_TEXT, &kinds.receiver,
          "alerts of receivers that this regular expression matches; also -r"},
         'r'},
        {{NULL, 0, NULL, NULL}, 0},
    };
    struct flag_rest rest;
    struct matcher *ms;
    struct err err = {0};
    size_t count;
    int status;
    if (!tool_flags(tool, flags, argc, argv, &rest, &status))
        return status;
    if (tool_matchers(tool, &rest, &ms, &count, &err) != 0)
        return tool_fail(tool, "%s", err.text);
    status = show(tool, &kinds, ms, count);
    tool_release_matchers(ms, count);
    return status;
}

/* ---- add ---- */

struct addition {
    const char *start, *end, *url;
    struct flag_list annotations;
    struct labels *labels, *texts;
};

static int read_addition(struct tool *tool, const struct flag_rest *rest, struct addition *a, struct err *err)
{
    const char **words = ARENA_ARRAY(&tool->arena, const char *, rest->count);
    const char *times[] = {a->start, a->end};
    int64_t ns;
    for (size_t i = 0; i < 2; i++)
        if (times[i][0] != '\0' && !go_parse_rfc3339(str_of(times[i]), &ns))
            return err_set(err, ERR_ARG, "\"%s\" is no time like 2026-11-23T10:00:00Z", times[i]);
    if (words == NULL)
        return err_set(err, ERR_LIMIT, "there are too many labels");
    for (size_t i = 0; i < rest->count; i++)
        words[i] = rest->items[i];
    int rc = tool_pairs(tool, words, rest->count, true, &a->labels, err);
    return rc == 0 ? tool_pairs(tool, a->annotations.items, a->annotations.count, false, &a->texts, err) : rc;
}

static void put_text(struct buf *out, const char *key, const char *text)
{
    if (text[0] == '\0')
        return;
    buf_format(out, ",\"%s\":", key);
    json_string(out, str_of(text));
}

static int add(struct tool *tool, int argc, char **argv)
{
    struct addition a = {.start = "", .end = "", .url = ""};
    const struct tool_flag flags[] = {
        {{"annotation", FLAG_LIST, &a.annotations, "name=value of an annotation, may be repeated"}, 0},
        {{"generator-url", FLAG_TEXT, &a.url, "URL of what tells of it"}, 0},
        {{"start", FLAG_TEXT, &a.start, "when it began, 2026-11-23T10:00:00Z; else now"}, 0},
        {{"end", FLAG_TEXT, &a.end, "when it ends"}, 0},
        {{NULL, 0, NULL, NULL}, 0},
    };
    struct flag_rest rest;
    struct err err = {0};
    struct buf body;
    int status;
    if (!tool_flags(tool, flags, argc, argv, &rest, &status))
        return status;
    if (read_addition(tool, &rest, &a, &err) != 0)
        return tool_fail(tool, "%s", err.text);
    buf_init(&body, TEXT_BYTES_MAX);
    buf_puts(&body, "[{\"labels\":");
    labels_print_json(&body, a.labels);
    buf_puts(&body, ",\"annotations\":");
    labels_print_json(&body, a.texts);
    put_text(&body, "generatorURL", a.url);
    put_text(&body, "startsAt", a.start);
    put_text(&body, "endsAt", a.end);
    buf_puts(&body, "}]");
    int rc = tool_call(tool, "POST", "/alerts", buf_slice(&body), NULL, &err);
    buf_release(&body);
    return rc == 0 ? 0 : tool_fail(tool, "%s", err.text);
}

int command_alert(int argc, char **argv)
{
    static const struct tool_verb verbs[] = {
        {"query", query}, {"add", add}, {"ack", alert_ack}, {NULL, NULL}};
    return tool_main(usage, verbs, argc, argv);
}
