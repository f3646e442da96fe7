#include "v2_priv.h"

#include "tocsin/amconfig.h"
#include "tocsin/gotext.h"

/* ---- parameters ---- */

bool v2_flag(const struct request *request, const char *name)
{
    static const char *const yes[] = {"true", "1",        "yes",     "ok", "y",
                                      "on",   "selected", "checked", "t",  "enabled"};
    struct str text = request_param(request, name);
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (str_eq_nocase(text, str_of(yes[i])))
            return true;
    return text.n == 0;
}

int v2_take_matchers(const struct request *request, const char *name, struct v2_matchers *out,
                     struct err *err)
{
    size_t count;
    struct str *texts = request_params(request, name, &count);
    out->items = ARENA_ARRAY(request->arena, struct matcher, count);
    if (texts == NULL || out->items == NULL)
        return err_set(err, ERR_LIMIT, "request does not fit its memory");
    for (size_t i = 0; i < count; i++) {
        int rc = am_matcher_parse(request->arena, texts[i], &out->items[i], err);
        if (rc != 0)
            return rc;
        out->count++;
    }
    return 0;
}

void v2_release_matchers(struct v2_matchers *ms)
{
    for (size_t i = 0; i < ms->count; i++)
        matcher_release(&ms->items[i]);
}

/* ---- bodies ---- */

bool v2_bad_body(const struct v2_body *body, const char *why)
{
    v2_schema_error(body->answer, 400, 400, "parsing %s body from \"\" failed, because %s", body->what, why);
    return false;
}

bool v2_read_body(const struct v2_body *body, struct tree **root)
{
    const struct request *request = body->request;
    struct err err;
    *root = NULL;
    if (str_trim(request->body).n > 0 && json_parse(request->arena, request->body, root, &err) != 0)
        return v2_bad_body(body, err.text);
    if (!tree_is_null(*root))
        return true;
    v2_schema_error(body->answer, 422, 602, "%s in body is required", body->what);
    return false;
}

bool v2_is_text(const struct tree *node)
{
    return node != NULL && node->kind == TREE_SCALAR && node->quoted;
}

bool v2_take_labels(const struct v2_body *body, const struct tree *node, bool texts, struct labels **out)
{
    struct arena *arena = body->request->arena;
    size_t count = tree_is_null(node) ? 0 : node->count;
    if (count == 0 && !tree_is_null(node) && node->kind != TREE_MAP)
        return v2_bad_body(body, "labels and annotations are objects");
    struct label *items = ARENA_ARRAY(arena, struct label, count);
    if (items == NULL)
        return v2_bad_body(body, "it does not fit its memory");
    size_t n = 0;
    for (const struct tree *child = count > 0 ? node->first : NULL; child != NULL; child = child->next) {
        if (child->key == NULL || !v2_is_text(child))
            return v2_bad_body(body, "labels and annotations are objects whose values are strings");
        items[n++] = (struct label){child->key->text, child->text};
    }
    *out = texts ? labels_make_texts(arena, items, n) : labels_make(arena, items, n);
    return *out != NULL || v2_bad_body(body, "it does not fit its memory");
}

/* Seconds east of UTC of "...+02:00". */
static int32_t zone_of(struct str time)
{
    if (time.n < 6 || (time.p[time.n - 6] != '+' && time.p[time.n - 6] != '-'))
        return 0;
    const char *p = time.p + time.n - 6;
    int32_t minutes = ((p[1] - '0') * 10 + p[2] - '0') * 60 + (p[4] - '0') * 10 + p[5] - '0';
    return p[0] == '-' ? -minutes * 60 : minutes * 60;
}

bool v2_take_time(const struct v2_body *body, const struct tree *node, int64_t *ns, int32_t *zone_s)
{
    *ns = 0;
    *zone_s = 0;
    if (tree_is_null(node))
        return true;
    if (!v2_is_text(node))
        return v2_bad_body(body, "a time must be a string");
    if (node->text.n == 0 || str_starts(node->text, STR("0001-01-01T00:00:00")))
        return true;
    if (!go_parse_rfc3339(node->text, ns))
        return v2_bad_body(body, "a time must be written as in RFC 3339");
    *zone_s = zone_of(node->text);
    return true;
}
