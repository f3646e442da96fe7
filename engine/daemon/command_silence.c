#include "command_priv.h"
#include "silence_tool_priv.h"

#include "tocsin/amconfig.h"
#include "tocsin/duration.h"
#include "tocsin/gotext.h"
#include "tocsin/labels.h"

#include <stdio.h>

static const char usage[] =
    "usage: tocsin silence [query] [FLAGS] [MATCHER...]\n"
    "       tocsin silence add [FLAGS] MATCHER...\n"
    "       tocsin silence update|expire [FLAGS] ID...\n"
    "       tocsin silence import [FLAGS] [FILE]\n"
    "\n"
    "Silences of Alertmanager, or of Tocsin in its place; commands, flags and output are amtool's.\n"
    "query shows those that are active or pending (a MATCHER: those that have it, word for word). add prints "
    "the "
    "id of\n"
    "the new one. import takes what `query -o json` has printed, from a file or standard input.\n"
    "A MATCHER is severity=page, host=~\"db.*\", ...; a first word alone is an alertname.\n"
    "\n"
    "`tocsin silence add --help` shows the flags of add, and so on. Flags are also taken from\n"
    "$HOME/.config/amtool/config.yml and /etc/amtool/config.yml (author: me, ...).\n"
    "\n"
    "examples:\n"
    "  tocsin silence add DiskFull host=db1 -d 2h -c 'new disk on its way'\n"
    "  tocsin silence add DiskFull host=db1 --until-resolved -c 'new disk on its way'\n"
    "  tocsin silence query --within=1h\n"
    "  tocsin silence update -d 4h 6fa459ea-ee8a-4ca4-894e-db77e160355e\n"
    "  tocsin silence expire $(tocsin silence query -q host=db1)\n"
    "  tocsin silence query -o json --alertmanager.url=http://old:9093 | tocsin silence import\n"
    "\n"
    "Exit status 0, or 1 for whatever goes wrong.\n";

enum { BODY_BYTES_MAX = 1 << 20 };

int silence_post(struct tool *tool, struct str body, struct str *id, struct err *err)
{
    const struct tree *answer = NULL;
    int rc = tool_call(tool, "POST", "/silences", body, &answer, err);
    if (rc == 0)
        *id = tree_get_text(answer, "silenceID");
    return rc;
}

/* ---- times ---- */

static int read_time(const char *text, int64_t *ns, struct err *err)
{
    if (go_parse_rfc3339(str_of(text), ns))
        return 0;
    return err_set(err, ERR_ARG, "\"%s\" is no time like 2026-11-23T10:00:00Z", text);
}

/* start, end, duration: as given, or empty. Times that are not given stay. */
static int read_times(const char *start, const char *end, const char *duration, int64_t *starts_ns,
                      int64_t *ends_ns, struct err *err)
{
    int64_t ms = 0;
    int rc = start[0] != '\0' ? read_time(start, starts_ns, err) : 0;
    if (rc == 0 && end[0] != '\0')
        rc = read_time(end, ends_ns, err);
    else if (rc == 0 && duration[0] != '\0')
        rc = duration_parse(str_of(duration), &ms, err);
    if (rc != 0)
        return rc;
    if (end[0] == '\0' && duration[0] != '\0' && ms == 0)
        return err_set(err, ERR_ARG, "silence duration must be greater than 0");
    if (end[0] == '\0' && duration[0] != '\0')
        *ends_ns = ms < (INT64_MAX - *starts_ns) / NS_PER_MS ? *starts_ns + ms * NS_PER_MS : INT64_MAX;
    return *starts_ns <= *ends_ns ? 0 : err_set(err, ERR_ARG, "silence cannot start after it ends");
}

static void put_time(struct buf *out, const char *key, int64_t ns)
{
    buf_format(out, ",\"%s\":\"", key);
    go_time_rfc3339(out, ns, 3);
    buf_char(out, '"');
}

static void put_text(struct buf *out, const char *key, struct str text)
{
    buf_format(out, ",\"%s\":", key);
    json_string(out, text);
}

/* ---- add ---- */

struct addition {
    const char *author, *comment, *duration, *start, *end;
    bool require_comment, until_resolved;
    struct flag_list annotations;
    struct matcher *matchers;
    size_t matcher_count;
    struct labels *texts;
    int64_t starts_ns, ends_ns;
};

/* Adds the annotation by which the server knows it. */
static int add_until(struct tool *tool, struct addition *a, struct err *err)
{
    if (a->annotations.count == FLAG_LIST_MAX)
        return err_set(err, ERR_ARG, "there are too many annotations");
    a->annotations.items[a->annotations.count++] = "tocsin_until=resolved";
    return tool_want_tocsin(tool, err);
}

