#include "silence_tool_priv.h"

#include "tocsin/gotext.h"

#include <stdio.h>

enum { TEXT_BYTES_MAX = 256 << 20, URL_BYTES_MAX = 1 << 16 };

/* ---- printing ---- */

static void put_cell(struct buf *out, const struct tree *silence, const char *key)
{
    buf_str(out, tree_get_text(silence, key));
    buf_char(out, '\t');
}

static void put_date_cell(struct tool *tool, struct buf *out, const struct tree *silence, const char *key)
{
    tool_put_date(tool, out, tree_get_text(silence, key));
    buf_char(out, '\t');
}

static void put_row(struct tool *tool, struct buf *out, const struct tree *silence)
{
    bool extended = tool->output == TOOL_EXTENDED;
    put_cell(out, silence, "id");
    tool_put_matchers(out, tree_get(silence, "matchers"), extended);
    buf_char(out, '\t');
    if (extended)
        put_date_cell(tool, out, silence, "startsAt");
    put_date_cell(tool, out, silence, "endsAt");
    if (extended)
        put_date_cell(tool, out, silence, "updatedAt");
    put_cell(out, silence, "createdBy");
    put_cell(out, silence, "comment");
    buf_char(out, '\n');
}

static void print_json(const struct tree *const *items, size_t count)
{
    struct buf out;
    buf_init(&out, TEXT_BYTES_MAX);
    buf_char(&out, '[');
    for (size_t i = 0; i < count; i++) {
        buf_puts(&out, i > 0 ? "," : "");
        tool_put_json(&out, items[i]);
    }
    buf_puts(&out, "]\n");
    fwrite(buf_text(&out), 1, out.used, stdout);
    buf_release(&out);
}

void silence_print(struct tool *tool, const struct tree *const *items, size_t count)
{
    struct buf out;
    if (tool->output == TOOL_JSON) {
        print_json(items, count);
        return;
    }
    const struct tree **sorted = tool_sorted(tool, items, count, "endsAt");
    buf_init(&out, TEXT_BYTES_MAX);
    buf_puts(&out, tool->output == TOOL_SIMPLE
                       ? "ID\tMatchers\tEnds At\tCreated By\tComment\t\n"
                       : "ID\tMatchers\tStarts At\tEnds At\tUpdated At\tCreated By\tComment\t\n");
    for (size_t i = 0; sorted != NULL && i < count; i++)
        put_row(tool, &out, sorted[i]);
    tool_print_table(buf_slice(&out));
    buf_release(&out);
}

/* ---- query ---- */

struct wanted {
    bool expired, quiet;
    int64_t within_ms, now_ns;
    const char *created_by, *id;
};

/* Which ones amtool shows; the server has looked at the matchers. */
static bool is_wanted(const struct wanted *w, const struct tree *silence)
{
    int64_t ends_ns = 0, within_ns = w->within_ms * NS_PER_MS;
    go_parse_rfc3339(tree_get_text(silence, "endsAt"), &ends_ns);
    if (w->expired ? ends_ns > w->now_ns : ends_ns < w->now_ns)
        return false;
    if (within_ns > 0 && (w->expired ? ends_ns < w->now_ns - within_ns : ends_ns > w->now_ns + within_ns))
        return false;
    if (w->created_by[0] != '\0' && !str_is(tree_get_text(silence, "createdBy"), w->created_by))
        return false;
    return w->id[0] == '\0' || str_is(tree_get_text(silence, "id"), w->id);
}

static int show(struct tool *tool, const struct wanted *w, const struct tree *list)
{
    size_t count = 0;
    if (list == NULL || list->kind != TREE_LIST)
        return tool_fail(tool, "the answer is no list of silences");
    const struct tree **items = ARENA_ARRAY(&tool->arena, const struct tree *, list->count);
    for (const struct tree *silence = list->first; items != NULL && silence != NULL; silence = silence->next)
        if (is_wanted(w, silence))
            items[count++] = silence;
    for (size_t i = 0; w->quiet && i < count; i++)
        printf("%.*s\n", STR_ARG(tree_get_text(items[i], "id")));
    if (!w->quiet)
        silence_print(tool, items, count);
    return 0;
}

int silence_query(struct tool *tool, int argc, char **argv)
{
    struct wanted w = {.created_by = "", .id = "", .now_ns = tool->world->wall_ns(tool->world)};
    const struct tool_flag flags[] = {
        {{"expired", FLAG_SWITCH, &w.expired, "those that have expired, and no others"}, 0},
        {{"quiet", FLAG_SWITCH, &w.quiet, "ids only; also -q"}, 'q'},
        {{"created-by", FLAG_TEXT, &w.created_by, "of this author"}, 0},
        {{"id", FLAG_TEXT, &w.id, "this one"}, 0},
        {{"within", FLAG_GO_DURATION_MS, &w.within_ms,
          "that end, or with --expired ended, within this time; 0: whenever"},
         0},
        {{NULL, 0, NULL, NULL}, 0},
    };
    struct flag_rest rest;
    struct matcher *ms;
    struct err err = {0};
    struct buf path;
    const struct tree *list = NULL;
    size_t count;
    int status;
    if (!tool_flags(tool, flags, argc, argv, &rest, &status))
        return status;
    if (tool_matchers(tool, &rest, &ms, &count, &err) != 0)
        return tool_fail(tool, "%s", err.text);
    buf_init(&path, URL_BYTES_MAX);
    buf_puts(&path, "/silences?");
    tool_put_filters(&path, ms, count);
    int rc = tool_call(tool, "GET", buf_text(&path), STR(""), &list, &err);
    buf_release(&path);
    tool_release_matchers(ms, count);
    return rc == 0 ? show(tool, &w, list) : tool_fail(tool, "%s", err.text);
}
