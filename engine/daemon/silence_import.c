#include "silence_tool_priv.h"

#include <stdio.h>

enum { FILE_BYTES_MAX = 256 << 20 };

static void read_standard_input(struct buf *text)
{
    char chunk[1 << 14];
    size_t n;
    while (!buf_overflow(text) && (n = fread(chunk, 1, sizeof chunk, stdin)) > 0)
        buf_add(text, chunk, n);
}

static int read_input(struct tool *tool, const char *path, const struct tree **list, struct err *err)
{
    struct buf text;
    struct tree *root = NULL;
    int rc = 0;
    buf_init(&text, FILE_BYTES_MAX);
    if (path != NULL)
        rc = tool->world->read_file(tool->world, path, &text, err);
    else
        read_standard_input(&text);
    if (rc == 0)
        rc = json_parse(&tool->arena, str_copy(&tool->arena, buf_slice(&text)), &root, err);
    buf_release(&text);
    if (rc == 0 && (root == NULL || root->kind != TREE_LIST))
        rc = err_set(err, ERR_PARSE, "this is no list of silences, as `silence query -o json` prints it");
    *list = root;
    return rc;
}

/* All of it but what only the server says of a silence. */
static void put_silence(struct buf *out, const struct tree *silence, bool with_id)
{
    bool first = true;
    buf_char(out, '{');
    for (const struct tree *child = silence->first; child != NULL; child = child->next) {
        struct str key = child->key != NULL ? child->key->text : STR("");
        if (str_is(key, "status") || str_is(key, "updatedAt") || (str_is(key, "id") && !with_id))
            continue;
        buf_puts(out, first ? "" : ",");
        first = false;
        json_string(out, key);
        buf_char(out, ':');
        tool_put_json(out, child);
    }
    buf_char(out, '}');
}

static int import_one(struct tool *tool, const struct tree *silence, bool with_id, struct str *id,
                      struct err *err)
{
    struct buf body;
    buf_init(&body, FILE_BYTES_MAX);
    put_silence(&body, silence, with_id);
    int rc = silence_post(tool, buf_slice(&body), id, err);
    buf_release(&body);
    return rc;
}

static int import_all(struct tool *tool, const struct tree *list, bool force)
{
    size_t failed = 0;
    for (const struct tree *silence = list->first; silence != NULL; silence = silence->next) {
        struct err err = {0};
        struct str id;
        int rc = import_one(tool, silence, !force, &id, &err);
        if (rc == ERR_NOT_FOUND)
            rc = import_one(tool, silence, false, &id, &err);
        if (rc == 0)
            printf("%.*s\n", STR_ARG(id));
        else
            fprintf(stderr, "Error adding silence id='%.*s': %s\n", STR_ARG(tree_get_text(silence, "id")),
                    err.text);
        failed += rc != 0;
    }
    return failed == 0 ? 0 : tool_fail(tool, "couldn't import %zu out of %zu silences", failed, list->count);
}

int silence_import(struct tool *tool, int argc, char **argv)
{
    bool force = false;
    int64_t workers = 8;
    const struct tool_flag flags[] = {
        {{"force", FLAG_SWITCH, &force, "add new ones, also of those that are there; also -f"}, 'f'},
        {{"worker", FLAG_NUMBER, &workers, "amtool's; changes nothing here: one after the other; also -w"},
         'w'},
        {{NULL, 0, NULL, NULL}, 0},
    };
    struct flag_rest rest;
    struct err err = {0};
    const struct tree *list;
    int status;
    if (!tool_flags(tool, flags, argc, argv, &rest, &status))
        return status;
    if (rest.count > 1)
        return tool_fail(tool, "unexpected \"%s\": there is one file at most", rest.items[1]);
    if (read_input(tool, rest.count > 0 ? rest.items[0] : NULL, &list, &err) != 0)
        return tool_fail(tool, "%s", err.text);
    return import_all(tool, list, force);
}
