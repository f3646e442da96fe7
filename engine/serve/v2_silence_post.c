#include "api_priv.h"
#include "v2_priv.h"

#include "tocsin/router.h"

#include <stdio.h>

/* The last moment that times in nanoseconds can be reckoned with, in 2262. */
#define TIME_MAX_NS (INT64_MAX - 2 * SILENCE_RETENTION_NS)

/* ---- the body's shape ---- */

static bool take_text(const struct v2_body *body, const struct tree *node, struct str *out)
{
    if (!tree_is_null(node) && !v2_is_text(node))
        return v2_bad_body(body, "id, comment, createdBy, and name and value of a matcher are strings");
    *out = tree_is_null(node) ? (struct str){0} : node->text;
    return true;
}

static bool take_bool(const struct v2_body *body, const struct tree *node, bool *out)
{
    bool yes = node != NULL && str_is(node->text, "true");
    if (tree_is_null(node))
        return true;
    if (node->kind != TREE_SCALAR || node->quoted || (!yes && !str_is(node->text, "false")))
        return v2_bad_body(body, "isEqual and isRegex are true or false");
    *out = yes;
    return true;
}

static bool take_matcher(const struct v2_body *body, const struct tree *node, struct matcher *out)
{
    bool equal = true, regex = false;
    if (node->kind != TREE_MAP)
        return v2_bad_body(body, "a matcher must be an object");
    if (!take_text(body, tree_get(node, "name"), &out->name) ||
        !take_text(body, tree_get(node, "value"), &out->value) ||
        !take_bool(body, tree_get(node, "isEqual"), &equal) ||
        !take_bool(body, tree_get(node, "isRegex"), &regex))
        return false;
    out->op = regex ? (equal ? MATCH_REGEX : MATCH_NOT_REGEX) : (equal ? MATCH_EQUAL : MATCH_NOT_EQUAL);
    return true;
}

static bool take_matchers(const struct v2_body *body, const struct tree *list, struct silence *out)
{
    if (tree_is_null(list))
        return true;
    if (list->kind != TREE_LIST)
        return v2_bad_body(body, "matchers must be a list");
    struct matcher *ms = ARENA_ARRAY(body->request->arena, struct matcher, list->count);
    out->matchers = ms;
    if (ms == NULL)
        return v2_bad_body(body, "it does not fit its memory");
    for (const struct tree *node = list->first; node != NULL; node = node->next) {
        if (!tree_is_null(node) && !take_matcher(body, node, &ms[out->matcher_count++]))
            return false;
    }
    return true;
}

static bool take_silence(const struct v2_body *body, const struct tree *root, struct silence *out)
{
    int32_t zone_s;
    struct labels *annotations;
    if (root->kind != TREE_MAP)
        return v2_bad_body(body, "a silence must be an object");
    if (!v2_take_labels(body, tree_get(root, "annotations"), true, &annotations) ||
        !take_text(body, tree_get(root, "id"), &out->id) ||
        !take_text(body, tree_get(root, "comment"), &out->comment) ||
        !take_text(body, tree_get(root, "createdBy"), &out->created_by) ||
        !v2_take_time(body, tree_get(root, "startsAt"), &out->starts_ns, &zone_s) ||
        !v2_take_time(body, tree_get(root, "endsAt"), &out->ends_ns, &zone_s) ||
        !take_matchers(body, tree_get(root, "matchers"), out))
        return false;
    out->annotations = annotations;
    if (out->starts_ns > TIME_MAX_NS)
        out->starts_ns = TIME_MAX_NS;
    if (out->ends_ns > TIME_MAX_NS)
        out->ends_ns = TIME_MAX_NS;
    return true;
}

/* ---- what must be there ---- */

static bool lacks(const struct v2_body *body, const struct tree *map, const char *key, const char *path)
{
    if (!tree_is_null(tree_get(map, key)))
        return false;
    v2_schema_error(body->answer, 422, 602, "%s%s in body is required", path, key);
    return true;
}

static bool has_matchers(const struct v2_body *body, const struct tree *list)
{
    if (list->count == 0) {
        v2_schema_error(body->answer, 422, 612, "matchers in body should have at least 1 items");
        return false;
    }
    size_t at = 0;
    for (const struct tree *m = list->first; m != NULL; m = m->next, at++) {
        char path[64];
        snprintf(path, sizeof path, "matchers.%zu.", at);
        if (!tree_is_null(m) && (lacks(body, m, "isRegex", path) || lacks(body, m, "name", path) ||
                                 lacks(body, m, "value", path)))
            return false;
    }
    return true;
}

static bool is_whole(const struct v2_body *body, const struct tree *root)
{
    return !lacks(body, root, "comment", "") && !lacks(body, root, "createdBy", "") &&
           !lacks(body, root, "endsAt", "") && !lacks(body, root, "matchers", "") &&
           has_matchers(body, tree_get(root, "matchers")) && !lacks(body, root, "startsAt", "");
}

/* ---- handing over ---- */

static bool times_make_sense(const struct v2_body *body, const struct silence *s)
{
    struct world *world = body->request->service->parts.world;
    if (s->starts_ns >= s->ends_ns)
        v2_refuse(body->answer, 400, STR("Failed to create silence: start time must be before end time"));
    else if (s->ends_ns < world->wall_ns(world))
        v2_refuse(body->answer, 400, STR("Failed to create silence: end time can't be in the past"));
    else
        return true;
    return false;
}

static void put(const struct v2_body *body, const struct silence *s)
{
    struct err err;
    char id[SILENCE_ID_BYTES + 1];
    struct silences *silences = router_silences(body->request->service->parts.router);
    int rc = silences_put(silences, s, id, &err);
    if (rc != 0) {
        v2_refuse(body->answer,
                  rc == ERR_NOT_FOUND                  ? 404
                  : rc == ERR_PARSE || rc == ERR_LIMIT ? 400
                                                       : 500,
                  str_of(err.text));
        return;
    }
    router_wake(
        body->request->service->parts.router); /* one that ends with its alerts has to see them first */
    body->answer->content_type = "application/json";
    buf_format(&body->answer->body, "{\"silenceID\":\"%s\"}\n", id);
}

void v2_post_silence(struct request *request, struct answer *answer)
{
    const struct v2_body body = {request, answer, "silence"};
    struct tree *root;
    struct silence s = {0};
    if (v2_has_router(request, answer) && v2_read_body(&body, &root) && take_silence(&body, root, &s) &&
        is_whole(&body, root) && times_make_sense(&body, &s))
        put(&body, &s);
}