static int read_addition(struct tool *tool, const struct flag_rest *rest, struct addition *a, struct err *err)
{
    int rc = tool_matchers(tool, rest, &a->matchers, &a->matcher_count, err);
    if (rc == 0 && a->matcher_count == 0)
        rc = err_set(err, ERR_ARG, "no matchers specified");
    a->starts_ns = tool->world->wall_ns(tool->world);
    if (a->duration[0] == '\0')
        a->duration = a->until_resolved ? "30d" : "1h";
    if (rc == 0)
        rc = read_times(a->start, a->end, a->duration, &a->starts_ns, &a->ends_ns, err);
    if (rc == 0 && a->require_comment && a->comment[0] == '\0')
        rc = err_set(err, ERR_ARG, "comment required by config");
    if (rc == 0 && a->until_resolved)
        rc = add_until(tool, a, err);
    return rc == 0 ? tool_pairs(tool, a->annotations.items, a->annotations.count, false, &a->texts, err) : rc;
}

static void put_matcher(struct buf *out, const struct matcher *m)
{
    bool regex = m->op == MATCH_REGEX || m->op == MATCH_NOT_REGEX;
    bool equal = m->op == MATCH_EQUAL || m->op == MATCH_REGEX;
    buf_puts(out, "{\"name\":");
    json_string(out, m->name);
    put_text(out, "value", m->value);
    buf_format(out, ",\"isRegex\":%s,\"isEqual\":%s}", regex ? "true" : "false", equal ? "true" : "false");
}

static void put_addition(struct buf *out, const struct addition *a)
{
    buf_puts(out, "{\"matchers\":[");
    for (size_t i = 0; i < a->matcher_count; i++) {
        buf_puts(out, i > 0 ? "," : "");
        put_matcher(out, &a->matchers[i]);
    }
    buf_char(out, ']');
    put_text(out, "createdBy", str_of(a->author));
    put_text(out, "comment", str_of(a->comment));
    put_time(out, "startsAt", a->starts_ns);
    put_time(out, "endsAt", a->ends_ns);
    if (a->texts->count > 0) {
        buf_puts(out, ",\"annotations\":");
        labels_print_json(out, a->texts);
    }
    buf_char(out, '}');
}

static int post_addition(struct tool *tool, const struct addition *a, struct err *err)
{
    struct buf body;
    struct str id;
    buf_init(&body, BODY_BYTES_MAX);
    put_addition(&body, a);
    int rc = silence_post(tool, buf_slice(&body), &id, err);
    buf_release(&body);
    if (rc == 0)
        printf("%.*s\n", STR_ARG(id));
    return rc;
}

int silence_add(struct tool *tool, int argc, char **argv)
{
    struct addition a = {.author = tool_user_name(),
                         .comment = "",
                         .duration = "",
                         .start = "",
                         .end = "",
                         .require_comment = true};
    const struct tool_flag flags[] = {
        {{"author", FLAG_TEXT, &a.author, "who makes it; also -a"}, 'a'},
        {{"comment", FLAG_TEXT, &a.comment, "why; also -c"}, 'c'},
        {{"require-comment", FLAG_SWITCH, &a.require_comment, "refuse a silence without comment"}, 0},
        {{"duration", FLAG_TEXT, &a.duration, "how long, like 2h or 1d (1h unless it is given); also -d"},
         'd'},
        {{"until-resolved", FLAG_SWITCH, &a.until_resolved,
          "Tocsin only: it ends with the alerts that it keeps quiet, after --duration (30d) in any case"},
         0},
        {{"start", FLAG_TEXT, &a.start, "when it begins, 2026-11-23T10:00:00Z; else now"}, 0},
        {{"end", FLAG_TEXT, &a.end, "when it ends, whatever --duration says"}, 0},
        {{"annotation", FLAG_LIST, &a.annotations, "name=value, may be repeated"}, 0},
        {{NULL, 0, NULL, NULL}, 0},
    };
    struct flag_rest rest;
    struct err err = {0};
    int status;
    if (!tool_flags(tool, flags, argc, argv, &rest, &status))
        return status;
    int rc = read_addition(tool, &rest, &a, &err);
    if (rc == 0)
        rc = post_addition(tool, &a, &err);
    tool_release_matchers(a.matchers, a.matcher_count);
    return rc == 0 ? 0 : tool_fail(tool, "%s", err.text);
}

/* ---- update ---- */

struct change {
    const char *comment, *duration, *start, *end;
    bool quiet;
    int64_t starts_ns, ends_ns; /* of the one that is changed */
};

static const char *silence_path(struct tool *tool, const char *id)
{
    struct buf path;
    buf_init(&path, BODY_BYTES_MAX);
    buf_puts(&path, "/silence/");
    asker_escape(&path, str_of(id));
    const char *copy = arena_copy_text(&tool->arena, buf_text(&path), path.used);
    buf_release(&path);
    return copy != NULL ? copy : "";
}

