#include "silence_tool_priv.h"

#include "tocsin/duration.h"
#include "tocsin/gotext.h"

#include <stdio.h>

enum { BODY_BYTES_MAX = 1 << 20, URL_BYTES_MAX = 1 << 16 };

struct ack {
    const char *author, *comment, *duration;
    int64_t now_ns, ends_ns;
};

static void put_text(struct buf *out, const char *key, struct str text)
{
    buf_format(out, ",\"%s\":", key);
    json_string(out, text);
}

/* A silence for this alert alone, which ends with it. */
static void put_silence(struct buf *out, const struct ack *a, const struct tree *labels)
{
    buf_puts(out, "{\"matchers\":[");
    for (const struct tree *pair = labels->first; pair != NULL; pair = pair->next) {
        buf_puts(out, pair != labels->first ? ",{\"name\":" : "{\"name\":");
        json_string(out, pair->key->text);
        put_text(out, "value", pair->text);
        buf_puts(out, ",\"isRegex\":false,\"isEqual\":true}");
    }
    buf_puts(out, "],\"annotations\":{\"tocsin_until\":\"resolved\"}");
    put_text(out, "createdBy", str_of(a->author));
    put_text(out, "comment", str_of(a->comment));
    buf_puts(out, ",\"startsAt\":\"");
    go_time_rfc3339(out, a->now_ns, 3);
    buf_puts(out, "\",\"endsAt\":\"");
    go_time_rfc3339(out, a->ends_ns, 3);
    buf_puts(out, "\"}");
}

static int ack_one(struct tool *tool, const struct ack *a, const struct tree *alert, struct err *err)
{
    const struct tree *labels = tree_get(alert, "labels");
    struct buf body;
    struct str id;
    if (labels == NULL || labels->kind != TREE_MAP)
        return err_set(err, ERR_PARSE, "the answer has an alert without labels");
    buf_init(&body, BODY_BYTES_MAX);
    put_silence(&body, a, labels);
    int rc = silence_post(tool, buf_slice(&body), &id, err);
    buf_release(&body);
    if (rc == 0)
        printf("%.*s  %.*s\n", STR_ARG(id), STR_ARG(tree_get_text(labels, "alertname")));
    return rc;
}

static int ack_all(struct tool *tool, const struct ack *a, const struct matcher *ms, size_t count,
                   struct err *err)
{
    const struct tree *list = NULL;
    struct buf path;
    buf_init(&path, URL_BYTES_MAX);
    buf_puts(&path, "/alerts?active=true&silenced=false&inhibited=false");
    tool_put_filters(&path, ms, count);
    int rc = tool_call(tool, "GET", buf_text(&path), STR(""), &list, err);
    buf_release(&path);
    if (rc == 0 && (list == NULL || list->kind != TREE_LIST || list->count == 0))
        rc = err_set(err, ERR_NOT_FOUND, "no active alert matches");
    for (const struct tree *alert = rc == 0 ? list->first : NULL; rc == 0 && alert != NULL;
         alert = alert->next)
        rc = ack_one(tool, a, alert, err);
    return rc;
}

static int read_end(struct ack *a, struct err *err)
{
    int64_t ms;
    int rc = duration_parse(str_of(a->duration), &ms, err);
    if (rc == 0 && (ms == 0 || ms > (INT64_MAX - a->now_ns) / NS_PER_MS))
        rc = err_set(err, ERR_ARG, "--duration is longer than nothing, and not for ever");
    if (rc == 0)
        a->ends_ns = a->now_ns + ms * NS_PER_MS;
    return rc;
}

int alert_ack(struct tool *tool, int argc, char **argv)
{
    struct ack a = {.author = tool_user_name(),
                    .comment = "acknowledged",
                    .duration = "1d",
                    .now_ns = tool->world->wall_ns(tool->world)};
    const struct tool_flag flags[] = {
        {{"author", FLAG_TEXT, &a.author, "who has seen it; also -a"}, 'a'},
        {{"comment", FLAG_TEXT, &a.comment, "what is done about it; also -c"}, 'c'},
        {{"duration", FLAG_TEXT, &a.duration,
          "after that it is told again, even if it has not ended; also -d"},
         'd'},
        {{NULL, 0, NULL, NULL}, 0},
    };
    struct flag_rest rest;
    struct matcher *ms;
    struct err err = {0};
    size_t count;
    int status;
    if (!tool_flags(tool, flags, argc, argv, &rest, &status))
        return status;
    if (rest.count == 0)
        return tool_fail(tool, "which alerts? A name or matchers are wanted");
    int rc = tool_matchers(tool, &rest, &ms, &count, &err);
    if (rc == 0)
        rc = read_end(&a, &err);
    if (rc == 0)
        rc = tool_want_tocsin(tool, &err);
    if (rc == 0)
        rc = ack_all(tool, &a, ms, count, &err);
    tool_release_matchers(ms, count);
    return rc == 0 ? 0 : tool_fail(tool, "%s", err.text);
}
