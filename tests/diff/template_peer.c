/*
 * What Tocsin makes of templates. Standard input: one line of JSON, the data, then lines {"mode": "text" or "html",
 * "template": ...}; each is answered by a line {"output": ..., "error": ...}. tests/oracle/template/main.go is its twin.
 */
#include "../unit/template_data.h"

#include "tocsin/limits.h"

#include <stdio.h>

static int run(struct arena *arena, struct str mode, struct str text, const struct tval *dot, struct buf *out,
               struct err *err)
{
    static const struct template_function *const tables[] = {template_alertmanager_functions};
    struct template_set *set = template_set_make(arena, tables, 1);
    must(set != NULL);
    int rc = template_parse(set, STR("t"), text, err);
    if (rc != 0 || str_is(mode, "text"))
        return rc != 0 ? rc : template_execute(set, STR("t"), dot, NULL, out, err);
    rc = template_escape_html(set, STR("t"), err);
    return rc != 0 ? rc : template_execute_html(set, STR("t"), dot, NULL, out, err);
}

static void answer(struct str line, const struct tval *dot)
{
    struct arena arena;
    struct tree *root;
    struct buf out, text;
    struct err err;
    arena_init(&arena, 1 << 24);
    buf_init(&out, 1 << 22);
    buf_init(&text, 1 << 23);
    must(json_parse(&arena, line, &root, &err) == 0);
    int rc = run(&arena, tree_get(root, "mode")->text, tree_get(root, "template")->text, dot, &out, &err);
    buf_puts(&text, "{");
    if (rc != 0) {
        buf_puts(&text, "\"error\":");
        json_string(&text, str_of(err.text));
        buf_puts(&text, ",");
    }
    buf_puts(&text, "\"output\":");
    json_string(&text, buf_slice(&out));
    must(!buf_overflow(&text));
    printf("%s}\n", buf_text(&text));
    buf_release(&text);
    buf_release(&out);
    arena_release(&arena);
}

int main(void)
{
    struct arena arena;
    struct tval dot = tval_nil();
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    arena_init(&arena, 1 << 24);
    for (bool first = true; (n = getline(&line, &room, stdin)) > 0; first = false) {
        struct str text = str_trim((struct str){line, (size_t)n});
        struct tree *root;
        struct err err;
        if (!first) {
            answer(text, &dot);
            continue;
        }
        must(json_parse(&arena, str_copy(&arena, text), &root, &err) == 0);
        dot = data_of(&arena, root);
    }
    free(line);
    arena_release(&arena);
    return 0;
}