/* What the server said of it, with what is changed in it. */
static void put_change(struct buf *out, const struct tree *old, const struct change *c, struct str id)
{
    struct str comment = c->comment[0] != '\0' ? str_of(c->comment) : tree_get_text(old, "comment");
    buf_puts(out, "{\"id\":");
    json_string(out, id);
    buf_puts(out, ",\"status\":");
    tool_put_json(out, tree_get(old, "status"));
    put_text(out, "updatedAt", tree_get_text(old, "updatedAt"));
    if (tree_get(old, "annotations") != NULL) {
        buf_puts(out, ",\"annotations\":");
        tool_put_json(out, tree_get(old, "annotations"));
    }
    put_text(out, "comment", comment);
    put_text(out, "createdBy", tree_get_text(old, "createdBy"));
    put_time(out, "endsAt", c->ends_ns);
    buf_puts(out, ",\"matchers\":");
    tool_put_json(out, tree_get(old, "matchers"));
    put_time(out, "startsAt", c->starts_ns);
    buf_char(out, '}');
}

/* Posts it; *now is what was sent, with the id that it has since. */
static int post_change(struct tool *tool, const struct tree *old, const struct change *c,
                       const struct tree **now, struct err *err)
{
    struct buf body;
    struct str id;
    struct tree *tree = NULL;
    buf_init(&body, BODY_BYTES_MAX);
    put_change(&body, old, c, tree_get_text(old, "id"));
    int rc = silence_post(tool, buf_slice(&body), &id, err);
    buf_clear(&body);
    if (rc == 0) {
        put_change(&body, old, c, id);
        rc = json_parse(&tool->arena, str_copy(&tool->arena, buf_slice(&body)), &tree, err);
    }
    buf_release(&body);
    *now = tree;
    return rc;
}

static int update_one(struct tool *tool, const char *id, struct change *c, const struct tree **now,
                      struct err *err)
{
    const struct tree *old = NULL;
    int rc = tool_call(tool, "GET", silence_path(tool, id), STR(""), &old, err);
    c->starts_ns = c->ends_ns = 0;
    go_parse_rfc3339(tree_get_text(old, "startsAt"), &c->starts_ns);
    go_parse_rfc3339(tree_get_text(old, "endsAt"), &c->ends_ns);
    if (rc == 0)
        rc = read_times(c->start, c->end, c->duration, &c->starts_ns, &c->ends_ns, err);
    if (rc == 0)
        rc = post_change(tool, old, c, now, err);
    if (rc != 0)
        err_prefix(err, "%s: ", id);
    return rc;
}

static int update_all(struct tool *tool, const struct flag_rest *rest, struct change *c)
{
    struct err err = {0};
    const struct tree **items = ARENA_ARRAY(&tool->arena, const struct tree *, rest->count);
    for (size_t i = 0; items != NULL && i < rest->count; i++)
        if (update_one(tool, rest->items[i], c, &items[i], &err) != 0)
            return tool_fail(tool, "%s", err.text);
    for (size_t i = 0; items != NULL && c->quiet && i < rest->count; i++)
        printf("%.*s\n", STR_ARG(tree_get_text(items[i], "id")));
    if (items != NULL && !c->quiet)
        silence_print(tool, items, rest->count);
    return 0;
}

int silence_update(struct tool *tool, int argc, char **argv)
{
    struct change c = {.comment = "", .duration = "", .start = "", .end = ""};
    const struct tool_flag flags[] = {
        {{"comment", FLAG_TEXT, &c.comment, "why; also -c"}, 'c'},
        {{"duration", FLAG_TEXT, &c.duration, "how long from its start on, like 2h or 1d; also -d"}, 'd'},
        {{"start", FLAG_TEXT, &c.start, "when it begins, 2026-11-23T10:00:00Z"}, 0},
        {{"end", FLAG_TEXT, &c.end, "when it ends, whatever --duration says"}, 0},
        {{"quiet", FLAG_SWITCH, &c.quiet, "ids only; also -q"}, 'q'},
        {{NULL, 0, NULL, NULL}, 0},
    };
    struct flag_rest rest;
    int status;
    if (!tool_flags(tool, flags, argc, argv, &rest, &status))
        return status;
    return rest.count > 0 ? update_all(tool, &rest, &c) : tool_fail(tool, "no silence IDs specified");
}

/* ---- expire ---- */

int silence_expire(struct tool *tool, int argc, char **argv)
{
    const struct tool_flag flags[] = {{{NULL, 0, NULL, NULL}, 0}};
    struct flag_rest rest;
    struct err err = {0};
    int status;
    if (!tool_flags(tool, flags, argc, argv, &rest, &status))
        return status;
    for (size_t i = 0; i < rest.count; i++)
        if (tool_call(tool, "DELETE", silence_path(tool, rest.items[i]), STR(""), NULL, &err) != 0)
            return tool_fail(tool, "%s: %s", rest.items[i], err.text);
    return rest.count > 0 ? 0 : tool_fail(tool, "no silence IDs specified");
}

int command_silence(int argc, char **argv)
{
    static const struct tool_verb verbs[] = {
        {"query", silence_query},   {"add", silence_add},       {"update", silence_update},
        {"expire", silence_expire}, {"import", silence_import}, {NULL, NULL},
    };
    return tool_main(usage, verbs, argc, argv);
}
