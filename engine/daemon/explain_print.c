#include "explain_priv.h"

#include "tocsin/arena.h"
#include "tocsin/labels.h"
#include "tocsin/limits.h"
#include "tocsin/tree.h"

#include <stdio.h>

/* A tree takes more than its text. */
enum { TREE_BYTES_MAX = 1 << 30, LINE_BYTES_MAX = 1 << 20 };

static struct str text_of(const struct tree *map, const char *key)
{
    const struct tree *child = tree_get(map, key);
    return child != NULL && child->kind == TREE_SCALAR ? child->text : STR("");
}

static const struct tree *first_of(const struct tree *map, const char *key)
{
    const struct tree *list = tree_get(map, key);
    return list != NULL && list->kind == TREE_LIST ? list->first : NULL;
}

/* 2026-11-23T12:03:10.000Z; of today only what is behind the T. */
static struct str short_time(struct str time, struct str now)
{
    enum { DAY_BYTES = 11 };
    bool today = time.n > DAY_BYTES && now.n > DAY_BYTES && memcmp(time.p, now.p, DAY_BYTES) == 0;
    return today ? (struct str){time.p + DAY_BYTES, time.n - DAY_BYTES} : time;
}

static void print_labels(struct arena *arena, const struct tree *map)
{
    struct buf out;
    struct label *items = ARENA_ARRAY(arena, struct label, map != NULL ? map->count : 0);
    size_t n = 0;
    for (const struct tree *l = map != NULL ? map->first : NULL; items != NULL && l != NULL; l = l->next)
        items[n++] = (struct label){l->key->text, l->text};
    struct labels *ls = items != NULL ? labels_make(arena, items, n) : NULL;
    buf_init(&out, LINE_BYTES_MAX);
    if (ls != NULL)
        labels_print(&out, ls);
    printf("%s", buf_text(&out));
    buf_release(&out);
}

static void print_time_line(struct str at, struct str now, const char *what, struct str text)
{
    printf("  %.*s  %s%.*s\n", STR_ARG(short_time(at, now)), what, STR_ARG(text));
}

static void print_next(const struct tree *next, struct str now)
{
    struct str at = short_time(text_of(next, "at"), now);
    printf("  %.*s  next: %.*s: %.*s\n", STR_ARG(at), STR_ARG(text_of(next, "receiver")),
           STR_ARG(text_of(next, "text")));
}

static void print_alert(struct arena *arena, const struct tree *alert, struct str now)
{
    print_labels(arena, tree_get(alert, "labels"));
    struct str starts = short_time(text_of(alert, "startsAt"), now);
    printf(" %.*s, began %.*s, %.*s\n", STR_ARG(text_of(alert, "state")), STR_ARG(starts),
           STR_ARG(text_of(alert, "fingerprint")));
    for (const struct tree *v = first_of(alert, "verdicts"); v != NULL; v = v->next)
        printf("%.*s\n", STR_ARG(text_of(v, "text")));
    if (first_of(alert, "verdicts") == NULL)
        printf("no decision is known: its trail has made room for others, or it is in no group\n");
    for (const struct tree *d = first_of(alert, "decisions"); d != NULL; d = d->next)
        print_time_line(text_of(d, "at"), now, "", text_of(d, "text"));
    for (const struct tree *n = first_of(alert, "next"); n != NULL; n = n->next)
        print_next(n, now);
    putchar('\n');
}

static int print_data(struct arena *arena, const struct tree *data)
{
    struct str now = text_of(data, "now"), since = short_time(text_of(data, "since"), now);
    const struct tree *first = first_of(data, "alerts");
    for (const struct tree *alert = first; alert != NULL; alert = alert->next)
        print_alert(arena, alert, now);
    if (first == NULL)
        printf("no alert matches: none has come to this router.\n");
    if (str_is(text_of(data, "truncated"), "true"))
        printf("There are more alerts; a matcher or --limit shows others.\n");
    printf("Times are UTC, now it is %.*s. The trail begins with the process, at %.*s; of what was before, "
           "only what the\n"
           "notification log knows is here.\n",
           STR_ARG(short_time(now, now)), STR_ARG(since));
    return first == NULL;
}

int explain_print(struct str body, bool json)
{
    struct arena arena;
    struct tree *root = NULL;
    struct err err = {0};
    int status = 2;
    arena_init(&arena, TREE_BYTES_MAX);
    limits.json_bytes = (int64_t)body.n + 1;
    const struct tree *data = json_parse(&arena, body, &root, &err) == 0 ? tree_get(root, "data") : NULL;
    if (data == NULL || data->kind != TREE_MAP) {
        fprintf(stderr, "tocsin explain: the answer is no trail%s%s\n", err.code != 0 ? ": " : "",
                err.code != 0 ? err.text : "");
    } else if (json) {
        printf("%.*s\n", STR_ARG(body));
        status = first_of(data, "alerts") == NULL;
    } else {
        status = print_data(&arena, data);
    }
    arena_release(&arena);
    return status;
}
